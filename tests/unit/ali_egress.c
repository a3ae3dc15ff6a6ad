/* tests/unit/ali_egress.c - what the egress procedure makes of the cloud's answers: the SNAT entry
 * that covers an instance, whose EIP is meant, which rules are broken. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "kit/cloud/egress.h"
#include "tests/unit/ali_eip.h"

#define INSTANCE(more)                                                                             \
    ALI_ANSWER("\"Instances\":{\"Instance\":[{\"InstanceId\":\"i-2\",\"Status\":\"Running\","      \
               "\"ZoneId\":\"cn-shanghai-a\",\"InstanceType\":\"ecs.g6.large\","                   \
               "\"InstanceNetworkType\":\"vpc\",\"InstanceChargeType\":\"PostPaid\","              \
               "\"IoOptimized\":true,\"InternetMaxBandwidthOut\":5,"                               \
               "\"SecurityGroupIds\":{\"SecurityGroupId\":[\"sg-1\",\"sg-2\"]},"                   \
               "\"VpcAttributes\":{\"VpcId\":\"vpc-1\",\"VSwitchId\":\"vsw-1\"}" more "}]}")
#define STATIC  ",\"PublicIpAddress\":{\"IpAddress\":[\"198.51.100.7\"]}"
#define OWN_EIP ",\"EipAddress\":{\"IpAddress\":\"198.51.100.20\",\"AllocationId\":\"eip-1\"}"
#define PRIMARY                                                                                    \
    "{\"NetworkInterfaceId\":\"eni-p\",\"Type\":\"Primary\",\"Status\":\"InUse\","                 \
    "\"InstanceId\":\"i-2\",\"VpcId\":\"vpc-1\",\"VSwitchId\":\"vsw-1\","                          \
    "\"PrivateIpSets\":{\"PrivateIpSet\":[{\"PrivateIpAddress\":\"10.0.1.10\","                    \
    "\"Primary\":true}]}}"
#define MADE(name, status, node)                                                                   \
    "{\"NetworkInterfaceId\":\"eni-m" status "\",\"NetworkInterfaceName\":\"" name                 \
    "\",\"Type\":\"Secondary\",\"Status\":\"" status "\",\"InstanceId\":\"" node                   \
    "\",\"VpcId\":\"vpc-1\",\"VSwitchId\":\"vsw-1\",\"MacAddress\":\"00:16:3e:00:00:02\","         \
    "\"PrivateIpSets\":{\"PrivateIpSet\":[{\"PrivateIpAddress\":\"10.0.1.11\",\"Primary\":true}]}" \
    "}"
#define NICS(list) ALI_ANSWER("\"NetworkInterfaceSets\":{\"NetworkInterfaceSet\":[" list "]}")
#define GATEWAY(id, status, network)                                                               \
    "{\"NatGatewayId\":\"" id "\",\"Status\":\"" status "\",\"NetworkType\":\"" network "\"}"
#define GATEWAYS(list)                                                                             \
    ALI_ANSWER("\"TotalCount\":2,\"PageNumber\":1,\"PageSize\":50,\"NatGateways\":{"               \
               "\"NatGateway\":[" list "]}")
#define ENTRY(id, ip, status, source)                                                              \
    "{\"SnatEntryId\":\"" id "\",\"SnatIp\":\"" ip "\",\"Status\":\"" status                       \
    "\",\"NatGatewayId\":\"ngw-1\"," source "}"
#define ENTRIES(list)                                                                              \
    ALI_ANSWER("\"TotalCount\":1,\"PageNumber\":1,\"PageSize\":50,\"SnatTableEntries\":{"          \
               "\"SnatTableEntry\":[" list "]}")
#define OF_VSWITCH "\"SourceVSwitchId\":\"vsw-1\",\"SourceCIDR\":\"10.0.1.0/24\""
#define ONE_ENTRY  ENTRIES(ENTRY("snat-1", "203.0.113.9", "Available", OF_VSWITCH))
#define NAMED      "cloudvip-egress-i-2"

static struct ali_world *world_of(const char *instance, const char *named, const char *gateways,
                                  const char *entries)
{
    struct ali_world *w = ali_begin("elastic-ip");

    ali_reply(w, "DescribeInstances", NULL, instance);
    ali_reply(w, "DescribeNetworkInterfaces", "NetworkInterfaceName=", named);
    ali_reply(w, "DescribeNetworkInterfaces", "InstanceId=", NICS(PRIMARY));
    ali_reply(w, "DescribeNatGateways", NULL, gateways);
    ali_reply(w, "DescribeSnatTableEntries", NULL, entries);
    return w;
}

static struct ali_world *world(const char *instance, const char *named, const char *entries)
{
    return world_of(instance, named, GATEWAYS(GATEWAY("ngw-1", "Available", "internet")), entries);
}

static int look(struct ali_world *w, const struct kit_egress_wish *wish,
                struct kit_egress_facts *ret_facts, struct kit_err *err)
{
    return w->provider->egress->look(w->cloud, wish, ali_in_5_minutes(w), ret_facts, err);
}

static struct kit_egress_facts facts_of(struct ali_world *w, const struct kit_egress_wish *wish)
{
    struct kit_egress_facts facts = {.here = false};
    struct kit_err err;

    if (look(w, wish, &facts, &err))
        fail_msg("%s", err.msg);
    ali_done(w);
    return facts;
}

static void which_entry_covers_it(void **state)
{
    static const struct {
        const char *entries, *id; /* "" = none */
        bool available;
    } row[] = {
        {ENTRIES(""), "", false},
        {ONE_ENTRY, "snat-1", true},
        {ENTRIES(ENTRY("snat-1", "203.0.113.9", "Pending", OF_VSWITCH)), "snat-1", false},
        {ENTRIES(ENTRY("snat-1", "203.0.113.9", "Pending",
                       OF_VSWITCH) "," ENTRY("snat-2", "203.0.113.8", "Available", OF_VSWITCH)),
         "snat-2", true},
        {ENTRIES(ENTRY("snat-1", "203.0.113.9", "Available",
                       OF_VSWITCH) "," ENTRY("snat-2", "203.0.113.8", "Available", OF_VSWITCH)),
         "snat-1", true},
        {ENTRIES(ENTRY("snat-1", "203.0.113.9", "Available",
                       "\"SourceVSwitchId\":\"vsw-9\","
                       "\"SourceCIDR\":\"10.0.0.0/8\"")),
         "", false},
        {ENTRIES(ENTRY("snat-1", "203.0.113.9", "Available",
                       "\"SourceVSwitchId\":\"\","
                       "\"SourceCIDR\":\"10.0.1.8/29\"")),
         "snat-1", true},
        {ENTRIES(ENTRY("snat-1", "203.0.113.9", "Available", "\"SourceCIDR\":\"10.0.1.16/28\"")),
         "", false},
        {ENTRIES(ENTRY("snat-1", "203.0.113.9", "Available", "\"SourceCIDR\":\"nonsense\"")), "",
         false},
        {ENTRIES(ENTRY("snat-1", "203.0.113.9", "Available", "\"NetworkInterfaceId\":\"eni-p\"")),
         "snat-1", true},
        {ENTRIES(ENTRY("snat-1", "203.0.113.9", "Available",
                       "\"NetworkInterfaceId\":\"eni-9\"," OF_VSWITCH)),
         "", false},
    };
    const struct kit_egress_wish wish = {.instance = NULL};

    (void)state;
    for (size_t i = 0; i < KIT_LEN(row); i++) {
        const struct kit_egress_facts f =
            facts_of(world(INSTANCE(STATIC), NICS(""), row[i].entries), &wish);

        if (!kit_str_eq(f.snat.id, row[i].id) || f.snat.available != row[i].available)
            fail_msg("row %zu: '%s', %s", i, f.snat.id, f.snat.available ? "available" : "not");
    }
}

