/* One EIP taken to a holder, or off the one it has: the elastic-ip mover's claim, and the
 * operations bind and unbind.
 *
 * What to do next follows from what is seen alone, so a run that was killed anywhere is finished by
 * the next one.  Each refusal that may pass (the EIP is between two states, somebody else's task is
 * under way, an answer was lost) leads to another look, never to the same request at once: between
 * the two another node may have taken it. */
#include "kit/base/str.h"
#include "kit/cloud/aliyun/eip.h"

/* Tries of one change before the next look. */
#define TRIES 3
/* An answer "exists already" that the next look does not bear out: so often, then it is final. */
#define TAKEN_MAX 3
/* AttachNetworkInterface falls back to Available when it fails: so many attempts. */
#define ATTACH_MAX 3
/* How long a look may show what was before our change. */
#define STALE_MS INT64_C(30000)

struct task {
    const struct ali_eip_move *m;
    struct ali_cloud *cloud;
    struct kit_deadline by;
    struct ali_eip eip;   /* as last seen */
    bool fresh;           /* … and not acted on yet */
    struct ali_enis enis; /* cut-through: the ENI, as last seen */
    const struct ali_eni *eni;
    char private_text[KIT_ADDR_TEXT];
    bool freed; /* taken off the one that had it at the beginning */
    struct kit_deadline freed_until, bound_until; /* a look may be from before that change */
    char third[KIT_ID];                           /* another one that was seen with it, … */
    unsigned third_seen;
    unsigned taken, attached;
    bool detached;
    struct kit_err last; /* the last refusal that may pass; msg "" = none */
};

/* ---- looking --------------------------------------------------------------------------------- */

static bool is_cut_through(const struct task *t)
{
    return t->m->holder && t->m->mode == ALI_EIP_CUT_THROUGH;
}

static int take_look(struct task *t, struct ali_rpc r[2], struct kit_err *err)
{
    const struct ali_eni_filter filter = {.id = &t->m->holder, .ids = 1};
    const struct kit_json_node *root = ali_rpc_root(&r[0]);
    size_t count = ali_list_count(root, "EipAddresses", "EipAddress");
    bool found = false;

    for (size_t i = 0; i < count && !found; i++)
        found = ali_eip_decode(ali_list_at(root, "EipAddresses", "EipAddress", i), &t->eip) &&
                kit_str_eq(t->eip.id, t->m->id);
    if (!found)
        return kit_err_set(err, KIT_ERR_NOT_FOUND, "DescribeEipAddresses: %s is gone", t->m->id);
    if (!is_cut_through(t))
        return 0;
    ali_enis_done(&t->enis);
    t->eni = NULL;
    if (ali_enis_finish(&r[1], &filter, t->by, &t->enis, err))
        return -1;
    t->eni = ali_enis_get(&t->enis, t->m->holder);
    if (!t->eni)
        return kit_err_set(err, KIT_ERR_NOT_FOUND, "DescribeNetworkInterfaces: %s is gone",
                           t->m->holder);
    if (!t->private_text[0])
        (void)ali_eni_primary_text(t->eni, t->private_text);
    return 0;
}

/* The EIP, and for cut-through our ENI beside it. */
static int look(struct task *t, struct kit_err *err)
{
    const struct ali_eni_filter filter = {.id = &t->m->holder, .ids = 1};
    struct ali_rpc r[2];
    struct kit_call *call[2] = {&r[0].call, &r[1].call};
    size_t count = is_cut_through(t) ? 2 : 1;
    int rc;

    ali_eip_call(&r[0], t->cloud, t->m->id);
    if (count == 2)
        ali_enis_call(&r[1], t->cloud, &filter);
    rc = kit_call_all(t->cloud->base.caller, call, count, t->by, err);
    if (!rc)
        rc = take_look(t, r, err);
    for (size_t i = 0; i < count; i++)
        ali_rpc_done(&r[i]);
    return rc;
}

static bool is_wanted(const struct task *t)
{
    struct kit_addr wanted, mapped;

    if (t->eip.status != ALI_EIP_IN_USE || !kit_str_eq(t->eip.holder, t->m->holder) ||
        !kit_str_eq(t->eip.type, t->m->type))
        return false;
    if (t->eip.mode[0] && !kit_str_eq(t->eip.mode, ali_eip_mode_word(t->m->mode)))
        return false;
    if (!t->eip.private_text[0] && kit_str_eq(t->m->type, "EcsInstance"))
        return true;
    return !kit_addr_parse(t->private_text, &wanted) ||
           (kit_addr_parse(t->eip.private_text, &mapped) && kit_addr_eq(&wanted, &mapped));
}

