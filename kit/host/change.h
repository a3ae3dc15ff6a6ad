/* kit/host/change.h - one thing of an interface's configuration: how it is called in iproute2's
 * words, whether the kernel has it, how it is made and taken away. */
#ifndef KIT_HOST_CHANGE_H
#define KIT_HOST_CHANGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kit/base/buf.h"
#include "kit/base/err.h"
#include "kit/fmt/addr.h"
#include "kit/host/now.h"

enum kit_change_kind {
    KIT_CHANGE_LINK, /* the interface is up */
    KIT_CHANGE_ADDRESS,
    KIT_CHANGE_ROUTE, /* by this interface */
    KIT_CHANGE_RULE,  /* from addr lookup table */
};
#define KIT_CHANGE_KINDS 4

struct kit_change {
    enum kit_change_kind kind;
    bool undo;            /* taken away, not made */
    struct kit_addr addr; /* ROUTE: the destination, with prefix_len 0 the default; its family says
                           * which one */
    uint8_t prefix_len;   /* RULE: whole */
    struct kit_addr gateway; /* ROUTE; family 0 = on the link */
    uint32_t table;          /* ROUTE, RULE */
    uint32_t metric;         /* ROUTE; ADDRESS: of the route to its subnet; 0 = none */
};

/* Owned; kit_changes_done frees. */
struct kit_changes {
    struct kit_change *change;
    size_t count;
};
void kit_changes_done(struct kit_changes *changes);
void kit_changes_add(struct kit_changes *changes, const struct kit_change *change);
/* The same thing, made or taken away; the metric of an address's route is passed over. */
bool kit_change_eq(const struct kit_change *a, const struct kit_change *b);
bool kit_changes_have(const struct kit_changes *changes, const struct kit_change *change);

/* "ip -4 rule add from 10.0.2.11 lookup 101": does the same. */
void kit_change_command(const struct kit_change *change, const char *interface,
                        struct kit_buf *out);

/* Is it so already?  An address counts whatever its prefix length, a route of a table other than
 * the main one whatever its metric: whoever made it, it does what it is for. */
bool kit_change_is_there(const struct kit_change *change, const struct kit_host_now *now);
/* Is exactly this there, to be taken away? */
bool kit_change_is_exactly_there(const struct kit_change *change, const struct kit_host_now *now);

/* Makes it, or takes it away; done already: nothing (*ret_changed false).  Errors as in
 * kit/sys/route.h, in front of them the command. */
int kit_change_apply(const struct kit_change *change, const char *interface, unsigned index,
                     bool *ret_changed, struct kit_err *err) KIT_CHECKED;

/* The route in the kernel's terms. */
struct kit_route kit_change_route(const struct kit_change *change, unsigned index);
struct kit_netlink_addr kit_change_netlink_addr(const struct kit_addr *addr, uint8_t prefix_len);
struct kit_addr kit_change_addr(const struct kit_netlink_addr *addr);

#endif
