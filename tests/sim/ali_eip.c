/* Elastic IP addresses: shown, bound to something, and let go. */
#include <stdio.h>
#include <string.h>
#include "ali.h"

#define MULTI_MAX 10 /* EIPs of an interface in the multi-EIP mode */

struct json_object *ali_eip_on(const struct json_object *ali, const struct json_object *eni,
                               const char *private_ip)
{
    bool primary = ali_is(eni, "type", "Primary") && !strcmp(private_ip, ali_eni_primary(eni));
    struct json_object *eip;

    SIM_JSON_EACH(eip, ali_all(ali, ALI_EIP))
    {
        if (ali_is(eip, "instance_id", sim_json_str(eni, "network_interface_id")) &&
            ali_is(eip, "private_ip", private_ip))
            return eip;
        if (primary && *sim_json_str(eni, "instance_id") &&
            ali_is(eip, "instance_id", sim_json_str(eni, "instance_id")))
            return eip;
    }
    return NULL;
}

void ali_eip_link(struct json_object *eip, const char *type, const char *id, const char *private_ip,
                  const char *mode)
{
    sim_json_set_str(eip, "instance_type", type);
    sim_json_set_str(eip, "instance_id", id);
    sim_json_set_str(eip, "private_ip", private_ip);
    sim_json_set_str(eip, "mode", mode);
}

void ali_eip_unlink(struct json_object *eip)
{
    static const char *const members[] = {"instance_type", "instance_id", "private_ip", "mode"};

    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
        json_object_object_del(eip, members[i]);
    sim_json_set_str(eip, "status", "Available");
    ali_settle(eip);
}

/* ---- the list -------------------------------------------------------------------------------- */

static bool wanted(const struct ali_call *call, const struct json_object *eip)
{
    const char *id = ali_text(call, "AllocationId"), *ip = ali_text(call, "EipAddress");
    const char *service = ali_text(call, "ServiceManaged");

    return (!*id || ali_in_list(id, sim_json_str(eip, "allocation_id"))) &&
           (!*ip || ali_in_list(ip, sim_json_str(eip, "ip_address"))) &&
           (!*service ||
            !strcasecmp(service, "true") == sim_json_bool(eip, "service_managed", 0)) &&
           ali_fits(call, "AssociatedInstanceId", eip, "instance_id") &&
           (!*ali_text(call, "AssociatedInstanceId") ||
            ali_fits(call, "AssociatedInstanceType", eip, "instance_type")) &&
           ali_fits(call, "Status", eip, "status") && ali_fits(call, "EipName", eip, "name") &&
           ali_fits(call, "ChargeType", eip, "charge_type") &&
           ali_fits(call, "LockReason", eip, "lock_reason") && ali_fits_tags(call, eip);
}

static struct json_object *locks(const struct json_object *eip)
{
    struct json_object *wrapper = json_object_new_object(), *array = json_object_new_array();
    struct json_object *lock;

    json_object_object_add(wrapper, "LockReason", array);
    if (*sim_json_str(eip, "lock_reason")) {
        lock = json_object_new_object();
        sim_json_set_str(lock, "LockReason", sim_json_str(eip, "lock_reason"));
        json_object_array_add(array, lock);
    }
    return wrapper;
}

static struct json_object *show(const struct ali_call *call, struct json_object *eip)
{
    struct json_object *item = json_object_new_object(), *protection = json_object_new_object();
    const char *type = sim_json_str(eip, "instance_type");

