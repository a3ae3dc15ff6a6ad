/* tests/unit/actions_lifekeeper.c - LifeKeeper as the caller, with programs that stand in for its
 * ins_list. */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <syslog.h>
#include <unistd.h>

#include <cmocka.h>

#include "actions/manager/lcdi.h"
#include "actions/manager/lifekeeper.h"
#include "kit/base/mem.h"
#include "kit/base/str.h"

#define S "\x01"

static char dir[] = "/tmp/actions_lk.XXXXXX";
static const struct act_manager *const lk = &act_manager_lifekeeper;

static int make_root(void **state)
{
    (void)state;
    return mkdtemp(dir) && chdir(dir) == 0 && mkdir("bin", 0755) == 0 ? 0 : -1;
}

static int remove_root(void **state)
{
    (void)state;
    if (chdir("/") != 0)
        return -1;
    pid_t pid = fork();
    if (pid == 0) {
        execl("/bin/rm", "rm", "-rf", dir, (char *)NULL);
        _exit(1);
    }
    return waitpid(pid, NULL, 0) == pid ? 0 : -1;
}

static int clean_env(void **state)
{
    (void)state;
    unsetenv("LKROOT");
    unsetenv("LKSYSLOGSELECTOR");
    unsetenv("CLOUDVIP_RESTORE_TIMEOUT");
    unsetenv("CLOUDVIP_REMOVE_TIMEOUT");
    unsetenv("CLOUDVIP_QUICKCHECK_TIMEOUT");
    unsetenv("CLOUDVIP_RECOVER_TIMEOUT");
    return 0;
}

static void put_file(const char *path, const char *text, mode_t mode)
{
    FILE *f = fopen(path, "we");

    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
    assert_int_equal(chmod(path, mode), 0);
}

/* ---- the pure parts -------------------------------------------------------------------------- */

static void the_sixth_field_is_the_info_field(void **state)
{
    static const struct {
        const char *output, *info;
    } rows[] = {
        {"", ""},
        {"\n\n", ""},
        {"n1" S "comm" S "cloudvip" S "v" S "id" S "a=1 b=2" S "ISP" S "AUTORES_ISP" S S "x\n",
         "a=1 b=2"},
        {"n1" S "comm" S "cloudvip" S "v" S "id" S "a=1" S "ISP", "a=1"},
        {"n1" S "comm" S "cloudvip" S "v" S "id" S "a=1", "a=1"},
        {"n1" S "comm" S "cloudvip" S "v" S "id" S S "ISP\n", ""},
        {"n1" S "comm" S "cloudvip" S "v" S "id\n", ""},
        {"some error text\n", ""},
        /* The only line counts whatever its tag; of several only the one that is named. */
        {"n1" S "comm" S "cloudvip" S "other" S "id" S "a=1" S "ISP\n", "a=1"},
        {"n1" S "comm" S "ip" S "v2" S "id" S "a=1" S "ISP\nn1" S "comm" S "cloudvip" S "v" S "id" S
         "b=2" S "ISP\n",
         "b=2"},
        {"n1" S "comm" S "ip" S "v2" S "id" S "a=1" S "ISP\nn1" S "comm" S "ip" S "vv" S "id" S
         "b=2" S "ISP\n",
         ""},
        {S S S S S "a=1", "a=1"},
        {S S S S S, ""},
    };
    struct kit_err err;

    (void)state;
    for (size_t i = 0; i < KIT_LEN(rows); i++) {
        KIT_AUTO(kit_buf) info = KIT_BUF(100);
        assert_int_equal(
            act_lcdi_field(rows[i].output, strlen(rows[i].output), "v", ACT_LCDI_INFO, &info, &err),
            0);
        assert_string_equal(info.data, rows[i].info);
    }
}

static void a_hostile_info_field_is_refused(void **state)
{
    static const char nul[] = S S S "v" S S "a=\0b" S "ISP\n";
    static const char big[] = S S S "v" S S "a=1234567" S "ISP\n";
    KIT_AUTO(kit_buf) info = KIT_BUF(8);
    struct kit_err err;

    (void)state;
    assert_int_equal(act_lcdi_field(nul, sizeof(nul) - 1, "v", ACT_LCDI_INFO, &info, &err), -1);
    assert_int_equal(err.kind, KIT_ERR_CONFIG);
    assert_int_equal(act_lcdi_field(big, sizeof(big) - 1, "v", ACT_LCDI_INFO, &info, &err), -1);
    assert_string_equal(err.msg, "v: the info field is longer than 8 bytes");
}

