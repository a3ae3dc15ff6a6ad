/* kit/cloud/aws/endpoint, against botocore's rule sets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kit/cloud/aws/endpoint.h"
#include "tests/unit/aws_data.h"

static void every_region_and_form(void **state)
{
    KIT_AUTO(kit_json) doc = {0};

    (void)state;
    aws_data_read("aws_endpoints.json", &doc);
    const struct kit_json_node *list = kit_json_get(kit_json_root(&doc), "endpoints");
    assert_int_equal(kit_json_count(list), 224);
    for (size_t i = 0; i < kit_json_count(list); i++) {
        const struct kit_json_node *row = kit_json_at(list, i);
        struct aws_endpoint_choice choice = {.service = aws_data_text(row, "service"),
                                             .region = aws_data_text(row, "region")};
        struct aws_endpoint endpoint;
        struct kit_err err;
        char want[512];

        assert_true(kit_json_bool(kit_json_get(row, "fips"), &choice.fips));
        assert_true(kit_json_bool(kit_json_get(row, "dualstack"), &choice.dualstack));
        assert_true(kit_str_format(want, sizeof(want), "%s/", aws_data_text(row, "url")));
        assert_int_equal(aws_endpoint_resolve(&choice, &endpoint, &err), 0);
        assert_string_equal(endpoint.url, want);
    }
}

static void a_region_becomes_no_other_host(void **state)
{
    static const char *const regions[] = {
        "",
        "us east 1",
        "us-east-1.evil.example",
        "us-east-1/",
        "us-east-1@x",
        "-us-east-1",
        "us-east-1-",
        "US-EAST-1",
        "12345",
        "us_east_1",
        "eu-\xc3\xa9-1",
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", /* 64 */
    };
    struct aws_endpoint endpoint = {.url = "as before"};
    struct kit_err err;

    (void)state;
    for (size_t i = 0; i < KIT_LEN(regions); i++) {
        const struct aws_endpoint_choice choice = {.service = "ec2", .region = regions[i]};
        assert_int_equal(aws_endpoint_resolve(&choice, &endpoint, &err), -1);
        assert_int_equal(err.kind, KIT_ERR_CONFIG);
        assert_string_equal(endpoint.url, "as before");
    }
}

static void an_url_of_ones_own(void **state)
{
    static const struct {
        const char *custom, *want; /* NULL: refused */
    } rows[] = {
        {"http://127.0.0.1:5000", "http://127.0.0.1:5000/"},
        {"http://127.0.0.1:5000/", "http://127.0.0.1:5000/"},
        {"https://vpce-0abc.ec2.us-east-1.vpce.amazonaws.com",
         "https://vpce-0abc.ec2.us-east-1.vpce.amazonaws.com/"},
        {"https://h.example/ec2", "https://h.example/ec2"},
        {"https://h.example/ec2/", "https://h.example/ec2/"},
        {"ftp://h.example/", NULL},
        {"h.example", NULL},
        {"https://h.example/?a=b", NULL},
        {"https://user:secret@h.example/", NULL},
    };
    struct aws_endpoint endpoint;
    struct kit_err err;

    (void)state;
    for (size_t i = 0; i < KIT_LEN(rows); i++) {
        const struct aws_endpoint_choice choice = {
            .service = "ec2", .region = "no region at all", .custom = rows[i].custom};
        int rc = aws_endpoint_resolve(&choice, &endpoint, &err);
        assert_int_equal(rc, rows[i].want ? 0 : -1);
        if (rows[i].want)
            assert_string_equal(endpoint.url, rows[i].want);
        else
            assert_int_equal(err.kind, KIT_ERR_CONFIG);
    }
    struct aws_endpoint_choice both = {
        .service = "ec2", .region = "us-east-1", .custom = "https://h.example/", .fips = true};
    assert_int_equal(aws_endpoint_resolve(&both, &endpoint, &err), -1);
    assert_int_equal(err.kind, KIT_ERR_CONFIG);
    both.fips = false;
    both.dualstack = true;
    assert_int_equal(aws_endpoint_resolve(&both, &endpoint, &err), -1);
    assert_int_equal(err.kind, KIT_ERR_CONFIG);
}

/* ---- who may name it ------------------------------------------------------------------------- */

static const char *const variables[] = {
    "AWS_ENDPOINT_URL_EC2",
    "AWS_ENDPOINT_URL_STS",
    "AWS_ENDPOINT_URL",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
    "AWS_USE_DUALSTACK_ENDPOINT",
    "AWS_USE_FIPS_ENDPOINT",
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_SHARED_CREDENTIALS_FILE",
    "AWS_CONFIG_FILE",
};

static int clean(void **state)
{
    (void)state;
    for (size_t i = 0; i < KIT_LEN(variables); i++)
        (void)unsetenv(variables[i]);
    return 0;
}

static void expect(const struct kit_settings *s, const struct aws_profiles *p, const char *service,
                   const char *want)
{
    struct aws_endpoint endpoint;
    struct kit_err err;

    if (aws_endpoint_for(s, p, service, "us-east-1", &endpoint, &err) != 0)
        fail_msg("%s", err.msg);
    assert_string_equal(endpoint.url, want);
}

