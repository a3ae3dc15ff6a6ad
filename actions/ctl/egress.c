#include "actions/ctl/egress.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/random.h>

#include "kit/base/str.h"
#include "kit/fmt/hex.h"
#include "kit/sys/lock.h"

/* A change that was accepted, and is not shown yet. */
static const struct kit_poll looks = {.first_ms = 200, .cap_ms = 2000};

static int check_rules(const struct ctl_egress *e, struct kit_err *err)
{
    return kit_rules_refuse(e->facts.breach, e->facts.breaches, KIT_ERR_STATE, err);
}

/* ---- what is remembered ---------------------------------------------------------------------- */

/* Before a step, so that what it makes or takes away is found again. */
static int remember(struct ctl_egress *e, size_t step, struct kit_err *err)
{
    unsigned char bytes[16];
    char hex[2 * sizeof(bytes) + 1];

    if (e->facts.eni.id[0]) {
        (void)kit_str_copy(e->state.eni, sizeof(e->state.eni), e->facts.eni.id);
        e->state.token[0] = '\0';
    }
    if (e->facts.eip.id[0])
        (void)kit_str_copy(e->state.eip, sizeof(e->state.eip), e->facts.eip.id);
    /* The first steps are the cloud's changes, in their order. */
    if (step == KIT_EGRESS_CREATE && !e->state.token[0]) {
        if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
            return kit_err_set(err, KIT_ERR_SYSTEM, "getrandom");
        (void)kit_hex(bytes, sizeof(bytes), hex);
        (void)kit_str_format(e->state.token, sizeof(e->state.token), "cloudvip-%s", hex);
    }
    if (!ctl_egress_state_write(&e->state, err))
        return 0;
    return kit_err_wrap(err, "remember what this is about");
}

/* A creation that was refused for good left nothing that its token could lead to. */
static void forget(struct ctl_egress *e, const struct kit_err *why)
{
    struct kit_err ignored;

    if (!e->state.token[0] || why->outcome_open || kit_err_retryable(why) ||
        why->kind == KIT_ERR_TIMEOUT)
        return;
    e->state.token[0] = '\0';
    (void)!ctl_egress_state_write(&e->state, &ignored);
}

/* ---- a step ---------------------------------------------------------------------------------- */

struct wait {
    struct ctl_egress *e;
    const struct ctl_egress_step *step;
};

static int is_shown(void *arg, struct kit_err *err)
{
    const struct wait *w = arg;

    if (ctl_egress_look(w->e, false, err))
        return -1;
    return w->step->state(w->e) != CTL_EGRESS_OPEN;
}

static int wait_until_shown(struct ctl_egress *e, const struct ctl_egress_step *step,
                            struct kit_err *err)
{
    struct wait w = {e, step};
    int rc = kit_poll_until(&looks, e->ctl->clock, e->by, is_shown, &w, err);

    if (rc && err->kind == KIT_ERR_TIMEOUT)
        return kit_err_wrap(err, "the cloud said yes, and does not show it: run this again");
    return rc;
}

static void renew_deadline(struct ctl_egress *e)
{
    e->by = kit_deadline_in_ms(e->ctl->clock,
                               1000 * kit_settings_number(&e->settings, KIT_PARAM_RESTORE_TIMEOUT));
}

static void say(const struct ctl_egress *e, size_t n, const char *word)
{
    KIT_AUTO(kit_buf) text = KIT_BUF(1024);

    if (e->ctl->json)
        return;
    ctl_egress_steps[n].describe(e, &text);
    (void)printf("%zu  %-5s  %s\n", n + 1, word, text.data);
    (void)fflush(stdout);
}

/* A person's no is no failure of the step: nothing of it was done. */
static int ask(struct ctl_egress *e, size_t n, struct kit_err *err)
{
    const struct ctl_egress_step *step = &ctl_egress_steps[n];
    KIT_AUTO(kit_buf) text = KIT_BUF(1024);
    bool yes;

    if (!step->why_ask)
        return 0;
    step->describe(e, &text);
    e->talk.why = step->why_ask;
    yes = e->talk.ui.confirm(e->talk.ui.arg, text.data);
    renew_deadline(e);
    return yes ? 0
               : kit_err_set(err, KIT_ERR_REFUSED,
                             "not confirmed: nothing of step %zu was done; run this again to go on",
                             n + 1);
}

/* The world may have changed since the plan, and a person's answer may have taken its time. */
static int check_again(struct ctl_egress *e, size_t n, struct kit_err *err)
{
    if (ctl_egress_steps[n].at_once && n && e->did[n - 1])
        return 0;
    return ask(e, n, err) || ctl_egress_look(e, true, err) || check_rules(e, err) ? -1 : 0;
}

static int do_step(struct ctl_egress *e, size_t n, struct kit_err *err)
{
    const struct ctl_egress_step *step = &ctl_egress_steps[n];
    int rc;

    if (check_again(e, n, err))
        return -1;
    if (step->state(e) != CTL_EGRESS_OPEN) {
        say(e, n, "done");
        return 0;
    }
    if (remember(e, n, err))
        return -1;
    say(e, n, "begun");
    rc = step->act(e, err);
    if (rc)
        forget(e, err);
    else
        rc = wait_until_shown(e, step, err);
    ctl_ops_talk_end(&e->talk);
    if (rc)
        return -1;
    e->did[n] = true;
    say(e, n, "done");
    return remember(e, CTL_EGRESS_STEPS - 1, err);
}

