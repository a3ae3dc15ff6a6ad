/*
 * The world is one JSON document, one top-level key a cloud, and the simulator is a set of
 * operations on it: what GET state shows is all there is. One lock guards it; nobody waits for
 * anything while holding it.
 */
#ifndef SIM_WORLD_H
#define SIM_WORLD_H

#include <pthread.h>
#include "sim_json.h"
#include "sim_text.h"

struct sim_request;
struct sim_answer;
struct sim_call;
struct sim_world;
struct sim_paths;

/* What goes wrong outside of a cloud's API: a world file, a control request. */
struct sim_error {
    char text[512];
};

/*
 * One simulated cloud. All functions are called with the world's lock held, and `cloud` is that
 * cloud's part of the document.
 */
struct sim_cloud {
    const char *name;           /* its top-level key */
    const char *retry_after_ms; /* a header of its own beside Retry-After; NULL: none */

    /* Checks a document that comes from outside and fills in what may be left out. */
    int (*check)(struct json_object *cloud, struct sim_error *err);
    /* Is the request for this cloud's API or metadata service? Then kind, action, params, key and
     * node are filled in. `node` is the instance of the metadata path, or NULL. */
    bool (*classify)(struct sim_world *world, const struct sim_request *request, const char *node,
                     struct sim_call *call);
    /* Does it and answers. Sets call->applied, code, message. */
    void (*serve)(struct sim_world *world, struct sim_call *call, struct sim_answer *answer);
    /* An error in the words of this cloud: code NULL is its own word for `what`. */
    void (*refuse)(struct sim_world *world, struct sim_call *call, const char *what, int status,
                   const char *code, const char *message, struct sim_answer *answer);
    /* An event of POST do; -1 if the op is not this cloud's or cannot be done. */
    int (*event)(struct sim_world *world, const struct json_object *event, struct sim_error *err);
    /* The event by which `thief` takes the binding that `call` just claimed; NULL if it did not. */
    struct json_object *(*steal)(const struct sim_world *world, const struct sim_call *call,
                                 const char *thief);
    /* Brings derived members up to date before the state is shown. */
    void (*refresh)(struct json_object *cloud);
    /* Where its packets go. */
    void (*paths)(const struct json_object *cloud, struct sim_paths *paths);
};

struct sim_world {
    pthread_mutex_t lock;
    const struct sim_cloud *const *clouds; /* ends in NULL */
    struct json_object *live;              /* owned */
    struct json_object *previous;          /* before the last change; owned; NULL if not kept */
    struct json_object *doc;               /* what is served: live, or what a fault puts here */
    struct json_object *pending;           /* owned array of {"due_ms", "event"} */
    bool keep_previous;
    int64_t changed_ms;
    int64_t offset_ms; /* of the world's clock against the machine's */
    uint64_t next_id;  /* never goes back, not even with a new world */

    /* Who follows the world; NULL: nobody. Called with the lock held. */
    void (*follow)(struct sim_world *world, void *follower);
    void *follower;
};

void sim_world_init(struct sim_world *world, const struct sim_cloud *const *clouds);
void sim_world_done(struct sim_world *world);

/* Takes the document; on an error the old world stays. Locks. */
int sim_world_replace(struct sim_world *world, struct json_object *doc, struct sim_error *err);
/* The state as text. Locks. */
void sim_world_show(struct sim_world *world, struct sim_buf *out);

/* The following want the lock held. */
int64_t sim_world_now_ms(const struct sim_world *world);
/* Runs every pending event whose time has come. */
void sim_world_settle(struct sim_world *world);
/* To be called before the document is changed by a request or an event. */
void sim_world_change(struct sim_world *world);
/* Runs the event now (delay 0), or when its time comes. Takes the event. */
int sim_world_event(struct sim_world *world, struct json_object *event, int64_t delay_ms,
                    struct sim_error *err);
/* The world is as it shall be, for now: whoever follows it does so before this returns. */
void sim_world_publish(struct sim_world *world);
/* Where packets go. */
void sim_world_paths(const struct sim_world *world, struct sim_paths *paths);
/* A fresh id, `prefix` and 17 hex digits. */
void sim_world_id(struct sim_world *world, const char *prefix, char *ret_id, size_t size);

#endif
