/* aws elastic-ip: the association of one Elastic IP, moved to our ENI in one call.
 *
 * AssociateAddress with AllowReassociation takes it from whoever has it; the parameter is always
 * sent, since EC2's default and those of its imitations differ.  DisassociateAddress names the
 * association, and every association has an id of its own: so a release can never hit one that
 * another node has made meanwhile. */
#include <stdlib.h>
#include <string.h>

#include "kit/base/mem.h"
#include "kit/base/str.h"
#include "kit/cloud/aws/advice.h"
#include "kit/cloud/aws/elastic_ip.h"

struct target {
    struct kit_query *query; /* NULL: nothing to search for */
    struct kit_me me;
    const char *allocation_id;              /* or NULL */
    const struct kit_addr *address;         /* or NULL */
    const struct kit_addr *private_address; /* or NULL */
    /* For advice. */
    struct aws_pair pair;
    struct aws_way_out way;
};

/* ---- rules ----------------------------------------------------------------------------------- */

static enum kit_rule_answer check_way_out(const void *evidence, struct kit_buf *detail)
{
    const struct aws_way_out *way = &((const struct target *)evidence)->way;

    if (!way->asked)
        return KIT_RULE_NOT_KNOWN;
    if (way->why[0]) {
        (void)kit_buf_puts(detail, way->why);
        return KIT_RULE_NOT_KNOWN;
    }
    (void)kit_buf_printf(detail, "%s sends 0.0.0.0/0 to %s", way->table,
                         way->target[0] ? way->target : "nothing");
    return kit_str_starts(way->target, "igw-") ? KIT_RULE_HOLDS : KIT_RULE_BROKEN;
}

/* EC2 API reference, AssociateAddress: "the existing address is disassociated". */
static enum kit_rule_answer check_seat(const void *evidence, struct kit_buf *detail)
{
    const struct target *t = evidence;
    const struct kit_facts *facts = &t->query->facts;

    if (!t->pair.eip[0] || kit_str_eq(t->pair.eip, facts->binding[0].place))
        return KIT_RULE_NOT_KNOWN;
    (void)kit_buf_printf(detail, "%s has %s there already", t->me.eni, t->pair.eip);
    return KIT_RULE_BROKEN;
}

static enum kit_rule_answer check_zones(const void *evidence, struct kit_buf *detail)
{
    return aws_pair_check(&((const struct target *)evidence)->pair, detail);
}

static const struct kit_rule rules[] = {
    {21, KIT_RULE_WARN, "a private address has one Elastic IP: that one is disassociated",
     "set private_address to another address of the interface", check_seat},
    {71, KIT_RULE_WARN, "an Elastic IP is reached through an internet gateway alone",
     "point 0.0.0.0/0 of the subnet's route table at the VPC's internet gateway", check_way_out},
    {72, KIT_RULE_WARN, AWS_PAIR_MEANS, AWS_PAIR_REMEDY, check_zones},
};

/* ---- reading --------------------------------------------------------------------------------- */

static bool is_address(const struct kit_xml_node *item, const char *name,
                       const struct kit_addr *wanted)
{
    char text[KIT_ADDR_TEXT];
    struct kit_addr addr;

    return wanted && kit_xml_text(item, name, text, sizeof(text)) && kit_addr_parse(text, &addr) &&
           kit_addr_eq(&addr, wanted);
}

static bool is_wanted(const struct kit_xml_node *item, const struct target *t)
{
    char id[KIT_ID];

    if (t->allocation_id)
        return kit_xml_text(item, "allocationId", id, sizeof(id)) &&
               kit_str_eq(id, t->allocation_id);
    return is_address(item, "publicIp", t->address);
}

/* Is the private address that it maps to the configured one, or, with none configured, the ENI's
 * primary one?  (Where the primary one is not known, any address of our ENI will do.) */
static bool maps_right(const struct kit_xml_node *item, const struct target *t)
{
    struct kit_addr primary;

    if (t->private_address)
        return is_address(item, "privateIpAddress", t->private_address);
    if (!kit_addr_parse(t->me.primary, &primary))
        return true;
    return is_address(item, "privateIpAddress", &primary);
}

