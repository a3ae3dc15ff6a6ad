/* tests/unit/base_clock.c - deadlines, backoff, polling, on a clock of our own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kit/base/clock.h"
#include "kit/base/mem.h"

struct fake {
    int64_t now_ns, slept_ns[64];
    unsigned sleeps;
    double chance;
};

static int64_t fake_now(void *self)
{
    return ((struct fake *)self)->now_ns;
}

static void fake_sleep(void *self, int64_t ns)
{
    struct fake *f = self;

    assert_true(ns > 0);
    assert_true(f->sleeps < KIT_LEN(f->slept_ns));
    f->slept_ns[f->sleeps++] = ns;
    f->now_ns += ns;
}

static double fake_random(void *self)
{
    return ((struct fake *)self)->chance;
}

static struct kit_clock clock_of(struct fake *f)
{
    return (struct kit_clock){.now_ns = fake_now,
                              .wall_ns = fake_now,
                              .sleep_ns = fake_sleep,
                              .random = fake_random,
                              .self = f};
}

static void deadlines(void **state)
{
    struct fake f = {.now_ns = 1000};
    const struct kit_clock clock = clock_of(&f);

    (void)state;
    struct kit_deadline by = kit_deadline_in_ms(&clock, 2);
    assert_int_equal(by.at_ns, 2001000);
    assert_int_equal(kit_deadline_left_ms(&clock, by), 2);
    f.now_ns += 1;
    assert_int_equal(kit_deadline_left_ms(&clock, by), 2); /* rounded up */
    f.now_ns = by.at_ns - 1;
    assert_int_equal(kit_deadline_left_ms(&clock, by), 1);
    assert_false(kit_deadline_passed(&clock, by));
    f.now_ns = by.at_ns;
    assert_int_equal(kit_deadline_left_ms(&clock, by), 0);
    assert_true(kit_deadline_passed(&clock, by));
    f.now_ns += KIT_NS_PER_S;
    assert_int_equal(kit_deadline_left_ms(&clock, by), 0);

    struct kit_deadline late = kit_deadline_in_ms(&clock, 5);
    assert_int_equal(kit_deadline_earlier(by, late).at_ns, by.at_ns);
    assert_int_equal(kit_deadline_earlier(late, by).at_ns, by.at_ns);
}

static void deadlines_do_not_wrap(void **state)
{
    struct fake f = {.now_ns = KIT_NS_PER_S};
    const struct kit_clock clock = clock_of(&f);

    (void)state;
    assert_true(kit_deadline_in_ms(&clock, INT64_MAX).at_ns == INT64_MAX);
    assert_true(kit_deadline_in_ms(&clock, INT64_MIN).at_ns == INT64_MIN);
    assert_true(kit_deadline_in_ms(&clock, INT64_MAX / KIT_NS_PER_MS).at_ns == INT64_MAX);
    assert_true(kit_deadline_passed(&clock, kit_deadline_in_ms(&clock, -1)));
    f.now_ns = -KIT_NS_PER_S;
    assert_true(kit_deadline_left_ms(&clock, (struct kit_deadline){INT64_MAX}) > 0);
}

static void backoff_doubles_up_to_the_cap(void **state)
{
    static const struct kit_backoff policy = {.base_ns = 100, .cap_ns = 1000};
    static const int64_t top[] = {0, 100, 200, 400, 800, 1000, 1000};
    struct fake f = {.chance = 0.0};
    const struct kit_clock clock = clock_of(&f);

    (void)state;
    for (unsigned n = 0; n < KIT_LEN(top); n++) {
        f.chance = 0.0;
        assert_int_equal(kit_backoff_ns(&policy, n, &clock), 0);
        f.chance = 0.5;
        assert_int_equal(kit_backoff_ns(&policy, n, &clock), top[n] / 2);
        f.chance = 0x1.fffffffffffffp-1; /* the largest below 1 */
        assert_in_range(kit_backoff_ns(&policy, n, &clock), n ? top[n] - 1 : 0, top[n]);
    }
    f.chance = 0.5;
    assert_int_equal(kit_backoff_ns(&policy, 4000000000U, &clock), 500);
    const struct kit_backoff vast = {.base_ns = INT64_MAX / 3, .cap_ns = INT64_MAX};
    assert_true(kit_backoff_ns(&vast, 70, &clock) > INT64_MAX / 4);
    const struct kit_backoff none = {0};
    assert_int_equal(kit_backoff_ns(&none, 4000000000U, &clock), 0);
}

