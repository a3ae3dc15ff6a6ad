/* aliyun private-ip: one secondary private address (or IPv6 address) of an ENI, moved to ours.
 *
 * locate: DescribeNetworkInterfaces by the address, one call.  For a claim also our own ENI, in the
 * same round; and when nobody has the address, in a second round, who has it as the primary one
 * (the first question finds secondary ones alone) and our vSwitch.  Where it is to be moved the
 * second round asks for our instance's type as well, and a third one how many addresses that takes.
 *
 * claim and release: see private_ip_move.c.
 */
#include <stdlib.h>

#include "kit/base/mem.h"
#include "kit/base/str.h"
#include "kit/cloud/aliyun/private_ip.h"
#include "kit/cloud/aliyun/quota.h"
#include "kit/cloud/aliyun/vswitch.h"

struct target {
    struct kit_query *query; /* NULL: nothing to search for */
    struct kit_me me;
    const struct kit_addr *addr;
    struct ali_rpc holder, own;     /* first round */
    struct ali_rpc primary, subnet; /* second round, when nobody has it */
    struct ali_rpc instance;        /* second round, when it is to be moved: ours */
    bool second, moves;
    struct ali_enis enis; /* what the first round found */
};

/* What the rules judge. */
struct evidence {
    const struct ali_eni *mine;
    const struct ali_eni *holder; /* NULL = nobody */
    const struct kit_addr *addr;
    const struct kit_cidr *subnet; /* of our vSwitch; NULL = not known */
    const struct ali_quota *quota; /* of our instance's type; NULL = nothing is to be moved */
};

static bool is_active(const struct target *t)
{
    return t->query && !t->query->failed;
}

static struct ali_eni_filter holder_filter(const struct target *t)
{
    return (struct ali_eni_filter){.vpc = t->me.vpc, .address = t->addr};
}

/* ---- rules ----------------------------------------------------------------------------------- */

static enum kit_rule_answer check_subnet(const void *evidence, struct kit_buf *detail)
{
    const struct evidence *e = evidence;
    char addr[KIT_ADDR_TEXT], cidr[KIT_CIDR_TEXT];

    if (e->holder) {
        if (!e->holder->vswitch[0] || !e->mine->vswitch[0])
            return KIT_RULE_NOT_KNOWN;
        (void)kit_buf_printf(detail, "%s has it in %s, %s is in %s", e->holder->id,
                             e->holder->vswitch, e->mine->id, e->mine->vswitch);
        return kit_str_eq(e->holder->vswitch, e->mine->vswitch) ? KIT_RULE_HOLDS : KIT_RULE_BROKEN;
    }
    if (!e->subnet)
        return KIT_RULE_NOT_KNOWN;
    (void)kit_buf_printf(detail, "%s is not in %s of %s", kit_addr_text(e->addr, addr),
                         kit_cidr_text(e->subnet, cidr), e->mine->vswitch);
    return kit_cidr_contains(e->subnet, e->addr) ? KIT_RULE_HOLDS : KIT_RULE_BROKEN;
}

static enum kit_rule_answer check_attached(const void *evidence, struct kit_buf *detail)
{
    const struct evidence *e = evidence;

    (void)kit_buf_printf(detail, "%s is %s", e->mine->id,
                         e->mine->state_text[0] ? e->mine->state_text : "in no state");
    return e->mine->state == ALI_ENI_IN_USE ? KIT_RULE_HOLDS : KIT_RULE_BROKEN;
}

static enum kit_rule_answer check_managed(const void *evidence, struct kit_buf *detail)
{
    const struct evidence *e = evidence;

    (void)kit_buf_printf(detail, "%s belongs to a service of the cloud", e->mine->id);
    return e->mine->service_managed ? KIT_RULE_BROKEN : KIT_RULE_HOLDS;
}

/* A breach would show when the old node has lost it already. */
static enum kit_rule_answer check_room(const void *evidence, struct kit_buf *detail)
{
    const struct evidence *e = evidence;
    bool v6 = e->addr->family == 6;
    int64_t used = 0, limit;

    if (!e->quota)
        return KIT_RULE_NOT_KNOWN;
    for (size_t i = 0; i < e->mine->addresses; i++)
        used += e->mine->address[i].addr.family == e->addr->family;
    limit = v6 ? e->quota->ipv6_of_eni : e->quota->ipv4_of_eni;
    if (limit < 0) {
        (void)kit_buf_puts(detail, e->quota->why);
        return KIT_RULE_NOT_KNOWN;
    }
    (void)kit_buf_printf(detail, "%s of %s (%s) has %lld IPv%d addresses of %lld", e->mine->id,
                         e->mine->node, e->quota->type, (long long)used, v6 ? 6 : 4,
                         (long long)limit);
    return ali_quota_check(used, limit);
}

