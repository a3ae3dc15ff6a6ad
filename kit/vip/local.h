/* kit/vip/local.h - the address on this host's interface, beside what the cloud says of it.
 *
 * It is put there before the cloud points here, announced when the cloud does, and withdrawn before
 * anything else.  Who put it there is remembered in the resource's record, and written down
 * *before* it is put: killed between the two, a run leaves a note and no address, never an address
 * and no note.  What another process configured is noted as such: it counts, and stays.
 * A record may be lost while the address is up: what is known then is the address itself
 * (kit_local_owner).
 *
 * Nothing here needs the cloud, credentials or the network.  The address has the prefix length of a
 * single one (/32, /128) unless the cloud says otherwise. */
#ifndef KIT_VIP_LOCAL_H
#define KIT_VIP_LOCAL_H

#include "kit/base/clock.h"
#include "kit/cloud/cloud.h"
#include "kit/sys/netlink.h"
#include "kit/vip/record.h"

/* What a scenario has to do with this host.  Known from the settings alone: a remove must know it
 * where no cloud can be asked. */
enum kit_local_role {
    KIT_LOCAL_NONE,   /* nothing: elastic-ip, eni */
    KIT_LOCAL_BESIDE, /* the address goes up beside the claim: route-table, private-ip */
    KIT_LOCAL_GUEST,  /* only when local_address = yes says so: elastic-ip in multi mode, where the
                       * guest is to have the EIP itself */
    KIT_LOCAL_CLAIM,  /* it is the claim: havip.  The mover brings it up and announces it; whoever
                       * else did so, it claims, and is taken off */
};
enum kit_local_role kit_local_role(const struct kit_settings *settings);

/* Is the address to be on an interface?  local_address of the settings, else `dflt`: what whoever
 * called the action makes of it. */
bool kit_local_wanted(const struct kit_settings *settings, bool dflt);

struct kit_local {
    char interface[16]; /* IFNAMSIZ */
    struct kit_netlink_addr addr;
};
/* prefix_len 0: a single address. */
void kit_local_set(struct kit_local *local, const char *interface, const struct kit_addr *addr,
                   uint8_t prefix_len);
/* "10.1.0.10".  Returns buf. */
const char *kit_local_text(const struct kit_local *local, char buf[KIT_ADDR_TEXT]);

/* Where the address goes: the interface of the settings, else the one with our ENI's MAC, as far as
 * facts for a claim tell.  1: *ret_local; 0: nowhere, and *ret_why says why (static).  A guest's
 * address (KIT_LOCAL_GUEST) is told when the cloud points here, or a little later: until then
 * addr.family is 0.  KIT_ERR_CONFIG: several interfaces have that MAC. */
int kit_local_place(const struct kit_settings *settings, const struct kit_facts *facts,
                    struct kit_local *ret_local, const char **ret_why,
                    struct kit_err *err) KIT_CHECKED;

/* Where the address has to be for a resource that is in service: the interface of the settings if
 * they name one, else the record's; false: nowhere on this host.  Only what the last restore put
 * there or found there is asked for, or what local_address = yes demands: a restore that knew no
 * interface went on without. */
bool kit_local_expected(const struct kit_settings *settings, const struct kit_record *record,
                        struct kit_local *ret_local);

enum kit_local_state {
    KIT_LOCAL_UP,
    KIT_LOCAL_MISSING,
    KIT_LOCAL_GONE, /* the interface itself */
};
/* KIT_ERR_SYSTEM and its like: it could not be read. */
int kit_local_look(const struct kit_local *local, enum kit_local_state *ret_state,
                   struct kit_err *err) KIT_CHECKED;

enum kit_local_owner {
    KIT_LOCAL_NOBODY, /* it is not up */
    KIT_LOCAL_US,
    KIT_LOCAL_ANOTHER,
};
/* Whose it is.  The record's note of it decides, if there is one; so does our mark
 * (KIT_NETLINK_MARK), which not every kernel keeps.  With neither it is ours if `expected`,
 * which is that a restore would put it just there, and it has the prefix length that a restore
 * gives it; unless the record says in service: a restore that leaves it to another process notes
 * nothing.  Errors as kit_local_look. */
int kit_local_owner(const struct kit_local *local, const struct kit_record *record, bool expected,
                    enum kit_local_owner *ret_owner, struct kit_err *err) KIT_CHECKED;

/* Notes it in the record and puts it there; there already: nothing, and it is ours only if there is
 * a note (record->local_ours) or our mark.  A note about another interface or address is followed
 * first: that one is withdrawn.  Writes the record.  Twice is the same as once.  After an error
 * nothing is up that was not before; KIT_ERR_SYSTEM (EPERM: CAP_NET_ADMIN), KIT_ERR_CONFIG (no such
 * interface).
 */
int kit_local_up(const char *tag, const struct kit_local *local, struct kit_record *record,
                 bool *ret_added, struct kit_err *err) KIT_CHECKED;
/* The note alone: somebody else is about to put it there on our behalf (KIT_LOCAL_CLAIM). */
int kit_local_note(const char *tag, const struct kit_local *local, struct kit_record *record,
                   struct kit_err *err) KIT_CHECKED;
/* Notes in the record that it is another process's (the caller writes it). */
void kit_local_leave(const struct kit_local *local, struct kit_record *record);
/* Takes off what the record has a note of, with whatever would go on answering for it, and clears
 * the note (the caller writes the record).  No note, or an interface that is gone: nothing.  After
 * an error the note stays, and so does that of another process's address while it is up. */
int kit_local_down(struct kit_record *record, bool *ret_removed, struct kit_err *err) KIT_CHECKED;
/* The same whether there is a note or not: for KIT_LOCAL_CLAIM. */
int kit_local_take_off(const struct kit_local *local, bool *ret_removed,
                       struct kit_err *err) KIT_CHECKED;

/* Tells the segment, `count` times, until `by` at most (kit/sys/arp.h). */
int kit_local_announce(const struct kit_local *local, unsigned count, const struct kit_clock *clock,
                       struct kit_deadline by, struct kit_err *err) KIT_CHECKED;

#endif
