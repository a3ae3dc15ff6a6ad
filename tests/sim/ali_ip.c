/* Private addresses: whose they are, which are idle, and how an interface gets and loses them. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "ali.h"

#define SECONDARY_MAX 49 /* of an interface that is not attached */

const char *ali_vswitch_vpc(const struct json_object *ali, const char *vswitch_id)
{
    return sim_json_str(ali_find(ali, ALI_VSWITCH, vswitch_id), "vpc_id");
}

const char *ali_vswitch_zone(const struct json_object *ali, const char *vswitch_id)
{
    return sim_json_str(ali_find(ali, ALI_VSWITCH, vswitch_id), "zone_id");
}

struct json_object *ali_ip_holder(const struct json_object *ali, const char *vpc_id, const char *ip)
{
    struct json_object *object;

    SIM_JSON_EACH(object, ali_all(ali, ALI_ENI))
    if (ali_eni_has_ip(object, ip) &&
        !strcmp(ali_vswitch_vpc(ali, sim_json_str(object, "vswitch_id")), vpc_id))
        return object;
    SIM_JSON_EACH(object, ali_all(ali, ALI_HAVIP))
    if (ali_is(object, "ip_address", ip) &&
        !strcmp(ali_vswitch_vpc(ali, sim_json_str(object, "vswitch_id")), vpc_id))
        return object;
    return NULL;
}

/* The first address of the block, and how many it has. */
static int range(const struct json_object *vswitch, uint32_t *ret_first, uint32_t *ret_count)
{
    struct sim_cidr cidr;

    if (sim_cidr_parse(sim_json_str(vswitch, "cidr_block"), &cidr) || cidr.v6 || cidr.bits > 29 ||
        !cidr.bits)
        return -1;
    *ret_first = (uint32_t)cidr.bytes[0] << 24 | (uint32_t)cidr.bytes[1] << 16 |
                 (uint32_t)cidr.bytes[2] << 8 | cidr.bytes[3];
    *ret_count = 1u << (32 - cidr.bits);
    return 0;
}

/* Inside the vSwitch, and none that the cloud keeps for itself: the first, and the last three. */
static bool in_range(const struct json_object *vswitch, const char *ip)
{
    uint32_t first, count, own;
    struct in_addr address;

    if (sim_is_v6(ip))
        return sim_cidr_has_address(sim_json_str(vswitch, "ipv6_cidr_block"), ip);
    if (inet_pton(AF_INET, ip, &address) != 1 || range(vswitch, &first, &count))
        return false;
    own = ntohl(address.s_addr);
    return own > first && own < first + count - 3;
}

int ali_ip_usable(const struct ali_call *call, const struct json_object *vswitch, const char *ip,
                  struct ali_error *err)
{
    if (!in_range(vswitch, ip))
        return ali_fail(err, 400, "InvalidIPAddress.Malformed",
                        "The specified IP address %.64s is not usable in the vSwitch.", ip);
    if (ali_ip_holder(call->ali, sim_json_str(vswitch, "vpc_id"), ip))
        return ali_fail(err, 400, "InvalidIp.IpAssigned",
                        "The specified IP address %.64s is already assigned.", ip);
    return 0;
}

int ali_ip_pick(const struct json_object *ali, const struct json_object *vswitch, char *ret_ip,
                size_t size)
{
    uint32_t first, count;
    char text[INET_ADDRSTRLEN];

    if (range(vswitch, &first, &count))
        return -1;
    for (uint32_t i = count - 4; i > 0; i--) {
        struct in_addr address = {.s_addr = htonl(first + i)};

        inet_ntop(AF_INET, &address, text, sizeof(text));
        if (!ali_ip_holder(ali, sim_json_str(vswitch, "vpc_id"), text)) {
            snprintf(ret_ip, size, "%s", text);
            return 0;
        }
    }
    return -1;
}

/* ---- actions --------------------------------------------------------------------------------- */

static struct json_object *need_eni(const struct ali_call *call, struct ali_error *err)
{
    struct json_object *eni = ali_need(call, ALI_ENI, "NetworkInterfaceId", err);

    if (eni && !ali_in_state(eni, "Available InUse")) {
        ali_fail(err, 403, "InvalidOperation.InvalidEniState",
                 "The operation is not allowed in the current status of the network interface: "
                 "%.32s.",
                 sim_json_str(eni, "status"));
        return NULL;
    }
    return eni;
}

