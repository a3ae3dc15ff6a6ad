/* actions/ctl/nic.c - `cloudvip nic VERB IFACE`: its words, and what it prints. */
#include "actions/ctl/nic.h"

#include <stdio.h>
#include <string.h>

#include "actions/ctl/nic_queues.h"
#include "actions/ctl/ops.h"
#include "actions/ctl/survey.h"
#include "kit/base/near.h"
#include "kit/base/str.h"

static int run_check(struct ctl *ctl);
static int run_setup(struct ctl *ctl);
static int run_unset(struct ctl *ctl);

static const struct ctl_nic_verb verbs[] = {
    {"setup", "IFACE [--dry-run] [--no-persist] [--metric N]",
     "address, default route, own table and rule of a secondary ENI, kept over a reboot",
     run_setup},
    {"check", "IFACE", "is it set up, will it be after a reboot, is the primary one preferred?",
     run_check},
    {"unset", "IFACE [--dry-run]", "takes back what setup made, and nothing else", run_unset},
    {"queues", "IFACE [--set N|max] [--dry-run]",
     "shows and sets the interface's queues, and how its packets are spread over the CPUs",
     ctl_nic_queues},
};

enum own {
    OWN_INTERFACE,
    OWN_METRIC,
    OWN_NO_PERSIST,
    OWN_COUNT,
};
static const struct kit_op_param own_params[OWN_COUNT] = {
    [OWN_INTERFACE] = {"iface", KIT_OP_TEXT, "1..15", true, true, "name of the interface"},
    [OWN_METRIC] = {"metric", KIT_OP_NUMBER, "1..2147483647", false, false,
                    "of its default route, and the number of its table; default: the lowest free "
                    "from 101 on that is above the primary's"},
    [OWN_NO_PERSIST] = {"no-persist", KIT_OP_FLAG, NULL, false, false,
                        "until the next reboot; default: kept by whatever manages the network"},
};
/* Of the options that all operations take. */
static const enum ctl_ops_common shared[] = {CTL_OPS_RESOURCE, CTL_OPS_PROVIDER, CTL_OPS_TIMEOUT,
                                             CTL_OPS_DRY_RUN, CTL_OPS_HELP};

struct words {
    struct kit_op_value own[OWN_COUNT];
    struct kit_op_value common[CTL_OPS_COMMON];
};

static void words_done(struct words *words)
{
    kit_op_values_done(words->own, OWN_COUNT);
    kit_op_values_done(words->common, CTL_OPS_COMMON);
}

/* ---- help ------------------------------------------------------------------------------------ */

static void usage(FILE *out)
{
    (void)fputs("usage: cloudvip [--confdir DIR] [--json] [-v] nic VERB IFACE [OPTION...]\n\n",
                out);
    for (size_t i = 0; i < KIT_LEN(verbs); i++)
        (void)fprintf(out, "  %s %s\n      %s\n", verbs[i].name, verbs[i].args, verbs[i].does);
    (void)fputs("\n", out);
    for (size_t i = OWN_METRIC; i < OWN_COUNT; i++)
        (void)fprintf(out, "  --%s%s\n      %s\n", own_params[i].name,
                      own_params[i].type == KIT_OP_FLAG ? "" : " N", own_params[i].text);
    for (size_t i = 0; i < KIT_LEN(shared); i++) {
        const struct kit_op_param *p = &ctl_ops_common[shared[i]];
        (void)fprintf(out, "  --%s%s\n      %s\n", p->name,
                      p->type == KIT_OP_FLAG     ? ""
                      : p->type == KIT_OP_NUMBER ? " N"
                      : p->form                  ? " aws|aliyun"
                                                 : " TAG",
                      p->text);
    }
}

static int no_verb(const char *verb, struct kit_err *err)
{
    struct kit_near near;
    char shown[64];

    kit_near_init(&near, verb);
    for (size_t i = 0; i < KIT_LEN(verbs); i++)
        kit_near_try(&near, verbs[i].name);
    (void)kit_str_copy(shown, sizeof(shown), verb);
    kit_str_make_printable(shown);
    return kit_err_set(err, KIT_ERR_USAGE, "nic: no verb '%s'%s%s%s", shown,
                       near.name ? "; did you mean " : "", near.name ? near.name : "",
                       near.name ? "?" : "");
}

