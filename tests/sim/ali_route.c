/* Route tables and their entries. */
#include <stdio.h>
#include <string.h>
#include "ali.h"

#define ENTRIES_MAX 200 /* custom entries of a table; CreateRouteEntry's reference */

struct json_object *ali_route_find(const struct json_object *table, const char *destination)
{
    return sim_json_find(sim_json_array(table, "routes"), "destination", destination);
}

const char *ali_hop_type(const char *id)
{
    static const struct {
        const char *prefix, *type;
    } types[] = {
        {"eni-", "NetworkInterface"}, {"i-", "Instance"},         {"havip-", "HaVip"},
        {"vpn-", "VpnGateway"},       {"ngw-", "NatGateway"},     {"ri-", "RouterInterface"},
        {"ipv4gw-", "Ipv4Gateway"},   {"ipv6gw-", "IPv6Gateway"}, {"pcc-", "VpcPeer"},
    };

    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
        if (!strncmp(id, types[i].prefix, strlen(types[i].prefix)))
            return types[i].type;
    return "local";
}

/* ---- lists ----------------------------------------------------------------------------------- */

static bool table_wanted(const struct ali_call *call, const struct json_object *table)
{
    return ali_fits(call, "VpcId", table, "vpc_id") &&
           ali_fits(call, "RouteTableId", table, "route_table_id") &&
           ali_fits(call, "RouteTableName", table, "name") &&
           ali_fits(call, "RouteTableType", table, "type") && ali_fits_tags(call, table);
}

static struct json_object *table_show(const struct ali_call *call, struct json_object *table)
{
    struct json_object *item = json_object_new_object();

    (void)call;
    sim_json_set_str(item, "RouteTableId", sim_json_str(table, "route_table_id"));
    sim_json_set_str(item, "RouteTableName", sim_json_str(table, "name"));
    sim_json_set_str(item, "RouteTableType", sim_json_str(table, "type"));
    sim_json_set_str(item, "AssociateType", sim_json_str(table, "associate_type"));
    sim_json_set_str(item, "VpcId", sim_json_str(table, "vpc_id"));
    sim_json_set_str(item, "RouterId", "vrt-router");
    sim_json_set_str(item, "RouterType", "VRouter");
    sim_json_set_str(item, "Status", sim_json_str(table, "status"));
    sim_json_set_str(item, "CreationTime", "2026-01-01T00:00:00Z");
    sim_json_set_str(item, "Description", "");
    sim_json_set_str(item, "ResourceGroupId", "rg-default");
    sim_json_set_bool(item, "RoutePropagationEnable", true);
    json_object_object_add(item, "VSwitchIds",
                           ali_wrap("VSwitchId", sim_json_array(table, "vswitch_ids")));
    json_object_object_add(item, "GatewayIds", ali_wrap("GatewayIds", NULL));
    json_object_object_add(item, "Tags", ali_tags(table, "Key", "Value"));
    return item;
}

static int list_tables(struct ali_call *call, struct json_object *out, struct ali_error *err)
{
    static const struct ali_list list = {
        .outer = "RouterTableList", .inner = "RouterTableListType", .size = 10, .size_max = 50};

    return ali_list(call, ali_all(call->ali, ALI_TABLE), &list, table_wanted, table_show, out, err);
}

static bool any_hop(const struct json_object *route, const char *member, const char *value)
{
    struct json_object *hop;

    if (ali_is(route, strcmp(member, "id") ? "next_hop_type" : "next_hop_id", value))
        return true;
    SIM_JSON_EACH(hop, sim_json_array(route, "next_hops"))
    if (ali_is(hop, member, value))
        return true;
    return false;
}

