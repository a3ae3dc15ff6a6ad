/* Route tables as they are shown, and the routes in them. */
#include <stdio.h>
#include <string.h>
#include "aws_ec2.h"

/* The element that shows a target, by the form of its id; anything else is a gatewayId. */
static const struct target {
    const char *prefix, *element;
} targets[] = {
    {"eni-", "networkInterfaceId"},
    {"nat-", "natGatewayId"},
    {"tgw-", "transitGatewayId"},
    {"pcx-", "vpcPeeringConnectionId"},
    {"eigw-", "egressOnlyInternetGatewayId"},
    {"lgw-", "localGatewayId"},
    {"cagw-", "carrierGatewayId"},
    {"arn:", "coreNetworkArn"},
};

static const char *const target_params[] = {
    "NetworkInterfaceId", "InstanceId",
    "GatewayId",          "NatGatewayId",
    "TransitGatewayId",   "VpcPeeringConnectionId",
    "LocalGatewayId",     "EgressOnlyInternetGatewayId",
    "CarrierGatewayId",   "VpcEndpointId",
    "CoreNetworkArn",     "OdbNetworkArn",
};

static const char *target_element(const char *target)
{
    for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++)
        if (!strncmp(target, targets[i].prefix, strlen(targets[i].prefix)))
            return targets[i].element;
    return "gatewayId";
}

static bool is_eni(const char *target)
{
    return !strncmp(target, "eni-", 4);
}

/* EC2 User Guide: a route is a blackhole when its target is gone, detached, or not running. */
const char *aws_route_state(const struct json_object *aws, const struct json_object *route)
{
    const char *target = sim_json_str(route, "target");
    const struct json_object *eni, *attachment, *instance;

    if (!strncmp(target, "igw-", 4))
        return aws_find(aws, AWS_GATEWAY, target) ? "active" : "blackhole";
    if (!is_eni(target))
        return "active";
    eni = aws_find(aws, AWS_ENI, target);
    if (!eni)
        return "blackhole";
    if (strcmp(sim_json_str(eni, "interface_type"), "interface") != 0)
        return "active";
    attachment = aws_eni_attachment(eni);
    instance = aws_find(aws, AWS_INSTANCE, sim_json_str(attachment, "instance_id"));
    if (!attachment || strcmp(sim_json_str(attachment, "status"), "attached") != 0 ||
        strcmp(sim_json_str(instance, "state"), "running") != 0)
        return "blackhole";
    return "active";
}

struct json_object *aws_route_find(struct json_object *table, const char *destination)
{
    return sim_json_find(sim_json_array(table, "routes"), "destination", destination);
}

static const char *route_instance(const struct json_object *aws, const struct json_object *route)
{
    const char *target = sim_json_str(route, "target");

    return is_eni(target)
               ? sim_json_str(aws_eni_attachment(aws_find(aws, AWS_ENI, target)), "instance_id")
               : "";
}

static const char *destination_element(const char *destination)
{
    if (!strncmp(destination, "pl-", 3))
        return "destinationPrefixListId";
    return sim_is_v6(destination) ? "destinationIpv6CidrBlock" : "destinationCidrBlock";
}

static void route_item(const struct aws_call *call, struct sim_buf *out,
                       const struct json_object *route)
{
    const char *destination = sim_json_str(route, "destination");
    const char *target = sim_json_str(route, "target");
    const char *instance = route_instance(call->aws, route);

    aws_xml_open(out, "item");
    aws_xml_text(out, destination_element(destination), destination);
    aws_xml_text(out, target_element(target), target);
    if (*instance) {
        aws_xml_text(out, "instanceId", instance);
        aws_xml_text(out, "instanceOwnerId", call->account);
    }
    aws_xml_text(out, "state", aws_route_state(call->aws, route));
    aws_xml_text(out, "origin", sim_json_str(route, "origin"));
    aws_xml_close(out, "item");
}

static void association_item(struct sim_buf *out, const struct json_object *table,
                             const struct json_object *association)
{
    aws_xml_open(out, "item");
    aws_xml_text(out, "routeTableAssociationId", sim_json_str(association, "association_id"));
    aws_xml_text(out, "routeTableId", sim_json_str(table, "route_table_id"));
    aws_xml_text_if(out, "subnetId", sim_json_str(association, "subnet_id"));
    aws_xml_bool(out, "main", sim_json_bool(association, "main", false));
    sim_buf_str(out, "<associationState><state>associated</state></associationState></item>");
}

void aws_route_table_item(const struct aws_call *call, struct sim_buf *out,
                          struct json_object *table)
{
    struct json_object *element;

