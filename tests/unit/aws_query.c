/* tests/unit/aws_query.c - a form goes out, XML comes back, or something that is none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "kit/cloud/aws/ec2.h"
#include "tests/unit/aws_data.h"
#include "tests/unit/aws_world.h"

#define NOTHING EC2_ANSWER("DescribeAddresses", "<addressesSet/>")
#define DONE    EC2_ANSWER("ReplaceRoute", "<return>true</return>")
#define REFUSED EC2_ERROR("AuthFailure", "AWS was not able to validate the provided credentials")

static struct aws_cloud *ready(struct aws_world *w)
{
    struct aws_cloud *cloud = (struct aws_cloud *)w->cloud;
    struct kit_err err;

    if (aws_ec2_ready(cloud, aws_in_a_minute(w), &err))
        fail_msg("%s", err.msg);
    return cloud;
}

/* One call of `action`. */
static int ask(struct aws_world *w, const char *action, unsigned flags, struct kit_err *err)
{
    struct aws_query q;

    aws_query_init(&q, ready(w), &aws_ec2, action, flags);
    int rc = aws_query_run(&q, aws_in_a_minute(w), err);
    assert_int_equal(q.call.failed, rc != 0);
    if (rc == 0)
        assert_true(kit_str_starts(kit_xml_name(kit_xml_root(&q.xml)), action));
    aws_query_done(&q);
    return rc;
}

/* ---- what is sent ---------------------------------------------------------------------------- */

struct param {
    const char *name, *value;
};

/* As botocore sends it: the body of the n-th example of that operation. */
static const char *example(struct kit_json *doc, const char *op)
{
    const struct kit_json_node *bodies = kit_json_get(kit_json_root(doc), "bodies");

    for (size_t i = 0; i < kit_json_count(bodies); i++)
        if (kit_str_eq(aws_data_text(kit_json_at(bodies, i), "op"), op))
            return aws_data_text(kit_json_at(bodies, i), "body");
    fail_msg("no example of %s", op);
    return NULL;
}

static void bodies_are_botocores(void **state)
{
    static const struct {
        const char *op, *action;
        struct param param[5];
    } rows[] = {
        {"replace_route",
         "ReplaceRoute",
         {{"RouteTableId", "rtb-1"},
          {"DestinationCidrBlock", "10.1.0.10/32"},
          {"NetworkInterfaceId", "eni-1"},
          {"DryRun", "true"}}},
        {"create_route",
         "CreateRoute",
         {{"RouteTableId", "rtb-1"},
          {"DestinationIpv6CidrBlock", "fd00::1/128"},
          {"NetworkInterfaceId", "eni-1"}}},
        {"describe_addresses", "DescribeAddresses", {{"PublicIp.1", "1.2.3.4"}}},
        {"associate_address",
         "AssociateAddress",
         {{"AllocationId", "eipalloc-1"},
          {"NetworkInterfaceId", "eni-1"},
          {"PrivateIpAddress", "10.0.0.5"},
          {"AllowReassociation", "true"}}},
        {"disassociate_address", "DisassociateAddress", {{"AssociationId", "eipassoc-1"}}},
        {"describe_network_interfaces",
         "DescribeNetworkInterfaces",
         {{"NetworkInterfaceId.1", "eni-1"}}},
        {"modify_network_interface_attribute",
         "ModifyNetworkInterfaceAttribute",
         {{"NetworkInterfaceId", "eni-1"}, {"SourceDestCheck.Value", "false"}}},
    };
    struct aws_world *w = aws_begin("route-table");
    KIT_AUTO(kit_json) doc = {0};

    (void)state;
    aws_data_read("aws_bodies.json", &doc);
    for (size_t i = 0; i < KIT_LEN(rows); i++) {
        struct aws_query q;

        aws_query_init(&q, ready(w), &aws_ec2, rows[i].action, AWS_READS);
        for (const struct param *p = rows[i].param; p < rows[i].param + 5 && p->name; p++)
            aws_query_param(&q, p->name, p->value);
        assert_string_equal(q.form.data, example(&doc, rows[i].op));
        aws_query_done(&q);
    }
    aws_done(w);
}