static bool entry_wanted(const struct ali_call *call, const struct json_object *route)
{
    bool v6 = sim_is_v6(sim_json_str(route, "destination"));
    const char *version = ali_text(call, "IpVersion");

    return ali_fits(call, "DestinationCidrBlock", route, "destination") &&
           ali_fits(call, "RouteEntryId", route, "route_entry_id") &&
           ali_fits(call, "RouteEntryName", route, "name") &&
           ali_fits(call, "RouteEntryType", route, "type") &&
           (!*version || !strcasecmp(version, v6 ? "ipv6" : "ipv4")) &&
           (!*ali_text(call, "NextHopType") ||
            any_hop(route, "type", ali_text(call, "NextHopType"))) &&
           (!*ali_text(call, "NextHopId") || any_hop(route, "id", ali_text(call, "NextHopId"))) &&
           ali_fits_any(call, "DestCidrBlockList", sim_json_str(route, "destination"));
}

static void show_hop(struct json_object *hops, const char *type, const char *id)
{
    struct json_object *hop = json_object_new_object();

    sim_json_set_str(hop, "NextHopType", type);
    sim_json_set_str(hop, "NextHopId", id);
    sim_json_set_int(hop, "Enabled", 1);
    sim_json_set_int(hop, "Weight", 0);
    json_object_array_add(hops, hop);
}

static struct json_object *entry_show(const struct ali_call *call, struct json_object *route)
{
    struct json_object *item = json_object_new_object(), *wrapper = json_object_new_object();
    struct json_object *hops = json_object_new_array(), *hop;

    sim_json_set_str(item, "RouteTableId", ali_text(call, "RouteTableId"));
    sim_json_set_str(item, "RouteEntryId", sim_json_str(route, "route_entry_id"));
    sim_json_set_str(item, "RouteEntryName", sim_json_str(route, "name"));
    sim_json_set_str(item, "Description", sim_json_str(route, "description"));
    sim_json_set_str(item, "DestinationCidrBlock", sim_json_str(route, "destination"));
    sim_json_set_str(item, "IpVersion",
                     sim_is_v6(sim_json_str(route, "destination")) ? "ipv6" : "ipv4");
    sim_json_set_str(item, "Status", sim_json_str(route, "status"));
    sim_json_set_str(item, "Type", sim_json_str(route, "type"));
    sim_json_set_str(item, "Origin",
                     ali_is(route, "type", "Custom") ? "CustomCreate" : "SystemCreate");
    sim_json_set_str(item, "GmtModified", "2026-01-01T00:00:00Z");
    if (*sim_json_str(route, "next_hop_type"))
        show_hop(hops, sim_json_str(route, "next_hop_type"), sim_json_str(route, "next_hop_id"));
    SIM_JSON_EACH(hop, sim_json_array(route, "next_hops"))
    show_hop(hops, sim_json_str(hop, "type"), sim_json_str(hop, "id"));
    json_object_object_add(wrapper, "NextHop", hops);
    json_object_object_add(item, "NextHops", wrapper);
    return item;
}

static int list_entries(struct ali_call *call, struct json_object *out, struct ali_error *err)
{
    static const struct ali_list list = {.outer = "RouteEntrys",
                                         .inner = "RouteEntry",
                                         .size = 10,
                                         .size_max = 100,
                                         .by_token = "MaxResult"};
    const struct json_object *table = ali_need(call, ALI_TABLE, "RouteTableId", err);

    return table ? ali_list(call, sim_json_array(table, "routes"), &list, entry_wanted, entry_show,
                            out, err)
                 : -1;
}

/* ---- changes --------------------------------------------------------------------------------- */

/* Of all entries of a VPC, one changes at a time. */
static int check_idle(const struct ali_call *call, const char *vpc_id, struct ali_error *err)
{
    struct json_object *table, *route;

    SIM_JSON_EACH(table, ali_all(call->ali, ALI_TABLE))
    {
        SIM_JSON_EACH(route, sim_json_array(table, "routes"))
        if (ali_is(table, "vpc_id", vpc_id) && !ali_in_state(route, "Available"))
            return ali_fail(err, 400, "TaskConflict",
                            "The operation is too frequent, please wait a moment and try again.");
    }
    return 0;
}

