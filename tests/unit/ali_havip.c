#include "tests/unit/ali_havip.h"

/* ---- locate ---------------------------------------------------------------------------------- */

static void what_the_master_means(void **state)
{
    static const struct {
        const char *body;
        bool up;
        enum kit_binding_state state;
        bool mine, right;
        const char *holder, *node;
    } row[] = {
        {MASTER("eni-1"), false, KIT_BINDING_HELD, false, false, "eni-1", ""},
        {MASTER("i-1"), false, KIT_BINDING_HELD, false, false, "i-1", "i-1"},
        {MASTER(""), false, KIT_BINDING_FREE, false, false, "", ""},
        {MASTER("eni-2"), true, KIT_BINDING_HELD, true, true, "eni-2", "i-2"},
        {MASTER("i-2"), true, KIT_BINDING_HELD, true, true, "eni-2", "i-2"},
        {MASTER("eni-2"), false, KIT_BINDING_HELD, true, false, "eni-2", "i-2"},
        {HAVIPS(HAVIP("havip-1", "10.0.1.50", "Inuse", "eni-2", "NetworkInterface", "\"eni-1\"")),
         true, KIT_BINDING_HELD, true, false, "eni-2", "i-2"},
    };

    (void)state;
    for (size_t i = 0; i < KIT_LEN(row); i++) {
        struct ali_world *w = begin();
        struct kit_facts facts;
        const struct kit_binding *b;

        put_up(row[i].up);
        ali_reply(w, "DescribeHaVips", NULL, row[i].body);
        facts = ali_facts(w, false);
        assert_int_equal(facts.count, 1);
        b = &facts.binding[0];
        assert_string_equal(b->place, "havip-1");
        assert_int_equal(b->state, row[i].state);
        assert_int_equal(b->mine, row[i].mine);
        assert_int_equal(b->right, row[i].right);
        assert_string_equal(b->holder, row[i].holder);
        assert_string_equal(b->node, row[i].node);
        ali_assert_calls(w, "DescribeHaVips");
        fake_assert_text(ali_query(w, "DescribeHaVips", 0),
                         "Filter.1.Key=HaVipAddress&Filter.1.Value.1=10.0.1.50&Filter.2.Key=VpcId&"
                         "Filter.2.Value.1=vpc-1&PageSize=50");
        kit_facts_done(&facts);
        ali_done(w);
    }
}

/* An IP resource of the cluster manager brings it up: that is not ours to ask for. */
static void local_address_no(void **state)
{
    struct ali_world *w = begin();
    struct kit_facts facts;

    (void)state;
    ali_put(w, 0, KIT_PARAM_LOCAL_ADDRESS, "no");
    ali_reply(w, "DescribeHaVips", NULL, MASTER("eni-2"));
    facts = ali_facts(w, false);
    assert_true(facts.binding[0].right);
    kit_facts_done(&facts);
    assert_int_equal(ali_claim(w, 0).result, KIT_STEP_PENDING);
    ali_done(w);
}

