/* aws eni: how the ENI is moved.
 *
 * Detach it from where it is, wait until it is available, attach it here, wait until it is
 * attached. Each state in between is one that the next run starts from: available is attached,
 * attaching is waited for, detaching is waited for and attached.
 *
 * Never Force: while the old instance runs, it would lose the interface under open connections; and
 * it can leave the device index and the metadata of that instance unusable until it is stopped (EC2
 * API reference, DetachNetworkInterface).  Whether the old node is dead is not ours to judge. */
#include <stdio.h>
#include <string.h>

#include "kit/base/mem.h"
#include "kit/base/str.h"
#include "kit/cloud/aws/eni.h"

static const struct kit_poll patience = {.first_ms = 100, .cap_ms = 2000};

/* Device indexes that are tried.  Index 0 is the primary interface; the largest instance types take
 * 15 interfaces on a network card ("Network interfaces" in the EC2 user guide). */
#define INDEX_MAX 31
/* A refusal for the state (it is detaching already) is looked at after so many tries. */
#define DETACH_TRIES 5
/* Another process of this instance may attach at the index that we have just seen free. */
#define ATTACH_TRIES 3

struct walk {
    struct aws_cloud *cloud;
    struct kit_step *step;
    const char *eni;
    const char *from;           /* the attachment that it leaves, "" = none */
    const char *me;             /* this instance */
    const struct kit_op_ui *ui; /* or NULL */
    struct kit_deadline by;
    bool until_free;    /* available is what is waited for, too */
    bool there;         /* in the last answer */
    struct aws_nic nic; /* as last seen; its id is "" until then */
    bool taken[INDEX_MAX + 1];
};

static bool is_here(const struct walk *w)
{
    return kit_str_eq(w->nic.eni.node, w->me);
}

static bool is_free(const struct walk *w)
{
    return kit_str_eq(w->nic.status, "available") && !w->nic.attachment[0];
}

/* ---- looking --------------------------------------------------------------------------------- */

/* aws_nic_list */
static void ask_eni(void *arg, struct aws_query *q)
{
    aws_query_filter(q, "network-interface-id");
    aws_query_filter_value(q, 1, ((const struct walk *)arg)->eni);
}

/* aws_nic_list */
static void take_eni(void *arg, const struct kit_xml_node *item)
{
    struct walk *w = arg;
    struct aws_nic nic;

    if (!aws_nic_decode(item, &nic) || !kit_str_eq(nic.eni.id, w->eni))
        return;
    w->nic = nic;
    w->there = true;
}

/* kit_poll_fn: has it arrived: free, attached here, or with a third?  The attachment that it leaves
 * may be shown for a while, and so may the state before ours. */
static int look(void *arg, struct kit_err *err)
{
    struct walk *w = arg;
    struct aws_nic_list list = {.cloud = w->cloud, .ask = ask_eni, .take = take_eni, .arg = w};

    w->there = false;
    if (aws_nic_list_run(&list, w->by, err))
        return -1;
    if (!w->there)
        return kit_err_set(err, KIT_ERR_NOT_FOUND, "%s was deleted", w->eni);
    kit_op_tell(w->ui, "%s: %s", w->eni,
                w->nic.attachment[0] ? w->nic.attachment_state : w->nic.status);
    if (is_free(w))
        return w->until_free;
    if (is_here(w))
        return kit_str_eq(w->nic.attachment_state, "attached") &&
               !(w->until_free && kit_str_eq(w->nic.attachment, w->from));
    return w->nic.attachment[0] && !kit_str_eq(w->nic.attachment, w->from);
}

/* The bound came first, between two looks or during one, which had no answer then: where it hangs,
 * and what helps. */
static void explain(const struct walk *w, struct kit_err *err)
{
    const char *node = w->nic.eni.node[0] ? w->nic.eni.node : "its instance";
    char text[sizeof(err->msg)];

    if (!w->nic.eni.id[0])
        return;
    if (w->until_free)
        (void)snprintf(text, sizeof(text),
                       "%s is still %s (%s of %s), %s does not let it go: stop that instance, "
                       "or, once it is certain that it is dead, detach it with Force=true by "
                       "hand; then run this again",
                       w->eni, w->nic.status, w->nic.attachment_state, w->nic.attachment, node);
    else
        (void)snprintf(text, sizeof(text), "%s was to be attached here and is still %s", w->eni,
                       w->nic.status);
    if (err->kind == KIT_ERR_TIMEOUT)
        (void)kit_err_set(err, KIT_ERR_TIMEOUT, "%s", text);
    else if (kit_err_retryable(err))
        (void)kit_err_wrap(err, "%s", text);
}

static int wait_for(struct walk *w, bool until_free, struct kit_deadline by)
{
    int rc;

    w->until_free = until_free;
    rc = kit_poll_until(&patience, w->cloud->base.caller->clock, by, look, w, &w->step->err);
    if (rc) {
        explain(w, &w->step->err);
        w->step->result = KIT_STEP_FAILED;
    }
    return rc;
}

