/* tests/unit/aws_elastic_ip.c - whose an Elastic IP is, taking it, and letting go of our
 * association alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kit/vip/apply.h"
#include "kit/vip/where.h"
#include "tests/unit/aws_world.h"

#define ADDRESS(ip, id, association)                                                               \
    "<item><publicIp>" ip "</publicIp><allocationId>" id "</allocationId><domain>vpc</domain>"     \
    "<networkBorderGroup>eu-west-1</networkBorderGroup><publicIpv4Pool>amazon</publicIpv4Pool>"    \
    "<tagSet/>" association "</item>\n"
#define BOUND(association, instance, eni, private_address)                                         \
    "<associationId>" association "</associationId>" instance "<networkInterfaceId>" eni           \
    "</networkInterfaceId><networkInterfaceOwnerId>123456789012</networkInterfaceOwnerId>"         \
    "<privateIpAddress>" private_address "</privateIpAddress>"
#define NODE(id)       "<instanceId>" id "</instanceId>"
#define ADDRESSES(set) EC2_ANSWER("DescribeAddresses", "<addressesSet>" set "</addressesSet>")

#define OURS   BOUND("eipassoc-1", NODE("i-1"), "eni-1", "10.0.0.5")
#define OTHERS BOUND("eipassoc-2", NODE("i-2"), "eni-2", "10.0.0.9")
#define ORPHAN BOUND("eipassoc-3", "", "eni-3", "10.0.0.9")
#define IP     "198.51.100.7"

#define ENI(id, type, managed)                                                                     \
    EC2_ANSWER("DescribeNetworkInterfaces",                                                        \
               "<networkInterfaceSet><item><networkInterfaceId>" id "</networkInterfaceId>" type   \
               "<requesterManaged>" managed "</requesterManaged></item></networkInterfaceSet>")
#define TYPE(type) "<interfaceType>" type "</interfaceType>"

static struct aws_world *begin(void)
{
    struct aws_world *w = aws_begin("elastic-ip");

    aws_put(w, 0, KIT_PARAM_ADDRESS, IP);
    aws_put(w, 0, KIT_PARAM_ENI, "eni-1");
    return w;
}

static void add(struct aws_world *w, enum kit_param param, const char *value)
{
    size_t n = aws_resource(w, "elastic-ip");

    aws_put(w, n, param, value);
    aws_put(w, n, KIT_PARAM_ENI, "eni-1");
}

/* ---- where it is ----------------------------------------------------------------------------- */

static void every_kind_of_binding(void **state)
{
    static const struct {
        const char *body, *handle, *holder, *node, *detail;
        enum kit_binding_state state;
        bool mine;
    } rows[] = {
        {ADDRESSES(ADDRESS(IP, "eipalloc-1", "")), "", "", "", "", KIT_BINDING_FREE, false},
        /* Empty elements are empty text. */
        {ADDRESSES(ADDRESS(IP, "eipalloc-1", "<instanceId/><associationId/>")), "", "", "", "",
         KIT_BINDING_FREE, false},
        {ADDRESSES(ADDRESS(IP, "eipalloc-1", OURS)), "eipassoc-1", "eni-1", "i-1", "10.0.0.5",
         KIT_BINDING_HELD, true},
        {ADDRESSES(ADDRESS(IP, "eipalloc-1", OTHERS)), "eipassoc-2", "eni-2", "i-2", "10.0.0.9",
         KIT_BINDING_HELD, false},
        {ADDRESSES(ADDRESS(IP, "eipalloc-1", ORPHAN)), "eipassoc-3", "eni-3", "", "10.0.0.9",
         KIT_BINDING_HELD, false},
        {ADDRESSES(ADDRESS(IP, "eipalloc-1", OTHERS "<serviceManaged>nlb</serviceManaged>")),
         "eipassoc-2", "eni-2", "i-2", "10.0.0.9", KIT_BINDING_FOREIGN, false},
        {ADDRESSES(ADDRESS(IP, "eipalloc-1", OURS "<serviceManaged>rnat</serviceManaged>")),
         "eipassoc-1", "eni-1", "i-1", "10.0.0.5", KIT_BINDING_FOREIGN, false},
    };

    (void)state;
    for (size_t i = 0; i < KIT_LEN(rows); i++) {
        struct aws_world *w = begin();

        aws_reply(w, "DescribeAddresses", NULL, rows[i].body);
        struct kit_facts facts = aws_facts_of_one(w, false);
        assert_int_equal(facts.count, 1);
        const struct kit_binding *b = facts.binding;
        assert_string_equal(b->place, "eipalloc-1");
        assert_int_equal(b->state, rows[i].state);
        assert_string_equal(b->handle, rows[i].handle);
        assert_string_equal(b->holder, rows[i].holder);
        assert_string_equal(b->node, rows[i].node);
        assert_string_equal(b->detail, rows[i].detail);
        assert_int_equal(b->mine, rows[i].mine);
        assert_int_equal(b->right, rows[i].mine);
        assert_int_equal(w->net.requests, 1); /* a check asks no more */
        assert_int_equal(w->caller.stats.metadata, 0);
        kit_facts_done(&facts);
        aws_done(w);
    }
}