    aws_xml_text(out, "routeTableId", sim_json_str(table, "route_table_id"));
    aws_xml_text(out, "vpcId", sim_json_str(table, "vpc_id"));
    aws_xml_text(out, "ownerId", call->account);
    aws_xml_open(out, "routeSet");
    SIM_JSON_EACH(element, sim_json_array(table, "routes"))
    route_item(call, out, element);
    aws_xml_close(out, "routeSet");
    aws_xml_open(out, "associationSet");
    SIM_JSON_EACH(element, sim_json_array(table, "associations"))
    association_item(out, table, element);
    aws_xml_close(out, "associationSet");
    sim_buf_str(out, "<propagatingVgwSet/>");
    aws_xml_tags(out, table);
}

static bool offer_association(const struct json_object *table, struct aws_filter_test *test)
{
    static const char *const known[] = {
        "association.subnet-id",
        "association.main",
        "association.route-table-id",
        "association.route-table-association-id",
    };
    struct json_object *element;
    size_t which = 0;

    while (which < 4 && strcmp(known[which], test->name) != 0)
        which++;
    SIM_JSON_EACH(element, sim_json_array(table, "associations"))
    {
        switch (which) {
        case 0: aws_offer(test, sim_json_str(element, "subnet_id")); break;
        case 1: aws_offer_bool(test, sim_json_bool(element, "main", false)); break;
        case 2: aws_offer(test, sim_json_str(table, "route_table_id")); break;
        case 3: aws_offer(test, sim_json_str(element, "association_id")); break;
        default: break;
        }
    }
    return which < 4;
}

/* What a filter route.* looks at in one route; NULL if it is no such filter. */
static const char *route_value(const struct aws_call *call, const struct json_object *route,
                               const char *filter)
{
    const char *destination = sim_json_str(route, "destination");
    const char *target = sim_json_str(route, "target");

    if (!strcmp(filter, "destination-cidr-block") ||
        !strcmp(filter, "destination-ipv6-cidr-block") ||
        !strcmp(filter, "destination-prefix-list-id")) {
        bool list = !strncmp(destination, "pl-", 3);
        const char *sort = list                     ? "destination-prefix-list-id"
                           : sim_is_v6(destination) ? "destination-ipv6-cidr-block"
                                                    : "destination-cidr-block";

        return strcmp(sort, filter) ? "" : destination;
    }
    if (!strcmp(filter, "state"))
        return aws_route_state(call->aws, route);
    if (!strcmp(filter, "origin"))
        return sim_json_str(route, "origin");
    if (!strcmp(filter, "instance-id"))
        return route_instance(call->aws, route);
    if (!strcmp(filter, "gateway-id"))
        return strcmp(target_element(target), "gatewayId") ? "" : target;
    if (!strcmp(filter, "nat-gateway-id"))
        return strncmp(target, "nat-", 4) ? "" : target;
    if (!strcmp(filter, "transit-gateway-id"))
        return strncmp(target, "tgw-", 4) ? "" : target;
    if (!strcmp(filter, "vpc-peering-connection-id"))
        return strncmp(target, "pcx-", 4) ? "" : target;
    return NULL;
}

static bool table_values(const struct aws_call *call, struct json_object *table,
                         struct aws_filter_test *test)
{
    struct json_object *route;

    if (!strncmp(test->name, "route.", 6)) {
        if (!route_value(call, NULL, test->name + 6))
            return false;
        SIM_JSON_EACH(route, sim_json_array(table, "routes"))
        {
            const char *value = route_value(call, route, test->name + 6);

            if (value && *value)
                aws_offer(test, value);
        }
        return true;
    }
    if (!strcmp(test->name, "vpc-id"))
        aws_offer(test, sim_json_str(table, "vpc_id"));
    else if (!strcmp(test->name, "route-table-id"))
        aws_offer(test, sim_json_str(table, "route_table_id"));
    else if (!strcmp(test->name, "owner-id"))
        aws_offer(test, call->account);
    else
        return offer_association(table, test) || aws_offer_tags(table, test);
    return true;
}

static int describe_route_tables(struct aws_call *call, struct sim_buf *out, struct aws_error *err)
{
    static const struct aws_list list = {
        .kind = AWS_ROUTE_TABLE,
        .set = "routeTableSet",
        .ids = "RouteTableId",
        .values = table_values,
        .item = aws_route_table_item,
        .page_min = 5,
        .page_max = 100,
    };

    return aws_describe(call, &list, out, err);
}

/* ---- changes of routes ----------------------------------------------------------------------- */

/* The one destination of the request, in canonical form. */
static int read_destination(const struct aws_call *call, char *ret_text, size_t size,
                            struct aws_error *err)
{
    const char *v4 = aws_param(call, "DestinationCidrBlock");
    const char *v6 = aws_param(call, "DestinationIpv6CidrBlock");
    const char *list = aws_param(call, "DestinationPrefixListId");
    const char *text = v4 ? v4 : v6;
    struct sim_cidr cidr;

