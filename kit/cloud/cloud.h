/* kit/cloud/cloud.h - what a provider and a mover are.
 *
 * Everything the kit does is moving *bindings* of an address to a *holder*: a route entry, an
 * association, an attachment.  A scenario on a cloud is one mover: three functions and its tables.
 */
#ifndef KIT_CLOUD_CLOUD_H
#define KIT_CLOUD_CLOUD_H

#include <stdbool.h>
#include <stddef.h>

#include "kit/base/clock.h"
#include "kit/base/err.h"
#include "kit/cloud/call.h"
#include "kit/conf/schema.h"

#define KIT_ID 64 /* bytes of an id of the cloud, with the NUL; longer ones are refused */

/* ---- facts: what the cloud says ---------------------------------------------------------------
 */

enum kit_binding_state {
    KIT_BINDING_HELD,      /* bound to `holder`, and works */
    KIT_BINDING_BLACKHOLE, /* bound, but its target is gone: serves nobody */
    KIT_BINDING_FREE,      /* exists, bound to nobody */
    KIT_BINDING_ABSENT,    /* does not exist, and may be created (create_route) */
    KIT_BINDING_MISSING,   /* does not exist, and must be made by a person */
    KIT_BINDING_FOREIGN,   /* bound to something that is no node: never taken */
};

struct kit_binding {
    char place[KIT_ID]; /* what is bound: "rtb-0a1", "eipalloc-0b2" */
    enum kit_binding_state state;
    char holder[KIT_ID]; /* "eni-0c3"; "" = nobody */
    char node[KIT_ID];   /* the instance behind the holder, "" = not known */
    char handle[KIT_ID]; /* what a release needs: an association id */
    char detail[KIT_ID]; /* the private address it maps to, "" = does not apply */
    bool mine;           /* held by our holder: ours to release */
    bool right;          /* mine, working, and as configured in every detail */
};

/* Something that must be so on our holder before traffic can pass, but says nothing about where the
 * address is: the source/destination check. */
struct kit_need {
    char place[KIT_ID];     /* "eni-0c3" */
    char what[32];          /* "source/dest check" */
    char now[16], then[16]; /* "on" -> "off" */
    bool fix;               /* restore changes it; otherwise restore refuses */
    unsigned rule;          /* number of the precondition */
};

#define KIT_NEEDS 4
struct kit_facts {
    char me[KIT_ID];             /* the holder that shall have the address: our ENI */
    char my_node[KIT_ID];        /* "" = not known */
    struct kit_binding *binding; /* owned */
    size_t count;
    struct kit_need need[KIT_NEEDS];
    size_t needs;
};
void kit_facts_done(struct kit_facts *facts);
struct kit_binding *kit_facts_add(
    struct kit_facts *facts); /* a zeroed one; valid until the next add */
/* The binding of a place, or NULL. */
const struct kit_binding *kit_facts_find(const struct kit_facts *facts, const char *place);

/* ---- a mover's three functions -----------------------------------------------------------------
 */

struct kit_cloud; /* one session with a provider: credentials, region, endpoints */

/* One resource to be located; several go together so that one describe call can serve them all. */
struct kit_query {
    const struct kit_settings *settings;
    bool for_claim;         /* also read what a claim needs to know (facts.need, absent places) */
    struct kit_facts facts; /* filled unless failed; the asker calls kit_facts_done */
    bool failed;
    struct kit_err err;
};

enum kit_step_result {
    KIT_STEP_PENDING, /* not tried */
    KIT_STEP_DONE,    /* the cloud said yes */
    KIT_STEP_OPEN,    /* sent, answer lost: look before asking again */
    KIT_STEP_FAILED,
};

/* One change.  Made by kit/vip/plan.c from facts alone. */
struct kit_step {
    const struct kit_binding *binding; /* or NULL */
    const struct kit_need *need;       /* or NULL */
    bool release;                      /* off our holder, to nobody */
    enum kit_step_result result;
    struct kit_err err; /* FAILED, OPEN */
};

struct kit_permission {
    const char *action;   /* "ec2:ReplaceRoute" */
    const char *resource; /* "route-table", "*" */
    const char *why;
    enum kit_param
        only_with; /* needed only when this is "yes" or "disable"; KIT_PARAM_NONE = always */
};

/* A precondition by its number in the manual: what it means and what to do. */
struct kit_rule {
    unsigned number;
    const char *means, *remedy;
};

struct kit_mover {
    const char *provider, *scenario;
    const char *moves; /* "the /32 routes of the VPC's route tables" */
    const struct kit_param_use *params;
    size_t params_count;
    const struct kit_permission *permissions;
    size_t permissions_count;
    const struct kit_rule *rules;
    size_t rules_count;
    bool nic_serves; /* the interface must be up for the address to be served (quickCheck, restore)
                      */

    /* Fills every query's facts or error; returns -1 only when nothing could be asked at all (then
     * *err holds for all). All queries share the session.  Reads only. */
    int (*locate)(struct kit_cloud *cloud, struct kit_query query[], size_t count,
                  struct kit_deadline by, struct kit_err *err);
    /* Does the steps, all in flight together where the cloud allows, and puts a result into each.
     * 0 when all are DONE. */
    int (*claim)(struct kit_cloud *cloud, const struct kit_settings *settings,
                 const struct kit_facts *facts, struct kit_step step[], size_t count,
                 struct kit_deadline by, struct kit_err *err);
    /* Takes the given bindings (all `mine`) off our holder; NULL = this scenario has nothing to
     * release. */
    int (*release)(struct kit_cloud *cloud, const struct kit_settings *settings,
                   const struct kit_facts *facts, struct kit_step step[], size_t count,
                   struct kit_deadline by, struct kit_err *err);
};

/* ---- providers ---------------------------------------------------------------------------------
 */

struct kit_provider {
    const char *name;
    const char *ca_env;    /* environment variable that names a file of certificates, or NULL */
    bool (*is_host)(void); /* DMI says that this host runs there */
    /* Does its metadata service answer?  One request, capped at the connect timeout. */
    bool (*answers)(const struct kit_settings *settings, struct kit_caller *caller,
                    struct kit_deadline by);
    /* No network yet: that happens when something is first asked for.  `settings` and `caller` are
     * borrowed for the session's life. */
    int (*open)(const struct kit_settings *settings, struct kit_caller *caller,
                struct kit_cloud **ret_cloud, struct kit_err *err);
    void (*close)(struct kit_cloud *cloud);
};

/* Sessions begin with this. */
struct kit_cloud {
    const struct kit_provider *provider;
    struct kit_caller *caller;
};

#endif
