/* kit/cloud/aliyun/ops_eni.h - shared by the operations on ENIs: ops_eni.c (create, list, delete),
 * ops_eni_attach.c (attach, detach), ops_eni_modify.c and ops_eni_rules.c.  Private to them. */
#ifndef KIT_CLOUD_ALIYUN_OPS_ENI_H
#define KIT_CLOUD_ALIYUN_OPS_ENI_H

#include "kit/cloud/aliyun/eni.h"
#include "kit/cloud/aliyun/ops.h"
#include "kit/cloud/aliyun/vswitch.h"

/* Security groups of one interface, by default (rule 55). */
#define ALI_OP_GROUPS_DEFAULT 5

/* What the rules judge; what an operation has not read is zero. */
struct ali_op_eni {
    struct ali_eni_evidence base; /* first: the mover's rules read it */
    struct ali_instance instance; /* base.instance */
    struct ali_quota quota;       /* base.quota */
    /* create, modify: the security groups that it shall have */
    const char *vpc;        /* that they must be of */
    size_t groups, most;    /* how many there are and may be */
    char stray[KIT_ID];     /* one that is not there, or … */
    char stray_vpc[KIT_ID]; /* … of this VPC; "" = not there */
    /* create */
    const struct kit_addr *address; /* or NULL */
    struct ali_vswitch vswitch;
    bool idle;    /* the cloud says that the address may be allocated */
    size_t count; /* ENIs of the region, as far as one page shows */
    /* detach */
    char havip[KIT_ID]; /* that it is bound to, "" = none, or … */
    char why[320];      /* … what kept us from knowing */
};

extern const struct kit_rule ali_op_eni_create_rules[3], ali_op_eni_attach_rules[8],
    ali_op_eni_detach_rules[3], ali_op_eni_modify_rules[2], ali_op_eni_delete_rules[1];

extern const char *const ali_op_eni_columns[];
void ali_op_eni_row(const struct ali_eni *eni, struct kit_op_answer *answer);

/* One ENI into *list, which the asker ends; KIT_ERR_NOT_FOUND: it is not there. */
int ali_op_eni_find(struct ali_cloud *cloud, const char *id, struct kit_deadline by,
                    struct ali_enis *list, const struct ali_eni **ret_eni,
                    struct kit_err *err) KIT_CHECKED;

/* DescribeSecurityGroups of these, ready for kit_call_all; and what it says of them: e->stray. */
void ali_op_groups_call(struct ali_rpc *r, struct ali_cloud *cloud, char *const *group);
void ali_op_groups_take(const struct ali_rpc *r, char *const *group, struct ali_op_eni *e);

#endif
