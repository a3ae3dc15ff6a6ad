/* tests/unit/ali_ops_rules.c - what the operations on HAVIPs and ENIs refuse, judged on made-up
 * evidence: each rule broken alone, and what has no say in it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kit/cloud/aliyun/ops_eni.h"
#include "kit/cloud/aliyun/ops_havip.h"
#include "tests/unit/fakes.h"

/* "1:NOT_KNOWN 2:BROKEN" of all that do not hold. */
static const char *verdict(const struct kit_rule *rules, size_t count, const void *evidence)
{
    static struct kit_buf text;
    static const char *const words[] = {
        [KIT_RULE_HOLDS] = "", [KIT_RULE_BROKEN] = "broken", [KIT_RULE_NOT_KNOWN] = "?"};

    kit_buf_done(&text);
    text = KIT_BUF(512);
    for (size_t i = 0; i < count; i++) {
        KIT_AUTO(kit_buf) detail = KIT_BUF(400);
        enum kit_rule_answer answer = rules[i].check(evidence, &detail);

        assert_false(detail.overflow);
        if (answer == KIT_RULE_BROKEN)
            assert_true(detail.len_bytes > 0);
        if (answer != KIT_RULE_HOLDS)
            (void)kit_buf_printf(&text, "%s%u:%s", text.len_bytes ? " " : "", rules[i].number,
                                 words[answer]);
    }
    return text.data;
}
#define VERDICT(rules, evidence) verdict((rules), KIT_LEN(rules), (evidence))

static struct ali_op_havip good_bind(void)
{
    struct ali_op_havip e = {
        .region = "cn-shanghai",
        .target = {.to_instance = true,
                   .local = {.interface = "i-1"},
                   .me = {.node = "i-1", .vpc = "vpc-1", .vswitch = "vsw-1"},
                   .havip = {.id = "havip-1",
                             .status = ALI_HAVIP_AVAILABLE,
                             .status_text = "Available",
                             .vpc = "vpc-1",
                             .vswitch = "vsw-1"}},
        .instance = {.id = "i-1", .status = "Running", .network = "vpc"},
    };

    return e;
}

static void binding_a_havip(void **state)
{
    struct ali_op_havip e = good_bind();

    (void)state;
    assert_string_equal(VERDICT(ali_op_havip_bind_rules, &e), "4:? 5:? 6:?");
    (void)kit_str_copy(e.target.me.vswitch, KIT_ID, "vsw-2");
    assert_string_equal(VERDICT(ali_op_havip_bind_rules, &e), "1:broken 4:? 5:? 6:?");
    e = good_bind();
    (void)kit_str_copy(e.instance.network, sizeof(e.instance.network), "classic");
    assert_string_equal(VERDICT(ali_op_havip_bind_rules, &e), "2:broken 4:? 5:? 6:?");
    e = good_bind();
    e.target.havip.bound = ALI_HAVIP_BOUND;
    (void)kit_str_copy(e.target.havip.bound_type, 24, ALI_HAVIP_ENI);
    assert_string_equal(VERDICT(ali_op_havip_bind_rules, &e), "3:broken 4:broken 5:? 6:?");
    for (size_t i = 0; i < 3; i++) {
        static const char *const states[] = {"Stopping", "Pending", "Starting"};

        e = good_bind();
        (void)kit_str_copy(e.instance.status, sizeof(e.instance.status), states[i]);
        assert_string_equal(VERDICT(ali_op_havip_bind_rules, &e), "4:? 5:? 6:? 12:broken");
    }
    e = good_bind();
    e.target.havip.status = ALI_HAVIP_OTHER;
    assert_string_equal(VERDICT(ali_op_havip_bind_rules, &e), "4:? 5:? 6:? 12:broken");
}

static void an_eni_that_nobody_has_serves_no_havip(void **state)
{
    struct ali_op_havip e = good_bind();
    struct ali_eni eni = {.id = "eni-1", .vswitch = "vsw-1", .state_text = "Available"};

    (void)state;
    e.target.to_instance = false;
    e.target.eni = &eni;
    assert_string_equal(VERDICT(ali_op_havip_bind_rules, &e), "4:? 5:broken 6:?");
    (void)kit_str_copy(eni.node, KIT_ID, "i-1");
    assert_string_equal(VERDICT(ali_op_havip_bind_rules, &e), "4:? 6:?");
}

