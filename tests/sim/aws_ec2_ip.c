/* Private addresses of interfaces, IPv4 and IPv6. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "aws_ec2.h"

struct json_object *aws_ip_holder(const struct json_object *aws, const char *vpc_id, const char *ip)
{
    struct json_object *eni;

    SIM_JSON_EACH(eni, aws_all(aws, AWS_ENI))
    if (aws_eni_has_ip(eni, ip) && !strcmp(aws_eni_vpc(aws, eni), vpc_id))
        return eni;
    return NULL;
}

void aws_ip_move(struct json_object *aws, struct json_object *from, struct json_object *to,
                 const char *ip)
{
    const char *list = sim_is_v6(ip) ? "ipv6" : "private_ips";
    struct json_object *address =
        from ? aws_address_on(aws, sim_json_str(from, "network_interface_id"), ip) : NULL;

    if (to && !sim_json_has(sim_json_array(to, list), ip))
        json_object_array_add(sim_json_array(to, list), json_object_new_string(ip));
    if (address && to)
        sim_json_set_str(address, "network_interface_id", sim_json_str(to, "network_interface_id"));
    else if (address)
        aws_address_unlink(address);
    if (from && from != to)
        sim_json_remove_text(sim_json_array(from, list), ip);
}

/* ---- IPv4 ------------------------------------------------------------------------------------ */

static int check_assignable(const struct aws_call *call, const struct json_object *eni,
                            const char *ip, struct aws_error *err)
{
    const struct json_object *subnet =
        aws_find(call->aws, AWS_SUBNET, sim_json_str(eni, "subnet_id"));
    struct json_object *holder = aws_ip_holder(call->aws, sim_json_str(subnet, "vpc_id"), ip);

    if (sim_is_v6(ip) || !sim_cidr_has_address(sim_json_str(subnet, "cidr_block"), ip))
        return aws_fail(err, 400, "InvalidParameterValue",
                        "Address %.64s does not fall within the subnet's address range", ip);
    if (!holder || holder == eni)
        return 0;
    if (!strcmp(aws_eni_primary(holder), ip))
        return aws_fail(err, 400, "InvalidParameterValue",
                        "[%.64s] is a primary address and cannot be reassigned", ip);
    if (!aws_param_true(call, "AllowReassignment"))
        return aws_fail(err, 400, "InvalidParameterValue",
                        "[%.64s] is already assigned to an interface and move is not allowed", ip);
    return 0;
}

static int assign_private_ips(struct aws_call *call, struct sim_buf *out, struct aws_error *err)
{
    struct json_object *eni = aws_need_param(call, AWS_ENI, "NetworkInterfaceId", err);
    const char *ip;

    if (!eni)
        return -1;
    if (!aws_param_at(call, "PrivateIpAddress", 1))
        return aws_fail(err, 400, "MissingParameter",
                        "The request must contain either the parameter privateIpAddress or "
                        "secondaryPrivateIpAddressCount");
    for (size_t i = 1; (ip = aws_param_at(call, "PrivateIpAddress", i)); i++)
        if (check_assignable(call, eni, ip, err))
            return -1;
    aws_xml_text(out, "networkInterfaceId", sim_json_str(eni, "network_interface_id"));
    aws_xml_open(out, "assignedPrivateIpAddressesSet");
    for (size_t i = 1; (ip = aws_param_at(call, "PrivateIpAddress", i)); i++) {
        aws_ip_move(call->aws, aws_ip_holder(call->aws, aws_eni_vpc(call->aws, eni), ip), eni, ip);
        aws_xml_open(out, "item");
        aws_xml_text(out, "privateIpAddress", ip);
        aws_xml_close(out, "item");
    }
    aws_xml_close(out, "assignedPrivateIpAddressesSet");
    aws_return_true(out);
    return 0;
}

static int unassign_private_ips(struct aws_call *call, struct sim_buf *out, struct aws_error *err)
{
    struct json_object *eni = aws_need_param(call, AWS_ENI, "NetworkInterfaceId", err);
    const char *ip;

    if (!eni)
        return -1;
    for (size_t i = 1; (ip = aws_param_at(call, "PrivateIpAddress", i)); i++) {
        if (!sim_json_has(sim_json_array(eni, "private_ips"), ip))
            return aws_fail(err, 400, "InvalidParameterValue",
                            "Some of the specified addresses are not assigned to interface %s",
                            sim_json_str(eni, "network_interface_id"));
        if (!strcmp(aws_eni_primary(eni), ip))
            return aws_fail(err, 400, "InvalidParameterValue",
                            "The primary address %.64s cannot be unassigned", ip);
    }
    for (size_t i = 1; (ip = aws_param_at(call, "PrivateIpAddress", i)); i++)
        aws_ip_move(call->aws, eni, NULL, ip);
    aws_return_true(out);
    return 0;
}

