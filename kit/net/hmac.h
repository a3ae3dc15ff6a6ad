/* kit/net/hmac.h - the two primitives of every request signature (libcrypto). */
#ifndef KIT_NET_HMAC_H
#define KIT_NET_HMAC_H

#include <stddef.h>

#define KIT_SHA256_BYTES 32
#define KIT_SHA256_HEX   65 /* with the NUL */

void kit_sha256(const void *data, size_t len_bytes, unsigned char ret_digest[KIT_SHA256_BYTES]);
void kit_sha256_hex(const void *data, size_t len_bytes, char ret_hex[KIT_SHA256_HEX]);
void kit_hmac_sha256(const void *key, size_t key_bytes, const void *data, size_t len_bytes,
                     unsigned char ret_mac[KIT_SHA256_BYTES]);

#endif
