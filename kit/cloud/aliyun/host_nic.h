/* kit/cloud/aliyun/host_nic.h - one interface of this instance, as the metadata service has it. */
#ifndef KIT_CLOUD_ALIYUN_HOST_NIC_H
#define KIT_CLOUD_ALIYUN_HOST_NIC_H

#include "kit/cloud/aliyun/aliyun.h"
#include "kit/cloud/nic.h"

/* Below meta-data/network/interfaces/macs/MAC/, and one beside it (ECS: "Instance metadata"). */
enum ali_host_nic_item {
    ALI_HOST_NIC_FIRST_MAC, /* meta-data/mac: that of the primary interface */
    ALI_HOST_NIC_ENI,       /* network-interface-id */
    ALI_HOST_NIC_PRIMARY,   /* primary-ip-address */
    ALI_HOST_NIC_IPV4S,     /* private-ipv4s */
    ALI_HOST_NIC_SUBNET4,   /* vswitch-cidr-block */
    ALI_HOST_NIC_GATEWAY4,  /* gateway */
    ALI_HOST_NIC_IPV6S,     /* ipv6s */
    ALI_HOST_NIC_SUBNET6,   /* vswitch-ipv6-cidr-block */
    ALI_HOST_NIC_GATEWAY6,  /* ipv6-gateway */
    ALI_HOST_NIC_ITEMS,
};

/* struct kit_provider's nic. */
int ali_host_nic(struct kit_cloud *cloud, const char *mac, struct kit_deadline by,
                 struct kit_nic *ret_nic, struct kit_err *err) KIT_CHECKED;

/* The items' values ("" = there is none) into an interface.  Pure.  KIT_ERR_NOT_FOUND,
 * KIT_ERR_PROTOCOL. */
int ali_host_nic_decode(const char *mac, const char *const value[ALI_HOST_NIC_ITEMS],
                        struct kit_nic *ret_nic, struct kit_err *err) KIT_CHECKED;

#endif
