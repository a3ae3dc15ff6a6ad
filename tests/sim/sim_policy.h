/*
 * The policy language that IAM and RAM share: statements of an effect, actions, resources and
 * conditions.
 */
#ifndef SIM_POLICY_H
#define SIM_POLICY_H

#include "sim_world.h"

/* The value of a condition key for this request; "" if it has none. */
typedef void sim_policy_value_fn(const void *context, const char *key, char *ret_value,
                                 size_t size);

struct sim_policy_question {
    const char *action;   /* ec2:ReplaceRoute; case is not minded */
    const char *resource; /* ARN, or "*" */
    sim_policy_value_fn *value;
    const void *context;
};

/* `keys`: the condition keys that are modelled, words; "KEY/" and '*' for all that begin so. */
int sim_policy_check(const struct json_object *policy, const char *keys, struct sim_error *err);
/* No policy allows everything. */
bool sim_policy_allows(const struct json_object *policy,
                       const struct sim_policy_question *question);

#endif
