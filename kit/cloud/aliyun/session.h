/* kit/cloud/aliyun/session.h - the whole of a session, and what is kept in it between questions.
 */
#ifndef KIT_CLOUD_ALIYUN_SESSION_H
#define KIT_CLOUD_ALIYUN_SESSION_H

#include "kit/cloud/aliyun/aliyun.h"
#include "kit/cloud/aliyun/profile.h"

/* The vendor's files, read at most once; NULL when they cannot be read (whoever needs credentials
 * from them gets the reason from ali_creds_get). */
const struct ali_profiles *ali_session_profiles(struct ali_cloud *cloud);

/* The region alone: all that STS needs.  As ali_ready. */
int ali_region(struct ali_cloud *cloud, struct kit_deadline by, struct kit_err *err) KIT_CHECKED;
/* The region without asking anybody: "" when nothing names one. */
void ali_region_if_known(struct ali_cloud *cloud);

#endif
