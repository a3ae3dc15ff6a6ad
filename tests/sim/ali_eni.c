/* Elastic network interfaces: made, attached, detached, changed, deleted. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "ali.h"

const char *ali_eni_primary(const struct json_object *eni)
{
    struct json_object *ips = sim_json_array(eni, "private_ips");

    return sim_json_len(ips) ? json_object_get_string(json_object_array_get_idx(ips, 0)) : "";
}

bool ali_eni_has_ip(const struct json_object *eni, const char *ip)
{
    return sim_json_has(sim_json_array(eni, "private_ips"), ip) ||
           sim_json_has(sim_json_array(eni, "ipv6"), ip);
}

struct json_object *ali_instance_primary(const struct json_object *ali, const char *instance_id)
{
    struct json_object *eni;

    SIM_JSON_EACH(eni, ali_all(ali, ALI_ENI))
    if (ali_is(eni, "instance_id", instance_id) && ali_is(eni, "type", "Primary"))
        return eni;
    return NULL;
}

void ali_eni_attach(struct json_object *eni, const char *instance_id)
{
    sim_json_set_str(eni, "instance_id", instance_id);
    sim_json_set_str(eni, "status", "InUse");
    ali_settle(eni);
}

void ali_eni_detach(struct json_object *eni)
{
    json_object_object_del(eni, "instance_id");
    sim_json_set_str(eni, "status", "Available");
    ali_settle(eni);
}

/* What is bound to it no longer is. */
static void unbind_all(struct json_object *ali, const struct json_object *eni)
{
    const char *id = sim_json_str(eni, "network_interface_id");
    struct json_object *object;

    SIM_JSON_EACH(object, ali_all(ali, ALI_EIP))
    if (ali_is(object, "instance_id", id))
        ali_eip_unlink(object);
    SIM_JSON_EACH(object, ali_all(ali, ALI_HAVIP))
    if (sim_json_has(sim_json_array(object, "instances"), id))
        ali_havip_unbind(object, id);
}

void ali_eni_remove(struct json_object *ali, struct json_object *eni)
{
    unbind_all(ali, eni);
    sim_json_remove(ali_all(ali, ALI_ENI), eni);
}

static int check_usable(const struct json_object *eni, const char *states, struct ali_error *err)
{
    if (sim_json_bool(eni, "service_managed", false))
        return ali_fail(err, 403, "InvalidOperation.EniServiceManaged",
                        "The network interface belongs to a cloud service.");
    return ali_in_state(eni, states)
               ? 0
               : ali_fail(err, 403, "InvalidOperation.InvalidEniState",
                          "The operation is not allowed in the current status of the network "
                          "interface: %.32s.",
                          sim_json_str(eni, "status"));
}

static struct json_object *need_instance(const struct ali_call *call, struct ali_error *err)
{
    struct json_object *instance = ali_need(call, ALI_INSTANCE, "InstanceId", err);

    if (instance && !ali_in_state(instance, "Running Stopped")) {
        ali_fail(err, 403, "InvalidOperation.InvalidEcsState",
                 "The operation is not allowed in the current status of the instance.");
        return NULL;
    }
    return instance;
}

/* ---- attach and detach ----------------------------------------------------------------------- */

static int check_place(const struct ali_call *call, const struct json_object *eni,
                       const struct json_object *instance, struct ali_error *err)
{
    const char *own = sim_json_str(eni, "vswitch_id"), *its = sim_json_str(instance, "vswitch_id");
    const char *id = sim_json_str(instance, "instance_id");
    struct json_object *other;
    int64_t have = 0;

    if (strcmp(ali_vswitch_vpc(call->ali, own), ali_vswitch_vpc(call->ali, its)) != 0)
        return ali_fail(err, 403, "InvalidOperation.VpcMismatch",
                        "The network interface and the instance are not in the same VPC.");
    if (strcmp(ali_vswitch_zone(call->ali, own), ali_vswitch_zone(call->ali, its)) != 0)
        return ali_fail(err, 403, "InvalidOperation.AvailabilityZoneMismatch",
                        "The network interface and the instance are not in the same zone.");
    SIM_JSON_EACH(other, ali_all(call->ali, ALI_ENI))
    have += ali_is(other, "instance_id", id);
    if (have >= ali_type_limit(call->ali, sim_json_str(instance, "instance_type"), "eni_quantity"))
        return ali_fail(err, 403, "EniPerInstanceLimitExceeded",
                        "The number of network interfaces of the instance exceeds the limit.");
    return 0;
}

static int attach(struct ali_call *call, struct json_object *out, struct ali_error *err)
{
    struct json_object *eni = ali_need(call, ALI_ENI, "NetworkInterfaceId", err);
    const struct json_object *instance = eni ? need_instance(call, err) : NULL;

    (void)out;
    if (!instance || check_usable(eni, "Available", err) || check_place(call, eni, instance, err))
        return -1;
    sim_json_set_str(eni, "instance_id", sim_json_str(instance, "instance_id"));
    ali_begin(call, sim_json_str(eni, "network_interface_id"), "Attaching", ali_next("InUse"));
    return 0;
}

