#include "kit/vip/plan.h"

#include <stdlib.h>

#include "kit/base/str.h"

void kit_plan_done(struct kit_plan *plan)
{
    free(plan->step);
    *plan = (struct kit_plan){0};
}

const char *kit_step_place(const struct kit_step *step)
{
    return step->need ? step->need->place : step->binding->place;
}

/* All places in that state, for one message about all of them. */
static void list_places(const struct kit_facts *facts, enum kit_binding_state state,
                        struct kit_buf *out)
{
    for (size_t i = 0; i < facts->count; i++)
        if (facts->binding[i].state == state)
            (void)kit_buf_printf(out, "%s%s", out->len_bytes ? ", " : "", facts->binding[i].place);
}

static int check_bindings(const struct kit_facts *facts, struct kit_err *err)
{
    KIT_AUTO(kit_buf) places = KIT_BUF(300);

    for (size_t i = 0; i < facts->count; i++) {
        const struct kit_binding *b = &facts->binding[i];

        if (b->state == KIT_BINDING_FOREIGN && b->holder[0] && b->node[0])
            return kit_err_set(err, KIT_ERR_CONFIG,
                               "%s is bound to %s of %s, from where it is never taken: refused; if "
                               "it may be taken, free it there first",
                               b->place, b->holder, b->node);
        if (b->state == KIT_BINDING_FOREIGN)
            return kit_err_set(err, KIT_ERR_CONFIG,
                               "%s is bound to %s, which is no node's interface: refused; if it "
                               "may be taken, free it there first",
                               b->place, b->holder[0] ? b->holder : "a service of the cloud");
    }
    list_places(facts, KIT_BINDING_MISSING, &places);
    if (places.len_bytes)
        return kit_err_set(err, KIT_ERR_CONFIG,
                           "no route for the address in %s%s: create it there, correct "
                           "`route_tables`, or set create_route = yes",
                           places.data, places.overflow ? ", ..." : "");
    return 0;
}

int kit_plan_claim(const struct kit_facts *facts, struct kit_plan *ret_plan, struct kit_err *err)
{
    struct kit_plan plan = {0};

    if (check_bindings(facts, err) ||
        kit_rules_refuse(facts->breach, facts->breaches, KIT_ERR_CONFIG, err))
        return -1;
    plan.step = kit_mem_new(facts->count + facts->needs, sizeof(*plan.step));
    for (size_t i = 0; i < facts->needs; i++)
        plan.step[plan.count++].need = &facts->need[i];
    for (size_t i = 0; i < facts->count; i++)
        if (!facts->binding[i].right)
            plan.step[plan.count++].binding = &facts->binding[i];
    *ret_plan = plan;
    return 0;
}

void kit_plan_release(const struct kit_facts *facts, struct kit_plan *ret_plan)
{
    struct kit_plan plan = {.step = kit_mem_new(facts->count, sizeof(*plan.step))};

    for (size_t i = 0; i < facts->count; i++)
        if (facts->binding[i].mine)
            plan.step[plan.count++] =
                (struct kit_step){.binding = &facts->binding[i], .release = true};
    *ret_plan = plan;
}

static void describe_now(const struct kit_binding *b, struct kit_buf *out)
{
    switch (b->state) {
    case KIT_BINDING_FREE: (void)kit_buf_puts(out, "nobody"); return;
    case KIT_BINDING_ABSENT:
    case KIT_BINDING_MISSING: (void)kit_buf_puts(out, "no route"); return;
    case KIT_BINDING_BLACKHOLE:
        (void)kit_buf_printf(out, "blackhole (%s is stopped, detached or gone)",
                             b->holder[0] ? b->holder : "its target");
        return;
    case KIT_BINDING_HELD:
    case KIT_BINDING_FOREIGN: break;
    }
    (void)kit_buf_puts(out, b->holder[0] ? b->holder : b->node);
    if (b->node[0] && b->holder[0] && !kit_str_eq(b->node, b->holder))
        (void)kit_buf_printf(out, " (%s)", b->node);
    if (b->mine && b->detail[0])
        (void)kit_buf_printf(out, " at %s", b->detail);
}

void kit_plan_describe(const struct kit_step *step, const struct kit_facts *facts,
                       struct kit_buf *out)
{
    if (step->need) {
        (void)kit_buf_printf(out, "%s: %s %s -> %s", step->need->place, step->need->what,
                             step->need->now, step->need->then);
        return;
    }
    (void)kit_buf_printf(out, "%s: ", step->binding->place);
    describe_now(step->binding, out);
    (void)kit_buf_printf(out, " -> %s", step->release ? "nobody" : facts->me);
}
