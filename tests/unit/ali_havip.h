/* tests/unit/ali_havip.h - a HAVIP, two nodes and an interface, for the mover's tests. */
#ifndef TESTS_UNIT_ALI_HAVIP_H
#define TESTS_UNIT_ALI_HAVIP_H

#include "tests/unit/sys_namespace.h"

#include "kit/sys/netlink.h"
#include "tests/unit/ali_movers.h"

#define MACS "GET meta-data/network/interfaces/macs/" HERE_MAC "/"

#define HAVIP(id, ip, status, master, type, bound)                                                 \
    "{\"HaVipId\":\"" id "\",\"IpAddress\":\"" ip "\",\"Status\":\"" status                        \
    "\",\"MasterInstanceId\":\"" master                                                            \
    "\",\"VpcId\":\"vpc-1\",\"VSwitchId\":\"vsw-1\",\"AssociatedInstanceType\":\"" type            \
    "\",\"AssociatedInstances\":{\"associatedInstance\":[" bound "]}}"
#define HAVIPS(list) ALI_ANSWER("\"TotalCount\":1,\"HaVips\":{\"HaVip\":[" list "]}")
#define BOTH         "\"eni-1\",\"eni-2\""
#define MASTER(id)   HAVIPS(HAVIP("havip-1", "10.0.1.50", "InUse", id, "NetworkInterface", BOTH))
#define UNBOUND(status)                                                                            \
    HAVIPS(HAVIP("havip-1", "10.0.1.50", status, "eni-1", "NetworkInterface", "\"eni-1\""))

static const struct kit_netlink_addr address = {4, 32, {10, 0, 1, 50}};

static inline bool is_up(void)
{
    struct kit_err err;
    bool has;

    if (kit_netlink_addr_has("v0", &address, &has, &err))
        fail_msg("%s", err.msg);
    return has;
}

static inline void put_up(bool up)
{
    struct kit_err err;
    bool changed;

    if (up ? kit_netlink_addr_add("v0", &address, &changed, &err)
           : kit_netlink_addr_del("v0", &address, &changed, &err))
        fail_msg("%s", err.msg);
}

#define LOOK       "DescribeNetworkInterfaces"
#define ENIS(list) ALI_ANSWER("\"NetworkInterfaceSets\":{\"NetworkInterfaceSet\":[" list "]}")
#define IDLE(id, node)                                                                             \
    "{\"NetworkInterfaceId\":\"" id "\",\"Status\":\"Available\",\"InstanceId\":\"" node "\"}"

/* Node i-2 with eni-2, which is v0. */
static inline struct ali_world *begin_without_enis(void)
{
    struct ali_world *w;

    need_network();
    put_up(false);
    w = ali_begin("havip");
    ali_put(w, 0, KIT_PARAM_ADDRESS, "10.0.1.50");
    ali_put(w, 0, KIT_PARAM_INTERFACE, "v0");
    ali_reply(w, MACS "network-interface-id", NULL, "eni-2");
    ali_reply(w, MACS "vpc-id", NULL, "vpc-1");
    ali_reply(w, MACS "vswitch-id", NULL, "vsw-1");
    ali_reply(w, MACS "primary-ip-address", NULL, "10.0.1.12");
    return w;
}

static inline struct ali_world *begin(void)
{
    struct ali_world *w = begin_without_enis();

    ali_reply(w, LOOK, "Status=Available&VSwitchId=vsw-1&VpcId=vpc-1", ENIS(""));
    return w;
}

#endif