/* The next hop is there, and of the table's VPC. */
static int check_hop(const struct ali_call *call, const char *vpc_id, const char *type,
                     const char *id, struct ali_error *err)
{
    const struct json_object *object = NULL;
    const char *own = "";

    if (!strcmp(type, "Instance"))
        object = ali_find(call->ali, ALI_INSTANCE, id);
    else if (!strcmp(type, "NetworkInterface"))
        object = ali_find(call->ali, ALI_ENI, id);
    else if (!strcmp(type, "HaVip"))
        object = ali_find(call->ali, ALI_HAVIP, id);
    else if (strcmp(ali_hop_type(id), type) != 0)
        return ali_fail(err, 400, "InvalidNextHopType.ValueNotSupported",
                        "The specified NextHopType \"%.64s\" is not supported.", type);
    else
        return 0;
    if (!object)
        return ali_fail(err, 404, "InvalidNextHopId.NotFound",
                        "The specified NextHopId does not exist.");
    own = ali_vswitch_vpc(call->ali, sim_json_str(object, "vswitch_id"));
    if (strcmp(own, vpc_id) != 0)
        return ali_fail(err, 400, "InvalidNextHop.NotInVpc",
                        "The specified next hop is not in the VPC of the route table.");
    if (!strcmp(type, "NetworkInterface") && ali_is(object, "type", "Primary"))
        return ali_fail(err, 400, "InvalidParameter.NextHopId",
                        "A primary network interface cannot be a next hop.");
    return 0;
}

/* A lone address is a whole prefix. */
static int read_destination(const struct ali_call *call, char *ret_text, size_t size,
                            struct ali_error *err)
{
    const char *given = ali_text(call, "DestinationCidrBlock");
    struct sim_cidr cidr;
    char text[80];

    snprintf(text, sizeof(text), "%.64s%s", given,
             strchr(given, '/') ? ""
             : sim_is_v6(given) ? "/128"
                                : "/32");
    if (sim_cidr_parse(text, &cidr))
        return ali_fail(err, 400, "InvalidCIDRBlock.Malformed",
                        "Specified CIDR block is not valid.");
    sim_cidr_text(&cidr, ret_text, size);
    return 0;
}

static int check_destination(const struct ali_call *call, const struct json_object *table,
                             const char *destination, struct ali_error *err)
{
    struct json_object *vswitch, *route;
    struct sim_cidr own, wanted;
    size_t custom = 0;

    (void)sim_cidr_parse(destination, &wanted);
    SIM_JSON_EACH(vswitch, ali_all(call->ali, ALI_VSWITCH))
    {
        const char *cidr =
            sim_json_str(vswitch, sim_is_v6(destination) ? "ipv6_cidr_block" : "cidr_block");

        if (ali_is(vswitch, "vpc_id", sim_json_str(table, "vpc_id")) &&
            !sim_cidr_parse(cidr, &own) && sim_cidr_holds(&own, &wanted))
            return ali_fail(err, 400, "InvalidCIDRBlock.Contained",
                            "The destination CIDR block lies within the vSwitch %.64s.",
                            sim_json_str(vswitch, "vswitch_id"));
    }
    if (ali_route_find(table, destination))
        return ali_fail(err, 400, "RouterEntryConflict.Duplicated",
                        "The route entry already exists.");
    SIM_JSON_EACH(route, sim_json_array(table, "routes"))
    custom += ali_is(route, "type", "Custom");
    return custom < ENTRIES_MAX ? 0
                                : ali_fail(err, 400, "QuotaExceeded.RouteEntry",
                                           "The number of route entries exceeds the quota.");
}

static int read_hop_list(const struct ali_call *call, const char *vpc_id, struct json_object *route,
                         struct ali_error *err)
{
    struct json_object *hops = json_object_new_array();

