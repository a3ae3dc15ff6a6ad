/* kit/fmt/uri. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kit/base/str.h"
#include "kit/fmt/uri.h"

static void all_but_the_unreserved_is_encoded(void **state)
{
    KIT_AUTO(kit_buf) out = KIT_BUF(2048);
    char all[256];

    (void)state;
    for (int c = 1; c < 256; c++)
        all[c - 1] = (char)c;
    all[255] = '\0';
    kit_uri_encode(&out, all);
    assert_false(out.overflow);
    assert_int_equal(out.len_bytes, 66 + 3 * (255 - 66));
    kit_buf_reset(&out);
    kit_uri_encode(&out, "AZaz09-_.~ /+*=&%\xc3\xa9\x01");
    assert_string_equal(out.data, "AZaz09-_.~%20%2F%2B%2A%3D%26%25%C3%A9%01");
    kit_buf_reset(&out);
    kit_uri_encode(&out, "");
    assert_string_equal(out.data, "");
}

static void overflow_is_kept(void **state)
{
    KIT_AUTO(kit_buf) out = KIT_BUF(4);

    (void)state;
    kit_uri_encode(&out, "a //");
    assert_true(out.overflow);
    assert_string_equal(out.data, "a%20"); /* an escape is never cut in two */
}

static void urls_are_taken_apart(void **state)
{
    static const struct {
        const char *text, *scheme, *host;
        int port;
        const char *path, *header;
    } rows[] = {
        {"https://ec2.eu-west-1.amazonaws.com", "https", "ec2.eu-west-1.amazonaws.com", 0, "/",
         "ec2.eu-west-1.amazonaws.com"},
        {"HTTPS://EC2.Example/A/b", "https", "ec2.example", 0, "/A/b", "ec2.example"},
        {"http://127.0.0.1:5000/", "http", "127.0.0.1", 5000, "/", "127.0.0.1:5000"},
        {"http://[::1]:5000/x", "http", "::1", 5000, "/x", "[::1]:5000"},
        {"http://[FD00:EC2::254]", "http", "fd00:ec2::254", 0, "/", "[fd00:ec2::254]"},
        {"http://h:80/", "http", "h", 80, "/", "h"},
        {"http://h:443/", "http", "h", 443, "/", "h:443"},
        {"https://h:443", "https", "h", 443, "/", "h"},
        {"https://h:80", "https", "h", 80, "/", "h:80"},
        {"https://h:65535/%20//..", "https", "h", 65535, "/%20//..", "h:65535"},
        {"https://a_b.c-d", "https", "a_b.c-d", 0, "/", "a_b.c-d"},
        {"https://h/a@b:c", "https", "h", 0, "/a@b:c", "h"},
    };
    struct kit_err err;

    (void)state;
    for (size_t i = 0; i < KIT_LEN(rows); i++) {
        KIT_AUTO(kit_buf) header = KIT_BUF(300);
        struct kit_url url;
        assert_int_equal(kit_url_parse(rows[i].text, &url, &err), 0);
        assert_string_equal(url.scheme, rows[i].scheme);
        assert_string_equal(url.host, rows[i].host);
        assert_int_equal(url.port, rows[i].port);
        assert_string_equal(url.path, rows[i].path);
        kit_url_host_header(&url, &header);
        assert_string_equal(header.data, rows[i].header);
    }
}

