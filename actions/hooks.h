/* actions/hooks.h - the site's hooks: which files there are, whether they are to be trusted, and
 * what each point makes of what they say.  hooks/CONTRACT.md is the contract.
 *
 * Without hook files this costs one look at the directory: no state, no process. */
#ifndef ACTIONS_HOOKS_H
#define ACTIONS_HOOKS_H

#include "actions/log.h"
#include "actions/manager/manager.h"
#include "kit/base/buf.h"
#include "kit/cloud/cloud.h"
#include "kit/vip/record.h"
#include "lua/klua.h"

struct act;

/* ---- the points ------------------------------------------------------------------------------ */

/* In the order in which they stand in the contract. */
struct act_point {
    const char *name;
    const char *when;    /* "before restore changes anything" */
    const char *returns; /* what it may return */
};
extern const struct act_point act_points[];
extern const size_t act_points_count;
const struct act_point *act_point_find(const char *name); /* or NULL */

/* ---- the files ------------------------------------------------------------------------------- */

struct act_hook_file {
    char *name, *path; /* "10-notify.lua", "/etc/cloudvip/hooks/10-notify.lua" */
    struct kit_buf text;
    bool usable;        /* else it is not run, and `why` says why not */
    struct kit_err why; /* KIT_ERR_CONFIG: owner, mode, no text; KIT_ERR_SYSTEM */
};

/* One file of the directory that the hooks are of, or beside it.  file->usable says whether it is
 * run. */
struct act_hooks;
void act_hook_file_read(const struct act_hooks *hooks, const char *path,
                        struct act_hook_file *ret_file);
void act_hook_file_done(struct act_hook_file *file);

/* Points into itself: not to be copied. */
struct act_hooks {
    struct act_hook_file *file; /* in the order of their names */
    size_t count;
    bool failed; /* the directory cannot be read, or is named and missing */
    struct kit_err err;
    bool distrusted; /* the directory is not root's alone: none of its files is run */
    struct kit_err why;
    const struct kit_settings *settings; /* borrowed */
    struct klua_grants grants;
    const char *lib_dirs[3]; /* where modules are looked for; NULL-terminated */
    char *own_lib_dir;
};
/* Reads the files of hook_dir; the default directory may be missing: no files.  `settings` is
 * borrowed. */
void act_hooks_open(struct act_hooks *hooks, const struct kit_settings *settings);
void act_hooks_done(struct act_hooks *hooks);
/* How many files speak of this point: found in their text, nothing is run.  A file that is not to
 * be trusted counts too. */
size_t act_hooks_count(const struct act_hooks *hooks, const char *point);
/* It cannot even be read: which points it speaks of is not known. */
bool act_hook_is_blind(const struct act_hook_file *file);
bool act_hook_mentions(const struct act_hook_file *file, const char *point);

/* ---- the facts that they are told ------------------------------------------------------------ */

/* All borrowed; what is NULL is not told. */
struct act_hook_about {
    const char *point, *action, *caller;
    const struct kit_settings *settings;
    const struct kit_record *record;
    int64_t deadline_ms;           /* until the action must have answered */
    const struct kit_facts *facts; /* of the last look */
    const struct kit_err *err;
    const char
        *outcome; /* how the action ended; NULL: it has not, and the next three say nothing */
    int status;
    bool changed;
    int64_t took_ms;
};
/* Appends the JSON document. */
void act_hook_facts(const struct act_hook_about *about, struct kit_buf *out);

/* ---- one run --------------------------------------------------------------------------------- */

struct act_hook_call {
    const struct act_hooks *hooks;
    const char *point;
    const struct kit_buf *facts;
    const struct kit_clock *clock;
    struct kit_deadline by;    /* beside hook_timeout */
    const struct act_log *log; /* gets the lines that the hook logs; NULL = nobody */
};
/* Runs one file; the caller ends *answer with klua_answer_done in either case.  -1: KIT_ERR_HOOK,
 * or why the file is not run. */
int act_hook_run(const struct act_hook_call *call, const struct act_hook_file *file,
                 struct klua_answer *answer, struct kit_err *err) KIT_CHECKED;
/* What the verdict of a pre_ hook means: 0 go on; 1 it refuses, and *err says why; -1 it is none.
 */
int act_hook_verdict(const struct act_hook_file *file, const char *point,
                     const struct klua_answer *answer, struct kit_err *err);

/* What on_unknown's value means: 1 and *ret_fail, 0 no opinion, -1 it is none. */
int act_hook_opinion(const struct act_hook_file *file, const char *point,
                     const struct klua_answer *answer, bool *ret_fail, struct kit_err *err);

/* ---- which route tables ---------------------------------------------------------------------- */

/* The choice of choose_tables, made once for a list of places and then remembered.  All borrowed
 * but the memory. */
struct act_choice {
    const struct act_hooks *hooks;
    const struct act_log *log;
    const struct kit_clock *clock;
    struct kit_deadline by;
    struct act_hook_about about; /* its point and facts are filled in */
    char **asked, **kept;        /* NULL-terminated */
};
bool act_choice_is_wanted(const struct act_hooks *hooks);
/* A kit_vip_filter_fn; `arg` is the choice.  KIT_ERR_HOOK: a hook failed, and which tables are
 * meant is not known. */
int act_choose(void *arg, struct kit_facts *facts, struct kit_err *err);
void act_choice_done(struct act_choice *choice);
/* What choose_tables returned, taken out of the facts; nothing: they stay as they are.
 * KIT_ERR_HOOK: no list, an empty one, or an id that is none of theirs. */
int act_choice_take(const struct act_hook_file *file, const struct klua_answer *answer,
                    struct kit_facts *facts, struct kit_err *err) KIT_CHECKED;

/* ---- for act.c and the actions --------------------------------------------------------------- */

/* Opens act->hooks, and takes the time of the hooks that come after the action off its deadline: a
 * fifth of it at most. */
void act_hooks_begin(struct act *act);
void act_hooks_end(struct act *act);
/* Keeps a copy of what was seen, for those that come after. */
void act_hooks_note(struct act *act, const struct kit_facts *facts);
/* The hooks before the action.  -1: one refuses (KIT_ERR_HOOK). */
int act_hooks_before(struct act *act, struct kit_err *err) KIT_CHECKED;
/* The hooks after it: they report, and change nothing. */
void act_hooks_after(struct act *act, enum act_outcome outcome, int status);
/* What hooks make of a state that could not be asked for: true when one decided. */
bool act_hooks_decide(struct act *act, const struct kit_err *why, bool *ret_fail);

#endif
