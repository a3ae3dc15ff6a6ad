#include "sim_fault.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "sim_fault_type.h"

static bool is_word(const char *words, const char *word)
{
    size_t len = strlen(word);

    for (const char *at = words; *at; at += strspn(at, " ")) {
        size_t next = strcspn(at, " ");

        if (next == len && !strncmp(at, word, len))
            return true;
        at += next;
    }
    return false;
}

static int check_members(const struct json_object *object, const char *words, struct sim_error *err)
{
    json_object_object_foreach(object, name, value)
    {
        (void)value;
        if (!is_word(words, name)) {
            snprintf(err->text, sizeof(err->text), "a fault does not know \"%.64s\"", name);
            return -1;
        }
    }
    return 0;
}

void sim_faults_init(struct sim_faults *faults)
{
    *faults = (struct sim_faults){0};
    pthread_mutex_init(&faults->lock, NULL);
}

static void clear(struct sim_faults *faults)
{
    for (size_t i = 0; i < faults->len; i++)
        json_object_put(faults->items[i].spec);
    free(faults->items);
    faults->items = NULL;
    faults->len = 0;
}

void sim_faults_clear(struct sim_faults *faults)
{
    pthread_mutex_lock(&faults->lock);
    clear(faults);
    pthread_mutex_unlock(&faults->lock);
}

void sim_faults_done(struct sim_faults *faults)
{
    clear(faults);
    pthread_mutex_destroy(&faults->lock);
}

/* Checks the fault and brings `do` into its long form. */
static int read_fault(struct json_object *spec, struct sim_fault *ret_fault, struct sim_error *err)
{
    struct json_object *act = sim_json_get(spec, "do");
    char words[128];

    if (check_members(spec, "match skip times do seen acted", err))
        return -1;
    if (sim_json_get(spec, "match") &&
        check_members(sim_json_get(spec, "match"), "kind action params node key", err))
        return -1;
    if (json_object_is_type(act, json_type_string)) {
        struct json_object *whole = json_object_new_object();

        sim_json_set_str(whole, "type", json_object_get_string(act));
        json_object_object_add(spec, "do", whole);
        act = whole;
    }
    *ret_fault = (struct sim_fault){
        .type = sim_fault_type_find(sim_json_str(act, "type")),
        .skip = (unsigned long)sim_json_int(spec, "skip", 0),
        .times = (unsigned long)sim_json_int(spec, "times", 1),
    };
    if (!ret_fault->type) {
        snprintf(err->text, sizeof(err->text), "no such fault: \"%.64s\"",
                 sim_json_str(act, "type"));
        return -1;
    }
    snprintf(words, sizeof(words), "type %s", ret_fault->type->options);
    return check_members(act, words, err);
}

int sim_faults_add(struct sim_faults *faults, struct json_object *spec, bool replace,
                   struct sim_error *err)
{
    SIM_AUTO_JSON *list = NULL;
    struct sim_fault *items;
    size_t len;
    int bad = 0;

    if (json_object_is_type(spec, json_type_array)) {
        list = sim_json_copy(spec);
    } else {
        list = json_object_new_array();
        json_object_array_add(list, sim_json_copy(spec));
    }
    len = json_object_array_length(list);
    items = sim_alloc(len * sizeof(*items));
    for (size_t i = 0; i < len && !bad; i++)
        bad = read_fault(json_object_array_get_idx(list, i), &items[i], err);
    if (bad) {
        free(items);
        return -1;
    }
    pthread_mutex_lock(&faults->lock);
    if (replace)
        clear(faults);
    faults->items = reallocarray(faults->items, faults->len + len + 1, sizeof(*items));
    if (!faults->items)
        abort();
    for (size_t i = 0; i < len; i++) {
        items[i].spec = json_object_get(json_object_array_get_idx(list, i));
        faults->items[faults->len++] = items[i];
    }
    pthread_mutex_unlock(&faults->lock);
    free(items);
    return 0;
}

void sim_faults_show(struct sim_faults *faults, struct sim_buf *out)
{
    pthread_mutex_lock(&faults->lock);
    sim_buf_str(out, "[");
    for (size_t i = 0; i < faults->len; i++) {
        sim_json_set_int(faults->items[i].spec, "seen", (int64_t)faults->items[i].seen);
        sim_json_set_int(faults->items[i].spec, "acted", (int64_t)faults->items[i].acted);
        sim_buf_fmt(
            out, "%s\n%s", i ? "," : "",
            json_object_to_json_string_ext(faults->items[i].spec, JSON_C_TO_STRING_NOSLASHESCAPE));
    }
    sim_buf_str(out, "]\n");
    pthread_mutex_unlock(&faults->lock);
}

bool sim_faults_want_previous(struct sim_faults *faults)
{
    bool want = false;

    pthread_mutex_lock(&faults->lock);
    for (size_t i = 0; i < faults->len; i++)
        want = want || !strcmp(faults->items[i].type->name, "stale");
    pthread_mutex_unlock(&faults->lock);
    return want;
}

static bool matches_text(const struct json_object *match, const char *member, const char *text)
{
    const char *pattern = sim_json_str(match, member);

    return !*pattern || sim_text_match(pattern, text);
}

