/* kit/fmt/json. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kit/base/str.h"
#include "kit/fmt/json.h"

static struct kit_json parsed(const char *text)
{
    struct kit_json json = {0};
    struct kit_err err;

    if (kit_json_parse(text, strlen(text), &json, &err) < 0)
        fail_msg("%s: %s", text, err.msg);
    return json;
}

static const struct kit_json_node *get(const struct kit_json *json, const char *key)
{
    return kit_json_get(kit_json_root(json), key);
}

static void a_document_is_walked(void **state)
{
    static const char text[] =
        " {\"a\": {\"b\": [1, \"x\", {\"c\": \"y\"}]}, \"e\": \"\", \"n\": null}\n";
    KIT_AUTO(kit_json) json = parsed(text);
    const struct kit_json_node *list = kit_json_get(get(&json, "a"), "b");

    (void)state;
    assert_int_equal(kit_json_count(list), 3);
    assert_string_equal(kit_json_string(kit_json_at(list, 1)), "x");
    assert_string_equal(kit_json_string(kit_json_get(kit_json_at(list, 2), "c")), "y");
    assert_string_equal(kit_json_string(get(&json, "e")), "");
    assert_null(get(&json, "n"));
}

static void what_is_not_there_is_null_all_the_way(void **state)
{
    KIT_AUTO(kit_json) json = parsed("{\"s\": \"x\", \"l\": [], \"i\": 5}");

    (void)state;
    assert_null(kit_json_get(kit_json_get(get(&json, "x"), "y"), "z"));
    assert_null(kit_json_get(get(&json, "s"), "y"));
    assert_true(kit_json_is_object(kit_json_root(&json)));
    assert_false(kit_json_is_object(get(&json, "x")));
    assert_false(kit_json_is_object(get(&json, "s")));
    assert_false(kit_json_is_object(get(&json, "l")));
    assert_false(kit_json_is_object(NULL));
    assert_null(kit_json_get(get(&json, "l"), "y"));
    assert_null(kit_json_at(get(&json, "l"), 0));
    assert_null(kit_json_at(get(&json, "s"), 0));
    assert_null(kit_json_at(NULL, 0));
    assert_int_equal(kit_json_count(get(&json, "s")), 0);
    assert_int_equal(kit_json_count(NULL), 0);
    assert_null(kit_json_string(get(&json, "i")));
    assert_null(kit_json_string(NULL));
    assert_null(kit_json_root(&(struct kit_json){0}));
}

static void strings_with_a_nul_are_no_strings(void **state)
{
    KIT_AUTO(kit_json) json = parsed("{\"a\": \"x\\u0000y\", \"b\": \"\\u00e9\\n\"}");

    (void)state;
    assert_null(kit_json_string(get(&json, "a")));
    assert_string_equal(kit_json_string(get(&json, "b")), "\xc3\xa9\n");
}

static void integers_are_read_within_their_range(void **state)
{
    static const struct {
        const char *text;
        bool is_int;
        int64_t value;
    } rows[] = {
        {"7", true, 7},
        {"-7", true, -7},
        {"\"1767323045\"", true, 1767323045},
        {"9223372036854775806", true, INT64_MAX - 1},
        {"9223372036854775808", false, 0},
        {"18446744073709551616", false, 0},
        {"-9223372036854775809", false, 0},
        {"1.5", false, 0},
        {"true", false, 0},
        {"\"\"", false, 0},
        {"\"7x\"", false, 0},
        {"\"9223372036854775808\"", false, 0},
        {"[7]", false, 0},
    };

    (void)state;
    for (size_t i = 0; i < KIT_LEN(rows); i++) {
        KIT_AUTO(kit_json) json = parsed(rows[i].text);
        int64_t value = 42;
        assert_int_equal(kit_json_int(kit_json_root(&json), &value), rows[i].is_int);
        assert_int_equal(value, rows[i].is_int ? rows[i].value : 42);
    }
    int64_t value;
    assert_false(kit_json_int(NULL, &value));
}

static void truth_may_be_quoted(void **state)
{
    KIT_AUTO(kit_json) json = parsed("[true, false, \"true\", \"false\", \"yes\", 1, \"\", []]");
    bool value;

    (void)state;
    for (size_t i = 0; i < kit_json_count(kit_json_root(&json)); i++) {
        value = i % 2 != 0;
        assert_int_equal(kit_json_bool(kit_json_at(kit_json_root(&json), i), &value), i < 4);
        if (i < 4)
            assert_int_equal(value, i % 2 == 0);
        else
            assert_int_equal(value, i % 2 != 0); /* untouched */
    }
    assert_false(kit_json_bool(NULL, &value));
}

