/* actions/ctl/policy.c - `cloudvip policy`: the smallest IAM or RAM policy of the configured
 * resources.
 *
 * A document is for whoever it is attached to: the nodes themselves, or a role that `role_arn` has
 * them assume (then all that the nodes need is to assume it).  One is printed as it stands; several
 * have to be chosen from, or are an array with --json.  A resource that cannot be used ends it: a
 * policy that lacks something would only be found wanting in a failover. */
#include "kit/cloud/policy.h"

#include <stdio.h>
#include <stdlib.h>

#include "actions/ctl/survey.h"
#include "kit/base/str.h"

#define NODES "nodes"

/* Some 400 bytes a statement, a resource of 200 tables some 20 KiB. */
#define DOCUMENT_MAX_BYTES (4u * 1024 * 1024)

struct document {
    const struct kit_provider *provider;
    const char *who; /* NODES, or a role; borrowed from the settings */
    struct kit_policy policy;
};

struct work {
    struct ctl *ctl;
    bool why, advice;
    const char *who;  /* NULL = whoever there is */
    const char **tag; /* the resources that are meant; none: all */
    size_t tags;
    struct kit_settings *settings;
    size_t resources;
    struct document *document;
    size_t documents;
    struct kit_err first; /* what failed first, where something did */
    bool failed;
};

/* ---- what is needed -------------------------------------------------------------------------- */

static struct kit_policy *document_of(struct work *w, const struct kit_provider *provider,
                                      const char *who)
{
    for (size_t i = 0; i < w->documents; i++)
        if (w->document[i].provider == provider && kit_str_eq(w->document[i].who, who))
            return &w->document[i].policy;
    w->document = kit_mem_grow(w->document, w->documents + 1, sizeof(*w->document));
    w->document[w->documents] =
        (struct document){.provider = provider, .who = who, .policy = {.form = provider->policy}};
    return &w->document[w->documents++].policy;
}

static int add_resource(struct work *w, const struct kit_settings *settings, struct kit_err *err)
{
    const char *role = kit_settings_text(settings, KIT_PARAM_ROLE_ARN);
    struct kit_deadline by = kit_deadline_in_ms(
        w->ctl->clock, 1000 * kit_settings_number(settings, KIT_PARAM_QUICKCHECK_TIMEOUT));
    struct act_session session;

    if (act_session_open(settings, w->ctl->clock, ACT_TRIES_CHECK, by, &session, err))
        return -1;
    if (role)
        kit_policy_add_role(document_of(w, session.provider, NODES), settings);
    kit_policy_add_mover(document_of(w, session.provider, role ? role : NODES), session.mover,
                         settings, w->advice);
    act_session_done(&session);
    return 0;
}

static enum ctl_status failed(struct work *w, const char *tag, const struct kit_err *err)
{
    ctl_complain(tag, err);
    if (!w->failed)
        w->first = *err;
    w->failed = true;
    return ctl_status_of(err);
}

static enum ctl_status add_tag(struct work *w, const struct kit_conf *conf, const char *tag)
{
    struct kit_settings *settings = &w->settings[w->resources];
    struct kit_err err;

    if (kit_conf_settings(conf, tag, NULL, 0, settings, &err))
        return failed(w, tag, &err);
    w->resources++;
    return add_resource(w, settings, &err) ? failed(w, tag, &err) : CTL_RIGHT;
}

static enum ctl_status add_all(struct work *w, const struct kit_conf *conf)
{
    size_t count = kit_conf_count(conf);
    enum ctl_status status = CTL_RIGHT;

    w->settings = kit_mem_new(w->tags + count + 1, sizeof(*w->settings));
    for (size_t i = 0; i < w->tags; i++)
        status = ctl_worse(status, add_tag(w, conf, w->tag[i]));
    for (size_t i = 0; !w->tags && i < count; i++)
        status = ctl_worse(status, add_tag(w, conf, kit_conf_tag(conf, i)));
    for (size_t i = 0; !w->tags && i < kit_conf_broken_count(conf); i++)
        status = ctl_worse(status, failed(w, NULL, kit_conf_broken(conf, i)));
    if (w->failed && w->ctl->json)
        ctl_failure_json(status, &w->first);
    return status;
}

/* ---- what is printed ------------------------------------------------------------------------- */

static bool is_wanted(const struct work *w, const struct document *d)
{
    return !w->who || kit_str_eq(d->who, w->who);
}

