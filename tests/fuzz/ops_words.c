/* tests/fuzz/ops_words.c - the words of an operation, as a hostile caller would type them: one a
 * line. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "kit/base/str.h"
#include "kit/cloud/ops.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct kit_op_param params[] = {
    {"eni", KIT_OP_ID, NULL, true, true, "the ENI"},
    {"ids", KIT_OP_IDS, NULL, false, false, "ids"},
    {"address", KIT_OP_ADDRESS, NULL, false, false, "an address"},
    {"check", KIT_OP_CHOICE, "on|off|whatever", false, false, "the check"},
    {"count", KIT_OP_NUMBER, "-5..10", false, false, "how many"},
    {"name", KIT_OP_TEXT, "2..128", false, false, "a name"},
    {"note", KIT_OP_TEXT, NULL, false, true, "a note"},
    {"yes", KIT_OP_FLAG, NULL, false, false, "do not ask"},
};
#define PARAMS KIT_LEN(params)
#define WORDS  64

/* What was accepted is what the table says. */
static void check(const struct kit_op_value value[PARAMS])
{
    for (size_t i = 0; i < PARAMS; i++) {
        if (!value[i].text)
            continue;
        if (params[i].type == KIT_OP_ID && !kit_settings_is_id(value[i].text))
            abort();
        if (params[i].type == KIT_OP_NUMBER && (value[i].number < -5 || value[i].number > 10))
            abort();
        if (params[i].type == KIT_OP_ADDRESS && !value[i].addr.family)
            abort();
        if (params[i].type == KIT_OP_TEXT && strpbrk(value[i].text, "\n\r\t\x1b"))
            abort();
        for (char *const *id = value[i].list; id && *id; id++)
            if (!kit_settings_is_id(*id))
                abort();
    }
}

static void try(char *const word[], size_t words, enum kit_op_words how)
{
    struct kit_op_value value[PARAMS] = {{.text = NULL}};
    const struct kit_op_table table = {params, PARAMS, value};
    struct kit_err err;

    if (kit_op_parse(&table, 1, word, words, how, &err) == 0) {
        check(value);
        if (how == KIT_OP_WHOLE && !value[0].text)
            abort();
    } else {
        char shown[sizeof(err.msg)];
        memcpy(shown, err.msg, sizeof(shown));
        kit_str_make_printable(shown);
        if (err.kind != KIT_ERR_USAGE || !err.msg[0] || strcmp(shown, err.msg) != 0)
            abort();
    }
    kit_op_values_done(value, PARAMS);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1), *word[WORDS];
    size_t words = 0;

    if (!text)
        return 0;
    memcpy(text, data, size);
    text[size] = '\0';
    for (char *at = text; at && words < WORDS; words++) {
        word[words] = at;
        at = strchr(at, '\n');
        if (at)
            *at++ = '\0';
    }
    try(word, words, KIT_OP_WHOLE);
    try(word, words, KIT_OP_PARTLY);
    free(text);
    return 0;
}
