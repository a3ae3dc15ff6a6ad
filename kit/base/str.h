/* kit/base/str.h - small questions about text. */
#ifndef KIT_BASE_STR_H
#define KIT_BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kit/base/err.h"

/* Copy with a NUL; false when it did not fit (then dst is the part that did). */
bool kit_str_copy(char *dst, size_t dst_bytes, const char *src);
/* snprintf that says whether it fitted. */
bool kit_str_format(char *dst, size_t dst_bytes, const char *fmt, ...) KIT_PRINTF(3, 4);

bool kit_str_eq(const char *a, const char *b);        /* exact; NULL equals only NULL */
bool kit_str_eq_nocase(const char *a, const char *b); /* ASCII only, whatever the locale */
bool kit_str_starts(const char *text, const char *prefix);
bool kit_str_ends(const char *text, const char *suffix);

/* In place: white space off both ends; returns where the text begins now. */
char *kit_str_trim(char *text);

/* Control characters (and DEL) become '?', invalid UTF-8 too, and characters that turn the writing
 * direction or show nothing (a byte each): what an operator's terminal and a log line can take.  In
 * place. */
void kit_str_make_printable(char *text);

/* Whole text as a decimal number within [min, max]; false otherwise (no sign but '-', no space). */
bool kit_str_to_int(const char *text, int64_t min, int64_t max, int64_t *ret_value);

/* Next word of *cursor that is bounded by any of `separators` (runs count once), as pointer and
 * length; false at the end.  The text is not changed. */
bool kit_str_word(const char **cursor, const char *separators, const char **ret_word,
                  size_t *ret_len_bytes);

#endif
