/* actions/manager/keepalived.c - keepalived. */
#include "actions/manager/keepalived.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <syslog.h>
#include <unistd.h>

#include "actions/turn.h"
#include "kit/base/str.h"

/* An instance stands for a handful of addresses. */
#define TAGS_MAX 32
/* An older change that was told to end does so at once; one to the same state may take its
 * restore_timeout. */
#define TURN_MS 300000
/* What a release has sent is carried out after its end, too: it is seen to its end, which takes a
 * second or two, or the restore would find an address here that is about to go.  The other way
 * round nothing is waited for: this host must not go on claiming what it is to let go of. */
#define RELEASE_MS INT64_C(3000)

const struct act_spec *act_keepalived_action(const char *state, bool *ret_known)
{
    /* MASTER_RX_LOWER_PRI: another node was master beside us, and may have taken the address. */
    static const struct {
        const char *state;
        const struct act_spec *spec;
    } states[] = {
        {"MASTER", &act_restore},  {"MASTER_RX_LOWER_PRI", &act_restore},
        {"BACKUP", &act_remove},   {"FAULT", &act_remove},
        {"STOP", &act_remove},     {"DELETED", &act_remove},
        {"MASTER_PRIORITY", NULL}, {"BACKUP_PRIORITY", NULL},
    };

    *ret_known = true;
    for (size_t i = 0; i < KIT_LEN(states); i++)
        if (kit_str_eq(states[i].state, state))
            return states[i].spec;
    *ret_known = false;
    return NULL;
}

struct notice {
    const char *tag[TAGS_MAX];
    size_t tags;
    const char *type, *name, *state;
    const struct act_spec *spec;
    struct kit_pid started;
    bool ordered; /* `started` is known */
    const char *argv0;
};

/* keepalived throws away what its scripts print: syslog has to know. */
static struct act_log log_of(const char *action, const char *tag)
{
    return (struct act_log){.action = action,
                            .tag = tag,
                            .to_syslog = true,
                            .facility = LOG_DAEMON,
                            .ident = act_manager_keepalived.ident};
}

static int usage(void)
{
    const struct act_log log = log_of("notify", NULL);

    act_log(&log, ACT_USAGE, ACT_KEEPALIVED_USAGE);
    return 1;
}

static bool parse(char *const words[], struct notice *n)
{
    for (; words[0] && kit_str_eq(words[0], "-t"); words += 2) {
        if (!words[1] || n->tags == TAGS_MAX)
            return false;
        n->tag[n->tags++] = words[1];
    }
    if (!words[0] || !words[1] || !words[2])
        return false;
    n->type = words[0];
    n->name = words[1];
    n->state = words[2];
    if (n->tags == 0)
        n->tag[n->tags++] = n->name;
    return kit_str_eq(n->type, "GROUP") || kit_str_eq(n->type, "INSTANCE");
}

/* True when this change is still wanted. */
static bool take_turn(const struct notice *n, const struct act_log *log, const char *tag,
                      struct kit_lock *turn, int *ret_status)
{
    struct kit_deadline by = kit_deadline_in_ms(&kit_clock_real, TURN_MS);
    int64_t grace_ms = n->spec == &act_restore ? RELEASE_MS : 0;
    enum act_turn_result result;
    struct kit_err err;

    if (!n->ordered)
        return true;
    if (act_turn_take(tag, n->spec->name, &n->started, grace_ms, &kit_clock_real, by, &result, turn,
                      &err)) {
        *ret_status = 1;
        act_log_err(log, ACT_NO_TURN, &err);
        return err.kind != KIT_ERR_TIMEOUT; /* better out of order than not at all */
    }
    *ret_status = 0;
    if (result == ACT_TURN_OURS)
        return true;
    act_log(log, ACT_SUPERSEDED, "%s %s is %s: a newer change has come", n->type, n->name,
            n->state);
    return false;
}

static int run_one(const struct notice *n, const char *tag)
{
    const struct act_args args = {
        .tag = tag, .argv0 = n->argv0, .manager = &act_manager_keepalived};
    const struct act_log log = log_of(n->spec->name, tag);
    struct kit_lock turn = KIT_LOCK_NONE;
    int status = 1;

    act_log(&log, ACT_TRANSITION, "%s %s is %s", n->type, n->name, n->state);
    if (take_turn(n, &log, tag, &turn, &status))
        status = act_run(n->spec, &args);
    kit_lock_done(&turn);
    return status;
}

/* Side by side: one address that takes its time must not keep the others waiting. */
static int run_all(const struct notice *n)
{
    pid_t child[TAGS_MAX] = {0};
    int worst = 0;

    if (n->tags == 1)
        return run_one(n, n->tag[0]);
    for (size_t i = 0; i < n->tags; i++) {
        child[i] = fork();
        if (child[i] == 0)
            _exit(run_one(n, n->tag[i]));
        if (child[i] < 0)
            worst |= run_one(n, n->tag[i]);
    }
    for (size_t i = 0; i < n->tags; i++) {
        int status;
        if (child[i] > 0 && (waitpid(child[i], &status, 0) != child[i] || status != 0))
            worst = 1;
    }
    return worst;
}

int act_keepalived_notify(char *const words[], const char *argv0)
{
    struct notice n = {.argv0 = argv0};
    struct kit_err err;
    sigset_t none;
    bool known;

    /* keepalived is a daemon with signals of its own. */
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    (void)signal(SIGCHLD, SIG_DFL);
    (void)signal(SIGTERM, SIG_DFL);
    if (!parse(words, &n))
        return usage();
    n.spec = act_keepalived_action(n.state, &known);
    if (!n.spec)
        return known ? 0 : usage();
    n.ordered = kit_pid_self(&n.started, &err) == 0;
    return run_all(&n);
}

/* ---- the manager ----------------------------------------------------------------------------- */

static bool recognise(const struct act_call *call)
{
    (void)call;
    return false;
}

static int exit_status(const struct act_call *call, const struct act_end *end)
{
    /* The next MASTER takes it over, whatever kept us from letting go of it. */
    bool removes = kit_str_eq(call->action, "remove");

    switch (end->outcome) {
    case ACT_OUT_RIGHT: return 0;
    case ACT_OUT_UNKNOWN:
    case ACT_OUT_CONFIG:
    case ACT_OUT_DENIED: return removes ? 0 : 1;
    case ACT_OUT_WRONG:
    case ACT_OUT_USAGE: return 1;
    }
    return 1;
}

static int facility(const struct act_call *call)
{
    (void)call;
    return LOG_DAEMON;
}

const struct act_manager act_manager_keepalived = {
    .name = "keepalived",
    .recognise = recognise,
    .exit_status = exit_status,
    .facility = facility,
    .to_syslog = true,
    .ident = "cloudvip",
};
