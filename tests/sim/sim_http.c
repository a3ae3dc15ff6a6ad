#include "sim_http.h"

#include <arpa/inet.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include "sim_control.h"
#include "sim_serve.h"

#define CONTROL_PREFIX "/_cloudsim/"
#define NODE_PREFIX    "/_cloudsim/node/"

/* Of one HTTP request, from its first line to its end. */
struct exchange {
    char *target;
    struct sim_buf body;
    double start_ms;
    bool begun, too_big;
};

/* Of one TCP connection. */
struct connection {
    unsigned long id;
    unsigned requests;
    /* Owned. It outlives a request that the server refuses on its own (a head that is too long):
     * nobody is told of the end of those. */
    struct exchange *exchange;
};

static struct connection *connection_of(struct MHD_Connection *connection)
{
    return MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
}

static void drop_exchange(struct connection *mine)
{
    if (!mine->exchange)
        return;
    free(mine->exchange->target);
    sim_buf_done(&mine->exchange->body);
    free(mine->exchange);
    mine->exchange = NULL;
}

const char *sim_request_header(const struct sim_request *request, const char *name)
{
    for (size_t i = 0; i < request->header_count; i++)
        if (!strcasecmp(request->headers[i].name, name))
            return request->headers[i].value;
    return NULL;
}

void sim_answer_header(struct sim_answer *answer, const char *name, const char *format, ...)
{
    va_list args;
    size_t i = answer->header_count;

    if (i == SIM_ANSWER_HEADERS)
        return;
    snprintf(answer->headers[i].name, sizeof(answer->headers[i].name), "%s", name);
    va_start(args, format);
    vsnprintf(answer->headers[i].value, sizeof(answer->headers[i].value), format, args);
    va_end(args);
    answer->header_count++;
}

void sim_answer_type(struct sim_answer *answer, const char *content_type)
{
    snprintf(answer->content_type, sizeof(answer->content_type), "%s", content_type);
}

bool sim_http_wait(struct sim_server *server, int socket, double ms)
{
    unsigned long holds = atomic_load(&server->holds);
    double until_ms = sim_time_mono_ms() + ms;

    for (;;) {
        struct pollfd gone = {.fd = socket, .events = POLLRDHUP};
        double left_ms = ms < 0 ? 20 : until_ms - sim_time_mono_ms();
        struct timespec slice;

        if (left_ms <= 0)
            return true;
        left_ms = left_ms > 20 ? 20 : left_ms; /* how late a stop may be noticed */
        slice = (struct timespec){.tv_nsec = (long)(left_ms * 1e6)};
        if (ppoll(&gone, 1, &slice, NULL) > 0 && gone.revents)
            return false;
        if (atomic_load(&server->stopping))
            return false;
        if (ms < 0 && atomic_load(&server->holds) != holds)
            return false;
    }
}

static enum MHD_Result add_header(void *context, enum MHD_ValueKind kind, const char *name,
                                  const char *value)
{
    struct sim_request *request = context;

    (void)kind;
    if (request->header_count == SIM_HEADERS_MAX)
        return MHD_NO;
    request->headers[request->header_count++] =
        (struct sim_header){.name = name, .value = value ? value : ""};
    return MHD_YES;
}

static bool is_loopback(const struct sockaddr *address)
{
    if (address->sa_family == AF_INET) {
        const struct sockaddr_in *v4 = (const void *)address;

        return ntohl(v4->sin_addr.s_addr) >> 24 == 127;
    }
    if (address->sa_family == AF_INET6) {
        const struct sockaddr_in6 *v6 = (const void *)address;

        return IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr);
    }
    return false;
}

/* An abort as a crashed peer shows it: the kernel sends RST at once, whatever is unread. */
static void reset_socket(int fd)
{
    struct sockaddr none = {.sa_family = AF_UNSPEC};

    (void)connect(fd, &none, sizeof(none));
}

/* ---- answers --------------------------------------------------------------------------------- */

