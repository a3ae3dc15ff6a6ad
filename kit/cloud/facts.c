#include <stdlib.h>
#include <string.h>

#include "kit/base/mem.h"
#include "kit/base/str.h"
#include "kit/cloud/cloud.h"

void kit_facts_done(struct kit_facts *facts)
{
    free(facts->binding);
    *facts = (struct kit_facts){0};
}

struct kit_binding *kit_facts_add(struct kit_facts *facts)
{
    /* Grows at powers of two: count says when. */
    if (!(facts->count & (facts->count - 1)))
        facts->binding = kit_mem_grow(facts->binding, facts->count ? 2 * facts->count : 1,
                                      sizeof(*facts->binding));
    struct kit_binding *b = &facts->binding[facts->count++];
    memset(b, 0, sizeof(*b));
    return b;
}

const struct kit_binding *kit_facts_find(const struct kit_facts *facts, const char *place)
{
    for (size_t i = 0; i < facts->count; i++)
        if (kit_str_eq(facts->binding[i].place, place))
            return &facts->binding[i];
    return NULL;
}

void kit_rules_check(const struct kit_rule *rules, size_t count, const void *evidence,
                     struct kit_facts *facts)
{
    for (size_t i = 0; i < count && facts->breaches < KIT_BREACHES; i++) {
        struct kit_breach *breach = &facts->breach[facts->breaches];
        KIT_AUTO(kit_buf) detail = KIT_BUF(sizeof(breach->detail) - 1);

        if (rules[i].check(evidence, &detail) != KIT_RULE_BROKEN)
            continue;
        breach->rule = &rules[i];
        (void)kit_str_copy(breach->detail, sizeof(breach->detail), detail.data);
        facts->breaches++;
    }
}
