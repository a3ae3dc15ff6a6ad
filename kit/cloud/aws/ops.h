/* kit/cloud/aws/ops.h - the operations of this provider (kit/cloud/ops.h), one file an object.
 * Private to kit/cloud/aws. */
#ifndef KIT_CLOUD_AWS_OPS_H
#define KIT_CLOUD_AWS_OPS_H

#include "kit/cloud/ops.h"

extern const struct kit_op aws_op_eip_list, aws_op_eip_bind, aws_op_eip_unbind, aws_op_eip_convert;

extern const struct kit_op aws_op_eni_attach, aws_op_eni_create, aws_op_eni_delete,
    aws_op_eni_detach, aws_op_eni_list, aws_op_eni_modify;

/* All of them, NULL-terminated: the provider's table. */
extern const struct kit_op *const aws_ops[];

#endif
