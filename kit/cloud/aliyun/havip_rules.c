/* havip: what must be so before a node can have a HAVIP (Alibaba Cloud help: "HAVIP").  Each check
 * looks at one resource's evidence alone; where nothing is to be changed it has no say. */
#include "kit/base/str.h"
#include "kit/cloud/aliyun/havip.h"

static const char *bound_type_of(const struct ali_havip_target *t)
{
    return t->to_instance ? ALI_HAVIP_INSTANCE : ALI_HAVIP_ENI;
}

/* Of the ENI that was named, else of the interface. */
static const char *vswitch_of(const struct ali_havip_target *t)
{
    return t->eni ? t->eni->vswitch : t->me.vswitch;
}

enum kit_rule_answer ali_havip_check_vswitch(const void *evidence, struct kit_buf *detail)
{
    const struct ali_havip_target *t = evidence;

    if (t->havip.bound_to_me || !vswitch_of(t)[0] || !t->havip.vswitch[0])
        return KIT_RULE_NOT_KNOWN;
    (void)kit_buf_printf(detail, "%s is in %s, %s in %s", t->havip.id, t->havip.vswitch,
                         t->local.interface, vswitch_of(t));
    return kit_rule_broken_if(!kit_str_eq(t->havip.vswitch, vswitch_of(t)));
}

enum kit_rule_answer ali_havip_check_vpc(const void *evidence, struct kit_buf *detail)
{
    const struct ali_havip_target *t = evidence;

    if (t->havip.bound_to_me || !t->me.vpc[0] || !t->havip.vpc[0])
        return KIT_RULE_NOT_KNOWN;
    (void)kit_buf_printf(detail, "%s is in %s, %s in %s", t->havip.id, t->havip.vpc,
                         t->local.interface, t->me.vpc);
    return kit_rule_broken_if(!kit_str_eq(t->havip.vpc, t->me.vpc));
}

enum kit_rule_answer ali_havip_check_count(const void *evidence, struct kit_buf *detail)
{
    const struct ali_havip_target *t = evidence;

    if (t->havip.bound_to_me)
        return KIT_RULE_NOT_KNOWN;
    (void)kit_buf_printf(detail, "%s is bound to %zu", t->havip.id, t->havip.bound);
    return kit_rule_broken_if(t->havip.bound >= ALI_HAVIP_BOUND);
}

enum kit_rule_answer ali_havip_check_type(const void *evidence, struct kit_buf *detail)
{
    const struct ali_havip_target *t = evidence;

    if (t->havip.bound_to_me || !t->havip.bound || !t->havip.bound_type[0])
        return KIT_RULE_NOT_KNOWN;
    (void)kit_buf_printf(detail, "%s is bound to objects of type %s", t->havip.id,
                         t->havip.bound_type);
    return kit_rule_broken_if(!kit_str_eq(t->havip.bound_type, bound_type_of(t)));
}

static enum kit_rule_answer check_eni(const void *evidence, struct kit_buf *detail)
{
    const struct ali_havip_target *t = evidence;

    if (t->right || !t->eni || t->to_instance)
        return KIT_RULE_NOT_KNOWN;
    (void)kit_buf_printf(detail, "%s is on %s", t->eni->id,
                         t->eni->node[0] ? t->eni->node : "no instance");
    return kit_rule_broken_if(!kit_str_eq(t->eni->node, t->me.node));
}

/* An ENI that is detached stays bound. */
enum kit_rule_answer ali_havip_check_idle(const void *evidence, struct kit_buf *detail)
{
    const struct ali_havip_target *t = evidence;

    if (t->right)
        return KIT_RULE_NOT_KNOWN;
    (void)kit_buf_puts(detail, t->idle_why);
    for (size_t i = 0; i < t->havip.bound && i < ALI_HAVIP_BOUND; i++) {
        const struct ali_eni *eni = ali_enis_get(&t->idle, t->havip.bound_id[i]);

        if (!eni || eni->node[0])
            continue;
        (void)kit_buf_printf(detail, "%s is bound to %s and attached to no instance", eni->id,
                             t->havip.id);
        return KIT_RULE_BROKEN;
    }
    return KIT_RULE_NOT_KNOWN;
}

enum kit_rule_answer ali_havip_check_status(const void *evidence, struct kit_buf *detail)
{
    const struct ali_havip_target *t = evidence;

    if (t->right)
        return KIT_RULE_NOT_KNOWN;
    (void)kit_buf_printf(detail, "%s is %s", t->havip.id,
                         t->havip.status_text[0] ? t->havip.status_text : "in no known state");
    return kit_rule_broken_if(t->havip.status == ALI_HAVIP_OTHER);
}

static enum kit_rule_answer check_unbound(const void *evidence, struct kit_buf *detail)
{
    const struct ali_havip_target *t = evidence;

    (void)kit_buf_printf(detail, "the address is on %s, and %s is not bound to this node",
                         t->local.interface, t->havip.id);
    return kit_rule_broken_if(t->up && !t->havip.bound_to_me);
}

static enum kit_rule_answer check_master(const void *evidence, struct kit_buf *detail)
{
    const struct ali_havip_target *t = evidence;

    (void)kit_buf_printf(detail, "the address is on %s, and the VPC sends it to %s",
                         t->local.interface, t->havip.master[0] ? t->havip.master : "nobody");
    return kit_rule_broken_if(t->up && !ali_havip_is_us(&t->me, t->havip.master));
}

const struct kit_rule ali_havip_rules[ALI_HAVIP_RULES] = {
    ALI_HAVIP_RULE_VSWITCH,
    ALI_HAVIP_RULE_VPC,
    ALI_HAVIP_RULE_COUNT,
    ALI_HAVIP_RULE_TYPE,
    {5, KIT_RULE_REFUSE, "the ENI must be attached to this node", "set `eni` to one that is",
     check_eni},
    ALI_HAVIP_RULE_IDLE,
    ALI_HAVIP_RULE_STATUS,
    {13, KIT_RULE_WARN, "an address that is not bound here is not to be announced here",
     "take it off the interface unless this node shall have it", check_unbound},
    {14, KIT_RULE_WARN, "another node announced it later",
     "take it off the interface unless this node shall have it", check_master},
};
