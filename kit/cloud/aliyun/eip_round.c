/* elastic-ip: one round of calls for all resources, and what comes back; or one EIP alone. */
#include <stdlib.h>
#include <string.h>

#include "kit/base/mem.h"
#include "kit/base/str.h"
#include "kit/cloud/aliyun/eip.h"
#include "kit/sys/netlink.h"

/* What only the rules want to know must not hold up a claim that could go on without it. */
#define EVIDENCE_TRIES 2

/* ---- the round of calls ---------------------------------------------------------------------- */

static bool wants_eni(const struct ali_eip_target *t)
{
    return t->query->for_claim || t->mode == ALI_EIP_CUT_THROUGH;
}

static struct ali_rpc *round_add(struct ali_eip_round *round)
{
    round->r = kit_mem_grow(round->r, round->count + 1, sizeof(struct ali_rpc *));
    round->r[round->count] = kit_mem_new(1, sizeof(struct ali_rpc));
    return round->r[round->count++];
}

void ali_eip_round_done(struct ali_eip_round *round)
{
    for (size_t i = 0; i < round->count; i++) {
        ali_rpc_done(round->r[i]);
        free(round->r[i]);
    }
    free(round->r);
    ali_enis_done(&round->enis);
    *round = (struct ali_eip_round){0};
}

static void round_run(struct ali_eip_round *round, struct kit_caller *caller,
                      struct kit_deadline by)
{
    struct kit_call **call = kit_mem_new(round->count, sizeof(struct kit_call *));
    struct kit_err err;

    for (size_t i = 0; i < round->count; i++)
        call[i] = &round->r[i]->call;
    /* Each call keeps its own outcome, and is judged by it. */
    (void)!kit_call_all(caller, call, round->count, by, &err);
    free(call);
}

/* Those named in one way, 50 a call. */
static void add_searches(struct ali_eip_round *round, struct ali_cloud *cloud,
                         struct ali_eip_target *t, size_t count, bool by_id)
{
    for (size_t next = 0; next < count;) {
        KIT_AUTO(kit_buf) names = KIT_BUF(ALI_EIP_IDS * (KIT_ID + 1));
        struct ali_rpc *r = NULL;
        char text[KIT_ADDR_TEXT];

        for (unsigned n = 0; next < count && n < ALI_EIP_IDS; next++) {
            if (!t[next].query || !t[next].allocation_id != !by_id)
                continue;
            if (!r)
                r = round_add(round);
            t[next].call_search = r;
            (void)kit_buf_printf(&names, "%s%s", n++ ? "," : "",
                                 by_id ? t[next].allocation_id
                                       : kit_addr_text(t[next].address, text));
        }
        if (!r)
            return;
        ali_rpc_init(r, cloud, &ali_vpc, "DescribeEipAddresses", ALI_READS);
        ali_rpc_param(r, by_id ? "AllocationId" : "EipAddress", names.data);
        ali_rpc_param(r, "PageSize", "100");
    }
}

static void add_enis(struct ali_eip_round *round, struct ali_cloud *cloud, struct ali_eip_target *t,
                     size_t count)
{
    for (size_t next = 0; next < count;) {
        const char *id[ALI_EIP_IDS];
        struct ali_rpc *r = NULL;
        size_t n = 0;
        bool needed = false;

        for (; next < count && n < ALI_EIP_IDS; next++) {
            if (!t[next].query || !wants_eni(&t[next]))
                continue;
            if (!r)
                r = round_add(round);
            t[next].call_enis = r;
            id[n++] = t[next].me.eni;
            needed = needed || t[next].mode == ALI_EIP_CUT_THROUGH;
        }
        if (!r)
            return;
        ali_enis_call(r, cloud, &(struct ali_eni_filter){.id = id, .ids = n});
        if (!needed)
            r->call.max_tries = EVIDENCE_TRIES;
    }
}

static struct ali_rpc *evidence(struct ali_eip_round *round, struct ali_cloud *cloud,
                                const struct ali_product *product, const char *action)
{
    struct ali_rpc *r = round_add(round);

    ali_rpc_init(r, cloud, product, action, ALI_READS);
    r->call.max_tries = EVIDENCE_TRIES;
    return r;
}

