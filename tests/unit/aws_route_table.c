/* tests/unit/aws_route_table.c - what route tables say of an address. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kit/vip/where.h"
#include "tests/unit/aws_route.h"

/* ---- one entry ------------------------------------------------------------------------------- */

static void every_kind_of_target(void **state)
{
    static const struct {
        const char *tables, *holder, *node;
        enum kit_binding_state state;
    } rows[] = {
        {TABLES(TABLE("rtb-1", VIP_ON("1"))), "eni-1", "i-1", KIT_BINDING_HELD},
        {TABLES(TABLE("rtb-1", VIP_ON("2"))), "eni-2", "i-2", KIT_BINDING_HELD},
        /* An ENI that is attached to nothing. */
        {TABLES(TABLE("rtb-1", VIP_TO(TO("networkInterfaceId", "eni-3")))), "eni-3", "",
         KIT_BINDING_HELD},
        {TABLES(TABLE("rtb-1", VIP_TO(TO("instanceId", "i-4")))), "i-4", "i-4", KIT_BINDING_HELD},
        {TABLES(TABLE("rtb-1", ROUTE(V4("10.1.0.10/32"), TO_ENI("2"), "blackhole", "CreateRoute"))),
         "eni-2", "i-2", KIT_BINDING_BLACKHOLE},
        {TABLES(TABLE("rtb-1", ROUTE(V4("10.1.0.10/32"), TO_ENI("1"), "blackhole", "CreateRoute"))),
         "eni-1", "i-1", KIT_BINDING_BLACKHOLE},
        {TABLES(TABLE("rtb-1", ROUTE(V4("10.1.0.10/32"), "<networkInterfaceId/>", "blackhole",
                                     "CreateRoute"))),
         "", "", KIT_BINDING_BLACKHOLE},
        {TABLES(TABLE("rtb-1", VIP_TO(TO("gatewayId", "igw-1")))), "igw-1", "",
         KIT_BINDING_FOREIGN},
        {TABLES(TABLE("rtb-1", VIP_TO(TO("natGatewayId", "nat-1")))), "nat-1", "",
         KIT_BINDING_FOREIGN},
        {TABLES(TABLE("rtb-1", VIP_TO(TO("transitGatewayId", "tgw-1")))), "tgw-1", "",
         KIT_BINDING_FOREIGN},
        {TABLES(TABLE("rtb-1", VIP_TO(TO("vpcPeeringConnectionId", "pcx-1")))), "pcx-1", "",
         KIT_BINDING_FOREIGN},
        {TABLES(TABLE("rtb-1", VIP_TO(TO("coreNetworkArn", "arn:x")))), "arn:x", "",
         KIT_BINDING_FOREIGN},
        {TABLES(TABLE("rtb-1", VIP_TO(TO("somethingNewId", "new-1")))), "", "",
         KIT_BINDING_FOREIGN},
        {TABLES(TABLE("rtb-1", ROUTE(V4("10.1.0.10/32"), TO("gatewayId", "vgw-1"), "active",
                                     "EnableVgwRoutePropagation"))),
         "vgw-1", "", KIT_BINDING_FOREIGN},
        {TABLES(TABLE("rtb-1", ROUTE(V4("10.1.0.10/32"), TO_ENI("2"), "active", "Advertisement"))),
         "eni-2", "i-2", KIT_BINDING_FOREIGN},
    };

    (void)state;
    for (size_t i = 0; i < KIT_LEN(rows); i++) {
        struct aws_world *w = route_begin();

        aws_reply(w, "DescribeRouteTables", NULL, rows[i].tables);
        struct kit_facts facts = aws_facts_of_one(w, false);
        assert_int_equal(facts.count, 1);
        assert_string_equal(facts.me, "eni-1");
        assert_binding(&facts, 0, "rtb-1", rows[i].state, rows[i].holder);
        assert_string_equal(facts.binding[0].node, rows[i].node);
        kit_facts_done(&facts);
        aws_done(w);
    }
}

