/* kit/cloud/aliyun/eni.h - shared by eni.c (the mover), eni_rules.c (what it judges), eni_move.c
 * (its changes) and the operations on ENIs (ops_eni*.c).  Private to kit/cloud/aliyun. */
#ifndef KIT_CLOUD_ALIYUN_ENI_H
#define KIT_CLOUD_ALIYUN_ENI_H

#include "kit/cloud/aliyun/ecs.h"
#include "kit/cloud/aliyun/quota.h"
#include "kit/cloud/ops.h"

/* What the rules judge. */
struct ali_eni_evidence {
    const struct ali_eni *eni;
    const struct ali_instance *instance; /* that shall have it; id "" = not read */
    const struct ali_quota *quota;       /* of its type; NULL = nothing is to be moved */
};
enum kit_rule_answer ali_eni_check_room(const void *evidence, struct kit_buf *detail);
enum kit_rule_answer ali_eni_check_instance(const void *evidence, struct kit_buf *detail);
enum kit_rule_answer ali_eni_check_secondary(const void *evidence, struct kit_buf *detail);
enum kit_rule_answer ali_eni_check_zone(const void *evidence, struct kit_buf *detail);
enum kit_rule_answer ali_eni_check_vpc(const void *evidence, struct kit_buf *detail);
enum kit_rule_answer ali_eni_check_groups(const void *evidence, struct kit_buf *detail);
enum kit_rule_answer ali_eni_check_optimized(const void *evidence, struct kit_buf *detail);
enum kit_rule_answer ali_eni_check_kept(const void *evidence, struct kit_buf *detail);
#define ALI_ENI_RULE_ROOM                                                                          \
    {                                                                                              \
        20, KIT_RULE_REFUSE, "an instance takes as many interfaces as its type allows",            \
            "detach another one from it, or use a larger instance type", ali_eni_check_room        \
    }
#define ALI_ENI_RULE_INSTANCE                                                                      \
    {                                                                                              \
        50, KIT_RULE_REFUSE,                                                                       \
            "an interface can be attached to a running or stopped instance alone",                 \
            "wait until the instance runs", ali_eni_check_instance                                 \
    }
#define ALI_ENI_RULE_SECONDARY                                                                     \
    {                                                                                              \
        51, KIT_RULE_REFUSE, "a primary interface cannot be detached from its instance",           \
            "name a secondary interface", ali_eni_check_secondary                                  \
    }
#define ALI_ENI_RULE_ZONE                                                                          \
    {                                                                                              \
        53, KIT_RULE_REFUSE, "an interface can be attached to instances of its own zone alone",    \
            "use nodes of one zone, or another scenario", ali_eni_check_zone                       \
    }
#define ALI_ENI_RULE_VPC                                                                           \
    {                                                                                              \
        54, KIT_RULE_REFUSE, "an interface can be attached to instances of its own VPC alone",     \
            "create the interface in the VPC of the nodes: it cannot be changed",                  \
            ali_eni_check_vpc                                                                      \
    }
#define ALI_ENI_RULE_GROUPS                                                                        \
    {                                                                                              \
        55, KIT_RULE_WARN, "an interface has one to five security groups by default",              \
            "check the quota of the account", ali_eni_check_groups                                 \
    }
#define ALI_ENI_RULE_OPTIMIZED                                                                     \
    {                                                                                              \
        56, KIT_RULE_REFUSE, "only I/O-optimised instance types take a secondary interface",       \
            "use another instance type", ali_eni_check_optimized                                   \
    }

#define ALI_ENI_RULE_KEPT                                                                          \
    {                                                                                              \
        59, KIT_RULE_WARN,                                                                         \
            "when its instance is released, the interface and its addresses are gone",             \
            "switch DeleteOnRelease of the interface off (`eni modify --delete-on-release no`)",   \
            ali_eni_check_kept                                                                     \
    }

/* One ENI taken to an instance, or off the one that has it. */
struct ali_eni_move {
    const char *eni;
    const char *from;           /* off this instance, "" = nobody has it */
    const char *to;             /* onto this one; "" = only off */
    bool busy;                  /* it was seen between two states: look before the first change */
    const struct kit_op_ui *ui; /* told what is waited for, or NULL */
};
/* Resumable: what it does next follows from what is seen.  Done when it is InUse there, or
 * Available; blocks until `by` at most.  KIT_ERR_CONFLICT: `from` took it back; KIT_ERR_STATE: a
 * third has it; KIT_ERR_REFUSED: the attachment failed; KIT_ERR_TIMEOUT says where it hangs. */
int ali_eni_move(struct ali_cloud *cloud, const struct ali_eni_move *move, struct kit_deadline by,
                 struct kit_err *err) KIT_CHECKED;

/* The mover's claim and release. */
int ali_eni_claim(struct kit_cloud *cloud, const struct kit_settings *settings,
                  const struct kit_facts *facts, struct kit_step step[], size_t count,
                  struct kit_deadline by, struct kit_err *err);
int ali_eni_release(struct kit_cloud *cloud, const struct kit_settings *settings,
                    const struct kit_facts *facts, struct kit_step step[], size_t count,
                    struct kit_deadline by, struct kit_err *err);

#endif
