#include "actions/ctl/survey.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "kit/base/secret.h"
#include "kit/base/str.h"

const struct ctl_command ctl_commands[] = {
    {"check", "[TAG...]", "is each address served, seen from here? (--prometheus FILE: metrics)",
     ctl_check, false},
    {"status", "[TAG...]", "where each address is, on which node, binding by binding", ctl_status,
     false},
    {"plan", "TAG", "what restore would change here; changes nothing", ctl_plan, false},
    {"policy", "[TAG...]", "the smallest IAM or RAM policy of the resources (--help)", ctl_policy,
     true},
    {"eni", "VERB", "ENIs: create, list, attach, detach, modify, delete (--help)", ctl_eni, true},
    {"havip", "VERB", "HAVIPs: create, list, bind, unbind, bind-eip, unbind-eip, delete", ctl_havip,
     true},
    {"eip", "VERB", "EIPs: list, bind, unbind, convert (--help)", ctl_eip, true},
    {"nic", "VERB", "this host's ENIs: setup, check, unset, queues (--help)", ctl_nic, true},
    {"egress", "VERB", "leave through the NAT gateway, be reached by the EIP: unify, status",
     ctl_egress, true},
    {"hooks", "VERB", "the site's hooks: list them, test one (--help)", ctl_hooks, true},
    {"complete", "", NULL, ctl_complete, true},
    {"lifekeeper", "WORD ...", "what LifeKeeper's administration starts", ctl_lifekeeper, true},
    {"notify", "TYPE ...", "what keepalived's notify script starts", ctl_notify, true},
    {"ocf", "ACTION", "what Pacemaker's resource agent starts", ctl_ocf, true},
    {NULL, NULL, NULL, NULL, false},
};

static void usage(FILE *out)
{
    (void)fputs("usage: cloudvip [--confdir DIR] [--json] [-v] COMMAND [TAG...]\n\n", out);
    for (const struct ctl_command *c = ctl_commands; c->name; c++)
        if (c->does)
            (void)fprintf(out, "  %-10s %-9s %s\n", c->name, c->args, c->does);
    for (const struct act_spec *const *spec = act_specs; *spec; spec++)
        (void)fprintf(out, "  %-10s %-9s %s\n", (*spec)->name, "TAG", (*spec)->does);
    (void)fputs("\nNo TAG means all resources.  Exit status: 0 right, 1 wrong, 2 usage, 3 unknown, "
                "4 configuration,\n"
                "5 permission or credentials.\n",
                out);
}

enum ctl_status ctl_status_of(const struct kit_err *err)
{
    switch (act_outcome_of(err)) {
    case ACT_OUT_RIGHT: return CTL_RIGHT;
    case ACT_OUT_WRONG:
        return CTL_UNKNOWN; /* it kept us from the facts: what they are stays unknown */
    case ACT_OUT_USAGE: return CTL_USAGE;
    case ACT_OUT_UNKNOWN: return CTL_UNKNOWN;
    case ACT_OUT_CONFIG: return CTL_CONFIG;
    case ACT_OUT_DENIED: return CTL_DENIED;
    }
    return CTL_UNKNOWN;
}

enum ctl_status ctl_worse(enum ctl_status a, enum ctl_status b)
{
    static const enum ctl_status order[] = {CTL_WRONG, CTL_DENIED, CTL_CONFIG, CTL_UNKNOWN,
                                            CTL_USAGE};

    for (size_t i = 0; i < KIT_LEN(order); i++)
        if (a == order[i] || b == order[i])
            return order[i];
    return CTL_RIGHT;
}

void ctl_complain(const char *tag, const struct kit_err *err)
{
    (void)fprintf(stderr, "cloudvip: %s%s%s\n", tag ? tag : "", tag ? ": " : "", err->msg);
}

void ctl_err_json(const struct kit_err *err, struct kit_json_writer *w)
{
    kit_json_open(w, "error", '{');
    kit_json_put_string(w, "kind", kit_err_name(err->kind));
    kit_json_put_string(w, "code", err->code[0] ? err->code : NULL);
    kit_json_put_string(w, "request_id", err->request_id[0] ? err->request_id : NULL);
    kit_json_put_string(w, "message", err->msg);
    kit_json_close(w);
}

void ctl_failure_json(enum ctl_status status, const struct kit_err *err)
{
    KIT_AUTO(kit_buf) text = KIT_BUF(8u * 1024);
    struct kit_json_writer w = {.out = &text, .pretty = true};

    kit_json_open(&w, NULL, '{');
    kit_json_put_int(&w, "status", status);
    ctl_err_json(err, &w);
    kit_json_close(&w);
    (void)puts(text.data);
}

enum ctl_status ctl_fail(const struct ctl *ctl, const struct kit_err *err)
{
    enum ctl_status status = ctl_status_of(err);

