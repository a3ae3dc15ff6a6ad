#include "kit/net/hmac.h"

#include <limits.h>
#include <unistd.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "kit/fmt/hex.h"

/* libcrypto fails here only without memory or with a broken provider; a wrong digest would be sent
 * as a signature, so the process ends as it does when memory does. */
static _Noreturn void give_up(void)
{
    static const char line[] = "cloudvip: libcrypto cannot compute SHA-256\n";

    if (write(STDERR_FILENO, line, sizeof(line) - 1) < 0)
        _exit(1);
    _exit(1);
}

void kit_sha256(const void *data, size_t len_bytes, unsigned char ret_digest[KIT_SHA256_BYTES])
{
    if (EVP_Digest(data, len_bytes, ret_digest, NULL, EVP_sha256(), NULL) != 1)
        give_up();
}

void kit_sha256_hex(const void *data, size_t len_bytes, char ret_hex[KIT_SHA256_HEX])
{
    unsigned char digest[KIT_SHA256_BYTES];

    kit_sha256(data, len_bytes, digest);
    (void)kit_hex(digest, sizeof(digest), ret_hex);
}

void kit_hmac_sha256(const void *key, size_t key_bytes, const void *data, size_t len_bytes,
                     unsigned char ret_mac[KIT_SHA256_BYTES])
{
    unsigned mac_bytes = 0;

    if (key_bytes > INT_MAX || !HMAC(EVP_sha256(), key_bytes ? key : "", (int)key_bytes, data,
                                     len_bytes, ret_mac, &mac_bytes))
        give_up();
}
