/* tests/unit/aws_ec2.c - what the EC2 movers share: who we are, an ENI's fields, a step's result.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kit/cloud/aws/ec2.h"
#include "kit/sys/link.h"
#include "tests/unit/aws_route.h"

/* ---- who we are, from the metadata service --------------------------------------------------- */
static void metadata(struct aws_world *w, const char *path, const char *value)
{
    aws_reply(w, path, NULL, value);
}

static void what_is_not_set_is_asked_of_the_metadata_service_once(void **state)
{
    struct aws_world *w = aws_begin("route-table");

    (void)state;
    assert_int_equal(unsetenv("AWS_REGION"), 0);
    aws_put(w, 0, KIT_PARAM_ADDRESS, "10.1.0.10");
    aws_put(w, 0, KIT_PARAM_ENI, "eni-1");
#define MAC "02:00:5e:00:53:01"
    metadata(w, "PUT api/token", "a-token");
    metadata(w, "GET meta-data/placement/region", "eu-west-1\n");
    metadata(w, "GET meta-data/mac", MAC "\n");
    metadata(w, "GET meta-data/network/interfaces/macs/" MAC "/interface-id", "eni-0");
    metadata(w, "GET meta-data/network/interfaces/macs/" MAC "/vpc-id", "vpc-1");
    metadata(w, "GET meta-data/network/interfaces/macs/" MAC "/local-ipv4s", "10.0.0.5\n10.0.0.6");
    metadata(w, "GET meta-data/instance-id", "i-1");
    aws_reply(w, "DescribeRouteTables", "vpc-1", TABLES(TABLE("rtb-1", VIP_ON("1"))));
    for (unsigned round = 0; round < 2; round++) {
        struct kit_facts facts = aws_facts_of_one(w, false);
        assert_int_equal(facts.count, 1);
        assert_binding(&facts, 0, "rtb-1", KIT_BINDING_HELD, "eni-1"); /* not eni-0 */
        kit_facts_done(&facts);
        assert_int_equal(w->caller.stats.metadata, 8);
        assert_int_equal(w->caller.stats.calls, 1 + round);
    }
    for (size_t i = 0; i < 7; i++) {
        assert_true(kit_str_starts(w->net.request[i].url, IMDS));
        assert_true(w->net.request[i].no_proxy);
    }
    aws_done(w);
}

/* A link of this host with a MAC that can be an ENI's; false when there is none. */
static bool find_link(struct kit_link *ret_link)
{
    static const char *const names[] = {"eth0", "ens5", "ens3", "enp0s3", "enp1s0", "eth1"};
    struct kit_err err;

    for (size_t i = 0; i < KIT_LEN(names); i++)
        if (!kit_link_read(names[i], ret_link, &err) && ret_link->mac[0])
            return true;
    return false;
}

static void an_interface_is_known_by_its_mac(void **state)
{
    static char path[3][160];
    static const char *const leaf[] = {"interface-id", "vpc-id", "local-ipv4s"};
    static const char *const value[] = {"eni-1", "vpc-1", "10.0.0.5"};
    struct kit_link link;

    (void)state;
    if (!find_link(&link)) {
        print_message("# skip: needs an interface with a MAC\n");
        skip();
    }
    struct aws_world *w = aws_begin("route-table");
    aws_put(w, 0, KIT_PARAM_ADDRESS, "10.1.0.10");
    aws_put(w, 0, KIT_PARAM_INTERFACE, link.name);
    metadata(w, "PUT api/token", "a-token");
    metadata(w, "GET meta-data/instance-id", "i-1");
    for (size_t i = 0; i < 3; i++) {
        assert_true(kit_str_format(path[i], sizeof(path[i]),
                                   "GET meta-data/network/interfaces/macs/%s/%s", link.mac,
                                   leaf[i]));
        metadata(w, path[i], value[i]);
    }
    aws_reply(w, "DescribeRouteTables", "vpc-1", TABLES(TABLE("rtb-1", VIP_ON("1"))));
    for (unsigned round = 0; round < 2; round++) {
        struct kit_facts facts = aws_facts_of_one(w, false);
        assert_string_equal(facts.me, "eni-1");
        assert_string_equal(facts.my_node, "i-1");
        assert_binding(&facts, 0, "rtb-1", KIT_BINDING_HELD, "eni-1");
        kit_facts_done(&facts);
        assert_int_equal(w->caller.stats.metadata, 5); /* once */
    }
    aws_done(w);
}

