/* aws route-table: one VIP/32 (or /128) entry in each route table, pointed at our ENI.
 *
 * locate: one DescribeRouteTables for all resources of a session (more only when filters or pages
 * overflow), and beside it DescribeNetworkInterfaces when a claim has to know the
 * source/destination check.  claim: one ReplaceRoute a table, all in flight together.  The API has
 * no condition and no token for ReplaceRoute: the same call twice is the same as once. */
#include <stdlib.h>
#include <string.h>

#include "kit/base/mem.h"
#include "kit/base/str.h"
#include "kit/cloud/aws/route_table.h"

/* ---- one table's entry ----------------------------------------------------------------------- */

/* The id of whatever an entry points at.  What is no node goes first: an instance target shows its
 * ENI as well, and an entry that shows something else beside them is not for us to take. */
void aws_route_entry_target(const struct kit_xml_node *route, char ret_id[KIT_ID],
                            bool *ret_is_node)
{
    static const char *const names[] = {"gatewayId",
                                        "natGatewayId",
                                        "transitGatewayId",
                                        "vpcPeeringConnectionId",
                                        "egressOnlyInternetGatewayId",
                                        "localGatewayId",
                                        "carrierGatewayId",
                                        "coreNetworkArn",
                                        "odbNetworkArn",
                                        "ipAddress",
                                        "networkInterfaceId",
                                        "instanceId"};

    *ret_is_node = false;
    ret_id[0] = '\0';
    for (size_t i = 0; i < KIT_LEN(names) && !ret_id[0]; i++) {
        if (kit_xml_text(route, names[i], ret_id, KIT_ID))
            *ret_is_node = i >= KIT_LEN(names) - 2;
        else if (kit_xml_child(route, names[i])) /* too long for an id: its kind must do */
            (void)kit_str_copy(ret_id, KIT_ID, names[i]);
    }
}

/* Does this entry carry exactly our destination?  Compared as addresses, whole. */
static bool entry_is_ours(const struct kit_xml_node *route, const struct kit_cidr *destination)
{
    struct kit_cidr cidr;
    char text[KIT_CIDR_TEXT];
    const char *name =
        destination->addr.family == 6 ? "destinationIpv6CidrBlock" : "destinationCidrBlock";

    return kit_xml_text(route, name, text, sizeof(text)) && kit_cidr_parse(text, &cidr) &&
           kit_cidr_eq(&cidr, destination);
}

static void judge_entry(const struct kit_xml_node *route, const struct kit_me *me,
                        struct kit_binding *b)
{
    char state[16], origin[32];
    bool is_node;

    aws_route_entry_target(route, b->holder, &is_node);
    (void)kit_xml_text(route, "instanceId", b->node, sizeof(b->node));
    (void)kit_xml_text(route, "state", state, sizeof(state));
    (void)kit_xml_text(route, "origin", origin, sizeof(origin));
    if (kit_str_eq(state, "blackhole"))
        b->state = KIT_BINDING_BLACKHOLE;
    else if (!is_node || kit_str_eq(origin, "EnableVgwRoutePropagation") ||
             kit_str_eq(origin, "Advertisement"))
        b->state = KIT_BINDING_FOREIGN;
    else
        b->state = KIT_BINDING_HELD;
    b->mine = b->holder[0] && kit_str_eq(b->holder, me->eni);
    /* "filtered" and whatever else is not "active" carries no traffic. */
    b->right =
        b->mine && b->state == KIT_BINDING_HELD && (!state[0] || kit_str_eq(state, "active"));
}

/* A static route goes before a propagated one of the same prefix (docs: "Route priority"): so it is
 * the one that counts. */
const struct kit_xml_node *aws_route_entry(const struct kit_xml_node *table,
                                           const struct kit_cidr *destination)
{
    const struct kit_xml_node *found = NULL;
    char origin[32];

    KIT_XML_EACH (route, kit_xml_child(table, "routeSet"), "item") {
        if (!entry_is_ours(route, destination))
            continue;
        (void)kit_xml_text(route, "origin", origin, sizeof(origin));
        if (!found || !kit_str_eq(origin, "EnableVgwRoutePropagation"))
            found = route;
    }
    return found;
}

