/* tests/unit/ali_creds_world.h - a session with Alibaba Cloud whose network is a metadata service,
 * STS and a credentials URI.  Included after cmocka.h by the tests of the credential chain and of
 * the metadata service. */
#ifndef TESTS_UNIT_ALI_CREDS_WORLD_H
#define TESTS_UNIT_ALI_CREDS_WORLD_H

#include "kit/cloud/aliyun/creds.h"
#include "kit/cloud/aliyun/metadata.h"
#include "kit/fmt/time.h"
#include "kit/sys/file.h"
#include "tests/unit/ali_session.h"

#define SECRET ALI_SECRET
#define LATEST "/latest/"

static struct world {
    const char *metadata_base; /* what the metadata service's URLs begin with */
    bool silent;               /* nobody answers */
    int token_status;          /* of the metadata service; 0 = 200 */
    unsigned stale_tokens;     /* so many GETs are refused */
    int stale_status;          /* with this */
    const char *role;          /* NULL: 404 */
    const char *role_json;
    const char *item[8][2]; /* path below /latest/, text */
    const char *sts_error;  /* NULL = none */
    int64_t sts_expires_s;
    const char *uri_json;
    unsigned tokens, gets, sts_calls, uri_calls;
    char last_sts[4096]; /* host, key id, query and body */
    char all_sts[16384];
} world;

static char answer_text[16384]; /* of the request under way: fakes.h copies it */

static inline struct fake_answer answer_metadata(const struct fake_request *req)
{
    const char *path = strstr(req->url, LATEST) + strlen(LATEST);
    const char *token = fake_header(req, "X-aliyun-ecs-metadata-token");

    assert_true(req->no_proxy);
    if (kit_str_eq(req->method, "PUT")) {
        assert_string_equal(path, "api/token");
        assert_string_equal(fake_header(req, "X-aliyun-ecs-metadata-token-ttl-seconds"), "21600");
        (void)kit_str_format(answer_text, sizeof(answer_text), "TOKEN-%u==\n", ++world.tokens);
        return (struct fake_answer){.status = world.token_status ? world.token_status : 200,
                                    .body = answer_text};
    }
    world.gets++;
    assert_string_equal(req->method, "GET");
    assert_true(token && kit_str_starts(token, "TOKEN-"));
    if (world.stale_tokens > 0) {
        world.stale_tokens--;
        return (struct fake_answer){.status = world.stale_status};
    }
    for (size_t i = 0; i < KIT_LEN(world.item); i++)
        if (world.item[i][0] && kit_str_eq(world.item[i][0], path))
            return (struct fake_answer){.status = 200, .body = world.item[i][1]};
    if (!kit_str_starts(path, "meta-data/ram/security-credentials/") || !world.role)
        return (struct fake_answer){.status = 404, .body = "<html>404</html>"};
    path += strlen("meta-data/ram/security-credentials/");
    if (!*path)
        return (struct fake_answer){.status = 200, .body = world.role};
    if (!kit_str_eq(path, world.role))
        return (struct fake_answer){.status = 404};
    return (struct fake_answer){.status = 200, .body = world.role_json};
}

static inline struct fake_answer answer_sts(const struct fake_request *req)
{
    const char *authorization = fake_header(req, "Authorization");
    const char *id = authorization ? strstr(authorization, "Credential=") + 11 : "unsigned,";
    char expires[KIT_TIME_TEXT];
    size_t len = strlen(world.all_sts);

    world.sts_calls++;
    assert_true(kit_str_format(world.last_sts, sizeof(world.last_sts), "%.*s %s %s\n",
                               (int)strcspn(id, ","), id, req->url, req->body));
    assert_true(kit_str_copy(world.all_sts + len, sizeof(world.all_sts) - len, world.last_sts));
    if (world.sts_error) {
        (void)kit_str_format(answer_text, sizeof(answer_text), "{\"Code\":\"%s\"}",
                             world.sts_error);
        return (struct fake_answer){.status = 403, .body = answer_text};
    }
    (void)kit_str_format(answer_text, sizeof(answer_text),
                         "{\"RequestId\":\"R\",\"Credentials\":{\"AccessKeyId\":\"STS%u\","
                         "\"AccessKeySecret\":\"" SECRET "\",\"SecurityToken\":\"" SECRET
                         "t\",\"Expiration\":\"%s\"}}",
                         world.sts_calls, kit_time_iso(world.sts_expires_s, expires));
    return (struct fake_answer){.status = 200, .body = answer_text};
}

