/* Network interfaces: what they are, how they are shown, created and deleted. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "aws_ec2.h"

struct json_object *aws_eni_attachment(const struct json_object *eni)
{
    struct json_object *attachment = sim_json_get(eni, "attachment");

    return json_object_is_type(attachment, json_type_object) ? attachment : NULL;
}

const char *aws_eni_primary(const struct json_object *eni)
{
    struct json_object *ips = sim_json_array(eni, "private_ips");

    return sim_json_len(ips) ? json_object_get_string(json_object_array_get_idx(ips, 0)) : "";
}

bool aws_eni_has_ip(const struct json_object *eni, const char *ip)
{
    return sim_json_has(sim_json_array(eni, "private_ips"), ip) ||
           sim_json_has(sim_json_array(eni, "ipv6"), ip);
}

static const struct json_object *eni_subnet(const struct json_object *aws,
                                            const struct json_object *eni)
{
    return aws_find(aws, AWS_SUBNET, sim_json_str(eni, "subnet_id"));
}

const char *aws_eni_vpc(const struct json_object *aws, const struct json_object *eni)
{
    return sim_json_str(eni_subnet(aws, eni), "vpc_id");
}

const char *aws_eni_zone(const struct json_object *aws, const struct json_object *eni)
{
    return sim_json_str(eni_subnet(aws, eni), "availability_zone");
}

const char *aws_eni_status(const struct json_object *eni)
{
    const struct json_object *attachment = aws_eni_attachment(eni);

    if (!attachment)
        return strcmp(sim_json_str(eni, "interface_type"), "interface") ? "in-use" : "available";
    return "in-use";
}

/* ---- shown ----------------------------------------------------------------------------------- */

static void association_item(const struct aws_call *call, struct sim_buf *out,
                             const struct json_object *eni, const char *ip)
{
    const struct json_object *address =
        aws_address_on(call->aws, sim_json_str(eni, "network_interface_id"), ip);

    if (!address)
        return;
    aws_xml_open(out, "association");
    aws_xml_text(out, "publicIp", sim_json_str(address, "public_ip"));
    aws_xml_text(out, "ipOwnerId", call->account);
    aws_xml_text(out, "allocationId", sim_json_str(address, "allocation_id"));
    aws_xml_text(out, "associationId", sim_json_str(address, "association_id"));
    aws_xml_close(out, "association");
}

static void attachment_item(const struct aws_call *call, struct sim_buf *out,
                            const struct json_object *eni)
{
    const struct json_object *attachment = aws_eni_attachment(eni);

    if (!attachment)
        return;
    aws_xml_open(out, "attachment");
    aws_xml_text(out, "attachmentId", sim_json_str(attachment, "attachment_id"));
    aws_xml_text(out, "instanceId", sim_json_str(attachment, "instance_id"));
    aws_xml_text(out, "instanceOwnerId", call->account);
    aws_xml_int(out, "deviceIndex", sim_json_int(attachment, "device_index", 0));
    aws_xml_int(out, "networkCardIndex", 0);
    aws_xml_text(out, "status", sim_json_str(attachment, "status"));
    aws_xml_text(out, "attachTime", "2026-01-01T00:00:00.000Z");
    aws_xml_bool(out, "deleteOnTermination",
                 sim_json_bool(attachment, "delete_on_termination", false));
    aws_xml_close(out, "attachment");
}

static void ip_sets(const struct aws_call *call, struct sim_buf *out, const struct json_object *eni)
{
    struct json_object *ip;

    aws_xml_open(out, "privateIpAddressesSet");
    SIM_JSON_EACH(ip, sim_json_array(eni, "private_ips"))
    {
        const char *text = json_object_get_string(ip);

        aws_xml_open(out, "item");
        aws_xml_text(out, "privateIpAddress", text);
        aws_xml_bool(out, "primary", !strcmp(text, aws_eni_primary(eni)));
        association_item(call, out, eni, text);
        aws_xml_close(out, "item");
    }
    aws_xml_close(out, "privateIpAddressesSet");
    aws_xml_open(out, "ipv6AddressesSet");
    SIM_JSON_EACH(ip, sim_json_array(eni, "ipv6"))
    {
        aws_xml_open(out, "item");
        aws_xml_text(out, "ipv6Address", json_object_get_string(ip));
        sim_buf_str(out, "<isPrimaryIpv6>false</isPrimaryIpv6></item>");
    }
    aws_xml_close(out, "ipv6AddressesSet");
}