/* ---- IPv6 ------------------------------------------------------------------------------------ */

static int read_v6(const struct json_object *subnet, const char *given, char *ret_ip, size_t size,
                   struct aws_error *err)
{
    if (sim_address_canonical(given, ret_ip, size) || !sim_is_v6(ret_ip) ||
        !sim_cidr_has_address(sim_json_str(subnet, "ipv6_cidr_block"), ret_ip))
        return aws_fail(err, 400, "InvalidParameterValue",
                        "Address %.64s does not fall within the subnet's IPv6 address range",
                        given);
    return 0;
}

/* An IPv6 address is never reassigned: it must be free. */
static int assign_ipv6(struct aws_call *call, struct sim_buf *out, struct aws_error *err)
{
    struct json_object *eni = aws_need_param(call, AWS_ENI, "NetworkInterfaceId", err);
    const struct json_object *subnet =
        eni ? aws_find(call->aws, AWS_SUBNET, sim_json_str(eni, "subnet_id")) : NULL;
    const char *given;
    char ip[64];

    if (!eni)
        return -1;
    if (!aws_param_at(call, "Ipv6Addresses", 1))
        return aws_fail(err, 400, "MissingParameter",
                        "The request must contain either the parameter ipv6Addresses or "
                        "ipv6AddressCount");
    for (size_t i = 1; (given = aws_param_at(call, "Ipv6Addresses", i)); i++) {
        const struct json_object *holder;

        if (read_v6(subnet, given, ip, sizeof(ip), err))
            return -1;
        holder = aws_ip_holder(call->aws, sim_json_str(subnet, "vpc_id"), ip);
        if (holder && holder != eni)
            return aws_fail(err, 400, "InvalidParameterValue",
                            "[%s] is already assigned to an interface", ip);
    }
    aws_xml_text(out, "networkInterfaceId", sim_json_str(eni, "network_interface_id"));
    aws_xml_open(out, "assignedIpv6Addresses");
    for (size_t i = 1; (given = aws_param_at(call, "Ipv6Addresses", i)); i++) {
        (void)sim_address_canonical(given, ip, sizeof(ip));
        aws_ip_move(call->aws, NULL, eni, ip);
        aws_xml_text(out, "item", ip);
    }
    aws_xml_close(out, "assignedIpv6Addresses");
    return 0;
}

static int unassign_ipv6(struct aws_call *call, struct sim_buf *out, struct aws_error *err)
{
    struct json_object *eni = aws_need_param(call, AWS_ENI, "NetworkInterfaceId", err);
    const char *given;
    char ip[64];

    if (!eni)
        return -1;
    for (size_t i = 1; (given = aws_param_at(call, "Ipv6Addresses", i)); i++)
        if (sim_address_canonical(given, ip, sizeof(ip)) ||
            !sim_json_has(sim_json_array(eni, "ipv6"), ip))
            return aws_fail(err, 400, "InvalidParameterValue",
                            "Some of the specified addresses are not assigned to interface %s",
                            sim_json_str(eni, "network_interface_id"));
    aws_xml_text(out, "networkInterfaceId", sim_json_str(eni, "network_interface_id"));
    aws_xml_open(out, "unassignedIpv6Addresses");
    for (size_t i = 1; (given = aws_param_at(call, "Ipv6Addresses", i)); i++) {
        (void)sim_address_canonical(given, ip, sizeof(ip));
        aws_ip_move(call->aws, eni, NULL, ip);
        aws_xml_text(out, "item", ip);
    }
    aws_xml_close(out, "unassignedIpv6Addresses");
    return 0;
}

#define ENI_RESOURCE "NetworkInterfaceId:network-interface"

/* None of these has DryRun. */
const struct aws_ec2_action aws_ec2_ip_actions[] = {
    {"AssignPrivateIpAddresses", assign_private_ips, AWS_CHANGES,
     "!NetworkInterfaceId PrivateIpAddress.N AllowReassignment", ENI_RESOURCE},
    {"UnassignPrivateIpAddresses", unassign_private_ips, AWS_CHANGES,
     "!NetworkInterfaceId PrivateIpAddress.N", ENI_RESOURCE},
    {"AssignIpv6Addresses", assign_ipv6, AWS_CHANGES, "!NetworkInterfaceId Ipv6Addresses.N",
     ENI_RESOURCE},
    {"UnassignIpv6Addresses", unassign_ipv6, AWS_CHANGES, "!NetworkInterfaceId Ipv6Addresses.N",
     ENI_RESOURCE},
    {0},
};