static void ours_on_another_private_address_is_not_right(void **state)
{
    static const struct {
        const char *wanted;
        bool right;
    } rows[] = {{"10.0.0.5", true}, {"10.0.0.50", false}};

    (void)state;
    for (size_t i = 0; i < KIT_LEN(rows); i++) {
        struct aws_world *w = begin();

        aws_put(w, 0, KIT_PARAM_PRIVATE_ADDRESS, rows[i].wanted);
        aws_reply(w, "DescribeAddresses", NULL, ADDRESSES(ADDRESS(IP, "eipalloc-1", OURS)));
        struct kit_facts facts = aws_facts_of_one(w, false);
        assert_true(facts.binding[0].mine);
        assert_int_equal(facts.binding[0].right, rows[i].right);
        kit_facts_done(&facts);
        aws_done(w);
    }
}

static void it_is_found_by_address_or_by_allocation(void **state)
{
    /* A server that ignores the filters. */
    static const char body[] =
        ADDRESSES(ADDRESS("198.51.100.70", "eipalloc-2", OTHERS) ADDRESS(IP, "eipalloc-1", OURS));
    struct aws_world *w = begin();

    (void)state;
    aws_reply(w, "DescribeAddresses", NULL, body);
    struct kit_facts facts = aws_facts_of_one(w, false);
    assert_int_equal(facts.count, 1);
    assert_string_equal(facts.binding[0].place, "eipalloc-1");
    assert_string_equal(w->net.request[0].body,
                        "Action=DescribeAddresses&Version=2016-11-15&Filter.1.Name=public-ip"
                        "&Filter.1.Value.1=198.51.100.7");
    kit_facts_done(&facts);

    aws_put(w, 0, KIT_PARAM_ALLOCATION_ID, "eipalloc-2"); /* which is another address */
    struct kit_query query = aws_locate_one(w, false);
    assert_true(query.failed);
    assert_int_equal(query.err.kind, KIT_ERR_CONFIG);
    fake_assert_text(query.err.msg, "eipalloc-2 is 198.51.100.70, and address is 198.51.100.7");
    kit_facts_done(&query.facts);
    assert_string_equal(w->net.request[1].body,
                        "Action=DescribeAddresses&Version=2016-11-15&Filter.1.Name=allocation-id"
                        "&Filter.1.Value.1=eipalloc-2");
    aws_done(w);
}

static void one_that_is_not_there(void **state)
{
    struct aws_world *w = begin();

    (void)state;
    aws_reply(w, "DescribeAddresses", NULL, ADDRESSES(""));
    struct kit_facts facts = aws_facts_of_one(w, false);
    assert_int_equal(facts.count, 0);
    assert_int_equal(kit_where_is(&facts), KIT_WHERE_ELSEWHERE);
    kit_facts_done(&facts);
    struct kit_query query = aws_locate_one(w, true);
    assert_true(query.failed);
    assert_int_equal(query.err.kind, KIT_ERR_NOT_FOUND);
    fake_assert_text(query.err.msg, IP);
    kit_facts_done(&query.facts);
    aws_done(w);
}

/* ---- who is behind an association without an instance ---------------------------------------- */

