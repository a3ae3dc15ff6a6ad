/* kit/sys/arp.h - tell the segment who has an address: gratuitous ARP (RFC 5227), unsolicited
 * neighbour advertisements (RFC 4861, 7.2.6). */
#ifndef KIT_SYS_ARP_H
#define KIT_SYS_ARP_H

#include "kit/base/clock.h"
#include "kit/base/err.h"
#include "kit/sys/netlink.h"

/* Sends `count` announcements of the address from the interface's MAC, spacing_ms apart, until `by`
 * at most: for IPv4 an ARP request and a reply each, to the broadcast address; for IPv6 a neighbour
 * advertisement with the override flag to ff02::1.  The first is always sent; count 0 sends none.
 * The address need not be on the interface.  Nobody answers: success means sent.  Twice does no
 * harm.
 *
 * KIT_ERR_CONFIG: no such interface, no address, or an interface without an Ethernet MAC (the
 * loopback); KIT_ERR_SYSTEM (EPERM: needs CAP_NET_RAW; ENETDOWN: the interface is down). */
int kit_arp_announce(const char *interface, const struct kit_netlink_addr *addr, unsigned count,
                     int64_t spacing_ms, const struct kit_clock *clock, struct kit_deadline by,
                     struct kit_err *err) KIT_CHECKED;

#endif
