/* tests/unit/sys_netlink.c - real addresses on real interfaces, in namespaces of the test's own.
 * What the kernel has is asked by getifaddrs and /proc, not by the code under test. */
#include "tests/unit/sys_namespace.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdlib.h>

#include "kit/sys/netlink.h"

static struct kit_netlink_addr addr_of(const char *text, unsigned char prefix_len)
{
    struct kit_netlink_addr a = {.prefix_len = prefix_len};

    a.family = strchr(text, ':') ? 6 : 4;
    assert_int_equal(inet_pton(a.family == 6 ? AF_INET6 : AF_INET, text, a.byte), 1);
    return a;
}

static unsigned ones(const unsigned char *mask, size_t bytes)
{
    unsigned n = 0;

    for (size_t i = 0; i < bytes; i++)
        n += (unsigned)__builtin_popcount(mask[i]);
    return n;
}

/* How often the kernel has it there; the prefix length of the last. */
static unsigned kernel_has(const char *interface, const struct kit_netlink_addr *a,
                           unsigned *prefix)
{
    struct ifaddrs *all = NULL;
    unsigned found = 0;
    int family = a->family == 6 ? AF_INET6 : AF_INET;

    assert_int_equal(getifaddrs(&all), 0);
    for (const struct ifaddrs *i = all; i; i = i->ifa_next) {
        if (!i->ifa_addr || i->ifa_addr->sa_family != family || strcmp(i->ifa_name, interface) != 0)
            continue;
        const void *byte =
            family == AF_INET
                ? (const void *)&((const struct sockaddr_in *)(const void *)i->ifa_addr)->sin_addr
                : &((const struct sockaddr_in6 *)(const void *)i->ifa_addr)->sin6_addr;
        const void *mask =
            family == AF_INET
                ? (const void *)&((const struct sockaddr_in *)(const void *)i->ifa_netmask)
                      ->sin_addr
                : &((const struct sockaddr_in6 *)(const void *)i->ifa_netmask)->sin6_addr;
        size_t bytes = family == AF_INET ? 4 : 16;
        if (memcmp(byte, a->byte, bytes) != 0)
            continue;
        found++;
        *prefix = ones(mask, bytes);
    }
    freeifaddrs(all);
    return found;
}

static void come_and_go(const char *text, unsigned char prefix_len)
{
    struct kit_netlink_addr a = addr_of(text, prefix_len);
    struct kit_err err;
    unsigned prefix = 0;
    bool is = true;

    assert_int_equal(kit_netlink_addr_has("v0", &a, &is, &err), 0);
    assert_false(is);
    assert_int_equal(kit_netlink_addr_add("v0", &a, &is, &err), 0);
    assert_true(is);
    assert_int_equal(kernel_has("v0", &a, &prefix), 1);
    assert_int_equal(prefix, prefix_len);
    assert_int_equal(kit_netlink_addr_has("v0", &a, &is, &err), 0);
    assert_true(is);
    assert_int_equal(kit_netlink_addr_has("lo", &a, &is, &err), 0);
    assert_false(is);

    assert_int_equal(kit_netlink_addr_add("v0", &a, &is, &err), 0);
    assert_false(is);
    assert_int_equal(kernel_has("v0", &a, &prefix), 1);

    assert_int_equal(kit_netlink_addr_del("v0", &a, &is, &err), 0);
    assert_true(is);
    assert_int_equal(kernel_has("v0", &a, &prefix), 0);
    assert_int_equal(kit_netlink_addr_del("v0", &a, &is, &err), 0);
    assert_false(is);
}

static void an_ipv4_address_comes_and_goes(void **state)
{
    (void)state;
    need_network();
    come_and_go("10.1.0.10", 32);
    come_and_go("10.1.0.10", 24);
}

static void an_ipv6_address_comes_and_goes(void **state)
{
    (void)state;
    need_network();
    come_and_go("fd00::10", 128);
    come_and_go("fd00::10", 64);
}

