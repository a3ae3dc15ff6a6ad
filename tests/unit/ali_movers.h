/* tests/unit/ali_movers.h - a session with Alibaba Cloud on a network that answers by script, for
 * the movers.  Included after cmocka.h. */
#ifndef TESTS_UNIT_ALI_MOVERS_H
#define TESTS_UNIT_ALI_MOVERS_H

#include <stdlib.h>
#include <unistd.h>

#include "kit/cloud/registry.h"
#include "kit/vip/plan.h"
#include "tests/unit/fakes.h"

#define ALI_METADATA "http://100.100.100.200/latest/"
#define ALI_REQUEST  "\"RequestId\":\"473469C7-AA6F-4DC5-B3DB-A3DC0DE3C83E\""
#define ALI_OK       "{" ALI_REQUEST "}"
/* An answer with this inside. */
#define ALI_ANSWER(inside) "{" ALI_REQUEST "," inside "}"
#define ALI_ERROR(code)                                                                            \
    "{" ALI_REQUEST ",\"HostId\":\"ecs.cn-shanghai.aliyuncs.com\",\"Code\":\"" code                \
    "\",\"Message\":\"what the cloud says\"}"

/* Answers `times` (0 = always) requests for `action` ("GET meta-data/…" or "PUT api/token":
 * metadata) whose query holds `part` (NULL = any); the first that fits and has some left. */
struct ali_reply {
    const char *action, *part;
    struct fake_answer answer;
    unsigned times, given;
};

#define ALI_REPLIES 32
struct ali_world {
    struct fake_clock clock;
    struct kit_clock kit_clock;
    struct fake_net net;
    struct kit_caller caller;
    struct kit_settings settings[4];
    size_t resources;
    struct kit_cloud *cloud;
    const struct kit_provider *provider;
    struct ali_reply reply[ALI_REPLIES];
    size_t replies;
};

static inline bool ali_reply_fits(const struct ali_reply *r, const struct fake_request *req)
{
    const char *action = fake_header(req, "x-acs-action");

    if (kit_str_starts(req->url, ALI_METADATA)) {
        char line[256];
        assert_true(kit_str_format(line, sizeof(line), "%s %s", req->method,
                                   req->url + strlen(ALI_METADATA)));
        return kit_str_eq(line, r->action);
    }
    return kit_str_eq(action, r->action) && (!r->part || strstr(req->url, r->part));
}

static inline void ali_world_answer(struct fake_net *net, const struct fake_request *req,
                                    struct fake_answer *ret_answer)
{
    struct ali_world *w = net->arg;

    for (size_t i = 0; i < w->replies; i++) {
        struct ali_reply *r = &w->reply[i];

        if (!ali_reply_fits(r, req) || (r->times && r->given >= r->times))
            continue;
        r->given++;
        *ret_answer = r->answer;
        return;
    }
    fail_msg("no answer to %s %s", req->method, req->url);
}

static inline void ali_reply_with(struct ali_world *w, const char *action, const char *part,
                                  struct fake_answer answer, unsigned times)
{
    assert_true(w->replies < ALI_REPLIES);
    w->reply[w->replies++] =
        (struct ali_reply){.action = action, .part = part, .answer = answer, .times = times};
}

static inline void ali_reply(struct ali_world *w, const char *action, const char *part,
                             const char *body)
{
    ali_reply_with(w, action, part, (struct fake_answer){.status = 200, .body = body}, 0);
}

static inline void ali_reply_once(struct ali_world *w, const char *action, const char *part,
                                  const char *body)
{
    ali_reply_with(w, action, part, (struct fake_answer){.status = 200, .body = body}, 1);
}

static inline void ali_put(struct ali_world *w, size_t n, enum kit_param param, const char *value)
{
    struct kit_err err;

    if (kit_settings_put(&w->settings[n], param, value, "test", &err))
        fail_msg("%s", err.msg);
}

