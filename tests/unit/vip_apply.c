/* tests/unit/vip_apply.c - bring it here and see it here, on a cloud that misbehaves. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/vip_world.h"

#define MINUTE_MS (60 * 1000)

static void assert_slept(const struct world *w, const int64_t *naps_ms, size_t count)
{
    assert_int_equal(w->clock.sleeps, count);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(w->clock.slept_ns[i], naps_ms[i] * KIT_NS_PER_MS);
    assert_int_equal(w->told_waits, count);
}

/* ---- claim ----------------------------------------------------------------------------------- */

static void here_is_left_alone(void **state)
{
    struct world *w = world_begin(MINUTE_MS);
    struct kit_err err;
    bool changed = true;

    (void)state;
    world_add(w, "p1", ME);
    world_add(w, "p2", ME);
    assert_int_equal(kit_vip_claim(&w->vip, &changed, &err), 0);
    assert_false(changed);
    assert_int_equal(w->claims, 0);
    assert_int_equal(w->looks, 1);
    assert_int_equal(w->told_facts, 1);
    free(w);
}

static void all_places_are_moved_at_once_and_seen(void **state)
{
    struct world *w = world_begin(MINUTE_MS);
    struct kit_err err;
    bool changed = false;

    (void)state;
    world_add(w, "p1", "eni-old");
    world_add(w, "p2", ME);
    world_add(w, "p3", "");
    w->check_on = true;
    assert_int_equal(kit_vip_claim(&w->vip, &changed, &err), 0);
    assert_true(changed);
    assert_int_equal(w->claims, 1);
    assert_int_equal(w->steps, 3);
    assert_string_equal(w->stepped[0], "check");
    assert_string_equal(w->stepped[1], "p1");
    assert_string_equal(w->stepped[2], "p3");
    assert_int_equal(w->looks, 2);
    assert_int_equal(w->look_for_claim, 1); /* the second look needs only the places */
    assert_int_equal(w->told_steps, 3);
    assert_slept(w, NULL, 0);
    assert_false(w->check_on);
    free(w);
}

static void without_an_observer_it_works_too(void **state)
{
    struct world *w = world_begin(MINUTE_MS);
    struct kit_err err;
    bool changed = false;

    (void)state;
    w->vip.observer = NULL;
    w->stale_looks = 1;
    world_add(w, "p1", "eni-old");
    assert_int_equal(kit_vip_claim(&w->vip, &changed, &err), 0);
    assert_string_equal(world_holder(w, "p1"), ME);
    free(w);
}

static enum fault first_p1_lost_done(struct world *w, const char *place)
{
    return w->claims + w->releases == 1 && kit_str_eq(place, "p1") ? FAULT_LOST_DONE : FAULT_NONE;
}

static enum fault first_p1_lost(struct world *w, const char *place)
{
    return w->claims + w->releases == 1 && kit_str_eq(place, "p1") ? FAULT_LOST : FAULT_NONE;
}

static enum fault p2_fails(struct world *w, const char *place)
{
    (void)w;
    return kit_str_eq(place, "p2") ? FAULT_FAIL : FAULT_NONE;
}

static enum fault always_lost(struct world *w, const char *place)
{
    (void)w;
    (void)place;
    return FAULT_LOST;
}

static enum fault first_check_lost(struct world *w, const char *place)
{
    return w->claims == 1 && kit_str_eq(place, "check") ? FAULT_LOST : FAULT_NONE;
}

static void a_lost_answer_to_a_change_that_was_made_is_success(void **state)
{
    struct world *w = world_begin(MINUTE_MS);
    struct kit_err err;
    bool changed = false;

    (void)state;
    w->fault = first_p1_lost_done;
    world_add(w, "p1", "eni-old");
    world_add(w, "p2", "eni-old");
    assert_int_equal(kit_vip_claim(&w->vip, &changed, &err), 0);
    assert_true(changed);
    assert_int_equal(w->claims, 1);
    assert_slept(w, NULL, 0);
    free(w);
}

static void a_lost_change_is_made_again_after_a_look(void **state)
{
    static const int64_t naps_ms[] = {100};
    struct world *w = world_begin(MINUTE_MS);
    struct kit_err err;
    bool changed = false;

    (void)state;
    w->fault = first_p1_lost;
    world_add(w, "p1", "eni-old");
    world_add(w, "p2", "eni-old");
    assert_int_equal(kit_vip_claim(&w->vip, &changed, &err), 0);
    assert_int_equal(w->claims, 2);
    assert_int_equal(w->steps, 1); /* p2 is here: not touched again */
    assert_string_equal(w->stepped[0], "p1");
    assert_string_equal(world_holder(w, "p1"), ME);
    assert_slept(w, naps_ms, KIT_LEN(naps_ms));
    free(w);
}

