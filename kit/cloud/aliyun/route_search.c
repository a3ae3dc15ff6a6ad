/* Where the routes are: the VPC's tables, all their entries in one round, and the ENIs behind them
 * where a claim has to know. */
#include <stdlib.h>
#include <string.h>

#include "kit/base/mem.h"
#include "kit/base/str.h"
#include "kit/cloud/aliyun/quota.h"
#include "kit/cloud/aliyun/route_table.h"

/* One target's interest in one table. */
struct pair {
    struct ali_route_target *target;
    bool found;
    struct ali_route_entry entry;
};

struct table {
    char id[KIT_ID];
    struct pair *pair;
    size_t pairs;
};

struct search {
    struct ali_cloud *cloud;
    struct kit_deadline by;
    struct ali_route_target *target;
    size_t targets;
    struct table *table;
    size_t tables;
};

static void fail_target(struct ali_route_target *t, const struct kit_err *err)
{
    t->query->failed = true;
    t->query->err = *err;
}

static bool is_active(const struct ali_route_target *t)
{
    return t->query && !t->query->failed;
}

/* ---- which tables ---------------------------------------------------------------------------- */

static void add_pair(struct search *s, const char *id, struct ali_route_target *t)
{
    struct table *table = NULL;

    for (size_t i = 0; i < s->tables && !table; i++)
        if (kit_str_eq(s->table[i].id, id))
            table = &s->table[i];
    if (!table) {
        s->table = kit_mem_grow(s->table, s->tables + 1, sizeof(*s->table));
        table = &s->table[s->tables++];
        *table = (struct table){0};
        (void)kit_str_copy(table->id, sizeof(table->id), id);
    }
    for (size_t i = 0; i < table->pairs; i++)
        if (table->pair[i].target == t)
            return; /* a table that moved from one page to the next */
    table->pair = kit_mem_grow(table->pair, table->pairs + 1, sizeof(*table->pair));
    table->pair[table->pairs++] = (struct pair){.target = t};
}

struct listing {
    struct search *search;
    const char *vpc;
};

/* A table of a gateway routes what comes in from outside: it takes no entry like ours. */
static bool is_edge_table(const struct kit_json_node *table)
{
    char associated[16];

    return ali_text(table, "AssociateType", associated, sizeof(associated)) &&
           kit_str_eq_nocase(associated, "Gateway");
}

static int take_tables(void *arg, const struct kit_json_node *root, struct kit_err *err)
{
    const struct listing *l = arg;
    size_t n = ali_list_count(root, "RouterTableList", "RouterTableListType");
    char id[KIT_ID], vpc[KIT_ID];

    (void)err;
    for (size_t i = 0; i < n; i++) {
        const struct kit_json_node *table =
            ali_list_at(root, "RouterTableList", "RouterTableListType", i);

        /* Another VPC's: the endpoint passed over what was asked. */
        if (ali_text(table, "VpcId", vpc, sizeof(vpc)) && vpc[0] && !kit_str_eq(vpc, l->vpc))
            continue;
        if (is_edge_table(table) || !ali_text(table, "RouteTableId", id, sizeof(id)) || !id[0])
            continue;
        for (size_t k = 0; k < l->search->targets; k++) {
            struct ali_route_target *t = &l->search->target[k];

            if (!is_active(t) || t->listed || !kit_str_eq(t->me.vpc, l->vpc))
                continue;
            add_pair(l->search, id, t);
            if (t->query->with_tags)
                ali_route_take_tags(table, id, &t->query->facts);
        }
    }
    return 0;
}

static void list_tables(struct search *s, const char *vpc)
{
    struct listing l = {.search = s, .vpc = vpc};
    struct ali_rpc r;
    struct kit_err err;

    ali_rpc_init(&r, s->cloud, &ali_vpc, "DescribeRouteTableList", ALI_READS);
    ali_rpc_param(&r, "VpcId", vpc);
    if (ali_rpc_pages(&r, ALI_PAGES_NUMBER, 50, s->by, take_tables, &l, &err))
        for (size_t i = 0; i < s->targets; i++) {
            struct ali_route_target *t = &s->target[i];

            if (is_active(t) && !t->listed && kit_str_eq(t->me.vpc, vpc))
                fail_target(t, &err);
        }
    ali_rpc_done(&r);
}

static bool vpc_seen(const struct search *s, size_t before)
{
    for (size_t i = 0; i < before; i++)
        if (s->target[i].query && !s->target[i].listed &&
            kit_str_eq(s->target[i].me.vpc, s->target[before].me.vpc))
            return true;
    return false;
}

