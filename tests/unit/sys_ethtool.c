/* tests/unit/sys_ethtool.c - the channels of a veth pair: a real driver that lets them be set. */
#include "tests/unit/sys_namespace.h"

#include <errno.h>

#include "kit/sys/ethtool.h"

static void make_pair(void)
{
    const char *const add[] = {
        "/sbin/ip", "link", "add",  "q0", "numrxqueues", "3", "numtxqueues", "4", "type",
        "veth",     "peer", "name", "q1", "numrxqueues", "4", "numtxqueues", "4", NULL};
    const char *const del[] = {"/sbin/ip", "link", "del", "q0", NULL};

    (void)run_program(del, NULL);
    assert_int_equal(run_program(add, NULL), 0);
}

static void they_are_read_and_set(void **state)
{
    struct kit_channels c;
    struct kit_err err;
    bool changed = true;

    (void)state;
    need_network();
    make_pair();
    if (kit_ethtool_channels("q0", &c, &err))
        fail_msg("%s", err.msg);
    assert_false(c.combined); /* the driver has them each for itself */
    assert_int_equal(c.max, 3);
    assert_int_equal(kit_ethtool_set_channels("q0", 2, &changed, &err), 0);
    assert_true(changed);
    assert_int_equal(kit_ethtool_channels("q0", &c, &err), 0);
    assert_int_equal(c.count, 2);
    assert_int_equal(c.rx, 2);
    assert_int_equal(c.tx, 2);
    assert_int_equal(c.max, 3);
    assert_int_equal(kit_ethtool_set_channels("q0", 2, &changed, &err), 0);
    assert_false(changed);
    assert_int_equal(kit_ethtool_set_channels("q0", 3, &changed, &err), 0);
    assert_true(changed);
}

static void what_is_wrong_is_said(void **state)
{
    struct kit_channels c = {.max = 7};
    struct kit_err err;
    bool changed = true;

    (void)state;
    need_network();
    make_pair();
    assert_int_equal(kit_ethtool_set_channels("q0", 4, &changed, &err), -1);
    assert_int_equal(err.kind, KIT_ERR_CONFIG);
    assert_string_equal(err.msg, "q0 takes 1 to 3 queues, not 4");
    assert_int_equal(kit_ethtool_set_channels("q0", 0, &changed, &err), -1);
    assert_int_equal(kit_ethtool_channels("gone0", &c, &err), -1);
    assert_int_equal(err.kind, KIT_ERR_CONFIG);
    assert_int_equal(kit_ethtool_channels("lo", &c, &err), -1);
    assert_int_equal(err.kind, KIT_ERR_STATE);
    assert_int_equal(c.max, 7);
}

/* Last: it gives the rights away. */
static void without_permission_it_says_so(void **state)
{
    struct kit_err err;
    bool changed = true;

    (void)state;
    need_network();
    make_pair();
    if (geteuid() != 0 || seteuid(65534)) {
        print_message("# skip: needs root: its rights are given up\n");
        skip();
    }
    int rc = kit_ethtool_set_channels("q0", 1, &changed, &err);
    assert_int_equal(seteuid(0), 0);
    assert_int_equal(rc, -1);
    assert_int_equal(err.kind, KIT_ERR_DENIED);
    assert_false(changed);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(they_are_read_and_set),
        cmocka_unit_test(what_is_wrong_is_said),
        cmocka_unit_test(without_permission_it_says_so),
    };

    return cmocka_run_group_tests(tests, make_network, NULL);
}