bool aws_eip_is_managed(const struct kit_xml_node *item)
{
    char by[16];

    /* What does not fit is there all the same. */
    return kit_xml_child(item, "serviceManaged") &&
           (!kit_xml_text(item, "serviceManaged", by, sizeof(by)) || by[0]);
}

static int take_address(const struct kit_xml_node *item, struct target *t, struct kit_err *err)
{
    struct kit_binding *b = kit_facts_add(&t->query->facts);
    char public_ip[KIT_ADDR_TEXT], text[KIT_ADDR_TEXT];

    if (aws_take_id(item, "allocationId", b->place, err) ||
        aws_take_id(item, "associationId", b->handle, err) ||
        aws_take_id(item, "networkInterfaceId", b->holder, err) ||
        aws_take_id(item, "instanceId", b->node, err))
        return -1;
    (void)kit_xml_text(item, "privateIpAddress", b->detail, sizeof(b->detail));
    if (t->address && !is_address(item, "publicIp", t->address)) {
        (void)kit_xml_text(item, "publicIp", public_ip, sizeof(public_ip));
        return kit_err_set(err, KIT_ERR_CONFIG,
                           "allocation_id %s is %s, and address is %s: they contradict each other",
                           b->place, public_ip, kit_addr_text(t->address, text));
    }
    if (aws_eip_is_managed(item))
        b->state = KIT_BINDING_FOREIGN;
    else
        b->state = b->handle[0] ? KIT_BINDING_HELD : KIT_BINDING_FREE;
    b->mine = b->state == KIT_BINDING_HELD && kit_str_eq(b->holder, t->me.eni);
    b->right = b->mine && maps_right(item, t);
    return b->mine ? aws_me_agrees(&t->me, b->node, err) : 0;
}

static void encode_search(struct aws_cloud *cloud, struct target *t, size_t count, size_t *next,
                          bool by_id, struct aws_query *q)
{
    char text[KIT_ADDR_TEXT];
    unsigned n = 0;

    aws_query_describe(q, cloud, "DescribeAddresses", "addressesSet");
    aws_query_filter(q, by_id ? "allocation-id" : "public-ip");
    for (; *next < count && n < AWS_FILTER_VALUES; (*next)++) {
        const struct target *one = &t[*next];

        if (one->query && !one->query->failed && !one->allocation_id == !by_id)
            aws_query_filter_value(q, ++n,
                                   by_id ? one->allocation_id : kit_addr_text(one->address, text));
    }
}

static bool any(const struct target *t, size_t count, size_t from, bool by_id)
{
    for (size_t i = from; i < count; i++)
        if (t[i].query && !t[i].query->failed && !t[i].allocation_id == !by_id)
            return true;
    return false;
}

/* All addresses that are named in one way, in as many calls as EC2's limit of filter values asks
 * for. */
static void search(struct aws_cloud *cloud, struct target *t, size_t count, bool by_id,
                   struct kit_deadline by)
{
    size_t from = 0;

    while (any(t, count, from, by_id)) {
        size_t next = from;
        struct aws_query q;
        struct kit_err err;
        int rc;

        encode_search(cloud, t, count, &next, by_id, &q);
        rc = aws_query_run(&q, by, &err);
        for (size_t i = from; i < next; i++) {
            if (!t[i].query || t[i].query->failed || !t[i].allocation_id != !by_id)
                continue;
            if (rc) {
                t[i].query->failed = true;
                t[i].query->err = err;
                continue;
            }
            KIT_XML_EACH (item, kit_xml_child(kit_xml_root(&q.xml), "addressesSet"), "item")
                if (is_wanted(item, &t[i]) && !t[i].query->facts.count)
                    t[i].query->failed = take_address(item, &t[i], &t[i].query->err) != 0;
        }
        aws_query_done(&q);
        from = next;
    }
}

