/* tests/unit/base_mem.c - allocation that cannot fail. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "kit/base/mem.h"

#if defined(__SANITIZE_ADDRESS__)
static const bool sanitized = true;
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "allocator_may_return_null=1"; /* as malloc does */
}
#else
static const bool sanitized = false;
#endif

static void new_memory_is_zeroed(void **state)
{
    (void)state;
    for (int round = 0; round < 8; round++) {
        KIT_AUTOFREE unsigned char *p = kit_mem_new(100, 3);
        for (size_t i = 0; i < 300; i++)
            assert_int_equal(p[i], 0);
        memset(p, 0xff, 300);
    }
    KIT_AUTOFREE char *none = kit_mem_new(0, 8);
    assert_non_null(none);
}

static void growing_keeps_the_content(void **state)
{
    (void)state;
    KIT_AUTOFREE char *p = kit_mem_strdup("kept");
    for (size_t count = 8; count < 100000; count *= 3) {
        p = kit_mem_grow(p, count, 1);
        assert_string_equal(p, "kept");
    }
}

/* Runs fn in a child; its exit status, and what it said on stderr. */
static int in_child(void (*fn)(void), char *said, size_t said_bytes)
{
    int fds[2], status;

    assert_int_equal(pipe(fds), 0);
    pid_t pid = fork();
    if (pid == 0) {
        dup2(fds[1], STDERR_FILENO);
        fn();
        _exit(0);
    }
    close(fds[1]);
    size_t len = 0;
    ssize_t got;
    while ((got = read(fds[0], said + len, said_bytes - 1 - len)) > 0)
        len += (size_t)got;
    said[len] = '\0';
    close(fds[0]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void ask_for_a_product_that_overflows(void)
{
    /* volatile, or the compiler would refuse to call calloc so */
    volatile size_t count = SIZE_MAX / 2;
    KIT_AUTOFREE void *p = kit_mem_grow(NULL, count, 16);
    (void)p;
}

static void ask_for_more_than_there_is(void)
{
    struct rlimit limit = {64 << 20, 64 << 20};
    volatile size_t count = (size_t)1 << 45;

    if (!sanitized)
        (void)setrlimit(RLIMIT_AS, &limit);
    KIT_AUTOFREE void *p = kit_mem_new(count, 1);
    (void)p;
}

static void expect_the_end(void (*fn)(void))
{
    static const char line[] = "cloudvip: out of memory\n";
    char said[8000];

    assert_int_equal(in_child(fn, said, sizeof(said)), 1);
    /* The sanitizer's allocator says a word of its own before. */
    if (sanitized)
        assert_non_null(strstr(said, line));
    else
        assert_string_equal(said, line);
}

static void out_of_memory_ends_the_process(void **state)
{
    (void)state;
    expect_the_end(ask_for_a_product_that_overflows);
    expect_the_end(ask_for_more_than_there_is);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(new_memory_is_zeroed),
        cmocka_unit_test(growing_keeps_the_content),
        cmocka_unit_test(out_of_memory_ends_the_process),
    };
    return cmocka_run_group_tests_name("base_mem", tests, NULL, NULL);
}
