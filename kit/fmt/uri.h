/* kit/fmt/uri.h - percent-encoding (RFC 3986) and the parts of a URL. */
#ifndef KIT_FMT_URI_H
#define KIT_FMT_URI_H

#include <stdbool.h>

#include "kit/base/buf.h"
#include "kit/base/err.h"

/* Everything but A-Z a-z 0-9 - _ . ~ becomes %XX with upper-case digits: what both clouds'
 * signatures and query bodies want.  Appends; overflow is kept by the buffer. */
void kit_uri_encode(struct kit_buf *out, const char *text);

struct kit_url {
    char scheme[8]; /* "http" or "https" */
    char host[256]; /* without brackets, lower case */
    int port;       /* 0 = the scheme's default */
    char path[512]; /* begins with '/', "/" when the URL has none; no query */
};
/* http and https only; user info, query and fragment are refused.  KIT_ERR_CONFIG, naming the URL.
 */
int kit_url_parse(const char *text, struct kit_url *ret_url, struct kit_err *err) KIT_CHECKED;

/* The Host header: "h", "h:5000", "[::1]:5000"; the scheme's default port is left out, as libcurl
 * does. */
void kit_url_host_header(const struct kit_url *url, struct kit_buf *out);

/* Where plain http is allowed: loopback, link-local (169.254/16, fe80::/10), and the clouds' fixed
 * metadata addresses 100.100.100.200, fd00:ec2::254, fd00:ec2::23; and the name "localhost". */
bool kit_url_plain_allowed(const struct kit_url *url);

#endif
