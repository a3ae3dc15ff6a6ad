/* tests/unit/conf_load.c - configuration files, on real files and on text, and LifeKeeper's info
 * field. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "kit/base/buf.h"
#include "kit/base/mem.h"
#include "kit/base/str.h"
#include "kit/conf/load.h"

static char dir[] = "/tmp/conf_load.XXXXXX";

static int make_dir(void **state)
{
    (void)state;
    return mkdtemp(dir) && chdir(dir) == 0 ? 0 : -1;
}

static int remove_dir(void **state)
{
    (void)state;
    if (chdir("/") != 0)
        return -1;
    pid_t pid = fork();
    if (pid == 0) {
        execl("/bin/rm", "rm", "-rf", dir, (char *)NULL);
        _exit(1);
    }
    return waitpid(pid, NULL, 0) == pid ? 0 : -1;
}

static void put_file(const char *path, const char *text, mode_t mode)
{
    FILE *f = fopen(path, "we");

    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
    assert_int_equal(chmod(path, mode), 0);
}

static void make_conf_dir(const char *path)
{
    char sub[64];

    assert_int_equal(mkdir(path, 0755), 0);
    (void)kit_str_format(sub, sizeof(sub), "%s/resources.d", path);
    assert_int_equal(mkdir(sub, 0755), 0);
}

/* One file of resources.d, from memory. */
static struct kit_conf *conf_of(const char *text)
{
    struct kit_conf *conf = kit_conf_new();
    struct kit_err err;

    assert_int_equal(kit_conf_add_text(conf, KIT_CONF_RESOURCE, "r.conf", text, strlen(text), &err),
                     0);
    return conf;
}

/* The settings of `tag` are refused, with exactly this message. */
static void assert_refused(const struct kit_conf *conf, const char *tag, const char *msg)
{
    struct kit_settings s;
    struct kit_err err;

    assert_int_equal(kit_conf_settings(conf, tag, NULL, 0, &s, &err), -1);
    assert_int_equal(err.kind, KIT_ERR_CONFIG);
    assert_string_equal(err.msg, msg);
}

static void assert_usable(const struct kit_conf *conf, const char *tag)
{
    struct kit_settings s;
    struct kit_err err;

    if (kit_conf_settings(conf, tag, NULL, 0, &s, &err))
        fail_msg("%s: %s", tag, err.msg);
    kit_settings_done(&s);
}

static void reads_a_directory(void **state)
{
    KIT_AUTO(kit_settings) s = {0};
    struct kit_conf *conf;
    struct kit_err err;

    (void)state;
    make_conf_dir("whole");
    put_file("whole/cloudvip.conf",
             "# all\n[defaults]\nregion = eu-west-1\nrestore_timeout = 60\napi_timeout=5\n"
             "[here]\nscenario = route-table\n",
             0644);
    put_file("whole/resources.d/b.conf", "[vip2]\nscenario = elastic-ip\n", 0600);
    put_file("whole/resources.d/a.conf",
             "[vip1]\nscenario = route-table\naddress = 10.1.0.10\nrestore_timeout = 90\n", 0644);
    put_file("whole/resources.d/c.conf.rpmsave", "[vip3]\nnonsense\n", 0644);
    assert_int_equal(kit_conf_load("whole", &conf, &err), 0);
    assert_int_equal(kit_conf_broken_count(conf), 0);
    assert_int_equal(kit_conf_count(conf), 3);
    assert_string_equal(kit_conf_tag(conf, 0), "here");
    assert_string_equal(kit_conf_tag(conf, 1), "vip1");
    assert_string_equal(kit_conf_tag(conf, 2), "vip2");

    struct kit_overlay overlay[] = {{"address", "10.1.0.11", "info field"}};
    assert_int_equal(kit_conf_settings(conf, "vip1", overlay, 1, &s, &err), 0);
    assert_string_equal(kit_settings_text(&s, KIT_PARAM_ADDRESS), "10.1.0.11");
    assert_string_equal(s.v[KIT_PARAM_ADDRESS].origin, "info field");
    assert_int_equal(kit_settings_number(&s, KIT_PARAM_RESTORE_TIMEOUT), 90);
    assert_string_equal(s.v[KIT_PARAM_RESTORE_TIMEOUT].origin, "whole/resources.d/a.conf:4");
    assert_int_equal(kit_settings_number(&s, KIT_PARAM_API_TIMEOUT), 5);
    assert_string_equal(s.v[KIT_PARAM_API_TIMEOUT].origin, "whole/cloudvip.conf:5");
    assert_int_equal(kit_settings_number(&s, KIT_PARAM_REMOVE_TIMEOUT), 300);
    assert_string_equal(s.v[KIT_PARAM_REMOVE_TIMEOUT].origin, "default");

    assert_refused(conf, "vip3", "no resource vip3 in whole; there are: here, vip1, vip2");
    kit_conf_free(conf);
}

