/* tests/unit/aws_private_ip.c - what is asked and sent for a private address, and what the answers
 * mean. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/aws_world.h"

#define VPC "<vpcId>vpc-1</vpcId><availabilityZone>eu-west-1a</availabilityZone>"
#define IP(text, primary)                                                                          \
    "<item><privateIpAddress>" text "</privateIpAddress><primary>" primary "</primary></item>"
#define IP6(text) "<item><ipv6Address>" text "</ipv6Address></item>"
/* An ENI of an instance. */
#define NIC(id, node, subnet, more)                                                                \
    "<item><networkInterfaceId>" id "</networkInterfaceId><subnetId>" subnet "</subnetId>" VPC     \
    "<status>in-use</status><macAddress>02:00:00:00:00:01</macAddress>"                            \
    "<interfaceType>interface</interfaceType><attachment><attachmentId>eni-attach-1</"             \
    "attachmentId>"                                                                                \
    "<instanceId>" node "</instanceId><deviceIndex>1</deviceIndex><status>attached</status>"       \
    "</attachment>" more "</item>"
#define V4(ips) "<privateIpAddressesSet>" IP("10.0.1.9", "true") ips "</privateIpAddressesSet>"
#define V6(ips) "<ipv6AddressesSet>" ips "</ipv6AddressesSet>"
#define SET(nics)                                                                                  \
    EC2_ANSWER("DescribeNetworkInterfaces", "<networkInterfaceSet>" nics "</networkInterfaceSet>")
#define OWN     NIC("eni-me", "i-me", "subnet-1", V4(""))
#define YES(op) EC2_ANSWER(op, "<return>true</return>")
#define BY_V4   "addresses.private-ip-address"
#define BY_V6   "ipv6-addresses.ipv6-address"
#define BY_ID   "network-interface-id"

/* One resource that names its ENI and its VPC: no metadata service is needed to find it. */
static struct aws_world *begin(const char *address)
{
    struct aws_world *w = aws_begin("private-ip");

    aws_put(w, 0, KIT_PARAM_ADDRESS, address);
    aws_put(w, 0, KIT_PARAM_ENI, "eni-me");
    aws_put(w, 0, KIT_PARAM_VPC_ID, "vpc-1");
    return w;
}

static struct kit_binding found(const char *address, const char *part, const char *nics)
{
    struct aws_world *w = begin(address);

    aws_reply(w, "DescribeNetworkInterfaces", part, nics);
    struct kit_facts facts = aws_facts_of_one(w, false);
    assert_int_equal(facts.count, 1);
    struct kit_binding b = facts.binding[0];
    assert_string_equal(b.place, address);
    assert_int_equal(w->net.requests, 1);
    kit_facts_done(&facts);
    aws_done(w);
    return b;
}

static void an_address_is_mine_anothers_or_free(void **state)
{
    (void)state;
    struct kit_binding b = found(
        "10.0.1.100", BY_V4, SET(NIC("eni-me", "i-me", "subnet-1", V4(IP("10.0.1.100", "false")))));
    assert_int_equal(b.state, KIT_BINDING_HELD);
    assert_true(b.mine && b.right);
    b = found("10.0.1.100", BY_V4,
              SET(NIC("eni-2", "i-2", "subnet-1", V4(IP("10.0.1.100", "false")))));
    assert_int_equal(b.state, KIT_BINDING_HELD);
    assert_false(b.mine || b.right);
    assert_string_equal(b.holder, "eni-2");
    assert_string_equal(b.node, "i-2");
    b = found("10.0.1.100", BY_V4, SET(""));
    assert_int_equal(b.state, KIT_BINDING_FREE);
    assert_string_equal(b.holder, "");
    b = found("2001:db8::100", BY_V6,
              SET(NIC("eni-2", "i-2", "subnet-1", V6(IP6("2001:DB8:0:0::100")))));
    assert_int_equal(b.state, KIT_BINDING_HELD);
    assert_string_equal(b.holder, "eni-2");
}

/* A filter is a promise of the server's; what counts is what the answer says. */
static void what_was_not_asked_for_does_not_count(void **state)
{
    (void)state;
    struct kit_binding b = found(
        "10.0.1.10", BY_V4, SET(NIC("eni-2", "i-2", "subnet-1", V4(IP("10.0.1.100", "false")))));
    assert_int_equal(b.state, KIT_BINDING_FREE);
    b = found("10.0.1.100", BY_V4,
              SET("<item><networkInterfaceId>eni-9</networkInterfaceId><vpcId>vpc-2</vpcId>" V4(
                  IP("10.0.1.100", "false")) "</item>"));
    assert_int_equal(b.state, KIT_BINDING_FREE);
}