static void a_static_route_goes_before_a_propagated_one(void **state)
{
#define PROPAGATED                                                                                 \
    ROUTE(V4("10.1.0.10/32"), TO("gatewayId", "vgw-1"), "active", "EnableVgwRoutePropagation")
    static const char *const bodies[] = {TABLES(TABLE("rtb-1", PROPAGATED VIP_ON("2"))),
                                         TABLES(TABLE("rtb-1", VIP_ON("2") PROPAGATED))};

    (void)state;
    for (size_t i = 0; i < KIT_LEN(bodies); i++) {
        struct aws_world *w = route_begin();

        aws_reply(w, "DescribeRouteTables", NULL, bodies[i]);
        struct kit_facts facts = aws_facts_of_one(w, false);
        assert_int_equal(facts.count, 1);
        assert_binding(&facts, 0, "rtb-1", KIT_BINDING_HELD, "eni-2");
        kit_facts_done(&facts);
        aws_done(w);
    }
}

static void neighbours_are_not_the_address(void **state)
{
    static const char body[] = TABLES(TABLE(
        "rtb-1",
        ROUTE(V4("10.1.0.1/32"), TO_ENI("2"), "active", "CreateRoute")
            ROUTE(V4("10.1.0.100/32"), TO_ENI("2"), "active", "CreateRoute")
                ROUTE(V4("110.1.0.10/32"), TO_ENI("2"), "active", "CreateRoute")
                    ROUTE(V4("10.1.0.10/31"), TO_ENI("2"), "active", "CreateRoute")
                        ROUTE(V4("10.1.0.0/24"), TO_ENI("2"), "active", "CreateRoute")
                            ROUTE(V6("::ffff:10.1.0.10/128"), TO_ENI("2"), "active", "CreateRoute")
                                ROUTE(LIST("pl-1"), TO_ENI("2"), "active", "CreateRoute")
                                    ROUTE(V4("nonsense"), TO_ENI("2"), "active", "CreateRoute")
                                        ROUTE("", TO_ENI("2"), "active", "CreateRoute")));
    struct aws_world *w = route_begin();

    (void)state;
    aws_reply(w, "DescribeRouteTables", NULL, body);
    struct kit_facts facts = aws_facts_of_one(w, false);
    assert_int_equal(facts.count, 0);
    assert_int_equal(kit_where_shape(&facts), KIT_SHAPE_NOWHERE);
    kit_facts_done(&facts);
    aws_done(w);
}

static void ipv6_is_compared_as_an_address(void **state)
{
    static const char body[] =
        TABLES(TABLE("rtb-1", VIP_ON("2") ROUTE(V6("FD00:0:0:0:0:0:0:000A/128"), TO_ENI("1"),
                                                "active", "CreateRoute"))
                   TABLE("rtb-2", ROUTE(V6("fd00::a0/128"), TO_ENI("1"), "active", "CreateRoute")));
    struct aws_world *w = aws_begin("route-table");

    (void)state;
    aws_put(w, 0, KIT_PARAM_ADDRESS, "fd00::000a");
    aws_put(w, 0, KIT_PARAM_ENI, "eni-1");
    aws_put(w, 0, KIT_PARAM_VPC_ID, "vpc-1");
    aws_reply(w, "DescribeRouteTables", NULL, body);
    struct kit_facts facts = aws_facts_of_one(w, false);
    assert_int_equal(facts.count, 1);
    assert_binding(&facts, 0, "rtb-1", KIT_BINDING_HELD, "eni-1");
    assert_string_equal(w->net.request[0].body,
                        DESCRIBE "&Filter.1.Name=vpc-id&Filter.1.Value.1=vpc-1"
                                 "&Filter.2.Name=route.destination-ipv6-cidr-block"
                                 "&Filter.2.Value.1=fd00%3A%3Aa%2F128");
    kit_facts_done(&facts);
    aws_done(w);
}

