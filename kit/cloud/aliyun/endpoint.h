/* kit/cloud/aliyun/endpoint.h - where a product of a region is (the endpoint rule of the vendor's
 * SDKs). */
#ifndef KIT_CLOUD_ALIYUN_ENDPOINT_H
#define KIT_CLOUD_ALIYUN_ENDPOINT_H

#include "kit/cloud/aliyun/aliyun.h"
#include "kit/cloud/aliyun/profile.h"

struct ali_endpoint_choice {
    const char *product; /* "vpc", "ecs", "sts" */
    const char *region;  /* not looked at with `custom`; sts does without one */
    bool internal;       /* the VPC's own network: "vpc-vpc.REGION…" */
    const char *custom;  /* URL or host name, or NULL */
};

/* Pure.  KIT_ERR_CONFIG for a region that is no host label, or none. */
int ali_endpoint_resolve(const struct ali_endpoint_choice *choice,
                         struct ali_endpoint *ret_endpoint, struct kit_err *err) KIT_CHECKED;

/* The choice in force for these settings: parameter `endpoint` (Vpc and Ecs alike) or
 * `sts_endpoint`, ALIBABA_CLOUD_VPC_ENDPOINT | _ECS_ENDPOINT | _STS_ENDPOINT; else by region, in
 * the VPC's own network when ALIBABA_CLOUD_VPC_ENDPOINT_ENABLED is true or the CLI profile says
 * enable_vpc.  `profiles` may be NULL.  KIT_ERR_CONFIG names whose URL is wrong. */
int ali_endpoint_for(const struct kit_settings *settings, const struct ali_profiles *profiles,
                     const char *product, const char *region, struct ali_endpoint *ret_endpoint,
                     struct kit_err *err) KIT_CHECKED;

#endif
