/* kit/fmt/time.h - the three spellings of time that the clouds use.  All UTC, all independent of
 * the locale. Written times are held within 1970 … 9999. */
#ifndef KIT_FMT_TIME_H
#define KIT_FMT_TIME_H

#include <stdbool.h>
#include <stdint.h>

#define KIT_TIME_TEXT 32

const char *kit_time_basic(int64_t unix_s, char buf[KIT_TIME_TEXT]); /* 20260102T030405Z */
const char *kit_time_iso(int64_t unix_s, char buf[KIT_TIME_TEXT]);   /* 2026-01-02T03:04:05Z */
/* 2026-01-02T03:04:05Z, fractions and offsets such as "+00:00" accepted, or the basic form. */
bool kit_time_parse_iso(const char *text, int64_t *ret_unix_s);
bool kit_time_parse_http(const char *text, int64_t *ret_unix_s); /* Sun, 06 Nov 1994 08:49:37 GMT */

#endif
