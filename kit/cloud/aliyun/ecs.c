/* kit/cloud/aliyun/ecs.c - ENIs and instances, asked for and read. */
#include "kit/cloud/aliyun/ecs.h"

#include <stdlib.h>
#include <string.h>

#include "kit/base/mem.h"
#include "kit/base/str.h"

/* ---- one ENI --------------------------------------------------------------------------------- */

void ali_eni_done(struct ali_eni *eni)
{
    free(eni->address);
    *eni = (struct ali_eni){0};
}

static enum ali_eni_state state_of(const char *word)
{
    static const char *const names[] = {
        [ALI_ENI_AVAILABLE] = "Available", [ALI_ENI_ATTACHING] = "Attaching",
        [ALI_ENI_IN_USE] = "InUse",        [ALI_ENI_DETACHING] = "Detaching",
        [ALI_ENI_DELETING] = "Deleting",
    };

    for (size_t i = ALI_ENI_AVAILABLE; i < KIT_LEN(names); i++)
        if (kit_str_eq_nocase(word, names[i]))
            return (enum ali_eni_state)i;
    return ALI_ENI_OTHER;
}

/* Adds an address; NULL when the text is none. */
static struct ali_eni_address *add_address(struct ali_eni *eni, const struct kit_json_node *item,
                                           const char *key)
{
    char text[KIT_ADDR_TEXT];
    struct kit_addr addr;
    struct ali_eni_address *a;

    if (!ali_text(item, key, text, sizeof(text)) || !kit_addr_parse(text, &addr))
        return NULL;
    eni->address = kit_mem_grow(eni->address, eni->addresses + 1, sizeof(*eni->address));
    a = &eni->address[eni->addresses++];
    *a = (struct ali_eni_address){.addr = addr};
    return a;
}

static void take_eip(const struct kit_json_node *item, struct ali_eni_address *a)
{
    const struct kit_json_node *eip = kit_json_get(item, "AssociatedPublicIp");

    (void)ali_text(eip, "AllocationId", a->allocation, sizeof(a->allocation));
    (void)ali_text(eip, "PublicIpAddress", a->eip, sizeof(a->eip));
}

static void take_addresses(const struct kit_json_node *item, struct ali_eni *eni)
{
    size_t n = ali_list_count(item, "PrivateIpSets", "PrivateIpSet");

    for (size_t i = 0; i < n; i++) {
        const struct kit_json_node *one = ali_list_at(item, "PrivateIpSets", "PrivateIpSet", i);
        struct ali_eni_address *a = add_address(eni, one, "PrivateIpAddress");

        if (!a)
            continue;
        a->primary = ali_true(one, "Primary");
        take_eip(one, a);
    }
    if (!eni->addresses) { /* a short form of answer names the primary one alone */
        struct ali_eni_address *a = add_address(eni, item, "PrivateIpAddress");

        if (a) {
            a->primary = true;
            take_eip(item, a);
        }
    }
    n = ali_list_count(item, "Ipv6Sets", "Ipv6Set");
    for (size_t i = 0; i < n; i++)
        (void)add_address(eni, ali_list_at(item, "Ipv6Sets", "Ipv6Set", i), "Ipv6Address");
}

static void take_groups(const struct kit_json_node *item, struct ali_eni *eni)
{
    eni->groups = (unsigned)ali_list_count(item, "SecurityGroupIds", "SecurityGroupId");
    for (unsigned i = 0; i < eni->groups && i < ALI_GROUPS; i++) {
        const char *id =
            kit_json_string(ali_list_at(item, "SecurityGroupIds", "SecurityGroupId", i));

        if (!id || !kit_str_copy(eni->group[i], KIT_ID, id))
            eni->group[i][0] = '\0';
    }
}

