#include "kit/net/http.h"

#include <signal.h>
#include <stdlib.h>

#include "kit/base/str.h"
#include "kit/net/exchange.h"

#define CONNECTIONS_DEFAULT 8

struct engine {
    CURLM *multi;
    struct kit_exchange *all; /* in order of creation */
    unsigned running, max_running;
    const struct kit_clock *clock;
    struct kit_exchange_common common;
};

/* ---- the engine ------------------------------------------------------------------------------ */

/* The exchange is idle again; its answer was handed over or is freed here. */
static void retire(struct engine *engine, struct kit_exchange *x)
{
    if (x->added) {
        (void)curl_multi_remove_handle(engine->multi, x->easy);
        engine->running--;
    }
    x->added = false;
    x->req = NULL;
    kit_exchange_clear(x);
    kit_http_response_done(&x->resp);
}

static void finish(struct engine *engine, struct kit_exchange *x, CURLcode code,
                   struct kit_http_done *ret_done)
{
    struct kit_http_done done = {.tag = x->tag};
    curl_off_t took_us = 0;
    long status = 0;

    (void)curl_easy_getinfo(x->easy, CURLINFO_RESPONSE_CODE, &status);
    (void)curl_easy_getinfo(x->easy, CURLINFO_TOTAL_TIME_T, &took_us);
    x->resp.status = (int)status;
    x->resp.took_ms = took_us / 1000;
    if (code != CURLE_OK) {
        (void)kit_exchange_explain(x, code, &done.err);
        done.failed = true;
    } else if (status >= 300 && status < 400) {
        kit_http_hide_secrets(x->resp.location);
        (void)kit_err_set(&done.err, KIT_ERR_PROTOCOL,
                          "%s: a redirect (HTTP %ld) to \"%s\", which is not followed: check the "
                          "endpoint",
                          x->what, status, x->resp.location);
        done.failed = true;
    } else {
        done.resp = x->resp;
        x->resp.body = KIT_BUF(0);
    }
    if (done.failed) {
        done.err.http_status = (int)status;
        (void)kit_str_copy(done.err.request_id, sizeof(done.err.request_id), x->resp.request_id);
    }
    retire(engine, x);
    *ret_done = done;
}

static struct kit_exchange *idle_exchange(struct engine *engine, struct kit_err *err)
{
    struct kit_exchange **end = &engine->all;
    struct kit_exchange *x;

    for (; *end; end = &(*end)->next)
        if (!(*end)->req)
            return *end;
    x = kit_mem_new(1, sizeof(*x));
    x->easy = curl_easy_init();
    if (!x->easy) {
        (void)kit_err_set(err, KIT_ERR_SYSTEM, "libcurl cannot make a handle");
    } else if (kit_exchange_set_common(x, &engine->common, err) == 0) {
        *end = x;
        return x;
    }
    curl_easy_cleanup(x->easy);
    free(x);
    return NULL;
}

/* Hands waiting exchanges to libcurl while there are connections to spare.  libcurl could queue
 * them itself, but would count the time in its queue against each one's timeout. */
static struct kit_exchange *launch(struct engine *engine)
{
    for (struct kit_exchange *x = engine->all; x && engine->running < engine->max_running;
         x = x->next) {
        if (!x->req || x->added)
            continue;
        if (curl_multi_add_handle(engine->multi, x->easy) != CURLM_OK)
            return x;
        x->added = true;
        engine->running++;
    }
    return NULL;
}

static int engine_start(void *self, const struct kit_http_request *req, void *tag,
                        struct kit_err *err)
{
    struct engine *engine = self;
    struct kit_exchange *x = idle_exchange(engine, err);

    if (!x || kit_http_check_request(req, x->what, err) < 0)
        return -1;
    x->req = req;
    x->tag = tag;
    x->body_too_large = false;
    x->header_bytes = 0;
    x->curl_says[0] = '\0';
    x->resp = (struct kit_http_response){
        .body = KIT_BUF_SECRET(req->max_body_bytes ? req->max_body_bytes : KIT_HTTP_BODY_BYTES),
        .retry_after_ms = -1,
    };
    if (kit_exchange_set_request(x, err) < 0) {
        retire(engine, x);
        return -1;
    }
    (void)launch(engine); /* one that cannot be launched is reported by the next wait */
    return 0;
}

