/* kit/sys/route.c - the routes of this host. */
#include "kit/sys/route.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "kit/base/mem.h"
#include "kit/sys/rtnl.h"

/* A full table of the Internet has a million routes; a node of a cluster has tens, with containers
 * some thousands. */
#define ROUTES_MAX 262144

/* The newest attribute that is looked at. */
#define ATTRS (RTA_NH_ID + 1)

static unsigned char kernel_family(unsigned char family)
{
    return family == 6 ? AF_INET6 : AF_INET;
}

static size_t addr_bytes(unsigned char family)
{
    return family == 6 ? 16 : 4;
}

/* What the kernel makes of a request without one (IP6_RT_PRIO_USER, linux/ipv6_route.h). */
static uint32_t metric_of(const struct kit_route *route)
{
    return route->to.family == 6 && route->metric == 0 ? 1024 : route->metric;
}

bool kit_route_eq(const struct kit_route *a, const struct kit_route *b)
{
    size_t bytes = addr_bytes(a->to.family);

    return a->to.family == b->to.family && a->to.prefix_len == b->to.prefix_len &&
           memcmp(a->to.byte, b->to.byte, bytes) == 0 && a->index == b->index &&
           a->table == b->table && a->type == b->type && a->gateway.family == b->gateway.family &&
           memcmp(a->gateway.byte, b->gateway.byte, sizeof(a->gateway.byte)) == 0 &&
           metric_of(a) == metric_of(b);
}

/* ---- reading --------------------------------------------------------------------------------- */

static int wrong(void)
{
    errno = EPROTO;
    return -1;
}

/* An address of the route's own family. */
static int take_plain(const struct nlattr *attr, struct kit_netlink_addr *addr)
{
    if (!attr)
        return 0;
    if (kit_rtnl_value_bytes(attr) != addr_bytes(addr->family))
        return wrong();
    memcpy(addr->byte, kit_rtnl_value(attr), addr_bytes(addr->family));
    return 0;
}

/* RTA_GATEWAY, or RTA_VIA: an IPv4 route by way of an IPv6 neighbour. */
static int take_gateway(const struct nlattr *const kept[], unsigned char family,
                        struct kit_netlink_addr *gateway)
{
    const struct nlattr *via = kept[RTA_VIA];
    struct rtvia head;

    if (kept[RTA_GATEWAY]) {
        gateway->family = family;
        return take_plain(kept[RTA_GATEWAY], gateway);
    }
    if (!via)
        return 0;
    if (kit_rtnl_value_bytes(via) < sizeof(head))
        return wrong();
    memcpy(&head, kit_rtnl_value(via), sizeof(head));
    if (head.rtvia_family != AF_INET && head.rtvia_family != AF_INET6)
        return wrong();
    gateway->family = head.rtvia_family == AF_INET6 ? 6 : 4;
    if (kit_rtnl_value_bytes(via) != sizeof(head) + addr_bytes(gateway->family))
        return wrong();
    memcpy(gateway->byte, (const char *)kit_rtnl_value(via) + sizeof(head),
           addr_bytes(gateway->family));
    return 0;
}

/* The next hops of RTA_MULTIPATH, each with attributes of its own. */
static int take_hops(const struct nlattr *attr, const struct kit_route *all, kit_route_take_fn take,
                     void *arg)
{
    const char *at = kit_rtnl_value(attr);
    size_t left = kit_rtnl_value_bytes(attr);

    while (left > 0) {
        const struct nlattr *kept[ATTRS];
        struct kit_route route = *all;
        struct rtnexthop hop;

        if (left < sizeof(hop))
            return wrong();
        memcpy(&hop, at, sizeof(hop));
        if (hop.rtnh_len < sizeof(hop) || hop.rtnh_len > left)
            return wrong();
        route.index = (unsigned)hop.rtnh_ifindex;
        route.several = true;
        if (kit_rtnl_attrs_in(at + sizeof(hop), hop.rtnh_len - sizeof(hop), kept, ATTRS) != 0 ||
            take_gateway(kept, route.to.family, &route.gateway) != 0 || take(&route, arg) != 0)
            return -1;
        size_t step = RTNH_ALIGN(hop.rtnh_len);
        step = step < left ? step : left;
        at += step;
        left -= step;
    }
    return 0;
}

int kit_route_parse(const struct nlmsghdr *head, kit_route_take_fn take, void *arg)
{
    const struct nlattr *kept[ATTRS];
    const struct rtmsg *body;
    struct kit_route route = {0};
    uint32_t index = 0;

    if (head->nlmsg_type != RTM_NEWROUTE)
        return 0;
    body = kit_rtnl_body(head, sizeof(*body));
    if (!body || kit_rtnl_attrs(head, sizeof(*body), kept, ATTRS) != 0)
        return -1;
    if (body->rtm_family != AF_INET && body->rtm_family != AF_INET6)
        return 0;
    route.to.family = body->rtm_family == AF_INET6 ? 6 : 4;
    route.to.prefix_len = body->rtm_dst_len;
    route.table = body->rtm_table;
    route.type = body->rtm_type;
    route.protocol = body->rtm_protocol;
    if (body->rtm_dst_len > 8 * addr_bytes(route.to.family) ||
        take_plain(kept[RTA_DST], &route.to) != 0 ||
        kit_rtnl_u32(kept[RTA_TABLE], &route.table) != 0 ||
        kit_rtnl_u32(kept[RTA_PRIORITY], &route.metric) != 0 ||
        kit_rtnl_u32(kept[RTA_OIF], &index) != 0)
        return wrong();
    if (kept[RTA_MULTIPATH])
        return take_hops(kept[RTA_MULTIPATH], &route, take, arg);
    route.index = index;
    if (take_gateway(kept, route.to.family, &route.gateway) != 0)
        return -1;
    return take(&route, arg);
}

