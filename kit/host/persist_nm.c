/* kit/host/persist_nm.c - NetworkManager: a keyfile in /etc/NetworkManager/system-connections.
 *
 * nm-settings-keyfile(5), nm-settings(5).  Routing rules need 1.18 (RHEL 7.7). */
#include "kit/base/str.h"
#include "kit/host/persist.h"

/* NetworkManager wants one of each rule: between those of the kernel for `local` (0) and the main
 * table (32766), where the kernel itself would put it. */
#define RULE_PRIORITY 32000

static bool manages(const struct kit_persist_place *place, unsigned index)
{
    return index &&
           (kit_persist_says(place, "managed=true", "/run/NetworkManager/devices/%u", index) ||
            kit_persist_says(place, "managed=1", "/run/NetworkManager/devices/%u", index));
}

static enum kit_persist_claim claims(const struct kit_persist_place *place)
{
    if (manages(place, place->index))
        return KIT_PERSIST_MANAGES;
    if (manages(place, place->primary_index))
        return KIT_PERSIST_MANAGES_PRIMARY;
    if (kit_persist_exists(place, "/run/NetworkManager"))
        return KIT_PERSIST_RUNS;
    if (kit_persist_exists(place,
                           "/etc/systemd/system/multi-user.target.wants/NetworkManager.service"))
        return KIT_PERSIST_ENABLED;
    return KIT_PERSIST_NONE;
}

/* What of one family has been written so far: keys are numbered. */
struct numbers {
    unsigned address, route, rule;
};

static void put_route(const struct kit_change *c, struct numbers *n, struct kit_buf *out)
{
    char text[KIT_CIDR_TEXT], to[KIT_CIDR_TEXT];

    (void)kit_buf_printf(out, "route%u=%s", ++n->route, kit_persist_prefix(c, to));
    if (c->gateway.family)
        (void)kit_buf_printf(out, ",%s", kit_addr_text(&c->gateway, text));
    else if (c->metric)
        (void)kit_buf_puts(out, c->addr.family == 6 ? ",::" : ",0.0.0.0");
    if (c->metric)
        (void)kit_buf_printf(out, ",%u", c->metric);
    (void)kit_buf_putc(out, '\n');
    if (c->table != KIT_ROUTE_MAIN)
        (void)kit_buf_printf(out, "route%u_options=table=%u\n", n->route, c->table);
}

static void put_item(const struct kit_change *c, struct numbers *n, struct kit_buf *out)
{
    char text[KIT_CIDR_TEXT];

    switch (c->kind) {
    case KIT_CHANGE_LINK: break; /* autoconnect */
    case KIT_CHANGE_ADDRESS:
        (void)kit_buf_printf(out, "address%u=%s\n", ++n->address, kit_persist_prefix(c, text));
        break;
    case KIT_CHANGE_ROUTE: put_route(c, n, out); break;
    case KIT_CHANGE_RULE:
        (void)kit_buf_printf(out, "routing-rule%u=priority %u from %s table %u\n", ++n->rule,
                             RULE_PRIORITY, kit_addr_text(&c->addr, text), c->table);
        break;
    }
}

static bool has_family(const struct kit_persist_want *want, unsigned char family)
{
    for (size_t i = 0; i < want->items->count; i++)
        if (want->items->change[i].kind == KIT_CHANGE_ADDRESS &&
            want->items->change[i].addr.family == family)
            return true;
    return false;
}

static void put_family(const struct kit_persist_want *want, unsigned char family,
                       struct kit_buf *out)
{
    struct numbers n = {0};

    (void)kit_buf_printf(out, "\n[ipv%u]\n", family);
    if (!has_family(want, family)) {
        (void)kit_buf_puts(out, family == 6 ? "method=ignore\n" : "method=disabled\n");
        return;
    }
    /* route-metric is that of the routes that have none of their own, the subnet's among them. */
    bool by_router = family == 6 && want->advertised;
    (void)kit_buf_printf(out, "method=%s\nroute-metric=%u\n", by_router ? "auto" : "manual",
                         want->metric);
    /* A router that is silent at boot must not take IPv4 along. */
    if (!by_router)
        (void)kit_buf_puts(out, "may-fail=false\n");
    if (family == 6)
        (void)kit_buf_puts(out, "dad-timeout=0\naddr-gen-mode=eui64\nignore-auto-dns=true\n");
    for (size_t i = 0; i < want->items->count; i++)
        if (want->items->change[i].addr.family == family)
            put_item(&want->items->change[i], &n, out);
}

/* The same for each run: made of the MAC, in the form of a random one (RFC 4122, version 4). */
static void put_uuid(const char *mac, struct kit_buf *out)
{
    (void)kit_buf_puts(out, "uuid=636c6f75-6476-4970-8000-");
    for (const char *c = mac; *c; c++)
        if (*c != ':')
            (void)kit_buf_putc(out, *c);
    (void)kit_buf_putc(out, '\n');
}

static void render(const struct kit_persist_want *want, struct kit_persist_files *files)
{
    /* 0600: NetworkManager passes over keyfiles that others may read. */
    struct kit_buf *out = kit_persist_add(
        files, want->interface, 0600,
        "/etc/NetworkManager/system-connections/cloudvip-%s.nmconnection", want->interface);

    (void)kit_buf_printf(out, "\n[connection]\nid=cloudvip-%s\n", want->interface);
    put_uuid(want->mac, out);
    /* Before the connection that NetworkManager makes up for an interface without one. */
    (void)kit_buf_printf(out,
                         "type=ethernet\ninterface-name=%s\nautoconnect=true\n"
                         "autoconnect-priority=100\n\n[ethernet]\nmac-address=%s\n",
                         want->interface, want->mac);
    if (want->mtu)
        (void)kit_buf_printf(out, "mtu=%u\n", want->mtu);
    put_family(want, 4, out);
    put_family(want, 6, out);
}

const struct kit_persist_manager kit_persist_nm = {
    .name = "NetworkManager",
    .looks_for = "/run/NetworkManager, NetworkManager.service enabled",
    .claims = claims,
    .render = render,
};
