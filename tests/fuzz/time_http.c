/* Any text as a time, and as header lines of an answer.  A time that is read is written and read as
 * itself. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "kit/base/mem.h"
#include "kit/fmt/time.h"
#include "kit/net/message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_time(int64_t unix_s)
{
    char text[KIT_TIME_TEXT];
    int64_t back;

    if (unix_s < 0 || unix_s > INT64_C(253402300799))
        return; /* years before 1970, or an offset across the last one: written as the nearest */
    if (!kit_time_parse_iso(kit_time_iso(unix_s, text), &back) || back != unix_s)
        abort();
    if (!kit_time_parse_iso(kit_time_basic(unix_s, text), &back) || back != unix_s)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct kit_http_response resp = {.retry_after_ms = -1};
    char *text = kit_mem_new(size + 1, 1);
    int64_t unix_s;

    memcpy(text, data, size);
    if (kit_time_parse_iso(text, &unix_s) || kit_time_parse_http(text, &unix_s))
        check_time(unix_s);
    for (const char *at = text, *end; *at; at = *end ? end + 1 : end) {
        end = strchrnul(at, '\n');
        kit_http_take_header(&resp, at, (size_t)(end - at));
    }
    if (resp.retry_after_ms < -1 || resp.retry_after_ms > 86400 * 1000)
        abort();
    for (const char *c = resp.location; *c; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            abort();
    free(text);
    return 0;
}
