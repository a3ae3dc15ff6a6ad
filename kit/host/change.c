/* kit/host/change.c - one thing of an interface's configuration. */
#include "kit/host/change.h"

#include <stdlib.h>
#include <string.h>

#include "kit/base/mem.h"
#include "kit/sys/ifaddr.h"
#include "kit/sys/link.h"
#include "kit/sys/iprule.h"

void kit_changes_done(struct kit_changes *changes)
{
    free(changes->change);
    *changes = (struct kit_changes){0};
}

void kit_changes_add(struct kit_changes *changes, const struct kit_change *change)
{
    changes->change = kit_mem_grow(changes->change, changes->count + 1, sizeof(changes->change[0]));
    changes->change[changes->count++] = *change;
}

bool kit_change_eq(const struct kit_change *a, const struct kit_change *b)
{
    if (a->kind != b->kind)
        return false;
    if (a->kind == KIT_CHANGE_LINK)
        return true;
    if (!kit_addr_eq(&a->addr, &b->addr) || a->prefix_len != b->prefix_len)
        return false;
    if (a->kind == KIT_CHANGE_ADDRESS)
        return true;
    if (a->table != b->table)
        return false;
    return a->kind == KIT_CHANGE_RULE ||
           (a->metric == b->metric && a->gateway.family == b->gateway.family &&
            (a->gateway.family == 0 || kit_addr_eq(&a->gateway, &b->gateway)));
}

bool kit_changes_have(const struct kit_changes *changes, const struct kit_change *change)
{
    for (size_t i = 0; i < changes->count; i++)
        if (kit_change_eq(&changes->change[i], change))
            return true;
    return false;
}

/* ---- in iproute2's words --------------------------------------------------------------------- */

static void put_route(const struct kit_change *c, const char *interface, struct kit_buf *out)
{
    char text[KIT_ADDR_TEXT];

    (void)kit_buf_printf(out, "ip -%u route %s ", c->addr.family, c->undo ? "del" : "add");
    if (c->prefix_len == 0)
        (void)kit_buf_puts(out, "default");
    else
        (void)kit_buf_printf(out, "%s/%u", kit_addr_text(&c->addr, text), c->prefix_len);
    if (c->gateway.family)
        (void)kit_buf_printf(out, " via %s", kit_addr_text(&c->gateway, text));
    (void)kit_buf_printf(out, " dev %s", interface);
    if (c->table != KIT_ROUTE_MAIN)
        (void)kit_buf_printf(out, " table %u", c->table);
    if (c->metric)
        (void)kit_buf_printf(out, " metric %u", c->metric);
}

void kit_change_command(const struct kit_change *c, const char *interface, struct kit_buf *out)
{
    const char *verb = c->undo ? "del" : "add";
    char text[KIT_ADDR_TEXT];

    switch (c->kind) {
    case KIT_CHANGE_LINK:
        (void)kit_buf_printf(out, "ip link set dev %s %s", interface, c->undo ? "down" : "up");
        break;
    case KIT_CHANGE_ADDRESS:
        (void)kit_buf_printf(out, "ip -%u address %s %s/%u dev %s", c->addr.family, verb,
                             kit_addr_text(&c->addr, text), c->prefix_len, interface);
        if (!c->undo && c->metric)
            (void)kit_buf_printf(out, " metric %u", c->metric);
        if (!c->undo && c->addr.family == 6)
            (void)kit_buf_puts(out, " nodad");
        break;
    case KIT_CHANGE_ROUTE: put_route(c, interface, out); break;
    case KIT_CHANGE_RULE:
        (void)kit_buf_printf(out, "ip -%u rule %s from %s lookup %u", c->addr.family, verb,
                             kit_addr_text(&c->addr, text), c->table);
        break;
    }
}

/* ---- in the kernel's terms ------------------------------------------------------------------- */

struct kit_netlink_addr kit_change_netlink_addr(const struct kit_addr *addr, uint8_t prefix_len)
{
    struct kit_netlink_addr a = {.family = addr->family, .prefix_len = prefix_len};

    memcpy(a.byte, addr->byte, addr->family == 6 ? 16 : 4);
    return a;
}

struct kit_addr kit_change_addr(const struct kit_netlink_addr *addr)
{
    struct kit_addr a = {.family = addr->family};

    memcpy(a.byte, addr->byte, addr->family == 6 ? 16 : 4);
    return a;
}

