/* kit/sys/iprule.c - the rules that choose a routing table. */
#include "kit/sys/iprule.h"

#include <errno.h>
#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "kit/base/mem.h"
#include "kit/sys/link.h"
#include "kit/sys/rtnl.h"

/* Each one is asked for every packet: nobody has thousands. */
#define RULES_MAX 65536

/* Attributes up to here are looked at: FRA_DPORT_RANGE, and what is newer. */
#define ATTRS 32

static unsigned char kernel_family(unsigned char family)
{
    return family == 6 ? AF_INET6 : AF_INET;
}

static size_t addr_bytes(unsigned char family)
{
    return family == 6 ? 16 : 4;
}

bool kit_iprule_eq(const struct kit_iprule *a, const struct kit_iprule *b)
{
    return a->from.family == b->from.family && a->from.prefix_len == b->from.prefix_len &&
           memcmp(a->from.byte, b->from.byte, addr_bytes(a->from.family)) == 0 &&
           a->table == b->table && a->lookup && b->lookup && !a->more && !b->more;
}

/* ---- reading --------------------------------------------------------------------------------- */

/* What says nothing about which packets it is for, and what the kernel adds to every rule. */
static bool is_plain(uint16_t attr, const struct nlattr *value)
{
    uint32_t number = 0;

    switch (attr) {
    case FRA_SRC:
    case FRA_PRIORITY:
    case FRA_TABLE:
    case FRA_PROTOCOL:
    case FRA_PAD: return true;
    case FRA_SUPPRESS_PREFIXLEN:
    case FRA_SUPPRESS_IFGROUP: /* all ones: none is suppressed */
        return kit_rtnl_u32(value, &number) == 0 && number == UINT32_MAX;
    default: return false;
    }
}

int kit_iprule_parse(const struct nlmsghdr *head, struct kit_iprule *ret_rule)
{
    const struct nlattr *kept[ATTRS];
    const struct fib_rule_hdr *body;
    struct kit_iprule rule = {0};

    if (head->nlmsg_type != RTM_NEWRULE)
        return 0;
    body = kit_rtnl_body(head, sizeof(*body));
    if (!body || kit_rtnl_attrs(head, sizeof(*body), kept, ATTRS) != 0)
        return -1;
    if (body->family != AF_INET && body->family != AF_INET6)
        return 0;
    rule.from.family = body->family == AF_INET6 ? 6 : 4;
    rule.from.prefix_len = body->src_len;
    rule.table = body->table;
    rule.lookup = body->action == FR_ACT_TO_TBL;
    rule.more = body->dst_len || body->tos || (body->flags & FIB_RULE_INVERT);
    for (uint16_t i = 0; i < ATTRS; i++)
        rule.more = rule.more || (kept[i] && !is_plain(i, kept[i]));
    size_t bytes = addr_bytes(rule.from.family);
    if (body->src_len > 8 * bytes || (body->src_len > 0 && !kept[FRA_SRC]) ||
        (kept[FRA_SRC] && kit_rtnl_value_bytes(kept[FRA_SRC]) != bytes) ||
        kit_rtnl_u32(kept[FRA_TABLE], &rule.table) != 0 ||
        kit_rtnl_u32(kept[FRA_PRIORITY], &rule.priority) != 0) {
        errno = EPROTO;
        return -1;
    }
    if (kept[FRA_SRC])
        memcpy(rule.from.byte, kit_rtnl_value(kept[FRA_SRC]), bytes);
    *ret_rule = rule;
    return 1;
}

void kit_iprules_done(struct kit_iprules *rules)
{
    free(rules->rule);
    *rules = (struct kit_iprules){0};
}

/* kit_rtnl_each_fn */
static int take(const struct nlmsghdr *head, void *arg)
{
    struct kit_iprules *all = arg;
    struct kit_iprule rule;
    int got = kit_iprule_parse(head, &rule);

    if (got <= 0)
        return got;
    if (all->count == RULES_MAX) {
        errno = EFBIG;
        return -1;
    }
    all->rule = kit_mem_grow(all->rule, all->count + 1, sizeof(rule));
    all->rule[all->count++] = rule;
    return 0;
}

static void begin(void *arg)
{
    kit_iprules_done(arg);
}

