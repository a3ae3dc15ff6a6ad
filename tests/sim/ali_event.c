/* Events: what happens in the world without anybody calling the API for it. */
#include <stdio.h>
#include <string.h>
#include "ali.h"

struct context {
    struct sim_world *world;
    struct json_object *ali;
    const struct json_object *event;
    struct sim_error *err;
};

__attribute__((format(printf, 2, 3))) static int fail(const struct context *context,
                                                      const char *format, ...)
{
    va_list args;
    int len = snprintf(context->err->text, sizeof(context->err->text),
                       "%.32s: ", sim_json_str(context->event, "op"));

    va_start(args, format);
    vsnprintf(context->err->text + len, sizeof(context->err->text) - (size_t)len, format, args);
    va_end(args);
    return -1;
}

static struct json_object *need(const struct context *context, enum ali_kind kind, const char *key)
{
    const char *id = sim_json_str(context->event, key);
    struct json_object *object = ali_find(context->ali, kind, id);

    if (!object)
        fail(context, "%s \"%.64s\" is not there", key, id);
    return object;
}

/* ---- instances ------------------------------------------------------------------------------- */

static int stop_instance(const struct context *context)
{
    struct json_object *instance = need(context, ALI_INSTANCE, "id");

    if (!instance)
        return -1;
    ali_instance_set(context->ali, instance, "Stopped");
    return 0;
}

static int start_instance(const struct context *context)
{
    struct json_object *instance = need(context, ALI_INSTANCE, "id");

    if (!instance)
        return -1;
    sim_json_set_str(instance, "guest", "ok");
    ali_instance_set(context->ali, instance, "Running");
    return 0;
}

/* Its interfaces go with it, unless they are to outlive it. */
static int terminate_instance(const struct context *context)
{
    struct json_object *instance = need(context, ALI_INSTANCE, "id"), *all, *object;
    const char *id = sim_json_str(context->event, "id");

    if (!instance)
        return -1;
    ali_instance_set(context->ali, instance, "Stopped");
    SIM_JSON_EACH(object, ali_all(context->ali, ALI_HAVIP))
    if (sim_json_has(sim_json_array(object, "instances"), id))
        ali_havip_unbind(object, id);
    SIM_JSON_EACH(object, ali_all(context->ali, ALI_EIP))
    if (ali_is(object, "instance_id", id))
        ali_eip_unlink(object);
    all = ali_all(context->ali, ALI_ENI);
    for (size_t i = sim_json_len(all); i-- > 0;) {
        object = json_object_array_get_idx(all, i);
        if (!ali_is(object, "instance_id", id))
            continue;
        if (sim_json_bool(object, "delete_on_release", true) || ali_is(object, "type", "Primary"))
            ali_eni_remove(context->ali, object);
        else
            ali_eni_detach(object);
    }
    sim_json_remove(ali_all(context->ali, ALI_INSTANCE), instance);
    return 0;
}

static int set_word(const struct context *context, const char *key, const char *from,
                    const char *list)
{
    struct json_object *instance = need(context, ALI_INSTANCE, "id");
    const char *value = sim_json_str(context->event, from);

    if (!instance)
        return -1;
    if (!ali_in_list(list, value))
        return fail(context, "%s is one of %s", from, list);
    sim_json_set_str(instance, key, value);
    return 0;
}

static int set_imds(const struct context *context)
{
    return set_word(context, "imds", "mode", "on,off,hang");
}

static int set_guest(const struct context *context)
{
    return set_word(context, "guest", "guest", "ok,hung");
}

/* ---- routes ---------------------------------------------------------------------------------- */

static int read_destination(const struct context *context, char *ret_text, size_t size)
{
    const char *given = sim_json_str(context->event, "destination");
    struct sim_cidr cidr;

    if (sim_cidr_parse(given, &cidr))
        return fail(context, "not a destination: \"%.64s\"", given);
    sim_cidr_text(&cidr, ret_text, size);
    return 0;
}

static int set_route(const struct context *context)
{
    struct json_object *table = need(context, ALI_TABLE, "table"), *route;
    const char *target = sim_json_str(context->event, "target");
    char destination[80], id[ALI_ID_MAX];

    if (!table || read_destination(context, destination, sizeof(destination)))
        return -1;
    target = *target ? target : sim_json_str(context->event, "eni");
    if (!*target)
        return fail(context, "eni or target is wanted");
    route = ali_route_find(table, destination);
    if (!route) {
        route = json_object_new_object();
        ali_new_id(context->world, "rte", id, sizeof(id));
        sim_json_set_str(route, "route_entry_id", id);
        sim_json_set_str(route, "destination", destination);
        sim_json_set_str(route, "type", "Custom");
        sim_json_set_str(route, "name", "");
        sim_json_set_str(route, "description", "");
        json_object_array_add(sim_json_array(table, "routes"), route);
    }
    json_object_object_del(route, "next_hops");
    sim_json_set_str(route, "next_hop_type", ali_hop_type(target));
    sim_json_set_str(route, "next_hop_id", target);
    sim_json_set_str(route, "status", "Available");
    ali_settle(route);
    return 0;
}

