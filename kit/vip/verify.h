/* kit/vip/verify.h - after a claim: is it done, or stale, or lost, or taken back?  Pure: looks in,
 * a verdict out.
 *
 * The clouds are eventually consistent, answers get lost, and other nodes claim too.  Binding by
 * binding, a look says:
 * - ours: done;
 * - as before our claim, which the cloud had said yes to: a stale read, or taken back: wait; at the
 *   window's end it is a conflict (that it was seen ours in between changes nothing: the next read
 *   may come from a replica that lags);
 * - as before, and the answer to our claim was lost: it was not applied: claim it again;
 * - a third holder, twice in a row (six times where nobody had it before): another node claimed it
 *   after us: a conflict; we do not fight.
 * "As before" means the same holder by the same handle: an association that was made anew has a new
 * id. */
#ifndef KIT_VIP_VERIFY_H
#define KIT_VIP_VERIFY_H

#include "kit/cloud/cloud.h"
#include "kit/vip/plan.h"

/* How long a stale read is believed possible.  EC2's guide speaks of seconds, rarely more
 * ("Eventual consistency"). */
#define KIT_VERIFY_WINDOW_MS 30000

enum kit_verdict {
    KIT_VERDICT_DONE,
    KIT_VERDICT_WAIT,
    KIT_VERDICT_AGAIN,    /* some claims were lost: kit_verify_trim says which */
    KIT_VERDICT_CONFLICT, /* *err says who has it */
};

struct kit_verify_item {
    char place[KIT_ID];
    char holder[KIT_ID], handle[KIT_ID]; /* before our claim */
    bool acknowledged;                   /* the cloud said yes to our claim */
    bool was_ours;                       /* seen right since */
    char other[KIT_ID];                  /* the last third holder seen … */
    unsigned other_seen;                 /* … in so many looks in a row */
    bool again;
};

struct kit_verify {
    struct kit_verify_item *item;
    size_t count;
};
/* `facts`: those that the first claim was planned on. */
void kit_verify_init(struct kit_verify *verify, const struct kit_facts *facts);
void kit_verify_done(struct kit_verify *verify);

/* A claim was tried: note which steps were acknowledged. */
void kit_verify_claimed(struct kit_verify *verify, const struct kit_plan *plan);

/* `last`: the window or the deadline is over: what would be WAIT is now CONFLICT (KIT_ERR_CONFLICT
 * in *err). */
enum kit_verdict kit_verify_look(struct kit_verify *verify, const struct kit_facts *facts,
                                 bool last, struct kit_err *err);

/* The steps of a plan on the newest facts that are to be claimed again: the others are dropped from
 * it. */
void kit_verify_trim(const struct kit_verify *verify, struct kit_plan *plan);

#endif
