/* actions/validate.h - would these settings do?  Changes nothing, and takes no lock. */
#ifndef ACTIONS_VALIDATE_H
#define ACTIONS_VALIDATE_H

#include "actions/act.h"

enum act_validate_depth {
    ACT_VALIDATE_SETTINGS, /* alone: no network, nothing of this host */
    ACT_VALIDATE_CLOUD, /* this host's interface, credentials, and what restore would be refused for
                         */
};

/* Reads the settings of act->call.tag and judges them; a restore from here would go through, as far
 * as `depth` can tell.  `act` was made with act_init, and is ended with act_done; it keeps and logs
 * the failure.  Blocks for the spec's timeout or the manager's limit at most.
 * ACT_OUT_RIGHT, or what act_fail says. */
enum act_outcome act_validate(struct act *act, enum act_validate_depth depth);

/* A spec for act_init: the log's name of what is done, and quickCheck's timeout. */
#define ACT_VALIDATE_SPEC(name_)                                                                   \
    {                                                                                              \
        .name = (name_), .timeout = KIT_PARAM_QUICKCHECK_TIMEOUT, .max_tries = ACT_TRIES_CHECK,    \
        .changes_nothing = true                                                                    \
    }

#endif
