/* aliyun havip create, list. */
#include <stdlib.h>
#include <string.h>

#include "kit/base/mem.h"
#include "kit/base/str.h"
#include "kit/cloud/aliyun/ops_havip.h"

/* The most that DescribeHaVips gives at once. */
#define PAGE 50

/* ---- rows ------------------------------------------------------------------------------------ */

const char *const ali_op_havip_columns[] = {"havip", "address", "status", "master", "bound",
                                            "eip",   "vswitch", "vpc",    "name",   NULL};

static void put_list(struct kit_op_row *row, size_t column, const char *first, size_t stride,
                     size_t count)
{
    KIT_AUTO(kit_buf) text = KIT_BUF(2048);

    for (size_t i = 0; i < count; i++)
        (void)kit_buf_printf(&text, "%s%s", i ? "," : "", first + i * stride);
    kit_op_cell(row, column, text.data);
}

void ali_op_havip_row(const struct ali_havip *h, struct kit_op_answer *answer)
{
    struct kit_op_row *row = kit_op_answer_add(answer);
    char addr[KIT_ADDR_TEXT];

    answer->columns = ali_op_havip_columns;
    kit_op_cell(row, 0, h->id);
    kit_op_cell(row, 1, h->addr.family ? kit_addr_text(&h->addr, addr) : "");
    kit_op_cell(row, 2, h->status_text);
    kit_op_cell(row, 3, h->master);
    put_list(row, 4, h->bound_id[0], sizeof(h->bound_id[0]),
             h->bound < ALI_HAVIP_BOUND ? h->bound : ALI_HAVIP_BOUND);
    put_list(row, 5, h->eip[0], sizeof(h->eip[0]),
             h->eips < ALI_HAVIP_EIPS ? h->eips : ALI_HAVIP_EIPS);
    kit_op_cell(row, 6, h->vswitch);
    kit_op_cell(row, 7, h->vpc);
    kit_op_cell(row, 8, h->name);
}

static int no_havip(const char *id, struct kit_err *err)
{
    return kit_err_set(err, KIT_ERR_NOT_FOUND,
                       "DescribeHaVips: no HAVIP %s in this account and region", id);
}

int ali_op_havip_find(struct ali_cloud *cloud, const char *id, const char *me,
                      struct kit_deadline by, struct ali_havip *ret_havip, struct kit_err *err)
{
    struct ali_rpc r;
    int rc;

    ali_havip_call(&r, cloud, id);
    rc = ali_rpc_run(&r, by, err);
    if (!rc && !ali_havip_take(&r, id, me, ret_havip))
        rc = no_havip(id, err);
    ali_rpc_done(&r);
    return rc;
}

/* ---- list ------------------------------------------------------------------------------------ */

struct filter {
    const char *havip, *vpc, *vswitch, *status;
    const struct kit_addr *address;
};

struct havips {
    struct ali_havip *havip; /* owned */
    size_t count;
    const struct filter *filter; /* while they are read */
};
void havips_done(struct havips *list);
void havips_done(struct havips *list)
{
    free(list->havip);
    *list = (struct havips){.count = 0};
}

/* An endpoint that passes over a filter it does not know answers with all there are. */
static bool fits(const struct ali_havip *h, const struct filter *f)
{
    return (!f->havip || kit_str_eq(h->id, f->havip)) && (!f->vpc || kit_str_eq(h->vpc, f->vpc)) &&
           (!f->vswitch || kit_str_eq(h->vswitch, f->vswitch)) &&
           (!f->status || kit_str_eq_nocase(h->status_text, f->status)) &&
           (!f->address || kit_addr_eq(&h->addr, f->address));
}

/* ali_page_fn */
static int take_page(void *arg, const struct kit_json_node *root, struct kit_err *err)
{
    struct havips *list = arg;
    size_t n = ali_list_count(root, "HaVips", "HaVip");

    (void)err;
    list->havip = kit_mem_grow(list->havip, list->count + n + 1, sizeof(*list->havip));
    for (size_t i = 0; i < n; i++) {
        struct ali_havip *h = &list->havip[list->count];

        if (ali_havip_decode(ali_list_at(root, "HaVips", "HaVip", i), "", h) &&
            fits(h, list->filter))
            list->count++;
    }
    return 0;
}

static int find_all(struct ali_cloud *cloud, const struct filter *filter, struct kit_deadline by,
                    struct havips *list, struct kit_err *err)
{
    char address[KIT_ADDR_TEXT];
    const struct {
        const char *key, *value;
    } rows[] = {{"HaVipId", filter->havip},
                {"VpcId", filter->vpc},
                {"VSwitchId", filter->vswitch},
                {"Status", filter->status},
                {"HaVipAddress", filter->address ? kit_addr_text(filter->address, address) : NULL}};
    unsigned filters = 0;
    struct ali_rpc r;
    int rc;

