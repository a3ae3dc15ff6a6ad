/* tests/unit/vip_release.c - take what is ours off us, and see it gone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/vip_world.h"

#define MINUTE_MS (60 * 1000)

struct end {
    int rc;
    bool changed, held;
    struct kit_err err;
};

static struct end release(struct world *w)
{
    struct end e = {.changed = true, .held = true};

    e.rc = kit_vip_release(&w->vip, &e.changed, &e.held, &e.err);
    return e;
}

static enum fault first_lost_done(struct world *w, const char *place)
{
    (void)place;
    return w->releases == 1 ? FAULT_LOST_DONE : FAULT_NONE;
}

static enum fault first_lost(struct world *w, const char *place)
{
    (void)place;
    return w->releases == 1 ? FAULT_LOST : FAULT_NONE;
}

static enum fault fails(struct world *w, const char *place)
{
    (void)w;
    (void)place;
    return FAULT_FAIL;
}

static void what_is_not_ours_is_left_alone(void **state)
{
    struct world *w = world_begin(MINUTE_MS);

    (void)state;
    world_add(w, "p1", "eni-old");
    world_add(w, "p2", "");
    struct end e = release(w);
    assert_int_equal(e.rc, 0);
    assert_false(e.changed);
    assert_false(e.held);
    assert_int_equal(w->releases, 0);
    free(w);
}

static void ours_alone_is_released_and_seen_gone(void **state)
{
    struct world *w = world_begin(MINUTE_MS);

    (void)state;
    world_add(w, "p1", "eni-old");
    world_add(w, "p2", ME);
    struct end e = release(w);
    assert_int_equal(e.rc, 0);
    assert_true(e.changed);
    assert_false(e.held);
    assert_int_equal(w->releases, 1);
    assert_int_equal(w->steps, 1);
    assert_int_equal(w->looks, 2);
    assert_int_equal(w->look_for_claim, 0);
    assert_string_equal(world_holder(w, "p1"), "eni-old");
    assert_string_equal(world_holder(w, "p2"), "");
    assert_int_equal(w->clock.sleeps, 0);
    free(w);
}

static void lost_answers_end_in_success(void **state)
{
    (void)state;
    for (int done = 0; done < 2; done++) {
        struct world *w = world_begin(MINUTE_MS);

        w->fault = done ? first_lost_done : first_lost;
        world_add(w, "p1", ME);
        struct end e = release(w);
        assert_int_equal(e.rc, 0);
        assert_true(e.changed);
        assert_int_equal(w->releases, done ? 1 : 2);
        assert_int_equal(w->clock.sleeps, done ? 0 : 1);
        assert_string_equal(world_holder(w, "p1"), "");
        free(w);
    }
}

static void what_is_shown_still_is_released_again(void **state)
{
    static const int64_t naps_ms[] = {100, 200, 400};
    struct world *w = world_begin(MINUTE_MS);

    (void)state;
    world_add(w, "p1", ME);
    w->stale_looks = KIT_LEN(naps_ms);
    struct end e = release(w);
    assert_int_equal(e.rc, 0);
    assert_false(e.held);
    assert_int_equal(w->releases, 1 + KIT_LEN(naps_ms));
    assert_int_equal(w->clock.sleeps, KIT_LEN(naps_ms));
    for (unsigned i = 0; i < KIT_LEN(naps_ms); i++)
        assert_int_equal(w->clock.slept_ns[i], naps_ms[i] * KIT_NS_PER_MS);
    assert_int_equal(w->told_waits, KIT_LEN(naps_ms));
    free(w);
}

static void shown_for_a_whole_window_it_is_held(void **state)
{
    static const int64_t deadlines_ms[] = {10 * MINUTE_MS, 5000};

    (void)state;
    for (size_t i = 0; i < KIT_LEN(deadlines_ms); i++) {
        struct world *w = world_begin(deadlines_ms[i]);
        int64_t start_ns = w->clock.now_ns;

        world_add(w, "p1", ME);
        w->stale_looks = 1000000;
        struct end e = release(w);
        assert_int_equal(e.rc, -1);
        assert_true(e.changed);
        assert_true(e.held);
        assert_int_equal(e.err.kind, KIT_ERR_CONFLICT);
        fake_assert_text(e.err.msg,
                         "p1: the cloud said yes to our release, and still shows it here");
        int64_t most_ns = (deadlines_ms[i] < 30000 ? 5 : 30) * KIT_NS_PER_S;
        assert_true(w->clock.now_ns - start_ns <= most_ns);
        assert_true(w->clock.now_ns - start_ns >= most_ns * 3 / 5);
        free(w);
    }
}

static void the_window_begins_with_the_release(void **state)
{
    struct world *w = world_begin(10 * MINUTE_MS);

    (void)state;
    w->slow_look_ms = 45000; /* throttled, say */
    w->stale_looks = 2;
    world_add(w, "p1", ME);
    struct end e = release(w);
    assert_int_equal(e.rc, 0);
    assert_int_equal(w->releases, 3);
    free(w);
}

static void a_refused_release_is_held(void **state)
{
    struct world *w = world_begin(MINUTE_MS);

    (void)state;
    w->fault = fails;
    world_add(w, "p1", ME);
    struct end e = release(w);
    assert_int_equal(e.rc, -1);
    assert_true(e.held);
    assert_int_equal(e.err.kind, KIT_ERR_DENIED);
    assert_string_equal(e.err.msg, "p1: Change: may not");
    assert_int_equal(w->looks, 1);
    free(w);
}

static void what_cannot_be_seen_is_not_known_to_be_held(void **state)
{
    (void)state;
    for (unsigned n = 1; n <= 2; n++) {
        struct world *w = world_begin(MINUTE_MS);

        w->fail_look = n;
        world_add(w, "p1", ME);
        struct end e = release(w);
        assert_int_equal(e.rc, -1);
        assert_int_equal(e.changed, n == 2);
        assert_false(e.held);
        assert_string_equal(e.err.msg, n == 1
                                           ? "cannot look"
                                           : "released, but could not see the result: cannot look");
        assert_int_equal(e.err.kind, KIT_ERR_TRANSIENT);
        free(w);
    }
}

static void it_goes_to_another_meanwhile(struct world *w)
{
    if (w->looks == 2)
        world_take(w, "p1", "eni-third");
}

static void gone_to_another_is_gone(void **state)
{
    struct world *w = world_begin(MINUTE_MS);

    (void)state;
    w->fault = first_lost;
    w->meanwhile = it_goes_to_another_meanwhile;
    world_add(w, "p1", ME);
    struct end e = release(w);
    assert_int_equal(e.rc, 0);
    assert_int_equal(w->releases, 1);
    assert_string_equal(world_holder(w, "p1"), "eni-third");
    free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_not_ours_is_left_alone),
        cmocka_unit_test(ours_alone_is_released_and_seen_gone),
        cmocka_unit_test(lost_answers_end_in_success),
        cmocka_unit_test(what_is_shown_still_is_released_again),
        cmocka_unit_test(shown_for_a_whole_window_it_is_held),
        cmocka_unit_test(the_window_begins_with_the_release),
        cmocka_unit_test(a_refused_release_is_held),
        cmocka_unit_test(what_cannot_be_seen_is_not_known_to_be_held),
        cmocka_unit_test(gone_to_another_is_gone),
    };
    return cmocka_run_group_tests_name("vip/apply, release", tests, NULL, NULL);
}
