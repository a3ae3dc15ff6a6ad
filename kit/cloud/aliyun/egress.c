/* kit/cloud/aliyun/egress.c - an instance that leaves through the NAT gateway and is reached by its
 * EIP on a secondary ENI: what the cloud shows of it (Alibaba Cloud help: "Use the same EIP to
 * access the Internet when an ECS instance has a static public IP address").
 *
 * The truth is always here; what a stopped run remembers only says which objects are meant. */
#include "kit/cloud/aliyun/egress.h"

#include "kit/base/mem.h"
#include "kit/base/str.h"

/* A metadata service is on the link: it answers within milliseconds, or there is none. */
#define ELSEWHERE_MS INT64_C(2000)

/* ---- instance and ENIs ----------------------------------------------------------------------- */

/* Who we are is the metadata service's word.  Of an instance that is named it is only asked whether
 * it is this one: from elsewhere nobody answers, which is waited for once and not for long. */
static bool find_me(struct ali_cloud *cloud, bool named, struct kit_deadline by, struct kit_me *me,
                    struct kit_err *err)
{
    const struct kit_clock *clock = cloud->base.caller->clock;

    if (named && cloud->no_metadata)
        return false;
    if (named)
        by = kit_deadline_earlier(by, kit_deadline_in_ms(clock, ELSEWHERE_MS));
    cloud->no_metadata = ali_me_find(cloud, cloud->settings, ALI_ME_NODE, by, me, err) != 0;
    return !cloud->no_metadata;
}

static int find_instance(struct ali_cloud *cloud, struct ali_egress *e, struct kit_deadline by,
                         struct kit_err *err)
{
    struct kit_me me = {.node = ""};
    bool known = find_me(cloud, e->wish->instance != NULL, by, &me, err);

    if (!known && !e->wish->instance)
        return kit_err_wrap(err, "find this instance (or name one)");
    (void)kit_str_copy(e->instance, sizeof(e->instance),
                       e->wish->instance ? e->wish->instance : me.node);
    e->here = known && kit_str_eq(me.node, e->instance);
    (void)kit_str_format(e->name, sizeof(e->name), ALI_EGRESS_NAME, e->instance);
    return ali_instance_find(cloud, e->instance, by, &e->convert.instance, err);
}

static int find_attached(struct ali_cloud *cloud, struct ali_egress *e, struct kit_deadline by,
                         struct kit_err *err)
{
    const struct ali_eni_filter filter = {.node = e->instance};

    if (ali_enis_find(cloud, &filter, by, &e->attached, err))
        return -1;
    for (size_t i = 0; i < e->attached.count && !e->primary; i++)
        if (e->attached.eni[i].primary)
            e->primary = &e->attached.eni[i];
    if (!e->primary)
        return kit_err_set(err, KIT_ERR_PROTOCOL,
                           "DescribeNetworkInterfaces: %s has no primary ENI", e->instance);
    return 0;
}

/* The one that is named, else the one with the name that this procedure gives. */
static int find_eni(struct ali_cloud *cloud, struct ali_egress *e, struct kit_deadline by,
                    struct kit_err *err)
{
    struct ali_eni_filter filter = {.vpc = e->convert.instance.vpc, .name = e->name};

    if (e->wish->eni)
        filter = (struct ali_eni_filter){.id = &e->wish->eni, .ids = 1};
    if (ali_enis_find(cloud, &filter, by, &e->own, err))
        return -1;
    for (size_t i = 0; i < e->own.count; i++) {
        const struct ali_eni *one = &e->own.eni[i];

        if (one->state == ALI_ENI_DELETING || (!e->wish->eni && !kit_str_eq(one->name, e->name)))
            continue;
        if (e->eni)
            return kit_err_set(err, KIT_ERR_CONFIG,
                               "%s and %s are both named %s: say which with "
                               "--eni, or delete one",
                               e->eni->id, one->id, e->name);
        e->eni = one;
    }
    if (e->wish->eni && !e->eni)
        return kit_err_set(err, KIT_ERR_NOT_FOUND,
                           "DescribeNetworkInterfaces: no ENI %s in this account and region",
                           e->wish->eni);
    return 0;
}

/* ---- the EIP --------------------------------------------------------------------------------- */

static int take_one_of_eni(void *arg, const struct kit_json_node *root, struct kit_err *err)
{
    struct ali_egress *e = arg;
    size_t count = ali_list_count(root, "EipAddresses", "EipAddress");
    char primary[KIT_ADDR_TEXT];

    (void)err;
    (void)ali_eni_primary_text(e->eni, primary);
    for (size_t i = 0; i < count; i++) {
        struct ali_eip eip;

        if (!ali_eip_decode(ali_list_at(root, "EipAddresses", "EipAddress", i), &eip) ||
            !kit_str_eq(eip.holder, e->eni->id))
            continue;
        if (e->eip_known && !kit_str_eq(eip.private_text, primary))
            continue;
        e->eip = eip;
        e->eip_known = true;
    }
    return 0;
}

static int find_eip_of_eni(struct ali_cloud *cloud, struct ali_egress *e, struct kit_deadline by,
                           struct kit_err *err)
{
    struct ali_rpc r;
    int rc;

