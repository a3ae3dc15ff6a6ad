/* kit/cloud/aliyun/aliyun.h - one session with Alibaba Cloud: what its files share.  Private to
 * kit/cloud/aliyun. */
#ifndef KIT_CLOUD_ALIYUN_ALIYUN_H
#define KIT_CLOUD_ALIYUN_ALIYUN_H

#include "kit/cloud/cloud.h"
#include "kit/cloud/creds.h"
#include "kit/cloud/me.h"

struct ali_endpoint {
    char url[512]; /* "https://vpc.cn-shanghai.aliyuncs.com/"; "" until first used */
};

struct ali_cloud {
    struct kit_cloud base; /* first: a kit_cloud is cast to this */
    const struct kit_settings *settings;
    char region[KIT_ID];    /* "" until ali_ready */
    struct kit_creds creds; /* access_key_id "" until ali_creds_get */
    struct kit_secret metadata_token;
    struct kit_me_known known;
    bool no_metadata; /* who we are was asked, and nobody answered: we may be no instance at all */
    int64_t skew_s;   /* server's clock minus ours, kept once a request was refused for it */
    struct ali_endpoint vpc, ecs, sts;
};

/* The provider's clock: ours, corrected by the offset that was measured. */
int64_t ali_now_s(const struct ali_cloud *cloud);

/* Region, endpoints and credentials are there after this; nothing to do when they are already.
 * Region: parameter, ALIBABA_CLOUD_REGION_ID, the CLI profile, the metadata service.  Blocks until
 * `by` at most. */
int ali_ready(struct ali_cloud *cloud, struct kit_deadline by, struct kit_err *err) KIT_CHECKED;

/* This node and its interface; asked once per interface and session. */
enum ali_me_wants {
    ALI_ME_ENI = 1,  /* parameter `eni`, else by the MAC of `interface` */
    ALI_ME_NODE = 2, /* instance id */
    ALI_ME_VPC = 4,  /* parameter vpc_id, else of the instance */
};
/* KIT_ERR_CONFIG: no such interface, or it is no ENI of this instance.  What is not asked for may
 * be "". */
int ali_me_find(struct ali_cloud *cloud, const struct kit_settings *settings, unsigned wants,
                struct kit_deadline by, struct kit_me *ret_me, struct kit_err *err) KIT_CHECKED;

#endif
