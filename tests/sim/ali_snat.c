/* NAT gateways and their SNAT entries. */
#include <string.h>
#include "ali.h"

static struct json_object *show_nat(const struct ali_call *call, struct json_object *nat)
{
    struct json_object *item = json_object_new_object(), *tables = json_object_new_array();
    struct json_object *ips = json_object_new_array(), *wrapper = json_object_new_object(), *eip;

    sim_json_set_str(item, "NatGatewayId", sim_json_str(nat, "nat_gateway_id"));
    sim_json_set_str(item, "Name", sim_json_str(nat, "name"));
    sim_json_set_str(item, "VpcId", sim_json_str(nat, "vpc_id"));
    sim_json_set_str(item, "RegionId", call->region);
    sim_json_set_str(item, "Status", sim_json_str(nat, "status"));
    sim_json_set_str(item, "NatType", "Enhanced");
    sim_json_set_str(item, "NetworkType", "internet");
    json_object_array_add(tables, json_object_new_string(sim_json_str(nat, "snat_table_id")));
    json_object_object_add(item, "SnatTableIds", ali_wrap("SnatTableId", tables));
    json_object_put(tables);
    SIM_JSON_EACH(eip, ali_all(call->ali, ALI_EIP))
    {
        struct json_object *ip;

        if (!ali_is(eip, "instance_id", sim_json_str(nat, "nat_gateway_id")))
            continue;
        ip = json_object_new_object();
        sim_json_set_str(ip, "AllocationId", sim_json_str(eip, "allocation_id"));
        sim_json_set_str(ip, "IpAddress", sim_json_str(eip, "ip_address"));
        sim_json_set_str(
            ip, "UsingStatus",
            sim_json_find(ali_all(call->ali, ALI_SNAT), "snat_ip", sim_json_str(eip, "ip_address"))
                ? "UsedBySnatTable"
                : "Idle");
        json_object_array_add(ips, ip);
    }
    json_object_object_add(wrapper, "IpList", ips);
    json_object_object_add(item, "IpLists", wrapper);
    return item;
}

static bool nat_wanted(const struct ali_call *call, const struct json_object *nat)
{
    return ali_fits(call, "VpcId", nat, "vpc_id") &&
           ali_fits(call, "NatGatewayId", nat, "nat_gateway_id") &&
           ali_fits(call, "Name", nat, "name") && ali_fits(call, "Status", nat, "status");
}

static int list_nats(struct ali_call *call, struct json_object *out, struct ali_error *err)
{
    static const struct ali_list how = {
        .outer = "NatGateways", .inner = "NatGateway", .size = 10, .size_max = 50};

    return ali_list(call, ali_all(call->ali, ALI_NAT), &how, nat_wanted, show_nat, out, err);
}

static const struct json_object *nat_of(const struct ali_call *call,
                                        const struct json_object *entry)
{
    return sim_json_find(ali_all(call->ali, ALI_NAT), "snat_table_id",
                         sim_json_str(entry, "snat_table_id"));
}

static struct json_object *show_entry(const struct ali_call *call, struct json_object *entry)
{
    struct json_object *item = json_object_new_object();

    sim_json_set_str(item, "SnatEntryId", sim_json_str(entry, "snat_entry_id"));
    sim_json_set_str(item, "SnatEntryName", sim_json_str(entry, "name"));
    sim_json_set_str(item, "SnatTableId", sim_json_str(entry, "snat_table_id"));
    sim_json_set_str(item, "NatGatewayId", sim_json_str(nat_of(call, entry), "nat_gateway_id"));
    sim_json_set_str(item, "SnatIp", sim_json_str(entry, "snat_ip"));
    sim_json_set_str(item, "SourceVSwitchId", sim_json_str(entry, "source_vswitch_id"));
    sim_json_set_str(item, "SourceCIDR", sim_json_str(entry, "source_cidr"));
    sim_json_set_str(item, "Status", sim_json_str(entry, "status"));
    return item;
}

static bool entry_wanted(const struct ali_call *call, const struct json_object *entry)
{
    return ali_fits(call, "SnatTableId", entry, "snat_table_id") &&
           ali_fits(call, "NatGatewayId", nat_of(call, entry), "nat_gateway_id") &&
           ali_fits(call, "SnatEntryId", entry, "snat_entry_id") &&
           ali_fits(call, "SnatEntryName", entry, "name") &&
           ali_fits(call, "SnatIp", entry, "snat_ip") &&
           ali_fits(call, "SourceVSwitchId", entry, "source_vswitch_id") &&
           ali_fits(call, "SourceCIDR", entry, "source_cidr");
}

static int list_entries(struct ali_call *call, struct json_object *out, struct ali_error *err)
{
    static const struct ali_list how = {
        .outer = "SnatTableEntries", .inner = "SnatTableEntry", .size = 10, .size_max = 50};

    if (!*ali_text(call, "SnatTableId") && !*ali_text(call, "NatGatewayId"))
        return ali_fail(err, 400, "MissingParameter", "SnatTableId or NatGatewayId must be given.");
    return ali_list(call, ali_all(call->ali, ALI_SNAT), &how, entry_wanted, show_entry, out, err);
}

