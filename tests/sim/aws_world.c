/* A world file's part: what must be there, what refers to what, and what is filled in. */
#include <stdio.h>
#include <string.h>
#include "aws_ec2.h"

/* The members that objects of an array may have, words; what is not here is a mistake. */
static const struct {
    const char *array, *id_key, *members;
} arrays[] = {
    {"credentials", "access_key_id",
     "access_key_id secret_access_key user policy session_token expires role session node"},
    {"roles", "name", "name account policy max_session_s trust"},
    {"vpcs", "vpc_id", "vpc_id cidr_blocks ipv6_cidr_blocks tags"},
    {"subnets", "subnet_id", "subnet_id vpc_id availability_zone cidr_block ipv6_cidr_block tags"},
    {"internet_gateways", "internet_gateway_id", "internet_gateway_id vpc_id tags"},
    {"security_groups", "group_id", "group_id vpc_id name tags"},
    {"instances", "instance_id", "instance_id state subnet_id instance_type role imds tags"},
    {"network_interfaces", "network_interface_id",
     "network_interface_id subnet_id mac private_ips ipv6 source_dest_check interface_type "
     "requester_managed description groups tags attachment"},
    {"addresses", "allocation_id",
     "allocation_id public_ip tags service_managed association_id network_interface_id "
     "private_ip"},
    {"route_tables", "route_table_id", "route_table_id vpc_id tags associations routes"},
    {"instance_types", "instance_type",
     "instance_type network_interfaces ipv4_per_interface ipv6_per_interface"},
};

static const char top_members[] =
    "region account partition availability_zones delays_ms imds_credentials_ttl_s limits "
    "credentials roles vpcs subnets internet_gateways instances network_interfaces addresses "
    "route_tables instance_types security_groups client_tokens";

/* A default that is missing is put in; the array of a list is always there afterwards. */
static void need_array(struct json_object *object, const char *key)
{
    if (!sim_json_array(object, key))
        json_object_object_add(object, key, json_object_new_array());
}

static void need_str(struct json_object *object, const char *key, const char *value)
{
    if (!sim_json_get(object, key))
        sim_json_set_str(object, key, value);
}

static void need_bool(struct json_object *object, const char *key, bool value)
{
    if (!sim_json_get(object, key))
        sim_json_set_bool(object, key, value);
}

__attribute__((format(printf, 2, 3))) static int fail(struct sim_error *err, const char *format,
                                                      ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(err->text, sizeof(err->text), format, args);
    va_end(args);
    return -1;
}

static int check_members(const struct json_object *object, const char *words, const char *where,
                         struct sim_error *err)
{
    json_object_object_foreach(object, name, value)
    {
        (void)value;
        if (!sim_words_know(words, name))
            return fail(err, "aws: %s: unknown member \"%.64s\"", where, name);
    }
    return 0;
}

static int check_array(struct json_object *aws, size_t which, struct sim_error *err)
{
    const char *array = arrays[which].array, *id_key = arrays[which].id_key;
    struct json_object *all, *object;

    if (sim_json_get(aws, array) && !sim_json_array(aws, array))
        return fail(err, "aws: %s is an array", array);
    need_array(aws, array);
    all = sim_json_array(aws, array);
    SIM_JSON_EACH(object, all)
    {
        const char *id = sim_json_str(object, id_key);

        if (!*id)
            return fail(err, "aws: %s: one has no %s", array, id_key);
        if (sim_json_find(all, id_key, id) != object)
            return fail(err, "aws: %s: %.64s is there twice", array, id);
        if (check_members(object, arrays[which].members, array, err))
            return -1;
        if (sim_json_get(object, "policy") &&
            aws_iam_check_policy(sim_json_get(object, "policy"), err))
            return -1;
    }
    return 0;
}

static int check_ids(const struct json_object *aws, struct sim_error *err)
{
    struct json_object *object;

    for (unsigned kind = 0; kind < AWS_KINDS; kind++) {
        SIM_JSON_EACH(object, aws_all(aws, (enum aws_kind)kind))
        {
            const char *id = sim_json_str(object, aws_kinds[kind].id_key);

            if (!aws_id_well_formed(id, aws_kinds[kind].prefix))
                return fail(err, "aws: %.64s is no id of %s", id, aws_kinds[kind].array);
        }
    }
    return 0;
}

/* `key` of the object names an object of that kind; it may be missing if `optional`. */
static int check_reference(const struct json_object *aws, const struct json_object *object,
                           const char *key, enum aws_kind kind, bool optional,
                           struct sim_error *err)
{
    const char *id = sim_json_str(object, key);

