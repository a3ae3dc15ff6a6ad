/* aws eni modify: name, description, security groups, source/destination check, and whether it dies
 * with its instance.  ModifyNetworkInterfaceAttribute takes one of them a call. */
#include "kit/base/mem.h"
#include "kit/base/str.h"
#include "kit/cloud/aws/ops_eni.h"

enum attribute {
    NAME,
    DESCRIPTION,
    GROUPS,
    CHECK,
    TERMINATION,
    ATTRIBUTES,
};

struct work {
    struct aws_cloud *cloud;
    const struct kit_op_call *call;
    const char *id;
    const char *wanted[ATTRIBUTES]; /* NULL: as it is */
    char *const *group;
    struct kit_op_change change[ATTRIBUTES];
    struct aws_op_eni evidence;
    struct aws_op_nics seen;
    const struct aws_op_nic *nic;
};

static const char *const shown[ATTRIBUTES] = {"name", "description", "security groups",
                                              "source/dest check", "delete on termination"};

static bool groups_differ(const struct work *w)
{
    size_t count = kit_op_list_count(w->group);

    if (count != w->nic->groups)
        return true;
    for (size_t i = 0; i < count; i++) {
        bool there = false;

        for (size_t k = 0; k < w->nic->groups && k < AWS_OP_GROUPS; k++)
            there = there || kit_str_eq(w->group[i], w->nic->group[k]);
        if (!there)
            return true;
    }
    return false;
}

static bool differs(const struct work *w, enum attribute a)
{
    const char *wanted = w->wanted[a];

    if (!wanted)
        return false;
    switch (a) {
    case NAME: return !kit_str_eq(wanted, w->nic->name);
    case DESCRIPTION: return !kit_str_eq(wanted, w->nic->description);
    case GROUPS: return groups_differ(w);
    case CHECK: return kit_str_eq(wanted, "on") != w->nic->nic.eni.source_dest_check;
    case TERMINATION: return kit_str_eq(wanted, "yes") != w->nic->nic.dies_with_node;
    case ATTRIBUTES: break;
    }
    return false;
}

static bool put_differences(const struct work *w, struct kit_buf *out)
{
    for (enum attribute a = NAME; a < ATTRIBUTES; a++)
        if (differs(w, a))
            (void)kit_buf_printf(out, "%s%s", out->len_bytes ? ", " : "", shown[a]);
    return out->len_bytes > 0;
}

/* The ENI, and the groups that it shall have, in one round. */
static int read_both(struct work *w, struct kit_err *err)
{
    struct aws_op_search eni;
    struct aws_query q;
    struct kit_call *const call[] = {&eni.list.query.call, &q.call};
    struct kit_err other;
    int rc;

    aws_op_search_init(&eni, w->cloud, &(struct aws_op_filter){.id = w->id}, &w->seen);
    aws_nic_list_begin(&eni.list);
    if (w->group)
        aws_groups_ask(&q, w->cloud, w->group);
    rc = kit_call_all(w->cloud->base.caller, call, w->group ? 2 : 1, w->call->by, err);
    if (aws_nic_list_finish(&eni.list, w->call->by, &other) && !rc) {
        *err = other;
        rc = -1;
    }
    if (!rc && !w->seen.count)
        rc = kit_err_set(err, KIT_ERR_NOT_FOUND,
                         "DescribeNetworkInterfaces: no ENI %s in this account and region", w->id);
    if (!rc)
        w->evidence.nic = w->nic = &w->seen.nic[0];
    if (!rc && w->group) {
        w->evidence.vpc = w->nic->nic.vpc;
        w->evidence.most = (size_t)kit_op_number(w->call, "max-groups", AWS_OP_GROUPS_DEFAULT);
        aws_op_groups_take(&q, w->group, &w->evidence);
    }
    if (w->group)
        aws_query_done(&q);
    return rc;
}

static void encode(const struct work *w, enum attribute a, struct aws_query *q)
{
    const char *wanted = w->wanted[a];
    char param[32];

    if (a == NAME) {
        aws_query_init(q, w->cloud, &aws_ec2, "CreateTags", AWS_MUTATES);
        aws_query_param(q, "ResourceId.1", w->id);
        aws_query_param(q, "Tag.1.Key", "Name");
        aws_query_param(q, "Tag.1.Value", wanted);
        return;
    }
    aws_query_init(q, w->cloud, &aws_ec2, "ModifyNetworkInterfaceAttribute", AWS_MUTATES);
    aws_query_param(q, "NetworkInterfaceId", w->id);
    if (a == DESCRIPTION)
        aws_query_param(q, "Description.Value", wanted);
    if (a == CHECK)
        aws_query_param(q, "SourceDestCheck.Value", kit_str_eq(wanted, "on") ? "true" : "false");
    if (a == TERMINATION) {
        aws_query_param(q, "Attachment.AttachmentId", w->nic->nic.attachment);
        aws_query_param(q, "Attachment.DeleteOnTermination",
                        kit_str_eq(wanted, "yes") ? "true" : "false");
    }
    for (unsigned i = 0; a == GROUPS && w->group[i]; i++) {
        (void)kit_str_format(param, sizeof(param), "SecurityGroupId.%u", i + 1);
        aws_query_param(q, param, w->group[i]);
    }
}

