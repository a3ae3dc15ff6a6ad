/* High-availability virtual IP addresses: bound to several nodes, mastered by the one that
 * announces them. */
#include <stdio.h>
#include <string.h>
#include "ali.h"

static struct json_object *eips_of(const struct ali_call *call, const struct json_object *havip)
{
    struct json_object *array = json_object_new_array(), *wrapper = json_object_new_object(), *eip;

    SIM_JSON_EACH(eip, ali_all(call->ali, ALI_EIP))
    if (ali_is(eip, "instance_id", sim_json_str(havip, "havip_id")))
        json_object_array_add(array, json_object_new_string(sim_json_str(eip, "ip_address")));
    json_object_object_add(wrapper, "associatedEipAddresse", array);
    return wrapper;
}

static struct json_object *show(const struct ali_call *call, struct json_object *havip)
{
    struct json_object *item = json_object_new_object();
    const char *vswitch = sim_json_str(havip, "vswitch_id");

    sim_json_set_str(item, "HaVipId", sim_json_str(havip, "havip_id"));
    sim_json_set_str(item, "IpAddress", sim_json_str(havip, "ip_address"));
    sim_json_set_str(item, "MasterInstanceId", sim_json_str(havip, "master"));
    sim_json_set_str(item, "Status", sim_json_str(havip, "status"));
    sim_json_set_str(item, "VSwitchId", vswitch);
    sim_json_set_str(item, "VpcId", ali_vswitch_vpc(call->ali, vswitch));
    sim_json_set_str(item, "RegionId", call->region);
    sim_json_set_str(item, "AssociatedInstanceType", sim_json_str(havip, "instance_type"));
    json_object_object_add(item, "AssociatedInstances",
                           ali_wrap("associatedInstance", sim_json_array(havip, "instances")));
    json_object_object_add(item, "AssociatedEipAddresses", eips_of(call, havip));
    sim_json_set_str(item, "Name", sim_json_str(havip, "name"));
    sim_json_set_str(item, "Description", sim_json_str(havip, "description"));
    sim_json_set_str(item, "CreateTime", "2026-01-01T00:00:00Z");
    sim_json_set_str(item, "ChargeType", "");
    sim_json_set_str(item, "ResourceGroupId", "rg-default");
    json_object_object_add(item, "Tags", ali_tags(havip, "Key", "Value"));
    return item;
}

static const char *filter_value(const struct ali_call *call, const struct json_object *havip,
                                const char *key)
{
    static const struct {
        const char *key, *member;
    } members[] = {{"HaVipId", "havip_id"},       {"VSwitchId", "vswitch_id"},
                   {"Status", "status"},          {"HaVipAddress", "ip_address"},
                   {"IpAddress", "ip_address"},   {"HaVipIpAddress", "ip_address"},
                   {"MasterInstanceId", "master"}};

    if (!strcmp(key, "VpcId"))
        return ali_vswitch_vpc(call->ali, sim_json_str(havip, "vswitch_id"));
    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
        if (!strcmp(members[i].key, key))
            return sim_json_str(havip, members[i].member);
    return NULL;
}

static bool wanted(const struct ali_call *call, const struct json_object *havip)
{
    for (size_t i = 1;; i++) {
        char name[64];
        const char *key, *value;

        snprintf(name, sizeof(name), "Filter.%zu.Key", i);
        key = ali_param(call, name);
        if (!key)
            return true;
        value = filter_value(call, havip, key);
        snprintf(name, sizeof(name), "Filter.%zu.Value", i);
        if (!value || !ali_fits_any(call, name, value))
            return false;
    }
}

static int list(struct ali_call *call, struct json_object *out, struct ali_error *err)
{
    static const struct ali_list how = {
        .outer = "HaVips", .inner = "HaVip", .size = 10, .size_max = 50};

    for (size_t i = 1;; i++) {
        char name[64];

        snprintf(name, sizeof(name), "Filter.%zu.Key", i);
        if (!ali_param(call, name))
            break;
        if (!filter_value(call, NULL, ali_param(call, name)))
            return ali_fail_value(err, "Filter", ali_param(call, name));
    }
    return ali_list(call, ali_all(call->ali, ALI_HAVIP), &how, wanted, show, out, err);
}

