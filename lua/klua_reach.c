/* lua/klua_reach.c - where a hook reaches out of its process: cloudvip.http and cloudvip.exec, each
 * only as far as it was granted, and never past the hook's time. */
#include <stdlib.h>
#include <string.h>

#include "kit/base/mem.h"
#include "kit/base/str.h"
#include "kit/fmt/uri.h"
#include "kit/net/http.h"
#include "kit/sys/file.h"
#include "kit/sys/proc.h"
#include "lua/klua_in.h"

#define REACH_MS     5000 /* of one request or program, where the hook does not say */
#define BODY_BYTES   (256u * 1024)
#define OUTPUT_BYTES (64u * 1024)
#define ARGS         64
#define ARGS_BYTES   (32u * 1024)

/* A field of the table at index 1 as a string, or NULL; `kept` in the stack until the call returns.
 */
static const char *text_field(lua_State *L, const char *name)
{
    const char *text;
    size_t len_bytes;

    luaL_checkstack(L, 2, "fields");
    if (lua_getfield(L, 1, name) == LUA_TNIL)
        return NULL;
    text = lua_tolstring(L, -1, &len_bytes);
    if (!text || strlen(text) != len_bytes)
        (void)luaL_error(L, "%s: want text without NUL bytes", name);
    return text;
}

static int64_t time_field(lua_State *L)
{
    int64_t left_ms = klua_child_left_ms(klua_child_of(L)), ms = REACH_MS;
    int is_number = 1;

    if (lua_getfield(L, 1, "timeout_ms") != LUA_TNIL)
        ms = lua_tointegerx(L, -1, &is_number);
    if (!is_number || ms <= 0)
        (void)luaL_error(L, "timeout_ms: want a positive number of milliseconds");
    lua_pop(L, 1);
    return ms < left_ms ? ms : left_ms;
}

/* nil and why */
static int failed(lua_State *L, const struct kit_err *err)
{
    lua_pushnil(L);
    lua_pushstring(L, err->msg);
    return 2;
}

/* ---- http ------------------------------------------------------------------------------------ */

/* One request; freed by its __gc when an error is raised on the way. */
struct request {
    struct kit_http_request req;
    struct kit_transport net;
    struct kit_http_response resp;
};

static void close_request(struct request *r)
{
    kit_http_request_done(&r->req);
    kit_http_response_done(&r->resp);
    kit_http_close(&r->net);
}

static int request_gc(lua_State *L)
{
    close_request(luaL_checkudata(L, 1, "klua.request"));
    return 0;
}

static struct request *new_request(lua_State *L, const char *method)
{
    struct request *r = lua_newuserdatauv(L, sizeof(*r), 0);

    *r = (struct request){.resp = {.body = KIT_BUF(0)}};
    kit_http_request_init(&r->req, method);
    if (luaL_newmetatable(L, "klua.request")) {
        lua_pushcfunction(L, request_gc);
        lua_setfield(L, -2, "__gc");
    }
    lua_setmetatable(L, -2);
    return r;
}

/* "host", "host:port", "[v6]:port"; without a port the scheme's own is meant. */
static bool is_granted(const struct kit_url *url, const char *entry)
{
    bool v6 = strchr(url->host, ':') != NULL;
    int scheme_port = kit_str_eq(url->scheme, "https") ? 443 : 80;
    int port = url->port ? url->port : scheme_port;
    KIT_AUTO(kit_buf) host = KIT_BUF(300);

    (void)kit_buf_printf(&host, v6 ? "[%s]" : "%s", url->host);
    if (port == scheme_port && kit_str_eq_nocase(entry, host.data))
        return true;
    (void)kit_buf_printf(&host, ":%d", port);
    return kit_str_eq_nocase(entry, host.data);
}

