/* One secondary ENI detached there and attached here, as a walk over its states:
 *
 *   InUse there -> Detaching -> Available -> Attaching -> InUse here
 *
 * Both calls only begin the work, and neither has a token or a condition; but each names the
 * instance, so that one sent twice, or late, is refused and never does more than it did.  The walk
 * goes on from whatever state it finds: that is how a second run finishes what a killed one began.
 */
#include "kit/base/mem.h"
#include "kit/base/str.h"
#include "kit/cloud/aliyun/eni.h"

/* A state that a change should have ended is taken for a stale read for so long. */
#define STALE_MS 15000
/* Back to Available after it was Attaching: failed, or a read from before the attachment.  So many
 * looks in a row agree before it counts. */
#define FELL_BACK_LOOKS 4
/* DetachNetworkInterface: an ENI that stays Detaching "for an extended period": the guest did not
 * answer; ask once more, then restart the instance. */
#define DETACH_AGAIN_MS 30000
/* A refusal for the state (InvalidOperation.InvalidEniState) is looked at after so many tries: by
 * then the ENI may be where it should be. */
#define TRIES 3

struct walk {
    struct ali_cloud *cloud;
    struct kit_step *step;
    const char *eni;
    const char *from;           /* instance to take it off, "" = nobody's */
    const char *to;             /* our instance; "" = only off */
    const struct kit_op_ui *ui; /* or NULL */
    struct kit_deadline by;
    bool detach_sent, attach_sent;
    bool just_sent; /* look again at once, and often at first */
    bool seen_free, seen_attaching, detached_again;
    bool third;         /* somebody else has it meanwhile */
    unsigned fell_back; /* looks in a row */
    struct kit_deadline stale_until, again_at;
    char state[16], node[KIT_ID]; /* the last look */
    struct kit_err refused;       /* the last refusal that may pass */
    bool was_refused;
};

static const struct kit_clock *clock_of(const struct walk *w)
{
    return w->cloud->base.caller->clock;
}

static int end(struct walk *w, enum kit_step_result result)
{
    w->step->result = result;
    return 1;
}

static int end_open(struct walk *w, const char *who)
{
    w->third = true;
    (void)kit_err_set(&w->step->err, KIT_ERR_STATE, "%s is with %s meanwhile", w->eni, who);
    return end(w, KIT_STEP_OPEN);
}

/* Sends a change.  1: the walk is at its end; 0: go on looking. */
static int send(struct walk *w, const char *action, const char *node, bool *sent)
{
    struct ali_rpc r;
    struct kit_err err;

    ali_rpc_init(&r, w->cloud, &ali_ecs, action, ALI_MUTATES);
    r.call.max_tries = TRIES;
    ali_rpc_param(&r, "InstanceId", node);
    ali_rpc_param(&r, "NetworkInterfaceId", w->eni);
    if (!ali_rpc_run(&r, w->by, &err)) {
        ali_rpc_done(&r);
        *sent = w->just_sent = true;
        w->stale_until = kit_deadline_in_ms(clock_of(w), STALE_MS);
        return 0;
    }
    ali_rpc_step(&r, w->step);
    if (w->step->result == KIT_STEP_FAILED && r.note == ALI_NOTE_GONE)
        w->step->result = KIT_STEP_OPEN; /* not where it was: look again and decide */
    ali_rpc_done(&r);
    if (w->step->result == KIT_STEP_FAILED && kit_err_retryable(&err)) {
        w->step->result = KIT_STEP_PENDING;
        w->refused = err;
        w->was_refused = true;
        return 0;
    }
    return 1;
}

static int detach(struct walk *w, const char *node)
{
    w->again_at = kit_deadline_in_ms(clock_of(w), DETACH_AGAIN_MS);
    return send(w, "DetachNetworkInterface", node, &w->detach_sent);
}

static bool is_stale(const struct walk *w)
{
    return !kit_deadline_passed(clock_of(w), w->stale_until);
}

