/* tests/unit/cloud_call.c - one call: when it is sent, what is tried again and when. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <inttypes.h>

#include <cmocka.h>

#include "tests/unit/cloud_call.h"

/* ---- the ordinary ---------------------------------------------------------------------------- */

static void many_calls_are_one_round(void **state)
{
    struct test *t = begin();
    struct kit_err err;

    (void)state;
    for (int i = 0; i < 20; i++)
        add_same(t, false, (struct fake_answer)ANSWER(OK));
    assert_int_equal(run(t, 60000, &err), 0);
    assert_int_equal(t->caller.stats.calls, 20);
    assert_int_equal(t->caller.stats.rounds, 1);
    assert_int_equal(t->caller.stats.metadata, 0);
    assert_int_equal(t->caller.stats.throttled, 0);
    assert_int_equal(t->net.most_flying, 8);
    assert_int_equal(t->clock.sleeps, 0);
    for (int i = 0; i < 20; i++) {
        assert_false(t->one[i].call.failed);
        assert_int_equal(t->one[i].call.tries, 1);
    }
    assert_int_equal(t->net.request[0].timeout_ms, 10000);
    assert_int_equal(t->net.request[0].connect_timeout_ms, 3000);
    finish(t);
}

static void no_calls_are_no_round(void **state)
{
    struct test *t = begin();
    struct kit_err err;

    (void)state;
    assert_int_equal(run(t, 1000, &err), 0);
    assert_int_equal(t->caller.stats.rounds, 0);
    finish(t);
}

static void metadata_is_counted_apart(void **state)
{
    struct test *t = begin();
    struct kit_err err;

    (void)state;
    add_same(t, false, (struct fake_answer)ANSWER(OK))->call.metadata = true;
    assert_int_equal(run(t, 1000, &err), 0);
    assert_int_equal(t->caller.stats.metadata, 1);
    assert_int_equal(t->caller.stats.calls, 0);
    assert_int_equal(t->caller.stats.rounds, 0);
    finish(t);
}

static void a_try_ends_with_the_deadline(void **state)
{
    struct test *t = begin();
    struct kit_err err;

    (void)state;
    add_same(t, false, (struct fake_answer)ANSWER(OK));
    assert_int_equal(run(t, 1234, &err), 0);
    assert_int_equal(t->net.request[0].timeout_ms, 1234);
    finish(t);
}

static void what_cannot_be_sent_fails_alone(void **state)
{
    struct test *t = begin();
    struct kit_err err;

    (void)state;
    add_same(t, true, (struct fake_answer){.how = FAKE_NO_START});
    add_same(t, false, (struct fake_answer)ANSWER(OK))->refuse_to_encode = true;
    add_same(t, false, (struct fake_answer)ANSWER(OK));
    assert_int_equal(run(t, 1000, &err), -1);
    assert_true(t->one[0].call.failed && t->one[1].call.failed && !t->one[2].call.failed);
    assert_int_equal(t->one[0].call.err.kind, KIT_ERR_CONFIG);
    assert_false(t->one[0].call.err.outcome_open);
    assert_int_equal(t->one[1].call.err.kind, KIT_ERR_REFUSED);
    assert_int_equal(t->caller.stats.calls, 1);
    finish(t);
}

static void the_first_failure_in_order_is_told(void **state)
{
    struct test *t = begin();
    struct kit_err err;

    (void)state;
    add_same(t, false, (struct fake_answer)ANSWER(OK));
    add_same(t, false, (struct fake_answer){.status = DENIED, .after_ms = 50});
    add_same(t, false, (struct fake_answer){.status = REFUSED, .after_ms = 5});
    assert_int_equal(run(t, 1000, &err), -1);
    assert_int_equal(err.kind, KIT_ERR_DENIED);
    assert_string_equal(err.msg, "2 of 3 calls failed, the first: Look: status 403");
    t->one[2].script[0].status = OK;
    assert_int_equal(run(t, 1000, &err), -1);
    assert_string_equal(err.msg, "Look: status 403");
    finish(t);
}

/* ---- waits ----------------------------------------------------------------------------------- */

/* The waits between the tries of the only call; each try takes 1 ms. */
static void assert_waits(const struct test *t, const int64_t *waits_ms, size_t count)
{
    assert_true(t->net.requests > count);
    for (size_t i = 0; i < count; i++) {
        int64_t gap_ns = t->net.request[i + 1].at_ns - t->net.request[i].at_ns - MS;
        if (gap_ns > waits_ms[i] * MS || gap_ns < waits_ms[i] * MS - waits_ms[i] * MS / 1000)
            fail_msg("wait %zu: %" PRId64 " ns", i, gap_ns);
    }
}