static void nothing_there_is_no_error(void **state)
{
    struct kit_settings s;
    struct kit_conf *conf;
    struct kit_err err;
    struct kit_overlay overlay[] = {{"address", "10.1.0.11", "info field"}};

    (void)state;
    assert_int_equal(kit_conf_load("nowhere", &conf, &err), 0);
    assert_int_equal(kit_conf_count(conf), 0);
    assert_refused(conf, "vip1", "no resource vip1 in nowhere; there are none");
    assert_int_equal(kit_conf_settings(conf, "vip1", overlay, 1, &s, &err), 0);
    assert_string_equal(s.tag, "vip1");
    kit_settings_done(&s);
    kit_conf_free(conf);
    kit_conf_free(NULL);
}

static void a_broken_file_stops_only_its_own(void **state)
{
    struct kit_conf *conf;
    struct kit_err err;

    (void)state;
    make_conf_dir("partly");
    put_file("partly/resources.d/a.conf", "[vip1]\nscenario = route-table\n", 0644);
    assert_int_equal(mkdir("partly/resources.d/b.conf", 0755), 0); /* no regular file */
    assert_int_equal(kit_conf_load("partly", &conf, &err), 0);
    assert_int_equal(kit_conf_broken_count(conf), 1);
    assert_non_null(strstr(kit_conf_broken(conf, 0)->msg, "partly/resources.d/b.conf"));
    assert_usable(conf, "vip1");
    struct kit_settings s;
    assert_int_equal(kit_conf_settings(conf, "vip2", NULL, 0, &s, &err), -1);
    assert_true(kit_str_starts(err.msg, "vip2: not found, and a file could not be used: "));
    assert_non_null(strstr(err.msg, "b.conf"));
    kit_conf_free(conf);
}

static void nothing_is_trusted_in_a_broken_directory(void **state)
{
    struct kit_conf *conf = NULL;
    struct kit_err err;

    (void)state;
    make_conf_dir("open");
    assert_int_equal(chmod("open", 0777), 0);
    assert_int_equal(kit_conf_load("open", &conf, &err), -1);
    assert_int_equal(err.kind, KIT_ERR_CONFIG);
    assert_int_equal(chmod("open", 0755), 0);
    assert_int_equal(chmod("open/resources.d", 0777), 0);
    assert_int_equal(kit_conf_load("open", &conf, &err), -1);
    assert_non_null(strstr(err.msg, "open/resources.d"));
    assert_int_equal(chmod("open/resources.d", 0755), 0);
    if (geteuid() == 0) { /* a user's own files are trusted whatever their mode */
        put_file("open/cloudvip.conf", "[defaults]\nregion = eu-west-1\n", 0666);
        assert_int_equal(kit_conf_load("open", &conf, &err), -1);
    }
    put_file("open/cloudvip.conf", "[defaults]\nregoin = eu-west-1\n", 0644);
    assert_int_equal(kit_conf_load("open", &conf, &err), -1);
    assert_string_equal(err.msg, "configuration: open/cloudvip.conf:2: unknown key 'regoin' (did "
                                 "you mean 'region'?)");
    put_file("open/cloudvip.conf", "[defaults]\nregion = eu-west-1\n", 0644);
    assert_int_equal(kit_conf_load("open", &conf, &err), 0);
    kit_conf_free(conf);
}

