/* kit/cloud/aws/query.h - one call of a Query API (EC2, STS): a form goes out, XML comes back.
 *
 *   struct aws_query q;
 *   aws_query_init(&q, cloud, &aws_ec2, "ReplaceRoute", AWS_MUTATES);
 *   aws_query_param(&q, "RouteTableId", "rtb-1");
 *   if (aws_query_run(&q, by, err)) …
 *   kit_xml_root(&q.xml) …
 *   aws_query_done(&q);
 */
#ifndef KIT_CLOUD_AWS_QUERY_H
#define KIT_CLOUD_AWS_QUERY_H

#include "kit/cloud/aws/aws.h"
#include "kit/cloud/aws/errors.h"
#include "kit/fmt/xml.h"

struct aws_service {
    const char *name;    /* of the signature's scope: "ec2", "sts" */
    const char *version; /* "2016-11-15", "2011-06-15" */
};
extern const struct aws_service aws_ec2, aws_sts;

enum aws_query_flags {
    AWS_READS = 0,
    AWS_MUTATES = 1,  /* see kit/cloud/call.h */
    AWS_UNSIGNED = 2, /* AssumeRoleWithWebIdentity */
};

struct aws_query {
    struct kit_call call; /* first: decode and encode cast back */
    struct aws_cloud *cloud;
    const struct aws_service *service;
    unsigned flags;
    const struct aws_endpoint *endpoint; /* set by init to the cloud's endpoint of the service */
    const struct kit_creds *creds; /* sign with these; NULL = the cloud's, renewed when refused */
    struct kit_buf form;           /* secret: it may hold a web identity token */
    unsigned filters;              /* Filter.N so far */
    const char *set;               /* element that the answer must have: see aws_query_describe */
    struct kit_xml xml;            /* the answer, after success */
    enum aws_error_note note;      /* of the last failure */
    int64_t signed_skew_s;         /* the clock offset that the last try was signed with */
    bool skew_tried;
};

/* The clouds's region, endpoint and credentials are needed by the time the call runs: ec2.c's
 * aws_ec2_ready sees to that. */
void aws_query_init(struct aws_query *q, struct aws_cloud *cloud, const struct aws_service *service,
                    const char *action, unsigned flags);
void aws_query_done(struct aws_query *q);
/* As init, for a Describe: its answer must have the element `set` ("routeTableSet"), empty or not.
 * Without it, it is no answer (KIT_ERR_PROTOCOL), and must not pass for "there are none". */
void aws_query_describe(struct aws_query *q, struct aws_cloud *cloud, const char *action,
                        const char *set);

void aws_query_param(struct aws_query *q, const char *name, const char *value);
/* "Filter.N.Name=name&Filter.N.Value.1=…"; values are added with aws_query_filter_value. */
void aws_query_filter(struct aws_query *q, const char *name);
void aws_query_filter_value(struct aws_query *q, unsigned index_from_1, const char *value);

/* A page's token is opaque, and no document bounds it; what EC2 gives out is some hundred bytes. */
#define AWS_TOKEN_BYTES 8192
/* The answer's nextToken into `token`, which holds the one that was asked with; "": that was the
 * last page.  KIT_ERR_PROTOCOL: it is longer, or the same again. */
int aws_query_next(const struct aws_query *q, char token[AWS_TOKEN_BYTES],
                   struct kit_err *err) KIT_CHECKED;

/* One call on its own; several: kit_call_all with pointers to their `call`. */
int aws_query_run(struct aws_query *q, struct kit_deadline by, struct kit_err *err) KIT_CHECKED;

#endif