int ctl_nic(struct ctl *ctl)
{
    const char *verb = ctl->tags ? ctl->tag[0] : NULL;
    struct ctl inner = *ctl;
    struct kit_err err;

    if (verb && kit_str_eq(verb, "--help")) {
        usage(stdout);
        return CTL_RIGHT;
    }
    for (size_t i = 0; verb && i < KIT_LEN(verbs); i++) {
        if (!kit_str_eq(verbs[i].name, verb))
            continue;
        inner.tag++;
        inner.tags--;
        return verbs[i].run(&inner);
    }
    if (verb) {
        (void)no_verb(verb, &err);
    } else {
        usage(stderr);
        (void)kit_err_set(&err, KIT_ERR_USAGE, "nic: which verb?");
    }
    return (int)ctl_fail(ctl, &err);
}

/* ---- words ----------------------------------------------------------------------------------- */

/* The shared options as a table of their own; their values go where ctl_ops_settings looks. */
static int read_words(const struct ctl *ctl, const char *verb, struct words *ret_words,
                      struct kit_err *err)
{
    struct kit_op_param params[KIT_LEN(shared)];
    struct kit_op_value value[KIT_LEN(shared)];
    struct words words;
    int rc;

    memset(&words, 0, sizeof(words));
    memset(value, 0, sizeof(value));
    for (size_t i = 0; i < KIT_LEN(shared); i++)
        params[i] = ctl_ops_common[shared[i]];
    const struct kit_op_table help = {params, KIT_LEN(shared), value};
    const struct kit_op_table all[] = {{own_params, OWN_COUNT, words.own}, help};
    /* Help before anything is missed. */
    rc = kit_op_parse(&help, 1, ctl->tag, ctl->tags, KIT_OP_PARTLY, err);
    bool helped = rc == 0 && value[KIT_LEN(shared) - 1].text;
    kit_op_values_done(value, KIT_LEN(shared));
    memset(value, 0, sizeof(value));
    if (rc == 0 && !helped)
        rc = kit_op_parse(all, KIT_LEN(all), ctl->tag, ctl->tags, KIT_OP_WHOLE, err);
    for (size_t i = 0; i < KIT_LEN(shared); i++)
        words.common[shared[i]] = value[i];
    if (helped)
        words.common[CTL_OPS_HELP].text = "yes";
    if (rc != 0) {
        words_done(&words);
        return kit_err_wrap(err, "nic %s", verb);
    }
    *ret_words = words;
    return 0;
}

/* ---- results --------------------------------------------------------------------------------- */

static void print_line(void *arg, const char *line)
{
    (void)arg;
    (void)printf("%s\n", line);
    (void)fflush(stdout); /* a person watches what is done, not what was done */
}

static void put_json(const struct ctl_nic_result *r, bool dry_run, enum ctl_status status,
                     const struct kit_err *failed)
{
    KIT_AUTO(kit_buf) text = KIT_BUF(256u * 1024);
    struct kit_json_writer w = {.out = &text, .pretty = true};

    kit_json_open(&w, NULL, '{');
    kit_json_put_int(&w, "status", status);
    kit_json_put_string(&w, "interface", r->interface);
    kit_json_put_string(&w, "mac", r->mac[0] ? r->mac : NULL);
    kit_json_put_string(&w, "eni", r->eni[0] ? r->eni : NULL);
    kit_json_put_int(&w, "table", r->table);
    kit_json_put_int(&w, "metric", r->metric);
    kit_json_put_bool(&w, "changed", r->changed);
    kit_json_put_bool(&w, "dry_run", dry_run);
    kit_json_open(&w, "commands", '[');
    for (size_t i = 0; i < r->changes.count; i++) {
        KIT_AUTO(kit_buf) command = KIT_BUF(256);
        kit_change_command(&r->changes.change[i], r->interface, &command);
        kit_json_put_string(&w, NULL, command.data);
    }
    kit_json_close(&w);
    kit_json_put_string(&w, "kept_by", r->manager);
    kit_json_open(&w, "files", '[');
    for (size_t i = 0; i < r->files; i++)
        kit_json_put_string(&w, NULL, r->file[i]);
    kit_json_close(&w);
    kit_json_put_string(&w, "note", r->note[0] ? r->note : NULL);
    if (failed)
        ctl_err_json(failed, &w);
    kit_json_close(&w);
    (void)puts(text.data);
}