static void errors_name_the_place(void **state)
{
    static const struct {
        const char *text, *msg;
    } rows[] = {
        {"[v]\nadress = 10.0.0.1\n", "r.conf:2: unknown key 'adress' (did you mean 'address'?)"},
        {"[v]\nsecret_access_key = hunter2\n", "r.conf:2: unknown key 'secret_access_key'"},
        {"[v]\n\naddress = ten\n", "r.conf:3: address: \"ten\" is no IPv4 or IPv6 address (without "
                                   "prefix length or zone)"},
        {"[v]\ncreate_route = maybe\n", "r.conf:2: create_route: \"maybe\" is neither yes nor no"},
        {"[v]\nregion = a\nregion = b\n", "r.conf:3: region is already set in r.conf:2"},
        {"[v]\nregion =\n", "r.conf:2: region: the value is empty"},
        {"[v]\nregion = a\n  eni = eni-1\n",
         "r.conf:3: an indented line continues the value above it, which is no list: begin the "
         "line at its left edge"},
        {"[v]\nroute_tables = rtb-1\n  rtb-2,\n  rtb-1\n",
         "r.conf:4: route_tables: \"rtb-1\" is in the list twice"},
        {"[v]\n; x\n\nroute_tables = rtb-1 ; rtb-2\n",
         "r.conf:4: list or comment behind ';'? Separate ids with commas, and put comments on "
         "lines "
         "of their own"},
        {"[v]\nroute_tables = rtb-1\n\trtb-2\t;rtb-3\n",
         "r.conf:3: list or comment behind ';'? Separate ids with commas, and put comments on "
         "lines "
         "of their own"},
        {"[v]\nregion = a\nthis is no entry\n", "r.conf:3: neither a [section] nor name = value"},
    };

    (void)state;
    for (size_t i = 0; i < KIT_LEN(rows); i++) {
        struct kit_conf *conf = conf_of(rows[i].text);
        assert_refused(conf, "v", rows[i].msg);
        assert_int_equal(kit_conf_broken_count(conf), 1);
        assert_int_equal(kit_conf_count(conf), 1);
        kit_conf_free(conf);
    }
}

static void lists_may_go_on_below(void **state)
{
    struct kit_conf *conf = conf_of("[v]\nroute_tables = rtb-1;rtb-0,\n   rtb-2\n;\n\trtb-3 rtb-4\n"
                                    "region = x\n");
    KIT_AUTO(kit_settings) s = {0};
    struct kit_err err;

    (void)state;
    assert_int_equal(kit_conf_settings(conf, "v", NULL, 0, &s, &err), 0);
    assert_string_equal(kit_settings_text(&s, KIT_PARAM_ROUTE_TABLES),
                        "rtb-1,rtb-0,rtb-2,rtb-3,rtb-4");
    assert_string_equal(s.v[KIT_PARAM_ROUTE_TABLES].origin, "r.conf:2");
    assert_string_equal(kit_settings_text(&s, KIT_PARAM_REGION), "x");
    kit_conf_free(conf);
}

static void a_broken_section_stops_only_itself(void **state)
{
    struct kit_conf *conf = conf_of("[a]\nregion = x\n[b]\nregoin = x\nzzz = 1\n[c]\nregion = y\n");

    (void)state;
    assert_usable(conf, "a");
    assert_usable(conf, "c");
    assert_refused(conf, "b", "r.conf:4: unknown key 'regoin' (did you mean 'region'?)");
    assert_int_equal(kit_conf_broken_count(conf), 1);
    kit_conf_free(conf);
}

/* What stands behind a line that is no INI is not read, and must not seem to be absent. */
static void sections_behind_the_break_are_broken(void **state)
{
    static const char why[] = "r.conf:4: neither a [section] nor name = value";
    struct kit_conf *conf = conf_of("[a]\nregion = x\n[b]\n!\n[c]\nregion = y\n  [d]\n; [e]\n[f");
    struct kit_settings s;
    struct kit_err err;
    struct kit_overlay overlay[] = {{"region", "z", "info field"}};

    (void)state;
    assert_usable(conf, "a");
    assert_refused(conf, "b", why);
    assert_refused(conf, "c", why);
    assert_refused(conf, "d", why);
    assert_int_equal(kit_conf_count(conf), 4);
    assert_int_equal(kit_conf_broken_count(conf), 1);
    /* An overlay does not mend a section; a tag that the file does not show is not its business. */
    assert_int_equal(kit_conf_settings(conf, "c", overlay, 1, &s, &err), -1);
    assert_int_equal(kit_conf_settings(conf, "e", overlay, 1, &s, &err), 0);
    kit_settings_done(&s);
    kit_conf_free(conf);
}

