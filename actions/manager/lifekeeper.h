/* actions/manager/lifekeeper.h - LifeKeeper for Linux: ins_list, /etc/default/LifeKeeper, 0 and 1.
 */
#ifndef ACTIONS_MANAGER_LIFEKEEPER_H
#define ACTIONS_MANAGER_LIFEKEEPER_H

#include "actions/manager/manager.h"

/* Recognised when we run from below $LKROOT (/opt/LifeKeeper when that is not set), or when LKROOT
 * is set and -t and -i were given.
 *
 * Overlay: the info field of `ins_list -t TAG`.  Where that cannot be asked, the files are used,
 * and ACT_NO_INFO is logged; but a check to which it does not answer is KIT_ERR_TRANSIENT.
 *
 * Exit statuses: 0 for ACT_OUT_RIGHT.  quickCheck and remove also answer 0 to UNKNOWN, CONFIG and
 * DENIED: what cannot be asked is no failure of the resource, and LifeKeeper halts a node whose
 * remove fails during a failover.  1 for all else.
 *
 * Below $LKROOT/subsys/comm/resources/cloudvip, as a type of its own, a check that found the
 * address lost also raises the event: sendevent -C cloudvip -E cloudvip -m TAG -n TAG, if the
 * resource is in service.  Elsewhere LifeKeeper concludes from the status (gen/app).
 *
 * Limits: CLOUDVIP_<ACTION>_TIMEOUT less a tenth; a check also has less than LKCHECKINTERVAL, and
 * as gen/app less than the 22 s after which LifeKeeper kills it. */
extern const struct act_manager act_manager_lifekeeper;

/* The pure part, for tests. */

/* The value of `name` in a file of shell assignments (NAME=value, `export NAME=value`, either
 * quote, # comments; the last one counts, nothing is expanded).  False: it is not there, or does
 * not fit. */
bool act_lifekeeper_tunable(const char *text, const char *name, char *ret_value,
                            size_t value_bytes);

#endif