static void resources_share_calls(void **state)
{
    struct ali_world *w = begin();
    struct kit_query query[4];

    (void)state;
    for (size_t i = 1; i < 4; i++) {
        (void)ali_resource(w, "havip");
        ali_put(w, i, KIT_PARAM_INTERFACE, "v0");
    }
    ali_put(w, 1, KIT_PARAM_ADDRESS, "10.0.1.5");
    ali_put(w, 2, KIT_PARAM_ADDRESS, "10.0.1.50");
    ali_put(w, 2, KIT_PARAM_HAVIP_ID, "havip-1");
    ali_put(w, 3, KIT_PARAM_ADDRESS, "10.0.1.51");
    ali_put(w, 3, KIT_PARAM_HAVIP_ID, "havip-1"); /* which has another address */
    ali_reply(w, "DescribeHaVips",
              "Filter.1.Key=HaVipAddress&Filter.1.Value.1=10.0.1.50&Filter.1.Value.2=10.0.1.5&",
              MASTER("eni-1"));
    ali_reply(w, "DescribeHaVips",
              "Filter.1.Key=HaVipId&Filter.1.Value.1=havip-1&Filter.1.Value.2=havip-1&",
              MASTER("eni-1"));
    ali_locate(w, query, false);
    assert_int_equal(ali_count(w, "DescribeHaVips"), 2);
    assert_int_equal(w->net.most_flying > 1, true);
    assert_int_equal(query[0].facts.count, 1);
    assert_int_equal(query[1].facts.count, 0); /* 10.0.1.5 is not 10.0.1.50 */
    assert_int_equal(query[2].facts.count, 1);
    assert_true(query[3].failed);
    assert_int_equal(query[3].err.kind, KIT_ERR_CONFIG);
    fake_assert_text(query[3].err.msg, "havip-1 has the address 10.0.1.50, not 10.0.1.51");
    for (size_t i = 0; i < 4; i++)
        kit_facts_done(&query[i].facts);
    ali_done(w);
}

static void not_there(void **state)
{
    struct ali_world *w = begin();
    struct kit_err err;

    (void)state;
    ali_reply(w, "DescribeHaVips", NULL, HAVIPS(""));
    err = ali_locate_error(w, true);
    assert_int_equal(err.kind, KIT_ERR_NOT_FOUND);
    fake_assert_text(err.msg, "no HAVIP 10.0.1.50 in this account and region, VPC vpc-1");
    ali_done(w);
}

/* ---- claim ----------------------------------------------------------------------------------- */

static void an_announcement_takes_it(void **state)
{
    struct ali_world *w = begin();

    (void)state;
    ali_reply_with(w, "DescribeHaVips", NULL,
                   (struct fake_answer){.status = 200, .body = MASTER("eni-1")}, 2);
    ali_reply(w, "DescribeHaVips", NULL, MASTER("eni-2"));
    assert_int_equal(ali_claim(w, 1).result, KIT_STEP_DONE);
    assert_true(is_up());
    /* Nothing is changed. */
    ali_assert_calls(w, "DescribeHaVips " LOOK " DescribeHaVips DescribeHaVips");
    assert_int_equal(w->caller.stats.rounds, 3);
    ali_done(w);
}

static void a_node_that_is_not_bound_is_bound_first(void **state)
{
    struct ali_world *w = begin();

    (void)state;
    ali_reply_once(w, "DescribeHaVips", NULL, UNBOUND("InUse"));
    ali_reply_once(w, "DescribeHaVips", NULL, UNBOUND("Associating"));
    ali_reply_once(w, "DescribeHaVips", NULL, MASTER("eni-1"));
    ali_reply(w, "DescribeHaVips", NULL, MASTER("eni-2"));
    ali_reply(w, "AssociateHaVip",
              "HaVipId=havip-1&InstanceId=eni-2&InstanceType=NetworkInterface&", ALI_OK);
    assert_int_equal(ali_claim(w, 2).result, KIT_STEP_DONE);
    fake_assert_text(ali_query(w, "AssociateHaVip", 0), "ClientToken=");
    assert_int_equal(ali_count(w, "AssociateHaVip"), 1);
    assert_true(is_up());
    ali_done(w);
}

static void bound_as_an_instance(void **state)
{
    static const char bound[] =
        HAVIPS(HAVIP("havip-1", "10.0.1.50", "InUse", "i-2", "EcsInstance", "\"i-1\",\"i-2\""));
    struct ali_world *w = begin();

    (void)state;
    ali_put(w, 0, KIT_PARAM_BIND_TO, "instance");
    ali_reply_once(w, "DescribeHaVips", NULL,
                   HAVIPS(HAVIP("havip-1", "10.0.1.50", "InUse", "i-1", "EcsInstance", "\"i-1\"")));
    ali_reply(w, "DescribeHaVips", NULL, bound);
    ali_reply(w, "AssociateHaVip", "InstanceId=i-2&InstanceType=EcsInstance&", ALI_OK);
    assert_int_equal(ali_claim(w, 2).result, KIT_STEP_DONE);
    ali_done(w);
}

