/* Where the routes are: one DescribeRouteTables for all resources of a session (more only when
 * filters or pages overflow), and beside it DescribeNetworkInterfaces where a claim has to know the
 * source/destination check. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kit/base/mem.h"
#include "kit/base/str.h"
#include "kit/cloud/aws/route_table.h"

/* No VPC has so many tables; a server that goes on for ever must be stopped. */
#define PAGES_MAX 1000

/* Targets that one describe call serves: same address family, same way of naming tables. */
struct group {
    struct aws_route_target **target;
    size_t count;
    unsigned values; /* filter values so far, an upper bound */
    struct aws_query query;
    int page_size; /* MaxResults; 0 = not sent: the whole answer at once, as the filters make it
                      small */
    unsigned pages;
    char token[AWS_TOKEN_BYTES];
};

struct search {
    struct aws_cloud *cloud;
    struct kit_deadline by;
    struct aws_route_target *target;
    size_t targets;
    struct group *group;
    size_t groups;
};

static bool is_source_dest_check(const struct kit_settings *s, const char *word)
{
    return kit_settings_is(s, KIT_PARAM_SOURCE_DEST_CHECK, word);
}

/* ---- describing ------------------------------------------------------------------------------ */

static void add_values(struct group *g, const char *filter, bool addresses)
{
    unsigned n = 0;
    char text[KIT_CIDR_TEXT];

    aws_query_filter(&g->query, filter);
    for (size_t i = 0; i < g->count; i++) {
        struct aws_route_target *t = g->target[i];

        if (addresses)
            aws_query_filter_value(&g->query, ++n, kit_cidr_text(&t->destination, text));
        else if (!t->listed && (i == 0 || !kit_str_eq(t->me.vpc, g->target[i - 1]->me.vpc)))
            aws_query_filter_value(&g->query, ++n, t->me.vpc);
        for (char *const *id = t->listed; !addresses && id && *id; id++)
            aws_query_filter_value(&g->query, ++n, *id);
    }
}

/* The next page's request. */
static void encode_group(struct aws_cloud *cloud, struct group *g)
{
    const struct aws_route_target *first = g->target[0];
    bool v6 = first->destination.addr.family == 6;
    char size[16];

    aws_query_describe(&g->query, cloud, "DescribeRouteTables", "routeTableSet");
    /* A list longer than EC2 takes is not sent: of what comes back each table is looked up anyway.
     */
    if (!first->listed || g->values <= AWS_FILTER_VALUES)
        add_values(g, first->listed ? "route-table-id" : "vpc-id", false);
    if (!first->all_tables)
        add_values(g, v6 ? "route.destination-ipv6-cidr-block" : "route.destination-cidr-block",
                   true);
    if (g->page_size) {
        (void)kit_str_format(size, sizeof(size), "%d", g->page_size);
        aws_query_param(&g->query, "MaxResults", size);
    }
    if (g->token[0])
        aws_query_param(&g->query, "NextToken", g->token);
}

static int take_page(struct group *g, struct kit_err *err)
{
    const struct kit_xml_node *root = kit_xml_root(&g->query.xml);

    KIT_XML_EACH (table, kit_xml_child(root, "routeTableSet"), "item")
        for (size_t i = 0; i < g->count; i++)
            aws_route_take_table(table, g->target[i]);
    if (aws_query_next(&g->query, g->token, err))
        return -1;
    if (g->token[0] && ++g->pages >= PAGES_MAX)
        return kit_err_set(err, KIT_ERR_PROTOCOL, "DescribeRouteTables: more than %d pages",
                           PAGES_MAX);
    return 0;
}

static void group_failed(struct group *g, const struct kit_err *err)
{
    for (size_t i = 0; i < g->count; i++) {
        g->target[i]->query->failed = true;
        g->target[i]->query->err = *err;
    }
}

/* An answer over the ceiling: ask for it in parts, and in smaller ones.  EC2 takes a MaxResults of
 * 5 to 100. */
static bool smaller_pages(struct group *g)
{
    if (g->query.call.err.sys != EFBIG || g->page_size == 5)
        return false;
    g->page_size = g->page_size ? 5 : 40;
    return true;
}

/* The first page has been asked for, together with those of the other groups: take it, then the
 * rest. */
static void all_pages(struct search *s, struct group *g)
{
    struct kit_err err;

    for (;;) {
        if (g->query.call.failed) {
            err = g->query.call.err;
            if (!smaller_pages(g)) {
                group_failed(g, &err);
                return;
            }
        } else if (take_page(g, &err)) {
            group_failed(g, &err);
            return;
        } else if (!g->token[0]) {
            return;
        }
        aws_query_done(&g->query);
        encode_group(s->cloud, g);
        if (aws_query_run(&g->query, s->by, &err))
            g->query.call.failed = true;
    }
}

