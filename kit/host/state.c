/* kit/host/state.c - what `nic setup` made of an interface. */
#include "kit/host/state.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "kit/base/mem.h"
#include "kit/base/str.h"
#include "kit/fmt/json.h"
#include "kit/sys/file.h"

#define FORMAT 1 /* of the file */

/* More than one interface can have: an address and a rule each, for 64 addresses, and six routes.
 */
#define MADE_MAX 1024

static const char *const kinds[KIT_CHANGE_KINDS] = {
    [KIT_CHANGE_LINK] = "link",
    [KIT_CHANGE_ADDRESS] = "address",
    [KIT_CHANGE_ROUTE] = "route",
    [KIT_CHANGE_RULE] = "rule",
};

void kit_host_state_done(struct kit_host_state *state)
{
    kit_changes_done(&state->made);
    for (size_t i = 0; i < state->files; i++)
        free(state->file[i]);
    *state = (struct kit_host_state){0};
}

bool kit_host_state_add_file(struct kit_host_state *state, const char *path)
{
    for (size_t i = 0; i < state->files; i++)
        if (kit_str_eq(state->file[i], path))
            return true;
    if (state->files == KIT_HOST_FILES)
        return false;
    state->file[state->files++] = kit_mem_strdup(path);
    return true;
}

/* ---- the text -------------------------------------------------------------------------------- */

static void put_change(struct kit_json_writer *w, const struct kit_change *c)
{
    char text[KIT_ADDR_TEXT], prefix[KIT_CIDR_TEXT];

    kit_json_open(w, NULL, '{');
    kit_json_put_string(w, "what", kinds[c->kind]);
    if (c->kind != KIT_CHANGE_LINK) {
        (void)kit_str_format(prefix, sizeof(prefix), "%s/%u", kit_addr_text(&c->addr, text),
                             c->prefix_len);
        kit_json_put_string(w, "address", prefix);
    }
    if (c->kind == KIT_CHANGE_ROUTE && c->gateway.family)
        kit_json_put_string(w, "gateway", kit_addr_text(&c->gateway, text));
    if (c->kind == KIT_CHANGE_ROUTE || c->kind == KIT_CHANGE_RULE)
        kit_json_put_int(w, "table", c->table);
    if (c->metric)
        kit_json_put_int(w, "metric", c->metric);
    kit_json_close(w);
}

void kit_host_state_format(const struct kit_host_state *state, struct kit_buf *out)
{
    struct kit_json_writer w = {.out = out, .pretty = true};

    kit_json_open(&w, NULL, '{');
    kit_json_put_int(&w, "format", FORMAT);
    kit_json_put_string(&w, "interface", state->interface);
    kit_json_put_string(&w, "mac", state->mac);
    kit_json_put_string(&w, "eni", state->eni);
    kit_json_put_int(&w, "table", state->table);
    kit_json_open(&w, "made", '[');
    for (size_t i = 0; i < state->made.count; i++)
        put_change(&w, &state->made.change[i]);
    kit_json_close(&w);
    kit_json_open(&w, "files", '[');
    for (size_t i = 0; i < state->files; i++)
        kit_json_put_string(&w, NULL, state->file[i]);
    kit_json_close(&w);
    kit_json_close(&w);
    (void)kit_buf_putc(out, '\n');
}

static bool take_number(const struct kit_json_node *object, const char *key, uint32_t *value)
{
    const struct kit_json_node *node = kit_json_get(object, key);
    int64_t number = 0;

    if (node && (!kit_json_int(node, &number) || number < 0 || number > UINT32_MAX))
        return false;
    *value = (uint32_t)number;
    return true;
}

static bool take_text(const struct kit_json_node *object, const char *key, char *dst, size_t bytes)
{
    const char *text = kit_json_string(kit_json_get(object, key));

    return text && kit_str_copy(dst, bytes, text);
}

/* "10.0.2.11/24": the address with its host bits. */
static bool take_prefixed(const struct kit_json_node *object, struct kit_change *c)
{
    char text[KIT_CIDR_TEXT];
    int64_t len;

    if (!take_text(object, "address", text, sizeof(text)))
        return false;
    char *slash = strchr(text, '/');
    if (!slash)
        return false;
    *slash = '\0';
    if (!kit_addr_parse(text, &c->addr) ||
        !kit_str_to_int(slash + 1, 0, c->addr.family == 6 ? 128 : 32, &len))
        return false;
    c->prefix_len = (uint8_t)len;
    return true;
}

static bool take_change(const struct kit_json_node *object, struct kit_change *c)
{
    const char *what = kit_json_string(kit_json_get(object, "what"));
    const char *gateway = kit_json_string(kit_json_get(object, "gateway"));
    size_t kind = 0;

    while (kind < KIT_LEN(kinds) && !kit_str_eq(kinds[kind], what))
        kind++;
    if (kind == KIT_LEN(kinds))
        return false;
    *c = (struct kit_change){.kind = (enum kit_change_kind)kind};
    if (c->kind == KIT_CHANGE_LINK)
        return true;
    if (!take_prefixed(object, c) || !take_number(object, "table", &c->table) ||
        !take_number(object, "metric", &c->metric) ||
        (gateway && (!kit_addr_parse(gateway, &c->gateway) || c->gateway.family != c->addr.family)))
        return false;
    /* A rule for less than a whole address, or a table that is not named, is none of ours. */
    if (c->kind == KIT_CHANGE_RULE && c->prefix_len != (c->addr.family == 6 ? 128 : 32))
        return false;
    return c->kind == KIT_CHANGE_ADDRESS || c->table != 0;
}