static void print_end(const struct ctl_nic_ask *ask, const struct ctl_nic_result *r, bool setup)
{
    const char *lead = ask->dry_run ? "# " : "";

    if (!setup)
        (void)printf("%s%s: %s\n", lead, r->interface,
                     !r->changed    ? "was not set up by us; nothing to take back"
                     : ask->dry_run ? "would be taken back"
                                    : "taken back");
    else if (!r->changed)
        (void)printf("%s%s (%s) is set up: metric %u, table %u; nothing to change\n", lead,
                     r->interface, r->eni, r->metric, r->table);
    else
        (void)printf("%s%s (%s) %s: metric %u, table %u; %s%s\n", lead, r->interface, r->eni,
                     ask->dry_run ? "would be set up" : "is set up", r->metric, r->table,
                     r->manager ? "kept over a reboot by " : "until the next reboot",
                     r->manager ? r->manager : "");
    if (r->note[0])
        (void)fprintf(stderr, "cloudvip: %s\n", r->note);
}

/* ---- the verbs ------------------------------------------------------------------------------- */

struct nic_run {
    struct ctl *ctl;
    struct words words;
    char interface[KIT_NETLINK_NAME];
    struct kit_settings settings;
    struct ctl_nic_ask ask;
    const struct nic_kind *kind;
};

/* What the verbs differ in. */
struct nic_kind {
    const char *verb;
    bool needs_cloud;
    enum ctl_status (*run)(struct nic_run *run, struct kit_cloud *cloud);
};

static enum ctl_status failed(const struct nic_run *run, const struct kit_err *err)
{
    struct ctl_nic_result nothing = {.changed = false};
    enum ctl_status status = ctl_ops_status_of(err);

    ctl_complain(NULL, err);
    (void)kit_str_copy(nothing.interface, sizeof(nothing.interface), run->ask.interface);
    if (run->ctl->json)
        put_json(&nothing, run->ask.dry_run, status, err);
    return status;
}

static enum ctl_status change(struct nic_run *run, struct kit_cloud *cloud)
{
    struct ctl_nic_result result;
    enum ctl_status status = CTL_RIGHT;
    struct kit_err err;

    run->ask.tell = run->ctl->json ? NULL : print_line;
    if ((cloud ? ctl_nic_setup(cloud, &run->ask, &result, &err)
               : ctl_nic_unset(&run->ask, &result, &err)) != 0) {
        status = ctl_ops_status_of(&err);
        ctl_complain(NULL, &err);
        (void)kit_str_copy(result.interface, sizeof(result.interface), run->ask.interface);
    }
    if (run->ctl->json)
        put_json(&result, run->ask.dry_run, status, status == CTL_RIGHT ? NULL : &err);
    else if (status == CTL_RIGHT)
        print_end(&run->ask, &result, cloud != NULL);
    ctl_nic_result_done(&result);
    return status;
}

static void print_look(const struct ctl_nic_look *look, const char *interface)
{
    if (look->primary) {
        (void)printf("%s: the primary interface: nothing needs to be set up\n", interface);
        return;
    }
    (void)printf("%s: table %u\n", interface, look->table);
    /* Otherwise there was nothing to look at: ctl_nic_look fails. */
    (void)printf("  OK   rule 60: its MAC is that of an ENI of this instance\n");
    (void)printf("  %-4s rules 25, 46: packets from its addresses leave by it%s%s\n",
                 look->routed ? "OK" : "FAIL", look->routed ? "" : ": ",
                 look->routed ? "" : look->unrouted);
    (void)printf("  %-4s rule 48: the primary interface is preferred%s%s\n",
                 look->preferred ? "OK" : "FAIL", look->preferred ? "" : ": ",
                 look->preferred ? "" : look->unpreferred);
    (void)printf("  %-4s rule 47: %s\n", look->kept ? "OK" : "WARN",
                 look->kept
                     ? "kept over a reboot by us"
                     : "not kept over a reboot by us: see to it, or run `cloudvip nic setup`");
}

