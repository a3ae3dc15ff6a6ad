/* actions/ctl/ops_show.c - an operation that runs, and its end, for people and for programs. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "actions/ctl/ops.h"
#include "actions/ctl/survey.h"
#include "kit/base/str.h"

/* ---- while it runs --------------------------------------------------------------------------- */

/* One line that is written over on a terminal; elsewhere one line for each new text. */
static void progress(void *arg, const char *text)
{
    struct ctl_ops_talk *talk = arg;
    int64_t now_ns = kit_clock_now_ns(talk->clock);
    bool is_new = !kit_str_eq(talk->text, text);

    if (is_new) {
        (void)kit_str_copy(talk->text, sizeof(talk->text), text);
        talk->since_ns = now_ns;
    }
    if (talk->terminal)
        (void)fprintf(stderr, "\r\033[K%s ... %lld s", text,
                      (long long)((now_ns - talk->since_ns) / KIT_NS_PER_S));
    else if (is_new)
        (void)fprintf(stderr, "cloudvip: %s\n", text);
}

bool ctl_ops_can_ask(void)
{
    FILE *tty;

    if (isatty(STDIN_FILENO))
        return true;
    tty = fopen("/dev/tty", "re");
    if (tty)
        (void)fclose(tty);
    return tty != NULL;
}

/* "y" and "yes" are yes. */
static bool confirm(void *arg, const char *text)
{
    struct ctl_ops_talk *talk = arg;
    FILE *from = stdin, *tty = NULL;
    char line[16] = "";
    bool yes;

    if (talk->yes)
        return true;
    if (!isatty(STDIN_FILENO)) {
        from = tty = fopen("/dev/tty", "re");
        if (!tty)
            return false;
    }
    if (talk->terminal && talk->text[0])
        (void)fputs("\r\033[K", stderr);
    (void)fprintf(stderr, "cloudvip: %s: %s. Go on? [y/N] ", text, talk->why);
    (void)fflush(stderr);
    yes = fgets(line, sizeof(line), from) != NULL;
    if (tty)
        (void)fclose(tty);
    char *answer = kit_str_trim(line);
    return yes && (kit_str_eq_nocase(answer, "y") || kit_str_eq_nocase(answer, "yes"));
}

void ctl_ops_talk_begin(struct ctl_ops_talk *talk, const struct kit_clock *clock, bool yes)
{
    *talk = (struct ctl_ops_talk){.clock = clock,
                                  .yes = yes,
                                  .why = "this cannot be undone",
                                  .terminal = isatty(STDERR_FILENO) == 1,
                                  .ui = {.arg = talk, .progress = progress, .confirm = confirm}};
}

void ctl_ops_talk_end(struct ctl_ops_talk *talk)
{
    if (talk->terminal && talk->text[0])
        (void)fputs("\r\033[K", stderr);
}

/* ---- a table --------------------------------------------------------------------------------- */

/* Characters, for people: UTF-8 takes several bytes for one. */
static int chars(const char *text)
{
    int n = 0;

    for (; *text; text++)
        n += ((unsigned char)*text & 0xc0) != 0x80;
    return n;
}

static const char *cell_of(const struct kit_op_row *row, size_t column)
{
    return row->cell[column] ? row->cell[column] : "-";
}

static void print_cell(const char *text, int width, bool last)
{
    (void)printf("%s%*s", text, last ? 0 : width - chars(text) + 2, "");
}

static void print_heading(const char *name, int width, bool last)
{
    char heading[32];

    (void)kit_str_copy(heading, sizeof(heading), name);
    for (char *c = heading; *c; c++)
        *c = *c == '_' ? ' ' : *c >= 'a' && *c <= 'z' ? (char)(*c - 'a' + 'A') : *c;
    print_cell(heading, width, last);
}

