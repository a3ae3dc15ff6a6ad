/* elastic-ip: what must be so before an EIP can be bound to an ENI (Alibaba Cloud help: "Associate
 * an EIP with a secondary ENI", with the lists of regions and instance families as they stand
 * there). Each check looks at one resource's evidence alone.
 *
 * The rules are about a change: of an address that is right already only the one holds that the
 * guest has to follow (38). */
#include "kit/base/str.h"
#include "kit/cloud/aliyun/eip.h"

/* EIPs of one ENI in multi mode. */
#define MULTI_MAX 10

static bool is_listed(const char *const list[], size_t count, const char *word)
{
    for (size_t i = 0; i < count; i++)
        if (kit_str_eq(list[i], word))
            return true;
    return false;
}

/* What kept us from asking; nothing when nobody asked. */
static void tell(const struct ali_rpc *r, struct kit_buf *detail)
{
    if (r && r->call.failed)
        (void)kit_buf_puts(detail, r->call.err.msg);
}

static const struct ali_eni_address *mapped_address(const struct ali_eip_target *t)
{
    struct kit_addr wanted;

    return t->eni && ali_eip_wanted_private(t, &wanted) ? ali_eni_address(t->eni, &wanted) : NULL;
}

/* Another EIP than ours is on that private address. */
static bool has_other_eip(const struct ali_eni_address *a, const struct ali_eip_target *t)
{
    struct kit_addr eip;

    if (a->allocation[0])
        return !kit_str_eq(a->allocation, t->eip.id);
    return kit_addr_parse(a->eip, &eip) && !kit_addr_eq(&eip, &t->eip.addr);
}

static const char *other_eip(const struct ali_eip_target *t)
{
    for (size_t i = 0; i < t->eni->addresses; i++)
        if (has_other_eip(&t->eni->address[i], t))
            return t->eni->address[i].eip[0] ? t->eni->address[i].eip
                                             : t->eni->address[i].allocation;
    return NULL;
}

/* ---- all modes ------------------------------------------------------------------------------- */

static enum kit_rule_answer check_region(const void *evidence, struct kit_buf *detail)
{
    const struct ali_eip_target *t = evidence;

    if (t->right || !t->eip.region[0])
        return KIT_RULE_NOT_KNOWN;
    (void)kit_buf_printf(detail, "%s is in %s, the ENI in %s", t->eip.id, t->eip.region, t->region);
    return kit_rule_broken_if(!kit_str_eq(t->eip.region, t->region));
}

static enum kit_rule_answer check_status(const void *evidence, struct kit_buf *detail)
{
    const struct ali_eip_target *t = evidence;

    if (t->right)
        return KIT_RULE_NOT_KNOWN;
    if (t->eip.lock[0])
        (void)kit_buf_printf(detail, "%s is locked (%s)", t->eip.id, t->eip.lock);
    else if (t->eip.business[0] && !kit_str_eq(t->eip.business, "Normal"))
        (void)kit_buf_printf(detail, "%s is %s", t->eip.id, t->eip.business);
    else if (t->keep && t->eip.holder[0] && !ali_eip_is_ours(&t->eip, t))
        (void)kit_buf_printf(detail, "%s is in use on %s%s%s: unbind it first", t->eip.id,
                             t->eip.type, t->eip.type[0] ? " " : "", t->eip.holder);
    else if (t->eip.status == ALI_EIP_OTHER)
        (void)kit_buf_printf(detail, "%s is %s", t->eip.id,
                             t->eip.status_text[0] ? t->eip.status_text : "in no known state");
    return kit_rule_broken_if(detail->len_bytes > 0);
}

/* Seen as ours while it still moves: who asks now must not take it for done. */
static enum kit_rule_answer check_done(const void *evidence, struct kit_buf *detail)
{
    const struct ali_eip_target *t = evidence;

    if (!ali_eip_is_ours(&t->eip, t))
        return KIT_RULE_NOT_KNOWN;
    (void)kit_buf_printf(detail, "%s is shown on %s and is %s", t->eip.id, t->eip.holder,
                         t->eip.status_text);
    return kit_rule_broken_if(t->eip.status != ALI_EIP_IN_USE);
}

static enum kit_rule_answer check_primary(const void *evidence, struct kit_buf *detail)
{
    const struct ali_eip_target *t = evidence;
    const char *other;

    if (t->right || !t->eni || !t->eni->primary || t->mode != ALI_EIP_NAT)
        return KIT_RULE_NOT_KNOWN;
    other = other_eip(t);
    if (other)
        (void)kit_buf_printf(detail, "%s is a primary ENI and has the EIP %s", t->eni->id, other);
    return kit_rule_broken_if(other != NULL);
}

