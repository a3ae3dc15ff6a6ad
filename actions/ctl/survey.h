/* actions/ctl/survey.h - where are they all?  As few calls as can be: resources that reach the
 * cloud in the same way are asked for together. */
#ifndef ACTIONS_CTL_SURVEY_H
#define ACTIONS_CTL_SURVEY_H

#include "actions/ctl/ctl.h"
#include "kit/fmt/json.h"

/* One resource. */
struct ctl_row {
    struct kit_settings settings;
    const struct kit_mover *mover; /* NULL: it did not come that far */
    struct kit_facts facts;        /* unless failed */
    struct act_hooks hooks;        /* open once its cloud was asked */
    bool failed;
    struct kit_err err;
    struct kit_record record;
    char nic[128]; /* " - interface eth1 is down": why HERE is worth nothing; "" = nothing to say */
    struct kit_local local; /* where the address has to be on this host, if has_local */
    enum kit_local_state local_state;
    bool has_local;
    bool asked; /* it is done with */
};

struct ctl_survey {
    struct ctl_row *row;
    size_t count;
    struct kit_call_stats stats;
    enum ctl_status broken; /* of configuration files that could not be used: CTL_RIGHT = none (each
                               was complained of) */
};

/* Reads the configuration, the records, and asks the cloud; for a plan also what a claim needs to
 * know and what its warnings are about.  Per-resource failures are in the rows;
 * -1 when there is nothing to show at all (complained of already; *ret_status says what it amounts
 * to).  Blocks for quickcheck_timeout at most, per group of resources. */
int ctl_survey(const struct ctl *ctl, bool for_plan, struct ctl_survey *ret_survey,
               struct kit_err *err) KIT_CHECKED;
void ctl_survey_done(struct ctl_survey *survey);

/* Is all well with it, seen from here?  Wrong: nowhere, split, a blackhole, elsewhere although we
 * should have it. */
enum ctl_status ctl_row_status(const struct ctl_row *row);
const char *ctl_row_word(const struct ctl_row *row); /* "here", "other", "nowhere", "split",
                                                        "blackhole", "foreign", "unknown" */
/* The address, or whatever else names what is protected. */
const char *ctl_row_address(const struct ctl_row *row);
/* The members of a row's JSON object that all commands share; the caller opens and closes it. */
void ctl_row_json(const struct ctl_row *row, struct kit_json_writer *w);
/* Prints what was written so far and empties the buffer: one row at a time fits, however many there
 * are. */
#define CTL_ROW_BYTES (2u * 1024 * 1024) /* a resource of 200 tables is some 60 KiB */
void ctl_flush_json(struct kit_json_writer *w);
/* The member `error`. */
void ctl_err_json(const struct kit_err *err, struct kit_json_writer *w);

#endif
