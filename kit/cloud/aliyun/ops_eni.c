/* aliyun eni create, list, delete. */
#include "kit/cloud/aliyun/ops_eni.h"

#include <string.h>

#include "kit/base/mem.h"
#include "kit/base/str.h"

/* DeleteNetworkInterface: one that stays Deleting "for an extended period": ask once more. */
#define DELETE_AGAIN_MS INT64_C(30000)

/* ---- rows ------------------------------------------------------------------------------------ */

const char *const ali_op_eni_columns[] = {"eni",    "status", "type", "instance", "address",
                                          "others", "mac",    "zone", "vswitch",  "vpc",
                                          "groups", "name",   NULL};

static void put_addresses(const struct ali_eni *eni, struct kit_op_row *row)
{
    KIT_AUTO(kit_buf) others = KIT_BUF(4096);

    for (size_t i = 0; i < eni->addresses; i++) {
        char text[KIT_ADDR_TEXT];

        (void)kit_addr_text(&eni->address[i].addr, text);
        if (eni->address[i].primary)
            kit_op_cell(row, 4, text);
        else
            (void)kit_buf_printf(&others, "%s%s", others.len_bytes ? "," : "", text);
    }
    kit_op_cell(row, 5, others.data);
}

void ali_op_eni_row(const struct ali_eni *eni, struct kit_op_answer *answer)
{
    struct kit_op_row *row = kit_op_answer_add(answer);
    KIT_AUTO(kit_buf) groups = KIT_BUF(ALI_GROUPS * KIT_ID);

    answer->columns = ali_op_eni_columns;
    kit_op_cell(row, 0, eni->id);
    kit_op_cell(row, 1, eni->state_text);
    kit_op_cell(row, 2, eni->primary ? "Primary" : "Secondary");
    kit_op_cell(row, 3, eni->node);
    put_addresses(eni, row);
    kit_op_cell(row, 6, eni->mac);
    kit_op_cell(row, 7, eni->zone);
    kit_op_cell(row, 8, eni->vswitch);
    kit_op_cell(row, 9, eni->vpc);
    for (unsigned i = 0; i < eni->groups && i < ALI_GROUPS; i++)
        (void)kit_buf_printf(&groups, "%s%s", i ? "," : "", eni->group[i]);
    kit_op_cell(row, 10, groups.data);
    kit_op_cell(row, 11, eni->name);
}

static int no_eni(const char *id, struct kit_err *err)
{
    return kit_err_set(err, KIT_ERR_NOT_FOUND,
                       "DescribeNetworkInterfaces: no ENI %s in this account and region", id);
}

int ali_op_eni_find(struct ali_cloud *cloud, const char *id, struct kit_deadline by,
                    struct ali_enis *list, const struct ali_eni **ret_eni, struct kit_err *err)
{
    const struct ali_eni_filter filter = {.id = &id, .ids = 1};

    ali_enis_done(list);
    if (ali_enis_find(cloud, &filter, by, list, err))
        return -1;
    *ret_eni = ali_enis_get(list, id);
    if (*ret_eni)
        return 0;
    return no_eni(id, err);
}

/* ---- security groups ------------------------------------------------------------------------- */

void ali_op_groups_call(struct ali_rpc *r, struct ali_cloud *cloud, char *const *group)
{
    KIT_AUTO(kit_buf) text = KIT_BUF(100u * (KIT_ID + 4));
    struct kit_json_writer w = {.out = &text};

    kit_json_open(&w, NULL, '[');
    for (; *group; group++)
        kit_json_put_string(&w, NULL, *group);
    kit_json_close(&w);
    ali_rpc_init(r, cloud, &ali_ecs, "DescribeSecurityGroups", ALI_READS);
    ali_rpc_param(r, "SecurityGroupIds", text.data);
    ali_rpc_param(r, "MaxResults", "100");
}

