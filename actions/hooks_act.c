/* actions/hooks_act.c - the points of an action: before it, after it, and where it does not know.
 */
#include <stdlib.h>
#include <string.h>

#include "actions/act.h"
#include "kit/base/str.h"

/* The hooks after an action get at most this part of its time. */
#define RESERVE_PART 5

static int64_t left_ms(const struct act *act, struct kit_deadline by)
{
    return kit_deadline_left_ms(act->clock, by);
}

static struct act_hook_about about_now(const struct act *act, const char *point)
{
    return (struct act_hook_about){.point = point,
                                   .action = act->spec->name,
                                   .caller = act->manager->name,
                                   .settings = &act->settings,
                                   .record = &act->record,
                                   .deadline_ms = left_ms(act, act->by)};
}

void act_hooks_begin(struct act *act)
{
    const struct act_spec *spec = act->spec;
    int64_t limit_ms = 1000 * kit_settings_number(&act->settings, KIT_PARAM_HOOK_TIMEOUT);
    int64_t most_ms = (act->by.at_ns - act->started_ns) / KIT_NS_PER_MS / RESERVE_PART;
    int64_t reserve_ms;
    size_t after = 0;

    act->after_by = act->by;
    act_hooks_open(&act->hooks, &act->settings);
    if (act->hooks.failed)
        act_log_err(&act->log, ACT_HOOK_FAILED, &act->hooks.err);
    for (size_t i = 0; i < act->hooks.count; i++)
        if (!act->hooks.file[i].usable)
            act_log_err(&act->log, ACT_HOOK_FAILED, &act->hooks.file[i].why);
    if (spec->hook_after)
        after += act_hooks_count(&act->hooks, spec->hook_after);
    if (spec->hook_unknown)
        after += act_hooks_count(&act->hooks, spec->hook_unknown);
    reserve_ms = (int64_t)after * limit_ms;
    if (reserve_ms > most_ms)
        reserve_ms = most_ms;
    act->by.at_ns -= reserve_ms * KIT_NS_PER_MS;
    act->choice = (struct act_choice){.hooks = &act->hooks,
                                      .log = &act->log,
                                      .clock = act->clock,
                                      .by = act->by,
                                      .about = about_now(act, NULL)};
}

void act_hooks_end(struct act *act)
{
    act_choice_done(&act->choice);
    act_hooks_done(&act->hooks);
    kit_facts_done(&act->last);
}

void act_hooks_note(struct act *act, const struct kit_facts *facts)
{
    if (!act->spec->hook_after || !act_hooks_count(&act->hooks, act->spec->hook_after))
        return;
    kit_facts_done(&act->last);
    (void)kit_str_copy(act->last.me, sizeof(act->last.me), facts->me);
    (void)kit_str_copy(act->last.my_node, sizeof(act->last.my_node), facts->my_node);
    for (size_t i = 0; i < facts->count; i++)
        *kit_facts_add(&act->last) = facts->binding[i];
    act->seen = true;
}

/* One file at one point: its answer is *answer, whose end is the caller's; a failure is logged. */
static int ask(struct act *act, const struct act_hook_file *file, const char *point,
               const struct kit_buf *facts, struct kit_deadline by, struct klua_answer *answer,
               struct kit_err *err)
{
    const struct act_hook_call call = {.hooks = &act->hooks,
                                       .point = point,
                                       .facts = facts,
                                       .clock = act->clock,
                                       .by = by,
                                       .log = &act->log};
    int rc = act_hook_run(&call, file, answer, err);

    /* What is wrong with the file itself was said when it was read. */
    if (rc && file->usable)
        act_log_err(&act->log, ACT_HOOK_FAILED, err);
    return rc;
}

/* 0 go on, 1 it refuses, -1 it failed. */
static int ask_before(struct act *act, const struct act_hook_file *file, const char *point,
                      struct kit_err *err)
{
    KIT_AUTO(kit_buf) facts = KIT_BUF(KLUA_FACTS_BYTES);
    struct act_hook_about about = about_now(act, point);
    /* However many there are: some time is left for the action. */
    struct kit_deadline by = kit_deadline_in_ms(act->clock, left_ms(act, act->by) / 2);
    KIT_AUTO(klua_answer) answer;
    int verdict;