/* ---- which tables ---------------------------------------------------------------------------- */

static void one_call_and_nothing_of_other_vpcs(void **state)
{
    /* A server that ignores the filters. */
    static const char body[] = TABLES(TABLE("rtb-9", VIP_ON("1")) TABLE("rtb-3", VIP_ON("2")) TABLE(
        "rtb-5", "") TABLE_WITH("rtb-8", "vpc-2", SUBNET, VIP_ON("1")) TABLE("rtb-3", VIP_ON("1")));
    struct aws_world *w = route_begin();

    (void)state;
    aws_reply(w, "DescribeRouteTables", NULL, body);
    struct kit_facts facts = aws_facts_of_one(w, false);
    assert_int_equal(facts.count, 2); /* in order, each once */
    assert_binding(&facts, 0, "rtb-3", KIT_BINDING_HELD, "eni-2");
    assert_binding(&facts, 1, "rtb-9", KIT_BINDING_HELD, "eni-1");
    assert_int_equal(kit_where_shape(&facts), KIT_SHAPE_SPLIT);
    kit_facts_done(&facts);
    assert_int_equal(w->net.requests, 1);
    assert_int_equal(w->caller.stats.metadata, 0);
    assert_string_equal(w->net.request[0].body,
                        DESCRIBE "&Filter.1.Name=vpc-id&Filter.1.Value.1=vpc-1"
                                 "&Filter.2.Name=route.destination-cidr-block"
                                 "&Filter.2.Value.1=10.1.0.10%2F32");
    aws_done(w);
}

static void listed_tables_and_no_others(void **state)
{
    static const char body[] = TABLES(TABLE("rtb-1", VIP_ON("1")) TABLE("rtb-2", VIP_ON("2"))
                                          TABLE_WITH("rtb-3", "vpc-2", SUBNET, VIP_ON("1")));
    struct aws_world *w = route_begin();

    (void)state;
    aws_put(w, 0, KIT_PARAM_ROUTE_TABLES, "rtb-3, rtb-1 rtb-7");
    aws_reply(w, "DescribeRouteTables", NULL, body);
    struct kit_facts facts = aws_facts_of_one(w, false);
    assert_int_equal(facts.count, 3);
    assert_binding(&facts, 0, "rtb-1", KIT_BINDING_HELD, "eni-1");
    assert_binding(&facts, 1, "rtb-3", KIT_BINDING_HELD, "eni-1"); /* of whatever VPC */
    assert_binding(&facts, 2, "rtb-7", KIT_BINDING_MISSING, "");
    kit_facts_done(&facts);
    assert_string_equal(w->net.request[0].body,
                        DESCRIBE "&Filter.1.Name=route-table-id&Filter.1.Value.1=rtb-3"
                                 "&Filter.1.Value.2=rtb-1&Filter.1.Value.3=rtb-7"
                                 "&Filter.2.Name=route.destination-cidr-block"
                                 "&Filter.2.Value.1=10.1.0.10%2F32");
    aws_done(w);
}

static void create_route_looks_at_tables_without_it(void **state)
{
    static const char body[] = TABLES(TABLE("rtb-1", VIP_ON("1")) TABLE("rtb-2", "") TABLE_WITH(
        "rtb-3", "vpc-1", GATEWAY, "") TABLE_WITH("rtb-4", "vpc-1", "", ""));
    struct aws_world *w = route_begin();

    (void)state;
    aws_put(w, 0, KIT_PARAM_CREATE_ROUTE, "yes");
    aws_reply(w, "DescribeRouteTables", NULL, body);
    struct kit_facts facts = aws_facts_of_one(w, false);
    assert_int_equal(facts.count, 3); /* a gateway's own table takes no route like ours */
    assert_binding(&facts, 0, "rtb-1", KIT_BINDING_HELD, "eni-1");
    assert_binding(&facts, 1, "rtb-2", KIT_BINDING_ABSENT, "");
    assert_binding(&facts, 2, "rtb-4", KIT_BINDING_ABSENT, "");
    kit_facts_done(&facts);
    assert_string_equal(w->net.request[0].body,
                        DESCRIBE "&Filter.1.Name=vpc-id&Filter.1.Value.1=vpc-1");
    aws_done(w);
}

