/* tests/unit/aws_advice.c - rules that only warn, and what is asked for them: for plan alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/advice.h"
#include "tests/unit/aws_route.h"

#define DENIED                                                                                     \
    {                                                                                              \
        .status = 403, .body = EC2_ERROR("UnauthorizedOperation", "You are not authorized")        \
    }

static struct kit_facts advised(struct aws_world *w, bool for_advice)
{
    struct kit_query query = {
        .settings = &w->settings[0], .for_claim = true, .for_advice = for_advice};
    struct kit_err err;

    if (aws_mover(w)->locate(w->cloud, &query, 1, aws_in_a_minute(w), &err))
        fail_msg("%s", err.msg);
    if (query.failed)
        fail_msg("%s", query.err.msg);
    return query.facts;
}

static void denied(struct aws_world *w, const char *action)
{
    aws_reply_with(w, action, (struct fake_answer)DENIED, 0);
}

/* ---- route tables ---------------------------------------------------------------------------- */

#define WITH_ROUTE "route.destination-cidr-block"
#define NIC(n, zone)                                                                               \
    "<item><networkInterfaceId>eni-" n "</networkInterfaceId><subnetId>subnet-" n                  \
    "</subnetId><vpcId>vpc-1</vpcId><availabilityZone>" zone "</availabilityZone>"                 \
    "<sourceDestCheck>false</sourceDestCheck><attachment><attachmentId>a-" n                       \
    "</attachmentId><instanceId>i-" n "</instanceId><status>attached</status></attachment></item>"
#define BOTH(mine, theirs) ENIS(NIC("2", theirs) NIC("1", mine))

/* Node 2 has the route in rtb-1; `all` is every table of the VPC. */
static struct aws_world *routes(const char *all)
{
    struct aws_world *w = route_begin();

    aws_reply(w, "DescribeRouteTables", WITH_ROUTE, TABLES(TABLE("rtb-1", VIP_ON("2"))));
    aws_reply(w, "DescribeRouteTables", NULL, all);
    return w;
}

static void tables_that_lack_the_route(void **state)
{
    static const struct {
        const char *all;
        enum verdict verdict;
        const char *says;
    } rows[] = {
        {TABLES(TABLE("rtb-1", VIP_ON("2"))), SILENT, NULL},
        {TABLES(TABLE("rtb-1", VIP_ON("2")) TABLE("rtb-2", "") TABLE("rtb-3", "")), BROKEN,
         "2 without the route: rtb-2, rtb-3"},
        /* A longer or shorter prefix is another route. */
        {TABLES(TABLE("rtb-1", VIP_ON("2"))
                    TABLE("rtb-2", ROUTE(V4("10.1.0.0/24"), TO_ENI("2"), "active", "CreateRoute"))),
         BROKEN, "1 without the route: rtb-2"},
        /* A gateway's table is none that a subnet uses. */
        {TABLES(TABLE("rtb-1", VIP_ON("2")) TABLE_WITH("rtb-2", "vpc-1", GATEWAY, "")), SILENT,
         NULL},
        {PAGE(TABLE("rtb-2", ""), "more"), UNKNOWN, "the same nextToken twice"},
        {"<html>", UNKNOWN, "DescribeRouteTables"},
    };

    (void)state;
    for (size_t i = 0; i < KIT_LEN(rows); i++) {
        struct aws_world *w = routes(rows[i].all);
        struct kit_facts facts;

        aws_reply(w, "DescribeNetworkInterfaces", NULL, BOTH("a", "b"));
        facts = advised(w, true);
        assert_int_equal(facts.count, 1);
        assert_advice(&facts, 67, rows[i].verdict, rows[i].says);
        kit_facts_done(&facts);
        aws_done(w);
    }
}

static void tables_that_were_left_out_on_purpose(void **state)
{
    static const enum kit_param params[] = {KIT_PARAM_ROUTE_TABLES, KIT_PARAM_CREATE_ROUTE};
    static const char *const values[] = {"rtb-1", "yes"};

    (void)state;
    for (size_t i = 0; i < KIT_LEN(params); i++) {
        struct aws_world *w = route_begin();
        struct kit_facts facts;

        aws_put(w, 0, params[i], values[i]);
        aws_reply(w, "DescribeRouteTables", NULL,
                  TABLES(TABLE("rtb-1", VIP_ON("2")) TABLE("rtb-2", "")));
        aws_reply(w, "DescribeNetworkInterfaces", NULL, BOTH("a", "b"));
        facts = advised(w, true);
        assert_advice(&facts, 67, SILENT, NULL);
        kit_facts_done(&facts);
        aws_done(w);
    }
}

