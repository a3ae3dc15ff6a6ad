/* What must be so before a HAVIP is created, bound, unbound or deleted (Alibaba Cloud help:
 * "HAVIP"). Pure: each check looks at what the operation has read. */
#include "kit/base/mem.h"
#include "kit/base/str.h"
#include "kit/cloud/aliyun/ops_havip.h"

/* ---- create ---------------------------------------------------------------------------------- */

static enum kit_rule_answer check_address(const void *evidence, struct kit_buf *detail)
{
    const struct ali_op_havip *e = evidence;

    return ali_vswitch_idle_rule(&e->vswitch, e->address, e->idle, detail);
}

/* Regions of mainland China, and those abroad that the help names. */
static enum kit_rule_answer check_region(const void *evidence, struct kit_buf *detail)
{
    static const char *const abroad[] = {"ap-northeast-1", "ap-northeast-2", "ap-southeast-1",
                                         "eu-central-1",   "eu-west-1",      "us-west-1",
                                         "us-east-1",      "me-east-1"};
    const struct ali_op_havip *e = evidence;

    if (kit_str_starts(e->region, "cn-"))
        return KIT_RULE_HOLDS;
    for (size_t i = 0; i < KIT_LEN(abroad); i++)
        if (kit_str_eq(e->region, abroad[i]))
            return KIT_RULE_HOLDS;
    (void)kit_buf_printf(detail, "%s is not known for it", e->region);
    return KIT_RULE_BROKEN;
}

const struct kit_rule ali_op_havip_create_rules[] = {
    {7, KIT_RULE_REFUSE, "a HAVIP's address is an idle one of its vSwitch",
     "name another address, or none: the cloud picks one", check_address},
    {8, KIT_RULE_WARN, "not all regions have HAVIPs", "see the help; the list may have grown",
     check_region},
};

/* ---- bind and unbind ------------------------------------------------------------------------- */

static enum kit_rule_answer check_network(const void *evidence, struct kit_buf *detail)
{
    const struct ali_op_havip *e = evidence;

    if (kit_str_eq(e->instance.network, "classic")) {
        (void)kit_buf_printf(detail, "%s is in the classic network", e->instance.id);
        return KIT_RULE_BROKEN;
    }
    return ali_havip_check_vpc(evidence, detail);
}

static enum kit_rule_answer check_attached(const void *evidence, struct kit_buf *detail)
{
    const struct ali_op_havip *e = evidence;

    if (!e->target.eni)
        return KIT_RULE_NOT_KNOWN;
    (void)kit_buf_printf(detail, "%s is %s", e->target.eni->id, e->target.eni->state_text);
    return kit_rule_broken_if(!e->target.eni->node[0]);
}

static enum kit_rule_answer check_states(const void *evidence, struct kit_buf *detail)
{
    const struct ali_op_havip *e = evidence;
    const char *status = e->instance.status;
    enum kit_rule_answer havip = ali_havip_check_status(evidence, detail);

    if (havip != KIT_RULE_HOLDS || !e->instance.id[0])
        return havip;
    (void)kit_buf_printf(detail, "; %s is %s", e->instance.id, status);
    return kit_rule_broken_if(!kit_str_eq_nocase(status, "Running") &&
                              !kit_str_eq_nocase(status, "Stopped"));
}

#define RULE_STATES                                                                                \
    {                                                                                              \
        12, KIT_RULE_REFUSE,                                                                       \
            "the HAVIP must be Available or InUse, and the instance Running or Stopped",           \
            "wait until they are", check_states                                                    \
    }

const struct kit_rule ali_op_havip_bind_rules[] = {
    ALI_HAVIP_RULE_VSWITCH,
    {2, KIT_RULE_REFUSE, "a HAVIP serves instances of its own VPC", "name an instance of that VPC",
     check_network},
    ALI_HAVIP_RULE_COUNT,
    ALI_HAVIP_RULE_TYPE,
    {5, KIT_RULE_REFUSE, "an ENI serves a HAVIP on the instance that it is attached to",
     "attach it first (`eni attach`)", check_attached},
    ALI_HAVIP_RULE_IDLE,
    RULE_STATES,
};

const struct kit_rule ali_op_havip_unbind_rules[] = {
    RULE_STATES,
};

/* ---- EIPs ------------------------------------------------------------------------------------ */

static enum kit_rule_answer check_eip_region(const void *evidence, struct kit_buf *detail)
{
    const struct ali_op_havip *e = evidence;

    if (!e->eip.region[0])
        return KIT_RULE_NOT_KNOWN;
    (void)kit_buf_printf(detail, "%s is in %s, %s in %s", e->eip.id, e->eip.region,
                         e->target.havip.id, e->region);
    return kit_rule_broken_if(!kit_str_eq(e->eip.region, e->region));
}

static enum kit_rule_answer check_eip_free(const void *evidence, struct kit_buf *detail)
{
    const struct ali_op_havip *e = evidence;

    (void)kit_buf_printf(detail, "%s is %s%s%s", e->eip.id, e->eip.status_text,
                         e->eip.holder[0] ? " with " : "", e->eip.holder);
    if (e->eip.lock[0]) {
        (void)kit_buf_printf(detail, ", and locked (%s)", e->eip.lock);
        return KIT_RULE_BROKEN;
    }
    /* On its way to this HAVIP, or off it: the walk goes on from there. */
    if (kit_str_eq(e->eip.holder, e->target.havip.id))
        return KIT_RULE_HOLDS;
    return kit_rule_broken_if(e->eip.status != ALI_EIP_AVAILABLE);
}

const struct kit_rule ali_op_havip_eip_rules[] = {
    {9, KIT_RULE_REFUSE, "an EIP and its HAVIP are in one region", "use an EIP of that region",
     check_eip_region},
    {10, KIT_RULE_REFUSE, "an EIP must be Available before it is bound to a HAVIP",
     "unbind it from what has it", check_eip_free},
    RULE_STATES,
};

/* ---- delete ---------------------------------------------------------------------------------- */

static enum kit_rule_answer check_unused(const void *evidence, struct kit_buf *detail)
{
    const struct ali_op_havip *e = evidence;
    const struct ali_havip *h = &e->target.havip;

    if (h->bound)
        (void)kit_buf_printf(detail, "%s is bound to %s%s", h->id, h->bound_id[0],
                             h->bound > 1 ? " and others" : "");
    if (h->eips)
        (void)kit_buf_printf(detail, "%s%s has the EIP %s", detail->len_bytes ? "; " : "", h->id,
                             h->eip[0]);
    if (e->route[0])
        (void)kit_buf_printf(detail, "%sa route of %s points to %s", detail->len_bytes ? "; " : "",
                             e->route, h->id);
    return kit_rule_broken_if(h->bound || h->eips || e->route[0]);
}

const struct kit_rule ali_op_havip_delete_rules[] = {
    {11, KIT_RULE_REFUSE, "a HAVIP that is deleted has no instance, ENI, EIP or route",
     "unbind them (`havip unbind`, `havip unbind-eip`), delete the route", check_unused},
    RULE_STATES,
};
