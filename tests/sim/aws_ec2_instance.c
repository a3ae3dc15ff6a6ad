/* Instances: states, and what becomes of their interfaces. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "aws_ec2.h"

static int state_code(const char *state)
{
    static const struct {
        const char *name;
        int code; /* EC2 API Reference, InstanceState */
    } states[] = {{"pending", 0},     {"running", 16},  {"shutting-down", 32},
                  {"terminated", 48}, {"stopping", 64}, {"stopped", 80}};

    for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++)
        if (!strcmp(states[i].name, state))
            return states[i].code;
    return 0;
}

void aws_instance_set_state(struct json_object *aws, struct json_object *instance,
                            const char *state)
{
    const char *id = sim_json_str(instance, "instance_id");
    struct json_object *enis = aws_all(aws, AWS_ENI);

    sim_json_set_str(instance, "state", state);
    if (strcmp(state, "terminated") != 0)
        return;
    for (size_t i = sim_json_len(enis); i-- > 0;) {
        struct json_object *eni = json_object_array_get_idx(enis, i);
        const struct json_object *attachment = aws_eni_attachment(eni);

        if (!attachment || strcmp(sim_json_str(attachment, "instance_id"), id) != 0)
            continue;
        if (sim_json_bool(attachment, "delete_on_termination", false))
            aws_eni_remove(aws, eni);
        else
            json_object_object_del(eni, "attachment");
    }
}

static void state_item(struct sim_buf *out, const char *element, const char *state)
{
    aws_xml_open(out, element);
    aws_xml_int(out, "code", state_code(state));
    aws_xml_text(out, "name", state);
    aws_xml_close(out, element);
}

static const char *instance_zone(const struct json_object *aws, const struct json_object *instance)
{
    return sim_json_str(aws_find(aws, AWS_SUBNET, sim_json_str(instance, "subnet_id")),
                        "availability_zone");
}

static const char *instance_vpc(const struct json_object *aws, const struct json_object *instance)
{
    return sim_json_str(aws_find(aws, AWS_SUBNET, sim_json_str(instance, "subnet_id")), "vpc_id");
}

/* The public address of the primary interface, "" if none. */
static const char *public_ip(const struct json_object *aws, const struct json_object *primary)
{
    return primary ? sim_json_str(aws_address_on(aws, sim_json_str(primary, "network_interface_id"),
                                                 aws_eni_primary(primary)),
                                  "public_ip")
                   : "";
}

static void interface_set(const struct aws_call *call, struct sim_buf *out, const char *instance_id)
{
    struct json_object *eni;

    aws_xml_open(out, "networkInterfaceSet");
    SIM_JSON_EACH(eni, aws_all(call->aws, AWS_ENI))
    {
        if (strcmp(sim_json_str(aws_eni_attachment(eni), "instance_id"), instance_id) != 0)
            continue;
        aws_xml_open(out, "item");
        aws_eni_item(call, out, eni);
        aws_xml_close(out, "item");
    }
    aws_xml_close(out, "networkInterfaceSet");
}

static void instance_item(const struct aws_call *call, struct sim_buf *out,
                          const struct json_object *instance)
{
    const char *id = sim_json_str(instance, "instance_id");
    const struct json_object *primary = aws_instance_device(call->aws, id, 0);

    aws_xml_text(out, "instanceId", id);
    aws_xml_text(out, "imageId", "ami-0aa00000000000001");
    state_item(out, "instanceState", sim_json_str(instance, "state"));
    aws_xml_text_if(out, "privateIpAddress", primary ? aws_eni_primary(primary) : "");
    aws_xml_text_if(out, "ipAddress", public_ip(call->aws, primary));
    aws_xml_text(out, "instanceType", sim_json_str(instance, "instance_type"));
    aws_xml_text(out, "launchTime", "2026-01-01T00:00:00.000Z");
    aws_xml_open(out, "placement");
    aws_xml_text(out, "availabilityZone", instance_zone(call->aws, instance));
    sim_buf_str(out, "<groupName/><tenancy>default</tenancy></placement>");
    aws_xml_text(out, "subnetId", sim_json_str(instance, "subnet_id"));
    aws_xml_text(out, "vpcId", instance_vpc(call->aws, instance));
    aws_xml_bool(out, "sourceDestCheck", sim_json_bool(primary, "source_dest_check", true));
    sim_buf_str(out, "<groupSet/>");
    interface_set(call, out, id);
    aws_xml_tags(out, instance);
}