static void assignments_are_read_as_a_shell_would(void **state)
{
    static const struct {
        const char *text, *value; /* NULL = none */
    } rows[] = {
        {"X=1", "1"},
        {"X=1\nX=2\n", "2"},
        {"# X=1\n", NULL},
        {"  X=\"a b\" # why\n", "a b"},
        {"X='a b'\n", "a b"},
        {"export X=5\r\n", "5"},
        {"export\tX=5 # c\n", "5"},
        {"X=5; Y=6\n", "5"},
        {"XX=1\nY=X=2\nX =3\n", NULL},
        {"X=\n", ""},
        {"X=\"open\n", NULL},
        {"X=", ""},
        {"X", NULL},
        {"export", NULL},
        {"X=1234567890\n", NULL}, /* does not fit */
        {"", NULL},
    };

    (void)state;
    for (size_t i = 0; i < KIT_LEN(rows); i++) {
        char value[10] = "unset";
        bool found = act_lifekeeper_tunable(rows[i].text, "X", value, sizeof(value));
        assert_int_equal(found, rows[i].value != NULL);
        assert_string_equal(value, rows[i].value ? rows[i].value : "unset");
    }
}

/* ---- recognition ----------------------------------------------------------------------------- */

static void knows_where_it_runs_from(void **state)
{
    struct act_call call = {.action = "restore", .argv0 = "restore", .exe = "/usr/bin/restore"};
    char path[PATH_MAX];

    (void)state;
    assert_false(lk->recognise(&call));
    call.argv0 = "/opt/LifeKeeper/subsys/comm/resources/cloudvip/actions/restore";
    assert_true(lk->recognise(&call));
    call.argv0 = "/opt/LifeKeeperX/restore";
    assert_false(lk->recognise(&call));
    call.argv0 = NULL;
    call.exe = "/opt/LifeKeeper/subsys/x";
    assert_true(lk->recognise(&call));
    call.exe = NULL; /* this test's own program */
    assert_false(lk->recognise(&call));

    setenv("LKROOT", dir, 1);
    assert_false(lk->recognise(&call)); /* a person's shell may have it */
    (void)kit_str_format(path, sizeof(path), "%s/subsys/restore", dir);
    call.exe = path;
    assert_true(lk->recognise(&call));
    call.exe = "/opt/LifeKeeper/subsys/x";
    assert_false(lk->recognise(&call));
    call.tag = "v";
    assert_false(lk->recognise(&call));
    call.id = "v";
    assert_true(lk->recognise(&call));

    /* The kernel tells the path with links followed. */
    call = (struct act_call){.action = "restore", .exe = path};
    assert_int_equal(symlink(dir, "link"), 0);
    char link[PATH_MAX];
    (void)kit_str_format(link, sizeof(link), "%s/link/", dir);
    setenv("LKROOT", link, 1);
    assert_true(lk->recognise(&call));
    setenv("LKROOT", "relative", 1);
    call = (struct act_call){
        .action = "restore", .argv0 = "relative/x", .exe = "/x", .tag = "v", .id = "v"};
    assert_false(lk->recognise(&call));
}

/* ---- ins_list -------------------------------------------------------------------------------- */

/* Runs an action's overlay with `script` as ins_list, for `by_ms` at most; what was logged is in
 * the file "log". */
static int run_overlay_of(const char *action, int64_t by_ms, const char *script,
                          struct kit_overlay **ret_overlay, size_t *ret_count, struct kit_err *err)
{
    struct act_log log = {.action = action, .tag = "vip1"};
    struct act_call call = {
        .action = action, .tag = "vip1", .id = "i", .log = &log, .defaults_file = "defaults"};
    int saved = dup(STDERR_FILENO);
    FILE *file = fopen("log", "we");

