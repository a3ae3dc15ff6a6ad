/* kit/cloud/aliyun/egress.h - what the files of the egress procedure share.  Private to it.
 *
 * egress.c looks, egress_facts.c at what lies around, egress_rules.c judges, egress_change.c
 * changes. */
#ifndef KIT_CLOUD_ALIYUN_EGRESS_H
#define KIT_CLOUD_ALIYUN_EGRESS_H

#include "kit/cloud/aliyun/convert.h"
#include "kit/cloud/aliyun/quota.h"
#include "kit/cloud/aliyun/vswitch.h"
#include "kit/cloud/egress.h"

/* The name of the ENI that the procedure makes, of the instance's id: how it is found again. */
#define ALI_EGRESS_NAME "cloudvip-egress-%s"

/* All that was found out: the evidence of the rules. */
struct ali_egress {
    struct ali_convert convert; /* first: rules 41 and 42 look at that alone */
    const struct kit_egress_wish *wish;
    char instance[KIT_ID];
    bool here;
    struct ali_enis attached, own;       /* of the instance; the procedure's */
    const struct ali_eni *primary, *eni; /* NULL = there is none */
    char name[128];                      /* of the ENI that the procedure makes */
    bool eip_known;
    struct ali_eip eip;
    struct { /* the SNAT entry that covers the primary ENI; id "" = none */
        char id[KIT_ID], gateway[KIT_ID], status[16];
        char ip[KIT_EGRESS_SNAT_TEXT];
        size_t gateways; /* NAT gateways of the VPC that can be used */
    } snat;
    char new_vswitch[KIT_ID];
    char *group[ALI_GROUPS + 1]; /* of the ENI that is to be created, NULL-terminated */
    size_t groups;

    /* For the rules alone; what was not read is "" or false. */
    struct ali_vswitch vswitch;             /* of the ENI; id "" = not read */
    char way_out[KIT_ID], way_out_type[32]; /* next hop of the default route of the primary one */
    bool way_out_known;
    bool groups_known;
    size_t groups_found; /* of `group`, in the VPC */
    bool address_known, address_idle;
    struct ali_quota quota;
};

extern const struct kit_egress ali_egress;

/* Finds the SNAT entry.  Blocks until `by` at most. */
int ali_egress_find_snat(struct ali_cloud *cloud, struct ali_egress *e, struct kit_deadline by,
                         struct kit_err *err) KIT_CHECKED;
/* What the rules ask about beside it. */
int ali_egress_find_evidence(struct ali_cloud *cloud, struct ali_egress *e, struct kit_deadline by,
                             struct kit_err *err) KIT_CHECKED;

#define ALI_EGRESS_RULES 12
extern const struct kit_rule ali_egress_rules[ALI_EGRESS_RULES];

int ali_egress_convert(struct kit_cloud *cloud, const struct kit_egress_job *job,
                       struct kit_err *err);
int ali_egress_create(struct kit_cloud *base, const struct kit_egress_job *job,
                      struct kit_err *err);
int ali_egress_attach(struct kit_cloud *cloud, const struct kit_egress_job *job,
                      struct kit_err *err);
int ali_egress_unbind(struct kit_cloud *cloud, const struct kit_egress_job *job,
                      struct kit_err *err);
int ali_egress_bind(struct kit_cloud *cloud, const struct kit_egress_job *job, struct kit_err *err);

#endif
