/* tests/unit/vip_record.c - what a node remembers, in real files. */
#include <setjmp.h>
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
#include "kit/vip/record.h"
#include "tests/unit/fakes.h"

static char top[] = "/tmp/vip_record.XXXXXX";
static char dir[64];

static int make_dir(void **state)
{
    (void)state;
    if (!mkdtemp(top) || !kit_str_format(dir, sizeof(dir), "%s/a/run", top))
        return -1;
    return setenv("CLOUDVIP_RUNDIR", dir, 1);
}

static int remove_dir(void **state)
{
    int status = -1;
    pid_t pid = fork();

    (void)state;
    if (pid == 0) {
        execl("/bin/rm", "rm", "-rf", top, (char *)NULL);
        _exit(1);
    }
    return waitpid(pid, &status, 0) == pid && status == 0 ? 0 : -1;
}

static void write_file(const char *name, const char *text, size_t len_bytes)
{
    struct kit_err err;
    char path[512];

    assert_int_equal(kit_file_make_dir(dir, 0755, &err), 0);
    assert_true(kit_str_format(path, sizeof(path), "%s/%s", dir, name));
    if (kit_file_write(path, text, len_bytes, 0644, false, &err))
        fail_msg("%s", err.msg);
}

static void no_record_is_no_error(void **state)
{
    struct kit_record r = {.known = true, .in_service = true, .since_s = 5};
    struct kit_err err;

    (void)state;
    assert_int_equal(kit_record_read("nobody", &r, &err), 0);
    assert_false(r.known);
    assert_false(r.in_service);
    assert_int_equal(r.since_s, 0);
}

static void what_was_written_is_read(void **state)
{
    static const char *const tags[] = {"vip1", "vip-10.1.0.10", "a/b",     "..",
                                       ".",    "a b%2f",        "\xc3\xa9"};
    struct kit_err err;

    (void)state;
    for (size_t i = 0; i < KIT_LEN(tags); i++) {
        struct kit_record r, out = {.in_service = true,
                                    .since_s = 1767323045 + (int64_t)i,
                                    .checked_s = 1767323046,
                                    .unknown_in_a_row = 3,
                                    .action = "restore",
                                    .facts = "on eni-1 (this node): rtb-1 \"\\",
                                    .local_interface = "eth1",
                                    .local_address = "2001:db8::1",
                                    .local_ours = i % 2 == 0};
        if (kit_record_write(tags[i], &out, &err))
            fail_msg("%s", err.msg);
        if (kit_record_read(tags[i], &r, &err))
            fail_msg("%s", err.msg);
        assert_true(r.known);
        assert_true(r.in_service);
        assert_int_equal(r.since_s, out.since_s);
        assert_int_equal(r.checked_s, out.checked_s);
        assert_int_equal(r.unknown_in_a_row, 3);
        assert_string_equal(r.action, "restore");
        assert_string_equal(r.facts, out.facts);
        assert_string_equal(r.local_interface, "eth1");
        assert_string_equal(r.local_address, "2001:db8::1");
        assert_int_equal(r.local_ours, out.local_ours);
    }
}

/* A record from before there was such a thing, and what no action of ours has written. */
static void an_address_that_is_not_told_whole_is_none(void **state)
{
    static const char *const locals[] = {
        "null",
        "{}",
        "[\"eth1\"]",
        "{\"interface\": \"eth1\", \"address\": \"10.1.0.10\"}",
        "{\"interface\": \"eth1\", \"address\": \"10.1.0.10/32\", \"ours\": true}",
        "{\"interface\": \"eth1\", \"ours\": true}",
        "{\"interface\": \"\", \"address\": \"10.1.0.10\", \"ours\": true}",
        "{\"interface\": \"a name that is too long\", \"address\": \"10.1.0.10\", \"ours\": true}",
        "{\"address\": \"10.1.0.10\", \"ours\": true}",
    };
    struct kit_err err;

    (void)state;
    for (size_t i = 0; i < KIT_LEN(locals); i++) {
        struct kit_record r;
        char text[256];

        assert_true(
            kit_str_format(text, sizeof(text), "{\"in_service\": true, \"local\": %s}", locals[i]));
        write_file("half.json", text, strlen(text));
        assert_int_equal(kit_record_read("half", &r, &err), 0);
        assert_true(r.in_service);
        assert_string_equal(r.local_interface, "");
        assert_string_equal(r.local_address, "");
        assert_false(r.local_ours);
    }
}