static inline size_t ali_resource(struct ali_world *w, const char *scenario)
{
    char tag[16];

    assert_true(w->resources < KIT_LEN(w->settings));
    assert_true(kit_str_format(tag, sizeof(tag), "r%zu", w->resources));
    kit_settings_init(&w->settings[w->resources], tag);
    ali_put(w, w->resources, KIT_PARAM_PROVIDER, "aliyun");
    ali_put(w, w->resources, KIT_PARAM_SCENARIO, scenario);
    ali_put(w, w->resources, KIT_PARAM_REGION, "cn-shanghai");
    return w->resources++;
}

static inline struct kit_deadline ali_in_5_minutes(const struct ali_world *w)
{
    return kit_deadline_in_ms(&w->kit_clock, INT64_C(300) * 1000);
}

/* What the caller's environment says of the cloud is not meant for us. */
static inline void ali_forget_environment(void)
{
    for (char **at = environ; *at;) {
        char name[96];
        size_t len = strcspn(*at, "=");

        if (kit_str_starts(*at, "ALIBABA_CLOUD_") && len < sizeof(name)) {
            memcpy(name, *at, len);
            name[len] = '\0';
            assert_int_equal(unsetenv(name), 0);
            at = environ;
        } else {
            at++;
        }
    }
}

/* A session whose first resource has this scenario; the metadata service knows instance i-2. */
static inline struct ali_world *ali_begin(const char *scenario)
{
    struct ali_world *w = kit_mem_new(1, sizeof(*w));
    struct kit_err err;

    ali_forget_environment();
    assert_int_equal(setenv("HOME", "/nonexistent", 1), 0);
    assert_int_equal(setenv("ALIBABA_CLOUD_ACCESS_KEY_ID", "LTAI5tExampleKeyId", 1), 0);
    assert_int_equal(setenv("ALIBABA_CLOUD_ACCESS_KEY_SECRET", "HUSHHUSHKEY", 1), 0);
    fake_net_init(&w->net, &w->clock, ali_world_answer, w);
    w->kit_clock = fake_clock_of(&w->clock);
    w->caller = (struct kit_caller){
        .net = &w->net.transport,
        .clock = &w->kit_clock,
        .policy = {.max_in_flight = 8, .api_timeout_ms = 10000, .connect_timeout_ms = 3000},
    };
    (void)ali_resource(w, scenario);
    ali_reply(w, "PUT api/token", NULL, "TOKEN");
    ali_reply(w, "GET meta-data/instance-id", NULL, "i-2");
    ali_reply(w, "GET meta-data/vpc-id", NULL, "vpc-1");
    ali_reply(w, "GET meta-data/vswitch-id", NULL, "vsw-1");
    ali_reply(w, "GET meta-data/zone-id", NULL, "cn-shanghai-a");
    if (kit_registry_provider(&w->settings[0], &w->caller, ali_in_5_minutes(w), &w->provider,
                              &err) ||
        w->provider->open(&w->settings[0], &w->caller, &w->cloud, &err))
        fail_msg("%s", err.msg);
    return w;
}

static inline void ali_done(struct ali_world *w)
{
    w->provider->close(w->cloud);
    for (size_t i = 0; i < w->resources; i++)
        kit_settings_done(&w->settings[i]);
    fake_net_done(&w->net);
    free(w);
}

static inline const struct kit_mover *ali_mover(const struct ali_world *w)
{
    const struct kit_mover *mover = NULL;
    struct kit_err err;

    if (kit_registry_mover(w->provider, &w->settings[0], &mover, &err))
        fail_msg("%s", err.msg);
    return mover;
}

/* All resources together; `query` has room for them. */
static inline void ali_locate(struct ali_world *w, struct kit_query *query, bool for_claim)
{
    struct kit_err err;

    for (size_t i = 0; i < w->resources; i++)
        query[i] = (struct kit_query){.settings = &w->settings[i], .for_claim = for_claim};
    if (ali_mover(w)->locate(w->cloud, query, w->resources, ali_in_5_minutes(w), &err))
        fail_msg("%s", err.msg);
}

