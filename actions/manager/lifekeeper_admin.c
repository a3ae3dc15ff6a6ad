/* actions/manager/lifekeeper_admin.c - what LifeKeeper's administration calls. */
#include "actions/manager/lifekeeper_admin.h"

#include <stdlib.h>
#include <string.h>

#include "actions/manager/lcdi.h"
#include "actions/manager/lifekeeper.h"
#include "actions/validate.h"
#include "kit/base/str.h"
#include "kit/conf/check.h"

/* What one of LifeKeeper's commands prints, and how long it may take (REMOTETIMEOUT's default). */
#define OUTPUT_BYTES (64u * 1024)
#define COMMAND_MS   900000

/* Lowest number first; the first server of a hierarchy has 1. */
#define FIRST_PRIORITY     "1"
#define DEFAULT_PRIORITY   "10"
#define DEFAULT_SWITCHBACK "INTELLIGENT"

struct admin {
    const char *verb;
    const char *tag, *id, *switchback, *priority;
    const char *system; /* the other server: canextend, extend */
    const char *there;  /* its tag */
    bool out_of_service;
    struct kit_buf info;
    const char *argv0;
    struct act_log log;
};

/* ---- LifeKeeper's commands ------------------------------------------------------------------- */

static int fail(const struct admin *a, const struct kit_err *err)
{
    act_log_err(&a->log, ACT_ADMIN_FAILED, err);
    return -1;
}

static int ask(const struct admin *a, const char *const argv[], struct kit_buf *output,
               int *ret_status)
{
    struct kit_err err;

    if (!act_lcdi_run(argv, &kit_clock_real, kit_deadline_in_ms(&kit_clock_real, COMMAND_MS),
                      output, ret_status, &err))
        return 0;
    return fail(a, &err);
}

/* One change; `fine` is a status that has the same end as 0. */
static int change(const struct admin *a, const char *const argv[], int fine)
{
    KIT_AUTO(kit_buf) output = KIT_BUF(OUTPUT_BYTES);
    int status;

    if (ask(a, argv, &output, &status))
        return -1;
    if (status == 0 || status == fine)
        return 0;
    act_log(&a->log, ACT_ADMIN_FAILED, "%s ended with status %d: %s", argv[0], status,
            act_lcdi_meaning(status));
    return -1;
}

/* What ins_list prints: nothing where there is none, and then its status is 0 or 7. */
static int list(const struct admin *a, const char *const argv[], struct kit_buf *output)
{
    int status;

    if (ask(a, argv, output, &status))
        return -1;
    if (status == 0 || status == ACT_LCDI_NOT_THERE)
        return 0;
    act_log(&a->log, ACT_ADMIN_FAILED, "%s ended with status %d: %s", argv[0], status,
            act_lcdi_meaning(status));
    return -1;
}

/* An action of ours through LifeKeeper, which keeps the state: that takes as long as it takes. */
static int perform(const struct admin *a, const char *action)
{
    const char *const argv[] = {"perform_action", "-t", a->tag, "-a", action, NULL};
    struct kit_err err;
    int status;

    if (act_lcdi_hand_over(argv, &kit_clock_real, kit_deadline_in_ms(&kit_clock_real, COMMAND_MS),
                           &status, &err))
        return fail(a, &err);
    if (status == 0)
        return 0;
    act_log(&a->log, ACT_ADMIN_FAILED, "perform_action -a %s ended with status %d", action, status);
    return -1;
}

/* A field of the instance on `system` (NULL: here); empty when there is no such instance. */
static int read_field(const struct admin *a, const char *system, const char *tag,
                      enum act_lcdi_field field, struct kit_buf *ret_field)
{
    const char *const here[] = {"ins_list", "-t", tag, NULL};
    const char *const there[] = {"ins_list", "-d", system, "-t", tag, NULL};
    KIT_AUTO(kit_buf) output = KIT_BUF(OUTPUT_BYTES);
    struct kit_err err;

    if (list(a, system ? there : here, &output))
        return -1;
    if (act_lcdi_field(output.data, output.len_bytes, tag, field, ret_field, &err))
        return fail(a, &err);
    return 0;
}

/* 1 ours, 0 none, -1 another one's, or it cannot be told. */
static int find_instance(const struct admin *a, const char *system, const char *tag)
{
    KIT_AUTO(kit_buf) type = KIT_BUF(256);

    if (read_field(a, system, tag, ACT_LCDI_RESTYPE, &type))
        return -1;
    if (type.len_bytes == 0)
        return 0;
    if (kit_str_eq(type.data, ACT_LCDI_TYPE))
        return 1;
    act_log(&a->log, ACT_ADMIN_FAILED, "the tag %s belongs to a resource of the type %s", tag,
            type.data);
    return -1;
}

