/* tests/unit/cloud_policy.c - what a policy is made of, and that nothing in it is said twice. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kit/cloud/policy.h"
#include "kit/cloud/registry.h"
#include "tests/unit/fakes.h"

static void scope_of(const struct kit_settings *settings, struct kit_policy_scope *ret_scope)
{
    const char *region = kit_settings_text(settings, KIT_PARAM_REGION);

    *ret_scope = (struct kit_policy_scope){.partition = "p"};
    (void)kit_str_copy(ret_scope->region, sizeof(ret_scope->region), region ? region : "");
}

static const struct kit_policy_kind kinds[] = {
    {"table", "{partition}:{region}:{account}:table/{id}", KIT_PARAM_ROUTE_TABLES, NULL,
     KIT_PARAM_VPC_ID, "Like", "vpc", "{region}/{id}"},
    {"eni", "eni/{id}", KIT_PARAM_ENI, "eni", KIT_PARAM_NONE, NULL, NULL, NULL},
    {"*", "*", KIT_PARAM_NONE, NULL, KIT_PARAM_NONE, NULL, NULL, NULL},
};
static const struct kit_policy_form form = {
    .name = "X", .version = "9", .kind = kinds, .kinds = KIT_LEN(kinds), .scope = scope_of};

static const struct kit_permission permissions[] = {
    {"x:See", "*", "to see", KIT_ALWAYS},
    {"x:Look", "*", "to look", KIT_ALWAYS},
    {"x:Move", "table, eni", "to move", KIT_ALWAYS},
    {"x:Make", "table", "to make", KIT_WHEN(KIT_PARAM_CREATE_ROUTE, "yes")},
    {"x:Advise", "*", "to warn", KIT_ADVICE},
};
static const struct kit_mover mover = {.permissions = permissions,
                                       .permissions_count = KIT_LEN(permissions)};

static void settings_of(struct kit_settings *settings, const char *tag, const char *region,
                        const char *vpc, const char *tables)
{
    const struct {
        enum kit_param param;
        const char *value;
    } values[] = {{KIT_PARAM_SCENARIO, "route-table"},
                  {KIT_PARAM_ENI, "eni-1"},
                  {KIT_PARAM_REGION, region},
                  {KIT_PARAM_VPC_ID, vpc},
                  {KIT_PARAM_ROUTE_TABLES, tables}};
    struct kit_err err;

    kit_settings_init(settings, tag);
    for (size_t i = 0; i < KIT_LEN(values); i++)
        if (values[i].value &&
            kit_settings_put(settings, values[i].param, values[i].value, "test", &err))
            fail_msg("%s", err.msg);
}

static void assert_document(struct kit_policy *policy, const char *wanted)
{
    KIT_AUTO(kit_buf) text = KIT_BUF(64 * 1024);
    struct kit_json_writer w = {.out = &text};

    kit_policy_write(policy, NULL, &w);
    assert_string_equal(text.data, wanted);
}

#define STATEMENT(actions, resources, more)                                                        \
    "{\"Effect\":\"Allow\",\"Action\":[" actions "],\"Resource\":[" resources "]" more "}"
#define DOCUMENT(statements) "{\"Version\":\"9\",\"Statement\":[" statements "]}"
#define READS                STATEMENT("\"x:Look\",\"x:See\"", "\"*\"", "")

/* One resource: with these settings this document. */
static void what_is_known_narrows(void **state)
{
    static const struct {
        const char *region, *vpc, *tables, *wanted;
    } rows[] = {
        {NULL, NULL, NULL,
         DOCUMENT(READS "," STATEMENT("\"x:Move\"", "\"eni/*\",\"p:*:*:table/*\"", ""))},
        {"r1", NULL, "t-2, t-1",
         DOCUMENT(READS "," STATEMENT("\"x:Move\"",
                                      "\"eni/*\",\"p:r1:*:table/t-1\",\"p:r1:*:table/t-2\"", ""))},
        /* Only that kind is narrowed by it, and not where its ids are known. */
        {"r1", "vpc-1", NULL,
         DOCUMENT(READS "," STATEMENT("\"x:Move\"", "\"eni/*\"", "") "," STATEMENT(
             "\"x:Move\"", "\"p:r1:*:table/*\"",
             ",\"Condition\":{\"Like\":{\"vpc\":\"r1/vpc-1\"}}"))},
        {"r1", "vpc-1", "t-1",
         DOCUMENT(READS "," STATEMENT("\"x:Move\"", "\"eni/*\",\"p:r1:*:table/t-1\"", ""))},
    };

    (void)state;
    for (size_t i = 0; i < KIT_LEN(rows); i++) {
        struct kit_policy policy = {.form = &form};
        struct kit_settings settings;

        settings_of(&settings, "a", rows[i].region, rows[i].vpc, rows[i].tables);
        kit_policy_add_mover(&policy, &mover, &settings, false);
        assert_document(&policy, rows[i].wanted);
        kit_policy_done(&policy);
        kit_settings_done(&settings);
    }
}

