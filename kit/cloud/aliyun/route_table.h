/* kit/cloud/aliyun/route_table.h - shared by route_table.c (the mover), route_search.c (its looks),
 * route_change.c (its changes) and route_entry.c.  Private to kit/cloud/aliyun. */
#ifndef KIT_CLOUD_ALIYUN_ROUTE_TABLE_H
#define KIT_CLOUD_ALIYUN_ROUTE_TABLE_H

#include "kit/cloud/aliyun/ecs.h"

/* What one query looks for. */
struct ali_route_target {
    struct kit_query *query; /* NULL: nothing to search for */
    struct kit_me me;
    struct kit_cidr destination;
    char *const *listed; /* NULL: the tables of the VPC */
    bool all_tables;     /* also tables that lack the route: create_route */
};

/* One entry of DescribeRouteEntryList. */
struct ali_route_entry {
    char id[KIT_ID];
    char status[16];   /* Pending, Available, Modifying, Deleting */
    char type[16];     /* Custom, System, BGP, CEN, ECR */
    char service[16];  /* "TR": a transit router manages it; "" = nobody does */
    size_t hops;       /* more than one: ECMP */
    char hop_type[32]; /* of the first: "Instance", "NetworkInterface", "HaVip" … */
    char hop[KIT_ID];
};
bool ali_route_entry_is_available(const struct ali_route_entry *entry);
bool ali_route_entry_is_custom(const struct ali_route_entry *entry);
/* One page of a table's entries, ready for kit_call_all; the asker calls ali_rpc_done.  destination
 * NULL: all of them; token NULL: the first page. */
void ali_route_entries_call(struct ali_rpc *r, struct ali_cloud *cloud, const char *table,
                            const struct kit_cidr *destination, const char *token);
/* The entry of exactly this destination, compared as addresses, if the page has it.  A custom entry
 * goes before a learnt one of the same prefix: it is the one that counts.  *found and *entry: what
 * earlier pages had. */
void ali_route_entries_take(const struct kit_json_node *root, const struct kit_cidr *destination,
                            bool *found, struct ali_route_entry *entry);
/* The entry of one table, in one call; *ret_found false: there is none. */
int ali_route_entry_read(struct ali_cloud *cloud, const char *table,
                         const struct kit_cidr *destination, struct kit_deadline by,
                         bool *ret_found, struct ali_route_entry *ret_entry,
                         struct kit_err *err) KIT_CHECKED;

/* The tags of an entry of DescribeRouteTableList, added to the facts. */
void ali_route_take_tags(const struct kit_json_node *table, const char *id,
                         struct kit_facts *facts);

/* Fills the facts or the error of every target's query.  Rounds: the list of tables (none when they
 * are named), all entries, and for claims the ENIs.  Blocks until `by` at most. */
void ali_route_search(struct ali_cloud *cloud, struct ali_route_target target[], size_t count,
                      struct kit_deadline by);

/* The mover's claim. */
int ali_route_claim(struct kit_cloud *cloud, const struct kit_settings *settings,
                    const struct kit_facts *facts, struct kit_step step[], size_t count,
                    struct kit_deadline by, struct kit_err *err);

/* What the rules judge. */
struct ali_route_evidence {
    const struct ali_eni *eni; /* ours */
    const char *vpc;           /* of the tables, "" = not known: they were named */
    const struct kit_addr *address;
    /* The vSwitch that it lies in; asked for advice, and where a route is missing: one that there
     * is proves that it lies in none. */
    bool vswitches_asked;
    char vswitches_why[320];
    char vswitch[KIT_ID], block[KIT_CIDR_TEXT]; /* "" = in none */
};
extern const struct kit_rule ali_route_rules[];
extern const size_t ali_route_rules_count;

#endif
