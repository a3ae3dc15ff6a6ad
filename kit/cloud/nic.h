/* kit/cloud/nic.h - one interface of this host as the cloud means it to be: addresses, prefix
 * lengths, gateway.  From the metadata service, for the host's own configuration. */
#ifndef KIT_CLOUD_NIC_H
#define KIT_CLOUD_NIC_H

#include <stdbool.h>
#include <stddef.h>

#include "kit/base/err.h"
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

/* ---- for the providers ----------------------------------------------------------------------- */

/* "02:00:5e:00:53:01": it becomes part of a path. */
bool kit_nic_mac_valid(const char *mac);
/* Adds the addresses of a list, one a line or "[a,b]" or "[\"a\",\"b\"]"; those that are there
 * already are passed over.  `family` 4 or 6: others are KIT_ERR_PROTOCOL, as is what is no address,
 * and one that is too many.  `what` in messages: "local-ipv4s". */
int kit_nic_add(struct kit_nic *nic, int family, const char *list, const char *what,
                struct kit_err *err) KIT_CHECKED;
/* One address, or one block, which no subnet of a cloud is wider than (/8, /32); empty: none.
 * KIT_ERR_PROTOCOL. */
int kit_nic_put_addr(struct kit_addr *addr, int family, const char *text, const char *what,
                     struct kit_err *err) KIT_CHECKED;
int kit_nic_put_cidr(struct kit_cidr *cidr, int family, const char *text, const char *what,
                     struct kit_err *err) KIT_CHECKED;
/* Does it hold together: an address, and for each family that has one a block that it is in,
 * neither the first nor the last; for IPv4 a gateway; gateways in the block, and none of its own
 * addresses? KIT_ERR_PROTOCOL. */
int kit_nic_check(const struct kit_nic *nic, struct kit_err *err) KIT_CHECKED;

#endif
