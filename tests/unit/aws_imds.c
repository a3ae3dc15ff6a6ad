/* kit/cloud/aws/imds, and the instance's role that it gives. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/aws_creds_world.h"

static void the_instances_role(void **state)
{
    (void)state;
    gives("INSTANCE");
    assert_int_equal(cloud->creds.expires_s, 1767344400);
    assert_int_equal(world.tokens, 1);
    assert_int_equal(caller.stats.calls, 0);

    world.stale_tokens = 1;
    reopen();
    gives("INSTANCE");
    assert_int_equal(world.tokens, 3); /* one for the session, one after the 401 */

    world.stale_tokens = 9;
    refuses(KIT_ERR_AUTH, "refused its own token");
    world.stale_tokens = 0;

    world.token_status = 403;
    refuses(KIT_ERR_CONFIG, "switched off");
    world.token_status = 404;
    refuses(KIT_ERR_CONFIG, "no metadata service of version 2");
    unsigned before = world.tokens;
    world.token_status = 503;
    refuses(KIT_ERR_TRANSIENT, "no answer from the metadata service");
    assert_int_equal(world.tokens - before, 5);
    caller.policy.max_tries = 2;
    before = world.tokens;
    refuses(KIT_ERR_TRANSIENT, "no answer from the metadata service");
    assert_int_equal(world.tokens - before, 2);
    world.token_status = 200;
    world.silent = true;
    refuses(KIT_ERR_TRANSIENT, "hop limit");
    world.silent = false;

    (void)setenv("AWS_EC2_METADATA_DISABLED", "true", 1);
    before = world.tokens;
    refuses(KIT_ERR_AUTH, "AWS_EC2_METADATA_DISABLED");
    assert_int_equal(world.tokens, before);
}

static void a_role_that_is_none(void **state)
{
    static const char *const names[] = {"../../user-data", "a b",   "x?y",   "..",
                                        ".hidden",         "a%2fb", "role/x"};

    (void)state;
    for (size_t i = 0; i < KIT_LEN(names); i++) {
        world.role = names[i];
        refuses(KIT_ERR_PROTOCOL, "no role's name");
    }
    world.role = "node-role\n";
    reopen();
    gives("INSTANCE");
    set_role_json("{\"Code\":\"AssumeRoleUnauthorizedAccess\",\"Message\":\"x\"}");
    refuses(KIT_ERR_AUTH, "AssumeRoleUnauthorizedAccess");
    set_role_json("<html>" SECRET "</html>");
    refuses(KIT_ERR_AUTH, "not JSON");
    world.role = "\n";
    refuses(KIT_ERR_AUTH, "no credentials");
}

static void items_of_the_metadata_service(void **state)
{
    struct kit_metadata_item item[] = {
        {.path = "meta-data/placement/region", .value = KIT_BUF_SECRET(KIT_METADATA_BODY_BYTES)},
        {.path = "meta-data/none",
         .optional = true,
         .value = KIT_BUF_SECRET(KIT_METADATA_BODY_BYTES)},
    };
    struct kit_err err;

    (void)state;
    assert_int_equal(aws_imds_read(cloud, item, 2, soon(), &err), 0);
    assert_true(item[0].found);
    assert_string_equal(item[0].value.data, "us-east-1");
    assert_false(item[1].found);
    item[1].optional = false;
    assert_int_equal(aws_imds_read(cloud, item, 2, soon(), &err), -1);
    assert_int_equal(err.kind, KIT_ERR_NOT_FOUND);
    assert_int_equal(world.tokens, 1);
    kit_buf_done(&item[0].value);
    kit_buf_done(&item[1].value);

    assert_true(aws_imds_answers(cloud, soon()));
    unsigned before = world.tokens;
    world.token_status = 500;
    assert_false(aws_imds_answers(cloud, soon()));
    assert_int_equal(world.tokens - before, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_instances_role),
        TEST(a_role_that_is_none),
        TEST(items_of_the_metadata_service),
    };
    return cmocka_run_group_tests_name("aws/imds", tests, NULL, NULL);
}
