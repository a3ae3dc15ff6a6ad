/* tests/unit/sys_hostid.c - who this host is; the firmware's words are put in place by mounting. */
#include <fcntl.h>
#include <pwd.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cmocka.h>

#include "kit/base/str.h"
#include "kit/sys/file.h"
#include "kit/sys/hostid.h"

static bool tell(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);

    if (fd < 0)
        return false;
    bool done = write(fd, text, strlen(text)) == (ssize_t)strlen(text);
    close(fd);
    return done;
}

/* A user namespace in which we are root, for those who are not. */
static bool become_root_here(int more_namespaces)
{
    char users[40], groups[40];

    return kit_str_format(users, sizeof(users), "0 %u 1", (unsigned)geteuid()) &&
           kit_str_format(groups, sizeof(groups), "0 %u 1", (unsigned)getegid()) &&
           unshare(CLONE_NEWUSER | more_namespaces) == 0 && tell("/proc/self/uid_map", users) &&
           tell("/proc/self/setgroups", "deny") && tell("/proc/self/gid_map", groups);
}

/* A /sys/class of our own, seen by this process alone. */
static bool own_sys_class(void)
{
    return (unshare(CLONE_NEWNS) == 0 || become_root_here(CLONE_NEWNS)) &&
           mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
           mount("tmpfs", "/sys/class", "tmpfs", 0, NULL) == 0;
}

static void firmware_is_read(void **state)
{
    struct kit_hostid id;
    struct kit_err err;
    char junk[200];

    (void)state;
    if (!own_sys_class()) {
        print_message("# skip: needs a mount namespace: /sys/class is covered\n");
        skip();
    }
    memset(&id, 0x5a, sizeof(id));
    kit_hostid_read(&id);
    assert_string_equal(id.vendor, "");
    assert_string_equal(id.bios_vendor, "");
    assert_string_equal(id.bios_version, "");

    assert_int_equal(kit_file_make_dir("/sys/class/dmi/id", 0755, &err), 0);
    assert_int_equal(
        kit_file_write("/sys/class/dmi/id/sys_vendor", "Amazon EC2\n", 11, 0444, false, &err), 0);
    assert_int_equal(
        kit_file_write("/sys/class/dmi/id/bios_version", " 4.11.amazon \n", 14, 0444, false, &err),
        0);
    memset(junk, 'x', sizeof(junk));
    junk[3] = '\033';
    assert_int_equal(
        kit_file_write("/sys/class/dmi/id/bios_vendor", junk, sizeof(junk), 0444, false, &err), 0);
    kit_hostid_read(&id);
    assert_string_equal(id.vendor, "Amazon EC2");
    assert_string_equal(id.bios_version, "4.11.amazon");
    assert_int_equal(strlen(id.bios_vendor), sizeof(id.bios_vendor) - 1);
    assert_int_equal(id.bios_vendor[3], '?');
}

static void the_node_has_a_name(void **state)
{
    struct kit_hostid id;
    struct utsname name;

    (void)state;
    assert_int_equal(uname(&name), 0);
    kit_hostid_read(&id);
    assert_string_equal(id.nodename, name.nodename);
}

static void home_comes_from_the_environment(void **state)
{
    char path[20] = "kept";

    (void)state;
    assert_int_equal(setenv("HOME", "/home/of/somebody", 1), 0);
    assert_true(kit_hostid_home(path, sizeof(path)));
    assert_string_equal(path, "/home/of/somebody");
    assert_int_equal(setenv("HOME", "/a/home/too/long/for/it", 1), 0);
    assert_false(kit_hostid_home(path, sizeof(path)));
}

static void home_comes_from_the_user_database(void **state)
{
    static const char *const useless[] = {NULL, "", "relative/home"};
    char expect[4096], path[4096], strings[16384];
    struct passwd entry, *found = NULL;

    (void)state;
    if (getpwuid_r(geteuid(), &entry, strings, sizeof(strings), &found) != 0 || !found) {
        print_message("# skip: needs an entry in the user database\n");
        skip();
        return;
    }
    assert_true(kit_str_copy(expect, sizeof(expect), found->pw_dir));
    for (size_t i = 0; i < KIT_LEN(useless); i++) {
        assert_int_equal(useless[i] ? setenv("HOME", useless[i], 1) : unsetenv("HOME"), 0);
        path[0] = '\0';
        assert_true(kit_hostid_home(path, sizeof(path)));
        assert_string_equal(path, expect);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_node_has_a_name), cmocka_unit_test(home_comes_from_the_environment),
        cmocka_unit_test(home_comes_from_the_user_database),
        cmocka_unit_test(firmware_is_read), /* last: it leaves the user's namespace */
    };
    return cmocka_run_group_tests_name("sys_hostid", tests, NULL, NULL);
}
