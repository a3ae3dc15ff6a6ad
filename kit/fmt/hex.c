#include "kit/fmt/hex.h"

char *kit_hex(const void *data, size_t len_bytes, char *out)
{
    static const char digit[] = "0123456789abcdef";
    const unsigned char *byte = data;

    for (size_t i = 0; i < len_bytes; i++) {
        out[2 * i] = digit[byte[i] >> 4];
        out[2 * i + 1] = digit[byte[i] & 15];
    }
    out[2 * len_bytes] = '\0';
    return out;
}
