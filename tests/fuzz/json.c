/* Any bytes: parsed or refused; what was parsed is written, and what was written is JSON again. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "kit/fmt/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Every question of every node, with the keys that the corpus uses. */
static void walk(const struct kit_json_node *node, struct kit_json_writer *w, const char *key)
{
    static const char *const keys[] = {"a", "b", "Code", "Token"};
    int64_t number;
    bool truth;

    if (kit_json_string(node)) {
        kit_json_put_string(w, key, kit_json_string(node));
    } else if (kit_json_int(node, &number)) {
        kit_json_put_int(w, key, number);
    } else if (kit_json_bool(node, &truth)) {
        kit_json_put_bool(w, key, truth);
    } else if (w->depth < 15) {
        size_t count = kit_json_count(node);
        kit_json_open(w, key, count ? '[' : '{');
        for (size_t i = 0; i < count; i++)
            walk(kit_json_at(node, i), w, NULL);
        for (size_t i = 0; !count && i < KIT_LEN(keys); i++)
            if (kit_json_get(node, keys[i]))
                walk(kit_json_get(node, keys[i]), w, keys[i]);
        kit_json_close(w);
    } else {
        kit_json_put_string(w, key, NULL);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct kit_json json = {0}, again = {0};
    struct kit_buf out = KIT_BUF(1u << 20);
    struct kit_json_writer w = {.out = &out, .pretty = size % 2 != 0};
    struct kit_err err;

    if (kit_json_parse((const char *)data, size, &json, &err) == 0) {
        walk(kit_json_root(&json), &w, NULL);
        if (!out.overflow && kit_json_parse(out.data, out.len_bytes, &again, &err) < 0)
            abort();
        kit_json_done(&again);
    }
    kit_json_done(&json);
    kit_buf_done(&out);
    return 0;
}
