/* EC2's Query API: from a request to the action that serves it, and the errors on the way. */
#include "aws_ec2.h"

#include <stdio.h>
#include <string.h>

const struct aws_kind_info aws_kinds[AWS_KINDS] = {
    [AWS_ROUTE_TABLE] = {"route_tables", "route_table_id", "rtb", "InvalidRouteTableID",
                         "routeTable ID", "route-table"},
    [AWS_ENI] = {"network_interfaces", "network_interface_id", "eni", "InvalidNetworkInterfaceID",
                 "networkInterface ID", "network-interface"},
    [AWS_INSTANCE] = {"instances", "instance_id", "i", "InvalidInstanceID", "instance ID",
                      "instance"},
    [AWS_ADDRESS] = {"addresses", "allocation_id", "eipalloc", "InvalidAllocationID",
                     "allocation ID", "elastic-ip"},
    [AWS_VPC] = {"vpcs", "vpc_id", "vpc", "InvalidVpcID", "vpc ID", "vpc"},
    [AWS_SUBNET] = {"subnets", "subnet_id", "subnet", "InvalidSubnetID", "subnet ID", "subnet"},
    [AWS_GATEWAY] = {"internet_gateways", "internet_gateway_id", "igw", "InvalidInternetGatewayID",
                     "internetGateway ID", "internet-gateway"},
    [AWS_GROUP] = {"security_groups", "group_id", "sg", "InvalidGroup", "security group",
                   "security-group"},
};

static const struct aws_ec2_action *const tables[] = {
    aws_ec2_route_actions,  aws_ec2_table_actions, aws_ec2_address_actions,  aws_ec2_eni_actions,
    aws_ec2_attach_actions, aws_ec2_ip_actions,    aws_ec2_instance_actions, aws_ec2_vpc_actions,
    aws_ec2_misc_actions,   aws_ec2_group_actions,
};

struct json_object *aws_all(const struct json_object *aws, enum aws_kind kind)
{
    return sim_json_array(aws, aws_kinds[kind].array);
}

struct json_object *aws_find(const struct json_object *aws, enum aws_kind kind, const char *id)
{
    return sim_json_find(aws_all(aws, kind), aws_kinds[kind].id_key, id);
}

bool aws_id_well_formed(const char *id, const char *prefix)
{
    size_t len = strlen(prefix);
    size_t digits;

    if (strncmp(id, prefix, len) || id[len] != '-')
        return false;
    digits = strspn(id + len + 1, "0123456789abcdef");
    return (digits == 8 || digits == 17) && !id[len + 1 + digits];
}

enum aws_kind aws_kind_of(const char *id)
{
    unsigned kind = 0;

    while (kind < AWS_KINDS && !aws_id_well_formed(id, aws_kinds[kind].prefix))
        kind++;
    return (enum aws_kind)kind;
}

struct json_object *aws_need(const struct aws_call *call, enum aws_kind kind, const char *id,
                             struct aws_error *err)
{
    const struct aws_kind_info *info = &aws_kinds[kind];
    struct json_object *object = aws_find(call->aws, kind, id);
    char code[80];

    if (object)
        return object;
    if (!aws_id_well_formed(id, info->prefix)) {
        snprintf(code, sizeof(code), "%s.Malformed", info->code);
        aws_fail(err, 400, code, "Invalid id: \"%.128s\"", id);
    } else {
        snprintf(code, sizeof(code), "%s.NotFound", info->code);
        aws_fail(err, 400, code, "The %s '%.128s' does not exist", info->noun, id);
    }
    return NULL;
}

struct json_object *aws_need_param(const struct aws_call *call, enum aws_kind kind,
                                   const char *param, struct aws_error *err)
{
    const char *id = aws_param(call, param);

    if (!id || !*id) {
        aws_fail(err, 400, "MissingParameter", "The request must contain the parameter %s", param);
        return NULL;
    }
    return aws_need(call, kind, id, err);
}

void aws_return_true(struct sim_buf *out)
{
    aws_xml_text(out, "return", "true");
}

void aws_tag_new(const struct aws_call *call, struct json_object *object)
{
    struct json_object *tags = json_object_new_object();

    for (size_t i = 1;; i++) {
        char name[80];
        const char *key, *value;

        snprintf(name, sizeof(name), "TagSpecification.1.Tag.%zu.Key", i);
        key = aws_param(call, name);
        snprintf(name, sizeof(name), "TagSpecification.1.Tag.%zu.Value", i);
        value = aws_param(call, name);
        if (!key)
            break;
        sim_json_set_str(tags, key, value ? value : "");
    }
    json_object_object_add(object, "tags", tags);
}

/* ---- one request ----------------------------------------------------------------------------- */

static const struct aws_ec2_action *find_action(const char *name)
{
    for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
        for (const struct aws_ec2_action *action = tables[i]; action->name; action++)
            if (!strcmp(action->name, name))
                return action;
    return NULL;
}

static bool allows(const struct aws_call *call, const char *verb, const char *type, const char *id,
                   const struct json_object *object)
{
    char arn[256];

    snprintf(arn, sizeof(arn), "arn:%s:ec2:%s:%s:%s/%.64s", call->partition, call->region,
             call->account, type, id);
    return aws_iam_allows(call, verb, arn, object);
}

