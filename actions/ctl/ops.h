/* actions/ctl/ops.h - `cloudvip havip|eni|eip VERB …`: finds the operation (kit/cloud/ops.h), reads
 * its words, runs it, and shows what came of it.
 *
 * A further operation is a row of its provider's table and nothing here; a further object is a row
 * of ctl.c's table, too. */
#ifndef ACTIONS_CTL_OPS_H
#define ACTIONS_CTL_OPS_H

#include <stdio.h>

#include "actions/ctl/ctl.h"
#include "kit/cloud/ops.h"
#include "kit/fmt/json.h"

/* ---- what all operations take ---------------------------------------------------------------- */

enum ctl_ops_common {
    CTL_OPS_RESOURCE,
    CTL_OPS_PROVIDER,
    CTL_OPS_REGION,
    CTL_OPS_PROFILE,
    CTL_OPS_TIMEOUT,
    CTL_OPS_DRY_RUN,
    CTL_OPS_YES,
    CTL_OPS_HELP,
    CTL_OPS_COMMON,
};
extern const struct kit_op_param ctl_ops_common[CTL_OPS_COMMON];

/* The settings of a command that is about no resource, or not about its address: [defaults], the
 * section of --resource, and what the common options set, in front of both. */
int ctl_ops_settings(const struct ctl *ctl, const struct kit_op_value common[CTL_OPS_COMMON],
                     struct kit_settings *ret_settings, struct kit_err *err) KIT_CHECKED;

/* What an error of an operation amounts to: it was not done (wrong), or that is not known. */
enum ctl_status ctl_ops_status_of(const struct kit_err *err);

/* ---- ops_help.c ------------------------------------------------------------------------------ */

/* The operation, or NULL. */
const struct kit_op *ctl_ops_find(const struct kit_provider *provider, const char *object,
                                  const char *verb);
/* `provider` NULL: of all. */
void ctl_ops_usage(FILE *out, const struct kit_provider *provider, const char *object);
void ctl_ops_usage_of(FILE *out, const struct kit_provider *provider, const char *object,
                      const char *verb);
/* KIT_ERR_USAGE: no such verb, the one that was meant, those that there are. */
int ctl_ops_no_verb(const struct kit_provider *provider, const char *object, const char *verb,
                    struct kit_err *err);

/* ---- ops_show.c ------------------------------------------------------------------------------ */

/* The ui of one run. */
struct ctl_ops_talk {
    const struct kit_clock *clock;
    bool yes;        /* asks nobody */
    bool terminal;   /* standard error is one: one line that is written over */
    const char *why; /* it is asked */
    char text[200];
    int64_t since_ns; /* of `text` */
    struct kit_op_ui ui;
};
void ctl_ops_talk_begin(struct ctl_ops_talk *talk, const struct kit_clock *clock, bool yes);
void ctl_ops_talk_end(struct ctl_ops_talk *talk);
/* Is there somebody who can be asked? */
bool ctl_ops_can_ask(void);

/* The result on stdout: a table and a line, or JSON.  `err` NULL: it was done. */
void ctl_ops_show(const struct ctl *ctl, const struct kit_op *op,
                  const struct kit_op_answer *answer, enum ctl_status status,
                  const struct kit_err *err);

/* On stderr: what is broken and does not refuse (what does is in the error), and what could not be
 * checked. */
void ctl_ops_warn(const struct kit_breach broken[], size_t count, const struct kit_breach unknown[],
                  size_t unknowns);
/* An array of rules: number, level, detail, meaning and remedy. */
void ctl_ops_rules_json(const char *key, const struct kit_breach list[], size_t count,
                        struct kit_json_writer *w);

#endif
