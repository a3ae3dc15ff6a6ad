/* kit/sys/ifaddr.c - every address of an interface, and one exactly. */
#include "kit/sys/ifaddr.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "kit/base/mem.h"
#include "kit/base/str.h"
#include "kit/sys/rtnl.h"

/* More than any host has; a node of a cluster has tens. */
#define ADDRS_MAX 65536

/* Since Linux 4.18 and 5.18; the headers of older systems lack them. */
#define ATTR_METRIC 9  /* IFA_RT_PRIORITY */
#define ATTR_PROTO  11 /* IFA_PROTO */

static unsigned char kernel_family(const struct kit_netlink_addr *addr)
{
    return addr->family == 6 ? AF_INET6 : AF_INET;
}

static size_t addr_bytes(unsigned char family)
{
    return family == AF_INET6 ? 16 : 4;
}

/* The local address is IFA_LOCAL where there is that attribute, since IFA_ADDRESS is then the
 * peer's (linux/if_addr.h). */
int kit_ifaddr_parse(const struct nlmsghdr *head, struct kit_ifaddr *ret_addr)
{
    const struct nlattr *kept[ATTR_PROTO + 1];
    const struct ifaddrmsg *body;
    struct kit_ifaddr a = {0};

    if (head->nlmsg_type != RTM_NEWADDR)
        return 0;
    body = kit_rtnl_body(head, sizeof(*body));
    if (!body || kit_rtnl_attrs(head, sizeof(*body), kept, KIT_LEN(kept)) != 0)
        return -1;
    if (body->ifa_family != AF_INET && body->ifa_family != AF_INET6)
        return 0;
    const struct nlattr *local = kept[IFA_LOCAL] ? kept[IFA_LOCAL] : kept[IFA_ADDRESS];
    size_t bytes = addr_bytes(body->ifa_family);
    if (!local || kit_rtnl_value_bytes(local) != bytes || body->ifa_prefixlen > 8 * bytes ||
        kit_rtnl_u32(kept[ATTR_METRIC], &a.metric) != 0) {
        errno = EPROTO;
        return -1;
    }
    if (kept[ATTR_PROTO] && kit_rtnl_value_bytes(kept[ATTR_PROTO]) == 1)
        memcpy(&a.proto, kit_rtnl_value(kept[ATTR_PROTO]), 1);
    a.index = body->ifa_index;
    a.scope = body->ifa_scope;
    a.ends = !(body->ifa_flags & IFA_F_PERMANENT);
    a.secondary = body->ifa_family == AF_INET && (body->ifa_flags & IFA_F_SECONDARY);
    a.addr.family = body->ifa_family == AF_INET6 ? 6 : 4;
    a.addr.prefix_len = body->ifa_prefixlen;
    memcpy(a.addr.byte, kit_rtnl_value(local), bytes);
    *ret_addr = a;
    return 1;
}

/* ---- all of them ----------------------------------------------------------------------------- */

void kit_ifaddrs_done(struct kit_ifaddrs *addrs)
{
    free(addrs->addr);
    *addrs = (struct kit_ifaddrs){0};
}

/* kit_rtnl_each_fn */
static int take(const struct nlmsghdr *head, void *arg)
{
    struct kit_ifaddrs *all = arg;
    struct kit_ifaddr a;
    int got = kit_ifaddr_parse(head, &a);

    if (got <= 0)
        return got;
    if (all->count == ADDRS_MAX) {
        errno = EFBIG;
        return -1;
    }
    all->addr = kit_mem_grow(all->addr, all->count + 1, sizeof(a));
    all->addr[all->count++] = a;
    return 0;
}

static void begin(void *arg)
{
    struct kit_ifaddrs *all = arg;

    all->count = 0;
}

int kit_ifaddr_list(struct kit_ifaddrs *ret_addrs, struct kit_err *err)
{
    const struct ifaddrmsg body = {.ifa_family = AF_UNSPEC};
    struct kit_ifaddrs all = {0};
    const struct kit_rtnl_dump dump = {
        .what = "read the addresses of this host", .begin = begin, .each = take, .arg = &all};
    struct kit_rtnl_request r;

    kit_rtnl_begin(&r, RTM_GETADDR, NLM_F_DUMP, &body, sizeof(body));
    if (kit_rtnl_read(&r, &dump, err) != 0) {
        kit_ifaddrs_done(&all);
        return -1;
    }
    *ret_addrs = all;
    return 0;
}

/* ---- one of them ----------------------------------------------------------------------------- */

static int change(uint16_t type, uint16_t flags, const struct kit_ifaddr *a)
{
    unsigned char family = kernel_family(&a->addr);
    struct ifaddrmsg body = {
        .ifa_family = family, .ifa_prefixlen = a->addr.prefix_len, .ifa_index = a->index};
    struct kit_rtnl_request r;

    if (type == RTM_NEWADDR && family == AF_INET6)
        body.ifa_flags = IFA_F_NODAD;
    kit_rtnl_begin(&r, type, (uint16_t)(NLM_F_ACK | flags), &body, sizeof(body));
    kit_rtnl_put(&r, IFA_LOCAL, a->addr.byte, addr_bytes(family));
    kit_rtnl_put(&r, IFA_ADDRESS, a->addr.byte, addr_bytes(family));
    if (type == RTM_NEWADDR && a->metric)
        kit_rtnl_put_u32(&r, ATTR_METRIC, a->metric);
    if (type == RTM_NEWADDR && a->proto)
        kit_rtnl_put(&r, ATTR_PROTO, &a->proto, 1);
    return kit_rtnl_ask(&r, NULL, NULL);
}

static int fail(const char *what, const struct kit_ifaddr *a, struct kit_err *err)
{
    char name[IF_NAMESIZE] = "";
    int saved_errno = errno;

    if (!if_indextoname(a->index, name))
        (void)kit_str_format(name, sizeof(name), "%u", a->index);
    errno = saved_errno;
    return kit_rtnl_fail(err, "%s interface %s", what, name);
}

int kit_ifaddr_add(const struct kit_ifaddr *want, bool *ret_added, struct kit_err *err)
{
    bool added = change(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, want) == 0;

    if (!added && errno != EEXIST)
        return fail("add the address to", want, err);
    *ret_added = added;
    return 0;
}

int kit_ifaddr_del(const struct kit_ifaddr *which, bool *ret_removed, struct kit_err *err)
{
    bool removed = change(RTM_DELADDR, 0, which) == 0;

    if (!removed && errno != EADDRNOTAVAIL && errno != ENODEV)
        return fail("take the address off", which, err);
    *ret_removed = removed;
    return 0;
}
