/* tests/unit/lua_answer.c - the bytes of a child, as its parent takes them: whatever they are. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "kit/base/mem.h"
#include "kit/base/str.h"
#include "lua/klua.h"

#define COSTS "\"heap\":100,\"dropped\":0"
#define END   "{\"end\":\"value\",\"defined\":true," COSTS "}\n"

static int take(const char *text, struct klua_answer *answer, struct kit_err *err)
{
    memset(answer, 0, sizeof(*answer));
    return klua_answer_read(text, strlen(text), answer, err);
}

static void a_whole_answer(void **state)
{
    KIT_AUTO(klua_answer) answer;
    struct kit_err err;

    (void)state;
    assert_int_equal(
        take("{\"log\":\"info\",\"text\":\"one\"}\n{\"log\":\"error\",\"text\":\"tw\\no\"}\n"
             "{\"end\":\"value\",\"defined\":true,\"heap\":31337,\"dropped\":3,"
             "\"value\":[\"rtb-1\"],\"why\":\"be\\u001bcause\"}\n",
             &answer, &err),
        0);
    assert_int_equal(answer.lines, 2);
    assert_int_equal(answer.line[1].level, KLUA_ERROR);
    assert_string_equal(answer.line[1].text, "tw?o");
    assert_int_equal(answer.dropped, 3);
    assert_int_equal(answer.heap_bytes, 31337);
    assert_string_equal(answer.why, "be?cause");
    assert_string_equal(kit_json_string(kit_json_at(answer.value, 0)), "rtb-1");
}

static void an_error_is_its_reason(void **state)
{
    KIT_AUTO(klua_answer) answer;
    struct kit_err err;

    (void)state;
    assert_int_equal(take("{\"end\":\"error\",\"why\":\"x.lua:3: oh\"," COSTS "}\n", &answer, &err),
                     -1);
    assert_int_equal(err.kind, KIT_ERR_HOOK);
    assert_int_equal(err.sys, 0);
    assert_string_equal(err.msg, "x.lua:3: oh");
    assert_int_equal(answer.heap_bytes, 100);
}

static void what_no_child_writes(void **state)
{
    static const char *const texts[] = {
        "",
        "\n",
        "x\n",
        "{}\n",
        "null\n",
        "[]\n",
        "\"end\"\n",
        "{\"end\":\"value\",\"defined\":true," COSTS "}", /* broken off before its last byte */
        "{\"end\":\"value\"," COSTS "}\n",
        "{\"end\":\"value\",\"defined\":1," COSTS "}\n",
        "{\"end\":\"other\",\"defined\":true," COSTS "}\n",
        "{\"end\":7,\"defined\":true," COSTS "}\n",
        "{\"defined\":true," COSTS "}\n",
        "{\"end\":\"value\",\"defined\":true}\n",
        "{\"end\":\"value\",\"defined\":true,\"heap\":-1,\"dropped\":0}\n",
        "{\"end\":\"value\",\"defined\":true,\"heap\":1,\"dropped\":\"x\"}\n",
        "{\"end\":\"value\",\"defined\":true,\"heap\":1e300,\"dropped\":0}\n",
        END END,
        END "\n",
        END "{\"log\":\"info\",\"text\":\"late\"}\n",
        "{\"log\":\"info\",\"text\":\"only\"}\n",
        "{\"log\":\"info\"}\n" END,
        "{\"log\":\"info\",\"text\":7}\n" END,
        "{\"log\":\"info\",\"text\":\"a\\u0000b\"}\n" END,
        "{\"log\":\"loud\",\"text\":\"x\"}\n" END,
        "{\"log\":7,\"text\":\"x\"}\n" END,
        "{\"end\":\"value\",\"defined\":true," COSTS ",\"value\":\"\xff\"}\n",
    };

    (void)state;
    for (size_t i = 0; i < KIT_LEN(texts); i++) {
        KIT_AUTO(klua_answer) answer;
        struct kit_err err;

        if (take(texts[i], &answer, &err) == 0)
            fail_msg("taken: %s", texts[i]);
        if (err.kind != KIT_ERR_HOOK || err.sys != EPROTO)
            fail_msg("%s: %s", texts[i], err.msg);
    }
}

static void so_many_lines_and_no_more(void **state)
{
    KIT_AUTO(kit_buf) text = KIT_BUF(1u << 16);
    KIT_AUTO(klua_answer) answer;
    KIT_AUTO(klua_answer) more;
    struct kit_err err;

    (void)state;
    for (int i = 0; i < KLUA_LINES; i++)
        (void)kit_buf_puts(&text, "{\"log\":\"info\",\"text\":\"x\"}\n");
    (void)kit_buf_puts(&text, END);
    assert_int_equal(take(text.data, &answer, &err), 0);
    assert_int_equal(answer.lines, KLUA_LINES);
    kit_buf_reset(&text);
    for (int i = 0; i <= KLUA_LINES; i++)
        (void)kit_buf_puts(&text, "{\"log\":\"info\",\"text\":\"x\"}\n");
    (void)kit_buf_puts(&text, END);
    assert_int_equal(take(text.data, &more, &err), -1);
    assert_int_equal(more.lines, KLUA_LINES);
}

/* Every end of a whole answer but the last is one that broke off. */
static void cut_anywhere(void **state)
{
    static const char text[] = "{\"log\":\"info\",\"text\":\"x\"}\n" END;

    (void)state;
    for (size_t len = 0; len < strlen(text); len++) {
        struct klua_answer answer = {0};
        struct kit_err err;

        assert_int_equal(klua_answer_read(text, len, &answer, &err), -1);
        assert_int_equal(err.sys, EPROTO);
        klua_answer_done(&answer);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_whole_answer),       cmocka_unit_test(an_error_is_its_reason),
        cmocka_unit_test(what_no_child_writes), cmocka_unit_test(so_many_lines_and_no_more),
        cmocka_unit_test(cut_anywhere),
    };
    return cmocka_run_group_tests_name("lua/answer", tests, NULL, NULL);
}
