/* tests/unit/base_buf.c - bytes that grow up to a ceiling. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kit/base/buf.h"

static void empty_is_a_text(void **state)
{
    KIT_AUTO(kit_buf) buf = KIT_BUF(10);

    (void)state;
    assert_string_equal(buf.data, "");
    assert_int_equal(kit_buf_add(&buf, NULL, 0), 0);
    assert_int_equal(kit_buf_puts(&buf, ""), 0);
    kit_buf_reset(&buf);
    kit_buf_cut(&buf, 5);
    assert_string_equal(buf.data, "");
    assert_int_equal(buf.len_bytes, 0);
    assert_int_equal(kit_buf_nothing[0], 0);
}

static void appends_grow_it(void **state)
{
    KIT_AUTO(kit_buf) buf = KIT_BUF(100000);
    char expect[5001];

    (void)state;
    for (int i = 0; i < 5000; i++) {
        expect[i] = (char)('a' + i % 26);
        assert_int_equal(kit_buf_putc(&buf, expect[i]), 0);
        assert_int_equal(buf.data[buf.len_bytes], '\0');
    }
    expect[5000] = '\0';
    assert_string_equal(buf.data, expect);
    assert_int_equal(kit_buf_printf(&buf, "%s%04d", expect, 42), 0);
    assert_int_equal(buf.len_bytes, 10004);
    assert_string_equal(buf.data + 10000, "0042");
    assert_memory_equal(buf.data + 5000, expect, 5000);
}

static void ceiling_is_exact(void **state)
{
    (void)state;
    for (size_t max = 0; max < 200; max++) {
        KIT_AUTO(kit_buf) buf = KIT_BUF(max);
        for (size_t i = 0; i < max; i++)
            assert_int_equal(kit_buf_putc(&buf, 'x'), 0);
        assert_false(buf.overflow);
        assert_int_equal(kit_buf_putc(&buf, 'y'), -1);
        assert_true(buf.overflow);
        assert_int_equal(buf.len_bytes, max);
        assert_int_equal(strlen(buf.data), max);
        assert_null(strchr(buf.data, 'y'));
        assert_true(buf.room_bytes <= max + 1);
    }
}

static void overflow_stays_and_is_reported(void **state)
{
    KIT_AUTO(kit_buf) buf = KIT_BUF(5);
    struct kit_err err;

    (void)state;
    assert_int_equal(kit_buf_puts(&buf, "abc"), 0);
    assert_int_equal(kit_buf_check(&buf, "the answer", &err), 0);
    assert_int_equal(kit_buf_puts(&buf, "def"), -1);
    assert_int_equal(kit_buf_putc(&buf, 'd'), -1); /* would fit, but the text would have a hole */
    assert_int_equal(kit_buf_printf(&buf, "%d", 1), -1);
    assert_string_equal(buf.data, "abc");
    assert_int_equal(kit_buf_check(&buf, "the answer", &err), -1);
    assert_int_equal(err.kind, KIT_ERR_REFUSED);
    assert_string_equal(err.msg, "the answer is larger than 5 bytes");

    kit_buf_reset(&buf);
    assert_int_equal(kit_buf_printf(&buf, "%s", "12345"), 0);
    assert_string_equal(buf.data, "12345");
    assert_int_equal(kit_buf_add(&buf, "x", SIZE_MAX), -1);
}

static void printf_is_all_or_nothing(void **state)
{
    KIT_AUTO(kit_buf) buf = KIT_BUF(8);

    (void)state;
    assert_int_equal(kit_buf_printf(&buf, "%s", "123"), 0);
    assert_int_equal(kit_buf_printf(&buf, "%s", "456789"), -1);
    assert_string_equal(buf.data, "123");
}