/* The interface of scenario eni is the same on all nodes; elsewhere it is this node's own. */
static void this_nodes_own_interface_narrows_nothing(void **state)
{
    struct kit_policy policy = {.form = &form};
    struct kit_settings settings;
    struct kit_err err;

    (void)state;
    settings_of(&settings, "a", NULL, NULL, "t-1");
    assert_int_equal(kit_settings_put(&settings, KIT_PARAM_SCENARIO, "eni", "test", &err), 0);
    kit_policy_add_mover(&policy, &mover, &settings, false);
    assert_document(&policy, DOCUMENT(READS "," STATEMENT(
                                 "\"x:Move\"", "\"eni/eni-1\",\"p:*:*:table/t-1\"", "")));
    kit_policy_done(&policy);
    kit_settings_done(&settings);
}

static void conditions_and_advice(void **state)
{
    struct kit_policy policy = {.form = &form};
    struct kit_settings settings;
    struct kit_err err;

    (void)state;
    settings_of(&settings, "a", NULL, NULL, "t-1");
    assert_int_equal(kit_settings_put(&settings, KIT_PARAM_CREATE_ROUTE, "yes", "test", &err), 0);
    kit_policy_add_mover(&policy, &mover, &settings, true);
    assert_document(
        &policy, DOCUMENT(STATEMENT("\"x:Advise\",\"x:Look\",\"x:See\"", "\"*\"", "") "," STATEMENT(
                     "\"x:Make\"", "\"p:*:*:table/t-1\"",
                     "") "," STATEMENT("\"x:Move\"", "\"eni/*\",\"p:*:*:table/t-1\"", "")));
    for (size_t i = 0; i < policy.count; i++)
        assert_int_equal(policy.need[i].advice, kit_str_eq(policy.need[i].action, "x:Advise"));
    kit_policy_done(&policy);
    kit_settings_done(&settings);
}

/* What a wider one covers is left out, whatever the order; what a condition holds back is not. */
static void several_resources_merge(void **state)
{
    static const struct {
        const char *region[2], *vpc[2], *tables[2], *objects; /* of x:Move, with eni */
    } rows[] = {
        {{NULL, NULL}, {NULL, NULL}, {"t-1", "t-1"}, "\"p:*:*:table/t-1\""},
        {{NULL, NULL}, {NULL, NULL}, {"t-1", "t-2"}, "\"p:*:*:table/t-1\",\"p:*:*:table/t-2\""},
        {{NULL, NULL}, {NULL, NULL}, {"t-1", NULL}, "\"p:*:*:table/*\""},
        {{NULL, "r1"}, {NULL, NULL}, {"t-1", "t-1"}, "\"p:*:*:table/t-1\""},
        {{"r2", "r1"}, {NULL, NULL}, {"t-1", NULL}, "\"p:r1:*:table/*\",\"p:r2:*:table/t-1\""},
        {{NULL, NULL}, {"vpc-1", NULL}, {NULL, NULL}, "\"p:*:*:table/*\""},
    };

    (void)state;
    for (size_t i = 0; i < KIT_LEN(rows); i++) {
        for (int turned = 0; turned < 2; turned++) {
            KIT_AUTO(kit_buf) wanted = KIT_BUF(4096);
            struct kit_policy policy = {.form = &form};
            struct kit_settings settings[2];

            for (int k = 0; k < 2; k++)
                settings_of(&settings[k], k ? "b" : "a", rows[i].region[k], rows[i].vpc[k],
                            rows[i].tables[k]);
            for (int k = 0; k < 2; k++)
                kit_policy_add_mover(&policy, &mover, &settings[k ^ turned], false);
            (void)kit_buf_puts(&wanted, "{\"Version\":\"9\",\"Statement\":[" READS ",");
            (void)kit_buf_printf(&wanted, STATEMENT("\"x:Move\"", "\"eni/*\",%s", "") "]}",
                                 rows[i].objects);
            assert_document(&policy, wanted.data);
            kit_policy_done(&policy);
            kit_settings_done(&settings[0]);
            kit_settings_done(&settings[1]);
        }
    }
}