/* Each instance is a reservation of its own. */
static void reservation_item(const struct aws_call *call, struct sim_buf *out,
                             struct json_object *instance)
{
    aws_xml_open(out, "reservationId");
    sim_buf_fmt(out, "r%s", sim_json_str(instance, "instance_id") + 1);
    aws_xml_close(out, "reservationId");
    aws_xml_text(out, "ownerId", call->account);
    sim_buf_str(out, "<groupSet/><instancesSet><item>");
    instance_item(call, out, instance);
    sim_buf_str(out, "</item></instancesSet>");
}

static bool instance_values(const struct aws_call *call, struct json_object *instance,
                            struct aws_filter_test *test)
{
    const char *id = sim_json_str(instance, "instance_id");
    const struct json_object *primary = instance ? aws_instance_device(call->aws, id, 0) : NULL;
    const char *name = test->name;
    struct json_object *eni;

    if (!strcmp(name, "instance-id")) {
        aws_offer(test, id);
    } else if (!strcmp(name, "instance-state-name")) {
        aws_offer(test, sim_json_str(instance, "state"));
    } else if (!strcmp(name, "instance-type")) {
        aws_offer(test, sim_json_str(instance, "instance_type"));
    } else if (!strcmp(name, "subnet-id")) {
        aws_offer(test, sim_json_str(instance, "subnet_id"));
    } else if (!strcmp(name, "vpc-id")) {
        aws_offer(test, instance_vpc(call->aws, instance));
    } else if (!strcmp(name, "availability-zone")) {
        aws_offer(test, instance_zone(call->aws, instance));
    } else if (!strcmp(name, "private-ip-address")) {
        aws_offer(test, primary ? aws_eni_primary(primary) : "");
    } else if (!strcmp(name, "ip-address")) {
        aws_offer(test, public_ip(call->aws, primary));
    } else if (!strcmp(name, "network-interface.network-interface-id")) {
        SIM_JSON_EACH(eni, aws_all(call->aws, AWS_ENI))
        if (instance && !strcmp(sim_json_str(aws_eni_attachment(eni), "instance_id"), id))
            aws_offer(test, sim_json_str(eni, "network_interface_id"));
    } else {
        return aws_offer_tags(instance, test);
    }
    return true;
}

static int describe_instances(struct aws_call *call, struct sim_buf *out, struct aws_error *err)
{
    static const struct aws_list list = {
        .kind = AWS_INSTANCE,
        .set = "reservationSet",
        .ids = "InstanceId",
        .values = instance_values,
        .item = reservation_item,
        .page_min = 5,
        .page_max = 1000,
    };

    return aws_describe(call, &list, out, err);
}

static int describe_instance_status(struct aws_call *call, struct sim_buf *out,
                                    struct aws_error *err)
{
    bool all = aws_param_true(call, "IncludeAllInstances");
    struct aws_filter_test *tests;
    struct json_object *instance;
    const char *id;
    size_t count;

    for (size_t i = 1; (id = aws_param_at(call, "InstanceId", i)); i++)
        if (!aws_need(call, AWS_INSTANCE, id, err))
            return -1;
    if (aws_filters_read(call, instance_values, &tests, &count, err))
        return -1;
    aws_xml_open(out, "instanceStatusSet");
    SIM_JSON_EACH(instance, aws_all(call->aws, AWS_INSTANCE))
    {
        bool running = !strcmp(sim_json_str(instance, "state"), "running");
        const char *health = running ? "ok" : "not-applicable";

        id = sim_json_str(instance, "instance_id");
        if ((!all && !running) ||
            (aws_param_at(call, "InstanceId", 1) && !aws_param_has(call, "InstanceId", id)) ||
            !aws_filters_pass(call, instance, instance_values, tests, count))
            continue;
        aws_xml_open(out, "item");
        aws_xml_text(out, "instanceId", id);
        aws_xml_text(out, "availabilityZone", instance_zone(call->aws, instance));
        state_item(out, "instanceState", sim_json_str(instance, "state"));
        sim_buf_fmt(out,
                    "<systemStatus><status>%s</status></systemStatus>"
                    "<instanceStatus><status>%s</status></instanceStatus></item>",
                    health, health);
    }
    aws_xml_close(out, "instanceStatusSet");
    free(tests);
    return 0;
}