/* ---- would it do? ---------------------------------------------------------------------------- */

static const char *given_info;

/* The words that are to be the info field, where LifeKeeper has none yet. */
static int overlay_of_words(const struct act_call *call, const struct kit_clock *clock,
                            struct kit_deadline by, struct kit_overlay **ret_overlay,
                            size_t *ret_count, struct kit_err *err)
{
    (void)call;
    (void)clock;
    (void)by;
    return kit_conf_parse_words(given_info, "info field", ret_overlay, ret_count, err);
}

static int validate(const struct admin *a)
{
    const struct act_spec spec = ACT_VALIDATE_SPEC(a->verb);
    struct act_manager manager = act_manager_lifekeeper;
    const struct act_args args = {.tag = a->tag, .argv0 = a->argv0, .manager = &manager};
    struct act act;
    enum act_outcome outcome;

    manager.overlay = overlay_of_words;
    given_info = a->info.data;
    act_init(&act, &spec, &args);
    outcome = act_validate(&act, ACT_VALIDATE_CLOUD); /* logs what is wrong */
    act_done(&act);
    return outcome == ACT_OUT_RIGHT ? 0 : -1;
}

/* ---- the words ------------------------------------------------------------------------------- */

static int undo(const struct admin *a)
{
    const char *const argv[] = {"ins_remove", "-t", a->tag, NULL};

    (void)change(a, argv, ACT_LCDI_NOT_THERE);
    return -1;
}

static int make_instance(const struct admin *a)
{
    const char *argv[] = {"ins_create",  "-a", ACT_LCDI_APP,  "-r", ACT_LCDI_TYPE, "-I",
                          "AUTORES_ISP", "-s", a->switchback, "-t", a->tag,        "-i",
                          a->id,         NULL, NULL,          NULL};

    if (a->info.len_bytes > 0) {
        argv[KIT_LEN(argv) - 3] = "-v";
        argv[KIT_LEN(argv) - 2] = a->info.data;
    }
    return change(a, argv, 0);
}

static int create(struct admin *a)
{
    int there = find_instance(a, NULL, a->tag);

    if (there < 0)
        return -1;
    if (there > 0) {
        act_log(&a->log, ACT_ADMIN_FAILED, "there is a resource %s already", a->tag);
        return -1;
    }
    if (validate(a) || make_instance(a))
        return -1;
    if (!a->out_of_service && perform(a, "restore"))
        return undo(a);
    act_log(&a->log, ACT_ADMIN_DONE, "the resource is made%s",
            a->out_of_service ? "" : " and in service");
    return 0;
}

/* The instance that is to be extended: its info field, and its id where none was given. */
static int read_template(struct admin *a, struct kit_buf *id)
{
    int there = find_instance(a, a->system, a->there);

    if (there == 0)
        act_log(&a->log, ACT_ADMIN_FAILED, "%s has no resource %s", a->system, a->there);
    if (there <= 0 || read_field(a, a->system, a->there, ACT_LCDI_INFO, &a->info) ||
        read_field(a, a->system, a->there, ACT_LCDI_ID, id))
        return -1;
    return 0;
}

static int canextend(struct admin *a)
{
    KIT_AUTO(kit_buf) id = KIT_BUF(256);

    if (read_template(a, &id) || find_instance(a, NULL, a->tag) < 0 || validate(a))
        return -1;
    act_log(&a->log, ACT_ADMIN_DONE, "it can be extended to this server");
    return 0;
}

/* Both servers know that they may have it, and in which order they are asked. */
static int make_equivalency(const struct admin *a, const char *us)
{
    const char *const ours[] = {"eqv_create", "-t", a->tag,         "-p", a->priority, "-S",
                                a->system,    "-r", FIRST_PRIORITY, "-o", a->there,    "-e",
                                "SHARED",     NULL};
    const char *const theirs[] = {"eqv_create",   "-d", a->system, "-t", a->there,    "-p",
                                  FIRST_PRIORITY, "-S", us,        "-r", a->priority, "-o",
                                  a->tag,         "-e", "SHARED",  NULL};

    return change(a, ours, ACT_LCDI_EXISTS) || change(a, theirs, ACT_LCDI_EXISTS) ? -1 : 0;
}