/* 10.0.0.1 is not 10.0.0.10, nor is the first half of an address the address. */
static void addresses_are_compared_whole(void **state)
{
    struct kit_netlink_addr there = addr_of("10.1.0.10", 32), six = addr_of("fd00::10", 128);
    static const char *const others[] = {"10.1.0.1", "10.1.0.101", "10.1.0.11",
                                         "fd00::1",  "fd00::100",  "fd00::1:10"};
    struct kit_err err;
    bool is;

    (void)state;
    need_network();
    assert_int_equal(kit_netlink_addr_add("v0", &there, &is, &err), 0);
    assert_int_equal(kit_netlink_addr_add("v0", &six, &is, &err), 0);
    for (size_t i = 0; i < KIT_LEN(others); i++) {
        struct kit_netlink_addr other = addr_of(others[i], strchr(others[i], ':') ? 128 : 32);
        assert_int_equal(kit_netlink_addr_has("v0", &other, &is, &err), 0);
        assert_false(is);
        assert_int_equal(kit_netlink_addr_del("v0", &other, &is, &err), 0);
        assert_false(is);
    }
    assert_int_equal(kit_netlink_addr_del("v0", &there, &is, &err), 0);
    assert_true(is);
    assert_int_equal(kit_netlink_addr_del("v0", &six, &is, &err), 0);
    assert_true(is);
}

static void whoever_has_it_is_found(void **state)
{
    struct kit_netlink_addr there = addr_of("10.1.0.10", 32), other = addr_of("10.1.0.1", 32);
    struct kit_netlink_addr six = addr_of("fd00::10", 128), none = {0};
    char name[KIT_NETLINK_NAME] = "?";
    struct kit_err err;
    bool is;

    (void)state;
    need_network();
    assert_int_equal(kit_netlink_addr_find(&there, name, &err), 0);
    assert_string_equal(name, "");
    assert_int_equal(kit_netlink_addr_add("v0", &there, &is, &err), 0);
    assert_int_equal(kit_netlink_addr_add("lo", &six, &is, &err), 0);
    assert_int_equal(kit_netlink_addr_find(&there, name, &err), 0);
    assert_string_equal(name, "v0");
    assert_int_equal(kit_netlink_addr_find(&six, name, &err), 0);
    assert_string_equal(name, "lo");
    assert_int_equal(kit_netlink_addr_find(&other, name, &err), 0);
    assert_string_equal(name, "");
    assert_int_equal(kit_netlink_addr_find(&none, name, &err), -1);
    assert_int_equal(err.kind, KIT_ERR_CONFIG);
    assert_int_equal(kit_netlink_addr_del("v0", &there, &is, &err), 0);
    assert_int_equal(kit_netlink_addr_del("lo", &six, &is, &err), 0);
}

/* Whoever put it there with another length: it is there, and it goes, every time. */
static void the_prefix_length_does_not_matter(void **state)
{
    static const char *const wide[] = {"/sbin/ip", "addr", "add", "10.1.0.10/24",
                                       "dev",      "v0",   NULL};
    static const char *const host[] = {"/sbin/ip", "addr", "add", "10.1.0.10/32",
                                       "dev",      "v0",   NULL};
    struct kit_netlink_addr a = addr_of("10.1.0.10", 28);
    struct kit_err err;
    unsigned prefix;
    bool is;

    (void)state;
    need_network();
    assert_int_equal(run_program(wide, NULL), 0);
    assert_int_equal(kit_netlink_addr_has("v0", &a, &is, &err), 0);
    assert_true(is);
    assert_int_equal(kit_netlink_addr_add("v0", &a, &is, &err), 0);
    assert_false(is);
    assert_int_equal(run_program(host, NULL), 0);
    assert_int_equal(kernel_has("v0", &a, &prefix), 2);
    assert_int_equal(kit_netlink_addr_del("v0", &a, &is, &err), 0);
    assert_true(is);
    assert_int_equal(kernel_has("v0", &a, &prefix), 0);
}

/* With a peer, IFA_ADDRESS is the peer's address: not one of ours. */
static void the_other_end_is_not_ours(void **state)
{
    static const char *const add[] = {"/sbin/ip", "addr", "add", "10.9.0.1", "peer",
                                      "10.9.0.2", "dev",  "v0",  NULL};
    struct kit_netlink_addr own = addr_of("10.9.0.1", 32), peer = addr_of("10.9.0.2", 32);
    struct kit_err err;
    bool is;

    (void)state;
    need_network();
    assert_int_equal(run_program(add, NULL), 0);
    assert_int_equal(kit_netlink_addr_has("v0", &peer, &is, &err), 0);
    assert_false(is);
    assert_int_equal(kit_netlink_addr_has("v0", &own, &is, &err), 0);
    assert_true(is);
    static const char *const flush[] = {"/sbin/ip", "-4", "addr", "flush", "dev", "v0", NULL};
    assert_int_equal(run_program(flush, NULL), 0);
}

