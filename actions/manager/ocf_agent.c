/* actions/manager/ocf_agent.c - the actions of the resource agent. */
#include "actions/manager/ocf_agent.h"

#include <stdlib.h>

#include "actions/manager/ocf.h"
#include "actions/validate.h"
#include "kit/base/str.h"

/* 45 KiB with all movers. */
#define METADATA_BYTES (256u * 1024)

/* OCF_CHECK_LEVEL from which on the environment is validated, too (OCF 1.1, "Check levels"). */
#define LEVEL_CLOUD 10

static const struct act_spec validate_all = ACT_VALIDATE_SPEC("validate-all");
static const struct act_spec reload_agent = ACT_VALIDATE_SPEC("reload-agent");

static enum act_validate_depth asked_depth(void)
{
    const char *level = getenv("OCF_CHECK_LEVEL");
    int64_t number;

    return level && kit_str_to_int(level, LEVEL_CLOUD, INT32_MAX, &number) ? ACT_VALIDATE_CLOUD
                                                                           : ACT_VALIDATE_SETTINGS;
}

/* Every action reads its settings anew: to reload them is to see that they can be used. */
static int validate(const struct act_spec *spec, const struct act_args *args)
{
    enum act_validate_depth depth = spec == &validate_all ? asked_depth() : ACT_VALIDATE_SETTINGS;
    struct act act;
    struct act_end end;
    enum act_outcome outcome;
    int status;

    act_init(&act, spec, args);
    outcome = act_validate(&act, depth);
    end = act_end(&act, outcome);
    status = args->manager->exit_status(&act.call, &end);
    args->manager->ended(&act.call, &end, status);
    act_done(&act);
    return status;
}

static const struct {
    const char *name;
    const struct act_spec *spec;
    int (*run)(const struct act_spec *spec, const struct act_args *args);
} actions[] = {
    {"start", &act_restore, act_run},          {"stop", &act_remove, act_run},
    {"monitor", &act_quick_check, act_run},    {"status", &act_quick_check, act_run},
    {"validate-all", &validate_all, validate}, {"reload-agent", &reload_agent, validate},
    {"reload", &reload_agent, validate},
};

static void usage(FILE *out)
{
    (void)fputs(
        "usage: cloudvip {start|stop|monitor|validate-all|reload-agent|meta-data|usage}\n\n"
        "The resource agent ocf:cloudvip:cloudvip.  Pacemaker runs it, with the parameters\n"
        "in OCF_RESKEY_*; meta-data describes them.\n",
        out);
}

static int print_metadata(void)
{
    KIT_AUTO(kit_buf) out = KIT_BUF(METADATA_BYTES);

    act_ocf_metadata(&out);
    if (out.overflow || fputs(out.data, stdout) == EOF || fflush(stdout))
        return ACT_OCF_ERR_GENERIC;
    return ACT_OCF_SUCCESS;
}

int act_ocf_agent(const char *action, const char *argv0)
{
    KIT_AUTOFREE char *tag = act_ocf_tag();
    const struct act_args args = {.tag = tag, .argv0 = argv0, .manager = &act_manager_ocf};

    if (kit_str_eq(action, "meta-data"))
        return print_metadata();
    if (kit_str_eq(action, "usage") || kit_str_eq(action, "help")) {
        usage(stdout);
        return ACT_OCF_SUCCESS;
    }
    for (size_t i = 0; i < KIT_LEN(actions); i++) {
        if (!kit_str_eq(actions[i].name, action))
            continue;
        if (!tag) {
            (void)fputs("ocf-exit-reason:no name: OCF_RESOURCE_INSTANCE is not set\n", stderr);
            return ACT_OCF_ERR_ARGS;
        }
        return actions[i].run(actions[i].spec, &args);
    }
    usage(stderr);
    return ACT_OCF_ERR_UNIMPLEMENTED;
}
