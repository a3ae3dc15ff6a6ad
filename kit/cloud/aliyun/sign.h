/* kit/cloud/aliyun/sign.h - ACS3-HMAC-SHA256 (Alibaba Cloud help: "V3 request syntax and signature
 * method").  Pure. */
#ifndef KIT_CLOUD_ALIYUN_SIGN_H
#define KIT_CLOUD_ALIYUN_SIGN_H

#include "kit/cloud/aliyun/aliyun.h"
#include "kit/net/http.h"

struct ali_sign {
    const struct kit_creds *creds;
    const char *action, *version;
    const char *nonce; /* unique for each try */
    int64_t now_s;
    const char *canonical_query; /* sorted, encoded, without '?' */
};
/* Adds x-acs-action, -version, -date, -signature-nonce, -content-sha256, -security-token (if any)
 * and Authorization; signs host, content-type if there is one, and every x-acs-*.  KIT_ERR_REFUSED:
 * too many headers. */
int ali_sign_request(const struct ali_sign *how, struct kit_http_request *req,
                     struct kit_err *err) KIT_CHECKED;

/* The text on the way, for the tests' vectors. */
int ali_sign_canonical(const struct kit_http_request *req, const char *canonical_query,
                       struct kit_buf *ret_canonical, struct kit_buf *ret_signed_headers,
                       struct kit_err *err) KIT_CHECKED;

#endif