    sim_json_set_str(item, "AllocationId", sim_json_str(eip, "allocation_id"));
    sim_json_set_str(item, "IpAddress", sim_json_str(eip, "ip_address"));
    sim_json_set_str(item, "Status", sim_json_str(eip, "status"));
    sim_json_set_str(item, "InstanceId", sim_json_str(eip, "instance_id"));
    sim_json_set_str(item, "InstanceType", type);
    sim_json_set_str(item, "InstanceRegionId", *type ? call->region : "");
    sim_json_set_str(item, "Mode", sim_json_str(eip, "mode"));
    sim_json_set_str(item, "PrivateIpAddress",
                     strcmp(type, "EcsInstance") ? sim_json_str(eip, "private_ip") : "");
    sim_json_set_str(item, "RegionId", call->region);
    sim_json_set_str(item, "BusinessStatus", sim_json_str(eip, "business_status"));
    sim_json_set_str(item, "ChargeType", sim_json_str(eip, "charge_type"));
    sim_json_set_str(item, "InternetChargeType", "PayByTraffic");
    sim_json_set_str(item, "Bandwidth", sim_json_str(eip, "bandwidth"));
    sim_json_set_str(item, "EipBandwidth", sim_json_str(eip, "bandwidth"));
    sim_json_set_str(item, "ISP", "BGP");
    sim_json_set_str(item, "Netmode", "public");
    sim_json_set_str(item, "BizType", "Default");
    sim_json_set_str(item, "Name", sim_json_str(eip, "name"));
    sim_json_set_str(item, "Description", sim_json_str(eip, "description"));
    sim_json_set_str(item, "AllocationTime", "2026-01-01T00:00:00Z");
    sim_json_set_str(item, "ExpiredTime",
                     ali_is(eip, "charge_type", "PrePaid") ? "2036-01-01T16:00:00Z" : "");
    sim_json_set_str(item, "HDMonitorStatus", "OFF");
    sim_json_set_str(item, "HasReservationData", "false");
    sim_json_set_str(item, "ResourceGroupId", "rg-default");
    sim_json_set_bool(item, "DeletionProtection", false);
    sim_json_set_bool(item, "SecondLimited", false);
    sim_json_set_int(item, "ServiceManaged", sim_json_bool(eip, "service_managed", false));
    json_object_object_add(item, "OperationLocks", locks(eip));
    json_object_object_add(protection, "SecurityProtectionType", json_object_new_array());
    json_object_object_add(item, "SecurityProtectionTypes", protection);
    json_object_object_add(item, "Tags", ali_tags(eip, "Key", "Value"));
    return item;
}

static int list(struct ali_call *call, struct json_object *out, struct ali_error *err)
{
    static const struct ali_list how = {
        .outer = "EipAddresses", .inner = "EipAddress", .size = 10, .size_max = 100};
    const char *ids = ali_text(call, "AllocationId");
    size_t commas = 0;

    for (; *ids; ids++)
        commas += *ids == ',';
    if (commas >= 50)
        return ali_fail_value(err, "AllocationId", "more than 50");
    return ali_list(call, ali_all(call->ali, ALI_EIP), &how, wanted, show, out, err);
}

/* ---- association ----------------------------------------------------------------------------- */

/* What the request binds to, as far as it is settled. */
struct target {
    const char *type, *id, *mode;
    char private_ip[64];
};

static int check_mode(const struct ali_call *call, const struct target *target,
                      const struct json_object *eni, struct ali_error *err)
{
    bool cut_through = !strcmp(target->mode, "BINDED");
    const char *vpc_id = ali_vswitch_vpc(call->ali, sim_json_str(eni, "vswitch_id"));
    struct json_object *eip, *gateway;
    size_t bound = 0;

    SIM_JSON_EACH(eip, ali_all(call->ali, ALI_EIP))
    {
        if (!ali_is(eip, "instance_id", target->id))
            continue;
        bound++;
        if (!ali_is(eip, "mode", target->mode) || cut_through)
            return ali_fail(err, 400, "InvalidBindingStatus",
                            "The network interface has an EIP in the mode %.32s.",
                            sim_json_str(eip, "mode"));
    }
    if (!strcmp(target->mode, "MULTI_BINDED") && bound >= MULTI_MAX)
        return ali_fail(err, 400, "QuotaExceeded.EipPerEni",
                        "The number of EIPs of the network interface exceeds the quota.");
    if (!cut_through)
        return 0;
    if (!ali_in_state(eni, "Available"))
        return ali_fail(err, 400, "InvalidStatus.EniStatusNotSupport",
                        "The network interface must not be attached to an instance.");
    if (strcmp(target->private_ip, ali_eni_primary(eni)) != 0)
        return ali_fail_value(err, "PrivateIpAddress", target->private_ip);
    SIM_JSON_EACH(gateway, ali_all(call->ali, ALI_GATEWAY))
    if (ali_is(gateway, "vpc_id", vpc_id))
        return ali_fail(err, 400, "OperationDenied.Ipv4GatewayExist",
                        "The VPC of the network interface has an IPv4 gateway.");
    return 0;
}

