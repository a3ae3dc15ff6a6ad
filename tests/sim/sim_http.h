/*
 * Requests as they came, answers as they go, and the server between them.
 */
#ifndef SIM_HTTP_H
#define SIM_HTTP_H

#include <stdatomic.h>
#include "sim_fault.h"
#include "sim_log.h"
#include "sim_world.h"

#define SIM_BODY_MAX_BYTES    ((size_t)1024 * 1024)      /* an API request */
#define SIM_CONTROL_MAX_BYTES ((size_t)48 * 1024 * 1024) /* a world of thousands of tables */
#define SIM_HEADERS_MAX       64

struct sim_header {
    const char *name; /* as it came; borrowed from the server while the request lives */
    const char *value;
};

struct sim_request {
    const char *method;
    const char *target; /* path and query as on the wire */
    const char *path;   /* up to '?'; for metadata without the node's prefix */
    const char *query;  /* "" if none */
    struct sim_header headers[SIM_HEADERS_MAX];
    size_t header_count;
    const char *body; /* never NULL */
    size_t body_len;
    bool tls;
};

/* The value of the first header of that name, case not minded; NULL if none. */
const char *sim_request_header(const struct sim_request *request, const char *name);

/* One request to a cloud, as far as it is understood. */
struct sim_call {
    const struct sim_request *request;
    const struct sim_cloud *cloud;
    char kind[8];     /* ec2, sts, imds */
    char action[160]; /* the API's action; metadata: method and path */
    char key[136];    /* access key id, "" if none */
    char node[32];    /* instance, "" if none */
    struct sim_params params;
    char request_id[40];
    int64_t skew_ms; /* a fault may shift the server's clock for one request */
    bool applied;    /* the world was changed */
    int status;
    char code[80];
    char message[512];
};

#define SIM_ANSWER_HEADERS 6

struct sim_answer {
    int status; /* 0: the connection is reset instead; negative: no answer ever */
    struct sim_buf body;
    char content_type[128]; /* "" if none */
    struct {
        char name[48];
        char value[256];
    } headers[SIM_ANSWER_HEADERS];
    size_t header_count;
};

__attribute__((format(printf, 3, 4))) void sim_answer_header(struct sim_answer *answer,
                                                             const char *name, const char *format,
                                                             ...);

void sim_answer_type(struct sim_answer *answer, const char *content_type);

struct sim_listener {
    char host[64];
    unsigned port; /* asked for, then the real one */
    bool tls;
    const char *instance; /* metadata of that node only; NULL otherwise */
    struct MHD_Daemon *daemon;
    struct sim_server *server;
};

struct sim_dataplane;

struct sim_server {
    struct sim_world world;
    struct sim_log log;
    struct sim_faults faults;
    struct sim_listener *listeners;
    size_t listener_count;
    const char *cert_pem, *key_pem;
    double latency_ms;
    struct sim_dataplane *dataplane; /* NULL: none */
    atomic_bool stopping;
    atomic_ulong holds; /* counts up when whatever hangs is to be let go */
    atomic_ulong connections;
};

/* Starts every listener; -1 with the reason in err. */
int sim_http_start(struct sim_server *server, struct sim_error *err);
/* Lets go of everything that waits, and ends the listeners. */
void sim_http_stop(struct sim_server *server);

/* Waits `ms` (for ever if negative) or until the client has left, hanging requests are let go,
 * or the server ends; true if the whole time passed. */
bool sim_http_wait(struct sim_server *server, int socket, double ms);

#endif
