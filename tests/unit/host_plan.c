/* kit/host/plan and choose: what it takes, worked out from facts alone. */
#include "tests/unit/host_data.h"

static const char *const two[] = {"10.0.1.11", "10.0.1.60", NULL};
static const char *const both[] = {"10.0.1.11", "2001:db8:0:1::11", NULL};

static struct kit_host_plan plan_of(const struct kit_host_ask *ask, const struct kit_host_now *now)
{
    struct kit_host_plan plan;
    struct kit_err err;

    if (kit_host_plan_setup(ask, now, &plan, &err) != 0)
        fail_msg("%s", err.msg);
    return plan;
}

static void all_of_it(void **state)
{
    const struct kit_nic nic = host_nic(two);
    const struct kit_host_ask ask = {.interface = "eth1", .nic = &nic};
    KIT_AUTO(kit_host_now) now = host_now();
    struct kit_host_plan plan;

    (void)state;
    host_route(&now, "0.0.0.0/0", "10.0.1.1", ETH0, KIT_ROUTE_MAIN, 100);
    plan = plan_of(&ask, &now);
    assert_int_equal(plan.table, 101);
    host_says(&plan.todo, "ip link set dev eth1 up\n"
                          "ip -4 address add 10.0.1.11/24 dev eth1 metric 101\n"
                          "ip -4 address add 10.0.1.60/32 dev eth1\n"
                          "ip -4 route add default via 10.0.1.1 dev eth1 metric 101\n"
                          "ip -4 route add default via 10.0.1.1 dev eth1 table 101\n"
                          "ip -4 route add 10.0.1.0/24 dev eth1 table 101\n"
                          "ip -4 rule add from 10.0.1.11 lookup 101\n"
                          "ip -4 rule add from 10.0.1.60 lookup 101\n");
    /* Made, it is the same plan, and nothing to do. */
    host_make(&now, &plan.todo);
    kit_host_plan_done(&plan);
    plan = plan_of(&ask, &now);
    assert_int_equal(plan.table, 101);
    assert_int_equal(plan.todo.count, 0);
    assert_int_equal(plan.want.count, 8);
    kit_host_plan_done(&plan);
}

static void what_is_missing_alone_is_made(void **state)
{
    const struct kit_nic nic = host_nic(two);
    const struct kit_host_ask ask = {.interface = "eth1", .nic = &nic};
    struct kit_host_plan plan, again;
    KIT_AUTO(kit_host_now) now = host_now();

    (void)state;
    plan = plan_of(&ask, &now);
    size_t all = plan.todo.count;
    /* Each one of them gone. */
    for (size_t gone = 0; gone < all; gone++) {
        struct kit_host_state made = {.table = plan.table};
        const struct kit_host_ask with = {.interface = "eth1", .nic = &nic, .state = &made};
        KIT_AUTO(kit_host_now) then = host_now();
        struct kit_changes rest = {0};
        for (size_t i = 0; i < all; i++) {
            kit_changes_add(&made.made, &plan.todo.change[i]);
            if (i != gone)
                kit_changes_add(&rest, &plan.todo.change[i]);
        }
        host_make(&then, &rest);
        again = plan_of(&with, &then);
        assert_int_equal(again.todo.count, 1);
        assert_true(kit_change_eq(&again.todo.change[0], &plan.todo.change[gone]));
        assert_false(again.todo.change[0].undo);
        kit_host_plan_done(&again);
        kit_changes_done(&rest);
        kit_host_state_done(&made);
    }
    kit_host_plan_done(&plan);
}

