/* What both metadata services say of an interface, read strictly. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "kit/base/mem.h"
#include "kit/base/str.h"
#include "kit/cloud/aliyun/host_nic.h"
#include "kit/cloud/aws/host_nic.h"

#define MAC "06:00:0a:00:02:02"

static struct kit_nic nic;
static struct kit_err err;

static const char *addr(size_t i)
{
    static char text[KIT_ADDR_TEXT];

    return kit_addr_text(&nic.addr[i], text);
}

static const char *cidr(const struct kit_cidr *c)
{
    static char text[KIT_CIDR_TEXT];

    return c->addr.family ? kit_cidr_text(c, text) : "";
}

static const char *gateway(const struct kit_addr *a)
{
    static char text[KIT_ADDR_TEXT];

    return a->family ? kit_addr_text(a, text) : "";
}

/* ---- EC2 ------------------------------------------------------------------------------------- */

static const char *const ec2[AWS_HOST_NIC_ITEMS] = {
    [AWS_HOST_NIC_ENI] = "eni-0bb00000000000002",
    [AWS_HOST_NIC_DEVICE] = "1",
    [AWS_HOST_NIC_IPV4S] = "10.0.2.11\n10.0.2.60",
    [AWS_HOST_NIC_SUBNET4] = "10.0.2.0/24",
    [AWS_HOST_NIC_IPV6S] = "2001:db8:0:2::11\n",
    [AWS_HOST_NIC_SUBNET6] = "2001:db8:0:2::/64\n2001:db8:9:9::/64",
};

static void ec2_as_documented(void **state)
{
    (void)state;
    assert_int_equal(aws_host_nic_decode(MAC, ec2, &nic, &err), 0);
    assert_string_equal(nic.mac, MAC);
    assert_string_equal(nic.eni, "eni-0bb00000000000002");
    assert_false(nic.primary);
    assert_int_equal(nic.count, 3);
    assert_string_equal(addr(0), "10.0.2.11");
    assert_string_equal(addr(1), "10.0.2.60");
    assert_string_equal(addr(2), "2001:db8:0:2::11");
    assert_string_equal(cidr(&nic.subnet4), "10.0.2.0/24");
    assert_string_equal(cidr(&nic.subnet6), "2001:db8:0:2::/64");
    assert_string_equal(gateway(&nic.gateway4), "10.0.2.1");
    assert_string_equal(gateway(&nic.gateway6), "");
}

static void ec2_with_something_else(void **state)
{
    static const struct {
        enum aws_host_nic_item item;
        const char *value;
        enum kit_err_kind kind;
        const char *says;
    } rows[] = {
        {AWS_HOST_NIC_ENI, "", KIT_ERR_NOT_FOUND, "knows no interface with MAC " MAC},
        {AWS_HOST_NIC_DEVICE, "", KIT_ERR_PROTOCOL, "device number"},
        {AWS_HOST_NIC_DEVICE, "-1", KIT_ERR_PROTOCOL, "device number"},
        {AWS_HOST_NIC_IPV4S, "10.0.2.11\n10.0.3.1", KIT_ERR_PROTOCOL, "10.0.3.1 is in no subnet"},
        {AWS_HOST_NIC_IPV4S, "10.0.2.11\n<html>", KIT_ERR_PROTOCOL, "local-ipv4s: \"<html>\""},
        {AWS_HOST_NIC_IPV4S, "10.0.2.11/24", KIT_ERR_PROTOCOL, "local-ipv4s"},
        {AWS_HOST_NIC_IPV4S, "2001:db8:0:2::12", KIT_ERR_PROTOCOL, "local-ipv4s"},
        {AWS_HOST_NIC_SUBNET4, "", KIT_ERR_PROTOCOL, "10.0.2.11 is in no subnet"},
        {AWS_HOST_NIC_SUBNET4, "10.0.2.0", KIT_ERR_PROTOCOL, "subnet-ipv4-cidr-block"},
        {AWS_HOST_NIC_SUBNET4, "0.0.0.0/0", KIT_ERR_PROTOCOL, "subnet-ipv4-cidr-block"},
        {AWS_HOST_NIC_SUBNET4, "0.0.0.0/1", KIT_ERR_PROTOCOL, "subnet-ipv4-cidr-block"},
        {AWS_HOST_NIC_SUBNET6, "2001::/16", KIT_ERR_PROTOCOL, "subnet-ipv6-cidr-blocks"},
        {AWS_HOST_NIC_IPV4S, "10.0.2.11\n10.0.2.255", KIT_ERR_PROTOCOL, "10.0.2.255 of " MAC},
        {AWS_HOST_NIC_IPV4S, "10.0.2.0", KIT_ERR_PROTOCOL, "10.0.2.0 of " MAC},
        {AWS_HOST_NIC_IPV4S, "10.0.2.1", KIT_ERR_PROTOCOL, "gateway 10.0.2.1 is not in"},
        {AWS_HOST_NIC_SUBNET6, "", KIT_ERR_PROTOCOL, "2001:db8:0:2::11 is in no subnet"},
        {AWS_HOST_NIC_IPV6S, "\x1b[2J", KIT_ERR_PROTOCOL, "ipv6s: \"?"},
    };

    (void)state;
    for (size_t i = 0; i < KIT_LEN(rows); i++) {
        const char *value[AWS_HOST_NIC_ITEMS];
        memcpy(value, ec2, sizeof(value));
        value[rows[i].item] = rows[i].value;
        assert_int_equal(aws_host_nic_decode(MAC, value, &nic, &err), -1);
        assert_int_equal(err.kind, rows[i].kind);
        if (!strstr(err.msg, rows[i].says))
            fail_msg("row %zu: %s", i, err.msg);
    }
}

