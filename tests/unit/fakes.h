/* tests/unit/fakes.h - a clock that moves when somebody waits, and a network that answers by
 * script.  Included after cmocka.h. */
#ifndef TESTS_UNIT_FAKES_H
#define TESTS_UNIT_FAKES_H

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kit/base/clock.h"
#include "kit/base/mem.h"
#include "kit/base/str.h"
#include "kit/net/http.h"

/* ---- clock ----------------------------------------------------------------------------------- */

/* 2026-01-02T03:04:05Z, the day of the signature vectors. */
#define FAKE_WALL_S INT64_C(1767323045)
#define FAKE_SLEEPS 256

struct fake_clock {
    int64_t now_ns;
    int64_t slept_ns[FAKE_SLEEPS]; /* the first ones */
    unsigned sleeps;
    double chance; /* what random() gives; < 0: a number from `seed` */
    uint64_t seed;
};

static inline int64_t fake_now_ns(void *self)
{
    return ((struct fake_clock *)self)->now_ns;
}

static inline int64_t fake_wall_ns(void *self)
{
    return FAKE_WALL_S * KIT_NS_PER_S + ((struct fake_clock *)self)->now_ns;
}

static inline void fake_sleep_ns(void *self, int64_t ns)
{
    struct fake_clock *c = self;

    assert_true(ns > 0);
    if (c->sleeps < FAKE_SLEEPS)
        c->slept_ns[c->sleeps] = ns;
    c->sleeps++;
    c->now_ns += ns;
}

/* xorshift64*: the same numbers on every machine. */
static inline uint64_t fake_number(uint64_t *seed)
{
    if (!*seed)
        *seed = 1;
    *seed ^= *seed >> 12;
    *seed ^= *seed << 25;
    *seed ^= *seed >> 27;
    return *seed * UINT64_C(2685821657736338717);
}

static inline double fake_random(void *self)
{
    struct fake_clock *c = self;

    return c->chance >= 0 ? c->chance : (double)(fake_number(&c->seed) >> 11) / 9007199254740992.0;
}

static inline struct kit_clock fake_clock_of(struct fake_clock *c)
{
    return (struct kit_clock){.now_ns = fake_now_ns,
                              .wall_ns = fake_wall_ns,
                              .sleep_ns = fake_sleep_ns,
                              .random = fake_random,
                              .self = c};
}

/* ---- network --------------------------------------------------------------------------------- */

enum fake_how {
    FAKE_ANSWER,     /* status, body … */
    FAKE_LOST,       /* the request went out, its answer was lost */
    FAKE_NO_CONNECT, /* nothing was sent */
    FAKE_TOO_LARGE,  /* an answer over the ceiling */
    FAKE_NEVER,      /* nothing ever comes, until it is cancelled */
    FAKE_NO_START,   /* start refuses */
};

struct fake_answer {
    enum fake_how how;
    int status;
    const char *body;       /* copied; NULL = empty */
    int64_t after_ms;       /* 0 = 1 ms */
    int64_t retry_after_ms; /* 0 = none */
    const char *date;
    bool aged;
};

#define FAKE_HEADERS KIT_HTTP_HEADERS
struct fake_request {
    char method[8];
    char *url, *body;
    char *header[FAKE_HEADERS]; /* "Name: value" */
    size_t headers;
    int64_t at_ns, timeout_ms, connect_timeout_ms;
    unsigned in_flight; /* with this one */
    bool no_proxy;
};

struct fake_net;
typedef void (*fake_answer_fn)(struct fake_net *net, const struct fake_request *req,
                               struct fake_answer *ret_answer);

struct fake_flight {
    void *tag;
    const struct kit_http_request *req;
    size_t index;
    struct fake_answer answer;
    char *body;
    int64_t due_ns;
};

#define FAKE_REQUESTS 4096
#define FAKE_FLIGHTS  512
struct fake_net {
    struct fake_clock *clock;
    fake_answer_fn answer;
    void *arg;
    struct fake_request *request; /* FAKE_REQUESTS */
    size_t requests;
    struct fake_flight flight[FAKE_FLIGHTS];
    unsigned flying, most_flying, cancels;
    struct kit_transport transport;
};

static inline void fake_record(struct fake_request *to, const struct kit_http_request *req)
{
    (void)kit_str_copy(to->method, sizeof(to->method), req->method);
    to->url = kit_mem_strdup(req->url.data);
    to->body = kit_mem_strdup(req->body.data);
    to->timeout_ms = req->timeout_ms;
    to->connect_timeout_ms = req->connect_timeout_ms;
    to->no_proxy = req->no_proxy;
    for (size_t i = 0; i < req->headers; i++) {
        KIT_AUTO(kit_buf) line = KIT_BUF(KIT_HTTP_REQUEST_BYTES);
        assert_int_equal(
            kit_buf_printf(&line, "%s: %s", req->header[i].name, req->header[i].value.data), 0);
        to->header[to->headers++] = kit_buf_take(&line);
    }
}

static inline int fake_start(void *self, const struct kit_http_request *req, void *tag,
                             struct kit_err *err)
{
    struct fake_net *net = self;
    struct fake_request *seen;
    struct fake_flight *f;