/* ---- changes --------------------------------------------------------------------------------- */

struct transition {
    const char *passing, *final, *delay;
    const char *from; /* the states it may start in, words */
};

static int change_states(struct aws_call *call, const struct transition *to, struct sim_buf *out,
                         struct aws_error *err)
{
    const char *id;

    for (size_t i = 1; (id = aws_param_at(call, "InstanceId", i)); i++) {
        const struct json_object *instance = aws_need(call, AWS_INSTANCE, id, err);

        if (!instance)
            return -1;
        if (!sim_words_know(to->from, sim_json_str(instance, "state")))
            return aws_fail(err, 400, "IncorrectInstanceState",
                            "The instance '%.64s' is not in a state from which it can be '%s'.", id,
                            to->final);
    }
    aws_xml_open(out, "instancesSet");
    for (size_t i = 1; (id = aws_param_at(call, "InstanceId", i)); i++) {
        struct json_object *instance = aws_find(call->aws, AWS_INSTANCE, id);
        char before[32];
        bool done = !strcmp(sim_json_str(instance, "state"), to->final);

        snprintf(before, sizeof(before), "%s", sim_json_str(instance, "state"));
        if (!done) {
            sim_json_set_str(instance, "state", to->passing);
            aws_later(call->world, "finish_state", id, to->final, to->delay);
        }
        aws_xml_open(out, "item");
        aws_xml_text(out, "instanceId", id);
        state_item(out, "currentState", done ? to->final : to->passing);
        state_item(out, "previousState", before);
        aws_xml_close(out, "item");
    }
    aws_xml_close(out, "instancesSet");
    return 0;
}

static int stop_instances(struct aws_call *call, struct sim_buf *out, struct aws_error *err)
{
    static const struct transition to = {"stopping", "stopped", "stop",
                                         "running pending stopping stopped"};

    return change_states(call, &to, out, err);
}

static int start_instances(struct aws_call *call, struct sim_buf *out, struct aws_error *err)
{
    static const struct transition to = {"pending", "running", "start", "stopped running pending"};

    return change_states(call, &to, out, err);
}

static int terminate_instances(struct aws_call *call, struct sim_buf *out, struct aws_error *err)
{
    static const struct transition to = {
        "shutting-down", "terminated", "terminate",
        "running pending stopping stopped shutting-down terminated"};

    return change_states(call, &to, out, err);
}

static int run_instances(struct aws_call *call, struct sim_buf *out, struct aws_error *err)
{
    const struct json_object *subnet = aws_need_param(call, AWS_SUBNET, "SubnetId", err);
    const char *type = aws_param(call, "InstanceType");
    long count = strtol(aws_param(call, "MaxCount"), NULL, 10);

    if (!subnet)
        return -1;
    if (count < 1 || count > 100)
        return aws_fail_value(err, "maxCount", aws_param(call, "MaxCount"));
    sim_buf_fmt(out, "<reservationId>r-0f%015llx</reservationId>",
                (unsigned long long)call->world->next_id);
    aws_xml_text(out, "ownerId", call->account);
    sim_buf_str(out, "<groupSet/><instancesSet>");
    for (long i = 0; i < count; i++) {
        struct json_object *instance = json_object_new_object(), *eni;
        char id[AWS_ID_MAX];

        sim_world_id(call->world, "i", id, sizeof(id));
        sim_json_set_str(instance, "instance_id", id);
        sim_json_set_str(instance, "state", "pending");
        sim_json_set_str(instance, "subnet_id", sim_json_str(subnet, "subnet_id"));
        sim_json_set_str(instance, "instance_type", type ? type : "m5.large");
        sim_json_set_str(instance, "imds", "on");
        aws_tag_new(call, instance);
        json_object_array_add(aws_all(call->aws, AWS_INSTANCE), instance);
        eni = aws_eni_new(call->world, call->aws, subnet, NULL);
        if (eni) {
            aws_eni_attach(call->world, eni, id, 0, "attached");
            sim_json_set_bool(aws_eni_attachment(eni), "delete_on_termination", true);
        }
        aws_xml_open(out, "item");
        instance_item(call, out, instance);
        aws_xml_close(out, "item");
        aws_later(call->world, "finish_state", id, "running", "start");
    }
    aws_xml_close(out, "instancesSet");
    return 0;
}