/* 10.0.1.60 is a resource's. */
static void an_address_that_moves(void **state)
{
    static const char *const one[] = {"10.0.1.11", NULL};
    const struct kit_nic here = host_nic(two), away = host_nic(one);
    const struct kit_addr moving = host_addr("10.0.1.60");
    struct kit_host_state made = {.table = 101};
    const struct kit_host_ask first = {
        .interface = "eth1", .nic = &here, .moving = &moving, .moving_count = 1};
    struct kit_host_ask later = first;
    KIT_AUTO(kit_host_now) now = host_now();
    struct kit_host_plan plan = plan_of(&first, &now);

    (void)state;
    host_says(&plan.todo, "ip link set dev eth1 up\n"
                          "ip -4 address add 10.0.1.11/24 dev eth1 metric 101\n"
                          "ip -4 route add default via 10.0.1.1 dev eth1 metric 101\n"
                          "ip -4 route add default via 10.0.1.1 dev eth1 table 101\n"
                          "ip -4 route add 10.0.1.0/24 dev eth1 table 101\n"
                          "ip -4 rule add from 10.0.1.11 lookup 101\n"
                          "ip -4 rule add from 10.0.1.60 lookup 101\n");
    host_make(&now, &plan.todo);
    for (size_t i = 0; i < plan.todo.count; i++)
        kit_changes_add(&made.made, &plan.todo.change[i]);
    size_t all = plan.want.count;
    kit_host_plan_done(&plan);
    /* Elsewhere: nothing to do, and the same is kept over a reboot. */
    later.nic = &away;
    later.state = &made;
    plan = plan_of(&later, &now);
    assert_int_equal(plan.todo.count, 0);
    assert_int_equal(plan.want.count, all);
    kit_host_plan_done(&plan);
    /* Once made by a setup that did not know, and served now: it is not taken off. */
    const struct kit_change old = {.kind = KIT_CHANGE_ADDRESS, .addr = moving, .prefix_len = 32};
    kit_changes_add(&made.made, &old);
    host_has_addr(&now, "10.0.1.60", 32, false);
    plan = plan_of(&later, &now);
    assert_int_equal(plan.todo.count, 0);
    kit_host_plan_done(&plan);
    kit_host_state_done(&made);
}

static void no_way_to_the_gateway(void **state)
{
    const struct kit_nic nic = host_nic(two);
    const struct kit_host_ask ask = {.interface = "eth1", .nic = &nic};
    KIT_AUTO(kit_host_now) now = host_now();
    struct kit_host_plan plan;
    struct kit_err err;

    (void)state;
    host_has_addr(&now, "10.0.1.11", 32, false);
    assert_int_equal(kit_host_plan_setup(&ask, &now, &plan, &err), -1);
    assert_int_equal(err.kind, KIT_ERR_STATE);
    assert_non_null(strstr(err.msg, "eth1 has 10.0.1.11 already, but with another prefix length"));
    /* A route of somebody's does as well, or a wider network. */
    host_route(&now, "10.0.1.1/32", NULL, ETH1, KIT_ROUTE_MAIN, 0);
    plan = plan_of(&ask, &now);
    kit_host_plan_done(&plan);
    now.routes.count = 0;
    now.addrs.addr[0].addr.prefix_len = 16;
    plan = plan_of(&ask, &now);
    kit_host_plan_done(&plan);
}

static void ipv6(void **state)
{
    struct kit_nic nic = host_nic(both);
    const struct kit_host_ask ask = {.interface = "eth1", .nic = &nic};
    KIT_AUTO(kit_host_now) now = host_now();
    struct kit_host_plan plan;

    (void)state;
    host_route(&now, "0.0.0.0/0", "10.0.1.1", ETH0, KIT_ROUTE_MAIN, 100);
    /* No router is known: addresses alone. */
    plan = plan_of(&ask, &now);
    assert_true(plan.no_router);
    assert_int_equal(plan.todo.count, 7);
    kit_host_plan_done(&plan);
    /* It advertises itself, as eth0's does: their routes stay, and ours is not before them. */
    host_route(&now, "::/0", "fe80::1", ETH0, KIT_ROUTE_MAIN, 1024);
    host_route(&now, "::/0", "fe80::2", ETH1, KIT_ROUTE_MAIN, 1024);
    plan = plan_of(&ask, &now);
    assert_false(plan.no_router);
    assert_int_equal(plan.table, 1025);
    host_says(&plan.todo, "ip link set dev eth1 up\n"
                          "ip -4 address add 10.0.1.11/24 dev eth1 metric 1025\n"
                          "ip -6 address add 2001:db8:0:1::11/64 dev eth1 metric 1025 nodad\n"
                          "ip -4 route add default via 10.0.1.1 dev eth1 metric 1025\n"
                          "ip -4 route add default via 10.0.1.1 dev eth1 table 1025\n"
                          "ip -4 route add 10.0.1.0/24 dev eth1 table 1025\n"
                          "ip -6 route add default via fe80::2 dev eth1 table 1025\n"
                          "ip -6 route add 2001:db8:0:1::/64 dev eth1 table 1025\n"
                          "ip -4 rule add from 10.0.1.11 lookup 1025\n"
                          "ip -6 rule add from 2001:db8:0:1::11 lookup 1025\n");
    kit_host_plan_done(&plan);
    /* Told by the cloud. */
    nic.gateway6 = host_addr("2001:db8:0:1::fff7");
    now.routes.count = 1;
    plan = plan_of(&ask, &now);
    assert_int_equal(plan.table, 101);
    assert_int_equal(plan.todo.count, 11);
    kit_host_plan_done(&plan);
}