/* ---- the source/destination check ------------------------------------------------------------ */

static void encode_eni(struct aws_cloud *cloud, const struct aws_route_target *t,
                       struct aws_query *q)
{
    aws_query_describe(q, cloud, "DescribeNetworkInterfaces", "networkInterfaceSet");
    aws_query_param(q, "NetworkInterfaceId.1", t->me.eni);
}

/* A check that is on: switched off together with the claim, or refused (rule 66). */
static void judge_eni(struct aws_route_target *t)
{
    struct kit_facts *facts = &t->query->facts;

    if (!t->eni.source_dest_check || is_source_dest_check(t->query->settings, "verify"))
        return;
    struct kit_need *need = &facts->need[facts->needs++];
    *need = (struct kit_need){.what = "source/dest check", .now = "on", .then = "off"};
    (void)kit_str_copy(need->place, sizeof(need->place), t->eni.id);
}

static void take_eni(struct aws_route_target *t, struct aws_query *q)
{
    const struct kit_xml_node *set = kit_xml_child(kit_xml_root(&q->xml), "networkInterfaceSet");
    struct kit_query *query = t->query;
    struct aws_eni eni;

    if (q->call.failed) {
        query->failed = true;
        query->err = q->call.err;
        (void)kit_err_wrap(
            &query->err,
            "read the source/dest check of %s (`source_dest_check = ignore` does without)",
            t->me.eni);
        return;
    }
    KIT_XML_EACH (item, set, "item") {
        if (!aws_eni_decode(item, &eni) || !kit_str_eq(eni.id, t->me.eni))
            continue;
        (void)kit_str_copy(query->facts.my_node, sizeof(query->facts.my_node), eni.node);
        (void)kit_str_copy(query->facts.my_mac, sizeof(query->facts.my_mac), eni.mac);
        if (aws_me_agrees(&t->me, eni.node, &query->err)) {
            query->failed = true;
            return;
        }
        t->eni = eni;
        t->eni_known = true;
        judge_eni(t);
        return;
    }
    query->failed = true;
    (void)kit_err_set(&query->err, KIT_ERR_NOT_FOUND,
                      "DescribeNetworkInterfaces: no ENI %s in this account and region", t->me.eni);
}

static bool wants_eni(const struct aws_route_target *t)
{
    return t->query->for_claim && !is_source_dest_check(t->query->settings, "ignore");
}

/* ---- the whole search ------------------------------------------------------------------------ */

static bool fits(const struct group *g, const struct aws_route_target *t, unsigned values)
{
    const struct aws_route_target *first = g->target[0];

    return first->destination.addr.family == t->destination.addr.family &&
           !first->listed == !t->listed && first->all_tables == t->all_tables &&
           g->values + values <= AWS_FILTER_VALUES;
}

static void put_into_group(struct search *s, struct aws_route_target *t)
{
    unsigned values = 2; /* its address and its VPC */
    struct group *g = NULL;

    for (char *const *id = t->listed; id && *id; id++)
        values++;
    for (size_t i = 0; i < s->groups && !g; i++)
        if (fits(&s->group[i], t, values))
            g = &s->group[i];
    if (!g) {
        g = &s->group[s->groups++];
        g->target = kit_mem_new(s->targets, sizeof(*g->target));
    }
    g->target[g->count++] = t;
    g->values += values;
}

/* First pages and ENIs, all in one round. */
static void first_round(struct search *s)
{
    struct aws_query *eni = kit_mem_new(s->targets, sizeof(*eni));
    struct kit_call **call = kit_mem_new(s->targets + s->groups, sizeof(struct kit_call *));
    size_t calls = 0;
    struct kit_err err;

    for (size_t i = 0; i < s->groups; i++) {
        encode_group(s->cloud, &s->group[i]);
        call[calls++] = &s->group[i].query.call;
    }
    for (size_t i = 0; i < s->targets; i++) {
        if (!s->target[i].query || !wants_eni(&s->target[i]))
            continue;
        encode_eni(s->cloud, &s->target[i], &eni[i]);
        call[calls++] = &eni[i].call;
    }
    if (kit_call_all(s->cloud->base.caller, call, calls, s->by, &err))
        (void)err; /* each call's own error is looked at below */
    for (size_t i = 0; i < s->targets; i++) {
        if (!s->target[i].query || !wants_eni(&s->target[i]))
            continue;
        take_eni(&s->target[i], &eni[i]);
        aws_query_done(&eni[i]);
    }
    free(eni);
    free(call);
}

static int compare_bindings(const void *a, const void *b)
{
    const struct kit_binding *left = a, *right = b;

    return strcmp(left->place, right->place);
}

