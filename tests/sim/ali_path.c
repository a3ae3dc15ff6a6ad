/* Where the Alibaba half sends packets: route entries, private addresses, EIPs, HAVIPs. */
#include <string.h>
#include "ali.h"

static const char *first(const struct json_object *eni, const char *key)
{
    struct json_object *array = sim_json_array(eni, key);

    return sim_json_len(array) ? json_object_get_string(json_object_array_get_idx(array, 0)) : "";
}

static bool runs(const struct json_object *ali, const char *instance)
{
    return ali_is(ali_find(ali, ALI_INSTANCE, instance), "status", "Running");
}

/* Who gets what is sent to an interface, an instance or an HAVIP; NULL: nobody. */
static const struct sim_hop *hop(const struct json_object *ali, const char *id,
                                 struct sim_hop *ret_hop)
{
    const struct json_object *havip = ali_find(ali, ALI_HAVIP, id), *eni;
    const char *holder = havip ? sim_json_str(havip, "master") : id, *instance;

    eni = ali_find(ali, ALI_ENI, holder);
    instance = eni ? sim_json_str(eni, "instance_id") : holder;
    if (!runs(ali, instance))
        return NULL;
    *ret_hop = (struct sim_hop){.eni = eni ? holder : "", .instance = instance};
    if (!eni)
        eni = ali_instance_primary(ali, instance);
    ret_hop->v4 = eni ? ali_eni_primary(eni) : "";
    ret_hop->v6 = eni ? first(eni, "ipv6") : "";
    return ret_hop;
}

/* Of several next hops the first: the data plane does not share out. */
static const char *next_hop_id(const struct json_object *route)
{
    struct json_object *hops = sim_json_array(route, "next_hops");

    return sim_json_len(hops) ? sim_json_str(json_object_array_get_idx(hops, 0), "id")
                              : sim_json_str(route, "next_hop_id");
}

static void routes(const struct json_object *ali, const struct json_object *table,
                   struct sim_paths *paths)
{
    static const char *const nodes[] = {"Instance", "NetworkInterface", "HaVip"};
    struct json_object *route;
    struct sim_hop one;

    SIM_JSON_EACH(route, sim_json_array(table, "routes"))
    {
        const char *id = next_hop_id(route);
        bool node = false;

        for (size_t i = 0; i < sizeof(nodes) / sizeof(nodes[0]); i++)
            node = node || !strcmp(ali_hop_type(id), nodes[i]);
        /* Others lead out of the VPC; an entry has no effect before it is Available. */
        if (!node || ali_is(route, "status", "Pending"))
            continue;
        sim_paths_add(paths, sim_json_str(table, "route_table_id"),
                      sim_json_str(route, "destination"), hop(ali, id, &one));
    }
}

static void vswitches(const struct json_object *ali, const struct json_object *table,
                      struct sim_paths *paths)
{
    const char *id = sim_json_str(table, "route_table_id");
    struct json_object *element, *vswitch;

    SIM_JSON_EACH(element, sim_json_array(table, "vswitch_ids"))
    {
        vswitch = ali_find(ali, ALI_VSWITCH, json_object_get_string(element));
        sim_paths_source(paths, sim_json_str(vswitch, "cidr_block"), id);
        sim_paths_source(paths, sim_json_str(vswitch, "ipv6_cidr_block"), id);
        if (ali_is(table, "type", "System") && *sim_json_str(vswitch, "ipv6_cidr_block"))
            sim_paths_source(paths, "::/0", id);
    }
    if (ali_is(table, "type", "System"))
        sim_paths_source(paths, "0.0.0.0/0", id);
}

static void eip(const struct json_object *ali, const struct json_object *object,
                struct sim_paths *paths)
{
    static const char *const nodes[] = {"EcsInstance", "NetworkInterface", "HaVip"};
    const char *address = sim_json_str(object, "ip_address");
    struct sim_hop one;

    if (!ali_is(object, "status", "InUse")) {
        sim_paths_add(paths, "", address, NULL);
        return;
    }
    for (size_t i = 0; i < sizeof(nodes) / sizeof(nodes[0]); i++)
        if (ali_is(object, "instance_type", nodes[i]))
            sim_paths_add(paths, "", address, hop(ali, sim_json_str(object, "instance_id"), &one));
}

void ali_paths(const struct json_object *ali, struct sim_paths *paths)
{
    static const char *const kinds[] = {"private_ips", "ipv6"};
    struct json_object *object, *address;
    struct sim_hop one;

    SIM_JSON_EACH(object, ali_all(ali, ALI_TABLE))
    {
        routes(ali, object, paths);
        vswitches(ali, object, paths);
    }
    SIM_JSON_EACH(object, ali_all(ali, ALI_EIP))
    eip(ali, object, paths);
    SIM_JSON_EACH(object, ali_all(ali, ALI_HAVIP))
    sim_paths_add(paths, "", sim_json_str(object, "ip_address"),
                  hop(ali, sim_json_str(object, "havip_id"), &one));
    SIM_JSON_EACH(object, ali_all(ali, ALI_ENI))
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        SIM_JSON_EACH(address, sim_json_array(object, kinds[i]))
    sim_paths_add(paths, "", json_object_get_string(address),
                  hop(ali, sim_json_str(object, "network_interface_id"), &one));
}
