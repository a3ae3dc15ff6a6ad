/* kit/cloud/aws/ops_eip.c - `eip list`, `bind`, `unbind`, and why there is no `convert`.
 *
 * One call binds, and takes from who has it when it may; every association has an id of its own, so
 * that an unbind never hits one that was made meanwhile. */
#include "kit/base/mem.h"
#include "kit/base/str.h"
#include "kit/cloud/aws/elastic_ip.h"
#include "kit/cloud/aws/ops.h"

struct eip {
    char id[KIT_ID], association[KIT_ID], eni[KIT_ID], node[KIT_ID];
    char address[KIT_ADDR_TEXT], private_address[KIT_ADDR_TEXT];
    bool managed;
};

static const char *const columns[] = {
    "eip", "address", "eni", "instance", "private_address", "association", "managed", NULL};

static void put_row(struct kit_op_answer *answer, const struct eip *eip)
{
    struct kit_op_row *row = kit_op_answer_add(answer);
    const char *const cell[] = {eip->id,
                                eip->address,
                                eip->eni,
                                eip->node,
                                eip->private_address,
                                eip->association,
                                eip->managed ? "yes" : NULL};

    answer->columns = columns;
    for (size_t i = 0; i < KIT_LEN(cell); i++)
        kit_op_cell(row, i, cell[i]);
}

/* ---- reading --------------------------------------------------------------------------------- */

static int decode(const struct kit_xml_node *item, struct eip *ret_eip, struct kit_err *err)
{
    struct eip eip = {.managed = aws_eip_is_managed(item)};

    if (aws_take_id(item, "allocationId", eip.id, err) ||
        aws_take_id(item, "associationId", eip.association, err) ||
        aws_take_id(item, "networkInterfaceId", eip.eni, err) ||
        aws_take_id(item, "instanceId", eip.node, err))
        return -1;
    (void)kit_xml_text(item, "publicIp", eip.address, sizeof(eip.address));
    (void)kit_xml_text(item, "privateIpAddress", eip.private_address, sizeof(eip.private_address));
    *ret_eip = eip;
    return 0;
}

/* `name` is an allocation id or an address, as a filter: what does not exist is no error. */
static void encode_search(struct aws_query *q, struct aws_cloud *cloud, const char *name)
{
    struct kit_addr addr;

    aws_query_describe(q, cloud, "DescribeAddresses", "addressesSet");
    if (!name)
        return;
    aws_query_filter(q, kit_addr_parse(name, &addr) ? "public-ip" : "allocation-id");
    aws_query_filter_value(q, 1, name);
}

static int find(struct aws_cloud *cloud, const char *name, struct kit_deadline by,
                struct eip *ret_eip, struct kit_err *err)
{
    struct aws_query q;
    bool found = false;
    int rc;

    encode_search(&q, cloud, name);
    rc = aws_query_run(&q, by, err);
    if (!rc) {
        KIT_XML_EACH (item, kit_xml_child(kit_xml_root(&q.xml), "addressesSet"), "item") {
            struct eip eip;

            if (rc || found || (rc = decode(item, &eip, err)))
                continue;
            found = kit_str_eq(eip.id, name) || kit_str_eq(eip.address, name);
            if (found)
                *ret_eip = eip;
        }
    }
    aws_query_done(&q);
    if (!rc && !found)
        return kit_err_set(err, KIT_ERR_NOT_FOUND,
                           "DescribeAddresses: no Elastic IP %s in this account and region", name);
    return rc;
}

static int run_list(struct kit_cloud *base, const struct kit_op_call *call,
                    struct kit_op_answer *answer, struct kit_err *err)
{
    struct aws_cloud *cloud = (struct aws_cloud *)base;
    const char *name = kit_op_text(call, "eip"), *on = kit_op_text(call, "on");
    struct aws_query q;
    int rc;

