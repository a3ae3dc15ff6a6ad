/* actions/manager/ocf.c - Pacemaker. */
#include "actions/manager/ocf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kit/base/mem.h"
#include "kit/base/str.h"

#define RESKEY "OCF_RESKEY_"
/* There are as many parameters as KIT_PARAM_COUNT; a few more are named in the error. */
#define OVERLAY_MAX 256
/* A day; Pacemaker takes any number. */
#define LIMIT_MAX_MS INT64_C(86400000)

/* What stands in OCF_RESKEY_* and is no parameter of a resource: prefixes. */
static const char *const not_ours[] = {
    "CRM_meta_",       /* Pacemaker: the operation's and the resource's meta attributes */
    "crm_feature_set", /* Pacemaker, with every action */
    "OCF_CHECK_LEVEL", /* an operation's, where the caller did not take the prefix off */
    "trace_",          /* resource-agents: crm resource trace */
    "tag=",            /* names the section of the files: act_ocf_tag */
};

/* ---- the parameters -------------------------------------------------------------------------- */

static bool is_parameter(const char *entry)
{
    const char *key = entry + sizeof(RESKEY) - 1;
    const char *equals;

    if (!kit_str_starts(entry, RESKEY))
        return false;
    for (size_t i = 0; i < KIT_LEN(not_ours); i++)
        if (kit_str_starts(key, not_ours[i]))
            return false;
    equals = strchr(key, '=');
    return equals && equals != key && equals[1] != '\0';
}

int act_ocf_overlay(char *const env[], struct kit_overlay **ret_overlay, size_t *ret_count,
                    struct kit_err *err)
{
    size_t count = 0, text_bytes = 0;

    for (size_t i = 0; env && env[i]; i++) {
        if (!is_parameter(env[i]))
            continue;
        count++;
        text_bytes += strlen(env[i]) + 1;
    }
    *ret_overlay = NULL;
    *ret_count = 0;
    if (count == 0)
        return 0;
    if (count > OVERLAY_MAX)
        return kit_err_set(err, KIT_ERR_CONFIG, "more than %d parameters " RESKEY "...",
                           OVERLAY_MAX);

    /* One block, as kit_conf_words_free wants it: the list, then the copies that it points to. */
    struct kit_overlay *list = kit_mem_new(1, count * sizeof(*list) + text_bytes);
    char *at = (char *)&list[count];
    size_t n = 0;
    for (size_t i = 0; env && env[i]; i++) {
        if (!is_parameter(env[i]))
            continue;
        size_t len = strlen(env[i]) + 1;
        memcpy(at, env[i], len);
        char *equals = strchr(at, '=');
        if (!equals)
            continue;
        *equals = '\0';
        list[n++] =
            (struct kit_overlay){.key = at + sizeof(RESKEY) - 1, .value = equals + 1, .origin = at};
        at += len;
    }
    *ret_overlay = list;
    *ret_count = n;
    return 0;
}

/* The cluster's own parameters make no sense, whatever this node's files say. */
static bool are_wrong(char *const env[])
{
    KIT_AUTO(kit_settings) scratch = {0};
    struct kit_overlay *overlay;
    struct kit_err err;
    size_t count;
    bool wrong = false;

    if (act_ocf_overlay(env, &overlay, &count, &err))
        return true;
    for (size_t i = 0; i < count && !wrong; i++) {
        enum kit_param param = kit_param_by_name(overlay[i].key);
        wrong = param == KIT_PARAM_NONE ||
                kit_settings_put(&scratch, param, overlay[i].value, overlay[i].origin, &err);
    }
    kit_conf_words_free(overlay, count);
    return wrong;
}

/* Something was set, and all of it by the cluster: no file of this node has a say. */
static bool are_the_clusters(const struct kit_settings *settings)
{
    bool any = false;

    for (int i = 0; i < KIT_PARAM_COUNT; i++) {
        if (!settings->v[i].given)
            continue;
        if (!kit_str_starts(settings->v[i].origin, RESKEY))
            return false;
        any = true;
    }
    return any;
}

