/* kit/cloud/aliyun/egress_rules.c - what must be so before an instance's way out is changed
 * (Alibaba Cloud help: "Use the same EIP to access the Internet when an ECS instance has a static
 * public IP address", "Create a secondary ENI", "Bind a secondary ENI").
 *
 * All are judged before anything is changed; what is done already has no say any more. */
#include "kit/base/str.h"
#include "kit/cloud/aliyun/egress.h"

static bool is_attached(const struct ali_egress *e)
{
    return e->eni && e->eni->state == ALI_ENI_IN_USE && kit_str_eq(e->eni->node, e->instance);
}

static bool is_bound(const struct ali_egress *e)
{
    return e->eni && e->eip_known && kit_str_eq(e->eip.holder, e->eni->id);
}

/* ---- the way out ----------------------------------------------------------------------------- */

static enum kit_rule_answer check_snat(const void *evidence, struct kit_buf *detail)
{
    const struct ali_egress *e = evidence;

    if (!e->snat.gateways)
        (void)kit_buf_printf(detail, "%s has no NAT gateway that is Available",
                             e->convert.instance.vpc);
    else if (!e->snat.id[0])
        (void)kit_buf_printf(detail, "no SNAT entry covers %s", e->primary->vswitch);
    else if (!kit_str_eq_nocase(e->snat.status, "Available"))
        (void)kit_buf_printf(detail, "%s is %s", e->snat.id, e->snat.status);
    return kit_rule_broken_if(detail->len_bytes > 0);
}

static enum kit_rule_answer check_way_out(const void *evidence, struct kit_buf *detail)
{
    const struct ali_egress *e = evidence;

    if (!e->way_out_known || !e->snat.gateway[0])
        return KIT_RULE_NOT_KNOWN;
    if (!e->way_out[0])
        (void)kit_buf_printf(detail, "the route table of %s has no default route",
                             e->primary->vswitch);
    else
        (void)kit_buf_printf(detail, "the default route of %s leads to %s, not to %s",
                             e->primary->vswitch, e->way_out, e->snat.gateway);
    return kit_rule_broken_if(!kit_str_eq(e->way_out, e->snat.gateway));
}

static enum kit_rule_answer check_bypass(const void *evidence, struct kit_buf *detail)
{
    const struct ali_egress *e = evidence;
    const struct ali_instance *i = &e->convert.instance;

    if (!is_bound(e))
        return KIT_RULE_NOT_KNOWN;
    (void)kit_buf_printf(detail, "%s has %s on its primary ENI", i->id,
                         i->public_ip[0] ? i->public_ip : i->eip);
    return kit_rule_broken_if(i->public_ip[0] || i->eip[0]);
}

/* ---- the ENI --------------------------------------------------------------------------------- */

static enum kit_rule_answer check_place(const void *evidence, struct kit_buf *detail)
{
    const struct ali_egress *e = evidence;
    const struct ali_instance *i = &e->convert.instance;
    const struct ali_vswitch *v = &e->vswitch;

    if (is_attached(e) || !v->id[0])
        return KIT_RULE_NOT_KNOWN;
    if (e->eni && e->wish->vswitch && !kit_str_eq(e->eni->vswitch, e->wish->vswitch))
        (void)kit_buf_printf(detail, "%s is in %s, and %s was asked for", e->eni->id,
                             e->eni->vswitch, e->wish->vswitch);
    else if (!kit_str_eq(v->vpc, i->vpc))
        (void)kit_buf_printf(detail, "%s is in %s, %s in %s", v->id, v->vpc, i->id, i->vpc);
    else if (!kit_str_eq(v->zone, i->zone))
        (void)kit_buf_printf(detail, "%s is in zone %s, %s in %s", v->id, v->zone, i->id, i->zone);
    return kit_rule_broken_if(detail->len_bytes > 0);
}

static enum kit_rule_answer check_address(const void *evidence, struct kit_buf *detail)
{
    const struct ali_egress *e = evidence;
    const struct kit_addr *wanted = e->wish->address;
    char text[KIT_ADDR_TEXT], cidr[KIT_CIDR_TEXT], own[KIT_ADDR_TEXT];

    if (!wanted)
        return KIT_RULE_NOT_KNOWN;
    (void)kit_addr_text(wanted, text);
    if (e->eni) {
        (void)kit_buf_printf(detail, "%s has the primary address %s", e->eni->id,
                             ali_eni_primary_text(e->eni, own) ? own : "none");
        return kit_rule_broken_if(!kit_str_eq(own, text));
    }
    if (!e->vswitch.cidr.addr.family)
        return KIT_RULE_NOT_KNOWN;
    if (wanted->family != 4 || !kit_cidr_contains(&e->vswitch.cidr, wanted))
        (void)kit_buf_printf(detail, "%s is not in %s of %s", text,
                             kit_cidr_text(&e->vswitch.cidr, cidr), e->vswitch.id);
    else if (e->address_known && !e->address_idle)
        (void)kit_buf_printf(detail, "%s is in use, or reserved", text);
    return kit_rule_broken_if(detail->len_bytes > 0);
}

static enum kit_rule_answer check_attach(const void *evidence, struct kit_buf *detail)
{
    const struct ali_egress *e = evidence;
    const struct ali_instance *i = &e->convert.instance;

