/* kit/cloud/aliyun/route_search, route_entry: route tables and entries, read and judged. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/unit/ali_routes.h"

/* ---- where it is ----------------------------------------------------------------------------- */

static const struct {
    const char *entries;
    enum kit_binding_state state;
    const char *holder;
    bool mine, right;
} judged[] = {
    {ON("eni-2"), KIT_BINDING_HELD, "eni-2", true, true},
    {ON("eni-1"), KIT_BINDING_HELD, "eni-1", false, false},
    {ENTRIES(ENTRY("Modifying", "eni-2")), KIT_BINDING_HELD, "eni-2", true, false},
    {ENTRIES(ENTRY("Pending", "eni-2")), KIT_BINDING_HELD, "eni-2", true, false},
    {ENTRIES(ENTRY("Deleting", "eni-2")), KIT_BINDING_HELD, "eni-2", true, false},
    {ENTRIES(ENTRY_OF("10.1.0.10/32", "Custom", "Available", HOP("Instance", "i-2"))),
     KIT_BINDING_HELD, "i-2", true, true},
    {ENTRIES(ENTRY_OF("10.1.0.10/32", "Custom", "Available", HOP("Instance", "i-1"))),
     KIT_BINDING_HELD, "i-1", false, false},
    {ENTRIES(ENTRY_OF("10.1.0.10/32", "Custom", "Available", HOP("HaVip", "havip-1"))),
     KIT_BINDING_FOREIGN, "havip-1", false, false},
    {ENTRIES(ENTRY_OF("10.1.0.10/32", "Custom", "Available", HOP("NatGateway", "ngw-1"))),
     KIT_BINDING_FOREIGN, "ngw-1", false, false},
    {ENTRIES(ENTRY_OF("10.1.0.10/32", "BGP", "Available", HOP("NetworkInterface", "eni-2"))),
     KIT_BINDING_FOREIGN, "eni-2", false, false},
    {ENTRIES(ENTRY_OF("10.1.0.10/32", "Custom", "Available",
                      HOP("NetworkInterface", "eni-2") "," HOP("NetworkInterface", "eni-1"))),
     KIT_BINDING_FOREIGN, "2 next hops (ECMP)", false, false},
    /* A learnt entry beside a custom one does not count. */
    {ENTRIES(ENTRY("Available", "eni-2") "," ENTRY_OF("10.1.0.10/32", "CEN", "Available",
                                                      HOP("Attachment", "tr-1"))),
     KIT_BINDING_HELD, "eni-2", true, true},
    /* A single object where the list should be. */
    {ALI_ANSWER("\"RouteEntrys\":{\"RouteEntry\":" ENTRY("Available", "eni-2") "}"),
     KIT_BINDING_HELD, "eni-2", true, true},
    {ENTRIES(ENTRY_OF(
         "10.1.0.1/32", "Custom", "Available",
         HOP("NetworkInterface",
             "eni-2")) "," ENTRY_OF("10.1.0.100/32", "Custom", "Available",
                                    HOP("NetworkInterface",
                                        "eni-2")) "," ENTRY_OF("10.1.0.0/24", "Custom", "Available",
                                                               HOP("NetworkInterface", "eni-2"))),
     KIT_BINDING_MISSING, "", false, false},
    {ENTRIES(""), KIT_BINDING_MISSING, "", false, false},
};

static void entries_are_judged(void **state)
{
    (void)state;
    for (size_t i = 0; i < KIT_LEN(judged); i++) {
        struct ali_world *w = one_table();

        ali_reply(w, READ, NULL, judged[i].entries);
        struct kit_facts facts = ali_facts(w, false);
        const struct kit_binding *b = facts.binding;
        assert_int_equal(facts.count, 1);
        assert_string_equal(b->place, "vtb-1");
        assert_int_equal(b->state, judged[i].state);
        assert_string_equal(b->holder, judged[i].holder);
        assert_int_equal(b->mine, judged[i].mine);
        assert_int_equal(b->right, judged[i].right);
        ali_assert_calls(w, READ);
        kit_facts_done(&facts);
        ali_done(w);
    }
}

