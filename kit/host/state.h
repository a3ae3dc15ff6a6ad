/* kit/host/state.h - what `nic setup` made of an interface, kept so that it can be taken back.
 *
 * A JSON file in /var/lib/cloudvip/nic (CLOUDVIP_STATEDIR instead of /var/lib/cloudvip), written
 * before the first change: what it names was made by us, or was about to be. */
#ifndef KIT_HOST_STATE_H
#define KIT_HOST_STATE_H

#include <stdint.h>

#include "kit/host/change.h"

#define KIT_HOST_STATE_DIR "/var/lib/cloudvip"
#define KIT_HOST_FILES     8 /* of one interface, whatever manages the network */
#define KIT_HOST_STATE_BYTES                                                                       \
    (256u * 1024) /* 130 addresses and rules of some 150 bytes are 20 KiB */

struct kit_host_state {
    char interface[16], mac[18], eni[64];
    uint32_t table;
    struct kit_changes made;
    char *file[KIT_HOST_FILES]; /* for the network's manager; owned */
    size_t files;
};
void kit_host_state_done(struct kit_host_state *state);
/* Unless it is there.  False: there is no room. */
bool kit_host_state_add_file(struct kit_host_state *state, const char *path);

/* The directory of the state files, "…/nic". */
int kit_host_state_dir(char *path, size_t path_bytes, struct kit_err *err) KIT_CHECKED;

/* *ret_found false: it was not set up.  KIT_ERR_CONFIG: the file is not root's, or is not ours to
 * read: it says what to do. */
int kit_host_state_read(const char *interface, bool *ret_found, struct kit_host_state *ret_state,
                        struct kit_err *err) KIT_CHECKED;
/* Atomically and durably; the directory is made.  KIT_ERR_SYSTEM, KIT_ERR_CONFIG. */
int kit_host_state_write(const struct kit_host_state *state, struct kit_err *err) KIT_CHECKED;
/* Not there: nothing. */
int kit_host_state_remove(const char *interface, struct kit_err *err) KIT_CHECKED;
/* The tables of all interfaces but this one that were set up; the caller frees. */
int kit_host_state_tables(const char *but, uint32_t **ret_tables, size_t *ret_count,
                          struct kit_err *err) KIT_CHECKED;

/* The text of a state file.  Pure.  KIT_ERR_CONFIG: it is none; `name` in the message. */
int kit_host_state_parse(const char *text, size_t len_bytes, const char *name,
                         struct kit_host_state *ret_state, struct kit_err *err) KIT_CHECKED;
void kit_host_state_format(const struct kit_host_state *state, struct kit_buf *out);

#endif
