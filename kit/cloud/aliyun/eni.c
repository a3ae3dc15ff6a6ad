/* aliyun eni: the attachment of one secondary ENI, moved to our instance with all its addresses.
 *
 * locate: DescribeNetworkInterfaces, one call for all resources; for a claim our instance too, in
 * the same round, and where an ENI is to be moved how many its type takes, in a second one.  claim
 * and release: see eni_move.c.  It works within one zone and VPC, and only
 * while the old node's operating system, or whoever stops that instance, lets go of the ENI: a
 * guest that hangs keeps it Detaching. */
#include <stdlib.h>

#include "kit/base/mem.h"
#include "kit/base/str.h"
#include "kit/cloud/aliyun/eni.h"
#include "kit/cloud/aliyun/quota.h"

/* ENIs of the account here; for advice. */
struct region {
    bool asked;
    char why[320];
    size_t enis;
};

struct target {
    struct kit_query *query; /* NULL: nothing to search for */
    struct kit_me me;
    const char *id;
};

/* What the rules judge. */
struct evidence {
    struct ali_eni_evidence base; /* first: eni_rules.c reads it */
    const struct region *region;
};

static bool is_active(const struct target *t)
{
    return t->query && !t->query->failed;
}

/* ---- rules ----------------------------------------------------------------------------------- */

static enum kit_rule_answer check_region(const void *evidence, struct kit_buf *detail)
{
    const struct region *region = ((const struct evidence *)evidence)->region;

    if (!region->asked)
        return KIT_RULE_NOT_KNOWN;
    if (region->why[0]) {
        (void)kit_buf_puts(detail, region->why);
        return KIT_RULE_NOT_KNOWN;
    }
    (void)kit_buf_printf(detail, "the region has %zu interfaces", region->enis);
    return region->enis >= ALI_REGION_ENIS ? KIT_RULE_BROKEN : KIT_RULE_HOLDS;
}

/* Rule 52 is about deletion, which no action does. */
static const struct kit_rule rules[] = {
    ALI_ENI_RULE_ROOM,
    ALI_ENI_RULE_INSTANCE,
    ALI_ENI_RULE_SECONDARY,
    ALI_ENI_RULE_ZONE,
    ALI_ENI_RULE_VPC,
    ALI_ENI_RULE_GROUPS,
    ALI_ENI_RULE_OPTIMIZED,
    {57, KIT_RULE_WARN,
     "an account has 100 interfaces in a region by default: a new one may be refused",
     "delete unused ones, or see the account's quota", check_region},
    ALI_ENI_RULE_KEPT,
};

/* ---- reading --------------------------------------------------------------------------------- */

static void judge(struct target *t, const struct ali_eni *eni)
{
    struct kit_binding *b = kit_facts_add(&t->query->facts);

    (void)kit_str_copy(b->place, sizeof(b->place), eni->id);
    (void)kit_str_copy(b->holder, sizeof(b->holder), eni->node);
    (void)kit_str_copy(b->node, sizeof(b->node), eni->node);
    if (eni->service_managed) {
        b->state = KIT_BINDING_FOREIGN;
        return;
    }
    /* Attaching and Detaching: with that instance, and not right. */
    b->state = eni->node[0] ? KIT_BINDING_HELD : KIT_BINDING_FREE;
    b->mine = eni->node[0] && !eni->primary && kit_str_eq(eni->node, t->me.node);
    b->right = b->mine && eni->state == ALI_ENI_IN_USE;
}

/* A claim will detach it from another instance, or attach it to ours. */
static bool is_to_be_moved(const struct target *t, const struct ali_enis *list)
{
    const struct ali_eni *eni = is_active(t) ? ali_enis_get(list, t->id) : NULL;

    return eni && t->query->for_claim && !eni->service_managed && eni->state != ALI_ENI_DELETING &&
           !kit_str_eq(eni->node, t->me.node);
}

