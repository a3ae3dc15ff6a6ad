/* kit/sys/route.h - the routes of this host, in every table (rtnetlink).
 *
 * Errors: KIT_ERR_SYSTEM (EPERM: needs CAP_NET_ADMIN; ENETUNREACH: no way to the gateway; and the
 * rest), KIT_ERR_PROTOCOL (an answer that is not rtnetlink's), KIT_ERR_TRANSIENT (the tables
 * changed under every reading of them). */
#ifndef KIT_SYS_ROUTE_H
#define KIT_SYS_ROUTE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kit/sys/netlink.h"

struct nlmsghdr;

/* linux/rtnetlink.h: RT_TABLE_MAIN, RT_TABLE_LOCAL; RTN_UNICAST; RTPROT_BOOT, which is what `ip
 * route add` says of itself. */
#define KIT_ROUTE_MAIN    254
#define KIT_ROUTE_LOCAL   255
#define KIT_ROUTE_UNICAST 1
#define KIT_ROUTE_BOOT    3

struct kit_route {
    struct kit_netlink_addr to;      /* family always; prefix_len 0 = default */
    struct kit_netlink_addr gateway; /* family 0 = none: on the link */
    unsigned index;                  /* of the interface; 0 = none (a blackhole) */
    uint32_t table;
    uint32_t metric;        /* 0 = none; IPv6 without one gets the kernel's 1024 */
    unsigned char type;     /* KIT_ROUTE_UNICAST, or another of linux/rtnetlink.h */
    unsigned char protocol; /* who made it: KIT_ROUTE_BOOT, RTPROT_KERNEL, RTPROT_RA … */
    bool several;           /* one of the next hops of a route that has several */
};

/* Owned; kit_routes_done frees. */
struct kit_routes {
    struct kit_route *route;
    size_t count;
};
void kit_routes_done(struct kit_routes *routes);
/* All of both families, in every table but `local`; a route with several next hops once for each.
 */
int kit_route_list(struct kit_routes *ret_routes, struct kit_err *err) KIT_CHECKED;

/* The same destination, gateway, interface, table and metric (none is 1024 for IPv6). */
bool kit_route_eq(const struct kit_route *a, const struct kit_route *b);

/* Adds it; there already, kit_route_eq and all: nothing (*ret_added false).  Another one to that
 * destination with that metric in that table: KIT_ERR_SYSTEM with EEXIST. */
int kit_route_add(const struct kit_route *want, bool *ret_added, struct kit_err *err) KIT_CHECKED;
/* Takes it off; not there: nothing (*ret_removed false). */
int kit_route_del(const struct kit_route *which, bool *ret_removed,
                  struct kit_err *err) KIT_CHECKED;

/* One RTM_NEWROUTE message: `take` is called for each next hop, or once.  0, or -1 (errno EPROTO):
 * not the kernel's.  Other messages, and families but IPv4 and IPv6, are passed over. */
typedef int (*kit_route_take_fn)(const struct kit_route *route, void *arg);
int kit_route_parse(const struct nlmsghdr *head, kit_route_take_fn take, void *arg);

#endif