struct stream {
    struct sim_buf body;
    size_t limit; /* how much of it is sent before the connection is cut */
    size_t step;  /* 0: as much as there is room for */
    double pause_ms;
    struct sim_server *server;
    int socket;
};

static ssize_t stream_read(void *context, uint64_t pos, char *out, size_t max)
{
    struct stream *stream = context;
    size_t left = pos < stream->limit ? stream->limit - (size_t)pos : 0;

    if (!left)
        return MHD_CONTENT_READER_END_WITH_ERROR;
    if (stream->step && stream->step < max)
        max = stream->step;
    if (stream->step && pos && !sim_http_wait(stream->server, stream->socket, stream->pause_ms))
        return MHD_CONTENT_READER_END_WITH_ERROR;
    max = max < left ? max : left;
    memcpy(out, stream->body.data + pos, max);
    return (ssize_t)max;
}

static void stream_free(void *context)
{
    struct stream *stream = context;

    sim_buf_done(&stream->body);
    free(stream);
}

/* Takes the body out of the answer. */
static struct MHD_Response *make_response(struct sim_server *server, int socket,
                                          struct sim_answer *answer, const struct sim_outcome *how)
{
    struct MHD_Response *response;
    struct stream *stream;

    if (how->limit < 0 && !how->drip_bytes) {
        response = MHD_create_response_from_buffer(answer->body.len, answer->body.data,
                                                   MHD_RESPMEM_MUST_FREE);
        answer->body = (struct sim_buf){0};
        return response;
    }
    stream = sim_alloc(sizeof(*stream));
    *stream = (struct stream){
        .body = answer->body,
        .limit = how->limit < 0 ? answer->body.len : (size_t)how->limit,
        .step = how->drip_bytes,
        .pause_ms = how->drip_ms,
        .server = server,
        .socket = socket,
    };
    answer->body = (struct sim_buf){0};
    return MHD_create_response_from_callback(stream->body.len, 16384, stream_read, stream,
                                             stream_free);
}

static enum MHD_Result send_answer(struct sim_server *server, struct MHD_Connection *connection,
                                   int socket, struct sim_answer *answer,
                                   const struct sim_outcome *how)
{
    struct MHD_Response *response = make_response(server, socket, answer, how);
    enum MHD_Result sent;
    char date[64];

    if (!response)
        return MHD_NO;
    sim_time_http(sim_time_real_ms() + how->clock_offset_ms, date, sizeof(date));
    MHD_add_response_header(response, "Date", date);
    MHD_add_response_header(response, "Server", "cloudsim");
    if (*answer->content_type)
        MHD_add_response_header(response, "Content-Type", answer->content_type);
    for (size_t i = 0; i < answer->header_count; i++)
        MHD_add_response_header(response, answer->headers[i].name, answer->headers[i].value);
    sent = MHD_queue_response(connection, (unsigned)answer->status, response);
    MHD_destroy_response(response);
    return sent;
}

/* ---- requests -------------------------------------------------------------------------------- */

static void refuse_plainly(struct sim_answer *answer, int status, const char *text)
{
    answer->status = status;
    sim_answer_type(answer, "text/plain");
    sim_buf_fmt(&answer->body, "%s\n", text);
}

/* Splits /_cloudsim/node/INSTANCE/REST. */
static bool split_node(struct sim_request *request, char *ret_node, size_t size)
{
    const char *name = request->path + strlen(NODE_PREFIX);
    size_t len = strcspn(name, "/");

    if (!len || len >= size || name[len] != '/')
        return false;
    memcpy(ret_node, name, len);
    ret_node[len] = '\0';
    request->path = name + len;
    return true;
}

static void dispatch(struct sim_listener *listener, struct sim_request *request,
                     const struct sockaddr *peer, struct sim_link *link, struct sim_answer *answer,
                     struct sim_outcome *ret_how)
{
    char node[64] = "";

