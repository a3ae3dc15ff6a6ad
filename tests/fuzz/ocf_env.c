/* Any bytes as an environment, a NUL byte behind each entry: the overlay of it holds what was
 * there, and every status is one of those that there are. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "actions/manager/ocf.h"
#include "kit/base/mem.h"
#include "kit/base/str.h"

#define ENTRIES 300

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void overlay(char *const env[])
{
    struct kit_overlay *list;
    struct kit_err err;
    size_t count;

    if (act_ocf_overlay(env, &list, &count, &err))
        return;
    for (size_t i = 0; i < count; i++)
        if (!kit_str_starts(list[i].origin, "OCF_RESKEY_") || list[i].key[0] == '\0' ||
            list[i].value[0] == '\0' || strchr(list[i].key, '=') ||
            !kit_str_eq(list[i].key, list[i].origin + strlen("OCF_RESKEY_")))
            abort();
    kit_conf_words_free(list, count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = kit_mem_new(size + 1, 1), *env[ENTRIES + 1];
    size_t n = 0;

    memcpy(text, data, size);
    for (size_t at = 0; at < size && n < ENTRIES; at += strlen(text + at) + 1)
        env[n++] = text + at;
    env[n] = NULL;
    overlay(env);
    for (int action = ACT_OCF_START; action <= ACT_OCF_OTHER; action++) {
        struct act_end end = {.outcome = ACT_OUT_CONFIG, .in_service = size % 2};
        if (act_ocf_status((enum act_ocf_action)action, &end, env) > ACT_OCF_NOT_RUNNING)
            abort();
    }
    free(text);
    return 0;
}
