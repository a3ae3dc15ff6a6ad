/* tests/unit/aws_eni.c - where an interface is, and how it is walked from one instance to another.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/aws_world.h"

#define HEAD                                                                                       \
    "<item><networkInterfaceId>eni-1</networkInterfaceId><vpcId>vpc-1</vpcId>"                     \
    "<availabilityZone>eu-west-1a</availabilityZone>"
#define ATTACHMENT(id, node, index, state)                                                         \
    "<attachment><attachmentId>" id "</attachmentId><instanceId>" node "</instanceId>"             \
    "<deviceIndex>" index "</deviceIndex><status>" state "</status></attachment>"
#define NIC(status, more)   HEAD "<status>" status "</status>" more "</item>"
#define AT(id, node, state) NIC("in-use", ATTACHMENT(id, node, "2", state))
#define AVAILABLE           NIC("available", "")
#define SET(nics)                                                                                  \
    EC2_ANSWER("DescribeNetworkInterfaces", "<networkInterfaceSet>" nics "</networkInterfaceSet>")
#define INDEX(n)                                                                                   \
    "<item><networkInterfaceId>eni-x" n                                                            \
    "</networkInterfaceId>" ATTACHMENT("a" n, "i-me", n, "attached") "</item>"
#define DETACHED EC2_ANSWER("DetachNetworkInterface", "<return>true</return>")
#define ATTACHED EC2_ANSWER("AttachNetworkInterface", "<attachmentId>eni-attach-9</attachmentId>")
#define BY_ID    "network-interface-id"
#define BY_NODE  "attachment.instance-id"

static struct aws_world *begin(const char *zone)
{
    struct aws_world *w = aws_begin("eni");

    aws_put(w, 0, KIT_PARAM_ENI, "eni-1");
    aws_reply(w, "PUT api/token", NULL, "TOKEN");
    aws_reply(w, "GET meta-data/instance-id", NULL, "i-me\n");
    aws_reply(w, "GET meta-data/placement/availability-zone", NULL, zone);
    return w;
}

static void answers(struct aws_world *w, const char *body, unsigned times)
{
    aws_reply(w, "DescribeNetworkInterfaces", BY_ID, body);
    w->reply[w->replies - 1].times = times;
}

/* ---- where it is ----------------------------------------------------------------------------- */

static struct kit_binding found(const char *nics)
{
    struct aws_world *w = begin("eu-west-1a");

    answers(w, nics, 0);
    struct kit_facts facts = aws_facts_of_one(w, false);
    assert_string_equal(facts.me, "i-me");
    assert_string_equal(facts.my_node, "i-me");
    assert_int_equal(facts.count, 1);
    assert_int_equal(w->caller.stats.calls, 1);
    struct kit_binding b = facts.binding[0];
    assert_string_equal(b.place, "eni-1");
    kit_facts_done(&facts);
    aws_done(w);
    return b;
}

static void each_state_is_understood(void **state)
{
    static const struct {
        const char *nics;
        enum kit_binding_state state;
        const char *holder, *handle;
        bool mine, right;
    } cases[] = {
        {SET(AVAILABLE), KIT_BINDING_FREE, "", "", false, false},
        {SET(AT("a1", "i-me", "attached")), KIT_BINDING_HELD, "i-me", "a1", true, true},
        {SET(AT("a1", "i-me", "attaching")), KIT_BINDING_HELD, "i-me", "a1", true, false},
        {SET(AT("a1", "i-me", "detaching")), KIT_BINDING_HELD, "i-me", "a1", true, false},
        {SET(AT("a1", "i-2", "attached")), KIT_BINDING_HELD, "i-2", "a1", false, false},
        {SET(AT("a1", "i-2", "detaching")), KIT_BINDING_HELD, "i-2", "a1", false, false},
        {SET(NIC("in-use", ATTACHMENT("a1", "i-me", "0", "attached"))), KIT_BINDING_HELD, "i-me",
         "a1", false, false},
        {SET(NIC("in-use", "<interfaceType>nat_gateway</interfaceType>")), KIT_BINDING_FOREIGN, "",
         "", false, false},
        {SET(NIC("in-use", "<attachment><attachmentId>a1</attachmentId><instanceOwnerId>amazon-elb"
                           "</instanceOwnerId><status>attached</status></attachment>")),
         KIT_BINDING_FOREIGN, "", "a1", false, false},
    };

    (void)state;
    for (size_t i = 0; i < KIT_LEN(cases); i++) {
        struct kit_binding b = found(cases[i].nics);
        assert_int_equal(b.state, cases[i].state);
        assert_string_equal(b.holder, cases[i].holder);
        assert_string_equal(b.handle, cases[i].handle);
        assert_int_equal(b.mine, cases[i].mine);
        assert_int_equal(b.right, cases[i].right);
    }
}

