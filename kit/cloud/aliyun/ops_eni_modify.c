/* aliyun eni modify: name, description, security groups, source/destination check, and whether it
 * dies with its instance. */
#include "kit/base/mem.h"
#include "kit/base/str.h"
#include "kit/cloud/aliyun/ops_eni.h"

struct work {
    struct ali_change change; /* first */
    const struct kit_op_call *call;
    const char *id;
    /* What it shall have; NULL: as it is. */
    const char *name, *description, *check, *release;
    char *const *group;
    struct ali_op_eni evidence;
    struct ali_enis seen;
    const struct ali_eni *eni;
};

static bool text_differs(const char *wanted, const char *is)
{
    return wanted && !kit_str_eq(wanted, is);
}

static bool flag_differs(const char *wanted, const char *yes, bool is)
{
    return wanted && kit_str_eq(wanted, yes) != is;
}

static bool groups_differ(const struct work *w)
{
    size_t count = kit_op_list_count(w->group);

    if (!w->group)
        return false;
    if (count != w->eni->groups)
        return true;
    for (size_t i = 0; i < count; i++) {
        bool there = false;

        for (size_t k = 0; k < w->eni->groups && k < ALI_GROUPS; k++)
            there = there || kit_str_eq(w->group[i], w->eni->group[k]);
        if (!there)
            return true;
    }
    return false;
}

/* What is not as it shall be, for people. */
static void differences(const struct work *w, struct kit_buf *out)
{
    const struct {
        const char *what;
        bool differs;
    } rows[] = {
        {"name", text_differs(w->name, w->eni->name)},
        {"description", text_differs(w->description, w->eni->description)},
        {"security groups", groups_differ(w)},
        {"source/dest check", flag_differs(w->check, "on", w->eni->source_dest_check)},
        {"delete on release", flag_differs(w->release, "yes", w->eni->dies_with_node)},
    };

    for (size_t i = 0; i < KIT_LEN(rows); i++)
        if (rows[i].differs)
            (void)kit_buf_printf(out, "%s%s", out->len_bytes ? ", " : "", rows[i].what);
}

/* The ENI, and the groups that it shall have, in one round. */
static int read_both(struct work *w, struct kit_err *err)
{
    const struct ali_eni_filter filter = {.id = &w->id, .ids = 1};
    struct ali_rpc r[2];
    size_t calls = 0;
    int rc;

    ali_enis_call(&r[calls++], w->change.cloud, &filter);
    if (w->group)
        ali_op_groups_call(&r[calls++], w->change.cloud, w->group);
    rc = ali_ops_together(w->change.cloud, r, calls, w->call->by, err);
    if (!rc)
        rc = ali_enis_finish(&r[0], &filter, w->call->by, &w->seen, err);
    w->eni = rc ? NULL : ali_enis_get(&w->seen, w->id);
    if (!rc && !w->eni)
        rc = kit_err_set(err, KIT_ERR_NOT_FOUND,
                         "DescribeNetworkInterfaces: no ENI %s in this account and region", w->id);
    if (!rc && w->group) {
        w->evidence.vpc = w->eni->vpc;
        w->evidence.most = (size_t)kit_op_number(w->call, "max-groups", ALI_OP_GROUPS_DEFAULT);
        ali_op_groups_take(&r[1], w->group, &w->evidence);
    }
    w->evidence.base.eni = w->eni;
    for (size_t i = 0; i < calls; i++)
        ali_rpc_done(&r[i]);
    return rc;
}

/* One call takes all of it, and twice is the same as once. */
static int send(struct work *w, struct kit_err *err)
{
    struct ali_rpc r;

    ali_rpc_init(&r, w->change.cloud, &ali_ecs, "ModifyNetworkInterfaceAttribute", ALI_MUTATES);
    ali_rpc_param(&r, "NetworkInterfaceId", w->id);
    ali_rpc_param(&r, "NetworkInterfaceName", w->name);
    ali_rpc_param(&r, "Description", w->description);
    for (unsigned i = 0; w->group && w->group[i]; i++)
        ali_rpc_item(&r, "SecurityGroupId", i + 1, w->group[i]);
    if (w->check)
        ali_rpc_param(&r, "SourceDestCheck", kit_str_eq(w->check, "on") ? "true" : "false");
    if (w->release)
        ali_rpc_param(&r, "DeleteOnRelease", kit_str_eq(w->release, "yes") ? "true" : "false");
    return ali_change_send(&w->change, &r, false, err);
}

