/* lua/klua_child.c - the child: what it gives up first, and the one run that it is for. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <lualib.h>

#include "kit/base/mem.h"
#include "kit/base/str.h"
#include "lua/klua_in.h"

/* Where the pipe goes; everything above is closed. */
#define OUT_FD (STDERR_FILENO + 1)
/* How often the clock is looked at: some 10 us of Lua. */
#define COUNT 1000
/* libcurl, the resolver, a module and a program's pipes at once take about twenty. */
#define FILES 64
/* Lua cannot write a file; a program that it starts may, and not fill the disk. */
#define FILE_BYTES (64u * 1024 * 1024)
/* The Lua heap has its own ceiling.  This one is for what is beside it: documents, answers, TLS,
 * and the programs that are started. */
#define DATA_BYTES (512u * 1024 * 1024)

#define END_BYTES (KLUA_ANSWER_BYTES / 2) /* the last line; the others have the rest */
#define WHY_BYTES 255 /* of a reason; a log line holds 2 KiB with all that stands around it */

/* ---- what is given up ------------------------------------------------------------------------ */

static void close_rest(void)
{
    struct rlimit limit = {0};

    if (syscall(SYS_close_range, (unsigned)OUT_FD + 1, ~0U, 0U) == 0)
        return;
    /* Before Linux 5.9; bounded, because the limit may be a billion. */
    (void)getrlimit(RLIMIT_NOFILE, &limit);
    int end = limit.rlim_cur < 65536 ? (int)limit.rlim_cur : 65536;
    for (int fd = OUT_FD + 1; fd < end; fd++)
        (void)close(fd);
}

static bool keep_only_the_pipe(int out_fd)
{
    int null_fd;

    /* Ours may lie where the standard ones belong, if we were started without them. */
    while (out_fd >= 0 && out_fd < OUT_FD)
        out_fd = dup(out_fd);
    null_fd = open("/dev/null", O_RDWR);
    if (out_fd < 0 || null_fd < 0)
        return false;
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (dup2(null_fd, fd) < 0)
            return false;
    if (out_fd != OUT_FD && dup2(out_fd, OUT_FD) < 0)
        return false;
    if (fcntl(OUT_FD, F_SETFD, FD_CLOEXEC))
        return false;
    close_rest();
    return true;
}

static void reset_signals(void)
{
    sigset_t none;

    for (int sig = 1; sig < NSIG; sig++)
        (void)signal(sig, SIG_DFL);
    (void)signal(SIGPIPE, SIG_IGN); /* a server that closes its end; kit_net would do the same */
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
}

/* RLIMIT_NPROC is not among them: it counts all of a user's processes, and does not hold for root.
 */
static void lower_limits(int64_t time_ms)
{
    rlim_t cpu_s = (rlim_t)(time_ms / 1000 + 2);
    const struct {
        int what;
        rlim_t value;
    } limits[] = {
        {RLIMIT_CORE, 0},          {RLIMIT_CPU, cpu_s},
        {RLIMIT_NOFILE, FILES},    {RLIMIT_FSIZE, FILE_BYTES},
#ifndef __SANITIZE_ADDRESS__ /* its shadow memory counts as data */
        {RLIMIT_DATA, DATA_BYTES},
#endif
    };

    for (size_t i = 0; i < KIT_LEN(limits); i++) {
        struct rlimit now, then = {limits[i].value, limits[i].value};

        /* Lower than asked for is fine: it cannot be raised. */
        if (getrlimit(limits[i].what, &now) == 0 && now.rlim_max > limits[i].value)
            (void)setrlimit(limits[i].what, &then);
    }
}

/* ---- the state ------------------------------------------------------------------------------- */

struct klua_child *klua_child_of(lua_State *L)
{
    void *child;

    (void)lua_getallocf(L, &child);
    return child;
}

int64_t klua_child_left_ms(const struct klua_child *child)
{
    return kit_deadline_left_ms(child->job->clock, (struct kit_deadline){child->stop_ns});
}

