/*
 * The Alibaba half: the RPC APIs Vpc (2016-04-28), Ecs (2014-05-26) and Sts (2015-04-01), and the
 * metadata service of ECS. Names, states and codes are those of the public API references.
 */
#ifndef SIM_ALI_H
#define SIM_ALI_H

#include "sim_http.h"
#include "sim_net.h"
#include "sim_path.h"

/* An error as the API tells it. */
struct ali_error {
    int status;
    char code[80];
    char message[512];
};

/* Who signed. Borrowed from the world, valid while its lock is held. */
struct ali_identity {
    struct json_object *credential; /* NULL: unsigned */
    struct json_object *policy;     /* NULL: everything is allowed */
    char arn[256];
    char user_id[160];
};

/* One API request while it is served. */
struct ali_call {
    struct sim_world *world;
    struct json_object *ali; /* this cloud's part of the document that is served */
    struct sim_call *sim;
    const struct sim_params *params;
    struct ali_identity who;
    const char *region, *account;
    int64_t now_ms;
    bool dry; /* on a copy of the world that nobody will see: nothing is to be left behind */
};

/* Answers into `out`, the root of the JSON answer. */
typedef int ali_action_fn(struct ali_call *call, struct json_object *out, struct ali_error *err);

enum ali_flags {
    ALI_READS = 0,
    ALI_CHANGES = 1,
    ALI_DRYRUN = 2,   /* has the parameter DryRun */
    ALI_TOKEN = 4,    /* has the parameter ClientToken */
    ALI_UNSIGNED = 8, /* needs no signature */
};

struct ali_action {
    const char *product; /* vpc, ecs, sts */
    const char *name;
    ali_action_fn *serve;
    unsigned flags;
    const char *params;    /* words, N for a number, '!' before one that is required */
    const char *resources; /* what the policy is asked about: words PARAM:type, "" for '*' */
};

/* Tables of actions; each ends in a row without a name. */
extern const struct ali_action ali_route_actions[], ali_eip_actions[], ali_eip_more_actions[],
    ali_havip_actions[], ali_eni_actions[], ali_eni_list_actions[], ali_ip_actions[],
    ali_instance_actions[], ali_vpc_actions[], ali_snat_actions[], ali_sts_actions[];

/* ---- errors and parameters ------------------------------------------------------------------- */

/* Fills the error in; always -1. */
__attribute__((format(printf, 4, 5))) int ali_fail(struct ali_error *err, int status,
                                                   const char *code, const char *format, ...);
/* InvalidParameter.NAME */
int ali_fail_value(struct ali_error *err, const char *param, const char *value);

const char *ali_param(const struct ali_call *call, const char *name); /* NULL if absent */
/* "" if absent */
const char *ali_text(const struct ali_call *call, const char *name);
bool ali_param_true(const struct ali_call *call, const char *name);
/* NAME.i, i from 1; NULL past the end */
const char *ali_param_at(const struct ali_call *call, const char *name, size_t i);
/* Is the value one of the comma list `list`? */
bool ali_in_list(const char *list, const char *value);

/* ---- objects --------------------------------------------------------------------------------- */

enum ali_kind {
    ALI_VPC,
    ALI_VSWITCH,
    ALI_GATEWAY,
    ALI_GROUP,
    ALI_INSTANCE,
    ALI_ENI,
    ALI_EIP,
    ALI_HAVIP,
    ALI_TABLE,
    ALI_NAT,
    ALI_SNAT,
    ALI_KINDS
};

struct ali_kind_info {
    const char *array;  /* member of the world's part */
    const char *id_key; /* member of the object */
    const char *prefix; /* of its ids */
    const char *code;   /* when there is none */
    int status;
    const char *delay;    /* of its states between, a member of delays_ms */
    const char *arn_type; /* vpc:eip */
};

extern const struct ali_kind_info ali_kinds[ALI_KINDS];

struct json_object *ali_all(const struct json_object *ali, enum ali_kind kind);
struct json_object *ali_find(const struct json_object *ali, enum ali_kind kind, const char *id);
/* By the id in the parameter; NULL with the documented error. */
struct json_object *ali_need(const struct ali_call *call, enum ali_kind kind, const char *param,
                             struct ali_error *err);
/* Of any kind, route entries as well; the array it is in may be asked for. */
struct json_object *ali_find_any(const struct json_object *ali, const char *id,
                                 struct json_object **ret_array, const char **ret_delay);

bool ali_is(const struct json_object *object, const char *key, const char *value);
/* Is the object's status a word of `states`? */
bool ali_in_state(const struct json_object *object, const char *states);

/*
 * Puts the object into the state `between`, and ends that after the delay of its kind: then the
 * members of `next` are set in it (null: taken out), or it is gone if `next` is NULL. Whatever else
 * changes the object meanwhile calls ali_settle, and the end will not come. Takes `next`.
 */
void ali_begin(struct ali_call *call, const char *id, const char *between,
               struct json_object *next);
