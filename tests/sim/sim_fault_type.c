#include "sim_fault_type.h"

#include <stdio.h>
#include <string.h>

static const char proxy_page[] = "<!DOCTYPE html>\n<html><head><title>Gateway</title></head>\n"
                                 "<body><h1>Something is in the way</h1><br>\n</body></html>\n";

static void set_body(struct sim_answer *answer, int status, const char *type, const char *body)
{
    answer->status = status;
    sim_answer_type(answer, type);
    sim_buf_clear(&answer->body);
    sim_buf_str(&answer->body, body);
}

static void refuse_throttle(const struct json_object *options, struct sim_world *world,
                            struct sim_call *call, struct sim_answer *answer)
{
    const char *code = sim_json_str(options, "code");

    call->cloud->refuse(world, call, "throttle", 0, *code ? code : NULL, NULL, answer);
    if (sim_json_get(options, "retry_after_s"))
        sim_answer_header(answer, "Retry-After", "%lld",
                          (long long)sim_json_int(options, "retry_after_s", 0));
    if (sim_json_get(options, "retry_after_s") && call->cloud->retry_after_ms)
        sim_answer_header(answer, call->cloud->retry_after_ms, "%lld",
                          (long long)sim_json_int(options, "retry_after_s", 0) * 1000);
}

static void refuse_task(const struct json_object *options, struct sim_world *world,
                        struct sim_call *call, struct sim_answer *answer)
{
    (void)options;
    call->cloud->refuse(world, call, "task_conflict", 0, NULL, NULL, answer);
}

static void refuse_error(const struct json_object *options, struct sim_world *world,
                         struct sim_call *call, struct sim_answer *answer)
{
    int status = (int)sim_json_int(options, "status", 400);
    const char *type = sim_json_str(options, "content_type");

    if (sim_json_get(options, "body"))
        set_body(answer, status, *type ? type : "text/plain", sim_json_str(options, "body"));
    else
        call->cloud->refuse(world, call, "error", status, sim_json_str(options, "code"),
                            sim_json_str(options, "message"), answer);
}

static void refuse_5xx(const struct json_object *options, int status, const char *code,
                       struct sim_world *world, struct sim_call *call, struct sim_answer *answer)
{
    const char *body = sim_json_str(options, "body");

    if (!strcmp(body, "empty"))
        set_body(answer, status, "text/plain", "");
    else if (!strcmp(body, "html"))
        set_body(answer, status, "text/html", proxy_page);
    else
        call->cloud->refuse(world, call, "error", status, code, "An internal error has occurred",
                            answer);
}

static void refuse_500(const struct json_object *options, struct sim_world *world,
                       struct sim_call *call, struct sim_answer *answer)
{
    refuse_5xx(options, 500, "InternalError", world, call, answer);
}

static void refuse_502(const struct json_object *options, struct sim_world *world,
                       struct sim_call *call, struct sim_answer *answer)
{
    refuse_5xx(options, 502, "BadGateway", world, call, answer);
}

static void refuse_503(const struct json_object *options, struct sim_world *world,
                       struct sim_call *call, struct sim_answer *answer)
{
    refuse_5xx(options, 503, "Unavailable", world, call, answer);
}

static void refuse_html(const struct json_object *options, struct sim_world *world,
                        struct sim_call *call, struct sim_answer *answer)
{
    (void)options, (void)world, (void)call;
    set_body(answer, 200, "text/html", proxy_page);
}

static void refuse_redirect(const struct json_object *options, struct sim_world *world,
                            struct sim_call *call, struct sim_answer *answer)
{
    const char *location = sim_json_str(options, "location");

    (void)world, (void)call;
    set_body(answer, (int)sim_json_int(options, "status", 307), "text/plain", "moved\n");
    sim_answer_header(answer, "Location", "%s", *location ? location : "http://192.0.2.1/");
}

static void refuse_deny(const struct json_object *options, struct sim_world *world,
                        struct sim_call *call, struct sim_answer *answer)
{
    (void)options;
    call->cloud->refuse(world, call, "deny", 0, NULL, NULL, answer);
}

static void refuse_expired(const struct json_object *options, struct sim_world *world,
                           struct sim_call *call, struct sim_answer *answer)
{
    (void)options;
    call->cloud->refuse(world, call, "expired", 0, NULL, NULL, answer);
}

static void refuse_imds(const struct json_object *options, struct sim_world *world,
                        struct sim_call *call, struct sim_answer *answer)
{
    const char *json = sim_json_str(options, "json");

    (void)world, (void)call;
    if (!strcmp(json, "error"))
        set_body(
            answer, 200, "text/plain",
            "{\"Code\": \"AssumeRoleUnauthorizedAccess\", \"Message\": \"EC2 cannot assume the "
            "role. Please see documentation.\", \"LastUpdated\": \"2026-01-01T00:00:00Z\"}\n");
    else if (!strcmp(json, "truncated"))
        set_body(answer, 200, "text/plain", "{\"Code\": \"Success\", \"AccessKeyId\": \"ASIA");
    else if (*json)
        set_body(answer, 200, "text/plain", "this is no JSON {{{\n");
    else
        set_body(answer, (int)sim_json_int(options, "status", 500), "text/plain", "");
}

