/* kit/cloud/aliyun/eni, eni_move: an interface walked from one instance to another, and what stops
 * it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/unit/ali_movers.h"
#include "tests/unit/ali_quota.h"

#define ENI_OF(node, status, type, zone, more)                                                     \
    ALI_ANSWER("\"NetworkInterfaceSets\":{\"NetworkInterfaceSet\":[{\"NetworkInterfaceId\":"       \
               "\"eni-9\",\"InstanceId\":\"" node "\",\"Status\":\"" status "\",\"Type\":\"" type  \
               "\",\"VpcId\":\"vpc-1\",\"ZoneId\":\"" zone "\",\"SecurityGroupIds\":{"             \
               "\"SecurityGroupId\":[\"sg-1\"]}" more "}]}")
#define ENI(node, status) ENI_OF(node, status, "Secondary", "cn-shanghai-a", "")
#define NO_ENI            ALI_ANSWER("\"NetworkInterfaceSets\":{\"NetworkInterfaceSet\":[]}")
#define INSTANCE_OF(status, zone, vpc, optimized)                                                  \
    ALI_ANSWER("\"Instances\":{\"Instance\":[{\"InstanceId\":\"i-2\",\"Status\":\"" status         \
               "\",\"ZoneId\":\"" zone                                                             \
               "\",\"InstanceType\":\"ecs.g6.large\",\"IoOptimized\":" optimized                   \
               ",\"VpcAttributes\":{\"VpcId\":\"" vpc "\"}}]}")
#define INSTANCE INSTANCE_OF("Running", "cn-shanghai-a", "vpc-1", "true")

#define LOOK   "DescribeNetworkInterfaces"
#define ASK    "DescribeInstances"
#define DETACH "DetachNetworkInterface"
#define ATTACH "AttachNetworkInterface"

static struct ali_world *begin(void)
{
    struct ali_world *w = ali_begin("eni");

    ali_put(w, 0, KIT_PARAM_ENI, "eni-9");
    ali_reply(w, ASK, NULL, INSTANCE);
    ali_reply(w, TYPES, NULL, QUOTA("3", "10", "10"));
    return w;
}

/* ---- where it is ----------------------------------------------------------------------------- */

static void states_are_judged(void **state)
{
    static const struct {
        const char *eni;
        enum kit_binding_state state;
        const char *holder;
        bool mine, right;
    } rows[] = {
        {ENI("i-2", "InUse"), KIT_BINDING_HELD, "i-2", true, true},
        {ENI("i-2", "Attaching"), KIT_BINDING_HELD, "i-2", true, false},
        {ENI("i-2", "Detaching"), KIT_BINDING_HELD, "i-2", true, false},
        {ENI("i-1", "InUse"), KIT_BINDING_HELD, "i-1", false, false},
        {ENI("i-1", "Detaching"), KIT_BINDING_HELD, "i-1", false, false},
        {ENI("", "Available"), KIT_BINDING_FREE, "", false, false},
        /* Never ours to detach. */
        {ENI_OF("i-2", "InUse", "Primary", "cn-shanghai-a", ""), KIT_BINDING_HELD, "i-2", false,
         false},
        {ENI_OF("", "InUse", "Secondary", "cn-shanghai-a", ",\"ServiceManaged\":true"),
         KIT_BINDING_FOREIGN, "", false, false},
    };

    (void)state;
    for (size_t i = 0; i < KIT_LEN(rows); i++) {
        struct ali_world *w = begin();

        ali_reply(w, LOOK, "NetworkInterfaceId.1=eni-9", rows[i].eni);
        struct kit_facts facts = ali_facts(w, false);
        assert_int_equal(facts.count, 1);
        assert_string_equal(facts.me, "i-2");
        assert_string_equal(facts.binding[0].place, "eni-9");
        assert_int_equal(facts.binding[0].state, rows[i].state);
        assert_string_equal(facts.binding[0].holder, rows[i].holder);
        assert_int_equal(facts.binding[0].mine, rows[i].mine);
        assert_int_equal(facts.binding[0].right, rows[i].right);
        ali_assert_calls(w, LOOK);
        kit_facts_done(&facts);
        ali_done(w);
    }
}

static void not_there_is_nowhere_and_an_error_for_a_claim(void **state)
{
    static const char *const enis[] = {NO_ENI, ENI("", "Deleting")};

    (void)state;
    for (size_t i = 0; i < KIT_LEN(enis); i++) {
        struct ali_world *w = begin();

        ali_reply(w, LOOK, NULL, enis[i]);
        struct kit_facts facts = ali_facts(w, false);
        assert_int_equal(facts.count, 0);
        kit_facts_done(&facts);
        struct kit_err err = ali_locate_error(w, true);
        assert_int_equal(err.kind, KIT_ERR_NOT_FOUND);
        fake_assert_text(err.msg, "eni-9");
        ali_done(w);
    }
}

