#include "sim_log.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "sim_http.h"

void sim_log_init(struct sim_log *log)
{
    pthread_condattr_t attr;

    *log = (struct sim_log){.next_seq = 1, .epoch_ms = sim_time_mono_ms()};
    log->entries = sim_alloc(SIM_LOG_MAX_ENTRIES * sizeof(*log->entries));
    pthread_mutex_init(&log->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&log->decided_more, &attr);
    pthread_condattr_destroy(&attr);
}

static struct sim_log_entry *at(const struct sim_log *log, size_t i)
{
    return log->entries[(log->first + i) % SIM_LOG_MAX_ENTRIES];
}

static void drop_first(struct sim_log *log)
{
    struct sim_log_entry *entry = at(log, 0);

    json_object_put(entry->params);
    free(entry);
    log->first = (log->first + 1) % SIM_LOG_MAX_ENTRIES;
    log->len--;
}

void sim_log_done(struct sim_log *log)
{
    while (log->len)
        drop_first(log);
    free(log->entries);
    if (log->file)
        fclose(log->file);
    pthread_cond_destroy(&log->decided_more);
    pthread_mutex_destroy(&log->lock);
}

void sim_log_close(struct sim_log *log)
{
    pthread_mutex_lock(&log->lock);
    log->closing = true;
    pthread_cond_broadcast(&log->decided_more);
    pthread_mutex_unlock(&log->lock);
}

/* What says who asks and for what, not with which parameters. */
static const char of_the_protocol[] =
    "Action Version Format AccessKeyId Signature SignatureMethod SignatureVersion SignatureNonce "
    "Timestamp";

/* Bearers of rights never enter the log. */
static bool is_secret(const char *name)
{
    return sim_text_match("*Token*", name) && strcmp(name, "NextToken") &&
           strcmp(name, "ClientToken");
}

static struct json_object *params_json(const struct sim_params *params)
{
    struct json_object *out = json_object_new_object();

    for (size_t i = 0; i < params->len; i++) {
        const char *name = params->items[i].name;

        if (!sim_words_know(of_the_protocol, name) && strncasecmp(name, "x-amz-", 6))
            sim_json_set_str(out, name, is_secret(name) ? "***" : params->items[i].value);
    }
    return out;
}

static struct sim_log_entry *find(const struct sim_log *log, const struct sim_log_ref *ref)
{
    uint64_t first;

    if (!log->len)
        return NULL;
    first = at(log, 0)->seq;
    return ref->seq >= first && ref->seq - first < log->len ? at(log, ref->seq - first) : NULL;
}

struct sim_log_ref sim_log_begin(struct sim_log *log, const struct sim_call *call, double start_ms,
                                 unsigned long connection, unsigned attempt)
{
    struct sim_log_entry *entry = sim_alloc(sizeof(*entry));
    struct sim_log_ref ref = {.api = strcmp(call->kind, "imds") != 0};

    memcpy(entry->kind, call->kind, sizeof(entry->kind));
    memcpy(entry->action, call->action, sizeof(entry->action));
    memcpy(entry->key, call->key, sizeof(entry->key));
    memcpy(entry->node, call->node, sizeof(entry->node));
    memcpy(entry->request_id, call->request_id, sizeof(entry->request_id));
    entry->params = params_json(&call->params);
    entry->connection = connection;
    entry->attempt = attempt;

    pthread_mutex_lock(&log->lock);
    entry->start_ms = start_ms - log->epoch_ms;
    entry->seq = ref.seq = log->next_seq++;
    if (ref.api)
        log->in_flight++;
    entry->in_flight = log->in_flight;
    if (log->len == SIM_LOG_MAX_ENTRIES)
        drop_first(log);
    log->entries[(log->first + log->len++) % SIM_LOG_MAX_ENTRIES] = entry;
    pthread_mutex_unlock(&log->lock);
    return ref;
}

