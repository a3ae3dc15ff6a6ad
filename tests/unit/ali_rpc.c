/* kit/cloud/aliyun/rpc: what is sent, and what is sent again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kit/cloud/aliyun/rpc.h"
#include "tests/unit/ali_session.h"

#define OK          "{\"RequestId\":\"R\",\"HaVips\":{\"HaVip\":[]}}"
#define ERROR(code) "{\"Code\":\"" code "\",\"Message\":\"m\",\"RequestId\":\"R\"}"

static const struct fake_answer fine = {.status = 200, .body = OK};

static int ask(struct ali_session *s, const char *action, unsigned flags, struct kit_err *err)
{
    struct ali_rpc r;

    ali_rpc_init(&r, ali_ready_cloud(s), &ali_vpc, action, flags);
    int rc = ali_rpc_run(&r, ali_soon(s), err);
    assert_int_equal(r.call.failed, rc != 0);
    ali_rpc_done(&r);
    return rc;
}

/* ---- what is sent ---------------------------------------------------------------------------- */

static void it_is_posted_sorted_encoded_and_signed(void **state)
{
    struct ali_session *s = ali_begin(&fine, 1);
    struct ali_rpc r;
    struct kit_err err;

    (void)state;
    ali_rpc_init(&r, ali_ready_cloud(s), &ali_vpc, "ModifyHaVipAttribute", ALI_MUTATES);
    ali_rpc_param(&r, "Name", "");
    ali_rpc_param(&r, "HaVipId", "havip-0");
    ali_rpc_item(&r, "Tag", 10, "t10");
    ali_rpc_item(&r, "Tag", 2, "t2");
    ali_rpc_param(&r, "Description", "a b*c+d/e=f&g~h!'()%\xe6\x97\xa5 ");
    ali_rpc_param(&r, "Absent", NULL);
    ali_rpc_param(&r, "HaVipId", "havip-1"); /* replaces */
    assert_int_equal(ali_rpc_run(&r, ali_soon(s), &err), 0);
    ali_rpc_done(&r);

    const struct fake_request *req = &s->net.request[0];
    assert_string_equal(req->method, "POST");
    assert_string_equal(req->url,
                        ALI_URL "?Description=a%20b%2Ac%2Bd%2Fe%3Df%26g~h%21%27%28%29%25%E6%97%A5"
                                "%20&HaVipId=havip-1&Name=&RegionId=cn-shanghai&Tag.10=t10"
                                "&Tag.2=t2");
    assert_string_equal(req->body, "");
    assert_string_equal(fake_header(req, "accept"), "application/json");
    assert_string_equal(fake_header(req, "x-acs-action"), "ModifyHaVipAttribute");
    assert_string_equal(fake_header(req, "x-acs-version"), "2016-04-28");
    assert_string_equal(fake_header(req, "x-acs-date"), "2026-01-02T03:04:05Z");
    assert_int_equal(strlen(fake_header(req, "x-acs-signature-nonce")), 32);
    fake_assert_text(fake_header(req, "Authorization"),
                     "ACS3-HMAC-SHA256 Credential=" ALI_KEY_ID ",SignedHeaders=host;");
    assert_null(fake_header(req, "content-type"));
    assert_false(req->no_proxy);
    ali_end(s);
}

static void products_have_their_endpoints(void **state)
{
    static const struct {
        const struct ali_product *product;
        const char *url, *version;
    } rows[] = {
        {&ali_vpc, "https://vpc.cn-shanghai.aliyuncs.com/?", "2016-04-28"},
        {&ali_ecs, "https://ecs.cn-shanghai.aliyuncs.com/?", "2014-05-26"},
        {&ali_sts, "https://sts.cn-shanghai.aliyuncs.com/?", "2015-04-01"},
    };
    struct ali_session *s = ali_begin(&fine, 1);
    struct kit_err err;

    (void)state;
    for (size_t i = 0; i < KIT_LEN(rows); i++) {
        struct ali_rpc r;
        ali_rpc_init(&r, ali_ready_cloud(s), rows[i].product, "X", ALI_READS | ALI_NO_REGION);
        assert_int_equal(ali_rpc_run(&r, ali_soon(s), &err), 0);
        ali_rpc_done(&r);
        assert_string_equal(s->net.request[i].url, rows[i].url);
        assert_string_equal(fake_header(&s->net.request[i], "x-acs-version"), rows[i].version);
    }
    ali_end(s);
}

