#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/ali_eip.h"

/* ---- cut-through and multi ------------------------------------------------------------------- */

static struct ali_world *cut_through(void)
{
    struct ali_world *w = begin();

    ali_put(w, 0, KIT_PARAM_EIP_MODE, "cut-through");
    ali_reply(w, "ListIpv4Gateways", "VpcId=vpc-1", ALI_ANSWER("\"Ipv4GatewayModels\":[]"));
    return w;
}

static void cut_through_detaches_binds_attaches(void **state)
{
    static const char bound[] = ON("eni-2", "InUse", "BINDED", "10.0.1.12");
    struct ali_world *w = cut_through();

    (void)state;
    ali_reply_with(w, "DescribeEipAddresses", NULL,
                   (struct fake_answer){.status = 200, .body = THEIRS}, 2);
    ali_reply_once(w, "DescribeEipAddresses", NULL, FREE);
    ali_reply(w, "DescribeEipAddresses", NULL, bound);
    ali_reply_with(w, "DescribeNetworkInterfaces", NULL,
                   (struct fake_answer){.status = 200, .body = PLAIN_ENI}, 2);
    ali_reply_with(w, "DescribeNetworkInterfaces", NULL,
                   (struct fake_answer){.status = 200, .body = LOOSE_ENI}, 2);
    ali_reply(w, "DescribeNetworkInterfaces", NULL, PLAIN_ENI);
    ali_reply(w, "UnassociateEipAddress", "InstanceId=eni-1&", ALI_OK);
    ali_reply(w, "DetachNetworkInterface", "InstanceId=i-2&NetworkInterfaceId=eni-2&", ALI_OK);
    ali_reply(w, "AssociateEipAddress", "Mode=BINDED&", ALI_OK);
    ali_reply(w, "AttachNetworkInterface", "InstanceId=i-2&NetworkInterfaceId=eni-2&", ALI_OK);
    assert_int_equal(ali_claim(w, 1).result, KIT_STEP_DONE);
    assert_int_equal(ali_count(w, "UnassociateEipAddress"), 1);
    assert_int_equal(ali_count(w, "DetachNetworkInterface"), 1);
    assert_int_equal(ali_count(w, "AssociateEipAddress"), 1);
    assert_int_equal(ali_count(w, "AttachNetworkInterface"), 1);
    ali_done(w);
}

/* Killed after the association: the EIP is on our ENI, and our ENI is on nothing. */
static void cut_through_attaches_what_was_left_detached(void **state)
{
    struct ali_world *w = cut_through();

    (void)state;
    ali_reply(w, "DescribeEipAddresses", NULL, ON("eni-2", "InUse", "BINDED", "10.0.1.12"));
    ali_reply_with(w, "DescribeNetworkInterfaces", NULL,
                   (struct fake_answer){.status = 200, .body = LOOSE_ENI}, 3);
    ali_reply(w, "DescribeNetworkInterfaces", NULL, PLAIN_ENI);
    ali_reply(w, "AttachNetworkInterface", NULL, ALI_OK);
    struct kit_facts facts = ali_facts(w, false);
    assert_true(facts.binding[0].mine);
    assert_false(facts.binding[0].right);
    kit_facts_done(&facts);
    assert_int_equal(ali_claim(w, 1).result, KIT_STEP_DONE);
    assert_int_equal(ali_count(w, "AttachNetworkInterface"), 1);
    assert_int_equal(ali_count(w, "DetachNetworkInterface"), 0);
    ali_done(w);
}

static void cut_through_gives_the_interface_back_after_a_failure(void **state)
{
    struct ali_world *w = cut_through();
    struct kit_step step;

    (void)state;
    ali_reply(w, "DescribeEipAddresses", NULL, FREE);
    ali_reply_with(w, "DescribeNetworkInterfaces", NULL,
                   (struct fake_answer){.status = 200, .body = PLAIN_ENI}, 3);
    ali_reply(w, "DescribeNetworkInterfaces", NULL, LOOSE_ENI);
    ali_reply(w, "DetachNetworkInterface", NULL, ALI_OK);
    ali_reply(w, "AttachNetworkInterface", NULL, ALI_OK);
    ali_reply_with(w, "AssociateEipAddress", NULL,
                   (struct fake_answer){.status = 403, .body = ALI_ERROR("Forbidden.RAM")}, 0);
    step = ali_claim(w, 1);
    assert_int_equal(step.result, KIT_STEP_FAILED);
    assert_int_equal(step.err.kind, KIT_ERR_DENIED);
    fake_assert_text(step.err.msg, "eni-2 is being attached again");
    assert_int_equal(ali_count(w, "AttachNetworkInterface"), 1);
    ali_done(w);
}

