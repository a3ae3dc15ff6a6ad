/* kit/cloud/aliyun/havip.h - what the files of the havip mover share.  Private to it.
 *
 * havip.c says where the HAVIP is and holds the tables, havip_claim.c and havip_bind.c change,
 * havip_rules.c judges; the operations on HAVIPs (ops_havip*.c) have the last two in common with
 * it.
 */
#ifndef KIT_CLOUD_ALIYUN_HAVIP_H
#define KIT_CLOUD_ALIYUN_HAVIP_H

#include "kit/cloud/aliyun/ecs.h"
#include "kit/cloud/ops.h"
#include "kit/sys/netlink.h"

enum ali_havip_status {
    ALI_HAVIP_OTHER, /* Creating, Deleting, or a word that is not known */
    ALI_HAVIP_AVAILABLE,
    ALI_HAVIP_ASSOCIATING,
    ALI_HAVIP_IN_USE,
    ALI_HAVIP_UNASSOCIATING,
};

/* What one HAVIP takes, instances or ENIs (Alibaba Cloud help: "HAVIP"). */
#define ALI_HAVIP_BOUND 10

/* A HAVIP takes one EIP for each of its private addresses, of which it has one. */
#define ALI_HAVIP_EIPS 4

struct ali_havip {
    char id[KIT_ID];
    char name[ALI_NAME];
    struct kit_addr addr;
    enum ali_havip_status status;
    char status_text[24]; /* the cloud's word, for people */
    char vpc[KIT_ID], vswitch[KIT_ID];
    char master[KIT_ID]; /* MasterInstanceId: of an instance or an ENI; "" = nobody */
    char bound_type[24]; /* EcsInstance, NetworkInterface; "" = nothing is bound */
    size_t bound;        /* how many are */
    char bound_id[ALI_HAVIP_BOUND][KIT_ID];  /* the first so many; "" = too long to be one */
    bool bound_to_me;                        /* our instance or our ENI is one of them */
    char eip[ALI_HAVIP_EIPS][KIT_ADDR_TEXT]; /* addresses, the first so many */
    size_t eips;                             /* how many there are */
};
/* Reads one HaVip; false without a HaVipId.  `me`: the holder that shall have it. */
bool ali_havip_decode(const struct kit_json_node *item, const char *me,
                      struct ali_havip *ret_havip);

/* DescribeHaVips of one HAVIP, ready for kit_call_all. */
void ali_havip_call(struct ali_rpc *r, struct ali_cloud *cloud, const char *id);
/* The HAVIP `id` of such a call's answer; false: it is not there. */
bool ali_havip_take(const struct ali_rpc *r, const char *id, const char *me,
                    struct ali_havip *ret_havip);

/* The part on this host. */
struct ali_havip_local {
    const char *interface;
    struct kit_netlink_addr addr;
    bool ours; /* we bring the address up and take it off: local_address is not "no" */
};
void ali_havip_local_of(const struct kit_settings *settings, struct ali_havip_local *ret_local);

/* One resource, and all that was found out about it: the evidence of the rules. */
struct ali_havip_target {
    struct kit_query *query; /* NULL: nothing to search for */
    struct kit_me me;
    const char *havip_id; /* or NULL: by address */
    const struct kit_addr *address;
    bool to_instance; /* bind_to */
    struct ali_havip_local local;
    bool up; /* the address is on the interface */
    bool found;
    bool right; /* nothing is to be changed */
    struct ali_havip havip;
    struct ali_enis enis; /* for claims, where `eni` was named */
    const struct ali_eni *eni;
    struct ali_enis idle; /* for claims with bind_to = eni: those nearby that no instance has; empty
                           * when that is not known */
    char idle_why[320];   /* what kept us from reading them */
    struct ali_rpc *call; /* shared between targets */
};
/* The cloud names the master of a HAVIP that is bound to ENIs by either id. */
bool ali_havip_is_us(const struct kit_me *me, const char *id);

#define ALI_HAVIP_RULES 9
extern const struct kit_rule ali_havip_rules[ALI_HAVIP_RULES];

