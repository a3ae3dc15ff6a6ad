#include "kit/cloud/ops.h"

#include <stdlib.h>

#include "kit/base/mem.h"

struct kit_op_row *kit_op_answer_add(struct kit_op_answer *answer)
{
    answer->row = kit_mem_grow(answer->row, answer->rows + 1, sizeof(*answer->row));
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
