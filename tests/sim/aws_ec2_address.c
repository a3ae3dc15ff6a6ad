/* Elastic IP addresses. An address is associated exactly while it has an association_id. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "aws_ec2.h"

struct json_object *aws_address_on(const struct json_object *aws, const char *eni_id,
                                   const char *private_ip)
{
    struct json_object *address;

    SIM_JSON_EACH(address, aws_all(aws, AWS_ADDRESS))
    if (*sim_json_str(address, "association_id") &&
        !strcmp(sim_json_str(address, "network_interface_id"), eni_id) &&
        !strcmp(sim_json_str(address, "private_ip"), private_ip))
        return address;
    return NULL;
}

void aws_address_unlink(struct json_object *address)
{
    json_object_object_del(address, "association_id");
    json_object_object_del(address, "network_interface_id");
    json_object_object_del(address, "private_ip");
}

void aws_address_link(struct sim_world *world, struct json_object *address,
                      const struct json_object *eni, const char *private_ip)
{
    char id[AWS_ID_MAX], *ip = sim_strdup(private_ip);

    sim_world_id(world, "eipassoc", id, sizeof(id));
    sim_json_set_str(address, "association_id", id);
    sim_json_set_str(address, "network_interface_id", sim_json_str(eni, "network_interface_id"));
    sim_json_set_str(address, "private_ip", ip);
    free(ip);
}

static const char *address_instance(const struct json_object *aws,
                                    const struct json_object *address)
{
    const struct json_object *eni =
        aws_find(aws, AWS_ENI, sim_json_str(address, "network_interface_id"));

    return sim_json_str(aws_eni_attachment(eni), "instance_id");
}

static void address_item(const struct aws_call *call, struct sim_buf *out,
                         struct json_object *address)
{
    const char *eni = sim_json_str(address, "network_interface_id");

    aws_xml_text(out, "publicIp", sim_json_str(address, "public_ip"));
    aws_xml_text(out, "allocationId", sim_json_str(address, "allocation_id"));
    aws_xml_text(out, "domain", "vpc");
    aws_xml_text(out, "instanceId", address_instance(call->aws, address));
    if (*sim_json_str(address, "association_id")) {
        aws_xml_text(out, "associationId", sim_json_str(address, "association_id"));
        aws_xml_text(out, "networkInterfaceId", eni);
        aws_xml_text(out, "networkInterfaceOwnerId", call->account);
        aws_xml_text(out, "privateIpAddress", sim_json_str(address, "private_ip"));
    }
    aws_xml_tags(out, address);
    aws_xml_text(out, "publicIpv4Pool", "amazon");
    aws_xml_text(out, "networkBorderGroup", call->region);
    aws_xml_text_if(out, "serviceManaged", sim_json_str(address, "service_managed"));
}

static bool address_values(const struct aws_call *call, struct json_object *address,
                           struct aws_filter_test *test)
{
    static const char *const plain[][2] = {
        {"allocation-id", "allocation_id"},
        {"association-id", "association_id"},
        {"network-interface-id", "network_interface_id"},
        {"private-ip-address", "private_ip"},
        {"public-ip", "public_ip"},
    };

    for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++) {
        if (strcmp(test->name, plain[i][0]) != 0)
            continue;
        if (*sim_json_str(address, plain[i][1]))
            aws_offer(test, sim_json_str(address, plain[i][1]));
        return true;
    }
    if (!strcmp(test->name, "domain"))
        aws_offer(test, "vpc");
    else if (!strcmp(test->name, "instance-id"))
        aws_offer(test, address_instance(call->aws, address));
    else if (!strcmp(test->name, "network-interface-owner-id"))
        aws_offer(test, *sim_json_str(address, "association_id") ? call->account : "");
    else if (!strcmp(test->name, "network-border-group"))
        aws_offer(test, call->region);
    else
        return aws_offer_tags(address, test);
    return true;
}

/* By PublicIp.N as well as by AllocationId.N; no pages. */
static int describe_addresses(struct aws_call *call, struct sim_buf *out, struct aws_error *err)
{
    struct json_object *address, *all = aws_all(call->aws, AWS_ADDRESS);
    bool by_ip = aws_param_at(call, "PublicIp", 1), by_id = aws_param_at(call, "AllocationId", 1);
    struct aws_filter_test *tests;
    const char *wanted;
    size_t count;

    for (size_t i = 1; (wanted = aws_param_at(call, "PublicIp", i)); i++)
        if (!sim_json_find(all, "public_ip", wanted))
            return aws_fail(err, 400, "InvalidAddress.NotFound", "Address '%.64s' not found.",
                            wanted);
    for (size_t i = 1; (wanted = aws_param_at(call, "AllocationId", i)); i++)
        if (!aws_need(call, AWS_ADDRESS, wanted, err))
            return -1;
    if (aws_filters_read(call, address_values, &tests, &count, err))
        return -1;
    aws_xml_open(out, "addressesSet");
    SIM_JSON_EACH(address, all)
    {
        if ((by_ip && !aws_param_has(call, "PublicIp", sim_json_str(address, "public_ip"))) ||
            (by_id && !aws_param_has(call, "AllocationId", sim_json_str(address, "allocation_id"))))
            continue;
        if (!aws_filters_pass(call, address, address_values, tests, count))
            continue;
        aws_xml_open(out, "item");
        address_item(call, out, address);
        aws_xml_close(out, "item");
    }
    aws_xml_close(out, "addressesSet");
    free(tests);
    return 0;
}