static const struct kit_rule rules[] = {
    {20, KIT_RULE_REFUSE, "an interface takes as many addresses as its instance's type allows",
     "take another address off it, or use a larger instance type", check_room},
    {44, KIT_RULE_REFUSE, "a private address belongs to one vSwitch, that of its interface",
     "use nodes in one vSwitch and an idle address of it", check_subnet},
    {50, KIT_RULE_REFUSE, "an interface that is attached to no instance serves nobody",
     "attach it to this node first", check_attached},
    {58, KIT_RULE_REFUSE, "the addresses of a service's interface cannot be changed",
     "name an interface of this node", check_managed},
};

/* ---- reading --------------------------------------------------------------------------------- */

/* Who has it in our VPC; while it moves it may be seen twice: then the other is the one that
 * counts. */
static const struct ali_eni *find_holder(const struct ali_enis *list, const struct target *t)
{
    const struct ali_eni *found = NULL;

    for (size_t i = 0; i < list->count; i++) {
        const struct ali_eni *eni = &list->eni[i];

        if (!ali_eni_address(eni, t->addr) || (eni->vpc[0] && !kit_str_eq(eni->vpc, t->me.vpc)))
            continue;
        if (!found || kit_str_eq(found->id, t->me.eni))
            found = eni;
    }
    return found;
}

static void judge(struct target *t, const struct ali_eni *holder)
{
    struct kit_binding *b = kit_facts_add(&t->query->facts);

    (void)kit_addr_text(t->addr, b->place);
    if (!holder) {
        b->state = KIT_BINDING_FREE;
        return;
    }
    (void)kit_str_copy(b->holder, sizeof(b->holder), holder->id);
    (void)kit_str_copy(b->node, sizeof(b->node), holder->node);
    b->mine = kit_str_eq(holder->id, t->me.eni);
    if (holder->service_managed || ali_eni_address(holder, t->addr)->primary) {
        b->state = KIT_BINDING_FOREIGN;
        b->mine = false;
    } else if (!b->mine && holder->state == ALI_ENI_AVAILABLE) {
        b->state = KIT_BINDING_BLACKHOLE;
    } else {
        b->state = KIT_BINDING_HELD;
    }
    b->right = b->mine && holder->state == ALI_ENI_IN_USE;
}

static void fail(struct target *t, const struct kit_err *err)
{
    t->query->failed = true;
    t->query->err = *err;
}

/* A primary address comes and goes with its interface. */
static void refuse_primary(struct target *t, const struct ali_eni *holder)
{
    char text[KIT_ADDR_TEXT];

    t->query->failed = true;
    (void)kit_err_set(&t->query->err, KIT_ERR_CONFIG,
                      "%s is the primary address of %s%s%s%s, which cannot be moved: use an idle "
                      "address of the vSwitch",
                      kit_addr_text(t->addr, text), holder->id, holder->node[0] ? " (" : "",
                      holder->node, holder->node[0] ? ")" : "");
}

static void first_round(struct ali_cloud *cloud, struct target *t, size_t count,
                        struct kit_deadline by)
{
    struct kit_call **call = kit_mem_new(2 * count, sizeof(struct kit_call *));
    size_t calls = 0;
    struct kit_err err;

    for (size_t i = 0; i < count; i++) {
        if (!is_active(&t[i]))
            continue;
        const struct ali_eni_filter filter = holder_filter(&t[i]);
        ali_enis_call(&t[i].holder, cloud, &filter);
        call[calls++] = &t[i].holder.call;
        if (!t[i].query->for_claim)
            continue;
        const char *const id[] = {t[i].me.eni};
        const struct ali_eni_filter own = {.id = id, .ids = 1};
        ali_enis_call(&t[i].own, cloud, &own);
        call[calls++] = &t[i].own.call;
    }
    if (kit_call_all(cloud->base.caller, call, calls, by, &err))
        (void)err; /* each call's own error is looked at by its target */
    free(call);
}

