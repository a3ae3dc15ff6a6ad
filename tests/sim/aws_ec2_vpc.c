/* VPCs, subnets, gateways, tags, regions: the stage for the rest. */
#include <stdio.h>
#include <string.h>
#include "aws_ec2.h"

static void strings(struct sim_buf *out, struct json_object *list, const char *set,
                    const char *element, const char *state)
{
    struct json_object *one;
    size_t number = 0;

    aws_xml_open(out, set);
    SIM_JSON_EACH(one, list)
    {
        sim_buf_fmt(out, "<item><associationId>vpc-cidr-assoc-%017zx</associationId>", ++number);
        aws_xml_text(out, element, json_object_get_string(one));
        sim_buf_fmt(out, "<%s><state>associated</state></%s></item>", state, state);
    }
    aws_xml_close(out, set);
}

static const char *first(struct json_object *list)
{
    return sim_json_len(list) ? json_object_get_string(json_object_array_get_idx(list, 0)) : "";
}

static void vpc_item(const struct aws_call *call, struct sim_buf *out, struct json_object *vpc)
{
    aws_xml_text(out, "vpcId", sim_json_str(vpc, "vpc_id"));
    aws_xml_text(out, "ownerId", call->account);
    aws_xml_text(out, "state", "available");
    aws_xml_text(out, "cidrBlock", first(sim_json_array(vpc, "cidr_blocks")));
    strings(out, sim_json_array(vpc, "cidr_blocks"), "cidrBlockAssociationSet", "cidrBlock",
            "cidrBlockState");
    strings(out, sim_json_array(vpc, "ipv6_cidr_blocks"), "ipv6CidrBlockAssociationSet",
            "ipv6CidrBlock", "ipv6CidrBlockState");
    aws_xml_text(out, "dhcpOptionsId", "dopt-0aa00000000000001");
    aws_xml_text(out, "instanceTenancy", "default");
    aws_xml_bool(out, "isDefault", false);
    aws_xml_tags(out, vpc);
}

static bool vpc_values(const struct aws_call *call, struct json_object *vpc,
                       struct aws_filter_test *test)
{
    struct json_object *block;

    if (!strcmp(test->name, "vpc-id"))
        aws_offer(test, sim_json_str(vpc, "vpc_id"));
    else if (!strcmp(test->name, "cidr") ||
             !strcmp(test->name, "cidr-block-association.cidr-block"))
        SIM_JSON_EACH(block, sim_json_array(vpc, "cidr_blocks"))
    aws_offer(test, json_object_get_string(block));
    else if (!strcmp(test->name, "state")) aws_offer(test, "available");
    else if (!strcmp(test->name, "owner-id")) aws_offer(test, call->account);
    else return aws_offer_tags(vpc, test);
    return true;
}

static int describe_vpcs(struct aws_call *call, struct sim_buf *out, struct aws_error *err)
{
    static const struct aws_list list = {AWS_VPC, "vpcSet", "VpcId", vpc_values, vpc_item, 5, 1000};

    return aws_describe(call, &list, out, err);
}

static void add_table(const struct aws_call *call, const char *vpc_id, const char *cidr)
{
    struct json_object *table = json_object_new_object(), *routes = json_object_new_array();
    struct json_object *route = json_object_new_object(), *main = json_object_new_object();
    struct json_object *associations = json_object_new_array();
    char id[AWS_ID_MAX], association[AWS_ID_MAX];

    sim_world_id(call->world, "rtb", id, sizeof(id));
    sim_world_id(call->world, "rtbassoc", association, sizeof(association));
    sim_json_set_str(table, "route_table_id", id);
    sim_json_set_str(table, "vpc_id", vpc_id);
    sim_json_set_str(main, "association_id", association);
    sim_json_set_bool(main, "main", true);
    json_object_array_add(associations, main);
    json_object_object_add(table, "associations", associations);
    sim_json_set_str(route, "destination", cidr);
    sim_json_set_str(route, "target", "local");
    sim_json_set_str(route, "origin", "CreateRouteTable");
    json_object_array_add(routes, route);
    json_object_object_add(table, "routes", routes);
    json_object_array_add(aws_all(call->aws, AWS_ROUTE_TABLE), table);
}

