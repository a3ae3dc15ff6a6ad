#include "kit/cloud/aws/instance.h"

#include "kit/base/str.h"

/* ---- instances ------------------------------------------------------------------------------- */

void aws_instance_ask(struct aws_query *q, struct aws_cloud *cloud, const char *id)
{
    aws_query_describe(q, cloud, "DescribeInstances", "reservationSet");
    aws_query_filter(q, "instance-id");
    aws_query_filter_value(q, 1, id);
}

static bool decode(const struct kit_xml_node *item, const char *id,
                   struct aws_instance *ret_instance)
{
    struct aws_instance i = {.id = ""};

    if (!kit_xml_text(item, "instanceId", i.id, sizeof(i.id)) || !kit_str_eq(i.id, id))
        return false;
    (void)kit_xml_text(kit_xml_child(item, "instanceState"), "name", i.state, sizeof(i.state));
    (void)kit_xml_text(kit_xml_child(item, "placement"), "availabilityZone", i.zone,
                       sizeof(i.zone));
    (void)kit_xml_text(item, "vpcId", i.vpc, sizeof(i.vpc));
    (void)kit_xml_text(item, "subnetId", i.subnet, sizeof(i.subnet));
    (void)kit_xml_text(item, "instanceType", i.type, sizeof(i.type));
    *ret_instance = i;
    return true;
}

bool aws_instance_take(const struct aws_query *q, const char *id, struct aws_instance *ret_instance)
{
    KIT_XML_EACH (reservation, kit_xml_child(kit_xml_root(&q->xml), "reservationSet"), "item")
        KIT_XML_EACH (item, kit_xml_child(reservation, "instancesSet"), "item")
            if (decode(item, id, ret_instance))
                return true;
    return false;
}

/* ---- subnets --------------------------------------------------------------------------------- */

void aws_subnet_ask(struct aws_query *q, struct aws_cloud *cloud, const char *id)
{
    aws_query_describe(q, cloud, "DescribeSubnets", "subnetSet");
    aws_query_filter(q, "subnet-id");
    aws_query_filter_value(q, 1, id);
}

bool aws_subnet_take(const struct aws_query *q, const char *id, struct aws_subnet *ret_subnet)
{
    KIT_XML_EACH (item, kit_xml_child(kit_xml_root(&q->xml), "subnetSet"), "item") {
        struct aws_subnet s = {.id = ""};
        char text[KIT_CIDR_TEXT];

        if (!kit_xml_text(item, "subnetId", s.id, sizeof(s.id)) || !kit_str_eq(s.id, id))
            continue;
        (void)kit_xml_text(item, "vpcId", s.vpc, sizeof(s.vpc));
        (void)kit_xml_text(item, "availabilityZone", s.zone, sizeof(s.zone));
        if (!kit_xml_text(item, "cidrBlock", text, sizeof(text)) || !kit_cidr_parse(text, &s.cidr))
            s.cidr = (struct kit_cidr){.prefix_len = 0};
        *ret_subnet = s;
        return true;
    }
    return false;
}

/* ---- security groups ------------------------------------------------------------------------- */

void aws_groups_ask(struct aws_query *q, struct aws_cloud *cloud, char *const *group)
{
    unsigned count = 0;

    aws_query_describe(q, cloud, "DescribeSecurityGroups", "securityGroupInfo");
    aws_query_filter(q, "group-id");
    for (; *group; group++)
        aws_query_filter_value(q, ++count, *group);
}

bool aws_groups_vpc(const struct aws_query *q, const char *group, char ret_vpc[KIT_ID])
{
    char id[KIT_ID];

    ret_vpc[0] = '\0';
    KIT_XML_EACH (item, kit_xml_child(kit_xml_root(&q->xml), "securityGroupInfo"), "item")
        if (kit_xml_text(item, "groupId", id, sizeof(id)) && kit_str_eq(id, group)) {
            (void)kit_xml_text(item, "vpcId", ret_vpc, KIT_ID);
            return true;
        }
    return false;
}
