/* kit/cloud/aws/sts.h - assuming a role. */
#ifndef KIT_CLOUD_AWS_STS_H
#define KIT_CLOUD_AWS_STS_H

#include "kit/cloud/aws/aws.h"

struct aws_sts_role {
    const char *role_arn;
    const char *session_name;      /* NULL: cloudvip-NODENAME */
    const char *external_id;       /* or NULL */
    int64_t duration_s;            /* 0 = the service's default */
    const struct kit_creds *base;  /* sign with these; NULL with a web identity */
    const char *web_identity_file; /* or NULL: its token is sent, unsigned; read anew each time */
};
/* One STS call (AssumeRole or AssumeRoleWithWebIdentity), with the caller's retries; finds the
 * region first (its endpoint, its signature's scope).  KIT_ERR_AUTH / KIT_ERR_DENIED and all others
 * name the role; KIT_ERR_CONFIG for a token file that is missing or empty. */
int aws_sts_assume(struct aws_cloud *cloud, const struct aws_sts_role *role, struct kit_deadline by,
                   struct kit_creds *ret_creds, struct kit_err *err) KIT_CHECKED;

#endif
