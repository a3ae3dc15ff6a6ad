/* kit/cloud/aliyun/ops_havip.h - shared by the operations on HAVIPs: ops_havip.c (create, list),
 * ops_havip_bind.c (bind, unbind), ops_havip_delete.c, ops_havip_eip.c (bind-eip, unbind-eip) and
 * ops_havip_rules.c.  Private to them. */
#ifndef KIT_CLOUD_ALIYUN_OPS_HAVIP_H
#define KIT_CLOUD_ALIYUN_OPS_HAVIP_H

#include "kit/cloud/aliyun/eip.h"
#include "kit/cloud/aliyun/havip.h"
#include "kit/cloud/aliyun/ops.h"
#include "kit/cloud/aliyun/vswitch.h"

/* What the rules judge; what an operation has not read is zero. */
struct ali_op_havip {
    struct ali_havip_target target; /* first: the mover's rules read it */
    const char *region;             /* of the session */
    struct ali_instance instance;   /* that it is bound to, or that has the ENI; id "" = none */
    const struct kit_addr *address; /* create: that it shall have, or NULL */
    struct ali_vswitch vswitch;     /* create */
    bool idle;                      /* create: the cloud says that it may be allocated */
    struct ali_eip eip;             /* bind-eip */
    char route[KIT_ID];             /* delete: a route table with a route to it, "" = none */
};

extern const struct kit_rule ali_op_havip_create_rules[2], ali_op_havip_bind_rules[7],
    ali_op_havip_unbind_rules[1], ali_op_havip_eip_rules[3], ali_op_havip_delete_rules[2];

extern const char *const ali_op_havip_columns[];
/* Its row. */
void ali_op_havip_row(const struct ali_havip *havip, struct kit_op_answer *answer);
/* `me`: the holder in question, "" = none; KIT_ERR_NOT_FOUND when it is not there. */
int ali_op_havip_find(struct ali_cloud *cloud, const char *id, const char *me,
                      struct kit_deadline by, struct ali_havip *ret_havip,
                      struct kit_err *err) KIT_CHECKED;

#endif
