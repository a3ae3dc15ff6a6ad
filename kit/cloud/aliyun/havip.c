/* aliyun havip: the node that the VPC sends a highly available virtual IP address to.
 *
 * A HAVIP is bound to all nodes beforehand.  Which of them has it is decided by who announced it
 * last (gratuitous ARP): so taking it over is no call of the API, and letting go of it is to take
 * the address off the interface.  MasterInstanceId tells who has it, and goes on telling so after
 * the address was taken off there: `right` asks for both, the master and the address on the
 * interface. */
#include "kit/cloud/aliyun/havip.h"

#include <stdlib.h>
#include <string.h>

#include "kit/base/mem.h"
#include "kit/base/str.h"

/* What only a warning is made of must not hold up a claim. */
#define IDLE_TRIES 2

/* Values of one filter; the API names no limit, and a page holds 50 (DescribeHaVips). */
#define PER_CALL 20
/* ---- one HAVIP ------------------------------------------------------------------------------- */

/* The references spell the words in several ways ("Inuse"). */
static enum ali_havip_status status_of(const char *word)
{
    static const char *const words[] = {
        [ALI_HAVIP_AVAILABLE] = "Available",
        [ALI_HAVIP_ASSOCIATING] = "Associating",
        [ALI_HAVIP_IN_USE] = "InUse",
        [ALI_HAVIP_UNASSOCIATING] = "Unassociating",
    };

    for (size_t i = ALI_HAVIP_AVAILABLE; i < KIT_LEN(words); i++)
        if (kit_str_eq_nocase(word, words[i]))
            return (enum ali_havip_status)i;
    return ALI_HAVIP_OTHER;
}

/* The ids are plain strings in their list. */
static void take_bound(const struct kit_json_node *item, const char *me, struct ali_havip *havip)
{
    havip->bound = ali_list_count(item, "AssociatedInstances", "associatedInstance");
    for (size_t i = 0; i < havip->bound; i++) {
        const char *id =
            kit_json_string(ali_list_at(item, "AssociatedInstances", "associatedInstance", i));

        if (!id)
            continue;
        if (kit_str_eq(id, me))
            havip->bound_to_me = true;
        if (i < ALI_HAVIP_BOUND && !kit_str_copy(havip->bound_id[i], KIT_ID, id))
            havip->bound_id[i][0] = '\0';
    }
}

static void take_eips(const struct kit_json_node *item, struct ali_havip *havip)
{
    havip->eips = ali_list_count(item, "AssociatedEipAddresses", "associatedEipAddresse");
    for (size_t i = 0; i < havip->eips && i < ALI_HAVIP_EIPS; i++) {
        const char *eip = kit_json_string(
            ali_list_at(item, "AssociatedEipAddresses", "associatedEipAddresse", i));

        if (!eip || !kit_str_copy(havip->eip[i], sizeof(havip->eip[i]), eip))
            havip->eip[i][0] = '\0';
    }
}

bool ali_havip_decode(const struct kit_json_node *item, const char *me, struct ali_havip *ret_havip)
{
    struct ali_havip havip = {0};
    char text[KIT_ADDR_TEXT];

    if (!ali_text(item, "HaVipId", havip.id, sizeof(havip.id)))
        return false;
    if (ali_text(item, "IpAddress", text, sizeof(text)))
        (void)kit_addr_parse(text, &havip.addr);
    (void)ali_text(item, "Status", havip.status_text, sizeof(havip.status_text));
    havip.status = status_of(havip.status_text);
    (void)ali_text(item, "VpcId", havip.vpc, sizeof(havip.vpc));
    (void)ali_text(item, "VSwitchId", havip.vswitch, sizeof(havip.vswitch));
    (void)ali_text(item, "MasterInstanceId", havip.master, sizeof(havip.master));
    (void)ali_text(item, "AssociatedInstanceType", havip.bound_type, sizeof(havip.bound_type));
    (void)ali_text(item, "Name", havip.name, sizeof(havip.name));
    take_bound(item, me, &havip);
    take_eips(item, &havip);
    *ret_havip = havip;
    return true;
}

