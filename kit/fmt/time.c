#include "kit/fmt/time.h"

#include <string.h>

#include "kit/base/mem.h"
#include "kit/base/str.h"

#define S_PER_DAY INT64_C(86400)
#define LAST_S    INT64_C(253402300799) /* 9999-12-31T23:59:59Z, the last one of four digits */

/* Days of the proleptic Gregorian calendar, in years that begin in March, so that the leap day
 * comes last and needs no special case.  gmtime and timegm would do, but drag in the time zone
 * files. */
static int64_t days_of_date(int64_t year, int month, int day)
{
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t era = y / 400;
    int64_t year_of_era = y - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

    return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year -
           719468;
}

struct stamp {
    int year, month, day, hour, minute, second;
};

static struct stamp stamp_of(int64_t unix_s)
{
    int64_t s = unix_s < 0 ? 0 : unix_s > LAST_S ? LAST_S : unix_s;
    int64_t days = s / S_PER_DAY + 719468;
    int64_t era = days / 146097;
    int64_t day_of_era = days - era * 146097;
    int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t month = (5 * day_of_year + 2) / 153;
    struct stamp t = {
        .day = (int)(day_of_year - (153 * month + 2) / 5 + 1),
        .month = (int)(month < 10 ? month + 3 : month - 9),
        .hour = (int)(s % S_PER_DAY / 3600),
        .minute = (int)(s % 3600 / 60),
        .second = (int)(s % 60),
    };

    t.year = (int)(year_of_era + era * 400 + (t.month <= 2));
    return t;
}

const char *kit_time_basic(int64_t unix_s, char buf[KIT_TIME_TEXT])
{
    struct stamp t = stamp_of(unix_s);

    (void)kit_str_format(buf, KIT_TIME_TEXT, "%04d%02d%02dT%02d%02d%02dZ", t.year, t.month, t.day,
                         t.hour, t.minute, t.second);
    return buf;
}

const char *kit_time_iso(int64_t unix_s, char buf[KIT_TIME_TEXT])
{
    struct stamp t = stamp_of(unix_s);

    (void)kit_str_format(buf, KIT_TIME_TEXT, "%04d-%02d-%02dT%02d:%02d:%02dZ", t.year, t.month,
                         t.day, t.hour, t.minute, t.second);
    return buf;
}

static bool seconds_of(const struct stamp *t, int64_t *ret_unix_s)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = t->year % 4 == 0 && (t->year % 100 != 0 || t->year % 400 == 0);

    if (t->month < 1 || t->month > 12 || t->day < 1 ||
        t->day > days[t->month - 1] + (leap && t->month == 2))
        return false;
    if (t->hour > 23 || t->minute > 59 || t->second > 60) /* 60: a leap second */
        return false;
    *ret_unix_s = days_of_date(t->year, t->month, t->day) * S_PER_DAY + t->hour * 3600 +
                  t->minute * 60 + t->second;
    return true;
}

/* Exactly `digits` digits at *cursor; moves it. */
static bool take_number(const char **cursor, int digits, int *ret_value)
{
    int value = 0;

    for (int i = 0; i < digits; i++, (*cursor)++) {
        if (**cursor < '0' || **cursor > '9')
            return false;
        value = value * 10 + (**cursor - '0');
    }
    *ret_value = value;
    return true;
}

static bool take_char(const char **cursor, char c)
{
    if (**cursor != c)
        return false;
    (*cursor)++;
    return true;
}

/* "Z" or "+hh:mm", and nothing behind it. */
static bool take_zone(const char **cursor, int64_t *ret_offset_s)
{
    int hours, minutes, sign = **cursor == '-' ? -1 : 1;

    if (take_char(cursor, 'Z')) {
        *ret_offset_s = 0;
        return **cursor == '\0';
    }
    if (!take_char(cursor, '+') && !take_char(cursor, '-'))
        return false;
    if (!take_number(cursor, 2, &hours) || !take_char(cursor, ':') ||
        !take_number(cursor, 2, &minutes) || hours > 23 || minutes > 59)
        return false;
    *ret_offset_s = sign * (hours * 3600 + minutes * 60);
    return **cursor == '\0';
}

bool kit_time_parse_iso(const char *text, int64_t *ret_unix_s)
{
    struct stamp t;
    int64_t unix_s, offset_s;
    const char *at = text;

    if (!take_number(&at, 4, &t.year))
        return false;
    bool basic = *at != '-';
    if (!((basic || take_char(&at, '-')) && take_number(&at, 2, &t.month) &&
          (basic || take_char(&at, '-')) && take_number(&at, 2, &t.day) && take_char(&at, 'T') &&
          take_number(&at, 2, &t.hour) && (basic || take_char(&at, ':')) &&
          take_number(&at, 2, &t.minute) && (basic || take_char(&at, ':')) &&
          take_number(&at, 2, &t.second)))
        return false;
    if (take_char(&at, '.')) {
        int digit;
        if (!take_number(&at, 1, &digit))
            return false;
        while (*at >= '0' && *at <= '9')
            at++;
    }
    if (!take_zone(&at, &offset_s) || !seconds_of(&t, &unix_s))
        return false;
    *ret_unix_s = unix_s - offset_s;
    return true;
}

/* One of `count` names of three letters at *cursor, as its index. */
static bool take_name(const char **cursor, const char *names, int count, int *ret_index)
{
    for (int i = 0; i < count; i++) {
        if (strncmp(*cursor, names + 3 * i, 3) == 0) {
            *cursor += 3;
            *ret_index = i;
            return true;
        }
    }
    return false;
}

bool kit_time_parse_http(const char *text, int64_t *ret_unix_s)
{
    struct stamp t;
    int weekday, month;
    const char *at = text;

    if (!(take_name(&at, "SunMonTueWedThuFriSat", 7, &weekday) && take_char(&at, ',') &&
          take_char(&at, ' ') && take_number(&at, 2, &t.day) && take_char(&at, ' ') &&
          take_name(&at, "JanFebMarAprMayJunJulAugSepOctNovDec", 12, &month) &&
          take_char(&at, ' ') && take_number(&at, 4, &t.year) && take_char(&at, ' ') &&
          take_number(&at, 2, &t.hour) && take_char(&at, ':') && take_number(&at, 2, &t.minute) &&
          take_char(&at, ':') && take_number(&at, 2, &t.second) && strcmp(at, " GMT") == 0))
        return false;
    t.month = month + 1;
    return seconds_of(&t, ret_unix_s);
}
