/* kit/cloud/aws/profile.c - a reader of AWS's shared files. */
#include "kit/cloud/aws/profile.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "kit/base/secret.h"
#include "kit/base/str.h"
#include "kit/cloud/aws/env.h"
#include "kit/cloud/aws/words.h"
#include "kit/sys/file.h"
#include "kit/sys/hostid.h"

/* Hundreds of profiles with their session tokens. */
#define FILE_BYTES (1024u * 1024)

/* One value; a session token is some 1 KB. */
#define VALUE_BYTES (32u * 1024)

enum kind {
    PROFILE,
    SERVICES, /* [services x]; nested keys are kept as "ec2.endpoint_url" */
    OTHER,    /* [sso-session x], [preview] …: read past */
};

/* One key, or with key "" the mark that its section exists. */
struct entry {
    enum kind kind;
    char *section, *key;
    struct kit_secret value;
};

struct file {
    char path[PATH_MAX];
    struct entry *entry;
    size_t count, room;
};

struct aws_profiles {
    struct file credentials, config;
};

/* ---- reading one file ------------------------------------------------------------------------ */

struct reader {
    struct file *file;
    bool config; /* "[profile x]" there, "[x]" in the credentials file */
    unsigned line;
    enum kind kind;
    char *section;    /* NULL before the first one */
    size_t indent;    /* of the line that the last key stood on */
    bool in_value;    /* a deeper line continues it */
    char service[32]; /* of nested keys; "" outside */
};

static int wrong(const struct reader *r, struct kit_err *err, const char *why)
{
    return kit_err_set(err, KIT_ERR_CONFIG, "%s:%u: %s", r->file->path, r->line, why);
}

static struct entry *add_entry(struct reader *r, const char *key)
{
    struct file *file = r->file;

    if (file->count == file->room) {
        file->room = file->room ? 2 * file->room : 32;
        file->entry = kit_mem_grow(file->entry, file->room, sizeof(*file->entry));
    }
    struct entry *e = &file->entry[file->count++];
    *e = (struct entry){
        .kind = r->kind, .section = kit_mem_strdup(r->section), .key = kit_mem_strdup(key)};
    return e;
}

static void lower_case(char *text)
{
    for (; *text; text++)
        if (*text >= 'A' && *text <= 'Z')
            *text = (char)(*text - 'A' + 'a');
}

static void set_section(struct reader *r, enum kind kind, const char *name)
{
    free(r->section);
    r->section = kit_mem_strdup(name);
    r->kind = kind;
    r->in_value = false;
    r->service[0] = '\0';
    (void)add_entry(r, "");
}

/* "[…]", trimmed. */
static int take_section(struct reader *r, char *line, struct kit_err *err)
{
    char *end = strrchr(line, ']');
    struct aws_words words;

    if (!end || end == line + 1)
        return wrong(r, err, "a section without its ']' or without a name");
    *end = '\0';
    char *name = line + 1;
    if (!r->config || kit_str_eq(name, "default")) {
        set_section(r, PROFILE, name);
        return 0;
    }
    enum kind kind = OTHER;
    if (aws_words_split(name, &words)) {
        if (words.count == 2 && kit_str_eq(words.word[0], "profile"))
            kind = PROFILE;
        else if (words.count == 2 && kit_str_eq(words.word[0], "services"))
            kind = SERVICES;
        set_section(r, kind, kind == OTHER ? name : words.word[1]);
        aws_words_done(&words);
    } else {
        set_section(r, OTHER, name);
    }
    return 0;
}

/* Cuts "key = value" in two; NULL when there is no key. */
static char *cut(char *line, const char *delimiters)
{
    size_t len = strcspn(line, delimiters);

    if (line[len] == '\0')
        return NULL;
    line[len] = '\0';
    (void)kit_str_trim(line); /* the front is trimmed already: only the tail moves */
    return *line ? kit_str_trim(line + len + 1) : NULL;
}

static int take_key(struct reader *r, char *line, struct kit_err *err)
{
    char *value = cut(line, "=:");

    if (!value)
        return wrong(r, err, "neither [section] nor key = value");
    lower_case(line);
    r->in_value = true;
    r->service[0] = '\0';
    if (r->kind == SERVICES && !*value)
        (void)kit_str_copy(r->service, sizeof(r->service), line);
    kit_secret_set(&add_entry(r, line)->value, value);
    return 0;
}

/* A line that is deeper than its key: nested, or more of the value. */
static int continue_value(struct reader *r, char *line, struct kit_err *err)
{
    char key[80];

    if (r->service[0]) {
        char *value = cut(line, "=");
        if (!value)
            return wrong(r, err, "no key = value below a service");
        if (kit_str_format(key, sizeof(key), "%s.%s", r->service, line))
            kit_secret_set(&add_entry(r, key)->value, value);
        return 0;
    }
    struct entry *e = &r->file->entry[r->file->count - 1];
    KIT_AUTO(kit_buf) longer = KIT_BUF_SECRET(VALUE_BYTES);
    if (kit_buf_printf(&longer, "%s\n%s", e->value.text, line) != 0)
        return wrong(r, err, "the value is too long");
    kit_secret_set(&e->value, longer.data);
    return 0;
}

static int take_line(struct reader *r, char *raw, struct kit_err *err)
{
    size_t indent = strspn(raw, " \t\r\v\f");
    char *line = kit_str_trim(raw);

    if (!*line || *line == '#' || *line == ';')
        return 0;
    if (r->in_value && indent > r->indent)
        return continue_value(r, line, err);
    r->indent = indent;
    if (*line == '[')
        return take_section(r, line, err);
    if (!r->section)
        return wrong(r, err, "a key before the first [section]");
    return take_key(r, line, err);
}

