/* kit/cloud/aliyun/creds.h - the credential chain of the vendor's SDKs (cloud-credentials default
 * chain). */
#ifndef KIT_CLOUD_ALIYUN_CREDS_H
#define KIT_CLOUD_ALIYUN_CREDS_H

#include "kit/cloud/aliyun/aliyun.h"

/* Makes cloud->creds usable: valid for at least another 3 minutes, else the chain is walked
 * (environment, OIDC, CLI profile, credentials file, RAM role of the instance, credentials URI)
 * and, with `role_arn` in the settings, that role assumed.  Errors as in kit/cloud/aws/creds.h. */
int ali_creds_get(struct ali_cloud *cloud, struct kit_deadline by, struct kit_err *err) KIT_CHECKED;
int ali_creds_renew(struct ali_cloud *cloud, struct kit_deadline by,
                    struct kit_err *err) KIT_CHECKED;

#endif
