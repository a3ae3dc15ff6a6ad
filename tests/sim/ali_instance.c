/* ECS instances: shown, started, stopped; and the limits of their types. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "ali.h"

static const struct {
    const char *key;
    int64_t otherwise;
} limits[] = {
    {"eni_quantity", 3}, {"private_ips_per_eni", 10}, {"ipv6_per_eni", 10}, {"queues_per_eni", 2}};

int64_t ali_type_limit(const struct json_object *ali, const char *instance_type, const char *key)
{
    const struct json_object *type =
        sim_json_find(sim_json_array(ali, "instance_types"), "instance_type", instance_type);

    for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++)
        if (!strcmp(limits[i].key, key))
            return sim_json_int(type, key, limits[i].otherwise);
    return 0;
}

void ali_instance_set(struct json_object *ali, struct json_object *instance, const char *status)
{
    const char *id = sim_json_str(instance, "instance_id");
    struct json_object *object;

    sim_json_set_str(instance, "status", status);
    ali_settle(instance);
    if (strcmp(status, "Stopped") != 0)
        return;
    SIM_JSON_EACH(object, ali_all(ali, ALI_ENI))
    {
        const char *eni = sim_json_str(object, "network_interface_id");
        struct json_object *havip;

        if (!ali_is(object, "instance_id", id))
            continue;
        SIM_JSON_EACH(havip, ali_all(ali, ALI_HAVIP))
        if (ali_is(havip, "master", eni))
            sim_json_set_str(havip, "master", "");
        if (ali_in_state(object, "Detaching")) /* no guest holds it any more */
            ali_eni_detach(object);
    }
    SIM_JSON_EACH(object, ali_all(ali, ALI_HAVIP))
    if (ali_is(object, "master", id))
        sim_json_set_str(object, "master", "");
}

/* ---- lists ----------------------------------------------------------------------------------- */

static struct json_object *nics(const struct ali_call *call, const char *id)
{
    struct json_object *array = json_object_new_array(), *wrapper = json_object_new_object(), *eni;

    SIM_JSON_EACH(eni, ali_all(call->ali, ALI_ENI))
    {
        struct json_object *item;

        if (!ali_is(eni, "instance_id", id))
            continue;
        item = json_object_new_object();
        sim_json_set_str(item, "NetworkInterfaceId", sim_json_str(eni, "network_interface_id"));
        sim_json_set_str(item, "Type", sim_json_str(eni, "type"));
        sim_json_set_str(item, "PrimaryIpAddress", ali_eni_primary(eni));
        sim_json_set_str(item, "MacAddress", sim_json_str(eni, "mac"));
        json_object_array_add(array, item);
    }
    json_object_object_add(wrapper, "NetworkInterface", array);
    return wrapper;
}

/* {"IpAddress": [text]}, empty without a text. */
static struct json_object *one_ip(const char *text)
{
    struct json_object *array = json_object_new_array(), *wrapper = json_object_new_object();

    if (*text)
        json_object_array_add(array, json_object_new_string(text));
    json_object_object_add(wrapper, "IpAddress", array);
    return wrapper;
}

static struct json_object *eip_of(const struct ali_call *call, const char *id)
{
    struct json_object *item = json_object_new_object();
    const struct json_object *eip = sim_json_find(ali_all(call->ali, ALI_EIP), "instance_id", id);

    sim_json_set_str(item, "AllocationId", sim_json_str(eip, "allocation_id"));
    sim_json_set_str(item, "IpAddress", sim_json_str(eip, "ip_address"));
    sim_json_set_str(item, "InternetChargeType", eip ? "PayByTraffic" : "");
    if (eip)
        sim_json_set_bool(item, "IsSupportUnassociate", true);
    return item;
}

static struct json_object *vpc_of(const struct ali_call *call, const struct json_object *instance,
                                  const struct json_object *primary)
{
    struct json_object *item = json_object_new_object();
    const char *vswitch = sim_json_str(instance, "vswitch_id");

    sim_json_set_str(item, "VpcId", ali_vswitch_vpc(call->ali, vswitch));
    sim_json_set_str(item, "VSwitchId", vswitch);
    sim_json_set_str(item, "NatIpAddress", "");
    json_object_object_add(item, "PrivateIpAddress",
                           one_ip(primary ? ali_eni_primary(primary) : ""));
    return item;
}

static const char *traffic_of(const struct json_object *instance)
{
    const char *type = sim_json_str(instance, "internet_charge_type");

    return *type ? type : "PayByTraffic";
}

