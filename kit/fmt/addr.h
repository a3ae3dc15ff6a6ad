/* kit/fmt/addr.h - IP addresses, compared as bytes and never as text. */
#ifndef KIT_FMT_ADDR_H
#define KIT_FMT_ADDR_H

#include <stdbool.h>
#include <stdint.h>

#define KIT_ADDR_TEXT 46 /* INET6_ADDRSTRLEN */
#define KIT_CIDR_TEXT 50

struct kit_addr {
    uint8_t family; /* 4, 6; 0 = none */
    uint8_t byte[16];
};
struct kit_cidr {
    struct kit_addr addr; /* host bits are zero */
    uint8_t prefix_len;
};

bool kit_addr_parse(const char *text,
                    struct kit_addr *ret_addr); /* no zone, no brackets, no leading zeros */
/* Canonical (RFC 5952).  Returns buf. */
const char *kit_addr_text(const struct kit_addr *addr, char buf[KIT_ADDR_TEXT]);
bool kit_addr_eq(const struct kit_addr *a, const struct kit_addr *b);

/* "10.0.0.0/16"; host bits are cleared, as EC2 does; without '/': the whole address. */
bool kit_cidr_parse(const char *text, struct kit_cidr *ret_cidr);
const char *kit_cidr_text(const struct kit_cidr *cidr, char buf[KIT_CIDR_TEXT]);
bool kit_cidr_contains(const struct kit_cidr *cidr, const struct kit_addr *addr);
bool kit_cidr_eq(const struct kit_cidr *a, const struct kit_cidr *b);
/* The /32 or /128 of an address. */
struct kit_cidr kit_cidr_of(const struct kit_addr *addr);
bool kit_addr_is_loopback(const struct kit_addr *addr);
bool kit_addr_is_link_local(const struct kit_addr *addr); /* 169.254/16, fe80::/10 */

#endif