    if (listener->instance) {
        sim_serve(listener->server, request, listener->instance, link, answer, ret_how);
    } else if (!strncmp(request->path, NODE_PREFIX, strlen(NODE_PREFIX))) {
        if (split_node(request, node, sizeof(node)))
            sim_serve(listener->server, request, node, link, answer, ret_how);
        else
            refuse_plainly(answer, 404, "no such node");
    } else if (!strncmp(request->path, CONTROL_PREFIX, strlen(CONTROL_PREFIX))) {
        if (is_loopback(peer))
            sim_control_serve(listener->server, request, request->path + strlen(CONTROL_PREFIX),
                              answer);
        else
            refuse_plainly(answer, 403, "the control API is for loopback only");
    } else {
        sim_serve(listener->server, request, NULL, link, answer, ret_how);
    }
}

static enum MHD_Result answer_exchange(struct sim_listener *listener,
                                       struct MHD_Connection *connection, const char *method,
                                       struct exchange *exchange)
{
    const union MHD_ConnectionInfo *of_socket =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    const union MHD_ConnectionInfo *of_peer =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    const struct connection *mine = connection_of(connection);
    struct sim_link link = {
        .socket = of_socket->connect_fd,
        .connection = mine->id,
        .attempt = mine->requests,
        .start_ms = exchange->start_ms,
    };
    struct sim_request request = {
        .method = method,
        .target = exchange->target,
        .body = sim_buf_text(&exchange->body),
        .body_len = exchange->body.len,
        .tls = listener->tls,
    };
    struct sim_answer answer = {0};
    struct sim_outcome how = {.limit = -1};
    enum MHD_Result result = MHD_NO;
    size_t path_len = strcspn(exchange->target, "?");
    char *path = strndup(exchange->target, path_len);

    if (!path)
        abort();
    request.path = path;
    request.query = exchange->target[path_len] ? exchange->target + path_len + 1 : "";
    MHD_get_connection_values(connection, MHD_HEADER_KIND, add_header, &request);
    if (exchange->too_big)
        refuse_plainly(&answer, 413, "the request is too large");
    else
        dispatch(listener, &request, of_peer->client_addr, &link, &answer, &how);
    if (how.reset)
        reset_socket(link.socket);
    else if (!how.silent)
        result = send_answer(listener->server, connection, link.socket, &answer, &how);
    free(path);
    sim_buf_done(&answer.body);
    return result;
}

static size_t body_limit(const char *target)
{
    return strncmp(target, CONTROL_PREFIX, strlen(CONTROL_PREFIX)) ? SIM_BODY_MAX_BYTES
                                                                   : SIM_CONTROL_MAX_BYTES;
}

static enum MHD_Result handle(void *context, struct MHD_Connection *connection, const char *url,
                              const char *method, const char *version, const char *upload,
                              size_t *upload_size, void **exchange_context)
{
    struct exchange *exchange = *exchange_context;

    (void)url, (void)version;
    if (!exchange)
        return MHD_NO;
    if (!exchange->begun) {
        exchange->begun = true;
        exchange->start_ms = sim_time_mono_ms();
        return MHD_YES;
    }
    if (*upload_size) {
        if (exchange->body.len + *upload_size > body_limit(exchange->target))
            exchange->too_big = true; /* the rest is read and dropped, then refused */
        else
            sim_buf_add(&exchange->body, upload, *upload_size);
        *upload_size = 0;
        return MHD_YES;
    }
    return answer_exchange(context, connection, method, exchange);
}

static void *begin_exchange(void *context, const char *target, struct MHD_Connection *connection)
{
    struct connection *mine = connection_of(connection);

    (void)context;
    drop_exchange(mine);
    mine->requests++;
    mine->exchange = sim_alloc(sizeof(*mine->exchange));
    mine->exchange->target = sim_strdup(target);
    return mine->exchange;
}

static void end_exchange(void *context, struct MHD_Connection *connection, void **exchange_context,
                         enum MHD_RequestTerminationCode why)
{
    (void)context, (void)why;
    drop_exchange(connection_of(connection));
    *exchange_context = NULL;
}