static void resources_share_a_call(void **state)
{
    struct ali_world *w = begin();
    struct kit_query query[2];

    (void)state;
    size_t other = ali_resource(w, "eni");
    ali_put(w, other, KIT_PARAM_ENI, "eni-8");
    ali_reply(w, LOOK, "NetworkInterfaceId.2=eni-8", ENI("i-2", "InUse"));
    ali_locate(w, query, false);
    ali_assert_calls(w, LOOK);
    assert_true(query[0].facts.binding[0].right);
    assert_int_equal(query[1].facts.count, 0);
    kit_facts_done(&query[0].facts);
    kit_facts_done(&query[1].facts);
    ali_done(w);
}

static void rules_refuse_before_anything_is_changed(void **state)
{
    static const struct {
        const char *eni, *instance, *says;
    } rows[] = {
        {ENI("i-1", "InUse"), INSTANCE_OF("Stopping", "cn-shanghai-a", "vpc-1", "true"),
         "rule 50: i-2 is Stopping"},
        {ENI_OF("i-1", "InUse", "Primary", "cn-shanghai-a", ""), INSTANCE,
         "rule 51: eni-9 is the primary interface of i-1"},
        {ENI_OF("i-1", "InUse", "Secondary", "cn-shanghai-b", ""), INSTANCE,
         "rule 53: eni-9 is in cn-shanghai-b, i-2 in cn-shanghai-a"},
        {ENI("i-1", "InUse"), INSTANCE_OF("Running", "cn-shanghai-a", "vpc-9", "true"),
         "rule 54: eni-9 is in vpc-1, i-2 in vpc-9"},
        {ENI("i-1", "InUse"), INSTANCE_OF("Running", "cn-shanghai-a", "vpc-1", "false"),
         "rule 56: i-2 (ecs.g6.large) is not I/O optimised"},
    };

    (void)state;
    for (size_t i = 0; i < KIT_LEN(rows); i++) {
        struct ali_world *w = ali_begin("eni");

        ali_put(w, 0, KIT_PARAM_ENI, "eni-9");
        ali_reply(w, ASK, NULL, rows[i].instance);
        ali_reply(w, TYPES, NULL, QUOTA("3", "10", "10"));
        ali_reply(w, LOOK, NULL, rows[i].eni);
        struct kit_err err = ali_refusal(w);
        assert_int_equal(err.kind, KIT_ERR_CONFIG);
        fake_assert_text(err.msg, rows[i].says);
        ali_done(w);
    }
}

static void a_rule_that_warns_lets_it_pass(void **state)
{
    struct ali_world *w = begin();

    (void)state;
    ali_reply(w, LOOK, NULL,
              ALI_ANSWER("\"NetworkInterfaceSets\":{\"NetworkInterfaceSet\":[{"
                         "\"NetworkInterfaceId\":\"eni-9\",\"InstanceId\":\"i-2\",\"Status\":"
                         "\"InUse\",\"VpcId\":\"vpc-1\",\"SecurityGroupIds\":{\"SecurityGroupId\":["
                         "\"sg-1\",\"sg-2\",\"sg-3\",\"sg-4\",\"sg-5\",\"sg-6\"]}}]}"));
    struct kit_facts facts = ali_facts(w, true);
    assert_int_equal(facts.breaches, 1);
    assert_int_equal(facts.breach[0].rule->number, 55);
    assert_int_equal(facts.breach[0].rule->level, KIT_RULE_WARN);
    fake_assert_text(facts.breach[0].detail, "6 security groups");
    kit_facts_done(&facts);
    ali_done(w);
}

/* ---- the walk -------------------------------------------------------------------------------- */

