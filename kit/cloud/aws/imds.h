/* kit/cloud/aws/imds.h - the instance metadata service, version 2 only (docs: "Use IMDS"). */
#ifndef KIT_CLOUD_AWS_IMDS_H
#define KIT_CLOUD_AWS_IMDS_H

#include "kit/cloud/aws/aws.h"
#include "kit/cloud/metadata.h"

/* As kit_metadata_read; the session's token is kept.  Parameter metadata_endpoint,
 * AWS_EC2_METADATA_SERVICE_ENDPOINT, else the fixed address of the mode in
 * AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE.  AWS_EC2_METADATA_DISABLED: KIT_ERR_CONFIG, and nobody is
 * asked. */
int aws_imds_read(struct aws_cloud *cloud, struct kit_metadata_item item[], size_t count,
                  struct kit_deadline by, struct kit_err *err) KIT_CHECKED;

/* Does a version 2 metadata service answer at the settings' (or the usual) address? */
bool aws_imds_answers(struct aws_cloud *cloud, struct kit_deadline by);

#endif
