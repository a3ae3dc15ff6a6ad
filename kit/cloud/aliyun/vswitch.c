#include "kit/cloud/aliyun/vswitch.h"

#include "kit/base/str.h"

void ali_vswitch_call(struct ali_rpc *r, struct ali_cloud *cloud, const char *id)
{
    ali_rpc_init(r, cloud, &ali_vpc, "DescribeVSwitches", ALI_READS);
    ali_rpc_param(r, "VSwitchId", id);
}

static void take_cidr(const struct kit_json_node *item, const char *key, struct kit_cidr *cidr)
{
    char text[KIT_CIDR_TEXT];

    if (!ali_text(item, key, text, sizeof(text)) || !kit_cidr_parse(text, cidr))
        *cidr = (struct kit_cidr){.prefix_len = 0};
}

bool ali_vswitch_take(const struct ali_rpc *r, const char *id, struct ali_vswitch *ret_vswitch)
{
    const struct kit_json_node *root = ali_rpc_root(r);
    size_t n = ali_list_count(root, "VSwitches", "VSwitch");

    for (size_t i = 0; i < n; i++) {
        const struct kit_json_node *item = ali_list_at(root, "VSwitches", "VSwitch", i);
        struct ali_vswitch v = {.id = ""};

        if (!ali_text(item, "VSwitchId", v.id, sizeof(v.id)) || !kit_str_eq(v.id, id))
            continue;
        (void)ali_text(item, "VpcId", v.vpc, sizeof(v.vpc));
        (void)ali_text(item, "ZoneId", v.zone, sizeof(v.zone));
        (void)ali_text(kit_json_get(item, "RouteTable"), "RouteTableId", v.table, sizeof(v.table));
        take_cidr(item, "CidrBlock", &v.cidr);
        take_cidr(item, "Ipv6CidrBlock", &v.cidr6);
        *ret_vswitch = v;
        return true;
    }
    return false;
}

void ali_vswitch_idle_call(struct ali_rpc *r, struct ali_cloud *cloud, const char *id,
                           const struct kit_addr *addr)
{
    char text[KIT_ADDR_TEXT];

    ali_rpc_init(r, cloud, &ali_vpc, "CheckCanAllocateVpcPrivateIpAddress", ALI_READS);
    ali_rpc_param(r, "VSwitchId", id);
    ali_rpc_param(r, "PrivateIpAddress", kit_addr_text(addr, text));
    if (addr->family == 6)
        ali_rpc_param(r, "IpVersion", "ipv6");
}

bool ali_vswitch_idle_take(const struct ali_rpc *r)
{
    return ali_true(ali_rpc_root(r), "CanAllocate");
}

enum kit_rule_answer ali_vswitch_idle_rule(const struct ali_vswitch *vswitch,
                                           const struct kit_addr *addr, bool idle,
                                           struct kit_buf *detail)
{
    char text[KIT_ADDR_TEXT], cidr[KIT_CIDR_TEXT];

    if (!addr)
        return KIT_RULE_NOT_KNOWN;
    (void)kit_addr_text(addr, text);
    if (!vswitch->cidr.addr.family || !kit_cidr_contains(&vswitch->cidr, addr)) {
        (void)kit_buf_printf(detail, "%s is not of %s (%s)", text, vswitch->id,
                             vswitch->cidr.addr.family ? kit_cidr_text(&vswitch->cidr, cidr)
                                                       : "no IPv4");
        return KIT_RULE_BROKEN;
    }
    (void)kit_buf_printf(detail, "%s is taken, or one that the cloud keeps for itself", text);
    return kit_rule_broken_if(!idle);
}