static void *capped_alloc(void *arg, void *old, size_t old_bytes, size_t new_bytes)
{
    struct klua_child *child = arg;
    size_t had_bytes = old ? old_bytes : 0; /* without `old` the size is a type's number */
    void *new;

    if (!new_bytes) {
        free(old);
        child->used_bytes -= had_bytes;
        return NULL;
    }
    if (new_bytes > had_bytes && new_bytes - had_bytes > child->job->heap_bytes - child->used_bytes)
        return NULL; /* Lua collects garbage, then raises "not enough memory" */
    new = realloc(old, new_bytes);
    if (!new)
        return NULL;
    child->used_bytes = child->used_bytes - had_bytes + new_bytes;
    if (child->used_bytes > child->peak_bytes)
        child->peak_bytes = child->used_bytes;
    return new;
}

static void on_count(lua_State *L, lua_Debug *where)
{
    const struct klua_child *child = klua_child_of(L);

    (void)where;
    if (klua_child_left_ms(child) > 0)
        return;
    lua_sethook(L, on_count, LUA_MASKCOUNT, 1); /* a pcall catches it once, and not for long */
    (void)luaL_error(L, "its time limit of %d ms is over", (int)child->job->time_ms);
}

static int open_protected(lua_State *L)
{
    klua_sandbox_open(L);
    return 0;
}

lua_State *klua_child_open(struct klua_child *child, char *ret_why, size_t why_bytes)
{
    lua_State *L = lua_newstate(capped_alloc, child);
    const char *why = "not enough memory";

    if (L) {
        lua_pushcfunction(L, open_protected);
        if (lua_pcall(L, 0, 0, 0) == LUA_OK) {
            lua_sethook(L, on_count, LUA_MASKCOUNT, COUNT);
            return L;
        }
        why = lua_tostring(L, -1);
    }
    (void)kit_str_format(ret_why, why_bytes, "cannot make a Lua state: %s", why ? why : "?");
    if (L)
        lua_close(L);
    return NULL;
}

/* ---- the run --------------------------------------------------------------------------------- */

/* Pushes the names of the functions of the table at the top, in no order. */
static void push_names(lua_State *L)
{
    lua_Integer count = 0;

    lua_newtable(L);
    klua_value_mark_array(L);
    lua_pushnil(L);
    while (lua_next(L, -3)) {
        if (lua_type(L, -2) == LUA_TSTRING && lua_isfunction(L, -1)) {
            lua_pushvalue(L, -2);
            lua_rawseti(L, -4, ++count);
        }
        lua_pop(L, 1);
    }
}

/* Runs the chunk, then its function; leaves one value and perhaps a reason, or the names. */
static int run_protected(lua_State *L)
{
    struct klua_child *child = klua_child_of(L);
    const struct klua_job *job = child->job;
    int top;

    klua_sandbox_load(L, job->source, job->source_bytes, job->name);
    lua_call(L, 0, 1);
    if (!lua_istable(L, -1))
        return luaL_error(L, "the file returns %s, not a table of functions", luaL_typename(L, -1));
    if (!job->point) {
        push_names(L);
        return 1;
    }
    if (lua_getfield(L, -1, job->point) == LUA_TNIL)
        return 0;
    if (!lua_isfunction(L, -1))
        return luaL_error(L, "it is %s, not a function", luaL_typename(L, -1));
    child->defined = true;
    top = lua_gettop(L) - 1;
    (void)lua_getfield(L, LUA_REGISTRYINDEX, "klua.facts");
    lua_call(L, 1, LUA_MULTRET);
    return lua_gettop(L) - top;
}

void klua_child_say(const struct klua_child *child, const struct kit_buf *line)
{
    size_t done = 0;

    while (done < line->len_bytes) {
        ssize_t n = write(child->out_fd, line->data + done, line->len_bytes - done);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            _exit(1); /* nobody listens any more */
        done += (size_t)n;
    }
}

void klua_child_log(struct klua_child *child, const struct kit_buf *line)
{
    /* No error: a notification matters more than its log. */
    if (child->lines == KLUA_LINES || child->said_bytes + line->len_bytes > END_BYTES) {
        child->dropped++;
        return;
    }
    child->lines++;
    child->said_bytes += line->len_bytes;
    klua_child_say(child, line);
}

