/* actions/ctl/check.c - `cloudvip check`: is each address served, seen from here? */
#include <stdio.h>
#include <string.h>

#include "actions/ctl/survey.h"
#include "actions/ctl/prometheus.h"
#include "kit/base/str.h"

static enum ctl_status sum_of(const struct ctl_survey *survey)
{
    enum ctl_status status = survey->broken;

    for (size_t i = 0; i < survey->count; i++)
        status = ctl_worse(status, ctl_row_status(&survey->row[i]));
    return status;
}

static const char *colour_of(const struct ctl *ctl, enum ctl_status status)
{
    if (!ctl->colour)
        return "";
    return status == CTL_RIGHT ? "\033[32m" : status == CTL_WRONG ? "\033[1;31m" : "\033[33m";
}

static int width(const struct ctl_survey *survey, bool address)
{
    size_t widest = address ? strlen("ADDRESS") : strlen("TAG");

    for (size_t i = 0; i < survey->count; i++) {
        const struct ctl_row *row = &survey->row[i];
        size_t len = strlen(address ? ctl_row_address(row) : row->settings.tag);
        if (len > widest)
            widest = len;
    }
    return widest > 60 ? 60 : (int)widest;
}

static void print_table(const struct ctl *ctl, const struct ctl_survey *survey)
{
    int tag = width(survey, false), address = width(survey, true);

    (void)printf("%-*s  %-*s  %-11s  %-9s  %s\n", tag, "TAG", address, "ADDRESS", "SCENARIO",
                 "STATE", "DETAIL");
    for (size_t i = 0; i < survey->count; i++) {
        const struct ctl_row *row = &survey->row[i];
        const char *scenario = kit_settings_text(&row->settings, KIT_PARAM_SCENARIO);
        enum ctl_status status = ctl_row_status(row);
        KIT_AUTO(kit_buf) detail = KIT_BUF(1024);

        if (row->failed)
            (void)kit_buf_puts(&detail, row->err.msg);
        else
            kit_where_describe(&row->facts, &detail);
        kit_str_make_printable(detail.data);
        (void)printf("%-*s  %-*s  %-11s  %s%-9s%s  %s%s\n", tag, row->settings.tag, address,
                     ctl_row_address(row), scenario ? scenario : "-", colour_of(ctl, status),
                     ctl_row_word(row), ctl->colour ? "\033[0m" : "", detail.data,
                     row->nic[0] ? row->nic
                     : status == CTL_WRONG && row->record.in_service
                         ? " - should be in service here"
                         : "");
    }
    if (ctl->verbose)
        (void)fprintf(stderr, "cloudvip: API calls: %u, rounds: %u, metadata requests: %u\n",
                      survey->stats.calls, survey->stats.rounds, survey->stats.metadata);
}

static void print_json(const struct ctl_survey *survey, enum ctl_status status)
{
    KIT_AUTO(kit_buf) text = KIT_BUF(CTL_ROW_BYTES);
    struct kit_json_writer w = {.out = &text, .pretty = true};

    kit_json_open(&w, NULL, '{');
    kit_json_put_int(&w, "status", status);
    kit_json_put_int(&w, "api_calls", survey->stats.calls);
    kit_json_open(&w, "resources", '[');
    for (size_t i = 0; i < survey->count; i++) {
        kit_json_open(&w, NULL, '{');
        ctl_row_json(&survey->row[i], &w);
        kit_json_close(&w);
        ctl_flush_json(&w);
    }
    kit_json_close(&w);
    kit_json_close(&w);
    (void)kit_buf_putc(&text, '\n');
    ctl_flush_json(&w);
}

int ctl_check(struct ctl *ctl)
{
    struct ctl_survey survey;
    enum ctl_status status;
    struct kit_err err;

    if (ctl_survey(ctl, false, &survey, &err))
        return (int)ctl_fail(ctl, &err);
    status = sum_of(&survey);
    if (ctl->json)
        print_json(&survey, status);
    else
        print_table(ctl, &survey);
    if (ctl->prometheus && ctl_prometheus(ctl, &survey, &err)) {
        ctl_complain(NULL, &err);
        status = ctl_worse(status, CTL_CONFIG);
    }
    ctl_survey_done(&survey);
    return status;
}
