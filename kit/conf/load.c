/* kit/conf/load.c - the configuration directory. */
#include "kit/conf/load.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "kit/base/buf.h"
#include "kit/base/mem.h"
#include "kit/base/str.h"
#include "kit/conf/check.h"
#include "kit/fmt/ini.h"
#include "kit/sys/file.h"

/* As many as kit_file_list lists; a cluster has tens. */
#define SECTIONS_MAX 4096
/* One list with its continuation lines: 512 ids of 63 bytes, and as much between them. */
#define LIST_BYTES 65536

/* What a source says of one parameter; NULL = nothing. */
struct entry {
    char *value;
    char *origin;
};

struct section {
    char *tag;
    char *origin; /* PATH:LINE of its [tag] */
    struct entry entry[KIT_PARAM_COUNT];
    bool broken;
    struct kit_err why;
};

struct kit_conf {
    char *dir; /* for messages; NULL = made from text alone */
    struct section defaults;
    struct section *section;
    size_t count;
    struct kit_err *broken;
    size_t broken_count;
};

static void section_done(struct section *section)
{
    free(section->tag);
    free(section->origin);
    for (int i = 0; i < KIT_PARAM_COUNT; i++) {
        free(section->entry[i].value);
        free(section->entry[i].origin);
    }
}

struct kit_conf *kit_conf_new(void)
{
    return kit_mem_new(1, sizeof(struct kit_conf));
}

void kit_conf_free(struct kit_conf *conf)
{
    if (!conf)
        return;
    for (size_t i = 0; i < conf->count; i++)
        section_done(&conf->section[i]);
    section_done(&conf->defaults);
    free(conf->section);
    free(conf->broken);
    free(conf->dir);
    free(conf);
}

static void note_broken(struct kit_conf *conf, const struct kit_err *why)
{
    conf->broken = kit_mem_grow(conf->broken, conf->broken_count + 1, sizeof(*conf->broken));
    conf->broken[conf->broken_count++] = *why;
}

static struct section *find(const struct kit_conf *conf, const char *tag)
{
    for (size_t i = 0; i < conf->count; i++)
        if (kit_str_eq(conf->section[i].tag, tag))
            return &conf->section[i];
    return NULL;
}

static int set_unknown_key(struct kit_err *err, const char *origin, const char *key)
{
    const char *near = kit_param_near(key);

    /* The key alone: its value may be a secret that somebody put into the wrong file. */
    return kit_err_set(err, KIT_ERR_CONFIG, "%s: unknown key '%.64s'%s%s%s", origin, key,
                       near ? " (did you mean '" : "", near ? near : "", near ? "'?)" : "");
}

/* ---- one file -------------------------------------------------------------------------------- */

struct reading {
    struct kit_conf *conf;
    enum kit_conf_kind kind;
    const char *name;
    struct section *at; /* NULL = before the first section, or in one that is skipped */
    bool skip;
    bool seen_defaults;
    enum kit_param last; /* what an indented line continues */
    unsigned line;       /* of the last call-back */
    const char *text, *end;
    unsigned text_line; /* where `text` is by now */
};

/* The first reason is the one that is kept. */
static void break_section(struct kit_conf *conf, struct section *section, const struct kit_err *why)
{
    if (section->broken)
        return;
    section->broken = true;
    section->why = *why;
    note_broken(conf, why);
}

/* A new section called `tag`; NULL, with the reason noted, when there cannot be one. */
static struct section *add_section(struct kit_conf *conf, const char *tag, const char *origin)
{
    struct section *there = find(conf, tag);
    struct kit_err err;

    if (there) {
        (void)kit_err_set(&err, KIT_ERR_CONFIG, "%s: the tag %s is already in %s", origin, tag,
                          there->origin);
        break_section(conf, there, &err);
        return NULL;
    }
    if (kit_conf_check_tag(tag, &err)) {
        (void)kit_err_wrap(&err, "%s", origin);
    } else if (conf->count == SECTIONS_MAX) {
        (void)kit_err_set(&err, KIT_ERR_CONFIG, "%s: more than %d resources", origin, SECTIONS_MAX);
    } else {
        conf->section = kit_mem_grow(conf->section, conf->count + 1, sizeof(*conf->section));
        conf->section[conf->count] =
            (struct section){.tag = kit_mem_strdup(tag), .origin = kit_mem_strdup(origin)};
        return &conf->section[conf->count++];
    }
    note_broken(conf, &err);
    return NULL;
}