static void unsigned_carries_a_form_and_no_signature(void **state)
{
    struct ali_session *s = ali_begin(&fine, 1);
    struct ali_rpc r;
    struct kit_err err;

    (void)state;
    ali_rpc_init(&r, ali_ready_cloud(s), &ali_sts, "AssumeRoleWithOIDC",
                 ALI_UNSIGNED | ALI_NO_REGION);
    ali_rpc_form(&r, "RoleArn", "acs:ram::1:role/x");
    ali_rpc_form(&r, "OIDCToken", "t=");
    assert_int_equal(ali_rpc_run(&r, ali_soon(s), &err), 0);
    ali_rpc_done(&r);
    const struct fake_request *req = &s->net.request[0];
    assert_string_equal(req->body, "RoleArn=acs%3Aram%3A%3A1%3Arole%2Fx&OIDCToken=t%3D");
    assert_string_equal(fake_header(req, "content-type"), "application/x-www-form-urlencoded");
    assert_null(fake_header(req, "Authorization"));
    fake_assert_text(req->url, "?Action=AssumeRoleWithOIDC&Format=JSON&SignatureNonce=");
    fake_assert_text(req->url, "&Timestamp=2026-01-02T03%3A04%3A05Z&Version=2015-04-01");
    ali_end(s);
}

static void too_much_is_refused_and_not_cut(void **state)
{
    struct ali_session *s = ali_begin(NULL, 0);
    struct ali_rpc r;
    struct kit_err err;
    char long_name[80];

    (void)state;
    ali_rpc_init(&r, ali_ready_cloud(s), &ali_vpc, "X", ALI_NO_REGION);
    for (unsigned i = 1; i <= ALI_RPC_PARAMS + 1; i++)
        ali_rpc_item(&r, "Id", i, "v");
    assert_int_equal(ali_rpc_run(&r, ali_soon(s), &err), -1);
    assert_int_equal(err.kind, KIT_ERR_REFUSED);
    ali_rpc_done(&r);

    memset(long_name, 'n', sizeof(long_name) - 1);
    long_name[sizeof(long_name) - 1] = '\0';
    ali_rpc_init(&r, s->cloud, &ali_vpc, "X", 0);
    ali_rpc_param(&r, long_name, "v");
    assert_int_equal(ali_rpc_run(&r, ali_soon(s), &err), -1);
    assert_int_equal(err.kind, KIT_ERR_REFUSED);
    ali_rpc_done(&r);
    ali_end(s);
}

/* ---- what is sent again ---------------------------------------------------------------------- */

static void a_nonce_is_new_each_time(void **state)
{
    static const struct fake_answer answers[] = {
        {.status = 400, .body = ERROR("Throttling.User")},
        {.status = 503, .body = ERROR("ServiceUnavailable")},
        {.status = 200, .body = OK},
    };
    struct ali_session *s = ALI_ANSWERS(answers);
    struct kit_err err;

    (void)state;
    assert_int_equal(ask(s, "DescribeHaVips", ALI_READS, &err), 0);
    assert_int_equal(s->net.requests, 3);
    for (size_t i = 0; i < 3; i++)
        for (size_t k = 0; k < i; k++)
            assert_string_not_equal(fake_header(&s->net.request[i], "x-acs-signature-nonce"),
                                    fake_header(&s->net.request[k], "x-acs-signature-nonce"));
    assert_int_equal(s->caller.stats.throttled, 1);
    ali_end(s);
}

#define LOST                                                                                       \
    {                                                                                              \
        .how = FAKE_LOST                                                                           \
    }
#define SAYS(http, code)                                                                           \
    {                                                                                              \
        .status = (http), .body = ERROR(code)                                                      \
    }

