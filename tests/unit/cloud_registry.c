/* tests/unit/cloud_registry.c - which providers and movers there are, and what facts are kept in.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kit/sys/hostid.h"
#include "tests/unit/aws_world.h"

static int choose(struct aws_world *w, const struct kit_provider **ret_provider,
                  struct kit_err *err)
{
    return kit_registry_provider(&w->settings[0], &w->caller, aws_in_a_minute(w), ret_provider,
                                 err);
}

static void a_named_provider_is_taken_without_a_question(void **state)
{
    struct aws_world *w = aws_begin("route-table");
    const struct kit_provider *provider = NULL;
    struct kit_err err;

    (void)state;
    assert_int_equal(choose(w, &provider, &err), 0);
    assert_string_equal(provider->name, "aws");
    assert_int_equal(w->net.requests, 0);
    aws_done(w);
}

static void a_provider_that_is_not_built_in(void **state)
{
    struct aws_world *w = aws_begin("route-table");
    const struct kit_provider *provider = NULL;
    struct kit_setting *setting = &w->settings[0].v[KIT_PARAM_PROVIDER];
    struct kit_err err;

    (void)state;
    free(setting->text);
    setting->text = kit_mem_strdup("no-such-cloud"); /* past the schema's own check */
    assert_int_equal(choose(w, &provider, &err), -1);
    assert_int_equal(err.kind, KIT_ERR_CONFIG);
    fake_assert_text(err.msg, "provider = no-such-cloud");
    assert_null(provider);
    aws_done(w);
}

/* What DMI says of the machine that this runs on. */
static bool on_ec2(void)
{
    struct kit_hostid id;

    kit_hostid_read(&id);
    return kit_str_eq(id.vendor, "Amazon EC2") || kit_str_eq(id.bios_vendor, "Amazon EC2") ||
           kit_str_ends(id.bios_version, ".amazon");
}

static void auto_asks_the_metadata_service(void **state)
{
    static const struct {
        struct fake_answer answer;
        bool found;
    } rows[] = {
        {{.status = 200, .body = "a-token"}, true},
        {{.status = 200, .body = "<html>\n not one </html>"}, false},
        {{.status = 404}, false},
        {{.status = 500}, false},
        {{.how = FAKE_NO_CONNECT}, false},
    };

    (void)state;
    if (on_ec2()) {
        print_message("# skip: needs a host that is no EC2 instance: here nobody is asked\n");
        skip();
    }
    for (size_t i = 0; i < KIT_LEN(rows); i++) {
        struct aws_world *w = aws_begin("route-table");
        const struct kit_provider *provider = NULL;
        struct kit_err err;

        aws_put(w, 0, KIT_PARAM_PROVIDER, "auto");
        aws_reply_with(w, "PUT api/token", rows[i].answer, 0);
        assert_int_equal(choose(w, &provider, &err), rows[i].found ? 0 : -1);
        /* Each provider's once, in their order, not until the deadline. */
        assert_int_equal(w->net.requests, rows[i].found ? 1 : 2);
        if (rows[i].found) {
            assert_string_equal(provider->name, "aws");
        } else {
            assert_int_equal(err.kind, KIT_ERR_TRANSIENT); /* it may just be away */
            fake_assert_text(err.msg, "set `provider`");
            assert_null(provider);
        }
        aws_done(w);
    }
}

static void a_scenario_has_its_mover(void **state)
{
    static const char *const scenarios[] = {"route-table", "elastic-ip"};

    (void)state;
    for (size_t i = 0; i < KIT_LEN(scenarios); i++) {
        struct aws_world *w = aws_begin(scenarios[i]);
        const struct kit_mover *mover = aws_mover(w);

        assert_string_equal(mover->scenario, scenarios[i]);
        assert_string_equal(mover->provider, "aws");
        aws_done(w);
    }
}

