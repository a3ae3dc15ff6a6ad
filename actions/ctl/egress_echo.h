/* actions/ctl/egress_echo.h - by which address this host leaves, asked of a service that says so.
 */
#ifndef ACTIONS_CTL_EGRESS_ECHO_H
#define ACTIONS_CTL_EGRESS_ECHO_H

#include <stddef.h>

#include "kit/base/clock.h"
#include "kit/base/err.h"
#include "kit/cloud/call.h"
#include "kit/fmt/addr.h"

/* An answer is some words around an address, or a page. */
#define CTL_EGRESS_ECHO_BYTES (64u * 1024)

/* The first IPv4 address in a text, bounded by what cannot be part of one; false: there is none.
 * Pure; any bytes will do. */
bool ctl_egress_echo_parse(const char *text, size_t len_bytes, struct kit_addr *ret_addr);

/* GET `url` (https, or http of this host), never through a proxy: whose address it would be.  Not
 * an API call.  Blocks until `by` at most; KIT_ERR_PROTOCOL: no address in the answer. */
int ctl_egress_echo(struct kit_caller *caller, const char *url, struct kit_deadline by,
                    struct kit_addr *ret_addr, struct kit_err *err) KIT_CHECKED;

#endif
