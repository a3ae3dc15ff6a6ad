/* kit/cloud/aliyun/creds: the chain, source by source, and refresh. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "tests/unit/ali_creds_world.h"

#define KEYS "\"access_key_secret\":\"" SECRET "\""

/* config.json with one profile "default" of this inside. */
static void write_profile(const char *inside)
{
    KIT_AUTO(kit_buf) text = KIT_BUF(65536);

    (void)kit_buf_printf(
        &text, "{\"current\":\"default\",\"profiles\":[{\"name\":\"default\",%s}]}", inside);
    write_file(cli_path, text.data);
}

static void env(const char *name, const char *value)
{
    assert_int_equal(value ? setenv(name, value, 1) : unsetenv(name), 0);
}

/* ---- the order ------------------------------------------------------------------------------- */

static void each_source_hides_the_next(void **state)
{
    (void)state;
    env("ALIBABA_CLOUD_CREDENTIALS_URI", "http://127.0.0.1:1/creds?x=1");
    world.uri_json = "{\"Code\":\"Success\",\"AccessKeyId\":\"URI\",\"AccessKeySecret\":\"" SECRET
                     "\",\"SecurityToken\":\"t\",\"Expiration\":\"2026-01-02T09:00:00Z\"}";
    world.role = NULL;
    gives("URI");
    world.role = "node-role";
    gives("INSTANCE");
    assert_int_equal(session->cloud->creds.expires_s, 1767344400);
    assert_string_equal(session->cloud->creds.source, "role node-role of the instance");

    write_file(ini_path,
               "[default]\ntype = access_key\naccess_key_id = INI\naccess_key_secret = " SECRET
               "\n");
    unsigned before = world.gets;
    gives("INI");
    write_profile("\"mode\":\"AK\",\"access_key_id\":\"CLI\"," KEYS);
    gives("CLI");
    env("ALIBABA_CLOUD_CLI_PROFILE_DISABLED", "true");
    gives("INI");
    env("ALIBABA_CLOUD_CLI_PROFILE_DISABLED", NULL);

    write_file(token_path, SECRET "oidc\n");
    env("ALIBABA_CLOUD_ROLE_ARN", "acs:ram::1:role/pod");
    env("ALIBABA_CLOUD_OIDC_PROVIDER_ARN", "acs:ram::1:oidc-provider/p");
    gives("CLI"); /* two of three: not meant */
    env("ALIBABA_CLOUD_OIDC_TOKEN_FILE", token_path);
    gives("STS1");
    env("ALIBABA_CLOUD_ACCESS_KEY_ID", "ENV");
    env("ALIBABA_CLOUD_ACCESS_KEY_SECRET", SECRET);
    env("ALIBABA_CLOUD_SECURITY_TOKEN", "tok");
    gives("ENV");
    assert_string_equal(session->cloud->creds.token.text, "tok");
    /* Who names a profile does not mean the environment. */
    ali_session_put(session, KIT_PARAM_PROFILE, "default");
    gives("CLI");
    assert_int_equal(world.gets, before);
}

static void half_a_key_is_an_error_and_not_skipped(void **state)
{
    (void)state;
    env("ALIBABA_CLOUD_ACCESS_KEY_ID", "ENV");
    refuses(KIT_ERR_CONFIG, "ALIBABA_CLOUD_ACCESS_KEY_ID is set, but "
                            "ALIBABA_CLOUD_ACCESS_KEY_SECRET is not");
    env("ALIBABA_CLOUD_ACCESS_KEY_ID", NULL);
    env("ALIBABA_CLOUD_ACCESS_KEY_SECRET", SECRET);
    refuses(KIT_ERR_CONFIG, "ALIBABA_CLOUD_ACCESS_KEY_ID is not");
    env("ALIBABA_CLOUD_ACCESS_KEY_SECRET", NULL);
    write_profile("\"mode\":\"AK\"," KEYS);
    refuses(KIT_ERR_CONFIG, "an access key secret without an access key id");
    write_file(cli_path, "{\"profiles\":");
    refuses(KIT_ERR_CONFIG, cli_path);
    (void)unlink(cli_path);
    write_file(ini_path, "[default]\naccess_key_id = X\n");
    refuses(KIT_ERR_CONFIG, "an access key id without an access key secret");
    write_file(ini_path, "[default]\n" SECRET "\n");
    refuses(KIT_ERR_CONFIG, ":2: neither a [section] nor KEY = VALUE");
    write_file(ini_path, "a = " SECRET "\n");
    refuses(KIT_ERR_CONFIG, ":1: a key before the first [section]");
    write_file(ini_path, "[default\n");
    refuses(KIT_ERR_CONFIG, ":1: a section's name without its ']'");
}

