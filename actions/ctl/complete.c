/* actions/ctl/complete.c - `cloudvip complete CURRENT [WORD…]`: what the word that is being typed
 * may become, one candidate a line.  For the shell's completion (packaging/completion), not for
 * people: the script has no list of its own that could fall behind.
 *
 * CURRENT is "cur=" and what is typed of the word so far, lest it be taken for an option of ours;
 * the WORDs are those in front of it.  Asks nobody but the configuration files. */
#include <stdio.h>
#include <string.h>

#include "actions/ctl/ops.h"
#include "actions/hooks.h"
#include "kit/base/str.h"
#include "kit/sys/file.h"

/* Where the kernel shows the interfaces. */
#define NET_DIR "/sys/class/net"

/* The first words behind the commands that read their own. */
static const struct {
    const char *command, *words;
} verbs[] = {
    {"egress", "unify|status"},
    {"hooks", "list|test"},
    {"lifekeeper", "create|canextend|extend|delete|register|unregister"},
    {"nic", "setup|check|unset|queues"},
};
/* Options of a command, or of its verb, besides those of operations, which are in the providers'
 * tables.  "=": takes a value. */
#define PLACE "--resource=|--provider="
#define EGRESS                                                                                     \
    "--instance=|--eip=|--echo-url=|--region=|--profile=|--timeout=|--dry-run|--yes|" PLACE
static const struct {
    const char *command, *verb, *options;
} options[] = {
    {"check", NULL, "--prometheus="},
    {"policy", NULL, "--why|--advice|--for="},
    {"hooks", "list", "--tag="},
    {"hooks", "test", "--point=|--tag=|--live"},
    {"nic", "setup", "--metric=|--no-persist|--dry-run|--timeout=|" PLACE},
    {"nic", "check", "--timeout=|" PLACE},
    {"nic", "unset", "--dry-run|--timeout=|" PLACE},
    {"nic", "queues", "--set=|--dry-run"},
    {"egress", "status", EGRESS},
    {"egress", "unify",
     "--eni=|--vswitch=|--security-group=|--private-address=|--no-persist|" EGRESS},
};

struct typed {
    const char *current;
    char *const *word; /* in front of it, without options of the whole program */
    size_t words;
    const struct kit_conf *conf;
};

static void offer(const struct typed *t, const char *candidate)
{
    if (kit_str_starts(candidate, t->current))
        (void)puts(candidate);
}

static void offer_each(const struct typed *t, const char *list)
{
    const char *word;
    size_t len;

    while (kit_str_word(&list, "|", &word, &len)) {
        char one[64];
        (void)kit_str_format(one, sizeof(one), "%.*s", (int)len, word);
        offer(t, one);
    }
}

static void offer_commands(const struct typed *t)
{
    for (const struct ctl_command *c = ctl_commands; c->name; c++)
        if (c->does)
            offer(t, c->name);
    for (const struct act_spec *const *spec = act_specs; *spec; spec++)
        offer(t, (*spec)->name);
    offer_each(t, "--confdir|--json|--help|--version|-v");
}

static void offer_tags(const struct typed *t)
{
    for (size_t i = 0; t->conf && i < kit_conf_count(t->conf); i++)
        offer(t, kit_conf_tag(t->conf, i));
}

/* ---- what the configuration names ------------------------------------------------------------ */

static void offer_setting(const struct typed *t, enum kit_param param)
{
    for (size_t i = 0; t->conf && i < kit_conf_count(t->conf); i++) {
        struct kit_settings s;
        struct kit_err err;
        const char *text;

        if (kit_conf_settings(t->conf, kit_conf_tag(t->conf, i), NULL, 0, &s, &err))
            continue;
        text = kit_settings_text(&s, param);
        if (text)
            offer(t, text);
        kit_settings_done(&s);
    }
}

static void offer_interfaces(const struct typed *t)
{
    struct kit_file_names names;
    struct kit_err err;

    if (kit_file_list(NET_DIR, "", &names, &err))
        return;
    for (size_t i = 0; i < names.count; i++)
        offer(t, names.name[i]);
    kit_file_names_done(&names);
}

/* Values of a parameter of an operation: its choices, or what a setting of that meaning has. */
static void offer_values(const struct typed *t, const struct kit_op_param *param)
{
    static const struct {
        const char *name;
        enum kit_param param;
    } meanings[] = {
        {"eni", KIT_PARAM_ENI},           {"havip", KIT_PARAM_HAVIP_ID},
        {"eip", KIT_PARAM_ALLOCATION_ID}, {"allocation", KIT_PARAM_ALLOCATION_ID},
        {"vpc", KIT_PARAM_VPC_ID},        {"region", KIT_PARAM_REGION},
        {"profile", KIT_PARAM_PROFILE},   {"private-address", KIT_PARAM_PRIVATE_ADDRESS},
    };

    if (param->type == KIT_OP_CHOICE)
        offer_each(t, param->form);
    if (kit_str_eq(param->name, "resource"))
        offer_tags(t);
    for (size_t i = 0; i < KIT_LEN(meanings); i++)
        if (kit_str_eq(param->name, meanings[i].name))
            offer_setting(t, meanings[i].param);
}

/* ---- operations ------------------------------------------------------------------------------ */