static void creating_a_havip(void **state)
{
    struct kit_addr addr;
    struct ali_op_havip e = {.region = "cn-shanghai", .vswitch = {.id = "vsw-1"}, .idle = true};

    (void)state;
    assert_true(kit_addr_parse("10.0.1.9", &addr));
    assert_string_equal(VERDICT(ali_op_havip_create_rules, &e), "7:?");
    e.address = &addr;
    assert_string_equal(VERDICT(ali_op_havip_create_rules, &e), "7:broken"); /* no IPv4 there */
    assert_true(kit_cidr_parse("10.0.1.0/24", &e.vswitch.cidr));
    assert_string_equal(VERDICT(ali_op_havip_create_rules, &e), "");
    e.idle = false;
    assert_string_equal(VERDICT(ali_op_havip_create_rules, &e), "7:broken");
    e.idle = true;
    assert_true(kit_addr_parse("fd00::1", &addr));
    assert_string_equal(VERDICT(ali_op_havip_create_rules, &e), "7:broken");
    e.address = NULL;
    e.region = "ap-northeast-1";
    assert_string_equal(VERDICT(ali_op_havip_create_rules, &e), "7:?");
    e.region = "xx-nowhere-1";
    assert_string_equal(VERDICT(ali_op_havip_create_rules, &e), "7:? 8:broken");
    assert_int_equal(ali_op_havip_create_rules[1].level, KIT_RULE_WARN);
}

static void an_eip_for_a_havip(void **state)
{
    struct ali_op_havip e = good_bind();

    (void)state;
    e.eip =
        (struct ali_eip){.id = "eip-1", .status = ALI_EIP_AVAILABLE, .status_text = "Available"};
    assert_string_equal(VERDICT(ali_op_havip_eip_rules, &e), "9:?");
    (void)kit_str_copy(e.eip.region, KIT_ID, "cn-shanghai");
    assert_string_equal(VERDICT(ali_op_havip_eip_rules, &e), "");
    (void)kit_str_copy(e.eip.region, KIT_ID, "cn-beijing");
    assert_string_equal(VERDICT(ali_op_havip_eip_rules, &e), "9:broken");
    (void)kit_str_copy(e.eip.region, KIT_ID, "cn-shanghai");
    e.eip.status = ALI_EIP_IN_USE;
    assert_string_equal(VERDICT(ali_op_havip_eip_rules, &e), "10:broken");
    (void)kit_str_copy(e.eip.holder, KIT_ID, "havip-1"); /* on its way here already */
    assert_string_equal(VERDICT(ali_op_havip_eip_rules, &e), "");
    (void)kit_str_copy(e.eip.lock, sizeof(e.eip.lock), "financial");
    assert_string_equal(VERDICT(ali_op_havip_eip_rules, &e), "10:broken");
}

static void deleting_a_havip(void **state)
{
    struct ali_op_havip e = good_bind();

    (void)state;
    assert_string_equal(VERDICT(ali_op_havip_delete_rules, &e), "");
    e.target.havip.bound = 1;
    assert_string_equal(VERDICT(ali_op_havip_delete_rules, &e), "11:broken");
    e.target.havip.bound = 0;
    e.target.havip.eips = 1;
    assert_string_equal(VERDICT(ali_op_havip_delete_rules, &e), "11:broken");
    e.target.havip.eips = 0;
    (void)kit_str_copy(e.route, KIT_ID, "vtb-1");
    assert_string_equal(VERDICT(ali_op_havip_delete_rules, &e), "11:broken");
}

struct eni_world {
    struct ali_eni eni;
    struct ali_op_eni e;
};

static void good_attach(struct eni_world *w)
{
    *w = (struct eni_world){
        .eni = {.id = "eni-1",
                .state = ALI_ENI_AVAILABLE,
                .state_text = "Available",
                .zone = "z-1",
                .vpc = "vpc-1",
                .groups = 1,
                .release_known = true},
        .e = {.instance = {.id = "i-1",
                           .status = "Running",
                           .zone = "z-1",
                           .vpc = "vpc-1",
                           .io_optimized = true,
                           .enis = 2},
              .quota = {.type = "t", .enis = 3}},
    };
    w->e.base =
        (struct ali_eni_evidence){.eni = &w->eni, .instance = &w->e.instance, .quota = &w->e.quota};
}

