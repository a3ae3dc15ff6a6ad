/* tests/unit/aws_world.h - an AWS session on a network that answers by script.  Included after
 * cmocka.h. */
#ifndef TESTS_UNIT_AWS_WORLD_H
#define TESTS_UNIT_AWS_WORLD_H

#include <stdlib.h>
#include <unistd.h>

#include "kit/cloud/registry.h"
#include "tests/unit/fakes.h"

#define AWS_URL "https://ec2.eu-west-1.amazonaws.com/"
#define IMDS    "http://169.254.169.254/latest/"
#define EC2_NS  "xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\""
#define XML     "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"

/* EC2's answer to OP, with this inside. */
#define EC2_ANSWER(op, inside)                                                                     \
    XML "<" op "Response " EC2_NS ">\n<requestId>11111111-2222-3333-4444-555555555555</requestId>" \
        "\n" inside "</" op "Response>\n"
#define EC2_ERROR(code, message)                                                                   \
    XML "<Response><Errors><Error><Code>" code "</Code><Message>" message                          \
        "</Message></Error></Errors><RequestID>7f3e0000-0000-4000-8000-000000000001</RequestID>"   \
        "</Response>"

/* Answers `times` (0 = always) requests to `action` ("GET meta-data/…", "GET *" or "PUT api/token":
 * metadata) whose body holds `part` (NULL = any). */
struct aws_reply {
    const char *action, *part;
    struct fake_answer answer;
    unsigned times;
};

#define REPLIES   24
#define RESOURCES 210
struct aws_world {
    struct fake_clock clock;
    struct kit_clock kit_clock;
    struct fake_net net;
    struct kit_caller caller;
    struct kit_settings settings[RESOURCES];
    size_t resources;
    struct kit_cloud *cloud;
    const struct kit_provider *provider;
    struct aws_reply reply[REPLIES];
    unsigned replied[REPLIES];
    size_t replies;
    void (*meanwhile)(struct aws_world *w); /* with each request, or NULL */
};

static inline bool aws_reply_fits(const struct aws_reply *r, const struct fake_request *req)
{
    const char *item =
        strstr(req->url, "/latest/"); /* some cloud's metadata service: auto asks each */
    if (item) {
        char line[256];
        assert_true(
            kit_str_format(line, sizeof(line), "%s %s", req->method, item + strlen("/latest/")));
        return kit_str_eq(line, r->action) ||
               (kit_str_eq(r->action, "GET *") && kit_str_eq(req->method, "GET"));
    }
    size_t len = strlen(r->action);
    return kit_str_starts(req->body, "Action=") && !strncmp(req->body + 7, r->action, len) &&
           req->body[7 + len] == '&' && (!r->part || strstr(req->body, r->part));
}

static inline void aws_answer(struct fake_net *net, const struct fake_request *req,
                              struct fake_answer *ret_answer)
{
    struct aws_world *w = net->arg;

    if (w->meanwhile)
        w->meanwhile(w);
    for (size_t i = 0; i < w->replies; i++) {
        if (!aws_reply_fits(&w->reply[i], req) ||
            (w->reply[i].times && w->replied[i] >= w->reply[i].times))
            continue;
        w->replied[i]++;
        *ret_answer = w->reply[i].answer;
        return;
    }
    fail_msg("no answer to %s %s %s", req->method, req->url, req->body);
}

static inline void aws_reply(struct aws_world *w, const char *action, const char *part,
                             const char *body)
{
    assert_true(w->replies < REPLIES);
    w->reply[w->replies++] =
        (struct aws_reply){.action = action, .part = part, .answer = {.status = 200, .body = body}};
}

/* The next `times` requests to `action`; put before what it hides. */
static inline void aws_reply_with(struct aws_world *w, const char *action,
                                  struct fake_answer answer, unsigned times)
{
    assert_true(w->replies < REPLIES);
    w->reply[w->replies++] = (struct aws_reply){.action = action, .answer = answer, .times = times};
}

/* Forget the script and what was asked. */
static inline void aws_replies_done(struct aws_world *w)
{
    w->replies = 0;
    memset(w->replied, 0, sizeof(w->replied));
}

static inline void aws_put(struct aws_world *w, size_t n, enum kit_param param, const char *value)
{
    struct kit_err err;

    if (kit_settings_put(&w->settings[n], param, value, "test", &err))
        fail_msg("%s", err.msg);
}

