#include "kit/vip/record.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include "kit/base/buf.h"
#include "kit/base/str.h"
#include "kit/fmt/json.h"
#include "kit/fmt/uri.h"
#include "kit/sys/file.h"

#define RECORD_BYTES (8u * 1024)

const char *kit_record_dir(void)
{
    const char *dir = getenv("CLOUDVIP_RUNDIR");

    return dir && dir[0] ? dir : KIT_RUN_DIR;
}

/* Tags may hold '/': percent-encoded, every tag is one file name. */
static int path_of(const char *name, const char *suffix, char *path, size_t path_bytes,
                   struct kit_err *err)
{
    KIT_AUTO(kit_buf) file = KIT_BUF(240);

    kit_uri_encode(&file, name);
    if (file.overflow ||
        !kit_str_format(path, path_bytes, "%s/%s%s", kit_record_dir(), file.data, suffix))
        return kit_err_set(err, KIT_ERR_CONFIG, "%s: too long for a file name in %s", name,
                           kit_record_dir());
    return 0;
}

static void take_text(const struct kit_json_node *root, const char *key, char *dst,
                      size_t dst_bytes)
{
    const char *text = kit_json_string(kit_json_get(root, key));

    if (!text || !kit_str_copy(dst, dst_bytes, text))
        dst[0] = '\0';
    kit_str_make_printable(dst);
}

static int64_t take_number(const struct kit_json_node *root, const char *key)
{
    int64_t value;

    return kit_json_int(kit_json_get(root, key), &value) && value >= 0 ? value : 0;
}

/* An older record has none; of one that is not whole nothing is believed. */
static void take_local(const struct kit_json_node *local, struct kit_record *r)
{
    struct kit_addr addr;

    take_text(local, "interface", r->local_interface, sizeof(r->local_interface));
    take_text(local, "address", r->local_address, sizeof(r->local_address));
    if (r->local_interface[0] && kit_addr_parse(r->local_address, &addr) &&
        kit_json_bool(kit_json_get(local, "ours"), &r->local_ours))
        return;
    r->local_interface[0] = r->local_address[0] = '\0';
    r->local_ours = false;
}

/* *tag: whose it is; to be empty before. */
static int read_from(const char *path, struct kit_record *ret_record, struct kit_buf *tag,
                     struct kit_err *err)
{
    KIT_AUTO(kit_buf) text = KIT_BUF(RECORD_BYTES);
    KIT_AUTO(kit_json) json = {0};
    struct kit_record r = {.known = true};

    *ret_record = (struct kit_record){0};
    if (kit_file_read(path, KIT_FILE_TRUSTED, &text, err))
        return err->kind == KIT_ERR_NOT_FOUND ? 0 : kit_err_wrap(err, "read the record");
    if (kit_json_parse(text.data, text.len_bytes, &json, err)) {
        err->kind = KIT_ERR_CONFIG; /* a file of ours, no answer of anybody's */
        return kit_err_wrap(err, "record %s", path);
    }
    if (!kit_json_bool(kit_json_get(kit_json_root(&json), "in_service"), &r.in_service))
        return kit_err_set(err, KIT_ERR_CONFIG, "record %s: it does not say in_service", path);
    r.since_s = take_number(kit_json_root(&json), "since");
    r.checked_s = take_number(kit_json_root(&json), "checked");
    int64_t unknown = take_number(kit_json_root(&json), "unknown_in_a_row");
    r.unknown_in_a_row = unknown > UINT_MAX ? UINT_MAX : (unsigned)unknown;
    take_text(kit_json_root(&json), "action", r.action, sizeof(r.action));
    take_text(kit_json_root(&json), "facts", r.facts, sizeof(r.facts));
    take_local(kit_json_get(kit_json_root(&json), "local"), &r);
    const char *whose = kit_json_string(kit_json_get(kit_json_root(&json), "tag"));
    (void)kit_buf_puts(tag, whose ? whose : "");
    *ret_record = r;
    return 0;
}

int kit_record_read(const char *tag, struct kit_record *ret_record, struct kit_err *err)
{
    KIT_AUTO(kit_buf) ignored = KIT_BUF(RECORD_BYTES);
    char path[4096];

    *ret_record = (struct kit_record){0};
    return path_of(tag, ".json", path, sizeof(path), err)
               ? -1
               : read_from(path, ret_record, &ignored, err);
}

int kit_record_each(kit_record_take_fn take, void *arg, struct kit_err *err)
{
    KIT_AUTO(kit_file_names) names = {0};
    struct kit_record record;
    struct kit_err ignored;
    char path[4096];

    if (kit_file_list(kit_record_dir(), ".json", &names, err))
        return -1;
    for (size_t i = 0; i < names.count; i++) {
        KIT_AUTO(kit_buf) tag = KIT_BUF(RECORD_BYTES);

        if (kit_str_format(path, sizeof(path), "%s/%s", kit_record_dir(), names.name[i]) &&
            !read_from(path, &record, &tag, &ignored) && record.known)
            take(arg, tag.data, &record);
    }
    return 0;
}

int kit_record_write(const char *tag, const struct kit_record *record, struct kit_err *err)
{
    KIT_AUTO(kit_buf) text = KIT_BUF(RECORD_BYTES);
    struct kit_json_writer w = {.out = &text, .pretty = true};
    char path[4096];

    if (path_of(tag, ".json", path, sizeof(path), err) ||
        kit_file_make_dir(kit_record_dir(), 0755, err))
        return -1;
    kit_json_open(&w, NULL, '{');
    kit_json_put_string(&w, "tag", tag);
    kit_json_put_bool(&w, "in_service", record->in_service);
    kit_json_put_int(&w, "since", record->since_s);
    kit_json_put_int(&w, "checked", record->checked_s);
    kit_json_put_int(&w, "unknown_in_a_row", record->unknown_in_a_row);
    kit_json_put_string(&w, "action", record->action);
    kit_json_put_string(&w, "facts", record->facts);
    if (record->local_interface[0]) {
        kit_json_open(&w, "local", '{');
        kit_json_put_string(&w, "interface", record->local_interface);
        kit_json_put_string(&w, "address", record->local_address);
        kit_json_put_bool(&w, "ours", record->local_ours);
        kit_json_close(&w);
    }
    kit_json_close(&w);
    (void)kit_buf_putc(&text, '\n');
    if (kit_buf_check(&text, "the record", err))
        return -1;
    return kit_file_write(path, text.data, text.len_bytes, 0644, false, err);
}

int kit_record_forget(const char *tag, struct kit_err *err)
{
    char path[4096];

    if (path_of(tag, ".json", path, sizeof(path), err))
        return -1;
    if (unlink(path) != 0 && errno != ENOENT && errno != ENOTDIR)
        return kit_err_set(err, KIT_ERR_SYSTEM, "remove %s", path);
    return 0;
}

int kit_record_lock_path(const char *name, char *ret_path, size_t path_bytes, struct kit_err *err)
{
    if (kit_file_make_dir(kit_record_dir(), 0755, err))
        return -1;
    return path_of(name, ".lock", ret_path, path_bytes, err);
}