static int delete_route(const struct context *context)
{
    struct json_object *table = need(context, ALI_TABLE, "table"), *route;
    char destination[80];

    if (!table || read_destination(context, destination, sizeof(destination)))
        return -1;
    route = ali_route_find(table, destination);
    if (!route)
        return fail(context, "no such route");
    sim_json_remove(sim_json_array(table, "routes"), route);
    return 0;
}

/* ---- elastic addresses ----------------------------------------------------------------------- */

static int associate(const struct context *context)
{
    struct json_object *eip = need(context, ALI_EIP, "allocation_id"), *other;
    const char *target = sim_json_str(context->event, "target");
    const char *ip = sim_json_str(context->event, "private_ip");
    const char *mode = sim_json_str(context->event, "mode"), *type = "NetworkInterface";
    const struct json_object *eni;

    target = *target ? target : sim_json_str(context->event, "eni");
    if (!eip)
        return -1;
    eni = ali_find(context->ali, ALI_ENI, target);
    if (!eni && ali_find(context->ali, ALI_INSTANCE, target)) {
        eni = ali_instance_primary(context->ali, target);
        type = "EcsInstance";
    } else if (!eni) {
        type = !strncmp(target, "ngw-", 4)  ? "Nat"
               : !strncmp(target, "lb-", 3) ? "SlbInstance"
                                            : "HaVip";
    }
    if (!*target)
        return fail(context, "eni or target is wanted");
    ip = *ip ? ip : eni ? ali_eni_primary(eni) : "";
    if (eni && !ali_eni_has_ip(eni, ip))
        return fail(context, "no such private_ip");
    other = eni ? ali_eip_on(context->ali, eni, ip) : NULL;
    if (other && other != eip)
        ali_eip_unlink(other);
    ali_eip_unlink(eip);
    ali_eip_link(eip, type, target, ip, *mode ? mode : "NAT");
    sim_json_set_str(eip, "status", "InUse");
    return 0;
}

static int disassociate(const struct context *context)
{
    struct json_object *eip = need(context, ALI_EIP, "allocation_id");

    if (!eip)
        return -1;
    ali_eip_unlink(eip);
    return 0;
}

static int lock_eip(const struct context *context)
{
    struct json_object *eip = need(context, ALI_EIP, "allocation_id");
    const char *reason = sim_json_str(context->event, "reason");

    if (!eip)
        return -1;
    sim_json_set_str(eip, "lock_reason", reason);
    sim_json_set_str(eip, "business_status", *reason ? "OperationLock" : "Normal");
    return 0;
}

/* ---- interfaces and addresses ---------------------------------------------------------------- */

static int attach_eni(const struct context *context)
{
    struct json_object *eni = need(context, ALI_ENI, "eni");

    if (!eni || !need(context, ALI_INSTANCE, "instance"))
        return -1;
    ali_eni_attach(eni, sim_json_str(context->event, "instance"));
    return 0;
}

static int detach_eni(const struct context *context)
{
    struct json_object *eni = need(context, ALI_ENI, "eni");

    if (!eni)
        return -1;
    ali_eni_detach(eni);
    return 0;
}

static int delete_eni(const struct context *context)
{
    struct json_object *eni = need(context, ALI_ENI, "eni");

    if (!eni)
        return -1;
    ali_eni_remove(context->ali, eni);
    return 0;
}

