#include "kit/vip/verify.h"

#include <stdlib.h>

#include "kit/base/mem.h"
#include "kit/base/str.h"

static struct kit_verify_item *find(const struct kit_verify *verify, const char *place)
{
    for (size_t i = 0; i < verify->count; i++)
        if (kit_str_eq(verify->item[i].place, place))
            return &verify->item[i];
    return NULL;
}

static struct kit_verify_item *add(struct kit_verify *verify, const struct kit_binding *b)
{
    struct kit_verify_item *item;

    verify->item = kit_mem_grow(verify->item, verify->count + 1, sizeof(*verify->item));
    item = &verify->item[verify->count++];
    *item = (struct kit_verify_item){.was_ours = b->right};
    (void)kit_str_copy(item->place, sizeof(item->place), b->place);
    (void)kit_str_copy(item->holder, sizeof(item->holder), b->holder);
    (void)kit_str_copy(item->handle, sizeof(item->handle), b->handle);
    return item;
}

void kit_verify_init(struct kit_verify *verify, const struct kit_facts *facts)
{
    *verify = (struct kit_verify){0};
    for (size_t i = 0; i < facts->count; i++)
        (void)add(verify, &facts->binding[i]);
}

void kit_verify_done(struct kit_verify *verify)
{
    free(verify->item);
    *verify = (struct kit_verify){0};
}

void kit_verify_claimed(struct kit_verify *verify, const struct kit_plan *plan)
{
    for (size_t i = 0; i < plan->count; i++) {
        const struct kit_step *step = &plan->step[i];
        struct kit_verify_item *item = step->binding ? find(verify, step->binding->place) : NULL;

        if (item && step->result == KIT_STEP_DONE)
            item->acknowledged = true;
    }
}

static bool as_before(const struct kit_verify_item *item, const struct kit_binding *b)
{
    return kit_str_eq(item->holder, b->holder) && kit_str_eq(item->handle, b->handle);
}

/* So many looks in a row that agree are no stale read.  One may come from anywhere.  Where nobody
 * had it before our claim, somebody may have let go of it a moment ago, as in a planned move: then
 * what a replica that lags shows is older than what we began with.  Six looks span three seconds.
 */
static unsigned looks_that_convince(const struct kit_verify_item *item)
{
    return item->holder[0] ? 2 : 6;
}

/* Somebody else has it, and not merely still. */
static enum kit_verdict look_at_other(struct kit_verify_item *item, const struct kit_binding *b,
                                      bool last, struct kit_err *err)
{
    if (!kit_str_eq(item->other, b->holder))
        item->other_seen = 0;
    (void)kit_str_copy(item->other, sizeof(item->other), b->holder);
    if (++item->other_seen < looks_that_convince(item) && !last)
        return KIT_VERDICT_WAIT;
    (void)kit_err_set(err, KIT_ERR_CONFLICT,
                      "%s: %s%s%s%s took it after our claim; we do not fight over it: check the "
                      "cluster, then run "
                      "restore on the node that shall have it",
                      b->place, b->holder[0] ? b->holder : "nobody", b->node[0] ? " (" : "",
                      b->node, b->node[0] ? ")" : "");
    return KIT_VERDICT_CONFLICT;
}

static enum kit_verdict look_at(struct kit_verify_item *item, const struct kit_binding *b,
                                bool last, struct kit_err *err)
{
    item->again = false;
    if (b->right) {
        item->was_ours = true;
        item->other_seen = 0;
        return KIT_VERDICT_DONE;
    }
    /* Ours but not yet as configured (an Elastic IP on another of our addresses): still moving. */
    if (!b->mine && b->holder[0] && !as_before(item, b))
        return look_at_other(item, b, last, err);
    item->other_seen = 0;
    if (!item->acknowledged) {
        item->again = true;
        return KIT_VERDICT_AGAIN;
    }
    if (!last)
        return KIT_VERDICT_WAIT;
    (void)kit_err_set(
        err, KIT_ERR_CONFLICT,
        "%s: the cloud said yes to our claim, and shows %s%s%s%s again: taken back, most "
        "likely; check the cluster, then run restore on the node that shall have it",
        b->place, b->holder[0] ? b->holder : "nobody", b->node[0] ? " (" : "", b->node,
        b->node[0] ? ")" : "");
    return KIT_VERDICT_CONFLICT;
}

enum kit_verdict kit_verify_look(struct kit_verify *verify, const struct kit_facts *facts,
                                 bool last, struct kit_err *err)
{
    enum kit_verdict worst = facts->count ? KIT_VERDICT_DONE : KIT_VERDICT_WAIT;

    for (size_t i = 0; i < facts->count; i++) {
        const struct kit_binding *b = &facts->binding[i];
        struct kit_verify_item *item = find(verify, b->place);
        enum kit_verdict verdict;

        if (!item) /* it appeared meanwhile: to be claimed like the others */
            item = add(verify, b);
        verdict = look_at(item, b, last, err);
        if (verdict == KIT_VERDICT_CONFLICT)
            return verdict;
        if (verdict > worst)
            worst = verdict;
    }
    if (worst == KIT_VERDICT_WAIT && last) {
        (void)kit_err_set(err, KIT_ERR_CONFLICT,
                          "the cloud said yes to our claim, and does not show the address here");
        return KIT_VERDICT_CONFLICT;
    }
    return worst;
}

void kit_verify_trim(const struct kit_verify *verify, struct kit_plan *plan)
{
    size_t kept = 0;

    for (size_t i = 0; i < plan->count; i++) {
        const struct kit_step *step = &plan->step[i];
        const struct kit_verify_item *item =
            step->binding ? find(verify, step->binding->place) : NULL;

        if (step->need || (item && item->again))
            plan->step[kept++] = *step;
    }
    plan->count = kept;
}
