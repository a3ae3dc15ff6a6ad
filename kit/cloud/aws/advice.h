/* kit/cloud/aws/advice.h - what only warnings want to know.  Private to kit/cloud/aws.
 *
 * Read for plan, never for an action.  None of these is an error: what could not be read is in
 * `why`, and the rule that asks is not known.  Few tries, and AWS_ADVICE_MS at most for each. */
#ifndef KIT_CLOUD_AWS_ADVICE_H
#define KIT_CLOUD_AWS_ADVICE_H

#include "kit/cloud/aws/nic.h"

#define AWS_ADVICE_TRIES 2
#define AWS_ADVICE_MS    INT64_C(5000)
#define AWS_WHY_BYTES    320

/* Our ENI, and another node's that has a binding now (rule 72). */
struct aws_pair {
    bool asked;
    char why[AWS_WHY_BYTES]; /* "" = it is known */
    struct aws_nic mine;
    char eip[KIT_ID];                   /* the allocation at `seat` of ours, "" = none */
    char other[KIT_ID], other_zone[32]; /* in our zone if there is one; "" = nobody else has any */
};
/* DescribeNetworkInterfaces of our ENI and of those that hold the bindings of `facts`.  `seat`: a
 * private address of our ENI; NULL: its primary one. */
void aws_pair_find(struct aws_cloud *cloud, const struct kit_facts *facts, const char *eni,
                   const struct kit_addr *seat, struct kit_deadline by, struct aws_pair *ret_pair);
enum kit_rule_answer aws_pair_check(const struct aws_pair *pair, struct kit_buf *detail);
#define AWS_PAIR_MEANS  "the loss of that zone takes both nodes"
#define AWS_PAIR_REMEDY "put the nodes into two availability zones"

/* The VPC's tables that lack a route to a destination (rule 67); those of gateways do not count. */
struct aws_lacking {
    bool asked;
    char why[AWS_WHY_BYTES];
    char tables[256]; /* "rtb-1, rtb-2"; cut where there are more */
    size_t count;
};
void aws_lacking_find(struct aws_cloud *cloud, const char *vpc, const struct kit_cidr *destination,
                      struct kit_deadline by, struct aws_lacking *ret_lacking);

/* Where the subnet of an ENI sends what is for the Internet (rule 71). */
struct aws_way_out {
    bool asked;
    char why[AWS_WHY_BYTES];
    char table[KIT_ID];  /* that of the subnet, or the VPC's main one */
    char target[KIT_ID]; /* of its 0.0.0.0/0; "" = it has none that works */
};
void aws_way_out_find(struct aws_cloud *cloud, const struct aws_nic *nic, struct kit_deadline by,
                      struct aws_way_out *ret_way);

/* How many interfaces an instance has and takes (rule 20). */
struct aws_room {
    bool asked;
    char why[AWS_WHY_BYTES];
    char type[32]; /* "m5.large" */
    int64_t used, limit;
};
/* room->limit of room->type; not known: room->why. */
void aws_room_limit(struct aws_cloud *cloud, struct kit_deadline by, struct aws_room *room);
/* The type says the metadata service of this instance, which is `node`. */
void aws_room_find(struct aws_cloud *cloud, const char *node, struct kit_deadline by,
                   struct aws_room *ret_room);

#endif
