/* kit/vip/record.h - what this node remembers of a resource between two actions; lost at reboot, as
 * it should be. */
#ifndef KIT_VIP_RECORD_H
#define KIT_VIP_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kit/base/err.h"
#include "kit/fmt/addr.h"

#define KIT_RUN_DIR "/run/cloudvip"

struct kit_record {
    bool known;                /* there was one */
    bool in_service;           /* restore or recover ended well, and no remove since */
    int64_t since_s;           /* unix time of the last change of in_service */
    int64_t checked_s;         /* unix time of the last look that came back with facts */
    unsigned unknown_in_a_row; /* checks that could not ask */
    char action[16];           /* that wrote it */
    char facts[512];           /* kit_where_describe's line of the last look */
    /* Where the address is to be on this host while it is in service, "" = that is not our affair;
     * and whether it is ours to take off again.  kit/vip/local.h writes them. */
    char local_interface[16]; /* IFNAMSIZ */
    char local_address[KIT_ADDR_TEXT];
    bool local_ours;
};

/* CLOUDVIP_RUNDIR, or /run/cloudvip. */
const char *kit_record_dir(void);

/* No record: *ret_record is all zero and known is false.  An unreadable one: KIT_ERR_SYSTEM or
 * KIT_ERR_CONFIG. */
int kit_record_read(const char *tag, struct kit_record *ret_record,
                    struct kit_err *err) KIT_CHECKED;
/* All records of this node, in the order of their files; unreadable ones are left out.
 * KIT_ERR_SYSTEM: the directory. */
typedef void (*kit_record_take_fn)(void *arg, const char *tag, const struct kit_record *record);
int kit_record_each(kit_record_take_fn take, void *arg, struct kit_err *err) KIT_CHECKED;
/* Atomic; makes the directory if need be. */
int kit_record_write(const char *tag, const struct kit_record *record,
                     struct kit_err *err) KIT_CHECKED;

/* As if there had never been one; none there: nothing. */
int kit_record_forget(const char *tag, struct kit_err *err) KIT_CHECKED;

/* Path of the lock of an address (or of any other name that stands for what is protected): one
 * action at a time. */
int kit_record_lock_path(const char *name, char *ret_path, size_t path_bytes,
                         struct kit_err *err) KIT_CHECKED;

#endif