static int create_vpc(struct aws_call *call, struct sim_buf *out, struct aws_error *err)
{
    const char *cidr = aws_param(call, "CidrBlock");
    struct json_object *vpc, *blocks;
    struct sim_cidr parsed;
    char id[AWS_ID_MAX], canonical[80];

    if (sim_cidr_parse(cidr, &parsed) || parsed.v6 || parsed.bits < 16 || parsed.bits > 28)
        return aws_fail(err, 400, "InvalidVpc.Range", "The CIDR '%.64s' is invalid.", cidr);
    sim_cidr_text(&parsed, canonical, sizeof(canonical));
    sim_world_id(call->world, "vpc", id, sizeof(id));
    vpc = json_object_new_object();
    blocks = json_object_new_array();
    json_object_array_add(blocks, json_object_new_string(canonical));
    sim_json_set_str(vpc, "vpc_id", id);
    json_object_object_add(vpc, "cidr_blocks", blocks);
    json_object_object_add(vpc, "ipv6_cidr_blocks", json_object_new_array());
    aws_tag_new(call, vpc);
    json_object_array_add(aws_all(call->aws, AWS_VPC), vpc);
    add_table(call, id, canonical);
    aws_xml_open(out, "vpc");
    vpc_item(call, out, vpc);
    aws_xml_close(out, "vpc");
    return 0;
}

/* Every table of the VPC gets the local route of the new block. */
static int associate_cidr(struct aws_call *call, struct sim_buf *out, struct aws_error *err)
{
    struct json_object *vpc = aws_need_param(call, AWS_VPC, "VpcId", err), *table;
    const char *v4 = aws_param(call, "CidrBlock"), *v6 = aws_param(call, "Ipv6CidrBlock");
    const char *given = v4 ? v4 : v6;
    struct sim_cidr parsed;
    char canonical[80];

    if (!vpc)
        return -1;
    if (!given)
        return aws_fail(err, 400, "MissingParameter",
                        "The request must contain the parameter cidrBlock");
    if (sim_cidr_parse(given, &parsed) || parsed.v6 != !v4)
        return aws_fail(err, 400, "InvalidVpc.Range", "The CIDR '%.64s' is invalid.", given);
    sim_cidr_text(&parsed, canonical, sizeof(canonical));
    json_object_array_add(sim_json_array(vpc, v4 ? "cidr_blocks" : "ipv6_cidr_blocks"),
                          json_object_new_string(canonical));
    SIM_JSON_EACH(table, aws_all(call->aws, AWS_ROUTE_TABLE))
    {
        struct json_object *route;

        if (strcmp(sim_json_str(table, "vpc_id"), sim_json_str(vpc, "vpc_id")) != 0)
            continue;
        route = json_object_new_object();
        sim_json_set_str(route, "destination", canonical);
        sim_json_set_str(route, "target", "local");
        sim_json_set_str(route, "origin", "CreateRouteTable");
        json_object_array_add(sim_json_array(table, "routes"), route);
    }
    aws_xml_text(out, "vpcId", sim_json_str(vpc, "vpc_id"));
    aws_xml_open(out, v4 ? "cidrBlockAssociation" : "ipv6CidrBlockAssociation");
    aws_xml_text(out, v4 ? "cidrBlock" : "ipv6CidrBlock", canonical);
    aws_xml_close(out, v4 ? "cidrBlockAssociation" : "ipv6CidrBlockAssociation");
    return 0;
}

/* ---- subnets --------------------------------------------------------------------------------- */

