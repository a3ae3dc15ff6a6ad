/* kit/net/message.h - the half of HTTP that needs no network: for http.c alone. */
#ifndef KIT_NET_MESSAGE_H
#define KIT_NET_MESSAGE_H

#include <stddef.h>

#include "kit/net/http.h"

/* One header sent: session tokens have been seen above 4 KiB. */
#define KIT_HTTP_HEADER_BYTES (16u * 1024)

/* Takes one header line of an answer (not NUL-terminated, with or without its line end) and keeps
 * it if `resp` has a place for it, cut to that place and printable.  A status line forgets the
 * headers kept before: they belonged to an interim answer. */
void kit_http_take_header(struct kit_http_response *resp, const char *line, size_t len_bytes);

#endif
