/* kit/cloud/aliyun/profile.c - config.json of the CLI, credentials of the SDKs. */
#include "kit/cloud/aliyun/profile.h"

#include <stdlib.h>
#include <string.h>

#include "kit/base/secret.h"
#include "kit/cloud/aliyun/env.h"
#include "kit/sys/file.h"
#include "kit/sys/hostid.h"

/* A profile is some 1 KB, with a session token 2. */
#define FILE_BYTES (256u * 1024)
#define PATH_BYTES 1024

/* One key of the INI file; all point into the file's text. */
struct entry {
    const char *section, *key, *value;
};

struct ali_profiles {
    struct kit_json cli;
    char *ini; /* the file's text, cut into strings; NULL = none */
    size_t ini_bytes;
    struct entry *entry; /* a section without keys has one with key "" */
    size_t entries;
    char cli_path[PATH_BYTES], ini_path[PATH_BYTES];
};

/* ---- INI -------------------------------------------------------------------------------------
 *
 * By a reader of our own: a security token is longer than the 200 bytes at which inih, as
 * distributions build it, cuts lines. */

static int wrong_line(const struct ali_profiles *p, unsigned line, const char *why,
                      struct kit_err *err)
{
    return kit_err_set(err, KIT_ERR_CONFIG, "%s:%u: %s", p->ini_path, line, why);
}

static void add_entry(struct ali_profiles *p, const char *section, const char *key,
                      const char *value)
{
    p->entry = kit_mem_grow(p->entry, p->entries + 1, sizeof(*p->entry));
    p->entry[p->entries++] = (struct entry){.section = section, .key = key, .value = value};
}

/* One line, trimmed; *section is what the lines before said. */
static int parse_line(struct ali_profiles *p, char *text, unsigned line, const char **section,
                      struct kit_err *err)
{
    if (*text == '\0' || *text == '#' || *text == ';')
        return 0;
    if (*text == '[') {
        char *end = strchr(text, ']');
        if (!end || end[1] != '\0')
            return wrong_line(p, line, "a section's name without its ']'", err);
        *end = '\0';
        *section = kit_str_trim(text + 1);
        add_entry(p, *section, "", "");
        return 0;
    }
    char *equals = strchr(text, '=');
    if (!equals || equals == text)
        return wrong_line(p, line, "neither a [section] nor KEY = VALUE", err);
    if (!*section)
        return wrong_line(p, line, "a key before the first [section]", err);
    *equals = '\0';
    add_entry(p, *section, kit_str_trim(text), kit_str_trim(equals + 1));
    return 0;
}

static int parse_ini(struct ali_profiles *p, struct kit_err *err)
{
    const char *section = NULL;
    char *next = p->ini;

    for (unsigned line = 1; next; line++) {
        char *text = next;
        next = strchr(text, '\n');
        if (next)
            *next++ = '\0';
        if (parse_line(p, kit_str_trim(text), line, &section, err))
            return -1;
    }
    return 0;
}

/* ---- files ----------------------------------------------------------------------------------- */

/* *ret_found false: not there, which is fine unless it `must` be. */
static int read_file(const char *path, bool must, struct kit_buf *out, bool *ret_found,
                     struct kit_err *err)
{
    *ret_found = false;
    if (!path[0])
        return 0;
    if (kit_file_read(path, KIT_FILE_TRUSTED, out, err) == 0) {
        *ret_found = true;
        return 0;
    }
    if (err->kind != KIT_ERR_NOT_FOUND)
        return -1;
    if (!must)
        return 0;
    err->kind = KIT_ERR_CONFIG;
    return -1;
}

static int take_cli(struct ali_profiles *p, const struct kit_buf *text, struct kit_err *err)
{
    if (kit_json_parse(text->data, text->len_bytes, &p->cli, err)) {
        err->kind = KIT_ERR_CONFIG;
        return kit_err_wrap(err, "%s", p->cli_path);
    }
    return 0;
}

static int take_ini(struct ali_profiles *p, struct kit_buf *text, struct kit_err *err)
{
    p->ini_bytes = text->len_bytes;
    if (!text->len_bytes)
        return 0;
    p->ini = kit_buf_take(text);
    return parse_ini(p, err);
}

static void find_path(const char *variable, const char *below_home, char path[PATH_BYTES])
{
    const char *given = ali_env(variable);
    char home[PATH_BYTES - 64];

    path[0] = '\0';
    if (given)
        (void)kit_str_copy(path, PATH_BYTES, given);
    else if (kit_hostid_home(home, sizeof(home)))
        (void)kit_str_format(path, PATH_BYTES, "%s/%s", home, below_home);
}

