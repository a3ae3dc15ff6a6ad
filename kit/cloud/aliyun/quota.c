#include "kit/cloud/aliyun/quota.h"

#include "kit/base/str.h"

struct kit_deadline ali_quota_by(const struct ali_cloud *cloud, struct kit_deadline by)
{
    return kit_deadline_earlier(by, kit_deadline_in_ms(cloud->base.caller->clock, ALI_QUOTA_MS));
}

static int64_t number_of(const struct kit_json_node *item, const char *key)
{
    int64_t value;

    return kit_json_int(kit_json_get(item, key), &value) && value >= 0 ? value : -1;
}

static void take(const struct kit_json_node *root, struct ali_quota *quota)
{
    size_t count = ali_list_count(root, "InstanceTypes", "InstanceType");

    for (size_t i = 0; i < count; i++) {
        const struct kit_json_node *item = ali_list_at(root, "InstanceTypes", "InstanceType", i);
        char type[KIT_ID];

        if (!ali_text(item, "InstanceTypeId", type, sizeof(type)) || !kit_str_eq(type, quota->type))
            continue;
        quota->enis = number_of(item, "EniQuantity");
        quota->ipv4_of_eni = number_of(item, "EniPrivateIpAddressQuantity");
        quota->ipv6_of_eni = number_of(item, "EniIpv6AddressQuantity");
        return;
    }
}

void ali_quota_find(struct ali_cloud *cloud, const char *type, struct kit_deadline by,
                    struct ali_quota *ret_quota)
{
    struct ali_quota quota = {
        .enis = -1,
        .ipv4_of_eni = -1,
        .ipv6_of_eni = -1,
        .why = "DescribeInstances: the instance's type could not be read",
    };
    struct kit_err err;
    struct ali_rpc r;

    if (type[0] && kit_str_copy(quota.type, sizeof(quota.type), type)) {
        ali_rpc_init(&r, cloud, &ali_ecs, "DescribeInstanceTypes", ALI_READS);
        ali_rpc_item(&r, "InstanceTypes", 1, type);
        r.call.max_tries = ALI_QUOTA_TRIES;
        if (ali_rpc_run(&r, ali_quota_by(cloud, by), &err)) {
            (void)kit_str_copy(quota.why, sizeof(quota.why), err.msg);
        } else {
            (void)kit_str_format(quota.why, sizeof(quota.why),
                                 "DescribeInstanceTypes does not tell the limits of %s", type);
            take(ali_rpc_root(&r), &quota);
        }
        ali_rpc_done(&r);
    }
    *ret_quota = quota;
}

enum kit_rule_answer ali_quota_check(int64_t used, int64_t limit)
{
    if (limit < 0)
        return KIT_RULE_NOT_KNOWN;
    return used < limit ? KIT_RULE_HOLDS : KIT_RULE_BROKEN;
}
