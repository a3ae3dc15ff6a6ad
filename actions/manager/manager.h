/* actions/manager/manager.h - who called us, what they told us, and in what words they want the
 * answer.
 *
 * Only this room knows exit statuses.  A cluster manager is one row of the table in manager.c. */
#ifndef ACTIONS_MANAGER_MANAGER_H
#define ACTIONS_MANAGER_MANAGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "actions/log.h"
#include "kit/base/clock.h"
#include "kit/base/err.h"
#include "kit/conf/load.h"

/* How an action ended, in nobody's words. */
enum act_outcome {
    ACT_OUT_RIGHT,
    ACT_OUT_WRONG, /* it failed, or the address is certainly not as it should be */
    ACT_OUT_USAGE,
    ACT_OUT_UNKNOWN, /* could not ask, and that may pass */
    ACT_OUT_CONFIG,
    ACT_OUT_DENIED, /* permission or credentials */
};
/* What an error amounts to.  Only for errors that kept us from the answer: an address that is
 * certainly elsewhere, or certainly still here after remove, is ACT_OUT_WRONG whatever the error
 * was. */
enum act_outcome act_outcome_of(const struct kit_err *err);

/* How a run ended: what a manager makes its answer from. */
struct act_end {
    enum act_outcome outcome;
    bool unknown;    /* what was asked for could not be found out: the outcome says why */
    bool in_service; /* the record's word, after the action */
    bool incomplete; /* ACT_OUT_CONFIG: the settings do not name a scenario with all it needs */
    const struct kit_settings *settings; /* NULL = could not be read */
    const char *why;                     /* of what is not right, one line; NULL = nothing to say */
    struct kit_deadline by;              /* of the run; at_ns 0: it ended before it had one */
};

/* One call of an action.  All borrowed. */
struct act_call {
    const char *action;        /* "restore" "remove" "quickCheck" "recover" */
    const char *tag, *id;      /* -t, -i; NULL = not given */
    const char *argv0;         /* as we were started; may be NULL */
    const struct act_log *log; /* for what a manager has to remark; NULL = not */
    const char *exe;           /* our own file; NULL = /proc/self/exe tells */
    const char *defaults_file; /* LifeKeeper's tunables; NULL = /etc/default/LifeKeeper */
};

struct act_manager {
    const char *name; /* "LifeKeeper" */
    bool (*recognise)(const struct act_call *call);
    /* The settings that the manager keeps for us, before the files; none: 0 with NULL and 0.  The
     * caller frees it with kit_conf_words_free.  Blocks until `by` at most.  KIT_ERR_CONFIG: they
     * are there and make no sense. */
    int (*overlay)(const struct act_call *call, const struct kit_clock *clock,
                   struct kit_deadline by, struct kit_overlay **ret_overlay, size_t *ret_count,
                   struct kit_err *err) KIT_CHECKED;
    int64_t (*limit_ms)(
        const struct act_call *call); /* the manager's own limit less a tenth; 0 = none */
    int (*exit_status)(const struct act_call *call, const struct act_end *end);
    /* The last thing of a run, when its lock is given back; NULL = nothing to do. */
    void (*ended)(const struct act_call *call, const struct act_end *end, int status);
    int (*facility)(const struct act_call *call); /* of syslog, when to_syslog; -1 = no syslog */
    bool puts_addresses; /* another resource of its own puts addresses on interfaces: local_address
                          * is "no" unless it is set */
    bool to_syslog;
    const char *ident;                          /* for syslog; NULL = the action's name */
    bool (*quiet)(const struct act_call *call); /* INFO is not logged; NULL = it is */
    /* The manager only asks whether it runs here: that it does not is no failure.  NULL = never. */
    bool (*probes)(const struct act_call *call);
};

/* Never NULL: who is nobody else is a person. */
const struct act_manager *act_manager_find(const struct act_call *call);

#endif