    ctl_complain(NULL, err);
    if (ctl->json)
        ctl_failure_json(status, err);
    return status;
}

static int run_action(const struct act_spec *spec, const struct ctl *ctl)
{
    struct act_args args = {
        .confdir = ctl->confdir, .argv0 = ctl->argv0, .json = ctl->json, .verbose = ctl->verbose};

    if (ctl->tags != 1) {
        (void)fprintf(stderr, "cloudvip: %s takes one TAG\n", spec->name);
        return CTL_USAGE;
    }
    args.tag = ctl->tag[0];
    return act_run(spec, &args);
}

static const struct ctl_command *find_command(const char *name)
{
    for (const struct ctl_command *c = ctl_commands; c->name; c++)
        if (kit_str_eq(c->name, name))
            return c;
    return NULL;
}

static int run_command(const char *name, struct ctl *ctl)
{
    const struct ctl_command *command = find_command(name);

    if (ctl->prometheus && !kit_str_eq(name, "check")) {
        (void)fputs("cloudvip: --prometheus goes with check\n", stderr);
        return CTL_USAGE;
    }
    if (command)
        return command->run(ctl);
    for (const struct act_spec *const *spec = act_specs; *spec; spec++)
        if (kit_str_eq((*spec)->name, name))
            return run_action(*spec, ctl);
    (void)fprintf(stderr, "cloudvip: no command '%s'\n\n", name);
    usage(stderr);
    return CTL_USAGE;
}

/* One option in front of or behind the command; true when argv[*i] was one. */
static bool take_option(struct ctl *ctl, bool own_words, int argc, char **argv, int *i)
{
    if (kit_str_eq(argv[*i], "--json")) {
        ctl->json = true;
    } else if (kit_str_eq(argv[*i], "-v") || kit_str_eq(argv[*i], "--verbose")) {
        ctl->verbose = true;
    } else if (kit_str_starts(argv[*i], "--confdir=")) {
        ctl->confdir = argv[*i] + sizeof("--confdir=") - 1;
    } else if (kit_str_eq(argv[*i], "--confdir") && *i + 1 < argc) {
        ctl->confdir = argv[++*i];
    } else if (!own_words && kit_str_starts(argv[*i], "--prometheus=")) {
        ctl->prometheus = argv[*i] + sizeof("--prometheus=") - 1;
    } else if (!own_words && kit_str_eq(argv[*i], "--prometheus") && *i + 1 < argc) {
        ctl->prometheus = argv[++*i];
    } else {
        return false;
    }
    return true;
}

int main(int argc, char **argv)
{
    struct ctl ctl = {.clock = &kit_clock_real,
                      .colour = isatty(STDOUT_FILENO) && !getenv("NO_COLOR"),
                      .argv0 = argc > 0 ? argv[0] : NULL};
    static char help[] = "--help"; /* what commands with words of their own look for */
    const char *command = NULL;
    bool own_words = false;
    char **tags = kit_mem_new((size_t)argc + 1, sizeof(char *));
    int status = CTL_USAGE;

    kit_secret_harden_process();
    ctl.tag = tags;
    for (int i = 1; i < argc; i++) {
        if (take_option(&ctl, own_words, argc, argv, &i))
            continue;
        if (own_words) {
            tags[ctl.tags++] = kit_str_eq(argv[i], "-h") ? help : argv[i];
            continue;
        }
        if (kit_str_eq(argv[i], "--help") || kit_str_eq(argv[i], "-h") ||
            (!command && kit_str_eq(argv[i], "help"))) {
            usage(stdout);
            status = CTL_RIGHT;
            goto out;
        }
        if (kit_str_eq(argv[i], "--version")) {
            (void)puts("cloudvip " CLOUDVIP_VERSION);
            status = CTL_RIGHT;
            goto out;
        }
        if (argv[i][0] == '-') {
            bool lone = kit_str_eq(argv[i], "--confdir") || kit_str_eq(argv[i], "--prometheus");
            (void)fprintf(stderr,
                          lone ? "cloudvip: %s wants a value\n\n" : "cloudvip: no option '%s'\n\n",
                          argv[i]);
            usage(stderr);
            goto out;
        }
        if (!command) {
            const struct ctl_command *found = find_command(argv[i]);
            command = argv[i];
            own_words = found && found->own_words;
        } else {
            tags[ctl.tags++] = argv[i];
        }
    }
    if (command)
        status = run_command(command, &ctl);
    else
        usage(stderr);
out:
    free(tags);
    if (fflush(stdout) || ferror(stdout)) {
        (void)fputs("cloudvip: the result could not be written\n", stderr);
        status = status == CTL_RIGHT ? CTL_UNKNOWN : status;
    }
    return status;
}
