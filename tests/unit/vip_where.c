/* tests/unit/vip_where.c - what facts mean, for every combination. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kit/base/mem.h"
#include "kit/vip/where.h"
#include "tests/unit/vip_facts.h"

/* What one binding can be. */
enum kind {
    MINE,
    OTHER_A,
    OTHER_B,
    WRONG,
    GONE,
    FREE,
    ABSENT,
    MISSING,
    FOREIGN,
    KINDS
};

static struct kit_binding *add_kind(struct kit_facts *facts, enum kind kind, unsigned n)
{
    static const struct {
        enum kit_binding_state state;
        const char *holder;
    } rows[KINDS] = {
        [MINE] = {KIT_BINDING_HELD, ME},
        [OTHER_A] = {KIT_BINDING_HELD, "eni-a"},
        [OTHER_B] = {KIT_BINDING_HELD, "eni-b"},
        [WRONG] = {KIT_BINDING_HELD, ME},
        [GONE] = {KIT_BINDING_BLACKHOLE, "eni-x"},
        [FREE] = {KIT_BINDING_FREE, ""},
        [ABSENT] = {KIT_BINDING_ABSENT, ""},
        [MISSING] = {KIT_BINDING_MISSING, ""},
        [FOREIGN] = {KIT_BINDING_FOREIGN, "nat-1"},
    };
    char place[16];

    assert_true(kit_str_format(place, sizeof(place), "rtb-%u", n));
    struct kit_binding *b = facts_add(facts, place, rows[kind].state, rows[kind].holder);
    if (kind == WRONG)
        b->right = false;
    return b;
}

/* The rules once more, in other words: sets of kinds instead of a walk. */
static bool shape_fits(const unsigned seen[KINDS], size_t count, enum kit_where_shape shape)
{
    size_t held = seen[MINE] + seen[WRONG] + seen[OTHER_A] + seen[OTHER_B];

    switch (shape) {
    case KIT_SHAPE_HERE: return count && seen[MINE] == count;
    case KIT_SHAPE_FOREIGN: return seen[FOREIGN] > 0;
    case KIT_SHAPE_BLACKHOLE: return seen[GONE] > 0;
    default: break;
    }
    if (seen[FOREIGN] || seen[GONE] || (count && seen[MINE] == count))
        return false;
    if (held == 0)
        return shape == KIT_SHAPE_NOWHERE;
    if (seen[OTHER_A] == count || seen[OTHER_B] == count)
        return shape == KIT_SHAPE_ONE_OTHER;
    return shape == KIT_SHAPE_SPLIT;
}

static void every_combination_of_three(void **state)
{
    (void)state;
    for (unsigned code = 0; code < (KINDS + 1) * (KINDS + 1) * (KINDS + 1); code++) {
        struct kit_facts facts;
        unsigned seen[KINDS] = {0};

        facts_begin(&facts);
        for (unsigned n = 0, rest = code; n < 3; n++, rest /= KINDS + 1) {
            if (rest % (KINDS + 1) == KINDS)
                continue; /* no such binding */
            seen[rest % (KINDS + 1)]++;
            add_kind(&facts, rest % (KINDS + 1), n);
        }
        enum kit_where_shape shape = kit_where_shape(&facts);
        if (!shape_fits(seen, facts.count, shape))
            fail_msg("combination %u: %s", code, kit_where_shape_name(shape));
        assert_int_equal(kit_where_is(&facts),
                         shape == KIT_SHAPE_HERE ? KIT_WHERE_HERE : KIT_WHERE_ELSEWHERE);
        kit_facts_done(&facts);
    }
}

static void assert_described(const struct kit_facts *facts, const char *text)
{
    KIT_AUTO(kit_buf) out = KIT_BUF(1000);

    kit_where_describe(facts, &out);
    assert_string_equal(out.data, text);
}

static void nothing_is_nowhere(void **state)
{
    struct kit_facts facts;

    (void)state;
    facts_begin(&facts);
    assert_int_equal(kit_where_is(&facts), KIT_WHERE_ELSEWHERE);
    assert_int_equal(kit_where_shape(&facts), KIT_SHAPE_NOWHERE);
    assert_described(&facts, "nowhere: nothing carries it");
}

static void bindings_are_told_by_holder(void **state)
{
    struct kit_facts facts;

    (void)state;
    facts_begin(&facts);
    add_kind(&facts, OTHER_A, 1);
    add_kind(&facts, GONE, 2);
    add_kind(&facts, OTHER_A, 3);
    add_kind(&facts, MINE, 4);
    add_kind(&facts, ABSENT, 5);
    assert_described(
        &facts,
        "on eni-a (i-a): rtb-1, rtb-3; blackhole (eni-x is stopped, detached or gone): rtb-2; "
        "on eni-me (this node): rtb-4; missing: rtb-5");
    kit_facts_done(&facts);
}

