/* kit/cloud/aliyun/route_*: entries read, judged, and pointed here one after the other. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/unit/ali_movers.h"

#define HOP(type, id) "{\"NextHopType\":\"" type "\",\"NextHopId\":\"" id "\"}"
#define ENTRY_OF(cidr, type, status, hops)                                                         \
    "{\"RouteEntryId\":\"rte-1\",\"DestinationCidrBlock\":\"" cidr "\",\"Type\":\"" type           \
    "\",\"Status\":\"" status "\",\"NextHops\":{\"NextHop\":[" hops "]}}"
#define ENTRY(status, hop) ENTRY_OF("10.1.0.10/32", "Custom", status, HOP("NetworkInterface", hop))
#define ENTRIES(list)      ALI_ANSWER("\"RouteEntrys\":{\"RouteEntry\":[" list "]}")
#define ON(hop)            ENTRIES(ENTRY("Available", hop))
#define TABLE(id)          "{\"RouteTableId\":\"" id "\",\"AssociateType\":\"VSwitch\"}"
#define TABLES(total, list)                                                                        \
    ALI_ANSWER("\"TotalCount\":" total ",\"PageSize\":50,\"PageNumber\":1,\"RouterTableList\":{"   \
               "\"RouterTableListType\":[" list "]}")
#define ENI(id, node, status, type)                                                                \
    "{\"NetworkInterfaceId\":\"" id "\",\"InstanceId\":\"" node "\",\"Status\":\"" status          \
    "\",\"Type\":\"" type "\",\"VpcId\":\"vpc-1\",\"ZoneId\":\"cn-shanghai-a\"}"
#define ENIS(list) ALI_ANSWER("\"NetworkInterfaceSets\":{\"NetworkInterfaceSet\":[" list "]}")
#define OURS       ENI("eni-2", "i-2", "InUse", "Secondary")
#define THEIRS     ENI("eni-1", "i-1", "InUse", "Secondary")

#define LIST   "DescribeRouteTableList"
#define READ   "DescribeRouteEntryList"
#define MODIFY "ModifyRouteEntry"
#define CREATE "CreateRouteEntry"
#define DELETE "DeleteRouteEntry"
#define LOOK   "DescribeNetworkInterfaces"

/* One listed table; our ENI is eni-2. */
static struct ali_world *one_table(void)
{
    struct ali_world *w = ali_begin("route-table");

    ali_put(w, 0, KIT_PARAM_ADDRESS, "10.1.0.10");
    ali_put(w, 0, KIT_PARAM_ENI, "eni-2");
    ali_put(w, 0, KIT_PARAM_VPC_ID, "vpc-1");
    ali_put(w, 0, KIT_PARAM_ROUTE_TABLES, "vtb-1");
    return w;
}

/* ---- where it is -------------------------------------------------------------------------------
 */