static void a_lost_change_is_made_again_without_those_that_are_only_stale(void **state)
{
    struct world *w = world_begin(MINUTE_MS);
    struct kit_err err;
    bool changed = false;

    (void)state;
    w->fault = first_p1_lost;
    w->stale_looks = 1;
    world_add(w, "p1", "eni-old");
    world_add(w, "p2", "eni-old");
    assert_int_equal(kit_vip_claim(&w->vip, &changed, &err), 0);
    assert_int_equal(w->claims, 2);
    assert_int_equal(w->steps, 1); /* the cloud had said yes to p2 */
    assert_string_equal(w->stepped[0], "p1");
    free(w);
}

static void the_window_begins_with_the_answer(void **state)
{
    struct world *w = world_begin(10 * MINUTE_MS);
    struct kit_err err;
    bool changed = false;

    (void)state;
    w->slow_change_ms = 45000; /* throttled, say */
    w->stale_looks = 3;
    world_add(w, "p1", "eni-old");
    if (kit_vip_claim(&w->vip, &changed, &err))
        fail_msg("%s", err.msg);
    assert_int_equal(w->claims, 1);
    free(w);
}

static void answers_that_are_always_lost_end_with_the_deadline(void **state)
{
    struct world *w = world_begin(10000);
    int64_t start_ns = w->clock.now_ns;
    struct kit_err err;
    bool changed = false;

    (void)state;
    w->fault = always_lost;
    world_add(w, "p1", "eni-old");
    assert_int_equal(kit_vip_claim(&w->vip, &changed, &err), -1);
    assert_true(changed);
    assert_int_equal(err.kind, KIT_ERR_TIMEOUT);
    fake_assert_text(err.msg, "p1: no answer to our claim");
    assert_true(w->claims >= 6);
    assert_true(w->clock.now_ns - start_ns <= 10 * KIT_NS_PER_S);
    free(w);
}

static void a_stale_cloud_is_waited_for(void **state)
{
    static const int64_t naps_ms[] = {100, 200, 400, 800, 1600, 2000, 2000};
    struct world *w = world_begin(MINUTE_MS);
    struct kit_err err;
    bool changed = false;

    (void)state;
    w->stale_looks = KIT_LEN(naps_ms);
    world_add(w, "p1", "eni-old");
    assert_int_equal(kit_vip_claim(&w->vip, &changed, &err), 0);
    assert_int_equal(w->claims, 1);
    assert_int_equal(w->looks, 2 + KIT_LEN(naps_ms));
    assert_slept(w, naps_ms, KIT_LEN(naps_ms));
    free(w);
}

static void a_window_later_stale_means_taken_back(void **state)
{
    struct world *w = world_begin(10 * MINUTE_MS);
    int64_t start_ns = w->clock.now_ns;
    struct kit_err err;
    bool changed = false;

    (void)state;
    w->stale_looks = 1000000;
    world_add(w, "p1", "eni-old");
    assert_int_equal(kit_vip_claim(&w->vip, &changed, &err), -1);
    assert_int_equal(err.kind, KIT_ERR_CONFLICT);
    fake_assert_text(err.msg, "eni-old (i-old)");
    assert_int_equal(w->claims, 1);
    int64_t took_ns = w->clock.now_ns - start_ns;
    assert_true(took_ns <= 30 * KIT_NS_PER_S && took_ns >= 27 * KIT_NS_PER_S);
    free(w);
}

static void a_deadline_before_the_windows_end_comes_first(void **state)
{
    struct world *w = world_begin(1000);
    int64_t start_ns = w->clock.now_ns;
    struct kit_err err;
    bool changed = false;

    (void)state;
    w->stale_looks = 1000000;
    world_add(w, "p1", "eni-old");
    assert_int_equal(kit_vip_claim(&w->vip, &changed, &err), -1);
    assert_true(w->clock.now_ns - start_ns <= KIT_NS_PER_S);
    free(w);
}

static void third_takes_it(struct world *w)
{
    if (w->looks == 3)
        world_take(w, "p1", "eni-third");
}

