/*
 * What was asked and what came of it. Thread-safe: every function takes the log's own lock.
 */
#ifndef SIM_LOG_H
#define SIM_LOG_H

#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include "sim_json.h"
#include "sim_text.h"

#define SIM_LOG_MAX_ENTRIES 65536

struct sim_call;

struct sim_log_entry {
    uint64_t seq;
    char kind[8], action[160], key[136], node[32], request_id[40];
    struct json_object *params; /* owned */
    double start_ms, end_ms;    /* end 0 until decided */
    int status;
    char code[80], message[512];
    const char *fault; /* a constant, or NULL */
    bool applied, decided;
    unsigned long connection;
    unsigned attempt, in_flight;
};

struct sim_log {
    pthread_mutex_t lock;
    pthread_cond_t decided_more;
    double epoch_ms;
    struct sim_log_entry **entries; /* owned, a ring of SIM_LOG_MAX_ENTRIES */
    size_t first, len;
    uint64_t next_seq;
    unsigned in_flight; /* API requests under way */
    size_t decided;     /* API requests since the last clear */
    bool closing;
    FILE *file; /* or NULL */
};

/* Where a begun request is found again; void after a clear. */
struct sim_log_ref {
    uint64_t seq;
    bool api;
};

void sim_log_init(struct sim_log *log);
void sim_log_done(struct sim_log *log);
void sim_log_close(struct sim_log *log); /* wakes everybody who waits */

struct sim_log_ref sim_log_begin(struct sim_log *log, const struct sim_call *call, double start_ms,
                                 unsigned long connection, unsigned attempt);
/* The outcome is settled: takes it from the call. */
void sim_log_decide(struct sim_log *log, const struct sim_log_ref *ref, const struct sim_call *call,
                    const char *fault);
/* The answer is on its way, or will never be: the request is no longer in flight. */
void sim_log_end(struct sim_log *log, const struct sim_log_ref *ref);

void sim_log_show(struct sim_log *log, struct sim_buf *out);
void sim_log_summary(struct sim_log *log, struct sim_buf *out);
void sim_log_clear(struct sim_log *log);
/* Until that many API requests are decided; returns how many are. */
size_t sim_log_wait(struct sim_log *log, size_t requests, double timeout_ms);

#endif