bool ali_eni_decode(const struct kit_json_node *item, struct ali_eni *ret_eni)
{
    struct ali_eni eni = {0};
    char type[16];

    if (!ali_text(item, "NetworkInterfaceId", eni.id, sizeof(eni.id)) || !eni.id[0])
        return false;
    (void)ali_text(item, "InstanceId", eni.node, sizeof(eni.node));
    (void)ali_text(item, "VpcId", eni.vpc, sizeof(eni.vpc));
    (void)ali_text(item, "VSwitchId", eni.vswitch, sizeof(eni.vswitch));
    (void)ali_text(item, "ZoneId", eni.zone, sizeof(eni.zone));
    (void)ali_text(item, "MacAddress", eni.mac, sizeof(eni.mac));
    (void)ali_text(item, "Status", eni.state_text, sizeof(eni.state_text));
    (void)ali_text(item, "Type", type, sizeof(type));
    eni.state = state_of(eni.state_text);
    eni.primary = kit_str_eq_nocase(type, "Primary");
    eni.service_managed = ali_true(item, "ServiceManaged");
    eni.source_dest_check = ali_true(item, "SourceDestCheck");
    eni.release_known = kit_json_get(item, "DeleteOnRelease") != NULL;
    eni.dies_with_node = ali_true(item, "DeleteOnRelease");
    (void)ali_text(item, "NetworkInterfaceName", eni.name, sizeof(eni.name));
    (void)ali_text(item, "Description", eni.description, sizeof(eni.description));
    take_groups(item, &eni);
    take_addresses(item, &eni);
    *ret_eni = eni;
    return true;
}

const struct ali_eni_address *ali_eni_address(const struct ali_eni *eni,
                                              const struct kit_addr *addr)
{
    for (size_t i = 0; i < eni->addresses; i++)
        if (kit_addr_eq(&eni->address[i].addr, addr))
            return &eni->address[i];
    return NULL;
}

bool ali_eni_primary_text(const struct ali_eni *eni, char ret_text[KIT_ADDR_TEXT])
{
    ret_text[0] = '\0';
    for (size_t i = 0; !ret_text[0] && i < eni->addresses; i++)
        if (eni->address[i].primary)
            (void)kit_addr_text(&eni->address[i].addr, ret_text);
    return ret_text[0] != '\0';
}

/* ---- lists ----------------------------------------------------------------------------------- */

void ali_enis_done(struct ali_enis *list)
{
    for (size_t i = 0; i < list->count; i++)
        ali_eni_done(&list->eni[i]);
    free(list->eni);
    *list = (struct ali_enis){0};
}

const struct ali_eni *ali_enis_get(const struct ali_enis *list, const char *id)
{
    for (size_t i = 0; i < list->count; i++)
        if (kit_str_eq(list->eni[i].id, id))
            return &list->eni[i];
    return NULL;
}

static bool is_among(const char *id, const struct ali_eni_filter *filter)
{
    for (size_t i = 0; i < filter->ids; i++)
        if (kit_str_eq(filter->id[i], id))
            return true;
    return !filter->ids;
}

static bool has_primary(const struct ali_eni *eni, const struct kit_addr *addr)
{
    const struct ali_eni_address *a = ali_eni_address(eni, addr);

    return a && a->primary;
}

/* An endpoint that passes over a parameter it does not know answers with all there are. */
static bool fits(const struct ali_eni *eni, const struct ali_eni_filter *f)
{
    return is_among(eni->id, f) && (!f->vpc || !eni->vpc[0] || kit_str_eq(eni->vpc, f->vpc)) &&
           (!f->vswitch || !eni->vswitch[0] || kit_str_eq(eni->vswitch, f->vswitch)) &&
           (!f->node || kit_str_eq(eni->node, f->node)) &&
           (!f->name || kit_str_eq(eni->name, f->name)) &&
           (!f->status || kit_str_eq_nocase(eni->state_text, f->status)) &&
           (!f->type || eni->primary == kit_str_eq(f->type, "Primary")) &&
           (!f->address || ali_eni_address(eni, f->address)) &&
           (!f->primary || has_primary(eni, f->primary));
}

static void take_page(const struct kit_json_node *root, const struct ali_eni_filter *filter,
                      struct ali_enis *list)
{
    size_t n = ali_list_count(root, "NetworkInterfaceSets", "NetworkInterfaceSet");

