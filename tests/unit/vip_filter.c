/* tests/unit/vip_filter.c - bindings that somebody said are not to be looked at: they are not
 * judged, not planned and not changed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kit/vip/where.h"
#include "tests/unit/vip_world.h"

static unsigned asked;

/* Everything but p2. */
static int drop_p2(void *arg, struct kit_facts *facts, struct kit_err *err)
{
    size_t kept = 0;

    (void)arg;
    (void)err;
    asked++;
    for (size_t i = 0; i < facts->count; i++)
        if (!kit_str_eq(facts->binding[i].place, "p2"))
            facts->binding[kept++] = facts->binding[i];
    facts->count = kept;
    return 0;
}

static int refuse(void *arg, struct kit_facts *facts, struct kit_err *err)
{
    (void)arg;
    (void)facts;
    return kit_err_set(err, KIT_ERR_HOOK, "cannot choose");
}

static void what_is_dropped_is_left_alone(void **state)
{
    struct world *w = world_begin(60000);
    struct kit_facts facts;
    struct kit_err err;
    bool changed;

    (void)state;
    asked = 0;
    (void)world_add(w, "p1", "eni-other");
    (void)world_add(w, "p2", "eni-other");
    (void)world_add(w, "p3", "eni-other");
    w->vip.filter = drop_p2;
    w->fault = NULL;
    assert_int_equal(kit_vip_claim(&w->vip, &changed, &err), 0);
    assert_true(changed);
    assert_int_equal(w->steps, 2);
    assert_string_equal(world_holder(w, "p1"), ME);
    assert_string_equal(world_holder(w, "p2"), "eni-other");
    assert_string_equal(world_holder(w, "p3"), ME);
    assert_int_equal(asked, w->looks);
    assert_int_equal(kit_vip_locate(&w->vip, false, &facts, &err), 0);
    assert_int_equal(kit_where_is(&facts), KIT_WHERE_HERE);
    kit_facts_done(&facts);
    free(w);
}

static void without_a_choice_nothing_is_changed(void **state)
{
    struct world *w = world_begin(60000);
    struct kit_facts facts;
    struct kit_err err;
    bool changed;

    (void)state;
    (void)world_add(w, "p1", "eni-other");
    w->vip.filter = refuse;
    assert_int_equal(kit_vip_claim(&w->vip, &changed, &err), -1);
    assert_int_equal(err.kind, KIT_ERR_HOOK);
    assert_false(changed);
    assert_int_equal(w->claims, 0);
    assert_int_equal(kit_vip_locate(&w->vip, false, &facts, &err), -1);
    assert_int_equal(w->told_facts, 0);
    free(w);
}

static void tags_belong_to_the_facts(void **state)
{
    struct kit_facts facts = {0};

    (void)state;
    for (int i = 0; i < 20; i++)
        kit_facts_add_tag(&facts, i < 10 ? "p1" : "p2", "Name", i % 2 ? "odd" : "");
    assert_int_equal(facts.tags, 20);
    assert_string_equal(facts.tag[19].place, "p2");
    assert_string_equal(facts.tag[19].value, "odd");
    kit_facts_done(&facts);
    assert_int_equal(facts.tags, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_dropped_is_left_alone),
        cmocka_unit_test(without_a_choice_nothing_is_changed),
        cmocka_unit_test(tags_belong_to_the_facts),
    };
    return cmocka_run_group_tests_name("vip/filter", tests, NULL, NULL);
}