char *act_ocf_tag(void)
{
    const char *tag = getenv(RESKEY "tag"), *colon;
    char *name;

    if (tag && tag[0])
        return kit_mem_strdup(tag);
    tag = getenv("OCF_RESOURCE_INSTANCE");
    if (!tag || !tag[0])
        return NULL;
    name = kit_mem_strdup(tag);
    colon = strrchr(tag, ':');
    if (colon && colon[1] && colon[1 + strspn(colon + 1, "0123456789")] == '\0')
        name[colon - tag] = '\0';
    return name;
}

/* ---- the answers ----------------------------------------------------------------------------- */

/* What Pacemaker makes of it decides: ERR_CONFIGURED takes the resource out of service on every
 * node, so it is only for what is wrong on every node. */
static enum act_ocf_status status_of_config(const struct act_end *end, char *const env[])
{
    struct kit_overlay *overlay;
    struct kit_err err;
    size_t count;

    if (are_wrong(env))
        return ACT_OCF_ERR_CONFIGURED;
    if (end->incomplete && end->settings && are_the_clusters(end->settings))
        return ACT_OCF_ERR_CONFIGURED;
    if (end->settings || act_ocf_overlay(env, &overlay, &count, &err))
        return ACT_OCF_ERR_ARGS;
    kit_conf_words_free(overlay, count);
    /* Nothing from the cluster, and nothing usable in the files: it is not installed here. */
    return count == 0 ? ACT_OCF_ERR_INSTALLED : ACT_OCF_ERR_ARGS;
}

enum act_ocf_status act_ocf_status(enum act_ocf_action action, const struct act_end *end,
                                   char *const env[])
{
    /* On the way to stop and monitor an error fences or moves the resource: what merely cannot be
     * asked (network, credentials, configuration) must not.  Then the record answers. */
    enum act_ocf_status recorded = end->in_service ? ACT_OCF_SUCCESS : ACT_OCF_NOT_RUNNING;

    switch (action) {
    case ACT_OCF_PROBE:
        /* Nothing is concluded from a probe but what is certain: with an error, or a wrong guess,
         * Pacemaker would begin to recover what was never started here. */
        if (end->unknown || end->outcome == ACT_OUT_RIGHT)
            return recorded;
        return end->outcome == ACT_OUT_USAGE ? ACT_OCF_ERR_ARGS : ACT_OCF_NOT_RUNNING;
    case ACT_OCF_MONITOR:
        if (end->outcome == ACT_OUT_USAGE)
            return ACT_OCF_ERR_ARGS;
        /* WRONG although unknown: the site's on_unknown says so.  In service, and lost: failed, not
         * cleanly stopped. */
        if (end->outcome == ACT_OUT_WRONG && end->in_service)
            return ACT_OCF_ERR_GENERIC;
        return recorded;
    case ACT_OCF_STOP:
        if (end->outcome == ACT_OUT_USAGE)
            return ACT_OCF_ERR_ARGS;
        return end->outcome == ACT_OUT_WRONG ? ACT_OCF_ERR_GENERIC : ACT_OCF_SUCCESS;
    case ACT_OCF_START:
    case ACT_OCF_OTHER: break;
    }
    switch (end->outcome) {
    case ACT_OUT_RIGHT: return ACT_OCF_SUCCESS;
    case ACT_OUT_WRONG:
    case ACT_OUT_UNKNOWN: return ACT_OCF_ERR_GENERIC;
    case ACT_OUT_USAGE: return ACT_OCF_ERR_ARGS;
    case ACT_OUT_CONFIG: return status_of_config(end, env);
    case ACT_OUT_DENIED: return ACT_OCF_ERR_PERM;
    }
    return ACT_OCF_ERR_GENERIC;
}

/* ---- the manager ----------------------------------------------------------------------------- */

