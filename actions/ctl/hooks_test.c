/* actions/ctl/hooks_test.c - `cloudvip hooks test NAME`: one hook, run as an action would run it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "actions/ctl/hooks.h"
#include "kit/base/str.h"
#include "kit/conf/check.h"
#include "kit/sys/file.h"

enum option {
    OPT_NAME,
    OPT_POINT,
    OPT_TAG,
    OPT_LIVE,
    OPTS,
};
static const struct kit_op_param params[OPTS] = {
    [OPT_NAME] = {"name", KIT_OP_TEXT, NULL, true, true, "a file of hook_dir, or a path"},
    [OPT_POINT] = {"point", KIT_OP_TEXT, NULL, false, false, "this point alone"},
    [OPT_TAG] = {"tag", KIT_OP_TEXT, NULL, false, false, "the settings of this resource"},
    [OPT_LIVE] = {"live", KIT_OP_FLAG, NULL, false, false, "ask the cloud for the facts"},
};

struct trial {
    struct ctl *ctl;
    struct kit_op_value value[OPTS];
    struct kit_settings settings;
    struct act_hooks hooks; /* those of hook_dir, for what they may reach */
    struct act_hook_file file;
    struct kit_record record;
    struct kit_facts facts;
    struct kit_json_writer json;
    enum ctl_status status;
};

/* ---- the facts ------------------------------------------------------------------------------- */

static int put_missing(struct kit_settings *s, enum kit_param param, const char *value,
                       struct kit_err *err)
{
    return kit_settings_text(s, param) ? 0 : kit_settings_put(s, param, value, "made up", err);
}

static void make_up_binding(struct kit_facts *facts, const char *place, const char *holder,
                            const char *node)
{
    struct kit_binding *b = kit_facts_add(facts);

    (void)kit_str_copy(b->place, sizeof(b->place), place);
    (void)kit_str_copy(b->holder, sizeof(b->holder), holder);
    (void)kit_str_copy(b->node, sizeof(b->node), node);
    b->state = KIT_BINDING_HELD;
    b->mine = b->right = kit_str_eq(holder, facts->me);
    kit_facts_add_tag(facts, place, "Name", place);
}

/* A resource in service here, whose second table another node has; addresses and ids are of those
 * kept for documentation (RFC 5737). */
static int make_up_facts(struct trial *t, struct kit_err *err)
{
    struct kit_facts *facts = &t->facts;

    if (put_missing(&t->settings, KIT_PARAM_SCENARIO, "route-table", err) ||
        put_missing(&t->settings, KIT_PARAM_ADDRESS, "192.0.2.10", err) ||
        put_missing(&t->settings, KIT_PARAM_INTERFACE, "eth1", err))
        return -1;
    if (!t->value[OPT_TAG].text) {
        free(t->settings.tag);
        t->settings.tag = kit_mem_strdup("example");
    }
    (void)kit_str_copy(facts->me, sizeof(facts->me), "eni-example1");
    (void)kit_str_copy(facts->my_node, sizeof(facts->my_node), "i-example1");
    make_up_binding(facts, "rtb-example1", "eni-example1", "i-example1");
    make_up_binding(facts, "rtb-example2", "eni-example2", "i-example2");
    t->record = (struct kit_record){.known = true,
                                    .in_service = true,
                                    .since_s = kit_clock_wall_ns(t->ctl->clock) / KIT_NS_PER_S - 60,
                                    .unknown_in_a_row = 1};
    t->record.checked_s = t->record.since_s;
    (void)kit_str_copy(t->record.facts, sizeof(t->record.facts),
                       "on eni-example1 (this node): rtb-example1, rtb-example2");
    return 0;
}

static int read_live_facts(struct trial *t, struct kit_err *err)
{
    struct kit_deadline by = kit_deadline_in_ms(
        t->ctl->clock, 1000 * kit_settings_number(&t->settings, KIT_PARAM_QUICKCHECK_TIMEOUT));
    struct kit_query query = {.settings = &t->settings, .with_tags = true};
    struct act_session session;
    int rc;

    if (kit_record_read(t->settings.tag, &t->record, err) ||
        act_session_open(&t->settings, t->ctl->clock, ACT_TRIES_CHECK, by, &session, err))
        return -1;
    rc = kit_conf_check(&t->settings, session.mover->params, session.mover->params_count, err);
    if (!rc)
        rc = session.mover->locate(session.cloud, &query, 1, by, err);
    if (!rc && query.failed) {
        *err = query.err;
        rc = -1;
    }
    t->facts = query.facts;
    act_session_done(&session);
    return rc;
}

/* As an action would have them at this point. */
static void write_facts(const struct trial *t, const char *point, int64_t deadline_ms,
                        struct kit_buf *out)
{
    static const struct {
        const char *end, *action;
    } actions[] = {{"restore", "restore"}, {"remove", "remove"}, {"recover", "recover"}};
    struct kit_err unknown;
    struct act_hook_about about = {.point = point,
                                   .action = "quickCheck",
                                   .caller = "a person",
                                   .settings = &t->settings,
                                   .record = &t->record,
                                   .deadline_ms = deadline_ms};

