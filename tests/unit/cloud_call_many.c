/* tests/unit/cloud_call_many.c - many calls together: credentials, how many fly, and whatever
 * happens. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <inttypes.h>

#include <cmocka.h>

#include "tests/unit/cloud_call.h"

/* ---- credentials ----------------------------------------------------------------------------- */

/* What is sent after the renewal bears the new credentials. */
static void skip_refusal_once_renewed(struct one *one)
{
    if (one->test->renewals && !one->given)
        one->given = 1;
}

static void credentials_are_renewed_once_for_all(void **state)
{
    static const struct fake_answer script[] = {ANSWER(EXPIRED), ANSWER(OK)};
    struct test *t = begin();
    struct kit_err err;

    (void)state;
    t->check = skip_refusal_once_renewed;
    for (int i = 0; i < 12; i++) { /* more than fly at once */
        add(t, i % 2, script, 2);
        t->one[i].script[0].after_ms = 1 + i;
    }
    int64_t start_ns = t->clock.now_ns;
    assert_int_equal(run(t, 60000, &err), 0);
    assert_int_equal(t->renewals, 1);
    assert_true(t->clock.now_ns - start_ns < 100 * MS); /* and nobody waited for the deadline */
    assert_int_equal(t->net.requests, 8 + 12); /* nothing was sent with the old ones meanwhile */
    finish(t);
}

static void a_second_refusal_is_believed(void **state)
{
    struct test *t = begin();
    struct kit_err err;

    (void)state;
    add_same(t, false, (struct fake_answer)ANSWER(EXPIRED));
    assert_int_equal(run(t, 60000, &err), -1);
    assert_int_equal(t->renewals, 1);
    assert_int_equal(t->net.requests, 2);
    assert_int_equal(err.kind, KIT_ERR_AUTH);
    assert_string_equal(err.msg, "Look: status 401");
    finish(t);
}

static void a_renewal_that_fails_leaves_the_clouds_words(void **state)
{
    struct test *t = begin();
    struct kit_err err;

    (void)state;
    t->renewal_fails = true;
    add_same(t, false, (struct fake_answer)ANSWER(EXPIRED));
    add_same(t, true, (struct fake_answer)ANSWER(EXPIRED));
    assert_int_equal(run(t, 60000, &err), -1);
    assert_int_equal(t->renewals, 1);
    assert_int_equal(t->net.requests, 2);
    assert_string_equal(err.msg, "2 of 2 calls failed, the first: Look: status 401");
    assert_false(t->one[1].call.err.outcome_open);
    finish(t);
}

static void without_a_renewal_a_refusal_is_final(void **state)
{
    struct test *t = begin();
    struct kit_err err;

    (void)state;
    add_same(t, false, (struct fake_answer)ANSWER(EXPIRED))->call.renew = NULL;
    assert_int_equal(run(t, 60000, &err), -1);
    assert_int_equal(t->net.requests, 1);
    finish(t);
}

/* ---- how many fly ---------------------------------------------------------------------------- */

static void throttling_halves_and_success_widens(void **state)
{
    static const struct fake_answer script[] = {ANSWER(SLOW), ANSWER(OK)};
    struct test *t = begin();
    struct kit_err err;

    (void)state;
    t->clock.chance = 0; /* all may be repeated at the same moment */
    for (int i = 0; i < 8; i++)
        add(t, true, script, 2);
    assert_int_equal(run(t, 60000, &err), 0);
    assert_int_equal(t->net.requests, 16);
    assert_int_equal(t->caller.stats.throttled, 8);
    for (unsigned i = 0; i < 8; i++)
        assert_int_equal(t->net.request[i].in_flight, i + 1);
    assert_int_equal(t->net.request[8].in_flight, 1); /* 8, 4, 2, 1 */
    assert_int_equal(t->net.request[9].in_flight, 1); /* a success: 2 */
    assert_int_equal(t->net.request[10].in_flight, 2);
    unsigned widest = 0;
    for (size_t i = 8; i < 16; i++)
        if (t->net.request[i].in_flight > widest)
            widest = t->net.request[i].in_flight;
    assert_true(widest >= 3 && widest < 8);
    finish(t);
}

static void a_limit_of_nothing_is_one(void **state)
{
    struct test *t = begin();
    struct kit_err err;

    (void)state;
    t->caller.policy.max_in_flight = 0;
    for (int i = 0; i < 3; i++)
        add_same(t, false, (struct fake_answer)ANSWER(OK));
    assert_int_equal(run(t, 60000, &err), 0);
    assert_int_equal(t->net.most_flying, 1);
    finish(t);
}