static void rules_are_judged_for_a_claim(void **state)
{
    static const struct {
        const char *nics, *zone;
        unsigned broken; /* 0 = none */
    } cases[] = {
        {SET(AVAILABLE), "eu-west-1a", 0},
        {SET(AVAILABLE), "eu-west-1b", 53},
        {SET(AVAILABLE), "", 0}, /* not known */
        {SET(NIC("in-use", ATTACHMENT("a1", "i-2", "0", "attached"))), "eu-west-1a", 51},
    };

    (void)state;
    for (size_t i = 0; i < KIT_LEN(cases); i++) {
        struct aws_world *w = begin(cases[i].zone);
        answers(w, cases[i].nics, 0);
        struct kit_facts facts = aws_facts_of_one(w, true);
        assert_int_equal(facts.breaches, cases[i].broken != 0);
        if (cases[i].broken)
            assert_int_equal(facts.breach[0].rule->number, cases[i].broken);
        kit_facts_done(&facts);
        aws_done(w);
    }
}

static void what_is_not_there_is_nowhere_or_named(void **state)
{
    struct aws_world *w = begin("eu-west-1a");

    (void)state;
    answers(w, SET(""), 0);
    struct kit_facts facts = aws_facts_of_one(w, false);
    assert_int_equal(facts.count, 0);
    struct kit_query query = aws_locate_one(w, true);
    assert_true(query.failed);
    assert_int_equal(query.err.kind, KIT_ERR_NOT_FOUND);
    fake_assert_text(query.err.msg, "eni-1");
    aws_done(w);
}

static void without_metadata_nothing_is_known(void **state)
{
    struct aws_world *w = aws_begin("eni");
    struct kit_query query;
    struct kit_err err;

    (void)state;
    aws_put(w, 0, KIT_PARAM_ENI, "eni-1");
    aws_reply_with(w, "PUT api/token", (struct fake_answer){.how = FAKE_NO_CONNECT}, 0);
    assert_int_equal(aws_locate(w, &query, false, &err), -1);
    assert_int_equal(err.kind, KIT_ERR_TRANSIENT);
    fake_assert_text(err.msg, "find out which instance this is");
    aws_done(w);
}

/* ---- the walk -------------------------------------------------------------------------------- */

/* Locates it (the first answer), then claims or releases it. */
static struct kit_step walk(struct aws_world *w, bool release)
{
    struct kit_facts facts = aws_facts_of_one(w, !release);
    struct kit_step step = {.binding = &facts.binding[0]};
    struct kit_err err = {.msg = ""};
    const struct kit_mover *mover = aws_mover(w);
    int rc = (release ? mover->release : mover->claim)(w->cloud, &w->settings[0], &facts, &step, 1,
                                                       aws_in_a_minute(w), &err);

    assert_int_equal(rc == 0, step.result == KIT_STEP_DONE);
    if (rc && step.result == KIT_STEP_FAILED)
        assert_string_equal(err.msg, step.err.msg);
    kit_facts_done(&facts);
    step.binding = NULL;
    return step;
}

static unsigned sent(const struct aws_world *w, const char *part)
{
    unsigned n = 0;

    for (size_t i = 0; i < w->net.requests; i++)
        n += strstr(w->net.request[i].body, part) != NULL;
    return n;
}

static void it_is_detached_waited_for_and_attached(void **state)
{
    struct aws_world *w = begin("eu-west-1a");

    (void)state;
    aws_reply(w, "DescribeNetworkInterfaces", BY_NODE, SET(INDEX("0") INDEX("1") INDEX("3")));
    answers(w, SET(AT("a1", "i-2", "attached")), 2); /* where it is; a stale look */
    answers(w, SET(AT("a1", "i-2", "detaching")), 2);
    answers(w, SET(AVAILABLE), 2); /* free; a look before the attachment is shown */
    answers(w, SET(AT("a9", "i-me", "attaching")), 1);
    answers(w, SET(AT("a9", "i-me", "attached")), 1);
    aws_reply(w, "DetachNetworkInterface", NULL, DETACHED);
    aws_reply(w, "AttachNetworkInterface", NULL, ATTACHED);
    assert_int_equal(walk(w, false).result, KIT_STEP_DONE);
    assert_int_equal(sent(w, "Action=DetachNetworkInterface&Version=2016-11-15&AttachmentId=a1"),
                     1);
    assert_int_equal(sent(w, "Action=AttachNetworkInterface&Version=2016-11-15"
                             "&NetworkInterfaceId=eni-1&InstanceId=i-me&DeviceIndex=2"),
                     1);
    assert_int_equal(sent(w, "Force"), 0);
    /* The taken indexes are asked for beside the detachment: one round less than calls. */
    assert_int_equal(w->caller.stats.calls, w->caller.stats.rounds + 1);
    aws_done(w);
}

