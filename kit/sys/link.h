/* kit/sys/link.h - network interfaces of this host: are they there, which MAC, are they up. */
#ifndef KIT_SYS_LINK_H
#define KIT_SYS_LINK_H

#include <stdbool.h>

#include "kit/base/clock.h"
#include "kit/base/err.h"

struct kit_link {
    char name[16]; /* IFNAMSIZ */
    char mac[18];  /* "02:00:5e:00:53:01", lower case; "" when it has none */
    unsigned index, mtu;
    bool up;      /* administratively (IFF_UP) */
    bool running; /* has carrier: IFF_RUNNING, and the driver says so too */
};

/* What the kernel takes as a name; nothing that could lead out of a path. */
bool kit_link_name_valid(const char *name);

/* KIT_ERR_CONFIG when there is no such interface: the message lists those that there are. */
int kit_link_read(const char *name, struct kit_link *ret_link, struct kit_err *err) KIT_CHECKED;

/* Sets it up or down; waits for nothing.  KIT_ERR_CONFIG: no such interface, KIT_ERR_SYSTEM (EPERM:
 * needs CAP_NET_ADMIN). */
int kit_link_set(const char *name, bool up, struct kit_err *err) KIT_CHECKED;

/* Sets it up if it is not, then waits for carrier until `by`.  Twice is the same as once.
 * KIT_ERR_SYSTEM (EPERM: needs CAP_NET_ADMIN), KIT_ERR_TIMEOUT (up, but no carrier). */
int kit_link_bring_up(const char *name, const struct kit_clock *clock, struct kit_deadline by,
                      struct kit_err *err) KIT_CHECKED;

/* The interface with this MAC (compared without regard to case).  KIT_ERR_NOT_FOUND: there is none;
 * KIT_ERR_CONFIG: there are several (a VLAN or a bridge on top has its lower one's), named. */
int kit_link_find(const char *mac, struct kit_link *ret_link, struct kit_err *err) KIT_CHECKED;

#endif
