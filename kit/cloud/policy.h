/* kit/cloud/policy.h - the smallest policy under which configured resources can be moved.
 *
 * Made from the movers' tables of permissions and from settings alone: nobody is asked.  What one
 * node's settings alone know (its own interface, its instance) narrows nothing, for the nodes of a
 * cluster share a role, and a policy that fits one node must fit the others.
 *
 *   struct kit_policy policy = {.form = provider->policy};
 *   kit_policy_add_mover(&policy, mover, settings, false);
 *   kit_policy_write(&policy, NULL, &w);
 *   kit_policy_done(&policy);
 */
#ifndef KIT_CLOUD_POLICY_H
#define KIT_CLOUD_POLICY_H

#include "kit/cloud/cloud.h"
#include "kit/fmt/json.h"

/* Texts below hold {partition}, {region}, {account} and {id}; what is not known becomes "*". */
struct kit_policy_scope {
    char partition[16];
    char region[KIT_ID], account[KIT_ID];
};

/* One kind of object, as a provider's policies name it. */
struct kit_policy_kind {
    const char *kind; /* as in struct kit_permission: "route-table"; "*": no single objects */
    const char *arn;
    enum kit_param id;       /* the setting that names it, the same on all nodes; KIT_PARAM_NONE */
    const char *id_scenario; /* it does so in this scenario alone; NULL = in all */
    /* Where that is not set, and this one is: a condition.  NULL: none. */
    enum kit_param narrowed_by;
    const char *test, *key, *value; /* "ArnLike", "ec2:Vpc", "arn:…:vpc/{id}" */
};

struct kit_policy_form {
    const char *name;    /* "IAM" */
    const char *version; /* the member `Version` */
    const struct kit_policy_kind *kind;
    size_t kinds;
    void (*scope)(const struct kit_settings *settings, struct kit_policy_scope *ret_scope);
};

/* One action on one object, for one reason. */
struct kit_policy_need {
    const char *action, *why; /* static */
    const char *tag;          /* of the settings, borrowed */
    char *arn;                /* owned */
    const char *test, *key;   /* static; NULL = no condition */
    char *value;              /* owned */
    bool advice;
};
/* All of them, repeats too, in the order of the actions once it was written or sorted. */
struct kit_policy {
    const struct kit_policy_form *form;
    struct kit_policy_need *need; /* owned */
    size_t count;
};
void kit_policy_done(struct kit_policy *policy);

/* What the mover needs with these settings, which must outlive the policy; with `advice` also what
 * only plan's warnings need. */
void kit_policy_add_mover(struct kit_policy *policy, const struct kit_mover *mover,
                          const struct kit_settings *settings, bool advice);
/* sts:AssumeRole on the role_arn of these settings. */
void kit_policy_add_role(struct kit_policy *policy, const struct kit_settings *settings);

void kit_policy_sort(struct kit_policy *policy);
/* The document: no action twice on one object, and none on an object that a wider one covers.
 * Equal policies are equal bytes.  `key` as with kit_json_open. */
void kit_policy_write(struct kit_policy *policy, const char *key, struct kit_json_writer *w);

#endif
