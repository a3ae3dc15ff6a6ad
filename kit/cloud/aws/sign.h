/* kit/cloud/aws/sign.h - Signature Version 4 (docs: "Create a signed AWS API request").  Pure: no clock, no network. */
#ifndef KIT_CLOUD_AWS_SIGN_H
#define KIT_CLOUD_AWS_SIGN_H

#include "kit/cloud/aws/aws.h"
#include "kit/net/http.h"

struct aws_sign {
    const struct aws_creds *creds;
    const char *region, *service; /* of the scope: from the configuration, never parsed from the host */
    int64_t now_s;
};

/* Adds Host is libcurl's; signs host, content-type, x-amz-date, x-amz-security-token (if any) and every other header already
 * in *req, over method, path and body; adds X-Amz-Date, X-Amz-Security-Token and Authorization.  The URL's query is signed as it stands
 * only when empty: KIT_ERR_REFUSED otherwise (EC2 and STS take their parameters in the body).
 * Errors: KIT_ERR_REFUSED (too many headers, a key with control characters). */
int aws_sign_request(const struct aws_sign *how, struct kit_http_request *req,
                     struct kit_err *err) KIT_CHECKED;

/* The two texts on the way, for the tests' vectors and for nobody else. */
int aws_sign_canonical(const struct kit_http_request *req, const char *amz_date,
                       struct kit_buf *ret_canonical, struct kit_buf *ret_signed_headers,
                       struct kit_err *err) KIT_CHECKED;

#endif
