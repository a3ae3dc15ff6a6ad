/* elastic-ip: takes the EIP here, and lets it go.
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
    struct ali_cloud *cloud;
    struct kit_deadline by;
    enum ali_eip_mode mode;
    const char *id;     /* AllocationId */
    const char *holder; /* who shall have it: our ENI, or our instance for its primary ENI */
    const char *type;   /* of the holder */
    const char *node;   /* this instance */
    char private_text[KIT_ADDR_TEXT]; /* the address it shall map to, "" = not known */
    struct ali_eip eip;               /* as last seen */
    bool fresh;                       /* … and not acted on yet */
    struct ali_enis enis;             /* cut-through: our ENI, as last seen */
    const struct ali_eni *eni;
    char from[KIT_ID]; /* who had it at the beginning, "" = nobody */
    bool freed;        /* taken off that one */
    struct kit_deadline stale_until;
    char third[KIT_ID]; /* another one that was seen with it, … */
    unsigned third_seen;
    unsigned taken, attached;
    bool detached;
    struct kit_err last; /* the last refusal that may pass; msg "" = none */
};

/* ---- looking ------------------------------------------------------------------------------------
 */

static void take_private(struct task *t, const struct ali_eni *eni)
{
    for (size_t i = 0; eni && !t->private_text[0] && i < eni->addresses; i++)
        if (eni->address[i].primary)
            (void)kit_addr_text(&eni->address[i].addr, t->private_text);
}

static int take_look(struct task *t, struct ali_rpc r[2], struct kit_err *err)
{
    const struct ali_eni_filter filter = {.id = &t->holder, .ids = 1};
    const struct kit_json_node *root = ali_rpc_root(&r[0]);
    size_t count = ali_list_count(root, "EipAddresses", "EipAddress");
    bool found = false;

    for (size_t i = 0; i < count && !found; i++)
        found = ali_eip_decode(ali_list_at(root, "EipAddresses", "EipAddress", i), &t->eip) &&
                kit_str_eq(t->eip.id, t->id);
    if (!found)
        return kit_err_set(err, KIT_ERR_NOT_FOUND, "DescribeEipAddresses: %s is gone", t->id);
    if (t->mode != ALI_EIP_CUT_THROUGH)
        return 0;
    ali_enis_done(&t->enis);
    t->eni = NULL;
    if (ali_enis_finish(&r[1], &filter, t->by, &t->enis, err))
        return -1;
    t->eni = ali_enis_get(&t->enis, t->holder);
    if (!t->eni)
        return kit_err_set(err, KIT_ERR_NOT_FOUND, "DescribeNetworkInterfaces: %s is gone",
                           t->holder);
    take_private(t, t->eni);
    return 0;
}

/* The EIP, and for cut-through our ENI beside it. */
static int look(struct task *t, struct kit_err *err)
{
    const struct ali_eni_filter filter = {.id = &t->holder, .ids = 1};
    struct ali_rpc r[2];
    struct kit_call *call[2] = {&r[0].call, &r[1].call};
    size_t count = t->mode == ALI_EIP_CUT_THROUGH ? 2 : 1;
    int rc;

    ali_eip_call(&r[0], t->cloud, t->id);
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

    if (t->eip.status != ALI_EIP_IN_USE || !kit_str_eq(t->eip.holder, t->holder) ||
        !kit_str_eq(t->eip.type, t->type))
        return false;
    if (t->eip.mode[0] && !kit_str_eq(t->eip.mode, ali_eip_mode_word(t->mode)))
        return false;
    if (!t->eip.private_text[0] && kit_str_eq(t->type, "EcsInstance"))
        return true;
    return !kit_addr_parse(t->private_text, &wanted) ||
           (kit_addr_parse(t->eip.private_text, &mapped) && kit_addr_eq(&wanted, &mapped));
}

/* ---- changes ------------------------------------------------------------------------------------
 */

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
    ali_rpc_param(&r, "AllocationId", t->id);
    ali_rpc_param(&r, "InstanceId", t->holder);
    ali_rpc_param(&r, "InstanceType", t->type);
    if (kit_str_eq(t->type, "NetworkInterface")) {
        ali_rpc_param(&r, "Mode", ali_eip_mode_word(t->mode));
        if (t->private_text[0])
            ali_rpc_param(&r, "PrivateIpAddress", t->private_text);
    }
    return send(t, &r, err);
}