/* The EIP cannot be had: the interface stays where it is. */
static void cut_through_keeps_the_interface_until_the_eip_is_coming(void **state)
{
    struct ali_world *w = cut_through();
    struct kit_step step;

    (void)state;
    ali_reply(w, "DescribeEipAddresses", NULL, THEIRS);
    ali_reply(w, "DescribeNetworkInterfaces", NULL, PLAIN_ENI);
    ali_reply_with(w, "UnassociateEipAddress", NULL,
                   (struct fake_answer){.status = 400, .body = ALI_ERROR("IncorrectEipStatus")}, 3);
    ali_reply_with(w, "UnassociateEipAddress", NULL,
                   (struct fake_answer){.status = 403, .body = ALI_ERROR("Forbidden.RAM")}, 0);
    step = ali_claim(w, 1);
    assert_int_equal(step.result, KIT_STEP_FAILED);
    assert_int_equal(step.err.kind, KIT_ERR_DENIED);
    assert_int_equal(ali_count(w, "DetachNetworkInterface"), 0);
    ali_done(w);
}

static void cut_through_attach_that_fails(void **state)
{
    struct ali_world *w = cut_through();
    struct kit_step step;

    (void)state;
    ali_reply(w, "DescribeEipAddresses", NULL, ON("eni-2", "InUse", "BINDED", "10.0.1.12"));
    ali_reply(w, "DescribeNetworkInterfaces", NULL, LOOSE_ENI);
    ali_reply(w, "AttachNetworkInterface", NULL, ALI_OK);
    step = ali_claim(w, 1);
    assert_int_equal(step.result, KIT_STEP_FAILED);
    fake_assert_text(step.err.msg, "fell back to Available 3 times");
    ali_done(w);
}

static void cut_through_wants_the_eni_by_its_id(void **state)
{
    struct ali_world *w = ali_begin("elastic-ip");
    struct kit_err err;

    (void)state;
    ali_put(w, 0, KIT_PARAM_ALLOCATION_ID, "eip-1");
    ali_put(w, 0, KIT_PARAM_EIP_MODE, "cut-through");
    ali_put(w, 0, KIT_PARAM_INTERFACE, "eth1");
    err = ali_locate_error(w, false);
    assert_int_equal(err.kind, KIT_ERR_CONFIG);
    fake_assert_text(err.msg, "`eni`");
    ali_done(w);
}

#define INSTANCE(family)                                                                           \
    ALI_ANSWER(                                                                                    \
        "\"Instances\":{\"Instance\":[{\"InstanceId\":\"i-2\",\"InstanceTypeFamily\":\"" family    \
        "\"}]}")
#define INFO                                                                                       \
    ALI_ANSWER("\"Code\":\"200\",\"EipInfos\":{\"EipInfo\":[{\"Ip\":\"198.51.100.20\",\"IpMask\":" \
               "\"255.255.255.0\",\"IpGw\":\"198.51.100.1\"}]}")

static struct ali_world *multi(const char *family, const char *others)
{
    struct ali_world *w = begin();

    ali_put(w, 0, KIT_PARAM_EIP_MODE, "multi");
    ali_reply(w, "DescribeEipAddresses", "AssociatedInstanceId=eni-2&", others);
    ali_reply(w, "DescribeInstances", NULL, family);
    ali_reply(w, "DescribeEipGatewayInfo", "InstanceId=eni-2&", INFO);
    ali_reply(w, "DescribeNetworkInterfaces", NULL, PLAIN_ENI);
    return w;
}

