/* kit/cloud/aliyun/route_change: entries pointed here, one after the other. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/unit/ali_routes.h"

/* ---- pointing it here ------------------------------------------------------------------------ */

static struct ali_world *with_theirs(void)
{
    struct ali_world *w = one_table();

    ali_reply(w, LOOK, NULL, ENIS(OURS "," THEIRS));
    ali_reply_once(w, READ, NULL, ON("eni-1"));
    return w;
}

static void modified_in_place_and_seen(void **state)
{
    struct ali_world *w = with_theirs();

    (void)state;
    ali_reply(w, MODIFY, NULL, ALI_OK);
    ali_reply_once(w, READ, NULL, ENTRIES(ENTRY("Modifying", "eni-1")));
    ali_reply(w, READ, NULL, ON("eni-2"));
    struct kit_step step = ali_claim(w, 1);
    assert_int_equal(step.result, KIT_STEP_DONE);
    ali_assert_calls(w, READ " " LOOK " " MODIFY " " READ " " READ);
    fake_assert_text(ali_query(w, MODIFY, 0), "NewNextHopId=eni-2");
    fake_assert_text(ali_query(w, MODIFY, 0), "NewNextHopType=NetworkInterface");
    fake_assert_text(ali_query(w, MODIFY, 0), "DestinationCidrBlock=10.1.0.10%2F32&");
    fake_assert_text(ali_query(w, MODIFY, 0), "RegionId=cn-shanghai");
    ali_done(w);
}

static void a_primary_interface_is_reached_through_its_instance(void **state)
{
    struct ali_world *w = one_table();

    (void)state;
    ali_reply(w, LOOK, NULL, ENIS(ENI("eni-2", "i-2", "InUse", "Primary") "," THEIRS));
    ali_reply_once(w, READ, NULL, ON("eni-1"));
    ali_reply(w, MODIFY, NULL, ALI_OK);
    ali_reply(w, READ, NULL,
              ENTRIES(ENTRY_OF("10.1.0.10/32", "Custom", "Available", HOP("Instance", "i-2"))));
    assert_int_equal(ali_claim(w, 1).result, KIT_STEP_DONE);
    fake_assert_text(ali_query(w, MODIFY, 0), "NewNextHopId=i-2");
    fake_assert_text(ali_query(w, MODIFY, 0), "NewNextHopType=Instance");
    ali_done(w);
}

static void a_task_under_way_is_waited_for(void **state)
{
    struct ali_world *w = with_theirs();

    (void)state;
    w->clock.chance = 0.5;
    ali_reply_with(w, MODIFY, NULL,
                   (struct fake_answer){.status = 409, .body = ALI_ERROR("TaskConflict")}, 3);
    ali_reply(w, MODIFY, NULL, ALI_OK);
    ali_reply(w, READ, NULL, ON("eni-2"));
    assert_int_equal(ali_claim(w, 1).result, KIT_STEP_DONE);
    assert_int_equal(ali_count(w, MODIFY), 4);
    ali_done(w);
}

static void stale_reads_are_waited_out(void **state)
{
    struct ali_world *w = with_theirs();

    (void)state;
    ali_reply(w, MODIFY, NULL, ALI_OK);
    ali_reply_with(w, READ, NULL, (struct fake_answer){.status = 200, .body = ON("eni-1")}, 3);
    ali_reply(w, READ, NULL, ON("eni-2"));
    assert_int_equal(ali_claim(w, 1).result, KIT_STEP_DONE);
    assert_int_equal(ali_count(w, MODIFY), 1);
    ali_done(w);
}

static void a_stale_read_after_a_long_change_too(void **state)
{
    struct ali_world *w = with_theirs();

    (void)state;
    ali_reply(w, MODIFY, NULL, ALI_OK);
    ali_reply_with(
        w, READ, NULL,
        (struct fake_answer){.status = 200, .body = ENTRIES(ENTRY("Modifying", "eni-1"))}, 10);
    ali_reply_once(w, READ, NULL, ON("eni-1"));
    ali_reply(w, READ, NULL, ON("eni-2"));
    assert_int_equal(ali_claim(w, 1).result, KIT_STEP_DONE);
    ali_done(w);
}

static void one_that_stays_between_two_states_is_not_done(void **state)
{
    struct ali_world *w = with_theirs();

    (void)state;
    ali_reply(w, MODIFY, NULL, ALI_OK);
    ali_reply(w, READ, NULL, ENTRIES(ENTRY("Modifying", "eni-1")));
    struct kit_step step = ali_claim(w, 1);
    assert_int_equal(step.result, KIT_STEP_OPEN);
    fake_assert_text(step.err.msg, "accepted, and the entry is still Modifying");
    assert_int_equal(ali_count(w, MODIFY), 1);
    ali_done(w);
}

