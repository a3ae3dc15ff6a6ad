/* Events: what happens in the world without anybody calling the API for it. */
#include <stdio.h>
#include <string.h>
#include "aws_ec2.h"

struct context {
    struct sim_world *world;
    struct json_object *aws;
    const struct json_object *event;
    struct sim_error *err;
};

static struct json_object *need(const struct context *context, enum aws_kind kind, const char *key)
{
    const char *id = sim_json_str(context->event, key);
    struct json_object *object = aws_find(context->aws, kind, id);

    if (!object)
        snprintf(context->err->text, sizeof(context->err->text), "%.32s: %s \"%.64s\" is not there",
                 sim_json_str(context->event, "op"), key, id);
    return object;
}

static int set_state(const struct context *context, const char *state)
{
    struct json_object *instance = need(context, AWS_INSTANCE, "id");

    if (!instance)
        return -1;
    aws_instance_set_state(context->aws, instance, state);
    return 0;
}

static int stop_instance(const struct context *context)
{
    return set_state(context, "stopped");
}

static int start_instance(const struct context *context)
{
    return set_state(context, "running");
}

static int terminate_instance(const struct context *context)
{
    return set_state(context, "terminated");
}

static int finish_state(const struct context *context)
{
    return set_state(context, sim_json_str(context->event, "state"));
}

static int set_imds(const struct context *context)
{
    struct json_object *instance = need(context, AWS_INSTANCE, "id");

    if (!instance)
        return -1;
    sim_json_set_str(instance, "imds", sim_json_str(context->event, "mode"));
    return 0;
}

static int read_destination(const struct context *context, char *ret_text, size_t size)
{
    const char *given = sim_json_str(context->event, "destination");
    struct sim_cidr cidr;

    if (sim_cidr_parse(given, &cidr)) {
        snprintf(context->err->text, sizeof(context->err->text), "not a destination: \"%.64s\"",
                 given);
        return -1;
    }
    sim_cidr_text(&cidr, ret_text, size);
    return 0;
}

static int set_route(const struct context *context)
{
    struct json_object *table = need(context, AWS_ROUTE_TABLE, "table"), *route;
    const char *target = sim_json_str(context->event, "target");
    char destination[80];

    if (!table || read_destination(context, destination, sizeof(destination)))
        return -1;
    if (!*target && !need(context, AWS_ENI, "eni"))
        return -1;
    target = *target ? target : sim_json_str(context->event, "eni");
    route = aws_route_find(table, destination);
    if (!route) {
        route = json_object_new_object();
        sim_json_set_str(route, "destination", destination);
        sim_json_set_str(route, "origin", "CreateRoute");
        json_object_array_add(sim_json_array(table, "routes"), route);
    }
    sim_json_set_str(route, "target", target);
    return 0;
}

static int delete_route(const struct context *context)
{
    struct json_object *table = need(context, AWS_ROUTE_TABLE, "table"), *route;
    char destination[80];

    if (!table || read_destination(context, destination, sizeof(destination)))
        return -1;
    route = aws_route_find(table, destination);
    if (!route) {
        snprintf(context->err->text, sizeof(context->err->text), "delete_route: no such route");
        return -1;
    }
    sim_json_remove(sim_json_array(table, "routes"), route);
    return 0;
}

static int associate(const struct context *context)
{
    struct json_object *address = need(context, AWS_ADDRESS, "allocation_id"), *other;
    const struct json_object *eni = address ? need(context, AWS_ENI, "eni") : NULL;
    const char *ip = sim_json_str(context->event, "private_ip");

    if (!eni)
        return -1;
    ip = *ip ? ip : aws_eni_primary(eni);
    if (!aws_eni_has_ip(eni, ip)) {
        snprintf(context->err->text, sizeof(context->err->text), "associate: no such private_ip");
        return -1;
    }
    other = aws_address_on(context->aws, sim_json_str(eni, "network_interface_id"), ip);
    if (other && other != address)
        aws_address_unlink(other);
    aws_address_link(context->world, address, eni, ip);
    return 0;
}

static int disassociate(const struct context *context)
{
    struct json_object *address = need(context, AWS_ADDRESS, "allocation_id");

    if (!address)
        return -1;
    aws_address_unlink(address);
    return 0;
}

