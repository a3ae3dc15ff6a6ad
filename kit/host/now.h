/* kit/host/now.h - what the kernel has now: an interface, and the addresses, routes and rules of
 * the host. */
#ifndef KIT_HOST_NOW_H
#define KIT_HOST_NOW_H

#include "kit/sys/ifaddr.h"
#include "kit/sys/link.h"
#include "kit/sys/iprule.h"

struct kit_host_now {
    struct kit_link link; /* name "" and index 0: there is no such interface */
    struct kit_ifaddrs addrs;
    struct kit_routes routes;
    struct kit_iprules rules;
    bool promotes; /* a secondary address outlives the primary one of its subnet
                    * (net.ipv4.conf.IFACE.promote_secondaries) */
    /* Tables that have a name (ip-route(8): /etc/iproute2/rt_tables): somebody means to use them.
     */
    uint32_t *named;
    size_t named_count;
};
void kit_host_now_done(struct kit_host_now *now);

/* Reads it all.  `root` is "" or the directory that stands for / where rt_tables is looked for; an
 * interface that is not there is no error.  KIT_ERR_SYSTEM, KIT_ERR_PROTOCOL, KIT_ERR_TRANSIENT. */
int kit_host_now_read(const char *root, const char *interface, struct kit_host_now *ret_now,
                      struct kit_err *err) KIT_CHECKED;

/* The numbers of a file like rt_tables: "NUMBER NAME" lines, '#' begins a comment; what is no such
 * line is passed over.  Pure. */
void kit_host_take_tables(struct kit_host_now *now, const char *text);

#endif
