/* tests/unit/sys_link.c - real interfaces, in a network namespace of the test's own. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "kit/base/mem.h"
#include "kit/base/str.h"
#include "kit/sys/link.h"
#include "kit/sys/proc.h"

static bool own_namespace;

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

/* Where it cannot be had, what would change the host's interfaces is skipped. */
static int enter_namespace(void **state)
{
    (void)state;
    own_namespace = unshare(CLONE_NEWNET) == 0 || become_root_here(CLONE_NEWNET);
    return 0;
}

static void need_namespace(void)
{
    if (own_namespace)
        return;
    print_message("# skip: needs a network namespace: interfaces are set up\n");
    skip();
}

static void ip(const char *const argv[])
{
    KIT_AUTO(kit_buf) output = KIT_BUF(1000);
    struct kit_err err;
    int status = -1;

    if (access(argv[0], X_OK) != 0) {
        print_message("# skip: needs %s: a pair of interfaces is made\n", argv[0]);
        skip();
    }
    int rc = kit_proc_run(argv, &kit_clock_real, kit_deadline_in_ms(&kit_clock_real, 30000),
                          &output, &status, &err);
    assert_int_equal(rc, 0);
    if (status != 0) {
        print_message("# skip: needs veth: this kernel makes none\n");
        skip();
    }
}

struct fake {
    int64_t now_ns;
};

static int64_t fake_now(void *self)
{
    return ((struct fake *)self)->now_ns;
}

static void fake_sleep(void *self, int64_t ns)
{
    ((struct fake *)self)->now_ns += ns;
}

static struct kit_clock clock_of(struct fake *f)
{
    return (struct kit_clock){
        .now_ns = fake_now, .wall_ns = fake_now, .sleep_ns = fake_sleep, .self = f};
}

static void loopback_has_no_mac(void **state)
{
    struct kit_link link;
    struct kit_err err;

    (void)state;
    memset(&link, 0x5a, sizeof(link));
    assert_int_equal(kit_link_read("lo", &link, &err), 0);
    assert_string_equal(link.name, "lo");
    assert_string_equal(link.mac, "");
    assert_int_equal(link.up, !own_namespace); /* a new namespace begins with it down */
}

static void bringing_up_twice_is_as_once(void **state)
{
    struct fake f = {0};
    const struct kit_clock clock = clock_of(&f);
    struct kit_deadline by = kit_deadline_in_ms(&clock, 1000);
    struct kit_link link;
    struct kit_err err;

    (void)state;
    need_namespace();
    assert_int_equal(kit_link_bring_up("lo", &clock, by, &err), 0);
    assert_int_equal(kit_link_read("lo", &link, &err), 0);
    assert_true(link.up);
    assert_true(link.running);
    assert_int_equal(kit_link_bring_up("lo", &clock, by, &err), 0);
}

static void unknown_names_list_the_known(void **state)
{
    struct kit_link link = {.name = "kept"};
    struct kit_err err;

    (void)state;
    assert_int_equal(kit_link_read("nosuch0", &link, &err), -1);
    assert_int_equal(err.kind, KIT_ERR_CONFIG);
    assert_non_null(strstr(err.msg, "no interface nosuch0; there are: "));
    assert_non_null(strstr(err.msg, "lo"));
    assert_string_equal(link.name, "kept");
    assert_int_equal(kit_link_bring_up("nosuch0", &kit_clock_real, (struct kit_deadline){0}, &err),
                     -1);
    assert_int_equal(err.kind, KIT_ERR_CONFIG);
}

static void names_are_checked(void **state)
{
    static const char *const bad[] = {
        "",     ".",    "..",   "../lo",     "lo/", "lo:1", "l o", "lo\n", "sixteen-chars-xx",
        "\tlo", "/etc", "lo/.", "a\033[2Jb/"};
    struct kit_link link;
    struct kit_err err;

    (void)state;
    for (size_t i = 0; i < KIT_LEN(bad); i++) {
        assert_int_equal(kit_link_read(bad[i], &link, &err), -1);
        assert_int_equal(err.kind, KIT_ERR_CONFIG);
        assert_non_null(strstr(err.msg, "is no name of an interface"));
    }
    /* The longest that the kernel takes gets as far as being looked for. */
    assert_int_equal(kit_link_read("fifteen-chars-x", &link, &err), -1);
    assert_non_null(strstr(err.msg, "there is no interface fifteen-chars-x"));
}

