/*
 * The way of one request to a cloud: understood, logged, delayed, applied, spoiled, answered or
 * not, as the faults want it.
 */
#ifndef SIM_SERVE_H
#define SIM_SERVE_H

#include "sim_http.h"

/* Where the request came from. */
struct sim_link {
    int socket;
    unsigned long connection;
    unsigned attempt;
    double start_ms;
};

/* How the answer is to be sent. */
struct sim_outcome {
    bool silent; /* not at all: close */
    bool reset;  /* not at all: RST */
    long limit;  /* bytes of the body before the connection is cut; -1: all */
    size_t drip_bytes;
    double drip_ms;
    int64_t clock_offset_ms; /* of the Date header */
};

/* `node`: the request is for the metadata service of that instance; NULL: for an API. Waits as
 * long as the faults say. */
void sim_serve(struct sim_server *server, const struct sim_request *request, const char *node,
               const struct sim_link *link, struct sim_answer *answer, struct sim_outcome *ret_how);

/* Is there an instance of that name whose metadata can be served? */
bool sim_serve_has_node(struct sim_server *server, const char *node);

#endif
