/*
 * What the actions of EC2 share: finding things by id, filters, pages, and the action tables.
 */
#ifndef SIM_AWS_EC2_H
#define SIM_AWS_EC2_H

#include "aws.h"
#include "sim_net.h"

/* Answers with the inside of the response element. */
typedef int aws_ec2_fn(struct aws_call *call, struct sim_buf *out, struct aws_error *err);

enum aws_ec2_flags {
    AWS_READS = 0,
    AWS_CHANGES = 1
};

struct aws_ec2_action {
    const char *name;
    aws_ec2_fn *serve;
    unsigned flags;
    /* The parameters it takes: words, N for a number, '!' before one that is required. */
    const char *params;
    /* What the policy is asked about: words PARAM:type, "" for '*'. */
    const char *resources;
};

/* A table of actions; ends in a row without a name. */
extern const struct aws_ec2_action aws_ec2_route_actions[], aws_ec2_table_actions[],
    aws_ec2_address_actions[], aws_ec2_eni_actions[], aws_ec2_attach_actions[],
    aws_ec2_ip_actions[], aws_ec2_instance_actions[], aws_ec2_vpc_actions[], aws_ec2_misc_actions[],
    aws_ec2_group_actions[];

/* Sorts of objects: where they are kept, what they are called. */
enum aws_kind {
    AWS_ROUTE_TABLE,
    AWS_ENI,
    AWS_INSTANCE,
    AWS_ADDRESS,
    AWS_VPC,
    AWS_SUBNET,
    AWS_GATEWAY,
    AWS_GROUP,
    AWS_KINDS
};

struct aws_kind_info {
    const char *array;    /* member of the world's part */
    const char *id_key;   /* member of the object */
    const char *prefix;   /* of its ids */
    const char *code;     /* Invalid….NotFound is this and ".NotFound" */
    const char *noun;     /* "The <noun> '…' does not exist" */
    const char *arn_type; /* route-table, network-interface, … */
};

extern const struct aws_kind_info aws_kinds[AWS_KINDS];

struct json_object *aws_all(const struct json_object *aws, enum aws_kind kind);
/* NULL if there is none; no error. */
struct json_object *aws_find(const struct json_object *aws, enum aws_kind kind, const char *id);
/* By id, with the documented errors for a malformed or unknown one; NULL and err. */
struct json_object *aws_need(const struct aws_call *call, enum aws_kind kind, const char *id,
                             struct aws_error *err);
/* By the id in the parameter, which must be there. */
struct json_object *aws_need_param(const struct aws_call *call, enum aws_kind kind,
                                   const char *param, struct aws_error *err);
bool aws_id_well_formed(const char *id, const char *prefix);
/* Whose is the id, going by its prefix? AWS_KINDS if nobody's. */
enum aws_kind aws_kind_of(const char *id);

/* ---- filters and pages ----------------------------------------------------------------------- */

#define AWS_FILTER_VALUES_MAX 200 /* EC2 User Guide, "Filter your resources" */

/* One filter; the values of an object are offered to it one after another. */
struct aws_filter_test {
    const char *name;
    const char *patterns[AWS_FILTER_VALUES_MAX];
    size_t count;
    bool hit;
};

void aws_offer(struct aws_filter_test *test, const char *value);
void aws_offer_bool(struct aws_filter_test *test, bool value);

/* Offers the values of the filter `test->name`; false if it is not a filter of these objects.
 * Called with object NULL it only says whether the name is known. */
typedef bool aws_values_fn(const struct aws_call *call, struct json_object *object,
                           struct aws_filter_test *test);
typedef void aws_item_fn(const struct aws_call *call, struct sim_buf *out,
                         struct json_object *object);

struct aws_list {
    enum aws_kind kind;
    const char *set; /* element around the items */
    const char *ids; /* parameter with the wanted ids, "RouteTableId" */
    aws_values_fn *values;
    aws_item_fn *item;           /* the inside of one <item> */
    unsigned page_min, page_max; /* MaxResults; 0: not paginated */
};

/* A whole Describe of objects of one kind: ids, filters, page, items. */
int aws_describe(struct aws_call *call, const struct aws_list *list, struct sim_buf *out,
                 struct aws_error *err);
