/* tests/unit/vip_ready.c - kit_vip_claim: this host is made ready before the first change. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/vip_world.h"

#define MINUTE_MS INT64_C(60000)

static int ready(void *arg, const struct kit_facts *facts, struct kit_err *err)
{
    struct world *w = arg;

    (void)err;
    assert_int_equal(w->claims, 0); /* before the first change */
    assert_int_equal(w->looks, 1);  /* after what it shows */
    assert_string_equal(facts->me, ME);
    w->readied++;
    return 0;
}

static int not_ready(void *arg, const struct kit_facts *facts, struct kit_err *err)
{
    (void)arg;
    (void)facts;
    return kit_err_set(err, KIT_ERR_CONFIG, "cannot");
}

static void also_where_nothing_is_to_be_changed(void **state)
{
    static const struct {
        const char *holder;
        bool rule_broken;
        unsigned readied, claims;
    } rows[] = {{"eni-old", false, 1, 1}, {ME, false, 1, 0}, {"eni-old", true, 0, 0}};

    (void)state;
    for (size_t i = 0; i < KIT_LEN(rows); i++) {
        struct world *w = world_begin(MINUTE_MS);
        struct kit_err err;
        bool changed = false;

        w->vip.ready = ready;
        w->rule_broken = rows[i].rule_broken;
        world_add(w, "p1", rows[i].holder);
        assert_int_equal(kit_vip_claim(&w->vip, &changed, &err), rows[i].rule_broken ? -1 : 0);
        assert_int_equal(w->readied, rows[i].readied);
        assert_int_equal(w->claims, rows[i].claims);
        free(w);
    }
}

static void a_host_that_is_not_claims_nothing(void **state)
{
    struct world *w = world_begin(MINUTE_MS);
    struct kit_err err;
    bool changed = true;

    (void)state;
    w->vip.ready = not_ready;
    world_add(w, "p1", "eni-old");
    assert_int_equal(kit_vip_claim(&w->vip, &changed, &err), -1);
    assert_string_equal(err.msg, "cannot");
    assert_false(changed);
    assert_int_equal(w->claims, 0);
    assert_string_equal(world_holder(w, "p1"), "eni-old");
    free(w);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(also_where_nothing_is_to_be_changed),
        cmocka_unit_test(a_host_that_is_not_claims_nothing),
    };

    return cmocka_run_group_tests_name("vip/apply, ready", tests, NULL, NULL);
}