    act_hook_facts(&about, &facts);
    if (ask(act, file, point, &facts, by, &answer, err))
        return -1;
    verdict = act_hook_verdict(file, point, &answer, err);
    if (verdict < 0)
        act_log_err(&act->log, ACT_HOOK_FAILED, err);
    return verdict;
}

/* remove goes on whatever breaks: a remove that fails halts a LifeKeeper node and fences a
 * Pacemaker one. */
static bool is_strict(const struct act *act)
{
    return !act->spec->must_not_hinder &&
           kit_settings_is(&act->settings, KIT_PARAM_HOOK_FAILURE, "refuse");
}

int act_hooks_before(struct act *act, struct kit_err *err)
{
    const char *point = act->spec->hook_before;

    if (!point)
        return 0;
    if (act->hooks.failed && is_strict(act)) {
        *err = act->hooks.err;
        err->kind = KIT_ERR_HOOK;
        return -1;
    }
    for (size_t i = 0; i < act->hooks.count; i++) {
        const struct act_hook_file *file = &act->hooks.file[i];
        /* One that cannot even be read may have been a guard. */
        bool blind = act_hook_is_blind(file) && is_strict(act);
        int verdict = 0;

        if (act_hook_mentions(file, point) || blind)
            verdict = ask_before(act, file, point, err);
        if (verdict > 0)
            return -1;
        if (verdict < 0 && is_strict(act))
            return kit_err_wrap(err, "hook_failure = refuse");
    }
    return 0;
}

void act_hooks_after(struct act *act, enum act_outcome outcome, int status)
{
    const char *point = act->spec->hook_after;
    KIT_AUTO(kit_buf) facts = KIT_BUF(KLUA_FACTS_BYTES);
    struct act_hook_about about;

    if (!point || !act_hooks_count(&act->hooks, point))
        return;
    about = about_now(act, point);
    about.deadline_ms = left_ms(act, act->after_by);
    about.facts = act->seen ? &act->last : NULL;
    about.err = act->failed ? &act->err : NULL;
    about.outcome = act_outcome_name(outcome);
    about.status = status;
    about.changed = act->changed;
    about.took_ms = (kit_clock_now_ns(act->clock) - act->started_ns) / KIT_NS_PER_MS;
    act_hook_facts(&about, &facts);
    for (size_t i = 0; i < act->hooks.count; i++) {
        KIT_AUTO(klua_answer) answer = {.lines = 0};
        struct kit_err err;

        if (act_hook_mentions(&act->hooks.file[i], point) &&
            ask(act, &act->hooks.file[i], point, &facts, act->after_by, &answer, &err))
            (void)err; /* it was logged, and changes nothing */
    }
}

bool act_hooks_decide(struct act *act, const struct kit_err *why, bool *ret_fail)
{
    const char *point = act->spec->hook_unknown;
    KIT_AUTO(kit_buf) facts = KIT_BUF(KLUA_FACTS_BYTES);
    struct act_hook_about about;

    if (!point || !act_hooks_count(&act->hooks, point))
        return false;
    about = about_now(act, point);
    about.deadline_ms = left_ms(act, act->after_by);
    about.err = why;
    act_hook_facts(&about, &facts);
    for (size_t i = 0; i < act->hooks.count; i++) {
        const struct act_hook_file *file = &act->hooks.file[i];
        KIT_AUTO(klua_answer) answer = {.lines = 0};
        struct kit_err err;
        int opinion = 0;

        if (!act_hook_mentions(file, point) ||
            ask(act, file, point, &facts, act->after_by, &answer, &err))
            continue;
        opinion = act_hook_opinion(file, point, &answer, ret_fail, &err);
        if (opinion < 0)
            act_log_err(&act->log, ACT_HOOK_FAILED, &err);
        if (opinion <= 0)
            continue;
        act_log(&act->log, ACT_HOOK_DECIDED, "%s: %s says %s%s%s", file->name, point,
                *ret_fail ? "fail" : "ok", answer.why[0] ? ": " : "", answer.why);
        return true;
    }
    return false;
}
