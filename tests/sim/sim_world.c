#include "sim_world.h"

#include <stdio.h>
#include <string.h>

void sim_world_init(struct sim_world *world, const struct sim_cloud *const *clouds)
{
    *world = (struct sim_world){.clouds = clouds, .next_id = 1};
    pthread_mutex_init(&world->lock, NULL);
    world->live = json_object_new_object();
    world->doc = world->live;
    world->pending = json_object_new_array();
}

void sim_world_done(struct sim_world *world)
{
    json_object_put(world->live);
    json_object_put(world->previous);
    json_object_put(world->pending);
    pthread_mutex_destroy(&world->lock);
}

static const struct sim_cloud *find_cloud(const struct sim_world *world, const char *name)
{
    for (size_t i = 0; world->clouds[i]; i++)
        if (!strcmp(world->clouds[i]->name, name))
            return world->clouds[i];
    return NULL;
}

static int check(const struct sim_world *world, struct json_object *doc, struct sim_error *err)
{
    if (!json_object_is_type(doc, json_type_object)) {
        snprintf(err->text, sizeof(err->text), "a world is a JSON object");
        return -1;
    }
    json_object_object_foreach(doc, name, part)
    {
        const struct sim_cloud *cloud = find_cloud(world, name);

        if (!cloud || !json_object_is_type(part, json_type_object)) {
            snprintf(err->text, sizeof(err->text), "no such cloud: %.64s", name);
            return -1;
        }
        if (cloud->check(part, err))
            return -1;
    }
    return 0;
}

int sim_world_replace(struct sim_world *world, struct json_object *doc, struct sim_error *err)
{
    int bad;

    pthread_mutex_lock(&world->lock);
    bad = check(world, doc, err);
    if (bad) {
        json_object_put(doc);
    } else {
        json_object_put(world->live);
        json_object_put(world->previous);
        json_object_put(world->pending);
        world->live = world->doc = doc;
        world->previous = NULL;
        world->pending = json_object_new_array();
        sim_world_publish(world);
    }
    pthread_mutex_unlock(&world->lock);
    return bad;
}

void sim_world_show(struct sim_world *world, struct sim_buf *out)
{
    pthread_mutex_lock(&world->lock);
    sim_world_settle(world);
    for (size_t i = 0; world->clouds[i]; i++) {
        struct json_object *part = sim_json_get(world->live, world->clouds[i]->name);

        if (part)
            world->clouds[i]->refresh(part);
    }
    sim_buf_str(out, json_object_to_json_string_ext(
                         world->live, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE));
    pthread_mutex_unlock(&world->lock);
}

int64_t sim_world_now_ms(const struct sim_world *world)
{
    return sim_time_real_ms() + world->offset_ms;
}

void sim_world_change(struct sim_world *world)
{
    world->changed_ms = sim_world_now_ms(world);
    json_object_put(world->previous);
    world->previous = world->keep_previous ? sim_json_copy(world->live) : NULL;
}

static int run_event(struct sim_world *world, const struct json_object *event,
                     struct sim_error *err)
{
    snprintf(err->text, sizeof(err->text), "no such op: %.64s", sim_json_str(event, "op"));
    if (!strcmp(sim_json_str(event, "op"), "advance_clock")) {
        world->offset_ms += (int64_t)(sim_json_num(event, "s", 0) * 1000);
        return 0;
    }
    for (size_t i = 0; world->clouds[i]; i++) {
        if (!sim_json_get(world->live, world->clouds[i]->name))
            continue;
        if (!world->clouds[i]->event(world, event, err))
            return 0;
    }
    return -1;
}

void sim_world_settle(struct sim_world *world)
{
    int64_t now = sim_world_now_ms(world);
    bool again, changed = false;

    do { /* one event may bring about another that is due as well; the earliest goes first */
        struct json_object *element, *first = NULL;
        struct sim_error ignored = {0};

        SIM_JSON_EACH(element, world->pending)
        if (!first || sim_json_int(element, "due_ms", 0) < sim_json_int(first, "due_ms", 0))
            first = element;
        again = first && sim_json_int(first, "due_ms", 0) <= now;
        if (again) {
            SIM_AUTO_JSON *event = json_object_get(sim_json_get(first, "event"));

            sim_json_remove(world->pending, first);
            /* What the event wanted to happen to may be gone by now: then nothing happens. */
            (void)run_event(world, event, &ignored);
            changed = true;
        }
    } while (again);
    if (changed)
        sim_world_publish(world);
}

void sim_world_publish(struct sim_world *world)
{
    if (world->follow)
        world->follow(world, world->follower);
}

void sim_world_paths(const struct sim_world *world, struct sim_paths *paths)
{
    for (size_t i = 0; world->clouds[i]; i++) {
        const struct json_object *part = sim_json_get(world->live, world->clouds[i]->name);

        if (part)
            world->clouds[i]->paths(part, paths);
    }
}

int sim_world_event(struct sim_world *world, struct json_object *event, int64_t delay_ms,
                    struct sim_error *err)
{
    struct json_object *entry;
    int bad = 0;

    if (delay_ms <= 0) {
        bad = run_event(world, event, err);
        json_object_put(event);
        return bad;
    }
    entry = json_object_new_object();
    sim_json_set_int(entry, "due_ms", sim_world_now_ms(world) + delay_ms);
    json_object_object_add(entry, "event", event);
    json_object_array_add(world->pending, entry);
    return 0;
}

void sim_world_id(struct sim_world *world, const char *prefix, char *ret_id, size_t size)
{
    snprintf(ret_id, size, "%s-0f%015llx", prefix, (unsigned long long)world->next_id++);
}