static int on_section(void *arg, const char *name, unsigned line, struct kit_err *err)
{
    struct reading *r = arg;
    char origin[PATH_MAX + 16];

    (void)kit_str_format(origin, sizeof(origin), "%s:%u", r->name, line);
    r->line = line;
    r->last = KIT_PARAM_NONE;
    r->skip = false;
    if (kit_str_eq(name, "defaults") && r->kind == KIT_CONF_MAIN) {
        if (r->seen_defaults)
            return kit_err_set(err, KIT_ERR_CONFIG, "%s: a second [defaults]", origin);
        r->seen_defaults = true;
        r->at = &r->conf->defaults;
        return 0;
    }
    if (kit_str_eq(name, "defaults")) {
        struct kit_err why;
        (void)kit_err_set(&why, KIT_ERR_CONFIG, "%s: [defaults] belongs in cloudvip.conf", origin);
        note_broken(r->conf, &why);
        r->at = NULL;
        r->skip = true;
        return 0;
    }
    /* As a resource it would be found incomplete only when somebody asks for it, and until then
     * every resource would run without the defaults. */
    if (kit_str_eq_nocase(name, "default") || kit_str_eq_nocase(name, "defaults"))
        return kit_err_set(err, KIT_ERR_CONFIG, "%s: [%s]: did you mean [defaults]?", origin, name);
    r->at = add_section(r->conf, name, origin);
    r->skip = !r->at;
    return 0;
}

/* The next line without its end; false when there is none. */
static bool take_line(struct reading *r, const char **ret_line, const char **ret_line_end)
{
    const char *newline;

    if (r->text >= r->end)
        return false;
    newline = memchr(r->text, '\n', (size_t)(r->end - r->text));
    *ret_line = r->text;
    *ret_line_end = newline ? newline : r->end;
    r->text = newline ? newline + 1 : r->end;
    r->text_line++;
    return true;
}

/* "rtb-1 ; rtb-2": a ';' behind a space begins a comment in INI, and separates ids in a list. */
static int check_list_line(struct reading *r, const struct kit_ini_entry *in, const char *origin,
                           struct kit_err *err)
{
    enum kit_param param = in->continued ? r->last : kit_param_by_name(in->name);
    const char *line = "", *line_end = line;

    if (param == KIT_PARAM_NONE || kit_param_info[param].type != KIT_TYPE_IDS)
        return 0;
    while (r->text_line < in->line && take_line(r, &line, &line_end))
        ;
    if (!memmem(line, (size_t)(line_end - line), " ;", 2) &&
        !memmem(line, (size_t)(line_end - line), "\t;", 2))
        return 0;
    return kit_err_set(err, KIT_ERR_CONFIG,
                       "%s: list or comment behind ';'? Separate ids with commas, and put comments "
                       "on lines of their own",
                       origin);
}

static int check_value(enum kit_param param, const char *value, const char *origin,
                       struct kit_err *err)
{
    KIT_AUTO(kit_settings) scratch = {0};

    return kit_settings_put(&scratch, param, value, origin, err);
}

static int put_entry(struct reading *r, const struct kit_ini_entry *in, const char *origin,
                     struct kit_err *err)
{
    enum kit_param param = kit_param_by_name(in->name);
    struct entry *entry;

    if (param == KIT_PARAM_NONE)
        return set_unknown_key(err, origin, in->name);
    entry = &r->at->entry[param];
    if (entry->value)
        return kit_err_set(err, KIT_ERR_CONFIG, "%s: %s is already set in %s", origin, in->name,
                           entry->origin);
    if (check_value(param, in->value, origin, err))
        return -1;
    entry->value = kit_mem_strdup(in->value);
    entry->origin = kit_mem_strdup(origin);
    r->last = param;
    return 0;
}

static int continue_entry(struct reading *r, const struct kit_ini_entry *in, const char *origin,
                          struct kit_err *err)
{
    KIT_AUTO(kit_buf) joined = KIT_BUF(LIST_BYTES);
    struct entry *entry;

    if (r->last == KIT_PARAM_NONE || kit_param_info[r->last].type != KIT_TYPE_IDS)
        return kit_err_set(err, KIT_ERR_CONFIG,
                           "%s: an indented line continues the value above it, which is no list: "
                           "begin the line at its left edge",
                           origin);
    entry = &r->at->entry[r->last];
    if (kit_buf_printf(&joined, "%s,%s", entry->value, in->value))
        return kit_err_set(err, KIT_ERR_CONFIG, "%s: the list is too long", origin);
    if (check_value(r->last, joined.data, origin, err))
        return -1;
    free(entry->value);
    entry->value = kit_buf_take(&joined);
    return 0;
}

