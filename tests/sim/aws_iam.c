/* IAM: the condition keys of EC2, and their values for a request. */
#include <stdio.h>
#include <string.h>
#include "aws.h"
#include "sim_policy.h"

static const char condition_keys[] =
    "ec2:Vpc ec2:RouteTableID ec2:PublicIpAddress ec2:Region aws:RequestedRegion "
    "ec2:ResourceTag/* "
    "aws:ResourceTag/*";

struct question {
    const struct aws_call *call;
    const struct json_object *resource;
};

int aws_iam_check_policy(const struct json_object *policy, struct sim_error *err)
{
    return sim_policy_check(policy, condition_keys, err);
}

/* The value of a condition key; "" if the request has none. */
static void condition_value(const void *context, const char *key, char *ret_value, size_t size)
{
    const struct question *question = context;
    const struct aws_call *call = question->call;
    const struct json_object *resource = question->resource;
    const char *vpc = sim_json_str(resource, "vpc_id");
    const char *tag = strchr(key, '/');

    snprintf(ret_value, size, "%s", "");
    if (!*vpc && *sim_json_str(resource, "subnet_id"))
        vpc = sim_json_str(sim_json_find(sim_json_array(call->aws, "subnets"), "subnet_id",
                                         sim_json_str(resource, "subnet_id")),
                           "vpc_id");
    if (!strcmp(key, "ec2:Vpc") && *vpc)
        snprintf(ret_value, size, "arn:%s:ec2:%s:%s:vpc/%s", call->partition, call->region,
                 call->account, vpc);
    else if (!strcmp(key, "ec2:RouteTableID"))
        snprintf(ret_value, size, "%s", sim_json_str(resource, "route_table_id"));
    else if (!strcmp(key, "ec2:PublicIpAddress"))
        snprintf(ret_value, size, "%s", sim_json_str(resource, "public_ip"));
    else if (!strcmp(key, "ec2:Region") || !strcmp(key, "aws:RequestedRegion"))
        snprintf(ret_value, size, "%s", call->region);
    else if (tag)
        snprintf(ret_value, size, "%s", sim_json_str(sim_json_get(resource, "tags"), tag + 1));
}

bool aws_iam_allows(const struct aws_call *call, const char *action, const char *resource_arn,
                    const struct json_object *resource)
{
    struct question mine = {.call = call, .resource = resource};
    struct sim_policy_question question = {
        .action = action,
        .resource = resource_arn,
        .value = condition_value,
        .context = &mine,
    };

    return sim_policy_allows(call->who.policy, &question);
}
