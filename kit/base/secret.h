/* kit/base/secret.h - text that must not outlive its use. */
#ifndef KIT_BASE_SECRET_H
#define KIT_BASE_SECRET_H

#include <stdbool.h>
#include <stddef.h>

#include "kit/base/mem.h"

/* Never printed, never put into an error; wiped by kit_secret_done. */
struct kit_secret {
    char *text; /* NULL = none */
};
void kit_secret_done(struct kit_secret *secret);
void kit_secret_set(struct kit_secret *secret, const char *text); /* copies; wipes what was there */
bool kit_secret_is_set(const struct kit_secret *secret);          /* there and not empty */

void kit_secret_wipe(void *data, size_t len_bytes); /* explicit_bzero */

/* No core file, no ptrace by others of our user, for this process: called first thing in main. */
void kit_secret_harden_process(void);

#endif