static void primary_and_service_addresses_are_foreign(void **state)
{
    (void)state;
    struct kit_binding b = found("10.0.1.9", BY_V4, SET(NIC("eni-me", "i-me", "subnet-1", V4(""))));
    assert_int_equal(b.state, KIT_BINDING_FOREIGN);
    assert_false(b.mine || b.right);
    b = found("10.0.1.100", BY_V4,
              SET(NIC("eni-2", "i-2", "subnet-1",
                      "<requesterManaged>true</requesterManaged>" V4(IP("10.0.1.100", "false")))));
    assert_int_equal(b.state, KIT_BINDING_FOREIGN);
}

/* While it moves, two may show it: that it is ours is said only when nobody else does. */
static void shown_twice_is_not_ours(void **state)
{
    (void)state;
    struct kit_binding b =
        found("10.0.1.100", BY_V4,
              SET(NIC("eni-2", "i-2", "subnet-1", V4(IP("10.0.1.100", "false")))
                      NIC("eni-me", "i-me", "subnet-1", V4(IP("10.0.1.100", "false")))));
    assert_string_equal(b.holder, "eni-2");
    b = found("10.0.1.100", BY_V4,
              SET(NIC("eni-me", "i-me", "subnet-1", V4(IP("10.0.1.100", "false")))
                      NIC("eni-2", "i-2", "subnet-1", V4(IP("10.0.1.100", "false")))));
    assert_string_equal(b.holder, "eni-2");
}

static void every_page_is_read(void **state)
{
    struct aws_world *w = begin("10.0.1.100");

    (void)state;
    aws_reply(w, "DescribeNetworkInterfaces", "NextToken=t1%3D",
              SET(NIC("eni-2", "i-2", "subnet-1", V4(IP("10.0.1.100", "false")))));
    aws_reply(w, "DescribeNetworkInterfaces", BY_V4,
              EC2_ANSWER("DescribeNetworkInterfaces",
                         "<networkInterfaceSet/><nextToken>t1=</nextToken>"));
    struct kit_facts facts = aws_facts_of_one(w, false);
    assert_string_equal(facts.binding[0].holder, "eni-2");
    assert_int_equal(w->net.requests, 2);
    fake_assert_text(w->net.request[1].body, BY_V4);
    kit_facts_done(&facts);
    aws_done(w);
}

static void pages_that_go_round_are_an_error(void **state)
{
    struct aws_world *w = begin("10.0.1.100");

    (void)state;
    aws_reply(
        w, "DescribeNetworkInterfaces", NULL,
        EC2_ANSWER("DescribeNetworkInterfaces", "<networkInterfaceSet/><nextToken>t1</nextToken>"));
    struct kit_query query = aws_locate_one(w, false);
    assert_true(query.failed);
    assert_int_equal(query.err.kind, KIT_ERR_PROTOCOL);
    kit_facts_done(&query.facts);
    aws_done(w);
}

/* Where the list is not there, nobody said that no interface has the address. */
static void an_answer_without_the_list_is_no_answer(void **state)
{
    struct aws_world *w = begin("10.0.1.100");

    (void)state;
    aws_reply(w, "DescribeNetworkInterfaces", NULL, EC2_ANSWER("DescribeNetworkInterfaces", ""));
    struct kit_query query = aws_locate_one(w, false);
    assert_true(query.failed);
    assert_int_equal(query.err.kind, KIT_ERR_PROTOCOL);
    kit_facts_done(&query.facts);
    aws_done(w);
}