static int on_entry(void *arg, const struct kit_ini_entry *in, struct kit_err *err)
{
    struct reading *r = arg;
    char origin[PATH_MAX + 16];
    struct kit_err why;

    r->line = in->line;
    if (r->skip || (r->at && r->at->broken))
        return 0;
    (void)kit_str_format(origin, sizeof(origin), "%s:%u", r->name, in->line);
    if (!r->at)
        return kit_err_set(err, KIT_ERR_CONFIG, "%s: '%.64s' stands before the first [section]",
                           origin, in->name);
    if (check_list_line(r, in, origin, &why) == 0 &&
        (in->continued ? continue_entry : put_entry)(r, in, origin, &why) == 0)
        return 0;
    if (r->at == &r->conf->defaults) {
        *err = why;
        return -1;
    }
    break_section(r->conf, r->at, &why);
    return 0;
}

/* The sections behind the line where the parser gave up: they are there, and are broken. */
static void note_rest(struct reading *r, const struct kit_err *why)
{
    const char *open, *line_end;

    while (take_line(r, &open, &line_end)) {
        while (open < line_end && (*open == ' ' || *open == '\t'))
            open++;
        const char *close = memchr(open, ']', (size_t)(line_end - open));
        if (r->text_line <= r->line || open == line_end || *open != '[' || !close)
            continue;
        char tag[64] = "", origin[PATH_MAX + 16];
        size_t tag_len = (size_t)(close - open) - 1;
        struct kit_err bad;
        memcpy(tag, open + 1, tag_len < sizeof(tag) ? tag_len : sizeof(tag) - 1);
        (void)kit_str_format(origin, sizeof(origin), "%s:%u", r->name, r->text_line);
        struct section *section =
            kit_conf_check_tag(tag, &bad) ? NULL : add_section(r->conf, tag, origin);
        if (section) {
            section->broken = true; /* noted once, with the file */
            section->why = *why;
        }
    }
}

int kit_conf_add_text(struct kit_conf *conf, enum kit_conf_kind kind, const char *name,
                      const char *text, size_t len_bytes, struct kit_err *err)
{
    struct reading r = {
        .conf = conf,
        .kind = kind,
        .name = name,
        .last = KIT_PARAM_NONE,
        .text = text,
        .end = text + len_bytes,
    };
    struct kit_err why;

    if (kit_ini_parse(text, len_bytes, name, on_entry, on_section, &r, &why) == 0)
        return 0;
    if (kind == KIT_CONF_MAIN) {
        *err = why;
        return -1;
    }
    if (r.at && !r.at->broken) {
        r.at->broken = true;
        r.at->why = why;
    }
    note_broken(conf, &why);
    note_rest(&r, &why);
    return 0;
}

/* ---- the directory --------------------------------------------------------------------------- */

static int join(char *path, size_t path_bytes, const char *dir, const char *name,
                struct kit_err *err)
{
    if (kit_str_format(path, path_bytes, "%s/%s", dir, name))
        return 0;
    return kit_err_set(err, KIT_ERR_CONFIG, "the path %.64s.../%s is too long", dir, name);
}

/* 0 there and fit to be trusted, 1 not there, -1 error. */
static int look_at_dir(const char *dir, struct kit_err *err)
{
    if (kit_file_check_dir(dir, err) == 0)
        return 0;
    return err->kind == KIT_ERR_NOT_FOUND ? 1 : -1;
}

static int load_file(struct kit_conf *conf, enum kit_conf_kind kind, const char *dir,
                     const char *name, struct kit_err *err)
{
    KIT_AUTO(kit_buf) text = KIT_BUF(KIT_CONF_FILE_BYTES);
    char path[PATH_MAX];

    if (join(path, sizeof(path), dir, name, err))
        return -1;
    if (kit_file_read(path, KIT_FILE_TRUSTED, &text, err) == 0)
        return kit_conf_add_text(conf, kind, path, text.data, text.len_bytes, err);
    if (kind == KIT_CONF_MAIN)
        return err->kind == KIT_ERR_NOT_FOUND ? 0 : -1;
    note_broken(conf, err);
    return 0;
}

