/* kit/cloud/metadata.c - an instance metadata service, in token mode. */
#include "kit/cloud/metadata.h"

#include <string.h>

#include "kit/base/mem.h"
#include "kit/base/str.h"

/* The longest lifetime that the services give a session token (docs: AWS "Use IMDS", Alibaba Cloud
 * "View instance metadata"). */
#define TOKEN_TTL_S "21600"

/* One try: the service is one hop away and answers in milliseconds; the vendors' SDKs wait 1 s. */
static const int64_t try_ms = 2000;
/* A service that did not answer five times is switched off or out of reach, and who asked has other
 * things to do before the deadline. */
static const unsigned most_tries = 5;

struct request {
    struct kit_call call; /* first: the call-backs cast back */
    const struct kit_metadata *from;
    struct kit_metadata_item *item; /* NULL: the session token */
};

static struct request *of(struct kit_call *call)
{
    return (struct request *)call; /* its first member */
}

static int encode(struct kit_call *call, struct kit_http_request *req, struct kit_err *err)
{
    struct request *r = of(call);
    const struct kit_metadata *from = r->from;

    (void)kit_buf_printf(&req->url, "%slatest/%s", from->base_url,
                         r->item ? r->item->path : "api/token");
    req->no_proxy = true; /* it would answer for its own instance */
    req->max_body_bytes = KIT_METADATA_BODY_BYTES;
    if (req->connect_timeout_ms > try_ms)
        req->connect_timeout_ms = try_ms;
    req->timeout_ms = req->connect_timeout_ms;
    if (r->item)
        return kit_http_request_header(req, from->service->token_header,
                                       from->token->text ? from->token->text : "", err);
    (void)kit_str_copy(req->method, sizeof(req->method), "PUT");
    return kit_http_request_header(req, from->service->ttl_header, TOKEN_TTL_S, err);
}

/* An answer that is no 200; 401, 403 and 404 mean different things to the two requests. */
static int refuse(const struct request *r, const struct kit_http_response *resp,
                  struct kit_err *err)
{
    const struct kit_metadata_service *service = r->from->service;
    const char *what = r->call.what, *url = r->from->base_url;
    int status = resp->status;

    if (status == 403)
        (void)kit_err_set(err, KIT_ERR_CONFIG, "%s: the metadata service at %s %s", what, url,
                          service->says_403);
    else if (status == 429)
        (void)kit_err_set(err, KIT_ERR_THROTTLED, "%s: HTTP 429 from %s", what, url);
    else if (status >= 500)
        (void)kit_err_set(err, KIT_ERR_TRANSIENT, "%s: HTTP %d from %s", what, status, url);
    else if (status == 404 && r->item)
        (void)kit_err_set(err, KIT_ERR_NOT_FOUND, "%s: no such item in the metadata service at %s",
                          what, url);
    else if (status == 401)
        (void)kit_err_set(err, KIT_ERR_AUTH, "%s: the metadata service at %s refused its own token",
                          what, url);
    else if (status == 404 || status == 405)
        (void)kit_err_set(err, KIT_ERR_CONFIG,
                          "%s: what answers at %s is no metadata service %s (HTTP %d)", what, url,
                          service->form, status);
    else
        (void)kit_err_set(err, KIT_ERR_PROTOCOL, "%s: HTTP %d from %s", what, status, url);
    err->http_status = status;
    return -1;
}

static int take_token(const struct request *r, const struct kit_http_response *resp,
                      struct kit_err *err)
{
    KIT_AUTO(kit_buf) token = KIT_BUF_SECRET(KIT_METADATA_BODY_BYTES);

    (void)kit_buf_add(&token, resp->body.data, resp->body.len_bytes);
    const char *text = kit_str_trim(token.data);
    size_t len = strlen(text);
    /* It goes into a header: base64 in practice, some 56 characters. */
    for (size_t i = 0; i < len; i++)
        if (text[i] <= ' ' || text[i] > '~')
            len = 0;
    if (len == 0 || len > 4096)
        return kit_err_set(err, KIT_ERR_PROTOCOL,
                           "%s: what %s answered is no session token of a metadata service",
                           r->call.what, r->from->base_url);
    kit_secret_set(r->from->token, text);
    return 0;
}

static int decode(struct kit_call *call, const struct kit_http_response *resp,
                  struct kit_call_again *ret_again, struct kit_err *err)
{
    struct request *r = of(call);
    struct kit_metadata_item *item = r->item;