void ali_op_groups_take(const struct ali_rpc *r, char *const *group, struct ali_op_eni *e)
{
    const struct kit_json_node *root = ali_rpc_root(r);
    size_t n = ali_list_count(root, "SecurityGroups", "SecurityGroup");

    e->groups = kit_op_list_count(group);
    for (; *group && !e->stray[0]; group++) {
        char id[KIT_ID], vpc[KIT_ID] = "";
        bool found = false;

        for (size_t i = 0; i < n && !found; i++) {
            const struct kit_json_node *item =
                ali_list_at(root, "SecurityGroups", "SecurityGroup", i);

            found = ali_text(item, "SecurityGroupId", id, sizeof(id)) && kit_str_eq(id, *group);
            if (found)
                (void)ali_text(item, "VpcId", vpc, sizeof(vpc));
        }
        if (found && kit_str_eq(vpc, e->vpc))
            continue;
        (void)kit_str_copy(e->stray, sizeof(e->stray), *group);
        (void)kit_str_copy(e->stray_vpc, sizeof(e->stray_vpc), vpc);
    }
}

/* ---- list ------------------------------------------------------------------------------------ */

static int list_run(struct kit_cloud *base, const struct kit_op_call *call,
                    struct kit_op_answer *answer, struct kit_err *err)
{
    struct ali_cloud *cloud = (struct ali_cloud *)base;
    const char *id = kit_op_text(call, "eni");
    const struct ali_eni_filter filter = {.id = &id,
                                          .ids = id ? 1 : 0,
                                          .vpc = kit_op_text(call, "vpc"),
                                          .vswitch = kit_op_text(call, "vswitch"),
                                          .node = kit_op_text(call, "instance"),
                                          .name = kit_op_text(call, "name"),
                                          .type = kit_op_text(call, "type"),
                                          .status = kit_op_text(call, "status")};
    KIT_AUTO(ali_enis) list = {0};

    answer->columns = ali_op_eni_columns;
    if (ali_ready(cloud, call->by, err) || ali_enis_find(cloud, &filter, call->by, &list, err))
        return -1;
    for (size_t i = 0; i < list.count; i++)
        ali_op_eni_row(&list.eni[i], answer);
    if (id && !list.count)
        return no_eni(id, err);
    kit_op_say(answer, "%zu ENI%s", list.count, list.count == 1 ? "" : "s");
    return 0;
}

/* ---- create ---------------------------------------------------------------------------------- */

struct creation {
    struct ali_change change; /* first */
    const struct kit_op_call *call;
    struct ali_op_eni evidence;
    struct ali_enis twins; /* with that address, or else that name, in that vSwitch */
    struct ali_enis seen;
    const struct ali_eni *eni;
    char id[KIT_ID];
};

enum {
    READ_VSWITCH,
    READ_GROUPS,
    READ_COUNT,
    READ_TWIN, /* with a name or an address */
    READ_IDLE, /* with an address */
    READS,
};

static bool twin_filter(const struct creation *c, struct ali_eni_filter *ret_filter)
{
    *ret_filter =
        (struct ali_eni_filter){.vswitch = kit_op_text(c->call, "vswitch"), .type = "Secondary"};
    if (c->evidence.address)
        ret_filter->primary = c->evidence.address;
    else
        ret_filter->name = kit_op_text(c->call, "name");
    return ret_filter->primary || ret_filter->name;
}

static int take_reads(struct creation *c, struct ali_rpc r[READS], struct kit_err *err)
{
    const char *vswitch = kit_op_text(c->call, "vswitch");
    struct ali_op_eni *e = &c->evidence;
    struct ali_eni_filter filter;

    if (!ali_vswitch_take(&r[READ_VSWITCH], vswitch, &e->vswitch))
        return kit_err_set(err, KIT_ERR_NOT_FOUND,
                           "DescribeVSwitches: no vSwitch %s in this account and region", vswitch);
    e->vpc = e->vswitch.vpc;
    e->most = (size_t)kit_op_number(c->call, "max-groups", ALI_OP_GROUPS_DEFAULT);
    ali_op_groups_take(&r[READ_GROUPS], kit_op_list(c->call, "security-groups"), e);
    e->count =
        ali_list_count(ali_rpc_root(&r[READ_COUNT]), "NetworkInterfaceSets", "NetworkInterfaceSet");
    e->idle = e->address && !r[READ_IDLE].call.failed && ali_vswitch_idle_take(&r[READ_IDLE]);
    return twin_filter(c, &filter)
               ? ali_enis_finish(&r[READ_TWIN], &filter, c->call->by, &c->twins, err)
               : 0;
}

