#include "actions/ctl/survey.h"

#include <stdio.h>
#include <stdlib.h>

#include "actions/manager/person.h"
#include "kit/base/str.h"
#include "kit/conf/check.h"
#include "kit/sys/link.h"

static void row_failed(struct ctl_row *row, const struct kit_err *err)
{
    row->failed = true;
    row->asked = true;
    row->err = *err;
}

static bool is_of(const struct ctl_row *row, const struct ctl_row *first)
{
    return !row->asked && kit_settings_same_session(&row->settings, &first->settings) &&
           kit_str_eq(kit_settings_text(&row->settings, KIT_PARAM_SCENARIO),
                      kit_settings_text(&first->settings, KIT_PARAM_SCENARIO));
}

/* HERE is worth nothing on an interface that is down. */
static void look_at_nic(struct ctl_row *row)
{
    const char *name = kit_settings_text(&row->settings, KIT_PARAM_INTERFACE);
    struct kit_link link;
    struct kit_err err;

    if (row->failed || row->nic[0] || !(row->mover->nic_serves || row->has_local) || !name ||
        kit_where_is(&row->facts) != KIT_WHERE_HERE)
        return;
    if (kit_link_read(name, &link, &err))
        (void)kit_str_format(row->nic, sizeof(row->nic), " - interface %s is gone", name);
    else if (!link.up || !link.running)
        (void)kit_str_format(row->nic, sizeof(row->nic), " - interface %s is %s", name,
                             link.up ? "up but has no carrier" : "down");
}

/* The site's choice among the route tables holds for whoever looks. */
static void choose_tables(const struct ctl *ctl, struct ctl_row *row, struct kit_deadline by)
{
    const struct act_log log = {.action = "cloudvip", .tag = row->settings.tag};
    struct act_choice choice = {.hooks = &row->hooks,
                                .log = ctl->verbose ? &log : NULL,
                                .clock = ctl->clock,
                                .by = by,
                                .about = {.action = "check",
                                          .caller = act_manager_person.name,
                                          .settings = &row->settings,
                                          .record = &row->record}};
    struct kit_err err;

    if (!row->failed && act_choice_is_wanted(&row->hooks) && act_choose(&choice, &row->facts, &err))
        row_failed(row, &err);
    act_choice_done(&choice);
}

/* Nor where the address is not on its interface. */
static void look_at_local(struct ctl_row *row)
{
    char text[KIT_ADDR_TEXT];
    struct kit_err err;

    if (!kit_local_expected(&row->settings, &row->record, &row->local))
        return;
    if (kit_local_look(&row->local, &row->local_state, &err)) {
        ctl_complain(row->settings.tag, &err);
        return;
    }
    row->has_local = true;
    if (row->local_state != KIT_LOCAL_UP)
        (void)kit_str_format(row->nic, sizeof(row->nic), " - %s is not on %s%s",
                             kit_local_text(&row->local, text), row->local.interface,
                             row->local_state == KIT_LOCAL_GONE ? ", which is gone" : "");
}

/* Everything that can be asked together with `first`. */
static void ask_group(const struct ctl *ctl, struct ctl_survey *survey, struct ctl_row *first,
                      bool for_plan)
{
    struct kit_deadline by = kit_deadline_in_ms(
        ctl->clock, 1000 * kit_settings_number(&first->settings, KIT_PARAM_QUICKCHECK_TIMEOUT));
    struct kit_query *query = kit_mem_new(survey->count, sizeof(*query));
    struct ctl_row **row = kit_mem_new(survey->count, sizeof(struct ctl_row *));
    struct act_session session;
    size_t count = 0;
    struct kit_err err;

    if (act_session_open(&first->settings, ctl->clock, ACT_TRIES_CHECK, by, &session, &err)) {
        row_failed(first, &err);
        goto out;
    }
    for (struct ctl_row *r = first; r < survey->row + survey->count; r++) {
        if (!is_of(r, first))
            continue;
        r->mover = session.mover;
        if (kit_conf_check(&r->settings, r->mover->params, r->mover->params_count, &err)) {
            row_failed(r, &err);
            continue;
        }
        act_hooks_open(&r->hooks, &r->settings);
        row[count] = r;
        query[count++] = (struct kit_query){.settings = &r->settings,
                                            .for_claim = for_plan,
                                            .for_advice = for_plan,
                                            .with_tags = act_choice_is_wanted(&r->hooks)};
    }
    bool failed = session.mover->locate(session.cloud, query, count, by, &err) != 0;
    for (size_t i = 0; i < count; i++) {
        row[i]->asked = true;
        row[i]->facts = query[i].facts;
        if (failed || query[i].failed)
            row_failed(row[i], failed ? &err : &query[i].err);
        choose_tables(ctl, row[i], by);
        look_at_nic(row[i]);
    }
    kit_call_stats_add(&survey->stats, &session.caller.stats);
    act_session_done(&session);
out:
    free(row);
    free(query);
}

