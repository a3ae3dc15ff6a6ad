/* kit/cloud/aliyun/metadata.c - the instance metadata service, in token mode. */
#include "kit/cloud/aliyun/metadata.h"

#include <string.h>

#include "kit/base/str.h"
#include "kit/cloud/aliyun/env.h"

/* The same on every instance (help: "View instance metadata"); IPv4 alone. */
#define BASE "http://100.100.100.200"

/* The longest lifetime that the service gives a token (the same page). */
#define TOKEN_TTL_S "21600"

/* One try: the service is one hop away and answers in milliseconds; the vendor's SDKs wait 1 s. */
static const int64_t try_ms = 2000;
/* A service that did not answer five times is switched off or out of reach, and who asked has other
 * things to do before the deadline. */
static const unsigned most_tries = 5;

struct request {
    struct kit_call call; /* first: the call-backs cast back */
    struct ali_cloud *cloud;
    const char *base_url;
    struct ali_metadata_item *item; /* NULL: the session token */
};

static struct request *of(struct kit_call *call)
{
    return (struct request *)call; /* its first member */
}

static int find_base(const struct ali_cloud *cloud, struct kit_buf *out, struct kit_err *err)
{
    const char *url = kit_settings_text(cloud->settings, KIT_PARAM_METADATA_ENDPOINT);

    if (ali_env_is_true("ALIBABA_CLOUD_ECS_METADATA_DISABLED"))
        return kit_err_set(
            err, KIT_ERR_CONFIG,
            "the metadata service is needed, but ALIBABA_CLOUD_ECS_METADATA_DISABLED is true");
    if (!url)
        url = ali_env("ALIBABA_CLOUD_ECS_METADATA_ENDPOINT");
    if (!url)
        url = BASE;
    /* The variable may name a host alone. */
    if (!strstr(url, "://"))
        (void)kit_buf_puts(out, "http://");
    (void)kit_buf_puts(out, url);
    if (!kit_str_ends(url, "/"))
        (void)kit_buf_putc(out, '/');
    return kit_buf_check(out, "the metadata service's URL", err);
}

static int encode(struct kit_call *call, struct kit_http_request *req, struct kit_err *err)
{
    struct request *r = of(call);

    (void)kit_buf_printf(&req->url, "%slatest/%s", r->base_url,
                         r->item ? r->item->path : "api/token");
    req->no_proxy = true; /* it would answer for its own instance */
    req->max_body_bytes = ALI_METADATA_BODY_BYTES;
    if (req->connect_timeout_ms > try_ms)
        req->connect_timeout_ms = try_ms;
    req->timeout_ms = req->connect_timeout_ms;
    if (r->item)
        return kit_http_request_header(
            req, "X-aliyun-ecs-metadata-token",
            r->cloud->metadata_token.text ? r->cloud->metadata_token.text : "", err);
    (void)kit_str_copy(req->method, sizeof(req->method), "PUT");
    return kit_http_request_header(req, "X-aliyun-ecs-metadata-token-ttl-seconds", TOKEN_TTL_S,
                                   err);
}

/* An answer that is no 200; 401, 403 and 404 mean different things to the two requests. */
static int refuse(const struct request *r, const struct kit_http_response *resp,
                  struct kit_err *err)
{
    const char *what = r->call.what;
    int status = resp->status;

    if (status == 403)
        (void)kit_err_set(err, KIT_ERR_CONFIG,
                          "%s: the metadata service at %s refuses this instance (HTTP 403; see "
                          "HttpEndpoint in its"
                          " metadata options, and that no proxy is in between)",
                          what, r->base_url);
    else if (status == 429)
        (void)kit_err_set(err, KIT_ERR_THROTTLED, "%s: HTTP 429 from %s", what, r->base_url);
    else if (status >= 500)
        (void)kit_err_set(err, KIT_ERR_TRANSIENT, "%s: HTTP %d from %s", what, status, r->base_url);
    else if (status == 404 && r->item)
        (void)kit_err_set(err, KIT_ERR_NOT_FOUND, "%s: no such item in the metadata service at %s",
                          what, r->base_url);
    else if (status == 401)
        (void)kit_err_set(err, KIT_ERR_AUTH, "%s: the metadata service at %s refused its own token",
                          what, r->base_url);
    else if (status == 404 || status == 405)
        (void)kit_err_set(err, KIT_ERR_CONFIG,
                          "%s: what answers at %s is no metadata service with tokens (HTTP %d)",
                          what, r->base_url, status);
    else
        (void)kit_err_set(err, KIT_ERR_PROTOCOL, "%s: HTTP %d from %s", what, status, r->base_url);
    err->http_status = status;
    return -1;
}

