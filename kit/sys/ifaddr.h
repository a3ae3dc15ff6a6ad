/* kit/sys/ifaddr.h - every address of an interface, and one exactly: with its prefix length.
 *
 * netlink.h asks for an address whatever its prefix length; who configures a host needs to know
 * which one it is.  Errors as there. */
#ifndef KIT_SYS_IFADDR_H
#define KIT_SYS_IFADDR_H

#include <stddef.h>
#include <stdint.h>

#include "kit/sys/netlink.h"

struct nlmsghdr;

struct kit_ifaddr {
    unsigned index; /* of the interface */
    struct kit_netlink_addr addr;
    unsigned char scope; /* RT_SCOPE_UNIVERSE, RT_SCOPE_LINK … (linux/rtnetlink.h) */
    bool secondary;      /* IPv4: goes with the primary one of its subnet */
    bool ends;           /* it has a lifetime: from a lease, or a router's advertisement */
    uint32_t metric;     /* of the route to its subnet (IFA_RT_PRIORITY); 0 = the kernel's */
    unsigned char proto; /* who put it there (IFA_PROTO, Linux 5.18); 0 = it is not said */
};

/* Owned; kit_ifaddrs_done frees. */
struct kit_ifaddrs {
    struct kit_ifaddr *addr;
    size_t count;
};
void kit_ifaddrs_done(struct kit_ifaddrs *addrs);
/* All of the host, in the kernel's order. */
int kit_ifaddr_list(struct kit_ifaddrs *ret_addrs, struct kit_err *err) KIT_CHECKED;

/* Adds it with exactly that prefix length; there already: nothing (*ret_added false).  The metric
 * needs Linux 4.18, the protocol 5.18: older ones pass over them.  IPv6 without duplicate address
 * detection. */
int kit_ifaddr_add(const struct kit_ifaddr *want, bool *ret_added, struct kit_err *err) KIT_CHECKED;
/* Takes off the one with that prefix length; not there, or no such interface any more: nothing. */
int kit_ifaddr_del(const struct kit_ifaddr *which, bool *ret_removed,
                   struct kit_err *err) KIT_CHECKED;

/* One RTM_NEWADDR message.  1 taken, 0 some other message, or of a family that is neither IPv4 nor
 * IPv6; -1 (errno EPROTO): not the kernel's. */
int kit_ifaddr_parse(const struct nlmsghdr *head, struct kit_ifaddr *ret_addr);

#endif