/* Off the one that has it, named as it was read: another one's association is not hit. */
static void encode_unassociate(struct ali_rpc *r, struct ali_cloud *cloud,
                               const struct ali_eip *eip)
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
    ali_rpc_param(&r, "InstanceId", t->node);
    ali_rpc_param(&r, "NetworkInterfaceId", t->holder);
    return send(t, &r, err);
}

/* ---- the next step ------------------------------------------------------------------------------
 */

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

    if (!kit_str_eq(t->eip.holder, t->from)) {
        t->third_seen = kit_str_eq(t->eip.holder, t->third) ? t->third_seen + 1 : 1;
        (void)kit_str_copy(t->third, sizeof(t->third), t->eip.holder);
        return t->third_seen < 2 ? 0 : conflict(t, err); /* one read may be wrong; two agree */
    }
    if (t->freed) /* a look from before our change; or it took it back */
        return kit_deadline_passed(clock, t->stale_until) ? conflict(t, err) : 0;
    encode_unassociate(&r, t->cloud, &t->eip);
    rc = send(t, &r, err);
    if (rc > 0) {
        t->freed = true;
        t->stale_until = kit_deadline_in_ms(clock, STALE_MS);
    }
    return rc;
}

/* NAT and multi.  Once the association is accepted the rest is verification (kit/vip/apply.c). */
static int advance(struct task *t, struct kit_err *err)
{
    switch (t->eip.status) {
    case ALI_EIP_AVAILABLE: return associate(t, err);
    case ALI_EIP_IN_USE:
        if (is_wanted(t))
            return 1;
        return free_it(t, err) < 0 ? -1 : 0;
    case ALI_EIP_ASSOCIATING:
    case ALI_EIP_UNASSOCIATING: return 0;
    case ALI_EIP_OTHER: break;
    }
    return kit_err_set(err, KIT_ERR_REFUSED, "%s is %s", t->id,
                       t->eip.status_text[0] ? t->eip.status_text : "in no state that is known");
}

static int attach(struct task *t, struct kit_err *err)
{
    if (t->attached >= ATTACH_MAX)
        return kit_err_set(err, KIT_ERR_REFUSED,
                           "AttachNetworkInterface: %s fell back to Available %u times", t->holder,
                           t->attached);
    switch (move_eni(t, "AttachNetworkInterface", err)) {
    case 1: t->attached++; return 0;
    case 0: return 0;
    default: return -1;
    }
}

/* Cut-through: the ENI is on no instance while the EIP is bound to it, and on ours afterwards. */
static int advance_cut_through(struct task *t, struct kit_err *err)
{
    bool here = t->eni->state == ALI_ENI_IN_USE && kit_str_eq(t->eni->node, t->node);

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

static int next_step(void *arg, struct kit_err *err)
{
    struct task *t = arg;

    if (!t->fresh && look(t, err))
        return -1;
    t->fresh = false;
    return t->mode == ALI_EIP_CUT_THROUGH ? advance_cut_through(t, err) : advance(t, err);
}

/* ---- claim --------------------------------------------------------------------------------------
 */

/* The binding as the EIP it was made from: type, mode and private address are in its handle. */
static void from_binding(const struct kit_binding *b, struct ali_eip *eip)
{
    char *const field[] = {eip->type, eip->mode, eip->private_text};
    const size_t bytes[] = {sizeof(eip->type), sizeof(eip->mode), sizeof(eip->private_text)};
    const char *at = b->handle;

    *eip = (struct ali_eip){.status = b->holder[0] ? ALI_EIP_IN_USE : ALI_EIP_AVAILABLE};
    (void)kit_str_copy(eip->id, sizeof(eip->id), b->place);
    (void)kit_str_copy(eip->holder, sizeof(eip->holder), b->holder);
    for (size_t i = 0; i < KIT_LEN(field); i++) {
        size_t len = 0;

        for (; at[len] && at[len] != ' '; len++)
            if (len + 1 < bytes[i])
                field[i][len] = at[len];
        at += len + (at[len] == ' ');
    }
}

/* The ENI's primary address where the metadata service was not asked. */
static int find_private(struct task *t, struct kit_err *err)
{
    const struct ali_eni_filter filter = {.id = &t->holder, .ids = 1};
    KIT_AUTO(ali_enis) list = {0};

    if (ali_enis_find(t->cloud, &filter, t->by, &list, err))
        return kit_err_wrap(err, "find the primary address of %s", t->holder);
    take_private(t, ali_enis_get(&list, t->holder));
    if (!t->private_text[0])
        return kit_err_set(err, KIT_ERR_NOT_FOUND, "there is no ENI %s, or it has no address",
                           t->holder);
    return 0;
}

static int begin(struct task *t, const struct kit_settings *settings, const struct kit_facts *facts,
                 const struct kit_binding *b, struct kit_err *err)
{
    const struct kit_addr *wanted = kit_settings_addr(settings, KIT_PARAM_PRIVATE_ADDRESS);
    struct ali_me me;

    if (ali_me_find(t->cloud, settings, ALI_ME_ENI, t->by, &me, err))
        return -1;
    t->mode = ali_eip_mode_of(settings);
    t->id = b->place;
    t->holder = facts->me;
    t->node = facts->my_node;
    t->type = kit_str_eq(t->holder, me.eni) ? "NetworkInterface" : "EcsInstance";
    (void)kit_str_copy(t->from, sizeof(t->from), b->holder);
    if (wanted)
        (void)kit_addr_text(wanted, t->private_text);
    else if (kit_str_eq(t->type, "NetworkInterface"))
        (void)kit_str_copy(t->private_text, sizeof(t->private_text), me.primary);
    from_binding(b, &t->eip);
    /* Ours but not right, or free and named: between two states; and our ENI was not kept. */
    t->fresh = !b->mine && !b->holder[0] == !b->handle[0] && t->mode != ALI_EIP_CUT_THROUGH;
    if (t->private_text[0] || kit_str_eq(t->type, "EcsInstance") || t->mode == ALI_EIP_CUT_THROUGH)
        return 0;
    return find_private(t, err);
}

/* After a failure: the interface that we took away from this node comes back, unless the EIP is on
 * it (then the next run attaches it). */
static void undo(struct task *t, struct kit_err *err)
{
    struct kit_err wrong;

    if (!t->detached || is_wanted(t))
        return;
    if (move_eni(t, "AttachNetworkInterface", &wrong) == 1)
        (void)kit_err_wrap(err, "%s is being attached again", t->holder);
    else
        (void)kit_err_wrap(err, "%s is detached (%s)", t->holder, wrong.code);
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
                           t->holder, t->node);
    else
        (void)kit_err_wrap(err, "%s is %s%s%s", t->id, t->eip.status_text,
                           t->eip.holder[0] ? " on " : "", t->eip.holder);
}

