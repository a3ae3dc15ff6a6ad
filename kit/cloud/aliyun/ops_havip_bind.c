/* aliyun havip bind, unbind. */
#include "kit/base/mem.h"
#include "kit/base/str.h"
#include "kit/cloud/aliyun/ops_havip.h"

struct work {
    struct ali_cloud *cloud;
    const struct kit_op_call *call;
    struct ali_havip_bind bind;
    struct ali_op_havip evidence;
    struct ali_enis enis; /* the ENI, where it is one */
};

static void work_done(struct work *w)
{
    ali_enis_done(&w->enis);
    ali_enis_done(&w->evidence.target.idle);
}

/* The word says what it is: i-… or eni-…. */
static int begin(struct work *w, struct kit_err *err)
{
    const char *holder = kit_op_text(w->call, "holder");
    struct ali_havip_target *t = &w->evidence.target;

    w->bind = (struct ali_havip_bind){
        .id = kit_op_text(w->call, "havip"), .holder = holder, .ui = w->call->ui};
    t->to_instance = kit_str_starts(holder, "i-");
    if (!t->to_instance && !kit_str_starts(holder, "eni-"))
        return kit_err_set(err, KIT_ERR_USAGE,
                           "%s: the holder is an instance (i-...) or an ENI (eni-...)", holder);
    w->bind.type = t->to_instance ? ALI_HAVIP_INSTANCE : ALI_HAVIP_ENI;
    t->local.interface = holder;
    return ali_ready(w->cloud, w->call->by, err);
}

/* ---- reading --------------------------------------------------------------------------------- */

static void take_instance(struct work *w)
{
    struct kit_me *me = &w->evidence.target.me;
    const struct ali_instance *i = &w->evidence.instance;

    (void)kit_str_copy(me->node, sizeof(me->node), i->id);
    (void)kit_str_copy(me->vpc, sizeof(me->vpc), i->vpc);
    (void)kit_str_copy(me->vswitch, sizeof(me->vswitch), i->vswitch);
}

static int take_eni(struct work *w, struct kit_err *err)
{
    struct ali_havip_target *t = &w->evidence.target;
    struct kit_me *me = &t->me;

    t->eni = ali_enis_get(&w->enis, w->bind.holder);
    if (!t->eni)
        return kit_err_set(err, KIT_ERR_NOT_FOUND,
                           "DescribeNetworkInterfaces: no ENI %s in this account and region",
                           w->bind.holder);
    (void)kit_str_copy(me->eni, sizeof(me->eni), t->eni->id);
    (void)kit_str_copy(me->node, sizeof(me->node), t->eni->node);
    (void)kit_str_copy(me->vpc, sizeof(me->vpc), t->eni->vpc);
    (void)kit_str_copy(me->vswitch, sizeof(me->vswitch), t->eni->vswitch);
    return 0;
}

/* The HAVIP and the holder, in one round. */
static int read_both(struct work *w, struct kit_err *err)
{
    const struct ali_eni_filter filter = {.id = &w->bind.holder, .ids = 1};
    struct ali_havip_target *t = &w->evidence.target;
    struct ali_rpc r[2];
    int rc;

    ali_havip_call(&r[0], w->cloud, w->bind.id);
    if (t->to_instance)
        ali_instances_call(&r[1], w->cloud, &w->bind.holder, 1);
    else
        ali_enis_call(&r[1], w->cloud, &filter);
    rc = ali_ops_together(w->cloud, r, KIT_LEN(r), w->call->by, err);
    if (!rc && !ali_havip_take(&r[0], w->bind.id, w->bind.holder, &t->havip))
        rc = kit_err_set(err, KIT_ERR_NOT_FOUND,
                         "DescribeHaVips: no HAVIP %s in this account and region", w->bind.id);
    if (!rc && !t->to_instance)
        rc = ali_enis_finish(&r[1], &filter, w->call->by, &w->enis, err);
    if (!rc && t->to_instance)
        (void)ali_instances_take(&r[1], w->bind.holder, &w->evidence.instance);
    for (size_t i = 0; i < KIT_LEN(r); i++)
        ali_rpc_done(&r[i]);
    w->evidence.region = w->cloud->region;
    return rc;
}

