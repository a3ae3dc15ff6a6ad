/* kit/sys/hostid.c - who this host is, as far as it can be told without asking anybody. */
#include "kit/sys/hostid.h"

#include <errno.h>
#include <pwd.h>
#include <stdlib.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "kit/base/str.h"
#include "kit/sys/file.h"

/* An entry of the user database longer than this is no entry. */
enum {
    passwd_max_bytes = 65536
};

static void read_dmi(const char *path, char *field, size_t field_bytes)
{
    /* A sysfs attribute is one page at most. */
    KIT_AUTO(kit_buf) content = KIT_BUF(4096);
    struct kit_err err;

    field[0] = '\0';
    if (kit_file_read(path, KIT_FILE_ANY, &content, &err) != 0 || content.len_bytes == 0)
        return;
    (void)kit_str_copy(field, field_bytes, kit_str_trim(content.data));
    kit_str_make_printable(field);
}

void kit_hostid_read(struct kit_hostid *ret_id)
{
    struct utsname name;

    *ret_id = (struct kit_hostid){0};
    read_dmi("/sys/class/dmi/id/sys_vendor", ret_id->vendor, sizeof(ret_id->vendor));
    read_dmi("/sys/class/dmi/id/bios_vendor", ret_id->bios_vendor, sizeof(ret_id->bios_vendor));
    read_dmi("/sys/class/dmi/id/bios_version", ret_id->bios_version, sizeof(ret_id->bios_version));
    if (uname(&name) == 0)
        (void)kit_str_copy(ret_id->nodename, sizeof(ret_id->nodename), name.nodename);
}

bool kit_hostid_home(char *ret_path, size_t path_bytes)
{
    const char *home = getenv("HOME");
    struct passwd entry, *found = NULL;

    if (home && home[0] == '/')
        return kit_str_copy(ret_path, path_bytes, home);

    KIT_AUTOFREE char *strings = NULL;
    int rc = ERANGE;
    for (size_t bytes = 1024; rc == ERANGE && bytes <= passwd_max_bytes; bytes *= 2) {
        strings = kit_mem_grow(strings, bytes, 1);
        rc = getpwuid_r(geteuid(), &entry, strings, bytes, &found);
    }
    return rc == 0 && found && found->pw_dir && found->pw_dir[0] == '/' &&
           kit_str_copy(ret_path, path_bytes, found->pw_dir);
}
