#include "actions/local.h"

#include <string.h>

#include "actions/act.h"
#include "kit/base/str.h"
#include "kit/sys/link.h"

/* An interface that was just set up has its carrier within moments, or not at all. */
#define CARRIER_MS INT64_C(10000)

static bool wanted(const struct act *act)
{
    return kit_local_wanted(&act->settings, !act->manager->puts_addresses);
}

/* ---- before the claim ------------------------------------------------------------------------ */

static int bring_up(struct act *act, const char *name, struct kit_err *err)
{
    struct kit_link link;

    if (kit_link_read(name, &link, err))
        return -1;
    if (link.up && link.running)
        return 0;
    if (kit_link_bring_up(name, act->clock,
                          kit_deadline_earlier(act->by, kit_deadline_in_ms(act->clock, CARRIER_MS)),
                          err)) {
        act_log_err(&act->log, ACT_NIC_DOWN, err);
        return kit_err_wrap(err, "bring up interface %s", name);
    }
    act_log(&act->log, ACT_NIC_UP, "interface %s was down: brought up", name);
    return 0;
}

int act_local_ready_nic(struct act *act, struct kit_err *err)
{
    const char *name = kit_settings_text(&act->settings, KIT_PARAM_INTERFACE);
    struct kit_link link;

    if (!name)
        return 0;
    if (act->session.mover->nic_serves || wanted(act))
        return bring_up(act, name, err);
    /* Whoever puts the address there, it has to exist: the next check would call it lost, and a
     * recover that finds the cloud in order would keep the resource here for ever. */
    return kit_local_role(&act->settings) == KIT_LOCAL_BESIDE ? kit_link_read(name, &link, err) : 0;
}

static int put_up(struct act *act, struct kit_err *err)
{
    struct act_local *l = &act->local;
    char text[KIT_ADDR_TEXT];
    bool added;

    (void)kit_local_text(&l->at, text);
    if (kit_local_up(act->settings.tag, &l->at, &act->record, &added, err))
        return kit_err_wrap(err, "put %s on %s", text, l->at.interface);
    if (added)
        act_log(&act->log, ACT_LOCAL_UP, "%s is on %s now", text, l->at.interface);
    else if (!act->record.local_ours)
        act_log(&act->log, ACT_LOCAL_UP, "%s is on %s already, by another process: left to it",
                text, l->at.interface);
    l->added = l->added || added;
    return 0;
}

int act_local_ready(void *arg, const struct kit_facts *facts, struct kit_err *err)
{
    struct act *act = arg;
    struct act_local *l = &act->local;
    const char *why;
    int found;

    l->known = l->awaited = false;
    if (!wanted(act))
        return 0;
    found = kit_local_place(&act->settings, facts, &l->at, &why, err);
    if (found < 0)
        return -1;
    if (!found && kit_settings_yes(&act->settings, KIT_PARAM_LOCAL_ADDRESS))
        return kit_err_set(err, KIT_ERR_CONFIG, "local_address = yes, on which interface? %s", why);
    if (!found) {
        act_log(&act->log, ACT_LOCAL_NONE, "the address is put on no interface of this host: %s",
                why);
        return 0;
    }
    if (bring_up(act, l->at.interface, err))
        return -1;
    l->awaited = !l->at.addr.family;
    l->known = !l->awaited;
    if (l->awaited)
        return 0;
    if (kit_local_role(&act->settings) == KIT_LOCAL_CLAIM)
        return kit_local_note(act->settings.tag, &l->at, &act->record, err);
    return put_up(act, err);
}

int act_local_follow(struct act *act, struct kit_err *err)
{
    struct kit_vip vip = act_vip(act);
    struct kit_facts facts;
    int rc;

    if (!act->local.awaited)
        return 0;
    if (kit_vip_locate(&vip, true, &facts, err))
        return -1;
    rc = act_local_ready(act, &facts, err);
    kit_facts_done(&facts);
    if (!rc && act->local.awaited)
        rc = kit_err_set(err, KIT_ERR_TRANSIENT,
                         "the cloud does not tell yet which mask and gateway the address has");
    return rc;
}

/* ---- after it -------------------------------------------------------------------------------- */

void act_local_observe(struct act *act, enum kit_vip_event event, const struct kit_facts *facts,
                       const struct kit_step *step)
{
    bool mine = false;

    if (event == KIT_VIP_STEP && step->binding && !step->release &&
        (step->result == KIT_STEP_DONE || step->result == KIT_STEP_OPEN))
        act->local.may_be_here = true;
    if (event != KIT_VIP_FACTS)
        return;
    for (size_t i = 0; i < facts->count; i++)
        mine = mine || facts->binding[i].mine;
    act->local.may_be_here = act->local.may_be_here && mine;
}

static bool has_param(const struct kit_mover *mover, enum kit_param param)
{
    for (size_t i = 0; i < mover->params_count; i++)
        if (mover->params[i].param == param)
            return true;
    return false;
}

