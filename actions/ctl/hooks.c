#include "actions/ctl/hooks.h"

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "kit/base/str.h"

static const struct kit_op_param list_params[] = {
    {"tag", KIT_OP_TEXT, NULL, false, false, "the hooks of this resource; default: of all"},
};

static int usage(FILE *out)
{
    (void)fputs(
        "usage: cloudvip hooks list [--tag TAG] [--json]\n"
        "       cloudvip hooks test NAME [--point POINT] [--tag TAG] [--live] [--json]\n\n"
        "list   the hooks that would run, in their order: owner, mode, points\n"
        "test   runs one hook under its limits, and shows what it says and costs.  NAME is a "
        "file\n"
        "       of hook_dir, or a path.  Its facts are made up, or with --live those of TAG.  "
        "What\n"
        "       the hook reaches, it reaches: a webhook is called, a program is run.\n\n"
        "Points:\n",
        out);
    for (size_t i = 0; i < act_points_count; i++)
        (void)fprintf(out, "  %-14s %s; may return %s\n", act_points[i].name, act_points[i].when,
                      act_points[i].returns);
    return out == stdout ? CTL_RIGHT : CTL_USAGE;
}

/* ---- what both verbs need -------------------------------------------------------------------- */

int ctl_hooks_settings(const struct ctl *ctl, const char *tag, struct kit_settings *ret_settings,
                       struct kit_err *err)
{
    struct kit_conf *conf;
    int rc;

    if (kit_conf_load(act_confdir(ctl->confdir), &conf, err))
        return -1;
    rc = kit_conf_settings(conf, tag, NULL, 0, ret_settings, err);
    kit_conf_free(conf);
    return rc;
}

int ctl_hooks_ask_names(const struct ctl *ctl, const struct act_hooks *hooks,
                        const struct act_hook_file *file, struct klua_answer *answer,
                        struct kit_err *err)
{
    static const char no_facts[] = "{}";
    const struct klua_job job = {
        .name = file->name,
        .source = file->text.data,
        .source_bytes = file->text.len_bytes,
        .facts = no_facts,
        .facts_bytes = sizeof(no_facts) - 1,
        .grants = &hooks->grants,
        .clock = ctl->clock,
        .time_ms = 1000 * kit_settings_number(hooks->settings, KIT_PARAM_HOOK_TIMEOUT),
        .heap_bytes = KLUA_HEAP_BYTES};

    memset(answer, 0, sizeof(*answer));
    if (file->usable)
        return klua_run(&job, answer, err);
    *err = file->why;
    return -1;
}

bool ctl_hooks_has(const struct klua_answer *answer, const char *name)
{
    for (size_t i = 0; i < kit_json_count(answer->names); i++)
        if (kit_str_eq(kit_json_string(kit_json_at(answer->names, i)), name))
            return true;
    return false;
}

/* ---- list ------------------------------------------------------------------------------------ */

struct listing {
    const struct ctl *ctl;
    struct kit_json_writer *json; /* NULL: a table */
    char **dir;                   /* that were shown, NULL-terminated */
    size_t dirs;
    enum ctl_status status;
};

/* "root 0644", or "?" when it is gone meanwhile. */
static void describe_owner(const char *path, struct kit_buf *owner, char mode[8])
{
    const struct passwd *pw;
    struct stat st;

    (void)kit_str_copy(mode, 8, "?");
    if (stat(path, &st)) {
        (void)kit_buf_puts(owner, "?");
        return;
    }
    pw = getpwuid(st.st_uid);
    if (pw)
        (void)kit_buf_puts(owner, pw->pw_name);
    else
        (void)kit_buf_printf(owner, "%u", (unsigned)st.st_uid);
    (void)kit_str_format(mode, 8, "%04o", (unsigned)(st.st_mode & 07777));
}

/* The points that the file defines, in the contract's order, and what it defines beside them. */
static void split_names(const struct klua_answer *answer, struct kit_buf *points,
                        struct kit_buf *others)
{
    for (size_t i = 0; i < act_points_count; i++)
        if (ctl_hooks_has(answer, act_points[i].name))
            (void)kit_buf_printf(points, "%s%s", points->len_bytes ? " " : "", act_points[i].name);
    for (size_t i = 0; i < kit_json_count(answer->names); i++) {
        const char *name = kit_json_string(kit_json_at(answer->names, i));

        if (name && !act_point_find(name))
            (void)kit_buf_printf(others, "%s%s", others->len_bytes ? " " : "", name);
    }
    kit_str_make_printable(others->data);
}

static void put_words(struct kit_json_writer *w, const char *key, const char *words)
{
    const char *word;
    size_t len;

    kit_json_open(w, key, '[');
    while (kit_str_word(&words, " ", &word, &len))
        kit_json_put_bytes(w, NULL, word, len);
    kit_json_close(w);
}

