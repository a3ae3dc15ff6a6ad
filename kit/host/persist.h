/* kit/host/persist.h - keeping an interface's configuration over a reboot, by the means of whatever
 * manages this machine's network.
 *
 * One row of a table for each manager: does it manage this machine, and what its files would say.
 * Writing, refusing what is somebody else's, and removing are the same for all.  A manager that
 * runs is not told: the kernel has been configured already, and what it reads when it next starts
 * is the same. */
#ifndef KIT_HOST_PERSIST_H
#define KIT_HOST_PERSIST_H

#include "kit/host/change.h"
#include "kit/host/state.h"

#define KIT_PERSIST_FILES KIT_HOST_FILES
#define KIT_PERSIST_BYTES (64u * 1024) /* of a file: 130 lines or sections of some 100 bytes */

/* What the interface shall have after a reboot. */
struct kit_persist_want {
    const char *interface, *mac;
    unsigned mtu; /* 0 = the driver's */
    uint32_t metric;
    bool advertised;                 /* an IPv6 router announces itself */
    const struct kit_changes *items; /* all of it, in the order of making */
};

struct kit_persist_file {
    char path[256]; /* below the root: "/etc/…" */
    unsigned mode;
    struct kit_buf text;
    bool there; /* with this text already */
};
struct kit_persist_files {
    struct kit_persist_file file[KIT_PERSIST_FILES];
    size_t count;
};
void kit_persist_files_done(struct kit_persist_files *files);
/* The next file, with the header that says who made it and how to undo it. */
struct kit_buf *kit_persist_add(struct kit_persist_files *files, const char *interface,
                                unsigned mode, const char *path_fmt, ...) KIT_PRINTF(4, 5);

/* How much a manager has to do with this machine: the higher wins, then the order of the table. */
enum kit_persist_claim {
    KIT_PERSIST_NONE,
    KIT_PERSIST_ENABLED, /* it is set up to run */
    KIT_PERSIST_RUNS,
    KIT_PERSIST_MANAGES_PRIMARY, /* the interface of the main table's default route */
    KIT_PERSIST_MANAGES,         /* this very interface */
};

/* Where to look, and for what. */
struct kit_persist_place {
    const char *root; /* "" or the directory that stands for / */
    const char *interface;
    unsigned index, primary_index; /* 0 = none */
};

struct kit_persist_manager {
    const char *name;
    const char *looks_for; /* for the message when none fits */
    enum kit_persist_claim (*claims)(const struct kit_persist_place *place);
    /* Pure. */
    void (*render)(const struct kit_persist_want *want, struct kit_persist_files *files);
    /* Would files of ours count beside those that are there?  KIT_ERR_CONFIG.  NULL = what could
     * be in the way is what ours would overwrite. */
    int (*check)(const struct kit_persist_place *place, struct kit_err *err);
};
extern const struct kit_persist_manager kit_persist_networkd, kit_persist_nm, kit_persist_wicked,
    kit_persist_ifcfg, kit_persist_ifupdown;
/* NULL-terminated. */
extern const struct kit_persist_manager *const kit_persist_managers[];

/* KIT_ERR_STATE: none of them rules this machine; says what was looked for. */
int kit_persist_find(const struct kit_persist_place *place,
                     const struct kit_persist_manager **ret_manager,
                     struct kit_err *err) KIT_CHECKED;

/* The files that it shall have, compared with those that are there.  Changes nothing.
 * KIT_ERR_CONFIG: one of them is somebody else's, or another is in the way, names it; or the
 * interface's name is none for files that a shell reads. */
int kit_persist_plan(const struct kit_persist_manager *manager,
                     const struct kit_persist_place *place, const struct kit_persist_want *want,
                     struct kit_persist_files *ret_files, struct kit_err *err) KIT_CHECKED;
/* Could a file be written there, or removed?  To be asked before the first change: a read-only /etc
 * must not be found out by half of them.  KIT_ERR_SYSTEM. */
int kit_persist_check_writable(const char *root, const char *path, struct kit_err *err) KIT_CHECKED;
/* Writes those that are not there, atomically.  KIT_ERR_SYSTEM. */
int kit_persist_write(const char *root, const struct kit_persist_files *files,
                      struct kit_err *err) KIT_CHECKED;
/* Is it there, and ours? */
bool kit_persist_is_ours(const char *root, const char *path);
/* Removes a file of ours; not there: nothing (*ret_removed false).  KIT_ERR_CONFIG: it is somebody
 * else's now. */
int kit_persist_remove(const char *root, const char *path, bool *ret_removed,
                       struct kit_err *err) KIT_CHECKED;

/* ---- for the managers' files ----------------------------------------------------------------- */

/* "PATH is not ours, and already configures IFACE …"; returns -1. */
int kit_persist_not_ours(const char *path, const char *interface, struct kit_err *err);

bool kit_persist_exists(const struct kit_persist_place *place, const char *fmt, ...)
    KIT_PRINTF(2, 3);
/* A line of that file, without white space at its ends, is exactly this one. */
bool kit_persist_says(const struct kit_persist_place *place, const char *line, const char *fmt, ...)
    KIT_PRINTF(3, 4);
/* "10.0.2.11/24" of an address or a destination. */
const char *kit_persist_prefix(const struct kit_change *change, char text[KIT_CIDR_TEXT]);

#endif