static void check_host(lua_State *L, const char *text)
{
    char *const *entry = klua_child_of(L)->job->grants->hosts;
    char base[2048];
    struct kit_url url;
    struct kit_err err;

    (void)kit_str_copy(base, sizeof(base), text);
    base[strcspn(base, "?")] = '\0';
    if (kit_url_parse(base, &url, &err))
        (void)luaL_error(L, "http: %s", err.msg);
    for (; entry && *entry; entry++)
        if (is_granted(&url, *entry))
            return;
    if (url.port)
        (void)luaL_error(L, "http: %s:%d is not among hook_hosts", url.host, url.port);
    (void)luaL_error(L, "http: %s is not among hook_hosts", url.host);
}

static const char *check_method(lua_State *L)
{
    static const char *const methods[] = {"GET", "POST", "PUT", "PATCH", "DELETE"};
    const char *method = text_field(L, "method");

    for (size_t i = 0; i < KIT_LEN(methods); i++)
        if (!method || kit_str_eq(method, methods[i]))
            return methods[i];
    (void)luaL_error(L, "http: method %s: want GET, POST, PUT, PATCH or DELETE", method);
    return NULL;
}

/* Where the message goes and where it ends is not the hook's to say: a Host of another server
 * behind the same address would get round hook_hosts. */
static void check_header(lua_State *L, const char *name)
{
    static const char *const ours[] = {"Host",
                                       "Content-Length",
                                       "Transfer-Encoding",
                                       "Connection",
                                       "Keep-Alive",
                                       "Upgrade",
                                       "Expect",
                                       "TE",
                                       "Trailer",
                                       "Proxy-Connection",
                                       "Proxy-Authorization"};

    for (size_t i = 0; i < KIT_LEN(ours); i++)
        if (kit_str_eq_nocase(name, ours[i]))
            (void)luaL_error(L, "http: header %s: a hook cannot set it", ours[i]);
}

static void take_headers(lua_State *L, struct kit_http_request *req)
{
    const char *value;
    size_t len_bytes;
    struct kit_err err;

    if (lua_getfield(L, 1, "headers") == LUA_TNIL)
        return;
    luaL_argexpected(L, lua_istable(L, -1), 1, "a table of headers");
    lua_pushnil(L);
    while (lua_next(L, -2)) {
        if (lua_type(L, -2) != LUA_TSTRING || !lua_isstring(L, -1))
            (void)luaL_error(L, "http: headers: want names and text");
        check_header(L, lua_tostring(L, -2));
        value = lua_tolstring(L, -1, &len_bytes);
        if (strlen(value) != len_bytes)
            (void)luaL_error(L, "http: headers: a value with a NUL byte");
        /* The name is borrowed: it lives in the table, and the table on the stack. */
        if (kit_http_request_header(req, lua_tostring(L, -2), value, &err))
            (void)luaL_error(L, "http: %s", err.msg);
        lua_pop(L, 1);
    }
}

static void take_body(lua_State *L, struct kit_http_request *req)
{
    size_t len_bytes;
    const char *body;

    if (lua_getfield(L, 1, "body") == LUA_TNIL)
        return;
    body = lua_tolstring(L, -1, &len_bytes);
    if (!body)
        (void)luaL_error(L, "http: body: want text");
    if (kit_buf_add(&req->body, body, len_bytes))
        (void)luaL_error(L, "http: body: more than %d bytes", (int)KIT_HTTP_REQUEST_BYTES);
}

static int exchange(const struct klua_job *job, struct request *r, struct kit_deadline by,
                    struct kit_err *err)
{
    const struct kit_http_settings http = {.ca_file = job->grants->ca_file,
                                           .proxy = job->grants->proxy,
                                           .max_connections = 1,
                                           .user_agent = "cloudvip-hook/" CLOUDVIP_VERSION};
    struct kit_http_done done;

    if (kit_http_open(&http, job->clock, &r->net, err) ||
        r->net.start(r->net.self, &r->req, r, err))
        return -1;
    if (!r->net.wait(r->net.self, by, &done)) {
        r->net.cancel(r->net.self);
        return kit_err_set(err, KIT_ERR_TIMEOUT, "no answer within %lld ms",
                           (long long)r->req.timeout_ms);
    }
    if (done.failed) {
        *err = done.err;
        return -1;
    }
    r->resp = done.resp;
    return 0;
}