/* ---- changes --------------------------------------------------------------------------------- */

/* 1: accepted; 0: not now, look again; -1: refused. */
static int send(struct task *t, struct ali_rpc *r, struct kit_err *err)
{
    enum ali_error_note note;
    int rc;

    r->call.max_tries = TRIES;
    rc = ali_rpc_run(r, t->by, err);
    note = r->note;
    ali_rpc_done(r);
    if (!rc)
        return 1;
    if (note == ALI_NOTE_TAKEN && ++t->taken > TAKEN_MAX)
        return -1;
    if (!kit_err_retryable(err) && !err->outcome_open && note != ALI_NOTE_TAKEN)
        return -1;
    t->last = *err;
    return 0;
}

static int associate(struct task *t, struct kit_err *err)
{
    struct ali_rpc r;

    ali_rpc_init(&r, t->cloud, &ali_vpc, "AssociateEipAddress", ALI_MUTATES | ALI_TOKEN);
    ali_rpc_param(&r, "AllocationId", t->m->id);
    ali_rpc_param(&r, "InstanceId", t->m->holder);
    ali_rpc_param(&r, "InstanceType", t->m->type);
    if (kit_str_eq(t->m->type, "NetworkInterface")) {
        ali_rpc_param(&r, "Mode", ali_eip_mode_word(t->m->mode));
        if (t->private_text[0])
            ali_rpc_param(&r, "PrivateIpAddress", t->private_text);
    }
    return send(t, &r, err);
}

void ali_eip_unassociate(struct ali_rpc *r, struct ali_cloud *cloud, const struct ali_eip *eip)
{
    ali_rpc_init(r, cloud, &ali_vpc, "UnassociateEipAddress", ALI_MUTATES | ALI_TOKEN);
    ali_rpc_param(r, "AllocationId", eip->id);
    ali_rpc_param(r, "InstanceId", eip->holder);
    ali_rpc_param(r, "InstanceType", eip->type);
    if (eip->private_text[0])
        ali_rpc_param(r, "PrivateIpAddress", eip->private_text);
}

static int move_eni(struct task *t, const char *action, struct kit_err *err)
{
    struct ali_rpc r;

    ali_rpc_init(&r, t->cloud, &ali_ecs, action, ALI_MUTATES);
    ali_rpc_param(&r, "InstanceId", t->m->node);
    ali_rpc_param(&r, "NetworkInterfaceId", t->m->holder);
    return send(t, &r, err);
}

/* ---- the next step --------------------------------------------------------------------------- */

static int conflict(const struct task *t, struct kit_err *err)
{
    return kit_err_set(err, KIT_ERR_CONFLICT,
                       "%s took it while it was being moved; we do not fight over it",
                       t->eip.holder);
}

/* It is in use, and not as it shall be: 1 sent, 0 wait and look again, -1. */
static int free_it(struct task *t, struct kit_err *err)
{
    const struct kit_clock *clock = t->cloud->base.caller->clock;
    struct ali_rpc r;
    int rc;

    if (!kit_str_eq(t->eip.holder, t->m->from)) {
        t->third_seen = kit_str_eq(t->eip.holder, t->third) ? t->third_seen + 1 : 1;
        (void)kit_str_copy(t->third, sizeof(t->third), t->eip.holder);
        return t->third_seen < 2 ? 0 : conflict(t, err); /* one read may be wrong; two agree */
    }
    if (t->freed) /* a look from before our change; or it took it back */
        return kit_deadline_passed(clock, t->freed_until) ? conflict(t, err) : 0;
    ali_eip_unassociate(&r, t->cloud, &t->eip);
    rc = send(t, &r, err);
    if (rc > 0) {
        t->freed = true;
        t->freed_until = kit_deadline_in_ms(clock, STALE_MS);
    }
    return rc;
}

/* It is free: 1 when that is the end. */
static int at_available(struct task *t, struct kit_err *err)
{
    const struct kit_clock *clock = t->cloud->base.caller->clock;
    int rc;

    if (!t->m->holder)
        return 1;
    if (!kit_deadline_passed(clock, t->bound_until)) /* a look from before our change */
        return 0;
    rc = associate(t, err);
    if (rc > 0 && t->m->settle) {
        t->bound_until = kit_deadline_in_ms(clock, STALE_MS);
        return 0;
    }
    return rc;
}

/* All but cut-through. */
static int advance(struct task *t, struct kit_err *err)
{
    switch (t->eip.status) {
    case ALI_EIP_AVAILABLE: return at_available(t, err);
    case ALI_EIP_IN_USE:
        if (is_wanted(t))
            return 1;
        return free_it(t, err) < 0 ? -1 : 0;
    case ALI_EIP_ASSOCIATING:
    case ALI_EIP_UNASSOCIATING: return 0;
    case ALI_EIP_OTHER: break;
    }
    return kit_err_set(err, KIT_ERR_REFUSED, "%s is %s", t->m->id,
                       t->eip.status_text[0] ? t->eip.status_text : "in no state that is known");
}

