/* kit/cloud/aws/advice.c - what only warnings want to know. */
#include "kit/cloud/aws/advice.h"

#include <string.h>

#include "kit/base/str.h"
#include "kit/cloud/aws/imds.h"
#include "kit/cloud/aws/route_table.h"

/* More pages than any VPC's tables fill. */
#define PAGES_MAX 50

static struct kit_deadline advice_by(const struct aws_cloud *cloud, struct kit_deadline by)
{
    return kit_deadline_earlier(by, kit_deadline_in_ms(cloud->base.caller->clock, AWS_ADVICE_MS));
}

static void give_up(char why[AWS_WHY_BYTES], const struct kit_err *err)
{
    (void)kit_str_copy(why, AWS_WHY_BYTES, err->msg);
}

static int run_list(struct aws_nic_list *list, struct kit_deadline by, struct kit_err *err)
{
    struct kit_err ignored; /* the call keeps it for finish */

    aws_nic_list_begin(list);
    list->query.call.max_tries = AWS_ADVICE_TRIES;
    if (aws_query_run(&list->query, by, &ignored))
        list->query.call.failed = true;
    return aws_nic_list_finish(list, by, err);
}

/* ---- two nodes ------------------------------------------------------------------------------- */

/* Nodes beside ours that have a binding; more would be more than one too many. */
#define OTHERS_MAX 8

struct pair_search {
    const struct kit_facts *facts;
    const char *eni;
    const struct kit_addr *seat; /* or NULL */
    char eip[KIT_ID];
    struct aws_nic mine, other[OTHERS_MAX];
    size_t others;
};

/* aws_nic_list */
static void ask_pair(void *arg, struct aws_query *q)
{
    const struct pair_search *s = arg;
    unsigned n = 0;

    aws_query_filter(q, "network-interface-id");
    aws_query_filter_value(q, ++n, s->eni);
    for (size_t i = 0; i < s->facts->count && n < AWS_FILTER_VALUES; i++) {
        const char *holder = s->facts->binding[i].holder;
        bool before = !kit_str_starts(holder, "eni-") || kit_str_eq(holder, s->eni);

        for (size_t k = 0; k < i && !before; k++)
            before = kit_str_eq(holder, s->facts->binding[k].holder);
        if (!before)
            aws_query_filter_value(q, ++n, holder);
    }
}

static bool is_seat(const struct kit_xml_node *one, const struct kit_addr *seat)
{
    char text[KIT_ADDR_TEXT];
    struct kit_addr addr;

    if (!seat)
        return kit_xml_text(one, "primary", text, sizeof(text)) && kit_str_eq(text, "true");
    return kit_xml_text(one, "privateIpAddress", text, sizeof(text)) &&
           kit_addr_parse(text, &addr) && kit_addr_eq(&addr, seat);
}

/* aws_nic_list */
static void take_pair(void *arg, const struct kit_xml_node *item)
{
    struct pair_search *s = arg;
    struct aws_nic nic;

    if (!aws_nic_decode(item, &nic))
        return;
    if (!kit_str_eq(nic.eni.id, s->eni)) {
        if (nic.eni.node[0] && s->others < OTHERS_MAX)
            s->other[s->others++] = nic;
        return;
    }
    s->mine = nic;
    KIT_XML_EACH (one, kit_xml_child(item, "privateIpAddressesSet"), "item")
        if (is_seat(one, s->seat))
            (void)kit_xml_text(kit_xml_child(one, "association"), "allocationId", s->eip,
                               sizeof(s->eip));
}

void aws_pair_find(struct aws_cloud *cloud, const struct kit_facts *facts, const char *eni,
                   const struct kit_addr *seat, struct kit_deadline by, struct aws_pair *ret_pair)
{
    struct aws_pair pair = {.asked = true};
    struct pair_search s = {.facts = facts, .eni = eni, .seat = seat};
    struct aws_nic_list list = {.cloud = cloud, .ask = ask_pair, .take = take_pair, .arg = &s};
    struct kit_err err;

    if (run_list(&list, advice_by(cloud, by), &err))
        give_up(pair.why, &err);
    else if (!s.mine.eni.id[0])
        (void)kit_str_format(pair.why, sizeof(pair.why),
                             "DescribeNetworkInterfaces does not tell of %s", eni);
    pair.mine = s.mine;
    (void)kit_str_copy(pair.eip, sizeof(pair.eip), s.eip);
    for (size_t i = 0; i < s.others; i++) {
        if (i && !kit_str_eq(s.other[i].zone, s.mine.zone))
            continue;
        (void)kit_str_copy(pair.other, sizeof(pair.other), s.other[i].eni.id);
        (void)kit_str_copy(pair.other_zone, sizeof(pair.other_zone), s.other[i].zone);
    }
    *ret_pair = pair;
}