static void refuses(const struct kit_host_ask *ask, const struct kit_host_now *now,
                    enum kit_err_kind kind, const char *says)
{
    struct kit_host_plan plan;
    struct kit_err err;

    assert_int_equal(kit_host_plan_setup(ask, now, &plan, &err), -1);
    assert_int_equal(err.kind, kind);
    if (!strstr(err.msg, says))
        fail_msg("%s", err.msg);
}

static void the_number(void **state)
{
    const struct kit_nic nic = host_nic(two);
    static const uint32_t taken[] = {101};
    struct kit_host_ask ask = {
        .interface = "eth1", .nic = &nic, .taken = taken, .taken_count = KIT_LEN(taken)};
    KIT_AUTO(kit_host_now) now = host_now();
    struct kit_host_plan plan;

    (void)state;
    host_route(&now, "0.0.0.0/0", "10.0.1.1", ETH0, KIT_ROUTE_MAIN, 0);
    host_route(&now, "10.9.0.0/16", NULL, ETH0, 102, 0);
    host_rule(&now, "10.9.9.9", 103);
    host_route(&now, "0.0.0.0/0", "10.0.9.1", 4, KIT_ROUTE_MAIN, 104);
    kit_host_take_tables(&now,
                         "#\n# reserved values\n105 mine\n\t106 no\n107\n99999999999 x\n-1 y\n"
                         "106\tours # 108 no\n");
    assert_int_equal(now.named_count, 2);
    plan = plan_of(&ask, &now);
    assert_int_equal(plan.table, 107);
    kit_host_plan_done(&plan);

    static const struct {
        uint32_t metric;
        const char *says;
    } rows[] = {{101, "another interface was set up with it"},
                {102, "has routes"},
                {103, "a routing rule"},
                {104, "another default route"},
                {105, "rt_tables"},
                {252, "reserved"},
                {255, "reserved"}};
    for (size_t i = 0; i < KIT_LEN(rows); i++) {
        ask.metric = rows[i].metric;
        refuses(&ask, &now, KIT_ERR_CONFIG, rows[i].says);
    }
    ask.metric = 1001;
    plan = plan_of(&ask, &now);
    assert_int_equal(plan.table, 1001);
    kit_host_plan_done(&plan);
    now.routes.route[0].metric = 2000;
    ask.metric = 1999;
    now.routes.count = 1;
    refuses(&ask, &now, KIT_ERR_CONFIG, "rule 48");
}

static void what_somebody_else_began(void **state)
{
    const struct kit_nic nic = host_nic(two);
    const struct kit_host_ask ask = {.interface = "eth1", .nic = &nic};
    KIT_AUTO(kit_host_now) now = host_now();
    struct kit_host_plan plan;
    struct kit_err err;

    (void)state;
    host_route(&now, "0.0.0.0/0", "10.0.1.1", ETH0, KIT_ROUTE_MAIN, 100);
    /* A default route of DHCP's: its metric is the number. */
    host_route(&now, "0.0.0.0/0", "10.0.1.1", ETH1, KIT_ROUTE_MAIN, 120);
    plan = plan_of(&ask, &now);
    assert_int_equal(plan.table, 120);
    assert_int_equal(plan.metric, 120);
    assert_int_equal(plan.todo.count, 7);
    kit_host_plan_done(&plan);
    assert_int_equal(kit_host_check_preferred(&ask, &now, &err), 0);
    /* A table that a rule of one of its addresses looks into. */
    host_rule(&now, "10.0.1.60", 7001);
    host_route(&now, "0.0.0.0/0", "10.0.1.1", ETH1, 7001, 0);
    plan = plan_of(&ask, &now);
    assert_int_equal(plan.table, 7001);
    assert_int_equal(plan.metric, 120);
    assert_int_equal(plan.todo.count, 5);
    kit_host_plan_done(&plan);
    /* But not one that leads elsewhere. */
    now.routes.route[now.routes.count - 1].index = ETH0;
    plan = plan_of(&ask, &now);
    assert_int_equal(plan.table, 120);
    kit_host_plan_done(&plan);
    /* Rule 48. */
    now.routes.route[1].metric = 100;
    assert_int_equal(kit_host_check_preferred(&ask, &now, &err), -1);
    assert_int_equal(err.kind, KIT_ERR_STATE);
    assert_non_null(strstr(err.msg, "rule 48: the default route of eth1 has metric 100"));
}