static void group_set(struct sim_buf *out, const struct json_object *eni)
{
    struct json_object *group;

    aws_xml_open(out, "groupSet");
    SIM_JSON_EACH(group, sim_json_array(eni, "groups"))
    {
        aws_xml_open(out, "item");
        aws_xml_text(out, "groupId", json_object_get_string(group));
        aws_xml_text(out, "groupName", "default");
        aws_xml_close(out, "item");
    }
    aws_xml_close(out, "groupSet");
}

void aws_eni_item(const struct aws_call *call, struct sim_buf *out, struct json_object *eni)
{
    bool managed = sim_json_bool(eni, "requester_managed", false);

    aws_xml_text(out, "networkInterfaceId", sim_json_str(eni, "network_interface_id"));
    aws_xml_text(out, "subnetId", sim_json_str(eni, "subnet_id"));
    aws_xml_text(out, "vpcId", aws_eni_vpc(call->aws, eni));
    aws_xml_text(out, "availabilityZone", aws_eni_zone(call->aws, eni));
    aws_xml_text(out, "description", sim_json_str(eni, "description"));
    aws_xml_text(out, "ownerId", call->account);
    if (managed)
        aws_xml_text(out, "requesterId", "amazon-aws");
    aws_xml_bool(out, "requesterManaged", managed);
    aws_xml_text(out, "status", aws_eni_status(eni));
    aws_xml_text(out, "macAddress", sim_json_str(eni, "mac"));
    aws_xml_text(out, "privateIpAddress", aws_eni_primary(eni));
    aws_xml_bool(out, "sourceDestCheck", sim_json_bool(eni, "source_dest_check", true));
    group_set(out, eni);
    attachment_item(call, out, eni);
    association_item(call, out, eni, aws_eni_primary(eni));
    aws_xml_tags(out, eni);
    ip_sets(call, out, eni);
    aws_xml_text(out, "interfaceType", sim_json_str(eni, "interface_type"));
}

static void offer_list(struct json_object *list, struct aws_filter_test *test)
{
    struct json_object *element;

    SIM_JSON_EACH(element, list)
    aws_offer(test, json_object_get_string(element));
}

/* attachment.*, association.*, addresses.* */
static bool eni_part_values(const struct aws_call *call, struct json_object *eni,
                            struct aws_filter_test *test)
{
    const struct json_object *attachment = aws_eni_attachment(eni);
    const char *name = test->name;
    char number[24];

    if (!strcmp(name, "attachment.instance-id")) {
        aws_offer(test, sim_json_str(attachment, "instance_id"));
    } else if (!strcmp(name, "attachment.attachment-id")) {
        aws_offer(test, sim_json_str(attachment, "attachment_id"));
    } else if (!strcmp(name, "attachment.status")) {
        aws_offer(test, sim_json_str(attachment, "status"));
    } else if (!strcmp(name, "attachment.device-index")) {
        snprintf(number, sizeof(number), "%lld",
                 (long long)sim_json_int(attachment, "device_index", -1));
        aws_offer(test, number);
    } else if (!strcmp(name, "addresses.private-ip-address")) {
        offer_list(sim_json_array(eni, "private_ips"), test);
    } else if (!strcmp(name, "ipv6-addresses.ipv6-address")) {
        offer_list(sim_json_array(eni, "ipv6"), test);
    } else if (!strcmp(name, "group-id")) {
        offer_list(sim_json_array(eni, "groups"), test);
    } else if (!strcmp(name, "association.public-ip") ||
               !strcmp(name, "association.allocation-id") ||
               !strcmp(name, "association.association-id")) {
        const struct json_object *address = aws_address_on(
            call->aws, sim_json_str(eni, "network_interface_id"), aws_eni_primary(eni));
        const char *key = name + sizeof("association.") - 1;

        if (address)
            aws_offer(test, sim_json_str(address, key[0] == 'p'   ? "public_ip"
                                                  : key[1] == 'l' ? "allocation_id"
                                                                  : "association_id"));
    } else {
        return false;
    }
    return true;
}

