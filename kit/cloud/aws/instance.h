/* kit/cloud/aws/instance.h - instances, subnets and security groups, as far as operations ask about
 * them.  Private to kit/cloud/aws. */
#ifndef KIT_CLOUD_AWS_INSTANCE_H
#define KIT_CLOUD_AWS_INSTANCE_H

#include "kit/cloud/aws/ec2.h"

/* All three are asked by filter: what does not exist is simply not there, and no error. */

struct aws_instance {
    char id[KIT_ID];
    char state[16]; /* pending, running, stopping, stopped, shutting-down, terminated */
    char zone[32], vpc[KIT_ID], subnet[KIT_ID];
    char type[32]; /* "m5.large" */
};
void aws_instance_ask(struct aws_query *q, struct aws_cloud *cloud, const char *id);
bool aws_instance_take(const struct aws_query *q, const char *id,
                       struct aws_instance *ret_instance);

struct aws_subnet {
    char id[KIT_ID], vpc[KIT_ID], zone[32];
    struct kit_cidr cidr; /* addr.family 0 = none */
};
void aws_subnet_ask(struct aws_query *q, struct aws_cloud *cloud, const char *id);
bool aws_subnet_take(const struct aws_query *q, const char *id, struct aws_subnet *ret_subnet);

/* `group`: NULL-terminated. */
void aws_groups_ask(struct aws_query *q, struct aws_cloud *cloud, char *const *group);
/* The VPC of a group; false and "": it is not there. */
bool aws_groups_vpc(const struct aws_query *q, const char *group, char ret_vpc[KIT_ID]);

#endif
