/* Where everything lies: VPCs, vSwitches, IPv4 gateways, security groups, zones. */
#include <stdio.h>
#include <string.h>
#include "ali.h"

/* ---- VPCs ------------------------------------------------------------------------------------ */

static const struct json_object *gateway_of(const struct ali_call *call, const char *vpc_id)
{
    return sim_json_find(ali_all(call->ali, ALI_GATEWAY), "vpc_id", vpc_id);
}

static struct json_object *ids_of(const struct ali_call *call, enum ali_kind kind,
                                  const char *vpc_id, const char *inner)
{
    struct json_object *array = json_object_new_array(), *wrapper = json_object_new_object(), *one;

    SIM_JSON_EACH(one, ali_all(call->ali, kind))
    if (ali_is(one, "vpc_id", vpc_id))
        json_object_array_add(array,
                              json_object_new_string(sim_json_str(one, ali_kinds[kind].id_key)));
    json_object_object_add(wrapper, inner, array);
    return wrapper;
}

static struct json_object *show_vpc(const struct ali_call *call, struct json_object *vpc)
{
    struct json_object *item = json_object_new_object();
    const char *id = sim_json_str(vpc, "vpc_id");

    sim_json_set_str(item, "VpcId", id);
    sim_json_set_str(item, "VpcName", sim_json_str(vpc, "name"));
    sim_json_set_str(item, "CidrBlock", sim_json_str(vpc, "cidr_block"));
    sim_json_set_str(item, "Ipv6CidrBlock", sim_json_str(vpc, "ipv6_cidr_block"));
    sim_json_set_str(item, "RegionId", call->region);
    sim_json_set_str(item, "Status", "Available");
    sim_json_set_str(item, "VRouterId", "vrt-router");
    sim_json_set_bool(item, "IsDefault", false);
    sim_json_set_str(item, "CreationTime", "2026-01-01T00:00:00Z");
    json_object_object_add(
        item, "SecondaryCidrBlocks",
        ali_wrap("SecondaryCidrBlock", sim_json_array(vpc, "secondary_cidr_blocks")));
    json_object_object_add(item, "UserCidrs", ali_wrap("UserCidr", NULL));
    json_object_object_add(item, "VSwitchIds", ids_of(call, ALI_VSWITCH, id, "VSwitchId"));
    json_object_object_add(item, "Tags", ali_tags(vpc, "Key", "Value"));
    return item;
}

static bool vpc_wanted(const struct ali_call *call, const struct json_object *vpc)
{
    const char *ids = ali_text(call, "VpcId");

    return (!*ids || ali_in_list(ids, sim_json_str(vpc, "vpc_id"))) &&
           ali_fits(call, "VpcName", vpc, "name") && ali_fits_tags(call, vpc);
}

static int list_vpcs(struct ali_call *call, struct json_object *out, struct ali_error *err)
{
    static const struct ali_list how = {
        .outer = "Vpcs", .inner = "Vpc", .size = 10, .size_max = 50};

    return ali_list(call, ali_all(call->ali, ALI_VPC), &how, vpc_wanted, show_vpc, out, err);
}

static void merge(struct json_object *out, struct json_object *item)
{
    json_object_object_foreach(item, name, value)
    {
        json_object_object_add(out, name, json_object_get(value));
    }
    json_object_put(item);
}

static int vpc_attribute(struct ali_call *call, struct json_object *out, struct ali_error *err)
{
    struct json_object *vpc = ali_need(call, ALI_VPC, "VpcId", err);

    if (!vpc)
        return -1;
    merge(out, show_vpc(call, vpc));
    sim_json_set_str(
        out, "Ipv4GatewayId",
        sim_json_str(gateway_of(call, sim_json_str(vpc, "vpc_id")), "ipv4_gateway_id"));
    sim_json_set_bool(out, "SupportIpv4Gateway", true);
    return 0;
}

/* ---- vSwitches ------------------------------------------------------------------------------- */

static const struct json_object *table_of(const struct ali_call *call, const char *vswitch_id)
{
    const char *vpc_id = ali_vswitch_vpc(call->ali, vswitch_id);
    struct json_object *table, *system = NULL;

    SIM_JSON_EACH(table, ali_all(call->ali, ALI_TABLE))
    {
        if (sim_json_has(sim_json_array(table, "vswitch_ids"), vswitch_id))
            return table;
        if (ali_is(table, "vpc_id", vpc_id) && ali_is(table, "type", "System"))
            system = table;
    }
    return system;
}

static struct json_object *show_vswitch(const struct ali_call *call, struct json_object *vswitch)
{
    struct json_object *item = json_object_new_object(), *route = json_object_new_object();
    const char *id = sim_json_str(vswitch, "vswitch_id");
    const struct json_object *table = table_of(call, id);