/* An association stands for the address and the interface that it is of, an attachment for its
 * interface and instance. */
static const char *resource_id(const struct aws_call *call, const char *type, const char *value)
{
    bool eni_wanted = !strcmp(type, "network-interface");
    struct json_object *eni;

    if (!strncmp(value, "eipassoc-", 9))
        return sim_json_str(sim_json_find(aws_all(call->aws, AWS_ADDRESS), "association_id", value),
                            eni_wanted ? "network_interface_id" : "allocation_id");
    if (strncmp(value, "eni-attach-", 11) != 0)
        return value;
    SIM_JSON_EACH(eni, aws_all(call->aws, AWS_ENI))
    if (!strcmp(sim_json_str(aws_eni_attachment(eni), "attachment_id"), value))
        return eni_wanted ? sim_json_str(eni, "network_interface_id")
                          : sim_json_str(aws_eni_attachment(eni), "instance_id");
    return "";
}

static int authorize(const struct aws_call *call, const struct aws_ec2_action *action,
                     struct aws_error *err)
{
    bool allowed = true, asked = false;
    char verb[96], noise[80];

    snprintf(verb, sizeof(verb), "ec2:%s", action->name);
    for (const char *at = action->resources; *at; at += strspn(at, " ")) {
        size_t len = strcspn(at, " ");
        char param[64] = "", type[64] = "";

        for (size_t i = 0; i < call->params->len; i++) {
            const struct sim_param *given = &call->params->items[i];
            const char *id;

            if (sscanf(at, "%63[^:]:%63[^ ]", param, type) != 2 ||
                !sim_words_know(param, given->name))
                continue;
            id = resource_id(call, type, given->value);
            asked = true;
            allowed = allowed && allows(call, verb, type, id,
                                        aws_kind_of(id) == AWS_KINDS
                                            ? NULL
                                            : aws_find(call->aws, aws_kind_of(id), id));
        }
        at += len;
    }
    if (!asked)
        allowed = aws_iam_allows(call, verb, "*", NULL);
    if (allowed)
        return 0;
    sim_random_text(noise, sizeof(noise));
    return aws_fail(err, 403, "UnauthorizedOperation",
                    "You are not authorized to perform this operation. User: %s is not authorized "
                    "to perform: %s because no identity-based policy allows the %s action. "
                    "Encoded authorization failure message: %s",
                    call->who.arn, verb, verb, noise);
}

/* A token bucket as EC2 keeps one for each account and sort of action. */
static int throttle(const struct aws_call *call, const struct aws_ec2_action *action,
                    struct aws_error *err)
{
    struct json_object *limit = sim_json_get(sim_json_get(call->world->live, "aws"), "limits");
    double size, tokens, refill;
    int64_t since_ms;

    limit = sim_json_get(limit, action->flags & AWS_CHANGES ? "mutating" : "describe");
    if (!limit)
        return 0;
    size = sim_json_num(limit, "bucket", 50);
    refill = sim_json_num(limit, "refill_per_s", 5);
    tokens = sim_json_num(limit, "tokens", size);
    since_ms = sim_json_int(limit, "since_ms", call->now_ms);
    tokens += (double)(call->now_ms - since_ms) / 1000 * refill;
    tokens = tokens > size ? size : tokens;
    sim_json_set_int(limit, "since_ms", call->now_ms);
    json_object_object_add(limit, "tokens",
                           json_object_new_double(tokens < 1 ? tokens : tokens - 1));
    return tokens >= 1 ? 0 : aws_fail(err, 503, "RequestLimitExceeded", "Request limit exceeded.");
}

int aws_ec2_serve(struct aws_call *call, struct sim_buf *out, struct aws_error *err)
{
    const struct aws_ec2_action *action = find_action(call->sim->action);
    const char *version = aws_param(call, "Version");

    if (!*call->sim->action)
        return aws_fail(err, 400, "MissingAction",
                        "The request is missing an Action or a required parameter.");
    if (!action)
        return aws_fail(err, 400, "InvalidAction",
                        "The action %.64s is not valid for this web service.", call->sim->action);
    if (!version || strcmp(version, AWS_EC2_VERSION) != 0)
        return aws_fail(err, 400, "NoSuchVersion",
                        "The requested version (%.32s) of service ec2 does not exist",
                        version ? version : "");
    if (throttle(call, action, err) || aws_sigv4_check(call, err) ||
        aws_params_check(call, action->params, err) || authorize(call, action, err))
        return -1;
    if (aws_param_true(call, "DryRun"))
        return aws_fail(err, 412, "DryRunOperation",
                        "Request would have succeeded, but DryRun flag is set.");
    if (action->flags & AWS_CHANGES)
        sim_world_change(call->world);
    sim_buf_fmt(out,
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<%sResponse xmlns=\"%s\">"
                "<requestId>%s</requestId>",
                action->name, AWS_EC2_XMLNS, call->sim->request_id);
    if (action->serve(call, out, err))
        return -1;
    call->sim->applied = action->flags & AWS_CHANGES;
    sim_buf_fmt(out, "</%sResponse>", action->name);
    return 0;
}
