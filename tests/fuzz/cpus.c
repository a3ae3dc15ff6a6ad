/* Any text as a list of CPUs: what is taken fits, and says as many CPUs as its mask has bits. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "kit/base/mem.h"
#include "kit/sys/rps.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = kit_mem_new(size + 1, 1), mask[KIT_RPS_MASK_BYTES];
    unsigned cpus, bits = 0;

    memcpy(text, data, size);
    if (kit_rps_parse_list(text, &cpus, mask)) {
        if (strlen(mask) >= sizeof(mask) || mask[strspn(mask, "0123456789abcdef,")] != '\0')
            abort();
        for (const char *c = mask; *c; c++)
            if (*c != ',')
                bits +=
                    (unsigned)__builtin_popcount((unsigned)(*c <= '9' ? *c - '0' : *c - 'a' + 10));
        if (bits != cpus || cpus == 0)
            abort();
    }
    free(text);
    return 0;
}
