/* The Alibaba half as the server sees it: what a request is, who answers it, and errors in its
 * words. */
#include <stdio.h>
#include <string.h>
#include "ali.h"
#include "sim_clouds.h"

static const struct {
    const char *version, *kind;
} products[] = {{"2016-04-28", "vpc"}, {"2014-05-26", "ecs"}, {"2015-04-01", "sts"}};

/* The instance whose role signed with that key, "" if none. */
static const char *node_of(const struct json_object *ali, const char *key)
{
    return sim_json_str(sim_json_find(sim_json_array(ali, "credentials"), "access_key_id", key),
                        "node");
}

static bool classify_node(const struct json_object *ali, const struct sim_request *request,
                          const char *node, struct sim_call *call)
{
    snprintf(call->kind, sizeof(call->kind), "imds");
    snprintf(call->action, sizeof(call->action), "%s %s", request->method,
             request->path + (*request->path == '/'));
    snprintf(call->node, sizeof(call->node), "%s", node);
    return ali_find(ali, ALI_INSTANCE, node);
}

static bool is_form(const struct sim_request *request)
{
    const char *type = sim_request_header(request, "content-type");

    return type && !strncasecmp(type, "application/x-www-form-urlencoded", 33);
}

/* Which product's version is it? NULL if none of ours. */
static const char *kind_of(const char *version)
{
    for (size_t i = 0; version && i < sizeof(products) / sizeof(products[0]); i++)
        if (!strcmp(products[i].version, version))
            return products[i].kind;
    return NULL;
}

static bool classify(struct sim_world *world, const struct sim_request *request, const char *node,
                     struct sim_call *call)
{
    const struct json_object *ali = sim_json_get(world->live, "aliyun");
    const char *action = sim_request_header(request, "x-acs-action");
    const char *version = sim_request_header(request, "x-acs-version"), *kind;

    if (node)
        return classify_node(ali, request, node, call);
    if (strcmp(request->path, "/") ||
        sim_params_parse(&call->params, request->query, strlen(request->query)) ||
        (is_form(request) && sim_params_parse(&call->params, request->body, request->body_len)))
        goto others;
    if (!action)
        action = sim_params_get(&call->params, "Action");
    if (!version)
        version = sim_params_get(&call->params, "Version");
    kind = kind_of(version);
    if (!kind && !sim_request_header(request, "x-acs-action") && sim_json_get(world->live, "aws"))
        goto others;
    snprintf(call->kind, sizeof(call->kind), "%s", kind ? kind : "vpc");
    snprintf(call->action, sizeof(call->action), "%s", action ? action : "");
    ali_sign_claim(request, &call->params, call->key, sizeof(call->key));
    snprintf(call->node, sizeof(call->node), "%s", node_of(ali, call->key));
    return true;
others: /* a cloud that is asked next starts afresh */
    sim_params_done(&call->params);
    return false;
}

/* ---- answers --------------------------------------------------------------------------------- */

