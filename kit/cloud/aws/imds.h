/* kit/cloud/aws/imds.h - the instance metadata service, version 2 only (docs: "Use IMDS"). */
#ifndef KIT_CLOUD_AWS_IMDS_H
#define KIT_CLOUD_AWS_IMDS_H

#include "kit/cloud/aws/aws.h"

#define AWS_IMDS_BODY_BYTES (64u * 1024)

/* One item to be read below /latest/. */
struct aws_imds_item {
    const char *path; /* "meta-data/placement/region"; borrowed */
    bool optional;    /* 404 is no error: `found` stays false */
    bool found;
    struct kit_buf value; /* secret; the asker inits with KIT_BUF_SECRET(AWS_IMDS_BODY_BYTES) and
                             calls kit_buf_done; one trailing newline is cut */
};

/* Reads all items, in parallel, with a session token that is fetched first (kept in memory, for the
 * process only; once anew when the service says 401).  Never through a proxy.  Errors:
 * KIT_ERR_TRANSIENT (no answer, 5xx; the message says which address was asked and what to look at:
 * hop limit, HttpEndpoint), KIT_ERR_CONFIG (AWS_EC2_METADATA_DISABLED, 403: switched off),
 * KIT_ERR_NOT_FOUND (404 on an item that is not optional), KIT_ERR_PROTOCOL. */
int aws_imds_read(struct aws_cloud *cloud, struct aws_imds_item item[], size_t count,
                  struct kit_deadline by, struct kit_err *err) KIT_CHECKED;

/* Does a version 2 metadata service answer at the settings' (or the usual) address? */
bool aws_imds_answers(struct aws_cloud *cloud, struct kit_deadline by);

#endif
