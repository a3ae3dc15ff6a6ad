/* kit/cloud/aws/nic.h - DescribeNetworkInterfaces, whole: every page, and the fields that tell
 * where an ENI is. */
#ifndef KIT_CLOUD_AWS_NIC_H
#define KIT_CLOUD_AWS_NIC_H

#include "kit/cloud/aws/ec2.h"

struct aws_nic {
    struct aws_eni eni;
    char status[16]; /* "available", "in-use", "attaching", "detaching", "associated" */
    char zone[32], subnet[KIT_ID], vpc[KIT_ID];
    char attachment[KIT_ID];   /* "" when it is attached to nothing */
    char attachment_state[16]; /* "attaching", "attached", "detaching", "detached" */
    int64_t device_index;      /* -1 = none */
    bool dies_with_node;       /* deleteOnTermination of the attachment */
};
/* Reads one <item> of a networkInterfaceSet; false without a networkInterfaceId. */
bool aws_nic_decode(const struct kit_xml_node *item, struct aws_nic *ret_nic);
/* Made and kept by a service of AWS (a NAT gateway's, a load balancer's): no node's. */
bool aws_nic_is_foreign(const struct aws_nic *nic);

/* One question and all pages of its answer.
 *
 *   struct aws_nic_list list = {.cloud = cloud, .ask = …, .take = …, .arg = …};
 *   aws_nic_list_begin(&list);
 *   kit_call_all(…, &list.query.call, beside whatever else …);
 *   aws_nic_list_finish(&list, by, err);
 */
struct aws_nic_list {
    struct aws_cloud *cloud;
    void (*ask)(void *arg, struct aws_query *q); /* adds the filters; asked for each page */
    void (*take)(void *arg, const struct kit_xml_node *item); /* one ENI of the answer */
    void *arg;
    struct aws_query query; /* the page being asked for */
    char token[AWS_TOKEN_BYTES];
};
void aws_nic_list_begin(struct aws_nic_list *list);
/* The first page has been asked for: takes it and the others, until `by`.  Frees what begin made,
 * whatever comes of it.  Errors: the call's, KIT_ERR_PROTOCOL (pages that go round). */
int aws_nic_list_finish(struct aws_nic_list *list, struct kit_deadline by,
                        struct kit_err *err) KIT_CHECKED;
/* Both, with the first page asked for in between. */
int aws_nic_list_run(struct aws_nic_list *list, struct kit_deadline by,
                     struct kit_err *err) KIT_CHECKED;

#endif