/* All filters of the request, which must be known; owned array, *ret_count long. */
int aws_filters_read(const struct aws_call *call, aws_values_fn *values,
                     struct aws_filter_test **ret_tests, size_t *ret_count, struct aws_error *err);
bool aws_filters_pass(const struct aws_call *call, struct json_object *object,
                      aws_values_fn *values, struct aws_filter_test *tests, size_t count);
/* tag:KEY, tag-key, tag-value; false if it is none of these. */
bool aws_offer_tags(const struct json_object *object, struct aws_filter_test *test);

/* ---- shared between the files of EC2 --------------------------------------------------------- */

/* Applies TagSpecification.N to a new object. */
void aws_tag_new(const struct aws_call *call, struct json_object *object);
/* The end of an action without a result of its own. */
void aws_return_true(struct sim_buf *out);

/* SecurityGroupId.N, an array of ids; NULL and err for one that does not exist or is of another VPC
 * (of a world without security groups nothing is known, and any id passes). */
struct json_object *aws_groups_read(const struct aws_call *call, const char *vpc_id,
                                    struct aws_error *err);
/* The id that a request with this ClientToken made before, or NULL; -1: with other parameters. */
int aws_token_find(const struct aws_call *call, const char **ret_id, struct aws_error *err);
void aws_token_keep(const struct aws_call *call, const char *id);

/* The interface's attachment, NULL if it has none. */
struct json_object *aws_eni_attachment(const struct json_object *eni);
const char *aws_eni_primary(const struct json_object *eni);
bool aws_eni_has_ip(const struct json_object *eni, const char *ip);
const char *aws_eni_vpc(const struct json_object *aws, const struct json_object *eni);
const char *aws_eni_zone(const struct json_object *aws, const struct json_object *eni);
const char *aws_eni_status(const struct json_object *eni);
/* The only interface of an instance; NULL and *ret_count otherwise. */
struct json_object *aws_instance_eni(const struct json_object *aws, const char *instance_id,
                                     size_t *ret_count);
struct json_object *aws_instance_device(const struct json_object *aws, const char *instance_id,
                                        int64_t device_index);
/* The elastic address on a private one; NULL if none. */
struct json_object *aws_address_on(const struct json_object *aws, const char *eni_id,
                                   const char *private_ip);
void aws_address_unlink(struct json_object *address);
void aws_address_link(struct sim_world *world, struct json_object *address,
                      const struct json_object *eni, const char *private_ip);
void aws_eni_item(const struct aws_call *call, struct sim_buf *out, struct json_object *eni);
/* New interface in the world. */
struct json_object *aws_eni_new(struct sim_world *world, struct json_object *aws,
                                const struct json_object *subnet, const char *private_ip);
void aws_eni_attach(struct sim_world *world, struct json_object *eni, const char *instance_id,
                    int64_t device_index, const char *status);
void aws_eni_remove(struct json_object *aws, struct json_object *eni);
/* The interface that has the private address in that subnet's VPC; NULL if none. */
struct json_object *aws_ip_holder(const struct json_object *aws, const char *vpc_id,
                                  const char *ip);
/* Adds to and takes from private_ips or ipv6. An elastic address goes with `to`, or is unlinked
 * when it is NULL. */
void aws_ip_move(struct json_object *aws, struct json_object *from, struct json_object *to,
                 const char *ip);
/* Sets the state, and ends the instance's interfaces when it is terminated. */
void aws_instance_set_state(struct json_object *aws, struct json_object *instance,
                            const char *state);
/* The configured delay of a pending state. */
int64_t aws_delay_ms(const struct sim_world *world, const char *what);
/* Runs {"op": op, "id": id, …} after the delay, at once if there is none. */
void aws_later(struct sim_world *world, const char *op, const char *id, const char *state,
               const char *what);
void aws_route_table_item(const struct aws_call *call, struct sim_buf *out,
                          struct json_object *table);
/* active or blackhole. */
const char *aws_route_state(const struct json_object *aws, const struct json_object *route);
struct json_object *aws_route_find(struct json_object *table, const char *destination);

#endif
