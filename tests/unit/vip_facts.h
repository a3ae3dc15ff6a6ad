/* tests/unit/vip_facts.h - facts in one line each.  Included after cmocka.h. */
#ifndef TESTS_UNIT_VIP_FACTS_H
#define TESTS_UNIT_VIP_FACTS_H

#include "kit/base/str.h"
#include "kit/cloud/cloud.h"

#define ME "eni-me"

static inline void facts_begin(struct kit_facts *facts)
{
    *facts = (struct kit_facts){.me = ME, .my_node = "i-me"};
}

/* A binding; what ME holds is ours, and right when it is held.  eni-N is on i-N. */
static inline struct kit_binding *facts_add(struct kit_facts *facts, const char *place,
                                            enum kit_binding_state state, const char *holder)
{
    struct kit_binding *b = kit_facts_add(facts);

    assert_true(kit_str_copy(b->place, sizeof(b->place), place));
    assert_true(kit_str_copy(b->holder, sizeof(b->holder), holder));
    b->state = state;
    b->mine = kit_str_eq(holder, ME);
    b->right = b->mine && state == KIT_BINDING_HELD;
    if (kit_str_starts(holder, "eni-") && state == KIT_BINDING_HELD)
        assert_true(kit_str_format(b->node, sizeof(b->node), "i-%s", holder + 4));
    return b;
}

static inline struct kit_need *facts_need(struct kit_facts *facts)
{
    struct kit_need *need = &facts->need[facts->needs++];

    assert_true(facts->needs <= KIT_NEEDS);
    *need = (struct kit_need){.place = ME, .what = "source/dest check", .now = "on", .then = "off"};
    return need;
}

#endif
