/* kit/cloud/aws/host_nic.h - one interface of this instance, as the metadata service has it. */
#ifndef KIT_CLOUD_AWS_HOST_NIC_H
#define KIT_CLOUD_AWS_HOST_NIC_H

#include "kit/cloud/aws/aws.h"
#include "kit/cloud/nic.h"

/* Below meta-data/network/interfaces/macs/MAC/ (EC2 User Guide, "Instance metadata categories"). */
enum aws_host_nic_item {
    AWS_HOST_NIC_ENI,    /* interface-id */
    AWS_HOST_NIC_DEVICE, /* device-number */
    AWS_HOST_NIC_IPV4S,  /* local-ipv4s */
    AWS_HOST_NIC_SUBNET4,
    AWS_HOST_NIC_IPV6S, /* ipv6s */
    AWS_HOST_NIC_SUBNET6,
    AWS_HOST_NIC_ITEMS,
};

/* struct kit_provider's nic. */
int aws_host_nic(struct kit_cloud *cloud, const char *mac, struct kit_deadline by,
                 struct kit_nic *ret_nic, struct kit_err *err) KIT_CHECKED;

/* The items' values ("" = there is none) into an interface.  Pure.  KIT_ERR_NOT_FOUND,
 * KIT_ERR_PROTOCOL. */
int aws_host_nic_decode(const char *mac, const char *const value[AWS_HOST_NIC_ITEMS],
                        struct kit_nic *ret_nic, struct kit_err *err) KIT_CHECKED;

#endif