/* Those that an operation has as well; its evidence begins with an ali_havip_target, whose `me` is
 * who the HAVIP shall be bound to, and `local.interface` what that is called. */
enum kit_rule_answer ali_havip_check_vswitch(const void *evidence, struct kit_buf *detail);
enum kit_rule_answer ali_havip_check_vpc(const void *evidence, struct kit_buf *detail);
enum kit_rule_answer ali_havip_check_count(const void *evidence, struct kit_buf *detail);
enum kit_rule_answer ali_havip_check_type(const void *evidence, struct kit_buf *detail);
enum kit_rule_answer ali_havip_check_idle(const void *evidence, struct kit_buf *detail);
enum kit_rule_answer ali_havip_check_status(const void *evidence, struct kit_buf *detail);
#define ALI_HAVIP_RULE_VSWITCH                                                                     \
    {                                                                                              \
        1, KIT_RULE_REFUSE, "a HAVIP and its nodes are in one vSwitch",                            \
            "use an interface in the HAVIP's vSwitch", ali_havip_check_vswitch                     \
    }
#define ALI_HAVIP_RULE_VPC                                                                         \
    {                                                                                              \
        2, KIT_RULE_REFUSE, "a HAVIP serves its own VPC", "name a HAVIP of this VPC",              \
            ali_havip_check_vpc                                                                    \
    }
#define ALI_HAVIP_RULE_COUNT                                                                       \
    {                                                                                              \
        3, KIT_RULE_REFUSE, "a HAVIP takes 10 instances or 10 ENIs", "unbind one",                 \
            ali_havip_check_count                                                                  \
    }
#define ALI_HAVIP_RULE_TYPE                                                                        \
    {                                                                                              \
        4, KIT_RULE_REFUSE, "a HAVIP is bound to instances or to ENIs, never to both",             \
            "bind it to what it is bound to already (`bind_to`)", ali_havip_check_type             \
    }
#define ALI_HAVIP_RULE_IDLE                                                                        \
    {                                                                                              \
        6, KIT_RULE_WARN, "an ENI that is detached stays bound to a HAVIP and cannot serve it",    \
            "attach it to its node again, or unbind it", ali_havip_check_idle                      \
    }
#define ALI_HAVIP_RULE_STATUS                                                                      \
    {                                                                                              \
        12, KIT_RULE_REFUSE, "only a HAVIP that is Available or InUse serves",                     \
            "wait, or see it in the console", ali_havip_check_status                               \
    }

/* One HAVIP bound to one holder, or taken off it. */
struct ali_havip_bind {
    const char *id;     /* of the HAVIP */
    const char *holder; /* an ENI or an instance */
    const char *type;   /* of the holder: ALI_HAVIP_ENI, ALI_HAVIP_INSTANCE */
    bool off;
    bool force;                 /* off the one that has the address now, too */
    bool busy;                  /* it was seen between two states: look before asking */
    const struct kit_op_ui *ui; /* told what is waited for, or NULL */
};
#define ALI_HAVIP_ENI      "NetworkInterface"
#define ALI_HAVIP_INSTANCE "EcsInstance"
/* Asks for it and waits until it is so and the HAVIP at rest, until `by` at most.  The first
 * request is sent unseen: the asker has just looked.  Resumable, and twice is the same as once. */
int ali_havip_bind(struct ali_cloud *cloud, const struct ali_havip_bind *bind,
                   struct kit_deadline by, struct kit_err *err) KIT_CHECKED;

/* The mover's claim (kit/cloud/cloud.h): binds this node if need be, brings the address up,
 * announces it, and waits until the VPC sends it here, announcing again meanwhile: for
 * ALI_HAVIP_SETTLE_MS or until `by`.  What a failed claim has brought up it takes off again. */
#define ALI_HAVIP_SETTLE_MS INT64_C(30000)
int ali_havip_claim(struct kit_cloud *cloud, const struct kit_settings *settings,
                    const struct kit_facts *facts, struct kit_step step[], size_t count,
                    struct kit_deadline by, struct kit_err *err);

#endif
