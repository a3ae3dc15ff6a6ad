/*
 * Addresses and CIDR blocks, IPv4 and IPv6, as texts and as bits.
 */
#ifndef SIM_NET_H
#define SIM_NET_H

#include <stdbool.h>
#include <stddef.h>

struct sim_cidr {
    unsigned char bytes[16];
    unsigned bits;
    bool v6;
};

/* ADDRESS/BITS; -1 if it is none. The address is cut to the prefix. */
int sim_cidr_parse(const char *text, struct sim_cidr *ret_cidr);
void sim_cidr_text(const struct sim_cidr *cidr, char *ret_text, size_t size);
bool sim_cidr_holds(const struct sim_cidr *outer, const struct sim_cidr *inner);
/* Canonical text of an address, so that equal addresses are equal texts; -1 if it is none. */
int sim_address_canonical(const char *text, char *ret_text, size_t size);
bool sim_is_v6(const char *address);
bool sim_cidr_has_address(const char *cidr, const char *address);

#endif