static void only_nodes_are_taken_from(void **state)
{
    static const struct {
        struct fake_answer answer;
        enum kit_binding_state state;
    } rows[] = {
        {{.status = 200, .body = ENI("eni-3", TYPE("interface"), "false")}, KIT_BINDING_HELD},
        {{.status = 200, .body = ENI("eni-3", TYPE("efa"), "false")}, KIT_BINDING_HELD},
        {{.status = 200, .body = ENI("eni-3", TYPE("efa-only"), "false")}, KIT_BINDING_HELD},
        {{.status = 200, .body = ENI("eni-3", "", "false")}, KIT_BINDING_HELD},
        {{.status = 200, .body = ENI("eni-3", TYPE("nat_gateway"), "true")}, KIT_BINDING_FOREIGN},
        {{.status = 200, .body = ENI("eni-3", TYPE("nat_gateway"), "false")}, KIT_BINDING_FOREIGN},
        {{.status = 200, .body = ENI("eni-3", TYPE("network_load_balancer"), "false")},
         KIT_BINDING_FOREIGN},
        {{.status = 200, .body = ENI("eni-3", TYPE("interface"), "true")}, KIT_BINDING_FOREIGN},
        /* A server that tells of others says nothing of this one. */
        {{.status = 200, .body = ENI("eni-33", TYPE("nat_gateway"), "true")}, KIT_BINDING_HELD},
        /* Deleted meanwhile: it holds nothing any more. */
        {{.status = 400, .body = EC2_ERROR("InvalidNetworkInterfaceID.NotFound", "x")},
         KIT_BINDING_HELD},
    };

    (void)state;
    for (size_t i = 0; i < KIT_LEN(rows); i++) {
        struct aws_world *w = begin();

        aws_reply(w, "DescribeAddresses", NULL, ADDRESSES(ADDRESS(IP, "eipalloc-1", ORPHAN)));
        aws_reply_with(w, "DescribeNetworkInterfaces", rows[i].answer, 0);
        struct kit_facts facts = aws_facts_of_one(w, true);
        assert_int_equal(facts.binding[0].state, rows[i].state);
        assert_string_equal(
            w->net.request[1].body,
            "Action=DescribeNetworkInterfaces&Version=2016-11-15&NetworkInterfaceId.1=eni-3");
        kit_facts_done(&facts);
        aws_done(w);
    }
}

static void who_cannot_be_seen_is_not_taken_from(void **state)
{
    struct aws_world *w = begin();

    (void)state;
    aws_reply(w, "DescribeAddresses", NULL, ADDRESSES(ADDRESS(IP, "eipalloc-1", ORPHAN)));
    aws_reply_with(
        w, "DescribeNetworkInterfaces",
        (struct fake_answer){.status = 403, .body = EC2_ERROR("UnauthorizedOperation", "no")}, 0);
    struct kit_query query = aws_locate_one(w, true);
    assert_true(query.failed);
    assert_int_equal(query.err.kind, KIT_ERR_DENIED);
    fake_assert_text(query.err.msg, "find out what eni-3 is, which has eipalloc-1");
    kit_facts_done(&query.facts);
    aws_done(w);
}

static void an_instance_needs_no_second_look(void **state)
{
    struct aws_world *w = begin();

    (void)state;
    aws_reply(w, "DescribeAddresses", NULL, ADDRESSES(ADDRESS(IP, "eipalloc-1", OTHERS)));
    struct kit_facts facts = aws_facts_of_one(w, true);
    assert_int_equal(w->net.requests, 1);
    kit_facts_done(&facts);
    aws_done(w);
}

/* ---- many ------------------------------------------------------------------------------------ */

static void addresses_share_calls(void **state)
{
    struct aws_world *w = begin();
    static struct kit_query query[RESOURCES];
    struct kit_err err;
    char text[32];

    (void)state;
    add(w, KIT_PARAM_ALLOCATION_ID, "eipalloc-2");
    for (unsigned i = 1; i < 205; i++) { /* 205 by address: more than EC2 takes in one call */
        assert_true(kit_str_format(text, sizeof(text), "203.0.113.%u", i));
        add(w, KIT_PARAM_ADDRESS, text);
    }
    aws_reply(w, "DescribeAddresses", NULL,
              ADDRESSES(ADDRESS(IP, "eipalloc-1", OURS)
                            ADDRESS("198.51.100.8", "eipalloc-2", OTHERS)
                                ADDRESS("203.0.113.204", "eipalloc-3", "")));
    if (aws_locate(w, query, false, &err))
        fail_msg("%s", err.msg);
    assert_int_equal(w->net.requests, 3);
    assert_null(strstr(w->net.request[0].body, "Value.2="));
    fake_assert_text(w->net.request[1].body, "Filter.1.Value.200=");
    assert_null(strstr(w->net.request[1].body, "Value.201="));
    fake_assert_text(w->net.request[2].body, "Filter.1.Value.5=203.0.113.204");
    assert_string_equal(query[0].facts.binding[0].holder, "eni-1");
    assert_string_equal(query[1].facts.binding[0].holder, "eni-2");
    assert_int_equal(query[2].facts.count, 0);
    assert_int_equal(query[205].facts.binding[0].state, KIT_BINDING_FREE);
    for (size_t i = 0; i < w->resources; i++)
        kit_facts_done(&query[i].facts);
    aws_done(w);
}

