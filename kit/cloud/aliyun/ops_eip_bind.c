/* kit/cloud/aliyun/ops_eip_bind.c - `eip bind`: to an ENI in one of three modes, or to an instance.
 *
 * What is looked at, which rules are judged and how the EIP moves is the elastic-ip mover's; only
 * whom it is for is said here, and not by this host. */
#include "kit/base/mem.h"
#include "kit/base/str.h"
#include "kit/cloud/aliyun/ops_eip.h"

struct bind {
    struct ali_cloud *cloud;
    const struct kit_op_call *call;
    const char *eni, *instance; /* as asked for, or NULL */
    struct kit_addr addr;       /* of the EIP, when it was named by it */
    enum ali_eip_mode mode;
    struct kit_me me;
    /* The last look. */
    struct ali_eip_target t;
    struct kit_query query;
    struct ali_eip_round round;
};

static enum ali_eip_mode mode_of(const char *word)
{
    if (kit_str_eq(word, "cut-through"))
        return ALI_EIP_CUT_THROUGH;
    return kit_str_eq(word, "multi") ? ALI_EIP_MULTI : ALI_EIP_NAT;
}

/* A run that was killed while the ENI was detached finds nothing that says where it was. */
static int check_words(const struct bind *b, struct kit_err *err)
{
    if (b->mode == ALI_EIP_CUT_THROUGH && (!b->eni || !b->instance))
        return kit_err_set(err, KIT_ERR_USAGE,
                           "cut-through: name the ENI with --eni, and with --instance the instance "
                           "that it is on afterwards");
    if (b->mode != ALI_EIP_CUT_THROUGH && !b->eni == !b->instance)
        return kit_err_set(err, KIT_ERR_USAGE, "name --eni or --instance");
    if (b->instance && !b->eni && b->mode != ALI_EIP_NAT)
        return kit_err_set(err, KIT_ERR_USAGE,
                           "rule 19: an instance's primary ENI takes an EIP in NAT mode alone");
    return 0;
}

/* ---- whom it is for -------------------------------------------------------------------------- */

static void take_eni(struct bind *b, const struct ali_eni *eni)
{
    (void)kit_str_copy(b->me.eni, sizeof(b->me.eni), eni->id);
    (void)kit_str_copy(b->me.vpc, sizeof(b->me.vpc), eni->vpc);
    (void)kit_str_copy(b->me.node, sizeof(b->me.node), b->instance ? b->instance : eni->node);
    (void)ali_eni_primary_text(eni, b->me.primary);
}

static int find_holder(struct bind *b, struct kit_err *err)
{
    struct ali_eni_filter filter = {.node = b->instance};
    KIT_AUTO(ali_enis) list = {0};

    if (b->eni)
        filter = (struct ali_eni_filter){.id = &b->eni, .ids = 1};
    if (ali_enis_find(b->cloud, &filter, b->call->by, &list, err))
        return -1;
    for (size_t i = 0; i < list.count; i++) {
        if (!b->eni && !list.eni[i].primary)
            continue;
        take_eni(b, &list.eni[i]);
        return 0;
    }
    return kit_err_set(err, KIT_ERR_NOT_FOUND,
                       "DescribeNetworkInterfaces: no %s %s in this account and region",
                       b->eni ? "ENI" : "instance", b->eni ? b->eni : b->instance);
}

/* ---- looking --------------------------------------------------------------------------------- */

static void look_done(struct bind *b)
{
    b->t.eni = NULL;
    ali_eip_round_done(&b->round);
    kit_facts_done(&b->query.facts);
}

/* The EIP, the ENI, and what the rules of the mode ask about, in one round; before the change also
 * what only warnings want to know. */
static int look(struct bind *b, bool before, struct kit_err *err)
{
    const char *name = kit_op_text(b->call, "eip");

    look_done(b);
    b->query =
        (struct kit_query){.settings = b->call->settings, .for_claim = true, .for_advice = before};
    b->t = (struct ali_eip_target){
        .query = &b->query,
        .me = b->me,
        .private_address = kit_op_addr(b->call, "private-address"),
        .mode = b->mode,
        .region = b->cloud->region,
        .keep = !kit_op_flag(b->call, "take"),
    };
    if (kit_addr_parse(name, &b->addr))
        b->t.address = &b->addr;
    else
        b->t.allocation_id = name;
    ali_eip_round(b->cloud, &b->t, 1, b->call->by, &b->round);
    ali_eip_take(b->cloud, &b->t, b->call->by);
    if (!b->query.failed)
        return 0;
    *err = b->query.err;
    return -1;
}

/* ---- binding --------------------------------------------------------------------------------- */

static void say(struct bind *b, struct kit_op_answer *answer, const char *already)
{
    const struct ali_eip *eip = &b->t.eip;
    char text[KIT_ID + 32], address[KIT_ADDR_TEXT];

    (void)ali_op_eip_holder(eip, text);
    if (b->t.info_gateway[0])
        kit_op_say(answer,
                   "%s is bound to %s%s; the guest needs DHCP there (rule 37), and %s, mask %s, "
                   "gateway %s",
                   eip->id, text, already, kit_addr_text(&eip->addr, address), b->t.info_mask,
                   b->t.info_gateway);
    else if (b->eni && b->mode == ALI_EIP_NAT)
        kit_op_say(answer,
                   "%s is bound to %s%s; the guest needs routes of its own for that ENI: "
                   "cloudvip nic setup",
                   eip->id, text, already);
    else
        kit_op_say(answer, "%s is bound to %s%s", eip->id, text, already);
    ali_op_eip_row(answer, eip);
}

