/* tests/unit/aws_ops_rules.c - what the operations on ENIs refuse, judged on made-up evidence. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kit/cloud/aws/ops_eni.h"
#include "tests/unit/fakes.h"

/* The numbers of those that are broken. */
static const char *broken(const struct kit_rule *rules, size_t count, const void *evidence)
{
    static char text[64];
    size_t used = 0;

    text[0] = '\0';
    for (size_t i = 0; i < count; i++) {
        KIT_AUTO(kit_buf) detail = KIT_BUF(400);

        if (rules[i].check(evidence, &detail) != KIT_RULE_BROKEN)
            continue;
        assert_true(detail.len_bytes > 0 && !detail.overflow);
        (void)kit_str_format(text + used, sizeof(text) - used, "%s%u", used ? " " : "",
                             rules[i].number);
        used = strlen(text);
    }
    return text;
}
#define BROKEN(rules, evidence) broken((rules), KIT_LEN(rules), (evidence))

static bool may_have(const char *address, const char *cidr)
{
    struct kit_addr addr;
    struct aws_op_eni e = {.address = &addr, .subnet = {.id = "subnet-1"}};

    assert_true(kit_addr_parse(address, &addr));
    assert_true(kit_cidr_parse(cidr, &e.subnet.cidr));
    return !BROKEN(aws_op_eni_create_rules, &e)[0];
}

static void addresses_of_a_subnet(void **state)
{
    (void)state;
    assert_true(may_have("10.0.1.4", "10.0.1.0/24"));
    assert_true(may_have("10.0.1.254", "10.0.1.0/24"));
    assert_false(may_have("10.0.1.0", "10.0.1.0/24"));
    assert_false(may_have("10.0.1.3", "10.0.1.0/24"));
    assert_false(may_have("10.0.1.255", "10.0.1.0/24"));
    assert_false(may_have("10.0.2.9", "10.0.1.0/24"));
    assert_true(may_have("10.0.1.20", "10.0.1.16/28"));
    assert_false(may_have("10.0.1.19", "10.0.1.16/28"));
    assert_false(may_have("10.0.1.31", "10.0.1.16/28"));
    assert_false(may_have("fd00::9", "10.0.1.0/24"));
}

static void an_address_that_somebody_has(void **state)
{
    struct kit_addr addr;
    struct aws_op_eni e = {.subnet = {.id = "subnet-1"}, .holder = "eni-9"};

    (void)state;
    assert_string_equal(BROKEN(aws_op_eni_create_rules, &e), ""); /* none was asked for */
    assert_true(kit_addr_parse("10.0.1.9", &addr));
    assert_true(kit_cidr_parse("10.0.1.0/24", &e.subnet.cidr));
    e.address = &addr;
    assert_string_equal(BROKEN(aws_op_eni_create_rules, &e), "44");
    e.holder[0] = '\0';
    assert_string_equal(BROKEN(aws_op_eni_create_rules, &e), "");
}

static void attaching(void **state)
{
    struct aws_op_nic n = {
        .nic = {.eni = {.id = "eni-1"}, .zone = "a", .vpc = "vpc-1", .device_index = -1}};
    struct aws_op_eni e = {.nic = &n,
                           .instance = {.id = "i-1", .state = "stopped", .zone = "a"},
                           .room = {.asked = true, .used = 1, .limit = 2}};

    (void)state;
    assert_string_equal(BROKEN(aws_op_eni_attach_rules, &e), "");
    e.room.used = 2;
    (void)kit_str_copy(e.instance.state, 16, "shutting-down");
    (void)kit_str_copy(e.instance.zone, 32, "b");
    (void)kit_str_copy(e.instance.vpc, KIT_ID, "vpc-2");
    assert_string_equal(BROKEN(aws_op_eni_attach_rules, &e), "20 50 53 54");
    e.room.why[0] = 'x'; /* what is not known is not broken */
    (void)kit_str_copy(e.instance.state, 16, "running");
    assert_string_equal(BROKEN(aws_op_eni_attach_rules, &e), "53 54");
    (void)kit_str_copy(e.instance.zone, 32, "a");
    (void)kit_str_copy(n.nic.attachment, KIT_ID, "eni-attach-1");
    (void)kit_str_copy(n.nic.attachment_state, 16, "attached");
    (void)kit_str_copy(n.nic.eni.node, KIT_ID, "i-2");
    assert_string_equal(BROKEN(aws_op_eni_attach_rules, &e), "50 54");
    (void)kit_str_copy(n.nic.attachment_state, 16, "detaching"); /* is waited for */
    assert_string_equal(BROKEN(aws_op_eni_attach_rules, &e), "54");
    n.nic.device_index = 0;
    assert_string_equal(BROKEN(aws_op_eni_attach_rules, &e), "51 54");
    assert_string_equal(BROKEN(aws_op_eni_detach_rules, &e), "51");
    assert_string_equal(BROKEN(aws_op_eni_delete_rules, &e), "52");
    n.nic.eni.requester_managed = true;
    assert_string_equal(BROKEN(aws_op_eni_attach_rules, &e), "50 51 54");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_of_a_subnet),
        cmocka_unit_test(an_address_that_somebody_has),
        cmocka_unit_test(attaching),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