    ret_again->retry_after_ms = resp->retry_after_ms;
    if (resp->status != 200) {
        if (item && item->optional && resp->status == 404)
            return 0;
        ret_again->renew = item && (resp->status == 401 ||
                                    (resp->status == 403 && r->from->service->stale_is_403));
        return refuse(r, resp, err);
    }
    if (!item)
        return take_token(r, resp, err);
    if (memchr(resp->body.data, '\0', resp->body.len_bytes))
        return kit_err_set(err, KIT_ERR_PROTOCOL, "%s: a NUL byte from %s", call->what,
                           r->from->base_url);
    kit_buf_reset(&item->value);
    size_t len = resp->body.len_bytes;
    if (len > 0 && resp->body.data[len - 1] == '\n')
        len--;
    (void)kit_buf_add(&item->value, resp->body.data, len);
    item->found = true;
    return kit_buf_check(&item->value, call->what, err);
}

static int renew(struct kit_call *call, struct kit_deadline by, struct kit_err *err);

static struct request make(const struct kit_metadata *from, struct kit_metadata_item *item,
                           unsigned max_tries)
{
    const struct kit_call_policy *policy = &from->caller->policy;

    if (policy->max_tries != 0 && policy->max_tries < max_tries)
        max_tries = policy->max_tries;
    return (struct request){
        .call = {.what = item ? item->path : "metadata token",
                 .metadata = true,
                 .max_tries = max_tries,
                 .encode = encode,
                 .decode = decode,
                 .renew = item ? renew : NULL},
        .from = from,
        .item = item,
    };
}

static int fetch_token(const struct kit_metadata *from, unsigned max_tries, struct kit_deadline by,
                       struct kit_err *err)
{
    struct request r = make(from, NULL, max_tries);
    struct kit_call *const call[] = {&r.call};

    if (kit_call_all(from->caller, call, 1, by, err) == 0)
        return 0;
    if (err->kind == KIT_ERR_TRANSIENT)
        (void)kit_err_wrap(err, "no answer from the metadata service at %s (%s)", from->base_url,
                           from->service->silent);
    return -1;
}

/* The service refused it: its token has expired, or the service was restarted. */
static int renew(struct kit_call *call, struct kit_deadline by, struct kit_err *err)
{
    return fetch_token(of(call)->from, most_tries, by, err);
}

int kit_metadata_read(const struct kit_metadata *metadata, struct kit_metadata_item item[],
                      size_t count, struct kit_deadline by, struct kit_err *err)
{
    KIT_AUTOFREE struct request *request = kit_mem_new(count, sizeof(*request));
    KIT_AUTOFREE struct kit_call **call = kit_mem_new(count, sizeof(*call));

    if (!kit_secret_is_set(metadata->token) && fetch_token(metadata, most_tries, by, err) != 0)
        return -1;
    for (size_t i = 0; i < count; i++) {
        item[i].found = false;
        request[i] = make(metadata, &item[i], most_tries);
        call[i] = &request[i].call;
    }
    return kit_call_all(metadata->caller, call, count, by, err);
}

bool kit_metadata_answers(const struct kit_metadata *metadata, struct kit_deadline by)
{
    struct kit_err ignored;

    return fetch_token(metadata, 1, by, &ignored) == 0;
}

void kit_metadata_first_line(const struct kit_metadata_item *item, char *dst, size_t dst_bytes)
{
    char line[256] = "";

    if (item->found) {
        (void)kit_str_copy(line, sizeof(line), item->value.data);
        line[strcspn(line, "\r\n")] = '\0';
    }
    if (!kit_str_copy(dst, dst_bytes, line))
        dst[0] = '\0';
}

bool kit_metadata_is_role(const char *name, const char *allowed)
{
    size_t len = strlen(name);

    return len > 0 && len < KIT_METADATA_ROLE && !name[strspn(name, allowed)] && name[0] != '.';
}

int kit_metadata_role(const struct kit_metadata_item *item, const char *allowed,
                      char ret_role[KIT_METADATA_ROLE], struct kit_err *err)
{
    const char *cursor = item->value.data, *line = "";
    char role[KIT_METADATA_ROLE];
    size_t len = 0;

    (void)kit_str_word(&cursor, "\r\n", &line, &len);
    if (len > 0 && (!kit_str_format(role, sizeof(role), "%.*s", (int)len, line) ||
                    !kit_metadata_is_role(role, allowed)))
        return kit_err_set(err, KIT_ERR_PROTOCOL, "what it answered is no role's name");
    (void)kit_str_copy(ret_role, KIT_METADATA_ROLE, len > 0 ? role : "");
    return 0;
}
