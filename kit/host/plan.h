/* kit/host/plan.h - what it takes to set an interface up, or to take that back: pure.
 *
 * A secondary interface gets its addresses, a default route in the main table whose metric leaves
 * the primary interface preferred, a table of its own with its default route and its subnet, and a
 * rule for each address that looks into it: what comes in by it, goes out by it.  The table's
 * number is the metric, as the clouds' pages on configuring ENIs have it. */
#ifndef KIT_HOST_PLAN_H
#define KIT_HOST_PLAN_H

#include "kit/cloud/nic.h"
#include "kit/host/change.h"
#include "kit/host/state.h"

/* The first number that is given away: what the pages begin with. */
#define KIT_HOST_FIRST_TABLE 101

struct kit_host_ask {
    const char *interface;
    const struct kit_nic *nic;
    const struct kit_host_state *state; /* of an earlier run, or NULL */
    uint32_t metric;                    /* asked for; 0 = to be chosen */
    const uint32_t *taken;              /* tables of other interfaces that were set up */
    size_t taken_count;
    /* Addresses that move between nodes: the interface has one of them only while it is served
     * here, and whoever serves it puts it up. */
    const struct kit_addr *moving;
    size_t moving_count;
};

struct kit_host_plan {
    uint32_t table;
    uint32_t metric;         /* of the default route in the main table */
    struct kit_changes want; /* all that the interface shall have, in the order of making */
    struct kit_changes todo; /* what is to be changed: things of ours that are no longer wanted
                              * first, then what is missing */
    bool no_router;          /* it has IPv6 addresses, and no IPv6 router is known: neither told by
                              * the cloud nor by an advertisement.  Their routes are not in `want`. */
};
void kit_host_plan_done(struct kit_host_plan *plan);

/* A moving address is neither added nor taken off; a rule for it does no harm where it is not.
 *
 * Errors, and nothing is to be changed: KIT_ERR_CONFIG (the metric that was asked for cannot be
 * had: why), KIT_ERR_STATE (no number is free; an address is there with a prefix length that leaves
 * the gateway out of reach). */
int kit_host_plan_setup(const struct kit_host_ask *ask, const struct kit_host_now *now,
                        struct kit_host_plan *ret_plan, struct kit_err *err) KIT_CHECKED;

/* Rule 48: a default route that the interface has from somebody else must not go before the primary
 * interface's, for IPv4 and, where it has IPv6 addresses, for IPv6.  KIT_ERR_STATE. */
int kit_host_check_preferred(const struct kit_host_ask *ask, const struct kit_host_now *now,
                             struct kit_err *err) KIT_CHECKED;

/* Takes back what the state says we made, and nothing else, in the opposite order.  The interface
 * stays up when somebody else's address is on it.  KIT_ERR_STATE: an address that is not ours would
 * go with ours; it says which. */
int kit_host_plan_unset(const struct kit_host_state *state, const struct kit_host_now *now,
                        struct kit_host_plan *ret_plan, struct kit_err *err) KIT_CHECKED;

/* ---- choose.c -------------------------------------------------------------------------------- */

/* The lowest metric of the default routes of other interfaces in the main table; -1: there is none.
 */
int64_t kit_host_primary_metric(const struct kit_host_now *now, unsigned char family);
/* The default route of the interface in the main table that is not ours, or NULL. */
const struct kit_route *kit_host_own_default(const struct kit_host_ask *ask,
                                             const struct kit_host_now *now, unsigned char family);
/* Table and metric, into the plan. */
int kit_host_choose(const struct kit_host_ask *ask, const struct kit_host_now *now,
                    struct kit_host_plan *plan, struct kit_err *err) KIT_CHECKED;

#endif
