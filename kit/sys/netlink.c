/* kit/sys/netlink.c - addresses on interfaces of this host, through rtnetlink. */
#include "kit/sys/netlink.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>

#include "kit/base/str.h"
#include "kit/sys/ifaddr.h"
#include "kit/sys/link.h"
#include "kit/sys/rtnl.h"

/* One address can be there once for each prefix length (0 to 128). */
#define PREFIXES_MAX 129

/* What a dump is searched for, and what of it was there. */
struct search {
    const struct kit_netlink_addr *addr;
    unsigned index; /* of the interface; with `any` of the last that has it */
    bool any;       /* whichever interface */
    unsigned char prefix_len[PREFIXES_MAX];
    size_t count;
    bool marked;
};

static unsigned char kernel_family(const struct kit_netlink_addr *addr)
{
    return addr->family == 6 ? AF_INET6 : AF_INET;
}

static size_t addr_bytes(unsigned char family)
{
    return family == AF_INET6 ? 16 : 4;
}

/* The interface's number: the name is checked, and an unknown one gets the list of those known. */
static int find_interface(const char *interface, const struct kit_netlink_addr *addr,
                          unsigned *ret_index, struct kit_err *err)
{
    struct kit_link link;

    if (addr->family != 4 && addr->family != 6)
        return kit_err_set(err, KIT_ERR_CONFIG, "interface %s: no address was given", interface);
    if (kit_link_read(interface, &link, err) != 0)
        return -1;
    *ret_index = if_nametoindex(interface);
    if (*ret_index == 0)
        return kit_err_set(err, KIT_ERR_SYSTEM, "find interface %s", interface);
    return 0;
}

/* ---- reading --------------------------------------------------------------------------------- */

static void begin_search(void *arg)
{
    struct search *s = arg;

    s->count = 0;
    s->marked = false;
}

/* kit_rtnl_each_fn */
static int take_addr(const struct nlmsghdr *head, void *arg)
{
    struct search *s = arg;
    struct kit_ifaddr a;
    int got = kit_ifaddr_parse(head, &a);

    if (got <= 0)
        return got;
    if ((s->any || a.index == s->index) && a.addr.family == s->addr->family &&
        memcmp(a.addr.byte, s->addr->byte, addr_bytes(kernel_family(s->addr))) == 0 &&
        s->count < PREFIXES_MAX) {
        s->prefix_len[s->count++] = a.addr.prefix_len;
        s->marked = s->marked || a.proto == KIT_NETLINK_MARK;
        s->index = a.index;
    }
    return 0;
}

/* Every time that the address is on the interface. */
static int look(const char *interface, struct search *s, struct kit_err *err)
{
    const struct ifaddrmsg body = {.ifa_family = kernel_family(s->addr)};
    char what[64];
    const struct kit_rtnl_dump dump = {
        .what = what, .begin = begin_search, .each = take_addr, .arg = s};
    struct kit_rtnl_request r;

    (void)kit_str_format(what, sizeof(what), "read the addresses of interface %s", interface);
    kit_rtnl_begin(&r, RTM_GETADDR, NLM_F_DUMP, &body, sizeof(body));
    return kit_rtnl_read(&r, &dump, err);
}

/* ---- changing -------------------------------------------------------------------------------- */

static struct kit_ifaddr exactly(const struct search *s, unsigned char prefix_len)
{
    struct kit_ifaddr a = {.index = s->index, .addr = *s->addr};

    a.addr.prefix_len = prefix_len;
    return a;
}

int kit_netlink_addr_see(const char *interface, const struct kit_netlink_addr *addr,
                         struct kit_netlink_seen *ret_seen, struct kit_err *err)
{
    struct search s = {.addr = addr};

    if (find_interface(interface, addr, &s.index, err) != 0 || look(interface, &s, err) != 0)
        return -1;
    *ret_seen = (struct kit_netlink_seen){
        .has = s.count > 0,
        .marked = s.marked,
        .alike = s.count == 1 && s.prefix_len[0] == addr->prefix_len,
    };
    return 0;
}

