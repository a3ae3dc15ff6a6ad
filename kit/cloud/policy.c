#include "kit/cloud/policy.h"

#include <stdlib.h>
#include <string.h>

#include "kit/base/mem.h"
#include "kit/base/str.h"

void kit_policy_done(struct kit_policy *policy)
{
    for (size_t i = 0; i < policy->count; i++) {
        free(policy->need[i].arn);
        free(policy->need[i].value);
    }
    free(policy->need);
    policy->need = NULL;
    policy->count = 0;
}

/* ---- what is needed -------------------------------------------------------------------------- */

/* An ARN is some 200 bytes: a partition, a region, an account and an id. */
#define ARN_MAX_BYTES 2048

/* The text with its braces filled in; owned. */
static char *filled(const char *text, const struct kit_policy_scope *scope, const char *id)
{
    const struct {
        const char *name, *value;
    } words[] = {{"{partition}", scope->partition},
                 {"{region}", scope->region},
                 {"{account}", scope->account},
                 {"{id}", id}};
    KIT_AUTO(kit_buf) out = KIT_BUF(ARN_MAX_BYTES);

    while (*text) {
        size_t i = 0;

        while (i < KIT_LEN(words) && !kit_str_starts(text, words[i].name))
            i++;
        if (i == KIT_LEN(words)) {
            (void)kit_buf_putc(&out, *text++);
            continue;
        }
        (void)kit_buf_puts(&out, words[i].value && words[i].value[0] ? words[i].value : "*");
        text += strlen(words[i].name);
    }
    return kit_mem_strdup(out.data);
}

static struct kit_policy_need *add(struct kit_policy *policy, const char *action, const char *why,
                                   const char *tag)
{
    policy->need = kit_mem_grow(policy->need, policy->count + 1, sizeof(*policy->need));
    policy->need[policy->count] =
        (struct kit_policy_need){.action = action, .why = why, .tag = tag};
    return &policy->need[policy->count++];
}

static const struct kit_policy_kind *find_kind(const struct kit_policy_form *form, const char *word,
                                               size_t len)
{
    for (size_t i = 0; i < form->kinds; i++)
        if (strlen(form->kind[i].kind) == len && !memcmp(form->kind[i].kind, word, len))
            return &form->kind[i];
    return NULL;
}

/* The ids that the settings give: none, one, or a list. */
static char *const *ids_of(const struct kit_policy_kind *kind, const struct kit_settings *settings,
                           char *single[2])
{
    const char *scenario = kit_settings_text(settings, KIT_PARAM_SCENARIO);

    if (kind->id == KIT_PARAM_NONE ||
        (kind->id_scenario && !kit_str_eq(kind->id_scenario, scenario)))
        return NULL;
    if (kit_settings_list(settings, kind->id))
        return kit_settings_list(settings, kind->id);
    single[0] = settings->v[kind->id].text;
    return single[0] ? single : NULL;
}

static void add_kind(struct kit_policy *policy, const struct kit_permission *p,
                     const struct kit_policy_kind *kind, const struct kit_settings *settings)
{
    struct kit_policy_scope scope = {.partition = ""};
    char *single[2] = {NULL, NULL};
    char *const *id = ids_of(kind, settings, single);
    struct kit_policy_need *need;

    policy->form->scope(settings, &scope);
    for (; id && *id; id++) {
        need = add(policy, p->action, p->why, settings->tag);
        need->arn = filled(kind->arn, &scope, *id);
        need->advice = p->advice_only;
    }
    if (id)
        return;
    need = add(policy, p->action, p->why, settings->tag);
    need->arn = filled(kind->arn, &scope, NULL);
    need->advice = p->advice_only;
    if (!kind->test || !kit_settings_text(settings, kind->narrowed_by))
        return;
    need->test = kind->test;
    need->key = kind->key;
    need->value = filled(kind->value, &scope, kit_settings_text(settings, kind->narrowed_by));
}

void kit_policy_add_mover(struct kit_policy *policy, const struct kit_mover *mover,
                          const struct kit_settings *settings, bool advice)
{
    for (size_t i = 0; i < mover->permissions_count; i++) {
        const struct kit_permission *p = &mover->permissions[i];
        const char *words = p->resource, *word;
        size_t len;

        if ((p->advice_only && !advice) || !kit_permission_applies(p, settings))
            continue;
        while (kit_str_word(&words, ", ", &word, &len)) {
            const struct kit_policy_kind *kind = find_kind(policy->form, word, len);

            if (kind)
                add_kind(policy, p, kind, settings);
        }
    }
}

void kit_policy_add_role(struct kit_policy *policy, const struct kit_settings *settings)
{
    struct kit_policy_need *need =
        add(policy, "sts:AssumeRole", "to become the role that may do the rest", settings->tag);

    need->arn = kit_mem_strdup(kit_settings_text(settings, KIT_PARAM_ROLE_ARN));
}

