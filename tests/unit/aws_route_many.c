/* tests/unit/aws_route_many.c - many addresses, many tables, many pages: how few calls it takes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/aws_route.h"

static void add(struct aws_world *w, const char *address)
{
    size_t n = aws_resource(w, "route-table");

    aws_put(w, n, KIT_PARAM_ADDRESS, address);
    aws_put(w, n, KIT_PARAM_ENI, "eni-1");
    aws_put(w, n, KIT_PARAM_VPC_ID, "vpc-1");
}

static unsigned count(const char *text, const char *part)
{
    unsigned n = 0;

    for (const char *at = strstr(text, part); at; at = strstr(at + 1, part))
        n++;
    return n;
}

static void locate_all(struct aws_world *w, struct kit_query *query, bool for_claim)
{
    struct kit_err err;

    if (aws_locate(w, query, for_claim, &err))
        fail_msg("%s", err.msg);
}

static void forget(const struct aws_world *w, struct kit_query *query)
{
    for (size_t i = 0; i < w->resources; i++)
        kit_facts_done(&query[i].facts);
}

/* ---- many addresses -------------------------------------------------------------------------- */

static void a_hundred_addresses_share_one_call(void **state)
{
    KIT_AUTO(kit_buf) body = KIT_BUF(200000);
    struct aws_world *w = route_begin();
    struct kit_query query[RESOURCES];
    char address[32];

    (void)state;
    (void)kit_buf_puts(&body, XML "<DescribeRouteTablesResponse " EC2_NS "><routeTableSet><item>"
                                  "<routeTableId>rtb-1</routeTableId><vpcId>vpc-1</vpcId>"
                                  "<routeSet>");
    for (unsigned i = 0; i < 100; i++) {
        assert_true(kit_str_format(address, sizeof(address), "10.1.0.%u", 10 + i));
        if (i)
            add(w, address);
        (void)kit_buf_printf(&body, ROUTE(V4("%s/32"), TO_ENI("%u"), "active", "CreateRoute"),
                             address, i, i);
    }
    (void)kit_buf_puts(&body, "</routeSet></item></routeTableSet></DescribeRouteTablesResponse>");
    aws_reply(w, "DescribeRouteTables", NULL, body.data);
    locate_all(w, query, false);
    for (unsigned i = 0; i < 100; i++) {
        char eni[16];
        assert_true(kit_str_format(eni, sizeof(eni), "eni-%u", i));
        assert_false(query[i].failed);
        assert_int_equal(query[i].facts.count, 1);
        assert_binding(&query[i].facts, 0, "rtb-1", KIT_BINDING_HELD, eni);
    }
    assert_int_equal(w->net.requests, 1);
    assert_int_equal(w->caller.stats.calls, 1);
    assert_int_equal(count(w->net.request[0].body, "Filter.2.Value."), 100);
    assert_int_equal(count(w->net.request[0].body, "Filter.1.Value."), 1);
    forget(w, query);
    aws_done(w);
}

static void no_call_has_more_filter_values_than_ec2_takes(void **state)
{
    struct aws_world *w = route_begin();
    struct kit_query query[RESOURCES];
    char address[32];

    (void)state;
    for (unsigned i = 1; i < 128; i++) {
        assert_true(kit_str_format(address, sizeof(address), "10.1.0.%u", 10 + i));
        add(w, address);
    }
    aws_reply(w, "DescribeRouteTables", "10.1.0.10%2F32", TABLES(TABLE("rtb-1", VIP_ON("1"))));
    aws_reply(w, "DescribeRouteTables", NULL, TABLES(""));
    locate_all(w, query, false);
    assert_int_equal(w->net.requests, 2);
    assert_int_equal(w->caller.stats.rounds, 1);
    unsigned addresses = 0;
    for (size_t i = 0; i < w->net.requests; i++) {
        assert_true(count(w->net.request[i].body, ".Value.") <= 200);
        addresses += count(w->net.request[i].body, "%2F32");
    }
    assert_int_equal(addresses, 128);
    assert_int_equal(query[0].facts.count, 1);
    assert_int_equal(query[1].facts.count, 0);
    forget(w, query);
    aws_done(w);
}

