#include "kit/vip/local.h"

#include <errno.h>
#include <string.h>

#include "kit/base/str.h"
#include "kit/sys/arp.h"
#include "kit/sys/link.h"

/* Between announcements: enough for a queue to drain, too short to be waited for. */
#define SPACING_MS INT64_C(20)

enum kit_local_role kit_local_role(const struct kit_settings *settings)
{
    static const struct {
        const char *scenario;
        enum kit_local_role role;
    } roles[] = {
        {"route-table", KIT_LOCAL_BESIDE},
        {"private-ip", KIT_LOCAL_BESIDE},
        {"havip", KIT_LOCAL_CLAIM},
    };

    for (size_t i = 0; i < KIT_LEN(roles); i++)
        if (kit_settings_is(settings, KIT_PARAM_SCENARIO, roles[i].scenario))
            return roles[i].role;
    if (kit_settings_is(settings, KIT_PARAM_SCENARIO, "elastic-ip") &&
        kit_settings_is(settings, KIT_PARAM_EIP_MODE, "multi"))
        return KIT_LOCAL_GUEST;
    return KIT_LOCAL_NONE;
}

bool kit_local_wanted(const struct kit_settings *settings, bool dflt)
{
    if (kit_settings_text(settings, KIT_PARAM_LOCAL_ADDRESS))
        return kit_settings_yes(settings, KIT_PARAM_LOCAL_ADDRESS) &&
               kit_local_role(settings) != KIT_LOCAL_NONE;
    switch (kit_local_role(settings)) {
    case KIT_LOCAL_NONE:
    case KIT_LOCAL_GUEST: return false;
    case KIT_LOCAL_BESIDE: return dflt;
    case KIT_LOCAL_CLAIM: return true;
    }
    return false;
}

void kit_local_set(struct kit_local *local, const char *interface, const struct kit_addr *addr,
                   uint8_t prefix_len)
{
    struct kit_local set = {.addr.family = addr->family, .addr.prefix_len = prefix_len};

    if (!prefix_len)
        set.addr.prefix_len = addr->family == 6 ? 128 : 32;
    memcpy(set.addr.byte, addr->byte, sizeof(set.addr.byte));
    (void)kit_str_copy(set.interface, sizeof(set.interface), interface); /* may be local's own */
    *local = set;
}

const char *kit_local_text(const struct kit_local *local, char buf[KIT_ADDR_TEXT])
{
    struct kit_addr addr = {.family = local->addr.family};

    memcpy(addr.byte, local->addr.byte, sizeof(addr.byte));
    return kit_addr_text(&addr, buf);
}

/* A guest's comes with the prefix length that the cloud tells. */
static void place_address(const struct kit_settings *settings, const struct kit_facts *facts,
                          struct kit_local *local)
{
    const struct kit_addr *addr = kit_settings_addr(settings, KIT_PARAM_ADDRESS);
    const struct kit_guest *guest = facts->count ? &facts->binding[0].guest : NULL;

    if (kit_local_role(settings) != KIT_LOCAL_GUEST && addr)
        kit_local_set(local, local->interface, addr, 0);
    else if (guest && guest->addr.family)
        kit_local_set(local, local->interface, &guest->addr, guest->prefix_len);
}

int kit_local_place(const struct kit_settings *settings, const struct kit_facts *facts,
                    struct kit_local *ret_local, const char **ret_why, struct kit_err *err)
{
    const char *name = kit_settings_text(settings, KIT_PARAM_INTERFACE);
    struct kit_local local = {.interface = ""};
    struct kit_link link;

    if (!name && !facts->my_mac[0]) {
        *ret_why = "it is not known which one the ENI is: set `interface`";
        return 0;
    }
    if (!name && kit_link_find(facts->my_mac, &link, err)) {
        if (err->kind != KIT_ERR_NOT_FOUND)
            return kit_err_wrap(err, "which interface is %s: set `interface`", facts->me);
        *ret_why = "none has the ENI's MAC: set `interface`";
        return 0;
    }
    (void)kit_str_copy(local.interface, sizeof(local.interface), name ? name : link.name);
    place_address(settings, facts, &local);
    *ret_local = local;
    return 1;
}

/* What the record has a note of; false: of nothing. */
static bool noted(const struct kit_record *record, struct kit_local *ret_local)
{
    struct kit_addr addr;

    if (!record->local_interface[0] || !kit_addr_parse(record->local_address, &addr))
        return false;
    kit_local_set(ret_local, record->local_interface, &addr, 0);
    return true;
}

bool kit_local_expected(const struct kit_settings *settings, const struct kit_record *record,
                        struct kit_local *ret_local)
{
    const char *interface = kit_settings_text(settings, KIT_PARAM_INTERFACE);
    const struct kit_addr *addr = kit_settings_addr(settings, KIT_PARAM_ADDRESS);
    struct kit_local local = {.interface = ""};
    bool known = noted(record, &local);

    if (!record->in_service || !kit_local_wanted(settings, known))
        return false;
    if (interface)
        (void)kit_str_copy(local.interface, sizeof(local.interface), interface);
    if (addr)
        kit_local_set(&local, local.interface, addr, 0);
    if (!local.interface[0] || !local.addr.family)
        return false;
    *ret_local = local;
    return true;
}

