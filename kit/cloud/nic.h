/* kit/cloud/nic.h - one interface of this host as the cloud means it to be: addresses, prefix
 * lengths, gateway.  From the metadata service, for the host's own configuration. */
#ifndef KIT_CLOUD_NIC_H
#define KIT_CLOUD_NIC_H

#include <stdbool.h>
#include <stddef.h>

#include "kit/fmt/addr.h"

/* EC2's largest instances take 50 addresses an interface, Alibaba's 50 (their pages on addresses
 * per interface and instance type). */
#define KIT_NIC_ADDRS 64

struct kit_nic {
    char mac[18]; /* lower case */
    char eni[64]; /* "" = the service does not say */
    bool primary; /* the interface that the instance was made with: device number 0 */
    struct kit_addr addr[KIT_NIC_ADDRS]; /* the primary private address first, IPv6 last */
    size_t count;
    struct kit_cidr subnet4, subnet6;   /* addr.family 0 = none */
    struct kit_addr gateway4, gateway6; /* family 0 = none, or (IPv6) not said: it comes with router
                                         * advertisements */
};

#endif