static int send(struct work *w, enum attribute a, struct kit_err *err)
{
    struct aws_query q;
    int rc;

    encode(w, a, &q);
    q.call.max_tries = KIT_OP_TRIES;
    rc = aws_query_run(&q, w->call->by, err);
    aws_query_done(&q);
    return kit_op_change_sent(&w->change[a], rc, false, err);
}

/* kit_poll_fn */
static int until_shown(void *arg, struct kit_err *err)
{
    struct work *w = arg;
    KIT_AUTO(kit_buf) left = KIT_BUF(200);

    if (aws_op_find(w->cloud, w->id, w->call->by, &w->seen, &w->nic, err))
        return -1;
    if (!put_differences(w, &left))
        return 1;
    kit_op_tell(w->call->ui, "%s: %s", w->id, left.data);
    for (enum attribute a = NAME; a < ATTRIBUTES; a++)
        if (differs(w, a) && kit_op_change_is_due(&w->change[a]) && send(w, a, err))
            return -1;
    return 0;
}

static int check_attached(const struct work *w, struct kit_err *err)
{
    if (!w->wanted[TERMINATION] || w->nic->nic.attachment[0])
        return 0;
    return kit_err_set(err, KIT_ERR_STATE,
                       "%s is attached to no instance: whether it is deleted with one is said once "
                       "it is",
                       w->id);
}

static int modify(struct work *w, struct kit_op_answer *answer, struct kit_err *err)
{
    KIT_AUTO(kit_buf) what = KIT_BUF(200);
    bool any = false;
    int go;

    for (enum attribute a = NAME; a < ATTRIBUTES; a++)
        any = any || w->wanted[a];
    if (!any)
        return kit_err_set(err, KIT_ERR_USAGE, "nothing to change was named: see --help");
    if (aws_ec2_ready(w->cloud, w->call->by, err) || read_both(w, err) || check_attached(w, err))
        return -1;
    if (put_differences(w, &what)) {
        w->evidence.dies = kit_str_eq(w->wanted[TERMINATION], "yes");
        if (kit_op_judge(w->call, &w->evidence, answer, err))
            return -1;
        go = kit_op_begin(w->call, answer, err, "change of %s: %s", w->id, what.data);
        if (go <= 0)
            return go;
        if (kit_op_change_until(&w->change[NAME], until_shown, w, err))
            return -1;
    }
    aws_op_eni_row(w->nic, answer);
    if (what.len_bytes)
        kit_op_say(answer, "changed of %s: %s", w->id, what.data);
    else
        kit_op_say(answer, "%s is so already", w->id);
    return 0;
}

static int modify_run(struct kit_cloud *base, const struct kit_op_call *call,
                      struct kit_op_answer *answer, struct kit_err *err)
{
    struct work w = {.cloud = (struct aws_cloud *)base,
                     .call = call,
                     .id = kit_op_text(call, "eni"),
                     .wanted = {[NAME] = kit_op_text(call, "name"),
                                [DESCRIPTION] = kit_op_text(call, "description"),
                                [GROUPS] = kit_op_text(call, "security-groups"),
                                [CHECK] = kit_op_text(call, "source-dest-check"),
                                [TERMINATION] = kit_op_text(call, "delete-on-termination")},
                     .group = kit_op_list(call, "security-groups")};
    int rc;

    for (enum attribute a = NAME; a < ATTRIBUTES; a++)
        w.change[a] = (struct kit_op_change){.clock = base->caller->clock, .by = call->by};
    rc = modify(&w, answer, err);
    aws_op_nics_done(&w.seen);
    return rc;
}

/* ---- tables ---------------------------------------------------------------------------------- */

static const struct kit_op_param params[] = {
    {"eni", KIT_OP_ID, NULL, true, true, "the ENI"},
    {"name", KIT_OP_TEXT, "1..255", false, false, "the tag Name"},
    {"description", KIT_OP_TEXT, "0..255", false, false, "for people"},
    {"security-groups", KIT_OP_IDS, NULL, false, false,
     "one to five, instead of those that it has"},
    {"source-dest-check", KIT_OP_CHOICE, "on|off", false, false,
     "whether traffic must be from or to its own addresses"},
    {"delete-on-termination", KIT_OP_CHOICE, "yes|no", false, false,
     "whether it dies with the instance that has it (rule 59)"},
    {"max-groups", KIT_OP_NUMBER, "1..16", false, false,
     "security groups that your quota allows; default: 5"},
};
static const struct kit_permission permissions[] = {
    {"ec2:DescribeNetworkInterfaces", "*", "to see what is to be changed", KIT_ALWAYS},
    {"ec2:DescribeSecurityGroups", "*", "to see whether they are of its VPC", KIT_ALWAYS},
    {"ec2:ModifyNetworkInterfaceAttribute", "network-interface", "to change it", KIT_ALWAYS},
    {"ec2:CreateTags", "network-interface", "to name it, with --name", KIT_ALWAYS},
};
const struct kit_op aws_op_eni_modify = {
    .object = "eni",
    .verb = "modify",
    .does = "what an ENI is called, and how it is treated",
    .params = params,
    .params_count = KIT_LEN(params),
    .permissions = permissions,
    .permissions_count = KIT_LEN(permissions),
    .rules = aws_op_eni_modify_rules,
    .rules_count = KIT_LEN(aws_op_eni_modify_rules),
    .run = modify_run,
};