/* kit_poll_fn */
static int until_shown(void *arg, struct kit_err *err)
{
    struct work *w = arg;
    KIT_AUTO(kit_buf) left = KIT_BUF(200);

    if (ali_op_eni_find(w->change.cloud, w->id, w->call->by, &w->seen, &w->eni, err))
        return -1;
    differences(w, &left);
    if (!left.len_bytes)
        return 1;
    kit_op_tell(w->call->ui, "%s: %s", w->id, left.data);
    return kit_op_change_is_due(&w->change.c) ? send(w, err) : 0;
}

static int modify(struct work *w, struct kit_op_answer *answer, struct kit_err *err)
{
    KIT_AUTO(kit_buf) what = KIT_BUF(200);
    int go;

    if (!w->name && !w->description && !w->group && !w->check && !w->release)
        return kit_err_set(err, KIT_ERR_USAGE, "nothing to change was named: see --help");
    if (ali_ready(w->change.cloud, w->call->by, err) || read_both(w, err))
        return -1;
    differences(w, &what);
    if (what.len_bytes) {
        if (kit_op_judge(w->call, &w->evidence, answer, err))
            return -1;
        go = kit_op_begin(w->call, answer, err, "change of %s: %s", w->id, what.data);
        if (go <= 0)
            return go;
        if (kit_op_change_until(&w->change.c, until_shown, w, err))
            return -1;
    }
    ali_op_eni_row(w->eni, answer);
    if (what.len_bytes)
        kit_op_say(answer, "changed of %s: %s", w->id, what.data);
    else
        kit_op_say(answer, "%s is so already", w->id);
    return 0;
}

static int modify_run(struct kit_cloud *base, const struct kit_op_call *call,
                      struct kit_op_answer *answer, struct kit_err *err)
{
    struct work w = {.change = ali_change_of((struct ali_cloud *)base, call->by),
                     .call = call,
                     .id = kit_op_text(call, "eni"),
                     .name = kit_op_text(call, "name"),
                     .description = kit_op_text(call, "description"),
                     .check = kit_op_text(call, "source-dest-check"),
                     .release = kit_op_text(call, "delete-on-release"),
                     .group = kit_op_list(call, "security-groups")};
    int rc = modify(&w, answer, err);

    ali_enis_done(&w.seen);
    return rc;
}

/* ---- tables ---------------------------------------------------------------------------------- */

static const struct kit_op_param params[] = {
    {"eni", KIT_OP_ID, NULL, true, true, "the ENI"},
    {"name", KIT_OP_TEXT, "2..128", false, false, "its name"},
    {"description", KIT_OP_TEXT, "2..255", false, false, "for people"},
    {"security-groups", KIT_OP_IDS, NULL, false, false,
     "one to five, instead of those that it has"},
    {"source-dest-check", KIT_OP_CHOICE, "on|off", false, false,
     "whether traffic must be from or to its own addresses"},
    {"delete-on-release", KIT_OP_CHOICE, "yes|no", false, false,
     "whether it dies with the instance that has it (rule 59)"},
    {"max-groups", KIT_OP_NUMBER, "1..16", false, false,
     "security groups that your quota allows; default: 5"},
};
static const struct kit_permission permissions[] = {
    {"ecs:DescribeNetworkInterfaces", "*", "to see what is to be changed", KIT_ALWAYS},
    {"ecs:DescribeSecurityGroups", "*", "to see whether they are of its VPC", KIT_ALWAYS},
    {"ecs:ModifyNetworkInterfaceAttribute", "*", "to change it", KIT_ALWAYS},
};
const struct kit_op ali_op_eni_modify = {
    .object = "eni",
    .verb = "modify",
    .does = "what an ENI is called, and how it is treated",
    .params = params,
    .params_count = KIT_LEN(params),
    .permissions = permissions,
    .permissions_count = KIT_LEN(permissions),
    .rules = ali_op_eni_modify_rules,
    .rules_count = KIT_LEN(ali_op_eni_modify_rules),
    .run = modify_run,
};
