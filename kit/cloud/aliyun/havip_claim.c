/* havip: brings the address up and announces it. */
#include "kit/base/str.h"
#include "kit/cloud/aliyun/havip.h"
#include "kit/sys/arp.h"

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
    struct kit_me me;
    struct ali_havip_local local;
    const char *from; /* who had it at the beginning, "" = nobody */
    char third[KIT_ID];
    unsigned third_seen, announced;
    char master[KIT_ID]; /* as last seen */
    bool seen;           /* the last look after the announcement was answered */
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

/* ---- taking ---------------------------------------------------------------------------------- */

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

/* ---- claim ----------------------------------------------------------------------------------- */

int ali_havip_claim(struct kit_cloud *cloud, const struct kit_settings *settings,
                    const struct kit_facts *facts, struct kit_step step[], size_t count,
                    struct kit_deadline by, struct kit_err *err)
{
    struct task t = {
        .cloud = (struct ali_cloud *)cloud,
        .by = by,
        .holder = facts->me,
    };
    const char *type = kit_settings_is(settings, KIT_PARAM_BIND_TO, "instance") ? ALI_HAVIP_INSTANCE
                                                                                : ALI_HAVIP_ENI;
    int rc = 0;

    ali_havip_local_of(settings, &t.local);
    /* One HAVIP: its need comes first in the plan, then its binding. */
    for (size_t i = 0; i < count && !rc; i++) {
        t.id = step[i].need ? step[i].need->place : step[i].binding->place;
        rc = ali_me_find(t.cloud, settings, ALI_ME_ENI | ALI_ME_NODE, by, &t.me, err);
        if (!rc && step[i].need) {
            const struct ali_havip_bind bind = {.id = t.id, .holder = t.holder, .type = type};
            rc = ali_havip_bind(t.cloud, &bind, by, err);
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
