/* aliyun eni attach, detach: the walk is the mover's (eni_move.c). */
#include "kit/base/mem.h"
#include "kit/base/str.h"
#include "kit/cloud/aliyun/havip.h"
#include "kit/cloud/aliyun/ops_eni.h"

struct work {
    struct ali_cloud *cloud;
    const struct kit_op_call *call;
    const char *id;
    struct ali_op_eni evidence;
    struct ali_enis seen;
    const struct ali_eni *eni;
};

/* The ENI, and the instance when it is named, in one round. */
static int read_both(struct work *w, const char *instance, struct kit_err *err)
{
    const struct ali_eni_filter filter = {.id = &w->id, .ids = 1};
    struct ali_rpc r[2];
    size_t calls = 0;
    int rc;

    if (ali_ready(w->cloud, w->call->by, err))
        return -1;
    ali_enis_call(&r[calls++], w->cloud, &filter);
    if (instance)
        ali_instances_call(&r[calls++], w->cloud, &instance, 1);
    rc = ali_ops_together(w->cloud, r, calls, w->call->by, err);
    if (!rc)
        rc = ali_enis_finish(&r[0], &filter, w->call->by, &w->seen, err);
    if (!rc && instance && !ali_instances_take(&r[1], instance, &w->evidence.instance))
        rc = kit_err_set(err, KIT_ERR_NOT_FOUND,
                         "DescribeInstances: no instance %s in this account and region", instance);
    for (size_t i = 0; i < calls; i++)
        ali_rpc_done(&r[i]);
    if (rc)
        return -1;
    w->eni = ali_enis_get(&w->seen, w->id);
    if (!w->eni)
        return kit_err_set(err, KIT_ERR_NOT_FOUND,
                           "DescribeNetworkInterfaces: no ENI %s in this account and region",
                           w->id);
    w->evidence.base = (struct ali_eni_evidence){.eni = w->eni, .instance = &w->evidence.instance};
    return 0;
}

/* ali_page_fn */
static int take_havips(void *arg, const struct kit_json_node *root, struct kit_err *err)
{
    struct work *w = arg;
    size_t n = ali_list_count(root, "HaVips", "HaVip");
    struct ali_havip havip;

    (void)err;
    for (size_t i = 0; i < n; i++)
        if (ali_havip_decode(ali_list_at(root, "HaVips", "HaVip", i), w->id, &havip) &&
            havip.bound_to_me)
            (void)kit_str_copy(w->evidence.havip, sizeof(w->evidence.havip), havip.id);
    return 0;
}

/* For a warning alone: few tries, and no failure. */
static void read_havips(struct work *w)
{
    struct kit_err err;
    struct ali_rpc r;

    ali_rpc_init(&r, w->cloud, &ali_vpc, "DescribeHaVips", ALI_READS);
    r.call.max_tries = ALI_QUOTA_TRIES;
    ali_rpc_param(&r, "Filter.1.Key", "VpcId");
    ali_rpc_param(&r, "Filter.1.Value.1", w->eni->vpc);
    if (ali_rpc_pages(&r, ALI_PAGES_NUMBER, 50, ali_quota_by(w->cloud, w->call->by), take_havips, w,
                      &err))
        (void)kit_str_copy(w->evidence.why, sizeof(w->evidence.why), err.msg);
    ali_rpc_done(&r);
}

static bool rests(const struct ali_eni *eni)
{
    return eni->state == ALI_ENI_AVAILABLE || eni->state == ALI_ENI_IN_USE;
}

/* The row as it is in the end. */
static int show(struct work *w, struct kit_op_answer *answer, struct kit_err *err)
{
    if (ali_op_eni_find(w->cloud, w->id, w->call->by, &w->seen, &w->eni, err))
        return -1;
    ali_op_eni_row(w->eni, answer);
    return 0;
}

static int attach(struct work *w, struct kit_op_answer *answer, struct kit_err *err)
{
    const char *instance = kit_op_text(w->call, "instance");
    struct ali_eni_move move = {
        .eni = w->id, .from = "", .to = instance, .ui = w->call->ui, .busy = true};
    int go;

    if (read_both(w, instance, err))
        return -1;
    if (w->eni->state == ALI_ENI_IN_USE && kit_str_eq(w->eni->node, instance)) {
        ali_op_eni_row(w->eni, answer);
        kit_op_say(answer, "%s is attached to %s", w->id, instance);
        return 0;
    }
    /* One that is Attaching is counted among the instance's already. */
    if (!kit_str_eq(w->eni->node, instance)) {
        ali_quota_find(w->cloud, w->evidence.instance.type, w->call->by, &w->evidence.quota);
        w->evidence.base.quota = &w->evidence.quota;
    }
    if (kit_op_judge(w->call, &w->evidence, answer, err))
        return -1;
    go = kit_op_begin(w->call, answer, err, "attach %s to %s", w->id, instance);
    if (go <= 0)
        return go;
    move.busy = !rests(w->eni);
    if (ali_eni_move(w->cloud, &move, w->call->by, err) || show(w, answer, err))
        return -1;
    kit_op_say(answer, "attached %s to %s", w->id, instance);
    return 0;
}

