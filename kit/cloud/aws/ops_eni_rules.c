/* What must be so before an ENI is created, attached, detached, changed or deleted ("Elastic
 * network interfaces" in the EC2 user guide).  Pure: each check looks at what the operation has
 * read. */
#include <string.h>

#include "kit/base/str.h"
#include "kit/cloud/aws/ops_eni.h"

/* ---- create, modify -------------------------------------------------------------------------- */

/* EC2 keeps the first four addresses of a subnet and the last one ("Subnet CIDR blocks"). */
static bool is_kept(const struct kit_cidr *cidr, const struct kit_addr *addr)
{
    unsigned host_bits = 32u - cidr->prefix_len;
    uint32_t base = 0, at = 0;

    for (size_t i = 0; i < 4; i++) {
        base = base << 8 | cidr->addr.byte[i];
        at = at << 8 | addr->byte[i];
    }
    return at - base < 4 || (host_bits < 32 && at - base == (1u << host_bits) - 1);
}

static enum kit_rule_answer check_address(const void *evidence, struct kit_buf *detail)
{
    const struct aws_op_eni *e = evidence;
    char addr[KIT_ADDR_TEXT], cidr[KIT_CIDR_TEXT];

    if (!e->address)
        return KIT_RULE_NOT_KNOWN;
    (void)kit_addr_text(e->address, addr);
    if (e->address->family != 4 || e->subnet.cidr.addr.family != 4 ||
        !kit_cidr_contains(&e->subnet.cidr, e->address)) {
        (void)kit_buf_printf(detail, "%s is not of %s (%s)", addr, e->subnet.id,
                             e->subnet.cidr.addr.family ? kit_cidr_text(&e->subnet.cidr, cidr)
                                                        : "no IPv4");
        return KIT_RULE_BROKEN;
    }
    if (e->holder[0])
        (void)kit_buf_printf(detail, "%s is an address of %s", addr, e->holder);
    else
        (void)kit_buf_printf(detail, "%s is one that the cloud keeps for itself", addr);
    return kit_rule_broken_if(e->holder[0] || is_kept(&e->subnet.cidr, e->address));
}

static enum kit_rule_answer check_wanted_groups(const void *evidence, struct kit_buf *detail)
{
    const struct aws_op_eni *e = evidence;

    if (!e->groups)
        return KIT_RULE_NOT_KNOWN; /* they are not to be changed */
    if (e->stray[0] && e->stray_vpc[0])
        (void)kit_buf_printf(detail, "%s is in %s, the interface in %s", e->stray, e->stray_vpc,
                             e->vpc);
    else if (e->stray[0])
        (void)kit_buf_printf(detail, "there is no %s", e->stray);
    else
        (void)kit_buf_printf(detail, "%zu security groups, %zu at most", e->groups, e->most);
    return kit_rule_broken_if(e->stray[0] || e->groups > e->most);
}

#define RULE_GROUPS                                                                                \
    {                                                                                              \
        55, KIT_RULE_REFUSE, "an interface has one to five security groups, all of its own VPC",   \
            "name such; with a raised quota, say --max-groups", check_wanted_groups                \
    }

const struct kit_rule aws_op_eni_create_rules[] = {
    {44, KIT_RULE_REFUSE, "an interface's primary address is an idle one of its subnet",
     "name another address, or none: the cloud picks one", check_address},
    RULE_GROUPS,
};

static enum kit_rule_answer check_kept(const void *evidence, struct kit_buf *detail)
{
    const struct aws_op_eni *e = evidence;

    (void)kit_buf_printf(detail, "%s is then deleted together with %s", e->nic->nic.eni.id,
                         e->nic->nic.eni.node);
    return kit_rule_broken_if(e->dies);
}

const struct kit_rule aws_op_eni_modify_rules[] = {
    RULE_GROUPS,
    {59, KIT_RULE_WARN, "when its instance is terminated, the interface and its addresses are gone",
     "leave DeleteOnTermination off for an interface that other nodes shall take over", check_kept},
};

/* ---- attach, detach -------------------------------------------------------------------------- */

static enum kit_rule_answer check_room(const void *evidence, struct kit_buf *detail)
{
    const struct aws_op_eni *e = evidence;

    if (!e->room.asked)
        return KIT_RULE_NOT_KNOWN;
    if (e->room.why[0]) {
        (void)kit_buf_puts(detail, e->room.why);
        return KIT_RULE_NOT_KNOWN;
    }
    (void)kit_buf_printf(detail, "%s (%s) has %lld interfaces of %lld", e->instance.id,
                         e->room.type, (long long)e->room.used, (long long)e->room.limit);
    return kit_rule_broken_if(e->room.used >= e->room.limit);
}