static void a_long_list_of_tables_stays_below_the_limit(void **state)
{
    KIT_AUTO(kit_buf) list = KIT_BUF(10000);
    struct aws_world *w = route_begin();

    (void)state;
    for (unsigned i = 0; i < 300; i++)
        (void)kit_buf_printf(&list, "rtb-%u ", i);
    aws_put(w, 0, KIT_PARAM_ROUTE_TABLES, list.data);
    aws_reply(w, "DescribeRouteTables", NULL,
              TABLES(TABLE("rtb-7", VIP_ON("1")) TABLE("rtb-299", VIP_ON("2"))
                         TABLE("rtb-300", VIP_ON("2"))));
    struct kit_facts facts = aws_facts_of_one(w, false);
    for (size_t i = 0; i < w->net.requests; i++) {
        assert_true(count(w->net.request[i].body, ".Value.") <= 200);
        fake_assert_text(w->net.request[i].body, "10.1.0.10%2F32");
    }
    assert_int_equal(facts.count, 300);
    assert_int_equal(kit_facts_find(&facts, "rtb-7")->state, KIT_BINDING_HELD);
    assert_string_equal(kit_facts_find(&facts, "rtb-299")->holder, "eni-2");
    assert_int_equal(kit_facts_find(&facts, "rtb-8")->state, KIT_BINDING_MISSING);
    assert_null(kit_facts_find(&facts, "rtb-300"));
    kit_facts_done(&facts);
    aws_done(w);
}

static void different_ways_of_asking_are_one_round(void **state)
{
    struct aws_world *w = route_begin();
    struct kit_query query[RESOURCES];

    (void)state;
    add(w, "fd00::a");
    add(w, "10.1.0.11");
    aws_put(w, 2, KIT_PARAM_ROUTE_TABLES, "rtb-7");
    add(w, "10.1.0.12");
    aws_put(w, 3, KIT_PARAM_CREATE_ROUTE, "yes");
    add(w, "10.1.0.13"); /* goes with the first */
    aws_reply(w, "DescribeRouteTables", NULL, TABLES(TABLE("rtb-1", VIP_ON("1"))));
    locate_all(w, query, false);
    assert_int_equal(w->net.requests, 4);
    assert_int_equal(w->caller.stats.rounds, 1);
    assert_int_equal(w->net.most_flying, 4);
    assert_int_equal(query[0].facts.count, 1);
    assert_int_equal(query[1].facts.count, 0);
    assert_int_equal(query[2].facts.binding[0].state, KIT_BINDING_MISSING);
    assert_int_equal(query[3].facts.binding[0].state, KIT_BINDING_ABSENT);
    assert_int_equal(query[4].facts.count, 0);
    forget(w, query);
    aws_done(w);
}

static void resources_of_several_vpcs_share_a_call(void **state)
{
    static const char body[] =
        TABLES(TABLE("rtb-1", VIP_ON("1")) TABLE_WITH("rtb-2", "vpc-2", SUBNET, VIP_ON("2")));
    struct aws_world *w = route_begin();
    struct kit_query query[RESOURCES];

    (void)state;
    add(w, "10.1.0.10"); /* the same address in another VPC is another address */
    aws_put(w, 1, KIT_PARAM_VPC_ID, "vpc-2");
    aws_reply(w, "DescribeRouteTables", NULL, body);
    locate_all(w, query, false);
    assert_int_equal(w->net.requests, 1);
    fake_assert_text(w->net.request[0].body, "Filter.1.Value.1=vpc-1&Filter.1.Value.2=vpc-2&");
    assert_int_equal(query[0].facts.count, 1);
    assert_binding(&query[0].facts, 0, "rtb-1", KIT_BINDING_HELD, "eni-1");
    assert_int_equal(query[1].facts.count, 1);
    assert_binding(&query[1].facts, 0, "rtb-2", KIT_BINDING_HELD, "eni-2");
    forget(w, query);
    aws_done(w);
}

static void one_wrong_resource_fails_alone(void **state)
{
    struct aws_world *w = route_begin();
    struct kit_query query[RESOURCES];
    size_t n = aws_resource(w, "route-table");

    (void)state;
    aws_put(w, n, KIT_PARAM_ADDRESS, "10.1.0.11");
    aws_put(w, n, KIT_PARAM_INTERFACE, "nosuchif0");
    aws_put(w, n, KIT_PARAM_VPC_ID, "vpc-1");
    aws_reply(w, "DescribeRouteTables", NULL, TABLES(TABLE("rtb-1", VIP_ON("1"))));
    locate_all(w, query, false);
    assert_false(query[0].failed);
    assert_int_equal(query[0].facts.count, 1);
    assert_true(query[1].failed);
    assert_int_equal(query[1].err.kind, KIT_ERR_CONFIG);
    fake_assert_text(query[1].err.msg, "nosuchif0");
    assert_int_equal(w->net.requests, 1);
    forget(w, query);
    aws_done(w);
}

