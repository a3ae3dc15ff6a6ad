/* tests/unit/ali_routes.h - routes of Alibaba Cloud as the API shows them.  Included after
 * cmocka.h. */
#ifndef TESTS_UNIT_ALI_ROUTES_H
#define TESTS_UNIT_ALI_ROUTES_H

#include "tests/unit/ali_movers.h"

#define HOP(type, id) "{\"NextHopType\":\"" type "\",\"NextHopId\":\"" id "\"}"
#define ENTRY_OF(cidr, type, status, hops)                                                         \
    "{\"RouteEntryId\":\"rte-1\",\"DestinationCidrBlock\":\"" cidr "\",\"Type\":\"" type           \
    "\",\"Status\":\"" status "\",\"NextHops\":{\"NextHop\":[" hops "]}}"
#define ENTRY(status, hop) ENTRY_OF("10.1.0.10/32", "Custom", status, HOP("NetworkInterface", hop))
#define ENTRIES(list)      ALI_ANSWER("\"RouteEntrys\":{\"RouteEntry\":[" list "]}")
#define ON(hop)            ENTRIES(ENTRY("Available", hop))
#define TABLE(id)          "{\"RouteTableId\":\"" id "\",\"AssociateType\":\"VSwitch\"}"
#define TABLES(total, list)                                                                        \
    ALI_ANSWER("\"TotalCount\":" total ",\"PageSize\":50,\"PageNumber\":1,\"RouterTableList\":{"   \
               "\"RouterTableListType\":[" list "]}")
#define ENI(id, node, status, type)                                                                \
    "{\"NetworkInterfaceId\":\"" id "\",\"InstanceId\":\"" node "\",\"Status\":\"" status          \
    "\",\"Type\":\"" type "\",\"VpcId\":\"vpc-1\",\"ZoneId\":\"cn-shanghai-a\"}"
#define ENIS(list) ALI_ANSWER("\"NetworkInterfaceSets\":{\"NetworkInterfaceSet\":[" list "]}")
#define OURS       ENI("eni-2", "i-2", "InUse", "Secondary")
#define THEIRS     ENI("eni-1", "i-1", "InUse", "Secondary")

#define LIST   "DescribeRouteTableList"
#define READ   "DescribeRouteEntryList"
#define MODIFY "ModifyRouteEntry"
#define CREATE "CreateRouteEntry"
#define DELETE "DeleteRouteEntry"
#define LOOK   "DescribeNetworkInterfaces"

/* One listed table; our ENI is eni-2. */
static inline struct ali_world *one_table(void)
{
    struct ali_world *w = ali_begin("route-table");

    ali_put(w, 0, KIT_PARAM_ADDRESS, "10.1.0.10");
    ali_put(w, 0, KIT_PARAM_ENI, "eni-2");
    ali_put(w, 0, KIT_PARAM_VPC_ID, "vpc-1");
    ali_put(w, 0, KIT_PARAM_ROUTE_TABLES, "vtb-1");
    return w;
}

#endif
