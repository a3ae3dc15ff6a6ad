/* tests/fuzz/hook_facts.c - facts on their way into Lua and out of it again: what can be told twice
 * is told alike. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "kit/base/mem.h"
#include "kit/base/str.h"
#include "lua/klua_in.h"

#define TEXT_BYTES (1u << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* (what it is read from, where it is written to, how its tables are made) */
static int copy(lua_State *L)
{
    const struct kit_buf *in = lua_touserdata(L, 1);
    struct kit_json_writer w = {.out = lua_touserdata(L, 2)};
    struct kit_json *json = klua_value_new_json(L);
    struct kit_err err;

    if (kit_json_parse(in->data, in->len_bytes, json, &err))
        return luaL_error(L, "%s", err.msg);
    klua_value_push(L, kit_json_root(json), lua_toboolean(L, 3) ? KLUA_FROZEN : KLUA_PLAIN);
    klua_value_write(L, -1, NULL, &w);
    return 0;
}

static bool copied(lua_State *L, struct kit_buf *in, struct kit_buf *out, bool frozen)
{
    bool well;

    kit_buf_reset(out);
    lua_pushcfunction(L, copy);
    lua_pushlightuserdata(L, in);
    lua_pushlightuserdata(L, out);
    lua_pushboolean(L, frozen);
    well = lua_pcall(L, 3, 0, 0) == LUA_OK;
    lua_settop(L, 0);
    return well;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct klua_grants nothing = {0};
    const struct klua_job job = {.facts = "{}",
                                 .facts_bytes = 2,
                                 .grants = &nothing,
                                 .clock = &kit_clock_real,
                                 .heap_bytes = KLUA_HEAP_BYTES};
    struct klua_child child = {.job = &job, .stop_ns = INT64_MAX};
    KIT_AUTO(kit_buf) in = KIT_BUF(TEXT_BYTES);
    KIT_AUTO(kit_buf) once = KIT_BUF(TEXT_BYTES);
    KIT_AUTO(kit_buf) twice = KIT_BUF(TEXT_BYTES);
    KIT_AUTO(kit_buf) frozen = KIT_BUF(TEXT_BYTES);
    char why[256];
    lua_State *L = klua_child_open(&child, why, sizeof(why));

    if (!L)
        abort();
    (void)kit_buf_add(&in, data, size);
    if (copied(L, &in, &once, false)) {
        /* Members that are null are gone after the first time; from there on nothing changes. */
        if (!copied(L, &once, &twice, false) || !kit_str_eq(once.data, twice.data))
            abort();
        if (!copied(L, &in, &frozen, true) || !kit_str_eq(once.data, frozen.data))
            abort();
    }
    lua_close(L);
    if (child.used_bytes != 0)
        abort();
    return 0;
}
