/* kit/cloud/aliyun/metadata.h - the instance metadata service in its token ("security hardened")
 * mode. */
#ifndef KIT_CLOUD_ALIYUN_METADATA_H
#define KIT_CLOUD_ALIYUN_METADATA_H

#include "kit/cloud/aliyun/aliyun.h"

#define ALI_METADATA_BODY_BYTES (64u * 1024)

struct ali_metadata_item {
    const char *path; /* below /latest/: "meta-data/region-id"; borrowed */
    bool optional;    /* 404 is no error */
    bool found;
    struct kit_buf
        value; /* KIT_BUF_SECRET(ALI_METADATA_BODY_BYTES); the asker calls kit_buf_done */
};
/* As aws_imds_read: a token first, then all items in parallel; never through a proxy. Parameter
 * metadata_endpoint, ALIBABA_CLOUD_ECS_METADATA_ENDPOINT, default http://100.100.100.200.
 * ALIBABA_CLOUD_ECS_METADATA_DISABLED switches it off. */
int ali_metadata_read(struct ali_cloud *cloud, struct ali_metadata_item item[], size_t count,
                      struct kit_deadline by, struct kit_err *err) KIT_CHECKED;
bool ali_metadata_answers(struct ali_cloud *cloud, struct kit_deadline by);

#endif
