#include "sim_fault.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "sim_http.h"

typedef void refuse_fn(const struct json_object *options, struct sim_world *world,
                       struct sim_call *call, struct sim_answer *answer);
typedef long spoil_fn(const struct json_object *options, struct sim_answer *answer);

struct sim_fault_type {
    const char *name;
    enum sim_fate fate;
    bool adds;           /* does not decide; others may act as well */
    const char *options; /* the members that `do` may have beside `type`, words */
    refuse_fn *refuse;   /* for SIM_FATE_REFUSE */
    spoil_fn *spoil;     /* for SIM_FATE_SERVE */
};

static const char proxy_page[] = "<!DOCTYPE html>\n<html><head><title>Gateway</title></head>\n"
                                 "<body><h1>Something is in the way</h1><br>\n</body></html>\n";

static void set_body(struct sim_answer *answer, int status, const char *type, const char *body)
{
    answer->status = status;
    answer->content_type = type;
    sim_buf_clear(&answer->body);
    sim_buf_str(&answer->body, body);
}

static void refuse_throttle(const struct json_object *options, struct sim_world *world,
                            struct sim_call *call, struct sim_answer *answer)
{
    const char *code = sim_json_str(options, "code");

    call->cloud->refuse(world, call, "throttle", 0, *code ? code : NULL, NULL, answer);
    if (sim_json_get(options, "retry_after_s"))
        sim_answer_header(answer, "Retry-After", "%lld",
                          (long long)sim_json_int(options, "retry_after_s", 0));
}

static void refuse_error(const struct json_object *options, struct sim_world *world,
                         struct sim_call *call, struct sim_answer *answer)
{
    int status = (int)sim_json_int(options, "status", 400);
    const char *type = sim_json_str(options, "content_type");

    if (sim_json_get(options, "body"))
        set_body(answer, status, *type ? type : "text/plain", sim_json_str(options, "body"));
    else
        call->cloud->refuse(world, call, "error", status, sim_json_str(options, "code"),
                            sim_json_str(options, "message"), answer);
}

static void refuse_5xx(const struct json_object *options, int status, const char *code,
                       struct sim_world *world, struct sim_call *call, struct sim_answer *answer)
{
    const char *body = sim_json_str(options, "body");

    if (!strcmp(body, "empty"))
        set_body(answer, status, "text/plain", "");
    else if (!strcmp(body, "html"))
        set_body(answer, status, "text/html", proxy_page);
    else
        call->cloud->refuse(world, call, "error", status, code, "An internal error has occurred",
                            answer);
}

static void refuse_500(const struct json_object *options, struct sim_world *world,
                       struct sim_call *call, struct sim_answer *answer)
{
    refuse_5xx(options, 500, "InternalError", world, call, answer);
}

static void refuse_502(const struct json_object *options, struct sim_world *world,
                       struct sim_call *call, struct sim_answer *answer)
{
    refuse_5xx(options, 502, "BadGateway", world, call, answer);
}

static void refuse_503(const struct json_object *options, struct sim_world *world,
                       struct sim_call *call, struct sim_answer *answer)
{
    refuse_5xx(options, 503, "Unavailable", world, call, answer);
}

static void refuse_html(const struct json_object *options, struct sim_world *world,
                        struct sim_call *call, struct sim_answer *answer)
{
    (void)options, (void)world, (void)call;
    set_body(answer, 200, "text/html", proxy_page);
}

static void refuse_redirect(const struct json_object *options, struct sim_world *world,
                            struct sim_call *call, struct sim_answer *answer)
{
    const char *location = sim_json_str(options, "location");

    (void)world, (void)call;
    set_body(answer, (int)sim_json_int(options, "status", 307), "text/plain", "moved\n");
    sim_answer_header(answer, "Location", "%s", *location ? location : "http://192.0.2.1/");
}

static void refuse_deny(const struct json_object *options, struct sim_world *world,
                        struct sim_call *call, struct sim_answer *answer)
{
    (void)options;
    call->cloud->refuse(world, call, "deny", 0, NULL, NULL, answer);
}

static void refuse_expired(const struct json_object *options, struct sim_world *world,
                           struct sim_call *call, struct sim_answer *answer)
{
    (void)options;
    call->cloud->refuse(world, call, "expired", 0, NULL, NULL, answer);
}

static void refuse_imds(const struct json_object *options, struct sim_world *world,
                        struct sim_call *call, struct sim_answer *answer)
{
    const char *json = sim_json_str(options, "json");

    (void)world, (void)call;
    if (!strcmp(json, "error"))
        set_body(
            answer, 200, "text/plain",
            "{\"Code\": \"AssumeRoleUnauthorizedAccess\", \"Message\": \"EC2 cannot assume the "
            "role. Please see documentation.\", \"LastUpdated\": \"2026-01-01T00:00:00Z\"}\n");
    else if (!strcmp(json, "truncated"))
        set_body(answer, 200, "text/plain", "{\"Code\": \"Success\", \"AccessKeyId\": \"ASIA");
    else if (*json)
        set_body(answer, 200, "text/plain", "this is no JSON {{{\n");
    else
        set_body(answer, (int)sim_json_int(options, "status", 500), "text/plain", "");
}

