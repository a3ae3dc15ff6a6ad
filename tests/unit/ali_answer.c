/* kit/cloud/aliyun/answer: what is read, and page by page. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kit/cloud/aliyun/ecs.h"
#include "kit/cloud/aliyun/rpc.h"
#include "tests/unit/ali_session.h"

#define OK "{\"RequestId\":\"R\"}"

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

/* ---- what is read ---------------------------------------------------------------------------- */

static void what_is_no_answer_of_the_clouds_is_none(void **state)
{
    static const char *const bodies[] = {"",
                                         "<html></html>",
                                         "[]",
                                         "null",
                                         "\"RequestId\"",
                                         "{}",
                                         "{\"RequestId\":\"R\"",
                                         "{\"RequestId\":\"R\"}x"};
    struct kit_err err;

    (void)state;
    for (size_t i = 0; i < KIT_LEN(bodies); i++) {
        struct fake_answer answer = {.status = 200, .body = bodies[i]};
        struct ali_session *s = ali_begin(&answer, 1);
        assert_int_equal(ask(s, "DescribeHaVips", ALI_READS, &err), -1);
        assert_int_equal(err.kind, KIT_ERR_PROTOCOL);
        ali_end(s);
    }
}

static void a_list_that_is_missing_is_no_empty_one(void **state)
{
    static const struct {
        const char *action, *body;
        bool believed;
    } rows[] = {
        {"DescribeHaVips", OK, false},
        {"DescribeHaVips", "{\"RequestId\":\"R\",\"TotalCount\":1}", false},
        {"DescribeHaVips", "{\"RequestId\":\"R\",\"TotalCount\":\"0\"}", true},
        {"DescribeHaVips", "{\"RequestId\":\"R\",\"HaVips\":{}}", true},
        {"DescribeHaVips", "{\"RequestId\":\"R\",\"HaVips\":null}", true},
        {"DescribeHaVips", "{\"RequestId\":\"R\",\"HaVips\":{\"HaVip\":[]}}", true},
        {"DescribeEipAddresses", OK, false},
        {"DescribeInstances", OK, false},
        {"DescribeNetworkInterfaces", OK, false},
        {"DescribeRouteEntryList", OK, true}, /* has no TotalCount */
        {"DescribeRouteEntryList", "{\"RequestId\":\"R\",\"Code\":\"Busy\"}", false},
        {"DescribeRouteEntryList", "{\"RequestId\":\"R\",\"RouteEntrys\":[]}", true},
        {"DescribeRouteTableList", OK, false},
        {"AssociateEipAddress", OK, true},
    };
    struct kit_err err;

    (void)state;
    for (size_t i = 0; i < KIT_LEN(rows); i++) {
        struct fake_answer answer = {.status = 200, .body = rows[i].body};
        struct ali_session *s = ali_begin(&answer, 1);
        int rc = ask(s, rows[i].action, ALI_READS, &err);

        if (rows[i].believed != (rc == 0))
            fail_msg("%s: %s", rows[i].action, rows[i].body);
        if (rc) {
            assert_int_equal(err.kind, KIT_ERR_PROTOCOL);
            fake_assert_text(err.msg, "not believed");
        }
        ali_end(s);
    }
}

static void a_code_in_a_success_is_no_error(void **state)
{
    static const struct fake_answer answers[] = {
        {.status = 200, .body = "{\"RequestId\":\"R\",\"Code\":\"200\"}"}};
    struct ali_session *s = ALI_ANSWERS(answers);
    struct kit_err err;

    (void)state;
    assert_int_equal(ask(s, "DescribeEipGatewayInfo", ALI_READS, &err), 0);
    ali_end(s);
}