    answer->columns = columns;
    if (aws_ec2_ready(cloud, call->by, err))
        return -1;
    encode_search(&q, cloud, name);
    rc = aws_query_run(&q, call->by, err);
    if (!rc) {
        KIT_XML_EACH (item, kit_xml_child(kit_xml_root(&q.xml), "addressesSet"), "item") {
            struct eip eip;

            if (rc || (rc = decode(item, &eip, err)))
                continue;
            if (!on || kit_str_eq(on, eip.eni) || kit_str_eq(on, eip.node))
                put_row(answer, &eip);
        }
    }
    aws_query_done(&q);
    if (rc)
        return -1;
    if (name && !answer->rows)
        return kit_err_set(err, KIT_ERR_NOT_FOUND,
                           "DescribeAddresses: no Elastic IP %s%s%s in this account and region",
                           name, on ? " on " : "", on ? on : "");
    kit_op_say(answer, "%zu EIP%s", answer->rows, answer->rows == 1 ? "" : "s");
    return 0;
}

/* ---- whom it is for -------------------------------------------------------------------------- */

struct holder {
    char eni[KIT_ID], primary[KIT_ADDR_TEXT];
};

/* An instance stands for its first interface: AssociateAddress takes it only where that is the only
 * one. */
static int find_holder(struct aws_cloud *cloud, const struct kit_op_call *call,
                       struct holder *ret_holder, struct kit_err *err)
{
    const char *eni = kit_op_text(call, "eni"), *node = kit_op_text(call, "instance");
    struct holder h = {.eni = ""};
    struct aws_query q;
    int rc;

    aws_query_describe(&q, cloud, "DescribeNetworkInterfaces", "networkInterfaceSet");
    aws_query_filter(&q, eni ? "network-interface-id" : "attachment.instance-id");
    aws_query_filter_value(&q, 1, eni ? eni : node);
    if (!eni) {
        aws_query_filter(&q, "attachment.device-index");
        aws_query_filter_value(&q, 1, "0");
    }
    rc = aws_query_run(&q, call->by, err);
    if (!rc) {
        const struct kit_xml_node *item =
            kit_xml_child(kit_xml_child(kit_xml_root(&q.xml), "networkInterfaceSet"), "item");

        rc = item ? aws_take_id(item, "networkInterfaceId", h.eni, err) : 0;
        (void)kit_xml_text(item, "privateIpAddress", h.primary, sizeof(h.primary));
    }
    aws_query_done(&q);
    if (!rc && !h.eni[0])
        return kit_err_set(err, KIT_ERR_NOT_FOUND,
                           "DescribeNetworkInterfaces: no %s %s in this account and region",
                           eni ? "ENI" : "instance with interfaces", eni ? eni : node);
    if (!rc)
        *ret_holder = h;
    return rc;
}

/* ---- bind ------------------------------------------------------------------------------------ */

struct bind {
    struct aws_cloud *cloud;
    const struct kit_op_call *call;
    struct holder holder;
    char wanted[KIT_ADDR_TEXT]; /* private address, "" = not known */
    struct eip eip;             /* as last seen */
    char was[KIT_ID];           /* the association that there was before, "" = none */
    struct kit_op_change change;
    bool lost; /* an answer to it was: what is there may be ours */
};

static bool is_right(const struct bind *b)
{
    struct kit_addr wanted, mapped;

    return b->eip.association[0] && kit_str_eq(b->eip.eni, b->holder.eni) &&
           (!kit_addr_parse(b->wanted, &wanted) ||
            (kit_addr_parse(b->eip.private_address, &mapped) && kit_addr_eq(&wanted, &mapped)));
}