static void carrier_is_waited_for(void **state)
{
    static const char *const add[] = {
        "/sbin/ip", "link", "add",  "v0",   "address", "02:00:5E:00:53:01",
        "type",     "veth", "peer", "name", "v1",      NULL};
    struct fake f = {0};
    const struct kit_clock clock = clock_of(&f);
    struct kit_deadline by = kit_deadline_in_ms(&clock, 1000);
    struct kit_link link;
    struct kit_err err;

    (void)state;
    need_namespace();
    ip(add);
    assert_int_equal(kit_link_read("v0", &link, &err), 0);
    assert_string_equal(link.mac, "02:00:5e:00:53:01");
    assert_false(link.up);
    assert_false(link.running);

    /* Its peer is down: no carrier. */
    assert_int_equal(kit_link_bring_up("v0", &clock, by, &err), -1);
    assert_int_equal(err.kind, KIT_ERR_TIMEOUT);
    assert_string_equal(err.msg, "interface v0 is up but has no carrier");
    assert_int_equal(f.now_ns, by.at_ns);
    assert_int_equal(kit_link_read("v0", &link, &err), 0);
    assert_true(link.up);
    assert_false(link.running);

    struct kit_deadline late = kit_deadline_in_ms(&kit_clock_real, 30000);
    assert_int_equal(kit_link_bring_up("v1", &kit_clock_real, late, &err), 0);
    assert_int_equal(kit_link_bring_up("v0", &kit_clock_real, late, &err), 0);
    assert_int_equal(kit_link_read("v0", &link, &err), 0);
    assert_true(link.running);
}

/* v0 and v1 are there. */
static void one_is_found_by_its_mac(void **state)
{
    static const char *const twin[] = {
        "/sbin/ip", "link", "add",  "v2",   "address", "02:00:5E:00:53:01",
        "type",     "veth", "peer", "name", "v3",      NULL};
    struct kit_link link = {.name = "kept"};
    struct kit_err err;

    (void)state;
    need_namespace();
    assert_int_equal(kit_link_find("02:00:5e:00:53:ff", &link, &err), -1);
    assert_int_equal(err.kind, KIT_ERR_NOT_FOUND);
    assert_int_equal(kit_link_find("", &link, &err), -1); /* the loopback has none */
    assert_string_equal(link.name, "kept");
    assert_int_equal(kit_link_find("02:00:5E:00:53:01", &link, &err), 0);
    assert_string_equal(link.name, "v0");
    ip(twin);
    assert_int_equal(kit_link_find("02:00:5e:00:53:01", &link, &err), -1);
    assert_int_equal(err.kind, KIT_ERR_CONFIG);
    assert_string_equal(err.msg, "several interfaces have the MAC 02:00:5e:00:53:01: v0 v2");
}

/* Last: it gives the capabilities away. */
static void without_permission_it_says_so(void **state)
{
    struct fake f = {0};
    const struct kit_clock clock = clock_of(&f);
    struct kit_err err;

    (void)state;
    if (!own_namespace || geteuid() != 0 || unshare(CLONE_NEWNET) != 0 || seteuid(65534) != 0) {
        print_message("# skip: needs root: its rights are given up\n");
        skip();
    }
    int rc = kit_link_bring_up("lo", &clock, kit_deadline_in_ms(&clock, 10), &err);
    assert_int_equal(seteuid(0), 0);
    assert_int_equal(rc, -1);
    assert_int_equal(err.kind, KIT_ERR_SYSTEM);
    assert_int_equal(err.sys, EPERM);
    assert_string_equal(err.msg, "set interface lo up: Operation not permitted");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(loopback_has_no_mac),
        cmocka_unit_test(bringing_up_twice_is_as_once),
        cmocka_unit_test(unknown_names_list_the_known),
        cmocka_unit_test(names_are_checked),
        cmocka_unit_test(carrier_is_waited_for),
        cmocka_unit_test(one_is_found_by_its_mac),
        cmocka_unit_test(without_permission_it_says_so),
    };
    return cmocka_run_group_tests_name("sys_link", tests, enter_namespace, NULL);
}
