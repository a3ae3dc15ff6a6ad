/* kit/cloud/aws/creds and its sources: order, refusals, refresh.  The network is a script here;
 * against a real one: tests/integration/aws_creds.py. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "kit/base/str.h"
#include "kit/cloud/aws/creds.h"
#include "kit/cloud/aws/imds.h"
#include "kit/fmt/time.h"
#include "kit/sys/file.h"

#define NOW_S 1767323045 /* 2026-01-02T03:04:05Z */

/* No error may hold any of these, and all secrets of the tests begin so. */
#define SECRET "HUSHHUSH"

/* ---- a network and a clock of our own ------------------------------------------------------- */

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

static const char *header_of(const struct kit_http_request *req, const char *name)
{
    for (size_t i = 0; i < req->headers; i++)
        if (kit_str_eq_nocase(req->header[i].name, name))
            return req->header[i].value.data;
    return NULL;
}

static int answer_metadata(const struct kit_http_request *req, struct kit_buf *body)
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

static int answer_sts(const struct kit_http_request *req, struct kit_buf *body)
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
    (void)kit_buf_printf(body,
                         "<R><AssumeRoleResult><Credentials><AccessKeyId>STS%u</AccessKeyId>"
                         "<SecretAccessKey>" SECRET "sts</SecretAccessKey><SessionToken>" SECRET
                         "token</SessionToken><Expiration>%s</Expiration></Credentials>"
                         "</AssumeRoleResult></R>",
                         world.sts_calls, kit_time_iso(world.sts_expires_s, expires));
    return 200;
}

static int answer_container(const struct kit_http_request *req, struct kit_buf *body)
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

static int net_start(void *self, const struct kit_http_request *req, void *tag, struct kit_err *err)
{
    (void)self;
    (void)err;
    assert_true(world.count < KIT_LEN(world.waiting));
    world.waiting[world.count] = req;
    world.tag[world.count++] = tag;
    return 0;
}

static int net_wait(void *self, struct kit_deadline until, struct kit_http_done *ret_done)
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

static void net_cancel(void *self)
{
    (void)self;
    world.count = 0;
}

static int64_t clock_now(void *self)
{
    (void)self;
    return world.now_ns;
}

static int64_t clock_wall(void *self)
{
    (void)self;
    return world.wall_s * KIT_NS_PER_S;
}

static void clock_sleep(void *self, int64_t ns)
{
    (void)self;
    world.now_ns += ns;
}

static double clock_random(void *self)
{
    (void)self;
    return 0.5;
}

static const struct kit_transport net = {
    .start = net_start, .wait = net_wait, .cancel = net_cancel};
/* kit_proc_run waits on this clock too, for programs that end by themselves. */
static const struct kit_clock test_clock = {
    .now_ns = clock_now, .wall_ns = clock_wall, .sleep_ns = clock_sleep, .random = clock_random};

/* ---- a session ------------------------------------------------------------------------------ */

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

static struct kit_deadline soon(void)
{
    return kit_deadline_in_ms(&test_clock, 300 * 1000);
}

static void open_session(void)
{
    struct kit_cloud *base;
    struct kit_err err;

    assert_int_equal(kit_aws.open(&settings, &caller, &base, &err), 0);
    cloud = (struct aws_cloud *)base;
}

static void reopen(void)
{
    kit_aws.close(&cloud->base);
    open_session();
}

static void write_file(const char *path, const char *text)
{
    struct kit_err err;

    assert_int_equal(kit_file_write(path, text, strlen(text), 0600, false, &err), 0);
}

static int setup(void **state)
{
    (void)state;
    (void)strcpy(dir + strlen(dir) - 6, "XXXXXX");
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
    (void)strcpy(world.role_json,
                 "{\"Code\":\"Success\",\"AccessKeyId\":\"INSTANCE\",\"SecretAccessKey\":\"" SECRET
                 "\",\"Token\":\"" SECRET "t\",\"Expiration\":\"2026-01-02T09:00:00Z\"}");
    caller = (struct kit_caller){
        .net = &net,
        .clock = &test_clock,
        .policy = {.max_in_flight = 4, .api_timeout_ms = 10000, .connect_timeout_ms = 3000}};
    kit_settings_init(&settings, "vip1");
    open_session();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    kit_aws.close(&cloud->base);
    kit_settings_done(&settings);
    (void)unlink(credentials_path);
    (void)unlink(config_path);
    (void)unlink(token_path);
    return rmdir(dir);
}

