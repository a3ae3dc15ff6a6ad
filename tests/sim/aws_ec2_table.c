/* The life of route tables and their associations. */
#include <string.h>
#include "aws_ec2.h"

static void add_local(struct json_object *routes, struct json_object *blocks)
{
    struct json_object *block;

    SIM_JSON_EACH(block, blocks)
    {
        struct json_object *route = json_object_new_object();

        sim_json_set_str(route, "destination", json_object_get_string(block));
        sim_json_set_str(route, "target", "local");
        sim_json_set_str(route, "origin", "CreateRouteTable");
        json_object_array_add(routes, route);
    }
}

static int create_route_table(struct aws_call *call, struct sim_buf *out, struct aws_error *err)
{
    const struct json_object *vpc = aws_need_param(call, AWS_VPC, "VpcId", err);
    struct json_object *table, *routes;
    char id[AWS_ID_MAX];

    if (!vpc)
        return -1;
    sim_world_id(call->world, "rtb", id, sizeof(id));
    table = json_object_new_object();
    routes = json_object_new_array();
    sim_json_set_str(table, "route_table_id", id);
    sim_json_set_str(table, "vpc_id", sim_json_str(vpc, "vpc_id"));
    aws_tag_new(call, table);
    json_object_object_add(table, "associations", json_object_new_array());
    add_local(routes, sim_json_array(vpc, "cidr_blocks"));
    add_local(routes, sim_json_array(vpc, "ipv6_cidr_blocks"));
    json_object_object_add(table, "routes", routes);
    json_object_array_add(aws_all(call->aws, AWS_ROUTE_TABLE), table);
    aws_xml_open(out, "routeTable");
    aws_route_table_item(call, out, table);
    aws_xml_close(out, "routeTable");
    return 0;
}

static int delete_route_table(struct aws_call *call, struct sim_buf *out, struct aws_error *err)
{
    struct json_object *table = aws_need_param(call, AWS_ROUTE_TABLE, "RouteTableId", err);

    if (!table)
        return -1;
    if (sim_json_len(sim_json_array(table, "associations")))
        return aws_fail(err, 400, "DependencyViolation",
                        "The routeTable '%s' has dependencies and cannot be deleted.",
                        sim_json_str(table, "route_table_id"));
    sim_json_remove(aws_all(call->aws, AWS_ROUTE_TABLE), table);
    aws_return_true(out);
    return 0;
}

/* The association with that value of `key`, and the table that has it. */
static struct json_object *find_association(const struct aws_call *call, const char *key,
                                            const char *value, struct json_object **ret_table)
{
    struct json_object *table;

    SIM_JSON_EACH(table, aws_all(call->aws, AWS_ROUTE_TABLE))
    {
        struct json_object *found =
            sim_json_find(sim_json_array(table, "associations"), key, value);

        if (found) {
            *ret_table = table;
            return found;
        }
    }
    return NULL;
}

static int associate_route_table(struct aws_call *call, struct sim_buf *out, struct aws_error *err)
{
    struct json_object *table = aws_need_param(call, AWS_ROUTE_TABLE, "RouteTableId", err);
    const struct json_object *subnet;
    struct json_object *association, *other;
    char id[AWS_ID_MAX];

    if (!table)
        return -1;
    subnet = aws_need_param(call, AWS_SUBNET, "SubnetId", err);
    if (!subnet)
        return -1;
    if (find_association(call, "subnet_id", sim_json_str(subnet, "subnet_id"), &other))
        return aws_fail(err, 400, "Resource.AlreadyAssociated",
                        "the specified association for route table %s conflicts with an existing "
                        "association",
                        sim_json_str(table, "route_table_id"));
    sim_world_id(call->world, "rtbassoc", id, sizeof(id));
    association = json_object_new_object();
    sim_json_set_str(association, "association_id", id);
    sim_json_set_str(association, "subnet_id", sim_json_str(subnet, "subnet_id"));
    json_object_array_add(sim_json_array(table, "associations"), association);
    aws_xml_text(out, "associationId", id);
    sim_buf_str(out, "<associationState><state>associated</state></associationState>");
    return 0;
}

static int disassociate_route_table(struct aws_call *call, struct sim_buf *out,
                                    struct aws_error *err)
{
    const char *id = aws_param(call, "AssociationId");
    struct json_object *table = NULL, *association = NULL;

    association = find_association(call, "association_id", id, &table);
    if (!association)
        return aws_fail(err, 400, "InvalidAssociationID.NotFound",
                        "The association ID '%.64s' does not exist", id);
    if (sim_json_bool(association, "main", false))
        return aws_fail(err, 400, "InvalidParameterValue",
                        "cannot disassociate the main route table association %.64s", id);
    sim_json_remove(sim_json_array(table, "associations"), association);
    aws_return_true(out);
    return 0;
}

const struct aws_ec2_action aws_ec2_table_actions[] = {
    {"CreateRouteTable", create_route_table, AWS_CHANGES,
     "!VpcId ClientToken TagSpecification.N.* DryRun", "VpcId:vpc"},
    {"DeleteRouteTable", delete_route_table, AWS_CHANGES, "!RouteTableId DryRun",
     "RouteTableId:route-table"},
    {"AssociateRouteTable", associate_route_table, AWS_CHANGES,
     "!RouteTableId SubnetId GatewayId PublicIpv4Pool DryRun",
     "RouteTableId:route-table SubnetId:subnet"},
    {"DisassociateRouteTable", disassociate_route_table, AWS_CHANGES, "!AssociationId DryRun", ""},
    {0},
};
