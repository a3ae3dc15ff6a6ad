/* tests/unit/aws_creds_world.h - a session with AWS whose network is a script: metadata service,
 * STS and a container's endpoint.  Included after cmocka.h by the tests of the credential chain;
 * against real servers: tests/integration/aws_creds.py. */
#ifndef TESTS_UNIT_AWS_CREDS_WORLD_H
#define TESTS_UNIT_AWS_CREDS_WORLD_H

#include <unistd.h>

#include "kit/base/str.h"
#include "kit/cloud/aws/creds.h"
#include "kit/cloud/aws/imds.h"
#include "kit/fmt/time.h"
#include "kit/sys/file.h"

#define NOW_S 1767323045 /* 2026-01-02T03:04:05Z */

/* No error may hold any of these, and all secrets of the tests begin so. */
#define SECRET "HUSHHUSH"

/* ---- a network and a clock of our own -------------------------------------------------------- */

static struct world {
    int64_t now_ns, wall_s;
    bool silent;           /* nobody answers */
    int token_status;      /* of the metadata service */
    unsigned stale_tokens; /* so many GETs are answered with 401 */
    const char *role;      /* NULL: 404 */
    char role_json[512];
    int sts_status, container_status;
    int64_t sts_expires_s;
    unsigned tokens, gets, sts_calls, container_calls;
    char last_sts[1024], all_sts[2048], last_authorization[256], last_url[256];
    const struct kit_http_request *waiting[8];
    void *tag[8];
    size_t count;
} world;

static inline const char *header_of(const struct kit_http_request *req, const char *name)
{
    for (size_t i = 0; i < req->headers; i++)
        if (kit_str_eq_nocase(req->header[i].name, name))
            return req->header[i].value.data;
    return NULL;
}

static inline int answer_metadata(const struct kit_http_request *req, struct kit_buf *body)
{
    const char *token = header_of(req, "X-aws-ec2-metadata-token");
    const char *path = strstr(req->url.data, "/latest/");

    assert_true(req->no_proxy);
    if (kit_str_eq(req->method, "PUT")) {
        assert_string_equal(path, "/latest/api/token");
        assert_string_equal(header_of(req, "X-aws-ec2-metadata-token-ttl-seconds"), "21600");
        (void)kit_buf_printf(body, "TOKEN-%u==\n", ++world.tokens);
        return world.token_status;
    }
    world.gets++;
    if (world.stale_tokens > 0) {
        world.stale_tokens--;
        return 401;
    }
    assert_true(kit_str_starts(token, "TOKEN-"));
    if (kit_str_eq(path, "/latest/meta-data/placement/region")) {
        (void)kit_buf_puts(body, "us-east-1");
        return 200;
    }
    if (!kit_str_starts(path, "/latest/meta-data/iam/security-credentials/") || !world.role)
        return 404;
    if (kit_str_ends(path, "/"))
        (void)kit_buf_puts(body, world.role);
    else
        (void)kit_buf_puts(body, world.role_json);
    return 200;
}

static inline int answer_sts(const struct kit_http_request *req, struct kit_buf *body)
{
    const char *authorization = header_of(req, "Authorization");
    const char *credential = authorization ? strstr(authorization, "Credential=") : NULL;
    char expires[KIT_TIME_TEXT];
    size_t len = strlen(world.all_sts);

    world.sts_calls++;
    (void)kit_str_copy(world.last_sts, sizeof(world.last_sts), req->body.data);
    (void)kit_str_format(world.all_sts + len, sizeof(world.all_sts) - len, "%.*s %s\n",
                         credential ? (int)strcspn(credential, "/") : 8,
                         credential ? credential : "unsigned", req->body.data);
    if (world.sts_status != 200) {
        (void)kit_buf_puts(body, "<ErrorResponse><Error><Code>AccessDenied</Code></Error>"
                                 "</ErrorResponse>");
        return world.sts_status;
    }
    (void)kit_buf_printf(
        body,
        "<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>STS%u</AccessKeyId>"
        "<SecretAccessKey>" SECRET "sts</SecretAccessKey><SessionToken>" SECRET
        "token</SessionToken><Expiration>%s</Expiration></Credentials>"
        "</AssumeRoleResult></AssumeRoleResponse>",
        world.sts_calls, kit_time_iso(world.sts_expires_s, expires));
    return 200;
}