static void multi_tells_gateway_and_mask(void **state)
{
    struct ali_world *w = multi(INSTANCE("ecs.g5"), EIPS(""));
    struct kit_facts facts;
    char text[KIT_ADDR_TEXT];

    (void)state;
    ali_put(w, 0, KIT_PARAM_INTERFACE, "lo"); /* which has no such address */
    ali_reply(w, "DescribeEipAddresses", NULL, ON("eni-2", "InUse", "MULTI_BINDED", "10.0.1.12"));
    facts = ali_facts(w, true);
    assert_true(facts.binding[0].right);
    assert_string_equal(facts.binding[0].detail, "10.0.1.12");
    assert_string_equal(kit_addr_text(&facts.binding[0].guest.addr, text), "198.51.100.20");
    assert_string_equal(kit_addr_text(&facts.binding[0].guest.gateway, text), "198.51.100.1");
    assert_int_equal(facts.binding[0].guest.prefix_len, 24);
    assert_int_equal(facts.breaches, 1);
    assert_int_equal(facts.breach[0].rule->number, 38);
    assert_int_equal(facts.breach[0].rule->level, KIT_RULE_WARN);
    fake_assert_text(facts.breach[0].detail,
                     "lo has no 198.51.100.20 (mask 255.255.255.0, gateway 198.51.100.1)");
    assert_int_equal(w->caller.stats.rounds, 1);
    kit_facts_done(&facts);
    ali_done(w);
}

static void what_is_no_mask_is_not_believed(void **state)
{
    static const struct {
        const char *mask;
        unsigned prefix_len; /* 0 = none is told */
    } rows[] = {
        {"255.255.252.0", 22}, {"255.255.255.255", 32}, {"128.0.0.0", 1}, {"255.0.255.0", 0},
        {"0.0.0.0", 0},        {"0.0.0.255", 0},        {"ffff::", 0},    {"24", 0}};

    (void)state;
    for (size_t i = 0; i < KIT_LEN(rows); i++) {
        struct ali_world *w = ali_begin("elastic-ip");
        struct kit_facts facts;
        char body[512];

        ali_put(w, 0, KIT_PARAM_ENI, "eni-2");
        ali_put(w, 0, KIT_PARAM_ALLOCATION_ID, "eip-1");
        ali_put(w, 0, KIT_PARAM_EIP_MODE, "multi");
        ali_reply(w, "DescribeEipAddresses", "AssociatedInstanceId=eni-2&", EIPS(""));
        ali_reply(w, "DescribeInstances", NULL, INSTANCE("ecs.g5"));
        assert_true(kit_str_format(body, sizeof(body),
                                   ALI_ANSWER("\"EipInfos\":{\"EipInfo\":[{\"Ip\":"
                                              "\"198.51.100.20\",\"IpGw\":\"198.51.100.1\","
                                              "\"IpMask\":\"%s\"}]}"),
                                   rows[i].mask));
        ali_reply(w, "DescribeEipGatewayInfo", NULL, body);
        ali_reply(w, "DescribeNetworkInterfaces", NULL, PLAIN_ENI);
        ali_reply(w, "DescribeEipAddresses", NULL,
                  ON("eni-2", "InUse", "MULTI_BINDED", "10.0.1.12"));
        facts = ali_facts(w, true);
        assert_int_equal(facts.count, 1);
        assert_int_equal(facts.binding[0].guest.prefix_len, rows[i].prefix_len);
        assert_int_equal(facts.binding[0].guest.addr.family, rows[i].prefix_len ? 4 : 0);
        kit_facts_done(&facts);
        ali_done(w);
    }
}

static void multi_binds_in_its_mode(void **state)
{
    struct ali_world *w = multi(INSTANCE("ecs.g5"), EIPS(""));

    (void)state;
    ali_reply(w, "DescribeEipAddresses", NULL, FREE);
    ali_reply(w, "AssociateEipAddress", "Mode=MULTI_BINDED&", ALI_OK);
    assert_int_equal(ali_claim(w, 1).result, KIT_STEP_DONE);
    ali_done(w);
}

/* ---- rules ----------------------------------------------------------------------------------- */

static void expect_refusal(struct ali_world *w, const char *rule)
{
    struct kit_err err = ali_refusal(w);

    assert_int_equal(err.kind, KIT_ERR_CONFIG);
    fake_assert_text(err.msg, rule);
    ali_done(w);
}