static void other_texts_are_refused(void **state)
{
    static const char *const rows[] = {
        "",        " ",           "{",         "[1",           "[1,]",      "{\"a\":1,}",
        "{\"a\"}", "{a:1}",       "'a'",       "[01]",         "[+1]",      "[.5]",
        "[NaN]",   "[-Infinity]", "[1e999]",   "[True]",       "[nul]",     "1 2",
        "{} x",    "{}{}",        "\"\xff\"",  "\"\xc0\xaf\"", "[\"\\x\"]", "\"a\x01\"",
        "\"a",     "// c\n1",     "/* c */ 1", "[1 2]",        "<a/>",      "{\"a\":1]",
    };
    struct kit_json json = {.root = NULL};
    struct kit_err err;

    (void)state;
    for (size_t i = 0; i < KIT_LEN(rows); i++) {
        if (kit_json_parse(rows[i], strlen(rows[i]), &json, &err) == 0)
            fail_msg("accepted: %s", rows[i]);
        assert_int_equal(err.kind, KIT_ERR_PROTOCOL);
        assert_true(kit_str_starts(err.msg, "not JSON"));
        assert_null(json.root);
    }
    /* A NUL byte does not hide what follows it. */
    assert_int_equal(kit_json_parse("{}\0x", 4, &json, &err), -1);
    assert_int_equal(kit_json_parse("{}\0", 3, &json, &err), -1);
}

static void the_length_bounds_the_text(void **state)
{
    struct kit_json json = {0};
    struct kit_err err;
    int64_t value;

    (void)state;
    assert_int_equal(kit_json_parse("123456", 3, &json, &err), 0);
    assert_true(kit_json_int(kit_json_root(&json), &value));
    assert_int_equal(value, 123);
    kit_json_done(&json);
    assert_int_equal(kit_json_parse("[1]]]]", 3, &json, &err), 0);
    kit_json_done(&json);
    kit_json_done(&json); /* twice is as once */
}

static void depth_has_a_limit(void **state)
{
    char text[81];
    struct kit_json json = {0};
    struct kit_err err;

    (void)state;
    for (size_t depth = 30; depth <= 40; depth++) {
        memset(text, '[', depth);
        memset(text + depth, ']', depth);
        int status = kit_json_parse(text, 2 * depth, &json, &err);
        if (depth <= 31)
            assert_int_equal(status, 0);
        if (depth >= 33)
            assert_int_equal(status, -1);
        kit_json_done(&json);
    }
}

static void the_writer_nests_and_separates(void **state)
{
    KIT_AUTO(kit_buf) out = KIT_BUF(1024);
    struct kit_json_writer w = {.out = &out};

    (void)state;
    kit_json_open(&w, NULL, '{');
    kit_json_put_string(&w, "tag", "vip1");
    kit_json_put_string(&w, "none", NULL);
    kit_json_open(&w, "list", '[');
    kit_json_put_int(&w, NULL, INT64_MIN);
    kit_json_put_bool(&w, NULL, true);
    kit_json_open(&w, NULL, '{');
    kit_json_close(&w);
    kit_json_close(&w);
    kit_json_put_bool(&w, "last", false);
    kit_json_close(&w);
    kit_json_close(&w); /* one too many does nothing */
    assert_string_equal(out.data,
                        "{\"tag\":\"vip1\",\"none\":null,\"list\":[-9223372036854775808,true,"
                        "{}],\"last\":false}");
}

static void pretty_output_is_indented(void **state)
{
    KIT_AUTO(kit_buf) out = KIT_BUF(1024);
    struct kit_json_writer w = {.out = &out, .pretty = true};

    (void)state;
    kit_json_open(&w, NULL, '{');
    kit_json_open(&w, "a", '[');
    kit_json_put_int(&w, NULL, 1);
    kit_json_put_int(&w, NULL, 2);
    kit_json_close(&w);
    kit_json_open(&w, "b", '{');
    kit_json_close(&w);
    kit_json_close(&w);
    assert_string_equal(out.data, "{\n  \"a\": [\n    1,\n    2\n  ],\n  \"b\": {}\n}");
}

/* Whatever bytes a string holds, what is written is JSON and reads back the same where it was text.
 */
