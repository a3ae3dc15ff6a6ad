/* lua/klua.c - the parent's side: start a child, hear it out, end it in time. */
#include "lua/klua.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kit/base/buf.h"
#include "lua/klua_in.h"

/* How long a killed child may take to vanish; one that hangs in the kernel is left to init. */
#define BURIAL_MS 1000

struct run {
    pid_t pid;
    int fd;
    struct kit_deadline end; /* then it is killed */
    const struct kit_clock *clock;
    struct kit_buf said;
    bool killed, flooded;
    int status; /* of waitpid; meaningless unless `known` */
    bool known;
    int64_t cpu_us;
};

static void run_done(struct run *run)
{
    if (run->fd >= 0)
        (void)close(run->fd);
    kit_buf_done(&run->said);
}

/* The child and what it started: it leads a process group of its own. */
static void end_all(const struct run *run)
{
    (void)kill(-run->pid, SIGKILL);
    (void)kill(run->pid, SIGKILL);
}

static int start(struct run *run, const struct klua_job *job, int64_t stop_ns, struct kit_err *err)
{
    pid_t parent = getpid();
    int fd[2];

    if (pipe2(fd, O_CLOEXEC))
        return kit_err_set(err, KIT_ERR_SYSTEM, "hook %s: pipe", job->name);
    run->pid = fork();
    if (run->pid == 0)
        klua_child_main(job, fd[1], stop_ns, parent);
    if (run->pid < 0)
        (void)kit_err_set(err, KIT_ERR_SYSTEM, "hook %s: fork", job->name);
    (void)close(fd[1]);
    run->fd = fd[0];
    if (run->pid < 0)
        return -1;
    (void)setpgid(run->pid, run->pid); /* both do: whoever comes first */
    return 0;
}

/* Everything that it says, until it ends, says too much, or its time is over. */
static void hear(struct run *run)
{
    char chunk[4096];

    for (;;) {
        struct pollfd fd = {.fd = run->fd, .events = POLLIN};
        int64_t left_ms = kit_deadline_left_ms(run->clock, run->end);
        ssize_t got;

        if (left_ms <= 0) {
            run->killed = true;
            return;
        }
        if (poll(&fd, 1, left_ms > 60000 ? 60000 : (int)left_ms) <= 0)
            continue;
        got = read(run->fd, chunk, sizeof(chunk));
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return;
        if (kit_buf_add(&run->said, chunk, (size_t)got)) {
            run->flooded = true;
            return;
        }
    }
}

static int64_t in_us(struct timeval t)
{
    return (int64_t)t.tv_sec * 1000000 + t.tv_usec;
}

static void bury(struct run *run)
{
    struct kit_deadline by = kit_deadline_in_ms(run->clock, BURIAL_MS);
    struct rusage usage;

    /* It has ended, or must: where its pipe was closed there is nothing more to wait for. */
    end_all(run);
    for (;;) {
        pid_t got = wait4(run->pid, &run->status, WNOHANG, &usage);

        if (got == run->pid) {
            run->known = true;
            run->cpu_us = in_us(usage.ru_utime) + in_us(usage.ru_stime);
            return;
        }
        /* ECHILD: somebody made us deaf to SIGCHLD.  What it said counts all the same. */
        if ((got < 0 && errno != EINTR) || kit_deadline_passed(run->clock, by))
            return;
        run->clock->sleep_ns(run->clock->self, KIT_NS_PER_MS / 10);
    }
}

static int judge(const struct run *run, const struct klua_job *job, struct klua_answer *answer,
                 struct kit_err *err)
{
    const char *point = job->point ? job->point : "the chunk";
    struct kit_err what;
    int rc = klua_answer_read(run->said.data, run->said.len_bytes, answer, &what);

    if (run->flooded)
        rc = kit_err_set(&what, KIT_ERR_HOOK, "it said more than %u bytes and was killed",
                         KLUA_ANSWER_BYTES);
    else if (rc && run->killed)
        (void)kit_err_set(&what, KIT_ERR_HOOK, "killed at its time limit of %lld ms",
                          (long long)job->time_ms);
    else if (rc && what.sys == EPROTO && run->known && WIFSIGNALED(run->status))
        (void)kit_err_set(&what, KIT_ERR_HOOK, "ended by signal %d", WTERMSIG(run->status));
    return rc ? kit_err_set(err, KIT_ERR_HOOK, "%s: %s: %s", job->name, point, what.msg) : 0;
}

int klua_run(const struct klua_job *job, struct klua_answer *answer, struct kit_err *err)
{
    int64_t began_ns = kit_clock_now_ns(job->clock);
    struct run run = {.fd = -1, .clock = job->clock, .said = KIT_BUF(KLUA_ANSWER_BYTES)};
    int64_t stop_ns = began_ns + job->time_ms * KIT_NS_PER_MS;
    int rc;

    memset(answer, 0, sizeof(*answer));
    run.end.at_ns = stop_ns + KLUA_GRACE_MS * KIT_NS_PER_MS;
    if (start(&run, job, stop_ns, err)) {
        run_done(&run);
        return -1;
    }
    hear(&run);
    bury(&run);
    rc = judge(&run, job, answer, err);
    answer->cpu_us = run.cpu_us;
    answer->took_us = (kit_clock_now_ns(job->clock) - began_ns) / 1000;
    run_done(&run);
    return rc;
}
