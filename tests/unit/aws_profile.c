/* kit/cloud/aws/profile: the dialect of AWS's shared files, and which files they are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "kit/base/str.h"
#include "kit/cloud/aws/profile.h"
#include "kit/cloud/aws/words.h"
#include "kit/sys/file.h"

static char dir[] = "/tmp/cloudvip-unit-XXXXXX";
static char credentials_path[64], config_path[64];

static int setup(void **state)
{
    (void)state;
    (void)kit_str_copy(dir, sizeof(dir), "/tmp/cloudvip-unit-XXXXXX");
    if (!mkdtemp(dir))
        return -1;
    (void)kit_str_format(credentials_path, sizeof(credentials_path), "%s/credentials", dir);
    (void)kit_str_format(config_path, sizeof(config_path), "%s/config", dir);
    (void)unsetenv("AWS_PROFILE");
    (void)unsetenv("AWS_DEFAULT_PROFILE");
    return setenv("AWS_SHARED_CREDENTIALS_FILE", credentials_path, 1) ||
           setenv("AWS_CONFIG_FILE", config_path, 1);
}

static int teardown(void **state)
{
    (void)state;
    (void)unlink(credentials_path);
    (void)unlink(config_path);
    return rmdir(dir);
}

static void write_file(const char *path, const char *text)
{
    struct kit_err err;

    assert_int_equal(kit_file_write(path, text, strlen(text), 0600, false, &err), 0);
}

/* Loads what the two files say; a NULL text means no file. */
static int load(const char *credentials, const char *config, struct aws_profiles **ret_profiles,
                struct kit_err *err)
{
    struct kit_settings settings;

    (void)unlink(credentials_path);
    (void)unlink(config_path);
    if (credentials)
        write_file(credentials_path, credentials);
    if (config)
        write_file(config_path, config);
    kit_settings_init(&settings, "vip1");
    int rc = aws_profiles_load(&settings, ret_profiles, err);
    kit_settings_done(&settings);
    return rc;
}

static struct aws_profiles *loaded(const char *credentials, const char *config)
{
    struct aws_profiles *p = NULL;
    struct kit_err err;

    if (load(credentials, config, &p, &err) != 0)
        fail_msg("%s", err.msg);
    return p;
}

static void expect(const struct aws_profiles *p, const char *profile, const char *key,
                   const char *want)
{
    const char *got = aws_profiles_get(p, profile, key, NULL);

    if (!kit_str_eq(got, want))
        fail_msg("%s.%s is \"%s\", not \"%s\"", profile, key, got ? got : "(null)",
                 want ? want : "(null)");
}

static void the_dialect(void **state)
{
    struct aws_profiles *p = loaded(NULL, "\xef\xbb\xbf# a comment\r\n"
                                          "; another\n"
                                          "[default]\r\n"
                                          "region = us-east-1\r\n"
                                          "AWS_Access_Key_Id=AKID\n"
                                          "aws_secret_access_key : a=b:c/d+e # no comment ; here\n"
                                          "empty =\n"
                                          "\n"
                                          "   # an indented comment\n"
                                          "[profile two]\n"
                                          "  region = eu-west-1\n"
                                          "  output\t=\tjson  \n"
                                          "[ profile   \"three words here\" ]\n"
                                          "region = r3\n"
                                          "[profile tail] ; ignored\n"
                                          "region = r4\n"
                                          "[preview]\n"
                                          "region = none\n"
                                          "[two]\n"
                                          "output = text\n"
                                          "[profile]\n"
                                          "region = none\n"
                                          "[profile a b]\n"
                                          "region = none\n"
                                          "[profile bare]");

    (void)state;
    expect(p, "default", "region", "us-east-1");
    expect(p, "default", "aws_access_key_id", "AKID");
    expect(p, "default", "aws_secret_access_key", "a=b:c/d+e # no comment ; here");
    expect(p, "default", "empty", "");
    expect(p, "default", "output", NULL);
    expect(p, "two", "region", "eu-west-1");
    expect(p, "two", "output", "json");
    expect(p, "three words here", "region", "r3");
    expect(p, "tail", "region", "r4");
    assert_true(aws_profiles_has(p, "bare"));
    assert_false(aws_profiles_has(p, "preview"));
    assert_false(aws_profiles_has(p, "a"));
    assert_false(aws_profiles_has(p, "a b"));
    assert_false(aws_profiles_has(p, ""));
    expect(p, "preview", "region", NULL);
    aws_profiles_free(p);
}

