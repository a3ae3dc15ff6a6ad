/* kit/cloud/aliyun/quota: what an instance type takes, and how the movers eni and private-ip refuse
 * what would not fit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/unit/ali_quota.h"

#define ENIS(list) ALI_ANSWER("\"NetworkInterfaceSets\":{\"NetworkInterfaceSet\":[" list "]}")
#define LOOK       "DescribeNetworkInterfaces"
#define ASK        "DescribeInstances"

/* Ours, with a primary interface and these. */
#define INSTANCE_WITH(more)                                                                        \
    ALI_ANSWER("\"Instances\":{\"Instance\":[{\"InstanceId\":\"i-2\",\"Status\":\"Running\","      \
               "\"ZoneId\":\"cn-shanghai-a\",\"InstanceType\":\"ecs.g6.large\",\"IoOptimized\":"   \
               "true,\"VpcAttributes\":{\"VpcId\":\"vpc-1\"},\"NetworkInterfaces\":{"              \
               "\"NetworkInterface\":[{\"NetworkInterfaceId\":\"eni-2\"}" more "]}}]}")
/* Answers that say nothing of it: no claim is held up. */
static const struct fake_answer quota_not_told[] = {
    {.status = 403, .body = ALI_ERROR("Forbidden.RAM")},
    {.status = 503, .body = ALI_ERROR("ServiceUnavailable")},
    {.status = 400, .body = ALI_ERROR("Throttling.User")},
    {.how = FAKE_LOST},
    {.status = 200, .body = ALI_OK},
    {.status = 200, .body = "<html>"},
    {.status = 200, .body = TYPE_OF("{\"InstanceTypeId\":\"ecs.g6.large\"}")},
    {.status = 200,
     .body = TYPE_OF("{\"InstanceTypeId\":\"ecs.g6.large\",\"EniQuantity\":-7,"
                     "\"EniPrivateIpAddressQuantity\":\"many\"}")},
    {.status = 200,
     .body = TYPE_OF("{\"InstanceTypeId\":\"ecs.g6.small\",\"EniQuantity\":0,"
                     "\"EniPrivateIpAddressQuantity\":0}")},
};

/* ---- interfaces of an instance --------------------------------------------------------------- */

#define MOVED(node, status, more)                                                                  \
    ENIS("{\"NetworkInterfaceId\":\"eni-9\",\"InstanceId\":\"" node "\",\"Status\":\"" status      \
         "\",\"Type\":\"Secondary\",\"VpcId\":\"vpc-1\",\"ZoneId\":\"cn-shanghai-a\"" more "}")

static struct ali_world *begin_eni(void)
{
    struct ali_world *w = ali_begin("eni");

    ali_put(w, 0, KIT_PARAM_ENI, "eni-9");
    return w;
}

/* A full instance would show only after the old node has lost it. */
static void a_full_instance_is_refused(void **state)
{
    static const struct {
        const char *instance, *quota, *says;
    } rows[] = {
        {INSTANCE_WITH(",{\"NetworkInterfaceId\":\"eni-3\"}"), QUOTA("2", "10", "10"),
         "rule 20: i-2 (ecs.g6.large) has 2 interfaces of 2"},
        {INSTANCE_WITH(",{\"NetworkInterfaceId\":\"eni-3\"}"), QUOTA("3", "10", "10"), NULL},
        {INSTANCE_WITH(""), QUOTA("1", "10", "10"),
         "rule 20: i-2 (ecs.g6.large) has 1 interfaces of 1"},
        {INSTANCE_WITH(""), QUOTA("\"2\"", "0", "0"), NULL},
    };

    (void)state;
    for (size_t i = 0; i < KIT_LEN(rows); i++) {
        struct ali_world *w = begin_eni();

        ali_reply(w, ASK, NULL, rows[i].instance);
        ali_reply(w, TYPES, "InstanceTypes.1=ecs.g6.large&", rows[i].quota);
        ali_reply(w, LOOK, NULL, MOVED("i-1", "InUse", ""));
        if (rows[i].says) {
            struct kit_err err = ali_refusal(w);
            assert_int_equal(err.kind, KIT_ERR_CONFIG);
            fake_assert_text(err.msg, rows[i].says);
        } else {
            struct kit_facts facts = ali_facts(w, true);
            assert_int_equal(facts.breaches, 0);
            kit_facts_done(&facts);
        }
        ali_assert_calls(w, LOOK " " ASK " " TYPES);
        assert_int_equal(w->caller.stats.rounds, 2);
        ali_done(w);
    }
}

