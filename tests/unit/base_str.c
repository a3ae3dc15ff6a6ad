/* tests/unit/base_str.c - small questions about text. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "kit/base/mem.h"
#include "kit/base/str.h"

static void copy_says_whether_it_fitted(void **state)
{
    char dst[5] = "####";

    (void)state;
    assert_true(kit_str_copy(dst, sizeof(dst), "abcd"));
    assert_string_equal(dst, "abcd");
    assert_false(kit_str_copy(dst, sizeof(dst), "vwxyz"));
    assert_string_equal(dst, "vwxy");
    assert_true(kit_str_copy(dst, sizeof(dst), ""));
    assert_string_equal(dst, "");
    dst[0] = '#';
    assert_false(kit_str_copy(dst, 0, "a"));
    assert_int_equal(dst[0], '#');
}

static void format_says_whether_it_fitted(void **state)
{
    char dst[5];

    (void)state;
    assert_true(kit_str_format(dst, sizeof(dst), "%d", 1234));
    assert_false(kit_str_format(dst, sizeof(dst), "%d", 12345));
    assert_string_equal(dst, "1234");
}

static void comparisons(void **state)
{
    (void)state;
    assert_true(kit_str_eq("a", "a"));
    assert_false(kit_str_eq("a", "A"));
    assert_false(kit_str_eq("10.0.0.1", "10.0.0.10"));
    assert_true(kit_str_eq(NULL, NULL));
    assert_false(kit_str_eq(NULL, ""));
    assert_false(kit_str_eq("", NULL));
    assert_true(kit_str_eq_nocase("Date", "dATE"));
    assert_false(kit_str_eq_nocase("Date", "Dates"));
    assert_false(kit_str_eq_nocase("Dates", "Date"));
    assert_false(kit_str_eq_nocase("[", "{")); /* 32 apart, but no letters */
    assert_false(kit_str_eq_nocase("\xc4", "\xe4"));
    assert_false(kit_str_eq_nocase(NULL, ""));
    assert_true(kit_str_starts("eni-0a", "eni-"));
    assert_false(kit_str_starts("en", "eni-"));
    assert_true(kit_str_starts("x", ""));
    assert_true(kit_str_ends("vip1.conf", ".conf"));
    assert_false(kit_str_ends("conf", ".conf"));
    assert_true(kit_str_ends("x", ""));
}

static void trim_takes_both_ends(void **state)
{
    static const struct {
        const char *in, *out;
    } rows[] = {
        {"", ""}, {" \t\r\n", ""}, {"a", "a"}, {"  a b\n", "a b"}, {"a ", "a"}, {"\v\fa", "a"},
    };
    char text[20];

    (void)state;
    for (size_t i = 0; i < KIT_LEN(rows); i++) {
        assert_true(kit_str_copy(text, sizeof(text), rows[i].in));
        assert_string_equal(kit_str_trim(text), rows[i].out);
    }
}