void kit_routes_done(struct kit_routes *routes)
{
    free(routes->route);
    *routes = (struct kit_routes){0};
}

static int keep(const struct kit_route *route, void *arg)
{
    struct kit_routes *all = arg;

    if (route->table == KIT_ROUTE_LOCAL)
        return 0;
    if (all->count == ROUTES_MAX) {
        errno = EFBIG;
        return -1;
    }
    if ((all->count & (all->count - 1)) == 0) /* room doubles at 1, 2, 4 … */
        all->route = kit_mem_grow(all->route, all->count ? 2 * all->count : 1, sizeof(*route));
    all->route[all->count++] = *route;
    return 0;
}

/* kit_rtnl_each_fn */
static int take_route(const struct nlmsghdr *head, void *arg)
{
    return kit_route_parse(head, keep, arg);
}

static void begin(void *arg)
{
    struct kit_routes *all = arg;

    kit_routes_done(all);
}

int kit_route_list(struct kit_routes *ret_routes, struct kit_err *err)
{
    const struct rtmsg body = {.rtm_family = AF_UNSPEC};
    struct kit_routes all = {0};
    const struct kit_rtnl_dump dump = {
        .what = "read the routes of this host", .begin = begin, .each = take_route, .arg = &all};
    struct kit_rtnl_request r;

    kit_rtnl_begin(&r, RTM_GETROUTE, NLM_F_DUMP, &body, sizeof(body));
    if (kit_rtnl_read(&r, &dump, err) != 0) {
        kit_routes_done(&all);
        return -1;
    }
    *ret_routes = all;
    return 0;
}

/* ---- changing -------------------------------------------------------------------------------- */

static int change(uint16_t type, uint16_t flags, const struct kit_route *route)
{
    bool add = type == RTM_NEWROUTE;
    struct rtmsg body = {
        .rtm_family = kernel_family(route->to.family),
        .rtm_dst_len = route->to.prefix_len,
        .rtm_table = route->table < 256 ? (unsigned char)route->table : RT_TABLE_UNSPEC,
        .rtm_protocol = route->protocol,
        .rtm_type = route->type,
        .rtm_scope = RT_SCOPE_UNIVERSE,
    };
    struct kit_rtnl_request r;

    if (!add)
        body.rtm_scope = RT_SCOPE_NOWHERE; /* any */
    else if (route->to.family == 4 && route->gateway.family == 0)
        body.rtm_scope = RT_SCOPE_LINK;
    kit_rtnl_begin(&r, type, (uint16_t)(NLM_F_ACK | flags), &body, sizeof(body));
    if (route->to.prefix_len > 0)
        kit_rtnl_put(&r, RTA_DST, route->to.byte, addr_bytes(route->to.family));
    if (route->gateway.family != 0)
        kit_rtnl_put(&r, RTA_GATEWAY, route->gateway.byte, addr_bytes(route->gateway.family));
    if (route->index != 0)
        kit_rtnl_put_u32(&r, RTA_OIF, route->index);
    kit_rtnl_put_u32(&r, RTA_TABLE, route->table);
    if (route->metric != 0)
        kit_rtnl_put_u32(&r, RTA_PRIORITY, route->metric);
    return kit_rtnl_ask(&r, NULL, NULL);
}

/* 1 there, 0 not, -1 error. */
static int is_there(const struct kit_route *route, struct kit_err *err)
{
    KIT_AUTO(kit_routes) all = {0};

    if (kit_route_list(&all, err) != 0)
        return -1;
    for (size_t i = 0; i < all.count; i++)
        if (kit_route_eq(&all.route[i], route))
            return 1;
    return 0;
}

int kit_route_add(const struct kit_route *want, bool *ret_added, struct kit_err *err)
{
    bool added = change(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, want) == 0;

    if (!added) {
        (void)kit_rtnl_fail(err, "add the route");
        struct kit_err ignored;
        if (err->sys != EEXIST || is_there(want, &ignored) != 1)
            return -1;
    }
    *ret_added = added;
    return 0;
}

int kit_route_del(const struct kit_route *which, bool *ret_removed, struct kit_err *err)
{
    bool removed = change(RTM_DELROUTE, 0, which) == 0;

    /* ENODEV: it went with its interface. */
    if (!removed && errno != ESRCH && errno != ENODEV)
        return kit_rtnl_fail(err, "take the route away");
    *ret_removed = removed;
    return 0;
}
