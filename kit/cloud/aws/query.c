#include "kit/cloud/aws/query.h"

#include <stdlib.h>
#include <string.h>

#include "kit/base/str.h"
#include "kit/cloud/aws/creds.h"
#include "kit/cloud/aws/sign.h"
#include "kit/fmt/time.h"
#include "kit/fmt/uri.h"

const struct aws_service aws_ec2 = {"ec2", "2016-11-15"};
const struct aws_service aws_sts = {"sts", "2011-06-15"};

/* As botocore sends it; it is part of what is signed. */
#define FORM_TYPE "application/x-www-form-urlencoded; charset=utf-8"

/* An offset below this is a slow network or a lazy clock, and EC2 takes it; aws-sdk-js uses the
 * same figure. */
#define SKEW_MIN_S 240
/* A Date that took longer than this to arrive says nothing (aws-sdk-js). */
#define SKEW_TRIP_MS (900 * 1000)

static struct aws_query *of(struct kit_call *call)
{
    return (struct aws_query *)call; /* its first member */
}

static int encode(struct kit_call *call, struct kit_http_request *req, struct kit_err *err)
{
    struct aws_query *q = of(call);
    const struct aws_sign how = {.creds = q->creds ? q->creds : &q->cloud->creds,
                                 .region = q->cloud->region,
                                 .service = q->service->name,
                                 .now_s = aws_now_s(q->cloud)};

    if (kit_buf_check(&q->form, call->what, err))
        return -1;
    q->signed_skew_s = q->cloud->skew_s;
    (void)kit_str_copy(req->method, sizeof(req->method), "POST");
    (void)kit_buf_puts(&req->url, q->endpoint->url);
    (void)kit_buf_add(&req->body, q->form.data, q->form.len_bytes);
    if (kit_http_request_header(req, "Content-Type", FORM_TYPE, err))
        return -1;
    if (!(q->flags & AWS_UNSIGNED) && aws_sign_request(&how, req, err))
        return kit_err_wrap(err, "%s: sign", call->what);
    return 0;
}

/* The server's clock minus ours; false when its Date cannot be trusted. */
static bool offset_of(const struct aws_query *q, const struct kit_http_response *resp,
                      int64_t *ret_offset_s)
{
    int64_t server_s;

    if (resp->aged || resp->took_ms > SKEW_TRIP_MS || !kit_time_parse_http(resp->date, &server_s))
        return false;
    *ret_offset_s = server_s - kit_clock_wall_ns(q->cloud->base.caller->clock) / KIT_NS_PER_S;
    return true;
}

/* "Correct the clock offset once": true when another try makes sense.  Held against the offset that
 * this try was signed with: a call beside it may have corrected the session's meanwhile. */
static bool correct_skew(struct aws_query *q, const struct kit_http_response *resp)
{
    int64_t offset_s;

    if (q->skew_tried || !offset_of(q, resp, &offset_s) ||
        llabs(offset_s - q->signed_skew_s) < SKEW_MIN_S)
        return false;
    q->skew_tried = true;
    q->cloud->skew_s = offset_s;
    q->cloud->base.caller->stats.skew_s = offset_s;
    return true;
}

/* A proxy's page is not EC2's, even where it is well-formed and comes with 200.  Names of roots are
 * not relied on further: EC2's own documents have some without "Response". */
static bool is_answer(const struct kit_call *call, const struct kit_xml_node *root)
{
    const char *name = kit_xml_name(root);

    return kit_str_starts(name, call->what) ||
           (kit_str_ends(name, "Response") && !kit_str_eq(name, "Response") &&
            !kit_str_eq(name, "ErrorResponse"));
}

static int decode(struct kit_call *call, const struct kit_http_response *resp,
                  struct kit_call_again *ret_again, struct kit_err *err)
{
    struct aws_query *q = of(call);

