/* tests/unit/lua_klua.c - hooks that mean harm, or do it: each is bounded, and says what it broke.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kit/base/str.h"
#include "tests/unit/lua_run.h"

#define TIME_LIMIT "time limit"

struct row {
    const char *name;
    const char *body;  /* of pre_restore */
    const char *says;  /* a part of the error's message; NULL: it ends well … */
    const char *value; /* … and returns this string */
};

/* clang-format off */
static const struct row rows[] = {
    {"an endless loop", "while true do end", TIME_LIMIT, NULL},
    {"a loop under pcall", "while true do pcall(function() while true do end end) end", TIME_LIMIT, NULL},
    {"a loop under nested pcalls",
     "local function f() pcall(f) while true do pcall(f) end end f()", TIME_LIMIT, NULL},
    {"a loop in xpcall's handler",
     "xpcall(function() while true do end end, function() while true do end end)", TIME_LIMIT, NULL},
    {"a loop in a metamethod",
     "local t = setmetatable({}, {__index = function() while true do end end}) return t.x", TIME_LIMIT, NULL},
    {"a loop in __close",
     "local x <close> = setmetatable({}, {__close = function() while true do end end}) return true", TIME_LIMIT, NULL},
    {"a memory bomb", "local t = {} for i = 1, 1e9 do t[i] = ('x'):rep(1000000) .. i end", "not enough memory", NULL},
    {"a memory bomb under pcall",
     "local t = {} while true do pcall(function() t[#t + 1] = ('x'):rep(1000) end) end", "", NULL},
    {"a string.rep bomb", "return #string.rep('x', 1 << 40) > 0", "too large", NULL},
    {"a smaller one", "return #string.rep('x', 1 << 30) > 0", "not enough memory", NULL},
    {"a string.format bomb", "return string.format('%999999d', 1)", "invalid", NULL},
    {"a table.concat bomb",
     "local t = {} for i = 1, 100000 do t[i] = ('x'):rep(10000) end return table.concat(t)", "not enough memory", NULL},
    {"a pattern bomb", "return string.rep('a', 300000):find('.-.-.-.-b') == nil", TIME_LIMIT, NULL},
    {"a gsub bomb", "return (string.rep('a', 100000):gsub('a-a-a-a-b', 'x'))", TIME_LIMIT, NULL},
    {"a sort bomb",
     "local t = {} for i = 1, 100000 do t[i] = i end while true do table.sort(t, function(a, b) return a > b end) end",
     TIME_LIMIT, NULL},
    {"a finalizer", "setmetatable({}, {__gc = function() while true do end end})", "__gc is not for hooks", NULL},
    {"a finalizer that comes later",
     "local mt = {} for i = 1, 1000 do setmetatable({}, mt) end mt.__gc = function() while true do end end "
     "for i = 1, 100000 do local x = {} end return 'not run'", NULL, "not run"},
    {"load", "return load('return 1')()", "global 'load'", NULL},
    {"loadstring", "return loadstring('return 1')", "global 'loadstring'", NULL},
    {"dofile", "return dofile('/etc/passwd')", "global 'dofile'", NULL},
    {"io", "return io.open('/etc/passwd')", "global 'io'", NULL},
    {"os", "return os.execute('id')", "global 'os'", NULL},
    {"debug", "return debug.getregistry()", "global 'debug'", NULL},
    {"package", "return package.loadlib('libc.so.6', '*')", "global 'package'", NULL},
    {"string.dump", "return string.dump(function() end)", "field 'dump'", NULL},
    {"collectgarbage", "collectgarbage('stop')", "global 'collectgarbage'", NULL},
    {"rawset", "rawset(facts, 'tag', 'x')", "global 'rawset'", NULL},
    {"print", "print('x')", "global 'print'", NULL},
    {"a coroutine loop", "coroutine.wrap(function() while true do coroutine.yield() end end)()", "global 'coroutine'", NULL},
    {"deep recursion", "local function f() return 1 + f() end return f()", "not enough memory", NULL},
    {"deep recursion in C", "local function f(s) return (s:gsub('.', f)) end return f('x')", "C stack overflow", NULL},
    {"a deep pattern", "return string.rep('(', 100000):find(string.rep('(', 100000))", "too many captures", NULL},
    {"an endless tail call", "local function f() return f() end return f()", TIME_LIMIT, NULL},
    {"an error with a table", "error({})", "it raised table instead of a message", NULL},
    {"an error whose __tostring loops",
     "error(setmetatable({}, {__tostring = function() while true do end end}))", "it raised table", NULL},
    {"an error with nil", "error()", "it raised nil", NULL},
    {"an error", "error('the reason')", "x.lua:2: the reason", NULL},
    {"a long error", "error(('long '):rep(100000))", "long long", NULL},
    {"an error of control characters", "error('a\\27[2Jb\\0c\\n', 0)", "a?[2Jb", NULL},
    {"a write to the facts", "facts.tag = 'x'", "cannot be written", NULL},
    {"a write into the facts", "facts.bindings[1].mine = true", "cannot be written", NULL},
    {"a new fact", "facts.extra = 1", "cannot be written", NULL},
    {"table.insert into the facts", "table.insert(facts.bindings, {})", "cannot be written", NULL},
    {"table.sort of the facts", "table.sort(facts.bindings, function() return true end)", "cannot be written", NULL},
    {"a metatable for the facts", "setmetatable(facts, {})", "cannot be changed", NULL},
    {"the facts' metatable", "getmetatable(facts).__newindex = nil", "", NULL},
    {"the table behind the facts", "local _, t = pairs(facts) t.tag = 'x'", "cannot be written", NULL},
    {"a global", "x = 1", "cannot be written", NULL},
    {"_G", "_G.string = nil", "cannot be written", NULL},
    {"a library", "string.rep = nil", "cannot be written", NULL},
    {"cloudvip", "cloudvip.log = nil", "cannot be written", NULL},
    {"strings' metatable", "getmetatable('').__index = {}", "", NULL},
    {"a new _ENV", "local _ENV = {} return x == nil and 'fine'", NULL, "fine"},
    {"a cycle returned", "local t = {} t[1] = t return t", "nested deeper", NULL},
    {"a function returned", "return function() end", "a function is not for JSON", NULL},
    {"too much returned", "return ('x'):rep(1000000)", "cannot be passed on", NULL},
    {"too many values returned", "return table.unpack({}, 1, 999999)", "too many results", NULL},
    {"not a number", "return 0/0", "not finite", NULL},
    {"bytes that are no text", "return '\\xff\\0'", NULL, NULL},
    {"output without end", "while true do cloudvip.log(('x'):rep(10000)) end", TIME_LIMIT, NULL},
    {"output of control bytes", "while true do cloudvip.log(('\\1'):rep(10000)) end", TIME_LIMIT, NULL},
    {"a sleep without end", "cloudvip.sleep(math.maxinteger) return 'slept'", TIME_LIMIT, NULL},
    {"a sleep backwards", "cloudvip.sleep(math.mininteger) return 'slept'", NULL, "slept"},
    {"env", "return cloudvip.env('PATH')", "not among hook_env", NULL},
    {"exec", "return cloudvip.exec{'/bin/true'}", "not among hook_programs", NULL},
    {"exec of a shell", "return cloudvip.exec{'/bin/sh', '-c', 'id'}", "not among hook_programs", NULL},
    {"http", "return cloudvip.http{url = 'https://example.org/'}", "example.org is not among hook_hosts", NULL},
    {"metadata", "return cloudvip.http{url = 'http://169.254.169.254/latest/meta-data/'}", "not among hook_hosts", NULL},
    {"file", "return cloudvip.http{url = 'file:///etc/passwd'}", "http:", NULL},
    {"require upwards", "return require('../x')", "a module's name", NULL},
    {"require nothing", "return require('none')", "there is no module none", NULL},
};
/* clang-format on */

