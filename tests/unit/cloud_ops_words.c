/* tests/unit/cloud_ops_words.c - the words of an operation: every type, every way to write them,
 * and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kit/cloud/ops.h"
#include "tests/unit/fakes.h"

enum {
    ENI,
    INSTANCE,
    GROUPS,
    ADDRESS,
    CHECK,
    COUNT,
    NAME,
    FORCE,
    PARAMS,
};
static const struct kit_op_param params[PARAMS] = {
    [ENI] = {"eni", KIT_OP_ID, NULL, true, true, "the ENI"},
    [INSTANCE] = {"instance", KIT_OP_ID, NULL, true, true, "the instance"},
    [GROUPS] = {"security-groups", KIT_OP_IDS, NULL, false, false, "security groups"},
    [ADDRESS] = {"address", KIT_OP_ADDRESS, NULL, false, false, "an address"},
    [CHECK] = {"source-dest-check", KIT_OP_CHOICE, "on|off", false, false, "the check"},
    [COUNT] = {"count", KIT_OP_NUMBER, "-1..10", false, false, "how many"},
    [NAME] = {"name", KIT_OP_TEXT, "2..8", false, false, "a name"},
    [FORCE] = {"force", KIT_OP_FLAG, NULL, false, false, "whatever comes of it"},
};
static const struct kit_op_param common[] = {
    {"yes", KIT_OP_FLAG, NULL, false, false, "do not ask"},
    {"region", KIT_OP_ID, NULL, false, false, "the region"},
};

struct read {
    struct kit_op_value value[PARAMS], common[2];
    struct kit_err err;
    int rc;
};

/* `text`: the words, separated by '|'. */
static struct read words_of(const char *text, enum kit_op_words how)
{
    static char copy[4096];
    char *word[64];
    size_t words = 0;
    struct read r = {.rc = 0};
    const struct kit_op_table table[] = {{params, PARAMS, r.value}, {common, 2, r.common}};

    assert_true(kit_str_copy(copy, sizeof(copy), text));
    for (char *at = copy; text[0] && at; words++) {
        word[words] = at;
        at = strchr(at, '|');
        if (at)
            *at++ = '\0';
    }
    r.rc = kit_op_parse(table, KIT_LEN(table), word, words, how, &r.err);
    return r;
}

static void done(struct read *r)
{
    kit_op_values_done(r->value, PARAMS);
    kit_op_values_done(r->common, KIT_LEN(r->common));
    assert_null(r->value[GROUPS].list);
    assert_null(r->value[ENI].text);
}

static void every_type_is_read(void **state)
{
    struct read r = words_of("eni-1|i-2|--security-groups|sg-1, sg-2|--address=10.0.0.7|--count=-1|"
                             "--source-dest-check|off|--name|n\xc3\xa4me|--force|--yes|--region=x",
                             KIT_OP_WHOLE);
    char text[KIT_ADDR_TEXT];

    (void)state;
    assert_int_equal(r.rc, 0);
    assert_string_equal(r.value[ENI].text, "eni-1");
    assert_string_equal(r.value[INSTANCE].text, "i-2");
    assert_string_equal(r.value[GROUPS].list[0], "sg-1");
    assert_string_equal(r.value[GROUPS].list[1], "sg-2");
    assert_null(r.value[GROUPS].list[2]);
    assert_string_equal(kit_addr_text(&r.value[ADDRESS].addr, text), "10.0.0.7");
    assert_int_equal(r.value[COUNT].number, -1);
    assert_string_equal(r.value[CHECK].text, "off");
    assert_string_equal(r.value[NAME].text, "n\xc3\xa4me");
    assert_string_equal(r.value[FORCE].text, "yes");
    assert_string_equal(r.common[0].text, "yes");
    assert_string_equal(r.common[1].text, "x");
    done(&r);
}

static void positionals_may_be_named_and_lists_given_again(void **state)
{
    struct read r = words_of("--eni|eni-1|--security-groups=sg-1|i-2|--security-groups|sg-2,sg-3",
                             KIT_OP_WHOLE);

    (void)state;
    assert_int_equal(r.rc, 0);
    assert_string_equal(r.value[ENI].text, "eni-1");
    assert_string_equal(r.value[INSTANCE].text, "i-2");
    assert_int_equal(kit_op_list_count(r.value[GROUPS].list), 3);
    assert_string_equal(r.value[GROUPS].list[2], "sg-3");
    done(&r);
    r = words_of("--force|--force|--|eni-1|--yes", KIT_OP_WHOLE);
    assert_int_equal(r.rc, 0);
    assert_string_equal(r.value[INSTANCE].text, "--yes"); /* behind "--" nothing is an option */
    assert_null(r.common[0].text);
    done(&r);
}

