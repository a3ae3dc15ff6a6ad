#include "kit/net/exchange.h"

#include <errno.h>
#include <string.h>

#include "kit/base/secret.h"
#include "kit/base/str.h"

#define ANSWER_HEADERS_BYTES (64u * 1024) /* all header lines of one answer */

/* ---- what libcurl calls ---------------------------------------------------------------------- */

static size_t take_body(char *data, size_t one, size_t len, void *arg)
{
    struct kit_exchange *x = arg;

    if (kit_buf_add(&x->resp.body, data, one * len) < 0) {
        x->body_too_large = true;
        return 0;
    }
    return one * len;
}

static size_t give_body(char *data, size_t one, size_t len, void *arg)
{
    struct kit_exchange *x = arg;
    size_t left_bytes = x->req->body.len_bytes - x->given_bytes;
    size_t part_bytes = one * len < left_bytes ? one * len : left_bytes;

    memcpy(data, x->req->body.data + x->given_bytes, part_bytes);
    x->given_bytes += part_bytes;
    return part_bytes;
}

/* libcurl sends a request again by itself when a kept connection dies before an answer comes, and
 * no option forbids it.  It must not: the first one may have been carried out.  A body that cannot
 * be rewound is how it is told (CURLE_SEND_FAIL_REWIND); without a body, refuse_again does. */
static int refuse_rewind(void *arg, curl_off_t offset, int origin)
{
    const struct kit_exchange *x = arg;

    (void)offset;
    (void)origin;
    return x->given_bytes ? CURL_SEEKFUNC_FAIL : CURL_SEEKFUNC_OK;
}

#if LIBCURL_VERSION_NUM >= 0x075000
/* Called before a request goes out over a connection: a second time is libcurl's own idea. */
/* NOLINTNEXTLINE(readability-non-const-parameter): libcurl's type */
static int refuse_again(void *arg, char *to, char *from, int to_port, int from_port)
{
    struct kit_exchange *x = arg;

    (void)to;
    (void)from;
    (void)to_port;
    (void)from_port;
    return x->sendings++ && !kit_str_eq(x->req->method, "GET") ? CURL_PREREQFUNC_ABORT
                                                               : CURL_PREREQFUNC_OK;
}
#endif

static size_t take_header(char *data, size_t one, size_t len, void *arg)
{
    struct kit_exchange *x = arg;

    x->header_bytes += one * len;
    if (x->header_bytes > ANSWER_HEADERS_BYTES)
        return 0;
    kit_http_take_header(&x->resp, data, one * len);
    return one * len;
}

/* ---- setting up one easy handle -------------------------------------------------------------- */

/* The one place where an option is set: the first refusal is kept in `code`, with the option's
 * name. */
#define SET(option, value)                                                                         \
    do {                                                                                           \
        if (code == CURLE_OK) {                                                                    \
            code = curl_easy_setopt(easy, (option), (value));                                      \
            name = #option;                                                                        \
        }                                                                                          \
    } while (0)

static int options_set(CURLcode code, const char *name, struct kit_err *err)
{
    if (code == CURLE_OK)
        return 0;
    return kit_err_set(err, KIT_ERR_CONFIG, "libcurl %s refuses %s: %s",
                       curl_version_info(CURLVERSION_NOW)->version, name, curl_easy_strerror(code));
}

/* What holds for every request of the engine. */
int kit_exchange_set_common(struct kit_exchange *x, const struct kit_exchange_common *common,
                            struct kit_err *err)
{
    CURL *easy = x->easy;
    CURLcode code = CURLE_OK;
    const char *name = "";

