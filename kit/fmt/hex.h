/* kit/fmt/hex.h - bytes as lower-case hexadecimal. */
#ifndef KIT_FMT_HEX_H
#define KIT_FMT_HEX_H

#include <stddef.h>

/* Writes 2 * len + 1 bytes to `out`; returns out. */
char *kit_hex(const void *data, size_t len_bytes, char *out);

#endif
