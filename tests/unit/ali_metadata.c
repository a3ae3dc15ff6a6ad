/* kit/cloud/aliyun/metadata and me: tokens, items, and this node as they tell it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kit/sys/link.h"
#include "tests/unit/ali_creds_world.h"

static int read_one(const char *path, bool optional, struct kit_metadata_item *item,
                    struct kit_err *err)
{
    *item = (struct kit_metadata_item){
        .path = path, .optional = optional, .value = KIT_BUF_SECRET(KIT_METADATA_BODY_BYTES)};
    return ali_metadata_read(session->cloud, item, 1, ali_soon(session), err);
}

static void items_with_a_token(void **state)
{
    struct kit_metadata_item item;
    struct kit_err err;

    (void)state;
    world.item[0][0] = "meta-data/zone-id";
    world.item[0][1] = "cn-shanghai-b\n";
    assert_int_equal(read_one("meta-data/zone-id", false, &item, &err), 0);
    assert_true(item.found);
    assert_string_equal(item.value.data, "cn-shanghai-b");
    kit_buf_done(&item.value);
    assert_int_equal(read_one("meta-data/eipv4", true, &item, &err), 0);
    assert_false(item.found);
    kit_buf_done(&item.value);
    assert_int_equal(read_one("meta-data/eipv4", false, &item, &err), -1);
    assert_int_equal(err.kind, KIT_ERR_NOT_FOUND);
    kit_buf_done(&item.value);
    assert_int_equal(world.tokens, 1);
    assert_int_equal(session->caller.stats.calls, 0);
    assert_int_equal(session->caller.stats.metadata, 4);
}

static void a_token_that_ran_out_is_fetched_anew_once(void **state)
{
    static const int statuses[] = {401, 403};
    struct kit_metadata_item item;
    struct kit_err err;

    (void)state;
    world.item[0][0] = "meta-data/zone-id";
    world.item[0][1] = "b";
    for (size_t i = 0; i < KIT_LEN(statuses); i++) {
        reopen();
        world.stale_status = statuses[i];
        world.tokens = 0;
        world.stale_tokens = 1;
        assert_int_equal(read_one("meta-data/zone-id", false, &item, &err), 0);
        assert_int_equal(world.tokens, 2);
        kit_buf_done(&item.value);
        world.stale_tokens = 99;
        world.tokens = 0;
        assert_int_equal(read_one("meta-data/zone-id", false, &item, &err), -1);
        assert_int_equal(err.kind, statuses[i] == 401 ? KIT_ERR_AUTH : KIT_ERR_CONFIG);
        assert_int_equal(world.tokens, 1);
        kit_buf_done(&item.value);
    }
}

static void what_answers_instead(void **state)
{
    static const struct {
        int status;
        enum kit_err_kind kind;
        const char *says;
        unsigned tokens;
    } rows[] = {
        {404, KIT_ERR_CONFIG, "no metadata service with tokens", 1},
        {405, KIT_ERR_CONFIG, "no metadata service with tokens", 1},
        {403, KIT_ERR_CONFIG, "refuses this instance", 1},
        {302, KIT_ERR_PROTOCOL, "HTTP 302", 3},
        {503, KIT_ERR_TRANSIENT, "no answer from the metadata service at http://100.100.100.200/",
         5},
    };
    struct kit_metadata_item item;
    struct kit_err err;

    (void)state;
    for (size_t i = 0; i < KIT_LEN(rows); i++) {
        world.token_status = rows[i].status;
        world.tokens = 0;
        assert_int_equal(read_one("meta-data/zone-id", false, &item, &err), -1);
        assert_int_equal(err.kind, rows[i].kind);
        fake_assert_text(err.msg, rows[i].says);
        assert_int_equal(world.tokens, rows[i].tokens);
        kit_buf_done(&item.value);
    }
    assert_false(kit_aliyun.answers(&session->settings, &session->caller, ali_soon(session)));
    assert_int_equal(world.tokens, 6);
    world.token_status = 200;
    assert_true(kit_aliyun.answers(&session->settings, &session->caller, ali_soon(session)));
}

static void it_may_be_elsewhere_or_off(void **state)
{
    static const struct {
        const char *variable, *base;
    } rows[] = {
        {"http://127.0.0.1:8080", "http://127.0.0.1:8080/latest/"},
        {"127.0.0.1:8080", "http://127.0.0.1:8080/latest/"},
        {"http://127.0.0.1:8080/ali/", "http://127.0.0.1:8080/ali/latest/"},
    };
    struct kit_metadata_item item;
    struct kit_err err;

    (void)state;
    world.item[0][0] = "meta-data/zone-id";
    world.item[0][1] = "b";
    for (size_t i = 0; i < KIT_LEN(rows); i++) {
        (void)setenv("ALIBABA_CLOUD_ECS_METADATA_ENDPOINT", rows[i].variable, 1);
        world.metadata_base = rows[i].base;
        assert_int_equal(read_one("meta-data/zone-id", false, &item, &err), 0);
        kit_buf_done(&item.value);
    }
    ali_session_put(session, KIT_PARAM_METADATA_ENDPOINT, "http://127.0.0.1:9/p");
    world.metadata_base = "http://127.0.0.1:9/p/latest/";
    assert_int_equal(read_one("meta-data/zone-id", false, &item, &err), 0);
    kit_buf_done(&item.value);

    (void)setenv("ALIBABA_CLOUD_ECS_METADATA_DISABLED", "true", 1);
    unsigned before = world.gets;
    assert_int_equal(read_one("meta-data/zone-id", false, &item, &err), -1);
    assert_int_equal(err.kind, KIT_ERR_CONFIG);
    fake_assert_text(err.msg, "ALIBABA_CLOUD_ECS_METADATA_DISABLED");
    assert_int_equal(world.gets, before);
    kit_buf_done(&item.value);
}

static void the_region(void **state)
{
    struct kit_err err;

    (void)state;
    kit_settings_done(&session->settings);
    kit_settings_init(&session->settings, "vip1");
    (void)setenv("ALIBABA_CLOUD_ACCESS_KEY_ID", "K", 1);
    (void)setenv("ALIBABA_CLOUD_ACCESS_KEY_SECRET", SECRET, 1);
    assert_int_equal(ali_ready(session->cloud, ali_soon(session), &err), -1);
    fake_assert_text(err.msg, "find the region (set `region`");

    world.item[0][0] = "meta-data/region-id";
    world.item[0][1] = "cn-beijing";
    assert_int_equal(ali_ready(session->cloud, ali_soon(session), &err), 0);
    assert_string_equal(session->cloud->region, "cn-beijing");
    assert_string_equal(session->cloud->ecs.url, "https://ecs.cn-beijing.aliyuncs.com/");

    write_file(cli_path, "{\"profiles\":[{\"name\":\"default\",\"region_id\":\"cn-shenzhen\"}]}");
    reopen();
    assert_int_equal(ali_ready(session->cloud, ali_soon(session), &err), 0);
    assert_string_equal(session->cloud->region, "cn-shenzhen");
    (void)setenv("ALIBABA_CLOUD_REGION_ID", "cn-chengdu", 1);
    reopen();
    assert_int_equal(ali_ready(session->cloud, ali_soon(session), &err), 0);
    assert_string_equal(session->cloud->region, "cn-chengdu");
    ali_session_put(session, KIT_PARAM_REGION, "cn-qingdao");
    reopen();
    assert_int_equal(ali_ready(session->cloud, ali_soon(session), &err), 0);
    assert_string_equal(session->cloud->region, "cn-qingdao");
}

/* ---- this node ------------------------------------------------------------------------------- */

