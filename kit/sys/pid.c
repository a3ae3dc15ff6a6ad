/* kit/sys/pid.c - processes that are told apart for sure. */
#include "kit/sys/pid.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "kit/base/str.h"
#include "kit/sys/file.h"

#define STAT_BYTES 4096 /* about 400 are usual */
/* Half of the smallest kernel.pid_max: what is further apart has begun again. */
#define PID_HALF 16384

enum {
    FIELD_AFTER_NAME = 3,
    FIELD_STARTTIME = 22
};

bool kit_pid_parse_stat(const char *text, int64_t *ret_ticks)
{
    const char *at = strrchr(text, ')'), *word;
    char number[24];
    size_t len;

    if (!at)
        return false;
    at++;
    for (int field = FIELD_AFTER_NAME; kit_str_word(&at, " \n", &word, &len); field++) {
        if (field < FIELD_STARTTIME)
            continue;
        if (len >= sizeof(number))
            return false;
        memcpy(number, word, len);
        number[len] = '\0';
        return kit_str_to_int(number, 0, INT64_MAX, ret_ticks);
    }
    return false;
}

static int read_ticks(int pid, int64_t *ret_ticks, struct kit_err *err)
{
    KIT_AUTO(kit_buf) text = KIT_BUF(STAT_BYTES);
    char path[40];

    (void)kit_str_format(path, sizeof(path), "/proc/%d/stat", pid);
    if (kit_file_read(path, KIT_FILE_ANY, &text, err))
        return -1;
    if (!kit_pid_parse_stat(text.data, ret_ticks)) {
        errno = EINVAL;
        return kit_err_set(err, KIT_ERR_SYSTEM, "%s says no start time", path);
    }
    return 0;
}

int kit_pid_self(struct kit_pid *ret_pid, struct kit_err *err)
{
    struct kit_pid self = {.pid = (int)getpid()};

    if (read_ticks(self.pid, &self.ticks, err))
        return -1;
    *ret_pid = self;
    return 0;
}

bool kit_pid_is_later(const struct kit_pid *a, const struct kit_pid *b)
{
    int apart = a->pid - b->pid;

    if (a->ticks != b->ticks)
        return a->ticks > b->ticks;
    return apart > PID_HALF ? false : apart < -PID_HALF ? true : apart > 0;
}

bool kit_pid_terminate(const struct kit_pid *pid)
{
    struct kit_err err;
    int64_t ticks = -1;
    bool sent = false;

    if (pid->pid <= 1)
        return false;
    /* Opened first and looked at afterwards: what the descriptor stands for cannot be another one
     * by then. */
    int fd = (int)syscall(SYS_pidfd_open, pid->pid, 0);
    if (fd < 0 && errno != ENOSYS)
        return false;
    if (read_ticks(pid->pid, &ticks, &err) == 0 && ticks == pid->ticks)
        sent = fd >= 0 ? syscall(SYS_pidfd_send_signal, fd, SIGTERM, NULL, 0) == 0
                       : kill(pid->pid, SIGTERM) == 0;
    if (fd >= 0)
        (void)close(fd);
    return sent;
}

bool kit_pid_runs(const char *name)
{
    DIR *all = opendir("/proc");
    const struct dirent *entry;
    bool found = false;

    while (all && !found && (entry = readdir(all)) != NULL) {
        KIT_AUTO(kit_buf) comm = KIT_BUF(64);
        char path[300];
        struct kit_err ended; /* meanwhile */

        if (entry->d_name[strspn(entry->d_name, "0123456789")] != '\0')
            continue;
        (void)kit_str_format(path, sizeof(path), "/proc/%s/comm", entry->d_name);
        found = !kit_file_read(path, KIT_FILE_ANY, &comm, &ended) &&
                kit_str_eq(kit_str_trim(comm.data), name);
    }
    if (all)
        (void)closedir(all);
    return found;
}
