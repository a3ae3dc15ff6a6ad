/* kit/cloud/token.c - client tokens. */
#include <sys/random.h>

#include "kit/base/str.h"
#include "kit/cloud/call.h"
#include "kit/fmt/hex.h"

int kit_call_token(char ret_token[KIT_CALL_TOKEN], struct kit_err *err)
{
    unsigned char bytes[16];
    char hex[2 * sizeof(bytes) + 1];

    if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
        return kit_err_set(err, KIT_ERR_SYSTEM, "getrandom");
    bytes[6] = (unsigned char)((bytes[6] & 0x0f) | 0x40);
    bytes[8] = (unsigned char)((bytes[8] & 0x3f) | 0x80);
    (void)kit_hex(bytes, sizeof(bytes), hex);
    (void)kit_str_format(ret_token, KIT_CALL_TOKEN, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8,
                         hex + 12, hex + 16, hex + 20);
    return 0;
}
