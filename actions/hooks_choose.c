/* actions/hooks_choose.c - choose_tables: which of the route tables that were found are meant.
 *
 * When a hook that has a say fails, nobody knows which tables are meant: nothing is changed then,
 * and a check says that it does not know.  Taking all of them instead would repoint a table that
 * the site keeps for something else. */
#include <stdlib.h>

#include "actions/hooks.h"
#include "kit/base/str.h"

#define POINT "choose_tables"

/* What cannot be read may have had a say; whether that stops anything, the site says. */
static bool is_blind(const struct act_hooks *hooks, struct kit_err *ret_why)
{
    if (!kit_settings_is(hooks->settings, KIT_PARAM_HOOK_FAILURE, "refuse"))
        return false;
    *ret_why = hooks->err;
    for (size_t i = 0; i < hooks->count; i++) {
        if (!act_hook_is_blind(&hooks->file[i]))
            continue;
        *ret_why = hooks->file[i].why;
        return true;
    }
    return hooks->failed;
}

bool act_choice_is_wanted(const struct act_hooks *hooks)
{
    struct kit_err why;

    return (hooks->count > 0 || hooks->failed) &&
           kit_settings_is(hooks->settings, KIT_PARAM_SCENARIO, "route-table") &&
           (act_hooks_count(hooks, POINT) > 0 || is_blind(hooks, &why));
}

static void free_list(char **list)
{
    for (char **item = list; item && *item; item++)
        free(*item);
    free(list);
}

void act_choice_done(struct act_choice *choice)
{
    free_list(choice->asked);
    free_list(choice->kept);
    choice->asked = choice->kept = NULL;
}

static bool has(char *const *list, const char *place)
{
    for (; list && *list; list++)
        if (kit_str_eq(*list, place))
            return true;
    return false;
}

static char **places_of(const struct kit_facts *facts)
{
    char **list = kit_mem_new(facts->count + 1, sizeof(*list));

    for (size_t i = 0; i < facts->count; i++)
        list[i] = kit_mem_strdup(facts->binding[i].place);
    return list;
}

static bool same_places(char *const *list, const struct kit_facts *facts)
{
    size_t count = 0;

    for (; list && list[count]; count++)
        if (!kit_facts_find(facts, list[count]))
            return false;
    return list && count == facts->count;
}

static void keep_only(struct kit_facts *facts, char *const *list)
{
    size_t kept = 0;

    for (size_t i = 0; i < facts->count; i++)
        if (has(list, facts->binding[i].place))
            facts->binding[kept++] = facts->binding[i];
    facts->count = kept;
}

int act_choice_take(const struct act_hook_file *file, const struct klua_answer *answer,
                    struct kit_facts *facts, struct kit_err *err)
{
    size_t count = kit_json_count(answer->value);
    char **list;

    if (kit_json_type(answer->value) == KIT_JSON_NULL)
        return 0;
    if (kit_json_type(answer->value) != KIT_JSON_ARRAY || count == 0)
        return kit_err_set(err, KIT_ERR_HOOK,
                           "%s: " POINT ": it returned no list of route tables, or an empty one",
                           file->name);
    list = kit_mem_new(count + 1, sizeof(*list));
    for (size_t i = 0; i < count; i++) {
        const char *place = kit_json_string(kit_json_at(answer->value, i));

        if (!place || !kit_facts_find(facts, place)) {
            free_list(list);
            return kit_err_set(err, KIT_ERR_HOOK,
                               "%s: " POINT ": it returned %.64s, which is none of those given",
                               file->name, place ? place : "something else than an id");
        }
        list[i] = kit_mem_strdup(place);
    }
    keep_only(facts, list);
    free_list(list);
    return 0;
}

static int ask(struct act_choice *choice, const struct act_hook_file *file, struct kit_facts *facts,
               struct kit_err *err)
{
    KIT_AUTO(kit_buf) text = KIT_BUF(KLUA_FACTS_BYTES);
    struct act_hook_call call = {.hooks = choice->hooks,
                                 .point = POINT,
                                 .facts = &text,
                                 .clock = choice->clock,
                                 .log = choice->log};
    int64_t left_ms = kit_deadline_left_ms(choice->clock, choice->by);
    KIT_AUTO(klua_answer) answer;

    choice->about.point = POINT;
    choice->about.facts = facts;
    choice->about.deadline_ms = left_ms;
    act_hook_facts(&choice->about, &text);
    call.by = kit_deadline_in_ms(choice->clock, left_ms / 2);
    if (act_hook_run(&call, file, &answer, err))
        return -1;
    return act_choice_take(file, &answer, facts, err);
}

static void tell(const struct act_choice *choice)
{
    KIT_AUTO(kit_buf) left_out = KIT_BUF(1024);

    for (char *const *place = choice->asked; *place; place++)
        if (!has(choice->kept, *place))
            (void)kit_buf_printf(&left_out, "%s%s", left_out.len_bytes ? ", " : "", *place);
    if (left_out.len_bytes && choice->log)
        act_log(choice->log, ACT_HOOK_CHOSE, POINT " leaves out %s%s", left_out.data,
                left_out.overflow ? ", ..." : "");
}

int act_choose(void *arg, struct kit_facts *facts, struct kit_err *err)
{
    struct act_choice *choice = arg;
    char **asked;

    if (!facts->count)
        return 0;
    if (is_blind(choice->hooks, err)) {
        err->kind = KIT_ERR_HOOK;
        return -1;
    }
    if (same_places(choice->asked, facts)) {
        keep_only(facts, choice->kept);
        return 0;
    }
    asked = places_of(facts);
    for (size_t i = 0; i < choice->hooks->count; i++) {
        const struct act_hook_file *file = &choice->hooks->file[i];

        if (act_hook_mentions(file, POINT) && ask(choice, file, facts, err)) {
            free_list(asked);
            return -1;
        }
    }
    act_choice_done(choice);
    choice->asked = asked;
    choice->kept = places_of(facts);
    tell(choice);
    return 0;
}
