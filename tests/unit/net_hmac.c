/* kit/fmt/hex and kit/net/hmac: published vectors. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kit/base/mem.h"
#include "kit/fmt/hex.h"
#include "kit/net/hmac.h"

static void hex_is_lower_case_and_whole(void **state)
{
    const unsigned char bytes[] = {0x00, 0x0f, 0xa0, 0xff};
    char out[9];

    (void)state;
    assert_string_equal(kit_hex(bytes, sizeof(bytes), out), "000fa0ff");
    assert_string_equal(kit_hex(bytes, 0, out), "");
}

/* FIPS 180-2, appendix B, and the empty text that every body-less signed request hashes. */
static void sha256_vectors(void **state)
{
    static const struct {
        const char *text, *digest;
    } rows[] = {
        {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
         "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
    };
    char hex[KIT_SHA256_HEX];

    (void)state;
    for (size_t i = 0; i < KIT_LEN(rows); i++) {
        kit_sha256_hex(rows[i].text, strlen(rows[i].text), hex);
        assert_string_equal(hex, rows[i].digest);
    }
}

/* RFC 4231, test cases 1, 2, 6 (a key longer than a block); and an empty key. */
static void hmac_vectors(void **state)
{
    static const struct {
        size_t fill, key_bytes;
        const char *key, *text, *mac;
    } rows[] = {
        {0x0b, 20, NULL, "Hi There",
         "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
        {0, 4, "Jefe", "what do ya want for nothing?",
         "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
        {0xaa, 131, NULL, "Test Using Larger Than Block-Size Key - Hash Key First",
         "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
        {0, 0, "", "", "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad"},
    };
    unsigned char mac[KIT_SHA256_BYTES];
    char key[131], hex[KIT_SHA256_HEX];

    (void)state;
    for (size_t i = 0; i < KIT_LEN(rows); i++) {
        memset(key, (int)rows[i].fill, sizeof(key));
        if (rows[i].key)
            memcpy(key, rows[i].key, rows[i].key_bytes);
        kit_hmac_sha256(key, rows[i].key_bytes, rows[i].text, strlen(rows[i].text), mac);
        assert_string_equal(kit_hex(mac, sizeof(mac), hex), rows[i].mac);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hex_is_lower_case_and_whole),
        cmocka_unit_test(sha256_vectors),
        cmocka_unit_test(hmac_vectors),
    };
    return cmocka_run_group_tests_name("net/hmac", tests, NULL, NULL);
}