    json_object_object_add(route, "next_hops", hops);
    for (size_t i = 1;; i++) {
        char name[64];
        const char *id, *type;
        struct json_object *hop;

        snprintf(name, sizeof(name), "NextHopList.%zu.NextHopId", i);
        id = ali_param(call, name);
        snprintf(name, sizeof(name), "NextHopList.%zu.NextHopType", i);
        type = ali_param(call, name);
        if (!id)
            return 0;
        if (check_hop(call, vpc_id, type ? type : "Instance", id, err))
            return -1;
        hop = json_object_new_object();
        sim_json_set_str(hop, "type", type ? type : "Instance");
        sim_json_set_str(hop, "id", id);
        json_object_array_add(hops, hop);
    }
}

static int fill_entry(struct ali_call *call, const char *vpc_id, const char *destination,
                      struct json_object *route, struct ali_error *err)
{
    const char *type = ali_text(call, "NextHopType"), *hop = ali_text(call, "NextHopId");
    char id[ALI_ID_MAX];

    ali_new_id(call->world, "rte", id, sizeof(id));
    sim_json_set_str(route, "route_entry_id", id);
    sim_json_set_str(route, "destination", destination);
    sim_json_set_str(route, "type", "Custom");
    sim_json_set_str(route, "name", ali_text(call, "RouteEntryName"));
    sim_json_set_str(route, "description", ali_text(call, "Description"));
    if (ali_param(call, "NextHopList.1.NextHopId"))
        return read_hop_list(call, vpc_id, route, err);
    if (!*hop)
        return ali_fail(err, 400, "MissingParameter.NextHopId", "NextHopId is missing.");
    type = *type ? type : "Instance";
    sim_json_set_str(route, "next_hop_type", type);
    sim_json_set_str(route, "next_hop_id", hop);
    return check_hop(call, vpc_id, type, hop, err);
}

static int create_entry(struct ali_call *call, struct json_object *out, struct ali_error *err)
{
    const struct json_object *table = ali_need(call, ALI_TABLE, "RouteTableId", err);
    const char *vpc_id = sim_json_str(table, "vpc_id"), *id;
    struct json_object *route;
    char destination[64];

    if (!table || read_destination(call, destination, sizeof(destination), err) ||
        check_destination(call, table, destination, err) || check_idle(call, vpc_id, err))
        return -1;
    route = json_object_new_object();
    if (fill_entry(call, vpc_id, destination, route, err)) {
        json_object_put(route);
        return -1;
    }
    json_object_array_add(sim_json_array(table, "routes"), route);
    id = sim_json_str(route, "route_entry_id");
    sim_json_set_str(out, "RouteEntryId", id);
    ali_begin(call, id, "Pending", ali_next("Available"));
    return 0;
}

/* The entry by its id, or by table and destination. */
static struct json_object *find_entry(const struct ali_call *call, struct json_object **ret_table,
                                      struct ali_error *err)
{
    const char *id = ali_text(call, "RouteEntryId"), *only = ali_text(call, "RouteTableId");
    struct json_object *table, *route = NULL;
    char destination[64] = "";

    if (!*id && (!*only || !*ali_text(call, "DestinationCidrBlock"))) {
        ali_fail(err, 400, "MissingParameter",
                 "RouteEntryId, or RouteTableId and DestinationCidrBlock, must be given.");
        return NULL;
    }
    if (*only && !ali_need(call, ALI_TABLE, "RouteTableId", err))
        return NULL;
    if (!*id && read_destination(call, destination, sizeof(destination), err))
        return NULL;
    SIM_JSON_EACH(table, ali_all(call->ali, ALI_TABLE))
    {
        if (*only && !ali_is(table, "route_table_id", only))
            continue;
        route = *id ? sim_json_find(sim_json_array(table, "routes"), "route_entry_id", id)
                    : ali_route_find(table, destination);
        if (route) {
            *ret_table = table;
            return route;
        }
    }
    ali_fail(err, 404, "InvalidRouteEntry.NotFound", "Specified route entry does not exist.");
    return NULL;
}

static int check_change(const struct ali_call *call, const struct json_object *table,
                        const struct json_object *route, struct ali_error *err)
{
    if (!ali_is(route, "type", "Custom"))
        return ali_fail(err, 400, "OperationDenied.SystemRouteEntry",
                        "A route entry of the system cannot be changed.");
    if (check_idle(call, sim_json_str(table, "vpc_id"), err))
        return -1;
    return 0;
}

