/* tests/unit/vip_plan.c - what has to change, and what is refused before anything is changed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "kit/base/mem.h"
#include "kit/vip/plan.h"
#include "tests/unit/fakes.h"
#include "tests/unit/vip_facts.h"

/* The evidence of these tests: the numbers of the rules that are broken. */
static enum kit_rule_answer is_broken(const void *evidence, unsigned number, struct kit_buf *detail)
{
    for (const unsigned *broken = evidence; *broken; broken++) {
        if (*broken != number)
            continue;
        (void)kit_buf_printf(detail, "what was seen of %u", number);
        return KIT_RULE_BROKEN;
    }
    return KIT_RULE_NOT_KNOWN;
}

static enum kit_rule_answer check_20(const void *evidence, struct kit_buf *detail)
{
    return is_broken(evidence, 20, detail);
}

static enum kit_rule_answer check_66(const void *evidence, struct kit_buf *detail)
{
    return is_broken(evidence, 66, detail);
}

static const struct kit_rule rules[] = {
    {20, KIT_RULE_WARN, "it may not work", "look there", check_20},
    {66, KIT_RULE_REFUSE, "packets are dropped", "switch it off", check_66},
};

static void here_needs_nothing(void **state)
{
    struct kit_facts facts;
    struct kit_plan plan;
    struct kit_err err;

    (void)state;
    facts_begin(&facts);
    facts_add(&facts, "rtb-1", KIT_BINDING_HELD, ME);
    facts_add(&facts, "rtb-2", KIT_BINDING_HELD, ME);
    assert_int_equal(kit_plan_claim(&facts, &plan, &err), 0);
    assert_int_equal(plan.count, 0);
    kit_plan_done(&plan);
    kit_facts_done(&facts);
}

static void no_facts_no_steps(void **state)
{
    struct kit_facts facts;
    struct kit_plan plan;
    struct kit_err err;

    (void)state;
    facts_begin(&facts);
    assert_int_equal(kit_plan_claim(&facts, &plan, &err), 0);
    assert_int_equal(plan.count, 0);
    kit_plan_done(&plan);
    kit_plan_release(&facts, &plan);
    assert_int_equal(plan.count, 0);
    kit_plan_done(&plan);
}

static void whatever_is_not_right_is_a_step(void **state)
{
    struct kit_facts facts;
    struct kit_plan plan;
    struct kit_err err;

    (void)state;
    facts_begin(&facts);
    facts_add(&facts, "rtb-1", KIT_BINDING_HELD, "eni-a");
    facts_add(&facts, "rtb-2", KIT_BINDING_HELD, ME);
    facts_add(&facts, "rtb-3", KIT_BINDING_BLACKHOLE, "eni-x");
    facts_add(&facts, "rtb-4", KIT_BINDING_FREE, "");
    facts_add(&facts, "rtb-5", KIT_BINDING_ABSENT, "");
    facts_add(&facts, "rtb-6", KIT_BINDING_HELD, ME)->right = false;
    facts_add(&facts, "rtb-7", KIT_BINDING_BLACKHOLE, ME);
    facts_need(&facts);
    assert_int_equal(kit_plan_claim(&facts, &plan, &err), 0);
    assert_int_equal(plan.count, 7);
    assert_ptr_equal(plan.step[0].need, &facts.need[0]);
    assert_null(plan.step[0].binding);
    assert_string_equal(kit_step_place(&plan.step[0]), ME);
    static const char *const places[] = {"rtb-1", "rtb-3", "rtb-4", "rtb-5", "rtb-6", "rtb-7"};
    for (size_t i = 0; i < KIT_LEN(places); i++) {
        assert_string_equal(kit_step_place(&plan.step[i + 1]), places[i]);
        assert_null(plan.step[i + 1].need);
        assert_int_equal(plan.step[i + 1].result, KIT_STEP_PENDING);
    }
    kit_plan_done(&plan);
    kit_facts_done(&facts);
}

/* Refused; *plan stays untouched. */
static void assert_refused(const struct kit_facts *facts, const char *const parts[], size_t count)
{
    struct kit_plan plan = {.count = 77};
    struct kit_err err;

    assert_int_equal(kit_plan_claim(facts, &plan, &err), -1);
    assert_int_equal(err.kind, KIT_ERR_CONFIG);
    assert_int_equal(plan.count, 77);
    for (size_t i = 0; i < count; i++)
        fake_assert_text(err.msg, parts[i]);
}

static void what_is_no_node_is_never_taken(void **state)
{
    static const char *const parts[] = {"rtb-2", "nat-1", "no node"};
    static const char *const managed[] = {"eipalloc-1", "a service of the cloud"};
    struct kit_facts facts;

    (void)state;
    facts_begin(&facts);
    facts_add(&facts, "rtb-1", KIT_BINDING_HELD, "eni-a");
    facts_add(&facts, "rtb-2", KIT_BINDING_FOREIGN, "nat-1");
    assert_refused(&facts, parts, KIT_LEN(parts));
    kit_facts_done(&facts);
    facts_begin(&facts);
    facts_add(&facts, "eipalloc-1", KIT_BINDING_FOREIGN, "");
    assert_refused(&facts, managed, KIT_LEN(managed));
    kit_facts_done(&facts);
}

