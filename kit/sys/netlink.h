/* kit/sys/netlink.h - addresses on interfaces of this host, through rtnetlink (libmnl).  No `ip` is
 * started.
 *
 * Nothing here waits for anything but the kernel's own lock on its tables.  Errors of all:
 * KIT_ERR_CONFIG (no such interface, or no address), KIT_ERR_SYSTEM (EPERM: needs CAP_NET_ADMIN;
 * and the rest), KIT_ERR_PROTOCOL (an answer that is not rtnetlink's), KIT_ERR_TRANSIENT (the
 * tables changed under every reading of them). */
#ifndef KIT_SYS_NETLINK_H
#define KIT_SYS_NETLINK_H

#include <stdbool.h>

#include "kit/base/err.h"

/* An address as the kernel takes it.  family 4 or 6; byte in network order, 4 or 16 of them. */
struct kit_netlink_addr {
    unsigned char family, prefix_len;
    unsigned char byte[16];
};

/* Is `addr` within the network that the first prefix_len bits of `net` are? */
bool kit_netlink_addr_covers(const struct kit_netlink_addr *net,
                             const struct kit_netlink_addr *addr);

/* What addresses bear that were put there by kit_netlink_addr_add (IFA_PROTO, which the kernel
 * leaves to programs from 4 on; before Linux 5.18 nothing is borne). */
#define KIT_NETLINK_MARK 199

/* Adds it to the interface, marked; there already, whatever its prefix length: nothing (*ret_added
 * false).  IPv6 without duplicate address detection (IFA_F_NODAD): the cloud says who has it. */
int kit_netlink_addr_add(const char *interface, const struct kit_netlink_addr *addr,
                         bool *ret_added, struct kit_err *err) KIT_CHECKED;
/* Takes it off, whatever its prefix length, and every time that it is there; not there: nothing
 * (*ret_removed false). */
int kit_netlink_addr_del(const char *interface, const struct kit_netlink_addr *addr,
                         bool *ret_removed, struct kit_err *err) KIT_CHECKED;
/* Is it on that interface?  (Whatever the prefix length.)  A dump that changed under us is read
 * again. */
int kit_netlink_addr_has(const char *interface, const struct kit_netlink_addr *addr, bool *ret_has,
                         struct kit_err *err) KIT_CHECKED;
/* As it is on that interface. */
struct kit_netlink_seen {
    bool has, marked;
    bool alike; /* with addr's prefix length, and no other */
};
int kit_netlink_addr_see(const char *interface, const struct kit_netlink_addr *addr,
                         struct kit_netlink_seen *ret_seen, struct kit_err *err) KIT_CHECKED;
/* Which interface has it?  One of them, "" = none. */
#define KIT_NETLINK_NAME 16 /* IFNAMSIZ */
int kit_netlink_addr_find(const struct kit_netlink_addr *addr, char ret_interface[KIT_NETLINK_NAME],
                          struct kit_err *err) KIT_CHECKED;

/* Takes off the entry by which the interface would answer for the address without having it (`ip
 * neigh add proxy`); none: nothing (*ret_removed false). */
int kit_netlink_proxy_del(const char *interface, const struct kit_netlink_addr *addr,
                          bool *ret_removed, struct kit_err *err) KIT_CHECKED;

#endif