    SET(CURLOPT_PRIVATE, x);
    SET(CURLOPT_SHARE, common->share);
    SET(CURLOPT_ERRORBUFFER, x->curl_says);
    SET(CURLOPT_WRITEFUNCTION, take_body);
    SET(CURLOPT_WRITEDATA, x);
    SET(CURLOPT_READFUNCTION, give_body);
    SET(CURLOPT_READDATA, x);
    SET(CURLOPT_SEEKFUNCTION, refuse_rewind);
    SET(CURLOPT_SEEKDATA, x);
#if LIBCURL_VERSION_NUM >= 0x075000
    SET(CURLOPT_PREREQFUNCTION, refuse_again);
    SET(CURLOPT_PREREQDATA, x);
#endif
    SET(CURLOPT_HEADERFUNCTION, take_header);
    SET(CURLOPT_HEADERDATA, x);
    SET(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    /* libcurl's least: bodies sent are small, and a hundred requests may be in flight. */
    SET(CURLOPT_UPLOAD_BUFFERSIZE, 16384L);
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_NOPROGRESS, 1L);
    SET(CURLOPT_FOLLOWLOCATION, 0L);
    SET(CURLOPT_UNRESTRICTED_AUTH, 0L);
    SET(CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    SET(CURLOPT_PATH_AS_IS, 1L);
    SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    SET(CURLOPT_SSL_VERIFYPEER, 1L);
    SET(CURLOPT_SSL_VERIFYHOST, 2L);
#if LIBCURL_VERSION_NUM >= 0x075500
    SET(CURLOPT_PROTOCOLS_STR, "http,https");
#else
    SET(CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
    if (common->trust.file || common->trust.dir) {
        SET(CURLOPT_CAINFO, common->trust.file);
        SET(CURLOPT_CAPATH, common->trust.dir);
        SET(CURLOPT_PROXY_CAINFO, common->trust.file);
        SET(CURLOPT_PROXY_CAPATH, common->trust.dir);
    }
    if (common->proxy)
        SET(CURLOPT_PROXY, common->proxy);
    SET(CURLOPT_USERAGENT, common->user_agent);
    return options_set(code, name, err);
}

void kit_exchange_clear(struct kit_exchange *x)
{
    for (struct curl_slist *line = x->headers; line; line = line->next)
        kit_secret_wipe(line->data, strlen(line->data)); /* session tokens */
    curl_slist_free_all(x->headers);
    x->headers = NULL;
}

static int add_header(struct kit_exchange *x, const char *name, const char *value,
                      struct kit_err *err)
{
    KIT_AUTO(kit_buf) line = KIT_BUF_SECRET(KIT_HTTP_HEADER_BYTES + 256);
    struct curl_slist *longer;

    /* libcurl's own notation: "Name:" removes a header that it would add, "Name;" sends an empty
     * one. */
    if (!value)
        (void)kit_buf_printf(&line, "%s:", name);
    else if (*value == '\0')
        (void)kit_buf_printf(&line, "%s;", name);
    else
        (void)kit_buf_printf(&line, "%s: %s", name, value);
    if (kit_buf_check(&line, name, err) < 0)
        return -1;
    longer = curl_slist_append(x->headers, line.data);
    if (!longer)
        return kit_err_set(err, KIT_ERR_SYSTEM, "libcurl cannot keep a header");
    x->headers = longer;
    return 0;
}

static int set_headers(struct kit_exchange *x, struct kit_err *err)
{
    const struct kit_http_request *req = x->req;
    bool has_type = false;

    for (size_t i = 0; i < req->headers; i++) {
        const struct kit_http_header *header = &req->header[i];
        has_type = has_type || kit_str_eq_nocase(header->name, "content-type");
        if (kit_buf_check(&header->value, header->name, err) < 0 ||
            add_header(x, header->name, header->value.data, err) < 0)
            return -1;
    }
    if (!has_type && add_header(x, "Content-Type", NULL, err) < 0)
        return -1;
    return add_header(x, "Expect", NULL, err);
}

/* What differs from request to request; every option that one request sets is set by all. */
int kit_exchange_set_request(struct kit_exchange *x, struct kit_err *err)
{
    const struct kit_http_request *req = x->req;
    CURL *easy = x->easy;
    CURLcode code = CURLE_OK;
    const char *name = "";
    bool is_get = kit_str_eq(req->method, "GET");
    int64_t timeout_ms = req->timeout_ms > 0 ? req->timeout_ms : 1; /* 0 would be for ever */
    int64_t connect_ms = req->connect_timeout_ms > 0 ? req->connect_timeout_ms : timeout_ms;

    if (set_headers(x, err) < 0)
        return -1;
    x->sendings = 0;
    SET(CURLOPT_URL, req->url.data);
    SET(CURLOPT_HTTPHEADER, x->headers);
    if (is_get) {
        SET(CURLOPT_HTTPGET, 1L);
        SET(CURLOPT_CUSTOMREQUEST, (char *)NULL);
    } else {
        SET(CURLOPT_POST, 1L);
        SET(CURLOPT_CUSTOMREQUEST, req->method);
        SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)req->body.len_bytes);
        SET(CURLOPT_POSTFIELDS, (char *)NULL);
        x->given_bytes = 0;
    }
#if LIBCURL_VERSION_NUM < 0x075000
    /* No way to be asked: a connection of its own is never a dead one. */
    SET(CURLOPT_FRESH_CONNECT, is_get || req->body.len_bytes ? 0L : 1L);
#endif
    SET(CURLOPT_NOPROXY, req->no_proxy ? "*" : (char *)NULL);
    SET(CURLOPT_TIMEOUT_MS, (long)timeout_ms);
    SET(CURLOPT_CONNECTTIMEOUT_MS, (long)(connect_ms < timeout_ms ? connect_ms : timeout_ms));
    SET(CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)x->resp.body.max_bytes);
    return options_set(code, name, err);
}

