/*
 * Where a cloud sends packets, as its world says now: what the data plane is made to do.
 */
#ifndef SIM_PATH_H
#define SIM_PATH_H

#include <netinet/in.h>
#include <stddef.h>

#define SIM_PATH_ID_MAX 96 /* an object's id, or a CIDR block */

/* How a network interface or an instance is reached, where that is not its primary address. */
struct sim_reach {
    char id[SIM_PATH_ID_MAX];
    char address[INET6_ADDRSTRLEN];
};

/* Packets to `destination` that the route table `table` decides about go to `next_hop`. */
struct sim_path {
    char table[SIM_PATH_ID_MAX]; /* id of a route table; "": of everybody, an address */
    char destination[SIM_PATH_ID_MAX];
    char holder[SIM_PATH_ID_MAX]; /* id of the interface or instance that gets them; "": nobody */
    char next_hop[INET6_ADDRSTRLEN]; /* "": they are dropped */
};

/* Packets from `subnet` obey `table`; the widest subnet (/0) is everybody else. */
struct sim_source {
    char subnet[SIM_PATH_ID_MAX];
    char table[SIM_PATH_ID_MAX];
};

struct sim_paths {
    const struct sim_reach *reach; /* borrowed */
    size_t reach_count;
    struct sim_path *path; /* owned */
    size_t len, cap;
    struct sim_source *source; /* owned */
    size_t sources, source_cap;
};

/* Who gets the packets: an interface, the instance it is attached to, the interface's own primary
 * addresses; "" where there is none. */
struct sim_hop {
    const char *eni, *instance, *v4, *v6;
};

void sim_paths_done(struct sim_paths *paths);
/* `destination` is a CIDR block, or an address and then the only one in its block. `hop` NULL:
 * nobody, packets are dropped. What cannot be reached in the destination's family is dropped, too.
 * A path to the next hop itself is none; the first path of a table to a destination stands. */
void sim_paths_add(struct sim_paths *paths, const char *table, const char *destination,
                   const struct sim_hop *hop);
/* The first table of a subnet stands. */
void sim_paths_source(struct sim_paths *paths, const char *subnet, const char *table);
const struct sim_path *sim_paths_find(const struct sim_paths *paths, const char *table,
                                      const char *destination);

#endif