    assert_true(net->requests < FAKE_REQUESTS && net->flying < FAKE_FLIGHTS);
    seen = &net->request[net->requests];
    fake_record(seen, req);
    seen->at_ns = net->clock->now_ns;
    seen->in_flight = net->flying + 1;
    net->requests++;
    f = &net->flight[net->flying];
    *f = (struct fake_flight){.tag = tag, .req = req, .index = net->requests - 1};
    net->answer(net, seen, &f->answer);
    if (f->answer.how == FAKE_NO_START)
        return kit_err_set(err, KIT_ERR_CONFIG, "the transport refused %s", seen->url);
    if (f->answer.body)
        f->body = kit_mem_strdup(f->answer.body);
    f->due_ns = f->answer.how == FAKE_NEVER
                    ? INT64_MAX
                    : seen->at_ns + (f->answer.after_ms ? f->answer.after_ms : 1) * KIT_NS_PER_MS;
    if (++net->flying > net->most_flying)
        net->most_flying = net->flying;
    return 0;
}

static inline void fake_fill(const struct fake_net *net, const struct fake_flight *f,
                             struct kit_http_done *done)
{
    const struct fake_answer *a = &f->answer;

    *done = (struct kit_http_done){.tag = f->tag};
    if (a->how != FAKE_ANSWER) {
        done->failed = true;
        if (a->how == FAKE_TOO_LARGE) {
            (void)kit_err_set(&done->err, KIT_ERR_PROTOCOL, "an answer over the ceiling");
            done->err.sys = EFBIG;
        } else {
            (void)kit_err_set(&done->err, KIT_ERR_TRANSIENT, "%s",
                              a->how == FAKE_LOST ? "connection reset" : "cannot connect");
        }
        done->err.outcome_open = a->how == FAKE_LOST;
        return;
    }
    done->resp = (struct kit_http_response){
        .status = a->status,
        .body = KIT_BUF(KIT_HTTP_BODY_BYTES),
        .retry_after_ms = a->retry_after_ms ? a->retry_after_ms : -1,
        .aged = a->aged,
        .took_ms = (net->clock->now_ns - net->request[f->index].at_ns) / KIT_NS_PER_MS,
    };
    if (f->body)
        assert_int_equal(kit_buf_puts(&done->resp.body, f->body), 0);
    if (a->date)
        (void)kit_str_copy(done->resp.date, sizeof(done->resp.date), a->date);
}

static inline int fake_wait(void *self, struct kit_deadline until, struct kit_http_done *ret_done)
{
    struct fake_net *net = self;
    unsigned first = 0;

    if (!net->flying)
        return 0;
    for (unsigned i = 1; i < net->flying; i++)
        if (net->flight[i].due_ns < net->flight[first].due_ns)
            first = i;
    struct fake_flight f = net->flight[first];
    if (f.due_ns > until.at_ns) {
        if (until.at_ns > net->clock->now_ns)
            net->clock->now_ns = until.at_ns;
        return 0;
    }
    if (f.due_ns > net->clock->now_ns)
        net->clock->now_ns = f.due_ns;
    /* The request was left alone while it was under way. */
    assert_string_equal(f.req->url.data, net->request[f.index].url);
    assert_string_equal(f.req->body.data, net->request[f.index].body);
    net->flying--;
    memmove(&net->flight[first], &net->flight[first + 1],
            (net->flying - first) * sizeof(net->flight[0]));
    fake_fill(net, &f, ret_done);
    free(f.body);
    return 1;
}

static inline void fake_cancel(void *self)
{
    struct fake_net *net = self;

    while (net->flying)
        free(net->flight[--net->flying].body);
    net->cancels++;
}

/* In place: the transport points at `net`. */
static inline void fake_net_init(struct fake_net *net, struct fake_clock *clock,
                                 fake_answer_fn answer, void *arg)
{
    memset(net, 0, sizeof(*net));
    net->clock = clock;
    net->answer = answer;
    net->arg = arg;
    net->request = kit_mem_new(FAKE_REQUESTS, sizeof(*net->request));
    net->transport = (struct kit_transport){
        .start = fake_start, .wait = fake_wait, .cancel = fake_cancel, .self = net};
}

static inline void fake_net_done(struct fake_net *net)
{
    assert_int_equal(net->flying, 0); /* nothing is left behind */
    for (size_t i = 0; i < net->requests; i++) {
        free(net->request[i].url);
        free(net->request[i].body);
        for (size_t k = 0; k < net->request[i].headers; k++)
            free(net->request[i].header[k]);
    }
    free(net->request);
}

/* Value of a header of a recorded request, or NULL. */
static inline const char *fake_header(const struct fake_request *req, const char *name)
{
    size_t len = strlen(name);

    for (size_t i = 0; i < req->headers; i++)
        if (!strncmp(req->header[i], name, len) && req->header[i][len] == ':')
            return req->header[i] + len + 2;
    return NULL;
}

static inline void fake_assert_text(const char *text, const char *part)
{
    if (!strstr(text, part))
        fail_msg("\"%s\" is not in: %s", part, text);
}

#endif