    sim_json_set_str(item, "VSwitchId", id);
    sim_json_set_str(item, "VSwitchName", sim_json_str(vswitch, "name"));
    sim_json_set_str(item, "VpcId", sim_json_str(vswitch, "vpc_id"));
    sim_json_set_str(item, "ZoneId", sim_json_str(vswitch, "zone_id"));
    sim_json_set_str(item, "CidrBlock", sim_json_str(vswitch, "cidr_block"));
    sim_json_set_str(item, "Ipv6CidrBlock", sim_json_str(vswitch, "ipv6_cidr_block"));
    sim_json_set_str(item, "Status", "Available");
    sim_json_set_bool(item, "IsDefault", false);
    sim_json_set_int(item, "AvailableIpAddressCount", 200);
    sim_json_set_str(item, "CreationTime", "2026-01-01T00:00:00Z");
    sim_json_set_str(route, "RouteTableId", sim_json_str(table, "route_table_id"));
    sim_json_set_str(route, "RouteTableType", sim_json_str(table, "type"));
    json_object_object_add(item, "RouteTable", route);
    json_object_object_add(item, "Tags", ali_tags(vswitch, "Key", "Value"));
    return item;
}

static bool vswitch_wanted(const struct ali_call *call, const struct json_object *vswitch)
{
    const char *table = ali_text(call, "RouteTableId");
    const char *id = sim_json_str(vswitch, "vswitch_id");

    return ali_fits(call, "VSwitchId", vswitch, "vswitch_id") &&
           ali_fits(call, "VpcId", vswitch, "vpc_id") &&
           ali_fits(call, "ZoneId", vswitch, "zone_id") &&
           ali_fits(call, "VSwitchName", vswitch, "name") &&
           (!*table || ali_is(table_of(call, id), "route_table_id", table)) &&
           ali_fits_tags(call, vswitch);
}

static int list_vswitches(struct ali_call *call, struct json_object *out, struct ali_error *err)
{
    static const struct ali_list how = {
        .outer = "VSwitches", .inner = "VSwitch", .size = 10, .size_max = 50};

    if (!*ali_text(call, "RegionId") && !*ali_text(call, "VpcId"))
        return ali_fail(err, 400, "MissingParameter", "RegionId or VpcId must be given.");
    return ali_list(call, ali_all(call->ali, ALI_VSWITCH), &how, vswitch_wanted, show_vswitch, out,
                    err);
}

static int vswitch_attribute(struct ali_call *call, struct json_object *out, struct ali_error *err)
{
    struct json_object *vswitch = ali_need(call, ALI_VSWITCH, "VSwitchId", err);

    if (!vswitch)
        return -1;
    merge(out, show_vswitch(call, vswitch));
    return 0;
}

/* ---- the rest -------------------------------------------------------------------------------- */

static struct json_object *show_gateway(const struct ali_call *call, struct json_object *gateway)
{
    struct json_object *item = json_object_new_object();

    (void)call;
    sim_json_set_str(item, "Ipv4GatewayId", sim_json_str(gateway, "ipv4_gateway_id"));
    sim_json_set_str(item, "VpcId", sim_json_str(gateway, "vpc_id"));
    sim_json_set_bool(item, "Enabled", sim_json_bool(gateway, "enabled", true));
    sim_json_set_str(item, "Status", sim_json_str(gateway, "status"));
    sim_json_set_str(item, "CreateTime", "2026-01-01T00:00:00Z");
    return item;
}

static bool gateway_wanted(const struct ali_call *call, const struct json_object *gateway)
{
    return ali_fits(call, "VpcId", gateway, "vpc_id") &&
           ali_fits(call, "Ipv4GatewayId", gateway, "ipv4_gateway_id");
}

static int list_gateways(struct ali_call *call, struct json_object *out, struct ali_error *err)
{
    static const struct ali_list how = {
        .outer = "Ipv4GatewayModels", .size = 10, .size_max = 100, .by_token = "MaxResults"};

    return ali_list(call, ali_all(call->ali, ALI_GATEWAY), &how, gateway_wanted, show_gateway, out,
                    err);
}

static struct json_object *show_group(const struct ali_call *call, struct json_object *group)
{
    struct json_object *item = json_object_new_object();

    (void)call;
    sim_json_set_str(item, "SecurityGroupId", sim_json_str(group, "security_group_id"));
    sim_json_set_str(item, "SecurityGroupName", sim_json_str(group, "name"));
    sim_json_set_str(item, "SecurityGroupType", "normal");
    sim_json_set_str(item, "VpcId", sim_json_str(group, "vpc_id"));
    sim_json_set_bool(item, "ServiceManaged", false);
    json_object_object_add(item, "Tags", ali_tags(group, "TagKey", "TagValue"));
    return item;
}