static int at_available(struct walk *w)
{
    w->seen_free = true;
    if (!w->to[0])
        return end(w, KIT_STEP_DONE);
    if (!w->attach_sent)
        return send(w, "AttachNetworkInterface", w->to, &w->attach_sent);
    if (is_stale(w) && (!w->seen_attaching || ++w->fell_back < FELL_BACK_LOOKS))
        return 0;
    (void)kit_err_set(
        &w->step->err, KIT_ERR_REFUSED,
        "AttachNetworkInterface: accepted, and %s is Available again: the cloud could "
        "not attach it to %s; its events in the console say why",
        w->eni, w->to);
    return end(w, KIT_STEP_FAILED);
}

static void taken_back(const struct walk *w, struct kit_err *err)
{
    (void)kit_err_set(err, KIT_ERR_CONFLICT,
                      "%s took %s back after it was detached; we do not fight over it", w->from,
                      w->eni);
}

static int at_in_use(struct walk *w)
{
    if (w->to[0] && kit_str_eq(w->node, w->to))
        return end(w, KIT_STEP_DONE);
    if (!w->from[0] || !kit_str_eq(w->node, w->from))
        return w->to[0] ? end_open(w, w->node) : end(w, KIT_STEP_DONE);
    if (w->seen_free && is_stale(w)) /* from before the detachment, most likely */
        return 0;
    if (w->seen_free) {
        taken_back(w, &w->step->err);
        return end(w, KIT_STEP_FAILED);
    }
    return w->detach_sent && is_stale(w) ? 0 : detach(w, w->from);
}

static int at_attaching(struct walk *w)
{
    if (w->to[0] && kit_str_eq(w->node, w->to))
        w->attach_sent = w->seen_attaching = true;
    else if (w->node[0] && !kit_str_eq(w->node, w->from))
        return end_open(w, w->node);
    return 0;
}

static int at_detaching(struct walk *w)
{
    if (!w->again_at.at_ns) /* somebody else's detachment: from now on */
        w->again_at = kit_deadline_in_ms(clock_of(w), DETACH_AGAIN_MS);
    if (w->detached_again || !w->node[0] || !kit_deadline_passed(clock_of(w), w->again_at))
        return 0;
    w->detached_again = true;
    return detach(w, w->node);
}

static int look(struct walk *w, struct kit_err *err)
{
    const struct ali_eni_filter filter = {.id = &w->eni, .ids = 1};
    KIT_AUTO(ali_enis) list = {0};
    const struct ali_eni *eni;

    if (ali_enis_find(w->cloud, &filter, w->by, &list, err))
        return -1;
    eni = ali_enis_get(&list, w->eni);
    if (!eni || eni->state == ALI_ENI_DELETING)
        return kit_err_set(err, KIT_ERR_NOT_FOUND, "%s was deleted", w->eni);
    (void)kit_str_copy(w->state, sizeof(w->state), eni->state_text);
    (void)kit_str_copy(w->node, sizeof(w->node), eni->node);
    kit_op_tell(w->ui, "%s: %s", w->eni, w->state);
    if (eni->state != ALI_ENI_AVAILABLE)
        w->fell_back = 0;
    switch (eni->state) {
    case ALI_ENI_AVAILABLE: return at_available(w);
    case ALI_ENI_ATTACHING: return at_attaching(w);
    case ALI_ENI_IN_USE: return at_in_use(w);
    case ALI_ENI_DETACHING: return at_detaching(w);
    case ALI_ENI_DELETING:
    case ALI_ENI_OTHER: break;
    }
    return 0;
}

/* 1 when the walk is at its end, or a change was sent. */
static int look_on(void *arg, struct kit_err *err)
{
    struct walk *w = arg;
    int rc;

    w->just_sent = false;
    rc = look(w, err);
    return rc ? rc : w->just_sent;
}

/* The deadline came first: say where it hangs, and what helps.  What would be waited out as an old
 * look is a conflict then, as everywhere (kit/vip/verify.h). */
