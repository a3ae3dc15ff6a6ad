/* actions/manager/lifekeeper.c - LifeKeeper for Linux. */
#include "actions/manager/lifekeeper.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "actions/manager/lcdi.h"
#include "kit/base/mem.h"
#include "kit/base/str.h"
#include "kit/sys/file.h"

#define DEFAULTS_FILE "/etc/default/LifeKeeper"
/* LifeKeeper ships a few KiB of tunables. */
#define DEFAULTS_BYTES (256u * 1024)
/* One instance is a few hundred bytes. */
#define INS_LIST_BYTES (64u * 1024)
/* Half of quickCheck's usual limit: the cloud has to be asked in what is left. */
#define INS_LIST_LIMIT_MS 10000
#define TIMEOUT_MAX_S     86400
/* What LifeKeeper gives the check of a generic application. */
#define GENERIC_CHECK_S 22
/* To hear that an event could not be raised; the recovery that it begins may take minutes.  No
 * longer than the check itself may, but a moment in any case. */
#define EVENT_MS       15000
#define EVENT_LEAST_MS 1000

/* ---- /etc/default/LifeKeeper ----------------------------------------------------------------- */

/* The value that begins at `at`, as a shell would see it without expanding anything. */
static bool take_value(const char *at, const char *end, char *ret_value, size_t value_bytes)
{
    char quote = at < end && (*at == '"' || *at == '\'') ? *at : '\0';
    size_t len;

    if (quote) {
        const char *close = memchr(at + 1, quote, (size_t)(end - at) - 1);
        if (!close)
            return false;
        at++;
        len = (size_t)(close - at);
    } else {
        for (len = 0; at + len < end && !strchr(" \t\r;", at[len]); len++)
            ;
    }
    if (len >= value_bytes)
        return false;
    memcpy(ret_value, at, len);
    ret_value[len] = '\0';
    return true;
}

static const char *skip_blank(const char *at, const char *end)
{
    while (at < end && (*at == ' ' || *at == '\t'))
        at++;
    return at;
}

/* Where the value of `name` begins in a line that assigns it, else NULL. */
static const char *assigned(const char *at, const char *end, const char *name)
{
    static const char export[] = "export";
    size_t name_len = strlen(name), export_len = strlen(export);

    at = skip_blank(at, end);
    if ((size_t)(end - at) > export_len && memcmp(at, export, export_len) == 0 &&
        (at[export_len] == ' ' || at[export_len] == '\t'))
        at = skip_blank(at + export_len, end);
    if ((size_t)(end - at) <= name_len || memcmp(at, name, name_len) != 0 || at[name_len] != '=')
        return NULL;
    return at + name_len + 1;
}

bool act_lifekeeper_tunable(const char *text, const char *name, char *ret_value, size_t value_bytes)
{
    KIT_AUTOFREE char *value = kit_mem_new(value_bytes, 1);
    bool found = false;

    while (*text) {
        const char *end = text + strcspn(text, "\n");
        const char *at = assigned(text, end, name);
        if (at)
            found = take_value(at, end, value, value_bytes);
        text = *end ? end + 1 : end;
    }
    if (found)
        memcpy(ret_value, value, value_bytes);
    return found;
}

static const char *defaults_file(const struct act_call *call)
{
    return call->defaults_file ? call->defaults_file : DEFAULTS_FILE;
}

/* From the environment, where LifeKeeper's own start-up puts it, else from the file. */
static bool tunable(const struct act_call *call, const char *name, char *ret_value,
                    size_t value_bytes)
{
    KIT_AUTO(kit_buf) text = KIT_BUF(DEFAULTS_BYTES);
    const char *value = getenv(name);
    struct kit_err err;

    if (value && value[0] != '\0')
        return kit_str_copy(ret_value, value_bytes, value);
    if (kit_file_read(defaults_file(call), KIT_FILE_TRUSTED, &text, &err))
        return false;
    return act_lifekeeper_tunable(text.data, name, ret_value, value_bytes);
}

static bool is_seconds(const char *value, int64_t *ret_s)
{
    return kit_str_to_int(value, 1, TIMEOUT_MAX_S, ret_s);
}

/* What somebody set, and what does not count. */
static void note_bad_tunables(const struct act_call *call)
{
    static const char *const names[] = {"CLOUDVIP_RESTORE_TIMEOUT", "CLOUDVIP_REMOVE_TIMEOUT",
                                        "CLOUDVIP_QUICKCHECK_TIMEOUT", "CLOUDVIP_RECOVER_TIMEOUT",
                                        "LKCHECKINTERVAL"};
    KIT_AUTO(kit_buf) text = KIT_BUF(DEFAULTS_BYTES);
    char value[64];
    struct kit_err err;
    int64_t s;

    if (!call->log)
        return;
    if (kit_file_read(defaults_file(call), KIT_FILE_TRUSTED, &text, &err) &&
        err.kind != KIT_ERR_NOT_FOUND)
        act_log_err(call->log, ACT_TUNABLE, &err);
    for (size_t i = 0; i < KIT_LEN(names); i++)
        if (tunable(call, names[i], value, sizeof(value)) && value[0] && !is_seconds(value, &s))
            act_log(call->log, ACT_TUNABLE, "%s = %s: it is no number of seconds from 1 to %d",
                    names[i], value, TIMEOUT_MAX_S);
}

