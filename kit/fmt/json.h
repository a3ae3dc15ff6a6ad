/* kit/fmt/json.h - JSON read with limits and written with stable order.  json-c does the work;
 * nobody else includes it. */
#ifndef KIT_FMT_JSON_H
#define KIT_FMT_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kit/base/buf.h"
#include "kit/base/err.h"

struct kit_json { /* a document; owned */
    void *root;
};
struct kit_json_node; /* borrowed from its document */

/* Strict JSON, depth at most 32, nothing behind the value.  KIT_ERR_PROTOCOL. */
int kit_json_parse(const char *text, size_t len_bytes, struct kit_json *ret_json,
                   struct kit_err *err) KIT_CHECKED;
void kit_json_done(struct kit_json *json); /* strings inside are wiped before they are freed */

const struct kit_json_node *kit_json_root(const struct kit_json *json);
const struct kit_json_node *kit_json_get(const struct kit_json_node *object,
                                         const char *key); /* or NULL; NULL in, NULL out */
bool kit_json_is_object(const struct kit_json_node *node); /* NULL: no */
size_t kit_json_count(const struct kit_json_node *array);  /* 0 when it is no array */
const struct kit_json_node *kit_json_at(const struct kit_json_node *array, size_t index);
/* A string's bytes, borrowed; NULL when the node is NULL, no string, or holds a NUL byte. */
const char *kit_json_string(const struct kit_json_node *node);
bool kit_json_int(const struct kit_json_node *node,
                  int64_t *ret_value); /* numbers and numeric strings */
bool kit_json_bool(const struct kit_json_node *node,
                   bool *ret_value); /* true/false and "true"/"false" */

/* Writing: a small writer into a kit_buf, that minds commas, escapes and nesting (at most 16 deep).
 *   kit_json_open(&w, NULL, '{'); kit_json_put_string(&w, "tag", tag); kit_json_close(&w);
 * `key` is NULL inside arrays and at the top. */
struct kit_json_writer {
    struct kit_buf *out;
    unsigned depth;
    bool pretty;      /* two spaces an indent */
    bool started[17]; /* something was already written at this depth */
    char closer[17];
};
void kit_json_open(struct kit_json_writer *w, const char *key, char bracket); /* '{' or '[' */
void kit_json_close(struct kit_json_writer *w);
void kit_json_put_string(struct kit_json_writer *w, const char *key,
                         const char *value); /* NULL: null */
void kit_json_put_int(struct kit_json_writer *w, const char *key, int64_t value);
void kit_json_put_bool(struct kit_json_writer *w, const char *key, bool value);

#endif
