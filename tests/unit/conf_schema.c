/* tests/unit/conf_schema.c - the table of parameters, values of every type, and what may be shown
 * of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "kit/base/mem.h"
#include "kit/base/str.h"
#include "kit/conf/redact.h"
#include "kit/conf/schema.h"

static void the_table_is_whole(void **state)
{
    KIT_AUTO(kit_settings) s;

    (void)state;
    kit_settings_init(&s, "vip1"); /* parses every default; ends the process when one is wrong */
    assert_string_equal(s.tag, "vip1");
    for (int i = 0; i < KIT_PARAM_COUNT; i++) {
        const struct kit_param_info *info = &kit_param_info[i];
        assert_non_null(info->name);
        assert_true(info->text[0] != '\0');
        assert_true(strlen(info->name) <= 31); /* the ceiling of kit_param_near */
        assert_int_equal(kit_param_by_name(info->name), i);
        assert_false(s.v[i].given);
        assert_int_equal(s.v[i].text != NULL, info->dflt != NULL);
        if (info->dflt)
            assert_string_equal(s.v[i].origin, "default");
        /* Canonical: what --help shows is what the default becomes. */
        if (info->dflt)
            assert_string_equal(s.v[i].text, info->dflt);
    }
    assert_int_equal(kit_param_by_name("no_such"), KIT_PARAM_NONE);
    assert_int_equal(kit_param_by_name(""), KIT_PARAM_NONE);
    assert_int_equal(kit_settings_number(&s, KIT_PARAM_RESTORE_TIMEOUT), 300);
    assert_int_equal(kit_settings_number(&s, KIT_PARAM_REGION), 0);
    assert_null(kit_settings_addr(&s, KIT_PARAM_ADDRESS));
    assert_null(kit_settings_list(&s, KIT_PARAM_ROUTE_TABLES));
}

static void near_names_are_found(void **state)
{
    (void)state;
    assert_string_equal(kit_param_near("adress"), "address");
    assert_string_equal(kit_param_near("interfcae"), "interface");
    assert_string_equal(kit_param_near("restore-timeout"), "restore_timeout");
    assert_string_equal(kit_param_near("route_table"), "route_tables");
    assert_string_equal(kit_param_near("regoin"), "region");
    assert_string_equal(kit_param_near("enl"), "eni");
    /* The nearest of several that are near. */
    assert_string_equal(kit_param_near("recover_timeou"), "recover_timeout");
    assert_null(kit_param_near("password"));
    assert_null(kit_param_near("x"));
    assert_null(kit_param_near(""));
    assert_null(kit_param_near("a_name_that_is_longer_than_any_parameter_could_be"));
}

struct row {
    enum kit_param param;
    const char *value;
    const char *text; /* canonical; NULL = refused */
};

