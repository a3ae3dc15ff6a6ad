#include "actions/ctl/egress_echo.h"

#include <string.h>

#include "kit/base/str.h"

static const unsigned tries = 3;

static bool is_part(char c)
{
    return (c >= '0' && c <= '9') || c == '.';
}

bool ctl_egress_echo_parse(const char *text, size_t len_bytes, struct kit_addr *ret_addr)
{
    for (size_t at = 0; at < len_bytes;) {
        char word[KIT_ADDR_TEXT];
        size_t len = 0;

        while (at + len < len_bytes && is_part(text[at + len]))
            len++;
        /* The full stop behind it is none of it. */
        size_t stop = len && text[at + len - 1] == '.' ? 1 : 0;
        if (len > stop && len - stop < sizeof(word)) {
            memcpy(word, text + at, len - stop);
            word[len - stop] = '\0';
            if (kit_addr_parse(word, ret_addr) && ret_addr->family == 4)
                return true;
        }
        at += len ? len : 1;
    }
    return false;
}

struct request {
    struct kit_call call; /* first: the call-backs cast back */
    const char *url;
    struct kit_addr addr;
};

static struct request *of(struct kit_call *call)
{
    return (struct request *)call; /* its first member */
}

static int encode(struct kit_call *call, struct kit_http_request *req, struct kit_err *err)
{
    (void)err;
    (void)kit_buf_puts(&req->url, of(call)->url);
    req->no_proxy = true;
    req->max_body_bytes = CTL_EGRESS_ECHO_BYTES;
    return 0;
}

static int decode(struct kit_call *call, const struct kit_http_response *resp,
                  struct kit_call_again *ret_again, struct kit_err *err)
{
    ret_again->retry_after_ms = resp->retry_after_ms;
    if (resp->status != 200)
        return kit_err_set(err, resp->status >= 500 ? KIT_ERR_TRANSIENT : KIT_ERR_PROTOCOL,
                           "%s: HTTP %d", call->what, resp->status);
    if (!ctl_egress_echo_parse(resp->body.data, resp->body.len_bytes, &of(call)->addr))
        return kit_err_set(err, KIT_ERR_PROTOCOL, "%s: no IPv4 address in the answer", call->what);
    return 0;
}

int ctl_egress_echo(struct kit_caller *caller, const char *url, struct kit_deadline by,
                    struct kit_addr *ret_addr, struct kit_err *err)
{
    struct request r = {
        .call =
            {.what = url, .metadata = true, .max_tries = tries, .encode = encode, .decode = decode},
        .url = url,
    };
    struct kit_call *const call[] = {&r.call};

    if (kit_call_all(caller, call, 1, by, err))
        return -1;
    *ret_addr = r.addr;
    return 0;
}
