/* kit/net/message and kit/net/trust: what of HTTP needs no network. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <unistd.h>

#include "kit/base/str.h"
#include "kit/net/message.h"
#include "kit/net/trust.h"

static void a_request_is_filled_and_emptied(void **state)
{
    struct kit_http_request req;
    struct kit_err err;

    (void)state;
    kit_http_request_init(&req, "POST");
    assert_string_equal(req.method, "POST");
    assert_string_equal(req.url.data, "");
    assert_string_equal(req.body.data, "");
    assert_true(req.body.secret);
    assert_int_equal(kit_http_request_header(&req, "X-Amz-Security-Token", "t0ken", &err), 0);
    assert_int_equal(kit_http_request_header(&req, "X-Empty", "", &err), 0);
    assert_int_equal(req.headers, 2);
    assert_string_equal(req.header[0].name, "X-Amz-Security-Token");
    assert_string_equal(req.header[0].value.data, "t0ken");
    assert_true(req.header[0].value.secret);
    kit_http_request_done(&req);
    assert_int_equal(req.headers, 0);
    kit_http_request_done(&req);
}

static void a_header_that_could_be_two_is_refused(void **state)
{
    static const char *const rows[][2] = {
        {"X-A", "1\r\nX-B: 2"}, {"X-A", "1\n"}, {"X-A", "\t1"}, {"X-A", "\x7f"},
        {"X-A\r\nX-B", "1"},    {"X-A:", "1"},  {"", "1"},      {"X A", "1"},
        {"X\xc3\xa9", "1"},
    };
    struct kit_http_request req;
    struct kit_err err;

    (void)state;
    kit_http_request_init(&req, "GET");
    for (size_t i = 0; i < KIT_LEN(rows); i++) {
        assert_int_equal(kit_http_request_header(&req, rows[i][0], rows[i][1], &err), -1);
        assert_int_equal(err.kind, KIT_ERR_REFUSED);
        assert_int_equal(req.headers, 0);
    }
    kit_http_request_done(&req);
}

static void headers_have_ceilings(void **state)
{
    KIT_AUTO(kit_buf) value = KIT_BUF(KIT_HTTP_HEADER_BYTES + 1);
    struct kit_http_request req;
    struct kit_err err;

    (void)state;
    kit_http_request_init(&req, "GET");
    for (size_t i = 0; i < KIT_HTTP_HEADER_BYTES; i++)
        (void)kit_buf_putc(&value, 'v');
    for (int i = 0; i < KIT_HTTP_HEADERS - 1; i++)
        assert_int_equal(kit_http_request_header(&req, "X", value.data, &err), 0);
    (void)kit_buf_putc(&value, 'v');
    assert_int_equal(kit_http_request_header(&req, "X", value.data, &err), -1);
    assert_int_equal(err.kind, KIT_ERR_REFUSED);
    kit_http_request_done(&req);

    for (int i = 0; i < KIT_HTTP_HEADERS; i++)
        assert_int_equal(kit_http_request_header(&req, "X", "v", &err), 0);
    assert_int_equal(kit_http_request_header(&req, "X", "v", &err), -1);
    kit_http_request_done(&req);
}

static void take(struct kit_http_response *resp, const char *line)
{
    kit_http_take_header(resp, line, strlen(line));
}

static void known_headers_are_kept(void **state)
{
    struct kit_http_response resp = {.retry_after_ms = -1};

    (void)state;
    take(&resp, "HTTP/1.1 200 OK\r\n");
    take(&resp, "CONTENT-TYPE:text/xml;charset=UTF-8\r\n");
    take(&resp, "Date:   Sun, 06 Nov 1994 08:49:37 GMT  \r\n");
    take(&resp, "x-amzn-RequestId: 1234\r\n");
    take(&resp, "X-Unknown: y\r\n");
    take(&resp, "no colon at all\r\n");
    take(&resp, ": x\r\n");
    take(&resp, "\r\n");
    assert_string_equal(resp.content_type, "text/xml;charset=UTF-8");
    assert_string_equal(resp.date, "Sun, 06 Nov 1994 08:49:37 GMT");
    assert_string_equal(resp.request_id, "1234");
    assert_string_equal(resp.location, "");
    assert_false(resp.aged);
    assert_int_equal(resp.retry_after_ms, -1);
    take(&resp, "Age: 0\r\n");
    take(&resp, "Retry-After: 7\r\n");
    assert_true(resp.aged);
    assert_int_equal(resp.retry_after_ms, 7000);
    take(&resp, "HTTP/1.1 200 OK\r\n"); /* what came before was an interim answer's */
    assert_string_equal(resp.request_id, "");
    assert_false(resp.aged);
    assert_int_equal(resp.retry_after_ms, -1);
}

static void kept_headers_are_cut_and_printable(void **state)
{
    struct kit_http_response resp = {.retry_after_ms = -1};
    char line[2048];

    (void)state;
    (void)kit_str_format(line, sizeof(line), "Location: %02000d", 7);
    take(&resp, line);
    assert_int_equal(strlen(resp.location), sizeof(resp.location) - 1);
    take(&resp, "x-amz-request-id: a\x1b[31m\xff\r\n");
    assert_string_equal(resp.request_id, "a?[31m?");
}

static void trust_comes_from_the_setting_then_the_environment(void **state)
{
    KIT_AUTO(kit_trust) trust = {0};
    char dir[] = "/tmp/cloudvip-trust-XXXXXX", file[64];
    struct kit_err err;

    (void)state;
    assert_non_null(mkdtemp(dir));
    (void)kit_str_format(file, sizeof(file), "%s/ca.pem", dir);
    FILE *made = fopen(file, "w");
    assert_non_null(made);
    (void)fclose(made);

    assert_int_equal(kit_trust_choose(file, &trust, &err), 0);
    assert_string_equal(trust.file, file);
    assert_null(trust.dir);
    kit_trust_done(&trust);
    assert_int_equal(kit_trust_choose(dir, &trust, &err), 0);
    assert_string_equal(trust.dir, dir);
    assert_null(trust.file);
    kit_trust_done(&trust);

    (void)setenv("SSL_CERT_FILE", file, 1);
    (void)setenv("CURL_CA_BUNDLE", "", 1);
    assert_int_equal(kit_trust_choose(NULL, &trust, &err), 0);
    assert_string_equal(trust.file, file);
    kit_trust_done(&trust);
    (void)setenv("CURL_CA_BUNDLE", dir, 1);
    assert_int_equal(kit_trust_choose(NULL, &trust, &err), 0);
    assert_string_equal(trust.dir, dir);
    kit_trust_done(&trust);
    (void)unsetenv("SSL_CERT_FILE");
    (void)unsetenv("CURL_CA_BUNDLE");

    (void)unlink(file);
    (void)rmdir(dir);
    assert_int_equal(kit_trust_choose(file, &trust, &err), -1);
    assert_int_equal(err.kind, KIT_ERR_CONFIG);
    assert_non_null(strstr(err.msg, file));
    assert_int_equal(kit_trust_choose(NULL, &trust, &err), 0); /* the system's, whatever it has */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_is_filled_and_emptied),
        cmocka_unit_test(a_header_that_could_be_two_is_refused),
        cmocka_unit_test(headers_have_ceilings),
        cmocka_unit_test(known_headers_are_kept),
        cmocka_unit_test(kept_headers_are_cut_and_printable),
        cmocka_unit_test(trust_comes_from_the_setting_then_the_environment),
    };
    return cmocka_run_group_tests_name("net/message", tests, NULL, NULL);
}
