/* kit/sys/netlink.h - addresses on interfaces of this host, through rtnetlink (libmnl).  No `ip` is
 * started. */
#ifndef KIT_SYS_NETLINK_H
#define KIT_SYS_NETLINK_H

#include <stdbool.h>

#include "kit/base/err.h"

/* An address as the kernel takes it.  family 4 or 6. */
struct kit_netlink_addr {
    unsigned char family, prefix_len;
    unsigned char byte[16];
};

/* Adds it to the interface; there already: nothing (*ret_added false).  IPv6 without duplicate
 * address detection (IFA_F_NODAD): the cloud says who has it.  KIT_ERR_CONFIG: no such interface;
 * KIT_ERR_SYSTEM: EPERM and the rest. */
int kit_netlink_addr_add(const char *interface, const struct kit_netlink_addr *addr,
                         bool *ret_added, struct kit_err *err) KIT_CHECKED;
/* Takes it off; not there: nothing (*ret_removed false). */
int kit_netlink_addr_del(const char *interface, const struct kit_netlink_addr *addr,
                         bool *ret_removed, struct kit_err *err) KIT_CHECKED;
/* Is it on that interface?  (Whatever the prefix length.)  A dump that changed under us is read
 * again. */
int kit_netlink_addr_has(const char *interface, const struct kit_netlink_addr *addr, bool *ret_has,
                         struct kit_err *err) KIT_CHECKED;

#endif