static int detach(struct ali_call *call, struct json_object *out, struct ali_error *err)
{
    struct json_object *eni = ali_need(call, ALI_ENI, "NetworkInterfaceId", err), *next;
    const struct json_object *instance = eni ? need_instance(call, err) : NULL;

    (void)out;
    if (!instance)
        return -1;
    if (!ali_is(eni, "instance_id", sim_json_str(instance, "instance_id")))
        return ali_fail(err, 400, "InvalidOperation.InvalidEniState",
                        "The network interface is not attached to the specified instance.");
    if (ali_is(eni, "type", "Primary"))
        return ali_fail(err, 400, "InvalidOperation.DetachPrimaryEniNotAllowed",
                        "The primary network interface cannot be detached.");
    if (check_usable(eni, "InUse Detaching", err))
        return -1;
    if (ali_is(instance, "guest", "hung") && ali_in_state(instance, "Running")) {
        sim_json_set_str(eni, "status", "Detaching"); /* and nobody in the guest lets go */
        ali_settle(eni);
        return 0;
    }
    next = ali_next("Available");
    json_object_object_add(next, "instance_id", NULL);
    ali_begin(call, sim_json_str(eni, "network_interface_id"), "Detaching", next);
    return 0;
}

/* ---- make, change, delete -------------------------------------------------------------------- */

static int read_groups(const struct ali_call *call, const struct json_object *vswitch,
                       const char *param, struct json_object *groups, struct ali_error *err)
{
    const char *single = ali_text(call, "SecurityGroupId"), *id;

    for (size_t i = *single ? 0 : 1;; i++) {
        const struct json_object *group;

        id = i ? ali_param_at(call, param, i) : single;
        if (!id || (*single && i))
            break;
        group = ali_find(call->ali, ALI_GROUP, id);
        if (!group)
            return ali_fail(err, 404, "InvalidSecurityGroupId.NotFound",
                            "The specified security group %.64s does not exist.", id);
        if (!ali_is(group, "vpc_id", sim_json_str(vswitch, "vpc_id")))
            return ali_fail(err, 403, "InvalidOperation.VpcMismatch",
                            "The security group is of another VPC.");
        json_object_array_add(groups, json_object_new_string(id));
    }
    return 0;
}

static int read_addresses(const struct ali_call *call, const struct json_object *vswitch,
                          struct json_object *ips, struct ali_error *err)
{
    const char *primary = ali_text(call, "PrimaryIpAddress"), *ip;
    char picked[64];

    if (*primary) {
        if (ali_ip_usable(call, vswitch, primary, err))
            return -1;
        json_object_array_add(ips, json_object_new_string(primary));
    } else {
        if (ali_ip_pick(call->ali, vswitch, picked, sizeof(picked)))
            return ali_fail(err, 400, "InvalidVSwitchId.IpNotEnough",
                            "The vSwitch has no idle address.");
        json_object_array_add(ips, json_object_new_string(picked));
    }
    for (size_t i = 1; (ip = ali_param_at(call, "PrivateIpAddress", i)); i++) {
        if (ali_ip_usable(call, vswitch, ip, err))
            return -1;
        json_object_array_add(ips, json_object_new_string(ip));
    }
    return 0;
}

static int need_group(struct json_object *groups, struct ali_error *err)
{
    return sim_json_len(groups) ? 0
                                : ali_fail(err, 400, "MissingParameter",
                                           "SecurityGroupId or SecurityGroupIds must be given.");
}