void ali_havip_call(struct ali_rpc *r, struct ali_cloud *cloud, const char *id)
{
    ali_rpc_init(r, cloud, &ali_vpc, "DescribeHaVips", ALI_READS);
    ali_rpc_param(r, "Filter.1.Key", "HaVipId");
    ali_rpc_param(r, "Filter.1.Value.1", id);
    ali_rpc_param(r, "PageSize", "50");
}

bool ali_havip_take(const struct ali_rpc *r, const char *id, const char *me,
                    struct ali_havip *ret_havip)
{
    const struct kit_json_node *root = ali_rpc_root(r);
    size_t count = ali_list_count(root, "HaVips", "HaVip");

    for (size_t i = 0; i < count; i++)
        if (ali_havip_decode(ali_list_at(root, "HaVips", "HaVip", i), me, ret_havip) &&
            kit_str_eq(ret_havip->id, id))
            return true;
    return false;
}

void ali_havip_local_of(const struct kit_settings *settings, struct ali_havip_local *ret_local)
{
    const struct kit_addr *addr = kit_settings_addr(settings, KIT_PARAM_ADDRESS);

    *ret_local = (struct ali_havip_local){
        .interface = kit_settings_text(settings, KIT_PARAM_INTERFACE),
        .addr = {.family = addr->family, .prefix_len = addr->family == 6 ? 128 : 32},
        .ours = !kit_settings_is(settings, KIT_PARAM_LOCAL_ADDRESS, "no"),
    };
    memcpy(ret_local->addr.byte, addr->byte, sizeof(ret_local->addr.byte));
}

/* ---- one target ------------------------------------------------------------------------------ */

static const char *holder_of(const struct ali_havip_target *t)
{
    return t->to_instance ? t->me.node : t->me.eni;
}

bool ali_havip_is_us(const struct kit_me *me, const char *id)
{
    return id[0] && (kit_str_eq(id, me->eni) || kit_str_eq(id, me->node));
}

static void judge(struct ali_havip_target *t)
{
    const struct ali_havip *havip = &t->havip;
    struct kit_facts *facts = &t->query->facts;
    struct kit_binding *b = kit_facts_add(facts);

    (void)kit_str_copy(b->place, sizeof(b->place), havip->id);
    b->state = havip->master[0] ? KIT_BINDING_HELD : KIT_BINDING_FREE;
    b->mine = ali_havip_is_us(&t->me, havip->master);
    (void)kit_str_copy(b->holder, sizeof(b->holder), b->mine ? facts->me : havip->master);
    if (b->mine)
        (void)kit_str_copy(b->node, sizeof(b->node), t->me.node);
    else if (kit_str_starts(havip->master, "i-"))
        (void)kit_str_copy(b->node, sizeof(b->node), havip->master);
    b->right = t->right = b->mine && havip->bound_to_me && (t->up || !t->local.ours);
    if (havip->bound_to_me || !t->query->for_claim || facts->needs >= KIT_NEEDS)
        return;
    struct kit_need *need = &facts->need[facts->needs++];
    (void)kit_str_copy(need->place, sizeof(need->place), havip->id);
    (void)kit_str_copy(need->what, sizeof(need->what), "bound to this node");
    (void)kit_str_copy(need->now, sizeof(need->now), "no");
    (void)kit_str_copy(need->then, sizeof(need->then), "yes");
}

/* ---- locate ---------------------------------------------------------------------------------- */

static int look_local(struct ali_havip_target *t, struct kit_err *err)
{
    if (!kit_netlink_addr_has(t->local.interface, &t->local.addr, &t->up, err))
        return 0;
    t->up = false;
    /* No interface, no address on it. */
    return err->kind == KIT_ERR_CONFIG ? 0 : -1;
}

