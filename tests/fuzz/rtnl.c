/* Any bytes as what the kernel answers to a dump: addresses, routes and rules that are within their
 * bounds, or a refusal. */
#include <linux/rtnetlink.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "kit/sys/ifaddr.h"
#include "kit/sys/rtnl.h"
#include "kit/sys/iprule.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_addr(const struct kit_netlink_addr *addr)
{
    if ((addr->family != 4 && addr->family != 6) ||
        addr->prefix_len > (addr->family == 6 ? 128 : 32))
        abort();
}

static int take_route(const struct kit_route *route, void *arg)
{
    (void)arg;
    check_addr(&route->to);
    if (route->gateway.family)
        check_addr(&route->gateway);
    if (!kit_route_eq(route, route))
        abort();
    return 0;
}

static int take(const struct nlmsghdr *head, void *arg)
{
    struct kit_iprules rules = {.count = 1};
    const struct kit_routes none = {0};
    struct kit_ifaddr addr;
    struct kit_iprule rule;
    int got;

    got = kit_ifaddr_parse(head, &addr);
    if (got == 1)
        check_addr(&addr.addr);
    if (got == 0)
        got = kit_iprule_parse(head, &rule);
    if (got == 1 && head->nlmsg_type == RTM_NEWRULE) {
        check_addr(&rule.from);
        rules.rule = &rule;
        if (kit_iprule_serves(&rules, &none, 1, &rule.from))
            abort();
    }
    return got < 0 ? -1 : kit_route_parse(head, take_route, arg);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *copy = malloc(size ? size : 1); /* aligned, as what recv(2) fills is */

    if (copy) {
        memcpy(copy, data, size);
        (void)kit_rtnl_walk(copy, size, 0, 0, take, NULL);
    }
    free(copy);
    return 0;
}