static void find_tables(struct search *s)
{
    for (size_t i = 0; i < s->targets; i++) {
        struct ali_route_target *t = &s->target[i];

        if (!is_active(t))
            continue;
        for (char *const *id = t->listed; id && *id; id++)
            add_pair(s, *id, t);
        if (!t->listed && !vpc_seen(s, i))
            list_tables(s, t->me.vpc);
    }
}

/* ---- all entries ----------------------------------------------------------------------------- */

/* One target: its destination alone.  Several: the whole table serves them all. */
static const struct kit_cidr *asked_for(const struct table *table)
{
    return table->pairs == 1 ? &table->pair[0].target->destination : NULL;
}

static void fail_table(struct table *table, const struct ali_rpc *r, const struct kit_err *err)
{
    if (r->note == ALI_NOTE_GONE)
        return; /* no such table: a named one is missing, one of the list is just gone */
    for (size_t i = 0; i < table->pairs; i++)
        fail_target(table->pair[i].target, err);
}

/* The first page has been asked for, together with those of the other tables: take it, then the
 * rest. */
static void all_pages(struct search *s, struct table *table, struct ali_rpc *r)
{
    char token[ALI_PAGE_TOKEN] = "";
    struct kit_err err = r->call.err;
    int more;

    if (r->call.failed) {
        fail_table(table, r, &err);
        return;
    }
    while ((more = ali_next_token(r, token, &err)) >= 0) {
        for (size_t k = 0; k < table->pairs; k++) {
            struct pair *p = &table->pair[k];

            ali_route_entries_take(ali_rpc_root(r), &p->target->destination, &p->found, &p->entry);
        }
        if (!more)
            return;
        ali_rpc_done(r);
        ali_route_entries_call(r, s->cloud, table->id, asked_for(table), token);
        if (ali_rpc_run(r, s->by, &err))
            break;
    }
    fail_table(table, r, &err);
}

static void read_entries(struct search *s)
{
    struct ali_rpc *r = kit_mem_new(s->tables, sizeof(*r));
    struct kit_call **call = kit_mem_new(s->tables, sizeof(struct kit_call *));
    struct kit_err err;

    for (size_t i = 0; i < s->tables; i++) {
        ali_route_entries_call(&r[i], s->cloud, s->table[i].id, asked_for(&s->table[i]), NULL);
        call[i] = &r[i].call;
    }
    if (kit_call_all(s->cloud->base.caller, call, s->tables, s->by, &err))
        (void)err; /* each call's own error is looked at below */
    for (size_t i = 0; i < s->tables; i++) {
        all_pages(s, &s->table[i], &r[i]);
        ali_rpc_done(&r[i]);
    }
    free(r);
    free(call);
}

/* ---- facts ----------------------------------------------------------------------------------- */

static bool is_instance(const struct ali_route_entry *e)
{
    return kit_str_eq_nocase(e->hop_type, "Instance");
}

static bool is_interface(const struct ali_route_entry *e)
{
    return kit_str_eq_nocase(e->hop_type, "NetworkInterface");
}

/* An entry that names instances: which is this node?  Asked of the metadata service, and only then.
 */
static int need_node(struct search *s, struct ali_route_target *t)
{
    struct kit_me me;

    if (t->me.node[0])
        return 0;
    if (ali_me_find(s->cloud, t->query->settings, ALI_ME_NODE, s->by, &me, &t->query->err)) {
        t->query->failed = true;
        return kit_err_wrap(&t->query->err, "the route points at an instance: is it this one");
    }
    (void)kit_str_copy(t->me.node, sizeof(t->me.node), me.node);
    (void)kit_str_copy(t->query->facts.my_node, sizeof(t->query->facts.my_node), me.node);
    return 0;
}

static void judge_entry(struct search *s, const struct pair *p)
{
    struct ali_route_target *t = p->target;
    const struct ali_route_entry *e = &p->entry;
    struct kit_binding *b = kit_facts_add(&t->query->facts);

    (void)kit_str_copy(b->handle, sizeof(b->handle), e->id);
    (void)kit_str_copy(b->holder, sizeof(b->holder), e->hop);
    if (e->hops > 1) {
        b->state = KIT_BINDING_FOREIGN;
        (void)kit_str_format(b->holder, sizeof(b->holder), "%zu next hops (ECMP)", e->hops);
        return;
    }
    if (!ali_route_entry_is_custom(e) || e->service[0] || (!is_instance(e) && !is_interface(e))) {
        b->state = KIT_BINDING_FOREIGN;
        return;
    }
    b->state = KIT_BINDING_HELD;
    if (is_instance(e)) {
        (void)kit_str_copy(b->node, sizeof(b->node), e->hop);
        if (need_node(s, t))
            return;
        b->mine = kit_str_eq(e->hop, t->me.node);
    } else {
        b->mine = kit_str_eq(e->hop, t->me.eni);
    }
    /* Pending, Modifying, Deleting: between two states, and who knows which. */
    b->right = b->mine && ali_route_entry_is_available(e);
}

