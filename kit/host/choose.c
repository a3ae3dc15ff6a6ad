/* kit/host/choose.c - the number of an interface's own table, and its metric. */
#include <string.h>

#include "kit/host/plan.h"

/* linux/rtnetlink.h: RT_TABLE_COMPAT, _DEFAULT, _MAIN, _LOCAL. */
#define FIRST_RESERVED 252
#define LAST_RESERVED  255

/* Numbers tried before it is given up: nobody has so many tables in a row. */
#define TRIES 65536

static bool is_default_by(const struct kit_route *route, uint32_t table, unsigned char family)
{
    return route->table == table && route->to.family == family && route->to.prefix_len == 0 &&
           route->type == KIT_ROUTE_UNICAST;
}

int64_t kit_host_primary_metric(const struct kit_host_now *now, unsigned char family)
{
    int64_t lowest = -1;

    for (size_t i = 0; i < now->routes.count; i++) {
        const struct kit_route *r = &now->routes.route[i];
        if (is_default_by(r, KIT_ROUTE_MAIN, family) && r->index != now->link.index &&
            (lowest < 0 || r->metric < lowest))
            lowest = r->metric;
    }
    return lowest;
}

/* Did we make it? */
static bool is_ours(const struct kit_host_ask *ask, const struct kit_route *route)
{
    const struct kit_changes *made = ask->state ? &ask->state->made : NULL;

    for (size_t i = 0; made && i < made->count; i++) {
        if (made->change[i].kind != KIT_CHANGE_ROUTE)
            continue;
        const struct kit_route mine = kit_change_route(&made->change[i], route->index);
        if (kit_route_eq(&mine, route))
            return true;
    }
    return false;
}

const struct kit_route *kit_host_own_default(const struct kit_host_ask *ask,
                                             const struct kit_host_now *now, unsigned char family)
{
    const struct kit_route *found = NULL;

    for (size_t i = 0; i < now->routes.count; i++) {
        const struct kit_route *r = &now->routes.route[i];
        if (is_default_by(r, KIT_ROUTE_MAIN, family) && r->index == now->link.index &&
            !is_ours(ask, r) && (!found || r->metric < found->metric))
            found = r;
    }
    return found;
}

/* Has the table a default route by this interface, and none by another? */
static bool is_its_table(const struct kit_host_now *now, uint32_t table)
{
    bool by_it = false;

    for (size_t i = 0; i < now->routes.count; i++) {
        const struct kit_route *r = &now->routes.route[i];
        if (r->table == table && r->to.prefix_len == 0) {
            if (r->index != now->link.index)
                return false;
            by_it = true;
        }
    }
    return by_it;
}

/* The table that a rule for one of its addresses looks into already, or 0. */
static uint32_t table_in_use(const struct kit_host_ask *ask, const struct kit_host_now *now)
{
    for (size_t i = 0; i < now->rules.count; i++) {
        const struct kit_iprule *rule = &now->rules.rule[i];
        const struct kit_addr from = kit_change_addr(&rule->from);

        if (!rule->lookup || rule->more || rule->table == KIT_ROUTE_MAIN ||
            rule->from.prefix_len != (rule->from.family == 6 ? 128 : 32))
            continue;
        for (size_t k = 0; k < ask->nic->count; k++)
            if (kit_addr_eq(&ask->nic->addr[k], &from) && is_its_table(now, rule->table))
                return rule->table;
    }
    return 0;
}

/* Why this number cannot be had, or NULL. */
static const char *why_not(const struct kit_host_ask *ask, const struct kit_host_now *now,
                           uint32_t table)
{
    if (table == 0 || (table >= FIRST_RESERVED && table <= LAST_RESERVED))
        return "it is reserved";
    for (size_t i = 0; i < now->named_count; i++)
        if (now->named[i] == table)
            return "that table has a name in rt_tables";
    for (size_t i = 0; i < ask->taken_count; i++)
        if (ask->taken[i] == table)
            return "another interface was set up with it";
    for (size_t i = 0; i < now->rules.count; i++)
        if (now->rules.rule[i].table == table)
            return "a routing rule looks into that table";
    for (size_t i = 0; i < now->routes.count; i++) {
        const struct kit_route *r = &now->routes.route[i];
        if (r->table == table)
            return "that table has routes";
        if (is_default_by(r, KIT_ROUTE_MAIN, 4) && r->index != now->link.index &&
            r->metric == table)
            return "another default route has this metric";
    }
    return NULL;
}

