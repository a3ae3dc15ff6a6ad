#include "kit/vip/where.h"

#include "kit/base/str.h"

const char *kit_where_name(enum kit_whereabouts where)
{
    static const char *const names[] = {"HERE", "ELSEWHERE", "UNKNOWN"};

    return names[where];
}

const char *kit_where_shape_name(enum kit_where_shape shape)
{
    static const char *const names[] = {"here",  "other",     "nowhere",
                                        "split", "blackhole", "foreign"};

    return names[shape];
}

enum kit_whereabouts kit_where_is(const struct kit_facts *facts)
{
    for (size_t i = 0; i < facts->count; i++)
        if (!facts->binding[i].right)
            return KIT_WHERE_ELSEWHERE;
    return facts->count ? KIT_WHERE_HERE : KIT_WHERE_ELSEWHERE;
}

enum kit_where_shape kit_where_shape(const struct kit_facts *facts)
{
    size_t held = 0;
    bool same = true;

    if (kit_where_is(facts) == KIT_WHERE_HERE)
        return KIT_SHAPE_HERE;
    for (size_t i = 0; i < facts->count; i++) {
        const struct kit_binding *b = &facts->binding[i];

        if (b->state == KIT_BINDING_FOREIGN)
            return KIT_SHAPE_FOREIGN;
        if (b->state == KIT_BINDING_BLACKHOLE)
            return KIT_SHAPE_BLACKHOLE;
        if (b->state == KIT_BINDING_HELD)
            held++;
        same = same && kit_str_eq(b->holder, facts->binding[0].holder);
    }
    if (!held)
        return KIT_SHAPE_NOWHERE;
    /* Held by us but not as configured (another private address): it is nobody else's, and not
     * served. */
    return held == facts->count && same && !facts->binding[0].mine ? KIT_SHAPE_ONE_OTHER
                                                                   : KIT_SHAPE_SPLIT;
}

/* Does an earlier binding belong to the same group (same state, same holder)? */
static bool told_before(const struct kit_facts *facts, size_t index)
{
    const struct kit_binding *b = &facts->binding[index];

    for (size_t i = 0; i < index; i++)
        if (facts->binding[i].state == b->state && kit_str_eq(facts->binding[i].holder, b->holder))
            return true;
    return false;
}

static void describe_group(const struct kit_binding *b, struct kit_buf *out)
{
    switch (b->state) {
    case KIT_BINDING_HELD:
        (void)kit_buf_printf(out, "on %s", b->holder[0] ? b->holder : b->node);
        if (b->mine)
            (void)kit_buf_puts(out, b->right ? " (this node)" : " (this node, not as configured)");
        else if (b->node[0] && b->holder[0] && !kit_str_eq(b->node, b->holder))
            (void)kit_buf_printf(out, " (%s)", b->node);
        break;
    case KIT_BINDING_BLACKHOLE:
        (void)kit_buf_printf(out, "blackhole (%s is stopped, detached or gone)",
                             b->holder[0] ? b->holder : "its target");
        break;
    case KIT_BINDING_FREE: (void)kit_buf_puts(out, "bound to nobody"); break;
    case KIT_BINDING_ABSENT:
    case KIT_BINDING_MISSING: (void)kit_buf_puts(out, "missing"); break;
    case KIT_BINDING_FOREIGN:
        if (b->holder[0] && b->node[0])
            (void)kit_buf_printf(out, "on %s (%s), from where it is never taken", b->holder,
                                 b->node);
        else
            (void)kit_buf_printf(out, "on %s, which is no node",
                                 b->holder[0] ? b->holder : "something unknown");
        break;
    }
}

void kit_where_describe(const struct kit_facts *facts, struct kit_buf *out)
{
    const char *gap = "";

    if (!facts->count)
        (void)kit_buf_puts(out, "nowhere: nothing carries it");
    for (size_t i = 0; i < facts->count; i++) {
        const struct kit_binding *b = &facts->binding[i];
        const char *comma = ": ";

        if (told_before(facts, i))
            continue;
        (void)kit_buf_puts(out, gap);
        describe_group(b, out);
        for (size_t k = i; k < facts->count; k++) {
            const struct kit_binding *other = &facts->binding[k];
            if (other->state != b->state || !kit_str_eq(other->holder, b->holder))
                continue;
            (void)kit_buf_printf(out, "%s%s", comma, other->place);
            comma = ", ";
        }
        gap = "; ";
    }
}