static int read_for_create(struct creation *c, struct kit_err *err)
{
    static const struct ali_eni_filter any = {.vpc = NULL};
    const char *vswitch = kit_op_text(c->call, "vswitch");
    struct ali_cloud *cloud = c->change.cloud;
    struct ali_eni_filter filter;
    struct ali_rpc r[READS];
    size_t calls = READ_TWIN;
    int rc;

    ali_vswitch_call(&r[READ_VSWITCH], cloud, vswitch);
    ali_op_groups_call(&r[READ_GROUPS], cloud, kit_op_list(c->call, "security-groups"));
    ali_enis_call(&r[READ_COUNT], cloud, &any); /* one page tells whether they are many */
    if (twin_filter(c, &filter))
        ali_enis_call(&r[calls++], cloud, &filter);
    if (c->evidence.address)
        ali_vswitch_idle_call(&r[calls++], cloud, vswitch, c->evidence.address);
    rc = ali_ops_together(cloud, r, calls, c->call->by, err);
    /* An address of another network is refused by the check itself: the rule says it better. */
    if (rc && calls == READS && r[READ_IDLE].call.err.kind == KIT_ERR_REFUSED) {
        rc = 0;
        for (size_t i = 0; i < READ_IDLE && !rc; i++)
            if (r[i].call.failed)
                rc = -1;
    }
    if (!rc)
        rc = take_reads(c, r, err);
    for (size_t i = 0; i < calls; i++)
        ali_rpc_done(&r[i]);
    return rc;
}

static int create(struct creation *c, struct kit_err *err)
{
    char *const *group = kit_op_list(c->call, "security-groups");
    const char *release = kit_op_text(c->call, "delete-on-release");
    char addr[KIT_ADDR_TEXT];
    struct ali_rpc r;
    int rc;

    /* With its token it can be sent until the deadline: it makes one ENI. */
    ali_rpc_init(&r, c->change.cloud, &ali_ecs, "CreateNetworkInterface", ALI_MUTATES | ALI_TOKEN);
    ali_rpc_param(&r, "VSwitchId", c->evidence.vswitch.id);
    for (unsigned i = 0; group[i]; i++)
        ali_rpc_item(&r, "SecurityGroupIds", i + 1, group[i]);
    if (c->evidence.address)
        ali_rpc_param(&r, "PrimaryIpAddress", kit_addr_text(c->evidence.address, addr));
    ali_rpc_param(&r, "NetworkInterfaceName", kit_op_text(c->call, "name"));
    ali_rpc_param(&r, "Description", kit_op_text(c->call, "description"));
    if (release)
        ali_rpc_param(&r, "DeleteOnRelease", kit_str_eq(release, "yes") ? "true" : "false");
    rc = ali_rpc_run(&r, c->call->by, err);
    /* "If NetworkInterfaceId is empty in the response, try to create the ENI again." */
    if (!rc &&
        (!ali_text(ali_rpc_root(&r), "NetworkInterfaceId", c->id, sizeof(c->id)) || !c->id[0]))
        rc = kit_err_set(err, KIT_ERR_TRANSIENT,
                         "CreateNetworkInterface: an answer without a NetworkInterfaceId: run it "
                         "again");
    ali_rpc_done(&r);
    c->change.c.accepted = !rc;
    c->change.c.stale_until =
        kit_deadline_in_ms(c->change.cloud->base.caller->clock, KIT_OP_STALE_MS);
    return rc;
}

/* kit_poll_fn */
static int until_shown(void *arg, struct kit_err *err)
{
    struct creation *c = arg;

    if (ali_op_eni_find(c->change.cloud, c->id, c->call->by, &c->seen, &c->eni, err))
        return err->kind == KIT_ERR_NOT_FOUND && !kit_op_change_is_due(&c->change.c) ? 0 : -1;
    return 1;
}

/* What is what was asked for already.  Called so, whatever became of it since; with that address
 * alone, as long as no instance has it: else it is somebody's. */
static int find_twin(const struct creation *c, const struct ali_eni **ret_twin, struct kit_err *err)
{
    const char *name = kit_op_text(c->call, "name");

    *ret_twin = NULL;
    for (size_t i = 0; i < c->twins.count; i++) {
        const struct ali_eni *eni = &c->twins.eni[i];

        if (name ? !kit_str_eq(eni->name, name) : eni->state != ALI_ENI_AVAILABLE)
            continue;
        if (*ret_twin)
            return kit_err_set(err, KIT_ERR_REFUSED,
                               "%s and %s are both called so in that vSwitch: say which --address",
                               (*ret_twin)->id, eni->id);
        *ret_twin = eni;
    }
    return 0;
}