    ali_rpc_init(&r, cloud, &ali_vpc, "DescribeHaVips", ALI_READS);
    for (size_t i = 0; i < KIT_LEN(rows); i++) {
        char name[32];

        if (!rows[i].value)
            continue;
        (void)kit_str_format(name, sizeof(name), "Filter.%u.Key", ++filters);
        ali_rpc_param(&r, name, rows[i].key);
        (void)kit_str_format(name, sizeof(name), "Filter.%u.Value.1", filters);
        ali_rpc_param(&r, name, rows[i].value);
    }
    list->filter = filter;
    rc = ali_rpc_pages(&r, ALI_PAGES_NUMBER, PAGE, by, take_page, list, err);
    ali_rpc_done(&r);
    return rc;
}

static int list_run(struct kit_cloud *base, const struct kit_op_call *call,
                    struct kit_op_answer *answer, struct kit_err *err)
{
    struct ali_cloud *cloud = (struct ali_cloud *)base;
    const struct filter filter = {.havip = kit_op_text(call, "havip"),
                                  .vpc = kit_op_text(call, "vpc"),
                                  .vswitch = kit_op_text(call, "vswitch"),
                                  .status = kit_op_text(call, "status"),
                                  .address = kit_op_addr(call, "address")};
    KIT_AUTO(havips) list = {.count = 0};

    answer->columns = ali_op_havip_columns;
    if (ali_ready(cloud, call->by, err) || find_all(cloud, &filter, call->by, &list, err))
        return -1;
    for (size_t i = 0; i < list.count; i++)
        ali_op_havip_row(&list.havip[i], answer);
    if (filter.havip && !list.count)
        return no_havip(filter.havip, err);
    kit_op_say(answer, "%zu HAVIP%s", list.count, list.count == 1 ? "" : "s");
    return 0;
}

/* ---- create ---------------------------------------------------------------------------------- */

struct creation {
    struct ali_change change; /* first */
    const struct kit_op_call *call;
    struct ali_op_havip evidence;
    struct ali_havip havip;
};

/* One that is what was asked for already: that address and that name, as far as they are given. */
static int find_twin(const struct creation *c, const struct havips *list,
                     const struct ali_havip **ret_twin, struct kit_err *err)
{
    const char *name = kit_op_text(c->call, "name");

    *ret_twin = NULL;
    for (size_t i = 0; i < list->count; i++) {
        const struct ali_havip *h = &list->havip[i];
        bool fits = (c->evidence.address || name) &&
                    (!c->evidence.address || kit_addr_eq(&h->addr, c->evidence.address)) &&
                    (!name || kit_str_eq(h->name, name));

        if (!fits || kit_str_eq_nocase(h->status_text, "Deleting"))
            continue;
        if (*ret_twin)
            return kit_err_set(err, KIT_ERR_REFUSED,
                               "%s and %s are both called so in that vSwitch: say which --address",
                               (*ret_twin)->id, h->id);
        *ret_twin = h;
    }
    return 0;
}

/* The vSwitch, whether the address is idle, and what is in the vSwitch already. */
static int read_for_create(struct creation *c, struct havips *list, struct kit_err *err)
{
    struct ali_op_havip *e = &c->evidence;
    const char *vswitch = kit_op_text(c->call, "vswitch");
    const struct filter filter = {.vswitch = vswitch};
    struct ali_rpc r[2];
    size_t calls = 0;
    int rc;

    ali_vswitch_call(&r[calls++], c->change.cloud, vswitch);
    if (e->address)
        ali_vswitch_idle_call(&r[calls++], c->change.cloud, vswitch, e->address);
    rc = ali_ops_together(c->change.cloud, r, calls, c->call->by, err);
    /* An address of another network is refused by the check itself: the rule says it better. */
    if (rc && !r[0].call.failed && r[1].call.err.kind == KIT_ERR_REFUSED)
        rc = 0;
    if (!rc && !ali_vswitch_take(&r[0], vswitch, &e->vswitch))
        rc = kit_err_set(err, KIT_ERR_NOT_FOUND,
                         "DescribeVSwitches: no vSwitch %s in this account and region", vswitch);
    if (!rc && e->address)
        e->idle = !r[1].call.failed && ali_vswitch_idle_take(&r[1]);
    for (size_t i = 0; i < calls; i++)
        ali_rpc_done(&r[i]);
    return rc ? rc : find_all(c->change.cloud, &filter, c->call->by, list, err);
}

/* kit_poll_fn */
static int until_available(void *arg, struct kit_err *err)
{
    struct creation *c = arg;
    char id[KIT_ID];

    memcpy(id, c->havip.id, sizeof(id));
    if (ali_op_havip_find(c->change.cloud, id, "", c->call->by, &c->havip, err)) {
        (void)kit_str_copy(c->havip.id, sizeof(c->havip.id), id);
        if (err->kind != KIT_ERR_NOT_FOUND || kit_op_change_is_due(&c->change.c))
            return -1;
        return 0;
    }
    kit_op_tell(c->call->ui, "%s: %s", c->havip.id, c->havip.status_text);
    return c->havip.status == ALI_HAVIP_AVAILABLE || c->havip.status == ALI_HAVIP_IN_USE;
}