/* Mbit/s; 0 means no public address, now or later. */
static int64_t bandwidth_of(const struct json_object *instance)
{
    return sim_json_int(instance, "bandwidth_out", *sim_json_str(instance, "public_ip") ? 5 : 0);
}

static struct json_object *locks(const struct json_object *instance)
{
    struct json_object *wrapper = json_object_new_object(), *array = json_object_new_array();
    struct json_object *lock;

    json_object_object_add(wrapper, "LockReason", array);
    if (*sim_json_str(instance, "lock_reason")) {
        lock = json_object_new_object();
        sim_json_set_str(lock, "LockReason", sim_json_str(instance, "lock_reason"));
        json_object_array_add(array, lock);
    }
    return wrapper;
}

static struct json_object *show(const struct ali_call *call, struct json_object *instance)
{
    struct json_object *item = json_object_new_object(), *metadata = json_object_new_object();
    const char *id = sim_json_str(instance, "instance_id");
    const char *type = sim_json_str(instance, "instance_type"), *dot = strrchr(type, '.');
    const struct json_object *primary = ali_instance_primary(call->ali, id);
    char family[64];

    snprintf(family, sizeof(family), "%.*s", dot ? (int)(dot - type) : 0, type);
    sim_json_set_str(item, "InstanceId", id);
    sim_json_set_str(item, "InstanceName", sim_json_str(instance, "name"));
    sim_json_set_str(item, "Status", sim_json_str(instance, "status"));
    sim_json_set_str(item, "RegionId", call->region);
    sim_json_set_str(item, "ZoneId",
                     ali_vswitch_zone(call->ali, sim_json_str(instance, "vswitch_id")));
    sim_json_set_str(item, "InstanceType", type);
    sim_json_set_str(item, "InstanceTypeFamily", family);
    sim_json_set_str(item, "InstanceNetworkType", sim_json_str(instance, "network_type"));
    sim_json_set_str(item, "InstanceChargeType", sim_json_str(instance, "charge_type"));
    sim_json_set_bool(item, "IoOptimized", sim_json_bool(instance, "io_optimized", true));
    sim_json_set_str(item, "ExpiredTime",
                     *sim_json_str(instance, "expired_time")
                         ? sim_json_str(instance, "expired_time")
                         : "2099-12-31T15:59Z");
    sim_json_set_str(item, "InternetChargeType", traffic_of(instance));
    sim_json_set_int(item, "InternetMaxBandwidthOut", bandwidth_of(instance));
    sim_json_set_str(item, "CreationTime", "2026-01-01T00:00Z");
    json_object_object_add(item, "VpcAttributes", vpc_of(call, instance, primary));
    json_object_object_add(item, "PublicIpAddress", one_ip(sim_json_str(instance, "public_ip")));
    json_object_object_add(item, "InnerIpAddress", one_ip(""));
    json_object_object_add(item, "EipAddress", eip_of(call, id));
    json_object_object_add(item, "NetworkInterfaces", nics(call, id));
    json_object_object_add(
        item, "SecurityGroupIds",
        ali_wrap("SecurityGroupId", sim_json_array(primary, "security_group_ids")));
    json_object_object_add(item, "OperationLocks", locks(instance));
    sim_json_set_str(metadata, "HttpTokens", "required");
    sim_json_set_str(metadata, "HttpEndpoint",
                     ali_is(instance, "imds", "off") ? "disabled" : "enabled");
    json_object_object_add(item, "MetadataOptions", metadata);
    json_object_object_add(item, "Tags", ali_tags(instance, "TagKey", "TagValue"));
    return item;
}

/* Is the id in the JSON array of ids, or the array absent? */
static bool in_json(const char *text, const char *id)
{
    SIM_AUTO_JSON *ids = *text ? json_tokener_parse(text) : NULL;

    return !*text || sim_json_has(ids, id);
}

static bool wanted(const struct ali_call *call, const struct json_object *instance)
{
    const char *vswitch = sim_json_str(instance, "vswitch_id"), *vpc = ali_text(call, "VpcId");
    const char *zone = ali_text(call, "ZoneId");

    return in_json(ali_text(call, "InstanceIds"), sim_json_str(instance, "instance_id")) &&
           ali_fits(call, "VSwitchId", instance, "vswitch_id") &&
           ali_fits(call, "Status", instance, "status") &&
           ali_fits(call, "InstanceName", instance, "name") &&
           ali_fits(call, "InstanceType", instance, "instance_type") &&
           ali_fits_any(call, "InstanceId", sim_json_str(instance, "instance_id")) &&
           (!*vpc || !strcmp(vpc, ali_vswitch_vpc(call->ali, vswitch))) &&
           (!*zone || !strcmp(zone, ali_vswitch_zone(call->ali, vswitch))) &&
           ali_fits_tags(call, instance);
}