static void take(struct target *t, const struct ali_enis *list, const struct ali_rpc *instance,
                 const struct ali_quota *quota, const struct region *region)
{
    const struct ali_eni *eni = ali_enis_get(list, t->id);
    struct ali_instance own;
    struct kit_query *query = t->query;

    if (eni && eni->state != ALI_ENI_DELETING)
        judge(t, eni);
    if (!query->for_claim)
        return;
    if (!query->facts.count) {
        query->failed = true;
        (void)kit_err_set(&query->err, KIT_ERR_NOT_FOUND,
                          "DescribeNetworkInterfaces: no ENI %s in this account and region%s",
                          t->id, eni ? ": it is being deleted" : "");
        return;
    }
    if (instance->call.failed) {
        query->failed = true;
        query->err = instance->call.err;
        return;
    }
    if (!ali_instances_take(instance, t->me.node, &own)) {
        query->failed = true;
        (void)kit_err_set(&query->err, KIT_ERR_NOT_FOUND,
                          "DescribeInstances: no instance %s in this account and region",
                          t->me.node);
        return;
    }
    const struct evidence evidence = {
        .base = {.eni = eni, .instance = &own, .quota = is_to_be_moved(t, list) ? quota : NULL},
        .region = region};
    kit_rules_check(rules, KIT_LEN(rules), &evidence, &query->facts);
}

struct search {
    struct ali_rpc *r; /* the ENIs, ALI_ENI_IDS a call; the last one: our instance */
    struct ali_eni_filter *filter;
    size_t calls;
    const char **id;
    size_t ids;
    const char *node; /* NULL: no claim among them */
};

static void collect(struct search *s, const struct target *t, size_t count)
{
    s->id = kit_mem_new(count, sizeof(*s->id));
    for (size_t i = 0; i < count; i++) {
        if (!is_active(&t[i]))
            continue;
        s->id[s->ids++] = t[i].id;
        if (t[i].query->for_claim)
            s->node = t[i].me.node;
    }
    s->calls = (s->ids + ALI_ENI_IDS - 1) / ALI_ENI_IDS;
    s->r = kit_mem_new(s->calls + 1, sizeof(*s->r));
    s->filter = kit_mem_new(s->calls + 1, sizeof(*s->filter));
}

static void ask(struct search *s, struct ali_cloud *cloud, struct kit_deadline by)
{
    struct kit_call **call = kit_mem_new(s->calls + 1, sizeof(struct kit_call *));
    size_t n = 0;
    struct kit_err err;

    for (; n < s->calls; n++) {
        size_t from = n * ALI_ENI_IDS;

        s->filter[n] = (struct ali_eni_filter){
            .id = s->id + from, .ids = s->ids - from < ALI_ENI_IDS ? s->ids - from : ALI_ENI_IDS};
        ali_enis_call(&s->r[n], cloud, &s->filter[n]);
        call[n] = &s->r[n].call;
    }
    if (s->node) {
        ali_instances_call(&s->r[n], cloud, &s->node, 1);
        call[n] = &s->r[n].call;
        n++;
    }
    if (kit_call_all(cloud->base.caller, call, n, by, &err))
        (void)err; /* each call's own error is looked at by who needs it */
    free(call);
}

/* What our instance takes, if an ENI is to be moved to it. */
static void ask_quota(const struct search *s, struct ali_cloud *cloud, const struct target *t,
                      size_t count, const struct ali_enis *list, struct kit_deadline by,
                      struct ali_quota *ret_quota)
{
    const struct ali_rpc *r = &s->r[s->calls];
    struct ali_instance own = {0};
    bool moves = false;

    for (size_t i = 0; i < count && !moves; i++)
        moves = is_to_be_moved(&t[i], list);
    if (moves && !r->call.failed)
        (void)ali_instances_take(r, s->node, &own);
    ali_quota_find(cloud, own.type, by, ret_quota);
}

/* How many ENIs there are, for advice. */
static void ask_region(struct ali_cloud *cloud, const struct target *t, size_t count,
                       struct kit_deadline by, struct region *ret_region)
{
    const struct ali_eni_filter all = {0};
    struct region region = {0};
    KIT_AUTO(ali_enis) list = {0};
    struct kit_err err;
    struct ali_rpc r;

