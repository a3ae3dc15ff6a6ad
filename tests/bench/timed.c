/* timed - runs one program and says what it took.
 *
 *     timed OUTPUT SECONDS PROGRAM ARGUMENTS...
 *
 * The program is started directly, with no input, and writes to the file OUTPUT; after SECONDS it
 * is killed.  One line of JSON on standard output says how it ended, how long it took, and what it
 * and all children that were waited for used (getrusage(2)): max_rss_kib is the largest of these
 * processes, not their sum.
 *
 * Why a program, and why so small: ru_maxrss of a new process begins at the size of the one that
 * started it, which for an interpreter is more than the whole of what is measured here. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* 1: wrong usage, or it could not be measured. */
#define FAILED 1

static volatile sig_atomic_t the_child;

/* Its whole process group: what it started goes with it. */
static void kill_child(int number)
{
    (void)number;
    if (the_child > 0)
        (void)kill(-(pid_t)the_child, SIGKILL);
}

static int failed(const char *what, int error)
{
    (void)fprintf(stderr, "timed: %s: %s\n", what, strerror(error));
    return FAILED;
}

static int64_t now_ns(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

static int64_t time_us(const struct timeval *t)
{
    return (int64_t)t->tv_sec * INT64_C(1000000) + t->tv_usec;
}

/* 0, or an error number. */
static int start(const char *output, char **argv, pid_t *ret_pid)
{
    const int flags = O_WRONLY | O_CREAT | O_TRUNC;
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attr;
    int rc;

    if ((rc = posix_spawn_file_actions_init(&files)))
        return rc;
    if ((rc = posix_spawnattr_init(&attr))) {
        (void)posix_spawn_file_actions_destroy(&files);
        return rc;
    }
    rc = posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    if (!rc)
        rc = posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, output, flags, 0600);
    if (!rc)
        rc = posix_spawn_file_actions_adddup2(&files, STDOUT_FILENO, STDERR_FILENO);
    if (!rc)
        rc = posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETPGROUP);
    if (!rc)
        rc = posix_spawn(ret_pid, argv[0], &files, &attr, argv, environ);
    (void)posix_spawnattr_destroy(&attr);
    (void)posix_spawn_file_actions_destroy(&files);
    return rc;
}

static int wait_for(pid_t pid, int *ret_status, struct rusage *ret_used)
{
    while (wait4(pid, ret_status, 0, ret_used) < 0)
        if (errno != EINTR)
            return errno;
    return 0;
}

int main(int argc, char **argv)
{
    static const int deadly[] = {SIGALRM, SIGTERM, SIGINT, SIGHUP};
    struct rusage used;
    int64_t began_ns, wall_ns;
    long seconds;
    char *end;
    pid_t pid;
    int rc, status;

    if (argc < 4 || (seconds = strtol(argv[2], &end, 10)) < 1 || seconds > 3600 || *end) {
        (void)fprintf(stderr, "usage: timed OUTPUT SECONDS PROGRAM ARGUMENTS...\n");
        return FAILED;
    }
    for (size_t i = 0; i < sizeof(deadly) / sizeof(deadly[0]); i++)
        (void)signal(deadly[i], kill_child);

    began_ns = now_ns();
    if ((rc = start(argv[1], argv + 3, &pid)))
        return failed(argv[3], rc);
    the_child = pid;
    (void)alarm((unsigned)seconds);
    if ((rc = wait_for(pid, &status, &used)))
        return failed("wait4", rc);
    wall_ns = now_ns() - began_ns;
    the_child = 0;

    (void)printf(
        "{\"wall_us\": %lld, \"user_us\": %lld, \"system_us\": %lld, \"max_rss_kib\": %ld, "
        "\"minor_faults\": %ld, \"major_faults\": %ld, \"switches\": %ld, "
        "\"status\": %d, \"signal\": %d}\n",
        (long long)(wall_ns / 1000), (long long)time_us(&used.ru_utime),
        (long long)time_us(&used.ru_stime), used.ru_maxrss, used.ru_minflt, used.ru_majflt,
        used.ru_nvcsw + used.ru_nivcsw, WIFEXITED(status) ? WEXITSTATUS(status) : -1,
        WIFSIGNALED(status) ? WTERMSIG(status) : 0);
    return fflush(stdout) ? failed("standard output", errno) : 0;
}
