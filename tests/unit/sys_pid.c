/* tests/unit/sys_pid.c - processes that are told apart for sure. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "kit/base/mem.h"
#include "kit/sys/pid.h"

static void the_start_is_field_22(void **state)
{
    static const struct {
        const char *text;
        int64_t ticks; /* -1 = refused */
    } rows[] = {
        {"42 (sh) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 4711 20 21\n", 4711},
        {"42 (a) b) S) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 4711 20\n", 4711},
        {"42 (sh) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 4711", 4711},
        {"42 (sh) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 -1\n", -1},
        {"42 (sh) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 99999999999999999999\n", -1},
        {"42 (sh) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 999999999999999999999999999\n",
         -1},
        {"42 (sh) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18\n", -1},
        {"42 sh S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 4711\n", -1},
        {"", -1},
    };

    (void)state;
    for (size_t i = 0; i < KIT_LEN(rows); i++) {
        int64_t ticks = -1;
        if (kit_pid_parse_stat(rows[i].text, &ticks) != (rows[i].ticks >= 0) ||
            (rows[i].ticks >= 0 && ticks != rows[i].ticks))
            fail_msg("row %zu: %lld", i, (long long)ticks);
    }
}

static void later_is_by_start_and_then_by_pid(void **state)
{
    static const struct {
        struct kit_pid a, b;
        bool later;
    } rows[] = {
        {{10, 5}, {20, 4}, true},      {{20, 4}, {10, 5}, false},      {{11, 5}, {10, 5}, true},
        {{10, 5}, {11, 5}, false},     {{10, 5}, {10, 5}, false},      {{300, 5}, {32767, 5}, true},
        {{32767, 5}, {300, 5}, false}, {{301, 5}, {4194303, 5}, true},
    };

    (void)state;
    for (size_t i = 0; i < KIT_LEN(rows); i++)
        if (kit_pid_is_later(&rows[i].a, &rows[i].b) != rows[i].later)
            fail_msg("row %zu", i);
}

static void only_that_very_process_is_told_to_end(void **state)
{
    struct kit_pid self, child;
    struct kit_err err;
    int to_us[2], status;
    char byte;

    (void)state;
    assert_int_equal(kit_pid_self(&self, &err), 0);
    assert_int_equal(self.pid, getpid());
    assert_int_equal(pipe(to_us), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        ssize_t n = kit_pid_self(&child, &err) ? -1 : write(to_us[1], &child, sizeof(child));
        while (n > 0)
            pause();
        _exit(1);
    }
    assert_int_equal(read(to_us[0], &child, sizeof(child)), sizeof(child));
    assert_int_equal(child.pid, pid);
    assert_true(kit_pid_is_later(&child, &self));

    struct kit_pid another = {child.pid, child.ticks - 1};
    assert_false(kit_pid_terminate(&another));
    assert_false(kit_pid_terminate(&(struct kit_pid){0}));
    assert_false(kit_pid_terminate(&(struct kit_pid){1, 0}));
    assert_true(kit_pid_terminate(&child));
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
    assert_false(kit_pid_terminate(&child)); /* it is gone */
    close(to_us[1]);
    assert_int_equal(read(to_us[0], &byte, 1), 0);
    close(to_us[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_start_is_field_22),
        cmocka_unit_test(later_is_by_start_and_then_by_pid),
        cmocka_unit_test(only_that_very_process_is_told_to_end),
    };
    return cmocka_run_group_tests_name("sys_pid", tests, NULL, NULL);
}