static void the_credentials_file_goes_first(void **state)
{
    struct aws_profiles *p = loaded("[default]\naws_access_key_id = C\n[two]\nregion = c2\n"
                                    "[profile three]\nregion = c3\n",
                                    "[default]\naws_access_key_id = F\nregion = f1\n"
                                    "[profile two]\nregion = f2\noutput = f\n");
    const char *from = NULL;

    (void)state;
    assert_string_equal(aws_profiles_get(p, "default", "aws_access_key_id", &from), "C");
    assert_string_equal(from, credentials_path);
    assert_string_equal(aws_profiles_get(p, "default", "region", &from), "f1");
    assert_string_equal(from, config_path);
    expect(p, "two", "region", "c2");
    expect(p, "two", "output", "f");
    /* There "profile three" is the name itself, as in botocore. */
    expect(p, "three", "region", NULL);
    expect(p, "profile three", "region", "c3");
    assert_string_equal(aws_profiles_get_in(p, true, "default", "aws_access_key_id"), "C");
    assert_string_equal(aws_profiles_get_in(p, false, "default", "aws_access_key_id"), "F");
    assert_null(aws_profiles_get_in(p, true, "default", "region"));
    assert_string_equal(aws_profiles_path(p, true), credentials_path);
    assert_string_equal(aws_profiles_path(p, false), config_path);
    aws_profiles_free(p);
}

static void sections_that_come_twice_are_one(void **state)
{
    struct aws_profiles *p = loaded("[x]\na = 1\nb = 1\n[y]\na = 3\n[x]\nb = 2\nb = 4\n", NULL);

    (void)state;
    expect(p, "x", "a", "1");
    expect(p, "x", "b", "4");
    expect(p, "y", "a", "3");
    aws_profiles_free(p);
}

static void nested_keys(void **state)
{
    struct aws_profiles *p = loaded(NULL, "[default]\n"
                                          "services = mine\n"
                                          "s3 =\n"
                                          "  max_concurrent_requests = 20\n"
                                          "\n"
                                          "  # between\n"
                                          "  signature_version = s3v4\n"
                                          "region = us-east-1\n"
                                          "[profile other]\n"
                                          "services = theirs\n"
                                          "[profile nobody]\n"
                                          "services = missing\n"
                                          "[services mine]\n"
                                          "sts =\n"
                                          "  endpoint_url = https://sts.example/\n"
                                          "  other = 1\n"
                                          "EC2 =\n"
                                          "    endpoint_url = https://ec2.example/a=b\n"
                                          "s3 = flat\n"
                                          "  endpoint_url = https://no.example/\n"
                                          "[services theirs]\n"
                                          "sts =\n"
                                          "endpoint_url = https://not-nested.example/\n");

    (void)state;
    expect(p, "default", "s3", "\nmax_concurrent_requests = 20\nsignature_version = s3v4");
    expect(p, "default", "region", "us-east-1");
    expect(p, "default", "signature_version", NULL);
    assert_string_equal(aws_profiles_service_endpoint(p, "default", "sts"), "https://sts.example/");
    assert_string_equal(aws_profiles_service_endpoint(p, "default", "ec2"),
                        "https://ec2.example/a=b");
    assert_null(aws_profiles_service_endpoint(p, "default", "s3"));
    assert_null(aws_profiles_service_endpoint(p, "default", "iam"));
    assert_null(aws_profiles_service_endpoint(p, "other", "sts"));
    assert_null(aws_profiles_service_endpoint(p, "nobody", "sts"));
    assert_null(aws_profiles_service_endpoint(p, "none", "sts"));
    /* A section of services is no profile. */
    assert_false(aws_profiles_has(p, "mine"));
    aws_profiles_free(p);
}

static void a_long_token_is_whole(void **state)
{
    char text[6000], token[5001];

    (void)state;
    memset(token, 'T', sizeof(token) - 1);
    token[sizeof(token) - 1] = '\0';
    assert_true(kit_str_format(text, sizeof(text), "[default]\naws_session_token = %s\n", token));
    struct aws_profiles *p = loaded(text, NULL);
    expect(p, "default", "aws_session_token", token);
    aws_profiles_free(p);
}