static void lists_however_they_come(void **state)
{
    static const struct {
        const char *json, *outer, *inner, *ids; /* one letter an element */
    } rows[] = {
        {"{\"HaVips\":{\"HaVip\":[{\"HaVipId\":\"a\"},{\"HaVipId\":\"b\"}]}}", "HaVips", "HaVip",
         "ab"},
        {"{\"HaVips\":{\"HaVip\":{\"HaVipId\":\"a\"}}}", "HaVips", "HaVip", "a"},
        {"{\"HaVips\":{\"HaVip\":[]}}", "HaVips", "HaVip", ""},
        {"{\"HaVips\":{}}", "HaVips", "HaVip", ""},
        {"{\"HaVips\":null}", "HaVips", "HaVip", ""},
        {"{\"HaVips\":[]}", "HaVips", "HaVip", ""},
        {"{\"HaVips\":\"\"}", "HaVips", "HaVip", ""},
        {"{}", "HaVips", "HaVip", ""},
        {"{\"HaVips\":[{\"HaVipId\":\"a\"}]}", "HaVips", "HaVip", "a"},
        {"{\"HaVips\":[{\"HaVipId\":\"a\"}]}", "HaVips", NULL, "a"},
        {"{\"HaVips\":{\"HaVipId\":\"a\"}}", "HaVips", NULL, "a"},
        {"{\"HaVips\":[]}", "HaVips", NULL, ""},
        /* By which member it is known does not matter. */
        {"{\"HaVips\":{\"HaVip\":{\"Name\":\"x\",\"HaVipId\":\"a\"}}}", "HaVips", "HaVip", "a"},
        {"{\"HaVips\":7}", "HaVips", NULL, ""},
    };

    (void)state;
    for (size_t i = 0; i < KIT_LEN(rows); i++) {
        KIT_AUTO(kit_json) doc = {0};
        struct kit_err err;
        char id[8];

        assert_int_equal(kit_json_parse(rows[i].json, strlen(rows[i].json), &doc, &err), 0);
        const struct kit_json_node *root = kit_json_root(&doc);
        size_t count = ali_list_count(root, rows[i].outer, rows[i].inner);
        if (count != strlen(rows[i].ids))
            fail_msg("%s: %zu", rows[i].json, count);
        for (size_t k = 0; k < count; k++) {
            assert_true(ali_text(ali_list_at(root, rows[i].outer, rows[i].inner, k), "HaVipId", id,
                                 sizeof(id)));
            assert_int_equal(id[0], rows[i].ids[k]);
        }
        assert_null(ali_list_at(root, rows[i].outer, rows[i].inner, count));
    }
}

static void texts_and_switches_however_they_come(void **state)
{
    static const char json[] = "{\"a\":\"x\",\"n\":12,\"z\":null,\"e\":\"\",\"l\":[],\"t\":true,"
                               "\"s\":\"True\",\"f\":false,\"g\":\"false\",\"w\":\"yes\"}";
    static const struct {
        const char *key, *text;
        bool there;
    } texts[] = {{"a", "x", true},   {"n", "12", true}, {"e", "", true},
                 {"z", "", false},   {"l", "", false},  {"absent", "", false},
                 {"w", "yes", true}, {"s", "", false} /* too long */};
    KIT_AUTO(kit_json) doc = {0};
    struct kit_err err;

    (void)state;
    assert_int_equal(kit_json_parse(json, strlen(json), &doc, &err), 0);
    const struct kit_json_node *root = kit_json_root(&doc);
    for (size_t i = 0; i < KIT_LEN(texts); i++) {
        char dst[4] = "old";
        assert_int_equal(ali_text(root, texts[i].key, dst, sizeof(dst)), texts[i].there);
        assert_string_equal(dst, texts[i].text);
    }
    assert_true(ali_true(root, "t"));
    assert_true(ali_true(root, "s"));
    assert_false(ali_true(root, "f"));
    assert_false(ali_true(root, "g"));
    assert_false(ali_true(root, "w"));
    assert_false(ali_true(root, "n"));
    assert_false(ali_true(root, "absent"));
}

/* ---- pages ----------------------------------------------------------------------------------- */

static int count_page(void *arg, const struct kit_json_node *root, struct kit_err *err)
{
    (void)root;
    if (++*(unsigned *)arg == 99)
        return kit_err_set(err, KIT_ERR_CONFIG, "enough");
    return 0;
}

/* Runs all pages; returns how many were taken, with *ret_rc. */
static unsigned page_through(struct ali_session *s, enum ali_pages style, unsigned taken,
                             int *ret_rc, struct kit_err *err)
{
    struct ali_rpc r;

    ali_rpc_init(&r, ali_ready_cloud(s), &ali_vpc, "ListIpv4Gateways", ALI_READS);
    *ret_rc = ali_rpc_pages(&r, style, 50, ali_soon(s), count_page, &taken, err);
    ali_rpc_done(&r);
    return taken;
}

