/* kit/cloud/aws/creds: the order of the sources, and refresh. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/aws_creds_world.h"

#define PROCESS                                                                                    \
    "credential_process = /bin/echo '{\"Version\":1,\"AccessKeyId\":\"PROCESS\","                  \
    "\"SecretAccessKey\":\"" SECRET "\"}'\n"
#define CONFIG_KEYS "aws_access_key_id = CONFIG\naws_secret_access_key = " SECRET "\n"

static void configure_all(void)
{
    (void)setenv("AWS_REGION", "us-east-1", 1);
    (void)setenv("AWS_ACCESS_KEY_ID", "ENVIRONMENT", 1);
    (void)setenv("AWS_SECRET_ACCESS_KEY", SECRET, 1);
    write_file(token_path, SECRET "web\n");
    (void)setenv("AWS_WEB_IDENTITY_TOKEN_FILE", token_path, 1);
    (void)setenv("AWS_ROLE_ARN", "arn:aws:iam::1:role/web", 1);
    (void)setenv("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/v2/creds", 1);
    write_file(credentials_path,
               "[default]\naws_access_key_id = FILE\naws_secret_access_key = " SECRET "\n");
    write_file(config_path, "[default]\nrole_arn = arn:aws:iam::1:role/r\n"
                            "source_profile = default\n" PROCESS CONFIG_KEYS);
}

/* All sources are there; the first is taken away, and the next one counts. */
static void the_first_source_that_is_configured_counts(void **state)
{
    (void)state;
    configure_all();
    gives("ENVIRONMENT");
    assert_string_equal(cloud->creds.source, "environment");
    assert_int_equal(cloud->creds.expires_s, 0);

    (void)unsetenv("AWS_ACCESS_KEY_ID");
    (void)unsetenv("AWS_SECRET_ACCESS_KEY");
    reopen();
    gives("STS1");
    assert_non_null(strstr(world.last_sts, "Action=AssumeRole&"));
    assert_non_null(strstr(world.all_sts, "Credential=FILE"));
    assert_string_equal(cloud->creds.source, "role arn:aws:iam::1:role/r");
    assert_int_equal(cloud->creds.expires_s, NOW_S + 3600);

    write_file(config_path, "[default]\n" PROCESS CONFIG_KEYS);
    reopen();
    gives("STS2");
    assert_non_null(strstr(world.last_sts, "Action=AssumeRoleWithWebIdentity&"));

    (void)unsetenv("AWS_WEB_IDENTITY_TOKEN_FILE");
    (void)unsetenv("AWS_ROLE_ARN");
    reopen();
    gives("FILE");
    assert_non_null(strstr(cloud->creds.source, credentials_path));

    (void)unlink(credentials_path);
    reopen();
    gives("PROCESS");

    write_file(config_path, "[default]\n" CONFIG_KEYS);
    reopen();
    gives("CONFIG");

    (void)unlink(config_path);
    reopen();
    gives("CONTAINER");

    (void)unsetenv("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
    reopen();
    gives("INSTANCE");
    assert_string_equal(cloud->creds.source, "role node-role of the instance");

    world.role = NULL;
    refuses(KIT_ERR_AUTH, "no credentials");
}

static void the_environment(void **state)
{
    (void)state;
    (void)setenv("AWS_ACCESS_KEY_ID", "ENVIRONMENT", 1);
    refuses(KIT_ERR_CONFIG, "AWS_ACCESS_KEY_ID is set, but AWS_SECRET_ACCESS_KEY is not");
    (void)unsetenv("AWS_ACCESS_KEY_ID");
    (void)setenv("AWS_SECRET_ACCESS_KEY", SECRET, 1);
    refuses(KIT_ERR_CONFIG, "AWS_SECRET_ACCESS_KEY is set, but AWS_ACCESS_KEY_ID is not");
    (void)setenv("AWS_ACCESS_KEY_ID", "ENVIRONMENT", 1);
    (void)setenv("AWS_CREDENTIAL_EXPIRATION", "tomorrow", 1);
    refuses(KIT_ERR_CONFIG, "expiration");
    (void)setenv("AWS_CREDENTIAL_EXPIRATION", "2026-01-02T04:04:05Z", 1);
    (void)setenv("AWS_SECURITY_TOKEN", SECRET "old", 1);
    gives("ENVIRONMENT");
    assert_int_equal(cloud->creds.expires_s, NOW_S + 3600);
    assert_string_equal(cloud->creds.token.text, SECRET "old");
    (void)setenv("AWS_SESSION_TOKEN", SECRET "new", 1);
    reopen();
    gives("ENVIRONMENT");
    assert_string_equal(cloud->creds.token.text, SECRET "new");
    assert_int_equal(world.tokens, 0);
}

static void the_profile_parameter_goes_before_the_environment(void **state)
{
    (void)state;
    (void)setenv("AWS_ACCESS_KEY_ID", "ENVIRONMENT", 1);
    (void)setenv("AWS_SECRET_ACCESS_KEY", SECRET, 1);
    write_file(credentials_path, "[two]\naws_access_key_id = TWO\naws_secret_access_key = " SECRET
                                 "\naws_session_token = " SECRET "token\n");
    (void)setenv("AWS_PROFILE", "two", 1);
    gives("ENVIRONMENT");
    put(KIT_PARAM_PROFILE, "two");
    reopen();
    gives("TWO");
    assert_string_equal(cloud->creds.token.text, SECRET "token");
    put(KIT_PARAM_PROFILE, "three");
    refuses(KIT_ERR_CONFIG, "profile three is neither in");
    (void)unsetenv("AWS_ACCESS_KEY_ID");
    (void)unsetenv("AWS_SECRET_ACCESS_KEY");
    kit_settings_done(&settings);
    kit_settings_init(&settings, "vip1");
    (void)setenv("AWS_PROFILE", "four", 1);
    refuses(KIT_ERR_CONFIG, "profile four is neither in");
}

static void a_role_on_top(void **state)
{
    (void)state;
    put(KIT_PARAM_ROLE_ARN, "arn:aws:iam::2:role/other-account");
    put(KIT_PARAM_EXTERNAL_ID, "e&x");
    gives("STS1");
    assert_non_null(strstr(world.all_sts, "Credential=INSTANCE "));
    assert_non_null(
        strstr(world.last_sts, "RoleArn=arn%3Aaws%3Aiam%3A%3A2%3Arole%2Fother-account"));
    assert_non_null(strstr(world.last_sts, "ExternalId=e%26x"));
    world.sts_status = 403;
    refuses(KIT_ERR_DENIED, "assume role arn:aws:iam::2:role/other-account");
}

static void credentials_are_refreshed_ten_minutes_before_their_end(void **state)
{
    struct kit_err err;

    (void)state;
    (void)setenv("AWS_REGION", "us-east-1", 1);
    put(KIT_PARAM_ROLE_ARN, "arn:r");
    gives("STS1");
    world.wall_s = NOW_S + 3600 - 600;
    gives("STS1");
    world.wall_s += 1;
    world.sts_status = 403; /* a refresh that fails: what there is still works */
    gives("STS1");
    assert_int_equal(world.sts_calls, 2);
    world.wall_s = NOW_S + 3600;
    assert_int_equal(aws_creds_get(cloud, soon(), &err), -1);
    assert_int_equal(err.kind, KIT_ERR_DENIED);
    world.sts_status = 200;
    world.sts_expires_s = world.wall_s + 3600;
    gives("STS4");
    gives("STS4");
    assert_int_equal(world.sts_calls, 4);
}

static void the_measured_clock_counts(void **state)
{
    (void)state;
    put(KIT_PARAM_ROLE_ARN, "arn:r");
    gives("STS1");
    cloud->skew_s = 3600; /* the server's clock is ahead */
    world.sts_expires_s = NOW_S + 7200;
    gives("STS2");
}

static void refused_credentials_are_renewed(void **state)
{
    struct kit_err err;

    (void)state;
    gives("INSTANCE");
    /* The same temporary ones are worth another try. */
    assert_int_equal(aws_creds_renew(cloud, soon(), &err), 0);
    assert_string_equal(cloud->creds.access_key_id, "INSTANCE");
    set_role_json("{\"Code\":\"Success\",\"AccessKeyId\":\"ROTATED\",\"SecretAccessKey\":\"" SECRET
                  "\",\"Token\":\"" SECRET "t\",\"Expiration\":\"2026-01-02T10:00:00Z\"}");
    assert_int_equal(aws_creds_renew(cloud, soon(), &err), 0);
    assert_string_equal(cloud->creds.access_key_id, "ROTATED");
    world.silent = true;
    assert_int_equal(aws_creds_renew(cloud, soon(), &err), -1);
    assert_int_equal(err.kind, KIT_ERR_TRANSIENT);
    assert_string_equal(cloud->creds.access_key_id, "");
    world.silent = false;
    gives("ROTATED");
}

static void static_credentials_that_were_refused_stay_refused(void **state)
{
    struct kit_err err;

    (void)state;
    (void)setenv("AWS_ACCESS_KEY_ID", "ENVIRONMENT", 1);
    (void)setenv("AWS_SECRET_ACCESS_KEY", SECRET, 1);
    gives("ENVIRONMENT");
    assert_int_equal(aws_creds_renew(cloud, soon(), &err), -1);
    assert_int_equal(err.kind, KIT_ERR_AUTH);
    assert_non_null(strstr(err.msg, "from environment, and they are still the same"));
    assert_null(strstr(err.msg, SECRET));
    (void)setenv("AWS_SECRET_ACCESS_KEY", SECRET "2", 1);
    assert_int_equal(aws_creds_renew(cloud, soon(), &err), 0);
    assert_string_equal(cloud->creds.secret_key.text, SECRET "2");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_first_source_that_is_configured_counts),
        TEST(the_environment),
        TEST(the_profile_parameter_goes_before_the_environment),
        TEST(a_role_on_top),
        TEST(credentials_are_refreshed_ten_minutes_before_their_end),
        TEST(the_measured_clock_counts),
        TEST(refused_credentials_are_renewed),
        TEST(static_credentials_that_were_refused_stay_refused),
    };
    return cmocka_run_group_tests_name("aws/creds", tests, NULL, NULL);
}
