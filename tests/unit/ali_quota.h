/* tests/unit/ali_quota.h - what DescribeInstanceTypes says of ecs.g6.large, for the movers that ask
 * it. */
#ifndef TESTS_UNIT_ALI_QUOTA_H
#define TESTS_UNIT_ALI_QUOTA_H

#include "tests/unit/ali_movers.h"

#define TYPES        "DescribeInstanceTypes"
#define TYPE_OF(...) ALI_ANSWER("\"InstanceTypes\":{\"InstanceType\":[" __VA_ARGS__ "]}")
#define QUOTA(enis, ipv4, ipv6)                                                                    \
    TYPE_OF("{\"InstanceTypeId\":\"ecs.g6.large\",\"EniQuantity\":" enis                           \
            ",\"EniPrivateIpAddressQuantity\":" ipv4 ",\"EniIpv6AddressQuantity\":" ipv6 "}")

#endif
