/* kit/fmt/time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kit/base/mem.h"
#include "kit/fmt/time.h"

static void both_forms_are_written(void **state)
{
    static const struct {
        int64_t unix_s;
        const char *basic, *iso;
    } rows[] = {
        {0, "19700101T000000Z", "1970-01-01T00:00:00Z"},
        {1767323045, "20260102T030405Z", "2026-01-02T03:04:05Z"},
        {951782399, "20000228T235959Z", "2000-02-28T23:59:59Z"},
        {951782400, "20000229T000000Z", "2000-02-29T00:00:00Z"},
        {4107542399, "21000228T235959Z", "2100-02-28T23:59:59Z"},
        {4107542400, "21000301T000000Z", "2100-03-01T00:00:00Z"},
        {253402300799, "99991231T235959Z", "9999-12-31T23:59:59Z"},
        {253402300800, "99991231T235959Z", "9999-12-31T23:59:59Z"},
        {INT64_MAX, "99991231T235959Z", "9999-12-31T23:59:59Z"},
        {-1, "19700101T000000Z", "1970-01-01T00:00:00Z"},
        {INT64_MIN, "19700101T000000Z", "1970-01-01T00:00:00Z"},
    };
    char buf[KIT_TIME_TEXT];

    (void)state;
    for (size_t i = 0; i < KIT_LEN(rows); i++) {
        assert_string_equal(kit_time_basic(rows[i].unix_s, buf), rows[i].basic);
        assert_string_equal(kit_time_iso(rows[i].unix_s, buf), rows[i].iso);
    }
}

/* Every day of 400 years, forth and back, against the next: no day is skipped or doubled. */
static void every_day_comes_back(void **state)
{
    char buf[KIT_TIME_TEXT];
    int64_t back = -1;

    (void)state;
    for (int64_t day = 0; day < 146097; day++) {
        assert_true(kit_time_parse_iso(kit_time_iso(day * 86400 + 43210, buf), &back));
        assert_int_equal(back, day * 86400 + 43210);
        assert_true(kit_time_parse_iso(kit_time_basic(day * 86400, buf), &back));
        assert_int_equal(back, day * 86400);
    }
}

static void iso_is_read(void **state)
{
    static const struct {
        const char *text;
        int64_t unix_s;
    } rows[] = {
        {"2026-01-02T03:04:05Z", 1767323045},
        {"20260102T030405Z", 1767323045},
        {"2026-01-02T03:04:05.123Z", 1767323045},
        {"2026-01-02T03:04:05+00:00", 1767323045},
        {"2026-01-02T03:04:05-00:00", 1767323045},
        {"2026-01-02T12:04:05+09:00", 1767323045},
        {"2026-01-01T21:34:05-05:30", 1767323045},
        {"2024-02-29T00:00:00Z", 1709164800},
        {"2026-01-02T03:04:05.999999999+00:00", 1767323045},
        {"2016-12-31T23:59:60Z", 1483228800},
    };
    int64_t got;

    (void)state;
    for (size_t i = 0; i < KIT_LEN(rows); i++) {
        assert_true(kit_time_parse_iso(rows[i].text, &got));
        assert_int_equal(got, rows[i].unix_s);
    }
}

static void what_is_no_time_is_refused(void **state)
{
    static const char *const iso[] = {
        "",
        "2026-01-02",
        "2026-01-02T03:04:05",
        "2026-01-02 03:04:05Z",
        "2026-01-02T03:04:05Zx",
        "2026-01-02T03:04:05.Z",
        "2026-01-02T03:04:05+0000",
        "2026-01-02T03:04:05+24:00",
        "2026-01-02T03:04Z",
        "2026-00-02T03:04:05Z",
        "2026-13-02T03:04:05Z",
        "2026-01-00T03:04:05Z",
        "2026-02-29T03:04:05Z",
        "2100-02-29T03:04:05Z",
        "2026-04-31T03:04:05Z",
        "2026-01-02T24:04:05Z",
        "2026-01-02T03:60:05Z",
        "2026-01-02T03:04:61Z",
        "20260102T03:04:05Z",
        "2026-0102T030405Z",
        "+026-01-02T03:04:05Z",
    };
    static const char *const http[] = {
        "",
        "Sun, 06 Nov 1994 08:49:37",
        "Sun, 06 Nov 1994 08:49:37 UTC",
        "Sun, 06 Nov 1994 08:49:37 GMT ",
        "Sun, 6 Nov 1994 08:49:37 GMT",
        "Sunday, 06-Nov-94 08:49:37 GMT",
        "Sun Nov  6 08:49:37 1994",
        "Xxx, 06 Nov 1994 08:49:37 GMT",
        "Sun, 06 nov 1994 08:49:37 GMT",
        "Sun, 31 Nov 1994 08:49:37 GMT",
    };
    int64_t got = 42;

    (void)state;
    for (size_t i = 0; i < KIT_LEN(iso); i++)
        assert_false(kit_time_parse_iso(iso[i], &got));
    for (size_t i = 0; i < KIT_LEN(http); i++)
        assert_false(kit_time_parse_http(http[i], &got));
    assert_int_equal(got, 42); /* written only on success */
}

static void http_dates_are_read(void **state)
{
    int64_t got;

    (void)state;
    assert_true(kit_time_parse_http("Sun, 06 Nov 1994 08:49:37 GMT", &got)); /* RFC 9110, 5.6.7 */
    assert_int_equal(got, 784111777);
    assert_true(kit_time_parse_http("Thu, 01 Jan 1970 00:00:00 GMT", &got));
    assert_int_equal(got, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_forms_are_written),
        cmocka_unit_test(every_day_comes_back),
        cmocka_unit_test(iso_is_read),
        cmocka_unit_test(what_is_no_time_is_refused),
        cmocka_unit_test(http_dates_are_read),
    };
    return cmocka_run_group_tests_name("fmt/time", tests, NULL, NULL);
}
