/* tests/unit/ali_eip.h - EIPs and an ENI as the cloud describes them.  Included after cmocka.h. */
#ifndef TESTS_UNIT_ALI_EIP_H
#define TESTS_UNIT_ALI_EIP_H

#include "tests/unit/ali_movers.h"

#define EIP(id, ip, status, holder, type, mode, address, more)                                     \
    "{\"AllocationId\":\"" id "\",\"IpAddress\":\"" ip "\",\"Status\":\"" status                   \
    "\",\"InstanceId\":\"" holder "\",\"InstanceType\":\"" type "\",\"Mode\":\"" mode              \
    "\",\"PrivateIpAddress\":\"" address "\",\"RegionId\":\"cn-shanghai\",\"BusinessStatus\":"     \
    "\"Normal\",\"ChargeType\":\"PostPaid\"" more "}"
#define EIPS(list)                                                                                 \
    ALI_ANSWER("\"TotalCount\":1,\"PageNumber\":1,\"PageSize\":100,\"EipAddresses\":{"             \
               "\"EipAddress\":[" list "]}")
#define ON(holder, status, mode, address)                                                          \
    EIPS(EIP("eip-1", "198.51.100.20", status, holder, "NetworkInterface", mode, address, ""))
#define FREE   EIPS(EIP("eip-1", "198.51.100.20", "Available", "", "", "", "", ""))
#define THEIRS ON("eni-1", "InUse", "NAT", "10.0.1.11")
#define OURS   ON("eni-2", "InUse", "NAT", "10.0.1.12")

#define ADDRESS(ip, primary, public)                                                               \
    "{\"PrivateIpAddress\":\"" ip "\",\"Primary\":" primary public "}"
#define ENI(type, status, node, addresses)                                                         \
    ALI_ANSWER("\"NetworkInterfaceSets\":{\"NetworkInterfaceSet\":[{\"NetworkInterfaceId\":"       \
               "\"eni-2\",\"Type\":\"" type "\",\"Status\":\"" status "\",\"InstanceId\":\"" node  \
               "\",\"VpcId\":\"vpc-1\",\"VSwitchId\":\"vsw-1\",\"PrivateIpSets\":{"                \
               "\"PrivateIpSet\":[" addresses "]}}]}")
#define PLAIN_ENI ENI("Secondary", "InUse", "i-2", ADDRESS("10.0.1.12", "true", ""))
#define LOOSE_ENI ENI("Secondary", "Available", "", ADDRESS("10.0.1.12", "true", ""))
#define OTHERS_EIP                                                                                 \
    ",\"AssociatedPublicIp\":{\"PublicIpAddress\":\"198.51.100.99\",\"AllocationId\":\"eip-9\"}"

static inline struct ali_world *begin(void)
{
    struct ali_world *w = ali_begin("elastic-ip");

    ali_put(w, 0, KIT_PARAM_ENI, "eni-2");
    ali_put(w, 0, KIT_PARAM_ALLOCATION_ID, "eip-1");
    return w;
}

#endif
