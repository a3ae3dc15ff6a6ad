/* A world file's part: what must be there, what refers to what, and what is filled in. */
#include <stdio.h>
#include <string.h>
#include "ali.h"

/* The members that objects of an array may have, words; what is not here is a mistake. */
static const struct {
    const char *array, *id_key, *members;
} arrays[] = {
    {"credentials", "access_key_id",
     "access_key_id access_key_secret user policy security_token expires role session node"},
    {"roles", "name", "name policy max_session_s trust"},
    {"vpcs", "vpc_id", "vpc_id cidr_block secondary_cidr_blocks ipv6_cidr_block name tags"},
    {"vswitches", "vswitch_id", "vswitch_id vpc_id zone_id cidr_block ipv6_cidr_block name tags"},
    {"ipv4_gateways", "ipv4_gateway_id", "ipv4_gateway_id vpc_id enabled status"},
    {"security_groups", "security_group_id", "security_group_id vpc_id name tags"},
    {"instances", "instance_id",
     "instance_id status vswitch_id instance_type role imds guest network_type io_optimized "
     "charge_type expired_time internet_charge_type bandwidth_out lock_reason public_ip name tags "
     "task"},
    {"instance_types", "instance_type",
     "instance_type eni_quantity private_ips_per_eni ipv6_per_eni queues_per_eni"},
    {"network_interfaces", "network_interface_id",
     "network_interface_id vswitch_id mac private_ips ipv6 type status instance_id "
     "security_group_ids source_dest_check queue_number delete_on_release service_managed name "
     "description tags task"},
    {"eips", "allocation_id",
     "allocation_id ip_address status instance_id instance_type mode private_ip charge_type "
     "business_status lock_reason service_managed bandwidth name description tags task"},
    {"havips", "havip_id",
     "havip_id ip_address vswitch_id status instance_type instances master name description tags "
     "task"},
    {"route_tables", "route_table_id",
     "route_table_id vpc_id type associate_type vswitch_ids status name tags routes"},
    {"nat_gateways", "nat_gateway_id",
     "nat_gateway_id vpc_id vswitch_id status snat_table_id name"},
    {"snat_entries", "snat_entry_id",
     "snat_entry_id snat_table_id snat_ip source_vswitch_id source_cidr status name task"},
};

static const char top_members[] =
    "region_id account_id zones delays_ms imds_credentials_ttl_s limits havip_limits "
    "modify_route_entry credentials roles vpcs vswitches ipv4_gateways security_groups instances "
    "instance_types network_interfaces eips havips route_tables nat_gateways snat_entries";

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
    if (!json_object_is_type(object, json_type_object))
        return object ? fail(err, "aliyun: %s: an object is wanted", where) : 0;
    json_object_object_foreach(object, name, value)
    {
        (void)value;
        if (!sim_words_know(words, name))
            return fail(err, "aliyun: %s: unknown member \"%.64s\"", where, name);
    }
    return 0;
}

static int check_array(struct json_object *ali, size_t which, struct sim_error *err)
{
    const char *array = arrays[which].array, *id_key = arrays[which].id_key;
    struct json_object *all, *object;

    if (sim_json_get(ali, array) && !sim_json_array(ali, array))
        return fail(err, "aliyun: %s is an array", array);
    need_array(ali, array);
    all = sim_json_array(ali, array);
    SIM_JSON_EACH(object, all)
    {
        const char *id = sim_json_str(object, id_key);

        if (!*id)
            return fail(err, "aliyun: %s: one has no %s", array, id_key);
        if (sim_json_find(all, id_key, id) != object)
            return fail(err, "aliyun: %s: %.64s is there twice", array, id);
        if (check_members(object, arrays[which].members, array, err))
            return -1;
        if (sim_json_get(object, "policy") && ali_ram_check(sim_json_get(object, "policy"), err))
            return -1;
        ali_settle(object); /* whatever was to end a state between is not in the file */
    }
    return 0;
}

