/* kit/sys/file.c - reading and writing whole files, carefully. */
#include "kit/sys/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kit/base/secret.h"
#include "kit/base/str.h"

/* A drop-in directory with more files than this is a mistake, not a configuration. */
enum {
    names_max = 4096
};

struct fd {
    int fd;
};

static void fd_done(struct fd *f)
{
    int saved_errno = errno;

    if (f->fd >= 0)
        (void)close(f->fd);
    f->fd = -1;
    errno = saved_errno;
}
#define AUTO_FD __attribute__((cleanup(fd_done))) struct fd

static int open_error(const char *path, struct kit_err *err)
{
    int saved_errno = errno;

    if (saved_errno != ENOENT && saved_errno != ENOTDIR)
        return kit_err_set(err, KIT_ERR_SYSTEM, "%s", path);
    (void)kit_err_set(err, KIT_ERR_NOT_FOUND, "%s: %s", path, strerror(saved_errno));
    err->sys = saved_errno;
    return -1;
}

static bool owner_trusted(const struct stat *st)
{
    return st->st_uid == 0 || st->st_uid == geteuid();
}

static int distrust(const char *path, const struct stat *st, const char *want, struct kit_err *err)
{
    return kit_err_set(err, KIT_ERR_CONFIG, "%s is owned by uid %u with mode %04o: %s", path,
                       (unsigned)st->st_uid, (unsigned)(st->st_mode & 07777), want);
}

/* ---- reading --------------------------------------------------------------------------------- */

static int check_trust(const char *path, const struct stat *st, struct kit_err *err)
{
    if (geteuid() != 0)
        return owner_trusted(st) ? 0 : distrust(path, st, "it must be root's or yours", err);
    if (st->st_uid == 0 && !(st->st_mode & (S_IWGRP | S_IWOTH)))
        return 0;
    return distrust(path, st, "it must be root's and writable by nobody else", err);
}

static int read_chunks(int fd, const char *path, char *chunk, size_t chunk_bytes,
                       struct kit_buf *content, struct kit_err *err)
{
    size_t room_bytes = content->max_bytes - content->len_bytes;

    for (;;) {
        ssize_t got = read(fd, chunk, chunk_bytes);
        if (got == 0)
            return 0;
        if (got < 0) {
            if (errno == EINTR)
                continue;
            return kit_err_set(err, KIT_ERR_SYSTEM, "read %s", path);
        }
        if (memchr(chunk, '\0', (size_t)got))
            return kit_err_set(err, KIT_ERR_CONFIG, "%s holds a NUL byte: it is no text", path);
        if (kit_buf_add(content, chunk, (size_t)got) != 0)
            return kit_err_set(err, KIT_ERR_CONFIG, "%s is larger than %zu bytes", path,
                               room_bytes);
    }
}

int kit_file_read(const char *path, enum kit_file_trust trust, struct kit_buf *ret_content,
                  struct kit_err *err)
{
    struct stat st;
    char chunk[4096];
    /* O_NONBLOCK, or opening a FIFO would wait for a writer. */
    AUTO_FD f = {open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)};

    if (f.fd < 0)
        return open_error(path, err);
    if (fstat(f.fd, &st) != 0)
        return kit_err_set(err, KIT_ERR_SYSTEM, "stat %s", path);
    if (!S_ISREG(st.st_mode))
        return kit_err_set(err, KIT_ERR_CONFIG, "%s is not a regular file", path);
    if (trust == KIT_FILE_TRUSTED && check_trust(path, &st, err) != 0)
        return -1;

    size_t before_bytes = ret_content->len_bytes;
    int rc = read_chunks(f.fd, path, chunk, sizeof(chunk), ret_content, err);
    if (ret_content->secret)
        kit_secret_wipe(chunk, sizeof(chunk));
    if (rc != 0)
        kit_buf_cut(ret_content, before_bytes);
    return rc;
}

int kit_file_check_program(const char *path, struct kit_err *err)
{
    struct stat st;

    if (stat(path, &st) != 0)
        return open_error(path, err);
    if (!S_ISREG(st.st_mode) || !(st.st_mode & 0111))
        return kit_err_set(err, KIT_ERR_CONFIG, "%s is no program", path);
    return check_trust(path, &st, err);
}