static enum kit_rule_answer check_secondary(const void *evidence, struct kit_buf *detail)
{
    const struct ali_eip_target *t = evidence;

    if (t->right || !t->eni || t->mode == ALI_EIP_NAT)
        return KIT_RULE_NOT_KNOWN;
    (void)kit_buf_printf(detail, "%s is a primary ENI", t->eni->id);
    return kit_rule_broken_if(t->eni->primary);
}

/* ---- NAT ------------------------------------------------------------------------------------- */

static enum kit_rule_answer check_private(const void *evidence, struct kit_buf *detail)
{
    const struct ali_eip_target *t = evidence;
    const struct ali_eni_address *a = mapped_address(t);
    struct kit_addr wanted;
    char text[KIT_ADDR_TEXT];

    if (!t->right && !t->eni && t->mode == ALI_EIP_NAT)
        (void)kit_buf_puts(detail, t->eni_why);
    if (t->right || !t->eni || t->eni->primary || t->mode != ALI_EIP_NAT ||
        !ali_eip_wanted_private(t, &wanted))
        return KIT_RULE_NOT_KNOWN;
    if (!a)
        (void)kit_buf_printf(detail, "%s has no private address %s", t->eni->id,
                             kit_addr_text(&wanted, text));
    else if (has_other_eip(a, t))
        (void)kit_buf_printf(detail, "%s of %s has the EIP %s", kit_addr_text(&wanted, text),
                             t->eni->id, a->eip[0] ? a->eip : a->allocation);
    return kit_rule_broken_if(detail->len_bytes > 0);
}

static enum kit_rule_answer check_attached(const void *evidence, struct kit_buf *detail)
{
    const struct ali_eip_target *t = evidence;

    if (t->right || !t->eni || t->mode == ALI_EIP_CUT_THROUGH)
        return KIT_RULE_NOT_KNOWN;
    (void)kit_buf_printf(detail, "%s is on no instance (%s)", t->eni->id, t->eni->state_text);
    return kit_rule_broken_if(t->eni->state != ALI_ENI_IN_USE);
}

/* ---- cut-through ----------------------------------------------------------------------------- */

static bool cut_through_ahead(const struct ali_eip_target *t)
{
    return !t->right && t->mode == ALI_EIP_CUT_THROUGH;
}

static enum kit_rule_answer check_cut_region(const void *evidence, struct kit_buf *detail)
{
    static const char *const regions[] = {
        "cn-hangzhou",    "cn-shanghai",  "cn-qingdao",   "cn-beijing", "cn-zhangjiakou",
        "cn-huhehaote",   "cn-shenzhen",  "cn-guangzhou", "cn-chengdu", "ap-southeast-1",
        "ap-southeast-5", "eu-central-1", "eu-west-1",    "us-east-1",
    };
    const struct ali_eip_target *t = evidence;

    if (!cut_through_ahead(t))
        return KIT_RULE_NOT_KNOWN;
    (void)kit_buf_printf(detail, "%s is none of the regions with cut-through mode", t->region);
    return kit_rule_broken_if(!is_listed(regions, KIT_LEN(regions), t->region));
}

static enum kit_rule_answer check_cut_node(const void *evidence, struct kit_buf *detail)
{
    const struct ali_eip_target *t = evidence;

    if (!cut_through_ahead(t) || !t->eni || !t->me.node[0])
        return KIT_RULE_NOT_KNOWN;
    (void)kit_buf_printf(detail, "%s is attached to %s", t->eni->id, t->eni->node);
    return kit_rule_broken_if(t->eni->node[0] && !kit_str_eq(t->eni->node, t->me.node));
}

static enum kit_rule_answer check_cut_gateway(const void *evidence, struct kit_buf *detail)
{
    const struct ali_eip_target *t = evidence;

    if (!cut_through_ahead(t))
        return KIT_RULE_NOT_KNOWN;
    tell(t->call_gateways, detail);
    if (!t->gateways_known)
        return KIT_RULE_NOT_KNOWN;
    (void)kit_buf_printf(detail, "%s has the IPv4 gateway %s", t->me.vpc, t->gateway);
    return kit_rule_broken_if(t->gateway[0] != '\0');
}

static enum kit_rule_answer check_cut_single(const void *evidence, struct kit_buf *detail)
{
    const struct ali_eip_target *t = evidence;
    const struct ali_eni_address *a = mapped_address(t);
    const char *other;