static inline int answer_container(const struct kit_http_request *req, struct kit_buf *body)
{
    const char *authorization = header_of(req, "Authorization");

    assert_true(req->no_proxy);
    world.container_calls++;
    (void)kit_str_copy(world.last_url, sizeof(world.last_url), req->url.data);
    (void)kit_str_copy(world.last_authorization, sizeof(world.last_authorization),
                       authorization ? authorization : "none");
    (void)kit_buf_puts(body, "{\"AccessKeyId\":\"CONTAINER\",\"SecretAccessKey\":\"" SECRET
                             "\",\"Token\":\"" SECRET "t\",\"Expiration\":"
                             "\"2026-01-02T09:00:00Z\"}");
    return world.container_status;
}

static inline int net_start(void *self, const struct kit_http_request *req, void *tag,
                            struct kit_err *err)
{
    (void)self;
    (void)err;
    assert_true(world.count < KIT_LEN(world.waiting));
    world.waiting[world.count] = req;
    world.tag[world.count++] = tag;
    return 0;
}

static inline int net_wait(void *self, struct kit_deadline until, struct kit_http_done *ret_done)
{
    struct kit_http_done done = {.failed = false};

    (void)self;
    (void)until;
    assert_true(world.count > 0);
    const struct kit_http_request *req = world.waiting[--world.count];
    done.tag = world.tag[world.count];
    if (world.silent) {
        done.failed = true;
        (void)kit_err_set(&done.err, KIT_ERR_TRANSIENT, "%s: no answer", req->url.data);
        *ret_done = done;
        return 1;
    }
    done.resp = (struct kit_http_response){.body = KIT_BUF_SECRET(65536), .retry_after_ms = -1};
    if (strstr(req->url.data, "/latest/"))
        done.resp.status = answer_metadata(req, &done.resp.body);
    else if (strstr(req->url.data, "//sts."))
        done.resp.status = answer_sts(req, &done.resp.body);
    else
        done.resp.status = answer_container(req, &done.resp.body);
    *ret_done = done;
    return 1;
}

static inline void net_cancel(void *self)
{
    (void)self;
    world.count = 0;
}

static inline int64_t clock_now(void *self)
{
    (void)self;
    return world.now_ns;
}

static inline int64_t clock_wall(void *self)
{
    (void)self;
    return world.wall_s * KIT_NS_PER_S;
}

static inline void clock_sleep(void *self, int64_t ns)
{
    (void)self;
    world.now_ns += ns;
}

static inline double clock_random(void *self)
{
    (void)self;
    return 0.5;
}

static const struct kit_transport net = {
    .start = net_start, .wait = net_wait, .cancel = net_cancel};
/* kit_proc_run waits on this clock too, for programs that end by themselves. */
static const struct kit_clock test_clock = {
    .now_ns = clock_now, .wall_ns = clock_wall, .sleep_ns = clock_sleep, .random = clock_random};

/* ---- a session ------------------------------------------------------------------------------- */

static char dir[] = "/tmp/cloudvip-unit-XXXXXX";
static char credentials_path[64], config_path[64], token_path[64];
static struct kit_settings settings;
static struct kit_caller caller;
static struct aws_cloud *cloud;
extern const struct kit_provider kit_aws;

static const char *const variables[] = {
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_SECURITY_TOKEN",
    "AWS_CREDENTIAL_EXPIRATION",
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_ROLE_ARN",
    "AWS_ROLE_SESSION_NAME",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
    "AWS_EC2_METADATA_DISABLED",
    "AWS_EC2_METADATA_SERVICE_ENDPOINT",
    "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE",
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
    "AWS_ENDPOINT_URL",
    "AWS_ENDPOINT_URL_STS",
    "AWS_USE_FIPS_ENDPOINT",
    "AWS_USE_DUALSTACK_ENDPOINT",
};