static int create_or_find(struct creation *c, struct kit_op_answer *answer, struct kit_err *err)
{
    char addr[KIT_ADDR_TEXT] = "any address";
    const struct ali_eni *twin;
    int go;

    if (ali_ready(c->change.cloud, c->call->by, err) || read_for_create(c, err) ||
        find_twin(c, &twin, err))
        return -1;
    if (twin) {
        ali_op_eni_row(twin, answer);
        kit_op_say(answer, "there is already %s", twin->id);
        return 0;
    }
    if (c->evidence.address)
        (void)kit_addr_text(c->evidence.address, addr);
    if (kit_op_judge(c->call, &c->evidence, answer, err))
        return -1;
    go = kit_op_begin(c->call, answer, err, "create an ENI with %s in %s", addr,
                      c->evidence.vswitch.id);
    if (go <= 0)
        return go;
    if (create(c, err))
        return -1;
    if (kit_op_change_until(&c->change.c, until_shown, c, err))
        return kit_err_wrap(err, "%s", c->id);
    ali_op_eni_row(c->eni, answer);
    kit_op_say(answer, "created %s", c->id);
    return 0;
}

static int create_run(struct kit_cloud *base, const struct kit_op_call *call,
                      struct kit_op_answer *answer, struct kit_err *err)
{
    struct creation c = {.change = ali_change_of((struct ali_cloud *)base, call->by),
                         .call = call,
                         .evidence = {.address = kit_op_addr(call, "address")}};
    int rc = create_or_find(&c, answer, err);

    ali_enis_done(&c.twins);
    ali_enis_done(&c.seen);
    return rc;
}

/* ---- delete ---------------------------------------------------------------------------------- */

struct deletion {
    struct ali_change change; /* first */
    const struct kit_op_call *call;
    const char *id;
    struct ali_enis seen;
    const struct ali_eni *eni;
    struct kit_deadline again_at; /* once */
};

/* kit_poll_fn */
static int until_gone(void *arg, struct kit_err *err)
{
    struct deletion *d = arg;
    struct ali_rpc r;
    bool stuck;

    if (ali_op_eni_find(d->change.cloud, d->id, d->call->by, &d->seen, &d->eni, err))
        return err->kind == KIT_ERR_NOT_FOUND ? 1 : -1;
    kit_op_tell(d->call->ui, "%s: %s", d->id, d->eni->state_text);
    stuck = d->eni->state == ALI_ENI_DELETING && d->again_at.at_ns &&
            kit_deadline_passed(d->change.cloud->base.caller->clock, d->again_at);
    if (stuck)
        d->again_at.at_ns = 0;
    else if (d->eni->state != ALI_ENI_AVAILABLE || !kit_op_change_is_due(&d->change.c))
        return 0;
    ali_rpc_init(&r, d->change.cloud, &ali_ecs, "DeleteNetworkInterface", ALI_MUTATES);
    ali_rpc_param(&r, "NetworkInterfaceId", d->id);
    return ali_change_send(&d->change, &r, true, err);
}

static int delete (struct deletion *d, struct kit_op_answer *answer, struct kit_err *err)
{
    struct ali_op_eni evidence = {.count = 0};
    int go;

    if (ali_ready(d->change.cloud, d->call->by, err))
        return -1;
    if (ali_op_eni_find(d->change.cloud, d->id, d->call->by, &d->seen, &d->eni, err)) {
        if (err->kind != KIT_ERR_NOT_FOUND)
            return -1;
        kit_op_say(answer, "there is no %s", d->id);
        return 0;
    }
    evidence.base.eni = d->eni;
    if (kit_op_judge(d->call, &evidence, answer, err))
        return -1;
    if (d->eni->state != ALI_ENI_DELETING) { /* else a run before this one */
        go = kit_op_begin(d->call, answer, err, "delete %s%s%s", d->id, d->eni->name[0] ? " " : "",
                          d->eni->name);
        if (go <= 0)
            return go;
    }
    d->again_at = kit_deadline_in_ms(d->change.cloud->base.caller->clock, DELETE_AGAIN_MS);
    if (kit_op_change_until(&d->change.c, until_gone, d, err))
        return -1;
    kit_op_say(answer, "deleted %s", d->id);
    return 0;
}