static void a_failed_call_fails_all_that_shared_it(void **state)
{
    struct aws_world *w = begin();
    static struct kit_query query[RESOURCES];
    struct kit_err err;

    (void)state;
    add(w, KIT_PARAM_ADDRESS, "203.0.113.1");
    add(w, KIT_PARAM_ALLOCATION_ID, "eipalloc-2");
    aws_reply(w, "DescribeAddresses", "allocation-id", ADDRESSES(""));
    aws_reply_with(
        w, "DescribeAddresses",
        (struct fake_answer){.status = 403, .body = EC2_ERROR("UnauthorizedOperation", "no")}, 0);
    if (aws_locate(w, query, false, &err))
        fail_msg("%s", err.msg);
    assert_true(query[0].failed && query[1].failed && !query[2].failed);
    assert_int_equal(query[1].err.kind, KIT_ERR_DENIED);
    for (size_t i = 0; i < w->resources; i++)
        kit_facts_done(&query[i].facts);
    aws_done(w);
}

/* ---- changes --------------------------------------------------------------------------------- */

static struct kit_vip vip_of(struct aws_world *w)
{
    return (struct kit_vip){.cloud = w->cloud,
                            .mover = aws_mover(w),
                            .settings = &w->settings[0],
                            .clock = &w->kit_clock,
                            .by = aws_in_a_minute(w)};
}

/* `first` once, then `then`. */
static void shows(struct aws_world *w, const char *first, const char *then)
{
    aws_reply_with(w, "DescribeAddresses", (struct fake_answer){.status = 200, .body = first}, 1);
    aws_reply(w, "DescribeAddresses", NULL, then);
}

static void it_is_taken_from_whoever_has_it(void **state)
{
    static const char *const private_address[] = {NULL, "10.0.0.5"};
    static const char *const bodies[] = {
        "Action=AssociateAddress&Version=2016-11-15&AllocationId=eipalloc-1"
        "&NetworkInterfaceId=eni-1&AllowReassociation=true",
        "Action=AssociateAddress&Version=2016-11-15&AllocationId=eipalloc-1"
        "&NetworkInterfaceId=eni-1&AllowReassociation=true&PrivateIpAddress=10.0.0.5",
    };

    (void)state;
    for (size_t i = 0; i < KIT_LEN(bodies); i++) {
        struct aws_world *w = begin();
        struct kit_vip vip = vip_of(w);
        struct kit_err err;
        bool changed;

        if (private_address[i])
            aws_put(w, 0, KIT_PARAM_PRIVATE_ADDRESS, private_address[i]);
        shows(w, ADDRESSES(ADDRESS(IP, "eipalloc-1", OTHERS)),
              ADDRESSES(ADDRESS(IP, "eipalloc-1", OURS)));
        aws_reply(w, "AssociateAddress", NULL,
                  EC2_ANSWER("AssociateAddress",
                             "<return>true</return><associationId>eipassoc-1</associationId>"));
        if (kit_vip_claim(&vip, &changed, &err))
            fail_msg("%s", err.msg);
        assert_true(changed);
        assert_int_equal(w->net.requests, 3);
        assert_string_equal(w->net.request[1].body, bodies[i]);
        aws_done(w);
    }
}

static void what_is_no_nodes_is_refused_without_a_change(void **state)
{
    struct aws_world *w = begin();
    struct kit_vip vip = vip_of(w);
    struct kit_err err;
    bool changed;

    (void)state;
    aws_reply(w, "DescribeAddresses", NULL, ADDRESSES(ADDRESS(IP, "eipalloc-1", ORPHAN)));
    aws_reply(w, "DescribeNetworkInterfaces", NULL, ENI("eni-3", TYPE("nat_gateway"), "true"));
    assert_int_equal(kit_vip_claim(&vip, &changed, &err), -1);
    assert_false(changed);
    assert_int_equal(err.kind, KIT_ERR_CONFIG);
    fake_assert_text(err.msg, "eipalloc-1 is bound to eni-3");
    aws_done(w);
}

