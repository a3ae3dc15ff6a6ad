/* tests/unit/sys_route.c - real routes and rules in a namespace of the test's own, made by us and
 * read by iproute2, and the other way round. */
#include "tests/unit/sys_namespace.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "kit/sys/ifaddr.h"
#include "kit/sys/rtnl.h"
#include "kit/sys/iprule.h"

#define IP "/sbin/ip"

static struct kit_netlink_addr addr_of(const char *text, unsigned char prefix_len)
{
    struct kit_netlink_addr a = {.prefix_len = prefix_len};

    a.family = strchr(text, ':') ? 6 : 4;
    assert_int_equal(inet_pton(a.family == 6 ? AF_INET6 : AF_INET, text, a.byte), 1);
    return a;
}

/* Runs `ip WORDS`; what it says, in *output. */
static void ip(struct kit_buf *output, const char *words)
{
    char text[200], *argv[32] = {(char *)(uintptr_t)IP}, *save = NULL;
    size_t n = 1;

    (void)kit_str_copy(text, sizeof(text), words);
    for (char *w = strtok_r(text, " ", &save); w && n < 31; w = strtok_r(NULL, " ", &save))
        argv[n++] = w;
    kit_buf_reset(output);
    if (run_program((const char *const *)argv, output) != 0)
        fail_msg("ip %s: %s", words, output->data);
}

static void does(const char *words)
{
    KIT_AUTO(kit_buf) output = KIT_BUF(20000);

    ip(&output, words);
}

static void says(const char *words, const char *want)
{
    KIT_AUTO(kit_buf) output = KIT_BUF(20000);

    ip(&output, words);
    /* `ip` ends lines in blanks, depending on its version. */
    char *line = output.data, *to = output.data;
    for (; *line; line++) {
        if (*line == ' ' && (line[1] == '\n' || line[1] == ' '))
            continue;
        *to++ = *line;
    }
    *to = '\0';
    assert_string_equal(output.data, want);
}

static struct kit_route default_by(const char *gateway, uint32_t table, uint32_t metric)
{
    struct kit_route r = {.gateway = addr_of(gateway, 0),
                          .index = if_nametoindex("v0"),
                          .table = table,
                          .metric = metric,
                          .type = KIT_ROUTE_UNICAST,
                          .protocol = KIT_ROUTE_BOOT};

    r.to.family = r.gateway.family;
    return r;
}

static void add(const struct kit_route *route, bool want)
{
    struct kit_err err;
    bool is = !want;

    if (kit_route_add(route, &is, &err) != 0)
        fail_msg("%s", err.msg);
    assert_int_equal(is, want);
}

static void del(const struct kit_route *route, bool want)
{
    struct kit_err err;
    bool is = !want;

    if (kit_route_del(route, &is, &err) != 0)
        fail_msg("%s", err.msg);
    assert_int_equal(is, want);
}

static bool listed(const struct kit_route *route)
{
    KIT_AUTO(kit_routes) all = {0};
    struct kit_err err;

    assert_int_equal(kit_route_list(&all, &err), 0);
    for (size_t i = 0; i < all.count; i++)
        if (kit_route_eq(&all.route[i], route))
            return true;
    return false;
}

static int make_addressed_network(void **state)
{
    if (make_network(state) != 0 || here_fd < 0)
        return 0;
    does("address add 10.0.0.20/24 dev v0");
    does("-6 address add 2001:db8::20/64 dev v0 nodad");
    return 0;
}

static void a_default_route_of_its_own_table(void **state)
{
    struct kit_route four = default_by("10.0.0.253", 1001, 0);
    struct kit_route six = default_by("2001:db8::1", 1001, 0), link = default_by("fe80::1", 999, 7);

    (void)state;
    need_network();
    add(&four, true);
    add(&four, false);
    says("-4 route show table 1001", "default via 10.0.0.253 dev v0\n");
    assert_true(listed(&four));
    add(&six, true);
    add(&six, false);
    add(&link, true);
    says("-6 route show table 1001", "default via 2001:db8::1 dev v0 metric 1024 pref medium\n");
    says("-6 route show table 999", "default via fe80::1 dev v0 metric 7 pref medium\n");
    assert_true(listed(&six));
    del(&four, true);
    del(&four, false);
    del(&six, true);
    del(&six, false);
    del(&link, true);
    assert_false(listed(&four));
    assert_false(listed(&six));
    says("-4 route show table all type unicast scope global", "");
}

