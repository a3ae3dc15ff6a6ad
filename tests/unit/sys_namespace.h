/* tests/unit/sys_namespace.h - a network of the test's own: two namespaces with a cable between. */
#ifndef TESTS_UNIT_SYS_NAMESPACE_H
#define TESTS_UNIT_SYS_NAMESPACE_H

#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "kit/base/buf.h"
#include "kit/base/clock.h"
#include "kit/base/mem.h"
#include "kit/base/str.h"
#include "kit/sys/proc.h"

#define HERE_MAC  "02:00:5e:00:53:01"
#define THERE_MAC "02:00:5e:00:53:02"

/* v0 is here and v1 there; -1 = not to be had. */
static int here_fd = -1, there_fd = -1;

static inline bool tell_kernel(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);

    if (fd < 0)
        return false;
    bool done = write(fd, text, strlen(text)) == (ssize_t)strlen(text);
    close(fd);
    return done;
}

/* For those who are not root: a user namespace in which we are. */
static inline bool own_network(void)
{
    char users[40], groups[40];

    if (unshare(CLONE_NEWNET) == 0)
        return true;
    return kit_str_format(users, sizeof(users), "0 %u 1", (unsigned)geteuid()) &&
           kit_str_format(groups, sizeof(groups), "0 %u 1", (unsigned)getegid()) &&
           unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0 && tell_kernel("/proc/self/uid_map", users) &&
           tell_kernel("/proc/self/setgroups", "deny") && tell_kernel("/proc/self/gid_map", groups);
}

/* Runs the program here; its status, its output in *output (may be NULL). */
static inline int run_program(const char *const argv[], struct kit_buf *output)
{
    KIT_AUTO(kit_buf) own = KIT_BUF(4000);
    struct kit_err err;
    int status = -1;

    if (kit_proc_run(argv, &kit_clock_real, kit_deadline_in_ms(&kit_clock_real, 30000),
                     output ? output : &own, &status, &err) != 0)
        fail_msg("%s", err.msg);
    return status;
}

static inline void enter(int namespace_fd)
{
    assert_int_equal(setns(namespace_fd, CLONE_NEWNET), 0);
}

/* Until the child has entered the other namespace, `ip` would put v1 here. */
static inline bool waits_elsewhere(pid_t child)
{
    char path[40], its[64], ours[64];
    ssize_t n = readlink("/proc/self/ns/net", ours, sizeof(ours));

    (void)kit_str_format(path, sizeof(path), "/proc/%d/ns/net", (int)child);
    for (int i = 0; i < 1000; i++) {
        ssize_t m = readlink(path, its, sizeof(its));
        if (m > 0 && (m != n || memcmp(its, ours, (size_t)n) != 0))
            return true;
        usleep(10000);
    }
    return false;
}

/* `ip` takes the number of a process for its namespace: one that waits there for its end. */
static inline bool lay_cable(void)
{
    char pid[12];
    const char *const add[] = {"/sbin/ip", "link",  "add",  "v0",   "address", HERE_MAC,
                               "type",     "veth",  "peer", "name", "v1",      "address",
                               THERE_MAC,  "netns", pid,    NULL};
    const char *const up_here[] = {"/sbin/ip", "link", "set", "v0", "up", NULL};
    const char *const up_there[] = {"/sbin/ip", "link", "set", "v1", "up", NULL};
    pid_t child = fork();

    if (child < 0)
        return false;
    if (child == 0) {
        if (setns(there_fd, CLONE_NEWNET) == 0)
            for (;;)
                pause();
        _exit(1);
    }
    (void)kit_str_format(pid, sizeof(pid), "%d", (int)child);
    bool done =
        waits_elsewhere(child) && run_program(add, NULL) == 0 && run_program(up_here, NULL) == 0;
    if (done) {
        enter(there_fd);
        done = run_program(up_there, NULL) == 0;
        enter(here_fd);
    }
    (void)kill(child, SIGKILL);
    (void)waitpid(child, NULL, 0);
    return done;
}

/* The group's set-up.  Where it cannot be had, tests that need it are skipped. */
static inline int make_network(void **state)
{
    (void)state;
    if (access("/sbin/ip", X_OK) != 0 || !own_network())
        return 0;
    there_fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    if (unshare(CLONE_NEWNET) != 0)
        return 0;
    here_fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    if (there_fd >= 0 && here_fd >= 0 && !lay_cable())
        here_fd = -1;
    return 0;
}

static inline void need_network(void)
{
    if (here_fd >= 0)
        return;
    print_message("# skip: needs network namespaces, veth and ip: interfaces are made\n");
    skip();
}

#endif
