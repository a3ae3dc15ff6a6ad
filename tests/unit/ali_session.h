/* tests/unit/ali_session.h - a session with Alibaba Cloud on a network that answers by a list, one
 * answer a request.  Included after cmocka.h by the tests of the provider's plumbing. */
#ifndef TESTS_UNIT_ALI_SESSION_H
#define TESTS_UNIT_ALI_SESSION_H

#include <stdlib.h>
#include <unistd.h>

#include "kit/cloud/aliyun/aliyun.h"
#include "kit/conf/schema.h"
#include "tests/unit/fakes.h"

extern const struct kit_provider kit_aliyun;

#define ALI_KEY_ID "LTAI5tExampleKeyId"
/* No error may hold it, and all secrets of the tests begin so. */
#define ALI_SECRET "HUSHHUSH"
#define ALI_URL    "https://vpc.cn-shanghai.aliyuncs.com/"

struct ali_session {
    struct fake_clock clock;
    struct kit_clock kit_clock;
    struct fake_net net;
    struct kit_caller caller;
    struct kit_settings settings;
    struct ali_cloud *cloud;
    const struct fake_answer *answer; /* the n-th to the n-th request; the last one stays */
    size_t answers;
};

static inline void ali_next_answer(struct fake_net *net, const struct fake_request *req,
                                   struct fake_answer *ret_answer)
{
    struct ali_session *s = net->arg;
    size_t n = net->requests - 1;

    if (!s->answers)
        fail_msg("nothing is to be asked: %s", req->url);
    *ret_answer = s->answer[n < s->answers ? n : s->answers - 1];
}

/* What the caller's environment says of the cloud is not meant for us. */
static inline void ali_forget_environment(void)
{
    for (char **at = environ; *at;) {
        char name[64];
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

static inline void ali_session_put(struct ali_session *s, enum kit_param param, const char *value)
{
    struct kit_err err;

    if (kit_settings_put(&s->settings, param, value, "test", &err))
        fail_msg("%s", err.msg);
}

static inline void ali_session_open(struct ali_session *s)
{
    struct kit_cloud *base;
    struct kit_err err;

    assert_int_equal(kit_aliyun.open(&s->settings, &s->caller, &base, &err), 0);
    s->cloud = (struct ali_cloud *)base;
}

static inline struct kit_deadline ali_soon(const struct ali_session *s)
{
    return kit_deadline_in_ms(&s->kit_clock, 300 * 1000);
}

/* In cn-shanghai, the keys in the environment; no files. */
static inline struct ali_session *ali_begin(const struct fake_answer *answer, size_t answers)
{
    struct ali_session *s = kit_mem_new(1, sizeof(*s));

    ali_forget_environment();
    assert_int_equal(setenv("ALIBABA_CLOUD_CONFIG_FILE", "/nonexistent/config.json", 1), 0);
    assert_int_equal(setenv("ALIBABA_CLOUD_CREDENTIALS_FILE", "/nonexistent/credentials", 1), 0);
    assert_int_equal(setenv("ALIBABA_CLOUD_ACCESS_KEY_ID", ALI_KEY_ID, 1), 0);
    assert_int_equal(setenv("ALIBABA_CLOUD_ACCESS_KEY_SECRET", ALI_SECRET, 1), 0);
    s->answer = answer;
    s->answers = answers;
    s->clock.chance = 0.5;
    fake_net_init(&s->net, &s->clock, ali_next_answer, s);
    s->kit_clock = fake_clock_of(&s->clock);
    s->caller = (struct kit_caller){
        .net = &s->net.transport,
        .clock = &s->kit_clock,
        .policy = {.max_in_flight = 8, .api_timeout_ms = 10000, .connect_timeout_ms = 3000},
    };
    kit_settings_init(&s->settings, "vip1");
    ali_session_put(s, KIT_PARAM_REGION, "cn-shanghai");
    ali_session_open(s);
    return s;
}

static inline void ali_end(struct ali_session *s)
{
    kit_aliyun.close(&s->cloud->base);
    kit_settings_done(&s->settings);
    fake_net_done(&s->net);
    free(s);
}

static inline struct ali_cloud *ali_ready_cloud(struct ali_session *s)
{
    struct kit_err err;

    if (ali_ready(s->cloud, ali_soon(s), &err))
        fail_msg("%s", err.msg);
    return s->cloud;
}

/* The value of NAME in a recorded URL, as sent. */
static inline void sent(const struct ali_session *s, size_t request, const char *name, char *dst,
                        size_t dst_bytes)
{
    const char *at = strchr(s->net.request[request].url, '?');

    dst[0] = '\0';
    for (; at; at = strchr(at, '&')) {
        at++;
        if (kit_str_starts(at, name) && at[strlen(name)] == '=') {
            at += strlen(name) + 1;
            assert_true(kit_str_format(dst, dst_bytes, "%.*s", (int)strcspn(at, "&"), at));
            return;
        }
    }
}

#define ALI_ANSWERS(list) ali_begin((list), KIT_LEN(list))

#endif
