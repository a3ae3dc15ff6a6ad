/* kit/vip/plan.h - what has to change for the address to be here, or to be released.  Pure: facts
 * in, steps out. */
#ifndef KIT_VIP_PLAN_H
#define KIT_VIP_PLAN_H

#include "kit/base/buf.h"
#include "kit/cloud/cloud.h"

/* Steps point into the facts they were made from, which must outlive them. */
struct kit_plan {
    struct kit_step *step;
    size_t count;
};
void kit_plan_done(struct kit_plan *plan);

/* One step for every need and every binding that is not right.  Refused, before
 * anything is changed (KIT_ERR_CONFIG, with the rule's number where there is one): a binding held
 * by what is no node, one that is missing and may not be created, a broken rule that refuses. */
int kit_plan_claim(const struct kit_facts *facts, struct kit_plan *ret_plan,
                   struct kit_err *err) KIT_CHECKED;

/* One step for every binding that is ours; never one of another node's. */
void kit_plan_release(const struct kit_facts *facts, struct kit_plan *ret_plan);

/* "rtb-1: eni-1 (i-1) -> eni-2", "eni-2: source/dest check on -> off".  Appends. */
void kit_plan_describe(const struct kit_step *step, const struct kit_facts *facts,
                       struct kit_buf *out);
const char *kit_step_place(const struct kit_step *step);

#endif