void ali_settle(struct json_object *object);
struct json_object *ali_next(const char *status); /* {"status": status} */
/* The event that ends a state between. */
int ali_finish(struct json_object *ali, const struct json_object *event);

/* A fresh id of that kind. */
void ali_new_id(struct sim_world *world, const char *prefix, char *ret_id, size_t size);
#define ALI_ID_MAX 64

/* ---- lists ----------------------------------------------------------------------------------- */

/* Is the object wanted? */
typedef bool ali_wanted_fn(const struct ali_call *call, const struct json_object *object);
struct ali_list {
    const char *outer, *inner; /* EipAddresses, EipAddress; inner NULL: the array itself */
    unsigned size, size_max;   /* default and most of a page */
    const char *by_token;      /* MaxResults or MaxResult; NULL: by number */
    bool both;                 /* by number where PageNumber or PageSize is given */
};

/* `show` makes what the API shows of an object; owned by the caller. */
int ali_list(struct ali_call *call, struct json_object *all, const struct ali_list *list,
             ali_wanted_fn *wanted,
             struct json_object *(*show)(const struct ali_call *call, struct json_object *object),
             struct json_object *out, struct ali_error *err);

/* {"KEY": [..]} as in VSwitchIds.VSwitchId; copies the texts. */
struct json_object *ali_wrap(const char *inner, struct json_object *texts);
struct json_object *ali_tags(const struct json_object *object, const char *key, const char *value);
/* Is the parameter absent, or the object's member equal to it? */
bool ali_fits(const struct ali_call *call, const char *param, const struct json_object *object,
              const char *key);
/* Is PARAM.1 absent, or the text one of PARAM.N? */
bool ali_fits_any(const struct ali_call *call, const char *param, const char *text);
bool ali_fits_tags(const struct ali_call *call, const struct json_object *object);

/* ---- what the actions share ------------------------------------------------------------------ */

const char *ali_vswitch_vpc(const struct json_object *ali, const char *vswitch_id);
const char *ali_vswitch_zone(const struct json_object *ali, const char *vswitch_id);
const char *ali_eni_primary(const struct json_object *eni);
bool ali_eni_has_ip(const struct json_object *eni, const char *ip);
struct json_object *ali_instance_primary(const struct json_object *ali, const char *instance_id);
/* Who has the private address in that VPC: an interface or an HAVIP; NULL if nobody. */
struct json_object *ali_ip_holder(const struct json_object *ali, const char *vpc_id,
                                  const char *ip);
int ali_ip_usable(const struct ali_call *call, const struct json_object *vswitch, const char *ip,
                  struct ali_error *err);
/* An idle address of the vSwitch; -1 if there is none. */
int ali_ip_pick(const struct json_object *ali, const struct json_object *vswitch, char *ret_ip,
                size_t size);
/* The elastic address on a private one; NULL if none. */
struct json_object *ali_eip_on(const struct json_object *ali, const struct json_object *eni,
                               const char *private_ip);
void ali_eip_link(struct json_object *eip, const char *type, const char *id, const char *private_ip,
                  const char *mode);
void ali_eip_unlink(struct json_object *eip);
void ali_eni_attach(struct json_object *eni, const char *instance_id);
void ali_eni_detach(struct json_object *eni);
void ali_eni_remove(struct json_object *ali, struct json_object *eni);
void ali_instance_set(struct json_object *ali, struct json_object *instance, const char *status);
struct json_object *ali_route_find(const struct json_object *table, const char *destination);
/* Instance, NetworkInterface, HaVip, … by the form of the id. */
const char *ali_hop_type(const char *id);
void ali_havip_unbind(struct json_object *havip, const char *id);
struct json_object *ali_copy_or_null(const struct json_object *object, const char *key);
int64_t ali_type_limit(const struct json_object *ali, const char *instance_type, const char *key);

/* ---- the parts ------------------------------------------------------------------------------- */

int ali_world_check(struct json_object *ali, struct sim_error *err);
int ali_event(struct sim_world *world, const struct json_object *event, struct sim_error *err);
/* Verifies the signature and fills call->who. */
int ali_sign_check(struct ali_call *call, struct ali_error *err);
/* The access key id that a request claims, "" if none. */
void ali_sign_claim(const struct sim_request *request, const struct sim_params *params,
                    char *ret_key, size_t size);
bool ali_ram_allows(const struct ali_call *call, const char *action, const char *resource);
int ali_ram_check(const struct json_object *policy, struct sim_error *err);
void ali_role_arn(const struct json_object *ali, const char *name, char *ret_arn, size_t size);
bool ali_expired(const struct json_object *credential, int64_t now_ms);
struct json_object *ali_credentials_issue(struct sim_world *world, const char *role,
                                          const char *session, const char *node, int64_t ttl_s);
/* Serves one API request; the answer's JSON, or NULL and the error. Owned. */
struct json_object *ali_serve(struct ali_call *call, struct ali_error *err);
void ali_tokens_forget(void);
void ali_paths(const struct json_object *ali, struct sim_paths *paths);
void ali_imds_serve(struct sim_world *world, struct sim_call *call, struct sim_answer *answer);

#endif