static void make_facts(struct search *s)
{
    for (size_t i = 0; i < s->tables; i++)
        for (size_t k = 0; k < s->table[i].pairs; k++) {
            const struct pair *p = &s->table[i].pair[k];
            struct ali_route_target *t = p->target;
            struct kit_facts *facts = &t->query->facts;

            if (!is_active(t) || (!p->found && !t->all_tables && !t->listed))
                continue;
            if (p->found)
                judge_entry(s, p);
            else
                kit_facts_add(facts)->state =
                    t->all_tables ? KIT_BINDING_ABSENT : KIT_BINDING_MISSING;
            struct kit_binding *b = &facts->binding[facts->count - 1];
            (void)kit_str_copy(b->place, sizeof(b->place), s->table[i].id);
        }
}

static int compare_bindings(const void *a, const void *b)
{
    const struct kit_binding *left = a, *right = b;

    return strcmp(left->place, right->place);
}

static void explain_missing(const struct search *s, struct ali_route_target *t)
{
    KIT_AUTO(kit_buf) names = KIT_BUF(300);
    char text[KIT_CIDR_TEXT];

    for (size_t i = 0; i < s->tables; i++)
        for (size_t k = 0; k < s->table[i].pairs; k++)
            if (s->table[i].pair[k].target == t)
                (void)kit_buf_printf(&names, "%s%s", names.len_bytes ? ", " : "", s->table[i].id);
    t->query->failed = true;
    (void)kit_err_set(&t->query->err, KIT_ERR_CONFIG,
                      "no route table of %s has a route to %s (looked at: %s%s): create it, or set "
                      "create_route = yes",
                      t->me.vpc, kit_cidr_text(&t->destination, text),
                      names.len_bytes ? names.data : "none found", names.overflow ? ", ..." : "");
}

/* ---- the ENIs behind them, for claims -------------------------------------------------------- */

static bool wants_enis(const struct ali_route_target *t)
{
    return is_active(t) && t->query->for_claim;
}

static void add_id(const char **id, size_t *count, const char *one)
{
    for (size_t i = 0; i < *count; i++)
        if (kit_str_eq(id[i], one))
            return;
    id[(*count)++] = one;
}

/* A binding whose holder may be an ENI: an instance's own id is in `node`. */
static bool holds_eni(const struct kit_binding *b)
{
    return b->state == KIT_BINDING_HELD && !kit_str_eq(b->holder, b->node);
}

/* ali_page_fn: the vSwitch that the address lies in. */
static int take_vswitches(void *arg, const struct kit_json_node *root, struct kit_err *err)
{
    struct ali_route_evidence *e = arg;
    const char *key = e->address->family == 6 ? "Ipv6CidrBlock" : "CidrBlock";
    size_t n = ali_list_count(root, "VSwitches", "VSwitch");

    (void)err;
    for (size_t i = 0; i < n; i++) {
        const struct kit_json_node *item = ali_list_at(root, "VSwitches", "VSwitch", i);
        char text[KIT_CIDR_TEXT], vpc[KIT_ID];
        struct kit_cidr block;

        if ((ali_text(item, "VpcId", vpc, sizeof(vpc)) && !kit_str_eq(vpc, e->eni->vpc)) ||
            !ali_text(item, key, text, sizeof(text)) || !kit_cidr_parse(text, &block) ||
            !kit_cidr_contains(&block, e->address))
            continue;
        (void)ali_text(item, "VSwitchId", e->vswitch, sizeof(e->vswitch));
        (void)kit_cidr_text(&block, e->block);
    }
    return 0;
}

static void look_within(struct search *s, const struct ali_route_target *t,
                        struct ali_route_evidence *e)
{
    const struct kit_facts *facts = &t->query->facts;
    struct kit_err err;
    struct ali_rpc r;

