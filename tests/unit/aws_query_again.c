/* tests/unit/aws_query_again.c - a wrong clock, credentials that expired: put right once, and asked
 * again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kit/cloud/aws/ec2.h"
#include "tests/unit/aws_world.h"

#define NOTHING EC2_ANSWER("DescribeAddresses", "<addressesSet/>")
#define REFUSED EC2_ERROR("AuthFailure", "AWS was not able to validate the provided credentials")
#define EXPIRED EC2_ERROR("ExpiredToken", "The security token is expired")

/* Ours is 03:04:05. */
#define AN_HOUR_LATER   "Fri, 02 Jan 2026 04:04:05 GMT"
#define AN_HOUR_EARLIER "Fri, 02 Jan 2026 02:04:05 GMT"
#define A_BIT_LATER     "Fri, 02 Jan 2026 03:08:00 GMT" /* 235 s */

static struct aws_cloud *ready(struct aws_world *w)
{
    struct aws_cloud *cloud = (struct aws_cloud *)w->cloud;
    struct kit_err err;

    if (aws_ec2_ready(cloud, aws_in_a_minute(w), &err))
        fail_msg("%s", err.msg);
    return cloud;
}

static int ask(struct aws_world *w, struct kit_err *err)
{
    struct aws_query q;

    aws_query_init(&q, ready(w), &aws_ec2, "DescribeAddresses", AWS_READS);
    int rc = aws_query_run(&q, aws_in_a_minute(w), err);
    aws_query_done(&q);
    return rc;
}

static void refuse(struct aws_world *w, const char *body, const char *date, unsigned times)
{
    aws_reply_with(w, "DescribeAddresses",
                   (struct fake_answer){.status = 401, .body = body, .date = date}, times);
}

static void a_wrong_clock_is_corrected_once_and_kept(void **state)
{
    static const struct {
        const char *date, *signed_at;
        int64_t skew_s;
    } rows[] = {{AN_HOUR_LATER, "20260102T040405Z", 3600},
                {AN_HOUR_EARLIER, "20260102T020405Z", -3600}};

    (void)state;
    for (size_t i = 0; i < KIT_LEN(rows); i++) {
        struct aws_world *w = aws_begin("route-table");
        struct kit_err err;

        refuse(w, REFUSED, rows[i].date, 1);
        aws_reply(w, "DescribeAddresses", NULL, NOTHING);
        assert_int_equal(ask(w, &err), 0);
        assert_int_equal(w->net.requests, 2);
        assert_string_equal(fake_header(&w->net.request[0], "X-Amz-Date"), "20260102T030405Z");
        assert_string_equal(fake_header(&w->net.request[1], "X-Amz-Date"), rows[i].signed_at);
        assert_true(w->caller.stats.skew_s == rows[i].skew_s);
        assert_int_equal(w->clock.sleeps, 0);
        assert_int_equal(ask(w, &err), 0); /* right from the start */
        assert_int_equal(w->net.requests, 3);
        assert_string_equal(fake_header(&w->net.request[2], "X-Amz-Date"), rows[i].signed_at);
        aws_done(w);
    }
}

static void calls_beside_each_other_are_all_corrected(void **state)
{
    struct aws_world *w = aws_begin("route-table");
    struct aws_cloud *cloud = ready(w);
    struct aws_query q[4];
    struct kit_call *call[4];
    struct kit_err err;

    (void)state;
    refuse(w, REFUSED, AN_HOUR_LATER, 4);
    aws_reply(w, "DescribeAddresses", NULL, NOTHING);
    for (size_t i = 0; i < 4; i++) {
        aws_query_init(&q[i], cloud, &aws_ec2, "DescribeAddresses", AWS_READS);
        call[i] = &q[i].call;
    }
    if (kit_call_all(&w->caller, call, 4, aws_in_a_minute(w), &err))
        fail_msg("%s", err.msg);
    assert_int_equal(w->net.requests, 8);
    for (size_t i = 4; i < 8; i++)
        assert_string_equal(fake_header(&w->net.request[i], "X-Amz-Date"), "20260102T040405Z");
    for (size_t i = 0; i < 4; i++)
        aws_query_done(&q[i]);
    aws_done(w);
}

static void a_clock_that_stays_refused_is_not_corrected_for_ever(void **state)
{
    struct aws_world *w = aws_begin("route-table");
    struct kit_err err;

    (void)state;
    refuse(w, REFUSED, AN_HOUR_LATER, 0);
    assert_int_equal(ask(w, &err), -1);
    assert_int_equal(err.kind, KIT_ERR_AUTH);
    assert_string_equal(err.code, "AuthFailure");
    assert_int_equal(w->net.requests, 2); /* and the environment has no other credentials */
    aws_done(w);
}

static void a_clock_that_wavers_is_corrected_once(void **state)
{
    struct aws_world *w = aws_begin("route-table");
    struct kit_err err;

    (void)state;
    refuse(w, REFUSED, AN_HOUR_LATER, 1);
    refuse(w, REFUSED, AN_HOUR_EARLIER, 0);
    assert_int_equal(ask(w, &err), -1);
    assert_int_equal(w->net.requests, 2);
    aws_done(w);
}

static void a_date_that_was_long_under_way_corrects_nothing(void **state)
{
    struct aws_world *w = aws_begin("route-table");
    struct aws_query q;
    struct kit_err err;

    (void)state;
    aws_reply_with(w, "DescribeAddresses",
                   (struct fake_answer){
                       .status = 401, .body = REFUSED, .date = AN_HOUR_LATER, .after_ms = 901000},
                   0);
    aws_query_init(&q, ready(w), &aws_ec2, "DescribeAddresses", AWS_READS);
    assert_int_equal(aws_query_run(&q, kit_deadline_in_ms(&w->kit_clock, 3600 * 1000), &err), -1);
    aws_query_done(&q);
    assert_int_equal(err.kind, KIT_ERR_AUTH);
    assert_int_equal(w->net.requests, 1);
    assert_true(w->caller.stats.skew_s == 0);
    aws_done(w);
}

