/* lua/klua_api.c - `cloudvip.…` for hooks, as far as it leaves the process alone: log, json, env,
 * time, sleep; and require. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "kit/base/mem.h"
#include "kit/base/str.h"
#include "kit/sys/file.h"
#include "lua/klua_in.h"

/* Of one document that is read or written. */
#define JSON_BYTES        (256u * 1024)
#define MODULE_NAME_BYTES 64

/* ---- log ------------------------------------------------------------------------------------- */

/* log([level,] text) */
static int api_log(lua_State *L)
{
    static const char *const levels[] = {"info", "warn", "error", NULL};
    struct klua_child *child = klua_child_of(L);
    int level = lua_gettop(L) > 1 ? luaL_checkoption(L, 1, NULL, levels) : KLUA_INFO;
    size_t len_bytes;
    const char *text = luaL_tolstring(L, lua_gettop(L) > 1 ? 2 : 1, &len_bytes);

    struct kit_buf *line = klua_value_new_buf(L, 8u * KLUA_LINE_BYTES);
    struct kit_json_writer w = {.out = line};
    kit_json_open(&w, NULL, '{');
    kit_json_put_string(&w, "log", klua_level_name((enum klua_level)level));
    if (len_bytes > KLUA_LINE_BYTES)
        len_bytes = KLUA_LINE_BYTES;
    kit_json_put_bytes(&w, "text", text, strnlen(text, len_bytes));
    kit_json_close(&w);
    (void)kit_buf_putc(line, '\n');
    klua_child_log(child, line);
    kit_buf_done(line);
    return 0;
}

/* ---- json ------------------------------------------------------------------------------------ */

/* json.decode(text): a value, or nil and why not */
static int json_decode(lua_State *L)
{
    size_t len_bytes;
    const char *text = luaL_checklstring(L, 1, &len_bytes);
    struct kit_json *json = klua_value_new_json(L);
    struct kit_err err;

    if (len_bytes > JSON_BYTES)
        (void)kit_err_set(&err, KIT_ERR_PROTOCOL, "more than %u bytes", JSON_BYTES);
    if (len_bytes > JSON_BYTES || kit_json_parse(text, len_bytes, json, &err)) {
        lua_pushnil(L);
        lua_pushstring(L, err.msg);
        return 2;
    }
    klua_value_push(L, kit_json_root(json), KLUA_PLAIN);
    kit_json_done(json);
    return 1;
}

/* json.encode(value): text; raises what cannot be JSON */
static int json_encode(lua_State *L)
{
    struct kit_buf *text;
    struct kit_json_writer w = {0};

    luaL_checkany(L, 1);
    text = klua_value_new_buf(L, JSON_BYTES);
    w.out = text;
    klua_value_write(L, 1, NULL, &w);
    lua_pushlstring(L, text->data, text->len_bytes);
    kit_buf_done(text);
    return 1;
}

/* json.array(table): the same table, an array even when it is empty */
static int json_array(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    if (lua_getmetatable(L, 1))
        return luaL_error(L, "json.array: the table has a metatable");
    lua_settop(L, 1);
    klua_value_mark_array(L);
    return 1;
}

/* ---- environment and time -------------------------------------------------------------------- */

/* env(name): a string, or nil */
static int api_env(lua_State *L)
{
    const char *name = luaL_checkstring(L, 1);
    char *const *allowed = klua_child_of(L)->job->grants->env;

    for (; allowed && *allowed; allowed++) {
        if (!kit_str_eq(*allowed, name))
            continue;
        lua_pushstring(L, getenv(name));
        return 1;
    }
    return luaL_error(L, "env: %s is not among hook_env", name);
}

static void set_int(lua_State *L, const char *name, int64_t value)
{
    lua_pushinteger(L, value);
    lua_setfield(L, -2, name);
}

/* time(["utc"]): now, taken apart; local time as TZ has it unless UTC is asked for */
static int api_time(lua_State *L)
{
    static const char *const zones[] = {"local", "utc", NULL};
    bool utc = luaL_checkoption(L, 1, "local", zones) == 1;
    int64_t now_ns = kit_clock_wall_ns(klua_child_of(L)->job->clock);
    time_t now_s = (time_t)(now_ns / KIT_NS_PER_S);
    char text[40];
    struct tm tm;

    if (!(utc ? gmtime_r(&now_s, &tm) : localtime_r(&now_s, &tm)))
        return luaL_error(L, "time: the clock is out of range");
    lua_createtable(L, 0, 12);
    set_int(L, "unix", now_s);
    set_int(L, "ms", now_ns / KIT_NS_PER_MS % 1000);
    set_int(L, "year", tm.tm_year + INT64_C(1900));
    set_int(L, "month", tm.tm_mon + INT64_C(1));
    set_int(L, "day", tm.tm_mday);
    set_int(L, "hour", tm.tm_hour);
    set_int(L, "min", tm.tm_min);
    set_int(L, "sec", tm.tm_sec);
    set_int(L, "weekday", tm.tm_wday ? tm.tm_wday : 7); /* ISO 8601: Monday is 1, Sunday 7 */
    set_int(L, "yearday", tm.tm_yday + INT64_C(1));
    set_int(L, "offset_s", tm.tm_gmtoff);
    if (strftime(text, sizeof(text), utc ? "%Y-%m-%dT%H:%M:%SZ" : "%Y-%m-%dT%H:%M:%S%z", &tm) == 0)
        text[0] = '\0';
    lua_pushstring(L, text);
    lua_setfield(L, -2, "iso");
    return 1;
}

