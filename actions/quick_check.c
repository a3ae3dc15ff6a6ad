/* actions/quick_check.c - is the address here?  Reads only. */
#include "actions/act.h"
#include "kit/base/str.h"
#include "kit/sys/link.h"
#include "kit/vip/local.h"

/* "I could not ask" is never "it is lost", unless the site says so with on_unknown. */
static enum act_outcome not_known(struct act *act, const struct kit_err *err)
{
    int64_t limit = kit_settings_number(&act->settings, KIT_PARAM_ON_UNKNOWN);
    enum act_outcome outcome = act_unknown(act, err);
    bool fail;

    act->record.unknown_in_a_row++;
    act_close(act); /* a hook needs no session, and its process no credentials */
    if (act_hooks_decide(act, err, &fail))
        return fail ? ACT_OUT_WRONG : outcome;
    if (limit <= 0 || act->record.unknown_in_a_row < (uint64_t)limit)
        return outcome;
    act_log(&act->log, ACT_UNKNOWN_LIMIT,
            "not known %u times in a row, and on_unknown = %s: counted as a failure",
            act->record.unknown_in_a_row, kit_settings_text(&act->settings, KIT_PARAM_ON_UNKNOWN));
    return ACT_OUT_WRONG;
}

/* The interface of a resource in service: gone or down means that nothing is served here, whatever
 * the cloud says.  Down counts where a restore would have set it up. */
static bool nic_is_lost(struct act *act, bool must_be_up)
{
    const char *name = kit_settings_text(&act->settings, KIT_PARAM_INTERFACE);
    struct kit_local local;
    struct kit_link link;
    struct kit_err err;

    if (kit_local_expected(&act->settings, &act->record, &local)) {
        name = local.interface;
        must_be_up = true;
    }
    if (!name || !act->record.in_service)
        return false;
    if (kit_link_read(name, &link, &err)) {
        if (err.kind != KIT_ERR_CONFIG) { /* "could not ask" is not "lost" */
            act_log_err(&act->log, ACT_LOCAL_TROUBLE, &err);
            return false;
        }
        (void)kit_str_copy(act->where, sizeof(act->where), err.msg);
        act_log_err(&act->log, ACT_NIC_DOWN, &err);
        return true;
    }
    if (!must_be_up || (link.up && link.running))
        return false;
    (void)kit_str_format(act->where, sizeof(act->where), "interface %s is %s", name,
                         link.up ? "up but has no carrier" : "down");
    act_log(&act->log, ACT_NIC_DOWN, "%s", act->where);
    return true;
}

static enum act_outcome run(struct act *act)
{
    struct kit_facts facts;
    struct kit_vip vip;
    struct kit_err err;
    enum kit_whereabouts where;

    /* Before the cloud is asked: it may be the way there. */
    if (act_local_lost(act) || nic_is_lost(act, false))
        return ACT_OUT_WRONG;
    if (act_open(act, &err))
        return not_known(act, &err);
    if (act->session.mover->nic_serves && nic_is_lost(act, true))
        return ACT_OUT_WRONG;
    vip = act_vip(act);
    if (kit_vip_locate(&vip, false, &facts, &err))
        return not_known(act, &err);
    where = kit_where_is(&facts);
    kit_facts_done(&facts);
    act->record.unknown_in_a_row = 0;
    if (where == KIT_WHERE_HERE) {
        act_log(&act->log, ACT_HERE, "here: %s", act->where);
        return ACT_OUT_RIGHT;
    }
    act_log(&act->log, act_is_idle_probe(act) ? ACT_STANDBY : ACT_ELSEWHERE, "not here: %s",
            act->where);
    return ACT_OUT_WRONG;
}

const struct act_spec act_quick_check = {
    .name = "quickCheck",
    .does = "is the address here?",
    .run = run,
    .timeout = KIT_PARAM_QUICKCHECK_TIMEOUT,
    .hook_after = "post_check",
    .hook_unknown = "on_unknown",
    .max_tries = ACT_TRIES_CHECK,
    .changes_nothing = true,
};