enum kit_rule_answer aws_pair_check(const struct aws_pair *pair, struct kit_buf *detail)
{
    if (!pair->asked || (!pair->why[0] && (!pair->other_zone[0] || !pair->mine.zone[0])))
        return KIT_RULE_NOT_KNOWN;
    if (pair->why[0]) {
        (void)kit_buf_puts(detail, pair->why);
        return KIT_RULE_NOT_KNOWN;
    }
    (void)kit_buf_printf(detail, "%s and %s are in %s", pair->mine.eni.id, pair->other,
                         pair->other_zone);
    return kit_str_eq(pair->mine.zone, pair->other_zone) ? KIT_RULE_BROKEN : KIT_RULE_HOLDS;
}

/* ---- route tables of a VPC ------------------------------------------------------------------- */

typedef void (*table_fn)(void *arg, const struct kit_xml_node *table);

static int each_table(struct aws_cloud *cloud, const char *vpc, struct kit_deadline by,
                      table_fn take, void *arg, struct kit_err *err)
{
    char token[AWS_TOKEN_BYTES] = "";

    for (int page = 0; page < PAGES_MAX; page++) {
        struct aws_query q;
        int rc;

        aws_query_describe(&q, cloud, "DescribeRouteTables", "routeTableSet");
        q.call.max_tries = AWS_ADVICE_TRIES;
        aws_query_filter(&q, "vpc-id");
        aws_query_filter_value(&q, 1, vpc);
        if (token[0])
            aws_query_param(&q, "NextToken", token);
        rc = aws_query_run(&q, by, err);
        if (!rc) {
            KIT_XML_EACH (table, kit_xml_child(kit_xml_root(&q.xml), "routeTableSet"), "item")
                take(arg, table);
            rc = aws_query_next(&q, token, err);
        }
        aws_query_done(&q);
        if (rc || !token[0])
            return rc;
    }
    return kit_err_set(err, KIT_ERR_PROTOCOL, "DescribeRouteTables: pages without an end");
}

struct lacking_search {
    const struct kit_cidr *destination;
    struct aws_lacking *lacking;
};

/* table_fn */
static void take_lacking(void *arg, const struct kit_xml_node *table)
{
    const struct lacking_search *s = arg;
    struct aws_lacking *lacking = s->lacking;
    size_t used = strlen(lacking->tables);
    char id[KIT_ID];

    if (!kit_xml_text(table, "routeTableId", id, sizeof(id)) || aws_route_is_edge_table(table) ||
        aws_route_entry(table, s->destination))
        return;
    (void)kit_str_format(lacking->tables + used, sizeof(lacking->tables) - used, "%s%s",
                         lacking->count++ ? ", " : "", id);
}

void aws_lacking_find(struct aws_cloud *cloud, const char *vpc, const struct kit_cidr *destination,
                      struct kit_deadline by, struct aws_lacking *ret_lacking)
{
    struct aws_lacking lacking = {.asked = true};
    struct lacking_search s = {.destination = destination, .lacking = &lacking};
    struct kit_err err;

    if (each_table(cloud, vpc, advice_by(cloud, by), take_lacking, &s, &err))
        give_up(lacking.why, &err);
    *ret_lacking = lacking;
}

struct way_search {
    const char *subnet;
    struct aws_way_out *way;
    bool own; /* the table in `way` is the subnet's own */
};

/* The default route of the table, if it works. */
static void take_default(const struct kit_xml_node *table, struct aws_way_out *way)
{
    struct kit_cidr everywhere = {.addr = {.family = 4}};
    const struct kit_xml_node *route = aws_route_entry(table, &everywhere);
    char state[16];
    bool is_node;

    way->target[0] = '\0';
    if (route && (!kit_xml_text(route, "state", state, sizeof(state)) || !state[0] ||
                  kit_str_eq(state, "active")))
        aws_route_entry_target(route, way->target, &is_node);
}

/* table_fn: the subnet's own table, or else the main one. */
static void take_way(void *arg, const struct kit_xml_node *table)
{
    struct way_search *s = arg;
    char subnet[KIT_ID], main_table[8], id[KIT_ID];

    KIT_XML_EACH (item, kit_xml_child(table, "associationSet"), "item") {
        bool own =
            kit_xml_text(item, "subnetId", subnet, sizeof(subnet)) && kit_str_eq(subnet, s->subnet);

        if (!own && (s->own || !kit_xml_text(item, "main", main_table, sizeof(main_table)) ||
                     !kit_str_eq(main_table, "true")))
            continue;
        if (!kit_xml_text(table, "routeTableId", id, sizeof(id)))
            continue;
        s->own = own;
        (void)kit_str_copy(s->way->table, sizeof(s->way->table), id);
        take_default(table, s->way);
    }
}

