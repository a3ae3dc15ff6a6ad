/* Drives kit/net/http for tests/integration/net_http.py: reads one JSON document from standard
 * input, prints one JSON line per event.
 *   {"settings": {"ca_file", "proxy", "max_connections"},
 *    "steps": [{"until_ms": 40000, "requests": [{"tag", "method", "url", "headers": [["name",
 * "value"]], "body", "no_proxy", "timeout_ms", "connect_timeout_ms", "max_body_bytes"}]}]} The
 * requests of a step are started together and waited for until until_ms, then cancelled. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kit/fmt/json.h"
#include "kit/net/http.h"

#define INPUT_BYTES   (1024u * 1024)
#define STEP_REQUESTS 64
#define BODY_SHOWN    200

static int64_t number(const struct kit_json_node *object, const char *key, int64_t otherwise)
{
    int64_t value = otherwise;

    (void)kit_json_int(kit_json_get(object, key), &value);
    return value;
}

static const char *text(const struct kit_json_node *object, const char *key)
{
    return kit_json_string(kit_json_get(object, key));
}

static void print_line(struct kit_buf *line)
{
    (void)puts(line->data);
    (void)fflush(stdout);
    kit_buf_done(line);
}

static void print_err(struct kit_json_writer *w, const struct kit_err *err)
{
    kit_json_put_string(w, "kind", kit_err_name(err->kind));
    kit_json_put_string(w, "msg", err->msg);
    kit_json_put_bool(w, "outcome_open", err->outcome_open);
    kit_json_put_int(w, "http_status", err->http_status);
    kit_json_put_string(w, "err_request_id", err->request_id);
}

static void print_event(const char *event, const char *tag, const struct kit_err *err)
{
    struct kit_buf line = KIT_BUF(INPUT_BYTES);
    struct kit_json_writer w = {.out = &line};

    kit_json_open(&w, NULL, '{');
    kit_json_put_string(&w, "event", event);
    kit_json_put_string(&w, "tag", tag);
    if (err)
        print_err(&w, err);
    kit_json_close(&w);
    print_line(&line);
}

static void print_done(struct kit_http_done *done)
{
    struct kit_buf line = KIT_BUF(INPUT_BYTES);
    struct kit_json_writer w = {.out = &line};
    char shown[BODY_SHOWN + 1];

    kit_json_open(&w, NULL, '{');
    kit_json_put_string(&w, "event", done->failed ? "failed" : "answer");
    kit_json_put_string(&w, "tag", done->tag);
    if (done->failed) {
        print_err(&w, &done->err);
    } else {
        (void)snprintf(shown, sizeof(shown), "%s", done->resp.body.data);
        kit_json_put_int(&w, "status", done->resp.status);
        kit_json_put_int(&w, "body_bytes", (int64_t)done->resp.body.len_bytes);
        kit_json_put_string(&w, "body", shown);
        kit_json_put_string(&w, "content_type", done->resp.content_type);
        kit_json_put_string(&w, "date", done->resp.date);
        kit_json_put_string(&w, "request_id", done->resp.request_id);
        kit_json_put_int(&w, "retry_after_ms", done->resp.retry_after_ms);
        kit_json_put_bool(&w, "aged", done->resp.aged);
        kit_http_response_done(&done->resp);
    }
    kit_json_close(&w);
    print_line(&line);
}

static int make_request(const struct kit_json_node *from, struct kit_http_request *req,
                        struct kit_err *err)
{
    const struct kit_json_node *headers = kit_json_get(from, "headers");
    bool no_proxy = false;

    kit_http_request_init(req, text(from, "method") ? text(from, "method") : "GET");
    (void)kit_buf_puts(&req->url, text(from, "url") ? text(from, "url") : "");
    (void)kit_buf_puts(&req->body, text(from, "body") ? text(from, "body") : "");
    (void)kit_json_bool(kit_json_get(from, "no_proxy"), &no_proxy);
    req->no_proxy = no_proxy;
    req->timeout_ms = number(from, "timeout_ms", 20000);
    req->connect_timeout_ms = number(from, "connect_timeout_ms", 10000);
    req->max_body_bytes = (size_t)number(from, "max_body_bytes", 0);
    for (size_t i = 0; i < kit_json_count(headers); i++) {
        const struct kit_json_node *pair = kit_json_at(headers, i);
        const char *name = kit_json_string(kit_json_at(pair, 0));
        const char *value = kit_json_string(kit_json_at(pair, 1));
        if (name && value && kit_http_request_header(req, name, value, err) < 0)
            return -1;
    }
    return 0;
}

static void run_step(struct kit_transport *net, const struct kit_json_node *step)
{
    struct kit_http_request req[STEP_REQUESTS] = {0};
    const struct kit_json_node *requests = kit_json_get(step, "requests");
    struct kit_deadline until =
        kit_deadline_in_ms(&kit_clock_real, number(step, "until_ms", 40000));
    size_t count = kit_json_count(requests), under_way = 0;
    struct kit_http_done done;
    struct kit_err err;

    if (count > STEP_REQUESTS)
        count = STEP_REQUESTS;
    for (size_t i = 0; i < count; i++) {
        const struct kit_json_node *from = kit_json_at(requests, i);
        const char *tag = text(from, "tag") ? text(from, "tag") : "";
        /* Tags are borrowed from the document, which outlives the engine. */
        if (make_request(from, &req[i], &err) < 0 ||
            net->start(net->self, &req[i], (void *)(uintptr_t)tag, &err) < 0)
            print_event("refused", tag, &err);
        else
            under_way++;
    }
    for (; under_way > 0 && net->wait(net->self, until, &done) == 1; under_way--)
        print_done(&done);
    if (under_way > 0) {
        net->cancel(net->self);
        print_event("cancelled", "", NULL);
    }
    for (size_t i = 0; i < count; i++)
        kit_http_request_done(&req[i]);
}

int main(void)
{
    KIT_AUTO(kit_json) script = {0};
    KIT_AUTO(kit_buf) input = KIT_BUF(INPUT_BYTES);
    struct kit_transport net = {0};
    struct kit_err err;
    char part[4096];
    size_t len;

    while ((len = fread(part, 1, sizeof(part), stdin)) > 0)
        (void)kit_buf_add(&input, part, len);
    if (kit_buf_check(&input, "the script", &err) < 0 ||
        kit_json_parse(input.data, input.len_bytes, &script, &err) < 0) {
        (void)fprintf(stderr, "%s\n", err.msg);
        return 2;
    }
    const struct kit_json_node *steps = kit_json_get(kit_json_root(&script), "steps");
    const struct kit_json_node *given = kit_json_get(kit_json_root(&script), "settings");
    struct kit_http_settings settings = {
        .ca_file = text(given, "ca_file"),
        .proxy = text(given, "proxy"),
        .max_connections = (unsigned)number(given, "max_connections", 0),
        .user_agent = "http-client-test",
    };
    if (kit_http_open(&settings, &kit_clock_real, &net, &err) < 0) {
        print_event("not-open", "", &err);
        return 1;
    }
    for (size_t i = 0; i < kit_json_count(steps); i++)
        run_step(&net, kit_json_at(steps, i));
    kit_http_close(&net);
    return 0;
}
