/* kit/sys/proc.h - run a program: an argument vector, a clean environment, a deadline, a ceiling.
 */
#ifndef KIT_SYS_PROC_H
#define KIT_SYS_PROC_H

#include "kit/base/buf.h"
#include "kit/base/clock.h"
#include "kit/base/err.h"

/* Runs argv[0] (an absolute path) with stdin from /dev/null, stdout appended to *ret_output up to
 * its ceiling, stderr to ours; waits for it until `by`, then kills its process group
 * (KIT_ERR_TIMEOUT). Blocks until it has ended or `by`, never for a descendant that outlived it:
 * what is left of its process group is killed.  No shell.  It dies with us.
 *
 * The child's environment is an allow-list of ours (PATH HOME USER LOGNAME LANG LC_* TZ TMPDIR,
 * LKROOT, the names of AWS and Alibaba profiles, files and regions, proxies unless with a
 * password): no secret of ours is in it.  All other descriptors are closed.
 *
 * *ret_status: exit status, or 128 + signal.  After an error nothing has been appended.
 * Errors: KIT_ERR_SYSTEM (cannot start; names the program), KIT_ERR_TIMEOUT, KIT_ERR_REFUSED
 * (output over the ceiling; killed at once). */
int kit_proc_run(const char *const argv[], const struct kit_clock *clock, struct kit_deadline by,
                 struct kit_buf *ret_output, int *ret_status, struct kit_err *err) KIT_CHECKED;

/* As above for a program that goes on working when we have ended: it gets a session of its own,
 * nothing of it is ever killed, and its output is our stderr.  Waits until `by` for its status,
 * then leaves it running (KIT_ERR_TIMEOUT). */
int kit_proc_hand_over(const char *const argv[], const struct kit_clock *clock,
                       struct kit_deadline by, int *ret_status, struct kit_err *err) KIT_CHECKED;

#endif