void aws_way_out_find(struct aws_cloud *cloud, const struct aws_nic *nic, struct kit_deadline by,
                      struct aws_way_out *ret_way)
{
    struct aws_way_out way = {.asked = true};
    struct way_search s = {.subnet = nic->subnet, .way = &way};
    struct kit_err err;

    if (!nic->subnet[0] || !nic->vpc[0])
        (void)kit_str_format(way.why, sizeof(way.why), "the subnet of %s is not known",
                             nic->eni.id);
    else if (each_table(cloud, nic->vpc, advice_by(cloud, by), take_way, &s, &err))
        give_up(way.why, &err);
    else if (!way.table[0])
        (void)kit_str_format(way.why, sizeof(way.why),
                             "DescribeRouteTables does not tell the table of %s", nic->subnet);
    *ret_way = way;
}

/* ---- room on an instance --------------------------------------------------------------------- */

struct room_search {
    const char *node;
    struct aws_room *room;
};

/* aws_nic_list */
static void ask_room(void *arg, struct aws_query *q)
{
    const struct room_search *s = arg;

    aws_query_filter(q, "attachment.instance-id");
    aws_query_filter_value(q, 1, s->node);
}

/* aws_nic_list */
static void take_room(void *arg, const struct kit_xml_node *item)
{
    const struct room_search *s = arg;
    struct aws_eni eni;

    if (aws_eni_decode(item, &eni) && kit_str_eq(eni.node, s->node))
        s->room->used++;
}

static int read_type(struct aws_cloud *cloud, struct kit_deadline by, struct aws_room *room,
                     struct kit_err *err)
{
    struct kit_metadata_item item = {.path = "meta-data/instance-type",
                                     .value = KIT_BUF_SECRET(KIT_METADATA_BODY_BYTES)};
    int rc = aws_imds_read(cloud, &item, 1, by, err);

    kit_metadata_first_line(&item, room->type, sizeof(room->type));
    kit_buf_done(&item.value);
    if (!rc && !room->type[0])
        rc = kit_err_set(err, KIT_ERR_PROTOCOL, "the metadata service's instance-type is no type");
    return rc;
}

static int read_limit(struct aws_cloud *cloud, struct kit_deadline by, struct aws_room *room,
                      struct kit_err *err)
{
    struct aws_query q;
    char type[sizeof(room->type)], text[16];
    int rc;

    aws_query_describe(&q, cloud, "DescribeInstanceTypes", "instanceTypeSet");
    q.call.max_tries = AWS_ADVICE_TRIES;
    aws_query_param(&q, "InstanceType.1", room->type);
    rc = aws_query_run(&q, by, err);
    if (!rc) {
        KIT_XML_EACH (item, kit_xml_child(kit_xml_root(&q.xml), "instanceTypeSet"), "item")
            if (kit_xml_text(item, "instanceType", type, sizeof(type)) &&
                kit_str_eq(type, room->type) &&
                kit_xml_text(kit_xml_child(item, "networkInfo"), "maximumNetworkInterfaces", text,
                             sizeof(text)))
                (void)kit_str_to_int(text, 1, INT32_MAX, &room->limit);
        if (!room->limit)
            rc = kit_err_set(err, KIT_ERR_PROTOCOL,
                             "DescribeInstanceTypes does not tell the limits of %s", room->type);
    }
    aws_query_done(&q);
    return rc;
}

void aws_room_limit(struct aws_cloud *cloud, struct kit_deadline by, struct aws_room *room)
{
    struct kit_err err;

    room->asked = true;
    if (read_limit(cloud, advice_by(cloud, by), room, &err))
        give_up(room->why, &err);
}

void aws_room_find(struct aws_cloud *cloud, const char *node, struct kit_deadline by,
                   struct aws_room *ret_room)
{
    struct aws_room room = {.asked = true};
    struct room_search s = {.node = node, .room = &room};
    struct aws_nic_list list = {.cloud = cloud, .ask = ask_room, .take = take_room, .arg = &s};
    struct kit_err err;

    by = advice_by(cloud, by);
    if (read_type(cloud, by, &room, &err) || run_list(&list, by, &err) ||
        read_limit(cloud, by, &room, &err))
        give_up(room.why, &err);
    *ret_room = room;
}
