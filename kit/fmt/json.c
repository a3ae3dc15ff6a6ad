#include "kit/fmt/json.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>
#include <json-c/printbuf.h>

#include "kit/base/secret.h"
#include "kit/base/str.h"

#define DEPTH_MAX 32

/* `struct kit_json_node` is never defined: it is json-c's object under a name of ours.  json-c's
 * getters take non-const objects that they do not change. */
static json_object *inner(const struct kit_json_node *node)
{
    return (json_object *)(uintptr_t)node;
}

static const struct kit_json_node *outer(const json_object *object)
{
    return (const struct kit_json_node *)(const void *)object;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Length of the valid UTF-8 sequence at `text` (no surrogates, no overlong forms), or 0. */
static size_t utf8_len(const char *text, size_t room_bytes)
{
    const unsigned char *s = (const unsigned char *)text;
    size_t len = s[0] < 0x80   ? 1
                 : s[0] < 0xc2 ? 0
                 : s[0] < 0xe0 ? 2
                 : s[0] < 0xf0 ? 3
                 : s[0] < 0xf5 ? 4
                               : 0;

    if (len > room_bytes)
        return 0;
    for (size_t i = 1; i < len; i++)
        if ((s[i] & 0xc0) != 0x80)
            return 0;
    if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
        (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
        return 0;
    return len;
}

/* Raw control characters (NUL above all, at which json-c would stop) and overlong UTF-8 pass
 * through json-c's strict mode.  Returns what is wrong, or NULL. */
static const char *wrong_bytes(const char *text, size_t len_bytes)
{
    size_t len;

    if (len_bytes > INT_MAX / 2)
        return "too long";
    for (size_t i = 0; i < len_bytes; i += len) {
        if ((unsigned char)text[i] < 0x20 && !is_space(text[i]))
            return "a raw control character";
        len = utf8_len(text + i, len_bytes - i);
        if (len == 0)
            return "invalid UTF-8";
    }
    return NULL;
}

/* json-c takes the words NaN and Infinity, and what overflows a double. */
static bool all_finite(json_object *object)
{
    switch (json_object_get_type(object)) {
    case json_type_double: return isfinite(json_object_get_double(object)) != 0;
    case json_type_array:
        for (size_t i = 0; i < json_object_array_length(object); i++)
            if (!all_finite(json_object_array_get_idx(object, i)))
                return false;
        return true;
    case json_type_object: {
        json_object_object_foreach(object, key, value)
        {
            (void)key;
            if (!all_finite(value))
                return false;
        }
        return true;
    }
    default: return true;
    }
}

/* Documents carry session tokens; json-c frees without wiping. */
static void wipe(json_object *object)
{
    switch (json_object_get_type(object)) {
    case json_type_string:
        kit_secret_wipe((void *)(uintptr_t)json_object_get_string(object),
                        (size_t)json_object_get_string_len(object));
        break;
    case json_type_array:
        for (size_t i = 0; i < json_object_array_length(object); i++)
            wipe(json_object_array_get_idx(object, i));
        break;
    case json_type_object: {
        json_object_object_foreach(object, key, value)
        {
            (void)key;
            wipe(value);
        }
        break;
    }
    default: break;
    }
}

static void drop(json_object *object)
{
    wipe(object);
    (void)json_object_put(object);
}

/* The tokener keeps the last string in a buffer of its own. */
static void free_tokener(json_tokener *tokener)
{
    if (tokener->pb && tokener->pb->buf)
        kit_secret_wipe(tokener->pb->buf, (size_t)tokener->pb->size);
    json_tokener_free(tokener);
}

/* SUSE Linux Enterprise 15 has json-c 0.13, which shows its counter instead. */
static size_t parse_end(struct json_tokener *tokener)
{
#if JSON_C_VERSION_NUM >= ((0 << 16) | (14 << 8))
    return json_tokener_get_parse_end(tokener);
#else
    return (size_t)tokener->char_offset;
#endif
}

int kit_json_parse(const char *text, size_t len_bytes, struct kit_json *ret_json,
                   struct kit_err *err)
{
    const char *wrong = wrong_bytes(text, len_bytes);
    enum json_tokener_error status;
    json_tokener *tokener;
    json_object *root;

    if (wrong)
        return kit_err_set(err, KIT_ERR_PROTOCOL, "not JSON: %s", wrong);
    tokener = json_tokener_new_ex(DEPTH_MAX);
    if (!tokener)
        return kit_err_set(err, KIT_ERR_PROTOCOL, "not JSON: no parser");
    json_tokener_set_flags(tokener, JSON_TOKENER_STRICT);
    root = json_tokener_parse_ex(tokener, text, (int)len_bytes);
    status = json_tokener_get_error(tokener);
    if (status == json_tokener_continue) { /* a number at the top ends only where the text does */
        root = json_tokener_parse_ex(tokener, "", 1);
        status = json_tokener_get_error(tokener);
    }
    if (status != json_tokener_success) {
        (void)kit_err_set(err, KIT_ERR_PROTOCOL, "not JSON, at byte %zu of %zu: %s",
                          parse_end(tokener), len_bytes, json_tokener_error_desc(status));
        free_tokener(tokener);
        return -1;
    }
    free_tokener(tokener);
    if (!all_finite(root)) {
        drop(root);
        return kit_err_set(err, KIT_ERR_PROTOCOL, "not JSON: a number that is none");
    }
    ret_json->root = root;
    return 0;
}

void kit_json_done(struct kit_json *json)
{
    if (json->root)
        drop(json->root);
    json->root = NULL;
}

const struct kit_json_node *kit_json_root(const struct kit_json *json)
{
    return outer(json->root);
}

bool kit_json_is_object(const struct kit_json_node *node)
{
    return kit_json_type(node) == KIT_JSON_OBJECT;
}

enum kit_json_type kit_json_type(const struct kit_json_node *node)
{
    int64_t value;

    if (!node)
        return KIT_JSON_NULL;
    switch (json_object_get_type(inner(node))) {
    case json_type_boolean: return KIT_JSON_BOOL;
    case json_type_double: return KIT_JSON_REAL;
    case json_type_int: return kit_json_int(node, &value) ? KIT_JSON_INT : KIT_JSON_REAL;
    case json_type_string: return KIT_JSON_STRING;
    case json_type_array: return KIT_JSON_ARRAY;
    case json_type_object: return KIT_JSON_OBJECT;
    default: return KIT_JSON_NULL;
    }
}

int kit_json_each(const struct kit_json_node *object, kit_json_member_fn fn, void *arg)
{
    if (kit_json_type(object) != KIT_JSON_OBJECT)
        return 0;
    json_object_object_foreach(inner(object), key, value)
    {
        int rc = fn(arg, key, outer(value));
        if (rc)
            return rc;
    }
    return 0;
}

const char *kit_json_bytes(const struct kit_json_node *node, size_t *ret_len_bytes)
{
    if (kit_json_type(node) != KIT_JSON_STRING)
        return NULL;
    *ret_len_bytes = (size_t)json_object_get_string_len(inner(node));
    return json_object_get_string(inner(node));
}

double kit_json_real(const struct kit_json_node *node)
{
    enum kit_json_type type = kit_json_type(node);

    return type == KIT_JSON_INT || type == KIT_JSON_REAL ? json_object_get_double(inner(node)) : 0;
}

const struct kit_json_node *kit_json_get(const struct kit_json_node *object, const char *key)
{
    json_object *value = NULL;

    if (!kit_json_is_object(object))
        return NULL;
    return json_object_object_get_ex(inner(object), key, &value) ? outer(value) : NULL;
}

size_t kit_json_count(const struct kit_json_node *array)
{
    if (!array || !json_object_is_type(inner(array), json_type_array))
        return 0;
    return json_object_array_length(inner(array));
}

const struct kit_json_node *kit_json_at(const struct kit_json_node *array, size_t index)
{
    if (index >= kit_json_count(array))
        return NULL;
    return outer(json_object_array_get_idx(inner(array), index));
}

const char *kit_json_string(const struct kit_json_node *node)
{
    const char *text;

    if (!node || !json_object_is_type(inner(node), json_type_string))
        return NULL;
    text = json_object_get_string(inner(node));
    return memchr(text, '\0', (size_t)json_object_get_string_len(inner(node))) ? NULL : text;
}

bool kit_json_int(const struct kit_json_node *node, int64_t *ret_value)
{
    const char *text = kit_json_string(node);
    int64_t value;

    if (text)
        return kit_str_to_int(text, INT64_MIN, INT64_MAX, ret_value);
    if (!node || !json_object_is_type(inner(node), json_type_int))
        return false;
    value = json_object_get_int64(inner(node));
    /* json-c answers with the nearest limit for what does not fit. */
    if (value == INT64_MIN || value == INT64_MAX)
        return false;
    *ret_value = value;
    return true;
}

bool kit_json_bool(const struct kit_json_node *node, bool *ret_value)
{
    const char *text = kit_json_string(node);
    bool value;

    if (text)
        value = kit_str_eq(text, "true");
    else if (node && json_object_is_type(inner(node), json_type_boolean))
        value = json_object_get_boolean(inner(node)) != 0;
    else
        return false;
    if (text && !value && !kit_str_eq(text, "false"))
        return false;
    *ret_value = value;
    return true;
}

/* ---- writing --------------------------------------------------------------------------------- */

static void new_line(struct kit_json_writer *w)
{
    if (!w->pretty)
        return;
    (void)kit_buf_putc(w->out, '\n');
    for (unsigned i = 0; i < w->depth; i++)
        (void)kit_buf_puts(w->out, "  ");
}

static void put_quoted(struct kit_buf *out, const char *text, size_t len_bytes)
{
    static const char named[] = "\"\\\b\f\n\r\t", letter[] = "\"\\bfnrt";
    const char *end = text + len_bytes, *hit;
    size_t len;

    (void)kit_buf_putc(out, '"');
    for (const char *c = text; c < end; c += len ? len : 1) {
        len = utf8_len(c, (size_t)(end - c));
        hit = *c ? strchr(named, *c) : NULL;
        if (len == 0)
            (void)kit_buf_puts(out, "\\ufffd");
        else if (hit)
            (void)kit_buf_printf(out, "\\%c", letter[hit - named]);
        else if ((unsigned char)*c < 0x20 || *c == 0x7f)
            (void)kit_buf_printf(out, "\\u%04x", (unsigned)*c);
        else
            (void)kit_buf_add(out, c, len);
    }
    (void)kit_buf_putc(out, '"');
}

static void begin(struct kit_json_writer *w, const char *key)
{
    if (w->started[w->depth])
        (void)kit_buf_putc(w->out, ',');
    if (w->depth > 0)
        new_line(w);
    w->started[w->depth] = true;
    if (key) {
        put_quoted(w->out, key, strlen(key));
        (void)kit_buf_puts(w->out, w->pretty ? ": " : ":");
    }
}

void kit_json_open(struct kit_json_writer *w, const char *key, char bracket)
{
    if (w->depth + 1 >= KIT_LEN(w->started)) {
        w->out->overflow = true; /* what comes out is no document: the writer's one check sees it */
        return;
    }
    begin(w, key);
    (void)kit_buf_putc(w->out, bracket);
    w->depth++;
    w->started[w->depth] = false;
    w->closer[w->depth] = bracket == '{' ? '}' : ']';
}

void kit_json_close(struct kit_json_writer *w)
{
    bool empty = !w->started[w->depth];
    char closer = w->closer[w->depth];

    if (w->depth == 0)
        return;
    w->depth--;
    if (!empty)
        new_line(w);
    (void)kit_buf_putc(w->out, closer);
}

void kit_json_put_string(struct kit_json_writer *w, const char *key, const char *value)
{
    if (value) {
        kit_json_put_bytes(w, key, value, strlen(value));
        return;
    }
    begin(w, key);
    (void)kit_buf_puts(w->out, "null");
}

void kit_json_put_bytes(struct kit_json_writer *w, const char *key, const char *data,
                        size_t len_bytes)
{
    begin(w, key);
    put_quoted(w->out, data, len_bytes);
}

void kit_json_put_real(struct kit_json_writer *w, const char *key, double value)
{
    char text[40];

    begin(w, key);
    if (!isfinite(value)) {
        (void)kit_buf_puts(w->out, "null");
        return;
    }
    /* 15 digits are what everybody writes (0.1); 17 are what every double needs. */
    (void)kit_str_format(text, sizeof(text), "%.15g", value);
    if (strtod(text, NULL) != value)
        (void)kit_str_format(text, sizeof(text), "%.17g", value);
    (void)kit_buf_puts(w->out, text);
    if (!strpbrk(text, ".e")) /* or it came back as an integer */
        (void)kit_buf_puts(w->out, ".0");
}

void kit_json_put_int(struct kit_json_writer *w, const char *key, int64_t value)
{
    begin(w, key);
    (void)kit_buf_printf(w->out, "%lld", (long long)value);
}

void kit_json_put_bool(struct kit_json_writer *w, const char *key, bool value)
{
    begin(w, key);
    (void)kit_buf_puts(w->out, value ? "true" : "false");
}
