#include "actions/hooks.h"

#include <stdlib.h>
#include <string.h>

#include "kit/base/str.h"
#include "kit/sys/file.h"

#ifndef CLOUDVIP_DATADIR
#define CLOUDVIP_DATADIR "/usr/share/cloudvip"
#endif
#define SHIPPED_LIB_DIR CLOUDVIP_DATADIR "/hooks/lib"

/* clang-format off */
const struct act_point act_points[] = {
    {"pre_restore", "before restore asks or changes anything", "false and a reason: refuse"},
    {"post_restore", "after restore, however it ended", "nothing"},
    {"pre_remove", "before remove asks or changes anything", "false and a reason: refuse"},
    {"post_remove", "after remove, however it ended", "nothing"},
    {"post_check", "after quickCheck, however it ended", "nothing"},
    {"pre_recover", "before recover asks or changes anything", "false and a reason: refuse"},
    {"post_recover", "after recover, however it ended", "nothing"},
    {"on_unknown", "when quickCheck could not ask", "\"ok\" or \"fail\": what to make of it"},
    {"choose_tables", "when the route tables with the address were found", "a list of those that are meant"},
};
/* clang-format on */
const size_t act_points_count = KIT_LEN(act_points);

const struct act_point *act_point_find(const char *name)
{
    for (size_t i = 0; i < KIT_LEN(act_points); i++)
        if (kit_str_eq(act_points[i].name, name))
            return &act_points[i];
    return NULL;
}

/* ---- the files ------------------------------------------------------------------------------- */

static char *join(const char *dir, const char *name)
{
    KIT_AUTO(kit_buf) path = KIT_BUF(8192);

    (void)kit_buf_printf(&path, "%s/%s", dir, name);
    return kit_buf_take(&path);
}

void act_hook_file_read(const struct act_hooks *hooks, const char *path,
                        struct act_hook_file *ret_file)
{
    const char *slash = strrchr(path, '/');
    struct act_hook_file file = {.text = KIT_BUF(KLUA_SOURCE_BYTES)};
    struct kit_err err;

    file.name = kit_mem_strdup(slash ? slash + 1 : path);
    file.path = kit_mem_strdup(path);
    file.usable = !kit_file_read(path, KIT_FILE_TRUSTED, &file.text, &file.why);
    if (file.usable && hooks->distrusted) {
        file.usable = false;
        file.why = hooks->why;
    }
    /* It is not run; but of which points it speaks says what it would have had a say in. */
    if (!file.usable && file.text.len_bytes == 0 &&
        kit_file_read(path, KIT_FILE_ANY, &file.text, &err))
        kit_buf_reset(&file.text);
    *ret_file = file;
}

void act_hook_file_done(struct act_hook_file *file)
{
    free(file->name);
    free(file->path);
    kit_buf_done(&file->text);
    *file = (struct act_hook_file){.text = KIT_BUF(0)};
}

static void grant(struct act_hooks *hooks, const char *dir)
{
    const struct kit_settings *s = hooks->settings;

    hooks->own_lib_dir = join(dir, "lib");
    hooks->lib_dirs[0] = hooks->own_lib_dir;
    hooks->lib_dirs[1] = SHIPPED_LIB_DIR;
    hooks->grants = (struct klua_grants){.hosts = kit_settings_list(s, KIT_PARAM_HOOK_HOSTS),
                                         .programs = kit_settings_list(s, KIT_PARAM_HOOK_PROGRAMS),
                                         .env = kit_settings_list(s, KIT_PARAM_HOOK_ENV),
                                         .ca_file = kit_settings_text(s, KIT_PARAM_CA_FILE),
                                         .proxy = kit_settings_text(s, KIT_PARAM_PROXY),
                                         .lib_dirs = hooks->lib_dirs};
}

/* A directory that the settings name has to be there: its hooks may be guards. */
static int list_files(const struct kit_settings *settings, const char *dir,
                      struct kit_file_names *ret_names, struct kit_err *err)
{
    if (kit_file_list(dir, ".lua", ret_names, err))
        return -1;
    if (ret_names->count || !settings->v[KIT_PARAM_HOOK_DIR].given)
        return 0;
    return kit_file_check_dir(dir, err) && err->kind == KIT_ERR_NOT_FOUND ? -1 : 0;
}

void act_hooks_open(struct act_hooks *hooks, const struct kit_settings *settings)
{
    const char *dir = kit_settings_text(settings, KIT_PARAM_HOOK_DIR);
    KIT_AUTO(kit_file_names) names = {0};

    *hooks = (struct act_hooks){.settings = settings};
    grant(hooks, dir);
    if (list_files(settings, dir, &names, &hooks->err)) {
        hooks->failed = true;
        (void)kit_err_wrap(&hooks->err, "hook_dir");
        return;
    }
    if (!names.count)
        return;
    hooks->distrusted = kit_file_check_dir(dir, &hooks->why) != 0;
    hooks->file = kit_mem_new(names.count, sizeof(*hooks->file));
    for (size_t i = 0; i < names.count; i++) {
        KIT_AUTOFREE char *path = join(dir, names.name[i]);

        act_hook_file_read(hooks, path, &hooks->file[hooks->count++]);
    }
}

