#include "sim_control.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "sim_dataplane.h"

static void fail(struct sim_answer *answer, int status, const char *text)
{
    SIM_AUTO_JSON *object = json_object_new_object();

    sim_json_set_str(object, "error", text);
    answer->status = status;
    sim_buf_clear(&answer->body);
    sim_buf_fmt(&answer->body, "%s\n",
                json_object_to_json_string_ext(object, JSON_C_TO_STRING_NOSLASHESCAPE));
}

static struct json_object *body_json(const struct sim_request *request)
{
    struct json_tokener *tokener = json_tokener_new();
    struct json_object *tree =
        tokener ? json_tokener_parse_ex(tokener, request->body, (int)request->body_len) : NULL;

    json_tokener_free(tokener);
    return tree;
}

static void show_state(struct sim_server *server, const struct sim_request *request,
                       struct sim_answer *answer)
{
    (void)request;
    sim_world_show(&server->world, &answer->body);
}

static void put_world(struct sim_server *server, const struct sim_request *request,
                      struct sim_answer *answer)
{
    struct sim_error err = {.text = "the body is not JSON"};
    struct json_object *doc = body_json(request);

    if (!doc || sim_world_replace(&server->world, doc, &err))
        fail(answer, 400, err.text);
    else
        sim_buf_str(&answer->body, "{}\n");
}

static void show_log(struct sim_server *server, const struct sim_request *request,
                     struct sim_answer *answer)
{
    (void)request;
    sim_log_show(&server->log, &answer->body);
}

static void clear_log(struct sim_server *server, const struct sim_request *request,
                      struct sim_answer *answer)
{
    (void)request;
    sim_log_clear(&server->log);
    sim_buf_str(&answer->body, "{}\n");
}

static void show_summary(struct sim_server *server, const struct sim_request *request,
                         struct sim_answer *answer)
{
    (void)request;
    sim_log_summary(&server->log, &answer->body);
}

static void show_faults(struct sim_server *server, const struct sim_request *request,
                        struct sim_answer *answer)
{
    (void)request;
    sim_faults_show(&server->faults, &answer->body);
}

/* The world keeps a copy from before its last change only while somebody wants it. */
static void note_wishes(struct sim_server *server)
{
    bool want = sim_faults_want_previous(&server->faults);

    pthread_mutex_lock(&server->world.lock);
    server->world.keep_previous = want;
    pthread_mutex_unlock(&server->world.lock);
}

static void take_faults(struct sim_server *server, const struct sim_request *request, bool replace,
                        struct sim_answer *answer)
{
    struct sim_error err = {.text = "the body is not a JSON object or array"};
    SIM_AUTO_JSON *spec = body_json(request);

    if ((!json_object_is_type(spec, json_type_object) &&
         !json_object_is_type(spec, json_type_array)) ||
        sim_faults_add(&server->faults, spec, replace, &err)) {
        fail(answer, 400, err.text);
        return;
    }
    note_wishes(server);
    sim_buf_str(&answer->body, "{}\n");
}

static void put_faults(struct sim_server *server, const struct sim_request *request,
                       struct sim_answer *answer)
{
    take_faults(server, request, true, answer);
}

static void post_faults(struct sim_server *server, const struct sim_request *request,
                        struct sim_answer *answer)
{
    take_faults(server, request, false, answer);
}

static void clear_faults(struct sim_server *server, const struct sim_request *request,
                         struct sim_answer *answer)
{
    (void)request;
    sim_faults_clear(&server->faults);
    note_wishes(server);
    atomic_fetch_add(&server->holds, 1);
    sim_buf_str(&answer->body, "{}\n");
}

static void post_do(struct sim_server *server, const struct sim_request *request,
                    struct sim_answer *answer)
{
    struct sim_error err = {.text = "the body is not a JSON object or array"};
    SIM_AUTO_JSON *body = body_json(request);
    SIM_AUTO_JSON *list = json_object_new_array();
    struct json_object *event;
    int bad = 0;

    if (json_object_is_type(body, json_type_object))
        json_object_array_add(list, json_object_get(body));
    else if (!json_object_is_type(body, json_type_array))
        bad = -1;
    pthread_mutex_lock(&server->world.lock);
    sim_world_settle(&server->world);
    SIM_JSON_EACH(event, sim_json_len(list) ? list : body)
    if (!bad)
        bad = sim_world_event(&server->world, json_object_get(event), 0, &err);
    sim_world_publish(&server->world);
    pthread_mutex_unlock(&server->world.lock);
    if (bad)
        fail(answer, 400, err.text);
    else
        sim_buf_str(&answer->body, "{}\n");
}

static void post_wait(struct sim_server *server, const struct sim_request *request,
                      struct sim_answer *answer)
{
    struct sim_params params = {0};
    const char *requests = NULL, *timeout = NULL;
    size_t want, have;

    if (!sim_params_parse(&params, request->query, strlen(request->query))) {
        requests = sim_params_get(&params, "requests");
        timeout = sim_params_get(&params, "timeout_ms");
    }
    want = requests ? strtoul(requests, NULL, 10) : 0;
    if (!want) {
        fail(answer, 400, "wait?requests=N, N at least 1");
    } else {
        have = sim_log_wait(&server->log, want, timeout ? strtod(timeout, NULL) : 10000);
        answer->status = have >= want ? 200 : 408;
        sim_buf_fmt(&answer->body, "{\"requests\": %zu}\n", have);
    }
    sim_params_done(&params);
}

static void show_clock(struct sim_server *server, const struct sim_request *request,
                       struct sim_answer *answer)
{
    char now[40];
    long long offset_s;

    (void)request;
    pthread_mutex_lock(&server->world.lock);
    sim_time_iso(sim_world_now_ms(&server->world), false, now, sizeof(now));
    offset_s = server->world.offset_ms / 1000;
    pthread_mutex_unlock(&server->world.lock);
    sim_buf_fmt(&answer->body, "{\"now\": \"%s\", \"offset_s\": %lld}\n", now, offset_s);
}

static void show_dataplane(struct sim_server *server, const struct sim_request *request,
                           struct sim_answer *answer)
{
    (void)request;
    if (server->dataplane)
        sim_dataplane_show(server->dataplane, &answer->body);
    else
        fail(answer, 404, "there is no --dataplane");
}

static const struct {
    const char *method, *path;
    void (*serve)(struct sim_server *server, const struct sim_request *request,
                  struct sim_answer *answer);
} routes[] = {
    {"GET", "state", show_state},       {"PUT", "world", put_world},
    {"GET", "log", show_log},           {"DELETE", "log", clear_log},
    {"GET", "summary", show_summary},   {"GET", "faults", show_faults},
    {"PUT", "faults", put_faults},      {"POST", "faults", post_faults},
    {"DELETE", "faults", clear_faults}, {"POST", "do", post_do},
    {"POST", "wait", post_wait},        {"GET", "wait", post_wait},
    {"GET", "clock", show_clock},       {"GET", "dataplane", show_dataplane},
};

void sim_control_serve(struct sim_server *server, const struct sim_request *request,
                       const char *path, struct sim_answer *answer)
{
    bool known = false;

    answer->status = 200;
    sim_answer_type(answer, "application/json");
    for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
        if (strcmp(routes[i].path, path) != 0)
            continue;
        known = true;
        if (!strcmp(routes[i].method, request->method)) {
            routes[i].serve(server, request, answer);
            return;
        }
    }
    fail(answer, known ? 405 : 404, known ? "not with this method" : "no such control path");
}
