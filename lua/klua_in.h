/* lua/klua_in.h - what the files of this room share: the child's side. */
#ifndef LUA_KLUA_IN_H
#define LUA_KLUA_IN_H

#include <lauxlib.h>
#include <lua.h>
#include <sys/types.h>

#include "kit/base/buf.h"
#include "lua/klua.h"

/* One run, in the child. */
struct klua_child {
    const struct klua_job *job;
    int out_fd;
    int64_t stop_ns;               /* when its time is over */
    size_t used_bytes, peak_bytes; /* of the Lua heap */
    unsigned lines, dropped;       /* log lines */
    size_t said_bytes;             /* in them */
    bool defined;
};

/* klua_child.c */
_Noreturn void klua_child_main(const struct klua_job *job, int out_fd, int64_t stop_ns,
                               pid_t parent);
/* A state in its sandbox, with the limits and the facts of child->job; NULL: *ret_why says why not.
 */
lua_State *klua_child_open(struct klua_child *child, char *ret_why, size_t why_bytes);
struct klua_child *klua_child_of(lua_State *L);
/* Until child->stop_ns; 0 = over. */
int64_t klua_child_left_ms(const struct klua_child *child);
/* A line to the parent; a log line too many is only counted. */
void klua_child_say(const struct klua_child *child, const struct kit_buf *line);
void klua_child_log(struct klua_child *child, const struct kit_buf *line);

/* klua_sandbox.c.  All raise Lua errors: called in protected mode. */
void klua_sandbox_open(lua_State *L); /* afterwards klua_sandbox_env pushes the globals */
void klua_sandbox_env(lua_State *L);
/* Compiles text (never bytecode) whose globals are the sandbox's; pushes the function. */
void klua_sandbox_load(lua_State *L, const char *text, size_t len_bytes, const char *name);
/* Replaces the table at the top with one that reads the same and cannot be written. */
void klua_sandbox_freeze(lua_State *L);
/* Puts the table behind a frozen one in its place on the stack; false: it is none. */
bool klua_sandbox_thaw(lua_State *L, int index);

/* klua_value.c: JSON and Lua values. */
#define KLUA_DEPTH 14 /* of what goes out; the writer takes 16 */
enum klua_taste {
    KLUA_PLAIN,
    KLUA_FROZEN, /* tables cannot be written */
};
/* Pushes a value.  null is nil, and json.null inside arrays, so that the others keep their places.
 */
void klua_value_push(lua_State *L, const struct kit_json_node *node, enum klua_taste taste);
/* Writes the value at `index`; raises what is wrong with it.  w->out must survive that. */
void klua_value_write(lua_State *L, int index, const char *key, struct kit_json_writer *w);
void klua_value_mark_array(
    lua_State *L); /* the table at the top is an array even when it is empty */

/* Buffers and documents that outlive a Lua error: freed when they are collected.  Push a userdata.
 */
struct kit_buf *klua_value_new_buf(lua_State *L, size_t max_bytes);
struct kit_json *klua_value_new_json(lua_State *L);

/* klua_api.c, klua_reach.c: put their functions into the table at the top. */
void klua_api_open(lua_State *L);
void klua_reach_open(lua_State *L);
int klua_api_require(lua_State *L);

#endif