    if (is_attached(e))
        return KIT_RULE_NOT_KNOWN;
    if (!kit_str_eq(i->status, "Running") && !kit_str_eq(i->status, "Stopped"))
        (void)kit_buf_printf(detail, "%s is %s", i->id, i->status);
    else if (e->eni && e->eni->node[0] && !kit_str_eq(e->eni->node, e->instance))
        (void)kit_buf_printf(detail, "%s is %s, with %s", e->eni->id, e->eni->state_text,
                             e->eni->node);
    else if (e->eni && !e->eni->node[0] && e->eni->state != ALI_ENI_AVAILABLE)
        (void)kit_buf_printf(detail, "%s is %s", e->eni->id, e->eni->state_text);
    return kit_rule_broken_if(detail->len_bytes > 0);
}

static enum kit_rule_answer check_groups(const void *evidence, struct kit_buf *detail)
{
    const struct ali_egress *e = evidence;

    if (e->eni)
        return KIT_RULE_NOT_KNOWN;
    if (!e->groups)
        (void)kit_buf_puts(detail, "no security group was named");
    else if (e->groups_known && e->groups_found < e->groups)
        (void)kit_buf_printf(detail, "%zu of %zu security groups are not in %s",
                             e->groups - e->groups_found, e->groups, e->convert.instance.vpc);
    return kit_rule_broken_if(detail->len_bytes > 0);
}

static enum kit_rule_answer check_optimised(const void *evidence, struct kit_buf *detail)
{
    const struct ali_egress *e = evidence;
    const struct ali_instance *i = &e->convert.instance;

    if (is_attached(e))
        return KIT_RULE_NOT_KNOWN;
    (void)kit_buf_printf(detail, "%s (%s) is not I/O optimised", i->id, i->type);
    return kit_rule_broken_if(!i->io_optimized);
}

static enum kit_rule_answer check_room(const void *evidence, struct kit_buf *detail)
{
    const struct ali_egress *e = evidence;
    const struct ali_instance *i = &e->convert.instance;
    enum kit_rule_answer answer = ali_quota_check((int64_t)e->attached.count, e->quota.enis);

    if (e->eni && kit_str_eq(e->eni->node, e->instance))
        return KIT_RULE_NOT_KNOWN;
    if (!e->quota.type[0] || answer == KIT_RULE_NOT_KNOWN)
        (void)kit_buf_puts(detail, e->quota.why);
    else
        (void)kit_buf_printf(detail, "%s (%s) has %zu ENIs", i->id, i->type, e->attached.count);
    return e->quota.type[0] ? answer : KIT_RULE_NOT_KNOWN;
}

/* ---- the order ------------------------------------------------------------------------------- */

static enum kit_rule_answer check_order(const void *evidence, struct kit_buf *detail)
{
    const struct ali_egress *e = evidence;
    const struct ali_instance *i = &e->convert.instance;
    const struct ali_eip *eip = &e->eip;

    if (e->eni && e->eni->primary)
        (void)kit_buf_printf(detail, "%s is a primary ENI", e->eni->id);
    else if (!e->eip_known && !i->public_ip[0])
        (void)kit_buf_printf(detail, "%s has no public address, and no EIP was named", i->id);
    else if (e->eip_known && i->public_ip[0])
        (void)kit_buf_printf(detail, "%s has a static public address beside %s", i->id, eip->id);
    else if (e->eip_known && i->eip_allocation[0] && !kit_str_eq(i->eip_allocation, eip->id))
        (void)kit_buf_printf(detail, "%s has another EIP, %s", i->id, i->eip_allocation);
    else if (e->eip_known && eip->holder[0] && !is_bound(e) &&
             !(kit_str_eq(eip->type, "EcsInstance") && kit_str_eq(eip->holder, e->instance)))
        (void)kit_buf_printf(detail, "%s is on %s", eip->id, eip->holder);
    return kit_rule_broken_if(detail->len_bytes > 0);
}

/* ---- the table ------------------------------------------------------------------------------- */

const struct kit_rule ali_egress_rules[ALI_EGRESS_RULES] = {
    {39, KIT_RULE_REFUSE, "without its public address the instance leaves by SNAT alone",
     "give its vSwitch an SNAT entry of an Internet NAT gateway, and wait until it is Available",
     check_snat},
    {39, KIT_RULE_WARN, "what the instance sends does not come to the NAT gateway",
     "point the default route of its route table there", check_way_out},
    {40, KIT_RULE_WARN, "an instance with a public address leaves by that, not by SNAT",
     "run cloudvip egress unify", check_bypass},
    ALI_CONVERT_RULES,
    {43, KIT_RULE_REFUSE, "an ENI and its instance are in one VPC and one zone",
     "name a vSwitch of the instance's zone, or another ENI", check_place},
    {44, KIT_RULE_REFUSE, "the ENI's address must be an idle one of its vSwitch",
     "name another --private-address, or none", check_address},
    {45, KIT_RULE_REFUSE,
     "the EIP goes from the instance's primary ENI to a secondary one, and to nothing else",
     "name the EIP with --eip, or free it", check_order},
    {20, KIT_RULE_REFUSE, "the instance type takes no further ENI",
     "detach one, or use a larger type", check_room},
    {50, KIT_RULE_REFUSE, "an ENI is attached when it is free and the instance runs or is stopped",
     "name another ENI, or wait", check_attach},
    {55, KIT_RULE_REFUSE, "an ENI has at least one security group of its VPC",
     "name them with --security-group", check_groups},
    {56, KIT_RULE_REFUSE, "only I/O optimised instances take a secondary ENI",
     "use another instance type", check_optimised},
};
