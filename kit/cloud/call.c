#include "kit/cloud/call.h"

#include <stdlib.h>

#include "kit/base/mem.h"

/* Throttled calls wait as the providers' SDKs do in standard mode: scale 1 s, cap 20 s.  Other
 * failures may pass at any moment, and somebody's service is waiting: scale 50 ms (botocore's new
 * standard mode), cap 5 s. */
static const struct kit_backoff after_throttle = {.base_ns = KIT_NS_PER_S,
                                                  .cap_ns = 20 * KIT_NS_PER_S};
static const struct kit_backoff after_failure = {.base_ns = 50 * KIT_NS_PER_MS,
                                                 .cap_ns = 5 * KIT_NS_PER_S};

#define GARBLED_TRIES 3

enum phase {
    READY,  /* may be sent from not_before_ns on */
    FLYING, /* sent */
    HELD,   /* waits for other credentials */
    ENDED,
};

struct flight {
    struct kit_call *call;
    struct kit_http_request req;
    enum phase phase;
    int64_t not_before_ns;
    bool renewed;
};

struct batch {
    struct kit_caller *caller;
    struct flight *flight;
    size_t count, ended, flying, held;
    unsigned limit; /* how many may fly: halved when throttled, grows by one with each success */
    struct kit_deadline by;
    bool may_renew;
};

static void end(struct batch *b, struct flight *f, bool failed)
{
    f->phase = ENDED;
    f->call->failed = failed;
    b->ended++;
}

static void fail(struct batch *b, struct flight *f)
{
    if (f->call->tries > 1)
        (void)kit_err_wrap(&f->call->err, "gave up after %u tries", f->call->tries);
    end(b, f, true);
}

static void send_one(struct batch *b, struct flight *f)
{
    const struct kit_call_policy *policy = &b->caller->policy;
    int64_t left_ms = kit_deadline_left_ms(b->caller->clock, b->by);
    struct kit_call *call = f->call;

    kit_http_request_done(&f->req);
    kit_http_request_init(&f->req, "GET");
    f->req.timeout_ms = policy->api_timeout_ms;
    f->req.connect_timeout_ms = policy->connect_timeout_ms;
    call->tries++;
    if (call->encode(call, &f->req, &call->err)) {
        end(b, f, true);
        return;
    }
    if (f->req.timeout_ms > left_ms)
        f->req.timeout_ms = left_ms > 0 ? left_ms : 1;
    if (b->caller->net->start(b->caller->net->self, &f->req, f, &call->err)) {
        end(b, f, true);
        return;
    }
    if (call->metadata)
        b->caller->stats.metadata++;
    else
        b->caller->stats.calls++;
    f->phase = FLYING;
    b->flying++;
}

/* After a failed try that may be repeated: when?  Ends the call when its time or its tries are up.
 */
static void again_later(struct batch *b, struct flight *f, int64_t retry_after_ms)
{
    const struct kit_clock *clock = b->caller->clock;
    struct kit_call *call = f->call;
    bool throttled = call->err.kind == KIT_ERR_THROTTLED;
    unsigned max_tries = call->max_tries ? call->max_tries : b->caller->policy.max_tries;

    if (max_tries && call->tries >= max_tries) {
        fail(b, f);
        return;
    }
    int64_t nap_ns =
        kit_backoff_ns(throttled ? &after_throttle : &after_failure, call->tries, clock);
    if (retry_after_ms * KIT_NS_PER_MS > nap_ns)
        nap_ns = retry_after_ms * KIT_NS_PER_MS;
    f->not_before_ns = kit_clock_now_ns(clock) + nap_ns;
    if (f->not_before_ns >= b->by.at_ns) {
        (void)kit_err_wrap(&call->err, "no time left for another try after %u", call->tries);
        end(b, f, true);
        return;
    }
    f->phase = READY;
}

/* `garbled`: an answer came, and could not be understood.  Once may be an accident on the way; an
 * endpoint that does it again is not what it should be. */
static bool may_repeat(const struct kit_call *call, bool garbled)
{
    if (garbled)
        return (!call->mutates || call->repeatable) && call->tries < GARBLED_TRIES;
    return kit_err_retryable(&call->err) &&
           !(call->mutates && !call->repeatable && call->err.outcome_open);
}

static void land(struct batch *b, struct kit_http_done *done)
{
    struct flight *f = done->tag;
    struct kit_call *call = f->call;
    struct kit_call_again again = {.retry_after_ms = -1};
    bool garbled;

    b->flying--;
    if (done->failed) {
        call->err = done->err;
        (void)kit_err_wrap(&call->err, "%s", call->what);
    } else {
        int rc = call->decode(call, &done->resp, &again, &call->err);
        if (rc && done->resp.status >= 500 && call->err.kind != KIT_ERR_THROTTLED)
            call->err.outcome_open = true;
        kit_http_response_done(&done->resp);
        if (!rc) {
            if (b->limit < b->caller->policy.max_in_flight)
                b->limit++;
            end(b, f, false);
            return;
        }
    }
    garbled = !done->failed && call->err.kind == KIT_ERR_PROTOCOL;
    /* An answer to a change that nobody can read says nothing about whether the change was made. */
    if (call->err.kind == KIT_ERR_PROTOCOL)
        call->err.outcome_open = true;
    if (!call->mutates)
        call->err.outcome_open = false;

    if (call->err.kind == KIT_ERR_THROTTLED) {
        b->caller->stats.throttled++;
        b->limit = b->limit > 1 ? b->limit / 2 : 1;
    }
    if (again.at_once) {
        f->phase = READY;
        f->not_before_ns = 0;
    } else if (again.renew && call->renew && !f->renewed) {
        f->phase = HELD;
        f->renewed = true;
        b->held++;
    } else if (may_repeat(call, garbled)) {
        again_later(b, f, again.retry_after_ms);
    } else {
        end(b, f, true);
    }
}

