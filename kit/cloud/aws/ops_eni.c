/* aws eni create, list, delete. */
#include "kit/base/mem.h"
#include "kit/base/str.h"
#include "kit/cloud/aws/ops_eni.h"

/* ---- list ------------------------------------------------------------------------------------ */

static int list_run(struct kit_cloud *base, const struct kit_op_call *call,
                    struct kit_op_answer *answer, struct kit_err *err)
{
    struct aws_cloud *cloud = (struct aws_cloud *)base;
    const char *type = kit_op_text(call, "type");
    const struct aws_op_filter filter = {.id = kit_op_text(call, "eni"),
                                         .vpc = kit_op_text(call, "vpc"),
                                         .subnet = kit_op_text(call, "subnet"),
                                         .node = kit_op_text(call, "instance"),
                                         .status = kit_op_text(call, "status"),
                                         .name = kit_op_text(call, "name"),
                                         .device = kit_str_eq(type, "primary") ? "0" : NULL};
    struct aws_op_nics nics = {.count = 0};
    size_t shown = 0;
    int rc;

    answer->columns = aws_op_eni_columns;
    rc = aws_ec2_ready(cloud, call->by, err) ||
         aws_op_find_all(cloud, &filter, call->by, &nics, err);
    for (size_t i = 0; !rc && i < nics.count; i++) {
        if (kit_str_eq(type, "secondary") && nics.nic[i].nic.device_index == 0)
            continue;
        aws_op_eni_row(&nics.nic[i], answer);
        shown++;
    }
    if (!rc && filter.id && !shown)
        rc = kit_err_set(err, KIT_ERR_NOT_FOUND,
                         "DescribeNetworkInterfaces: no ENI %s in this account and region",
                         filter.id);
    if (!rc)
        kit_op_say(answer, "%zu ENI%s", shown, shown == 1 ? "" : "s");
    aws_op_nics_done(&nics);
    return rc ? -1 : 0;
}

/* ---- create ---------------------------------------------------------------------------------- */

struct creation {
    struct aws_cloud *cloud;
    const struct kit_op_call *call;
    struct kit_op_change change;
    struct aws_op_eni evidence;
    struct aws_op_nics twins; /* with that address in the VPC, or else that name in the subnet */
    struct aws_op_nics seen;
    const struct aws_op_nic *nic;
    char id[KIT_ID];
};

/* The subnet and the groups in one round; the VPC that says who has the address comes with it. */
static int read_places(struct creation *c, struct kit_err *err)
{
    const char *subnet = kit_op_text(c->call, "subnet");
    char *const *group = kit_op_list(c->call, "security-groups");
    struct aws_op_eni *e = &c->evidence;
    struct aws_query q[2];
    struct kit_call *const call[] = {&q[0].call, &q[1].call};
    int rc;

    aws_subnet_ask(&q[0], c->cloud, subnet);
    aws_groups_ask(&q[1], c->cloud, group);
    rc = kit_call_all(c->cloud->base.caller, call, KIT_LEN(call), c->call->by, err);
    if (!rc && !aws_subnet_take(&q[0], subnet, &e->subnet))
        rc = kit_err_set(err, KIT_ERR_NOT_FOUND,
                         "DescribeSubnets: no subnet %s in this account and region", subnet);
    e->vpc = e->subnet.vpc;
    e->most = (size_t)kit_op_number(c->call, "max-groups", AWS_OP_GROUPS_DEFAULT);
    if (!rc)
        aws_op_groups_take(&q[1], group, e);
    for (size_t i = 0; i < KIT_LEN(q); i++)
        aws_query_done(&q[i]);
    return rc;
}

static int read_twins(struct creation *c, struct kit_err *err)
{
    const char *name = kit_op_text(c->call, "name");
    char addr[KIT_ADDR_TEXT];
    struct aws_op_filter filter = {.name = name};

    if (c->evidence.address)
        filter = (struct aws_op_filter){.vpc = c->evidence.subnet.vpc,
                                        .address = kit_addr_text(c->evidence.address, addr)};
    else
        filter.subnet = c->evidence.subnet.id;
    if (!name && !c->evidence.address)
        return 0;
    return aws_op_find_all(c->cloud, &filter, c->call->by, &c->twins, err);
}