static void what_is_wrong_is_named_and_not_shown(void **state)
{
    static const struct {
        const char *text;
        unsigned line;
    } rows[] = {
        {"aws_secret_access_key = SECRET\n", 1},
        {"[default]\n\naws_secret_access_key SECRET\n", 3},
        {"[default]\n= SECRET\n", 2},
        {"[default\naws_secret_access_key = SECRET\n", 1},
        {"[]\naws_secret_access_key = SECRET\n", 1},
        {"# SECRET\nSECRET\n", 2},
    };
    struct aws_profiles *p = NULL;
    struct kit_err err;
    char where[80];

    (void)state;
    for (size_t i = 0; i < KIT_LEN(rows); i++) {
        assert_int_equal(load(rows[i].text, NULL, &p, &err), -1);
        assert_null(p);
        assert_int_equal(err.kind, KIT_ERR_CONFIG);
        assert_true(
            kit_str_format(where, sizeof(where), "%s:%u: ", credentials_path, rows[i].line));
        assert_true(kit_str_starts(err.msg, where));
        assert_null(strstr(err.msg, "SECRET"));
    }
    assert_int_equal(load(NULL, "[services x]\nec2 =\n  SECRET\n", &p, &err), -1);
    assert_int_equal(err.kind, KIT_ERR_CONFIG);
    assert_null(strstr(err.msg, "SECRET"));
}

static void values_have_a_ceiling(void **state)
{
    KIT_AUTO(kit_buf) text = KIT_BUF(256 * 1024);
    struct aws_profiles *p = NULL;
    struct kit_err err;

    (void)state;
    (void)kit_buf_puts(&text, "[default]\na = 1\n");
    for (int i = 0; i < 40000; i++)
        (void)kit_buf_puts(&text, "  2\n");
    assert_int_equal(load(text.data, NULL, &p, &err), -1);
    assert_int_equal(err.kind, KIT_ERR_CONFIG);
}

static void missing_files_are_empty_unless_the_parameter_names_one(void **state)
{
    struct aws_profiles *p = loaded(NULL, NULL);
    struct kit_settings settings;
    struct kit_err err;
    char path[80];

    (void)state;
    assert_false(aws_profiles_has(p, "default"));
    aws_profiles_free(p);
    p = loaded("", "");
    assert_false(aws_profiles_has(p, "default"));
    aws_profiles_free(p);

    assert_true(kit_str_format(path, sizeof(path), "%s/elsewhere", dir));
    kit_settings_init(&settings, "vip1");
    assert_int_equal(kit_settings_put(&settings, KIT_PARAM_CREDENTIALS_FILE, path, "test", &err),
                     0);
    assert_int_equal(aws_profiles_load(&settings, &p, &err), -1);
    assert_int_equal(err.kind, KIT_ERR_CONFIG);
    assert_non_null(strstr(err.msg, "credentials_file"));
    assert_non_null(strstr(err.msg, path));
    write_file(credentials_path, "[default]\nwhich = variable\n");
    write_file(path, "[default]\nwhich = parameter\n");
    assert_int_equal(aws_profiles_load(&settings, &p, &err), 0);
    expect(p, "default", "which", "parameter");
    aws_profiles_free(p);
    kit_settings_done(&settings);
    (void)unlink(path);
}

static void a_file_that_others_may_write_is_refused(void **state)
{
    struct aws_profiles *p = NULL;
    struct kit_settings settings;
    struct kit_err err;

    (void)state;
    if (geteuid() != 0)
        skip();
    write_file(credentials_path, "[default]\n");
    assert_int_equal(chmod(credentials_path, 0622), 0);
    kit_settings_init(&settings, "vip1");
    assert_int_equal(aws_profiles_load(&settings, &p, &err), -1);
    assert_int_equal(err.kind, KIT_ERR_CONFIG);
    assert_non_null(strstr(err.msg, credentials_path));
    kit_settings_done(&settings);
}

static void the_home_directory(void **state)
{
    char aws[80], path[96];
    struct aws_profiles *p = NULL;
    struct kit_settings settings;
    struct kit_err err;
    char *home = getenv("HOME") ? kit_mem_strdup(getenv("HOME")) : NULL;

    (void)state;
    (void)unsetenv("AWS_SHARED_CREDENTIALS_FILE");
    (void)setenv("AWS_CONFIG_FILE", "~/.aws/elsewhere", 1);
    assert_true(kit_str_format(aws, sizeof(aws), "%s/.aws", dir));
    assert_true(kit_str_format(path, sizeof(path), "%s/credentials", aws));
    assert_int_equal(mkdir(aws, 0700), 0);
    write_file(path, "[default]\nregion = home\n");
    (void)setenv("HOME", dir, 1);
    kit_settings_init(&settings, "vip1");
    assert_int_equal(aws_profiles_load(&settings, &p, &err), 0);
    expect(p, "default", "region", "home");
    assert_string_equal(aws_profiles_path(p, true), path);
    assert_true(kit_str_ends(aws_profiles_path(p, false), "/.aws/elsewhere"));
    assert_true(kit_str_starts(aws_profiles_path(p, false), dir));
    aws_profiles_free(p);
    kit_settings_done(&settings);
    (void)unlink(path);
    (void)rmdir(aws);
    if (home)
        (void)setenv("HOME", home, 1);
    free(home);
}

