/* kit/cloud/cloud.h - what a provider and a mover are.
 *
 * Everything the kit does is moving *bindings* of an address to a *holder*: a route entry, an
 * association, an attachment.  A scenario on a cloud is one mover: three functions and its tables.
 */
#ifndef KIT_CLOUD_CLOUD_H
#define KIT_CLOUD_CLOUD_H

#include <stdbool.h>
#include <stddef.h>

#include "kit/base/buf.h"
#include "kit/base/clock.h"
#include "kit/base/err.h"
#include "kit/cloud/call.h"
#include "kit/conf/schema.h"

#define KIT_ID 64 /* bytes of an id of the cloud, with the NUL; longer ones are refused */

/* ---- facts: what the cloud says -------------------------------------------------------------- */

enum kit_binding_state {
    KIT_BINDING_HELD,      /* bound to `holder`, and works */
    KIT_BINDING_BLACKHOLE, /* bound, but its target is gone: serves nobody */
    KIT_BINDING_FREE,      /* exists, bound to nobody */
    KIT_BINDING_ABSENT,    /* does not exist, and may be created (create_route) */
    KIT_BINDING_MISSING,   /* does not exist, and must be made by a person */
    KIT_BINDING_FOREIGN,   /* bound to something that is no node: never taken */
};

/* What the guest needs for an address that the cloud puts on its interface as it is.  addr.family
 * 0: nothing, or not read. */
struct kit_guest {
    struct kit_addr addr, gateway;
    uint8_t prefix_len;
};

struct kit_binding {
    char place[KIT_ID]; /* what is bound: "rtb-0a1", "eipalloc-0b2" */
    enum kit_binding_state state;
    char holder[KIT_ID]; /* "eni-0c3"; "" = nobody */
    char node[KIT_ID];   /* the instance behind the holder, "" = not known */
    char handle[KIT_ID]; /* what a release needs: an association id */
    char detail[KIT_ID]; /* the private address it maps to, "" = does not apply */
    struct kit_guest guest;
    bool mine;  /* held by our holder: ours to release */
    bool right; /* mine, working, and as configured in every detail */
};

/* Something that must be so on our holder before traffic can pass, but says nothing about where the
 * address is: the source/destination check. */
struct kit_need {
    char place[KIT_ID];     /* "eni-0c3" */
    char what[32];          /* "source/dest check" */
    char now[16], then[16]; /* "on" -> "off" */
};

enum kit_rule_level {
    KIT_RULE_REFUSE, /* a claim that broke it would fail, perhaps halfway: restore refuses first */
    KIT_RULE_WARN,   /* it works, and something else may not: told by plan, never refused */
};
enum kit_rule_answer {
    KIT_RULE_HOLDS,
    KIT_RULE_BROKEN,
    KIT_RULE_NOT_KNOWN, /* it does not apply, or what it asks about was not read: `detail` is "",
                         * or says what kept us from reading it */
};

/* A precondition by its number in the manual: what it means and what to do. */
struct kit_rule {
    unsigned number;
    enum kit_rule_level level;
    const char *means, *remedy;
    /* Pure: judges what the mover found out (`evidence` is a type of its own) and says what it saw:
     * "eni-1 is in zone b, the instance in zone a". */
    enum kit_rule_answer (*check)(const void *evidence, struct kit_buf *detail);
};

static inline enum kit_rule_answer kit_rule_broken_if(bool broken)
{
    return broken ? KIT_RULE_BROKEN : KIT_RULE_HOLDS;
}

/* A rule that does not hold. */
struct kit_breach {
    const struct kit_rule *rule;
    char detail[320]; /* what was seen, one line; cut where it is longer */
};

/* What its owner wrote beside an object of the cloud: a choice may be made by it, nothing else is.
 */
struct kit_tag {
    char place[KIT_ID]; /* the binding's, or that of a place without one */
    char *key, *value;  /* owned */
};

#define KIT_NEEDS    4
#define KIT_BREACHES 12
struct kit_facts {
    char me[KIT_ID];             /* the holder that shall have the address: our ENI */
    char my_node[KIT_ID];        /* "" = not known */
    char my_mac[18];             /* of our ENI, lower case; "" = not read */
    struct kit_binding *binding; /* owned */
    size_t count;
    struct kit_need need[KIT_NEEDS];
    size_t needs;
    struct kit_breach breach[KIT_BREACHES]; /* the first so many; for claims only */
    size_t breaches;
    struct kit_breach unknown[KIT_BREACHES]; /* rules that could not be checked, and why */
    size_t unknowns;
    struct kit_tag *tag; /* owned; only where they were asked for (kit_query.with_tags) */
    size_t tags;
};
void kit_facts_done(struct kit_facts *facts);
void kit_facts_add_tag(struct kit_facts *facts, const char *place, const char *key,
                       const char *value); /* copies */
