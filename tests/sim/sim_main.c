/* cloudsim: the command line, and the life of the server. README.md is the manual. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "sim_clouds.h"
#include "sim_dataplane.h"
#include "sim_segment.h"
#include "sim_serve.h"

enum {
    EXIT_BAD_WORLD = 1,
    EXIT_USAGE = 2
};

#define LISTENERS_MAX  64
#define SEGMENTS_MAX   16
#define FILE_MAX_BYTES SIM_CONTROL_MAX_BYTES

struct options {
    const char *world, *cert, *key, *port_file, *log;
    double latency_ms;
    bool quiet;
    struct sim_listener listeners[LISTENERS_MAX];
    size_t listener_count;
    struct sim_segment segments[SEGMENTS_MAX];
    size_t segment_count;
    struct sim_dataplane dataplane;
};

static const char usage_text[] =
    "usage: cloudsim --listen ADDR:PORT [--listen-tls ADDR:PORT --tls-cert FILE --tls-key FILE]\n"
    "                [--imds ADDR:PORT=INSTANCE]... [--segment IFACE=NODE]...\n"
    "                [--dataplane NETNS] [--reach ID=ADDRESS]... --world FILE\n"
    "                [--port-file FILE] [--latency MS] [--log FILE] [--quiet]\n";

/* ADDR:PORT or [ADDR]:PORT, for metadata with =INSTANCE behind it. */
static int add_listener(struct options *options, const char *text, bool tls, bool imds)
{
    struct sim_listener *listener = &options->listeners[options->listener_count];
    const char *equals = imds ? strchr(text, '=') : NULL;
    const char *end = equals ? equals : text + strlen(text);
    const char *colon = memrchr(text, ':', (size_t)(end - text));
    size_t host_len = colon ? (size_t)(colon - text) : 0;
    char *rest;

    if (options->listener_count == LISTENERS_MAX || !host_len || (imds && (!equals || !equals[1])))
        return -1;
    if (*text == '[' && text[host_len - 1] == ']') {
        text++;
        host_len -= 2;
    }
    if (host_len >= sizeof(listener->host))
        return -1;
    *listener = (struct sim_listener){.tls = tls, .instance = equals ? equals + 1 : NULL};
    memcpy(listener->host, text, host_len);
    listener->port = (unsigned)strtoul(colon + 1, &rest, 10);
    if (rest == colon + 1 || rest != end || listener->port > 65535)
        return -1;
    options->listener_count++;
    return 0;
}

/* IFACE=NODE */
static int add_segment(struct options *options, const char *text)
{
    struct sim_segment *segment = &options->segments[options->segment_count];
    size_t len = strcspn(text, "=");

    if (options->segment_count == SEGMENTS_MAX || !len || len >= sizeof(segment->interface) ||
        !text[len] || !text[len + 1])
        return -1;
    *segment = (struct sim_segment){.node = text + len + 1, .fd = -1};
    memcpy(segment->interface, text, len);
    options->segment_count++;
    return 0;
}

static int read_latency(const char *text, double *ret_ms)
{
    char *end;
    double ms = strtod(text, &end);

    if (end == text || *end || !(ms >= 0 && ms <= 3600e3))
        return -1;
    *ret_ms = ms;
    return 0;
}

