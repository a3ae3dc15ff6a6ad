/* actions/local.h - an action's part on this host: the address on the interface (kit/vip/local.h),
 * and what of it is logged. */
#ifndef ACTIONS_LOCAL_H
#define ACTIONS_LOCAL_H

#include "kit/vip/apply.h"
#include "kit/vip/local.h"

struct act;

/* Where a run stands with it. */
struct act_local {
    struct kit_local at;
    bool known;       /* `at` is where the address is to be; else nothing is done on this host */
    bool awaited;     /* the cloud tells the address when it points here */
    bool added;       /* this run put it there */
    bool may_be_here; /* this run sent a claim, and no look since has shown that it came to nothing
                       */
};

/* kit_vip_ready_fn: the interface is up and has the address, or is to have it from the mover. */
int act_local_ready(void *arg, const struct kit_facts *facts, struct kit_err *err);
/* The interface that the settings name is up where something is to be served by it, and exists
 * where another program puts the address there.  Before the cloud is asked: it may be the way
 * there. */
int act_local_ready_nic(struct act *act, struct kit_err *err) KIT_CHECKED;
/* For kit_vip_observer_fn: keeps may_be_here. */
void act_local_observe(struct act *act, enum kit_vip_event event, const struct kit_facts *facts,
                       const struct kit_step *step);
/* The claim was seen: puts up what was awaited.  KIT_ERR_TRANSIENT: the cloud does not tell it yet.
 * Blocks for a look at the cloud. */
int act_local_follow(struct act *act, struct kit_err *err) KIT_CHECKED;
/* The claim was seen: tells the segment, unless nothing is new. */
void act_local_announce(struct act *act);
/* The claim failed: what this run put up comes down again, unless the cloud may point here. */
void act_local_undo(struct act *act);

/* In service, and not on its interface: nothing is served here, whatever the cloud says. */
bool act_local_lost(struct act *act);

/* Takes it off this host; needs neither cloud nor settings, only the record.  False: it is up
 * still, or may be (logged, act->err is set). */
bool act_local_withdraw(struct act *act);
/* Is there something that act_local_withdraw would take off? */
bool act_local_held(struct act *act);

#endif