    for (size_t i = 0; i < facts->count; i++)
        e->vswitches_asked = e->vswitches_asked || facts->binding[i].state == KIT_BINDING_ABSENT;
    e->vswitches_asked = e->vswitches_asked && t->query->for_advice;
    if (!e->vswitches_asked)
        return;
    ali_rpc_init(&r, s->cloud, &ali_vpc, "DescribeVSwitches", ALI_READS);
    r.call.max_tries = ALI_QUOTA_TRIES;
    ali_rpc_param(&r, "VpcId", e->eni->vpc);
    if (ali_rpc_pages(&r, ALI_PAGES_NUMBER, 50, ali_quota_by(s->cloud, s->by), take_vswitches, e,
                      &err))
        (void)kit_str_copy(e->vswitches_why, sizeof(e->vswitches_why), err.msg);
    ali_rpc_done(&r);
}

static void judge_enis(struct search *s, struct ali_route_target *t, const struct ali_enis *list)
{
    struct kit_facts *facts = &t->query->facts;
    const struct ali_eni *mine = ali_enis_get(list, t->me.eni);
    struct ali_route_evidence evidence = {
        .eni = mine, .vpc = t->me.vpc, .address = &t->destination.addr};

    if (!mine) {
        t->query->failed = true;
        (void)kit_err_set(&t->query->err, KIT_ERR_NOT_FOUND,
                          "DescribeNetworkInterfaces: no ENI %s in this account and region",
                          t->me.eni);
        return;
    }
    for (size_t i = 0; i < facts->count; i++) {
        struct kit_binding *b = &facts->binding[i];
        const struct ali_eni *eni = holds_eni(b) ? ali_enis_get(list, b->holder) : NULL;

        if (!holds_eni(b))
            continue;
        if (eni)
            (void)kit_str_copy(b->node, sizeof(b->node), eni->node);
        if (!eni || eni->state == ALI_ENI_AVAILABLE || eni->state == ALI_ENI_DELETING) {
            b->state = KIT_BINDING_BLACKHOLE;
            b->right = false;
        }
    }
    (void)kit_str_copy(facts->my_node, sizeof(facts->my_node), mine->node);
    (void)kit_str_copy(facts->my_mac, sizeof(facts->my_mac), mine->mac);
    if (mine->primary)
        (void)kit_str_copy(facts->me, sizeof(facts->me), mine->node);
    look_within(s, t, &evidence);
    kit_rules_check(ali_route_rules, ali_route_rules_count, &evidence, facts);
}

static void look_at_enis(struct search *s)
{
    size_t most = 0, count = 0;
    const char **id;
    KIT_AUTO(ali_enis) list = {0};
    struct kit_err err;
    int rc = 0;

    for (size_t i = 0; i < s->targets; i++)
        if (wants_enis(&s->target[i]))
            most += 1 + s->target[i].query->facts.count;
    if (!most)
        return;
    id = kit_mem_new(most, sizeof(*id));
    for (size_t i = 0; i < s->targets; i++) {
        struct ali_route_target *t = &s->target[i];

        if (!wants_enis(t))
            continue;
        add_id(id, &count, t->me.eni);
        for (size_t k = 0; k < t->query->facts.count; k++)
            if (holds_eni(&t->query->facts.binding[k]))
                add_id(id, &count, t->query->facts.binding[k].holder);
    }
    for (size_t from = 0; from < count && !rc; from += ALI_ENI_IDS) {
        struct ali_eni_filter filter = {
            .id = id + from, .ids = count - from < ALI_ENI_IDS ? count - from : ALI_ENI_IDS};

        rc = ali_enis_find(s->cloud, &filter, s->by, &list, &err);
    }
    for (size_t i = 0; i < s->targets; i++) {
        if (!wants_enis(&s->target[i]))
            continue;
        if (rc)
            fail_target(&s->target[i], &err);
        else
            judge_enis(s, &s->target[i], &list);
    }
    free(id);
}

/* ---- the whole search ------------------------------------------------------------------------ */

void ali_route_search(struct ali_cloud *cloud, struct ali_route_target target[], size_t count,
                      struct kit_deadline by)
{
    struct search s = {.cloud = cloud, .by = by, .target = target, .targets = count};

    find_tables(&s);
    read_entries(&s);
    make_facts(&s);
    for (size_t i = 0; i < count; i++) {
        struct kit_facts *facts = is_active(&target[i]) ? &target[i].query->facts : NULL;

        if (facts && facts->count)
            qsort(facts->binding, facts->count, sizeof(*facts->binding), compare_bindings);
        else if (facts && target[i].query->for_claim)
            explain_missing(&s, &target[i]);
    }
    look_at_enis(&s);
    for (size_t i = 0; i < s.tables; i++)
        free(s.table[i].pair);
    free(s.table);
}