static bool recognise(const struct act_call *call)
{
    (void)call;
    if (getenv("OCF_RA_VERSION_MAJOR"))
        return true;
    for (size_t i = 0; environ && environ[i]; i++)
        if (kit_str_starts(environ[i], RESKEY))
            return true;
    return false;
}

static int overlay(const struct act_call *call, const struct kit_clock *clock,
                   struct kit_deadline by, struct kit_overlay **ret_overlay, size_t *ret_count,
                   struct kit_err *err)
{
    (void)call;
    (void)clock;
    (void)by;
    return act_ocf_overlay(environ, ret_overlay, ret_count, err);
}

static int64_t limit_ms(const struct act_call *call)
{
    const char *timeout = getenv(RESKEY "CRM_meta_timeout");
    int64_t ms;

    (void)call;
    return timeout && kit_str_to_int(timeout, 1, LIMIT_MAX_MS, &ms) ? ms * 9 / 10 : 0;
}

enum act_ocf_action act_ocf_action_of(const struct act_call *call)
{
    const char *interval = getenv(RESKEY "CRM_meta_interval");

    if (kit_str_eq(call->action, "restore") || kit_str_eq(call->action, "recover"))
        return ACT_OCF_START;
    if (kit_str_eq(call->action, "remove"))
        return ACT_OCF_STOP;
    if (!kit_str_eq(call->action, "quickCheck"))
        return ACT_OCF_OTHER;
    return kit_str_eq(interval, "0") ? ACT_OCF_PROBE : ACT_OCF_MONITOR;
}

static bool probes(const struct act_call *call)
{
    return act_ocf_action_of(call) == ACT_OCF_PROBE;
}

static int exit_status(const struct act_call *call, const struct act_end *end)
{
    return act_ocf_status(act_ocf_action_of(call), end, environ);
}

/* One line on stderr that Pacemaker shows as the reason of a failed action (ocf_exit_reason of
 * ocf-shellfuncs). */
static void ended(const struct act_call *call, const struct act_end *end, int status)
{
    const char *prefix = getenv("OCF_EXIT_REASON_PREFIX");
    const char *why = end->why ? end->why : "no reason is known";
    char line[1024];
    size_t len, done = 0;

    if (status == ACT_OCF_SUCCESS || probes(call))
        return;
    if (end->outcome == ACT_OUT_RIGHT || status == ACT_OCF_NOT_RUNNING)
        why = "it is not in service on this node, by this node's record";
    (void)kit_str_format(line, sizeof(line) - 1, "%s%s",
                         prefix && prefix[0] ? prefix : "ocf-exit-reason:", why);
    kit_str_make_printable(line);
    len = strlen(line);
    line[len++] = '\n';
    while (done < len) {
        ssize_t n = write(STDERR_FILENO, line + done, len - done);
        if (n <= 0)
            return; /* nobody listens */
        done += (size_t)n;
    }
}

static bool wants_all(void)
{
    const char *debug = getenv("HA_debug"), *trace = getenv(RESKEY "trace_ra");

    return (debug && debug[0] && !kit_str_eq(debug, "0")) || (trace && kit_str_eq(trace, "1"));
}

static bool quiet(const struct act_call *call)
{
    enum act_ocf_action action = act_ocf_action_of(call);

    return (action == ACT_OCF_MONITOR || action == ACT_OCF_PROBE) && !wants_all();
}

static int facility(const struct act_call *call)
{
    const char *name = getenv("HA_LOGFACILITY");

    (void)call;
    return name && name[0] && !kit_str_eq(name, "none") ? act_log_facility(name) : -1;
}

const struct act_manager act_manager_ocf = {
    .name = "Pacemaker",
    .recognise = recognise,
    .overlay = overlay,
    .limit_ms = limit_ms,
    .exit_status = exit_status,
    .ended = ended,
    .facility = facility,
    .to_syslog = true,
    .ident = "cloudvip",
    .quiet = quiet,
    .probes = probes,
};
