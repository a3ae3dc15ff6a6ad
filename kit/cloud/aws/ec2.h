/* kit/cloud/aws/ec2.h - what the EC2 movers share: a session that is ready, our own ENI, described
 * pages. */
#ifndef KIT_CLOUD_AWS_EC2_H
#define KIT_CLOUD_AWS_EC2_H

#include "kit/cloud/aws/query.h"
#include "kit/cloud/me.h"

/* EC2 takes at most 200 values in the filters of one request (docs: "Filter your resources"). */
#define AWS_FILTER_VALUES 200

/* Region, endpoint and credentials are there after this; nothing to do when they are already.
 * Blocks for the metadata service and STS, until `by` at most. */
int aws_ec2_ready(struct aws_cloud *cloud, struct kit_deadline by, struct kit_err *err) KIT_CHECKED;

enum aws_me_wants {
    AWS_ME_ENI = 0,
    AWS_ME_VPC = 1, /* vpc_id of the settings, else of the metadata service */
};
/* The parameter `eni`, else the metadata service's answer for the MAC of `interface`; asked once
 * per interface and session.  KIT_ERR_CONFIG: no such interface, or it is no ENI of this instance.
 */
int aws_me_find(struct aws_cloud *cloud, const struct kit_settings *settings, unsigned wants,
                struct kit_deadline by, struct kit_me *ret_me, struct kit_err *err) KIT_CHECKED;

/* The id in the child `name`: absent is "", one that does not fit is KIT_ERR_PROTOCOL: half an id
 * is somebody else's. */
int aws_take_id(const struct kit_xml_node *item, const char *name, char ret_id[KIT_ID],
                struct kit_err *err) KIT_CHECKED;

/* Whoever says that our ENI is attached to `node` must mean this instance ("" on either side: not
 * known).  One configuration file copied to two nodes would have both call the address theirs:
 * KIT_ERR_CONFIG. */
int aws_me_agrees(const struct kit_me *me, const char *node, struct kit_err *err) KIT_CHECKED;

/* The fields of an ENI that the movers look at. */
struct aws_eni {
    char id[KIT_ID], node[KIT_ID];
    char mac[18];  /* "" = not said, or no such */
    char type[32]; /* interfaceType: "interface", "nat_gateway", … */
    bool requester_managed;
    bool source_dest_check;
};
/* Reads one <item> of a networkInterfaceSet; false without a networkInterfaceId. */
bool aws_eni_decode(const struct kit_xml_node *item, struct aws_eni *ret_eni);

/* Puts a finished call's outcome into its step.  A change that another node was quicker with
 * (AWS_NOTE_TAKEN) is OPEN: look again and decide. */
void aws_step_result(const struct aws_query *q, struct kit_step *step);

#endif