static void a_date_that_says_nothing_corrects_nothing(void **state)
{
    static const struct fake_answer answers[] = {
        {.status = 401, .body = REFUSED},
        {.status = 401, .body = REFUSED, .date = "tomorrow"},
        {.status = 401, .body = REFUSED, .date = A_BIT_LATER},
        {.status = 401, .body = REFUSED, .date = AN_HOUR_LATER, .aged = true},
    };

    (void)state;
    for (size_t i = 0; i < KIT_LEN(answers); i++) {
        struct aws_world *w = aws_begin("route-table");
        struct kit_err err;

        aws_reply_with(w, "DescribeAddresses", answers[i], 0);
        assert_int_equal(ask(w, &err), -1);
        assert_int_equal(err.kind, KIT_ERR_AUTH);
        assert_int_equal(w->net.requests, 1);
        assert_true(w->caller.stats.skew_s == 0);
        aws_done(w);
    }
}

static void a_known_offset_is_not_dropped_for_a_bad_date(void **state)
{
    struct aws_world *w = aws_begin("route-table");
    struct kit_err err;

    (void)state;
    refuse(w, REFUSED, AN_HOUR_LATER, 1);
    aws_reply_with(w, "DescribeAddresses", (struct fake_answer){.status = 200, .body = NOTHING}, 1);
    refuse(w, REFUSED, NULL, 0);
    assert_int_equal(ask(w, &err), 0);
    assert_int_equal(ask(w, &err), -1);
    assert_int_equal(w->net.requests, 3);
    assert_true(w->caller.stats.skew_s == 3600);
    aws_done(w);
}

static void others_come_in(struct aws_world *w)
{
    (void)w;
    aws_credentials("AKIAOTHER");
}

static void expired_credentials_are_renewed(void **state)
{
    static const char *const bodies[] = {EXPIRED, REFUSED};

    (void)state;
    for (size_t i = 0; i < KIT_LEN(bodies); i++) {
        struct aws_world *w = aws_begin("route-table");
        struct kit_err err;

        refuse(w, bodies[i], NULL, 1);
        aws_reply(w, "DescribeAddresses", NULL, NOTHING);
        w->meanwhile = others_come_in;
        if (ask(w, &err))
            fail_msg("%s", err.msg);
        assert_int_equal(w->net.requests, 2);
        fake_assert_text(fake_header(&w->net.request[0], "Authorization"), "AKIAIOSFODNN7EXAMPLE/");
        fake_assert_text(fake_header(&w->net.request[1], "Authorization"), "AKIAOTHER/");
        assert_true(w->clock.now_ns < KIT_NS_PER_S); /* no wait */
        aws_done(w);
    }
}

static void the_same_credentials_again_are_not_sent(void **state)
{
    struct aws_world *w = aws_begin("route-table");
    struct kit_err err;

    (void)state;
    refuse(w, EXPIRED, NULL, 0);
    assert_int_equal(ask(w, &err), -1);
    assert_int_equal(w->net.requests, 1);
    assert_int_equal(err.kind, KIT_ERR_AUTH);
    fake_assert_text(err.msg, "DescribeAddresses: ExpiredToken"); /* the cloud's own words */
    aws_done(w);
}

static void credentials_of_ones_own_are_used_and_not_renewed(void **state)
{
    struct aws_world *w = aws_begin("route-table");
    struct kit_creds creds = {.access_key_id = "AKIAMINE", .source = "a test"};
    struct aws_query q;
    struct kit_err err;

    (void)state;
    kit_secret_set(&creds.secret_key, "secret");
    kit_secret_set(&creds.token, "a-token");
    refuse(w, EXPIRED, NULL, 0);
    w->meanwhile = others_come_in;
    aws_query_init(&q, ready(w), &aws_ec2, "DescribeAddresses", AWS_READS);
    q.creds = &creds;
    assert_int_equal(aws_query_run(&q, aws_in_a_minute(w), &err), -1);
    aws_query_done(&q);
    assert_int_equal(w->net.requests, 1);
    fake_assert_text(fake_header(&w->net.request[0], "Authorization"), "Credential=AKIAMINE/");
    assert_string_equal(fake_header(&w->net.request[0], "X-Amz-Security-Token"), "a-token");
    assert_null(strstr(err.msg, "a-token"));
    kit_creds_done(&creds);
    aws_done(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_wrong_clock_is_corrected_once_and_kept),
        cmocka_unit_test(calls_beside_each_other_are_all_corrected),
        cmocka_unit_test(a_clock_that_stays_refused_is_not_corrected_for_ever),
        cmocka_unit_test(a_clock_that_wavers_is_corrected_once),
        cmocka_unit_test(a_date_that_was_long_under_way_corrects_nothing),
        cmocka_unit_test(a_date_that_says_nothing_corrects_nothing),
        cmocka_unit_test(a_known_offset_is_not_dropped_for_a_bad_date),
        cmocka_unit_test(expired_credentials_are_renewed),
        cmocka_unit_test(the_same_credentials_again_are_not_sent),
        cmocka_unit_test(credentials_of_ones_own_are_used_and_not_renewed),
    };
    return cmocka_run_group_tests_name("aws/query, again", tests, NULL, NULL);
}