static void a_failed_call_fails_all_that_shared_it(void **state)
{
    struct aws_world *w = route_begin();
    struct kit_query query[RESOURCES];

    (void)state;
    add(w, "10.1.0.11");
    add(w, "fd00::a");
    aws_reply(w, "DescribeRouteTables", "ipv6", TABLES(""));
    aws_reply_with(
        w, "DescribeRouteTables",
        (struct fake_answer){.status = 403, .body = EC2_ERROR("UnauthorizedOperation", "no")}, 0);
    locate_all(w, query, false);
    assert_true(query[0].failed && query[1].failed);
    assert_false(query[2].failed);
    assert_int_equal(query[1].err.kind, KIT_ERR_DENIED);
    forget(w, query);
    aws_done(w);
}

/* ---- many pages ------------------------------------------------------------------------------ */

static void pages_are_read_to_the_end(void **state)
{
    struct aws_world *w = route_begin();

    (void)state;
    aws_reply(w, "DescribeRouteTables", "NextToken=b%26%2B", PAGE(TABLE("rtb-3", VIP_ON("3")), ""));
    aws_reply(w, "DescribeRouteTables", "NextToken=a%3D%3D",
              PAGE(TABLE("rtb-1", VIP_ON("1")), "b&amp;+"));
    aws_reply(w, "DescribeRouteTables", NULL, PAGE(TABLE("rtb-2", VIP_ON("2")), "a=="));
    struct kit_facts facts = aws_facts_of_one(w, false);
    assert_int_equal(w->net.requests, 3);
    assert_int_equal(facts.count, 3);
    assert_binding(&facts, 0, "rtb-1", KIT_BINDING_HELD, "eni-1");
    assert_binding(&facts, 1, "rtb-2", KIT_BINDING_HELD, "eni-2");
    assert_binding(&facts, 2, "rtb-3", KIT_BINDING_HELD, "eni-3");
    /* The same question each time. */
    assert_true(kit_str_starts(w->net.request[1].body, w->net.request[0].body));
    assert_true(kit_str_starts(w->net.request[2].body, w->net.request[0].body));
    kit_facts_done(&facts);
    aws_done(w);
}

/* A token is opaque, and of any length that a form can carry. */
static void a_long_token_is_given_back_whole(void **state)
{
    struct aws_world *w = route_begin();
    char token[4000];
    KIT_AUTO(kit_buf) page = KIT_BUF(10000);

    (void)state;
    memset(token, 'x', sizeof(token) - 1);
    token[sizeof(token) - 1] = '\0';
    (void)kit_buf_printf(&page,
                         XML
                         "<DescribeRouteTablesResponse><routeTableSet/><nextToken>%s</nextToken>"
                         "</DescribeRouteTablesResponse>",
                         token);
    aws_reply(w, "DescribeRouteTables", token, PAGE(TABLE("rtb-1", VIP_ON("1")), ""));
    aws_reply(w, "DescribeRouteTables", NULL, page.data);
    struct kit_facts facts = aws_facts_of_one(w, false);
    assert_int_equal(facts.count, 1);
    kit_facts_done(&facts);
    aws_done(w);
}

static void a_page_that_cannot_be_had_leaves_no_half_facts(void **state)
{
    struct aws_world *w = route_begin();

    (void)state;
    aws_reply_with(
        w, "DescribeRouteTables",
        (struct fake_answer){.status = 200, .body = PAGE(TABLE("rtb-2", VIP_ON("1")), "a")}, 1);
    aws_reply_with(
        w, "DescribeRouteTables",
        (struct fake_answer){.status = 400, .body = EC2_ERROR("InvalidPaginationToken", "no")}, 0);
    struct kit_query query = aws_locate_one(w, false);
    assert_true(query.failed);
    assert_string_equal(query.err.code, "InvalidPaginationToken");
    kit_facts_done(&query.facts);
    aws_done(w);
}

