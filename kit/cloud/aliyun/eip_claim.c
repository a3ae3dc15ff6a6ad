/* elastic-ip: the mover's claim and release of one EIP; eip_move.c does the work. */
#include "kit/base/str.h"
#include "kit/cloud/aliyun/eip.h"

/* Tries of one release before the next look. */
#define TRIES 3

/* The binding as the EIP it was made from: type, mode and private address are in its handle. */
static void from_binding(const struct kit_binding *b, struct ali_eip *eip)
{
    char *const field[] = {eip->type, eip->mode, eip->private_text};
    const size_t bytes[] = {sizeof(eip->type), sizeof(eip->mode), sizeof(eip->private_text)};
    const char *at = b->handle;

    *eip = (struct ali_eip){.status = b->holder[0] ? ALI_EIP_IN_USE : ALI_EIP_AVAILABLE};
    (void)kit_str_copy(eip->id, sizeof(eip->id), b->place);
    (void)kit_str_copy(eip->holder, sizeof(eip->holder), b->holder);
    for (size_t i = 0; i < KIT_LEN(field); i++) {
        size_t len = 0;

        for (; at[len] && at[len] != ' '; len++)
            if (len + 1 < bytes[i])
                field[i][len] = at[len];
        at += len + (at[len] == ' ');
    }
}

/* The ENI's primary address where the metadata service was not asked. */
static int find_private(struct ali_cloud *cloud, struct ali_eip_move *move, struct kit_deadline by,
                        struct kit_err *err)
{
    const struct ali_eni_filter filter = {.id = &move->holder, .ids = 1};
    KIT_AUTO(ali_enis) list = {0};
    const struct ali_eni *eni;

    if (ali_enis_find(cloud, &filter, by, &list, err))
        return kit_err_wrap(err, "find the primary address of %s", move->holder);
    eni = ali_enis_get(&list, move->holder);
    if (!eni || !ali_eni_primary_text(eni, move->private_text))
        return kit_err_set(err, KIT_ERR_NOT_FOUND, "there is no ENI %s, or it has no address",
                           move->holder);
    return 0;
}

/* What is to be done, as the settings and the facts say. */
static int prepare(struct ali_cloud *cloud, const struct kit_settings *settings,
                   const struct kit_facts *facts, const struct kit_binding *b,
                   struct kit_deadline by, struct ali_eip_move *ret_move, struct kit_err *err)
{
    const struct kit_addr *wanted = kit_settings_addr(settings, KIT_PARAM_PRIVATE_ADDRESS);
    struct kit_me me;

    if (ali_me_find(cloud, settings, ALI_ME_ENI, by, &me, err))
        return -1;
    *ret_move = (struct ali_eip_move){
        .mode = ali_eip_mode_of(settings),
        .id = b->place,
        .holder = facts->me,
        .type = kit_str_eq(facts->me, me.eni) ? "NetworkInterface" : "EcsInstance",
        .node = facts->my_node,
        .from = b->holder,
    };
    if (wanted)
        (void)kit_addr_text(wanted, ret_move->private_text);
    else if (kit_str_eq(ret_move->type, "NetworkInterface"))
        (void)kit_str_copy(ret_move->private_text, sizeof(ret_move->private_text), me.primary);
    if (ret_move->private_text[0] || kit_str_eq(ret_move->type, "EcsInstance") ||
        ret_move->mode == ALI_EIP_CUT_THROUGH)
        return 0;
    return find_private(cloud, ret_move, by, err);
}

static int claim_one(struct ali_cloud *cloud, const struct kit_settings *settings,
                     const struct kit_facts *facts, const struct kit_binding *b,
                     struct kit_deadline by, struct kit_err *err)
{
    struct ali_eip_move move;
    struct ali_eip seen;

    if (prepare(cloud, settings, facts, b, by, &move, err))
        return -1;
    from_binding(b, &seen);
    /* Ours but not right, or free and named: between two states; and our ENI was not kept. */
    bool fresh = !b->mine && !b->holder[0] == !b->handle[0] && move.mode != ALI_EIP_CUT_THROUGH;
    return ali_eip_move(cloud, &move, fresh ? &seen : NULL, by, err);
}

int ali_eip_claim(struct kit_cloud *cloud, const struct kit_settings *settings,
                  const struct kit_facts *facts, struct kit_step step[], size_t count,
                  struct kit_deadline by, struct kit_err *err)
{
    int rc = 0;

    for (size_t i = 0; i < count && !rc; i++) { /* an EIP is one binding: one step */
        rc = claim_one((struct ali_cloud *)cloud, settings, facts, step[i].binding, by, err);
        step[i].result = rc ? KIT_STEP_FAILED : KIT_STEP_DONE;
        if (rc)
            step[i].err = *err;
    }
    return rc;
}

/* Not waited for here: kit_vip_release looks until it is gone. */
int ali_eip_release(struct kit_cloud *cloud, const struct kit_settings *settings,
                    const struct kit_facts *facts, struct kit_step step[], size_t count,
                    struct kit_deadline by, struct kit_err *err)
{
    int rc = 0;

    (void)settings;
    (void)facts;
    for (size_t i = 0; i < count && !rc; i++) {
        struct ali_eip eip;
        struct ali_rpc r;

        step[i].result = KIT_STEP_DONE;
        if (!step[i].binding->handle[0]) /* it is leaving already */
            continue;
        from_binding(step[i].binding, &eip);
        ali_eip_unassociate(&r, (struct ali_cloud *)cloud, &eip);
        r.call.max_tries = TRIES;
        rc = ali_rpc_run(&r, by, err);
        ali_rpc_step(&r, &step[i]);
        /* Between two states, or gone from us meanwhile: the next look says. */
        if (rc && (kit_err_retryable(err) || r.note == ALI_NOTE_GONE))
            step[i].result = KIT_STEP_OPEN;
        ali_rpc_done(&r);
    }
    return rc;
}
