/* tests/fuzz/info_field.c - what ins_list may print, down to the settings that are made of it; and
 * the file of tunables. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "actions/manager/lifekeeper.h"
#include "kit/base/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_words(const struct kit_overlay *overlay, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (overlay[i].key[0] == '\0' || strpbrk(overlay[i].key, "=, ") ||
            strpbrk(overlay[i].value, ", "))
            abort();
}

static void try_words(const char *text)
{
    struct kit_overlay *overlay;
    struct kit_settings settings;
    struct kit_err err;
    size_t count;

    if (kit_conf_parse_words(text, "info field", &overlay, &count, &err)) {
        if (err.kind != KIT_ERR_CONFIG || err.msg[0] == '\0')
            abort();
        return;
    }
    check_words(overlay, count);
    struct kit_conf *conf = kit_conf_new();
    if (kit_conf_settings(conf, "v", overlay, count, &settings, &err) == 0)
        kit_settings_done(&settings);
    kit_conf_free(conf);
    kit_conf_words_free(overlay, count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    KIT_AUTO(kit_buf) info = KIT_BUF(KIT_CONF_WORDS_BYTES);
    KIT_AUTO(kit_buf) text = KIT_BUF(1u << 20);
    struct kit_err err;
    char value[32];

    if (act_lifekeeper_find_info((const char *)data, size, "v", &info, &err) == 0)
        try_words(info.data);
    (void)kit_buf_add(&text, data, size);
    try_words(text.data);
    (void)act_lifekeeper_tunable(text.data, "X", value, sizeof(value));
    return 0;
}