static void create_route_in_listed_tables(void **state)
{
    static const char body[] = TABLES(TABLE("rtb-2", "") TABLE_WITH("rtb-3", "vpc-1", GATEWAY, ""));
    struct aws_world *w = route_begin();

    (void)state;
    aws_put(w, 0, KIT_PARAM_CREATE_ROUTE, "yes");
    aws_put(w, 0, KIT_PARAM_ROUTE_TABLES, "rtb-2;rtb-3;rtb-4");
    aws_reply(w, "DescribeRouteTables", NULL, body);
    struct kit_facts facts = aws_facts_of_one(w, false);
    assert_int_equal(facts.count, 3);
    assert_binding(&facts, 0, "rtb-2", KIT_BINDING_ABSENT, "");
    assert_binding(&facts, 1, "rtb-3", KIT_BINDING_ABSENT, "");  /* somebody named it */
    assert_binding(&facts, 2, "rtb-4", KIT_BINDING_MISSING, ""); /* no such table */
    kit_facts_done(&facts);
    aws_done(w);
}

static void a_claim_without_any_route_names_the_tables(void **state)
{
    struct aws_world *w = route_begin();

    (void)state;
    aws_reply(w, "DescribeNetworkInterfaces", NULL, ENIS(ENI_ITEM("1", "false")));
    aws_reply(w, "DescribeRouteTables", "destination", TABLES(""));
    aws_reply(w, "DescribeRouteTables", NULL, TABLES(TABLE("rtb-1", "") TABLE("rtb-2", "")));
    struct kit_query query = aws_locate_one(w, true);
    assert_true(query.failed);
    assert_int_equal(query.err.kind, KIT_ERR_CONFIG);
    fake_assert_text(query.err.msg, "no route table of vpc-1 has a route to 10.1.0.10/32");
    fake_assert_text(query.err.msg, "looked at: rtb-1, rtb-2");
    fake_assert_text(query.err.msg, "create_route = yes");
    kit_facts_done(&query.facts);
    aws_done(w);
}

/* ---- the source/destination check ------------------------------------------------------------ */

static void only_a_claim_asks_for_the_check(void **state)
{
    static const struct {
        const char *mode, *check;
        unsigned calls, needs, breaches;
    } rows[] = {
        {"disable", "true", 2, 1, 0}, {"disable", "false", 2, 0, 0},
        {"verify", "true", 2, 0, 1},  {"verify", "false", 2, 0, 0},
        {"ignore", "true", 1, 0, 0},  {"disable", "", 2, 1, 0}, /* not told: as if on */
    };

    (void)state;
    for (size_t i = 0; i < KIT_LEN(rows); i++) {
        struct aws_world *w = route_begin();
        const char *eni = kit_str_eq(rows[i].check, "true")    ? ENIS(ENI_ITEM("1", "true"))
                          : kit_str_eq(rows[i].check, "false") ? ENIS(ENI_ITEM("1", "false"))
                                                               : ENIS(ENI_ITEM("1", ""));

        aws_put(w, 0, KIT_PARAM_SOURCE_DEST_CHECK, rows[i].mode);
        aws_reply(w, "DescribeRouteTables", NULL, TABLES(TABLE("rtb-1", VIP_ON("2"))));
        aws_reply(w, "DescribeNetworkInterfaces", NULL, eni);
        struct kit_facts facts = aws_facts_of_one(w, false);
        assert_int_equal(facts.needs, 0);
        assert_int_equal(w->net.requests, 1);
        kit_facts_done(&facts);

        facts = aws_facts_of_one(w, true);
        assert_int_equal(w->net.requests, 1 + rows[i].calls);
        assert_int_equal(w->caller.stats.rounds, 2); /* beside each other */
        assert_int_equal(facts.needs, rows[i].needs);
        if (facts.needs) {
            assert_string_equal(facts.need[0].place, "eni-1");
            assert_string_equal(facts.need[0].now, "on");
            assert_string_equal(facts.need[0].then, "off");
        }
        assert_int_equal(facts.breaches, rows[i].breaches);
        if (facts.breaches) {
            assert_int_equal(facts.breach[0].rule->number, 66);
            fake_assert_text(facts.breach[0].detail, "eni-1");
        }
        if (rows[i].calls == 2)
            assert_string_equal(facts.my_node, "i-1");
        kit_facts_done(&facts);
        aws_done(w);
    }
}