static void ipv6_is_compared_as_addresses(void **state)
{
    struct ali_world *w = ali_begin("route-table");

    (void)state;
    ali_put(w, 0, KIT_PARAM_ADDRESS, "fd00:CAFE::10");
    ali_put(w, 0, KIT_PARAM_ENI, "eni-2");
    ali_put(w, 0, KIT_PARAM_ROUTE_TABLES, "vtb-1");
    ali_reply(w, READ, "DestinationCidrBlock=fd00%3Acafe%3A%3A10%2F128",
              ENTRIES(ENTRY_OF("fd00:cafe:0:0::10/128", "Custom", "Available",
                               HOP("NetworkInterface", "eni-2"))));
    struct kit_facts facts = ali_facts(w, false);
    assert_true(facts.binding[0].right);
    kit_facts_done(&facts);
    ali_done(w);
}

static void tables_of_the_vpc_page_by_page(void **state)
{
    struct ali_world *w = ali_begin("route-table");

    (void)state;
    ali_put(w, 0, KIT_PARAM_ADDRESS, "10.1.0.10");
    ali_put(w, 0, KIT_PARAM_ENI, "eni-2");
    ali_put(w, 0, KIT_PARAM_VPC_ID, "vpc-1");
    ali_reply(w, LIST, "PageNumber=2", TABLES("51", TABLE("vtb-3")));
    ali_reply(w, LIST, "VpcId=vpc-1",
              TABLES("51",
                     TABLE("vtb-2") "," TABLE(
                         "vtb-1") ","
                                  "{\"RouteTableId\":\"vtb-gw\",\"AssociateType\":\"Gateway\"}"));
    ali_reply(w, READ, "RouteTableId=vtb-1", ON("eni-2"));
    ali_reply(w, READ, "RouteTableId=vtb-2", ENTRIES(""));
    ali_reply(w, READ, "RouteTableId=vtb-3", ON("eni-1"));
    struct kit_facts facts = ali_facts(w, false);
    assert_int_equal(facts.count, 2); /* sorted; without the one that lacks it */
    assert_string_equal(facts.binding[0].place, "vtb-1");
    assert_string_equal(facts.binding[1].place, "vtb-3");
    ali_assert_calls(w, LIST " " LIST " " READ " " READ " " READ);
    assert_int_equal(w->net.most_flying, 3); /* all entries in one round */
    fake_assert_text(ali_query(w, LIST, 0), "PageSize=50");
    fake_assert_text(ali_query(w, READ, 0), "DestinationCidrBlock=10.1.0.10%2F32");
    kit_facts_done(&facts);
    ali_done(w);
}

static void nothing_anywhere_names_the_tables(void **state)
{
    struct ali_world *w = ali_begin("route-table");

    (void)state;
    ali_put(w, 0, KIT_PARAM_ADDRESS, "10.1.0.10");
    ali_put(w, 0, KIT_PARAM_ENI, "eni-2");
    ali_put(w, 0, KIT_PARAM_VPC_ID, "vpc-1");
    ali_reply(w, LIST, NULL, TABLES("2", TABLE("vtb-1") "," TABLE("vtb-2")));
    ali_reply(w, READ, NULL, ENTRIES(""));
    struct kit_facts facts = ali_facts(w, false);
    assert_int_equal(facts.count, 0);
    kit_facts_done(&facts);
    struct kit_err err = ali_locate_error(w, true);
    assert_int_equal(err.kind, KIT_ERR_CONFIG);
    fake_assert_text(err.msg, "10.1.0.10/32");
    fake_assert_text(err.msg, "vtb-1, vtb-2");
    fake_assert_text(err.msg, "create_route");
    ali_done(w);
}

static void a_table_that_is_not_there_is_missing(void **state)
{
    struct ali_world *w = one_table();

    (void)state;
    ali_reply_with(
        w, READ, NULL,
        (struct fake_answer){.status = 404, .body = ALI_ERROR("InvalidRouteTable.NotFound")}, 0);
    struct kit_facts facts = ali_facts(w, false);
    assert_int_equal(facts.binding[0].state, KIT_BINDING_MISSING);
    kit_facts_done(&facts);
    ali_done(w);
}

static void a_table_that_may_not_be_read_is_an_error(void **state)
{
    struct ali_world *w = one_table();

    (void)state;
    ali_reply_with(w, READ, NULL,
                   (struct fake_answer){.status = 403, .body = ALI_ERROR("Forbidden.RAM")}, 0);
    struct kit_err err = ali_locate_error(w, false);
    assert_int_equal(err.kind, KIT_ERR_DENIED);
    fake_assert_text(err.msg, READ);
    ali_done(w);
}