static void a_mac_that_is_no_enis_is_refused(void **state)
{
    static const struct fake_answer none = {.status = 404};
    struct kit_link link;

    (void)state;
    if (!find_link(&link)) {
        print_message("# skip: needs an interface with a MAC\n");
        skip();
    }
    struct aws_world *w = aws_begin("route-table");
    aws_put(w, 0, KIT_PARAM_ADDRESS, "10.1.0.10");
    aws_put(w, 0, KIT_PARAM_INTERFACE, link.name);
    metadata(w, "PUT api/token", "a-token");
    metadata(w, "GET meta-data/instance-id", "i-1");
    static const char *const leaf[] = {"interface-id", "vpc-id", "local-ipv4s"};
    static char paths[3][160];
    for (size_t i = 0; i < 3; i++) {
        assert_true(kit_str_format(paths[i], sizeof(paths[i]),
                                   "GET meta-data/network/interfaces/macs/%s/%s", link.mac,
                                   leaf[i]));
        aws_reply_with(w, paths[i], none, 0);
    }
    struct kit_query query = aws_locate_one(w, false);
    assert_true(query.failed);
    assert_int_equal(query.err.kind, KIT_ERR_CONFIG);
    fake_assert_text(query.err.msg, link.mac);
    fake_assert_text(query.err.msg, "no ENI of this instance");
    kit_facts_done(&query.facts);
    aws_done(w);
}

static void the_primary_address_is_where_an_elastic_ip_belongs(void **state)
{
#define EIP(private_address)                                                                       \
    EC2_ANSWER("DescribeAddresses",                                                                \
               "<addressesSet><item><publicIp>198.51.100.7</publicIp><allocationId>eipalloc-1"     \
               "</allocationId><associationId>eipassoc-1</associationId><networkInterfaceId>eni-1" \
               "</networkInterfaceId><privateIpAddress>" private_address                           \
               "</privateIpAddress></item></addressesSet>")
    static const struct {
        const char *body;
        bool right;
    } rows[] = {{EIP("10.0.0.5"), true}, {EIP("10.0.0.6"), false}, {EIP(""), false}};
    static char path[160];
    struct kit_link link;

    (void)state;
    if (!find_link(&link)) {
        print_message("# skip: needs an interface with a MAC\n");
        skip();
    }
    for (size_t i = 0; i < KIT_LEN(rows); i++) {
        struct aws_world *w = aws_begin("elastic-ip");

        aws_put(w, 0, KIT_PARAM_ADDRESS, "198.51.100.7");
        aws_put(w, 0, KIT_PARAM_INTERFACE, link.name);
        metadata(w, "PUT api/token", "a-token");
        assert_true(kit_str_format(path, sizeof(path),
                                   "GET meta-data/network/interfaces/macs/%s/%s", link.mac,
                                   "local-ipv4s"));
        metadata(w, path, "10.0.0.5\n10.0.0.6\n");
        w->reply[w->replies++] =
            (struct aws_reply){.action = "GET *", .answer = {.status = 200, .body = "eni-1"}};
        aws_reply(w, "DescribeAddresses", NULL, rows[i].body);
        struct kit_facts facts = aws_facts_of_one(w, false);
        assert_true(facts.binding[0].mine);
        assert_int_equal(facts.binding[0].right, rows[i].right);
        kit_facts_done(&facts);
        aws_done(w);
    }
}

static void without_any_metadata_service_it_is_said_what_to_set(void **state)
{
    static const struct {
        const char *says;
        bool region;
    } rows[] = {{"set `vpc_id`", true}, {"set `region`", false}};

    (void)state;
    for (size_t i = 0; i < KIT_LEN(rows); i++) {
        struct aws_world *w = aws_begin("route-table");
        struct kit_query query = {.settings = &w->settings[0]};
        struct kit_err err;

        if (!rows[i].region)
            assert_int_equal(unsetenv("AWS_REGION"), 0);
        aws_put(w, 0, KIT_PARAM_ADDRESS, "10.1.0.10");
        aws_put(w, 0, KIT_PARAM_ENI, "eni-1");
        aws_reply_with(w, "PUT api/token", (struct fake_answer){.how = FAKE_NO_CONNECT}, 0);
        int rc = aws_mover(w)->locate(w->cloud, &query, 1, aws_in_a_minute(w), &err);
        assert_int_equal(rc, rows[i].region ? 0 : -1);
        if (!rc) {
            assert_true(query.failed);
            err = query.err;
        }
        assert_int_equal(err.kind, KIT_ERR_TRANSIENT); /* it may come back: UNKNOWN, not lost */
        fake_assert_text(err.msg, rows[i].says);
        kit_facts_done(&query.facts);
        aws_done(w);
    }
}