/* What is what was asked for already: called so, whatever became of it since; with that address
 * alone, as long as no instance has it.  Else whoever has the address is in its way. */
static int find_twin(struct creation *c, const struct aws_op_nic **ret_twin, struct kit_err *err)
{
    const char *name = kit_op_text(c->call, "name");
    char addr[KIT_ADDR_TEXT] = "";

    *ret_twin = NULL;
    if (c->evidence.address)
        (void)kit_addr_text(c->evidence.address, addr);
    for (size_t i = 0; i < c->twins.count; i++) {
        const struct aws_op_nic *n = &c->twins.nic[i];
        bool fits = kit_str_eq(n->nic.subnet, c->evidence.subnet.id) &&
                    (!addr[0] || kit_str_eq(n->primary, addr)) &&
                    (name ? kit_str_eq(n->name, name) : !n->nic.attachment[0]);

        if (!fits && addr[0])
            (void)kit_str_copy(c->evidence.holder, sizeof(c->evidence.holder), n->nic.eni.id);
        if (!fits)
            continue;
        if (*ret_twin)
            return kit_err_set(err, KIT_ERR_REFUSED,
                               "%s and %s are both called so in that subnet: say which --address",
                               (*ret_twin)->nic.eni.id, n->nic.eni.id);
        *ret_twin = n;
    }
    return 0;
}

static int create(struct creation *c, struct kit_err *err)
{
    char *const *group = kit_op_list(c->call, "security-groups");
    const char *name = kit_op_text(c->call, "name");
    char token[KIT_CALL_TOKEN], addr[KIT_ADDR_TEXT], param[32];
    struct aws_query q;
    int rc;

    if (kit_call_token(token, err))
        return -1;
    /* With its token it can be sent until the deadline: it makes one ENI. */
    aws_query_init(&q, c->cloud, &aws_ec2, "CreateNetworkInterface", AWS_MUTATES);
    q.call.repeatable = true;
    aws_query_param(&q, "ClientToken", token);
    aws_query_param(&q, "SubnetId", c->evidence.subnet.id);
    for (unsigned i = 0; group[i]; i++) {
        (void)kit_str_format(param, sizeof(param), "SecurityGroupId.%u", i + 1);
        aws_query_param(&q, param, group[i]);
    }
    if (c->evidence.address)
        aws_query_param(&q, "PrivateIpAddress", kit_addr_text(c->evidence.address, addr));
    if (kit_op_text(c->call, "description"))
        aws_query_param(&q, "Description", kit_op_text(c->call, "description"));
    if (name) {
        aws_query_param(&q, "TagSpecification.1.ResourceType", "network-interface");
        aws_query_param(&q, "TagSpecification.1.Tag.1.Key", "Name");
        aws_query_param(&q, "TagSpecification.1.Tag.1.Value", name);
    }
    rc = aws_query_run(&q, c->call->by, err);
    if (!rc && (!kit_xml_text(kit_xml_child(kit_xml_root(&q.xml), "networkInterface"),
                              "networkInterfaceId", c->id, sizeof(c->id)) ||
                !c->id[0]))
        rc = kit_err_set(err, KIT_ERR_PROTOCOL,
                         "CreateNetworkInterface: an answer without a networkInterfaceId");
    aws_query_done(&q);
    return rc ? -1 : kit_op_change_sent(&c->change, 0, false, err);
}

/* kit_poll_fn: a new id is not known everywhere at once. */
static int until_shown(void *arg, struct kit_err *err)
{
    struct creation *c = arg;

    if (aws_op_find(c->cloud, c->id, c->call->by, &c->seen, &c->nic, err))
        return err->kind == KIT_ERR_NOT_FOUND && !kit_op_change_is_due(&c->change) ? 0 : -1;
    kit_op_tell(c->call->ui, "%s: %s", c->id, c->nic->nic.status);
    return !kit_str_eq(c->nic->nic.status, "pending");
}

