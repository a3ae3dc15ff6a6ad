/* kit/cloud/aliyun/ops.h - what the operations on Alibaba Cloud's objects have in common.  Private
 * to kit/cloud/aliyun.  See kit/cloud/ops.h. */
#ifndef KIT_CLOUD_ALIYUN_OPS_H
#define KIT_CLOUD_ALIYUN_OPS_H

#include "kit/cloud/aliyun/rpc.h"
#include "kit/cloud/ops.h"

/* The provider's table. */
extern const struct kit_op *const ali_ops[];
extern const struct kit_op ali_op_eip_bind, ali_op_eip_convert, ali_op_eip_list, ali_op_eip_unbind;
extern const struct kit_op ali_op_eni_attach, ali_op_eni_create, ali_op_eni_delete,
    ali_op_eni_detach, ali_op_eni_list, ali_op_eni_modify;
extern const struct kit_op ali_op_havip_bind, ali_op_havip_bind_eip, ali_op_havip_create,
    ali_op_havip_delete, ali_op_havip_list, ali_op_havip_unbind, ali_op_havip_unbind_eip;

/* A change (kit/cloud/ops.h) and the session that it is sent in. */
struct ali_change {
    struct ali_cloud *cloud;
    struct kit_op_change c;
};
struct ali_change ali_change_of(struct ali_cloud *cloud, struct kit_deadline by);
/* Sends it, frees the call, and judges what came back.  What is gone already (ALI_NOTE_GONE) is
 * looked for as well where `gone_is_fine`. */
int ali_change_send(struct ali_change *change, struct ali_rpc *r, bool gone_is_fine,
                    struct kit_err *err) KIT_CHECKED;

/* Runs calls together; 0 when all succeeded.  The asker frees each. */
int ali_ops_together(struct ali_cloud *cloud, struct ali_rpc r[], size_t count,
                     struct kit_deadline by, struct kit_err *err) KIT_CHECKED;

#endif