static void a_metric_makes_another_route(void **state)
{
    struct kit_route one = default_by("10.0.0.253", KIT_ROUTE_MAIN, 101), two = one, none = one;
    struct kit_err err;
    bool is;

    (void)state;
    need_network();
    two.metric = 102;
    none.metric = 0;
    add(&one, true);
    assert_false(listed(&two));
    assert_false(listed(&none));
    add(&two, true);
    says("-4 route show default",
         "default via 10.0.0.253 dev v0 metric 101\ndefault via 10.0.0.253 dev v0 metric 102\n");
    /* The same metric by another gateway is somebody else's route. */
    struct kit_route other = default_by("10.0.0.254", KIT_ROUTE_MAIN, 101);
    assert_int_equal(kit_route_add(&other, &is, &err), -1);
    assert_int_equal(err.kind, KIT_ERR_SYSTEM);
    assert_int_equal(err.sys, EEXIST);
    del(&other, false);
    del(&one, true);
    says("-4 route show default", "default via 10.0.0.253 dev v0 metric 102\n");
    del(&two, true);
}

static void a_route_on_the_link(void **state)
{
    struct kit_route four = {.to = addr_of("10.0.0.0", 24),
                             .table = 101,
                             .type = KIT_ROUTE_UNICAST,
                             .protocol = KIT_ROUTE_BOOT};
    struct kit_route six = four;

    (void)state;
    need_network();
    six.to = addr_of("2001:db8::", 64);
    four.index = six.index = if_nametoindex("v0");
    add(&four, true);
    add(&six, true);
    says("-4 route show table 101", "10.0.0.0/24 dev v0 scope link\n");
    says("-6 route show table 101", "2001:db8::/64 dev v0 metric 1024 pref medium\n");
    add(&four, false);
    add(&six, false);
    /* What iproute2 makes is what we make. */
    del(&four, true);
    del(&six, true);
    does("-4 route add 10.0.0.0/24 dev v0 table 101");
    does("-6 route add 2001:db8::/64 dev v0 table 101");
    add(&four, false);
    add(&six, false);
    del(&four, true);
    del(&six, true);
}

static void next_hops_and_blackholes(void **state)
{
    KIT_AUTO(kit_routes) all = {0};
    struct kit_err err;
    unsigned hops = 0, holes = 0;

    (void)state;
    need_network();
    does("route add 10.5.0.0/16 table 77 nexthop via 10.0.0.1 dev v0 nexthop via 10.0.0.2 dev v0");
    does("route add 10.6.0.0/16 via inet6 fe80::9 dev v0 table 77");
    does("route add blackhole 10.7.0.0/16 table 77");
    does("-6 route add 2001:db8:5::/48 table 77 nexthop via 2001:db8::1 dev v0 nexthop via "
         "2001:db8::2 dev v0");
    assert_int_equal(kit_route_list(&all, &err), 0);
    for (size_t i = 0; i < all.count; i++) {
        const struct kit_route *r = &all.route[i];
        if (r->table != 77)
            continue;
        hops += r->several && r->index == if_nametoindex("v0") && r->gateway.family == r->to.family;
        holes += r->type != KIT_ROUTE_UNICAST;
        if (r->to.prefix_len == 16 && r->to.byte[1] == 6)
            assert_int_equal(r->gateway.family, 6);
    }
    assert_int_equal(hops, 4);
    assert_int_equal(holes, 1);
    does("-4 route flush table 77");
    does("-6 route flush table 77");
}

