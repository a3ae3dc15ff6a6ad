/* kit/cloud/aws/policy.c - how IAM names what the movers change (Service Authorization Reference,
 * "Amazon EC2": resource types and condition keys).
 *
 * The describe actions know no single objects; ec2:Region narrows them.  Of a VPC one condition
 * narrows its tables and interfaces; instances have no such key. */
#include <string.h>

#include "kit/base/str.h"
#include "kit/cloud/aws/endpoint.h"
#include "kit/cloud/policy.h"

#define EC2(type) "arn:{partition}:ec2:{region}:{account}:" type "/{id}"
#define OF_VPC    KIT_PARAM_VPC_ID, "ArnLike", "ec2:Vpc", EC2("vpc")

static const struct kit_policy_kind kinds[] = {
    {"route-table", EC2("route-table"), KIT_PARAM_ROUTE_TABLES, NULL, OF_VPC},
    {"elastic-ip", EC2("elastic-ip"), KIT_PARAM_ALLOCATION_ID, NULL, KIT_PARAM_ADDRESS,
     "StringEquals", "ec2:PublicIpAddress", "{id}"},
    {"network-interface", EC2("network-interface"), KIT_PARAM_ENI, "eni", OF_VPC},
    {"instance", EC2("instance"), KIT_PARAM_NONE, NULL, KIT_PARAM_NONE, NULL, NULL, NULL},
    {"*", "*", KIT_PARAM_NONE, NULL, KIT_PARAM_REGION, "StringEquals", "ec2:Region", "{id}"},
};

/* "arn:aws:iam::123456789012:role/mover": the objects are the role's account's. */
static void scope_of(const struct kit_settings *settings, struct kit_policy_scope *ret_scope)
{
    const char *region = kit_settings_text(settings, KIT_PARAM_REGION);
    const char *at = kit_settings_text(settings, KIT_PARAM_ROLE_ARN), *word;
    struct kit_policy_scope scope = {.partition = ""};
    size_t len;

    if (region)
        (void)kit_str_copy(scope.region, sizeof(scope.region), region);
    (void)kit_str_copy(scope.partition, sizeof(scope.partition),
                       aws_partition(region ? region : ""));
    for (int i = 0; at && kit_str_word(&at, ":", &word, &len); i++) {
        if (i == 1 && len < sizeof(scope.partition))
            (void)kit_str_format(scope.partition, sizeof(scope.partition), "%.*s", (int)len, word);
        if (i == 3 && len < sizeof(scope.account)) /* runs of colons count once */
            (void)kit_str_format(scope.account, sizeof(scope.account), "%.*s", (int)len, word);
    }
    *ret_scope = scope;
}

const struct kit_policy_form aws_policy = {
    .name = "IAM",
    .version = "2012-10-17",
    .kind = kinds,
    .kinds = KIT_LEN(kinds),
    .scope = scope_of,
};
