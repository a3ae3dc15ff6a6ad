/* aws private-ip: one secondary private address of an ENI, moved to ours.
 *
 * locate: DescribeNetworkInterfaces by the address, in our VPC; one call serves all resources.  A
 * claim also wants to know our subnet: from the metadata service when `interface` names our ENI,
 * else from the ENI itself, in the same round.
 *
 * claim and release: see private_ip_move.c. */
#include <stdlib.h>
#include <string.h>

#include "kit/base/mem.h"
#include "kit/base/str.h"
#include "kit/cloud/aws/imds.h"
#include "kit/cloud/aws/nic.h"
#include "kit/cloud/aws/private_ip.h"
#include "kit/sys/link.h"

/* An address and, at worst, a VPC of its own: two of EC2's 200 filter values. */
#define PER_CALL (AWS_FILTER_VALUES / 2)

struct target {
    struct kit_query *query; /* NULL: nothing to search for */
    struct kit_me me;
    const struct kit_addr *addr;
    bool held, primary; /* by `holder`; as its primary address */
    struct aws_nic holder;
    bool wants_own, own_seen;
    struct aws_nic own;
    char subnet[KIT_ID];  /* our ENI's, "" when not known */
    struct kit_cidr cidr; /* of it; family 0 when not known */
};

/* ---- rules ----------------------------------------------------------------------------------- */

static enum kit_rule_answer check_subnet(const void *evidence, struct kit_buf *detail)
{
    const struct target *t = evidence;
    char addr[KIT_ADDR_TEXT], cidr[KIT_CIDR_TEXT];

    if (t->held) {
        if (!t->subnet[0] || !t->holder.subnet[0])
            return KIT_RULE_NOT_KNOWN;
        (void)kit_buf_printf(detail, "%s has it in %s, %s is in %s", t->holder.eni.id,
                             t->holder.subnet, t->me.eni, t->subnet);
        return kit_str_eq(t->holder.subnet, t->subnet) ? KIT_RULE_HOLDS : KIT_RULE_BROKEN;
    }
    if (!t->cidr.addr.family)
        return KIT_RULE_NOT_KNOWN;
    (void)kit_buf_printf(detail, "%s is not in %s of %s", kit_addr_text(t->addr, addr),
                         kit_cidr_text(&t->cidr, cidr), t->subnet);
    return kit_cidr_contains(&t->cidr, t->addr) ? KIT_RULE_HOLDS : KIT_RULE_BROKEN;
}

static enum kit_rule_answer check_attached(const void *evidence, struct kit_buf *detail)
{
    const struct target *t = evidence;

    if (!t->own_seen)
        return KIT_RULE_NOT_KNOWN; /* found by the interface: it is here */
    (void)kit_buf_printf(detail, "%s is %s", t->me.eni, t->own.status);
    return t->own.eni.node[0] ? KIT_RULE_HOLDS : KIT_RULE_BROKEN;
}

static enum kit_rule_answer check_managed(const void *evidence, struct kit_buf *detail)
{
    const struct target *t = evidence;

    (void)kit_buf_printf(detail, "%s belongs to a service of the cloud", t->me.eni);
    return t->own_seen && aws_nic_is_foreign(&t->own) && t->own.eni.node[0] ? KIT_RULE_BROKEN
                                                                            : KIT_RULE_HOLDS;
}

static const struct kit_rule rules[] = {
    {44, KIT_RULE_REFUSE, "a private address belongs to one subnet, that of its interface",
     "use nodes in one subnet and an idle address of it", check_subnet},
    {50, KIT_RULE_REFUSE, "an interface that is attached to no instance serves nobody",
     "attach it to this node first", check_attached},
    {58, KIT_RULE_REFUSE, "the addresses of a service's interface cannot be changed",
     "name an interface of this node", check_managed},
};

/* ---- reading --------------------------------------------------------------------------------- */

static bool is_active(const struct target *t)
{
    return t->query && !t->query->failed;
}

