/* actions/act.h - an action is data; this is what runs one.
 *
 * The life of a run: who called us (manager), settings, deadline, lock, record, then the action's
 * own `run`, the record again, and the answer in the caller's words.  Everything an operator reads
 * is logged here and in the actions, never in kit/. */
#ifndef ACTIONS_ACT_H
#define ACTIONS_ACT_H

#include "actions/hooks.h"
#include "actions/local.h"
#include "actions/log.h"
#include "actions/manager/manager.h"
#include "actions/session.h"
#include "kit/conf/load.h"
#include "kit/sys/lock.h"
#include "kit/vip/apply.h"
#include "kit/vip/record.h"
#include "kit/vip/where.h"

struct act;

struct act_spec {
    const char *name; /* "restore" */
    const char *does; /* for the usage text */
    enum act_outcome (*run)(struct act *act);
    enum kit_param timeout;
    const char *hook_before, *hook_after; /* points; NULL = none */
    const char *hook_unknown;             /* where "could not ask" is judged; NULL = not */
    unsigned max_tries;                   /* of one API call: ACT_TRIES_… */
    bool changes_nothing;                 /* may go on without its lock */
    bool must_not_hinder; /* a problem with our own housekeeping must not fail it: remove */
    /* What is to be done where the settings cannot be read, or NULL: nothing.  Called with the
     * record, and with the lock if it names an address. */
    enum act_outcome (*without_settings)(struct act *act);
};
extern const struct act_spec act_restore, act_remove, act_quick_check, act_recover;
extern const struct act_spec *const act_specs[]; /* NULL-terminated */

/* The command line, whoever parsed it. */
struct act_args {
    const char *tag, *id;
    const char *confdir; /* NULL: CLOUDVIP_CONFDIR or /etc/cloudvip */
    const char *argv0;
    const struct act_manager *manager; /* who called us; NULL = to be found out */
    bool json, verbose;
};

struct act {
    const struct act_spec *spec;
    const struct act_args *args;
    const struct act_manager *manager;
    struct act_call call;
    struct act_log log;
    const struct kit_clock *clock;
    int64_t started_ns;
    struct kit_deadline by;
    struct kit_settings settings;
    struct act_session session;  /* open while `run` needs it: act_open */
    struct kit_call_stats spent; /* by sessions that were closed: act_close */
    struct kit_lock lock;
    struct kit_record record;
    struct act_hooks hooks;
    struct act_choice choice;     /* of route tables */
    struct kit_deadline after_by; /* of the hooks after the action; `by` ends earlier */
    struct kit_facts last;        /* the last look, for those; meaningless unless `seen` */
    bool seen;
    struct act_local local;
    unsigned waits;  /* looks that did not show a change yet */
    bool changed;    /* something was sent that changes the cloud */
    char where[512]; /* the last facts in one line, "" = none */
    struct kit_err
        err; /* of the failure that decided the outcome; kind is meaningless unless `failed` */
    bool failed;
    bool unknown;    /* what was asked for could not be found out */
    bool incomplete; /* the settings name no scenario, or lack what it needs */
};

/* Runs one action to its end; returns the exit status in the caller's words.  Blocks until the
 * action's deadline at most. */
int act_run(const struct act_spec *spec, const struct act_args *args);

/* For what is no action, and needs its settings: who called, and how to log.  The caller ends it
 * with act_done. */
void act_init(struct act *act, const struct act_spec *spec, const struct act_args *args);
void act_done(struct act *act);
/* The settings of act->call.tag, from the caller and the files, and with them act->by; ended by
 * act_done. */
int act_read_settings(struct act *act, struct kit_err *err) KIT_CHECKED;
struct act_end act_end(const struct act *act, enum act_outcome outcome);
const char *act_outcome_name(enum act_outcome outcome); /* "right" */

/* The main of an action's program: parses, then act_run. */
int act_main(const struct act_spec *spec, int argc, char **argv);

/* ---- for the actions ------------------------------------------------------------------------- */

/* The cloud of the settings, with the retries of the action; again until the deadline for what may
 * pass. */
int act_open(struct act *act, struct kit_err *err) KIT_CHECKED;
void act_close(struct act *act); /* what it spent is kept */
struct kit_vip act_vip(
    struct act *act); /* of the open session, with an observer that logs each step */

/* Log the failure and remember it; returns what it amounts to. */
enum act_outcome act_fail(struct act *act, const struct kit_err *err);
/* Log an UNKNOWN with the level that it deserves: WARN may pass, ERROR needs a person. */
enum act_outcome act_unknown(struct act *act, const struct kit_err *err);

/* The body that restore and recover share: bring the address here. */
enum act_outcome act_bring_here(struct act *act);

/* The manager asked whether the address is in service here, and it is not: no failure. */
bool act_is_idle_probe(const struct act *act);

/* The configuration directory in force. */
const char *act_confdir(const char *option);

#endif