static const struct row value_rows[] = {
    {KIT_PARAM_PROVIDER, "aws", "aws"},
    {KIT_PARAM_PROVIDER, "aws|aliyun", NULL},
    {KIT_PARAM_PROVIDER, "aw", NULL},
    {KIT_PARAM_PROVIDER, "AWS", NULL},
    {KIT_PARAM_SCENARIO, "elastic-ip", "elastic-ip"},
    {KIT_PARAM_CREATE_ROUTE, "yes", "yes"},
    {KIT_PARAM_CREATE_ROUTE, "true", "yes"},
    {KIT_PARAM_CREATE_ROUTE, "no", "no"},
    {KIT_PARAM_CREATE_ROUTE, "false", "no"},
    {KIT_PARAM_CREATE_ROUTE, "1", NULL},
    {KIT_PARAM_GARP_COUNT, "0", "0"},
    {KIT_PARAM_GARP_COUNT, "100", "100"},
    {KIT_PARAM_GARP_COUNT, "101", NULL},
    {KIT_PARAM_GARP_COUNT, "-1", NULL},
    {KIT_PARAM_GARP_COUNT, "007", "7"},
    {KIT_PARAM_RESTORE_TIMEOUT, "86400", "86400"},
    {KIT_PARAM_RESTORE_TIMEOUT, "0", NULL},
    {KIT_PARAM_RESTORE_TIMEOUT, "5m", NULL},
    {KIT_PARAM_RESTORE_TIMEOUT, "99999999999999999999", NULL},
    {KIT_PARAM_ADDRESS, "10.1.0.10", "10.1.0.10"},
    {KIT_PARAM_ADDRESS, "2001:DB8:0:0::1", "2001:db8::1"},
    {KIT_PARAM_ADDRESS, "10.1.0.10/32", NULL},
    {KIT_PARAM_ADDRESS, "10.1.0.010", NULL},
    {KIT_PARAM_ADDRESS, "fe80::1%eth0", NULL},
    {KIT_PARAM_INTERFACE, "eth1", "eth1"},
    {KIT_PARAM_INTERFACE, "a234567890bcdef", "a234567890bcdef"},
    {KIT_PARAM_INTERFACE, "a234567890bcdefg", NULL},
    {KIT_PARAM_INTERFACE, "../x", NULL},
    {KIT_PARAM_INTERFACE, "..", NULL},
    {KIT_PARAM_INTERFACE, "eth0:1", NULL},
    {KIT_PARAM_INTERFACE, "eth 0", NULL},
    {KIT_PARAM_ENI, "eni-0a1b2c", "eni-0a1b2c"},
    {KIT_PARAM_ENI, "eni-0a1b2c&Action=TerminateInstances", NULL},
    {KIT_PARAM_ENI, "eni 1", NULL},
    {KIT_PARAM_ROUTE_TABLES, "rtb-1", "rtb-1"},
    {KIT_PARAM_ROUTE_TABLES, "rtb-1, rtb-2;rtb-3 rtb-4", "rtb-1,rtb-2,rtb-3,rtb-4"},
    {KIT_PARAM_ROUTE_TABLES, ",rtb-1,,", "rtb-1"},
    {KIT_PARAM_ROUTE_TABLES, "rtb-1,rtb-2,rtb-1", NULL},
    {KIT_PARAM_ROUTE_TABLES, "rtb-1,rtb/2", NULL},
    {KIT_PARAM_ROUTE_TABLES, " , ;", NULL},
    {KIT_PARAM_HOOK_HOSTS, "Hooks.Example.ORG; 10.0.0.5:8443 [FD00::1]:443 localhost:80",
     "hooks.example.org,10.0.0.5:8443,[fd00::1]:443,localhost:80"},
    {KIT_PARAM_HOOK_HOSTS, "127.0.0.1:5000", "127.0.0.1:5000"},
    {KIT_PARAM_HOOK_HOSTS, "a.example,A.EXAMPLE", NULL},
    {KIT_PARAM_HOOK_HOSTS, "169.254.169.254", NULL},
    {KIT_PARAM_HOOK_HOSTS, "100.100.100.200:80", NULL},
    {KIT_PARAM_HOOK_HOSTS, "[fd00:ec2::254]", NULL},
    {KIT_PARAM_HOOK_HOSTS, "[fe80::1]", NULL},
    {KIT_PARAM_HOOK_HOSTS, "2852039166", NULL},
    {KIT_PARAM_HOOK_HOSTS, "https://a.example/", NULL},
    {KIT_PARAM_HOOK_HOSTS, "a.example/x", NULL},
    {KIT_PARAM_HOOK_HOSTS, "me@a.example", NULL},
    {KIT_PARAM_HOOK_HOSTS, "a.example:99999", NULL},
    {KIT_PARAM_HOOK_HOSTS, "*", NULL},
    {KIT_PARAM_HOOK_PROGRAMS, "/usr/bin/logger,/usr/sbin/nft", "/usr/bin/logger,/usr/sbin/nft"},
    {KIT_PARAM_HOOK_PROGRAMS, "logger", NULL},
    {KIT_PARAM_HOOK_PROGRAMS, "/usr/bin/../bin/sh", NULL},
    {KIT_PARAM_HOOK_PROGRAMS, "/usr/bin/", NULL},
    {KIT_PARAM_HOOK_PROGRAMS, "/usr/bin/\x1b", NULL},
    {KIT_PARAM_HOOK_ENV, "SITE, NODE_ROLE", "SITE,NODE_ROLE"},
    {KIT_PARAM_HOOK_ENV, "AWS_REGION", "AWS_REGION"},
    {KIT_PARAM_HOOK_ENV, "AWS_SECRET_ACCESS_KEY", NULL},
    {KIT_PARAM_HOOK_ENV, "ALIBABA_CLOUD_SECURITY_TOKEN", NULL},
    {KIT_PARAM_HOOK_ENV, "A=B", NULL},
    {KIT_PARAM_HOOK_ENV, "1A", NULL},
    {KIT_PARAM_HOOK_FAILURE, "refuse", "refuse"},
    {KIT_PARAM_HOOK_FAILURE, "no", NULL},
    {KIT_PARAM_ENDPOINT, "https://ec2.eu-west-1.amazonaws.com",
     "https://ec2.eu-west-1.amazonaws.com"},
    {KIT_PARAM_ENDPOINT, "http://127.0.0.1:5000/x", "http://127.0.0.1:5000/x"},
    {KIT_PARAM_ENDPOINT, "http://ec2.eu-west-1.amazonaws.com", NULL},
    {KIT_PARAM_ENDPOINT, "ftp://127.0.0.1/", NULL},
    {KIT_PARAM_ENDPOINT, "ec2.eu-west-1.amazonaws.com", NULL},
    {KIT_PARAM_PROFILE, "my profile", "my profile"},
    {KIT_PARAM_PROFILE, "Zürich", "Zürich"},
    {KIT_PARAM_PROFILE, "a\nb", NULL},
    {KIT_PARAM_PROFILE, "a\xff", NULL},
    {KIT_PARAM_CA_FILE, "/etc/ssl/ca.pem", "/etc/ssl/ca.pem"},
    {KIT_PARAM_CA_FILE, "ca.pem", NULL},
    {KIT_PARAM_CA_FILE, "/etc/\x1b[2J", NULL},
    {KIT_PARAM_ON_UNKNOWN, "ok", "ok"},
    {KIT_PARAM_ON_UNKNOWN, "fail", "fail"},
    {KIT_PARAM_ON_UNKNOWN, "fail-after 3", "fail-after 3"},
    {KIT_PARAM_ON_UNKNOWN, "fail-after:3", "fail-after 3"},
    {KIT_PARAM_ON_UNKNOWN, "fail-after-3", "fail-after 3"},
    {KIT_PARAM_ON_UNKNOWN, "fail-after 1", "fail"},
    {KIT_PARAM_ON_UNKNOWN, "fail-after 0", NULL},
    {KIT_PARAM_ON_UNKNOWN, "fail-after", NULL},
    {KIT_PARAM_ON_UNKNOWN, "fail-after3", NULL},
    {KIT_PARAM_ON_UNKNOWN, "fail-after --3", NULL},
    {KIT_PARAM_ON_UNKNOWN, "okay", NULL},
};