static void what_is_free_is_attached(void **state)
{
    struct aws_world *w = begin("eu-west-1a");

    (void)state;
    aws_reply(w, "DescribeNetworkInterfaces", BY_NODE, SET(INDEX("0")));
    answers(w, SET(AVAILABLE), 1);
    answers(w, SET(AT("a9", "i-me", "attached")), 1);
    aws_reply(w, "AttachNetworkInterface", NULL, ATTACHED);
    assert_int_equal(walk(w, false).result, KIT_STEP_DONE);
    assert_int_equal(sent(w, "DeviceIndex=1"), 1);
    assert_int_equal(w->caller.stats.calls, 4);
    aws_done(w);
}

static void what_is_on_its_way_here_is_waited_for(void **state)
{
    struct aws_world *w = begin("eu-west-1a");

    (void)state;
    answers(w, SET(AT("a9", "i-me", "attaching")), 3);
    answers(w, SET(AT("a9", "i-me", "attached")), 1);
    assert_int_equal(walk(w, false).result, KIT_STEP_DONE);
    assert_int_equal(sent(w, "Action=AttachNetworkInterface") + sent(w, "Action=Detach"), 0);
    aws_done(w);
}

static void a_detachment_that_is_gone_or_under_way_or_lost_is_no_failure(void **state)
{
    static const struct fake_answer cases[] = {
        {.status = 400, .body = EC2_ERROR("InvalidAttachmentID.NotFound", "does not exist")},
        {.status = 400, .body = EC2_ERROR("IncorrectState", "is detaching")},
        {.how = FAKE_LOST},
    };

    (void)state;
    for (size_t i = 0; i < KIT_LEN(cases); i++) {
        struct aws_world *w = begin("eu-west-1a");
        aws_reply(w, "DescribeNetworkInterfaces", BY_NODE, SET(INDEX("0")));
        answers(w, SET(AT("a1", "i-2", "attached")), 1);
        answers(w, SET(AVAILABLE), 1);
        answers(w, SET(AT("a9", "i-me", "attached")), 1);
        aws_reply_with(w, "DetachNetworkInterface", cases[i], 0);
        aws_reply(w, "AttachNetworkInterface", NULL, ATTACHED);
        assert_int_equal(walk(w, false).result, KIT_STEP_DONE);
        aws_done(w);
    }
}

static void a_refused_detachment_ends_it(void **state)
{
    struct aws_world *w = begin("eu-west-1a");

    (void)state;
    aws_reply(w, "DescribeNetworkInterfaces", BY_NODE, SET(INDEX("0")));
    answers(w, SET(AT("a1", "i-2", "attached")), 1);
    aws_reply_with(
        w, "DetachNetworkInterface",
        (struct fake_answer){.status = 403, .body = EC2_ERROR("UnauthorizedOperation", "no")}, 0);
    struct kit_step step = walk(w, false);
    assert_int_equal(step.result, KIT_STEP_FAILED);
    assert_int_equal(step.err.kind, KIT_ERR_DENIED);
    aws_done(w);
}

/* Half of a minute, and no attempt to attach what is not free. */
static void an_instance_that_does_not_let_go_is_named(void **state)
{
    struct aws_world *w = begin("eu-west-1a");

    (void)state;
    aws_reply(w, "DescribeNetworkInterfaces", BY_NODE, SET(INDEX("0")));
    answers(w, SET(AT("a1", "i-2", "attached")), 1);
    answers(w, SET(NIC("in-use", ATTACHMENT("a1", "i-2", "2", "detaching"))), 0);
    aws_reply(w, "DetachNetworkInterface", NULL, DETACHED);
    struct kit_step step = walk(w, false);
    assert_int_equal(step.result, KIT_STEP_FAILED);
    assert_int_equal(step.err.kind, KIT_ERR_TIMEOUT);
    fake_assert_text(step.err.msg,
                     "eni-1 is still in-use (detaching of a1), i-2 does not let it go");
    fake_assert_text(step.err.msg, "Force=true by hand");
    assert_in_range(w->clock.now_ns, 29 * KIT_NS_PER_S, 31 * KIT_NS_PER_S);
    assert_int_equal(sent(w, "Action=AttachNetworkInterface"), 0);
    aws_done(w);
}