static void print_table(const struct kit_op_answer *answer)
{
    int width[KIT_OP_COLUMNS] = {0};
    size_t columns = 0;

    while (columns < KIT_OP_COLUMNS && answer->columns[columns])
        columns++;
    for (size_t c = 0; c < columns; c++) {
        width[c] = chars(answer->columns[c]);
        for (size_t r = 0; r < answer->rows; r++) {
            if (answer->row[r].cell[c])
                kit_str_make_printable(answer->row[r].cell[c]);
            if (chars(cell_of(&answer->row[r], c)) > width[c])
                width[c] = chars(cell_of(&answer->row[r], c));
        }
    }
    for (size_t c = 0; c < columns; c++)
        print_heading(answer->columns[c], width[c], c + 1 == columns);
    (void)putchar('\n');
    for (size_t r = 0; r < answer->rows; r++) {
        for (size_t c = 0; c < columns; c++)
            print_cell(cell_of(&answer->row[r], c), width[c], c + 1 == columns);
        (void)putchar('\n');
    }
}

void ctl_ops_warn(const struct kit_breach broken[], size_t count, const struct kit_breach unknown[],
                  size_t unknowns)
{
    for (size_t i = 0; i < count; i++) {
        const struct kit_breach *b = &broken[i];

        if (b->rule->level == KIT_RULE_WARN)
            (void)fprintf(stderr, "cloudvip: warning: rule %u: %s: %s; %s\n", b->rule->number,
                          b->detail, b->rule->means, b->rule->remedy);
    }
    for (size_t i = 0; i < unknowns; i++)
        (void)fprintf(stderr, "cloudvip: warning: rule %u could not be checked (%s): %s\n",
                      unknown[i].rule->number, unknown[i].detail, unknown[i].rule->means);
}

/* ---- JSON ------------------------------------------------------------------------------------ */

static void rows_json(const struct kit_op_answer *answer, struct kit_json_writer *w)
{
    kit_json_open(w, "rows", '[');
    for (size_t r = 0; r < answer->rows; r++) {
        kit_json_open(w, NULL, '{');
        for (size_t c = 0; c < KIT_OP_COLUMNS && answer->columns[c]; c++)
            kit_json_put_string(w, answer->columns[c], answer->row[r].cell[c]);
        kit_json_close(w);
        ctl_flush_json(w);
    }
    kit_json_close(w);
}

void ctl_ops_rules_json(const char *key, const struct kit_breach list[], size_t count,
                        struct kit_json_writer *w)
{
    kit_json_open(w, key, '[');
    for (size_t i = 0; i < count; i++) {
        const struct kit_breach *b = &list[i];

        kit_json_open(w, NULL, '{');
        kit_json_put_int(w, "rule", b->rule->number);
        kit_json_put_string(w, "level", b->rule->level == KIT_RULE_REFUSE ? "refuse" : "warn");
        kit_json_put_string(w, "detail", b->detail);
        kit_json_put_string(w, "means", b->rule->means);
        kit_json_put_string(w, "remedy", b->rule->remedy);
        kit_json_close(w);
    }
    kit_json_close(w);
}

static void print_json(const struct kit_op *op, const struct kit_op_answer *answer,
                       enum ctl_status status, const struct kit_err *err)
{
    KIT_AUTO(kit_buf) text = KIT_BUF(CTL_ROW_BYTES);
    struct kit_json_writer w = {.out = &text, .pretty = true};

    kit_json_open(&w, NULL, '{');
    kit_json_put_string(&w, "object", op->object);
    kit_json_put_string(&w, "verb", op->verb);
    kit_json_put_int(&w, "status", status);
    kit_json_put_bool(&w, "changed", answer->changed);
    kit_json_put_string(&w, "text", answer->text[0] ? answer->text : NULL);
    rows_json(answer, &w);
    ctl_ops_rules_json("breaches", answer->breach, answer->breaches, &w);
    ctl_ops_rules_json("unchecked", answer->unknown, answer->unknowns, &w);
    if (err)
        ctl_err_json(err, &w);
    kit_json_close(&w);
    (void)kit_buf_putc(&text, '\n');
    ctl_flush_json(&w);
}

void ctl_ops_show(const struct ctl *ctl, const struct kit_op *op,
                  const struct kit_op_answer *answer, enum ctl_status status,
                  const struct kit_err *err)
{
    if (ctl->json) {
        print_json(op, answer, status, err);
    } else {
        if (answer->rows && answer->columns)
            print_table(answer);
        if (answer->text[0] && !err)
            (void)printf("%s\n", answer->text);
    }
    ctl_ops_warn(answer->breach, answer->breaches, answer->unknown, answer->unknowns);
    if (err)
        ctl_complain(NULL, err);
}