static int create_or_find(struct creation *c, struct kit_op_answer *answer, struct kit_err *err)
{
    char addr[KIT_ADDR_TEXT] = "any address";
    const struct aws_op_nic *twin;
    int go;

    if (aws_ec2_ready(c->cloud, c->call->by, err) || read_places(c, err) || read_twins(c, err) ||
        find_twin(c, &twin, err))
        return -1;
    if (twin) {
        aws_op_eni_row(twin, answer);
        kit_op_say(answer, "there is already %s", twin->nic.eni.id);
        return 0;
    }
    if (c->evidence.address)
        (void)kit_addr_text(c->evidence.address, addr);
    if (kit_op_judge(c->call, &c->evidence, answer, err))
        return -1;
    go = kit_op_begin(c->call, answer, err, "create an ENI with %s in %s", addr,
                      c->evidence.subnet.id);
    if (go <= 0)
        return go;
    if (create(c, err) || kit_op_change_until(&c->change, until_shown, c, err))
        return -1;
    aws_op_eni_row(c->nic, answer);
    kit_op_say(answer, "created %s", c->id);
    return 0;
}

static int create_run(struct kit_cloud *base, const struct kit_op_call *call,
                      struct kit_op_answer *answer, struct kit_err *err)
{
    struct creation c = {.cloud = (struct aws_cloud *)base,
                         .call = call,
                         .change = {.clock = base->caller->clock, .by = call->by},
                         .evidence = {.address = kit_op_addr(call, "address")}};
    int rc = create_or_find(&c, answer, err);

    aws_op_nics_done(&c.twins);
    aws_op_nics_done(&c.seen);
    return rc;
}

/* ---- delete ---------------------------------------------------------------------------------- */

struct deletion {
    struct aws_cloud *cloud;
    const struct kit_op_call *call;
    struct kit_op_change change;
    const char *id;
    struct aws_op_nics seen;
    const struct aws_op_nic *nic;
};

/* kit_poll_fn */
static int until_gone(void *arg, struct kit_err *err)
{
    struct deletion *d = arg;
    struct aws_query q;
    bool gone;
    int rc;

    if (aws_op_find(d->cloud, d->id, d->call->by, &d->seen, &d->nic, err))
        return err->kind == KIT_ERR_NOT_FOUND ? 1 : -1;
    kit_op_tell(d->call->ui, "%s: %s", d->id, d->nic->nic.status);
    if (!kit_op_change_is_due(&d->change))
        return 0;
    aws_query_init(&q, d->cloud, &aws_ec2, "DeleteNetworkInterface", AWS_MUTATES);
    q.call.max_tries = KIT_OP_TRIES;
    aws_query_param(&q, "NetworkInterfaceId", d->id);
    rc = aws_query_run(&q, d->call->by, err);
    gone = q.note == AWS_NOTE_GONE;
    aws_query_done(&q);
    return kit_op_change_sent(&d->change, rc, gone, err);
}

static int delete (struct deletion *d, struct kit_op_answer *answer, struct kit_err *err)
{
    struct aws_op_eni evidence = {.groups = 0};
    int go;

    if (aws_ec2_ready(d->cloud, d->call->by, err))
        return -1;
    if (aws_op_find(d->cloud, d->id, d->call->by, &d->seen, &d->nic, err)) {
        if (err->kind != KIT_ERR_NOT_FOUND)
            return -1;
        kit_op_say(answer, "there is no %s", d->id);
        return 0;
    }
    evidence.nic = d->nic;
    if (kit_op_judge(d->call, &evidence, answer, err))
        return -1;
    go = kit_op_begin(d->call, answer, err, "delete %s%s%s", d->id, d->nic->name[0] ? " " : "",
                      d->nic->name);
    if (go <= 0)
        return go;
    if (kit_op_change_until(&d->change, until_gone, d, err))
        return -1;
    kit_op_say(answer, "deleted %s", d->id);
    return 0;
}

static int delete_run(struct kit_cloud *base, const struct kit_op_call *call,
                      struct kit_op_answer *answer, struct kit_err *err)
{
    struct deletion d = {.cloud = (struct aws_cloud *)base,
                         .call = call,
                         .change = {.clock = base->caller->clock, .by = call->by},
                         .id = kit_op_text(call, "eni")};
    int rc = delete (&d, answer, err);