/* Another VPC's gateway and another gateway's entry are not ours, whatever was asked; an entry that
 * leaves its gateway out is of the one that was asked about. */
static void which_gateway_it_is(void **state)
{
    static const struct {
        const char *gateway, *entry, *id, *of;
    } row[] = {
        {"\"VpcId\":\"vpc-1\",", "", "snat-1", "ngw-1"},
        {"", "\"NatGatewayId\":\"\",", "snat-1", "ngw-1"},
        {"\"VpcId\":\"vpc-9\",", "", "", ""},
        {"", "\"NatGatewayId\":\"ngw-9\",", "", ""},
    };
    const struct kit_egress_wish wish = {.instance = NULL};

    (void)state;
    for (size_t i = 0; i < KIT_LEN(row); i++) {
        char gateways[300], entries[300];

        (void)snprintf(gateways, sizeof(gateways),
                       ALI_ANSWER("\"TotalCount\":1,\"NatGateways\":{\"NatGateway\":[{%s"
                                  "\"NatGatewayId\":\"ngw-1\",\"Status\":\"Available\"}]}"),
                       row[i].gateway);
        (void)snprintf(entries, sizeof(entries),
                       ALI_ANSWER("\"TotalCount\":1,\"SnatTableEntries\":{\"SnatTableEntry\":[{%s"
                                  "\"SnatEntryId\":\"snat-1\",\"SnatIp\":\"203.0.113.9\","
                                  "\"Status\":\"Available\"," OF_VSWITCH "}]}"),
                       row[i].entry);
        const struct kit_egress_facts f =
            facts_of(world_of(INSTANCE(STATIC), NICS(""), gateways, entries), &wish);

        assert_string_equal(f.snat.id, row[i].id);
        assert_string_equal(f.snat.gateway, row[i].of);
    }
}

