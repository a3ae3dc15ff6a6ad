/* lua/klua_answer.c - what a child wrote: lines of JSON, as if a stranger had written them.
 *
 *   {"log":"warn","text":"the peer still answers"}
 *   {"end":"value","defined":true,"value":false,"why":"maintenance","heap":31337,"dropped":0}
 *   {"end":"error","why":"10-x.lua:3: attempt to index a nil value","heap":31337,"dropped":0}
 *
 * Log lines come as they are said, so that those of a child that had to be killed are kept; nothing
 * comes after the end. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "kit/base/mem.h"
#include "kit/base/str.h"
#include "lua/klua.h"

static const char *const level_names[] = {"info", "warn", "error"};

const char *klua_level_name(enum klua_level level)
{
    return level_names[level];
}

void klua_answer_done(struct klua_answer *answer)
{
    for (size_t i = 0; i < answer->lines; i++)
        free(answer->line[i].text);
    kit_json_done(&answer->end);
    memset(answer, 0, sizeof(*answer));
}

static int nonsense(struct kit_err *err, const char *what)
{
    (void)kit_err_set(err, KIT_ERR_HOOK, "its answer makes no sense: %s", what);
    err->sys = EPROTO;
    return -1;
}

static int take_line(const struct kit_json_node *root, struct klua_answer *answer,
                     struct kit_err *err)
{
    const char *level = kit_json_string(kit_json_get(root, "log"));
    const char *text = kit_json_string(kit_json_get(root, "text"));
    struct klua_line *line = &answer->line[answer->lines];
    char shown[KLUA_LINE_BYTES + 1];

    if (!text || answer->lines == KLUA_LINES)
        return nonsense(err, "a log line");
    for (size_t i = 0; i < KIT_LEN(level_names); i++) {
        if (!kit_str_eq(level, level_names[i]))
            continue;
        (void)kit_str_copy(shown, sizeof(shown), text);
        kit_str_make_printable(shown);
        *line = (struct klua_line){.level = (enum klua_level)i, .text = kit_mem_strdup(shown)};
        answer->lines++;
        return 0;
    }
    return nonsense(err, "a log level");
}

/* The last line. */
static int take_end(const struct kit_json_node *root, struct klua_answer *answer,
                    struct kit_err *err)
{
    const char *end = kit_json_string(kit_json_get(root, "end"));
    const char *why = kit_json_string(kit_json_get(root, "why"));
    int64_t heap_bytes = 0, dropped = 0;

    if (!kit_json_int(kit_json_get(root, "heap"), &heap_bytes) || heap_bytes < 0 ||
        !kit_json_int(kit_json_get(root, "dropped"), &dropped) || dropped < 0)
        return nonsense(err, "its costs");
    answer->heap_bytes = (size_t)heap_bytes;
    answer->dropped = dropped > UINT_MAX ? UINT_MAX : (unsigned)dropped;
    (void)kit_str_copy(answer->why, sizeof(answer->why), why ? why : "");
    kit_str_make_printable(answer->why);
    if (kit_str_eq(end, "error"))
        return kit_err_set(err, KIT_ERR_HOOK, "%s",
                           answer->why[0] ? answer->why : "an error without a message");
    if (!kit_str_eq(end, "value") ||
        !kit_json_bool(kit_json_get(root, "defined"), &answer->defined))
        return nonsense(err, "its end");
    answer->value = kit_json_get(root, "value");
    answer->names = kit_json_get(root, "names");
    return 0;
}

int klua_answer_read(const char *bytes, size_t len_bytes, struct klua_answer *answer,
                     struct kit_err *err)
{
    while (len_bytes > 0) {
        const char *line_end = memchr(bytes, '\n', len_bytes);
        size_t line_bytes = line_end ? (size_t)(line_end - bytes) : len_bytes;
        KIT_AUTO(kit_json) json = {0};
        const struct kit_json_node *root;
        struct kit_err why;

        if (!line_end)
            return nonsense(err, "it broke off");
        if (kit_json_parse(bytes, line_bytes, &json, &why))
            return nonsense(err, why.msg);
        bytes += line_bytes + 1;
        len_bytes -= line_bytes + 1;
        root = kit_json_root(&json);
        if (kit_json_get(root, "log")) {
            if (take_line(root, answer, err))
                return -1;
            continue;
        }
        if (len_bytes)
            return nonsense(err, "it goes on behind its end");
        answer->end = json;
        json.root = NULL;
        return take_end(root, answer, err);
    }
    return nonsense(err, "it ended without one");
}
