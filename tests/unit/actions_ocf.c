/* tests/unit/actions_ocf.c - Pacemaker: the parameters, the name, the limit, and every answer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "actions/manager/ocf.h"
#include "kit/base/mem.h"
#include "kit/base/str.h"

static const struct act_manager *const ocf = &act_manager_ocf;

/* Not clearenv(3): cmocka reads the environment later. */
static int clean_env(void **state)
{
    static const char *const names[] = {"OCF_ROOT",
                                        "OCF_RA_VERSION_MAJOR",
                                        "OCF_RESKEY_address",
                                        "OCF_RESKEY_tag",
                                        "OCF_RESKEY_trace_ra",
                                        "OCF_RESKEY_CRM_meta_timeout",
                                        "OCF_RESKEY_CRM_meta_interval",
                                        "OCF_RESOURCE_INSTANCE",
                                        "HA_debug",
                                        "HA_LOGFACILITY",
                                        "LKROOT"};

    (void)state;
    for (size_t i = 0; i < KIT_LEN(names); i++)
        unsetenv(names[i]);
    return 0;
}

static void what_makes_it_pacemaker(void **state)
{
    struct act_call call = {.action = "restore", .tag = "v", .id = "v", .argv0 = "/x", .exe = "/x"};

    (void)state;
    assert_false(ocf->recognise(&call));
    setenv("OCF_ROOT", "/usr/lib/ocf", 1); /* a person's shell may have it */
    assert_false(ocf->recognise(&call));
    setenv("OCF_RA_VERSION_MAJOR", "1", 1);
    assert_ptr_equal(act_manager_find(&call), ocf);
    clean_env(state);
    setenv("OCF_RESKEY_address", "10.1.0.10", 1);
    assert_ptr_equal(act_manager_find(&call), ocf);
}

static void parameters_come_from_the_environment(void **state)
{
    char *const env[] = {(char[]){"PATH=/bin"},
                         (char[]){"OCF_RESKEY_address=10.1.0.10"},
                         (char[]){"OCF_RESKEY_CRM_meta_timeout=20000"},
                         (char[]){"OCF_RESKEY_crm_feature_set=3.16.2"},
                         (char[]){"OCF_RESKEY_trace_ra=1"},
                         (char[]){"OCF_RESKEY_tag=other"},
                         (char[]){"OCF_RESKEY_tags=x"},
                         (char[]){"OCF_RESKEY_OCF_CHECK_LEVEL=10"},
                         (char[]){"OCF_RESKEY_region="},
                         (char[]){"OCF_RESKEY_"},
                         (char[]){"OCF_RESKEY_=x"},
                         (char[]){"OCF_RESKEY_profile=a=b"},
                         (char[]){"OCF_RESKEYX=1"},
                         NULL};
    static const char *const wanted[][3] = {
        {"address", "10.1.0.10", "OCF_RESKEY_address"},
        {"tags", "x", "OCF_RESKEY_tags"},
        {"profile", "a=b", "OCF_RESKEY_profile"},
    };
    char *const none[] = {NULL};
    struct kit_overlay *overlay;
    struct kit_err err;
    size_t count;

    (void)state;
    assert_int_equal(act_ocf_overlay(env, &overlay, &count, &err), 0);
    assert_int_equal(count, KIT_LEN(wanted));
    for (size_t i = 0; i < count; i++) {
        assert_string_equal(overlay[i].key, wanted[i][0]);
        assert_string_equal(overlay[i].value, wanted[i][1]);
        assert_string_equal(overlay[i].origin, wanted[i][2]);
    }
    kit_conf_words_free(overlay, count);
    assert_int_equal(act_ocf_overlay(none, &overlay, &count, &err), 0);
    assert_null(overlay);
    assert_int_equal(count, 0);
}

static void too_many_parameters_are_refused(void **state)
{
    char entry[] = "OCF_RESKEY_a=1", *env[300];
    struct kit_overlay *overlay;
    struct kit_err err;
    size_t count;

    (void)state;
    for (size_t i = 0; i < KIT_LEN(env); i++)
        env[i] = entry;
    env[KIT_LEN(env) - 1] = NULL;
    assert_int_equal(act_ocf_overlay(env, &overlay, &count, &err), -1);
    assert_int_equal(err.kind, KIT_ERR_CONFIG);
}