static void two_resources_share_a_table(void **state)
{
    struct ali_world *w = one_table();
    struct kit_query query[2];

    (void)state;
    size_t other = ali_resource(w, "route-table");
    ali_put(w, other, KIT_PARAM_ADDRESS, "10.1.0.11");
    ali_put(w, other, KIT_PARAM_ENI, "eni-2");
    ali_put(w, other, KIT_PARAM_ROUTE_TABLES, "vtb-1");
    ali_reply_once(
        w, READ, "NextToken=second",
        ENTRIES(ENTRY_OF("10.1.0.11/32", "Custom", "Available", HOP("NetworkInterface", "eni-1"))));
    ali_reply_once(w, READ, NULL,
                   ALI_ANSWER("\"NextToken\":\"second\",\"RouteEntrys\":{\"RouteEntry\":[" ENTRY(
                       "Available", "eni-2") "]}"));
    ali_locate(w, query, false);
    ali_assert_calls(w, READ " " READ); /* two pages of the whole table, not two searches */
    assert_null(strstr(ali_query(w, READ, 0), "DestinationCidrBlock"));
    assert_true(query[0].facts.binding[0].right);
    assert_string_equal(query[1].facts.binding[0].holder, "eni-1");
    kit_facts_done(&query[0].facts);
    kit_facts_done(&query[1].facts);
    ali_done(w);
}

static void a_next_hop_that_is_gone_is_a_blackhole(void **state)
{
    static const char *const enis[] = {
        ENIS(OURS),                                                /* deleted */
        ENIS(OURS "," ENI("eni-1", "", "Available", "Secondary")), /* attached to nothing */
    };

    (void)state;
    for (size_t i = 0; i < KIT_LEN(enis); i++) {
        struct ali_world *w = one_table();

        ali_reply(w, READ, NULL, ON("eni-1"));
        ali_reply(w, LOOK, NULL, enis[i]);
        struct kit_facts facts = ali_facts(w, true);
        assert_int_equal(facts.binding[0].state, KIT_BINDING_BLACKHOLE);
        fake_assert_text(ali_query(w, LOOK, 0), "NetworkInterfaceId.1=eni-2");
        fake_assert_text(ali_query(w, LOOK, 0), "NetworkInterfaceId.2=eni-1");
        kit_facts_done(&facts);
        ali_done(w);
    }
}

static void rules_refuse_before_anything_is_changed(void **state)
{
    static const struct {
        const char *eni, *says;
    } rows[] = {
        {ENI("eni-2", "", "Available", "Secondary"), "rule 64: eni-2 is Available"},
        {"{\"NetworkInterfaceId\":\"eni-2\",\"InstanceId\":\"i-2\",\"Status\":\"InUse\",\"VpcId\":"
         "\"vpc-9\"}",
         "rule 53: eni-2 is in vpc-9, the route tables are of vpc-1"},
    };

    (void)state;
    for (size_t i = 0; i < KIT_LEN(rows); i++) {
        struct ali_world *w = one_table();
        char body[1024];

        assert_true(kit_str_format(body, sizeof(body), ENIS("%s," THEIRS), rows[i].eni));
        ali_reply(w, READ, NULL, ON("eni-1"));
        ali_reply(w, LOOK, NULL, body);
        struct kit_err err = ali_refusal(w);
        assert_int_equal(err.kind, KIT_ERR_CONFIG);
        fake_assert_text(err.msg, rows[i].says);
        ali_done(w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(entries_are_judged),
        cmocka_unit_test(ipv6_is_compared_as_addresses),
        cmocka_unit_test(tables_of_the_vpc_page_by_page),
        cmocka_unit_test(nothing_anywhere_names_the_tables),
        cmocka_unit_test(a_table_that_is_not_there_is_missing),
        cmocka_unit_test(a_table_that_may_not_be_read_is_an_error),
        cmocka_unit_test(two_resources_share_a_table),
        cmocka_unit_test(a_next_hop_that_is_gone_is_a_blackhole),
        cmocka_unit_test(rules_refuse_before_anything_is_changed),
    };

    return cmocka_run_group_tests_name("ali_route_table", tests, NULL, NULL);
}
