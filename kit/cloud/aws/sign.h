/* kit/cloud/aws/sign.h - Signature Version 4 (docs: "Create a signed AWS API request").
 * Pure: no clock, no network. */
#ifndef KIT_CLOUD_AWS_SIGN_H
#define KIT_CLOUD_AWS_SIGN_H

#include "kit/cloud/aws/aws.h"
#include "kit/net/http.h"

struct aws_sign {
    const struct kit_creds *creds;
    const char *region,
        *service; /* of the scope: from the configuration, never parsed from the host */
    int64_t now_s;
};

/* Signs host and every header already in *req (Content-Type …) over method, path and body; adds
 * X-Amz-Date, X-Amz-Security-Token (if the credentials have one) and Authorization.  The Host
 * header itself is libcurl's to send.  A request that was signed already is refused: each try
 * encodes anew. The URL's query must be empty: EC2 and STS take their parameters in the body.
 * Errors: KIT_ERR_REFUSED (a query, too many headers, signed already), KIT_ERR_AUTH (a key that
 * cannot be one: empty, white space, control characters). */
int aws_sign_request(const struct aws_sign *how, struct kit_http_request *req,
                     struct kit_err *err) KIT_CHECKED;

/* The two texts on the way (of the headers in *req), for the tests' vectors and for nobody else.
 * *ret_canonical holds the session token: give a secret buffer. */
int aws_sign_canonical(const struct kit_http_request *req, struct kit_buf *ret_canonical,
                       struct kit_buf *ret_signed_headers, struct kit_err *err) KIT_CHECKED;

#endif