static void subnet_item(const struct aws_call *call, struct sim_buf *out,
                        struct json_object *subnet)
{
    aws_xml_text(out, "subnetId", sim_json_str(subnet, "subnet_id"));
    aws_xml_text(out, "state", "available");
    aws_xml_text(out, "ownerId", call->account);
    aws_xml_text(out, "vpcId", sim_json_str(subnet, "vpc_id"));
    aws_xml_text(out, "cidrBlock", sim_json_str(subnet, "cidr_block"));
    aws_xml_open(out, "ipv6CidrBlockAssociationSet");
    if (*sim_json_str(subnet, "ipv6_cidr_block")) {
        sim_buf_str(out, "<item>");
        aws_xml_text(out, "ipv6CidrBlock", sim_json_str(subnet, "ipv6_cidr_block"));
        sim_buf_str(out,
                    "<ipv6CidrBlockState><state>associated</state></ipv6CidrBlockState></item>");
    }
    aws_xml_close(out, "ipv6CidrBlockAssociationSet");
    aws_xml_text(out, "availabilityZone", sim_json_str(subnet, "availability_zone"));
    aws_xml_tags(out, subnet);
}

static bool subnet_values(const struct aws_call *call, struct json_object *subnet,
                          struct aws_filter_test *test)
{
    if (!strcmp(test->name, "subnet-id"))
        aws_offer(test, sim_json_str(subnet, "subnet_id"));
    else if (!strcmp(test->name, "vpc-id"))
        aws_offer(test, sim_json_str(subnet, "vpc_id"));
    else if (!strcmp(test->name, "availability-zone"))
        aws_offer(test, sim_json_str(subnet, "availability_zone"));
    else if (!strcmp(test->name, "cidr-block"))
        aws_offer(test, sim_json_str(subnet, "cidr_block"));
    else if (!strcmp(test->name, "owner-id"))
        aws_offer(test, call->account);
    else
        return aws_offer_tags(subnet, test);
    return true;
}

static int describe_subnets(struct aws_call *call, struct sim_buf *out, struct aws_error *err)
{
    static const struct aws_list list = {AWS_SUBNET,  "subnetSet", "SubnetId", subnet_values,
                                         subnet_item, 5,           1000};

    return aws_describe(call, &list, out, err);
}

static int create_subnet(struct aws_call *call, struct sim_buf *out, struct aws_error *err)
{
    const struct json_object *vpc = aws_need_param(call, AWS_VPC, "VpcId", err);
    const char *cidr = aws_param(call, "CidrBlock");
    const char *zone = aws_param(call, "AvailabilityZone");
    struct json_object *zones = sim_json_array(call->aws, "availability_zones"), *block, *subnet;
    struct sim_cidr inner, outer;
    bool inside = false;
    char id[AWS_ID_MAX], canonical[80];

    if (!vpc)
        return -1;
    if (sim_cidr_parse(cidr, &inner))
        return aws_fail_value(err, "cidrBlock", cidr);
    if (zone && !sim_json_has(zones, zone))
        return aws_fail_value(err, "availabilityZone", zone);
    SIM_JSON_EACH(block, sim_json_array(vpc, "cidr_blocks"))
    inside = inside || (!sim_cidr_parse(json_object_get_string(block), &outer) &&
                        sim_cidr_holds(&outer, &inner));
    if (!inside)
        return aws_fail(err, 400, "InvalidSubnet.Range", "The CIDR '%.64s' is invalid.", cidr);
    sim_cidr_text(&inner, canonical, sizeof(canonical));
    sim_world_id(call->world, "subnet", id, sizeof(id));
    subnet = json_object_new_object();
    sim_json_set_str(subnet, "subnet_id", id);
    sim_json_set_str(subnet, "vpc_id", sim_json_str(vpc, "vpc_id"));
    sim_json_set_str(subnet, "availability_zone", zone ? zone : first(zones));
    sim_json_set_str(subnet, "cidr_block", canonical);
    aws_tag_new(call, subnet);
    json_object_array_add(aws_all(call->aws, AWS_SUBNET), subnet);
    aws_xml_open(out, "subnet");
    subnet_item(call, out, subnet);
    aws_xml_close(out, "subnet");
    return 0;
}

/* ---- gateways -------------------------------------------------------------------------------- */

static void gateway_item(const struct aws_call *call, struct sim_buf *out,
                         struct json_object *gateway)
{
    const char *vpc = sim_json_str(gateway, "vpc_id");

    aws_xml_text(out, "internetGatewayId", sim_json_str(gateway, "internet_gateway_id"));
    aws_xml_text(out, "ownerId", call->account);
    aws_xml_open(out, "attachmentSet");
    if (*vpc) {
        sim_buf_str(out, "<item>");
        aws_xml_text(out, "vpcId", vpc);
        sim_buf_str(out, "<state>available</state></item>");
    }
    aws_xml_close(out, "attachmentSet");
    aws_xml_tags(out, gateway);
}

