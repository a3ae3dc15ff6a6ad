/* tests/unit/advice.h - what a rule says in the facts.  Included after cmocka.h. */
#ifndef TESTS_UNIT_ADVICE_H
#define TESTS_UNIT_ADVICE_H

#include "kit/cloud/cloud.h"
#include "tests/unit/fakes.h"

enum verdict {
    SILENT, /* it holds, or does not apply */
    BROKEN,
    UNKNOWN, /* it could not be checked */
};

static inline const struct kit_breach *advice_of(const struct kit_breach *list, size_t count,
                                                 unsigned rule)
{
    for (size_t i = 0; i < count; i++)
        if (list[i].rule->number == rule)
            return &list[i];
    return NULL;
}

/* The rule says this, in words that hold `says` (NULL = any), and warns only. */
static inline void assert_advice(const struct kit_facts *facts, unsigned rule, enum verdict verdict,
                                 const char *says)
{
    const struct kit_breach *broken = advice_of(facts->breach, facts->breaches, rule);
    const struct kit_breach *unknown = advice_of(facts->unknown, facts->unknowns, rule);
    const struct kit_breach *told = verdict == BROKEN ? broken : unknown;

    if ((broken != NULL) != (verdict == BROKEN) || (unknown != NULL) != (verdict == UNKNOWN))
        fail_msg("rule %u: %s", rule,
                 broken    ? broken->detail
                 : unknown ? unknown->detail
                           : "silent");
    if (!told || verdict == SILENT)
        return;
    assert_int_equal(told->rule->level, KIT_RULE_WARN);
    if (says)
        fake_assert_text(told->detail, says);
}

#endif
