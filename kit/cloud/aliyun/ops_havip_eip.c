/* aliyun havip bind-eip, unbind-eip: the EIP's walk is that of the elastic-ip mover (eip_move.c).
 */
#include "kit/base/mem.h"
#include "kit/base/str.h"
#include "kit/cloud/aliyun/ops_havip.h"

#define TYPE "HaVip"

struct work {
    struct ali_cloud *cloud;
    const struct kit_op_call *call;
    const char *id; /* of the HAVIP */
    struct ali_op_havip evidence;
};

static int read_both(struct work *w, struct kit_err *err)
{
    struct ali_op_havip *e = &w->evidence;

    if (ali_ready(w->cloud, w->call->by, err) ||
        ali_op_havip_find(w->cloud, w->id, "", w->call->by, &e->target.havip, err) ||
        ali_eip_find(w->cloud, kit_op_text(w->call, "eip"), w->call->by, &e->eip, err))
        return -1;
    e->region = w->cloud->region;
    return 0;
}

static int move(struct work *w, struct kit_op_answer *answer, bool on, struct kit_err *err)
{
    const struct ali_eip *eip = &w->evidence.eip;
    const struct ali_eip_move m = {.mode = ALI_EIP_NAT,
                                   .id = eip->id,
                                   .holder = on ? w->id : NULL,
                                   .type = TYPE,
                                   .from = on ? "" : w->id,
                                   .settle = true,
                                   .ui = w->call->ui};
    int go = kit_op_begin(w->call, answer, err, on ? "bind %s to %s" : "unbind %s from %s", eip->id,
                          w->id);

    if (go > 0 && ali_eip_move(w->cloud, &m, eip, w->call->by, err))
        return kit_err_wrap(err, "%s", eip->id);
    return go;
}

/* The row as it is in the end. */
static int show(struct work *w, struct kit_op_answer *answer, struct kit_err *err)
{
    struct ali_havip havip;

    if (ali_op_havip_find(w->cloud, w->id, "", w->call->by, &havip, err))
        return -1;
    ali_op_havip_row(&havip, answer);
    return 0;
}

static int bind_run(struct kit_cloud *base, const struct kit_op_call *call,
                    struct kit_op_answer *answer, struct kit_err *err)
{
    struct work w = {
        .cloud = (struct ali_cloud *)base, .call = call, .id = kit_op_text(call, "havip")};
    const struct ali_eip *eip = &w.evidence.eip;
    int rc = 1;

    if (read_both(&w, err))
        return -1;
    bool there = eip->status == ALI_EIP_IN_USE && kit_str_eq(eip->holder, w.id);
    if (!there)
        rc = kit_op_judge(call, &w.evidence, answer, err) ? -1 : move(&w, answer, true, err);
    if (rc <= 0 || show(&w, answer, err))
        return rc > 0 ? -1 : rc;
    kit_op_say(answer, "%s %s to %s", there ? "already bound:" : "bound", eip->id, w.id);
    return 0;
}

static int unbind_run(struct kit_cloud *base, const struct kit_op_call *call,
                      struct kit_op_answer *answer, struct kit_err *err)
{
    struct work w = {
        .cloud = (struct ali_cloud *)base, .call = call, .id = kit_op_text(call, "havip")};
    const struct ali_eip *eip = &w.evidence.eip;
    int rc = 1;

    if (read_both(&w, err))
        return -1;
    bool free = eip->status == ALI_EIP_AVAILABLE;
    if (!free && !kit_str_eq(eip->holder, w.id))
        return kit_err_set(err, KIT_ERR_STATE, "%s is %s with %s, and not with %s: left alone",
                           eip->id, eip->status_text, eip->holder, w.id);
    if (!free)
        rc = kit_op_judge(call, &w.evidence, answer, err) ? -1 : move(&w, answer, false, err);
    if (rc <= 0 || show(&w, answer, err))
        return rc > 0 ? -1 : rc;
    kit_op_say(answer, "%s %s from %s", free ? "already unbound:" : "unbound", eip->id, w.id);
    return 0;
}

/* ---- tables ---------------------------------------------------------------------------------- */

static const struct kit_op_param params[] = {
    {"havip", KIT_OP_ID, NULL, true, true, "the HAVIP"},
    {"eip", KIT_OP_ID, NULL, true, true, "the EIP: its id or its address"},
};
static const struct kit_permission bind_permissions[] = {
    {"vpc:DescribeHaVips", "havip", "to see in which state it is", KIT_ALWAYS},
    {"vpc:DescribeEipAddresses", "eip", "to see who has the EIP", KIT_ALWAYS},
    {"vpc:AssociateEipAddress", "eip", "to bind it", KIT_ALWAYS},
};
const struct kit_op ali_op_havip_bind_eip = {
    .object = "havip",
    .verb = "bind-eip",
    .does = "an EIP to a HAVIP: whoever has the HAVIP is reached by it",
    .params = params,
    .params_count = KIT_LEN(params),
    .permissions = bind_permissions,
    .permissions_count = KIT_LEN(bind_permissions),
    .rules = ali_op_havip_eip_rules,
    .rules_count = KIT_LEN(ali_op_havip_eip_rules),
    .run = bind_run,
};

static const struct kit_permission unbind_permissions[] = {
    {"vpc:DescribeHaVips", "havip", "to see in which state it is", KIT_ALWAYS},
    {"vpc:DescribeEipAddresses", "eip", "to see who has the EIP", KIT_ALWAYS},
    {"vpc:UnassociateEipAddress", "eip", "to unbind it", KIT_ALWAYS},
};
const struct kit_op ali_op_havip_unbind_eip = {
    .object = "havip",
    .verb = "unbind-eip",
    .does = "an EIP from a HAVIP",
    .params = params,
    .params_count = KIT_LEN(params),
    .permissions = unbind_permissions,
    .permissions_count = KIT_LEN(unbind_permissions),
    .rules = ali_op_havip_unbind_rules,
    .rules_count = KIT_LEN(ali_op_havip_unbind_rules),
    .run = unbind_run,
};