int kit_netlink_addr_has(const char *interface, const struct kit_netlink_addr *addr, bool *ret_has,
                         struct kit_err *err)
{
    struct kit_netlink_seen seen;

    if (kit_netlink_addr_see(interface, addr, &seen, err) != 0)
        return -1;
    *ret_has = seen.has;
    return 0;
}

int kit_netlink_addr_find(const struct kit_netlink_addr *addr, char ret_interface[KIT_NETLINK_NAME],
                          struct kit_err *err)
{
    struct search s = {.addr = addr, .any = true};

    if (addr->family != 4 && addr->family != 6)
        return kit_err_set(err, KIT_ERR_CONFIG, "no address was given");
    if (look("*", &s, err) != 0)
        return -1;
    if (s.count == 0)
        ret_interface[0] = '\0';
    else if (!if_indextoname(s.index, ret_interface)) /* it went away since */
        (void)kit_str_format(ret_interface, KIT_NETLINK_NAME, "%u", s.index);
    return 0;
}

int kit_netlink_addr_add(const char *interface, const struct kit_netlink_addr *addr,
                         bool *ret_added, struct kit_err *err)
{
    struct search s = {.addr = addr};
    bool added = false;

    if (find_interface(interface, addr, &s.index, err) != 0 || look(interface, &s, err) != 0)
        return -1;
    if (s.count == 0) {
        struct kit_ifaddr a = exactly(&s, addr->prefix_len);
        a.proto = KIT_NETLINK_MARK;
        if (kit_ifaddr_add(&a, &added, err) != 0) /* not added: somebody was quicker */
            return -1;
    }
    *ret_added = added;
    return 0;
}

int kit_netlink_addr_del(const char *interface, const struct kit_netlink_addr *addr,
                         bool *ret_removed, struct kit_err *err)
{
    struct search s = {.addr = addr};
    bool removed = false;

    if (find_interface(interface, addr, &s.index, err) != 0 || look(interface, &s, err) != 0)
        return -1;
    for (size_t i = 0; i < s.count; i++) {
        const struct kit_ifaddr a = exactly(&s, s.prefix_len[i]);
        bool gone = false;
        if (kit_ifaddr_del(&a, &gone, err) != 0)
            return -1;
        removed = removed || gone;
    }
    *ret_removed = removed;
    return 0;
}

int kit_netlink_proxy_del(const char *interface, const struct kit_netlink_addr *addr,
                          bool *ret_removed, struct kit_err *err)
{
    struct ndmsg body = {.ndm_family = kernel_family(addr), .ndm_flags = NTF_PROXY};
    struct kit_rtnl_request r;
    unsigned index = 0;

    if (find_interface(interface, addr, &index, err) != 0)
        return -1;
    body.ndm_ifindex = (int)index;
    kit_rtnl_begin(&r, RTM_DELNEIGH, NLM_F_ACK, &body, sizeof(body));
    kit_rtnl_put(&r, NDA_DST, addr->byte, addr_bytes(kernel_family(addr)));
    bool removed = kit_rtnl_ask(&r, NULL, NULL) == 0;
    if (!removed && errno != ENOENT)
        return kit_rtnl_fail(err, "take the proxy entry of the address off interface %s",
                             interface);
    *ret_removed = removed;
    return 0;
}

bool kit_netlink_addr_covers(const struct kit_netlink_addr *net,
                             const struct kit_netlink_addr *addr)
{
    size_t whole = net->prefix_len / 8, rest = net->prefix_len % 8;

    if (net->family != addr->family || memcmp(net->byte, addr->byte, whole) != 0)
        return false;
    unsigned mask = rest ? 0xffu << (8 - rest) & 0xffu : 0;
    return rest == 0 || ((unsigned)(net->byte[whole] ^ addr->byte[whole]) & mask) == 0;
}
