/* kit/cloud/aws/eni.h - shared by eni.c (the mover), eni_move.c (its changes) and the operations on
 * ENIs. */
#ifndef KIT_CLOUD_AWS_ENI_H
#define KIT_CLOUD_AWS_ENI_H

#include "kit/cloud/aws/nic.h"
#include "kit/cloud/ops.h"

/* One ENI taken to an instance, or off the one that has it. */
struct aws_eni_move {
    const char *eni;
    const char *from;           /* off by this attachment, "" = nobody has it */
    const char *to;             /* onto this instance; "" = only off */
    bool busy;                  /* it was seen between two states: look before the first change */
    const struct kit_op_ui *ui; /* told what is waited for, or NULL */
};
/* Resumable: what it does next follows from what is seen.  Done when it is attached there, or
 * available; blocks until `by` at most.  KIT_ERR_CONFLICT: a third has it; KIT_ERR_TIMEOUT says
 * where it hangs, and what helps. */
int aws_eni_move(struct aws_cloud *cloud, const struct aws_eni_move *move, struct kit_deadline by,
                 struct kit_err *err) KIT_CHECKED;

/* kit_mover.claim, .release.  Both block until the ENI has arrived, or is available, or `by`.
 * KIT_ERR_TIMEOUT: an instance does not let go of it; the message says what helps. */
int aws_eni_claim(struct kit_cloud *cloud, const struct kit_settings *settings,
                  const struct kit_facts *facts, struct kit_step step[], size_t count,
                  struct kit_deadline by, struct kit_err *err);
int aws_eni_release(struct kit_cloud *cloud, const struct kit_settings *settings,
                    const struct kit_facts *facts, struct kit_step step[], size_t count,
                    struct kit_deadline by, struct kit_err *err);

#endif