int kit_file_check_dir(const char *path, struct kit_err *err)
{
    struct stat st;
    /* O_PATH: asks for no permission on the directory itself. */
    AUTO_FD f = {open(path, O_PATH | O_CLOEXEC)};

    if (f.fd < 0)
        return open_error(path, err);
    if (fstat(f.fd, &st) != 0)
        return kit_err_set(err, KIT_ERR_SYSTEM, "stat %s", path);
    if (!S_ISDIR(st.st_mode))
        return kit_err_set(err, KIT_ERR_CONFIG, "%s is not a directory", path);
    if (geteuid() == 0 ? st.st_uid != 0 : !owner_trusted(&st))
        return distrust(path, &st,
                        geteuid() == 0 ? "it must be root's" : "it must be root's or yours", err);
    if ((st.st_mode & (S_IWGRP | S_IWOTH)) && !(st.st_mode & S_ISVTX))
        return distrust(path, &st, "nobody else may be able to write to it", err);
    return 0;
}

/* ---- listing --------------------------------------------------------------------------------- */

void kit_file_names_done(struct kit_file_names *names)
{
    for (size_t i = 0; i < names->count; i++)
        free(names->name[i]);
    free(names->name);
    *names = (struct kit_file_names){0};
}

static int by_bytes(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int collect(DIR *dir, const char *path, const char *suffix, struct kit_file_names *names,
                   struct kit_err *err)
{
    size_t room = 0;

    for (;;) {
        errno = 0;
        const struct dirent *entry = readdir(dir);
        if (!entry)
            return errno == 0 ? 0 : kit_err_set(err, KIT_ERR_SYSTEM, "read %s", path);
        if (entry->d_name[0] == '.' || !kit_str_ends(entry->d_name, suffix))
            continue;
        if (names->count == names_max)
            return kit_err_set(err, KIT_ERR_CONFIG, "%s holds more than %d files", path, names_max);
        if (names->count == room) {
            room = room ? room * 2 : 16;
            names->name = kit_mem_grow(names->name, room, sizeof(*names->name));
        }
        names->name[names->count++] = kit_mem_strdup(entry->d_name);
    }
}

int kit_file_list(const char *dir, const char *suffix, struct kit_file_names *ret_names,
                  struct kit_err *err)
{
    struct kit_file_names names = {0};
    DIR *d = opendir(dir);

    if (!d) {
        struct stat st;
        if (errno == ENOENT && lstat(dir, &st) == 0)
            return kit_err_set(err, KIT_ERR_CONFIG, "%s is a symbolic link that leads nowhere",
                               dir);
        if (errno != ENOENT)
            return kit_err_set(err, KIT_ERR_SYSTEM, "%s", dir);
        *ret_names = names;
        return 0;
    }
    int rc = collect(d, dir, suffix, &names, err);
    (void)closedir(d);
    if (rc != 0) {
        kit_file_names_done(&names);
        return -1;
    }
    if (names.count > 1)
        qsort(names.name, names.count, sizeof(*names.name), by_bytes);
    *ret_names = names;
    return 0;
}

/* ---- writing --------------------------------------------------------------------------------- */

static int write_all(int fd, const char *data, size_t len_bytes)
{
    while (len_bytes > 0) {
        ssize_t done = write(fd, data, len_bytes);
        if (done < 0) {
            if (errno == EINTR)
                continue;
            return -1;
        }
        data += done;
        len_bytes -= (size_t)done;
    }
    return 0;
}

/* Length of the directory part of path with its slash; 0 = the working directory. */
static size_t dir_bytes(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? (size_t)(slash - path) + 1 : 0;
}

/* A new name lasts through a power cut only when its directory was written too. */
static int sync_dir_of(const char *path, struct kit_err *err)
{
    KIT_AUTO(kit_buf) dir = KIT_BUF(PATH_MAX);
    size_t len = dir_bytes(path);

    (void)kit_buf_add(&dir, len ? path : ".", len ? len : 1);
    if (kit_buf_check(&dir, "a path", err) != 0)
        return -1;
    AUTO_FD f = {open(dir.data, O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    if (f.fd < 0 || fsync(f.fd) != 0)
        return kit_err_set(err, KIT_ERR_SYSTEM, "fsync %s", dir.data);
    return 0;
}

static int fill(struct fd *f, const void *data, size_t len_bytes, unsigned mode, bool durable)
{
    if (fchmod(f->fd, (mode_t)mode) != 0 || write_all(f->fd, data, len_bytes) != 0)
        return -1;
    if (durable && fsync(f->fd) != 0)
        return -1;
    /* Network file systems report a failed write here; close is never tried twice. */
    int fd = f->fd;
    f->fd = -1;
    return close(fd);
}

int kit_file_write(const char *path, const void *data, size_t len_bytes, unsigned mode,
                   bool durable, struct kit_err *err)
{
    KIT_AUTO(kit_buf) temp = KIT_BUF(PATH_MAX);
    size_t len = dir_bytes(path);

    /* Hidden: kit_file_list does not see what a killed writer left behind. */
    (void)kit_buf_add(&temp, path, len);
    (void)kit_buf_printf(&temp, ".%s.XXXXXX", path + len);
    if (kit_buf_check(&temp, "a path", err) != 0)
        return -1;
    AUTO_FD f = {mkostemp(temp.data, O_CLOEXEC)};
    if (f.fd < 0)
        return kit_err_set(err, KIT_ERR_SYSTEM, "write %s", path);
    if (fill(&f, data, len_bytes, mode, durable) != 0 || rename(temp.data, path) != 0) {
        (void)kit_err_set(err, KIT_ERR_SYSTEM, "write %s", path);
        (void)unlink(temp.data);
        return -1;
    }
    return durable ? sync_dir_of(path, err) : 0;
}

/* ".NAME.XXXXXX": kit_file_write's. */
static bool is_left_behind(const char *entry, const char *name)
{
    size_t len = strlen(name);

    return entry[0] == '.' && strncmp(entry + 1, name, len) == 0 && entry[1 + len] == '.' &&
           strlen(entry + 2 + len) == strlen("XXXXXX");
}

/* What of it cannot be removed stays: it is in nobody's way. */
static void remove_left_behind(const char *dir, const char *name)
{
    DIR *d = opendir(dir);

    for (const struct dirent *e = d ? readdir(d) : NULL; e; e = readdir(d))
        if (is_left_behind(e->d_name, name))
            (void)unlinkat(dirfd(d), e->d_name, 0);
    if (d)
        (void)closedir(d);
}

int kit_file_remove(const char *path, bool *ret_removed, struct kit_err *err)
{
    size_t len = dir_bytes(path);
    char dir[PATH_MAX];
    bool removed = unlink(path) == 0;

    if (!removed && errno != ENOENT && errno != ENOTDIR)
        return kit_err_set(err, KIT_ERR_SYSTEM, "remove %s", path);
    if (kit_str_format(dir, sizeof(dir), "%.*s", len ? (int)len : 1, len ? path : "."))
        remove_left_behind(dir, path + len);
    *ret_removed = removed;
    return 0;
}

/* ---- directories ----------------------------------------------------------------------------- */

/* Makes `name` in parent_fd if it is not there, and opens it.  Returns the descriptor or -1. */
static int enter_dir(int parent_fd, const char *name, unsigned mode, bool last)
{
    bool made = mkdirat(parent_fd, name, (mode_t)mode) == 0;

    if (!made && errno != EEXIST)
        return -1;
    int fd = openat(parent_fd, name,
                    O_DIRECTORY | O_CLOEXEC | (made ? O_RDONLY : O_PATH) |
                        (made || last ? O_NOFOLLOW : 0));
    if (fd >= 0 && made && fchmod(fd, (mode_t)mode) != 0) {
        int saved_errno = errno;
        (void)close(fd);
        errno = saved_errno;
        return -1;
    }
    return fd;
}

static int check_made_dir(int fd, const char *path, unsigned mode, struct kit_err *err)
{
    struct stat st;

    if (fstat(fd, &st) != 0)
        return kit_err_set(err, KIT_ERR_SYSTEM, "stat %s", path);
    if (!owner_trusted(&st))
        return distrust(path, &st, "it must be root's or yours", err);
    if (st.st_mode & (S_IWGRP | S_IWOTH) & ~(mode_t)mode)
        return distrust(path, &st, "nobody else may be able to write to it", err);
    return 0;
}

int kit_file_make_dir(const char *path, unsigned mode, struct kit_err *err)
{
    char name[NAME_MAX + 1];
    const char *cursor = path, *word;
    size_t len;
    AUTO_FD at = {open(path[0] == '/' ? "/" : ".", O_PATH | O_DIRECTORY | O_CLOEXEC)};

    if (path[0] == '\0')
        errno = ENOENT;
    if (at.fd < 0 || path[0] == '\0')
        return kit_err_set(err, KIT_ERR_SYSTEM, "make directory \"%s\"", path);
    while (kit_str_word(&cursor, "/", &word, &len)) {
        bool last = cursor[strspn(cursor, "/")] == '\0';
        if (!kit_str_format(name, sizeof(name), "%.*s", (int)(len > NAME_MAX ? NAME_MAX + 1 : len),
                            word)) {
            errno = ENAMETOOLONG;
            return kit_err_set(err, KIT_ERR_SYSTEM, "make directory %s", path);
        }
        int fd = enter_dir(at.fd, name, mode, last);
        if (fd < 0 && last && (errno == ENOTDIR || errno == ELOOP))
            return kit_err_set(err, KIT_ERR_CONFIG, "%s is a symbolic link or no directory", path);
        if (fd < 0)
            return kit_err_set(err, KIT_ERR_SYSTEM, "make directory %s", path);
        fd_done(&at);
        at.fd = fd;
    }
    return check_made_dir(at.fd, path, mode, err);
}