/* ---- taking it back -------------------------------------------------------------------------- */

static void begin_made(const struct kit_nic *nic, struct kit_host_now *now,
                       struct kit_host_state *made)
{
    const struct kit_host_ask ask = {.interface = "eth1", .nic = nic};
    struct kit_host_plan plan;

    host_route(now, "0.0.0.0/0", "10.0.1.1", ETH0, KIT_ROUTE_MAIN, 100);
    plan = plan_of(&ask, now);
    *made = (struct kit_host_state){
        .interface = "eth1", .mac = "06:00:0a:00:01:02", .table = plan.table, .made = plan.todo};
    host_make(now, &plan.todo);
    plan.todo = (struct kit_changes){0};
    kit_host_plan_done(&plan);
}

static void backwards(void **state)
{
    const struct kit_nic nic = host_nic(two);
    KIT_AUTO(kit_host_now) now = host_now();
    KIT_AUTO(kit_host_state) made = {0};
    struct kit_host_plan plan;
    struct kit_err err;

    (void)state;
    begin_made(&nic, &now, &made);
    assert_int_equal(kit_host_plan_unset(&made, &now, &plan, &err), 0);
    host_says(&plan.todo, "ip -4 rule del from 10.0.1.60 lookup 101\n"
                          "ip -4 rule del from 10.0.1.11 lookup 101\n"
                          "ip -4 route del 10.0.1.0/24 dev eth1 table 101\n"
                          "ip -4 route del default via 10.0.1.1 dev eth1 table 101\n"
                          "ip -4 route del default via 10.0.1.1 dev eth1 metric 101\n"
                          "ip -4 address del 10.0.1.60/32 dev eth1\n"
                          "ip -4 address del 10.0.1.11/24 dev eth1\n"
                          "ip link set dev eth1 down\n");
    kit_host_plan_done(&plan);
    /* Somebody else's address keeps the interface up. */
    host_has_addr(&now, "192.168.9.9", 24, false);
    host_has_addr(&now, "fe80::1", 64, false);
    assert_int_equal(kit_host_plan_unset(&made, &now, &plan, &err), 0);
    assert_int_equal(plan.todo.count, 7);
    kit_host_plan_done(&plan);
    /* One that is secondary to ours would go with it. */
    host_has_addr(&now, "10.0.1.100", 24, true);
    assert_int_equal(kit_host_plan_unset(&made, &now, &plan, &err), -1);
    assert_int_equal(err.kind, KIT_ERR_STATE);
    assert_non_null(
        strstr(err.msg, "10.0.1.100/24, which is not ours and would go with 10.0.1.11"));
    now.promotes = true;
    assert_int_equal(kit_host_plan_unset(&made, &now, &plan, &err), 0);
    kit_host_plan_done(&plan);
    /* The interface is another's, or gone: rules alone are left of it. */
    (void)kit_str_copy(now.link.mac, sizeof(now.link.mac), "06:00:0a:00:01:99");
    assert_int_equal(kit_host_plan_unset(&made, &now, &plan, &err), 0);
    host_says(&plan.todo, "ip -4 rule del from 10.0.1.60 lookup 101\n"
                          "ip -4 rule del from 10.0.1.11 lookup 101\n");
    kit_host_plan_done(&plan);
}

static void what_the_interface_has_lost(void **state)
{
    static const char *const one[] = {"10.0.1.11", NULL};
    const struct kit_nic before = host_nic(two), after = host_nic(one);
    KIT_AUTO(kit_host_now) now = host_now();
    KIT_AUTO(kit_host_state) made = {0};
    const struct kit_host_ask ask = {.interface = "eth1", .nic = &after, .state = &made};
    struct kit_host_plan plan;

    (void)state;
    begin_made(&before, &now, &made);
    plan = plan_of(&ask, &now);
    host_says(&plan.todo, "ip -4 rule del from 10.0.1.60 lookup 101\n"
                          "ip -4 address del 10.0.1.60/32 dev eth1\n");
    kit_host_plan_done(&plan);
    /* What somebody else made with the same purpose is not ours to take. */
    made.made.count = 0;
    plan = plan_of(&ask, &now);
    assert_int_equal(plan.todo.count, 0);
    kit_host_plan_done(&plan);
}

/* ---- the file -------------------------------------------------------------------------------- */