    for (size_t i = 0; i < n; i++) {
        struct ali_eni eni;

        if (!ali_eni_decode(ali_list_at(root, "NetworkInterfaceSets", "NetworkInterfaceSet", i),
                            &eni))
            continue;
        /* Or an item that moved from one page to the next. */
        if (!fits(&eni, filter) || ali_enis_get(list, eni.id)) {
            ali_eni_done(&eni);
            continue;
        }
        list->eni = kit_mem_grow(list->eni, list->count + 1, sizeof(*list->eni));
        list->eni[list->count++] = eni;
    }
}

static void encode_address(struct ali_rpc *r, const char *name, const struct kit_addr *addr)
{
    char text[KIT_ADDR_TEXT];

    ali_rpc_param(r, name, kit_addr_text(addr, text));
}

void ali_enis_call(struct ali_rpc *r, struct ali_cloud *cloud, const struct ali_eni_filter *filter)
{
    ali_rpc_init(r, cloud, &ali_ecs, "DescribeNetworkInterfaces", ALI_READS);
    for (size_t i = 0; i < filter->ids; i++)
        ali_rpc_item(r, "NetworkInterfaceId", (unsigned)(i + 1), filter->id[i]);
    if (filter->vpc)
        ali_rpc_param(r, "VpcId", filter->vpc);
    if (filter->vswitch)
        ali_rpc_param(r, "VSwitchId", filter->vswitch);
    if (filter->node)
        ali_rpc_param(r, "InstanceId", filter->node);
    if (filter->name)
        ali_rpc_param(r, "NetworkInterfaceName", filter->name);
    if (filter->status)
        ali_rpc_param(r, "Status", filter->status);
    ali_rpc_param(r, "Type", filter->type);
    if (filter->address)
        encode_address(r, filter->address->family == 6 ? "Ipv6Address.1" : "PrivateIpAddress.1",
                       filter->address);
    if (filter->primary)
        encode_address(r, "PrimaryIpAddress", filter->primary);
    ali_rpc_param(r, "MaxResults", "500");
}

int ali_enis_finish(struct ali_rpc *r, const struct ali_eni_filter *filter, struct kit_deadline by,
                    struct ali_enis *list, struct kit_err *err)
{
    char token[ALI_PAGE_TOKEN] = "";

    if (r->call.failed) {
        *err = r->call.err;
        return -1;
    }
    for (;;) {
        int more = ali_next_token(r, token, err);

        if (more < 0)
            return -1;
        take_page(ali_rpc_root(r), filter, list);
        if (!more)
            return 0;
        struct ali_cloud *cloud = r->cloud;
        ali_rpc_done(r);
        ali_enis_call(r, cloud, filter);
        ali_rpc_param(r, "NextToken", token);
        if (ali_rpc_run(r, by, err))
            return -1;
    }
}

int ali_enis_find(struct ali_cloud *cloud, const struct ali_eni_filter *filter,
                  struct kit_deadline by, struct ali_enis *list, struct kit_err *err)
{
    struct ali_rpc r;
    int rc;

    ali_enis_call(&r, cloud, filter);
    rc = ali_rpc_run(&r, by, err);
    if (!rc)
        rc = ali_enis_finish(&r, filter, by, list, err);
    ali_rpc_done(&r);
    return rc;
}

/* ---- instances ------------------------------------------------------------------------------- */

void ali_instances_call(struct ali_rpc *r, struct ali_cloud *cloud, const char *const id[],
                        size_t ids)
{
    /* InstanceIds is one string that holds a JSON array. */
    KIT_AUTO(kit_buf) text = KIT_BUF(ALI_INSTANCE_IDS * (KIT_ID + 4));
    struct kit_json_writer w = {.out = &text};

    kit_json_open(&w, NULL, '[');
    for (size_t i = 0; i < ids; i++)
        kit_json_put_string(&w, NULL, id[i]);
    kit_json_close(&w);
    ali_rpc_init(r, cloud, &ali_ecs, "DescribeInstances", ALI_READS);
    ali_rpc_param(r, "InstanceIds", text.data);
    ali_rpc_param(r, "MaxResults", "100");
}