/* 101 addresses of one VPC: two calls, in one round. */
static void many_resources_share_calls(void **state)
{
    enum {
        COUNT = 101
    };
    struct aws_world *w = begin("10.0.2.0");
    struct kit_query query[COUNT];
    struct kit_err err;

    (void)state;
    for (unsigned i = 1; i < COUNT; i++) {
        char text[KIT_ADDR_TEXT];
        size_t n = aws_resource(w, "private-ip");
        assert_true(kit_str_format(text, sizeof(text), "10.0.2.%u", i));
        aws_put(w, n, KIT_PARAM_ADDRESS, text);
        aws_put(w, n, KIT_PARAM_ENI, "eni-me");
        aws_put(w, n, KIT_PARAM_VPC_ID, "vpc-1");
    }
    aws_reply(w, "DescribeNetworkInterfaces", BY_V4,
              SET(NIC("eni-2", "i-2", "subnet-1", V4(IP("10.0.2.7", "false")))));
    if (aws_locate(w, query, false, &err))
        fail_msg("%s", err.msg);
    assert_int_equal(w->net.requests, 2);
    assert_int_equal(w->caller.stats.rounds, 1);
    for (unsigned i = 0; i < COUNT; i++) {
        assert_false(query[i].failed);
        assert_int_equal(query[i].facts.binding[0].state,
                         i == 7 ? KIT_BINDING_HELD : KIT_BINDING_FREE);
        kit_facts_done(&query[i].facts);
    }
    aws_done(w);
}

/* ---- claims ---------------------------------------------------------------------------------- */

static struct kit_query located_for_claim(struct aws_world *w, const char *holder)
{
    aws_reply(w, "DescribeNetworkInterfaces", BY_ID, SET(OWN));
    aws_reply(w, "DescribeNetworkInterfaces", NULL, holder);
    return aws_locate_one(w, true);
}

static void a_claim_asks_for_both_in_one_round(void **state)
{
    struct aws_world *w = begin("10.0.1.100");

    (void)state;
    struct kit_query query =
        located_for_claim(w, SET(NIC("eni-2", "i-2", "subnet-1", V4(IP("10.0.1.100", "false")))));
    assert_false(query.failed);
    assert_int_equal(w->caller.stats.calls, 2);
    assert_int_equal(w->caller.stats.rounds, 1);
    assert_int_equal(w->caller.stats.metadata, 0);
    assert_int_equal(query.facts.breaches, 0);
    assert_string_equal(query.facts.my_node, "i-me");
    kit_facts_done(&query.facts);
    aws_done(w);
}

static void another_subnet_breaks_rule_44(void **state)
{
    struct aws_world *w = begin("10.0.1.100");

    (void)state;
    struct kit_query query =
        located_for_claim(w, SET(NIC("eni-2", "i-2", "subnet-2", V4(IP("10.0.1.100", "false")))));
    assert_int_equal(query.facts.breaches, 1);
    assert_int_equal(query.facts.breach[0].rule->number, 44);
    assert_int_equal(query.facts.breach[0].rule->level, KIT_RULE_REFUSE);
    assert_string_equal(query.facts.breach[0].detail,
                        "eni-2 has it in subnet-2, eni-me is in subnet-1");
    kit_facts_done(&query.facts);
    aws_done(w);
}

/* A free address is held against the range that the metadata service names; without one it is not
 * known. */
static void a_free_address_is_held_against_the_subnet(void **state)
{
    static const struct {
        const char *cidr;
        size_t breaches;
    } cases[] = {
        {"10.0.1.0/24\n", 0}, {"10.0.2.0/24", 1}, {"10.0.1.0/26", 1}, {"", 0}, {"rubbish", 0}};

    (void)state;
    for (size_t i = 0; i < KIT_LEN(cases); i++) {
        struct aws_world *w = begin("10.0.1.100");
        aws_reply(w, "PUT api/token", NULL, "TOKEN");
        aws_reply(w, "GET meta-data/network/interfaces/macs/02:00:00:00:00:01/subnet-id", NULL,
                  "subnet-1");
        aws_reply(w,
                  "GET meta-data/network/interfaces/macs/02:00:00:00:00:01/subnet-ipv4-cidr-block",
                  NULL, cases[i].cidr);
        struct kit_query query = located_for_claim(w, SET(""));
        assert_false(query.failed);
        assert_int_equal(query.facts.breaches, cases[i].breaches);
        kit_facts_done(&query.facts);
        aws_done(w);
    }
}

static void a_primary_address_is_refused_by_name(void **state)
{
    struct aws_world *w = begin("10.0.1.9");

    (void)state;
    struct kit_query query = located_for_claim(w, SET(NIC("eni-2", "i-2", "subnet-1", V4(""))));
    assert_true(query.failed);
    assert_int_equal(query.err.kind, KIT_ERR_CONFIG);
    fake_assert_text(query.err.msg, "10.0.1.9 is the primary address of eni-2 (i-2)");
    kit_facts_done(&query.facts);
    aws_done(w);
}