static void taken_by_a_third_is_looked_at_again(void **state)
{
    (void)state;
    for (int attached = 0; attached < 2; attached++) { /* before and after our attachment */
        struct aws_world *w = begin("eu-west-1a");
        aws_reply(w, "DescribeNetworkInterfaces", BY_NODE, SET(INDEX("0")));
        answers(w, SET(AT("a1", "i-2", "attached")), 1);
        if (attached)
            answers(w, SET(AVAILABLE), 1);
        answers(w, SET(AT("a7", "i-3", "attached")), 0);
        aws_reply(w, "DetachNetworkInterface", NULL, DETACHED);
        aws_reply(w, "AttachNetworkInterface", NULL, ATTACHED);
        assert_int_equal(walk(w, false).result, KIT_STEP_OPEN);
        assert_int_equal(sent(w, "Action=AttachNetworkInterface"), (unsigned)attached);
        aws_done(w);
    }
}

static void a_taken_index_is_passed_over(void **state)
{
    struct aws_world *w = begin("eu-west-1a");

    (void)state;
    aws_reply(w, "DescribeNetworkInterfaces", BY_NODE, SET(INDEX("0")));
    answers(w, SET(AVAILABLE), 1);
    answers(w, SET(AT("a9", "i-me", "attached")), 1);
    aws_reply_with(w, "AttachNetworkInterface",
                   (struct fake_answer){
                       .status = 400,
                       .body = EC2_ERROR("InvalidParameterValue",
                                         "Instance 'i-me' already has an interface attached at "
                                         "device index '1'.")},
                   1);
    aws_reply(w, "AttachNetworkInterface", NULL, ATTACHED);
    assert_int_equal(walk(w, false).result, KIT_STEP_DONE);
    assert_int_equal(sent(w, "DeviceIndex=1"), 1);
    assert_int_equal(sent(w, "DeviceIndex=2"), 1);
    aws_done(w);
}

static void a_lost_answer_to_the_attachment_is_looked_at_again(void **state)
{
    struct aws_world *w = begin("eu-west-1a");

    (void)state;
    aws_reply(w, "DescribeNetworkInterfaces", BY_NODE, SET(INDEX("0")));
    answers(w, SET(AVAILABLE), 1);
    aws_reply_with(w, "AttachNetworkInterface", (struct fake_answer){.how = FAKE_LOST}, 0);
    assert_int_equal(walk(w, false).result, KIT_STEP_OPEN);
    assert_int_equal(sent(w, "Action=AttachNetworkInterface"), 1);
    aws_done(w);
}

static void a_release_waits_until_it_is_free(void **state)
{
    struct aws_world *w = begin("eu-west-1a");

    (void)state;
    answers(w, SET(AT("a1", "i-me", "attached")), 2);
    answers(w, SET(AT("a1", "i-me", "detaching")), 1);
    answers(w, SET(AVAILABLE), 1);
    aws_reply(w, "DetachNetworkInterface", NULL, DETACHED);
    assert_int_equal(walk(w, true).result, KIT_STEP_DONE);
    assert_int_equal(sent(w, "AttachmentId=a1"), 1);
    assert_int_equal(w->caller.stats.calls, 5);
    aws_done(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_state_is_understood),
        cmocka_unit_test(rules_are_judged_for_a_claim),
        cmocka_unit_test(what_is_not_there_is_nowhere_or_named),
        cmocka_unit_test(without_metadata_nothing_is_known),
        cmocka_unit_test(it_is_detached_waited_for_and_attached),
        cmocka_unit_test(what_is_free_is_attached),
        cmocka_unit_test(what_is_on_its_way_here_is_waited_for),
        cmocka_unit_test(a_detachment_that_is_gone_or_under_way_or_lost_is_no_failure),
        cmocka_unit_test(a_refused_detachment_ends_it),
        cmocka_unit_test(an_instance_that_does_not_let_go_is_named),
        cmocka_unit_test(taken_by_a_third_is_looked_at_again),
        cmocka_unit_test(a_taken_index_is_passed_over),
        cmocka_unit_test(a_lost_answer_to_the_attachment_is_looked_at_again),
        cmocka_unit_test(a_release_waits_until_it_is_free),
    };
    return cmocka_run_group_tests_name("aws_eni", tests, NULL, NULL);
}
