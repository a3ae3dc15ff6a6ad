/* tests/unit/cloud_call.h - calls that follow a script, for the tests of kit/cloud/call.c. Included
 * after cmocka.h. */
#ifndef TESTS_UNIT_CLOUD_CALL_H
#define TESTS_UNIT_CLOUD_CALL_H

#include "kit/cloud/call.h"
#include "tests/unit/fakes.h"

#define MS KIT_NS_PER_MS
#define S  KIT_NS_PER_S

/* Statuses of this test's own protocol. */
enum {
    OK = 200,
    GARBLED = 210,
    REFUSED = 400,
    EXPIRED = 401, /* asks for other credentials */
    DENIED = 403,
    BETWEEN = 409,
    CLOCK = 418, /* put right by decode: once more at once */
    SLOW = 429,
    BROKEN = 500,
    SLOW_503 = 503,
};

#define ANSWER(code)                                                                               \
    {                                                                                              \
        .how = FAKE_ANSWER, .status = (code)                                                       \
    }

#define CALLS  40
#define SCRIPT 8
struct one {
    struct kit_call call; /* first: call-backs cast back */
    struct test *test;
    struct fake_answer script[SCRIPT]; /* the last one stays */
    size_t steps, given;
    bool refuse_to_encode, clock_right;
};

struct test {
    struct fake_clock clock;
    struct kit_clock kit_clock;
    struct fake_net net;
    struct kit_caller caller;
    struct one one[CALLS];
    size_t count;
    unsigned renewals;
    bool renewal_fails;
    void (*check)(struct one *one); /* before each answer, or NULL */
};

static inline int encode(struct kit_call *call, struct kit_http_request *req, struct kit_err *err)
{
    struct one *one = (struct one *)call;

    if (one->refuse_to_encode)
        return kit_err_set(err, KIT_ERR_REFUSED, "%s: cannot be encoded", call->what);
    (void)kit_buf_printf(&req->url, "http://127.0.0.1/%zu", (size_t)(one - one->test->one));
    return 0;
}

static inline int decode(struct kit_call *call, const struct kit_http_response *resp,
                         struct kit_call_again *ret_again, struct kit_err *err)
{
    static const struct {
        int status;
        enum kit_err_kind kind;
    } rows[] = {
        {GARBLED, KIT_ERR_PROTOCOL}, {REFUSED, KIT_ERR_REFUSED},  {EXPIRED, KIT_ERR_AUTH},
        {DENIED, KIT_ERR_DENIED},    {BETWEEN, KIT_ERR_STATE},    {CLOCK, KIT_ERR_AUTH},
        {SLOW, KIT_ERR_THROTTLED},   {BROKEN, KIT_ERR_TRANSIENT}, {SLOW_503, KIT_ERR_THROTTLED},
    };

    ret_again->retry_after_ms = resp->retry_after_ms;
    ret_again->at_once = resp->status == CLOCK && !((struct one *)call)->clock_right;
    ((struct one *)call)->clock_right |= ret_again->at_once;
    ret_again->renew = resp->status == EXPIRED;
    for (size_t i = 0; i < KIT_LEN(rows); i++)
        if (rows[i].status == resp->status)
            return kit_err_set(err, rows[i].kind, "%s: status %d", call->what, resp->status);
    assert_int_equal(resp->status, OK);
    return 0;
}

static inline int renew(struct kit_call *call, struct kit_deadline by, struct kit_err *err)
{
    struct test *t = ((struct one *)call)->test;

    assert_int_equal(t->net.flying, 0);
    assert_false(kit_deadline_passed(&t->kit_clock, by));
    t->renewals++;
    return t->renewal_fails ? kit_err_set(err, KIT_ERR_AUTH, "no others") : 0;
}

static inline void answer(struct fake_net *net, const struct fake_request *req,
                          struct fake_answer *ret_answer)
{
    struct test *t = net->arg;
    int64_t index;

    assert_true(kit_str_to_int(strrchr(req->url, '/') + 1, 0, CALLS - 1, &index));
    struct one *one = &t->one[index];
    if (t->check)
        t->check(one);
    size_t step = one->given < one->steps ? one->given : one->steps - 1;
    one->given++;
    *ret_answer = one->script[step];
}

static inline struct test *begin(void)
{
    struct test *t = kit_mem_new(1, sizeof(*t));

    t->clock = (struct fake_clock){.now_ns = 5 * S, .chance = 0.999999};
    t->kit_clock = fake_clock_of(&t->clock);
    fake_net_init(&t->net, &t->clock, answer, t);
    t->caller = (struct kit_caller){
        .net = &t->net.transport,
        .clock = &t->kit_clock,
        .policy = {.max_in_flight = 8, .api_timeout_ms = 10000, .connect_timeout_ms = 3000},
    };
    return t;
}

static inline void finish(struct test *t)
{
    fake_net_done(&t->net);
    free(t);
}

/* A call with this script; `steps` answers. */
static inline struct one *add(struct test *t, bool mutates, const struct fake_answer *script,
                              size_t steps)
{
    struct one *one = &t->one[t->count++];

    assert_true(steps >= 1 && steps <= SCRIPT);
    one->call = (struct kit_call){.what = mutates ? "Change" : "Look",
                                  .mutates = mutates,
                                  .encode = encode,
                                  .decode = decode,
                                  .renew = renew,
                                  .failed = true,
                                  .tries = 99};
    one->test = t;
    memcpy(one->script, script, steps * sizeof(*script));
    one->steps = steps;
    return one;
}

static inline struct one *add_same(struct test *t, bool mutates, struct fake_answer always)
{
    return add(t, mutates, &always, 1);
}

static inline int run(struct test *t, int64_t deadline_ms, struct kit_err *err)
{
    struct kit_call *call[CALLS];

    for (size_t i = 0; i < t->count; i++)
        call[i] = &t->one[i].call;
    return kit_call_all(&t->caller, call, t->count, kit_deadline_in_ms(&t->kit_clock, deadline_ms),
                        err);
}

#endif
