/* aliyun elastic-ip: the association of one EIP with our ENI, in one of three modes.
 *
 * locate: one DescribeEipAddresses for up to 50 resources; for a claim, in the same round, what the
 * rules ask about.  There is no "allow reassociation" as on AWS: eip_claim.c takes the EIP off the
 * other node first.  A primary ENI cannot be named in AssociateEipAddress: an EIP for it is bound
 * to its instance, which is the holder then. */
#include <stdlib.h>

#include "kit/base/mem.h"
#include "kit/base/str.h"
#include "kit/cloud/aliyun/eip.h"

/* ---- one EIP --------------------------------------------------------------------------------- */

enum ali_eip_mode ali_eip_mode_of(const struct kit_settings *settings)
{
    if (kit_settings_is(settings, KIT_PARAM_EIP_MODE, "cut-through"))
        return ALI_EIP_CUT_THROUGH;
    return kit_settings_is(settings, KIT_PARAM_EIP_MODE, "multi") ? ALI_EIP_MULTI : ALI_EIP_NAT;
}

const char *ali_eip_mode_word(enum ali_eip_mode mode)
{
    static const char *const words[] = {"NAT", "BINDED", "MULTI_BINDED"};

    return words[mode];
}

static enum ali_eip_status status_of(const char *word)
{
    static const struct {
        const char *word;
        enum ali_eip_status status;
    } table[] = {
        {"Available", ALI_EIP_AVAILABLE},
        {"Associating", ALI_EIP_ASSOCIATING},
        {"InUse", ALI_EIP_IN_USE},
        {"Unassociating", ALI_EIP_UNASSOCIATING},
    };

    for (size_t i = 0; i < KIT_LEN(table); i++)
        if (kit_str_eq_nocase(word, table[i].word))
            return table[i].status;
    return ALI_EIP_OTHER;
}

bool ali_eip_decode(const struct kit_json_node *item, struct ali_eip *ret_eip)
{
    struct ali_eip eip = {0};
    char text[KIT_ADDR_TEXT];

    if (!ali_text(item, "AllocationId", eip.id, sizeof(eip.id)))
        return false;
    if (ali_text(item, "IpAddress", text, sizeof(text)))
        (void)kit_addr_parse(text, &eip.addr);
    (void)ali_text(item, "Status", eip.status_text, sizeof(eip.status_text));
    eip.status = status_of(eip.status_text);
    (void)ali_text(item, "InstanceId", eip.holder, sizeof(eip.holder));
    (void)ali_text(item, "InstanceType", eip.type, sizeof(eip.type));
    (void)ali_text(item, "Mode", eip.mode, sizeof(eip.mode));
    (void)ali_text(item, "PrivateIpAddress", eip.private_text, sizeof(eip.private_text));
    (void)ali_text(item, "RegionId", eip.region, sizeof(eip.region));
    (void)ali_text(item, "ChargeType", eip.charge, sizeof(eip.charge));
    (void)ali_text(item, "BusinessStatus", eip.business, sizeof(eip.business));
    (void)ali_text(ali_list_at(item, "OperationLocks", "LockReason", 0), "LockReason", eip.lock,
                   sizeof(eip.lock));
    /* A number in the API's own model, a boolean in its description. */
    eip.managed = ali_true(item, "ServiceManaged") ||
                  (ali_text(item, "ServiceManaged", text, sizeof(text)) && kit_str_eq(text, "1"));
    *ret_eip = eip;
    return true;
}

void ali_eip_call(struct ali_rpc *r, struct ali_cloud *cloud, const char *id)
{
    ali_rpc_init(r, cloud, &ali_vpc, "DescribeEipAddresses", ALI_READS);
    ali_rpc_param(r, "AllocationId", id);
    ali_rpc_param(r, "PageSize", "100");
}

bool ali_eip_wanted_private(const struct ali_eip_target *t, struct kit_addr *ret_addr)
{
    if (t->private_address) {
        *ret_addr = *t->private_address;
        return true;
    }
    for (size_t i = 0; t->eni && i < t->eni->addresses; i++) {
        if (t->eni->address[i].primary) {
            *ret_addr = t->eni->address[i].addr;
            return true;
        }
    }
    return kit_addr_parse(t->me.primary, ret_addr);
}

