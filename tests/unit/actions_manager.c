/* tests/unit/actions_manager.c - outcomes, who is recognised, and the words for a person. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "actions/manager/lifekeeper.h"
#include "actions/manager/manager.h"
#include "actions/manager/person.h"
#include "kit/base/mem.h"

static void every_kind_has_an_outcome(void **state)
{
    static const enum act_outcome outcomes[] = {
        [KIT_ERR_USAGE] = ACT_OUT_USAGE,       [KIT_ERR_CONFIG] = ACT_OUT_CONFIG,
        [KIT_ERR_AUTH] = ACT_OUT_DENIED,       [KIT_ERR_DENIED] = ACT_OUT_DENIED,
        [KIT_ERR_NOT_FOUND] = ACT_OUT_CONFIG,  [KIT_ERR_REFUSED] = ACT_OUT_WRONG,
        [KIT_ERR_STATE] = ACT_OUT_WRONG,       [KIT_ERR_CONFLICT] = ACT_OUT_WRONG,
        [KIT_ERR_THROTTLED] = ACT_OUT_UNKNOWN, [KIT_ERR_TRANSIENT] = ACT_OUT_UNKNOWN,
        [KIT_ERR_PROTOCOL] = ACT_OUT_UNKNOWN,  [KIT_ERR_TIMEOUT] = ACT_OUT_UNKNOWN,
        [KIT_ERR_HOOK] = ACT_OUT_WRONG,        [KIT_ERR_SYSTEM] = ACT_OUT_WRONG,
    };

    (void)state;
    for (size_t i = 0; i < KIT_LEN(outcomes); i++) {
        struct kit_err err = {.kind = (enum kit_err_kind)i};
        assert_int_equal(act_outcome_of(&err), outcomes[i]);
    }
}

static void a_person_is_who_is_nobody_else(void **state)
{
    struct act_call call = {.action = "restore",
                            .tag = "v",
                            .argv0 = "/usr/libexec/cloudvip/restore",
                            .exe = "/usr/libexec/cloudvip/restore"};

    (void)state;
    unsetenv("LKROOT");
    assert_ptr_equal(act_manager_find(&call), &act_manager_person);
    setenv("LKROOT", "/opt/lk", 1);
    assert_ptr_equal(act_manager_find(&call), &act_manager_person); /* no -i */
    call.id = "x";
    assert_ptr_equal(act_manager_find(&call), &act_manager_lifekeeper);
    unsetenv("LKROOT");
}

static void a_persons_statuses(void **state)
{
    static const enum act_outcome outcomes[] = {ACT_OUT_RIGHT,   ACT_OUT_WRONG,  ACT_OUT_USAGE,
                                                ACT_OUT_UNKNOWN, ACT_OUT_CONFIG, ACT_OUT_DENIED};
    struct act_call call = {.action = "quickCheck", .tag = "v"};
    struct kit_overlay *overlay;
    struct kit_err err;
    size_t count;

    (void)state;
    for (size_t i = 0; i < KIT_LEN(outcomes); i++) {
        const struct act_end end = {.outcome = outcomes[i]};
        assert_int_equal(act_manager_person.exit_status(&call, &end), i);
    }
    assert_int_equal(act_manager_person.limit_ms(&call), 0);
    assert_false(act_manager_person.to_syslog);
    assert_int_equal(act_manager_person.overlay(&call, &kit_clock_real,
                                                kit_deadline_in_ms(&kit_clock_real, 1000), &overlay,
                                                &count, &err),
                     0);
    assert_null(overlay);
    assert_int_equal(count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_has_an_outcome),
        cmocka_unit_test(a_person_is_who_is_nobody_else),
        cmocka_unit_test(a_persons_statuses),
    };
    return cmocka_run_group_tests_name("actions_manager", tests, NULL, NULL);
}
