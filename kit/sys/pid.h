/* kit/sys/pid.h - a process for sure: its pid and when it started, as pids are used again. */
#ifndef KIT_SYS_PID_H
#define KIT_SYS_PID_H

#include <stdbool.h>
#include <stdint.h>

#include "kit/base/err.h"

struct kit_pid {
    int pid; /* 0 = nobody */
    int64_t
        ticks; /* of its start, in clock ticks since boot (proc(5): /proc/PID/stat, starttime) */
};

/* Our own.  It survives exec.  KIT_ERR_SYSTEM: /proc cannot be read. */
int kit_pid_self(struct kit_pid *ret_pid, struct kit_err *err) KIT_CHECKED;

/* Started after `b`, on one host since one boot.  Within one tick (10 ms) the pids decide, which
 * the kernel gives out in order, beginning again behind the last one. */
bool kit_pid_is_later(const struct kit_pid *a, const struct kit_pid *b);

/* Sends SIGTERM if that very process is there still; true when it was.  Does not wait for its end.
 * Twice is the same as once. */
bool kit_pid_terminate(const struct kit_pid *pid);

/* Does a process of that name run (proc(5): /proc/PID/comm, 15 characters of it)?  false also where
 * /proc does not tell. */
bool kit_pid_runs(const char *name);

/* Field 22 of a line of /proc/PID/stat; for tests.  The second field may hold anything, ')' too. */
bool kit_pid_parse_stat(const char *text, int64_t *ret_ticks);

#endif
