/* actions/validate.c - would these settings do? */
#include "actions/validate.h"

#include "kit/base/str.h"
#include "kit/sys/link.h"
#include "kit/vip/plan.h"

/* Who the provider is may be a matter of this host alone (provider = auto): then nothing is asked,
 * and what no mover has looked at is not wrong yet. */
static int look_at_settings(struct act *act, struct kit_err *err)
{
    act->by = (struct kit_deadline){act->started_ns};
    if (!act_open(act, err))
        return 0;
    if (act_outcome_of(err) != ACT_OUT_UNKNOWN)
        return -1;
    if (kit_settings_text(&act->settings, KIT_PARAM_SCENARIO))
        return 0;
    act->incomplete = true;
    return kit_err_set(err, KIT_ERR_CONFIG, "%s: `scenario` is missing", act->settings.tag);
}

static int look_at_interface(const struct act *act, struct kit_err *err)
{
    const char *name = kit_settings_text(&act->settings, KIT_PARAM_INTERFACE);
    struct kit_link link;

    return name ? kit_link_read(name, &link, err) : 0;
}

static int look_at_cloud(struct act *act, struct kit_err *err)
{
    KIT_AUTO(kit_plan) plan = {0};
    struct kit_facts facts;
    struct kit_vip vip;
    int rc;

    if (act_open(act, err) || look_at_interface(act, err))
        return -1;
    vip = act_vip(act);
    if (kit_vip_locate(&vip, true, &facts, err))
        return -1;
    rc = kit_plan_claim(&facts, &plan, err);
    kit_plan_done(&plan); /* its steps point into the facts */
    kit_facts_done(&facts);
    return rc;
}

enum act_outcome act_validate(struct act *act, enum act_validate_depth depth)
{
    struct kit_err err;
    int rc = act_read_settings(act, &err);

    if (!rc)
        rc = depth == ACT_VALIDATE_CLOUD ? look_at_cloud(act, &err) : look_at_settings(act, &err);
    act_close(act);
    return rc ? act_fail(act, &err) : ACT_OUT_RIGHT;
}