static int create(struct ali_call *call, struct json_object *out, struct ali_error *err)
{
    const struct json_object *vswitch = ali_need(call, ALI_VSWITCH, "VSwitchId", err);
    struct json_object *havip;
    char id[ALI_ID_MAX], ip[64];

    if (!vswitch)
        return -1;
    snprintf(ip, sizeof(ip), "%s", ali_text(call, "IpAddress"));
    if (*ip ? ali_ip_usable(call, vswitch, ip, err)
            : ali_ip_pick(call->ali, vswitch, ip, sizeof(ip)) &&
                  ali_fail(err, 400, "InvalidIPAddress.NoIdle", "There is no idle address."))
        return -1;
    havip = json_object_new_object();
    ali_new_id(call->world, "havip", id, sizeof(id));
    sim_json_set_str(havip, "havip_id", id);
    sim_json_set_str(havip, "ip_address", ip);
    sim_json_set_str(havip, "vswitch_id", sim_json_str(vswitch, "vswitch_id"));
    sim_json_set_str(havip, "name", ali_text(call, "Name"));
    sim_json_set_str(havip, "description", ali_text(call, "Description"));
    sim_json_set_str(havip, "instance_type", "");
    sim_json_set_str(havip, "master", "");
    json_object_object_add(havip, "instances", json_object_new_array());
    json_object_array_add(ali_all(call->ali, ALI_HAVIP), havip);
    ali_begin(call, id, "Creating", ali_next("Available"));
    sim_json_set_str(out, "HaVipId", id);
    sim_json_set_str(out, "IpAddress", ip);
    return 0;
}

static struct json_object *need_idle(const struct ali_call *call, struct ali_error *err)
{
    struct json_object *havip = ali_need(call, ALI_HAVIP, "HaVipId", err);

    if (havip && !ali_in_state(havip, "Available InUse")) {
        ali_fail(err, 400, "IncorrectHaVipStatus",
                 "This operation is denied because status of the specified HaVip is neither "
                 "Available nor InUse.");
        return NULL;
    }
    return havip;
}

/* The vSwitch of the instance or interface, "" if it is not there; NULL: its state forbids. */
static const char *node_vswitch(const struct ali_call *call, const char *type, const char *id,
                                struct ali_error *err)
{
    bool eni = !strcmp(type, "NetworkInterface");
    const struct json_object *node = ali_find(call->ali, eni ? ALI_ENI : ALI_INSTANCE, id);

    if (strcmp(type, "EcsInstance") && !eni) {
        ali_fail(err, 400, "InvalidInstanceType.ValueNotSupported",
                 "The specified value of InstanceType is not supported.");
        return NULL;
    }
    if (!node) {
        ali_fail(err, 404, "InvalidInstanceId.NotFound", "Specified instance does not exist.");
        return NULL;
    }
    if (!ali_in_state(node, eni ? "Available InUse" : "Running Stopped")) {
        ali_fail(err, 400, eni ? "InvalidStatus.EniStatusNotSupport" : "IncorrectInstanceStatus",
                 "The current status of instance does not support this operation.");
        return NULL;
    }
    return sim_json_str(node, "vswitch_id");
}

static int64_t limit(const struct ali_call *call, const char *name, int64_t otherwise)
{
    return sim_json_int(sim_json_get(call->ali, "havip_limits"), name, otherwise);
}

static int check_limits(const struct ali_call *call, const struct json_object *havip,
                        const char *id, struct ali_error *err)
{
    struct json_object *other;
    int64_t own = 0;

    if ((int64_t)sim_json_len(sim_json_array(havip, "instances")) >= limit(call, "bound", 10))
        return ali_fail(err, 400, "CountLimitExceeded.HaVipOnECSInstance",
                        "The number of instances bound to the HaVip exceeds the limit.");
    SIM_JSON_EACH(other, ali_all(call->ali, ALI_HAVIP))
    own += sim_json_has(sim_json_array(other, "instances"), id);
    if (own >= limit(call, "per_instance", 5))
        return ali_fail(err, 400, "CountLimitExceed.HaVipOnInstance",
                        "The number of HaVips of the instance exceeds the limit.");
    return 0;
}

static const char *type_of(const struct ali_call *call)
{
    const char *type = ali_text(call, "InstanceType");

    return *type ? type : "EcsInstance";
}

static int associate(struct ali_call *call, struct json_object *out, struct ali_error *err)
{
    struct json_object *havip = need_idle(call, err), *instances, *next;
    const char *type = type_of(call), *id = ali_text(call, "InstanceId"), *vswitch;

    (void)out;
    vswitch = havip ? node_vswitch(call, type, id, err) : NULL;
    if (!vswitch)
        return -1;
    if (!ali_is(havip, "vswitch_id", vswitch))
        return ali_fail(err, 400, "InvalidVSwitchId.Mismatch",
                        "The HaVip and the instance are not in the same vSwitch.");
    instances = sim_json_array(havip, "instances");
    if (sim_json_has(instances, id))
        return ali_fail(err, 400, "InvalidAssociation.Duplicated",
                        "The HaVip is already associated with the specified instance.");
    if (sim_json_len(instances) && !ali_is(havip, "instance_type", type))
        return ali_fail(err, 400, "InvalidInstanceType.Mixed",
                        "An HaVip is bound to instances or to network interfaces, not to both.");
    if (check_limits(call, havip, id, err))
        return -1;
    json_object_array_add(instances, json_object_new_string(id));
    sim_json_set_str(havip, "instance_type", type);
    next = ali_next("InUse");
    ali_begin(call, sim_json_str(havip, "havip_id"), "Associating", next);
    return 0;
}

