/* kit/cloud/aliyun/private_ip: who has a secondary address, and how it is moved. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/unit/ali_movers.h"
#include "tests/unit/ali_quota.h"

#define IP(addr, primary) "{\"PrivateIpAddress\":\"" addr "\",\"Primary\":" primary "}"
#define ENI_OF(id, node, status, vswitch, ips, more)                                               \
    "{\"NetworkInterfaceId\":\"" id "\",\"InstanceId\":\"" node "\",\"Status\":\"" status          \
    "\",\"Type\":\"Secondary\",\"VpcId\":\"vpc-1\",\"VSwitchId\":\"" vswitch                       \
    "\",\"PrivateIpSets\":{\"PrivateIpSet\":[" ips "]}" more "}"
#define ENIS(list) ALI_ANSWER("\"NetworkInterfaceSets\":{\"NetworkInterfaceSet\":[" list "]}")

#define PRIMARY_1 IP("10.0.1.11", "true")
#define PRIMARY_2 IP("10.0.1.12", "true")
#define VIP       IP("10.0.1.20", "false")
#define OURS      ENI_OF("eni-2", "i-2", "InUse", "vsw-1", PRIMARY_2, "")
#define OURS_VIP  ENI_OF("eni-2", "i-2", "InUse", "vsw-1", PRIMARY_2 "," VIP, "")
#define THEIRS    ENI_OF("eni-1", "i-1", "InUse", "vsw-1", PRIMARY_1 "," VIP, "")
#define VSWITCH(cidr)                                                                              \
    ALI_ANSWER("\"VSwitches\":{\"VSwitch\":[{\"VSwitchId\":\"vsw-1\",\"CidrBlock\":\"" cidr        \
               "\",\"Ipv6CidrBlock\":\"2001:db8:1::/64\"}]}")

#define INSTANCE                                                                                   \
    ALI_ANSWER("\"Instances\":{\"Instance\":[{\"InstanceId\":\"i-2\",\"InstanceType\":"            \
               "\"ecs.g6.large\"}]}")

#define LOOK     "DescribeNetworkInterfaces"
#define ASK      "DescribeInstances"
#define SUBNET   "DescribeVSwitches"
#define ASSIGN   "AssignPrivateIpAddresses"
#define UNASSIGN "UnassignPrivateIpAddresses"
#define BY_IP    "PrivateIpAddress.1=10.0.1.20"
#define BY_ID    "NetworkInterfaceId.1=eni-2"
#define BY_FIRST "PrimaryIpAddress=10.0.1.20"

static struct ali_world *begin(const char *address)
{
    struct ali_world *w = ali_begin("private-ip");

    ali_put(w, 0, KIT_PARAM_ADDRESS, address);
    ali_put(w, 0, KIT_PARAM_ENI, "eni-2");
    ali_put(w, 0, KIT_PARAM_VPC_ID, "vpc-1");
    ali_reply(w, ASK, NULL, INSTANCE);
    ali_reply(w, TYPES, NULL, QUOTA("3", "10", "10"));
    return w;
}

/* ---- where it is ----------------------------------------------------------------------------- */

static void holders_are_judged(void **state)
{
    static const struct {
        const char *enis;
        enum kit_binding_state state;
        const char *holder;
        bool mine, right;
    } rows[] = {
        {ENIS(OURS_VIP), KIT_BINDING_HELD, "eni-2", true, true},
        {ENIS(THEIRS), KIT_BINDING_HELD, "eni-1", false, false},
        {ENIS(""), KIT_BINDING_FREE, "", false, false},
        /* What the filter let pass is compared whole. */
        {ENIS(ENI_OF("eni-1", "i-1", "InUse", "vsw-1", IP("10.0.1.2", "false"), "")),
         KIT_BINDING_FREE, "", false, false},
        {ENIS(ENI_OF("eni-2", "", "Available", "vsw-1", VIP, "")), KIT_BINDING_HELD, "eni-2", true,
         false},
        {ENIS(ENI_OF("eni-1", "", "Available", "vsw-1", VIP, "")), KIT_BINDING_BLACKHOLE, "eni-1",
         false, false},
        {ENIS(ENI_OF("eni-1", "i-1", "InUse", "vsw-1", IP("10.0.1.20", "true"), "")),
         KIT_BINDING_FOREIGN, "eni-1", false, false},
        {ENIS(ENI_OF("eni-7", "", "InUse", "vsw-1", VIP, ",\"ServiceManaged\":true")),
         KIT_BINDING_FOREIGN, "eni-7", false, false},
        /* Seen twice while it moves: it is not ours yet. */
        {ENIS(OURS_VIP "," THEIRS), KIT_BINDING_HELD, "eni-1", false, false},
    };

    (void)state;
    for (size_t i = 0; i < KIT_LEN(rows); i++) {
        struct ali_world *w = begin("10.0.1.20");

        ali_reply(w, LOOK, BY_IP, rows[i].enis);
        struct kit_facts facts = ali_facts(w, false);
        const struct kit_binding *b = facts.binding;
        assert_int_equal(facts.count, 1);
        assert_string_equal(b->place, "10.0.1.20");
        assert_int_equal(b->state, rows[i].state);
        assert_string_equal(b->holder, rows[i].holder);
        assert_int_equal(b->mine, rows[i].mine);
        assert_int_equal(b->right, rows[i].right);
        ali_assert_calls(w, LOOK);
        fake_assert_text(ali_query(w, LOOK, 0), "VpcId=vpc-1");
        kit_facts_done(&facts);
        ali_done(w);
    }
}

