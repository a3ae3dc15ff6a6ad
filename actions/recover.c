/* actions/recover.c - the address was lost while in service: move it back here, or let the manager
 * fail over. */
#include "actions/act.h"

const struct act_spec act_recover = {
    .name = "recover",
    .does = "move a lost address back to this node",
    .run = act_bring_here,
    .timeout = KIT_PARAM_RECOVER_TIMEOUT,
    .hook_before = "pre_recover",
    .hook_after = "post_recover",
    .max_tries = ACT_TRIES_UNTIL_DEADLINE,
};
