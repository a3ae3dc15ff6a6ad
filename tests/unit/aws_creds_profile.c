/* kit/cloud/aws/creds_profile and creds_process: what a profile says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/aws_creds_world.h"

static void half_a_key_is_refused(void **state)
{
    (void)state;
    write_file(credentials_path, "[default]\naws_access_key_id = FILE\n");
    refuses(KIT_ERR_CONFIG, "without a secret access key");
    write_file(credentials_path, "[default]\naws_secret_access_key = " SECRET "\n");
    refuses(KIT_ERR_CONFIG, "without an access key id");
    write_file(credentials_path, "[default]\n" SECRET "\n");
    refuses(KIT_ERR_CONFIG, ":2: ");
}

static void a_login_is_refused(void **state)
{
    (void)state;
    write_file(config_path, "[default]\nsso_session = s\nsso_account_id = 1\nregion = r\n");
    refuses(KIT_ERR_CONFIG, "a person's login");
    write_file(config_path, "[default]\nsso_start_url = https://x/\n");
    refuses(KIT_ERR_CONFIG, "a person's login");
    write_file(config_path, "[default]\nlogin_session = s\n");
    refuses(KIT_ERR_CONFIG, "a person's login");
    assert_int_equal(world.tokens, 0);
    /* Keys beside it are keys. */
    write_file(credentials_path,
               "[default]\naws_access_key_id = FILE\naws_secret_access_key = " SECRET "\n");
    reopen();
    gives("FILE");
}

static void roles_one_after_the_other(void **state)
{
    (void)state;
    (void)setenv("AWS_REGION", "us-east-1", 1);
    (void)setenv("AWS_PROFILE", "top", 1);
    write_file(config_path,
               "[profile top]\nrole_arn = arn:aws:iam::1:role/top\nsource_profile = middle\n"
               "external_id = x/1\nrole_session_name = me\nduration_seconds = 1200\n"
               "[profile middle]\nrole_arn = arn:aws:iam::1:role/middle\nsource_profile = keys\n"
               "[profile keys]\naws_access_key_id = KEYS\naws_secret_access_key = " SECRET
               "\nrole_arn = arn:aws:iam::1:role/never\nsource_profile = top\n");
    gives("STS2");
    assert_int_equal(world.sts_calls, 2);
    char *second = strchr(world.all_sts, '\n');
    assert_non_null(second);
    *second++ = '\0';
    assert_true(kit_str_starts(world.all_sts, "Credential=KEYS "));
    assert_non_null(strstr(world.all_sts, "role%2Fmiddle"));
    assert_non_null(strstr(world.all_sts, "RoleSessionName=cloudvip-"));
    assert_null(strstr(world.all_sts, "ExternalId"));
    assert_null(strstr(world.all_sts, "DurationSeconds"));
    assert_true(kit_str_starts(second, "Credential=STS1 "));
    assert_non_null(strstr(second, "role%2Ftop"));
    assert_non_null(strstr(second, "&RoleSessionName=me"));
    assert_non_null(strstr(second, "&ExternalId=x%2F1"));
    assert_non_null(strstr(second, "&DurationSeconds=1200"));
}

static void roles_that_cannot_be(void **state)
{
    static const struct {
        const char *config, *words;
    } rows[] = {
        {"source_profile = gone\n", "source_profile gone does not exist"},
        {"source_profile = default\n", "circle"},
        {"source_profile = b\n[profile b]\nrole_arn = r\nsource_profile = default\n", "circle"},
        {"source_profile = b\n[profile b]\nrole_arn = r\nsource_profile = b\n", "circle"},
        {"source_profile = b\n[profile b]\nregion = x\n", "source_profile b has no credentials"},
        {"", "needs a source_profile or a credential_source"},
        {"source_profile = b\ncredential_source = Environment\n[profile b]\n", "both"},
        {"credential_source = Nowhere\n", "credential_source is"},
        {"credential_source = Environment\nmfa_serial = arn:aws:iam::1:mfa/me\n", "mfa_serial"},
        {"source_profile = b\nduration_seconds = 5\n[profile b]\naws_access_key_id = K\n"
         "aws_secret_access_key = " SECRET "\n",
         "duration_seconds"},
        {"source_profile = b\n[profile b]\naws_access_key_id = K\n", "without a secret"},
        {"source_profile=1\n[profile 1]\nrole_arn=r\nsource_profile=2\n[profile 2]\nrole_arn=r\n"
         "source_profile=3\n[profile 3]\nrole_arn=r\nsource_profile=4\n[profile 4]\nrole_arn=r\n"
         "source_profile=5\n[profile 5]\nrole_arn=r\nsource_profile=6\n[profile 6]\nrole_arn=r\n"
         "source_profile=7\n[profile 7]\nrole_arn=r\nsource_profile=8\n[profile 8]\nrole_arn=r\n"
         "source_profile=9\n[profile 9]\n",
         "too long"},
    };
    char text[1024];

    (void)state;
    (void)setenv("AWS_REGION", "us-east-1", 1);
    for (size_t i = 0; i < KIT_LEN(rows); i++) {
        assert_true(kit_str_format(text, sizeof(text), "[default]\nrole_arn = arn:top\n%s",
                                   rows[i].config));
        write_file(config_path, text);
        refuses(KIT_ERR_CONFIG, rows[i].words);
    }
    assert_int_equal(world.sts_calls, 0);
}

