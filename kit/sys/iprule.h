/* kit/sys/iprule.h - the rules that choose a routing table (ip-rule(8)), through rtnetlink.
 *
 * Errors as in route.h. */
#ifndef KIT_SYS_IPRULE_H
#define KIT_SYS_IPRULE_H

#include "kit/sys/route.h"

struct kit_iprule {
    struct kit_netlink_addr from; /* family always; prefix_len 0 = from all */
    uint32_t table;
    uint32_t
        priority; /* adding: 0 = the kernel's choice, below the first rule but that of `local` */
    bool lookup;  /* it looks into `table`; else blackhole, goto … */
    bool more;    /* it has further conditions: to, iif, fwmark, not … */
};

/* Owned; kit_iprules_done frees. */
struct kit_iprules {
    struct kit_iprule *rule;
    size_t count;
};
void kit_iprules_done(struct kit_iprules *rules);
/* All of both families, in the order in which they are asked. */
int kit_iprule_list(struct kit_iprules *ret_rules, struct kit_err *err) KIT_CHECKED;

/* Exactly `from X lookup T`, whatever the priority, and nothing more. */
bool kit_iprule_eq(const struct kit_iprule *a, const struct kit_iprule *b);

/* Adds one; kit_iprule_eq one there already: nothing (*ret_added false). */
int kit_iprule_add(const struct kit_iprule *want, bool *ret_added, struct kit_err *err) KIT_CHECKED;
/* Takes it away, every time that it is there; not there: nothing (*ret_removed false). */
int kit_iprule_del(const struct kit_iprule *which, bool *ret_removed,
                   struct kit_err *err) KIT_CHECKED;

/* Do packets from this address leave by that interface: does a rule from it, without further
 * conditions, look into a table (not the main one) that has a default route there?  Pure. */
bool kit_iprule_serves(const struct kit_iprules *rules, const struct kit_routes *routes,
                       unsigned index, const struct kit_netlink_addr *addr);
/* The same, asked of the kernel; KIT_ERR_CONFIG: no such interface. */
int kit_iprule_serves_now(const char *interface, const struct kit_netlink_addr *addr,
                          bool *ret_serves, struct kit_err *err) KIT_CHECKED;

/* One RTM_NEWRULE message.  1 taken, 0 some other message, or of another family; -1 (errno EPROTO):
 * not the kernel's. */
int kit_iprule_parse(const struct nlmsghdr *head, struct kit_iprule *ret_rule);

#endif
