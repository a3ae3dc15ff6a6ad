/* tests/unit/vip_local.c - addresses on real interfaces, and the notes about them in real files. */
#include "tests/unit/sys_namespace.h"

#include <stdlib.h>
#include <sys/stat.h>

#include "kit/vip/local.h"
#include "tests/unit/fakes.h"

#define TAG "vip1"
static char dir[] = "/tmp/vip_local.XXXXXX";

static int set_up(void **state)
{
    if (!mkdtemp(dir) || setenv("CLOUDVIP_RUNDIR", dir, 1))
        return -1;
    return make_network(state);
}

static int tear_down(void **state)
{
    const char *const rm[] = {"/bin/rm", "-rf", dir, NULL};

    (void)state;
    return run_program(rm, NULL);
}

static void put(struct kit_settings *s, enum kit_param param, const char *value)
{
    struct kit_err err;

    if (value && kit_settings_put(s, param, value, "test", &err))
        fail_msg("%s", err.msg);
}

static struct kit_settings settings_of(const char *scenario, const char *local)
{
    struct kit_settings s;

    kit_settings_init(&s, TAG);
    put(&s, KIT_PARAM_SCENARIO, scenario);
    put(&s, KIT_PARAM_LOCAL_ADDRESS, local);
    return s;
}

static struct kit_local local_of(const char *interface, const char *text)
{
    struct kit_local local;
    struct kit_addr addr;

    assert_true(kit_addr_parse(text, &addr));
    kit_local_set(&local, interface, &addr, 0);
    return local;
}

static enum kit_local_state state_of(const struct kit_local *local)
{
    enum kit_local_state got;
    struct kit_err err;

    if (kit_local_look(local, &got, &err))
        fail_msg("%s", err.msg);
    return got;
}

/* As another process would. */
static void other_puts(const char *interface, const char *cidr)
{
    const char *const add[] = {"/sbin/ip", "addr", "add", cidr, "dev", interface, NULL};

    assert_int_equal(run_program(add, NULL), 0);
}

static void nothing_is_up(void)
{
    const char *const flush[] = {"/sbin/ip", "addr", "flush", "dev", "v0", NULL};
    const char *const forget[] = {"/bin/rm", "-rf", dir, NULL};

    assert_int_equal(run_program(flush, NULL), 0);
    assert_int_equal(run_program(forget, NULL), 0);
}

static struct kit_record record_of(void)
{
    struct kit_record r;
    struct kit_err err;

    if (kit_record_read(TAG, &r, &err))
        fail_msg("%s", err.msg);
    return r;
}

/* ---- who wants it ---------------------------------------------------------------------------- */

static void who_puts_it_there(void **state)
{
    static const struct {
        const char *scenario, *mode, *given;
        bool by_default, without; /* for callers that leave it to us, and others */
    } rows[] = {
        {"route-table", NULL, NULL, true, false},
        {"private-ip", NULL, NULL, true, false},
        {"route-table", NULL, "yes", true, true},
        {"private-ip", NULL, "no", false, false},
        {"havip", NULL, NULL, true, true}, /* the announcement is the claim */
        {"havip", NULL, "no", false, false},
        {"elastic-ip", NULL, NULL, false, false},
        {"elastic-ip", NULL, "yes", false, false}, /* the guest never has it */
        {"elastic-ip", "multi", NULL, false, false},
        {"elastic-ip", "multi", "yes", true, true},
        {"elastic-ip", "cut-through", "yes", false, false},
        {"eni", NULL, "yes", false, false},
    };

    (void)state;
    for (size_t i = 0; i < KIT_LEN(rows); i++) {
        struct kit_settings s = settings_of(rows[i].scenario, rows[i].given);

        put(&s, KIT_PARAM_EIP_MODE, rows[i].mode);
        if (kit_local_wanted(&s, true) != rows[i].by_default ||
            kit_local_wanted(&s, false) != rows[i].without)
            fail_msg("row %zu", i);
        kit_settings_done(&s);
    }
}

