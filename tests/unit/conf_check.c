/* tests/unit/conf_check.c - completeness and agreement of settings, and what may be a tag. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "kit/base/mem.h"
#include "kit/base/str.h"
#include "kit/conf/check.h"

static void put(struct kit_settings *s, enum kit_param param, const char *value)
{
    struct kit_err err;

    if (kit_settings_put(s, param, value, "f:1", &err))
        fail_msg("%s", err.msg);
}

static void required_ones_are_required(void **state)
{
    static const struct kit_param_use uses[] = {
        {KIT_PARAM_REGION, false, 0},
        {KIT_PARAM_ADDRESS, true, 0},
        {KIT_PARAM_API_TIMEOUT, true, 0}, /* has a default */
    };
    KIT_AUTO(kit_settings) s;
    struct kit_err err;

    (void)state;
    kit_settings_init(&s, "vip1");
    assert_int_equal(kit_conf_check(&s, uses, KIT_LEN(uses), &err), -1);
    assert_int_equal(err.kind, KIT_ERR_CONFIG);
    assert_string_equal(err.msg,
                        "vip1: address is missing (The protected IPv4 or IPv6 address; for "
                        "elastic-ip the public one); set it in the section [vip1] of the "
                        "resource's file");
    put(&s, KIT_PARAM_ADDRESS, "10.0.0.1");
    assert_int_equal(kit_conf_check(&s, uses, KIT_LEN(uses), &err), 0);
}

static void one_of_a_group_is_enough(void **state)
{
    static const struct kit_param_use uses[] = {
        {KIT_PARAM_INTERFACE, false, 1},
        {KIT_PARAM_ENI, false, 1},
        {KIT_PARAM_ALLOCATION_ID, false, 2},
        {KIT_PARAM_ADDRESS, false, 2},
    };
    KIT_AUTO(kit_settings) s;
    struct kit_err err;

    (void)state;
    kit_settings_init(&s, "vip1");
    put(&s, KIT_PARAM_ADDRESS, "198.51.100.1");
    assert_int_equal(kit_conf_check(&s, uses, KIT_LEN(uses), &err), -1);
    assert_true(kit_str_starts(err.msg, "vip1: one of interface, eni is needed (interface: "));
    put(&s, KIT_PARAM_ENI, "eni-1");
    assert_int_equal(kit_conf_check(&s, uses, KIT_LEN(uses), &err), 0);
    put(&s, KIT_PARAM_INTERFACE, "eth0");
    assert_int_equal(kit_conf_check(&s, uses, KIT_LEN(uses), &err), 0);
}

static void addresses_must_fit(void **state)
{
    static const struct {
        const char *scenario, *address, *inner, *part; /* of the message; NULL = they fit */
    } rows[] = {
        {"route-table", "10.0.0.1", NULL, NULL},
        {"route-table", "2001:db8::1", NULL, NULL},
        {"route-table", "0.0.0.0", NULL, "unspecified"},
        {"route-table", "::", NULL, "unspecified"},
        {"route-table", "127.0.0.1", NULL, "loopback"},
        {"route-table", "::1", NULL, "loopback"},
        {"route-table", "169.254.169.254", NULL, "link-local"},
        {"route-table", "fe80::1", NULL, "link-local"},
        {"route-table", "224.0.0.1", NULL, "multicast"},
        {"route-table", "239.255.255.255", NULL, "multicast"},
        {"route-table", "ff02::1", NULL, "multicast"},
        {"route-table", "255.255.255.255", NULL, "broadcast"},
        {"elastic-ip", "198.51.100.1", "10.0.0.5", NULL},
        {"elastic-ip", "2001:db8::1", NULL, "IPv4"},
        {"elastic-ip", "198.51.100.1", "2001:db8::1", "IPv4"},
        {"elastic-ip", "198.51.100.1", "198.51.100.1", "the same"},
        {"elastic-ip", NULL, "127.0.0.1", "f:1: private_address = 127.0.0.1: a loopback"},
    };

    (void)state;
    for (size_t i = 0; i < KIT_LEN(rows); i++) {
        KIT_AUTO(kit_settings) s;
        struct kit_err err;
        kit_settings_init(&s, "v");
        put(&s, KIT_PARAM_SCENARIO, rows[i].scenario);
        if (rows[i].address)
            put(&s, KIT_PARAM_ADDRESS, rows[i].address);
        if (rows[i].inner)
            put(&s, KIT_PARAM_PRIVATE_ADDRESS, rows[i].inner);
        int status = kit_conf_check(&s, NULL, 0, &err);
        if ((status == 0) != (rows[i].part == NULL))
            fail_msg("row %zu: %s", i, status == 0 ? "taken" : err.msg);
        if (rows[i].part) {
            assert_int_equal(err.kind, KIT_ERR_CONFIG);
            assert_non_null(strstr(err.msg, rows[i].part));
        }
    }
}

static void an_external_id_needs_its_role(void **state)
{
    KIT_AUTO(kit_settings) s;
    struct kit_err err;

    (void)state;
    kit_settings_init(&s, "v");
    put(&s, KIT_PARAM_EXTERNAL_ID, "hunter2");
    assert_int_equal(kit_conf_check(&s, NULL, 0, &err), -1);
    assert_null(strstr(err.msg, "hunter2"));
    put(&s, KIT_PARAM_ROLE_ARN, "arn:aws:iam::1:role/x");
    assert_int_equal(kit_conf_check(&s, NULL, 0, &err), 0);
}

static void tags_follow_the_rules(void **state)
{
    static const char *const good[] = {"v", "vip-1", "a.b_c/d", "-v", "Defaults1", "a..b"};
    static const char *const bad[] = {"",         ".a",       "/a",  "a b",    "a;b",
                                      "a\nb",     "a=b",      "a:b", "a/../b", "a/..",
                                      "\xc3\xa4", "defaults", "a%s"};
    char longest[258];
    struct kit_err err;

    (void)state;
    for (size_t i = 0; i < KIT_LEN(good); i++)
        assert_int_equal(kit_conf_check_tag(good[i], &err), 0);
    for (size_t i = 0; i < KIT_LEN(bad); i++) {
        assert_int_equal(kit_conf_check_tag(bad[i], &err), -1);
        assert_int_equal(err.kind, KIT_ERR_CONFIG);
    }
    memset(longest, 'a', sizeof(longest));
    longest[256] = '\0';
    assert_int_equal(kit_conf_check_tag(longest, &err), 0);
    longest[256] = 'a';
    longest[257] = '\0';
    assert_int_equal(kit_conf_check_tag(longest, &err), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(required_ones_are_required),
        cmocka_unit_test(one_of_a_group_is_enough),
        cmocka_unit_test(addresses_must_fit),
        cmocka_unit_test(an_external_id_needs_its_role),
        cmocka_unit_test(tags_follow_the_rules),
    };
    return cmocka_run_group_tests_name("conf_check", tests, NULL, NULL);
}