static void mine_already_is_one_round(void **state)
{
    struct ali_world *w = begin("10.0.1.20");

    (void)state;
    ali_reply(w, LOOK, BY_IP, ENIS(OURS_VIP));
    ali_reply(w, LOOK, BY_ID, ENIS(OURS_VIP));
    struct kit_facts facts = ali_facts(w, true);
    assert_true(facts.binding[0].right);
    assert_int_equal(facts.breaches, 0);
    ali_assert_calls(w, LOOK " " LOOK);
    assert_int_equal(w->net.most_flying, 2);
    kit_facts_done(&facts);
    ali_done(w);
}

static void further_pages_are_read(void **state)
{
    struct ali_world *w = begin("10.0.1.20");

    (void)state;
    ali_reply(w, LOOK, "NextToken=more", ENIS(THEIRS));
    ali_reply(w, LOOK, NULL,
              ALI_ANSWER("\"NextToken\":\"more\",\"NetworkInterfaceSets\":{"
                         "\"NetworkInterfaceSet\":[]}"));
    struct kit_facts facts = ali_facts(w, false);
    assert_string_equal(facts.binding[0].holder, "eni-1");
    kit_facts_done(&facts);
    ali_done(w);
}

static void the_same_token_twice_is_an_error(void **state)
{
    struct ali_world *w = begin("10.0.1.20");

    (void)state;
    ali_reply(w, LOOK, NULL, ALI_ANSWER("\"NextToken\":\"more\""));
    assert_int_equal(ali_locate_error(w, false).kind, KIT_ERR_PROTOCOL);
    ali_done(w);
}

static void a_primary_address_is_never_taken(void **state)
{
    struct ali_world *w = begin("10.0.1.20");

    (void)state;
    ali_reply(w, LOOK, BY_IP, ENIS("")); /* it finds secondary ones alone */
    ali_reply(w, LOOK, BY_ID, ENIS(OURS));
    ali_reply(w, LOOK, BY_FIRST,
              ENIS(ENI_OF("eni-5", "i-5", "InUse", "vsw-1", IP("10.0.1.20", "true"), "")));
    ali_reply(w, SUBNET, "VSwitchId=vsw-1", VSWITCH("10.0.1.0/24"));
    struct kit_err err = ali_locate_error(w, true);
    assert_int_equal(err.kind, KIT_ERR_CONFIG);
    fake_assert_text(err.msg, "10.0.1.20 is the primary address of eni-5 (i-5)");
    ali_done(w);
}

static void no_such_interface(void **state)
{
    struct ali_world *w = begin("10.0.1.20");

    (void)state;
    ali_reply(w, LOOK, NULL, ENIS(""));
    struct kit_err err = ali_locate_error(w, true);
    assert_int_equal(err.kind, KIT_ERR_NOT_FOUND);
    fake_assert_text(err.msg, "eni-2");
    ali_done(w);
}

