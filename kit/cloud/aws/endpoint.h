/* kit/cloud/aws/endpoint.h - where a service of a region is (botocore's endpoint rule set). */
#ifndef KIT_CLOUD_AWS_ENDPOINT_H
#define KIT_CLOUD_AWS_ENDPOINT_H

#include "kit/cloud/aws/aws.h"
#include "kit/cloud/aws/profile.h"

struct aws_endpoint_choice {
    const char *service; /* "ec2", "sts" */
    const char *region;  /* not looked at with `custom` */
    bool dualstack, fips;
    const char *custom; /* URL, or NULL; with fips or dualstack it is KIT_ERR_CONFIG */
};

/* "aws", "aws-cn" …: the partition of a region, of one that is not known "aws". */
const char *aws_partition(const char *region);

/* Pure: partition by region, suffix by partition.  KIT_ERR_CONFIG for a region that is no host
 * label. */
int aws_endpoint_resolve(const struct aws_endpoint_choice *choice,
                         struct aws_endpoint *ret_endpoint, struct kit_err *err) KIT_CHECKED;

/* The choice in force for these settings: parameter `endpoint`/`sts_endpoint`,
 * AWS_ENDPOINT_URL_EC2|STS, AWS_ENDPOINT_URL, the profile's services section, its endpoint_url (the
 * environment's and profile's ones unless AWS_IGNORE_CONFIGURED_ENDPOINT_URLS or the profile's key
 * of that name is true), AWS_USE_DUALSTACK_ENDPOINT and AWS_USE_FIPS_ENDPOINT or their profile
 * keys; then resolve.  `profiles` may be NULL.  KIT_ERR_CONFIG names whose URL is wrong. */
int aws_endpoint_for(const struct kit_settings *settings, const struct aws_profiles *profiles,
                     const char *service, const char *region, struct aws_endpoint *ret_endpoint,
                     struct kit_err *err) KIT_CHECKED;

#endif