static size_t wanted(const struct work *w, struct document **ret_one)
{
    size_t count = 0;

    for (size_t i = 0; i < w->documents; i++) {
        if (!is_wanted(w, &w->document[i]))
            continue;
        count++;
        *ret_one = &w->document[i];
    }
    return count;
}

/* The same action, for the same reason, on the same object. */
static bool is_repeat(const struct kit_policy_need *a, const struct kit_policy_need *b)
{
    return kit_str_eq(a->action, b->action) && kit_str_eq(a->arn, b->arn) &&
           kit_str_eq(a->value, b->value) && kit_str_eq(a->why, b->why);
}

/* The tags of a need and its repeats behind it; how many those are. */
static size_t tags_of(const struct kit_policy *policy, size_t first, struct kit_buf *out)
{
    size_t i = first;

    for (; i < policy->count && is_repeat(&policy->need[i], &policy->need[first]); i++)
        if (i == first || !kit_str_eq(policy->need[i].tag, policy->need[i - 1].tag))
            (void)kit_buf_printf(out, "%s%s", i == first ? "" : ", ", policy->need[i].tag);
    return i - first;
}

static void print_why(const struct work *w)
{
    for (size_t d = 0; d < w->documents; d++) {
        struct kit_policy *policy = &w->document[d].policy;

        if (!is_wanted(w, &w->document[d]))
            continue;
        (void)printf("%s%s, %s:\n", d ? "\n" : "", policy->form->name, w->document[d].who);
        kit_policy_sort(policy);
        for (size_t i = 0, n; i < policy->count; i += n) {
            const struct kit_policy_need *need = &policy->need[i];
            KIT_AUTO(kit_buf) tags = KIT_BUF(4096);

            n = tags_of(policy, i, &tags);
            (void)printf("  %-36s %s%s%s%s%s\n  %36s   %s: %s%s\n", need->action, need->arn,
                         need->test ? "  " : "", need->test ? need->key : "",
                         need->test ? " = " : "", need->test ? need->value : "", "", tags.data,
                         need->why, need->advice ? " (for warnings of `plan` alone)" : "");
        }
    }
}

static void put_reasons(struct kit_policy *policy, struct kit_json_writer *w)
{
    kit_policy_sort(policy);
    kit_json_open(w, "why", '[');
    for (size_t i = 0, n; i < policy->count; i += n) {
        const struct kit_policy_need *need = &policy->need[i];
        KIT_AUTO(kit_buf) ignored = KIT_BUF(4096);

        n = tags_of(policy, i, &ignored);
        kit_json_open(w, NULL, '{');
        kit_json_put_string(w, "action", need->action);
        kit_json_put_string(w, "resource", need->arn);
        kit_json_put_string(w, "condition", need->key);
        kit_json_put_string(w, "value", need->value);
        kit_json_put_string(w, "why", need->why);
        kit_json_put_bool(w, "advice", need->advice);
        kit_json_open(w, "tags", '[');
        for (size_t k = i; k < i + n; k++)
            if (k == i || !kit_str_eq(policy->need[k].tag, policy->need[k - 1].tag))
                kit_json_put_string(w, NULL, policy->need[k].tag);
        kit_json_close(w);
        kit_json_close(w);
    }
    kit_json_close(w);
}

static void print_array(const struct work *work)
{
    KIT_AUTO(kit_buf) text = KIT_BUF(DOCUMENT_MAX_BYTES);
    struct kit_json_writer w = {.out = &text, .pretty = true};

    kit_json_open(&w, NULL, '[');
    for (size_t i = 0; i < work->documents; i++) {
        struct document *d = &work->document[i];

        if (!is_wanted(work, d))
            continue;
        kit_json_open(&w, NULL, '{');
        kit_json_put_string(&w, "provider", d->provider->name);
        kit_json_put_string(&w, "for", d->who);
        kit_policy_write(&d->policy, "policy", &w);
        if (work->why)
            put_reasons(&d->policy, &w);
        kit_json_close(&w);
        ctl_flush_json(&w);
    }
    kit_json_close(&w);
    (void)kit_buf_putc(&text, '\n');
    ctl_flush_json(&w);
}