static int modify_entry(struct ali_call *call, struct json_object *out, struct ali_error *err)
{
    const char *hop = ali_text(call, "NewNextHopId"), *type = ali_text(call, "NewNextHopType");
    const char *knows = sim_json_str(call->ali, "modify_route_entry");
    struct json_object *table, *route, *next;

    (void)out;
    if (!strcmp(knows, "name-only") && (*hop || *type))
        return ali_fail(err, 400, "UnsupportedParameter",
                        "The parameter NewNextHopId is not supported.");
    route = find_entry(call, &table, err);
    if (!route || check_change(call, table, route, err))
        return -1;
    if (!strcmp(knows, "ignored"))
        return 0;
    next = ali_next("Available");
    if (*hop || *type) {
        if (sim_json_array(route, "next_hops") ||
            check_hop(call, sim_json_str(table, "vpc_id"), type, hop, err)) {
            json_object_put(next);
            return sim_json_array(route, "next_hops")
                       ? ali_fail(err, 400, "OperationDenied.EcmpRoute",
                                  "The next hop of an ECMP route cannot be changed.")
                       : -1;
        }
        sim_json_set_str(next, "next_hop_id", hop);
        sim_json_set_str(next, "next_hop_type", type);
    }
    if (ali_param(call, "RouteEntryName"))
        sim_json_set_str(next, "name", ali_text(call, "RouteEntryName"));
    if (ali_param(call, "Description"))
        sim_json_set_str(next, "description", ali_text(call, "Description"));
    ali_begin(call, sim_json_str(route, "route_entry_id"), "Modifying", next);
    return 0;
}

static int delete_entry(struct ali_call *call, struct json_object *out, struct ali_error *err)
{
    const char *hop = ali_text(call, "NextHopId");
    struct json_object *table, *route = find_entry(call, &table, err);

    (void)out;
    if (!route || check_change(call, table, route, err))
        return -1;
    if (*hop && !ali_is(route, "next_hop_id", hop))
        return ali_fail(err, 404, "InvalidRouteEntry.NotFound",
                        "Specified route entry does not exist.");
    ali_begin(call, sim_json_str(route, "route_entry_id"), "Deleting", NULL);
    return 0;
}

const struct ali_action ali_route_actions[] = {
    {"vpc", "DescribeRouteTableList", list_tables, ALI_READS,
     "!RegionId VpcId RouteTableId RouteTableName RouteTableType RouterId RouterType "
     "ResourceGroupId PageNumber PageSize Tag.N.*",
     ""},
    {"vpc", "DescribeRouteEntryList", list_entries, ALI_READS,
     "!RegionId !RouteTableId DestinationCidrBlock RouteEntryId RouteEntryName RouteEntryType "
     "NextHopId NextHopType IpVersion MaxResult NextToken ServiceType DestCidrBlockList.N",
     "RouteTableId:routetable"},
    {"vpc", "CreateRouteEntry", create_entry, ALI_CHANGES | ALI_DRYRUN | ALI_TOKEN,
     "RegionId !RouteTableId !DestinationCidrBlock NextHopType NextHopId NextHopList.N.* "
     "RouteEntryName Description",
     "RouteTableId:routetable"},
    {"vpc", "ModifyRouteEntry", modify_entry, ALI_CHANGES | ALI_DRYRUN,
     "!RegionId RouteEntryId RouteTableId DestinationCidrBlock NewNextHopType NewNextHopId "
     "RouteEntryName Description",
     "RouteTableId:routetable"},
    {"vpc", "DeleteRouteEntry", delete_entry, ALI_CHANGES | ALI_DRYRUN,
     "RegionId RouteEntryId RouteTableId DestinationCidrBlock NextHopId NextHopList.N.*",
     "RouteTableId:routetable"},
    {0},
};
