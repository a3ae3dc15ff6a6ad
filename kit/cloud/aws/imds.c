/* kit/cloud/aws/imds.c - the instance metadata service, version 2. */
#include "kit/cloud/aws/imds.h"

#include <string.h>

#include "kit/base/str.h"
#include "kit/cloud/aws/env.h"

#define BASE_IPV4 "http://169.254.169.254"
#define BASE_IPV6 "http://[fd00:ec2::254]"

/* The longest lifetime that the service gives a session token (docs: "Use IMDS"). */
#define TOKEN_TTL_S "21600"

/* One try: the service is one hop away and answers in milliseconds; botocore waits 1 s. */
static const int64_t try_ms = 2000;
/* A service that did not answer five times is switched off or out of reach, and who asked has other
 * things to do before the deadline. */
static const unsigned most_tries = 5;

struct request {
    struct kit_call call; /* first: the call-backs cast back */
    struct aws_cloud *cloud;
    const char *base_url;
    struct aws_imds_item *item; /* NULL: the session token */
};

static struct request *of(struct kit_call *call)
{
    return (struct request *)call; /* its first member */
}

static int find_base(const struct aws_cloud *cloud, struct kit_buf *out, struct kit_err *err)
{
    const char *url = kit_settings_text(cloud->settings, KIT_PARAM_METADATA_ENDPOINT);
    const char *mode = aws_env("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE");

    if (aws_is_true(aws_env("AWS_EC2_METADATA_DISABLED")))
        return kit_err_set(err, KIT_ERR_CONFIG,
                           "the metadata service is needed, but AWS_EC2_METADATA_DISABLED is true");
    if (!url)
        url = aws_env("AWS_EC2_METADATA_SERVICE_ENDPOINT");
    if (!url)
        url = kit_str_eq_nocase(mode ? mode : "", "ipv6") ? BASE_IPV6 : BASE_IPV4;
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
    req->max_body_bytes = AWS_IMDS_BODY_BYTES;
    if (req->connect_timeout_ms > try_ms)
        req->connect_timeout_ms = try_ms;
    req->timeout_ms = req->connect_timeout_ms;
    if (r->item)
        return kit_http_request_header(req, "X-aws-ec2-metadata-token",
                                       r->cloud->imds_token.text ? r->cloud->imds_token.text : "",
                                       err);
    (void)kit_str_copy(req->method, sizeof(req->method), "PUT");
    return kit_http_request_header(req, "X-aws-ec2-metadata-token-ttl-seconds", TOKEN_TTL_S, err);
}

/* An answer that is no 200, by the table in "Use IMDS"; 401 and 404 mean different things to the
 * two requests. */
static int refuse(const struct request *r, const struct kit_http_response *resp,
                  struct kit_err *err)
{
    const char *what = r->call.what;
    int status = resp->status;

    if (status == 403)
        (void)kit_err_set(
            err, KIT_ERR_CONFIG,
            "%s: the metadata service at %s is switched off for this instance (HTTP 403;"
            " see HttpEndpoint in its metadata options)",
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
                          "%s: what answers at %s is no metadata service of version 2 (HTTP %d)",
                          what, r->base_url, status);
    else
        (void)kit_err_set(err, KIT_ERR_PROTOCOL, "%s: HTTP %d from %s", what, status, r->base_url);
    err->http_status = status;
    return -1;
}

static int take_token(struct request *r, const struct kit_http_response *resp, struct kit_err *err)
{
    KIT_AUTO(kit_buf) token = KIT_BUF_SECRET(AWS_IMDS_BODY_BYTES);

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
    kit_secret_set(&r->cloud->imds_token, text);
    return 0;
}

static int decode(struct kit_call *call, const struct kit_http_response *resp,
                  struct kit_call_again *ret_again, struct kit_err *err)
{
    struct request *r = of(call);
    struct aws_imds_item *item = r->item;

    ret_again->retry_after_ms = resp->retry_after_ms;
    if (resp->status != 200) {
        if (item && item->optional && resp->status == 404)
            return 0;
        ret_again->renew = item && resp->status == 401;
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

static struct request make(struct aws_cloud *cloud, const char *base_url,
                           struct aws_imds_item *item, unsigned max_tries)
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

static int fetch_token(struct aws_cloud *cloud, const char *base_url, unsigned max_tries,
                       struct kit_deadline by, struct kit_err *err)
{
    struct request r = make(cloud, base_url, NULL, max_tries);
    struct kit_call *const call[] = {&r.call};

    if (kit_call_all(cloud->base.caller, call, 1, by, err) == 0)
        return 0;
    if (err->kind == KIT_ERR_TRANSIENT)
        (void)kit_err_wrap(
            err,
            "no answer from the metadata service at %s (is this an EC2 instance, its "
            "HttpEndpoint enabled, and in a container its hop limit 2?)",
            base_url);
    return -1;
}

/* The service said 401: its token has expired, or the service was restarted. */
static int renew(struct kit_call *call, struct kit_deadline by, struct kit_err *err)
{
    struct request *r = of(call);

    return fetch_token(r->cloud, r->base_url, most_tries, by, err);
}

int aws_imds_read(struct aws_cloud *cloud, struct aws_imds_item item[], size_t count,
                  struct kit_deadline by, struct kit_err *err)
{
    KIT_AUTO(kit_buf) base_url = KIT_BUF(1024);
    KIT_AUTOFREE struct request *request = kit_mem_new(count, sizeof(*request));
    KIT_AUTOFREE struct kit_call **call = kit_mem_new(count, sizeof(*call));

    if (find_base(cloud, &base_url, err) != 0)
        return -1;
    if (!kit_secret_is_set(&cloud->imds_token) &&
        fetch_token(cloud, base_url.data, most_tries, by, err) != 0)
        return -1;
    for (size_t i = 0; i < count; i++) {
        item[i].found = false;
        request[i] = make(cloud, base_url.data, &item[i], most_tries);
        call[i] = &request[i].call;
    }
    return kit_call_all(cloud->base.caller, call, count, by, err);
}

bool aws_imds_answers(struct aws_cloud *cloud, struct kit_deadline by)
{
    KIT_AUTO(kit_buf) base_url = KIT_BUF(1024);
    struct kit_err ignored;

    return find_base(cloud, &base_url, &ignored) == 0 &&
           fetch_token(cloud, base_url.data, 1, by, &ignored) == 0;
}