/* ---- errors ---------------------------------------------------------------------------------- */

/* Whether any of the request may have reached the server.  REQUEST_SIZE also counts a proxy's
 * CONNECT and adds up when libcurl sends again on a new connection; PRETRANSFER is zero until the
 * tunnel and TLS stand. */
static bool was_sent(CURL *easy)
{
    curl_off_t pretransfer_us = 0;
    long sent_bytes = 0;

    (void)curl_easy_getinfo(easy, CURLINFO_PRETRANSFER_TIME_T, &pretransfer_us);
    (void)curl_easy_getinfo(easy, CURLINFO_REQUEST_SIZE, &sent_bytes);
    return pretransfer_us > 0 && sent_bytes > 0;
}

static int explain_proxy(const struct kit_exchange *x, long status, struct kit_err *err)
{
    enum kit_err_kind kind = status >= 500 ? KIT_ERR_TRANSIENT : KIT_ERR_CONFIG;

    return kit_err_set(err, kind, "%s: the proxy refused the connection (HTTP %ld); check `proxy`",
                       x->what, status);
}

static int explain(const struct kit_exchange *x, CURLcode code, struct kit_err *err)
{
    char why[CURL_ERROR_SIZE];
    long proxy_status = 0;

    /* libcurl quotes a proxy's URL with its password. */
    (void)kit_str_copy(why, sizeof(why), x->curl_says[0] ? x->curl_says : curl_easy_strerror(code));
    kit_http_hide_secrets(why);

    (void)curl_easy_getinfo(x->easy, CURLINFO_HTTP_CONNECTCODE, &proxy_status);
    if (proxy_status >= 300)
        return explain_proxy(x, proxy_status, err);
    if (x->body_too_large || code == CURLE_FILESIZE_EXCEEDED)
        return kit_err_set(err, KIT_ERR_PROTOCOL, "%s: the answer is larger than %zu bytes",
                           x->what, x->resp.body.max_bytes);
    if (code == CURLE_SEND_FAIL_REWIND || (code == CURLE_ABORTED_BY_CALLBACK && x->sendings > 1))
        return kit_err_set(err, KIT_ERR_TRANSIENT, "%s: the connection died before an answer came",
                           x->what);
    if (x->header_bytes > ANSWER_HEADERS_BYTES)
        return kit_err_set(err, KIT_ERR_PROTOCOL,
                           "%s: the answer's headers are larger than %u bytes", x->what,
                           ANSWER_HEADERS_BYTES);
    switch (code) {
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_ISSUER_ERROR:
        return kit_err_set(
            err, KIT_ERR_CONFIG,
            "%s: its certificate does not verify: %s; if a private authority signs it, "
            "name its certificate with ca_file or AWS_CA_BUNDLE",
            x->what, why);
    case CURLE_SSL_CACERT_BADFILE:
        return kit_err_set(err, KIT_ERR_CONFIG,
                           "%s: the certificates to trust cannot be read: %s (ca_file)", x->what,
                           why);
    case CURLE_COULDNT_RESOLVE_PROXY:
        return kit_err_set(err, KIT_ERR_TRANSIENT, "%s: through a proxy: %s", x->what, why);
    case CURLE_URL_MALFORMAT:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER: return kit_err_set(err, KIT_ERR_CONFIG, "%s: %s", x->what, why);
    case CURLE_UNSUPPORTED_PROTOCOL: /* HTTP/0.9: something that is no HTTP server */
    case CURLE_WEIRD_SERVER_REPLY:
        return kit_err_set(err, KIT_ERR_PROTOCOL, "%s: not an HTTP answer: %s", x->what, why);
    case CURLE_OUT_OF_MEMORY:
    case CURLE_FAILED_INIT: return kit_err_set(err, KIT_ERR_SYSTEM, "%s: %s", x->what, why);
    default: return kit_err_set(err, KIT_ERR_TRANSIENT, "%s: %s", x->what, why);
    }
}

int kit_exchange_explain(const struct kit_exchange *x, CURLcode code, struct kit_err *err)
{
    (void)explain(x, code, err);
    err->outcome_open = was_sent(x->easy);
    if (x->body_too_large || code == CURLE_FILESIZE_EXCEEDED)
        err->sys = EFBIG;
    return -1;
}
