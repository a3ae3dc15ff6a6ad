/* actions/manager/lifekeeper.h - LifeKeeper for Linux: ins_list, /etc/default/LifeKeeper, 0 and 1.
 */
#ifndef ACTIONS_MANAGER_LIFEKEEPER_H
#define ACTIONS_MANAGER_LIFEKEEPER_H

#include "actions/manager/manager.h"
#include "kit/base/buf.h"

/* Recognised when we run from below $LKROOT (/opt/LifeKeeper when that is not set), or when LKROOT
 * is set and -t and -i were given.
 *
 * Overlay: the info field of `ins_list -t TAG`.  Where that cannot be asked, the files are used,
 * and ACT_NO_INFO is logged.
 *
 * Exit statuses: 0 for ACT_OUT_RIGHT.  quickCheck and remove also answer 0 to UNKNOWN, CONFIG and
 * DENIED: what cannot be asked is no failure of the resource, and LifeKeeper halts a node whose
 * remove fails during a failover.  1 for all else. */
extern const struct act_manager act_manager_lifekeeper;

/* The pure parts, for tests. */

/* The info field (the sixth) in the output of ins_list: fields separated by byte 0x01, any number
 * of them from seven on, one instance a line; of several the one whose fourth field is `tag`, or
 * the only one.  Appends it to *ret_info; nothing appended: there is none, or it is empty.
 * KIT_ERR_CONFIG: it holds a NUL byte or is longer than *ret_info may be. */
int act_lifekeeper_find_info(const char *output, size_t len_bytes, const char *tag,
                             struct kit_buf *ret_info, struct kit_err *err) KIT_CHECKED;

/* The value of `name` in a file of shell assignments (NAME=value, `export NAME=value`, either
 * quote, # comments; the last one counts, nothing is expanded).  False: it is not there, or does
 * not fit. */
bool act_lifekeeper_tunable(const char *text, const char *name, char *ret_value,
                            size_t value_bytes);

#endif