/* Where a neighbour may have the old node's MAC, garp_count times; elsewhere (a routed address) one
 * does for those who have it on their link nevertheless. */
static unsigned announcements(const struct act *act)
{
    return has_param(act->session.mover, KIT_PARAM_GARP_COUNT)
               ? (unsigned)kit_settings_number(&act->settings, KIT_PARAM_GARP_COUNT)
               : 1;
}

void act_local_announce(struct act *act)
{
    const struct act_local *l = &act->local;
    struct kit_err err;

    /* In service, and nothing changed: that restore did it.  A run that was killed never got so
     * far as to be in service. */
    if (!l->known || kit_local_role(&act->settings) == KIT_LOCAL_CLAIM ||
        (act->record.in_service && !l->added && !act->changed))
        return;
    if (kit_local_announce(&l->at, announcements(act), act->clock, act->by, &err))
        act_log_err(&act->log, ACT_LOCAL_TROUBLE, &err);
}

void act_local_undo(struct act *act)
{
    struct act_local *l = &act->local;
    char text[KIT_ADDR_TEXT];
    enum kit_local_state state;
    struct kit_err err;
    bool removed;

    if (!l->known)
        return;
    (void)kit_local_text(&l->at, text);
    if (kit_local_role(&act->settings) == KIT_LOCAL_CLAIM) {
        /* The mover has taken off what it had put up; the note lives as long as the address. */
        if (!kit_local_look(&l->at, &state, &err) && state != KIT_LOCAL_UP)
            (void)!kit_local_down(&act->record, &removed, &err);
        return;
    }
    if (!l->added)
        return;
    if (l->may_be_here) {
        /* Off, it would be a black hole for whatever the cloud sends here; on, it is what the cloud
         * says.  The next remove takes it off, and so knows this host's part without the cloud. */
        act_log(&act->log, ACT_LOCAL_KEPT, "%s stays on %s: the cloud may send it here", text,
                l->at.interface);
        return;
    }
    if (kit_local_down(&act->record, &removed, &err)) {
        (void)kit_err_wrap(&err, "%s stays on %s", text, l->at.interface);
        act_log_err(&act->log, ACT_LOCAL_TROUBLE, &err);
        return;
    }
    act_log(&act->log, ACT_LOCAL_DOWN, "%s is off %s again", text, l->at.interface);
}

/* ---- quickCheck, remove ---------------------------------------------------------------------- */

bool act_local_lost(struct act *act)
{
    struct kit_local local;
    enum kit_local_state state;
    char text[KIT_ADDR_TEXT];
    struct kit_err err;

    if (!kit_local_expected(&act->settings, &act->record, &local))
        return false;
    if (kit_local_look(&local, &state, &err)) {
        act_log_err(&act->log, ACT_LOCAL_TROUBLE, &err); /* "could not ask" is not "lost" */
        return false;
    }
    if (state == KIT_LOCAL_UP)
        return false;
    (void)kit_str_format(act->where, sizeof(act->where), "%s is not on %s%s",
                         kit_local_text(&local, text), local.interface,
                         state == KIT_LOCAL_GONE ? ", which is gone" : "");
    act_log(&act->log, ACT_LOCAL_LOST, "not here: %s", act->where);
    return true;
}

/* What a HAVIP's remove takes off whoever put it there. */
static bool is_claim_here(const struct act *act, struct kit_local *ret_local)
{
    const char *interface = kit_settings_text(&act->settings, KIT_PARAM_INTERFACE);
    const struct kit_addr *addr = kit_settings_addr(&act->settings, KIT_PARAM_ADDRESS);

    if (!interface || !addr || kit_local_role(&act->settings) != KIT_LOCAL_CLAIM || !wanted(act))
        return false;
    kit_local_set(ret_local, interface, addr, 0);
    return true;
}

static int take_off(struct act *act, struct kit_err *err)
{
    struct kit_local local;
    char place[sizeof(act->record.local_interface)], text[KIT_ADDR_TEXT];
    bool removed;

    (void)kit_str_copy(place, sizeof(place), act->record.local_interface);
    (void)kit_str_copy(text, sizeof(text), act->record.local_address);
    if (kit_local_down(&act->record, &removed, err))
        return kit_err_wrap(err, "take %s off %s", text, place);
    if (removed)
        act_log(&act->log, ACT_LOCAL_DOWN, "%s is off %s", text, place);
    if (!is_claim_here(act, &local))
        return 0;
    (void)kit_local_text(&local, text);
    if (kit_local_take_off(&local, &removed, err))
        return kit_err_wrap(err, "take %s off %s", text, local.interface);
    if (removed)
        act_log(&act->log, ACT_LOCAL_DOWN, "%s is off %s", text, local.interface);
    return 0;
}

/* Is the address up nevertheless?  Without `interface` in the settings it is looked for on all: a
 * host may have it on lo for good. */
