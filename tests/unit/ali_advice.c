/* tests/unit/ali_advice.c - rules that only warn, and what is asked for them: for plan alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/advice.h"
#include "tests/unit/ali_eip.h"
#include "tests/unit/ali_quota.h"

static struct kit_facts advised(struct ali_world *w, bool for_advice)
{
    struct kit_query query = {
        .settings = &w->settings[0], .for_claim = true, .for_advice = for_advice};
    struct kit_err err;

    if (ali_mover(w)->locate(w->cloud, &query, 1, ali_in_5_minutes(w), &err))
        fail_msg("%s", err.msg);
    if (query.failed)
        fail_msg("%s", query.err.msg);
    return query.facts;
}

static void denied(struct ali_world *w, const char *action)
{
    ali_reply_with(w, action, NULL,
                   (struct fake_answer){.status = 403, .body = ALI_ERROR("Forbidden.RAM")}, 0);
}

/* ---- EIPs ------------------------------------------------------------------------------------ */

#define NODE(enis)                                                                                 \
    ALI_ANSWER("\"Instances\":{\"Instance\":[{\"InstanceId\":\"i-2\",\"InstanceType\":"            \
               "\"ecs.g6.large\",\"NetworkInterfaces\":{\"NetworkInterface\":[" enis "]}}]}")
#define NIC(id)       "{\"NetworkInterfaceId\":\"" id "\"}"
#define TWO_ENIS      NODE(NIC("eni-0") "," NIC("eni-2"))
#define GATEWAYS(all) ALI_ANSWER("\"Ipv4GatewayModels\":[" all "]")
#define GATEWAY(id, vpc, enabled)                                                                  \
    "{\"Ipv4GatewayId\":\"" id "\",\"VpcId\":\"" vpc "\",\"Enabled\":" enabled "}"
#define VSWITCH(id, table)                                                                         \
    ALI_ANSWER("\"VSwitches\":{\"VSwitch\":[{\"VSwitchId\":\"" id                                  \
               "\",\"RouteTable\":{\"RouteTableId\":\"" table "\"}}]}")
#define ROUTES(all) ALI_ANSWER("\"RouteEntrys\":{\"RouteEntry\":[" all "]}")
#define ROUTE_TO(id)                                                                               \
    "{\"DestinationCidrBlock\":\"0.0.0.0/0\",\"NextHops\":{\"NextHop\":[{\"NextHopType\":"         \
    "\"Ipv4Gateway\",\"NextHopId\":\"" id "\"}]}}"

#define NOTHING_ASKED "DescribeEipAddresses DescribeNetworkInterfaces"

/* What nobody complains of. */
static void all_is_well(struct ali_world *w)
{
    ali_reply(w, "DescribeInstances", NULL, TWO_ENIS);
    ali_reply(w, TYPES, NULL, QUOTA("3", "10", "10"));
    ali_reply(w, "ListIpv4Gateways", "VpcId=vpc-1", GATEWAYS(""));
}

static void room_for_an_eip(void **state)
{
    static const struct {
        const char *eni, *node, *quota;
        enum verdict verdict;
        const char *says;
    } rows[] = {
        {PLAIN_ENI, TWO_ENIS, QUOTA("2", "10", "10"), SILENT, NULL},
        {LOOSE_ENI, TWO_ENIS, QUOTA("3", "10", "10"), SILENT, NULL},
        {LOOSE_ENI, TWO_ENIS, QUOTA("2", "10", "10"), BROKEN,
         "eni-2 is on no instance, and i-2 (ecs.g6.large) has 2 interfaces of 2"},
        {PLAIN_ENI, NODE(""), TYPE_OF("{\"InstanceTypeId\":\"ecs.g6.large\"}"), UNKNOWN,
         "does not tell the limits of ecs.g6.large"},
        {PLAIN_ENI, ALI_ANSWER("\"Instances\":{\"Instance\":[]}"), QUOTA("2", "10", "10"), UNKNOWN,
         "DescribeInstances does not tell of i-2"},
    };

    (void)state;
    for (size_t i = 0; i < KIT_LEN(rows); i++) {
        struct ali_world *w = begin();
        struct kit_facts facts;

        ali_reply(w, "DescribeEipAddresses", NULL, THEIRS);
        ali_reply(w, "DescribeNetworkInterfaces", NULL, rows[i].eni);
        ali_reply(w, "DescribeInstances", NULL, rows[i].node);
        ali_reply(w, TYPES, NULL, rows[i].quota);
        all_is_well(w);
        facts = advised(w, true);
        assert_advice(&facts, 20, rows[i].verdict, rows[i].says);
        kit_facts_done(&facts);
        ali_done(w);
    }
}