static int fail(const struct ctl_egress *e, struct kit_err *err)
{
    const struct kit_egress_facts *f = &e->facts;

    if (f->eip.id[0] && !f->eip.on_primary && !f->eip.on_eni)
        (void)kit_err_wrap(err,
                           "%s is out of reach now: run this again, or put it back with `cloudvip "
                           "eip bind %s --instance %s`",
                           f->eip.address, f->eip.id, f->instance);
    return kit_err_wrap(err, "step %zu (%s)", e->at + 1, ctl_egress_steps[e->at].name);
}

/* What was changed has been asked about by the step itself; here the whole is judged. */
static int test(struct ctl_egress *e, struct kit_err *err)
{
    size_t n = CTL_EGRESS_STEPS - 1;
    KIT_AUTO(kit_buf) text = KIT_BUF(1024);

    ctl_egress_ask_echo(e);
    ctl_egress_steps[n].describe(e, &text);
    if (ctl_egress_steps[n].state(e) == CTL_EGRESS_OPEN)
        return kit_err_set(err, KIT_ERR_STATE, "it is not as it should be: %s", text.data);
    if (ctl_egress_steps[n].state(e) == CTL_EGRESS_UNKNOWN)
        return kit_err_set(err, KIT_ERR_TRANSIENT, "whether it is as it should be is not known: %s",
                           e->echo[0] && !e->echoed ? e->echo : e->nic_why);
    say(e, n, e->facts.here ? "done" : "seen");
    return 0;
}

static int do_steps(struct ctl_egress *e, struct kit_err *err)
{
    for (e->at = 0; e->at + 1 < CTL_EGRESS_STEPS; e->at++) {
        renew_deadline(e);
        switch (ctl_egress_steps[e->at].state(e)) {
        case CTL_EGRESS_DONE: continue;
        case CTL_EGRESS_NOT_HERE: say(e, e->at, "there"); continue;
        case CTL_EGRESS_OPEN:
        case CTL_EGRESS_UNKNOWN: break;
        }
        if (do_step(e, e->at, err))
            return fail(e, err);
    }
    renew_deadline(e);
    if (test(e, err))
        return fail(e, err);
    e->at = CTL_EGRESS_STEPS;
    return 0;
}

/* ---- unify ----------------------------------------------------------------------------------- */

/* Before anything is changed: is there somebody to answer what will be asked? */
static int check_asked(const struct ctl_egress *e, struct kit_err *err)
{
    if (e->common[CTL_OPS_YES].text || ctl_ops_can_ask())
        return 0;
    for (size_t i = 0; i < CTL_EGRESS_STEPS; i++)
        if (ctl_egress_steps[i].why_ask && ctl_egress_steps[i].state(e) == CTL_EGRESS_OPEN)
            return kit_err_set(err, KIT_ERR_USAGE,
                               "step %zu is to be asked for, and there is no terminal: say --yes",
                               i + 1);
    return 0;
}

static int take_lock(struct ctl_egress *e, struct kit_lock *lock, struct kit_err *err)
{
    char path[4096];

    return ctl_egress_state_lock(e->facts.instance, path, sizeof(path), err)
               ? -1
               : kit_lock_take(path, "egress unify", e->ctl->clock,
                               kit_deadline_in_ms(e->ctl->clock, 1000), lock, err);
}

static int unify(struct ctl_egress *e, struct kit_err *err)
{
    KIT_AUTO(kit_lock) lock = KIT_LOCK_NONE;

    if (ctl_egress_look_first(e, err))
        return -1;
    if (!e->ctl->json)
        ctl_egress_print(e);
    ctl_ops_warn(e->facts.breach, e->facts.breaches, e->facts.unknown, e->facts.unknowns);
    if (check_rules(e, err))
        return -1;
    if (e->common[CTL_OPS_DRY_RUN].text)
        return 0;
    if (check_asked(e, err) || take_lock(e, &lock, err))
        return -1;
    /* The terminal may hang on the address that step 4 takes away: its end is not ours. */
    (void)signal(SIGHUP, SIG_IGN);
    (void)signal(SIGPIPE, SIG_IGN);
    return do_steps(e, err);
}

static enum ctl_status run_unify(struct ctl_egress *e)
{
    enum ctl_status status = CTL_RIGHT;
    struct kit_err err;
    int rc = unify(e, &err);

    ctl_ops_talk_end(&e->talk);
    if (rc)
        status = ctl_ops_status_of(&err);
    if (e->ctl->json)
        ctl_egress_json(e, "unify", status, rc ? &err : NULL);
    if (rc)
        ctl_complain("egress unify", &err);
    return status;
}

/* ---- status ---------------------------------------------------------------------------------- */

