/* tests/bench/hooks.c - what one run of a hook costs the action, in this process's own time.
 *
 *   hooks DIR POINT RUNS
 *
 * Runs the first file of DIR that speaks of POINT; prints one JSON object.  The process is as large
 * as an action that has talked to its cloud: what is forked is what an action forks. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "actions/hooks.h"
#include "kit/base/str.h"
#include "kit/net/http.h"

#define RUNS_MAX 100000

static int by_size(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;

    return (left > right) - (left < right);
}

/* Three route tables, as of an action that has looked. */
static void make_facts(const struct kit_settings *settings, const char *point, struct kit_buf *out)
{
    struct kit_facts facts = {.me = "eni-0aa1"};
    const struct act_hook_about about = {.point = point,
                                         .action = "quickCheck",
                                         .caller = "LifeKeeper",
                                         .settings = settings,
                                         .deadline_ms = 20000,
                                         .facts = &facts,
                                         .outcome = "right"};

    for (int i = 0; i < 3; i++) {
        struct kit_binding *b = kit_facts_add(&facts);

        (void)kit_str_format(b->place, sizeof(b->place), "rtb-0aa%d", i);
        (void)kit_str_copy(b->holder, sizeof(b->holder), facts.me);
        b->mine = b->right = true;
    }
    act_hook_facts(&about, out);
    kit_facts_done(&facts);
}

static int measure(const struct act_hooks *hooks, const char *point, size_t runs)
{
    KIT_AUTO(kit_buf) facts = KIT_BUF(KLUA_FACTS_BYTES);
    KIT_AUTOFREE int64_t *ns = kit_mem_new(runs, sizeof(*ns));
    const struct act_hook_file *file = NULL;
    size_t heap_bytes = 0;

    for (size_t i = 0; i < hooks->count && !file; i++)
        if (act_hook_mentions(&hooks->file[i], point))
            file = &hooks->file[i];
    make_facts(hooks->settings, point, &facts);
    for (size_t i = 0; i < runs; i++) {
        const struct act_hook_call call = {.hooks = hooks,
                                           .point = point,
                                           .facts = &facts,
                                           .clock = &kit_clock_real,
                                           .by = kit_deadline_in_ms(&kit_clock_real, 20000)};
        KIT_AUTO(klua_answer) answer = {.lines = 0};
        int64_t began_ns = kit_clock_now_ns(&kit_clock_real);
        struct kit_err err;

        if (file && act_hook_run(&call, file, &answer, &err)) {
            (void)fprintf(stderr, "hooks: %s\n", err.msg);
            return 1;
        }
        ns[i] = kit_clock_now_ns(&kit_clock_real) - began_ns;
        heap_bytes = answer.heap_bytes;
    }
    qsort(ns, runs, sizeof(*ns), by_size);
    const int64_t median_ns = ns[runs / 2], p95_ns = ns[runs * 95 / 100];
    (void)printf("{\"found\":%s,\"runs\":%zu,\"min_us\":%.1f,\"median_us\":%.1f,\"p95_us\":%.1f,"
                 "\"max_us\":%.1f,\"heap_bytes\":%zu}\n",
                 file ? "true" : "false", runs, (double)ns[0] / 1e3, (double)median_ns / 1e3,
                 (double)p95_ns / 1e3, (double)ns[runs - 1] / 1e3, heap_bytes);
    return 0;
}

int main(int argc, char **argv)
{
    struct kit_settings settings;
    struct kit_transport net;
    struct act_hooks hooks;
    struct kit_err err;
    int64_t runs = 0;
    int status;

    kit_settings_init(&settings, "vip1");
    if (argc != 4 || !kit_str_to_int(argv[3], 1, RUNS_MAX, &runs) ||
        kit_settings_put(&settings, KIT_PARAM_HOOK_DIR, argv[1], "argv", &err)) {
        (void)fputs("usage: hooks DIR POINT RUNS\n", stderr);
        return 2;
    }
    if (kit_http_open(&(struct kit_http_settings){.max_connections = 100}, &kit_clock_real, &net,
                      &err)) {
        (void)fprintf(stderr, "hooks: %s\n", err.msg);
        return 1;
    }
    act_hooks_open(&hooks, &settings);
    status = measure(&hooks, argv[2], (size_t)runs);
    act_hooks_done(&hooks);
    kit_http_close(&net);
    kit_settings_done(&settings);
    return status;
}
