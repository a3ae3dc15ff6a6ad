/* elastic-ip: what only warnings want to know, read for plan. */
#include <string.h>

#include "kit/base/str.h"
#include "kit/cloud/aliyun/eip.h"
#include "kit/sys/netlink.h"

static int run(struct ali_rpc *r, struct ali_cloud *cloud, struct kit_deadline by, char why[320])
{
    struct kit_err err;

    r->call.max_tries = ALI_QUOTA_TRIES;
    if (!ali_rpc_run(r, ali_quota_by(cloud, by), &err))
        return 0;
    (void)kit_str_copy(why, 320, err.msg);
    return -1;
}

/* ---- room on the instance -------------------------------------------------------------------- */

static const char *node_of(const struct ali_eip_target *t)
{
    return t->me.node[0] ? t->me.node : t->eni->node;
}

/* An ENI that is on no instance names none: then the metadata service says which this one is. */
static int find_node(struct ali_cloud *cloud, struct ali_eip_target *t, struct kit_deadline by)
{
    struct kit_me me;
    struct kit_err err;

    if (node_of(t)[0])
        return 0;
    if (ali_me_find(cloud, t->query->settings, ALI_ME_NODE, ali_quota_by(cloud, by), &me, &err)) {
        (void)kit_str_copy(t->advice.room_why, sizeof(t->advice.room_why), err.msg);
        return -1;
    }
    (void)kit_str_copy(t->me.node, sizeof(t->me.node), me.node);
    return 0;
}

static void read_room(struct ali_cloud *cloud, struct ali_eip_target *t, struct kit_deadline by)
{
    struct ali_eip_advice *a = &t->advice;
    struct ali_instance instance = {0};
    const char *id;
    struct ali_rpc r;

    if (find_node(cloud, t, by))
        return;
    id = node_of(t);
    ali_instances_call(&r, cloud, &id, 1);
    if (!run(&r, cloud, by, a->room_why) && !ali_instances_take(&r, id, &instance))
        (void)kit_str_format(a->room_why, sizeof(a->room_why),
                             "DescribeInstances does not tell of %s", id);
    ali_rpc_done(&r);
    if (a->room_why[0])
        return;
    a->enis = instance.enis;
    ali_quota_find(cloud, instance.type, by, &a->quota);
    if (a->quota.enis < 0 || a->quota.ipv4_of_eni < 0)
        (void)kit_str_copy(a->room_why, sizeof(a->room_why), a->quota.why);
}

/* An ENI that is not here wants a place on the instance, a private address one on the ENI. */
enum kit_rule_answer ali_eip_check_room(const void *evidence, struct kit_buf *detail)
{
    const struct ali_eip_target *t = evidence;
    const struct ali_eip_advice *a = &t->advice;
    struct kit_addr wanted;
    int64_t used = 0;

    if (!a->asked || t->right)
        return KIT_RULE_NOT_KNOWN;
    if (a->room_why[0]) {
        (void)kit_buf_puts(detail, a->room_why);
        return KIT_RULE_NOT_KNOWN;
    }
    if (t->eni->state != ALI_ENI_IN_USE) {
        (void)kit_buf_printf(detail, "%s is on no instance, and %s (%s) has %zu interfaces of %lld",
                             t->eni->id, node_of(t), a->quota.type, a->enis,
                             (long long)a->quota.enis);
        return ali_quota_check((int64_t)a->enis, a->quota.enis);
    }
    if (!ali_eip_wanted_private(t, &wanted) || ali_eni_address(t->eni, &wanted))
        return KIT_RULE_HOLDS;
    for (size_t i = 0; i < t->eni->addresses; i++)
        used += t->eni->address[i].addr.family == 4;
    (void)kit_buf_printf(detail, "%s lacks the private address, and has %lld of %lld (%s)",
                         t->eni->id, (long long)used, (long long)a->quota.ipv4_of_eni,
                         a->quota.type);
    return ali_quota_check(used, a->quota.ipv4_of_eni);
}

/* ---- a way out through the IPv4 gateway ------------------------------------------------------ */

static void take_gateway(const struct ali_rpc *r, const char *vpc, char gateway[KIT_ID])
{
    const struct kit_json_node *root = ali_rpc_root(r);
    size_t count = ali_list_count(root, "Ipv4GatewayModels", NULL);

    for (size_t i = 0; i < count && !gateway[0]; i++) {
        const struct kit_json_node *item = ali_list_at(root, "Ipv4GatewayModels", NULL, i);
        char of[KIT_ID];

        if (ali_text(item, "VpcId", of, sizeof(of)) && kit_str_eq(of, vpc) &&
            ali_true(item, "Enabled"))
            (void)ali_text(item, "Ipv4GatewayId", gateway, KIT_ID);
    }
}

static void take_table(const struct ali_rpc *r, const char *vswitch, char table[KIT_ID])
{
    const struct kit_json_node *root = ali_rpc_root(r);
    size_t count = ali_list_count(root, "VSwitches", "VSwitch");

    for (size_t i = 0; i < count; i++) {
        const struct kit_json_node *item = ali_list_at(root, "VSwitches", "VSwitch", i);
        char id[KIT_ID];

        if (ali_text(item, "VSwitchId", id, sizeof(id)) && kit_str_eq(id, vswitch))
            (void)ali_text(kit_json_get(item, "RouteTable"), "RouteTableId", table, KIT_ID);
    }
}

