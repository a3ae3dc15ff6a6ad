/* kit/cloud/call.h - API calls, one or many in flight, with retries inside one deadline.
 *
 * A call knows how to encode itself (and sign: anew for each try) and how to decode its answer.
 * This module decides when it is sent, how many are in flight, what is tried again and when.
 *
 * The rule for changes: a call that `mutates` is tried again only when the last try certainly
 * changed nothing (it was throttled, refused before it ran, or never reached the server).  When its
 * answer was lost it fails with err.outcome_open set, and whoever asked must look at the cloud
 * before asking again: a repeated change could take the address from a third node. */
#ifndef KIT_CLOUD_CALL_H
#define KIT_CLOUD_CALL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kit/base/clock.h"
#include "kit/base/err.h"
#include "kit/net/http.h"

/* What decode says of a failure besides *err. */
struct kit_call_again {
    bool at_once; /* something was put right (the clock offset): once more, without waiting */
    bool renew;   /* credentials: call renew, then once more */
    int64_t retry_after_ms; /* the server's own wish, -1 = none */
};

struct kit_call {
    const char *what; /* the action's name in errors and counts: "ReplaceRoute" */
    bool mutates;
    bool repeatable; /* a change that the server knows again (a client token): safe to send twice */
    bool metadata;   /* not an API call: not counted as one */
    unsigned max_tries; /* 0 = the policy's */
    /* Fill *req (already initialised; timeouts are set by the caller). */
    int (*encode)(struct kit_call *call, struct kit_http_request *req, struct kit_err *err);
    /* Judge and take over the answer: 0 = success.  May be called again after a retry. */
    int (*decode)(struct kit_call *call, const struct kit_http_response *resp,
                  struct kit_call_again *ret_again, struct kit_err *err);
    /* Get other credentials; called at most once a batch, with nothing in flight; may be NULL. */
    int (*renew)(struct kit_call *call, struct kit_deadline by, struct kit_err *err);

    /* The outcome, valid after kit_call_all. */
    bool failed;
    struct kit_err err;
    unsigned tries;
};

/* How hard to try.  restore and recover try until their deadline; a check gives up early and says
 * UNKNOWN. */
struct kit_call_policy {
    unsigned max_tries; /* of one call; 0 = until the deadline */
    unsigned max_in_flight;
    int64_t api_timeout_ms, connect_timeout_ms;
};

struct kit_call_stats {
    unsigned calls;  /* API calls sent, tries included */
    unsigned rounds; /* batches of API calls, one after the other */
    unsigned throttled;
    unsigned metadata; /* metadata requests sent */
    int64_t skew_s;    /* the clock offset that had to be corrected, 0 = none */
};

void kit_call_stats_add(struct kit_call_stats *sum, const struct kit_call_stats *more);

struct kit_caller {
    const struct kit_transport *net;
    const struct kit_clock *clock;
    struct kit_call_policy policy;
    struct kit_call_stats stats;
};

/* Runs all calls to their ends; returns 0 when all succeeded, else -1 with *err = the first failed
 * call's error in the order of `call` ("WHAT: …", and "N of M calls failed, the first: …" when
 * several). Blocks until `by` at most: what is in flight then fails with KIT_ERR_TIMEOUT that keeps
 * the last reason in its message; a call whose next try would come too late ends early, with the
 * kind of its last failure. */
int kit_call_all(struct kit_caller *caller, struct kit_call *const call[], size_t count,
                 struct kit_deadline by, struct kit_err *err) KIT_CHECKED;

/* A new client token, by which a server knows a repeated change again: a UUID (RFC 4122, version
 * 4), as the providers' SDKs send it. */
#define KIT_CALL_TOKEN 37
int kit_call_token(char ret_token[KIT_CALL_TOKEN], struct kit_err *err) KIT_CHECKED;

#endif