static void what_is_in_service_is_expected_where_restore_put_it(void **state)
{
    static const struct {
        const char *given, *interface;
        bool in_service, noted;
        const char *expected; /* NULL: nowhere */
    } rows[] = {
        {NULL, "v0", true, true, "v0"},    {NULL, NULL, true, true, "v1"},
        {NULL, "v0", true, false, NULL},   {NULL, "v0", false, true, NULL},
        {"no", "v0", true, true, NULL},    {"yes", "v0", true, false, "v0"},
        {"yes", NULL, true, false, NULL},  {"yes", NULL, true, true, "v1"},
        {"yes", "v0", false, false, NULL},
    };

    (void)state;
    for (size_t i = 0; i < KIT_LEN(rows); i++) {
        struct kit_settings s = settings_of("route-table", rows[i].given);
        struct kit_record r = {.in_service = rows[i].in_service};
        struct kit_local local = {.interface = "kept"};

        put(&s, KIT_PARAM_ADDRESS, "10.1.0.10");
        put(&s, KIT_PARAM_INTERFACE, rows[i].interface);
        if (rows[i].noted) {
            assert_true(kit_str_copy(r.local_interface, sizeof(r.local_interface), "v1"));
            assert_true(kit_str_copy(r.local_address, sizeof(r.local_address), "10.1.0.10"));
        }
        if (kit_local_expected(&s, &r, &local) != (rows[i].expected != NULL))
            fail_msg("row %zu", i);
        assert_string_equal(local.interface, rows[i].expected ? rows[i].expected : "kept");
        kit_settings_done(&s);
    }
}

static void the_place_is_an_interface_of_the_settings_or_the_eni(void **state)
{
    struct kit_facts facts = {.me = "eni-1"};
    struct kit_settings s = settings_of("route-table", NULL);
    struct kit_local local;
    const char *why = NULL;
    struct kit_err err;

    (void)state;
    need_network();
    put(&s, KIT_PARAM_ADDRESS, "2001:db8::10");
    assert_int_equal(kit_local_place(&s, &facts, &local, &why, &err), 0);
    fake_assert_text(why, "not known");
    assert_true(kit_str_copy(facts.my_mac, sizeof(facts.my_mac), "02:00:5e:00:53:ff"));
    assert_int_equal(kit_local_place(&s, &facts, &local, &why, &err), 0);
    fake_assert_text(why, "none has the ENI's MAC");
    assert_true(kit_str_copy(facts.my_mac, sizeof(facts.my_mac), HERE_MAC));
    assert_int_equal(kit_local_place(&s, &facts, &local, &why, &err), 1);
    assert_string_equal(local.interface, "v0");
    assert_int_equal(local.addr.prefix_len, 128);
    put(&s, KIT_PARAM_INTERFACE, "eth9"); /* whoever names it must know */
    assert_int_equal(kit_local_place(&s, &facts, &local, &why, &err), 1);
    assert_string_equal(local.interface, "eth9");
    kit_settings_done(&s);
}

static void a_guests_address_comes_with_its_mask(void **state)
{
    struct kit_facts facts = {.me = "eni-1"};
    struct kit_settings s = settings_of("elastic-ip", "yes");
    struct kit_binding *b = kit_facts_add(&facts);
    struct kit_local local;
    const char *why = NULL;
    struct kit_err err;

    (void)state;
    put(&s, KIT_PARAM_EIP_MODE, "multi");
    put(&s, KIT_PARAM_INTERFACE, "v0");
    assert_int_equal(kit_local_place(&s, &facts, &local, &why, &err), 1);
    assert_int_equal(local.addr.family, 0); /* not told yet */
    assert_true(kit_addr_parse("198.51.100.20", &b->guest.addr));
    b->guest.prefix_len = 22;
    assert_int_equal(kit_local_place(&s, &facts, &local, &why, &err), 1);
    assert_int_equal(local.addr.prefix_len, 22);
    kit_facts_done(&facts);
    kit_settings_done(&s);
}

/* ---- up and down ----------------------------------------------------------------------------- */

static void what_we_put_up_we_take_off(void **state)
{
    static const char *const texts[] = {"10.1.0.10", "2001:db8::10"};

    (void)state;
    need_network();
    for (size_t i = 0; i < KIT_LEN(texts); i++) {
        struct kit_local local = local_of("v0", texts[i]);
        struct kit_record r = {.in_service = true}, read;
        struct kit_err err;
        bool is = false;

        nothing_is_up();
        assert_int_equal(kit_local_up(TAG, &local, &r, &is, &err), 0);
        assert_true(is);
        assert_int_equal(state_of(&local), KIT_LOCAL_UP);
        read = record_of(); /* on disk, whatever becomes of this process */
        assert_true(read.local_ours && read.in_service);
        assert_string_equal(read.local_interface, "v0");
        assert_string_equal(read.local_address, texts[i]);

        assert_int_equal(kit_local_up(TAG, &local, &r, &is, &err), 0);
        assert_false(is); /* once, and ours still */
        assert_true(r.local_ours);

        assert_int_equal(kit_local_down(&r, &is, &err), 0);
        assert_true(is);
        assert_int_equal(state_of(&local), KIT_LOCAL_MISSING);
        assert_false(r.local_ours);
        assert_string_equal(r.local_interface, "");
        assert_int_equal(kit_local_down(&r, &is, &err), 0);
        assert_false(is);
    }
}

