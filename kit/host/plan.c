/* kit/host/plan.c - what it takes to set an interface up, or to take that back. */
#include "kit/host/plan.h"

#include <string.h>

#include "kit/base/str.h"

void kit_host_plan_done(struct kit_host_plan *plan)
{
    kit_changes_done(&plan->want);
    kit_changes_done(&plan->todo);
}

/* ---- what it shall have ---------------------------------------------------------------------- */

/* It would come up here after a reboot although another node serves it by then. */
static bool moves(const struct kit_host_ask *ask, const struct kit_addr *addr)
{
    for (size_t i = 0; i < ask->moving_count; i++)
        if (kit_addr_eq(&ask->moving[i], addr))
            return true;
    return false;
}

static void want_addresses(const struct kit_host_ask *ask, uint32_t metric,
                           struct kit_changes *want)
{
    const struct kit_nic *nic = ask->nic;
    bool first[2] = {true, true};

    for (size_t i = 0; i < nic->count; i++) {
        const struct kit_addr *addr = &nic->addr[i];
        bool six = addr->family == 6;
        struct kit_change c = {
            .kind = KIT_CHANGE_ADDRESS, .addr = *addr, .prefix_len = six ? 128 : 32};

        if (moves(ask, addr))
            continue;
        /* The subnet hangs on one of them: were it on all, taking the first away would take the
         * others with it.  Its route in the main table must not go before that of a primary
         * interface in the same subnet. */
        if (first[six]) {
            c.prefix_len = six ? nic->subnet6.prefix_len : nic->subnet4.prefix_len;
            c.metric = metric;
        }
        first[six] = false;
        kit_changes_add(want, &c);
    }
}

static void want_route(struct kit_changes *want, const struct kit_cidr *to,
                       const struct kit_addr *gateway, uint32_t table, uint32_t metric)
{
    struct kit_change c = {.kind = KIT_CHANGE_ROUTE,
                           .addr = to->addr,
                           .prefix_len = to->prefix_len,
                           .table = table,
                           .metric = metric};

    if (gateway)
        c.gateway = *gateway;
    kit_changes_add(want, &c);
}

static void want_rules(const struct kit_nic *nic, unsigned char family, uint32_t table,
                       struct kit_changes *want)
{
    for (size_t i = 0; i < nic->count; i++) {
        const struct kit_change c = {.kind = KIT_CHANGE_RULE,
                                     .addr = nic->addr[i],
                                     .prefix_len = family == 6 ? 128 : 32,
                                     .table = table};
        if (nic->addr[i].family == family)
            kit_changes_add(want, &c);
    }
}

/* The IPv6 router: the cloud's word, else that of the router itself (its route is in the main
 * table). */
static struct kit_addr router_of(const struct kit_nic *nic, const struct kit_route *own)
{
    struct kit_addr none = {0};

    if (nic->gateway6.family)
        return nic->gateway6;
    return own && own->gateway.family ? kit_change_addr(&own->gateway) : none;
}

static void want_four(const struct kit_host_ask *ask, const struct kit_host_now *now,
                      struct kit_host_plan *plan)
{
    const struct kit_nic *nic = ask->nic;
    const struct kit_cidr everywhere = {.addr = {.family = 4}};
    const struct kit_route *own = kit_host_own_default(ask, now, 4);
    struct kit_addr gateway = nic->gateway4;

    if (!nic->gateway4.family)
        return;
    /* One that is there already stays as it is, and is kept over a reboot as it is. */
    if (own && own->gateway.family == 4)
        gateway = kit_change_addr(&own->gateway);
    want_route(&plan->want, &everywhere, &gateway, KIT_ROUTE_MAIN, plan->metric);
    want_route(&plan->want, &everywhere, &nic->gateway4, plan->table, 0);
    want_route(&plan->want, &nic->subnet4, NULL, plan->table, 0);
}

/* False: there are no IPv6 addresses, or no router. */
static bool want_six(const struct kit_host_ask *ask, const struct kit_host_now *now,
                     struct kit_host_plan *plan)
{
    const struct kit_nic *nic = ask->nic;
    const struct kit_cidr everywhere = {.addr = {.family = 6}};
    const struct kit_route *own = kit_host_own_default(ask, now, 6);
    const struct kit_addr router = router_of(nic, own);

