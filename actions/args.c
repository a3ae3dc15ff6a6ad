/* actions/args.c - the command line of an action's own program. */
#include <stdio.h>
#include <string.h>

#include "actions/act.h"
#include "kit/base/str.h"

static void usage(const struct act_spec *spec)
{
    (void)printf("usage: %s -t TAG -i ID [--confdir DIR] [--json] [-v]\n\n"
                 "%s: %s.\n"
                 "TAG names the resource: a section in resources.d/*.conf below DIR (default: "
                 "CLOUDVIP_CONFDIR, then\n"
                 "%s), or LifeKeeper's resource.  Further arguments are ignored: cluster managers "
                 "append some.\n",
                 spec->name, spec->name, spec->does, KIT_CONF_DIR);
}

/* The value of an option that takes one: "-tTAG", "-t TAG", "--confdir=DIR", "--confdir DIR". */
static bool option(const char *name, int argc, char **argv, int *i, const char **ret_value)
{
    size_t len = strlen(name);
    bool is_long = len > 2;

    if (!kit_str_starts(argv[*i], name))
        return false;
    if (argv[*i][len] == '\0') {
        if (*i + 1 >= argc)
            return true; /* nothing follows: as if it were not given */
        *ret_value = argv[++*i];
        return true;
    }
    if (is_long && argv[*i][len] != '=')
        return false;
    *ret_value = argv[*i] + len + (is_long ? 1 : 0);
    return true;
}

int act_main(const struct act_spec *spec, int argc, char **argv)
{
    struct act_args args = {.argv0 = argc > 0 ? argv[0] : NULL};

    for (int i = 1; i < argc; i++) {
        if (option("-t", argc, argv, &i, &args.tag) || option("-i", argc, argv, &i, &args.id) ||
            option("--confdir", argc, argv, &i, &args.confdir))
            continue;
        if (kit_str_eq(argv[i], "--json")) {
            args.json = true;
        } else if (kit_str_eq(argv[i], "-v")) {
            args.verbose = true;
        } else if (kit_str_eq(argv[i], "--help") || kit_str_eq(argv[i], "-h")) {
            usage(spec);
            return 0;
        } else if (kit_str_eq(argv[i], "--version")) {
            (void)puts("cloudvip " CLOUDVIP_VERSION);
            return 0;
        }
    }
    /* LifeKeeper's local recovery may name its object as sendevent does. */
    for (int i = 2; i < argc && !args.tag; i++)
        if (kit_str_eq(argv[i - 1], "-n") && !kit_str_starts(argv[i], "-"))
            args.tag = argv[i];
    return act_run(spec, &args);
}