static void print_one(struct document *d)
{
    KIT_AUTO(kit_buf) text = KIT_BUF(DOCUMENT_MAX_BYTES);
    struct kit_json_writer w = {.out = &text, .pretty = true};

    kit_policy_write(&d->policy, NULL, &w);
    (void)kit_buf_putc(&text, '\n');
    ctl_flush_json(&w);
}

static enum ctl_status refuse(const struct work *w, size_t count)
{
    if (!count) {
        (void)fprintf(stderr, "cloudvip: policy: there is none for %s; there is for:", w->who);
    } else {
        (void)fputs("cloudvip: policy: these resources take several policies; choose with --for, "
                    "name the TAGs of one cloud, or take all with --json:",
                    stderr);
    }
    for (size_t i = 0; i < w->documents; i++)
        if (!count || is_wanted(w, &w->document[i]))
            (void)fprintf(stderr, " %s (%s)", w->document[i].who, w->document[i].provider->name);
    (void)fputc('\n', stderr);
    return CTL_USAGE;
}

static enum ctl_status print(const struct work *w)
{
    struct document *one = NULL;
    size_t count = wanted(w, &one);

    if (!count)
        return refuse(w, 0);
    if (w->ctl->json)
        print_array(w);
    else if (w->why)
        print_why(w);
    else if (count > 1)
        return refuse(w, count);
    else
        print_one(one);
    return CTL_RIGHT;
}

/* ---- the command line ------------------------------------------------------------------------ */

static void usage(FILE *out)
{
    (void)fputs(
        "usage: cloudvip [--confdir DIR] [--json] policy [--why] [--advice] [--for WHO] [TAG...]\n"
        "\n"
        "The smallest IAM or RAM policy with which the actions of these resources work.\n"
        "\n"
        "  --why      which action is needed, on what, for which resource, and why\n"
        "  --advice   also what the warnings of `plan` need, and no action does\n"
        "  --for WHO  nodes, or the role_arn that the policy is for, where there are several\n"
        "  --json     all policies, in an array: provider, for, policy (and why)\n",
        out);
}

/* 0: go on; else the status, in *ret_status. */
static int take_words(struct work *w, enum ctl_status *ret_status)
{
    for (size_t i = 0; i < w->ctl->tags; i++) {
        const char *word = w->ctl->tag[i];

        if (kit_str_eq(word, "--why")) {
            w->why = true;
        } else if (kit_str_eq(word, "--advice")) {
            w->advice = true;
        } else if (kit_str_eq(word, "--for") && i + 1 < w->ctl->tags) {
            w->who = w->ctl->tag[++i];
        } else if (kit_str_starts(word, "--for=")) {
            w->who = word + sizeof("--for=") - 1;
        } else if (kit_str_eq(word, "--help")) {
            usage(stdout);
            *ret_status = CTL_RIGHT;
            return -1;
        } else if (word[0] == '-') {
            (void)fprintf(stderr,
                          kit_str_eq(word, "--for") ? "cloudvip: policy: %s wants a value\n\n"
                                                    : "cloudvip: policy: no option '%s'\n\n",
                          word);
            usage(stderr);
            *ret_status = CTL_USAGE;
            return -1;
        } else {
            w->tag[w->tags++] = word;
        }
    }
    return 0;
}

static enum ctl_status run(struct work *w)
{
    enum ctl_status status = CTL_RIGHT;
    struct kit_conf *conf;
    struct kit_err err;

    if (take_words(w, &status))
        return status;
    if (kit_conf_load(act_confdir(w->ctl->confdir), &conf, &err))
        return ctl_fail(w->ctl, &err);
    status = add_all(w, conf);
    kit_conf_free(conf);
    if (status == CTL_RIGHT && !w->resources) {
        (void)kit_err_set(&err, KIT_ERR_CONFIG, "no usable resource in %s/resources.d",
                          act_confdir(w->ctl->confdir));
        return ctl_fail(w->ctl, &err);
    }
    return status == CTL_RIGHT ? print(w) : status;
}

int ctl_policy(struct ctl *ctl)
{
    struct work w = {.ctl = ctl, .tag = kit_mem_new(ctl->tags + 1, sizeof(*w.tag))};
    enum ctl_status status = run(&w);

    for (size_t i = 0; i < w.documents; i++)
        kit_policy_done(&w.document[i].policy);
    for (size_t i = 0; i < w.resources; i++)
        kit_settings_done(&w.settings[i]);
    free(w.document);
    free(w.settings);
    free(w.tag);
    return (int)status;
}