static bool has_ipv6(const struct kit_nic *nic)
{
    return nic->count > 0 && nic->addr[nic->count - 1].family == 6;
}

/* IPv6 routes that routers announce have all the same metric, and the kernel takes the first. */
static int check_family(const struct kit_host_ask *ask, const struct kit_host_now *now,
                        unsigned char family, struct kit_err *err)
{
    const struct kit_route *own = kit_host_own_default(ask, now, family);
    int64_t primary = kit_host_primary_metric(now, family);

    if (!own || primary < 0 || own->metric > primary || (family == 6 && own->metric == primary))
        return 0;
    return kit_err_set(err, KIT_ERR_STATE,
                       "rule 48: the %sdefault route of %s has metric %u, that of the primary "
                       "interface %lld, which must be lower: raise the one or take it away where "
                       "%s is configured (DEFROUTE=no, RouteMetric=), then run this again",
                       family == 6 ? "IPv6 " : "", ask->interface, own->metric, (long long)primary,
                       ask->interface);
}

int kit_host_check_preferred(const struct kit_host_ask *ask, const struct kit_host_now *now,
                             struct kit_err *err)
{
    if (check_family(ask, now, 4, err) != 0)
        return -1;
    return has_ipv6(ask->nic) ? check_family(ask, now, 6, err) : 0;
}

static int choose_asked(const struct kit_host_ask *ask, const struct kit_host_now *now,
                        int64_t primary, struct kit_err *err)
{
    const char *why = why_not(ask, now, ask->metric);

    if (why && table_in_use(ask, now) != ask->metric)
        return kit_err_set(err, KIT_ERR_CONFIG, "--metric %u: %s", ask->metric, why);
    if (ask->metric <= primary)
        return kit_err_set(err, KIT_ERR_CONFIG,
                           "--metric %u: the primary interface's default route has metric %lld, "
                           "and must have the lowest (rule 48)",
                           ask->metric, (long long)primary);
    return 0;
}

static int choose_free(const struct kit_host_ask *ask, const struct kit_host_now *now,
                       uint32_t *ret_table, struct kit_err *err)
{
    int64_t four = kit_host_primary_metric(now, 4);
    int64_t six = has_ipv6(ask->nic) ? kit_host_primary_metric(now, 6) : -1;
    int64_t first = (four > six ? four : six) + 1;

    if (first < KIT_HOST_FIRST_TABLE)
        first = KIT_HOST_FIRST_TABLE;
    for (int64_t table = first; table < first + TRIES && table <= INT32_MAX; table++) {
        if (!why_not(ask, now, (uint32_t)table)) {
            *ret_table = (uint32_t)table;
            return 0;
        }
    }
    return kit_err_set(err, KIT_ERR_STATE, "no routing table above %lld is free", (long long)first);
}

int kit_host_choose(const struct kit_host_ask *ask, const struct kit_host_now *now,
                    struct kit_host_plan *plan, struct kit_err *err)
{
    const struct kit_route *own = kit_host_own_default(ask, now, 4);
    int64_t primary = kit_host_primary_metric(now, 4);
    uint32_t in_use;

    if (ask->state) {
        if (ask->metric && ask->metric != ask->state->table)
            return kit_err_set(err, KIT_ERR_CONFIG,
                               "--metric %u: %s is set up with %u; run `cloudvip nic unset %s` "
                               "first",
                               ask->metric, ask->interface, ask->state->table, ask->interface);
        plan->table = ask->state->table;
    } else if (ask->metric) {
        if (choose_asked(ask, now, primary, err) != 0)
            return -1;
        plan->table = ask->metric;
    } else if ((in_use = table_in_use(ask, now)) != 0) {
        plan->table = in_use;
    } else if (own && own->metric && !why_not(ask, now, own->metric)) {
        plan->table = own->metric;
    } else if (choose_free(ask, now, &plan->table, err) != 0) {
        return -1;
    }
    plan->metric = own ? own->metric : plan->table;
    return 0;
}