/* With nothing in flight: get other credentials, once a batch, for all that were refused. */
static void renew(struct batch *b)
{
    struct kit_err err;
    int rc = -1;

    for (size_t i = 0; i < b->count; i++) {
        struct flight *f = &b->flight[i];

        if (f->phase != HELD)
            continue;
        if (b->may_renew) {
            b->may_renew = false;
            rc = f->call->renew(f->call, b->by, &err);
        }
        if (rc) {
            end(b, f, true); /* with the cloud's own words, which say more than the renewal's */
        } else {
            f->phase = READY;
            f->not_before_ns = 0;
        }
    }
    b->held = 0;
}

/* Sends what may be sent; returns when the next one may be. */
static struct kit_deadline launch(struct batch *b)
{
    int64_t now_ns = kit_clock_now_ns(b->caller->clock);
    struct kit_deadline next = b->by;

    for (size_t i = 0; i < b->count; i++) {
        struct flight *f = &b->flight[i];

        if (f->phase != READY)
            continue;
        if (f->not_before_ns > now_ns)
            next = kit_deadline_earlier(next, (struct kit_deadline){f->not_before_ns});
        else if (b->flying < b->limit)
            send_one(b, f);
    }
    return next;
}

static void out_of_time(struct batch *b)
{
    b->caller->net->cancel(b->caller->net->self);
    for (size_t i = 0; i < b->count; i++) {
        struct flight *f = &b->flight[i];
        struct kit_call *call = f->call;
        bool open = f->phase == FLYING && call->mutates;

        if (f->phase == ENDED)
            continue;
        if (f->phase == FLYING && call->tries <= 1)
            (void)kit_err_set(&call->err, KIT_ERR_TIMEOUT, "%s: no answer before the deadline",
                              call->what);
        else if (call->tries)
            (void)kit_err_wrap(&call->err, "deadline spent after %u tries", call->tries);
        else
            (void)kit_err_set(&call->err, KIT_ERR_TIMEOUT,
                              "%s: the deadline was spent before it was sent", call->what);
        call->err.kind = KIT_ERR_TIMEOUT;
        call->err.outcome_open = open;
        end(b, f, true);
    }
}

static int sum_up(const struct batch *b, struct kit_err *err)
{
    const struct kit_call *first = NULL;
    size_t failed = 0;

    for (size_t i = 0; i < b->count; i++) {
        if (!b->flight[i].call->failed)
            continue;
        failed++;
        if (!first)
            first = b->flight[i].call;
    }
    if (!first)
        return 0;
    *err = first->err;
    if (failed > 1)
        (void)kit_err_wrap(err, "%zu of %zu calls failed, the first", failed, b->count);
    return -1;
}

static void run(struct batch *b)
{
    const struct kit_transport *net = b->caller->net;
    const struct kit_clock *clock = b->caller->clock;

    while (b->ended < b->count) {
        struct kit_deadline next;
        struct kit_http_done done;

        if (kit_deadline_passed(clock, b->by)) {
            out_of_time(b);
            return;
        }
        if (b->held && !b->flying) {
            renew(b);
            continue; /* it took its time, and what it was for may be sent now */
        }
        next = b->held ? b->by : launch(b);
        if (b->flying) {
            if (net->wait(net->self, next, &done) == 1)
                land(b, &done);
        } else if (b->ended < b->count) {
            int64_t nap_ns = next.at_ns - kit_clock_now_ns(clock);
            if (nap_ns > 0)
                clock->sleep_ns(clock->self, nap_ns);
        }
    }
}

int kit_call_all(struct kit_caller *caller, struct kit_call *const call[], size_t count,
                 struct kit_deadline by, struct kit_err *err)
{
    struct batch b = {.caller = caller, .count = count, .by = by, .may_renew = true};
    bool api = false;
    int rc;

    if (!count)
        return 0;
    b.limit = caller->policy.max_in_flight ? caller->policy.max_in_flight : 1;
    b.flight = kit_mem_new(count, sizeof(*b.flight));
    for (size_t i = 0; i < count; i++) {
        b.flight[i].call = call[i];
        kit_http_request_init(&b.flight[i].req, "GET");
        call[i]->failed = false;
        call[i]->tries = 0;
        api = api || !call[i]->metadata;
    }
    if (api)
        caller->stats.rounds++;
    run(&b);
    rc = sum_up(&b, err);
    for (size_t i = 0; i < count; i++)
        kit_http_request_done(&b.flight[i].req);
    free(b.flight);
    return rc;
}

void kit_call_stats_add(struct kit_call_stats *sum, const struct kit_call_stats *more)
{
    sum->calls += more->calls;
    sum->rounds += more->rounds;
    sum->throttled += more->throttled;
    sum->metadata += more->metadata;
    if (more->skew_s)
        sum->skew_s = more->skew_s;
}