static bool gateway_values(const struct aws_call *call, struct json_object *gateway,
                           struct aws_filter_test *test)
{
    (void)call;
    if (!strcmp(test->name, "internet-gateway-id"))
        aws_offer(test, sim_json_str(gateway, "internet_gateway_id"));
    else if (!strcmp(test->name, "attachment.vpc-id"))
        aws_offer(test, sim_json_str(gateway, "vpc_id"));
    else if (!strcmp(test->name, "attachment.state"))
        aws_offer(test, *sim_json_str(gateway, "vpc_id") ? "available" : "");
    else
        return aws_offer_tags(gateway, test);
    return true;
}

static int describe_gateways(struct aws_call *call, struct sim_buf *out, struct aws_error *err)
{
    static const struct aws_list list = {
        AWS_GATEWAY, "internetGatewaySet", "InternetGatewayId", gateway_values, gateway_item, 5,
        1000};

    return aws_describe(call, &list, out, err);
}

static int create_gateway(struct aws_call *call, struct sim_buf *out, struct aws_error *err)
{
    struct json_object *gateway = json_object_new_object();
    char id[AWS_ID_MAX];

    (void)err;
    sim_world_id(call->world, "igw", id, sizeof(id));
    sim_json_set_str(gateway, "internet_gateway_id", id);
    aws_tag_new(call, gateway);
    json_object_array_add(aws_all(call->aws, AWS_GATEWAY), gateway);
    aws_xml_open(out, "internetGateway");
    gateway_item(call, out, gateway);
    aws_xml_close(out, "internetGateway");
    return 0;
}

static int attach_gateway(struct aws_call *call, struct sim_buf *out, struct aws_error *err)
{
    struct json_object *gateway = aws_need_param(call, AWS_GATEWAY, "InternetGatewayId", err);
    const struct json_object *vpc = gateway ? aws_need_param(call, AWS_VPC, "VpcId", err) : NULL;

    if (!vpc)
        return -1;
    if (*sim_json_str(gateway, "vpc_id"))
        return aws_fail(
            err, 400, "Resource.AlreadyAssociated", "resource %s is already attached to network %s",
            sim_json_str(gateway, "internet_gateway_id"), sim_json_str(gateway, "vpc_id"));
    sim_json_set_str(gateway, "vpc_id", sim_json_str(vpc, "vpc_id"));
    aws_return_true(out);
    return 0;
}

const struct aws_ec2_action aws_ec2_vpc_actions[] = {
    {"DescribeVpcs", describe_vpcs, AWS_READS,
     "VpcId.N Filter.N.Name Filter.N.Value.N MaxResults NextToken DryRun", ""},
    {"CreateVpc", create_vpc, AWS_CHANGES, "!CidrBlock InstanceTenancy TagSpecification.N.* DryRun",
     ""},
    {"AssociateVpcCidrBlock", associate_cidr, AWS_CHANGES, "!VpcId CidrBlock Ipv6CidrBlock",
     "VpcId:vpc"},
    {"DescribeSubnets", describe_subnets, AWS_READS,
     "SubnetId.N Filter.N.Name Filter.N.Value.N MaxResults NextToken DryRun", ""},
    {"CreateSubnet", create_subnet, AWS_CHANGES,
     "!VpcId !CidrBlock AvailabilityZone TagSpecification.N.* DryRun", "VpcId:vpc"},
    {"DescribeInternetGateways", describe_gateways, AWS_READS,
     "InternetGatewayId.N Filter.N.Name Filter.N.Value.N MaxResults NextToken DryRun", ""},
    {"CreateInternetGateway", create_gateway, AWS_CHANGES, "TagSpecification.N.* DryRun", ""},
    {"AttachInternetGateway", attach_gateway, AWS_CHANGES, "!InternetGatewayId !VpcId DryRun",
     "InternetGatewayId:internet-gateway VpcId:vpc"},
    {0},
};
