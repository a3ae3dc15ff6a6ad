/* kit/cloud/ops.h - operations on the objects that the scenarios rest on: `cloudvip eni attach`.
 *
 * An operation is data like a mover: what it takes, which permissions it needs, which rules it
 * checks, and one function.  The function reads first, judges its rules, and changes nothing when
 * one that refuses is broken; it asks before what cannot be undone, and tells what it waits for. */
#ifndef KIT_CLOUD_OPS_H
#define KIT_CLOUD_OPS_H

#include "kit/cloud/cloud.h"

enum kit_op_type {
    KIT_OP_ID,
    KIT_OP_IDS, /* separated by commas or white space */
    KIT_OP_ADDRESS,
    KIT_OP_CHOICE,
    KIT_OP_TEXT,
    KIT_OP_FLAG, /* takes no value */
};

struct kit_op_param {
    const char *name; /* "vswitch": given as --vswitch VALUE, or in its turn when `positional` */
    enum kit_op_type type;
    const char *form; /* CHOICE: "a|b" */
    bool required, positional;
    const char *text; /* one sentence for the usage text and the manual */
};

#define KIT_OP_PARAMS 12
struct kit_op_value {
    const char *text;     /* NULL = not given; FLAG: "yes" */
    char *const *list;    /* IDS, NULL-terminated */
    struct kit_addr addr; /* ADDRESS */
};

/* How an operation talks while it runs; must not block but in `confirm`. */
struct kit_op_ui {
    void *arg;
    /* "eni-1 is Attaching": once for each new text. */
    void (*progress)(void *arg, const char *text);
    /* What is about to happen and cannot be undone; false: the person said no. */
    bool (*confirm)(void *arg, const char *text);
};

struct kit_op;
struct kit_op_call {
    const struct kit_op *op;
    const struct kit_settings *settings;
    struct kit_op_value value[KIT_OP_PARAMS]; /* in the order of op->params */
    bool dry_run;                             /* stop before the first change */
    const struct kit_op_ui *ui;
    struct kit_deadline by;
};

/* What came of it.  Cells are owned; kit_op_answer_done frees. */
#define KIT_OP_COLUMNS 12
struct kit_op_row {
    char *cell[KIT_OP_COLUMNS]; /* NULL = nothing to say */
};
struct kit_op_answer {
    const char *const *columns; /* their names, NULL-terminated; static; JSON members too */
    struct kit_op_row *row;
    size_t rows;
    bool changed;   /* something was sent that changes the cloud */
    char text[256]; /* one line for people: what was, or with dry_run would be, done */
    struct kit_breach breach[KIT_BREACHES];
    size_t breaches;
};
void kit_op_answer_done(struct kit_op_answer *answer);
/* A new row, valid until the next; cells are put with kit_op_cell (NULL and "" = nothing). */
struct kit_op_row *kit_op_answer_add(struct kit_op_answer *answer);
void kit_op_cell(struct kit_op_row *row, size_t column, const char *text);

struct kit_op {
    const char *object, *verb; /* "eni", "attach" */
    const char *does;          /* for the usage text */
    const struct kit_op_param *params;
    size_t params_count; /* KIT_OP_PARAMS at most */
    const struct kit_permission *permissions;
    size_t permissions_count;
    const struct kit_rule *rules;
    size_t rules_count;
    bool irreversible; /* asks, or wants --yes */
    /* Done when it returns 0: asynchronous states were waited for.  Done already: 0, and not
     * `changed`.  Killed at any point, a second run finishes.  A rule that refuses and is broken:
     * KIT_ERR_STATE with its number, and nothing was changed.  Blocks until call->by at most. */
    int (*run)(struct kit_cloud *cloud, const struct kit_op_call *call,
               struct kit_op_answer *answer, struct kit_err *err);
};

#endif