static enum kit_rule_answer check_attachable(const void *evidence, struct kit_buf *detail)
{
    const struct aws_op_eni *e = evidence;
    const struct aws_nic *nic = &e->nic->nic;

    if (aws_nic_is_foreign(nic)) {
        (void)kit_buf_printf(detail, "%s belongs to a service of the cloud", nic->eni.id);
        return KIT_RULE_BROKEN;
    }
    /* Attaching to it, and detaching, are waited for. */
    if (nic->attachment[0] && !kit_str_eq(nic->attachment_state, "detaching") &&
        !kit_str_eq(nic->eni.node, e->instance.id)) {
        (void)kit_buf_printf(detail, "%s is %s with %s", nic->eni.id, nic->attachment_state,
                             nic->eni.node);
        return KIT_RULE_BROKEN;
    }
    (void)kit_buf_printf(detail, "%s is %s", e->instance.id, e->instance.state);
    return kit_rule_broken_if(!kit_str_eq(e->instance.state, "running") &&
                              !kit_str_eq(e->instance.state, "stopped"));
}

static enum kit_rule_answer check_secondary(const void *evidence, struct kit_buf *detail)
{
    const struct aws_nic *nic = &((const struct aws_op_eni *)evidence)->nic->nic;

    (void)kit_buf_printf(detail, "%s is the primary interface of %s", nic->eni.id, nic->eni.node);
    return kit_rule_broken_if(nic->device_index == 0);
}

static enum kit_rule_answer check_zone(const void *evidence, struct kit_buf *detail)
{
    const struct aws_op_eni *e = evidence;

    if (!e->nic->nic.zone[0] || !e->instance.zone[0])
        return KIT_RULE_NOT_KNOWN;
    (void)kit_buf_printf(detail, "%s is in %s, %s in %s", e->nic->nic.eni.id, e->nic->nic.zone,
                         e->instance.id, e->instance.zone);
    return kit_rule_broken_if(!kit_str_eq(e->nic->nic.zone, e->instance.zone));
}

/* EC2 can attach interfaces of another VPC of the account ("Attach network interfaces from multiple
 * VPCs"): so it is told, and not refused. */
static enum kit_rule_answer check_vpc(const void *evidence, struct kit_buf *detail)
{
    const struct aws_op_eni *e = evidence;

    if (!e->nic->nic.vpc[0] || !e->instance.vpc[0])
        return KIT_RULE_NOT_KNOWN;
    (void)kit_buf_printf(detail, "%s is in %s, %s in %s", e->nic->nic.eni.id, e->nic->nic.vpc,
                         e->instance.id, e->instance.vpc);
    return kit_rule_broken_if(!kit_str_eq(e->nic->nic.vpc, e->instance.vpc));
}

#define RULE_SECONDARY                                                                             \
    {                                                                                              \
        51, KIT_RULE_REFUSE, "a primary interface cannot be detached from its instance",           \
            "name a secondary interface", check_secondary                                          \
    }

const struct kit_rule aws_op_eni_attach_rules[] = {
    {20, KIT_RULE_REFUSE, "an instance takes as many interfaces as its type allows",
     "detach another one from it, or use a larger instance type", check_room},
    {50, KIT_RULE_REFUSE,
     "an interface that is available can be attached to an instance that is running or stopped",
     "detach it first, or wait", check_attachable},
    RULE_SECONDARY,
    {53, KIT_RULE_REFUSE, "an interface can be attached to instances of its own zone alone",
     "create one in the zone of the instance", check_zone},
    {54, KIT_RULE_WARN, "an interface of another VPC joins two networks on one instance",
     "create one in the VPC of the instance", check_vpc},
};

const struct kit_rule aws_op_eni_detach_rules[] = {
    RULE_SECONDARY,
};

/* ---- delete ---------------------------------------------------------------------------------- */

static enum kit_rule_answer check_unused(const void *evidence, struct kit_buf *detail)
{
    const struct aws_nic *nic = &((const struct aws_op_eni *)evidence)->nic->nic;

    (void)kit_buf_printf(detail, "%s is %s%s%s", nic->eni.id, nic->status,
                         nic->eni.node[0] ? " with " : "", nic->eni.node);
    return kit_rule_broken_if(nic->attachment[0] || aws_nic_is_foreign(nic));
}

const struct kit_rule aws_op_eni_delete_rules[] = {
    {52, KIT_RULE_REFUSE, "only an interface that is available can be deleted",
     "detach it first (`eni detach`)", check_unused},
};
