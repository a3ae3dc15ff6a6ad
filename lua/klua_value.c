/* lua/klua_value.c - JSON to Lua values and back. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kit/base/mem.h"
#include "lua/klua_in.h"

/* A table of more members is no document of ours, and sorting it takes its time. */
#define MEMBERS_MAX 20000

static const char array_name[] = "klua.array", buf_name[] = "klua.buf", json_name[] = "klua.json";

/* ---- what outlives an error ------------------------------------------------------------------ */

static int free_buf(lua_State *L)
{
    kit_buf_done(luaL_checkudata(L, 1, buf_name));
    return 0;
}

static int free_json(lua_State *L)
{
    kit_json_done(luaL_checkudata(L, 1, json_name));
    return 0;
}

/* Ours alone: no Lua code can reach a userdata of the room. */
static void set_free(lua_State *L, const char *name, lua_CFunction free_it)
{
    if (luaL_newmetatable(L, name)) {
        lua_pushcfunction(L, free_it);
        lua_setfield(L, -2, "__gc");
    }
    lua_setmetatable(L, -2);
}

struct kit_buf *klua_value_new_buf(lua_State *L, size_t max_bytes)
{
    struct kit_buf *buf = lua_newuserdatauv(L, sizeof(*buf), 0);

    *buf = KIT_BUF(max_bytes);
    set_free(L, buf_name, free_buf);
    return buf;
}

struct kit_json *klua_value_new_json(lua_State *L)
{
    struct kit_json *json = lua_newuserdatauv(L, sizeof(*json), 0);

    json->root = NULL;
    set_free(L, json_name, free_json);
    return json;
}

void klua_value_mark_array(lua_State *L)
{
    if (luaL_newmetatable(L, array_name)) {
        lua_pushliteral(L, "array");
        lua_setfield(L, -2, "__metatable");
    }
    lua_setmetatable(L, -2);
}

/* ---- JSON to Lua ----------------------------------------------------------------------------- */

struct push {
    lua_State *L;
    enum klua_taste taste;
};

static int push_member(void *arg, const char *key, const struct kit_json_node *value)
{
    struct push *push = arg;

    if (kit_json_type(value) == KIT_JSON_NULL)
        return 0;
    klua_value_push(push->L, value, push->taste);
    lua_setfield(push->L, -2, key);
    return 0;
}

