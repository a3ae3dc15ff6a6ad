#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "actions/ctl/egress_echo.h"
#include "actions/ctl/egress_state.h"
#include "kit/base/mem.h"
#include "kit/base/str.h"

/* ---- what an echo service says --------------------------------------------------------------- */

static void an_address_in_a_text(void **state)
{
    static const struct {
        const char *text, *addr; /* NULL: none */
    } row[] = {
        {"203.0.113.9", "203.0.113.9"},
        {"203.0.113.9\n", "203.0.113.9"},
        {"your address is 203.0.113.9.", "203.0.113.9"},
        {"{\"ip\":\"203.0.113.9\",\"v\":1.2}", "203.0.113.9"},
        {"\xe5\xbd\x93\xe5\x89\x8d IP\xef\xbc\x9a"
         "203.0.113.9  \xe6\x9d\xa5",
         "203.0.113.9"},
        {"v1.2.3: 203.0.113.9", "203.0.113.9"},
        {"first 192.0.2.1, then 203.0.113.9", "192.0.2.1"},
        {"1.2.3.4.5 203.0.113.9", "203.0.113.9"},
        {"256.1.1.1 01.2.3.4", NULL},
        {"2001:db8::1", NULL},
        {"203.0.113.9..", NULL},
        {"....", NULL},
        {"", NULL},
    };

    (void)state;
    for (size_t i = 0; i < KIT_LEN(row); i++) {
        char text[KIT_ADDR_TEXT];
        struct kit_addr addr;
        bool found = ctl_egress_echo_parse(row[i].text, strlen(row[i].text), &addr);

        if (found != (row[i].addr != NULL))
            fail_msg("'%s': %s", row[i].text, found ? kit_addr_text(&addr, text) : "none");
        if (found)
            assert_string_equal(kit_addr_text(&addr, text), row[i].addr);
    }
}

/* ---- what is remembered ---------------------------------------------------------------------- */

static char dir[] = "/tmp/cloudvip-egress-XXXXXX";

static int make_dir(void **state)
{
    (void)state;
    return mkdtemp(dir) && !chmod(dir, 0755) && !setenv("CLOUDVIP_STATEDIR", dir, 1) ? 0 : -1;
}

static int remove_dir(void **state)
{
    char path[256];

    (void)state;
    (void)kit_str_format(path, sizeof(path), "%s/egress-i-1.json", dir);
    (void)unlink(path);
    return rmdir(dir);
}

static void written_and_read(void **state)
{
    const struct ctl_egress_state wrote = {"i-1", "eni-1", "", "cloudvip-0123"};
    struct ctl_egress_state s;
    struct kit_err err;

    (void)state;
    assert_int_equal(ctl_egress_state_read("i-1", &s, &err), 0);
    assert_string_equal(s.instance, "i-1");
    assert_string_equal(s.eni, "");
    assert_int_equal(ctl_egress_state_write(&wrote, &err), 0);
    assert_int_equal(ctl_egress_state_read("i-1", &s, &err), 0);
    assert_memory_equal(&s, &wrote, sizeof(s));
}

static void not_ours(void **state)
{
    static const char *const texts[] = {
        "",
        "[]",
        "{}",
        "{\"instance\":\"i-2\"}",
        "{\"instance\":\"i-1\",\"eni\":\"eni 1\"}",
        "{\"instance\":\"i-1\",\"eip\":[\"eip-1\"]}",
        "{\"instance\":\"i-1\",\"token\":\"../x\"}",
        "{\"instance\":\"i-1\"} x",
    };

    (void)state;
    for (size_t i = 0; i < KIT_LEN(texts); i++) {
        struct ctl_egress_state s;
        struct kit_err err;

        if (!ctl_egress_state_parse(texts[i], strlen(texts[i]), "x.json", "i-1", &s, &err))
            fail_msg("taken: %s", texts[i]);
        assert_int_equal(err.kind, KIT_ERR_CONFIG);
        assert_non_null(strstr(err.msg, "x.json"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_address_in_a_text),
        cmocka_unit_test(written_and_read),
        cmocka_unit_test(not_ours),
    };

    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