static int attach_eni(const struct context *context)
{
    struct json_object *eni = need(context, AWS_ENI, "eni");

    if (!eni || !need(context, AWS_INSTANCE, "instance"))
        return -1;
    aws_eni_attach(context->world, eni, sim_json_str(context->event, "instance"),
                   sim_json_int(context->event, "device_index", 1), "attached");
    return 0;
}

static int detach_eni(const struct context *context)
{
    struct json_object *eni = need(context, AWS_ENI, "eni");

    if (!eni)
        return -1;
    json_object_object_del(eni, "attachment");
    return 0;
}

static int delete_eni(const struct context *context)
{
    struct json_object *eni = need(context, AWS_ENI, "eni");

    if (!eni)
        return -1;
    aws_eni_remove(context->aws, eni);
    return 0;
}

static int finish_attach(const struct context *context)
{
    struct json_object *eni = need(context, AWS_ENI, "id");

    if (eni && !strcmp(sim_json_str(aws_eni_attachment(eni), "status"), "attaching"))
        sim_json_set_str(aws_eni_attachment(eni), "status", "attached");
    return 0;
}

static int finish_detach(const struct context *context)
{
    struct json_object *eni = need(context, AWS_ENI, "id");

    if (eni && !strcmp(sim_json_str(aws_eni_attachment(eni), "status"), "detaching"))
        json_object_object_del(eni, "attachment");
    return 0;
}

static int move_ip(const struct context *context, bool to_eni)
{
    struct json_object *eni = need(context, AWS_ENI, "eni");
    char ip[64];

    if (!eni)
        return -1;
    if (sim_address_canonical(sim_json_str(context->event, "ip"), ip, sizeof(ip))) {
        snprintf(context->err->text, sizeof(context->err->text), "not an address");
        return -1;
    }
    if (to_eni)
        aws_ip_move(context->aws, aws_ip_holder(context->aws, aws_eni_vpc(context->aws, eni), ip),
                    eni, ip);
    else
        aws_ip_move(context->aws, eni, NULL, ip);
    return 0;
}

static int assign_ip(const struct context *context)
{
    return move_ip(context, true);
}

static int unassign_ip(const struct context *context)
{
    return move_ip(context, false);
}

static int source_dest_check(const struct context *context)
{
    struct json_object *eni = need(context, AWS_ENI, "eni");

    if (!eni)
        return -1;
    sim_json_set_bool(eni, "source_dest_check", sim_json_bool(context->event, "value", true));
    return 0;
}

static int expire_credentials(const struct context *context)
{
    const char *node = sim_json_str(context->event, "node");
    const char *key = sim_json_str(context->event, "key");
    struct json_object *credential;
    char now[40];

    sim_time_iso(sim_world_now_ms(context->world) - 1000, false, now, sizeof(now));
    SIM_JSON_EACH(credential, sim_json_array(context->aws, "credentials"))
    {
        if (!*sim_json_str(credential, "session_token") ||
            (*node && strcmp(node, sim_json_str(credential, "node"))) ||
            (*key && strcmp(key, sim_json_str(credential, "access_key_id"))))
            continue;
        sim_json_set_str(credential, "expires", now);
    }
    return 0;
}

/* The finish_… events end pending states; README.md documents the others. */
static const struct {
    const char *op;
    int (*run)(const struct context *context);
} events[] = {
    {"stop_instance", stop_instance},
    {"start_instance", start_instance},
    {"terminate_instance", terminate_instance},
    {"set_imds", set_imds},
    {"set_route", set_route},
    {"delete_route", delete_route},
    {"associate", associate},
    {"disassociate", disassociate},
    {"attach_eni", attach_eni},
    {"detach_eni", detach_eni},
    {"delete_eni", delete_eni},
    {"assign_ip", assign_ip},
    {"unassign_ip", unassign_ip},
    {"source_dest_check", source_dest_check},
    {"expire_credentials", expire_credentials},
    {"finish_state", finish_state},
    {"finish_attach", finish_attach},
    {"finish_detach", finish_detach},
};

int aws_event(struct sim_world *world, const struct json_object *event, struct sim_error *err)
{
    struct context context = {
        .world = world,
        .aws = sim_json_get(world->live, "aws"),
        .event = event,
        .err = err,
    };

    for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++)
        if (!strcmp(events[i].op, sim_json_str(event, "op")))
            return events[i].run(&context);
    return -1;
}