    ret_again->retry_after_ms = resp->retry_after_ms;
    q->note = AWS_NOTE_NONE;
    if (resp->status == 200) {
        kit_xml_done(&q->xml);
        if (kit_xml_parse(resp->body.data, resp->body.len_bytes, &q->xml, err))
            return kit_err_wrap(err, "%s: HTTP 200 with a body that is not EC2's", call->what);
        if (!is_answer(call, kit_xml_root(&q->xml)))
            return kit_err_set(err, KIT_ERR_PROTOCOL,
                               "%s: HTTP 200 with a body that is not EC2's: <%.40s>", call->what,
                               kit_xml_name(kit_xml_root(&q->xml)));
        if (q->set && !kit_xml_child(kit_xml_root(&q->xml), q->set))
            return kit_err_set(err, KIT_ERR_PROTOCOL,
                               "%s: HTTP 200 with a body that is not EC2's: no <%s>", call->what,
                               q->set);
        return 0;
    }
    (void)aws_error_read(call->what, resp, &q->note, err);
    if (q->note == AWS_NOTE_SKEW && correct_skew(q, resp))
        ret_again->at_once = true;
    else if (q->note == AWS_NOTE_RENEW || q->note == AWS_NOTE_SKEW)
        ret_again->renew = true;
    return -1;
}

static int renew(struct kit_call *call, struct kit_deadline by, struct kit_err *err)
{
    return aws_creds_renew(of(call)->cloud, by, err);
}

void aws_query_init(struct aws_query *q, struct aws_cloud *cloud, const struct aws_service *service,
                    const char *action, unsigned flags)
{
    *q = (struct aws_query){
        .call = {.what = action,
                 .mutates = (flags & AWS_MUTATES) != 0,
                 .encode = encode,
                 .decode = decode,
                 .renew = flags & AWS_UNSIGNED ? NULL : renew},
        .cloud = cloud,
        .service = service,
        .flags = flags,
        .endpoint = service == &aws_sts ? &cloud->sts : &cloud->ec2,
        .form = KIT_BUF_SECRET(KIT_HTTP_REQUEST_BYTES),
    };
    aws_query_param(q, "Action", action);
    aws_query_param(q, "Version", service->version);
}

void aws_query_describe(struct aws_query *q, struct aws_cloud *cloud, const char *action,
                        const char *set)
{
    aws_query_init(q, cloud, &aws_ec2, action, AWS_READS);
    q->set = set;
}

void aws_query_done(struct aws_query *q)
{
    kit_xml_done(&q->xml);
    kit_buf_done(&q->form);
}

void aws_query_param(struct aws_query *q, const char *name, const char *value)
{
    if (q->form.len_bytes)
        (void)kit_buf_putc(&q->form, '&');
    (void)kit_buf_puts(&q->form, name);
    (void)kit_buf_putc(&q->form, '=');
    kit_uri_encode(&q->form, value);
}

void aws_query_filter(struct aws_query *q, const char *name)
{
    char key[32];

    q->filters++;
    (void)kit_str_format(key, sizeof(key), "Filter.%u.Name", q->filters);
    aws_query_param(q, key, name);
}

void aws_query_filter_value(struct aws_query *q, unsigned index_from_1, const char *value)
{
    char key[48];

    (void)kit_str_format(key, sizeof(key), "Filter.%u.Value.%u", q->filters, index_from_1);
    aws_query_param(q, key, value);
}

int aws_query_next(const struct aws_query *q, char token[AWS_TOKEN_BYTES], struct kit_err *err)
{
    const struct kit_xml_node *root = kit_xml_root(&q->xml);
    char next[AWS_TOKEN_BYTES];

    if (!kit_xml_text(root, "nextToken", next, sizeof(next)) && kit_xml_child(root, "nextToken"))
        return kit_err_set(err, KIT_ERR_PROTOCOL, "%s: a nextToken of more than %d bytes",
                           q->call.what, AWS_TOKEN_BYTES - 1);
    if (next[0] && kit_str_eq(next, token))
        return kit_err_set(err, KIT_ERR_PROTOCOL, "%s: the same nextToken twice", q->call.what);
    memcpy(token, next, sizeof(next));
    return 0;
}

int aws_query_run(struct aws_query *q, struct kit_deadline by, struct kit_err *err)
{
    struct kit_call *const call[] = {&q->call};

    if (q->creds)
        q->call.renew = NULL; /* not the cloud's: nothing here can renew them */
    return kit_call_all(q->cloud->base.caller, call, 1, by, err);
}
