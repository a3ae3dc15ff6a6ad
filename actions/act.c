#include "actions/act.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kit/base/secret.h"
#include "kit/base/str.h"
#include "kit/conf/check.h"
#include "kit/fmt/json.h"

/* Until the settings are read there is no timeout parameter: asking the cluster manager for them
 * gets this long. */
#define SETTINGS_MS INT64_C(15000)

const struct act_spec *const act_specs[] = {&act_restore, &act_remove, &act_quick_check,
                                            &act_recover, NULL};

const char *act_confdir(const char *option)
{
    const char *dir = option ? option : getenv("CLOUDVIP_CONFDIR");

    return dir && dir[0] ? dir : KIT_CONF_DIR;
}

/* ---- what the actions use -------------------------------------------------------------------- */

/* Which message an error deserves; act_outcome_of says what it amounts to. */
static enum act_message message_of(const struct kit_err *err)
{
    switch (err->kind) {
    case KIT_ERR_CONFIG:
    case KIT_ERR_NOT_FOUND: return ACT_CONFIG;
    case KIT_ERR_AUTH:
    case KIT_ERR_DENIED: return ACT_DENIED;
    case KIT_ERR_CONFLICT: return ACT_CONFLICT;
    case KIT_ERR_TIMEOUT: return ACT_TIMEOUT;
    case KIT_ERR_HOOK: return ACT_HOOK_REFUSED;
    case KIT_ERR_THROTTLED:
    case KIT_ERR_TRANSIENT: return ACT_UNKNOWN_PASSING;
    default: return ACT_FAILED;
    }
}

enum act_outcome act_fail(struct act *act, const struct kit_err *err)
{
    /* A precondition that the facts do not meet: said apart from a file that is wrong. */
    bool refused = err->kind == KIT_ERR_CONFIG && act->where[0] && !act->changed;

    act->failed = true;
    act->err = *err;
    act_log_err(&act->log, refused ? ACT_REFUSED : message_of(err), err);
    return act_outcome_of(err);
}

enum act_outcome act_unknown(struct act *act, const struct kit_err *err)
{
    enum act_outcome outcome = act_outcome_of(err);
    bool passing = outcome == ACT_OUT_UNKNOWN;

    act->failed = true;
    act->unknown = true;
    act->err = *err;
    act_log_err(&act->log, passing ? ACT_UNKNOWN_PASSING : ACT_UNKNOWN_PERSON, err);
    /* Whatever kept us from asking, where the address is stays unknown; only causes that a person
     * must cure keep their name. */
    return outcome == ACT_OUT_WRONG ? ACT_OUT_UNKNOWN : outcome;
}

static void log_step(struct act *act, const struct kit_facts *facts, const struct kit_step *step)
{
    KIT_AUTO(kit_buf) text = KIT_BUF(512);

    kit_plan_describe(step, facts, &text);
    switch (step->result) {
    case KIT_STEP_PENDING: break;
    case KIT_STEP_DONE: act_log(&act->log, ACT_STEP_DONE, "%s", text.data); break;
    case KIT_STEP_OPEN:
        act_log(&act->log, ACT_STEP_OPEN, "%s: no clear answer, looking again: %s", text.data,
                step->err.msg);
        break;
    case KIT_STEP_FAILED:
        act_log(&act->log, ACT_STEP_FAILED, "%s: %s", text.data, step->err.msg);
        break;
    }
}

static void observe(void *arg, enum kit_vip_event event, const struct kit_facts *facts,
                    const struct kit_step *step)
{
    struct act *act = arg;

    act_local_observe(act, event, facts, step);
    if (event == KIT_VIP_FACTS) {
        KIT_AUTO(kit_buf) line = KIT_BUF(sizeof(act->where) - sizeof(" ..."));
        kit_where_describe(facts, &line);
        (void)kit_str_format(act->where, sizeof(act->where), "%s%s", line.data,
                             line.overflow ? " ..." : "");
        kit_str_make_printable(act->where);
        act->record.checked_s = kit_clock_wall_ns(act->clock) / KIT_NS_PER_S;
        (void)kit_str_copy(act->record.facts, sizeof(act->record.facts), act->where);
        act_hooks_note(act, facts);
    } else if (event == KIT_VIP_STEP) {
        log_step(act, facts, step);
    } else if (act->waits++ == 0 || act->args->verbose) {
        act_log(&act->log, ACT_WAITING, "the cloud does not show the change yet, looking again: %s",
                act->where);
    }
}

