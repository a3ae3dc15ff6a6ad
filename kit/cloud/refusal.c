/* kit/cloud/refusal.c - an API's answer that is no success, told to people. */
#include "kit/cloud/refusal.h"

#include <string.h>

#include "kit/base/str.h"

enum kit_err_kind kit_refusal_kind(int http_status)
{
    switch (http_status) {
    case 401: return KIT_ERR_AUTH;
    case 403: return KIT_ERR_DENIED;
    case 407: return KIT_ERR_CONFIG; /* the proxy wants a password of its own */
    case 408: return KIT_ERR_TRANSIENT;
    case 429: return KIT_ERR_THROTTLED;
    default: break;
    }
    if (http_status >= 500)
        return KIT_ERR_TRANSIENT;
    return http_status >= 400 ? KIT_ERR_REFUSED : KIT_ERR_PROTOCOL;
}

static void shorten(char *message, const char *const marks[], size_t marks_count)
{
    /* Leaves room in kit_err.msg for what the callers wrap around it and for the request id. */
    const size_t enough_bytes = 280;
    bool cut = false;

    message[strcspn(message, "\n")] = '\0';
    for (size_t i = 0; i < marks_count; i++) {
        char *at = strcasestr(message, marks[i]);
        if (at)
            *at = '\0';
    }
    if (strlen(message) > enough_bytes) {
        message[enough_bytes] = '\0';
        cut = true;
    }
    char *text = kit_str_trim(message);
    memmove(message, text, strlen(text) + 1);
    if (cut)
        memcpy(message + strlen(message), "...", sizeof("..."));
}

void kit_refusal_clean(struct kit_refusal *refusal, const struct kit_http_response *resp,
                       const char *const marks[], size_t marks_count)
{
    kit_str_make_printable(refusal->code);
    shorten(refusal->message, marks, marks_count);
    if (!refusal->request_id[0])
        (void)kit_str_copy(refusal->request_id, sizeof(refusal->request_id), resp->request_id);
    kit_str_make_printable(refusal->request_id);
}

static void tell_without_code(const char *what, const char *whose, enum kit_err_kind kind,
                              const struct kit_http_response *resp, const char *request,
                              struct kit_err *err)
{
    bool empty = resp->body.len_bytes == 0;

    if (resp->status == 407)
        (void)kit_err_set(err, kind, "%s: the proxy wants to be logged in to (HTTP 407)", what);
    else
        (void)kit_err_set(err, kind, "%s: HTTP %d with %s%s%s%s%s%s%s%s", what, resp->status,
                          empty ? "an empty answer" : "an answer that is none of ",
                          empty ? "" : whose, empty ? "" : " errors",
                          resp->content_type[0] ? ", " : "", resp->content_type,
                          request[0] ? " (request " : "", request, request[0] ? ")" : "");
}

int kit_refusal_tell(const struct kit_refusal *refusal, const char *what, const char *whose,
                     enum kit_err_kind kind, const struct kit_http_response *resp,
                     struct kit_err *err)
{
    /* Some messages say it themselves. */
    bool tell_action = refusal->action[0] && !strstr(refusal->message, refusal->action);

    if (refusal->code[0])
        (void)kit_err_set(err, kind, "%s: %s%s%s%s%s (HTTP %d%s%s)", what, refusal->code,
                          refusal->message[0] ? ": " : "", refusal->message,
                          tell_action ? "; needs " : "", tell_action ? refusal->action : "",
                          resp->status, refusal->request_id[0] ? ", request " : "",
                          refusal->request_id);
    else
        tell_without_code(what, whose, kind, resp, refusal->request_id, err);
    err->http_status = resp->status;
    err->outcome_open = kind == KIT_ERR_TRANSIENT;
    (void)kit_str_copy(err->code, sizeof(err->code), refusal->code);
    (void)kit_str_copy(err->request_id, sizeof(err->request_id), refusal->request_id);
    return -1;
}