static void the_directory_is_made_for_all_to_read(void **state)
{
    const struct kit_record r = {.in_service = true};
    struct kit_err err;
    struct stat st;
    char path[512];

    (void)state;
    assert_int_equal(kit_record_write("modes", &r, &err), 0);
    assert_int_equal(stat(dir, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0755);
    assert_true(kit_str_format(path, sizeof(path), "%s/modes.json", dir));
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0644);
}

static void a_slash_in_a_tag_leaves_no_directory(void **state)
{
    const struct kit_record r = {.in_service = true};
    struct kit_err err;
    char path[512];

    (void)state;
    assert_int_equal(kit_record_write("../up/x", &r, &err), 0);
    assert_true(kit_str_format(path, sizeof(path), "%s/..%%2Fup%%2Fx.json", dir));
    assert_int_equal(access(path, R_OK), 0);
}

static void a_tag_too_long_for_a_file_is_refused(void **state)
{
    const struct kit_record out = {.in_service = true};
    struct kit_record r;
    struct kit_err err;
    char tag[300], path[4096];

    (void)state;
    memset(tag, '/', sizeof(tag) - 1); /* three characters each */
    tag[sizeof(tag) - 1] = '\0';
    assert_int_equal(kit_record_write(tag, &out, &err), -1);
    assert_int_equal(err.kind, KIT_ERR_CONFIG);
    assert_int_equal(kit_record_read(tag, &r, &err), -1);
    assert_int_equal(kit_record_lock_path(tag, path, sizeof(path), &err), -1);
}

static void what_is_no_record_is_an_error(void **state)
{
    static const char *const texts[] = {
        "",
        "{",
        "[]",
        "3",
        "null",
        "\"in_service\"",
        "{\"in_service\": 1}",
        "{\"in_service\": null}",
        "{}",
        "{\"in_service\": true} x",
        "{\"in_service\": tru",
    };
    struct kit_err err;

    (void)state;
    for (size_t i = 0; i < KIT_LEN(texts); i++) {
        struct kit_record r = {.known = true, .in_service = true};

        write_file("bad.json", texts[i], strlen(texts[i]));
        if (kit_record_read("bad", &r, &err) == 0)
            fail_msg("read: %s", texts[i]);
        assert_int_equal(err.kind, KIT_ERR_CONFIG);
        fake_assert_text(err.msg, "bad.json");
        assert_false(r.known); /* and nothing of it counts */
        assert_false(r.in_service);
    }
    write_file("bad.json", "{\"in_service\": true}\0x", 22);
    struct kit_record r;
    assert_int_equal(kit_record_read("bad", &r, &err), -1);
}

static void values_of_other_types_are_nothing(void **state)
{
    static const char text[] =
        "{\"in_service\": true, \"since\": -5, \"checked\": {}, \"unknown_in_a_row\": "
        "99999999999999, \"action\": \"far too long for an action\", \"facts\": "
        "\"a\\u001b[31mred\\n\", \"more\": [1, 2]}";
    struct kit_record r;
    struct kit_err err;

    (void)state;
    write_file("odd.json", text, strlen(text));
    if (kit_record_read("odd", &r, &err))
        fail_msg("%s", err.msg);
    assert_true(r.known && r.in_service);
    assert_int_equal(r.since_s, 0);
    assert_int_equal(r.checked_s, 0);
    assert_true(r.unknown_in_a_row == UINT32_MAX);
    assert_string_equal(r.action, "");
    assert_string_equal(r.facts, "a?[31mred?");
}