struct kit_vip act_vip(struct act *act)
{
    bool chosen = act_choice_is_wanted(&act->hooks);

    return (struct kit_vip){.cloud = act->session.cloud,
                            .mover = act->session.mover,
                            .settings = &act->settings,
                            .clock = act->clock,
                            .by = act->by,
                            .observer = observe,
                            .observer_arg = act,
                            .ready = act_local_ready,
                            .ready_arg = act,
                            .filter = chosen ? act_choose : NULL,
                            .filter_arg = &act->choice};
}

int act_open(struct act *act, struct kit_err *err)
{
    int rc = act_session_open(&act->settings, act->clock, act->spec->max_tries, act->by,
                              &act->session, err);

    act->incomplete = act->session.incomplete;
    return rc;
}

void act_close(struct act *act)
{
    kit_call_stats_add(&act->spent, &act->session.caller.stats);
    act_session_done(&act->session);
}

/* ---- settings, deadline, lock, record -------------------------------------------------------- */

static void tell_broken_files(struct act *act, const struct kit_conf *conf)
{
    for (size_t i = 0; i < kit_conf_broken_count(conf); i++)
        act_log_err(&act->log, ACT_BROKEN_FILE, kit_conf_broken(conf, i));
}

static int read_settings(struct act *act, struct kit_deadline by, struct kit_err *err)
{
    struct kit_conf *conf;
    struct kit_overlay *overlay = NULL;
    size_t count = 0;
    int rc;

    if (kit_conf_check_tag(act->call.tag, err) ||
        kit_conf_load(act_confdir(act->args->confdir), &conf, err))
        return -1;
    rc = act->manager->overlay
             ? act->manager->overlay(&act->call, act->clock, by, &overlay, &count, err)
             : 0;
    if (!rc)
        rc = kit_conf_settings(conf, act->call.tag, overlay, count, &act->settings, err);
    if (!rc)
        tell_broken_files(act, conf);
    kit_conf_words_free(overlay, count);
    kit_conf_free(conf);
    return rc;
}

/* Its timeout parameter or the manager's own limit less a tenth, whichever ends first. */
static void set_deadline(struct act *act)
{
    int64_t ms = 1000 * kit_settings_number(&act->settings, act->spec->timeout);
    int64_t limit_ms = act->manager->limit_ms ? act->manager->limit_ms(&act->call) : 0;

    if (limit_ms > 0 && limit_ms < ms)
        ms = limit_ms;
    act->by = (struct kit_deadline){act->started_ns + ms * KIT_NS_PER_MS};
}

/* Of what comes before the settings. */
static struct kit_deadline first_deadline(const struct act *act)
{
    int64_t limit_ms = act->manager->limit_ms ? act->manager->limit_ms(&act->call) : 0;

    return kit_deadline_in_ms(act->clock,
                              limit_ms > 0 && limit_ms < SETTINGS_MS ? limit_ms : SETTINGS_MS);
}

int act_read_settings(struct act *act, struct kit_err *err)
{
    if (read_settings(act, first_deadline(act), err))
        return -1;
    set_deadline(act);
    return 0;
}

/* What is protected: two resources with one address exclude each other. */
static const char *protected_name(const struct kit_settings *s)
{
    static const enum kit_param names[] = {KIT_PARAM_ADDRESS, KIT_PARAM_ALLOCATION_ID,
                                           KIT_PARAM_HAVIP_ID, KIT_PARAM_ENI};

    for (size_t i = 0; i < KIT_LEN(names); i++)
        if (kit_settings_text(s, names[i]))
            return kit_settings_text(s, names[i]);
    return s->tag;
}

static int take_lock(struct act *act, struct kit_err *err)
{
    char path[4096];

    if (kit_record_lock_path(protected_name(&act->settings), path, sizeof(path), err))
        return -1;
    return kit_lock_take(path, act->spec->name, act->clock, act->by, &act->lock, err);
}

static void read_record(struct act *act)
{
    struct kit_err err;

    if (kit_record_read(act->call.tag, &act->record, &err))
        act_log_err(&act->log, ACT_RECORD, &err);
}