static int target_eni(const struct ali_call *call, struct target *target, struct ali_error *err)
{
    const struct json_object *eni = ali_find(call->ali, ALI_ENI, target->id);
    const char *private_ip = ali_text(call, "PrivateIpAddress");

    if (!eni)
        return ali_fail(err, 404, "InvalidInstanceId.NotFound",
                        "Specified instance does not exist.");
    if (ali_is(eni, "type", "Primary"))
        return ali_fail(err, 400, "InvalidOperation.InvalidEniType",
                        "A primary network interface gets its EIP through its instance.");
    if (sim_json_bool(eni, "service_managed", false))
        return ali_fail(err, 403, "OperationUnsupported.ServiceManaged",
                        "The network interface belongs to a cloud service.");
    if (!ali_in_state(eni, "Available InUse"))
        return ali_fail(err, 400, "InvalidStatus.EniStatusNotSupport",
                        "The status of the network interface does not support this operation.");
    snprintf(target->private_ip, sizeof(target->private_ip), "%s",
             *private_ip ? private_ip : ali_eni_primary(eni));
    if (!ali_eni_has_ip(eni, target->private_ip))
        return ali_fail_value(err, "PrivateIpAddress", target->private_ip);
    if (!ali_in_list("NAT,BINDED,MULTI_BINDED", target->mode))
        return ali_fail_value(err, "Mode", target->mode);
    if (ali_eip_on(call->ali, eni, target->private_ip) && strcmp(target->mode, "MULTI_BINDED") != 0)
        return ali_fail(err, 400, "InvalidAssociation.Duplicated",
                        "The private IP address already has an EIP.");
    return check_mode(call, target, eni, err);
}

static int target_instance(const struct ali_call *call, struct target *target,
                           struct ali_error *err)
{
    const struct json_object *instance = ali_find(call->ali, ALI_INSTANCE, target->id);
    struct json_object *eni = ali_instance_primary(call->ali, target->id);

    if (!instance || !eni)
        return ali_fail(err, 404, "InvalidInstanceId.NotFound",
                        "Specified instance does not exist.");
    if (!ali_in_state(instance, "Running Stopped"))
        return ali_fail(err, 400, "IncorrectInstanceStatus",
                        "The current status of instance does not support this operation.");
    if (*sim_json_str(instance, "public_ip"))
        return ali_fail(err, 400, "InvalidStatus.InstanceHasBandWidth",
                        "The instance has a public IP address.");
    snprintf(target->private_ip, sizeof(target->private_ip), "%s", ali_eni_primary(eni));
    if (ali_eip_on(call->ali, eni, target->private_ip))
        return ali_fail(err, 400, "InvalidAssociation.Duplicated",
                        "Specified instance already is associated.");
    return 0;
}

static int target_havip(const struct ali_call *call, struct target *target, struct ali_error *err)
{
    const struct json_object *havip = ali_find(call->ali, ALI_HAVIP, target->id);

    if (!havip)
        return ali_fail(err, 404, "InvalidHaVipId.NotFound", "Specified HaVip does not exist.");
    if (!ali_in_state(havip, "Available InUse"))
        return ali_fail(err, 400, "IncorrectHaVipStatus",
                        "This operation is denied because status of the specified HaVip is neither "
                        "Available nor InUse.");
    if (sim_json_find(ali_all(call->ali, ALI_EIP), "instance_id", target->id))
        return ali_fail(err, 400, "InvalidAssociation.Duplicated",
                        "Specified instance already is associated.");
    snprintf(target->private_ip, sizeof(target->private_ip), "%s",
             sim_json_str(havip, "ip_address"));
    return 0;
}

static int find_target(const struct ali_call *call, struct target *target, struct ali_error *err)
{
    *target = (struct target){
        .type = *ali_text(call, "InstanceType") ? ali_text(call, "InstanceType") : "EcsInstance",
        .id = ali_text(call, "InstanceId"),
        .mode = *ali_text(call, "Mode") ? ali_text(call, "Mode") : "NAT",
    };
    if (!strcmp(target->type, "NetworkInterface"))
        return target_eni(call, target, err);
    target->mode = "NAT";
    if (!strcmp(target->type, "EcsInstance"))
        return target_instance(call, target, err);
    if (!strcmp(target->type, "HaVip"))
        return target_havip(call, target, err);
    if (!strcmp(target->type, "Nat") && ali_find(call->ali, ALI_NAT, target->id))
        return 0;
    return ali_fail(err, 400, "InvalidInstanceType.ValueNotSupported",
                    "The specified value of InstanceType is not supported.");
}