    ali_rpc_init(&r, cloud, &ali_vpc, "DescribeEipAddresses", ALI_READS);
    ali_rpc_param(&r, "AssociatedInstanceId", e->eni->id);
    ali_rpc_param(&r, "AssociatedInstanceType", "NetworkInterface");
    rc = ali_rpc_pages(&r, ALI_PAGES_NUMBER, 100, by, take_one_of_eni, e, err);
    ali_rpc_done(&r);
    return rc;
}

/* The one that is named; else the instance's; else the ENI's.  A static address is none yet. */
static int find_eip(struct ali_cloud *cloud, struct ali_egress *e, struct kit_deadline by,
                    struct kit_err *err)
{
    const struct ali_instance *i = &e->convert.instance;
    const char *id = e->wish->eip;

    if (!id && i->eip_allocation[0])
        id = i->eip_allocation;
    if (id) {
        e->eip_known = !ali_eip_find(cloud, id, by, &e->eip, err);
        return e->eip_known ? 0 : -1;
    }
    if (i->public_ip[0] || !e->eni)
        return 0;
    return find_eip_of_eni(cloud, e, by, err);
}

/* ---- what it amounts to ---------------------------------------------------------------------- */

static void tell_eip(const struct ali_egress *e, struct kit_egress_facts *f)
{
    const struct ali_eip *eip = &e->eip;
    bool on_instance = kit_str_eq(eip->type, "EcsInstance");

    if (!e->eip_known)
        return;
    (void)kit_str_copy(f->eip.id, sizeof(f->eip.id), eip->id);
    (void)kit_addr_text(&eip->addr, f->eip.address);
    (void)kit_str_copy(f->eip.status, sizeof(f->eip.status), eip->status_text);
    f->eip.on_primary = on_instance && kit_str_eq(eip->holder, e->instance);
    f->eip.on_eni = e->eni && eip->status == ALI_EIP_IN_USE &&
                    kit_str_eq(eip->holder, e->eni->id) &&
                    (!eip->mode[0] || kit_str_eq(eip->mode, ali_eip_mode_word(ALI_EIP_NAT)));
}

static void tell_eni(const struct ali_egress *e, struct kit_egress_facts *f)
{
    const struct ali_eni *eni = e->eni;

    if (!eni)
        return;
    (void)kit_str_copy(f->eni.id, sizeof(f->eni.id), eni->id);
    (void)ali_eni_primary_text(eni, f->eni.ip);
    (void)kit_str_copy(f->eni.mac, sizeof(f->eni.mac), eni->mac);
    (void)kit_str_copy(f->eni.vswitch, sizeof(f->eni.vswitch), eni->vswitch);
    (void)kit_str_copy(f->eni.node, sizeof(f->eni.node), eni->node);
    f->eni.attached = eni->state == ALI_ENI_IN_USE && kit_str_eq(eni->node, e->instance);
}

/* An EIP on the primary ENI: the instance's, or (a look that is behind) only the ENI shows it. */
static void tell_primary(const struct ali_egress *e, struct kit_egress_facts *f)
{
    const struct ali_instance *i = &e->convert.instance;

    (void)kit_str_copy(f->primary, sizeof(f->primary), e->primary->id);
    (void)kit_str_copy(f->static_ip, sizeof(f->static_ip), i->public_ip);
    (void)kit_str_copy(f->primary_eip, sizeof(f->primary_eip), i->eip);
    if (!f->primary_eip[0] && f->eip.on_primary)
        (void)kit_str_copy(f->primary_eip, sizeof(f->primary_eip), f->eip.address);
}

static void tell(const struct ali_egress *e, struct kit_egress_facts *f)
{
    KIT_AUTO(kit_buf) groups = KIT_BUF(sizeof(f->new_groups) - 1);

    (void)kit_str_copy(f->instance, sizeof(f->instance), e->instance);
    f->here = e->here;
    tell_eip(e, f);
    tell_eni(e, f);
    tell_primary(e, f);
    (void)kit_str_copy(f->snat.id, sizeof(f->snat.id), e->snat.id);
    (void)kit_str_copy(f->snat.gateway, sizeof(f->snat.gateway), e->snat.gateway);
    (void)kit_str_copy(f->snat.ip, sizeof(f->snat.ip), e->snat.ip);
    f->snat.available = kit_str_eq_nocase(e->snat.status, "Available");
    (void)kit_str_copy(f->new_vswitch, sizeof(f->new_vswitch), e->new_vswitch);
    for (size_t k = 0; k < e->groups; k++)
        (void)kit_buf_printf(&groups, "%s%s", k ? " " : "", e->group[k]);
    (void)kit_str_copy(f->new_groups, sizeof(f->new_groups), groups.data);
}

/* ---- look ------------------------------------------------------------------------------------ */