static void waits_double_up_to_a_cap(void **state)
{
    static const int64_t failure_ms[] = {50, 100, 200, 400, 800, 1600, 3200, 5000, 5000};
    static const int64_t throttle_ms[] = {1000, 2000, 4000, 8000, 16000, 20000, 20000};
    struct test *t = begin();
    struct kit_err err;

    (void)state;
    add_same(t, false, (struct fake_answer)ANSWER(BROKEN));
    assert_int_equal(run(t, 60000, &err), -1);
    assert_waits(t, failure_ms, KIT_LEN(failure_ms));
    assert_int_equal(t->caller.stats.throttled, 0);
    finish(t);

    t = begin();
    add_same(t, true, (struct fake_answer)ANSWER(SLOW));
    assert_int_equal(run(t, 90000, &err), -1);
    assert_waits(t, throttle_ms, KIT_LEN(throttle_ms));
    assert_int_equal(t->caller.stats.throttled, t->net.requests);
    assert_int_equal(t->caller.stats.calls, t->net.requests);
    assert_int_equal(t->caller.stats.rounds, 1);
    finish(t);
}

static void the_servers_wish_is_the_least_wait(void **state)
{
    static const struct {
        int64_t wish_ms, wait_ms;
    } rows[] = {{7000, 7000}, {10, 1000}, {1000, 1000}};

    (void)state;
    for (size_t i = 0; i < KIT_LEN(rows); i++) {
        const struct fake_answer script[] = {{.status = SLOW, .retry_after_ms = rows[i].wish_ms},
                                             ANSWER(OK)};
        struct test *t = begin();
        struct kit_err err;

        add(t, false, script, 2);
        assert_int_equal(run(t, 60000, &err), 0);
        assert_waits(t, &rows[i].wait_ms, 1);
        finish(t);
    }
}

static void no_wait_beyond_the_deadline(void **state)
{
    struct test *t = begin();
    struct kit_err err;

    (void)state;
    add_same(t, false, (struct fake_answer){.status = SLOW, .retry_after_ms = 3600 * 1000});
    int64_t start_ns = t->clock.now_ns;
    assert_int_equal(run(t, 60000, &err), -1);
    assert_int_equal(t->net.requests, 1);
    assert_int_equal(t->clock.now_ns - start_ns, MS); /* the answer is known: not waited for */
    assert_int_equal(err.kind, KIT_ERR_THROTTLED);
    fake_assert_text(err.msg, "no time left for another try");
    fake_assert_text(err.msg, "Look: status 429");
    finish(t);
}

static void tries_are_limited(void **state)
{
    struct test *t = begin();
    struct kit_err err;

    (void)state;
    t->caller.policy.max_tries = 3;
    add_same(t, false, (struct fake_answer)ANSWER(BROKEN));
    add_same(t, false, (struct fake_answer)ANSWER(BROKEN))->call.max_tries = 2;
    assert_int_equal(run(t, 60000, &err), -1);
    assert_int_equal(t->one[0].call.tries, 3);
    assert_int_equal(t->one[1].call.tries, 2);
    assert_int_equal(t->net.requests, 5);
    assert_int_equal(err.kind, KIT_ERR_TRANSIENT);
    fake_assert_text(t->one[0].call.err.msg, "gave up after 3 tries: Look: status 500");
    finish(t);
}

static void at_once_is_without_a_wait(void **state)
{
    static const struct fake_answer script[] = {ANSWER(CLOCK), ANSWER(OK)};
    struct test *t = begin();
    struct kit_err err;

    (void)state;
    add(t, true, script, 2);
    assert_int_equal(run(t, 60000, &err), 0);
    assert_int_equal(t->one[0].call.tries, 2);
    assert_int_equal(t->net.request[1].at_ns - t->net.request[0].at_ns, MS);
    finish(t);
}

/* ---- the deadline ---------------------------------------------------------------------------- */

