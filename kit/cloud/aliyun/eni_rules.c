/* What must be so before an ENI can be attached to an instance (Alibaba Cloud help: "Attach an
 * ENI").
 */
#include "kit/base/str.h"
#include "kit/cloud/aliyun/eni.h"

/* A breach would show when the old node has lost it already. */
enum kit_rule_answer ali_eni_check_room(const void *evidence, struct kit_buf *detail)
{
    const struct ali_eni_evidence *e = evidence;

    if (!e->quota)
        return KIT_RULE_NOT_KNOWN;
    if (e->quota->enis < 0) {
        (void)kit_buf_puts(detail, e->quota->why);
        return KIT_RULE_NOT_KNOWN;
    }
    (void)kit_buf_printf(detail, "%s (%s) has %zu interfaces of %lld", e->instance->id,
                         e->quota->type, e->instance->enis, (long long)e->quota->enis);
    return ali_quota_check((int64_t)e->instance->enis, e->quota->enis);
}

enum kit_rule_answer ali_eni_check_instance(const void *evidence, struct kit_buf *detail)
{
    const struct ali_eni_evidence *e = evidence;
    const char *status = e->instance->status;

    if (!e->instance->id[0])
        return KIT_RULE_NOT_KNOWN;
    (void)kit_buf_printf(detail, "%s is %s", e->instance->id, status);
    if (kit_str_eq_nocase(status, "Running") || kit_str_eq_nocase(status, "Stopped"))
        return KIT_RULE_HOLDS;
    /* On its way up: the cloud says so when it is asked too early, and is asked again. */
    return kit_str_eq_nocase(status, "Stopping") ? KIT_RULE_BROKEN : KIT_RULE_NOT_KNOWN;
}

enum kit_rule_answer ali_eni_check_secondary(const void *evidence, struct kit_buf *detail)
{
    const struct ali_eni_evidence *e = evidence;

    (void)kit_buf_printf(detail, "%s is the primary interface of %s", e->eni->id,
                         e->eni->node[0] ? e->eni->node : "an instance");
    return e->eni->primary ? KIT_RULE_BROKEN : KIT_RULE_HOLDS;
}

enum kit_rule_answer ali_eni_check_zone(const void *evidence, struct kit_buf *detail)
{
    const struct ali_eni_evidence *e = evidence;

    if (!e->eni->zone[0] || !e->instance->zone[0])
        return KIT_RULE_NOT_KNOWN;
    (void)kit_buf_printf(detail, "%s is in %s, %s in %s", e->eni->id, e->eni->zone, e->instance->id,
                         e->instance->zone);
    return kit_str_eq(e->eni->zone, e->instance->zone) ? KIT_RULE_HOLDS : KIT_RULE_BROKEN;
}

enum kit_rule_answer ali_eni_check_vpc(const void *evidence, struct kit_buf *detail)
{
    const struct ali_eni_evidence *e = evidence;

    if (!e->eni->vpc[0])
        return KIT_RULE_NOT_KNOWN;
    (void)kit_buf_printf(detail, "%s is in %s, %s in %s", e->eni->id, e->eni->vpc, e->instance->id,
                         e->instance->vpc[0] ? e->instance->vpc : "no VPC");
    return kit_str_eq(e->eni->vpc, e->instance->vpc) ? KIT_RULE_HOLDS : KIT_RULE_BROKEN;
}

enum kit_rule_answer ali_eni_check_groups(const void *evidence, struct kit_buf *detail)
{
    const struct ali_eni_evidence *e = evidence;

    if (!e->eni->groups)
        return KIT_RULE_NOT_KNOWN;
    (void)kit_buf_printf(detail, "%s has %u security groups", e->eni->id, e->eni->groups);
    return e->eni->groups > 5 ? KIT_RULE_BROKEN : KIT_RULE_HOLDS;
}

enum kit_rule_answer ali_eni_check_optimized(const void *evidence, struct kit_buf *detail)
{
    const struct ali_eni_evidence *e = evidence;

    (void)kit_buf_printf(detail, "%s (%s) is not I/O optimised", e->instance->id,
                         e->instance->type);
    return e->instance->io_optimized ? KIT_RULE_HOLDS : KIT_RULE_BROKEN;
}

enum kit_rule_answer ali_eni_check_kept(const void *evidence, struct kit_buf *detail)
{
    const struct ali_eni_evidence *e = evidence;

    if (!e->eni->release_known)
        return KIT_RULE_NOT_KNOWN;
    (void)kit_buf_printf(detail, "%s is deleted with the instance that has it", e->eni->id);
    return e->eni->dies_with_node ? KIT_RULE_BROKEN : KIT_RULE_HOLDS;
}