static void room_for_a_private_address(void **state)
{
    static const struct {
        const char *quota;
        enum verdict verdict;
    } rows[] = {{QUOTA("3", "1", "10"), BROKEN}, {QUOTA("3", "2", "10"), SILENT}};

    (void)state;
    for (size_t i = 0; i < KIT_LEN(rows); i++) {
        struct ali_world *w = begin();
        struct kit_facts facts;

        ali_put(w, 0, KIT_PARAM_PRIVATE_ADDRESS, "10.0.1.99");
        ali_reply(w, "DescribeEipAddresses", NULL, THEIRS);
        ali_reply(w, "DescribeNetworkInterfaces", NULL, PLAIN_ENI);
        ali_reply(w, TYPES, NULL, rows[i].quota);
        all_is_well(w);
        facts = advised(w, true);
        assert_advice(&facts, 20, rows[i].verdict,
                      i ? NULL : "eni-2 lacks the private address, and has 1 of 1 (ecs.g6.large)");
        kit_facts_done(&facts);
        ali_done(w);
    }
}

static void the_way_through_an_ipv4_gateway(void **state)
{
    static const struct {
        const char *gateways, *vswitch, *routes;
        enum verdict verdict;
        const char *says;
    } rows[] = {
        {GATEWAYS(""), NULL, NULL, SILENT, NULL},
        {GATEWAYS(GATEWAY("ipv4gw-1", "vpc-1", "false")), NULL, NULL, SILENT, NULL},
        {GATEWAYS(GATEWAY("ipv4gw-1", "vpc-9", "true")), NULL, NULL, SILENT, NULL},
        {GATEWAYS(GATEWAY("ipv4gw-1", "vpc-1", "true")), VSWITCH("vsw-1", "vtb-1"),
         ROUTES(ROUTE_TO("ipv4gw-1")), SILENT, NULL},
        {GATEWAYS(GATEWAY("ipv4gw-1", "vpc-1", "true")), VSWITCH("vsw-1", "vtb-1"), ROUTES(""),
         BROKEN, "vtb-1 has no route to ipv4gw-1"},
        {GATEWAYS(GATEWAY("ipv4gw-1", "vpc-1", "true")), VSWITCH("vsw-1", "vtb-1"),
         ROUTES(ROUTE_TO("ipv4gw-9")), BROKEN, "vtb-1 has no route to ipv4gw-1"},
        {GATEWAYS(GATEWAY("ipv4gw-1", "vpc-1", "true")), VSWITCH("vsw-11", "vtb-1"), NULL, UNKNOWN,
         "does not tell the route table of vsw-1"},
    };

    (void)state;
    for (size_t i = 0; i < KIT_LEN(rows); i++) {
        for (int ours = 0; ours < 2; ours++) { /* what serves already has to be reached as well */
            struct ali_world *w = begin();
            struct kit_facts facts;

            ali_reply(w, "DescribeEipAddresses", NULL, ours ? OURS : THEIRS);
            ali_reply(w, "DescribeNetworkInterfaces", NULL, PLAIN_ENI);
            ali_reply(w, "ListIpv4Gateways", "VpcId=vpc-1", rows[i].gateways);
            if (rows[i].vswitch)
                ali_reply(w, "DescribeVSwitches", "VSwitchId=vsw-1", rows[i].vswitch);
            if (rows[i].routes)
                ali_reply(w, "DescribeRouteEntryList", "NextHopType=Ipv4Gateway&", rows[i].routes);
            all_is_well(w);
            facts = advised(w, true);
            assert_advice(&facts, 23, rows[i].verdict, rows[i].says);
            kit_facts_done(&facts);
            ali_done(w);
        }
    }
}

