#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/ali_eip.h"

/* The state of one EIP as locate tells it. */
static struct kit_binding one(const char *body, bool for_claim, const char *eni)
{
    struct ali_world *w = begin();
    struct kit_facts facts;
    struct kit_binding b;

    ali_reply(w, "DescribeEipAddresses", NULL, body);
    if (eni)
        ali_reply(w, "DescribeNetworkInterfaces", NULL, eni);
    facts = ali_facts(w, for_claim);
    assert_int_equal(facts.count, 1);
    b = facts.binding[0];
    kit_facts_done(&facts);
    ali_done(w);
    return b;
}

/* ---- locate ---------------------------------------------------------------------------------- */

static void what_the_states_mean(void **state)
{
    static const struct {
        const char *body;
        enum kit_binding_state state;
        bool mine, right;
        const char *holder, *handle;
    } row[] = {
        {FREE, KIT_BINDING_FREE, false, false, "", ""},
        {THEIRS, KIT_BINDING_HELD, false, false, "eni-1", "NetworkInterface NAT 10.0.1.11"},
        {OURS, KIT_BINDING_HELD, true, true, "eni-2", "NetworkInterface NAT 10.0.1.12"},
        {ON("eni-2", "Associating", "NAT", "10.0.1.12"), KIT_BINDING_HELD, true, false, "eni-2",
         "NetworkInterface NAT 10.0.1.12"},
        {ON("eni-2", "InUse", "BINDED", "10.0.1.12"), KIT_BINDING_HELD, true, false, "eni-2",
         "NetworkInterface BINDED 10.0.1.12"},
        {ON("eni-2", "Unassociating", "NAT", "10.0.1.12"), KIT_BINDING_HELD, true, false, "eni-2",
         ""},
        {ON("eni-1", "Unassociating", "NAT", "10.0.1.11"), KIT_BINDING_FREE, false, false, "",
         "NetworkInterface NAT 10.0.1.11"},
        {ON("eni-1", "Associating", "NAT", "10.0.1.11"), KIT_BINDING_HELD, false, false, "eni-1",
         "NetworkInterface NAT 10.0.1.11"},
    };

    (void)state;
    for (size_t i = 0; i < KIT_LEN(row); i++) {
        struct kit_binding b = one(row[i].body, false, NULL);

        assert_string_equal(b.place, "eip-1");
        assert_int_equal(b.state, row[i].state);
        assert_int_equal(b.mine, row[i].mine);
        assert_int_equal(b.right, row[i].right);
        assert_string_equal(b.holder, row[i].holder);
        assert_string_equal(b.handle, row[i].handle);
    }
}

static void what_is_no_node_is_foreign(void **state)
{
    static const char *const types[] = {
        EIPS(EIP("eip-1", "198.51.100.20", "InUse", "lb-1", "SlbInstance", "NAT", "", "")),
        EIPS(EIP("eip-1", "198.51.100.20", "InUse", "ngw-1", "Nat", "NAT", "", "")),
        EIPS(EIP("eip-1", "198.51.100.20", "InUse", "havip-1", "HaVip", "NAT", "", "")),
        EIPS(EIP("eip-1", "198.51.100.20", "InUse", "10.0.1.9", "IpAddress", "NAT", "", "")),
        EIPS(EIP("eip-1", "198.51.100.20", "InUse", "x-1", "NewThing", "NAT", "", "")),
        EIPS(EIP("eip-1", "198.51.100.20", "InUse", "eni-1", "NetworkInterface", "NAT", "",
                 ",\"ServiceManaged\":1")),
        EIPS(EIP("eip-1", "198.51.100.20", "InUse", "eni-1", "NetworkInterface", "NAT", "",
                 ",\"ServiceManaged\":true")),
    };

    (void)state;
    for (size_t i = 0; i < KIT_LEN(types); i++)
        assert_int_equal(one(types[i], false, NULL).state, KIT_BINDING_FOREIGN);
}

