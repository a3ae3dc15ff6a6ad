/* kit/cloud/aliyun/egress_facts.c - what lies around the instance: the SNAT entry that it leaves
 * by, and what else the rules ask about. */
#include <stdlib.h>

#include "kit/base/mem.h"
#include "kit/base/str.h"
#include "kit/cloud/aliyun/egress.h"
#include "kit/cloud/aliyun/ops_eni.h"
#include "kit/cloud/aliyun/route_table.h"

/* ---- SNAT ------------------------------------------------------------------------------------ */

struct gateways {
    char (*id)[KIT_ID]; /* owned */
    size_t count;
    const char *vpc; /* of this one */
};

/* Those that lead to the Internet and are at rest. */
static int take_gateways(void *arg, const struct kit_json_node *root, struct kit_err *err)
{
    struct gateways *list = arg;
    size_t count = ali_list_count(root, "NatGateways", "NatGateway");

    (void)err;
    for (size_t i = 0; i < count; i++) {
        const struct kit_json_node *item = ali_list_at(root, "NatGateways", "NatGateway", i);
        char id[KIT_ID], status[24], network[24], vpc[KIT_ID];

        (void)ali_text(item, "Status", status, sizeof(status));
        (void)ali_text(item, "NetworkType", network, sizeof(network));
        if (!ali_text(item, "NatGatewayId", id, sizeof(id)) ||
            !kit_str_eq_nocase(status, "Available") || kit_str_eq_nocase(network, "intranet"))
            continue;
        /* Another VPC's: the endpoint passed over what was asked. */
        if (ali_text(item, "VpcId", vpc, sizeof(vpc)) && vpc[0] && !kit_str_eq(vpc, list->vpc))
            continue;
        list->id = kit_mem_grow(list->id, list->count + 1, sizeof(*list->id));
        (void)kit_str_copy(list->id[list->count++], KIT_ID, id);
    }
    return 0;
}

/* Does it hold for what the primary ENI sends? */
static bool covers(const struct ali_egress *e, const struct kit_json_node *item)
{
    char vswitch[KIT_ID], eni[KIT_ID], text[KIT_CIDR_TEXT], own[KIT_ADDR_TEXT];
    struct kit_cidr cidr;
    struct kit_addr addr;

    (void)ali_text(item, "NetworkInterfaceId", eni, sizeof(eni));
    if (eni[0])
        return kit_str_eq(eni, e->primary->id);
    (void)ali_text(item, "SourceVSwitchId", vswitch, sizeof(vswitch));
    if (vswitch[0])
        return kit_str_eq(vswitch, e->primary->vswitch);
    return ali_text(item, "SourceCIDR", text, sizeof(text)) && kit_cidr_parse(text, &cidr) &&
           ali_eni_primary_text(e->primary, own) && kit_addr_parse(own, &addr) &&
           kit_cidr_contains(&cidr, &addr);
}

struct entries {
    struct ali_egress *e;
    const char *gateway; /* theirs */
};

/* An entry may leave its gateway out, which is the one that was asked about. */
static bool is_of(const struct kit_json_node *item, const char *gateway)
{
    char id[KIT_ID];

    return !ali_text(item, "NatGatewayId", id, sizeof(id)) || !id[0] || kit_str_eq(id, gateway);
}

/* The first one that is Available, else the first. */
static int take_entries(void *arg, const struct kit_json_node *root, struct kit_err *err)
{
    const struct entries *entries = arg;
    struct ali_egress *e = entries->e;
    size_t count = ali_list_count(root, "SnatTableEntries", "SnatTableEntry");

    (void)err;
    for (size_t i = 0; i < count; i++) {
        const struct kit_json_node *item =
            ali_list_at(root, "SnatTableEntries", "SnatTableEntry", i);
        char status[sizeof(e->snat.status)];

        (void)ali_text(item, "Status", status, sizeof(status));
        if (!is_of(item, entries->gateway) || !covers(e, item) ||
            (e->snat.id[0] && !kit_str_eq_nocase(status, "Available")) ||
            kit_str_eq_nocase(e->snat.status, "Available"))
            continue;
        if (!ali_text(item, "SnatEntryId", e->snat.id, sizeof(e->snat.id)) ||
            !ali_text(item, "SnatIp", e->snat.ip, sizeof(e->snat.ip))) {
            e->snat.id[0] = '\0';
            continue;
        }
        (void)kit_str_copy(e->snat.gateway, sizeof(e->snat.gateway), entries->gateway);
        (void)kit_str_copy(e->snat.status, sizeof(e->snat.status), status);
    }
    return 0;
}

static int find_entries(struct ali_cloud *cloud, struct ali_egress *e, const char *gateway,
                        struct kit_deadline by, struct kit_err *err)
{
    struct entries entries = {e, gateway};
    struct ali_rpc r;
    int rc;

    ali_rpc_init(&r, cloud, &ali_vpc, "DescribeSnatTableEntries", ALI_READS);
    ali_rpc_param(&r, "NatGatewayId", gateway);
    rc = ali_rpc_pages(&r, ALI_PAGES_NUMBER, 50, by, take_entries, &entries, err);
    ali_rpc_done(&r);
    return rc;
}

