/* kit/fmt/addr. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kit/base/mem.h"
#include "kit/fmt/addr.h"

static struct kit_addr addr_of(const char *text)
{
    struct kit_addr addr = {0};

    assert_true(kit_addr_parse(text, &addr));
    return addr;
}

static struct kit_cidr cidr_of(const char *text)
{
    struct kit_cidr cidr = {0};

    assert_true(kit_cidr_parse(text, &cidr));
    return cidr;
}

/* The right column is RFC 5952's canonical form. */
static void addresses_come_back_canonical(void **state)
{
    static const char *const rows[][2] = {
        {"10.0.0.1", "10.0.0.1"},
        {"255.255.255.255", "255.255.255.255"},
        {"0.0.0.0", "0.0.0.0"},
        {"::", "::"},
        {"::1", "::1"},
        {"2001:DB8:0:0:1:0:0:1", "2001:db8::1:0:0:1"},
        {"2001:0db8::0001", "2001:db8::1"},
        {"2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"},
        {"fe80:0:0:0:0:0:0:1", "fe80::1"},
        {"::ffff:10.0.0.1", "::ffff:10.0.0.1"},
    };
    char buf[KIT_ADDR_TEXT];

    (void)state;
    for (size_t i = 0; i < KIT_LEN(rows); i++) {
        struct kit_addr addr = addr_of(rows[i][0]);
        assert_string_equal(kit_addr_text(&addr, buf), rows[i][1]);
    }
    assert_string_equal(kit_addr_text(&(struct kit_addr){0}, buf), "");
}

static void what_is_no_address_is_refused(void **state)
{
    static const char *const rows[] = {
        "",           " 10.0.0.1",    "10.0.0.1 ", "10.0.0",   "10.0.0.0.1",
        "10.0.0.256", "010.0.0.1",    "10.0.0.01", "10.1",     "0x0a.0.0.1",
        "[::1]",      "fe80::1%eth0", ":::",       "1::2::3",  "10.0.0.1/32",
        "::1/128",    "g::1",         "localhost", "-1.0.0.0", "1:2:3:4:5:6:7:8:9",
    };
    struct kit_addr addr = {.family = 9};

    (void)state;
    for (size_t i = 0; i < KIT_LEN(rows); i++)
        assert_false(kit_addr_parse(rows[i], &addr));
    assert_int_equal(addr.family, 9);
}

static void addresses_are_compared_whole(void **state)
{
    struct kit_addr one = addr_of("10.0.0.1"), ten = addr_of("10.0.0.10");
    struct kit_addr mapped = addr_of("::ffff:10.0.0.1"), six = addr_of("a00:1::");

    (void)state;
    assert_true(kit_addr_eq(&one, &one));
    assert_false(kit_addr_eq(&one, &ten));
    assert_false(kit_addr_eq(&one, &mapped));
    assert_false(kit_addr_eq(&one, &six)); /* the same first four bytes */
    struct kit_addr six_again = addr_of("A00:0001:0::");
    assert_true(kit_addr_eq(&six, &six_again));
}

static void host_bits_are_cleared(void **state)
{
    static const char *const rows[][2] = {
        {"10.0.0.0/16", "10.0.0.0/16"},
        {"10.1.2.3/20", "10.1.0.0/20"},
        {"10.1.2.3/0", "0.0.0.0/0"},
        {"10.1.2.3/32", "10.1.2.3/32"},
        {"10.1.2.3", "10.1.2.3/32"},
        {"10.1.2.3/31", "10.1.2.2/31"},
        {"255.255.255.255/1", "128.0.0.0/1"},
        {"2001:db8::ff/120", "2001:db8::/120"},
        {"2001:db8::1", "2001:db8::1/128"},
        {"2001:db8::1/128", "2001:db8::1/128"},
        {"ffff::/3", "e000::/3"},
        {"::1/0", "::/0"},
    };
    char buf[KIT_CIDR_TEXT];

    (void)state;
    for (size_t i = 0; i < KIT_LEN(rows); i++) {
        struct kit_cidr cidr = cidr_of(rows[i][0]);
        assert_string_equal(kit_cidr_text(&cidr, buf), rows[i][1]);
    }
}