void act_hooks_done(struct act_hooks *hooks)
{
    for (size_t i = 0; i < hooks->count; i++)
        act_hook_file_done(&hooks->file[i]);
    free(hooks->file);
    free(hooks->own_lib_dir);
    *hooks = (struct act_hooks){0};
}

bool act_hook_is_blind(const struct act_hook_file *file)
{
    return !file->usable && !file->text.len_bytes;
}

bool act_hook_mentions(const struct act_hook_file *file, const char *point)
{
    return memmem(file->text.data, file->text.len_bytes, point, strlen(point)) != NULL;
}

size_t act_hooks_count(const struct act_hooks *hooks, const char *point)
{
    size_t count = 0;

    for (size_t i = 0; i < hooks->count; i++)
        count += act_hook_mentions(&hooks->file[i], point);
    return count;
}

/* ---- one run --------------------------------------------------------------------------------- */

static void pass_on_lines(const struct act_hook_call *call, const struct act_hook_file *file,
                          const struct klua_answer *answer)
{
    static const enum act_message messages[] = {
        [KLUA_INFO] = ACT_HOOK_INFO, [KLUA_WARN] = ACT_HOOK_WARN, [KLUA_ERROR] = ACT_HOOK_ERROR};

    for (size_t i = 0; i < answer->lines && call->log; i++)
        act_log(call->log, messages[answer->line[i].level], "%s: %s", file->name,
                answer->line[i].text);
    if (answer->dropped && call->log)
        act_log(call->log, ACT_HOOK_WARN, "%s: %u further lines were dropped", file->name,
                answer->dropped);
}

int act_hook_run(const struct act_hook_call *call, const struct act_hook_file *file,
                 struct klua_answer *answer, struct kit_err *err)
{
    int64_t limit_ms = 1000 * kit_settings_number(call->hooks->settings, KIT_PARAM_HOOK_TIMEOUT);
    int64_t left_ms = kit_deadline_left_ms(call->clock, call->by);
    const struct klua_job job = {.name = file->name,
                                 .source = file->text.data,
                                 .source_bytes = file->text.len_bytes,
                                 .point = call->point,
                                 .facts = call->facts->data,
                                 .facts_bytes = call->facts->len_bytes,
                                 .grants = &call->hooks->grants,
                                 .clock = call->clock,
                                 .time_ms = left_ms < limit_ms ? left_ms : limit_ms,
                                 .heap_bytes = KLUA_HEAP_BYTES};
    int rc;

    memset(answer, 0, sizeof(*answer));
    if (!file->usable) {
        *err = file->why;
        err->kind = KIT_ERR_HOOK;
        return -1;
    }
    if (left_ms <= 0)
        return kit_err_set(err, KIT_ERR_HOOK, "%s: %s: no time is left for it", file->name,
                           call->point);
    if (kit_buf_check(call->facts, "the facts", err)) {
        err->kind = KIT_ERR_HOOK;
        return kit_err_wrap(err, "%s: %s", file->name, call->point);
    }
    rc = klua_run(&job, answer, err);
    pass_on_lines(call, file, answer);
    return rc;
}

int act_hook_verdict(const struct act_hook_file *file, const char *point,
                     const struct klua_answer *answer, struct kit_err *err)
{
    bool go = true;

    if (kit_json_type(answer->value) != KIT_JSON_NULL &&
        kit_json_type(answer->value) != KIT_JSON_BOOL)
        return kit_err_set(err, KIT_ERR_HOOK,
                           "%s: %s: it returned something else than true, false or nothing",
                           file->name, point);
    (void)kit_json_bool(answer->value, &go);
    if (go)
        return 0;
    (void)kit_err_set(err, KIT_ERR_HOOK, "%s: %s refuses: %s", file->name, point,
                      answer->why[0] ? answer->why : "no reason given");
    return 1;
}

int act_hook_opinion(const struct act_hook_file *file, const char *point,
                     const struct klua_answer *answer, bool *ret_fail, struct kit_err *err)
{
    const char *word = kit_json_string(answer->value);

    if (!answer->value)
        return 0;
    if (!kit_str_eq(word, "ok") && !kit_str_eq(word, "fail"))
        return kit_err_set(err, KIT_ERR_HOOK,
                           "%s: %s: it returned something else than \"ok\", \"fail\" or nothing",
                           file->name, point);
    *ret_fail = kit_str_eq(word, "fail");
    return 1;
}
