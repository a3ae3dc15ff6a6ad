/* lua/klua_sandbox.c - the globals of a hook: what is on the lists below, and nothing can be put
 * there or taken away.
 *
 * The libraries are opened as they are, and what is listed is copied out of them: what a later Lua
 * adds is not in until somebody has thought about it. */
#include <string.h>

#include <lualib.h>

#include "kit/base/mem.h"
#include "lua/klua_in.h"

/* Not here: dofile load loadfile (code from elsewhere), collectgarbage, print and warn (they write
 * to descriptors that are not there), rawset (it would write to what is frozen). */
static const char *const base_names[] = {
    "assert", "error",  "getmetatable", "ipairs", "pcall",    "rawequal", "rawget",
    "rawlen", "select", "tonumber",     "type",   "tostring", "xpcall",   "_VERSION",
};
static const char *const table_names[] = {
    "concat", "insert", "move", "pack", "remove", "sort", "unpack",
};
/* Not here: dump, which makes bytecode. */
static const char *const string_names[] = {
    "byte",  "char", "find", "format",   "gmatch",  "gsub", "len",    "lower",
    "match", "pack", "rep",  "packsize", "reverse", "sub",  "unpack", "upper",
};
static const char *const math_names[] = {
    "abs", "ceil",       "cos", "deg",        "exp",  "floor", "fmod", "huge",   "log",
    "max", "maxinteger", "min", "mininteger", "modf", "pi",    "rad",  "random", "randomseed",
    "sin", "sqrt",       "tan", "tointeger",  "type", "ult",   "acos", "asin",   "atan",
};

static const char env_key[] = "klua.env";
/* In the metatable of what is frozen; its address is the key, and no Lua code can write it. */
static const char frozen_key;

/* ---- tables that cannot be written ----------------------------------------------------------- */

static int refuse_write(lua_State *L)
{
    if (lua_type(L, 2) == LUA_TSTRING)
        return luaL_error(L, "%s: globals, libraries and facts cannot be written (use local)",
                          lua_tostring(L, 2));
    return luaL_error(L, "globals, libraries and facts cannot be written (use local)");
}

bool klua_sandbox_thaw(lua_State *L, int index)
{
    if (!lua_istable(L, index) || !lua_getmetatable(L, index))
        return false;
    if (lua_rawgetp(L, -1, &frozen_key) != LUA_TTABLE) {
        lua_pop(L, 2);
        return false;
    }
    lua_replace(L, index);
    lua_pop(L, 1);
    return true;
}

/* next(), for frozen tables too. */
static int any_next(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 2);
    (void)klua_sandbox_thaw(L, 1);
    if (lua_next(L, 1))
        return 2;
    lua_pushnil(L);
    return 1;
}

/* Never the table behind: what pairs returns can be kept. */
static int frozen_pairs(lua_State *L)
{
    lua_pushcfunction(L, any_next);
    lua_pushvalue(L, 1);
    lua_pushnil(L);
    return 3;
}

static int frozen_len(lua_State *L)
{
    lua_settop(L, 1);
    (void)klua_sandbox_thaw(L, 1);
    lua_pushinteger(L, (lua_Integer)lua_rawlen(L, 1));
    return 1;
}

void klua_sandbox_freeze(lua_State *L)
{
    luaL_checkstack(L, 4, "freeze");
    lua_newtable(L);
    lua_createtable(L, 0, 6);
    lua_pushvalue(L, -3);
    lua_rawsetp(L, -2, &frozen_key);
    lua_pushvalue(L, -3);
    lua_setfield(L, -2, "__index");
    lua_pushcfunction(L, refuse_write);
    lua_setfield(L, -2, "__newindex");
    lua_pushcfunction(L, frozen_pairs);
    lua_setfield(L, -2, "__pairs");
    lua_pushcfunction(L, frozen_len);
    lua_setfield(L, -2, "__len");
    lua_pushliteral(L, "this table cannot be written");
    lua_setfield(L, -2, "__metatable");
    lua_setmetatable(L, -2);
    lua_remove(L, -2);
}

/* ---- base functions that differ -------------------------------------------------------------- */

/* A finalizer would run where no count hook looks.  Lua marks an object for it only here: a __gc
 * that is added later is never called. */