static void a_check_is_one_call(void **state)
{
    struct ali_world *w = begin();
    struct kit_facts facts;

    (void)state;
    ali_reply(w, "DescribeEipAddresses", "AllocationId=eip-1&", OURS);
    facts = ali_facts(w, false);
    assert_true(facts.binding[0].right);
    assert_string_equal(facts.me, "eni-2");
    ali_assert_calls(w, "DescribeEipAddresses");
    kit_facts_done(&facts);
    ali_done(w);
}

static void resources_share_calls(void **state)
{
    struct ali_world *w = begin();
    struct kit_query query[4];

    (void)state;
    for (size_t i = 1; i < 4; i++)
        ali_put(w, ali_resource(w, "elastic-ip"), KIT_PARAM_ENI, "eni-2");
    ali_put(w, 1, KIT_PARAM_ALLOCATION_ID, "eip-2");
    ali_put(w, 2, KIT_PARAM_ADDRESS, "198.51.100.2");
    ali_put(w, 3, KIT_PARAM_ADDRESS, "198.51.100.20");
    ali_reply(w, "DescribeEipAddresses", "AllocationId=eip-1%2Ceip-2&", OURS);
    ali_reply(w, "DescribeEipAddresses", "EipAddress=198.51.100.2%2C198.51.100.20&", OURS);
    ali_locate(w, query, false);
    assert_int_equal(ali_count(w, "DescribeEipAddresses"), 2);
    assert_int_equal(w->net.most_flying, 2);
    assert_int_equal(query[0].facts.count, 1);
    assert_int_equal(query[1].facts.count, 0);
    assert_int_equal(query[2].facts.count, 0); /* 198.51.100.2 is not 198.51.100.20 */
    assert_int_equal(query[3].facts.count, 1);
    for (size_t i = 0; i < 4; i++) {
        assert_false(query[i].failed);
        kit_facts_done(&query[i].facts);
    }
    ali_done(w);
}

static void a_claim_asks_for_the_eni_in_the_same_round(void **state)
{
    struct ali_world *w = begin();
    struct kit_facts facts;

    (void)state;
    ali_reply(w, "DescribeEipAddresses", NULL, THEIRS);
    ali_reply(w, "DescribeNetworkInterfaces", "NetworkInterfaceId.1=eni-2&", PLAIN_ENI);
    facts = ali_facts(w, true);
    assert_int_equal(w->caller.stats.rounds, 1);
    assert_int_equal(w->caller.stats.calls, 2);
    assert_string_equal(facts.my_node, "i-2");
    kit_facts_done(&facts);
    ali_done(w);
}

static void an_eni_that_cannot_be_read_hinders_no_claim(void **state)
{
    struct ali_world *w = begin();
    struct kit_facts facts;

    (void)state;
    ali_reply(w, "DescribeEipAddresses", NULL, THEIRS);
    ali_reply_with(w, "DescribeNetworkInterfaces", NULL,
                   (struct fake_answer){.status = 503, .body = ALI_ERROR("ServiceUnavailable")}, 0);
    facts = ali_facts(w, true);
    assert_int_equal(ali_count(w, "DescribeNetworkInterfaces"), 2);
    assert_int_equal(facts.breaches, 0);
    kit_facts_done(&facts);
    ali_done(w);
}

static void not_there(void **state)
{
    struct ali_world *w = begin();
    struct kit_facts facts;
    struct kit_err err;

    (void)state;
    ali_reply(w, "DescribeEipAddresses", NULL, EIPS(""));
    ali_reply(w, "DescribeNetworkInterfaces", NULL, PLAIN_ENI);
    err = ali_locate_error(w, true);
    assert_int_equal(err.kind, KIT_ERR_NOT_FOUND);
    fake_assert_text(err.msg, "eip-1");
    facts = ali_facts(w, false);
    assert_int_equal(facts.count, 0);
    kit_facts_done(&facts);
    ali_done(w);
}

