/* kit/cloud/nic.c - what the metadata services of the providers say of an interface, held to what
 * an interface can have. */
#include "kit/cloud/nic.h"

#include <ctype.h>
#include <string.h>

#include "kit/base/str.h"

/* No subnet of a cloud is wider; its route would take the traffic of half the world. */
#define WIDEST_4 8
#define WIDEST_6 32

bool kit_nic_mac_valid(const char *mac)
{
    if (strlen(mac) != sizeof(((struct kit_nic *)0)->mac) - 1)
        return false;
    for (size_t i = 0; mac[i]; i++)
        if (i % 3 == 2 ? mac[i] != ':' : !isxdigit((unsigned char)mac[i]))
            return false;
    return true;
}

/* The word as a string of its own; nothing longer is an address or a block. */
static bool take_word(const char *word, size_t len, char *text, size_t text_bytes)
{
    if (len >= text_bytes)
        return false;
    memcpy(text, word, len);
    text[len] = '\0';
    return true;
}

static int no_address(const char *what, const char *text, struct kit_err *err)
{
    char shown[64];

    (void)kit_str_copy(shown, sizeof(shown), text);
    kit_str_make_printable(shown);
    return kit_err_set(err, KIT_ERR_PROTOCOL,
                       "the metadata service's %s: \"%s\" does not belong there", what, shown);
}

static bool has(const struct kit_nic *nic, const struct kit_addr *addr)
{
    for (size_t i = 0; i < nic->count; i++)
        if (kit_addr_eq(&nic->addr[i], addr))
            return true;
    return false;
}

int kit_nic_add(struct kit_nic *nic, int family, const char *list, const char *what,
                struct kit_err *err)
{
    const char *word;
    size_t len;

    while (kit_str_word(&list, " \t\r\n,[]\"", &word, &len)) {
        char text[KIT_CIDR_TEXT];
        struct kit_addr addr = {0};
        if (!take_word(word, len, text, sizeof(text)))
            return no_address(what, "...", err);
        if (kit_nic_put_addr(&addr, family, text, what, err) != 0)
            return -1;
        if (has(nic, &addr))
            continue;
        if (nic->count == KIT_NIC_ADDRS)
            return kit_err_set(err, KIT_ERR_PROTOCOL,
                               "the metadata service's %s: more than %d addresses", what,
                               KIT_NIC_ADDRS);
        nic->addr[nic->count++] = addr;
    }
    return 0;
}

int kit_nic_put_addr(struct kit_addr *addr, int family, const char *text, const char *what,
                     struct kit_err *err)
{
    struct kit_addr parsed;

    if (!text[0])
        return 0;
    if (!kit_addr_parse(text, &parsed) || parsed.family != family)
        return no_address(what, text, err);
    *addr = parsed;
    return 0;
}

int kit_nic_put_cidr(struct kit_cidr *cidr, int family, const char *text, const char *what,
                     struct kit_err *err)
{
    struct kit_cidr parsed;

    if (!text[0])
        return 0;
    /* Without its length a block is one address: no subnet. */
    if (!strchr(text, '/') || !kit_cidr_parse(text, &parsed) || parsed.addr.family != family ||
        parsed.prefix_len < (family == 6 ? WIDEST_6 : WIDEST_4))
        return no_address(what, text, err);
    *cidr = parsed;
    return 0;
}

/* The first and the last address of an IPv4 subnet are nobody's: the kernel takes the one for a
 * network, and has no way by the other. */
static bool is_reserved(const struct kit_cidr *subnet, const struct kit_addr *addr)
{
    unsigned host_bits = subnet->addr.family == 4 ? 32u - subnet->prefix_len : 0;
    uint32_t mask = host_bits < 32 ? (UINT32_C(1) << host_bits) - 1 : UINT32_MAX, host = 0;

    if (addr->family != 4 || host_bits < 2)
        return false;
    for (size_t i = 0; i < 4; i++)
        host = host << 8 | addr->byte[i];
    return (host & mask) == 0 || (host & mask) == mask;
}

static int check_gateways(const struct kit_nic *nic, struct kit_err *err)
{
    char text[KIT_ADDR_TEXT];

    if (nic->addr[0].family == 4 && !nic->gateway4.family)
        return kit_err_set(err, KIT_ERR_PROTOCOL, "the metadata service names no gateway of %s",
                           nic->mac);
    if (nic->gateway4.family &&
        (!kit_cidr_contains(&nic->subnet4, &nic->gateway4) || has(nic, &nic->gateway4) ||
         is_reserved(&nic->subnet4, &nic->gateway4)))
        return kit_err_set(err, KIT_ERR_PROTOCOL,
                           "the metadata service: the gateway %s is not in the subnet of %s, or "
                           "not another's address there",
                           kit_addr_text(&nic->gateway4, text), nic->mac);
    if (nic->gateway6.family && !kit_addr_is_link_local(&nic->gateway6) &&
        (!kit_cidr_contains(&nic->subnet6, &nic->gateway6) || has(nic, &nic->gateway6)))
        return kit_err_set(err, KIT_ERR_PROTOCOL,
                           "the metadata service: the IPv6 gateway %s is not in the subnet of %s",
                           kit_addr_text(&nic->gateway6, text), nic->mac);
    return 0;
}

int kit_nic_check(const struct kit_nic *nic, struct kit_err *err)
{
    char text[KIT_ADDR_TEXT];

    if (nic->count == 0)
        return kit_err_set(err, KIT_ERR_PROTOCOL, "the metadata service names no address of %s",
                           nic->mac);
    for (size_t i = 0; i < nic->count; i++) {
        const struct kit_cidr *subnet = nic->addr[i].family == 6 ? &nic->subnet6 : &nic->subnet4;
        if (subnet->addr.family == 0 || !kit_cidr_contains(subnet, &nic->addr[i]))
            return kit_err_set(err, KIT_ERR_PROTOCOL,
                               "the metadata service: %s is in no subnet that it names for %s",
                               kit_addr_text(&nic->addr[i], text), nic->mac);
        if (is_reserved(subnet, &nic->addr[i]))
            return kit_err_set(err, KIT_ERR_PROTOCOL,
                               "the metadata service: %s of %s is the first or the last of its "
                               "subnet, and no address",
                               kit_addr_text(&nic->addr[i], text), nic->mac);
    }
    return check_gateways(nic, err);
}