struct kit_route kit_change_route(const struct kit_change *c, unsigned index)
{
    struct kit_route route = {.to = kit_change_netlink_addr(&c->addr, c->prefix_len),
                              .index = index,
                              .table = c->table,
                              .metric = c->metric,
                              .type = KIT_ROUTE_UNICAST,
                              .protocol = KIT_ROUTE_BOOT};

    if (c->gateway.family)
        route.gateway = kit_change_netlink_addr(&c->gateway, 0);
    return route;
}

static struct kit_iprule rule_of(const struct kit_change *c)
{
    return (struct kit_iprule){.from = kit_change_netlink_addr(&c->addr, c->prefix_len),
                               .table = c->table,
                               .lookup = true};
}

static bool has_address(const struct kit_change *c, const struct kit_host_now *now, bool exactly)
{
    for (size_t i = 0; i < now->addrs.count; i++) {
        const struct kit_ifaddr *a = &now->addrs.addr[i];
        const struct kit_addr addr = kit_change_addr(&a->addr);

        if (a->index == now->link.index && kit_addr_eq(&addr, &c->addr) &&
            (!exactly || a->addr.prefix_len == c->prefix_len))
            return true;
    }
    return false;
}

static bool has_route(const struct kit_change *c, const struct kit_host_now *now)
{
    const struct kit_route want = kit_change_route(c, now->link.index);

    for (size_t i = 0; i < now->routes.count; i++) {
        struct kit_route route = now->routes.route[i];
        if (c->table != KIT_ROUTE_MAIN)
            route.metric = want.metric;
        if (kit_route_eq(&route, &want))
            return true;
    }
    return false;
}

static bool has_rule(const struct kit_change *c, const struct kit_host_now *now)
{
    const struct kit_iprule want = rule_of(c);

    for (size_t i = 0; i < now->rules.count; i++)
        if (kit_iprule_eq(&now->rules.rule[i], &want))
            return true;
    return false;
}

static bool is_there(const struct kit_change *c, const struct kit_host_now *now, bool exactly)
{
    switch (c->kind) {
    case KIT_CHANGE_LINK: return now->link.up;
    case KIT_CHANGE_ADDRESS: return has_address(c, now, exactly);
    case KIT_CHANGE_ROUTE: return has_route(c, now);
    case KIT_CHANGE_RULE: return has_rule(c, now);
    }
    return false;
}

bool kit_change_is_there(const struct kit_change *change, const struct kit_host_now *now)
{
    return is_there(change, now, false);
}

bool kit_change_is_exactly_there(const struct kit_change *change, const struct kit_host_now *now)
{
    return is_there(change, now, true);
}

static int apply_link(const struct kit_change *c, const char *interface, bool *ret_changed,
                      struct kit_err *err)
{
    struct kit_link link;

    if (kit_link_read(interface, &link, err) != 0)
        return -1;
    *ret_changed = link.up == c->undo;
    return *ret_changed ? kit_link_set(interface, !c->undo, err) : 0;
}

static int apply(const struct kit_change *c, const char *interface, unsigned index,
                 bool *ret_changed, struct kit_err *err)
{
    const struct kit_ifaddr addr = {.index = index,
                                    .addr = kit_change_netlink_addr(&c->addr, c->prefix_len),
                                    .metric = c->metric};
    const struct kit_route route = kit_change_route(c, index);
    const struct kit_iprule rule = rule_of(c);

    switch (c->kind) {
    case KIT_CHANGE_LINK: return apply_link(c, interface, ret_changed, err);
    case KIT_CHANGE_ADDRESS:
        return (c->undo ? kit_ifaddr_del : kit_ifaddr_add)(&addr, ret_changed, err);
    case KIT_CHANGE_ROUTE:
        return (c->undo ? kit_route_del : kit_route_add)(&route, ret_changed, err);
    case KIT_CHANGE_RULE:
        return (c->undo ? kit_iprule_del : kit_iprule_add)(&rule, ret_changed, err);
    }
    return 0;
}

int kit_change_apply(const struct kit_change *change, const char *interface, unsigned index,
                     bool *ret_changed, struct kit_err *err)
{
    KIT_AUTO(kit_buf) command = KIT_BUF(256);

    if (apply(change, interface, index, ret_changed, err) == 0)
        return 0;
    kit_change_command(change, interface, &command);
    return kit_err_wrap(err, "%s", command.data);
}
