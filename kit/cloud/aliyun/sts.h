/* kit/cloud/aliyun/sts.h - assuming a role. */
#ifndef KIT_CLOUD_ALIYUN_STS_H
#define KIT_CLOUD_ALIYUN_STS_H

#include "kit/cloud/aliyun/aliyun.h"

/* NULL where not said. */
struct ali_sts_role {
    const char *role_arn;
    const char *session_name; /* NULL: cloudvip-NODENAME */
    const char *external_id, *policy;
    const char *region;            /* of the STS endpoint; NULL: ALIBABA_CLOUD_STS_REGION, ours */
    int64_t duration_s;            /* 0 = the service's default */
    const struct kit_creds *base;  /* sign with these; NULL with an OIDC token */
    const char *oidc_provider_arn; /* with the file */
    const char *oidc_token_file;   /* its token is sent, unsigned; read anew each time */
};
/* One STS call (AssumeRole or AssumeRoleWithOIDC), with the caller's retries.  KIT_ERR_AUTH /
 * KIT_ERR_DENIED and all others name the role; KIT_ERR_CONFIG for a token file that is missing or
 * empty. */
int ali_sts_assume(struct ali_cloud *cloud, const struct ali_sts_role *role, struct kit_deadline by,
                   struct kit_creds *ret_creds, struct kit_err *err) KIT_CHECKED;

#endif