static void gateways_that_lead_elsewhere(void **state)
{
    const struct kit_egress_wish wish = {.instance = NULL};
    struct ali_world *w = ali_begin("elastic-ip");
    struct kit_egress_facts f;

    (void)state;
    ali_reply(w, "DescribeInstances", NULL, INSTANCE(STATIC));
    ali_reply(w, "DescribeNetworkInterfaces", "NetworkInterfaceName=", NICS(""));
    ali_reply(w, "DescribeNetworkInterfaces", "InstanceId=", NICS(PRIMARY));
    ali_reply(w, "DescribeNatGateways", NULL,
              GATEWAYS(GATEWAY("ngw-1", "Creating", "internet") "," GATEWAY("ngw-2", "Available",
                                                                            "intranet")));
    f = facts_of(w, &wish); /* and no entry is asked about: nobody would answer */
    assert_string_equal(f.snat.id, "");
}

static void whose_address_it_is(void **state)
{
    const struct kit_egress_wish wish = {.instance = NULL}, named = {.eip = "eip-1"};
    struct ali_world *w = world(INSTANCE(STATIC), NICS(MADE(NAMED, "Available", "")), ONE_ENTRY);
    struct kit_egress_facts f = facts_of(w, &wish);

    (void)state;
    assert_true(f.here);
    assert_string_equal(f.static_ip, "198.51.100.7");
    assert_string_equal(f.eip.id, "");
    assert_string_equal(f.eni.id, "eni-mAvailable");
    assert_string_equal(f.eni.ip, "10.0.1.11");
    assert_false(f.eni.attached);
    assert_string_equal(f.new_groups, "sg-1 sg-2");

    w = world(INSTANCE(OWN_EIP), NICS(""), ONE_ENTRY);
    ali_reply(w, "DescribeEipAddresses", "AllocationId=eip-1",
              EIPS(EIP("eip-1", "198.51.100.20", "InUse", "i-2", "EcsInstance", "NAT", "", "")));
    f = facts_of(w, &wish);
    assert_string_equal(f.primary_eip, "198.51.100.20");
    assert_true(f.eip.on_primary);

    w = world(INSTANCE(""), NICS(MADE(NAMED, "InUse", "i-2")), ONE_ENTRY);
    ali_reply(w, "DescribeEipAddresses", "AssociatedInstanceId=eni-mInUse",
              EIPS(EIP("eip-1", "198.51.100.20", "InUse", "eni-mInUse", "NetworkInterface", "NAT",
                       "10.0.1.11", "")));
    f = facts_of(w, &wish);
    assert_string_equal(f.eip.id, "eip-1");
    assert_true(f.eip.on_eni && f.eni.attached);

    w = world(INSTANCE(""), NICS(MADE(NAMED, "InUse", "i-2")), ONE_ENTRY);
    ali_reply(w, "DescribeEipAddresses", "AllocationId=eip-1",
              EIPS(EIP("eip-1", "198.51.100.20", "InUse", "eni-mInUse", "NetworkInterface",
                       "BINDED", "10.0.1.11", "")));
    f = facts_of(w, &named);
    assert_false(f.eip.on_eni);
}

/* A name that only begins alike is somebody else's; one that is going is no more. */
static void which_eni_is_ours(void **state)
{
    const struct kit_egress_wish wish = {.instance = NULL};
    struct kit_egress_facts f;
    struct ali_world *w;
    struct kit_err err;

    (void)state;
    f = facts_of(world(INSTANCE(STATIC), NICS(MADE(NAMED "2", "Available", "")), ONE_ENTRY), &wish);
    assert_string_equal(f.eni.id, "");
    f = facts_of(world(INSTANCE(STATIC), NICS(MADE(NAMED, "Deleting", "")), ONE_ENTRY), &wish);
    assert_string_equal(f.eni.id, "");
    w = world(INSTANCE(STATIC), NICS(MADE(NAMED, "Available", "") "," MADE(NAMED, "InUse", "i-2")),
              ONE_ENTRY);
    assert_int_equal(look(w, &wish, &f, &err), -1);
    assert_int_equal(err.kind, KIT_ERR_CONFIG);
    assert_non_null(strstr(err.msg, "--eni"));
    ali_done(w);
}

static void what_is_missing_is_said(void **state)
{
    const struct kit_egress_wish wish = {.instance = "i-9"};
    struct kit_egress_facts f;
    struct ali_world *w = world(INSTANCE(STATIC), NICS(""), ONE_ENTRY);
    struct kit_err err;

    (void)state;
    assert_int_equal(look(w, &wish, &f, &err), -1);
    assert_int_equal(err.kind, KIT_ERR_NOT_FOUND);
    ali_done(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(which_entry_covers_it),
        cmocka_unit_test(which_gateway_it_is),
        cmocka_unit_test(gateways_that_lead_elsewhere),
        cmocka_unit_test(whose_address_it_is),
        cmocka_unit_test(which_eni_is_ours),
        cmocka_unit_test(what_is_missing_is_said),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
