/* kit/sys/lock.c - one action per address at a time. */
#include "kit/sys/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kit/base/str.h"

/* An action takes seconds: waiting for its end to 50 ms is close enough and costs nothing. */
static const struct kit_poll patience = {.first_ms = 2, .cap_ms = 50};

struct attempt {
    const char *path;
    int fd;
};

static void drop(struct attempt *a)
{
    if (a->fd >= 0)
        (void)close(a->fd);
    a->fd = -1;
}

static int open_lock(struct attempt *a, struct kit_err *err)
{
    struct stat st;

    a->fd = open(a->path, O_CREAT | O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK, 0600);
    if (a->fd < 0 || fstat(a->fd, &st) != 0)
        return kit_err_set(err, KIT_ERR_SYSTEM, "lock %s", a->path);
    if (!S_ISREG(st.st_mode))
        return kit_err_set(err, KIT_ERR_CONFIG, "%s is not a regular file", a->path);
    return 0;
}

/* kit_poll_fn */
static int try_lock(void *arg, struct kit_err *err)
{
    struct attempt *a = arg;
    struct stat st;

    if (a->fd < 0 && open_lock(a, err) != 0)
        return -1;
    if (flock(a->fd, LOCK_EX | LOCK_NB) != 0) {
        if (errno == EWOULDBLOCK || errno == EINTR)
            return 0;
        return kit_err_set(err, KIT_ERR_SYSTEM, "lock %s", a->path);
    }
    if (fstat(a->fd, &st) != 0)
        return kit_err_set(err, KIT_ERR_SYSTEM, "lock %s", a->path);
    /* Deleted under us: the others lock its successor, and so must we. */
    if (st.st_nlink == 0) {
        drop(a);
        return 0;
    }
    return 1;
}

/* The file is ours by mode, but it is read like any other: bounded, and each part checked. */
static int held_by(const struct attempt *a, struct kit_err *err)
{
    char text[80];
    int64_t pid;
    ssize_t got = a->fd >= 0 ? pread(a->fd, text, sizeof(text) - 1, 0) : -1;

    text[got > 0 ? got : 0] = '\0';
    char *end = strchr(text, '\n');
    char *who = strchr(text, ' ');
    if (end && who && who < end) {
        *end = '\0';
        *who++ = '\0';
        if (kit_str_to_int(text, 1, INT32_MAX, &pid))
            return kit_err_set(err, KIT_ERR_TIMEOUT, "%s is held by %s (pid %d)", a->path, who,
                               (int)pid);
    }
    return kit_err_set(err, KIT_ERR_TIMEOUT, "%s is held by another process", a->path);
}

static int sign(const struct attempt *a, const char *who, struct kit_err *err)
{
    char text[80];

    if (!kit_str_format(text, sizeof(text), "%d %.40s\n", (int)getpid(), who) ||
        ftruncate(a->fd, 0) != 0 || pwrite(a->fd, text, strlen(text), 0) < 0)
        return kit_err_set(err, KIT_ERR_SYSTEM, "write %s", a->path);
    return 0;
}

int kit_lock_take(const char *path, const char *who, const struct kit_clock *clock,
                  struct kit_deadline by, struct kit_lock *ret_lock, struct kit_err *err)
{
    struct attempt a = {.path = path, .fd = -1};

    if (kit_poll_until(&patience, clock, by, try_lock, &a, err) != 0) {
        if (err->kind == KIT_ERR_TIMEOUT)
            (void)held_by(&a, err);
        drop(&a);
        return -1;
    }
    if (sign(&a, who, err) != 0) {
        drop(&a);
        return -1;
    }
    ret_lock->fd = a.fd;
    return 0;
}

void kit_lock_done(struct kit_lock *lock)
{
    if (lock->fd < 0)
        return;
    /* Let go explicitly: a child that was just forked may still share the descriptor. */
    (void)flock(lock->fd, LOCK_UN);
    (void)close(lock->fd);
    lock->fd = -1;
}