static void detached_there_and_attached_here(void **state)
{
    struct ali_world *w = begin();

    (void)state;
    ali_reply_once(w, LOOK, NULL, ENI("i-1", "InUse"));
    ali_reply(w, DETACH, NULL, ALI_OK);
    ali_reply_once(w, LOOK, NULL, ENI("i-1", "InUse")); /* a stale read */
    ali_reply_once(w, LOOK, NULL, ENI("i-1", "Detaching"));
    ali_reply_once(w, LOOK, NULL, ENI("", "Available"));
    ali_reply(w, ATTACH, NULL, ALI_OK);
    ali_reply_once(w, LOOK, NULL, ENI("", "Available")); /* another one */
    ali_reply_once(w, LOOK, NULL, ENI("i-2", "Attaching"));
    ali_reply(w, LOOK, NULL, ENI("i-2", "InUse"));
    assert_int_equal(ali_claim(w, 1).result, KIT_STEP_DONE);
    ali_assert_calls(w, LOOK " " ASK " " TYPES " " DETACH " " LOOK " " LOOK " " LOOK " " ATTACH
                             " " LOOK " " LOOK " " LOOK);
    fake_assert_text(ali_query(w, DETACH, 0), "InstanceId=i-1&NetworkInterfaceId=eni-9&");
    fake_assert_text(ali_query(w, ATTACH, 0), "InstanceId=i-2&NetworkInterfaceId=eni-9&");
    ali_done(w);
}

static void a_free_one_is_only_attached(void **state)
{
    struct ali_world *w = begin();

    (void)state;
    ali_reply_once(w, LOOK, NULL, ENI("", "Available"));
    ali_reply(w, ATTACH, NULL, ALI_OK);
    ali_reply(w, LOOK, NULL, ENI("i-2", "InUse"));
    assert_int_equal(ali_claim(w, 1).result, KIT_STEP_DONE);
    ali_assert_calls(w, LOOK " " ASK " " TYPES " " ATTACH " " LOOK);
    ali_done(w);
}

/* However long the detachment took, and however rare the looks had become. */
static void the_attachment_is_looked_at_at_once(void **state)
{
    struct ali_world *w = begin();

    (void)state;
    ali_reply_once(w, LOOK, NULL, ENI("i-1", "InUse"));
    ali_reply(w, DETACH, NULL, ALI_OK);
    ali_reply_with(w, LOOK, NULL,
                   (struct fake_answer){.status = 200, .body = ENI("i-1", "Detaching")}, 8);
    ali_reply_once(w, LOOK, NULL, ENI("", "Available"));
    ali_reply(w, ATTACH, NULL, ALI_OK);
    ali_reply(w, LOOK, NULL, ENI("i-2", "InUse"));
    assert_int_equal(ali_claim(w, 1).result, KIT_STEP_DONE);
    const struct fake_request *last = &w->net.request[w->net.requests - 1];
    assert_string_equal(fake_header(last - 1, "x-acs-action"), ATTACH);
    assert_true(last->at_ns - last[-1].at_ns < 10 * KIT_NS_PER_MS);
    ali_done(w);
}

/* What a killed run left behind is gone on with. */
static void attaching_here_is_waited_for(void **state)
{
    struct ali_world *w = begin();

    (void)state;
    ali_reply_with(w, LOOK, NULL,
                   (struct fake_answer){.status = 200, .body = ENI("i-2", "Attaching")}, 3);
    ali_reply(w, LOOK, NULL, ENI("i-2", "InUse"));
    assert_int_equal(ali_claim(w, 1).result, KIT_STEP_DONE);
    assert_int_equal(ali_count(w, ATTACH), 0);
    ali_done(w);
}

static void detaching_from_here_is_waited_for_and_undone(void **state)
{
    struct ali_world *w = begin();

    (void)state;
    ali_reply_with(w, LOOK, NULL,
                   (struct fake_answer){.status = 200, .body = ENI("i-2", "Detaching")}, 3);
    ali_reply_once(w, LOOK, NULL, ENI("", "Available"));
    ali_reply(w, ATTACH, NULL, ALI_OK);
    ali_reply(w, LOOK, NULL, ENI("i-2", "InUse"));
    assert_int_equal(ali_claim(w, 1).result, KIT_STEP_DONE);
    assert_int_equal(ali_count(w, DETACH), 0);
    assert_int_equal(ali_count(w, ATTACH), 1);
    ali_done(w);
}

static void refused_for_its_state_is_looked_at(void **state)
{
    struct ali_world *w = begin();

    (void)state;
    ali_reply_once(w, LOOK, NULL, ENI("i-1", "Attaching"));
    ali_reply_with(
        w, DETACH, NULL,
        (struct fake_answer){.status = 400, .body = ALI_ERROR("InvalidOperation.InvalidEniState")},
        3);
    ali_reply_once(w, LOOK, NULL, ENI("i-1", "InUse"));
    ali_reply(w, DETACH, NULL, ALI_OK);
    ali_reply_once(w, LOOK, NULL, ENI("", "Available"));
    ali_reply(w, ATTACH, NULL, ALI_OK);
    ali_reply(w, LOOK, NULL, ENI("i-2", "InUse"));
    assert_int_equal(ali_claim(w, 1).result, KIT_STEP_DONE);
    ali_assert_calls(w, LOOK " " ASK " " TYPES " " DETACH " " DETACH " " DETACH " " LOOK " " DETACH
                             " " LOOK " " ATTACH " " LOOK);
    ali_done(w);
}