/* Nobody's, ours, or to be taken from a node. */
static int check(const struct bind *b, struct kit_err *err)
{
    const struct eip *eip = &b->eip;
    bool foreign = eip->managed;

    if (!eip->association[0] || kit_str_eq(eip->eni, b->holder.eni))
        return 0;
    if (!foreign && !eip->node[0] && eip->eni[0] &&
        aws_eip_is_foreign(b->cloud, eip->eni, b->call->by, &foreign, err))
        return kit_err_wrap(err, "find out what %s is", eip->eni);
    if (foreign)
        return kit_err_set(err, KIT_ERR_STATE,
                           "%s is on %s, which belongs to a service of the cloud: it is not taken",
                           eip->id, eip->eni[0] ? eip->eni : "something");
    if (kit_op_flag(b->call, "take"))
        return 0;
    return kit_err_set(err, KIT_ERR_STATE, "%s is in use on %s: unbind it first, or say --take",
                       eip->id, eip->eni[0] ? eip->eni : eip->node);
}

static int associate(struct bind *b, struct kit_err *err)
{
    const struct kit_addr *wanted = kit_op_addr(b->call, "private-address");
    bool mine = kit_str_eq(b->eip.eni, b->holder.eni);
    char text[KIT_ADDR_TEXT];
    struct aws_query q;
    int rc;

    aws_query_init(&q, b->cloud, &aws_ec2, "AssociateAddress", AWS_MUTATES);
    aws_query_param(&q, "AllocationId", b->eip.id);
    aws_query_param(&q, "NetworkInterfaceId", b->holder.eni);
    /* Always sent: EC2's default and those of its imitations differ. */
    aws_query_param(&q, "AllowReassociation",
                    mine || kit_op_flag(b->call, "take") ? "true" : "false");
    if (wanted)
        aws_query_param(&q, "PrivateIpAddress", kit_addr_text(wanted, text));
    q.call.max_tries = KIT_OP_TRIES;
    rc = aws_query_run(&q, b->call->by, err);
    b->lost = b->lost || (rc && err->outcome_open);
    rc = kit_op_change_sent(&b->change, rc, b->lost && q.note == AWS_NOTE_TAKEN, err);
    aws_query_done(&q);
    return rc;
}

/* An association that is neither ours nor the one before: somebody else's. */
static bool is_another(const struct bind *b)
{
    return b->eip.association[0] && !kit_str_eq(b->eip.association, b->was) &&
           !(b->holder.eni[0] && kit_str_eq(b->eip.eni, b->holder.eni));
}

/* kit_poll_fn */
static int look_bound(void *arg, struct kit_err *err)
{
    struct bind *b = arg;
    char id[KIT_ID];

    (void)kit_str_copy(id, sizeof(id), b->eip.id);
    if (find(b->cloud, id, b->call->by, &b->eip, err))
        return -1;
    kit_op_tell(b->call->ui, "%s: on %s", id, b->eip.eni[0] ? b->eip.eni : "nothing");
    if (is_right(b))
        return 1;
    if (is_another(b))
        return kit_err_set(err, KIT_ERR_CONFLICT, "%s is on %s meanwhile", id, b->eip.eni);
    return kit_op_change_is_due(&b->change) ? associate(b, err) : 0;
}

static int bind_it(struct bind *b, struct kit_op_answer *answer, struct kit_err *err)
{
    int rc;

    if (check(b, err))
        return -1;
    (void)kit_str_copy(b->was, sizeof(b->was), b->eip.association);
    rc = kit_op_begin(b->call, answer, err, "bind %s to %s%s%s", b->eip.id, b->holder.eni,
                      b->eip.eni[0] ? ", taking it from " : "", b->eip.eni);
    if (rc <= 0)
        return rc;
    if (associate(b, err) || kit_op_change_until(&b->change, look_bound, b, err))
        return -1;
    kit_op_say(answer, "%s is bound to %s", b->eip.id, b->holder.eni);
    return 0;
}

static int run_bind(struct kit_cloud *base, const struct kit_op_call *call,
                    struct kit_op_answer *answer, struct kit_err *err)
{
    const struct kit_addr *wanted = kit_op_addr(call, "private-address");
    struct bind b = {.cloud = (struct aws_cloud *)base,
                     .call = call,
                     .change = {.clock = base->caller->clock, .by = call->by}};
    int rc = 0;