/* ---- changes --------------------------------------------------------------------------------- */

/* By allocation id or by public address. */
static struct json_object *need_address(const struct aws_call *call, struct aws_error *err)
{
    const char *allocation = aws_param(call, "AllocationId");
    const char *ip = aws_param(call, "PublicIp");
    struct json_object *address;

    if (allocation)
        return aws_need(call, AWS_ADDRESS, allocation, err);
    if (!ip) {
        aws_fail(err, 400, "MissingParameter",
                 "Either public IP or allocation id must be specified");
        return NULL;
    }
    address = sim_json_find(aws_all(call->aws, AWS_ADDRESS), "public_ip", ip);
    if (!address)
        aws_fail(err, 400, "InvalidAddress.NotFound", "Address '%.64s' not found.", ip);
    return address;
}

static struct json_object *need_holder(const struct aws_call *call, struct aws_error *err)
{
    const char *eni = aws_param(call, "NetworkInterfaceId");
    const char *instance = aws_param(call, "InstanceId");
    struct json_object *found;
    size_t count;

    if (!eni && !instance) {
        aws_fail(err, 400, "MissingParameter",
                 "Either 'instanceId' or 'networkInterfaceId' must be specified");
        return NULL;
    }
    if (eni && instance) {
        aws_fail(err, 400, "InvalidParameterCombination",
                 "You may specify an instance ID or a network interface ID, but not both");
        return NULL;
    }
    if (eni)
        return aws_need(call, AWS_ENI, eni, err);
    if (!aws_need(call, AWS_INSTANCE, instance, err))
        return NULL;
    found = aws_instance_eni(call->aws, instance, &count);
    if (!found)
        aws_fail(err, 400, "InvalidInstanceID",
                 "There are multiple interfaces attached to instance '%.64s'. Please specify an "
                 "interface ID for the operation instead.",
                 instance);
    return found;
}

static bool vpc_has_gateway(const struct json_object *aws, const char *vpc_id)
{
    return sim_json_find(aws_all(aws, AWS_GATEWAY), "vpc_id", vpc_id);
}

static int associate_address(struct aws_call *call, struct sim_buf *out, struct aws_error *err)
{
    struct json_object *address = need_address(call, err);
    const struct json_object *eni = address ? need_holder(call, err) : NULL;
    const char *eni_id = sim_json_str(eni, "network_interface_id");
    const char *ip = aws_param(call, "PrivateIpAddress");
    const char *again = aws_param(call, "AllowReassociation");
    struct json_object *other;
    bool same;

    if (!eni)
        return -1;
    ip = ip ? ip : aws_eni_primary(eni);
    if (*sim_json_str(address, "service_managed"))
        return aws_fail(err, 400, "OperationNotPermitted",
                        "You do not have permission to access the specified resource.");
    if (!aws_eni_has_ip(eni, ip) || sim_is_v6(ip))
        return aws_fail(err, 400, "InvalidParameterValue",
                        "Network interface '%s' does not have private IP address '%.64s'.", eni_id,
                        ip);
    if (!vpc_has_gateway(call->aws, aws_eni_vpc(call->aws, eni)))
        return aws_fail(err, 400, "Gateway.NotAttached",
                        "Network %s is not attached to any internet gateway",
                        aws_eni_vpc(call->aws, eni));
    same = !strcmp(sim_json_str(address, "network_interface_id"), eni_id) &&
           !strcmp(sim_json_str(address, "private_ip"), ip);
    other = aws_address_on(call->aws, eni_id, ip);
    if (again && !strcasecmp(again, "false") && !same &&
        (*sim_json_str(address, "association_id") || other))
        return aws_fail(err, 400, "Resource.AlreadyAssociated",
                        "resource %s is already associated with associate-id %s",
                        sim_json_str(other ? other : address, "allocation_id"),
                        sim_json_str(other ? other : address, "association_id"));
    if (other && other != address)
        aws_address_unlink(other);
    aws_address_link(call->world, address, eni, ip);
    aws_return_true(out);
    aws_xml_text(out, "associationId", sim_json_str(address, "association_id"));
    return 0;
}