static bool listed(char *const *list, const char *id)
{
    for (; list && *list; list++)
        if (kit_str_eq(*list, id))
            return true;
    return false;
}

/* An edge-associated table (of an internet or virtual private gateway) takes no route like ours. */
bool aws_route_is_edge_table(const struct kit_xml_node *table)
{
    char gateway[KIT_ID];

    KIT_XML_EACH (item, kit_xml_child(table, "associationSet"), "item")
        if (kit_xml_text(item, "gatewayId", gateway, sizeof(gateway)) && gateway[0])
            return true;
    return false;
}

void aws_route_look_within(const struct kit_xml_node *table, struct aws_route_target *t)
{
    const char *name =
        t->destination.addr.family == 6 ? "destinationIpv6CidrBlock" : "destinationCidrBlock";
    char target[KIT_ID], text[KIT_CIDR_TEXT];
    struct kit_cidr block;

    KIT_XML_EACH (route, kit_xml_child(table, "routeSet"), "item")
        if (kit_xml_text(route, "gatewayId", target, sizeof(target)) &&
            kit_str_eq(target, "local") && kit_xml_text(route, name, text, sizeof(text)) &&
            kit_cidr_parse(text, &block) && kit_cidr_contains(&block, &t->destination.addr))
            t->within = block;
}

/* A key has at most 128 characters and a value 256 (EC2's guide, "Tag restrictions"), of up to four
 * bytes each. */
static void take_tags(const struct kit_xml_node *table, const char *id, struct kit_facts *facts)
{
    char key[128 * 4 + 1], value[256 * 4 + 1];

    KIT_XML_EACH (tag, kit_xml_child(table, "tagSet"), "item") {
        if (kit_xml_text(tag, "key", key, sizeof(key))) {
            (void)kit_xml_text(tag, "value", value, sizeof(value));
            kit_facts_add_tag(facts, id, key, value);
        }
    }
}

/* One route table of an answer, for one target. */
void aws_route_take_table(const struct kit_xml_node *table, struct aws_route_target *t)
{
    char id[KIT_ID], vpc[KIT_ID];
    const struct kit_xml_node *entry;
    struct kit_binding *b;

    if (!kit_xml_text(table, "routeTableId", id, sizeof(id)) ||
        kit_facts_find(&t->query->facts, id))
        return;
    (void)kit_xml_text(table, "vpcId", vpc, sizeof(vpc));
    if (t->listed ? !listed(t->listed, id) : !kit_str_eq(vpc, t->me.vpc))
        return;
    aws_route_look_within(table, t);
    entry = aws_route_entry(table, &t->destination);
    if (!entry && (!t->all_tables || (!t->listed && aws_route_is_edge_table(table))))
        return;
    if (t->query->with_tags)
        take_tags(table, id, &t->query->facts);
    b = kit_facts_add(&t->query->facts);
    (void)kit_str_copy(b->place, sizeof(b->place), id);
    if (!entry) {
        b->state = KIT_BINDING_ABSENT;
        return;
    }
    judge_entry(entry, &t->me, b);
    if (b->mine && aws_me_agrees(&t->me, b->node, &t->query->err))
        t->query->failed = true;
}

/* ---- locate ---------------------------------------------------------------------------------- */

static void prepare_target(struct aws_cloud *cloud, struct aws_route_target *t,
                           struct kit_query *query, struct kit_deadline by)
{
    const struct kit_settings *settings = query->settings;
    unsigned wants;

    t->listed = kit_settings_list(settings, KIT_PARAM_ROUTE_TABLES);
    t->all_tables = kit_settings_yes(settings, KIT_PARAM_CREATE_ROUTE);
    t->destination = kit_cidr_of(kit_settings_addr(settings, KIT_PARAM_ADDRESS));
    wants = t->listed ? AWS_ME_ENI : AWS_ME_VPC;
    if (aws_me_find(cloud, settings, wants, by, &t->me, &query->err)) {
        query->failed = true;
        return; /* t->query stays NULL: nothing to search for */
    }
    t->query = query;
    kit_facts_set_me(&query->facts, &t->me);
}