static int begin(struct bind *b, struct kit_op_answer *answer, struct kit_err *err)
{
    const struct ali_eip *eip = &b->t.eip;
    char text[KIT_ID + 32];

    return kit_op_begin(b->call, answer, err, "bind %s to %s in mode %s%s%s", eip->id,
                        b->query.facts.me, ali_eip_mode_word(b->mode),
                        eip->holder[0] ? ", taking it from " : "", ali_op_eip_holder(eip, text));
}

static int bind_it(struct bind *b, struct kit_err *err)
{
    const struct kit_facts *facts = &b->query.facts;
    bool eni = kit_str_eq(facts->me, b->me.eni);
    struct ali_eip_move move = {
        .mode = b->mode,
        .id = b->t.eip.id,
        .holder = facts->me,
        .type = eni ? "NetworkInterface" : "EcsInstance",
        .node = b->me.node,
        .from = b->t.eip.holder,
        .settle = true,
        .ui = b->call->ui,
    };
    struct kit_addr wanted;

    if (eni && ali_eip_wanted_private(&b->t, &wanted))
        (void)kit_addr_text(&wanted, move.private_text);
    return ali_eip_move(b->cloud, &move, NULL, b->call->by, err);
}

static int run_looked(struct bind *b, struct kit_op_answer *answer, struct kit_err *err)
{
    int rc;

    /* What belongs to no node is never taken. */
    b->t.keep = b->t.keep || b->query.facts.binding->state == KIT_BINDING_FOREIGN;
    if (kit_op_judge(b->call, &b->t, answer, err))
        return -1;
    if (b->t.right) {
        say(b, answer, " already");
        return 0;
    }
    rc = begin(b, answer, err);
    if (rc <= 0) {
        ali_op_eip_row(answer, &b->t.eip);
        return rc;
    }
    if (bind_it(b, err) || look(b, false, err))
        return -1;
    say(b, answer, "");
    return 0;
}

static int run_bind(struct kit_cloud *base, const struct kit_op_call *call,
                    struct kit_op_answer *answer, struct kit_err *err)
{
    struct bind b = {.cloud = (struct ali_cloud *)base,
                     .call = call,
                     .eni = kit_op_text(call, "eni"),
                     .instance = kit_op_text(call, "instance"),
                     .mode = mode_of(kit_op_text(call, "mode"))};
    int rc = -1;

    if (!check_words(&b, err) && !ali_ready(b.cloud, call->by, err) && !find_holder(&b, err) &&
        !look(&b, true, err))
        rc = run_looked(&b, answer, err);
    look_done(&b);
    return rc;
}

/* ---- tables ---------------------------------------------------------------------------------- */

static const struct kit_op_param params[] = {
    {"eip", KIT_OP_ID, NULL, true, true, "its id or its address"},
    {"eni", KIT_OP_ID, NULL, false, false, "bind it to this ENI"},
    {"instance", KIT_OP_ID, NULL, false, false,
     "bind it to this instance (its primary ENI); cut-through: the instance of the ENI"},
    {"mode", KIT_OP_CHOICE, "nat|cut-through|multi", false, false, "default: nat"},
    {"private-address", KIT_OP_ADDRESS, NULL, false, false,
     "the ENI's address that it maps to; default: the primary one"},
    {"take", KIT_OP_FLAG, NULL, false, false, "take it from the ENI or instance that has it"},
};
static const struct kit_permission permissions[] = {
    {"vpc:DescribeEipAddresses", "eip", "to see where the EIP is", KIT_ALWAYS},
    {"vpc:AssociateEipAddress", "eip, eni, instance", "to bind it", KIT_ALWAYS},
    {"vpc:UnassociateEipAddress", "eip, eni, instance", "to take it from who has it (--take)",
     KIT_ALWAYS},
    {"ecs:DescribeNetworkInterfaces", "*", "to read the ENI", KIT_ALWAYS},
    {"vpc:ListIpv4Gateways", "*", "to check for an IPv4 gateway (cut-through)", KIT_ALWAYS},
    {"ecs:DetachNetworkInterface", "eni, instance", "to bind it (cut-through)", KIT_ALWAYS},
    {"ecs:AttachNetworkInterface", "eni, instance", "to bind it (cut-through)", KIT_ALWAYS},
    {"vpc:DescribeEipGatewayInfo", "eip", "to read gateway and mask (multi)", KIT_ALWAYS},
    {"ecs:DescribeInstances", "*", "to check the instance family (multi)", KIT_ALWAYS},
};

const struct kit_op ali_op_eip_bind = {
    .object = "eip",
    .verb = "bind",
    .does = "bind an EIP to an ENI, in one of three modes, or to an instance",
    .params = params,
    .params_count = KIT_LEN(params),
    .permissions = permissions,
    .permissions_count = KIT_LEN(permissions),
    .rules = ali_eip_rules,
    .rules_count = ALI_EIP_RULES,
    .run = run_bind,
};
