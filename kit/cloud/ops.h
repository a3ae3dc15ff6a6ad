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
    KIT_OP_IDS, /* separated by commas or white space; given again: more of them */
    KIT_OP_ADDRESS,
    KIT_OP_CHOICE,
    KIT_OP_NUMBER,
    KIT_OP_TEXT, /* printable */
    KIT_OP_FLAG, /* takes no value */
};

struct kit_op_param {
    const char *name; /* "vswitch": given as --vswitch VALUE or --vswitch=VALUE, or in its turn when
                       * `positional` */
    enum kit_op_type type;
    const char *form; /* CHOICE: "a|b"; NUMBER: "MIN..MAX"; TEXT: the same, of its characters, or
                       * NULL: at most KIT_OP_TEXT_CHARS */
    bool required, positional;
    const char *text; /* one sentence for the usage text and the manual */
};
#define KIT_OP_TEXT_CHARS 256

#define KIT_OP_PARAMS 12
/* A value that was given.  kit_op_values_done frees what is owned. */
struct kit_op_value {
    const char *text;     /* borrowed from the words; NULL = not given; FLAG: "yes" */
    char **list;          /* IDS, NULL-terminated; owned */
    struct kit_addr addr; /* ADDRESS */
    int64_t number;       /* NUMBER */
};
void kit_op_values_done(struct kit_op_value value[], size_t count);

/* Some parameters, and where their values go. */
struct kit_op_table {
    const struct kit_op_param *params;
    size_t count;
    struct kit_op_value *value; /* zeroed */
};
enum kit_op_words {
    KIT_OP_WHOLE,  /* each word must be one of the tables', and what is required must be there */
    KIT_OP_PARTLY, /* options of the tables alone; every other word is passed over: a first look, to
                    * find out which tables the whole has */
};
/* Reads the words behind `cloudvip OBJECT VERB`.  A value that begins with '-' is taken only as
 * --name=VALUE; behind "--" there are positionals alone.  KIT_ERR_USAGE says what is wrong, with
 * the name that was meant; nothing unprintable is shown.  The caller frees the values in either
 * case. */
int kit_op_parse(const struct kit_op_table table[], size_t tables, char *const word[], size_t words,
                 enum kit_op_words how, struct kit_err *err) KIT_CHECKED;

/* How an operation talks while it runs; must not block but in `confirm`. */
struct kit_op_ui {
    void *arg;
    /* "eni-1: Attaching", at each look, whether it is new or not. */
    void (*progress)(void *arg, const char *text);
    /* What is about to happen and cannot be undone; false: the person said no. */
    bool (*confirm)(void *arg, const char *text);
};

struct kit_op;
struct kit_op_call {
    const struct kit_op *op;
    const struct kit_settings *settings;
    const struct kit_op_value *value; /* in the order of op->params */
    bool dry_run;                     /* stop before the first change */
    const struct kit_op_ui *ui;
    struct kit_deadline by;
};
/* The values by name, NULL or false when not given.  The name must be one of op->params. */
const char *kit_op_text(const struct kit_op_call *call, const char *name);
char *const *kit_op_list(const struct kit_op_call *call, const char *name);
const struct kit_addr *kit_op_addr(const struct kit_op_call *call, const char *name);
int64_t kit_op_number(const struct kit_op_call *call, const char *name, int64_t otherwise);
bool kit_op_flag(const struct kit_op_call *call, const char *name);
size_t kit_op_list_count(char *const *list); /* NULL: 0 */

/* What came of it.  Cells are owned; kit_op_answer_done frees. */
#define KIT_OP_COLUMNS 12
struct kit_op_row {
    char *cell[KIT_OP_COLUMNS]; /* NULL = nothing to say */
};
struct kit_op_answer {
    const char *const *columns; /* their names, NULL-terminated; static; JSON members too */
    struct kit_op_row *row;
    size_t rows;
    bool changed;   /* something was sent that changes the cloud; or is about to be */
    char text[256]; /* one line for people: what was, or with dry_run would be, done */
    struct kit_breach breach[KIT_BREACHES], unknown[KIT_BREACHES]; /* broken; not to be checked */
    size_t breaches, unknowns;
};
void kit_op_answer_done(struct kit_op_answer *answer);
/* A new row, valid until the next; cells are put with kit_op_cell (NULL and "" = nothing). */
struct kit_op_row *kit_op_answer_add(struct kit_op_answer *answer);
void kit_op_cell(struct kit_op_row *row, size_t column, const char *text);

/* ---- for the operations' own code ------------------------------------------------------------ */

/* Judges op->rules; what is broken goes into the answer.  -1, KIT_ERR_STATE with the rule's number,
 * when one that refuses is. */
int kit_op_judge(const struct kit_op_call *call, const void *evidence, struct kit_op_answer *answer,
                 struct kit_err *err) KIT_CHECKED;
/* Before the first change, all being read and judged: "delete eni-1".
 * 1: go on, *answer counts as changed from now on.  0: a dry run, it is in the answer's text, done.
 * -1, KIT_ERR_REFUSED: it cannot be undone, and the person said no. */
int kit_op_begin(const struct kit_op_call *call, struct kit_op_answer *answer, struct kit_err *err,
                 const char *fmt, ...) KIT_PRINTF(4, 5) KIT_CHECKED;
/* What came of it, for people. */
void kit_op_say(struct kit_op_answer *answer, const char *fmt, ...) KIT_PRINTF(2, 3);
/* What is waited for; `ui` NULL: nobody listens. */
void kit_op_tell(const struct kit_op_ui *ui, const char *fmt, ...) KIT_PRINTF(2, 3);

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

/* ---- changes --------------------------------------------------------------------------------- */

/* A change that is sent once and then looked for.
 *
 *   static int look(void *arg, struct kit_err *err)   kit_poll_fn
 *   {
 *       … asks; 1 when it is as it should be, -1 when it never will;
 *       return kit_op_change_is_due(&c) ? kit_op_change_sent(&c, …) : 0;
 *   }
 *   kit_op_change_until(&c, look, …)
 *
 * A refusal that may pass (another task is under way, the answer was lost) leads to another look,
 * and what was accepted is not sent again but when the looks have shown nothing of it for so long
 * that they cannot be stale. */
struct kit_op_change {
    const struct kit_clock *clock;
    struct kit_deadline by;
    unsigned accepted;               /* how often the cloud said yes */
    struct kit_deadline stale_until; /* a look may show what was before */
    struct kit_err last;             /* the last refusal that may pass; msg "" = none */
};
#define KIT_OP_STALE_MS INT64_C(15000)
/* Tries of one change before the next look. */
#define KIT_OP_TRIES 3
bool kit_op_change_is_due(const struct kit_op_change *change);
/* The call came back with rc and *err.  0: accepted, or to be looked for; -1: refused for good.
 * `passes`: the refusal says that there is nothing left to do, so look. */
int kit_op_change_sent(struct kit_op_change *change, int rc, bool passes,
                       struct kit_err *err) KIT_CHECKED;
/* kit_poll_until, 100 ms at first and 2 s apart in the end; an end of patience tells the last
 * refusal. */
int kit_op_change_until(struct kit_op_change *change, kit_poll_fn look, void *arg,
                        struct kit_err *err) KIT_CHECKED;

#endif
