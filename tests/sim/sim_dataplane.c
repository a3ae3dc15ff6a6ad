#include "sim_dataplane.h"

#include <libmnl/libmnl.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include "sim_net.h"
#include "sim_netlink.h"

#define TICK_MS          2  /* how late a change between two requests may be */
#define RETRY_TICKS      25 /* how often what the kernel refused is tried again */
#define CHANGES_KEPT     4096
#define REFUSED          "?"  /* the next hop of a path that the kernel did not take */
#define FIRST_TABLE      1000 /* of the kernel's, for the clouds' route tables */
#define MAIN_TABLE       254  /* the kernel's RT_TABLE_MAIN */
#define SUBNET_PRIORITY  1000 /* of rules: before the main table's 32766, as "everybody else" is */
#define DEFAULT_PRIORITY 2000

int sim_dataplane_reach(struct sim_dataplane *plane, const char *text)
{
    struct sim_reach *reach = &plane->reach[plane->reach_count];
    size_t len = strcspn(text, "=");

    if (plane->reach_count == SIM_REACH_MAX || !len || len >= sizeof(reach->id) || !text[len] ||
        sim_address_canonical(text + len + 1, reach->address, sizeof(reach->address)))
        return -1;
    memcpy(reach->id, text, len);
    reach->id[len] = '\0';
    plane->reach_count++;
    return 0;
}

/* ---- what changes ---------------------------------------------------------------------------- */

static void note(struct sim_dataplane *plane, const struct sim_path *path, bool gone, int error)
{
    struct json_object *change = json_object_new_object();
    const char *next_hop = gone ? "gone" : *path->next_hop ? path->next_hop : "dropped";

    json_object_object_add(
        change, "at_ms", json_object_new_double(sim_time_mono_ms() - plane->server->log.epoch_ms));
    sim_json_set_str(change, "table", path->table);
    sim_json_set_str(change, "destination", path->destination);
    sim_json_set_str(change, "holder", path->holder);
    sim_json_set_str(change, "next_hop", next_hop);
    if (error)
        sim_json_set_str(change, "error", strerror(error));
    if (sim_json_len(plane->changes) == CHANGES_KEPT)
        json_object_array_del_idx(plane->changes, 0, 1);
    json_object_array_add(plane->changes, change);
}

/* The kernel's table for a route table of a cloud, the same for ever; "" is the main one. */
static unsigned number(struct sim_dataplane *plane, const char *table)
{
    size_t len = sim_json_len(plane->tables);

    if (!*table)
        return MAIN_TABLE;
    for (size_t i = 0; i < len; i++)
        if (!strcmp(json_object_get_string(json_object_array_get_idx(plane->tables, i)), table))
            return FIRST_TABLE + (unsigned)i;
    json_object_array_add(plane->tables, json_object_new_string(table));
    return FIRST_TABLE + (unsigned)len;
}

static int set_route(struct sim_dataplane *plane, const struct sim_path *path, bool gone)
{
    unsigned table = number(plane, path->table);
    struct sim_cidr to;
    int error;

    if (sim_cidr_parse(path->destination, &to))
        return EINVAL;
    error = gone ? sim_netlink_drop_route(plane->socket, table, &to)
                 : sim_netlink_put_route(plane->socket, table, &to, path->next_hop);
    return gone && error == ESRCH ? 0 : error; /* whoever took the interface took it, too */
}

static int set_rule(struct sim_dataplane *plane, const struct sim_source *source, bool add)
{
    struct sim_cidr from;
    int error;

    if (sim_cidr_parse(source->subnet, &from))
        return EINVAL;
    error = sim_netlink_rule(plane->socket, add, from.bits ? SUBNET_PRIORITY : DEFAULT_PRIORITY,
                             &from, number(plane, source->table));
    return error == (add ? EEXIST : ENOENT) ? 0 : error;
}

static bool has_source(const struct sim_paths *paths, const struct sim_source *source)
{
    for (size_t i = 0; i < paths->sources; i++)
        if (!strcmp(paths->source[i].subnet, source->subnet) &&
            !strcmp(paths->source[i].table, source->table))
            return true;
    return false;
}

/* New rules first: a subnet is never without one. */
static void follow_sources(struct sim_dataplane *plane, const struct sim_paths *want)
{
    for (size_t i = 0; i < want->sources; i++) {
        int error =
            has_source(&plane->now, &want->source[i]) ? 0 : set_rule(plane, &want->source[i], true);

        if (error)
            fprintf(stderr, "cloudsim: rule for %s: %s\n", want->source[i].subnet, strerror(error));
    }
    for (size_t i = 0; i < plane->now.sources; i++)
        if (!has_source(want, &plane->now.source[i]))
            (void)set_rule(plane, &plane->now.source[i], false);
}

/* The next hop cannot be reached: packets must not go on to the one before it. It is tried again.
 */
