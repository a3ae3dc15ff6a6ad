/*
 * The data plane: the routing of one real network namespace, kept as the simulated clouds say.
 *
 * It follows the world under the world's lock: when a change is answered, packets obey it already,
 * and a change that becomes effective later does so when its time comes, asked for or not. A route
 * table of a cloud is a routing table of the namespace, chosen by the packet's source; addresses
 * (private ones, EIPs, HAVIPs) are routes of its main table.
 */
#ifndef SIM_DATAPLANE_H
#define SIM_DATAPLANE_H

#include "sim_http.h"
#include "sim_path.h"

#define SIM_REACH_MAX 64

struct mnl_socket;

struct sim_dataplane {
    const char *netns; /* as sim_netlink_open takes it */
    struct sim_reach reach[SIM_REACH_MAX];
    size_t reach_count;

    struct sim_server *server;
    struct mnl_socket *socket;
    struct sim_paths now;        /* what the namespace has */
    struct json_object *tables;  /* array of route table ids: the place is the kernel's number */
    struct json_object *changes; /* array, the newest last */
    bool behind;                 /* the kernel refused something: tried again */
    bool ticking;                /* there is a thread */
    pthread_t thread;
};

/* ID=ADDRESS: -1 if it is none. Before the start. */
int sim_dataplane_reach(struct sim_dataplane *plane, const char *text);
/* Puts the world's paths into the namespace; -1 with the reason. */
int sim_dataplane_start(struct sim_dataplane *plane, struct sim_server *server,
                        struct sim_error *err);
/* Takes out what it put there. Once server->stopping is set. */
void sim_dataplane_stop(struct sim_dataplane *plane);
/* What it has, and what it changed when, as JSON. */
void sim_dataplane_show(struct sim_dataplane *plane, struct sim_buf *out);

#endif