static void nothing_at_all(void **state)
{
    (void)state;
    world.role = NULL;
    refuses(KIT_ERR_AUTH, "no credentials: none in the environment, none in profile default");
    env("ALIBABA_CLOUD_ECS_METADATA_DISABLED", "true");
    refuses(KIT_ERR_AUTH, "(ALIBABA_CLOUD_ECS_METADATA_DISABLED)");
    env("ALIBABA_CLOUD_ECS_METADATA_DISABLED", NULL);
    world.silent = true;
    refuses(KIT_ERR_TRANSIENT, "the instance's RAM role: no answer from the metadata service");
}

static void a_named_profile_has_to_be_there(void **state)
{
    (void)state;
    env("ALIBABA_CLOUD_PROFILE", "prod");
    refuses(KIT_ERR_CONFIG, "profile prod is neither in");
    write_file(ini_path,
               "; a comment\r\n[prod]\r\naccess_key_id=PROD\r\naccess_key_secret = " SECRET
               "=\r\n");
    gives("PROD");
    assert_string_equal(session->cloud->creds.secret_key.text, SECRET "=");
    ali_session_put(session, KIT_PARAM_PROFILE, "other");
    refuses(KIT_ERR_CONFIG, "profile other is neither in");
}

static void one_file_stands_for_both(void **state)
{
    (void)state;
    write_profile("\"access_key_id\":\"CLI\"," KEYS); /* an old one, without a mode */
    write_file(token_path, "[default]\naccess_key_id=OWN\naccess_key_secret=" SECRET "\n");
    ali_session_put(session, KIT_PARAM_CREDENTIALS_FILE, token_path);
    gives("OWN");
    write_file(token_path, " {\"profiles\":[{\"name\":\"default\",\"mode\":\"AK\","
                           "\"access_key_id\":\"JSON\"," KEYS "}]}");
    gives("JSON");
    (void)unlink(token_path);
    refuses(KIT_ERR_CONFIG, token_path);
}

static void files_that_others_write_are_refused(void **state)
{
    (void)state;
    write_profile("\"mode\":\"AK\",\"access_key_id\":\"CLI\"," KEYS);
    assert_int_equal(chmod(cli_path, 0666), 0);
    if (geteuid() == 0)
        refuses(KIT_ERR_CONFIG, cli_path);
    assert_int_equal(chmod(cli_path, 0600), 0);
    gives("CLI");
}

/* ---- modes of the CLI's profiles ------------------------------------------------------------- */

static void modes(void **state)
{
    (void)state;
    write_profile("\"mode\":\"StsToken\",\"access_key_id\":\"STS\",\"sts_token\":\"" SECRET
                  "t\"," KEYS);
    gives("STS");
    assert_string_equal(session->cloud->creds.token.text, SECRET "t");

    /* What `aliyun configure` leaves behind before it was answered. */
    write_profile("\"mode\":\"AK\",\"access_key_id\":\"\",\"access_key_secret\":\"\"");
    gives("INSTANCE");
    write_profile("\"mode\":\"EcsRamRole\",\"ram_role_name\":\"node-role\"");
    gives("INSTANCE");
    write_profile("\"mode\":\"EcsRamRole\"");
    gives("INSTANCE");
    write_profile("\"mode\":\"EcsRamRole\",\"ram_role_name\":\"../x\"");
    refuses(KIT_ERR_CONFIG, "cannot be the name of a RAM role");
    write_profile("\"mode\":\"EcsRamRole\"");
    world.role = NULL;
    refuses(KIT_ERR_CONFIG, "this instance has no RAM role");

    env("ALIBABA_CLOUD_CREDENTIALS_URI", NULL);
    world.uri_json = "{\"AccessKeyId\":\"URI\",\"AccessKeySecret\":\"" SECRET "\"}";
    write_profile("\"mode\":\"CredentialsURI\",\"credentials_uri\":\"http://127.0.0.1:1/\"");
    gives("URI");

    write_profile("\"mode\":\"CloudSSO\"");
    refuses(KIT_ERR_CONFIG, "come from a person's login");
    write_profile("\"mode\":\"OAuth\"");
    refuses(KIT_ERR_CONFIG, "come from a person's login");
    write_profile("\"mode\":\"RsaKeyPair\"");
    refuses(KIT_ERR_CONFIG, "mode RsaKeyPair is not supported");
}