    aws_op_nics_done(&d.seen);
    return rc;
}

/* ---- tables ---------------------------------------------------------------------------------- */

static const struct kit_op_param list_params[] = {
    {"eni", KIT_OP_ID, NULL, false, true, "this one"},
    {"vpc", KIT_OP_ID, NULL, false, false, "of this VPC"},
    {"subnet", KIT_OP_ID, NULL, false, false, "of this subnet"},
    {"instance", KIT_OP_ID, NULL, false, false, "attached to this instance"},
    {"type", KIT_OP_CHOICE, "primary|secondary", false, false,
     "primary: at device index 0; secondary: any other"},
    {"status", KIT_OP_CHOICE, "available|attaching|in-use|detaching|associated|pending", false,
     false, "in this state"},
    {"name", KIT_OP_TEXT, "1..255", false, false, "called so (the tag Name)"},
};
static const struct kit_permission list_permissions[] = {
    {"ec2:DescribeNetworkInterfaces", "*", "to see them", KIT_ALWAYS},
};
const struct kit_op aws_op_eni_list = {
    .object = "eni",
    .verb = "list",
    .does = "which there are, in which state, and who has them",
    .params = list_params,
    .params_count = KIT_LEN(list_params),
    .permissions = list_permissions,
    .permissions_count = KIT_LEN(list_permissions),
    .run = list_run,
};

static const struct kit_op_param create_params[] = {
    {"subnet", KIT_OP_ID, NULL, true, false, "the subnet that it shall be in"},
    {"security-groups", KIT_OP_IDS, NULL, true, false, "one to five, of that VPC"},
    {"address", KIT_OP_ADDRESS, NULL, false, false,
     "its primary one, idle and of the subnet; default: any"},
    {"name", KIT_OP_TEXT, "1..255", false, false,
     "the tag Name; one that is there already is not made again"},
    {"description", KIT_OP_TEXT, "1..255", false, false, "for people"},
    {"max-groups", KIT_OP_NUMBER, "1..16", false, false,
     "security groups that your quota allows; default: 5"},
};
static const struct kit_permission create_permissions[] = {
    {"ec2:DescribeSubnets", "*", "to see whether the address is of it", KIT_ALWAYS},
    {"ec2:DescribeSecurityGroups", "*", "to see whether they are of the VPC", KIT_ALWAYS},
    {"ec2:DescribeNetworkInterfaces", "*", "to see whether it is there", KIT_ALWAYS},
    {"ec2:CreateNetworkInterface", "subnet, network-interface, security-group", "to create it",
     KIT_ALWAYS},
    {"ec2:CreateTags", "network-interface", "to name it, with --name", KIT_ALWAYS},
};
const struct kit_op aws_op_eni_create = {
    .object = "eni",
    .verb = "create",
    .does = "a secondary ENI; without a name and an address each run makes a new one",
    .params = create_params,
    .params_count = KIT_LEN(create_params),
    .permissions = create_permissions,
    .permissions_count = KIT_LEN(create_permissions),
    .rules = aws_op_eni_create_rules,
    .rules_count = KIT_LEN(aws_op_eni_create_rules),
    .run = create_run,
};

static const struct kit_op_param delete_params[] = {
    {"eni", KIT_OP_ID, NULL, true, true, "the ENI"},
};
static const struct kit_permission delete_permissions[] = {
    {"ec2:DescribeNetworkInterfaces", "*", "to see that nobody has it", KIT_ALWAYS},
    {"ec2:DeleteNetworkInterface", "network-interface", "to delete it", KIT_ALWAYS},
};
const struct kit_op aws_op_eni_delete = {
    .object = "eni",
    .verb = "delete",
    .does = "an ENI that no instance has, with its private addresses",
    .params = delete_params,
    .params_count = KIT_LEN(delete_params),
    .permissions = delete_permissions,
    .permissions_count = KIT_LEN(delete_permissions),
    .rules = aws_op_eni_delete_rules,
    .rules_count = KIT_LEN(aws_op_eni_delete_rules),
    .irreversible = true,
    .run = delete_run,
};