struct kit_binding *kit_facts_add(
    struct kit_facts *facts); /* a zeroed one; valid until the next add */
/* The binding of a place, or NULL. */
const struct kit_binding *kit_facts_find(const struct kit_facts *facts, const char *place);

/* ---- a mover's three functions --------------------------------------------------------------- */

struct kit_cloud; /* one session with a provider: credentials, region, endpoints */

/* One resource to be located; several go together so that one describe call can serve them all. */
struct kit_query {
    const struct kit_settings *settings;
    bool for_claim;         /* also read what a claim needs to know (facts.need, absent places) */
    bool for_advice;        /* with for_claim: also read what only warnings need, at the cost of
                             * further calls: plan, not restore */
    bool with_tags;         /* the tags of places too, where they come without a further call */
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
    const char *action; /* "ec2:ReplaceRoute" */
    const char
        *resource; /* kinds of the provider's kit_policy_form: "elastic-ip, network-interface",
                    * each of which is asked about; "*": no single objects */
    const char *why;
    enum kit_param only_with; /* needed only when this has a value of `when`; KIT_PARAM_NONE:
                               * always */
    const char *when;         /* "cut-through|multi"; of an address "ipv4" or "ipv6"; "*": any; "":
                               * none is set */
    bool advice_only; /* only plan's warnings need it: without it a rule is not known, and no action
                       * fails */
};
#define KIT_ALWAYS                    KIT_PARAM_NONE, NULL, false
#define KIT_WHEN(param, words)        (param), (words), false
#define KIT_ADVICE                    KIT_PARAM_NONE, NULL, true
#define KIT_ADVICE_WHEN(param, words) (param), (words), true
/* Is it needed with these settings?  (Whether for advice or not.) */
bool kit_permission_applies(const struct kit_permission *permission,
                            const struct kit_settings *settings);

/* A list of KIT_BREACHES, and how many are in it; what does not fit is left out. */
struct kit_rule_list {
    struct kit_breach *breach;
    size_t *count;
};
/* Judges the rules in order: adds what is broken, and what could not be checked and why. */
void kit_rules_judge(const struct kit_rule *rules, size_t count, const void *evidence,
                     struct kit_rule_list broken, struct kit_rule_list unknown);
/* The same, into the facts. */
void kit_rules_check(const struct kit_rule *rules, size_t count, const void *evidence,
                     struct kit_facts *facts);
/* -1 with `kind` and the number of the first broken rule that refuses; 0: none does. */
int kit_rules_refuse(const struct kit_breach breach[], size_t count, enum kit_err_kind kind,
                     struct kit_err *err) KIT_CHECKED;

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
     * release in the cloud: what is on this host (havip) is kit/vip/local.h's. */
    int (*release)(struct kit_cloud *cloud, const struct kit_settings *settings,
                   const struct kit_facts *facts, struct kit_step step[], size_t count,
                   struct kit_deadline by, struct kit_err *err);
};

/* ---- providers ------------------------------------------------------------------------------- */

struct kit_nic;
struct kit_op;
struct kit_policy_form;
struct kit_egress;

struct kit_provider {
    const char *name;
    const char *ca_env; /* environment variable that names a file of certificates, or NULL */
    const struct kit_op *const *ops;      /* kit/cloud/ops.h; NULL-terminated, or NULL: none */
    const struct kit_egress *egress;      /* kit/cloud/egress.h */
    const struct kit_policy_form *policy; /* kit/cloud/policy.h */
    bool (*is_host)(void);                /* DMI says that this host runs there */
    /* Does its metadata service answer?  One request, capped at the connect timeout. */
    bool (*answers)(const struct kit_settings *settings, struct kit_caller *caller,
                    struct kit_deadline by);
    /* No network yet: that happens when something is first asked for.  `settings` and `caller` are
     * borrowed for the session's life. */
    int (*open)(const struct kit_settings *settings, struct kit_caller *caller,
                struct kit_cloud **ret_cloud, struct kit_err *err);
    void (*close)(struct kit_cloud *cloud);
    /* What the metadata service says of the interface with this MAC (kit/cloud/nic.h).  Reads only;
     * no API call, no credentials.  KIT_ERR_NOT_FOUND: it knows no such interface. */
    int (*nic)(struct kit_cloud *cloud, const char *mac, struct kit_deadline by,
               struct kit_nic *ret_nic, struct kit_err *err);
};

/* Sessions begin with this. */
struct kit_cloud {
    const struct kit_provider *provider;
    struct kit_caller *caller;
};

#endif
