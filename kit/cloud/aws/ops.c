#include "kit/cloud/aws/ops.h"

#include <stddef.h>

const struct kit_op *const aws_ops[] = {
    &aws_op_eni_create,
    &aws_op_eni_list,
    &aws_op_eni_attach,
    &aws_op_eni_detach,
    &aws_op_eni_modify,
    &aws_op_eni_delete,
    &aws_op_eip_list,
    &aws_op_eip_bind,
    &aws_op_eip_unbind,
    &aws_op_eip_convert,
    NULL,
};