int kit_local_look(const struct kit_local *local, enum kit_local_state *ret_state,
                   struct kit_err *err)
{
    bool has;

    if (!kit_netlink_addr_has(local->interface, &local->addr, &has, err))
        *ret_state = has ? KIT_LOCAL_UP : KIT_LOCAL_MISSING;
    else if (err->kind == KIT_ERR_CONFIG)
        *ret_state = KIT_LOCAL_GONE;
    else
        return -1;
    return 0;
}

static void set_note(struct kit_record *record, const struct kit_local *local, bool ours)
{
    char text[KIT_ADDR_TEXT];

    (void)kit_str_copy(record->local_interface, sizeof(record->local_interface), local->interface);
    (void)kit_str_copy(record->local_address, sizeof(record->local_address),
                       kit_local_text(local, text));
    record->local_ours = ours;
}

static bool is_noted(const struct kit_record *record, const struct kit_local *local)
{
    char text[KIT_ADDR_TEXT];

    return kit_str_eq(record->local_interface, local->interface) &&
           kit_str_eq(record->local_address, kit_local_text(local, text));
}

int kit_local_owner(const struct kit_local *local, const struct kit_record *record, bool expected,
                    enum kit_local_owner *ret_owner, struct kit_err *err)
{
    struct kit_netlink_seen seen = {.has = false};
    bool ours;

    if (kit_netlink_addr_see(local->interface, &local->addr, &seen, err) &&
        err->kind != KIT_ERR_CONFIG)
        return -1;
    if (is_noted(record, local))
        ours = record->local_ours || seen.marked;
    else
        ours = seen.marked || (expected && seen.alike && !record->in_service);
    *ret_owner = !seen.has ? KIT_LOCAL_NOBODY : ours ? KIT_LOCAL_US : KIT_LOCAL_ANOTHER;
    return 0;
}

void kit_local_leave(const struct kit_local *local, struct kit_record *record)
{
    set_note(record, local, false);
}

/* ---- up -------------------------------------------------------------------------------------- */

int kit_local_note(const char *tag, const struct kit_local *local, struct kit_record *record,
                   struct kit_err *err)
{
    struct kit_record before = *record;
    bool removed;

    if (record->local_ours && is_noted(record, local))
        return 0;
    if (!is_noted(record, local) && kit_local_down(record, &removed, err))
        return kit_err_wrap(err, "withdraw what was put up before");
    set_note(record, local, true);
    if (!kit_record_write(tag, record, err))
        return 0;
    /* Without a note the next remove would take it for somebody else's. */
    *record = before;
    return kit_err_wrap(err, "note that the address is ours to take off");
}

static int add(const struct kit_local *local, bool *ret_added, struct kit_err *err)
{
    if (!kit_netlink_addr_add(local->interface, &local->addr, ret_added, err))
        return 0;
    if (err->sys == EPERM)
        (void)kit_err_wrap(err, "this needs CAP_NET_ADMIN (or set local_address = no)");
    return -1;
}

int kit_local_up(const char *tag, const struct kit_local *local, struct kit_record *record,
                 bool *ret_added, struct kit_err *err)
{
    struct kit_netlink_seen seen;
    struct kit_err ignored;
    bool added, removed;

    if (!is_noted(record, local) && kit_local_down(record, &removed, err))
        return kit_err_wrap(err, "withdraw what was put up before");
    if (kit_netlink_addr_see(local->interface, &local->addr, &seen, err))
        return -1;
    *ret_added = false;
    if (seen.has) {
        set_note(record, local, record->local_ours || seen.marked);
        return 0;
    }
    if (kit_local_note(tag, local, record, err))
        return -1;
    if (add(local, &added, err)) {
        record->local_ours = false;
        (void)!kit_record_write(tag, record, &ignored); /* a note of nothing does no harm */
        return -1;
    }
    if (!added) { /* somebody was quicker: theirs */
        record->local_ours = false;
        return kit_record_write(tag, record, err);
    }
    *ret_added = true;
    return 0;
}

/* ---- down ------------------------------------------------------------------------------------ */

int kit_local_take_off(const struct kit_local *local, bool *ret_removed, struct kit_err *err)
{
    bool removed = false, proxy;

    if ((kit_netlink_addr_del(local->interface, &local->addr, &removed, err) ||
         kit_netlink_proxy_del(local->interface, &local->addr, &proxy, err)) &&
        err->kind != KIT_ERR_CONFIG) /* no such interface, no address on it */
        return -1;
    *ret_removed = removed;
    return 0;
}

int kit_local_down(struct kit_record *record, bool *ret_removed, struct kit_err *err)
{
    struct kit_local local;
    enum kit_local_state state;

    *ret_removed = false;
    if (noted(record, &local)) {
        if (record->local_ours && kit_local_take_off(&local, ret_removed, err))
            return -1;
        if (!record->local_ours && !kit_local_look(&local, &state, err) && state == KIT_LOCAL_UP)
            return 0;
    }
    record->local_interface[0] = record->local_address[0] = '\0';
    record->local_ours = false;
    return 0;
}

int kit_local_announce(const struct kit_local *local, unsigned count, const struct kit_clock *clock,
                       struct kit_deadline by, struct kit_err *err)
{
    return kit_arp_announce(local->interface, &local->addr, count, SPACING_MS, clock, by, err);
}
