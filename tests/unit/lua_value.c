/* tests/unit/lua_value.c - JSON to Lua values and back, and what the globals of a hook are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kit/base/mem.h"
#include "kit/base/str.h"
#include "tests/unit/lua_run.h"

/* Runs `return EXPRESSION` with the facts of lua_run.h; the caller frees the string that it gives,
 * or that of its error. */
static char *value_of(const char *expression)
{
    static char name[] = "CLOUDVIP_TEST_SHOWN";
    static char *const env[] = {name, NULL};
    static const char *const lib_dirs[] = {"/nonexistent", NULL};
    static const struct klua_grants grants = {.env = env, .lib_dirs = lib_dirs};
    KIT_AUTOFREE char *text = NULL;
    KIT_AUTO(kit_buf) body = KIT_BUF(1u << 16);
    KIT_AUTO(klua_answer) answer;
    struct kit_err err;

    (void)kit_buf_printf(&body, "local json = cloudvip.json\nreturn %s", expression);
    text = as_file(body.data);
    if (run_file(text, 10000, &grants, &answer, &err))
        return kit_mem_strdup(err.msg);
    return kit_mem_strdup(kit_json_string(answer.value) ? kit_json_string(answer.value) : "?");
}

static const struct {
    const char *expression, *value; /* a part of it, if it begins with '~' */
} rows[] = {
    /* out of JSON and into it again */
    {"json.encode(json.decode('{\"b\":1,\"a\":[1,2.5,\"x\",true,null,{}],\"c\":null}'))",
     "{\"a\":[1,2.5,\"x\",true,null,{}],\"b\":1}"},
    {"json.encode(json.decode('[]'))", "[]"},
    {"json.encode(json.decode('{}'))", "{}"},
    {"json.encode({})", "{}"},
    {"json.encode(json.array{})", "[]"},
    {"json.encode({json.null})", "[null]"},
    {"json.encode(json.decode('9007199254740993'))", "9007199254740993"},
    {"json.encode(json.decode('-9223372036854775807'))", "-9223372036854775807"},
    {"json.encode(json.decode('1.0'))", "1.0"},
    {"json.encode(0.1)", "0.1"},
    {"json.encode(1/3)", "0.33333333333333331"},
    {"json.encode(2^53)", "9007199254740992.0"},
    {"json.encode('a\\0b\\\"\\n\\255')", "\"a\\u0000b\\\"\\n\\ufffd\""},
    {"json.decode('\"\\\\u00e9\"')", "\xc3\xa9"},
    {"json.encode{z=1, a=2, m=3, ['\\n']=4}", "{\"\\n\":4,\"a\":2,\"m\":3,\"z\":1}"},
    {"json.encode(nil)", "null"},
    {"tostring(json.decode('{'))", "nil"},
    {"select(2, json.decode('{'))", "~not JSON"},
    {"tostring(json.decode('[1]')[1])", "1"},
    {"tostring(json.decode('null'))", "nil"},
    {"select(2, json.decode(('['):rep(100)))", "~not JSON"},
    {"select(2, json.decode((' '):rep(300000)))", "~more than"},
    {"json.encode{1, nil, 3}", "~without holes"},
    {"json.encode{1, a=2}", "~without holes"},
    {"json.encode{[1.5]=2}", "~without holes"},
    {"json.encode{[true]=2}", "~without holes"},
    {"json.encode{['a\\0b']=2}", "~NUL byte"},
    {"json.encode(print)", "null"}, /* there is no print */
    {"json.encode(type)", "~function is not for JSON"},
    {"json.encode{1/0}", "~not finite"},
    {"json.encode{('x'):rep(300000)}", "~bytes of JSON"},
    {"json.encode((function() local t = {} for i = 1, 30000 do t[i] = i end return t end)())",
     "~more than 20000 members"},
    {"json.encode((function() local t = {} t.t = t return t end)())", "~nested deeper"},
    {"json.array(setmetatable({}, {}))", "~metatable"},
    {"json.encode(setmetatable({a=1}, {__pairs=error, __index=error, __len=error}))", "{\"a\":1}"},
    /* the facts: as they were given, and read as any table */
    {"json.encode(facts)",
     "{\"bindings\":[{\"mine\":false,\"place\":\"rtb-1\"},{\"mine\":true,\"place\":\"rtb-2\"}],"
     "\"deadline_ms\":1500,\"in_service\":true,\"me\":\"eni-1\",\"tag\":\"vip1\"}"},
    {"#facts.bindings .. facts.bindings[2].place", "2rtb-2"},
    {"(function() local n = 0 for _, b in ipairs(facts.bindings) do n = n + (b.mine and 1 or 0) "
     "end "
     "return n .. '' end)()",
     "1"},
    {"(function() local n = 0 for _ in pairs(facts) do n = n + 1 end return n .. '' end)()", "5"},
    {"tostring(next(facts.bindings))", "1"},
    {"type(facts)", "table"},
    {"table.unpack(facts.bindings).place", "rtb-1"},
    {"tostring(cloudvip.facts == facts)", "true"},
    {"getmetatable(facts)", "this table cannot be written"},
    {"tostring(rawget(facts, 'tag'))", "nil"},
    {"tostring(next({}))", "nil"},
    {"tostring((next({5})))", "1"},
    {"tostring(pcall(next, {}, 'no such key'))", "false"},
    /* the libraries */
    {"('x'):rep(3) .. #'abc'", "xxx3"},
    {"('a,b'):gsub(',', ';')", "a;b"},
    {"getmetatable('')", "strings have one metatable"},
    {"tostring(_G.string == string)", "true"},
    {"tostring(_G._G == _G)", "true"},
    {"math.type(math.pi)", "float"},
    {"setmetatable({}, {__index = {a = 'b'}}).a", "b"},
    {"tostring(setmetatable({}, {__metatable = 1}) ~= nil)", "true"},
    {"(function() local n = 0 for _ in pairs(setmetatable({}, {__pairs = function() return "
     "function(_, i) "
     "i = (i or 0) + 1 if i < 4 then return i end end end})) do n = n + 1 end return n .. '' "
     "end)()",
     "3"},
    /* the rest of the interface */
    {"tostring(cloudvip.env('CLOUDVIP_TEST_SHOWN'))", "shown"},
    {"type(cloudvip.left_ms())", "number"},
    {"math.type(cloudvip.time().unix)", "integer"},
    {"cloudvip.time('utc').iso:match('^%d%d%d%d%-%d%d%-%d%dT%d%d:%d%d:%d%dZ$') and 'iso'", "iso"},
    {"cloudvip.time('mars')", "~invalid option"},
};

static void each_expression(void **state)
{
    (void)state;
    assert_int_equal(setenv("CLOUDVIP_TEST_SHOWN", "shown", 1), 0);
    for (size_t i = 0; i < KIT_LEN(rows); i++) {
        KIT_AUTOFREE char *value = value_of(rows[i].expression);
        const char *want = rows[i].value;
        bool same = want[0] == '~' ? strstr(value, want + 1) != NULL : kit_str_eq(value, want);

        if (!same)
            fail_msg("%s: %s", rows[i].expression, value);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_expression),
    };
    return cmocka_run_group_tests_name("lua/value", tests, NULL, NULL);
}