int ali_egress_find_snat(struct ali_cloud *cloud, struct ali_egress *e, struct kit_deadline by,
                         struct kit_err *err)
{
    struct gateways list = {.vpc = e->convert.instance.vpc};
    struct ali_rpc r;
    int rc;

    ali_rpc_init(&r, cloud, &ali_vpc, "DescribeNatGateways", ALI_READS);
    ali_rpc_param(&r, "VpcId", e->convert.instance.vpc);
    rc = ali_rpc_pages(&r, ALI_PAGES_NUMBER, 50, by, take_gateways, &list, err);
    ali_rpc_done(&r);
    e->snat.gateways = list.count;
    for (size_t i = 0; i < list.count && !rc; i++)
        rc = find_entries(cloud, e, list.id[i], by, err);
    free(list.id);
    return rc;
}

/* ---- vSwitches ------------------------------------------------------------------------------- */

static int read_vswitch(struct ali_cloud *cloud, const char *id, struct kit_deadline by,
                        struct ali_vswitch *ret_vswitch, struct kit_err *err)
{
    struct ali_rpc r;
    int rc;

    ali_vswitch_call(&r, cloud, id);
    rc = ali_rpc_run(&r, by, err);
    if (!rc && !ali_vswitch_take(&r, id, ret_vswitch))
        rc = kit_err_set(err, KIT_ERR_NOT_FOUND,
                         "DescribeVSwitches: no vSwitch %s in this account and region", id);
    ali_rpc_done(&r);
    return rc;
}

/* Where the primary ENI's default route leads. */
static int find_way_out(struct ali_cloud *cloud, struct ali_egress *e, struct kit_deadline by,
                        struct kit_err *err)
{
    struct ali_vswitch own = {.id = ""};
    struct ali_route_entry entry;
    struct kit_cidr everywhere;
    bool found;

    if (read_vswitch(cloud, e->primary->vswitch, by, &own, err))
        return -1;
    if (!own.table[0] || !kit_cidr_parse("0.0.0.0/0", &everywhere))
        return 0;
    if (ali_route_entry_read(cloud, own.table, &everywhere, by, &found, &entry, err))
        return -1;
    e->way_out_known = true;
    if (found) {
        (void)kit_str_copy(e->way_out, sizeof(e->way_out), entry.hop);
        (void)kit_str_copy(e->way_out_type, sizeof(e->way_out_type), entry.hop_type);
    }
    return 0;
}

/* ---- of the ENI that is to be created -------------------------------------------------------- */

static void take_groups(struct ali_egress *e, const struct kit_json_node *root)
{
    size_t count = ali_list_count(root, "SecurityGroups", "SecurityGroup");

    for (size_t i = 0; i < count; i++) {
        const struct kit_json_node *item = ali_list_at(root, "SecurityGroups", "SecurityGroup", i);
        char id[KIT_ID], vpc[KIT_ID];

        if (!ali_text(item, "SecurityGroupId", id, sizeof(id)) ||
            (ali_text(item, "VpcId", vpc, sizeof(vpc)) &&
             !kit_str_eq(vpc, e->convert.instance.vpc)))
            continue;
        for (size_t k = 0; k < e->groups; k++)
            e->groups_found += kit_str_eq(id, e->group[k]);
    }
}

static int find_groups(struct ali_cloud *cloud, struct ali_egress *e, struct kit_deadline by,
                       struct kit_err *err)
{
    struct ali_rpc r;
    int rc;

    ali_op_groups_call(&r, cloud, e->group);
    ali_rpc_param(&r, "VpcId", e->convert.instance.vpc);
    rc = ali_rpc_run(&r, by, err);
    if (!rc)
        take_groups(e, ali_rpc_root(&r));
    ali_rpc_done(&r);
    e->groups_known = !rc;
    return rc;
}

static int find_idle(struct ali_cloud *cloud, struct ali_egress *e, struct kit_deadline by,
                     struct kit_err *err)
{
    struct ali_rpc r;
    int rc;

    ali_vswitch_idle_call(&r, cloud, e->new_vswitch, e->wish->address);
    rc = ali_rpc_run(&r, by, err);
    e->address_known = !rc;
    e->address_idle = !rc && ali_vswitch_idle_take(&r);
    ali_rpc_done(&r);
    return rc;
}

static int find_for_creation(struct ali_cloud *cloud, struct ali_egress *e, struct kit_deadline by,
                             struct kit_err *err)
{
    if (e->groups && find_groups(cloud, e, by, err))
        return -1;
    if (e->wish->address && e->vswitch.cidr.addr.family &&
        kit_cidr_contains(&e->vswitch.cidr, e->wish->address))
        return find_idle(cloud, e, by, err);
    return 0;
}

int ali_egress_find_evidence(struct ali_cloud *cloud, struct ali_egress *e, struct kit_deadline by,
                             struct kit_err *err)
{
    bool attached = e->eni && kit_str_eq(e->eni->node, e->instance);

    if (find_way_out(cloud, e, by, err) ||
        read_vswitch(cloud, e->eni ? e->eni->vswitch : e->new_vswitch, by, &e->vswitch, err))
        return -1;
    if (!e->eni && find_for_creation(cloud, e, by, err))
        return -1;
    if (!attached)
        ali_quota_find(cloud, e->convert.instance.type, ali_quota_by(cloud, by), &e->quota);
    return 0;
}