struct asked {
    unsigned times, done_at, fail_at;
};

static int ask(void *arg, struct kit_err *err)
{
    struct asked *a = arg;

    a->times++;
    if (a->times == a->fail_at)
        return kit_err_set(err, KIT_ERR_DENIED, "no");
    return a->times == a->done_at;
}

static void polling_waits_longer_each_time(void **state)
{
    static const struct kit_poll policy = {.first_ms = 10, .cap_ms = 50};
    static const int64_t expect_ms[] = {10, 20, 40, 50, 50};
    struct fake f = {0};
    const struct kit_clock clock = clock_of(&f);
    struct asked a = {.done_at = 6};
    struct kit_err err;

    (void)state;
    assert_int_equal(
        kit_poll_until(&policy, &clock, kit_deadline_in_ms(&clock, 10000), ask, &a, &err), 0);
    assert_int_equal(a.times, 6);
    assert_int_equal(f.sleeps, KIT_LEN(expect_ms));
    for (unsigned i = 0; i < KIT_LEN(expect_ms); i++)
        assert_int_equal(f.slept_ns[i], expect_ms[i] * KIT_NS_PER_MS);
}

static void polling_stops_at_the_deadline(void **state)
{
    static const struct kit_poll policy = {.first_ms = 10, .cap_ms = 50};
    struct fake f = {0};
    const struct kit_clock clock = clock_of(&f);
    struct kit_deadline by = kit_deadline_in_ms(&clock, 33);
    struct asked a = {0};
    struct kit_err err;

    (void)state;
    assert_int_equal(kit_poll_until(&policy, &clock, by, ask, &a, &err), -1);
    assert_int_equal(err.kind, KIT_ERR_TIMEOUT);
    assert_int_equal(f.now_ns, by.at_ns); /* 10 + 20 + 3: not a nanosecond past it */
    assert_int_equal(a.times, 4);         /* the last one at the deadline */

    /* With nothing left it asks once and never sleeps. */
    a = (struct asked){0};
    f.sleeps = 0;
    assert_int_equal(kit_poll_until(&policy, &clock, by, ask, &a, &err), -1);
    assert_int_equal(a.times, 1);
    assert_int_equal(f.sleeps, 0);
    a = (struct asked){.done_at = 1};
    assert_int_equal(kit_poll_until(&policy, &clock, by, ask, &a, &err), 0);
}

static void polling_passes_errors_on(void **state)
{
    static const struct kit_poll policy = {.first_ms = 0, .cap_ms = 0}; /* still makes progress */
    struct fake f = {0};
    const struct kit_clock clock = clock_of(&f);
    struct asked a = {.fail_at = 3, .done_at = 4};
    struct kit_err err;

    (void)state;
    assert_int_equal(
        kit_poll_until(&policy, &clock, kit_deadline_in_ms(&clock, 1000), ask, &a, &err), -1);
    assert_int_equal(err.kind, KIT_ERR_DENIED);
    assert_int_equal(a.times, 3);
    assert_int_equal(f.slept_ns[1], KIT_NS_PER_MS);
}

static void the_real_clock_runs(void **state)
{
    int64_t before = kit_clock_now_ns(&kit_clock_real), wall = kit_clock_wall_ns(&kit_clock_real);
    double low = 1.0, high = 0.0;

    (void)state;
    kit_clock_real.sleep_ns(kit_clock_real.self, 1000);
    kit_clock_real.sleep_ns(kit_clock_real.self, -5);
    assert_true(kit_clock_now_ns(&kit_clock_real) > before);
    assert_true(wall > INT64_C(1700000000) * KIT_NS_PER_S);
    for (int i = 0; i < 1000; i++) {
        double r = kit_clock_real.random(kit_clock_real.self);
        assert_true(r >= 0.0 && r < 1.0);
        low = r < low ? r : low;
        high = r > high ? r : high;
    }
    /* Misses by chance once in 10^45 runs. */
    assert_true(low < 0.1 && high > 0.9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(deadlines),
        cmocka_unit_test(deadlines_do_not_wrap),
        cmocka_unit_test(backoff_doubles_up_to_the_cap),
        cmocka_unit_test(polling_waits_longer_each_time),
        cmocka_unit_test(polling_stops_at_the_deadline),
        cmocka_unit_test(polling_passes_errors_on),
        cmocka_unit_test(the_real_clock_runs),
    };
    return cmocka_run_group_tests_name("base_clock", tests, NULL, NULL);
}