static bool id_well_formed(const char *id, const char *prefix)
{
    size_t len = strlen(prefix);

    return !strncmp(id, prefix, len) && id[len] == '-' && id[len + 1] && strlen(id) < ALI_ID_MAX &&
           !id[strspn(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-")];
}

static int check_ids(const struct json_object *ali, struct sim_error *err)
{
    struct json_object *object;

    for (unsigned kind = 0; kind < ALI_KINDS; kind++) {
        SIM_JSON_EACH(object, ali_all(ali, (enum ali_kind)kind))
        {
            const char *id = sim_json_str(object, ali_kinds[kind].id_key);

            if (!id_well_formed(id, ali_kinds[kind].prefix))
                return fail(err, "aliyun: %.64s is no id of %s", id, ali_kinds[kind].array);
        }
    }
    return 0;
}

/* `key` of the object names an object of that kind; it may be missing if `optional`. */
static int check_reference(const struct json_object *ali, const struct json_object *object,
                           const char *key, enum ali_kind kind, bool optional,
                           struct sim_error *err)
{
    const char *id = sim_json_str(object, key);

    if ((optional && !*id) || ali_find(ali, kind, id))
        return 0;
    return fail(err, "aliyun: %s \"%.64s\" is not in the world", key, id);
}

/* All objects of a kind refer to one of another. */
static int check_references(const struct json_object *ali, enum ali_kind kind, const char *key,
                            enum ali_kind to, bool optional, struct sim_error *err)
{
    struct json_object *object;

    SIM_JSON_EACH(object, ali_all(ali, kind))
    if (check_reference(ali, object, key, to, optional, err))
        return -1;
    return 0;
}

static int check_net(struct json_object *ali, struct sim_error *err)
{
    struct json_object *object, *zones;
    struct sim_cidr cidr;

    need_array(ali, "zones");
    zones = sim_json_array(ali, "zones");
    SIM_JSON_EACH(object, ali_all(ali, ALI_VPC))
    {
        need_array(object, "secondary_cidr_blocks");
        if (sim_cidr_parse(sim_json_str(object, "cidr_block"), &cidr))
            return fail(err, "aliyun: %s has no cidr_block", sim_json_str(object, "vpc_id"));
    }
    SIM_JSON_EACH(object, ali_all(ali, ALI_VSWITCH))
    {
        const char *zone = sim_json_str(object, "zone_id");

        if (sim_cidr_parse(sim_json_str(object, "cidr_block"), &cidr) || !*zone)
            return fail(err, "aliyun: %s wants cidr_block and zone_id",
                        sim_json_str(object, "vswitch_id"));
        if (!sim_json_has(zones, zone))
            json_object_array_add(zones, json_object_new_string(zone));
    }
    SIM_JSON_EACH(object, ali_all(ali, ALI_GATEWAY))
    {
        need_bool(object, "enabled", true);
        need_str(object, "status", "Created");
    }
    if (check_references(ali, ALI_VSWITCH, "vpc_id", ALI_VPC, false, err) ||
        check_references(ali, ALI_GATEWAY, "vpc_id", ALI_VPC, false, err) ||
        check_references(ali, ALI_GROUP, "vpc_id", ALI_VPC, false, err))
        return -1;
    return 0;
}

static int check_instances(const struct json_object *ali, struct sim_error *err)
{
    struct json_object *instance;

    SIM_JSON_EACH(instance, ali_all(ali, ALI_INSTANCE))
    {
        const char *role = sim_json_str(instance, "role");

        need_str(instance, "status", "Running");
        need_str(instance, "instance_type", "ecs.g6.large");
        need_str(instance, "imds", "on");
        need_str(instance, "guest", "ok");
        need_str(instance, "network_type", "vpc");
        need_str(instance, "charge_type", "PostPaid");
        need_bool(instance, "io_optimized", true);
        if (*role && !sim_json_find(sim_json_array(ali, "roles"), "name", role))
            return fail(err, "aliyun: role \"%.64s\" is not in the world", role);
    }
    return check_references(ali, ALI_INSTANCE, "vswitch_id", ALI_VSWITCH, false, err);
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
            return fail(err, "aliyun: %s: not an address: %.64s", owner,
                        json_object_get_string(ip));
        json_object_array_put_idx(list, i, json_object_new_string(canonical));
    }
    return 0;
}

static int check_enis(const struct json_object *ali, struct sim_error *err)
{
    struct json_object *eni;

    SIM_JSON_EACH(eni, ali_all(ali, ALI_ENI))
    {
        const char *id = sim_json_str(eni, "network_interface_id");

        need_array(eni, "private_ips");
        need_array(eni, "ipv6");
        need_array(eni, "security_group_ids");
        need_bool(eni, "source_dest_check", false);
        need_bool(eni, "delete_on_release", true);
        need_bool(eni, "service_managed", false);
        need_str(eni, "type", "Secondary");
        need_str(eni, "status", *sim_json_str(eni, "instance_id") ? "InUse" : "Available");
        if (check_ips(sim_json_array(eni, "private_ips"), id, err) ||
            check_ips(sim_json_array(eni, "ipv6"), id, err))
            return -1;
        if (!*ali_eni_primary(eni) || !*sim_json_str(eni, "mac"))
            return fail(err, "aliyun: %s wants private_ips and mac", id);
        if (ali_is(eni, "type", "Primary") &&
            ali_instance_primary(ali, sim_json_str(eni, "instance_id")) != eni)
            return fail(err, "aliyun: %s: two primary interfaces",
                        sim_json_str(eni, "instance_id"));
    }
    if (check_references(ali, ALI_ENI, "vswitch_id", ALI_VSWITCH, false, err))
        return -1;
    return check_references(ali, ALI_ENI, "instance_id", ALI_INSTANCE, true, err);
}

static int check_eip(const struct json_object *ali, struct json_object *eip, struct sim_error *err)
{
    const char *id = sim_json_str(eip, "allocation_id"), *target = sim_json_str(eip, "instance_id");
    const struct json_object *eni = ali_find(ali, ALI_ENI, target);

    need_str(eip, "charge_type", "PostPaid");
    need_str(eip, "business_status", "Normal");
    need_str(eip, "bandwidth", "5");
    need_bool(eip, "service_managed", false);
    need_str(eip, "status", *target ? "InUse" : "Available");
    if (!*sim_json_str(eip, "ip_address"))
        return fail(err, "aliyun: %s has no ip_address", id);
    if (!*target)
        return 0;
    need_str(eip, "mode", "NAT");
    need_str(eip, "instance_type", eni ? "NetworkInterface" : "EcsInstance");
    if (ali_is(eip, "instance_type", "EcsInstance"))
        eni = ali_instance_primary(ali, target);
    if (ali_is(eip, "instance_type", "NetworkInterface") ||
        ali_is(eip, "instance_type", "EcsInstance")) {
        if (!eni)
            return fail(err, "aliyun: instance_id \"%.64s\" of %s is not in the world", target, id);
        need_str(eip, "private_ip", ali_eni_primary(eni));
        if (!ali_eni_has_ip(eni, sim_json_str(eip, "private_ip")))
            return fail(err, "aliyun: %s does not have the private_ip of %s", target, id);
    }
    return 0;
}

static int check_havip(const struct json_object *ali, struct json_object *havip,
                       struct sim_error *err)
{
    struct json_object *instances, *one;
    const char *id = sim_json_str(havip, "havip_id"), *type = "";

    need_array(havip, "instances");
    instances = sim_json_array(havip, "instances");
    SIM_JSON_EACH(one, instances)
    {
        const char *node = json_object_get_string(one);

        type = ali_find(ali, ALI_ENI, node) ? "NetworkInterface" : "EcsInstance";
        if (!ali_find(ali, ALI_ENI, node) && !ali_find(ali, ALI_INSTANCE, node))
            return fail(err, "aliyun: %s: \"%.64s\" is not in the world", id, node);
    }
    need_str(havip, "instance_type", type);
    need_str(havip, "master", "");
    need_str(havip, "status", sim_json_len(instances) ? "InUse" : "Available");
    if (*sim_json_str(havip, "master") && !sim_json_has(instances, sim_json_str(havip, "master")))
        return fail(err, "aliyun: %s: its master is not bound", id);
    return *sim_json_str(havip, "ip_address") ? 0 : fail(err, "aliyun: %s: no ip_address", id);
}

static int check_route(struct json_object *route, const char *table, unsigned number,
                       struct sim_error *err)
{
    struct sim_cidr cidr;
    char canonical[80], id[128];

    snprintf(id, sizeof(id), "rte-%.40s-%u", strchr(table, '-') ? strchr(table, '-') + 1 : table,
             number);
    need_str(route, "route_entry_id", id);
    need_str(route, "status", "Available");
    need_str(route, "type", "Custom");
    need_str(route, "name", "");
    need_str(route, "description", "");
    ali_settle(route);
    if (!sim_json_array(route, "next_hops"))
        need_str(route, "next_hop_type", ali_hop_type(sim_json_str(route, "next_hop_id")));
    if (check_members(route,
                      "route_entry_id destination next_hop_type next_hop_id next_hops type status "
                      "name description",
                      table, err))
        return -1;
    if (sim_cidr_parse(sim_json_str(route, "destination"), &cidr))
        return fail(err, "aliyun: %s: not a destination: \"%.64s\"", table,
                    sim_json_str(route, "destination"));
    sim_cidr_text(&cidr, canonical, sizeof(canonical));
    sim_json_set_str(route, "destination", canonical);
    return 0;
}

static int check_tables(const struct json_object *ali, struct sim_error *err)
{
    struct json_object *all = ali_all(ali, ALI_TABLE), *table, *route;

    SIM_JSON_EACH(table, all)
    {
        const char *id = sim_json_str(table, "route_table_id");
        bool first = sim_json_find(all, "vpc_id", sim_json_str(table, "vpc_id")) == table;
        unsigned number = 0;

        need_array(table, "routes");
        need_array(table, "vswitch_ids");
        need_str(table, "type", first ? "System" : "Custom");
        need_str(table, "associate_type", "VSwitch");
        need_str(table, "status", "Available");
        SIM_JSON_EACH(route, sim_json_array(table, "routes"))
        if (check_route(route, id, ++number, err))
            return -1;
    }
    return check_references(ali, ALI_TABLE, "vpc_id", ALI_VPC, false, err);
}

static int check_rest(const struct json_object *ali, struct sim_error *err)
{
    struct json_object *object;

    SIM_JSON_EACH(object, ali_all(ali, ALI_EIP))
    if (check_eip(ali, object, err))
        return -1;
    SIM_JSON_EACH(object, ali_all(ali, ALI_HAVIP))
    if (check_havip(ali, object, err))
        return -1;
    SIM_JSON_EACH(object, ali_all(ali, ALI_NAT))
    {
        need_str(object, "status", "Available");
        need_str(object, "snat_table_id", "");
    }
    SIM_JSON_EACH(object, ali_all(ali, ALI_SNAT))
    need_str(object, "status", "Available");
    if (check_references(ali, ALI_HAVIP, "vswitch_id", ALI_VSWITCH, false, err))
        return -1;
    return check_references(ali, ALI_NAT, "vpc_id", ALI_VPC, false, err);
}

int ali_world_check(struct json_object *ali, struct sim_error *err)
{
    struct json_object *object;

    if (!*sim_json_str(ali, "region_id") || !*sim_json_str(ali, "account_id"))
        return fail(err, "aliyun: region_id and account_id are wanted");
    need_str(ali, "modify_route_entry", "full");
    if (!ali_in_list("full,name-only,ignored,absent", sim_json_str(ali, "modify_route_entry")))
        return fail(err, "aliyun: modify_route_entry is full, name-only, ignored or absent");
    if (check_members(ali, top_members, "aliyun", err) ||
        check_members(sim_json_get(ali, "delays_ms"), "eip havip route eni instance snat",
                      "delays_ms", err))
        return -1;
    for (size_t i = 0; i < sizeof(arrays) / sizeof(arrays[0]); i++)
        if (check_array(ali, i, err))
            return -1;
    SIM_JSON_EACH(object, sim_json_array(ali, "credentials"))
    if (!*sim_json_str(object, "access_key_secret"))
        return fail(err, "aliyun: a credential has no access_key_secret");
    if (check_ids(ali, err) || check_net(ali, err) || check_instances(ali, err) ||
        check_enis(ali, err) || check_tables(ali, err) || check_rest(ali, err))
        return -1;
    ali_tokens_forget();
    return 0;
}
