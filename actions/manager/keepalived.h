/* actions/manager/keepalived.h - keepalived: what its notify scripts do.
 *
 * Source: keepalived.conf(5), "notify". */
#ifndef ACTIONS_MANAGER_KEEPALIVED_H
#define ACTIONS_MANAGER_KEEPALIVED_H

#include "actions/act.h"

/* Never recognised by itself: cloudvip-notify says so.  Exit statuses: 0; 1 when the address could
 * not be brought here, or is certainly still here.  Log: syslog's daemon, and stderr. */
extern const struct act_manager act_manager_keepalived;

#define ACT_KEEPALIVED_USAGE                                                                       \
    "usage: cloudvip-notify [-t TAG]... {GROUP|INSTANCE} NAME {MASTER|BACKUP|FAULT|STOP} PRIORITY"

/* `cloudvip-notify [-t TAG]... TYPE NAME STATE PRIORITY`, the last four as keepalived appends them
 * to `notify`: TYPE is GROUP or INSTANCE, NAME is the resource where no TAG is given.  MASTER
 * restores, BACKUP, FAULT, STOP and DELETED remove; a state that keepalived tells for other
 * purposes is 0 and nothing done.  Several resources are worked at side by side.  `words` is
 * NULL-terminated and does not hold the program's name.  Returns the exit status. */
int act_keepalived_notify(char *const words[], const char *argv0);

/* The action of a state: NULL with *ret_known = nothing to do; NULL without = no such state. */
const struct act_spec *act_keepalived_action(const char *state, bool *ret_known);

#endif
