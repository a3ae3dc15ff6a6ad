/* actions/ctl/egress_state.h - which objects a run of `egress unify` was about, so that a stopped
 * one can be resumed.
 *
 * A JSON file in /var/lib/cloudvip (CLOUDVIP_STATEDIR), one an instance.  It holds ids and nothing
 * else: where things are is read from the cloud, always. */
#ifndef ACTIONS_CTL_EGRESS_STATE_H
#define ACTIONS_CTL_EGRESS_STATE_H

#include "kit/base/err.h"
#include "kit/cloud/egress.h"

#define CTL_EGRESS_STATE_DIR   "/var/lib/cloudvip"
#define CTL_EGRESS_STATE_BYTES 4096u /* five ids of 63 bytes, and their names */

struct ctl_egress_state {
    char instance[KIT_ID];
    char eni[KIT_ID], eip[KIT_ID]; /* "" = not known yet */
    char token[KIT_EGRESS_TOKEN];  /* of an ENI's creation that may be under way, "" = none */
};

/* The directory in force; NULL-safe of nothing. */
const char *ctl_egress_state_dir(void);

/* The text of a state file.  Pure.  KIT_ERR_CONFIG: it is none, or of another instance; `name` in
 * the message. */
int ctl_egress_state_parse(const char *text, size_t len_bytes, const char *name,
                           const char *instance, struct ctl_egress_state *ret_state,
                           struct kit_err *err) KIT_CHECKED;

/* No file: a state that knows the instance alone.  KIT_ERR_CONFIG: it is not root's, or is none. */
int ctl_egress_state_read(const char *instance, struct ctl_egress_state *ret_state,
                          struct kit_err *err) KIT_CHECKED;
/* Atomically and durably; the directory is made. */
int ctl_egress_state_write(const struct ctl_egress_state *state, struct kit_err *err) KIT_CHECKED;
/* The path of the instance's lock file. */
int ctl_egress_state_lock(const char *instance, char *path, size_t path_bytes,
                          struct kit_err *err) KIT_CHECKED;

#endif