static void zones_of_two_nodes(void **state)
{
    static const struct {
        const char *enis;
        enum verdict verdict;
        const char *says;
    } rows[] = {
        {BOTH("a", "b"), SILENT, NULL},
        {BOTH("a", "a"), BROKEN, "eni-1 and eni-2 are in a"},
        {ENIS(NIC("1", "a")), SILENT, NULL},
        {ENIS(NIC("1", "") NIC("2", "a")), SILENT, NULL},
        {ENIS(NIC("2", "a")), UNKNOWN, "does not tell of eni-1"},
    };

    (void)state;
    for (size_t i = 0; i < KIT_LEN(rows); i++) {
        struct aws_world *w = routes(TABLES(TABLE("rtb-1", VIP_ON("2"))));
        struct kit_facts facts;

        aws_put(w, 0, KIT_PARAM_SOURCE_DEST_CHECK, "ignore");
        aws_reply(w, "DescribeNetworkInterfaces", NULL, rows[i].enis);
        facts = advised(w, true);
        assert_advice(&facts, 72, rows[i].verdict, rows[i].says);
        kit_facts_done(&facts);
        aws_done(w);
    }
}

/* The facts are as they were, and the plan is made. */
static void a_permission_for_advice_alone_is_not_needed(void **state)
{
    struct aws_world *w = route_begin();
    struct kit_facts facts;

    (void)state;
    aws_put(w, 0, KIT_PARAM_SOURCE_DEST_CHECK, "ignore");
    aws_reply(w, "DescribeRouteTables", WITH_ROUTE, TABLES(TABLE("rtb-1", VIP_ON("2"))));
    denied(w, "DescribeRouteTables");
    denied(w, "DescribeNetworkInterfaces");
    facts = advised(w, true);
    assert_int_equal(facts.count, 1);
    assert_int_equal(facts.breaches, 0);
    assert_advice(&facts, 67, UNKNOWN, "UnauthorizedOperation");
    assert_advice(&facts, 72, UNKNOWN, "DescribeNetworkInterfaces: UnauthorizedOperation");
    kit_facts_done(&facts);
    aws_done(w);
}

static void an_action_asks_for_none_of_it(void **state)
{
    struct aws_world *w = routes("<html>");
    struct kit_facts facts;

    (void)state;
    aws_reply(w, "DescribeNetworkInterfaces", NULL, ENIS(NIC("1", "a")));
    facts = advised(w, false);
    assert_int_equal(facts.breaches + facts.unknowns, 0);
    assert_int_equal(w->caller.stats.calls, 2);
    assert_int_equal(w->caller.stats.rounds, 1);
    kit_facts_done(&facts);
    aws_done(w);
}

/* ---- an address inside the VPC --------------------------------------------------------------- */

#define INSIDE       "10.0.5.5"
#define INSIDE_ON(n) ROUTE(V4("10.0.5.5/32"), TO_ENI(n), "active", "CreateRoute")

static struct kit_query inside(struct aws_world *w, const char *tables)
{
    struct kit_query query = {.settings = &w->settings[0], .for_claim = true};
    struct kit_err err;

    aws_put(w, 0, KIT_PARAM_ADDRESS, INSIDE);
    aws_put(w, 0, KIT_PARAM_SOURCE_DEST_CHECK, "ignore");
    aws_reply(w, "DescribeRouteTables", NULL, tables);
    if (aws_mover(w)->locate(w->cloud, &query, 1, aws_in_a_minute(w), &err))
        fail_msg("%s", err.msg);
    return query;
}

static void an_address_of_the_vpc_takes_no_route(void **state)
{
    struct aws_world *w = route_begin();
    struct kit_query query;

    (void)state;
    aws_put(w, 0, KIT_PARAM_CREATE_ROUTE, "yes");
    query = inside(w, TABLES(TABLE("rtb-1", "")));
    assert_false(query.failed);
    assert_int_equal(query.facts.breaches, 1);
    assert_int_equal(query.facts.breach[0].rule->number, 65);
    assert_int_equal(query.facts.breach[0].rule->level, KIT_RULE_REFUSE);
    fake_assert_text(query.facts.breach[0].detail, "10.0.5.5 is in the VPC's own 10.0.0.0/16");
    kit_facts_done(&query.facts);
    aws_done(w);
}