static int move_ip(const struct context *context, bool to_eni)
{
    struct json_object *eni = need(context, ALI_ENI, "eni"), *holder;
    char ip[64];

    if (!eni)
        return -1;
    if (sim_address_canonical(sim_json_str(context->event, "ip"), ip, sizeof(ip)))
        return fail(context, "not an address");
    holder = to_eni
                 ? ali_ip_holder(context->ali,
                                 ali_vswitch_vpc(context->ali, sim_json_str(eni, "vswitch_id")), ip)
                 : eni;
    if (holder) {
        sim_json_remove_text(sim_json_array(holder, "private_ips"), ip);
        sim_json_remove_text(sim_json_array(holder, "ipv6"), ip);
    }
    if (to_eni)
        json_object_array_add(sim_json_array(eni, sim_is_v6(ip) ? "ipv6" : "private_ips"),
                              json_object_new_string(ip));
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

/* ---- HAVIPs ---------------------------------------------------------------------------------- */

/* By its id, or by its address. */
static struct json_object *need_havip(const struct context *context)
{
    const char *ip = sim_json_str(context->event, "ip");

    if (!*ip)
        return need(context, ALI_HAVIP, "havip");
    return sim_json_find(ali_all(context->ali, ALI_HAVIP), "ip_address", ip);
}

/* The bound id that stands for this instance or interface: itself; of an instance one of its
 * interfaces, of an interface its instance. NULL if none is bound. */
static const char *bound_as(const struct context *context, const struct json_object *havip,
                            const char *id)
{
    struct json_object *bound = sim_json_array(havip, "instances"), *eni;
    const struct json_object *own = ali_find(context->ali, ALI_ENI, id);

    if (sim_json_has(bound, id))
        return id;
    if (own && sim_json_has(bound, sim_json_str(own, "instance_id")))
        return sim_json_str(own, "instance_id");
    SIM_JSON_EACH(eni, ali_all(context->ali, ALI_ENI))
    if (ali_is(eni, "instance_id", id) &&
        sim_json_has(bound, sim_json_str(eni, "network_interface_id")))
        return sim_json_str(eni, "network_interface_id");
    return NULL;
}

static int announce(const struct context *context)
{
    struct json_object *havip = need_havip(context);
    const char *id = sim_json_str(context->event, "instance"), *bound;
    const struct json_object *eni, *instance;

    if (!havip)
        return fail(context, "there is no such HAVIP");
    bound = bound_as(context, havip, id);
    if (!bound)
        return fail(context, "\"%.64s\" is not bound to it", id);
    eni = ali_find(context->ali, ALI_ENI, bound);
    instance = ali_find(context->ali, ALI_INSTANCE, eni ? sim_json_str(eni, "instance_id") : bound);
    if (!instance || !ali_in_state(instance, "Running"))
        return fail(context, "\"%.64s\" does not run", id);
    sim_json_set_str(havip, "master", bound);
    return 0;
}

static int bind_havip(const struct context *context)
{
    struct json_object *havip = need_havip(context), *bound;
    const char *id = sim_json_str(context->event, "instance");

    if (!havip ||
        (!ali_find(context->ali, ALI_INSTANCE, id) && !ali_find(context->ali, ALI_ENI, id)))
        return fail(context, "havip or instance \"%.64s\" is not there", id);
    bound = sim_json_array(havip, "instances");
    if (!sim_json_has(bound, id))
        json_object_array_add(bound, json_object_new_string(id));
    sim_json_set_str(havip, "instance_type",
                     ali_find(context->ali, ALI_ENI, id) ? "NetworkInterface" : "EcsInstance");
    sim_json_set_str(havip, "status", "InUse");
    ali_settle(havip);
    return 0;
}

static int unbind_havip(const struct context *context)
{
    struct json_object *havip = need_havip(context);

    if (!havip)
        return -1;
    ali_havip_unbind(havip, sim_json_str(context->event, "instance"));
    return 0;
}

/* ---- the rest -------------------------------------------------------------------------------- */

static int set_status(const struct context *context)
{
    struct json_object *array, *object;
    const char *delay;

    object = ali_find_any(context->ali, sim_json_str(context->event, "id"), &array, &delay);
    if (!object)
        return fail(context, "\"%.64s\" is not there", sim_json_str(context->event, "id"));
    sim_json_set_str(object, "status", sim_json_str(context->event, "status"));
    ali_settle(object);
    return 0;
}

static int expire_credentials(const struct context *context)
{
    const char *node = sim_json_str(context->event, "node");
    const char *key = sim_json_str(context->event, "key");
    struct json_object *credential;
    char now[40];

    sim_time_iso(sim_world_now_ms(context->world) - 1000, false, now, sizeof(now));
    SIM_JSON_EACH(credential, sim_json_array(context->ali, "credentials"))
    {
        if (!*sim_json_str(credential, "security_token") ||
            (*node && !ali_is(credential, "node", node)) ||
            (*key && !ali_is(credential, "access_key_id", key)))
            continue;
        sim_json_set_str(credential, "expires", now);
    }
    return 0;
}

static int finish(const struct context *context)
{
    return ali_finish(context->ali, context->event);
}

/* finish ends a state between; README.md documents the others. */
static const struct {
    const char *op;
    int (*run)(const struct context *context);
} events[] = {
    {"stop_instance", stop_instance},
    {"start_instance", start_instance},
    {"terminate_instance", terminate_instance},
    {"set_imds", set_imds},
    {"set_guest", set_guest},
    {"set_route", set_route},
    {"delete_route", delete_route},
    {"associate", associate},
    {"disassociate", disassociate},
    {"lock_eip", lock_eip},
    {"attach_eni", attach_eni},
    {"detach_eni", detach_eni},
    {"delete_eni", delete_eni},
    {"assign_ip", assign_ip},
    {"unassign_ip", unassign_ip},
    {"announce", announce},
    {"bind_havip", bind_havip},
    {"unbind_havip", unbind_havip},
    {"set_status", set_status},
    {"expire_credentials", expire_credentials},
    {"finish", finish},
};

int ali_event(struct sim_world *world, const struct json_object *event, struct sim_error *err)
{
    struct context context = {
        .world = world,
        .ali = sim_json_get(world->live, "aliyun"),
        .event = event,
        .err = err,
    };

    for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++)
        if (!strcmp(events[i].op, sim_json_str(event, "op")))
            return events[i].run(&context);
    return -1;
}
