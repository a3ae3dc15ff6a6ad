/* tests/unit/base_err.c - the one error type. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "kit/base/err.h"
#include "kit/base/str.h"

static void set_fills_anew(void **state)
{
    struct kit_err err;

    (void)state;
    memset(&err, 0x5a, sizeof(err));
    assert_int_equal(kit_err_set(&err, KIT_ERR_THROTTLED, "say %d", 7), -1);
    assert_int_equal(err.kind, KIT_ERR_THROTTLED);
    assert_string_equal(err.msg, "say 7");
    assert_string_equal(err.code, "");
    assert_string_equal(err.request_id, "");
    assert_int_equal(err.sys, 0);
    assert_int_equal(err.http_status, 0);
    assert_false(err.outcome_open);
}

static void system_error_keeps_errno(void **state)
{
    struct kit_err err;

    (void)state;
    errno = ENOENT;
    (void)kit_err_set(&err, KIT_ERR_SYSTEM, "open %s", "/x");
    assert_int_equal(err.sys, ENOENT);
    assert_string_equal(err.msg, "open /x: No such file or directory");
    assert_int_equal(errno, ENOENT);

    (void)kit_err_set(&err, KIT_ERR_CONFIG, "open %s", "/x");
    assert_int_equal(err.sys, 0);
    assert_string_equal(err.msg, "open /x");

    errno = 0;
    (void)kit_err_set(&err, KIT_ERR_SYSTEM, "no reason");
    assert_string_equal(err.msg, "no reason");
}

static void wrap_puts_context_in_front(void **state)
{
    struct kit_err err;

    (void)state;
    (void)kit_err_set(&err, KIT_ERR_DENIED, "ReplaceRoute: UnauthorizedOperation");
    assert_true(kit_str_copy(err.code, sizeof(err.code), "UnauthorizedOperation"));
    err.http_status = 403;
    err.outcome_open = true;
    assert_int_equal(kit_err_wrap(&err, "point %s", "rtb-0a1"), -1);
    (void)kit_err_wrap(&err, "restore vip1");
    assert_string_equal(err.msg,
                        "restore vip1: point rtb-0a1: ReplaceRoute: UnauthorizedOperation");
    assert_int_equal(err.kind, KIT_ERR_DENIED);
    assert_int_equal(err.http_status, 403);
    assert_true(err.outcome_open);
    assert_string_equal(err.code, "UnauthorizedOperation");
}

static void may_quote_its_own_message(void **state)
{
    struct kit_err err;

    (void)state;
    (void)kit_err_set(&err, KIT_ERR_TRANSIENT, "inner");
    (void)kit_err_set(&err, KIT_ERR_TIMEOUT, "outer (%s)", err.msg);
    assert_string_equal(err.msg, "outer (inner)");
    (void)kit_err_wrap(&err, "again %s", err.msg);
    assert_string_equal(err.msg, "again outer (inner): outer (inner)");
}

static void long_texts_end_in_dots(void **state)
{
    struct kit_err err;
    char text[3000];

    (void)state;
    /* Exactly full, one too many, and far more than any inner buffer. */
    for (size_t len = sizeof(err.msg) - 1; len < sizeof(text); len += len < 600 ? 1 : 700) {
        memset(text, 'x', len);
        text[len] = '\0';
        (void)kit_err_set(&err, KIT_ERR_CONFIG, "%s", text);
        assert_int_equal(strlen(err.msg), sizeof(err.msg) - 1);
        if (len == sizeof(err.msg) - 1)
            assert_null(strchr(err.msg, '.'));
        else
            assert_string_equal(err.msg + sizeof(err.msg) - 5, "x...");
    }
    (void)kit_err_set(&err, KIT_ERR_CONFIG, "tail");
    text[sizeof(err.msg) - 3] = '\0';
    (void)kit_err_wrap(&err, "%s", text);
    assert_string_equal(err.msg + sizeof(err.msg) - 4, "...");
    memset(text, 'y', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    (void)kit_err_wrap(&err, "%s", text);
    assert_string_equal(err.msg + sizeof(err.msg) - 5, "y...");
}

static void a_character_cut_in_two_is_not_shown(void **state)
{
    struct kit_err err;
    char text[600];

    (void)state;
    memset(text, 'x', sizeof(text));
    memcpy(text + sizeof(err.msg) - 5, "\xe2\x82\xac", 3); /* the dots stand on its tail */
    text[sizeof(text) - 1] = '\0';
    (void)kit_err_set(&err, KIT_ERR_CONFIG, "%s", text);
    assert_string_equal(err.msg + sizeof(err.msg) - 6, "x?...");
}

static void control_characters_are_replaced(void **state)
{
    struct kit_err err;

    (void)state;
    (void)kit_err_set(&err, KIT_ERR_PROTOCOL, "a\nb\033[2Jc\x7f\xff");
    assert_string_equal(err.msg, "a?b?[2Jc??");
    (void)kit_err_wrap(&err, "p\r");
    assert_string_equal(err.msg, "p?: a?b?[2Jc??");
}

static void kinds_have_name_meaning_and_retry(void **state)
{
    struct kit_err err = {.kind = KIT_ERR_THROTTLED};

    (void)state;
    assert_string_equal(kit_err_name(KIT_ERR_USAGE), "USAGE");
    assert_string_equal(kit_err_name(KIT_ERR_SYSTEM), "SYSTEM");
    assert_string_equal(kit_err_meaning(KIT_ERR_CONFLICT), "another node took the address");
    assert_string_equal(kit_err_name((enum kit_err_kind)999), "UNKNOWN");
    assert_true(kit_err_retryable(&err));
    err.kind = KIT_ERR_STATE;
    assert_true(kit_err_retryable(&err));
    err.kind = KIT_ERR_DENIED;
    assert_false(kit_err_retryable(&err));
    err.kind = KIT_ERR_TIMEOUT;
    assert_false(kit_err_retryable(&err));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(set_fills_anew),
        cmocka_unit_test(system_error_keeps_errno),
        cmocka_unit_test(wrap_puts_context_in_front),
        cmocka_unit_test(may_quote_its_own_message),
        cmocka_unit_test(long_texts_end_in_dots),
        cmocka_unit_test(a_character_cut_in_two_is_not_shown),
        cmocka_unit_test(control_characters_are_replaced),
        cmocka_unit_test(kinds_have_name_meaning_and_retry),
    };
    return cmocka_run_group_tests_name("base_err", tests, NULL, NULL);
}