static bool eni_values(const struct aws_call *call, struct json_object *eni,
                       struct aws_filter_test *test)
{
    static const char *const plain[][2] = {
        {"network-interface-id", "network_interface_id"},
        {"subnet-id", "subnet_id"},
        {"mac-address", "mac"},
        {"description", "description"},
        {"interface-type", "interface_type"},
    };

    for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++) {
        if (!strcmp(test->name, plain[i][0])) {
            aws_offer(test, sim_json_str(eni, plain[i][1]));
            return true;
        }
    }
    if (!strcmp(test->name, "vpc-id"))
        aws_offer(test, aws_eni_vpc(call->aws, eni));
    else if (!strcmp(test->name, "availability-zone"))
        aws_offer(test, aws_eni_zone(call->aws, eni));
    else if (!strcmp(test->name, "status"))
        aws_offer(test, aws_eni_status(eni));
    else if (!strcmp(test->name, "private-ip-address"))
        aws_offer(test, aws_eni_primary(eni));
    else if (!strcmp(test->name, "owner-id"))
        aws_offer(test, call->account);
    else if (!strcmp(test->name, "requester-managed"))
        aws_offer_bool(test, sim_json_bool(eni, "requester_managed", false));
    else if (!strcmp(test->name, "source-dest-check"))
        aws_offer_bool(test, sim_json_bool(eni, "source_dest_check", true));
    else
        return eni_part_values(call, eni, test) || aws_offer_tags(eni, test);
    return true;
}

static int describe_network_interfaces(struct aws_call *call, struct sim_buf *out,
                                       struct aws_error *err)
{
    static const struct aws_list list = {
        .kind = AWS_ENI,
        .set = "networkInterfaceSet",
        .ids = "NetworkInterfaceId",
        .values = eni_values,
        .item = aws_eni_item,
        .page_min = 5,
        .page_max = 1000,
    };

    return aws_describe(call, &list, out, err);
}

/* ---- attributes ------------------------------------------------------------------------------ */

static int describe_attribute(struct aws_call *call, struct sim_buf *out, struct aws_error *err)
{
    const struct json_object *eni = aws_need_param(call, AWS_ENI, "NetworkInterfaceId", err);
    const char *attribute = aws_param(call, "Attribute");

    if (!eni)
        return -1;
    attribute = attribute ? attribute : "";
    aws_xml_text(out, "networkInterfaceId", sim_json_str(eni, "network_interface_id"));
    if (!strcmp(attribute, "sourceDestCheck")) {
        aws_xml_open(out, attribute);
        aws_xml_bool(out, "value", sim_json_bool(eni, "source_dest_check", true));
        aws_xml_close(out, attribute);
    } else if (!strcmp(attribute, "description")) {
        aws_xml_open(out, attribute);
        aws_xml_text(out, "value", sim_json_str(eni, "description"));
        aws_xml_close(out, attribute);
    } else if (!strcmp(attribute, "groupSet")) {
        group_set(out, eni);
    } else if (!strcmp(attribute, "attachment")) {
        attachment_item(call, out, eni);
    } else {
        return aws_fail_value(err, "attribute", attribute);
    }
    return 0;
}

static int set_groups(const struct aws_call *call, struct json_object *eni, struct aws_error *err)
{
    struct json_object *groups = aws_groups_read(call, aws_eni_vpc(call->aws, eni), err);

    if (!groups)
        return -1;
    json_object_object_add(eni, "groups", groups);
    return 0;
}

