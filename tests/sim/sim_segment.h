/*
 * A wire of the simulated network: who announces an address on it with gratuitous ARP (RFC 5227,
 * section 3) is heard by the cloud, as {"op": "announce", "ip": …, "instance": …}.
 */
#ifndef SIM_SEGMENT_H
#define SIM_SEGMENT_H

#include "sim_http.h"

struct sim_segment {
    char interface[16]; /* IFNAMSIZ */
    const char *node;   /* whose wire it is: an instance or a network interface */
    int fd;             /* owned; -1: not open */
    pthread_t thread;
    struct sim_server *server;
};

/* Listens on all of them; -1 with the reason. Wants CAP_NET_RAW. */
int sim_segments_start(struct sim_segment *segments, size_t count, struct sim_server *server,
                       struct sim_error *err);
/* Once server->stopping is set. */
void sim_segments_stop(struct sim_segment *segments, size_t count);

#endif