/* A lock that is held too long stops everything; one that cannot be made stops only what changes
 * something, and not `remove`. */
static bool locked(struct act *act, enum act_outcome *ret_outcome)
{
    struct kit_err err;

    if (!take_lock(act, &err))
        return true;
    if (err.kind == KIT_ERR_TIMEOUT) {
        act_log_err(&act->log, ACT_LOCKED, &err);
        act->failed = true;
        act->unknown = true;
        act->err = err;
        *ret_outcome = ACT_OUT_UNKNOWN;
        return false;
    }
    (void)kit_err_wrap(&err, "take the lock");
    if (act->spec->changes_nothing || act->spec->must_not_hinder) {
        act_log_err(&act->log, ACT_NO_LOCK, &err);
        return true;
    }
    *ret_outcome = act_fail(act, &err);
    return false;
}

static void write_record(struct act *act, bool was_in_service)
{
    struct kit_err err;

    if (!act->record.known || act->record.in_service != was_in_service)
        act->record.since_s = kit_clock_wall_ns(act->clock) / KIT_NS_PER_S;
    (void)kit_str_copy(act->record.action, sizeof(act->record.action), act->spec->name);
    if (kit_record_write(act->call.tag, &act->record, &err))
        act_log_err(&act->log, ACT_RECORD, &err);
}

/* ---- one run --------------------------------------------------------------------------------- */

static enum act_outcome run_locked(struct act *act)
{
    bool was_in_service;
    enum act_outcome outcome;
    long long skew_s;
    struct kit_err err;

    read_record(act);
    was_in_service = act->record.in_service;
    outcome = act_hooks_before(act, &err) ? act_fail(act, &err) : act->spec->run(act);
    act_close(act);
    write_record(act, was_in_service);
    skew_s = (long long)act->spent.skew_s;
    if (skew_s)
        act_log(&act->log, ACT_SKEW,
                "this node's clock is %lld s %s the cloud's: corrected for this run", llabs(skew_s),
                skew_s > 0 ? "behind" : "ahead of");
    return outcome;
}

/* The record alone tells what there is to do, and whose lock that needs. */
static enum act_outcome run_without_settings(struct act *act, enum act_outcome outcome)
{
    char path[4096];
    struct kit_err err;
    bool was_in_service;

    read_record(act);
    was_in_service = act->record.in_service;
    if (!act->spec->without_settings || !act->record.known)
        return outcome;
    act->by = first_deadline(act);
    if (act->record.local_address[0] &&
        (kit_record_lock_path(act->record.local_address, path, sizeof(path), &err) ||
         kit_lock_take(path, act->spec->name, act->clock, act->by, &act->lock, &err))) {
        bool late = err.kind == KIT_ERR_TIMEOUT;
        act_log_err(&act->log, late ? ACT_LOCKED : ACT_NO_LOCK, &err);
        if (late)
            return act_local_held(act) ? ACT_OUT_WRONG : outcome;
    }
    if (act->spec->without_settings(act) == ACT_OUT_WRONG)
        outcome = ACT_OUT_WRONG;
    write_record(act, was_in_service);
    return outcome;
}

static enum act_outcome run(struct act *act)
{
    enum act_outcome outcome;
    struct kit_err err;

    if (!act->call.tag) {
        act_log(&act->log, ACT_USAGE, "no tag: call it as %s -t TAG -i ID", act->spec->name);
        return ACT_OUT_USAGE;
    }
    act_log(&act->log, ACT_BEGIN, "begin %s", act->spec->name);
    if (act_read_settings(act, &err)) {
        bool told_late = act->spec->must_not_hinder || act->spec->changes_nothing;
        return run_without_settings(act, told_late ? act_unknown(act, &err) : act_fail(act, &err));
    }
    act_hooks_begin(act);
    if (!locked(act, &outcome)) {
        read_record(act);
        /* What remove would have taken off is up, and whoever has the lock may want it so. */
        return act->spec->must_not_hinder && act_local_held(act) ? ACT_OUT_WRONG : outcome;
    }
    return run_locked(act);
}

const char *act_outcome_name(enum act_outcome outcome)
{
    static const char *const names[] = {"right",   "wrong",         "usage",
                                        "unknown", "configuration", "permission"};

    return names[outcome];
}