static bool has_hop(const struct kit_json_node *entry, const char *gateway)
{
    const struct kit_json_node *hops = kit_json_get(entry, "NextHops");
    size_t count = ali_list_count(entry, "NextHops", "NextHop");
    char id[KIT_ID];

    for (size_t i = 0; hops && i < count; i++)
        if (ali_text(ali_list_at(entry, "NextHops", "NextHop", i), "NextHopId", id, sizeof(id)) &&
            kit_str_eq(id, gateway))
            return true;
    return false;
}

static void read_routes(struct ali_cloud *cloud, struct ali_eip_advice *a, struct kit_deadline by)
{
    struct ali_rpc r;

    ali_rpc_init(&r, cloud, &ali_vpc, "DescribeRouteEntryList", ALI_READS);
    ali_rpc_param(&r, "RouteTableId", a->table);
    ali_rpc_param(&r, "NextHopType", "Ipv4Gateway");
    ali_rpc_param(&r, "MaxResult", "100");
    if (!run(&r, cloud, by, a->routed_why)) {
        const struct kit_json_node *root = ali_rpc_root(&r);
        size_t count = ali_list_count(root, "RouteEntrys", "RouteEntry");

        for (size_t i = 0; i < count && !a->routed; i++)
            a->routed = has_hop(ali_list_at(root, "RouteEntrys", "RouteEntry", i), a->gateway);
    }
    ali_rpc_done(&r);
}

static void read_table(struct ali_cloud *cloud, struct ali_eip_target *t, struct kit_deadline by)
{
    struct ali_eip_advice *a = &t->advice;
    struct ali_rpc r;

    ali_rpc_init(&r, cloud, &ali_vpc, "DescribeVSwitches", ALI_READS);
    ali_rpc_param(&r, "VSwitchId", t->eni->vswitch);
    if (!run(&r, cloud, by, a->routed_why)) {
        take_table(&r, t->eni->vswitch, a->table);
        if (!a->table[0])
            (void)kit_str_format(a->routed_why, sizeof(a->routed_why),
                                 "DescribeVSwitches does not tell the route table of %s",
                                 t->eni->vswitch);
    }
    ali_rpc_done(&r);
}

static void read_gateway(struct ali_cloud *cloud, struct ali_eip_target *t, struct kit_deadline by)
{
    struct ali_eip_advice *a = &t->advice;
    struct ali_rpc r;

    ali_rpc_init(&r, cloud, &ali_vpc, "ListIpv4Gateways", ALI_READS);
    ali_rpc_param(&r, "VpcId", t->eni->vpc);
    ali_rpc_param(&r, "MaxResults", "100");
    if (!run(&r, cloud, by, a->routed_why))
        take_gateway(&r, t->eni->vpc, a->gateway);
    ali_rpc_done(&r);
    if (a->gateway[0])
        read_table(cloud, t, by);
    if (a->table[0])
        read_routes(cloud, a, by);
}

enum kit_rule_answer ali_eip_check_gateway(const void *evidence, struct kit_buf *detail)
{
    const struct ali_eip_target *t = evidence;
    const struct ali_eip_advice *a = &t->advice;

    if (!a->asked || t->mode != ALI_EIP_NAT)
        return KIT_RULE_NOT_KNOWN;
    if (a->routed_why[0]) {
        (void)kit_buf_puts(detail, a->routed_why);
        return KIT_RULE_NOT_KNOWN;
    }
    (void)kit_buf_printf(detail, "%s has no route to %s", a->table, a->gateway);
    return a->gateway[0] && !a->routed ? KIT_RULE_BROKEN : KIT_RULE_HOLDS;
}

/* ---- this host ------------------------------------------------------------------------------- */

static void look_for_eip(struct ali_eip_target *t)
{
    struct ali_eip_advice *a = &t->advice;
    struct kit_netlink_addr addr = {.family = t->eip.addr.family,
                                    .prefix_len = t->eip.addr.family == 6 ? 128 : 32};
    struct kit_err err;

    memcpy(addr.byte, t->eip.addr.byte, sizeof(addr.byte));
    if (kit_netlink_addr_find(&addr, a->local_on, &err))
        (void)kit_str_copy(a->local_why, sizeof(a->local_why), err.msg);
}

enum kit_rule_answer ali_eip_check_hidden(const void *evidence, struct kit_buf *detail)
{
    const struct ali_eip_target *t = evidence;
    const struct ali_eip_advice *a = &t->advice;
    char text[KIT_ADDR_TEXT];

    if (!a->asked || t->mode != ALI_EIP_NAT)
        return KIT_RULE_NOT_KNOWN;
    if (a->local_why[0]) {
        (void)kit_buf_puts(detail, a->local_why);
        return KIT_RULE_NOT_KNOWN;
    }
    (void)kit_buf_printf(detail, "%s is on the interface %s", kit_addr_text(&t->eip.addr, text),
                         a->local_on);
    return a->local_on[0] ? KIT_RULE_BROKEN : KIT_RULE_HOLDS;
}

void ali_eip_advise(struct ali_cloud *cloud, struct ali_eip_target *t, struct kit_deadline by)
{
    struct ali_eip_advice *a = &t->advice;

    a->asked = true;
    ali_eip_look_here(t);
    if (t->mode == ALI_EIP_NAT)
        look_for_eip(t);
    if (!t->eni) {
        (void)kit_str_copy(a->room_why, sizeof(a->room_why), t->eni_why);
        (void)kit_str_copy(a->routed_why, sizeof(a->routed_why), t->eni_why);
        return;
    }
    if (!t->right)
        read_room(cloud, t, by);
    if (t->mode == ALI_EIP_NAT)
        read_gateway(cloud, t, by);
}