/* Another resource of the session. */
static inline size_t aws_resource(struct aws_world *w, const char *scenario)
{
    char tag[16];

    assert_true(w->resources < RESOURCES);
    assert_true(kit_str_format(tag, sizeof(tag), "r%zu", w->resources));
    kit_settings_init(&w->settings[w->resources], tag);
    aws_put(w, w->resources, KIT_PARAM_PROVIDER, "aws");
    aws_put(w, w->resources, KIT_PARAM_SCENARIO, scenario);
    return w->resources++;
}

static inline struct kit_deadline aws_in_a_minute(const struct aws_world *w)
{
    return kit_deadline_in_ms(&w->kit_clock, 60 * 1000);
}

static inline void aws_credentials(const char *id)
{
    assert_int_equal(setenv("AWS_ACCESS_KEY_ID", id, 1), 0);
    assert_int_equal(setenv("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", 1),
                     0);
}

/* What the caller's environment says of AWS is not meant for us. */
static inline void aws_forget_environment(void)
{
    for (char **at = environ; *at;) {
        char name[64];
        size_t len = strcspn(*at, "=");

        if (kit_str_starts(*at, "AWS_") && len < sizeof(name)) {
            memcpy(name, *at, len);
            name[len] = '\0';
            assert_int_equal(unsetenv(name), 0);
            at = environ;
        } else {
            at++;
        }
    }
}

/* A session whose first resource has this scenario.  The environment holds credentials and nothing
 * else. */
static inline struct aws_world *aws_begin(const char *scenario)
{
    struct aws_world *w = kit_mem_new(1, sizeof(*w));
    struct kit_err err;

    aws_forget_environment();
    assert_int_equal(setenv("AWS_CONFIG_FILE", "/nonexistent/config", 1), 0);
    assert_int_equal(setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent/credentials", 1), 0);
    assert_int_equal(setenv("AWS_REGION", "eu-west-1", 1), 0);
    aws_credentials("AKIAIOSFODNN7EXAMPLE");
    fake_net_init(&w->net, &w->clock, aws_answer, w);
    w->kit_clock = fake_clock_of(&w->clock);
    w->caller = (struct kit_caller){
        .net = &w->net.transport,
        .clock = &w->kit_clock,
        .policy = {.max_in_flight = 8, .api_timeout_ms = 10000, .connect_timeout_ms = 3000},
    };
    (void)aws_resource(w, scenario);
    if (kit_registry_provider(&w->settings[0], &w->caller, aws_in_a_minute(w), &w->provider,
                              &err) ||
        w->provider->open(&w->settings[0], &w->caller, &w->cloud, &err))
        fail_msg("%s", err.msg);
    return w;
}

static inline void aws_done(struct aws_world *w)
{
    w->provider->close(w->cloud);
    for (size_t i = 0; i < w->resources; i++)
        kit_settings_done(&w->settings[i]);
    fake_net_done(&w->net);
    free(w);
}

static inline const struct kit_mover *aws_mover(const struct aws_world *w)
{
    const struct kit_mover *mover = NULL;
    struct kit_err err;

    if (kit_registry_mover(w->provider, &w->settings[0], &mover, &err))
        fail_msg("%s", err.msg);
    return mover;
}

/* Locates all resources of the session together.  `query` has room for them; queries_done frees. */
static inline int aws_locate(struct aws_world *w, struct kit_query *query, bool for_claim,
                             struct kit_err *err)
{
    for (size_t i = 0; i < w->resources; i++)
        query[i] = (struct kit_query){.settings = &w->settings[i], .for_claim = for_claim};
    return aws_mover(w)->locate(w->cloud, query, w->resources, aws_in_a_minute(w), err);
}

/* The only resource; its facts or its error. */
static inline struct kit_query aws_locate_one(struct aws_world *w, bool for_claim)
{
    struct kit_query query;
    struct kit_err err;

    assert_int_equal(w->resources, 1);
    if (aws_locate(w, &query, for_claim, &err))
        fail_msg("%s", err.msg);
    return query;
}

static inline struct kit_facts aws_facts_of_one(struct aws_world *w, bool for_claim)
{
    struct kit_query query = aws_locate_one(w, for_claim);

    if (query.failed)
        fail_msg("%s", query.err.msg);
    return query.facts;
}

#endif
