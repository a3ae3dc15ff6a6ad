/* kit/cloud/aliyun/metadata.h - the instance metadata service in its token ("security hardened")
 * mode. */
#ifndef KIT_CLOUD_ALIYUN_METADATA_H
#define KIT_CLOUD_ALIYUN_METADATA_H

#include "kit/cloud/aliyun/aliyun.h"
#include "kit/cloud/metadata.h"

/* As kit_metadata_read; the session's token is kept.  Parameter metadata_endpoint,
 * ALIBABA_CLOUD_ECS_METADATA_ENDPOINT, default http://100.100.100.200.
 * ALIBABA_CLOUD_ECS_METADATA_DISABLED: KIT_ERR_CONFIG, and nobody is asked. */
int ali_metadata_read(struct ali_cloud *cloud, struct kit_metadata_item item[], size_t count,
                      struct kit_deadline by, struct kit_err *err) KIT_CHECKED;

/* Does it answer at the settings' (or the usual) address? */
bool ali_metadata_answers(struct ali_cloud *cloud, struct kit_deadline by);

#endif