static void a_claim_that_is_lost_or_taken_is_looked_at_and_repeated(void **state)
{
    static const struct fake_answer answers[] = {
        {.how = FAKE_LOST},
        {.status = 500, .body = EC2_ERROR("InternalError", "x")},
        {.status = 400, .body = EC2_ERROR("Resource.AlreadyAssociated", "x")},
    };

    (void)state;
    for (size_t i = 0; i < KIT_LEN(answers); i++) {
        struct aws_world *w = begin();
        struct kit_vip vip = vip_of(w);
        struct kit_err err;
        bool changed;

        aws_reply_with(w, "DescribeAddresses",
                       (struct fake_answer){.status = 200,
                                            .body = ADDRESSES(ADDRESS(IP, "eipalloc-1", OTHERS))},
                       2);
        aws_reply(w, "DescribeAddresses", NULL, ADDRESSES(ADDRESS(IP, "eipalloc-1", OURS)));
        aws_reply_with(w, "AssociateAddress", answers[i], 1);
        aws_reply(w, "AssociateAddress", NULL, EC2_ANSWER("AssociateAddress", ""));
        if (kit_vip_claim(&vip, &changed, &err))
            fail_msg("%s", err.msg);
        assert_int_equal(w->net.requests, 5); /* look, claim, look, claim, look */
        assert_int_equal(w->clock.sleeps, 1);
        aws_done(w);
    }
}

static void our_association_alone_is_released(void **state)
{
    struct aws_world *w = begin();
    struct kit_vip vip = vip_of(w);
    struct kit_err err;
    bool changed, held;

    (void)state;
    shows(w, ADDRESSES(ADDRESS(IP, "eipalloc-1", OURS)), ADDRESSES(ADDRESS(IP, "eipalloc-1", "")));
    aws_reply(w, "DisassociateAddress", NULL,
              EC2_ANSWER("DisassociateAddress", "<return>true</return>"));
    assert_int_equal(kit_vip_release(&vip, &changed, &held, &err), 0);
    assert_true(changed);
    assert_string_equal(w->net.request[1].body,
                        "Action=DisassociateAddress&Version=2016-11-15&AssociationId=eipassoc-1");
    aws_done(w);

    w = begin();
    vip = vip_of(w);
    aws_reply(w, "DescribeAddresses", NULL, ADDRESSES(ADDRESS(IP, "eipalloc-1", OTHERS)));
    assert_int_equal(kit_vip_release(&vip, &changed, &held, &err), 0);
    assert_false(changed);
    assert_int_equal(w->net.requests, 1);
    aws_done(w);
}

static void an_association_that_is_gone_is_released(void **state)
{
    struct aws_world *w = begin();
    struct kit_vip vip = vip_of(w);
    struct kit_err err;
    bool changed, held;

    (void)state;
    shows(w, ADDRESSES(ADDRESS(IP, "eipalloc-1", OURS)),
          ADDRESSES(ADDRESS(IP, "eipalloc-1", OTHERS)));
    aws_reply_with(w, "DisassociateAddress",
                   (struct fake_answer){.status = 400,
                                        .body = EC2_ERROR("InvalidAssociationID.NotFound", "x")},
                   0);
    if (kit_vip_release(&vip, &changed, &held, &err))
        fail_msg("%s", err.msg);
    assert_false(held);
    aws_done(w);
}

static void a_refused_release_is_held(void **state)
{
    struct aws_world *w = begin();
    struct kit_vip vip = vip_of(w);
    struct kit_err err;
    bool changed, held;

    (void)state;
    aws_reply(w, "DescribeAddresses", NULL, ADDRESSES(ADDRESS(IP, "eipalloc-1", OURS)));
    aws_reply_with(
        w, "DisassociateAddress",
        (struct fake_answer){.status = 403, .body = EC2_ERROR("UnauthorizedOperation", "no")}, 0);
    assert_int_equal(kit_vip_release(&vip, &changed, &held, &err), -1);
    assert_true(held);
    assert_int_equal(err.kind, KIT_ERR_DENIED);
    assert_true(kit_str_starts(err.msg, "eipalloc-1: DisassociateAddress: UnauthorizedOperation"));
    aws_done(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_of_binding),
        cmocka_unit_test(ours_on_another_private_address_is_not_right),
        cmocka_unit_test(it_is_found_by_address_or_by_allocation),
        cmocka_unit_test(one_that_is_not_there),
        cmocka_unit_test(only_nodes_are_taken_from),
        cmocka_unit_test(who_cannot_be_seen_is_not_taken_from),
        cmocka_unit_test(an_instance_needs_no_second_look),
        cmocka_unit_test(addresses_share_calls),
        cmocka_unit_test(a_failed_call_fails_all_that_shared_it),
        cmocka_unit_test(it_is_taken_from_whoever_has_it),
        cmocka_unit_test(what_is_no_nodes_is_refused_without_a_change),
        cmocka_unit_test(a_claim_that_is_lost_or_taken_is_looked_at_and_repeated),
        cmocka_unit_test(our_association_alone_is_released),
        cmocka_unit_test(an_association_that_is_gone_is_released),
        cmocka_unit_test(a_refused_release_is_held),
    };
    return cmocka_run_group_tests_name("aws/elastic_ip", tests, NULL, NULL);
}