static void what_another_process_put_up_counts_and_stays(void **state)
{
    static const char *const cidrs[] = {"10.1.0.10/32", "10.1.0.10/24"};
    struct kit_local local = local_of("v0", "10.1.0.10");

    (void)state;
    need_network();
    for (size_t i = 0; i < KIT_LEN(cidrs); i++) {
        struct kit_record r = {.in_service = false};
        struct kit_err err;
        bool is = true;

        nothing_is_up();
        other_puts("v0", cidrs[i]);
        assert_int_equal(kit_local_up(TAG, &local, &r, &is, &err), 0);
        assert_false(is);
        assert_false(r.local_ours);
        assert_string_equal(r.local_interface, "v0");
        assert_int_equal(kit_local_down(&r, &is, &err), 0);
        assert_false(is);
        assert_int_equal(state_of(&local), KIT_LOCAL_UP);
    }
}

static enum kit_local_owner owner_of(const struct kit_local *local, const struct kit_record *r,
                                     bool expected)
{
    enum kit_local_owner got;
    struct kit_err err;

    if (kit_local_owner(local, r, expected, &got, &err))
        fail_msg("%s", err.msg);
    return got;
}

static void whose_an_address_without_a_note_is(void **state)
{
    static const struct {
        const char *cidr; /* another process's */
        bool in_service, expected;
        enum kit_local_owner owner;
    } rows[] = {
        {"10.1.0.10/32", false, true, KIT_LOCAL_US},
        {"10.1.0.10/32", false, false, KIT_LOCAL_ANOTHER},
        {"10.1.0.10/32", true, true, KIT_LOCAL_ANOTHER},
        {"10.1.0.10/24", false, true, KIT_LOCAL_ANOTHER},
        {"10.1.0.11/32", false, true, KIT_LOCAL_NOBODY},
    };
    struct kit_local local = local_of("v0", "10.1.0.10"), gone = local_of("nosuch0", "10.1.0.10");
    struct kit_netlink_seen seen;
    struct kit_record r = {.known = false};
    struct kit_err err;
    bool is;

    (void)state;
    need_network();
    for (size_t i = 0; i < KIT_LEN(rows); i++) {
        nothing_is_up();
        other_puts("v0", rows[i].cidr);
        r = (struct kit_record){.in_service = rows[i].in_service};
        assert_int_equal(owner_of(&local, &r, rows[i].expected), rows[i].owner);
        kit_local_leave(&local, &r);
        assert_int_equal(owner_of(&local, &r, rows[i].expected),
                         rows[i].owner ? KIT_LOCAL_ANOTHER : KIT_LOCAL_NOBODY);
    }
    assert_int_equal(owner_of(&gone, &r, true), KIT_LOCAL_NOBODY);

    nothing_is_up();
    assert_int_equal(kit_netlink_addr_add("v0", &local.addr, &is, &err), 0);
    assert_int_equal(kit_netlink_addr_see("v0", &local.addr, &seen, &err), 0);
    if (!seen.marked)
        skip(); /* Linux before 5.18 */
    r = (struct kit_record){.in_service = false};
    assert_int_equal(owner_of(&local, &r, false), KIT_LOCAL_US);
    assert_int_equal(kit_local_up(TAG, &local, &r, &is, &err), 0);
    assert_false(is);
    assert_true(r.local_ours); /* a restore after the record was lost */
}

/* Killed behind the note: no address yet, or an address and nobody who remembers but the note. */
static void a_note_is_followed_whatever_became_of_its_writer(void **state)
{
    struct kit_local local = local_of("v0", "10.1.0.10");
    struct kit_err err;

    (void)state;
    need_network();
    for (int up = 0; up < 2; up++) {
        struct kit_record r = {.in_service = false};
        bool is = true;

        nothing_is_up();
        assert_int_equal(kit_local_note(TAG, &local, &r, &err), 0);
        if (up)
            other_puts("v0", "10.1.0.10/32"); /* our own, before we were killed */
        r = record_of();
        assert_true(r.local_ours);
        assert_int_equal(kit_local_up(TAG, &local, &r, &is, &err), 0);
        assert_int_equal(is, !up);
        assert_true(r.local_ours);
        assert_int_equal(kit_local_down(&r, &is, &err), 0);
        assert_true(is);
        assert_int_equal(state_of(&local), KIT_LOCAL_MISSING);
    }
}

static void without_a_note_nothing_is_put_up(void **state)
{
    const char *const block[] = {"/usr/bin/touch", dir, NULL}; /* no directory */
    struct kit_local local = local_of("v0", "10.1.0.10");
    struct kit_record r = {.in_service = true};
    struct kit_err err;
    bool is = true;

    (void)state;
    need_network();
    nothing_is_up();
    assert_int_equal(run_program(block, NULL), 0);
    assert_int_equal(kit_local_up(TAG, &local, &r, &is, &err), -1);
    fake_assert_text(err.msg, "note that the address is ours to take off");
    assert_int_equal(state_of(&local), KIT_LOCAL_MISSING);
    assert_false(r.local_ours);
    nothing_is_up();
}

