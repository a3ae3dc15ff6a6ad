#include "kit/cloud/aws/ops.h"

#include <stddef.h>

const struct kit_op *const aws_ops[] = {
    &aws_op_eip_list, &aws_op_eip_bind, &aws_op_eip_unbind, &aws_op_eip_convert, NULL,
};