static int64_t most(const struct ali_call *call, const struct json_object *eni, const char *key)
{
    const struct json_object *instance =
        ali_find(call->ali, ALI_INSTANCE, sim_json_str(eni, "instance_id"));

    return instance ? ali_type_limit(call->ali, sim_json_str(instance, "instance_type"), key)
                    : SECONDARY_MAX + 1;
}

static int collect_v4(struct ali_call *call, const struct json_object *eni, struct json_object *ips,
                      struct ali_error *err)
{
    const struct json_object *vswitch =
        ali_find(call->ali, ALI_VSWITCH, sim_json_str(eni, "vswitch_id"));
    long count = strtol(ali_text(call, "SecondaryPrivateIpAddressCount"), NULL, 10);
    const char *ip;

    if (!ali_param_at(call, "PrivateIpAddress", 1) && (count < 1 || count > SECONDARY_MAX))
        return ali_fail(err, 400, "MissingParameter",
                        "PrivateIpAddress or SecondaryPrivateIpAddressCount must be given.");
    for (size_t i = 1; (ip = ali_param_at(call, "PrivateIpAddress", i)); i++) {
        if (ali_ip_usable(call, vswitch, ip, err))
            return -1;
        json_object_array_add(ips, json_object_new_string(ip));
    }
    return (int64_t)(sim_json_len(sim_json_array(eni, "private_ips")) + sim_json_len(ips)) + count >
                   most(call, eni, "private_ips_per_eni")
               ? ali_fail(err, 400, "InvalidOperation.Ipv4CountExceeded",
                          "The number of private addresses of the network interface exceeds the "
                          "limit.")
               : 0;
}

static int assign_v4(struct ali_call *call, struct json_object *out, struct ali_error *err)
{
    struct json_object *eni = need_eni(call, err), *ip, *set;
    SIM_AUTO_JSON *ips = json_object_new_array();
    long count = strtol(ali_text(call, "SecondaryPrivateIpAddressCount"), NULL, 10);

    if (!eni || collect_v4(call, eni, ips, err))
        return -1;
    SIM_JSON_EACH(ip, ips)
    json_object_array_add(sim_json_array(eni, "private_ips"), json_object_get(ip));
    while (count-- > 0) {
        const struct json_object *vswitch =
            ali_find(call->ali, ALI_VSWITCH, sim_json_str(eni, "vswitch_id"));
        char picked[64];

        if (ali_ip_pick(call->ali, vswitch, picked, sizeof(picked)))
            break;
        ip = json_object_new_string(picked);
        json_object_array_add(ips, json_object_get(ip));
        json_object_array_add(sim_json_array(eni, "private_ips"), ip);
    }
    set = json_object_new_object();
    sim_json_set_str(set, "NetworkInterfaceId", sim_json_str(eni, "network_interface_id"));
    json_object_object_add(set, "PrivateIpSet", ali_wrap("PrivateIpAddress", ips));
    json_object_object_add(set, "Ipv4PrefixSet", ali_wrap("Ipv4Prefixes", NULL));
    json_object_object_add(out, "AssignedPrivateIpAddressesSet", set);
    return 0;
}

static int unassign_v4(struct ali_call *call, struct json_object *out, struct ali_error *err)
{
    struct json_object *eni = need_eni(call, err);
    const char *ip;

    (void)out;
    if (!eni)
        return -1;
    for (size_t i = 1; (ip = ali_param_at(call, "PrivateIpAddress", i)); i++) {
        if (!ali_eni_has_ip(eni, ip))
            return ali_fail(err, 404, "InvalidIp.NotFound",
                            "The address %.64s is not on the network interface.", ip);
        if (!strcmp(ip, ali_eni_primary(eni)))
            return ali_fail(err, 400, "InvalidOperation.PrimaryIpNotAllowed",
                            "The primary address cannot be unassigned.");
        if (ali_eip_on(call->ali, eni, ip))
            return ali_fail(err, 400, "InvalidOperation.IpHasEip",
                            "An EIP is bound to the address %.64s.", ip);
    }
    for (size_t i = 1; (ip = ali_param_at(call, "PrivateIpAddress", i)); i++)
        sim_json_remove_text(sim_json_array(eni, "private_ips"), ip);
    return 0;
}

