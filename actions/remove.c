/* actions/remove.c - let go of what is ours; never of what is another node's. */
#include "actions/act.h"

static enum act_outcome release(struct act *act)
{
    struct kit_vip vip = act_vip(act);
    struct kit_err err;
    bool held;

    if (kit_vip_release(&vip, &act->changed, &held, &err)) {
        /* The API failed or throttled us: the next restore takes it over from here, and a failing
         * remove would halt a LifeKeeper node. */
        if (!held || act_outcome_of(&err) == ACT_OUT_UNKNOWN)
            return act_unknown(act, &err);
        /* It is still ours and the cloud refuses to let go.  Never 0 then. */
        act->failed = true;
        act->err = err;
        act_log_err(&act->log, ACT_STILL_HERE, &err);
        return ACT_OUT_WRONG;
    }
    if (act->changed)
        act_log(&act->log, ACT_RELEASED, "released: %s", act->where);
    else
        act_log(&act->log, ACT_NOT_OURS, "not ours, left alone: %s", act->where);
    return ACT_OUT_RIGHT;
}

static enum act_outcome remove_from_cloud(struct act *act)
{
    struct kit_err err;

    if (act_open(act, &err))
        return act_unknown(act, &err);
    if (act->session.mover->release)
        return release(act);
    act_log(&act->log, ACT_NOTHING_TO_RELEASE,
            "%s: nothing to release, the next restore takes it over", act->session.mover->scenario);
    return ACT_OUT_RIGHT;
}

/* This host first: that needs nobody, and while the address is up here nobody may hear that it is
 * gone.  The cloud is asked all the same. */
static bool withdraw(struct act *act)
{
    bool off = act_local_withdraw(act); /* which asks the record, too */

    act->record.in_service = false;
    act->record.unknown_in_a_row = 0;
    return off;
}

static enum act_outcome run(struct act *act)
{
    bool off = withdraw(act);
    struct kit_err why = act->err;
    enum act_outcome outcome = remove_from_cloud(act);

    if (off)
        return outcome;
    act->err = why;
    return ACT_OUT_WRONG;
}

static enum act_outcome without_settings(struct act *act)
{
    struct kit_err why = act->err;

    if (!withdraw(act))
        return ACT_OUT_WRONG;
    act->err = why;
    return ACT_OUT_RIGHT;
}

const struct act_spec act_remove = {
    .name = "remove",
    .does = "take the address out of service on this node",
    .run = run,
    .timeout = KIT_PARAM_REMOVE_TIMEOUT,
    .hook_before = "pre_remove",
    .hook_after = "post_remove",
    .max_tries = ACT_TRIES_UNTIL_DEADLINE,
    .must_not_hinder = true,
    .without_settings = without_settings,
};
