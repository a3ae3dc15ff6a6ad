/* tests/unit/cloud_ops_change.c - a change that is sent once and then looked for; client tokens. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kit/cloud/call.h"
#include "kit/cloud/ops.h"
#include "tests/unit/fakes.h"

struct world {
    struct fake_clock fake;
    struct kit_clock clock;
    struct kit_op_change change;
    int shown_at; /* the look that shows it */
    int looks, sent;
    struct kit_err answer; /* of the change; kind is meaningless when `rc` is 0 */
    int rc;
};

static void begin(struct world *w, int64_t deadline_ms)
{
    w->clock = fake_clock_of(&w->fake);
    w->change = (struct kit_op_change){.clock = &w->clock,
                                       .by = kit_deadline_in_ms(&w->clock, deadline_ms)};
}

static int look(void *arg, struct kit_err *err)
{
    struct world *w = arg;

    if (++w->looks >= w->shown_at)
        return 1;
    if (!kit_op_change_is_due(&w->change))
        return 0;
    w->sent++;
    *err = w->answer;
    return kit_op_change_sent(&w->change, w->rc, false, err);
}

static void what_was_accepted_is_sent_once(void **state)
{
    struct world w = {.shown_at = 5};
    struct kit_err err;

    (void)state;
    begin(&w, 60000);
    assert_int_equal(kit_op_change_until(&w.change, look, &w, &err), 0);
    assert_int_equal(w.sent, 1);
    assert_int_equal(w.change.accepted, 1);
}

static void it_is_sent_again_when_no_look_can_be_stale(void **state)
{
    struct world w = {.shown_at = 1000};
    struct kit_err err;

    (void)state;
    begin(&w, KIT_OP_STALE_MS * 2 + 1000);
    assert_int_equal(kit_op_change_until(&w.change, look, &w, &err), -1);
    assert_int_equal(err.kind, KIT_ERR_TIMEOUT);
    fake_assert_text(err.msg, "the cloud said yes, and does not show it");
    assert_int_equal(w.sent, 3);
}

static void a_refusal_that_may_pass_leads_to_another_look(void **state)
{
    struct world w = {.shown_at = 4, .rc = -1};
    struct kit_err err;

    (void)state;
    begin(&w, 60000);
    (void)kit_err_set(&w.answer, KIT_ERR_STATE, "it is Attaching");
    assert_int_equal(kit_op_change_until(&w.change, look, &w, &err), 0);
    assert_int_equal(w.sent, 3);
    assert_int_equal(w.change.accepted, 0);
    w.shown_at = 1000;
    begin(&w, 1000);
    assert_int_equal(kit_op_change_until(&w.change, look, &w, &err), -1);
    fake_assert_text(err.msg, "it is Attaching");
}

static void a_lost_answer_leads_to_a_look_and_a_refusal_to_the_end(void **state)
{
    struct world w = {.shown_at = 3, .rc = -1};
    struct kit_err err;

    (void)state;
    begin(&w, 60000);
    (void)kit_err_set(&w.answer, KIT_ERR_TRANSIENT, "the connection died");
    w.answer.outcome_open = true;
    assert_int_equal(kit_op_change_until(&w.change, look, &w, &err), 0);
    assert_int_equal(w.sent, 2);
    w = (struct world){.shown_at = 3, .rc = -1};
    begin(&w, 60000);
    (void)kit_err_set(&w.answer, KIT_ERR_DENIED, "no");
    assert_int_equal(kit_op_change_until(&w.change, look, &w, &err), -1);
    assert_int_equal(err.kind, KIT_ERR_DENIED);
    assert_int_equal(w.looks, 1);
}

static void what_is_gone_passes_where_that_is_fine(void **state)
{
    struct world w = {.rc = -1};
    struct kit_err err;

    (void)state;
    begin(&w, 1000);
    (void)kit_err_set(&err, KIT_ERR_NOT_FOUND, "gone");
    assert_int_equal(kit_op_change_sent(&w.change, -1, true, &err), 0);
    assert_int_equal(kit_op_change_sent(&w.change, -1, false, &err), -1);
}

static void tokens_are_new_each_time(void **state)
{
    char a[KIT_CALL_TOKEN], b[KIT_CALL_TOKEN];
    struct kit_err err;

    (void)state;
    assert_int_equal(kit_call_token(a, &err), 0);
    assert_int_equal(kit_call_token(b, &err), 0);
    assert_int_equal(strlen(a), 36);
    assert_string_not_equal(a, b);
    assert_int_equal(a[14], '4');
    assert_non_null(strchr("89ab", a[19]));
    assert_int_equal(strspn(a, "0123456789abcdef-"), 36);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_accepted_is_sent_once),
        cmocka_unit_test(it_is_sent_again_when_no_look_can_be_stale),
        cmocka_unit_test(a_refusal_that_may_pass_leads_to_another_look),
        cmocka_unit_test(a_lost_answer_leads_to_a_look_and_a_refusal_to_the_end),
        cmocka_unit_test(what_is_gone_passes_where_that_is_fine),
        cmocka_unit_test(tokens_are_new_each_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
