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

/* A change that is sent once and then looked for.
 *
 *   static int look(void *arg, struct kit_err *err)   kit_poll_fn
 *   {
 *       … asks; 1 when it is as it should be, -1 when it never will;
 *       return ali_change_is_due(&c) ? send(…) : 0;
 *   }
 *   ali_change_until(&c, look, …)
 *
 * A refusal that may pass (another task is under way, the answer was lost) leads to another look,
 * and what was accepted is not sent again but when the looks have shown nothing of it for so long
 * that they cannot be stale. */
struct ali_change {
    struct ali_cloud *cloud;
    struct kit_deadline by;
    unsigned accepted;               /* how often the cloud said yes */
    struct kit_deadline stale_until; /* a look may show what was before */
    struct kit_err last;             /* the last refusal that may pass; msg "" = none */
};
#define ALI_CHANGE_STALE_MS INT64_C(15000)
bool ali_change_is_due(const struct ali_change *change);
/* Sends it and frees the call.  0: accepted, or to be looked for; -1: refused for good.  What is
 * gone already (ALI_NOTE_GONE) is looked for as well where `gone_is_fine`. */
int ali_change_send(struct ali_change *change, struct ali_rpc *r, bool gone_is_fine,
                    struct kit_err *err) KIT_CHECKED;
/* kit_poll_until with the room's pace; an end of patience tells the last refusal. */
int ali_change_until(struct ali_change *change, kit_poll_fn look, void *arg,
                     struct kit_err *err) KIT_CHECKED;

/* Runs calls together; 0 when all succeeded.  The asker frees each. */
int ali_ops_together(struct ali_cloud *cloud, struct ali_rpc r[], size_t count,
                     struct kit_deadline by, struct kit_err *err) KIT_CHECKED;

#endif