static bool maps_right(const struct ali_eip *eip, const struct ali_eip_target *t)
{
    struct kit_addr wanted, mapped;

    /* The address that an instance's EIP maps to is not always told; it can only be its primary. */
    if (kit_str_eq(eip->type, "EcsInstance") && !eip->private_text[0])
        return true;
    return !ali_eip_wanted_private(t, &wanted) ||
           (kit_addr_parse(eip->private_text, &mapped) && kit_addr_eq(&wanted, &mapped));
}

bool ali_eip_is_ours(const struct ali_eip *eip, const struct ali_eip_target *t)
{
    struct kit_addr primary, mapped;

    if (kit_str_eq(eip->type, "NetworkInterface"))
        return kit_str_eq(eip->holder, t->me.eni);
    if (!kit_str_eq(eip->type, "EcsInstance"))
        return false;
    /* On an instance: that is on its primary ENI.  Is ours that one? */
    if (t->eni)
        return t->eni->primary && kit_str_eq(eip->holder, t->eni->node);
    return kit_str_eq(eip->holder, t->me.node) && kit_addr_parse(t->me.primary, &primary) &&
           kit_addr_parse(eip->private_text, &mapped) && kit_addr_eq(&primary, &mapped);
}

/* ---- one target ------------------------------------------------------------------------------ */

static bool is_node(const char *type)
{
    return kit_str_eq(type, "NetworkInterface") || kit_str_eq(type, "EcsInstance");
}

/* Of our ENI: NULL, or attached to this node.  Without the node's id any attachment will do. */
static bool is_attached_here(const struct ali_eip_target *t)
{
    return t->eni && t->eni->state == ALI_ENI_IN_USE &&
           (!t->me.node[0] || kit_str_eq(t->eni->node, t->me.node));
}

static bool is_right(const struct ali_eip_target *t)
{
    const struct ali_eip *eip = &t->eip;

    if (eip->status != ALI_EIP_IN_USE || !maps_right(eip, t))
        return false;
    if (eip->mode[0] && !kit_str_eq(eip->mode, ali_eip_mode_word(t->mode)))
        return false;
    return t->mode != ALI_EIP_CUT_THROUGH || is_attached_here(t);
}

static void judge(struct ali_eip_target *t)
{
    const struct ali_eip *eip = &t->eip;
    struct kit_binding *b = kit_facts_add(&t->query->facts);
    bool ours = ali_eip_is_ours(eip, t), leaving = eip->status == ALI_EIP_UNASSOCIATING;

    (void)kit_str_copy(b->place, sizeof(b->place), eip->id);
    if (eip->managed || (eip->type[0] && eip->holder[0] && !is_node(eip->type))) {
        b->state = KIT_BINDING_FOREIGN;
        (void)kit_str_copy(b->holder, sizeof(b->holder), eip->holder);
        return;
    }
    /* What a release names.  Ours, and leaving already: there is nothing more to send. */
    if (eip->holder[0] && !(ours && leaving))
        (void)kit_str_format(b->handle, sizeof(b->handle), "%s %s %s", eip->type, eip->mode,
                             eip->private_text);
    if (!eip->holder[0] || (leaving && !ours)) {
        b->state = KIT_BINDING_FREE;
        return;
    }
    b->state = KIT_BINDING_HELD;
    b->mine = ours;
    b->right = t->right = ours && is_right(t);
    (void)kit_str_copy(b->holder, sizeof(b->holder), eip->holder);
    if (kit_str_eq(eip->type, "EcsInstance"))
        (void)kit_str_copy(b->node, sizeof(b->node), eip->holder);
    else if (ours)
        (void)kit_str_copy(b->node, sizeof(b->node), t->me.node);
    (void)kit_str_copy(b->detail, sizeof(b->detail), t->eip.private_text);
    if (b->mine) /* in multi mode the guest has the EIP itself */
        b->guest = t->guest;
}

/* An instance has it, on its primary ENI: is that ours, where no address tells? */
static int look_behind(struct ali_cloud *cloud, struct ali_eip_target *t, struct kit_deadline by,
                       struct ali_enis *list, struct kit_err *err)
{
    const char *id = t->me.eni;
    const struct ali_eni_filter filter = {.id = &id, .ids = 1};

    if (t->eni || !kit_str_eq(t->eip.type, "EcsInstance") ||
        (t->me.primary[0] && t->eip.private_text[0]))
        return 0;
    if (ali_enis_find(cloud, &filter, by, list, err))
        return kit_err_wrap(err, "find out whether %s is primary", id);
    t->eni = ali_enis_get(list, id);
    return 0;
}