static int assign_v6(struct ali_call *call, struct json_object *out, struct ali_error *err)
{
    struct json_object *eni = need_eni(call, err);
    const struct json_object *vswitch =
        ali_find(call->ali, ALI_VSWITCH, sim_json_str(eni, "vswitch_id"));
    SIM_AUTO_JSON *ips = json_object_new_array();
    struct json_object *ip;
    const char *given;
    char text[64];

    if (!eni)
        return -1;
    for (size_t i = 1; (given = ali_param_at(call, "Ipv6Address", i)); i++) {
        if (sim_address_canonical(given, text, sizeof(text)))
            return ali_fail_value(err, "Ipv6Address", given);
        if (ali_ip_usable(call, vswitch, text, err))
            return -1;
        json_object_array_add(ips, json_object_new_string(text));
    }
    if (!sim_json_len(ips))
        return ali_fail(err, 400, "MissingParameter", "Ipv6Address must be given.");
    if ((int64_t)(sim_json_len(sim_json_array(eni, "ipv6")) + sim_json_len(ips)) >
        most(call, eni, "ipv6_per_eni"))
        return ali_fail(err, 400, "InvalidOperation.Ipv6CountExceeded",
                        "The number of IPv6 addresses of the network interface exceeds the limit.");
    SIM_JSON_EACH(ip, ips)
    json_object_array_add(sim_json_array(eni, "ipv6"), json_object_get(ip));
    sim_json_set_str(out, "NetworkInterfaceId", sim_json_str(eni, "network_interface_id"));
    json_object_object_add(out, "Ipv6Sets", ali_wrap("Ipv6Address", ips));
    return 0;
}

static int unassign_v6(struct ali_call *call, struct json_object *out, struct ali_error *err)
{
    struct json_object *eni = need_eni(call, err);
    const char *given;
    char text[64];

    (void)out;
    if (!eni)
        return -1;
    for (size_t i = 1; (given = ali_param_at(call, "Ipv6Address", i)); i++)
        if (sim_address_canonical(given, text, sizeof(text)) || !ali_eni_has_ip(eni, text))
            return ali_fail(err, 404, "InvalidIp.NotFound",
                            "The address %.64s is not on the network interface.", given);
    for (size_t i = 1; (given = ali_param_at(call, "Ipv6Address", i)); i++) {
        (void)sim_address_canonical(given, text, sizeof(text));
        sim_json_remove_text(sim_json_array(eni, "ipv6"), text);
    }
    return 0;
}

static int can_allocate(struct ali_call *call, struct json_object *out, struct ali_error *err)
{
    const struct json_object *vswitch = ali_need(call, ALI_VSWITCH, "VSwitchId", err);
    struct ali_error why;

    if (!vswitch)
        return -1;
    sim_json_set_bool(out, "CanAllocate",
                      !ali_ip_usable(call, vswitch, ali_text(call, "PrivateIpAddress"), &why));
    return 0;
}

const struct ali_action ali_ip_actions[] = {
    {"ecs", "AssignPrivateIpAddresses", assign_v4, ALI_CHANGES | ALI_TOKEN,
     "!RegionId !NetworkInterfaceId PrivateIpAddress.N SecondaryPrivateIpAddressCount Ipv4Prefix.N "
     "Ipv4PrefixCount",
     "NetworkInterfaceId:eni"},
    {"ecs", "UnassignPrivateIpAddresses", unassign_v4, ALI_CHANGES,
     "!RegionId !NetworkInterfaceId !PrivateIpAddress.N Ipv4Prefix.N", "NetworkInterfaceId:eni"},
    {"ecs", "AssignIpv6Addresses", assign_v6, ALI_CHANGES | ALI_TOKEN,
     "!RegionId !NetworkInterfaceId Ipv6Address.N Ipv6AddressCount Ipv6Prefix.N Ipv6PrefixCount",
     "NetworkInterfaceId:eni"},
    {"ecs", "UnassignIpv6Addresses", unassign_v6, ALI_CHANGES,
     "!RegionId !NetworkInterfaceId !Ipv6Address.N Ipv6Prefix.N", "NetworkInterfaceId:eni"},
    {"vpc", "CheckCanAllocateVpcPrivateIpAddress", can_allocate, ALI_READS,
     "!RegionId !VSwitchId !PrivateIpAddress IpVersion", "VSwitchId:vswitch"},
    {0},
};