static void printable_keeps_text_and_nothing_else(void **state)
{
    static const struct {
        const char *in, *out;
    } rows[] = {
        {"plain ~", "plain ~"},
        {"tab\t nl\n esc\033 del\x7f", "tab? nl? esc? del?"},
        {"\x01\x1f", "??"},
        {"M\xc3\xbcller \xe2\x82\xac \xf0\x9f\x98\x80",
         "M\xc3\xbcller \xe2\x82\xac \xf0\x9f\x98\x80"},
        {"\xc2\x9b"
         "2J",
         "??2J"}, /* CSI as one C1 character */
        {"\xc2\xa0", "\xc2\xa0"},
        {"\xc0\xaf", "??"},               /* overlong '/' */
        {"\xe0\x80\xaf", "???"},          /* overlong */
        {"\xe0\xa0\x80", "\xe0\xa0\x80"}, /* the first that is not */
        {"\xf0\x8f\xbf\xbf", "????"},     /* overlong */
        {"\xed\xa0\x80", "???"},          /* surrogate */
        {"\xed\x9f\xbf", "\xed\x9f\xbf"},
        {"\xf4\x90\x80\x80", "????"}, /* past U+10FFFF */
        {"\xf4\x8f\xbf\xbf", "\xf4\x8f\xbf\xbf"},
        {"\xf5\x80\x80\x80", "????"},
        {"a\xe2\x80\xae"
         "b\xe2\x81\xa6"
         "c",
         "a???b???c"},                          /* the text behind it would run backwards */
        {"\xd8\x9c\xe2\x80\x8f", "?????"},      /* marks of the direction */
        {"\xe2\x80\xa8\xef\xbb\xbf", "??????"}, /* a line separator, a byte order mark */
        {"\xf3\xa0\x81\x81", "????"},           /* a tag */
        {"\xe2\x80\x8d\xd8\x9b\xe2\x80\xaf", "\xe2\x80\x8d\xd8\x9b\xe2\x80\xaf"},
        {"\x80", "?"},
        {"a\xe2\x82", "a??"}, /* cut at the end */
        {"\xe2\x82z", "??z"},
        {"\xff\xfe", "??"},
    };
    char text[40];

    (void)state;
    for (size_t i = 0; i < KIT_LEN(rows); i++) {
        assert_true(kit_str_copy(text, sizeof(text), rows[i].in));
        kit_str_make_printable(text);
        assert_string_equal(text, rows[i].out);
    }
}

static void numbers_are_whole_and_bounded(void **state)
{
    static const char *const wrong[] = {
        "",
        "-",
        "+1",
        " 1",
        "1 ",
        "1x",
        "0x10",
        "1.0",
        "--1",
        "1e3",
        "\xd9\xa1",
        "9223372036854775808",
        "-9223372036854775809",
        "99999999999999999999999999",
    };
    int64_t value = 4711;

    (void)state;
    errno = 0;
    for (size_t i = 0; i < KIT_LEN(wrong); i++)
        assert_false(kit_str_to_int(wrong[i], INT64_MIN, INT64_MAX, &value));
    assert_false(kit_str_to_int("0", 1, 10, &value));
    assert_false(kit_str_to_int("11", 1, 10, &value));
    assert_false(kit_str_to_int("-1", 0, 10, &value));
    assert_int_equal(value, 4711);
    assert_int_equal(errno, 0);
    assert_true(kit_str_to_int("1", 1, 10, &value));
    assert_int_equal(value, 1);
    assert_true(kit_str_to_int("010", 1, 10, &value));
    assert_int_equal(value, 10);
    assert_true(kit_str_to_int("-9223372036854775808", INT64_MIN, INT64_MAX, &value));
    assert_true(value == INT64_MIN);
    assert_true(kit_str_to_int("9223372036854775807", INT64_MIN, INT64_MAX, &value));
    assert_true(value == INT64_MAX);
}

static void words_are_bounded_by_separators(void **state)
{
    const char *cursor = " ,rtb-1,, rtb-2 ,", *word = NULL;
    size_t len = 99;

    (void)state;
    assert_true(kit_str_word(&cursor, " ,", &word, &len));
    assert_int_equal(len, 5);
    assert_memory_equal(word, "rtb-1", 5);
    assert_true(kit_str_word(&cursor, " ,", &word, &len));
    assert_int_equal(len, 5);
    assert_memory_equal(word, "rtb-2", 5);
    assert_false(kit_str_word(&cursor, " ,", &word, &len));
    assert_false(kit_str_word(&cursor, " ,", &word, &len));
    assert_int_equal(len, 5);
    cursor = "";
    assert_false(kit_str_word(&cursor, " ,", &word, &len));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(copy_says_whether_it_fitted),
        cmocka_unit_test(format_says_whether_it_fitted),
        cmocka_unit_test(comparisons),
        cmocka_unit_test(trim_takes_both_ends),
        cmocka_unit_test(printable_keeps_text_and_nothing_else),
        cmocka_unit_test(numbers_are_whole_and_bounded),
        cmocka_unit_test(words_are_bounded_by_separators),
    };
    return cmocka_run_group_tests_name("base_str", tests, NULL, NULL);
}
