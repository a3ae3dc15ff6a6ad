/* tests/unit/vip_verify.c - done, stale, lost or taken back: every row of the table in verify.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "kit/base/mem.h"
#include "kit/vip/verify.h"
#include "tests/unit/fakes.h"
#include "tests/unit/vip_facts.h"

/* A claim of one binding that OLD had, and the looks after it. */
struct claim {
    struct kit_verify verify;
    struct kit_err err;
};

static void set_handle(struct kit_facts *facts, size_t index, const char *handle)
{
    struct kit_binding *b = &facts->binding[index];

    assert_true(kit_str_copy(b->handle, sizeof(b->handle), handle));
}

/* Claims everything in `facts` (taken over), in `count` steps; step n ends as result[n]. */
static void begin(struct claim *c, struct kit_facts *facts, const enum kit_step_result *result,
                  size_t count)
{
    struct kit_plan plan;

    c->err = (struct kit_err){.kind = KIT_ERR_SYSTEM};
    kit_verify_init(&c->verify, facts);
    assert_int_equal(kit_plan_claim(facts, &plan, &c->err), 0);
    assert_int_equal(plan.count, count);
    for (size_t i = 0; i < count; i++)
        plan.step[i].result = result[i];
    kit_verify_claimed(&c->verify, &plan);
    kit_plan_done(&plan);
    kit_facts_done(facts);
}

static void begin_one(struct claim *c, enum kit_binding_state state, const char *holder,
                      enum kit_step_result result)
{
    struct kit_facts facts;

    facts_begin(&facts);
    facts_add(&facts, "p1", state, holder);
    set_handle(&facts, 0, holder[0] ? "assoc-1" : "");
    begin(c, &facts, &result, 1);
}

static enum kit_verdict look(struct claim *c, enum kit_binding_state state, const char *holder,
                             const char *handle, bool last)
{
    struct kit_facts facts;

    facts_begin(&facts);
    facts_add(&facts, "p1", state, holder);
    set_handle(&facts, 0, handle);
    enum kit_verdict verdict = kit_verify_look(&c->verify, &facts, last, &c->err);
    kit_facts_done(&facts);
    return verdict;
}

static enum kit_verdict look_held(struct claim *c, const char *holder, const char *handle)
{
    return look(c, KIT_BINDING_HELD, holder, handle, false);
}

static void ours_is_done(void **state)
{
    static const enum kit_step_result results[] = {KIT_STEP_DONE, KIT_STEP_OPEN};

    (void)state;
    for (size_t i = 0; i < KIT_LEN(results); i++) {
        struct claim c;

        begin_one(&c, KIT_BINDING_HELD, "eni-old", results[i]);
        assert_int_equal(look_held(&c, ME, "assoc-2"), KIT_VERDICT_DONE);
        kit_verify_done(&c.verify);
    }
}

static void a_stale_read_is_waited_for(void **state)
{
    struct claim c;

    (void)state;
    begin_one(&c, KIT_BINDING_HELD, "eni-old", KIT_STEP_DONE);
    for (int i = 0; i < 5; i++)
        assert_int_equal(look_held(&c, "eni-old", "assoc-1"), KIT_VERDICT_WAIT);
    assert_int_equal(look_held(&c, ME, "assoc-2"), KIT_VERDICT_DONE);
    kit_verify_done(&c.verify);
}

static void a_stale_read_of_each_state_is_waited_for(void **state)
{
    static const struct {
        enum kit_binding_state state;
        const char *holder;
    } rows[] = {{KIT_BINDING_FREE, ""}, {KIT_BINDING_ABSENT, ""}, {KIT_BINDING_BLACKHOLE, "eni-x"}};

    (void)state;
    for (size_t i = 0; i < KIT_LEN(rows); i++) {
        const char *handle = rows[i].holder[0] ? "assoc-1" : "";
        struct claim c;

        begin_one(&c, rows[i].state, rows[i].holder, KIT_STEP_DONE);
        assert_int_equal(look(&c, rows[i].state, rows[i].holder, handle, false), KIT_VERDICT_WAIT);
        assert_int_equal(look(&c, rows[i].state, rows[i].holder, handle, true),
                         KIT_VERDICT_CONFLICT);
        assert_int_equal(c.err.kind, KIT_ERR_CONFLICT);
        kit_verify_done(&c.verify);
    }
}

