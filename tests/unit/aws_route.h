/* tests/unit/aws_route.h - route tables as EC2 describes them.  Included after cmocka.h. */
#ifndef TESTS_UNIT_AWS_ROUTE_H
#define TESTS_UNIT_AWS_ROUTE_H

#include "tests/unit/aws_world.h"

#define LOCAL                                                                                      \
    "<item><destinationCidrBlock>10.0.0.0/16</destinationCidrBlock><gatewayId>local</gatewayId>"   \
    "<state>active</state><origin>CreateRouteTable</origin></item>\n"
#define DEFAULT_ROUTE                                                                              \
    "<item><destinationCidrBlock>0.0.0.0/0</destinationCidrBlock><gatewayId>igw-1</gatewayId>"     \
    "<state>active</state><origin>CreateRoute</origin></item>\n"
/* Any route: which destination, what it points at, its state, where it comes from. */
#define ROUTE(destination, target, state, origin)                                                  \
    "<item>" destination target "<state>" state "</state><origin>" origin "</origin></item>\n"
#define V4(cidr) "<destinationCidrBlock>" cidr "</destinationCidrBlock>"
#define V6(cidr) "<destinationIpv6CidrBlock>" cidr "</destinationIpv6CidrBlock>"
#define LIST(id) "<destinationPrefixListId>" id "</destinationPrefixListId>"
#define TO_ENI(n)                                                                                  \
    "<instanceId>i-" n "</instanceId><instanceOwnerId>123456789012</instanceOwnerId>"              \
    "<networkInterfaceId>eni-" n "</networkInterfaceId>"
#define TO(kind, id)   "<" kind ">" id "</" kind ">"
#define VIP_TO(target) ROUTE(V4("10.1.0.10/32"), target, "active", "CreateRoute")
#define VIP_ON(n)      VIP_TO(TO_ENI(n))

#define SUBNET                                                                                     \
    "<item><routeTableAssociationId>rtbassoc-1</routeTableAssociationId><routeTableId>rtb-x"       \
    "</routeTableId><subnetId>subnet-1</subnetId><main>false</main><associationState><state>"      \
    "associated</state></associationState></item>"
#define GATEWAY                                                                                    \
    "<item><routeTableAssociationId>rtbassoc-2</routeTableAssociationId><routeTableId>rtb-x"       \
    "</routeTableId><gatewayId>igw-1</gatewayId><main>false</main></item>"

#define TABLE_WITH(id, vpc, associations, routes)                                                  \
    "<item><routeTableId>" id "</routeTableId><vpcId>" vpc "</vpcId><ownerId>123456789012"         \
    "</ownerId><routeSet>" LOCAL DEFAULT_ROUTE routes "</routeSet><associationSet>" associations   \
    "</associationSet><propagatingVgwSet/><tagSet/></item>\n"
#define TABLE(id, routes) TABLE_WITH(id, "vpc-1", SUBNET, routes)
#define TABLES(tables)                                                                             \
    EC2_ANSWER("DescribeRouteTables", "<routeTableSet>" tables "</routeTableSet>")
#define PAGE(tables, token)                                                                        \
    EC2_ANSWER("DescribeRouteTables",                                                              \
               "<routeTableSet>" tables "</routeTableSet><nextToken>" token "</nextToken>")

/* ENI-n of i-n. */
#define ENI_ITEM(n, check)                                                                         \
    "<item><networkInterfaceId>eni-" n "</networkInterfaceId><subnetId>subnet-1</subnetId>"        \
    "<vpcId>vpc-1</vpcId><requesterManaged>false</requesterManaged><status>in-use</status>"        \
    "<sourceDestCheck>" check "</sourceDestCheck><attachment><attachmentId>eni-attach-" n          \
    "</attachmentId><instanceId>i-" n "</instanceId><deviceIndex>1</deviceIndex><status>"          \
    "attached</status></attachment><interfaceType>interface</interfaceType></item>"
#define ENIS(items)                                                                                \
    EC2_ANSWER("DescribeNetworkInterfaces", "<networkInterfaceSet>" items "</"                     \
                                            "networkInterfaceSet>")

#define DESCRIBE "Action=DescribeRouteTables&Version=2016-11-15"

/* eni-1 in vpc-1 is us, 10.1.0.10 is protected. */
static inline struct aws_world *route_begin(void)
{
    struct aws_world *w = aws_begin("route-table");

    aws_put(w, 0, KIT_PARAM_ADDRESS, "10.1.0.10");
    aws_put(w, 0, KIT_PARAM_ENI, "eni-1");
    aws_put(w, 0, KIT_PARAM_VPC_ID, "vpc-1");
    return w;
}

static inline void assert_binding(const struct kit_facts *facts, size_t n, const char *place,
                                  enum kit_binding_state state, const char *holder)
{
    assert_true(n < facts->count);
    const struct kit_binding *b = &facts->binding[n];
    assert_string_equal(b->place, place);
    assert_int_equal(b->state, state);
    assert_string_equal(b->holder, holder);
    assert_int_equal(b->mine, kit_str_eq(holder, "eni-1"));
    assert_int_equal(b->right, b->mine && state == KIT_BINDING_HELD);
}

#endif