static struct json_object *or_null(const char *text)
{
    return *text ? json_object_new_string(text) : NULL;
}

static struct json_object *number(double value)
{
    char text[40];

    snprintf(text, sizeof(text), "%.3f", value);
    return json_object_new_double_s(value, text);
}

static struct json_object *entry_json(const struct sim_log_entry *entry)
{
    struct json_object *out = json_object_new_object();

    json_object_object_add(out, "seq", json_object_new_int64((int64_t)entry->seq));
    json_object_object_add(out, "kind", json_object_new_string(entry->kind));
    json_object_object_add(out, "action", json_object_new_string(entry->action));
    json_object_object_add(out, "params", json_object_get(entry->params));
    json_object_object_add(out, "key", or_null(entry->key));
    json_object_object_add(out, "node", or_null(entry->node));
    json_object_object_add(out, "start_ms", number(entry->start_ms));
    json_object_object_add(out, "end_ms", entry->decided ? number(entry->end_ms) : NULL);
    json_object_object_add(out, "status", json_object_new_int(entry->status));
    json_object_object_add(out, "code", or_null(entry->code));
    json_object_object_add(out, "message", or_null(entry->message));
    json_object_object_add(out, "request_id", or_null(entry->request_id));
    json_object_object_add(out, "applied", json_object_new_boolean(entry->applied));
    json_object_object_add(out, "fault",
                           entry->fault ? json_object_new_string(entry->fault) : NULL);
    json_object_object_add(out, "connection", json_object_new_int64((int64_t)entry->connection));
    json_object_object_add(out, "attempt", json_object_new_int64(entry->attempt));
    json_object_object_add(out, "in_flight", json_object_new_int64(entry->in_flight));
    return out;
}

void sim_log_decide(struct sim_log *log, const struct sim_log_ref *ref, const struct sim_call *call,
                    const char *fault)
{
    struct sim_log_entry *entry;

    pthread_mutex_lock(&log->lock);
    entry = find(log, ref);
    if (entry) {
        entry->decided = true;
        entry->end_ms = sim_time_mono_ms() - log->epoch_ms;
        entry->status = call->status;
        entry->applied = call->applied;
        entry->fault = fault;
        memcpy(entry->code, call->code, sizeof(entry->code));
        memcpy(entry->message, call->message, sizeof(entry->message));
        /* The signature may say who it is only once it is checked. */
        memcpy(entry->key, call->key, sizeof(entry->key));
        memcpy(entry->node, call->node, sizeof(entry->node));
        if (log->file) {
            SIM_AUTO_JSON *line = entry_json(entry);

            fprintf(log->file, "%s\n",
                    json_object_to_json_string_ext(line, JSON_C_TO_STRING_NOSLASHESCAPE));
            fflush(log->file);
        }
        if (ref->api) {
            log->decided++;
            pthread_cond_broadcast(&log->decided_more);
        }
    }
    pthread_mutex_unlock(&log->lock);
}

void sim_log_end(struct sim_log *log, const struct sim_log_ref *ref)
{
    pthread_mutex_lock(&log->lock);
    if (ref->api)
        log->in_flight--;
    pthread_mutex_unlock(&log->lock);
}

void sim_log_show(struct sim_log *log, struct sim_buf *out)
{
    pthread_mutex_lock(&log->lock);
    sim_buf_str(out, "[");
    for (size_t i = 0; i < log->len; i++) {
        SIM_AUTO_JSON *entry = entry_json(at(log, i));

        sim_buf_fmt(out, "%s\n%s", i ? "," : "",
                    json_object_to_json_string_ext(entry, JSON_C_TO_STRING_NOSLASHESCAPE));
    }
    sim_buf_str(out, "]\n");
    pthread_mutex_unlock(&log->lock);
}

static void count(struct json_object *counts, const char *name)
{
    sim_json_set_int(counts, name, sim_json_int(counts, name, 0) + 1);
}

