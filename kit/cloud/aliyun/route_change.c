/* Routes pointed here, one after the other: the cloud refuses a second change of routes in a VPC
 * while one is under way (TaskConflict), so each is waited for before the next is sent.
 *
 * ModifyRouteEntry changes the next hop in place: there is no moment without a route.  An endpoint
 * that does not know its parameters NewNextHopType and NewNextHopId refuses the call; the route is
 * then deleted, on condition that it still points where it was seen, and created.  Whoever is
 * killed between the two leaves a table without the route, which only create_route = yes lets a
 * second run mend: so without it nothing is deleted. */
#include "kit/base/mem.h"
#include "kit/base/str.h"
#include "kit/cloud/aliyun/route_table.h"

/* How long an Available entry that shows what it was before is taken for a stale read; never longer
 * than half of the time that is left, so that there is a verdict before the deadline. */
#define STALE_MS 5000

struct change {
    struct ali_cloud *cloud;
    const struct kit_facts *facts;
    struct kit_cidr destination;
    bool may_create;
    struct kit_deadline by;
    struct kit_step *step;
    /* Of the wait under way. */
    struct kit_deadline stale_until;
    enum seen {
        SEEN_NOTHING,
        SEEN_OURS,
        SEEN_BEFORE, /* as it was, for longer than a stale read may last */
        SEEN_OTHER,
        SEEN_GONE,
    } seen;
    char status[sizeof(((struct ali_route_entry *)0)->status)]; /* at the last look */
};

static const char *hop_type(const struct kit_facts *facts)
{
    return kit_str_eq(facts->me, facts->my_node) ? "Instance" : "NetworkInterface";
}

static void restart_stale(struct change *c)
{
    const struct kit_clock *clock = c->cloud->base.caller->clock;
    int64_t half_ms = kit_deadline_left_ms(clock, c->by) / 2;

    c->stale_until = kit_deadline_in_ms(clock, half_ms < STALE_MS ? half_ms : STALE_MS);
}

static bool may_be_stale(const struct change *c)
{
    return !kit_deadline_passed(c->cloud->base.caller->clock, c->stale_until);
}

/* What a look shows; 1 when that is an end. */
static int look(struct change *c, bool for_deletion, struct kit_err *err)
{
    const struct kit_binding *b = c->step->binding;
    struct ali_route_entry e;
    bool found;

    if (ali_route_entry_read(c->cloud, b->place, &c->destination, c->by, &found, &e, err))
        return -1;
    (void)kit_str_copy(c->status, sizeof(c->status), found ? e.status : "");
    if (!found) {
        c->seen = SEEN_GONE;
        return for_deletion || !may_be_stale(c);
    }
    if (!ali_route_entry_is_available(&e)) {
        restart_stale(c);
        return 0;
    }
    if (kit_str_eq(e.hop, c->facts->me)) {
        c->seen = SEEN_OURS;
        return 1;
    }
    c->seen = kit_str_eq(e.hop, b->holder) ? SEEN_BEFORE : SEEN_OTHER;
    return c->seen == SEEN_OTHER || !may_be_stale(c);
}

static int look_for_ours(void *arg, struct kit_err *err)
{
    return look(arg, false, err);
}

static int look_for_nothing(void *arg, struct kit_err *err)
{
    return look(arg, true, err);
}

static int wait_for(struct change *c, kit_poll_fn fn, struct kit_err *err)
{
    c->seen = SEEN_NOTHING;
    c->status[0] = '\0';
    restart_stale(c);
    return kit_poll_until(&ali_poll, c->cloud->base.caller->clock, c->by, fn, c, err);
}

/* The cloud said yes: see it done.  A look that fails leaves the rest to the verification; an entry
 * that was between two states to the end is not done. */
static void see_ours(struct change *c, const char *action)
{
    struct kit_step *step = c->step;
    const struct kit_binding *b = step->binding;
    struct kit_err err;

    if (wait_for(c, look_for_ours, &err)) {
        if (err.kind != KIT_ERR_TIMEOUT || !c->status[0])
            return;
        step->result = KIT_STEP_OPEN;
        (void)kit_err_set(&step->err, KIT_ERR_TIMEOUT, "%s: accepted, and the entry is still %s",
                          action, c->status);
        return;
    }
    if (c->seen == SEEN_GONE) {
        step->result = KIT_STEP_OPEN;
        (void)kit_err_set(&step->err, KIT_ERR_STATE, "%s: accepted, and the entry is gone", action);
    } else if (c->seen == SEEN_BEFORE) {
        step->result = KIT_STEP_FAILED;
        (void)kit_err_set(&step->err, KIT_ERR_CONFLICT,
                          "%s: accepted, and the route still points at %s: it was taken back, or "
                          "this endpoint ignores NewNextHopId",
                          action, b->holder);
    }
}

