/* actions/ctl/plan.c - `cloudvip plan TAG`: what restore would change here, as a diff, changing
 * nothing. */
#include <stdio.h>

#include "actions/ctl/survey.h"
#include "kit/base/str.h"

static char sign_of(const struct kit_step *step)
{
    return step->binding && step->binding->state == KIT_BINDING_ABSENT ? '+' : '~';
}

static void print_rules(const struct kit_facts *facts)
{
    for (size_t i = 0; i < facts->breaches; i++)
        (void)printf("  ! rule %u: %s: %s; %s\n", facts->breach[i].rule->number,
                     facts->breach[i].detail, facts->breach[i].rule->means,
                     facts->breach[i].rule->remedy);
    for (size_t i = 0; i < facts->unknowns; i++)
        (void)printf("  ? rule %u: could not be checked: %s\n", facts->unknown[i].rule->number,
                     facts->unknown[i].detail);
}

/* What restore would do on this host, for a person. */
struct local_plan {
    struct kit_local at;
    bool wanted, found, up;
    const char *why; /* unless found */
};

static int plan_local(const struct ctl_row *row, struct local_plan *ret_plan, struct kit_err *err)
{
    struct local_plan p = {.wanted = kit_local_wanted(&row->settings, true)};
    enum kit_local_state state = KIT_LOCAL_MISSING;
    int found;

    /* A HAVIP's address is part of the mover's claim, and in its plan. */
    p.wanted = p.wanted && kit_local_role(&row->settings) != KIT_LOCAL_CLAIM;
    found = p.wanted ? kit_local_place(&row->settings, &row->facts, &p.at, &p.why, err) : 0;
    if (found > 0 && !p.at.addr.family) {
        p.why = "its mask is told when the cloud points here";
        found = 0;
    }
    if (found < 0 || (found && kit_local_look(&p.at, &state, err)))
        return -1;
    p.found = found;
    p.up = state == KIT_LOCAL_UP;
    *ret_plan = p;
    return 0;
}

static void describe_local(const struct local_plan *p, struct kit_buf *out)
{
    char text[KIT_ADDR_TEXT];

    (void)kit_buf_printf(out, "%s: %s/%u", p->at.interface, kit_local_text(&p->at, text),
                         p->at.addr.prefix_len);
}

static void print_local(const struct local_plan *p)
{
    KIT_AUTO(kit_buf) line = KIT_BUF(128);

    if (p->found) {
        describe_local(p, &line);
        (void)printf("  %c %s\n", p->up ? '=' : '+', line.data);
    } else if (p->wanted) {
        (void)printf("  ! the address is put on no interface yet: %s\n", p->why);
    }
}

static void print_plan(const struct ctl_row *row, const struct kit_plan *plan,
                       const struct local_plan *local)
{
    size_t count = plan->count + (local->found && !local->up ? 1 : 0);

    (void)printf("%s  %s  %s\n", row->settings.tag, ctl_row_address(row), row->mover->scenario);
    for (size_t i = 0; i < row->facts.count; i++)
        if (row->facts.binding[i].right)
            (void)printf("  = %s: %s\n", row->facts.binding[i].place, row->facts.me);
    for (size_t i = 0; i < plan->count; i++) {
        KIT_AUTO(kit_buf) line = KIT_BUF(512);
        kit_plan_describe(&plan->step[i], &row->facts, &line);
        (void)printf("  %c %s\n", sign_of(&plan->step[i]), line.data);
    }
    print_local(local);
    print_rules(&row->facts);
    (void)printf(count ? "%zu to change\n" : "nothing to change: the address is here\n", count);
}

static void rules_json(const char *state, const struct kit_breach *list, size_t count,
                       struct kit_json_writer *w)
{
    for (size_t i = 0; i < count; i++) {
        const struct kit_rule *rule = list[i].rule;

        kit_json_open(w, NULL, '{');
        kit_json_put_int(w, "rule", rule->number);
        kit_json_put_string(w, "state", state);
        kit_json_put_string(w, "level", rule->level == KIT_RULE_REFUSE ? "refuse" : "warn");
        kit_json_put_string(w, "detail", list[i].detail);
        kit_json_put_string(w, "means", rule->means);
        kit_json_put_string(w, "remedy", rule->remedy);
        kit_json_close(w);
    }
}

static void change_json(const char *place, const char *change, struct kit_json_writer *w)
{
    kit_json_open(w, NULL, '{');
    kit_json_put_string(w, "place", place);
    kit_json_put_string(w, "change", change);
    kit_json_close(w);
}

static void plan_json(const struct ctl_row *row, const struct kit_plan *plan,
                      const struct local_plan *local, const struct kit_err *refused)
{
    KIT_AUTO(kit_buf) text = KIT_BUF(1024u * 1024);
    struct kit_json_writer w = {.out = &text, .pretty = true};

    kit_json_open(&w, NULL, '{');
    ctl_row_json(row, &w);
    kit_json_put_string(&w, "refused", refused ? refused->msg : NULL);
    kit_json_open(&w, "changes", '[');
    for (size_t i = 0; i < plan->count; i++) {
        KIT_AUTO(kit_buf) line = KIT_BUF(512);
        kit_plan_describe(&plan->step[i], &row->facts, &line);
        change_json(kit_step_place(&plan->step[i]), line.data, &w);
    }
    if (!refused && local->found && !local->up) {
        KIT_AUTO(kit_buf) line = KIT_BUF(128);
        describe_local(local, &line);
        change_json(local->at.interface, line.data, &w);
    }
    kit_json_close(&w);
    kit_json_open(&w, "rules", '[');
    rules_json("broken", row->facts.breach, row->facts.breaches, &w);
    rules_json("not-known", row->facts.unknown, row->facts.unknowns, &w);
    kit_json_close(&w);
    kit_json_close(&w);
    (void)puts(text.data);
}

static enum ctl_status plan_row(const struct ctl *ctl, const struct ctl_row *row)
{
    struct kit_plan plan = {0};
    struct local_plan local = {0};
    struct kit_err err = row->err;
    bool refused = false;

    if (!row->failed)
        refused = kit_plan_claim(&row->facts, &plan, &err) || plan_local(row, &local, &err);
    if (ctl->json)
        plan_json(row, &plan, &local, refused ? &err : NULL);
    else if (!row->failed && !refused)
        print_plan(row, &plan, &local);
    if (row->failed || refused)
        ctl_complain(row->settings.tag, &err);
    kit_plan_done(&plan);
    return row->failed || refused ? ctl_status_of(&err) : CTL_RIGHT;
}

int ctl_plan(struct ctl *ctl)
{
    struct ctl_survey survey;
    enum ctl_status status;
    struct kit_err err;

    if (ctl->tags != 1) {
        (void)fputs("cloudvip: plan takes one TAG\n", stderr);
        return CTL_USAGE;
    }
    if (ctl_survey(ctl, true, &survey, &err))
        return (int)ctl_fail(ctl, &err);
    status = plan_row(ctl, &survey.row[0]);
    ctl_survey_done(&survey);
    return status;
}
