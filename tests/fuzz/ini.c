/* Any bytes: what is called back stands in the text, in order, whole: nothing is cut or made up. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "kit/fmt/ini.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct seen {
    const char *text;
    size_t len_bytes;
    unsigned line;
};

static void must_hold(const struct seen *seen, const char *part)
{
    if (*part && !memmem(seen->text, seen->len_bytes, part, strlen(part)))
        abort();
}

static int entry(void *arg, const struct kit_ini_entry *got, struct kit_err *err)
{
    struct seen *seen = arg;

    (void)err;
    if (got->line <= seen->line || !got->name[0])
        abort();
    seen->line = got->line;
    must_hold(seen, got->section);
    must_hold(seen, got->name);
    must_hold(seen, got->value);
    return 0;
}

static int section(void *arg, const char *name, unsigned line, struct kit_err *err)
{
    struct seen *seen = arg;

    (void)err;
    if (line <= seen->line || !name[0])
        abort();
    seen->line = line;
    must_hold(seen, name);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct seen seen = {.text = (const char *)data, .len_bytes = size};
    struct kit_err err;

    if (kit_ini_parse(seen.text, size, "x", entry, section, &seen, &err) < 0 &&
        err.kind != KIT_ERR_CONFIG)
        abort();
    return 0;
}