static void offer_verbs(const struct typed *t, const char *object)
{
    for (const struct kit_provider *const *p = kit_registry_providers; *p; p++)
        for (const struct kit_op *const *op = (*p)->ops; op && *op; op++)
            if (kit_str_eq((*op)->object, object))
                offer(t, (*op)->verb);
}

/* The option that the word in front is, if it takes a value. */
static const struct kit_op_param *open_option(const struct typed *t,
                                              const struct kit_op_param *params, size_t count)
{
    const char *before = t->word[t->words - 1];

    for (size_t i = 0; i < count; i++)
        if (kit_str_starts(before, "--") && kit_str_eq(before + 2, params[i].name) &&
            params[i].type != KIT_OP_FLAG)
            return &params[i];
    return NULL;
}

/* Options, and the next positional value. */
static void offer_params(const struct typed *t, const struct kit_op_param *params, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char option[64];
        (void)kit_str_format(option, sizeof(option), "--%s", params[i].name);
        if (params[i].positional)
            offer_values(t, &params[i]);
        else
            offer(t, option);
    }
}

static void offer_operation(const struct typed *t)
{
    const struct kit_op_param *value = open_option(t, ctl_ops_common, CTL_OPS_COMMON);
    const struct kit_op *op;

    if (t->words == 1) {
        offer_verbs(t, t->word[0]);
        return;
    }
    for (const struct kit_provider *const *p = kit_registry_providers; *p && !value; p++) {
        op = ctl_ops_find(*p, t->word[0], t->word[1]);
        value = op ? open_option(t, op->params, op->params_count) : NULL;
    }
    if (value) {
        offer_values(t, value);
        return;
    }
    for (const struct kit_provider *const *p = kit_registry_providers; *p; p++) {
        op = ctl_ops_find(*p, t->word[0], t->word[1]);
        if (op)
            offer_params(t, op->params, op->params_count);
    }
    offer_params(t, ctl_ops_common, CTL_OPS_COMMON);
}

/* ---- one word -------------------------------------------------------------------------------- */

static bool is_operation(const char *command)
{
    for (const struct kit_provider *const *p = kit_registry_providers; *p; p++)
        if (ctl_ops_find(*p, command, NULL))
            return true;
    return false;
}

/* The options of what was typed; NULL: it has none. */
static const char *options_of(const struct typed *t)
{
    for (size_t i = 0; i < KIT_LEN(options); i++)
        if (kit_str_eq(t->word[0], options[i].command) &&
            (!options[i].verb || (t->words > 1 && kit_str_eq(t->word[1], options[i].verb))))
            return options[i].options;
    return NULL;
}

static void offer_options(const struct typed *t, const char *list)
{
    const char *word;
    size_t len;

    while (list && kit_str_word(&list, "|", &word, &len)) {
        char one[64];
        (void)kit_str_format(one, sizeof(one), "%.*s", (int)(word[len - 1] == '=' ? len - 1 : len),
                             word);
        offer(t, one);
    }
}

/* The word in front is an option that takes a value. */
static bool wants_value(const char *list, const char *before)
{
    const char *word;
    size_t len;

    while (list && kit_str_word(&list, "|", &word, &len))
        if (word[len - 1] == '=' && strlen(before) == len - 1 && !strncmp(word, before, len - 1))
            return true;
    return false;
}

/* Nothing is offered for a file, which the shell knows better, or a number. */
static void offer_value(const struct typed *t, const char *option)
{
    if (kit_str_eq(option, "--tag") || kit_str_eq(option, "--resource"))
        offer_tags(t);
    if (kit_str_eq(option, "--provider"))
        offer_each(t, "aws|aliyun");
    if (kit_str_eq(option, "--set"))
        offer(t, "max");
    for (size_t i = 0; kit_str_eq(option, "--point") && i < act_points_count; i++)
        offer(t, act_points[i].name);
    if (kit_str_eq(option, "--for")) {
        offer(t, "nodes");
        offer_setting(t, KIT_PARAM_ROLE_ARN);
    }
}

static void offer_words(const struct typed *t)
{
    const char *command = t->word[0], *before = t->word[t->words - 1];
    const char *list = options_of(t);
    bool own = false;

    if (kit_str_eq(before, "--confdir") || wants_value(list, before)) {
        offer_value(t, before);
        return;
    }
    for (size_t i = 0; i < KIT_LEN(verbs); i++) {
        if (!kit_str_eq(command, verbs[i].command))
            continue;
        own = true;
        if (t->words == 1)
            offer_each(t, verbs[i].words);
        else if (kit_str_eq(command, "nic"))
            offer_interfaces(t);
    }
    offer_options(t, list);
    if (!own)
        offer_tags(t);
    offer_each(t, "--confdir|--json|--help");
}

int ctl_complete(struct ctl *ctl)
{
    struct typed t = {.current = "", .word = ctl->tag, .words = ctl->tags};
    struct kit_conf *conf = NULL;
    struct kit_err err;

    if (t.words && kit_str_starts(t.word[0], "cur=")) {
        t.current = t.word[0] + sizeof("cur=") - 1;
        t.word++;
        t.words--;
    }
    if (kit_conf_load(act_confdir(ctl->confdir), &conf, &err))
        conf = NULL; /* nobody is told while he types */
    t.conf = conf;
    if (t.words == 0)
        offer_commands(&t);
    else if (is_operation(t.word[0]))
        offer_operation(&t);
    else
        offer_words(&t);
    kit_conf_free(conf);
    return CTL_RIGHT;
}
