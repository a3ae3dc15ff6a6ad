/*
 * The AWS half: EC2's Query API (2016-11-15), STS (2011-06-15) and the instance metadata service.
 * Names and texts are those of the public API references; where AWS documents no text, ours says
 * the same in the same tone.
 */
#ifndef SIM_AWS_H
#define SIM_AWS_H

#include "sim_http.h"
#include "sim_path.h"

#define AWS_EC2_VERSION "2016-11-15"
#define AWS_STS_VERSION "2011-06-15"
#define AWS_EC2_XMLNS   "http://ec2.amazonaws.com/doc/" AWS_EC2_VERSION "/"
#define AWS_STS_XMLNS   "https://sts.amazonaws.com/doc/" AWS_STS_VERSION "/"

#define AWS_ID_MAX 64 /* bytes with the NUL; eni-attach- and 17 digits are 29 */

/* An error as the API tells it. */
struct aws_error {
    int status;
    char code[80];
    char message[512];
};

/* Who signed. The JSON parts are borrowed from the world and valid while its lock is held. */
struct aws_identity {
    struct json_object *credential; /* NULL: unsigned */
    struct json_object *policy;     /* NULL: everything is allowed */
    char arn[256];
    char account[16];
    char user_id[160];
};

/* One API request while it is served. */
struct aws_call {
    struct sim_world *world;
    struct json_object *aws; /* this cloud's part of the document that is served */
    struct sim_call *sim;
    const struct sim_params *params;
    struct aws_identity who;
    const char *service; /* ec2 or sts */
    const char *region, *account, *partition;
    int64_t now_ms;
};

/* ---- errors ---------------------------------------------------------------------------------- */

/* Fills the error in; always -1, so that a function can return it. */
__attribute__((format(printf, 4, 5))) int aws_fail(struct aws_error *err, int status,
                                                   const char *code, const char *format, ...);
int aws_fail_value(struct aws_error *err, const char *param, const char *value);

/* ---- parameters ------------------------------------------------------------------------------ */

/* NULL if absent. */
const char *aws_param(const struct aws_call *call, const char *name);
bool aws_param_true(const struct aws_call *call, const char *name);
/* The value of NAME.i (i from 1), NULL past the end. */
const char *aws_param_at(const struct aws_call *call, const char *name, size_t i);
bool aws_param_has(const struct aws_call *call, const char *name, const char *value);

/* Unknown parameters, then missing ones (words that begin with '!'). */
int aws_params_check(const struct aws_call *call, const char *spec, struct aws_error *err);

/* ---- XML ------------------------------------------------------------------------------------- */

void aws_xml_text(struct sim_buf *out, const char *name, const char *value);    /* escaped */
void aws_xml_text_if(struct sim_buf *out, const char *name, const char *value); /* not if empty */
void aws_xml_bool(struct sim_buf *out, const char *name, bool value);
void aws_xml_int(struct sim_buf *out, const char *name, int64_t value);
void aws_xml_open(struct sim_buf *out, const char *name);
void aws_xml_close(struct sim_buf *out, const char *name);
/* tagSet, empty if there are no tags. */
void aws_xml_tags(struct sim_buf *out, const struct json_object *object);

/* ---- the parts ------------------------------------------------------------------------------- */

/* Checks a world's part and fills in defaults. */
int aws_world_check(struct json_object *aws, struct sim_error *err);
int aws_event(struct sim_world *world, const struct json_object *event, struct sim_error *err);

/* Signature Version 4: fills call->who. An unsigned request is an error of its own. */
int aws_sigv4_check(struct aws_call *call, struct aws_error *err);
/* The access key id a request claims, "" if none; and the service of its scope. */
void aws_sigv4_claim(const struct sim_request *request, const struct sim_params *params,
                     char *ret_key, size_t key_size, char *ret_service, size_t service_size);

/* May call->who do `service:action` on the resource? Conditions look at the resource's object. */
bool aws_iam_allows(const struct aws_call *call, const char *action, const char *resource_arn,
                    const struct json_object *resource);
int aws_iam_check_policy(const struct json_object *policy, struct sim_error *err);

int aws_ec2_serve(struct aws_call *call, struct sim_buf *out, struct aws_error *err);
int aws_sts_serve(struct aws_call *call, struct sim_buf *out, struct aws_error *err);
void aws_imds_serve(struct sim_world *world, struct sim_call *call, struct sim_answer *answer);

/* New temporary credentials, put into the world; borrowed. `from` may be NULL. */
struct json_object *aws_credentials_issue(struct sim_world *world, const char *role,
                                          const char *session, const char *node, int64_t ttl_s,
                                          const struct json_object *from);
struct json_object *aws_role_find(struct json_object *aws, const char *name);
void aws_role_arn(const struct json_object *aws, const struct json_object *role, char *ret_arn,
                  size_t size);
void aws_paths(const struct json_object *aws, struct sim_paths *paths);
bool aws_expired(const struct json_object *credential, int64_t now_ms);

#endif