static void begin_end(struct kit_json_writer *w, const struct klua_child *child, const char *end)
{
    kit_json_open(w, NULL, '{');
    kit_json_put_string(w, "end", end);
    kit_json_put_int(w, "heap", (int64_t)child->peak_bytes);
    kit_json_put_int(w, "dropped", child->dropped);
}

static void say_error(const struct klua_child *child, const char *why)
{
    KIT_AUTO(kit_buf) line = KIT_BUF(8u * 1024);
    struct kit_json_writer w = {.out = &line};
    char shown[WHY_BYTES + 1];

    (void)kit_str_copy(shown, sizeof(shown), why);
    begin_end(&w, child, "error");
    kit_json_put_string(&w, "why", shown);
    kit_json_close(&w);
    (void)kit_buf_putc(&line, '\n');
    klua_child_say(child, &line);
}

static void say_raised(lua_State *L, const struct klua_child *child, int status)
{
    char text[100];

    if (status == LUA_ERRMEM) {
        (void)kit_str_format(text, sizeof(text), "not enough memory: its limit is %zu KiB",
                             child->job->heap_bytes / 1024);
        say_error(child, text);
    } else if (lua_type(L, -1) == LUA_TSTRING) {
        say_error(child, lua_tostring(L, -1));
    } else { /* its __tostring would be another call into the hook */
        (void)kit_str_format(text, sizeof(text), "it raised %s instead of a message",
                             luaL_typename(L, -1));
        say_error(child, text);
    }
}

/* (the line's buffer, the values…) */
static int write_protected(lua_State *L)
{
    struct klua_child *child = klua_child_of(L);
    struct kit_json_writer w = {.out = lua_touserdata(L, 1)};
    bool one = lua_gettop(L) > 1;

    begin_end(&w, child, "value");
    kit_json_put_bool(&w, "defined", child->defined);
    if (one)
        klua_value_write(L, 2, child->job->point ? "value" : "names", &w);
    if (one && lua_type(L, 3) == LUA_TSTRING) {
        size_t len_bytes;
        const char *why = lua_tolstring(L, 3, &len_bytes);
        kit_json_put_bytes(&w, "why", why,
                           strnlen(why, len_bytes < WHY_BYTES ? len_bytes : WHY_BYTES));
    }
    kit_json_close(&w);
    (void)kit_buf_putc(w.out, '\n');
    return 0;
}

/* The values that the run left. */
static void say_value(lua_State *L, const struct klua_child *child)
{
    KIT_AUTO(kit_buf) line = KIT_BUF(END_BYTES);
    char why[WHY_BYTES + 1];

    lua_pushcfunction(L, write_protected);
    lua_insert(L, 1);
    lua_pushlightuserdata(L, &line);
    lua_insert(L, 2);
    if (lua_pcall(L, lua_gettop(L) - 1, 0, 0) == LUA_OK) {
        klua_child_say(child, &line);
        return;
    }
    (void)kit_str_format(why, sizeof(why), "what it returned cannot be passed on: %s",
                         lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "too large");
    say_error(child, why);
}

_Noreturn void klua_child_main(const struct klua_job *job, int out_fd, int64_t stop_ns,
                               pid_t parent)
{
    struct klua_child child = {.job = job, .out_fd = OUT_FD, .stop_ns = stop_ns};
    char why[WHY_BYTES + 1];
    lua_State *L;
    int status;

    (void)setpgid(0, 0);
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    if (getppid() != parent)
        _exit(1); /* it died before we had asked to be told */
    reset_signals();
    if (!keep_only_the_pipe(out_fd))
        _exit(1);
    lower_limits(job->time_ms);
    L = klua_child_open(&child, why, sizeof(why));
    if (!L) {
        say_error(&child, why);
        _exit(0);
    }
    lua_pushcfunction(L, run_protected);
    status = lua_pcall(L, 0, LUA_MULTRET, 0);
    /* What follows runs no code of the hook: its time must not end the answer. */
    lua_sethook(L, NULL, 0, 0);
    if (status == LUA_OK)
        say_value(L, &child);
    else
        say_raised(L, &child, status);
    _exit(0); /* no lua_close: nothing of the hook runs any more */
}
