/* tests/unit/aws_route_claim.c - pointing routes at us: what is sent, and what becomes of each
 * step. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kit/vip/apply.h"
#include "tests/unit/aws_route.h"

#define OK(op) EC2_ANSWER(op, "<return>true</return>")

/* Locates for a claim, plans, claims.  The facts and the plan stay for a look at them. */
struct claim {
    struct kit_facts facts;
    struct kit_plan plan;
    size_t before; /* requests */
    struct kit_err err;
    int rc;
};

static struct claim claim(struct aws_world *w)
{
    const struct kit_mover *mover = aws_mover(w);
    struct claim c = {.facts = aws_facts_of_one(w, true)};

    /* The session and the endpoint are ready: nothing but the changes is asked for. */
    c.before = w->net.requests;
    if (kit_plan_claim(&c.facts, &c.plan, &c.err))
        fail_msg("%s", c.err.msg);
    c.rc = mover->claim(w->cloud, &w->settings[0], &c.facts, c.plan.step, c.plan.count,
                        aws_in_a_minute(w), &c.err);
    return c;
}

static void forget(struct claim *c)
{
    kit_plan_done(&c->plan);
    kit_facts_done(&c->facts);
}

static void all_in_flight_together(void **state)
{
    static const char tables[] = TABLES(TABLE("rtb-1", VIP_ON("2")) TABLE("rtb-2", "") TABLE(
        "rtb-3", VIP_ON("1")) TABLE("rtb-4", VIP_ON("3")));
    static const char *const bodies[] = {
        "Action=ModifyNetworkInterfaceAttribute&Version=2016-11-15&NetworkInterfaceId=eni-1"
        "&SourceDestCheck.Value=false",
        "Action=ReplaceRoute&Version=2016-11-15&RouteTableId=rtb-1"
        "&DestinationCidrBlock=10.1.0.10%2F32&NetworkInterfaceId=eni-1",
        "Action=CreateRoute&Version=2016-11-15&RouteTableId=rtb-2"
        "&DestinationCidrBlock=10.1.0.10%2F32&NetworkInterfaceId=eni-1",
        "Action=ReplaceRoute&Version=2016-11-15&RouteTableId=rtb-4"
        "&DestinationCidrBlock=10.1.0.10%2F32&NetworkInterfaceId=eni-1",
    };
    struct aws_world *w = route_begin();

    (void)state;
    aws_put(w, 0, KIT_PARAM_CREATE_ROUTE, "yes");
    aws_reply(w, "DescribeRouteTables", NULL, tables);
    aws_reply(w, "DescribeNetworkInterfaces", NULL, ENIS(ENI_ITEM("1", "true")));
    aws_reply(w, "ModifyNetworkInterfaceAttribute", NULL, OK("ModifyNetworkInterfaceAttribute"));
    aws_reply(w, "ReplaceRoute", NULL, OK("ReplaceRoute"));
    aws_reply(w, "CreateRoute", NULL, OK("CreateRoute"));
    struct claim c = claim(w);
    assert_int_equal(c.rc, 0);
    assert_int_equal(c.plan.count, 4);
    assert_int_equal(w->net.requests - c.before, 4);
    for (size_t i = 0; i < 4; i++) {
        assert_string_equal(w->net.request[c.before + i].body, bodies[i]);
        assert_int_equal(w->net.request[c.before + i].in_flight, i + 1);
        assert_int_equal(c.plan.step[i].result, KIT_STEP_DONE);
    }
    assert_int_equal(w->caller.stats.rounds, 2);
    forget(&c);
    aws_done(w);
}