    if ((optional && !*id) || aws_find(aws, kind, id))
        return 0;
    return fail(err, "aws: %s \"%.64s\" is not in the world", key, id);
}

static int check_zones(struct json_object *aws, struct sim_error *err)
{
    struct json_object *subnet, *zones;
    struct sim_cidr cidr;

    need_array(aws, "availability_zones");
    zones = sim_json_array(aws, "availability_zones");
    SIM_JSON_EACH(subnet, aws_all(aws, AWS_SUBNET))
    {
        const char *zone = sim_json_str(subnet, "availability_zone");

        if (check_reference(aws, subnet, "vpc_id", AWS_VPC, false, err))
            return -1;
        if (sim_cidr_parse(sim_json_str(subnet, "cidr_block"), &cidr))
            return fail(err, "aws: subnet %s has no cidr_block", sim_json_str(subnet, "subnet_id"));
        if (!*zone)
            return fail(err, "aws: subnet %s has no availability_zone",
                        sim_json_str(subnet, "subnet_id"));
        if (!sim_json_has(zones, zone))
            json_object_array_add(zones, json_object_new_string(zone));
    }
    return 0;
}

static int check_instances(const struct json_object *aws, struct sim_error *err)
{
    struct json_object *instance;

    SIM_JSON_EACH(instance, aws_all(aws, AWS_INSTANCE))
    {
        const char *role = sim_json_str(instance, "role");

        need_str(instance, "state", "running");
        need_str(instance, "instance_type", "m5.large");
        need_str(instance, "imds", "on");
        if (check_reference(aws, instance, "subnet_id", AWS_SUBNET, false, err))
            return -1;
        if (*role && !sim_json_find(sim_json_array(aws, "roles"), "name", role))
            return fail(err, "aws: role \"%.64s\" is not in the world", role);
    }
    return 0;
}

static int check_attachment(const struct json_object *aws, struct json_object *eni,
                            struct sim_error *err)
{
    struct json_object *attachment = sim_json_get(eni, "attachment");
    const char *id = sim_json_str(eni, "network_interface_id");
    char name[AWS_ID_MAX];

    if (!attachment)
        return 0;
    snprintf(name, sizeof(name), "eni-attach%.40s", strncmp(id, "eni", 3) ? id : id + 3);
    need_str(attachment, "attachment_id", name);
    need_str(attachment, "status", "attached");
    need_bool(attachment, "delete_on_termination", false);
    if (!sim_json_get(attachment, "device_index"))
        sim_json_set_int(attachment, "device_index", 0);
    if (check_members(attachment,
                      "attachment_id instance_id device_index status delete_on_termination",
                      "attachment", err) ||
        check_reference(aws, attachment, "instance_id", AWS_INSTANCE, false, err))
        return -1;
    if (aws_instance_device(aws, sim_json_str(attachment, "instance_id"),
                            sim_json_int(attachment, "device_index", 0)) != eni)
        return fail(err, "aws: two interfaces at one device_index of %s",
                    sim_json_str(attachment, "instance_id"));
    return 0;
}

/* Addresses are kept in canonical form. */
static int check_ips(struct json_object *list, const char *owner, struct sim_error *err)
{
    char canonical[64];
    size_t len = sim_json_len(list);

    for (size_t i = 0; i < len; i++) {
        struct json_object *ip = json_object_array_get_idx(list, i);

        if (!json_object_is_type(ip, json_type_string) ||
            sim_address_canonical(json_object_get_string(ip), canonical, sizeof(canonical)))
            return fail(err, "aws: %s: not an address: %.64s", owner, json_object_get_string(ip));
        json_object_array_put_idx(list, i, json_object_new_string(canonical));
    }
    return 0;
}

static int check_enis(const struct json_object *aws, struct sim_error *err)
{
    struct json_object *eni;

    SIM_JSON_EACH(eni, aws_all(aws, AWS_ENI))
    {
        const char *id = sim_json_str(eni, "network_interface_id");

        need_array(eni, "private_ips");
        need_array(eni, "ipv6");
        need_array(eni, "groups");
        need_bool(eni, "source_dest_check", true);
        need_bool(eni, "requester_managed", false);
        need_str(eni, "interface_type", "interface");
        need_str(eni, "description", "");
        if (check_reference(aws, eni, "subnet_id", AWS_SUBNET, false, err) ||
            check_attachment(aws, eni, err) ||
            check_ips(sim_json_array(eni, "private_ips"), id, err) ||
            check_ips(sim_json_array(eni, "ipv6"), id, err))
            return -1;
        if (!*aws_eni_primary(eni) || !*sim_json_str(eni, "mac"))
            return fail(err, "aws: %s wants private_ips and mac", id);
    }
    return 0;
}

