/* kit/cloud/aws/ops_eni.h - shared by the operations on ENIs: ops_eni.c (create, list, delete),
 * ops_eni_attach.c (attach, detach), ops_eni_modify.c, ops_eni_read.c and ops_eni_rules.c.  Private
 * to them. */
#ifndef KIT_CLOUD_AWS_OPS_ENI_H
#define KIT_CLOUD_AWS_OPS_ENI_H

#include "kit/cloud/aws/advice.h"
#include "kit/cloud/aws/eni.h"
#include "kit/cloud/aws/instance.h"
#include "kit/cloud/aws/ops.h"

/* Security groups of one interface: 5 by default, 16 at most ("Amazon VPC quotas"). */
#define AWS_OP_GROUPS_DEFAULT 5
#define AWS_OP_GROUPS         16
/* A tag's value has 256 characters, a description 255, each at most 4 bytes. */
#define AWS_OP_TEXT 1025

/* An ENI with what people call it. */
struct aws_op_nic {
    struct aws_nic nic;
    char primary[KIT_ADDR_TEXT];
    char others[1024]; /* its other addresses, cut where there are more */
    char name[AWS_OP_TEXT], description[AWS_OP_TEXT]; /* the tag Name */
    char group[AWS_OP_GROUPS][KIT_ID];                /* the first so many */
    size_t groups;
};
struct aws_op_nics {
    struct aws_op_nic *nic; /* owned */
    size_t count;
};
void aws_op_nics_done(struct aws_op_nics *list);

/* What they must fit; all that is given together.  Borrowed. */
struct aws_op_filter {
    const char *id, *vpc, *subnet, *node, *status, *name, *address;
    const char *device; /* device index: "0" */
};
/* A question for kit_call_all (aws_nic_list_begin … aws_nic_list_finish), and both in one.  The
 * list is added to. */
struct aws_op_search {
    struct aws_nic_list list;
    struct aws_op_filter filter;
    struct aws_op_nics *nics;
};
void aws_op_search_init(struct aws_op_search *search, struct aws_cloud *cloud,
                        const struct aws_op_filter *filter, struct aws_op_nics *nics);
int aws_op_find_all(struct aws_cloud *cloud, const struct aws_op_filter *filter,
                    struct kit_deadline by, struct aws_op_nics *nics,
                    struct kit_err *err) KIT_CHECKED;
/* One; KIT_ERR_NOT_FOUND: it is not there. */
int aws_op_find(struct aws_cloud *cloud, const char *id, struct kit_deadline by,
                struct aws_op_nics *nics, const struct aws_op_nic **ret_nic,
                struct kit_err *err) KIT_CHECKED;

extern const char *const aws_op_eni_columns[];
void aws_op_eni_row(const struct aws_op_nic *nic, struct kit_op_answer *answer);

/* What the rules judge; what an operation has not read is zero. */
struct aws_op_eni {
    const struct aws_op_nic *nic;
    struct aws_instance instance; /* that shall have it, or has it */
    struct aws_room room;         /* on it */
    /* create, modify: the security groups that it shall have */
    const char *vpc;        /* that they must be of */
    size_t groups, most;    /* how many there are and may be */
    char stray[KIT_ID];     /* one that is not there, or … */
    char stray_vpc[KIT_ID]; /* … of this VPC; "" = not there */
    bool dies;              /* modify: it shall die with its instance */
    /* create */
    const struct kit_addr *address; /* or NULL */
    struct aws_subnet subnet;
    char holder[KIT_ID]; /* who has the address, "" = nobody */
};
void aws_op_groups_take(const struct aws_query *q, char *const *group, struct aws_op_eni *e);

extern const struct kit_rule aws_op_eni_create_rules[2], aws_op_eni_attach_rules[5],
    aws_op_eni_detach_rules[1], aws_op_eni_modify_rules[2], aws_op_eni_delete_rules[1];

#endif
