/* kit/cloud/aliyun/vswitch.h - vSwitches, and addresses of theirs that are idle.  Private to
 * kit/cloud/aliyun. */
#ifndef KIT_CLOUD_ALIYUN_VSWITCH_H
#define KIT_CLOUD_ALIYUN_VSWITCH_H

#include "kit/cloud/aliyun/rpc.h"

struct ali_vswitch {
    char id[KIT_ID], vpc[KIT_ID], zone[KIT_ID];
    char table[KIT_ID];          /* route table */
    struct kit_cidr cidr, cidr6; /* addr.family 0 = none */
};
/* DescribeVSwitches of one, ready for kit_call_all. */
void ali_vswitch_call(struct ali_rpc *r, struct ali_cloud *cloud, const char *id);
/* The vSwitch `id` of such a call's answer; false: it is not there. */
bool ali_vswitch_take(const struct ali_rpc *r, const char *id, struct ali_vswitch *ret_vswitch);

/* CheckCanAllocateVpcPrivateIpAddress, ready for kit_call_all: is the address of the vSwitch, idle,
 * and not one of those that the cloud keeps for itself? */
void ali_vswitch_idle_call(struct ali_rpc *r, struct ali_cloud *cloud, const char *id,
                           const struct kit_addr *addr);
bool ali_vswitch_idle_take(const struct ali_rpc *r);

/* The same as a rule's answer; `addr` NULL: none was named. */
enum kit_rule_answer ali_vswitch_idle_rule(const struct ali_vswitch *vswitch,
                                           const struct kit_addr *addr, bool idle,
                                           struct kit_buf *detail);

#endif