static int safe_setmetatable(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    luaL_argexpected(L, lua_isnoneornil(L, 2) || lua_istable(L, 2), 2, "nil or table");
    if (luaL_getmetafield(L, 1, "__metatable") != LUA_TNIL)
        return luaL_error(L, "this table's metatable cannot be changed");
    lua_settop(L, 2);
    if (lua_istable(L, 2)) {
        lua_pushliteral(L, "__gc");
        if (lua_rawget(L, 2) != LUA_TNIL)
            return luaL_error(L, "__gc is not for hooks");
        lua_pop(L, 1);
    }
    lua_setmetatable(L, 1);
    return 1;
}

/* pairs(): the library's, with our next. */
static int any_pairs(lua_State *L)
{
    luaL_checkany(L, 1);
    if (luaL_getmetafield(L, 1, "__pairs") != LUA_TNIL) {
        lua_pushvalue(L, 1);
        lua_call(L, 1, 3);
        return 3;
    }
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_pushcfunction(L, any_next);
    lua_pushvalue(L, 1);
    lua_pushnil(L);
    return 3;
}

/* ---- the globals ----------------------------------------------------------------------------- */

/* Opens a library and pushes it. */
static void push_library(lua_State *L, const char *name, lua_CFunction open)
{
    luaL_requiref(L, name, open, 0);
}

/* Copies what is listed from the table at the top to the one below it, and drops the first. */
static void copy_listed(lua_State *L, const char *const names[], size_t count)
{
    for (size_t i = 0; i < count; i++) {
        (void)lua_getfield(L, -1, names[i]);
        lua_setfield(L, -3, names[i]);
    }
    lua_pop(L, 1);
}

/* A frozen copy of a library, as a field of the table at the top. */
static void add_library(lua_State *L, const char *name, lua_CFunction open,
                        const char *const names[], size_t count)
{
    lua_newtable(L);
    push_library(L, name, open);
    copy_listed(L, names, count);
    klua_sandbox_freeze(L);
    lua_setfield(L, -2, name);
}

/* ("x"):rep(3) finds what `string` has, and nobody can change that. */
static void close_string_methods(lua_State *L)
{
    lua_pushliteral(L, "");
    if (lua_getmetatable(L, -1)) {
        (void)lua_getfield(L, -3, LUA_STRLIBNAME);
        lua_setfield(L, -2, "__index");
        lua_pushliteral(L, "strings have one metatable");
        lua_setfield(L, -2, "__metatable");
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
}

void klua_sandbox_env(lua_State *L)
{
    (void)lua_getfield(L, LUA_REGISTRYINDEX, env_key);
}

void klua_sandbox_open(lua_State *L)
{
    static const luaL_Reg own[] = {
        {"next", any_next},
        {"pairs", any_pairs},
        {"setmetatable", safe_setmetatable},
        {"require", klua_api_require},
        {NULL, NULL},
    };

    lua_newtable(L);
    push_library(L, LUA_GNAME, luaopen_base);
    copy_listed(L, base_names, KIT_LEN(base_names));
    luaL_setfuncs(L, own, 0);
    add_library(L, LUA_TABLIBNAME, luaopen_table, table_names, KIT_LEN(table_names));
    add_library(L, LUA_STRLIBNAME, luaopen_string, string_names, KIT_LEN(string_names));
    add_library(L, LUA_MATHLIBNAME, luaopen_math, math_names, KIT_LEN(math_names));
    close_string_methods(L);
    lua_newtable(L);
    klua_api_open(L);
    klua_reach_open(L);
    klua_sandbox_freeze(L);
    lua_setfield(L, -2, "cloudvip");
    lua_pushvalue(L, -1);
    klua_sandbox_freeze(L);
    lua_pushvalue(L, -1);
    lua_setfield(L, LUA_REGISTRYINDEX, env_key);
    lua_setfield(L, -2, "_G");
    lua_pop(L, 1);
}

void klua_sandbox_load(lua_State *L, const char *text, size_t len_bytes, const char *name)
{
    /* A byte order mark of UTF-8, which some editors write; `lua` passes it over, too. */
    static const char mark[] = "\xef\xbb\xbf";
    size_t mark_bytes = sizeof(mark) - 1;

    if (len_bytes >= mark_bytes && memcmp(text, mark, mark_bytes) == 0) {
        text += mark_bytes;
        len_bytes -= mark_bytes;
    }
    lua_pushfstring(L, "=%s", name);
    if (luaL_loadbufferx(L, text, len_bytes, lua_tostring(L, -1), "t") != LUA_OK)
        (void)lua_error(L);
    lua_remove(L, -2);
    klua_sandbox_env(L);
    if (!lua_setupvalue(L, -2, 1)) /* the chunk's one upvalue: _ENV */
        lua_pop(L, 1);
}