static void rules_of_nat(void **state)
{
    static const struct {
        const char *eip, *eni, *rule;
    } row[] = {
        {"{" ALI_REQUEST ",\"EipAddresses\":{\"EipAddress\":[{\"AllocationId\":\"eip-1\","
         "\"Status\":\"Available\",\"RegionId\":\"cn-beijing\"}]}}",
         PLAIN_ENI, "rule 15: eip-1 is in cn-beijing, the ENI in cn-shanghai"},
        {EIPS(EIP("eip-1", "198.51.100.20", "Available", "", "", "", "",
                  ",\"OperationLocks\":{\"LockReason\":[{\"LockReason\":\"financial\"}]}")),
         PLAIN_ENI, "rule 16: eip-1 is locked (financial)"},
        {EIPS(EIP("eip-1", "198.51.100.20", "Releasing", "", "", "", "", "")), PLAIN_ENI,
         "rule 16: eip-1 is Releasing"},
        {FREE, ENI("Primary", "InUse", "i-2", ADDRESS("10.0.1.12", "true", OTHERS_EIP)),
         "rule 18: eni-2 is a primary ENI and has the EIP 198.51.100.99"},
        {FREE, ENI("Secondary", "InUse", "i-2", ADDRESS("10.0.1.13", "true", "")),
         "rule 21: eni-2 has no private address 10.0.1.12"},
        {FREE,
         ENI("Secondary", "InUse", "i-2",
             ADDRESS("10.0.1.13", "true", "") "," ADDRESS("10.0.1.12", "false", OTHERS_EIP)),
         "rule 21: 10.0.1.12 of eni-2 has the EIP 198.51.100.99"},
    };

    (void)state;
    for (size_t i = 0; i < KIT_LEN(row); i++) {
        struct ali_world *w = begin();

        ali_put(w, 0, KIT_PARAM_PRIVATE_ADDRESS, "10.0.1.12");
        ali_reply(w, "DescribeEipAddresses", NULL, row[i].eip);
        ali_reply(w, "DescribeNetworkInterfaces", NULL, row[i].eni);
        expect_refusal(w, row[i].rule);
    }
}

/* Which rules do not hold, as "22 33". */
static void expect_breaches(struct ali_world *w, const char *numbers)
{
    struct kit_facts facts = ali_facts(w, true);
    KIT_AUTO(kit_buf) seen = KIT_BUF(200);

    for (size_t i = 0; i < facts.breaches; i++)
        (void)kit_buf_printf(&seen, "%s%u", i ? " " : "", facts.breach[i].rule->number);
    assert_string_equal(seen.data, numbers);
    kit_facts_done(&facts);
    ali_done(w);
}

static void an_eni_on_no_instance_is_a_warning(void **state)
{
    struct ali_world *w = begin();

    (void)state;
    ali_reply(w, "DescribeEipAddresses", NULL, FREE);
    ali_reply(w, "DescribeNetworkInterfaces", NULL, LOOSE_ENI);
    expect_breaches(w, "22");
}

static void what_is_right_breaks_no_rule(void **state)
{
    struct ali_world *w = begin();

    (void)state;
    ali_reply(
        w, "DescribeEipAddresses", NULL,
        EIPS(EIP("eip-1", "198.51.100.20", "InUse", "eni-2", "NetworkInterface", "NAT", "10.0.1.12",
                 ",\"OperationLocks\":{\"LockReason\":[{\"LockReason\":\"security\"}]}")));
    ali_reply(w, "DescribeNetworkInterfaces", NULL, PLAIN_ENI);
    expect_breaches(w, "");
}

