/* Any bytes as an answer with an error status: a kind, a line without control characters, no more.
 *
 * The first byte chooses the status, the rest is the body. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "kit/base/mem.h"
#include "kit/base/str.h"
#include "kit/cloud/aliyun/errors.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_line(const char *text)
{
    char again[sizeof(((struct kit_err *)0)->msg)];

    if (!kit_str_copy(again, sizeof(again), text))
        abort();
    kit_str_make_printable(again);
    if (!kit_str_eq(again, text))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const int statuses[] = {400, 401, 403, 404, 412, 429, 500, 502, 503, 204};
    struct kit_http_response resp = {.body = KIT_BUF(KIT_HTTP_BODY_BYTES), .retry_after_ms = -1};
    struct kit_err err = {.msg = ""};
    enum ali_error_note note;

    if (size == 0)
        return 0;
    resp.status = statuses[data[0] % KIT_LEN(statuses)];
    (void)kit_buf_add(&resp.body, data + 1, size - 1);
    if (ali_error_read("AssociateHaVip", &resp, &note, &err) != -1 ||
        err.http_status != resp.status || !kit_str_starts(err.msg, "AssociateHaVip: ") ||
        err.outcome_open != (err.kind == KIT_ERR_TRANSIENT) || note > ALI_NOTE_UNKNOWN_ACTION)
        abort();
    /* The code alone says the same. */
    enum ali_error_note note_again;
    if (ali_error_kind(err.code, resp.status, &note_again) != err.kind || note_again != note)
        abort();
    check_line(err.msg);
    check_line(err.code);
    check_line(err.request_id);
    kit_buf_done(&resp.body);
    return 0;
}