static void rules_come_and_go(void **state)
{
    struct kit_iprule four = {.from = addr_of("10.0.0.20", 32), .table = 1001, .lookup = true};
    struct kit_iprule six = {.from = addr_of("2001:db8::20", 128), .table = 101, .lookup = true};
    struct kit_err err;
    bool is;

    (void)state;
    need_network();
    assert_int_equal(kit_iprule_add(&four, &is, &err), 0);
    assert_true(is);
    assert_int_equal(kit_iprule_add(&four, &is, &err), 0);
    assert_false(is);
    assert_int_equal(kit_iprule_add(&six, &is, &err), 0);
    assert_true(is);
    says("-4 rule list", "0:\tfrom all lookup local\n32765:\tfrom 10.0.0.20 lookup 1001\n"
                         "32766:\tfrom all lookup main\n32767:\tfrom all lookup default\n");
    says("-6 rule list", "0:\tfrom all lookup local\n32765:\tfrom 2001:db8::20 lookup 101\n"
                         "32766:\tfrom all lookup main\n");
    /* Another priority, and there twice: the same rule; with a further condition: another. */
    does("rule add from 10.0.0.20 lookup 1001 priority 500");
    does("rule add from 10.0.0.20 to 10.9.0.0/16 lookup 1001 priority 600");
    does("rule add from 10.0.0.20 iif lo lookup 1001 priority 601");
    does("rule add not from 10.0.0.20 lookup 1001 priority 602");
    does("rule add from 10.0.0.20 lookup 1001 suppress_prefixlength 0 priority 603");
    assert_int_equal(kit_iprule_add(&four, &is, &err), 0);
    assert_false(is);
    assert_int_equal(kit_iprule_del(&four, &is, &err), 0);
    assert_true(is);
    assert_int_equal(kit_iprule_del(&six, &is, &err), 0);
    assert_true(is);
    assert_int_equal(kit_iprule_del(&six, &is, &err), 0);
    assert_false(is);
    says("-6 rule list", "0:\tfrom all lookup local\n32766:\tfrom all lookup main\n");
    says("-4 rule list",
         "0:\tfrom all lookup local\n600:\tfrom 10.0.0.20 to 10.9.0.0/16 lookup 1001\n"
         "601:\tfrom 10.0.0.20 iif lo lookup 1001\n602:\tnot from 10.0.0.20 lookup 1001\n"
         "603:\tfrom 10.0.0.20 lookup 1001 suppress_prefixlength 0\n"
         "32766:\tfrom all lookup main\n32767:\tfrom all lookup default\n");
    does("rule del priority 600");
    does("rule del priority 601");
    does("rule del priority 602");
    does("rule del priority 603");
}

static void what_a_rule_serves(void **state)
{
    struct kit_netlink_addr ours = addr_of("10.0.0.20", 32), other = addr_of("10.0.0.21", 32);
    struct kit_route to = default_by("10.0.0.253", 1001, 0);
    struct kit_err err;
    bool serves = true;

    (void)state;
    need_network();
    add(&to, true);
    assert_int_equal(kit_iprule_serves_now("v0", &ours, &serves, &err), 0);
    assert_false(serves);
    does("rule add from 10.0.0.20 lookup 1001");
    assert_int_equal(kit_iprule_serves_now("v0", &ours, &serves, &err), 0);
    assert_true(serves);
    assert_int_equal(kit_iprule_serves_now("v0", &other, &serves, &err), 0);
    assert_false(serves);
    assert_int_equal(kit_iprule_serves_now("lo", &ours, &serves, &err), 0);
    assert_false(serves);
    del(&to, true);
    assert_int_equal(kit_iprule_serves_now("v0", &ours, &serves, &err), 0);
    assert_false(serves);
    does("rule del from 10.0.0.20 lookup 1001");
    /* A rule for the whole /30, but not a bit more. */
    add(&to, true);
    does("rule add from 10.0.0.20/30 lookup 1001");
    assert_int_equal(kit_iprule_serves_now("v0", &other, &serves, &err), 0);
    assert_true(serves);
    other = addr_of("10.0.0.24", 32);
    assert_int_equal(kit_iprule_serves_now("v0", &other, &serves, &err), 0);
    assert_false(serves);
    does("rule del from 10.0.0.20/30 lookup 1001");
    del(&to, true);
    assert_int_equal(kit_iprule_serves_now("nosuch0", &ours, &serves, &err), -1);
    assert_int_equal(err.kind, KIT_ERR_CONFIG);
}

