/* aws eni attach, detach: the walk is the mover's (eni_move.c). */
#include "kit/base/mem.h"
#include "kit/base/str.h"
#include "kit/cloud/aws/ops_eni.h"

struct work {
    struct aws_cloud *cloud;
    const struct kit_op_call *call;
    const char *id;
    struct aws_op_eni evidence;
    struct aws_op_nics seen, on_node;
    const struct aws_op_nic *nic;
};

static void work_done(struct work *w)
{
    aws_op_nics_done(&w->seen);
    aws_op_nics_done(&w->on_node);
}

/* The ENI, the instance, and what that has already, in one round. */
static int read_for_attach(struct work *w, const char *node, struct kit_err *err)
{
    struct aws_op_search eni, others;
    struct aws_query q;
    struct kit_call *const call[] = {&eni.list.query.call, &others.list.query.call, &q.call};
    struct kit_err other;
    int rc;

    aws_op_search_init(&eni, w->cloud, &(struct aws_op_filter){.id = w->id}, &w->seen);
    aws_op_search_init(&others, w->cloud, &(struct aws_op_filter){.node = node}, &w->on_node);
    aws_nic_list_begin(&eni.list);
    aws_nic_list_begin(&others.list);
    aws_instance_ask(&q, w->cloud, node);
    rc = kit_call_all(w->cloud->base.caller, call, KIT_LEN(call), w->call->by, err);
    /* Each frees its own call, whatever comes of it; the first error is what is told. */
    if (aws_nic_list_finish(&eni.list, w->call->by, &other) && !rc) {
        *err = other;
        rc = -1;
    }
    if (aws_nic_list_finish(&others.list, w->call->by, &other) && !rc) {
        *err = other;
        rc = -1;
    }
    if (!rc && !aws_instance_take(&q, node, &w->evidence.instance))
        rc = kit_err_set(err, KIT_ERR_NOT_FOUND,
                         "DescribeInstances: no instance %s in this account and region", node);
    aws_query_done(&q);
    if (!rc && !w->seen.count)
        rc = kit_err_set(err, KIT_ERR_NOT_FOUND,
                         "DescribeNetworkInterfaces: no ENI %s in this account and region", w->id);
    if (rc)
        return -1;
    w->evidence.nic = w->nic = &w->seen.nic[0];
    return 0;
}

/* One that is coming is counted among the instance's already. */
static void read_room(struct work *w)
{
    struct aws_room *room = &w->evidence.room;

    if (kit_str_eq(w->nic->nic.eni.node, w->evidence.instance.id))
        return;
    (void)kit_str_copy(room->type, sizeof(room->type), w->evidence.instance.type);
    room->used = (int64_t)w->on_node.count;
    aws_room_limit(w->cloud, w->call->by, room);
}

/* The row as it is in the end. */
static int show(struct work *w, struct kit_op_answer *answer, struct kit_err *err)
{
    if (aws_op_find(w->cloud, w->id, w->call->by, &w->seen, &w->nic, err))
        return -1;
    aws_op_eni_row(w->nic, answer);
    return 0;
}

static int attach(struct work *w, struct kit_op_answer *answer, struct kit_err *err)
{
    const char *node = kit_op_text(w->call, "instance");
    struct aws_eni_move move = {.eni = w->id, .from = "", .to = node, .ui = w->call->ui};
    int go;

    if (aws_ec2_ready(w->cloud, w->call->by, err) || read_for_attach(w, node, err))
        return -1;
    if (kit_str_eq(w->nic->nic.eni.node, node) &&
        kit_str_eq(w->nic->nic.attachment_state, "attached")) {
        aws_op_eni_row(w->nic, answer);
        kit_op_say(answer, "%s is attached to %s", w->id, node);
        return 0;
    }
    read_room(w);
    if (kit_op_judge(w->call, &w->evidence, answer, err))
        return -1;
    go = kit_op_begin(w->call, answer, err, "attach %s to %s", w->id, node);
    if (go <= 0)
        return go;
    move.busy = w->nic->nic.attachment[0] != '\0';
    if (aws_eni_move(w->cloud, &move, w->call->by, err) || show(w, answer, err))
        return -1;
    kit_op_say(answer, "attached %s to %s at device index %lld", w->id, node,
               (long long)w->nic->nic.device_index);
    return 0;
}