static void explain(const struct walk *w, struct kit_err *err)
{
    if (w->seen_free && w->from[0] && kit_str_eq_nocase(w->state, "InUse") &&
        kit_str_eq(w->node, w->from))
        taken_back(w, err);
    else if (kit_str_eq_nocase(w->state, "Detaching"))
        (void)kit_err_set(err, KIT_ERR_TIMEOUT,
                          "%s is still Detaching from %s: the operating system there does not let "
                          "it go; restart or stop that instance, then run this again",
                          w->eni, w->node[0] ? w->node : "its instance");
    else if (w->was_refused)
        (void)kit_err_set(err, KIT_ERR_TIMEOUT, "%s is still %s: %s", w->eni, w->state,
                          w->refused.msg);
    else if (w->state[0])
        (void)kit_err_set(err, KIT_ERR_TIMEOUT, "%s is still %s%s%s", w->eni, w->state,
                          w->node[0] ? " with " : "", w->node);
}

static int walk(struct walk *w, bool look_first, struct kit_err *err)
{
    struct kit_step *step = w->step;
    int rc = 0;

    /* What the facts say is known: no need to look again before the first change. */
    if (!look_first)
        rc = w->from[0] ? detach(w, w->from) : at_available(w);
    while (!rc) {
        if (kit_poll_until(&ali_poll, clock_of(w), w->by, look_on, w, &step->err)) {
            if (step->err.kind == KIT_ERR_TIMEOUT)
                explain(w, &step->err);
            step->result = KIT_STEP_FAILED;
        }
        rc = !w->just_sent || step->result != KIT_STEP_PENDING;
    }
    if (step->result == KIT_STEP_DONE)
        return 0;
    *err = step->err;
    return -1;
}

/* kit_poll_fn: one walk; an answer that was lost leads to another, which looks first. */
static int walk_on(void *arg, struct kit_err *err)
{
    struct walk *w = arg;
    bool look_first = w->step->result == KIT_STEP_OPEN;

    w->step->result = KIT_STEP_PENDING;
    if (!walk(w, look_first, err))
        return 1;
    if (w->step->result != KIT_STEP_OPEN || w->third)
        return -1;
    w->refused = *err;
    w->was_refused = true;
    return 0;
}

int ali_eni_move(struct ali_cloud *cloud, const struct ali_eni_move *move, struct kit_deadline by,
                 struct kit_err *err)
{
    struct kit_step step = {.result = move->busy ? KIT_STEP_OPEN : KIT_STEP_PENDING};
    struct walk w = {.cloud = cloud,
                     .step = &step,
                     .eni = move->eni,
                     .from = move->from,
                     .to = move->to,
                     .ui = move->ui,
                     .by = by};

    if (!kit_poll_until(&ali_poll, clock_of(&w), by, walk_on, &w, err))
        return 0;
    if (err->kind == KIT_ERR_TIMEOUT && step.result == KIT_STEP_OPEN)
        explain(&w, err);
    return -1;
}

int ali_eni_claim(struct kit_cloud *cloud, const struct kit_settings *settings,
                  const struct kit_facts *facts, struct kit_step step[], size_t count,
                  struct kit_deadline by, struct kit_err *err)
{
    int rc = 0;

    (void)settings;
    for (size_t i = 0; i < count && !rc; i++) { /* one ENI is one binding: one step */
        const struct kit_binding *b = step[i].binding;
        struct walk w = {.cloud = (struct ali_cloud *)cloud,
                         .step = &step[i],
                         .eni = b->place,
                         .from = b->mine ? "" : b->holder,
                         .to = facts->me,
                         .by = by};

        rc = walk(&w, b->mine, err);
    }
    return rc;
}

int ali_eni_release(struct kit_cloud *cloud, const struct kit_settings *settings,
                    const struct kit_facts *facts, struct kit_step step[], size_t count,
                    struct kit_deadline by, struct kit_err *err)
{
    int rc = 0;

    (void)settings;
    for (size_t i = 0; i < count && !rc; i++) {
        struct walk w = {.cloud = (struct ali_cloud *)cloud,
                         .step = &step[i],
                         .eni = step[i].binding->place,
                         .from = facts->me,
                         .to = "",
                         .by = by};

        rc = walk(&w, false, err);
    }
    return rc;
}
