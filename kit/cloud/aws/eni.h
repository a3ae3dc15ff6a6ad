/* kit/cloud/aws/eni.h - shared by eni.c (the mover) and eni_move.c (its changes). */
#ifndef KIT_CLOUD_AWS_ENI_H
#define KIT_CLOUD_AWS_ENI_H

#include "kit/cloud/aws/nic.h"

/* kit_mover.claim, .release.  Both block until the ENI has arrived, or is available, or `by`.
 * KIT_ERR_TIMEOUT: an instance does not let go of it; the message says what helps. */
int aws_eni_claim(struct kit_cloud *cloud, const struct kit_settings *settings,
                  const struct kit_facts *facts, struct kit_step step[], size_t count,
                  struct kit_deadline by, struct kit_err *err);
int aws_eni_release(struct kit_cloud *cloud, const struct kit_settings *settings,
                    const struct kit_facts *facts, struct kit_step step[], size_t count,
                    struct kit_deadline by, struct kit_err *err);

#endif