/* An EIP of the gateway, a source of its VPC, no HAVIP in the vSwitch, no other entry for it. */
static int check_entry(struct ali_call *call, const struct json_object *nat, struct ali_error *err)
{
    const char *vswitch = ali_text(call, "SourceVSwitchId"), *cidr = ali_text(call, "SourceCIDR");
    const struct json_object *eip =
        sim_json_find(ali_all(call->ali, ALI_EIP), "ip_address", ali_text(call, "SnatIp"));
    struct json_object *entry;

    if (!ali_is(eip, "instance_id", sim_json_str(nat, "nat_gateway_id")))
        return ali_fail(err, 400, "InvalidSnatIp.NotFound",
                        "The specified SnatIp is not an EIP of the NAT gateway.");
    if (!*vswitch == !*cidr)
        return ali_fail(err, 400, "InvalidParameter",
                        "One of SourceVSwitchId and SourceCIDR must be given.");
    if (*vswitch &&
        !ali_is(ali_find(call->ali, ALI_VSWITCH, vswitch), "vpc_id", sim_json_str(nat, "vpc_id")))
        return ali_fail(err, 404, "InvalidVSwitchId.NotFound",
                        "The specified vSwitch does not exist in the VPC of the NAT gateway.");
    if (*vswitch && sim_json_find(ali_all(call->ali, ALI_HAVIP), "vswitch_id", vswitch))
        return ali_fail(err, 400, "OperationFailed.VSwitchHasHaVip",
                        "A vSwitch that holds an HaVip cannot have an SNAT entry.");
    SIM_JSON_EACH(entry, ali_all(call->ali, ALI_SNAT))
    if ((*vswitch && ali_is(entry, "source_vswitch_id", vswitch)) ||
        (*cidr && ali_is(entry, "source_cidr", cidr)))
        return ali_fail(err, 400, "EntryAlreadyExist", "The source has an SNAT entry.");
    return 0;
}

static int create(struct ali_call *call, struct json_object *out, struct ali_error *err)
{
    const char *table = ali_text(call, "SnatTableId");
    const struct json_object *nat =
        sim_json_find(ali_all(call->ali, ALI_NAT), "snat_table_id", table);
    struct json_object *entry;
    char id[ALI_ID_MAX];

    if (!nat)
        return ali_fail(err, 404, "InvalidSnatTableId.NotFound",
                        "Specified SNAT table does not exist.");
    if (check_entry(call, nat, err))
        return -1;
    entry = json_object_new_object();
    ali_new_id(call->world, "snat", id, sizeof(id));
    sim_json_set_str(entry, "snat_entry_id", id);
    sim_json_set_str(entry, "snat_table_id", table);
    sim_json_set_str(entry, "snat_ip", ali_text(call, "SnatIp"));
    sim_json_set_str(entry, "source_vswitch_id", ali_text(call, "SourceVSwitchId"));
    sim_json_set_str(entry, "source_cidr", ali_text(call, "SourceCIDR"));
    sim_json_set_str(entry, "name", ali_text(call, "SnatEntryName"));
    json_object_array_add(ali_all(call->ali, ALI_SNAT), entry);
    ali_begin(call, id, "Pending", ali_next("Available"));
    sim_json_set_str(out, "SnatEntryId", id);
    return 0;
}

static int delete (struct ali_call *call, struct json_object *out, struct ali_error *err)
{
    struct json_object *entry = ali_need(call, ALI_SNAT, "SnatEntryId", err);

    (void)out;
    if (!entry)
        return -1;
    if (!ali_in_state(entry, "Available"))
        return ali_fail(err, 400, "IncorretSnatEntryStatus",
                        "Some SNAT entry status blocked this operation.");
    ali_begin(call, sim_json_str(entry, "snat_entry_id"), "Deleting", NULL);
    return 0;
}

const struct ali_action ali_snat_actions[] = {
    {"vpc", "DescribeNatGateways", list_nats, ALI_READS | ALI_DRYRUN,
     "!RegionId VpcId NatGatewayId Name Status NatType NetworkType InstanceChargeType Spec ZoneId "
     "ResourceGroupId PageNumber PageSize Tag.N.*",
     ""},
    {"vpc", "DescribeSnatTableEntries", list_entries, ALI_READS,
     "!RegionId SnatTableId NatGatewayId SnatEntryId SnatEntryName SnatIp SourceCIDR "
     "SourceVSwitchId NetworkInterfaceIds.N PageNumber PageSize",
     ""},
    {"vpc", "CreateSnatEntry", create, ALI_CHANGES | ALI_DRYRUN | ALI_TOKEN,
     "!RegionId !SnatTableId !SnatIp SourceVSwitchId SourceCIDR SnatEntryName EipAffinity "
     "NetworkInterfaceId",
     ""},
    {"vpc", "DeleteSnatEntry", delete, ALI_CHANGES | ALI_TOKEN,
     "!RegionId !SnatTableId !SnatEntryId", ""},
    {0},
};
