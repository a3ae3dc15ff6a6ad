#include "kit/vip/apply.h"

#include "kit/vip/verify.h"
#include "kit/vip/where.h"

/* Between looks: fast at first (most changes are there at once), then sparing with the API's
 * budget. */
#define LOOK_FIRST_MS INT64_C(100)
#define LOOK_CAP_MS   INT64_C(2000)

static void tell(const struct kit_vip *vip, enum kit_vip_event event, const struct kit_facts *facts,
                 const struct kit_step *step)
{
    if (vip->observer)
        vip->observer(vip->observer_arg, event, facts, step);
}

int kit_vip_locate(struct kit_vip *vip, bool for_claim, struct kit_facts *ret_facts,
                   struct kit_err *err)
{
    struct kit_query query = {
        .settings = vip->settings, .for_claim = for_claim, .with_tags = vip->filter != NULL};

    if (vip->mover->locate(vip->cloud, &query, 1, vip->by, err))
        return -1;
    if (query.failed)
        *err = query.err;
    else if (vip->filter)
        query.failed = vip->filter(vip->filter_arg, &query.facts, err) != 0;
    if (query.failed) {
        kit_facts_done(&query.facts);
        return -1;
    }
    tell(vip, KIT_VIP_FACTS, &query.facts, NULL);
    *ret_facts = query.facts;
    return 0;
}

/* ---- waiting between looks ------------------------------------------------------------------- */

struct looking {
    int64_t nap_ms;
    struct kit_deadline until; /* of the window */
};

static struct looking start_looking(const struct kit_vip *vip)
{
    return (struct looking){.nap_ms = LOOK_FIRST_MS,
                            .until = kit_deadline_earlier(
                                vip->by, kit_deadline_in_ms(vip->clock, KIT_VERIFY_WINDOW_MS))};
}

/* Would another look after the next nap still fall into the window? */
static bool is_last(const struct kit_vip *vip, const struct looking *l)
{
    return kit_deadline_left_ms(vip->clock, l->until) <= l->nap_ms;
}

static void nap(const struct kit_vip *vip, struct looking *l, const struct kit_facts *facts)
{
    tell(vip, KIT_VIP_WAIT, facts, NULL);
    vip->clock->sleep_ns(vip->clock->self, l->nap_ms * KIT_NS_PER_MS);
    l->nap_ms = l->nap_ms * 2 > LOOK_CAP_MS ? LOOK_CAP_MS : l->nap_ms * 2;
}

/* ---- claim ----------------------------------------------------------------------------------- */

static const struct kit_step *first_failed(const struct kit_plan *plan, size_t *ret_done)
{
    const struct kit_step *failed = NULL;

    *ret_done = 0;
    for (size_t i = 0; i < plan->count; i++) {
        if (plan->step[i].result == KIT_STEP_DONE)
            (*ret_done)++;
        if (plan->step[i].result == KIT_STEP_FAILED && !failed)
            failed = &plan->step[i];
    }
    return failed;
}

/* Sends the steps.  -1 when one failed for good; lost answers are no failure yet. */
static int change(struct kit_vip *vip, const struct kit_facts *facts, struct kit_plan *plan,
                  bool release, bool *ret_changed, struct kit_err *err)
{
    const struct kit_mover *mover = vip->mover;
    const struct kit_step *failed;
    size_t done;
    int rc = (release ? mover->release : mover->claim)(vip->cloud, vip->settings, facts, plan->step,
                                                       plan->count, vip->by, err);

    for (size_t i = 0; i < plan->count; i++) {
        enum kit_step_result result = plan->step[i].result;
        *ret_changed = *ret_changed || result == KIT_STEP_DONE || result == KIT_STEP_OPEN;
        tell(vip, KIT_VIP_STEP, facts, &plan->step[i]);
    }
    failed = first_failed(plan, &done);
    if (!rc || !failed)
        return 0;
    *err = failed->err;
    (void)kit_err_wrap(err, "%s", kit_step_place(failed));
    if (plan->count > 1)
        (void)kit_err_wrap(err, "%zu of %zu changes done", done, plan->count);
    return -1;
}

static bool open_need(const struct kit_plan *plan)
{
    for (size_t i = 0; i < plan->count; i++)
        if (plan->step[i].need && plan->step[i].result == KIT_STEP_OPEN)
            return true;
    return false;
}

/* Look until the claim is seen, or has to be repeated (*ret_again, then *facts and *plan are new).
 */
static int see_claim(struct kit_vip *vip, struct kit_verify *verify, struct looking *l,
                     struct kit_facts *facts, struct kit_plan *plan, bool *ret_again,
                     struct kit_err *err)
{
    bool needs_too = open_need(plan);

