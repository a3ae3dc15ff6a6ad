#include "actions/ctl/ops.h"

#include "actions/ctl/survey.h"
#include "kit/base/str.h"

const struct kit_op_param ctl_ops_common[CTL_OPS_COMMON] = {
    [CTL_OPS_RESOURCE] = {"resource", KIT_OP_TEXT, NULL, false, false,
                          "take provider, region, credentials and endpoints from this resource"},
    [CTL_OPS_PROVIDER] = {"provider", KIT_OP_CHOICE, "aws|aliyun", false, false,
                          "the cloud; default: as configured, else this host's"},
    [CTL_OPS_REGION] = {"region", KIT_OP_ID, NULL, false, false,
                        "default: as configured, else this host's"},
    [CTL_OPS_PROFILE] = {"profile", KIT_OP_TEXT, NULL, false, false,
                         "profile in the provider's shared files"},
    [CTL_OPS_TIMEOUT] = {"timeout", KIT_OP_NUMBER, "1..86400", false, false,
                         "seconds; default: restore_timeout"},
    [CTL_OPS_DRY_RUN] = {"dry-run", KIT_OP_FLAG, NULL, false, false,
                         "read and check everything, and change nothing"},
    [CTL_OPS_YES] = {"yes", KIT_OP_FLAG, NULL, false, false,
                     "do not ask before what cannot be undone"},
    [CTL_OPS_HELP] = {"help", KIT_OP_FLAG, NULL, false, false, "this text"},
};

enum ctl_status ctl_ops_status_of(const struct kit_err *err)
{
    /* What the command line names does not exist: no matter of configuration. */
    if (err->kind == KIT_ERR_NOT_FOUND || act_outcome_of(err) == ACT_OUT_WRONG)
        return CTL_WRONG;
    return ctl_status_of(err);
}

/* ---- settings -------------------------------------------------------------------------------- */

static bool has_tag(const struct kit_conf *conf, const char *tag)
{
    for (size_t i = 0; i < kit_conf_count(conf); i++)
        if (kit_str_eq(kit_conf_tag(conf, i), tag))
            return true;
    return false;
}

int ctl_ops_settings(const struct ctl *ctl, const struct kit_op_value common[CTL_OPS_COMMON],
                     struct kit_settings *ret_settings, struct kit_err *err)
{
    static const struct {
        enum ctl_ops_common option;
        const char *key;
    } keys[] = {{CTL_OPS_PROVIDER, "provider"},
                {CTL_OPS_REGION, "region"},
                {CTL_OPS_PROFILE, "profile"},
                {CTL_OPS_TIMEOUT, "restore_timeout"}};
    const char *tag = common[CTL_OPS_RESOURCE].text;
    struct kit_overlay overlay[KIT_LEN(keys)];
    struct kit_conf *conf;
    size_t count = 0;
    int rc;

    if (kit_conf_load(act_confdir(ctl->confdir), &conf, err))
        return -1;
    for (size_t i = 0; i < KIT_LEN(keys); i++)
        if (common[keys[i].option].text)
            overlay[count++] =
                (struct kit_overlay){keys[i].key, common[keys[i].option].text, "the command line"};
    /* An overlay would stand for a section that is not there. */
    rc = kit_conf_settings(conf, tag, overlay, tag && !has_tag(conf, tag) ? 0 : count, ret_settings,
                           err);
    kit_conf_free(conf);
    return rc;
}

/* ---- one run --------------------------------------------------------------------------------- */

struct run {
    struct ctl *ctl;
    const char *object, *verb;
    struct kit_op_value common[CTL_OPS_COMMON];
    struct kit_op_value value[KIT_OP_PARAMS];
    struct kit_settings settings;
    bool has_settings;
    struct act_session session;
    const struct kit_op *op;
    struct kit_deadline by;
};

/* The provider that is named, else the only one that has the object; NULL: to be found out. */
static const struct kit_provider *provider_of(const struct run *run)
{
    const char *name = kit_settings_text(&run->settings, KIT_PARAM_PROVIDER);
    const struct kit_provider *only = NULL;

    for (const struct kit_provider *const *p = kit_registry_providers; *p; p++) {
        if (kit_str_eq((*p)->name, name))
            return *p;
        if (!ctl_ops_find(*p, run->object, NULL))
            continue;
        if (only)
            return NULL;
        only = *p;
    }
    return only;
}

/* Words that need no configuration; everything else is passed over. */
static int read_common(struct run *run, struct kit_err *err)
{
    const struct kit_op_table table = {ctl_ops_common, CTL_OPS_COMMON, run->common};

    if (run->ctl->tags > 0 && run->ctl->tag[0][0] != '-')
        run->verb = run->ctl->tag[0];
    return kit_op_parse(&table, 1, run->ctl->tag, run->ctl->tags, KIT_OP_PARTLY, err);
}

