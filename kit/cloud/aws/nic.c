/* kit/cloud/aws/nic.c - DescribeNetworkInterfaces, whole. */
#include "kit/cloud/aws/nic.h"

#include <string.h>

#include "kit/base/str.h"

bool aws_nic_decode(const struct kit_xml_node *item, struct aws_nic *ret_nic)
{
    const struct kit_xml_node *attachment = kit_xml_child(item, "attachment");
    struct aws_nic nic = {.device_index = -1};
    char index[16], flag[8];

    if (!aws_eni_decode(item, &nic.eni))
        return false;
    (void)kit_xml_text(item, "status", nic.status, sizeof(nic.status));
    (void)kit_xml_text(item, "availabilityZone", nic.zone, sizeof(nic.zone));
    (void)kit_xml_text(item, "subnetId", nic.subnet, sizeof(nic.subnet));
    (void)kit_xml_text(item, "vpcId", nic.vpc, sizeof(nic.vpc));
    (void)kit_xml_text(attachment, "attachmentId", nic.attachment, sizeof(nic.attachment));
    (void)kit_xml_text(attachment, "status", nic.attachment_state, sizeof(nic.attachment_state));
    if (kit_xml_text(attachment, "deviceIndex", index, sizeof(index)) &&
        !kit_str_to_int(index, 0, INT32_MAX, &nic.device_index))
        nic.device_index = -1;
    (void)kit_xml_text(attachment, "deleteOnTermination", flag, sizeof(flag));
    nic.dies_with_node = kit_str_eq(flag, "true");
    *ret_nic = nic;
    return true;
}

bool aws_nic_is_foreign(const struct aws_nic *nic)
{
    const char *type = nic->eni.type;

    return nic->eni.requester_managed ||
           (type[0] && !kit_str_eq(type, "interface") && !kit_str_starts(type, "efa")) ||
           (nic->attachment[0] && !nic->eni.node[0]);
}

void aws_nic_list_begin(struct aws_nic_list *list)
{
    aws_query_describe(&list->query, list->cloud, "DescribeNetworkInterfaces",
                       "networkInterfaceSet");
    list->ask(list->arg, &list->query);
    if (list->token[0])
        aws_query_param(&list->query, "NextToken", list->token);
}

static int take_page(struct aws_nic_list *list, struct kit_err *err)
{
    const struct kit_xml_node *root = kit_xml_root(&list->query.xml);

    KIT_XML_EACH (item, kit_xml_child(root, "networkInterfaceSet"), "item")
        list->take(list->arg, item);
    return aws_query_next(&list->query, list->token, err);
}

int aws_nic_list_finish(struct aws_nic_list *list, struct kit_deadline by, struct kit_err *err)
{
    int rc = 0;

    if (list->query.call.failed) {
        *err = list->query.call.err;
        rc = -1;
    } else {
        rc = take_page(list, err);
    }
    while (!rc && list->token[0]) {
        aws_query_done(&list->query);
        aws_nic_list_begin(list);
        rc = aws_query_run(&list->query, by, err);
        if (!rc)
            rc = take_page(list, err);
    }
    aws_query_done(&list->query);
    list->token[0] = '\0';
    return rc;
}

int aws_nic_list_run(struct aws_nic_list *list, struct kit_deadline by, struct kit_err *err)
{
    struct kit_err ignored; /* the call keeps it for finish */

    aws_nic_list_begin(list);
    if (aws_query_run(&list->query, by, &ignored))
        list->query.call.failed = true;
    return aws_nic_list_finish(list, by, err);
}