static void an_eni_that_is_not_there_is_named(void **state)
{
    struct aws_world *w = begin("10.0.1.100");

    (void)state;
    aws_reply(w, "DescribeNetworkInterfaces", NULL, SET(""));
    struct kit_query query = aws_locate_one(w, true);
    assert_true(query.failed);
    assert_int_equal(query.err.kind, KIT_ERR_NOT_FOUND);
    fake_assert_text(query.err.msg, "eni-me");
    kit_facts_done(&query.facts);
    aws_done(w);
}

/* ---- changes --------------------------------------------------------------------------------- */

static struct kit_step change(struct aws_world *w, const char *holder, bool release)
{
    struct kit_facts facts = {.me = "eni-me"};
    struct kit_binding b = {.state = holder[0] ? KIT_BINDING_HELD : KIT_BINDING_FREE};
    struct kit_step step = {.binding = &b};
    struct kit_err err = {.msg = ""};

    (void)kit_str_copy(b.place, sizeof(b.place),
                       kit_settings_text(&w->settings[0], KIT_PARAM_ADDRESS));
    (void)kit_str_copy(b.holder, sizeof(b.holder), holder);
    b.mine = kit_str_eq(holder, "eni-me");
    const struct kit_mover *mover = aws_mover(w);
    /* The session is ready once something was located. */
    aws_reply(w, "DescribeNetworkInterfaces", NULL, SET(""));
    struct kit_facts before = aws_facts_of_one(w, false);
    kit_facts_done(&before);
    int rc = (release ? mover->release : mover->claim)(w->cloud, &w->settings[0], &facts, &step, 1,
                                                       aws_in_a_minute(w), &err);
    assert_int_equal(rc == 0, step.result == KIT_STEP_DONE);
    step.binding = NULL;
    return step;
}

static void assert_sent(const struct aws_world *w, size_t n, const char *form)
{
    assert_true(n < w->net.requests);
    assert_string_equal(w->net.request[n].body, form);
}

static void ipv4_is_one_call(void **state)
{
    struct aws_world *w = begin("10.0.1.100");

    (void)state;
    aws_reply(w, "AssignPrivateIpAddresses", NULL, YES("AssignPrivateIpAddresses"));
    assert_int_equal(change(w, "eni-2", false).result, KIT_STEP_DONE);
    assert_int_equal(w->net.requests, 2);
    assert_sent(w, 1,
                "Action=AssignPrivateIpAddresses&Version=2016-11-15&NetworkInterfaceId=eni-me"
                "&PrivateIpAddress.1=10.0.1.100&AllowReassignment=true");
    aws_done(w);
}

static void ipv6_is_two(void **state)
{
    struct aws_world *w = begin("2001:db8::100");

    (void)state;
    aws_reply(w, "UnassignIpv6Addresses", NULL, YES("UnassignIpv6Addresses"));
    aws_reply(w, "AssignIpv6Addresses", NULL, YES("AssignIpv6Addresses"));
    assert_int_equal(change(w, "eni-2", false).result, KIT_STEP_DONE);
    assert_int_equal(w->net.requests, 3);
    assert_sent(w, 1,
                "Action=UnassignIpv6Addresses&Version=2016-11-15&NetworkInterfaceId=eni-2"
                "&Ipv6Addresses.1=2001%3Adb8%3A%3A100");
    assert_sent(w, 2,
                "Action=AssignIpv6Addresses&Version=2016-11-15&NetworkInterfaceId=eni-me"
                "&Ipv6Addresses.1=2001%3Adb8%3A%3A100");
    aws_done(w);
    w = begin("2001:db8::100");
    aws_reply(w, "AssignIpv6Addresses", NULL, YES("AssignIpv6Addresses"));
    assert_int_equal(change(w, "", false).result, KIT_STEP_DONE);
    assert_int_equal(w->net.requests, 2); /* free: the second alone */
    aws_done(w);
}

static struct fake_answer refusal(const char *body)
{
    return (struct fake_answer){.status = 400, .body = body};
}

static void ipv6_that_is_gone_there_is_put_here(void **state)
{
    struct aws_world *w = begin("2001:db8::100");

    (void)state;
    aws_reply_with(
        w, "UnassignIpv6Addresses",
        refusal(EC2_ERROR("InvalidParameterValue",
                          "Some of the specified addresses are not assigned to interface eni-2")),
        0);
    aws_reply(w, "AssignIpv6Addresses", NULL, YES("AssignIpv6Addresses"));
    assert_int_equal(change(w, "eni-2", false).result, KIT_STEP_DONE);
    aws_done(w);
}

