/* actions/ctl/nic.h - `cloudvip nic VERB IFACE`: an interface of this host set up as the cloud
 * means it to be, kept over a reboot, and taken back.
 *
 * The rules (see the manual): 25, 46: packets from each address of a secondary ENI leave by it, by
 * a rule and a table of its own; 47: over a reboot too; 48: the primary interface stays preferred.
 */
#ifndef ACTIONS_CTL_NIC_H
#define ACTIONS_CTL_NIC_H

#include "actions/ctl/ctl.h"
#include "kit/host/persist.h"
#include "kit/host/plan.h"
#include "kit/sys/link.h"
#include "kit/sys/lock.h"
#include "kit/sys/netlink.h"

/* Another verb is another row in nic.c: its words are those behind it. */
struct ctl_nic_verb {
    const char *name, *args, *does;
    int (*run)(struct ctl *ctl);
};

struct ctl_nic_ask {
    const char *interface;
    const char *confdir; /* of the resources, whose addresses move; NULL = the usual one */
    uint32_t metric;     /* of the default route, and the table's number; 0 = to be chosen */
    bool dry_run;        /* stop before the first change */
    bool no_persist;     /* until the next reboot */
    const struct kit_clock *clock;
    struct kit_deadline by;
    /* Each change when it is made, or would be: a command of iproute2, or "# write FILE".  NULL:
     * nobody wants to know. */
    void (*tell)(void *arg, const char *line);
    void *arg;
};

struct ctl_nic_result {
    char interface[16], mac[18], eni[64];
    uint32_t table, metric;
    bool changed;               /* something was (dry run: would be) changed */
    struct kit_changes changes; /* of the kernel's tables */
    const char *manager;        /* that keeps it over a reboot; NULL = nobody was asked to */
    char *file[KIT_HOST_FILES]; /* what it keeps it in; owned */
    size_t files;
    char note[256]; /* what is not right all the same, for people; "" = nothing */
};
void ctl_nic_result_done(struct ctl_nic_result *result);

/* Sets the interface up; done already: 0, and not `changed`.  Killed at any point, a second run
 * finishes, or ctl_nic_unset takes it back.  Whatever keeps it from being set up is found out
 * before the first change.  Blocks for the metadata service and, with IPv6, some seconds for its
 * router, until ask->by at most.
 *
 * Errors: KIT_ERR_NOT_FOUND (no such interface, or no ENI of this instance), KIT_ERR_DENIED (needs
 * CAP_NET_ADMIN), KIT_ERR_STATE (the primary interface; rule 48; nothing manages the network;
 * somebody takes it back at once), KIT_ERR_CONFIG (the metric cannot be had; a file is somebody
 * else's), KIT_ERR_TIMEOUT, KIT_ERR_SYSTEM, and what the metadata service's reading has. */
int ctl_nic_setup(struct kit_cloud *cloud, const struct ctl_nic_ask *ask,
                  struct ctl_nic_result *ret_result, struct kit_err *err) KIT_CHECKED;

/* Takes back what ctl_nic_setup made, and nothing else; not set up: 0, and not `changed`.  Needs
 * neither the cloud nor the interface. */
int ctl_nic_unset(const struct ctl_nic_ask *ask, struct ctl_nic_result *ret_result,
                  struct kit_err *err) KIT_CHECKED;

/* Is it set up?  Looks at the metadata service and the kernel, and changes nothing. */
struct ctl_nic_look {
    bool primary;   /* it is the primary interface: nothing needs to be set up, all is true */
    bool routed;    /* rules 25, 46: addresses, routes and rules are there */
    bool kept;      /* rule 47: by files of ours, which say what setup would write */
    bool preferred; /* rule 48 */
    uint32_t table; /* that it has, or would get */
    char unrouted[256], unpreferred[256]; /* why not; "" = it is */
};
int ctl_nic_look(struct kit_cloud *cloud, const struct ctl_nic_ask *ask,
                 struct ctl_nic_look *ret_look, struct kit_err *err) KIT_CHECKED;

/* The addresses of this node's resources, of the files and of the records; what cannot be read is
 * not among them. */
struct ctl_nic_moving {
    struct kit_addr *addr; /* owned */
    size_t count;
};
void ctl_nic_moving_read(const char *confdir, struct ctl_nic_moving *ret_moving);
void ctl_nic_moving_done(struct ctl_nic_moving *moving);

/* ---- between the files of `nic` -------------------------------------------------------------- */

/* KIT_ERR_DENIED. */
int ctl_nic_may_change(const char *interface, struct kit_err *err) KIT_CHECKED;
/* One setup at a time, whatever the interface: their tables must differ. */
int ctl_nic_lock(const struct ctl_nic_ask *ask, struct kit_lock *ret_lock,
                 struct kit_err *err) KIT_CHECKED;
/* The interface that the command line means: for one of its further names (ip link property) its
 * own.  KIT_ERR_USAGE: the word is no name of an interface, and would be a part of paths. */
int ctl_nic_name(const char *word, char ret_name[KIT_NETLINK_NAME],
                 struct kit_err *err) KIT_CHECKED;
/* KIT_ERR_NOT_FOUND: there is no such interface. */
int ctl_nic_find(const char *interface, struct kit_link *ret_link, struct kit_err *err) KIT_CHECKED;
void ctl_nic_tell(const struct ctl_nic_ask *ask, const char *fmt, ...) KIT_PRINTF(2, 3);
/* Makes one change, tells it, and keeps it in the result. */
int ctl_nic_apply(const struct ctl_nic_ask *ask, const struct kit_change *change, unsigned index,
                  struct ctl_nic_result *result, struct kit_err *err) KIT_CHECKED;

#endif