static void the_deadline_cancels_what_flies(void **state)
{
    static const struct fake_answer late[] = {ANSWER(BROKEN), {.how = FAKE_NEVER}};
    struct test *t = begin();
    struct kit_err err;

    (void)state;
    add_same(t, true, (struct fake_answer){.how = FAKE_NEVER});
    add_same(t, false, (struct fake_answer){.how = FAKE_NEVER});
    add(t, false, late, 2);
    add_same(t, false, (struct fake_answer)ANSWER(OK));
    int64_t start_ns = t->clock.now_ns;
    assert_int_equal(run(t, 2000, &err), -1);
    assert_int_equal(t->clock.now_ns - start_ns, 2000 * MS);
    assert_int_equal(t->net.cancels, 1);
    for (int i = 0; i < 3; i++) {
        assert_true(t->one[i].call.failed);
        assert_int_equal(t->one[i].call.err.kind, KIT_ERR_TIMEOUT);
    }
    assert_false(t->one[3].call.failed);
    assert_string_equal(t->one[0].call.err.msg, "Change: no answer before the deadline");
    assert_true(t->one[0].call.err.outcome_open); /* it may have been done */
    assert_false(t->one[1].call.err.outcome_open);
    assert_string_equal(t->one[2].call.err.msg,
                        "deadline spent after 2 tries: Look: status 500"); /* the last reason */
    finish(t);
}

static void a_spent_deadline_sends_nothing(void **state)
{
    struct test *t = begin();
    struct kit_err err;

    (void)state;
    add_same(t, true, (struct fake_answer)ANSWER(OK));
    assert_int_equal(run(t, 0, &err), -1);
    assert_int_equal(t->net.requests, 0);
    assert_int_equal(err.kind, KIT_ERR_TIMEOUT);
    assert_false(err.outcome_open);
    assert_string_equal(err.msg, "Change: the deadline was spent before it was sent");
    finish(t);
}

/* ---- changes --------------------------------------------------------------------------------- */

static void a_change_is_never_repeated_blindly(void **state)
{
    static const struct {
        struct fake_answer first;
        bool repeats_change, repeats_look, open;
    } rows[] = {
        {{.how = FAKE_LOST}, false, true, true},
        {{.how = FAKE_NO_CONNECT}, true, true, false},
        {ANSWER(BROKEN), false, true, true},
        {ANSWER(SLOW), true, true, false},
        {ANSWER(SLOW_503), true, true, false}, /* 5xx, but it says that nothing was done */
        {ANSWER(BETWEEN), true, true, false},
        {ANSWER(CLOCK), true, true, false},
        {ANSWER(EXPIRED), true, true, false},
        {ANSWER(GARBLED), false, true, true}, /* an accident on the way, once */
        {{.how = FAKE_TOO_LARGE}, false, false, true},
        {ANSWER(DENIED), false, false, false},
        {ANSWER(REFUSED), false, false, false},
    };

    (void)state;
    for (size_t i = 0; i < KIT_LEN(rows); i++) {
        for (int mutates = 0; mutates < 2; mutates++) {
            const struct fake_answer script[] = {rows[i].first, ANSWER(OK)};
            bool repeats = mutates ? rows[i].repeats_change : rows[i].repeats_look;
            struct test *t = begin();
            struct kit_err err;

            struct one *one = add(t, mutates, script, 2);
            assert_int_equal(run(t, 60000, &err), repeats ? 0 : -1);
            assert_int_equal(one->given, repeats ? 2 : 1);
            assert_int_equal(one->call.failed, !repeats);
            if (!repeats)
                assert_int_equal(one->call.err.outcome_open, mutates && rows[i].open);
            finish(t);
        }
    }
}

static void a_lost_answer_says_what_was_asked(void **state)
{
    struct test *t = begin();
    struct kit_err err;

    (void)state;
    add_same(t, true, (struct fake_answer){.how = FAKE_LOST});
    assert_int_equal(run(t, 60000, &err), -1);
    assert_string_equal(err.msg, "Change: connection reset");
    assert_int_equal(err.kind, KIT_ERR_TRANSIENT);
    finish(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(many_calls_are_one_round),
        cmocka_unit_test(no_calls_are_no_round),
        cmocka_unit_test(metadata_is_counted_apart),
        cmocka_unit_test(a_try_ends_with_the_deadline),
        cmocka_unit_test(what_cannot_be_sent_fails_alone),
        cmocka_unit_test(the_first_failure_in_order_is_told),
        cmocka_unit_test(waits_double_up_to_a_cap),
        cmocka_unit_test(the_servers_wish_is_the_least_wait),
        cmocka_unit_test(no_wait_beyond_the_deadline),
        cmocka_unit_test(tries_are_limited),
        cmocka_unit_test(at_once_is_without_a_wait),
        cmocka_unit_test(the_deadline_cancels_what_flies),
        cmocka_unit_test(a_spent_deadline_sends_nothing),
        cmocka_unit_test(a_change_is_never_repeated_blindly),
        cmocka_unit_test(a_lost_answer_says_what_was_asked),
    };
    return cmocka_run_group_tests_name("cloud/call", tests, NULL, NULL);
}
