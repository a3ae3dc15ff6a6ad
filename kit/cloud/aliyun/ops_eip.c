/* kit/cloud/aliyun/ops_eip.c - `eip list`, `eip unbind` and `eip convert`. */
#include "kit/cloud/aliyun/ops_eip.h"

#include "kit/base/mem.h"
#include "kit/base/str.h"
#include "kit/cloud/aliyun/convert.h"

static const char *const columns[] = {"eip",         "address", "status",          "holder",
                                      "holder_type", "mode",    "private_address", "charge",
                                      "condition",   NULL};

void ali_op_eip_row(struct kit_op_answer *answer, const struct ali_eip *eip)
{
    struct kit_op_row *row = kit_op_answer_add(answer);
    char text[KIT_ADDR_TEXT];
    const char *const cell[] = {eip->id,
                                kit_addr_text(&eip->addr, text),
                                eip->status_text,
                                eip->holder,
                                eip->type,
                                eip->mode,
                                eip->private_text,
                                eip->charge,
                                eip->lock[0] ? eip->lock : eip->business};

    answer->columns = columns;
    for (size_t i = 0; i < KIT_LEN(cell); i++)
        kit_op_cell(row, i, cell[i]);
}

const char *ali_op_eip_holder(const struct ali_eip *eip, char text[KIT_ID + 32])
{
    bool eni = kit_str_eq(eip->type, "NetworkInterface");

    (void)kit_str_format(text, KIT_ID + 32, "%s%s%s%s", eip->holder, eni ? "" : " (",
                         eni ? "" : eip->type, eni ? "" : ")");
    return eip->holder[0] ? text : "";
}

/* ---- list ------------------------------------------------------------------------------------ */

struct list {
    const struct kit_op_call *call;
    struct kit_op_answer *answer;
};

static bool is_wanted(const struct kit_op_call *call, const struct ali_eip *eip)
{
    const char *name = kit_op_text(call, "eip"), *holder = kit_op_text(call, "on");
    struct kit_addr addr;

    if (holder && !kit_str_eq(holder, eip->holder))
        return false;
    if (name && kit_addr_parse(name, &addr))
        return kit_addr_eq(&addr, &eip->addr);
    return !name || kit_str_eq(name, eip->id);
}

static int take_page(void *arg, const struct kit_json_node *root, struct kit_err *err)
{
    const struct list *list = arg;
    size_t count = ali_list_count(root, "EipAddresses", "EipAddress");

    (void)err;
    for (size_t i = 0; i < count; i++) {
        struct ali_eip eip;

        if (ali_eip_decode(ali_list_at(root, "EipAddresses", "EipAddress", i), &eip) &&
            is_wanted(list->call, &eip))
            ali_op_eip_row(list->answer, &eip);
    }
    return 0;
}

static int run_list(struct kit_cloud *base, const struct kit_op_call *call,
                    struct kit_op_answer *answer, struct kit_err *err)
{
    struct ali_cloud *cloud = (struct ali_cloud *)base;
    struct list list = {call, answer};
    const char *name = kit_op_text(call, "eip"), *on = kit_op_text(call, "on");
    struct ali_rpc r;
    int rc;

    answer->columns = columns;
    if (ali_ready(cloud, call->by, err))
        return -1;
    ali_rpc_init(&r, cloud, &ali_vpc, "DescribeEipAddresses", ALI_READS);
    rc = ali_rpc_pages(&r, ALI_PAGES_NUMBER, 100, call->by, take_page, &list, err);
    ali_rpc_done(&r);
    if (rc)
        return -1;
    if (name && !answer->rows)
        return kit_err_set(err, KIT_ERR_NOT_FOUND,
                           "DescribeEipAddresses: no EIP %s%s%s in this account and region", name,
                           on ? " on " : "", on ? on : "");
    kit_op_say(answer, "%zu EIP%s", answer->rows, answer->rows == 1 ? "" : "s");
    return 0;
}

/* ---- unbind ---------------------------------------------------------------------------------- */

/* Only what `bind` binds is unbound, and never off another one than was meant. */
static int check_holder(const struct kit_op_call *call, const struct ali_eip *eip,
                        struct kit_err *err)
{
    const char *from = kit_op_text(call, "from");
    char text[KIT_ID + 32];

    if (from && !kit_str_eq(from, eip->holder))
        return kit_err_set(err, KIT_ERR_STATE, "%s is on %s, not on %s", eip->id,
                           ali_op_eip_holder(eip, text), from);
    if (kit_str_eq(eip->type, "HaVip"))
        return kit_err_set(err, KIT_ERR_STATE, "%s is on %s: see cloudvip havip unbind-eip",
                           eip->id, ali_op_eip_holder(eip, text));
    if (eip->managed ||
        !(kit_str_eq(eip->type, "NetworkInterface") || kit_str_eq(eip->type, "EcsInstance")))
        return kit_err_set(
            err, KIT_ERR_STATE,
            "%s is on %s, which is neither an ENI nor an instance: see its own pages", eip->id,
            ali_op_eip_holder(eip, text));
    return 0;
}

static int unbind(struct ali_cloud *cloud, const struct kit_op_call *call, struct ali_eip *eip,
                  struct kit_op_answer *answer, struct kit_err *err)
{
    const struct ali_eip_move move = {.id = eip->id, .from = eip->holder, .ui = call->ui};
    struct ali_eip after;
    char text[KIT_ID + 32];
    int rc;