/* One attribute a call. */
static int modify_attribute(struct aws_call *call, struct sim_buf *out, struct aws_error *err)
{
    struct json_object *eni = aws_need_param(call, AWS_ENI, "NetworkInterfaceId", err);
    const char *check = aws_param(call, "SourceDestCheck.Value");
    const char *text = aws_param(call, "Description.Value");
    const char *attachment = aws_param(call, "Attachment.AttachmentId");
    bool groups = aws_param_at(call, "SecurityGroupId", 1);
    int count = (check != NULL) + (text != NULL) + (attachment != NULL) + groups;

    if (!eni)
        return -1;
    if (count != 1)
        return aws_fail(err, 400, count ? "InvalidParameterCombination" : "MissingParameter",
                        count ? "Fields for multiple attribute types specified"
                              : "No attributes specified.");
    if (sim_json_bool(eni, "requester_managed", false))
        return aws_fail(err, 400, "OperationNotPermitted",
                        "You do not have permission to access the specified resource.");
    if (check && strcasecmp(check, "true") && strcasecmp(check, "false"))
        return aws_fail_value(err, "sourceDestCheck", check);
    if (attachment && strcmp(sim_json_str(aws_eni_attachment(eni), "attachment_id"), attachment))
        return aws_fail(err, 400, "InvalidAttachmentID.NotFound",
                        "The attachment ID '%.64s' does not exist", attachment);
    if (check)
        sim_json_set_bool(eni, "source_dest_check", !strcasecmp(check, "true"));
    else if (text)
        sim_json_set_str(eni, "description", text);
    else if (attachment)
        sim_json_set_bool(aws_eni_attachment(eni), "delete_on_termination",
                          aws_param_true(call, "Attachment.DeleteOnTermination"));
    else if (set_groups(call, eni, err))
        return -1;
    aws_return_true(out);
    return 0;
}

/* ---- life ------------------------------------------------------------------------------------ */

/* The first free address of the subnet after the five that EC2 keeps for itself. */
static int free_ip(const struct json_object *aws, const struct json_object *subnet, char *ret_ip,
                   size_t size)
{
    struct sim_cidr cidr;
    const char *vpc_id = sim_json_str(subnet, "vpc_id");

    if (sim_cidr_parse(sim_json_str(subnet, "cidr_block"), &cidr) || cidr.v6 || cidr.bits > 28)
        return -1;
    for (unsigned i = 4; i < (1u << (32 - cidr.bits)) - 1; i++) {
        uint32_t base = ((uint32_t)cidr.bytes[0] << 24 | (uint32_t)cidr.bytes[1] << 16 |
                         (uint32_t)cidr.bytes[2] << 8 | cidr.bytes[3]) +
                        i;

        snprintf(ret_ip, size, "%u.%u.%u.%u", base >> 24, base >> 16 & 255, base >> 8 & 255,
                 base & 255);
        if (!aws_ip_holder(aws, vpc_id, ret_ip))
            return 0;
    }
    return -1;
}

struct json_object *aws_eni_new(struct sim_world *world, struct json_object *aws,
                                const struct json_object *subnet, const char *private_ip)
{
    struct json_object *eni = json_object_new_object(), *ips = json_object_new_array();
    char id[AWS_ID_MAX], mac[32], ip[64];
    unsigned long long serial = world->next_id;

    snprintf(ip, sizeof(ip), "%.63s", private_ip ? private_ip : "");
    if (!private_ip && free_ip(aws, subnet, ip, sizeof(ip))) {
        json_object_put(eni);
        json_object_put(ips);
        return NULL;
    }
    sim_world_id(world, "eni", id, sizeof(id));
    snprintf(mac, sizeof(mac), "06:f0:%02llx:%02llx:%02llx:%02llx", serial >> 24 & 255,
             serial >> 16 & 255, serial >> 8 & 255, serial & 255);
    json_object_array_add(ips, json_object_new_string(ip));
    sim_json_set_str(eni, "network_interface_id", id);
    sim_json_set_str(eni, "subnet_id", sim_json_str(subnet, "subnet_id"));
    sim_json_set_str(eni, "mac", mac);
    json_object_object_add(eni, "private_ips", ips);
    json_object_object_add(eni, "ipv6", json_object_new_array());
    sim_json_set_bool(eni, "source_dest_check", true);
    sim_json_set_str(eni, "interface_type", "interface");
    sim_json_set_bool(eni, "requester_managed", false);
    json_object_array_add(aws_all(aws, AWS_ENI), eni);
    return eni;
}

static int show_new(const struct aws_call *call, struct sim_buf *out, struct json_object *eni)
{
    if (!eni)
        return -1;
    aws_xml_open(out, "networkInterface");
    aws_eni_item(call, out, eni);
    aws_xml_close(out, "networkInterface");
    return 0;
}