static void fail(struct target *t, const struct kit_err *err)
{
    t->query->failed = true;
    t->query->err = *err;
}

static bool same_address(const struct kit_xml_node *item, const char *name,
                         const struct kit_addr *wanted)
{
    char text[KIT_ADDR_TEXT];
    struct kit_addr addr;

    return kit_xml_text(item, name, text, sizeof(text)) && kit_addr_parse(text, &addr) &&
           kit_addr_eq(&addr, wanted);
}

/* Has the ENI this very address?  Compared as addresses, whole. */
static bool carries(const struct kit_xml_node *item, const struct kit_addr *addr, bool *ret_primary)
{
    bool v6 = addr->family == 6;
    char flag[8];

    KIT_XML_EACH (one, kit_xml_child(item, v6 ? "ipv6AddressesSet" : "privateIpAddressesSet"),
                  "item") {
        if (!same_address(one, v6 ? "ipv6Address" : "privateIpAddress", addr))
            continue;
        (void)kit_xml_text(one, v6 ? "isPrimaryIpv6" : "primary", flag, sizeof(flag));
        *ret_primary = kit_str_eq(flag, "true");
        return true;
    }
    *ret_primary = true;
    return !v6 && same_address(item, "privateIpAddress", addr);
}

/* Targets that one call serves: the same question about each. */
enum question {
    HOLDER_IPV4,
    HOLDER_IPV6,
    OWN
};
struct job {
    enum question question;
    struct target *target[PER_CALL];
    size_t count;
    struct aws_nic_list list;
};

static bool concerns(enum question question, const struct target *t)
{
    switch (question) {
    case HOLDER_IPV4: return is_active(t) && t->addr->family == 4;
    case HOLDER_IPV6: return is_active(t) && t->addr->family == 6;
    case OWN: break;
    }
    return is_active(t) && t->wants_own;
}

/* aws_nic_list: the filters. */
static void ask(void *arg, struct aws_query *q)
{
    static const char *const filter[] = {"addresses.private-ip-address",
                                         "ipv6-addresses.ipv6-address", "network-interface-id"};
    struct job *job = arg;
    char text[KIT_ADDR_TEXT];
    unsigned n = 0;

    aws_query_filter(q, filter[job->question]);
    for (size_t i = 0; i < job->count; i++)
        aws_query_filter_value(q, (unsigned)i + 1,
                               job->question == OWN ? job->target[i]->me.eni
                                                    : kit_addr_text(job->target[i]->addr, text));
    if (job->question == OWN)
        return;
    aws_query_filter(q, "vpc-id");
    for (size_t i = 0; i < job->count; i++)
        if (i == 0 || !kit_str_eq(job->target[i]->me.vpc, job->target[i - 1]->me.vpc))
            aws_query_filter_value(q, ++n, job->target[i]->me.vpc);
}

/* aws_nic_list: one ENI.  While the address moves two may show it: then the other node's counts. */
static void take(void *arg, const struct kit_xml_node *item)
{
    struct job *job = arg;
    struct aws_nic nic;
    bool primary;

    if (!aws_nic_decode(item, &nic))
        return;
    for (size_t i = 0; i < job->count; i++) {
        struct target *t = job->target[i];
        bool ours = kit_str_eq(nic.eni.id, t->me.eni);

        if (job->question == OWN && ours) {
            t->own = nic;
            t->own_seen = true;
        } else if (job->question != OWN && kit_str_eq(nic.vpc, t->me.vpc) &&
                   carries(item, t->addr, &primary) && !(t->held && ours)) {
            t->holder = nic;
            t->held = true;
            t->primary = primary;
        }
    }
}