static void ipv6_routes_are_named_as_such(void **state)
{
    static const char tables[] =
        TABLES(TABLE("rtb-1", ROUTE(V6("fd00::a/128"), TO_ENI("2"), "active", "CreateRoute")));
    struct aws_world *w = aws_begin("route-table");

    (void)state;
    aws_put(w, 0, KIT_PARAM_ADDRESS, "FD00::0A");
    aws_put(w, 0, KIT_PARAM_ENI, "eni-1");
    aws_put(w, 0, KIT_PARAM_VPC_ID, "vpc-1");
    aws_put(w, 0, KIT_PARAM_SOURCE_DEST_CHECK, "ignore");
    aws_reply(w, "DescribeRouteTables", NULL, tables);
    aws_reply(w, "ReplaceRoute", NULL, OK("ReplaceRoute"));
    struct claim c = claim(w);
    assert_int_equal(c.rc, 0);
    assert_string_equal(w->net.request[c.before].body,
                        "Action=ReplaceRoute&Version=2016-11-15&RouteTableId=rtb-1"
                        "&DestinationIpv6CidrBlock=fd00%3A%3Aa%2F128&NetworkInterfaceId=eni-1");
    forget(&c);
    aws_done(w);
}

static void each_step_has_its_own_result(void **state)
{
    static const struct {
        struct fake_answer answer;
        enum kit_step_result result;
        enum kit_err_kind kind;
        unsigned requests;
    } rows[] = {
        {{.status = 200, .body = OK("ReplaceRoute")}, KIT_STEP_DONE, 0, 1},
        /* moto leaves the `return` out. */
        {{.status = 200, .body = EC2_ANSWER("ReplaceRoute", "")}, KIT_STEP_DONE, 0, 1},
        {{.how = FAKE_LOST}, KIT_STEP_OPEN, KIT_ERR_TRANSIENT, 1},
        {{.status = 500, .body = EC2_ERROR("InternalError", "x")},
         KIT_STEP_OPEN,
         KIT_ERR_TRANSIENT,
         1},
        {{.status = 503, .body = "<html/>"}, KIT_STEP_OPEN, KIT_ERR_TRANSIENT, 1},
        {{.status = 200, .body = "<html><body/></html>"}, KIT_STEP_OPEN, KIT_ERR_PROTOCOL, 1},
        {{.how = FAKE_NEVER}, KIT_STEP_OPEN, KIT_ERR_TIMEOUT, 1},
        {{.status = 400, .body = EC2_ERROR("RouteAlreadyExists", "x")},
         KIT_STEP_OPEN,
         KIT_ERR_REFUSED,
         1},
        {{.status = 403, .body = EC2_ERROR("UnauthorizedOperation", "x")},
         KIT_STEP_FAILED,
         KIT_ERR_DENIED,
         1},
        {{.status = 400,
          .body = EC2_ERROR("InvalidParameterValue", "There is no route defined for '10.1.0.10/32' "
                                                     "in the route table. Use CreateRoute")},
         KIT_STEP_FAILED,
         KIT_ERR_NOT_FOUND,
         1},
        {{.status = 400, .body = EC2_ERROR("InvalidRouteTableID.NotFound", "x")},
         KIT_STEP_FAILED,
         KIT_ERR_NOT_FOUND,
         1},
    };

    (void)state;
    for (size_t i = 0; i < KIT_LEN(rows); i++) {
        struct aws_world *w = route_begin();

        aws_put(w, 0, KIT_PARAM_SOURCE_DEST_CHECK, "ignore");
        aws_reply(w, "DescribeRouteTables", NULL, TABLES(TABLE("rtb-1", VIP_ON("2"))));
        aws_reply_with(w, "ReplaceRoute", rows[i].answer, 0);
        struct claim c = claim(w);
        if (c.plan.step[0].result != rows[i].result)
            fail_msg("row %zu: %d, %s", i, c.plan.step[0].result, c.err.msg);
        assert_int_equal(c.rc, rows[i].result == KIT_STEP_DONE ? 0 : -1);
        if (c.rc)
            assert_int_equal(c.plan.step[0].err.kind, rows[i].kind);
        assert_int_equal(w->net.requests - c.before, rows[i].requests);
        forget(&c);
        aws_done(w);
    }
}