static void a_scenario_that_the_provider_lacks(void **state)
{
    struct aws_world *w = aws_begin("havip");
    const struct kit_mover *mover = NULL;
    struct kit_err err;

    (void)state;
    assert_int_equal(kit_registry_mover(w->provider, &w->settings[0], &mover, &err), -1);
    assert_int_equal(err.kind, KIT_ERR_CONFIG);
    fake_assert_text(err.msg, "scenario = havip: not on provider aws");
    fake_assert_text(err.msg, "route-table");
    fake_assert_text(err.msg, "elastic-ip");

    struct kit_settings none;
    kit_settings_init(&none, "none");
    assert_int_equal(kit_registry_mover(w->provider, &none, &mover, &err), -1);
    assert_int_equal(err.kind, KIT_ERR_CONFIG);
    fake_assert_text(err.msg, "`scenario` is missing");
    fake_assert_text(err.msg, "route-table");
    kit_settings_done(&none);
    assert_null(mover);
    aws_done(w);
}

static void every_mover_is_whole(void **state)
{
    size_t count = 0;

    (void)state;
    for (const struct kit_mover *const *m = kit_registry_movers; *m; m++, count++) {
        assert_non_null((*m)->provider);
        assert_non_null((*m)->scenario);
        assert_non_null((*m)->moves);
        assert_non_null((*m)->locate);
        assert_non_null((*m)->claim);
        assert_true((*m)->params_count > 0);
        assert_true((*m)->permissions_count > 0);
        for (size_t i = 0; i < (*m)->params_count; i++)
            for (size_t k = 0; k < i; k++)
                assert_int_not_equal((*m)->params[i].param, (*m)->params[k].param);
        for (size_t i = 0; i < (*m)->permissions_count; i++)
            assert_non_null(strchr((*m)->permissions[i].action, ':'));
        for (size_t i = 0; i < (*m)->rules_count; i++)
            assert_true((*m)->rules[i].means && (*m)->rules[i].remedy);
        for (const struct kit_mover *const *n = kit_registry_movers; n != m; n++)
            assert_false(kit_str_eq((*n)->provider, (*m)->provider) &&
                         kit_str_eq((*n)->scenario, (*m)->scenario));
    }
    assert_true(count >= 2);
}

static void certificates_of_the_providers_own_variable(void **state)
{
    (void)state;
    assert_int_equal(unsetenv("AWS_CA_BUNDLE"), 0);
    assert_null(kit_registry_ca_file());
    assert_int_equal(setenv("AWS_CA_BUNDLE", "", 1), 0);
    assert_null(kit_registry_ca_file());
    assert_int_equal(setenv("AWS_CA_BUNDLE", "/etc/own.pem", 1), 0);
    assert_string_equal(kit_registry_ca_file(), "/etc/own.pem");
    assert_int_equal(unsetenv("AWS_CA_BUNDLE"), 0);
}

static void facts_grow_and_are_found(void **state)
{
    struct kit_facts facts = {.me = "eni-1"};
    char place[16];

    (void)state;
    assert_null(kit_facts_find(&facts, "p0"));
    for (unsigned i = 0; i < 100; i++) {
        struct kit_binding *b = kit_facts_add(&facts);
        static const struct kit_binding zero;
        assert_memory_equal(b, &zero, sizeof(zero));
        assert_true(kit_str_format(b->place, sizeof(b->place), "p%u", i));
    }
    assert_int_equal(facts.count, 100);
    for (unsigned i = 0; i < 100; i++) {
        assert_true(kit_str_format(place, sizeof(place), "p%u", i));
        assert_ptr_equal(kit_facts_find(&facts, place), &facts.binding[i]);
    }
    assert_null(kit_facts_find(&facts, "p"));
    assert_null(kit_facts_find(&facts, "p100"));
    kit_facts_done(&facts);
    assert_int_equal(facts.count, 0);
    assert_string_equal(facts.me, "");
    kit_facts_done(&facts);
}