static int disassociate_address(struct aws_call *call, struct sim_buf *out, struct aws_error *err)
{
    const char *id = aws_param(call, "AssociationId");
    struct json_object *address;

    if (id) {
        address = sim_json_find(aws_all(call->aws, AWS_ADDRESS), "association_id", id);
        if (!address && !aws_id_well_formed(id, "eipassoc"))
            return aws_fail(err, 400, "InvalidAssociationID.Malformed", "Invalid id: \"%.128s\"",
                            id);
        if (!address)
            return aws_fail(err, 400, "InvalidAssociationID.NotFound",
                            "The association ID '%s' does not exist", id);
    } else {
        address = need_address(call, err);
        if (!address)
            return -1;
    }
    if (*sim_json_str(address, "service_managed"))
        return aws_fail(err, 400, "OperationNotPermitted",
                        "You do not have permission to access the specified resource.");
    aws_address_unlink(address);
    aws_return_true(out);
    return 0;
}

static int allocate_address(struct aws_call *call, struct sim_buf *out, struct aws_error *err)
{
    struct json_object *all = aws_all(call->aws, AWS_ADDRESS), *address;
    const char *wanted = aws_param(call, "Address");
    char id[AWS_ID_MAX], ip[32];

    snprintf(ip, sizeof(ip), "%.31s", wanted ? wanted : "");
    for (unsigned i = 1; !wanted && i < 65535; i++) { /* 198.18.0.0/15: for benchmarks, RFC 2544 */
        snprintf(ip, sizeof(ip), "198.18.%u.%u", i / 256, i % 256);
        if (!sim_json_find(all, "public_ip", ip))
            break;
    }
    if (sim_json_find(all, "public_ip", ip))
        return aws_fail(err, 400, "InvalidAddress.InUse", "Address '%s' is in use.", ip);
    sim_world_id(call->world, "eipalloc", id, sizeof(id));
    address = json_object_new_object();
    sim_json_set_str(address, "allocation_id", id);
    sim_json_set_str(address, "public_ip", ip);
    aws_tag_new(call, address);
    json_object_array_add(all, address);
    aws_xml_text(out, "publicIp", ip);
    aws_xml_text(out, "allocationId", id);
    aws_xml_text(out, "publicIpv4Pool", "amazon");
    aws_xml_text(out, "networkBorderGroup", call->region);
    aws_xml_text(out, "domain", "vpc");
    return 0;
}

static int release_address(struct aws_call *call, struct sim_buf *out, struct aws_error *err)
{
    const struct json_object *address = need_address(call, err);

    if (!address)
        return -1;
    if (*sim_json_str(address, "association_id"))
        return aws_fail(err, 400, "InvalidIPAddress.InUse", "Address %s is in use.",
                        sim_json_str(address, "public_ip"));
    sim_json_remove(aws_all(call->aws, AWS_ADDRESS), address);
    aws_return_true(out);
    return 0;
}

const struct aws_ec2_action aws_ec2_address_actions[] = {
    {"DescribeAddresses", describe_addresses, AWS_READS,
     "PublicIp.N AllocationId.N Filter.N.Name Filter.N.Value.N DryRun", ""},
    {"AssociateAddress", associate_address, AWS_CHANGES,
     "AllocationId PublicIp InstanceId NetworkInterfaceId PrivateIpAddress AllowReassociation "
     "DryRun",
     "AllocationId:elastic-ip NetworkInterfaceId:network-interface InstanceId:instance"},
    {"DisassociateAddress", disassociate_address, AWS_CHANGES, "AssociationId PublicIp DryRun",
     "AssociationId:elastic-ip AssociationId:network-interface"},
    {"AllocateAddress", allocate_address, AWS_CHANGES,
     "Domain Address PublicIpv4Pool NetworkBorderGroup CustomerOwnedIpv4Pool IpamPoolId "
     "TagSpecification.N.* DryRun",
     ""},
    {"ReleaseAddress", release_address, AWS_CHANGES,
     "AllocationId PublicIp NetworkBorderGroup DryRun", "AllocationId:elastic-ip"},
    {0},
};
