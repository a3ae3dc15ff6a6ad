/* aliyun route-table: one VIP/32 (or /128) custom entry in each route table of the VPC, pointed at
 * our ENI.
 *
 * locate: DescribeRouteTableList, then one DescribeRouteEntryList a table, all in flight together;
 * tables that are named (`route_tables`) need no list.  A check costs 1 + N calls for N tables in
 * two rounds, or N calls in one round when they are named.  A claim asks for the ENIs as well: the
 * route takes a primary ENI only as its instance (CreateRouteEntry: "NetworkInterface: a secondary
 * ENI"), and an entry whose ENI is gone or attached to nothing serves nobody.
 *
 * claim: see route_change.c.  release: nothing; the next restore, here or elsewhere, repoints. */
#include <stdlib.h>

#include "kit/base/mem.h"
#include "kit/base/str.h"
#include "kit/cloud/aliyun/route_table.h"

static void prepare_target(struct ali_cloud *cloud, struct ali_route_target *t,
                           struct kit_query *query, struct kit_deadline by)
{
    const struct kit_settings *settings = query->settings;
    unsigned wants = ALI_ME_ENI;

    t->listed = kit_settings_list(settings, KIT_PARAM_ROUTE_TABLES);
    t->all_tables = kit_settings_yes(settings, KIT_PARAM_CREATE_ROUTE);
    t->destination = kit_cidr_of(kit_settings_addr(settings, KIT_PARAM_ADDRESS));
    if (!t->listed)
        wants |= ALI_ME_VPC;
    if (ali_me_find(cloud, settings, wants, by, &t->me, &query->err)) {
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
    struct ali_route_target *target;

    if (ali_ready(cloud, by, err))
        return -1;
    target = kit_mem_new(count, sizeof(*target));
    for (size_t i = 0; i < count; i++)
        prepare_target(cloud, &target[i], &query[i], by);
    ali_route_search(cloud, target, count, by);
    free(target);
    return 0;
}

/* ---- tables ---------------------------------------------------------------------------------- */

static const struct kit_param_use params[] = {
    {KIT_PARAM_ADDRESS, true, 0},        {KIT_PARAM_INTERFACE, false, 1},
    {KIT_PARAM_ENI, false, 1},           {KIT_PARAM_VPC_ID, false, 0},
    {KIT_PARAM_ROUTE_TABLES, false, 0},  {KIT_PARAM_CREATE_ROUTE, false, 0},
    {KIT_PARAM_LOCAL_ADDRESS, false, 0},
};

static const struct kit_permission permissions[] = {
    {"vpc:DescribeRouteTableList", "*", "to find the VPC's route tables",
     KIT_WHEN(KIT_PARAM_ROUTE_TABLES, "")},
    {"vpc:DescribeRouteEntryList", "*", "to see where the route points", KIT_ALWAYS},
    {"vpc:ModifyRouteEntry", "routetable", "to point it here", KIT_ALWAYS},
    {"vpc:CreateRouteEntry", "routetable", "to create a missing route",
     KIT_WHEN(KIT_PARAM_CREATE_ROUTE, "yes")},
    {"vpc:DeleteRouteEntry", "routetable",
     "to create a route anew where the endpoint cannot change its next hop",
     KIT_WHEN(KIT_PARAM_CREATE_ROUTE, "yes")},
    {"ecs:DescribeNetworkInterfaces", "*", "to see whether the interfaces serve", KIT_ALWAYS},
    {"vpc:DescribeVSwitches", "*", "to see whether a vSwitch has the address",
     KIT_ADVICE_WHEN(KIT_PARAM_CREATE_ROUTE, "yes")},
};

static enum kit_rule_answer check_vpc(const void *evidence, struct kit_buf *detail)
{
    const struct ali_route_evidence *e = evidence;

    if (!e->vpc[0] || !e->eni->vpc[0])
        return KIT_RULE_NOT_KNOWN;
    (void)kit_buf_printf(detail, "%s is in %s, the route tables are of %s", e->eni->id, e->eni->vpc,
                         e->vpc);
    return kit_str_eq(e->vpc, e->eni->vpc) ? KIT_RULE_HOLDS : KIT_RULE_BROKEN;
}

static enum kit_rule_answer check_vswitches(const void *evidence, struct kit_buf *detail)
{
    const struct ali_route_evidence *e = evidence;
    char text[KIT_ADDR_TEXT];

    if (!e->vswitches_asked)
        return KIT_RULE_NOT_KNOWN;
    if (e->vswitches_why[0]) {
        (void)kit_buf_puts(detail, e->vswitches_why);
        return KIT_RULE_NOT_KNOWN;
    }
    (void)kit_buf_printf(detail, "%s is in %s of %s", kit_addr_text(e->address, text), e->block,
                         e->vswitch);
    return e->vswitch[0] ? KIT_RULE_BROKEN : KIT_RULE_HOLDS;
}

static enum kit_rule_answer check_attached(const void *evidence, struct kit_buf *detail)
{
    const struct ali_route_evidence *e = evidence;

    (void)kit_buf_printf(detail, "%s is %s", e->eni->id,
                         e->eni->state_text[0] ? e->eni->state_text : "in no state");
    return e->eni->state == ALI_ENI_IN_USE ? KIT_RULE_HOLDS : KIT_RULE_BROKEN;
}

static enum kit_rule_answer check_source_dest(const void *evidence, struct kit_buf *detail)
{
    const struct ali_route_evidence *e = evidence;

    (void)kit_buf_printf(detail, "the source/destination check of %s is on", e->eni->id);
    return e->eni->source_dest_check ? KIT_RULE_BROKEN : KIT_RULE_HOLDS;
}

const struct kit_rule ali_route_rules[] = {
    {53, KIT_RULE_REFUSE, "a route's next hop must be in the VPC of its table",
     "name this node's interface in that VPC, or correct `vpc_id`", check_vpc},
    {62, KIT_RULE_WARN, "an address of a vSwitch is its instances' own, and takes no route",
     "choose an address outside, or use scenario havip or private-ip", check_vswitches},
    {64, KIT_RULE_REFUSE, "a route to an interface that is attached to no instance serves nobody",
     "attach it to this node first", check_attached},
    {66, KIT_RULE_WARN, "the VPC may drop packets for an address that is not the ENI's own",
     "switch the check off on the ENI", check_source_dest},
};
const size_t ali_route_rules_count = KIT_LEN(ali_route_rules);

extern const struct kit_mover kit_aliyun_route_table;
const struct kit_mover kit_aliyun_route_table = {
    .provider = "aliyun",
    .scenario = "route-table",
    .moves = "the address's entry in every route table",
    .params = params,
    .params_count = KIT_LEN(params),
    .permissions = permissions,
    .permissions_count = KIT_LEN(permissions),
    .rules = ali_route_rules,
    .rules_count = KIT_LEN(ali_route_rules),
    .locate = locate,
    .claim = ali_route_claim,
};
