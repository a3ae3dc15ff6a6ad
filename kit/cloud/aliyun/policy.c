/* kit/cloud/aliyun/policy.c - how RAM names what the movers change (help: "RAM authorization" of
 * VPC and ECS).
 *
 * What lists objects is asked about as a list ("acs:vpc:…:eip/ID"), whichever one is wanted: so it
 * is granted on all. */
#include "kit/base/str.h"
#include "kit/cloud/aliyun/aliyun.h"
#include "kit/cloud/policy.h"

#define ACS(product, type) "acs:" product ":{region}:{account}:" type "/{id}"
#define ALL                KIT_PARAM_NONE, NULL, NULL, NULL

static const struct kit_policy_kind kinds[] = {
    {"routetable", ACS("vpc", "routetable"), KIT_PARAM_ROUTE_TABLES, NULL, ALL},
    {"eip", ACS("vpc", "eip"), KIT_PARAM_ALLOCATION_ID, NULL, ALL},
    {"havip", ACS("vpc", "havip"), KIT_PARAM_HAVIP_ID, NULL, ALL},
    {"eni", ACS("ecs", "eni"), KIT_PARAM_ENI, "eni", ALL},
    {"instance", ACS("ecs", "instance"), KIT_PARAM_NONE, NULL, ALL},
    {"*", "*", KIT_PARAM_NONE, NULL, ALL},
};

/* "acs:ram::1234567890123456:role/mover": the objects are the role's account's. */
static void scope_of(const struct kit_settings *settings, struct kit_policy_scope *ret_scope)
{
    const char *region = kit_settings_text(settings, KIT_PARAM_REGION);
    const char *at = kit_settings_text(settings, KIT_PARAM_ROLE_ARN), *word;
    struct kit_policy_scope scope = {.partition = ""};
    size_t len;

    if (region)
        (void)kit_str_copy(scope.region, sizeof(scope.region), region);
    for (int i = 0; at && kit_str_word(&at, ":", &word, &len); i++)
        if (i == 2 && len < sizeof(scope.account)) /* runs of colons count once */
            (void)kit_str_format(scope.account, sizeof(scope.account), "%.*s", (int)len, word);
    *ret_scope = scope;
}

const struct kit_policy_form ali_policy = {
    .name = "RAM",
    .version = "1",
    .kind = kinds,
    .kinds = KIT_LEN(kinds),
    .scope = scope_of,
};
