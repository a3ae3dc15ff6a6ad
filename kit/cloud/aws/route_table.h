/* kit/cloud/aws/route_table.h - shared by route_table.c (the mover) and route_search.c (its
 * describe calls). */
#ifndef KIT_CLOUD_AWS_ROUTE_TABLE_H
#define KIT_CLOUD_AWS_ROUTE_TABLE_H

#include "kit/cloud/aws/ec2.h"

/* What one query looks for. */
struct aws_route_target {
    struct kit_query *query;
    struct aws_me me;
    struct kit_cidr destination;
    char *const *listed; /* NULL: the tables of the VPC */
    bool all_tables;     /* also tables that lack the route: create_route */
    struct aws_eni eni;  /* of `me`, for a claim */
};

/* One route table of an answer (`item` of a routeTableSet): adds its binding to the target's facts
 * if it concerns it. */
void aws_route_take_table(const struct kit_xml_node *table, struct aws_route_target *t);

/* Fills the facts or the error of every target's query: describes the tables and, for claims, the
 * ENIs, in one round where the filters and pages allow.  Targets without a query are passed over.
 */
void aws_route_search(struct aws_cloud *cloud, struct aws_route_target target[], size_t count,
                      struct kit_deadline by);

/* What the rules judge. */
struct aws_route_evidence {
    const struct aws_eni *eni; /* of ours */
    bool verify; /* source_dest_check = verify: it is the administrator's to switch off */
};
extern const struct kit_rule aws_route_rules[];
extern const size_t aws_route_rules_count;

#endif