static void an_address_exactly(void **state)
{
    KIT_AUTO(kit_ifaddrs) all = {0};
    struct kit_ifaddr host = {.addr = addr_of("10.3.0.1", 32)}, wide = host;
    struct kit_err err;
    unsigned seen = 0;
    bool is;

    (void)state;
    need_network();
    host.index = wide.index = if_nametoindex("v0");
    wide.addr.prefix_len = 24;
    wide.metric = 101;
    assert_int_equal(kit_ifaddr_add(&wide, &is, &err), 0);
    assert_true(is);
    assert_int_equal(kit_ifaddr_add(&wide, &is, &err), 0);
    assert_false(is);
    assert_int_equal(kit_ifaddr_del(&host, &is, &err), 0);
    assert_false(is);
    says("-4 route show 10.3.0.0/24",
         "10.3.0.0/24 dev v0 proto kernel scope link src 10.3.0.1 metric 101\n");
    assert_int_equal(kit_ifaddr_list(&all, &err), 0);
    for (size_t i = 0; i < all.count; i++)
        seen += all.addr[i].index == wide.index && all.addr[i].addr.prefix_len == 24 &&
                memcmp(all.addr[i].addr.byte, wide.addr.byte, 4) == 0 && all.addr[i].metric == 101;
    assert_int_equal(seen, 1);
    assert_int_equal(kit_ifaddr_del(&wide, &is, &err), 0);
    assert_true(is);
    wide.index = 9999;
    assert_int_equal(kit_ifaddr_del(&wide, &is, &err), 0);
    assert_false(is);
}

static void without_permission_it_says_so(void **state)
{
    struct kit_route route = default_by("10.0.0.253", 1001, 0);
    struct kit_iprule rule = {.from = addr_of("10.0.0.20", 32), .table = 1001, .lookup = true};
    struct kit_err err;
    bool is = true;

    (void)state;
    need_network();
    if (geteuid() != 0 || seteuid(65534) != 0) {
        print_message("# skip: needs root: its rights are given up\n");
        skip();
    }
    int routed = kit_route_add(&route, &is, &err), first = err.sys;
    int ruled = kit_iprule_add(&rule, &is, &err);
    assert_int_equal(seteuid(0), 0);
    assert_int_equal(routed, -1);
    assert_int_equal(first, EPERM);
    assert_int_equal(ruled, -1);
    assert_string_equal(err.msg, "add the routing rule: Operation not permitted");
    assert_true(is);
}

/* ---- the parsers alone ----------------------------------------------------------------------- */

static int count_routes(const struct kit_route *route, void *arg)
{
    (void)route;
    (*(unsigned *)arg)++;
    return 0;
}

static void what_is_cut_short_is_refused(void **state)
{
    struct kit_rtnl_request r;
    const struct rtmsg body = {.rtm_family = AF_INET, .rtm_dst_len = 24, .rtm_table = 101};
    const unsigned char to[4] = {10, 0, 0, 0};
    struct nlmsghdr *head = (struct nlmsghdr *)(void *)r.bytes;
    unsigned seen = 0;

    (void)state;
    kit_rtnl_begin(&r, RTM_NEWROUTE, 0, &body, sizeof(body));
    kit_rtnl_put(&r, RTA_DST, to, sizeof(to));
    kit_rtnl_put_u32(&r, RTA_OIF, 3);
    assert_int_equal(kit_route_parse(head, count_routes, &seen), 0);
    assert_int_equal(seen, 1);
    uint32_t whole = head->nlmsg_len;
    for (uint32_t len = NLMSG_HDRLEN; len < whole; len++) {
        head->nlmsg_len = len;
        errno = 0;
        int rc = kit_route_parse(head, count_routes, &seen);
        /* Between two attributes it is a whole message. */
        bool whole_attrs = len == NLMSG_HDRLEN + sizeof(body) || len == whole - 8;
        assert_int_equal(rc, whole_attrs ? 0 : -1);
        if (rc != 0)
            assert_int_equal(errno, EPROTO);
    }
    head->nlmsg_len = whole;
    ((struct rtmsg *)(void *)(r.bytes + NLMSG_HDRLEN))->rtm_dst_len = 33;
    assert_int_equal(kit_route_parse(head, count_routes, &seen), -1);
    assert_int_equal(seen, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_default_route_of_its_own_table),
        cmocka_unit_test(a_metric_makes_another_route),
        cmocka_unit_test(a_route_on_the_link),
        cmocka_unit_test(next_hops_and_blackholes),
        cmocka_unit_test(rules_come_and_go),
        cmocka_unit_test(what_a_rule_serves),
        cmocka_unit_test(an_address_exactly),
        cmocka_unit_test(without_permission_it_says_so),
        cmocka_unit_test(what_is_cut_short_is_refused),
    };
    return cmocka_run_group_tests_name("sys_route", tests, make_addressed_network, NULL);
}
