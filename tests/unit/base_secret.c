/* tests/unit/base_secret.c - text that must not outlive its use. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "kit/base/secret.h"

static void set_copies_and_replaces(void **state)
{
    KIT_AUTO(kit_secret) secret = {NULL};
    char text[] = "hunter2";

    (void)state;
    assert_false(kit_secret_is_set(&secret));
    kit_secret_set(&secret, text);
    text[0] = 'H';
    assert_string_equal(secret.text, "hunter2");
    assert_true(kit_secret_is_set(&secret));
    kit_secret_set(&secret, secret.text + 6); /* out of itself */
    assert_string_equal(secret.text, "2");
    kit_secret_set(&secret, "");
    assert_false(kit_secret_is_set(&secret));
    kit_secret_set(&secret, NULL);
    assert_null(secret.text);
    kit_secret_done(&secret);
    kit_secret_done(&secret);
}

static void wipe_wipes(void **state)
{
    char text[] = "hunter2";
    static const char zeros[sizeof(text)];

    (void)state;
    kit_secret_wipe(text, sizeof(text));
    assert_memory_equal(text, zeros, sizeof(text));
    kit_secret_wipe(NULL, 0);
}

#if !defined(__SANITIZE_ADDRESS__) /* which forbids what is done here: reading freed memory */
static void replaced_secret_is_gone_from_memory(void **state)
{
    KIT_AUTO(kit_secret) secret = {NULL};

    (void)state;
    /* Behind the first 16 bytes, which the allocator uses for itself. */
    kit_secret_set(&secret, "................hunter2");
    const volatile char *freed = secret.text;
    kit_secret_done(&secret);
    for (size_t i = 16; i < 23; i++)
        assert_int_equal(freed[i], 0);
}
#endif

static void hardened_process_leaves_no_core(void **state)
{
    int status;
    pid_t pid = fork();

    (void)state;
    if (pid == 0) {
        struct rlimit limit;

        if (prctl(PR_GET_DUMPABLE) != 1)
            _exit(2);
        kit_secret_harden_process();
        if (prctl(PR_GET_DUMPABLE) != 0)
            _exit(3);
        if (getrlimit(RLIMIT_CORE, &limit) != 0 || limit.rlim_cur != 0 || limit.rlim_max != 0)
            _exit(4);
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(set_copies_and_replaces),
        cmocka_unit_test(wipe_wipes),
#if !defined(__SANITIZE_ADDRESS__)
        cmocka_unit_test(replaced_secret_is_gone_from_memory),
#endif
        cmocka_unit_test(hardened_process_leaves_no_core),
    };
    return cmocka_run_group_tests_name("base_secret", tests, NULL, NULL);
}