static void a_role_by_keys(void **state)
{
    (void)state;
    write_profile("\"mode\":\"RamRoleArn\",\"access_key_id\":\"BASE\"," KEYS
                  ",\"ram_role_arn\":\"acs:ram::1:role/r\",\"ram_session_name\":\"s1\","
                  "\"expired_seconds\":1800,\"external_id\":\"x\",\"policy\":\"{}\"");
    gives("STS1");
    assert_string_equal(session->cloud->creds.token.text, SECRET "t");
    assert_int_equal(session->cloud->creds.expires_s, FAKE_WALL_S + 3600);
    assert_string_equal(world.last_sts,
                        "BASE https://sts.cn-shanghai.aliyuncs.com/?DurationSeconds=1800&"
                        "ExternalId=x&Policy=%7B%7D&RoleArn=acs%3Aram%3A%3A1%3Arole%2Fr&"
                        "RoleSessionName=s1 \n");

    write_profile("\"mode\":\"RamRoleArn\",\"access_key_id\":\"BASE\"," KEYS
                  ",\"ram_role_arn\":\"r\",\"expired_seconds\":0,\"sts_region\":\"cn-beijing\"");
    gives("STS2");
    fake_assert_text(world.last_sts, "https://sts.cn-beijing.aliyuncs.com/?RoleArn=r&"
                                     "RoleSessionName=cloudvip-");
    write_profile("\"mode\":\"RamRoleArn\",\"access_key_id\":\"BASE\"," KEYS);
    refuses(KIT_ERR_CONFIG, "no role is named");
    write_profile("\"mode\":\"RamRoleArn\",\"ram_role_arn\":\"r\"");
    refuses(KIT_ERR_CONFIG, "there are no credentials to assume its role with");
    write_profile("\"mode\":\"RamRoleArn\",\"access_key_id\":\"BASE\"," KEYS
                  ",\"ram_role_arn\":\"r\",\"expired_seconds\":60");
    refuses(KIT_ERR_CONFIG, "expired_seconds is no number from 900 to 43200");
    write_profile("\"mode\":\"RamRoleArnWithEcs\",\"ram_role_arn\":\"r\"");
    gives("STS3");
    assert_true(kit_str_starts(world.last_sts, "INSTANCE "));

    world.sts_error = "NoPermission";
    refuses(KIT_ERR_DENIED, "assume role r: AssumeRole: NoPermission");
}

static void roles_one_by_another(void **state)
{
    static const char text[] =
        "{\"current\":\"top\",\"profiles\":["
        "{\"name\":\"keys\",\"mode\":\"AK\",\"access_key_id\":\"BASE\"," KEYS "},"
        "{\"name\":\"mid\",\"mode\":\"ChainableRamRoleArn\",\"source_profile\":\"keys\","
        "\"ram_role_arn\":\"m\"},"
        "{\"name\":\"top\",\"mode\":\"ChainableRamRoleArn\",\"source_profile\":\"mid\","
        "\"ram_role_arn\":\"t\"},"
        "{\"name\":\"self\",\"mode\":\"ChainableRamRoleArn\",\"source_profile\":\"self\","
        "\"ram_role_arn\":\"t\"},"
        "{\"name\":\"none\",\"mode\":\"ChainableRamRoleArn\",\"ram_role_arn\":\"t\"},"
        "{\"name\":\"lost\",\"mode\":\"ChainableRamRoleArn\",\"source_profile\":\"x\"}]}";

    (void)state;
    write_file(cli_path, text);
    gives("STS2");
    assert_true(kit_str_starts(world.all_sts, "BASE "));
    assert_true(kit_str_starts(world.last_sts, "STS1 "));
    ali_session_put(session, KIT_PARAM_PROFILE, "self");
    refuses(KIT_ERR_CONFIG, "leads round in a circle");
    ali_session_put(session, KIT_PARAM_PROFILE, "none");
    refuses(KIT_ERR_CONFIG, "source_profile is missing");
    ali_session_put(session, KIT_PARAM_PROFILE, "lost");
    refuses(KIT_ERR_CONFIG, "its source_profile does not exist");
    assert_int_equal(world.sts_calls, 2);
}

