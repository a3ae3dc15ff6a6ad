/* aliyun havip delete: nothing is bound to it, and no route leads to it. */
#include "kit/base/str.h"
#include "kit/cloud/aliyun/ops_havip.h"

/* The most that DescribeRouteTableList gives at once. */
#define PAGE 50

struct deletion {
    struct ali_change change; /* first */
    const struct kit_op_call *call;
    const char *id;
    struct ali_op_havip evidence;
};

/* kit_poll_fn */
static int until_gone(void *arg, struct kit_err *err)
{
    struct deletion *d = arg;
    struct ali_havip havip;
    struct ali_rpc r;

    if (ali_op_havip_find(d->change.cloud, d->id, "", d->call->by, &havip, err))
        return err->kind == KIT_ERR_NOT_FOUND ? 1 : -1;
    kit_op_tell(d->call->ui, "%s: %s", d->id, havip.status_text);
    if (!kit_op_change_is_due(&d->change.c) || havip.status != ALI_HAVIP_AVAILABLE)
        return 0;
    ali_rpc_init(&r, d->change.cloud, &ali_vpc, "DeleteHaVip", ALI_MUTATES | ALI_TOKEN);
    ali_rpc_param(&r, "HaVipId", d->id);
    return ali_change_send(&d->change, &r, true, err);
}

/* A route table with an entry whose next hop is the HAVIP. */
struct routes {
    struct ali_cloud *cloud;
    struct kit_deadline by;
    const char *id;
    char table[KIT_ID];
    bool found; /* in the table that is looked at */
};

/* ali_page_fn: the entries that lead to it. */
static int take_entries(void *arg, const struct kit_json_node *root, struct kit_err *err)
{
    struct routes *s = arg;
    size_t n = ali_list_count(root, "RouteEntrys", "RouteEntry");
    char hop[KIT_ID];

    (void)err;
    for (size_t i = 0; i < n; i++) {
        const struct kit_json_node *entry = ali_list_at(root, "RouteEntrys", "RouteEntry", i);
        size_t hops = ali_list_count(entry, "NextHops", "NextHop");

        for (size_t k = 0; k < hops; k++)
            if (ali_text(ali_list_at(entry, "NextHops", "NextHop", k), "NextHopId", hop,
                         sizeof(hop)) &&
                kit_str_eq(hop, s->id))
                s->found = true;
    }
    return 0;
}

/* ali_page_fn */
static int take_tables(void *arg, const struct kit_json_node *root, struct kit_err *err)
{
    struct routes *s = arg;
    size_t n = ali_list_count(root, "RouterTableList", "RouterTableListType");
    char table[KIT_ID];

    for (size_t i = 0; i < n && !s->found; i++) {
        struct ali_rpc r;
        int rc;

        if (!ali_text(ali_list_at(root, "RouterTableList", "RouterTableListType", i),
                      "RouteTableId", table, sizeof(table)))
            continue;
        ali_rpc_init(&r, s->cloud, &ali_vpc, "DescribeRouteEntryList", ALI_READS);
        ali_rpc_param(&r, "RouteTableId", table);
        ali_rpc_param(&r, "NextHopId", s->id);
        ali_rpc_param(&r, "NextHopType", "HaVip");
        rc = ali_rpc_pages(&r, ALI_PAGES_TOKEN_MAXRESULT, 100, s->by, take_entries, s, err);
        ali_rpc_done(&r);
        if (rc)
            return -1;
        if (s->found)
            (void)kit_str_copy(s->table, sizeof(s->table), table);
    }
    return 0;
}

static int find_route(struct deletion *d, struct kit_err *err)
{
    struct routes s = {.cloud = d->change.cloud, .by = d->call->by, .id = d->id};
    struct ali_rpc r;
    int rc;

    ali_rpc_init(&r, s.cloud, &ali_vpc, "DescribeRouteTableList", ALI_READS);
    ali_rpc_param(&r, "VpcId", d->evidence.target.havip.vpc);
    rc = ali_rpc_pages(&r, ALI_PAGES_NUMBER, PAGE, s.by, take_tables, &s, err);
    ali_rpc_done(&r);
    (void)kit_str_copy(d->evidence.route, sizeof(d->evidence.route), s.table);
    return rc;
}

static int delete_run(struct kit_cloud *base, const struct kit_op_call *call,
                      struct kit_op_answer *answer, struct kit_err *err)
{
    struct deletion d = {.change = ali_change_of((struct ali_cloud *)base, call->by),
                         .call = call,
                         .id = kit_op_text(call, "havip")};
    struct ali_havip *h = &d.evidence.target.havip;
    char addr[KIT_ADDR_TEXT] = "";
    int go;

    if (ali_ready(d.change.cloud, call->by, err))
        return -1;
    if (ali_op_havip_find(d.change.cloud, d.id, "", call->by, h, err)) {
        if (err->kind != KIT_ERR_NOT_FOUND)
            return -1;
        kit_op_say(answer, "there is no %s", d.id);
        return 0;
    }
    d.evidence.region = d.change.cloud->region;
    if (kit_str_eq_nocase(h->status_text, "Deleting"))
        d.change.c.accepted = 1; /* a run before this one */
    else {
        if (find_route(&d, err) || kit_op_judge(call, &d.evidence, answer, err))
            return -1;
        go = kit_op_begin(call, answer, err, "delete %s (%s)", d.id,
                          h->addr.family ? kit_addr_text(&h->addr, addr) : "");
        if (go <= 0)
            return go;
    }
    if (kit_op_change_until(&d.change.c, until_gone, &d, err))
        return -1;
    kit_op_say(answer, "deleted %s", d.id);
    return 0;
}

/* ---- tables ---------------------------------------------------------------------------------- */

static const struct kit_op_param delete_params[] = {
    {"havip", KIT_OP_ID, NULL, true, true, "the HAVIP"},
};
static const struct kit_permission delete_permissions[] = {
    {"vpc:DescribeHaVips", "havip", "to see that nothing is bound to it", KIT_ALWAYS},
    {"vpc:DescribeRouteTableList", "*", "to see that no route points to it", KIT_ALWAYS},
    {"vpc:DescribeRouteEntryList", "*", "to see that no route points to it", KIT_ALWAYS},
    {"vpc:DeleteHaVip", "havip", "to delete it", KIT_ALWAYS},
};
const struct kit_op ali_op_havip_delete = {
    .object = "havip",
    .verb = "delete",
    .does = "a HAVIP that nothing is bound to",
    .params = delete_params,
    .params_count = KIT_LEN(delete_params),
    .permissions = delete_permissions,
    .permissions_count = KIT_LEN(delete_permissions),
    .rules = ali_op_havip_delete_rules,
    .rules_count = KIT_LEN(ali_op_havip_delete_rules),
    .irreversible = true,
    .run = delete_run,
};