static bool take_state(const struct kit_json_node *root, struct kit_host_state *s)
{
    const struct kit_json_node *made = kit_json_get(root, "made");
    const struct kit_json_node *files = kit_json_get(root, "files");
    uint32_t format = 0;

    if (!take_number(root, "format", &format) || format != FORMAT ||
        !take_text(root, "interface", s->interface, sizeof(s->interface)) ||
        !take_text(root, "mac", s->mac, sizeof(s->mac)) ||
        !take_text(root, "eni", s->eni, sizeof(s->eni)) || !take_number(root, "table", &s->table) ||
        s->table == 0 || kit_json_count(made) > MADE_MAX || kit_json_count(files) > KIT_HOST_FILES)
        return false;
    for (size_t i = 0; i < kit_json_count(made); i++) {
        struct kit_change c;
        if (!take_change(kit_json_at(made, i), &c))
            return false;
        kit_changes_add(&s->made, &c);
    }
    for (size_t i = 0; i < kit_json_count(files); i++) {
        const char *path = kit_json_string(kit_json_at(files, i));
        if (!path || path[0] != '/' || strstr(path, "/../") || !kit_host_state_add_file(s, path))
            return false;
    }
    return true;
}

int kit_host_state_parse(const char *text, size_t len_bytes, const char *name,
                         struct kit_host_state *ret_state, struct kit_err *err)
{
    KIT_AUTO(kit_json) json = {0};
    struct kit_host_state s = {0};
    struct kit_err why;

    if (kit_json_parse(text, len_bytes, &json, &why) == 0 && take_state(kit_json_root(&json), &s)) {
        *ret_state = s;
        return 0;
    }
    kit_host_state_done(&s);
    return kit_err_set(err, KIT_ERR_CONFIG,
                       "%s is not what `cloudvip nic setup` wrote: put it right, or take back by "
                       "hand what it lists and remove it",
                       name);
}

/* ---- the file -------------------------------------------------------------------------------- */

int kit_host_state_dir(char *path, size_t path_bytes, struct kit_err *err)
{
    const char *dir = getenv("CLOUDVIP_STATEDIR");

    if (!kit_str_format(path, path_bytes, "%s/nic", dir && dir[0] ? dir : KIT_HOST_STATE_DIR))
        return kit_err_set(err, KIT_ERR_CONFIG, "CLOUDVIP_STATEDIR is too long");
    return 0;
}

static int path_of(const char *interface, char *path, size_t path_bytes, struct kit_err *err)
{
    char dir[PATH_MAX];

    if (kit_host_state_dir(dir, sizeof(dir), err) != 0)
        return -1;
    if (!kit_str_format(path, path_bytes, "%s/%s.json", dir, interface))
        return kit_err_set(err, KIT_ERR_CONFIG, "CLOUDVIP_STATEDIR is too long");
    return 0;
}

int kit_host_state_read(const char *interface, bool *ret_found, struct kit_host_state *ret_state,
                        struct kit_err *err)
{
    KIT_AUTO(kit_buf) text = KIT_BUF(KIT_HOST_STATE_BYTES);
    char path[PATH_MAX];

    if (path_of(interface, path, sizeof(path), err) != 0)
        return -1;
    if (kit_file_read(path, KIT_FILE_TRUSTED, &text, err) != 0) {
        *ret_found = false;
        return err->kind == KIT_ERR_NOT_FOUND ? 0 : -1;
    }
    if (kit_host_state_parse(text.data, text.len_bytes, path, ret_state, err) != 0)
        return -1;
    if (!kit_str_eq(ret_state->interface, interface)) {
        kit_host_state_done(ret_state);
        return kit_err_set(err, KIT_ERR_CONFIG, "%s is about another interface", path);
    }
    *ret_found = true;
    return 0;
}

int kit_host_state_write(const struct kit_host_state *state, struct kit_err *err)
{
    KIT_AUTO(kit_buf) text = KIT_BUF(KIT_HOST_STATE_BYTES);
    char dir[PATH_MAX], path[PATH_MAX];

    kit_host_state_format(state, &text);
    if (kit_buf_check(&text, "the state", err) != 0 ||
        kit_host_state_dir(dir, sizeof(dir), err) != 0 || kit_file_make_dir(dir, 0755, err) != 0 ||
        path_of(state->interface, path, sizeof(path), err) != 0)
        return -1;
    return kit_file_write(path, text.data, text.len_bytes, 0644, true, err);
}

int kit_host_state_remove(const char *interface, struct kit_err *err)
{
    char path[PATH_MAX];
    bool removed;

    if (path_of(interface, path, sizeof(path), err) != 0)
        return -1;
    return kit_file_remove(path, &removed, err);
}

int kit_host_state_tables(const char *but, uint32_t **ret_tables, size_t *ret_count,
                          struct kit_err *err)
{
    KIT_AUTO(kit_file_names) names = {0};
    char dir[PATH_MAX];
    uint32_t *tables = NULL;
    size_t count = 0;

    if (kit_host_state_dir(dir, sizeof(dir), err) != 0 ||
        kit_file_list(dir, ".json", &names, err) != 0)
        return -1;
    for (size_t i = 0; i < names.count; i++) {
        struct kit_host_state state = {.table = 0};
        char interface[64];
        bool found = false;

        if (!kit_str_format(interface, sizeof(interface), "%.*s",
                            (int)(strlen(names.name[i]) - strlen(".json")), names.name[i]) ||
            kit_str_eq(interface, but))
            continue;
        if (kit_host_state_read(interface, &found, &state, err) != 0) {
            free(tables);
            return -1;
        }
        if (!found)
            continue;
        tables = kit_mem_grow(tables, count + 1, sizeof(*tables));
        tables[count++] = state.table;
        kit_host_state_done(&state);
    }
    *ret_tables = tables;
    *ret_count = count;
    return 0;
}
