/* What must be so before an ENI is created, attached, detached, changed or deleted (Alibaba Cloud
 * help: "Elastic network interfaces").  Pure: each check looks at what the operation has read. */
#include "kit/base/str.h"
#include "kit/cloud/aliyun/ops_eni.h"

/* ---- create, modify -------------------------------------------------------------------------- */

static enum kit_rule_answer check_address(const void *evidence, struct kit_buf *detail)
{
    const struct ali_op_eni *e = evidence;

    return ali_vswitch_idle_rule(&e->vswitch, e->address, e->idle, detail);
}

static enum kit_rule_answer check_wanted_groups(const void *evidence, struct kit_buf *detail)
{
    const struct ali_op_eni *e = evidence;

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

static enum kit_rule_answer check_count(const void *evidence, struct kit_buf *detail)
{
    const struct ali_op_eni *e = evidence;

    (void)kit_buf_printf(detail, "the region has %zu", e->count);
    return kit_rule_broken_if(e->count >= ALI_REGION_ENIS);
}

#define RULE_GROUPS                                                                                \
    {                                                                                              \
        55, KIT_RULE_REFUSE, "an interface has one to five security groups, all of its own VPC",   \
            "name such; with a raised quota, say --max-groups", check_wanted_groups                \
    }

const struct kit_rule ali_op_eni_create_rules[] = {
    {44, KIT_RULE_REFUSE, "an interface's primary address is an idle one of its vSwitch",
     "name another address, or none: the cloud picks one", check_address},
    RULE_GROUPS,
    {57, KIT_RULE_WARN, "a region has 100 interfaces by default", "check the quota of the account",
     check_count},
};

static enum kit_rule_answer check_changeable(const void *evidence, struct kit_buf *detail)
{
    const struct ali_op_eni *e = evidence;
    const struct ali_eni *eni = e->base.eni;

    (void)kit_buf_printf(detail, "%s is %s%s", eni->id, eni->primary ? "primary and " : "",
                         eni->state_text);
    return kit_rule_broken_if(eni->primary ||
                              (eni->state != ALI_ENI_AVAILABLE && eni->state != ALI_ENI_IN_USE));
}

const struct kit_rule ali_op_eni_modify_rules[] = {
    RULE_GROUPS,
    {58, KIT_RULE_WARN, "only secondary interfaces that are Available or InUse can be changed",
     "the cloud may refuse; change the instance instead of its primary interface",
     check_changeable},
};

/* ---- attach, detach -------------------------------------------------------------------------- */

static enum kit_rule_answer check_attachable(const void *evidence, struct kit_buf *detail)
{
    const struct ali_op_eni *e = evidence;
    const struct ali_eni *eni = e->base.eni;

    if (eni->service_managed) {
        (void)kit_buf_printf(detail, "%s belongs to a service of the cloud", eni->id);
        return KIT_RULE_BROKEN;
    }
    /* Attaching to it, and Detaching, are waited for. */
    if (eni->state == ALI_ENI_IN_USE ||
        (eni->state == ALI_ENI_ATTACHING && !kit_str_eq(eni->node, e->instance.id)) ||
        eni->state == ALI_ENI_DELETING) {
        (void)kit_buf_printf(detail, "%s is %s%s%s", eni->id, eni->state_text,
                             eni->node[0] ? " with " : "", eni->node);
        return KIT_RULE_BROKEN;
    }
    return ali_eni_check_instance(evidence, detail);
}

const struct kit_rule ali_op_eni_attach_rules[] = {
    ALI_ENI_RULE_ROOM,
    {50, KIT_RULE_REFUSE,
     "an interface that is Available can be attached to an instance that is Running or Stopped",
     "detach it first, or wait", check_attachable},
    ALI_ENI_RULE_SECONDARY,
    ALI_ENI_RULE_ZONE,
    ALI_ENI_RULE_VPC,
    ALI_ENI_RULE_GROUPS,
    ALI_ENI_RULE_OPTIMIZED,
    ALI_ENI_RULE_KEPT,
};

static enum kit_rule_answer check_detachable(const void *evidence, struct kit_buf *detail)
{
    const struct ali_op_eni *e = evidence;
    const struct ali_eni *eni = e->base.eni;

    if (!eni->service_managed)
        return ali_eni_check_instance(evidence, detail);
    (void)kit_buf_printf(detail, "%s belongs to a service of the cloud", eni->id);
    return KIT_RULE_BROKEN;
}

static enum kit_rule_answer check_havip(const void *evidence, struct kit_buf *detail)
{
    const struct ali_op_eni *e = evidence;

    if (e->why[0]) {
        (void)kit_buf_puts(detail, e->why);
        return KIT_RULE_NOT_KNOWN;
    }
    (void)kit_buf_printf(detail, "%s stays bound to %s", e->base.eni->id, e->havip);
    return kit_rule_broken_if(e->havip[0]);
}

const struct kit_rule ali_op_eni_detach_rules[] = {
    {6, KIT_RULE_WARN, "an ENI that is detached cannot serve a HAVIP that it is bound to",
     "attach it to its node again, or unbind it (`havip unbind`)", check_havip},
    {50, KIT_RULE_REFUSE, "an interface is detached from an instance that is Running or Stopped",
     "wait until it is", check_detachable},
    ALI_ENI_RULE_SECONDARY,
};

/* ---- delete ---------------------------------------------------------------------------------- */

static enum kit_rule_answer check_unused(const void *evidence, struct kit_buf *detail)
{
    const struct ali_op_eni *e = evidence;
    const struct ali_eni *eni = e->base.eni;

    (void)kit_buf_printf(detail, "%s is %s%s%s%s", eni->id, eni->primary ? "primary and " : "",
                         eni->state_text, eni->node[0] ? " with " : "", eni->node);
    return kit_rule_broken_if(eni->primary || eni->service_managed ||
                              (eni->state != ALI_ENI_AVAILABLE && eni->state != ALI_ENI_DELETING));
}

const struct kit_rule ali_op_eni_delete_rules[] = {
    {52, KIT_RULE_REFUSE, "only a secondary interface that is Available can be deleted",
     "detach it first (`eni detach`)", check_unused},
};
