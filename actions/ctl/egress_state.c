#include "actions/ctl/egress_state.h"

#include <stdlib.h>

#include "kit/base/buf.h"
#include "kit/base/str.h"
#include "kit/fmt/json.h"
#include "kit/fmt/uri.h"
#include "kit/sys/file.h"

const char *ctl_egress_state_dir(void)
{
    const char *dir = getenv("CLOUDVIP_STATEDIR");

    return dir && dir[0] ? dir : CTL_EGRESS_STATE_DIR;
}

/* Percent-encoded, every id is one file name. */
static int path_of(const char *instance, const char *suffix, char *path, size_t path_bytes,
                   struct kit_err *err)
{
    KIT_AUTO(kit_buf) file = KIT_BUF(3 * KIT_ID);

    kit_uri_encode(&file, instance);
    if (file.overflow || !kit_str_format(path, path_bytes, "%s/egress-%s%s", ctl_egress_state_dir(),
                                         file.data, suffix))
        return kit_err_set(err, KIT_ERR_CONFIG, "%s: too long for a file name in %s", instance,
                           ctl_egress_state_dir());
    return 0;
}

int ctl_egress_state_lock(const char *instance, char *path, size_t path_bytes, struct kit_err *err)
{
    if (kit_file_make_dir(ctl_egress_state_dir(), 0755, err))
        return -1;
    return path_of(instance, ".lock", path, path_bytes, err);
}

/* An id of the cloud, or a token of ours: what a request may hold. */
static bool is_id(const char *text)
{
    for (; *text; text++)
        if (!(*text >= 'a' && *text <= 'z') && !(*text >= 'A' && *text <= 'Z') &&
            !(*text >= '0' && *text <= '9') && *text != '-' && *text != '_' && *text != '.')
            return false;
    return true;
}

static bool take(const struct kit_json_node *root, const char *key, char *dst, size_t dst_bytes)
{
    const struct kit_json_node *node = kit_json_get(root, key);
    const char *text = kit_json_string(node);

    if (!node)
        return true;
    return text && is_id(text) && kit_str_copy(dst, dst_bytes, text);
}

int ctl_egress_state_parse(const char *text, size_t len_bytes, const char *name,
                           const char *instance, struct ctl_egress_state *ret_state,
                           struct kit_err *err)
{
    KIT_AUTO(kit_json) json = {0};
    struct ctl_egress_state s = {.instance = ""};

    if (kit_json_parse(text, len_bytes, &json, err)) {
        err->kind = KIT_ERR_CONFIG; /* a file of ours, no answer of anybody's */
        return kit_err_wrap(err, "%s", name);
    }
    const struct kit_json_node *root = kit_json_root(&json);
    if (!take(root, "instance", s.instance, sizeof(s.instance)) ||
        !take(root, "eni", s.eni, sizeof(s.eni)) || !take(root, "eip", s.eip, sizeof(s.eip)) ||
        !take(root, "token", s.token, sizeof(s.token)) || !kit_str_eq(s.instance, instance))
        return kit_err_set(err, KIT_ERR_CONFIG,
                           "%s is not what `egress unify` wrote for %s: remove it, and name the "
                           "EIP with --eip and the ENI with --eni",
                           name, instance);
    *ret_state = s;
    return 0;
}

int ctl_egress_state_read(const char *instance, struct ctl_egress_state *ret_state,
                          struct kit_err *err)
{
    KIT_AUTO(kit_buf) text = KIT_BUF(CTL_EGRESS_STATE_BYTES);
    struct ctl_egress_state s = {.instance = ""};
    char path[4096];

    if (path_of(instance, ".json", path, sizeof(path), err))
        return -1;
    if (!kit_file_read(path, KIT_FILE_TRUSTED, &text, err))
        return ctl_egress_state_parse(text.data, text.len_bytes, path, instance, ret_state, err);
    if (err->kind != KIT_ERR_NOT_FOUND)
        return -1;
    (void)kit_str_copy(s.instance, sizeof(s.instance), instance);
    *ret_state = s;
    return 0;
}

int ctl_egress_state_write(const struct ctl_egress_state *state, struct kit_err *err)
{
    KIT_AUTO(kit_buf) text = KIT_BUF(CTL_EGRESS_STATE_BYTES);
    struct kit_json_writer w = {.out = &text, .pretty = true};
    char path[4096];

    if (path_of(state->instance, ".json", path, sizeof(path), err) ||
        kit_file_make_dir(ctl_egress_state_dir(), 0755, err))
        return -1;
    kit_json_open(&w, NULL, '{');
    kit_json_put_string(&w, "instance", state->instance);
    kit_json_put_string(&w, "eni", state->eni);
    kit_json_put_string(&w, "eip", state->eip);
    kit_json_put_string(&w, "token", state->token);
    kit_json_close(&w);
    (void)kit_buf_putc(&text, '\n');
    if (kit_buf_check(&text, path, err))
        return -1;
    return kit_file_write(path, text.data, text.len_bytes, 0600, true, err);
}