static int attach(struct task *t, struct kit_err *err)
{
    if (t->attached >= ATTACH_MAX)
        return kit_err_set(err, KIT_ERR_REFUSED,
                           "AttachNetworkInterface: %s fell back to Available %u times",
                           t->m->holder, t->attached);
    switch (move_eni(t, "AttachNetworkInterface", err)) {
    case 1: t->attached++; return 0;
    case 0: return 0;
    default: return -1;
    }
}

/* Cut-through: the ENI is on no instance while the EIP is bound to it, and on ours afterwards. */
static int advance_cut_through(struct task *t, struct kit_err *err)
{
    bool here = t->eni->state == ALI_ENI_IN_USE && kit_str_eq(t->eni->node, t->m->node);

    if (is_wanted(t)) {
        if (here)
            return 1;
        return t->eni->state == ALI_ENI_AVAILABLE ? attach(t, err) : 0;
    }
    if (t->eip.status == ALI_EIP_OTHER)
        return advance(t, err); /* says what is wrong */
    if (t->eip.status == ALI_EIP_IN_USE && free_it(t, err) < 0)
        return -1;
    if (t->eni->state == ALI_ENI_IN_USE) {
        int rc = 0;

        /* Only once the EIP is coming: a node that cannot have it keeps its interface. */
        if (t->freed || t->eip.status == ALI_EIP_AVAILABLE)
            rc = move_eni(t, "DetachNetworkInterface", err);
        t->detached = t->detached || rc > 0;
        return rc < 0 ? -1 : 0;
    }
    if (t->eip.status != ALI_EIP_AVAILABLE || t->eni->state != ALI_ENI_AVAILABLE)
        return 0;
    return associate(t, err) < 0 ? -1 : 0;
}

static void tell(const struct task *t)
{
    kit_op_tell(t->m->ui, "%s: %s%s%s%s%s%s%s", t->m->id, t->eip.status_text,
                t->eip.holder[0] ? " on " : "", t->eip.holder, t->eni ? "; " : "",
                t->eni ? t->eni->id : "", t->eni ? ": " : "", t->eni ? t->eni->state_text : "");
}

static int next_step(void *arg, struct kit_err *err)
{
    struct task *t = arg;

    if (!t->fresh && look(t, err))
        return -1;
    t->fresh = false;
    tell(t);
    return is_cut_through(t) ? advance_cut_through(t, err) : advance(t, err);
}

/* ---- the end --------------------------------------------------------------------------------- */

/* After a failure: the interface that we took away from this node comes back, unless the EIP is on
 * it (then the next run attaches it). */
static void undo(struct task *t, struct kit_err *err)
{
    struct kit_err wrong;

    if (!t->detached || is_wanted(t))
        return;
    if (move_eni(t, "AttachNetworkInterface", &wrong) == 1)
        (void)kit_err_wrap(err, "%s is being attached again", t->m->holder);
    else
        (void)kit_err_wrap(err, "%s is detached (%s)", t->m->holder, wrong.code);
}

/* Why the time was up. */
static void explain(const struct task *t, struct kit_err *err)
{
    if (err->kind != KIT_ERR_TIMEOUT)
        return;
    if (t->last.msg[0])
        (void)kit_err_wrap(err, "%s", t->last.msg);
    if (t->eni && t->eni->state == ALI_ENI_DETACHING)
        (void)kit_err_wrap(err, "%s stays Detaching: its guest does not let go, restart %s",
                           t->m->holder, t->m->node);
    else
        (void)kit_err_wrap(err, "%s is %s%s%s", t->m->id, t->eip.status_text,
                           t->eip.holder[0] ? " on " : "", t->eip.holder);
}

int ali_eip_move(struct ali_cloud *cloud, const struct ali_eip_move *move,
                 const struct ali_eip *seen, struct kit_deadline by, struct kit_err *err)
{
    struct task t = {.m = move, .cloud = cloud, .by = by, .fresh = seen != NULL};
    int rc;

    if (seen)
        t.eip = *seen;
    (void)kit_str_copy(t.private_text, sizeof(t.private_text), move->private_text);
    rc = kit_poll_until(&ali_poll, cloud->base.caller->clock, by, next_step, &t, err);
    if (rc) {
        explain(&t, err);
        undo(&t, err);
    }
    ali_enis_done(&t.enis);
    return rc;
}
