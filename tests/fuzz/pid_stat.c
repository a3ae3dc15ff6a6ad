/* Any bytes as a line of /proc/PID/stat: a start time is no negative number. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "kit/base/mem.h"
#include "kit/sys/pid.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = kit_mem_new(size + 1, 1);
    int64_t ticks = -1;

    memcpy(text, data, size);
    if (kit_pid_parse_stat(text, &ticks) ? ticks < 0 : ticks != -1)
        abort();
    free(text);
    return 0;
}