    for (;;) {
        struct kit_facts now;
        bool last;

        if (kit_vip_locate(vip, needs_too, &now, err))
            return kit_err_wrap(err, "changed, but could not see the result");
        kit_plan_done(plan);
        kit_facts_done(facts);
        *facts = now;
        last = is_last(vip, l);
        switch (kit_verify_look(verify, facts, last, err)) {
        case KIT_VERDICT_CONFLICT: return -1;
        case KIT_VERDICT_WAIT: break;
        case KIT_VERDICT_DONE:
        case KIT_VERDICT_AGAIN:
            if (kit_plan_claim(facts, plan, err))
                return -1;
            kit_verify_trim(verify, plan);
            *ret_again = plan->count > 0;
            if (*ret_again && last)
                return kit_err_set(err, KIT_ERR_TIMEOUT,
                                   "%s: no answer to our claim, and no time left to repeat it",
                                   kit_step_place(&plan->step[0]));
            return 0;
        }
        nap(vip, l, facts);
    }
}

static int claim_until_seen(struct kit_vip *vip, struct kit_facts *facts, struct kit_plan *plan,
                            bool *ret_changed, struct kit_err *err)
{
    struct looking l = start_looking(vip);
    struct kit_verify verify;
    bool again = true, first = true;
    int rc = 0;

    kit_verify_init(&verify, facts);
    while (again && !rc) {
        if (!first)
            nap(vip, &l, facts); /* whatever lost the answer may lose the next one too */
        first = false;
        rc = change(vip, facts, plan, false, ret_changed, err);
        if (rc)
            break;
        kit_verify_claimed(&verify, plan);
        l.until = start_looking(vip).until; /* the window of this claim */
        rc = see_claim(vip, &verify, &l, facts, plan, &again, err);
    }
    kit_verify_done(&verify);
    return rc;
}

int kit_vip_claim(struct kit_vip *vip, bool *ret_changed, struct kit_err *err)
{
    struct kit_facts facts;
    struct kit_plan plan = {0};
    int rc;

    *ret_changed = false;
    if (kit_vip_locate(vip, true, &facts, err))
        return -1;
    rc = kit_plan_claim(&facts, &plan, err);
    if (!rc && vip->ready)
        rc = vip->ready(vip->ready_arg, &facts, err);
    if (!rc && plan.count)
        rc = claim_until_seen(vip, &facts, &plan, ret_changed, err);
    kit_plan_done(&plan);
    kit_facts_done(&facts);
    return rc;
}

/* ---- release --------------------------------------------------------------------------------- */

/* Nothing more to be done in time: what is to be said of a binding that is ours still?  `open`: the
 * last try had no clear answer. */
static int still_held(const struct kit_step *step, const struct kit_err *open, struct kit_err *err)
{
    if (!open->msg[0])
        return kit_err_set(err, KIT_ERR_CONFLICT,
                           "%s: the cloud said yes to our release, and still shows it here",
                           kit_step_place(step));
    *err = *open;
    return kit_err_wrap(err, "%s: no clear answer to our release", kit_step_place(step));
}

int kit_vip_release(struct kit_vip *vip, bool *ret_changed, bool *ret_held, struct kit_err *err)
{
    struct looking l = start_looking(vip);
    struct kit_err open = {.msg = ""};
    bool tried = false;
    int rc = 0;

    *ret_changed = false;
    while (!rc) {
        struct kit_facts facts;
        struct kit_plan plan;

        *ret_held = false; /* not known to be, if this look fails */
        if (kit_vip_locate(vip, false, &facts, err))
            return tried ? kit_err_wrap(err, "released, but could not see the result") : -1;
        kit_plan_release(&facts, &plan);
        *ret_held = plan.count > 0;
        if (*ret_held && tried && is_last(vip, &l)) {
            rc = still_held(&plan.step[0], &open, err);
        } else if (*ret_held) {
            /* Again for a look that shows it still: the release names the association, so a second
             * one is harmless. */
            if (tried)
                nap(vip, &l, &facts);
            rc = change(vip, &facts, &plan, true, ret_changed, err);
            open = plan.step[0].result == KIT_STEP_OPEN ? plan.step[0].err
                                                        : (struct kit_err){.msg = ""};
            if (!tried)
                l = start_looking(vip); /* the first look may have taken longer than a window */
            tried = true;
        }
        bool held = *ret_held;
        kit_plan_done(&plan);
        kit_facts_done(&facts);
        if (!rc && !held)
            return 0;
    }
    return rc;
}