static int detach(struct work *w, struct kit_op_answer *answer, struct kit_err *err)
{
    struct aws_eni_move move = {.eni = w->id, .to = "", .ui = w->call->ui};
    char node[KIT_ID], attachment[KIT_ID];
    int go;

    if (aws_ec2_ready(w->cloud, w->call->by, err) ||
        aws_op_find(w->cloud, w->id, w->call->by, &w->seen, &w->nic, err))
        return -1;
    if (!w->nic->nic.attachment[0]) {
        aws_op_eni_row(w->nic, answer);
        kit_op_say(answer, "%s is attached to no instance", w->id);
        return 0;
    }
    w->evidence.nic = w->nic;
    if (kit_op_judge(w->call, &w->evidence, answer, err))
        return -1;
    (void)kit_str_copy(node, sizeof(node), w->nic->nic.eni.node);
    (void)kit_str_copy(attachment, sizeof(attachment), w->nic->nic.attachment);
    go = kit_op_begin(w->call, answer, err, "detach %s from %s", w->id, node);
    if (go <= 0)
        return go;
    move.from = attachment;
    move.busy = kit_str_eq(w->nic->nic.attachment_state, "detaching");
    if (aws_eni_move(w->cloud, &move, w->call->by, err) || show(w, answer, err))
        return -1;
    kit_op_say(answer, "detached %s from %s", w->id, node);
    return 0;
}

static int attach_run(struct kit_cloud *base, const struct kit_op_call *call,
                      struct kit_op_answer *answer, struct kit_err *err)
{
    struct work w = {
        .cloud = (struct aws_cloud *)base, .call = call, .id = kit_op_text(call, "eni")};
    int rc = attach(&w, answer, err);

    work_done(&w);
    return rc;
}

static int detach_run(struct kit_cloud *base, const struct kit_op_call *call,
                      struct kit_op_answer *answer, struct kit_err *err)
{
    struct work w = {
        .cloud = (struct aws_cloud *)base, .call = call, .id = kit_op_text(call, "eni")};
    int rc = detach(&w, answer, err);

    work_done(&w);
    return rc;
}

/* ---- tables ---------------------------------------------------------------------------------- */

static const struct kit_op_param attach_params[] = {
    {"eni", KIT_OP_ID, NULL, true, true, "the ENI: a secondary one that no instance has"},
    {"instance", KIT_OP_ID, NULL, true, true,
     "the instance, of the same zone; the device index is its first free one"},
};
static const struct kit_permission attach_permissions[] = {
    {"ec2:DescribeNetworkInterfaces", "*", "to see in which state it is, and what is attached",
     KIT_ALWAYS},
    {"ec2:DescribeInstances", "*", "to see whether the instance can take it", KIT_ALWAYS},
    {"ec2:DescribeInstanceTypes", "*", "to see how many ENIs its type takes", KIT_ALWAYS},
    {"ec2:AttachNetworkInterface", "instance, network-interface", "to attach it", KIT_ALWAYS},
};
const struct kit_op aws_op_eni_attach = {
    .object = "eni",
    .verb = "attach",
    .does = "an ENI to an instance",
    .params = attach_params,
    .params_count = KIT_LEN(attach_params),
    .permissions = attach_permissions,
    .permissions_count = KIT_LEN(attach_permissions),
    .rules = aws_op_eni_attach_rules,
    .rules_count = KIT_LEN(aws_op_eni_attach_rules),
    .run = attach_run,
};

static const struct kit_op_param detach_params[] = {
    {"eni", KIT_OP_ID, NULL, true, true, "the ENI: a secondary one"},
};
static const struct kit_permission detach_permissions[] = {
    {"ec2:DescribeNetworkInterfaces", "*", "to see who has it", KIT_ALWAYS},
    {"ec2:DetachNetworkInterface", "instance, network-interface", "to detach it", KIT_ALWAYS},
};
const struct kit_op aws_op_eni_detach = {
    .object = "eni",
    .verb = "detach",
    .does = "an ENI from the instance that has it; never forced",
    .params = detach_params,
    .params_count = KIT_LEN(detach_params),
    .permissions = detach_permissions,
    .permissions_count = KIT_LEN(detach_permissions),
    .rules = aws_op_eni_detach_rules,
    .rules_count = KIT_LEN(aws_op_eni_detach_rules),
    .run = detach_run,
};