/* What the modes beside NAT ask about, for a claim. */
static void add_evidence(struct ali_eip_round *round, struct ali_cloud *cloud,
                         struct ali_eip_target *t)
{
    if (!t->query || !t->query->for_claim || t->mode == ALI_EIP_NAT)
        return;
    if (t->mode == ALI_EIP_CUT_THROUGH) {
        t->call_gateways = evidence(round, cloud, &ali_vpc, "ListIpv4Gateways");
        ali_rpc_param(t->call_gateways, "VpcId", t->me.vpc);
        ali_rpc_param(t->call_gateways, "MaxResults", "100");
        return;
    }
    t->call_others = evidence(round, cloud, &ali_vpc, "DescribeEipAddresses");
    ali_rpc_param(t->call_others, "AssociatedInstanceId", t->me.eni);
    ali_rpc_param(t->call_others, "AssociatedInstanceType", "NetworkInterface");
    ali_rpc_param(t->call_others, "PageSize", "100");
    t->call_info = evidence(round, cloud, &ali_vpc, "DescribeEipGatewayInfo");
    ali_rpc_param(t->call_info, "InstanceId", t->me.eni);
    if (t->me.node[0]) {
        const char *id = t->me.node;

        t->call_instance = round_add(round);
        ali_instances_call(t->call_instance, cloud, &id, 1);
        t->call_instance->call.max_tries = EVIDENCE_TRIES;
    }
}

/* ---- what came back -------------------------------------------------------------------------- */

static void take_search(struct ali_eip_target *t)
{
    const struct kit_json_node *root = ali_rpc_root(t->call_search);
    size_t count = ali_list_count(root, "EipAddresses", "EipAddress");

    for (size_t i = 0; i < count && !t->found; i++) {
        struct ali_eip eip;

        if (!ali_eip_decode(ali_list_at(root, "EipAddresses", "EipAddress", i), &eip))
            continue;
        if (t->allocation_id ? !kit_str_eq(eip.id, t->allocation_id)
                             : !kit_addr_eq(&eip.addr, t->address))
            continue;
        t->eip = eip;
        t->found = true;
    }
}

static void take_others(struct ali_eip_target *t)
{
    const struct kit_json_node *root = ali_rpc_root(t->call_others);
    size_t count = ali_list_count(root, "EipAddresses", "EipAddress");

    t->others_known = true;
    for (size_t i = 0; i < count; i++) {
        struct ali_eip eip;

        if (ali_eip_decode(ali_list_at(root, "EipAddresses", "EipAddress", i), &eip) &&
            kit_str_eq(eip.holder, t->me.eni) && !kit_str_eq(eip.id, t->eip.id))
            t->others++;
    }
}

static void take_gateways(struct ali_eip_target *t)
{
    const struct kit_json_node *root = ali_rpc_root(t->call_gateways);
    size_t count = ali_list_count(root, "Ipv4GatewayModels", NULL);

    t->gateways_known = true;
    for (size_t i = 0; i < count && !t->gateway[0]; i++) {
        const struct kit_json_node *item = ali_list_at(root, "Ipv4GatewayModels", NULL, i);
        char vpc[KIT_ID];

        if (ali_text(item, "VpcId", vpc, sizeof(vpc)) && kit_str_eq(vpc, t->me.vpc))
            (void)ali_text(item, "Ipv4GatewayId", t->gateway, sizeof(t->gateway));
    }
}

/* 255.255.252.0 is 22; false for what is no mask of a network. */
static bool prefix_of(const struct kit_addr *mask, uint8_t *ret_len)
{
    uint32_t bits = 0;

    if (mask->family != 4)
        return false;
    for (size_t i = 0; i < 4; i++)
        bits = bits << 8 | mask->byte[i];
    if (!bits || (~bits & (~bits + 1)) != 0)
        return false;
    *ret_len = (uint8_t)__builtin_popcount(bits);
    return true;
}

/* "Ip" in the vendor's SDKs, "IP" in its pages. */
static void take_info(struct ali_eip_target *t)
{
    const struct kit_json_node *root = ali_rpc_root(t->call_info);
    size_t count = ali_list_count(root, "EipInfos", "EipInfo");

    for (size_t i = 0; i < count; i++) {
        const struct kit_json_node *item = ali_list_at(root, "EipInfos", "EipInfo", i);
        struct kit_addr addr, gateway, mask;
        char text[KIT_ADDR_TEXT], gw[KIT_ADDR_TEXT], bits[KIT_ADDR_TEXT];

        if (!(ali_text(item, "Ip", text, sizeof(text)) ||
              ali_text(item, "IP", text, sizeof(text))) ||
            !kit_addr_parse(text, &addr) || !kit_addr_eq(&addr, &t->eip.addr))
            continue;
        if (!ali_text(item, "IpGw", gw, sizeof(gw)) || !kit_addr_parse(gw, &gateway) ||
            !ali_text(item, "IpMask", bits, sizeof(bits)) || !kit_addr_parse(bits, &mask))
            continue;
        (void)kit_str_copy(t->info_gateway, sizeof(t->info_gateway), gw);
        (void)kit_str_copy(t->info_mask, sizeof(t->info_mask), bits);
        if (prefix_of(&mask, &t->guest.prefix_len)) {
            t->guest.addr = addr;
            t->guest.gateway = gateway;
        }
    }
}