/* The source/destination check of an instance is that of its primary interface. */
static int modify_instance_attribute(struct aws_call *call, struct sim_buf *out,
                                     struct aws_error *err)
{
    const struct json_object *instance = aws_need_param(call, AWS_INSTANCE, "InstanceId", err);
    const char *check = aws_param(call, "SourceDestCheck.Value");
    struct json_object *primary;

    if (!instance)
        return -1;
    if (!check)
        return aws_fail(err, 400, "MissingParameter", "No attributes specified.");
    primary = aws_instance_device(call->aws, sim_json_str(instance, "instance_id"), 0);
    if (primary)
        sim_json_set_bool(primary, "source_dest_check", !strcasecmp(check, "true"));
    aws_return_true(out);
    return 0;
}

/* ---- types ----------------------------------------------------------------------------------- */

/* What m5.large has ("IP addresses per network interface per instance type"). */
static void type_item(const struct aws_call *call, struct sim_buf *out, const char *name)
{
    const struct json_object *type =
        sim_json_find(sim_json_array(call->aws, "instance_types"), "instance_type", name);

    aws_xml_open(out, "item");
    aws_xml_text(out, "instanceType", name);
    aws_xml_bool(out, "currentGeneration", true);
    aws_xml_open(out, "networkInfo");
    aws_xml_int(out, "maximumNetworkInterfaces", sim_json_int(type, "network_interfaces", 3));
    aws_xml_int(out, "maximumNetworkCards", 1);
    aws_xml_int(out, "ipv4AddressesPerInterface", sim_json_int(type, "ipv4_per_interface", 10));
    aws_xml_int(out, "ipv6AddressesPerInterface", sim_json_int(type, "ipv6_per_interface", 10));
    aws_xml_bool(out, "ipv6Supported", true);
    aws_xml_close(out, "networkInfo");
    aws_xml_close(out, "item");
}

/* Types are known by their use in the world; without names all that are listed there. */
static int describe_instance_types(struct aws_call *call, struct sim_buf *out,
                                   struct aws_error *err)
{
    const char *name;
    struct json_object *type;

    for (size_t i = 1; (name = aws_param_at(call, "InstanceType", i)); i++)
        if (!strchr(name, '.'))
            return aws_fail(err, 400, "InvalidInstanceType",
                            "The following supplied instance types do not exist: [%.64s]", name);
    aws_xml_open(out, "instanceTypeSet");
    for (size_t i = 1; (name = aws_param_at(call, "InstanceType", i)); i++)
        type_item(call, out, name);
    if (!aws_param_at(call, "InstanceType", 1)) {
        SIM_JSON_EACH(type, sim_json_array(call->aws, "instance_types"))
        type_item(call, out, sim_json_str(type, "instance_type"));
    }
    aws_xml_close(out, "instanceTypeSet");
    return 0;
}

const struct aws_ec2_action aws_ec2_instance_actions[] = {
    {"DescribeInstanceTypes", describe_instance_types, AWS_READS, "InstanceType.N DryRun", ""},
    {"DescribeInstances", describe_instances, AWS_READS,
     "InstanceId.N Filter.N.Name Filter.N.Value.N MaxResults NextToken IncludeManagedResources "
     "DryRun",
     ""},
    {"DescribeInstanceStatus", describe_instance_status, AWS_READS,
     "InstanceId.N Filter.N.Name Filter.N.Value.N MaxResults NextToken IncludeAllInstances "
     "IncludeManagedResources DryRun",
     ""},
    {"StopInstances", stop_instances, AWS_CHANGES,
     "!InstanceId.N Force Hibernate SkipOsShutdown DryRun", "InstanceId.N:instance"},
    {"StartInstances", start_instances, AWS_CHANGES, "!InstanceId.N AdditionalInfo DryRun",
     "InstanceId.N:instance"},
    {"TerminateInstances", terminate_instances, AWS_CHANGES,
     "!InstanceId.N Force SkipOsShutdown DryRun", "InstanceId.N:instance"},
    {"RunInstances", run_instances, AWS_CHANGES,
     "!MinCount !MaxCount ImageId InstanceType KeyName SubnetId SecurityGroupId.N UserData "
     "ClientToken Placement.* TagSpecification.N.* DryRun",
     "SubnetId:subnet"},
    {"ModifyInstanceAttribute", modify_instance_attribute, AWS_CHANGES,
     "!InstanceId SourceDestCheck.Value DryRun", "InstanceId:instance"},
    {0},
};