static void show_file(struct listing *l, const struct act_hooks *hooks,
                      const struct act_hook_file *file)
{
    KIT_AUTO(kit_buf) owner = KIT_BUF(64);
    KIT_AUTO(kit_buf) points = KIT_BUF(1024);
    KIT_AUTO(kit_buf) others = KIT_BUF(1024);
    KIT_AUTO(klua_answer) answer = {.lines = 0};
    struct kit_err err;
    bool failed = ctl_hooks_ask_names(l->ctl, hooks, file, &answer, &err) != 0;
    char mode[8], name[256];

    describe_owner(file->path, &owner, mode);
    split_names(&answer, &points, &others);
    if (failed || others.len_bytes)
        l->status = CTL_CONFIG;
    if (l->json) {
        kit_json_open(l->json, NULL, '{');
        kit_json_put_string(l->json, "file", file->name);
        kit_json_put_string(l->json, "path", file->path);
        kit_json_put_string(l->json, "owner", owner.data);
        kit_json_put_string(l->json, "mode", mode);
        kit_json_put_bool(l->json, "runs", !failed);
        put_words(l->json, "points", points.data);
        put_words(l->json, "unknown", others.data);
        kit_json_put_string(l->json, "error", failed ? err.msg : NULL);
        kit_json_close(l->json);
        return;
    }
    (void)kit_str_copy(name, sizeof(name), file->name);
    kit_str_make_printable(name); /* whoever may write to a directory names its files */
    (void)printf("  %-24s %-8s %-4s  %s%s%s\n", name, owner.data, mode, failed ? "NOT RUN: " : "",
                 failed ? err.msg : points.data,
                 !failed && !points.len_bytes ? "defines no point" : "");
    if (others.len_bytes)
        (void)printf("  %-24s %-13s  no such point: %s\n", "", "", others.data);
}

static void show_dir(struct listing *l, const struct kit_settings *settings)
{
    const char *dir = kit_settings_text(settings, KIT_PARAM_HOOK_DIR);
    struct act_hooks hooks;

    for (size_t i = 0; i < l->dirs; i++)
        if (kit_str_eq(l->dir[i], dir))
            return;
    l->dir[l->dirs++] = kit_mem_strdup(dir);
    act_hooks_open(&hooks, settings);
    if (l->json) {
        kit_json_open(l->json, NULL, '{');
        kit_json_put_string(l->json, "hook_dir", dir);
        kit_json_put_string(l->json, "error", hooks.failed ? hooks.err.msg : NULL);
        kit_json_open(l->json, "files", '[');
    } else {
        (void)printf("%s:%s\n", dir, hooks.failed || hooks.count ? "" : " no hooks");
    }
    if (hooks.failed) {
        l->status = CTL_CONFIG;
        ctl_complain(NULL, &hooks.err);
    }
    for (size_t i = 0; i < hooks.count; i++)
        show_file(l, &hooks, &hooks.file[i]);
    if (l->json) {
        kit_json_close(l->json);
        kit_json_close(l->json);
    }
    act_hooks_done(&hooks);
}

/* hook_dir is a parameter of a resource: resources may have different ones. */
static int show_dirs(struct listing *l, const struct kit_conf *conf, const char *tag,
                     struct kit_err *err)
{
    struct kit_settings settings;

    if (tag || !kit_conf_count(conf)) {
        if (kit_conf_settings(conf, tag, NULL, 0, &settings, err))
            return -1;
        show_dir(l, &settings);
        kit_settings_done(&settings);
        return 0;
    }
    for (size_t i = 0; i < kit_conf_count(conf); i++) {
        if (kit_conf_settings(conf, kit_conf_tag(conf, i), NULL, 0, &settings, err)) {
            ctl_complain(kit_conf_tag(conf, i), err);
            l->status = ctl_worse(l->status, CTL_CONFIG);
            continue;
        }
        show_dir(l, &settings);
        kit_settings_done(&settings);
    }
    return 0;
}

static int list(struct ctl *ctl, const char *tag)
{
    KIT_AUTO(kit_buf) text = KIT_BUF(4u * 1024 * 1024);
    struct kit_json_writer w = {.out = &text, .pretty = true};
    struct listing l = {.ctl = ctl, .json = ctl->json ? &w : NULL, .status = CTL_RIGHT};
    struct kit_conf *conf;
    struct kit_err err;
    int rc;

    if (kit_conf_load(act_confdir(ctl->confdir), &conf, &err))
        return (int)ctl_fail(ctl, &err);
    l.dir = kit_mem_new(kit_conf_count(conf) + 2, sizeof(*l.dir));
    kit_json_open(&w, NULL, '{');
    kit_json_open(&w, "dirs", '[');
    rc = show_dirs(&l, conf, tag, &err);
    kit_json_close(&w);
    kit_json_put_int(&w, "status", l.status);
    kit_json_close(&w);
    for (size_t i = 0; i < l.dirs; i++)
        free(l.dir[i]);
    free(l.dir);
    kit_conf_free(conf);
    if (rc)
        return (int)ctl_fail(ctl, &err);
    if (ctl->json)
        (void)puts(text.data);
    return (int)l.status;
}

/* ---- the command ----------------------------------------------------------------------------- */

int ctl_hooks(struct ctl *ctl)
{
    struct kit_op_value value[KIT_LEN(list_params)] = {{.text = NULL}};
    const struct kit_op_table table = {list_params, KIT_LEN(list_params), value};
    struct kit_err err;
    int status;

    for (size_t i = 0; i < ctl->tags; i++)
        if (kit_str_eq(ctl->tag[i], "--help"))
            return usage(stdout);
    if (ctl->tags && kit_str_eq(ctl->tag[0], "test"))
        return ctl_hooks_test(ctl, ctl->tag + 1, ctl->tags - 1);
    if (!ctl->tags || !kit_str_eq(ctl->tag[0], "list"))
        return usage(stderr);
    if (kit_op_parse(&table, 1, ctl->tag + 1, ctl->tags - 1, KIT_OP_WHOLE, &err)) {
        (void)kit_err_wrap(&err, "hooks list");
        status = (int)ctl_fail(ctl, &err);
    } else {
        status = list(ctl, value[0].text);
    }
    kit_op_values_done(value, KIT_LEN(list_params));
    return status;
}