static void at_the_windows_end_stale_is_taken_back(void **state)
{
    struct claim c;

    (void)state;
    begin_one(&c, KIT_BINDING_HELD, "eni-old", KIT_STEP_DONE);
    assert_int_equal(look_held(&c, "eni-old", "assoc-1"), KIT_VERDICT_WAIT);
    assert_int_equal(look(&c, KIT_BINDING_HELD, "eni-old", "assoc-1", true), KIT_VERDICT_CONFLICT);
    assert_int_equal(c.err.kind, KIT_ERR_CONFLICT);
    fake_assert_text(c.err.msg, "p1");
    fake_assert_text(c.err.msg, "eni-old (i-old)");
    kit_verify_done(&c.verify);
}

static void a_lost_answer_is_claimed_again_when_it_shows_as_before(void **state)
{
    struct claim c;

    (void)state;
    begin_one(&c, KIT_BINDING_HELD, "eni-old", KIT_STEP_OPEN);
    assert_int_equal(look_held(&c, "eni-old", "assoc-1"), KIT_VERDICT_AGAIN);
    kit_verify_done(&c.verify);
    begin_one(&c, KIT_BINDING_FREE, "", KIT_STEP_OPEN);
    assert_int_equal(look(&c, KIT_BINDING_FREE, "", "", false), KIT_VERDICT_AGAIN);
    kit_verify_done(&c.verify);
}

static void a_third_holder_needs_two_looks(void **state)
{
    static const enum kit_step_result results[] = {KIT_STEP_DONE, KIT_STEP_OPEN};

    (void)state;
    for (size_t i = 0; i < KIT_LEN(results); i++) {
        struct claim c;

        begin_one(&c, KIT_BINDING_HELD, "eni-old", results[i]);
        assert_int_equal(look_held(&c, "eni-third", "assoc-3"), KIT_VERDICT_WAIT);
        assert_int_equal(look_held(&c, "eni-third", "assoc-3"), KIT_VERDICT_CONFLICT);
        assert_int_equal(c.err.kind, KIT_ERR_CONFLICT);
        fake_assert_text(c.err.msg, "p1: eni-third (i-third)");
        kit_verify_done(&c.verify);
    }
}

/* A planned move: the old node has let go of it, and a replica that lags shows it there still. */
static void whoever_let_go_of_it_may_be_seen_for_a_while(void **state)
{
    struct claim c;

    (void)state;
    begin_one(&c, KIT_BINDING_FREE, "", KIT_STEP_DONE);
    for (int i = 0; i < 5; i++)
        assert_int_equal(look_held(&c, "eni-old", "assoc-0"), KIT_VERDICT_WAIT);
    assert_int_equal(look_held(&c, ME, "assoc-2"), KIT_VERDICT_DONE);
    for (int i = 0; i < 5; i++)
        assert_int_equal(look_held(&c, "eni-third", "assoc-3"), KIT_VERDICT_WAIT);
    assert_int_equal(look_held(&c, "eni-third", "assoc-3"), KIT_VERDICT_CONFLICT);
    fake_assert_text(c.err.msg, "p1: eni-third (i-third)");
    kit_verify_done(&c.verify);
}

static void two_looks_in_a_row(void **state)
{
    struct claim c;

    (void)state;
    begin_one(&c, KIT_BINDING_HELD, "eni-old", KIT_STEP_DONE);
    assert_int_equal(look_held(&c, "eni-third", "assoc-3"), KIT_VERDICT_WAIT);
    assert_int_equal(look_held(&c, "eni-fourth", "assoc-4"), KIT_VERDICT_WAIT); /* another */
    assert_int_equal(look_held(&c, "eni-old", "assoc-1"), KIT_VERDICT_WAIT);    /* stale */
    assert_int_equal(look_held(&c, "eni-fourth", "assoc-4"), KIT_VERDICT_WAIT);
    assert_int_equal(look_held(&c, ME, "assoc-2"), KIT_VERDICT_DONE); /* ours between */
    assert_int_equal(look_held(&c, "eni-fourth", "assoc-4"), KIT_VERDICT_WAIT);
    assert_int_equal(look_held(&c, "eni-fourth", "assoc-4"), KIT_VERDICT_CONFLICT);
    kit_verify_done(&c.verify);
}

static void ours_before_and_now_as_before_may_be_stale(void **state)
{
    struct claim c;

    (void)state;
    begin_one(&c, KIT_BINDING_HELD, "eni-old", KIT_STEP_DONE);
    assert_int_equal(look_held(&c, ME, "assoc-2"), KIT_VERDICT_DONE);
    /* One read came from a replica that was ahead: the next ones lag, and are not believed before
     * the window's end. */
    for (int i = 0; i < 5; i++)
        assert_int_equal(look_held(&c, "eni-old", "assoc-1"), KIT_VERDICT_WAIT);
    assert_int_equal(look_held(&c, ME, "assoc-2"), KIT_VERDICT_DONE);
    kit_verify_done(&c.verify);
}