    if (nic->addr[nic->count - 1].family != 6)
        return false;
    plan->no_router = router.family == 0;
    if (plan->no_router)
        return false;
    /* Where the router announces itself, the main table is the kernel's, or its configuration's. */
    if (!own && plan->metric > kit_host_primary_metric(now, 6))
        want_route(&plan->want, &everywhere, &router, KIT_ROUTE_MAIN, plan->metric);
    want_route(&plan->want, &everywhere, &router, plan->table, 0);
    want_route(&plan->want, &nic->subnet6, NULL, plan->table, 0);
    return true;
}

/* Of an address that is elsewhere now: it comes back, and the rule does no harm until then. */
static void keep_rules(const struct kit_host_ask *ask, struct kit_host_plan *plan)
{
    for (size_t i = 0; ask->state && i < ask->state->made.count; i++) {
        const struct kit_change *c = &ask->state->made.change[i];

        if (c->kind == KIT_CHANGE_RULE && c->table == plan->table && moves(ask, &c->addr) &&
            !kit_changes_have(&plan->want, c))
            kit_changes_add(&plan->want, c);
    }
}

static bool is_made(const struct kit_host_state *state, const struct kit_ifaddr *a)
{
    const struct kit_change c = {.kind = KIT_CHANGE_ADDRESS,
                                 .addr = kit_change_addr(&a->addr),
                                 .prefix_len = a->addr.prefix_len};

    return kit_changes_have(&state->made, &c);
}

/* Not ours, and more than what the kernel gives every interface. */
static bool is_foreign(const struct kit_host_state *state, const struct kit_host_now *now,
                       const struct kit_ifaddr *a)
{
    const struct kit_addr addr = kit_change_addr(&a->addr);

    return a->index == now->link.index && !kit_addr_is_link_local(&addr) && !is_made(state, a);
}

/* Taking a primary IPv4 address off takes those along that are secondary to it: the same subnet,
 * later added. */
static int check_others(const struct kit_host_state *state, const struct kit_host_now *now,
                        const struct kit_change *goes, struct kit_err *err)
{
    char text[KIT_CIDR_TEXT], ours[KIT_ADDR_TEXT];
    struct kit_cidr subnet;

    if (goes->kind != KIT_CHANGE_ADDRESS || goes->addr.family != 4 || now->promotes)
        return 0;
    (void)kit_str_format(text, sizeof(text), "%s/%u", kit_addr_text(&goes->addr, ours),
                         goes->prefix_len);
    if (!kit_cidr_parse(text, &subnet)) /* clears the host bits */
        return 0;
    for (size_t i = 0; i < now->addrs.count; i++) {
        const struct kit_ifaddr *a = &now->addrs.addr[i];
        const struct kit_addr addr = kit_change_addr(&a->addr);

        if (a->addr.family == 4 && a->secondary && is_foreign(state, now, a) &&
            a->addr.prefix_len == goes->prefix_len && kit_cidr_contains(&subnet, &addr))
            return kit_err_set(err, KIT_ERR_STATE,
                               "%s also has %s/%u, which is not ours and would go with %s: take "
                               "it off first, or set net.ipv4.conf.%s.promote_secondaries = 1",
                               state->interface, kit_addr_text(&addr, text), a->addr.prefix_len,
                               ours, state->interface);
    }
    return 0;
}

/* Ours that is no longer wanted, the last made first: an address that the interface has lost, a
 * gateway of an earlier subnet. */
static int take_back_stale(const struct kit_host_ask *ask, const struct kit_host_now *now,
                           struct kit_host_plan *plan, struct kit_err *err)
{
    const struct kit_host_state *state = ask->state;

    for (size_t i = state ? state->made.count : 0; i > 0; i--) {
        struct kit_change c = state->made.change[i - 1];
        c.undo = true;
        if (kit_changes_have(&plan->want, &c) || !kit_change_is_exactly_there(&c, now) ||
            (c.kind == KIT_CHANGE_ADDRESS && moves(ask, &c.addr)))
            continue;
        if (check_others(state, now, &c, err) != 0)
            return -1;
        kit_changes_add(&plan->todo, &c);
    }
    return 0;
}

/* Somebody has put an address there so that the kernel knows no way to the gateway: the routes
 * would fail halfway. */
