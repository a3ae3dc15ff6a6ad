/* tests/unit/vip_world.h - a cloud of a few places, and a mover on it that misbehaves as told.
 * Included after cmocka.h. */
#ifndef TESTS_UNIT_VIP_WORLD_H
#define TESTS_UNIT_VIP_WORLD_H

#include "kit/vip/apply.h"
#include "tests/unit/fakes.h"
#include "tests/unit/vip_facts.h"

enum fault {
    FAULT_NONE,
    FAULT_LOST_DONE, /* done, but the answer was lost */
    FAULT_LOST,      /* lost, and not done */
    FAULT_FAIL,
};

#define PLACES 6
struct place {
    char name[KIT_ID], holder[KIT_ID];
    unsigned handle;
};

struct world {
    struct kit_cloud cloud; /* first: the mover casts back */
    struct fake_clock clock;
    struct kit_clock kit_clock;
    struct kit_vip vip;
    struct place place[PLACES], before[PLACES]; /* now, and before the first change */
    size_t count, count_before;
    bool check_on;        /* the source/destination check of ME */
    bool rule_broken;     /* one that refuses */
    unsigned stale_looks; /* that many looks after the first change show what was before */
    unsigned stale_left;
    unsigned looks, claims, releases, steps; /* asked of the mover; the last one's steps */
    unsigned look_for_claim;                 /* looks that wanted all */
    unsigned fail_look;                      /* this look fails (1 = the first) */
    bool fail_query;                         /* … in its query alone */
    int64_t slow_change_ms;                  /* the first change takes so long */
    int64_t slow_look_ms;                    /* the first look takes so long */
    enum fault (*fault)(struct world *w, const char *place); /* or NULL */
    void (*meanwhile)(struct world *w);                      /* before each look, or NULL */
    uint64_t seed;                                           /* for faults by chance */
    unsigned told_facts, told_steps, told_waits, readied;
    char stepped[8][KIT_ID]; /* places of the last change */
};

static inline struct place *world_add(struct world *w, const char *name, const char *holder)
{
    struct place *p = &w->place[w->count++];

    assert_true(w->count <= PLACES);
    assert_true(kit_str_copy(p->name, sizeof(p->name), name));
    assert_true(kit_str_copy(p->holder, sizeof(p->holder), holder));
    p->handle = 1;
    return p;
}

/* Somebody takes a place. */
static inline void world_take(struct world *w, const char *name, const char *holder)
{
    for (size_t i = 0; i < w->count; i++) {
        if (!kit_str_eq(w->place[i].name, name))
            continue;
        assert_true(kit_str_copy(w->place[i].holder, KIT_ID, holder));
        w->place[i].handle++;
    }
}

static inline const char *world_holder(const struct world *w, const char *name)
{
    for (size_t i = 0; i < w->count; i++)
        if (kit_str_eq(w->place[i].name, name))
            return w->place[i].holder;
    return NULL;
}

static inline enum kit_rule_answer world_check(const void *evidence, struct kit_buf *detail)
{
    const struct world *w = evidence;

    (void)kit_buf_puts(detail, "seen");
    return w->rule_broken ? KIT_RULE_BROKEN : KIT_RULE_HOLDS;
}
static const struct kit_rule world_rule = {1, KIT_RULE_REFUSE, "it would fail", "do this",
                                           world_check};

static inline int world_locate(struct kit_cloud *cloud, struct kit_query query[], size_t count,
                               struct kit_deadline by, struct kit_err *err)
{
    struct world *w = (struct world *)cloud;
    bool stale;

    assert_int_equal(count, 1);
    assert_int_equal(by.at_ns, w->vip.by.at_ns);
    w->looks++;
    w->look_for_claim += query[0].for_claim;
    if (w->looks == 1)
        w->clock.now_ns += w->slow_look_ms * KIT_NS_PER_MS;
    if (w->meanwhile)
        w->meanwhile(w);
    facts_begin(&query[0].facts);
    if (w->looks == w->fail_look && w->fail_query) {
        (void)facts_add(&query[0].facts, "half", KIT_BINDING_FREE, "");
        query[0].failed = true;
        (void)kit_err_set(&query[0].err, KIT_ERR_DENIED, "may not look");
        return 0;
    }
    if (w->looks == w->fail_look)
        return kit_err_set(err, KIT_ERR_TRANSIENT, "cannot look");
    stale = w->stale_left > 0;
    if (stale)
        w->stale_left--;
    for (size_t i = 0; i < (stale ? w->count_before : w->count); i++) {
        const struct place *p = stale ? &w->before[i] : &w->place[i];
        struct kit_binding *b =
            facts_add(&query[0].facts, p->name, p->holder[0] ? KIT_BINDING_HELD : KIT_BINDING_FREE,
                      p->holder);
        assert_true(kit_str_format(b->handle, sizeof(b->handle), "assoc-%u", p->handle));
    }
    if (query[0].for_claim && w->check_on)
        facts_need(&query[0].facts);
    if (query[0].for_claim)
        kit_rules_check(&world_rule, 1, w, &query[0].facts);
    return 0;
}