/* For the rules, in one more round: the instance that has the ENI, and which of the ENIs that are
 * bound already no instance has. */
static int read_around(struct work *w, struct kit_err *err)
{
    struct ali_havip_target *t = &w->evidence.target;
    const struct ali_eni_filter idle = {.status = "Available", .vswitch = t->havip.vswitch};
    const char *node = t->me.node;
    struct ali_rpc r[2];
    int rc;

    if (t->to_instance || !node[0])
        return 0;
    ali_enis_call(&r[0], w->cloud, &idle);
    ali_instances_call(&r[1], w->cloud, &node, 1);
    rc = ali_ops_together(w->cloud, r, KIT_LEN(r), w->call->by, err);
    if (!rc)
        rc = ali_enis_finish(&r[0], &idle, w->call->by, &t->idle, err);
    if (!rc)
        (void)ali_instances_take(&r[1], node, &w->evidence.instance);
    for (size_t i = 0; i < KIT_LEN(r); i++)
        ali_rpc_done(&r[i]);
    return rc;
}

static bool rests(const struct ali_havip *h)
{
    return h->status == ALI_HAVIP_AVAILABLE || h->status == ALI_HAVIP_IN_USE;
}

/* ---- changing -------------------------------------------------------------------------------- */

static int change(struct work *w, struct kit_op_answer *answer, struct kit_err *err)
{
    const struct ali_havip_target *t = &w->evidence.target;
    bool there = t->havip.bound_to_me == !w->bind.off;
    char addr[KIT_ADDR_TEXT] = "its address";
    struct ali_havip havip;
    int go;

    if (!there || !rests(&t->havip)) {
        w->bind.busy = !rests(&t->havip);
        if (!there) {
            go = kit_op_begin(w->call, answer, err,
                              w->bind.off ? "unbind %s from %s" : "bind %s to %s", w->bind.id,
                              w->bind.holder);
            if (go <= 0)
                return go;
        }
        if (ali_havip_bind(w->cloud, &w->bind, w->call->by, err))
            return kit_err_wrap(err, "%s", w->bind.id);
    }
    if (ali_op_havip_find(w->cloud, w->bind.id, w->bind.holder, w->call->by, &havip, err))
        return -1;
    ali_op_havip_row(&havip, answer);
    if (havip.addr.family)
        (void)kit_addr_text(&havip.addr, addr);
    if (there)
        kit_op_say(answer, "%s is%s bound to %s", w->bind.id, w->bind.off ? " not" : "",
                   w->bind.holder);
    else if (w->bind.off)
        kit_op_say(answer, "unbound %s from %s; take %s off its interface there", w->bind.id,
                   w->bind.holder, addr);
    else
        kit_op_say(answer, "bound %s to %s; it serves where %s is on the interface and announced",
                   w->bind.id, w->bind.holder, addr);
    return 0;
}

static int bind(struct work *w, struct kit_op_answer *answer, struct kit_err *err)
{
    struct ali_havip_target *t = &w->evidence.target;

    if (begin(w, err) || read_both(w, err))
        return -1;
    if (t->havip.bound_to_me)
        return change(w, answer, err);
    if (t->to_instance && !w->evidence.instance.id[0])
        return kit_err_set(err, KIT_ERR_NOT_FOUND,
                           "DescribeInstances: no instance %s in this account and region",
                           w->bind.holder);
    if (t->to_instance)
        take_instance(w);
    else if (take_eni(w, err))
        return -1;
    if (read_around(w, err) || kit_op_judge(w->call, &w->evidence, answer, err))
        return -1;
    return change(w, answer, err);
}

