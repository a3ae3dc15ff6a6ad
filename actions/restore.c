/* actions/restore.c - bring the address here, whoever has it. */
#include "actions/act.h"
#include "kit/sys/link.h"

/* What may pass is waited for until the deadline, and never longer at a time than this. */
static const struct kit_backoff pause_between = {.base_ns = KIT_NS_PER_S,
                                                 .cap_ns = 5 * KIT_NS_PER_S};

static int try_once(struct act *act, struct kit_err *err)
{
    struct kit_vip vip;
    bool changed;
    int rc;

    if (act_open(act, err) || act_local_ready_nic(act, err))
        return -1;
    vip = act_vip(act);
    rc = kit_vip_claim(&vip, &changed, err);
    act->changed = act->changed || changed;
    return rc ? rc : act_local_follow(act, err);
}

/* "I could not ask" is no reason to give up while there is time: the metadata service, STS or the
 * API may come back. */
static int try_until_deadline(struct act *act, struct kit_err *err)
{
    for (unsigned tries = 1;; tries++) {
        int64_t nap_ns;

        if (!try_once(act, err))
            return 0;
        nap_ns = kit_backoff_ns(&pause_between, tries, act->clock);
        if (!kit_err_retryable(err) || kit_clock_now_ns(act->clock) + nap_ns >= act->by.at_ns)
            return -1;
        act_log_err(&act->log, ACT_RETRY, err);
        act_close(act);
        act->clock->sleep_ns(act->clock->self, nap_ns);
    }
}

/* The check has called the resource lost because of its interface, which the cloud has no mind of:
 * to find it in order there would keep the resource here for ever.  Only a scenario that does not
 * need the interface beforehand comes here without one. */
static int check_nic_is_there(const struct act *act, struct kit_err *err)
{
    const char *name = kit_settings_text(&act->settings, KIT_PARAM_INTERFACE);
    struct kit_link link;

    if (act->spec != &act_recover || act->changed || !name || !kit_link_read(name, &link, err) ||
        err->kind != KIT_ERR_CONFIG)
        return 0;
    err->kind = KIT_ERR_STATE;
    return kit_err_wrap(err, "the cloud has it here");
}

enum act_outcome act_bring_here(struct act *act)
{
    struct kit_err err;

    if (try_until_deadline(act, &err)) {
        act_local_undo(act);
        if (act->spec == &act_restore)
            act->record.in_service = false;
        return act_fail(act, &err);
    }
    if (check_nic_is_there(act, &err))
        return act_fail(act, &err);
    act_local_announce(act);
    if (act->changed)
        act_log(&act->log, ACT_MOVED, "the address is here now: %s", act->where);
    else
        act_log(&act->log, ACT_HERE, "the address is here already: %s", act->where);
    act->record.in_service = true;
    act->record.unknown_in_a_row = 0;
    return ACT_OUT_RIGHT;
}

const struct act_spec act_restore = {
    .name = "restore",
    .does = "bring the address into service on this node",
    .run = act_bring_here,
    .timeout = KIT_PARAM_RESTORE_TIMEOUT,
    .hook_before = "pre_restore",
    .hook_after = "post_restore",
    .max_tries = ACT_TRIES_UNTIL_DEADLINE,
};