    if (!v4 + !v6 + !list == 3)
        return aws_fail(err, 400, "MissingParameter",
                        "The request must contain exactly one of destinationCidrBlock, "
                        "destinationIpv6CidrBlock, destinationPrefixListId");
    if (!v4 + !v6 + !list != 2)
        return aws_fail(err, 400, "InvalidParameterCombination",
                        "The request must contain exactly one of destinationCidrBlock, "
                        "destinationIpv6CidrBlock, destinationPrefixListId");
    if (list) {
        snprintf(ret_text, size, "%s", list);
        return 0;
    }
    if (sim_cidr_parse(text, &cidr) || cidr.v6 != !v4)
        return aws_fail(err, 400, "InvalidParameterValue",
                        "Value (%.128s) for parameter %s is invalid. This is not a valid CIDR "
                        "block.",
                        text, v4 ? "destinationCidrBlock" : "destinationIpv6CidrBlock");
    sim_cidr_text(&cidr, ret_text, size);
    return 0;
}

static int target_of_instance(const struct aws_call *call, const char *id, const char **ret_target,
                              struct aws_error *err)
{
    struct json_object *eni;
    size_t count;

    if (!aws_need(call, AWS_INSTANCE, id, err))
        return -1;
    eni = aws_instance_eni(call->aws, id, &count);
    if (!eni)
        return aws_fail(err, 400, "InvalidInstanceID",
                        count
                            ? "There are multiple interfaces attached to instance '%.64s'. Please "
                              "specify an interface ID for the operation instead."
                            : "There are no interfaces attached to instance '%.64s'.",
                        id);
    *ret_target = sim_json_str(eni, "network_interface_id");
    return 0;
}

static int check_eni_target(const struct aws_call *call, const struct json_object *table,
                            const char *id, struct aws_error *err)
{
    const struct json_object *eni = aws_need(call, AWS_ENI, id, err);

    if (!eni)
        return -1;
    if (strcmp(aws_eni_vpc(call->aws, eni), sim_json_str(table, "vpc_id")) != 0)
        return aws_fail(err, 400, "InvalidParameterValue",
                        "route table %s and network interface %s belong to different networks",
                        sim_json_str(table, "route_table_id"), id);
    return 0;
}

/* The one target of the request. */
static int read_target(const struct aws_call *call, const struct json_object *table,
                       const char **ret_target, struct aws_error *err)
{
    const char *target = NULL, *param = NULL;

    for (size_t i = 0; i < sizeof(target_params) / sizeof(target_params[0]); i++) {
        const char *given = aws_param(call, target_params[i]);

        if (given && target)
            return aws_fail(err, 400, "InvalidParameterCombination",
                            "The request must contain exactly one target: %s and %s are given",
                            param, target_params[i]);
        target = given ? given : target;
        param = given ? target_params[i] : param;
    }
    if (aws_param_true(call, "LocalTarget"))
        target = param = "local";
    if (!target)
        return aws_fail(err, 400, "MissingParameter",
                        "The request must contain exactly one of gatewayId, natGatewayId, "
                        "networkInterfaceId, vpcPeeringConnectionId, transitGatewayId, instanceId");
    *ret_target = target;
    if (!strcmp(param, "InstanceId"))
        return target_of_instance(call, target, ret_target, err);
    if (!strcmp(param, "NetworkInterfaceId"))
        return check_eni_target(call, table, target, err);
    if (!strncmp(target, "igw-", 4))
        return aws_need(call, AWS_GATEWAY, target, err) ? 0 : -1;
    return 0;
}

/* A route inside the VPC's own blocks must be for the whole of one of its subnets. */
static int check_specific(const struct aws_call *call, const struct json_object *table,
                          const char *destination, struct aws_error *err)
{
    const char *vpc_id = sim_json_str(table, "vpc_id");
    const struct json_object *vpc = aws_find(call->aws, AWS_VPC, vpc_id);
    struct json_object *element;
    struct sim_cidr wanted, block;
    bool inside = false;

    if (sim_cidr_parse(destination, &wanted))
        return 0;
    SIM_JSON_EACH(element, sim_json_array(vpc, wanted.v6 ? "ipv6_cidr_blocks" : "cidr_blocks"))
    inside = inside || (!sim_cidr_parse(json_object_get_string(element), &block) &&
                        sim_cidr_holds(&block, &wanted));
    if (!inside)
        return 0;
    SIM_JSON_EACH(element, aws_all(call->aws, AWS_SUBNET))
    {
        const char *cidr = sim_json_str(element, wanted.v6 ? "ipv6_cidr_block" : "cidr_block");

        if (!strcmp(sim_json_str(element, "vpc_id"), vpc_id) && !strcmp(cidr, destination))
            return 0;
    }
    return aws_fail(err, 400, "InvalidParameterValue",
                    "Route destination doesn't match any subnet CIDR blocks: %s", destination);
}

