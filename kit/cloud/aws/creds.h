/* kit/cloud/aws/creds.h - the credential chain of CONTRACT.md section 9, in botocore's order:
 *
 *   1. AWS_ACCESS_KEY_ID … of the environment (not with the parameter `profile`)
 *   2. the profile's role_arn, by source_profile or credential_source
 *   3. a web identity, of the environment (not with the parameter `profile`) or the profile
 *   4. the credentials file's keys   5. credential_process   6. the config file's keys
 *   7. the container's endpoint      8. the instance's role
 *
 * and, with the parameter `role_arn`, that role assumed with what the chain gave.  The first source
 * that is configured counts. */
#ifndef KIT_CLOUD_AWS_CREDS_H
#define KIT_CLOUD_AWS_CREDS_H

#include "kit/cloud/aws/aws.h"

/* Makes cloud->creds usable: nothing to do while they are valid for at least another 10 minutes
 * (botocore's mandatory refresh); else the chain is walked, files and all.  A source that is
 * configured but broken is an error and not skipped: KIT_ERR_CONFIG or KIT_ERR_AUTH names it.  No
 * source at all: KIT_ERR_AUTH lists what was looked at.  Metadata or STS not answering:
 * KIT_ERR_TRANSIENT, or KIT_ERR_TIMEOUT at the deadline.  When a refresh fails and the old ones are
 * still valid, they are kept and it is no error.  What a source gives is taken even when its end is
 * near or past: the metadata service does so when its own source is down, and our clock may be
 * wrong. */
int aws_creds_get(struct aws_cloud *cloud, struct kit_deadline by, struct kit_err *err) KIT_CHECKED;

/* The cloud refused them: walk the chain again.  KIT_ERR_AUTH when it gives the same static ones;
 * else as aws_creds_get, but the refused ones are not kept. */
int aws_creds_renew(struct aws_cloud *cloud, struct kit_deadline by,
                    struct kit_err *err) KIT_CHECKED;

#endif