    if (!cut_through_ahead(t) || !t->eni)
        return KIT_RULE_NOT_KNOWN;
    other = other_eip(t);
    if (other)
        (void)kit_buf_printf(detail, "%s has the EIP %s", t->eni->id, other);
    else if (!a || !a->primary)
        (void)kit_buf_printf(detail, "`private_address` is not the primary one of %s", t->eni->id);
    return kit_rule_broken_if(detail->len_bytes > 0);
}

static enum kit_rule_answer check_cut_private(const void *evidence, struct kit_buf *detail)
{
    const struct ali_eip_target *t = evidence;

    if (!cut_through_ahead(t))
        return KIT_RULE_NOT_KNOWN;
    (void)kit_buf_printf(detail, "%s loses its private network", t->me.eni);
    return KIT_RULE_BROKEN;
}

static enum kit_rule_answer check_cut_charge(const void *evidence, struct kit_buf *detail)
{
    const struct ali_eip_target *t = evidence;

    if (!cut_through_ahead(t) || !t->eip.charge[0])
        return KIT_RULE_NOT_KNOWN;
    (void)kit_buf_printf(detail, "%s is a subscription EIP", t->eip.id);
    return kit_rule_broken_if(kit_str_eq(t->eip.charge, "PrePaid"));
}

static enum kit_rule_answer check_cut_guest(const void *evidence, struct kit_buf *detail)
{
    const struct ali_eip_target *t = evidence;

    if (!cut_through_ahead(t))
        return KIT_RULE_NOT_KNOWN;
    (void)kit_buf_printf(detail, "%s will have the EIP for its address", t->me.eni);
    return KIT_RULE_BROKEN;
}

/* ---- multi ----------------------------------------------------------------------------------- */

static bool multi_ahead(const struct ali_eip_target *t)
{
    return !t->right && t->mode == ALI_EIP_MULTI;
}

static enum kit_rule_answer check_multi_closed(const void *evidence, struct kit_buf *detail)
{
    const struct ali_eip_target *t = evidence;

    if (!multi_ahead(t))
        return KIT_RULE_NOT_KNOWN;
    (void)kit_buf_puts(detail, "multi-EIP mode");
    return KIT_RULE_BROKEN;
}

static enum kit_rule_answer check_multi_region(const void *evidence, struct kit_buf *detail)
{
    static const char *const regions[] = {
        "cn-shenzhen",    "cn-shanghai",  "cn-beijing", "cn-zhangjiakou", "cn-chengdu",
        "ap-southeast-1", "eu-central-1", "us-east-1",  "eu-west-1",
    };
    const struct ali_eip_target *t = evidence;

    if (!multi_ahead(t))
        return KIT_RULE_NOT_KNOWN;
    (void)kit_buf_printf(detail, "%s is none of the regions with multi-EIP mode", t->region);
    return kit_rule_broken_if(!is_listed(regions, KIT_LEN(regions), t->region));
}

static enum kit_rule_answer check_multi_count(const void *evidence, struct kit_buf *detail)
{
    const struct ali_eip_target *t = evidence;

    if (!multi_ahead(t))
        return KIT_RULE_NOT_KNOWN;
    tell(t->call_others, detail);
    if (!t->others_known)
        return KIT_RULE_NOT_KNOWN;
    (void)kit_buf_printf(detail, "%s has %zu EIPs", t->me.eni, t->others);
    return kit_rule_broken_if(t->others >= MULTI_MAX);
}

static enum kit_rule_answer check_multi_family(const void *evidence, struct kit_buf *detail)
{
    static const char *const families[] = {
        "ecs.i2", "ecs.r1", "ecs.re4", "ecs.re4e", "ecs.sccg5", "ecs.sccg6", "ecs.scch5",
        "ecs.g5", "ecs.c5", "ecs.r5",  "ecs.t5",   "ecs.sn2ne", "ecs.se1ne", "ecs.sn1ne",
    };
    const struct ali_eip_target *t = evidence;

    if (!multi_ahead(t))
        return KIT_RULE_NOT_KNOWN;
    tell(t->call_instance, detail);
    if (!t->family[0])
        return KIT_RULE_NOT_KNOWN;
    (void)kit_buf_printf(detail, "%s is of family %s", t->me.node, t->family);
    return kit_rule_broken_if(!is_listed(families, KIT_LEN(families), t->family));
}

static enum kit_rule_answer check_multi_guest(const void *evidence, struct kit_buf *detail)
{
    const struct ali_eip_target *t = evidence;
    char text[KIT_ADDR_TEXT];