static int take_token(struct request *r, const struct kit_http_response *resp, struct kit_err *err)
{
    KIT_AUTO(kit_buf) token = KIT_BUF_SECRET(ALI_METADATA_BODY_BYTES);

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
                           r->call.what, r->base_url);
    kit_secret_set(&r->cloud->metadata_token, text);
    return 0;
}

static int decode(struct kit_call *call, const struct kit_http_response *resp,
                  struct kit_call_again *ret_again, struct kit_err *err)
{
    struct request *r = of(call);
    struct ali_metadata_item *item = r->item;

    ret_again->retry_after_ms = resp->retry_after_ms;
    if (resp->status != 200) {
        if (item && item->optional && resp->status == 404)
            return 0;
        /* A token that has run out is told as 401, and with HttpTokens=required as 403. */
        ret_again->renew = item && (resp->status == 401 || resp->status == 403);
        return refuse(r, resp, err);
    }
    if (!item)
        return take_token(r, resp, err);
    if (memchr(resp->body.data, '\0', resp->body.len_bytes))
        return kit_err_set(err, KIT_ERR_PROTOCOL, "%s: a NUL byte from %s", call->what,
                           r->base_url);
    kit_buf_reset(&item->value);
    size_t len = resp->body.len_bytes;
    if (len > 0 && resp->body.data[len - 1] == '\n')
        len--;
    (void)kit_buf_add(&item->value, resp->body.data, len);
    item->found = true;
    return kit_buf_check(&item->value, call->what, err);
}

static int renew(struct kit_call *call, struct kit_deadline by, struct kit_err *err);

static struct request make(struct ali_cloud *cloud, const char *base_url,
                           struct ali_metadata_item *item, unsigned max_tries)
{
    const struct kit_call_policy *policy = &cloud->base.caller->policy;

    if (policy->max_tries != 0 && policy->max_tries < max_tries)
        max_tries = policy->max_tries;
    return (struct request){
        .call = {.what = item ? item->path : "metadata token",
                 .metadata = true,
                 .max_tries = max_tries,
                 .encode = encode,
                 .decode = decode,
                 .renew = item ? renew : NULL},
        .cloud = cloud,
        .base_url = base_url,
        .item = item,
    };
}

static int fetch_token(struct ali_cloud *cloud, const char *base_url, unsigned max_tries,
                       struct kit_deadline by, struct kit_err *err)
{
    struct request r = make(cloud, base_url, NULL, max_tries);
    struct kit_call *const call[] = {&r.call};

    if (kit_call_all(cloud->base.caller, call, 1, by, err) == 0)
        return 0;
    if (err->kind == KIT_ERR_TRANSIENT)
        (void)kit_err_wrap(
            err,
            "no answer from the metadata service at %s (is this an ECS instance in a VPC, and its "
            "HttpEndpoint enabled?)",
            base_url);
    return -1;
}

/* The service refused it: its token has expired, or the service was restarted. */
static int renew(struct kit_call *call, struct kit_deadline by, struct kit_err *err)
{
    struct request *r = of(call);

    return fetch_token(r->cloud, r->base_url, most_tries, by, err);
}

int ali_metadata_read(struct ali_cloud *cloud, struct ali_metadata_item item[], size_t count,
                      struct kit_deadline by, struct kit_err *err)
{
    KIT_AUTO(kit_buf) base_url = KIT_BUF(1024);
    KIT_AUTOFREE struct request *request = kit_mem_new(count, sizeof(*request));
    KIT_AUTOFREE struct kit_call **call = kit_mem_new(count, sizeof(*call));

    if (find_base(cloud, &base_url, err) != 0)
        return -1;
    if (!kit_secret_is_set(&cloud->metadata_token) &&
        fetch_token(cloud, base_url.data, most_tries, by, err) != 0)
        return -1;
    for (size_t i = 0; i < count; i++) {
        item[i].found = false;
        request[i] = make(cloud, base_url.data, &item[i], most_tries);
        call[i] = &request[i].call;
    }
    return kit_call_all(cloud->base.caller, call, count, by, err);
}

bool ali_metadata_answers(struct ali_cloud *cloud, struct kit_deadline by)
{
    KIT_AUTO(kit_buf) base_url = KIT_BUF(1024);
    struct kit_err ignored;

    return find_base(cloud, &base_url, &ignored) == 0 &&
           fetch_token(cloud, base_url.data, 1, by, &ignored) == 0;
}
