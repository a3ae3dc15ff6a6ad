/* kit/cloud/creds_fetch.c - an endpoint of the host that hands out credentials. */
#include "kit/cloud/creds.h"

static const int64_t try_ms = 2000;
static const unsigned most_tries = 3;

struct request {
    struct kit_call call; /* first: the call-backs cast back */
    const char *url, *authorization;
    struct kit_buf *answer;
};

static struct request *of(struct kit_call *call)
{
    return (struct request *)call; /* its first member */
}

static int encode(struct kit_call *call, struct kit_http_request *req, struct kit_err *err)
{
    struct request *r = of(call);

    (void)kit_buf_puts(&req->url, r->url);
    req->no_proxy = true;
    req->max_body_bytes = KIT_CREDS_FETCH_BYTES;
    if (req->timeout_ms > try_ms)
        req->timeout_ms = try_ms;
    if (kit_http_request_header(req, "Accept", "application/json", err) != 0)
        return -1;
    if (!r->authorization || !*r->authorization)
        return 0;
    return kit_http_request_header(req, "Authorization", r->authorization, err);
}

static int decode(struct kit_call *call, const struct kit_http_response *resp,
                  struct kit_call_again *ret_again, struct kit_err *err)
{
    struct request *r = of(call);
    int status = resp->status;

    ret_again->retry_after_ms = resp->retry_after_ms;
    if (status == 200) {
        kit_buf_reset(r->answer);
        (void)kit_buf_add(r->answer, resp->body.data, resp->body.len_bytes);
        return kit_buf_check(r->answer, call->what, err);
    }
    enum kit_err_kind kind = KIT_ERR_AUTH;
    if (status == 429)
        kind = KIT_ERR_THROTTLED;
    else if (status >= 500)
        kind = KIT_ERR_TRANSIENT;
    (void)kit_err_set(err, kind, "%s: HTTP %d", call->what, status);
    err->http_status = status;
    return -1;
}

int kit_creds_fetch(struct kit_caller *caller, const char *what, const char *url,
                    const char *authorization, struct kit_deadline by, struct kit_buf *ret_answer,
                    struct kit_err *err)
{
    unsigned tries = caller->policy.max_tries;
    struct request r = {
        .call = {.what = what,
                 .metadata = true,
                 .max_tries = tries != 0 && tries < most_tries ? tries : most_tries,
                 .encode = encode,
                 .decode = decode},
        .url = url,
        .authorization = authorization,
        .answer = ret_answer,
    };
    struct kit_call *const call[] = {&r.call};

    return kit_call_all(caller, call, 1, by, err);
}