static void refused(struct sim_dataplane *plane, struct sim_path *path)
{
    *path->next_hop = '\0';
    (void)set_route(plane, path, false);
    snprintf(path->next_hop, sizeof(path->next_hop), "%s", REFUSED);
    plane->behind = true;
}

/* What goes makes room first: a next hop may have been one of those that were dropped. */
static void follow_paths(struct sim_dataplane *plane, struct sim_paths *want)
{
    const struct sim_path *had;

    for (size_t i = 0; i < plane->now.len; i++) {
        const struct sim_path *old = &plane->now.path[i];

        if (!sim_paths_find(want, old->table, old->destination))
            note(plane, old, true, set_route(plane, old, true));
    }
    for (size_t i = 0; i < want->len; i++) {
        struct sim_path *path = &want->path[i];
        int error;

        had = sim_paths_find(&plane->now, path->table, path->destination);
        if (had && !strcmp(had->next_hop, path->next_hop))
            continue;
        error = set_route(plane, path, false);
        if (!error || !had || strcmp(had->next_hop, REFUSED) != 0)
            note(plane, path, false, error);
        if (error)
            refused(plane, path);
    }
}

/* The world's lock is held. */
static void follow(struct sim_world *world, void *follower)
{
    struct sim_dataplane *plane = follower;
    struct sim_paths want = {.reach = plane->reach, .reach_count = plane->reach_count};

    sim_world_paths(world, &want);
    plane->behind = false;
    follow_paths(plane, &want);
    follow_sources(plane, &want);
    sim_paths_done(&plane->now);
    plane->now = want;
}

/* What becomes effective between two requests. */
static void *tick(void *context)
{
    const struct timespec pause = {.tv_nsec = TICK_MS * 1000000L};
    struct sim_dataplane *plane = context;
    struct sim_world *world = &plane->server->world;

    for (unsigned ticks = 1; !atomic_load(&plane->server->stopping); ticks++) {
        nanosleep(&pause, NULL);
        pthread_mutex_lock(&world->lock);
        sim_world_settle(world);
        if (plane->behind && ticks % RETRY_TICKS == 0)
            sim_world_publish(world);
        pthread_mutex_unlock(&world->lock);
    }
    return NULL;
}

/* ---- life ------------------------------------------------------------------------------------ */

int sim_dataplane_start(struct sim_dataplane *plane, struct sim_server *server,
                        struct sim_error *err)
{
    struct sim_world *world = &server->world;

    plane->server = server;
    plane->socket = sim_netlink_open(plane->netns);
    if (!plane->socket) {
        snprintf(err->text, sizeof(err->text), "--dataplane: %s: %m", plane->netns);
        return -1;
    }
    plane->tables = json_object_new_array();
    plane->changes = json_object_new_array();
    pthread_mutex_lock(&world->lock);
    world->follow = follow;
    world->follower = plane;
    sim_world_publish(world);
    pthread_mutex_unlock(&world->lock);
    if (pthread_create(&plane->thread, NULL, tick, plane)) {
        snprintf(err->text, sizeof(err->text), "--dataplane: %m");
        return -1;
    }
    plane->ticking = true;
    return 0;
}

void sim_dataplane_stop(struct sim_dataplane *plane)
{
    struct sim_paths nothing = {0};

    if (!plane->socket)
        return;
    if (plane->ticking)
        pthread_join(plane->thread, NULL);
    plane->server->world.follow = NULL;
    follow_paths(plane, &nothing);
    follow_sources(plane, &nothing);
    sim_paths_done(&plane->now);
    json_object_put(plane->tables);
    json_object_put(plane->changes);
    mnl_socket_close(plane->socket);
    plane->socket = NULL;
}

void sim_dataplane_show(struct sim_dataplane *plane, struct sim_buf *out)
{
    SIM_AUTO_JSON *shown = json_object_new_object();
    struct json_object *routes = json_object_new_array();

    pthread_mutex_lock(&plane->server->world.lock);
    sim_world_settle(&plane->server->world);
    for (size_t i = 0; i < plane->now.len; i++) {
        const struct sim_path *path = &plane->now.path[i];
        struct json_object *route = json_object_new_object();

        sim_json_set_str(route, "table", path->table);
        sim_json_set_int(route, "kernel_table", number(plane, path->table));
        sim_json_set_str(route, "destination", path->destination);
        sim_json_set_str(route, "holder", path->holder);
        sim_json_set_str(route, "next_hop", *path->next_hop ? path->next_hop : "dropped");
        json_object_array_add(routes, route);
    }
    json_object_object_add(shown, "epoch_ms", json_object_new_double(plane->server->log.epoch_ms));
    json_object_object_add(shown, "routes", routes);
    json_object_object_add(shown, "changes", json_object_get(plane->changes));
    sim_buf_fmt(out, "%s\n", json_object_to_json_string_ext(shown, JSON_C_TO_STRING_NOSLASHESCAPE));
    pthread_mutex_unlock(&plane->server->world.lock);
}