static void take_first(struct target *t, struct kit_deadline by)
{
    const struct ali_eni_filter filter = holder_filter(t);
    const char *const id[] = {t->me.eni};
    const struct ali_eni_filter own = {.id = id, .ids = 1};
    struct kit_err err;
    const struct ali_eni *holder, *mine;

    if (ali_enis_finish(&t->holder, &filter, by, &t->enis, &err) ||
        (t->query->for_claim && ali_enis_finish(&t->own, &own, by, &t->enis, &err))) {
        fail(t, &err);
        return;
    }
    holder = find_holder(&t->enis, t);
    judge(t, holder);
    if (!t->query->for_claim)
        return;
    mine = ali_enis_get(&t->enis, t->me.eni);
    if (!mine) {
        (void)kit_err_set(&err, KIT_ERR_NOT_FOUND,
                          "DescribeNetworkInterfaces: no ENI %s in this account and region",
                          t->me.eni);
        fail(t, &err);
        return;
    }
    (void)kit_str_copy(t->query->facts.my_node, sizeof(t->query->facts.my_node), mine->node);
    if (holder && ali_eni_address(holder, t->addr)->primary)
        refuse_primary(t, holder);
    t->second = !holder;
    t->moves = (!holder || !kit_str_eq(holder->id, t->me.eni)) && mine->node[0];
}

/* Nobody has it: as a secondary address, that is. */
static size_t ask_for_free(struct ali_cloud *cloud, struct target *t, const struct ali_eni *mine,
                           struct kit_call *call[])
{
    size_t calls = 0;

    ali_vswitch_call(&t->subnet, cloud, mine->vswitch);
    call[calls++] = &t->subnet.call;
    if (t->addr->family == 6)
        return calls;
    const struct ali_eni_filter filter = {.vpc = t->me.vpc, .primary = t->addr};
    ali_enis_call(&t->primary, cloud, &filter);
    call[calls++] = &t->primary.call;
    return calls;
}

static void second_round(struct ali_cloud *cloud, struct target *t, size_t count,
                         struct kit_deadline by)
{
    struct kit_call **call = kit_mem_new(3 * count, sizeof(struct kit_call *));
    size_t calls = 0;
    bool needed = false;
    struct kit_err err;

    for (size_t i = 0; i < count; i++) {
        if (!is_active(&t[i]))
            continue;
        const struct ali_eni *mine = ali_enis_get(&t[i].enis, t[i].me.eni);
        if (t[i].second)
            calls += ask_for_free(cloud, &t[i], mine, call + calls);
        needed = needed || t[i].second;
        if (!t[i].moves)
            continue;
        const char *const node[] = {mine->node};
        ali_instances_call(&t[i].instance, cloud, node, 1);
        t[i].instance.call.max_tries = ALI_QUOTA_TRIES;
        call[calls++] = &t[i].instance.call;
    }
    if (kit_call_all(cloud->base.caller, call, calls, needed ? by : ali_quota_by(cloud, by), &err))
        (void)err; /* as above */
    free(call);
}

/* How many addresses our interface takes. */
static void third_round(struct ali_cloud *cloud, const struct target *t, const struct ali_eni *mine,
                        struct kit_deadline by, struct ali_quota *ret_quota)
{
    struct ali_instance own = {0};

    if (!t->instance.call.failed)
        (void)ali_instances_take(&t->instance, mine->node, &own);
    ali_quota_find(cloud, own.type, by, ret_quota);
}

static bool subnet_of(const struct target *t, struct kit_cidr *ret_subnet)
{
    const struct ali_eni *mine = ali_enis_get(&t->enis, t->me.eni);
    struct ali_vswitch vswitch;

    if (!ali_vswitch_take(&t->subnet, mine->vswitch, &vswitch))
        return false;
    *ret_subnet = t->addr->family == 6 ? vswitch.cidr6 : vswitch.cidr;
    return ret_subnet->addr.family != 0;
}

static void take_second(struct target *t, struct kit_deadline by, bool *ret_known,
                        struct kit_cidr *ret_subnet)
{
    const struct ali_eni_filter filter = {.vpc = t->me.vpc, .primary = t->addr};
    KIT_AUTO(ali_enis) list = {0};
    const struct ali_eni *holder;
    struct kit_err err;

    if (t->subnet.call.failed) {
        fail(t, &t->subnet.call.err);
        return;
    }
    *ret_known = subnet_of(t, ret_subnet);
    if (t->addr->family == 6)
        return;
    if (ali_enis_finish(&t->primary, &filter, by, &list, &err)) {
        fail(t, &err);
        return;
    }
    holder = find_holder(&list, t);
    if (holder)
        refuse_primary(t, holder);
}

