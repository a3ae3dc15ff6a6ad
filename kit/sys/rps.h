/* kit/sys/rps.h - receive packet steering: which CPUs work off what a receiving queue brings
 * (/sys/class/net/IFACE/queues/rx-N/rps_cpus; the kernel's Documentation/networking/scaling.rst).
 *
 * It is for interfaces with fewer queues than there are CPUs: their interrupts keep one CPU busy
 * each, and the others idle. */
#ifndef KIT_SYS_RPS_H
#define KIT_SYS_RPS_H

#include <stdbool.h>
#include <stddef.h>

#include "kit/base/err.h"

/* The kernel's limit (NR_CPUS of x86_64). */
#define KIT_RPS_CPUS 8192
/* Four CPUs a digit, a comma each eight of them, and the NUL. */
#define KIT_RPS_MASK_BYTES (KIT_RPS_CPUS / 4 + KIT_RPS_CPUS / 32 + 1)

struct kit_rps_queue {
    unsigned number;
    char mask[KIT_RPS_MASK_BYTES]; /* as the kernel shows it: "0", "ff,ffffffff" */
    bool on;                       /* some CPU is in it */
};
struct kit_rps {
    struct kit_rps_queue *queue; /* owned; by number */
    size_t count;
};
void kit_rps_done(struct kit_rps *rps);

/* `root`: "" or a directory that stands for /.  KIT_ERR_STATE: /sys shows another network namespace
 * than ours, or no queues of it; KIT_ERR_SYSTEM. */
int kit_rps_read(const char *root, const char *interface, struct kit_rps *ret_rps,
                 struct kit_err *err) KIT_CHECKED;
/* KIT_ERR_DENIED (needs root), KIT_ERR_SYSTEM. */
int kit_rps_set(const char *root, const char *interface, unsigned number, const char *mask,
                struct kit_err *err) KIT_CHECKED;

/* How many CPUs are online, and all of them as a mask. */
int kit_rps_online(const char *root, unsigned *ret_cpus, char ret_mask[KIT_RPS_MASK_BYTES],
                   struct kit_err *err) KIT_CHECKED;
/* The pure part: a list as the kernel writes it, "0-3,8".  false: it is none, or empty. */
bool kit_rps_parse_list(const char *list, unsigned *ret_cpus, char ret_mask[KIT_RPS_MASK_BYTES]);

#endif