static void tokens_that_lead_nowhere_are_refused(void **state)
{
    KIT_AUTO(kit_buf) huge = KIT_BUF(20000);

    (void)state;
    (void)kit_buf_puts(&huge, XML "<DescribeRouteTablesResponse><routeTableSet/><nextToken>");
    for (unsigned i = 0; i < 10000; i++)
        (void)kit_buf_putc(&huge, 'x');
    (void)kit_buf_puts(&huge, "</nextToken></DescribeRouteTablesResponse>");
    const char *const bodies[] = {PAGE(TABLE("rtb-2", VIP_ON("1")), "again"), huge.data};
    for (size_t i = 0; i < KIT_LEN(bodies); i++) {
        struct aws_world *w = route_begin();

        aws_reply(w, "DescribeRouteTables", NULL, bodies[i]);
        struct kit_query query = aws_locate_one(w, false);
        assert_true(query.failed);
        assert_int_equal(query.err.kind, KIT_ERR_PROTOCOL);
        fake_assert_text(query.err.msg, "nextToken");
        assert_int_equal(w->net.requests, i == 0 ? 2 : 1);
        kit_facts_done(&query.facts);
        aws_done(w);
    }
}

static void an_answer_that_is_too_large_is_had_in_parts(void **state)
{
    struct aws_world *w = route_begin();

    (void)state;
    aws_reply_with(w, "DescribeRouteTables", (struct fake_answer){.how = FAKE_TOO_LARGE}, 2);
    aws_reply(w, "DescribeRouteTables", "NextToken=a", TABLES(TABLE("rtb-2", VIP_ON("2"))));
    aws_reply(w, "DescribeRouteTables", NULL, PAGE(TABLE("rtb-1", VIP_ON("1")), "a"));
    struct kit_facts facts = aws_facts_of_one(w, false);
    assert_int_equal(facts.count, 2);
    assert_int_equal(w->net.requests, 4);
    assert_null(strstr(w->net.request[0].body, "MaxResults"));
    fake_assert_text(w->net.request[1].body, "&MaxResults=40");
    fake_assert_text(w->net.request[2].body, "&MaxResults=5");
    fake_assert_text(w->net.request[3].body, "&MaxResults=5&NextToken=a");
    kit_facts_done(&facts);
    aws_done(w);
}

static void too_large_even_in_the_smallest_parts_is_an_error(void **state)
{
    struct aws_world *w = route_begin();

    (void)state;
    aws_reply_with(w, "DescribeRouteTables", (struct fake_answer){.how = FAKE_TOO_LARGE}, 0);
    struct kit_query query = aws_locate_one(w, false);
    assert_true(query.failed);
    assert_int_equal(query.err.kind, KIT_ERR_PROTOCOL);
    assert_int_equal(w->net.requests, 3);
    kit_facts_done(&query.facts);
    aws_done(w);
}

static void endless_pages_end_with_the_deadline(void **state)
{
    static const char *const pages[] = {PAGE("", "a"), PAGE("", "b")};
    struct aws_world *w = route_begin();

    (void)state;
    aws_reply_with(w, "DescribeRouteTables", (struct fake_answer){.status = 200}, 0);
    /* Two pages that name each other, each a second long. */
    w->reply[0] = (struct aws_reply){.action = "DescribeRouteTables",
                                     .part = "NextToken=a",
                                     .answer = {.status = 200, .body = pages[1], .after_ms = 1000}};
    aws_reply_with(w, "DescribeRouteTables",
                   (struct fake_answer){.status = 200, .body = pages[0], .after_ms = 1000}, 0);
    struct kit_query query = aws_locate_one(w, false);
    assert_true(query.failed);
    assert_int_equal(query.err.kind, KIT_ERR_TIMEOUT);
    assert_true(w->clock.now_ns <= 60 * KIT_NS_PER_S);
    kit_facts_done(&query.facts);
    aws_done(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_hundred_addresses_share_one_call),
        cmocka_unit_test(no_call_has_more_filter_values_than_ec2_takes),
        cmocka_unit_test(a_long_list_of_tables_stays_below_the_limit),
        cmocka_unit_test(different_ways_of_asking_are_one_round),
        cmocka_unit_test(resources_of_several_vpcs_share_a_call),
        cmocka_unit_test(one_wrong_resource_fails_alone),
        cmocka_unit_test(a_failed_call_fails_all_that_shared_it),
        cmocka_unit_test(pages_are_read_to_the_end),
        cmocka_unit_test(a_long_token_is_given_back_whole),
        cmocka_unit_test(a_page_that_cannot_be_had_leaves_no_half_facts),
        cmocka_unit_test(tokens_that_lead_nowhere_are_refused),
        cmocka_unit_test(an_answer_that_is_too_large_is_had_in_parts),
        cmocka_unit_test(too_large_even_in_the_smallest_parts_is_an_error),
        cmocka_unit_test(endless_pages_end_with_the_deadline),
    };
    return cmocka_run_group_tests_name("aws/route_search", tests, NULL, NULL);
}