/* The EIP is an address that every host has. */
static void an_eip_that_the_guest_shall_not_have(void **state)
{
    static const struct {
        const char *eip;
        enum verdict verdict;
    } rows[] = {{"127.0.0.1", BROKEN}, {"198.51.100.20", SILENT}};

    (void)state;
    for (size_t i = 0; i < KIT_LEN(rows); i++) {
        struct ali_world *w = begin();
        struct kit_facts facts;

        ali_reply(w, "DescribeEipAddresses", NULL,
                  i ? THEIRS
                    : EIPS(EIP("eip-1", "127.0.0.1", "InUse", "eni-2", "NetworkInterface", "NAT",
                               "10.0.1.12", "")));
        ali_reply(w, "DescribeNetworkInterfaces", NULL, PLAIN_ENI);
        all_is_well(w);
        facts = advised(w, true);
        assert_advice(&facts, 24, rows[i].verdict, i ? NULL : "127.0.0.1 is on the interface lo");
        kit_facts_done(&facts);
        ali_done(w);
    }
}

static void an_association_that_is_not_done_yet(void **state)
{
    static const struct {
        const char *eip;
        enum verdict verdict;
        const char *says;
    } rows[] = {
        {OURS, SILENT, NULL},
        {THEIRS, SILENT, NULL},
        {FREE, SILENT, NULL},
        {ON("eni-2", "Associating", "NAT", "10.0.1.12"), BROKEN,
         "eip-1 is shown on eni-2 and is Associating"},
        {ON("eni-1", "Associating", "NAT", "10.0.1.11"), SILENT, NULL},
    };

    (void)state;
    for (size_t i = 0; i < KIT_LEN(rows); i++) {
        struct ali_world *w = begin();
        struct kit_facts facts;

        ali_reply(w, "DescribeEipAddresses", NULL, rows[i].eip);
        ali_reply(w, "DescribeNetworkInterfaces", NULL, PLAIN_ENI);
        facts = advised(w, false);
        assert_advice(&facts, 17, rows[i].verdict, rows[i].says);
        ali_assert_calls(w, NOTHING_ASKED);
        kit_facts_done(&facts);
        ali_done(w);
    }
}

static void an_eip_is_planned_without_advice(void **state)
{
    static const struct {
        const char *action;
        unsigned rule;
    } rows[] = {{"DescribeInstances", 20},
                {TYPES, 20},
                {"ListIpv4Gateways", 23},
                {"DescribeVSwitches", 23},
                {"DescribeRouteEntryList", 23}};

    (void)state;
    for (size_t i = 0; i < KIT_LEN(rows); i++) {
        struct ali_world *w = begin();
        struct kit_facts facts;

        denied(w, rows[i].action);
        ali_reply(w, "DescribeEipAddresses", NULL, THEIRS);
        ali_reply(w, "DescribeNetworkInterfaces", NULL, PLAIN_ENI);
        ali_reply(w, "ListIpv4Gateways", NULL, GATEWAYS(GATEWAY("ipv4gw-1", "vpc-1", "true")));
        ali_reply(w, "DescribeVSwitches", NULL, VSWITCH("vsw-1", "vtb-1"));
        ali_reply(w, "DescribeRouteEntryList", NULL, ROUTES(ROUTE_TO("ipv4gw-1")));
        all_is_well(w);
        facts = advised(w, true);
        assert_int_equal(facts.count, 1);
        assert_int_equal(facts.breaches, 0);
        assert_int_equal(facts.unknowns, 1);
        assert_advice(&facts, rows[i].rule, UNKNOWN, rows[i].action);
        kit_facts_done(&facts);
        ali_done(w);
    }
}

