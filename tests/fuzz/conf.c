/* tests/fuzz/conf.c - configuration files: no text may crash the parser, hang it, or make it say a
 * lie.
 *
 * The first byte chooses which kind of file the rest is. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "kit/base/mem.h"
#include "kit/base/str.h"
#include "kit/conf/load.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What was taken must be what the types allow, and putting it again must change nothing. */
static void check_settings(const struct kit_settings *s)
{
    KIT_AUTO(kit_settings) again;
    struct kit_err err;

    kit_settings_init(&again, s->tag);
    for (int i = 0; i < KIT_PARAM_COUNT; i++) {
        const char *text = kit_settings_text(s, (enum kit_param)i);
        if (!text)
            continue;
        if (!s->v[i].origin || kit_settings_put(&again, (enum kit_param)i, text, "again", &err) ||
            !kit_str_eq(text, kit_settings_text(&again, (enum kit_param)i)) ||
            s->v[i].number != again.v[i].number)
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct kit_conf *conf = kit_conf_new();
    struct kit_err err;

    if (size > 0) {
        enum kit_conf_kind kind = data[0] & 1 ? KIT_CONF_MAIN : KIT_CONF_RESOURCE;
        if (kit_conf_add_text(conf, kind, "fuzz.conf", (const char *)data + 1, size - 1, &err) &&
            (kind != KIT_CONF_MAIN || err.kind != KIT_ERR_CONFIG || err.msg[0] == '\0'))
            abort();
    }
    for (size_t i = 0; i < kit_conf_count(conf); i++) {
        struct kit_settings settings;
        if (kit_conf_settings(conf, kit_conf_tag(conf, i), NULL, 0, &settings, &err)) {
            /* A section that is refused is reported as broken. */
            if (kit_conf_broken_count(conf) == 0)
                abort();
            continue;
        }
        check_settings(&settings);
        kit_settings_done(&settings);
    }
    kit_conf_free(conf);
    return 0;
}
