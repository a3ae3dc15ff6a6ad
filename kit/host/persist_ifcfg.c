/* kit/host/persist_ifcfg.c - the network scripts of RHEL 7 and 8 and their kin: ifcfg-IFACE,
 * route-, route6-, rule- and rule6-IFACE in /etc/sysconfig/network-scripts (sysconfig.txt of
 * initscripts). */
#include <string.h>

#include "kit/base/str.h"
#include "kit/host/persist.h"

#define DIR "/etc/sysconfig/network-scripts"

/* NetworkManager reads this directory too; where it runs, a keyfile of its own says more. */
static enum kit_persist_claim claims(const struct kit_persist_place *place)
{
    if (!kit_persist_exists(place, DIR "/ifup-eth"))
        return KIT_PERSIST_NONE;
    if (kit_persist_exists(place, "/run/lock/subsys/network") ||
        kit_persist_exists(place, "/var/lock/subsys/network"))
        return KIT_PERSIST_RUNS;
    return KIT_PERSIST_ENABLED;
}

static void put_addresses(const struct kit_persist_want *want, struct kit_buf *out)
{
    KIT_AUTO(kit_buf) more = KIT_BUF(KIT_PERSIST_BYTES);
    unsigned four = 0, six = 0;
    char text[KIT_CIDR_TEXT];

    for (size_t i = 0; i < want->items->count; i++) {
        const struct kit_change *c = &want->items->change[i];
        char number[8] = "";

        if (c->kind != KIT_CHANGE_ADDRESS)
            continue;
        if (c->addr.family == 6) {
            if (six++ == 0)
                (void)kit_buf_printf(out, "IPV6INIT=yes\nIPV6_AUTOCONF=%s\nIPV6ADDR=%s\n",
                                     want->advertised ? "yes" : "no", kit_persist_prefix(c, text));
            else
                (void)kit_buf_printf(&more, "%s%s", six > 2 ? " " : "",
                                     kit_persist_prefix(c, text));
            continue;
        }
        if (four > 0)
            (void)kit_str_format(number, sizeof(number), "%u", four);
        four++;
        (void)kit_buf_printf(out, "IPADDR%s=%s\nPREFIX%s=%u\n", number,
                             kit_addr_text(&c->addr, text), number, c->prefix_len);
    }
    if (more.len_bytes)
        (void)kit_buf_printf(out, "IPV6ADDR_SECONDARIES=\"%s\"\n", more.data);
}

/* The words behind "ip route add" and "ip rule add", a line each; no file when there are none. */
static void put_words(const struct kit_persist_want *want, enum kit_change_kind kind,
                      unsigned char family, const char *name, struct kit_persist_files *files)
{
    struct kit_buf *out = NULL;

    for (size_t i = 0; i < want->items->count; i++) {
        const struct kit_change *c = &want->items->change[i];
        KIT_AUTO(kit_buf) command = KIT_BUF(256);
        char verb[32];

        if (c->kind != kind || c->addr.family != family)
            continue;
        if (!out)
            out =
                kit_persist_add(files, want->interface, 0644, DIR "/%s-%s", name, want->interface);
        kit_change_command(c, want->interface, &command);
        (void)kit_str_format(verb, sizeof(verb), "ip -%u %s add ", family,
                             kind == KIT_CHANGE_ROUTE ? "route" : "rule");
        if (kit_str_starts(command.data, verb))
            (void)kit_buf_printf(out, "%s\n", command.data + strlen(verb));
    }
}

static void render(const struct kit_persist_want *want, struct kit_persist_files *files)
{
    struct kit_buf *out =
        kit_persist_add(files, want->interface, 0644, DIR "/ifcfg-%s", want->interface);

    (void)kit_buf_printf(out,
                         "DEVICE=%s\nHWADDR=%s\nTYPE=Ethernet\nBOOTPROTO=none\nONBOOT=yes\n"
                         "USERCTL=no\nPEERDNS=no\nDEFROUTE=no\nNM_CONTROLLED=no\n",
                         want->interface, want->mac);
    if (want->mtu)
        (void)kit_buf_printf(out, "MTU=%u\n", want->mtu);
    put_addresses(want, out);
    put_words(want, KIT_CHANGE_ROUTE, 4, "route", files);
    put_words(want, KIT_CHANGE_ROUTE, 6, "route6", files);
    put_words(want, KIT_CHANGE_RULE, 4, "rule", files);
    put_words(want, KIT_CHANGE_RULE, 6, "rule6", files);
}

const struct kit_persist_manager kit_persist_ifcfg = {
    .name = "network-scripts",
    .looks_for = DIR "/ifup-eth",
    .claims = claims,
    .render = render,
};