static void finish(struct ali_cloud *cloud, struct target *t, struct kit_deadline by)
{
    struct ali_quota quota;
    struct kit_cidr subnet;
    bool known = false;

    if (!is_active(t) || !t->query->for_claim)
        return;
    if (t->second)
        take_second(t, by, &known, &subnet);
    if (!is_active(t))
        return;
    const struct ali_eni *mine = ali_enis_get(&t->enis, t->me.eni);
    if (mine)
        (void)kit_str_copy(t->query->facts.my_mac, sizeof(t->query->facts.my_mac), mine->mac);
    if (t->moves)
        third_round(cloud, t, mine, by, &quota);
    const struct evidence evidence = {.mine = mine,
                                      .holder = find_holder(&t->enis, t),
                                      .addr = t->addr,
                                      .subnet = known ? &subnet : NULL,
                                      .quota = t->moves ? &quota : NULL};
    kit_rules_check(rules, KIT_LEN(rules), &evidence, &t->query->facts);
}

static void prepare(struct ali_cloud *cloud, struct target *t, struct kit_query *query,
                    struct kit_deadline by)
{
    const struct kit_settings *settings = query->settings;

    t->addr = kit_settings_addr(settings, KIT_PARAM_ADDRESS);
    if (ali_me_find(cloud, settings, ALI_ME_ENI | ALI_ME_VPC, by, &t->me, &query->err)) {
        query->failed = true;
        return;
    }
    t->query = query;
    kit_facts_set_me(&query->facts, &t->me);
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
    first_round(cloud, t, count, by);
    for (size_t i = 0; i < count; i++)
        if (is_active(&t[i]))
            take_first(&t[i], by);
    second_round(cloud, t, count, by);
    for (size_t i = 0; i < count; i++) {
        finish(cloud, &t[i], by);
        ali_rpc_done(&t[i].holder);
        ali_rpc_done(&t[i].own);
        ali_rpc_done(&t[i].primary);
        ali_rpc_done(&t[i].subnet);
        ali_rpc_done(&t[i].instance);
        ali_enis_done(&t[i].enis);
    }
    free(t);
    return 0;
}

/* ---- tables ---------------------------------------------------------------------------------- */

static const struct kit_param_use params[] = {
    {KIT_PARAM_ADDRESS, true, 0},        {KIT_PARAM_INTERFACE, false, 1},
    {KIT_PARAM_ENI, false, 1},           {KIT_PARAM_VPC_ID, false, 0},
    {KIT_PARAM_LOCAL_ADDRESS, false, 0}, {KIT_PARAM_GARP_COUNT, false, 0},
};

static const struct kit_permission permissions[] = {
    {"ecs:DescribeNetworkInterfaces", "*", "to see who has the address", KIT_ALWAYS},
    {"ecs:DescribeInstances", "*", "to see of which type this instance is", KIT_ALWAYS},
    {"ecs:DescribeInstanceTypes", "*", "to see how many addresses an interface of it takes",
     KIT_ALWAYS},
    {"ecs:UnassignPrivateIpAddresses", "eni", "to take it off the old interface",
     KIT_WHEN(KIT_PARAM_ADDRESS, "ipv4")},
    {"ecs:AssignPrivateIpAddresses", "eni", "to assign it here",
     KIT_WHEN(KIT_PARAM_ADDRESS, "ipv4")},
    {"ecs:UnassignIpv6Addresses", "eni", "the same for an IPv6 address",
     KIT_WHEN(KIT_PARAM_ADDRESS, "ipv6")},
    {"ecs:AssignIpv6Addresses", "eni", "the same for an IPv6 address",
     KIT_WHEN(KIT_PARAM_ADDRESS, "ipv6")},
    {"vpc:DescribeVSwitches", "*", "to see whether an idle address is of our vSwitch", KIT_ALWAYS},
};

extern const struct kit_mover kit_aliyun_private_ip;
const struct kit_mover kit_aliyun_private_ip = {
    .provider = "aliyun",
    .scenario = "private-ip",
    .moves = "the secondary private address",
    .params = params,
    .params_count = KIT_LEN(params),
    .permissions = permissions,
    .permissions_count = KIT_LEN(permissions),
    .rules = rules,
    .rules_count = KIT_LEN(rules),
    .nic_serves = true,
    .locate = locate,
    .claim = ali_private_ip_claim,
    .release = ali_private_ip_release,
};