static void attaching_an_eni(void **state)
{
    struct eni_world w;

    (void)state;
    good_attach(&w);
    assert_string_equal(VERDICT(ali_op_eni_attach_rules, &w.e), "");
    w.e.quota.enis = 2;
    w.eni.primary = w.eni.dies_with_node = true;
    w.eni.groups = 6;
    w.e.instance.io_optimized = false;
    (void)kit_str_copy(w.eni.zone, KIT_ID, "z-2");
    (void)kit_str_copy(w.eni.vpc, KIT_ID, "vpc-2");
    w.eni.state = ALI_ENI_IN_USE;
    assert_string_equal(VERDICT(ali_op_eni_attach_rules, &w.e),
                        "20:broken 50:broken 51:broken 53:broken 54:broken 55:broken 56:broken "
                        "59:broken");
    good_attach(&w);
    w.eni.state = ALI_ENI_DETACHING; /* is waited for */
    assert_string_equal(VERDICT(ali_op_eni_attach_rules, &w.e), "");
    w.eni.state = ALI_ENI_ATTACHING;
    assert_string_equal(VERDICT(ali_op_eni_attach_rules, &w.e), "50:broken");
    (void)kit_str_copy(w.eni.node, KIT_ID, "i-1");
    assert_string_equal(VERDICT(ali_op_eni_attach_rules, &w.e), "");
    w.eni.service_managed = true;
    assert_string_equal(VERDICT(ali_op_eni_attach_rules, &w.e), "50:broken");
    good_attach(&w);
    (void)kit_str_copy(w.e.instance.status, 16, "Stopping");
    assert_string_equal(VERDICT(ali_op_eni_attach_rules, &w.e), "50:broken");
    w.e.quota.enis = -1;
    (void)kit_str_copy(w.e.instance.status, 16, "Starting");
    assert_string_equal(VERDICT(ali_op_eni_attach_rules, &w.e), "20:? 50:?");
}

static void security_groups_of_an_eni(void **state)
{
    struct eni_world w;

    (void)state;
    good_attach(&w);
    w.e.vpc = "vpc-1";
    w.e.most = 5;
    assert_string_equal(VERDICT(ali_op_eni_modify_rules, &w.e), "55:?"); /* not to be changed */
    w.e.groups = 5;
    assert_string_equal(VERDICT(ali_op_eni_modify_rules, &w.e), "");
    w.e.groups = 6;
    assert_string_equal(VERDICT(ali_op_eni_modify_rules, &w.e), "55:broken");
    w.e.most = 6;
    assert_string_equal(VERDICT(ali_op_eni_modify_rules, &w.e), "");
    (void)kit_str_copy(w.e.stray, KIT_ID, "sg-far");
    assert_string_equal(VERDICT(ali_op_eni_modify_rules, &w.e), "55:broken");
    (void)kit_str_copy(w.e.stray_vpc, KIT_ID, "vpc-2");
    w.eni.primary = true;
    assert_string_equal(VERDICT(ali_op_eni_modify_rules, &w.e), "55:broken 58:broken");
    assert_int_equal(ali_op_eni_modify_rules[1].level, KIT_RULE_WARN);
}

static void detaching_and_deleting_an_eni(void **state)
{
    struct eni_world w;

    (void)state;
    good_attach(&w);
    assert_string_equal(VERDICT(ali_op_eni_delete_rules, &w.e), "");
    assert_string_equal(VERDICT(ali_op_eni_detach_rules, &w.e), "");
    w.e.instance.id[0] = '\0'; /* it could not be found: the cloud will say */
    assert_string_equal(VERDICT(ali_op_eni_detach_rules, &w.e), "50:?");
    w.eni.state = ALI_ENI_IN_USE;
    assert_string_equal(VERDICT(ali_op_eni_delete_rules, &w.e), "52:broken");
    w.eni.primary = true;
    assert_string_equal(VERDICT(ali_op_eni_detach_rules, &w.e), "50:? 51:broken");
    w.eni.service_managed = true;
    assert_string_equal(VERDICT(ali_op_eni_detach_rules, &w.e), "50:broken 51:broken");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(binding_a_havip),
        cmocka_unit_test(an_eni_that_nobody_has_serves_no_havip),
        cmocka_unit_test(creating_a_havip),
        cmocka_unit_test(an_eip_for_a_havip),
        cmocka_unit_test(deleting_a_havip),
        cmocka_unit_test(attaching_an_eni),
        cmocka_unit_test(security_groups_of_an_eni),
        cmocka_unit_test(detaching_and_deleting_an_eni),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