static void a_guest_that_hangs_is_told_as_what_it_is(void **state)
{
    struct ali_world *w = begin();

    (void)state;
    ali_reply_once(w, LOOK, NULL, ENI("i-1", "InUse"));
    ali_reply(w, DETACH, NULL, ALI_OK);
    ali_reply(w, LOOK, NULL, ENI("i-1", "Detaching"));
    struct kit_step step = ali_claim(w, 1);
    assert_int_equal(step.result, KIT_STEP_FAILED);
    assert_int_equal(step.err.kind, KIT_ERR_TIMEOUT);
    fake_assert_text(step.err.msg, "eni-9 is still Detaching from i-1");
    fake_assert_text(step.err.msg, "restart or stop that instance");
    assert_int_equal(ali_count(w, DETACH), 2); /* once more, as the reference says */
    assert_int_equal(ali_count(w, ATTACH), 0);
    ali_done(w);
}

static void back_to_available_is_a_failed_attachment(void **state)
{
    struct ali_world *w = begin();

    (void)state;
    ali_reply_once(w, LOOK, NULL, ENI("", "Available"));
    ali_reply(w, ATTACH, NULL, ALI_OK);
    ali_reply_once(w, LOOK, NULL, ENI("i-2", "Attaching"));
    ali_reply(w, LOOK, NULL, ENI("", "Available"));
    struct kit_step step = ali_claim(w, 1);
    assert_int_equal(step.result, KIT_STEP_FAILED);
    assert_int_equal(step.err.kind, KIT_ERR_REFUSED);
    fake_assert_text(step.err.msg, "could not attach it to i-2");
    ali_assert_calls(w, LOOK " " ASK " " TYPES " " ATTACH " " LOOK " " LOOK " " LOOK " " LOOK
                             " " LOOK);
    ali_done(w);
}

/* The cloud is eventually consistent: a look may show what was before either change. */
static void old_looks_are_no_verdict(void **state)
{
    struct ali_world *w = begin();

    (void)state;
    ali_reply_once(w, LOOK, NULL, ENI("i-1", "InUse"));
    ali_reply(w, DETACH, NULL, ALI_OK);
    ali_reply_once(w, LOOK, NULL, ENI("", "Available"));
    ali_reply(w, ATTACH, NULL, ALI_OK);
    ali_reply_once(w, LOOK, NULL, ENI("i-1", "InUse"));
    ali_reply_once(w, LOOK, NULL, ENI("i-2", "Attaching"));
    ali_reply_with(w, LOOK, NULL, (struct fake_answer){.status = 200, .body = ENI("", "Available")},
                   3);
    ali_reply_once(w, LOOK, NULL, ENI("i-1", "InUse"));
    ali_reply_with(w, LOOK, NULL, (struct fake_answer){.status = 200, .body = ENI("", "Available")},
                   3);
    ali_reply(w, LOOK, NULL, ENI("i-2", "InUse"));
    assert_int_equal(ali_claim(w, 1).result, KIT_STEP_DONE);
    assert_int_equal(ali_count(w, DETACH), 1);
    assert_int_equal(ali_count(w, ATTACH), 1);
    ali_done(w);
}

static void never_attaching_is_a_failed_attachment_too(void **state)
{
    struct ali_world *w = begin();

    (void)state;
    ali_reply_once(w, LOOK, NULL, ENI("", "Available"));
    ali_reply(w, ATTACH, NULL, ALI_OK);
    ali_reply(w, LOOK, NULL, ENI("", "Available"));
    struct kit_step step = ali_claim(w, 1);
    assert_int_equal(step.result, KIT_STEP_FAILED);
    assert_int_equal(step.err.kind, KIT_ERR_REFUSED);
    assert_true(w->clock.now_ns < 60 * KIT_NS_PER_S); /* long before the deadline */
    ali_done(w);
}

