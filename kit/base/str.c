/* kit/base/str.c - small questions about text. */
#include "kit/base/str.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* <ctype.h> and <strings.h> ask the locale; these do not. */
static const char white_space[] = " \t\r\n\v\f";

bool kit_str_copy(char *dst, size_t dst_bytes, const char *src)
{
    size_t len = strlen(src);

    if (dst_bytes == 0)
        return false;
    size_t taken = len < dst_bytes ? len : dst_bytes - 1;
    memmove(dst, src, taken);
    dst[taken] = '\0';
    return taken == len;
}

bool kit_str_format(char *dst, size_t dst_bytes, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    int len = vsnprintf(dst, dst_bytes, fmt, ap);
    va_end(ap);
    if (len < 0 && dst_bytes > 0)
        dst[0] = '\0';
    return len >= 0 && (size_t)len < dst_bytes;
}

bool kit_str_eq(const char *a, const char *b)
{
    if (!a || !b)
        return a == b;
    return strcmp(a, b) == 0;
}

static unsigned char lower(char c)
{
    return (unsigned char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

bool kit_str_eq_nocase(const char *a, const char *b)
{
    if (!a || !b)
        return a == b;
    while (*a && lower(*a) == lower(*b)) {
        a++;
        b++;
    }
    return *a == *b;
}

bool kit_str_starts(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

bool kit_str_ends(const char *text, const char *suffix)
{
    size_t text_len = strlen(text), suffix_len = strlen(suffix);

    return text_len >= suffix_len && memcmp(text + text_len - suffix_len, suffix, suffix_len) == 0;
}

char *kit_str_trim(char *text)
{
    text += strspn(text, white_space);
    size_t len = strlen(text);
    while (len > 0 && strchr(white_space, text[len - 1]))
        len--;
    text[len] = '\0';
    return text;
}

/* Characters that change how others are shown, or that show nothing: marks and overrides of the
 * writing direction (U+061C, U+200E-F, U+202A-E, U+2066-9), line and paragraph separators, zero
 * width space and no-break space, annotations, tags. */
static bool is_invisible(unsigned long c)
{
    static const struct {
        unsigned long first, last;
    } ranges[] = {
        {0x061c, 0x061c}, {0x200b, 0x200b}, {0x200e, 0x200f}, {0x2028, 0x202e},
        {0x2060, 0x206f}, {0xfeff, 0xfeff}, {0xfff9, 0xfffb}, {0xe0000, 0xe0fff},
    };

    for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++)
        if (c >= ranges[i].first && c <= ranges[i].last)
            return true;
    return false;
}

/* Bytes of the well-formed UTF-8 sequence at p that may be shown, else 0 (Unicode, table
 * 3-7).  Stops at the NUL by itself: that is no continuation byte. */
static size_t printable_bytes(const unsigned char *p)
{
    unsigned low = 0x80, high = 0xbf;
    unsigned long c;
    size_t more;

    if (p[0] >= 0x20 && p[0] < 0x7f)
        return 1;
    if (p[0] >= 0xc2 && p[0] <= 0xdf)
        more = 1;
    else if (p[0] >= 0xe0 && p[0] <= 0xef)
        more = 2;
    else if (p[0] >= 0xf0 && p[0] <= 0xf4)
        more = 3;
    else
        return 0;
    switch (p[0]) {
    case 0xc2: /* below: C1 controls, 0x9b of which begins terminal sequences */
    case 0xe0: /* below: overlong */ low = 0xa0; break;
    case 0xed: high = 0x9f; break; /* above: surrogates */
    case 0xf0: low = 0x90; break;  /* below: overlong */
    case 0xf4: high = 0x8f; break; /* above: past U+10FFFF */
    default: break;
    }
    c = p[0] & (0x3fu >> more);
    for (size_t i = 1; i <= more; i++) {
        if (p[i] < low || p[i] > high)
            return 0;
        low = 0x80;
        high = 0xbf;
        c = c << 6 | (p[i] & 0x3fu);
    }
    return is_invisible(c) ? 0 : more + 1;
}

void kit_str_make_printable(char *text)
{
    while (*text) {
        size_t n = printable_bytes((const unsigned char *)text);
        if (n == 0) {
            *text = '?';
            n = 1;
        }
        text += n;
    }
}

bool kit_str_to_int(const char *text, int64_t min, int64_t max, int64_t *ret_value)
{
    const char *digits = text + (text[0] == '-');
    char *end;

    /* strtoll alone would take "+1", " 1" and "". */
    if (*digits < '0' || *digits > '9')
        return false;
    int saved_errno = errno;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    bool out_of_range = errno != 0;
    errno = saved_errno;
    if (out_of_range || *end != '\0' || value < min || value > max)
        return false;
    *ret_value = value;
    return true;
}

bool kit_str_word(const char **cursor, const char *separators, const char **ret_word,
                  size_t *ret_len_bytes)
{
    const char *word = *cursor + strspn(*cursor, separators);
    size_t len = strcspn(word, separators);

    *cursor = word + len;
    if (len == 0)
        return false;
    *ret_word = word;
    *ret_len_bytes = len;
    return true;
}