/* The only resource's facts; it is no failure. */
static inline struct kit_facts ali_facts(struct ali_world *w, bool for_claim)
{
    struct kit_query query;

    assert_int_equal(w->resources, 1);
    ali_locate(w, &query, for_claim);
    if (query.failed)
        fail_msg("%s", query.err.msg);
    return query.facts;
}

/* The only resource's error; it is one. */
static inline struct kit_err ali_locate_error(struct ali_world *w, bool for_claim)
{
    struct kit_query query;

    ali_locate(w, &query, for_claim);
    assert_true(query.failed);
    kit_facts_done(&query.facts);
    return query.err;
}

/* Locates, plans and claims once; the plan must be refused or have `steps` steps.  The first step.
 */
static inline struct kit_step ali_claim(struct ali_world *w, size_t steps)
{
    struct kit_facts facts = ali_facts(w, true);
    struct kit_step first;
    struct kit_plan plan;
    struct kit_err err;

    if (kit_plan_claim(&facts, &plan, &err))
        fail_msg("%s", err.msg);
    assert_int_equal(plan.count, steps);
    (void)ali_mover(w)->claim(w->cloud, &w->settings[0], &facts, plan.step, plan.count,
                              ali_in_5_minutes(w), &err);
    first = plan.step[0];
    for (size_t i = 1; i < steps; i++) /* the worst of them speaks for all */
        if (plan.step[i].result > first.result)
            first = plan.step[i];
    kit_plan_done(&plan);
    kit_facts_done(&facts);
    return first;
}

static inline struct kit_step ali_release(struct ali_world *w)
{
    struct kit_facts facts = ali_facts(w, false);
    struct kit_step first;
    struct kit_plan plan;
    struct kit_err err;

    kit_plan_release(&facts, &plan);
    assert_int_equal(plan.count, 1);
    (void)ali_mover(w)->release(w->cloud, &w->settings[0], &facts, plan.step, plan.count,
                                ali_in_5_minutes(w), &err);
    first = plan.step[0];
    kit_plan_done(&plan);
    kit_facts_done(&facts);
    return first;
}

/* Locates and plans: the message with which the claim is refused before anything is changed. */
static inline struct kit_err ali_refusal(struct ali_world *w)
{
    struct kit_facts facts = ali_facts(w, true);
    struct kit_plan plan;
    struct kit_err err;

    assert_int_equal(kit_plan_claim(&facts, &plan, &err), -1);
    kit_facts_done(&facts);
    return err;
}

/* How many requests for an action there were, and the n-th one's query. */
static inline size_t ali_count(const struct ali_world *w, const char *action)
{
    size_t count = 0;

    for (size_t i = 0; i < w->net.requests; i++)
        count += kit_str_eq(fake_header(&w->net.request[i], "x-acs-action"), action);
    return count;
}

static inline const char *ali_query(const struct ali_world *w, const char *action, size_t n)
{
    for (size_t i = 0; i < w->net.requests; i++)
        if (kit_str_eq(fake_header(&w->net.request[i], "x-acs-action"), action) && n-- == 0)
            return w->net.request[i].url;
    fail_msg("no request for %s", action);
    return "";
}

/* All calls of the API, by their names, in order. */
static inline void ali_assert_calls(const struct ali_world *w, const char *names)
{
    KIT_AUTO(kit_buf) seen = KIT_BUF(4096);

    for (size_t i = 0; i < w->net.requests; i++) {
        const char *action = fake_header(&w->net.request[i], "x-acs-action");
        if (action)
            (void)kit_buf_printf(&seen, "%s%s", seen.len_bytes ? " " : "", action);
    }
    assert_string_equal(seen.data, names);
}

#endif