static void entries_are_judged(void **state)
{
    static const struct {
        const char *entries;
        enum kit_binding_state state;
        const char *holder;
        bool mine, right;
    } rows[] = {
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
        {ENTRIES(
             ENTRY_OF("10.1.0.1/32", "Custom", "Available",
                      HOP("NetworkInterface",
                          "eni-2")) "," ENTRY_OF("10.1.0.100/32", "Custom", "Available",
                                                 HOP("NetworkInterface",
                                                     "eni-2")) "," ENTRY_OF("10.1.0.0/24", "Custom",
                                                                            "Available",
                                                                            HOP("NetworkInterface",
                                                                                "eni-2"))),
         KIT_BINDING_MISSING, "", false, false},
        {ENTRIES(""), KIT_BINDING_MISSING, "", false, false},
    };

    (void)state;
    for (size_t i = 0; i < KIT_LEN(rows); i++) {
        struct ali_world *w = one_table();

        ali_reply(w, READ, NULL, rows[i].entries);
        struct kit_facts facts = ali_facts(w, false);
        const struct kit_binding *b = facts.binding;
        assert_int_equal(facts.count, 1);
        assert_string_equal(b->place, "vtb-1");
        assert_int_equal(b->state, rows[i].state);
        assert_string_equal(b->holder, rows[i].holder);
        assert_int_equal(b->mine, rows[i].mine);
        assert_int_equal(b->right, rows[i].right);
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

/* ---- pointing it here --------------------------------------------------------------------------
 */

static struct ali_world *with_theirs(void)
{
    struct ali_world *w = one_table();

    ali_reply(w, LOOK, NULL, ENIS(OURS "," THEIRS));
    ali_reply_once(w, READ, NULL, ON("eni-1"));
    return w;
}

static void modified_in_place_and_seen(void **state)
{
    struct ali_world *w = with_theirs();

    (void)state;
    ali_reply(w, MODIFY, NULL, ALI_OK);
    ali_reply_once(w, READ, NULL, ENTRIES(ENTRY("Modifying", "eni-1")));
    ali_reply(w, READ, NULL, ON("eni-2"));
    struct kit_step step = ali_claim(w, 1);
    assert_int_equal(step.result, KIT_STEP_DONE);
    ali_assert_calls(w, READ " " LOOK " " MODIFY " " READ " " READ);
    fake_assert_text(ali_query(w, MODIFY, 0), "NewNextHopId=eni-2");
    fake_assert_text(ali_query(w, MODIFY, 0), "NewNextHopType=NetworkInterface");
    fake_assert_text(ali_query(w, MODIFY, 0), "RouteEntryId=rte-1");
    fake_assert_text(ali_query(w, MODIFY, 0), "RegionId=cn-shanghai");
    ali_done(w);
}

static void a_primary_interface_is_reached_through_its_instance(void **state)
{
    struct ali_world *w = one_table();

    (void)state;
    ali_reply(w, LOOK, NULL, ENIS(ENI("eni-2", "i-2", "InUse", "Primary") "," THEIRS));
    ali_reply_once(w, READ, NULL, ON("eni-1"));
    ali_reply(w, MODIFY, NULL, ALI_OK);
    ali_reply(w, READ, NULL,
              ENTRIES(ENTRY_OF("10.1.0.10/32", "Custom", "Available", HOP("Instance", "i-2"))));
    assert_int_equal(ali_claim(w, 1).result, KIT_STEP_DONE);
    fake_assert_text(ali_query(w, MODIFY, 0), "NewNextHopId=i-2");
    fake_assert_text(ali_query(w, MODIFY, 0), "NewNextHopType=Instance");
    ali_done(w);
}

static void a_task_under_way_is_waited_for(void **state)
{
    struct ali_world *w = with_theirs();

    (void)state;
    w->clock.chance = 0.5;
    ali_reply_with(w, MODIFY, NULL,
                   (struct fake_answer){.status = 409, .body = ALI_ERROR("TaskConflict")}, 3);
    ali_reply(w, MODIFY, NULL, ALI_OK);
    ali_reply(w, READ, NULL, ON("eni-2"));
    assert_int_equal(ali_claim(w, 1).result, KIT_STEP_DONE);
    assert_int_equal(ali_count(w, MODIFY), 4);
    ali_done(w);
}

static void stale_reads_are_waited_out(void **state)
{
    struct ali_world *w = with_theirs();

    (void)state;
    ali_reply(w, MODIFY, NULL, ALI_OK);
    ali_reply_with(w, READ, NULL, (struct fake_answer){.status = 200, .body = ON("eni-1")}, 3);
    ali_reply(w, READ, NULL, ON("eni-2"));
    assert_int_equal(ali_claim(w, 1).result, KIT_STEP_DONE);
    assert_int_equal(ali_count(w, MODIFY), 1);
    ali_done(w);
}

static void a_stale_read_after_a_long_change_too(void **state)
{
    struct ali_world *w = with_theirs();

    (void)state;
    ali_reply(w, MODIFY, NULL, ALI_OK);
    ali_reply_with(
        w, READ, NULL,
        (struct fake_answer){.status = 200, .body = ENTRIES(ENTRY("Modifying", "eni-1"))}, 10);
    ali_reply_once(w, READ, NULL, ON("eni-1"));
    ali_reply(w, READ, NULL, ON("eni-2"));
    assert_int_equal(ali_claim(w, 1).result, KIT_STEP_DONE);
    ali_done(w);
}

static void accepted_and_ignored_is_told(void **state)
{
    struct ali_world *w = with_theirs();

    (void)state;
    ali_put(w, 0, KIT_PARAM_CREATE_ROUTE, "yes"); /* no reason to delete anything either */
    ali_reply(w, MODIFY, NULL, ALI_OK);
    ali_reply(w, READ, NULL, ON("eni-1"));
    struct kit_step step = ali_claim(w, 1);
    assert_int_equal(step.result, KIT_STEP_FAILED);
    assert_int_equal(step.err.kind, KIT_ERR_CONFLICT);
    fake_assert_text(step.err.msg, "eni-1");
    fake_assert_text(step.err.msg, "NewNextHopId");
    assert_int_equal(ali_count(w, DELETE), 0);
    ali_done(w);
}

static void a_lost_answer_leaves_it_open(void **state)
{
    struct ali_world *w = with_theirs();

    (void)state;
    ali_reply_with(w, MODIFY, NULL, (struct fake_answer){.how = FAKE_LOST}, 0);
    assert_int_equal(ali_claim(w, 1).result, KIT_STEP_OPEN);
    assert_int_equal(ali_count(w, MODIFY), 1); /* it has no token */
    ali_done(w);
}

static void an_entry_that_is_gone_is_looked_for_again(void **state)
{
    struct ali_world *w = with_theirs();

    (void)state;
    ali_reply_with(
        w, MODIFY, NULL,
        (struct fake_answer){.status = 404, .body = ALI_ERROR("InvalidRouteEntry.NotFound")}, 0);
    assert_int_equal(ali_claim(w, 1).result, KIT_STEP_OPEN);
    ali_done(w);
}

static void one_failure_does_not_stop_the_others(void **state)
{
    struct ali_world *w = one_table();

    (void)state;
    ali_put(w, 0, KIT_PARAM_ROUTE_TABLES, "vtb-1, vtb-2");
    ali_reply(w, LOOK, NULL, ENIS(OURS "," THEIRS));
    ali_reply_with(w, READ, NULL, (struct fake_answer){.status = 200, .body = ON("eni-1")}, 2);
    ali_reply(w, READ, NULL, ON("eni-2"));
    ali_reply_with(w, MODIFY, NULL,
                   (struct fake_answer){.status = 403, .body = ALI_ERROR("Forbidden.RAM")}, 1);
    ali_reply(w, MODIFY, NULL, ALI_OK);
    struct kit_step worst = ali_claim(w, 2);
    assert_int_equal(worst.result, KIT_STEP_FAILED);
    assert_int_equal(worst.err.kind, KIT_ERR_DENIED);
    assert_int_equal(ali_count(w, MODIFY), 2);
    ali_done(w);
}

static void missing_is_refused_or_created(void **state)
{
    struct ali_world *w = one_table();

    (void)state;
    ali_reply(w, LOOK, NULL, ENIS(OURS));
    ali_reply_with(w, READ, NULL, (struct fake_answer){.status = 200, .body = ENTRIES("")}, 2);
    struct kit_err err = ali_refusal(w);
    fake_assert_text(err.msg, "create_route");
    ali_put(w, 0, KIT_PARAM_CREATE_ROUTE, "yes");
    ali_reply_with(w, CREATE, NULL, (struct fake_answer){.how = FAKE_LOST}, 1);
    ali_reply(w, CREATE, NULL, ALI_ANSWER("\"RouteEntryId\":\"rte-9\""));
    ali_reply_once(w, READ, NULL, ENTRIES(ENTRY("Pending", "eni-2")));
    ali_reply(w, READ, NULL, ON("eni-2"));
    assert_int_equal(ali_claim(w, 1).result, KIT_STEP_DONE);
    /* The answer was lost: sent again with the same token. */
    assert_int_equal(ali_count(w, CREATE), 2);
    const char *first = strstr(ali_query(w, CREATE, 0), "ClientToken=");
    const char *second = strstr(ali_query(w, CREATE, 1), "ClientToken=");
    assert_non_null(first);
    assert_memory_equal(first, second, strlen("ClientToken=") + 36);
    fake_assert_text(ali_query(w, CREATE, 0), "DestinationCidrBlock=10.1.0.10%2F32");
    fake_assert_text(ali_query(w, CREATE, 0), "NextHopType=NetworkInterface");
    ali_done(w);
}

static void created_by_another_meanwhile_is_open(void **state)
{
    struct ali_world *w = one_table();

    (void)state;
    ali_put(w, 0, KIT_PARAM_CREATE_ROUTE, "yes");
    ali_reply(w, LOOK, NULL, ENIS(OURS));
    ali_reply(w, READ, NULL, ENTRIES(""));
    ali_reply_with(
        w, CREATE, NULL,
        (struct fake_answer){.status = 400, .body = ALI_ERROR("RouterEntryConflict.Duplicated")},
        0);
    assert_int_equal(ali_claim(w, 1).result, KIT_STEP_OPEN);
    ali_done(w);
}

/* ---- endpoints that cannot change a next hop ---------------------------------------------------
 */

static struct ali_world *old_endpoint(void)
{
    struct ali_world *w = with_theirs();

    ali_reply_with(w, MODIFY, NULL,
                   (struct fake_answer){.status = 400, .body = ALI_ERROR("UnsupportedParameter")},
                   0);
    return w;
}

static void without_create_route_nothing_is_deleted(void **state)
{
    struct ali_world *w = old_endpoint();

    (void)state;
    struct kit_step step = ali_claim(w, 1);
    assert_int_equal(step.result, KIT_STEP_FAILED);
    assert_int_equal(step.err.kind, KIT_ERR_CONFIG);
    fake_assert_text(step.err.msg, "create_route = yes");
    ali_assert_calls(w, READ " " LOOK " " MODIFY);
    ali_done(w);
}

static void deleted_on_condition_and_created(void **state)
{
    struct ali_world *w = old_endpoint();

    (void)state;
    ali_put(w, 0, KIT_PARAM_CREATE_ROUTE, "yes");
    ali_reply(w, DELETE, NULL, ALI_OK);
    ali_reply(w, CREATE, NULL, ALI_OK);
    ali_reply_once(w, READ, NULL, ENTRIES(ENTRY("Deleting", "eni-1")));
    ali_reply_once(w, READ, NULL, ENTRIES(""));
    ali_reply(w, READ, NULL, ON("eni-2"));
    assert_int_equal(ali_claim(w, 1).result, KIT_STEP_DONE);
    ali_assert_calls(w, READ " " LOOK " " MODIFY " " DELETE " " READ " " READ " " CREATE " " READ);
    fake_assert_text(ali_query(w, DELETE, 0), "NextHopId=eni-1");
    fake_assert_text(ali_query(w, DELETE, 0), "RouteTableId=vtb-1");
    fake_assert_text(ali_query(w, DELETE, 0), "DestinationCidrBlock=10.1.0.10%2F32");
    ali_done(w);
}

static void not_deleted_when_it_moved_meanwhile(void **state)
{
    struct ali_world *w = old_endpoint();

    (void)state;
    ali_put(w, 0, KIT_PARAM_CREATE_ROUTE, "yes");
    ali_reply_with(
        w, DELETE, NULL,
        (struct fake_answer){.status = 404, .body = ALI_ERROR("InvalidRouteEntry.NotFound")}, 0);
    assert_int_equal(ali_claim(w, 1).result, KIT_STEP_OPEN);
    assert_int_equal(ali_count(w, CREATE), 0);
    ali_done(w);
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
        cmocka_unit_test(modified_in_place_and_seen),
        cmocka_unit_test(a_primary_interface_is_reached_through_its_instance),
        cmocka_unit_test(a_task_under_way_is_waited_for),
        cmocka_unit_test(stale_reads_are_waited_out),
        cmocka_unit_test(a_stale_read_after_a_long_change_too),
        cmocka_unit_test(accepted_and_ignored_is_told),
        cmocka_unit_test(a_lost_answer_leaves_it_open),
        cmocka_unit_test(an_entry_that_is_gone_is_looked_for_again),
        cmocka_unit_test(one_failure_does_not_stop_the_others),
        cmocka_unit_test(missing_is_refused_or_created),
        cmocka_unit_test(created_by_another_meanwhile_is_open),
        cmocka_unit_test(without_create_route_nothing_is_deleted),
        cmocka_unit_test(deleted_on_condition_and_created),
        cmocka_unit_test(not_deleted_when_it_moved_meanwhile),
    };

    return cmocka_run_group_tests_name("ali_route_table", tests, NULL, NULL);
}