static void rules_refuse_before_anything_is_changed(void **state)
{
    static const struct {
        const char *holder, *own, *subnet, *says;
    } rows[] = {
        {ENIS(ENI_OF("eni-1", "i-1", "InUse", "vsw-9", VIP, "")), ENIS(OURS), NULL,
         "rule 44: eni-1 has it in vsw-9, eni-2 is in vsw-1"},
        {ENIS(""), ENIS(OURS), VSWITCH("10.0.9.0/24"),
         "rule 44: 10.0.1.20 is not in 10.0.9.0/24 of vsw-1"},
        {ENIS(THEIRS), ENIS(ENI_OF("eni-2", "", "Available", "vsw-1", PRIMARY_2, "")), NULL,
         "rule 50: eni-2 is Available"},
        {ENIS(THEIRS),
         ENIS(ENI_OF("eni-2", "", "InUse", "vsw-1", PRIMARY_2, ",\"ServiceManaged\":true")), NULL,
         "rule 58: eni-2 belongs to a service"},
    };

    (void)state;
    for (size_t i = 0; i < KIT_LEN(rows); i++) {
        struct ali_world *w = begin("10.0.1.20");

        ali_reply(w, LOOK, BY_IP, rows[i].holder);
        ali_reply(w, LOOK, BY_ID, rows[i].own);
        ali_reply(w, LOOK, BY_FIRST, ENIS(""));
        if (rows[i].subnet)
            ali_reply(w, SUBNET, NULL, rows[i].subnet);
        struct kit_err err = ali_refusal(w);
        assert_int_equal(err.kind, KIT_ERR_CONFIG);
        fake_assert_text(err.msg, rows[i].says);
        ali_done(w);
    }
}

/* ---- moving it ------------------------------------------------------------------------------- */

static struct ali_world *with_theirs(void)
{
    struct ali_world *w = begin("10.0.1.20");

    ali_reply(w, LOOK, BY_IP, ENIS(THEIRS));
    ali_reply(w, LOOK, BY_ID, ENIS(OURS));
    return w;
}

static void unassigned_there_and_assigned_here(void **state)
{
    struct ali_world *w = with_theirs();

    (void)state;
    ali_reply(w, UNASSIGN, NULL, ALI_OK);
    ali_reply(w, ASSIGN, NULL, ALI_OK);
    assert_int_equal(ali_claim(w, 1).result, KIT_STEP_DONE);
    ali_assert_calls(w, LOOK " " LOOK " " ASK " " TYPES " " UNASSIGN " " ASSIGN);
    fake_assert_text(ali_query(w, UNASSIGN, 0), "NetworkInterfaceId=eni-1&");
    fake_assert_text(ali_query(w, UNASSIGN, 0), BY_IP);
    fake_assert_text(ali_query(w, ASSIGN, 0), "NetworkInterfaceId=eni-2&");
    fake_assert_text(ali_query(w, ASSIGN, 0), BY_IP);
    fake_assert_text(ali_query(w, ASSIGN, 0), "ClientToken=");
    ali_done(w);
}

static void a_free_one_is_only_assigned(void **state)
{
    struct ali_world *w = begin("10.0.1.20");

    (void)state;
    ali_reply(w, LOOK, BY_IP, ENIS(""));
    ali_reply(w, LOOK, BY_ID, ENIS(OURS));
    ali_reply(w, LOOK, BY_FIRST, ENIS(""));
    ali_reply(w, SUBNET, NULL, VSWITCH("10.0.1.0/24"));
    ali_reply(w, ASSIGN, NULL, ALI_OK);
    assert_int_equal(ali_claim(w, 1).result, KIT_STEP_DONE);
    ali_assert_calls(w, LOOK " " LOOK " " SUBNET " " LOOK " " ASK " " TYPES " " ASSIGN);
    ali_done(w);
}

static void gone_from_there_meanwhile_is_assigned_all_the_same(void **state)
{
    static const struct {
        int status;
        const char *body;
    } rows[] = {
        {403, ALI_ERROR("InvalidIp.IpUnassigned")},
        {404, ALI_ERROR("InvalidEniId.NotFound")},
    };

    (void)state;
    for (size_t i = 0; i < KIT_LEN(rows); i++) {
        struct ali_world *w = with_theirs();

        ali_reply_with(w, UNASSIGN, NULL,
                       (struct fake_answer){.status = rows[i].status, .body = rows[i].body}, 0);
        ali_reply(w, ASSIGN, NULL, ALI_OK);
        assert_int_equal(ali_claim(w, 1).result, KIT_STEP_DONE);
        ali_done(w);
    }
}