/* ---- the manager ----------------------------------------------------------------------------- */

static bool is_below(const char *path, const char *dir)
{
    size_t len = strlen(dir);

    while (len > 1 && dir[len - 1] == '/')
        len--;
    return path && strncmp(path, dir, len) == 0 && (path[len] == '/' || len == 1);
}

/* Below the root as it is written, or as it is once links are followed: the kernel tells the
 * latter. */
static bool runs_below(const char *path, const char *dir)
{
    KIT_AUTOFREE char *real = realpath(dir, NULL);

    return is_below(path, dir) || (real && is_below(path, real));
}

static bool we_run_below(const struct act_call *call, const char *dir)
{
    char exe[PATH_MAX] = "";

    if (!call->exe) {
        ssize_t len = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
        exe[len > 0 ? len : 0] = '\0';
    }
    return runs_below(call->argv0, dir) || runs_below(call->exe ? call->exe : exe, dir);
}

static bool recognise(const struct act_call *call)
{
    const char *lkroot = getenv("LKROOT");

    if (lkroot && lkroot[0] == '/' && call->tag && call->id)
        return true;
    return we_run_below(call, act_lcdi_root());
}

/* As a type of its own; else as a generic application, copied to wherever LifeKeeper keeps those.
 */
static bool is_typed(const struct act_call *call)
{
    char dir[PATH_MAX];

    return kit_str_format(dir, sizeof(dir), "%s/subsys/" ACT_LCDI_APP "/resources/" ACT_LCDI_TYPE,
                          act_lcdi_root()) &&
           we_run_below(call, dir);
}

static bool is_check(const struct act_call *call)
{
    return kit_str_eq(call->action, "quickCheck");
}

static void note_no_info(const struct act_call *call, const char *why, bool late)
{
    if (call->log)
        act_log(call->log, ACT_NO_INFO, "%s%s", why,
                late && is_check(call) ? "" : "; the configuration files alone are used");
}

/* The output of ins_list -t TAG; false when it cannot be asked.  *ret_late: it did not answer. */
static bool ask_ins_list(const struct act_call *call, const struct kit_clock *clock,
                         struct kit_deadline by, struct kit_buf *output, bool *ret_late)
{
    const char *const argv[] = {"ins_list", "-t", call->tag, NULL};
    /* A third is left for what is to be done then, whatever the limit. */
    int64_t share_ms = kit_deadline_left_ms(clock, by) * 2 / 3;
    struct kit_deadline limit =
        kit_deadline_in_ms(clock, share_ms < INS_LIST_LIMIT_MS ? share_ms : INS_LIST_LIMIT_MS);
    struct kit_err err;
    int status;

    *ret_late = false;
    if (!act_lcdi_has("ins_list"))
        return false; /* not installed as LifeKeeper is: nothing to remark */
    if (act_lcdi_run(argv, clock, limit, output, &status, &err)) {
        *ret_late = err.kind == KIT_ERR_TIMEOUT;
        note_no_info(call, err.msg, *ret_late);
        return false;
    }
    if (status != 0) {
        char why[128];
        (void)kit_str_format(why, sizeof(why), "ins_list ended with status %d: %s", status,
                             act_lcdi_meaning(status));
        note_no_info(call, why, false);
        return false;
    }
    return true;
}

static int overlay(const struct act_call *call, const struct kit_clock *clock,
                   struct kit_deadline by, struct kit_overlay **ret_overlay, size_t *ret_count,
                   struct kit_err *err)
{
    KIT_AUTO(kit_buf) output = KIT_BUF(INS_LIST_BYTES);
    KIT_AUTO(kit_buf) info = KIT_BUF(KIT_CONF_WORDS_BYTES);
    bool late = false;

    note_bad_tunables(call);
    if (call->tag && ask_ins_list(call, clock, by, &output, &late)) {
        if (act_lcdi_field(output.data, output.len_bytes, call->tag, ACT_LCDI_INFO, &info, err))
            return -1;
    }
    /* What the files alone say may be another address than the one that is served: nothing is
     * called lost by it. */
    if (late && is_check(call))
        return kit_err_set(err, KIT_ERR_TRANSIENT,
                           "%s: LifeKeeper does not tell its info field: what there is to check is "
                           "not known",
                           call->tag);
    return kit_conf_parse_words(info.data, "info field", ret_overlay, ret_count, err);
}

/* ---- limits ---------------------------------------------------------------------------------- */

static bool seconds(const struct act_call *call, const char *name, int64_t *ret_s)
{
    char value[16];

    return tunable(call, name, value, sizeof(value)) && is_seconds(value, ret_s);
}