static bool wanted(const struct ctl *ctl, const char *tag)
{
    for (size_t i = 0; i < ctl->tags; i++)
        if (kit_str_eq(ctl->tag[i], tag))
            return true;
    return ctl->tags == 0;
}

static void add_row(struct ctl_survey *survey, const struct kit_conf *conf, const char *tag)
{
    struct ctl_row *row = &survey->row[survey->count++];
    struct kit_err err;

    if (kit_conf_settings(conf, tag, NULL, 0, &row->settings, &err)) {
        kit_settings_init(&row->settings, tag);
        row_failed(row, &err);
    }
    if (kit_record_read(tag, &row->record, &err))
        ctl_complain(tag, &err); /* it counts as none */
    look_at_local(row);
}

static void add_rows(const struct ctl *ctl, struct ctl_survey *survey, const struct kit_conf *conf)
{
    survey->row = kit_mem_new(kit_conf_count(conf) + ctl->tags, sizeof(*survey->row));
    for (size_t i = 0; i < kit_conf_count(conf); i++)
        if (wanted(ctl, kit_conf_tag(conf, i)))
            add_row(survey, conf, kit_conf_tag(conf, i));
    /* A tag that no file has gets a row, too: its error says which there are. */
    for (size_t t = 0; t < ctl->tags; t++) {
        bool there = false;
        for (size_t i = 0; i < survey->count; i++)
            there = there || kit_str_eq(survey->row[i].settings.tag, ctl->tag[t]);
        if (!there)
            add_row(survey, conf, ctl->tag[t]);
    }
    for (size_t i = 0; i < kit_conf_broken_count(conf) && !ctl->tags; i++) {
        ctl_complain(NULL, kit_conf_broken(conf, i));
        survey->broken = CTL_CONFIG;
    }
}

int ctl_survey(const struct ctl *ctl, bool for_plan, struct ctl_survey *ret_survey,
               struct kit_err *err)
{
    struct ctl_survey survey = {.broken = CTL_RIGHT};
    struct kit_conf *conf;

    if (kit_conf_load(act_confdir(ctl->confdir), &conf, err))
        return -1;
    add_rows(ctl, &survey, conf);
    kit_conf_free(conf);
    if (!survey.count) {
        ctl_survey_done(&survey);
        return kit_err_set(err, KIT_ERR_CONFIG, "no usable resource in %s/resources.d",
                           act_confdir(ctl->confdir));
    }
    for (size_t i = 0; i < survey.count; i++)
        if (!survey.row[i].asked)
            ask_group(ctl, &survey, &survey.row[i], for_plan);
    *ret_survey = survey;
    return 0;
}

void ctl_survey_done(struct ctl_survey *survey)
{
    for (size_t i = 0; i < survey->count; i++) {
        kit_facts_done(&survey->row[i].facts);
        act_hooks_done(&survey->row[i].hooks);
        kit_settings_done(&survey->row[i].settings);
    }
    free(survey->row);
    *survey = (struct ctl_survey){0};
}

