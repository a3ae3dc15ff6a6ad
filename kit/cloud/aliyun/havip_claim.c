/* havip: binds this node, brings the address up, announces it; and takes it off again. */
#include "kit/base/str.h"
#include "kit/cloud/aliyun/havip.h"
#include "kit/sys/arp.h"

/* Tries of one change before the next look. */
#define TRIES 3
/* An answer "exists already" that the next look does not bear out: so often, then it is final. */
#define TAKEN_MAX 3
/* A look for which less time than this is left would seldom be answered: what is known stays. */
#define LOOK_MS INT64_C(250)
/* Between the announcements of one burst: enough for a queue to drain, too short to be waited for.
 */
#define SPACING_MS INT64_C(20)

struct task {
    struct ali_cloud *cloud;
    struct kit_deadline by;
    struct kit_deadline until; /* of taking: ALI_HAVIP_SETTLE_MS, or `by` */
    const char *id;            /* of the HAVIP */
    const char *holder;        /* that it is bound to: our ENI or our instance */
    const char *type;          /* of the holder */
    struct ali_me me;
    struct ali_havip_local local;
    const char *from; /* who had it at the beginning, "" = nobody */
    char third[KIT_ID];
    unsigned third_seen, announced, taken;
    char master[KIT_ID]; /* as last seen */
    bool accepted;       /* the cloud said yes to our binding */
    bool seen;           /* the last look after the announcement was answered */
    struct kit_err last; /* the last refusal that may pass; msg "" = none */
};

static int look(const struct task *t, struct ali_havip *ret_havip, struct kit_err *err)
{
    struct ali_rpc r;
    int rc;

    ali_havip_call(&r, t->cloud, t->id);
    rc = ali_rpc_run(&r, t->by, err);
    if (!rc && !ali_havip_take(&r, t->id, t->holder, ret_havip))
        rc = kit_err_set(err, KIT_ERR_NOT_FOUND, "DescribeHaVips: %s is gone", t->id);
    ali_rpc_done(&r);
    return rc;
}

/* ---- binding ------------------------------------------------------------------------------------
 */

/* Accepted, or to be asked for again: the next look says.  -1: refused. */
static int associate(struct task *t, struct kit_err *err)
{
    enum ali_error_note note;
    struct ali_rpc r;
    int rc;

    ali_rpc_init(&r, t->cloud, &ali_vpc, "AssociateHaVip", ALI_MUTATES | ALI_TOKEN);
    ali_rpc_param(&r, "HaVipId", t->id);
    ali_rpc_param(&r, "InstanceId", t->holder);
    ali_rpc_param(&r, "InstanceType", t->type);
    r.call.max_tries = TRIES;
    rc = ali_rpc_run(&r, t->by, err);
    note = r.note;
    ali_rpc_done(&r);
    t->accepted = !rc;
    if (!rc)
        return 0;
    if (note == ALI_NOTE_TAKEN && ++t->taken <= TAKEN_MAX)
        rc = 0;
    if (kit_err_retryable(err) || err->outcome_open)
        rc = 0;
    t->last = *err;
    return rc;
}

/* Other nodes may be binding themselves at the same time, and the cloud takes them in turn. */
static int bind_step(void *arg, struct kit_err *err)
{
    struct task *t = arg;
    struct ali_havip havip;

    if (look(t, &havip, err))
        return -1;
    if (havip.bound_to_me && havip.status == ALI_HAVIP_IN_USE)
        return 1;
    /* A look that shows nothing of what was accepted is stale: no reason to ask for it again. */
    if (t->accepted || havip.bound_to_me || havip.status == ALI_HAVIP_ASSOCIATING ||
        havip.status == ALI_HAVIP_UNASSOCIATING)
        return 0;
    return associate(t, err);
}

static int bind_here(struct task *t, struct kit_err *err)
{
    int rc = associate(t, err);

    if (!rc)
        rc = kit_poll_until(&ali_poll, t->cloud->base.caller->clock, t->by, bind_step, t, err);
    if (rc && err->kind == KIT_ERR_TIMEOUT && t->accepted)
        (void)kit_err_wrap(err, "the cloud said yes, and does not show it");
    else if (rc && err->kind == KIT_ERR_TIMEOUT && t->last.msg[0])
        (void)kit_err_wrap(err, "%s", t->last.msg);
    return rc ? kit_err_wrap(err, "bind to %s", t->holder) : 0;
}

/* ---- taking -------------------------------------------------------------------------------------
 */

static int announce(struct task *t, unsigned times, struct kit_err *err)
{
    if (kit_arp_announce(t->local.interface, &t->local.addr, times, SPACING_MS,
                         t->cloud->base.caller->clock, t->by, err))
        return -1;
    t->announced += times;
    return 0;
}

/* Does the VPC send it here?  While the one that had it is still shown the announcement may have
 * been lost: once more. */
