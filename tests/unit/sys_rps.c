/* tests/unit/sys_rps.c - CPUs as lists and masks, and the queues of a /sys made of files. */
#include "tests/unit/sys_namespace.h"

#include <net/if.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kit/sys/file.h"
#include "kit/sys/rps.h"

static char root[] = "/tmp/sys_rps.XXXXXX";

static int set_up(void **state)
{
    return mkdtemp(root) ? make_network(state) : -1;
}

static int tear_down(void **state)
{
    const char *const rm[] = {"/bin/rm", "-rf", root, NULL};

    (void)state;
    return run_program(rm, NULL);
}

static void put(const char *path, const char *text)
{
    char full[300], *slash;
    struct kit_err err;

    assert_true(kit_str_format(full, sizeof(full), "%s%s", root, path));
    slash = strrchr(full, '/');
    *slash = '\0';
    if (kit_file_make_dir(full, 0755, &err))
        fail_msg("%s", err.msg);
    *slash = '/';
    if (kit_file_write(full, text, strlen(text), 0644, false, &err))
        fail_msg("%s", err.msg);
}

static void lists_are_masks(void **state)
{
    static const struct {
        const char *list;
        unsigned cpus; /* 0 = it is none */
        const char *mask;
    } rows[] = {
        {"0\n", 1, "1"},
        {"0-3", 4, "f"},
        {"0-1,4-5\n", 4, "33"},
        {"3,1,1,3", 2, "a"},
        {"0-31", 32, "ffffffff"},
        {"0-32", 33, "1,ffffffff"},
        {"32", 1, "1,00000000"},
        {"0-7,64", 9, "1,00000000,000000ff"},
        {"8191", 1, NULL},
        {"0-8191", 8192, NULL},
        {"", 0, NULL},
        {"\n", 0, NULL},
        {"8192", 0, NULL},
        {"3-1", 0, NULL},
        {"0-", 0, NULL},
        {"-1", 0, NULL},
        {"0,", 0, NULL},
        {"0,,1", 0, NULL},
        {"0 1", 0, NULL},
        {"0-1\n2", 0, NULL},
        {"99999999999999999999", 0, NULL},
    };

    (void)state;
    for (size_t i = 0; i < KIT_LEN(rows); i++) {
        char mask[KIT_RPS_MASK_BYTES] = "kept";
        unsigned cpus = 0;

        if (kit_rps_parse_list(rows[i].list, &cpus, mask) != (rows[i].cpus > 0) ||
            cpus != rows[i].cpus)
            fail_msg("row %zu: %u CPUs", i, cpus);
        if (rows[i].mask)
            assert_string_equal(mask, rows[i].mask);
        else if (!rows[i].cpus)
            assert_string_equal(mask, "kept");
        else
            assert_int_equal(strlen(mask), KIT_RPS_CPUS / 4 + KIT_RPS_CPUS / 32 - 1);
    }
}

static void interface_in_sys(const char *mac)
{
    char text[16];

    (void)kit_str_format(text, sizeof(text), "%u\n", if_nametoindex("v0"));
    put("/sys/class/net/v0/ifindex", text);
    put("/sys/class/net/v0/address", mac);
}

static void queues_are_read_and_set(void **state)
{
    struct kit_rps rps = {0};
    struct kit_err err;

    (void)state;
    need_network();
    interface_in_sys(HERE_MAC "\n");
    assert_int_equal(kit_rps_read(root, "v0", &rps, &err), -1); /* no queues yet */
    put("/sys/class/net/v0/queues/rx-10/rps_cpus", "00000000,00000000\n");
    put("/sys/class/net/v0/queues/rx-2/rps_cpus", "0,00000003\n");
    put("/sys/class/net/v0/queues/rx-0/rps_cpus", "0\n");
    put("/sys/class/net/v0/queues/tx-0/xps_cpus", "3\n");
    put("/sys/class/net/v0/queues/rx-x/rps_cpus", "3\n");
    if (kit_rps_read(root, "v0", &rps, &err))
        fail_msg("%s", err.msg);
    assert_int_equal(rps.count, 3);
    assert_int_equal(rps.queue[0].number, 0);
    assert_int_equal(rps.queue[1].number, 2);
    assert_int_equal(rps.queue[2].number, 10);
    assert_false(rps.queue[0].on || rps.queue[2].on);
    assert_true(rps.queue[1].on);
    assert_string_equal(rps.queue[1].mask, "0,00000003");
    kit_rps_done(&rps);
    assert_int_equal(kit_rps_set(root, "v0", 10, "f", &err), 0);
    assert_int_equal(kit_rps_read(root, "v0", &rps, &err), 0);
    assert_true(rps.queue[2].on);
    kit_rps_done(&rps);
    assert_int_equal(kit_rps_set(root, "v0", 11, "f", &err), -1);
    assert_int_equal(kit_rps_set(root, "gone0", 0, "f", &err), -1);
    assert_int_equal(err.kind, KIT_ERR_CONFIG);
}

static void the_sys_of_another_network_is_not_believed(void **state)
{
    struct kit_rps rps = {0};
    struct kit_err err;

    (void)state;
    need_network();
    put("/sys/class/net/v0/queues/rx-0/rps_cpus", "0\n");
    interface_in_sys(THERE_MAC "\n"); /* the same name and number, another interface */
    assert_int_equal(kit_rps_read(root, "v0", &rps, &err), -1);
    assert_int_equal(err.kind, KIT_ERR_STATE);
    assert_int_equal(kit_rps_set(root, "v0", 0, "f", &err), -1);
    interface_in_sys(HERE_MAC "\n");
    assert_int_equal(kit_rps_read(root, "v0", &rps, &err), 0);
    kit_rps_done(&rps);
    put("/sys/class/net/v0/ifindex", "7777\n");
    assert_int_equal(kit_rps_read(root, "v0", &rps, &err), -1);
}

static void cpus_that_are_online(void **state)
{
    char mask[KIT_RPS_MASK_BYTES];
    struct kit_err err;
    unsigned cpus = 0;

    (void)state;
    if (access("/sys/devices/system/cpu/online", R_OK) == 0) { /* a build root may have no /sys */
        assert_int_equal(kit_rps_online("", &cpus, mask, &err), 0);
        assert_int_equal(cpus, sysconf(_SC_NPROCESSORS_ONLN));
    }
    put("/sys/devices/system/cpu/online", "0-1,3\n");
    assert_int_equal(kit_rps_online(root, &cpus, mask, &err), 0);
    assert_int_equal(cpus, 3);
    assert_string_equal(mask, "b");
    put("/sys/devices/system/cpu/online", "all\n");
    assert_int_equal(kit_rps_online(root, &cpus, mask, &err), -1);
    assert_int_equal(err.kind, KIT_ERR_PROTOCOL);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_are_masks),
        cmocka_unit_test(queues_are_read_and_set),
        cmocka_unit_test(the_sys_of_another_network_is_not_believed),
        cmocka_unit_test(cpus_that_are_online),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
