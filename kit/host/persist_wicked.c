/* kit/host/persist_wicked.c - wicked (SUSE): ifcfg-IFACE, ifroute-IFACE and ifrule-IFACE in
 * /etc/sysconfig/network (ifcfg(5), routes(5), ifrule(5)). */
#include "kit/base/str.h"
#include "kit/host/persist.h"

#define DIR "/etc/sysconfig/network"

static enum kit_persist_claim claims(const struct kit_persist_place *place)
{
    if (kit_persist_exists(place, "/run/wicked"))
        return KIT_PERSIST_RUNS;
    if (kit_persist_exists(place, "/etc/systemd/system/multi-user.target.wants/wicked.service") ||
        kit_persist_exists(place, "/etc/wicked/common.xml"))
        return KIT_PERSIST_ENABLED;
    return KIT_PERSIST_NONE;
}

static void put_addresses(const struct kit_persist_want *want, struct kit_buf *out)
{
    unsigned number = 0;
    char text[KIT_CIDR_TEXT];

    for (size_t i = 0; i < want->items->count; i++) {
        const struct kit_change *c = &want->items->change[i];
        if (c->kind != KIT_CHANGE_ADDRESS)
            continue;
        if (number == 0)
            (void)kit_buf_printf(out, "IPADDR='%s'\n", kit_persist_prefix(c, text));
        else
            (void)kit_buf_printf(out, "IPADDR_%u='%s'\n", number, kit_persist_prefix(c, text));
        number++;
    }
}

/* Destination, gateway, mask, interface, and what ip-route(8) calls it. */
static void put_route(const struct kit_change *c, const char *interface, struct kit_buf *out)
{
    char to[KIT_CIDR_TEXT], by[KIT_ADDR_TEXT];
    bool everywhere = c->prefix_len == 0;

    (void)kit_buf_printf(out, "%s %s - %s", everywhere ? "default" : kit_persist_prefix(c, to),
                         c->gateway.family ? kit_addr_text(&c->gateway, by) : "-", interface);
    if (c->table != KIT_ROUTE_MAIN)
        (void)kit_buf_printf(out, " table %u", c->table);
    if (c->metric)
        (void)kit_buf_printf(out, " metric %u", c->metric);
    (void)kit_buf_putc(out, '\n');
}

static void render(const struct kit_persist_want *want, struct kit_persist_files *files)
{
    struct kit_buf *out =
        kit_persist_add(files, want->interface, 0644, DIR "/ifcfg-%s", want->interface);
    char text[KIT_ADDR_TEXT];

    /* cloud-netconfig would configure it a second time. */
    (void)kit_buf_printf(out,
                         "STARTMODE='hotplug'\nBOOTPROTO='static'\nCLOUD_NETCONFIG_MANAGE='no'\n");
    if (want->mtu)
        (void)kit_buf_printf(out, "MTU='%u'\n", want->mtu);
    put_addresses(want, out);
    out = kit_persist_add(files, want->interface, 0644, DIR "/ifroute-%s", want->interface);
    for (size_t i = 0; i < want->items->count; i++)
        if (want->items->change[i].kind == KIT_CHANGE_ROUTE)
            put_route(&want->items->change[i], want->interface, out);
    out = kit_persist_add(files, want->interface, 0644, DIR "/ifrule-%s", want->interface);
    for (size_t i = 0; i < want->items->count; i++)
        if (want->items->change[i].kind == KIT_CHANGE_RULE)
            (void)kit_buf_printf(out, "from %s table %u\n",
                                 kit_addr_text(&want->items->change[i].addr, text),
                                 want->items->change[i].table);
}

const struct kit_persist_manager kit_persist_wicked = {
    .name = "wicked",
    .looks_for = "/run/wicked, /etc/wicked/common.xml",
    .claims = claims,
    .render = render,
};