static void two_conditions_are_two_statements(void **state)
{
    struct kit_policy policy = {.form = &form};
    struct kit_settings settings[2];

    (void)state;
    for (int k = 0; k < 2; k++) {
        settings_of(&settings[k], "a", NULL, k ? "vpc-2" : "vpc-1", NULL);
        kit_policy_add_mover(&policy, &mover, &settings[k], false);
    }
    assert_document(
        &policy,
        DOCUMENT(READS "," STATEMENT("\"x:Move\"", "\"eni/*\"", "") "," STATEMENT(
            "\"x:Move\"", "\"p:*:*:table/*\"",
            ",\"Condition\":{\"Like\":{\"vpc\":\"*/vpc-1\"}}") "," STATEMENT("\"x:Move\"",
                                                                             "\"p:*:*:table/*\"",
                                                                             ",\"Condition\":{"
                                                                             "\"Like\":{\"vpc\":\"*"
                                                                             "/vpc-2\"}}")));
    kit_policy_done(&policy);
    kit_settings_done(&settings[0]);
    kit_settings_done(&settings[1]);
}

static void a_role_is_assumed(void **state)
{
    struct kit_policy policy = {.form = &form};
    struct kit_settings settings;
    struct kit_err err;

    (void)state;
    settings_of(&settings, "a", NULL, NULL, NULL);
    assert_int_equal(kit_settings_put(&settings, KIT_PARAM_ROLE_ARN, "arn:role", "test", &err), 0);
    kit_policy_add_role(&policy, &settings);
    kit_policy_add_role(&policy, &settings);
    assert_document(&policy, DOCUMENT(STATEMENT("\"sts:AssumeRole\"", "\"arn:role\"", "")));
    kit_policy_done(&policy);
    assert_document(&policy, DOCUMENT(""));
    kit_settings_done(&settings);
}

/* Every kind in a mover's table is one that its provider can name: else it would be left out. */
static void every_kind_of_every_mover_is_known(void **state)
{
    (void)state;
    for (const struct kit_mover *const *m = kit_registry_movers; *m; m++) {
        struct kit_settings settings;
        struct kit_caller caller = {.net = NULL};
        const struct kit_provider *provider = NULL;
        struct kit_err err;

        kit_settings_init(&settings, "a");
        assert_int_equal(
            kit_settings_put(&settings, KIT_PARAM_PROVIDER, (*m)->provider, "test", &err), 0);
        assert_int_equal(
            kit_registry_provider(&settings, &caller, (struct kit_deadline){0}, &provider, &err),
            0);
        for (size_t i = 0; i < (*m)->permissions_count; i++) {
            const char *words = (*m)->permissions[i].resource, *word;
            size_t len;

            while (kit_str_word(&words, ", ", &word, &len)) {
                bool known = false;

                for (size_t k = 0; k < provider->policy->kinds; k++) {
                    const char *kind = provider->policy->kind[k].kind;
                    known = known || (strlen(kind) == len && !memcmp(kind, word, len));
                }
                if (!known)
                    fail_msg("%s %s: %s: no kind %.*s", (*m)->provider, (*m)->scenario,
                             (*m)->permissions[i].action, (int)len, word);
            }
        }
        kit_settings_done(&settings);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_known_narrows),
        cmocka_unit_test(this_nodes_own_interface_narrows_nothing),
        cmocka_unit_test(conditions_and_advice),
        cmocka_unit_test(several_resources_merge),
        cmocka_unit_test(two_conditions_are_two_statements),
        cmocka_unit_test(a_role_is_assumed),
        cmocka_unit_test(every_kind_of_every_mover_is_known),
    };

    return cmocka_run_group_tests_name("cloud/policy", tests, NULL, NULL);
}
