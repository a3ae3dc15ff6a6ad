/* Elastic IP addresses come and go; and what is told about those of the multi-EIP mode. */
#include <stdio.h>
#include <string.h>
#include "ali.h"

static int gateway_info(struct ali_call *call, struct json_object *out, struct ali_error *err)
{
    struct json_object *wrapper = json_object_new_object(), *array = json_object_new_array();
    struct json_object *eip;
    const char *id = ali_text(call, "InstanceId");

    json_object_object_add(wrapper, "EipInfo", array);
    json_object_object_add(out, "EipInfos", wrapper);
    if (!ali_find(call->ali, ALI_ENI, id))
        return ali_fail(err, 404, "InvalidInstanceId.NotFound",
                        "Specified instance does not exist.");
    SIM_JSON_EACH(eip, ali_all(call->ali, ALI_EIP))
    {
        const char *ip = sim_json_str(eip, "ip_address");
        struct json_object *info;
        char gateway[64];

        if (!ali_is(eip, "instance_id", id) || !ali_is(eip, "mode", "MULTI_BINDED") ||
            !ali_in_state(eip, "InUse"))
            continue;
        /* the last address but one of its /24 */
        snprintf(gateway, sizeof(gateway), "%.*s253",
                 strrchr(ip, '.') ? (int)(strrchr(ip, '.') - ip) + 1 : 0, ip);
        info = json_object_new_object();
        sim_json_set_str(info, "Ip", ip);
        sim_json_set_str(info, "IpMask", "255.255.255.0");
        sim_json_set_str(info, "IpGw", gateway);
        json_object_array_add(array, info);
    }
    sim_json_set_str(out, "Code", "200");
    sim_json_set_str(out, "Message", "successful");
    return 0;
}

static int allocate(struct ali_call *call, struct json_object *out, struct ali_error *err)
{
    struct json_object *eip = json_object_new_object(), *all = ali_all(call->ali, ALI_EIP);
    char id[ALI_ID_MAX], ip[64] = "";

    for (unsigned last = 1; last < 255; last++) { /* 203.0.113.0/24 is for documentation */
        snprintf(ip, sizeof(ip), "203.0.113.%u", last);
        if (!sim_json_find(all, "ip_address", ip))
            break;
        *ip = '\0';
    }
    if (!*ip) {
        json_object_put(eip);
        return ali_fail(err, 400, "QuotaExceeded.Eip", "Elastic IP address quota exceeded.");
    }
    ali_new_id(call->world, "eip", id, sizeof(id));
    sim_json_set_str(eip, "allocation_id", id);
    sim_json_set_str(eip, "ip_address", ip);
    sim_json_set_str(eip, "status", "Available");
    sim_json_set_str(eip, "charge_type", "PostPaid");
    sim_json_set_str(eip, "business_status", "Normal");
    sim_json_set_str(eip, "bandwidth",
                     *ali_text(call, "Bandwidth") ? ali_text(call, "Bandwidth") : "5");
    sim_json_set_str(eip, "name", ali_text(call, "Name"));
    sim_json_set_str(eip, "description", ali_text(call, "Description"));
    json_object_array_add(all, eip);
    sim_json_set_str(out, "AllocationId", id);
    sim_json_set_str(out, "EipAddress", ip);
    sim_json_set_str(out, "ResourceGroupId", "rg-default");
    return 0;
}

static int release(struct ali_call *call, struct json_object *out, struct ali_error *err)
{
    struct json_object *eip = ali_need(call, ALI_EIP, "AllocationId", err);

    (void)out;
    if (!eip)
        return -1;
    if (!ali_in_state(eip, "Available") || ali_is(eip, "charge_type", "PrePaid"))
        return ali_fail(err, 400, "IncorrectEipStatus",
                        "Current elastic IP status does not support this operation.");
    ali_begin(call, sim_json_str(eip, "allocation_id"), "Releasing", NULL);
    return 0;
}

static int modify(struct ali_call *call, struct json_object *out, struct ali_error *err)
{
    struct json_object *eip = ali_need(call, ALI_EIP, "AllocationId", err);

    (void)out;
    if (!eip)
        return -1;
    if (ali_param(call, "Bandwidth"))
        sim_json_set_str(eip, "bandwidth", ali_text(call, "Bandwidth"));
    if (ali_param(call, "Name"))
        sim_json_set_str(eip, "name", ali_text(call, "Name"));
    if (ali_param(call, "Description"))
        sim_json_set_str(eip, "description", ali_text(call, "Description"));
    return 0;
}

const struct ali_action ali_eip_more_actions[] = {
    {"vpc", "DescribeEipGatewayInfo", gateway_info, ALI_READS, "!RegionId !InstanceId", ""},
    {"vpc", "AllocateEipAddress", allocate, ALI_CHANGES | ALI_TOKEN,
     "!RegionId Bandwidth Name Description InternetChargeType InstanceChargeType ISP Netmode "
     "ResourceGroupId AutoPay Period PricingCycle",
     ""},
    {"vpc", "ReleaseEipAddress", release, ALI_CHANGES, "RegionId !AllocationId",
     "AllocationId:eip"},
    {"vpc", "ModifyEipAddressAttribute", modify, ALI_CHANGES,
     "RegionId !AllocationId Bandwidth Name Description", "AllocationId:eip"},
    {0},
};