static int parse(struct file *file, bool config, char *text, struct kit_err *err)
{
    struct reader r = {.file = file, .config = config};
    int rc = 0;

    if (kit_str_starts(text, "\xef\xbb\xbf")) /* the byte order mark of some editors */
        text += 3;
    for (char *line = text, *next; line && rc == 0; line = next) {
        next = strchr(line, '\n');
        if (next)
            *next++ = '\0';
        r.line++;
        rc = take_line(&r, line, err);
    }
    free(r.section);
    return rc;
}

/* ---- which files ----------------------------------------------------------------------------- */

/* "~/x" below the home directory; without one the path stays as it is, and the file missing. */
static int set_path(struct file *file, const char *path, struct kit_err *err)
{
    char home[PATH_MAX];
    bool fits;

    if (kit_str_starts(path, "~/") && kit_hostid_home(home, sizeof(home)))
        fits = kit_str_format(file->path, sizeof(file->path), "%s%s", home, path + 1);
    else
        fits = kit_str_copy(file->path, sizeof(file->path), path);
    return fits ? 0 : kit_err_set(err, KIT_ERR_CONFIG, "a path of AWS's shared files is too long");
}

static int load(struct file *file, bool config, bool must_exist, struct kit_err *err)
{
    KIT_AUTO(kit_buf) text = KIT_BUF_SECRET(FILE_BYTES);

    if (kit_file_read(file->path, KIT_FILE_TRUSTED, &text, err) != 0) {
        if (err->kind != KIT_ERR_NOT_FOUND)
            return -1;
        if (!must_exist)
            return 0;
        err->kind = KIT_ERR_CONFIG;
        return kit_err_wrap(err, "credentials_file");
    }
    if (text.len_bytes == 0)
        return 0;
    return parse(file, config, text.data, err);
}

int aws_profiles_load(const struct kit_settings *settings, struct aws_profiles **ret_profiles,
                      struct kit_err *err)
{
    struct aws_profiles *p = kit_mem_new(1, sizeof(*p));
    const char *parameter = kit_settings_text(settings, KIT_PARAM_CREDENTIALS_FILE);
    const char *credentials = parameter ? parameter : aws_env("AWS_SHARED_CREDENTIALS_FILE");
    const char *config = aws_env("AWS_CONFIG_FILE");

    if (set_path(&p->credentials, credentials ? credentials : "~/.aws/credentials", err) != 0 ||
        set_path(&p->config, config ? config : "~/.aws/config", err) != 0 ||
        load(&p->credentials, false, parameter != NULL, err) != 0 ||
        load(&p->config, true, false, err) != 0) {
        aws_profiles_free(p);
        return -1;
    }
    *ret_profiles = p;
    return 0;
}

static void free_file(struct file *file)
{
    for (size_t i = 0; i < file->count; i++) {
        free(file->entry[i].section);
        free(file->entry[i].key);
        kit_secret_done(&file->entry[i].value);
    }
    free(file->entry);
}

void aws_profiles_free(struct aws_profiles *profiles)
{
    if (!profiles)
        return;
    free_file(&profiles->credentials);
    free_file(&profiles->config);
    free(profiles);
}

/* ---- asking ---------------------------------------------------------------------------------- */

const char *aws_profiles_chosen(const struct kit_settings *settings, bool *ret_named)
{
    const char *name = kit_settings_text(settings, KIT_PARAM_PROFILE);

    if (!name)
        name = aws_env("AWS_PROFILE");
    if (!name)
        name = aws_env("AWS_DEFAULT_PROFILE");
    if (ret_named)
        *ret_named = name != NULL;
    return name ? name : "default";
}

/* The last one counts. */
static const struct entry *find(const struct file *file, enum kind kind, const char *section,
                                const char *key)
{
    for (size_t i = file->count; i > 0; i--) {
        const struct entry *e = &file->entry[i - 1];
        if (e->kind == kind && kit_str_eq(e->section, section) && kit_str_eq(e->key, key))
            return e;
    }
    return NULL;
}

bool aws_profiles_has(const struct aws_profiles *p, const char *profile)
{
    return find(&p->credentials, PROFILE, profile, "") || find(&p->config, PROFILE, profile, "");
}

const char *aws_profiles_get_in(const struct aws_profiles *p, bool credentials_file,
                                const char *profile, const char *key)
{
    const struct entry *e =
        find(credentials_file ? &p->credentials : &p->config, PROFILE, profile, key);

    return e ? e->value.text : NULL;
}

const char *aws_profiles_get(const struct aws_profiles *p, const char *profile, const char *key,
                             const char **ret_from)
{
    bool in_credentials = true;
    const char *value = aws_profiles_get_in(p, true, profile, key);

    if (!value) {
        in_credentials = false;
        value = aws_profiles_get_in(p, false, profile, key);
    }
    if (value && ret_from)
        *ret_from = aws_profiles_path(p, in_credentials);
    return value;
}

const char *aws_profiles_service_endpoint(const struct aws_profiles *p, const char *profile,
                                          const char *service)
{
    const char *section = aws_profiles_get(p, profile, "services", NULL);
    const struct entry *e;
    char key[80];

    if (!section || !kit_str_format(key, sizeof(key), "%s.endpoint_url", service))
        return NULL;
    e = find(&p->config, SERVICES, section, key);
    return e ? e->value.text : NULL;
}

const char *aws_profiles_path(const struct aws_profiles *p, bool credentials_file)
{
    return credentials_file ? p->credentials.path : p->config.path;
}