static void the_name_is_the_tag_or_the_instance(void **state)
{
    static const struct {
        const char *tag, *instance, *name;
    } rows[] = {
        {NULL, NULL, NULL},         {"", "", NULL},
        {NULL, "vip1", "vip1"},     {NULL, "vip1:0", "vip1"},
        {NULL, "vip1:12", "vip1"},  {NULL, "vip1:", "vip1:"},
        {NULL, "vip1:a", "vip1:a"}, {"", "vip1", "vip1"},
        {"other", "vip1", "other"}, {"other:1", NULL, "other:1"},
    };

    (void)state;
    for (size_t i = 0; i < KIT_LEN(rows); i++) {
        clean_env(state);
        if (rows[i].tag)
            setenv("OCF_RESKEY_tag", rows[i].tag, 1);
        if (rows[i].instance)
            setenv("OCF_RESOURCE_INSTANCE", rows[i].instance, 1);
        KIT_AUTOFREE char *name = act_ocf_tag();
        if (!kit_str_eq(name, rows[i].name))
            fail_msg("row %zu: %s", i, name ? name : "none");
    }
}

static void the_limit_is_a_tenth_less(void **state)
{
    static const struct {
        const char *timeout;
        int64_t ms;
    } rows[] = {{"20000", 18000}, {"1", 0}, {"0", 0}, {"-5", 0}, {"20s", 0}, {"", 0}};
    struct act_call call = {.action = "restore"};

    (void)state;
    assert_int_equal(ocf->limit_ms(&call), 0);
    for (size_t i = 0; i < KIT_LEN(rows); i++) {
        setenv("OCF_RESKEY_CRM_meta_timeout", rows[i].timeout, 1);
        assert_int_equal(ocf->limit_ms(&call), rows[i].ms);
    }
}

static void actions_and_probes(void **state)
{
    struct act_call call = {.action = "quickCheck"};

    (void)state;
    assert_int_equal(act_ocf_action_of(&call), ACT_OCF_MONITOR);
    setenv("OCF_RESKEY_CRM_meta_interval", "10000", 1);
    assert_int_equal(act_ocf_action_of(&call), ACT_OCF_MONITOR);
    assert_false(ocf->probes(&call));
    setenv("OCF_RESKEY_CRM_meta_interval", "0", 1);
    assert_int_equal(act_ocf_action_of(&call), ACT_OCF_PROBE);
    assert_true(ocf->probes(&call));
    call.action = "restore";
    assert_int_equal(act_ocf_action_of(&call), ACT_OCF_START);
    assert_false(ocf->probes(&call));
    call.action = "remove";
    assert_int_equal(act_ocf_action_of(&call), ACT_OCF_STOP);
    call.action = "validate-all";
    assert_int_equal(act_ocf_action_of(&call), ACT_OCF_OTHER);
}

/* ---- the table of answers -------------------------------------------------------------------- */

enum {
    S = 0,
    G = 1,
    A = 2,
    P = 4,
    I = 5,
    N = 7
};

static void every_answer(void **state)
{
    /* By outcome: right, wrong, usage, unknown, configuration, permission.  No parameters in the
     * cluster: a configuration error is this node's (5: nothing that could be read). */
    static const struct {
        enum act_ocf_action action;
        bool unknown, in_service;
        int status[6];
    } rows[] = {
        {ACT_OCF_START, false, false, {S, G, A, G, I, P}},
        {ACT_OCF_START, true, true, {S, G, A, G, I, P}},
        {ACT_OCF_STOP, false, false, {S, G, A, S, S, S}},
        {ACT_OCF_STOP, true, true, {S, G, A, S, S, S}},
        {ACT_OCF_MONITOR, false, true, {S, G, A, S, S, S}},
        {ACT_OCF_MONITOR, true, true, {S, G, A, S, S, S}},
        {ACT_OCF_MONITOR, false, false, {N, N, A, N, N, N}},
        {ACT_OCF_MONITOR, true, false, {N, N, A, N, N, N}},
        {ACT_OCF_PROBE, false, true, {S, N, A, N, N, N}},
        {ACT_OCF_PROBE, true, true, {S, S, S, S, S, S}},
        {ACT_OCF_PROBE, false, false, {N, N, A, N, N, N}},
        {ACT_OCF_PROBE, true, false, {N, N, N, N, N, N}},
        {ACT_OCF_OTHER, false, false, {S, G, A, G, I, P}},
    };
    char *const none[] = {NULL};

    (void)state;
    for (size_t i = 0; i < KIT_LEN(rows); i++) {
        for (int outcome = ACT_OUT_RIGHT; outcome <= ACT_OUT_DENIED; outcome++) {
            struct act_end end = {.outcome = (enum act_outcome)outcome,
                                  .unknown = rows[i].unknown,
                                  .in_service = rows[i].in_service};
            int got = (int)act_ocf_status(rows[i].action, &end, none);
            if (got != rows[i].status[outcome])
                fail_msg("row %zu, outcome %d: %d", i, outcome, got);
        }
    }
}