static void what_is_wrong_is_said(void **state)
{
    static const struct {
        const char *words, *said;
    } rows[] = {
        {"", "--eni is missing (the ENI)"},
        {"eni-1", "--instance is missing"},
        {"eni-1|i-1|more", "'more': one word too many"},
        {"eni-1|i-1|--adress|1.2.3.4", "no option '--adress'; did you mean --address?"},
        {"eni-1|i-1|--nmae=x", "did you mean --name?"},
        {"eni-1|i-1|--quite-another", "no option '--quite-another'"},
        {"eni-1|i-1|-f", "no option '-f'"},
        {"eni-1|i-1|--force=yes", "--force takes no value"},
        {"eni-1|i-1|--name", "--name wants a value"},
        {"eni-1|i-1|--name|--force", "--NAME=VALUE"},
        {"eni-1|i-1|--name=a", "--name: \"a\" has 1 characters, not 2 to 8"},
        {"eni-1|i-1|--name=123456789", "has 9 characters"},
        {"eni-1|i-1|--name=a\nb", "not printable"},
        {"eni-1|i-1|--name=ab\xff", "not printable"},
        {"eni-1|i-1|--name=ab|--name=cd", "--name: given twice"},
        {"eni-1|i-1|--eni=eni-2", "--eni: given twice"},
        {"eni-1|i-1|--count=11", "\"11\" is no number from -1 to 10"},
        {"eni-1|i-1|--count=1x", "is no number"},
        {"eni-1|i-1|--source-dest-check=offf", "is none of on|off; did you mean off?"},
        {"eni-1|i-1|--address=10.0.0.1/32", "is no IPv4 or IPv6 address"},
        {"eni-1|i-1|--address=", "is no IPv4 or IPv6 address"},
        {"eni-1|i-1|--security-groups= , ", "the list is empty"},
        {"eni-1|i-1|--security-groups=sg-1,sg-1", "sg-1 is in the list twice"},
        {"eni-1|i-1|--security-groups=sg-1|--security-groups=sg-1", "twice"},
        {"eni-1|i-1|--security-groups=sg;1", "\"sg;1\" is no id"},
        {"eni-\x1b[2J|i-1", "\"eni-?[2J\" is no id"},
        {"|i-1", "\"\" is no id"},
    };

    (void)state;
    for (size_t i = 0; i < KIT_LEN(rows); i++) {
        struct read r = words_of(rows[i].words, KIT_OP_WHOLE);

        assert_int_equal(r.rc, -1);
        assert_int_equal(r.err.kind, KIT_ERR_USAGE);
        fake_assert_text(r.err.msg, rows[i].said);
        done(&r);
    }
}

static void long_words_are_refused_whole(void **state)
{
    char words[600] = "--eni=";
    struct read r;

    (void)state;
    memset(words + 6, 'a', 64);
    r = words_of(words, KIT_OP_PARTLY);
    assert_int_equal(r.rc, -1);
    fake_assert_text(r.err.msg, "is no id");
    done(&r);
    words[6 + 63] = '\0';
    r = words_of(words, KIT_OP_PARTLY);
    assert_int_equal(r.rc, 0);
    done(&r);
    memset(words + 6, 'a', 500);
    memcpy(words, "--security-groups=", 18);
    r = words_of(words, KIT_OP_PARTLY);
    assert_int_equal(r.rc, -1);
    done(&r);
    memset(words, '-', 500);
    r = words_of(words, KIT_OP_WHOLE);
    assert_int_equal(r.rc, -1);
    assert_true(strlen(r.err.msg) < 200);
    done(&r);
}

static void a_first_look_passes_over_what_it_does_not_know(void **state)
{
    struct read r =
        words_of("what|ever|--what|--else=1|-x|--region|r|--region2|--|--yes", KIT_OP_PARTLY);

    (void)state;
    assert_int_equal(r.rc, 0);
    assert_string_equal(r.common[1].text, "r");
    assert_null(r.common[0].text);
    assert_null(r.value[ENI].text);
    done(&r);
    r = words_of("--region=a/b", KIT_OP_PARTLY);
    assert_int_equal(r.rc, -1);
    done(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_type_is_read),
        cmocka_unit_test(positionals_may_be_named_and_lists_given_again),
        cmocka_unit_test(what_is_wrong_is_said),
        cmocka_unit_test(long_words_are_refused_whole),
        cmocka_unit_test(a_first_look_passes_over_what_it_does_not_know),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
