#include "sim_netlink.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <libmnl/libmnl.h>
#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define REQUEST_MAX_BYTES 256 /* one header, two addresses, three numbers */
#define OUR_PROTOCOL      201 /* of routes: an unassigned number, "ip route show proto 201" */

/* ---- the namespace --------------------------------------------------------------------------- */

struct opening {
    int netns_fd; /* borrowed; -1: our own */
    struct mnl_socket *socket;
    int error;
};

static struct mnl_socket *bound(int *ret_error)
{
    struct mnl_socket *socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);

    if (socket && !mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID))
        return socket;
    *ret_error = errno;
    if (socket)
        mnl_socket_close(socket);
    return NULL;
}

/* A thread of its own: a socket belongs to the namespace that its maker was in. */
static void *open_inside(void *context)
{
    struct opening *opening = context;

    if (opening->netns_fd >= 0 && setns(opening->netns_fd, CLONE_NEWNET))
        opening->error = errno;
    else
        opening->socket = bound(&opening->error);
    return NULL;
}

struct mnl_socket *sim_netlink_open(const char *netns)
{
    struct opening opening = {0};
    int fd = -1; /* our own */
    char path[256];
    pthread_t thread;

    if (strcmp(netns, ".") != 0) {
        snprintf(path, sizeof(path), "%s%s", strchr(netns, '/') ? "" : "/run/netns/", netns);
        fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
            return NULL;
    }
    opening.netns_fd = fd;
    opening.error = pthread_create(&thread, NULL, open_inside, &opening);
    if (!opening.error)
        pthread_join(thread, NULL);
    if (fd >= 0)
        close(fd);
    errno = opening.error;
    return opening.socket;
}

/* ---- requests -------------------------------------------------------------------------------- */

struct request {
    char bytes[REQUEST_MAX_BYTES] __attribute__((aligned(8)));
    struct nlmsghdr *head;
};

static void request_init(struct request *request, uint16_t type, uint16_t flags)
{
    memset(request, 0, sizeof(*request));
    request->head = mnl_nlmsg_put_header(request->bytes);
    request->head->nlmsg_type = type;
    request->head->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | NLM_F_ACK | flags);
}

/* Sends it and reads the answer, which is there when the sending returns. */
static int ask(struct mnl_socket *socket, struct request *request)
{
    static unsigned sequence; /* the world's lock is held */
    char answer[4096] __attribute__((aligned(8)));
    ssize_t got;
    int more;

    request->head->nlmsg_seq = ++sequence;
    if (mnl_socket_sendto(socket, request->head, request->head->nlmsg_len) < 0)
        return errno;
    do {
        got = mnl_socket_recvfrom(socket, answer, sizeof(answer));
        more = got < 0 ? -1
                       : mnl_cb_run(answer, (size_t)got, sequence, mnl_socket_get_portid(socket),
                                    NULL, NULL);
    } while (more > 0 || (more < 0 && (errno == EINTR || errno == ESRCH) && got < 0));
    return more < 0 ? errno : 0;
}

static size_t address_bytes(bool v6)
{
    return v6 ? 16 : 4;
}

static struct rtmsg *route_init(struct request *request, uint16_t type, uint16_t flags,
                                unsigned table, const struct sim_cidr *to)
{
    struct rtmsg *route;

    request_init(request, type, flags);
    route = mnl_nlmsg_put_extra_header(request->head, sizeof(*route));
    route->rtm_family = to->v6 ? AF_INET6 : AF_INET;
    route->rtm_dst_len = (unsigned char)to->bits;
    route->rtm_protocol = OUR_PROTOCOL;
    mnl_attr_put_u32(request->head, RTA_TABLE, table);
    mnl_attr_put(request->head, RTA_DST, address_bytes(to->v6), to->bytes);
    return route;
}

int sim_netlink_put_route(struct mnl_socket *socket, unsigned table, const struct sim_cidr *to,
                          const char *next_hop)
{
    struct request request;
    struct rtmsg *route =
        route_init(&request, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, table, to);
    unsigned char gateway[16];

    route->rtm_scope = RT_SCOPE_UNIVERSE;
    route->rtm_type = *next_hop ? RTN_UNICAST : RTN_BLACKHOLE;
    if (*next_hop) {
        if (inet_pton(route->rtm_family, next_hop, gateway) != 1)
            return EAFNOSUPPORT;
        mnl_attr_put(request.head, RTA_GATEWAY, address_bytes(to->v6), gateway);
    }
    return ask(socket, &request);
}

int sim_netlink_drop_route(struct mnl_socket *socket, unsigned table, const struct sim_cidr *to)
{
    struct request request;
    struct rtmsg *route = route_init(&request, RTM_DELROUTE, 0, table, to);

    route->rtm_scope = RT_SCOPE_NOWHERE;
    return ask(socket, &request);
}

int sim_netlink_rule(struct mnl_socket *socket, bool add, unsigned priority,
                     const struct sim_cidr *source, unsigned table)
{
    struct request request;
    struct fib_rule_hdr *rule;

    request_init(&request, add ? RTM_NEWRULE : RTM_DELRULE, add ? NLM_F_CREATE | NLM_F_EXCL : 0);
    rule = mnl_nlmsg_put_extra_header(request.head, sizeof(*rule));
    rule->family = source->v6 ? AF_INET6 : AF_INET;
    rule->action = FR_ACT_TO_TBL;
    rule->src_len = (unsigned char)source->bits;
    mnl_attr_put_u32(request.head, FRA_TABLE, table);
    mnl_attr_put_u32(request.head, FRA_PRIORITY, priority);
    if (source->bits)
        mnl_attr_put(request.head, FRA_SRC, address_bytes(source->v6), source->bytes);
    return ask(socket, &request);
}