static int create_network_interface(struct aws_call *call, struct sim_buf *out,
                                    struct aws_error *err)
{
    const struct json_object *subnet = aws_need_param(call, AWS_SUBNET, "SubnetId", err);
    const char *ip = aws_param(call, "PrivateIpAddress");
    const char *text = aws_param(call, "Description"), *made;
    struct json_object *eni;

    if (!subnet || aws_token_find(call, &made, err))
        return -1;
    if (made)
        return show_new(call, out, aws_need(call, AWS_ENI, made, err));
    ip = ip ? ip : aws_param(call, "PrivateIpAddresses.1.PrivateIpAddress");
    if (ip && !sim_cidr_has_address(sim_json_str(subnet, "cidr_block"), ip))
        return aws_fail(err, 400, "InvalidParameterValue",
                        "Address does not fall within the subnet's address range");
    if (ip && aws_ip_holder(call->aws, sim_json_str(subnet, "vpc_id"), ip))
        return aws_fail(err, 400, "InvalidIPAddress.InUse", "Address %.64s is in use.", ip);
    eni = aws_eni_new(call->world, call->aws, subnet, ip);
    if (!eni)
        return aws_fail(err, 400, "InsufficientFreeAddressesInSubnet",
                        "The specified subnet does not have enough free addresses to satisfy the "
                        "request.");
    sim_json_set_str(eni, "description", text ? text : "");
    if (set_groups(call, eni, err)) {
        aws_eni_remove(call->aws, eni);
        return -1;
    }
    aws_tag_new(call, eni);
    aws_token_keep(call, sim_json_str(eni, "network_interface_id"));
    return show_new(call, out, eni);
}

void aws_eni_remove(struct json_object *aws, struct json_object *eni)
{
    const char *id = sim_json_str(eni, "network_interface_id");
    struct json_object *address;

    SIM_JSON_EACH(address, aws_all(aws, AWS_ADDRESS))
    if (!strcmp(sim_json_str(address, "network_interface_id"), id))
        aws_address_unlink(address);
    sim_json_remove(aws_all(aws, AWS_ENI), eni);
}

static int delete_network_interface(struct aws_call *call, struct sim_buf *out,
                                    struct aws_error *err)
{
    struct json_object *eni = aws_need_param(call, AWS_ENI, "NetworkInterfaceId", err);

    if (!eni)
        return -1;
    if (aws_eni_attachment(eni))
        return aws_fail(err, 400, "InvalidNetworkInterface.InUse",
                        "The network interface '%s' is currently in use.",
                        sim_json_str(eni, "network_interface_id"));
    if (sim_json_bool(eni, "requester_managed", false))
        return aws_fail(err, 400, "OperationNotPermitted",
                        "You do not have permission to access the specified resource.");
    aws_eni_remove(call->aws, eni);
    aws_return_true(out);
    return 0;
}

#define ENI_RESOURCE "NetworkInterfaceId:network-interface"

const struct aws_ec2_action aws_ec2_eni_actions[] = {
    {"DescribeNetworkInterfaces", describe_network_interfaces, AWS_READS,
     "NetworkInterfaceId.N Filter.N.Name Filter.N.Value.N MaxResults NextToken "
     "IncludeManagedResources DryRun",
     ""},
    {"DescribeNetworkInterfaceAttribute", describe_attribute, AWS_READS,
     "!NetworkInterfaceId Attribute DryRun", ENI_RESOURCE},
    {"ModifyNetworkInterfaceAttribute", modify_attribute, AWS_CHANGES,
     "!NetworkInterfaceId SourceDestCheck.Value Description.Value SecurityGroupId.N "
     "Attachment.AttachmentId Attachment.DeleteOnTermination DryRun",
     ENI_RESOURCE},
    {"CreateNetworkInterface", create_network_interface, AWS_CHANGES,
     "!SubnetId Description PrivateIpAddress SecurityGroupId.N PrivateIpAddresses.N.* "
     "InterfaceType ClientToken TagSpecification.N.* DryRun",
     "SubnetId:subnet"},
    {"DeleteNetworkInterface", delete_network_interface, AWS_CHANGES, "!NetworkInterfaceId DryRun",
     ENI_RESOURCE},
    {0},
};