static void push_array(lua_State *L, const struct kit_json_node *node, enum klua_taste taste)
{
    size_t count = kit_json_count(node);

    lua_createtable(L, count > INT32_MAX ? INT32_MAX : (int)count, 0);
    klua_value_mark_array(L);
    for (size_t i = 0; i < count; i++) {
        const struct kit_json_node *item = kit_json_at(node, i);

        if (item)
            klua_value_push(L, item, taste);
        else
            lua_pushlightuserdata(L, NULL);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
}

void klua_value_push(lua_State *L, const struct kit_json_node *node, enum klua_taste taste)
{
    struct push push = {.L = L, .taste = taste};
    const char *text;
    int64_t number = 0;
    size_t len_bytes = 0;
    bool truth = false;

    luaL_checkstack(L, 8, "a document");
    switch (kit_json_type(node)) {
    case KIT_JSON_NULL: lua_pushnil(L); return;
    case KIT_JSON_BOOL:
        (void)kit_json_bool(node, &truth);
        lua_pushboolean(L, truth);
        return;
    case KIT_JSON_INT:
        (void)kit_json_int(node, &number);
        lua_pushinteger(L, number);
        return;
    case KIT_JSON_REAL: lua_pushnumber(L, kit_json_real(node)); return;
    case KIT_JSON_STRING:
        text = kit_json_bytes(node, &len_bytes);
        lua_pushlstring(L, text, len_bytes);
        return;
    case KIT_JSON_ARRAY: push_array(L, node, taste); break;
    case KIT_JSON_OBJECT:
        lua_newtable(L);
        (void)kit_json_each(node, push_member, &push);
        break;
    }
    if (taste == KLUA_FROZEN)
        klua_sandbox_freeze(L);
}

/* ---- Lua to JSON ----------------------------------------------------------------------------- */

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void write_value(lua_State *L, const char *key, struct kit_json_writer *w);

static bool is_marked(lua_State *L)
{
    bool marked = false;

    if (!lua_getmetatable(L, -1))
        return false;
    if (luaL_getmetatable(L, array_name) == LUA_TTABLE)
        marked = lua_rawequal(L, -1, -2) != 0;
    lua_pop(L, 2);
    return marked;
}

/* How many members the table at the top has; *ret_names: of those, how many under a name. */
static size_t count_members(lua_State *L, size_t *ret_names)
{
    size_t count = 0, names = 0;

    lua_pushnil(L);
    while (lua_next(L, -2)) {
        lua_pop(L, 1);
        count++;
        names += lua_type(L, -1) == LUA_TSTRING;
        if (count > MEMBERS_MAX)
            (void)luaL_error(L, "a table of more than %d members is not for JSON", MEMBERS_MAX);
    }
    *ret_names = names;
    return count;
}

static void write_array(lua_State *L, const char *key, struct kit_json_writer *w)
{
    size_t count = lua_rawlen(L, -1);

    kit_json_open(w, key, '[');
    for (size_t i = 1; i <= count; i++) {
        (void)lua_rawgeti(L, -1, (lua_Integer)i);
        write_value(L, NULL, w);
        lua_pop(L, 1);
    }
    kit_json_close(w);
}

/* Members in the order of their names: the same table is the same text. */
static void write_object(lua_State *L, const char *key, size_t count, struct kit_json_writer *w)
{
    const char **name = lua_newuserdatauv(L, (count + 1) * sizeof(*name), 0);
    size_t n = 0, len_bytes;

    lua_pushnil(L);
    while (lua_next(L, -3)) {
        lua_pop(L, 1);
        if (n == count)
            continue;
        name[n] = lua_tolstring(L, -1, &len_bytes); /* it lives as long as the table */
        if (strlen(name[n++]) != len_bytes)
            (void)luaL_error(L, "a name with a NUL byte is not for JSON");
    }
    qsort(name, n, sizeof(*name), by_name);
    kit_json_open(w, key, '{');
    for (size_t i = 0; i < n; i++) {
        lua_pushstring(L, name[i]);
        (void)lua_rawget(L, -3);
        write_value(L, name[i], w);
        lua_pop(L, 1);
    }
    kit_json_close(w);
    lua_pop(L, 1);
}

static void write_table(lua_State *L, const char *key, struct kit_json_writer *w)
{
    size_t names, count;

    if (w->depth >= KLUA_DEPTH)
        (void)luaL_error(L, "a table nested deeper than %d, or in itself, is not for JSON",
                         KLUA_DEPTH);
    (void)klua_sandbox_thaw(L, lua_gettop(L));
    count = count_members(L, &names);
    if (is_marked(L) ? count == lua_rawlen(L, -1) : count && !names && count == lua_rawlen(L, -1))
        write_array(L, key, w);
    else if (names == count && !is_marked(L))
        write_object(L, key, count, w);
    else
        (void)luaL_error(L, "a table is an array without holes or has names only, or it is not "
                            "for JSON");
}

/* The value at the top. */
static void write_value(lua_State *L, const char *key, struct kit_json_writer *w)
{
    const char *text;
    size_t len_bytes;

    luaL_checkstack(L, 8, "a document");
    switch (lua_type(L, -1)) {
    case LUA_TNIL: kit_json_put_string(w, key, NULL); return;
    case LUA_TBOOLEAN: kit_json_put_bool(w, key, lua_toboolean(L, -1) != 0); return;
    case LUA_TNUMBER:
        if (lua_isinteger(L, -1))
            kit_json_put_int(w, key, lua_tointeger(L, -1));
        else if (isfinite(lua_tonumber(L, -1)))
            kit_json_put_real(w, key, lua_tonumber(L, -1));
        else
            (void)luaL_error(L, "a number that is not finite is not for JSON");
        return;
    case LUA_TSTRING:
        text = lua_tolstring(L, -1, &len_bytes);
        kit_json_put_bytes(w, key, text, len_bytes);
        return;
    case LUA_TLIGHTUSERDATA: kit_json_put_string(w, key, NULL); return; /* json.null */
    case LUA_TTABLE:
        lua_pushvalue(L, -1);
        write_table(L, key, w);
        lua_pop(L, 1);
        return;
    default: (void)luaL_error(L, "a %s is not for JSON", luaL_typename(L, -1));
    }
}

void klua_value_write(lua_State *L, int index, const char *key, struct kit_json_writer *w)
{
    lua_pushvalue(L, index);
    write_value(L, key, w);
    lua_pop(L, 1);
    if (w->out->overflow)
        (void)luaL_error(L, "more than %d bytes of JSON", (int)w->out->max_bytes);
}