static int read_words(struct run *run, const struct kit_provider *provider, struct kit_err *err)
{
    struct kit_op_value again[CTL_OPS_COMMON] = {{.text = NULL}};
    int rc;

    run->op = ctl_ops_find(provider, run->object, run->verb);
    if (!run->op)
        return ctl_ops_no_verb(provider, run->object, run->verb, err);
    const struct kit_op_table table[] = {{run->op->params, run->op->params_count, run->value},
                                         {ctl_ops_common, CTL_OPS_COMMON, again}};
    rc = kit_op_parse(table, KIT_LEN(table), run->ctl->tag + 1, run->ctl->tags - 1, KIT_OP_WHOLE,
                      err);
    kit_op_values_done(again, CTL_OPS_COMMON);
    if (rc)
        return kit_err_wrap(err, "%s %s", run->object, run->verb);
    if (run->op->irreversible && !run->common[CTL_OPS_DRY_RUN].text &&
        !run->common[CTL_OPS_YES].text && !ctl_ops_can_ask())
        return kit_err_set(err, KIT_ERR_USAGE,
                           "%s %s cannot be undone, and there is no terminal to ask: say --yes",
                           run->object, run->verb);
    return 0;
}

/* Words that no provider knows are wrong on whichever this host turns out to be. */
static int read_words_anywhere(struct run *run, struct kit_err *err)
{
    const struct kit_provider *const *p = kit_registry_providers;
    struct kit_err other;
    int rc = read_words(run, *p, err);

    while (rc && *++p) {
        kit_op_values_done(run->value, KIT_OP_PARAMS);
        rc = read_words(run, *p, &other);
    }
    kit_op_values_done(run->value, KIT_OP_PARAMS);
    return rc;
}

/* Everything that comes before the operation; whatever is wrong with the words is said before the
 * cloud is asked. */
static int prepare(struct run *run, struct kit_err *err)
{
    const struct kit_provider *provider;

    if (!run->verb) {
        ctl_ops_usage(stderr, NULL, run->object);
        return kit_err_set(err, KIT_ERR_USAGE, "%s: which verb?", run->object);
    }
    if (ctl_ops_settings(run->ctl, run->common, &run->settings, err))
        return -1;
    run->has_settings = true;
    provider = provider_of(run);
    if (provider ? read_words(run, provider, err) : read_words_anywhere(run, err))
        return -1;
    run->by = kit_deadline_in_ms(
        run->ctl->clock, 1000 * kit_settings_number(&run->settings, KIT_PARAM_RESTORE_TIMEOUT));
    if (provider &&
        kit_settings_put(&run->settings, KIT_PARAM_PROVIDER, provider->name, "the command", err))
        return -1;
    if (act_session_open_provider(&run->settings, run->ctl->clock, ACT_TRIES_UNTIL_DEADLINE,
                                  run->by, &run->session, err))
        return -1;
    return provider ? 0 : read_words(run, run->session.provider, err);
}

static enum ctl_status run_op(struct run *run)
{
    struct kit_op_answer answer = {.columns = NULL};
    struct ctl_ops_talk talk;
    enum ctl_status status;
    struct kit_err err;
    int rc;

    ctl_ops_talk_begin(&talk, run->ctl->clock, run->common[CTL_OPS_YES].text);
    const struct kit_op_call call = {.op = run->op,
                                     .settings = &run->settings,
                                     .value = run->value,
                                     .dry_run = run->common[CTL_OPS_DRY_RUN].text != NULL,
                                     .ui = &talk.ui,
                                     .by = run->by};
    rc = run->op->run(run->session.cloud, &call, &answer, &err);
    ctl_ops_talk_end(&talk);
    status = rc ? ctl_ops_status_of(&err) : CTL_RIGHT;
    if (rc)
        (void)kit_err_wrap(&err, "%s %s", run->object, run->verb);
    ctl_ops_show(run->ctl, run->op, &answer, status, rc ? &err : NULL);
    kit_op_answer_done(&answer);
    if (run->ctl->verbose)
        (void)fprintf(stderr, "cloudvip: API calls: %u, rounds: %u, metadata requests: %u\n",
                      run->session.caller.stats.calls, run->session.caller.stats.rounds,
                      run->session.caller.stats.metadata);
    return status;
}

/* Help needs no configuration, and one that is broken is no reason to give none. */
static void help(struct run *run)
{
    const struct kit_provider *provider = NULL;
    struct kit_err ignored;

    run->has_settings = !ctl_ops_settings(run->ctl, run->common, &run->settings, &ignored);
    if (run->has_settings)
        provider = provider_of(run);
    if (run->verb)
        ctl_ops_usage_of(stdout, provider, run->object, run->verb);
    else
        ctl_ops_usage(stdout, provider, run->object);
}

static int run_object(struct ctl *ctl, const char *object)
{
    struct run run = {.ctl = ctl, .object = object};
    enum ctl_status status;
    struct kit_err err;
    bool readable;

    readable = !read_common(&run, &err);
    if (readable && run.common[CTL_OPS_HELP].text) {
        help(&run);
        status = CTL_RIGHT;
    } else if (readable && !prepare(&run, &err)) {
        status = run_op(&run);
    } else {
        status = ctl_fail(ctl, &err);
    }
    act_session_done(&run.session);
    if (run.has_settings)
        kit_settings_done(&run.settings);
    kit_op_values_done(run.common, CTL_OPS_COMMON);
    kit_op_values_done(run.value, KIT_OP_PARAMS);
    return (int)status;
}

int ctl_eip(struct ctl *ctl)
{
    return run_object(ctl, "eip");
}

int ctl_eni(struct ctl *ctl)
{
    return run_object(ctl, "eni");
}

int ctl_havip(struct ctl *ctl)
{
    return run_object(ctl, "havip");
}