static void accepted_and_ignored_is_told(void **state)
{
    struct ali_world *w = with_theirs();

    (void)state;
    ali_put(w, 0, KIT_PARAM_CREATE_ROUTE, "yes"); /* no reason to delete anything either */
    ali_reply(w, MODIFY, NULL, ALI_OK);
    ali_reply(w, READ, NULL, ON("eni-1"));
    struct kit_step step = ali_claim(w, 1);
    assert_int_equal(step.result, KIT_STEP_FAILED);
    assert_int_equal(step.err.kind, KIT_ERR_CONFLICT);
    fake_assert_text(step.err.msg, "eni-1");
    fake_assert_text(step.err.msg, "NewNextHopId");
    assert_int_equal(ali_count(w, DELETE), 0);
    ali_done(w);
}

static void a_lost_answer_leaves_it_open(void **state)
{
    struct ali_world *w = with_theirs();

    (void)state;
    ali_reply_with(w, MODIFY, NULL, (struct fake_answer){.how = FAKE_LOST}, 0);
    assert_int_equal(ali_claim(w, 1).result, KIT_STEP_OPEN);
    assert_int_equal(ali_count(w, MODIFY), 1); /* it has no token */
    ali_done(w);
}

static void an_entry_that_is_gone_is_looked_for_again(void **state)
{
    struct ali_world *w = with_theirs();

    (void)state;
    ali_reply_with(
        w, MODIFY, NULL,
        (struct fake_answer){.status = 404, .body = ALI_ERROR("InvalidRouteEntry.NotFound")}, 0);
    assert_int_equal(ali_claim(w, 1).result, KIT_STEP_OPEN);
    ali_done(w);
}

static void one_failure_does_not_stop_the_others(void **state)
{
    struct ali_world *w = one_table();

    (void)state;
    ali_put(w, 0, KIT_PARAM_ROUTE_TABLES, "vtb-1, vtb-2");
    ali_reply(w, LOOK, NULL, ENIS(OURS "," THEIRS));
    ali_reply_with(w, READ, NULL, (struct fake_answer){.status = 200, .body = ON("eni-1")}, 2);
    ali_reply(w, READ, NULL, ON("eni-2"));
    ali_reply_with(w, MODIFY, NULL,
                   (struct fake_answer){.status = 403, .body = ALI_ERROR("Forbidden.RAM")}, 1);
    ali_reply(w, MODIFY, NULL, ALI_OK);
    struct kit_step worst = ali_claim(w, 2);
    assert_int_equal(worst.result, KIT_STEP_FAILED);
    assert_int_equal(worst.err.kind, KIT_ERR_DENIED);
    assert_int_equal(ali_count(w, MODIFY), 2);
    ali_done(w);
}

static void missing_is_refused_or_created(void **state)
{
    struct ali_world *w = one_table();

    (void)state;
    ali_reply(w, LOOK, NULL, ENIS(OURS));
    ali_reply_with(w, READ, NULL, (struct fake_answer){.status = 200, .body = ENTRIES("")}, 2);
    struct kit_err err = ali_refusal(w);
    fake_assert_text(err.msg, "create_route");
    ali_put(w, 0, KIT_PARAM_CREATE_ROUTE, "yes");
    ali_reply_with(w, CREATE, NULL, (struct fake_answer){.how = FAKE_LOST}, 1);
    ali_reply(w, CREATE, NULL, ALI_ANSWER("\"RouteEntryId\":\"rte-9\""));
    ali_reply_once(w, READ, NULL, ENTRIES(ENTRY("Pending", "eni-2")));
    ali_reply(w, READ, NULL, ON("eni-2"));
    assert_int_equal(ali_claim(w, 1).result, KIT_STEP_DONE);
    /* The answer was lost: sent again with the same token. */
    assert_int_equal(ali_count(w, CREATE), 2);
    const char *first = strstr(ali_query(w, CREATE, 0), "ClientToken=");
    const char *second = strstr(ali_query(w, CREATE, 1), "ClientToken=");
    assert_non_null(first);
    assert_memory_equal(first, second, strlen("ClientToken=") + 36);
    fake_assert_text(ali_query(w, CREATE, 0), "DestinationCidrBlock=10.1.0.10%2F32");
    fake_assert_text(ali_query(w, CREATE, 0), "NextHopType=NetworkInterface");
    ali_done(w);
}

