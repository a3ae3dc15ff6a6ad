/* tests/unit/lua_run.h - a hook's text run as an action would run it. */
#ifndef TESTS_UNIT_LUA_RUN_H
#define TESTS_UNIT_LUA_RUN_H

#include <string.h>

#include "kit/base/mem.h"
#include "lua/klua.h"

#define FACTS                                                                                      \
    "{\"tag\":\"vip1\",\"me\":\"eni-1\",\"in_service\":true,\"deadline_ms\":1500,"                 \
    "\"bindings\":[{\"place\":\"rtb-1\",\"mine\":false},{\"place\":\"rtb-2\",\"mine\":true}]}"

/* Runs the file `text` at point pre_restore; the answer is the caller's to end. */
static inline int run_file(const char *text, int64_t time_ms, const struct klua_grants *grants,
                           struct klua_answer *answer, struct kit_err *err)
{
    static const struct klua_grants nothing = {0};
    const struct klua_job job = {.name = "x.lua",
                                 .source = text,
                                 .source_bytes = strlen(text),
                                 .point = "pre_restore",
                                 .facts = FACTS,
                                 .facts_bytes = strlen(FACTS),
                                 .grants = grants ? grants : &nothing,
                                 .clock = &kit_clock_real,
                                 .time_ms = time_ms,
                                 .heap_bytes = KLUA_HEAP_BYTES};

    return klua_run(&job, answer, err);
}

/* The body of a function pre_restore(facts); the text is to be freed. */
static inline char *as_file(const char *body)
{
    KIT_AUTO(kit_buf) text = KIT_BUF(1u << 20);

    (void)kit_buf_puts(&text, "return { pre_restore = function(facts)\n");
    (void)kit_buf_puts(&text, body);
    (void)kit_buf_puts(&text, "\nend }\n");
    return kit_buf_take(&text);
}

#endif