static inline struct kit_deadline soon(void)
{
    return kit_deadline_in_ms(&test_clock, 300 * 1000);
}

static inline void open_session(void)
{
    struct kit_cloud *base;
    struct kit_err err;

    assert_int_equal(kit_aws.open(&settings, &caller, &base, &err), 0);
    cloud = (struct aws_cloud *)base;
}

static inline void reopen(void)
{
    kit_aws.close(&cloud->base);
    open_session();
}

static inline void write_file(const char *path, const char *text)
{
    struct kit_err err;

    assert_int_equal(kit_file_write(path, text, strlen(text), 0600, false, &err), 0);
}

static inline void set_role_json(const char *json)
{
    assert_true(kit_str_copy(world.role_json, sizeof(world.role_json), json));
}

static inline int setup(void **state)
{
    (void)state;
    (void)kit_str_copy(dir, sizeof(dir), "/tmp/cloudvip-unit-XXXXXX");
    if (!mkdtemp(dir))
        return -1;
    (void)kit_str_format(credentials_path, sizeof(credentials_path), "%s/credentials", dir);
    (void)kit_str_format(config_path, sizeof(config_path), "%s/config", dir);
    (void)kit_str_format(token_path, sizeof(token_path), "%s/token", dir);
    for (size_t i = 0; i < KIT_LEN(variables); i++)
        (void)unsetenv(variables[i]);
    (void)setenv("AWS_SHARED_CREDENTIALS_FILE", credentials_path, 1);
    (void)setenv("AWS_CONFIG_FILE", config_path, 1);
    world = (struct world){.wall_s = NOW_S,
                           .token_status = 200,
                           .role = "node-role",
                           .sts_status = 200,
                           .container_status = 200,
                           .sts_expires_s = NOW_S + 3600};
    set_role_json("{\"Code\":\"Success\",\"AccessKeyId\":\"INSTANCE\",\"SecretAccessKey\":\"" SECRET
                  "\",\"Token\":\"" SECRET "t\",\"Expiration\":\"2026-01-02T09:00:00Z\"}");
    caller = (struct kit_caller){
        .net = &net,
        .clock = &test_clock,
        .policy = {.max_in_flight = 4, .api_timeout_ms = 10000, .connect_timeout_ms = 3000}};
    kit_settings_init(&settings, "vip1");
    open_session();
    return 0;
}

static inline int teardown(void **state)
{
    (void)state;
    kit_aws.close(&cloud->base);
    kit_settings_done(&settings);
    (void)unlink(credentials_path);
    (void)unlink(config_path);
    (void)unlink(token_path);
    return rmdir(dir);
}

static inline void put(enum kit_param param, const char *value)
{
    struct kit_err err;

    assert_int_equal(kit_settings_put(&settings, param, value, "test", &err), 0);
}

static inline void gives(const char *access_key_id)
{
    struct kit_err err;

    if (aws_creds_get(cloud, soon(), &err) != 0)
        fail_msg("%s", err.msg);
    assert_string_equal(cloud->creds.access_key_id, access_key_id);
    assert_true(kit_str_starts(cloud->creds.secret_key.text, SECRET));
}

/* A session made anew is refused, with this kind and words. */
static inline void refuses(enum kit_err_kind kind, const char *words)
{
    struct kit_err err;

    reopen();
    if (aws_creds_get(cloud, soon(), &err) == 0)
        fail_msg("not refused: %s", words);
    if (err.kind != kind || !strstr(err.msg, words))
        fail_msg("%s: %s, not %s: %s", kit_err_name(err.kind), err.msg, kit_err_name(kind), words);
    assert_null(strstr(err.msg, SECRET));
    assert_string_equal(cloud->creds.access_key_id, "");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

#endif