static int list(struct ali_call *call, struct json_object *out, struct ali_error *err)
{
    static const struct ali_list how = {
        .outer = "Instances",
        .inner = "Instance",
        .size = 10,
        .size_max = 100,
        .by_token = "MaxResults",
        .both = true,
    };
    const char *ids = ali_text(call, "InstanceIds");
    SIM_AUTO_JSON *parsed = *ids ? json_tokener_parse(ids) : NULL;

    if (*ids && (!json_object_is_type(parsed, json_type_array) || sim_json_len(parsed) > 100))
        return ali_fail(err, 400, "InvalidInstanceIds.Malformed",
                        "The specified InstanceIds is not a JSON array of up to 100 ids.");
    return ali_list(call, ali_all(call->ali, ALI_INSTANCE), &how, wanted, show, out, err);
}

static struct json_object *show_status(const struct ali_call *call, struct json_object *instance)
{
    struct json_object *item = json_object_new_object();

    (void)call;
    sim_json_set_str(item, "InstanceId", sim_json_str(instance, "instance_id"));
    sim_json_set_str(item, "Status", sim_json_str(instance, "status"));
    return item;
}

static int list_status(struct ali_call *call, struct json_object *out, struct ali_error *err)
{
    static const struct ali_list how = {
        .outer = "InstanceStatuses", .inner = "InstanceStatus", .size = 10, .size_max = 50};

    return ali_list(call, ali_all(call->ali, ALI_INSTANCE), &how, wanted, show_status, out, err);
}

/* The types that are asked for; without a question those that the world describes. */
static int list_types(struct ali_call *call, struct json_object *out, struct ali_error *err)
{
    struct json_object *array = json_object_new_array(), *wrapper = json_object_new_object();
    struct json_object *known = sim_json_array(call->ali, "instance_types");
    bool asked = ali_param_at(call, "InstanceTypes", 1);

    (void)err;
    for (size_t i = 0;; i++) {
        const char *name = asked ? ali_param_at(call, "InstanceTypes", i + 1) : NULL;
        struct json_object *item;
        int64_t queues;

        if (!asked && i < sim_json_len(known))
            name = sim_json_str(json_object_array_get_idx(known, i), "instance_type");
        if (!name)
            break;
        queues = ali_type_limit(call->ali, name, "queues_per_eni");
        item = json_object_new_object();
        sim_json_set_str(item, "InstanceTypeId", name);
        sim_json_set_int(item, "EniQuantity", ali_type_limit(call->ali, name, "eni_quantity"));
        sim_json_set_int(item, "EniPrivateIpAddressQuantity",
                         ali_type_limit(call->ali, name, "private_ips_per_eni"));
        sim_json_set_int(item, "EniIpv6AddressQuantity",
                         ali_type_limit(call->ali, name, "ipv6_per_eni"));
        sim_json_set_int(item, "MaximumQueueNumberPerEni", queues);
        sim_json_set_int(item, "PrimaryEniQueueNumber", queues);
        sim_json_set_int(item, "SecondaryEniQueueNumber", queues);
        json_object_array_add(array, item);
    }
    json_object_object_add(wrapper, "InstanceType", array);
    json_object_object_add(out, "InstanceTypes", wrapper);
    sim_json_set_str(out, "NextToken", "");
    return 0;
}

/* ---- changes --------------------------------------------------------------------------------- */

static int start(struct ali_call *call, struct json_object *out, struct ali_error *err)
{
    struct json_object *instance = ali_need(call, ALI_INSTANCE, "InstanceId", err);

    (void)out;
    if (!instance)
        return -1;
    if (!ali_in_state(instance, "Stopped"))
        return ali_fail(err, 403, "IncorrectInstanceStatus",
                        "The current status of the resource does not support this operation.");
    ali_begin(call, sim_json_str(instance, "instance_id"), "Starting", ali_next("Running"));
    return 0;
}

static int stop(struct ali_call *call, struct json_object *out, struct ali_error *err)
{
    struct json_object *instance = ali_need(call, ALI_INSTANCE, "InstanceId", err);

    (void)out;
    if (!instance)
        return -1;
    if (!ali_in_state(instance, "Running"))
        return ali_fail(err, 403, "IncorrectInstanceStatus",
                        "The current status of the resource does not support this operation.");
    ali_instance_set(call->ali, instance, "Stopped"); /* what it holds goes at once */
    ali_begin(call, sim_json_str(instance, "instance_id"), "Stopping", ali_next("Stopped"));
    return 0;
}