static void an_oidc_token_is_sent_unsigned_and_unseen(void **state)
{
    KIT_AUTO(kit_buf) profile = KIT_BUF(4096);

    (void)state;
    write_file(token_path, SECRET "oidc\n");
    (void)kit_buf_printf(&profile,
                         "\"mode\":\"OIDC\",\"oidc_provider_arn\":\"p\",\"oidc_token_file\":\"%s\","
                         "\"ram_role_arn\":\"r\",\"ram_session_name\":\"s1\"",
                         token_path);
    write_profile(profile.data);
    gives("STS1");
    assert_true(kit_str_starts(world.last_sts, "unsigned https://sts.cn-shanghai.aliyuncs.com/?"
                                               "Action=AssumeRoleWithOIDC&Format=JSON&"));
    assert_true(kit_str_ends(world.last_sts, " RoleArn=r&RoleSessionName=s1&OIDCProviderArn=p&"
                                             "OIDCToken=" SECRET "oidc\n"));
    write_file(token_path, " \n");
    refuses(KIT_ERR_CONFIG, "is empty");
    (void)unlink(token_path);
    refuses(KIT_ERR_CONFIG, "OIDC token");
    write_profile("\"mode\":\"OIDC\",\"ram_role_arn\":\"r\"");
    refuses(KIT_ERR_CONFIG, "oidc_provider_arn or oidc_token_file is missing");
}

/* A program that prints this; its arguments are told to be "a" and "b". */
static void write_program(const char *line)
{
    KIT_AUTO(kit_buf) text = KIT_BUF(4096);
    KIT_AUTO(kit_buf) profile = KIT_BUF(4096);

    (void)kit_buf_printf(&text, "#!/bin/sh\n[ \"$1$2$3\" = 'a;b' ] || exit 9\n%s\n", line);
    write_file(program_path, text.data);
    assert_int_equal(chmod(program_path, 0700), 0);
    (void)kit_buf_printf(&profile, "\"mode\":\"External\",\"process_command\":\" %s  a ;b\"",
                         program_path);
    write_profile(profile.data);
}

static void a_program_prints_a_profile(void **state)
{
    (void)state;
    write_program("echo '{\"mode\":\"StsToken\",\"access_key_id\":\"PROC\",\"access_key_secret\":"
                  "\"" SECRET "\",\"sts_token\":\"t\",\"sts_expiration\":1767330000}'");
    gives("PROC");
    assert_string_equal(session->cloud->creds.token.text, "t");
    assert_int_equal(session->cloud->creds.expires_s, 1767330000);
    write_program("echo '{\"mode\":\"AK\",\"access_key_id\":\"PROC\"}'");
    refuses(KIT_ERR_AUTH, "an access key id without an access key secret");
    write_program("echo '{\"mode\":\"EcsRamRole\"}'");
    refuses(KIT_ERR_AUTH, "no profile of mode AK or StsToken");
    write_program("echo " SECRET);
    refuses(KIT_ERR_AUTH, "not JSON");
    write_program("exit 3");
    refuses(KIT_ERR_AUTH, "failed with status 3");
    write_profile("\"mode\":\"External\",\"process_command\":\"program\"");
    refuses(KIT_ERR_CONFIG, "by its absolute path");
    write_profile("\"mode\":\"External\",\"process_command\":\"/nonexistent/program\"");
    refuses(KIT_ERR_CONFIG, "process_command of profile default");
    write_profile("\"mode\":\"External\"");
    refuses(KIT_ERR_CONFIG, "process_command is missing");
}

/* ---- types of the credentials file ----------------------------------------------------------- */

static void types(void **state)
{
    (void)state;
    write_file(ini_path, "[default]\ntype=sts\naccess_key_id=A\naccess_key_secret=" SECRET
                         "\nsecurity_token=tok\n");
    gives("A");
    assert_string_equal(session->cloud->creds.token.text, "tok");
    write_file(ini_path, "[default]\ntype=ecs_ram_role\nrole_name=node-role\n");
    gives("INSTANCE");
    write_file(ini_path, "[default]\ntype=ram_role_arn\naccess_key_id=A\naccess_key_secret=" SECRET
                         "\nrole_arn=r\nrole_session_name=s\npolicy={}\n");
    gives("STS1");
    assert_string_equal(world.last_sts, "A https://sts.cn-shanghai.aliyuncs.com/?Policy=%7B%7D&"
                                        "RoleArn=r&RoleSessionName=s \n");
    write_file(ini_path, "[default]\ntype=oidc_role_arn\nrole_arn=r\n");
    refuses(KIT_ERR_CONFIG, "oidc_token_file_path is missing");
    write_file(ini_path, "[default]\ntype=rsa_key_pair\n");
    refuses(KIT_ERR_CONFIG, "type rsa_key_pair is not supported");
}

/* ---- what the host hands out ----------------------------------------------------------------- */