static void watch_connection(void *context, struct MHD_Connection *connection,
                             void **socket_context, enum MHD_ConnectionNotificationCode what)
{
    struct sim_listener *listener = context;

    (void)connection;
    if (what == MHD_CONNECTION_NOTIFY_STARTED) {
        struct connection *mine = sim_alloc(sizeof(*mine));

        mine->id = atomic_fetch_add(&listener->server->connections, 1) + 1;
        *socket_context = mine;
    } else {
        drop_exchange(*socket_context);
        free(*socket_context);
        *socket_context = NULL;
    }
}

/* ---- listeners ------------------------------------------------------------------------------- */

static int open_socket(struct sim_listener *listener, struct sim_error *err)
{
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } at = {0};
    socklen_t len;
    int fd, on = 1;

    if (inet_pton(AF_INET, listener->host, &at.v4.sin_addr) == 1) {
        at.v4.sin_family = AF_INET;
        at.v4.sin_port = htons((uint16_t)listener->port);
        len = sizeof(at.v4);
    } else if (inet_pton(AF_INET6, listener->host, &at.v6.sin6_addr) == 1) {
        at.v6.sin6_family = AF_INET6;
        at.v6.sin6_port = htons((uint16_t)listener->port);
        len = sizeof(at.v6);
    } else {
        snprintf(err->text, sizeof(err->text), "not an address: %s", listener->host);
        return -1;
    }
    fd = socket(at.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0)
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (fd < 0 || bind(fd, &at.any, len) || listen(fd, 512) || getsockname(fd, &at.any, &len)) {
        snprintf(err->text, sizeof(err->text), "%s port %u: %m", listener->host, listener->port);
        if (fd >= 0)
            close(fd);
        return -1;
    }
    listener->port = ntohs(at.any.sa_family == AF_INET ? at.v4.sin_port : at.v6.sin6_port);
    return fd;
}

static int start_listener(struct sim_listener *listener, struct sim_error *err)
{
    unsigned flags = MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_THREAD_PER_CONNECTION |
                     MHD_USE_POLL | MHD_USE_SUPPRESS_DATE_NO_CLOCK;
    struct MHD_OptionItem tls[] = {
        {MHD_OPTION_HTTPS_MEM_CERT, 0, (void *)(uintptr_t)listener->server->cert_pem},
        {MHD_OPTION_HTTPS_MEM_KEY, 0, (void *)(uintptr_t)listener->server->key_pem},
        {MHD_OPTION_END, 0, NULL},
    };
    int fd = open_socket(listener, err);

    if (fd < 0)
        return -1;
    if (listener->tls)
        flags |= MHD_USE_TLS;
    listener->daemon = MHD_start_daemon(
        flags, 0, NULL, NULL, handle, listener, MHD_OPTION_LISTEN_SOCKET, fd,
        MHD_OPTION_URI_LOG_CALLBACK, begin_exchange, NULL, MHD_OPTION_NOTIFY_COMPLETED,
        end_exchange, NULL, MHD_OPTION_NOTIFY_CONNECTION, watch_connection, listener,
        MHD_OPTION_CONNECTION_LIMIT, 2000u, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)131072,
        MHD_OPTION_ARRAY, listener->tls ? tls : tls + 2, MHD_OPTION_END);
    if (!listener->daemon) {
        snprintf(err->text, sizeof(err->text), "cannot serve on %s port %u%s", listener->host,
                 listener->port, listener->tls ? " (certificate and key?)" : "");
        close(fd);
        return -1;
    }
    return 0;
}

int sim_http_start(struct sim_server *server, struct sim_error *err)
{
    for (size_t i = 0; i < server->listener_count; i++) {
        server->listeners[i].server = server;
        if (start_listener(&server->listeners[i], err))
            return -1;
    }
    return 0;
}

void sim_http_stop(struct sim_server *server)
{
    atomic_store(&server->stopping, true);
    sim_log_close(&server->log);
    for (size_t i = 0; i < server->listener_count; i++)
        if (server->listeners[i].daemon)
            MHD_stop_daemon(server->listeners[i].daemon);
}