static bool find_rest(struct act *act, struct kit_local *ret_local, enum kit_local_owner *ret_owner)
{
    const char *interface = kit_settings_text(&act->settings, KIT_PARAM_INTERFACE);
    const struct kit_addr *addr = kit_settings_addr(&act->settings, KIT_PARAM_ADDRESS);
    char found[KIT_NETLINK_NAME] = "";
    struct kit_local local;
    struct kit_err err;

    if (!addr || !wanted(act))
        return false;
    kit_local_set(&local, interface ? interface : "", addr, 0);
    if (!interface && !kit_netlink_addr_find(&local.addr, found, &err))
        kit_local_set(&local, found, addr, 0);
    if (!local.interface[0])
        return false;
    if (kit_local_owner(&local, &act->record, interface != NULL, ret_owner, &err)) {
        act_log_err(&act->log, ACT_LOCAL_TROUBLE, &err);
        return false;
    }
    *ret_local = local;
    return *ret_owner != KIT_LOCAL_NOBODY;
}

/* What the record has no note of as ours: the record may have been lost since. */
static int take_off_rest(struct act *act, struct kit_err *err)
{
    struct kit_local local;
    enum kit_local_owner owner;
    char text[KIT_ADDR_TEXT];
    bool removed;

    if (!find_rest(act, &local, &owner))
        return 0;
    (void)kit_local_text(&local, text);
    if (owner == KIT_LOCAL_ANOTHER) {
        act_log(&act->log, ACT_LOCAL_FOREIGN, "%s stays on %s: another process put it there", text,
                local.interface);
        kit_local_leave(&local, &act->record); /* twice is the same as once */
        return 0;
    }
    if (kit_local_take_off(&local, &removed, err))
        return kit_err_wrap(err, "take %s off %s", text, local.interface);
    if (removed)
        act_log(&act->log, ACT_LOCAL_DOWN, "%s is off %s, where the record knew nothing of it",
                text, local.interface);
    return 0;
}

/* Another resource of this node that serves the address on that interface. */
struct heir {
    const char *own_tag;
    const struct kit_local *local;
    char tag[256];
    struct kit_record record;
};

/* kit_record_take_fn */
static void consider(void *arg, const char *tag, const struct kit_record *record)
{
    struct heir *heir = arg;
    char text[KIT_ADDR_TEXT];

    if (heir->tag[0] || !record->in_service || kit_str_eq(tag, heir->own_tag) ||
        strlen(tag) >= sizeof(heir->tag) ||
        !kit_str_eq(record->local_interface, heir->local->interface) ||
        !kit_str_eq(record->local_address, kit_local_text(heir->local, text)))
        return;
    (void)kit_str_copy(heir->tag, sizeof(heir->tag), tag);
    heir->record = *record;
}

/* True: the address stays up for another resource in service here, which takes it off in its turn.
 * Both have the address's lock. */
static bool hand_over(struct act *act)
{
    struct kit_record *mine = &act->record;
    struct kit_local local;
    struct heir heir = {.own_tag = act->call.tag, .local = &local};
    enum kit_local_owner owner = KIT_LOCAL_ANOTHER;
    struct kit_addr addr;
    char text[KIT_ADDR_TEXT];
    struct kit_err ignored;

    if (kit_local_role(&act->settings) == KIT_LOCAL_CLAIM)
        return false;
    if (mine->local_interface[0] && kit_addr_parse(mine->local_address, &addr))
        kit_local_set(&local, mine->local_interface, &addr, 0);
    else if (!find_rest(act, &local, &owner))
        return false;
    if (kit_record_each(consider, &heir, &ignored) || !heir.tag[0])
        return false;
    heir.record.local_ours |= mine->local_ours || owner == KIT_LOCAL_US;
    if (kit_record_write(heir.tag, &heir.record, &ignored))
        return false;
    act_log(&act->log, ACT_LOCAL_SHARED, "%s stays on %s: %s serves it here",
            kit_local_text(&local, text), local.interface, heir.tag);
    mine->local_interface[0] = mine->local_address[0] = '\0';
    mine->local_ours = false;
    return true;
}

bool act_local_withdraw(struct act *act)
{
    struct kit_err err;

    if (hand_over(act) || (!take_off(act, &err) && !take_off_rest(act, &err)))
        return true;
    act->failed = true;
    act->err = err;
    act_log_err(&act->log, ACT_STILL_HERE, &err);
    return false;
}

bool act_local_held(struct act *act)
{
    struct kit_local local;
    enum kit_local_state state;
    enum kit_local_owner owner;
    struct kit_err err;

    return act->record.local_ours ||
           (is_claim_here(act, &local) &&
            (kit_local_look(&local, &state, &err) || state == KIT_LOCAL_UP)) ||
           (find_rest(act, &local, &owner) && owner == KIT_LOCAL_US);
}