static bool group_wanted(const struct ali_call *call, const struct json_object *group)
{
    const char *ids = ali_text(call, "SecurityGroupIds");
    SIM_AUTO_JSON *parsed = *ids ? json_tokener_parse(ids) : NULL;

    return ali_fits(call, "VpcId", group, "vpc_id") &&
           ali_fits(call, "SecurityGroupId", group, "security_group_id") &&
           (!*ids || sim_json_has(parsed, sim_json_str(group, "security_group_id"))) &&
           ali_fits_tags(call, group);
}

static int list_groups(struct ali_call *call, struct json_object *out, struct ali_error *err)
{
    static const struct ali_list how = {
        .outer = "SecurityGroups",
        .inner = "SecurityGroup",
        .size = 10,
        .size_max = 100,
        .by_token = "MaxResults",
        .both = true,
    };

    sim_json_set_str(out, "RegionId", call->region);
    return ali_list(call, ali_all(call->ali, ALI_GROUP), &how, group_wanted, show_group, out, err);
}

static int list_regions(struct ali_call *call, struct json_object *out, struct ali_error *err)
{
    struct json_object *array = json_object_new_array(), *wrapper = json_object_new_object();
    struct json_object *item = json_object_new_object();
    char endpoint[128];

    (void)err;
    snprintf(endpoint, sizeof(endpoint), "%s.%s.aliyuncs.com", call->sim->kind, call->region);
    sim_json_set_str(item, "RegionId", call->region);
    sim_json_set_str(item, "RegionEndpoint", endpoint);
    sim_json_set_str(item, "LocalName", call->region);
    json_object_array_add(array, item);
    json_object_object_add(wrapper, "Region", array);
    json_object_object_add(out, "Regions", wrapper);
    return 0;
}

static int list_zones(struct ali_call *call, struct json_object *out, struct ali_error *err)
{
    struct json_object *array = json_object_new_array(), *wrapper = json_object_new_object(), *zone;

    (void)err;
    SIM_JSON_EACH(zone, sim_json_array(call->ali, "zones"))
    {
        struct json_object *item = json_object_new_object();

        sim_json_set_str(item, "ZoneId", json_object_get_string(zone));
        sim_json_set_str(item, "LocalName", json_object_get_string(zone));
        sim_json_set_str(item, "ZoneType", "AvailabilityZone");
        json_object_array_add(array, item);
    }
    json_object_object_add(wrapper, "Zone", array);
    json_object_object_add(out, "Zones", wrapper);
    return 0;
}

const struct ali_action ali_vpc_actions[] = {
    {"vpc", "DescribeVpcs", list_vpcs, ALI_READS | ALI_DRYRUN,
     "!RegionId VpcId VpcName VpcOwnerId IsDefault ResourceGroupId PageNumber PageSize Tag.N.*",
     ""},
    {"vpc", "DescribeVpcAttribute", vpc_attribute, ALI_READS | ALI_DRYRUN,
     "!RegionId !VpcId IsDefault", "VpcId:vpc"},
    {"vpc", "DescribeVSwitches", list_vswitches, ALI_READS | ALI_DRYRUN,
     "RegionId VpcId VSwitchId VSwitchName VSwitchOwnerId ZoneId RouteTableId IsDefault EnableIpv6 "
     "ResourceGroupId PageNumber PageSize Tag.N.*",
     ""},
    {"vpc", "DescribeVSwitchAttributes", vswitch_attribute, ALI_READS | ALI_DRYRUN,
     "RegionId !VSwitchId", "VSwitchId:vswitch"},
    {"vpc", "ListIpv4Gateways", list_gateways, ALI_READS,
     "!RegionId VpcId Ipv4GatewayId Ipv4GatewayName ResourceGroupId MaxResults NextToken Tags.N.*",
     ""},
    {"ecs", "DescribeSecurityGroups", list_groups, ALI_READS | ALI_DRYRUN,
     "!RegionId VpcId SecurityGroupId SecurityGroupIds SecurityGroupName SecurityGroupType "
     "NetworkType ServiceManaged ResourceGroupId MaxResults NextToken PageNumber PageSize Tag.N.*",
     ""},
    {"vpc", "DescribeRegions", list_regions, ALI_READS, "RegionId AcceptLanguage ProductType", ""},
    {"ecs", "DescribeRegions", list_regions, ALI_READS,
     "RegionId AcceptLanguage InstanceChargeType ResourceType", ""},
    {"vpc", "DescribeZones", list_zones, ALI_READS, "!RegionId AcceptLanguage ZoneType", ""},
    {"ecs", "DescribeZones", list_zones, ALI_READS,
     "!RegionId AcceptLanguage InstanceChargeType SpotStrategy Verbose", ""},
    {0},
};