static void a_tag_is_there_once(void **state)
{
    struct kit_conf *conf = conf_of("[v]\nregion = x\n[w]\n[v]\nregion = y\n");
    static const char more[] = "[w]\nregion = z\n[u]\n";
    struct kit_err err;

    (void)state;
    assert_int_equal(kit_conf_add_text(conf, KIT_CONF_RESOURCE, "s.conf", more, strlen(more), &err),
                     0);
    assert_refused(conf, "v", "r.conf:4: the tag v is already in r.conf:1");
    assert_refused(conf, "w", "s.conf:1: the tag w is already in r.conf:3");
    assert_usable(conf, "u");
    assert_int_equal(kit_conf_count(conf), 3);
    assert_int_equal(kit_conf_broken_count(conf), 2);
    kit_conf_free(conf);
}

static void sections_in_wrong_places(void **state)
{
    static const struct {
        const char *text, *msg;
    } resource[] = {
        {"[defaults]\nregion = x\n", "r.conf:1: [defaults] belongs in cloudvip.conf"},
        {"region = x\n", "r.conf:1: 'region' stands before the first [section]"},
        {"[a b]\nregion = x\n", "r.conf:1: \"a b\" is no tag (letters, digits, '-', '_', '.', '/'; "
                                "not beginning with '.' or '/', no \"..\" between slashes)"},
    };
    static const struct {
        const char *text, *msg;
    } main_file[] = {
        {"[defaults]\n[defaults]\n", "c.conf:2: a second [defaults]"},
        {"[default]\nregion = x\n", "c.conf:1: [default]: did you mean [defaults]?"},
        {"region = x\n", "c.conf:1: 'region' stands before the first [section]"},
        {"[defaults]\ncreate_route = 1\n", "c.conf:2: create_route: \"1\" is neither yes nor no"},
        {"[v]\nregion = x\n[w\n", "c.conf:3: a '[' without its ']'"},
    };
    static const char lenient[] = "[v]\nzzz = 1\n[defaults]\nregion = x\n[w]\nregion = y\n";
    struct kit_err err;

    (void)state;
    for (size_t i = 0; i < KIT_LEN(resource); i++) {
        struct kit_conf *conf = conf_of(resource[i].text);
        assert_int_equal(kit_conf_count(conf), 0);
        assert_int_equal(kit_conf_broken_count(conf), 1);
        assert_string_equal(kit_conf_broken(conf, 0)->msg, resource[i].msg);
        kit_conf_free(conf);
    }
    for (size_t i = 0; i < KIT_LEN(main_file); i++) {
        struct kit_conf *conf = kit_conf_new();
        const char *text = main_file[i].text;
        assert_int_equal(kit_conf_add_text(conf, KIT_CONF_MAIN, "c.conf", text, strlen(text), &err),
                         -1);
        assert_string_equal(err.msg, main_file[i].msg);
        kit_conf_free(conf);
    }
    /* A resource in the main file that is wrong is only its own affair. */
    struct kit_conf *conf = kit_conf_new();
    assert_int_equal(
        kit_conf_add_text(conf, KIT_CONF_MAIN, "c.conf", lenient, strlen(lenient), &err), 0);
    assert_refused(conf, "v", "c.conf:2: unknown key 'zzz'");
    assert_usable(conf, "w");
    kit_conf_free(conf);
}

