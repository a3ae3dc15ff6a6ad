/* tests/unit/actions_keepalived.c - keepalived: its states, and what it hears. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "actions/manager/keepalived.h"
#include "kit/base/mem.h"

static void states_are_actions(void **state)
{
    static const struct {
        const char *state;
        const struct act_spec *spec;
        bool known;
    } rows[] = {
        {"MASTER", &act_restore, true},
        {"MASTER_RX_LOWER_PRI", &act_restore, true},
        {"BACKUP", &act_remove, true},
        {"FAULT", &act_remove, true},
        {"STOP", &act_remove, true},
        {"DELETED", &act_remove, true},
        {"MASTER_PRIORITY", NULL, true},
        {"BACKUP_PRIORITY", NULL, true},
        {"master", NULL, false},
        {"MASTE", NULL, false},
        {"", NULL, false},
    };

    (void)state;
    for (size_t i = 0; i < KIT_LEN(rows); i++) {
        bool known;
        assert_ptr_equal(act_keepalived_action(rows[i].state, &known), rows[i].spec);
        assert_int_equal(known, rows[i].known);
    }
}

static void statuses_are_0_and_1(void **state)
{
    static const struct {
        const char *action;
        int status[6]; /* right, wrong, usage, unknown, configuration, permission */
    } rows[] = {
        {"restore", {0, 1, 1, 1, 1, 1}},
        {"remove", {0, 1, 1, 0, 0, 0}},
    };

    (void)state;
    for (size_t i = 0; i < KIT_LEN(rows); i++) {
        struct act_call call = {.action = rows[i].action};
        assert_false(act_manager_keepalived.recognise(&call));
        for (int j = ACT_OUT_RIGHT; j <= ACT_OUT_DENIED; j++) {
            struct act_end end = {.outcome = (enum act_outcome)j};
            assert_int_equal(act_manager_keepalived.exit_status(&call, &end), rows[i].status[j]);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(states_are_actions),
        cmocka_unit_test(statuses_are_0_and_1),
    };
    return cmocka_run_group_tests_name("actions_keepalived", tests, NULL, NULL);
}