static void ipv6_that_a_third_took_is_looked_at_again(void **state)
{
    struct aws_world *w = begin("2001:db8::100");

    (void)state;
    aws_reply(w, "UnassignIpv6Addresses", NULL, YES("UnassignIpv6Addresses"));
    aws_reply_with(w, "AssignIpv6Addresses",
                   refusal(EC2_ERROR("InvalidParameterValue",
                                     "[2001:db8::100] is already assigned to an interface")),
                   0);
    assert_int_equal(change(w, "eni-2", false).result, KIT_STEP_OPEN);
    aws_done(w);
}

static void ipv6_whose_first_answer_is_lost_is_looked_at_again(void **state)
{
    struct aws_world *w = begin("2001:db8::100");

    (void)state;
    aws_reply_with(w, "UnassignIpv6Addresses", (struct fake_answer){.how = FAKE_LOST}, 0);
    assert_int_equal(change(w, "eni-2", false).result, KIT_STEP_OPEN);
    assert_int_equal(w->net.requests, 2); /* neither repeated nor followed */
    aws_done(w);
}

static void a_refused_change_has_failed(void **state)
{
    struct aws_world *w = begin("10.0.1.100");

    (void)state;
    aws_reply_with(
        w, "AssignPrivateIpAddresses",
        refusal(EC2_ERROR("PrivateIpAddressLimitExceeded", "Number of private addresses will "
                                                           "exceed limit.")),
        0);
    struct kit_step step = change(w, "eni-2", false);
    assert_int_equal(step.result, KIT_STEP_FAILED);
    assert_int_equal(step.err.kind, KIT_ERR_REFUSED);
    aws_done(w);
}

/* A release names our ENI, whoever the facts say has it. */
static void a_release_names_our_own_eni(void **state)
{
    struct aws_world *w = begin("10.0.1.100");

    (void)state;
    aws_reply(w, "UnassignPrivateIpAddresses", NULL, YES("UnassignPrivateIpAddresses"));
    assert_int_equal(change(w, "eni-me", true).result, KIT_STEP_DONE);
    assert_sent(w, 1,
                "Action=UnassignPrivateIpAddresses&Version=2016-11-15"
                "&NetworkInterfaceId=eni-me&PrivateIpAddress.1=10.0.1.100");
    aws_done(w);
    w = begin("10.0.1.100");
    aws_reply_with(
        w, "UnassignPrivateIpAddresses",
        refusal(EC2_ERROR("InvalidParameterValue",
                          "Some of the specified addresses are not assigned to interface eni-me")),
        0);
    assert_int_equal(change(w, "eni-me", true).result, KIT_STEP_DONE);
    aws_done(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_address_is_mine_anothers_or_free),
        cmocka_unit_test(what_was_not_asked_for_does_not_count),
        cmocka_unit_test(primary_and_service_addresses_are_foreign),
        cmocka_unit_test(shown_twice_is_not_ours),
        cmocka_unit_test(every_page_is_read),
        cmocka_unit_test(pages_that_go_round_are_an_error),
        cmocka_unit_test(an_answer_without_the_list_is_no_answer),
        cmocka_unit_test(many_resources_share_calls),
        cmocka_unit_test(a_claim_asks_for_both_in_one_round),
        cmocka_unit_test(another_subnet_breaks_rule_44),
        cmocka_unit_test(a_free_address_is_held_against_the_subnet),
        cmocka_unit_test(a_primary_address_is_refused_by_name),
        cmocka_unit_test(an_eni_that_is_not_there_is_named),
        cmocka_unit_test(ipv4_is_one_call),
        cmocka_unit_test(ipv6_is_two),
        cmocka_unit_test(ipv6_that_is_gone_there_is_put_here),
        cmocka_unit_test(ipv6_that_a_third_took_is_looked_at_again),
        cmocka_unit_test(ipv6_whose_first_answer_is_lost_is_looked_at_again),
        cmocka_unit_test(a_refused_change_has_failed),
        cmocka_unit_test(a_release_names_our_own_eni),
    };
    return cmocka_run_group_tests_name("aws_private_ip", tests, NULL, NULL);
}