/* Is the EIP on the interface, as multi mode wants it?  A look at this host. */
static void look_local(struct ali_eip_target *t)
{
    struct kit_netlink_addr addr = {.family = t->eip.addr.family,
                                    .prefix_len = t->eip.addr.family == 6 ? 128 : 32};
    struct kit_err err;

    if (t->mode != ALI_EIP_MULTI || !t->interface || !addr.family)
        return;
    memcpy(addr.byte, t->eip.addr.byte, sizeof(addr.byte));
    t->local_known = !kit_netlink_addr_has(t->interface, &addr, &t->local, &err);
}

static void take_evidence(struct ali_eip_target *t)
{
    struct ali_instance instance;

    if (!t->query || t->call_search->call.failed)
        return;
    take_search(t);

    if (t->call_others && !t->call_others->call.failed)
        take_others(t);
    if (t->call_gateways && !t->call_gateways->call.failed)
        take_gateways(t);
    if (t->call_info && !t->call_info->call.failed)
        take_info(t);
    if (t->call_instance && !t->call_instance->call.failed &&
        ali_instances_take(t->call_instance, t->me.node, &instance))
        (void)kit_str_copy(t->family, sizeof(t->family), instance.family);
    if (t->query->for_claim)
        look_local(t);
}

/* An ENI that could not be read is not known; who cannot do without it looks at its call. */
static void take_enis(struct ali_eip_round *round, struct ali_eip_target *t, size_t count,
                      struct kit_deadline by)
{
    for (size_t i = 0; i < round->count; i++) {
        const char *id[ALI_EIP_IDS];
        struct kit_err err = {.msg = ""};
        size_t n = 0;

        for (size_t k = 0; k < count; k++)
            if (t[k].call_enis == round->r[i])
                id[n++] = t[k].me.eni;
        if (!n || !ali_enis_finish(round->r[i], &(struct ali_eni_filter){.id = id, .ids = n}, by,
                                   &round->enis, &err))
            continue;
        for (size_t k = 0; k < count; k++)
            if (t[k].call_enis == round->r[i])
                (void)kit_str_copy(t[k].eni_why, sizeof(t[k].eni_why), err.msg);
    }
    for (size_t i = 0; i < count; i++) {
        if (!t[i].query)
            continue;
        t[i].eni = ali_enis_get(&round->enis, t[i].me.eni);
        if (!t[i].eni && !t[i].eni_why[0])
            (void)kit_str_format(t[i].eni_why, sizeof(t[i].eni_why),
                                 "DescribeNetworkInterfaces does not tell of %s", t[i].me.eni);
    }
}

void ali_eip_round(struct ali_cloud *cloud, struct ali_eip_target *t, size_t count,
                   struct kit_deadline by, struct ali_eip_round *ret_round)
{
    *ret_round = (struct ali_eip_round){0};
    add_searches(ret_round, cloud, t, count, true);
    add_searches(ret_round, cloud, t, count, false);
    add_enis(ret_round, cloud, t, count);
    for (size_t i = 0; i < count; i++)
        add_evidence(ret_round, cloud, &t[i]);
    if (!ret_round->count)
        return;
    round_run(ret_round, cloud->base.caller, by);
    take_enis(ret_round, t, count, by);
    for (size_t i = 0; i < count; i++)
        take_evidence(&t[i]);
}

/* ---- one EIP alone --------------------------------------------------------------------------- */

int ali_eip_find(struct ali_cloud *cloud, const char *id_or_address, struct kit_deadline by,
                 struct ali_eip *ret_eip, struct kit_err *err)
{
    struct ali_eip_target t = {.allocation_id = id_or_address};
    struct kit_addr addr;
    struct ali_rpc r;
    int rc;

    if (kit_addr_parse(id_or_address, &addr))
        t = (struct ali_eip_target){.address = &addr};
    ali_rpc_init(&r, cloud, &ali_vpc, "DescribeEipAddresses", ALI_READS);
    ali_rpc_param(&r, t.address ? "EipAddress" : "AllocationId", id_or_address);
    ali_rpc_param(&r, "PageSize", "100");
    rc = ali_rpc_run(&r, by, err);
    t.call_search = &r;
    if (!rc)
        take_search(&t);
    ali_rpc_done(&r);
    if (!rc && !t.found)
        return kit_err_set(err, KIT_ERR_NOT_FOUND,
                           "DescribeEipAddresses: no EIP %s in this account and region",
                           id_or_address);
    if (!rc)
        *ret_eip = t.eip;
    return rc;
}