static int claim_one(struct task *t, const struct kit_settings *settings,
                     const struct kit_facts *facts, const struct kit_binding *b,
                     struct kit_err *err)
{
    int rc = begin(t, settings, facts, b, err);

    if (rc)
        return rc;
    rc = kit_poll_until(&ali_poll, t->cloud->base.caller->clock, t->by, next_step, t, err);
    if (rc) {
        explain(t, err);
        undo(t, err);
    }
    return rc;
}

int ali_eip_claim(struct kit_cloud *cloud, const struct kit_settings *settings,
                  const struct kit_facts *facts, struct kit_step step[], size_t count,
                  struct kit_deadline by, struct kit_err *err)
{
    int rc = 0;

    for (size_t i = 0; i < count && !rc; i++) { /* an EIP is one binding: one step */
        struct task t = {.cloud = (struct ali_cloud *)cloud, .by = by};

        rc = claim_one(&t, settings, facts, step[i].binding, err);
        step[i].result = rc ? KIT_STEP_FAILED : KIT_STEP_DONE;
        if (rc)
            step[i].err = *err;
        ali_enis_done(&t.enis);
    }
    return rc;
}

/* ---- release ------------------------------------------------------------------------------------
 */

/* Not waited for here: kit_vip_release looks until it is gone. */
int ali_eip_release(struct kit_cloud *cloud, const struct kit_settings *settings,
                    const struct kit_facts *facts, struct kit_step step[], size_t count,
                    struct kit_deadline by, struct kit_err *err)
{
    int rc = 0;

    (void)settings;
    (void)facts;
    for (size_t i = 0; i < count && !rc; i++) {
        struct ali_eip eip;
        struct ali_rpc r;

        step[i].result = KIT_STEP_DONE;
        if (!step[i].binding->handle[0]) /* it is leaving already */
            continue;
        from_binding(step[i].binding, &eip);
        encode_unassociate(&r, (struct ali_cloud *)cloud, &eip);
        r.call.max_tries = TRIES;
        rc = ali_rpc_run(&r, by, err);
        ali_rpc_step(&r, &step[i]);
        /* Between two states, or gone from us meanwhile: the next look says. */
        if (rc && (kit_err_retryable(err) || r.note == ALI_NOTE_GONE))
            step[i].result = KIT_STEP_OPEN;
        ali_rpc_done(&r);
    }
    return rc;
}
