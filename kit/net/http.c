#include "kit/net/http.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>

#include "kit/base/secret.h"
#include "kit/base/str.h"
#include "kit/net/message.h"
#include "kit/net/trust.h"

#define ANSWER_HEADERS_BYTES (64u * 1024) /* all header lines of one answer */
#define CONNECTIONS_DEFAULT  8

/* One request under way, or idle in the pool with its easy handle. */
struct exchange {
    struct exchange *next;
    CURL *easy;
    struct curl_slist *headers;
    const struct kit_http_request *req; /* borrowed until it is done; NULL = idle */
    void *tag;
    bool added; /* to the multi handle; else it waits for a free connection */
    bool body_too_large;
    size_t given_bytes; /* of the request's body, to libcurl */
    size_t header_bytes;
    char what[KIT_HTTP_WHAT]; /* for errors */
    char curl_says[CURL_ERROR_SIZE];
    struct kit_http_response resp;
};

struct engine {
    CURLM *multi;
    CURLSH *share;        /* TLS sessions outlive connections and easy handles */
    struct exchange *all; /* in order of creation */
    unsigned running, max_running;
    const struct kit_clock *clock;
    struct kit_trust trust;
    char *proxy, *user_agent; /* NULL = libcurl's default */
};

/* ---- what libcurl calls --------------------------------------------------------------------- */

static size_t take_body(char *data, size_t one, size_t len, void *arg)
{
    struct exchange *x = arg;

    if (kit_buf_add(&x->resp.body, data, one * len) < 0) {
        x->body_too_large = true;
        return 0;
    }
    return one * len;
}

static size_t give_body(char *data, size_t one, size_t len, void *arg)
{
    struct exchange *x = arg;
    size_t left_bytes = x->req->body.len_bytes - x->given_bytes;
    size_t part_bytes = one * len < left_bytes ? one * len : left_bytes;

    memcpy(data, x->req->body.data + x->given_bytes, part_bytes);
    x->given_bytes += part_bytes;
    return part_bytes;
}

/* libcurl sends a request again by itself when a kept connection dies before an answer comes, and no
 * option forbids it.  It must not: the first one may have been carried out.  A body that cannot be
 * rewound is how it is told (CURLE_SEND_FAIL_REWIND). */
static int refuse_rewind(void *arg, curl_off_t offset, int origin)
{
    const struct exchange *x = arg;

    (void)offset;
    (void)origin;
    return x->given_bytes ? CURL_SEEKFUNC_FAIL : CURL_SEEKFUNC_OK;
}

static size_t take_header(char *data, size_t one, size_t len, void *arg)
{
    struct exchange *x = arg;

    x->header_bytes += one * len;
    if (x->header_bytes > ANSWER_HEADERS_BYTES)
        return 0;
    kit_http_take_header(&x->resp, data, one * len);
    return one * len;
}

/* ---- setting up one easy handle
 * ------------------------------------------------------------------- */

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
static int set_common(const struct engine *engine, struct exchange *x, struct kit_err *err)
{
    CURL *easy = x->easy;
    CURLcode code = CURLE_OK;
    const char *name = "";

    SET(CURLOPT_PRIVATE, x);
    SET(CURLOPT_SHARE, engine->share);
    SET(CURLOPT_ERRORBUFFER, x->curl_says);
    SET(CURLOPT_WRITEFUNCTION, take_body);
    SET(CURLOPT_WRITEDATA, x);
    SET(CURLOPT_READFUNCTION, give_body);
    SET(CURLOPT_READDATA, x);
    SET(CURLOPT_SEEKFUNCTION, refuse_rewind);
    SET(CURLOPT_SEEKDATA, x);
    SET(CURLOPT_HEADERFUNCTION, take_header);
    SET(CURLOPT_HEADERDATA, x);
    SET(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
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
    if (engine->trust.file || engine->trust.dir) {
        SET(CURLOPT_CAINFO, engine->trust.file);
        SET(CURLOPT_CAPATH, engine->trust.dir);
        SET(CURLOPT_PROXY_CAINFO, engine->trust.file);
        SET(CURLOPT_PROXY_CAPATH, engine->trust.dir);
    }
    if (engine->proxy)
        SET(CURLOPT_PROXY, engine->proxy);
    SET(CURLOPT_USERAGENT, engine->user_agent);
    return options_set(code, name, err);
}

static void free_headers(struct exchange *x)
{
    for (struct curl_slist *line = x->headers; line; line = line->next)
        kit_secret_wipe(line->data, strlen(line->data)); /* session tokens */
    curl_slist_free_all(x->headers);
    x->headers = NULL;
}

static int add_header(struct exchange *x, const char *name, const char *value, struct kit_err *err)
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

static int set_headers(struct exchange *x, struct kit_err *err)
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
static int set_request(struct exchange *x, struct kit_err *err)
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
    SET(CURLOPT_NOPROXY, req->no_proxy ? "*" : (char *)NULL);
    SET(CURLOPT_TIMEOUT_MS, (long)timeout_ms);
    SET(CURLOPT_CONNECTTIMEOUT_MS, (long)(connect_ms < timeout_ms ? connect_ms : timeout_ms));
    SET(CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)x->resp.body.max_bytes);
    return options_set(code, name, err);
}

