/* kit/cloud/aliyun/convert.c - a static public address becomes an EIP.
 *
 * The call has neither token nor condition; but a second one finds no static address and is
 * refused, so that it never does more than the first.  A run that was killed is finished by the
 * next one, which finds an EIP where the address was. */
#include "kit/cloud/aliyun/convert.h"

#include "kit/base/str.h"
#include "kit/fmt/time.h"

/* Tries of the change before the next look. */
#define TRIES 3
/* How long a look may show what was before a change that was accepted, … */
#define STALE_MS INT64_C(30000)
/* … and before one whose answer was lost: sent again, it is refused where it was carried out. */
#define OPEN_MS INT64_C(3000)
/* So many refusals after a try that may have been carried out, then it was not. */
#define REFUSED_MAX 3
/* A subscription that ends sooner keeps its address (help: "Convert a static public IP address").
 */
#define LIFE_S INT64_C(86400)

/* ---- rules ----------------------------------------------------------------------------------- */

static bool is_subscription(const struct ali_instance *i)
{
    return kit_str_eq(i->charge, "PrePaid");
}

/* ExpiredTime is told to the minute, "2026-12-10T04:04Z". */
static bool ends_soon(const struct ali_convert *c)
{
    const char *at = c->instance.expires;
    char text[KIT_TIME_TEXT];
    int64_t end_s;

    if (!kit_str_format(text, sizeof(text), "%.16s:00Z", at) || !kit_time_parse_iso(text, &end_s))
        return false;
    return is_subscription(&c->instance) && end_s - c->now_s < LIFE_S;
}

enum kit_rule_answer ali_convert_check_charge(const void *evidence, struct kit_buf *detail)
{
    const struct ali_instance *i = &((const struct ali_convert *)evidence)->instance;

    if (!i->public_ip[0])
        return KIT_RULE_NOT_KNOWN;
    (void)kit_buf_printf(detail, "%s is a subscription%s%s", i->id, i->traffic[0] ? ", " : "",
                         i->traffic);
    return kit_rule_broken_if(is_subscription(i) && !kit_str_eq(i->traffic, "PayByTraffic"));
}

enum kit_rule_answer ali_convert_check_state(const void *evidence, struct kit_buf *detail)
{
    const struct ali_convert *c = evidence;
    const struct ali_instance *i = &c->instance;

    if (!i->public_ip[0] && (!c->asked || i->eip_allocation[0]))
        return KIT_RULE_NOT_KNOWN;
    if (!i->public_ip[0])
        (void)kit_buf_printf(detail, "%s has no static public address", i->id);
    else if (!kit_str_eq(i->network, "vpc"))
        (void)kit_buf_printf(detail, "%s is in no VPC (%s)", i->id, i->network);
    else if (!kit_str_eq(i->status, "Running") && !kit_str_eq(i->status, "Stopped"))
        (void)kit_buf_printf(detail, "%s is %s", i->id, i->status);
    else if (i->eip[0])
        (void)kit_buf_printf(detail, "%s has the EIP %s beside it", i->id, i->eip);
    else if (i->bandwidth == 0)
        (void)kit_buf_printf(detail, "the public bandwidth of %s is 0", i->id);
    else if (ends_soon(c))
        (void)kit_buf_printf(detail, "%s ends at %s", i->id, i->expires);
    else if (i->lock[0])
        (void)kit_buf_printf(detail, "%s is locked (%s)", i->id, i->lock);
    return kit_rule_broken_if(detail->len_bytes > 0);
}

/* ---- the change ------------------------------------------------------------------------------ */

struct task {
    struct ali_cloud *cloud;
    const char *instance;
    const struct kit_op_ui *ui;
    struct kit_deadline by;
    struct kit_deadline sent_until; /* until then a look may be from before our change */
    bool sent;
    unsigned refused;
    struct ali_eip eip;
    struct kit_err last; /* the last refusal that may pass; msg "" = none */
};

/* 0: look again; -1: refused. */
static int send(struct task *t, struct kit_err *err)
{
    const struct kit_clock *clock = t->cloud->base.caller->clock;
    struct ali_rpc r;
    int rc;

    ali_rpc_init(&r, t->cloud, &ali_ecs, "ConvertNatPublicIpToEip", ALI_MUTATES);
    r.call.max_tries = TRIES;
    ali_rpc_param(&r, "InstanceId", t->instance);
    rc = ali_rpc_run(&r, t->by, err);
    ali_rpc_done(&r);
    if (!rc) {
        t->sent = true;
        t->sent_until = kit_deadline_in_ms(clock, STALE_MS);
        return 0;
    }
    t->last = *err;
    t->sent_until = kit_deadline_in_ms(clock, OPEN_MS);
    if (err->outcome_open) {
        t->sent = true;
        return 0;
    }
    if (kit_err_retryable(err))
        return 0;
    return t->sent && ++t->refused < REFUSED_MAX ? 0 : -1;
}

/* It has an EIP: shown as such, and at rest? */
static int look_at_eip(struct task *t, const struct ali_instance *i, struct kit_err *err)
{
    if (!ali_eip_find(t->cloud, i->eip_allocation, t->by, &t->eip, err)) {
        kit_op_tell(t->ui, "%s of %s: %s", i->eip, t->instance, t->eip.status_text);
        return t->eip.status == ALI_EIP_IN_USE && kit_str_eq(t->eip.holder, t->instance);
    }
    if (err->kind != KIT_ERR_NOT_FOUND)
        return -1;
    kit_op_tell(t->ui, "%s of %s: %s", i->eip, t->instance, "becomes an EIP");
    return 0;
}

static int next_step(void *arg, struct kit_err *err)
{
    const struct kit_clock *clock;
    struct task *t = arg;
    struct ali_instance i;

    clock = t->cloud->base.caller->clock;
    if (ali_instance_find(t->cloud, t->instance, t->by, &i, err))
        return -1;
    if (!i.public_ip[0] && i.eip_allocation[0])
        return look_at_eip(t, &i, err);
    if (!i.public_ip[0] && !t->sent)
        return kit_err_set(err, KIT_ERR_NOT_FOUND, "%s has no public address", t->instance);
    if (i.public_ip[0])
        kit_op_tell(t->ui, "%s of %s: %s", i.public_ip, t->instance, "static");
    if (i.public_ip[0] && kit_deadline_passed(clock, t->sent_until))
        return send(t, err);
    return 0;
}

int ali_convert(struct ali_cloud *cloud, const char *instance, const struct kit_op_ui *ui,
                struct kit_deadline by, struct ali_eip *ret_eip, struct kit_err *err)
{
    struct task t = {.cloud = cloud, .instance = instance, .ui = ui, .by = by};

    if (kit_poll_until(&ali_poll, cloud->base.caller->clock, by, next_step, &t, err)) {
        if (err->kind == KIT_ERR_TIMEOUT && t.last.msg[0])
            (void)kit_err_wrap(err, "%s", t.last.msg);
        return kit_err_wrap(err, "convert the public address of %s", instance);
    }
    *ret_eip = t.eip;
    return 0;
}
