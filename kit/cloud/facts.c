#include <stdlib.h>
#include <string.h>

#include "kit/base/mem.h"
#include "kit/base/str.h"
#include "kit/cloud/cloud.h"

void kit_facts_done(struct kit_facts *facts)
{
    free(facts->binding);
    for (size_t i = 0; i < facts->tags; i++) {
        free(facts->tag[i].key);
        free(facts->tag[i].value);
    }
    free(facts->tag);
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

void kit_facts_add_tag(struct kit_facts *facts, const char *place, const char *key,
                       const char *value)
{
    if (!(facts->tags & (facts->tags - 1)))
        facts->tag =
            kit_mem_grow(facts->tag, facts->tags ? 2 * facts->tags : 1, sizeof(*facts->tag));
    struct kit_tag *tag = &facts->tag[facts->tags++];
    *tag = (struct kit_tag){.key = kit_mem_strdup(key), .value = kit_mem_strdup(value)};
    (void)kit_str_copy(tag->place, sizeof(tag->place), place);
}

const struct kit_binding *kit_facts_find(const struct kit_facts *facts, const char *place)
{
    for (size_t i = 0; i < facts->count; i++)
        if (kit_str_eq(facts->binding[i].place, place))
            return &facts->binding[i];
    return NULL;
}

static void note(struct kit_rule_list list, const struct kit_rule *rule,
                 const struct kit_buf *detail)
{
    struct kit_breach *breach = &list.breach[*list.count];

    if (*list.count == KIT_BREACHES)
        return;
    breach->rule = rule;
    (void)kit_str_copy(breach->detail, sizeof(breach->detail), detail->data);
    (*list.count)++;
}

void kit_rules_judge(const struct kit_rule *rules, size_t count, const void *evidence,
                     struct kit_rule_list broken, struct kit_rule_list unknown)
{
    for (size_t i = 0; i < count; i++) {
        KIT_AUTO(kit_buf) detail = KIT_BUF(2 * sizeof(broken.breach->detail));

        switch (rules[i].check(evidence, &detail)) {
        case KIT_RULE_HOLDS: break;
        case KIT_RULE_BROKEN: note(broken, &rules[i], &detail); break;
        case KIT_RULE_NOT_KNOWN:
            if (detail.len_bytes)
                note(unknown, &rules[i], &detail);
            break;
        }
    }
}

void kit_rules_check(const struct kit_rule *rules, size_t count, const void *evidence,
                     struct kit_facts *facts)
{
    kit_rules_judge(rules, count, evidence, (struct kit_rule_list){facts->breach, &facts->breaches},
                    (struct kit_rule_list){facts->unknown, &facts->unknowns});
}

static bool is_listed(const char *words, const char *wanted)
{
    const char *word;
    size_t len;

    while (wanted && kit_str_word(&words, "|", &word, &len))
        if (strlen(wanted) == len && !memcmp(word, wanted, len))
            return true;
    return false;
}

bool kit_permission_applies(const struct kit_permission *permission,
                            const struct kit_settings *settings)
{
    const struct kit_addr *addr;

    if (permission->only_with == KIT_PARAM_NONE)
        return true;
    if (!permission->when[0] || kit_str_eq(permission->when, "*"))
        return !permission->when[0] == !kit_settings_text(settings, permission->only_with);
    addr = kit_settings_addr(settings, permission->only_with);
    if (addr)
        return is_listed(permission->when, addr->family == 6 ? "ipv6" : "ipv4");
    return is_listed(permission->when, kit_settings_text(settings, permission->only_with));
}

int kit_rules_refuse(const struct kit_breach breach[], size_t count, enum kit_err_kind kind,
                     struct kit_err *err)
{
    for (size_t i = 0; i < count; i++) {
        const struct kit_rule *rule = breach[i].rule;

        if (rule->level == KIT_RULE_REFUSE)
            return kit_err_set(err, kind, "rule %u: %s: %s; %s", rule->number, breach[i].detail,
                               rule->means, rule->remedy);
    }
    return 0;
}