static void numbered_pages_end_with_the_total(void **state)
{
    static const struct {
        const char *page;
        unsigned pages;
    } rows[] = {
        {"{\"RequestId\":\"R\",\"TotalCount\":0,\"PageSize\":50}", 1},
        {"{\"RequestId\":\"R\",\"TotalCount\":50,\"PageSize\":50}", 1},
        {"{\"RequestId\":\"R\",\"TotalCount\":51}", 2},
        {"{\"RequestId\":\"R\",\"TotalCount\":\"101\",\"PageSize\":\"50\"}", 3},
        {"{\"RequestId\":\"R\",\"TotalCount\":51,\"PageSize\":10}", 6},
        {"{\"RequestId\":\"R\",\"TotalCount\":51,\"PageSize\":0}", 2},
        {"{\"RequestId\":\"R\",\"TotalCount\":51,\"PageSize\":1000}", 2},
    };

    (void)state;
    for (size_t i = 0; i < KIT_LEN(rows); i++) {
        struct fake_answer answer = {.status = 200, .body = rows[i].page};
        struct ali_session *s = ali_begin(&answer, 1);
        struct kit_err err;
        char number[16];
        int rc;
        if (page_through(s, ALI_PAGES_NUMBER, 0, &rc, &err) != rows[i].pages || rc)
            fail_msg("%s", rows[i].page);
        assert_int_equal(s->net.requests, rows[i].pages);
        sent(s, rows[i].pages - 1, "PageNumber", number, sizeof(number));
        assert_int_equal(strtol(number, NULL, 10), rows[i].pages);
        sent(s, 0, "PageSize", number, sizeof(number));
        assert_string_equal(number, "50");
        ali_end(s);
    }
}

static void pages_that_cannot_end_are_refused(void **state)
{
    static const struct {
        enum ali_pages style;
        const char *page, *says;
        size_t requests;
    } rows[] = {
        {ALI_PAGES_NUMBER, OK, "without a TotalCount", 1},
        {ALI_PAGES_NUMBER, "{\"RequestId\":\"R\",\"TotalCount\":-1}", "without a TotalCount", 1},
        {ALI_PAGES_NUMBER, "{\"RequestId\":\"R\",\"TotalCount\":9000000}", "more than 1000 pages",
         1000},
        {ALI_PAGES_TOKEN, "{\"RequestId\":\"R\",\"NextToken\":\"t\"}", "the same NextToken twice",
         2},
        {ALI_PAGES_TOKEN, "{\"RequestId\":\"R\",\"NextToken\":90000000000000000000000}",
         "a NextToken that is no text", 1},
        {ALI_PAGES_TOKEN, "{\"RequestId\":\"R\",\"NextToken\":[\"t\"]}",
         "a NextToken that is no text", 1},
    };
    KIT_AUTO(kit_buf) long_token = KIT_BUF(8192);

    (void)state;
    for (size_t i = 0; i < KIT_LEN(rows); i++) {
        struct fake_answer answer = {.status = 200, .body = rows[i].page};
        struct ali_session *s = ali_begin(&answer, 1);
        struct kit_err err;
        int rc;
        (void)page_through(s, rows[i].style, 100, &rc, &err);
        assert_int_equal(rc, -1);
        assert_int_equal(err.kind, KIT_ERR_PROTOCOL);
        fake_assert_text(err.msg, rows[i].says);
        assert_int_equal(s->net.requests, rows[i].requests);
        ali_end(s);
    }

    (void)kit_buf_puts(&long_token, "{\"RequestId\":\"R\",\"NextToken\":\"");
    for (int i = 0; i < 3000; i++)
        (void)kit_buf_putc(&long_token, 't');
    (void)kit_buf_puts(&long_token, "\"}");
    struct fake_answer answer = {.status = 200, .body = long_token.data};
    struct ali_session *s = ali_begin(&answer, 1);
    struct kit_err err;
    int rc;
    (void)page_through(s, ALI_PAGES_TOKEN, 100, &rc, &err);
    assert_int_equal(rc, -1);
    assert_int_equal(err.kind, KIT_ERR_PROTOCOL);
    ali_end(s);
}