    for (size_t i = 0; i < KIT_LEN(actions); i++)
        if (kit_str_ends(point, actions[i].end))
            about.action = actions[i].action;
    if (kit_str_eq(point, "choose_tables"))
        about.action = "restore";
    if (kit_str_starts(point, "post_") || kit_str_eq(point, "choose_tables"))
        about.facts = &t->facts;
    if (kit_str_starts(point, "post_"))
        about.outcome = act_outcome_name(ACT_OUT_RIGHT);
    if (kit_str_eq(point, "on_unknown")) {
        (void)kit_err_set(&unknown, KIT_ERR_TRANSIENT,
                          "DescribeRouteTables: HTTP 503: a failure that is made up");
        about.err = &unknown;
    }
    act_hook_facts(&about, out);
}

/* ---- one point ------------------------------------------------------------------------------- */

static void list_places(const struct kit_facts *facts, struct kit_buf *out)
{
    for (size_t i = 0; i < facts->count; i++)
        (void)kit_buf_printf(out, "%s%s", i ? ", " : "", facts->binding[i].place);
}

static int read_choice(const struct trial *t, const struct klua_answer *answer,
                       struct kit_buf *says, struct kit_err *err)
{
    KIT_AUTO(kit_facts) left = {.count = 0};

    for (size_t i = 0; i < t->facts.count; i++)
        *kit_facts_add(&left) = t->facts.binding[i];
    if (act_choice_take(&t->file, answer, &left, err))
        return -1;
    (void)kit_buf_puts(says, "keeps ");
    list_places(&left, says);
    (void)kit_buf_puts(says, " of ");
    list_places(&t->facts, says);
    return 0;
}

/* What an action would make of the answer, in words. */
static int read_verdict(const struct trial *t, const char *point, const struct klua_answer *answer,
                        struct kit_buf *says, struct kit_err *err)
{
    const char *gap = answer->why[0] ? ": " : "";
    bool fail = false;
    int verdict;

    if (kit_str_eq(point, "choose_tables"))
        return read_choice(t, answer, says, err);
    if (kit_str_eq(point, "on_unknown")) {
        verdict = act_hook_opinion(&t->file, point, answer, &fail, err);
        (void)kit_buf_printf(says, "%s%s%s",
                             !verdict ? "no opinion"
                             : fail   ? "fail"
                                      : "ok",
                             verdict ? gap : "", verdict ? answer->why : "");
        return verdict < 0 ? -1 : 0;
    }
    if (kit_str_starts(point, "post_")) {
        (void)kit_buf_puts(says, "done");
        return 0;
    }
    verdict = act_hook_verdict(&t->file, point, answer, err);
    if (verdict > 0)
        (void)kit_buf_printf(says, "refuses%s%s", gap, answer->why);
    else
        (void)kit_buf_puts(says, "go on");
    return verdict < 0 ? -1 : 0;
}

static void show(struct trial *t, const char *point, const char *says, bool failed,
                 const struct klua_answer *answer)
{
    double took_ms = (double)answer->took_us / 1000, cpu_ms = (double)answer->cpu_us / 1000;
    struct kit_json_writer *w = &t->json;

    if (!t->ctl->json) {
        (void)printf("%-14s %s%s  (%.1f ms, CPU %.1f ms, %zu KiB)\n", point,
                     failed ? "FAILS: " : "", says, took_ms, cpu_ms,
                     (answer->heap_bytes + 1023) / 1024);
        for (size_t i = 0; i < answer->lines; i++)
            (void)printf("  %-5s %s\n", klua_level_name(answer->line[i].level),
                         answer->line[i].text);
        if (answer->dropped)
            (void)printf("  %u further log lines\n", answer->dropped);
        return;
    }
    kit_json_open(w, NULL, '{');
    kit_json_put_string(w, "point", point);
    kit_json_put_bool(w, "failed", failed);
    kit_json_put_string(w, "says", says);
    kit_json_open(w, "log", '[');
    for (size_t i = 0; i < answer->lines; i++) {
        kit_json_open(w, NULL, '{');
        kit_json_put_string(w, "level", klua_level_name(answer->line[i].level));
        kit_json_put_string(w, "text", answer->line[i].text);
        kit_json_close(w);
    }
    kit_json_close(w);
    kit_json_put_int(w, "dropped", answer->dropped);
    kit_json_put_real(w, "took_ms", took_ms);
    kit_json_put_real(w, "cpu_ms", cpu_ms);
    kit_json_put_int(w, "heap_bytes", (int64_t)answer->heap_bytes);
    kit_json_close(w);
}