static void ec2_with_less(void **state)
{
    const char *value[AWS_HOST_NIC_ITEMS];

    (void)state;
    memcpy(value, ec2, sizeof(value));
    value[AWS_HOST_NIC_DEVICE] = "0";
    value[AWS_HOST_NIC_IPV6S] = value[AWS_HOST_NIC_SUBNET6] = "";
    assert_int_equal(aws_host_nic_decode(MAC, value, &nic, &err), 0);
    assert_true(nic.primary);
    assert_int_equal(nic.count, 2);
    assert_int_equal(nic.subnet6.addr.family, 0);
    /* A subnet of IPv6 alone. */
    memcpy(value, ec2, sizeof(value));
    value[AWS_HOST_NIC_IPV4S] = value[AWS_HOST_NIC_SUBNET4] = "";
    assert_int_equal(aws_host_nic_decode(MAC, value, &nic, &err), 0);
    assert_int_equal(nic.count, 1);
    assert_int_equal(nic.gateway4.family, 0);
    value[AWS_HOST_NIC_IPV6S] = "";
    assert_int_equal(aws_host_nic_decode(MAC, value, &nic, &err), -1);
    assert_string_equal(err.msg, "the metadata service names no address of " MAC);
}

static void more_addresses_than_an_interface_has(void **state)
{
    KIT_AUTO(kit_buf) list = KIT_BUF(4096);
    const char *value[AWS_HOST_NIC_ITEMS];

    (void)state;
    memcpy(value, ec2, sizeof(value));
    value[AWS_HOST_NIC_IPV6S] = "";
    for (int i = 0; i < KIT_NIC_ADDRS; i++)
        (void)kit_buf_printf(&list, "10.0.2.%d\n10.0.2.%d\n", i + 10, i + 10);
    value[AWS_HOST_NIC_IPV4S] = list.data;
    assert_int_equal(aws_host_nic_decode(MAC, value, &nic, &err), 0);
    assert_int_equal(nic.count, KIT_NIC_ADDRS);
    (void)kit_buf_puts(&list, "10.0.2.200\n");
    value[AWS_HOST_NIC_IPV4S] = list.data;
    assert_int_equal(aws_host_nic_decode(MAC, value, &nic, &err), -1);
    assert_string_equal(err.msg, "the metadata service's local-ipv4s: more than 64 addresses");
}

/* ---- ECS ------------------------------------------------------------------------------------- */

static const char *const ecs[ALI_HOST_NIC_ITEMS] = {
    [ALI_HOST_NIC_FIRST_MAC] = "00:16:3e:00:02:00",
    [ALI_HOST_NIC_ENI] = "eni-svc2",
    [ALI_HOST_NIC_PRIMARY] = "10.0.2.11",
    [ALI_HOST_NIC_IPV4S] = "[\"10.0.2.60\",\"10.0.2.11\"]",
    [ALI_HOST_NIC_SUBNET4] = "10.0.2.0/24",
    [ALI_HOST_NIC_GATEWAY4] = "10.0.2.253",
    [ALI_HOST_NIC_IPV6S] = "[2001:db8:0:2::11, 2001:db8:0:2::12]",
    [ALI_HOST_NIC_SUBNET6] = "2001:db8:0:2::/64",
    [ALI_HOST_NIC_GATEWAY6] = "2001:db8:0:2:ffff:ffff:ffff:fff7",
};

