#include "kit/cloud/aliyun/ops.h"

#include "kit/base/mem.h"

/* Tries of one change before the next look. */
#define TRIES        3
#define TOGETHER_MAX 8

const struct kit_op *const ali_ops[] = {
    &ali_op_havip_create, &ali_op_havip_list,     &ali_op_havip_bind,
    &ali_op_havip_unbind, &ali_op_havip_bind_eip, &ali_op_havip_unbind_eip,
    &ali_op_havip_delete, &ali_op_eni_create,     &ali_op_eni_list,
    &ali_op_eni_attach,   &ali_op_eni_detach,     &ali_op_eni_modify,
    &ali_op_eni_delete,   &ali_op_eip_list,       &ali_op_eip_bind,
    &ali_op_eip_unbind,   &ali_op_eip_convert,    NULL,
};

struct ali_change ali_change_of(struct ali_cloud *cloud, struct kit_deadline by)
{
    return (struct ali_change){.cloud = cloud, .c = {.clock = cloud->base.caller->clock, .by = by}};
}

int ali_change_send(struct ali_change *change, struct ali_rpc *r, bool gone_is_fine,
                    struct kit_err *err)
{
    bool passes;
    int rc;

    r->call.max_tries = KIT_OP_TRIES;
    rc = ali_rpc_run(r, change->c.by, err);
    passes = r->note == ALI_NOTE_GONE && gone_is_fine;
    ali_rpc_done(r);
    return kit_op_change_sent(&change->c, rc, passes, err);
}

int ali_ops_together(struct ali_cloud *cloud, struct ali_rpc r[], size_t count,
                     struct kit_deadline by, struct kit_err *err)
{
    struct kit_call *call[TOGETHER_MAX];

    for (size_t i = 0; i < count && i < TOGETHER_MAX; i++)
        call[i] = &r[i].call;
    return kit_call_all(cloud->base.caller, call, count < TOGETHER_MAX ? count : TOGETHER_MAX, by,
                        err);
}