static enum ctl_status judge(const struct ctl_egress *e)
{
    enum ctl_status status = CTL_RIGHT;

    for (size_t i = 0; i < CTL_EGRESS_STEPS; i++) {
        switch (ctl_egress_steps[i].state(e)) {
        case CTL_EGRESS_OPEN: status = ctl_worse(status, CTL_WRONG); break;
        case CTL_EGRESS_UNKNOWN: status = ctl_worse(status, CTL_UNKNOWN); break;
        case CTL_EGRESS_DONE:
        case CTL_EGRESS_NOT_HERE: break;
        }
    }
    return status;
}

static enum ctl_status run_status(struct ctl_egress *e)
{
    enum ctl_status status;
    struct kit_err err;

    if (ctl_egress_look_first(e, &err)) {
        status = ctl_ops_status_of(&err);
        if (status == CTL_WRONG) /* what is asked about is not there, or could not be asked */
            status = err.kind == KIT_ERR_NOT_FOUND ? CTL_WRONG : CTL_UNKNOWN;
        if (e->ctl->json)
            ctl_egress_json(e, "status", status, &err);
        ctl_complain("egress status", &err);
        return status;
    }
    ctl_egress_ask_echo(e);
    status = judge(e);
    if (e->ctl->json)
        ctl_egress_json(e, "status", status, NULL);
    else
        ctl_egress_print(e);
    return status;
}

/* ---- the command ----------------------------------------------------------------------------- */

static int open_session(struct ctl_egress *e, struct kit_err *err)
{
    if (act_session_open_provider(&e->settings, e->ctl->clock, ACT_TRIES_UNTIL_DEADLINE, e->by,
                                  &e->session, err))
        return -1;
    e->cloud = e->session.provider->egress;
    if (!e->cloud || e->cloud->absent)
        return kit_err_set(err, KIT_ERR_REFUSED, "there is no such procedure here: %s",
                           e->cloud ? e->cloud->absent : e->session.provider->name);
    e->wish = (struct kit_egress_wish){
        .instance = e->value[CTL_EGRESS_INSTANCE].text,
        .vswitch = e->value[CTL_EGRESS_VSWITCH].text,
        .group = e->value[CTL_EGRESS_GROUP].list,
        .address = e->value[CTL_EGRESS_ADDRESS].text ? &e->value[CTL_EGRESS_ADDRESS].addr : NULL,
    };
    return 0;
}

static int read_words(struct ctl_egress *e, struct kit_err *err)
{
    const struct kit_op_table table[] = {
        {ctl_ops_common, CTL_OPS_COMMON, e->common},
        {ctl_egress_options, e->unifies ? CTL_EGRESS_OPTIONS : CTL_EGRESS_ENI, e->value}};

    if (kit_op_parse(table, KIT_LEN(table), e->ctl->tag + 1, e->ctl->tags - 1, KIT_OP_WHOLE, err))
        return -1;
    if (e->value[CTL_EGRESS_ENI].text &&
        (e->value[CTL_EGRESS_VSWITCH].text || e->value[CTL_EGRESS_GROUP].text))
        return kit_err_set(err, KIT_ERR_USAGE,
                           "--eni names one that is there; --vswitch and --security-group are for "
                           "one that is to be created");
    return 0;
}

static enum ctl_status run(struct ctl_egress *e)
{
    enum ctl_status status;
    struct kit_err err;

    if (read_words(e, &err))
        return ctl_fail(e->ctl, &err);
    if (e->common[CTL_OPS_HELP].text) {
        ctl_egress_usage(stdout);
        return CTL_RIGHT;
    }
    if (ctl_ops_settings(e->ctl, e->common, &e->settings, &err))
        return ctl_fail(e->ctl, &err);
    renew_deadline(e);
    ctl_ops_talk_begin(&e->talk, e->ctl->clock, e->common[CTL_OPS_YES].text);
    if (open_session(e, &err)) {
        status = ctl_ops_status_of(&err);
        (void)ctl_fail(e->ctl, &err);
    } else {
        status = e->unifies ? run_unify(e) : run_status(e);
    }
    act_session_done(&e->session);
    kit_settings_done(&e->settings);
    return status;
}

int ctl_egress(struct ctl *ctl)
{
    struct ctl_egress e = {.ctl = ctl, .at = CTL_EGRESS_STEPS};
    const char *verb = ctl->tags ? ctl->tag[0] : NULL;
    enum ctl_status status;

    if (kit_str_eq(verb, "--help")) {
        ctl_egress_usage(stdout);
        return CTL_RIGHT;
    }
    if (!kit_str_eq(verb, "unify") && !kit_str_eq(verb, "status")) {
        struct kit_err err;

        ctl_egress_usage(stderr);
        (void)kit_err_set(&err, KIT_ERR_USAGE, "egress: unify or status?");
        return (int)ctl_fail(ctl, &err);
    }
    e.unifies = kit_str_eq(verb, "unify");
    status = run(&e);
    kit_op_values_done(e.common, CTL_OPS_COMMON);
    kit_op_values_done(e.value, CTL_EGRESS_OPTIONS);
    return (int)status;
}