    if (check_holder(call, eip, err))
        return -1;
    rc =
        kit_op_begin(call, answer, err, "unbind %s from %s", eip->id, ali_op_eip_holder(eip, text));
    if (rc <= 0)
        return rc;
    if (ali_eip_move(cloud, &move, eip, call->by, err) ||
        ali_eip_find(cloud, eip->id, call->by, &after, err))
        return -1;
    kit_op_say(answer, "%s is bound to nothing", eip->id);
    *eip = after;
    return 0;
}

static int run_unbind(struct kit_cloud *base, const struct kit_op_call *call,
                      struct kit_op_answer *answer, struct kit_err *err)
{
    struct ali_cloud *cloud = (struct ali_cloud *)base;
    struct ali_eip eip;
    int rc = 0;

    answer->columns = columns;
    if (ali_ready(cloud, call->by, err) ||
        ali_eip_find(cloud, kit_op_text(call, "eip"), call->by, &eip, err))
        return -1;
    if (eip.holder[0])
        rc = unbind(cloud, call, &eip, answer, err);
    else
        kit_op_say(answer, "%s is bound to nothing already", eip.id);
    ali_op_eip_row(answer, &eip);
    return rc;
}

/* ---- convert --------------------------------------------------------------------------------- */

static int run_convert(struct kit_cloud *base, const struct kit_op_call *call,
                       struct kit_op_answer *answer, struct kit_err *err)
{
    struct ali_cloud *cloud = (struct ali_cloud *)base;
    const char *id = kit_op_text(call, "instance");
    struct ali_convert c = {.asked = true};
    struct ali_eip eip;
    int rc;

    answer->columns = columns;
    if (ali_ready(cloud, call->by, err) || ali_instance_find(cloud, id, call->by, &c.instance, err))
        return -1;
    c.now_s = ali_now_s(cloud);
    if (kit_op_judge(call, &c, answer, err))
        return -1;
    if (c.instance.public_ip[0]) {
        rc = kit_op_begin(call, answer, err, "make the public address %s of %s an EIP",
                          c.instance.public_ip, id);
        if (rc <= 0)
            return rc;
    }
    if (ali_convert(cloud, id, call->ui, call->by, &eip, err))
        return -1;
    kit_op_say(answer, "%s is %s of %s%s", c.instance.public_ip[0] ? c.instance.public_ip : eip.id,
               c.instance.public_ip[0] ? eip.id : "the EIP", id,
               c.instance.public_ip[0] ? "" : " already");
    ali_op_eip_row(answer, &eip);
    return 0;
}

/* ---- tables ---------------------------------------------------------------------------------- */

static const struct kit_op_param list_params[] = {
    {"eip", KIT_OP_ID, NULL, false, true, "this one: its id or its address"},
    {"on", KIT_OP_ID, NULL, false, false, "those on this ENI, instance or other holder"},
};
static const struct kit_permission list_permissions[] = {
    {"vpc:DescribeEipAddresses", "eip", "to list EIPs", KIT_ALWAYS},
};
const struct kit_op ali_op_eip_list = {
    .object = "eip",
    .verb = "list",
    .does = "the EIPs of the region, and what they are bound to",
    .params = list_params,
    .params_count = KIT_LEN(list_params),
    .permissions = list_permissions,
    .permissions_count = KIT_LEN(list_permissions),
    .run = run_list,
};

static const struct kit_op_param unbind_params[] = {
    {"eip", KIT_OP_ID, NULL, true, true, "its id or its address"},
    {"from", KIT_OP_ID, NULL, false, false, "only when this ENI or instance has it"},
};
static const struct kit_permission unbind_permissions[] = {
    {"vpc:DescribeEipAddresses", "eip", "to see where the EIP is", KIT_ALWAYS},
    {"vpc:UnassociateEipAddress", "eip, eni, instance", "to unbind it", KIT_ALWAYS},
};
const struct kit_op ali_op_eip_unbind = {
    .object = "eip",
    .verb = "unbind",
    .does = "take an EIP off the ENI or the instance that has it",
    .params = unbind_params,
    .params_count = KIT_LEN(unbind_params),
    .permissions = unbind_permissions,
    .permissions_count = KIT_LEN(unbind_permissions),
    .run = run_unbind,
};

static const struct kit_op_param convert_params[] = {
    {"instance", KIT_OP_ID, NULL, true, true, "the instance with the static public address"},
};
static const struct kit_permission convert_permissions[] = {
    {"ecs:DescribeInstances", "*", "to see the instance's public address", KIT_ALWAYS},
    {"vpc:DescribeEipAddresses", "eip", "to see the EIP", KIT_ALWAYS},
    {"ecs:ConvertNatPublicIpToEip", "instance", "to make the address an EIP", KIT_ALWAYS},
};
static const struct kit_rule convert_rules[] = {ALI_CONVERT_RULES};
const struct kit_op ali_op_eip_convert = {
    .object = "eip",
    .verb = "convert",
    .does = "make an instance's static public address an EIP; cannot be undone",
    .params = convert_params,
    .params_count = KIT_LEN(convert_params),
    .permissions = convert_permissions,
    .permissions_count = KIT_LEN(convert_permissions),
    .rules = convert_rules,
    .rules_count = KIT_LEN(convert_rules),
    .irreversible = true,
    .run = run_convert,
};