    answer->columns = columns;
    if (!kit_op_text(call, "eni") == !kit_op_text(call, "instance"))
        return kit_err_set(err, KIT_ERR_USAGE, "name --eni or --instance");
    if (aws_ec2_ready(b.cloud, call->by, err) || find_holder(b.cloud, call, &b.holder, err) ||
        find(b.cloud, kit_op_text(call, "eip"), call->by, &b.eip, err))
        return -1;
    if (wanted)
        (void)kit_addr_text(wanted, b.wanted);
    else
        (void)kit_str_copy(b.wanted, sizeof(b.wanted), b.holder.primary);
    if (is_right(&b))
        kit_op_say(answer, "%s is bound to %s already", b.eip.id, b.holder.eni);
    else
        rc = bind_it(&b, answer, err);
    put_row(answer, &b.eip);
    return rc;
}

/* ---- unbind ---------------------------------------------------------------------------------- */

/* It names the association: a second one is harmless. */
static int disassociate(struct bind *b, struct kit_err *err)
{
    struct aws_query q;
    int rc;

    aws_query_init(&q, b->cloud, &aws_ec2, "DisassociateAddress", AWS_MUTATES);
    q.call.max_tries = KIT_OP_TRIES;
    aws_query_param(&q, "AssociationId", b->was);
    rc = aws_query_run(&q, b->call->by, err);
    rc = kit_op_change_sent(&b->change, rc, q.note == AWS_NOTE_GONE, err);
    aws_query_done(&q);
    return rc;
}

/* kit_poll_fn */
static int look_unbound(void *arg, struct kit_err *err)
{
    struct bind *b = arg;
    char id[KIT_ID];

    (void)kit_str_copy(id, sizeof(id), b->eip.id);
    if (find(b->cloud, id, b->call->by, &b->eip, err))
        return -1;
    kit_op_tell(b->call->ui, "%s: on %s", id, b->eip.eni[0] ? b->eip.eni : "nothing");
    if (!b->eip.association[0])
        return 1;
    if (is_another(b))
        return kit_err_set(err, KIT_ERR_CONFLICT, "%s is on %s meanwhile", id, b->eip.eni);
    return kit_op_change_is_due(&b->change) ? disassociate(b, err) : 0;
}

static int unbind_it(struct bind *b, struct kit_op_answer *answer, struct kit_err *err)
{
    const char *from = kit_op_text(b->call, "from");
    const char *holder = b->eip.eni[0] ? b->eip.eni : b->eip.node;
    int rc;

    if (from && !kit_str_eq(from, b->eip.eni) && !kit_str_eq(from, b->eip.node))
        return kit_err_set(err, KIT_ERR_STATE, "%s is on %s, not on %s", b->eip.id, holder, from);
    if (b->eip.managed)
        return kit_err_set(err, KIT_ERR_STATE,
                           "%s is on %s, which belongs to a service of the cloud", b->eip.id,
                           holder);
    rc = kit_op_begin(b->call, answer, err, "unbind %s from %s", b->eip.id, holder);
    if (rc <= 0)
        return rc;
    (void)kit_str_copy(b->was, sizeof(b->was), b->eip.association);
    rc = disassociate(b, err);
    if (!rc)
        rc = kit_op_change_until(&b->change, look_unbound, b, err);
    if (!rc)
        kit_op_say(answer, "%s is bound to nothing", b->eip.id);
    return rc;
}

static int run_unbind(struct kit_cloud *base, const struct kit_op_call *call,
                      struct kit_op_answer *answer, struct kit_err *err)
{
    struct bind b = {.cloud = (struct aws_cloud *)base,
                     .call = call,
                     .change = {.clock = base->caller->clock, .by = call->by}};
    int rc = 0;

    answer->columns = columns;
    if (aws_ec2_ready(b.cloud, call->by, err) ||
        find(b.cloud, kit_op_text(call, "eip"), call->by, &b.eip, err))
        return -1;
    if (!b.eip.association[0])
        kit_op_say(answer, "%s is bound to nothing already", b.eip.id);
    else
        rc = unbind_it(&b, answer, err);
    put_row(answer, &b.eip);
    return rc;
}