static void named_sources(void **state)
{
    (void)state;
    (void)setenv("AWS_REGION", "us-east-1", 1);
    write_file(config_path, "[default]\nrole_arn = r\ncredential_source = Ec2InstanceMetadata\n");
    gives("STS1");
    assert_non_null(strstr(world.all_sts, "Credential=INSTANCE "));
    (void)setenv("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/c", 1);
    write_file(config_path, "[default]\nrole_arn = r\ncredential_source = EcsContainer\n");
    reopen();
    gives("STS2");
    assert_non_null(strstr(world.all_sts, "Credential=CONTAINER "));
    (void)unsetenv("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
    refuses(KIT_ERR_AUTH, "credential_source EcsContainer has no credentials");
    write_file(config_path, "[default]\nrole_arn = r\ncredential_source = Environment\n");
    refuses(KIT_ERR_AUTH, "credential_source Environment has no credentials");
    /* With the profile named by the parameter, the environment is asked by the profile alone. */
    (void)setenv("AWS_ACCESS_KEY_ID", "ENVIRONMENT", 1);
    (void)setenv("AWS_SECRET_ACCESS_KEY", SECRET, 1);
    put(KIT_PARAM_PROFILE, "default");
    reopen();
    gives("STS3");
    assert_non_null(strstr(world.all_sts, "Credential=ENVIRONMENT "));
}

static void a_web_identity(void **state)
{
    (void)state;
    (void)setenv("AWS_REGION", "us-east-1", 1);
    write_file(token_path, SECRET "1\n");
    (void)setenv("AWS_WEB_IDENTITY_TOKEN_FILE", token_path, 1);
    refuses(KIT_ERR_CONFIG, "AWS_ROLE_ARN");
    (void)setenv("AWS_ROLE_ARN", "arn:web", 1);
    (void)setenv("AWS_ROLE_SESSION_NAME", "session", 1);
    world.sts_expires_s = NOW_S + 601;
    gives("STS1");
    assert_true(kit_str_starts(world.all_sts, "unsigned "));
    assert_non_null(strstr(world.last_sts, "RoleSessionName=session&WebIdentityToken=" SECRET "1"));
    /* The file is read anew for each refresh. */
    write_file(token_path, SECRET "2");
    world.wall_s += 2;
    gives("STS2");
    assert_non_null(strstr(world.last_sts, "WebIdentityToken=" SECRET "2"));

    write_file(token_path, " \n");
    refuses(KIT_ERR_CONFIG, "is empty");
    (void)unlink(token_path);
    refuses(KIT_ERR_CONFIG, token_path);
    /* From the profile, and then the environment's is not looked at. */
    write_file(token_path, SECRET "3");
    (void)setenv("AWS_WEB_IDENTITY_TOKEN_FILE", "/nonexistent", 1);
    char text[256];
    assert_true(kit_str_format(text, sizeof(text),
                               "[profile w]\nweb_identity_token_file = %s\nrole_arn = arn:p\n",
                               token_path));
    write_file(config_path, text);
    put(KIT_PARAM_PROFILE, "w");
    reopen();
    gives("STS3");
    assert_non_null(strstr(world.last_sts, "RoleArn=arn%3Ap&"));
}

static void a_process(void **state)
{
    static const struct {
        const char *command;
        enum kit_err_kind kind;
        const char *words;
    } rows[] = {
        {"/bin/false", KIT_ERR_AUTH, "/bin/false failed with status 1"},
        {"/nonexistent/program", KIT_ERR_CONFIG, "/nonexistent/program"},
        {"echo x", KIT_ERR_CONFIG, "absolute path"},
        {"./x", KIT_ERR_CONFIG, "absolute path"},
        {"/bin/echo 'x", KIT_ERR_CONFIG, "without its end"},
        {"/bin/echo " SECRET, KIT_ERR_AUTH, "not JSON"},
        {"/bin/echo", KIT_ERR_AUTH, "not JSON"},
        {"/bin/echo '{\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"" SECRET "\"}'", KIT_ERR_AUTH,
         "Version"},
        {"/bin/echo '{\"Version\":2,\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"" SECRET "\"}'",
         KIT_ERR_AUTH, "Version"},
        {"/bin/echo '{\"Version\":1,\"SecretAccessKey\":\"" SECRET "\"}'", KIT_ERR_AUTH,
         "without an access key id"},
        {"/bin/echo '{\"Version\":1,\"AccessKeyId\":\"A\"}'", KIT_ERR_AUTH,
         "without a secret access key"},
        {"/bin/echo '{\"Version\":1}'", KIT_ERR_AUTH, "no AccessKeyId"},
        {"/bin/echo '[1]'", KIT_ERR_AUTH, "Version"},
        {"/bin/echo '{\"Version\":1,\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"" SECRET
         "\",\"Expiration\":\"never\"}'",
         KIT_ERR_AUTH, "expiration"},
    };
    char text[512];

    (void)state;
    for (size_t i = 0; i < KIT_LEN(rows); i++) {
        assert_true(kit_str_format(text, sizeof(text), "[default]\ncredential_process = %s\n",
                                   rows[i].command));
        write_file(config_path, text);
        refuses(rows[i].kind, rows[i].words);
    }
    write_file(config_path,
               "[default]\ncredential_process = /bin/echo '{\"Version\":1,\"AccessKeyId\":\"A\","
               "\"SecretAccessKey\":\"" SECRET "\",\"SessionToken\":\"" SECRET "t\","
               "\"Expiration\":\"2026-01-02T05:04:05+00:00\"}'\n");
    reopen();
    gives("A");
    assert_string_equal(cloud->creds.token.text, SECRET "t");
    assert_int_equal(cloud->creds.expires_s, NOW_S + 7200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(half_a_key_is_refused),
        TEST(a_login_is_refused),
        TEST(roles_one_after_the_other),
        TEST(roles_that_cannot_be),
        TEST(named_sources),
        TEST(a_web_identity),
        TEST(a_process),
    };
    return cmocka_run_group_tests_name("aws/creds_profile", tests, NULL, NULL);
}