static void put_json(struct sim_answer *answer, struct json_object *root)
{
    sim_buf_clear(&answer->body);
    sim_buf_str(&answer->body, json_object_to_json_string_ext(
                                   root, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
    sim_answer_type(answer, "application/json;charset=utf-8");
}

static void error_answer(struct sim_call *call, const struct ali_error *err,
                         struct sim_answer *answer)
{
    SIM_AUTO_JSON *root = json_object_new_object();
    char recommend[160];

    snprintf(call->code, sizeof(call->code), "%s", err->code);
    snprintf(call->message, sizeof(call->message), "%s", err->message);
    snprintf(recommend, sizeof(recommend), "https://api.alibabacloud.com/troubleshoot?q=%s",
             err->code);
    sim_json_set_str(root, "RequestId", call->request_id);
    sim_json_set_str(root, "HostId", "127.0.0.1");
    sim_json_set_str(root, "Code", err->code);
    sim_json_set_str(root, "Message", err->message);
    sim_json_set_str(root, "Recommend", recommend);
    answer->status = err->status;
    put_json(answer, root);
}

/* The words for what a fault wants, and for the rest. */
static void word(const struct sim_call *call, const char *what, struct ali_error *ret_err)
{
    bool sts = !strcmp(call->kind, "sts");

    if (!strcmp(what, "throttle"))
        ali_fail(ret_err, 400, "Throttling.User", "Request was denied due to user flow control.");
    else if (!strcmp(what, "task_conflict"))
        ali_fail(ret_err, 400, "TaskConflict",
                 "The operation is too frequent, please wait a moment and try again.");
    else if (!strcmp(what, "expired"))
        ali_fail(ret_err, 400, "InvalidSecurityToken.Expired",
                 "Specified SecurityToken is expired.");
    else if (!strcmp(what, "deny"))
        ali_fail(ret_err, 403, sts ? "NoPermission" : "Forbidden.RAM",
                 sts ? "You are not authorized to do this action. You should be authorized by RAM."
                     : "User not authorized to operate on the specified resource, or this API "
                       "doesn't support RAM.");
    else
        ali_fail(ret_err, 500, "InternalError",
                 "The request processing has failed due to some unknown error.");
}

static void refuse(struct sim_world *world, struct sim_call *call, const char *what, int status,
                   const char *code, const char *message, struct sim_answer *answer)
{
    struct ali_error err = {0};

    (void)world;
    word(call, what, &err);
    if (!strcmp(call->kind, "imds")) {
        answer->status = !strcmp(what, "expired") ? 401
                         : !strcmp(what, "deny")  ? 403
                                                  : (status ? status : 503);
        sim_answer_type(answer, "text/plain");
        sim_buf_clear(&answer->body);
        return;
    }
    if (status)
        err.status = status;
    if (code && *code)
        snprintf(err.code, sizeof(err.code), "%s",
                 strcmp(code, "Unavailable") ? code : "ServiceUnavailable");
    if (message && *message)
        snprintf(err.message, sizeof(err.message), "%s", message);
    error_answer(call, &err, answer);
}

static void serve(struct sim_world *world, struct sim_call *call, struct sim_answer *answer)
{
    struct json_object *ali = sim_json_get(world->doc, "aliyun");
    struct ali_call mine = {
        .world = world,
        .ali = ali,
        .sim = call,
        .params = &call->params,
        .region = sim_json_str(ali, "region_id"),
        .account = sim_json_str(ali, "account_id"),
        .now_ms = sim_world_now_ms(world) + call->skew_ms,
    };
    SIM_AUTO_JSON *root = NULL;
    struct ali_error err;

    if (!strcmp(call->kind, "imds")) {
        ali_imds_serve(world, call, answer);
        return;
    }
    root = ali_serve(&mine, &err);
    if (!root) {
        error_answer(call, &err, answer);
        return;
    }
    sim_json_set_str(root, "RequestId", call->request_id);
    answer->status = 200;
    put_json(answer, root);
}

/* ---- thefts ---------------------------------------------------------------------------------- */

static struct json_object *theft(const char *op, const char *thief_key, const char *thief)
{
    struct json_object *event = json_object_new_object();

    sim_json_set_str(event, "op", op);
    sim_json_set_str(event, thief_key, thief);
    return event;
}

static struct json_object *steal_route(const struct sim_world *world, const struct sim_call *call,
                                       const char *thief)
{
    const char *table = sim_params_get(&call->params, "RouteTableId");
    const char *destination = sim_params_get(&call->params, "DestinationCidrBlock");
    const char *entry = sim_params_get(&call->params, "RouteEntryId");
    struct json_object *event = theft("set_route", "target", thief), *candidate, *route;

    SIM_JSON_EACH(candidate, ali_all(sim_json_get(world->live, "aliyun"), ALI_TABLE))
    {
        route = sim_json_find(sim_json_array(candidate, "routes"), "route_entry_id",
                              entry ? entry : "");
        if (route) {
            table = sim_json_str(candidate, "route_table_id");
            destination = sim_json_str(route, "destination");
        }
    }
    sim_json_set_str(event, "table", table ? table : "");
    sim_json_set_str(event, "destination", destination ? destination : "");
    return event;
}

static struct json_object *steal(const struct sim_world *world, const struct sim_call *call,
                                 const char *thief)
{
    const char *eip = sim_params_get(&call->params, "AllocationId");
    const char *eni = sim_params_get(&call->params, "NetworkInterfaceId");
    const char *ip = sim_params_get(&call->params, "PrivateIpAddress.1");
    struct json_object *event;

    if (!strcmp(call->action, "ModifyRouteEntry") || !strcmp(call->action, "CreateRouteEntry"))
        return steal_route(world, call, thief);
    if (!strcmp(call->action, "AssociateEipAddress") && eip) {
        event = theft("associate", "target", thief);
        sim_json_set_str(event, "allocation_id", eip);
        return event;
    }
    if (!strcmp(call->action, "AssignPrivateIpAddresses") && ip) {
        event = theft("assign_ip", "eni", thief);
        sim_json_set_str(event, "ip", ip);
        return event;
    }
    if (!strcmp(call->action, "AttachNetworkInterface") && eni) {
        event = theft("attach_eni", "instance", thief);
        sim_json_set_str(event, "eni", eni);
        return event;
    }
    return NULL;
}

static void refresh(struct json_object *ali)
{
    (void)ali; /* everything that is shown is kept */
}

const struct sim_cloud sim_aliyun = {
    .name = "aliyun",
    .retry_after_ms = "x-acs-retry-after",
    .check = ali_world_check,
    .classify = classify,
    .serve = serve,
    .refuse = refuse,
    .event = ali_event,
    .steal = steal,
    .refresh = refresh,
    .paths = ali_paths,
};