/* Which tries bear the token of the first: "1" the same, "2" another one, and so on. */
static void a_token_lives_as_long_as_its_outcome_is_open(void **state)
{
    static const struct {
        struct fake_answer answer[4]; /* then: fine */
        const char *tokens;
    } rows[] = {
        {{LOST}, "11"},
        {{SAYS(500, "InternalError")}, "11"},
        {{SAYS(503, "ServiceUnavailable"), LOST}, "111"},
        {{SAYS(403, "LastTokenProcessing")}, "11"},
        {{SAYS(400, "OperationFailed.IdempotentTokenProcessing")}, "11"},
        {{SAYS(400, "TaskConflict")}, "12"},
        {{SAYS(400, "IncorrectHaVipStatus"), SAYS(400, "Throttling")}, "123"},
        {{SAYS(400, "SignatureNonceUsed")}, "11"},
        /* What is answered to the second try says nothing about the first. */
        {{LOST, SAYS(400, "Throttling"), SAYS(409, "OperationConflict")}, "1111"},
        {{SAYS(400, "Throttling"), LOST, SAYS(400, "Throttling")}, "1222"},
    };

    (void)state;
    for (size_t i = 0; i < KIT_LEN(rows); i++) {
        size_t tries = strlen(rows[i].tokens);
        struct fake_answer answers[5];
        char token[5][80];
        struct kit_err err;

        memcpy(answers, rows[i].answer, sizeof(rows[i].answer));
        answers[tries - 1] = fine;
        struct ali_session *s = ali_begin(answers, tries);
        if (ask(s, "AssociateHaVip", ALI_MUTATES | ALI_TOKEN, &err))
            fail_msg("row %zu: %s", i, err.msg);
        assert_int_equal(s->net.requests, tries);
        for (size_t k = 0; k < tries; k++) {
            sent(s, k, "ClientToken", token[k], sizeof(token[k]));
            assert_int_equal(strlen(token[k]), 36);
            for (size_t j = 0; j < k; j++)
                if (kit_str_eq(token[k], token[j]) != (rows[i].tokens[k] == rows[i].tokens[j]))
                    fail_msg("row %zu: tokens %zu and %zu", i, j, k);
        }
        ali_end(s);
    }
}

static void a_second_run_has_a_token_of_its_own(void **state)
{
    static const struct fake_answer answers[] = {LOST, {.status = 200, .body = OK}};
    struct ali_session *s = ALI_ANSWERS(answers);
    char first[80], second[80];
    struct ali_rpc r;
    struct kit_err err;

    (void)state;
    ali_rpc_init(&r, ali_ready_cloud(s), &ali_vpc, "AssociateHaVip", ALI_MUTATES | ALI_TOKEN);
    assert_int_equal(ali_rpc_run(&r, ali_soon(s), &err), 0);
    assert_int_equal(ali_rpc_run(&r, ali_soon(s), &err), 0);
    ali_rpc_done(&r);
    sent(s, 1, "ClientToken", first, sizeof(first));
    sent(s, 2, "ClientToken", second, sizeof(second));
    assert_string_not_equal(first, second);
    ali_end(s);
}

static void a_lost_change_without_a_token_is_open(void **state)
{
    static const struct fake_answer lost[] = {LOST};
    static const struct fake_answer failed[] = {SAYS(500, "InternalError")};
    struct kit_err err;

    (void)state;
    for (int i = 0; i < 2; i++) {
        struct ali_session *s = ali_begin(i ? failed : lost, 1);
        struct kit_step step = {.result = KIT_STEP_PENDING};
        struct ali_rpc r;
        ali_rpc_init(&r, ali_ready_cloud(s), &ali_vpc, "ModifyRouteEntry", ALI_MUTATES);
        assert_int_equal(ali_rpc_run(&r, ali_soon(s), &err), -1);
        assert_int_equal(s->net.requests, 1);
        ali_rpc_step(&r, &step);
        assert_int_equal(step.result, KIT_STEP_OPEN);
        ali_rpc_done(&r);
        ali_end(s);
    }
}

static void steps(void **state)
{
    static const struct {
        struct fake_answer answer;
        enum kit_step_result result;
    } rows[] = {
        {{.status = 200, .body = OK}, KIT_STEP_DONE},
        {SAYS(400, "RouterEntryConflict.Duplicated"), KIT_STEP_OPEN},
        {SAYS(403, "Forbidden.RAM"), KIT_STEP_FAILED},
        {{.status = 200, .body = "<html>"}, KIT_STEP_OPEN},
    };

    (void)state;
    for (size_t i = 0; i < KIT_LEN(rows); i++) {
        struct ali_session *s = ali_begin(&rows[i].answer, 1);
        struct kit_step step = {.result = KIT_STEP_PENDING};
        struct kit_err err;
        struct ali_rpc r;
        ali_rpc_init(&r, ali_ready_cloud(s), &ali_vpc, "CreateRouteEntry", ALI_MUTATES | ALI_TOKEN);
        int rc = ali_rpc_run(&r, ali_soon(s), &err);
        assert_int_equal(rc == 0, rows[i].result == KIT_STEP_DONE);
        ali_rpc_step(&r, &step);
        assert_int_equal(step.result, rows[i].result);
        ali_rpc_done(&r);
        ali_end(s);
    }
}