static int check_eip(const struct json_object *eip, const char *states, struct ali_error *err)
{
    if (sim_json_bool(eip, "service_managed", false))
        return ali_fail(err, 403, "OperationUnsupported.ServiceManaged",
                        "The EIP belongs to a cloud service.");
    if (!ali_is(eip, "business_status", "Normal"))
        return ali_fail(err, 400, "InvalidEipStatus.OperationLock", "The EIP is locked.");
    return ali_in_state(eip, states)
               ? 0
               : ali_fail(err, 400, "IncorrectEipStatus",
                          "Current elastic IP status does not support this operation.");
}

static int associate(struct ali_call *call, struct json_object *out, struct ali_error *err)
{
    struct json_object *eip = ali_need(call, ALI_EIP, "AllocationId", err);
    struct target target;

    (void)out;
    if (!eip)
        return -1;
    if (ali_in_state(eip, "InUse") && ali_is(eip, "instance_id", ali_text(call, "InstanceId")))
        return ali_fail(err, 400, "InvalidAssociation.Duplicated",
                        "The EIP is already associated with the specified instance.");
    if (check_eip(eip, "Available", err) || find_target(call, &target, err))
        return -1;
    ali_eip_link(eip, target.type, target.id, target.private_ip, target.mode);
    ali_begin(call, sim_json_str(eip, "allocation_id"), "Associating", ali_next("InUse"));
    return 0;
}

static struct json_object *unbound(void)
{
    struct json_object *next = ali_next("Available");

    json_object_object_add(next, "instance_type", NULL);
    json_object_object_add(next, "instance_id", NULL);
    json_object_object_add(next, "private_ip", NULL);
    json_object_object_add(next, "mode", NULL);
    return next;
}

static int unassociate(struct ali_call *call, struct json_object *out, struct ali_error *err)
{
    struct json_object *eip = ali_need(call, ALI_EIP, "AllocationId", err), *entry;
    const char *type = ali_text(call, "InstanceType"), *id = ali_text(call, "InstanceId");
    const char *private_ip = ali_text(call, "PrivateIpAddress");

    (void)out;
    if (!eip || check_eip(eip, "InUse", err))
        return -1;
    if (!ali_is(eip, "instance_type", *type ? type : "EcsInstance"))
        return ali_fail(err, 400, "InvalidInstanceType.ValueNotSupported",
                        "The specified value of InstanceType is not supported.");
    if (*id && !ali_is(eip, "instance_id", id))
        return ali_fail(err, 404, "InvalidParams.NotFound", "Specified instance does not exist.");
    if (*private_ip && !ali_is(eip, "private_ip", private_ip))
        return ali_fail_value(err, "PrivateIpAddress", private_ip);
    SIM_JSON_EACH(entry, ali_all(call->ali, ALI_SNAT))
    if (ali_is(entry, "snat_ip", sim_json_str(eip, "ip_address")) && !ali_param_true(call, "Force"))
        return ali_fail(err, 400, "InvalidIpStatus.HasBeenUsedBySnatTable",
                        "The EIP is used by an SNAT entry.");
    ali_begin(call, sim_json_str(eip, "allocation_id"), "Unassociating", unbound());
    return 0;
}

const struct ali_action ali_eip_actions[] = {
    {"vpc", "DescribeEipAddresses", list, ALI_READS | ALI_DRYRUN,
     "!RegionId AllocationId EipAddress EipName AssociatedInstanceId AssociatedInstanceType "
     "ChargeType Status LockReason ServiceManaged ISP IncludeReservationData PublicIpAddressPoolId "
     "ResourceGroupId SecurityProtectionEnabled SegmentInstanceId PageNumber PageSize Filter.N.* "
     "Tag.N.*",
     ""},
    {"vpc", "AssociateEipAddress", associate, ALI_CHANGES | ALI_TOKEN,
     "RegionId !AllocationId !InstanceId InstanceType InstanceRegionId Mode PrivateIpAddress VpcId",
     "AllocationId:eip InstanceId:target"},
    {"vpc", "UnassociateEipAddress", unassociate, ALI_CHANGES | ALI_TOKEN,
     "RegionId !AllocationId InstanceId InstanceType PrivateIpAddress Force",
     "AllocationId:eip InstanceId:target"},
    {0},
};
