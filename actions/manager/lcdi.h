/* actions/manager/lcdi.h - LifeKeeper's commands, and what they print.
 *
 * Source: LifeKeeper for Linux, manual pages LCDI-instances(1M), LCDI-relationship(1M),
 * LRACI-perform_action(1M), sendevent(5).  It is proprietary, and was not to be had: formats are
 * those that its manual and its publisher's own scripts show. */
#ifndef ACTIONS_MANAGER_LCDI_H
#define ACTIONS_MANAGER_LCDI_H

#include <stdbool.h>
#include <stddef.h>

#include "kit/base/buf.h"
#include "kit/base/clock.h"

/* The application and the type of our resources; the event that a failed check raises. */
#define ACT_LCDI_APP   "comm"
#define ACT_LCDI_TYPE  "cloudvip"
#define ACT_LCDI_EVENT "cloudvip"

/* LKROOT, or /opt/LifeKeeper. */
const char *act_lcdi_root(void);

/* $LKROOT/bin/NAME is there and may be run. */
bool act_lcdi_has(const char *name);

/* Runs $LKROOT/bin/ARGV[0] with these arguments, as kit_proc_run does; only from a directory that
 * root alone may write, as LKROOT comes from the environment.  *ret_status: one of the statuses of
 * all these commands, act_lcdi_meaning.  KIT_ERR_CONFIG: such a directory, or no such program. */
int act_lcdi_run(const char *const argv[], const struct kit_clock *clock, struct kit_deadline by,
                 struct kit_buf *ret_output, int *ret_status, struct kit_err *err) KIT_CHECKED;
/* As kit_proc_hand_over: for what begins a recovery, which our end must not end. */
int act_lcdi_hand_over(const char *const argv[], const struct kit_clock *clock,
                       struct kit_deadline by, int *ret_status, struct kit_err *err) KIT_CHECKED;

/* LCDI exit codes that are no failure of a step that was to have that end. */
enum {
    ACT_LCDI_EXISTS = 4,
    ACT_LCDI_NOT_THERE = 7,
};
const char *act_lcdi_meaning(int status); /* "an argument is illegal" */

/* The fields of ins_list that are alike in all releases, counted from 0. */
enum act_lcdi_field {
    ACT_LCDI_SYSTEM = 0,
    ACT_LCDI_APPLICATION = 1,
    ACT_LCDI_RESTYPE = 2,
    ACT_LCDI_TAG = 3,
    ACT_LCDI_ID = 4,
    ACT_LCDI_INFO = 5,
    ACT_LCDI_STATE = 6,
};

/* A field in the output of ins_list: separated by byte 0x01, one instance a line; of several lines
 * the one whose tag is `tag`, or the only one.  Appends it to *ret_field; nothing appended: there
 * is no such instance or field, or it is empty.  KIT_ERR_CONFIG: it holds a NUL byte or is longer
 * than *ret_field may be. */
int act_lcdi_field(const char *output, size_t len_bytes, const char *tag,
                   enum act_lcdi_field wanted, struct kit_buf *ret_field,
                   struct kit_err *err) KIT_CHECKED;

#endif
