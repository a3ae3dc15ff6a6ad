/* actions/ctl/status.c - `cloudvip status`: where each address is, on which node, since when,
 * binding by binding. */
#include <stdio.h>
#include <string.h>

#include "actions/ctl/survey.h"
#include "kit/base/str.h"
#include "kit/fmt/time.h"

static void print_record(const struct ctl_row *row)
{
    char since[KIT_TIME_TEXT];

    if (!row->record.known) {
        (void)puts("  record    none: no action ran here since the boot");
        return;
    }
    (void)printf("  record    %s here since %s (%s)\n",
                 row->record.in_service ? "in service" : "not in service",
                 kit_time_iso(row->record.since_s, since), row->record.action);
}

static void print_local(const struct ctl_row *row)
{
    char text[KIT_ADDR_TEXT];

    if (row->has_local && row->local_state == KIT_LOCAL_UP)
        (void)printf("  address   %s is on %s, put there by %s\n",
                     kit_local_text(&row->local, text), row->local.interface,
                     row->record.local_ours ? "restore" : "another process");
}

static const char *sign_of(const struct kit_binding *b)
{
    if (b->right)
        return "*";
    return b->state == KIT_BINDING_HELD ? " " : "!";
}

static void print_binding(const struct kit_binding *b)
{
    (void)printf("  %s %-24s", sign_of(b), b->place);
    switch (b->state) {
    case KIT_BINDING_HELD: break;
    case KIT_BINDING_BLACKHOLE: (void)printf(" blackhole:"); break;
    case KIT_BINDING_FREE: (void)printf(" bound to nobody"); break;
    case KIT_BINDING_ABSENT:
    case KIT_BINDING_MISSING: (void)printf(" no route"); break;
    case KIT_BINDING_FOREIGN: (void)printf(b->node[0] ? " never taken:" : " no node:"); break;
    }
    if (b->holder[0])
        (void)printf(" %s", b->holder);
    if (b->node[0] && !kit_str_eq(b->node, b->holder))
        (void)printf(b->holder[0] ? " (%s)" : " %s", b->node);
    if (b->detail[0])
        (void)printf(" at %s", b->detail);
    (void)puts(b->mine ? (b->right ? "  this node" : "  this node, not as configured") : "");
}

static void print_me(const struct kit_facts *facts)
{
    bool both = facts->my_node[0] && !kit_str_eq(facts->my_node, facts->me);

    (void)printf("  this node %s%s%s%s\n", facts->me, both ? " (" : "", both ? facts->my_node : "",
                 both ? ")" : "");
}

static void print_row(const struct ctl_row *row)
{
    const char *scenario = kit_settings_text(&row->settings, KIT_PARAM_SCENARIO);

    (void)printf("%s  %s  %s  %s\n", row->settings.tag, ctl_row_address(row),
                 scenario ? scenario : "-", ctl_row_word(row));
    if (row->facts.me[0])
        print_me(&row->facts);
    print_record(row);
    print_local(row);
    if (row->failed)
        (void)printf("  ! not known: %s\n", row->err.msg);
    for (size_t i = 0; !row->failed && i < row->facts.count; i++)
        print_binding(&row->facts.binding[i]);
    if (row->nic[0])
        (void)printf("  !%s\n", row->nic + strlen(" -"));
    if (!row->failed && !row->facts.count)
        (void)puts("  ! nothing in the cloud carries it");
}

static void print_json(const struct ctl_survey *survey)
{
    KIT_AUTO(kit_buf) text = KIT_BUF(CTL_ROW_BYTES);
    struct kit_json_writer w = {.out = &text, .pretty = true};

    kit_json_open(&w, NULL, '[');
    for (size_t i = 0; i < survey->count; i++) {
        kit_json_open(&w, NULL, '{');
        ctl_row_json(&survey->row[i], &w);
        kit_json_close(&w);
        ctl_flush_json(&w);
    }
    kit_json_close(&w);
    (void)kit_buf_putc(&text, '\n');
    ctl_flush_json(&w);
}

int ctl_status(struct ctl *ctl)
{
    struct ctl_survey survey;
    enum ctl_status status;
    struct kit_err err;

    if (ctl_survey(ctl, false, &survey, &err))
        return (int)ctl_fail(ctl, &err);
    status = survey.broken;
    for (size_t i = 0; i < survey.count; i++) {
        if (survey.row[i].failed)
            status = ctl_worse(status, ctl_status_of(&survey.row[i].err));
        if (!ctl->json)
            print_row(&survey.row[i]);
    }
    if (ctl->json)
        print_json(&survey);
    ctl_survey_done(&survey);
    return status;
}