static long spoil_truncate(const struct json_object *options, struct sim_answer *answer)
{
    size_t bytes = (size_t)sim_json_int(options, "bytes", (int64_t)answer->body.len / 2);

    return (long)(bytes < answer->body.len ? bytes : answer->body.len);
}

static long spoil_malformed(const struct json_object *options, struct sim_answer *answer)
{
    (void)options;
    answer->status = 200;
    if (answer->body.len > 20) {
        answer->body.len -= 20;
        answer->body.data[answer->body.len] = '\0';
    }
    sim_buf_str(&answer->body, "<&");
    return -1;
}

/* The declaration stays in front; the entity stands in the first element, as its first child. */
static long spoil_dtd(const struct json_object *options, struct sim_answer *answer)
{
    SIM_AUTO_BUF out = {0};
    const char *text = sim_buf_text(&answer->body);
    const char *root = strstr(text, "?>");
    const char *inside;

    (void)options;
    root = strchr(root ? root : text, '<');
    inside = root ? strchr(root, '>') : NULL;
    if (!inside)
        return -1;
    sim_buf_str(&out,
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!DOCTYPE r [ <!ENTITY a \"aaaa\"> "
                "<!ENTITY b SYSTEM \"file:///etc/hostname\"> ]>\n");
    sim_buf_add(&out, root, (size_t)(inside + 1 - root));
    sim_buf_str(&out, "<note>&a;&b;</note>");
    sim_buf_str(&out, inside + 1);
    answer->status = 200;
    sim_buf_clear(&answer->body);
    sim_buf_add(&answer->body, out.data, out.len);
    return -1;
}

static long spoil_big(const struct json_object *options, struct sim_answer *answer)
{
    static const char blanks[] =
        "                                                               \n";
    size_t bytes = (size_t)sim_json_int(options, "bytes", 2 * 1024 * 1024);

    answer->status = 200;
    while (answer->body.len < bytes && answer->body.len < SIM_CONTROL_MAX_BYTES)
        sim_buf_add(&answer->body, blanks, sizeof(blanks) - 1);
    return -1;
}

static const struct sim_fault_type types[] = {
    {"throttle", SIM_FATE_REFUSE, false, "retry_after_s code", refuse_throttle, NULL},
    {"task_conflict", SIM_FATE_REFUSE, false, "", refuse_task, NULL},
    {"error", SIM_FATE_REFUSE, false, "status code message body content_type", refuse_error, NULL},
    {"http_500", SIM_FATE_REFUSE, false, "body", refuse_500, NULL},
    {"http_502", SIM_FATE_REFUSE, false, "body", refuse_502, NULL},
    {"http_503", SIM_FATE_REFUSE, false, "body", refuse_503, NULL},
    {"reset", SIM_FATE_RESET, false, "", NULL, NULL},
    {"hang", SIM_FATE_HANG, false, "", NULL, NULL},
    {"lost_answer", SIM_FATE_LOSE, false, "", NULL, NULL},
    {"lost_timeout", SIM_FATE_LOSE_LATE, false, "", NULL, NULL},
    {"latency", SIM_FATE_SERVE, true, "ms where", NULL, NULL},
    {"truncate", SIM_FATE_SERVE, false, "bytes", NULL, spoil_truncate},
    {"malformed", SIM_FATE_SERVE, false, "", NULL, spoil_malformed},
    {"html_200", SIM_FATE_REFUSE, false, "", refuse_html, NULL},
    {"dtd", SIM_FATE_SERVE, false, "", NULL, spoil_dtd},
    {"big_body", SIM_FATE_SERVE, false, "bytes", NULL, spoil_big},
    {"redirect", SIM_FATE_REFUSE, false, "location status", refuse_redirect, NULL},
    {"stale", SIM_FATE_SERVE, false, "ms", NULL, NULL},
    {"not_visible", SIM_FATE_SERVE, false, "id", NULL, NULL},
    {"deny", SIM_FATE_REFUSE, false, "", refuse_deny, NULL},
    {"expired_token", SIM_FATE_REFUSE, false, "", refuse_expired, NULL},
    {"skew", SIM_FATE_SERVE, true, "s", NULL, NULL},
    {"bad_imds", SIM_FATE_REFUSE, false, "status json", refuse_imds, NULL},
    {"op", SIM_FATE_SERVE, true, "event events when", NULL, NULL},
    {"steal", SIM_FATE_SERVE, true, "eni instance delay_ms", NULL, NULL},
    {"slow_drip", SIM_FATE_SERVE, true, "bytes ms", NULL, NULL},
};

const struct sim_fault_type *sim_fault_type_find(const char *name)
{
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
        if (!strcmp(types[i].name, name))
            return &types[i];
    return NULL;
}
