/* kit/cloud/egress.h - an instance with a public address of its own that leaves through its VPC's
 * NAT gateway and is still reached by that address: what a cloud knows of it, and the changes it
 * takes.  `cloudvip egress` (actions/ctl/egress.h) makes a procedure of them. */
#ifndef KIT_CLOUD_EGRESS_H
#define KIT_CLOUD_EGRESS_H

#include "kit/cloud/cloud.h"
#include "kit/cloud/ops.h"

/* What is asked for; all borrowed. */
struct kit_egress_wish {
    const char *instance; /* NULL: this host's */
    const char *eip;      /* id or address; NULL: the one that the instance or the ENI has */
    const char *eni;      /* NULL: the one with the name that this procedure gives */
    /* Of an ENI that is to be created. */
    const char *vswitch;            /* NULL: the instance's */
    char *const *group;             /* security groups, NULL-terminated; NULL: the instance's */
    const struct kit_addr *address; /* its primary private one; NULL: any */
    bool judge;                     /* also read what only the rules ask about, and judge */
};

/* One SNAT entry may have several addresses. */
#define KIT_EGRESS_SNAT_TEXT 256

/* "" and false: not so, or not there. */
struct kit_egress_facts {
    char instance[KIT_ID];
    bool here;                       /* it is the one that this runs on */
    char static_ip[KIT_ADDR_TEXT];   /* its static public address */
    char primary[KIT_ID];            /* its primary ENI */
    char primary_eip[KIT_ADDR_TEXT]; /* the EIP on it */
    struct {
        char id[KIT_ID], address[KIT_ADDR_TEXT], status[24];
        bool on_primary; /* bound to the instance, whatever its state */
        bool on_eni;     /* bound to our ENI in NAT mode, and at rest */
    } eip;
    struct {
        char id[KIT_ID], ip[KIT_ADDR_TEXT], mac[18], vswitch[KIT_ID], node[KIT_ID];
        bool attached; /* to the instance, and at rest */
    } eni;
    struct {
        char id[KIT_ID], gateway[KIT_ID];
        char ip[KIT_EGRESS_SNAT_TEXT]; /* separated by commas */
        bool available;
    } snat; /* the entry that the instance's primary ENI leaves by */
    /* What the creation of an ENI would take, for people. */
    char new_vswitch[KIT_ID], new_groups[200];
    /* With wish.judge: rules that are broken, and that could not be checked. */
    struct kit_breach breach[KIT_BREACHES], unknown[KIT_BREACHES];
    size_t breaches, unknowns;
};

/* The changes, in their order.  */
enum kit_egress_change {
    KIT_EGRESS_CONVERT, /* the static public address to an EIP; cannot be undone */
    KIT_EGRESS_CREATE,  /* the ENI */
    KIT_EGRESS_ATTACH,  /* it to the instance */
    KIT_EGRESS_UNBIND,  /* the EIP off the instance */
    KIT_EGRESS_BIND,    /* it to the ENI, in NAT mode */
    KIT_EGRESS_CHANGES,
};

#define KIT_EGRESS_TOKEN 65
struct kit_egress_job {
    const struct kit_egress_wish *wish;
    const struct kit_egress_facts *facts; /* as just read */
    const char *token; /* CREATE: a random text of at most 64 characters that was kept before; the
                        * same one again creates no second ENI */
    const struct kit_op_ui *ui;
    struct kit_deadline by;
};

struct kit_egress {
    const char *absent; /* why there is no such procedure at this provider; then nothing else is */
    const struct kit_permission *permissions;
    size_t permissions_count;
    const struct kit_rule *rules;
    size_t rules_count;
    /* Reads only.  A rule that is broken is no error, but in facts->breach.  KIT_ERR_NOT_FOUND: no
     * such instance, ENI or EIP; KIT_ERR_CONFIG: two ENIs have the name. */
    int (*look)(struct kit_cloud *cloud, const struct kit_egress_wish *wish, struct kit_deadline by,
                struct kit_egress_facts *ret_facts, struct kit_err *err);
    /* Each is done when it returns 0: states between were waited for.  Done already, nothing is
     * sent.  Killed at any point, it can be run again.  Blocks until job->by at most. */
    int (*change[KIT_EGRESS_CHANGES])(struct kit_cloud *cloud, const struct kit_egress_job *job,
                                      struct kit_err *err);
};

#endif