static void the_old_holder_with_a_new_handle_claimed_it_anew(void **state)
{
    struct claim c;

    (void)state;
    begin_one(&c, KIT_BINDING_HELD, "eni-old", KIT_STEP_DONE);
    assert_int_equal(look_held(&c, "eni-old", "assoc-9"), KIT_VERDICT_WAIT);
    assert_int_equal(look_held(&c, "eni-old", "assoc-9"), KIT_VERDICT_CONFLICT);
    kit_verify_done(&c.verify);
}

static void a_binding_that_was_ours_from_the_start_is_watched_too(void **state)
{
    static const enum kit_step_result results[] = {KIT_STEP_DONE};
    struct kit_facts facts;
    struct claim c;

    (void)state;
    facts_begin(&facts);
    facts_add(&facts, "p1", KIT_BINDING_HELD, ME);
    facts_add(&facts, "p2", KIT_BINDING_HELD, "eni-old");
    begin(&c, &facts, results, KIT_LEN(results));
    for (int i = 0; i < 2; i++) {
        facts_begin(&facts);
        facts_add(&facts, "p1", KIT_BINDING_HELD, "eni-third");
        facts_add(&facts, "p2", KIT_BINDING_HELD, ME);
        assert_int_equal(kit_verify_look(&c.verify, &facts, false, &c.err),
                         i ? KIT_VERDICT_CONFLICT : KIT_VERDICT_WAIT);
        kit_facts_done(&facts);
    }
    fake_assert_text(c.err.msg, "p1");
    kit_verify_done(&c.verify);
}

static void ours_but_not_as_configured_is_still_moving(void **state)
{
    static const enum kit_step_result results[] = {KIT_STEP_DONE};
    struct kit_facts facts;
    struct claim c;

    (void)state;
    facts_begin(&facts);
    facts_add(&facts, "p1", KIT_BINDING_HELD, "eni-old");
    begin(&c, &facts, results, KIT_LEN(results));
    facts_begin(&facts);
    facts_add(&facts, "p1", KIT_BINDING_HELD, ME)->right = false;
    assert_int_equal(kit_verify_look(&c.verify, &facts, false, &c.err), KIT_VERDICT_WAIT);
    assert_int_equal(kit_verify_look(&c.verify, &facts, false, &c.err), KIT_VERDICT_WAIT);
    assert_int_equal(kit_verify_look(&c.verify, &facts, true, &c.err), KIT_VERDICT_CONFLICT);
    kit_facts_done(&facts);
    kit_verify_done(&c.verify);
}

static void one_look_at_a_third_at_the_end_is_no_success(void **state)
{
    struct claim c;

    (void)state;
    begin_one(&c, KIT_BINDING_HELD, "eni-old", KIT_STEP_DONE);
    assert_int_equal(look(&c, KIT_BINDING_HELD, "eni-third", "a-3", true), KIT_VERDICT_CONFLICT);
    assert_int_equal(c.err.kind, KIT_ERR_CONFLICT);
    fake_assert_text(c.err.msg, "p1: eni-third (i-third)");
    kit_verify_done(&c.verify);
}

static void nothing_at_all_is_not_done(void **state)
{
    struct kit_facts facts;
    struct claim c;

    (void)state;
    begin_one(&c, KIT_BINDING_HELD, "eni-old", KIT_STEP_DONE);
    facts_begin(&facts);
    assert_int_equal(kit_verify_look(&c.verify, &facts, false, &c.err), KIT_VERDICT_WAIT);
    assert_int_equal(kit_verify_look(&c.verify, &facts, true, &c.err), KIT_VERDICT_CONFLICT);
    kit_verify_done(&c.verify);
}