static void fail(struct ali_eip_target *t, const struct kit_err *err)
{
    t->query->failed = true;
    t->query->err = *err;
}

static void not_found(struct ali_eip_target *t)
{
    char text[KIT_ADDR_TEXT];
    struct kit_err err;

    (void)kit_err_set(&err, KIT_ERR_NOT_FOUND,
                      "DescribeEipAddresses: no EIP %s in this account and region",
                      t->allocation_id ? t->allocation_id : kit_addr_text(t->address, text));
    fail(t, &err);
}

/* Whoever is to be named in AssociateEipAddress. */
static void name_holder(struct ali_eip_target *t)
{
    struct kit_facts *facts = &t->query->facts;
    bool primary = t->eni && t->eni->primary && t->eni->node[0] && t->mode == ALI_EIP_NAT;

    (void)kit_str_copy(facts->me, sizeof(facts->me), primary ? t->eni->node : t->me.eni);
    if (t->eni)
        (void)kit_str_copy(facts->my_mac, sizeof(facts->my_mac), t->eni->mac);
    (void)kit_str_copy(facts->my_node, sizeof(facts->my_node),
                       t->me.node[0] || !t->eni ? t->me.node : t->eni->node);
}

/* The rules are about a change: where nothing is to be changed they have no say, but for the one
 * that the guest has to follow afterwards (38). */
static void settle(struct ali_cloud *cloud, struct ali_eip_target *t, struct kit_deadline by)
{
    struct ali_enis behind = {0};
    struct kit_err err;

    if (t->found && look_behind(cloud, t, by, &behind, &err)) {
        fail(t, &err);
    } else {
        name_holder(t);
        if (t->found)
            judge(t);
        if (t->found && t->query->for_claim && t->query->for_advice)
            ali_eip_advise(cloud, t, by);
        if (t->found && t->query->for_claim)
            kit_rules_check(ali_eip_rules, ALI_EIP_RULES, t, &t->query->facts);
        else if (t->query->for_claim)
            not_found(t);
    }
    if (t->eni && ali_enis_get(&behind, t->eni->id) == t->eni)
        t->eni = NULL;
    ali_enis_done(&behind);
}

void ali_eip_take(struct ali_cloud *cloud, struct ali_eip_target *t, struct kit_deadline by)
{
    if (!t->query)
        return;
    if (t->call_search->call.failed)
        fail(t, &t->call_search->call.err);
    else if (t->mode == ALI_EIP_CUT_THROUGH && t->call_enis->call.failed)
        fail(t, &t->call_enis->call.err);
    else
        settle(cloud, t, by);
}

/* ---- locate ---------------------------------------------------------------------------------- */

static int prepare(struct ali_cloud *cloud, struct ali_eip_target *t, struct kit_query *query,
                   struct kit_deadline by, struct kit_err *err)
{
    const struct kit_settings *settings = query->settings;
    unsigned wants = ALI_ME_ENI;

    t->allocation_id = kit_settings_text(settings, KIT_PARAM_ALLOCATION_ID);
    t->address = kit_settings_addr(settings, KIT_PARAM_ADDRESS);
    t->private_address = kit_settings_addr(settings, KIT_PARAM_PRIVATE_ADDRESS);
    t->mode = ali_eip_mode_of(settings);
    t->region = cloud->region;
    t->interface = kit_settings_text(settings, KIT_PARAM_INTERFACE);
    /* Half way through, the ENI is on no instance: nothing on this host would lead to it. */
    if (t->mode == ALI_EIP_CUT_THROUGH &&
        (!kit_settings_text(settings, KIT_PARAM_ENI) || t->interface))
        return kit_err_set(err, KIT_ERR_CONFIG,
                           "eip_mode = cut-through: name the ENI with `eni`, and give no "
                           "`interface`: the interface is away while the EIP is bound");
    if (t->mode == ALI_EIP_CUT_THROUGH)
        wants |= ALI_ME_NODE | (query->for_claim ? (unsigned)ALI_ME_VPC : 0U);
    if (t->mode == ALI_EIP_MULTI && query->for_claim)
        wants |= ALI_ME_NODE;
    if (ali_me_find(cloud, settings, wants, by, &t->me, err))
        return -1;
    t->query = query;
    return 0;
}

