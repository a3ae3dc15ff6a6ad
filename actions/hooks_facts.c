/* actions/hooks_facts.c - the document that a hook is told: one for all points, and what is not
 * known at a point is not in it. */
#include "actions/hooks.h"
#include "kit/base/str.h"
#include "kit/vip/where.h"

static void put(struct kit_json_writer *w, const char *key, const char *value)
{
    if (value && value[0])
        kit_json_put_string(w, key, value);
}

static void put_tags(struct kit_json_writer *w, const struct kit_facts *facts, const char *place)
{
    bool any = false;

    for (size_t i = 0; i < facts->tags; i++) {
        if (!kit_str_eq(facts->tag[i].place, place))
            continue;
        if (!any)
            kit_json_open(w, "tags", '{');
        any = true;
        kit_json_put_string(w, facts->tag[i].key, facts->tag[i].value);
    }
    if (any)
        kit_json_close(w);
}

static void put_bindings(struct kit_json_writer *w, const struct kit_facts *facts)
{
    static const char *const states[] = {"held",   "blackhole", "free",
                                         "absent", "missing",   "foreign"};

    kit_json_open(w, "bindings", '[');
    for (size_t i = 0; i < facts->count; i++) {
        const struct kit_binding *b = &facts->binding[i];

        kit_json_open(w, NULL, '{');
        kit_json_put_string(w, "place", b->place);
        kit_json_put_string(w, "state", states[b->state]);
        put(w, "holder", b->holder);
        put(w, "node", b->node);
        kit_json_put_bool(w, "mine", b->mine);
        kit_json_put_bool(w, "right", b->right);
        put_tags(w, facts, b->place);
        kit_json_close(w);
    }
    kit_json_close(w);
}

static void put_record(struct kit_json_writer *w, const struct kit_record *record)
{
    kit_json_put_bool(w, "in_service", record->in_service);
    if (!record->since_s) /* there is none yet */
        return;
    kit_json_put_int(w, "since", record->since_s);
    kit_json_put_int(w, "unknown_in_a_row", record->unknown_in_a_row);
    kit_json_open(w, "last", '{');
    kit_json_put_int(w, "checked", record->checked_s);
    put(w, "where", record->facts);
    kit_json_close(w);
}

static void put_error(struct kit_json_writer *w, const struct kit_err *err)
{
    kit_json_open(w, "error", '{');
    kit_json_put_string(w, "kind", kit_err_name(err->kind));
    put(w, "code", err->code);
    put(w, "request_id", err->request_id);
    kit_json_put_string(w, "message", err->msg);
    kit_json_close(w);
}

static void put_settings(struct kit_json_writer *w, const struct kit_settings *settings)
{
    static const enum kit_param told[] = {
        KIT_PARAM_PROVIDER,  KIT_PARAM_SCENARIO, KIT_PARAM_ADDRESS,
        KIT_PARAM_INTERFACE, KIT_PARAM_ENI,      KIT_PARAM_ALLOCATION_ID,
        KIT_PARAM_HAVIP_ID,  KIT_PARAM_VPC_ID,   KIT_PARAM_REGION};

    kit_json_put_string(w, "tag", settings->tag);
    for (size_t i = 0; i < KIT_LEN(told); i++)
        put(w, kit_param_info[told[i]].name, kit_settings_text(settings, told[i]));
}

void act_hook_facts(const struct act_hook_about *about, struct kit_buf *out)
{
    struct kit_json_writer w = {.out = out};

    kit_json_open(&w, NULL, '{');
    put(&w, "point", about->point);
    put(&w, "action", about->action);
    put(&w, "caller", about->caller);
    put_settings(&w, about->settings);
    kit_json_put_int(&w, "deadline_ms", about->deadline_ms);
    if (about->record)
        put_record(&w, about->record);
    if (about->facts) {
        put(&w, "me", about->facts->me);
        put(&w, "node", about->facts->my_node);
        kit_json_put_string(&w, "where",
                            kit_where_is(about->facts) == KIT_WHERE_HERE ? "here" : "elsewhere");
        kit_json_put_string(&w, "shape", kit_where_shape_name(kit_where_shape(about->facts)));
        put_bindings(&w, about->facts);
    }
    if (about->outcome) {
        kit_json_put_string(&w, "outcome", about->outcome);
        kit_json_put_int(&w, "status", about->status);
        kit_json_put_bool(&w, "changed", about->changed);
        kit_json_put_int(&w, "took_ms", about->took_ms);
    }
    if (about->err)
        put_error(&w, about->err);
    kit_json_close(&w);
}