static int unbind(struct work *w, struct kit_op_answer *answer, struct kit_err *err)
{
    struct ali_havip_target *t = &w->evidence.target;
    struct kit_me *me = &t->me;

    w->bind.off = true;
    w->bind.force = kit_op_flag(w->call, "force");
    if (read_both(w, err))
        return -1;
    if (!t->havip.bound_to_me)
        return change(w, answer, err);
    if (kit_op_judge(w->call, &w->evidence, answer, err))
        return -1;
    (void)kit_str_copy(t->to_instance ? me->node : me->eni, KIT_ID, w->bind.holder);
    if (!t->to_instance && ali_enis_get(&w->enis, w->bind.holder))
        (void)take_eni(w, err);
    if (ali_havip_is_us(me, t->havip.master) && !w->bind.force)
        return kit_err_set(err, KIT_ERR_STATE,
                           "%s has the address now: let another node take it over first, or say "
                           "--force",
                           w->bind.holder);
    return change(w, answer, err);
}

static int bind_run(struct kit_cloud *base, const struct kit_op_call *call,
                    struct kit_op_answer *answer, struct kit_err *err)
{
    struct work w = {.cloud = (struct ali_cloud *)base, .call = call};
    int rc = bind(&w, answer, err);

    work_done(&w);
    return rc;
}

static int unbind_run(struct kit_cloud *base, const struct kit_op_call *call,
                      struct kit_op_answer *answer, struct kit_err *err)
{
    struct work w = {.cloud = (struct ali_cloud *)base, .call = call};
    int rc = begin(&w, err) ? -1 : unbind(&w, answer, err);

    work_done(&w);
    return rc;
}

/* ---- tables ---------------------------------------------------------------------------------- */

static const struct kit_op_param bind_params[] = {
    {"havip", KIT_OP_ID, NULL, true, true, "the HAVIP"},
    {"holder", KIT_OP_ID, NULL, true, true, "an instance (i-...) or an ENI (eni-...)"},
};
static const struct kit_permission bind_permissions[] = {
    {"vpc:DescribeHaVips", "havip", "to see what is bound to it", KIT_ALWAYS},
    {"ecs:DescribeInstances", "*", "to see whether the instance can have it", KIT_ALWAYS},
    {"ecs:DescribeNetworkInterfaces", "*", "to see whether the ENI can have it", KIT_ALWAYS},
    {"vpc:AssociateHaVip", "havip, eni, instance", "to bind it", KIT_ALWAYS},
};
const struct kit_op ali_op_havip_bind = {
    .object = "havip",
    .verb = "bind",
    .does = "a HAVIP to an instance or to an ENI",
    .params = bind_params,
    .params_count = KIT_LEN(bind_params),
    .permissions = bind_permissions,
    .permissions_count = KIT_LEN(bind_permissions),
    .rules = ali_op_havip_bind_rules,
    .rules_count = KIT_LEN(ali_op_havip_bind_rules),
    .run = bind_run,
};

static const struct kit_op_param unbind_params[] = {
    {"havip", KIT_OP_ID, NULL, true, true, "the HAVIP"},
    {"holder", KIT_OP_ID, NULL, true, true, "what it is bound to: i-... or eni-..."},
    {"force", KIT_OP_FLAG, NULL, false, false,
     "off the one that has the address now, too: it is served by nobody until another takes it"},
};
static const struct kit_permission unbind_permissions[] = {
    {"vpc:DescribeHaVips", "havip", "to see what is bound to it", KIT_ALWAYS},
    {"ecs:DescribeInstances", "*", "to see in which state the instance is", KIT_ALWAYS},
    {"ecs:DescribeNetworkInterfaces", "*", "to see which instance has the ENI", KIT_ALWAYS},
    {"vpc:UnassociateHaVip", "havip, eni, instance", "to unbind it", KIT_ALWAYS},
};
const struct kit_op ali_op_havip_unbind = {
    .object = "havip",
    .verb = "unbind",
    .does = "a HAVIP from an instance or from an ENI",
    .params = unbind_params,
    .params_count = KIT_LEN(unbind_params),
    .permissions = unbind_permissions,
    .permissions_count = KIT_LEN(unbind_permissions),
    .rules = ali_op_havip_unbind_rules,
    .rules_count = KIT_LEN(ali_op_havip_unbind_rules),
    .run = unbind_run,
};