static void enis_that_are_not_told_hold_nothing_up(void **state)
{
    (void)state;
    for (size_t i = 0; i < KIT_LEN(quota_not_told); i++) {
        struct ali_world *w = begin_eni();
        struct kit_facts facts;

        ali_reply(w, ASK, NULL, INSTANCE_WITH(""));
        ali_reply_with(w, TYPES, NULL, quota_not_told[i], 0);
        ali_reply(w, LOOK, NULL, MOVED("i-1", "InUse", ""));
        facts = ali_facts(w, true);
        assert_int_equal(facts.breaches, 0);
        assert_in_range(ali_count(w, TYPES), 1, 2);
        assert_true(w->clock.now_ns <= 3 * KIT_NS_PER_S);
        kit_facts_done(&facts);
        ali_done(w);
    }
}

/* Nothing is to come to our instance: the limit is not asked for. */
static void a_limit_is_asked_for_a_move_alone(void **state)
{
    static const char *const enis[] = {MOVED("i-2", "InUse", ""), MOVED("i-2", "Detaching", ""),
                                       MOVED("", "InUse", ",\"ServiceManaged\":true")};

    (void)state;
    for (size_t i = 0; i < KIT_LEN(enis); i++) {
        struct ali_world *w = begin_eni();
        struct kit_facts facts;

        ali_reply(w, ASK, NULL, INSTANCE_WITH(""));
        ali_reply(w, LOOK, NULL, enis[i]);
        facts = ali_facts(w, true);
        assert_int_equal(facts.breaches, 0);
        ali_assert_calls(w, LOOK " " ASK);
        kit_facts_done(&facts);
        ali_done(w);
    }
}

/* ---- addresses of an interface --------------------------------------------------------------- */

#define IP(addr, primary) "{\"PrivateIpAddress\":\"" addr "\",\"Primary\":" primary "}"
#define PRIMARY_2         IP("10.0.1.12", "true")
#define VIP               IP("10.0.1.20", "false")
#define BY_IP             "PrivateIpAddress.1=10.0.1.20"
#define BY_ID             "NetworkInterfaceId.1=eni-2"
#define ENI(id, node, ips, more)                                                                   \
    "{\"NetworkInterfaceId\":\"" id "\",\"InstanceId\":\"" node                                    \
    "\",\"Status\":\"InUse\",\"Type\":\"Secondary\",\"VpcId\":\"vpc-1\",\"VSwitchId\":\"vsw-1\","  \
    "\"PrivateIpSets\":{\"PrivateIpSet\":[" ips "]}" more "}"
#define V6(addr)   "{\"Ipv6Address\":\"" addr "\"}"
#define V6S(addrs) ",\"Ipv6Sets\":{\"Ipv6Set\":[" addrs "]}"

static struct ali_world *begin_private_ip(const char *address)
{
    struct ali_world *w = ali_begin("private-ip");

    ali_put(w, 0, KIT_PARAM_ADDRESS, address);
    ali_put(w, 0, KIT_PARAM_ENI, "eni-2");
    ali_put(w, 0, KIT_PARAM_VPC_ID, "vpc-1");
    return w;
}

