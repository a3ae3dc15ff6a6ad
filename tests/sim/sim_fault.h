/*
 * Misbehaviour on command: which requests it meets, and what is to happen to them. README.md has
 * the table of all types.
 */
#ifndef SIM_FAULT_H
#define SIM_FAULT_H

#include <pthread.h>
#include "sim_json.h"
#include "sim_text.h"

struct sim_call;
struct sim_answer;
struct sim_error;
struct sim_world;

/* What becomes of the request itself. */
enum sim_fate {
    SIM_FATE_SERVE,  /* applied, answered, perhaps spoiled afterwards */
    SIM_FATE_REFUSE, /* answered without being applied */
    SIM_FATE_RESET,
    SIM_FATE_HANG,
    SIM_FATE_LOSE,     /* applied, then reset */
    SIM_FATE_LOSE_LATE /* applied, then never answered */
};

struct sim_fault_type;

struct sim_fault {
    struct json_object *spec; /* owned */
    const struct sim_fault_type *type;
    unsigned long skip, times, seen, acted;
};

struct sim_faults {
    pthread_mutex_t lock;
    struct sim_fault *items; /* owned */
    size_t len;
};

/* What all faults together want of one request. */
struct sim_plan {
    const struct sim_fault_type *type; /* the one that decides; NULL if none */
    struct json_object *options;       /* its `do`; owned */
    enum sim_fate fate;
    const char *name; /* for the log; NULL if nothing happens */
    double before_ms, after_ms, drip_ms;
    size_t drip_bytes;
    int64_t skew_ms;
    struct json_object *events_before, *events_after; /* owned arrays, or NULL */
    char thief[64];
    int64_t steal_delay_ms;
};

void sim_faults_init(struct sim_faults *faults);
void sim_faults_done(struct sim_faults *faults);
void sim_faults_clear(struct sim_faults *faults);
/* One fault or an array; on an error nothing is changed. Does not take `spec`. */
int sim_faults_add(struct sim_faults *faults, struct json_object *spec, bool replace,
                   struct sim_error *err);
void sim_faults_show(struct sim_faults *faults, struct sim_buf *out);
/* Does any fault want the world before the last change? */
bool sim_faults_want_previous(struct sim_faults *faults);

void sim_faults_plan(struct sim_faults *faults, const struct sim_call *call,
                     struct sim_plan *ret_plan);
void sim_plan_done(struct sim_plan *plan);

/* For SIM_FATE_REFUSE: the answer. Wants the world's lock. */
void sim_plan_refuse(const struct sim_plan *plan, struct sim_world *world, struct sim_call *call,
                     struct sim_answer *answer);
/* Points world->doc elsewhere for a read, where the plan says so; returns what is to be released
 * when the request is served (or NULL). Wants the world's lock. */
struct json_object *sim_plan_view(const struct sim_plan *plan, struct sim_world *world,
                                  const struct sim_call *call);
/* Spoils an answer that is otherwise right. Returns how many bytes of the body may be sent before
 * the connection is cut, or -1 for all. */
long sim_plan_spoil(const struct sim_plan *plan, struct sim_answer *answer);

#endif
