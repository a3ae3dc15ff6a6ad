/* Elastic network interfaces, as they are shown. */
#include <stdio.h>
#include <string.h>
#include "ali.h"

static struct json_object *public_ip(const struct json_object *eip)
{
    struct json_object *item = json_object_new_object();

    if (eip && !ali_in_state(eip, "Associating")) {
        sim_json_set_str(item, "PublicIpAddress", sim_json_str(eip, "ip_address"));
        sim_json_set_str(item, "AllocationId", sim_json_str(eip, "allocation_id"));
    }
    return item;
}

static struct json_object *private_sets(const struct ali_call *call, const struct json_object *eni)
{
    struct json_object *array = json_object_new_array(), *wrapper = json_object_new_object(), *ip;

    SIM_JSON_EACH(ip, sim_json_array(eni, "private_ips"))
    {
        const char *text = json_object_get_string(ip);
        struct json_object *set = json_object_new_object();

        sim_json_set_str(set, "PrivateIpAddress", text);
        sim_json_set_bool(set, "Primary", !strcmp(text, ali_eni_primary(eni)));
        json_object_object_add(set, "AssociatedPublicIp",
                               public_ip(ali_eip_on(call->ali, eni, text)));
        json_object_array_add(array, set);
    }
    json_object_object_add(wrapper, "PrivateIpSet", array);
    return wrapper;
}

static struct json_object *ipv6_sets(const struct json_object *eni)
{
    struct json_object *array = json_object_new_array(), *wrapper = json_object_new_object(), *ip;

    SIM_JSON_EACH(ip, sim_json_array(eni, "ipv6"))
    {
        struct json_object *set = json_object_new_object();

        sim_json_set_str(set, "Ipv6Address", json_object_get_string(ip));
        json_object_array_add(array, set);
    }
    json_object_object_add(wrapper, "Ipv6Set", array);
    return wrapper;
}

static struct json_object *show(const struct ali_call *call, struct json_object *eni)
{
    struct json_object *item = json_object_new_object();
    const char *vswitch = sim_json_str(eni, "vswitch_id");

    sim_json_set_str(item, "NetworkInterfaceId", sim_json_str(eni, "network_interface_id"));
    sim_json_set_str(item, "NetworkInterfaceName", sim_json_str(eni, "name"));
    sim_json_set_str(item, "Type", sim_json_str(eni, "type"));
    sim_json_set_str(item, "Status", sim_json_str(eni, "status"));
    sim_json_set_str(item, "InstanceId", sim_json_str(eni, "instance_id"));
    sim_json_set_str(item, "MacAddress", sim_json_str(eni, "mac"));
    sim_json_set_str(item, "PrivateIpAddress", ali_eni_primary(eni));
    json_object_object_add(item, "PrivateIpSets", private_sets(call, eni));
    json_object_object_add(item, "Ipv6Sets", ipv6_sets(eni));
    json_object_object_add(item, "AssociatedPublicIp",
                           public_ip(ali_eip_on(call->ali, eni, ali_eni_primary(eni))));
    sim_json_set_str(item, "VSwitchId", vswitch);
    sim_json_set_str(item, "VpcId", ali_vswitch_vpc(call->ali, vswitch));
    sim_json_set_str(item, "ZoneId", ali_vswitch_zone(call->ali, vswitch));
    json_object_object_add(item, "SecurityGroupIds",
                           ali_wrap("SecurityGroupId", sim_json_array(eni, "security_group_ids")));
    sim_json_set_bool(item, "SourceDestCheck", sim_json_bool(eni, "source_dest_check", false));
    sim_json_set_bool(item, "DeleteOnRelease", sim_json_bool(eni, "delete_on_release", true));
    sim_json_set_bool(item, "ServiceManaged", sim_json_bool(eni, "service_managed", false));
    sim_json_set_int(item, "QueueNumber", sim_json_int(eni, "queue_number", 1));
    sim_json_set_str(item, "NetworkInterfaceTrafficMode", "Standard");
    sim_json_set_str(item, "Description", sim_json_str(eni, "description"));
    sim_json_set_str(item, "CreationTime", "2026-01-01T00:00:00Z");
    sim_json_set_str(item, "ResourceGroupId", "");
    json_object_object_add(item, "Tags", ali_tags(eni, "TagKey", "TagValue"));
    return item;
}