/* The codes of the action's page; what is said of a pay-by-bandwidth subscription has none there.
 */
static int check_convert(const struct ali_call *call, const struct json_object *instance,
                         struct ali_error *err)
{
    const char *id = sim_json_str(instance, "instance_id"), *end;
    bool subscription = ali_is(instance, "charge_type", "PrePaid");
    char soon[32];
    time_t in_a_day = (time_t)(call->now_ms / 1000 + 24 * 60 * 60);
    struct tm tm;

    if (ali_is(instance, "network_type", "classic") || !*sim_json_str(instance, "public_ip"))
        return ali_fail(err, 403, "InvalidInstance.NoPublicIp",
                        "The instance has no public IP address that can be converted.");
    if (!ali_in_state(instance, "Running Stopped"))
        return ali_fail(err, 403, "IncorrectInstanceStatus",
                        "The current status of the resource does not support this operation.");
    if (sim_json_find(ali_all(call->ali, ALI_EIP), "instance_id", id))
        return ali_fail(err, 403, "OperationDenied", "The instance has an EIP.");
    if (!bandwidth_of(instance))
        return ali_fail(err, 403, "OperationDenied", "The public bandwidth of the instance is 0.");
    if (subscription && strcmp(traffic_of(instance), "PayByTraffic") != 0)
        return ali_fail(err, 403, "OperationDenied",
                        "The bandwidth of the subscription instance is not paid by traffic.");
    end = sim_json_str(instance, "expired_time");
    strftime(soon, sizeof(soon), "%Y-%m-%dT%H:%MZ", gmtime_r(&in_a_day, &tm));
    if (subscription && *end && strcmp(end, soon) < 0)
        return ali_fail(err, 403, "InvalidEndTime.OperateNotSupport",
                        "The instance ends within 24 hours.");
    return 0;
}

static int convert(struct ali_call *call, struct json_object *out, struct ali_error *err)
{
    struct json_object *instance = ali_need(call, ALI_INSTANCE, "InstanceId", err), *eip;
    const struct json_object *primary;
    char id[ALI_ID_MAX];

    (void)out;
    if (!instance || check_convert(call, instance, err))
        return -1;
    primary = ali_instance_primary(call->ali, sim_json_str(instance, "instance_id"));
    eip = json_object_new_object();
    ali_new_id(call->world, "eip", id, sizeof(id));
    sim_json_set_str(eip, "allocation_id", id);
    sim_json_set_str(eip, "ip_address", sim_json_str(instance, "public_ip"));
    sim_json_set_str(eip, "charge_type", "PostPaid");
    sim_json_set_str(eip, "business_status", "Normal");
    sim_json_set_str(eip, "bandwidth", "5");
    ali_eip_link(eip, "EcsInstance", sim_json_str(instance, "instance_id"),
                 primary ? ali_eni_primary(primary) : "", "NAT");
    json_object_array_add(ali_all(call->ali, ALI_EIP), eip);
    json_object_object_del(instance, "public_ip");
    ali_begin(call, id, "Associating", ali_next("InUse"));
    return 0;
}

const struct ali_action ali_instance_actions[] = {
    {"ecs", "DescribeInstances", list, ALI_READS | ALI_DRYRUN,
     "!RegionId InstanceIds VpcId VSwitchId ZoneId Status InstanceName InstanceType "
     "InstanceNetworkType MaxResults NextToken PageNumber PageSize Tag.N.*",
     ""},
    {"ecs", "DescribeInstanceStatus", list_status, ALI_READS,
     "!RegionId InstanceId.N ZoneId ClusterId PageNumber PageSize", ""},
    {"ecs", "DescribeInstanceTypes", list_types, ALI_READS,
     "InstanceTypes.N InstanceTypeFamily MaxResults NextToken RegionId", ""},
    {"ecs", "StartInstance", start, ALI_CHANGES, "RegionId !InstanceId", "InstanceId:instance"},
    {"ecs", "StopInstance", stop, ALI_CHANGES, "RegionId !InstanceId ForceStop StoppedMode",
     "InstanceId:instance"},
    {"ecs", "ConvertNatPublicIpToEip", convert, ALI_CHANGES, "!RegionId !InstanceId",
     "InstanceId:instance"},
    {0},
};