static int create_route(struct aws_call *call, struct sim_buf *out, struct aws_error *err)
{
    struct json_object *table = aws_need_param(call, AWS_ROUTE_TABLE, "RouteTableId", err);
    struct json_object *route;
    const char *target = NULL;
    char destination[80];

    if (!table || read_destination(call, destination, sizeof(destination), err) ||
        read_target(call, table, &target, err))
        return -1;
    if (aws_route_find(table, destination))
        return aws_fail(err, 400, "RouteAlreadyExists",
                        "The route identified by %s already exists.", destination);
    if (check_specific(call, table, destination, err))
        return -1;
    route = json_object_new_object();
    sim_json_set_str(route, "destination", destination);
    sim_json_set_str(route, "target", target);
    sim_json_set_str(route, "origin", "CreateRoute");
    json_object_array_add(sim_json_array(table, "routes"), route);
    aws_return_true(out);
    return 0;
}

static int need_route(struct json_object *table, const char *destination, const char *verb,
                      struct json_object **ret_route, struct aws_error *err)
{
    *ret_route = aws_route_find(table, destination);
    if (*ret_route)
        return 0;
    if (!strcmp(verb, "DeleteRoute"))
        return aws_fail(err, 400, "InvalidRoute.NotFound",
                        "no route with destination-cidr-block %s in route table %s", destination,
                        sim_json_str(table, "route_table_id"));
    return aws_fail(err, 400, "InvalidParameterValue",
                    "There is no route defined for '%s' in the route table. Use CreateRoute "
                    "instead.",
                    destination);
}

static int replace_route(struct aws_call *call, struct sim_buf *out, struct aws_error *err)
{
    struct json_object *table = aws_need_param(call, AWS_ROUTE_TABLE, "RouteTableId", err);
    struct json_object *route;
    const char *target = NULL;
    char destination[80];

    if (!table || read_destination(call, destination, sizeof(destination), err) ||
        read_target(call, table, &target, err) ||
        need_route(table, destination, "ReplaceRoute", &route, err))
        return -1;
    sim_json_set_str(route, "target", target);
    if (!strcmp(sim_json_str(route, "origin"), "EnableVgwRoutePropagation"))
        sim_json_set_str(route, "origin", "CreateRoute");
    aws_return_true(out);
    return 0;
}

static int delete_route(struct aws_call *call, struct sim_buf *out, struct aws_error *err)
{
    struct json_object *table = aws_need_param(call, AWS_ROUTE_TABLE, "RouteTableId", err);
    struct json_object *route;
    char destination[80];

    if (!table || read_destination(call, destination, sizeof(destination), err) ||
        need_route(table, destination, "DeleteRoute", &route, err))
        return -1;
    if (!strcmp(sim_json_str(route, "origin"), "CreateRouteTable"))
        return aws_fail(err, 400, "InvalidParameterValue",
                        "cannot remove local route %s in route table %s", destination,
                        sim_json_str(table, "route_table_id"));
    sim_json_remove(sim_json_array(table, "routes"), route);
    aws_return_true(out);
    return 0;
}

#define TARGETS                                                                                    \
    " NetworkInterfaceId InstanceId GatewayId NatGatewayId TransitGatewayId "                      \
    "VpcPeeringConnectionId LocalGatewayId EgressOnlyInternetGatewayId CarrierGatewayId "          \
    "VpcEndpointId CoreNetworkArn OdbNetworkArn"
#define DESTINATIONS                                                                               \
    "!RouteTableId DestinationCidrBlock DestinationIpv6CidrBlock DestinationPrefixListId DryRun"

const struct aws_ec2_action aws_ec2_route_actions[] = {
    {"DescribeRouteTables", describe_route_tables, AWS_READS,
     "RouteTableId.N Filter.N.Name Filter.N.Value.N MaxResults NextToken DryRun", ""},
    {"CreateRoute", create_route, AWS_CHANGES, DESTINATIONS TARGETS, "RouteTableId:route-table"},
    {"ReplaceRoute", replace_route, AWS_CHANGES, DESTINATIONS TARGETS " LocalTarget",
     "RouteTableId:route-table"},
    {"DeleteRoute", delete_route, AWS_CHANGES, DESTINATIONS, "RouteTableId:route-table"},
    {0},
};