static int take_step(void *arg, struct kit_err *err)
{
    struct task *t = arg;
    struct ali_havip havip;

    if (t->seen && kit_deadline_left_ms(t->cloud->base.caller->clock, t->until) < LOOK_MS)
        return 0;
    t->seen = !look(t, &havip, err);
    if (!t->seen)
        return -1;
    (void)kit_str_copy(t->master, sizeof(t->master), havip.master);
    if (ali_havip_is_us(&t->me, havip.master))
        return 1;
    if (!havip.master[0] || kit_str_eq(havip.master, t->from))
        return announce(t, 1, err);
    t->third_seen = kit_str_eq(havip.master, t->third) ? t->third_seen + 1 : 1;
    (void)kit_str_copy(t->third, sizeof(t->third), havip.master);
    if (t->third_seen < 2)
        return 0; /* one read may be wrong; two agree */
    return kit_err_set(err, KIT_ERR_CONFLICT, "%s announced it after us; we do not fight over it",
                       havip.master);
}

/* Why it is not here when the time is up.  Lost announcements and a node that answers each of ours
 * look the same from here; either way another node has it, and that is no question of time. */
static void explain(const struct task *t, struct kit_err *err)
{
    if (err->kind != KIT_ERR_TIMEOUT)
        return;
    if (t->seen && t->master[0])
        (void)kit_err_set(err, KIT_ERR_CONFLICT,
                          "announced %u times on %s, and the VPC still sends it to %s: taken back, "
                          "or not heard",
                          t->announced, t->local.interface, t->master);
    else
        (void)kit_err_wrap(err,
                           "announced %u times on %s, and the VPC was last seen to send it to %s",
                           t->announced, t->local.interface, t->master[0] ? t->master : "nobody");
}

static int take_here(struct task *t, unsigned garp_count, struct kit_err *err)
{
    const struct kit_clock *clock = t->cloud->base.caller->clock;
    struct kit_err wrong;
    bool added = false, removed;
    int rc;

    t->until = kit_deadline_earlier(t->by, kit_deadline_in_ms(clock, ALI_HAVIP_SETTLE_MS));
    if (t->local.ours && kit_netlink_addr_add(t->local.interface, &t->local.addr, &added, err))
        return -1;
    /* The announcement is the claim: there is no taking over without one. */
    rc = announce(t, garp_count ? garp_count : 1, err);
    if (!rc)
        rc = kit_poll_until(&ali_poll, clock, t->until, take_step, t, err);
    if (!rc)
        return 0;
    explain(t, err);
    if (added && kit_netlink_addr_del(t->local.interface, &t->local.addr, &removed, &wrong))
        (void)kit_err_wrap(err, "the address stays on %s (%s)", t->local.interface, wrong.msg);
    return -1;
}

/* ---- claim and release --------------------------------------------------------------------------
 */

int ali_havip_claim(struct kit_cloud *cloud, const struct kit_settings *settings,
                    const struct kit_facts *facts, struct kit_step step[], size_t count,
                    struct kit_deadline by, struct kit_err *err)
{
    struct task t = {
        .cloud = (struct ali_cloud *)cloud,
        .by = by,
        .holder = facts->me,
        .type = kit_settings_is(settings, KIT_PARAM_BIND_TO, "instance") ? "EcsInstance"
                                                                         : "NetworkInterface",
    };
    int rc = 0;

    ali_havip_local_of(settings, &t.local);
    /* One HAVIP: its need comes first in the plan, then its binding. */
    for (size_t i = 0; i < count && !rc; i++) {
        t.id = step[i].need ? step[i].need->place : step[i].binding->place;
        rc = ali_me_find(t.cloud, settings, ALI_ME_ENI | ALI_ME_NODE, by, &t.me, err);
        if (!rc && step[i].need) {
            rc = bind_here(&t, err);
        } else if (!rc) {
            t.from = step[i].binding->holder;
            rc = take_here(&t, (unsigned)kit_settings_number(settings, KIT_PARAM_GARP_COUNT), err);
        }
        step[i].result = rc ? KIT_STEP_FAILED : KIT_STEP_DONE;
        if (rc)
            step[i].err = *err;
    }
    return rc;
}

int ali_havip_release(struct kit_cloud *cloud, const struct kit_settings *settings,
                      const struct kit_facts *facts, struct kit_step step[], size_t count,
                      struct kit_deadline by, struct kit_err *err)
{
    struct ali_havip_local local;

    (void)cloud;
    (void)facts;
    (void)by;
    ali_havip_local_of(settings, &local);
    for (size_t i = 0; i < count; i++) {
        bool removed;

        step[i].result = KIT_STEP_DONE;
        if (!kit_netlink_addr_del(local.interface, &local.addr, &removed, err))
            continue;
        step[i].result = KIT_STEP_FAILED;
        step[i].err = *err;
        return -1;
    }
    return 0;
}
