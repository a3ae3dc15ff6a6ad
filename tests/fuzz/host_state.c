/* Any bytes as a state file of `nic setup`: what is taken is written again as it was read, or it is
 * refused. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "kit/host/state.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    KIT_AUTO(kit_host_state) state = {0};
    KIT_AUTO(kit_host_state) again = {0};
    KIT_AUTO(kit_buf) text = KIT_BUF(KIT_HOST_STATE_BYTES);
    KIT_AUTO(kit_buf) twice = KIT_BUF(KIT_HOST_STATE_BYTES);
    struct kit_host_now now = {.named = NULL};
    struct kit_err err;
    char *copy = malloc(size + 1);

    if (!copy)
        return 0;
    memcpy(copy, data, size);
    copy[size] = '\0';
    kit_host_take_tables(&now, copy);
    kit_host_now_done(&now);
    if (kit_host_state_parse(copy, size, "state", &state, &err) == 0) {
        kit_host_state_format(&state, &text);
        if (!text.overflow &&
            (kit_host_state_parse(text.data, text.len_bytes, "state", &again, &err) != 0))
            abort();
        kit_host_state_format(&again, &twice);
        if (!text.overflow && strcmp(text.data, twice.data) != 0)
            abort();
    }
    free(copy);
    return 0;
}
