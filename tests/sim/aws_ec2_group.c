/* Security groups: which there are; and client tokens, by which a request is known again. */
#include <stdio.h>
#include <string.h>
#include "aws_ec2.h"

static void group_item(const struct aws_call *call, struct sim_buf *out, struct json_object *group)
{
    const char *name = sim_json_str(group, "name");

    aws_xml_text(out, "ownerId", call->account);
    aws_xml_text(out, "groupId", sim_json_str(group, "group_id"));
    aws_xml_text(out, "groupName", *name ? name : "default");
    aws_xml_text(out, "groupDescription", "simulated");
    aws_xml_text(out, "vpcId", sim_json_str(group, "vpc_id"));
    aws_xml_open(out, "ipPermissions");
    aws_xml_close(out, "ipPermissions");
    aws_xml_open(out, "ipPermissionsEgress");
    aws_xml_close(out, "ipPermissionsEgress");
    aws_xml_tags(out, group);
}

static bool group_values(const struct aws_call *call, struct json_object *group,
                         struct aws_filter_test *test)
{
    (void)call;
    if (!strcmp(test->name, "group-id"))
        aws_offer(test, sim_json_str(group, "group_id"));
    else if (!strcmp(test->name, "group-name"))
        aws_offer(test, sim_json_str(group, "name"));
    else if (!strcmp(test->name, "vpc-id"))
        aws_offer(test, sim_json_str(group, "vpc_id"));
    else
        return aws_offer_tags(group, test);
    return true;
}

static int describe_groups(struct aws_call *call, struct sim_buf *out, struct aws_error *err)
{
    static const struct aws_list list = {.kind = AWS_GROUP,
                                         .set = "securityGroupInfo",
                                         .ids = "GroupId",
                                         .values = group_values,
                                         .item = group_item,
                                         .page_min = 5,
                                         .page_max = 1000};

    return aws_describe(call, &list, out, err);
}

struct json_object *aws_groups_read(const struct aws_call *call, const char *vpc_id,
                                    struct aws_error *err)
{
    struct json_object *groups = json_object_new_array();
    bool check = sim_json_len(aws_all(call->aws, AWS_GROUP)) > 0;
    const char *id;

    for (size_t i = 1; (id = aws_param_at(call, "SecurityGroupId", i)); i++) {
        const struct json_object *group = aws_find(call->aws, AWS_GROUP, id);

        json_object_array_add(groups, json_object_new_string(id));
        if (!check)
            continue;
        if (!group)
            (void)aws_fail(err, 400, "InvalidGroup.NotFound",
                           "The security group '%.64s' does not exist", id);
        else if (strcmp(sim_json_str(group, "vpc_id"), vpc_id) != 0)
            (void)aws_fail(err, 400, "InvalidParameter",
                           "You have specified two resources that belong to different networks.");
        else
            continue;
        json_object_put(groups);
        return NULL;
    }
    return groups;
}

/* ---- client tokens --------------------------------------------------------------------------- */

/* What a request with the token asks for, as one text. */
static void asked_for(const struct aws_call *call, char *text, size_t size)
{
    static const char *const names[] = {"SubnetId", "PrivateIpAddress", "Description",
                                        "SecurityGroupId.1"};
    size_t used = 0;

    text[0] = '\0';
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]) && used < size; i++) {
        const char *value = aws_param(call, names[i]);

        used += (size_t)snprintf(text + used, size - used, "%.200s|", value ? value : "");
    }
}

int aws_token_find(const struct aws_call *call, const char **ret_id, struct aws_error *err)
{
    const char *token = aws_param(call, "ClientToken");
    const struct json_object *known =
        token ? sim_json_get(sim_json_get(call->aws, "client_tokens"), token) : NULL;
    char asked[1024];

    *ret_id = NULL;
    if (!known)
        return 0;
    asked_for(call, asked, sizeof(asked));
    if (strcmp(sim_json_str(known, "asked"), asked) != 0)
        return aws_fail(err, 400, "IdempotentParameterMismatch",
                        "The client token you have provided was used with other parameters.");
    *ret_id = sim_json_str(known, "id");
    return 0;
}

void aws_token_keep(const struct aws_call *call, const char *id)
{
    const char *token = aws_param(call, "ClientToken");
    struct json_object *tokens = sim_json_get(call->aws, "client_tokens"), *entry;
    char asked[1024];

    if (!token)
        return;
    if (!tokens) {
        tokens = json_object_new_object();
        json_object_object_add(call->aws, "client_tokens", tokens);
    }
    asked_for(call, asked, sizeof(asked));
    entry = json_object_new_object();
    sim_json_set_str(entry, "id", id);
    sim_json_set_str(entry, "asked", asked);
    json_object_object_add(tokens, token, entry);
}

const struct aws_ec2_action aws_ec2_group_actions[] = {
    {"DescribeSecurityGroups", describe_groups, AWS_READS,
     "GroupId.N GroupName.N Filter.N.Name Filter.N.Value.N MaxResults NextToken DryRun", ""},
    {0},
};