/* ---- the document ---------------------------------------------------------------------------- */

static int compare_text(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) : (a != NULL) - (b != NULL);
}

static int compare_conditions(const struct kit_policy_need *a, const struct kit_policy_need *b)
{
    int order = compare_text(a->test, b->test);

    if (!order)
        order = compare_text(a->key, b->key);
    return order ? order : compare_text(a->value, b->value);
}

static int compare_needs(const void *left, const void *right)
{
    const struct kit_policy_need *a = left, *b = right;
    int order = strcmp(a->action, b->action);

    if (!order)
        order = compare_conditions(a, b);
    if (!order)
        order = strcmp(a->arn, b->arn);
    if (!order)
        order = strcmp(a->why, b->why);
    return order ? order : strcmp(a->tag, b->tag);
}

void kit_policy_sort(struct kit_policy *policy)
{
    if (policy->count)
        qsort(policy->need, policy->count, sizeof(*policy->need), compare_needs);
}

/* Does the pattern, in which '*' is anything, take in the text (and what its own '*' are)? */
static bool takes_in(const char *pattern, const char *text)
{
    for (; *pattern; pattern++, text++) {
        if (*pattern == '*') {
            for (;; text++) {
                if (takes_in(pattern + 1, text))
                    return true;
                if (!*text)
                    return false;
            }
        }
        if (*pattern != *text)
            return false;
    }
    return !*text;
}

/* Whatever b allows, a allows. */
static bool covers(const struct kit_policy_need *a, const struct kit_policy_need *b)
{
    return kit_str_eq(a->action, b->action) && (!a->test || !compare_conditions(a, b)) &&
           takes_in(a->arn, b->arn);
}

/* Those that no other covers, in order; owned, but not what is in them. */
static struct kit_policy_need *least(const struct kit_policy *policy, size_t *ret_count)
{
    struct kit_policy_need *list = kit_mem_new(policy->count, sizeof(*list));
    size_t count = 0;

    for (size_t i = 0; i < policy->count; i++) {
        bool covered = false;

        /* Of two that cover each other the first stays. */
        for (size_t k = 0; k < policy->count && !covered; k++)
            covered = k != i && covers(&policy->need[k], &policy->need[i]) &&
                      (k < i || !covers(&policy->need[i], &policy->need[k]));
        if (!covered)
            list[count++] = policy->need[i];
    }
    *ret_count = count;
    return list;
}

/* Needs of one action under one condition lie side by side. */
static size_t run_of(const struct kit_policy_need *list, size_t count, size_t from)
{
    size_t n = from;

    while (n < count && kit_str_eq(list[n].action, list[from].action) &&
           !compare_conditions(&list[n], &list[from]))
        n++;
    return n - from;
}

static bool same_objects(const struct kit_policy_need *a, size_t a_count,
                         const struct kit_policy_need *b, size_t b_count)
{
    if (a_count != b_count || compare_conditions(a, b) != 0)
        return false;
    for (size_t i = 0; i < a_count; i++)
        if (!kit_str_eq(a[i].arn, b[i].arn))
            return false;
    return true;
}

/* One statement: all actions on the same objects under the same condition. */
static void write_statement(const struct kit_policy_need *list, size_t count, size_t first,
                            bool *written, struct kit_json_writer *w)
{
    size_t objects = run_of(list, count, first);

    kit_json_open(w, NULL, '{');
    kit_json_put_string(w, "Effect", "Allow");
    kit_json_open(w, "Action", '[');
    for (size_t i = first; i < count; i += run_of(list, count, i)) {
        if (written[i] || !same_objects(&list[first], objects, &list[i], run_of(list, count, i)))
            continue;
        kit_json_put_string(w, NULL, list[i].action);
        written[i] = true;
    }
    kit_json_close(w);
    kit_json_open(w, "Resource", '[');
    for (size_t i = 0; i < objects; i++)
        kit_json_put_string(w, NULL, list[first + i].arn);
    kit_json_close(w);
    if (list[first].test) {
        kit_json_open(w, "Condition", '{');
        kit_json_open(w, list[first].test, '{');
        kit_json_put_string(w, list[first].key, list[first].value);
        kit_json_close(w);
        kit_json_close(w);
    }
    kit_json_close(w);
}

void kit_policy_write(struct kit_policy *policy, const char *key, struct kit_json_writer *w)
{
    struct kit_policy_need *list;
    bool *written;
    size_t count;

    kit_policy_sort(policy);
    list = least(policy, &count);
    written = kit_mem_new(count, sizeof(*written));
    kit_json_open(w, key, '{');
    kit_json_put_string(w, "Version", policy->form->version);
    kit_json_open(w, "Statement", '[');
    for (size_t i = 0; i < count; i += run_of(list, count, i))
        if (!written[i])
            write_statement(list, count, i, written, w);
    kit_json_close(w);
    kit_json_close(w);
    free(written);
    free(list);
}