static void a_permission_is_needed_with_some_settings(void **state)
{
    static const struct {
        enum kit_param param;
        const char *when, *value;
        bool applies;
    } rows[] = {
        {KIT_PARAM_NONE, NULL, NULL, true},
        {KIT_PARAM_CREATE_ROUTE, "yes", "yes", true},
        {KIT_PARAM_CREATE_ROUTE, "yes", "true", true},
        {KIT_PARAM_CREATE_ROUTE, "yes", "no", false},
        {KIT_PARAM_CREATE_ROUTE, "yes", NULL, false}, /* the default */
        {KIT_PARAM_EIP_MODE, "cut-through|multi", "multi", true},
        {KIT_PARAM_EIP_MODE, "cut-through|multi", "nat", false},
        {KIT_PARAM_EIP_MODE, "multicast", "multi", false},
        {KIT_PARAM_EIP_MODE, "mult", "multi", false},
        {KIT_PARAM_SOURCE_DEST_CHECK, "disable|verify", NULL, true},
        {KIT_PARAM_ADDRESS, "ipv4", "10.1.0.10", true},
        {KIT_PARAM_ADDRESS, "ipv6", "10.1.0.10", false},
        {KIT_PARAM_ADDRESS, "ipv6", "fd00::1", true},
        {KIT_PARAM_ADDRESS, "ipv4|ipv6", NULL, false},
        {KIT_PARAM_HAVIP_ID, "havip-1", NULL, false},
        {KIT_PARAM_HAVIP_ID, "*", "havip-1", true},
        {KIT_PARAM_HAVIP_ID, "*", NULL, false},
        {KIT_PARAM_ROUTE_TABLES, "", NULL, true},
        {KIT_PARAM_ROUTE_TABLES, "", "vtb-1", false},
    };

    (void)state;
    for (size_t i = 0; i < KIT_LEN(rows); i++) {
        const struct kit_permission permission = {.only_with = rows[i].param, .when = rows[i].when};
        struct kit_settings settings;
        struct kit_err err;

        kit_settings_init(&settings, "r1");
        if (rows[i].value)
            assert_int_equal(
                kit_settings_put(&settings, rows[i].param, rows[i].value, "test", &err), 0);
        assert_int_equal(kit_permission_applies(&permission, &settings), rows[i].applies);
        kit_settings_done(&settings);
    }
}

/* Evidence is the answer. */
static enum kit_rule_answer as_told(const void *evidence, struct kit_buf *detail)
{
    (void)kit_buf_puts(detail, "so it is");
    return *(const enum kit_rule_answer *)evidence;
}

static enum kit_rule_answer unread(const void *evidence, struct kit_buf *detail)
{
    (void)evidence;
    (void)detail;
    return KIT_RULE_NOT_KNOWN;
}

static void what_could_not_be_checked_is_told_apart(void **state)
{
    static const struct kit_rule rules[] = {{1, KIT_RULE_WARN, "", "", as_told},
                                            {2, KIT_RULE_WARN, "", "", unread}};
    enum kit_rule_answer answer = KIT_RULE_HOLDS;
    struct kit_facts facts = {0};

    (void)state;
    kit_rules_check(rules, 2, &answer, &facts);
    assert_int_equal(facts.breaches + facts.unknowns, 0);
    answer = KIT_RULE_BROKEN;
    kit_rules_check(rules, 2, &answer, &facts);
    assert_int_equal(facts.breaches, 1);
    assert_int_equal(facts.unknowns, 0);
    answer = KIT_RULE_NOT_KNOWN;
    for (size_t i = 0; i < 2 * KIT_BREACHES; i++)
        kit_rules_check(rules, 2, &answer, &facts);
    assert_int_equal(facts.breaches, 1);
    assert_int_equal(facts.unknowns, KIT_BREACHES);
    for (size_t i = 0; i < KIT_BREACHES; i++) {
        assert_int_equal(facts.unknown[i].rule->number, 1);
        assert_string_equal(facts.unknown[i].detail, "so it is");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_named_provider_is_taken_without_a_question),
        cmocka_unit_test(a_provider_that_is_not_built_in),
        cmocka_unit_test(auto_asks_the_metadata_service),
        cmocka_unit_test(a_scenario_has_its_mover),
        cmocka_unit_test(a_scenario_that_the_provider_lacks),
        cmocka_unit_test(every_mover_is_whole),
        cmocka_unit_test(certificates_of_the_providers_own_variable),
        cmocka_unit_test(facts_grow_and_are_found),
        cmocka_unit_test(a_permission_is_needed_with_some_settings),
        cmocka_unit_test(what_could_not_be_checked_is_told_apart),
    };
    return cmocka_run_group_tests_name("cloud/registry", tests, NULL, NULL);
}
