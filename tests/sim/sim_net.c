#include "sim_net.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int sim_cidr_parse(const char *text, struct sim_cidr *ret_cidr)
{
    struct sim_cidr cidr = {0};
    const char *slash = strchr(text, '/');
    char address[INET6_ADDRSTRLEN], *end;
    unsigned long bits;

    if (!slash || (size_t)(slash - text) >= sizeof(address) || slash[1] < '0' || slash[1] > '9')
        return -1;
    memcpy(address, text, (size_t)(slash - text));
    address[slash - text] = '\0';
    cidr.v6 = strchr(address, ':');
    bits = strtoul(slash + 1, &end, 10);
    if (inet_pton(cidr.v6 ? AF_INET6 : AF_INET, address, cidr.bytes) != 1 || *end ||
        bits > (cidr.v6 ? 128 : 32))
        return -1;
    cidr.bits = (unsigned)bits;
    for (unsigned i = cidr.bits; i < 128; i++)
        cidr.bytes[i / 8] &= (unsigned char)~(0x80u >> (i % 8));
    *ret_cidr = cidr;
    return 0;
}

void sim_cidr_text(const struct sim_cidr *cidr, char *ret_text, size_t size)
{
    char address[INET6_ADDRSTRLEN] = "";

    inet_ntop(cidr->v6 ? AF_INET6 : AF_INET, cidr->bytes, address, sizeof(address));
    snprintf(ret_text, size, "%s/%u", address, cidr->bits);
}

bool sim_cidr_holds(const struct sim_cidr *outer, const struct sim_cidr *inner)
{
    if (outer->v6 != inner->v6 || outer->bits > inner->bits)
        return false;
    for (unsigned i = 0; i < outer->bits; i++) {
        unsigned mask = 0x80u >> (i % 8);

        if ((outer->bytes[i / 8] & mask) != (inner->bytes[i / 8] & mask))
            return false;
    }
    return true;
}

int sim_address_canonical(const char *text, char *ret_text, size_t size)
{
    unsigned char bytes[16];
    int family = strchr(text, ':') ? AF_INET6 : AF_INET;
    char canonical[INET6_ADDRSTRLEN];

    if (inet_pton(family, text, bytes) != 1 ||
        !inet_ntop(family, bytes, canonical, sizeof(canonical)))
        return -1;
    snprintf(ret_text, size, "%s", canonical);
    return 0;
}

bool sim_is_v6(const char *address)
{
    return strchr(address, ':');
}

bool sim_cidr_has_address(const char *cidr, const char *address)
{
    struct sim_cidr outer, inner;
    char text[64];

    snprintf(text, sizeof(text), "%s/%d", address, sim_is_v6(address) ? 128 : 32);
    return !sim_cidr_parse(cidr, &outer) && !sim_cidr_parse(text, &inner) &&
           sim_cidr_holds(&outer, &inner);
}