static void put(struct kit_settings *s, enum kit_param param, const char *value)
{
    struct kit_err err;

    assert_int_equal(kit_settings_put(s, param, value, "test", &err), 0);
}

static char dir[] = "/tmp/cloudvip-unit-XXXXXX";
static char path[64];
static struct kit_settings settings;
static struct aws_profiles *profiles;

static int setup(void **state)
{
    static const char config[] = "[default]\n"
                                 "endpoint_url = https://profile.example/\n"
                                 "services = mine\n"
                                 "[services mine]\n"
                                 "ec2 =\n"
                                 "  endpoint_url = https://services.example/\n"
                                 "[profile plain]\n"
                                 "endpoint_url = https://plain.example/\n"
                                 "[profile switches]\n"
                                 "use_fips_endpoint = TRUE\n"
                                 "[profile ignores]\n"
                                 "endpoint_url = https://plain.example/\n"
                                 "ignore_configured_endpoint_urls = true\n";
    struct kit_err err;

    (void)clean(state);
    (void)kit_str_copy(dir, sizeof(dir), "/tmp/cloudvip-unit-XXXXXX");
    if (!mkdtemp(dir) || !kit_str_format(path, sizeof(path), "%s/config", dir) ||
        kit_file_write(path, config, sizeof(config) - 1, 0600, false, &err) != 0)
        return -1;
    (void)setenv("AWS_CONFIG_FILE", path, 1);
    (void)setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent", 1);
    kit_settings_init(&settings, "vip1");
    return aws_profiles_load(&settings, &profiles, &err);
}

static int teardown(void **state)
{
    aws_profiles_free(profiles);
    kit_settings_done(&settings);
    (void)remove(path);
    (void)remove(dir);
    return clean(state);
}

static void the_profile_may_name_it(void **state)
{
    (void)state;
    expect(&settings, NULL, "ec2", "https://ec2.us-east-1.amazonaws.com/");
    expect(&settings, profiles, "ec2", "https://services.example/");
    expect(&settings, profiles, "sts", "https://profile.example/");
    (void)setenv("AWS_PROFILE", "plain", 1);
    expect(&settings, profiles, "ec2", "https://plain.example/");
    (void)setenv("AWS_PROFILE", "ignores", 1);
    expect(&settings, profiles, "ec2", "https://ec2.us-east-1.amazonaws.com/");
    (void)setenv("AWS_PROFILE", "switches", 1);
    expect(&settings, profiles, "ec2", "https://ec2-fips.us-east-1.amazonaws.com/");
    (void)setenv("AWS_USE_FIPS_ENDPOINT", "false", 1);
    (void)setenv("AWS_USE_DUALSTACK_ENDPOINT", "true", 1);
    expect(&settings, profiles, "ec2", "https://ec2.us-east-1.api.aws/");
}

static void the_nearest_word_counts(void **state)
{
    (void)state;
    (void)setenv("AWS_ENDPOINT_URL", "https://all.example", 1);
    expect(&settings, profiles, "ec2", "https://all.example/");
    expect(&settings, profiles, "sts", "https://all.example/");
    (void)setenv("AWS_ENDPOINT_URL_EC2", "https://ec2.example", 1);
    expect(&settings, profiles, "ec2", "https://ec2.example/");
    expect(&settings, profiles, "sts", "https://all.example/");
    (void)setenv("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true", 1);
    expect(&settings, profiles, "ec2", "https://ec2.us-east-1.amazonaws.com/");
    put(&settings, KIT_PARAM_ENDPOINT, "https://parameter.example/");
    expect(&settings, profiles, "ec2", "https://parameter.example/");
    expect(&settings, profiles, "sts", "https://sts.us-east-1.amazonaws.com/");
    put(&settings, KIT_PARAM_STS_ENDPOINT, "https://sts.example/");
    expect(&settings, profiles, "sts", "https://sts.example/");
}

static void a_wrong_url_is_reported_with_who_said_it(void **state)
{
    struct aws_endpoint endpoint;
    struct kit_err err;

    (void)state;
    (void)setenv("AWS_ENDPOINT_URL_STS", "nonsense", 1);
    assert_int_equal(aws_endpoint_for(&settings, NULL, "sts", "us-east-1", &endpoint, &err), -1);
    assert_int_equal(err.kind, KIT_ERR_CONFIG);
    assert_non_null(strstr(err.msg, "AWS_ENDPOINT_URL_STS"));
    expect(&settings, NULL, "ec2", "https://ec2.us-east-1.amazonaws.com/");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_region_and_form),
        cmocka_unit_test(a_region_becomes_no_other_host),
        cmocka_unit_test(an_url_of_ones_own),
        cmocka_unit_test_setup_teardown(the_profile_may_name_it, setup, teardown),
        cmocka_unit_test_setup_teardown(the_nearest_word_counts, setup, teardown),
        cmocka_unit_test_setup_teardown(a_wrong_url_is_reported_with_who_said_it, setup, teardown),
    };
    return cmocka_run_group_tests_name("aws/endpoint", tests, NULL, NULL);
}