static void another_nodes_claim_is_not_fought(void **state)
{
    struct world *w = world_begin(MINUTE_MS);
    struct kit_err err;
    bool changed = false;

    (void)state;
    w->stale_looks = 1;
    w->meanwhile = third_takes_it;
    world_add(w, "p1", "eni-old");
    assert_int_equal(kit_vip_claim(&w->vip, &changed, &err), -1);
    assert_int_equal(err.kind, KIT_ERR_CONFLICT);
    fake_assert_text(err.msg, "p1: eni-third (i-third)");
    assert_int_equal(w->claims, 1);
    assert_int_equal(w->looks, 4);
    assert_string_equal(world_holder(w, "p1"), "eni-third");
    free(w);
}

static void what_failed_is_told_with_what_was_done(void **state)
{
    struct world *w = world_begin(MINUTE_MS);
    struct kit_err err;
    bool changed = false;

    (void)state;
    w->fault = p2_fails;
    world_add(w, "p1", "eni-old");
    world_add(w, "p2", "eni-old");
    world_add(w, "p3", "eni-old");
    assert_int_equal(kit_vip_claim(&w->vip, &changed, &err), -1);
    assert_true(changed);
    assert_int_equal(err.kind, KIT_ERR_DENIED);
    assert_string_equal(err.msg, "2 of 3 changes done: p2: Change: may not");
    assert_int_equal(w->told_steps, 3);
    /* What was moved stays; the next run moves the rest. */
    assert_string_equal(world_holder(w, "p1"), ME);
    assert_string_equal(world_holder(w, "p3"), ME);
    w->fault = NULL;
    assert_int_equal(kit_vip_claim(&w->vip, &changed, &err), 0);
    assert_int_equal(w->claims, 2);
    assert_int_equal(w->steps, 1);
    assert_string_equal(w->stepped[0], "p2");
    free(w);
}

static void a_single_failure_needs_no_count(void **state)
{
    struct world *w = world_begin(MINUTE_MS);
    struct kit_err err;
    bool changed = false;

    (void)state;
    w->fault = p2_fails;
    world_add(w, "p2", "eni-old");
    assert_int_equal(kit_vip_claim(&w->vip, &changed, &err), -1);
    assert_string_equal(err.msg, "p2: Change: may not");
    free(w);
}

static void p9_appears(struct world *w)
{
    if (w->looks == 2)
        world_add(w, "p9", "eni-old");
}

static void a_place_that_appears_is_claimed_as_well(void **state)
{
    struct world *w = world_begin(MINUTE_MS);
    struct kit_err err;
    bool changed = false;

    (void)state;
    w->meanwhile = p9_appears;
    world_add(w, "p1", "eni-old");
    assert_int_equal(kit_vip_claim(&w->vip, &changed, &err), 0);
    assert_int_equal(w->claims, 2);
    assert_string_equal(w->stepped[0], "p9");
    assert_string_equal(world_holder(w, "p9"), ME);
    free(w);
}

static void a_need_whose_answer_was_lost_is_looked_at_again(void **state)
{
    struct world *w = world_begin(MINUTE_MS);
    struct kit_err err;
    bool changed = false;

    (void)state;
    w->fault = first_check_lost;
    w->check_on = true;
    world_add(w, "p1", "eni-old");
    assert_int_equal(kit_vip_claim(&w->vip, &changed, &err), 0);
    assert_false(w->check_on);
    assert_int_equal(w->claims, 2);
    assert_int_equal(w->steps, 1);
    assert_string_equal(w->stepped[0], "check");
    assert_int_equal(w->look_for_claim, 2);
    free(w);
}

static void a_refused_plan_changes_nothing(void **state)
{
    struct world *w = world_begin(MINUTE_MS);
    struct kit_err err;
    bool changed = true;

    (void)state;
    w->rule_broken = true;
    world_add(w, "p1", "eni-old");
    assert_int_equal(kit_vip_claim(&w->vip, &changed, &err), -1);
    assert_int_equal(err.kind, KIT_ERR_CONFIG);
    assert_false(changed);
    assert_int_equal(w->claims, 0);
    free(w);
}

static void a_look_that_fails_is_told_for_what_it_was(void **state)
{
    static const char *const before[] = {"cannot look", "may not look"};
    static const char *const after[] = {"changed, but could not see the result: cannot look",
                                        "changed, but could not see the result: may not look"};

    (void)state;
    for (unsigned query = 0; query < 2; query++) {
        for (unsigned n = 1; n <= 2; n++) {
            struct world *w = world_begin(MINUTE_MS);
            struct kit_err err;
            bool changed = false;

            world_add(w, "p1", "eni-old");
            w->fail_look = n;
            w->fail_query = query;
            assert_int_equal(kit_vip_claim(&w->vip, &changed, &err), -1);
            assert_int_equal(changed, n == 2);
            assert_string_equal(err.msg, n == 1 ? before[query] : after[query]);
            assert_int_equal(err.kind, query ? KIT_ERR_DENIED : KIT_ERR_TRANSIENT);
            free(w);
        }
    }
}