    (void)unlink("bin/ins_list");
    if (script)
        put_file("bin/ins_list", script, 0755);
    setenv("LKROOT", dir, 1);
    assert_non_null(file);
    assert_true(dup2(fileno(file), STDERR_FILENO) >= 0);
    int status = lk->overlay(&call, &kit_clock_real, kit_deadline_in_ms(&kit_clock_real, by_ms),
                             ret_overlay, ret_count, err);
    assert_true(dup2(saved, STDERR_FILENO) >= 0);
    close(saved);
    assert_int_equal(fclose(file), 0);
    return status;
}

static int run_overlay(const char *script, struct kit_overlay **ret_overlay, size_t *ret_count,
                       struct kit_err *err)
{
    return run_overlay_of("restore", 60000, script, ret_overlay, ret_count, err);
}

static bool was_logged(const char *part)
{
    char text[4096] = "";
    FILE *file = fopen("log", "re");

    assert_non_null(file);
    size_t n = fread(text, 1, sizeof(text) - 1, file);
    text[n] = '\0';
    assert_int_equal(fclose(file), 0);
    return strstr(text, part) != NULL;
}

static void settings_come_from_ins_list(void **state)
{
    struct kit_overlay *overlay;
    struct kit_err err;
    size_t count;

    (void)state;
    assert_int_equal(
        run_overlay("#!/bin/sh\n[ \"$1\" = -t ] && [ $# = 2 ] || exit 1\n"
                    "printf 'n1\\001comm\\001cloudvip\\001%s\\001i\\001address=10.1.0.10 "
                    "interface=eth1\\001ISP\\001AUTORES_ISP\\001\\001\\n' \"$2\"\n",
                    &overlay, &count, &err),
        0);
    assert_int_equal(count, 2);
    assert_string_equal(overlay[0].key, "address");
    assert_string_equal(overlay[0].value, "10.1.0.10");
    assert_string_equal(overlay[1].value, "eth1");
    assert_string_equal(overlay[1].origin, "info field");
    assert_false(was_logged("cloudvip"));
    kit_conf_words_free(overlay, count);
}

static void without_an_answer_the_files_are_used(void **state)
{
    static const struct {
        const char *script, *logged; /* NULL = nothing */
    } rows[] = {
        {NULL, NULL},
        {"#!/bin/sh\nexit 0\n", NULL},
        {"#!/bin/sh\nprintf '\\001\\001\\001vip1\\001\\001\\001ISP\\n'\n", NULL},
        {"#!/bin/sh\nprintf '\\001\\001\\001vip1\\001\\001a=1\\001ISP\\n'\nexit 3\n",
         "WARN:cloudvip:restore:vip1:720029:ins_list ended with status 3"},
        {"#!/no/such/interpreter\n", "720029"},
        {"#!/bin/sh\nkill -9 $$\n", "status 137"},
        {"#!/bin/sh\nhead -c 100000 /dev/zero\n", "720029"},
    };

    (void)state;
    for (size_t i = 0; i < KIT_LEN(rows); i++) {
        struct kit_overlay *overlay;
        struct kit_err err;
        size_t count;
        if (run_overlay(rows[i].script, &overlay, &count, &err))
            fail_msg("row %zu: %s", i, err.msg);
        assert_null(overlay);
        assert_int_equal(count, 0);
        if (was_logged(rows[i].logged ? rows[i].logged : ":cloudvip:") != (rows[i].logged != NULL))
            fail_msg("row %zu: the log", i);
    }
}

/* What the files alone name may be another address: a check must not call it lost. */
static void a_check_without_an_answer_knows_nothing(void **state)
{
    static const char hangs[] = "#!/bin/sh\nexec sleep 600\n";
    struct kit_overlay *overlay;
    struct kit_err err;
    size_t count;

    (void)state;
    assert_int_equal(run_overlay_of("quickCheck", 300, hangs, &overlay, &count, &err), -1);
    assert_int_equal(err.kind, KIT_ERR_TRANSIENT);
    assert_true(was_logged("WARN:cloudvip:quickCheck:vip1:720029:"));
    assert_int_equal(run_overlay_of("remove", 300, hangs, &overlay, &count, &err), 0);
    assert_int_equal(count, 0);
    assert_int_equal(
        run_overlay_of("quickCheck", 60000, "#!/bin/sh\nexit 7\n", &overlay, &count, &err), 0);
}

