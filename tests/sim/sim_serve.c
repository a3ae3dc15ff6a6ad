#include "sim_serve.h"

#include <stdio.h>
#include <string.h>

/* The world's lock is held here and in the functions that follow. */
static bool classify(struct sim_server *server, const struct sim_request *request, const char *node,
                     struct sim_call *call)
{
    struct sim_world *world = &server->world;

    for (size_t i = 0; world->clouds[i]; i++) {
        call->cloud = world->clouds[i];
        if (sim_json_get(world->live, call->cloud->name) &&
            call->cloud->classify(world, request, node, call))
            return true;
    }
    return false;
}

bool sim_serve_has_node(struct sim_server *server, const char *node)
{
    struct sim_request request = {.method = "GET", .target = "/", .path = "/", .query = ""};
    struct sim_call call = {.request = &request};
    bool found;

    pthread_mutex_lock(&server->world.lock);
    found = classify(server, &request, node, &call);
    pthread_mutex_unlock(&server->world.lock);
    return found;
}

static void run_events(struct sim_world *world, struct json_object *events)
{
    struct json_object *event;
    struct sim_error err = {0};

    SIM_JSON_EACH(event, events)
    if (sim_world_event(world, json_object_get(event), 0, &err))
        fprintf(stderr, "cloudsim: a fault's event: %s\n", err.text);
}

static void steal(struct sim_world *world, const struct sim_plan *plan, const struct sim_call *call)
{
    struct json_object *event =
        *plan->thief && call->applied ? call->cloud->steal(world, call, plan->thief) : NULL;
    struct sim_error err = {0};

    if (event && sim_world_event(world, event, plan->steal_delay_ms, &err))
        fprintf(stderr, "cloudsim: a fault's theft: %s\n", err.text);
}

static void apply(struct sim_server *server, const struct sim_plan *plan, struct sim_call *call,
                  struct sim_answer *answer)
{
    struct sim_world *world = &server->world;

    pthread_mutex_lock(&world->lock);
    sim_world_settle(world);
    run_events(world, plan->events_before);
    if (plan->fate == SIM_FATE_REFUSE) {
        sim_plan_refuse(plan, world, call, answer);
    } else {
        SIM_AUTO_JSON *view = sim_plan_view(plan, world, call);

        call->cloud->serve(world, call, answer);
        world->doc = world->live;
        steal(world, plan, call);
    }
    run_events(world, plan->events_after);
    sim_world_publish(world);
    pthread_mutex_unlock(&world->lock);
}

/* Until the client gives up. */
static void hold(struct sim_server *server, const struct sim_link *link,
                 struct sim_outcome *ret_how)
{
    sim_http_wait(server, link->socket, -1);
    ret_how->reset = true;
}

static void carry_out(struct sim_server *server, const struct sim_plan *plan,
                      const struct sim_link *link, const struct sim_log_ref *ref,
                      struct sim_call *call, struct sim_answer *answer, struct sim_outcome *ret_how)
{
    double before_ms = plan->before_ms + (ref->api ? server->latency_ms : 0);
    bool lost = plan->fate == SIM_FATE_LOSE || plan->fate == SIM_FATE_LOSE_LATE;

    if (before_ms > 0 && !sim_http_wait(server, link->socket, before_ms))
        ret_how->silent = true; /* the client has left; a cloud would apply it all the same */
    if (plan->fate == SIM_FATE_RESET || plan->fate == SIM_FATE_HANG) {
        ret_how->reset = true;
    } else {
        apply(server, plan, call, answer);
        if (answer->status > 0)
            ret_how->limit = sim_plan_spoil(plan, answer);
    }
    call->status = lost || ret_how->silent || answer->status < 0 ? 0 : answer->status;
    ret_how->reset = ret_how->reset || lost || !answer->status;
    if (plan->after_ms > 0)
        sim_http_wait(server, link->socket, plan->after_ms);
    sim_log_decide(&server->log, ref, call, plan->name);
    if (plan->fate == SIM_FATE_HANG || plan->fate == SIM_FATE_LOSE_LATE || answer->status < 0)
        hold(server, link, ret_how);
}

void sim_serve(struct sim_server *server, const struct sim_request *request, const char *node,
               const struct sim_link *link, struct sim_answer *answer, struct sim_outcome *ret_how)
{
    struct sim_call call = {.request = request};
    struct sim_plan plan;
    struct sim_log_ref ref;
    bool known;

    sim_random_uuid(call.request_id);
    pthread_mutex_lock(&server->world.lock);
    sim_world_settle(&server->world);
    known = classify(server, request, node, &call);
    ret_how->clock_offset_ms = server->world.offset_ms;
    pthread_mutex_unlock(&server->world.lock);
    if (!known) {
        answer->status = 404;
        sim_answer_type(answer, "text/plain");
        sim_buf_str(&answer->body, "no such page\n");
        sim_params_done(&call.params);
        return;
    }
    sim_faults_plan(&server->faults, &call, &plan);
    call.skew_ms = plan.skew_ms;
    ret_how->clock_offset_ms += plan.skew_ms;
    ret_how->drip_bytes = plan.drip_bytes;
    ret_how->drip_ms = plan.drip_ms;
    ref = sim_log_begin(&server->log, &call, link->start_ms, link->connection, link->attempt);
    carry_out(server, &plan, link, &ref, &call, answer, ret_how);
    sim_log_end(&server->log, &ref);
    sim_plan_done(&plan);
    sim_params_done(&call.params);
}