/* ---- whatever happens ------------------------------------------------------------------------ */

static enum fault by_chance(struct world *w, const char *place)
{
    static const enum fault faults[] = {FAULT_NONE, FAULT_NONE, FAULT_NONE, FAULT_LOST_DONE,
                                        FAULT_LOST};

    (void)place;
    return faults[fake_number(&w->seed) % KIT_LEN(faults)];
}

static void with_nobody_else_it_always_gets_here(void **state)
{
    (void)state;
    for (uint64_t round = 1; round <= 3000; round++) {
        static const char *const holders[] = {"eni-a", "eni-b", ME, ""};
        static const char *const names[PLACES] = {"p1", "p2", "p3", "p4", "p5", "p6"};
        struct world *w = world_begin(10 * MINUTE_MS);
        struct kit_err err;
        bool changed;

        w->seed = round;
        w->fault = by_chance;
        w->stale_looks = (unsigned)(fake_number(&w->seed) % 6);
        w->check_on = fake_number(&w->seed) % 2;
        for (size_t n = 1 + fake_number(&w->seed) % PLACES; n; n--)
            world_add(w, names[n - 1], holders[fake_number(&w->seed) % KIT_LEN(holders)]);
        if (kit_vip_claim(&w->vip, &changed, &err))
            fail_msg("round %d: %s", (int)round, err.msg);
        for (size_t i = 0; i < w->count; i++)
            assert_string_equal(w->place[i].holder, ME);
        assert_false(w->check_on);
        assert_int_equal(changed, w->claims > 0);
        free(w);
    }
}

/* Takes p1 once, at a look that chance names, and is not to lose it. */
static void a_rival_comes(struct world *w)
{
    if (w->looks == 1 + w->seed % 3)
        world_take(w, "p1", "eni-rival");
}

static void a_rival_that_was_later_keeps_it(void **state)
{
    (void)state;
    for (uint64_t round = 0; round < 9; round++) {
        struct world *w = world_begin(10 * MINUTE_MS);
        struct kit_err err;
        bool changed;

        w->seed = round;
        w->meanwhile = a_rival_comes;
        w->stale_looks = (unsigned)(round / 3);
        world_add(w, "p1", "eni-old");
        int rc = kit_vip_claim(&w->vip, &changed, &err);
        unsigned came_at = (unsigned)(1 + round % 3);
        if (came_at == 1 || came_at > 2 + w->stale_looks) {
            /* Before our claim, or after we had seen ours: nothing to see. */
            assert_int_equal(rc, 0);
        } else {
            assert_int_equal(rc, -1);
            assert_int_equal(err.kind, KIT_ERR_CONFLICT);
            assert_string_equal(world_holder(w, "p1"), "eni-rival");
        }
        assert_int_equal(w->claims, 1); /* no fight */
        free(w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(here_is_left_alone),
        cmocka_unit_test(all_places_are_moved_at_once_and_seen),
        cmocka_unit_test(without_an_observer_it_works_too),
        cmocka_unit_test(a_lost_answer_to_a_change_that_was_made_is_success),
        cmocka_unit_test(a_lost_change_is_made_again_after_a_look),
        cmocka_unit_test(a_lost_change_is_made_again_without_those_that_are_only_stale),
        cmocka_unit_test(the_window_begins_with_the_answer),
        cmocka_unit_test(answers_that_are_always_lost_end_with_the_deadline),
        cmocka_unit_test(a_stale_cloud_is_waited_for),
        cmocka_unit_test(a_window_later_stale_means_taken_back),
        cmocka_unit_test(a_deadline_before_the_windows_end_comes_first),
        cmocka_unit_test(another_nodes_claim_is_not_fought),
        cmocka_unit_test(what_failed_is_told_with_what_was_done),
        cmocka_unit_test(a_single_failure_needs_no_count),
        cmocka_unit_test(a_place_that_appears_is_claimed_as_well),
        cmocka_unit_test(a_need_whose_answer_was_lost_is_looked_at_again),
        cmocka_unit_test(a_refused_plan_changes_nothing),
        cmocka_unit_test(a_look_that_fails_is_told_for_what_it_was),
        cmocka_unit_test(with_nobody_else_it_always_gets_here),
        cmocka_unit_test(a_rival_that_was_later_keeps_it),
    };
    return cmocka_run_group_tests_name("vip/apply, claim", tests, NULL, NULL);
}