static void rules_of_cut_through(void **state)
{
    static const char prepaid[] =
        ALI_ANSWER("\"EipAddresses\":{\"EipAddress\":[{\"AllocationId\":\"eip-1\",\"IpAddress\":"
                   "\"198.51.100.20\",\"Status\":\"Available\",\"ChargeType\":\"PrePaid\"}]}");
    static const struct {
        const char *eip, *eni, *gateways, *region, *numbers;
    } row[] = {
        {FREE, PLAIN_ENI, ALI_ANSWER("\"Ipv4GatewayModels\":[]"), "cn-shanghai", "30 32"},
        {prepaid, PLAIN_ENI, ALI_ANSWER("\"Ipv4GatewayModels\":[]"), "cn-shanghai", "30 31 32"},
        {FREE, PLAIN_ENI, ALI_ANSWER("\"Ipv4GatewayModels\":[]"), "ap-northeast-1", "15 26 30 32"},
        {FREE, ENI("Primary", "InUse", "i-2", ADDRESS("10.0.1.12", "true", "")),
         ALI_ANSWER("\"Ipv4GatewayModels\":[]"), "cn-shanghai", "19 30 32"},
        {FREE, ENI("Secondary", "InUse", "i-9", ADDRESS("10.0.1.12", "true", "")),
         ALI_ANSWER("\"Ipv4GatewayModels\":[]"), "cn-shanghai", "27 30 32"},
        {FREE, PLAIN_ENI,
         ALI_ANSWER("\"Ipv4GatewayModels\":[{\"Ipv4GatewayId\":\"ipv4gw-1\",\"VpcId\":\"vpc-1\"}]"),
         "cn-shanghai", "28 30 32"},
        {FREE, ENI("Secondary", "InUse", "i-2", ADDRESS("10.0.1.12", "true", OTHERS_EIP)),
         ALI_ANSWER("\"Ipv4GatewayModels\":[]"), "cn-shanghai", "29 30 32"},
        {FREE,
         ENI("Secondary", "InUse", "i-2",
             ADDRESS("10.0.1.11", "true", "") "," ADDRESS("10.0.1.12", "false", "")),
         ALI_ANSWER("\"Ipv4GatewayModels\":[]"), "cn-shanghai", "29 30 32"},
    };

    (void)state;
    for (size_t i = 0; i < KIT_LEN(row); i++) {
        struct ali_world *w = begin();

        ali_put(w, 0, KIT_PARAM_EIP_MODE, "cut-through");
        ali_put(w, 0, KIT_PARAM_PRIVATE_ADDRESS, "10.0.1.12");
        ali_put(w, 0, KIT_PARAM_REGION, row[i].region);
        ali_reply(w, "DescribeEipAddresses", NULL, row[i].eip);
        ali_reply(w, "DescribeNetworkInterfaces", NULL, row[i].eni);
        ali_reply(w, "ListIpv4Gateways", NULL, row[i].gateways);
        expect_breaches(w, row[i].numbers);
    }
}

#define ONE_OF_TEN(n)                                                                              \
    EIP("eip-2" n, "198.51.100.3" n, "InUse", "eni-2", "NetworkInterface", "MULTI_BINDED", "", "")

static void rules_of_multi(void **state)
{
    static const char ten[] = EIPS(
        ONE_OF_TEN("0") "," ONE_OF_TEN("1") "," ONE_OF_TEN("2") "," ONE_OF_TEN("3") "," ONE_OF_TEN("4") "," ONE_OF_TEN(
            "5") "," ONE_OF_TEN("6") "," ONE_OF_TEN("7") "," ONE_OF_TEN("8") "," ONE_OF_TEN("9"));
    struct ali_world *w;

    (void)state;
    w = multi(INSTANCE("ecs.g5"), EIPS(ONE_OF_TEN("0")));
    ali_reply(w, "DescribeEipAddresses", NULL, FREE);
    expect_breaches(w, "33");
    w = multi(INSTANCE("ecs.g5"), ten);
    ali_reply(w, "DescribeEipAddresses", NULL, FREE);
    expect_breaches(w, "33 35");
    w = multi(INSTANCE("ecs.g6"), EIPS(""));
    ali_reply(w, "DescribeEipAddresses", NULL, FREE);
    expect_breaches(w, "33 36");
    w = multi(INSTANCE("ecs.g5"), EIPS(""));
    ali_put(w, 0, KIT_PARAM_REGION, "cn-hangzhou");
    ali_reply(w, "DescribeEipAddresses", NULL,
              ALI_ANSWER("\"EipAddresses\":{\"EipAddress\":[{\"AllocationId\":\"eip-1\","
                         "\"Status\":\"Available\"}]}"));
    expect_breaches(w, "33 34");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(cut_through_detaches_binds_attaches),
        cmocka_unit_test(cut_through_attaches_what_was_left_detached),
        cmocka_unit_test(cut_through_gives_the_interface_back_after_a_failure),
        cmocka_unit_test(cut_through_keeps_the_interface_until_the_eip_is_coming),
        cmocka_unit_test(cut_through_attach_that_fails),
        cmocka_unit_test(cut_through_wants_the_eni_by_its_id),
        cmocka_unit_test(multi_tells_gateway_and_mask),
        cmocka_unit_test(what_is_no_mask_is_not_believed),
        cmocka_unit_test(multi_binds_in_its_mode),
        cmocka_unit_test(rules_of_nat),
        cmocka_unit_test(an_eni_on_no_instance_is_a_warning),
        cmocka_unit_test(what_is_right_breaks_no_rule),
        cmocka_unit_test(rules_of_cut_through),
        cmocka_unit_test(rules_of_multi),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
