/* One secondary private address (or IPv6 address) taken off there and assigned here.
 *
 * claim: there is no flag that takes an address from another ENI (InvalidIp.IpAssigned), so it is
 * unassigned there and assigned here.  Killed in between, the address is on nobody, and the next
 * run assigns it.  UnassignPrivateIpAddresses names the ENI: it never hits another's. */
#include "kit/base/str.h"
#include "kit/cloud/aliyun/private_ip.h"

struct verb {
    const char *assign, *unassign, *param;
};

static const struct verb *verb_of(const struct kit_addr *addr)
{
    static const struct verb v4 = {"AssignPrivateIpAddresses", "UnassignPrivateIpAddresses",
                                   "PrivateIpAddress.1"};
    static const struct verb v6 = {"AssignIpv6Addresses", "UnassignIpv6Addresses", "Ipv6Address.1"};

    return addr->family == 6 ? &v6 : &v4;
}

static int unassign(struct ali_cloud *cloud, struct kit_step *step, const struct kit_addr *addr,
                    struct kit_deadline by, struct kit_err *err)
{
    struct ali_rpc r;
    int rc;

    ali_rpc_init(&r, cloud, &ali_ecs, verb_of(addr)->unassign, ALI_MUTATES);
    ali_rpc_param(&r, "NetworkInterfaceId", step->binding->holder);
    ali_rpc_param(&r, verb_of(addr)->param, step->binding->place);
    rc = ali_rpc_run(&r, by, err);
    ali_rpc_step(&r, step);
    /* It is not on that ENI, or the ENI is no more: nothing left to take off. */
    if (rc && r.note == ALI_NOTE_GONE) {
        step->result = KIT_STEP_DONE;
        rc = 0;
    }
    ali_rpc_done(&r);
    return rc;
}

static int assign(struct ali_cloud *cloud, const struct kit_facts *facts, struct kit_step *step,
                  const struct kit_addr *addr, struct kit_deadline by, struct kit_err *err)
{
    struct ali_rpc r;
    int rc;

    ali_rpc_init(&r, cloud, &ali_ecs, verb_of(addr)->assign, ALI_MUTATES | ALI_TOKEN);
    ali_rpc_param(&r, "NetworkInterfaceId", facts->me);
    ali_rpc_param(&r, verb_of(addr)->param, step->binding->place);
    rc = ali_rpc_run(&r, by, err);
    /* InvalidIp.IpAssigned: still elsewhere, or another node was quicker: OPEN, look again. */
    ali_rpc_step(&r, step);
    ali_rpc_done(&r);
    return rc;
}

int ali_private_ip_claim(struct kit_cloud *cloud, const struct kit_settings *settings,
                         const struct kit_facts *facts, struct kit_step step[], size_t count,
                         struct kit_deadline by, struct kit_err *err)
{
    struct ali_cloud *session = (struct ali_cloud *)cloud;
    const struct kit_addr *addr = kit_settings_addr(settings, KIT_PARAM_ADDRESS);
    int rc = 0;

    for (size_t i = 0; i < count && !rc; i++) { /* one address is one binding: one step */
        const struct kit_binding *b = step[i].binding;
        bool taken = b->holder[0] && !b->mine;

        if (taken)
            rc = unassign(session, &step[i], addr, by, err);
        if (!rc)
            rc = assign(session, facts, &step[i], addr, by, err);
        if (taken && rc && step[i].result == KIT_STEP_FAILED)
            (void)kit_err_wrap(&step[i].err, "move it from %s", b->holder);
    }
    return rc;
}

int ali_private_ip_release(struct kit_cloud *cloud, const struct kit_settings *settings,
                           const struct kit_facts *facts, struct kit_step step[], size_t count,
                           struct kit_deadline by, struct kit_err *err)
{
    const struct kit_addr *addr = kit_settings_addr(settings, KIT_PARAM_ADDRESS);
    int rc = 0;

    (void)facts;
    for (size_t i = 0; i < count && !rc; i++)
        rc = unassign((struct ali_cloud *)cloud, &step[i], addr, by, err);
    return rc;
}
