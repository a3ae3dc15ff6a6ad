/* kit/host/persist.c - keeping an interface's configuration over a reboot. */
#include "kit/host/persist.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kit/base/mem.h"
#include "kit/base/str.h"
#include "kit/sys/file.h"

/* What a file of ours begins with. */
#define MARK "# Made by `cloudvip nic setup "

static const char name_letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                   "0123456789_-.@";

/* Files that are looked into to find out who rules. */
#define LOOK_BYTES (256u * 1024)

const struct kit_persist_manager *const kit_persist_managers[] = {
    &kit_persist_networkd, &kit_persist_nm,       &kit_persist_wicked,
    &kit_persist_ifcfg,    &kit_persist_ifupdown, NULL,
};

void kit_persist_files_done(struct kit_persist_files *files)
{
    for (size_t i = 0; i < files->count; i++)
        kit_buf_done(&files->file[i].text);
    *files = (struct kit_persist_files){0};
}

struct kit_buf *kit_persist_add(struct kit_persist_files *files, const char *interface,
                                unsigned mode, const char *path_fmt, ...)
{
    struct kit_persist_file *file = &files->file[files->count];
    va_list args;

    *file = (struct kit_persist_file){.mode = mode, .text = KIT_BUF(KIT_PERSIST_BYTES)};
    va_start(args, path_fmt);
    (void)vsnprintf(file->path, sizeof(file->path), path_fmt, args);
    va_end(args);
    (void)kit_buf_printf(&file->text,
                         MARK "%s`; `cloudvip nic unset %s` removes it.\n# Changes are lost when "
                              "setup is run again.\n",
                         interface, interface);
    files->count++;
    return &file->text;
}

const char *kit_persist_prefix(const struct kit_change *change, char text[KIT_CIDR_TEXT])
{
    char addr[KIT_ADDR_TEXT];

    (void)kit_str_format(text, KIT_CIDR_TEXT, "%s/%u", kit_addr_text(&change->addr, addr),
                         change->prefix_len);
    return text;
}

/* ---- who rules ------------------------------------------------------------------------------- */

bool kit_persist_exists(const struct kit_persist_place *place, const char *fmt, ...)
{
    char name[256], path[PATH_MAX];
    struct stat st;
    va_list args;

    va_start(args, fmt);
    (void)vsnprintf(name, sizeof(name), fmt, args);
    va_end(args);
    /* lstat: what is enabled is a link into a directory that `root` need not have. */
    return kit_str_format(path, sizeof(path), "%s%s", place->root, name) && lstat(path, &st) == 0;
}

bool kit_persist_says(const struct kit_persist_place *place, const char *line, const char *fmt, ...)
{
    KIT_AUTO(kit_buf) text = KIT_BUF(LOOK_BYTES);
    char name[256], path[PATH_MAX];
    struct kit_err ignored;
    const char *at, *word;
    va_list args;
    size_t len;

    va_start(args, fmt);
    (void)vsnprintf(name, sizeof(name), fmt, args);
    va_end(args);
    if (!kit_str_format(path, sizeof(path), "%s%s", place->root, name) ||
        kit_file_read(path, KIT_FILE_ANY, &text, &ignored) != 0)
        return false;
    at = text.data;
    while (kit_str_word(&at, "\r\n", &word, &len)) {
        char found[256];
        if (kit_str_format(found, sizeof(found), "%.*s", (int)(len < 255 ? len : 255), word) &&
            kit_str_eq(kit_str_trim(found), line))
            return true;
    }
    return false;
}

int kit_persist_find(const struct kit_persist_place *place,
                     const struct kit_persist_manager **ret_manager, struct kit_err *err)
{
    enum kit_persist_claim best = KIT_PERSIST_NONE;
    KIT_AUTO(kit_buf) looked = KIT_BUF(512);

    for (size_t i = 0; kit_persist_managers[i]; i++) {
        const struct kit_persist_manager *m = kit_persist_managers[i];
        enum kit_persist_claim claim = m->claims(place);

        (void)kit_buf_printf(&looked, "%s%s (%s)", i ? ", " : "", m->name, m->looks_for);
        if (claim > best) {
            best = claim;
            *ret_manager = m;
        }
    }
    if (best != KIT_PERSIST_NONE)
        return 0;
    return kit_err_set(err, KIT_ERR_STATE,
                       "nothing that manages the network was found to keep this over a reboot: %s; "
                       "with --no-persist it is set up until then",
                       looked.data);
}

/* ---- the files ------------------------------------------------------------------------------- */

/* Reads what is there.  *ret_there false: nothing. */
static int read_file(const char *root, const char *path, struct kit_buf *text, bool *ret_there,
                     struct kit_err *err)
{
    char whole[PATH_MAX];