static int create(struct creation *c, struct kit_err *err)
{
    char addr[KIT_ADDR_TEXT];
    struct ali_rpc r;
    int rc;

    /* With its token it can be sent until the deadline: it makes one HAVIP. */
    ali_rpc_init(&r, c->change.cloud, &ali_vpc, "CreateHaVip", ALI_MUTATES | ALI_TOKEN);
    ali_rpc_param(&r, "VSwitchId", c->evidence.vswitch.id);
    if (c->evidence.address)
        ali_rpc_param(&r, "IpAddress", kit_addr_text(c->evidence.address, addr));
    ali_rpc_param(&r, "Name", kit_op_text(c->call, "name"));
    ali_rpc_param(&r, "Description", kit_op_text(c->call, "description"));
    rc = ali_rpc_run(&r, c->call->by, err);
    if (!rc && (!ali_text(ali_rpc_root(&r), "HaVipId", c->havip.id, sizeof(c->havip.id)) ||
                !c->havip.id[0]))
        rc = kit_err_set(err, KIT_ERR_PROTOCOL, "CreateHaVip: an answer without a HaVipId");
    ali_rpc_done(&r);
    c->change.c.accepted = !rc;
    c->change.c.stale_until =
        kit_deadline_in_ms(c->change.cloud->base.caller->clock, KIT_OP_STALE_MS);
    return rc;
}

static int create_run(struct kit_cloud *base, const struct kit_op_call *call,
                      struct kit_op_answer *answer, struct kit_err *err)
{
    struct creation c = {.change = ali_change_of((struct ali_cloud *)base, call->by),
                         .call = call,
                         .evidence = {.address = kit_op_addr(call, "address")}};
    KIT_AUTO(havips) list = {.count = 0};
    const struct ali_havip *twin;
    char addr[KIT_ADDR_TEXT] = "an idle address";
    int go;

    if (ali_ready(c.change.cloud, call->by, err) || read_for_create(&c, &list, err) ||
        find_twin(&c, &list, &twin, err))
        return -1;
    c.evidence.region = c.change.cloud->region;
    if (c.evidence.address)
        (void)kit_addr_text(c.evidence.address, addr);
    if (twin) {
        c.havip = *twin;
    } else {
        if (kit_op_judge(call, &c.evidence, answer, err))
            return -1;
        go = kit_op_begin(call, answer, err, "create a HAVIP with %s in %s", addr,
                          c.evidence.vswitch.id);
        if (go <= 0)
            return go;
        if (create(&c, err))
            return -1;
    }
    if (kit_op_change_until(&c.change.c, until_available, &c, err))
        return kit_err_wrap(err, "%s", c.havip.id);
    ali_op_havip_row(&c.havip, answer);
    kit_op_say(answer, "%s %s with %s", twin ? "there is already" : "created", c.havip.id,
               kit_addr_text(&c.havip.addr, addr));
    return 0;
}

/* ---- tables ---------------------------------------------------------------------------------- */

static const struct kit_op_param list_params[] = {
    {"havip", KIT_OP_ID, NULL, false, true, "this one"},
    {"vpc", KIT_OP_ID, NULL, false, false, "of this VPC"},
    {"vswitch", KIT_OP_ID, NULL, false, false, "of this vSwitch"},
    {"status", KIT_OP_CHOICE, "Available|InUse|Associating|Unassociating", false, false,
     "in this state"},
    {"address", KIT_OP_ADDRESS, NULL, false, false, "with this address"},
};
static const struct kit_permission list_permissions[] = {
    {"vpc:DescribeHaVips", "havip", "to see them", KIT_ALWAYS},
};
const struct kit_op ali_op_havip_list = {
    .object = "havip",
    .verb = "list",
    .does = "which there are, who has them, what is bound to them",
    .params = list_params,
    .params_count = KIT_LEN(list_params),
    .permissions = list_permissions,
    .permissions_count = KIT_LEN(list_permissions),
    .run = list_run,
};

static const struct kit_op_param create_params[] = {
    {"vswitch", KIT_OP_ID, NULL, true, false, "the vSwitch that it shall be in"},
    {"address", KIT_OP_ADDRESS, NULL, false, false, "an idle one of the vSwitch; default: any"},
    {"name", KIT_OP_TEXT, "1..128", false, false, "one that is there already is not made again"},
    {"description", KIT_OP_TEXT, "1..255", false, false, "for people"},
};
static const struct kit_permission create_permissions[] = {
    {"vpc:DescribeHaVips", "havip", "to see whether it is there", KIT_ALWAYS},
    {"vpc:DescribeVSwitches", "*", "to see whether the address is of it", KIT_ALWAYS},
    {"vpc:CheckCanAllocateVpcPrivateIpAddress", "*", "to see whether it is idle", KIT_ALWAYS},
    {"vpc:CreateHaVip", "vswitch", "to create it", KIT_ALWAYS},
};
const struct kit_op ali_op_havip_create = {
    .object = "havip",
    .verb = "create",
    .does = "a HAVIP in a vSwitch; without a name and an address each run makes a new one",
    .params = create_params,
    .params_count = KIT_LEN(create_params),
    .permissions = create_permissions,
    .permissions_count = KIT_LEN(create_permissions),
    .rules = ali_op_havip_create_rules,
    .rules_count = KIT_LEN(ali_op_havip_create_rules),
    .run = create_run,
};