static int check_addresses(const struct json_object *aws, struct sim_error *err)
{
    struct json_object *address;

    SIM_JSON_EACH(address, aws_all(aws, AWS_ADDRESS))
    {
        const char *id = sim_json_str(address, "allocation_id");
        const char *eni = sim_json_str(address, "network_interface_id");
        char name[AWS_ID_MAX];

        if (!*sim_json_str(address, "public_ip"))
            return fail(err, "aws: %s has no public_ip", id);
        if (!*eni)
            continue;
        if (check_reference(aws, address, "network_interface_id", AWS_ENI, false, err))
            return -1;
        snprintf(name, sizeof(name), "eipassoc%.40s", strchr(id, '-'));
        need_str(address, "association_id", name);
        need_str(address, "private_ip", aws_eni_primary(aws_find(aws, AWS_ENI, eni)));
        if (!aws_eni_has_ip(aws_find(aws, AWS_ENI, eni), sim_json_str(address, "private_ip")))
            return fail(err, "aws: %s does not have the private_ip of %s", eni, id);
    }
    return 0;
}

static int check_route(struct json_object *route, const char *table, struct sim_error *err)
{
    const char *destination = sim_json_str(route, "destination");
    struct sim_cidr cidr;
    char canonical[80];

    if (!*sim_json_str(route, "target"))
        return fail(err, "aws: %s: a route has no target", table);
    need_str(route, "origin",
             strcmp(sim_json_str(route, "target"), "local") ? "CreateRoute" : "CreateRouteTable");
    if (check_members(route, "destination target origin state", table, err))
        return -1;
    if (!strncmp(destination, "pl-", 3))
        return 0;
    if (sim_cidr_parse(destination, &cidr))
        return fail(err, "aws: %s: not a destination: \"%.64s\"", table, destination);
    sim_cidr_text(&cidr, canonical, sizeof(canonical));
    sim_json_set_str(route, "destination", canonical);
    return 0;
}

static int check_tables(const struct json_object *aws, struct sim_error *err)
{
    struct json_object *table, *element;

    SIM_JSON_EACH(table, aws_all(aws, AWS_ROUTE_TABLE))
    {
        const char *id = sim_json_str(table, "route_table_id");
        unsigned number = 0;

        need_array(table, "associations");
        need_array(table, "routes");
        if (check_reference(aws, table, "vpc_id", AWS_VPC, false, err))
            return -1;
        SIM_JSON_EACH(element, sim_json_array(table, "associations"))
        {
            char name[AWS_ID_MAX];

            snprintf(name, sizeof(name), "rtbassoc-%03u%.14s", ++number,
                     strlen(id) == 21 ? id + 7 : "00000000000000");
            need_str(element, "association_id", name);
            if (check_members(element, "association_id subnet_id main", id, err) ||
                check_reference(aws, element, "subnet_id", AWS_SUBNET, true, err))
                return -1;
        }
        SIM_JSON_EACH(element, sim_json_array(table, "routes"))
        if (check_route(element, id, err))
            return -1;
    }
    return 0;
}

int aws_world_check(struct json_object *aws, struct sim_error *err)
{
    struct json_object *object;

    need_str(aws, "partition", "aws");
    if (!*sim_json_str(aws, "region") || !*sim_json_str(aws, "account"))
        return fail(err, "aws: region and account are wanted");
    if (check_members(aws, top_members, "aws", err))
        return -1;
    for (size_t i = 0; i < sizeof(arrays) / sizeof(arrays[0]); i++)
        if (check_array(aws, i, err))
            return -1;
    SIM_JSON_EACH(object, sim_json_array(aws, "credentials"))
    if (!*sim_json_str(object, "secret_access_key"))
        return fail(err, "aws: a credential has no secret_access_key");
    SIM_JSON_EACH(object, aws_all(aws, AWS_VPC))
    {
        need_array(object, "cidr_blocks");
        need_array(object, "ipv6_cidr_blocks");
    }
    SIM_JSON_EACH(object, aws_all(aws, AWS_GATEWAY))
    if (check_reference(aws, object, "vpc_id", AWS_VPC, true, err))
        return -1;
    SIM_JSON_EACH(object, aws_all(aws, AWS_GROUP))
    if (check_reference(aws, object, "vpc_id", AWS_VPC, false, err))
        return -1;
    if (check_ids(aws, err) || check_zones(aws, err) || check_instances(aws, err))
        return -1;
    return check_enis(aws, err) || check_addresses(aws, err) || check_tables(aws, err) ? -1 : 0;
}