/* What is, is possible: nobody is refused a route that can be pointed here. */
static void an_address_that_has_a_route_is_not_refused(void **state)
{
    static const char *const tables[] = {TABLES(TABLE("rtb-1", INSIDE_ON("1"))),
                                         TABLES(TABLE("rtb-1", INSIDE_ON("2")))};

    (void)state;
    for (size_t i = 0; i < KIT_LEN(tables); i++) {
        struct aws_world *w = route_begin();
        struct kit_query query = inside(w, tables[i]);

        assert_false(query.failed);
        assert_int_equal(query.facts.breaches, 0);
        kit_facts_done(&query.facts);
        aws_done(w);
    }
}

/* No table has the route, and the reason is told instead of "create it". */
static void a_missing_route_that_nobody_can_create(void **state)
{
    struct aws_world *w = route_begin();
    struct kit_query query = inside(w, TABLES(TABLE("rtb-1", "")));

    (void)state;
    assert_true(query.failed);
    assert_int_equal(query.err.kind, KIT_ERR_CONFIG);
    fake_assert_text(query.err.msg, "rule 65: it lies in the VPC's own 10.0.0.0/16");
    kit_facts_done(&query.facts);
    aws_done(w);
}

/* ---- Elastic IPs ----------------------------------------------------------------------------- */

#define ADDRESS_ON(association)                                                                    \
    EC2_ANSWER("DescribeAddresses",                                                                \
               "<addressesSet><item><publicIp>198.51.100.7</publicIp>"                             \
               "<allocationId>eipalloc-1</allocationId>" association "</item></addressesSet>")
#define THEIRS                                                                                     \
    "<associationId>eipassoc-2</associationId><instanceId>i-2</instanceId><networkInterfaceId>"    \
    "eni-2</networkInterfaceId><privateIpAddress>10.0.0.9</privateIpAddress>"
#define SUBNETS(ids)                                                                               \
    "<item><routeTableAssociationId>x</routeTableAssociationId><subnetId>" ids                     \
    "</subnetId><main>false</main></item>"
#define MAIN "<item><routeTableAssociationId>x</routeTableAssociationId><main>true</main></item>"
#define BARE(id, associations, routes)                                                             \
    "<item><routeTableId>" id "</routeTableId><vpcId>vpc-1</vpcId><routeSet>" LOCAL routes         \
    "</routeSet><associationSet>" associations "</associationSet></item>"
#define DEFAULT_TO(kind, id, state) ROUTE(V4("0.0.0.0/0"), TO(kind, id), state, "CreateRoute")
#define IGW                         DEFAULT_TO("gatewayId", "igw-1", "active")
#define NAT                         DEFAULT_TO("natGatewayId", "nat-1", "active")

static struct aws_world *elastic_ip(void)
{
    struct aws_world *w = aws_begin("elastic-ip");

    aws_put(w, 0, KIT_PARAM_ALLOCATION_ID, "eipalloc-1");
    aws_put(w, 0, KIT_PARAM_ENI, "eni-1");
    aws_reply(w, "DescribeAddresses", NULL, ADDRESS_ON(THEIRS));
    return w;
}

