/* tests/unit/sys_lock.c - one action per address at a time, with real holders. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "kit/base/mem.h"
#include "kit/base/str.h"
#include "kit/sys/file.h"
#include "kit/sys/lock.h"

static char dir[] = "/tmp/sys_lock.XXXXXX";

static int make_dir(void **state)
{
    (void)state;
    return mkdtemp(dir) && chdir(dir) == 0 ? 0 : -1;
}

static int remove_dir(void **state)
{
    static const char *const left[] = {"l", "k", "s", "d", "f", "gone"};

    (void)state;
    for (size_t i = 0; i < KIT_LEN(left); i++)
        (void)unlink(left[i]);
    return chdir("/") == 0 && rmdir(dir) == 0 ? 0 : -1;
}

/* A clock that sleeping moves, and that counts how often.  After `free_after` sleeps it kills
 * `victim` and waits for its end, so that a lock comes free at a known moment. */
struct fake {
    int64_t now_ns;
    unsigned sleeps, free_after;
    pid_t victim;
};

static int64_t fake_now(void *self)
{
    return ((struct fake *)self)->now_ns;
}

static void bury(pid_t pid)
{
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void fake_sleep(void *self, int64_t ns)
{
    struct fake *f = self;

    f->now_ns += ns;
    if (++f->sleeps == f->free_after)
        bury(f->victim);
}

static struct kit_clock clock_of(struct fake *f)
{
    return (struct kit_clock){
        .now_ns = fake_now, .wall_ns = fake_now, .sleep_ns = fake_sleep, .self = f};
}

/* A child that holds the lock until it is killed; returns when it has it. */
static pid_t hold(const char *path, const char *who)
{
    int fds[2];
    char c;

    assert_int_equal(pipe(fds), 0);
    pid_t pid = fork();
    if (pid == 0) {
        struct kit_lock lock;
        struct kit_err err;
        struct kit_deadline by = kit_deadline_in_ms(&kit_clock_real, 5000);
        if (kit_lock_take(path, who, &kit_clock_real, by, &lock, &err) != 0)
            _exit(1);
        if (write(fds[1], "x", 1) == 1)
            for (;;)
                pause();
        _exit(1);
    }
    close(fds[1]);
    assert_int_equal(read(fds[0], &c, 1), 1);
    close(fds[0]);
    return pid;
}

static void taken_and_signed(void **state)
{
    KIT_AUTO(kit_buf) content = KIT_BUF(100);
    KIT_AUTO(kit_lock) lock = KIT_LOCK_NONE;
    struct fake f = {0};
    const struct kit_clock clock = clock_of(&f);
    struct kit_err err;
    struct stat st;
    char expect[40];

    (void)state;
    assert_int_equal(kit_file_write("l", "a much longer text than ours\n", 29, 0600, false, &err),
                     0);
    assert_int_equal(
        kit_lock_take("l", "restore", &clock, kit_deadline_in_ms(&clock, 0), &lock, &err), 0);
    assert_int_equal(f.sleeps, 0);
    assert_true(lock.fd >= 0);
    assert_int_equal(fcntl(lock.fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    assert_true(kit_str_format(expect, sizeof(expect), "%d restore\n", (int)getpid()));
    assert_int_equal(kit_file_read("l", KIT_FILE_ANY, &content, &err), 0);
    assert_string_equal(content.data, expect);
    assert_int_equal(stat("l", &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);

    kit_lock_done(&lock);
    assert_int_equal(lock.fd, -1);
    kit_lock_done(&lock);
    assert_int_equal(access("l", F_OK), 0);
    assert_int_equal(
        kit_lock_take("l", "remove", &clock, kit_deadline_in_ms(&clock, 0), &lock, &err), 0);
}

static void held_by_another_until_the_deadline(void **state)
{
    KIT_AUTO(kit_lock) lock = KIT_LOCK_NONE;
    struct fake f = {0};
    const struct kit_clock clock = clock_of(&f);
    struct kit_deadline by = kit_deadline_in_ms(&clock, 1000);
    struct kit_err err;
    char expect[80];
    pid_t holder = hold("k", "restore");

    (void)state;
    int rc = kit_lock_take("k", "remove", &clock, by, &lock, &err);
    bury(holder);
    assert_int_equal(rc, -1);
    assert_int_equal(err.kind, KIT_ERR_TIMEOUT);
    assert_true(
        kit_str_format(expect, sizeof(expect), "k is held by restore (pid %d)", (int)holder));
    assert_string_equal(err.msg, expect);
    assert_int_equal(f.now_ns, by.at_ns);
    assert_int_equal(lock.fd, -1);
    /* The kernel let go when the holder was killed. */
    assert_int_equal(kit_lock_take("k", "remove", &clock, by, &lock, &err), 0);
}

static void waits_until_it_is_free(void **state)
{
    KIT_AUTO(kit_lock) lock = KIT_LOCK_NONE;
    struct fake f = {.free_after = 4, .victim = hold("k", "quickCheck")};
    const struct kit_clock clock = clock_of(&f);
    struct kit_err err;

    (void)state;
    assert_int_equal(
        kit_lock_take("k", "restore", &clock, kit_deadline_in_ms(&clock, 10000), &lock, &err), 0);
    assert_int_equal(f.sleeps, 4);
}

static void a_forked_child_cannot_keep_what_we_let_go(void **state)
{
    KIT_AUTO(kit_lock) lock = KIT_LOCK_NONE;
    struct fake f = {0};
    const struct kit_clock clock = clock_of(&f);
    struct kit_deadline by = kit_deadline_in_ms(&clock, 10);
    struct kit_err err;

    (void)state;
    assert_int_equal(kit_lock_take("k", "restore", &clock, by, &lock, &err), 0);
    pid_t child = fork();
    if (child == 0)
        for (;;)
            pause();
    kit_lock_done(&lock);
    int rc = kit_lock_take("k", "restore", &clock, by, &lock, &err);
    bury(child);
    assert_int_equal(rc, 0);
}

/* Moves to a new file while the waiter holds the old one open. */
static void replace_then_free(void *self, int64_t ns)
{
    struct fake *f = self;

    f->now_ns += ns;
    if (++f->sleeps == 2) {
        assert_int_equal(unlink("gone"), 0);
        bury(f->victim);
    }
}

static void a_deleted_file_is_no_lock(void **state)
{
    KIT_AUTO(kit_lock) lock = KIT_LOCK_NONE;
    struct fake f = {.victim = hold("gone", "restore")};
    struct kit_clock clock = clock_of(&f);
    struct kit_err err;
    struct stat ours, there;

    (void)state;
    clock.sleep_ns = replace_then_free;
    assert_int_equal(
        kit_lock_take("gone", "remove", &clock, kit_deadline_in_ms(&clock, 10000), &lock, &err), 0);
    assert_int_equal(fstat(lock.fd, &ours), 0);
    assert_int_equal(stat("gone", &there), 0);
    assert_true(ours.st_ino == there.st_ino);
}

static void strange_holders_are_named_safely(void **state)
{
    static const char *const texts[] = {"", "no pid\n", "-5 restore\n", "12 cut",
                                        "99999999999 x\n"};
    struct fake f = {0};
    const struct kit_clock clock = clock_of(&f);
    KIT_AUTO(kit_lock) lock = KIT_LOCK_NONE;
    struct kit_lock none = KIT_LOCK_NONE;
    struct kit_err err;

    (void)state;
    assert_int_equal(
        kit_lock_take("k", "restore", &clock, kit_deadline_in_ms(&clock, 0), &lock, &err), 0);
    for (size_t i = 0; i < KIT_LEN(texts); i++) {
        assert_int_equal(ftruncate(lock.fd, 0), 0);
        assert_int_equal(pwrite(lock.fd, texts[i], strlen(texts[i]), 0), strlen(texts[i]));
        assert_int_equal(
            kit_lock_take("k", "x", &clock, kit_deadline_in_ms(&clock, 0), &none, &err), -1);
        assert_string_equal(err.msg, "k is held by another process");
    }
    assert_int_equal(pwrite(lock.fd, "7 \033[2J\n", 7, 0), 7);
    assert_int_equal(kit_lock_take("k", "x", &clock, kit_deadline_in_ms(&clock, 0), &none, &err),
                     -1);
    assert_null(strchr(err.msg, '\033'));
}

static void links_and_devices_are_refused(void **state)
{
    struct kit_lock lock = KIT_LOCK_NONE;
    struct fake f = {0};
    const struct kit_clock clock = clock_of(&f);
    struct kit_deadline by = kit_deadline_in_ms(&clock, 10);
    struct kit_err err;

    (void)state;
    assert_int_equal(symlink("d", "s"), 0);
    assert_int_equal(kit_lock_take("s", "x", &clock, by, &lock, &err), -1);
    assert_int_equal(err.kind, KIT_ERR_SYSTEM);
    assert_int_equal(err.sys, ELOOP);
    assert_int_equal(access("d", F_OK), -1);
    assert_int_equal(mkfifo("f", 0600), 0);
    assert_int_equal(kit_lock_take("f", "x", &clock, by, &lock, &err), -1);
    assert_int_equal(err.kind, KIT_ERR_CONFIG);
    assert_int_equal(kit_lock_take("no/dir", "x", &clock, by, &lock, &err), -1);
    assert_int_equal(err.sys, ENOENT);
    assert_int_equal(lock.fd, -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(taken_and_signed),
        cmocka_unit_test(held_by_another_until_the_deadline),
        cmocka_unit_test(waits_until_it_is_free),
        cmocka_unit_test(a_forked_child_cannot_keep_what_we_let_go),
        cmocka_unit_test(a_deleted_file_is_no_lock),
        cmocka_unit_test(strange_holders_are_named_safely),
        cmocka_unit_test(links_and_devices_are_refused),
    };
    return cmocka_run_group_tests_name("sys_lock", tests, make_dir, remove_dir);
}
