/* actions/manager/ocf.h - Pacemaker: OCF_RESKEY_*, and the statuses of the Open Cluster Framework.
 *
 * Sources: OCF Resource Agent API 1.1; Pacemaker Explained, "How are OCF return codes interpreted";
 * ocf-shellfuncs of resource-agents for what agents print and log. */
#ifndef ACTIONS_MANAGER_OCF_H
#define ACTIONS_MANAGER_OCF_H

#include "actions/manager/manager.h"

/* Recognised by OCF_RA_VERSION_MAJOR, or any OCF_RESKEY_*, in the environment.
 *
 * Overlay: OCF_RESKEY_NAME for every parameter of the schema.  An empty one is none.  Pacemaker's
 * own (CRM_meta_*, crm_feature_set), `tag` and resource-agents' trace_* are no parameters; any
 * other is an error, as an unknown key is elsewhere.
 *
 * Limit: OCF_RESKEY_CRM_meta_timeout less a tenth.
 *
 * Log: syslog's HA_LOGFACILITY, where Pacemaker names one, and stderr, which it keeps.  Checks are
 * silent unless something is wrong: one runs every few seconds for years.  A status that is a
 * failure comes with its reason for crm_mon ("ocf-exit-reason:..."). */
extern const struct act_manager act_manager_ocf;

/* The statuses that we use (OCF 1.1, "Exit status"). */
enum act_ocf_status {
    ACT_OCF_SUCCESS = 0,
    ACT_OCF_ERR_GENERIC = 1,       /* Pacemaker tries again, or elsewhere */
    ACT_OCF_ERR_ARGS = 2,          /* wrong on this node: not here again before a clean-up */
    ACT_OCF_ERR_UNIMPLEMENTED = 3, /* no such action */
    ACT_OCF_ERR_PERM = 4,          /* as 2 */
    ACT_OCF_ERR_INSTALLED = 5,     /* as 2; a probe that says so is no failure */
    ACT_OCF_ERR_CONFIGURED = 6,    /* wrong on every node: stopped everywhere */
    ACT_OCF_NOT_RUNNING = 7,
};

/* Which action of the agent an action of ours is. */
enum act_ocf_action {
    ACT_OCF_START,
    ACT_OCF_STOP,
    ACT_OCF_MONITOR,
    ACT_OCF_PROBE, /* a monitor with interval 0: does it run here, before anything was started? */
    ACT_OCF_OTHER, /* validate-all, reload-agent */
};
enum act_ocf_action act_ocf_action_of(const struct act_call *call);

/* The whole table of answers, pure but for a look at the parameters in `env`. */
enum act_ocf_status act_ocf_status(enum act_ocf_action action, const struct act_end *end,
                                   char *const env[]);

/* The overlay of an environment (NULL-terminated NAME=value; NULL = empty). */
int act_ocf_overlay(char *const env[], struct kit_overlay **ret_overlay, size_t *ret_count,
                    struct kit_err *err) KIT_CHECKED;

/* The name of the resource: OCF_RESKEY_tag, else OCF_RESOURCE_INSTANCE without the number of a
 * clone
 * ("vip:0"), which is cut off in a copy that the caller frees.  NULL = neither. */
char *act_ocf_tag(void);

#endif