/* What the HAVIP is without that node. */
static struct json_object *without(struct json_object *havip, const char *id)
{
    struct json_object *instances = ali_copy_or_null(havip, "instances");
    struct json_object *next;

    sim_json_remove_text(instances, id);
    next = ali_next(sim_json_len(instances) ? "InUse" : "Available");
    if (!sim_json_len(instances))
        sim_json_set_str(next, "instance_type", "");
    json_object_object_add(next, "instances", instances);
    if (ali_is(havip, "master", id))
        sim_json_set_str(next, "master", "");
    return next;
}

void ali_havip_unbind(struct json_object *havip, const char *id)
{
    struct json_object *next = without(havip, id);

    json_object_object_foreach(next, name, value)
    {
        json_object_object_add(havip, name, sim_json_copy(value));
    }
    json_object_put(next);
    ali_settle(havip);
}

static int unassociate(struct ali_call *call, struct json_object *out, struct ali_error *err)
{
    struct json_object *havip = need_idle(call, err);
    const char *id = ali_text(call, "InstanceId"), *force = ali_text(call, "Force");

    (void)out;
    if (!havip || !node_vswitch(call, type_of(call), id, err))
        return -1;
    if (!sim_json_has(sim_json_array(havip, "instances"), id))
        return ali_fail(err, 404, "InvalidParams.NotFound",
                        "The HaVip is not associated with the specified instance.");
    if (ali_is(havip, "master", id) && strcasecmp(force, "True") != 0)
        return ali_fail(err, 400, "OperationDenied.MasterInstance",
                        "The HaVip cannot be unassociated from its master without Force.");
    ali_begin(call, sim_json_str(havip, "havip_id"), "Unassociating", without(havip, id));
    return 0;
}

static int delete (struct ali_call *call, struct json_object *out, struct ali_error *err)
{
    struct json_object *havip = need_idle(call, err), *table, *route;
    const char *id = sim_json_str(havip, "havip_id");

    (void)out;
    if (!havip)
        return -1;
    if (!ali_in_state(havip, "Available"))
        return ali_fail(err, 400, "IncorrectHaVipStatus", "The HaVip is associated.");
    if (sim_json_find(ali_all(call->ali, ALI_EIP), "instance_id", id))
        return ali_fail(err, 400, "DependencyViolation.Eip", "An EIP is bound to the HaVip.");
    SIM_JSON_EACH(table, ali_all(call->ali, ALI_TABLE))
    {
        SIM_JSON_EACH(route, sim_json_array(table, "routes"))
        if (ali_is(route, "next_hop_id", id))
            return ali_fail(err, 400, "DependencyViolation.RouteEntry",
                            "A route entry points to the HaVip.");
    }
    ali_begin(call, id, "Deleting", NULL);
    return 0;
}

static int modify(struct ali_call *call, struct json_object *out, struct ali_error *err)
{
    struct json_object *havip = need_idle(call, err);

    (void)out;
    if (!havip)
        return -1;
    if (ali_param(call, "Name"))
        sim_json_set_str(havip, "name", ali_text(call, "Name"));
    if (ali_param(call, "Description"))
        sim_json_set_str(havip, "description", ali_text(call, "Description"));
    return 0;
}

const struct ali_action ali_havip_actions[] = {
    {"vpc", "DescribeHaVips", list, ALI_READS,
     "!RegionId PageNumber PageSize ResourceGroupId Filter.N.Key Filter.N.Value.N Tags.N.*", ""},
    {"vpc", "CreateHaVip", create, ALI_CHANGES | ALI_TOKEN,
     "!RegionId !VSwitchId IpAddress Name Description ResourceGroupId Tag.N.*",
     "VSwitchId:vswitch"},
    {"vpc", "AssociateHaVip", associate, ALI_CHANGES | ALI_TOKEN,
     "!RegionId !HaVipId !InstanceId InstanceType", "HaVipId:havip InstanceId:target"},
    {"vpc", "UnassociateHaVip", unassociate, ALI_CHANGES | ALI_TOKEN,
     "!RegionId !HaVipId !InstanceId InstanceType Force", "HaVipId:havip InstanceId:target"},
    {"vpc", "DeleteHaVip", delete, ALI_CHANGES | ALI_TOKEN, "!RegionId !HaVipId", "HaVipId:havip"},
    {"vpc", "ModifyHaVipAttribute", modify, ALI_CHANGES | ALI_TOKEN,
     "!RegionId !HaVipId Name Description", "HaVipId:havip"},
    {0},
};