static int load_named(struct ali_profiles *p, const char *path, struct kit_err *err)
{
    KIT_AUTO(kit_buf) text = KIT_BUF_SECRET(FILE_BYTES);
    bool found;

    (void)kit_str_copy(p->cli_path, PATH_BYTES, path);
    (void)kit_str_copy(p->ini_path, PATH_BYTES, path);
    if (read_file(path, true, &text, &found, err))
        return -1;
    return text.data[strspn(text.data, " \t\r\n")] == '{' ? take_cli(p, &text, err)
                                                          : take_ini(p, &text, err);
}

static int load_usual(struct ali_profiles *p, struct kit_err *err)
{
    KIT_AUTO(kit_buf) cli = KIT_BUF_SECRET(FILE_BYTES);
    KIT_AUTO(kit_buf) ini = KIT_BUF_SECRET(FILE_BYTES);
    bool found;

    find_path("ALIBABA_CLOUD_CONFIG_FILE", ".aliyun/config.json", p->cli_path);
    find_path("ALIBABA_CLOUD_CREDENTIALS_FILE", ".alibabacloud/credentials", p->ini_path);
    if (!ali_env_is_true("ALIBABA_CLOUD_CLI_PROFILE_DISABLED")) {
        if (read_file(p->cli_path, false, &cli, &found, err) || (found && take_cli(p, &cli, err)))
            return -1;
    }
    if (read_file(p->ini_path, false, &ini, &found, err))
        return -1;
    return found ? take_ini(p, &ini, err) : 0;
}

int ali_profiles_load(const struct kit_settings *settings, struct ali_profiles **ret_profiles,
                      struct kit_err *err)
{
    const char *named = kit_settings_text(settings, KIT_PARAM_CREDENTIALS_FILE);
    struct ali_profiles *p = kit_mem_new(1, sizeof(*p));

    if (named ? load_named(p, named, err) : load_usual(p, err)) {
        ali_profiles_free(p);
        return -1;
    }
    *ret_profiles = p;
    return 0;
}

void ali_profiles_free(struct ali_profiles *p)
{
    if (!p)
        return;
    kit_json_done(&p->cli);
    if (p->ini)
        kit_secret_wipe(p->ini, p->ini_bytes);
    free(p->ini);
    free(p->entry);
    free(p);
}

/* ---- questions ------------------------------------------------------------------------------- */

const char *ali_profiles_chosen(const struct ali_profiles *p, const struct kit_settings *settings,
                                bool *ret_named)
{
    const char *name = kit_settings_text(settings, KIT_PARAM_PROFILE);

    if (!name)
        name = ali_env("ALIBABA_CLOUD_PROFILE");
    if (ret_named)
        *ret_named = name != NULL;
    if (!name)
        name = kit_json_string(kit_json_get(kit_json_root(&p->cli), "current"));
    return name && *name ? name : "default";
}

const struct kit_json_node *ali_profiles_cli(const struct ali_profiles *p, const char *name)
{
    const struct kit_json_node *list = kit_json_get(kit_json_root(&p->cli), "profiles");

    for (size_t i = 0; i < kit_json_count(list); i++) {
        const struct kit_json_node *profile = kit_json_at(list, i);
        if (kit_str_eq(kit_json_string(kit_json_get(profile, "name")), name))
            return profile;
    }
    return NULL;
}

bool ali_profiles_has_section(const struct ali_profiles *p, const char *section)
{
    return ali_profiles_key(p, section, "") != NULL;
}

const char *ali_profiles_key(const struct ali_profiles *p, const char *section, const char *key)
{
    /* The last one counts: a section may come twice. */
    for (size_t i = p->entries; i > 0; i--) {
        const struct entry *e = &p->entry[i - 1];
        if (kit_str_eq(e->section, section) && kit_str_eq(e->key, key))
            return e->value;
    }
    return NULL;
}

const char *ali_profiles_cli_path(const struct ali_profiles *p)
{
    return p->cli_path;
}

const char *ali_profiles_ini_path(const struct ali_profiles *p)
{
    return p->ini_path;
}

const char *ali_profiles_region(const struct ali_profiles *p, const struct kit_settings *settings)
{
    const struct kit_json_node *profile =
        ali_profiles_cli(p, ali_profiles_chosen(p, settings, NULL));
    const char *region = kit_json_string(kit_json_get(profile, "region_id"));

    return region && *region ? region : NULL;
}

bool ali_profiles_internal(const struct ali_profiles *p, const struct kit_settings *settings)
{
    const struct kit_json_node *profile =
        ali_profiles_cli(p, ali_profiles_chosen(p, settings, NULL));
    bool value;

    return kit_json_bool(kit_json_get(profile, "enable_vpc"), &value) && value;
}
