/* aws eni: the attachment of one secondary ENI, moved to this instance with all its addresses.
 *
 * locate: DescribeNetworkInterfaces, one call for all resources; who we are says the metadata
 * service.  claim and release: see eni_move.c.  It works within one availability zone, and only
 * while the old instance, or whoever stops it, lets go of the ENI. */
#include "kit/cloud/aws/eni.h"

#include <stdlib.h>
#include <string.h>

#include "kit/base/mem.h"
#include "kit/base/str.h"
#include "kit/cloud/aws/advice.h"
#include "kit/cloud/aws/imds.h"

/* Who we are. */
struct place {
    char node[KIT_ID];
    char zone[32]; /* "" when not known */
};

struct target {
    struct kit_query *query;
    const char *id;
    bool seen;
    struct aws_nic nic;
    const struct place *place;
    struct aws_room room; /* here, for advice and where it is to come here */
};

/* ---- rules ----------------------------------------------------------------------------------- */

static enum kit_rule_answer check_secondary(const void *evidence, struct kit_buf *detail)
{
    const struct target *t = evidence;

    (void)kit_buf_printf(detail, "%s is the primary interface of %s", t->id, t->nic.eni.node);
    return t->nic.device_index == 0 ? KIT_RULE_BROKEN : KIT_RULE_HOLDS;
}

static enum kit_rule_answer check_zone(const void *evidence, struct kit_buf *detail)
{
    const struct target *t = evidence;

    if (!t->nic.zone[0] || !t->place->zone[0])
        return KIT_RULE_NOT_KNOWN;
    (void)kit_buf_printf(detail, "%s is in %s, %s in %s", t->id, t->nic.zone, t->place->node,
                         t->place->zone);
    return kit_str_eq(t->nic.zone, t->place->zone) ? KIT_RULE_HOLDS : KIT_RULE_BROKEN;
}

static enum kit_rule_answer check_room(const void *evidence, struct kit_buf *detail)
{
    const struct target *t = evidence;

    if (!t->room.asked)
        return KIT_RULE_NOT_KNOWN;
    if (t->room.why[0]) {
        (void)kit_buf_puts(detail, t->room.why);
        return KIT_RULE_NOT_KNOWN;
    }
    (void)kit_buf_printf(detail, "%s (%s) has %lld interfaces of %lld", t->place->node,
                         t->room.type, (long long)t->room.used, (long long)t->room.limit);
    return t->room.used < t->room.limit ? KIT_RULE_HOLDS : KIT_RULE_BROKEN;
}

static enum kit_rule_answer check_kept(const void *evidence, struct kit_buf *detail)
{
    const struct target *t = evidence;

    if (!t->nic.attachment[0])
        return KIT_RULE_NOT_KNOWN;
    (void)kit_buf_printf(detail, "%s is deleted with %s when that is terminated", t->id,
                         t->nic.eni.node);
    return t->nic.dies_with_node ? KIT_RULE_BROKEN : KIT_RULE_HOLDS;
}

static const struct kit_rule rules[] = {
    {20, KIT_RULE_WARN,
     "an instance takes as many interfaces as its type allows: the old node "
     "would lose it, and this one not get it",
     "detach another one from it, or use a larger instance type", check_room},
    {51, KIT_RULE_REFUSE, "a primary interface cannot be detached from its instance",
     "name a secondary interface", check_secondary},
    {53, KIT_RULE_REFUSE, "an interface can be attached to instances of its own zone alone",
     "use nodes of one zone, or another scenario", check_zone},
    {59, KIT_RULE_WARN, "with the instance the interface and its addresses are gone",
     "set DeleteOnTermination of its attachment to false", check_kept},
};

/* ---- reading --------------------------------------------------------------------------------- */

static int find_place(struct aws_cloud *cloud, struct kit_deadline by, struct place *ret_place,
                      struct kit_err *err)
{
    struct kit_metadata_item item[] = {
        {.path = "meta-data/instance-id", .value = KIT_BUF_SECRET(KIT_METADATA_BODY_BYTES)},
        {.path = "meta-data/placement/availability-zone",
         .optional = true,
         .value = KIT_BUF_SECRET(KIT_METADATA_BODY_BYTES)},
    };
    struct place place = {.node = ""};
    int rc = aws_imds_read(cloud, item, KIT_LEN(item), by, err);

    if (rc)
        (void)kit_err_wrap(err, "find out which instance this is");
    else if (!kit_str_copy(place.node, sizeof(place.node), item[0].value.data) || !place.node[0])
        rc = kit_err_set(err, KIT_ERR_PROTOCOL, "the metadata service's instance-id is no id");
    if (!kit_str_copy(place.zone, sizeof(place.zone), item[1].value.data))
        place.zone[0] = '\0';
    for (size_t i = 0; i < KIT_LEN(item); i++)
        kit_buf_done(&item[i].value);
    if (!rc)
        *ret_place = place;
    return rc;
}

/* Targets that one call serves. */
struct job {
    struct target *target;
    size_t count;
    struct aws_nic_list list;
};