static int prepare(struct ali_cloud *cloud, struct ali_havip_target *t, struct kit_query *query,
                   struct kit_deadline by, struct kit_err *err)
{
    const struct kit_settings *settings = query->settings;

    t->havip_id = kit_settings_text(settings, KIT_PARAM_HAVIP_ID);
    t->address = kit_settings_addr(settings, KIT_PARAM_ADDRESS);
    t->to_instance = kit_settings_is(settings, KIT_PARAM_BIND_TO, "instance");
    ali_havip_local_of(settings, &t->local);
    if (ali_ready(cloud, by, err) ||
        ali_me_find(cloud, settings,
                    ALI_ME_ENI | ALI_ME_NODE | (t->havip_id ? 0U : (unsigned)ALI_ME_VPC), by,
                    &t->me, err) ||
        (t->local.ours && look_local(t, err)))
        return -1;
    t->query = query;
    (void)kit_str_copy(query->facts.me, sizeof(query->facts.me), holder_of(t));
    (void)kit_str_copy(query->facts.my_node, sizeof(query->facts.my_node), t->me.node);
    return 0;
}

/* Both are named by id, or both by address in the same VPC. */
static bool go_together(const struct ali_havip_target *a, const struct ali_havip_target *b)
{
    if (!a->havip_id != !b->havip_id)
        return false;
    return a->havip_id || kit_str_eq(a->me.vpc, b->me.vpc);
}

/* One call for t[first] and all that go together with it. */
static struct ali_rpc *new_search(struct ali_cloud *cloud, struct ali_havip_target *t, size_t count,
                                  size_t first)
{
    struct ali_rpc *r = kit_mem_new(1, sizeof(*r));
    bool by_id = t[first].havip_id != NULL;
    unsigned n = 0;

    ali_rpc_init(r, cloud, &ali_vpc, "DescribeHaVips", ALI_READS);
    ali_rpc_param(r, "Filter.1.Key", by_id ? "HaVipId" : "HaVipAddress");
    for (size_t i = first; i < count && n < PER_CALL; i++) {
        char text[KIT_ADDR_TEXT];

        if (!t[i].query || t[i].call || !go_together(&t[first], &t[i]))
            continue;
        ali_rpc_item(r, "Filter.1.Value", ++n,
                     by_id ? t[i].havip_id : kit_addr_text(t[i].address, text));
        t[i].call = r;
    }
    if (!by_id) {
        ali_rpc_param(r, "Filter.2.Key", "VpcId");
        ali_rpc_param(r, "Filter.2.Value.1", t[first].me.vpc);
    }
    ali_rpc_param(r, "PageSize", "50");
    return r;
}

static bool names_eni(const struct ali_havip_target *t)
{
    return t->query && t->query->for_claim &&
           kit_settings_text(t->query->settings, KIT_PARAM_ENI) != NULL;
}

/* The ENI that was named beside the interface: is it ours, and where? */
static struct ali_rpc *new_eni(struct ali_cloud *cloud, const struct ali_havip_target *t)
{
    struct ali_rpc *r = kit_mem_new(1, sizeof(*r));
    const char *id = t->me.eni;

    ali_enis_call(r, cloud, &(struct ali_eni_filter){.id = &id, .ids = 1});
    return r;
}

static void take_eni(struct ali_havip_target *t, struct ali_rpc *r, struct kit_deadline by)
{
    const char *id = t->me.eni;
    struct kit_err *err = &t->query->err;

    if (ali_enis_finish(r, &(struct ali_eni_filter){.id = &id, .ids = 1}, by, &t->enis, err))
        t->query->failed = true;
    else
        t->eni = ali_enis_get(&t->enis, id);
}

/* Rule 6 asks which of the bound ENIs no instance has.  Their ids come in the same round: so this
 * asks for all that are free where the HAVIP's can be. */