static void a_record_that_others_can_write_is_not_believed(void **state)
{
    struct kit_record r;
    struct kit_err err;
    char path[512];

    (void)state;
    if (geteuid() != 0) {
        print_message("# skip: needs root: only its files must not be writable by others\n");
        skip();
    }
    write_file("open.json", "{\"in_service\": true}", 20);
    assert_true(kit_str_format(path, sizeof(path), "%s/open.json", dir));
    assert_int_equal(chmod(path, 0666), 0);
    assert_int_equal(kit_record_read("open", &r, &err), -1);
    assert_int_equal(err.kind, KIT_ERR_CONFIG);
    fake_assert_text(err.msg, path);
    assert_false(r.known);
}

static void a_huge_record_is_not_read(void **state)
{
    KIT_AUTO(kit_buf) text = KIT_BUF(20000);
    struct kit_record r;
    struct kit_err err;

    (void)state;
    (void)kit_buf_puts(&text, "{\"in_service\": true, \"facts\": \"");
    while (text.len_bytes < 10000)
        (void)kit_buf_putc(&text, 'x');
    (void)kit_buf_puts(&text, "\"}");
    write_file("huge.json", text.data, text.len_bytes);
    assert_int_equal(kit_record_read("huge", &r, &err), -1);
    assert_int_equal(err.kind, KIT_ERR_CONFIG);
}

static void the_longest_record_can_be_written(void **state)
{
    struct kit_record r, out = {.in_service = true};
    struct kit_err err;

    (void)state;
    memset(out.facts, '"', sizeof(out.facts) - 1); /* two bytes each in JSON */
    memset(out.action, 'a', sizeof(out.action) - 1);
    if (kit_record_write("long", &out, &err) || kit_record_read("long", &r, &err))
        fail_msg("%s", err.msg);
    assert_string_equal(r.facts, out.facts);
    assert_string_equal(r.action, out.action);
}

static void locks_have_paths_of_their_own(void **state)
{
    struct kit_err err;
    char path[512], wanted[512], small[10];

    (void)state;
    assert_int_equal(kit_record_lock_path("10.1.0.10", path, sizeof(path), &err), 0);
    assert_true(kit_str_format(wanted, sizeof(wanted), "%s/10.1.0.10.lock", dir));
    assert_string_equal(path, wanted);
    assert_int_equal(kit_record_lock_path("fd00::1", path, sizeof(path), &err), 0);
    assert_true(kit_str_format(wanted, sizeof(wanted), "%s/fd00%%3A%%3A1.lock", dir));
    assert_string_equal(path, wanted);
    assert_int_equal(kit_record_lock_path("x", small, sizeof(small), &err), -1);
    assert_int_equal(err.kind, KIT_ERR_CONFIG);
}

static void the_environment_names_the_directory(void **state)
{
    (void)state;
    assert_string_equal(kit_record_dir(), dir);
    assert_int_equal(setenv("CLOUDVIP_RUNDIR", "", 1), 0);
    assert_string_equal(kit_record_dir(), "/run/cloudvip");
    assert_int_equal(unsetenv("CLOUDVIP_RUNDIR"), 0);
    assert_string_equal(kit_record_dir(), "/run/cloudvip");
    assert_int_equal(setenv("CLOUDVIP_RUNDIR", dir, 1), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_record_is_no_error),
        cmocka_unit_test(what_was_written_is_read),
        cmocka_unit_test(an_address_that_is_not_told_whole_is_none),
        cmocka_unit_test(the_directory_is_made_for_all_to_read),
        cmocka_unit_test(a_slash_in_a_tag_leaves_no_directory),
        cmocka_unit_test(a_tag_too_long_for_a_file_is_refused),
        cmocka_unit_test(what_is_no_record_is_an_error),
        cmocka_unit_test(values_of_other_types_are_nothing),
        cmocka_unit_test(a_record_that_others_can_write_is_not_believed),
        cmocka_unit_test(a_huge_record_is_not_read),
        cmocka_unit_test(the_longest_record_can_be_written),
        cmocka_unit_test(locks_have_paths_of_their_own),
        cmocka_unit_test(the_environment_names_the_directory),
    };
    return cmocka_run_group_tests_name("vip/record", tests, make_dir, remove_dir);
}