/* aws_nic_list: a filter, for an id that is not there would fail the whole call. */
static void ask(void *arg, struct aws_query *q)
{
    const struct job *job = arg;

    aws_query_filter(q, "network-interface-id");
    for (size_t i = 0; i < job->count; i++)
        aws_query_filter_value(q, (unsigned)i + 1, job->target[i].id);
}

/* aws_nic_list */
static void take(void *arg, const struct kit_xml_node *item)
{
    struct job *job = arg;
    struct aws_nic nic;

    if (!aws_nic_decode(item, &nic))
        return;
    for (size_t i = 0; i < job->count; i++) {
        if (!kit_str_eq(nic.eni.id, job->target[i].id))
            continue;
        job->target[i].nic = nic;
        job->target[i].seen = true;
    }
}

/* Attaching and detaching: held by that instance, and not right. */
static void judge(struct target *t)
{
    struct kit_binding *b = kit_facts_add(&t->query->facts);
    const struct aws_nic *nic = &t->nic;

    (void)kit_str_copy(b->place, sizeof(b->place), t->id);
    (void)kit_str_copy(b->holder, sizeof(b->holder), nic->eni.node);
    (void)kit_str_copy(b->node, sizeof(b->node), nic->eni.node);
    (void)kit_str_copy(b->handle, sizeof(b->handle), nic->attachment);
    if (aws_nic_is_foreign(nic)) {
        b->state = KIT_BINDING_FOREIGN;
        return;
    }
    b->state = b->holder[0] ? KIT_BINDING_HELD : KIT_BINDING_FREE;
    b->mine = b->holder[0] && nic->device_index != 0 && kit_str_eq(b->holder, t->place->node);
    b->right = b->mine && kit_str_eq(nic->attachment_state, "attached");
}

static void finish(struct aws_cloud *cloud, struct target *t, struct kit_deadline by)
{
    struct kit_query *query = t->query;

    if (t->seen)
        judge(t);
    if (!query->for_claim)
        return;
    if (t->seen && query->for_advice && !kit_str_eq(t->nic.eni.node, t->place->node))
        aws_room_find(cloud, t->place->node, by, &t->room);
    if (t->seen) {
        kit_rules_check(rules, KIT_LEN(rules), t, &query->facts);
        return;
    }
    query->failed = true;
    (void)kit_err_set(&query->err, KIT_ERR_NOT_FOUND,
                      "DescribeNetworkInterfaces: no ENI %s in this account and region", t->id);
}

static void search(struct aws_cloud *cloud, struct target *t, size_t count, struct kit_deadline by)
{
    for (size_t from = 0; from < count; from += AWS_FILTER_VALUES) {
        struct job job = {.target = t + from,
                          .count =
                              count - from < AWS_FILTER_VALUES ? count - from : AWS_FILTER_VALUES};
        struct kit_err err;

        job.list = (struct aws_nic_list){.cloud = cloud, .ask = ask, .take = take, .arg = &job};
        int rc = aws_nic_list_run(&job.list, by, &err);
        for (size_t i = 0; i < job.count; i++) {
            if (!rc) {
                finish(cloud, &job.target[i], by);
                continue;
            }
            job.target[i].query->failed = true;
            job.target[i].query->err = err;
        }
    }
}

static int locate(struct kit_cloud *base, struct kit_query query[], size_t count,
                  struct kit_deadline by, struct kit_err *err)
{
    struct aws_cloud *cloud = (struct aws_cloud *)base;
    struct place place;
    struct target *t;

    if (aws_ec2_ready(cloud, by, err) || find_place(cloud, by, &place, err))
        return -1;
    t = kit_mem_new(count, sizeof(*t));
    for (size_t i = 0; i < count; i++) {
        struct kit_facts *facts = &query[i].facts;

        t[i] = (struct target){.query = &query[i],
                               .id = kit_settings_text(query[i].settings, KIT_PARAM_ENI),
                               .place = &place};
        (void)kit_str_copy(facts->me, sizeof(facts->me), place.node);
        (void)kit_str_copy(facts->my_node, sizeof(facts->my_node), place.node);
    }
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
    {"ec2:DescribeNetworkInterfaces", "*",
     "to see where the ENI is, and which device indexes are taken here", KIT_ALWAYS},
    {"ec2:DetachNetworkInterface", "instance, network-interface", "to take it off the old instance",
     KIT_ALWAYS},
    {"ec2:AttachNetworkInterface", "instance, network-interface", "to attach it here", KIT_ALWAYS},
    {"ec2:DescribeInstanceTypes", "*", "to see how many interfaces this instance takes",
     KIT_ADVICE},
};

extern const struct kit_mover kit_aws_eni;
const struct kit_mover kit_aws_eni = {
    .provider = "aws",
    .scenario = "eni",
    .moves = "the attachment of the ENI",
    .params = params,
    .params_count = KIT_LEN(params),
    .permissions = permissions,
    .permissions_count = KIT_LEN(permissions),
    .rules = rules,
    .rules_count = KIT_LEN(rules),
    .locate = locate,
    .claim = aws_eni_claim,
    .release = aws_eni_release,
};
