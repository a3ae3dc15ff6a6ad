/* actions/ctl/egress_steps.c - the seven steps (Alibaba Cloud help: "Use the same EIP to access the
 * Internet when an ECS instance has a static public IP address"). */
#include "actions/ctl/egress.h"

#include "kit/base/str.h"

static enum ctl_egress_state_of_step done_if(bool done)
{
    return done ? CTL_EGRESS_DONE : CTL_EGRESS_OPEN;
}

static int change(struct ctl_egress *e, enum kit_egress_change which, struct kit_err *err)
{
    const struct kit_egress_job job = {.wish = &e->wish,
                                       .facts = &e->facts,
                                       .token = e->state.token,
                                       .ui = &e->talk.ui,
                                       .by = e->by};

    e->changed = true;
    return e->cloud->change[which](e->session.cloud, &job, err);
}

/* The address that it is about; "" = none is known. */
static const char *address(const struct ctl_egress *e)
{
    const struct kit_egress_facts *f = &e->facts;

    if (f->eip.address[0])
        return f->eip.address;
    return f->static_ip[0] ? f->static_ip : f->primary_eip;
}

static const char *eip_text(const struct ctl_egress *e)
{
    return address(e)[0] ? address(e) : "the EIP";
}

/* ---- 1: the address becomes an EIP ----------------------------------------------------------- */

static enum ctl_egress_state_of_step convert_state(const struct ctl_egress *e)
{
    return done_if(!e->facts.static_ip[0] && e->facts.eip.id[0]);
}

static void convert_describe(const struct ctl_egress *e, struct kit_buf *out)
{
    if (e->facts.static_ip[0])
        (void)kit_buf_printf(out, "make the static public address %s an EIP", e->facts.static_ip);
    else if (e->facts.eip.id[0])
        (void)kit_buf_printf(out, "%s is the EIP %s", e->facts.eip.address, e->facts.eip.id);
    else
        (void)kit_buf_printf(out, "%s has no public address: name an EIP with --eip",
                             e->facts.instance);
}

static int convert_act(struct ctl_egress *e, struct kit_err *err)
{
    return change(e, KIT_EGRESS_CONVERT, err);
}

/* ---- 2, 3: the ENI --------------------------------------------------------------------------- */

static enum ctl_egress_state_of_step create_state(const struct ctl_egress *e)
{
    return done_if(e->facts.eni.id[0]);
}

static void create_describe(const struct ctl_egress *e, struct kit_buf *out)
{
    char text[KIT_ADDR_TEXT];

    if (e->facts.eni.id[0])
        (void)kit_buf_printf(out, "%s in %s has %s", e->facts.eni.id, e->facts.eni.vswitch,
                             e->facts.eni.ip[0] ? e->facts.eni.ip : "no IPv4 address");
    else
        (void)kit_buf_printf(
            out, "create an ENI in %s with %s, security groups %s", e->facts.new_vswitch,
            e->wish.address ? kit_addr_text(e->wish.address, text)
                            : "an address of the cloud's choice",
            e->facts.new_groups[0] ? e->facts.new_groups : "that --security-group names");
}

static int create_act(struct ctl_egress *e, struct kit_err *err)
{
    return change(e, KIT_EGRESS_CREATE, err);
}

static enum ctl_egress_state_of_step attach_state(const struct ctl_egress *e)
{
    return done_if(e->facts.eni.attached);
}

static void attach_describe(const struct ctl_egress *e, struct kit_buf *out)
{
    (void)kit_buf_printf(out, "%s %s %s", e->facts.eni.id[0] ? e->facts.eni.id : "the ENI",
                         e->facts.eni.attached ? "is attached to" : "is to be attached to",
                         e->facts.instance);
}

static int attach_act(struct ctl_egress *e, struct kit_err *err)
{
    return change(e, KIT_EGRESS_ATTACH, err);
}

/* ---- 4, 5: the EIP --------------------------------------------------------------------------- */

static enum ctl_egress_state_of_step unbind_state(const struct ctl_egress *e)
{
    return done_if(e->facts.eip.id[0] && !e->facts.eip.on_primary && !e->facts.primary_eip[0] &&
                   !e->facts.static_ip[0]);
}

static void unbind_describe(const struct ctl_egress *e, struct kit_buf *out)
{
    if (unbind_state(e) == CTL_EGRESS_DONE || !address(e)[0])
        (void)kit_buf_printf(out, "the primary ENI %s has no public address", e->facts.primary);
    else
        (void)kit_buf_printf(out,
                             "unbind %s from %s, which is out of reach by it from then on "
                             "until step 5 is done",
                             eip_text(e), e->facts.instance);
}

static int unbind_act(struct ctl_egress *e, struct kit_err *err)
{
    return change(e, KIT_EGRESS_UNBIND, err);
}

static enum ctl_egress_state_of_step bind_state(const struct ctl_egress *e)
{
    return done_if(e->facts.eip.on_eni);
}

static void bind_describe(const struct ctl_egress *e, struct kit_buf *out)
{
    (void)kit_buf_printf(out, "%s %s %s, in NAT mode", eip_text(e),
                         e->facts.eip.on_eni ? "is bound to" : "is to be bound to",
                         e->facts.eni.id[0] ? e->facts.eni.id : "the ENI");
}

