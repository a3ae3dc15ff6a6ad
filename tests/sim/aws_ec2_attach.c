/* Attaching interfaces to instances, and what pending states wait for. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "aws_ec2.h"

int64_t aws_delay_ms(const struct sim_world *world, const char *what)
{
    const struct json_object *aws = sim_json_get(world->live, "aws");

    return sim_json_int(sim_json_get(aws, "delays_ms"), what, 0);
}

void aws_later(struct sim_world *world, const char *op, const char *id, const char *state,
               const char *what)
{
    struct json_object *event = json_object_new_object();
    struct sim_error ignored = {0}; /* the object was there a moment ago */

    sim_json_set_str(event, "op", op);
    sim_json_set_str(event, "id", id);
    sim_json_set_str(event, "state", state);
    (void)sim_world_event(world, event, aws_delay_ms(world, what), &ignored);
}

struct json_object *aws_instance_device(const struct json_object *aws, const char *instance_id,
                                        int64_t device_index)
{
    struct json_object *eni;

    SIM_JSON_EACH(eni, aws_all(aws, AWS_ENI))
    {
        const struct json_object *attachment = aws_eni_attachment(eni);

        if (attachment && !strcmp(sim_json_str(attachment, "instance_id"), instance_id) &&
            sim_json_int(attachment, "device_index", 0) == device_index)
            return eni;
    }
    return NULL;
}

struct json_object *aws_instance_eni(const struct json_object *aws, const char *instance_id,
                                     size_t *ret_count)
{
    struct json_object *eni, *found = NULL;
    size_t count = 0;

    SIM_JSON_EACH(eni, aws_all(aws, AWS_ENI))
    {
        if (!strcmp(sim_json_str(aws_eni_attachment(eni), "instance_id"), instance_id)) {
            found = eni;
            count++;
        }
    }
    *ret_count = count;
    return count == 1 ? found : NULL;
}

void aws_eni_attach(struct sim_world *world, struct json_object *eni, const char *instance_id,
                    int64_t device_index, const char *status)
{
    struct json_object *attachment = json_object_new_object();
    char id[AWS_ID_MAX];

    sim_world_id(world, "eni-attach", id, sizeof(id));
    sim_json_set_str(attachment, "attachment_id", id);
    sim_json_set_str(attachment, "instance_id", instance_id);
    sim_json_set_int(attachment, "device_index", device_index);
    sim_json_set_str(attachment, "status", status);
    sim_json_set_bool(attachment, "delete_on_termination", false);
    json_object_object_add(eni, "attachment", attachment);
}

static int attach_network_interface(struct aws_call *call, struct sim_buf *out,
                                    struct aws_error *err)
{
    struct json_object *eni = aws_need_param(call, AWS_ENI, "NetworkInterfaceId", err);
    const struct json_object *instance =
        eni ? aws_need_param(call, AWS_INSTANCE, "InstanceId", err) : NULL;
    const struct json_object *subnet;
    const char *instance_id = sim_json_str(instance, "instance_id"), *index;
    const char *eni_id = sim_json_str(eni, "network_interface_id");
    long device;

    if (!instance)
        return -1;
    index = aws_param(call, "DeviceIndex");
    device = strtol(index, NULL, 10);
    if (aws_eni_attachment(eni) || strcmp(aws_eni_status(eni), "available") != 0)
        return aws_fail(err, 400, "InvalidNetworkInterface.InUse", "Interface: [%s] in use.",
                        eni_id);
    if (strcmp(sim_json_str(instance, "state"), "running") &&
        strcmp(sim_json_str(instance, "state"), "stopped"))
        return aws_fail(err, 400, "IncorrectState", "Instance '%s' is not 'running' or 'stopped'.",
                        instance_id);
    subnet = aws_find(call->aws, AWS_SUBNET, sim_json_str(instance, "subnet_id"));
    if (strcmp(sim_json_str(subnet, "availability_zone"), aws_eni_zone(call->aws, eni)) != 0)
        return aws_fail(err, 400, "InvalidParameterCombination",
                        "You may not attach a network interface to an instance if they are not in "
                        "the same availability zone");
    if (device < 1 || device > 15)
        return aws_fail_value(err, "deviceIndex", index);
    if (aws_instance_device(call->aws, instance_id, device))
        return aws_fail(err, 400, "InvalidParameterValue",
                        "Instance '%s' already has an interface attached at device index '%ld'.",
                        instance_id, device);
    aws_eni_attach(call->world, eni, instance_id, device, "attaching");
    aws_later(call->world, "finish_attach", eni_id, "", "attach");
    aws_xml_text(out, "attachmentId", sim_json_str(aws_eni_attachment(eni), "attachment_id"));
    aws_xml_int(out, "networkCardIndex", 0);
    return 0;
}

static int detach_network_interface(struct aws_call *call, struct sim_buf *out,
                                    struct aws_error *err)
{
    const char *id = aws_param(call, "AttachmentId");
    struct json_object *eni, *attachment = NULL;

    SIM_JSON_EACH(eni, aws_all(call->aws, AWS_ENI))
    {
        attachment = aws_eni_attachment(eni);
        if (attachment && !strcmp(sim_json_str(attachment, "attachment_id"), id))
            break;
        attachment = NULL;
    }
    if (!attachment && !aws_id_well_formed(id, "eni-attach"))
        return aws_fail(err, 400, "InvalidAttachmentID.Malformed", "Invalid id: \"%.128s\"", id);
    if (!attachment)
        return aws_fail(err, 400, "InvalidAttachmentID.NotFound",
                        "The attachment ID '%.64s' does not exist", id);
    if (!sim_json_int(attachment, "device_index", 0))
        return aws_fail(err, 400, "OperationNotPermitted",
                        "The network interface at device index 0 cannot be detached.");
    sim_json_set_str(attachment, "status", "detaching");
    aws_later(call->world, "finish_detach", sim_json_str(eni, "network_interface_id"), "",
              "detach");
    aws_return_true(out);
    return 0;
}

const struct aws_ec2_action aws_ec2_attach_actions[] = {
    {"AttachNetworkInterface", attach_network_interface, AWS_CHANGES,
     "!NetworkInterfaceId !InstanceId !DeviceIndex NetworkCardIndex DryRun",
     "NetworkInterfaceId:network-interface InstanceId:instance"},
    {"DetachNetworkInterface", detach_network_interface, AWS_CHANGES, "!AttachmentId Force DryRun",
     "AttachmentId:network-interface AttachmentId:instance"},
    {0},
};