static bool matches(const struct sim_fault *fault, const struct sim_call *call)
{
    const struct json_object *match = sim_json_get(fault->spec, "match");
    struct json_object *params = sim_json_get(match, "params");

    if (!matches_text(match, "kind", call->kind) || !matches_text(match, "action", call->action) ||
        !matches_text(match, "node", call->node) || !matches_text(match, "key", call->key))
        return false;
    if (params) {
        json_object_object_foreach(params, name, value)
        {
            const char *is = sim_params_get(&call->params, name);

            if (!is || !sim_text_match(json_object_get_string(value), is))
                return false;
        }
    }
    return true;
}

static void add_events(struct json_object **events, const struct json_object *options)
{
    struct json_object *event = sim_json_get(options, "event");

    if (!*events)
        *events = json_object_new_array();
    if (event)
        json_object_array_add(*events, sim_json_copy(event));
    SIM_JSON_EACH(event, sim_json_array(options, "events"))
    json_object_array_add(*events, sim_json_copy(event));
}

static void add_to_plan(struct sim_plan *plan, const struct sim_fault_type *type,
                        const struct json_object *options)
{
    if (!strcmp(type->name, "latency")) {
        double *ms =
            strcmp(sim_json_str(options, "where"), "after") ? &plan->before_ms : &plan->after_ms;

        *ms += sim_json_num(options, "ms", 0);
    } else if (!strcmp(type->name, "skew")) {
        plan->skew_ms += (int64_t)(sim_json_num(options, "s", 0) * 1000);
    } else if (!strcmp(type->name, "op")) {
        bool before = !strcmp(sim_json_str(options, "when"), "before");

        add_events(before ? &plan->events_before : &plan->events_after, options);
    } else if (!strcmp(type->name, "steal")) {
        const char *eni = sim_json_str(options, "eni");

        snprintf(plan->thief, sizeof(plan->thief), "%s",
                 *eni ? eni : sim_json_str(options, "instance"));
        plan->steal_delay_ms = sim_json_int(options, "delay_ms", 0);
    } else { /* slow_drip */
        plan->drip_bytes = (size_t)sim_json_int(options, "bytes", 16);
        plan->drip_ms = sim_json_num(options, "ms", 10);
    }
}

void sim_faults_plan(struct sim_faults *faults, const struct sim_call *call,
                     struct sim_plan *ret_plan)
{
    struct sim_plan plan = {.fate = SIM_FATE_SERVE};

    pthread_mutex_lock(&faults->lock);
    for (size_t i = 0; i < faults->len; i++) {
        struct sim_fault *fault = &faults->items[i];
        const struct json_object *options = sim_json_get(fault->spec, "do");

        if (!matches(fault, call) || (plan.type && !fault->type->adds))
            continue;
        if (fault->seen++ < fault->skip || (fault->times && fault->acted >= fault->times))
            continue;
        fault->acted++;
        plan.name = fault->type->name;
        if (fault->type->adds) {
            add_to_plan(&plan, fault->type, options);
            continue;
        }
        plan.type = fault->type;
        plan.fate = fault->type->fate;
        plan.options = sim_json_copy(sim_json_get(fault->spec, "do"));
    }
    pthread_mutex_unlock(&faults->lock);
    if (plan.type)
        plan.name = plan.type->name;
    *ret_plan = plan;
}

void sim_plan_done(struct sim_plan *plan)
{
    json_object_put(plan->options);
    json_object_put(plan->events_before);
    json_object_put(plan->events_after);
}

void sim_plan_refuse(const struct sim_plan *plan, struct sim_world *world, struct sim_call *call,
                     struct sim_answer *answer)
{
    plan->type->refuse(plan->options, world, call, answer);
}

/* The first of these that an object has is its own id; the others are what it refers to. */
static bool is_named(const struct json_object *object, const char *id)
{
    static const char *const names[] = {
        "route_table_id",  "allocation_id", "network_interface_id", "association_id",
        "ipv4_gateway_id", "snat_entry_id", "nat_gateway_id",       "havip_id",
        "instance_id",     "destination",   "internet_gateway_id",  "subnet_id",
        "vswitch_id",      "vpc_id",
    };

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (sim_json_get(object, names[i]))
            return !strcmp(sim_json_str(object, names[i]), id);
    return false;
}

static void hide(struct json_object *tree, const char *id)
{
    if (json_object_is_type(tree, json_type_object)) {
        json_object_object_foreach(tree, name, value)
        {
            (void)name;
            hide(value, id);
        }
        return;
    }
    for (size_t i = sim_json_len(tree); i-- > 0;) {
        struct json_object *element = json_object_array_get_idx(tree, i);

        if (is_named(element, id))
            json_object_array_del_idx(tree, i, 1);
        else
            hide(element, id);
    }
}

struct json_object *sim_plan_view(const struct sim_plan *plan, struct sim_world *world,
                                  const struct sim_call *call)
{
    struct json_object *copy;

    if (!plan->type || (strncmp(call->action, "Describe", 8) && strncmp(call->action, "List", 4)))
        return NULL;
    if (!strcmp(plan->type->name, "stale") && world->previous) {
        int64_t limit_ms = sim_json_int(plan->options, "ms", 0);

        if (!limit_ms || sim_world_now_ms(world) - world->changed_ms <= limit_ms)
            world->doc = world->previous;
        return NULL;
    }
    if (strcmp(plan->type->name, "not_visible") != 0)
        return NULL;
    copy = sim_json_copy(world->live);
    hide(copy, sim_json_str(plan->options, "id"));
    world->doc = copy;
    return copy;
}

long sim_plan_spoil(const struct sim_plan *plan, struct sim_answer *answer)
{
    return plan->type && plan->type->spoil ? plan->type->spoil(plan->options, answer) : -1;
}