/* http{url=, method=, headers=, body=, timeout_ms=}: {status=, body=, type=}, or nil and why */
static int reach_http(lua_State *L)
{
    const struct klua_child *child = klua_child_of(L);
    struct request *r;
    const char *url;
    struct kit_err err;

    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    r = new_request(L, check_method(L));
    url = text_field(L, "url");
    if (!url)
        return luaL_error(L, "http: url: there is none");
    check_host(L, url);
    (void)kit_buf_puts(&r->req.url, url);
    take_headers(L, &r->req);
    take_body(L, &r->req);
    r->req.timeout_ms = time_field(L);
    r->req.connect_timeout_ms = r->req.timeout_ms;
    r->req.max_body_bytes = BODY_BYTES;
    if (exchange(child->job, r, kit_deadline_in_ms(child->job->clock, r->req.timeout_ms + 50),
                 &err)) {
        close_request(r);
        return failed(L, &err);
    }
    lua_createtable(L, 0, 3);
    lua_pushinteger(L, r->resp.status);
    lua_setfield(L, -2, "status");
    lua_pushlstring(L, r->resp.body.data, r->resp.body.len_bytes);
    lua_setfield(L, -2, "body");
    lua_pushstring(L, r->resp.content_type);
    lua_setfield(L, -2, "type");
    /* Not left to the collector: descriptors run out long before memory does. */
    close_request(r);
    return 1;
}

/* ---- exec ------------------------------------------------------------------------------------ */

static void check_program(lua_State *L, const char *path)
{
    char *const *entry = klua_child_of(L)->job->grants->programs;
    struct kit_err err;

    while (entry && *entry && !kit_str_eq(*entry, path))
        entry++;
    if (!entry || !*entry)
        (void)luaL_error(L, "exec: %s is not among hook_programs", path);
    if (kit_file_check_program(path, &err))
        (void)luaL_error(L, "exec: %s", err.msg);
}

/* The program and its arguments, as they stand in the table at index 1; they stay on the stack. */
static void take_args(lua_State *L, const char *argv[ARGS + 1])
{
    size_t count = lua_rawlen(L, 1), sum_bytes = 0, len_bytes;

    if (count < 1 || count > ARGS)
        (void)luaL_error(L, "exec: want a program and at most %d arguments", ARGS - 1);
    luaL_checkstack(L, (int)count + 4, "arguments");
    for (size_t i = 0; i < count; i++) {
        (void)lua_rawgeti(L, 1, (lua_Integer)i + 1);
        argv[i] = lua_tolstring(L, -1, &len_bytes);
        if (!argv[i] || strlen(argv[i]) != len_bytes)
            (void)luaL_error(L, "exec: argument %d: want text without NUL bytes", (int)i);
        sum_bytes += len_bytes;
    }
    if (sum_bytes > ARGS_BYTES)
        (void)luaL_error(L, "exec: more than %d bytes of arguments", (int)ARGS_BYTES);
    argv[count] = NULL;
}

/* exec{program, argument…, timeout_ms=}: {status=, output=}, or nil and why */
static int reach_exec(lua_State *L)
{
    const struct klua_child *child = klua_child_of(L);
    const char *argv[ARGS + 1];
    struct kit_buf *output;
    struct kit_err err;
    int64_t time_ms;
    int status;

    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    take_args(L, argv);
    check_program(L, argv[0]);
    time_ms = time_field(L);
    output = klua_value_new_buf(L, OUTPUT_BYTES);
    if (kit_proc_run(argv, child->job->clock, kit_deadline_in_ms(child->job->clock, time_ms),
                     output, &status, &err))
        return failed(L, &err);
    lua_createtable(L, 0, 2);
    lua_pushinteger(L, status);
    lua_setfield(L, -2, "status");
    lua_pushlstring(L, output->data, output->len_bytes);
    lua_setfield(L, -2, "output");
    kit_buf_done(output);
    return 1;
}

void klua_reach_open(lua_State *L)
{
    static const luaL_Reg functions[] = {{"http", reach_http}, {"exec", reach_exec}, {NULL, NULL}};

    luaL_setfuncs(L, functions, 0);
}