static long spoil_truncate(const struct json_object *options, struct sim_answer *answer)
{
    size_t bytes = (size_t)sim_json_int(options, "bytes", (int64_t)answer->body.len / 2);

    return (long)(bytes < answer->body.len ? bytes : answer->body.len);
}

static long spoil_malformed(const struct json_object *options, struct sim_answer *answer)
{
    (void)options;
    answer->status = 200;
    if (answer->body.len > 20) {
        answer->body.len -= 20;
        answer->body.data[answer->body.len] = '\0';
    }
    sim_buf_str(&answer->body, "<&");
    return -1;
}

/* The declaration stays in front; the entity stands in the first element, as its first child. */
static long spoil_dtd(const struct json_object *options, struct sim_answer *answer)
{
    SIM_AUTO_BUF out = {0};
    const char *text = sim_buf_text(&answer->body);
    const char *root = strstr(text, "?>");
    const char *inside;

    (void)options;
    root = strchr(root ? root : text, '<');
    inside = root ? strchr(root, '>') : NULL;
    if (!inside)
        return -1;
    sim_buf_str(&out,
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!DOCTYPE r [ <!ENTITY a \"aaaa\"> "
                "<!ENTITY b SYSTEM \"file:///etc/hostname\"> ]>\n");
    sim_buf_add(&out, root, (size_t)(inside + 1 - root));
    sim_buf_str(&out, "<note>&a;&b;</note>");
    sim_buf_str(&out, inside + 1);
    answer->status = 200;
    sim_buf_clear(&answer->body);
    sim_buf_add(&answer->body, out.data, out.len);
    return -1;
}

static long spoil_big(const struct json_object *options, struct sim_answer *answer)
{
    static const char blanks[] =
        "                                                               \n";
    size_t bytes = (size_t)sim_json_int(options, "bytes", 2 * 1024 * 1024);

    answer->status = 200;
    while (answer->body.len < bytes && answer->body.len < SIM_CONTROL_MAX_BYTES)
        sim_buf_add(&answer->body, blanks, sizeof(blanks) - 1);
    return -1;
}

static const struct sim_fault_type types[] = {
    {"throttle", SIM_FATE_REFUSE, false, "retry_after_s code", refuse_throttle, NULL},
    {"error", SIM_FATE_REFUSE, false, "status code message body content_type", refuse_error, NULL},
    {"http_500", SIM_FATE_REFUSE, false, "body", refuse_500, NULL},
    {"http_502", SIM_FATE_REFUSE, false, "body", refuse_502, NULL},
    {"http_503", SIM_FATE_REFUSE, false, "body", refuse_503, NULL},
    {"reset", SIM_FATE_RESET, false, "", NULL, NULL},
    {"hang", SIM_FATE_HANG, false, "", NULL, NULL},
    {"lost_answer", SIM_FATE_LOSE, false, "", NULL, NULL},
    {"lost_timeout", SIM_FATE_LOSE_LATE, false, "", NULL, NULL},
    {"latency", SIM_FATE_SERVE, true, "ms where", NULL, NULL},
    {"truncate", SIM_FATE_SERVE, false, "bytes", NULL, spoil_truncate},
    {"malformed", SIM_FATE_SERVE, false, "", NULL, spoil_malformed},
    {"html_200", SIM_FATE_REFUSE, false, "", refuse_html, NULL},
    {"dtd", SIM_FATE_SERVE, false, "", NULL, spoil_dtd},
    {"big_body", SIM_FATE_SERVE, false, "bytes", NULL, spoil_big},
    {"redirect", SIM_FATE_REFUSE, false, "location status", refuse_redirect, NULL},
    {"stale", SIM_FATE_SERVE, false, "ms", NULL, NULL},
    {"not_visible", SIM_FATE_SERVE, false, "id", NULL, NULL},
    {"deny", SIM_FATE_REFUSE, false, "", refuse_deny, NULL},
    {"expired_token", SIM_FATE_REFUSE, false, "", refuse_expired, NULL},
    {"skew", SIM_FATE_SERVE, true, "s", NULL, NULL},
    {"bad_imds", SIM_FATE_REFUSE, false, "status json", refuse_imds, NULL},
    {"op", SIM_FATE_SERVE, true, "event events when", NULL, NULL},
    {"steal", SIM_FATE_SERVE, true, "eni delay_ms", NULL, NULL},
    {"slow_drip", SIM_FATE_SERVE, true, "bytes ms", NULL, NULL},
};

static const struct sim_fault_type *find_type(const char *name)
{
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
        if (!strcmp(types[i].name, name))
            return &types[i];
    return NULL;
}

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
        .type = find_type(sim_json_str(act, "type")),
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
        snprintf(plan->steal_eni, sizeof(plan->steal_eni), "%s", sim_json_str(options, "eni"));
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
        "route_table_id", "allocation_id", "network_interface_id",
        "association_id", "instance_id",   "internet_gateway_id",
        "destination",    "subnet_id",     "vpc_id",
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

    if (!plan->type || strncmp(call->action, "Describe", 8))
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