static size_t make_jobs(struct aws_cloud *cloud, struct target *t, size_t count, struct job *job)
{
    size_t jobs = 0;

    for (enum question question = HOLDER_IPV4; question <= OWN; question++) {
        struct job *open = NULL;

        for (size_t i = 0; i < count; i++) {
            if (!concerns(question, &t[i]))
                continue;
            if (!open || open->count == PER_CALL) {
                open = &job[jobs++];
                open->question = question;
                open->list =
                    (struct aws_nic_list){.cloud = cloud, .ask = ask, .take = take, .arg = open};
            }
            open->target[open->count++] = &t[i];
        }
    }
    return jobs;
}

/* All first pages in one round. */
static void search(struct aws_cloud *cloud, struct target *t, size_t count, struct kit_deadline by)
{
    size_t most = 3 * (count / PER_CALL + 1);
    struct job *job = kit_mem_new(most, sizeof(*job));
    struct kit_call **call = kit_mem_new(most, sizeof(struct kit_call *));
    size_t jobs = make_jobs(cloud, t, count, job);
    struct kit_err err;

    for (size_t i = 0; i < jobs; i++) {
        aws_nic_list_begin(&job[i].list);
        call[i] = &job[i].list.query.call;
    }
    if (jobs && kit_call_all(cloud->base.caller, call, jobs, by, &err))
        (void)err; /* each list's own error is looked at below */
    for (size_t i = 0; i < jobs; i++) {
        if (!aws_nic_list_finish(&job[i].list, by, &err))
            continue;
        for (size_t k = 0; k < job[i].count; k++)
            fail(job[i].target[k], &err);
    }
    free(call);
    free(job);
}

/* Our subnet, as the metadata service knows it of the interface with this MAC.  Whatever goes
 * wrong: not known. */
static void ask_subnet(struct aws_cloud *cloud, struct target *t, const char *mac,
                       struct kit_deadline by)
{
    const char *const leaf[] = {"subnet-id", t->addr->family == 6 ? "subnet-ipv6-cidr-blocks"
                                                                  : "subnet-ipv4-cidr-block"};
    char path[KIT_LEN(leaf)][96];
    struct kit_metadata_item item[KIT_LEN(leaf)];
    struct kit_err ignored;

    for (size_t i = 0; i < KIT_LEN(leaf); i++) {
        (void)kit_str_format(path[i], sizeof(path[i]), "meta-data/network/interfaces/macs/%s/%s",
                             mac, leaf[i]);
        item[i] = (struct kit_metadata_item){
            .path = path[i], .optional = true, .value = KIT_BUF_SECRET(KIT_METADATA_BODY_BYTES)};
    }
    if (!aws_imds_read(cloud, item, KIT_LEN(leaf), by, &ignored)) {
        for (size_t i = 0; i < KIT_LEN(leaf); i++) /* of several lines the first */
            if (item[i].found && item[i].value.len_bytes)
                item[i].value.data[strcspn(item[i].value.data, "\r\n")] = '\0';
        if (!kit_str_copy(t->subnet, sizeof(t->subnet), item[0].value.data))
            t->subnet[0] = '\0';
        if (!kit_cidr_parse(item[1].value.data, &t->cidr))
            t->cidr = (struct kit_cidr){0};
    }
    for (size_t i = 0; i < KIT_LEN(leaf); i++)
        kit_buf_done(&item[i].value);
}

static void prepare(struct aws_cloud *cloud, struct target *t, struct kit_query *query,
                    struct kit_deadline by)
{
    const struct kit_settings *settings = query->settings;
    struct kit_link link;
    struct kit_err ignored;

    t->addr = kit_settings_addr(settings, KIT_PARAM_ADDRESS);
    if (aws_me_find(cloud, settings, AWS_ME_VPC, by, &t->me, &query->err)) {
        query->failed = true;
        return;
    }
    t->query = query;
    kit_facts_set_me(&query->facts, &t->me);
    if (!query->for_claim)
        return;
    if (t->me.interface[0] && !kit_link_read(t->me.interface, &link, &ignored))
        ask_subnet(cloud, t, link.mac, by);
    t->wants_own = !t->subnet[0];
}