static void every_byte_is_escaped_or_kept(void **state)
{
    static const struct {
        const char *raw, *back;
    } rows[] = {
        {"\"\\\b\f\n\r\t/", "\"\\\b\f\n\r\t/"},
        {"\x01\x1f\x7f", "\x01\x1f\x7f"},
        {"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"},
        {"\xff", "\xef\xbf\xbd"},
        {"a\xc3", "a\xef\xbf\xbd"},
        {"\xc0\xaf", "\xef\xbf\xbd\xef\xbf\xbd"},
        {"\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
        {"\xf4\x90\x80\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
        {"\xe0\x80\xaf", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
        {"", ""},
    };

    (void)state;
    for (size_t i = 0; i < KIT_LEN(rows); i++) {
        KIT_AUTO(kit_buf) out = KIT_BUF(1024);
        struct kit_json_writer w = {.out = &out};
        kit_json_open(&w, NULL, '{');
        kit_json_put_string(&w, "\"k", rows[i].raw);
        kit_json_close(&w);
        KIT_AUTO(kit_json) json = parsed(out.data);
        assert_string_equal(kit_json_string(get(&json, "\"k")), rows[i].back);
    }
}

static void too_deep_or_too_long_is_an_overflow(void **state)
{
    KIT_AUTO(kit_buf) out = KIT_BUF(1024), small = KIT_BUF(5);
    struct kit_json_writer w = {.out = &out}, small_w = {.out = &small};

    (void)state;
    for (int i = 0; i < 16; i++)
        kit_json_open(&w, NULL, '[');
    assert_false(out.overflow);
    kit_json_open(&w, NULL, '[');
    assert_true(out.overflow);
    kit_json_put_string(&small_w, NULL, "123456");
    assert_true(small.overflow);
}

static int count_member(void *arg, const char *key, const struct kit_json_node *value)
{
    struct kit_buf *seen = arg;

    (void)kit_buf_printf(seen, "%s:%d ", key, (int)kit_json_type(value));
    return kit_str_eq(key, "stop") ? 7 : 0;
}

static void members_are_visited_in_order(void **state)
{
    KIT_AUTO(kit_json)
    json = parsed("{\"z\":null,\"a\":true,\"i\":1,\"r\":1.5,\"u\":18446744073709551615,"
                  "\"s\":\"x\",\"l\":[],\"o\":{},\"stop\":0,\"after\":0}");
    KIT_AUTO(kit_buf) seen = KIT_BUF(200);

    (void)state;
    assert_int_equal(kit_json_each(kit_json_root(&json), count_member, &seen), 7);
    assert_string_equal(seen.data, "z:0 a:1 i:2 r:3 u:3 s:4 l:5 o:6 stop:2 ");
    assert_int_equal(kit_json_each(get(&json, "l"), count_member, &seen), 0);
    assert_int_equal(kit_json_each(NULL, count_member, &seen), 0);
    assert_true(kit_json_real(get(&json, "r")) == 1.5);
    assert_true(kit_json_real(get(&json, "i")) == 1.0);
    assert_true(kit_json_real(get(&json, "s")) == 0.0);
    assert_int_equal(kit_json_type(NULL), KIT_JSON_NULL);
}

static void bytes_and_reals_come_back(void **state)
{
    static const char bytes[] = "a\0b\xff";
    KIT_AUTO(kit_buf) out = KIT_BUF(1024);
    struct kit_json_writer w = {.out = &out};
    size_t len = 0;

    (void)state;
    kit_json_open(&w, NULL, '{');
    kit_json_put_bytes(&w, "b", bytes, 4);
    kit_json_put_real(&w, "tenth", 0.1);
    kit_json_put_real(&w, "third", 1.0 / 3);
    kit_json_put_real(&w, "whole", 2);
    kit_json_put_real(&w, "large", 1e300);
    kit_json_put_real(&w, "none", INFINITY);
    kit_json_close(&w);
    assert_string_equal(out.data, "{\"b\":\"a\\u0000b\\ufffd\",\"tenth\":0.1,"
                                  "\"third\":0.33333333333333331,\"whole\":2.0,"
                                  "\"large\":1e+300,\"none\":null}");
    KIT_AUTO(kit_json) json = parsed(out.data);
    assert_non_null(kit_json_bytes(get(&json, "b"), &len));
    assert_int_equal(len, 6);
    assert_null(kit_json_string(get(&json, "b")));
    assert_null(kit_json_bytes(get(&json, "tenth"), &len));
    assert_true(kit_json_real(get(&json, "third")) == 1.0 / 3);
    assert_int_equal(kit_json_type(get(&json, "whole")), KIT_JSON_REAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_document_is_walked),
        cmocka_unit_test(what_is_not_there_is_null_all_the_way),
        cmocka_unit_test(strings_with_a_nul_are_no_strings),
        cmocka_unit_test(integers_are_read_within_their_range),
        cmocka_unit_test(truth_may_be_quoted),
        cmocka_unit_test(other_texts_are_refused),
        cmocka_unit_test(the_length_bounds_the_text),
        cmocka_unit_test(depth_has_a_limit),
        cmocka_unit_test(the_writer_nests_and_separates),
        cmocka_unit_test(pretty_output_is_indented),
        cmocka_unit_test(every_byte_is_escaped_or_kept),
        cmocka_unit_test(members_are_visited_in_order),
        cmocka_unit_test(bytes_and_reals_come_back),
        cmocka_unit_test(too_deep_or_too_long_is_an_overflow),
    };
    return cmocka_run_group_tests_name("fmt/json", tests, NULL, NULL);
}
