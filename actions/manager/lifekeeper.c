/* actions/manager/lifekeeper.c - LifeKeeper for Linux. */
#include "actions/manager/lifekeeper.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kit/base/mem.h"
#include "kit/base/str.h"
#include "kit/sys/file.h"
#include "kit/sys/proc.h"

#define DEFAULT_ROOT  "/opt/LifeKeeper"
#define DEFAULTS_FILE "/etc/default/LifeKeeper"
/* LifeKeeper ships a few KiB of tunables. */
#define DEFAULTS_BYTES (256u * 1024)
/* One instance is a few hundred bytes. */
#define INS_LIST_BYTES (64u * 1024)
/* Half of quickCheck's usual limit: the cloud has to be asked in what is left. */
#define INS_LIST_LIMIT_MS 10000
#define TIMEOUT_MAX_S     86400

#define FIELD_SEPARATOR '\x01'
enum {
    FIELD_TAG = 3,
    FIELD_INFO = 5
}; /* counted from 0 */

/* ---- the output of ins_list -------------------------------------------------------------------
 */

struct slice {
    const char *at;
    size_t len;
};

/* Field `index` of a line; false when the line has fewer. */
static bool field(struct slice line, unsigned index, struct slice *ret_field)
{
    for (;; index--) {
        const char *end = memchr(line.at, FIELD_SEPARATOR, line.len);
        size_t len = end ? (size_t)(end - line.at) : line.len;
        if (index == 0) {
            *ret_field = (struct slice){line.at, len};
            return true;
        }
        if (!end)
            return false;
        line = (struct slice){end + 1, line.len - len - 1};
    }
}

static bool is_tag(struct slice line, const char *tag)
{
    struct slice name;

    return field(line, FIELD_TAG, &name) && name.len == strlen(tag) &&
           memcmp(name.at, tag, name.len) == 0;
}

int act_lifekeeper_find_info(const char *output, size_t len_bytes, const char *tag,
                             struct kit_buf *ret_info, struct kit_err *err)
{
    struct slice rest = {output, len_bytes}, only = {0}, named = {0}, info;
    size_t lines = 0;

    while (rest.len > 0) {
        const char *newline = memchr(rest.at, '\n', rest.len);
        struct slice line = {rest.at, newline ? (size_t)(newline - rest.at) : rest.len};
        size_t used = line.len + (newline ? 1 : 0);

        rest = (struct slice){rest.at + used, rest.len - used};
        if (line.len == 0)
            continue;
        lines++;
        only = line;
        if (!named.at && is_tag(line, tag))
            named = line;
    }
    if (!named.at && lines == 1)
        named = only;
    if (!named.at || !field(named, FIELD_INFO, &info))
        return 0;
    if (info.len > 0 && memchr(info.at, '\0', info.len))
        return kit_err_set(err, KIT_ERR_CONFIG, "%s: the info field holds a NUL byte", tag);
    if (kit_buf_add(ret_info, info.at, info.len))
        return kit_err_set(err, KIT_ERR_CONFIG, "%s: the info field is longer than %zu bytes", tag,
                           ret_info->max_bytes);
    return 0;
}

/* ---- /etc/default/LifeKeeper --------------------------------------------------------------------
 */

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

/* From the environment, where LifeKeeper's own start-up puts it, else from the file. */
static bool tunable(const struct act_call *call, const char *name, char *ret_value,
                    size_t value_bytes)
{
    KIT_AUTO(kit_buf) text = KIT_BUF(DEFAULTS_BYTES);
    const char *value = getenv(name);
    struct kit_err err;

    if (value && value[0] != '\0')
        return kit_str_copy(ret_value, value_bytes, value);
    if (kit_file_read(call->defaults_file ? call->defaults_file : DEFAULTS_FILE, KIT_FILE_TRUSTED,
                      &text, &err))
        return false;
    return act_lifekeeper_tunable(text.data, name, ret_value, value_bytes);
}

/* ---- the manager --------------------------------------------------------------------------------
 */

static const char *root(void)
{
    const char *lkroot = getenv("LKROOT");

    return lkroot && lkroot[0] == '/' ? lkroot : DEFAULT_ROOT;
}

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

static bool recognise(const struct act_call *call)
{
    char exe[PATH_MAX] = "";
    const char *lkroot = getenv("LKROOT");

    if (lkroot && lkroot[0] == '/' && call->tag && call->id)
        return true;
    if (!call->exe) {
        ssize_t len = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
        exe[len > 0 ? len : 0] = '\0';
    }
    return runs_below(call->argv0, root()) || runs_below(call->exe ? call->exe : exe, root());
}

static void note_no_info(const struct act_call *call, const char *why)
{
    if (call->log)
        act_log(call->log, ACT_NO_INFO, "%s; the configuration files alone are used", why);
}

/* The output of ins_list -t TAG; false when it cannot be asked. */
static bool ask_ins_list(const struct act_call *call, const struct kit_clock *clock,
                         struct kit_deadline by, struct kit_buf *output)
{
    char dir[PATH_MAX], program[PATH_MAX];
    const char *const argv[] = {program, "-t", call->tag, NULL};
    struct kit_deadline limit = kit_deadline_in_ms(clock, INS_LIST_LIMIT_MS);
    struct kit_err err;
    int status;

    if (!kit_str_format(dir, sizeof(dir), "%s/bin", root()) ||
        !kit_str_format(program, sizeof(program), "%s/ins_list", dir) || access(program, X_OK) != 0)
        return false; /* not installed as LifeKeeper is: nothing to remark */
    /* LKROOT comes from the environment, and root runs what is in it. */
    if (kit_file_check_dir(dir, &err) ||
        kit_proc_run(argv, clock, kit_deadline_earlier(limit, by), output, &status, &err)) {
        note_no_info(call, err.msg);
        return false;
    }
    if (status != 0) {
        char why[64];
        (void)kit_str_format(why, sizeof(why), "ins_list ended with status %d", status);
        note_no_info(call, why);
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

    if (call->tag && ask_ins_list(call, clock, by, &output)) {
        if (act_lifekeeper_find_info(output.data, output.len_bytes, call->tag, &info, err))
            return -1;
    }
    return kit_conf_parse_words(info.data, "info field", ret_overlay, ret_count, err);
}

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
    char value[16];
    int64_t limit_s;

    for (size_t i = 0; i < KIT_LEN(tunables); i++)
        if (kit_str_eq(call->action, tunables[i].action) &&
            tunable(call, tunables[i].name, value, sizeof(value)) &&
            kit_str_to_int(value, 1, TIMEOUT_MAX_S, &limit_s))
            return limit_s * 900;
    return 0;
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
    .facility = facility,
    .to_syslog = true,
};