static void odd_roles(void **state)
{
    (void)state;
    env("ALIBABA_CLOUD_ECS_METADATA", "node-role");
    gives("INSTANCE");
    env("ALIBABA_CLOUD_ECS_METADATA", "other-role");
    refuses(KIT_ERR_NOT_FOUND, "role other-role of the instance");
    env("ALIBABA_CLOUD_ECS_METADATA", NULL);
    world.role = "a/../b";
    refuses(KIT_ERR_PROTOCOL, "no role's name");
    world.role = "node-role";
    world.role_json = "{\"Code\":\"Failed\",\"AccessKeySecret\":\"" SECRET "\"}";
    refuses(KIT_ERR_AUTH, "it has no credentials, but says Failed");
    world.role_json = "<html>" SECRET;
    refuses(KIT_ERR_AUTH, "not JSON");
    world.role_json = "{\"Code\":\"Success\",\"AccessKeyId\":\"I\",\"AccessKeySecret\":\"" SECRET
                      "\",\"Expiration\":\"soon\"}";
    refuses(KIT_ERR_AUTH, "its expiration is no time");
    env("ALIBABA_CLOUD_CREDENTIALS_URI", "http://127.0.0.1:1/");
    refuses(KIT_ERR_AUTH, "the credentials URI: HTTP 404");
}

/* ---- a role on top, and refresh -------------------------------------------------------------- */

static void the_parameter_role_arn_comes_on_top(void **state)
{
    (void)state;
    ali_session_put(session, KIT_PARAM_ROLE_ARN, "acs:ram::2:role/other");
    ali_session_put(session, KIT_PARAM_EXTERNAL_ID, "ext");
    gives("STS1");
    assert_true(kit_str_starts(world.last_sts, "INSTANCE "));
    fake_assert_text(world.last_sts, "?ExternalId=ext&RoleArn=acs%3Aram%3A%3A2%3Arole%2Fother&");
}

static void they_are_renewed_before_they_end(void **state)
{
    struct kit_err err;

    (void)state;
    ali_session_put(session, KIT_PARAM_ROLE_ARN, "r");
    gives("STS1");
    session->clock.now_ns += (3600 - 200) * KIT_NS_PER_S;
    assert_int_equal(ali_creds_get(session->cloud, ali_soon(session), &err), 0);
    assert_int_equal(world.sts_calls, 1);
    session->clock.now_ns += 60 * KIT_NS_PER_S;
    world.sts_error = "NoPermission";
    /* The old ones still serve. */
    assert_int_equal(ali_creds_get(session->cloud, ali_soon(session), &err), 0);
    assert_string_equal(session->cloud->creds.access_key_id, "STS1");
    assert_int_equal(world.sts_calls, 2);
    world.sts_error = NULL;
    world.sts_expires_s += 3600;
    assert_int_equal(ali_creds_get(session->cloud, ali_soon(session), &err), 0);
    assert_string_equal(session->cloud->creds.access_key_id, "STS3");
    session->clock.now_ns += 7200 * KIT_NS_PER_S;
    world.sts_error = "NoPermission";
    assert_int_equal(ali_creds_get(session->cloud, ali_soon(session), &err), -1);
    assert_int_equal(err.kind, KIT_ERR_DENIED);
    fake_assert_text(err.msg, "credentials: ");
}

static void refused_ones_are_not_kept(void **state)
{
    struct kit_err err;

    (void)state;
    write_profile("\"mode\":\"AK\",\"access_key_id\":\"CLI\"," KEYS);
    gives("CLI");
    assert_int_equal(ali_creds_renew(session->cloud, ali_soon(session), &err), -1);
    assert_int_equal(err.kind, KIT_ERR_AUTH);
    fake_assert_text(err.msg, "they are still the same");
    /* Somebody rotated the keys. */
    write_profile("\"mode\":\"AK\",\"access_key_id\":\"NEW\"," KEYS);
    assert_int_equal(ali_creds_renew(session->cloud, ali_soon(session), &err), 0);
    assert_string_equal(session->cloud->creds.access_key_id, "NEW");
    (void)unlink(cli_path);
    gives("INSTANCE");
    assert_int_equal(ali_creds_renew(session->cloud, ali_soon(session), &err), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(each_source_hides_the_next),
        TEST(half_a_key_is_an_error_and_not_skipped),
        TEST(nothing_at_all),
        TEST(a_named_profile_has_to_be_there),
        TEST(one_file_stands_for_both),
        TEST(files_that_others_write_are_refused),
        TEST(modes),
        TEST(a_role_by_keys),
        TEST(roles_one_by_another),
        TEST(an_oidc_token_is_sent_unsigned_and_unseen),
        TEST(a_program_prints_a_profile),
        TEST(types),
        TEST(odd_roles),
        TEST(the_parameter_role_arn_comes_on_top),
        TEST(they_are_renewed_before_they_end),
        TEST(refused_ones_are_not_kept),
    };
    return cmocka_run_group_tests_name("aliyun/creds", tests, NULL, NULL);
}
