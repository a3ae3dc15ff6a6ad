/* The AWS half as the server sees it: what a request is, who answers it, and errors in its words.
 */
#include <stdio.h>
#include <string.h>
#include "aws_ec2.h"
#include "sim_clouds.h"

/* The instance whose role signed with that key, "" if none. */
static const char *node_of(const struct json_object *aws, const char *key)
{
    return sim_json_str(sim_json_find(sim_json_array(aws, "credentials"), "access_key_id", key),
                        "node");
}

static bool is_form(const struct sim_request *request)
{
    const char *type = sim_request_header(request, "content-type");

    return !type || !strncasecmp(type, "application/x-www-form-urlencoded", 33);
}

static bool classify(struct sim_world *world, const struct sim_request *request, const char *node,
                     struct sim_call *call)
{
    const struct json_object *aws = sim_json_get(world->live, "aws");
    const char *action, *version;
    char service[64];

    if (node) {
        snprintf(call->kind, sizeof(call->kind), "imds");
        snprintf(call->action, sizeof(call->action), "%s %s", request->method,
                 request->path + (*request->path == '/'));
        snprintf(call->node, sizeof(call->node), "%s", node);
        return aws_find(aws, AWS_INSTANCE, node);
    }
    if (strcmp(request->path, "/") ||
        sim_params_parse(&call->params, request->query, strlen(request->query)))
        return false;
    if (is_form(request) && sim_params_parse(&call->params, request->body, request->body_len))
        return false;
    action = sim_params_get(&call->params, "Action");
    version = sim_params_get(&call->params, "Version");
    aws_sigv4_claim(request, &call->params, call->key, sizeof(call->key), service, sizeof(service));
    snprintf(call->action, sizeof(call->action), "%s", action ? action : "");
    snprintf(call->kind, sizeof(call->kind), "%s",
             (version && !strcmp(version, AWS_STS_VERSION)) || !strcmp(service, "sts") ? "sts"
                                                                                       : "ec2");
    snprintf(call->node, sizeof(call->node), "%s", node_of(aws, call->key));
    return true;
}

/* ---- answers --------------------------------------------------------------------------------- */

static void error_answer(struct sim_call *call, const struct aws_error *err,
                         struct sim_answer *answer)
{
    struct sim_buf *out = &answer->body;
    bool sts = !strcmp(call->kind, "sts");

