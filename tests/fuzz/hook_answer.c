/* tests/fuzz/hook_answer.c - what a hook's child may write to its parent. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lua/klua.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_printable(const char *text, size_t max_bytes)
{
    if (strlen(text) > max_bytes)
        abort();
    for (; *text; text++)
        if ((unsigned char)*text < 0x20 || *text == 0x7f)
            abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct klua_answer answer = {0};
    struct kit_err err;
    int rc = klua_answer_read((const char *)data, size, &answer, &err);

    if (answer.lines > KLUA_LINES || (rc && (err.kind != KIT_ERR_HOOK || !err.msg[0])))
        abort();
    for (size_t i = 0; i < answer.lines; i++) {
        check_printable(answer.line[i].text, KLUA_LINE_BYTES);
        if (!klua_level_name(answer.line[i].level))
            abort();
    }
    check_printable(answer.why, sizeof(answer.why) - 1);
    (void)kit_json_type(answer.value);
    klua_answer_done(&answer);
    return 0;
}