static void values_of_every_type(void **state)
{
    (void)state;
    for (size_t i = 0; i < KIT_LEN(value_rows); i++) {
        KIT_AUTO(kit_settings) s;
        struct kit_err err;
        const struct row *row = &value_rows[i];
        const char *name = kit_param_info[row->param].name;

        kit_settings_init(&s, "t");
        int status = kit_settings_put(&s, row->param, row->value, "f:1", &err);
        if ((status == 0) != (row->text != NULL))
            fail_msg("%s = %s: %s", name, row->value, status == 0 ? "taken" : err.msg);
        if (row->text) {
            assert_string_equal(kit_settings_text(&s, row->param), row->text);
            assert_string_equal(s.v[row->param].origin, "f:1");
            assert_true(s.v[row->param].given);
            continue;
        }
        char begin[64];
        (void)kit_str_format(begin, sizeof(begin), "f:1: %s: ", name);
        assert_int_equal(err.kind, KIT_ERR_CONFIG);
        assert_true(kit_str_starts(err.msg, begin));
        assert_false(s.v[row->param].given); /* what was there stays */
    }
}

static void typed_values(void **state)
{
    KIT_AUTO(kit_settings) s;
    struct kit_err err;

    (void)state;
    kit_settings_init(&s, "t");
    assert_int_equal(kit_settings_put(&s, KIT_PARAM_ADDRESS, "10.1.0.10", "a", &err), 0);
    assert_int_equal(kit_settings_addr(&s, KIT_PARAM_ADDRESS)->family, 4);
    assert_int_equal(kit_settings_addr(&s, KIT_PARAM_ADDRESS)->byte[3], 10);

    assert_int_equal(kit_settings_put(&s, KIT_PARAM_ROUTE_TABLES, "rtb-1 rtb-2", "a", &err), 0);
    char *const *list = kit_settings_list(&s, KIT_PARAM_ROUTE_TABLES);
    assert_string_equal(list[0], "rtb-1");
    assert_string_equal(list[1], "rtb-2");
    assert_null(list[2]);

    assert_int_equal(kit_settings_put(&s, KIT_PARAM_CREATE_ROUTE, "true", "a", &err), 0);
    assert_true(kit_settings_yes(&s, KIT_PARAM_CREATE_ROUTE));
    assert_int_equal(kit_settings_number(&s, KIT_PARAM_CREATE_ROUTE), 1);
    assert_int_equal(kit_settings_number(&s, KIT_PARAM_ON_UNKNOWN), 0);
    assert_int_equal(kit_settings_put(&s, KIT_PARAM_ON_UNKNOWN, "fail-after 7", "a", &err), 0);
    assert_int_equal(kit_settings_number(&s, KIT_PARAM_ON_UNKNOWN), 7);
    assert_true(kit_settings_is(&s, KIT_PARAM_PROVIDER, "auto"));
    assert_false(kit_settings_is(&s, KIT_PARAM_REGION, "auto"));

    /* The later value replaces the earlier one, lists too. */
    assert_int_equal(kit_settings_put(&s, KIT_PARAM_ROUTE_TABLES, "rtb-9", "b", &err), 0);
    assert_string_equal(kit_settings_list(&s, KIT_PARAM_ROUTE_TABLES)[0], "rtb-9");
    assert_null(kit_settings_list(&s, KIT_PARAM_ROUTE_TABLES)[1]);
    assert_string_equal(s.v[KIT_PARAM_ROUTE_TABLES].origin, "b");

    assert_int_equal(kit_settings_put(&s, KIT_PARAM_REGION, "", "f:9", &err), -1);
    assert_string_equal(err.msg, "f:9: region: the value is empty");
}

