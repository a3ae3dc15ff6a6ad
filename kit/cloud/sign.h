/* kit/cloud/sign.h - the part of a canonical request that two signature methods share.
 *
 * AWS's Signature Version 4 and Alibaba Cloud's ACS3 both sign the method, the path, the query, a
 * sorted list of headers and the digest of the body.  How path and query are written, which headers
 * count and what is done with the text is the provider's own.  Pure. */
#ifndef KIT_CLOUD_SIGN_H
#define KIT_CLOUD_SIGN_H

#include <stdbool.h>

#include "kit/cloud/creds.h"
#include "kit/fmt/uri.h"
#include "kit/net/http.h"

/* How a method writes it down; constant. */
struct kit_sign_method {
    bool (*is_signed)(const char *name);                       /* of a header, in lower case */
    void (*add_value)(struct kit_buf *out, const char *value); /* a header's, normalised */
    const char *secret_name, *token_name; /* for people: "secret access key", "session token" */
    const char *never_in_key_id;          /* what would end the key's id in Authorization */
};

/* Appends to *canonical, which ends behind the line of the query, all that follows: host and the
 * headers of *req that are signed, sorted; their names, which become *ret_signed_headers too; the
 * digest of the body.  *canonical may hold a session token: give a secret buffer.  KIT_ERR_REFUSED:
 * a header of Authorization (each try encodes anew) or Host, a name too long, more than the buffers
 * take. */
int kit_sign_headers(const struct kit_sign_method *method, const struct kit_http_request *req,
                     const struct kit_url *url, struct kit_buf *canonical,
                     struct kit_buf *ret_signed_headers, struct kit_err *err) KIT_CHECKED;

/* KIT_ERR_AUTH when a part of *creds is empty or cannot be one.  A key with a stray line end or
 * blank signs wrongly, and the service's answer to that helps nobody. */
int kit_sign_check_creds(const struct kit_sign_method *method, const struct kit_creds *creds,
                         struct kit_err *err) KIT_CHECKED;

#endif