static int bind_act(struct ctl_egress *e, struct kit_err *err)
{
    return change(e, KIT_EGRESS_BIND, err);
}

/* ---- 6: routes in the guest ------------------------------------------------------------------ */

/* 46 and 48; what is to be set up is to be there after a reboot as well (47), unless that is not
 * wanted. */
static enum ctl_egress_state_of_step routes_state(const struct ctl_egress *e)
{
    if (!e->facts.here)
        return CTL_EGRESS_NOT_HERE;
    if (e->facts.eni.attached && e->nic_why[0])
        return CTL_EGRESS_UNKNOWN;
    return done_if(e->has_nic && e->nic.routed && e->nic.preferred &&
                   (e->nic.kept || !e->unifies || e->value[CTL_EGRESS_NO_PERSIST].text));
}

static void routes_describe_open(const struct ctl_egress *e, struct kit_buf *out)
{
    (void)kit_buf_printf(out, "set %s up: a table, a rule, a default route behind the primary's",
                         e->interface[0] ? e->interface : "the ENI's interface");
    if (e->has_nic && !e->nic.preferred)
        (void)kit_buf_printf(out, " (rule 48: %s)", e->nic.unpreferred);
    else if (e->has_nic && !e->nic.routed)
        (void)kit_buf_printf(out, " (rule 46: %s)", e->nic.unrouted);
}

static void routes_describe(const struct ctl_egress *e, struct kit_buf *out)
{
    switch (routes_state(e)) {
    case CTL_EGRESS_NOT_HERE:
        (void)kit_buf_printf(out, "on %s: cloudvip nic setup, for the ENI's interface",
                             e->facts.instance);
        return;
    case CTL_EGRESS_UNKNOWN: (void)kit_buf_puts(out, e->nic_why); return;
    case CTL_EGRESS_DONE:
        (void)kit_buf_printf(out, "what comes from %s leaves by %s, table %u%s", e->facts.eni.ip,
                             e->interface, e->nic.table,
                             e->nic.kept ? "" : "; rule 47: not kept over a reboot by us");
        return;
    case CTL_EGRESS_OPEN: break;
    }
    routes_describe_open(e, out);
}

static int routes_act(struct ctl_egress *e, struct kit_err *err)
{
    return ctl_egress_host_setup(e, err);
}

/* ---- 7: the test ----------------------------------------------------------------------------- */

bool ctl_egress_reached(const struct ctl_egress *e)
{
    return e->facts.eip.on_eni && e->facts.eni.attached;
}

/* 40: no public address on the primary ENI, 39: an SNAT entry for it, 48: what leaves, leaves by
 * it; 49: and the world sees the entry's address, where that was asked. */
bool ctl_egress_leaves(const struct ctl_egress *e)
{
    return !e->facts.static_ip[0] && !e->facts.primary_eip[0] && !e->facts.eip.on_primary &&
           e->facts.snat.available && (!e->has_nic || e->nic.preferred) &&
           (!e->echoed || e->echo_fits);
}

static enum ctl_egress_state_of_step test_state(const struct ctl_egress *e)
{
    if (!ctl_egress_leaves(e) || !ctl_egress_reached(e))
        return CTL_EGRESS_OPEN;
    if (!e->facts.here)
        return CTL_EGRESS_NOT_HERE;
    if (!e->has_nic || (e->echo[0] && !e->echoed))
        return CTL_EGRESS_UNKNOWN;
    return done_if(routes_state(e) == CTL_EGRESS_DONE);
}

static void test_describe(const struct ctl_egress *e, struct kit_buf *out)
{
    bool leaves = ctl_egress_leaves(e);

    if (e->has_nic && !e->nic.preferred)
        (void)kit_buf_printf(out, "rule 48: %s; ", e->nic.unpreferred);
    if (e->echo[0])
        (void)kit_buf_printf(out, "%s%s; ", e->echoed && !e->echo_fits ? "rule 49: " : "", e->echo);
    (void)kit_buf_printf(out, "it %s by %s", leaves ? "leaves" : "is to leave",
                         e->facts.snat.ip[0] ? e->facts.snat.ip : "an SNAT entry");
    (void)kit_buf_printf(out, " and %s by %s",
                         ctl_egress_reached(e) ? "is reached"
                         : leaves              ? "is to be reached"
                                               : "to be reached",
                         address(e)[0] ? address(e) : "an EIP");
}

/* ---- the table ------------------------------------------------------------------------------- */

const struct ctl_egress_step ctl_egress_steps[CTL_EGRESS_STEPS] = {
    {"convert", convert_state, convert_describe, "this cannot be undone", false, convert_act},
    {"create", create_state, create_describe, NULL, false, create_act},
    {"attach", attach_state, attach_describe, NULL, false, attach_act},
    {"unbind", unbind_state, unbind_describe,
     "sessions by that address end, this one too if it is one of them; the run goes on", false,
     unbind_act},
    {"bind", bind_state, bind_describe, NULL, true, bind_act},
    {"routes", routes_state, routes_describe, NULL, false, routes_act},
    {"test", test_state, test_describe, NULL, false, NULL},
};