static int check_gateway(const struct kit_host_ask *ask, const struct kit_host_now *now,
                         const struct kit_changes *todo, struct kit_err *err)
{
    const struct kit_nic *nic = ask->nic;
    const struct kit_netlink_addr gateway = kit_change_netlink_addr(&nic->gateway4, 32);
    char text[KIT_ADDR_TEXT];
    bool needed = false;

    for (size_t i = 0; i < todo->count; i++) {
        const struct kit_change *c = &todo->change[i];
        if (c->undo || c->addr.family != 4)
            continue;
        if (c->kind == KIT_CHANGE_ADDRESS && c->prefix_len == nic->subnet4.prefix_len)
            return 0;
        needed = needed || (c->kind == KIT_CHANGE_ROUTE && c->gateway.family == 4);
    }
    if (!needed)
        return 0;
    for (size_t i = 0; i < now->addrs.count; i++)
        if (now->addrs.addr[i].index == now->link.index &&
            kit_netlink_addr_covers(&now->addrs.addr[i].addr, &gateway))
            return 0;
    for (size_t i = 0; i < now->routes.count; i++) {
        const struct kit_route *r = &now->routes.route[i];
        if (r->index == now->link.index && r->table == KIT_ROUTE_MAIN && !r->gateway.family &&
            r->type == KIT_ROUTE_UNICAST && kit_netlink_addr_covers(&r->to, &gateway))
            return 0;
    }
    return kit_err_set(err, KIT_ERR_STATE,
                       "%s has %s already, but with another prefix length than its subnet's /%u, "
                       "and so no way to the gateway: take it off, then run this again",
                       ask->interface, kit_addr_text(&nic->addr[0], text), nic->subnet4.prefix_len);
}

int kit_host_plan_setup(const struct kit_host_ask *ask, const struct kit_host_now *now,
                        struct kit_host_plan *ret_plan, struct kit_err *err)
{
    const struct kit_change up = {.kind = KIT_CHANGE_LINK};
    struct kit_host_plan plan = {0};

    if (kit_host_choose(ask, now, &plan, err) != 0)
        return -1;
    kit_changes_add(&plan.want, &up);
    want_addresses(ask, plan.metric, &plan.want);
    want_four(ask, now, &plan);
    bool six = want_six(ask, now, &plan);
    if (ask->nic->gateway4.family)
        want_rules(ask->nic, 4, plan.table, &plan.want);
    if (six)
        want_rules(ask->nic, 6, plan.table, &plan.want);
    keep_rules(ask, &plan);
    int rc = take_back_stale(ask, now, &plan, err);
    for (size_t i = 0; rc == 0 && i < plan.want.count; i++)
        if (!kit_change_is_there(&plan.want.change[i], now))
            kit_changes_add(&plan.todo, &plan.want.change[i]);
    if (rc == 0)
        rc = check_gateway(ask, now, &plan.todo, err);
    if (rc != 0) {
        kit_host_plan_done(&plan);
        return -1;
    }
    *ret_plan = plan;
    return 0;
}

/* ---- taking it back -------------------------------------------------------------------------- */

static bool anybody_else(const struct kit_host_state *state, const struct kit_host_now *now)
{
    for (size_t i = 0; i < now->addrs.count; i++)
        if (is_foreign(state, now, &now->addrs.addr[i]))
            return true;
    return false;
}

int kit_host_plan_unset(const struct kit_host_state *state, const struct kit_host_now *now,
                        struct kit_host_plan *ret_plan, struct kit_err *err)
{
    /* Another interface has its name now, or none: what was on it went with it. */
    bool same = now->link.index && kit_str_eq_nocase(now->link.mac, state->mac);
    struct kit_host_plan plan = {.table = state->table};

    for (size_t i = state->made.count; i > 0; i--) {
        struct kit_change c = state->made.change[i - 1];
        c.undo = true;
        if ((!same && c.kind != KIT_CHANGE_RULE) || !kit_change_is_exactly_there(&c, now) ||
            (c.kind == KIT_CHANGE_LINK && anybody_else(state, now)))
            continue;
        if (check_others(state, now, &c, err) != 0) {
            kit_host_plan_done(&plan);
            return -1;
        }
        kit_changes_add(&plan.todo, &c);
    }
    *ret_plan = plan;
    return 0;
}
