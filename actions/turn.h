/* actions/turn.h - of state changes that overlap, the newest wins.
 *
 * keepalived starts a program at every transition and waits for none: they overlap, and may even
 * begin to run in another order than they were started in.  When they were started decides. */
#ifndef ACTIONS_TURN_H
#define ACTIONS_TURN_H

#include "kit/base/clock.h"
#include "kit/sys/lock.h"
#include "kit/sys/pid.h"

enum act_turn_result {
    ACT_TURN_OURS,  /* nobody else works at it: go on */
    ACT_TURN_NEWER, /* a newer change has come: it does what is to be done */
};

/* Says that `tag` shall become `state`, decided when `started` was started, and waits until that
 * may begin: an older change to another state that is under way is told to end if it does not
 * within `grace_ms` (SIGTERM: every action can be killed at any point; but what it has sent is
 * carried out after its end, too), one to the same state is let finish.
 *
 * Blocks until `by` at most: KIT_ERR_TIMEOUT.  KIT_ERR_SYSTEM, KIT_ERR_CONFIG: the run directory
 * cannot be used; nothing is known of other changes then.  *ret_turn is held until kit_lock_done.
 */
int act_turn_take(const char *tag, const char *state, const struct kit_pid *started,
                  int64_t grace_ms, const struct kit_clock *clock, struct kit_deadline by,
                  enum act_turn_result *ret_result, struct kit_lock *ret_turn,
                  struct kit_err *err) KIT_CHECKED;

#endif