static void taken_by_another_meanwhile(void **state)
{
    static const struct {
        const char *then;
        enum kit_step_result result;
    } rows[] = {
        {ENI("i-3", "InUse"), KIT_STEP_OPEN}, /* the look after the claim decides */
        {ENI("i-3", "Attaching"), KIT_STEP_OPEN},
        {ENI("i-1", "InUse"), KIT_STEP_FAILED}, /* after we saw it free: we do not fight */
    };

    (void)state;
    for (size_t i = 0; i < KIT_LEN(rows); i++) {
        struct ali_world *w = begin();

        ali_reply_once(w, LOOK, NULL, ENI("i-1", "InUse"));
        ali_reply(w, DETACH, NULL, ALI_OK);
        ali_reply_once(w, LOOK, NULL, ENI("", "Available"));
        ali_reply(w, ATTACH, NULL, ALI_OK);
        ali_reply(w, LOOK, NULL, rows[i].then);
        struct kit_step step = ali_claim(w, 1);
        assert_int_equal(step.result, rows[i].result);
        if (step.result == KIT_STEP_FAILED)
            assert_int_equal(step.err.kind, KIT_ERR_CONFLICT);
        assert_int_equal(ali_count(w, DETACH), 1);
        ali_done(w);
    }
}

static void a_lost_answer_is_open(void **state)
{
    static const char *const lost[] = {DETACH, ATTACH};

    (void)state;
    for (size_t i = 0; i < KIT_LEN(lost); i++) {
        struct ali_world *w = begin();

        ali_reply_with(w, lost[i], NULL, (struct fake_answer){.how = FAKE_LOST}, 0);
        ali_reply(w, DETACH, NULL, ALI_OK);
        ali_reply_once(w, LOOK, NULL, ENI("i-1", "InUse"));
        ali_reply(w, LOOK, NULL, ENI("", "Available"));
        assert_int_equal(ali_claim(w, 1).result, KIT_STEP_OPEN);
        assert_int_equal(ali_count(w, lost[i]), 1);
        ali_done(w);
    }
}

static void a_refusal_ends_it(void **state)
{
    struct ali_world *w = begin();

    (void)state;
    ali_reply(w, LOOK, NULL, ENI("", "Available"));
    ali_reply_with(
        w, ATTACH, NULL,
        (struct fake_answer){.status = 403, .body = ALI_ERROR("EniPerInstanceLimitExceeded")}, 0);
    struct kit_step step = ali_claim(w, 1);
    assert_int_equal(step.result, KIT_STEP_FAILED);
    fake_assert_text(step.err.msg, "EniPerInstanceLimitExceeded");
    ali_done(w);
}

static void released_and_seen_free(void **state)
{
    struct ali_world *w = begin();

    (void)state;
    ali_reply_once(w, LOOK, NULL, ENI("i-2", "InUse"));
    ali_reply(w, DETACH, "InstanceId=i-2&", ALI_OK);
    ali_reply_once(w, LOOK, NULL, ENI("i-2", "Detaching"));
    ali_reply(w, LOOK, NULL, ENI("", "Available"));
    assert_int_equal(ali_release(w).result, KIT_STEP_DONE);
    ali_assert_calls(w, LOOK " " DETACH " " LOOK " " LOOK);
    ali_done(w);
}

static void released_and_another_has_it_already(void **state)
{
    struct ali_world *w = begin();

    (void)state;
    ali_reply_once(w, LOOK, NULL, ENI("i-2", "InUse"));
    ali_reply(w, DETACH, NULL, ALI_OK);
    ali_reply(w, LOOK, NULL, ENI("i-1", "InUse"));
    assert_int_equal(ali_release(w).result, KIT_STEP_DONE);
    assert_int_equal(ali_count(w, DETACH), 1);
    ali_done(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(states_are_judged),
        cmocka_unit_test(not_there_is_nowhere_and_an_error_for_a_claim),
        cmocka_unit_test(resources_share_a_call),
        cmocka_unit_test(rules_refuse_before_anything_is_changed),
        cmocka_unit_test(a_rule_that_warns_lets_it_pass),
        cmocka_unit_test(detached_there_and_attached_here),
        cmocka_unit_test(a_free_one_is_only_attached),
        cmocka_unit_test(the_attachment_is_looked_at_at_once),
        cmocka_unit_test(attaching_here_is_waited_for),
        cmocka_unit_test(detaching_from_here_is_waited_for_and_undone),
        cmocka_unit_test(refused_for_its_state_is_looked_at),
        cmocka_unit_test(a_guest_that_hangs_is_told_as_what_it_is),
        cmocka_unit_test(back_to_available_is_a_failed_attachment),
        cmocka_unit_test(old_looks_are_no_verdict),
        cmocka_unit_test(never_attaching_is_a_failed_attachment_too),
        cmocka_unit_test(taken_by_another_meanwhile),
        cmocka_unit_test(a_lost_answer_is_open),
        cmocka_unit_test(a_refusal_ends_it),
        cmocka_unit_test(released_and_seen_free),
        cmocka_unit_test(released_and_another_has_it_already),
    };

    return cmocka_run_group_tests_name("ali_eni", tests, NULL, NULL);
}
