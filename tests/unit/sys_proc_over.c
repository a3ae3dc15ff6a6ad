/* tests/unit/sys_proc_over.c - programs that go on without us. */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "kit/base/str.h"
#include "kit/sys/file.h"
#include "kit/sys/proc.h"

static char dir[] = "/tmp/cloudvip-unit-XXXXXX";

static int make_dir(void **state)
{
    (void)state;
    return mkdtemp(dir) ? chdir(dir) : -1;
}

static int remove_dir(void **state)
{
    (void)state;
    (void)unlink("go");
    (void)unlink("done");
    return rmdir(dir);
}

static int over(const char *script, int64_t limit_ms, int *ret_status, struct kit_err *err)
{
    const char *const argv[] = {"/bin/sh", "-c", script, NULL};

    return kit_proc_hand_over(argv, &kit_clock_real, kit_deadline_in_ms(&kit_clock_real, limit_ms),
                              ret_status, err);
}

static void its_status_is_told(void **state)
{
    static const char *const nothing[] = {"/no/such/program", NULL};
    struct kit_err err;
    int status = -1;

    (void)state;
    assert_int_equal(over("exit 7", 30000, &status, &err), 0);
    assert_int_equal(status, 7);
    assert_int_equal(over("kill -9 $$", 30000, &status, &err), 0);
    assert_int_equal(status, 128 + SIGKILL);
    assert_int_equal(kit_proc_hand_over(nothing, &kit_clock_real,
                                        kit_deadline_in_ms(&kit_clock_real, 30000), &status, &err),
                     -1);
    assert_int_equal(err.kind, KIT_ERR_SYSTEM);
    assert_non_null(strstr(err.msg, "/no/such/program"));
}

static bool appears(const char *name)
{
    for (int i = 0; i < 1500; i++) {
        if (access(name, F_OK) == 0)
            return true;
        (void)usleep(20000);
    }
    return false;
}

static void touch(const char *name)
{
    int fd = open(name, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

    assert_true(fd >= 0);
    close(fd);
}

static void what_takes_longer_is_left_alone(void **state)
{
    struct kit_err err;
    int status;

    (void)state;
    assert_int_equal(over("until [ -e go ]; do sleep 0.02; done; : >done", 50, &status, &err), -1);
    assert_int_equal(err.kind, KIT_ERR_TIMEOUT);
    touch("go");
    assert_true(appears("done"));
    (void)unlink("go");
    (void)unlink("done");
}

static void what_it_leaves_behind_goes_on(void **state)
{
    struct kit_err err;
    int status;

    (void)state;
    assert_int_equal(
        over("(until [ -e go ]; do sleep 0.02; done; : >done) & exit 0", 30000, &status, &err), 0);
    assert_int_equal(status, 0);
    touch("go");
    assert_true(appears("done"));
}

static void its_output_is_our_stderr(void **state)
{
    char text[64] = "";
    struct kit_err err;
    int status, ends[2], saved = dup(STDERR_FILENO);

    (void)state;
    assert_int_equal(pipe(ends), 0);
    assert_true(dup2(ends[1], STDERR_FILENO) >= 0);
    int rc = over("echo said", 30000, &status, &err);
    assert_true(dup2(saved, STDERR_FILENO) >= 0);
    assert_int_equal(rc, 0);
    assert_int_equal(read(ends[0], text, sizeof(text) - 1), 5);
    assert_string_equal(text, "said\n");
    close(STDERR_FILENO);
    rc = over("echo said", 30000, &status, &err);
    assert_true(dup2(saved, STDERR_FILENO) >= 0);
    assert_int_equal(rc, 0);
    close(saved);
    close(ends[0]);
    close(ends[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(its_status_is_told),
        cmocka_unit_test(what_takes_longer_is_left_alone),
        cmocka_unit_test(what_it_leaves_behind_goes_on),
        cmocka_unit_test(its_output_is_our_stderr),
    };
    return cmocka_run_group_tests_name("sys_proc_over", tests, make_dir, remove_dir);
}