static void each_state_has_words(void **state)
{
    static const struct {
        enum kind kind;
        const char *text;
    } rows[] = {
        {MINE, "on eni-me (this node): rtb-1"},
        {WRONG, "on eni-me (this node, not as configured): rtb-1"},
        {OTHER_B, "on eni-b (i-b): rtb-1"},
        {GONE, "blackhole (eni-x is stopped, detached or gone): rtb-1"},
        {FREE, "bound to nobody: rtb-1"},
        {ABSENT, "missing: rtb-1"},
        {MISSING, "missing: rtb-1"},
        {FOREIGN, "on nat-1, which is no node: rtb-1"},
    };

    (void)state;
    for (size_t i = 0; i < KIT_LEN(rows); i++) {
        struct kit_facts facts;

        facts_begin(&facts);
        add_kind(&facts, rows[i].kind, 1);
        assert_described(&facts, rows[i].text);
        kit_facts_done(&facts);
    }
}

static void a_node_is_never_called_none(void **state)
{
    struct kit_facts facts;
    struct kit_binding *b;

    (void)state;
    facts_begin(&facts);
    b = add_kind(&facts, FOREIGN, 1);
    (void)kit_str_copy(b->holder, sizeof(b->holder), "eni-p");
    (void)kit_str_copy(b->node, sizeof(b->node), "i-2");
    assert_described(&facts, "on eni-p (i-2), from where it is never taken: rtb-1");
    kit_facts_done(&facts);

    facts_begin(&facts); /* whose holder is the node itself is not told twice */
    b = add_kind(&facts, OTHER_A, 1);
    (void)kit_str_copy(b->holder, sizeof(b->holder), b->node);
    assert_described(&facts, "on i-a: rtb-1");
    kit_facts_done(&facts);
}

static void what_is_not_known_is_left_out(void **state)
{
    struct kit_facts facts;

    (void)state;
    facts_begin(&facts);
    facts_add(&facts, "rtb-1", KIT_BINDING_BLACKHOLE, "");
    facts_add(&facts, "rtb-2", KIT_BINDING_HELD, "eni-a")->node[0] = '\0';
    assert_described(&facts,
                     "blackhole (its target is stopped, detached or gone): rtb-1; on eni-a: rtb-2");
    kit_facts_done(&facts);
}

static void a_small_buffer_is_not_outgrown(void **state)
{
    KIT_AUTO(kit_buf) out = KIT_BUF(30);
    struct kit_facts facts;

    (void)state;
    facts_begin(&facts);
    for (unsigned i = 0; i < 50; i++)
        add_kind(&facts, OTHER_A, i);
    kit_where_describe(&facts, &out);
    assert_true(out.overflow);
    assert_true(kit_str_starts(out.data, "on eni-a (i-a): rtb-0"));
    kit_facts_done(&facts);
}

static void names(void **state)
{
    (void)state;
    assert_string_equal(kit_where_name(KIT_WHERE_HERE), "HERE");
    assert_string_equal(kit_where_name(KIT_WHERE_ELSEWHERE), "ELSEWHERE");
    assert_string_equal(kit_where_name(KIT_WHERE_UNKNOWN), "UNKNOWN");
    assert_string_equal(kit_where_shape_name(KIT_SHAPE_HERE), "here");
    assert_string_equal(kit_where_shape_name(KIT_SHAPE_ONE_OTHER), "other");
    assert_string_equal(kit_where_shape_name(KIT_SHAPE_NOWHERE), "nowhere");
    assert_string_equal(kit_where_shape_name(KIT_SHAPE_SPLIT), "split");
    assert_string_equal(kit_where_shape_name(KIT_SHAPE_BLACKHOLE), "blackhole");
    assert_string_equal(kit_where_shape_name(KIT_SHAPE_FOREIGN), "foreign");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_combination_of_three),
        cmocka_unit_test(nothing_is_nowhere),
        cmocka_unit_test(bindings_are_told_by_holder),
        cmocka_unit_test(each_state_has_words),
        cmocka_unit_test(a_node_is_never_called_none),
        cmocka_unit_test(what_is_not_known_is_left_out),
        cmocka_unit_test(a_small_buffer_is_not_outgrown),
        cmocka_unit_test(names),
    };
    return cmocka_run_group_tests_name("vip/where", tests, NULL, NULL);
}