int aws_eip_is_foreign(struct aws_cloud *cloud, const char *eni, struct kit_deadline by,
                       bool *ret_foreign, struct kit_err *err)
{
    struct aws_query q;
    struct aws_eni one;
    bool foreign = false;
    int rc;

    aws_query_describe(&q, cloud, "DescribeNetworkInterfaces", "networkInterfaceSet");
    aws_query_param(&q, "NetworkInterfaceId.1", eni);
    rc = aws_query_run(&q, by, err);
    if (rc && q.note == AWS_NOTE_GONE)
        rc = 0;
    else if (!rc)
        KIT_XML_EACH (item, kit_xml_child(kit_xml_root(&q.xml), "networkInterfaceSet"), "item")
            if (aws_eni_decode(item, &one) && kit_str_eq(one.id, eni))
                foreign =
                    one.requester_managed || (one.type[0] && !kit_str_eq(one.type, "interface") &&
                                              !kit_str_starts(one.type, "efa"));
    aws_query_done(&q);
    if (!rc)
        *ret_foreign = foreign;
    return rc;
}

/* An association without an instance: an ENI that lost its instance (a fair takeover), or a NAT
 * gateway, a load balancer and the like (never ours to take).  The ENI's type tells. */
static void look_behind(struct aws_cloud *cloud, struct target *t, struct kit_deadline by)
{
    struct kit_binding *b = t->query->facts.binding;
    bool foreign = false;

    t->query->failed = aws_eip_is_foreign(cloud, b->holder, by, &foreign, &t->query->err) != 0;
    if (t->query->failed)
        (void)kit_err_wrap(&t->query->err, "find out what %s is, which has %s", b->holder,
                           b->place);
    else if (foreign)
        b->state = KIT_BINDING_FOREIGN;
}

static void finish_target(struct aws_cloud *cloud, struct target *t, struct kit_deadline by)
{
    struct kit_query *query = t->query;
    char text[KIT_ADDR_TEXT];
    const struct kit_binding *b;

    if (!query || query->failed || !query->for_claim)
        return;
    if (!query->facts.count) {
        query->failed = true;
        (void)kit_err_set(&query->err, KIT_ERR_NOT_FOUND,
                          "DescribeAddresses: no Elastic IP %s in this account and region",
                          t->allocation_id ? t->allocation_id : kit_addr_text(t->address, text));
        return;
    }
    b = query->facts.binding;
    if (b->state == KIT_BINDING_HELD && !b->mine && !b->node[0] && b->holder[0])
        look_behind(cloud, t, by);
    if (query->failed)
        return;
    if (query->for_advice) {
        aws_pair_find(cloud, &query->facts, t->me.eni, t->private_address, by, &t->pair);
        t->way.asked = true;
        if (t->pair.why[0])
            (void)kit_str_copy(t->way.why, sizeof(t->way.why), t->pair.why);
        else
            aws_way_out_find(cloud, &t->pair.mine, by, &t->way);
    }
    kit_rules_check(rules, KIT_LEN(rules), t, &query->facts);
}

static void prepare_target(struct aws_cloud *cloud, struct target *t, struct kit_query *query,
                           struct kit_deadline by)
{
    const struct kit_settings *settings = query->settings;

    t->allocation_id = kit_settings_text(settings, KIT_PARAM_ALLOCATION_ID);
    t->address = kit_settings_addr(settings, KIT_PARAM_ADDRESS);
    t->private_address = kit_settings_addr(settings, KIT_PARAM_PRIVATE_ADDRESS);
    if (aws_me_find(cloud, settings, AWS_ME_ENI, by, &t->me, &query->err)) {
        query->failed = true;
        return;
    }
    t->query = query;
    kit_facts_set_me(&query->facts, &t->me);
}

static int locate(struct kit_cloud *base, struct kit_query query[], size_t count,
                  struct kit_deadline by, struct kit_err *err)
{
    struct aws_cloud *cloud = (struct aws_cloud *)base;
    struct target *t;