static void it_follows_the_settings_to_another_interface(void **state)
{
    struct kit_local old = local_of("v0", "10.1.0.10"), now = local_of("lo", "10.1.0.10");
    struct kit_record r = {.in_service = true};
    struct kit_err err;
    bool is = false;

    (void)state;
    need_network();
    nothing_is_up();
    assert_int_equal(kit_local_up(TAG, &old, &r, &is, &err), 0);
    assert_int_equal(kit_local_up(TAG, &now, &r, &is, &err), 0);
    assert_true(is);
    assert_int_equal(state_of(&old), KIT_LOCAL_MISSING);
    assert_int_equal(state_of(&now), KIT_LOCAL_UP);
    assert_int_equal(kit_local_down(&r, &is, &err), 0);
    assert_int_equal(state_of(&now), KIT_LOCAL_MISSING);
}

static void an_interface_that_is_gone_holds_nothing(void **state)
{
    struct kit_local local = local_of("gone0", "10.1.0.10");
    struct kit_record r = {.in_service = true};
    struct kit_err err;
    bool is = true;

    (void)state;
    need_network();
    nothing_is_up();
    assert_int_equal(state_of(&local), KIT_LOCAL_GONE);
    assert_int_equal(kit_local_up(TAG, &local, &r, &is, &err), -1);
    assert_int_equal(err.kind, KIT_ERR_CONFIG);
    assert_false(r.local_ours);
    assert_int_equal(kit_local_note(TAG, &local, &r, &err), 0);
    assert_int_equal(kit_local_down(&r, &is, &err), 0);
    assert_false(is);
    assert_false(r.local_ours);
}

static void what_would_answer_for_it_goes_too(void **state)
{
    const char *const add[] = {"/sbin/ip", "neigh", "add", "proxy", "10.1.0.10", "dev", "v0", NULL};
    const char *const list[] = {"/sbin/ip", "neigh", "show", "proxy", NULL};
    KIT_AUTO(kit_buf) text = KIT_BUF(1000);
    struct kit_local local = local_of("v0", "10.1.0.10");
    struct kit_record r = {.in_service = true};
    struct kit_err err;
    bool is = false;

    (void)state;
    need_network();
    nothing_is_up();
    assert_int_equal(kit_local_up(TAG, &local, &r, &is, &err), 0);
    other_puts("v0", "10.1.0.10/24");
    assert_int_equal(run_program(add, NULL), 0);
    assert_int_equal(kit_local_down(&r, &is, &err), 0);
    assert_int_equal(state_of(&local), KIT_LOCAL_MISSING);
    assert_int_equal(run_program(list, &text), 0);
    assert_string_equal(text.data, "");
}

/* Last: it gives the rights away. */
static void without_permission_it_says_so(void **state)
{
    struct kit_local local = local_of("v0", "10.1.0.10");
    struct kit_record r = {.in_service = true}, read;
    struct kit_err err;
    bool is = true;

    (void)state;
    need_network();
    nothing_is_up();
    if (geteuid() != 0 || mkdir(dir, 0755) || chown(dir, 65534, 65534) || seteuid(65534)) {
        print_message("# skip: needs root: its rights are given up\n");
        skip();
    }
    int rc = kit_local_up(TAG, &local, &r, &is, &err);
    read = record_of();
    assert_int_equal(seteuid(0), 0);
    assert_int_equal(rc, -1);
    assert_int_equal(err.kind, KIT_ERR_SYSTEM);
    fake_assert_text(err.msg, "CAP_NET_ADMIN");
    assert_false(r.local_ours || read.local_ours);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_puts_it_there),
        cmocka_unit_test(what_is_in_service_is_expected_where_restore_put_it),
        cmocka_unit_test(the_place_is_an_interface_of_the_settings_or_the_eni),
        cmocka_unit_test(a_guests_address_comes_with_its_mask),
        cmocka_unit_test(what_we_put_up_we_take_off),
        cmocka_unit_test(what_another_process_put_up_counts_and_stays),
        cmocka_unit_test(whose_an_address_without_a_note_is),
        cmocka_unit_test(a_note_is_followed_whatever_became_of_its_writer),
        cmocka_unit_test(without_a_note_nothing_is_put_up),
        cmocka_unit_test(it_follows_the_settings_to_another_interface),
        cmocka_unit_test(an_interface_that_is_gone_holds_nothing),
        cmocka_unit_test(what_would_answer_for_it_goes_too),
        cmocka_unit_test(without_permission_it_says_so),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