static struct kit_me find(unsigned wants)
{
    struct kit_me me = {.eni = "before"};
    struct kit_err err;

    if (ali_me_find(session->cloud, &session->settings, wants, ali_soon(session), &me, &err))
        fail_msg("%s", err.msg);
    return me;
}

static void finds_not(unsigned wants, enum kit_err_kind kind, const char *says)
{
    struct kit_me me = {.eni = "before"};
    struct kit_err err;

    assert_int_equal(
        ali_me_find(session->cloud, &session->settings, wants, ali_soon(session), &me, &err), -1);
    if (err.kind != kind || !strstr(err.msg, says))
        fail_msg("%s: %s", kit_err_name(err.kind), err.msg);
    assert_string_equal(me.eni, "before");
}

static void a_named_eni_needs_nobody(void **state)
{
    (void)state;
    ali_session_put(session, KIT_PARAM_ENI, "eni-1");
    ali_session_put(session, KIT_PARAM_VPC_ID, "vpc-9");
    struct kit_me me = find(ALI_ME_ENI | ALI_ME_VPC);
    assert_string_equal(me.eni, "eni-1");
    assert_string_equal(me.vpc, "vpc-9");
    assert_string_equal(me.interface, "");
    assert_string_equal(me.node, "");
    assert_int_equal(session->net.requests, 0);
}