/* An EIP on an instance is on its primary ENI. */
static void on_an_instance(void **state)
{
    static const char body[] =
        EIPS(EIP("eip-1", "198.51.100.20", "InUse", "i-2", "EcsInstance", "NAT", "10.0.1.12", ""));
    struct kit_binding b =
        one(body, false, ENI("Primary", "InUse", "i-2", ADDRESS("10.0.1.12", "true", "")));

    (void)state;
    assert_true(b.right);
    assert_string_equal(b.node, "i-2");
    b = one(body, false, PLAIN_ENI); /* ours is another one of that instance */
    assert_false(b.mine);
    assert_int_equal(b.state, KIT_BINDING_HELD);
    b = one(EIPS(EIP("eip-1", "198.51.100.20", "InUse", "i-2", "EcsInstance", "NAT", "", "")), true,
            ENI("Primary", "InUse", "i-2", ADDRESS("10.0.1.12", "true", "")));
    assert_true(b.right);
}

/* ---- claim, NAT ------------------------------------------------------------------------------ */

static void takes_it_from_another_eni(void **state)
{
    struct ali_world *w = begin();

    (void)state;
    ali_put(w, 0, KIT_PARAM_PRIVATE_ADDRESS, "10.0.1.12");
    ali_reply_once(w, "DescribeEipAddresses", NULL, THEIRS);
    ali_reply_once(w, "DescribeEipAddresses", NULL,
                   ON("eni-1", "Unassociating", "NAT", "10.0.1.11"));
    ali_reply_once(w, "DescribeEipAddresses", NULL, FREE);
    ali_reply(w, "DescribeNetworkInterfaces", NULL, PLAIN_ENI);
    ali_reply(w, "UnassociateEipAddress", NULL, ALI_OK);
    ali_reply(w, "AssociateEipAddress", NULL, ALI_OK);
    assert_int_equal(ali_claim(w, 1).result, KIT_STEP_DONE);
    ali_assert_calls(w, "DescribeEipAddresses DescribeNetworkInterfaces UnassociateEipAddress "
                        "DescribeEipAddresses DescribeEipAddresses AssociateEipAddress");
    const char *off = ali_query(w, "UnassociateEipAddress", 0);
    fake_assert_text(off, "AllocationId=eip-1&");
    fake_assert_text(off, "InstanceId=eni-1&");
    fake_assert_text(off, "InstanceType=NetworkInterface&");
    fake_assert_text(off, "PrivateIpAddress=10.0.1.11&");
    fake_assert_text(off, "ClientToken=");
    const char *on = ali_query(w, "AssociateEipAddress", 0);
    fake_assert_text(on, "InstanceId=eni-2&");
    fake_assert_text(on, "InstanceType=NetworkInterface&");
    fake_assert_text(on, "Mode=NAT&");
    fake_assert_text(on, "PrivateIpAddress=10.0.1.12&");
    fake_assert_text(on, "ClientToken=");
    assert_int_equal(w->clock.slept_ns[0], 100 * KIT_NS_PER_MS);
    assert_int_equal(w->clock.slept_ns[1], 200 * KIT_NS_PER_MS);
    ali_done(w);
}

static void a_free_one_is_taken_at_once(void **state)
{
    struct ali_world *w = begin();

    (void)state;
    ali_reply(w, "DescribeEipAddresses", NULL, FREE);
    ali_reply(w, "DescribeNetworkInterfaces", NULL, PLAIN_ENI);
    ali_reply(w, "AssociateEipAddress", "PrivateIpAddress=10.0.1.12&", ALI_OK);
    assert_int_equal(ali_claim(w, 1).result, KIT_STEP_DONE);
    /* The second look at the ENI is for its primary address: only its id was configured. */
    ali_assert_calls(w, "DescribeEipAddresses DescribeNetworkInterfaces DescribeNetworkInterfaces "
                        "AssociateEipAddress");
    ali_done(w);
}