static void tokens_lead_to_the_end(void **state)
{
    static const struct fake_answer answers[] = {
        {.status = 200, .body = "{\"RequestId\":\"R\",\"NextToken\":\"A+/=\"}"},
        {.status = 200, .body = "{\"RequestId\":\"R\",\"NextToken\":\"B\"}"},
        {.status = 200, .body = "{\"RequestId\":\"R\",\"NextToken\":\"\"}"},
    };
    struct ali_session *s = ALI_ANSWERS(answers);
    struct kit_err err;
    char text[32];
    int rc;

    (void)state;
    assert_int_equal(page_through(s, ALI_PAGES_TOKEN, 0, &rc, &err), 3);
    assert_int_equal(rc, 0);
    sent(s, 0, "MaxResults", text, sizeof(text));
    assert_string_equal(text, "50");
    sent(s, 0, "NextToken", text, sizeof(text));
    assert_string_equal(text, "");
    sent(s, 1, "NextToken", text, sizeof(text));
    assert_string_equal(text, "A%2B%2F%3D");
    sent(s, 2, "NextToken", text, sizeof(text));
    assert_string_equal(text, "B");
    ali_end(s);

    s = ali_begin(&fine, 1);
    assert_int_equal(page_through(s, ALI_PAGES_TOKEN_MAXRESULT, 0, &rc, &err), 1);
    sent(s, 0, "MaxResult", text, sizeof(text));
    assert_string_equal(text, "50");
    ali_end(s);
}

#define ENI(id, more)                                                                              \
    "{\"NetworkInterfaceId\":\"" id "\",\"Status\":\"InUse\",\"Type\":\"Secondary\"" more "}"
#define ENIS(more, list)                                                                           \
    "{\"RequestId\":\"R\"" more ",\"NetworkInterfaceSets\":{\"NetworkInterfaceSet\":[" list "]}}"

/* The token is a number, and the endpoint knows no filter. */
static void interfaces_that_do_not_fit_are_left_out(void **state)
{
    static const struct fake_answer answers[] = {
        {.status = 200,
         .body = ENIS(",\"NextToken\":7",
                      ENI("eni-1", ",\"InstanceId\":\"i-2\",\"VpcId\":\"vpc-1\"") "," ENI(
                          "eni-2", ",\"InstanceId\":\"i-1\",\"VpcId\":\"vpc-2\""))},
        {.status = 200,
         .body = ENIS(
             "", ENI("eni-3",
                     ",\"InstanceId\":\"i-1\",\"VpcId\":\"vpc-1\"") ","
                                                                    "{\"NetworkInterfaceId\":\"eni-"
                                                                    "4\",\"Status\":\"Detaching\","
                                                                    "\"Type\":\"Secondary\","
                                                                    "\"InstanceId\":\"i-1\"}")},
    };
    const struct ali_eni_filter filter = {
        .vpc = "vpc-1", .node = "i-1", .type = "Secondary", .status = "InUse"};
    struct ali_session *s = ALI_ANSWERS(answers);
    KIT_AUTO(ali_enis) list = {0};
    struct kit_err err;
    char text[32];

    (void)state;
    assert_int_equal(ali_enis_find(ali_ready_cloud(s), &filter, ali_soon(s), &list, &err), 0);
    assert_int_equal(list.count, 1);
    assert_string_equal(list.eni[0].id, "eni-3");
    sent(s, 1, "NextToken", text, sizeof(text));
    assert_string_equal(text, "7");
    ali_end(s);
}

static void a_taker_may_stop_it(void **state)
{
    struct fake_answer answer = {.status = 200, .body = "{\"RequestId\":\"R\",\"TotalCount\":500}"};
    struct ali_session *s = ali_begin(&answer, 1);
    struct kit_err err;
    int rc;

    (void)state;
    assert_int_equal(page_through(s, ALI_PAGES_NUMBER, 97, &rc, &err), 99);
    assert_int_equal(rc, -1);
    assert_string_equal(err.msg, "enough");
    assert_int_equal(s->net.requests, 2);
    ali_end(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_no_answer_of_the_clouds_is_none),
        cmocka_unit_test(a_list_that_is_missing_is_no_empty_one),
        cmocka_unit_test(a_code_in_a_success_is_no_error),
        cmocka_unit_test(lists_however_they_come),
        cmocka_unit_test(texts_and_switches_however_they_come),
        cmocka_unit_test(numbered_pages_end_with_the_total),
        cmocka_unit_test(pages_that_cannot_end_are_refused),
        cmocka_unit_test(tokens_lead_to_the_end),
        cmocka_unit_test(interfaces_that_do_not_fit_are_left_out),
        cmocka_unit_test(a_taker_may_stop_it),
    };
    return cmocka_run_group_tests_name("aliyun/answer", tests, NULL, NULL);
}
