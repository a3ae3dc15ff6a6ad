/* kit/cloud/aliyun/sign, against the vectors of the vendor's SDK and the published one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kit/cloud/aliyun/sign.h"
#include "kit/fmt/json.h"
#include "kit/fmt/time.h"
#include "kit/fmt/uri.h"
#include "tests/unit/ali_data.h"

#define ID     "LTAI5tExampleKeyId"
#define SECRET "HUSHHUSH/KEY+1234567890"
#define NONCE  "0123456789abcdef0123456789abcdef"

static const char *header_of(const struct kit_http_request *req, const char *name)
{
    for (size_t i = 0; i < req->headers; i++)
        if (kit_str_eq_nocase(req->header[i].name, name))
            return req->header[i].value.data;
    return NULL;
}

static void fill(struct kit_http_request *req, const char *host, const char *query)
{
    kit_http_request_init(req, "POST");
    assert_int_equal(kit_buf_printf(&req->url, "https://%s/?%s", host, query), 0);
}

static void add_header(struct kit_http_request *req, const char *name, const char *value)
{
    struct kit_err err;

    assert_int_equal(kit_http_request_header(req, name, value, &err), 0);
}

static void write_query(const struct kit_json_node *params, struct kit_buf *out)
{
    for (size_t i = 0; i < kit_json_count(params); i++) {
        const struct kit_json_node *param = kit_json_at(params, i);
        if (i > 0)
            (void)kit_buf_putc(out, '&');
        kit_uri_encode(out, ali_data_text(param, "name"));
        (void)kit_buf_putc(out, '=');
        kit_uri_encode(out, ali_data_text(param, "value"));
    }
}

static void one_vector(const struct kit_json_node *v)
{
    KIT_AUTO(kit_buf) query = KIT_BUF(4096);
    struct kit_creds creds = {.source = "a test"};
    struct kit_err err = {.msg = ""};
    struct ali_sign how = {.creds = &creds,
                           .action = ali_data_text(v, "action"),
                           .version = ali_data_text(v, "version"),
                           .nonce = ali_data_text(v, "nonce")};
    struct kit_http_request req;

    assert_true(kit_time_parse_iso(ali_data_text(v, "date"), &how.now_s));
    assert_true(kit_str_copy(creds.access_key_id, sizeof(creds.access_key_id),
                             ali_data_text(v, "access_key_id")));
    kit_secret_set(&creds.secret_key, ali_data_text(v, "access_key_secret"));
    if (ali_data_text(v, "security_token"))
        kit_secret_set(&creds.token, ali_data_text(v, "security_token"));
    write_query(kit_json_get(v, "params"), &query);
    how.canonical_query = query.data;
    fill(&req, ali_data_text(v, "host"), query.data);
    add_header(&req, "accept", "application/json"); /* sent, not signed */
    if (ali_sign_request(&how, &req, &err))
        fail_msg("%s: %s", ali_data_text(v, "name"), err.msg);
    assert_string_equal(header_of(&req, "Authorization"), ali_data_text(v, "authorization"));
    assert_string_equal(header_of(&req, "x-acs-action"), how.action);
    assert_string_equal(header_of(&req, "x-acs-version"), how.version);
    assert_string_equal(header_of(&req, "x-acs-signature-nonce"), how.nonce);
    assert_string_equal(header_of(&req, "x-acs-date"), ali_data_text(v, "date"));
    if (ali_data_text(v, "security_token"))
        assert_string_equal(header_of(&req, "x-acs-security-token"),
                            ali_data_text(v, "security_token"));
    else
        assert_null(header_of(&req, "x-acs-security-token"));
    kit_http_request_done(&req);
    kit_creds_done(&creds);
}

static void vectors(void **state)
{
    KIT_AUTO(kit_json) doc = {0};

    (void)state;
    ali_data_read("ali_acs3.json", &doc);
    const struct kit_json_node *list = kit_json_get(kit_json_root(&doc), "vectors");
    assert_int_equal(kit_json_count(list), 8);
    for (size_t i = 0; i < kit_json_count(list); i++)
        one_vector(kit_json_at(list, i));
}

static void the_canonical_text(void **state)
{
    KIT_AUTO(kit_buf) canonical = KIT_BUF(4096);
    KIT_AUTO(kit_buf) names = KIT_BUF(256);
    struct kit_http_request req;
    struct kit_err err;

    (void)state;
    kit_http_request_init(&req, "POST");
    assert_int_equal(kit_buf_puts(&req.url, "http://127.0.0.1:8080/prefix?a=1"), 0);
    assert_int_equal(kit_buf_puts(&req.body, "x=1"), 0);
    add_header(&req, "x-acs-date", " 2026-01-02T03:04:05Z ");
    add_header(&req, "Content-Type", "text/plain");
    add_header(&req, "User-Agent", "unsigned");
    assert_int_equal(ali_sign_canonical(&req, "a=1", &canonical, &names, &err), 0);
    assert_string_equal(names.data, "content-type;host;x-acs-date");
    assert_string_equal(canonical.data,
                        "POST\n/prefix\na=1\ncontent-type:text/plain\nhost:127.0.0.1:8080\n"
                        "x-acs-date:2026-01-02T03:04:05Z\n\ncontent-type;host;x-acs-date\n"
                        "1f206b11c23e28cc250ded7fc0098d3823a8467a54340f1ac4e535cb8544493f");
    kit_http_request_done(&req);
}

