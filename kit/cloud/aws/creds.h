/* kit/cloud/aws/creds.h - the credential chain of CONTRACT.md section 9, in botocore's order. */
#ifndef KIT_CLOUD_AWS_CREDS_H
#define KIT_CLOUD_AWS_CREDS_H

#include "kit/cloud/aws/aws.h"

/* Makes cloud->creds usable: nothing to do while they are valid for at least another 10 minutes (botocore's mandatory refresh); else the chain
 * is walked and, with `role_arn` in the settings, that role assumed with what the chain gave.
 * A source that is configured but broken is an error and not skipped: KIT_ERR_CONFIG or KIT_ERR_AUTH names it.  No source at all: KIT_ERR_AUTH lists
 * what was looked at.  Metadata or STS not answering: KIT_ERR_TRANSIENT.  When a refresh fails and the old ones are still valid, they are kept. */
int aws_creds_get(struct aws_cloud *cloud, struct kit_deadline by, struct kit_err *err) KIT_CHECKED;

/* The cloud refused them: throw them away and walk the chain again (KIT_ERR_AUTH when it gives the same static ones). */
int aws_creds_renew(struct aws_cloud *cloud, struct kit_deadline by, struct kit_err *err) KIT_CHECKED;

#endif