/* The next finished exchange that libcurl knows of. */
static bool collect(struct engine *engine, struct kit_http_done *ret_done)
{
    int left;
    CURLMsg *message = curl_multi_info_read(engine->multi, &left);
    char *private_data = NULL;

    if (!message || message->msg != CURLMSG_DONE)
        return false;
    CURLcode code = message->data.result; /* the message dies with the handle's removal */
    (void)curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &private_data);
    finish(engine, (struct kit_exchange *)(void *)private_data, code, ret_done);
    return true;
}

/* libcurl itself is broken: end what is under way, one by one, instead of asking it for ever. */
static bool fail_one(struct engine *engine, struct kit_http_done *ret_done)
{
    for (struct kit_exchange *x = engine->all; x; x = x->next) {
        if (!x->added)
            continue;
        finish(engine, x, CURLE_FAILED_INIT, ret_done);
        return true;
    }
    return false;
}

static int engine_wait(void *self, struct kit_deadline until, struct kit_http_done *ret_done)
{
    struct engine *engine = self;

    for (;;) {
        struct kit_exchange *stuck = launch(engine);
        if (stuck) {
            finish(engine, stuck, CURLE_FAILED_INIT, ret_done);
            return 1;
        }
        int active;
        CURLMcode code = curl_multi_perform(engine->multi, &active);
        if (collect(engine, ret_done))
            return 1;
        if (code != CURLM_OK && fail_one(engine, ret_done))
            return 1;
        int64_t left_ms = kit_deadline_left_ms(engine->clock, until);
        if (engine->running == 0 || left_ms <= 0)
            return 0;
        (void)curl_multi_poll(engine->multi, NULL, 0, left_ms < 60000 ? (int)left_ms : 60000, NULL);
    }
}

static void engine_cancel(void *self)
{
    struct engine *engine = self;

    for (struct kit_exchange *x = engine->all; x; x = x->next)
        if (x->req)
            retire(engine, x);
}

/* ---- opening and closing --------------------------------------------------------------------- */

static int init_process(struct kit_err *err)
{
    static bool ready;
    struct sigaction pipe_action;

    if (ready)
        return 0;
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return kit_err_set(err, KIT_ERR_SYSTEM, "libcurl cannot start");
    /* With NOSIGNAL libcurl leaves SIGPIPE to us, and older ones write to TLS sockets without
     * MSG_NOSIGNAL. */
    if (sigaction(SIGPIPE, NULL, &pipe_action) == 0 && pipe_action.sa_handler == SIG_DFL)
        (void)signal(SIGPIPE, SIG_IGN);
    ready = true;
    return 0;
}

static void engine_close(struct engine *engine)
{
    struct kit_exchange *next;

    engine_cancel(engine);
    for (struct kit_exchange *x = engine->all; x; x = next) {
        next = x->next;
        curl_easy_cleanup(x->easy);
        free(x);
    }
    (void)curl_multi_cleanup(engine->multi);
    (void)curl_share_cleanup(engine->common.share);
    kit_trust_done(&engine->common.trust);
    free(engine->common.proxy);
    free(engine->common.user_agent);
    free(engine);
}

int kit_http_open(const struct kit_http_settings *settings, const struct kit_clock *clock,
                  struct kit_transport *ret_transport, struct kit_err *err)
{
    struct engine *engine;

    if (init_process(err) < 0)
        return -1;
    engine = kit_mem_new(1, sizeof(*engine));
    engine->clock = clock;
    engine->max_running =
        settings->max_connections ? settings->max_connections : CONNECTIONS_DEFAULT;
    engine->multi = curl_multi_init();
    engine->common.share = curl_share_init();
    if (settings->proxy)
        engine->common.proxy = kit_mem_strdup(settings->proxy);
    if (settings->user_agent)
        engine->common.user_agent = kit_mem_strdup(settings->user_agent);
    if (!engine->multi || !engine->common.share ||
        curl_share_setopt(engine->common.share, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION) !=
            CURLSHE_OK ||
        curl_multi_setopt(engine->multi, CURLMOPT_MAXCONNECTS, (long)engine->max_running) !=
            CURLM_OK) {
        engine_close(engine);
        return kit_err_set(err, KIT_ERR_SYSTEM, "libcurl cannot make an engine");
    }
    if (kit_trust_choose(settings->ca_file, &engine->common.trust, err) < 0) {
        engine_close(engine);
        return -1;
    }
    *ret_transport = (struct kit_transport){
        .start = engine_start, .wait = engine_wait, .cancel = engine_cancel, .self = engine};
    return 0;
}

void kit_http_close(struct kit_transport *transport)
{
    if (transport->self)
        engine_close(transport->self);
    *transport = (struct kit_transport){0};
}