/* Signs a plain request with these keys; returns ali_sign_request's result. */
static int sign_with(const char *id, const char *secret, const char *token, struct kit_err *err)
{
    struct kit_creds creds = {.source = "a test"};
    const struct ali_sign how = {.creds = &creds,
                                 .action = "DescribeHaVips",
                                 .version = "2016-04-28",
                                 .nonce = NONCE,
                                 .now_s = 1767323045,
                                 .canonical_query = "RegionId=cn-hangzhou"};
    struct kit_http_request req;

    assert_true(kit_str_copy(creds.access_key_id, sizeof(creds.access_key_id), id));
    if (secret)
        kit_secret_set(&creds.secret_key, secret);
    if (token)
        kit_secret_set(&creds.token, token);
    fill(&req, "h.example", how.canonical_query);
    int rc = ali_sign_request(&how, &req, err);
    kit_http_request_done(&req);
    kit_creds_done(&creds);
    return rc;
}

static void keys_that_are_none_are_refused_and_not_shown(void **state)
{
    static const struct {
        const char *id, *secret, *token, *says;
    } rows[] = {
        {"", SECRET, NULL, "access key id"},
        {ID " ", SECRET, NULL, "access key id"},
        {ID "\n", SECRET, NULL, "access key id"},
        {ID ",SignedHeaders", SECRET, NULL, "access key id"},
        {ID, NULL, NULL, "access key secret"},
        {ID, "", NULL, "access key secret"},
        {ID, SECRET "\r", NULL, "access key secret"},
        {ID, SECRET "\xc3\xa9", NULL, "access key secret"},
        {ID, SECRET, "tok\r\nX-Evil: 1", "security token"},
    };
    struct kit_err err;

    (void)state;
    for (size_t i = 0; i < KIT_LEN(rows); i++) {
        assert_int_equal(sign_with(rows[i].id, rows[i].secret, rows[i].token, &err), -1);
        assert_int_equal(err.kind, KIT_ERR_AUTH);
        assert_non_null(strstr(err.msg, rows[i].says));
        assert_non_null(strstr(err.msg, "a test"));
        assert_null(strstr(err.msg, "HUSH"));
        assert_null(strstr(err.msg, "Evil"));
    }
    /* The same with nothing wrong is signed, so the rows above fail for their own reasons. */
    assert_int_equal(sign_with(ID, SECRET, "tok", &err), 0);
}

static void a_request_is_signed_once(void **state)
{
    struct kit_creds creds = {.access_key_id = ID, .source = "a test"};
    const struct ali_sign how = {.creds = &creds,
                                 .action = "DescribeHaVips",
                                 .version = "2016-04-28",
                                 .nonce = NONCE,
                                 .now_s = 1767323045,
                                 .canonical_query = ""};
    struct kit_http_request req;
    struct kit_err err;

    (void)state;
    kit_secret_set(&creds.secret_key, SECRET);
    fill(&req, "h.example", "");
    assert_int_equal(ali_sign_request(&how, &req, &err), 0);
    assert_int_equal(ali_sign_request(&how, &req, &err), -1);
    assert_int_equal(err.kind, KIT_ERR_REFUSED);
    kit_http_request_done(&req);
    kit_creds_done(&creds);
}

/* Eight of ours: what else a request may carry is limited by that, and told. */
static void there_is_room_for_the_signature_or_a_reason(void **state)
{
    static const char *const names[] = {"X-1", "X-2", "X-3", "X-4", "X-5", "X-6",
                                        "X-7", "X-8", "X-9", "X-A", "X-B", "X-C"};
    struct kit_creds creds = {.access_key_id = ID, .source = "a test"};
    const struct ali_sign how = {.creds = &creds,
                                 .action = "DescribeHaVips",
                                 .version = "2016-04-28",
                                 .nonce = NONCE,
                                 .now_s = 1767323045,
                                 .canonical_query = ""};
    struct kit_err err;

    (void)state;
    kit_secret_set(&creds.secret_key, SECRET);
    kit_secret_set(&creds.token, "tok");
    for (size_t used = 0; used <= KIT_LEN(names); used++) {
        struct kit_http_request req;
        fill(&req, "h.example", "");
        for (size_t i = 0; i < used; i++)
            add_header(&req, names[i], "1");
        int rc = ali_sign_request(&how, &req, &err);
        assert_int_equal(rc, used + 8 <= KIT_HTTP_HEADERS ? 0 : -1);
        if (rc != 0)
            assert_int_equal(err.kind, KIT_ERR_REFUSED);
        kit_http_request_done(&req);
    }
    kit_creds_done(&creds);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vectors),
        cmocka_unit_test(the_canonical_text),
        cmocka_unit_test(keys_that_are_none_are_refused_and_not_shown),
        cmocka_unit_test(a_request_is_signed_once),
        cmocka_unit_test(there_is_room_for_the_signature_or_a_reason),
    };
    return cmocka_run_group_tests_name("aliyun/sign", tests, NULL, NULL);
}