/* Only what is wrong on every node may stop the resource on every node. */
static void whose_configuration_is_wrong(void **state)
{
    static const struct {
        const char *param; /* in the cluster; NULL = none */
        bool readable, incomplete,
            file; /* settings were read, lack something, are this node's too */
        int status;
    } rows[] = {
        {NULL, false, false, false, ACT_OCF_ERR_INSTALLED},
        {NULL, true, true, true, ACT_OCF_ERR_ARGS},
        {"OCF_RESKEY_address=10.1.0.10", false, false, false, ACT_OCF_ERR_ARGS},
        {"OCF_RESKEY_address=10.1.0.10", true, false, false, ACT_OCF_ERR_ARGS},
        {"OCF_RESKEY_address=10.1.0.10", true, true, false, ACT_OCF_ERR_CONFIGURED},
        {"OCF_RESKEY_address=10.1.0.10", true, true, true, ACT_OCF_ERR_ARGS},
        {"OCF_RESKEY_address=10.1.0", false, false, false, ACT_OCF_ERR_CONFIGURED},
        {"OCF_RESKEY_adress=10.1.0.10", true, false, true, ACT_OCF_ERR_CONFIGURED},
    };

    (void)state;
    for (size_t i = 0; i < KIT_LEN(rows); i++) {
        char text[64] = "";
        char *const env[] = {rows[i].param ? text : NULL, NULL};
        KIT_AUTO(kit_settings) settings = {0};
        struct kit_err err;
        struct act_end end = {.outcome = ACT_OUT_CONFIG,
                              .incomplete = rows[i].incomplete,
                              .settings = rows[i].readable ? &settings : NULL};

        (void)kit_str_copy(text, sizeof(text), rows[i].param ? rows[i].param : "");
        if (rows[i].param)
            assert_int_equal(kit_settings_put(&settings, KIT_PARAM_ADDRESS, "10.1.0.10",
                                              "OCF_RESKEY_address", &err),
                             0);
        if (rows[i].file)
            assert_int_equal(
                kit_settings_put(&settings, KIT_PARAM_REGION, "r", "/etc/cloudvip/x:1", &err), 0);
        if ((int)act_ocf_status(ACT_OCF_START, &end, env) != rows[i].status)
            fail_msg("row %zu", i);
    }
}

static void checks_are_quiet(void **state)
{
    struct act_call call = {.action = "quickCheck"};

    (void)state;
    assert_true(ocf->quiet(&call));
    setenv("HA_debug", "0", 1);
    assert_true(ocf->quiet(&call));
    setenv("HA_debug", "1", 1);
    assert_false(ocf->quiet(&call));
    clean_env(state);
    setenv("OCF_RESKEY_trace_ra", "1", 1);
    assert_false(ocf->quiet(&call));
    clean_env(state);
    call.action = "restore";
    assert_false(ocf->quiet(&call));
    assert_int_equal(ocf->facility(&call), -1);
    setenv("HA_LOGFACILITY", "none", 1);
    assert_int_equal(ocf->facility(&call), -1);
    setenv("HA_LOGFACILITY", "daemon", 1);
    assert_int_equal(ocf->facility(&call), act_log_facility("daemon"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(what_makes_it_pacemaker, clean_env),
        cmocka_unit_test(parameters_come_from_the_environment),
        cmocka_unit_test(too_many_parameters_are_refused),
        cmocka_unit_test(the_name_is_the_tag_or_the_instance),
        cmocka_unit_test_setup(the_limit_is_a_tenth_less, clean_env),
        cmocka_unit_test_setup(actions_and_probes, clean_env),
        cmocka_unit_test(every_answer),
        cmocka_unit_test(whose_configuration_is_wrong),
        cmocka_unit_test_setup(checks_are_quiet, clean_env),
    };
    return cmocka_run_group_tests_name("actions_ocf", tests, NULL, NULL);
}
