/* kit/sys/hostid.h - who this host is, as far as it can be told without asking anybody. */
#ifndef KIT_SYS_HOSTID_H
#define KIT_SYS_HOSTID_H

#include <stdbool.h>
#include <stddef.h>

struct kit_hostid {
    char vendor[64];      /* DMI sys_vendor: "Amazon EC2", "Alibaba Cloud", "" when unreadable */
    char bios_vendor[64]; /* DMI bios_vendor: "Amazon EC2"; Xen instances show it in bios_version */
    char bios_version[64]; /* "4.11.amazon" on EC2's Xen instances */
    char nodename[65];
};

/* Reads /sys/class/dmi/id; fields that cannot be read are "". */
void kit_hostid_read(struct kit_hostid *ret_id);

/* The home directory: $HOME, else from the user database (cluster managers start us without HOME);
 * false when there is none. */
bool kit_hostid_home(char *ret_path, size_t path_bytes);

#endif
