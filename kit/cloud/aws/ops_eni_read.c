/* aws eni …: ENIs as operations see them. */
#include <stdlib.h>
#include <string.h>

#include "kit/base/mem.h"
#include "kit/base/str.h"
#include "kit/cloud/aws/ops_eni.h"

/* DescribeNetworkInterfaces gives up to 1000 at once; an answer of so many fits well. */
#define PAGE "500"

void aws_op_nics_done(struct aws_op_nics *list)
{
    free(list->nic);
    *list = (struct aws_op_nics){.count = 0};
}

/* ---- one ------------------------------------------------------------------------------------- */

static void take_addresses(const struct kit_xml_node *item, struct aws_op_nic *n)
{
    char text[KIT_ADDR_TEXT];
    size_t used = 0;

    (void)kit_xml_text(item, "privateIpAddress", n->primary, sizeof(n->primary));
    KIT_XML_EACH (ip, kit_xml_child(item, "privateIpAddressesSet"), "item") {
        if (!kit_xml_text(ip, "privateIpAddress", text, sizeof(text)) ||
            kit_str_eq(text, n->primary))
            continue;
        (void)kit_str_format(n->others + used, sizeof(n->others) - used, "%s%s", used ? "," : "",
                             text);
        used = strlen(n->others);
    }
    KIT_XML_EACH (ip, kit_xml_child(item, "ipv6AddressesSet"), "item") {
        if (!kit_xml_text(ip, "ipv6Address", text, sizeof(text)))
            continue;
        (void)kit_str_format(n->others + used, sizeof(n->others) - used, "%s%s", used ? "," : "",
                             text);
        used = strlen(n->others);
    }
}

static void take_groups(const struct kit_xml_node *item, struct aws_op_nic *n)
{
    KIT_XML_EACH (group, kit_xml_child(item, "groupSet"), "item") {
        if (n->groups < AWS_OP_GROUPS)
            (void)kit_xml_text(group, "groupId", n->group[n->groups], KIT_ID);
        n->groups++;
    }
}

static void take_name(const struct kit_xml_node *item, struct aws_op_nic *n)
{
    char key[16];

    KIT_XML_EACH (tag, kit_xml_child(item, "tagSet"), "item")
        if (kit_xml_text(tag, "key", key, sizeof(key)) && kit_str_eq(key, "Name"))
            (void)kit_xml_text(tag, "value", n->name, sizeof(n->name));
}

/* aws_nic_list */
static void take(void *arg, const struct kit_xml_node *item)
{
    struct aws_op_nics *list = ((struct aws_op_search *)arg)->nics;
    struct aws_op_nic *n;

    /* Grows at powers of two: `count` says when. */
    if (!(list->count & (list->count - 1)))
        list->nic = kit_mem_grow(list->nic, list->count ? 2 * list->count : 1, sizeof(*list->nic));
    n = &list->nic[list->count];
    *n = (struct aws_op_nic){.groups = 0};
    if (!aws_nic_decode(item, &n->nic))
        return;
    (void)kit_xml_text(item, "description", n->description, sizeof(n->description));
    take_addresses(item, n);
    take_groups(item, n);
    take_name(item, n);
    list->count++;
}

/* ---- questions ------------------------------------------------------------------------------- */

/* aws_nic_list */
static void ask(void *arg, struct aws_query *q)
{
    const struct aws_op_filter *f = &((const struct aws_op_search *)arg)->filter;
    const struct {
        const char *name, *value;
    } rows[] = {
        {"network-interface-id", f->id},
        {"vpc-id", f->vpc},
        {"subnet-id", f->subnet},
        {"attachment.instance-id", f->node},
        {"attachment.device-index", f->device},
        {"status", f->status},
        {"tag:Name", f->name},
        {"addresses.private-ip-address", f->address},
    };

    for (size_t i = 0; i < KIT_LEN(rows); i++) {
        if (!rows[i].value)
            continue;
        aws_query_filter(q, rows[i].name);
        aws_query_filter_value(q, 1, rows[i].value);
    }
    aws_query_param(q, "MaxResults", PAGE);
}

void aws_op_search_init(struct aws_op_search *search, struct aws_cloud *cloud,
                        const struct aws_op_filter *filter, struct aws_op_nics *nics)
{
    *search = (struct aws_op_search){
        .list = {.cloud = cloud, .ask = ask, .take = take, .arg = search},
        .filter = *filter,
        .nics = nics,
    };
}

int aws_op_find_all(struct aws_cloud *cloud, const struct aws_op_filter *filter,
                    struct kit_deadline by, struct aws_op_nics *nics, struct kit_err *err)
{
    struct aws_op_search search;

    aws_op_search_init(&search, cloud, filter, nics);
    return aws_nic_list_run(&search.list, by, err);
}

int aws_op_find(struct aws_cloud *cloud, const char *id, struct kit_deadline by,
                struct aws_op_nics *nics, const struct aws_op_nic **ret_nic, struct kit_err *err)
{
    aws_op_nics_done(nics);
    if (aws_op_find_all(cloud, &(struct aws_op_filter){.id = id}, by, nics, err))
        return -1;
    if (nics->count && kit_str_eq(nics->nic[0].nic.eni.id, id)) {
        *ret_nic = &nics->nic[0];
        return 0;
    }
    return kit_err_set(err, KIT_ERR_NOT_FOUND,
                       "DescribeNetworkInterfaces: no ENI %s in this account and region", id);
}

void aws_op_groups_take(const struct aws_query *q, char *const *group, struct aws_op_eni *e)
{
    e->groups = kit_op_list_count(group);
    for (; *group; group++) {
        char vpc[KIT_ID];

        if (aws_groups_vpc(q, *group, vpc) && kit_str_eq(vpc, e->vpc))
            continue;
        (void)kit_str_copy(e->stray, sizeof(e->stray), *group);
        (void)kit_str_copy(e->stray_vpc, sizeof(e->stray_vpc), vpc);
        return;
    }
}

/* ---- rows ------------------------------------------------------------------------------------ */

const char *const aws_op_eni_columns[] = {"eni",    "status", "device", "instance", "address",
                                          "others", "mac",    "zone",   "subnet",   "vpc",
                                          "groups", "name",   NULL};

void aws_op_eni_row(const struct aws_op_nic *n, struct kit_op_answer *answer)
{
    struct kit_op_row *row = kit_op_answer_add(answer);
    KIT_AUTO(kit_buf) groups = KIT_BUF(AWS_OP_GROUPS * KIT_ID);
    char device[24] = "";

    answer->columns = aws_op_eni_columns;
    for (size_t i = 0; i < n->groups && i < AWS_OP_GROUPS; i++)
        (void)kit_buf_printf(&groups, "%s%s", i ? "," : "", n->group[i]);
    if (n->nic.device_index >= 0)
        (void)kit_str_format(device, sizeof(device), "%lld", (long long)n->nic.device_index);
    const char *const cell[] = {n->nic.eni.id, n->nic.status, device,         n->nic.eni.node,
                                n->primary,    n->others,     n->nic.eni.mac, n->nic.zone,
                                n->nic.subnet, n->nic.vpc,    groups.data,    n->name};
    for (size_t i = 0; i < KIT_LEN(cell); i++)
        kit_op_cell(row, i, cell[i]);
}