static void it_is_taken_off_an_instance(void **state)
{
    struct ali_world *w = begin();

    (void)state;
    ali_put(w, 0, KIT_PARAM_PRIVATE_ADDRESS, "10.0.1.12");
    ali_reply_once(
        w, "DescribeEipAddresses", NULL,
        EIPS(EIP("eip-1", "198.51.100.20", "InUse", "i-1", "EcsInstance", "NAT", "10.0.1.1", "")));
    ali_reply(w, "DescribeEipAddresses", NULL, FREE);
    ali_reply(w, "DescribeNetworkInterfaces", NULL, PLAIN_ENI);
    ali_reply(w, "UnassociateEipAddress", "InstanceId=i-1&InstanceType=EcsInstance&", ALI_OK);
    ali_reply(w, "AssociateEipAddress", NULL, ALI_OK);
    assert_int_equal(ali_claim(w, 1).result, KIT_STEP_DONE);
    ali_done(w);
}

/* A primary ENI is not named: its instance is. */
static void a_primary_eni_gets_it_through_its_instance(void **state)
{
    struct ali_world *w = begin();

    (void)state;
    ali_reply(w, "DescribeEipAddresses", NULL, FREE);
    ali_reply(w, "DescribeNetworkInterfaces", NULL,
              ENI("Primary", "InUse", "i-2", ADDRESS("10.0.1.12", "true", "")));
    ali_reply(w, "AssociateEipAddress", "InstanceId=i-2&InstanceType=EcsInstance&", ALI_OK);
    assert_int_equal(ali_claim(w, 1).result, KIT_STEP_DONE);
    assert_null(strstr(ali_query(w, "AssociateEipAddress", 0), "&Mode="));
    ali_done(w);
}

static void a_run_that_was_killed_is_finished(void **state)
{
    static const char *const half[] = {
        ON("eni-1", "Unassociating", "NAT", "10.0.1.11"),
        ON("eni-2", "Unassociating", "NAT", "10.0.1.12"),
        ON("eni-2", "Associating", "NAT", "10.0.1.12"),
        ON("eni-2", "InUse", "MULTI_BINDED", "10.0.1.12"),
    };

    (void)state;
    for (size_t i = 0; i < KIT_LEN(half); i++) {
        struct ali_world *w = begin();

        ali_put(w, 0, KIT_PARAM_PRIVATE_ADDRESS, "10.0.1.12");
        ali_reply_with(w, "DescribeEipAddresses", NULL,
                       (struct fake_answer){.status = 200, .body = half[i]}, i == 2 ? 3 : 2);
        ali_reply(w, "DescribeEipAddresses", NULL, i == 2 ? OURS : FREE);
        ali_reply(w, "DescribeNetworkInterfaces", NULL, PLAIN_ENI);
        if (i == 3)
            ali_reply(w, "UnassociateEipAddress", "InstanceId=eni-2&", ALI_OK);
        if (i != 2)
            ali_reply(w, "AssociateEipAddress", NULL, ALI_OK);
        assert_int_equal(ali_claim(w, 1).result, KIT_STEP_DONE);
        assert_int_equal(ali_count(w, "AssociateEipAddress"), i != 2);
        ali_done(w);
    }
}

static void what_may_pass_leads_to_another_look(void **state)
{
    struct ali_world *w = begin();

    (void)state;
    ali_put(w, 0, KIT_PARAM_PRIVATE_ADDRESS, "10.0.1.12");
    ali_reply(w, "DescribeEipAddresses", NULL, FREE);
    ali_reply(w, "DescribeNetworkInterfaces", NULL, PLAIN_ENI);
    ali_reply_with(w, "AssociateEipAddress", NULL,
                   (struct fake_answer){.status = 400, .body = ALI_ERROR("IncorrectEipStatus")}, 3);
    ali_reply_with(w, "AssociateEipAddress", NULL,
                   (struct fake_answer){.status = 409, .body = ALI_ERROR("TaskConflict")}, 3);
    ali_reply(w, "AssociateEipAddress", NULL, ALI_OK);
    assert_int_equal(ali_claim(w, 1).result, KIT_STEP_DONE);
    assert_int_equal(ali_count(w, "DescribeEipAddresses"), 3);
    ali_done(w);
}