static void the_instance(void **state)
{
    (void)state;
    finds_not(ALI_ME_NODE, KIT_ERR_PROTOCOL, "names no instance");
    reopen();
    world.item[0][0] = "meta-data/instance-id";
    world.item[0][1] = "i-1";
    world.item[1][0] = "meta-data/zone-id";
    world.item[1][1] = "cn-shanghai-b";
    finds_not(ALI_ME_NODE | ALI_ME_VPC, KIT_ERR_CONFIG, "names no VPC: set `vpc_id`");
    reopen();
    world.item[2][0] = "meta-data/vpc-id";
    world.item[2][1] = "vpc-1";
    ali_session_put(session, KIT_PARAM_ENI, "eni-7");
    struct kit_me me = find(ALI_ME_ENI | ALI_ME_NODE | ALI_ME_VPC);
    assert_string_equal(me.eni, "eni-7");
    assert_string_equal(me.node, "i-1");
    assert_string_equal(me.zone, "cn-shanghai-b");
    assert_string_equal(me.vpc, "vpc-1");
    unsigned before = world.gets;
    assert_string_equal(find(ALI_ME_NODE).node, "i-1");
    assert_int_equal(world.gets, before); /* asked once */
    /* Not asked for, so not ours: the movable ENI of another scenario. */
    assert_string_equal(find(ALI_ME_NODE).eni, "");
}

static void an_interface_by_its_mac(void **state)
{
    char path[4][96];
    struct kit_link link;
    struct kit_err err;

    (void)state;
    finds_not(ALI_ME_ENI, KIT_ERR_CONFIG, "set `interface`");
    ali_session_put(session, KIT_PARAM_INTERFACE, "lo");
    finds_not(ALI_ME_ENI, KIT_ERR_CONFIG, "no MAC address");
    ali_session_put(session, KIT_PARAM_INTERFACE, "nosuch0");
    finds_not(ALI_ME_ENI, KIT_ERR_CONFIG, "nosuch0");
    if (kit_link_read("eth0", &link, &err) || !link.mac[0])
        skip(); /* a container without a network */
    ali_session_put(session, KIT_PARAM_INTERFACE, "eth0");
    finds_not(ALI_ME_ENI, KIT_ERR_CONFIG, "is no ENI of this instance");

    static const char *const leaf[4][2] = {{"network-interface-id", "eni-1\n"},
                                           {"vpc-id", "vpc-1"},
                                           {"vswitch-id", "vsw-1"},
                                           {"primary-ip-address", "10.0.0.5"}};
    for (size_t i = 0; i < 4; i++) {
        (void)kit_str_format(path[i], sizeof(path[i]), "meta-data/network/interfaces/macs/%s/%s",
                             link.mac, leaf[i][0]);
        world.item[i][0] = path[i];
        world.item[i][1] = leaf[i][1];
    }
    world.item[4][0] = "meta-data/instance-id";
    world.item[4][1] = "i-1";
    struct kit_me me = find(ALI_ME_ENI | ALI_ME_NODE | ALI_ME_VPC);
    assert_string_equal(me.interface, "eth0");
    assert_string_equal(me.mac, link.mac);
    assert_string_equal(me.eni, "eni-1");
    assert_string_equal(me.vpc, "vpc-1");
    assert_string_equal(me.vswitch, "vsw-1");
    assert_string_equal(me.primary, "10.0.0.5");
    assert_string_equal(me.node, "i-1");
    unsigned before = world.gets;
    ali_session_put(session, KIT_PARAM_VPC_ID, "vpc-9");
    assert_string_equal(find(ALI_ME_ENI).vpc, "vpc-9");
    assert_int_equal(world.gets, before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(items_with_a_token),   TEST(a_token_that_ran_out_is_fetched_anew_once),
        TEST(what_answers_instead), TEST(it_may_be_elsewhere_or_off),
        TEST(the_region),           TEST(a_named_eni_needs_nobody),
        TEST(the_instance),         TEST(an_interface_by_its_mac),
    };
    return cmocka_run_group_tests_name("aliyun/metadata", tests, NULL, NULL);
}
