#include "kit/fmt/addr.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "kit/base/str.h"

static unsigned addr_bits(const struct kit_addr *addr)
{
    return addr->family == 6 ? 128 : addr->family == 4 ? 32 : 0;
}

/* inet_pton refuses zones, brackets, white space and leading zeros of an IPv4 octet by itself. */
bool kit_addr_parse(const char *text, struct kit_addr *ret_addr)
{
    struct kit_addr addr = {0};

    if (inet_pton(AF_INET, text, addr.byte) == 1)
        addr.family = 4;
    else if (inet_pton(AF_INET6, text, addr.byte) == 1)
        addr.family = 6;
    else
        return false;
    *ret_addr = addr;
    return true;
}

const char *kit_addr_text(const struct kit_addr *addr, char buf[KIT_ADDR_TEXT])
{
    int family = addr->family == 6 ? AF_INET6 : AF_INET;

    if (addr->family == 0 || !inet_ntop(family, addr->byte, buf, KIT_ADDR_TEXT))
        buf[0] = '\0';
    return buf;
}

bool kit_addr_eq(const struct kit_addr *a, const struct kit_addr *b)
{
    return a->family == b->family && memcmp(a->byte, b->byte, addr_bits(a) / 8) == 0;
}

static void clear_host_bits(struct kit_cidr *cidr)
{
    unsigned first = cidr->prefix_len / 8;

    if (first >= sizeof(cidr->addr.byte))
        return;
    cidr->addr.byte[first] &= (uint8_t)(0xff00u >> (cidr->prefix_len % 8));
    memset(cidr->addr.byte + first + 1, 0, sizeof(cidr->addr.byte) - first - 1);
}

bool kit_cidr_parse(const char *text, struct kit_cidr *ret_cidr)
{
    char addr_text[KIT_ADDR_TEXT];
    const char *slash = strchr(text, '/');
    size_t addr_len = slash ? (size_t)(slash - text) : strlen(text);
    struct kit_cidr cidr = {0};
    int64_t prefix_len;

    if (addr_len >= sizeof(addr_text))
        return false;
    memcpy(addr_text, text, addr_len);
    addr_text[addr_len] = '\0';
    if (!kit_addr_parse(addr_text, &cidr.addr))
        return false;

    prefix_len = addr_bits(&cidr.addr);
    if (slash &&
        ((slash[1] == '0' && slash[2]) || !kit_str_to_int(slash + 1, 0, prefix_len, &prefix_len)))
        return false;
    cidr.prefix_len = (uint8_t)prefix_len;
    clear_host_bits(&cidr);
    *ret_cidr = cidr;
    return true;
}

const char *kit_cidr_text(const struct kit_cidr *cidr, char buf[KIT_CIDR_TEXT])
{
    char addr[KIT_ADDR_TEXT];

    if (cidr->addr.family == 0)
        buf[0] = '\0';
    else
        (void)kit_str_format(buf, KIT_CIDR_TEXT, "%s/%u", kit_addr_text(&cidr->addr, addr),
                             (unsigned)cidr->prefix_len);
    return buf;
}

bool kit_cidr_contains(const struct kit_cidr *cidr, const struct kit_addr *addr)
{
    struct kit_cidr of_addr = {.addr = *addr, .prefix_len = cidr->prefix_len};

    if (addr->family == 0 || addr->family != cidr->addr.family)
        return false;
    clear_host_bits(&of_addr);
    return kit_addr_eq(&of_addr.addr, &cidr->addr);
}

bool kit_cidr_eq(const struct kit_cidr *a, const struct kit_cidr *b)
{
    return a->prefix_len == b->prefix_len && kit_addr_eq(&a->addr, &b->addr);
}

struct kit_cidr kit_cidr_of(const struct kit_addr *addr)
{
    return (struct kit_cidr){.addr = *addr, .prefix_len = (uint8_t)addr_bits(addr)};
}

bool kit_addr_is_loopback(const struct kit_addr *addr)
{
    static const uint8_t one[16] = {[15] = 1};

    if (addr->family == 4)
        return addr->byte[0] == 127;
    return addr->family == 6 && memcmp(addr->byte, one, sizeof(one)) == 0;
}

bool kit_addr_is_link_local(const struct kit_addr *addr)
{
    if (addr->family == 4)
        return addr->byte[0] == 169 && addr->byte[1] == 254;
    return addr->family == 6 && addr->byte[0] == 0xfe && (addr->byte[1] & 0xc0) == 0x80;
}