/* ---- convert --------------------------------------------------------------------------------- */

static int run_convert(struct kit_cloud *base, const struct kit_op_call *call,
                       struct kit_op_answer *answer, struct kit_err *err)
{
    (void)base;
    (void)call;
    (void)answer;
    return kit_err_set(err, KIT_ERR_REFUSED,
                       "AWS makes no Elastic IP of a public address that an instance was given: "
                       "allocate one, and bind it (cloudvip eip bind)");
}

/* ---- tables ---------------------------------------------------------------------------------- */

static const struct kit_op_param list_params[] = {
    {"eip", KIT_OP_ID, NULL, false, true, "this one: its allocation id or its address"},
    {"on", KIT_OP_ID, NULL, false, false, "those on this ENI or instance"},
};
static const struct kit_permission list_permissions[] = {
    {"ec2:DescribeAddresses", "*", "to list Elastic IPs", KIT_ALWAYS},
};
const struct kit_op aws_op_eip_list = {
    .object = "eip",
    .verb = "list",
    .does = "the Elastic IPs of the region, and what they are bound to",
    .params = list_params,
    .params_count = KIT_LEN(list_params),
    .permissions = list_permissions,
    .permissions_count = KIT_LEN(list_permissions),
    .run = run_list,
};

static const struct kit_op_param bind_params[] = {
    {"eip", KIT_OP_ID, NULL, true, true, "its allocation id or its address"},
    {"eni", KIT_OP_ID, NULL, false, false, "bind it to this ENI"},
    {"instance", KIT_OP_ID, NULL, false, false, "bind it to this instance's first ENI"},
    {"private-address", KIT_OP_ADDRESS, NULL, false, false,
     "the ENI's address that it maps to; default: the primary one"},
    {"take", KIT_OP_FLAG, NULL, false, false, "take it from the ENI or instance that has it"},
};
static const struct kit_permission bind_permissions[] = {
    {"ec2:DescribeAddresses", "*", "to see where the Elastic IP is", KIT_ALWAYS},
    {"ec2:DescribeNetworkInterfaces", "*", "to read the ENI", KIT_ALWAYS},
    {"ec2:AssociateAddress", "elastic-ip, network-interface", "to bind it", KIT_ALWAYS},
};
const struct kit_op aws_op_eip_bind = {
    .object = "eip",
    .verb = "bind",
    .does = "bind an Elastic IP to an ENI or an instance",
    .params = bind_params,
    .params_count = KIT_LEN(bind_params),
    .permissions = bind_permissions,
    .permissions_count = KIT_LEN(bind_permissions),
    .run = run_bind,
};

static const struct kit_op_param unbind_params[] = {
    {"eip", KIT_OP_ID, NULL, true, true, "its allocation id or its address"},
    {"from", KIT_OP_ID, NULL, false, false, "only when this ENI or instance has it"},
};
static const struct kit_permission unbind_permissions[] = {
    {"ec2:DescribeAddresses", "*", "to see where the Elastic IP is", KIT_ALWAYS},
    {"ec2:DisassociateAddress", "elastic-ip, network-interface", "to unbind it", KIT_ALWAYS},
};
const struct kit_op aws_op_eip_unbind = {
    .object = "eip",
    .verb = "unbind",
    .does = "take an Elastic IP off the ENI that has it",
    .params = unbind_params,
    .params_count = KIT_LEN(unbind_params),
    .permissions = unbind_permissions,
    .permissions_count = KIT_LEN(unbind_permissions),
    .run = run_unbind,
};

static const struct kit_op_param convert_params[] = {
    {"instance", KIT_OP_ID, NULL, false, true, "an instance"},
};
const struct kit_op aws_op_eip_convert = {
    .object = "eip",
    .verb = "convert",
    .does = "does not exist on AWS: says why",
    .params = convert_params,
    .params_count = KIT_LEN(convert_params),
    .run = run_convert,
};