static void missing_routes_are_named_together(void **state)
{
    static const char *const parts[] = {"rtb-2, rtb-4", "create_route = yes", "route_tables"};
    struct kit_facts facts;

    (void)state;
    facts_begin(&facts);
    facts_add(&facts, "rtb-1", KIT_BINDING_HELD, ME);
    facts_add(&facts, "rtb-2", KIT_BINDING_MISSING, "");
    facts_add(&facts, "rtb-3", KIT_BINDING_ABSENT, "");
    facts_add(&facts, "rtb-4", KIT_BINDING_MISSING, "");
    assert_refused(&facts, parts, KIT_LEN(parts));
    kit_facts_done(&facts);
}

static void many_missing_routes_fit_into_a_message(void **state)
{
    static const char *const parts[] = {"rtb-000", ", ...", "create_route"};
    struct kit_facts facts;

    (void)state;
    facts_begin(&facts);
    for (unsigned i = 0; i < 200; i++) {
        char place[16];
        assert_true(kit_str_format(place, sizeof(place), "rtb-%03u", i));
        facts_add(&facts, place, KIT_BINDING_MISSING, "");
    }
    assert_refused(&facts, parts, KIT_LEN(parts));
    kit_facts_done(&facts);
}

static void a_broken_rule_refuses_by_its_number(void **state)
{
    static const char *const parts[] = {"rule 66", "what was seen of 66", "packets are dropped",
                                        "switch it off"};
    static const unsigned both[] = {20, 66, 0}, only_warning[] = {20, 0}, none[] = {0};
    struct kit_facts facts;
    struct kit_plan plan;
    struct kit_err err;

    (void)state;
    facts_begin(&facts);
    facts_add(&facts, "rtb-1", KIT_BINDING_HELD, ME); /* although it is here */
    kit_rules_check(rules, KIT_LEN(rules), none, &facts);
    assert_int_equal(facts.breaches, 0);
    kit_rules_check(rules, KIT_LEN(rules), only_warning, &facts);
    assert_int_equal(facts.breaches, 1);
    assert_int_equal(kit_plan_claim(&facts, &plan, &err), 0);
    kit_plan_done(&plan);
    kit_rules_check(rules, KIT_LEN(rules), both, &facts);
    assert_int_equal(facts.breaches, 3);
    assert_refused(&facts, parts, KIT_LEN(parts));
    kit_facts_done(&facts);
}

static void only_ours_is_released(void **state)
{
    struct kit_facts facts;
    struct kit_plan plan;

    (void)state;
    facts_begin(&facts);
    facts_add(&facts, "rtb-1", KIT_BINDING_HELD, "eni-a");
    facts_add(&facts, "rtb-2", KIT_BINDING_HELD, ME);
    facts_add(&facts, "rtb-3", KIT_BINDING_FREE, "");
    facts_add(&facts, "rtb-4", KIT_BINDING_FOREIGN, "nat-1");
    facts_add(&facts, "rtb-5", KIT_BINDING_HELD, ME)->right = false;
    facts_need(&facts);
    kit_plan_release(&facts, &plan);
    assert_int_equal(plan.count, 2);
    assert_string_equal(kit_step_place(&plan.step[0]), "rtb-2");
    assert_string_equal(kit_step_place(&plan.step[1]), "rtb-5");
    kit_plan_done(&plan);
    kit_facts_done(&facts);
}

static void steps_are_described(void **state)
{
    static const char *const lines[] = {
        "eni-me: source/dest check on -> off",
        "rtb-1: eni-a (i-a) -> eni-me",
        "rtb-2: blackhole (eni-x is stopped, detached or gone) -> eni-me",
        "rtb-3: blackhole (its target is stopped, detached or gone) -> eni-me",
        "rtb-4: nobody -> eni-me",
        "rtb-5: no route -> eni-me",
        "rtb-6: eni-me (i-me) at 10.0.0.7 -> eni-me",
    };
    struct kit_facts facts;
    struct kit_plan plan;
    struct kit_err err;

    (void)state;
    facts_begin(&facts);
    facts_add(&facts, "rtb-1", KIT_BINDING_HELD, "eni-a");
    facts_add(&facts, "rtb-2", KIT_BINDING_BLACKHOLE, "eni-x");
    facts_add(&facts, "rtb-3", KIT_BINDING_BLACKHOLE, "");
    facts_add(&facts, "rtb-4", KIT_BINDING_FREE, "");
    facts_add(&facts, "rtb-5", KIT_BINDING_ABSENT, "");
    struct kit_binding *b = facts_add(&facts, "rtb-6", KIT_BINDING_HELD, ME);
    b->right = false;
    assert_true(kit_str_copy(b->detail, sizeof(b->detail), "10.0.0.7"));
    facts_need(&facts);
    assert_int_equal(kit_plan_claim(&facts, &plan, &err), 0);
    assert_int_equal(plan.count, KIT_LEN(lines));
    for (size_t i = 0; i < KIT_LEN(lines); i++) {
        KIT_AUTO(kit_buf) out = KIT_BUF(200);
        kit_plan_describe(&plan.step[i], &facts, &out);
        assert_string_equal(out.data, lines[i]);
    }
    kit_plan_done(&plan);
    kit_facts_done(&facts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(here_needs_nothing),
        cmocka_unit_test(no_facts_no_steps),
        cmocka_unit_test(whatever_is_not_right_is_a_step),
        cmocka_unit_test(what_is_no_node_is_never_taken),
        cmocka_unit_test(missing_routes_are_named_together),
        cmocka_unit_test(many_missing_routes_fit_into_a_message),
        cmocka_unit_test(a_broken_rule_refuses_by_its_number),
        cmocka_unit_test(only_ours_is_released),
        cmocka_unit_test(steps_are_described),
    };
    return cmocka_run_group_tests_name("vip/plan", tests, NULL, NULL);
}