static struct ali_eni_filter idle_filter(const struct ali_havip_target *t)
{
    return (struct ali_eni_filter){.status = "Available",
                                   .vswitch = t->me.vswitch[0] ? t->me.vswitch : NULL,
                                   .vpc = t->me.vpc[0] ? t->me.vpc : NULL};
}

static bool wants_idle(const struct ali_havip_target *t)
{
    return t->query && t->query->for_claim && !t->to_instance && (t->me.vswitch[0] || t->me.vpc[0]);
}

static struct ali_rpc *new_idle(struct ali_cloud *cloud, const struct ali_havip_target *t)
{
    struct ali_rpc *r = kit_mem_new(1, sizeof(*r));
    const struct ali_eni_filter filter = idle_filter(t);

    ali_enis_call(r, cloud, &filter);
    r->call.max_tries = IDLE_TRIES;
    return r;
}

static void take_idle(struct ali_havip_target *t, struct ali_rpc *r, struct kit_deadline by)
{
    const struct ali_eni_filter filter = idle_filter(t);
    struct kit_err err;

    if (!ali_enis_finish(r, &filter, by, &t->idle, &err))
        return;
    ali_enis_done(&t->idle);
    (void)kit_str_copy(t->idle_why, sizeof(t->idle_why), err.msg);
}

static void take(struct ali_havip_target *t)
{
    const struct kit_json_node *root = ali_rpc_root(t->call);
    size_t count = ali_list_count(root, "HaVips", "HaVip");

    for (size_t i = 0; i < count && !t->found; i++) {
        struct ali_havip havip;

        if (!ali_havip_decode(ali_list_at(root, "HaVips", "HaVip", i), holder_of(t), &havip))
            continue;
        if (t->havip_id
                ? !kit_str_eq(havip.id, t->havip_id)
                : !kit_addr_eq(&havip.addr, t->address) || !kit_str_eq(havip.vpc, t->me.vpc))
            continue;
        t->havip = havip;
        t->found = true;
    }
}

static void settle(struct ali_havip_target *t)
{
    struct kit_query *query = t->query;
    char text[KIT_ADDR_TEXT], other[KIT_ADDR_TEXT];

    if (t->call->call.failed) {
        query->failed = true;
        query->err = t->call->call.err;
        return;
    }
    take(t);
    if (t->found && !kit_addr_eq(&t->havip.addr, t->address)) {
        query->failed = true;
        (void)kit_err_set(&query->err, KIT_ERR_CONFIG, "%s has the address %s, not %s", t->havip.id,
                          kit_addr_text(&t->havip.addr, other), kit_addr_text(t->address, text));
    } else if (t->found) {
        judge(t);
        if (query->for_claim)
            kit_rules_check(ali_havip_rules, ALI_HAVIP_RULES, t, &query->facts);
    } else if (query->for_claim) {
        query->failed = true;
        (void)kit_err_set(&query->err, KIT_ERR_NOT_FOUND,
                          "DescribeHaVips: no HAVIP %s%s%s in this account and region%s%s",
                          t->havip_id ? t->havip_id : "", t->havip_id ? " with the address " : "",
                          kit_addr_text(t->address, text), t->havip_id ? "" : ", VPC ",
                          t->havip_id ? "" : t->me.vpc);
    }
}

/* One round of calls for all targets. */
static void search(struct ali_cloud *cloud, struct ali_havip_target *t, size_t count,
                   struct kit_deadline by)
{
    struct ali_rpc **r = kit_mem_new(3 * count, sizeof(struct ali_rpc *));
    struct ali_rpc **eni = kit_mem_new(count, sizeof(struct ali_rpc *));
    struct ali_rpc **idle = kit_mem_new(count, sizeof(struct ali_rpc *));
    struct kit_call **call = kit_mem_new(3 * count, sizeof(struct kit_call *));
    size_t calls = 0;
    struct kit_err err;

