/* kit/sys/lock.h - one action per address at a time. */
#ifndef KIT_SYS_LOCK_H
#define KIT_SYS_LOCK_H

#include "kit/base/clock.h"
#include "kit/base/err.h"

/* An advisory lock on a file (flock(2)): the kernel lets go of it when the process dies, however it
 * dies. The file stays; it holds the pid and the name of the last holder, for people and for the
 * error message below. */
struct kit_lock {
    int fd; /* -1 = not held */
};
#define KIT_LOCK_NONE ((struct kit_lock){.fd = -1})

/* Blocks until held or `by`; then KIT_ERR_TIMEOUT "PATH is held by restore (pid 4711)".  Not
 * inherited by children. `who`: what to write into it, e.g. "restore". */
int kit_lock_take(const char *path, const char *who, const struct kit_clock *clock,
                  struct kit_deadline by, struct kit_lock *ret_lock,
                  struct kit_err *err) KIT_CHECKED;
void kit_lock_done(struct kit_lock *lock);

#endif