static int64_t earlier(int64_t a_s, int64_t b_s)
{
    return a_s == 0 || b_s < a_s ? b_s : a_s;
}

/* The action's own tunable; and for a check the interval, or two of them would meet, and what
 * LifeKeeper gives a generic application's. */
static int64_t limit_ms(const struct act_call *call)
{
    static const struct {
        const char *action, *name;
    } tunables[] = {
        {"restore", "CLOUDVIP_RESTORE_TIMEOUT"},
        {"remove", "CLOUDVIP_REMOVE_TIMEOUT"},
        {"quickCheck", "CLOUDVIP_QUICKCHECK_TIMEOUT"},
        {"recover", "CLOUDVIP_RECOVER_TIMEOUT"},
    };
    int64_t limit_s = 0, s;

    for (size_t i = 0; i < KIT_LEN(tunables); i++)
        if (kit_str_eq(call->action, tunables[i].action) && seconds(call, tunables[i].name, &s))
            limit_s = s;
    if (is_check(call)) {
        if (seconds(call, "LKCHECKINTERVAL", &s))
            limit_s = earlier(limit_s, s);
        if (!is_typed(call))
            limit_s = earlier(limit_s, GENERIC_CHECK_S);
    }
    return limit_s * 900;
}

/* ---- the event ------------------------------------------------------------------------------- */

/* Only a resource in service is recovered; where LifeKeeper does not say, sendevent decides. */
static bool is_in_service(const struct act_call *call, struct kit_deadline by)
{
    KIT_AUTO(kit_buf) output = KIT_BUF(INS_LIST_BYTES);
    KIT_AUTO(kit_buf) state = KIT_BUF(16);
    struct kit_err err;
    bool late;

    if (!ask_ins_list(call, &kit_clock_real, by, &output, &late) ||
        act_lcdi_field(output.data, output.len_bytes, call->tag, ACT_LCDI_STATE, &state, &err) ||
        state.len_bytes == 0)
        return true;
    if (kit_str_eq(state.data, "ISP") || kit_str_eq(state.data, "ISU"))
        return true;
    act_log(call->log, ACT_NO_EVENT, "its state is %s: there is nothing to recover", state.data);
    return false;
}

static void raise_event(const struct act_call *call, struct kit_deadline by)
{
    const char *const argv[] = {"sendevent", "-C",      ACT_LCDI_TYPE, "-E",      ACT_LCDI_EVENT,
                                "-m",        call->tag, "-n",          call->tag, NULL};
    struct kit_err err;
    int status;

    act_log(call->log, ACT_EVENT, "raising the event " ACT_LCDI_TYPE ", " ACT_LCDI_EVENT);
    if (act_lcdi_hand_over(argv, &kit_clock_real, by, &status, &err)) {
        if (err.kind != KIT_ERR_TIMEOUT) /* it recovers: that takes its time */
            act_log_err(call->log, ACT_EVENT_FAILED, &err);
    } else if (status != 0) {
        act_log(call->log, ACT_EVENT_FAILED, "sendevent ended with status %d", status);
    }
}

static struct kit_deadline event_by(const struct act_end *end)
{
    struct kit_deadline by = kit_deadline_in_ms(&kit_clock_real, EVENT_MS);
    struct kit_deadline least = kit_deadline_in_ms(&kit_clock_real, EVENT_LEAST_MS);

    if (end->by.at_ns)
        by = kit_deadline_earlier(by, end->by);
    return by.at_ns < least.at_ns ? least : by;
}

static void ended(const struct act_call *call, const struct act_end *end, int status)
{
    struct kit_deadline by = event_by(end);

    if (status == 0 || end->outcome != ACT_OUT_WRONG || !call->tag || !call->log ||
        !is_check(call) || !is_typed(call))
        return;
    if (is_in_service(call, by))
        raise_event(call, by);
}

static int exit_status(const struct act_call *call, const struct act_end *end)
{
    bool lenient = kit_str_eq(call->action, "quickCheck") || kit_str_eq(call->action, "remove");

    switch (end->outcome) {
    case ACT_OUT_RIGHT: return 0;
    case ACT_OUT_UNKNOWN:
    case ACT_OUT_CONFIG:
    case ACT_OUT_DENIED: return lenient ? 0 : 1;
    case ACT_OUT_WRONG:
    case ACT_OUT_USAGE: return 1;
    }
    return 1;
}

static int facility(const struct act_call *call)
{
    char name[32];

    return act_log_facility(tunable(call, "LKSYSLOGSELECTOR", name, sizeof(name)) ? name : NULL);
}

const struct act_manager act_manager_lifekeeper = {
    .name = "LifeKeeper",
    .recognise = recognise,
    .overlay = overlay,
    .limit_ms = limit_ms,
    .exit_status = exit_status,
    .ended = ended,
    .facility = facility,
    .puts_addresses = true, /* its IP kit does, and checks them */
    .to_syslog = true,
};