static void a_used_nonce_is_tried_again_at_once_and_once(void **state)
{
    static const struct fake_answer answers[] = {SAYS(400, "SignatureNonceUsed")};
    struct ali_session *s = ALI_ANSWERS(answers);
    struct kit_err err;

    (void)state;
    s->caller.policy.max_tries = 3;
    assert_int_equal(ask(s, "DescribeHaVips", ALI_READS, &err), -1);
    assert_int_equal(err.kind, KIT_ERR_TRANSIENT);
    assert_int_equal(s->net.requests, 3);
    assert_int_equal(s->clock.sleeps, 1); /* before the third, not before the second */
    ali_end(s);
}

static void the_clock_is_corrected_once(void **state)
{
    static const struct fake_answer answers[] = {
        {.status = 400,
         .body = ERROR("InvalidTimeStamp.Expired"),
         .date = "Fri, 02 Jan 2026 04:04:05 GMT"},
        {.status = 200, .body = OK},
    };
    static const struct fake_answer always[] = {
        {.status = 400, .body = ERROR("IllegalTimestamp"), .date = "Fri, 02 Jan 2026 04:04:05 GMT"},
    };
    static const struct fake_answer dateless = {.status = 400,
                                                .body = ERROR("InvalidTimeStamp.Expired")};
    struct ali_session *s = ALI_ANSWERS(answers);
    struct kit_err err;

    (void)state;
    assert_int_equal(ask(s, "DescribeHaVips", ALI_READS, &err), 0);
    assert_string_equal(fake_header(&s->net.request[0], "x-acs-date"), "2026-01-02T03:04:05Z");
    assert_string_equal(fake_header(&s->net.request[1], "x-acs-date"), "2026-01-02T04:04:05Z");
    assert_int_equal(s->clock.sleeps, 0);
    assert_true(s->caller.stats.skew_s >= 3599 && s->caller.stats.skew_s <= 3600);
    ali_end(s);

    s = ALI_ANSWERS(always);
    assert_int_equal(ask(s, "DescribeHaVips", ALI_READS, &err), -1);
    assert_int_equal(err.kind, KIT_ERR_AUTH);
    fake_assert_text(err.msg,
                     "the time of this host, which is 2026-01-02T03:04:05Z: set its clock");
    assert_int_equal(s->net.requests, 2);
    ali_end(s);

    s = ali_begin(&dateless, 1);
    assert_int_equal(ask(s, "DescribeHaVips", ALI_READS, &err), -1);
    fake_assert_text(err.msg, "has no Date to correct it by): set its clock");
    assert_int_equal(s->net.requests, 1);
    ali_end(s);
}

static void the_servers_wish_to_wait_is_kept(void **state)
{
    static const struct fake_answer answers[] = {
        {.status = 400, .body = ERROR("Throttling.User"), .retry_after_ms = 7000},
        {.status = 200, .body = OK},
    };
    struct ali_session *s = ALI_ANSWERS(answers);
    struct kit_err err;

    (void)state;
    assert_int_equal(ask(s, "DescribeHaVips", ALI_READS, &err), 0);
    assert_true(s->net.request[1].at_ns >= 7000 * KIT_NS_PER_MS);
    ali_end(s);
}

static void refused_keys_that_stay_the_same_end_it(void **state)
{
    static const struct fake_answer answers[] = {SAYS(400, "InvalidSecurityToken.Expired")};
    struct ali_session *s = ALI_ANSWERS(answers);
    struct kit_err err;

    (void)state;
    assert_int_equal(ask(s, "DescribeHaVips", ALI_READS, &err), -1);
    assert_int_equal(err.kind, KIT_ERR_AUTH);
    assert_int_equal(s->net.requests, 1);
    assert_null(strstr(err.msg, ALI_SECRET));
    ali_end(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_posted_sorted_encoded_and_signed),
        cmocka_unit_test(products_have_their_endpoints),
        cmocka_unit_test(unsigned_carries_a_form_and_no_signature),
        cmocka_unit_test(too_much_is_refused_and_not_cut),
        cmocka_unit_test(a_nonce_is_new_each_time),
        cmocka_unit_test(a_token_lives_as_long_as_its_outcome_is_open),
        cmocka_unit_test(a_second_run_has_a_token_of_its_own),
        cmocka_unit_test(a_lost_change_without_a_token_is_open),
        cmocka_unit_test(steps),
        cmocka_unit_test(a_used_nonce_is_tried_again_at_once_and_once),
        cmocka_unit_test(the_clock_is_corrected_once),
        cmocka_unit_test(the_servers_wish_to_wait_is_kept),
        cmocka_unit_test(refused_keys_that_stay_the_same_end_it),
    };
    return cmocka_run_group_tests_name("aliyun/rpc", tests, NULL, NULL);
}