static int load_resources(struct kit_conf *conf, const char *dir, struct kit_err *err)
{
    KIT_AUTO(kit_file_names) names = {0};
    char path[PATH_MAX];
    int there;

    if (join(path, sizeof(path), dir, "resources.d", err))
        return -1;
    there = look_at_dir(path, err);
    if (there != 0)
        return there < 0 ? -1 : 0;
    if (kit_file_list(path, ".conf", &names, err))
        return -1;
    for (size_t i = 0; i < names.count; i++)
        if (load_file(conf, KIT_CONF_RESOURCE, path, names.name[i], err))
            return -1;
    return 0;
}

int kit_conf_load(const char *dir, struct kit_conf **ret_conf, struct kit_err *err)
{
    struct kit_conf *conf = kit_conf_new();
    int there = look_at_dir(dir, err);

    conf->dir = kit_mem_strdup(dir);
    if (there < 0 || (there == 0 && (load_file(conf, KIT_CONF_MAIN, dir, "cloudvip.conf", err) ||
                                     load_resources(conf, dir, err)))) {
        kit_conf_free(conf);
        return kit_err_wrap(err, "configuration");
    }
    *ret_conf = conf;
    return 0;
}

size_t kit_conf_count(const struct kit_conf *conf)
{
    return conf->count;
}

const char *kit_conf_tag(const struct kit_conf *conf, size_t index)
{
    return conf->section[index].tag;
}

size_t kit_conf_broken_count(const struct kit_conf *conf)
{
    return conf->broken_count;
}

const struct kit_err *kit_conf_broken(const struct kit_conf *conf, size_t index)
{
    return &conf->broken[index];
}

/* ---- the settings of one resource ------------------------------------------------------------ */

static int say_no_such_tag(const struct kit_conf *conf, const char *tag, struct kit_err *err)
{
    /* As much as a message holds. */
    KIT_AUTO(kit_buf) tags = KIT_BUF(384);

    if (conf->broken_count > 0)
        return kit_err_set(err, KIT_ERR_CONFIG,
                           "%.64s: not found, and a file could not be used: %s", tag,
                           conf->broken[0].msg);
    for (size_t i = 0; i < conf->count; i++)
        (void)kit_buf_printf(&tags, "%s%s", i ? ", " : "", conf->section[i].tag);
    return kit_err_set(err, KIT_ERR_CONFIG, "no resource %.64s in %s; there %s%s%s", tag,
                       conf->dir ? conf->dir : "the configuration",
                       conf->count ? "are: " : "are none", tags.data, tags.overflow ? ", ..." : "");
}

static int put_section(struct kit_settings *s, const struct section *section, struct kit_err *err)
{
    for (int i = 0; i < KIT_PARAM_COUNT; i++) {
        const struct entry *entry = &section->entry[i];
        if (entry->value &&
            kit_settings_put(s, (enum kit_param)i, entry->value, entry->origin, err))
            return -1;
    }
    return 0;
}

static int put_overlay(struct kit_settings *s, const struct kit_overlay *overlay, size_t count,
                       struct kit_err *err)
{
    for (size_t i = 0; i < count; i++) {
        enum kit_param param = kit_param_by_name(overlay[i].key);
        if (param == KIT_PARAM_NONE)
            return set_unknown_key(err, overlay[i].origin, overlay[i].key);
        if (kit_settings_put(s, param, overlay[i].value, overlay[i].origin, err))
            return -1;
    }
    return 0;
}

int kit_conf_settings(const struct kit_conf *conf, const char *tag,
                      const struct kit_overlay *overlay, size_t overlay_count,
                      struct kit_settings *ret_settings, struct kit_err *err)
{
    const struct section *section = tag ? find(conf, tag) : NULL;
    struct kit_settings settings;

    if (tag && kit_conf_check_tag(tag, err))
        return -1;
    if (tag && !section && overlay_count == 0)
        return say_no_such_tag(conf, tag, err);
    if (section && section->broken) {
        *err = section->why;
        err->kind = KIT_ERR_CONFIG;
        return -1;
    }
    kit_settings_init(&settings, tag ? tag : "defaults"); /* no resource has that name */
    if (put_section(&settings, &conf->defaults, err) ||
        (section && put_section(&settings, section, err)) ||
        put_overlay(&settings, overlay, overlay_count, err)) {
        kit_settings_done(&settings);
        return -1;
    }
    *ret_settings = settings;
    return 0;
}
