/* kit/cloud/aliyun/quota.h - how many interfaces and addresses an instance type takes.  Private to
 * kit/cloud/aliyun.
 *
 * Evidence for rule 20 alone, read for claims that have something to move: a claim that came to the
 * limit would have taken it off the old node first.  What cannot be read is not known, and no claim
 * waits for it: few tries, and ALI_QUOTA_MS at most. */
#ifndef KIT_CLOUD_ALIYUN_QUOTA_H
#define KIT_CLOUD_ALIYUN_QUOTA_H

#include "kit/cloud/aliyun/ecs.h"

#define ALI_QUOTA_TRIES 2
#define ALI_QUOTA_MS    INT64_C(3000)

struct ali_quota {
    char type[KIT_ID]; /* "ecs.g6.large" */
    int64_t enis;      /* of an instance, the primary one included (EniQuantity); -1 = not known */
    int64_t ipv4_of_eni; /* the primary one included (EniPrivateIpAddressQuantity); -1 */
    int64_t ipv6_of_eni; /* EniIpv6AddressQuantity; 0 = the type takes none; -1 */
    char why[320];       /* what kept us from knowing: the call's error; or that it was not told */
};

/* `by`, or ALI_QUOTA_MS from now when that is earlier. */
struct kit_deadline ali_quota_by(const struct ali_cloud *cloud, struct kit_deadline by);

/* DescribeInstanceTypes of one type, "" = not known (`why` says so): nobody is asked.  Never an
 * error: what is not told is -1.  Blocks for ALI_QUOTA_MS at most, never past `by`. */
void ali_quota_find(struct ali_cloud *cloud, const char *type, struct kit_deadline by,
                    struct ali_quota *ret_quota);

/* Is there room for one more?  Not known without a limit. */
enum kit_rule_answer ali_quota_check(int64_t used, int64_t limit);

#endif