static void created_by_another_meanwhile_is_open(void **state)
{
    struct ali_world *w = one_table();

    (void)state;
    ali_put(w, 0, KIT_PARAM_CREATE_ROUTE, "yes");
    ali_reply(w, LOOK, NULL, ENIS(OURS));
    ali_reply(w, READ, NULL, ENTRIES(""));
    ali_reply_with(
        w, CREATE, NULL,
        (struct fake_answer){.status = 400, .body = ALI_ERROR("RouterEntryConflict.Duplicated")},
        0);
    assert_int_equal(ali_claim(w, 1).result, KIT_STEP_OPEN);
    ali_done(w);
}

/* ---- endpoints that cannot change a next hop ------------------------------------------------- */

static struct ali_world *endpoint_that_says(const char *error)
{
    struct ali_world *w = with_theirs();

    ali_reply_with(w, MODIFY, NULL, (struct fake_answer){.status = 400, .body = error}, 0);
    return w;
}

static struct ali_world *old_endpoint(void)
{
    return endpoint_that_says(ALI_ERROR("UnsupportedParameter"));
}

static void without_create_route_nothing_is_deleted(void **state)
{
    /* The second one knows of name and description alone, and wants one of them. */
    static const char *const errors[] = {ALI_ERROR("UnsupportedParameter"),
                                         ALI_ERROR("MissingParameter"),
                                         ALI_ERROR("MissingParameter.RouteEntryName")};

    (void)state;
    for (size_t i = 0; i < KIT_LEN(errors); i++) {
        struct ali_world *w = endpoint_that_says(errors[i]);
        struct kit_step step = ali_claim(w, 1);

        assert_int_equal(step.result, KIT_STEP_FAILED);
        assert_int_equal(step.err.kind, KIT_ERR_CONFIG);
        fake_assert_text(step.err.msg, "create_route = yes");
        ali_assert_calls(w, READ " " LOOK " " MODIFY);
        ali_done(w);
    }
}

static void deleted_on_condition_and_created(void **state)
{
    struct ali_world *w = old_endpoint();

    (void)state;
    ali_put(w, 0, KIT_PARAM_CREATE_ROUTE, "yes");
    ali_reply(w, DELETE, NULL, ALI_OK);
    ali_reply(w, CREATE, NULL, ALI_OK);
    ali_reply_once(w, READ, NULL, ENTRIES(ENTRY("Deleting", "eni-1")));
    ali_reply_once(w, READ, NULL, ENTRIES(""));
    ali_reply(w, READ, NULL, ON("eni-2"));
    assert_int_equal(ali_claim(w, 1).result, KIT_STEP_DONE);
    ali_assert_calls(w, READ " " LOOK " " MODIFY " " DELETE " " READ " " READ " " CREATE " " READ);
    fake_assert_text(ali_query(w, DELETE, 0), "NextHopId=eni-1");
    fake_assert_text(ali_query(w, DELETE, 0), "RouteTableId=vtb-1");
    fake_assert_text(ali_query(w, DELETE, 0), "DestinationCidrBlock=10.1.0.10%2F32");
    ali_done(w);
}

static void not_deleted_when_it_moved_meanwhile(void **state)
{
    struct ali_world *w = old_endpoint();

    (void)state;
    ali_put(w, 0, KIT_PARAM_CREATE_ROUTE, "yes");
    ali_reply_with(
        w, DELETE, NULL,
        (struct fake_answer){.status = 404, .body = ALI_ERROR("InvalidRouteEntry.NotFound")}, 0);
    assert_int_equal(ali_claim(w, 1).result, KIT_STEP_OPEN);
    assert_int_equal(ali_count(w, CREATE), 0);
    ali_done(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(modified_in_place_and_seen),
        cmocka_unit_test(a_primary_interface_is_reached_through_its_instance),
        cmocka_unit_test(a_task_under_way_is_waited_for),
        cmocka_unit_test(stale_reads_are_waited_out),
        cmocka_unit_test(a_stale_read_after_a_long_change_too),
        cmocka_unit_test(one_that_stays_between_two_states_is_not_done),
        cmocka_unit_test(accepted_and_ignored_is_told),
        cmocka_unit_test(a_lost_answer_leaves_it_open),
        cmocka_unit_test(an_entry_that_is_gone_is_looked_for_again),
        cmocka_unit_test(one_failure_does_not_stop_the_others),
        cmocka_unit_test(missing_is_refused_or_created),
        cmocka_unit_test(created_by_another_meanwhile_is_open),
        cmocka_unit_test(without_create_route_nothing_is_deleted),
        cmocka_unit_test(deleted_on_condition_and_created),
        cmocka_unit_test(not_deleted_when_it_moved_meanwhile),
    };

    return cmocka_run_group_tests_name("ali_route_change", tests, NULL, NULL);
}