/* IFA_F_NODAD (0x02), and never tentative (0x40): the cloud has moved the address already. */
static void ipv6_is_usable_at_once(void **state)
{
    struct kit_netlink_addr a = addr_of("fd00::77", 128);
    char line[200];
    struct kit_err err;
    bool is, seen = false;

    (void)state;
    need_network();
    assert_int_equal(kit_netlink_addr_add("v0", &a, &is, &err), 0);
    FILE *f = fopen("/proc/thread-self/net/if_inet6", "re");
    assert_non_null(f);
    while (fgets(line, sizeof(line), f)) {
        static const char ours[] = "fd000000000000000000000000000077 ";
        if (strncmp(line, ours, strlen(ours)) != 0)
            continue;
        /* Behind it, in hexadecimal: index, prefix length, scope, flags. */
        char *at = line + strlen(ours);
        unsigned long flags = 0;
        for (int field = 0; field < 4; field++)
            flags = strtoul(at, &at, 16);
        seen = true;
        assert_int_equal(flags & 0x02, 0x02);
        assert_int_equal(flags & 0x40, 0);
    }
    (void)fclose(f);
    assert_true(seen);
    assert_int_equal(kit_netlink_addr_del("v0", &a, &is, &err), 0);
}

/* More than fits into one answer: the last is found, and nothing else is. */
static void long_tables_are_read_to_their_end(void **state)
{
    enum {
        COUNT = 900
    };
    struct kit_netlink_addr first = addr_of("10.7.0.0", 32), last = first, none = first;
    struct kit_err err;
    unsigned prefix;
    bool is;

    (void)state;
    need_network();
    for (unsigned i = 0; i < COUNT; i++) {
        last.byte[2] = (unsigned char)(i >> 8);
        last.byte[3] = (unsigned char)i;
        assert_int_equal(kit_netlink_addr_add("v0", &last, &is, &err), 0);
        assert_true(is);
    }
    none.byte[2] = 200;
    assert_int_equal(kit_netlink_addr_has("v0", &first, &is, &err), 0);
    assert_true(is);
    assert_int_equal(kit_netlink_addr_has("v0", &last, &is, &err), 0);
    assert_true(is);
    assert_int_equal(kit_netlink_addr_has("v0", &none, &is, &err), 0);
    assert_false(is);
    assert_int_equal(kit_netlink_addr_del("v0", &last, &is, &err), 0);
    assert_int_equal(kernel_has("v0", &last, &prefix), 0);
    assert_int_equal(kernel_has("v0", &first, &prefix), 1);
}

/* Others add and remove while we read: what stays is never missed, for "not here" means failover.
 */
static void what_stays_is_found_in_a_changing_table(void **state)
{
    struct kit_netlink_addr stays = addr_of("10.7.3.0", 32), comes = addr_of("10.6.0.1", 32);
    struct kit_err err;
    int changes[2];
    bool is;

    (void)state;
    need_network(); /* and the long table of the test before */
    assert_int_equal(pipe(changes), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        for (;;) {
            if (kit_netlink_addr_add("v0", &comes, &is, &err) != 0 ||
                kit_netlink_addr_del("v0", &comes, &is, &err) != 0 ||
                write(changes[1], "c", 1) != 1)
                _exit(1);
            usleep(1000);
        }
    }
    char byte;
    assert_int_equal(read(changes[0], &byte, 1), 1);
    for (int i = 0; i < 300; i++) {
        int rc = kit_netlink_addr_has("v0", &stays, &is, &err);
        if (rc != 0 || !is) {
            (void)kill(child, SIGKILL);
            fail_msg("reading %d: %s", i, rc ? err.msg : "not found");
        }
    }
    assert_int_equal(waitpid(child, NULL, WNOHANG), 0); /* it was at it all the time */
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, NULL, 0), child);
    (void)close(changes[0]);
    (void)close(changes[1]);
}

static void what_is_wrong_is_said(void **state)
{
    struct kit_netlink_addr a = addr_of("10.1.0.10", 32), nothing = {0};
    struct kit_err err;
    bool is = true;

    (void)state;
    assert_int_equal(kit_netlink_addr_has("nosuch0", &a, &is, &err), -1);
    assert_int_equal(err.kind, KIT_ERR_CONFIG);
    assert_non_null(strstr(err.msg, "there is no interface nosuch0; there are: "));
    assert_int_equal(kit_netlink_addr_add("v0/", &a, &is, &err), -1);
    assert_int_equal(err.kind, KIT_ERR_CONFIG);
    assert_int_equal(kit_netlink_addr_del("lo", &nothing, &is, &err), -1);
    assert_int_equal(err.kind, KIT_ERR_CONFIG);
    assert_true(is);
}