int kit_iprule_list(struct kit_iprules *ret_rules, struct kit_err *err)
{
    const struct fib_rule_hdr body = {.family = AF_UNSPEC};
    struct kit_iprules all = {0};
    const struct kit_rtnl_dump dump = {
        .what = "read the routing rules of this host", .begin = begin, .each = take, .arg = &all};
    struct kit_rtnl_request r;

    kit_rtnl_begin(&r, RTM_GETRULE, NLM_F_DUMP, &body, sizeof(body));
    if (kit_rtnl_read(&r, &dump, err) != 0) {
        kit_iprules_done(&all);
        return -1;
    }
    *ret_rules = all;
    return 0;
}

/* ---- changing -------------------------------------------------------------------------------- */

static int change(uint16_t type, uint16_t flags, const struct kit_iprule *rule)
{
    struct fib_rule_hdr body = {
        .family = kernel_family(rule->from.family),
        .src_len = rule->from.prefix_len,
        .table = rule->table < 256 ? (unsigned char)rule->table : RT_TABLE_UNSPEC,
        .action = FR_ACT_TO_TBL,
    };
    struct kit_rtnl_request r;

    kit_rtnl_begin(&r, type, (uint16_t)(NLM_F_ACK | flags), &body, sizeof(body));
    if (rule->from.prefix_len > 0)
        kit_rtnl_put(&r, FRA_SRC, rule->from.byte, addr_bytes(rule->from.family));
    kit_rtnl_put_u32(&r, FRA_TABLE, rule->table);
    if (rule->priority)
        kit_rtnl_put_u32(&r, FRA_PRIORITY, rule->priority);
    return kit_rtnl_ask(&r, NULL, NULL);
}

int kit_iprule_add(const struct kit_iprule *want, bool *ret_added, struct kit_err *err)
{
    KIT_AUTO(kit_iprules) all = {0};

    if (kit_iprule_list(&all, err) != 0)
        return -1;
    for (size_t i = 0; i < all.count; i++) {
        if (kit_iprule_eq(&all.rule[i], want)) {
            *ret_added = false;
            return 0;
        }
    }
    if (change(RTM_NEWRULE, NLM_F_CREATE | NLM_F_EXCL, want) != 0)
        return kit_rtnl_fail(err, "add the routing rule");
    *ret_added = true;
    return 0;
}

int kit_iprule_del(const struct kit_iprule *which, bool *ret_removed, struct kit_err *err)
{
    KIT_AUTO(kit_iprules) all = {0};
    bool removed = false;

    if (kit_iprule_list(&all, err) != 0)
        return -1;
    for (size_t i = 0; i < all.count; i++) {
        if (!kit_iprule_eq(&all.rule[i], which))
            continue;
        if (change(RTM_DELRULE, 0, &all.rule[i]) == 0)
            removed = true;
        else if (errno != ENOENT) /* somebody was quicker */
            return kit_rtnl_fail(err, "take the routing rule away");
    }
    *ret_removed = removed;
    return 0;
}

/* ---- what they amount to --------------------------------------------------------------------- */

bool kit_iprule_serves(const struct kit_iprules *rules, const struct kit_routes *routes,
                       unsigned index, const struct kit_netlink_addr *addr)
{
    for (size_t i = 0; i < rules->count; i++) {
        const struct kit_iprule *rule = &rules->rule[i];

        if (!rule->lookup || rule->more || rule->from.prefix_len == 0 ||
            rule->table == KIT_ROUTE_MAIN || !kit_netlink_addr_covers(&rule->from, addr))
            continue;
        for (size_t k = 0; k < routes->count; k++) {
            const struct kit_route *route = &routes->route[k];

            if (route->table == rule->table && route->to.family == addr->family &&
                route->to.prefix_len == 0 && route->type == KIT_ROUTE_UNICAST &&
                route->index == index)
                return true;
        }
    }
    return false;
}

int kit_iprule_serves_now(const char *interface, const struct kit_netlink_addr *addr,
                          bool *ret_serves, struct kit_err *err)
{
    KIT_AUTO(kit_routes) routes = {0};
    KIT_AUTO(kit_iprules) rules = {0};
    struct kit_link link;

    if (kit_link_read(interface, &link, err) != 0 || kit_iprule_list(&rules, err) != 0 ||
        kit_route_list(&routes, err) != 0)
        return -1;
    *ret_serves = kit_iprule_serves(&rules, &routes, link.index, addr);
    return 0;
}