static int locate(struct kit_cloud *base, struct kit_query query[], size_t count,
                  struct kit_deadline by, struct kit_err *err)
{
    struct aws_cloud *cloud = (struct aws_cloud *)base;
    struct aws_route_target *target;

    if (aws_ec2_ready(cloud, by, err))
        return -1;
    target = kit_mem_new(count, sizeof(*target));
    for (size_t i = 0; i < count; i++)
        prepare_target(cloud, &target[i], &query[i], by);
    aws_route_search(cloud, target, count, by);
    free(target);
    return 0;
}

/* ---- claim ----------------------------------------------------------------------------------- */

static void encode_step(struct aws_cloud *cloud, const struct kit_facts *facts,
                        const struct kit_cidr *destination, const struct kit_step *step,
                        struct aws_query *q)
{
    const struct kit_binding *b = step->binding;
    char text[KIT_CIDR_TEXT];

    if (step->need) {
        aws_query_init(q, cloud, &aws_ec2, "ModifyNetworkInterfaceAttribute", AWS_MUTATES);
        aws_query_param(q, "NetworkInterfaceId", step->need->place);
        aws_query_param(q, "SourceDestCheck.Value", "false");
        return;
    }
    aws_query_init(q, cloud, &aws_ec2,
                   b->state == KIT_BINDING_ABSENT ? "CreateRoute" : "ReplaceRoute", AWS_MUTATES);
    aws_query_param(q, "RouteTableId", b->place);
    aws_query_param(
        q, destination->addr.family == 6 ? "DestinationIpv6CidrBlock" : "DestinationCidrBlock",
        kit_cidr_text(destination, text));
    aws_query_param(q, "NetworkInterfaceId", facts->me);
}

static int claim(struct kit_cloud *cloud, const struct kit_settings *settings,
                 const struct kit_facts *facts, struct kit_step step[], size_t count,
                 struct kit_deadline by, struct kit_err *err)
{
    struct aws_query *q = kit_mem_new(count, sizeof(*q));
    struct kit_call **call = kit_mem_new(count, sizeof(struct kit_call *));
    struct kit_cidr destination = kit_cidr_of(kit_settings_addr(settings, KIT_PARAM_ADDRESS));
    int rc;

    for (size_t i = 0; i < count; i++) {
        encode_step((struct aws_cloud *)cloud, facts, &destination, &step[i], &q[i]);
        call[i] = &q[i].call;
    }
    rc = kit_call_all(cloud->caller, call, count, by, err);
    for (size_t i = 0; i < count; i++) {
        /* RouteAlreadyExists: another node was quicker than our CreateRoute: look again. */
        aws_step_result(&q[i], &step[i]);
        aws_query_done(&q[i]);
    }
    free(q);
    free(call);
    return rc;
}

/* ---- tables ---------------------------------------------------------------------------------- */

static const struct kit_param_use params[] = {
    {KIT_PARAM_ADDRESS, true, 0},
    {KIT_PARAM_INTERFACE, false, 1},
    {KIT_PARAM_ENI, false, 1},
    {KIT_PARAM_VPC_ID, false, 0},
    {KIT_PARAM_ROUTE_TABLES, false, 0},
    {KIT_PARAM_CREATE_ROUTE, false, 0},
    {KIT_PARAM_SOURCE_DEST_CHECK, false, 0},
    {KIT_PARAM_LOCAL_ADDRESS, false, 0},
};

static const struct kit_permission permissions[] = {
    {"ec2:DescribeRouteTables", "*", "to see where the route points", KIT_ALWAYS},
    {"ec2:ReplaceRoute", "route-table", "to point it here", KIT_ALWAYS},
    {"ec2:CreateRoute", "route-table", "to create a missing route",
     KIT_WHEN(KIT_PARAM_CREATE_ROUTE, "yes")},
    {"ec2:DescribeNetworkInterfaces", "*", "to read the source/dest check",
     KIT_WHEN(KIT_PARAM_SOURCE_DEST_CHECK, "disable|verify")},
    {"ec2:DescribeNetworkInterfaces", "*", "to see in which zones the nodes are", KIT_ADVICE},
    {"ec2:ModifyNetworkInterfaceAttribute", "network-interface", "to disable the source/dest check",
     KIT_WHEN(KIT_PARAM_SOURCE_DEST_CHECK, "disable")},
};