/* Of the ENI that is to be created. */
static void choose(struct ali_egress *e)
{
    struct ali_instance *i = &e->convert.instance;

    (void)kit_str_copy(e->new_vswitch, sizeof(e->new_vswitch),
                       e->wish->vswitch ? e->wish->vswitch : i->vswitch);
    if (e->wish->group)
        for (; e->wish->group[e->groups] && e->groups < ALI_GROUPS; e->groups++)
            e->group[e->groups] = e->wish->group[e->groups];
    else
        for (; e->groups < i->groups; e->groups++)
            e->group[e->groups] = i->group[e->groups];
}

static int look_for(struct ali_cloud *cloud, struct ali_egress *e, struct kit_deadline by,
                    struct kit_err *err)
{
    if (find_instance(cloud, e, by, err) || find_attached(cloud, e, by, err) ||
        find_eni(cloud, e, by, err) || find_eip(cloud, e, by, err) ||
        ali_egress_find_snat(cloud, e, by, err))
        return -1;
    choose(e);
    return e->wish->judge ? ali_egress_find_evidence(cloud, e, by, err) : 0;
}

/* What keeps the EIP from being bound is the elastic-ip mover's knowledge. */
static void judge(const struct ali_cloud *cloud, const struct ali_egress *e,
                  struct kit_egress_facts *f)
{
    const struct ali_eip_target t = {.mode = ALI_EIP_NAT,
                                     .region = cloud->region,
                                     .found = e->eip_known,
                                     .right = f->eip.on_eni,
                                     .eip = e->eip,
                                     .eni = e->eni};
    struct kit_facts bind = {.count = 0};

    kit_rules_judge(ali_egress_rules, ALI_EGRESS_RULES, e,
                    (struct kit_rule_list){f->breach, &f->breaches},
                    (struct kit_rule_list){f->unknown, &f->unknowns});
    if (e->eip_known && e->eni)
        kit_rules_check(ali_eip_rules, ALI_EIP_RULES, &t, &bind);
    for (size_t i = 0; i < bind.breaches && f->breaches < KIT_BREACHES; i++)
        if (bind.breach[i].rule->level == KIT_RULE_REFUSE)
            f->breach[f->breaches++] = bind.breach[i];
}

static int look(struct kit_cloud *base, const struct kit_egress_wish *wish, struct kit_deadline by,
                struct kit_egress_facts *ret_facts, struct kit_err *err)
{
    struct ali_cloud *cloud = (struct ali_cloud *)base;
    struct ali_egress e = {.wish = wish};
    int rc;

    if (ali_ready(cloud, by, err))
        return -1;
    e.convert.now_s = ali_now_s(cloud);
    rc = look_for(cloud, &e, by, err);
    if (!rc) {
        *ret_facts = (struct kit_egress_facts){.here = false};
        tell(&e, ret_facts);
        if (wish->judge)
            judge(cloud, &e, ret_facts);
    }
    ali_enis_done(&e.attached);
    ali_enis_done(&e.own);
    return rc;
}

/* ---- tables ---------------------------------------------------------------------------------- */

static const struct kit_permission permissions[] = {
    {"ecs:DescribeInstances", "*", "to see the instance's public address", KIT_ALWAYS},
    {"ecs:DescribeNetworkInterfaces", "*", "to see its ENIs", KIT_ALWAYS},
    {"ecs:DescribeInstanceTypes", "*", "to see how many ENIs it takes", KIT_ALWAYS},
    {"ecs:DescribeSecurityGroups", "*", "to check those of the new ENI", KIT_ALWAYS},
    {"vpc:DescribeVSwitches", "*", "to check that of the new ENI", KIT_ALWAYS},
    {"vpc:CheckCanAllocateVpcPrivateIpAddress", "*", "to check --private-address", KIT_ALWAYS},
    {"vpc:DescribeEipAddresses", "eip", "to see where the EIP is", KIT_ALWAYS},
    {"vpc:DescribeNatGateways", "*", "to find the way out", KIT_ALWAYS},
    {"vpc:DescribeSnatTableEntries", "*", "to find the way out", KIT_ALWAYS},
    {"vpc:DescribeRouteEntryList", "*", "to find the way out", KIT_ALWAYS},
    {"ecs:ConvertNatPublicIpToEip", "instance", "to make the public address an EIP", KIT_ALWAYS},
    {"ecs:CreateNetworkInterface", "*", "to create the ENI (without --eni)", KIT_ALWAYS},
    {"ecs:AttachNetworkInterface", "eni, instance", "to attach it", KIT_ALWAYS},
    {"vpc:UnassociateEipAddress", "eip, instance", "to take the EIP off the instance", KIT_ALWAYS},
    {"vpc:AssociateEipAddress", "eip, eni", "to bind it to the ENI", KIT_ALWAYS},
};

const struct kit_egress ali_egress = {
    .permissions = permissions,
    .permissions_count = KIT_LEN(permissions),
    .rules = ali_egress_rules,
    .rules_count = ALI_EGRESS_RULES,
    .look = look,
    .change = {[KIT_EGRESS_CONVERT] = ali_egress_convert,
               [KIT_EGRESS_CREATE] = ali_egress_create,
               [KIT_EGRESS_ATTACH] = ali_egress_attach,
               [KIT_EGRESS_UNBIND] = ali_egress_unbind,
               [KIT_EGRESS_BIND] = ali_egress_bind},
};
