/* Any text: a URL that is taken, written anew from its parts, is taken again with the same parts;
 * and whatever is percent-encoded holds none but the unreserved characters. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "kit/fmt/uri.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char encoded[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~%";
    struct kit_buf again = KIT_BUF(4096), query = KIT_BUF(1u << 20);
    char *text = kit_mem_new(size + 1, 1);
    struct kit_url url, back;
    struct kit_err err;

    memcpy(text, data, size);
    if (kit_url_parse(text, &url, &err) == 0) {
        (void)kit_buf_printf(&again, "%s://", url.scheme);
        kit_url_host_header(&url, &again);
        (void)kit_buf_puts(&again, url.path);
        if (kit_url_parse(again.data, &back, &err) < 0 || strcmp(url.host, back.host) != 0 ||
            strcmp(url.path, back.path) != 0 || (back.port != 0 && back.port != url.port) ||
            kit_url_plain_allowed(&url) != kit_url_plain_allowed(&back))
            abort();
    }
    kit_uri_encode(&query, text);
    if (query.data[strspn(query.data, encoded)] != '\0')
        abort();
    kit_buf_done(&again);
    kit_buf_done(&query);
    free(text);
    return 0;
}
