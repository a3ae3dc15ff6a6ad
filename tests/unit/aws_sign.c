/* kit/cloud/aws/sign, against the vectors of botocore's signer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kit/cloud/aws/sign.h"
#include "tests/unit/aws_data.h"

#define ID     "AKIDEXAMPLE"
#define SECRET "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"

static const char *header_of(const struct kit_http_request *req, const char *name)
{
    for (size_t i = 0; i < req->headers; i++)
        if (kit_str_eq_nocase(req->header[i].name, name))
            return req->header[i].value.data;
    return NULL;
}

static void fill(struct kit_http_request *req, const char *url, const char *body)
{
    kit_http_request_init(req, "POST");
    assert_int_equal(kit_buf_puts(&req->url, url), 0);
    assert_int_equal(kit_buf_puts(&req->body, body), 0);
}

static void add_header(struct kit_http_request *req, const char *name, const char *value)
{
    struct kit_err err;

    assert_int_equal(kit_http_request_header(req, name, value, &err), 0);
}

static void add_headers_of(struct kit_http_request *req, const struct kit_json_node *headers)
{
    static const char *const names[] = {"Content-Type", "X-Note", "User-Agent", "Accept",
                                        "Connection"};

    for (size_t i = 0; i < KIT_LEN(names); i++)
        if (aws_data_text(headers, names[i]))
            add_header(req, names[i], aws_data_text(headers, names[i]));
}

static void one_vector(const struct kit_json_node *v, int64_t now_s)
{
    KIT_AUTO(kit_buf) canonical = KIT_BUF(65536);
    KIT_AUTO(kit_buf) names = KIT_BUF(1024);
    struct kit_http_request req, plain;
    struct kit_creds creds = {.source = "a test"};
    struct kit_err err = {.msg = ""};
    const struct aws_sign how = {.creds = &creds,
                                 .region = aws_data_text(v, "region"),
                                 .service = aws_data_text(v, "service"),
                                 .now_s = now_s};

    assert_true(kit_str_copy(creds.access_key_id, sizeof(creds.access_key_id),
                             aws_data_text(v, "access_key")));
    kit_secret_set(&creds.secret_key, aws_data_text(v, "secret_key"));
    if (aws_data_text(v, "token"))
        kit_secret_set(&creds.token, aws_data_text(v, "token"));

    fill(&req, aws_data_text(v, "url"), aws_data_text(v, "body"));
    add_headers_of(&req, kit_json_get(v, "headers"));
    if (aws_sign_request(&how, &req, &err) != 0)
        fail_msg("%s: %s", aws_data_text(v, "name"), err.msg);
    assert_string_equal(header_of(&req, "X-Amz-Date"), "20260102T030405Z");
    if (aws_data_text(v, "token"))
        assert_string_equal(header_of(&req, "X-Amz-Security-Token"), aws_data_text(v, "token"));
    else
        assert_null(header_of(&req, "X-Amz-Security-Token"));
    assert_string_equal(header_of(&req, "Authorization"), aws_data_text(v, "authorization"));

    /* What was signed is what is in the request, but for Authorization itself. */
    fill(&plain, aws_data_text(v, "url"), aws_data_text(v, "body"));
    add_headers_of(&plain, kit_json_get(v, "headers"));
    add_header(&plain, "X-Amz-Date", "20260102T030405Z");
    if (aws_data_text(v, "token"))
        add_header(&plain, "X-Amz-Security-Token", aws_data_text(v, "token"));
    assert_int_equal(aws_sign_canonical(&plain, &canonical, &names, &err), 0);
    assert_string_equal(canonical.data, aws_data_text(v, "canonical_request"));

    kit_http_request_done(&req);
    kit_http_request_done(&plain);
    kit_creds_done(&creds);
}

static void vectors(void **state)
{
    KIT_AUTO(kit_json) doc = {0};
    int64_t now_s;

    (void)state;
    aws_data_read("aws_sigv4.json", &doc);
    const struct kit_json_node *list = kit_json_get(kit_json_root(&doc), "vectors");
    assert_true(kit_json_int(kit_json_get(kit_json_root(&doc), "now"), &now_s));
    assert_int_equal(kit_json_count(list), 21);
    for (size_t i = 0; i < kit_json_count(list); i++)
        one_vector(kit_json_at(list, i), now_s);
}

/* Signs a plain request with these keys; returns aws_sign_request's result. */
static int sign_with(const char *id, const char *secret, const char *token, const char *url,
                     struct kit_err *err)
{
    struct kit_creds creds = {.source = "a test"};
    const struct aws_sign how = {
        .creds = &creds, .region = "us-east-1", .service = "ec2", .now_s = 1767323045};
    struct kit_http_request req;

