#include "sim_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

bool sim_text_match(const char *pattern, const char *text)
{
    const char *star = NULL, *mark = NULL;

    while (*text) {
        if (*pattern == '*') {
            star = pattern++;
            mark = text;
        } else if (*pattern == '?' || *pattern == *text) {
            pattern++;
            text++;
        } else if (star) {
            pattern = star + 1;
            text = ++mark;
        } else {
            return false;
        }
    }
    while (*pattern == '*')
        pattern++;
    return *pattern == '\0';
}

void sim_text_encode(struct sim_buf *out, const char *bytes, size_t len)
{
    static const char plain[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~";

    for (size_t i = 0; i < len; i++) {
        if (bytes[i] && strchr(plain, bytes[i]))
            sim_buf_add(out, bytes + i, 1);
        else
            sim_buf_fmt(out, "%%%02X", (unsigned char)bytes[i]);
    }
}

void sim_text_hex(const unsigned char *bytes, size_t len, char *ret_hex)
{
    for (size_t i = 0; i < len; i++)
        snprintf(ret_hex + 2 * i, 3, "%02x", bytes[i]);
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

static char *form_decode(const char *text, size_t len)
{
    char *out = sim_alloc(len + 1);
    size_t used = 0;

    for (size_t i = 0; i < len; i++) {
        char c = text[i];

        if (c == '%') {
            int high = len - i > 2 ? hex_digit(text[i + 1]) : -1;
            int low = len - i > 2 ? hex_digit(text[i + 2]) : -1;

            if (high < 0 || low < 0)
                goto bad;
            c = (char)(high * 16 + low);
            i += 2;
        } else if (c == '+') {
            c = ' ';
        }
        if (!c)
            goto bad;
        out[used++] = c;
    }
    return out;
bad:
    free(out);
    return NULL;
}

static int add_pair(struct sim_params *params, const char *pair, size_t len)
{
    const char *equals = memchr(pair, '=', len);
    size_t name_len = equals ? (size_t)(equals - pair) : len;
    struct sim_param *items;
    char *name, *value;

    if (params->len == SIM_PARAMS_MAX)
        return -1;
    name = form_decode(pair, name_len);
    value = equals ? form_decode(equals + 1, len - name_len - 1) : sim_strdup("");
    items = name && value ? realloc(params->items, (params->len + 1) * sizeof(*items)) : NULL;
    if (!items) {
        free(name);
        free(value);
        return -1;
    }
    params->items = items;
    items[params->len++] = (struct sim_param){.name = name, .value = value};
    return 0;
}

int sim_params_parse(struct sim_params *params, const char *text, size_t len)
{
    while (len) {
        const char *amp = memchr(text, '&', len);
        size_t pair = amp ? (size_t)(amp - text) : len;

        if (pair && add_pair(params, text, pair))
            return -1;
        text += amp ? pair + 1 : pair;
        len -= amp ? pair + 1 : pair;
    }
    return 0;
}

const char *sim_params_get(const struct sim_params *params, const char *name)
{
    for (size_t i = 0; i < params->len; i++)
        if (!strcmp(params->items[i].name, name))
            return params->items[i].value;
    return NULL;
}

void sim_params_done(struct sim_params *params)
{
    for (size_t i = 0; i < params->len; i++) {
        free(params->items[i].name);
        free(params->items[i].value);
    }
    free(params->items);
    *params = (struct sim_params){0};
}

bool sim_word_fits(const char *word, size_t len, const char *name)
{
    const char *start = word, *end = word + len;

    while (word < end) {
        if (*word == '*')
            return true;
        if (*word == 'N' && word > start && word[-1] == '.' &&
            (word + 1 == end || word[1] == '.')) {
            size_t digits = strspn(name, "0123456789");

            if (!digits)
                return false;
            name += digits;
            word++;
        } else if (*word++ != *name++) {
            return false;
        }
    }
    return *name == '\0';
}

bool sim_words_know(const char *spec, const char *name)
{
    for (const char *at = spec; *at; at += strspn(at, " ")) {
        size_t len = strcspn(at, " ");
        size_t mark = *at == '!';

        if (sim_word_fits(at + mark, len - mark, name))
            return true;
        at += len;
    }
    return false;
}

void sim_time_iso(int64_t ms, bool millis, char *ret_text, size_t size)
{
    time_t seconds = (time_t)(ms / 1000);
    struct tm tm;
    char stamp[32];

    gmtime_r(&seconds, &tm);
    strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H:%M:%S", &tm);
    snprintf(ret_text, size, "%s%sZ", stamp, millis ? ".000" : "");
}

int sim_time_parse(const char *text, int64_t *ret_ms)
{
    static const char *const formats[] = {"%Y-%m-%dT%H:%M:%S", "%Y%m%dT%H%M%S"};

    for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
        struct tm tm = {0};
        const char *rest = strptime(text, formats[i], &tm);

        if (!rest)
            continue;
        if (*rest == '.')
            rest += 1 + strspn(rest + 1, "0123456789");
        if (strcmp(rest, "Z") && strcmp(rest, "+00:00"))
            continue;
        *ret_ms = (int64_t)timegm(&tm) * 1000;
        return 0;
    }
    return -1;
}

void sim_time_http(int64_t ms, char *ret_text, size_t size)
{
    time_t seconds = (time_t)(ms / 1000);
    struct tm tm;

    gmtime_r(&seconds, &tm);
    strftime(ret_text, size, "%a, %d %b %Y %H:%M:%S GMT", &tm);
}

int64_t sim_time_real_ms(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_REALTIME, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

double sim_time_mono_ms(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double)ts.tv_sec * 1e3 + (double)ts.tv_nsec / 1e6;
}

void sim_random(void *ret_bytes, size_t len)
{
    unsigned char *at = ret_bytes;

    while (len) {
        ssize_t got = getrandom(at, len, 0);

        if (got <= 0)
            continue;
        at += got;
        len -= (size_t)got;
    }
}

void sim_random_text(char *ret_text, size_t size)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

    sim_random(ret_text, size - 1);
    for (size_t i = 0; i + 1 < size; i++)
        ret_text[i] = letters[(unsigned char)ret_text[i] % 32];
    ret_text[size - 1] = '\0';
}

void sim_random_uuid(char ret_text[37])
{
    unsigned char b[16];

    sim_random(b, sizeof(b));
    b[6] = (unsigned char)((b[6] & 0x0f) | 0x40);
    b[8] = (unsigned char)((b[8] & 0x3f) | 0x80);
    snprintf(ret_text, 37, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
             b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13],
             b[14], b[15]);
}