/* The first text of a list "PublicIpAddress": {"IpAddress": ["1.2.3.4"]}. */
static void first_text(const struct kit_json_node *item, const char *outer, const char *inner,
                       char *dst, size_t dst_bytes)
{
    const char *text = kit_json_string(ali_list_at(item, outer, inner, 0));

    if (!text || !kit_str_copy(dst, dst_bytes, text))
        dst[0] = '\0';
}

static void decode_groups(const struct kit_json_node *item, struct ali_instance *i)
{
    size_t n = ali_list_count(item, "SecurityGroupIds", "SecurityGroupId");

    for (size_t k = 0; k < n && i->groups < ALI_GROUPS; k++) {
        const char *id =
            kit_json_string(ali_list_at(item, "SecurityGroupIds", "SecurityGroupId", k));

        if (id && kit_str_copy(i->group[i->groups], KIT_ID, id))
            i->groups++;
    }
}

static void decode_instance(const struct kit_json_node *item, struct ali_instance *i)
{
    const struct kit_json_node *vpc = kit_json_get(item, "VpcAttributes");
    const struct kit_json_node *eip = kit_json_get(item, "EipAddress");

    (void)ali_text(item, "Status", i->status, sizeof(i->status));
    (void)ali_text(item, "ZoneId", i->zone, sizeof(i->zone));
    (void)ali_text(item, "InstanceType", i->type, sizeof(i->type));
    (void)ali_text(item, "InstanceTypeFamily", i->family, sizeof(i->family));
    (void)ali_text(item, "InstanceNetworkType", i->network, sizeof(i->network));
    (void)ali_text(item, "InstanceChargeType", i->charge, sizeof(i->charge));
    (void)ali_text(vpc, "VpcId", i->vpc, sizeof(i->vpc));
    (void)ali_text(vpc, "VSwitchId", i->vswitch, sizeof(i->vswitch));
    (void)ali_text(eip, "IpAddress", i->eip, sizeof(i->eip));
    (void)ali_text(eip, "AllocationId", i->eip_allocation, sizeof(i->eip_allocation));
    first_text(item, "PublicIpAddress", "IpAddress", i->public_ip, sizeof(i->public_ip));
    i->io_optimized = ali_true(item, "IoOptimized");
    i->enis = ali_list_count(item, "NetworkInterfaces", "NetworkInterface");
    (void)ali_text(item, "ExpiredTime", i->expires, sizeof(i->expires));
    (void)ali_text(item, "InternetChargeType", i->traffic, sizeof(i->traffic));
    if (!kit_json_int(kit_json_get(item, "InternetMaxBandwidthOut"), &i->bandwidth))
        i->bandwidth = -1;
    (void)ali_text(ali_list_at(item, "OperationLocks", "LockReason", 0), "LockReason", i->lock,
                   sizeof(i->lock));
    decode_groups(item, i);
}

int ali_instance_find(struct ali_cloud *cloud, const char *id, struct kit_deadline by,
                      struct ali_instance *ret_instance, struct kit_err *err)
{
    struct ali_rpc r;
    int rc;

    ali_instances_call(&r, cloud, &id, 1);
    rc = ali_rpc_run(&r, by, err);
    if (!rc && !ali_instances_take(&r, id, ret_instance))
        rc = kit_err_set(err, KIT_ERR_NOT_FOUND,
                         "DescribeInstances: no instance %s in this account and region", id);
    ali_rpc_done(&r);
    return rc;
}

bool ali_instances_take(const struct ali_rpc *r, const char *id, struct ali_instance *ret_instance)
{
    const struct kit_json_node *root = ali_rpc_root(r);
    size_t n = ali_list_count(root, "Instances", "Instance");

    for (size_t k = 0; k < n; k++) {
        const struct kit_json_node *item = ali_list_at(root, "Instances", "Instance", k);
        struct ali_instance one = {0};

        if (!ali_text(item, "InstanceId", one.id, sizeof(one.id)) || !kit_str_eq(one.id, id))
            continue;
        decode_instance(item, &one);
        *ret_instance = one;
        return true;
    }
    return false;
}