static void what_certainly_changed_nothing_is_tried_again(void **state)
{
    static const struct fake_answer answers[] = {
        {.how = FAKE_NO_CONNECT},
        {.status = 503, .body = EC2_ERROR("RequestLimitExceeded", "x")},
        {.status = 400, .body = EC2_ERROR("IncorrectState", "x")},
    };

    (void)state;
    for (size_t i = 0; i < KIT_LEN(answers); i++) {
        struct aws_world *w = route_begin();

        aws_put(w, 0, KIT_PARAM_SOURCE_DEST_CHECK, "ignore");
        aws_reply(w, "DescribeRouteTables", NULL, TABLES(TABLE("rtb-1", VIP_ON("2"))));
        aws_reply_with(w, "ReplaceRoute", answers[i], 2);
        aws_reply(w, "ReplaceRoute", NULL, OK("ReplaceRoute"));
        struct claim c = claim(w);
        assert_int_equal(c.rc, 0);
        assert_int_equal(w->net.requests - c.before, 3);
        forget(&c);
        aws_done(w);
    }
}

/* ---- the whole move -------------------------------------------------------------------------- */

static struct kit_vip vip_of(struct aws_world *w)
{
    return (struct kit_vip){.cloud = w->cloud,
                            .mover = aws_mover(w),
                            .settings = &w->settings[0],
                            .clock = &w->kit_clock,
                            .by = aws_in_a_minute(w)};
}

static void a_move_is_three_rounds(void **state)
{
    struct aws_world *w = route_begin();
    struct kit_vip vip = vip_of(w);
    struct kit_err err;
    bool changed;

    (void)state;
    aws_reply_with(
        w, "DescribeRouteTables",
        (struct fake_answer){
            .status = 200, .body = TABLES(TABLE("rtb-1", VIP_ON("2")) TABLE("rtb-2", VIP_ON("2")))},
        1);
    aws_reply(w, "DescribeRouteTables", NULL,
              TABLES(TABLE("rtb-1", VIP_ON("1")) TABLE("rtb-2", VIP_ON("1"))));
    aws_reply(w, "DescribeNetworkInterfaces", NULL, ENIS(ENI_ITEM("1", "false")));
    aws_reply(w, "ReplaceRoute", NULL, OK("ReplaceRoute"));
    if (kit_vip_claim(&vip, &changed, &err))
        fail_msg("%s", err.msg);
    assert_true(changed);
    assert_int_equal(w->caller.stats.rounds, 3);
    assert_int_equal(w->caller.stats.calls, 2 + 2 + 1);
    assert_int_equal(w->clock.sleeps, 0);
    /* And once more: nothing to do. */
    assert_int_equal(kit_vip_claim(&vip, &changed, &err), 0);
    assert_false(changed);
    aws_done(w);
}

static void a_partial_move_names_what_failed(void **state)
{
    struct aws_world *w = route_begin();
    struct kit_vip vip = vip_of(w);
    struct kit_err err;
    bool changed;

    (void)state;
    aws_reply(w, "DescribeRouteTables", NULL,
              TABLES(TABLE("rtb-1", VIP_ON("2")) TABLE("rtb-2", VIP_ON("2"))));
    aws_reply(w, "DescribeNetworkInterfaces", NULL, ENIS(ENI_ITEM("1", "false")));
    aws_reply(w, "ReplaceRoute", "rtb-1&", OK("ReplaceRoute"));
    aws_reply_with(
        w, "ReplaceRoute",
        (struct fake_answer){.status = 403, .body = EC2_ERROR("UnauthorizedOperation", "no")}, 0);
    assert_int_equal(kit_vip_claim(&vip, &changed, &err), -1);
    assert_true(changed);
    assert_int_equal(err.kind, KIT_ERR_DENIED);
    assert_true(kit_str_starts(
        err.msg, "1 of 2 changes done: rtb-2: ReplaceRoute: UnauthorizedOperation: no (HTTP 403"));
    aws_done(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_in_flight_together),
        cmocka_unit_test(ipv6_routes_are_named_as_such),
        cmocka_unit_test(each_step_has_its_own_result),
        cmocka_unit_test(what_certainly_changed_nothing_is_tried_again),
        cmocka_unit_test(a_move_is_three_rounds),
        cmocka_unit_test(a_partial_move_names_what_failed),
    };
    return cmocka_run_group_tests_name("aws/route_table, claim", tests, NULL, NULL);
}
