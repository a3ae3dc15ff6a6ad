#include "sim_path.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "sim_net.h"
#include "sim_text.h"

void sim_paths_done(struct sim_paths *paths)
{
    free(paths->path);
    free(paths->source);
    *paths = (struct sim_paths){0};
}

/* Room for one element more. */
static void *grown(void *items, size_t len, size_t *cap, size_t size_bytes)
{
    void *more;

    if (len < *cap)
        return items;
    *cap = *cap ? *cap * 2 : 32;
    more = sim_alloc(*cap * size_bytes);
    if (len)
        memcpy(more, items, len * size_bytes);
    free(items);
    return more;
}

const struct sim_path *sim_paths_find(const struct sim_paths *paths, const char *table,
                                      const char *destination)
{
    for (size_t i = 0; i < paths->len; i++)
        if (!strcmp(paths->path[i].destination, destination) &&
            !strcmp(paths->path[i].table, table))
            return &paths->path[i];
    return NULL;
}

/* What was said about that id, in that family; NULL if nothing was. */
static const char *reach(const struct sim_paths *paths, const char *id, bool v6)
{
    for (size_t i = 0; id && *id && i < paths->reach_count; i++)
        if (!strcmp(paths->reach[i].id, id) && sim_is_v6(paths->reach[i].address) == v6)
            return paths->reach[i].address;
    return NULL;
}

static const char *next_hop(const struct sim_paths *paths, const struct sim_hop *hop, bool v6)
{
    const char *address = reach(paths, hop->eni, v6);

    if (!address)
        address = reach(paths, hop->instance, v6);
    if (!address)
        address = v6 ? hop->v6 : hop->v4;
    return address ? address : "";
}

void sim_paths_add(struct sim_paths *paths, const char *table, const char *destination,
                   const struct sim_hop *hop)
{
    struct sim_path path = {0};
    char block[SIM_PATH_ID_MAX], address[INET6_ADDRSTRLEN];
    struct sim_cidr cidr;

    snprintf(block, sizeof(block), "%s%s", destination,
             strchr(destination, '/')   ? ""
             : strchr(destination, ':') ? "/128"
                                        : "/32");
    if (sim_cidr_parse(block, &cidr))
        return;
    sim_cidr_text(&cidr, path.destination, sizeof(path.destination));
    snprintf(path.table, sizeof(path.table), "%s", table);
    if (hop) {
        snprintf(path.holder, sizeof(path.holder), "%s",
                 hop->eni && *hop->eni ? hop->eni : hop->instance);
        snprintf(path.next_hop, sizeof(path.next_hop), "%s", next_hop(paths, hop, cidr.v6));
    }
    snprintf(address, sizeof(address), "%.*s", (int)strcspn(path.destination, "/"),
             path.destination);
    if (!strcmp(address, path.next_hop) || sim_paths_find(paths, table, path.destination))
        return;
    paths->path = grown(paths->path, paths->len, &paths->cap, sizeof(*paths->path));
    paths->path[paths->len++] = path;
}

void sim_paths_source(struct sim_paths *paths, const char *subnet, const char *table)
{
    struct sim_source source = {0};

    if (!*subnet || !*table)
        return;
    for (size_t i = 0; i < paths->sources; i++)
        if (!strcmp(paths->source[i].subnet, subnet))
            return;
    snprintf(source.subnet, sizeof(source.subnet), "%s", subnet);
    snprintf(source.table, sizeof(source.table), "%s", table);
    paths->source =
        grown(paths->source, paths->sources, &paths->source_cap, sizeof(*paths->source));
    paths->source[paths->sources++] = source;
}
