/* kit/cloud/aws/elastic_ip.h - shared by elastic_ip.c (the mover) and ops_eip.c.  Private to
 * kit/cloud/aws. */
#ifndef KIT_CLOUD_AWS_ELASTIC_IP_H
#define KIT_CLOUD_AWS_ELASTIC_IP_H

#include "kit/cloud/aws/ec2.h"

/* Is the ENI that has an Elastic IP, and no instance, that of a NAT gateway, a load balancer or the
 * like, whose address is never taken?  One that was deleted since has it no more: false. */
int aws_eip_is_foreign(struct aws_cloud *cloud, const char *eni, struct kit_deadline by,
                       bool *ret_foreign, struct kit_err *err) KIT_CHECKED;

/* Is an address of DescribeAddresses managed by a service of the cloud? */
bool aws_eip_is_managed(const struct kit_xml_node *item);

#endif