static void overlays_are_checked(void **state)
{
    struct kit_conf *conf = kit_conf_new();
    struct kit_settings s;
    struct kit_err err;
    struct kit_overlay unknown[] = {{"adress", "hunter2", "info field"}};
    struct kit_overlay wrong[] = {{"eni", "eni 1", "info field"}};

    (void)state;
    assert_int_equal(kit_conf_settings(conf, "v", unknown, 1, &s, &err), -1);
    assert_string_equal(err.msg, "info field: unknown key 'adress' (did you mean 'address'?)");
    assert_int_equal(kit_conf_settings(conf, "v", wrong, 1, &s, &err), -1);
    assert_true(kit_str_starts(err.msg, "info field: eni: "));
    assert_int_equal(kit_conf_settings(conf, "../v", wrong, 1, &s, &err), -1);
    assert_int_equal(err.kind, KIT_ERR_CONFIG);
    kit_conf_free(conf);
}

static void words_are_parsed(void **state)
{
    struct kit_overlay *overlay;
    struct kit_err err;
    size_t count;
    char origin[] = "info field";

    (void)state;
    assert_int_equal(kit_conf_parse_words("  address=10.1.0.10 route_tables=rtb-1;rtb-2  "
                                          "endpoint=https://h/?a=b ",
                                          origin, &overlay, &count, &err),
                     0);
    memset(origin, 'x', sizeof(origin) - 1); /* it was copied */
    assert_int_equal(count, 3);
    assert_string_equal(overlay[0].key, "address");
    assert_string_equal(overlay[0].value, "10.1.0.10");
    assert_string_equal(overlay[1].value, "rtb-1;rtb-2");
    assert_string_equal(overlay[2].key, "endpoint");
    assert_string_equal(overlay[2].value, "https://h/?a=b");
    assert_string_equal(overlay[2].origin, "info field");
    kit_conf_words_free(overlay, count);

    assert_int_equal(kit_conf_parse_words("   ", "i", &overlay, &count, &err), 0);
    assert_null(overlay);
    assert_int_equal(count, 0);
    kit_conf_words_free(overlay, count);
}

static void wrong_words_are_refused(void **state)
{
    static const struct {
        const char *text, *msg;
    } rows[] = {
        {"a=1 hunter2", "i: word 2 is not key=value"},
        {"=hunter2", "i: word 1 is not key=value"},
        {"a=1 b=2 a=hunter2", "i: a is set twice"},
        {"a=hunter2,b", "i: a comma (LifeKeeper's extend cuts there; separate lists with ';')"},
        {"a=hunter2\tb=2", "i: a control character"},
        {"eu-west-1\002RouteTable", "i: a control character"},
    };
    struct kit_overlay *overlay;
    struct kit_err err;
    size_t count;
    KIT_AUTO(kit_buf) text = KIT_BUF(100000);

    (void)state;
    for (size_t i = 0; i < KIT_LEN(rows); i++) {
        assert_int_equal(kit_conf_parse_words(rows[i].text, "i", &overlay, &count, &err), -1);
        assert_int_equal(err.kind, KIT_ERR_CONFIG);
        assert_string_equal(err.msg, rows[i].msg);
    }
    for (int i = 0; i <= KIT_PARAM_COUNT; i++)
        (void)kit_buf_printf(&text, "k%d=1 ", i);
    assert_int_equal(kit_conf_parse_words(text.data, "i", &overlay, &count, &err), -1);
    kit_buf_reset(&text);
    while (text.len_bytes <= KIT_CONF_WORDS_BYTES)
        (void)kit_buf_puts(&text, "a=1      ");
    assert_int_equal(kit_conf_parse_words(text.data, "i", &overlay, &count, &err), -1);
    assert_string_equal(err.msg, "i: longer than 8 KiB");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_a_directory),
        cmocka_unit_test(nothing_there_is_no_error),
        cmocka_unit_test(a_broken_file_stops_only_its_own),
        cmocka_unit_test(nothing_is_trusted_in_a_broken_directory),
        cmocka_unit_test(errors_name_the_place),
        cmocka_unit_test(lists_may_go_on_below),
        cmocka_unit_test(a_broken_section_stops_only_itself),
        cmocka_unit_test(sections_behind_the_break_are_broken),
        cmocka_unit_test(a_tag_is_there_once),
        cmocka_unit_test(sections_in_wrong_places),
        cmocka_unit_test(overlays_are_checked),
        cmocka_unit_test(words_are_parsed),
        cmocka_unit_test(wrong_words_are_refused),
    };
    return cmocka_run_group_tests_name("conf_load", tests, make_dir, remove_dir);
}
