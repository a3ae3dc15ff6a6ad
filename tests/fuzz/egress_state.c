/* tests/fuzz/egress_state.c - what a stopped run of `egress unify` left, whoever wrote into it; and
 * an echo service's answer. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "actions/ctl/egress_echo.h"
#include "actions/ctl/egress_state.h"
#include "kit/base/str.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is taken goes into requests, and into the name of a file. */
static void check_id(const char *text, size_t bytes)
{
    if (!memchr(text, '\0', bytes) || strpbrk(text, "/ \"\\\n&="))
        abort();
}

static void try_state(const char *text, size_t len)
{
    struct ctl_egress_state s;
    struct kit_err err;

    if (ctl_egress_state_parse(text, len, "fuzz", "i-1", &s, &err)) {
        if (err.kind != KIT_ERR_CONFIG || !err.msg[0])
            abort();
        return;
    }
    if (!kit_str_eq(s.instance, "i-1"))
        abort();
    check_id(s.eni, sizeof(s.eni));
    check_id(s.eip, sizeof(s.eip));
    check_id(s.token, sizeof(s.token));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char text[KIT_ADDR_TEXT];
    struct kit_addr addr, again;

    try_state((const char *)data, size);
    if (ctl_egress_echo_parse((const char *)data, size, &addr) &&
        (addr.family != 4 || !kit_addr_parse(kit_addr_text(&addr, text), &again) ||
         !memmem(data, size, text, strlen(text))))
        abort();
    return 0;
}