static int by_start(const void *a, const void *b)
{
    const struct sim_log_entry *const *left = a, *const *right = b;

    return ((*left)->start_ms > (*right)->start_ms) - ((*left)->start_ms < (*right)->start_ms);
}

/*
 * The longest chain of requests of which each began after the one before it was decided. Greedy:
 * a round lasts until the first decision in it; whoever starts later begins the next round.
 */
static unsigned rounds_of(const struct sim_log_entry **api, size_t len)
{
    double first_end = -1;
    unsigned rounds = 0;

    qsort(api, len, sizeof(*api), by_start);
    for (size_t i = 0; i < len; i++) {
        double end = api[i]->decided ? api[i]->end_ms : INFINITY;

        if (!rounds || api[i]->start_ms >= first_end) {
            rounds++;
            first_end = end;
        } else if (end < first_end) {
            first_end = end;
        }
    }
    return rounds;
}

static int compare_numbers(const void *a, const void *b)
{
    const unsigned long *left = a, *right = b;

    return (*left > *right) - (*left < *right);
}

static size_t distinct(unsigned long *numbers, size_t len)
{
    size_t found = 0;

    qsort(numbers, len, sizeof(*numbers), compare_numbers);
    for (size_t i = 0; i < len; i++)
        found += !i || numbers[i] != numbers[i - 1];
    return found;
}

void sim_log_summary(struct sim_log *log, struct sim_buf *out)
{
    SIM_AUTO_JSON *summary = json_object_new_object();
    struct json_object *actions = json_object_new_object(), *codes = json_object_new_object();
    const struct sim_log_entry **api;
    unsigned long *connections;
    unsigned max_in_flight = 0;
    size_t len = 0;

    pthread_mutex_lock(&log->lock);
    api = sim_alloc((log->len + 1) * sizeof(const struct sim_log_entry *));
    connections = sim_alloc((log->len + 1) * sizeof(*connections));
    for (size_t i = 0; i < log->len; i++) {
        const struct sim_log_entry *entry = at(log, i);

        count(actions, entry->action);
        if (*entry->code)
            count(codes, entry->code);
        if (!strcmp(entry->kind, "imds"))
            continue;
        api[len] = entry;
        connections[len++] = entry->connection;
        max_in_flight = entry->in_flight > max_in_flight ? entry->in_flight : max_in_flight;
    }
    sim_json_set_int(summary, "requests", (int64_t)log->len);
    sim_json_set_int(summary, "api_requests", (int64_t)len);
    json_object_object_add(summary, "actions", actions);
    json_object_object_add(summary, "codes", codes);
    sim_json_set_int(summary, "connections", (int64_t)distinct(connections, len));
    sim_json_set_int(summary, "max_in_flight", max_in_flight);
    sim_json_set_int(summary, "rounds", rounds_of(api, len));
    sim_buf_fmt(out, "%s\n",
                json_object_to_json_string_ext(summary, JSON_C_TO_STRING_NOSLASHESCAPE));
    free(api);
    free(connections);
    pthread_mutex_unlock(&log->lock);
}

void sim_log_clear(struct sim_log *log)
{
    pthread_mutex_lock(&log->lock);
    while (log->len)
        drop_first(log);
    log->decided = 0;
    pthread_mutex_unlock(&log->lock);
}

size_t sim_log_wait(struct sim_log *log, size_t requests, double timeout_ms)
{
    double until_ms = sim_time_mono_ms() + timeout_ms;
    struct timespec until = {
        .tv_sec = (time_t)(until_ms / 1e3),
        .tv_nsec = (long)(fmod(until_ms, 1e3) * 1e6),
    };
    size_t decided;

    pthread_mutex_lock(&log->lock);
    while (log->decided < requests && !log->closing)
        if (pthread_cond_timedwait(&log->decided_more, &log->lock, &until))
            break;
    decided = log->decided;
    pthread_mutex_unlock(&log->lock);
    return decided;
}