static void take_hands_over(void **state)
{
    KIT_AUTO(kit_buf) buf = KIT_BUF(100);

    (void)state;
    KIT_AUTOFREE char *nothing = kit_buf_take(&buf);
    assert_string_equal(nothing, "");
    nothing[0] = '!'; /* it is the caller's own */
    assert_int_equal(kit_buf_nothing[0], 0);
    (void)kit_buf_puts(&buf, "text");
    KIT_AUTOFREE char *text = kit_buf_take(&buf);
    assert_string_equal(text, "text");
    assert_string_equal(buf.data, "");
    (void)kit_buf_puts(&buf, "more");
    assert_string_equal(buf.data, "more");
    assert_string_equal(text, "text");
}

static void done_leaves_it_usable(void **state)
{
    KIT_AUTO(kit_buf) buf = KIT_BUF(100);

    (void)state;
    (void)kit_buf_puts(&buf, "one");
    kit_buf_done(&buf);
    kit_buf_done(&buf);
    assert_string_equal(buf.data, "");
    assert_int_equal(kit_buf_puts(&buf, "two"), 0);
    assert_string_equal(buf.data, "two");
}

static void cut_shortens(void **state)
{
    KIT_AUTO(kit_buf) buf = KIT_BUF(6);

    (void)state;
    (void)kit_buf_puts(&buf, "abcdef");
    (void)kit_buf_puts(&buf, "g");
    kit_buf_cut(&buf, 2);
    assert_string_equal(buf.data, "ab");
    assert_false(buf.overflow);
    kit_buf_cut(&buf, 4);
    assert_int_equal(buf.len_bytes, 2);
}

static bool holds(const char *data, size_t bytes, const char *text)
{
    return memmem(data, bytes, text, strlen(text)) != NULL;
}

static void secrets_are_wiped_in_place(void **state)
{
    KIT_AUTO(kit_buf) buf = KIT_BUF_SECRET(1000);
    KIT_AUTO(kit_buf) plain = KIT_BUF(1000);

    (void)state;
    (void)kit_buf_puts(&buf, "hunter2hunter2");
    (void)kit_buf_puts(&plain, "hunter2hunter2");
    kit_buf_cut(&buf, 7);
    kit_buf_cut(&plain, 7);
    assert_false(holds(buf.data + 7, buf.room_bytes - 7, "unter"));
    assert_true(holds(plain.data + 7, plain.room_bytes - 7, "unter")); /* the check can fail */
    kit_buf_reset(&buf);
    for (size_t i = 0; i < buf.room_bytes; i++)
        assert_int_equal(buf.data[i], 0);
}

static void secrets_survive_growth_and_leave_nothing(void **state)
{
    KIT_AUTO(kit_buf) buf = KIT_BUF_SECRET(100000);

    (void)state;
    (void)kit_buf_puts(&buf, "hunter2");
    const size_t old_room = buf.room_bytes;
#if !defined(__SANITIZE_ADDRESS__)
    /* Reading freed memory is what a thief would do; the allocator keeps its own words in the first
     * 16 bytes, so the secret is put behind these. */
    (void)kit_buf_puts(&buf, "................hunter2");
    uintptr_t old = (uintptr_t)buf.data;
#endif
    while (buf.room_bytes == old_room)
        (void)kit_buf_putc(&buf, '.');
    assert_memory_equal(buf.data, "hunter2", 7);
#if !defined(__SANITIZE_ADDRESS__)
    const volatile char *freed = (const volatile char *)old;
    for (size_t i = 16; i + 1 < old_room; i++)
        assert_int_equal(freed[i], 0);
#endif
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(empty_is_a_text),
        cmocka_unit_test(appends_grow_it),
        cmocka_unit_test(ceiling_is_exact),
        cmocka_unit_test(overflow_stays_and_is_reported),
        cmocka_unit_test(printf_is_all_or_nothing),
        cmocka_unit_test(take_hands_over),
        cmocka_unit_test(done_leaves_it_usable),
        cmocka_unit_test(cut_shortens),
        cmocka_unit_test(secrets_are_wiped_in_place),
        cmocka_unit_test(secrets_survive_growth_and_leave_nothing),
    };
    return cmocka_run_group_tests_name("base_buf", tests, NULL, NULL);
}