/* Another node binds itself at the same time: the cloud takes them in turn. */
static void a_binding_that_must_wait(void **state)
{
    struct ali_world *w = begin();

    (void)state;
    ali_reply_with(w, "DescribeHaVips", NULL,
                   (struct fake_answer){.status = 200, .body = UNBOUND("InUse")}, 2);
    ali_reply(w, "DescribeHaVips", NULL, MASTER("eni-2"));
    ali_reply_with(w, "AssociateHaVip", NULL,
                   (struct fake_answer){.status = 400, .body = ALI_ERROR("IncorrectHaVipStatus")},
                   3);
    ali_reply(w, "AssociateHaVip", NULL, ALI_OK);
    assert_int_equal(ali_claim(w, 2).result, KIT_STEP_DONE);
    ali_done(w);
}

static void a_binding_that_is_refused(void **state)
{
    struct ali_world *w = begin();
    struct kit_step step;

    (void)state;
    ali_reply(w, "DescribeHaVips", NULL, UNBOUND("InUse"));
    ali_reply_with(w, "AssociateHaVip", NULL,
                   (struct fake_answer){.status = 403, .body = ALI_ERROR("Forbidden.RAM")}, 0);
    step = ali_claim(w, 2);
    assert_int_equal(step.result, KIT_STEP_FAILED);
    assert_int_equal(step.err.kind, KIT_ERR_DENIED);
    fake_assert_text(step.err.msg, "bind to eni-2");
    assert_false(is_up());
    ali_done(w);
}

/* Nobody hears us: it ends, and the address does not stay. */
static void an_announcement_that_nobody_hears(void **state)
{
    for (int before = 0; before < 2; before++) {
        struct ali_world *w = begin();
        struct kit_step step;

        (void)state;
        put_up(before);
        ali_reply(w, "DescribeHaVips", NULL, MASTER("eni-1"));
        step = ali_claim(w, 1);
        assert_int_equal(step.result, KIT_STEP_FAILED);
        assert_int_equal(step.err.kind, KIT_ERR_CONFLICT);
        fake_assert_text(step.err.msg, "and the VPC still sends it to eni-1");
        assert_null(strstr(step.err.msg, "announced 5 times")); /* it tried again meanwhile */
        assert_int_equal(is_up(), before); /* what we did not bring up is not ours to take off */
        ali_done(w);
    }
}

static void a_third_one_is_not_fought(void **state)
{
    struct ali_world *w = begin();
    struct kit_step step;

    (void)state;
    ali_reply_once(w, "DescribeHaVips", NULL, MASTER("eni-1"));
    ali_reply(w, "DescribeHaVips", NULL, MASTER("eni-3"));
    step = ali_claim(w, 1);
    assert_int_equal(step.err.kind, KIT_ERR_CONFLICT);
    fake_assert_text(step.err.msg, "eni-3");
    assert_int_equal(ali_count(w, "DescribeHaVips"), 3);
    assert_false(is_up());
    ali_done(w);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_the_master_means),
        cmocka_unit_test(local_address_no),
        cmocka_unit_test(resources_share_calls),
        cmocka_unit_test(not_there),
        cmocka_unit_test(an_announcement_takes_it),
        cmocka_unit_test(a_node_that_is_not_bound_is_bound_first),
        cmocka_unit_test(bound_as_an_instance),
        cmocka_unit_test(a_binding_that_must_wait),
        cmocka_unit_test(a_binding_that_is_refused),
        cmocka_unit_test(an_announcement_that_nobody_hears),
        cmocka_unit_test(a_third_one_is_not_fought),
    };

    return cmocka_run_group_tests(tests, make_network, NULL);
}