/* p1 was acknowledged, p2's answer lost, p3 was ours; p4 appears meanwhile. */
static void only_what_was_lost_or_is_new_is_claimed_again(void **state)
{
    static const enum kit_step_result results[] = {KIT_STEP_DONE, KIT_STEP_OPEN};
    struct kit_facts facts;
    struct kit_plan plan;
    struct claim c;

    (void)state;
    facts_begin(&facts);
    facts_add(&facts, "p1", KIT_BINDING_HELD, "eni-old");
    facts_add(&facts, "p2", KIT_BINDING_HELD, "eni-old");
    facts_add(&facts, "p3", KIT_BINDING_HELD, ME);
    begin(&c, &facts, results, KIT_LEN(results));

    facts_begin(&facts);
    facts_add(&facts, "p1", KIT_BINDING_HELD, "eni-old"); /* stale */
    facts_add(&facts, "p2", KIT_BINDING_HELD, "eni-old");
    facts_add(&facts, "p3", KIT_BINDING_HELD, ME);
    facts_add(&facts, "p4", KIT_BINDING_HELD, "eni-old");
    assert_int_equal(kit_verify_look(&c.verify, &facts, false, &c.err), KIT_VERDICT_AGAIN);
    assert_int_equal(kit_plan_claim(&facts, &plan, &c.err), 0);
    assert_int_equal(plan.count, 3);
    kit_verify_trim(&c.verify, &plan);
    assert_int_equal(plan.count, 2);
    assert_string_equal(kit_step_place(&plan.step[0]), "p2");
    assert_string_equal(kit_step_place(&plan.step[1]), "p4");

    /* Both are acknowledged now: from here on they may be stale. */
    plan.step[0].result = plan.step[1].result = KIT_STEP_DONE;
    kit_verify_claimed(&c.verify, &plan);
    assert_int_equal(kit_verify_look(&c.verify, &facts, false, &c.err), KIT_VERDICT_WAIT);
    kit_plan_done(&plan);
    kit_facts_done(&facts);
    kit_verify_done(&c.verify);
}

static void needs_stay_in_a_trimmed_plan(void **state)
{
    struct kit_facts facts;
    struct kit_plan plan;
    struct claim c;

    (void)state;
    begin_one(&c, KIT_BINDING_HELD, "eni-old", KIT_STEP_DONE);
    facts_begin(&facts);
    facts_add(&facts, "p1", KIT_BINDING_HELD, ME);
    facts_need(&facts);
    assert_int_equal(kit_verify_look(&c.verify, &facts, false, &c.err), KIT_VERDICT_DONE);
    assert_int_equal(kit_plan_claim(&facts, &plan, &c.err), 0);
    kit_verify_trim(&c.verify, &plan);
    assert_int_equal(plan.count, 1);
    assert_non_null(plan.step[0].need);
    kit_plan_done(&plan);
    kit_facts_done(&facts);
    kit_verify_done(&c.verify);
}

static void a_conflict_outweighs_the_rest(void **state)
{
    static const enum kit_step_result results[] = {KIT_STEP_OPEN, KIT_STEP_DONE};
    struct kit_facts facts;
    struct claim c;

    (void)state;
    facts_begin(&facts);
    facts_add(&facts, "p1", KIT_BINDING_HELD, "eni-old");
    facts_add(&facts, "p2", KIT_BINDING_HELD, "eni-old");
    begin(&c, &facts, results, KIT_LEN(results));
    facts_begin(&facts);
    facts_add(&facts, "p1", KIT_BINDING_HELD, "eni-old");
    facts_add(&facts, "p2", KIT_BINDING_HELD, "eni-third");
    assert_int_equal(kit_verify_look(&c.verify, &facts, false, &c.err), KIT_VERDICT_AGAIN);
    assert_int_equal(kit_verify_look(&c.verify, &facts, false, &c.err), KIT_VERDICT_CONFLICT);
    kit_facts_done(&facts);
    kit_verify_done(&c.verify);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ours_is_done),
        cmocka_unit_test(a_stale_read_is_waited_for),
        cmocka_unit_test(a_stale_read_of_each_state_is_waited_for),
        cmocka_unit_test(at_the_windows_end_stale_is_taken_back),
        cmocka_unit_test(a_lost_answer_is_claimed_again_when_it_shows_as_before),
        cmocka_unit_test(a_third_holder_needs_two_looks),
        cmocka_unit_test(whoever_let_go_of_it_may_be_seen_for_a_while),
        cmocka_unit_test(two_looks_in_a_row),
        cmocka_unit_test(ours_before_and_now_as_before_may_be_stale),
        cmocka_unit_test(the_old_holder_with_a_new_handle_claimed_it_anew),
        cmocka_unit_test(a_binding_that_was_ours_from_the_start_is_watched_too),
        cmocka_unit_test(ours_but_not_as_configured_is_still_moving),
        cmocka_unit_test(one_look_at_a_third_at_the_end_is_no_success),
        cmocka_unit_test(nothing_at_all_is_not_done),
        cmocka_unit_test(only_what_was_lost_or_is_new_is_claimed_again),
        cmocka_unit_test(needs_stay_in_a_trimmed_plan),
        cmocka_unit_test(a_conflict_outweighs_the_rest),
    };
    return cmocka_run_group_tests_name("vip/verify", tests, NULL, NULL);
}
