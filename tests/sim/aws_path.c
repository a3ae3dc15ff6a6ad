/* Where the AWS half sends packets: routes, private addresses, Elastic IPs. */
#include <string.h>
#include "aws_ec2.h"

static const char *first(const struct json_object *eni, const char *key)
{
    struct json_object *array = sim_json_array(eni, key);

    return sim_json_len(array) ? json_object_get_string(json_object_array_get_idx(array, 0)) : "";
}

/* Who gets what is sent to the interface; NULL: nobody, it is not on an instance that runs. */
static const struct sim_hop *hop(const struct json_object *aws, const struct json_object *eni,
                                 struct sim_hop *ret_hop)
{
    const struct json_object *attachment = eni ? aws_eni_attachment(eni) : NULL;
    const char *id = sim_json_str(attachment, "instance_id");
    const struct json_object *instance = aws_find(aws, AWS_INSTANCE, id);

    if (!instance || strcmp(sim_json_str(attachment, "status"), "attached") != 0 ||
        strcmp(sim_json_str(instance, "state"), "running") != 0)
        return NULL;
    *ret_hop = (struct sim_hop){
        .eni = sim_json_str(eni, "network_interface_id"),
        .instance = id,
        .v4 = aws_eni_primary(eni),
        .v6 = first(eni, "ipv6"),
    };
    return ret_hop;
}

static void routes(const struct json_object *aws, const struct json_object *table,
                   struct sim_paths *paths)
{
    struct json_object *route;
    struct sim_hop one;

    SIM_JSON_EACH(route, sim_json_array(table, "routes"))
    {
        const char *target = sim_json_str(route, "target");

        /* The VPC itself and gateways out of it: the router's own routes. */
        if (strncmp(target, "eni-", 4) != 0)
            continue;
        sim_paths_add(paths, sim_json_str(table, "route_table_id"),
                      sim_json_str(route, "destination"),
                      hop(aws, aws_find(aws, AWS_ENI, target), &one));
    }
}

static void subnets(const struct json_object *aws, const struct json_object *table,
                    struct sim_paths *paths)
{
    const char *id = sim_json_str(table, "route_table_id");
    struct json_object *association, *subnet;
    bool v6 = false;

    SIM_JSON_EACH(subnet, aws_all(aws, AWS_SUBNET))
    v6 = v6 || *sim_json_str(subnet, "ipv6_cidr_block");
    SIM_JSON_EACH(association, sim_json_array(table, "associations"))
    {
        if (sim_json_bool(association, "main", false)) {
            sim_paths_source(paths, "0.0.0.0/0", id);
            if (v6)
                sim_paths_source(paths, "::/0", id);
            continue;
        }
        subnet = aws_find(aws, AWS_SUBNET, sim_json_str(association, "subnet_id"));
        sim_paths_source(paths, sim_json_str(subnet, "cidr_block"), id);
        sim_paths_source(paths, sim_json_str(subnet, "ipv6_cidr_block"), id);
    }
}

void aws_paths(const struct json_object *aws, struct sim_paths *paths)
{
    static const char *const kinds[] = {"private_ips", "ipv6"};
    struct json_object *object, *address;
    struct sim_hop one;

    SIM_JSON_EACH(object, aws_all(aws, AWS_ROUTE_TABLE))
    {
        routes(aws, object, paths);
        subnets(aws, object, paths);
    }
    SIM_JSON_EACH(object, aws_all(aws, AWS_ADDRESS))
    {
        const char *eni = sim_json_str(object, "network_interface_id");

        sim_paths_add(paths, "", sim_json_str(object, "public_ip"),
                      hop(aws, aws_find(aws, AWS_ENI, eni), &one));
    }
    SIM_JSON_EACH(object, aws_all(aws, AWS_ENI))
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        SIM_JSON_EACH(address, sim_json_array(object, kinds[i]))
    sim_paths_add(paths, "", json_object_get_string(address), hop(aws, object, &one));
}
