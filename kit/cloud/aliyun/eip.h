/* kit/cloud/aliyun/eip.h - what the files of the elastic-ip mover share.  Private to it.
 *
 * elastic_ip.c says where the EIP is and holds the tables, eip_round.c asks, eip_move.c changes
 * (for eip_claim.c and the operations on EIPs), eip_rules.c judges, eip_advice.c asks what only
 * warnings want to know, and judges that; eip_host.c does so of this host. */
#ifndef KIT_CLOUD_ALIYUN_EIP_H
#define KIT_CLOUD_ALIYUN_EIP_H

#include "kit/cloud/aliyun/quota.h"
#include "kit/cloud/ops.h"
#include "kit/sys/dhcp.h"

/* AllocationId and EipAddress take at most 50 each (DescribeEipAddresses). */
#define ALI_EIP_IDS 50

/* The parameter eip_mode: NAT, BINDED and MULTI_BINDED in the API's words. */
enum ali_eip_mode {
    ALI_EIP_NAT,
    ALI_EIP_CUT_THROUGH,
    ALI_EIP_MULTI,
};
enum ali_eip_mode ali_eip_mode_of(const struct kit_settings *settings);
const char *ali_eip_mode_word(enum ali_eip_mode mode);

enum ali_eip_status {
    ALI_EIP_OTHER, /* Releasing, or a word that is not known */
    ALI_EIP_AVAILABLE,
    ALI_EIP_ASSOCIATING,
    ALI_EIP_IN_USE,
    ALI_EIP_UNASSOCIATING,
};

struct ali_eip {
    char id[KIT_ID];
    struct kit_addr addr;
    enum ali_eip_status status;
    char status_text[24]; /* the cloud's word, for people */
    char holder[KIT_ID];  /* InstanceId: of an ENI, an instance … */
    char type[24];        /* InstanceType: what that is; "" = nothing */
    char mode[16];        /* NAT, BINDED, MULTI_BINDED */
    char private_text[KIT_ADDR_TEXT];
    char region[KIT_ID];
    char charge[16];   /* PostPaid, PrePaid */
    char business[24]; /* Normal, or why it does not serve */
    char lock[24];     /* reason of an operation lock, "" = none */
    bool managed;      /* by a service of the cloud */
};
/* Reads one EipAddress; false without an AllocationId. */
bool ali_eip_decode(const struct kit_json_node *item, struct ali_eip *ret_eip);

/* DescribeEipAddresses of one EIP, ready for kit_call_all. */
void ali_eip_call(struct ali_rpc *r, struct ali_cloud *cloud, const char *id);

/* The EIP of an AllocationId or an address.  KIT_ERR_NOT_FOUND: none in this account and region. */
int ali_eip_find(struct ali_cloud *cloud, const char *id_or_address, struct kit_deadline by,
                 struct ali_eip *ret_eip, struct kit_err *err) KIT_CHECKED;

/* What only warnings want to know, read for plan alone.  What could not be read is in its `…_why`.
 */
struct ali_eip_advice {
    bool asked;
    char local_why[320], local_on[16]; /* rule 24: our host's interface with the EIP, "" = none */
    char room_why[320];                /* 20 */
    size_t enis;                       /* of the instance */
    struct ali_quota quota;            /* of its type */
    char routed_why[320];              /* 23 */
    char gateway[KIT_ID];              /* the VPC's IPv4 gateway that is active, "" = none */
    char table[KIT_ID];                /* of the ENI's vSwitch */
    bool routed;                       /* it has a route to the gateway */
};

/* What this host has to do with it, read for plan alone. */
struct ali_eip_host {
    bool asked;
    char interface[16];       /* of our ENI, "" = not known */
    char why[320];            /* what kept us from knowing */
    char from[KIT_ADDR_TEXT]; /* rule 25: the private address that it maps to, "" = not known */
    bool leads;               /* a rule leads what it sends out by the interface */
    enum kit_dhcp dhcp;       /* 37 */
    char dhcp_by[KIT_DHCP_BY_BYTES];
};

/* One resource, and all that was found out about it: the evidence of the rules. */
struct ali_eip_target {
    struct kit_query *query; /* NULL: nothing to search for */
    struct kit_me me;
    const char *allocation_id;              /* or NULL */
    const struct kit_addr *address;         /* or NULL */
    const struct kit_addr *private_address; /* or NULL */
    enum ali_eip_mode mode;
    const char *region;    /* of the session */
    const char *interface; /* or NULL */
    bool found;
    bool right; /* nothing is to be changed */
    bool keep;  /* it is not to be taken from another one */
    struct ali_eip eip;
    const struct ali_eni *eni; /* ours; NULL = not read */
    /* Of the modes beside NAT, for claims; what was not read is NULL, "" or false. */
    bool gateways_known;
    char gateway[KIT_ID]; /* an IPv4 gateway of the VPC */
    bool others_known;
    size_t others;       /* EIPs on our ENI beside this one */
    char family[KIT_ID]; /* "ecs.g5" */
    char info_gateway[KIT_ADDR_TEXT], info_mask[KIT_ADDR_TEXT]; /* of the EIP, for the guest */
    struct kit_guest guest;                                     /* the same, as numbers */
    bool local_known, local;                                    /* is the EIP on the interface? */
    char eni_why[320]; /* what kept us from reading `eni`, "" = nothing did */
    struct ali_eip_advice advice;
    struct ali_eip_host host;