/* ---- errors
 * --------------------------------------------------------------------------------------- */

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

static int explain_proxy(const struct exchange *x, long status, struct kit_err *err)
{
    enum kit_err_kind kind = status >= 500 ? KIT_ERR_TRANSIENT : KIT_ERR_CONFIG;

    return kit_err_set(err, kind, "%s: the proxy refused the connection (HTTP %ld); check `proxy`",
                       x->what, status);
}

static int explain(const struct exchange *x, CURLcode code, struct kit_err *err)
{
    const char *why = x->curl_says[0] ? x->curl_says : curl_easy_strerror(code);
    long proxy_status = 0;

    (void)curl_easy_getinfo(x->easy, CURLINFO_HTTP_CONNECTCODE, &proxy_status);
    if (proxy_status >= 300)
        return explain_proxy(x, proxy_status, err);
    if (x->body_too_large || code == CURLE_FILESIZE_EXCEEDED)
        return kit_err_set(err, KIT_ERR_PROTOCOL, "%s: the answer is larger than %zu bytes",
                           x->what, x->resp.body.max_bytes);
    if (code == CURLE_SEND_FAIL_REWIND)
        return kit_err_set(err, KIT_ERR_TRANSIENT, "%s: the connection died before an answer came",
                           x->what);
    if (x->header_bytes > ANSWER_HEADERS_BYTES)
        return kit_err_set(err, KIT_ERR_PROTOCOL,
                           "%s: the answer's headers are larger than %u bytes", x->what,
                           ANSWER_HEADERS_BYTES);
    switch (code) {
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
        return kit_err_set(
            err, KIT_ERR_CONFIG,
            "%s: its certificate does not verify: %s; if a private authority signs it, "
            "name its certificate with ca_file or AWS_CA_BUNDLE",
            x->what, why);
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

/* ---- the engine
 * ----------------------------------------------------------------------------------- */

/* The exchange is idle again; its answer was handed over or is freed here. */
static void retire(struct engine *engine, struct exchange *x)
{
    if (x->added) {
        (void)curl_multi_remove_handle(engine->multi, x->easy);
        engine->running--;
    }
    x->added = false;
    x->req = NULL;
    free_headers(x);
    kit_http_response_done(&x->resp);
}

static void finish(struct engine *engine, struct exchange *x, CURLcode code,
                   struct kit_http_done *ret_done)
{
    struct kit_http_done done = {.tag = x->tag};
    curl_off_t took_us = 0;
    long status = 0;

    (void)curl_easy_getinfo(x->easy, CURLINFO_RESPONSE_CODE, &status);
    (void)curl_easy_getinfo(x->easy, CURLINFO_TOTAL_TIME_T, &took_us);
    x->resp.status = (int)status;
    x->resp.took_ms = took_us / 1000;
    if (code != CURLE_OK) {
        (void)explain(x, code, &done.err);
        done.err.outcome_open = was_sent(x->easy);
        if (x->body_too_large || code == CURLE_FILESIZE_EXCEEDED)
            done.err.sys = EFBIG;
        done.failed = true;
    } else if (status >= 300 && status < 400) {
        (void)kit_err_set(&done.err, KIT_ERR_PROTOCOL,
                          "%s: a redirect (HTTP %ld) to \"%s\", which is not followed: check the "
                          "endpoint",
                          x->what, status, x->resp.location);
        done.failed = true;
    } else {
        done.resp = x->resp;
        x->resp.body = KIT_BUF(0);
    }
    if (done.failed) {
        done.err.http_status = (int)status;
        (void)kit_str_copy(done.err.request_id, sizeof(done.err.request_id), x->resp.request_id);
    }
    retire(engine, x);
    *ret_done = done;
}

static struct exchange *idle_exchange(struct engine *engine, struct kit_err *err)
{
    struct exchange **end = &engine->all;
    struct exchange *x;

    for (; *end; end = &(*end)->next)
        if (!(*end)->req)
            return *end;
    x = kit_mem_new(1, sizeof(*x));
    x->easy = curl_easy_init();
    if (!x->easy) {
        (void)kit_err_set(err, KIT_ERR_SYSTEM, "libcurl cannot make a handle");
    } else if (set_common(engine, x, err) == 0) {
        *end = x;
        return x;
    }
    curl_easy_cleanup(x->easy);
    free(x);
    return NULL;
}

/* Hands waiting exchanges to libcurl while there are connections to spare.  libcurl could queue
 * them itself, but would count the time in its queue against each one's timeout. */
static struct exchange *launch(struct engine *engine)
{
    for (struct exchange *x = engine->all; x && engine->running < engine->max_running;
         x = x->next) {
        if (!x->req || x->added)
            continue;
        if (curl_multi_add_handle(engine->multi, x->easy) != CURLM_OK)
            return x;
        x->added = true;
        engine->running++;
    }
    return NULL;
}

static int engine_start(void *self, const struct kit_http_request *req, void *tag,
                        struct kit_err *err)
{
    struct engine *engine = self;
    struct exchange *x = idle_exchange(engine, err);

    if (!x || kit_http_check_request(req, x->what, err) < 0)
        return -1;
    x->req = req;
    x->tag = tag;
    x->body_too_large = false;
    x->header_bytes = 0;
    x->curl_says[0] = '\0';
    x->resp = (struct kit_http_response){
        .body = KIT_BUF_SECRET(req->max_body_bytes ? req->max_body_bytes : KIT_HTTP_BODY_BYTES),
        .retry_after_ms = -1,
    };
    if (set_request(x, err) < 0) {
        retire(engine, x);
        return -1;
    }
    (void)launch(engine); /* one that cannot be launched is reported by the next wait */
    return 0;
}

/* The next finished exchange that libcurl knows of. */
static bool collect(struct engine *engine, struct kit_http_done *ret_done)
{
    int left;
    CURLMsg *message = curl_multi_info_read(engine->multi, &left);
    char *private_data = NULL;

    if (!message || message->msg != CURLMSG_DONE)
        return false;
    CURLcode code = message->data.result; /* the message dies with the handle's removal */
    (void)curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &private_data);
    finish(engine, (struct exchange *)(void *)private_data, code, ret_done);
    return true;
}

static int engine_wait(void *self, struct kit_deadline until, struct kit_http_done *ret_done)
{
    struct engine *engine = self;

    for (;;) {
        struct exchange *stuck = launch(engine);
        if (stuck) {
            finish(engine, stuck, CURLE_FAILED_INIT, ret_done);
            return 1;
        }
        int active;
        CURLMcode code = curl_multi_perform(engine->multi, &active);
        if (collect(engine, ret_done))
            return 1;
        int64_t left_ms = kit_deadline_left_ms(engine->clock, until);
        if (code != CURLM_OK || engine->running == 0 || left_ms <= 0)
            return 0;
        (void)curl_multi_poll(engine->multi, NULL, 0, left_ms < 60000 ? (int)left_ms : 60000, NULL);
    }
}

static void engine_cancel(void *self)
{
    struct engine *engine = self;

    for (struct exchange *x = engine->all; x; x = x->next)
        if (x->req)
            retire(engine, x);
}

/* ---- opening and closing -------------------------------------------------------------------- */

static int init_process(struct kit_err *err)
{
    static bool ready;
    struct sigaction pipe_action;

    if (ready)
        return 0;
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return kit_err_set(err, KIT_ERR_SYSTEM, "libcurl cannot start");
    /* With NOSIGNAL libcurl leaves SIGPIPE to us, and older ones write to TLS sockets without
     * MSG_NOSIGNAL. */
    if (sigaction(SIGPIPE, NULL, &pipe_action) == 0 && pipe_action.sa_handler == SIG_DFL)
        (void)signal(SIGPIPE, SIG_IGN);
    ready = true;
    return 0;
}

static void engine_close(struct engine *engine)
{
    struct exchange *next;

    engine_cancel(engine);
    for (struct exchange *x = engine->all; x; x = next) {
        next = x->next;
        curl_easy_cleanup(x->easy);
        free(x);
    }
    (void)curl_multi_cleanup(engine->multi);
    (void)curl_share_cleanup(engine->share);
    kit_trust_done(&engine->trust);
    free(engine->proxy);
    free(engine->user_agent);
    free(engine);
}

int kit_http_open(const struct kit_http_settings *settings, const struct kit_clock *clock,
                  struct kit_transport *ret_transport, struct kit_err *err)
{
    struct engine *engine;

    if (init_process(err) < 0)
        return -1;
    engine = kit_mem_new(1, sizeof(*engine));
    engine->clock = clock;
    engine->max_running =
        settings->max_connections ? settings->max_connections : CONNECTIONS_DEFAULT;
    engine->multi = curl_multi_init();
    engine->share = curl_share_init();
    if (settings->proxy)
        engine->proxy = kit_mem_strdup(settings->proxy);
    if (settings->user_agent)
        engine->user_agent = kit_mem_strdup(settings->user_agent);
    if (!engine->multi || !engine->share ||
        curl_share_setopt(engine->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION) !=
            CURLSHE_OK ||
        curl_multi_setopt(engine->multi, CURLMOPT_MAXCONNECTS, (long)engine->max_running) !=
            CURLM_OK) {
        engine_close(engine);
        return kit_err_set(err, KIT_ERR_SYSTEM, "libcurl cannot make an engine");
    }
    if (kit_trust_choose(settings->ca_file, &engine->trust, err) < 0) {
        engine_close(engine);
        return -1;
    }
    *ret_transport = (struct kit_transport){
        .start = engine_start, .wait = engine_wait, .cancel = engine_cancel, .self = engine};
    return 0;
}

void kit_http_close(struct kit_transport *transport)
{
    if (transport->self)
        engine_close(transport->self);
    *transport = (struct kit_transport){0};
}