static int our_name(const struct admin *a, struct kit_buf *ret_name)
{
    const char *const argv[] = {"lcduname", NULL};
    int status;

    if (ask(a, argv, ret_name, &status))
        return -1;
    kit_buf_cut(ret_name, strcspn(ret_name->data, " \t\r\n"));
    if (status == 0 && ret_name->len_bytes > 0)
        return 0;
    act_log(&a->log, ACT_ADMIN_FAILED, "lcduname does not tell this server's name");
    return -1;
}

static int extend(struct admin *a)
{
    const char *const state[] = {"ins_setstate", "-t", a->tag, "-S", "OSU", NULL};
    KIT_AUTO(kit_buf) id = KIT_BUF(256);
    KIT_AUTO(kit_buf) us = KIT_BUF(256);
    int there;

    if (read_template(a, &id) || our_name(a, &us))
        return -1;
    if (!a->id)
        a->id = id.data;
    there = find_instance(a, NULL, a->tag);
    if (there < 0)
        return -1;
    if (there == 0) {
        if (validate(a) || make_instance(a))
            return -1;
        if (change(a, state, 0))
            return undo(a);
    }
    if (make_equivalency(a, us.data))
        return there == 0 ? undo(a) : -1;
    act_log(&a->log, ACT_ADMIN_DONE, "extended from %s", a->system);
    return 0;
}

static int forget(struct admin *a)
{
    struct kit_err err;

    /* It must not keep LifeKeeper from removing the instance. */
    if (kit_record_forget(a->tag, &err))
        act_log_err(&a->log, ACT_RECORD, &err);
    return 0;
}

static int delete (struct admin *a)
{
    const char *const argv[] = {"ins_remove", "-t", a->tag, NULL};
    int there = find_instance(a, NULL, a->tag);

    if (there <= 0)
        return there;
    if (perform(a, "remove") || change(a, argv, ACT_LCDI_NOT_THERE))
        return -1;
    act_log(&a->log, ACT_ADMIN_DONE, "the resource is gone from this server");
    return 0;
}

/* Without LifeKeeper there is nothing to register with: it is installed later, or not at all. */
static bool is_installed(const struct admin *a)
{
    if (act_lcdi_has("typ_create"))
        return true;
    act_log(&a->log, ACT_ADMIN_DONE, "LifeKeeper is not installed below %s", act_lcdi_root());
    return false;
}

static int enrol(struct admin *a)
{
    const char *const app[] = {"app_create", "-a", ACT_LCDI_APP, NULL};
    const char *const type[] = {"typ_create", "-a", ACT_LCDI_APP, "-r", ACT_LCDI_TYPE, NULL};

    if (!is_installed(a))
        return 0;
    return change(a, app, ACT_LCDI_EXISTS) || change(a, type, ACT_LCDI_EXISTS) ? -1 : 0;
}

static int strike_off(struct admin *a)
{
    const char *const instances[] = {"ins_list", "-a", ACT_LCDI_APP, "-r", ACT_LCDI_TYPE, NULL};
    const char *const type[] = {"typ_remove", "-a", ACT_LCDI_APP, "-r", ACT_LCDI_TYPE, NULL};
    KIT_AUTO(kit_buf) output = KIT_BUF(OUTPUT_BYTES);

    if (!is_installed(a))
        return 0;
    if (list(a, instances, &output))
        return -1;
    if (output.data[strspn(output.data, " \n")] != '\0') {
        act_log(&a->log, ACT_ADMIN_FAILED,
                "there are resources of the type " ACT_LCDI_TYPE ": delete them first");
        return -1;
    }
    return change(a, type, ACT_LCDI_NOT_THERE);
}

/* ---- the command line ------------------------------------------------------------------------ */

static const struct verb {
    const char *name;
    int (*run)(struct admin *a);
    bool named;    /* -t TAG */
    bool template; /* SYSTEM TAG in front */
} verbs[] = {
    {"create", create, true, false},          {"canextend", canextend, false, true},
    {"extend", extend, false, true},          {"delete", delete, true, false},
    {"forget", forget, true, false},          {"register", enrol, false, false},
    {"unregister", strike_off, false, false},
};

/* One word of the info field, which is read as KEY=VALUE words later: here only what would break it
 * apart. */
static int add_word(struct admin *a, const char *word, struct kit_err *err)
{
    if (strchr(word, ' '))
        return kit_err_set(err, KIT_ERR_USAGE,
                           "a value with a space cannot stand in the info field: put it into the "
                           "file of the resource");
    if (kit_buf_printf(&a->info, "%s%s", a->info.len_bytes ? " " : "", word))
        return kit_err_set(err, KIT_ERR_USAGE, "the settings are too long for the info field");
    return 0;
}

