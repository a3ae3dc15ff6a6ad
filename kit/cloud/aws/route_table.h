/* kit/cloud/aws/route_table.h - shared by route_table.c (the mover) and route_search.c (its
 * describe calls). */
#ifndef KIT_CLOUD_AWS_ROUTE_TABLE_H
#define KIT_CLOUD_AWS_ROUTE_TABLE_H

#include "kit/cloud/aws/advice.h"

/* What one query looks for. */
struct aws_route_target {
    struct kit_query *query;
    struct kit_me me;
    struct kit_cidr destination;
    char *const *listed; /* NULL: the tables of the VPC */
    bool all_tables;     /* also tables that lack the route: create_route */
    /* What the rules judge, for a claim. */
    bool eni_known;
    struct aws_eni eni;     /* of `me` */
    struct kit_cidr within; /* of the VPC, and the address lies in it; family 0 = in none seen */
    struct aws_lacking lacking;
    struct aws_pair pair;
};

/* One route table of an answer (`item` of a routeTableSet): adds its binding to the target's facts
 * if it concerns it. */
void aws_route_take_table(const struct kit_xml_node *table, struct aws_route_target *t);

/* Every table shows the VPC's own blocks as its `local` routes, and takes no route to a single
 * address inside one (docs: "Route tables", more specific routes): notes the block that the
 * target's address lies in. */
void aws_route_look_within(const struct kit_xml_node *table, struct aws_route_target *t);

/* Fills the facts or the error of every target's query: describes the tables and, for claims, the
 * ENIs, in one round where the filters and pages allow.  Targets without a query are passed over.
 */
void aws_route_search(struct aws_cloud *cloud, struct aws_route_target target[], size_t count,
                      struct kit_deadline by);

/* Checked with a target for evidence. */
extern const struct kit_rule aws_route_rules[];
extern const size_t aws_route_rules_count;

/* The entry of exactly this destination in an item of a routeTableSet, or NULL.  A static one goes
 * before a propagated one. */
const struct kit_xml_node *aws_route_entry(const struct kit_xml_node *table,
                                           const struct kit_cidr *destination);
/* The table of an internet or virtual private gateway: it takes no route to an ENI of ours. */
bool aws_route_is_edge_table(const struct kit_xml_node *table);
/* The id of whatever an entry points at, "" = nothing. */
void aws_route_entry_target(const struct kit_xml_node *route, char ret_id[KIT_ID],
                            bool *ret_is_node);

#endif
