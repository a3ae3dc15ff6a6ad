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

enum kit_json_type {
    KIT_JSON_NULL,
    KIT_JSON_BOOL,
    KIT_JSON_INT,
    KIT_JSON_REAL, /* a number with a fraction or exponent, or too large for an int64_t */
    KIT_JSON_STRING,
    KIT_JSON_ARRAY,
    KIT_JSON_OBJECT,
};
/* Of NULL, which stands for null: KIT_JSON_NULL. */
enum kit_json_type kit_json_type(const struct kit_json_node *node);

const struct kit_json_node *kit_json_root(const struct kit_json *json);
const struct kit_json_node *kit_json_get(const struct kit_json_node *object,
                                         const char *key); /* or NULL; NULL in, NULL out */
bool kit_json_is_object(const struct kit_json_node *node); /* NULL: no */
size_t kit_json_count(const struct kit_json_node *array);  /* 0 when it is no array */
const struct kit_json_node *kit_json_at(const struct kit_json_node *array, size_t index);
/* Calls `fn` with each member of an object, in the document's order, until it returns non-zero, and
 * returns that; 0 when it never did, or when the node is no object. */
typedef int (*kit_json_member_fn)(void *arg, const char *key, const struct kit_json_node *value);
int kit_json_each(const struct kit_json_node *object, kit_json_member_fn fn, void *arg);
/* A string's bytes whatever they are, borrowed; NULL when the node is no string. */
const char *kit_json_bytes(const struct kit_json_node *node, size_t *ret_len_bytes);
double kit_json_real(const struct kit_json_node *node); /* of INT and REAL, else 0 */
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
/* Bytes with a length, NUL bytes among them; as there, what is no UTF-8 becomes U+FFFD. */
void kit_json_put_bytes(struct kit_json_writer *w, const char *key, const char *data,
                        size_t len_bytes);
void kit_json_put_real(struct kit_json_writer *w, const char *key,
                       double value); /* not finite: null */
void kit_json_put_int(struct kit_json_writer *w, const char *key, int64_t value);
void kit_json_put_bool(struct kit_json_writer *w, const char *key, bool value);

#endif
