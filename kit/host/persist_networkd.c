/* kit/host/persist_networkd.c - systemd-networkd: /etc/systemd/network/05-cloudvip-IFACE.network.
 *
 * systemd.network(5).  Of all files that match an interface the first by name counts: ours comes
 * before netplan's (10-netplan-) and those of the clouds' own tools (70-). */
#include "kit/base/str.h"
#include "kit/host/persist.h"

static bool manages(const struct kit_persist_place *place, unsigned index)
{
    static const char *const states[] = {"ADMIN_STATE=configured", "ADMIN_STATE=configuring",
                                         "ADMIN_STATE=pending", "ADMIN_STATE=failed"};

    for (size_t i = 0; index && i < KIT_LEN(states); i++)
        if (kit_persist_says(place, states[i], "/run/systemd/netif/links/%u", index))
            return true;
    return false;
}

/* /run/systemd/netif itself is there wherever systemd is. */
static enum kit_persist_claim claims(const struct kit_persist_place *place)
{
    if (manages(place, place->index))
        return KIT_PERSIST_MANAGES;
    if (manages(place, place->primary_index))
        return KIT_PERSIST_MANAGES_PRIMARY;
    if (kit_persist_exists(place, "/run/systemd/netif/state"))
        return KIT_PERSIST_RUNS;
    if (kit_persist_exists(
            place, "/etc/systemd/system/multi-user.target.wants/systemd-networkd.service") ||
        kit_persist_exists(place, "/etc/systemd/system/dbus-org.freedesktop.network1.service"))
        return KIT_PERSIST_ENABLED;
    return KIT_PERSIST_NONE;
}

static void put_item(const struct kit_change *c, struct kit_buf *out)
{
    char text[KIT_CIDR_TEXT];

    switch (c->kind) {
    case KIT_CHANGE_LINK: break; /* it is set up because it is matched */
    case KIT_CHANGE_ADDRESS:
        (void)kit_buf_printf(out, "\n[Address]\nAddress=%s\n", kit_persist_prefix(c, text));
        if (c->metric)
            (void)kit_buf_printf(out, "RouteMetric=%u\n", c->metric);
        if (c->addr.family == 6)
            (void)kit_buf_puts(out, "DuplicateAddressDetection=none\n");
        break;
    case KIT_CHANGE_ROUTE:
        (void)kit_buf_puts(out, "\n[Route]\n");
        if (c->prefix_len)
            (void)kit_buf_printf(out, "Destination=%s\n", kit_persist_prefix(c, text));
        if (c->gateway.family)
            (void)kit_buf_printf(out, "Gateway=%s\n", kit_addr_text(&c->gateway, text));
        else if (c->addr.family == 4)
            (void)kit_buf_puts(out, "Scope=link\n");
        if (c->table != KIT_ROUTE_MAIN)
            (void)kit_buf_printf(out, "Table=%u\n", c->table);
        if (c->metric)
            (void)kit_buf_printf(out, "Metric=%u\n", c->metric);
        break;
    case KIT_CHANGE_RULE:
        (void)kit_buf_printf(out, "\n[RoutingPolicyRule]\nFrom=%s\nTable=%u\n",
                             kit_addr_text(&c->addr, text), c->table);
        break;
    }
}

static void render(const struct kit_persist_want *want, struct kit_persist_files *files)
{
    struct kit_buf *out =
        kit_persist_add(files, want->interface, 0644, "/etc/systemd/network/05-cloudvip-%s.network",
                        want->interface);

    /* By MAC: names may be given out anew.  Type: what lies on top of an interface (a VLAN) has its
     * MAC too. */
    (void)kit_buf_printf(
        out, "\n[Match]\nMACAddress=%s\nType=ether\n\n[Link]\nRequiredForOnline=no\n", want->mac);
    if (want->mtu)
        (void)kit_buf_printf(out, "MTUBytes=%u\n", want->mtu);
    (void)kit_buf_printf(out, "\n[Network]\nDHCP=no\nIPv6AcceptRA=%s\n",
                         want->advertised ? "yes" : "no");
    if (want->advertised)
        (void)kit_buf_puts(out, "\n[IPv6AcceptRA]\nUseDNS=no\nUseDomains=no\nDHCPv6Client=no\n");
    for (size_t i = 0; i < want->items->count; i++)
        put_item(&want->items->change[i], out);
}

const struct kit_persist_manager kit_persist_networkd = {
    .name = "systemd-networkd",
    .looks_for = "/run/systemd/netif/state, systemd-networkd.service enabled",
    .claims = claims,
    .render = render,
};