/* Who ends by something else than time gets enough of it on a busy machine, too. */
static int64_t limit_ms(const char *says)
{
    return says && (kit_str_eq(says, TIME_LIMIT) || !says[0]) ? 300 : 60000;
}

static void each_is_bounded(void **state)
{
    (void)state;
    for (size_t i = 0; i < KIT_LEN(rows); i++) {
        const struct row *row = &rows[i];
        KIT_AUTOFREE char *text = as_file(row->body);
        KIT_AUTO(klua_answer) answer;
        struct kit_err err;
        int rc = run_file(text, limit_ms(row->says), NULL, &answer, &err);
        const char *value = rc ? NULL : kit_json_string(answer.value);

        if (rc == 0 && row->says)
            fail_msg("%s: ended well", row->name);
        if (rc != 0 && (err.kind != KIT_ERR_HOOK || !row->says || !strstr(err.msg, row->says)))
            fail_msg("%s: %s", row->name, err.msg);
        if (row->value && !kit_str_eq(value, row->value))
            fail_msg("%s: returned %s", row->name, value ? value : "no string");
        if (answer.heap_bytes > KLUA_HEAP_BYTES)
            fail_msg("%s: %zu bytes of heap", row->name, answer.heap_bytes);
    }
}

/* Whole files, not bodies of a function. */
static void files_that_are_none(void **state)
{
    static const struct {
        const char *text, *says;
    } files[] = {
        {"", "not a table"},
        {"return 1", "not a table"},
        {"return {", "x.lua:1:"},
        {"return { pre_restore = 1 }", "it is number, not a function"},
        {"\x1bLuaS", "attempt to load a binary chunk"},
        {"while true do end", TIME_LIMIT},
        {"local t = {} for i = 1, 1e9 do t[i] = ('x'):rep(1000000) .. i end", "not enough memory"},
        {"\xef\xbb\xbf\x1bLuaS", "attempt to load a binary chunk"},
        {"\xef\xbb\xbf", "not a table"}, /* a byte order mark is passed over */
        {"#!/usr/bin/lua\nreturn {}", "x.lua:1:"},
        {"return setmetatable({}, {__index = function() while true do end end})", TIME_LIMIT},
    };

    (void)state;
    for (size_t i = 0; i < KIT_LEN(files); i++) {
        KIT_AUTO(klua_answer) answer;
        struct kit_err err;

        assert_int_equal(run_file(files[i].text, limit_ms(files[i].says), NULL, &answer, &err), -1);
        if (err.kind != KIT_ERR_HOOK || !strstr(err.msg, files[i].says))
            fail_msg("%s: %s", files[i].text, err.msg);
        assert_true(kit_str_starts(err.msg, "x.lua: pre_restore: "));
    }
}

