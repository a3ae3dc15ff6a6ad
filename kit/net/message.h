/* kit/net/message.h - the half of HTTP that needs no network: for http.c alone. */
#ifndef KIT_NET_MESSAGE_H
#define KIT_NET_MESSAGE_H

#include <stddef.h>

#include "kit/net/http.h"

/* One header sent: session tokens have been seen above 4 KiB. */
#define KIT_HTTP_HEADER_BYTES (16u * 1024)

/* Whether `req` may be sent as it stands, and its name for errors: "POST https://host:5000", never
 * the path or the query.  KIT_ERR_CONFIG: the URL, or plain http where it is not allowed;
 * KIT_ERR_REFUSED: a ceiling was passed, a query that is not encoded. */
#define KIT_HTTP_WHAT 320
int kit_http_check_request(const struct kit_http_request *req, char ret_what[KIT_HTTP_WHAT],
                           struct kit_err *err) KIT_CHECKED;

/* In place: whatever may be a secret in a text that holds URLs - user and password before an '@',
 * queries - becomes '*'. */
void kit_http_hide_secrets(char *text);

/* Takes one header line of an answer (not NUL-terminated, with or without its line end) and keeps
 * it if `resp` has a place for it, cut to that place and printable.  A status line forgets the
 * headers kept before: they belonged to an interim answer. */
void kit_http_take_header(struct kit_http_response *resp, const char *line, size_t len_bytes);

#endif
