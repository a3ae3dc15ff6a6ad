/* kit/cloud/aws/aws.h - one session with AWS: what its files share.  Private to kit/cloud/aws. */
#ifndef KIT_CLOUD_AWS_AWS_H
#define KIT_CLOUD_AWS_AWS_H

#include "kit/cloud/cloud.h"
#include "kit/cloud/creds.h"
#include "kit/cloud/me.h"

struct aws_endpoint {
    char url[512]; /* ends in '/' unless it has a path of its own */
};

struct aws_cloud {
    struct kit_cloud base; /* first: a kit_cloud is cast to this */
    const struct kit_settings *settings;
    char region[KIT_ID]; /* "" until aws_region */
    char node[KIT_ID];   /* our instance id; "" until it was asked for */
    char vpc[KIT_ID];    /* of the instance; "" until it was asked for */
    struct kit_me_known known;
    struct kit_creds creds; /* access_key_id "" until aws_creds_get */
    struct kit_secret imds_token;
    int64_t skew_s; /* server's clock minus ours, kept once it is 240 s or more; see ec2.c */
    struct aws_endpoint ec2, sts; /* url "" until first used */
};

/* The region: parameter, AWS_REGION, AWS_DEFAULT_REGION, profile, metadata service, in this order.
 * Blocks for the last. */
int aws_region(struct aws_cloud *cloud, struct kit_deadline by, struct kit_err *err) KIT_CHECKED;

/* The provider's clock: ours, corrected by the offset that was measured. */
int64_t aws_now_s(const struct aws_cloud *cloud);

#endif
