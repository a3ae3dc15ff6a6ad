/* kit/cloud/aws/egress.h - why `cloudvip egress` has nothing to do on AWS.  Private to
 * kit/cloud/aws. */
#ifndef KIT_CLOUD_AWS_EGRESS_H
#define KIT_CLOUD_AWS_EGRESS_H

#include "kit/cloud/egress.h"

extern const struct kit_egress aws_egress;

#endif