    for (size_t i = 0; i < count; i++)
        region.asked = region.asked || (is_active(&t[i]) && t[i].query->for_advice);
    if (region.asked) {
        by = ali_quota_by(cloud, by);
        ali_enis_call(&r, cloud, &all);
        r.call.max_tries = ALI_QUOTA_TRIES;
        if (ali_rpc_run(&r, by, &err) || ali_enis_finish(&r, &all, by, &list, &err))
            (void)kit_str_copy(region.why, sizeof(region.why), err.msg);
        region.enis = list.count;
        ali_rpc_done(&r);
    }
    *ret_region = region;
}

static void search(struct ali_cloud *cloud, struct target *t, size_t count, struct kit_deadline by)
{
    struct search s = {0};
    struct region region;
    KIT_AUTO(ali_enis) list = {0};
    struct ali_quota quota;
    struct kit_err err;
    int rc = 0;

    collect(&s, t, count);
    ask(&s, cloud, by);
    for (size_t i = 0; i < s.calls && !rc; i++)
        rc = ali_enis_finish(&s.r[i], &s.filter[i], by, &list, &err);
    if (!rc)
        ask_quota(&s, cloud, t, count, &list, by, &quota);
    ask_region(cloud, t, count, by, &region);
    for (size_t i = 0; i < count; i++) {
        if (!is_active(&t[i]))
            continue;
        if (rc) {
            t[i].query->failed = true;
            t[i].query->err = err;
        } else {
            take(&t[i], &list, &s.r[s.calls], &quota, &region);
        }
    }
    for (size_t i = 0; i <= s.calls; i++)
        ali_rpc_done(&s.r[i]);
    free(s.r);
    free(s.filter);
    free(s.id);
}

static void prepare(struct ali_cloud *cloud, struct target *t, struct kit_query *query,
                    struct kit_deadline by)
{
    t->id = kit_settings_text(query->settings, KIT_PARAM_ENI);
    if (ali_me_find(cloud, query->settings, ALI_ME_NODE, by, &t->me, &query->err)) {
        query->failed = true;
        return;
    }
    t->query = query;
    (void)kit_str_copy(query->facts.me, sizeof(query->facts.me), t->me.node);
    (void)kit_str_copy(query->facts.my_node, sizeof(query->facts.my_node), t->me.node);
}

static int locate(struct kit_cloud *base, struct kit_query query[], size_t count,
                  struct kit_deadline by, struct kit_err *err)
{
    struct ali_cloud *cloud = (struct ali_cloud *)base;
    struct target *t;

    if (ali_ready(cloud, by, err))
        return -1;
    t = kit_mem_new(count, sizeof(*t));
    for (size_t i = 0; i < count; i++)
        prepare(cloud, &t[i], &query[i], by);
    search(cloud, t, count, by);
    free(t);
    return 0;
}

/* ---- tables ---------------------------------------------------------------------------------- */

static const struct kit_param_use params[] = {
    {KIT_PARAM_ENI, true, 0},
    {KIT_PARAM_INTERFACE, false, 0},
};

static const struct kit_permission permissions[] = {
    {"ecs:DescribeNetworkInterfaces", "*", "to see where the ENI is", KIT_ALWAYS},
    {"ecs:DescribeInstances", "*", "to see whether this instance can take it", KIT_ALWAYS},
    {"ecs:DescribeInstanceTypes", "*", "to see how many interfaces its type takes", KIT_ALWAYS},
    {"ecs:DetachNetworkInterface", "eni, instance", "to take it off the old instance", KIT_ALWAYS},
    {"ecs:AttachNetworkInterface", "eni, instance", "to attach it here", KIT_ALWAYS},
};

extern const struct kit_mover kit_aliyun_eni;
const struct kit_mover kit_aliyun_eni = {
    .provider = "aliyun",
    .scenario = "eni",
    .moves = "the attachment of the ENI",
    .params = params,
    .params_count = KIT_LEN(params),
    .permissions = permissions,
    .permissions_count = KIT_LEN(permissions),
    .rules = rules,
    .rules_count = KIT_LEN(rules),
    .locate = locate,
    .claim = ali_eni_claim,
    .release = ali_eni_release,
};
