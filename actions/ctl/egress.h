/* actions/ctl/egress.h - `cloudvip egress unify` and `status`: an instance with a public address of
 * its own leaves through its VPC's NAT gateway and is still reached by that address.
 *
 * Seven steps (egress_steps.c, a table): each is looked at, said, done, and looked at again;
 * whoever stops in between runs it again.  What is done is always seen, never remembered. */
#ifndef ACTIONS_CTL_EGRESS_H
#define ACTIONS_CTL_EGRESS_H

#include "actions/ctl/egress_state.h"
#include "actions/ctl/nic.h"
#include "actions/ctl/ops.h"

enum ctl_egress_option {
    CTL_EGRESS_INSTANCE,
    CTL_EGRESS_EIP,
    CTL_EGRESS_ECHO,
    CTL_EGRESS_ENI, /* this and what follows is for unify alone */
    CTL_EGRESS_VSWITCH,
    CTL_EGRESS_GROUP,
    CTL_EGRESS_ADDRESS,
    CTL_EGRESS_NO_PERSIST,
    CTL_EGRESS_OPTIONS,
};

/* How it is with a step. */
enum ctl_egress_state_of_step {
    CTL_EGRESS_OPEN,
    CTL_EGRESS_DONE,
    CTL_EGRESS_NOT_HERE, /* only the instance itself can tell, and do it */
    CTL_EGRESS_UNKNOWN,  /* it could not be asked */
};

#define CTL_EGRESS_STEPS 7
struct ctl_egress {
    struct ctl *ctl;
    struct kit_op_value common[CTL_OPS_COMMON], value[CTL_EGRESS_OPTIONS];
    struct kit_settings settings;
    struct act_session session;
    const struct kit_egress *cloud;
    struct kit_egress_wish wish;
    struct ctl_egress_state state;
    struct ctl_ops_talk talk;
    struct kit_deadline by; /* of what is done next: a person's answer costs nothing of it */
    /* The last look. */
    struct kit_egress_facts facts;
    bool unifies;       /* else it is only looked at */
    char interface[16]; /* of the ENI on this host, "" = there is none */
    bool has_nic;       /* it was looked at; else nic_why says what kept us */
    struct ctl_nic_look nic;
    char nic_why[256];
    char echo[200]; /* what the echo service said, or why not; "" = was not asked */
    bool echoed, echo_fits;
    /* What came of it. */
    bool changed;
    bool did[CTL_EGRESS_STEPS];
    size_t at; /* of the step that failed; CTL_EGRESS_STEPS = none */
};

struct ctl_egress_step {
    const char *name; /* for JSON and people: "convert" */
    enum ctl_egress_state_of_step (*state)(const struct ctl_egress *e);
    /* What is, or what will be done; with its reasons. */
    void (*describe)(const struct ctl_egress *e, struct kit_buf *out);
    /* What to ask before, and why; NULL = nothing. */
    const char *why_ask;
    bool at_once; /* right behind the step before it: the address is out of reach */
    int (*act)(struct ctl_egress *e, struct kit_err *err);
};
/* In their order; the number of a step is its index and one. */
extern const struct ctl_egress_step ctl_egress_steps[CTL_EGRESS_STEPS];

/* For the first time: without --instance the cloud has to say first who we are. */
int ctl_egress_look_first(struct ctl_egress *e, struct kit_err *err) KIT_CHECKED;
/* Cloud and host, with the rules where `judge`.  Blocks until e->by at most. */
int ctl_egress_look(struct ctl_egress *e, bool judge, struct kit_err *err) KIT_CHECKED;

/* By which address this host leaves, where --echo-url was given. */
void ctl_egress_ask_echo(struct ctl_egress *e);

/* ---- egress_host.c --------------------------------------------------------------------------- */

/* This host's side, where it is the instance and the ENI is attached. */
void ctl_egress_host_look(struct ctl_egress *e);
/* Sets the ENI's interface up: step 6.  Waits for the guest to show it.  Blocks until e->by at
 * most.
 */
int ctl_egress_host_setup(struct ctl_egress *e, struct kit_err *err) KIT_CHECKED;

/* ---- egress_steps.c -------------------------------------------------------------------------- */

/* Does it leave by the SNAT entry and is it reached by the EIP?  As far as that is seen. */
bool ctl_egress_leaves(const struct ctl_egress *e);
bool ctl_egress_reached(const struct ctl_egress *e);

/* ---- egress_show.c --------------------------------------------------------------------------- */

void ctl_egress_usage(FILE *out);
/* How it is now: two lines, and the steps. */
void ctl_egress_print(const struct ctl_egress *e);
/* The one object of --json; `err` NULL: it went well. */
void ctl_egress_json(const struct ctl_egress *e, const char *verb, enum ctl_status status,
                     const struct kit_err *err);

extern const struct kit_op_param ctl_egress_options[CTL_EGRESS_OPTIONS];

#endif
