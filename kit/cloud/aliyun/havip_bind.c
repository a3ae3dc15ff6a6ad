/* A HAVIP bound to a node, or taken off one: for the mover, and for the operations bind and unbind.
 *
 * What to do next follows from what is seen alone: a run that was killed is finished by the next.
 * Other nodes may be binding themselves at the same time, and the cloud takes them in turn. */
#include "kit/base/str.h"
#include "kit/cloud/aliyun/havip.h"

/* Tries of one change before the next look. */
#define TRIES 3
/* An answer "exists already" that the next look does not bear out: so often, then it is final. */
#define TAKEN_MAX 3

struct task {
    struct ali_cloud *cloud;
    const struct ali_havip_bind *b;
    struct kit_deadline by;
    unsigned taken;
    bool accepted;       /* the cloud said yes */
    struct kit_err last; /* the last refusal that may pass; msg "" = none */
};

static int look(const struct task *t, struct ali_havip *ret_havip, struct kit_err *err)
{
    struct ali_rpc r;
    int rc;

    ali_havip_call(&r, t->cloud, t->b->id);
    rc = ali_rpc_run(&r, t->by, err);
    if (!rc && !ali_havip_take(&r, t->b->id, t->b->holder, ret_havip))
        rc = kit_err_set(err, KIT_ERR_NOT_FOUND, "DescribeHaVips: %s is gone", t->b->id);
    ali_rpc_done(&r);
    return rc;
}

/* Accepted, or to be asked for again: the next look says.  -1: refused. */
static int ask(struct task *t, struct kit_err *err)
{
    enum ali_error_note note;
    struct ali_rpc r;
    int rc;

    ali_rpc_init(&r, t->cloud, &ali_vpc, t->b->off ? "UnassociateHaVip" : "AssociateHaVip",
                 ALI_MUTATES | ALI_TOKEN);
    ali_rpc_param(&r, "HaVipId", t->b->id);
    ali_rpc_param(&r, "InstanceId", t->b->holder);
    ali_rpc_param(&r, "InstanceType", t->b->type);
    if (t->b->off)
        ali_rpc_param(&r, "Force", t->b->force ? "True" : "False");
    r.call.max_tries = TRIES;
    rc = ali_rpc_run(&r, t->by, err);
    note = r.note;
    ali_rpc_done(&r);
    t->accepted = !rc;
    if (!rc)
        return 0;
    if ((note == ALI_NOTE_TAKEN || (note == ALI_NOTE_GONE && t->b->off)) && ++t->taken <= TAKEN_MAX)
        rc = 0;
    if (kit_err_retryable(err) || err->outcome_open)
        rc = 0;
    t->last = *err;
    return rc;
}

/* kit_poll_fn */
static int step(void *arg, struct kit_err *err)
{
    struct task *t = arg;
    struct ali_havip havip;
    bool rests;

    if (look(t, &havip, err))
        return -1;
    rests = havip.status == ALI_HAVIP_IN_USE || (t->b->off && havip.status == ALI_HAVIP_AVAILABLE);
    if (rests && havip.bound_to_me == !t->b->off)
        return 1;
    kit_op_tell(t->b->ui, "%s: %s", t->b->id, havip.status_text);
    /* A look that shows nothing of what was accepted is stale: no reason to ask for it again. */
    if (t->accepted || havip.bound_to_me == !t->b->off || havip.status == ALI_HAVIP_ASSOCIATING ||
        havip.status == ALI_HAVIP_UNASSOCIATING)
        return 0;
    return ask(t, err);
}

int ali_havip_bind(struct ali_cloud *cloud, const struct ali_havip_bind *bind,
                   struct kit_deadline by, struct kit_err *err)
{
    struct task t = {.cloud = cloud, .b = bind, .by = by};
    int rc = bind->busy ? 0 : ask(&t, err);

    if (!rc)
        rc = kit_poll_until(&ali_poll, cloud->base.caller->clock, by, step, &t, err);
    if (rc && err->kind == KIT_ERR_TIMEOUT && t.accepted)
        (void)kit_err_wrap(err, "the cloud said yes, and does not show it");
    else if (rc && err->kind == KIT_ERR_TIMEOUT && t.last.msg[0])
        (void)kit_err_wrap(err, "%s", t.last.msg);
    return rc ? kit_err_wrap(err, "%s %s", bind->off ? "unbind from" : "bind to", bind->holder) : 0;
}
