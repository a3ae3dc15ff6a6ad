/* kit/cloud/aliyun/eni.h - shared by eni.c (the mover) and eni_move.c (its changes).  Private to
 * kit/cloud/aliyun. */
#ifndef KIT_CLOUD_ALIYUN_ENI_H
#define KIT_CLOUD_ALIYUN_ENI_H

#include "kit/cloud/aliyun/ecs.h"

/* The mover's claim and release. */
int ali_eni_claim(struct kit_cloud *cloud, const struct kit_settings *settings,
                  const struct kit_facts *facts, struct kit_step step[], size_t count,
                  struct kit_deadline by, struct kit_err *err);
int ali_eni_release(struct kit_cloud *cloud, const struct kit_settings *settings,
                    const struct kit_facts *facts, struct kit_step step[], size_t count,
                    struct kit_deadline by, struct kit_err *err);

#endif
