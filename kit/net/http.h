/* kit/net/http.h - HTTP requests, one or many at once, over libcurl.
 *
 * The rules that hold for every request and that no setting switches off: TLS is verified;
 * redirects are not followed but reported; plain http goes only where kit_url_plain_allowed says;
 * sizes and times are capped; no signals, no netrc, no cookies, HTTP/1.1.  `struct kit_transport`
 * is the seam: a mover's calls need nothing else of the network. */
#ifndef KIT_NET_HTTP_H
#define KIT_NET_HTTP_H

#include <stdbool.h>
#include <stdint.h>

#include "kit/base/buf.h"
#include "kit/base/clock.h"
#include "kit/base/err.h"

#define KIT_HTTP_HEADERS 12
/* Largest answer that is read: a page of 100 route tables of 50 routes is about 1.2 MB. */
#define KIT_HTTP_BODY_BYTES    (1536u * 1024)
#define KIT_HTTP_REQUEST_BYTES (64u * 1024)

struct kit_http_header {
    const char *name; /* as sent */
    struct kit_buf value;
};

/* What to send; filled by an encoder for each try, owned by the engine's caller until done. */
struct kit_http_request {
    char method[8]; /* "GET" "POST" "PUT" */
    struct kit_buf url;
    struct kit_http_header header[KIT_HTTP_HEADERS];
    size_t headers;
    struct kit_buf body; /* may hold a secret (a web identity token): wiped */
    bool no_proxy;       /* metadata services: a proxy must never see these */
    int64_t timeout_ms;  /* for this try, from connect to the last byte */
    int64_t connect_timeout_ms;
    size_t max_body_bytes; /* 0 = KIT_HTTP_BODY_BYTES */
};
void kit_http_request_init(struct kit_http_request *req, const char *method);
void kit_http_request_done(struct kit_http_request *req); /* wiped */
/* Adds a header; `value` is copied; a value with a control character (CR, LF …) is refused:
 * KIT_ERR_REFUSED. */
int kit_http_request_header(struct kit_http_request *req, const char *name, const char *value,
                            struct kit_err *err) KIT_CHECKED;

struct kit_http_response {
    int status; /* 200 … */
    struct kit_buf body;
    char content_type[64];
    char date[40];          /* the Date header, "" if none */
    char request_id[64];    /* x-amzn-requestid, x-amz-request-id or x-acs-request-id */
    char location[256];     /* of a redirect, for the message only */
    int64_t retry_after_ms; /* from Retry-After (seconds) or x-amz-retry-after / x-acs-retry-after
                               (ms); -1 = none */
    bool aged;              /* an Age header: some cache answered, Date means nothing */
    int64_t took_ms;
};
void kit_http_response_done(struct kit_http_response *resp);

/* One finished exchange.  `failed`: no (whole, acceptable) answer came; *err says why
 * (KIT_ERR_TRANSIENT, with outcome_open when the request had been sent completely or in part;
 * KIT_ERR_CONFIG for a certificate that does not verify or an address where plain http is not
 * allowed; KIT_ERR_PROTOCOL for a body over the ceiling (sys is EFBIG then) or a redirect;
 * KIT_ERR_SYSTEM when libcurl itself fails).  A request is sent once: never again by itself. */
struct kit_http_done {
    void *tag;
    bool failed;
    struct kit_err err;
    struct kit_http_response
        resp; /* valid unless failed; the receiver calls kit_http_response_done */
};

struct kit_transport {
    /* Begin sending; `req` stays untouched and alive until its kit_http_done has been received. -1:
     * it must not or cannot be sent (KIT_ERR_CONFIG: the URL, plain http; KIT_ERR_REFUSED: a
     * ceiling); nothing was, and its tag is never reported.  Does not block. */
    int (*start)(void *self, const struct kit_http_request *req, void *tag, struct kit_err *err);
    /* Wait for the next finished one until `until`: 1 = *ret_done is filled, 0 = none by then, or
     * nothing is under way. */
    int (*wait)(void *self, struct kit_deadline until, struct kit_http_done *ret_done);
    /* Abort all that is under way (deadline spent); their tags are never reported. */
    void (*cancel)(void *self);
    void *self;
};

struct kit_http_settings {
    const char
        *ca_file; /* PEM file or hashed directory instead of the system's; NULL = the system's */
    const char *proxy;        /* URL; NULL = as libcurl reads the environment */
    unsigned max_connections; /* at once, per engine */
    const char *user_agent;
};

/* An engine: connections are kept and reused between requests, TLS sessions resumed.  Not
 * thread-safe. The system's certificates: a hashed directory where the distribution has one
 * (loading a bundle of 145 certificates costs 20 ms, a look-up by hash nothing), else libcurl's
 * default bundle; CURL_CA_BUNDLE and SSL_CERT_FILE come before both. KIT_ERR_CONFIG: ca_file cannot
 * be read.  The first call sets SIGPIPE to be ignored if it had its default action.  Requests
 * beyond max_connections (0 = 8) wait their turn; timeout_ms begins when that comes. */
int kit_http_open(const struct kit_http_settings *settings, const struct kit_clock *clock,
                  struct kit_transport *ret_transport, struct kit_err *err) KIT_CHECKED;
void kit_http_close(struct kit_transport *transport);

#endif