static void other_urls_are_refused_by_name(void **state)
{
    static const char *const rows[] = {
        "",
        "h",
        "//h",
        "://h",
        "ftp://h",
        "file:///etc/passwd",
        "httpsx://h",
        "https:/h",
        "https://",
        "https:///p",
        "https://:80",
        "https://h:",
        "https://h:0",
        "https://h:65536",
        "https://h:+80",
        "https://h:8 0",
        "https://h:80:80",
        "https://h?q",
        "https://h/?",
        "https://h#f",
        "https://h/a b",
        "https://h/\x01",
        "https://h/\x7f",
        "https://h/\xc3\xa9",
        "https://h\\@evil/",
        "https://h/\"",
        "https://h..x",
        "https://.h",
        "https://h!",
        "https://[::1",
        "https://::1",
        "https://[::1]x",
        "https://[::1]:",
        "https://[h]",
        "https://[127.0.0.1]",
        "https://[fe80::1%25eth0]",
        "https://127.1",
        "https://2130706433",
        "https://0x7f000001",
        "https://0177.0.0.1",
        "https://127.0.0.1.5",
        "https://a.0x1",
    };
    struct kit_url url;
    struct kit_err err;

    (void)state;
    for (size_t i = 0; i < KIT_LEN(rows); i++) {
        assert_int_equal(kit_url_parse(rows[i], &url, &err), -1);
        assert_int_equal(err.kind, KIT_ERR_CONFIG);
        assert_true(kit_str_starts(err.msg, "URL \""));
    }
    assert_int_equal(kit_url_parse("ftp://some.host/x", &url, &err), -1);
    assert_non_null(strstr(err.msg, "ftp://some.host/x"));
}

static void a_password_is_refused_and_not_shown(void **state)
{
    static const char *const rows[] = {"https://user:hush@h/", "ftp://user:hush@h",
                                       "http://hush@h/ x", "https://hu@hush@h"};
    struct kit_url url;
    struct kit_err err;

    (void)state;
    for (size_t i = 0; i < KIT_LEN(rows); i++) {
        assert_int_equal(kit_url_parse(rows[i], &url, &err), -1);
        assert_null(strstr(err.msg, "hush"));
    }
}

static void what_does_not_fit_is_refused(void **state)
{
    char text[800];
    struct kit_url url;
    struct kit_err err;

    (void)state;
    memset(text, 'a', sizeof(text));
    memcpy(text, "https://", 8);
    text[8 + 255] = '\0';
    assert_int_equal(kit_url_parse(text, &url, &err), 0);
    text[8 + 255] = 'a';
    text[8 + 256] = '\0';
    assert_int_equal(kit_url_parse(text, &url, &err), -1);

    memcpy(text, "https://h/", 10);
    text[8 + 256] = 'a';
    text[9 + 511] = '\0';
    assert_int_equal(kit_url_parse(text, &url, &err), 0);
    assert_int_equal(strlen(url.path), 511);
    text[9 + 511] = 'a';
    text[9 + 512] = '\0';
    assert_int_equal(kit_url_parse(text, &url, &err), -1);
}

static void plain_http_has_few_places_to_go(void **state)
{
    static const struct {
        const char *text;
        bool allowed;
    } rows[] = {
        {"http://localhost:1/", true},
        {"http://LOCALHOST/", true},
        {"http://127.0.0.1/", true},
        {"http://127.9.9.9/", true},
        {"http://[::1]/", true},
        {"http://169.254.169.254/", true},
        {"http://169.254.170.2/", true},
        {"http://169.254.170.23/", true},
        {"http://[fe80::1]/", true},
        {"http://100.100.100.200/", true},
        {"http://[fd00:ec2::254]/", true},
        {"http://[fd00:ec2::23]/", true},
        {"http://[fd00:ec2::24]/", false},
        {"http://100.100.100.201/", false},
        {"http://10.0.0.1/", false},
        {"http://169.253.1.1/", false},
        {"http://localhost.evil.test/", false},
        {"http://ec2.amazonaws.com/", false},
        {"http://localhost./", false},
        {"http://127.0.0.1.nip.io/", false},
        {"http://[::ffff:10.0.0.1]/", false},
    };
    struct kit_url url;
    struct kit_err err;

    (void)state;
    for (size_t i = 0; i < KIT_LEN(rows); i++) {
        assert_int_equal(kit_url_parse(rows[i].text, &url, &err), 0);
        assert_int_equal(kit_url_plain_allowed(&url), rows[i].allowed);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_but_the_unreserved_is_encoded),
        cmocka_unit_test(overflow_is_kept),
        cmocka_unit_test(urls_are_taken_apart),
        cmocka_unit_test(other_urls_are_refused_by_name),
        cmocka_unit_test(a_password_is_refused_and_not_shown),
        cmocka_unit_test(what_does_not_fit_is_refused),
        cmocka_unit_test(plain_http_has_few_places_to_go),
    };
    return cmocka_run_group_tests_name("fmt/uri", tests, NULL, NULL);
}