static void an_interface_that_cannot_be_read(void **state)
{
    struct ali_world *w = begin();
    struct kit_facts facts;

    (void)state;
    denied(w, "DescribeNetworkInterfaces");
    ali_reply(w, "DescribeEipAddresses", NULL, THEIRS);
    facts = advised(w, true);
    assert_int_equal(facts.breaches, 0);
    assert_advice(&facts, 20, UNKNOWN, "DescribeNetworkInterfaces: Forbidden.RAM");
    assert_advice(&facts, 23, UNKNOWN, "DescribeNetworkInterfaces: Forbidden.RAM");
    assert_advice(&facts, 24, SILENT, NULL);
    assert_int_equal(ali_count(w, "ListIpv4Gateways"), 0);
    kit_facts_done(&facts);
    ali_done(w);
}

/* ---- interfaces ------------------------------------------------------------------------------ */

#define MOVING(more)                                                                               \
    "{\"NetworkInterfaceId\":\"eni-9\",\"InstanceId\":\"i-1\",\"Status\":\"InUse\",\"Type\":"      \
    "\"Secondary\",\"VpcId\":\"vpc-1\",\"ZoneId\":\"cn-shanghai-a\"" more "}"
#define ENIS(list) ALI_ANSWER("\"NetworkInterfaceSets\":{\"NetworkInterfaceSet\":[" list "]}")
#define MINE                                                                                       \
    ALI_ANSWER("\"Instances\":{\"Instance\":[{\"InstanceId\":\"i-2\",\"Status\":\"Running\","      \
               "\"ZoneId\":\"cn-shanghai-a\",\"InstanceType\":\"ecs.g6.large\",\"IoOptimized\":"   \
               "true,\"VpcAttributes\":{\"VpcId\":\"vpc-1\"}}]}")

static struct ali_world *interface(const char *more)
{
    struct ali_world *w = ali_begin("eni");

    ali_put(w, 0, KIT_PARAM_ENI, "eni-9");
    ali_reply(w, "DescribeInstances", NULL, MINE);
    ali_reply(w, TYPES, NULL, QUOTA("3", "10", "10"));
    ali_reply(w, "DescribeNetworkInterfaces", "NetworkInterfaceId.1=eni-9", more);
    return w;
}

static void interfaces_of_a_region(void **state)
{
    static const struct {
        size_t enis;
        enum verdict verdict;
        const char *says;
    } rows[] = {{1, SILENT, NULL}, {99, SILENT, NULL}, {100, BROKEN, "100 interfaces"}};

    (void)state;
    for (size_t i = 0; i < KIT_LEN(rows); i++) {
        struct ali_world *w = interface(ENIS(MOVING("")));
        KIT_AUTO(kit_buf) text = KIT_BUF(64 * 1024);
        struct kit_facts facts;

        (void)kit_buf_printf(&text, "{%s,\"NetworkInterfaceSets\":{\"NetworkInterfaceSet\":[",
                             ALI_REQUEST);
        for (size_t k = 0; k < rows[i].enis; k++)
            (void)kit_buf_printf(&text, "%s{\"NetworkInterfaceId\":\"eni-%zu\"}", k ? "," : "", k);
        (void)kit_buf_puts(&text, "]}}");
        ali_reply(w, "DescribeNetworkInterfaces", NULL, text.data);
        facts = advised(w, true);
        assert_advice(&facts, 57, rows[i].verdict, rows[i].says);
        kit_facts_done(&facts);
        ali_done(w);
    }
}

static void a_region_that_cannot_be_counted(void **state)
{
    struct ali_world *w = interface(ENIS(MOVING("")));
    struct kit_facts facts;

    (void)state;
    denied(w, "DescribeNetworkInterfaces");
    facts = advised(w, true);
    assert_int_equal(facts.breaches, 0);
    assert_advice(&facts, 57, UNKNOWN, "DescribeNetworkInterfaces: Forbidden.RAM");
    kit_facts_done(&facts);
    w->caller.stats.calls = 0;
    facts = advised(w, false);
    assert_advice(&facts, 57, SILENT, NULL);
    assert_int_equal(w->caller.stats.calls, 3);
    kit_facts_done(&facts);
    ali_done(w);
}