    assert_true(kit_str_copy(creds.access_key_id, sizeof(creds.access_key_id), id));
    if (secret)
        kit_secret_set(&creds.secret_key, secret);
    if (token)
        kit_secret_set(&creds.token, token);
    fill(&req, url, "Action=X");
    int rc = aws_sign_request(&how, &req, err);
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
        {ID "/20260102", SECRET, NULL, "access key id"},
        {ID, NULL, NULL, "secret access key"},
        {ID, "", NULL, "secret access key"},
        {ID, SECRET "\r", NULL, "secret access key"},
        {ID, SECRET "\xc3\xa9", NULL, "secret access key"},
        {ID, SECRET, "tok\r\nX-Evil: 1", "session token"},
    };
    struct kit_err err;

    (void)state;
    for (size_t i = 0; i < KIT_LEN(rows); i++) {
        assert_int_equal(
            sign_with(rows[i].id, rows[i].secret, rows[i].token, "https://h.example/", &err), -1);
        assert_int_equal(err.kind, KIT_ERR_AUTH);
        assert_non_null(strstr(err.msg, rows[i].says));
        assert_non_null(strstr(err.msg, "a test"));
        assert_null(strstr(err.msg, "wJalr"));
        assert_null(strstr(err.msg, "Evil"));
    }
    /* The same with nothing wrong is signed, so the rows above fail for their own reasons. */
    assert_int_equal(sign_with(ID, SECRET, "tok", "https://h.example/", &err), 0);
}

static void a_secret_that_is_too_long_is_refused(void **state)
{
    char secret[2048];
    struct kit_err err;

    (void)state;
    memset(secret, 'a', sizeof(secret) - 1);
    secret[sizeof(secret) - 1] = '\0';
    assert_int_equal(sign_with(ID, secret, NULL, "https://h.example/", &err), -1);
    assert_int_equal(err.kind, KIT_ERR_REFUSED);
}

static void a_query_is_refused(void **state)
{
    struct kit_err err;

    (void)state;
    assert_int_equal(sign_with(ID, SECRET, NULL, "https://h.example/?Action=X", &err), -1);
    assert_int_equal(err.kind, KIT_ERR_REFUSED);
}

static void a_request_is_signed_once(void **state)
{
    struct kit_creds creds = {.access_key_id = ID, .source = "a test"};
    const struct aws_sign how = {
        .creds = &creds, .region = "us-east-1", .service = "ec2", .now_s = 1767323045};
    struct kit_http_request req;
    struct kit_err err;

    (void)state;
    kit_secret_set(&creds.secret_key, SECRET);
    fill(&req, "https://h.example/", "Action=X");
    assert_int_equal(aws_sign_request(&how, &req, &err), 0);
    assert_int_equal(aws_sign_request(&how, &req, &err), -1);
    assert_int_equal(err.kind, KIT_ERR_REFUSED);
    kit_http_request_done(&req);
    kit_creds_done(&creds);
}

static void there_is_room_for_the_signature_or_a_reason(void **state)
{
    static const char *const names[] = {"X-1", "X-2", "X-3", "X-4", "X-5", "X-6",
                                        "X-7", "X-8", "X-9", "X-A", "X-B", "X-C"};
    struct kit_creds creds = {.access_key_id = ID, .source = "a test"};
    const struct aws_sign how = {
        .creds = &creds, .region = "us-east-1", .service = "ec2", .now_s = 1767323045};
    struct kit_err err;

    (void)state;
    kit_secret_set(&creds.secret_key, SECRET);
    for (size_t used = 0; used <= KIT_LEN(names); used++) {
        struct kit_http_request req;
        fill(&req, "https://h.example/", "Action=X");
        for (size_t i = 0; i < used; i++)
            add_header(&req, names[i], "1");
        int rc = aws_sign_request(&how, &req, &err);
        assert_int_equal(rc, used + 2 <= KIT_HTTP_HEADERS ? 0 : -1);
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
        cmocka_unit_test(keys_that_are_none_are_refused_and_not_shown),
        cmocka_unit_test(a_secret_that_is_too_long_is_refused),
        cmocka_unit_test(a_query_is_refused),
        cmocka_unit_test(a_request_is_signed_once),
        cmocka_unit_test(there_is_room_for_the_signature_or_a_reason),
    };
    return cmocka_run_group_tests_name("aws/sign", tests, NULL, NULL);
}
