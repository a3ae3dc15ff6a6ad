#include "actions/ctl/prometheus.h"

#include "kit/base/str.h"
#include "kit/sys/file.h"

#define METRICS_BYTES (8u * 1024 * 1024)

/* Label values may hold anything but these three bare. */
static void put_label(struct kit_buf *out, const char *name, const char *value)
{
    (void)kit_buf_printf(out, "%s=\"", name);
    for (; *value; value++) {
        if (*value == '\\' || *value == '"')
            (void)kit_buf_putc(out, '\\');
        (void)kit_buf_putc(out, *value == '\n' ? ' ' : *value);
    }
    (void)kit_buf_putc(out, '"');
}

static void put_sample(struct kit_buf *out, const char *metric, const struct ctl_row *row,
                       const char *state, int64_t value)
{
    const char *scenario = kit_settings_text(&row->settings, KIT_PARAM_SCENARIO);

    (void)kit_buf_printf(out, "%s{", metric);
    put_label(out, "tag", row->settings.tag);
    (void)kit_buf_putc(out, ',');
    put_label(out, "scenario", scenario ? scenario : "");
    (void)kit_buf_putc(out, ',');
    put_label(out, "address", ctl_row_address(row));
    if (state) {
        (void)kit_buf_putc(out, ',');
        put_label(out, "state", state);
    }
    (void)kit_buf_printf(out, "} %lld\n", (long long)value);
}

static void put_head(struct kit_buf *out, const char *metric, const char *help)
{
    (void)kit_buf_printf(out, "# HELP %s %s\n# TYPE %s gauge\n", metric, help, metric);
}

int ctl_prometheus(const struct ctl *ctl, const struct ctl_survey *survey, struct kit_err *err)
{
    KIT_AUTO(kit_buf) out = KIT_BUF(METRICS_BYTES);

    put_head(&out, "cloudvip_ok", "1: the address is served as it should be, seen from this node.");
    for (size_t i = 0; i < survey->count; i++)
        put_sample(&out, "cloudvip_ok", &survey->row[i], NULL,
                   ctl_row_status(&survey->row[i]) == CTL_RIGHT);
    put_head(&out, "cloudvip_known", "0: the cloud could not be asked.");
    for (size_t i = 0; i < survey->count; i++)
        put_sample(&out, "cloudvip_known", &survey->row[i], NULL, !survey->row[i].failed);
    put_head(&out, "cloudvip_state", "1 with the state that the address is in.");
    for (size_t i = 0; i < survey->count; i++)
        put_sample(&out, "cloudvip_state", &survey->row[i], ctl_row_word(&survey->row[i]), 1);
    put_head(&out, "cloudvip_in_service", "1: this node's record says in service.");
    for (size_t i = 0; i < survey->count; i++)
        put_sample(&out, "cloudvip_in_service", &survey->row[i], NULL,
                   survey->row[i].record.in_service);
    put_head(&out, "cloudvip_api_calls", "API calls that this check took.");
    (void)kit_buf_printf(&out, "cloudvip_api_calls %u\n", survey->stats.calls);
    put_head(&out, "cloudvip_checked_seconds", "Unix time of this check.");
    (void)kit_buf_printf(&out, "cloudvip_checked_seconds %lld\n",
                         (long long)(kit_clock_wall_ns(ctl->clock) / KIT_NS_PER_S));
    if (kit_buf_check(&out, "the metrics", err))
        return -1;
    return kit_file_write(ctl->prometheus, out.data, out.len_bytes, 0644, false, err);
}