static int parse_options(int argc, char **argv, struct options *ret_options)
{
    static const struct option known[] = {
        {"listen", required_argument, NULL, 'l'},
        {"listen-tls", required_argument, NULL, 's'},
        {"imds", required_argument, NULL, 'i'},
        {"segment", required_argument, NULL, 'a'},
        {"world", required_argument, NULL, 'w'},
        {"tls-cert", required_argument, NULL, 'c'},
        {"tls-key", required_argument, NULL, 'k'},
        {"port-file", required_argument, NULL, 'p'},
        {"latency", required_argument, NULL, 't'},
        {"log", required_argument, NULL, 'g'},
        {"quiet", no_argument, NULL, 'q'},
        {"dataplane", required_argument, NULL, 'd'},
        {"reach", required_argument, NULL, 'r'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    struct options *options = ret_options;
    bool tls = false;
    int letter;

    *options = (struct options){0};
    while ((letter = getopt_long(argc, argv, "h", known, NULL)) != -1) {
        int bad = 0;

        switch (letter) {
        case 'l': bad = add_listener(options, optarg, false, false); break;
        case 's': bad = add_listener(options, optarg, tls = true, false); break;
        case 'i': bad = add_listener(options, optarg, false, true); break;
        case 'a': bad = add_segment(options, optarg); break;
        case 'w': options->world = optarg; break;
        case 'c': options->cert = optarg; break;
        case 'k': options->key = optarg; break;
        case 'p': options->port_file = optarg; break;
        case 't': bad = read_latency(optarg, &options->latency_ms); break;
        case 'g': options->log = optarg; break;
        case 'd': options->dataplane.netns = optarg; break;
        case 'r': bad = sim_dataplane_reach(&options->dataplane, optarg); break;
        case 'q': options->quiet = true; break;
        case 'h': fputs(usage_text, stdout); exit(EXIT_SUCCESS);
        default: return -1;
        }
        if (bad) {
            fprintf(stderr, "cloudsim: not as it should be: %s\n", optarg);
            return -1;
        }
    }
    if (!options->listener_count || !options->world || optind != argc ||
        (options->dataplane.reach_count && !options->dataplane.netns))
        return -1;
    return tls && (!options->cert || !options->key) ? -1 : 0;
}

/* The whole file, NUL-terminated; NULL with a message. */
static char *read_file(const char *path)
{
    struct sim_buf text = {0};
    int fd = strcmp(path, "-") ? open(path, O_RDONLY | O_CLOEXEC) : dup(STDIN_FILENO);
    char block[65536];
    ssize_t got = fd < 0 ? -1 : 0;

    while (fd >= 0 && text.len < FILE_MAX_BYTES && (got = read(fd, block, sizeof(block))) > 0)
        sim_buf_add(&text, block, (size_t)got);
    if (got)
        fprintf(stderr, "cloudsim: %s: %s\n", path, got < 0 ? strerror(errno) : "too large");
    if (fd >= 0)
        close(fd);
    sim_buf_str(&text, "");
    if (!got)
        return text.data;
    sim_buf_done(&text);
    return NULL;
}

static int load_world(struct sim_world *world, const char *path)
{
    struct sim_error err = {.text = "not JSON"};
    char *text = read_file(path);
    struct json_object *doc = text ? json_tokener_parse(text) : NULL;
    int bad = !doc || sim_world_replace(world, doc, &err);

    if (text && bad)
        fprintf(stderr, "cloudsim: %s: %s\n", path, err.text);
    free(text);
    return bad;
}

/* Readers see the whole file or none. */
static int write_ports(const struct sim_server *server, const char *path)
{
    SIM_AUTO_BUF temporary = {0};
    FILE *file;
    int bad;

    sim_buf_fmt(&temporary, "%s.%ld", path, (long)getpid());
    file = fopen(temporary.data, "we");
    if (!file) {
        fprintf(stderr, "cloudsim: %s: %m\n", temporary.data);
        return -1;
    }
    for (size_t i = 0; i < server->listener_count; i++)
        fprintf(file, "%u\n", server->listeners[i].port);
    bad = fclose(file);
    bad = bad || rename(temporary.data, path);
    if (bad)
        fprintf(stderr, "cloudsim: %s: %m\n", path);
    return bad;
}

static void announce(const struct sim_server *server)
{
    for (size_t i = 0; i < server->listener_count; i++) {
        const struct sim_listener *listener = &server->listeners[i];
        bool v6 = strchr(listener->host, ':');

        printf("cloudsim: listening on http%s://%s%s%s:%u%s%s\n", listener->tls ? "s" : "",
               v6 ? "[" : "", listener->host, v6 ? "]" : "", listener->port,
               listener->instance ? " metadata of " : "",
               listener->instance ? listener->instance : "");
    }
    fflush(stdout);
}

static int serve(struct sim_server *server, struct options *options)
{
    struct sim_error err = {0};
    sigset_t ends;
    bool bad;
    int got;

    /* Blocked before any thread exists, so that sigwait below is the only one to see them. */
    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    sigaddset(&ends, SIGINT);
    pthread_sigmask(SIG_BLOCK, &ends, NULL);
    signal(SIGPIPE, SIG_IGN);
    for (size_t i = 0; i < server->listener_count; i++) {
        const char *node = server->listeners[i].instance;

        if (node && !sim_serve_has_node(server, node)) {
            fprintf(stderr, "cloudsim: --imds: %s is not in the world\n", node);
            return EXIT_BAD_WORLD;
        }
    }
    if (options->dataplane.netns)
        server->dataplane = &options->dataplane;
    bad = (server->dataplane && sim_dataplane_start(server->dataplane, server, &err)) ||
          sim_segments_start(options->segments, options->segment_count, server, &err) ||
          sim_http_start(server, &err);
    if (bad)
        fprintf(stderr, "cloudsim: %s\n", err.text);
    else if (!options->quiet)
        announce(server);
    bad = bad || (options->port_file && write_ports(server, options->port_file));
    if (!bad)
        sigwait(&ends, &got);
    sim_http_stop(server);
    sim_segments_stop(options->segments, options->segment_count);
    if (server->dataplane)
        sim_dataplane_stop(server->dataplane);
    return bad ? EXIT_BAD_WORLD : 0;
}

int main(int argc, char **argv)
{
    static struct options options;
    static struct sim_server server;
    char *cert = NULL, *key = NULL;
    int status = EXIT_BAD_WORLD;

    if (parse_options(argc, argv, &options)) {
        fputs(usage_text, stderr);
        return EXIT_USAGE;
    }
    sim_world_init(&server.world, sim_clouds);
    sim_log_init(&server.log);
    sim_faults_init(&server.faults);
    server.listeners = options.listeners;
    server.listener_count = options.listener_count;
    server.latency_ms = options.latency_ms;
    if (options.cert && options.key) {
        server.cert_pem = cert = read_file(options.cert);
        server.key_pem = key = read_file(options.key);
    }
    if (options.log) {
        server.log.file = fopen(options.log, "ae");
        if (!server.log.file)
            fprintf(stderr, "cloudsim: %s: %m\n", options.log);
    }
    if (!load_world(&server.world, options.world) && !options.cert == !cert &&
        !options.key == !key && !options.log == !server.log.file)
        status = serve(&server, &options);
    sim_faults_done(&server.faults);
    sim_log_done(&server.log);
    sim_world_done(&server.world);
    free(cert);
    free(key);
    return status;
}