static int detach(struct work *w, struct kit_op_answer *answer, struct kit_err *err)
{
    struct ali_eni_move move = {.eni = w->id, .to = "", .ui = w->call->ui};
    char node[KIT_ID];
    int go;

    if (read_both(w, NULL, err))
        return -1;
    if (w->eni->state == ALI_ENI_AVAILABLE || w->eni->state == ALI_ENI_DELETING) {
        ali_op_eni_row(w->eni, answer);
        kit_op_say(answer, "%s is attached to no instance", w->id);
        return 0;
    }
    (void)kit_str_copy(node, sizeof(node), w->eni->node);
    ali_enis_done(&w->seen);
    if (read_both(w, node, err))
        return -1;
    read_havips(w);
    if (kit_op_judge(w->call, &w->evidence, answer, err))
        return -1;
    go = kit_op_begin(w->call, answer, err, "detach %s from %s", w->id, node);
    if (go <= 0)
        return go;
    move.from = node;
    move.busy = !rests(w->eni);
    if (ali_eni_move(w->cloud, &move, w->call->by, err) || show(w, answer, err))
        return -1;
    kit_op_say(answer, "detached %s from %s", w->id, node);
    return 0;
}

static int attach_run(struct kit_cloud *base, const struct kit_op_call *call,
                      struct kit_op_answer *answer, struct kit_err *err)
{
    struct work w = {
        .cloud = (struct ali_cloud *)base, .call = call, .id = kit_op_text(call, "eni")};
    int rc = attach(&w, answer, err);

    ali_enis_done(&w.seen);
    return rc;
}

static int detach_run(struct kit_cloud *base, const struct kit_op_call *call,
                      struct kit_op_answer *answer, struct kit_err *err)
{
    struct work w = {
        .cloud = (struct ali_cloud *)base, .call = call, .id = kit_op_text(call, "eni")};
    int rc = detach(&w, answer, err);

    ali_enis_done(&w.seen);
    return rc;
}

/* ---- tables ---------------------------------------------------------------------------------- */

static const struct kit_op_param attach_params[] = {
    {"eni", KIT_OP_ID, NULL, true, true, "the ENI: a secondary one that no instance has"},
    {"instance", KIT_OP_ID, NULL, true, true, "the instance, of the same zone and VPC"},
};
static const struct kit_permission attach_permissions[] = {
    {"ecs:DescribeNetworkInterfaces", "*", "to see in which state it is", KIT_ALWAYS},
    {"ecs:DescribeInstances", "*", "to see whether the instance can take it", KIT_ALWAYS},
    {"ecs:DescribeInstanceTypes", "*", "to see how many ENIs its type takes", KIT_ALWAYS},
    {"ecs:AttachNetworkInterface", "*", "to attach it", KIT_ALWAYS},
};
const struct kit_op ali_op_eni_attach = {
    .object = "eni",
    .verb = "attach",
    .does = "an ENI to an instance",
    .params = attach_params,
    .params_count = KIT_LEN(attach_params),
    .permissions = attach_permissions,
    .permissions_count = KIT_LEN(attach_permissions),
    .rules = ali_op_eni_attach_rules,
    .rules_count = KIT_LEN(ali_op_eni_attach_rules),
    .run = attach_run,
};

static const struct kit_op_param detach_params[] = {
    {"eni", KIT_OP_ID, NULL, true, true, "the ENI: a secondary one"},
};
static const struct kit_permission detach_permissions[] = {
    {"ecs:DescribeNetworkInterfaces", "*", "to see who has it", KIT_ALWAYS},
    {"ecs:DescribeInstances", "*", "to see in which state the instance is", KIT_ALWAYS},
    {"vpc:DescribeHaVips", "*", "to warn of a HAVIP that it is bound to", KIT_ADVICE},
    {"ecs:DetachNetworkInterface", "*", "to detach it", KIT_ALWAYS},
};
const struct kit_op ali_op_eni_detach = {
    .object = "eni",
    .verb = "detach",
    .does = "an ENI from the instance that has it; its guest must let it go",
    .params = detach_params,
    .params_count = KIT_LEN(detach_params),
    .permissions = detach_permissions,
    .permissions_count = KIT_LEN(detach_permissions),
    .rules = ali_op_eni_detach_rules,
    .rules_count = KIT_LEN(ali_op_eni_detach_rules),
    .run = detach_run,
};