/* A full interface would show only after the old node has lost it. */
static void a_full_interface_is_refused(void **state)
{
    static const struct {
        const char *address, *own, *quota, *says;
    } rows[] = {
        {"10.0.1.20",
         ENIS(
             ENI("eni-2", "i-2", PRIMARY_2 "," IP("10.0.1.13", "false"), V6S(V6("2001:db8:1::2")))),
         QUOTA("3", "2", "10"), "rule 20: eni-2 of i-2 (ecs.g6.large) has 2 IPv4 addresses of 2"},
        {"10.0.1.20",
         ENIS(
             ENI("eni-2", "i-2", PRIMARY_2 "," IP("10.0.1.13", "false"), V6S(V6("2001:db8:1::2")))),
         QUOTA("1", "3", "0"), NULL},
        {"2001:db8:1::20", ENIS(ENI("eni-2", "i-2", PRIMARY_2, V6S(V6("2001:db8:1::2")))),
         QUOTA("3", "10", "1"), "rule 20: eni-2 of i-2 (ecs.g6.large) has 1 IPv6 addresses of 1"},
        {"2001:db8:1::20", ENIS(ENI("eni-2", "i-2", PRIMARY_2, "")), QUOTA("3", "10", "0"),
         "rule 20: eni-2 of i-2 (ecs.g6.large) has 0 IPv6 addresses of 0"},
        {"2001:db8:1::20", ENIS(ENI("eni-2", "i-2", PRIMARY_2, "")), QUOTA("3", "1", "1"), NULL},
    };

    (void)state;
    for (size_t i = 0; i < KIT_LEN(rows); i++) {
        struct ali_world *w = begin_private_ip(rows[i].address);

        ali_reply(w, LOOK, BY_ID, rows[i].own);
        ali_reply(w, LOOK, NULL, ENIS(ENI("eni-1", "i-1", VIP, V6S(V6("2001:db8:1::20")))));
        ali_reply(w, ASK, "InstanceIds=%5B%22i-2%22%5D&", INSTANCE_WITH(""));
        ali_reply(w, TYPES, "InstanceTypes.1=ecs.g6.large&", rows[i].quota);
        if (rows[i].says) {
            struct kit_err err = ali_refusal(w);
            assert_int_equal(err.kind, KIT_ERR_CONFIG);
            fake_assert_text(err.msg, rows[i].says);
        } else {
            struct kit_facts facts = ali_facts(w, true);
            assert_int_equal(facts.breaches, 0);
            kit_facts_done(&facts);
        }
        ali_assert_calls(w, LOOK " " LOOK " " ASK " " TYPES);
        assert_int_equal(w->caller.stats.rounds, 3);
        ali_done(w);
    }
}

static void addresses_that_are_not_told_hold_nothing_up(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2 * KIT_LEN(quota_not_told); i++) {
        struct ali_world *w = begin_private_ip("10.0.1.20");
        const struct fake_answer *answer = &quota_not_told[i / 2];
        struct kit_facts facts;

        ali_reply(w, LOOK, BY_IP, ENIS(ENI("eni-1", "i-1", VIP, "")));
        ali_reply(w, LOOK, BY_ID, ENIS(ENI("eni-2", "i-2", PRIMARY_2, "")));
        if (i % 2)
            ali_reply_with(w, ASK, NULL, *answer, 0);
        ali_reply(w, ASK, NULL, INSTANCE_WITH(""));
        ali_reply_with(w, TYPES, NULL, *answer, 0);
        facts = ali_facts(w, true);
        assert_int_equal(facts.breaches, 0);
        assert_true(w->clock.now_ns <= 6 * KIT_NS_PER_S);
        if (i % 2)
            assert_int_equal(ali_count(w, TYPES), 0); /* of which type is not known */
        else
            assert_in_range(ali_count(w, TYPES), 1, 2);
        kit_facts_done(&facts);
        ali_done(w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_full_instance_is_refused),
        cmocka_unit_test(enis_that_are_not_told_hold_nothing_up),
        cmocka_unit_test(a_limit_is_asked_for_a_move_alone),
        cmocka_unit_test(a_full_interface_is_refused),
        cmocka_unit_test(addresses_that_are_not_told_hold_nothing_up),
    };

    return cmocka_run_group_tests_name("ali_quota", tests, NULL, NULL);
}
