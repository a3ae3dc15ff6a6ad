/* tests/unit/base_near.c - the name that a typing error meant. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kit/base/mem.h"
#include "kit/base/near.h"

static const char *nearest(const char *word)
{
    static const char *const names[] = {"attach", "detach", "list", "bind", "unbind", "bind-eip"};
    struct kit_near near;

    kit_near_init(&near, word);
    for (size_t i = 0; i < KIT_LEN(names); i++)
        kit_near_try(&near, names[i]);
    return near.name;
}

static void one_slip_is_forgiven(void **state)
{
    (void)state;
    assert_string_equal(nearest("attahc"), "attach");
    assert_string_equal(nearest("dettach"), "detach");
    assert_string_equal(nearest("lst"), "list");
    assert_string_equal(nearest("unbnd"), "unbind");
    assert_string_equal(nearest("bindeip"), "bind-eip");
    assert_string_equal(nearest("bind"), "bind");
}

static void what_is_far_is_nothing(void **state)
{
    (void)state;
    assert_null(nearest("convert"));
    assert_null(nearest("li"));
    assert_null(nearest(""));
    assert_null(nearest("a word that is far too long to be meant for anything"));
}

static void long_names_are_passed_over(void **state)
{
    struct kit_near near;

    (void)state;
    kit_near_init(&near, "abcdefghijklmnopqrstuvwxyz01234");
    kit_near_try(&near, "abcdefghijklmnopqrstuvwxyz012345");
    assert_null(near.name);
    kit_near_try(&near, "abcdefghijklmnopqrstuvwxyz0123x");
    assert_non_null(near.name);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_slip_is_forgiven),
        cmocka_unit_test(what_is_far_is_nothing),
        cmocka_unit_test(long_names_are_passed_over),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