static void still_assigned_elsewhere_is_open(void **state)
{
    struct ali_world *w = with_theirs();

    (void)state;
    ali_reply(w, UNASSIGN, NULL, ALI_OK);
    ali_reply_with(w, ASSIGN, NULL,
                   (struct fake_answer){.status = 403, .body = ALI_ERROR("InvalidIp.IpAssigned")},
                   0);
    assert_int_equal(ali_claim(w, 1).result, KIT_STEP_OPEN);
    ali_done(w);
}

static void a_lost_answer_there_is_open_and_nothing_is_assigned(void **state)
{
    struct ali_world *w = with_theirs();

    (void)state;
    ali_reply_with(w, UNASSIGN, NULL, (struct fake_answer){.how = FAKE_LOST}, 0);
    assert_int_equal(ali_claim(w, 1).result, KIT_STEP_OPEN);
    assert_int_equal(ali_count(w, UNASSIGN), 1);
    assert_int_equal(ali_count(w, ASSIGN), 0);
    ali_done(w);
}

static void a_refusal_here_says_where_it_came_from(void **state)
{
    struct ali_world *w = with_theirs();

    (void)state;
    ali_reply(w, UNASSIGN, NULL, ALI_OK);
    ali_reply_with(w, ASSIGN, NULL,
                   (struct fake_answer){.status = 403,
                                        .body = ALI_ERROR("InvalidOperation.Ipv4CountExceeded")},
                   0);
    struct kit_step step = ali_claim(w, 1);
    assert_int_equal(step.result, KIT_STEP_FAILED);
    fake_assert_text(step.err.msg, "move it from eni-1");
    fake_assert_text(step.err.msg, "Ipv4CountExceeded");
    ali_done(w);
}

static void released_from_us_alone(void **state)
{
    struct ali_world *w = begin("10.0.1.20");

    (void)state;
    ali_reply(w, LOOK, BY_IP, ENIS(OURS_VIP));
    ali_reply(w, UNASSIGN, NULL, ALI_OK);
    assert_int_equal(ali_release(w).result, KIT_STEP_DONE);
    fake_assert_text(ali_query(w, UNASSIGN, 0), "NetworkInterfaceId=eni-2&");
    ali_assert_calls(w, LOOK " " UNASSIGN);
    ali_done(w);
}

static void ipv6_has_actions_of_its_own(void **state)
{
    struct ali_world *w = begin("2001:DB8:1::20");

    (void)state;
    ali_reply(w, LOOK, "Ipv6Address.1=2001%3Adb8%3A1%3A%3A20",
              ENIS(ENI_OF("eni-1", "i-1", "InUse", "vsw-1", PRIMARY_1,
                          ",\"Ipv6Sets\":{\"Ipv6Set\":[{\"Ipv6Address\":\"2001:db8:1:0::20\"}]}")));
    ali_reply(w, LOOK, BY_ID, ENIS(OURS));
    ali_reply(w, "UnassignIpv6Addresses", "NetworkInterfaceId=eni-1&", ALI_OK);
    ali_reply(w, "AssignIpv6Addresses", "NetworkInterfaceId=eni-2&", ALI_OK);
    assert_int_equal(ali_claim(w, 1).result, KIT_STEP_DONE);
    fake_assert_text(ali_query(w, "AssignIpv6Addresses", 0),
                     "Ipv6Address.1=2001%3Adb8%3A1%3A%3A20");
    ali_done(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(holders_are_judged),
        cmocka_unit_test(mine_already_is_one_round),
        cmocka_unit_test(further_pages_are_read),
        cmocka_unit_test(the_same_token_twice_is_an_error),
        cmocka_unit_test(a_primary_address_is_never_taken),
        cmocka_unit_test(no_such_interface),
        cmocka_unit_test(rules_refuse_before_anything_is_changed),
        cmocka_unit_test(unassigned_there_and_assigned_here),
        cmocka_unit_test(a_free_one_is_only_assigned),
        cmocka_unit_test(gone_from_there_meanwhile_is_assigned_all_the_same),
        cmocka_unit_test(still_assigned_elsewhere_is_open),
        cmocka_unit_test(a_lost_answer_there_is_open_and_nothing_is_assigned),
        cmocka_unit_test(a_refusal_here_says_where_it_came_from),
        cmocka_unit_test(released_from_us_alone),
        cmocka_unit_test(ipv6_has_actions_of_its_own),
    };

    return cmocka_run_group_tests_name("ali_private_ip", tests, NULL, NULL);
}