static void enis_are_read(void **state)
{
    static const struct {
        const char *item;
        struct aws_eni eni;
        bool is_eni;
    } rows[] = {
        {"<item><networkInterfaceId>eni-1</networkInterfaceId><attachment><instanceId>i-1"
         "</instanceId></attachment><macAddress>06:00:0a:00:01:03</macAddress><interfaceType>efa</"
         "interfaceType><requesterManaged>true"
         "</requesterManaged><sourceDestCheck>false</sourceDestCheck></item>",
         {"eni-1", "i-1", "06:00:0a:00:01:03", "efa", true, false},
         true},
        {"<item><networkInterfaceId>eni-1</networkInterfaceId></item>",
         {"eni-1", "", "", "", false, true},
         true},
        {"<item><networkInterfaceId>eni-1</networkInterfaceId><requesterManaged>maybe"
         "</requesterManaged><sourceDestCheck>0123456789</sourceDestCheck></item>",
         {"eni-1", "", "", "", false, true},
         true},
        {"<item><attachment><networkInterfaceId>eni-1</networkInterfaceId></attachment></item>",
         {.id = ""},
         false},
        {"<item/>", {.id = ""}, false},
    };

    (void)state;
    for (size_t i = 0; i < KIT_LEN(rows); i++) {
        KIT_AUTO(kit_xml) xml = {0};
        struct aws_eni eni;
        struct kit_err err;

        assert_int_equal(kit_xml_parse(rows[i].item, strlen(rows[i].item), &xml, &err), 0);
        assert_int_equal(aws_eni_decode(kit_xml_root(&xml), &eni), rows[i].is_eni);
        if (!rows[i].is_eni)
            continue;
        assert_string_equal(eni.id, rows[i].eni.id);
        assert_string_equal(eni.node, rows[i].eni.node);
        assert_string_equal(eni.mac, rows[i].eni.mac);
        assert_string_equal(eni.type, rows[i].eni.type);
        assert_int_equal(eni.requester_managed, rows[i].eni.requester_managed);
        assert_int_equal(eni.source_dest_check, rows[i].eni.source_dest_check);
    }
}

static void steps_have_results(void **state)
{
    static const struct {
        bool failed, open;
        enum aws_error_note note;
        enum kit_step_result result;
    } rows[] = {
        {false, false, AWS_NOTE_NONE, KIT_STEP_DONE},
        {true, true, AWS_NOTE_NONE, KIT_STEP_OPEN},
        {true, false, AWS_NOTE_TAKEN, KIT_STEP_OPEN},
        {true, false, AWS_NOTE_NONE, KIT_STEP_FAILED},
        {true, false, AWS_NOTE_GONE, KIT_STEP_FAILED},
    };

    (void)state;
    for (size_t i = 0; i < KIT_LEN(rows); i++) {
        struct aws_query q = {.note = rows[i].note};
        struct kit_step step = {.result = KIT_STEP_PENDING};

        q.call.failed = rows[i].failed;
        (void)kit_err_set(&q.call.err, KIT_ERR_REFUSED, "why %zu", i);
        q.call.err.outcome_open = rows[i].open;
        aws_step_result(&q, &step);
        assert_int_equal(step.result, rows[i].result);
        if (rows[i].failed)
            assert_string_equal(step.err.msg, q.call.err.msg);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_not_set_is_asked_of_the_metadata_service_once),
        cmocka_unit_test(an_interface_is_known_by_its_mac),
        cmocka_unit_test(a_mac_that_is_no_enis_is_refused),
        cmocka_unit_test(the_primary_address_is_where_an_elastic_ip_belongs),
        cmocka_unit_test(without_any_metadata_service_it_is_said_what_to_set),
        cmocka_unit_test(enis_are_read),
        cmocka_unit_test(steps_have_results),
    };
    return cmocka_run_group_tests_name("aws/ec2", tests, NULL, NULL);
}
