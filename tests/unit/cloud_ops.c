/* tests/unit/cloud_ops.c - what operations are helped with: values by name, rules, the last moment
 * before a change, rows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kit/cloud/ops.h"
#include "tests/unit/fakes.h"

static enum kit_rule_answer check_even(const void *evidence, struct kit_buf *detail)
{
    (void)kit_buf_printf(detail, "it is %d", *(const int *)evidence);
    return *(const int *)evidence % 2 ? KIT_RULE_BROKEN : KIT_RULE_HOLDS;
}

static enum kit_rule_answer check_small(const void *evidence, struct kit_buf *detail)
{
    (void)kit_buf_puts(detail, "it is large");
    return *(const int *)evidence > 9 ? KIT_RULE_BROKEN : KIT_RULE_NOT_KNOWN;
}

static const struct kit_rule rules[] = {
    {61, KIT_RULE_WARN, "it should be small", "take less", check_small},
    {52, KIT_RULE_REFUSE, "it must be even", "add one", check_even},
};
static const struct kit_op_param params[] = {
    {"eni", KIT_OP_ID, NULL, true, true, "the ENI"},
    {"count", KIT_OP_NUMBER, "0..9", false, false, "how many"},
};

struct world {
    struct kit_op op;
    struct kit_op_value value[KIT_LEN(params)];
    struct kit_op_ui ui;
    struct kit_op_call call;
    struct kit_op_answer answer;
    bool says_yes;
    unsigned asked, told;
    char text[256];
};

static void progress(void *arg, const char *text)
{
    struct world *w = arg;

    w->told++;
    (void)kit_str_copy(w->text, sizeof(w->text), text);
}

static bool confirm(void *arg, const char *text)
{
    struct world *w = arg;

    w->asked++;
    (void)kit_str_copy(w->text, sizeof(w->text), text);
    return w->says_yes;
}

static void begin(struct world *w)
{
    *w = (struct world){.op = {.object = "eni",
                               .verb = "delete",
                               .params = params,
                               .params_count = KIT_LEN(params),
                               .rules = rules,
                               .rules_count = KIT_LEN(rules),
                               .irreversible = true},
                        .ui = {.arg = w, .progress = progress, .confirm = confirm}};
    w->call = (struct kit_op_call){.op = &w->op, .value = w->value, .ui = &w->ui};
}

static void values_are_found_by_name(void **state)
{
    struct world w;

    (void)state;
    begin(&w);
    assert_null(kit_op_text(&w.call, "eni"));
    assert_null(kit_op_addr(&w.call, "eni"));
    assert_null(kit_op_list(&w.call, "eni"));
    assert_false(kit_op_flag(&w.call, "eni"));
    assert_int_equal(kit_op_number(&w.call, "count", 7), 7);
    w.value[0].text = "eni-1";
    w.value[1] = (struct kit_op_value){.text = "3", .number = 3};
    assert_string_equal(kit_op_text(&w.call, "eni"), "eni-1");
    assert_int_equal(kit_op_number(&w.call, "count", 7), 3);
    assert_null(kit_op_text(&w.call, "no-such"));
}

static void a_broken_rule_refuses_by_number(void **state)
{
    struct world w;
    struct kit_err err;
    int evidence = 11;

    (void)state;
    begin(&w);
    assert_int_equal(kit_op_judge(&w.call, &evidence, &w.answer, &err), -1);
    assert_int_equal(err.kind, KIT_ERR_STATE);
    assert_string_equal(err.msg, "rule 52: it is 11: it must be even; add one");
    assert_int_equal(w.answer.breaches, 2);
    assert_ptr_equal(w.answer.breach[0].rule, &rules[0]);
    evidence = 12;
    w.answer.breaches = 0;
    assert_int_equal(kit_op_judge(&w.call, &evidence, &w.answer, &err), 0);
    assert_int_equal(w.answer.breaches, 1);
    /* Judged again, the first ones stay; there is never more than there is room for. */
    for (int i = 0; i < 2 * KIT_BREACHES; i++)
        assert_int_equal(kit_op_judge(&w.call, &evidence, &w.answer, &err), 0);
    assert_int_equal(w.answer.breaches, KIT_BREACHES);
}

static void a_change_begins_with_a_yes(void **state)
{
    struct world w;
    struct kit_err err;

    (void)state;
    begin(&w);
    assert_int_equal(kit_op_begin(&w.call, &w.answer, &err, "delete %s", "eni-1"), -1);
    assert_int_equal(err.kind, KIT_ERR_REFUSED);
    assert_string_equal(w.text, "delete eni-1");
    assert_false(w.answer.changed);
    w.says_yes = true;
    assert_int_equal(kit_op_begin(&w.call, &w.answer, &err, "delete eni-1"), 1);
    assert_true(w.answer.changed);
    assert_int_equal(w.asked, 2);
    w.op.irreversible = w.says_yes = false;
    assert_int_equal(kit_op_begin(&w.call, &w.answer, &err, "delete eni-1"), 1);
    assert_int_equal(w.asked, 2);
}

static void a_dry_run_asks_nobody(void **state)
{
    struct world w;
    struct kit_err err;

    (void)state;
    begin(&w);
    w.call.dry_run = true;
    assert_int_equal(kit_op_begin(&w.call, &w.answer, &err, "delete eni-1"), 0);
    assert_string_equal(w.answer.text, "would delete eni-1");
    assert_false(w.answer.changed);
    assert_int_equal(w.asked, 0);
}

static void texts_are_printable_and_cut(void **state)
{
    struct world w;
    char many[1000];

    (void)state;
    begin(&w);
    memset(many, 'x', sizeof(many) - 1);
    many[sizeof(many) - 1] = '\0';
    kit_op_say(&w.answer, "a\x1b%s", many);
    assert_int_equal(strlen(w.answer.text), sizeof(w.answer.text) - 1);
    assert_memory_equal(w.answer.text, "a?xx", 4);
    kit_op_tell(NULL, "nobody");
    kit_op_tell(&w.ui, "%s: Attaching\n", "eni-1");
    assert_string_equal(w.text, "eni-1: Attaching?");
}

static void rows_keep_their_cells(void **state)
{
    struct kit_op_answer answer = {.columns = NULL};
    char text[16];

    (void)state;
    for (int i = 0; i < 100; i++) {
        struct kit_op_row *row = kit_op_answer_add(&answer);

        assert_null(row->cell[0]);
        (void)kit_str_format(text, sizeof(text), "eni-%d", i);
        kit_op_cell(row, 0, "another");
        kit_op_cell(row, 0, text);
        kit_op_cell(row, KIT_OP_COLUMNS - 1, "");
    }
    assert_int_equal(answer.rows, 100);
    assert_string_equal(answer.row[0].cell[0], "eni-0");
    assert_string_equal(answer.row[99].cell[0], "eni-99");
    assert_null(answer.row[99].cell[KIT_OP_COLUMNS - 1]);
    kit_op_answer_done(&answer);
    assert_int_equal(answer.rows, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_found_by_name),
        cmocka_unit_test(a_broken_rule_refuses_by_number),
        cmocka_unit_test(a_change_begins_with_a_yes),
        cmocka_unit_test(a_dry_run_asks_nobody),
        cmocka_unit_test(texts_are_printable_and_cut),
        cmocka_unit_test(rows_keep_their_cells),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
