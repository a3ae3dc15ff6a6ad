/* kit/sys/proc.c - run a program: an argument vector, a clean environment, a deadline, a ceiling.
 */
#include "kit/sys/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kit/base/secret.h"
#include "kit/base/str.h"

/* How long at most an exit goes unnoticed when the program left its output open to others, and how
 * long a killed one may take to vanish (one that hangs in the kernel is left to init). */
static const int64_t look_first_ms = 1, look_cap_ms = 50, burial_ms = 1000;

/* ---- environment ----------------------------------------------------------------------------- */

/* Names of things, never the things: no key, token or role session is in this list.  A name that
 * ends in '*' stands for all that begin so. */
/* clang-format off */
static const char *const env_allowed[] = {
    "PATH", "HOME", "USER", "LOGNAME", "LANG", "LC_*", "TZ", "TMPDIR", "LKROOT",
    "AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE",
    "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CA_BUNDLE", "AWS_REGION", "AWS_DEFAULT_REGION",
    "ALIBABA_CLOUD_PROFILE", "ALIBABA_CLOUD_CONFIG_FILE", "ALIBABA_CLOUD_CREDENTIALS_FILE",
    "ALIBABA_CLOUD_OIDC_TOKEN_FILE", "ALIBABA_CLOUD_REGION", "ALIBABA_CLOUD_REGION_ID",
};
/* clang-format on */

/* Allowed unless it holds a '@': then a user name and password stand before it. */
static const char *const env_proxies[] = {
    "http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY",
    "all_proxy",  "ALL_PROXY",  "no_proxy",    "NO_PROXY",
};

static bool is_named(const char *entry, const char *name)
{
    size_t len = strlen(name);

    if (name[len - 1] == '*')
        return strncmp(entry, name, len - 1) == 0;
    return strncmp(entry, name, len) == 0 && entry[len] == '=';
}

static bool may_inherit(const char *entry)
{
    for (size_t i = 0; i < KIT_LEN(env_allowed); i++)
        if (is_named(entry, env_allowed[i]))
            return true;
    for (size_t i = 0; i < KIT_LEN(env_proxies); i++)
        if (is_named(entry, env_proxies[i]))
            return !strchr(entry, '@');
    return false;
}

/* Points into environ; the caller frees the array alone. */
static char **make_env(void)
{
    size_t count = 0, kept = 0;

    while (environ && environ[count])
        count++;
    char **env = kit_mem_new(count + 1, sizeof(*env));
    for (size_t i = 0; i < count; i++)
        if (may_inherit(environ[i]))
            env[kept++] = environ[i];
    return env;
}

/* ---- the child: async-signal-safe calls only ------------------------------------------------- */

struct start {
    char *const *argv;
    char *const *env;
    int out_fd;     /* becomes stdout; -1 = /dev/null does */
    int failure_fd; /* errno goes here when exec fails; exec closes it */
    pid_t parent;
    bool outlives; /* what it starts, and it, go on without us */
};

static void close_from(int first)
{
    struct rlimit limit = {0};

    if (syscall(SYS_close_range, (unsigned)first, ~0U, 0U) == 0)
        return;
    /* Before Linux 5.9.  Ours are all close-on-exec; this is for what we were started with, and
     * bounded, because the limit may be a billion. */
    (void)getrlimit(RLIMIT_NOFILE, &limit);
    int end = limit.rlim_cur < 65536 ? (int)limit.rlim_cur : 65536;
    for (int fd = first; fd < end; fd++)
        (void)close(fd);
}

static void reset_signals(void)
{
    sigset_t none;

    /* Ignored signals would stay ignored over exec; SIGKILL and SIGSTOP refuse, which is right. */
    for (int sig = 1; sig < NSIG; sig++)
        (void)signal(sig, SIG_DFL);
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
}

static _Noreturn void child(const struct start *s)
{
    enum {
        failure_fd = STDERR_FILENO + 1
    };

    if (s->outlives) {
        (void)setsid();
    } else {
        (void)setpgid(0, 0);
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
        if (getppid() != s->parent)
            _exit(127); /* it died before we had asked to be told */
    }
    reset_signals();
    int null_fd = open("/dev/null", O_RDONLY);
    if (null_fd >= 0 && dup2(null_fd, STDIN_FILENO) >= 0 &&
        dup2(s->out_fd >= 0 ? s->out_fd : null_fd, STDOUT_FILENO) >= 0 &&
        (s->failure_fd == failure_fd || dup3(s->failure_fd, failure_fd, O_CLOEXEC) >= 0)) {
        close_from(failure_fd + 1);
        (void)execve(s->argv[0], s->argv, s->env);
        int why = errno;
        if (write(failure_fd, &why, sizeof(why)) < 0)
            _exit(126);
        _exit(127);
    }
    int why = errno;
    if (write(s->failure_fd, &why, sizeof(why)) < 0)
        _exit(126);
    _exit(127);
}