static void ecs_as_documented(void **state)
{
    (void)state;
    assert_int_equal(ali_host_nic_decode(MAC, ecs, &nic, &err), 0);
    assert_string_equal(nic.eni, "eni-svc2");
    assert_false(nic.primary);
    assert_int_equal(nic.count, 4);
    assert_string_equal(addr(0), "10.0.2.11");
    assert_string_equal(addr(1), "10.0.2.60");
    assert_string_equal(addr(2), "2001:db8:0:2::11");
    assert_string_equal(addr(3), "2001:db8:0:2::12");
    assert_string_equal(cidr(&nic.subnet4), "10.0.2.0/24");
    assert_string_equal(gateway(&nic.gateway4), "10.0.2.253");
    assert_string_equal(gateway(&nic.gateway6), "2001:db8:0:2:ffff:ffff:ffff:fff7");
    assert_int_equal(ali_host_nic_decode("00:16:3E:00:02:00", ecs, &nic, &err), 0);
    assert_true(nic.primary);
}

static void ecs_with_something_else(void **state)
{
    static const struct {
        enum ali_host_nic_item item;
        const char *value;
        enum kit_err_kind kind;
        const char *says;
    } rows[] = {
        {ALI_HOST_NIC_ENI, "", KIT_ERR_NOT_FOUND, "knows no interface"},
        {ALI_HOST_NIC_FIRST_MAC, "", KIT_ERR_PROTOCOL, "no primary interface"},
        {ALI_HOST_NIC_GATEWAY4, "10.0.3.253", KIT_ERR_PROTOCOL, "gateway 10.0.3.253 is not in"},
        {ALI_HOST_NIC_GATEWAY4, "", KIT_ERR_PROTOCOL, "names no gateway of " MAC},
        {ALI_HOST_NIC_GATEWAY4, "10.0.2.60", KIT_ERR_PROTOCOL, "not another's address there"},
        {ALI_HOST_NIC_GATEWAY4, "10.0.2.255", KIT_ERR_PROTOCOL, "not another's address there"},
        {ALI_HOST_NIC_GATEWAY6, "2001:db8:0:3::1", KIT_ERR_PROTOCOL, "IPv6 gateway"},
        {ALI_HOST_NIC_GATEWAY4, "x", KIT_ERR_PROTOCOL, "gateway: \"x\""},
        {ALI_HOST_NIC_GATEWAY6, "10.0.2.253", KIT_ERR_PROTOCOL, "ipv6-gateway"},
        {ALI_HOST_NIC_IPV6S, "{}", KIT_ERR_PROTOCOL, "ipv6s: \"{}\""},
        {ALI_HOST_NIC_SUBNET6, "", KIT_ERR_PROTOCOL, "in no subnet"},
    };

    (void)state;
    for (size_t i = 0; i < KIT_LEN(rows); i++) {
        const char *value[ALI_HOST_NIC_ITEMS];
        memcpy(value, ecs, sizeof(value));
        value[rows[i].item] = rows[i].value;
        assert_int_equal(ali_host_nic_decode(MAC, value, &nic, &err), -1);
        assert_int_equal(err.kind, rows[i].kind);
        if (!strstr(err.msg, rows[i].says))
            fail_msg("row %zu: %s", i, err.msg);
    }
}

static void what_is_a_mac(void **state)
{
    static const char *const not [] = {"",
                                       "02:00:5e:00:53",
                                       "02:00:5e:00:53:0",
                                       "02:00:5e:00:53:01/",
                                       "02-00-5e-00-53-01",
                                       "../../../../etc/p",
                                       "02:00:5e:00:53:0g"};

    (void)state;
    assert_true(kit_nic_mac_valid(MAC));
    for (size_t i = 0; i < KIT_LEN(not ); i++)
        assert_false(kit_nic_mac_valid(not [i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ec2_as_documented), cmocka_unit_test(ec2_with_something_else),
        cmocka_unit_test(ec2_with_less),     cmocka_unit_test(more_addresses_than_an_interface_has),
        cmocka_unit_test(ecs_as_documented), cmocka_unit_test(ecs_with_something_else),
        cmocka_unit_test(what_is_a_mac),
    };
    return cmocka_run_group_tests_name("cloud_nic", tests, NULL, NULL);
}