static void filters_are_numbered_as_botocore_does(void **state)
{
    struct aws_world *w = aws_begin("route-table");
    KIT_AUTO(kit_json) doc = {0};
    struct aws_query q;

    (void)state;
    aws_data_read("aws_bodies.json", &doc);
    aws_query_init(&q, ready(w), &aws_ec2, "DescribeRouteTables", AWS_READS);
    aws_query_filter(&q, "route.destination-cidr-block");
    aws_query_filter_value(&q, 1, "10.1.0.10/32");
    aws_query_filter(&q, "vpc-id");
    aws_query_filter_value(&q, 1, "vpc-1");
    aws_query_filter_value(&q, 2, "vpc-2");
    aws_query_param(&q, "MaxResults", "100");
    aws_query_param(&q, "NextToken", "abc==");
    assert_string_equal(q.form.data, example(&doc, "describe_route_tables"));
    aws_query_done(&q);
    aws_done(w);
}

static void it_is_posted_and_signed(void **state)
{
    struct aws_world *w = aws_begin("route-table");
    struct kit_err err;

    (void)state;
    aws_reply(w, "DescribeAddresses", NULL, NOTHING);
    assert_int_equal(ask(w, "DescribeAddresses", AWS_READS, &err), 0);
    const struct fake_request *req = &w->net.request[0];
    assert_string_equal(req->method, "POST");
    assert_string_equal(req->url, AWS_URL);
    assert_string_equal(req->body, "Action=DescribeAddresses&Version=2016-11-15");
    assert_string_equal(fake_header(req, "Content-Type"),
                        "application/x-www-form-urlencoded; charset=utf-8");
    assert_string_equal(fake_header(req, "X-Amz-Date"), "20260102T030405Z");
    fake_assert_text(fake_header(req, "Authorization"),
                     "Credential=AKIAIOSFODNN7EXAMPLE/20260102/eu-west-1/ec2/aws4_request");
    assert_false(req->no_proxy);
    aws_done(w);
}

static void unsigned_is_without_a_signature(void **state)
{
    struct aws_world *w = aws_begin("route-table");
    struct kit_err err;

    (void)state;
    aws_reply(w, "DescribeAddresses", NULL, NOTHING);
    assert_int_equal(ask(w, "DescribeAddresses", AWS_UNSIGNED, &err), 0);
    assert_null(fake_header(&w->net.request[0], "Authorization"));
    aws_done(w);
}

static void a_form_over_the_ceiling_is_not_sent(void **state)
{
    struct aws_world *w = aws_begin("route-table");
    struct aws_query q;
    struct kit_err err;

    (void)state;
    aws_query_init(&q, ready(w), &aws_ec2, "DescribeRouteTables", AWS_READS);
    aws_query_filter(&q, "vpc-id");
    for (unsigned i = 1; i <= 4000; i++)
        aws_query_filter_value(&q, i, "vpc-0123456789abcdef0");
    assert_int_equal(aws_query_run(&q, aws_in_a_minute(w), &err), -1);
    assert_int_equal(err.kind, KIT_ERR_REFUSED);
    assert_int_equal(w->net.requests, 0);
    aws_query_done(&q);
    aws_done(w);
}

/* ---- what comes back ------------------------------------------------------------------------- */

static void a_body_that_is_not_ec2s_is_no_answer(void **state)
{
    static const char truncated[] =
        XML "<DescribeAddressesResponse " EC2_NS "><addressesSet><item><publicIp>1.2";
    static const char *const bodies[] = {
        "",
        " ",
        "<html><head><title>Sign in</title></head><body>Wi-Fi</body></html>",
        "<!DOCTYPE html><html><body>Hello<br></body></html>",
        "<HTML xmlns=\"http://www.w3.org/1999/xhtml\"><BODY/></HTML>",
        truncated,
        "{\"Addresses\": []}",
        REFUSED,
        "<ErrorResponse><Error><Code>X</Code></Error></ErrorResponse>",
        "<portal><addressesSet/></portal>",
    };

    (void)state;
    for (size_t i = 0; i < KIT_LEN(bodies); i++) {
        for (unsigned flags = AWS_READS; flags <= AWS_MUTATES; flags++) {
            struct aws_world *w = aws_begin("route-table");
            struct kit_err err;

            aws_reply(w, "DescribeAddresses", NULL, bodies[i]);
            if (ask(w, "DescribeAddresses", flags, &err) == 0)
                fail_msg("taken for an answer: %s", bodies[i]);
            assert_int_equal(err.kind, KIT_ERR_PROTOCOL);
            fake_assert_text(err.msg, "DescribeAddresses: HTTP 200 with a body that is not EC2's");
            assert_int_equal(err.outcome_open, flags == AWS_MUTATES);
            assert_int_equal(w->net.requests, flags == AWS_MUTATES ? 1 : 3);
            aws_done(w);
        }
    }
}

