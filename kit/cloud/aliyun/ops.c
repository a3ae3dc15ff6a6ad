#include "kit/cloud/aliyun/ops.h"

#include "kit/base/mem.h"

/* Tries of one change before the next look. */
#define TRIES        3
#define TOGETHER_MAX 8

const struct kit_op *const ali_ops[] = {
    &ali_op_havip_create, &ali_op_havip_list, &ali_op_havip_bind,  &ali_op_havip_unbind,
    &ali_op_havip_delete, &ali_op_eni_create, &ali_op_eni_list,    &ali_op_eni_attach,
    &ali_op_eni_detach,   &ali_op_eni_modify, &ali_op_eni_delete,  &ali_op_eip_list,
    &ali_op_eip_bind,     &ali_op_eip_unbind, &ali_op_eip_convert, NULL,
};

bool ali_change_is_due(const struct ali_change *change)
{
    return !change->accepted ||
           kit_deadline_passed(change->cloud->base.caller->clock, change->stale_until);
}

int ali_change_send(struct ali_change *change, struct ali_rpc *r, bool gone_is_fine,
                    struct kit_err *err)
{
    enum ali_error_note note;
    int rc;

    r->call.max_tries = TRIES;
    rc = ali_rpc_run(r, change->by, err);
    note = r->note;
    ali_rpc_done(r);
    if (!rc) {
        change->accepted++;
        change->stale_until =
            kit_deadline_in_ms(change->cloud->base.caller->clock, ALI_CHANGE_STALE_MS);
        return 0;
    }
    if (!kit_err_retryable(err) && !err->outcome_open && !(note == ALI_NOTE_GONE && gone_is_fine))
        return -1;
    change->last = *err;
    return 0;
}

int ali_change_until(struct ali_change *change, kit_poll_fn look, void *arg, struct kit_err *err)
{
    int rc =
        kit_poll_until(&ali_poll, change->cloud->base.caller->clock, change->by, look, arg, err);

    if (rc && err->kind == KIT_ERR_TIMEOUT && change->accepted)
        (void)kit_err_wrap(err, "the cloud said yes, and does not show it");
    else if (rc && err->kind == KIT_ERR_TIMEOUT && change->last.msg[0])
        (void)kit_err_wrap(err, "%s", change->last.msg);
    return rc;
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