/* left_ms(): how much of its time the hook has left */
static int api_left_ms(lua_State *L)
{
    lua_pushinteger(L, klua_child_left_ms(klua_child_of(L)));
    return 1;
}

/* sleep(ms): raises an error where the hook's time ends */
static int api_sleep(lua_State *L)
{
    const struct klua_child *child = klua_child_of(L);
    const struct kit_clock *clock = child->job->clock;
    int64_t ms = luaL_checkinteger(L, 1), left_ms = klua_child_left_ms(child);

    if (ms > left_ms)
        ms = left_ms;
    if (ms > 0)
        clock->sleep_ns(clock->self, ms * KIT_NS_PER_MS);
    if (klua_child_left_ms(child) == 0)
        return luaL_error(L, "sleep: the hook's time limit is over");
    return 0;
}

/* ---- modules --------------------------------------------------------------------------------- */

/* Appends the module's text and pushes nothing; raises when there is none, or none to be trusted.
 */
static void read_module(lua_State *L, const char *name, struct kit_buf *text)
{
    const char *const *dir = klua_child_of(L)->job->grants->lib_dirs;
    char path[4096];
    struct kit_err err;

    for (; dir && *dir; dir++) {
        if (!kit_str_format(path, sizeof(path), "%s/%s.lua", *dir, name))
            continue;
        if (!kit_file_check_dir(*dir, &err) && !kit_file_read(path, KIT_FILE_TRUSTED, text, &err))
            return;
        if (err.kind != KIT_ERR_NOT_FOUND)
            (void)luaL_error(L, "require: %s", err.msg);
    }
    (void)luaL_error(L, "require: there is no module %s", name);
}

/* require(name): what the file hook_dir/lib/NAME.lua returns, or the one of those that are shipped
 */
int klua_api_require(lua_State *L)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789_";
    const char *name = luaL_checkstring(L, 1);
    struct kit_buf *text;

    if (strlen(name) > MODULE_NAME_BYTES || name[strspn(name, letters)] || !name[0])
        return luaL_error(L, "require: a module's name is made of a-z, 0-9 and _");
    lua_settop(L, 1);
    luaL_getsubtable(L, LUA_REGISTRYINDEX, "klua.modules");
    if (lua_getfield(L, 2, name) != LUA_TNIL) {
        if (lua_islightuserdata(L, -1))
            return luaL_error(L, "require: %s requires itself", name);
        return 1;
    }
    lua_pushlightuserdata(L, NULL);
    lua_setfield(L, 2, name);
    text = klua_value_new_buf(L, KLUA_SOURCE_BYTES);
    read_module(L, name, text);
    lua_pushfstring(L, "lib/%s.lua", name);
    klua_sandbox_load(L, text->data, text->len_bytes, lua_tostring(L, -1));
    kit_buf_done(text);
    lua_call(L, 0, 1);
    if (lua_isnil(L, -1)) {
        lua_pop(L, 1);
        lua_pushboolean(L, 1);
    }
    lua_pushvalue(L, -1);
    lua_setfield(L, 2, name);
    return 1;
}

/* ---- all of it ------------------------------------------------------------------------------- */

static void push_facts(lua_State *L, const struct klua_job *job)
{
    struct kit_json *json = klua_value_new_json(L);
    struct kit_err err;

    if (kit_json_parse(job->facts, job->facts_bytes, json, &err))
        (void)luaL_error(L, "the facts: %s", err.msg);
    klua_value_push(L, kit_json_root(json), KLUA_FROZEN);
    kit_json_done(json);
    lua_remove(L, -2);
    lua_pushvalue(L, -1);
    lua_setfield(L, LUA_REGISTRYINDEX, "klua.facts");
}

void klua_api_open(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"log", api_log},         {"env", api_env},     {"time", api_time},
        {"left_ms", api_left_ms}, {"sleep", api_sleep}, {NULL, NULL},
    };
    static const luaL_Reg json[] = {
        {"decode", json_decode}, {"encode", json_encode}, {"array", json_array}, {NULL, NULL}};

    luaL_setfuncs(L, functions, 0);
    push_facts(L, klua_child_of(L)->job);
    lua_setfield(L, -2, "facts");
    lua_newtable(L);
    luaL_setfuncs(L, json, 0);
    lua_pushlightuserdata(L, NULL);
    lua_setfield(L, -2, "null");
    klua_sandbox_freeze(L);
    lua_setfield(L, -2, "json");
}