static void the_way_to_the_internet(void **state)
{
    static const struct {
        const char *tables;
        enum verdict verdict;
        const char *says;
    } rows[] = {
        {TABLES(BARE("rtb-1", SUBNETS("subnet-1"), IGW)), SILENT, NULL},
        {TABLES(BARE("rtb-1", SUBNETS("subnet-1"), NAT)), BROKEN, "rtb-1 sends 0.0.0.0/0 to nat-1"},
        {TABLES(BARE("rtb-1", SUBNETS("subnet-1"), "")), BROKEN,
         "rtb-1 sends 0.0.0.0/0 to nothing"},
        {TABLES(BARE("rtb-1", SUBNETS("subnet-1"), DEFAULT_TO("gatewayId", "igw-1", "blackhole"))),
         BROKEN, "rtb-1 sends 0.0.0.0/0 to nothing"},
        {TABLES(BARE("rtb-1", SUBNETS("subnet-1"), DEFAULT_TO("gatewayId", "vgw-1", "active"))),
         BROKEN, "to vgw-1"},
        /* Its own table counts, in whatever order they come; without one the main table does. */
        {TABLES(BARE("rtb-1", MAIN, IGW) BARE("rtb-2", SUBNETS("subnet-1"), NAT)), BROKEN,
         "rtb-2 sends"},
        {TABLES(BARE("rtb-2", SUBNETS("subnet-1"), NAT) BARE("rtb-1", MAIN, IGW)), BROKEN,
         "rtb-2 sends"},
        {TABLES(BARE("rtb-1", MAIN, IGW) BARE("rtb-2", SUBNETS("subnet-11"), NAT)), SILENT, NULL},
        {TABLES(BARE("rtb-2", SUBNETS("subnet-11"), NAT) BARE("rtb-1", MAIN, NAT)), BROKEN,
         "rtb-1 sends"},
        {TABLES(BARE("rtb-2", SUBNETS("subnet-11"), NAT)), UNKNOWN,
         "does not tell the table of subnet-1"},
    };

    (void)state;
    for (size_t i = 0; i < KIT_LEN(rows); i++) {
        struct aws_world *w = elastic_ip();
        struct kit_facts facts;

        aws_reply(w, "DescribeNetworkInterfaces", NULL, BOTH("a", "a"));
        aws_reply(w, "DescribeRouteTables", "vpc-1", rows[i].tables);
        facts = advised(w, true);
        assert_advice(&facts, 71, rows[i].verdict, rows[i].says);
        assert_advice(&facts, 72, BROKEN, "eni-1 and eni-2 are in a");
        kit_facts_done(&facts);
        aws_done(w);
    }
}

static void an_elastic_ip_is_planned_without_advice(void **state)
{
    static const char *const missing[] = {"DescribeNetworkInterfaces", "DescribeRouteTables"};

    (void)state;
    for (size_t i = 0; i < KIT_LEN(missing); i++) {
        struct aws_world *w = elastic_ip();
        struct kit_facts facts;

        denied(w, missing[i]);
        aws_reply(w, "DescribeNetworkInterfaces", NULL, BOTH("a", "b"));
        aws_reply(w, "DescribeRouteTables", NULL, TABLES(BARE("rtb-1", MAIN, IGW)));
        facts = advised(w, true);
        assert_int_equal(facts.breaches, 0);
        assert_advice(&facts, 71, UNKNOWN, "UnauthorizedOperation");
        assert_advice(&facts, 72, i ? SILENT : UNKNOWN, NULL);
        kit_facts_done(&facts);
        w->caller.stats.calls = 0;
        facts = advised(w, false);
        assert_int_equal(facts.breaches + facts.unknowns, 0);
        assert_int_equal(w->caller.stats.calls, 1);
        kit_facts_done(&facts);
        aws_done(w);
    }
}

/* ---- interfaces ------------------------------------------------------------------------------ */

#define MOVING(attachment)                                                                         \
    ENIS("<item><networkInterfaceId>eni-9</networkInterfaceId><availabilityZone>a"                 \
         "</availabilityZone><status>in-use</status>" attachment "</item>")
#define AT(node, dies)                                                                             \
    "<attachment><attachmentId>a-9</attachmentId><instanceId>" node                                \
    "</instanceId><deviceIndex>2</deviceIndex><status>attached</status><deleteOnTermination>" dies \
    "</deleteOnTermination></attachment>"
#define HERE(n)                                                                                    \
    "<item><networkInterfaceId>eni-x" n "</networkInterfaceId><attachment><instanceId>i-me"        \
    "</instanceId></attachment></item>"
#define LIMIT(type, n)                                                                             \
    EC2_ANSWER("DescribeInstanceTypes",                                                            \
               "<instanceTypeSet><item><instanceType>" type "</instanceType><networkInfo>"         \
               "<maximumNetworkInterfaces>" n "</maximumNetworkInterfaces></networkInfo></item>"   \
               "</instanceTypeSet>")

static struct aws_world *interface(const char *nic)
{
    struct aws_world *w = aws_begin("eni");

    aws_put(w, 0, KIT_PARAM_ENI, "eni-9");
    aws_reply(w, "PUT api/token", NULL, "TOKEN");
    aws_reply(w, "GET meta-data/instance-id", NULL, "i-me\n");
    aws_reply(w, "GET meta-data/placement/availability-zone", NULL, "a");
    aws_reply(w, "DescribeNetworkInterfaces", "attachment.instance-id", ENIS(HERE("1") HERE("2")));
    aws_reply(w, "DescribeNetworkInterfaces", NULL, nic);
    return w;
}