static void an_info_field_that_makes_no_sense_is_refused(void **state)
{
    struct kit_overlay *overlay;
    struct kit_err err;
    size_t count;

    (void)state;
    assert_int_equal(
        run_overlay("#!/bin/sh\nprintf '\\001\\001\\001vip1\\001\\001a=1,2\\001ISP\\n'\n", &overlay,
                    &count, &err),
        -1);
    assert_int_equal(err.kind, KIT_ERR_CONFIG);
    assert_true(kit_str_starts(err.msg, "info field: a comma"));
    assert_int_equal(
        run_overlay("#!/bin/sh\nprintf '\\001\\001\\001vip1\\001\\001a\\002b\\001ISP\\n'\n",
                    &overlay, &count, &err),
        -1);
}

static void a_directory_that_others_may_write_is_not_run_from(void **state)
{
    struct kit_overlay *overlay;
    struct kit_err err;
    size_t count;

    (void)state;
    assert_int_equal(chmod("bin", 0777), 0);
    assert_int_equal(run_overlay("#!/bin/sh\ntouch was_run\n", &overlay, &count, &err), 0);
    assert_int_equal(chmod("bin", 0755), 0);
    assert_int_equal(count, 0);
    assert_true(was_logged("720029"));
    assert_int_not_equal(access("was_run", F_OK), 0);
}

/* ---- tunables and statuses ------------------------------------------------------------------- */

static void limits_are_a_tenth_less(void **state)
{
    struct act_call call = {.action = "restore", .defaults_file = "defaults"};

    (void)state;
    (void)unlink("defaults");
    assert_int_equal(lk->limit_ms(&call), 0);
    put_file("defaults",
             "# LifeKeeper\nexport CLOUDVIP_RESTORE_TIMEOUT=\"100\"\n"
             "CLOUDVIP_QUICKCHECK_TIMEOUT=22\nCLOUDVIP_REMOVE_TIMEOUT=soon\n"
             "LKSYSLOGSELECTOR=local2\n",
             0644);
    assert_int_equal(lk->limit_ms(&call), 90000);
    call.action = "quickCheck";
    assert_int_equal(lk->limit_ms(&call), 19800);
    call.action = "remove";
    assert_int_equal(lk->limit_ms(&call), 0);
    call.action = "recover";
    assert_int_equal(lk->limit_ms(&call), 0);
    assert_int_equal(lk->facility(&call), LOG_LOCAL2);

    setenv("CLOUDVIP_RECOVER_TIMEOUT", "50", 1);
    setenv("CLOUDVIP_RESTORE_TIMEOUT", "10", 1);
    setenv("LKSYSLOGSELECTOR", "local3", 1);
    assert_int_equal(lk->limit_ms(&call), 45000);
    call.action = "restore";
    assert_int_equal(lk->limit_ms(&call), 9000);
    assert_int_equal(lk->facility(&call), LOG_LOCAL3);
    setenv("CLOUDVIP_RESTORE_TIMEOUT", "0", 1);
    assert_int_equal(lk->limit_ms(&call), 0);
    setenv("CLOUDVIP_RESTORE_TIMEOUT", "", 1); /* as good as unset: the file */
    assert_int_equal(lk->limit_ms(&call), 90000);

    /* A check has to end before the next one begins, and a generic application's before it is
     * killed; as a type of its own nobody kills it. */
    call = (struct act_call){.action = "quickCheck", .defaults_file = "defaults", .exe = "/x"};
    setenv("LKCHECKINTERVAL", "10", 1);
    assert_int_equal(lk->limit_ms(&call), 9000);
    setenv("LKCHECKINTERVAL", "120", 1);
    assert_int_equal(lk->limit_ms(&call), 19800);
    setenv("CLOUDVIP_QUICKCHECK_TIMEOUT", "100", 1);
    assert_int_equal(lk->limit_ms(&call), 19800);
    call.argv0 = "/opt/LifeKeeper/subsys/comm/resources/cloudvip/actions/quickCheck";
    assert_int_equal(lk->limit_ms(&call), 90000);
    call.argv0 = "/opt/LifeKeeper/subsys/gen/resources/app/actions/!quickCheck/vip1";
    assert_int_equal(lk->limit_ms(&call), 19800);
    call.argv0 = "/opt/LifeKeeper/subsys/comm/resources/cloudvip2/actions/quickCheck";
    assert_int_equal(lk->limit_ms(&call), 19800);
    unsetenv("CLOUDVIP_QUICKCHECK_TIMEOUT");
    unsetenv("LKCHECKINTERVAL");
    call = (struct act_call){.action = "restore", .defaults_file = "defaults"};

    /* A file that others may write sets nothing where root would obey it. */
    unsetenv("LKSYSLOGSELECTOR");
    if (geteuid() != 0)
        return;
    assert_int_equal(chmod("defaults", 0666), 0);
    assert_int_equal(lk->limit_ms(&call), 0);
    assert_int_equal(lk->facility(&call), LOG_LOCAL6);
}

