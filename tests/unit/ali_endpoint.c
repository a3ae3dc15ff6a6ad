/* kit/cloud/aliyun/endpoint: host names by the vendor's rule, and who may name another one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kit/cloud/aliyun/endpoint.h"
#include "kit/sys/file.h"
#include "tests/unit/ali_session.h"

static void names_by_region(void **state)
{
    static const struct {
        const char *product, *region;
        bool internal;
        const char *url; /* NULL: refused */
    } rows[] = {
        {"vpc", "ap-northeast-1", false, "https://vpc.ap-northeast-1.aliyuncs.com/"},
        {"ecs", "eu-central-1", false, "https://ecs.eu-central-1.aliyuncs.com/"},
        {"sts", "cn-beijing", false, "https://sts.cn-beijing.aliyuncs.com/"},
        {"sts", "", false, "https://sts.aliyuncs.com/"},
        {"sts", NULL, true, "https://sts.aliyuncs.com/"},
        {"vpc", "cn-hangzhou", false, "https://vpc.aliyuncs.com/"},
        {"ecs", "cn-hangzhou", false, "https://ecs-cn-hangzhou.aliyuncs.com/"},
        {"sts", "cn-hangzhou", false, "https://sts.cn-hangzhou.aliyuncs.com/"},
        {"ecs", "cn-hangzhou-finance", false, "https://ecs.aliyuncs.com/"},
        {"ecs", "cn-shanghai-finance-1", false, "https://ecs-cn-hangzhou.aliyuncs.com/"},
        {"vpc", "cn-north-2-gov-1", false, "https://vpc.aliyuncs.com/"},
        {"vpc", "cn-hangzhou", true, "https://vpc-vpc.cn-hangzhou.aliyuncs.com/"},
        {"ecs", "cn-shanghai", true, "https://ecs-vpc.cn-shanghai.aliyuncs.com/"},
        {"sts", "cn-shanghai", true, "https://sts-vpc.cn-shanghai.aliyuncs.com/"},
        {"vpc", "", false, NULL},
        {"vpc", NULL, false, NULL},
        {"vpc", "evil.example/", false, NULL},
        {"vpc", "cn-hangzhou.evil", false, NULL},
        {"vpc", "-cn", false, NULL},
        {"vpc", "cn-", false, NULL},
        {"vpc", "CN-HANGZHOU", false, NULL},
        {"vpc", "127", false, NULL},
    };

    (void)state;
    for (size_t i = 0; i < KIT_LEN(rows); i++) {
        const struct ali_endpoint_choice choice = {
            .product = rows[i].product, .region = rows[i].region, .internal = rows[i].internal};
        struct ali_endpoint endpoint = {.url = "before"};
        struct kit_err err;
        int rc = ali_endpoint_resolve(&choice, &endpoint, &err);

        assert_string_equal(endpoint.url, rows[i].url ? rows[i].url : "before");
        assert_int_equal(rc, rows[i].url ? 0 : -1);
        if (rc)
            assert_int_equal(err.kind, KIT_ERR_CONFIG);
    }
}

static void urls_of_ones_own(void **state)
{
    static const struct {
        const char *custom, *url;
    } rows[] = {
        {"https://vpc.example", "https://vpc.example/"},
        {"https://vpc.example/", "https://vpc.example/"},
        {"http://127.0.0.1:8080/aliyun", "http://127.0.0.1:8080/aliyun"},
        {"vpc-vpc.cn-beijing.aliyuncs.com", "https://vpc-vpc.cn-beijing.aliyuncs.com/"},
        {"ftp://vpc.example", NULL},
        {"https://user@vpc.example/", NULL},
        {"vpc.example?x=1", NULL},
        {"", NULL},
    };

    (void)state;
    for (size_t i = 0; i < KIT_LEN(rows); i++) {
        /* The region's name does not matter here. */
        const struct ali_endpoint_choice choice = {
            .product = "vpc", .region = "!", .internal = true, .custom = rows[i].custom};
        struct ali_endpoint endpoint = {.url = "before"};
        struct kit_err err;
        int rc = ali_endpoint_resolve(&choice, &endpoint, &err);

        assert_int_equal(rc, rows[i].url ? 0 : -1);
        assert_string_equal(endpoint.url, rows[i].url ? rows[i].url : "before");
    }
}

