/* lua/klua.h - one function of one hook file, run in a child process that cannot outlive its
 * limits.
 *
 * The child has no descriptor but a pipe, a heap with a ceiling, a sandbox without os, io, load or
 * debug, and dies by SIGKILL when its time is over: a Lua count hook never fires inside a pattern
 * match, so only that bounds anything.  What it may reach is granted by name (struct klua_grants).
 * The sandbox is against mistakes: hook files are root's own.  The parent takes nothing from the
 * child but bytes, and parses those as it would a stranger's. */
#ifndef LUA_KLUA_H
#define LUA_KLUA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kit/base/clock.h"
#include "kit/base/err.h"
#include "kit/fmt/json.h"

#define KLUA_SOURCE_BYTES (256u * 1024) /* of a hook file, or of a module: far more than one is */
#define KLUA_FACTS_BYTES  (2u * 1024 * 1024)  /* 512 route tables with their tags */
#define KLUA_ANSWER_BYTES (128u * 1024)       /* all that a child may say, log lines included */
#define KLUA_HEAP_BYTES   (16u * 1024 * 1024) /* the contract's */
#define KLUA_LINES        100                 /* log lines of one run */
#define KLUA_LINE_BYTES   500
/* After its time is over the child has this long to say so itself; then it is killed. */
#define KLUA_GRACE_MS 100

/* What the site lets its hooks reach.  All borrowed; NULL lists grant nothing.  Lists end with
 * NULL. */
struct klua_grants {
    char *const *hosts;    /* "hooks.example.org", "10.0.0.5:8443", "[fd00::1]:80": for http */
    char *const *programs; /* absolute paths: for exec */
    char *const *env;      /* names of environment variables */
    const char *ca_file, *proxy; /* for http, as kit_http_settings has them */
    const char *const *lib_dirs; /* where require looks, in this order */
};

struct klua_job {
    const char *name;   /* of the file, in messages: "10-notify.lua" */
    const char *source; /* its text */
    size_t source_bytes;
    const char *point; /* the function to call; NULL: only tell which there are */
    const char *facts; /* what it is told: a JSON object, at most KLUA_FACTS_BYTES */
    size_t facts_bytes;
    const struct klua_grants *grants;
    const struct kit_clock *clock; /* the real one: the limits are the kernel's */
    int64_t time_ms;               /* wall time of the whole run */
    size_t heap_bytes;
};

enum klua_level {
    KLUA_INFO,
    KLUA_WARN,
    KLUA_ERROR,
};
const char *klua_level_name(enum klua_level level); /* "info" */

struct klua_line {
    enum klua_level level;
    char *text; /* printable, one line */
};

/* What came back.  The caller ends it with klua_answer_done, after an error too: its log lines and
 * costs are there in either case. */
struct klua_answer {
    struct klua_line line[KLUA_LINES];
    size_t lines;
    unsigned dropped;                  /* further log lines that were not passed on */
    bool defined;                      /* the file has a function for the point */
    struct kit_json end;               /* owns the two that follow */
    const struct kit_json_node *value; /* the first that the function returned; nil is NULL */
    const struct kit_json_node *names; /* with point NULL: of the file's functions, an array */
    char why[256];                     /* the second value, if it is a string; printable */
    size_t heap_bytes;       /* most that the Lua state held at once, by its own account */
    int64_t took_us, cpu_us; /* measured by us */
};
void klua_answer_done(struct klua_answer *answer);

/* Runs the job; blocks for time_ms and KLUA_GRACE_MS at most.  0: the file was run and, if it
 * defines the point, the function returned.  -1: KIT_ERR_HOOK with "NAME: POINT: what happened" (it
 * raised an error, broke a limit, crashed, or what it said makes no sense); KIT_ERR_SYSTEM: there
 * could be no child. */
int klua_run(const struct klua_job *job, struct klua_answer *answer,
             struct kit_err *err) KIT_CHECKED;

/* The pure part, for tests: what a child wrote, from its first byte to its last.  -1 KIT_ERR_HOOK,
 * with sys set to EPROTO when the bytes are not what a child writes, or end too early. */
int klua_answer_read(const char *bytes, size_t len_bytes, struct klua_answer *answer,
                     struct kit_err *err) KIT_CHECKED;

#endif
