/* kit/cloud/aliyun/private_ip.h - shared by private_ip.c (the mover) and private_ip_move.c (its
 * changes).  Private to kit/cloud/aliyun. */
#ifndef KIT_CLOUD_ALIYUN_PRIVATE_IP_H
#define KIT_CLOUD_ALIYUN_PRIVATE_IP_H

#include "kit/cloud/aliyun/ecs.h"

/* The mover's claim and release (kit/cloud/cloud.h). */
int ali_private_ip_claim(struct kit_cloud *cloud, const struct kit_settings *settings,
                         const struct kit_facts *facts, struct kit_step step[], size_t count,
                         struct kit_deadline by, struct kit_err *err);
int ali_private_ip_release(struct kit_cloud *cloud, const struct kit_settings *settings,
                           const struct kit_facts *facts, struct kit_step step[], size_t count,
                           struct kit_deadline by, struct kit_err *err);

#endif