static void a_list_has_a_ceiling(void **state)
{
    KIT_AUTO(kit_settings) s;
    KIT_AUTO(kit_buf) text = KIT_BUF(100000);
    struct kit_err err;

    (void)state;
    kit_settings_init(&s, "t");
    for (int i = 0; i < 512; i++)
        (void)kit_buf_printf(&text, "rtb-%059d ", i); /* 63 characters: the longest */
    assert_int_equal(kit_settings_put(&s, KIT_PARAM_ROUTE_TABLES, text.data, "a", &err), 0);
    /* The canonical form is whole: the last id is in it. */
    assert_true(kit_str_ends(kit_settings_text(&s, KIT_PARAM_ROUTE_TABLES), "511"));
    (void)kit_buf_puts(&text, "one-more");
    assert_int_equal(kit_settings_put(&s, KIT_PARAM_ROUTE_TABLES, text.data, "a", &err), -1);
    kit_buf_reset(&text);
    (void)kit_buf_printf(&text, "rtb-%060d", 1);
    assert_int_equal(kit_settings_put(&s, KIT_PARAM_ROUTE_TABLES, text.data, "a", &err), -1);
}

static void secrets_are_not_shown(void **state)
{
    KIT_AUTO(kit_settings) s;
    struct kit_err err;
    static const struct {
        enum kit_param param;
        const char *value;
    } rows[] = {
        {KIT_PARAM_EXTERNAL_ID, "hunter2\x01"},
        {KIT_PARAM_PROXY, "http://u:hunter2\x7f@h/"},
        {KIT_PARAM_ENDPOINT, "https://u:hunter2@h/"},
        {KIT_PARAM_STS_ENDPOINT, "https//u:hunter2@h/"},
    };

    (void)state;
    kit_settings_init(&s, "t");
    for (size_t i = 0; i < KIT_LEN(rows); i++) {
        assert_int_equal(kit_settings_put(&s, rows[i].param, rows[i].value, "f:1", &err), -1);
        assert_null(strstr(err.msg, "hunter2"));
    }
}

static void sessions_are_compared(void **state)
{
    KIT_AUTO(kit_settings) a;
    KIT_AUTO(kit_settings) b;
    struct kit_err err;

    (void)state;
    kit_settings_init(&a, "a");
    kit_settings_init(&b, "b");
    assert_int_equal(kit_settings_put(&a, KIT_PARAM_ADDRESS, "10.0.0.1", "f", &err), 0);
    assert_true(kit_settings_same_session(&a, &b));
    assert_int_equal(kit_settings_put(&a, KIT_PARAM_REGION, "eu-west-1", "f", &err), 0);
    assert_false(kit_settings_same_session(&a, &b));
    assert_int_equal(kit_settings_put(&b, KIT_PARAM_REGION, "eu-west-1", "g", &err), 0);
    assert_true(kit_settings_same_session(&a, &b));
    assert_int_equal(kit_settings_put(&b, KIT_PARAM_ROLE_ARN, "arn:aws:iam::1:role/x", "g", &err),
                     0);
    assert_false(kit_settings_same_session(&a, &b));
}

static void redacts(void **state)
{
    static const struct {
        const char *value, *shown;
    } rows[] = {
        {"", ""},
        {"eth0", "eth0"},
        {"https://proxy:3128/", "https://proxy:3128/"},
        {"http://u:p@proxy:3128", "http://***@proxy:3128"},
        {"u:p@proxy", "***@proxy"},
        {"http://u:p/q@proxy", "http://***@proxy"},
        {"http://u:p@q@proxy", "http://***@proxy"},
        {"u:p@http://h", "***@http://h"},
        {"arn:aws:iam::1:role/x", "arn:aws:iam::1:role/x"},
    };

    (void)state;
    for (size_t i = 0; i < KIT_LEN(rows); i++) {
        KIT_AUTO(kit_buf) out = KIT_BUF(200);
        kit_redact(&out, rows[i].value);
        assert_string_equal(out.data, rows[i].shown);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_table_is_whole),    cmocka_unit_test(near_names_are_found),
        cmocka_unit_test(values_of_every_type),  cmocka_unit_test(typed_values),
        cmocka_unit_test(a_list_has_a_ceiling),  cmocka_unit_test(secrets_are_not_shown),
        cmocka_unit_test(sessions_are_compared), cmocka_unit_test(redacts),
    };
    return cmocka_run_group_tests_name("conf_schema", tests, NULL, NULL);
}