/* A route that there is proves that the VPC takes it: a failover is not held up by what we think.
 */
static bool is_to_be_created(const struct aws_route_target *t)
{
    const struct kit_facts *facts = &t->query->facts;

    for (size_t i = 0; i < facts->count; i++)
        if (facts->binding[i].state == KIT_BINDING_ABSENT ||
            facts->binding[i].state == KIT_BINDING_MISSING)
            return true;
    return false;
}

static enum kit_rule_answer check_within(const void *evidence, struct kit_buf *detail)
{
    const struct aws_route_target *t = evidence;
    char addr[KIT_ADDR_TEXT], block[KIT_CIDR_TEXT];

    if (!t->within.addr.family || !is_to_be_created(t))
        return KIT_RULE_HOLDS;
    (void)kit_buf_printf(detail, "%s is in the VPC's own %s",
                         kit_addr_text(&t->destination.addr, addr),
                         kit_cidr_text(&t->within, block));
    return KIT_RULE_BROKEN;
}

static enum kit_rule_answer check_source_dest(const void *evidence, struct kit_buf *detail)
{
    const struct aws_route_target *t = evidence;

    if (!t->eni_known)
        return KIT_RULE_NOT_KNOWN;
    (void)kit_buf_printf(detail, "the source/dest check of %s is on", t->eni.id);
    return t->eni.source_dest_check &&
                   kit_settings_is(t->query->settings, KIT_PARAM_SOURCE_DEST_CHECK, "verify")
               ? KIT_RULE_BROKEN
               : KIT_RULE_HOLDS;
}

static enum kit_rule_answer check_tables(const void *evidence, struct kit_buf *detail)
{
    const struct aws_route_target *t = evidence;
    const struct aws_lacking *lacking = &t->lacking;

    if (!lacking->asked)
        return KIT_RULE_NOT_KNOWN;
    if (lacking->why[0]) {
        (void)kit_buf_puts(detail, lacking->why);
        return KIT_RULE_NOT_KNOWN;
    }
    (void)kit_buf_printf(detail, "%zu without the route: %s", lacking->count, lacking->tables);
    return lacking->count ? KIT_RULE_BROKEN : KIT_RULE_HOLDS;
}

static enum kit_rule_answer check_zones(const void *evidence, struct kit_buf *detail)
{
    return aws_pair_check(&((const struct aws_route_target *)evidence)->pair, detail);
}

const struct kit_rule aws_route_rules[] = {
    {65, KIT_RULE_REFUSE, "a VPC takes no route of its own for an address that lies in it",
     "choose an address outside every block of the VPC", check_within},
    {66, KIT_RULE_REFUSE, "the VPC drops packets for an address that is not the ENI's own",
     "disable it on the ENI, or set source_dest_check = disable", check_source_dest},
    {67, KIT_RULE_WARN, "the subnets of these tables do not reach the address",
     "create the route in those that shall reach it", check_tables},
    {72, KIT_RULE_WARN, AWS_PAIR_MEANS, AWS_PAIR_REMEDY, check_zones},
};
const size_t aws_route_rules_count = KIT_LEN(aws_route_rules);

extern const struct kit_mover kit_aws_route_table;
const struct kit_mover kit_aws_route_table = {
    .provider = "aws",
    .scenario = "route-table",
    .moves = "the address's route in every route table",
    .params = params,
    .params_count = KIT_LEN(params),
    .permissions = permissions,
    .permissions_count = KIT_LEN(permissions),
    .rules = aws_route_rules,
    .rules_count = KIT_LEN(aws_route_rules),
    .locate = locate,
    .claim = claim,
};