static void a_check_that_cannot_be_read_fails_the_claim(void **state)
{
    static const struct {
        struct fake_answer answer;
        enum kit_err_kind kind;
        const char *text;
    } rows[] = {
        {{.status = 403, .body = EC2_ERROR("UnauthorizedOperation", "no")},
         KIT_ERR_DENIED,
         "source_dest_check = ignore"},
        {{.status = 200, .body = ENIS("")}, KIT_ERR_NOT_FOUND, "no ENI eni-1"},
        {{.status = 200, .body = ENIS(ENI_ITEM("11", "false"))}, KIT_ERR_NOT_FOUND, "no ENI eni-1"},
        {{.status = 400, .body = EC2_ERROR("InvalidNetworkInterfaceID.NotFound", "none")},
         KIT_ERR_NOT_FOUND,
         "eni-1"},
    };

    (void)state;
    for (size_t i = 0; i < KIT_LEN(rows); i++) {
        struct aws_world *w = route_begin();

        aws_reply(w, "DescribeRouteTables", NULL, TABLES(TABLE("rtb-1", VIP_ON("2"))));
        aws_reply_with(w, "DescribeNetworkInterfaces", rows[i].answer, 0);
        struct kit_query query = aws_locate_one(w, true);
        assert_true(query.failed);
        assert_int_equal(query.err.kind, rows[i].kind);
        fake_assert_text(query.err.msg, rows[i].text);
        kit_facts_done(&query.facts);
        aws_done(w);
    }
}

static void a_refused_look_is_an_error_and_no_facts(void **state)
{
    struct aws_world *w = route_begin();

    (void)state;
    aws_reply_with(
        w, "DescribeRouteTables",
        (struct fake_answer){.status = 403, .body = EC2_ERROR("UnauthorizedOperation", "no")}, 0);
    struct kit_query query = aws_locate_one(w, false);
    assert_true(query.failed);
    assert_int_equal(query.err.kind, KIT_ERR_DENIED);
    fake_assert_text(query.err.msg, "DescribeRouteTables: UnauthorizedOperation");
    kit_facts_done(&query.facts);
    aws_done(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_of_target),
        cmocka_unit_test(a_static_route_goes_before_a_propagated_one),
        cmocka_unit_test(neighbours_are_not_the_address),
        cmocka_unit_test(ipv6_is_compared_as_an_address),
        cmocka_unit_test(one_call_and_nothing_of_other_vpcs),
        cmocka_unit_test(listed_tables_and_no_others),
        cmocka_unit_test(create_route_looks_at_tables_without_it),
        cmocka_unit_test(create_route_in_listed_tables),
        cmocka_unit_test(a_claim_without_any_route_names_the_tables),
        cmocka_unit_test(only_a_claim_asks_for_the_check),
        cmocka_unit_test(a_check_that_cannot_be_read_fails_the_claim),
        cmocka_unit_test(a_refused_look_is_an_error_and_no_facts),
    };
    return cmocka_run_group_tests_name("aws/route_table", tests, NULL, NULL);
}