static bool any_ip(const struct ali_call *call, const struct json_object *eni, const char *param,
                   const char *member)
{
    struct json_object *ip;

    if (!ali_param_at(call, param, 1))
        return true;
    SIM_JSON_EACH(ip, sim_json_array(eni, member))
    if (ali_fits_any(call, param, json_object_get_string(ip)))
        return true;
    return false;
}

static bool wanted(const struct ali_call *call, const struct json_object *eni)
{
    const char *vpc = ali_text(call, "VpcId"), *primary = ali_text(call, "PrimaryIpAddress");
    const char *group = ali_text(call, "SecurityGroupId");
    const char *service = ali_text(call, "ServiceManaged");

    return ali_fits_any(call, "NetworkInterfaceId", sim_json_str(eni, "network_interface_id")) &&
           ali_fits(call, "InstanceId", eni, "instance_id") &&
           ali_fits(call, "NetworkInterfaceName", eni, "name") &&
           ali_fits(call, "VSwitchId", eni, "vswitch_id") &&
           ali_fits(call, "Status", eni, "status") && ali_fits(call, "Type", eni, "type") &&
           (!*vpc || !strcmp(vpc, ali_vswitch_vpc(call->ali, sim_json_str(eni, "vswitch_id")))) &&
           (!*primary || !strcmp(primary, ali_eni_primary(eni))) &&
           (!*group || sim_json_has(sim_json_array(eni, "security_group_ids"), group)) &&
           (!*service ||
            !strcasecmp(service, "true") == sim_json_bool(eni, "service_managed", false)) &&
           any_ip(call, eni, "PrivateIpAddress", "private_ips") &&
           any_ip(call, eni, "Ipv6Address", "ipv6") && ali_fits_tags(call, eni);
}

static int list(struct ali_call *call, struct json_object *out, struct ali_error *err)
{
    static const struct ali_list how = {
        .outer = "NetworkInterfaceSets",
        .inner = "NetworkInterfaceSet",
        .size = 10,
        .size_max = 500,
        .by_token = "MaxResults",
        .both = true,
    };

    if (ali_param_at(call, "NetworkInterfaceId", 101) ||
        ali_param_at(call, "PrivateIpAddress", 101))
        return ali_fail(err, 400, "InvalidParameter", "More than 100 values.");
    return ali_list(call, ali_all(call->ali, ALI_ENI), &how, wanted, show, out, err);
}

static int attribute(struct ali_call *call, struct json_object *out, struct ali_error *err)
{
    struct json_object *eni = ali_need(call, ALI_ENI, "NetworkInterfaceId", err), *item;

    if (!eni)
        return -1;
    item = show(call, eni);
    json_object_object_foreach(item, name, value)
    {
        json_object_object_add(out, name, json_object_get(value));
    }
    json_object_put(item);
    return 0;
}

const struct ali_action ali_eni_list_actions[] = {
    {"ecs", "DescribeNetworkInterfaces", list, ALI_READS,
     "!RegionId NetworkInterfaceId.N InstanceId NetworkInterfaceName PrivateIpAddress.N "
     "PrimaryIpAddress Ipv6Address.N VSwitchId VpcId Status Type SecurityGroupId ServiceManaged "
     "ResourceGroupId MaxResults NextToken PageNumber PageSize Tag.N.*",
     ""},
    {"ecs", "DescribeNetworkInterfaceAttribute", attribute, ALI_READS,
     "!RegionId !NetworkInterfaceId Attribute Tag.N.*", "NetworkInterfaceId:eni"},
    {0},
};