    if (t->mode != ALI_EIP_MULTI)
        return KIT_RULE_NOT_KNOWN;
    tell(t->call_info, detail);
    if (!t->local_known || !t->info_gateway[0])
        return KIT_RULE_NOT_KNOWN;
    (void)kit_buf_printf(detail, "%s has no %s (mask %s, gateway %s)", t->interface,
                         kit_addr_text(&t->eip.addr, text), t->info_mask, t->info_gateway);
    return kit_rule_broken_if(!t->local);
}

/* ---- the table ------------------------------------------------------------------------------- */

const struct kit_rule ali_eip_rules[ALI_EIP_RULES] = {
    {15, KIT_RULE_REFUSE, "an EIP serves its own region", "name an EIP of the ENI's region",
     check_region},
    {16, KIT_RULE_REFUSE, "the cloud will not bind this EIP as it is",
     "in use: unbind it; else see it in the console: pay, unlock or replace it", check_status},
    {17, KIT_RULE_WARN, "it serves here once it is InUse",
     "wait, or run restore, which waits for it", check_done},
    {18, KIT_RULE_REFUSE, "a primary ENI takes one EIP", "free it, or use a secondary ENI",
     check_primary},
    {19, KIT_RULE_REFUSE, "cut-through and multi mode need a secondary ENI",
     "use a secondary ENI, or eip_mode = nat", check_secondary},
    {20, KIT_RULE_WARN, "the instance's type takes no more",
     "free a place, or use a larger instance type", ali_eip_check_room},
    {21, KIT_RULE_REFUSE, "each private address of an ENI takes one EIP",
     "set `private_address` to one of the ENI's that is free, or assign it another", check_private},
    {22, KIT_RULE_WARN, "what is sent to the EIP reaches nobody", "attach the ENI to this instance",
     check_attached},
    {23, KIT_RULE_WARN,
     "with an active IPv4 gateway, what has no route to it does not reach the Internet",
     "create one, or associate the vSwitch with a table that has it", ali_eip_check_gateway},
    {24, KIT_RULE_WARN, "in NAT mode the guest never sees the EIP: what listens on it gets nothing",
     "take it off the interface; H.323, SIP, DNS and RTSP want another mode", ali_eip_check_hidden},
    {25, KIT_RULE_WARN,
     "what a secondary ENI receives is answered by the primary one, and gets lost",
     "cloudvip nic setup for that interface", ali_eip_check_routes},
    {26, KIT_RULE_REFUSE, "the mode is not offered there", "use eip_mode = nat", check_cut_region},
    {27, KIT_RULE_REFUSE,
     "the ENI is detached before the EIP is bound, which is not ours to do there",
     "set `eni` to a secondary ENI of this instance", check_cut_node},
    {28, KIT_RULE_REFUSE, "cut-through mode does not work in a VPC with an IPv4 gateway",
     "use eip_mode = nat, or a VPC without one", check_cut_gateway},
    {29, KIT_RULE_REFUSE, "in cut-through mode an ENI takes one EIP, on its primary address",
     "free the ENI, and leave `private_address` out", check_cut_single},
    {30, KIT_RULE_WARN, "in cut-through mode the EIP takes the place of the private address",
     "keep heartbeats and management on another ENI", check_cut_private},
    {31, KIT_RULE_WARN, "when it ends, the ENI stays without its private network",
     "detach and attach the ENI then", check_cut_charge},
    {32, KIT_RULE_WARN, "the guest gets it by DHCP, with a route behind that of the primary ENI",
     "enable DHCP on the interface; eip_mode = nat is recommended", check_cut_guest},
    {33, KIT_RULE_WARN, "the cloud takes no new users of it",
     "add a secondary CIDR block to the VPC instead", check_multi_closed},
    {34, KIT_RULE_REFUSE, "the mode is not offered there", "use eip_mode = nat",
     check_multi_region},
    {35, KIT_RULE_REFUSE, "an ENI takes 10 EIPs in multi mode", "free one, or use another ENI",
     check_multi_count},
    {36, KIT_RULE_REFUSE, "this instance family cannot use multi mode", "use eip_mode = nat",
     check_multi_family},
    {37, KIT_RULE_WARN, "without DHCP on the interface multi mode has no effect",
     "enable DHCP on it", ali_eip_check_dhcp},
    {38, KIT_RULE_WARN, "in multi mode the guest has the EIP itself on its interface",
     "put it there, with this mask and gateway (local_address = yes does)", check_multi_guest},
};
