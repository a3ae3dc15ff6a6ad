#include "kit/cloud/ops.h"

#include <stdio.h>
#include <stdlib.h>

#include "kit/base/mem.h"
#include "kit/base/str.h"

/* ---- what was asked for ---------------------------------------------------------------------- */

static const struct kit_op_value *value_of(const struct kit_op_call *call, const char *name)
{
    static const struct kit_op_value none;

    for (size_t i = 0; i < call->op->params_count; i++)
        if (kit_str_eq(call->op->params[i].name, name))
            return &call->value[i];
    return &none;
}

const char *kit_op_text(const struct kit_op_call *call, const char *name)
{
    return value_of(call, name)->text;
}

char *const *kit_op_list(const struct kit_op_call *call, const char *name)
{
    return value_of(call, name)->list;
}

const struct kit_addr *kit_op_addr(const struct kit_op_call *call, const char *name)
{
    const struct kit_op_value *value = value_of(call, name);

    return value->text ? &value->addr : NULL;
}

int64_t kit_op_number(const struct kit_op_call *call, const char *name, int64_t otherwise)
{
    const struct kit_op_value *value = value_of(call, name);

    return value->text ? value->number : otherwise;
}

bool kit_op_flag(const struct kit_op_call *call, const char *name)
{
    return value_of(call, name)->text != NULL;
}

size_t kit_op_list_count(char *const *list)
{
    size_t count = 0;

    while (list && list[count])
        count++;
    return count;
}

/* ---- what came of it ------------------------------------------------------------------------- */

struct kit_op_row *kit_op_answer_add(struct kit_op_answer *answer)
{
    /* Grows at powers of two: `rows` says when. */
    if (!(answer->rows & (answer->rows - 1)))
        answer->row =
            kit_mem_grow(answer->row, answer->rows ? 2 * answer->rows : 1, sizeof(*answer->row));
    answer->row[answer->rows] = (struct kit_op_row){.cell = {NULL}};
    return &answer->row[answer->rows++];
}

void kit_op_cell(struct kit_op_row *row, size_t column, const char *text)
{
    free(row->cell[column]);
    row->cell[column] = text && text[0] ? kit_mem_strdup(text) : NULL;
}

void kit_op_answer_done(struct kit_op_answer *answer)
{
    for (size_t i = 0; i < answer->rows; i++)
        for (size_t c = 0; c < KIT_OP_COLUMNS; c++)
            free(answer->row[i].cell[c]);
    free(answer->row);
    *answer = (struct kit_op_answer){0};
}

__attribute__((format(printf, 4, 0))) static void put_text(char *dst, size_t dst_bytes,
                                                           const char *before, const char *fmt,
                                                           va_list args)
{
    int n = snprintf(dst, dst_bytes, "%s", before);

    if (n >= 0 && (size_t)n < dst_bytes)
        (void)vsnprintf(dst + n, dst_bytes - (size_t)n, fmt, args);
    kit_str_make_printable(dst);
}

void kit_op_say(struct kit_op_answer *answer, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    put_text(answer->text, sizeof(answer->text), "", fmt, args);
    va_end(args);
}

void kit_op_tell(const struct kit_op_ui *ui, const char *fmt, ...)
{
    char text[200];
    va_list args;

    if (!ui)
        return;
    va_start(args, fmt);
    put_text(text, sizeof(text), "", fmt, args);
    va_end(args);
    ui->progress(ui->arg, text);
}

int kit_op_judge(const struct kit_op_call *call, const void *evidence, struct kit_op_answer *answer,
                 struct kit_err *err)
{
    const struct kit_op *op = call->op;
    size_t first = answer->breaches;

    kit_rules_judge(op->rules, op->rules_count, evidence,
                    (struct kit_rule_list){answer->breach, &answer->breaches},
                    (struct kit_rule_list){answer->unknown, &answer->unknowns});
    return kit_rules_refuse(&answer->breach[first], answer->breaches - first, KIT_ERR_STATE, err);
}

int kit_op_begin(const struct kit_op_call *call, struct kit_op_answer *answer, struct kit_err *err,
                 const char *fmt, ...)
{
    char text[sizeof(answer->text)];
    va_list args;

    va_start(args, fmt);
    put_text(text, sizeof(text), call->dry_run ? "would " : "", fmt, args);
    va_end(args);
    if (call->dry_run) {
        (void)kit_str_copy(answer->text, sizeof(answer->text), text);
        return 0;
    }
    if (call->op->irreversible && !call->ui->confirm(call->ui->arg, text))
        return kit_err_set(err, KIT_ERR_REFUSED, "%s: not confirmed, nothing was changed", text);
    answer->changed = true;
    return 1;
}