static inline int world_change(struct world *w, struct kit_step step[], size_t count,
                               const char *holder, struct kit_err *err)
{
    int rc = 0;

    if (w->claims + w->releases == 1) {
        w->clock.now_ns += w->slow_change_ms * KIT_NS_PER_MS;
        memcpy(w->before, w->place, sizeof(w->place));
        w->count_before = w->count;
        w->stale_left = w->stale_looks;
    }
    w->steps = (unsigned)count;
    for (size_t i = 0; i < count; i++) {
        const char *place = step[i].need ? "check" : step[i].binding->place;
        enum fault fault = w->fault ? w->fault(w, place) : FAULT_NONE;

        assert_int_equal(step[i].result, KIT_STEP_PENDING);
        if (i < KIT_LEN(w->stepped))
            assert_true(kit_str_copy(w->stepped[i], KIT_ID, place));
        if ((fault == FAULT_NONE || fault == FAULT_LOST_DONE) && step[i].need)
            w->check_on = false;
        else if (fault == FAULT_NONE || fault == FAULT_LOST_DONE)
            world_take(w, place, holder);
        step[i].result = fault == FAULT_NONE   ? KIT_STEP_DONE
                         : fault == FAULT_FAIL ? KIT_STEP_FAILED
                                               : KIT_STEP_OPEN;
        if (fault == FAULT_NONE)
            continue;
        rc = kit_err_set(&step[i].err, fault == FAULT_FAIL ? KIT_ERR_DENIED : KIT_ERR_TRANSIENT,
                         "Change: %s", fault == FAULT_FAIL ? "may not" : "lost");
        *err = step[i].err;
    }
    return rc;
}

static inline int world_claim(struct kit_cloud *cloud, const struct kit_settings *settings,
                              const struct kit_facts *facts, struct kit_step step[], size_t count,
                              struct kit_deadline by, struct kit_err *err)
{
    struct world *w = (struct world *)cloud;

    (void)settings;
    (void)by;
    assert_string_equal(facts->me, ME);
    w->claims++;
    return world_change(w, step, count, ME, err);
}

static inline int world_release(struct kit_cloud *cloud, const struct kit_settings *settings,
                                const struct kit_facts *facts, struct kit_step step[], size_t count,
                                struct kit_deadline by, struct kit_err *err)
{
    struct world *w = (struct world *)cloud;

    (void)settings;
    (void)facts;
    (void)by;
    for (size_t i = 0; i < count; i++)
        assert_true(step[i].binding->mine);
    w->releases++;
    return world_change(w, step, count, "", err);
}

static inline void world_observe(void *arg, enum kit_vip_event event, const struct kit_facts *facts,
                                 const struct kit_step *step)
{
    struct world *w = arg;

    assert_non_null(facts);
    assert_int_equal(step != NULL, event == KIT_VIP_STEP);
    if (step)
        assert_int_not_equal(step->result, KIT_STEP_PENDING);
    w->told_facts += event == KIT_VIP_FACTS;
    w->told_steps += event == KIT_VIP_STEP;
    w->told_waits += event == KIT_VIP_WAIT;
}

static inline struct world *world_begin(int64_t deadline_ms)
{
    static const struct kit_mover mover = {
        .locate = world_locate, .claim = world_claim, .release = world_release};
    struct world *w = kit_mem_new(1, sizeof(*w));

    w->clock = (struct fake_clock){.now_ns = 3 * KIT_NS_PER_S};
    w->kit_clock = fake_clock_of(&w->clock);
    w->vip = (struct kit_vip){.cloud = &w->cloud,
                              .mover = &mover,
                              .clock = &w->kit_clock,
                              .by = kit_deadline_in_ms(&w->kit_clock, deadline_ms),
                              .observer = world_observe,
                              .observer_arg = w,
                              .ready_arg = w};
    return w;
}

#endif