/* ---- changing -------------------------------------------------------------------------------- */

/* aws_nic_list */
static void ask_mine(void *arg, struct aws_query *q)
{
    aws_query_filter(q, "attachment.instance-id");
    aws_query_filter_value(q, 1, ((const struct walk *)arg)->me);
}

/* aws_nic_list */
static void take_index(void *arg, const struct kit_xml_node *item)
{
    struct walk *w = arg;
    struct aws_nic nic;

    if (aws_nic_decode(item, &nic) && nic.device_index >= 0 && nic.device_index <= INDEX_MAX)
        w->taken[nic.device_index] = true;
}

static void detach_init(const struct walk *w, struct aws_query *q)
{
    aws_query_init(q, w->cloud, &aws_ec2, "DetachNetworkInterface", AWS_MUTATES);
    q->call.max_tries = DETACH_TRIES;
    aws_query_param(q, "AttachmentId", w->from);
}

/* What a detachment's answer means.  No failure yet: that attachment is no more; it is detaching
 * already; the answer was lost: looking will show. */
static int detach_result(const struct walk *w, const struct aws_query *q)
{
    aws_step_result(q, w->step);
    if (w->step->result != KIT_STEP_FAILED || q->note == AWS_NOTE_GONE ||
        q->call.err.kind == KIT_ERR_STATE)
        return 0;
    return -1;
}

/* For how long the looks may be stale after a detachment that may not have been applied at all. */
#define LOST_MS INT64_C(2000)

static int64_t stale_ms(const struct walk *w)
{
    return w->step->result == KIT_STEP_OPEN ? LOST_MS : KIT_OP_STALE_MS;
}

static int detach(struct walk *w)
{
    struct aws_query q;
    struct kit_err ignored; /* the call keeps it */
    int rc;

    detach_init(w, &q);
    if (aws_query_run(&q, w->by, &ignored))
        q.call.failed = true;
    rc = detach_result(w, &q);
    aws_query_done(&q);
    return rc;
}

/* A detachment was sent: waits until it is done.  One that shows nothing is asked for again when
 * the looks cannot be stale any more; it names the attachment, so that another one is harmless. */
static int see_detached(struct walk *w)
{
    const struct kit_clock *clock = w->cloud->base.caller->clock;

    for (int64_t patience_ms = stale_ms(w);;) {
        struct kit_deadline until =
            kit_deadline_earlier(w->by, kit_deadline_in_ms(clock, patience_ms));

        if (!wait_for(w, true, until))
            return 0;
        if (w->step->err.kind != KIT_ERR_TIMEOUT || kit_deadline_passed(clock, w->by))
            return -1;
        if (!kit_str_eq(w->nic.attachment_state, "attached"))
            continue;
        if (detach(w))
            return -1;
        patience_ms = stale_ms(w);
    }
}

/* Detaches it from where it is and, in the same round, sees which device indexes are taken here. */
static int detach_and_count(struct walk *w)
{
    struct aws_nic_list mine = {.cloud = w->cloud, .ask = ask_mine, .take = take_index, .arg = w};
    struct aws_query q;
    struct kit_call *call[2];
    size_t calls = 0;
    int rc = 0;

    aws_nic_list_begin(&mine);
    call[calls++] = &mine.query.call;
    if (w->from[0]) {
        detach_init(w, &q);
        call[calls++] = &q.call;
    }
    if (kit_call_all(w->cloud->base.caller, call, calls, w->by, &w->step->err))
        (void)w->step->err; /* each call's own error is looked at */
    if (w->from[0]) {
        rc = detach_result(w, &q);
        aws_query_done(&q);
    }
    struct kit_err err;
    if (aws_nic_list_finish(&mine, w->by, &err) && !rc) {
        w->step->result = KIT_STEP_FAILED;
        w->step->err = err;
        rc = -1;
    }
    return rc;
}

static int free_index(const struct walk *w)
{
    for (int i = 1; i <= INDEX_MAX; i++)
        if (!w->taken[i])
            return i;
    return -1;
}

static bool index_was_taken(const struct aws_query *q)
{
    return q->call.failed && kit_str_eq(q->call.err.code, "InvalidParameterValue") &&
           strstr(q->call.err.msg, "device index");
}

static int attach(struct walk *w)
{
    for (int try = 1;; try++) {
        int index = free_index(w);
        struct aws_query q;
        struct kit_err ignored; /* the call keeps it */
        char text[12];
        bool taken;

        if (index < 0) {
            w->step->result = KIT_STEP_FAILED;
            return kit_err_set(&w->step->err, KIT_ERR_REFUSED,
                               "%s has no free device index up to %d", w->me, INDEX_MAX);
        }
        (void)kit_str_format(text, sizeof(text), "%d", index);
        aws_query_init(&q, w->cloud, &aws_ec2, "AttachNetworkInterface", AWS_MUTATES);
        aws_query_param(&q, "NetworkInterfaceId", w->eni);
        aws_query_param(&q, "InstanceId", w->me);
        aws_query_param(&q, "DeviceIndex", text);
        if (aws_query_run(&q, w->by, &ignored))
            q.call.failed = true;
        aws_step_result(&q, w->step);
        taken = index_was_taken(&q);
        aws_query_done(&q);
        if (!taken || try == ATTACH_TRIES)
            return w->step->result == KIT_STEP_DONE ? 0 : -1;
        w->taken[index] = true;
    }
}