static int create(struct ali_call *call, struct json_object *out, struct ali_error *err)
{
    const struct json_object *vswitch = ali_need(call, ALI_VSWITCH, "VSwitchId", err);
    struct json_object *eni, *ips = json_object_new_array(), *groups = json_object_new_array();
    char id[ALI_ID_MAX], mac[32];

    if (!vswitch || read_addresses(call, vswitch, ips, err) ||
        read_groups(call, vswitch, "SecurityGroupIds", groups, err) || need_group(groups, err)) {
        json_object_put(ips);
        json_object_put(groups);
        return -1;
    }
    eni = json_object_new_object();
    snprintf(mac, sizeof(mac), "00:16:3e:ff:%02x:%02x",
             (unsigned)(call->world->next_id >> 8 & 0xff), (unsigned)(call->world->next_id & 0xff));
    ali_new_id(call->world, "eni", id, sizeof(id));
    sim_json_set_str(eni, "network_interface_id", id);
    sim_json_set_str(eni, "vswitch_id", sim_json_str(vswitch, "vswitch_id"));
    sim_json_set_str(eni, "mac", mac);
    sim_json_set_str(eni, "type", "Secondary");
    sim_json_set_str(eni, "status", "Available");
    sim_json_set_str(eni, "name", ali_text(call, "NetworkInterfaceName"));
    sim_json_set_str(eni, "description", ali_text(call, "Description"));
    json_object_object_add(eni, "private_ips", ips);
    json_object_object_add(eni, "ipv6", json_object_new_array());
    json_object_object_add(eni, "security_group_ids", groups);
    if (*ali_text(call, "DeleteOnRelease"))
        sim_json_set_bool(eni, "delete_on_release", ali_param_true(call, "DeleteOnRelease"));
    json_object_array_add(ali_all(call->ali, ALI_ENI), eni);
    sim_json_set_str(out, "NetworkInterfaceId", id);
    sim_json_set_str(out, "NetworkInterfaceName", ali_text(call, "NetworkInterfaceName"));
    sim_json_set_str(out, "Description", ali_text(call, "Description"));
    sim_json_set_str(out, "Status", "Available");
    sim_json_set_str(out, "Type", "Secondary");
    sim_json_set_str(out, "MacAddress", mac);
    sim_json_set_str(out, "PrivateIpAddress", ali_eni_primary(eni));
    sim_json_set_str(out, "VSwitchId", sim_json_str(vswitch, "vswitch_id"));
    sim_json_set_str(out, "VpcId", sim_json_str(vswitch, "vpc_id"));
    sim_json_set_str(out, "ZoneId", sim_json_str(vswitch, "zone_id"));
    json_object_object_add(out, "SecurityGroupIds", ali_wrap("SecurityGroupId", groups));
    return 0;
}

static int modify(struct ali_call *call, struct json_object *out, struct ali_error *err)
{
    struct json_object *eni = ali_need(call, ALI_ENI, "NetworkInterfaceId", err), *groups;
    const struct json_object *vswitch;

    (void)out;
    if (!eni || check_usable(eni, "Available InUse", err))
        return -1;
    vswitch = ali_find(call->ali, ALI_VSWITCH, sim_json_str(eni, "vswitch_id"));
    groups = json_object_new_array();
    if (read_groups(call, vswitch, "SecurityGroupId", groups, err)) {
        json_object_put(groups);
        return -1;
    }
    if (sim_json_len(groups))
        json_object_object_add(eni, "security_group_ids", groups);
    else
        json_object_put(groups);
    if (ali_param(call, "NetworkInterfaceName"))
        sim_json_set_str(eni, "name", ali_text(call, "NetworkInterfaceName"));
    if (ali_param(call, "Description"))
        sim_json_set_str(eni, "description", ali_text(call, "Description"));
    if (ali_param(call, "SourceDestCheck"))
        sim_json_set_bool(eni, "source_dest_check", ali_param_true(call, "SourceDestCheck"));
    if (ali_param(call, "DeleteOnRelease"))
        sim_json_set_bool(eni, "delete_on_release", ali_param_true(call, "DeleteOnRelease"));
    if (ali_param(call, "QueueNumber"))
        sim_json_set_int(eni, "queue_number", strtol(ali_text(call, "QueueNumber"), NULL, 10));
    return 0;
}

static int delete (struct ali_call *call, struct json_object *out, struct ali_error *err)
{
    struct json_object *eni = ali_need(call, ALI_ENI, "NetworkInterfaceId", err);

    (void)out;
    if (!eni || check_usable(eni, "Available", err))
        return -1;
    unbind_all(call->ali, eni);
    ali_begin(call, sim_json_str(eni, "network_interface_id"), "Deleting", NULL);
    return 0;
}

const struct ali_action ali_eni_actions[] = {
    {"ecs", "AttachNetworkInterface", attach, ALI_CHANGES,
     "!RegionId !InstanceId !NetworkInterfaceId NetworkCardIndex TrunkNetworkInstanceId "
     "WaitForNetworkConfigurationReady",
     "NetworkInterfaceId:eni InstanceId:instance"},
    {"ecs", "DetachNetworkInterface", detach, ALI_CHANGES,
     "!RegionId !InstanceId !NetworkInterfaceId TrunkNetworkInstanceId",
     "NetworkInterfaceId:eni InstanceId:instance"},
    {"ecs", "CreateNetworkInterface", create, ALI_CHANGES | ALI_TOKEN,
     "!RegionId !VSwitchId SecurityGroupId SecurityGroupIds.N PrimaryIpAddress PrivateIpAddress.N "
     "QueueNumber DeleteOnRelease NetworkInterfaceName Description InstanceType ResourceGroupId "
     "Tag.N.*",
     ""},
    {"ecs", "ModifyNetworkInterfaceAttribute", modify, ALI_CHANGES,
     "!RegionId !NetworkInterfaceId SecurityGroupId.N SourceDestCheck QueueNumber "
     "NetworkInterfaceName Description DeleteOnRelease",
     "NetworkInterfaceId:eni"},
    {"ecs", "DeleteNetworkInterface", delete, ALI_CHANGES, "!RegionId !NetworkInterfaceId",
     "NetworkInterfaceId:eni"},
    {0},
};