/* ---- the parent ------------------------------------------------------------------------------ */

struct run {
    pid_t pid;
    int out_fd, failure_fd; /* -1 = at its end */
    int start_errno;        /* why exec failed, or 0 */
    struct kit_buf *output; /* NULL = stderr */
};

static void close_fd(int *fd)
{
    int saved_errno = errno;

    if (*fd >= 0)
        (void)close(*fd);
    *fd = -1;
    errno = saved_errno;
}

/* A pipe above stdin, stdout and stderr: we may have been started without these. */
static int make_pipe(int ends[2])
{
    int raw[2];

    if (pipe2(raw, O_CLOEXEC) != 0)
        return -1;
    for (int i = 0; i < 2; i++)
        ends[i] = fcntl(raw[i], F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    close_fd(&raw[0]);
    close_fd(&raw[1]);
    if (ends[0] >= 0 && ends[1] >= 0 && fcntl(ends[0], F_SETFL, O_NONBLOCK) == 0)
        return 0;
    close_fd(&ends[0]);
    close_fd(&ends[1]);
    return -1;
}

/* No signal may run a handler of ours in the child, and none of its own be lost. */
static pid_t fork_child(const struct start *s)
{
    sigset_t all, before;

    (void)sigfillset(&all);
    (void)sigprocmask(SIG_SETMASK, &all, &before);
    pid_t pid = fork();
    if (pid == 0)
        child(s);
    int saved_errno = errno;
    (void)sigprocmask(SIG_SETMASK, &before, NULL);
    if (pid > 0 && !s->outlives)
        (void)setpgid(pid, pid); /* both do, whoever comes first */
    errno = saved_errno;
    return pid;
}

/* Both ends of a pipe; stderr is not ours to close. */
static void close_out(const struct run *run, int out[2])
{
    close_fd(&out[0]);
    if (run->output)
        close_fd(&out[1]);
}

static int start(struct run *run, const char *const argv[])
{
    KIT_AUTOFREE char **env = make_env();
    int out[2] = {-1, fcntl(STDERR_FILENO, F_GETFD) < 0 ? -1 : STDERR_FILENO}, failure[2];

    if (run->output && make_pipe(out) != 0)
        return -1;
    if (make_pipe(failure) != 0) {
        close_out(run, out);
        return -1;
    }
    struct start s = {.env = env,
                      .out_fd = out[1],
                      .failure_fd = failure[1],
                      .parent = getpid(),
                      .outlives = !run->output};
    /* execve's prototype predates const; it does not write to them. */
    memcpy(&s.argv, &argv, sizeof(s.argv));
    run->pid = fork_child(&s);
    close_fd(&failure[1]);
    run->out_fd = out[0];
    out[0] = -1;
    close_out(run, out);
    run->failure_fd = failure[0];
    return run->pid < 0 ? -1 : 0;
}

/* Takes what output there is now: 0, or -1 when it passed the ceiling. */
static int drain(struct run *run)
{
    char chunk[4096];
    int rc = 0;

    while (run->out_fd >= 0) {
        ssize_t got = read(run->out_fd, chunk, sizeof(chunk));
        if (got > 0) {
            rc = kit_buf_add(run->output, chunk, (size_t)got);
            if (rc != 0)
                break;
        } else if (got < 0 && errno == EINTR) {
            continue;
        } else if (got < 0 && errno == EAGAIN) {
            break;
        } else {
            close_fd(&run->out_fd);
        }
    }
    if (run->output && run->output->secret)
        kit_secret_wipe(chunk, sizeof(chunk));
    return rc;
}

static void hear_of_failure(struct run *run)
{
    int why;
    ssize_t got = read(run->failure_fd, &why, sizeof(why));

    if (got == (ssize_t)sizeof(why))
        run->start_errno = why;
    if (got >= 0 || (errno != EAGAIN && errno != EINTR))
        close_fd(&run->failure_fd);
}

/* It stays a zombie, so that its process group cannot become somebody else's before the kill. */
static bool has_ended(const struct run *run)
{
    siginfo_t info = {0};

    return waitid(P_PID, (id_t)run->pid, &info, WEXITED | WNOHANG | WNOWAIT) != 0 ||
           info.si_pid == run->pid;
}

/* kit_poll_fn */
static int is_gone(void *arg, struct kit_err *err)
{
    (void)err;
    return has_ended(arg);
}

/* Kills all that is left of the group, unless it may go on, and takes the exit status; -1 when it
 * cannot be had. */
static int bury(struct run *run)
{
    static const struct kit_poll policy = {.first_ms = 1, .cap_ms = 50};
    struct kit_deadline by = kit_deadline_in_ms(&kit_clock_real, burial_ms);
    struct kit_err ignored;
    int status;
    pid_t got;

    if (run->output) {
        (void)kill(-run->pid, SIGKILL);
        (void)kill(run->pid, SIGKILL);
    }
    if (kit_poll_until(&policy, &kit_clock_real, by, is_gone, run, &ignored) != 0)
        return -1;
    do
        got = waitpid(run->pid, &status, WNOHANG);
    while (got < 0 && errno == EINTR);
    if (got != run->pid)
        return -1;
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* Until it has ended; -1 with the reason to kill it. */
static int attend(struct run *run, const char *program, const struct kit_clock *clock,
                  struct kit_deadline by, struct kit_err *err)
{
    int64_t look_ms = look_first_ms;

    for (;;) {
        bool ended = has_ended(run); /* before the last drain, or its last words would be lost */
        if (run->failure_fd >= 0)
            hear_of_failure(run);
        if (drain(run) != 0)
            return kit_err_set(err, KIT_ERR_REFUSED, "%s: its output is larger than %zu bytes",
                               program, run->output->max_bytes);
        if (ended)
            return 0;
        int64_t left_ms = kit_deadline_left_ms(clock, by);
        if (left_ms == 0)
            return kit_err_set(err, KIT_ERR_TIMEOUT, "%s did not end in time", program);
        struct pollfd fds[2] = {{.fd = run->out_fd, .events = POLLIN},
                                {.fd = run->failure_fd, .events = POLLIN}};
        /* The end of its output mostly means that its own is near. */
        if (poll(fds, KIT_LEN(fds), (int)(look_ms < left_ms ? look_ms : left_ms)) > 0)
            look_ms = look_first_ms;
        else
            look_ms = look_ms * 2 < look_cap_ms ? look_ms * 2 : look_cap_ms;
    }
}

static int run_started(struct run *run, const char *program, const struct kit_clock *clock,
                       struct kit_deadline by, int *ret_status, struct kit_err *err)
{
    int rc = attend(run, program, clock, by, err);
    int status = rc != 0 && !run->output ? -1 : bury(run);

    if (rc != 0)
        return -1;
    errno = run->start_errno;
    if (run->start_errno != 0)
        return kit_err_set(err, KIT_ERR_SYSTEM, "cannot start %s", program);
    errno = ECHILD;
    if (status < 0)
        return kit_err_set(err, KIT_ERR_SYSTEM, "%s: its exit status is lost", program);
    *ret_status = status;
    return 0;
}

static int run_program(struct run *run, const char *const argv[], const struct kit_clock *clock,
                       struct kit_deadline by, int *ret_status, struct kit_err *err)
{
    struct sigaction before, usual = {.sa_handler = SIG_DFL};
    int rc;

    if (!argv[0] || argv[0][0] != '/') {
        errno = EINVAL;
        return kit_err_set(err, KIT_ERR_SYSTEM, "cannot start %s: no absolute path",
                           argv[0] ? argv[0] : "nothing");
    }
    /* A manager may have started us with SIGCHLD ignored: exit statuses would be lost. */
    (void)sigaction(SIGCHLD, NULL, &before);
    bool deaf = before.sa_handler == SIG_IGN || (before.sa_flags & SA_NOCLDWAIT);
    if (deaf)
        (void)sigaction(SIGCHLD, &usual, NULL);
    if (start(run, argv) == 0)
        rc = run_started(run, argv[0], clock, by, ret_status, err);
    else
        rc = kit_err_set(err, KIT_ERR_SYSTEM, "cannot start %s", argv[0]);
    close_fd(&run->out_fd);
    close_fd(&run->failure_fd);
    if (deaf)
        (void)sigaction(SIGCHLD, &before, NULL);
    return rc;
}

int kit_proc_run(const char *const argv[], const struct kit_clock *clock, struct kit_deadline by,
                 struct kit_buf *ret_output, int *ret_status, struct kit_err *err)
{
    struct run run = {.pid = -1, .out_fd = -1, .failure_fd = -1, .output = ret_output};
    size_t before_bytes = ret_output->len_bytes;

    if (run_program(&run, argv, clock, by, ret_status, err) == 0)
        return 0;
    kit_buf_cut(ret_output, before_bytes);
    return -1;
}

int kit_proc_hand_over(const char *const argv[], const struct kit_clock *clock,
                       struct kit_deadline by, int *ret_status, struct kit_err *err)
{
    struct run run = {.pid = -1, .out_fd = -1, .failure_fd = -1};

    return run_program(&run, argv, clock, by, ret_status, err);
}