static inline struct fake_answer answer_any(const struct fake_request *req)
{
    if (world.silent)
        return (struct fake_answer){.how = FAKE_NO_CONNECT};
    if (strstr(req->url, LATEST)) {
        assert_true(kit_str_starts(req->url, world.metadata_base));
        return answer_metadata(req);
    }
    if (kit_str_starts(req->url, "https://sts"))
        return answer_sts(req);
    assert_string_equal(req->method, "GET");
    assert_true(req->no_proxy);
    world.uri_calls++;
    if (!world.uri_json)
        return (struct fake_answer){.status = 404};
    return (struct fake_answer){.status = 200, .body = world.uri_json};
}

static inline void world_answer(struct fake_net *net, const struct fake_request *req,
                                struct fake_answer *ret_answer)
{
    (void)net;
    *ret_answer = answer_any(req);
}

/* ---- a session ------------------------------------------------------------------------------- */

static struct ali_session *session;
static char dir[] = "/tmp/cloudvip-unit-XXXXXX";
static char cli_path[64], ini_path[64], token_path[64], program_path[64];

static inline void write_file(const char *path, const char *text)
{
    struct kit_err err;

    assert_int_equal(kit_file_write(path, text, strlen(text), 0600, false, &err), 0);
}

/* A region, no keys in the environment, and a host that has a role. */
static inline int setup(void **state)
{
    (void)state;
    (void)kit_str_copy(dir, sizeof(dir), "/tmp/cloudvip-unit-XXXXXX");
    if (!mkdtemp(dir))
        return -1;
    (void)kit_str_format(cli_path, sizeof(cli_path), "%s/config.json", dir);
    (void)kit_str_format(ini_path, sizeof(ini_path), "%s/credentials", dir);
    (void)kit_str_format(token_path, sizeof(token_path), "%s/token", dir);
    (void)kit_str_format(program_path, sizeof(program_path), "%s/program", dir);
    session = ali_begin(NULL, 0);
    session->net.answer = world_answer;
    (void)unsetenv("ALIBABA_CLOUD_ACCESS_KEY_ID");
    (void)unsetenv("ALIBABA_CLOUD_ACCESS_KEY_SECRET");
    (void)setenv("ALIBABA_CLOUD_CONFIG_FILE", cli_path, 1);
    (void)setenv("ALIBABA_CLOUD_CREDENTIALS_FILE", ini_path, 1);
    world = (struct world){
        .metadata_base = "http://100.100.100.200/latest/",
        .stale_status = 401,
        .role = "node-role",
        .role_json = "{\"Code\":\"Success\",\"AccessKeyId\":\"INSTANCE\",\"AccessKeySecret\":"
                     "\"" SECRET "\",\"SecurityToken\":\"" SECRET "t\",\"LastUpdated\":\"x\","
                     "\"Expiration\":\"2026-01-02T09:00:00Z\"}",
        .sts_expires_s = FAKE_WALL_S + 3600,
    };
    return 0;
}

static inline int teardown(void **state)
{
    (void)state;
    ali_end(session);
    (void)unlink(cli_path);
    (void)unlink(ini_path);
    (void)unlink(token_path);
    (void)unlink(program_path);
    return rmdir(dir);
}

static inline void reopen(void)
{
    kit_aliyun.close(&session->cloud->base);
    ali_session_open(session);
}

/* A session made anew has these. */
static inline void gives(const char *access_key_id)
{
    struct kit_err err;

    reopen();
    if (ali_creds_get(session->cloud, ali_soon(session), &err))
        fail_msg("%s", err.msg);
    assert_string_equal(session->cloud->creds.access_key_id, access_key_id);
    assert_true(kit_str_starts(session->cloud->creds.secret_key.text, SECRET));
}

/* A session made anew is refused, with this kind and words. */
static inline void refuses(enum kit_err_kind kind, const char *words)
{
    struct kit_err err;

    reopen();
    if (ali_creds_get(session->cloud, ali_soon(session), &err) == 0)
        fail_msg("not refused: %s", words);
    if (err.kind != kind || !strstr(err.msg, words))
        fail_msg("%s: %s, not %s: %s", kit_err_name(err.kind), err.msg, kit_err_name(kind), words);
    assert_null(strstr(err.msg, SECRET));
    assert_string_equal(session->cloud->creds.access_key_id, "");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

#endif
