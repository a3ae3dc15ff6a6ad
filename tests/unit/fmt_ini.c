/* kit/fmt/ini. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kit/base/buf.h"
#include "kit/base/str.h"
#include "kit/fmt/ini.h"

/* Everything that was called back, one line each: "2 [s]" and "3 s.name=value", '+' when continued.
 */
struct heard {
    struct kit_buf text;
    unsigned stop_at; /* the line whose call-back refuses; 0 = none */
};

static int hear_entry(void *arg, const struct kit_ini_entry *entry, struct kit_err *err)
{
    struct heard *heard = arg;

    (void)kit_buf_printf(&heard->text, "%u %s.%s=%s%s\n", entry->line, entry->section, entry->name,
                         entry->value, entry->continued ? "+" : "");
    if (entry->line == heard->stop_at)
        return kit_err_set(err, KIT_ERR_REFUSED, "mine");
    return 0;
}

static int hear_section(void *arg, const char *section, unsigned line, struct kit_err *err)
{
    struct heard *heard = arg;

    (void)kit_buf_printf(&heard->text, "%u [%s]\n", line, section);
    if (line == heard->stop_at)
        return kit_err_set(err, KIT_ERR_REFUSED, "mine");
    return 0;
}

static void expect_heard(const char *text, const char *wanted)
{
    struct heard heard = {.text = KIT_BUF(65536)};
    struct kit_err err;

    if (kit_ini_parse(text, strlen(text), "x.conf", hear_entry, hear_section, &heard, &err) < 0)
        fail_msg("%s: %s", text, err.msg);
    assert_string_equal(heard.text.data, wanted);
    kit_buf_done(&heard.text);
}

static void expect_refused(const char *text, size_t len, const char *says)
{
    struct heard heard = {.text = KIT_BUF(65536)};
    struct kit_err err;

    if (kit_ini_parse(text, len, "x.conf", hear_entry, hear_section, &heard, &err) == 0)
        fail_msg("accepted: %s", text);
    assert_int_equal(err.kind, KIT_ERR_CONFIG);
    if (!strstr(err.msg, says))
        fail_msg("%s: says \"%s\", not \"%s\"", text, err.msg, says);
    kit_buf_done(&heard.text);
}

static void entries_come_with_section_and_line(void **state)
{
    (void)state;
    expect_heard("", "");
    expect_heard("a=1", "1 .a=1\n");
    expect_heard("# c\n\n[s]\nname = a value \n  ; c\nb:2\n[t]\n[u]\r\nc = d=e\r\n",
                 "3 [s]\n4 s.name=a value\n6 s.b=2\n7 [t]\n8 [u]\n9 u.c=d=e\n");
    expect_heard("[s]\nempty =\n", "1 [s]\n2 s.empty=\n");
    expect_heard("\xef\xbb\xbf[s]\na=1\n", "1 [s]\n2 s.a=1\n");
    expect_heard("a=\xc3\xa9\n", "1 .a=\xc3\xa9\n");
    expect_heard("[s] ; c\n[t]  \n", "1 [s]\n2 [t]\n");
}

static void comments_inside_a_line_follow_a_space(void **state)
{
    (void)state;
    expect_heard("a = 1 ; c\nb = 1;2\nc = x # y\n", "1 .a=1\n2 .b=1;2\n3 .c=x # y\n");
}

static void indented_lines_continue_an_entry(void **state)
{
    (void)state;
    expect_heard("[s]\na = 1\n  2\n\t3 = 4\n\n   5\nb=6\n",
                 "1 [s]\n2 s.a=1\n3 s.a=2+\n4 s.a=3 = 4+\n6 s.a=5+\n7 s.b=6\n");
    /* Where there is nothing to continue, an indented line is what it says. */
    expect_heard("  [s]\n  a = 1\n", "1 [s]\n2 s.a=1\n");
    expect_heard("a=1\n [x]\n[s]\n b=2\n", "1 .a=1\n2 .a=[x]+\n3 [s]\n4 s.b=2\n");
}