/* What is gone, or another's already, is no failure: look again and decide. */
static void take_outcome(const struct ali_rpc *r, struct kit_step *step)
{
    ali_rpc_step(r, step);
    if (step->result == KIT_STEP_FAILED && r->note == ALI_NOTE_GONE)
        step->result = KIT_STEP_OPEN;
}

static void run(struct change *c, struct ali_rpc *r)
{
    struct kit_err err;

    if (ali_rpc_run(r, c->by, &err))
        (void)err; /* is in the call, too */
    take_outcome(r, c->step);
}

static void encode_where(struct ali_rpc *r, const struct change *c)
{
    char text[KIT_CIDR_TEXT];

    ali_rpc_param(r, "RouteTableId", c->step->binding->place);
    ali_rpc_param(r, "DestinationCidrBlock", kit_cidr_text(&c->destination, text));
}

static void create(struct change *c)
{
    struct ali_rpc r;

    ali_rpc_init(&r, c->cloud, &ali_vpc, "CreateRouteEntry", ALI_MUTATES | ALI_TOKEN);
    encode_where(&r, c);
    ali_rpc_param(&r, "NextHopType", hop_type(c->facts));
    ali_rpc_param(&r, "NextHopId", c->facts->me);
    run(c, &r);
    ali_rpc_done(&r);
    if (c->step->result == KIT_STEP_DONE)
        see_ours(c, "CreateRouteEntry");
}

/* Deletes the route if it still points where it did; true when it is gone. */
static bool delete_seen(struct change *c)
{
    struct kit_step *step = c->step;
    struct ali_rpc r;

    ali_rpc_init(&r, c->cloud, &ali_vpc, "DeleteRouteEntry", ALI_MUTATES);
    encode_where(&r, c);
    ali_rpc_param(&r, "NextHopId", step->binding->holder);
    run(c, &r);
    ali_rpc_done(&r);
    if (step->result != KIT_STEP_DONE)
        return false;
    if (wait_for(c, look_for_nothing, &step->err) || c->seen != SEEN_GONE) {
        if (c->seen != SEEN_NOTHING && c->seen != SEEN_GONE)
            (void)kit_err_set(&step->err, KIT_ERR_STATE,
                              "DeleteRouteEntry: accepted, and there still is a route");
        step->result = KIT_STEP_OPEN;
        return false;
    }
    return true;
}

static void make_anew(struct change *c)
{
    struct kit_step *step = c->step;

    if (!c->may_create) {
        (void)kit_err_wrap(&step->err, "this endpoint cannot change the next hop of a route; set "
                                       "create_route = yes to have it deleted and created anew");
        step->err.kind = KIT_ERR_CONFIG;
        return;
    }
    if (!delete_seen(c))
        return;
    create(c);
    if (step->result == KIT_STEP_FAILED)
        (void)kit_err_wrap(&step->err, "the old route is deleted, and the new one not created");
}

/* An endpoint from before the next hop could be changed: it refuses what it does not know, or
 * misses what it could change (MissingParameter: name, description), which nobody asks for here. */
static bool is_too_old(const struct ali_rpc *r)
{
    return r->call.failed && (r->note == ALI_NOTE_UNKNOWN_ACTION ||
                              kit_str_starts(r->call.err.code, "MissingParameter"));
}

static void modify(struct change *c)
{
    struct ali_rpc r;
    bool unknown;

    ali_rpc_init(&r, c->cloud, &ali_vpc, "ModifyRouteEntry", ALI_MUTATES);
    encode_where(&r, c); /* not by the entry's id: a policy names tables */
    ali_rpc_param(&r, "NewNextHopType", hop_type(c->facts));
    ali_rpc_param(&r, "NewNextHopId", c->facts->me);
    run(c, &r);
    unknown = is_too_old(&r);
    ali_rpc_done(&r);
    if (unknown)
        make_anew(c);
    else if (c->step->result == KIT_STEP_DONE)
        see_ours(c, "ModifyRouteEntry");
}

int ali_route_claim(struct kit_cloud *cloud, const struct kit_settings *settings,
                    const struct kit_facts *facts, struct kit_step step[], size_t count,
                    struct kit_deadline by, struct kit_err *err)
{
    struct change c = {
        .cloud = (struct ali_cloud *)cloud,
        .facts = facts,
        .destination = kit_cidr_of(kit_settings_addr(settings, KIT_PARAM_ADDRESS)),
        .may_create = kit_settings_yes(settings, KIT_PARAM_CREATE_ROUTE),
        .by = by,
    };
    int rc = 0;

    for (size_t i = 0; i < count; i++) {
        c.step = &step[i];
        if (step[i].binding->state == KIT_BINDING_ABSENT)
            create(&c);
        else
            modify(&c);
        if (step[i].result != KIT_STEP_DONE && !rc) {
            *err = step[i].err;
            rc = -1;
        }
    }
    return rc;
}