static int locate(struct kit_cloud *base, struct kit_query query[], size_t count,
                  struct kit_deadline by, struct kit_err *err)
{
    struct ali_cloud *cloud = (struct ali_cloud *)base;
    struct ali_eip_target *t;
    struct ali_eip_round round;

    if (ali_ready(cloud, by, err))
        return -1;
    t = kit_mem_new(count, sizeof(*t));
    for (size_t i = 0; i < count; i++)
        if (prepare(cloud, &t[i], &query[i], by, &query[i].err))
            query[i].failed = true;
    ali_eip_round(cloud, t, count, by, &round);
    for (size_t i = 0; i < count; i++)
        ali_eip_take(cloud, &t[i], by);
    ali_eip_round_done(&round);
    free(t);
    return 0;
}

/* ---- tables ---------------------------------------------------------------------------------- */

static const struct kit_param_use params[] = {
    {KIT_PARAM_ADDRESS, false, 1},         {KIT_PARAM_ALLOCATION_ID, false, 1},
    {KIT_PARAM_INTERFACE, false, 2},       {KIT_PARAM_ENI, false, 2},
    {KIT_PARAM_PRIVATE_ADDRESS, false, 0}, {KIT_PARAM_EIP_MODE, false, 0},
    {KIT_PARAM_VPC_ID, false, 0},          {KIT_PARAM_LOCAL_ADDRESS, false, 0},
};

static const struct kit_permission permissions[] = {
    {"vpc:DescribeEipAddresses", "*", "to see where the EIP is", KIT_ALWAYS},
    {"vpc:AssociateEipAddress", "eip, eni, instance", "to bind it here", KIT_ALWAYS},
    {"vpc:UnassociateEipAddress", "eip, eni, instance", "to take it from the node that has it",
     KIT_ALWAYS},
    {"ecs:DescribeNetworkInterfaces", "*", "to read our ENI: its type, addresses and attachment",
     KIT_ALWAYS},
    {"vpc:ListIpv4Gateways", "*", "to see whether the VPC has an IPv4 gateway",
     KIT_WHEN(KIT_PARAM_EIP_MODE, "cut-through")},
    {"ecs:DetachNetworkInterface", "eni, instance", "to free our ENI for the EIP",
     KIT_WHEN(KIT_PARAM_EIP_MODE, "cut-through")},
    {"ecs:AttachNetworkInterface", "eni, instance", "to attach our ENI again",
     KIT_WHEN(KIT_PARAM_EIP_MODE, "cut-through")},
    {"ecs:DescribeInstances", "*", "to see how many interfaces this instance has", KIT_ADVICE},
    {"ecs:DescribeInstanceTypes", "*", "to see how many interfaces and addresses its type takes",
     KIT_ADVICE},
    {"vpc:ListIpv4Gateways", "*", "to see whether the VPC has an IPv4 gateway",
     KIT_ADVICE_WHEN(KIT_PARAM_EIP_MODE, "nat")},
    {"vpc:DescribeVSwitches", "*", "to see which route table the ENI's vSwitch has",
     KIT_ADVICE_WHEN(KIT_PARAM_EIP_MODE, "nat")},
    {"vpc:DescribeRouteEntryList", "*", "to see whether that has a route to the IPv4 gateway",
     KIT_ADVICE_WHEN(KIT_PARAM_EIP_MODE, "nat")},
    {"vpc:DescribeEipGatewayInfo", "*", "to read the gateway and the mask",
     KIT_WHEN(KIT_PARAM_EIP_MODE, "multi")},
    {"ecs:DescribeInstances", "*", "to see of which family this instance is",
     KIT_WHEN(KIT_PARAM_EIP_MODE, "multi")},
};

extern const struct kit_mover kit_aliyun_elastic_ip;
const struct kit_mover kit_aliyun_elastic_ip = {
    .provider = "aliyun",
    .scenario = "elastic-ip",
    .moves = "the association of the EIP",
    .params = params,
    .params_count = KIT_LEN(params),
    .permissions = permissions,
    .permissions_count = KIT_LEN(permissions),
    .rules = ali_eip_rules,
    .rules_count = ALI_EIP_RULES,
    .nic_serves = true,
    .locate = locate,
    .claim = ali_eip_claim,
    .release = ali_eip_release,
};