/* ---- whatever happens ------------------------------------------------------------------------ */

/* Nothing that may have been applied is sent again. */
static void check_no_blind_repeat(struct one *one)
{
    if (!one->call.mutates || !one->given)
        return;
    size_t last = one->given - 1 < one->steps ? one->given - 1 : one->steps - 1;
    const struct fake_answer *a = &one->script[last];
    assert_true(a->how == FAKE_NO_CONNECT ||
                (a->how == FAKE_ANSWER && a->status != BROKEN && a->status != OK &&
                 a->status != GARBLED && a->status != DENIED && a->status != REFUSED));
}

static void add_random(struct test *t, uint64_t *seed)
{
    static const int statuses[] = {OK,   OK,     OK,     OK,       GARBLED, EXPIRED, BETWEEN, SLOW,
                                   SLOW, BROKEN, BROKEN, SLOW_503, DENIED,  REFUSED, CLOCK};
    struct fake_answer script[SCRIPT];
    size_t steps = 1 + fake_number(seed) % SCRIPT;

    for (size_t i = 0; i < steps; i++) {
        uint64_t dice = fake_number(seed) % 20;
        script[i] = (struct fake_answer){
            .how = dice == 0   ? FAKE_NEVER
                   : dice == 1 ? FAKE_LOST
                   : dice == 2 ? FAKE_NO_CONNECT
                   : dice == 3 ? FAKE_NO_START
                               : FAKE_ANSWER,
            .status = statuses[fake_number(seed) % KIT_LEN(statuses)],
            .after_ms = (int64_t)(fake_number(seed) % 300),
            .retry_after_ms = dice == 5 ? (int64_t)(fake_number(seed) % 9000) : 0,
        };
    }
    struct one *one = add(t, fake_number(seed) % 2, script, steps);
    one->call.metadata = fake_number(seed) % 4 == 0;
    one->call.max_tries = (unsigned)(fake_number(seed) % 4);
    if (fake_number(seed) % 3 == 0)
        one->call.renew = NULL;
}

static void any_script_ends_and_leaves_no_call_open(void **state)
{
    (void)state;
    for (uint64_t round = 1; round <= 3000; round++) {
        uint64_t seed = round;
        struct test *t = begin();
        struct kit_err err;
        unsigned failed = 0;
        size_t sent = 0;

        t->clock.chance = -1;
        t->clock.seed = round;
        t->check = check_no_blind_repeat;
        t->renewal_fails = fake_number(&seed) % 2;
        t->caller.policy.max_in_flight = (unsigned)(fake_number(&seed) % 5);
        for (size_t n = 1 + fake_number(&seed) % 10; n; n--)
            add_random(t, &seed);
        int64_t most_ms = (int64_t)(fake_number(&seed) % 30000), start_ns = t->clock.now_ns;
        int rc = run(t, most_ms, &err);
        assert_true(t->clock.now_ns - start_ns <= most_ms * MS);
        assert_int_equal(t->net.flying, 0);
        assert_true(t->net.most_flying <= 4);
        assert_true(t->renewals <= 1);
        for (size_t i = 0; i < t->count; i++) {
            const struct one *one = &t->one[i];
            failed += one->call.failed;
            sent += one->given;
            assert_int_equal(one->call.tries, one->given);
            if (one->call.failed)
                assert_true(one->call.err.msg[0]);
            else
                assert_true(one->given > 0);
            if (one->call.failed && !one->call.mutates)
                assert_false(one->call.err.outcome_open);
        }
        assert_int_equal(rc, failed ? -1 : 0);
        assert_int_equal(sent, t->net.requests);
        finish(t);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(credentials_are_renewed_once_for_all),
        cmocka_unit_test(a_second_refusal_is_believed),
        cmocka_unit_test(a_renewal_that_fails_leaves_the_clouds_words),
        cmocka_unit_test(without_a_renewal_a_refusal_is_final),
        cmocka_unit_test(throttling_halves_and_success_widens),
        cmocka_unit_test(a_limit_of_nothing_is_one),
        cmocka_unit_test(any_script_ends_and_leaves_no_call_open),
    };
    return cmocka_run_group_tests_name("cloud/call, many", tests, NULL, NULL);
}
