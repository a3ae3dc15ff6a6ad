/* kit/net/exchange.h - one request on one libcurl handle: for http.c alone. */
#ifndef KIT_NET_EXCHANGE_H
#define KIT_NET_EXCHANGE_H

#include <curl/curl.h>

#include "kit/net/http.h"
#include "kit/net/message.h"
#include "kit/net/trust.h"

/* One request under way, or idle in the pool with its easy handle. */
struct kit_exchange {
    struct kit_exchange *next;
    CURL *easy;
    struct curl_slist *headers;
    const struct kit_http_request *req; /* borrowed until it is done; NULL = idle */
    void *tag;
    bool added; /* to the multi handle; else it waits for a free connection */
    bool body_too_large;
    unsigned sendings;  /* times that libcurl was about to send it */
    size_t given_bytes; /* of the request's body, to libcurl */
    size_t header_bytes;
    char what[KIT_HTTP_WHAT]; /* for errors */
    char curl_says[CURL_ERROR_SIZE];
    struct kit_http_response resp;
};

/* What all exchanges of an engine have in common; borrowed. */
struct kit_exchange_common {
    CURLSH *share; /* TLS sessions outlive connections and easy handles */
    struct kit_trust trust;
    char *proxy, *user_agent; /* NULL = libcurl's default */
};

/* Once, for a new handle.  KIT_ERR_CONFIG: libcurl refuses an option. */
int kit_exchange_set_common(struct kit_exchange *x, const struct kit_exchange_common *common,
                            struct kit_err *err) KIT_CHECKED;
/* For each request: x->req says which. */
int kit_exchange_set_request(struct kit_exchange *x, struct kit_err *err) KIT_CHECKED;
/* Forgets the request's headers, wiped. */
void kit_exchange_clear(struct kit_exchange *x);
/* Why there is no answer: fills *err, outcome_open included.  Returns -1. */
int kit_exchange_explain(const struct kit_exchange *x, CURLcode code, struct kit_err *err);

#endif
