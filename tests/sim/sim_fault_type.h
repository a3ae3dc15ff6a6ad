/*
 * The sorts of faults, and what each does to an answer. README.md has the table.
 */
#ifndef SIM_FAULT_TYPE_H
#define SIM_FAULT_TYPE_H

#include "sim_http.h"

/* Answers without the request being applied. Wants the world's lock. */
typedef void sim_fault_refuse_fn(const struct json_object *options, struct sim_world *world,
                                 struct sim_call *call, struct sim_answer *answer);
/* Spoils a right answer; how much of the body is sent, -1: all. */
typedef long sim_fault_spoil_fn(const struct json_object *options, struct sim_answer *answer);

struct sim_fault_type {
    const char *name;
    enum sim_fate fate;
    bool adds;                   /* does not decide; others may act as well */
    const char *options;         /* the members that `do` may have beside `type`, words */
    sim_fault_refuse_fn *refuse; /* for SIM_FATE_REFUSE */
    sim_fault_spoil_fn *spoil;   /* for SIM_FATE_SERVE */
};

/* NULL if there is none of that name. */
const struct sim_fault_type *sim_fault_type_find(const char *name);

#endif