static void waiting_has_an_end(void **state)
{
    struct ali_world *w = begin();
    struct kit_step step;

    (void)state;
    ali_put(w, 0, KIT_PARAM_PRIVATE_ADDRESS, "10.0.1.12");
    ali_reply(w, "DescribeEipAddresses", NULL, ON("eni-1", "Unassociating", "NAT", "10.0.1.11"));
    ali_reply(w, "DescribeNetworkInterfaces", NULL, PLAIN_ENI);
    step = ali_claim(w, 1);
    assert_int_equal(step.result, KIT_STEP_FAILED);
    assert_int_equal(step.err.kind, KIT_ERR_TIMEOUT);
    fake_assert_text(step.err.msg, "eip-1 is Unassociating on eni-1");
    ali_done(w);
}

static void what_is_refused_is_final(void **state)
{
    struct ali_world *w = begin();
    struct kit_step step;

    (void)state;
    ali_reply(w, "DescribeEipAddresses", NULL, FREE);
    ali_reply(w, "DescribeNetworkInterfaces", NULL, PLAIN_ENI);
    ali_reply_with(w, "AssociateEipAddress", NULL,
                   (struct fake_answer){.status = 403, .body = ALI_ERROR("Forbidden.RAM")}, 0);
    step = ali_claim(w, 1);
    assert_int_equal(step.result, KIT_STEP_FAILED);
    assert_int_equal(step.err.kind, KIT_ERR_DENIED);
    assert_int_equal(ali_count(w, "AssociateEipAddress"), 1);
    ali_done(w);
}

static void taken_says_the_cloud_again_and_again(void **state)
{
    struct ali_world *w = begin();
    struct kit_step step;

    (void)state;
    ali_reply(w, "DescribeEipAddresses", NULL, FREE);
    ali_reply(w, "DescribeNetworkInterfaces", NULL, PLAIN_ENI);
    ali_reply_with(
        w, "AssociateEipAddress", NULL,
        (struct fake_answer){.status = 400, .body = ALI_ERROR("InvalidAssociation.Duplicated")}, 0);
    step = ali_claim(w, 1);
    assert_int_equal(step.result, KIT_STEP_FAILED);
    assert_string_equal(step.err.code, "InvalidAssociation.Duplicated");
    assert_int_equal(ali_count(w, "AssociateEipAddress"), 4);
    ali_done(w);
}

/* While it was free another node took it. */
static void a_third_one_is_not_fought(void **state)
{
    struct ali_world *w = begin();
    struct kit_step step;

    (void)state;
    ali_put(w, 0, KIT_PARAM_PRIVATE_ADDRESS, "10.0.1.12");
    ali_reply_once(w, "DescribeEipAddresses", NULL, THEIRS);
    ali_reply(w, "DescribeEipAddresses", NULL, ON("eni-3", "InUse", "NAT", "10.0.1.13"));
    ali_reply(w, "DescribeNetworkInterfaces", NULL, PLAIN_ENI);
    ali_reply(w, "UnassociateEipAddress", NULL, ALI_OK);
    step = ali_claim(w, 1);
    assert_int_equal(step.err.kind, KIT_ERR_CONFLICT);
    fake_assert_text(step.err.msg, "eni-3");
    assert_int_equal(ali_count(w, "UnassociateEipAddress"), 1);
    assert_int_equal(ali_count(w, "DescribeEipAddresses"), 3);
    ali_done(w);
}

