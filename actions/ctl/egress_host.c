/* actions/ctl/egress_host.c - the ENI as this host has it: step 6, by the means of `nic setup`. */
#include "actions/ctl/egress.h"

#include <net/if.h>

#include "kit/base/str.h"

/* A guest shows an ENI some moments after the cloud says that it is attached. */
static const struct kit_poll looks = {.first_ms = 100, .cap_ms = 1000};

/* Of several with the MAC (a VLAN on top of it has it, too) the one that was there first. */
static int find_interface(const char *mac, char interface[16], struct kit_err *err)
{
    struct if_nameindex *all = if_nameindex();
    unsigned index = 0;

    interface[0] = '\0';
    if (!all)
        return kit_err_set(err, KIT_ERR_SYSTEM, "list the interfaces");
    for (const struct if_nameindex *i = all; i->if_name; i++) {
        struct kit_link link;
        struct kit_err gone;

        if (kit_link_read(i->if_name, &link, &gone) || !link.mac[0] ||
            !kit_str_eq_nocase(link.mac, mac) || (index && index < link.index))
            continue;
        index = link.index;
        (void)kit_str_copy(interface, 16, link.name);
    }
    if_freenameindex(all);
    return 0;
}

void ctl_egress_host_look(struct ctl_egress *e)
{
    const struct kit_egress_facts *f = &e->facts;
    const struct ctl_nic_ask ask = {
        .interface = e->interface, .confdir = e->ctl->confdir, .by = e->by};
    struct kit_err err;

    e->has_nic = false;
    e->nic_why[0] = e->interface[0] = '\0';
    if (!f->here || !f->eni.attached)
        return;
    if (find_interface(f->eni.mac, e->interface, &err) ||
        (e->interface[0] && ctl_nic_look(e->session.cloud, &ask, &e->nic, &err))) {
        (void)kit_str_copy(e->nic_why, sizeof(e->nic_why), err.msg);
        return;
    }
    e->has_nic = e->interface[0] != '\0';
}

static int is_there(void *arg, struct kit_err *err)
{
    struct ctl_egress *e = arg;

    if (find_interface(e->facts.eni.mac, e->interface, err))
        return -1;
    kit_op_tell(&e->talk.ui, "%s: %s", e->facts.eni.id,
                e->interface[0] ? e->interface : "not shown by this host yet");
    return e->interface[0] != '\0';
}

static void tell(void *arg, const char *line)
{
    struct ctl_egress *e = arg;

    kit_op_tell(&e->talk.ui, "%s", line);
}

int ctl_egress_host_setup(struct ctl_egress *e, struct kit_err *err)
{
    const struct kit_clock *clock = e->ctl->clock;
    struct ctl_nic_result result;

    if (kit_poll_until(&looks, clock, e->by, is_there, e, err))
        return kit_err_wrap(err, "find the interface with the MAC %s", e->facts.eni.mac);
    const struct ctl_nic_ask ask = {.interface = e->interface,
                                    .confdir = e->ctl->confdir,
                                    .no_persist = e->value[CTL_EGRESS_NO_PERSIST].text,
                                    .clock = clock,
                                    .by = e->by,
                                    .tell = tell,
                                    .arg = e};
    int rc = ctl_nic_setup(e->session.cloud, &ask, &result, err);
    e->changed = e->changed || result.changed;
    ctl_nic_result_done(&result);
    return rc ? kit_err_wrap(err, "nic setup %s", e->interface) : 0;
}