static enum ctl_status check(struct nic_run *run, struct kit_cloud *cloud)
{
    KIT_AUTO(kit_buf) text = KIT_BUF(8u * 1024);
    struct kit_json_writer w = {.out = &text, .pretty = true};
    struct ctl_nic_look look;
    struct kit_err err;

    if (ctl_nic_look(cloud, &run->ask, &look, &err) != 0)
        return failed(run, &err);
    enum ctl_status status = look.routed && look.preferred ? CTL_RIGHT : CTL_WRONG;
    if (!run->ctl->json) {
        print_look(&look, run->ask.interface);
        return status;
    }
    kit_json_open(&w, NULL, '{');
    kit_json_put_int(&w, "status", status);
    kit_json_put_string(&w, "interface", run->ask.interface);
    kit_json_put_bool(&w, "primary", look.primary);
    kit_json_put_bool(&w, "routed", look.routed);
    kit_json_put_bool(&w, "preferred", look.preferred);
    kit_json_put_bool(&w, "kept", look.kept);
    kit_json_put_int(&w, "table", look.table);
    kit_json_put_string(&w, "unrouted", look.unrouted[0] ? look.unrouted : NULL);
    kit_json_put_string(&w, "unpreferred", look.unpreferred[0] ? look.unpreferred : NULL);
    kit_json_close(&w);
    (void)puts(text.data);
    return status;
}

static enum ctl_status run_verb(struct nic_run *run)
{
    struct act_session session;
    enum ctl_status status;
    struct kit_err err;

    run->ask.interface = run->interface;
    run->ask.confdir = run->ctl->confdir;
    run->ask.metric = (uint32_t)run->words.own[OWN_METRIC].number;
    run->ask.dry_run = run->words.common[CTL_OPS_DRY_RUN].text;
    run->ask.no_persist = run->words.own[OWN_NO_PERSIST].text;
    run->ask.clock = run->ctl->clock;
    run->ask.by = kit_deadline_in_ms(
        run->ctl->clock, 1000 * kit_settings_number(&run->settings, KIT_PARAM_RESTORE_TIMEOUT));
    if (!run->kind->needs_cloud)
        return run->kind->run(run, NULL);
    if (act_session_open_provider(&run->settings, run->ctl->clock, ACT_TRIES_UNTIL_DEADLINE,
                                  run->ask.by, &session, &err) != 0)
        return failed(run, &err);
    status = run->kind->run(run, session.cloud);
    act_session_done(&session);
    return status;
}

static int begin(struct ctl *ctl, const struct nic_kind *kind)
{
    struct nic_run run = {.ctl = ctl, .kind = kind};
    enum ctl_status status = CTL_RIGHT;
    struct kit_err err;

    if (read_words(ctl, kind->verb, &run.words, &err) != 0)
        return (int)ctl_fail(ctl, &err);
    if (run.words.common[CTL_OPS_HELP].text) {
        usage(stdout);
    } else if (ctl_nic_name(run.words.own[OWN_INTERFACE].text, run.interface, &err) != 0 ||
               ctl_ops_settings(ctl, run.words.common, &run.settings, &err) != 0) {
        status = ctl_fail(ctl, &err);
    } else {
        status = run_verb(&run);
        kit_settings_done(&run.settings);
    }
    words_done(&run.words);
    return (int)status;
}

static int run_check(struct ctl *ctl)
{
    static const struct nic_kind kind = {"check", true, check};

    return begin(ctl, &kind);
}

static int run_setup(struct ctl *ctl)
{
    static const struct nic_kind kind = {"setup", true, change};

    return begin(ctl, &kind);
}

static int run_unset(struct ctl *ctl)
{
    static const struct nic_kind kind = {"unset", false, change};

    return begin(ctl, &kind);
}