static void put(enum kit_param param, const char *value)
{
    struct kit_err err;

    assert_int_equal(kit_settings_put(&settings, param, value, "test", &err), 0);
}

static void gives(const char *access_key_id)
{
    struct kit_err err;

    if (aws_creds_get(cloud, soon(), &err) != 0)
        fail_msg("%s", err.msg);
    assert_string_equal(cloud->creds.access_key_id, access_key_id);
    assert_true(kit_str_starts(cloud->creds.secret_key.text, SECRET));
}

/* A session made anew is refused, with this kind and words. */
static void refuses(enum kit_err_kind kind, const char *words)
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

/* ---- the order ------------------------------------------------------------------------------ */

static void the_first_source_that_is_configured_counts(void **state)
{
    (void)state;
    (void)setenv("AWS_REGION", "us-east-1", 1);
    (void)setenv("AWS_ACCESS_KEY_ID", "ENVIRONMENT", 1);
    (void)setenv("AWS_SECRET_ACCESS_KEY", SECRET, 1);
    write_file(token_path, SECRET "web\n");
    (void)setenv("AWS_WEB_IDENTITY_TOKEN_FILE", token_path, 1);
    (void)setenv("AWS_ROLE_ARN", "arn:aws:iam::1:role/web", 1);
    (void)setenv("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/v2/creds", 1);
    write_file(credentials_path, "[default]\naws_access_key_id = FILE\n"
                                 "aws_secret_access_key = " SECRET "\n");
    write_file(config_path, "[default]\nrole_arn = arn:aws:iam::1:role/r\n"
                            "source_profile = default\n"
                            "credential_process = /bin/echo '{\"Version\":1,\"AccessKeyId\":"
                            "\"PROCESS\",\"SecretAccessKey\":\"" SECRET "\"}'\n"
                            "aws_access_key_id = CONFIG\naws_secret_access_key = " SECRET "\n");
    gives("ENVIRONMENT");
    assert_string_equal(cloud->creds.source, "environment");
    assert_int_equal(cloud->creds.expires_s, 0);

    (void)unsetenv("AWS_ACCESS_KEY_ID");
    (void)unsetenv("AWS_SECRET_ACCESS_KEY");
    reopen();
    gives("STS1");
    assert_non_null(strstr(world.last_sts, "Action=AssumeRole&"));
    assert_non_null(strstr(world.all_sts, "Credential=FILE"));
    assert_string_equal(cloud->creds.source, "role arn:aws:iam::1:role/r");
    assert_int_equal(cloud->creds.expires_s, NOW_S + 3600);

    write_file(config_path, "[default]\n"
                            "credential_process = /bin/echo '{\"Version\":1,\"AccessKeyId\":"
                            "\"PROCESS\",\"SecretAccessKey\":\"" SECRET "\"}'\n"
                            "aws_access_key_id = CONFIG\naws_secret_access_key = " SECRET "\n");
    reopen();
    gives("STS2");
    assert_non_null(strstr(world.last_sts, "Action=AssumeRoleWithWebIdentity&"));

    (void)unsetenv("AWS_WEB_IDENTITY_TOKEN_FILE");
    (void)unsetenv("AWS_ROLE_ARN");
    reopen();
    gives("FILE");
    assert_non_null(strstr(cloud->creds.source, credentials_path));

    (void)unlink(credentials_path);
    reopen();
    gives("PROCESS");

    write_file(config_path, "[default]\naws_access_key_id = CONFIG\n"
                            "aws_secret_access_key = " SECRET "\n");
    reopen();
    gives("CONFIG");

    (void)unlink(config_path);
    reopen();
    gives("CONTAINER");

    (void)unsetenv("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
    reopen();
    gives("INSTANCE");
    assert_string_equal(cloud->creds.source, "role node-role of the instance");

    world.role = NULL;
    refuses(KIT_ERR_AUTH, "no credentials");
}

/* ---- the environment ------------------------------------------------------------------------ */

static void the_environment(void **state)
{
    (void)state;
    (void)setenv("AWS_ACCESS_KEY_ID", "ENVIRONMENT", 1);
    refuses(KIT_ERR_CONFIG, "AWS_ACCESS_KEY_ID is set, but AWS_SECRET_ACCESS_KEY is not");
    (void)unsetenv("AWS_ACCESS_KEY_ID");
    (void)setenv("AWS_SECRET_ACCESS_KEY", SECRET, 1);
    refuses(KIT_ERR_CONFIG, "AWS_SECRET_ACCESS_KEY is set, but AWS_ACCESS_KEY_ID is not");
    (void)setenv("AWS_ACCESS_KEY_ID", "ENVIRONMENT", 1);
    (void)setenv("AWS_CREDENTIAL_EXPIRATION", "tomorrow", 1);
    refuses(KIT_ERR_CONFIG, "expiration");
    (void)setenv("AWS_CREDENTIAL_EXPIRATION", "2026-01-02T04:04:05Z", 1);
    (void)setenv("AWS_SECURITY_TOKEN", SECRET "old", 1);
    gives("ENVIRONMENT");
    assert_int_equal(cloud->creds.expires_s, NOW_S + 3600);
    assert_string_equal(cloud->creds.token.text, SECRET "old");
    (void)setenv("AWS_SESSION_TOKEN", SECRET "new", 1);
    reopen();
    gives("ENVIRONMENT");
    assert_string_equal(cloud->creds.token.text, SECRET "new");
    assert_int_equal(world.tokens, 0);
}

static void the_profile_parameter_goes_before_the_environment(void **state)
{
    (void)state;
    (void)setenv("AWS_ACCESS_KEY_ID", "ENVIRONMENT", 1);
    (void)setenv("AWS_SECRET_ACCESS_KEY", SECRET, 1);
    write_file(credentials_path, "[two]\naws_access_key_id = TWO\naws_secret_access_key = " SECRET
                                 "\naws_session_token = " SECRET "token\n");
    (void)setenv("AWS_PROFILE", "two", 1);
    gives("ENVIRONMENT");
    put(KIT_PARAM_PROFILE, "two");
    reopen();
    gives("TWO");
    assert_string_equal(cloud->creds.token.text, SECRET "token");
    put(KIT_PARAM_PROFILE, "three");
    refuses(KIT_ERR_CONFIG, "profile three is neither in");
    (void)unsetenv("AWS_ACCESS_KEY_ID");
    (void)unsetenv("AWS_SECRET_ACCESS_KEY");
    kit_settings_done(&settings);
    kit_settings_init(&settings, "vip1");
    (void)setenv("AWS_PROFILE", "four", 1);
    refuses(KIT_ERR_CONFIG, "profile four is neither in");
}

/* ---- profiles ------------------------------------------------------------------------------- */

static void half_a_key_is_refused(void **state)
{
    (void)state;
    write_file(credentials_path, "[default]\naws_access_key_id = FILE\n");
    refuses(KIT_ERR_CONFIG, "without a secret access key");
    write_file(credentials_path, "[default]\naws_secret_access_key = " SECRET "\n");
    refuses(KIT_ERR_CONFIG, "without an access key id");
    write_file(credentials_path, "[default]\n" SECRET "\n");
    refuses(KIT_ERR_CONFIG, ":2: ");
}

static void roles_one_after_the_other(void **state)
{
    (void)state;
    (void)setenv("AWS_REGION", "us-east-1", 1);
    (void)setenv("AWS_PROFILE", "top", 1);
    write_file(config_path,
               "[profile top]\nrole_arn = arn:aws:iam::1:role/top\nsource_profile = middle\n"
               "external_id = x/1\nrole_session_name = me\nduration_seconds = 1200\n"
               "[profile middle]\nrole_arn = arn:aws:iam::1:role/middle\nsource_profile = keys\n"
               "[profile keys]\naws_access_key_id = KEYS\naws_secret_access_key = " SECRET
               "\nrole_arn = arn:aws:iam::1:role/never\nsource_profile = top\n");
    gives("STS2");
    assert_int_equal(world.sts_calls, 2);
    char *second = strchr(world.all_sts, '\n');
    assert_non_null(second);
    *second++ = '\0';
    assert_true(kit_str_starts(world.all_sts, "Credential=KEYS "));
    assert_non_null(strstr(world.all_sts, "role%2Fmiddle"));
    assert_non_null(strstr(world.all_sts, "RoleSessionName=cloudvip-"));
    assert_null(strstr(world.all_sts, "ExternalId"));
    assert_null(strstr(world.all_sts, "DurationSeconds"));
    assert_true(kit_str_starts(second, "Credential=STS1 "));
    assert_non_null(strstr(second, "role%2Ftop"));
    assert_non_null(strstr(second, "&RoleSessionName=me"));
    assert_non_null(strstr(second, "&ExternalId=x%2F1"));
    assert_non_null(strstr(second, "&DurationSeconds=1200"));
}

static void roles_that_cannot_be(void **state)
{
    static const struct {
        const char *config, *words;
    } rows[] = {
        {"source_profile = gone\n", "source_profile gone does not exist"},
        {"source_profile = default\n", "circle"},
        {"source_profile = b\n[profile b]\nrole_arn = r\nsource_profile = default\n", "circle"},
        {"source_profile = b\n[profile b]\nrole_arn = r\nsource_profile = b\n", "circle"},
        {"source_profile = b\n[profile b]\nregion = x\n", "source_profile b has no credentials"},
        {"", "needs a source_profile or a credential_source"},
        {"source_profile = b\ncredential_source = Environment\n[profile b]\n", "both"},
        {"credential_source = Nowhere\n", "credential_source is"},
        {"credential_source = Environment\nmfa_serial = arn:aws:iam::1:mfa/me\n", "mfa_serial"},
        {"source_profile = b\nduration_seconds = 5\n[profile b]\naws_access_key_id = K\n"
         "aws_secret_access_key = " SECRET "\n",
         "duration_seconds"},
        {"source_profile = b\n[profile b]\naws_access_key_id = K\n", "without a secret"},
        {"source_profile=1\n[profile 1]\nrole_arn=r\nsource_profile=2\n[profile 2]\nrole_arn=r\n"
         "source_profile=3\n[profile 3]\nrole_arn=r\nsource_profile=4\n[profile 4]\nrole_arn=r\n"
         "source_profile=5\n[profile 5]\nrole_arn=r\nsource_profile=6\n[profile 6]\nrole_arn=r\n"
         "source_profile=7\n[profile 7]\nrole_arn=r\nsource_profile=8\n[profile 8]\nrole_arn=r\n"
         "source_profile=9\n[profile 9]\n",
         "too long"},
    };
    char text[1024];

    (void)state;
    (void)setenv("AWS_REGION", "us-east-1", 1);
    for (size_t i = 0; i < KIT_LEN(rows); i++) {
        assert_true(kit_str_format(text, sizeof(text), "[default]\nrole_arn = arn:top\n%s",
                                   rows[i].config));
        write_file(config_path, text);
        refuses(KIT_ERR_CONFIG, rows[i].words);
    }
    assert_int_equal(world.sts_calls, 0);
}

static void named_sources(void **state)
{
    (void)state;
    (void)setenv("AWS_REGION", "us-east-1", 1);
    write_file(config_path, "[default]\nrole_arn = r\ncredential_source = Ec2InstanceMetadata\n");
    gives("STS1");
    assert_non_null(strstr(world.all_sts, "Credential=INSTANCE "));
    (void)setenv("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/c", 1);
    write_file(config_path, "[default]\nrole_arn = r\ncredential_source = EcsContainer\n");
    reopen();
    gives("STS2");
    assert_non_null(strstr(world.all_sts, "Credential=CONTAINER "));
    (void)unsetenv("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
    refuses(KIT_ERR_AUTH, "credential_source EcsContainer has no credentials");
    write_file(config_path, "[default]\nrole_arn = r\ncredential_source = Environment\n");
    refuses(KIT_ERR_AUTH, "credential_source Environment has no credentials");
    /* With the profile named by the parameter, the environment is asked by the profile alone. */
    (void)setenv("AWS_ACCESS_KEY_ID", "ENVIRONMENT", 1);
    (void)setenv("AWS_SECRET_ACCESS_KEY", SECRET, 1);
    put(KIT_PARAM_PROFILE, "default");
    reopen();
    gives("STS3");
    assert_non_null(strstr(world.all_sts, "Credential=ENVIRONMENT "));
}

static void a_role_on_top(void **state)
{
    (void)state;
    put(KIT_PARAM_ROLE_ARN, "arn:aws:iam::2:role/other-account");
    put(KIT_PARAM_EXTERNAL_ID, "e&x");
    gives("STS1");
    assert_non_null(strstr(world.all_sts, "Credential=INSTANCE "));
    assert_non_null(
        strstr(world.last_sts, "RoleArn=arn%3Aaws%3Aiam%3A%3A2%3Arole%2Fother-account"));
    assert_non_null(strstr(world.last_sts, "ExternalId=e%26x"));
    world.sts_status = 403;
    refuses(KIT_ERR_DENIED, "assume role arn:aws:iam::2:role/other-account");
}

static void a_web_identity(void **state)
{
    (void)state;
    (void)setenv("AWS_REGION", "us-east-1", 1);
    write_file(token_path, SECRET "1\n");
    (void)setenv("AWS_WEB_IDENTITY_TOKEN_FILE", token_path, 1);
    refuses(KIT_ERR_CONFIG, "AWS_ROLE_ARN");
    (void)setenv("AWS_ROLE_ARN", "arn:web", 1);
    (void)setenv("AWS_ROLE_SESSION_NAME", "session", 1);
    world.sts_expires_s = NOW_S + 601;
    gives("STS1");
    assert_true(kit_str_starts(world.all_sts, "unsigned "));
    assert_non_null(strstr(world.last_sts, "RoleSessionName=session&WebIdentityToken=" SECRET "1"));
    /* The file is read anew for each refresh. */
    write_file(token_path, SECRET "2");
    world.wall_s += 2;
    gives("STS2");
    assert_non_null(strstr(world.last_sts, "WebIdentityToken=" SECRET "2"));

    write_file(token_path, " \n");
    refuses(KIT_ERR_CONFIG, "is empty");
    (void)unlink(token_path);
    refuses(KIT_ERR_CONFIG, token_path);
    /* From the profile, and then the environment's is not looked at. */
    write_file(token_path, SECRET "3");
    (void)setenv("AWS_WEB_IDENTITY_TOKEN_FILE", "/nonexistent", 1);
    char text[256];
    assert_true(kit_str_format(text, sizeof(text),
                               "[profile w]\nweb_identity_token_file = %s\nrole_arn = arn:p\n",
                               token_path));
    write_file(config_path, text);
    put(KIT_PARAM_PROFILE, "w");
    reopen();
    gives("STS3");
    assert_non_null(strstr(world.last_sts, "RoleArn=arn%3Ap&"));
}

static void a_process(void **state)
{
    static const struct {
        const char *command;
        enum kit_err_kind kind;
        const char *words;
    } rows[] = {
        {"/bin/false", KIT_ERR_AUTH, "/bin/false failed with status 1"},
        {"/nonexistent/program", KIT_ERR_CONFIG, "/nonexistent/program"},
        {"echo x", KIT_ERR_CONFIG, "absolute path"},
        {"./x", KIT_ERR_CONFIG, "absolute path"},
        {"/bin/echo 'x", KIT_ERR_CONFIG, "without its end"},
        {"/bin/echo " SECRET, KIT_ERR_AUTH, "not JSON"},
        {"/bin/echo", KIT_ERR_AUTH, "not JSON"},
        {"/bin/echo '{\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"" SECRET "\"}'", KIT_ERR_AUTH,
         "Version"},
        {"/bin/echo '{\"Version\":2,\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"" SECRET "\"}'",
         KIT_ERR_AUTH, "Version"},
        {"/bin/echo '{\"Version\":1,\"SecretAccessKey\":\"" SECRET "\"}'", KIT_ERR_AUTH,
         "without an access key id"},
        {"/bin/echo '{\"Version\":1,\"AccessKeyId\":\"A\"}'", KIT_ERR_AUTH,
         "without a secret access key"},
        {"/bin/echo '{\"Version\":1}'", KIT_ERR_AUTH, "no AccessKeyId"},
        {"/bin/echo '[1]'", KIT_ERR_AUTH, "Version"},
        {"/bin/echo '{\"Version\":1,\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"" SECRET
         "\",\"Expiration\":\"never\"}'",
         KIT_ERR_AUTH, "expiration"},
    };
    char text[512];

    (void)state;
    for (size_t i = 0; i < KIT_LEN(rows); i++) {
        assert_true(kit_str_format(text, sizeof(text), "[default]\ncredential_process = %s\n",
                                   rows[i].command));
        write_file(config_path, text);
        refuses(rows[i].kind, rows[i].words);
    }
    write_file(config_path,
               "[default]\ncredential_process = /bin/echo '{\"Version\":1,\"AccessKeyId\":\"A\","
               "\"SecretAccessKey\":\"" SECRET "\",\"SessionToken\":\"" SECRET "t\","
               "\"Expiration\":\"2026-01-02T05:04:05+00:00\"}'\n");
    reopen();
    gives("A");
    assert_string_equal(cloud->creds.token.text, SECRET "t");
    assert_int_equal(cloud->creds.expires_s, NOW_S + 7200);
}

/* ---- container ------------------------------------------------------------------------------ */

static void the_container(void **state)
{
    static const struct {
        const char *url;
        bool allowed;
    } rows[] = {
        {"http://169.254.170.2/x", true},
        {"http://169.254.170.23/v1/credentials", true},
        {"http://[fd00:ec2::23]/v1/credentials", true},
        {"http://127.0.0.1:8080/x?a=b", true},
        {"http://[::1]/x", true},
        {"http://localhost:1/x", true},
        {"https://credentials.example/x", true},
        {"http://credentials.example/x", false},
        {"http://169.254.169.254/x", false},
        {"http://169.254.170.24/x", false},
        {"http://10.0.0.1/x", false},
        {"http://127.0.0.1.example/x", false},
        {"http://169.254.170.2@evil.example/x", false},
        {"ftp://127.0.0.1/x", false},
        {"nonsense", false},
    };

    (void)state;
    for (size_t i = 0; i < KIT_LEN(rows); i++) {
        (void)setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", rows[i].url, 1);
        unsigned before = world.container_calls;
        if (!rows[i].allowed) {
            refuses(KIT_ERR_CONFIG, "AWS_CONTAINER_CREDENTIALS_FULL_URI");
            assert_int_equal(world.container_calls, before);
            continue;
        }
        reopen();
        gives("CONTAINER");
        assert_string_equal(world.last_url, rows[i].url);
    }
    assert_string_equal(world.last_authorization, "none");
    (void)setenv("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/v2/c?id=1", 1);
    reopen();
    gives("CONTAINER");
    assert_string_equal(world.last_url, "http://169.254.170.2/v2/c?id=1");
    (void)setenv("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "@evil.example/", 1);
    refuses(KIT_ERR_CONFIG, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
}

static void the_containers_token(void **state)
{
    (void)state;
    (void)setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://127.0.0.1/x", 1);
    (void)setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN", SECRET "env", 1);
    gives("CONTAINER");
    assert_string_equal(world.last_authorization, SECRET "env");
    (void)setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN", SECRET "\r\nX: 1", 1);
    refuses(KIT_ERR_CONFIG, "AWS_CONTAINER_AUTHORIZATION_TOKEN: a token with a line end");
    (void)setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", token_path, 1);
    refuses(KIT_ERR_CONFIG, token_path);
    write_file(token_path, SECRET "file\n");
    refuses(KIT_ERR_CONFIG, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: a token with a line end");
    write_file(token_path, SECRET "file");
    reopen();
    gives("CONTAINER");
    assert_string_equal(world.last_authorization, SECRET "file");
    world.container_status = 403;
    refuses(KIT_ERR_AUTH, "HTTP 403");
    unsigned before = world.container_calls;
    world.container_status = 500;
    refuses(KIT_ERR_TRANSIENT, "HTTP 500");
    assert_int_equal(world.container_calls - before, 3);
}

/* ---- metadata ------------------------------------------------------------------------------- */

static void the_instances_role(void **state)
{
    (void)state;
    gives("INSTANCE");
    assert_int_equal(cloud->creds.expires_s, 1767344400);
    assert_int_equal(world.tokens, 1);
    assert_int_equal(caller.stats.calls, 0);

    world.stale_tokens = 1;
    reopen();
    gives("INSTANCE");
    assert_int_equal(world.tokens, 3); /* one for the session, one after the 401 */

    world.stale_tokens = 9;
    refuses(KIT_ERR_AUTH, "refused its own token");
    world.stale_tokens = 0;

    world.token_status = 403;
    refuses(KIT_ERR_CONFIG, "switched off");
    world.token_status = 404;
    refuses(KIT_ERR_CONFIG, "no metadata service of version 2");
    unsigned before = world.tokens;
    world.token_status = 503;
    refuses(KIT_ERR_TRANSIENT, "no answer from the metadata service");
    assert_int_equal(world.tokens - before, 5);
    caller.policy.max_tries = 2;
    before = world.tokens;
    refuses(KIT_ERR_TRANSIENT, "no answer from the metadata service");
    assert_int_equal(world.tokens - before, 2);
    world.token_status = 200;
    world.silent = true;
    refuses(KIT_ERR_TRANSIENT, "hop limit");
    world.silent = false;

    (void)setenv("AWS_EC2_METADATA_DISABLED", "true", 1);
    before = world.tokens;
    refuses(KIT_ERR_AUTH, "AWS_EC2_METADATA_DISABLED");
    assert_int_equal(world.tokens, before);
}

static void a_role_that_is_none(void **state)
{
    static const char *const names[] = {"../../user-data", "a b",   "x?y",   "..",
                                        ".hidden",         "a%2fb", "role/x"};

    (void)state;
    for (size_t i = 0; i < KIT_LEN(names); i++) {
        world.role = names[i];
        refuses(KIT_ERR_PROTOCOL, "no role's name");
    }
    world.role = "node-role\n";
    reopen();
    gives("INSTANCE");
    (void)strcpy(world.role_json, "{\"Code\":\"AssumeRoleUnauthorizedAccess\",\"Message\":\"x\"}");
    refuses(KIT_ERR_AUTH, "AssumeRoleUnauthorizedAccess");
    (void)strcpy(world.role_json, "<html>" SECRET "</html>");
    refuses(KIT_ERR_AUTH, "not JSON");
    world.role = "\n";
    refuses(KIT_ERR_AUTH, "no credentials");
}

static void items_of_the_metadata_service(void **state)
{
    struct aws_imds_item item[] = {
        {.path = "meta-data/placement/region", .value = KIT_BUF_SECRET(AWS_IMDS_BODY_BYTES)},
        {.path = "meta-data/none", .optional = true, .value = KIT_BUF_SECRET(AWS_IMDS_BODY_BYTES)},
    };
    struct kit_err err;

    (void)state;
    assert_int_equal(aws_imds_read(cloud, item, 2, soon(), &err), 0);
    assert_true(item[0].found);
    assert_string_equal(item[0].value.data, "us-east-1");
    assert_false(item[1].found);
    item[1].optional = false;
    assert_int_equal(aws_imds_read(cloud, item, 2, soon(), &err), -1);
    assert_int_equal(err.kind, KIT_ERR_NOT_FOUND);
    assert_int_equal(world.tokens, 1);
    kit_buf_done(&item[0].value);
    kit_buf_done(&item[1].value);

    assert_true(aws_imds_answers(cloud, soon()));
    unsigned before = world.tokens;
    world.token_status = 500;
    assert_false(aws_imds_answers(cloud, soon()));
    assert_int_equal(world.tokens - before, 1);
}

/* ---- refresh -------------------------------------------------------------------------------- */

static void credentials_are_refreshed_ten_minutes_before_their_end(void **state)
{
    struct kit_err err;

    (void)state;
    (void)setenv("AWS_REGION", "us-east-1", 1);
    put(KIT_PARAM_ROLE_ARN, "arn:r");
    gives("STS1");
    world.wall_s = NOW_S + 3600 - 600;
    gives("STS1");
    world.wall_s += 1;
    world.sts_status = 403; /* a refresh that fails: what there is still works */
    gives("STS1");
    assert_int_equal(world.sts_calls, 2);
    world.wall_s = NOW_S + 3600;
    assert_int_equal(aws_creds_get(cloud, soon(), &err), -1);
    assert_int_equal(err.kind, KIT_ERR_DENIED);
    world.sts_status = 200;
    world.sts_expires_s = world.wall_s + 3600;
    gives("STS4");
    gives("STS4");
    assert_int_equal(world.sts_calls, 4);
}

static void the_measured_clock_counts(void **state)
{
    (void)state;
    put(KIT_PARAM_ROLE_ARN, "arn:r");
    gives("STS1");
    cloud->skew_s = 3600; /* the server's clock is ahead */
    world.sts_expires_s = NOW_S + 7200;
    gives("STS2");
}

static void refused_credentials_are_renewed(void **state)
{
    struct kit_err err;

    (void)state;
    gives("INSTANCE");
    assert_int_equal(aws_creds_renew(cloud, soon(), &err), -1);
    assert_int_equal(err.kind, KIT_ERR_AUTH);
    assert_non_null(strstr(err.msg, "still the same"));
    assert_null(strstr(err.msg, SECRET));
    (void)strcpy(world.role_json,
                 "{\"Code\":\"Success\",\"AccessKeyId\":\"ROTATED\",\"SecretAccessKey\":\"" SECRET
                 "\",\"Token\":\"" SECRET "t\",\"Expiration\":\"2026-01-02T10:00:00Z\"}");
    assert_int_equal(aws_creds_renew(cloud, soon(), &err), 0);
    assert_string_equal(cloud->creds.access_key_id, "ROTATED");
    world.silent = true;
    assert_int_equal(aws_creds_renew(cloud, soon(), &err), -1);
    assert_int_equal(err.kind, KIT_ERR_TRANSIENT);
    assert_string_equal(cloud->creds.access_key_id, "");
    world.silent = false;
    gives("ROTATED");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_first_source_that_is_configured_counts),
        TEST(the_environment),
        TEST(the_profile_parameter_goes_before_the_environment),
        TEST(half_a_key_is_refused),
        TEST(roles_one_after_the_other),
        TEST(roles_that_cannot_be),
        TEST(named_sources),
        TEST(a_role_on_top),
        TEST(a_web_identity),
        TEST(a_process),
        TEST(the_container),
        TEST(the_containers_token),
        TEST(the_instances_role),
        TEST(a_role_that_is_none),
        TEST(items_of_the_metadata_service),
        TEST(credentials_are_refreshed_ten_minutes_before_their_end),
        TEST(the_measured_clock_counts),
        TEST(refused_credentials_are_renewed),
    };
    return cmocka_run_group_tests_name("aws/creds", tests, NULL, NULL);
}
