/* kit/cloud/ops_change.c - a change that is sent once and then looked for. */
#include "kit/cloud/ops.h"

static const struct kit_poll looks = {.first_ms = 100, .cap_ms = 2000};

bool kit_op_change_is_due(const struct kit_op_change *change)
{
    return !change->accepted || kit_deadline_passed(change->clock, change->stale_until);
}

int kit_op_change_sent(struct kit_op_change *change, int rc, bool passes, struct kit_err *err)
{
    if (!rc) {
        change->accepted++;
        change->stale_until = kit_deadline_in_ms(change->clock, KIT_OP_STALE_MS);
        return 0;
    }
    if (!kit_err_retryable(err) && !err->outcome_open && !passes)
        return -1;
    change->last = *err;
    return 0;
}

int kit_op_change_until(struct kit_op_change *change, kit_poll_fn look, void *arg,
                        struct kit_err *err)
{
    int rc = kit_poll_until(&looks, change->clock, change->by, look, arg, err);

    if (rc && err->kind == KIT_ERR_TIMEOUT && change->accepted)
        (void)kit_err_wrap(err, "the cloud said yes, and does not show it");
    else if (rc && err->kind == KIT_ERR_TIMEOUT && change->last.msg[0])
        (void)kit_err_wrap(err, "%s", change->last.msg);
    return rc;
}