    answer->status = err->status;
    sim_answer_type(answer, sts ? "text/xml" : "text/xml;charset=UTF-8");
    snprintf(call->code, sizeof(call->code), "%s", err->code);
    snprintf(call->message, sizeof(call->message), "%s", err->message);
    sim_buf_clear(out);
    if (sts)
        sim_buf_fmt(out, "<ErrorResponse xmlns=\"%s\"><Error><Type>%s</Type>", AWS_STS_XMLNS,
                    err->status < 500 ? "Sender" : "Receiver");
    else
        sim_buf_str(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Response><Errors><Error>");
    aws_xml_text(out, "Code", err->code);
    aws_xml_text(out, "Message", err->message);
    if (sts)
        sim_buf_fmt(out, "</Error><RequestId>%s</RequestId></ErrorResponse>", call->request_id);
    else
        sim_buf_fmt(out, "</Error></Errors><RequestID>%s</RequestID></Response>", call->request_id);
}

static void imds_refusal(int status, struct sim_answer *answer)
{
    answer->status = status;
    sim_answer_type(answer, "text/plain");
    sim_buf_clear(&answer->body);
}

static void refuse(struct sim_world *world, struct sim_call *call, const char *what, int status,
                   const char *code, const char *message, struct sim_answer *answer)
{
    struct aws_error err = {0};
    bool sts = !strcmp(call->kind, "sts");
    char noise[80];

    (void)world;
    if (!strcmp(what, "throttle")) {
        aws_fail(&err, sts ? 400 : 503, sts ? "Throttling" : "RequestLimitExceeded", "%s",
                 sts ? "Rate exceeded" : "Request limit exceeded.");
    } else if (!strcmp(what, "deny")) {
        sim_random_text(noise, sizeof(noise));
        if (sts)
            aws_fail(&err, 403, "AccessDenied", "User is not authorized to perform: sts:%s",
                     call->action);
        else
            aws_fail(&err, 403, "UnauthorizedOperation",
                     "You are not authorized to perform this operation. Encoded authorization "
                     "failure message: %s",
                     noise);
    } else if (!strcmp(what, "expired")) {
        if (sts)
            aws_fail(&err, 403, "ExpiredToken",
                     "The security token included in the request is expired");
        else
            aws_fail(&err, 400, "RequestExpired", "Request has expired.");
    } else {
        aws_fail(&err, 500, "InternalError", "An internal error has occurred");
    }
    if (!strcmp(call->kind, "imds")) {
        imds_refusal(!strcmp(what, "expired") ? 401
                     : !strcmp(what, "deny")  ? 403
                                              : err.status,
                     answer);
        return;
    }
    if (status)
        err.status = status;
    if (code && *code)
        snprintf(err.code, sizeof(err.code), "%s", code);
    if (message && *message)
        snprintf(err.message, sizeof(err.message), "%s", message);
    error_answer(call, &err, answer);
    sim_answer_header(answer, "x-amzn-RequestId", "%s", call->request_id);
}

static void serve(struct sim_world *world, struct sim_call *call, struct sim_answer *answer)
{
    struct json_object *aws = sim_json_get(world->doc, "aws");
    struct aws_call mine = {
        .world = world,
        .aws = aws,
        .sim = call,
        .params = &call->params,
        .service = call->kind,
        .region = sim_json_str(aws, "region"),
        .account = sim_json_str(aws, "account"),
        .partition = sim_json_str(aws, "partition"),
        .now_ms = sim_world_now_ms(world) + call->skew_ms,
    };
    struct aws_error err;
    int bad;

    if (!strcmp(call->kind, "imds")) {
        aws_imds_serve(world, call, answer);
        return;
    }
    if (!strcmp(call->kind, "sts"))
        bad = aws_sts_serve(&mine, &answer->body, &err);
    else
        bad = aws_ec2_serve(&mine, &answer->body, &err);
    if (bad) {
        error_answer(call, &err, answer);
    } else {
        answer->status = 200;
        sim_answer_type(answer, !strcmp(call->kind, "sts") ? "text/xml" : "text/xml;charset=UTF-8");
    }
    sim_answer_header(answer, "x-amzn-RequestId", "%s", call->request_id);
}

/* ---- events and derived state ---------------------------------------------------------------- */

static struct json_object *steal(const struct sim_world *world, const struct sim_call *call,
                                 const char *eni)
{
    bool route = !strcmp(call->action, "ReplaceRoute") || !strcmp(call->action, "CreateRoute");
    const char *table = sim_params_get(&call->params, "RouteTableId");
    const char *destination = sim_params_get(&call->params, "DestinationCidrBlock");
    const char *allocation = sim_params_get(&call->params, "AllocationId");
    struct json_object *event;

    (void)world;
    if (!destination)
        destination = sim_params_get(&call->params, "DestinationIpv6CidrBlock");
    if (!(route && table && destination) &&
        !(!strcmp(call->action, "AssociateAddress") && allocation))
        return NULL;
    event = json_object_new_object();
    sim_json_set_str(event, "op", route ? "set_route" : "associate");
    sim_json_set_str(event, "eni", eni);
    if (route) {
        sim_json_set_str(event, "table", table);
        sim_json_set_str(event, "destination", destination);
    } else {
        sim_json_set_str(event, "allocation_id", allocation);
    }
    return event;
}

static void refresh(struct json_object *aws)
{
    struct json_object *table, *route;

    SIM_JSON_EACH(table, aws_all(aws, AWS_ROUTE_TABLE))
    SIM_JSON_EACH(route, sim_json_array(table, "routes"))
    sim_json_set_str(route, "state", aws_route_state(aws, route));
}

const struct sim_cloud sim_aws = {
    .name = "aws",
    .check = aws_world_check,
    .classify = classify,
    .serve = serve,
    .refuse = refuse,
    .event = aws_event,
    .steal = steal,
    .refresh = refresh,
    .paths = aws_paths,
};