static void print_json(const struct act *act, enum act_outcome outcome, int status)
{
    const struct kit_call_stats *stats = &act->spent;
    KIT_AUTO(kit_buf) text = KIT_BUF(16u * 1024);
    struct kit_json_writer w = {.out = &text, .pretty = true};

    kit_json_open(&w, NULL, '{');
    kit_json_put_string(&w, "action", act->spec->name);
    kit_json_put_string(&w, "tag", act->call.tag);
    kit_json_put_string(&w, "outcome", act_outcome_name(outcome));
    kit_json_put_int(&w, "status", status);
    kit_json_put_bool(&w, "changed", act->changed);
    kit_json_put_string(&w, "where", act->where[0] ? act->where : NULL);
    if (act->failed) {
        kit_json_open(&w, "error", '{');
        kit_json_put_string(&w, "kind", kit_err_name(act->err.kind));
        kit_json_put_string(&w, "code", act->err.code[0] ? act->err.code : NULL);
        kit_json_put_string(&w, "request_id", act->err.request_id[0] ? act->err.request_id : NULL);
        kit_json_put_string(&w, "message", act->err.msg);
        kit_json_close(&w);
    }
    kit_json_put_int(&w, "api_calls", stats->calls);
    kit_json_put_int(&w, "api_rounds", stats->rounds);
    kit_json_put_int(&w, "metadata_requests", stats->metadata);
    kit_json_put_int(&w, "took_ms",
                     (kit_clock_now_ns(act->clock) - act->started_ns) / KIT_NS_PER_MS);
    kit_json_close(&w);
    (void)puts(text.data);
}

static void log_end(const struct act *act, enum act_outcome outcome)
{
    const struct kit_call_stats *stats = &act->spent;
    long long ms = (kit_clock_now_ns(act->clock) - act->started_ns) / KIT_NS_PER_MS;

    act_log(&act->log, ACT_DONE,
            "end %s: %s (%lld ms, API calls: %u, rounds: %u, metadata requests: %u)",
            act->spec->name, act_outcome_name(outcome), ms, stats->calls, stats->rounds,
            stats->metadata);
}

void act_init(struct act *act, const struct act_spec *spec, const struct act_args *args)
{
    *act =
        (struct act){.spec = spec, .args = args, .clock = &kit_clock_real, .lock = KIT_LOCK_NONE};
    kit_secret_harden_process();
    act->started_ns = kit_clock_now_ns(act->clock);
    act->log = (struct act_log){.action = spec->name, .tag = args->tag};
    act->call = (struct act_call){.action = spec->name,
                                  .tag = args->tag,
                                  .id = args->id,
                                  .argv0 = args->argv0,
                                  .log = &act->log};
    act->manager = args->manager ? args->manager : act_manager_find(&act->call);
    act->log.ident = act->manager->ident;
    act->log.quiet = act->manager->quiet && act->manager->quiet(&act->call);
    act->log.facility = act->manager->to_syslog ? act->manager->facility(&act->call) : -1;
    act->log.to_syslog = act->log.facility >= 0;
}

void act_done(struct act *act)
{
    kit_lock_done(&act->lock);
    act_hooks_end(act);
    kit_settings_done(&act->settings);
}

struct act_end act_end(const struct act *act, enum act_outcome outcome)
{
    return (struct act_end){
        .outcome = outcome,
        .unknown = act->unknown,
        .in_service = act->record.in_service,
        .incomplete = act->incomplete,
        .settings = act->settings.tag ? &act->settings : NULL,
        .why = act->failed     ? act->err.msg
               : act->where[0] ? act->where
                               : NULL,
        .by = act->by,
    };
}

bool act_is_idle_probe(const struct act *act)
{
    return !act->record.in_service && act->manager->probes && act->manager->probes(&act->call);
}

int act_run(const struct act_spec *spec, const struct act_args *args)
{
    struct act act;
    enum act_outcome outcome;
    struct act_end end;
    int status;

    act_init(&act, spec, args);
    outcome = run(&act);
    end = act_end(&act, outcome);
    status = act.manager->exit_status(&act.call, &end);
    kit_lock_done(&act.lock);
    act_hooks_after(&act, outcome, status);
    if (args->tag)
        log_end(&act, outcome);
    if (args->json)
        print_json(&act, outcome, status);
    if (act.manager->ended)
        act.manager->ended(&act.call, &end, status);
    act_done(&act);
    return status;
}