static void other_lines_are_refused_with_their_number(void **state)
{
    static const struct {
        const char *text, *says;
    } rows[] = {
        {"a=1\nnonsense\nb=2\n", "x.conf:2: neither"},
        {"a=1\n\nnonsense", "x.conf:3: neither"},
        {"nonsense\n[s]\n", "x.conf:1: neither"},
        {"; c\n[s\n", "x.conf:2: a '['"},
        {"[]\n", "x.conf:1: the name of a section"},
        {"[s] junk\n", "x.conf:1: something behind"},
        {"[s;]\n[a ;b]\n", "x.conf:2: a comment"},
        {"= 1\n", "x.conf:1: the name before '='"},
        {"a=1\n\tb\n=\n", "x.conf:3: the name before '='"},
        {"a=\x01\n", "x.conf:1: a control character (byte 3"},
        {"a=1\n\nb=\x7f\n", "x.conf:3: a control character"},
        {"a=1\rb=2\n", "x.conf:1: a control character"},
        {"[s\x1b]\n", "x.conf:1: a control character"},
    };

    (void)state;
    for (size_t i = 0; i < KIT_LEN(rows); i++)
        expect_refused(rows[i].text, strlen(rows[i].text), rows[i].says);
    expect_refused("a=1\0b=2\n", 8, "x.conf:1: a control character (byte 4");
}

/* inih would cut all of these and say nothing. */
static void nothing_is_cut(void **state)
{
    char line[400], wanted[400];

    (void)state;
    for (int len = 190; len < 260; len++) {
        (void)kit_str_format(line, sizeof(line), "a=%0*d\nb=1\n", len - 2, 7);
        if (len <= 198) {
            (void)kit_str_format(wanted, sizeof(wanted), "1 .a=%.*s\n2 .b=1\n", len - 2, line + 2);
            expect_heard(line, wanted);
        } else {
            expect_refused(line, strlen(line), "x.conf:1: the line is longer than 198 bytes");
        }
    }
    for (int len = 45; len < 55; len++) {
        (void)kit_str_format(line, sizeof(line), "[%0*d]\n", len, 7);
        if (len <= 49) {
            (void)kit_str_format(wanted, sizeof(wanted), "1 [%0*d]\n", len, 7);
            expect_heard(line, wanted);
        } else {
            expect_refused(line, strlen(line), "x.conf:1: the name of a section");
        }
        (void)kit_str_format(line, sizeof(line), "n%0*d=1\n  2\n", len - 1, 7);
        if (len <= 49) {
            (void)kit_str_format(wanted, sizeof(wanted), "1 .n%0*d=1\n2 .n%0*d=2+\n", len - 1, 7,
                                 len - 1, 7);
            expect_heard(line, wanted);
        } else {
            expect_refused(line, strlen(line), "x.conf:1: the name before '='");
        }
    }
}

static void a_comment_may_be_long(void **state)
{
    KIT_AUTO(kit_buf) text = KIT_BUF(4096);

    (void)state;
    (void)kit_buf_printf(&text, "a=1\n  #%01000d\nb=2\n;%0999d\n", 0, 0);
    expect_heard(text.data, "1 .a=1\n3 .b=2\n");
}

static void a_call_back_stops_it_with_its_own_error(void **state)
{
    static const char text[] = "[s]\na=1\nb=2\nnonsense\n";
    static const char *const heard_until[] = {"1 [s]\n", "1 [s]\n2 s.a=1\n",
                                              "1 [s]\n2 s.a=1\n3 s.b=2\n"};
    struct kit_err err;

    (void)state;
    for (unsigned line = 1; line <= 3; line++) {
        struct heard heard = {.text = KIT_BUF(65536), .stop_at = line};
        assert_int_equal(
            kit_ini_parse(text, strlen(text), "x.conf", hear_entry, hear_section, &heard, &err),
            -1);
        assert_int_equal(err.kind, KIT_ERR_REFUSED);
        assert_string_equal(err.msg, "mine");
        assert_string_equal(heard.text.data, heard_until[line - 1]);
        kit_buf_done(&heard.text);
    }
}

static void sections_may_go_unheard(void **state)
{
    struct heard heard = {.text = KIT_BUF(65536)};
    struct kit_err err;

    (void)state;
    assert_int_equal(kit_ini_parse("[s]\na=1\n", 8, "x.conf", hear_entry, NULL, &heard, &err), 0);
    assert_string_equal(heard.text.data, "2 s.a=1\n");
    kit_buf_done(&heard.text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(entries_come_with_section_and_line),
        cmocka_unit_test(comments_inside_a_line_follow_a_space),
        cmocka_unit_test(indented_lines_continue_an_entry),
        cmocka_unit_test(other_lines_are_refused_with_their_number),
        cmocka_unit_test(nothing_is_cut),
        cmocka_unit_test(a_comment_may_be_long),
        cmocka_unit_test(a_call_back_stops_it_with_its_own_error),
        cmocka_unit_test(sections_may_go_unheard),
    };
    return cmocka_run_group_tests_name("fmt/ini", tests, NULL, NULL);
}
