/* Any bytes as the output of ins_list and as /etc/default/LifeKeeper: what comes out fits, is text,
 * and was there. Behind the first NUL byte is the file. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "actions/manager/lcdi.h"
#include "actions/manager/lifekeeper.h"
#include "kit/base/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void info(const char *output, size_t len)
{
    KIT_AUTO(kit_buf) field = KIT_BUF(512);
    struct kit_err err;

    if (act_lcdi_field(output, len, "vip1", ACT_LCDI_INFO, &field, &err))
        return;
    if (field.len_bytes && !memmem(output, len, field.data, field.len_bytes))
        abort();
    if (strchr(field.data, '\001') || strlen(field.data) != field.len_bytes)
        abort();
}

static void tunable(const char *text)
{
    char value[16];

    if (act_lifekeeper_tunable(text, "CLOUDVIP_RESTORE_TIMEOUT", value, sizeof(value)) &&
        strlen(value) >= sizeof(value))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = kit_mem_new(size + 1, 1);
    size_t output;

    memcpy(text, data, size);
    output = strlen(text);
    info(text, output < size ? output : size);
    info(text, size);
    tunable(output < size ? text + output + 1 : text);
    free(text);
    return 0;
}
