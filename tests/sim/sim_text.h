/*
 * Small texts: wildcards, percent coding, hexadecimal, times, random ids, form parameters.
 */
#ifndef SIM_TEXT_H
#define SIM_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "sim_buf.h"

/* A form or query with more parameters than this is refused: no client of ours needs them. */
#define SIM_PARAMS_MAX 8192

struct sim_param {
    char *name;
    char *value;
};

struct sim_params {
    struct sim_param *items; /* owned */
    size_t len;
};

/* '*' is any run of bytes, '?' any one byte; everything else is itself. */
bool sim_text_match(const char *pattern, const char *text);

/* RFC 3986: all but the unreserved set becomes %XX. */
void sim_text_encode(struct sim_buf *out, const char *bytes, size_t len);

void sim_text_hex(const unsigned char *bytes, size_t len, char *ret_hex);

/* Adds the pairs of an application/x-www-form-urlencoded text; -1 if it is malformed (a bad %XX,
 * a NUL, too many pairs). */
int sim_params_parse(struct sim_params *params, const char *text, size_t len);
const char *sim_params_get(const struct sim_params *params, const char *name);
void sim_params_done(struct sim_params *params);

/* A word of `len` bytes stands for itself; N for any number, a final '*' for whatever follows. */
bool sim_word_fits(const char *word, size_t len, const char *name);
/* Does the name fit a word of `spec`? A '!' before a word is passed over. */
bool sim_words_know(const char *spec, const char *name);

/* Milliseconds since 1970 as 2026-01-02T03:04:05Z, with .000 before the Z if `millis`. */
void sim_time_iso(int64_t ms, bool millis, char *ret_text, size_t size);
/* Accepts YYYY-MM-DDThh:mm:ssZ (fractions are skipped) and YYYYMMDDThhmmssZ. */
int sim_time_parse(const char *text, int64_t *ret_ms);
/* The form of the HTTP Date header, RFC 9110 section 5.6.7. */
void sim_time_http(int64_t ms, char *ret_text, size_t size);
int64_t sim_time_real_ms(void);
double sim_time_mono_ms(void);

void sim_random(void *ret_bytes, size_t len);
void sim_random_text(char *ret_text, size_t size); /* upper-case letters and digits */
void sim_random_uuid(char ret_text[37]);

#endif