    /* The calls that tell, while they run; shared between targets. */
    struct ali_rpc *call_search, *call_enis, *call_gateways, *call_others, *call_instance,
        *call_info;
};
/* Is the EIP on our ENI or, for a primary ENI, on our instance: whatever its state and mode? */
bool ali_eip_is_ours(const struct ali_eip *eip, const struct ali_eip_target *t);
/* The private address that it shall map to; false: not known, any of our ENI's will do. */
bool ali_eip_wanted_private(const struct ali_eip_target *t, struct kit_addr *ret_addr);

/* One round of calls for all targets.  Each call keeps its own outcome; what the targets hold of it
 * (`eni`, call_…) is good until ali_eip_round_done. */
struct ali_eip_round {
    struct ali_rpc **r; /* owned, each on its own: targets point at them */
    size_t count;
    struct ali_enis enis;
};
void ali_eip_round(struct ali_cloud *cloud, struct ali_eip_target *t, size_t count,
                   struct kit_deadline by, struct ali_eip_round *ret_round);
void ali_eip_round_done(struct ali_eip_round *round);
/* After the round: its query's facts, or its error.  Blocks until `by` at most. */
void ali_eip_take(struct ali_cloud *cloud, struct ali_eip_target *t, struct kit_deadline by);

/* Asks for one target's advice, after the round.  Never an error; ALI_QUOTA_MS a question at most.
 */
void ali_eip_advise(struct ali_cloud *cloud, struct ali_eip_target *t, struct kit_deadline by);
/* Rules 20, 23, 24. */
enum kit_rule_answer ali_eip_check_room(const void *evidence, struct kit_buf *detail);
enum kit_rule_answer ali_eip_check_gateway(const void *evidence, struct kit_buf *detail);
enum kit_rule_answer ali_eip_check_hidden(const void *evidence, struct kit_buf *detail);

/* The same of this host, without a question to anybody. */
void ali_eip_look_here(struct ali_eip_target *t);
/* Rules 25, 37. */
enum kit_rule_answer ali_eip_check_routes(const void *evidence, struct kit_buf *detail);
enum kit_rule_answer ali_eip_check_dhcp(const void *evidence, struct kit_buf *detail);

#define ALI_EIP_RULES 24
extern const struct kit_rule ali_eip_rules[ALI_EIP_RULES];

/* One EIP, and where it shall go.  Strings are borrowed. */
struct ali_eip_move {
    enum ali_eip_mode mode;
    const char *id; /* AllocationId */
    const char
        *holder;      /* an ENI, an instance for its primary one, a HAVIP; NULL: nobody, only off */
    const char *type; /* of the holder: "NetworkInterface", "EcsInstance", "HaVip" */
    const char *node; /* cut-through: the instance that the ENI is on afterwards */
    const char *from; /* who it may be taken from, "" = nobody */
    char private_text[KIT_ADDR_TEXT]; /* the address it shall map to, "" = the ENI's primary one */
    bool settle; /* be done when it is InUse there; else already when the cloud has accepted it */
    const struct kit_op_ui *ui; /* told what is waited for, or NULL */
};
/* Resumable: what it does next follows from what is seen alone.  NAT and multi: Unassociate (if
 * `from` has it), until Available; Associate.  Cut-through beside that: the ENI is detached before
 * the EIP is bound and attached after it, and comes back when the EIP does not.  Off: until
 * Available.  `seen`: the EIP as just read, NULL = look first.  Waits until `by` at most;
 * KIT_ERR_CONFLICT when another one than `from` has it. */
int ali_eip_move(struct ali_cloud *cloud, const struct ali_eip_move *move,
                 const struct ali_eip *seen, struct kit_deadline by,
                 struct kit_err *err) KIT_CHECKED;
/* UnassociateEipAddress, ready to be run: off the one that has it, named as it was read, so that
 * another one's association is not hit. */
void ali_eip_unassociate(struct ali_rpc *r, struct ali_cloud *cloud, const struct ali_eip *eip);

/* The mover's claim and release (kit/cloud/cloud.h). */
int ali_eip_claim(struct kit_cloud *cloud, const struct kit_settings *settings,
                  const struct kit_facts *facts, struct kit_step step[], size_t count,
                  struct kit_deadline by, struct kit_err *err);
int ali_eip_release(struct kit_cloud *cloud, const struct kit_settings *settings,
                    const struct kit_facts *facts, struct kit_step step[], size_t count,
                    struct kit_deadline by, struct kit_err *err);

#endif
