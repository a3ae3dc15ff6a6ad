#include "tests/unit/ali_havip.h"

#define TEN                                                                                        \
    "\"eni-10\",\"eni-11\",\"eni-12\",\"eni-13\",\"eni-14\",\"eni-15\",\"eni-16\",\"eni-17\","     \
    "\"eni-18\",\"eni-19\""

static void rules(void **state)
{
    static const struct {
        const char *body;
        bool up;
        const char *numbers;
    } row[] = {
        {MASTER("eni-1"), false, ""},
        {MASTER("eni-1"), true, "14"},
        {UNBOUND("InUse"), false, ""},
        {UNBOUND("InUse"), true, "13 14"},
        {HAVIPS(HAVIP("havip-1", "10.0.1.50", "InUse", "", "NetworkInterface", TEN)), false, "3"},
        {HAVIPS(HAVIP("havip-1", "10.0.1.50", "InUse", "i-1", "EcsInstance", "\"i-1\"")), false,
         "4"},
        {HAVIPS(HAVIP("havip-1", "10.0.1.50", "Deleting", "eni-1", "NetworkInterface", BOTH)),
         false, "12"},
        {ALI_ANSWER("\"HaVips\":{\"HaVip\":[{\"HaVipId\":\"havip-1\",\"IpAddress\":\"10.0.1.50\","
                    "\"Status\":\"Available\",\"VpcId\":\"vpc-1\",\"VSwitchId\":\"vsw-9\"}]}"),
         false, "1"},
        {ALI_ANSWER("\"HaVips\":{\"HaVip\":[{\"HaVipId\":\"havip-1\",\"IpAddress\":\"10.0.1.50\","
                    "\"Status\":\"Available\",\"VpcId\":\"vpc-9\",\"VSwitchId\":\"vsw-1\"}]}"),
         false, "2"},
    };

    (void)state;
    for (size_t i = 0; i < KIT_LEN(row); i++) {
        struct ali_world *w = begin();
        KIT_AUTO(kit_buf) seen = KIT_BUF(200);
        struct kit_facts facts;

        put_up(row[i].up);
        ali_put(w, 0, KIT_PARAM_HAVIP_ID, "havip-1");
        ali_reply(w, "DescribeHaVips", NULL, row[i].body);
        facts = ali_facts(w, true);
        for (size_t k = 0; k < facts.breaches; k++)
            (void)kit_buf_printf(&seen, "%s%u", k ? " " : "", facts.breach[k].rule->number);
        assert_string_equal(seen.data, row[i].numbers);
        kit_facts_done(&facts);
        ali_done(w);
    }
}

static void an_eni_that_is_elsewhere(void **state)
{
    struct ali_world *w = begin();
    struct kit_err err;

    (void)state;
    ali_put(w, 0, KIT_PARAM_ENI, "eni-2");
    ali_reply(w, "DescribeHaVips", NULL, MASTER("eni-1"));
    ali_reply(w, "DescribeNetworkInterfaces", NULL,
              ALI_ANSWER("\"NetworkInterfaceSets\":{\"NetworkInterfaceSet\":[{"
                         "\"NetworkInterfaceId\":\"eni-2\",\"InstanceId\":\"i-9\"}]}"));
    err = ali_refusal(w);
    assert_int_equal(err.kind, KIT_ERR_CONFIG);
    fake_assert_text(err.msg, "rule 5: eni-2 is on i-9");
    assert_int_equal(w->caller.stats.rounds, 1);
    ali_done(w);
}

/* It may be another node's: this one can have the HAVIP all the same. */
static void a_bound_eni_without_an_instance(void **state)
{
    static const struct {
        const char *master;
        bool up;
        struct fake_answer enis;
        const char *says; /* NULL = nothing */
    } row[] = {
        {MASTER("eni-1"),
         false,
         {.status = 200, .body = ENIS(IDLE("eni-9", "") "," IDLE("eni-1", ""))},
         "eni-1 is bound to havip-1 and attached to no instance"},
        {MASTER(""),
         false,
         {.status = 200, .body = ENIS(IDLE("eni-2", ""))},
         "eni-2 is bound to havip-1 and attached to no instance"},
        {MASTER("eni-1"), false, {.status = 200, .body = ENIS(IDLE("eni-9", ""))}, NULL},
        {MASTER("eni-1"), false, {.status = 200, .body = ENIS(IDLE("eni-1", "i-1"))}, NULL},
        /* Nothing is to be changed. */
        {MASTER("eni-2"), true, {.status = 200, .body = ENIS(IDLE("eni-1", ""))}, NULL},
        /* Not known: nothing is held up. */
        {MASTER("eni-1"), false, {.status = 403, .body = ALI_ERROR("Forbidden.RAM")}, NULL},
        {MASTER("eni-1"), false, {.status = 503, .body = ALI_ERROR("ServiceUnavailable")}, NULL},
        {MASTER("eni-1"), false, {.how = FAKE_LOST}, NULL},
    };

    (void)state;
    for (size_t i = 0; i < KIT_LEN(row); i++) {
        struct ali_world *w = begin_without_enis();
        struct kit_facts facts;

        put_up(row[i].up);
        ali_reply(w, "DescribeHaVips", NULL, row[i].master);
        ali_reply_with(w, LOOK, NULL, row[i].enis, 0);
        facts = ali_facts(w, true);
        assert_int_equal(facts.breaches, row[i].says != NULL);
        if (row[i].says) {
            assert_int_equal(facts.breach[0].rule->number, 6);
            assert_int_equal(facts.breach[0].rule->level, KIT_RULE_WARN);
            assert_string_equal(facts.breach[0].detail, row[i].says);
        }
        assert_in_range(ali_count(w, LOOK), 1, 2);
        assert_int_equal(w->caller.stats.rounds, 1);
        kit_facts_done(&facts);
        ali_done(w);
    }
}

static void instances_have_no_enis_to_ask_for(void **state)
{
    struct ali_world *w = begin_without_enis();
    struct kit_facts facts;

    (void)state;
    ali_put(w, 0, KIT_PARAM_BIND_TO, "instance");
    ali_reply(
        w, "DescribeHaVips", NULL,
        HAVIPS(HAVIP("havip-1", "10.0.1.50", "InUse", "i-1", "EcsInstance", "\"i-1\",\"i-2\"")));
    facts = ali_facts(w, true);
    ali_assert_calls(w, "DescribeHaVips");
    kit_facts_done(&facts);
    ali_done(w);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(rules),
        cmocka_unit_test(an_eni_that_is_elsewhere),
        cmocka_unit_test(a_bound_eni_without_an_instance),
        cmocka_unit_test(instances_have_no_enis_to_ask_for),
    };

    return cmocka_run_group_tests(tests, make_network, NULL);
}