static int delete_run(struct kit_cloud *base, const struct kit_op_call *call,
                      struct kit_op_answer *answer, struct kit_err *err)
{
    struct deletion d = {.change = ali_change_of((struct ali_cloud *)base, call->by),
                         .call = call,
                         .id = kit_op_text(call, "eni")};
    int rc = delete (&d, answer, err);

    ali_enis_done(&d.seen);
    return rc;
}

/* ---- tables ---------------------------------------------------------------------------------- */

static const struct kit_op_param list_params[] = {
    {"eni", KIT_OP_ID, NULL, false, true, "this one"},
    {"vpc", KIT_OP_ID, NULL, false, false, "of this VPC"},
    {"vswitch", KIT_OP_ID, NULL, false, false, "of this vSwitch"},
    {"instance", KIT_OP_ID, NULL, false, false, "attached to this instance"},
    {"type", KIT_OP_CHOICE, "Primary|Secondary", false, false, "of this type"},
    {"status", KIT_OP_CHOICE, "Available|Attaching|InUse|Detaching|Deleting", false, false,
     "in this state"},
    {"name", KIT_OP_TEXT, "2..128", false, false, "called so"},
};
static const struct kit_permission list_permissions[] = {
    {"ecs:DescribeNetworkInterfaces", "*", "to see them", KIT_ALWAYS},
};
const struct kit_op ali_op_eni_list = {
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
    {"vswitch", KIT_OP_ID, NULL, true, false, "the vSwitch that it shall be in"},
    {"security-groups", KIT_OP_IDS, NULL, true, false, "one to five, of that VPC"},
    {"address", KIT_OP_ADDRESS, NULL, false, false,
     "its primary one, idle and of the vSwitch; default: any"},
    {"name", KIT_OP_TEXT, "2..128", false, false, "one that is there already is not made again"},
    {"description", KIT_OP_TEXT, "2..256", false, false, "for people"},
    {"delete-on-release", KIT_OP_CHOICE, "yes|no", false, false,
     "whether it dies with the instance that has it (rule 59)"},
    {"max-groups", KIT_OP_NUMBER, "1..16", false, false,
     "security groups that your quota allows; default: 5"},
};
static const struct kit_permission create_permissions[] = {
    {"vpc:DescribeVSwitches", "*", "to see whether the address is of it", KIT_ALWAYS},
    {"vpc:CheckCanAllocateVpcPrivateIpAddress", "*", "to see whether it is idle", KIT_ALWAYS},
    {"ecs:DescribeSecurityGroups", "*", "to see whether they are of the VPC", KIT_ALWAYS},
    {"ecs:DescribeNetworkInterfaces", "*", "to see whether it is there", KIT_ALWAYS},
    {"ecs:CreateNetworkInterface", "*", "to create it", KIT_ALWAYS},
};
const struct kit_op ali_op_eni_create = {
    .object = "eni",
    .verb = "create",
    .does = "a secondary ENI; without a name and an address each run makes a new one",
    .params = create_params,
    .params_count = KIT_LEN(create_params),
    .permissions = create_permissions,
    .permissions_count = KIT_LEN(create_permissions),
    .rules = ali_op_eni_create_rules,
    .rules_count = KIT_LEN(ali_op_eni_create_rules),
    .run = create_run,
};

static const struct kit_op_param delete_params[] = {
    {"eni", KIT_OP_ID, NULL, true, true, "the ENI"},
};
static const struct kit_permission delete_permissions[] = {
    {"ecs:DescribeNetworkInterfaces", "*", "to see that nobody has it", KIT_ALWAYS},
    {"ecs:DeleteNetworkInterface", "*", "to delete it", KIT_ALWAYS},
};
const struct kit_op ali_op_eni_delete = {
    .object = "eni",
    .verb = "delete",
    .does = "a secondary ENI that no instance has, with its private addresses",
    .params = delete_params,
    .params_count = KIT_LEN(delete_params),
    .permissions = delete_permissions,
    .permissions_count = KIT_LEN(delete_permissions),
    .rules = ali_op_eni_delete_rules,
    .rules_count = KIT_LEN(ali_op_eni_delete_rules),
    .irreversible = true,
    .run = delete_run,
};