static void what_is_no_block_is_refused(void **state)
{
    static const char *const rows[] = {
        "",
        "/",
        "/8",
        "10.0.0.0/",
        "10.0.0.0/33",
        "10.0.0.0/-1",
        "10.0.0.0/08",
        "10.0.0.0/8/8",
        "10.0.0.0/ 8",
        "::/129",
        "pl-12345",
        "10.0.0.0/8x",
        "10.0.0/8",
        "2001:0db8:0000:0000:0000:0000:0000:0000:0000:1/8",
    };
    struct kit_cidr cidr = {.prefix_len = 99};

    (void)state;
    for (size_t i = 0; i < KIT_LEN(rows); i++)
        assert_false(kit_cidr_parse(rows[i], &cidr));
    assert_int_equal(cidr.prefix_len, 99);
}

static void blocks_contain_what_they_should(void **state)
{
    static const struct {
        const char *block, *addr;
        bool inside;
    } rows[] = {
        {"10.0.0.0/8", "10.255.0.1", true},
        {"10.0.0.0/8", "11.0.0.0", false},
        {"10.1.0.10/32", "10.1.0.10", true},
        {"10.1.0.1/32", "10.1.0.10", false},
        {"0.0.0.0/0", "203.0.113.9", true},
        {"0.0.0.0/0", "::1", false},
        {"::/0", "10.0.0.1", false},
        {"10.1.2.0/23", "10.1.3.255", true},
        {"10.1.2.0/23", "10.1.4.0", false},
        {"2001:db8::/32", "2001:db8:ffff::1", true},
        {"2001:db8::/33", "2001:db8:ffff::1", false},
    };
    struct kit_addr none = {0};

    (void)state;
    for (size_t i = 0; i < KIT_LEN(rows); i++) {
        struct kit_cidr block = cidr_of(rows[i].block);
        struct kit_addr addr = addr_of(rows[i].addr);
        assert_int_equal(kit_cidr_contains(&block, &addr), rows[i].inside);
        assert_false(kit_cidr_contains(&block, &none));
    }
}

static void blocks_are_compared_with_their_length(void **state)
{
    struct kit_addr addr = addr_of("10.0.0.0"), addr6 = addr_of("2001:db8::7");
    struct kit_cidr whole = kit_cidr_of(&addr), whole6 = kit_cidr_of(&addr6);
    struct kit_cidr eight = cidr_of("10.0.0.0/8"), same = cidr_of("10.0.0.0/32");
    struct kit_cidr same6 = cidr_of("2001:db8::7/128");

    (void)state;
    assert_true(kit_cidr_eq(&whole, &same));
    assert_true(kit_cidr_eq(&whole6, &same6));
    assert_false(kit_cidr_eq(&whole, &eight));
    assert_false(kit_cidr_eq(&whole, &whole6));
}

static void special_addresses_are_told_apart(void **state)
{
    static const struct {
        const char *addr;
        bool loopback, link_local;
    } rows[] = {
        {"127.0.0.1", true, false},      {"127.255.0.9", true, false},
        {"128.0.0.1", false, false},     {"::1", true, false},
        {"::2", false, false},           {"169.254.169.254", false, true},
        {"169.253.0.1", false, false},   {"fe80::1", false, true},
        {"febf::1", false, true},        {"fec0::1", false, false},
        {"fd00:ec2::254", false, false}, {"::ffff:127.0.0.1", false, false},
    };

    (void)state;
    for (size_t i = 0; i < KIT_LEN(rows); i++) {
        struct kit_addr addr = addr_of(rows[i].addr);
        assert_int_equal(kit_addr_is_loopback(&addr), rows[i].loopback);
        assert_int_equal(kit_addr_is_link_local(&addr), rows[i].link_local);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_come_back_canonical),
        cmocka_unit_test(what_is_no_address_is_refused),
        cmocka_unit_test(addresses_are_compared_whole),
        cmocka_unit_test(host_bits_are_cleared),
        cmocka_unit_test(what_is_no_block_is_refused),
        cmocka_unit_test(blocks_contain_what_they_should),
        cmocka_unit_test(blocks_are_compared_with_their_length),
        cmocka_unit_test(special_addresses_are_told_apart),
    };
    return cmocka_run_group_tests_name("fmt/addr", tests, NULL, NULL);
}