static void roots_may_have_other_names(void **state)
{
    static const char *const bodies[] = {
        NOTHING,
        "<DescribeAddresses xmlns=\"http://ec2.amazonaws.com/doc/2014-06-15/\"/>",
        "<x:DescribeAddressesResponse xmlns:x=\"urn:x\"><x:addressesSet/>"
        "</x:DescribeAddressesResponse>",
    };

    (void)state;
    for (size_t i = 0; i < KIT_LEN(bodies); i++) {
        struct aws_world *w = aws_begin("route-table");
        struct kit_err err;

        aws_reply(w, "DescribeAddresses", NULL, bodies[i]);
        assert_int_equal(ask(w, "DescribeAddresses", AWS_READS, &err), 0);
        aws_done(w);
    }
}

static void a_refusal_is_told_with_all_that_support_asks_for(void **state)
{
    struct aws_world *w = aws_begin("route-table");
    struct kit_err err;

    (void)state;
    aws_reply_with(
        w, "ReplaceRoute",
        (struct fake_answer){.status = 403,
                             .body = EC2_ERROR("UnauthorizedOperation", "You are not authorized")},
        0);
    assert_int_equal(ask(w, "ReplaceRoute", AWS_MUTATES, &err), -1);
    assert_int_equal(err.kind, KIT_ERR_DENIED);
    assert_int_equal(err.http_status, 403);
    assert_string_equal(err.code, "UnauthorizedOperation");
    assert_string_equal(err.request_id, "7f3e0000-0000-4000-8000-000000000001");
    assert_string_equal(err.msg,
                        "ReplaceRoute: UnauthorizedOperation: You are not authorized (HTTP 403, "
                        "request 7f3e0000-0000-4000-8000-000000000001)");
    assert_false(err.outcome_open);
    aws_done(w);
}

static void a_throttled_change_is_repeated_whatever_its_status(void **state)
{
    static const int statuses[] = {400, 429, 503};

    (void)state;
    for (size_t i = 0; i < KIT_LEN(statuses); i++) {
        struct aws_world *w = aws_begin("route-table");
        struct kit_err err;

        aws_reply_with(w, "ReplaceRoute",
                       (struct fake_answer){.status = statuses[i],
                                            .body = EC2_ERROR("RequestLimitExceeded", "slower"),
                                            .retry_after_ms = 3000},
                       1);
        aws_reply(w, "ReplaceRoute", NULL, DONE);
        assert_int_equal(ask(w, "ReplaceRoute", AWS_MUTATES, &err), 0);
        assert_int_equal(w->net.requests, 2);
        assert_true(w->clock.now_ns >= 3 * KIT_NS_PER_S);
        assert_int_equal(w->caller.stats.throttled, 1);
        aws_done(w);
    }
}

static void a_change_that_the_server_failed_on_is_not(void **state)
{
    struct aws_world *w = aws_begin("route-table");
    struct kit_err err;

    (void)state;
    aws_reply_with(w, "ReplaceRoute",
                   (struct fake_answer){.status = 500, .body = EC2_ERROR("InternalError", "oh")},
                   0);
    assert_int_equal(ask(w, "ReplaceRoute", AWS_MUTATES, &err), -1);
    assert_int_equal(w->net.requests, 1);
    assert_true(err.outcome_open);
    assert_int_equal(err.kind, KIT_ERR_TRANSIENT);
    aws_done(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bodies_are_botocores),
        cmocka_unit_test(filters_are_numbered_as_botocore_does),
        cmocka_unit_test(it_is_posted_and_signed),
        cmocka_unit_test(unsigned_is_without_a_signature),
        cmocka_unit_test(a_form_over_the_ceiling_is_not_sent),
        cmocka_unit_test(a_body_that_is_not_ec2s_is_no_answer),
        cmocka_unit_test(roots_may_have_other_names),
        cmocka_unit_test(a_refusal_is_told_with_all_that_support_asks_for),
        cmocka_unit_test(a_throttled_change_is_repeated_whatever_its_status),
        cmocka_unit_test(a_change_that_the_server_failed_on_is_not),
    };
    return cmocka_run_group_tests_name("aws/query", tests, NULL, NULL);
}