static const char *url_for(struct ali_session *s, const struct ali_profiles *profiles,
                           const char *product)
{
    static struct ali_endpoint endpoint;
    struct kit_err err;

    if (ali_endpoint_for(&s->settings, profiles, product, "cn-beijing", &endpoint, &err))
        fail_msg("%s", err.msg);
    return endpoint.url;
}

static void who_comes_first(void **state)
{
    struct ali_session *s = ali_begin(NULL, 0);

    (void)state;
    assert_string_equal(url_for(s, NULL, "vpc"), "https://vpc.cn-beijing.aliyuncs.com/");
    (void)setenv("ALIBABA_CLOUD_VPC_ENDPOINT_ENABLED", "true", 1);
    assert_string_equal(url_for(s, NULL, "vpc"), "https://vpc-vpc.cn-beijing.aliyuncs.com/");
    assert_string_equal(url_for(s, NULL, "sts"), "https://sts-vpc.cn-beijing.aliyuncs.com/");
    (void)setenv("ALIBABA_CLOUD_VPC_ENDPOINT", "v.example", 1);
    (void)setenv("ALIBABA_CLOUD_ECS_ENDPOINT", "https://e.example", 1);
    (void)setenv("ALIBABA_CLOUD_STS_ENDPOINT", "s.example", 1);
    assert_string_equal(url_for(s, NULL, "vpc"), "https://v.example/");
    assert_string_equal(url_for(s, NULL, "ecs"), "https://e.example/");
    assert_string_equal(url_for(s, NULL, "sts"), "https://s.example/");
    ali_session_put(s, KIT_PARAM_ENDPOINT, "https://p.example");
    assert_string_equal(url_for(s, NULL, "vpc"), "https://p.example/");
    assert_string_equal(url_for(s, NULL, "ecs"), "https://p.example/");
    assert_string_equal(url_for(s, NULL, "sts"), "https://s.example/");
    ali_session_put(s, KIT_PARAM_STS_ENDPOINT, "https://ps.example");
    assert_string_equal(url_for(s, NULL, "sts"), "https://ps.example/");
    ali_end(s);
}

static void the_profile_may_ask_for_the_inner_network(void **state)
{
    static const char text[] = "{\"current\":\"prod\",\"profiles\":[{\"name\":\"prod\","
                               "\"enable_vpc\":true},{\"name\":\"test\",\"enable_vpc\":false}]}";
    char path[] = "/tmp/cloudvip-unit-XXXXXX";
    struct ali_session *s = ali_begin(NULL, 0);
    struct ali_profiles *profiles;
    struct kit_err err;
    int fd = mkstemp(path);

    (void)state;
    assert_true(fd >= 0);
    (void)close(fd);
    assert_int_equal(kit_file_write(path, text, strlen(text), 0600, false, &err), 0);
    (void)setenv("ALIBABA_CLOUD_CONFIG_FILE", path, 1);
    if (ali_profiles_load(&s->settings, &profiles, &err))
        fail_msg("%s", err.msg);
    assert_string_equal(url_for(s, profiles, "ecs"), "https://ecs-vpc.cn-beijing.aliyuncs.com/");
    ali_session_put(s, KIT_PARAM_PROFILE, "test");
    assert_string_equal(url_for(s, profiles, "ecs"), "https://ecs.cn-beijing.aliyuncs.com/");
    ali_profiles_free(profiles);
    (void)unlink(path);
    ali_end(s);
}

static void a_wrong_url_is_told_with_its_owner(void **state)
{
    struct ali_session *s = ali_begin(NULL, 0);
    struct kit_err err;

    (void)state;
    (void)setenv("ALIBABA_CLOUD_ECS_ENDPOINT", "ftp://e.example", 1);
    assert_int_equal(ali_ready(s->cloud, ali_soon(s), &err), -1);
    assert_int_equal(err.kind, KIT_ERR_CONFIG);
    fake_assert_text(err.msg, "ALIBABA_CLOUD_ECS_ENDPOINT: ");
    ali_end(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_by_region),
        cmocka_unit_test(urls_of_ones_own),
        cmocka_unit_test(who_comes_first),
        cmocka_unit_test(the_profile_may_ask_for_the_inner_network),
        cmocka_unit_test(a_wrong_url_is_told_with_its_owner),
    };
    return cmocka_run_group_tests_name("aliyun/endpoint", tests, NULL, NULL);
}
