/* kit/cloud/aws/private_ip.h - shared by private_ip.c (the mover) and private_ip_move.c (its
 * changes). */
#ifndef KIT_CLOUD_AWS_PRIVATE_IP_H
#define KIT_CLOUD_AWS_PRIVATE_IP_H

#include "kit/cloud/cloud.h"

/* kit_mover.claim, .release.  Both block for one or two calls; a claim also, where `interface` is
 * set, until the metadata service shows the address, 10 s at most. */
int aws_private_ip_claim(struct kit_cloud *base, const struct kit_settings *settings,
                         const struct kit_facts *facts, struct kit_step step[], size_t count,
                         struct kit_deadline by, struct kit_err *err);
int aws_private_ip_release(struct kit_cloud *base, const struct kit_settings *settings,
                           const struct kit_facts *facts, struct kit_step step[], size_t count,
                           struct kit_deadline by, struct kit_err *err);

#endif