static void a_prefix_length_beyond_the_address_is_refused(void **state)
{
    struct kit_netlink_addr a = addr_of("10.1.0.10", 33);
    struct kit_err err;
    unsigned prefix;
    bool is = true;

    (void)state;
    need_network();
    assert_int_equal(kit_netlink_addr_add("v0", &a, &is, &err), -1);
    assert_int_equal(err.kind, KIT_ERR_SYSTEM);
    assert_int_equal(err.sys, EINVAL);
    assert_true(is);
    assert_int_equal(kernel_has("v0", &a, &prefix), 0);
}

static unsigned proxies(void)
{
    const char *const list[] = {"/sbin/ip", "neigh", "show", "proxy", NULL};
    KIT_AUTO(kit_buf) text = KIT_BUF(1000);
    unsigned lines = 0;

    assert_int_equal(run_program(list, &text), 0);
    for (const char *c = text.data; *c; c++)
        lines += *c == '\n';
    return lines;
}

static void an_entry_that_answers_for_it_is_taken_off(void **state)
{
    static const char *const texts[] = {"10.1.0.10", "2001:db8::10"};

    (void)state;
    need_network();
    for (size_t i = 0; i < KIT_LEN(texts); i++) {
        const char *const add[] = {"/sbin/ip", "neigh", "add", "proxy",
                                   texts[i],   "dev",   "v0",  NULL};
        struct kit_netlink_addr a = addr_of(texts[i], 32);
        struct kit_err err;
        bool is = true;

        assert_int_equal(kit_netlink_proxy_del("v0", &a, &is, &err), 0);
        assert_false(is);
        assert_int_equal(run_program(add, NULL), 0);
        assert_int_equal(proxies(), 1);
        assert_int_equal(kit_netlink_proxy_del("lo", &a, &is, &err), 0);
        assert_false(is);
        assert_int_equal(kit_netlink_proxy_del("v0", &a, &is, &err), 0);
        assert_true(is);
        assert_int_equal(proxies(), 0);
        assert_int_equal(kit_netlink_proxy_del("gone0", &a, &is, &err), -1);
        assert_int_equal(err.kind, KIT_ERR_CONFIG);
    }
}

static void without_permission_it_says_so(void **state)
{
    struct kit_netlink_addr a = addr_of("10.1.0.10", 32);
    struct kit_err err;
    bool is = true;

    (void)state;
    need_network();
    if (geteuid() != 0 || seteuid(65534) != 0) {
        print_message("# skip: needs root: its rights are given up\n");
        skip();
    }
    int looked = kit_netlink_addr_has("v0", &a, &is, &err);
    int added = kit_netlink_addr_add("v0", &a, &is, &err);
    assert_int_equal(seteuid(0), 0);
    assert_int_equal(looked, 0); /* looking is free */
    assert_false(is);
    assert_int_equal(added, -1);
    assert_int_equal(err.kind, KIT_ERR_SYSTEM);
    assert_int_equal(err.sys, EPERM);
    assert_string_equal(err.msg, "add the address to interface v0: Operation not permitted");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_ipv4_address_comes_and_goes),
        cmocka_unit_test(an_ipv6_address_comes_and_goes),
        cmocka_unit_test(addresses_are_compared_whole),
        cmocka_unit_test(whoever_has_it_is_found),
        cmocka_unit_test(the_prefix_length_does_not_matter),
        cmocka_unit_test(the_other_end_is_not_ours),
        cmocka_unit_test(ipv6_is_usable_at_once),
        cmocka_unit_test(long_tables_are_read_to_their_end),
        cmocka_unit_test(what_stays_is_found_in_a_changing_table),
        cmocka_unit_test(what_is_wrong_is_said),
        cmocka_unit_test(a_prefix_length_beyond_the_address_is_refused),
        cmocka_unit_test(an_entry_that_answers_for_it_is_taken_off),
        cmocka_unit_test(without_permission_it_says_so),
    };
    return cmocka_run_group_tests_name("sys_netlink", tests, make_network, NULL);
}