static void which_profile(void **state)
{
    struct kit_settings settings;
    struct kit_err err;
    bool named;

    (void)state;
    kit_settings_init(&settings, "vip1");
    assert_string_equal(aws_profiles_chosen(&settings, &named), "default");
    assert_false(named);
    (void)setenv("AWS_DEFAULT_PROFILE", "second", 1);
    assert_string_equal(aws_profiles_chosen(&settings, &named), "second");
    assert_true(named);
    (void)setenv("AWS_PROFILE", "", 1);
    assert_string_equal(aws_profiles_chosen(&settings, NULL), "second");
    (void)setenv("AWS_PROFILE", "first", 1);
    assert_string_equal(aws_profiles_chosen(&settings, NULL), "first");
    assert_int_equal(kit_settings_put(&settings, KIT_PARAM_PROFILE, "mine", "test", &err), 0);
    assert_string_equal(aws_profiles_chosen(&settings, &named), "mine");
    assert_true(named);
    kit_settings_done(&settings);
}

/* ---- words ----------------------------------------------------------------------------------- */

static void words(void **state)
{
    static const struct {
        const char *text;
        const char *want[5];
    } rows[] = {
        {"", {NULL}},
        {"  \t ", {NULL}},
        {"/bin/x  a\tb ", {"/bin/x", "a", "b"}},
        {"/bin/x 'a b' \"c d\"", {"/bin/x", "a b", "c d"}},
        {"/bin/x a'b c'd\"e f\"g", {"/bin/x", "ab cde fg"}},
        {"'' \"\"", {"", ""}},
        {"a\\ b \\'c \\\\", {"a b", "'c", "\\"}},
        {"'a\\b' \"a\\b\" \"a\\\"b\" \"a\\\\b\"", {"a\\b", "a\\b", "a\"b", "a\\b"}},
        {"$HOME `x` ; | > # *", {"$HOME", "`x`", ";", "|", ">"}},
    };

    (void)state;
    for (size_t i = 0; i < KIT_LEN(rows); i++) {
        struct aws_words w;
        assert_true(aws_words_split(rows[i].text, &w));
        for (size_t k = 0; k < 5 && rows[i].want[k]; k++) {
            assert_true(k < w.count);
            assert_string_equal(w.word[k], rows[i].want[k]);
        }
        if (i < KIT_LEN(rows) - 1)
            assert_true(w.count == 5 || !rows[i].want[w.count]);
        assert_null(w.word[w.count]);
        aws_words_done(&w);
    }
}

static void words_without_an_end(void **state)
{
    static const char *const texts[] = {"'a", "\"a", "a\\", "\"a\\\"", "a 'b c"};
    struct aws_words w;

    (void)state;
    for (size_t i = 0; i < KIT_LEN(texts); i++)
        assert_false(aws_words_split(texts[i], &w));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_dialect, setup, teardown),
        cmocka_unit_test_setup_teardown(the_credentials_file_goes_first, setup, teardown),
        cmocka_unit_test_setup_teardown(sections_that_come_twice_are_one, setup, teardown),
        cmocka_unit_test_setup_teardown(nested_keys, setup, teardown),
        cmocka_unit_test_setup_teardown(a_long_token_is_whole, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_wrong_is_named_and_not_shown, setup, teardown),
        cmocka_unit_test_setup_teardown(values_have_a_ceiling, setup, teardown),
        cmocka_unit_test_setup_teardown(missing_files_are_empty_unless_the_parameter_names_one,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(a_file_that_others_may_write_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(the_home_directory, setup, teardown),
        cmocka_unit_test_setup_teardown(which_profile, setup, teardown),
        cmocka_unit_test(words),
        cmocka_unit_test(words_without_an_end),
    };
    return cmocka_run_group_tests_name("aws/profile", tests, NULL, NULL);
}