/* Looks from before our change are waited out; for ever they are not: it was taken back. */
static void stale_looks(void **state)
{
    for (int lasting = 0; lasting < 2; lasting++) {
        struct ali_world *w = begin();
        struct kit_step step;

        (void)state;
        ali_put(w, 0, KIT_PARAM_PRIVATE_ADDRESS, "10.0.1.12");
        ali_reply_with(w, "DescribeEipAddresses", NULL,
                       (struct fake_answer){.status = 200, .body = THEIRS}, lasting ? 0 : 4);
        ali_reply(w, "DescribeEipAddresses", NULL, FREE);
        ali_reply(w, "DescribeNetworkInterfaces", NULL, PLAIN_ENI);
        ali_reply(w, "UnassociateEipAddress", NULL, ALI_OK);
        ali_reply(w, "AssociateEipAddress", NULL, ALI_OK);
        step = ali_claim(w, 1);
        assert_int_equal(step.result, lasting ? KIT_STEP_FAILED : KIT_STEP_DONE);
        if (lasting)
            assert_int_equal(step.err.kind, KIT_ERR_CONFLICT);
        assert_int_equal(ali_count(w, "UnassociateEipAddress"), 1);
        ali_done(w);
    }
}

/* ---- release --------------------------------------------------------------------------------- */

static void a_release_names_what_was_read(void **state)
{
    struct ali_world *w = begin();

    (void)state;
    ali_reply(w, "DescribeEipAddresses", NULL, OURS);
    ali_reply(w, "UnassociateEipAddress", "InstanceId=eni-2&InstanceType=NetworkInterface&",
              ALI_OK);
    assert_int_equal(ali_release(w).result, KIT_STEP_DONE);
    ali_assert_calls(w, "DescribeEipAddresses UnassociateEipAddress");
    ali_done(w);
}

static void a_release_under_way_sends_nothing(void **state)
{
    struct ali_world *w = begin();

    (void)state;
    ali_reply(w, "DescribeEipAddresses", NULL, ON("eni-2", "Unassociating", "NAT", "10.0.1.12"));
    assert_int_equal(ali_release(w).result, KIT_STEP_DONE);
    ali_assert_calls(w, "DescribeEipAddresses");
    ali_done(w);
}

static void a_release_that_may_pass_or_is_done_is_looked_at(void **state)
{
    static const struct {
        int status;
        const char *body;
        enum kit_step_result result;
    } row[] = {
        {400, ALI_ERROR("IncorrectEipStatus"), KIT_STEP_OPEN},
        {404, ALI_ERROR("InvalidAllocationId.NotFound"), KIT_STEP_OPEN},
        {403, ALI_ERROR("Forbidden.RAM"), KIT_STEP_FAILED},
    };

    (void)state;
    for (size_t i = 0; i < KIT_LEN(row); i++) {
        struct ali_world *w = begin();

        ali_reply(w, "DescribeEipAddresses", NULL, OURS);
        ali_reply_with(w, "UnassociateEipAddress", NULL,
                       (struct fake_answer){.status = row[i].status, .body = row[i].body}, 0);
        assert_int_equal(ali_release(w).result, row[i].result);
        ali_done(w);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_the_states_mean),
        cmocka_unit_test(what_is_no_node_is_foreign),
        cmocka_unit_test(a_check_is_one_call),
        cmocka_unit_test(resources_share_calls),
        cmocka_unit_test(a_claim_asks_for_the_eni_in_the_same_round),
        cmocka_unit_test(an_eni_that_cannot_be_read_hinders_no_claim),
        cmocka_unit_test(not_there),
        cmocka_unit_test(on_an_instance),
        cmocka_unit_test(takes_it_from_another_eni),
        cmocka_unit_test(a_free_one_is_taken_at_once),
        cmocka_unit_test(it_is_taken_off_an_instance),
        cmocka_unit_test(a_primary_eni_gets_it_through_its_instance),
        cmocka_unit_test(a_run_that_was_killed_is_finished),
        cmocka_unit_test(what_may_pass_leads_to_another_look),
        cmocka_unit_test(waiting_has_an_end),
        cmocka_unit_test(what_is_refused_is_final),
        cmocka_unit_test(taken_says_the_cloud_again_and_again),
        cmocka_unit_test(a_third_one_is_not_fought),
        cmocka_unit_test(stale_looks),
        cmocka_unit_test(a_release_names_what_was_read),
        cmocka_unit_test(a_release_under_way_sends_nothing),
        cmocka_unit_test(a_release_that_may_pass_or_is_done_is_looked_at),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