static void what_it_said_before_it_was_killed_is_kept(void **state)
{
    KIT_AUTOFREE char *text = as_file("cloudvip.log('warn', 'one\\ntwo')\n"
                                      "return string.rep('a', 300000):find('.-.-.-.-b')");
    KIT_AUTO(klua_answer) answer;
    struct kit_err err;

    (void)state;
    assert_int_equal(run_file(text, 300, NULL, &answer, &err), -1);
    assert_int_equal(answer.lines, 1);
    assert_int_equal(answer.line[0].level, KLUA_WARN);
    assert_string_equal(answer.line[0].text, "one?two");
    assert_true(answer.took_us > 0);
}

static void log_lines_have_a_ceiling(void **state)
{
    KIT_AUTOFREE char *text =
        as_file("for i = 1, 1000 do cloudvip.log('line ' .. i) end return 'done'");
    KIT_AUTO(klua_answer) answer;
    struct kit_err err;

    (void)state;
    assert_int_equal(run_file(text, 10000, NULL, &answer, &err), 0);
    assert_int_equal(answer.lines, KLUA_LINES);
    assert_int_equal(answer.dropped, 1000 - KLUA_LINES);
    assert_string_equal(answer.line[KLUA_LINES - 1].text, "line 100");
    assert_string_equal(kit_json_string(answer.value), "done");
}