    for (size_t i = 0; i < count; i++) {
        if (t[i].query && !t[i].call)
            r[calls++] = new_search(cloud, t, count, i);
        if (names_eni(&t[i]))
            r[calls++] = eni[i] = new_eni(cloud, &t[i]);
        if (wants_idle(&t[i]))
            r[calls++] = idle[i] = new_idle(cloud, &t[i]);
    }
    for (size_t i = 0; i < calls; i++)
        call[i] = &r[i]->call;
    /* Each call keeps its own outcome, and is judged by it. */
    if (calls)
        (void)!kit_call_all(cloud->base.caller, call, calls, by, &err);
    for (size_t i = 0; i < count; i++) {
        if (eni[i])
            take_eni(&t[i], eni[i], by);
        if (idle[i])
            take_idle(&t[i], idle[i], by);
        if (t[i].query && t[i].call && !t[i].query->failed)
            settle(&t[i]);
        ali_enis_done(&t[i].enis);
        ali_enis_done(&t[i].idle);
    }
    for (size_t i = 0; i < calls; i++) {
        ali_rpc_done(r[i]);
        free(r[i]);
    }
    free(call);
    free(idle);
    free(eni);
    free(r);
}

static int locate(struct kit_cloud *base, struct kit_query query[], size_t count,
                  struct kit_deadline by, struct kit_err *err)
{
    struct ali_cloud *cloud = (struct ali_cloud *)base;
    struct ali_havip_target *t = kit_mem_new(count, sizeof(*t));

    (void)err; /* whatever is wrong is said of each */
    for (size_t i = 0; i < count; i++)
        if (prepare(cloud, &t[i], &query[i], by, &query[i].err))
            query[i].failed = true;
    search(cloud, t, count, by);
    free(t);
    return 0;
}

/* ---- tables ---------------------------------------------------------------------------------- */

static const struct kit_param_use params[] = {
    {KIT_PARAM_ADDRESS, true, 0},        {KIT_PARAM_INTERFACE, true, 0},
    {KIT_PARAM_HAVIP_ID, false, 0},      {KIT_PARAM_ENI, false, 0},
    {KIT_PARAM_BIND_TO, false, 0},       {KIT_PARAM_GARP_COUNT, false, 0},
    {KIT_PARAM_LOCAL_ADDRESS, false, 0}, {KIT_PARAM_VPC_ID, false, 0},
};

static const struct kit_permission permissions[] = {
    {"vpc:DescribeHaVips", "*", "to see which node has it", KIT_ALWAYS},
    {"vpc:AssociateHaVip", "havip, eni", "to bind this node's ENI where it is not bound yet",
     KIT_WHEN(KIT_PARAM_BIND_TO, "eni")},
    {"vpc:AssociateHaVip", "havip, instance", "to bind this node where it is not bound yet",
     KIT_WHEN(KIT_PARAM_BIND_TO, "instance")},
    {"ecs:DescribeNetworkInterfaces", "*", "to see whether a bound ENI lost its instance",
     KIT_WHEN(KIT_PARAM_BIND_TO, "eni")},
    {"ecs:DescribeNetworkInterfaces", "*", "to see whether `eni` is this node's",
     KIT_WHEN(KIT_PARAM_ENI, "*")},
};

extern const struct kit_mover kit_aliyun_havip;
const struct kit_mover kit_aliyun_havip = {
    .provider = "aliyun",
    .scenario = "havip",
    .moves = "the node that the HAVIP is sent to",
    .params = params,
    .params_count = KIT_LEN(params),
    .permissions = permissions,
    .permissions_count = KIT_LEN(permissions),
    .rules = ali_havip_rules,
    .rules_count = ALI_HAVIP_RULES,
    .nic_serves = true,
    .locate = locate,
    .claim = ali_havip_claim,
    .release = NULL, /* to let go of it is to take the address off the interface: kit/vip/local.h */
};