static void judge(struct target *t)
{
    struct kit_binding *b = kit_facts_add(&t->query->facts);

    (void)kit_addr_text(t->addr, b->place);
    if (!t->held) {
        b->state = KIT_BINDING_FREE;
        return;
    }
    (void)kit_str_copy(b->holder, sizeof(b->holder), t->holder.eni.id);
    (void)kit_str_copy(b->node, sizeof(b->node), t->holder.eni.node);
    if (t->primary || aws_nic_is_foreign(&t->holder)) {
        b->state = KIT_BINDING_FOREIGN;
        return;
    }
    b->mine = kit_str_eq(b->holder, t->me.eni);
    /* On an ENI that is attached to nothing it serves nobody. */
    b->state = b->node[0] ? KIT_BINDING_HELD : KIT_BINDING_BLACKHOLE;
    b->right = b->mine && b->node[0];
}

/* What a claim needs beyond where it is. */
static void judge_claim(struct aws_cloud *cloud, struct target *t, struct kit_deadline by)
{
    struct kit_query *query = t->query;
    char text[KIT_ADDR_TEXT];

    if (t->wants_own && !t->own_seen) {
        query->failed = true;
        (void)kit_err_set(&query->err, KIT_ERR_NOT_FOUND,
                          "DescribeNetworkInterfaces: no ENI %s in this account and region",
                          t->me.eni);
        return;
    }
    if (t->held && t->primary) {
        query->failed = true;
        (void)kit_err_set(&query->err, KIT_ERR_CONFIG,
                          "%s is the primary address of %s%s%s%s, which cannot be moved: use an "
                          "idle address of the subnet",
                          kit_addr_text(t->addr, text), t->holder.eni.id,
                          t->holder.eni.node[0] ? " (" : "", t->holder.eni.node,
                          t->holder.eni.node[0] ? ")" : "");
        return;
    }
    if (t->own_seen) {
        (void)kit_str_copy(query->facts.my_node, sizeof(query->facts.my_node), t->own.eni.node);
        (void)kit_str_copy(query->facts.my_mac, sizeof(query->facts.my_mac), t->own.eni.mac);
        /* Only a free address is held against the subnet's range. */
        if (!t->held && t->own.eni.mac[0])
            ask_subnet(cloud, t, t->own.eni.mac, by);
        (void)kit_str_copy(t->subnet, sizeof(t->subnet), t->own.subnet);
    }
    kit_rules_check(rules, KIT_LEN(rules), t, &query->facts);
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
        prepare(cloud, &t[i], &query[i], by);
    search(cloud, t, count, by);
    for (size_t i = 0; i < count; i++) {
        if (!is_active(&t[i]))
            continue;
        judge(&t[i]);
        if (t[i].query->for_claim)
            judge_claim(cloud, &t[i], by);
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
    {"ec2:DescribeNetworkInterfaces", "*", "to see which interface has the address", KIT_ALWAYS},
    {"ec2:AssignPrivateIpAddresses", "network-interface", "to put an IPv4 address here",
     KIT_WHEN(KIT_PARAM_ADDRESS, "ipv4")},
    {"ec2:UnassignPrivateIpAddresses", "network-interface", "to release our own IPv4 address",
     KIT_WHEN(KIT_PARAM_ADDRESS, "ipv4")},
    {"ec2:AssignIpv6Addresses", "network-interface", "to put an IPv6 address here",
     KIT_WHEN(KIT_PARAM_ADDRESS, "ipv6")},
    {"ec2:UnassignIpv6Addresses", "network-interface",
     "to take an IPv6 address off another node, and to release our own",
     KIT_WHEN(KIT_PARAM_ADDRESS, "ipv6")},
};

extern const struct kit_mover kit_aws_private_ip;
const struct kit_mover kit_aws_private_ip = {
    .provider = "aws",
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
    .claim = aws_private_ip_claim,
    .release = aws_private_ip_release,
};