static void what_cannot_be_used_is_said(void **state)
{
    static const struct {
        const char *text;
        mode_t mode;
        const char *said; /* NULL: nothing */
    } rows[] = {
        {"CLOUDVIP_RESTORE_TIMEOUT=30\nLKCHECKINTERVAL='60' # s\nOTHER=soon\n", 0644, NULL},
        {"CLOUDVIP_REMOVE_TIMEOUT=\n", 0644, NULL},
        {"CLOUDVIP_REMOVE_TIMEOUT=5m\n", 0644, "WARN:cloudvip:restore:vip1:720059:CLOUDVIP_REMOVE"},
        {"LKCHECKINTERVAL=0\n", 0644, "LKCHECKINTERVAL = 0: "},
        {"LKCHECKINTERVAL=60\n", 0666, "WARN:cloudvip:restore:vip1:720059:defaults "},
    };
    struct kit_overlay *overlay;
    struct kit_err err;
    size_t count;

    (void)state;
    for (size_t i = 0; i < KIT_LEN(rows); i++) {
        if (rows[i].mode != 0644 && geteuid() != 0)
            continue; /* root alone obeys the file */
        put_file("defaults", rows[i].text, rows[i].mode);
        assert_int_equal(run_overlay(NULL, &overlay, &count, &err), 0);
        if (was_logged(rows[i].said ? rows[i].said : ":cloudvip:") != (rows[i].said != NULL))
            fail_msg("row %zu", i);
    }
    assert_int_equal(unlink("defaults"), 0);
}

static void statuses_are_0_and_1(void **state)
{
    static const struct {
        const char *action;
        int status[6]; /* right, wrong, usage, unknown, config, denied */
    } rows[] = {
        {"restore", {0, 1, 1, 1, 1, 1}},
        {"remove", {0, 1, 1, 0, 0, 0}},
        {"quickCheck", {0, 1, 1, 0, 0, 0}},
        {"recover", {0, 1, 1, 1, 1, 1}},
    };
    static const enum act_outcome outcomes[6] = {ACT_OUT_RIGHT,   ACT_OUT_WRONG,  ACT_OUT_USAGE,
                                                 ACT_OUT_UNKNOWN, ACT_OUT_CONFIG, ACT_OUT_DENIED};

    (void)state;
    assert_true(lk->to_syslog);
    for (size_t i = 0; i < KIT_LEN(rows); i++) {
        struct act_call call = {.action = rows[i].action};
        for (size_t j = 0; j < KIT_LEN(outcomes); j++)
            assert_int_equal(lk->exit_status(&call, &(struct act_end){.outcome = outcomes[j]}),
                             rows[i].status[j]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_sixth_field_is_the_info_field),
        cmocka_unit_test(a_hostile_info_field_is_refused),
        cmocka_unit_test(assignments_are_read_as_a_shell_would),
        cmocka_unit_test_setup(knows_where_it_runs_from, clean_env),
        cmocka_unit_test_setup(settings_come_from_ins_list, clean_env),
        cmocka_unit_test_setup(without_an_answer_the_files_are_used, clean_env),
        cmocka_unit_test_setup(a_check_without_an_answer_knows_nothing, clean_env),
        cmocka_unit_test_setup(an_info_field_that_makes_no_sense_is_refused, clean_env),
        cmocka_unit_test_setup(a_directory_that_others_may_write_is_not_run_from, clean_env),
        cmocka_unit_test_setup(limits_are_a_tenth_less, clean_env),
        cmocka_unit_test_setup(what_cannot_be_used_is_said, clean_env),
        cmocka_unit_test_setup(statuses_are_0_and_1, clean_env),
    };
    return cmocka_run_group_tests_name("actions_lifekeeper", tests, make_root, remove_root);
}
