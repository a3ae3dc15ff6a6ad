/* kit/sys/file.h - reading and writing whole files, carefully. */
#ifndef KIT_SYS_FILE_H
#define KIT_SYS_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "kit/base/buf.h"
#include "kit/base/err.h"

enum kit_file_trust {
    KIT_FILE_ANY,     /* whoever wrote it: tokens mounted by a container runtime, /sys, /proc */
    KIT_FILE_TRUSTED, /* decides what root does: see kit_file_read */
};

/* Append the whole file to *ret_content, up to its ceiling; after an error nothing has been
 * appended. Errors: KIT_ERR_NOT_FOUND (ENOENT, ENOTDIR: sys is set), KIT_ERR_SYSTEM, KIT_ERR_CONFIG
 * (not a regular file, larger than the ceiling, a NUL byte inside, or - KIT_FILE_TRUSTED, when we
 * run as root - not owned by root or writable by group or others; the message names file, owner and
 * mode.  As another user: owned by root or by ourselves).  Checked on the open descriptor, so it
 * cannot be swapped in between. Never blocks on a FIFO (O_NONBLOCK, then refused). */
int kit_file_read(const char *path, enum kit_file_trust trust, struct kit_buf *ret_content,
                  struct kit_err *err) KIT_CHECKED;

/* As above for a program that root is about to run: a regular file, trusted, executable; nothing is
 * read. */
int kit_file_check_program(const char *path, struct kit_err *err) KIT_CHECKED;

/* As above for a directory that such files are taken from: owner as above, and not writable by
 * group or others unless sticky.  KIT_ERR_NOT_FOUND when it is not there. */
int kit_file_check_dir(const char *path, struct kit_err *err) KIT_CHECKED;

/* Names (not paths) in a directory that end in `suffix`, not beginning with '.', sorted bytewise;
 * the caller frees with kit_file_names_done.  A missing directory is an empty list, a link that
 * leads nowhere is not (KIT_ERR_CONFIG). Ceiling: 4096 names (KIT_ERR_CONFIG). */
struct kit_file_names {
    char **name;
    size_t count;
};
int kit_file_list(const char *dir, const char *suffix, struct kit_file_names *ret_names,
                  struct kit_err *err) KIT_CHECKED;
void kit_file_names_done(struct kit_file_names *names);

/* Replace a file's content atomically: temporary file in the same directory, fsync only if
 * `durable`, rename. A reader sees the old or the new content, never a part.  `mode` e.g. 0600,
 * whatever the umask. KIT_ERR_SYSTEM; then the old content is there still, unless only the
 * directory's fsync failed. */
int kit_file_write(const char *path, const void *data, size_t len_bytes, unsigned mode,
                   bool durable, struct kit_err *err) KIT_CHECKED;

/* Removes it, and what writers of it left behind that were killed; the caller sees to it that none
 * is at work.  Not there: nothing (*ret_removed false). KIT_ERR_SYSTEM. */
int kit_file_remove(const char *path, bool *ret_removed, struct kit_err *err) KIT_CHECKED;

/* mkdir -p with `mode`, whatever the umask, for what is made; ours or root's, else
 * KIT_ERR_SYSTEM/KIT_ERR_CONFIG (a symlink or a directory that others may write is refused: the run
 * directory holds locks). */
int kit_file_make_dir(const char *path, unsigned mode, struct kit_err *err) KIT_CHECKED;

#endif
