/* kit/cloud/aws/creds_container: whom it asks, and with what. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/aws_creds_world.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_container),
        TEST(the_containers_token),
    };
    return cmocka_run_group_tests_name("aws/creds_container", tests, NULL, NULL);
}