/* Where the value of an option goes; NULL = it is none of ours. */
static const char **option_of(struct admin *a, const char *word)
{
    if (kit_str_eq(word, "-t"))
        return &a->tag;
    if (kit_str_eq(word, "-i"))
        return &a->id;
    if (kit_str_eq(word, "-s"))
        return &a->switchback;
    if (kit_str_eq(word, "-p"))
        return &a->priority;
    return NULL;
}

/* As ins_create wants it: LifeKeeper's own command line (lkcli) has it in small letters. */
static const char *switchback_of(const char *word)
{
    static const char *const words[] = {"INTELLIGENT", "AUTOMATIC"};

    for (size_t i = 0; i < KIT_LEN(words); i++)
        if (kit_str_eq_nocase(words[i], word))
            return words[i];
    return NULL;
}

static int parse(struct admin *a, const struct verb *verb, char *const words[], struct kit_err *err)
{
    const char **const places[] = {&a->system, &a->there, &a->tag, &a->id};
    size_t position = verb->template ? 0 : KIT_LEN(places);

    for (; *words; words++) {
        const char **option = option_of(a, *words);
        if (kit_str_eq(*words, "-o")) {
            a->out_of_service = true;
        } else if (option) {
            if (!words[1])
                return kit_err_set(err, KIT_ERR_USAGE, "%s wants a value", *words);
            *option = *++words;
        } else if (position < KIT_LEN(places) && (*words)[0] != '-') {
            *places[position++] = *words;
        } else if (verb->run == create && strchr(*words, '=')) {
            if (add_word(a, *words, err))
                return -1;
        } /* LifeKeeper may append words */
    }
    if (verb->template && (!a->system || !a->there))
        return kit_err_set(err, KIT_ERR_USAGE, "%s SYSTEM TAG: the server that has it, and its tag",
                           verb->name);
    if (verb->template && !a->tag)
        a->tag = a->there;
    if (verb->named && !a->tag)
        return kit_err_set(err, KIT_ERR_USAGE, "no tag: %s -t TAG", verb->name);
    a->switchback = switchback_of(a->switchback);
    if (!a->switchback)
        return kit_err_set(err, KIT_ERR_USAGE, "-s is INTELLIGENT or AUTOMATIC");
    return a->tag ? kit_conf_check_tag(a->tag, err) : 0;
}

void act_lifekeeper_usage(FILE *out)
{
    (void)fputs("usage: cloudvip lifekeeper WORD ...\n\n"
                "  create -t TAG [-i ID] [-s INTELLIGENT|AUTOMATIC] [-o] [KEY=VALUE]...\n"
                "  canextend SYSTEM TAG\n"
                "  extend SYSTEM TAG [TAG-HERE [ID]] [-s INTELLIGENT|AUTOMATIC] [-p PRIORITY]\n"
                "  delete -t TAG\n"
                "  forget -t TAG\n"
                "  register\n"
                "  unregister\n\n"
                "cloudvip-managers(7) says what each does.  Exit status: 0 or 1.\n",
                out);
}

int act_lifekeeper_admin(char *const words[], const char *argv0)
{
    struct admin a = {.verb = words[0] ? words[0] : "",
                      .switchback = DEFAULT_SWITCHBACK,
                      .priority = DEFAULT_PRIORITY,
                      .info = KIT_BUF(KIT_CONF_WORDS_BYTES),
                      .argv0 = argv0};
    const struct act_call call = {.action = a.verb};
    struct kit_err err;
    int rc = -1;

    a.log = (struct act_log){
        .action = a.verb, .to_syslog = true, .facility = act_manager_lifekeeper.facility(&call)};
    for (size_t i = 0; i < KIT_LEN(verbs); i++) {
        if (!kit_str_eq(verbs[i].name, a.verb))
            continue;
        if (parse(&a, &verbs[i], words + 1, &err)) {
            act_log_err(&a.log, ACT_USAGE, &err);
        } else {
            a.log.tag = a.tag;
            if (!a.id && verbs[i].named)
                a.id = a.tag;
            rc = verbs[i].run(&a);
        }
        kit_buf_done(&a.info);
        return rc ? 1 : 0;
    }
    act_log(
        &a.log, ACT_USAGE,
        "usage: cloudvip lifekeeper {create|canextend|extend|delete|forget|register|unregister} "
        "...");
    return 1;
}