/* Listed tables that were not in the answer lack the route, or are not there. */
static void add_missing(struct aws_route_target *t)
{
    struct kit_facts *facts = &t->query->facts;

    for (char *const *id = t->listed; id && *id; id++) {
        if (kit_facts_find(facts, *id))
            continue;
        if (t->all_tables &&
            t->query->for_claim) { /* then only what does not exist is not in the answer */
            t->query->failed = true;
            (void)kit_err_set(&t->query->err, KIT_ERR_NOT_FOUND,
                              "DescribeRouteTables: no route table %s in this account and region",
                              *id);
            return;
        }
        struct kit_binding *b = kit_facts_add(facts);
        (void)kit_str_copy(b->place, sizeof(b->place), *id);
        b->state = KIT_BINDING_MISSING;
    }
    if (facts->count)
        qsort(facts->binding, facts->count, sizeof(*facts->binding), compare_bindings);
}

/* Nothing found: which tables did we look at?  Asked only to tell a person. */
static void explain_missing(struct search *s, struct aws_route_target *t)
{
    struct aws_query q;
    KIT_AUTO(kit_buf) names = KIT_BUF(300);
    char text[KIT_CIDR_TEXT], block[KIT_CIDR_TEXT], id[KIT_ID];
    struct kit_err err;

    aws_query_describe(&q, s->cloud, "DescribeRouteTables", "routeTableSet");
    aws_query_filter(&q, "vpc-id");
    aws_query_filter_value(&q, 1, t->me.vpc);
    if (!aws_query_run(&q, s->by, &err)) {
        KIT_XML_EACH (table, kit_xml_child(kit_xml_root(&q.xml), "routeTableSet"), "item") {
            aws_route_look_within(table, t);
            if (kit_xml_text(table, "routeTableId", id, sizeof(id)))
                (void)kit_buf_printf(&names, "%s%s", names.len_bytes ? ", " : "", id);
        }
        if (kit_xml_text(kit_xml_root(&q.xml), "nextToken", id, sizeof(id)) && id[0])
            names.overflow = true; /* one page is enough for a message */
    } else {
        (void)kit_buf_puts(&names, "they cannot be listed");
    }
    aws_query_done(&q);
    t->query->failed = true;
    if (t->within.addr.family) {
        (void)kit_err_set(
            &t->query->err, KIT_ERR_CONFIG,
            "no route table of %s has a route to %s, and none can: rule 65: it lies in "
            "the VPC's own %s; choose an address outside",
            t->me.vpc, kit_cidr_text(&t->destination, text), kit_cidr_text(&t->within, block));
        return;
    }
    (void)kit_err_set(&t->query->err, KIT_ERR_CONFIG,
                      "no route table of %s has a route to %s (looked at: %s%s): create it, or set "
                      "create_route = yes",
                      t->me.vpc, kit_cidr_text(&t->destination, text),
                      names.len_bytes ? names.data : "it has none", names.overflow ? ", ..." : "");
}

/* All rules, and before them what only warnings want to know.  Where the tables are named the
 * others are left out on purpose; with create_route every one gets the route. */
static void judge(struct search *s, struct aws_route_target *t)
{
    struct kit_facts *facts = &t->query->facts;

    if (t->query->for_advice) {
        if (!t->listed && !t->all_tables)
            aws_lacking_find(s->cloud, t->me.vpc, &t->destination, s->by, &t->lacking);
        aws_pair_find(s->cloud, facts, t->me.eni, NULL, s->by, &t->pair);
    }
    kit_rules_check(aws_route_rules, aws_route_rules_count, t, facts);
}

static void finish(struct search *s)
{
    for (size_t i = 0; i < s->groups; i++) {
        all_pages(s, &s->group[i]);
        aws_query_done(&s->group[i].query);
    }
    for (size_t i = 0; i < s->targets; i++) {
        struct aws_route_target *t = &s->target[i];

        if (!t->query || t->query->failed)
            continue;
        add_missing(t);
        if (!t->query->facts.count && t->query->for_claim)
            explain_missing(s, t);
        if (t->query->for_claim && !t->query->failed)
            judge(s, t);
    }
}

void aws_route_search(struct aws_cloud *cloud, struct aws_route_target target[], size_t count,
                      struct kit_deadline by)
{
    struct search s = {.cloud = cloud, .by = by, .target = target, .targets = count};

    s.group = kit_mem_new(count, sizeof(*s.group));
    for (size_t i = 0; i < count; i++)
        if (target[i].query)
            put_into_group(&s, &target[i]);
    if (s.groups) {
        first_round(&s);
        finish(&s);
    }
    for (size_t i = 0; i < s.groups; i++)
        free(s.group[i].target);
    free(s.group);
}