enum ctl_status ctl_row_status(const struct ctl_row *row)
{
    if (row->has_local && row->local_state != KIT_LOCAL_UP)
        return CTL_WRONG;
    if (row->failed)
        return ctl_status_of(&row->err);
    switch (kit_where_shape(&row->facts)) {
    case KIT_SHAPE_HERE: return row->nic[0] ? CTL_WRONG : CTL_RIGHT;
    case KIT_SHAPE_ONE_OTHER: return row->record.in_service ? CTL_WRONG : CTL_RIGHT;
    default: return CTL_WRONG;
    }
}

const char *ctl_row_word(const struct ctl_row *row)
{
    return row->failed ? "unknown" : kit_where_shape_name(kit_where_shape(&row->facts));
}

const char *ctl_row_address(const struct ctl_row *row)
{
    static const enum kit_param names[] = {KIT_PARAM_ADDRESS, KIT_PARAM_ALLOCATION_ID,
                                           KIT_PARAM_HAVIP_ID, KIT_PARAM_ENI};

    for (size_t i = 0; i < KIT_LEN(names); i++)
        if (kit_settings_text(&row->settings, names[i]))
            return kit_settings_text(&row->settings, names[i]);
    return "-";
}

static const char *state_name(enum kit_binding_state state)
{
    static const char *const names[] = {"held",   "blackhole", "free",
                                        "absent", "missing",   "foreign"};

    return names[state];
}

static const char *or_null(const char *text)
{
    return text[0] ? text : NULL;
}

static void bindings_json(const struct kit_facts *facts, struct kit_json_writer *w)
{
    kit_json_open(w, "bindings", '[');
    for (size_t i = 0; i < facts->count; i++) {
        const struct kit_binding *b = &facts->binding[i];

        kit_json_open(w, NULL, '{');
        kit_json_put_string(w, "place", b->place);
        kit_json_put_string(w, "state", state_name(b->state));
        kit_json_put_string(w, "holder", or_null(b->holder));
        kit_json_put_string(w, "node", or_null(b->node));
        kit_json_put_bool(w, "here", b->right);
        kit_json_close(w);
    }
    kit_json_close(w);
}

static void local_json(const struct ctl_row *row, struct kit_json_writer *w)
{
    static const char *const states[] = {"up", "missing", "gone"};
    char text[KIT_ADDR_TEXT];

    if (!row->has_local) {
        kit_json_put_string(w, "local", NULL);
        return;
    }
    kit_json_open(w, "local", '{');
    kit_json_put_string(w, "interface", row->local.interface);
    kit_json_put_string(w, "address", kit_local_text(&row->local, text));
    kit_json_put_string(w, "state", states[row->local_state]);
    kit_json_put_bool(w, "ours", row->record.local_ours);
    kit_json_close(w);
}

void ctl_row_json(const struct ctl_row *row, struct kit_json_writer *w)
{
    kit_json_put_string(w, "tag", row->settings.tag);
    kit_json_put_string(w, "scenario", kit_settings_text(&row->settings, KIT_PARAM_SCENARIO));
    kit_json_put_string(w, "address", kit_settings_text(&row->settings, KIT_PARAM_ADDRESS));
    kit_json_put_string(w, "state", ctl_row_word(row));
    kit_json_put_bool(w, "ok", ctl_row_status(row) == CTL_RIGHT);
    kit_json_put_bool(w, "in_service", row->record.in_service);
    kit_json_put_int(w, "since", row->record.since_s);
    local_json(row, w);
    if (row->failed) {
        ctl_err_json(&row->err, w);
        return;
    }
    kit_json_put_string(w, "me", or_null(row->facts.me));
    bindings_json(&row->facts, w);
}

void ctl_flush_json(struct kit_json_writer *w)
{
    (void)fwrite(w->out->data, 1, w->out->len_bytes, stdout);
    if (w->out->overflow)
        (void)fputs("cloudvip: a result was too large, its JSON is not whole\n", stderr);
    kit_buf_reset(w->out);
}