static void an_interface_that_dies_with_its_instance(void **state)
{
    static const struct {
        const char *eni;
        enum verdict verdict;
    } rows[] = {{ENIS(MOVING(",\"DeleteOnRelease\":true")), BROKEN},
                {ENIS(MOVING(",\"DeleteOnRelease\":false")), SILENT},
                {ENIS(MOVING("")), SILENT}};

    (void)state;
    for (size_t i = 0; i < KIT_LEN(rows); i++) {
        struct ali_world *w = interface(rows[i].eni);
        struct kit_facts facts = advised(w, false);

        assert_advice(&facts, 59, rows[i].verdict,
                      i ? NULL : "eni-9 is deleted with the instance that has it");
        kit_facts_done(&facts);
        ali_done(w);
    }
}

/* ---- routes ---------------------------------------------------------------------------------- */

static void an_address_of_a_vswitch_takes_no_route(void **state)
{
    static const struct {
        const char *address;
        enum verdict verdict;
        const char *says;
    } rows[] = {
        {"10.0.1.77", BROKEN, "10.0.1.77 is in 10.0.1.0/24 of vsw-1"},
        {"10.0.2.77", SILENT, NULL},
        {"2001:db8:1::77", BROKEN, "2001:db8:1::77 is in 2001:db8:1::/64 of vsw-1"},
    };
    static const char vswitches[] =
        ALI_ANSWER("\"TotalCount\":1,\"PageSize\":50,\"VSwitches\":{\"VSwitch\":[{\"VSwitchId\":"
                   "\"vsw-1\",\"CidrBlock\":\"10.0.1.0/24\",\"Ipv6CidrBlock\":"
                   "\"2001:db8:1::/64\"}]}");

    (void)state;
    for (size_t i = 0; i < KIT_LEN(rows) + 1; i++) {
        bool deny = i == KIT_LEN(rows);
        struct ali_world *w = ali_begin("route-table");
        struct kit_facts facts;

        ali_put(w, 0, KIT_PARAM_ADDRESS, deny ? "10.0.1.77" : rows[i].address);
        ali_put(w, 0, KIT_PARAM_ENI, "eni-2");
        ali_put(w, 0, KIT_PARAM_ROUTE_TABLES, "vtb-1");
        ali_put(w, 0, KIT_PARAM_CREATE_ROUTE, "yes");
        ali_reply(w, "DescribeRouteEntryList", NULL, ROUTES(""));
        ali_reply(w, "DescribeNetworkInterfaces", NULL, PLAIN_ENI);
        if (deny)
            denied(w, "DescribeVSwitches");
        else
            ali_reply(w, "DescribeVSwitches", "VpcId=vpc-1", vswitches);
        facts = advised(w, false);
        assert_advice(&facts, 62, SILENT, NULL);
        assert_int_equal(ali_count(w, "DescribeVSwitches"), 0);
        kit_facts_done(&facts);
        facts = advised(w, true);
        assert_advice(&facts, 62, deny ? UNKNOWN : rows[i].verdict,
                      deny ? "Forbidden.RAM" : rows[i].says);
        kit_facts_done(&facts);
        ali_done(w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(room_for_an_eip),
        cmocka_unit_test(room_for_a_private_address),
        cmocka_unit_test(the_way_through_an_ipv4_gateway),
        cmocka_unit_test(an_eip_that_the_guest_shall_not_have),
        cmocka_unit_test(an_association_that_is_not_done_yet),
        cmocka_unit_test(an_eip_is_planned_without_advice),
        cmocka_unit_test(an_interface_that_cannot_be_read),
        cmocka_unit_test(interfaces_of_a_region),
        cmocka_unit_test(a_region_that_cannot_be_counted),
        cmocka_unit_test(an_interface_that_dies_with_its_instance),
        cmocka_unit_test(an_address_of_a_vswitch_takes_no_route),
    };

    return cmocka_run_group_tests_name("ali_advice", tests, NULL, NULL);
}