static void try_point(struct trial *t, const char *point)
{
    KIT_AUTO(kit_buf) facts = KIT_BUF(KLUA_FACTS_BYTES);
    KIT_AUTO(kit_buf) says = KIT_BUF(16u * 1024);
    KIT_AUTO(klua_answer) answer = {.lines = 0};
    int64_t deadline_ms = 1000 * kit_settings_number(&t->settings, KIT_PARAM_RESTORE_TIMEOUT);
    const struct act_hook_call call = {.hooks = &t->hooks,
                                       .point = point,
                                       .facts = &facts,
                                       .clock = t->ctl->clock,
                                       .by = kit_deadline_in_ms(t->ctl->clock, deadline_ms)};
    struct kit_err err;
    bool failed;

    write_facts(t, point, deadline_ms, &facts);
    failed = act_hook_run(&call, &t->file, &answer, &err) ||
             read_verdict(t, point, &answer, &says, &err);
    if (failed)
        t->status = CTL_WRONG;
    show(t, point, failed ? err.msg : says.data, failed, &answer);
}

/* ---- the file -------------------------------------------------------------------------------- */

/* The file by its name in hook_dir, with or without its ending; with a '/' it is a path. */
static int find_file(struct trial *t, struct kit_err *err)
{
    const char *name = t->value[OPT_NAME].text;
    const char *dir = kit_settings_text(&t->settings, KIT_PARAM_HOOK_DIR);
    KIT_AUTO(kit_buf) path = KIT_BUF(8192);

    act_hooks_open(&t->hooks, &t->settings);
    if (strchr(name, '/'))
        (void)kit_buf_puts(&path, name);
    else
        (void)kit_buf_printf(&path, "%s/%s%s", dir, name, kit_str_ends(name, ".lua") ? "" : ".lua");
    if (kit_buf_check(&path, "the path", err))
        return -1;
    act_hook_file_read(&t->hooks, path.data, &t->file);
    if (t->file.usable)
        return 0;
    *err = t->file.why;
    return -1;
}

static int check_point(const struct trial *t, struct kit_err *err)
{
    const char *point = t->value[OPT_POINT].text;

    if (!point || act_point_find(point))
        return 0;
    return kit_err_set(err, KIT_ERR_USAGE, "there is no point %s: see cloudvip hooks --help",
                       point);
}

static int prepare(struct trial *t, struct kit_err *err)
{
    if (check_point(t, err))
        return -1;
    if (t->value[OPT_LIVE].text && !t->value[OPT_TAG].text)
        return kit_err_set(err, KIT_ERR_USAGE, "--live asks for a resource: say --tag TAG");
    if (ctl_hooks_settings(t->ctl, t->value[OPT_TAG].text, &t->settings, err) || find_file(t, err))
        return -1;
    return t->value[OPT_LIVE].text ? read_live_facts(t, err) : make_up_facts(t, err);
}

static int try_points(struct trial *t, struct kit_err *err)
{
    const char *wanted = t->value[OPT_POINT].text;
    KIT_AUTO(klua_answer) names = {.lines = 0};
    bool any = false;

    if (ctl_hooks_ask_names(t->ctl, &t->hooks, &t->file, &names, err))
        return -1;
    for (size_t i = 0; i < act_points_count; i++) {
        const char *point = act_points[i].name;

        if (!ctl_hooks_has(&names, point) || (wanted && !kit_str_eq(wanted, point)))
            continue;
        any = true;
        try_point(t, point);
    }
    if (any)
        return 0;
    return kit_err_set(err, KIT_ERR_CONFIG, "%s does not define %s", t->file.path,
                       wanted ? wanted : "a point");
}

static void trial_done(struct trial *t)
{
    act_hook_file_done(&t->file);
    act_hooks_done(&t->hooks);
    kit_facts_done(&t->facts);
    kit_settings_done(&t->settings);
    kit_op_values_done(t->value, OPTS);
}

int ctl_hooks_test(struct ctl *ctl, char *const *word, size_t words)
{
    KIT_AUTO(kit_buf) text = KIT_BUF(4u * 1024 * 1024);
    KIT_AUTO(trial) t = {.ctl = ctl, .status = CTL_RIGHT};
    const struct kit_op_table table = {params, OPTS, t.value};
    struct kit_err err;

    t.json = (struct kit_json_writer){.out = &text, .pretty = true};
    if (kit_op_parse(&table, 1, word, words, KIT_OP_WHOLE, &err)) {
        (void)kit_err_wrap(&err, "hooks test");
        return (int)ctl_fail(ctl, &err);
    }
    kit_json_open(&t.json, NULL, '{');
    kit_json_open(&t.json, "points", '[');
    if (prepare(&t, &err) || try_points(&t, &err))
        return (int)ctl_fail(ctl, &err);
    kit_json_close(&t.json);
    kit_json_put_string(&t.json, "path", t.file.path);
    kit_json_put_int(&t.json, "status", t.status);
    kit_json_close(&t.json);
    if (ctl->json)
        (void)puts(text.data);
    return (int)t.status;
}
