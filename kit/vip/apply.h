/* kit/vip/apply.h - locate, plan, change, look again: the kit's one procedure, for every mover. */
#ifndef KIT_VIP_APPLY_H
#define KIT_VIP_APPLY_H

#include "kit/cloud/cloud.h"
#include "kit/vip/plan.h"

enum kit_vip_event {
    KIT_VIP_FACTS, /* `facts` were read */
    KIT_VIP_STEP,  /* `step` was tried: its result */
    KIT_VIP_WAIT,  /* the cloud does not show the change yet: looking again */
};
/* Told what happens, for logs and progress; must not block. */
typedef void (*kit_vip_observer_fn)(void *arg, enum kit_vip_event event,
                                    const struct kit_facts *facts, const struct kit_step *step);

/* Takes bindings out of `facts` that are not this resource's to look at; the facts are then judged,
 * planned and changed without them.  Called with each look.  -1 with *err: the look failed. */
typedef int (*kit_vip_filter_fn)(void *arg, struct kit_facts *facts, struct kit_err *err);
/* Makes this host ready for what will be sent to it: called once a claim, when nothing speaks
 * against it and before the first change, also when there is nothing to change.  -1 ends the claim
 * with *err, and nothing was changed. */
typedef int (*kit_vip_ready_fn)(void *arg, const struct kit_facts *facts, struct kit_err *err);

/* What one run works with; all borrowed. */
struct kit_vip {
    struct kit_cloud *cloud;
    const struct kit_mover *mover;
    const struct kit_settings *settings;
    const struct kit_clock *clock;
    struct kit_deadline by;
    kit_vip_observer_fn observer; /* or NULL */
    void *observer_arg;
    kit_vip_ready_fn ready; /* or NULL */
    void *ready_arg;
    kit_vip_filter_fn filter; /* or NULL */
    void *filter_arg;
};

/* Where is it?  `for_claim`: with all that a claim needs to know.  Blocks until vip->by at most. */
int kit_vip_locate(struct kit_vip *vip, bool for_claim, struct kit_facts *ret_facts,
                   struct kit_err *err) KIT_CHECKED;

/* Bring it here, whoever has it, and see it here.  0 only when a look showed it here. *ret_changed:
 * something was sent. Twice is the same as once; killed at any point, a second run finishes.
 * Errors: what locate, plan and the cloud say; KIT_ERR_CONFLICT when another node takes it back;
 * when some bindings moved and others failed, the message says how many, and the observer has heard
 * which. */
int kit_vip_claim(struct kit_vip *vip, bool *ret_changed, struct kit_err *err) KIT_CHECKED;

/* Take what is ours off us, and see it gone.  Bindings of other nodes are not touched.  *ret_held:
 * it is known to be here still (only with an error). */
int kit_vip_release(struct kit_vip *vip, bool *ret_changed, bool *ret_held,
                    struct kit_err *err) KIT_CHECKED;

#endif