/* It is attached: here, or with another instance that was quicker.  What becomes of our claim then
 * is for who looks next. */
static int arrive(struct walk *w)
{
    if (is_here(w)) {
        w->step->result = KIT_STEP_DONE;
        return 0;
    }
    w->step->result = KIT_STEP_OPEN;
    return kit_err_set(&w->step->err, KIT_ERR_CONFLICT, "%s was attached to %s meanwhile", w->eni,
                       w->nic.eni.node[0] ? w->nic.eni.node : "something else");
}

/* A detachment that hangs would eat the whole deadline, and nobody would hear why: it gets half of
 * it, and so do the calls. */
static int in_half_the_time(struct walk *w, bool was_sent)
{
    const struct kit_clock *clock = w->cloud->base.caller->clock;
    struct kit_deadline whole = w->by;
    int rc;

    w->by = kit_deadline_in_ms(clock, kit_deadline_left_ms(clock, whole) / 2);
    rc = was_sent ? see_detached(w) : wait_for(w, true, w->by);
    w->by = whole;
    return rc;
}

/* `coming`: ours, but not attached: on its way here, or away from here. */
static int claim_one(struct walk *w, bool coming)
{
    if (coming && in_half_the_time(w, false))
        return -1;
    if (coming && !is_free(w))
        return arrive(w);
    if (detach_and_count(w))
        return -1;
    if (w->from[0] && in_half_the_time(w, true))
        return -1;
    if (w->from[0] && !is_free(w))
        return arrive(w);
    if (attach(w) || wait_for(w, false, w->by))
        return -1;
    return arrive(w);
}

/* kit_poll_fn: one walk; an answer that was lost leads to another, which looks first. */
static int walk_on(void *arg, struct kit_err *err)
{
    struct walk *w = arg;
    bool again = w->step->result == KIT_STEP_OPEN;
    int rc;

    w->step->result = KIT_STEP_PENDING;
    if (w->me[0])
        rc = claim_one(w, again);
    else
        rc = (!again && detach(w)) ? -1 : see_detached(w);
    if (!rc)
        return 1;
    *err = w->step->err;
    /* KIT_ERR_CONFLICT: a third has it. */
    return w->step->result == KIT_STEP_OPEN && err->kind != KIT_ERR_CONFLICT ? 0 : -1;
}

int aws_eni_move(struct aws_cloud *cloud, const struct aws_eni_move *move, struct kit_deadline by,
                 struct kit_err *err)
{
    struct kit_step step = {.result = move->busy ? KIT_STEP_OPEN : KIT_STEP_PENDING};
    struct walk w = {.cloud = cloud,
                     .step = &step,
                     .eni = move->eni,
                     .from = move->from,
                     .me = move->to,
                     .ui = move->ui,
                     .by = by};

    return kit_poll_until(&patience, cloud->base.caller->clock, by, walk_on, &w, err);
}

int aws_eni_claim(struct kit_cloud *cloud, const struct kit_settings *settings,
                  const struct kit_facts *facts, struct kit_step step[], size_t count,
                  struct kit_deadline by, struct kit_err *err)
{
    (void)settings;
    for (size_t i = 0; i < count; i++) { /* one ENI is one binding: one step */
        const struct kit_binding *b = step[i].binding;
        struct walk w = {.cloud = (struct aws_cloud *)cloud,
                         .step = &step[i],
                         .eni = b->place,
                         .from = b->mine ? "" : b->handle,
                         .me = facts->me,
                         .by = by};

        if (claim_one(&w, b->mine)) {
            *err = step[i].err;
            return -1;
        }
    }
    return 0;
}

int aws_eni_release(struct kit_cloud *cloud, const struct kit_settings *settings,
                    const struct kit_facts *facts, struct kit_step step[], size_t count,
                    struct kit_deadline by, struct kit_err *err)
{
    (void)settings;
    for (size_t i = 0; i < count; i++) {
        struct walk w = {.cloud = (struct aws_cloud *)cloud,
                         .step = &step[i],
                         .eni = step[i].binding->place,
                         .from = step[i].binding->handle,
                         .me = facts->me,
                         .by = by};

        if (detach(&w) || see_detached(&w)) {
            *err = step[i].err;
            return -1;
        }
        step[i].result = KIT_STEP_DONE; /* off us, whoever has it now */
    }
    return 0;
}