static void the_state_comes_back(void **state)
{
    const struct kit_nic nic = host_nic(both);
    KIT_AUTO(kit_host_now) now = host_now();
    KIT_AUTO(kit_host_state) made = {0};
    KIT_AUTO(kit_host_state) back = {0};
    KIT_AUTO(kit_buf) text = KIT_BUF(KIT_HOST_STATE_BYTES);
    KIT_AUTO(kit_buf) again = KIT_BUF(KIT_HOST_STATE_BYTES);
    struct kit_err err;

    (void)state;
    host_route(&now, "::/0", "fe80::2", ETH1, KIT_ROUTE_MAIN, 1024);
    begin_made(&nic, &now, &made);
    assert_true(kit_host_state_add_file(&made, "/etc/x"));
    assert_true(kit_host_state_add_file(&made, "/etc/x"));
    assert_int_equal(made.files, 1);
    kit_host_state_format(&made, &text);
    assert_int_equal(kit_host_state_parse(text.data, text.len_bytes, "state", &back, &err), 0);
    kit_host_state_format(&back, &again);
    assert_string_equal(again.data, text.data);
    assert_int_equal(back.made.count, made.made.count);
    for (size_t i = 0; i < made.made.count; i++)
        assert_true(kit_change_eq(&back.made.change[i], &made.made.change[i]));
}

#define STATE(inside)                                                                              \
    "{\"format\":1,\"interface\":\"eth1\",\"mac\":\"m\",\"eni\":\"e\",\"table\":101," inside "}"

static void a_state_that_is_none(void **state)
{
    static const char *const texts[] = {
        "",
        "{}",
        "{\"format\":2,\"interface\":\"eth1\",\"mac\":\"m\",\"eni\":\"e\",\"table\":101}",
        "{\"format\":1,\"interface\":\"eth1\",\"mac\":\"m\",\"eni\":\"e\",\"table\":0}",
        "{\"format\":1,\"interface\":\"a-name-of-16-chars\",\"mac\":\"m\",\"eni\":\"e\",\"table\":"
        "9}",
        STATE("\"made\":[{\"what\":\"table\"}]"),
        STATE("\"made\":[{\"what\":\"address\"}]"),
        STATE("\"made\":[{\"what\":\"address\",\"address\":\"10.0.1.11\"}]"),
        STATE("\"made\":[{\"what\":\"address\",\"address\":\"10.0.1.11/33\"}]"),
        STATE("\"made\":[{\"what\":\"rule\",\"address\":\"10.0.1.0/24\",\"table\":101}]"),
        STATE("\"made\":[{\"what\":\"rule\",\"address\":\"10.0.1.1/32\"}]"),
        STATE("\"made\":[{\"what\":\"route\",\"address\":\"0.0.0.0/0\",\"table\":101,"
              "\"gateway\":\"fe80::1\"}]"),
        STATE("\"made\":[{\"what\":\"route\",\"address\":\"0.0.0.0/0\",\"table\":-1}]"),
        STATE("\"files\":[\"etc/passwd\"]"),
        STATE("\"files\":[\"/etc/../etc/passwd\"]"),
        STATE("\"files\":[7]"),
    };
    struct kit_host_state back;
    struct kit_err err;

    (void)state;
    for (size_t i = 0; i < KIT_LEN(texts); i++) {
        assert_int_equal(kit_host_state_parse(texts[i], strlen(texts[i]), "/x", &back, &err), -1);
        assert_int_equal(err.kind, KIT_ERR_CONFIG);
        assert_non_null(strstr(err.msg, "/x is not what `cloudvip nic setup` wrote"));
    }
    assert_int_equal(
        kit_host_state_parse(STATE("\"made\":[]"), strlen(STATE("\"made\":[]")), "/x", &back, &err),
        0);
    kit_host_state_done(&back);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_of_it),
        cmocka_unit_test(what_is_missing_alone_is_made),
        cmocka_unit_test(an_address_that_moves),
        cmocka_unit_test(no_way_to_the_gateway),
        cmocka_unit_test(ipv6),
        cmocka_unit_test(the_number),
        cmocka_unit_test(what_somebody_else_began),
        cmocka_unit_test(backwards),
        cmocka_unit_test(what_the_interface_has_lost),
        cmocka_unit_test(the_state_comes_back),
        cmocka_unit_test(a_state_that_is_none),
    };
    return cmocka_run_group_tests_name("host_plan", tests, NULL, NULL);
}