static void room_on_the_instance(void **state)
{
    static const struct {
        const char *nic, *limit;
        enum verdict verdict;
        const char *says;
    } rows[] = {
        {MOVING(AT("i-2", "false")), LIMIT("m5.large", "3"), SILENT, NULL},
        {MOVING(AT("i-2", "false")), LIMIT("m5.large", "2"), BROKEN,
         "i-me (m5.large) has 2 interfaces of 2"},
        {MOVING(""), LIMIT("m5.large", "2"), BROKEN, NULL},
        {MOVING(AT("i-me", "false")), LIMIT("m5.large", "2"), SILENT, NULL},
        {MOVING(""), LIMIT("m5.small", "9"), UNKNOWN, "does not tell the limits of m5.large"},
        {MOVING(""), LIMIT("m5.large", "many"), UNKNOWN, "does not tell the limits of m5.large"},
        {MOVING(""), "<html>", UNKNOWN, "DescribeInstanceTypes"},
    };

    (void)state;
    for (size_t i = 0; i < KIT_LEN(rows); i++) {
        struct aws_world *w = interface(rows[i].nic);
        struct kit_facts facts;

        aws_reply(w, "GET meta-data/instance-type", NULL, "m5.large");
        aws_reply(w, "DescribeInstanceTypes", "InstanceType.1=m5.large", rows[i].limit);
        facts = advised(w, true);
        assert_advice(&facts, 20, rows[i].verdict, rows[i].says);
        kit_facts_done(&facts);
        aws_done(w);
    }
}

static void an_interface_is_planned_without_advice(void **state)
{
    struct aws_world *w = interface(MOVING(""));
    struct kit_facts facts;

    (void)state;
    aws_reply_with(w, "GET meta-data/instance-type", (struct fake_answer){.status = 404}, 1);
    aws_reply(w, "GET meta-data/instance-type", NULL, "m5.large");
    denied(w, "DescribeInstanceTypes");
    facts = advised(w, true);
    assert_advice(&facts, 20, UNKNOWN, "instance-type");
    kit_facts_done(&facts);
    facts = advised(w, true);
    assert_advice(&facts, 20, UNKNOWN, "DescribeInstanceTypes: UnauthorizedOperation");
    kit_facts_done(&facts);
    w->caller.stats.calls = 0;
    facts = advised(w, false);
    assert_advice(&facts, 20, SILENT, NULL);
    assert_int_equal(w->caller.stats.calls, 1);
    kit_facts_done(&facts);
    aws_done(w);
}

/* No further call tells: an action knows it too, and nobody is stopped by it. */
static void an_interface_that_dies_with_its_instance(void **state)
{
    static const struct {
        const char *nic;
        enum verdict verdict;
    } rows[] = {{MOVING(AT("i-2", "true")), BROKEN},
                {MOVING(AT("i-me", "true")), BROKEN},
                {MOVING(AT("i-2", "false")), SILENT},
                {MOVING(AT("i-2", "")), SILENT},
                {MOVING(""), SILENT}};

    (void)state;
    for (size_t i = 0; i < KIT_LEN(rows); i++) {
        struct aws_world *w = interface(rows[i].nic);
        struct kit_facts facts = advised(w, false);

        assert_advice(&facts, 59, rows[i].verdict,
                      i == 0 ? "eni-9 is deleted with i-2 when that is terminated" : NULL);
        kit_facts_done(&facts);
        aws_done(w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tables_that_lack_the_route),
        cmocka_unit_test(tables_that_were_left_out_on_purpose),
        cmocka_unit_test(zones_of_two_nodes),
        cmocka_unit_test(a_permission_for_advice_alone_is_not_needed),
        cmocka_unit_test(an_action_asks_for_none_of_it),
        cmocka_unit_test(an_address_of_the_vpc_takes_no_route),
        cmocka_unit_test(an_address_that_has_a_route_is_not_refused),
        cmocka_unit_test(a_missing_route_that_nobody_can_create),
        cmocka_unit_test(the_way_to_the_internet),
        cmocka_unit_test(an_elastic_ip_is_planned_without_advice),
        cmocka_unit_test(room_on_the_instance),
        cmocka_unit_test(an_interface_is_planned_without_advice),
        cmocka_unit_test(an_interface_that_dies_with_its_instance),
    };

    return cmocka_run_group_tests_name("aws_advice", tests, NULL, NULL);
}