    if (!kit_str_format(whole, sizeof(whole), "%s%s", root, path))
        return kit_err_set(err, KIT_ERR_CONFIG, "%s: the path is too long", path);
    *ret_there = kit_file_read(whole, KIT_FILE_ANY, text, err) == 0;
    return *ret_there || err->kind == KIT_ERR_NOT_FOUND ? 0 : -1;
}

int kit_persist_not_ours(const char *path, const char *interface, struct kit_err *err)
{
    return kit_err_set(err, KIT_ERR_CONFIG,
                       "%s is not ours, and already configures %s: move it away, or use "
                       "--no-persist and keep the routes and rules there (rule 47)",
                       path, interface);
}

static int compare(const char *root, const char *interface, struct kit_persist_file *file,
                   struct kit_err *err)
{
    KIT_AUTO(kit_buf) text = KIT_BUF(LOOK_BYTES);
    bool there = false;

    if (kit_buf_check(&file->text, file->path, err) != 0 ||
        read_file(root, file->path, &text, &there, err) != 0)
        return -1;
    if (there && !kit_str_starts(text.data, MARK))
        return kit_persist_not_ours(file->path, interface, err);
    file->there = there && kit_str_eq(text.data, file->text.data);
    return 0;
}

int kit_persist_plan(const struct kit_persist_manager *manager,
                     const struct kit_persist_place *place, const struct kit_persist_want *want,
                     struct kit_persist_files *ret_files, struct kit_err *err)
{
    struct kit_persist_files files = {0};

    /* Some of the files are read by a shell. */
    if (want->interface[strspn(want->interface, name_letters)])
        return kit_err_set(
            err, KIT_ERR_CONFIG,
            "interface %s: a name that is not of letters, digits and \"_-.@\" alone is "
            "not kept over a reboot: rename it, or use --no-persist",
            want->interface);
    if (manager->check && manager->check(place, err) != 0)
        return -1;
    manager->render(want, &files);
    for (size_t i = 0; i < files.count; i++) {
        if (compare(place->root, want->interface, &files.file[i], err) != 0) {
            kit_persist_files_done(&files);
            return -1;
        }
    }
    *ret_files = files;
    return 0;
}

static int make_parent(const char *path, struct kit_err *err)
{
    char dir[PATH_MAX];

    (void)kit_str_copy(dir, sizeof(dir), path);
    *strrchr(dir, '/') = '\0';
    return kit_file_make_dir(dir, 0755, err);
}

int kit_persist_check_writable(const char *root, const char *path, struct kit_err *err)
{
    char dir[PATH_MAX];

    if (!kit_str_format(dir, sizeof(dir), "%s%s", root, path))
        return kit_err_set(err, KIT_ERR_CONFIG, "%s: the path is too long", path);
    /* The nearest directory that there is: what is missing is made in it. */
    do {
        char *slash = strrchr(dir, '/');
        if (!slash)
            return 0;
        slash[slash == dir] = '\0';
        if (faccessat(AT_FDCWD, dir, W_OK | X_OK, AT_EACCESS) == 0)
            return 0;
    } while (errno == ENOENT && dir[1]);
    return kit_err_set(err, KIT_ERR_SYSTEM, "%s cannot be written", path);
}

int kit_persist_write(const char *root, const struct kit_persist_files *files, struct kit_err *err)
{
    char path[PATH_MAX];

    for (size_t i = 0; i < files->count; i++) {
        const struct kit_persist_file *f = &files->file[i];
        if (f->there)
            continue;
        if (!kit_str_format(path, sizeof(path), "%s%s", root, f->path))
            return kit_err_set(err, KIT_ERR_CONFIG, "%s: the path is too long", f->path);
        if (make_parent(path, err) != 0 ||
            kit_file_write(path, f->text.data, f->text.len_bytes, f->mode, true, err) != 0)
            return kit_err_wrap(err, "keep it over a reboot");
    }
    return 0;
}

bool kit_persist_is_ours(const char *root, const char *path)
{
    KIT_AUTO(kit_buf) text = KIT_BUF(LOOK_BYTES);
    struct kit_err ignored;
    bool there = false;

    return read_file(root, path, &text, &there, &ignored) == 0 && there &&
           kit_str_starts(text.data, MARK);
}

int kit_persist_remove(const char *root, const char *path, bool *ret_removed, struct kit_err *err)
{
    KIT_AUTO(kit_buf) text = KIT_BUF(LOOK_BYTES);
    char whole[PATH_MAX];
    bool there = false;

    if (read_file(root, path, &text, &there, err) != 0)
        return -1;
    if (there && !kit_str_starts(text.data, MARK))
        return kit_err_set(err, KIT_ERR_CONFIG,
                           "%s is not ours any more (its first line is another): left as it is; "
                           "remove it by hand",
                           path);
    (void)kit_str_format(whole, sizeof(whole), "%s%s", root, path);
    return kit_file_remove(whole, ret_removed, err);
}