static void a_verdict_comes_back(void **state)
{
    static const struct {
        const char *body;
        enum kit_json_type type;
        const char *why;
    } verdicts[] = {
        {"", KIT_JSON_NULL, ""},
        {"return true", KIT_JSON_BOOL, ""},
        {"return false, 'maintenance'", KIT_JSON_BOOL, "maintenance"},
        {"return false, 'a\\1b'", KIT_JSON_BOOL, "a?b"},
        {"return nil, 'x'", KIT_JSON_NULL, "x"},
        {"return false, {}", KIT_JSON_BOOL, ""},
        {"return {'rtb-1'}", KIT_JSON_ARRAY, ""},
        {"return {a = 1}, 'x', 'y'", KIT_JSON_OBJECT, "x"},
        {"return facts.bindings", KIT_JSON_ARRAY, ""},
        {"return cloudvip.facts", KIT_JSON_OBJECT, ""},
        {"return 7", KIT_JSON_INT, ""},
        {"return 7.5", KIT_JSON_REAL, ""},
    };

    (void)state;
    for (size_t i = 0; i < KIT_LEN(verdicts); i++) {
        KIT_AUTOFREE char *text = as_file(verdicts[i].body);
        KIT_AUTO(klua_answer) answer;
        struct kit_err err;

        if (run_file(text, 10000, NULL, &answer, &err))
            fail_msg("%s: %s", verdicts[i].body, err.msg);
        assert_true(answer.defined);
        assert_int_equal(kit_json_type(answer.value), verdicts[i].type);
        assert_string_equal(answer.why, verdicts[i].why);
        assert_true(answer.heap_bytes > 0);
    }
}

static void a_point_that_is_not_defined(void **state)
{
    KIT_AUTO(klua_answer) answer;
    struct kit_err err;

    (void)state;
    assert_int_equal(
        run_file("return { post_restore = function() end }", 10000, NULL, &answer, &err), 0);
    assert_false(answer.defined);
    assert_null(answer.value);
}

static void the_functions_of_a_file_are_named(void **state)
{
    static const struct klua_grants nothing = {0};
    static const char text[] = "return { pre_restore = function() error('not called') end, x = 1, "
                               "[1] = function() end, post_check = function() end }";
    const struct klua_job job = {.name = "x.lua",
                                 .source = text,
                                 .source_bytes = strlen(text),
                                 .facts = "{}",
                                 .facts_bytes = 2,
                                 .grants = &nothing,
                                 .clock = &kit_clock_real,
                                 .time_ms = 10000,
                                 .heap_bytes = KLUA_HEAP_BYTES};
    KIT_AUTO(klua_answer) answer;
    struct kit_err err;

    (void)state;
    assert_int_equal(klua_run(&job, &answer, &err), 0);
    assert_int_equal(kit_json_count(answer.names), 2);
    for (size_t i = 0; i < 2; i++) {
        const char *name = kit_json_string(kit_json_at(answer.names, i));
        assert_true(kit_str_eq(name, "pre_restore") || kit_str_eq(name, "post_check"));
    }
}

/* The smallest of heaps, up to one that is enough: each time an error or an answer, never a crash.
 */
static void every_size_of_heap(void **state)
{
    static const struct klua_grants nothing = {0};
    KIT_AUTOFREE char *text = as_file("local t = {} for i = 1, 50 do t[i] = facts.tag .. i end "
                                      "return table.concat(t)");
    unsigned well = 0;

    (void)state;
    for (size_t heap_bytes = 0; heap_bytes < 64u * 1024; heap_bytes += 509) {
        const struct klua_job job = {.name = "x.lua",
                                     .source = text,
                                     .source_bytes = strlen(text),
                                     .point = "pre_restore",
                                     .facts = FACTS,
                                     .facts_bytes = strlen(FACTS),
                                     .grants = &nothing,
                                     .clock = &kit_clock_real,
                                     .time_ms = 10000,
                                     .heap_bytes = heap_bytes};
        KIT_AUTO(klua_answer) answer;
        struct kit_err err;

        if (klua_run(&job, &answer, &err) == 0) {
            well++;
            continue;
        }
        if (!strstr(err.msg, "memory"))
            fail_msg("%zu bytes: %s", heap_bytes, err.msg);
    }
    assert_true(well > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_is_bounded),
        cmocka_unit_test(files_that_are_none),
        cmocka_unit_test(what_it_said_before_it_was_killed_is_kept),
        cmocka_unit_test(log_lines_have_a_ceiling),
        cmocka_unit_test(a_verdict_comes_back),
        cmocka_unit_test(a_point_that_is_not_defined),
        cmocka_unit_test(the_functions_of_a_file_are_named),
        cmocka_unit_test(every_size_of_heap),
    };
    return cmocka_run_group_tests_name("lua/klua", tests, NULL, NULL);
}