    if (aws_ec2_ready(cloud, by, err))
        return -1;
    t = kit_mem_new(count, sizeof(*t));
    for (size_t i = 0; i < count; i++)
        prepare_target(cloud, &t[i], &query[i], by);
    search(cloud, t, count, true, by);
    search(cloud, t, count, false, by);
    for (size_t i = 0; i < count; i++)
        finish_target(cloud, &t[i], by);
    free(t);
    return 0;
}

/* ---- changing -------------------------------------------------------------------------------- */

static int claim(struct kit_cloud *base, const struct kit_settings *settings,
                 const struct kit_facts *facts, struct kit_step step[], size_t count,
                 struct kit_deadline by, struct kit_err *err)
{
    const char *private_address = kit_settings_text(settings, KIT_PARAM_PRIVATE_ADDRESS);
    struct aws_query q;
    int rc = 0;

    for (size_t i = 0; i < count && !rc; i++) { /* an Elastic IP is one binding: one step */
        aws_query_init(&q, (struct aws_cloud *)base, &aws_ec2, "AssociateAddress", AWS_MUTATES);
        aws_query_param(&q, "AllocationId", step[i].binding->place);
        aws_query_param(&q, "NetworkInterfaceId", facts->me);
        aws_query_param(&q, "AllowReassociation", "true");
        if (private_address)
            aws_query_param(&q, "PrivateIpAddress", private_address);
        rc = aws_query_run(&q, by, err);
        aws_step_result(&q, &step[i]);
        aws_query_done(&q);
    }
    return rc;
}

static int release(struct kit_cloud *base, const struct kit_settings *settings,
                   const struct kit_facts *facts, struct kit_step step[], size_t count,
                   struct kit_deadline by, struct kit_err *err)
{
    struct aws_query q;
    int rc = 0;

    (void)settings;
    (void)facts;
    for (size_t i = 0; i < count && !rc; i++) {
        aws_query_init(&q, (struct aws_cloud *)base, &aws_ec2, "DisassociateAddress", AWS_MUTATES);
        aws_query_param(&q, "AssociationId", step[i].binding->handle);
        rc = aws_query_run(&q, by, err);
        aws_step_result(&q, &step[i]);
        if (rc &&
            q.note == AWS_NOTE_GONE) { /* that association is no more: nothing left to release */
            step[i].result = KIT_STEP_DONE;
            rc = 0;
        }
        aws_query_done(&q);
    }
    return rc;
}

/* ---- tables ---------------------------------------------------------------------------------- */

static const struct kit_param_use params[] = {
    {KIT_PARAM_ADDRESS, false, 1},         {KIT_PARAM_ALLOCATION_ID, false, 1},
    {KIT_PARAM_INTERFACE, false, 2},       {KIT_PARAM_ENI, false, 2},
    {KIT_PARAM_PRIVATE_ADDRESS, false, 0},
};

static const struct kit_permission permissions[] = {
    {"ec2:DescribeAddresses", "*", "to see where the Elastic IP is", KIT_ALWAYS},
    {"ec2:DescribeNetworkInterfaces", "*", "to tell a node's interface from a NAT gateway's",
     KIT_ALWAYS},
    {"ec2:AssociateAddress", "elastic-ip, network-interface", "to bind it here", KIT_ALWAYS},
    {"ec2:DisassociateAddress", "elastic-ip, network-interface", "to release our own association",
     KIT_ALWAYS},
    {"ec2:DescribeRouteTables", "*", "to see whether the subnet has a way to the Internet",
     KIT_ADVICE},
};

extern const struct kit_mover kit_aws_elastic_ip;
const struct kit_mover kit_aws_elastic_ip = {
    .provider = "aws",
    .scenario = "elastic-ip",
    .moves = "the association of the Elastic IP",
    .params = params,
    .params_count = KIT_LEN(params),
    .permissions = permissions,
    .permissions_count = KIT_LEN(permissions),
    .rules = rules,
    .rules_count = KIT_LEN(rules),
    .nic_serves = true,
    .locate = locate,
    .claim = claim,
    .release = release,
};
