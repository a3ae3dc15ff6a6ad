/* kit/cloud/aliyun/ops_eip.h - shared by ops_eip.c and ops_eip_bind.c. */
#ifndef KIT_CLOUD_ALIYUN_OPS_EIP_H
#define KIT_CLOUD_ALIYUN_OPS_EIP_H

#include "kit/cloud/aliyun/eip.h"
#include "kit/cloud/aliyun/ops.h"

/* Puts the EIP into the answer as a row. */
void ali_op_eip_row(struct kit_op_answer *answer, const struct ali_eip *eip);

/* Its holder's words for people: "eni-1", "i-1 (EcsInstance)"; "" when nobody has it. */
const char *ali_op_eip_holder(const struct ali_eip *eip, char text[KIT_ID + 32]);

#endif
