#include "sim_segment.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <net/if.h>
#include <netinet/if_ether.h>
#include <netpacket/packet.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define STOP_LATE_MS 50 /* how late a stop may be noticed */

/* The address that is announced; -1 if the packet is no gratuitous ARP. */
static int read_announcement(const unsigned char *bytes, size_t len, char *ret_ip, size_t size)
{
    struct ether_arp arp;
    char text[INET_ADDRSTRLEN];
    static const unsigned char nobody[4];

    if (len < sizeof(arp))
        return -1;
    memcpy(&arp, bytes, sizeof(arp));
    if (ntohs(arp.arp_hrd) != ARPHRD_ETHER || ntohs(arp.arp_pro) != ETHERTYPE_IP ||
        arp.arp_hln != ETH_ALEN || arp.arp_pln != 4 ||
        (ntohs(arp.arp_op) != ARPOP_REQUEST && ntohs(arp.arp_op) != ARPOP_REPLY) ||
        memcmp(arp.arp_spa, arp.arp_tpa, 4) != 0 || !memcmp(arp.arp_spa, nobody, 4))
        return -1;
    inet_ntop(AF_INET, arp.arp_spa, text, sizeof(text));
    snprintf(ret_ip, size, "%s", text);
    return 0;
}

static void hear(const struct sim_segment *segment, const char *ip)
{
    struct sim_world *world = &segment->server->world;
    struct json_object *event = json_object_new_object();
    struct sim_error ignored; /* nobody's HAVIP, or not bound to this node: a packet like others */

    sim_json_set_str(event, "op", "announce");
    sim_json_set_str(event, "ip", ip);
    sim_json_set_str(event, "instance", segment->node);
    pthread_mutex_lock(&world->lock);
    sim_world_settle(world);
    if (!sim_world_event(world, event, 0, &ignored))
        sim_world_publish(world);
    pthread_mutex_unlock(&world->lock);
}

/* A socket that hears ARP and nothing else. The port of a bridge gives its packets away before a
 * socket for one protocol sees them: it has to be one for all, and a filter (packet(7)). */
static int open_socket(void)
{
    struct sock_filter only_arp[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (unsigned)(SKF_AD_OFF + SKF_AD_PROTOCOL)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETH_P_ARP, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, sizeof(struct ether_arp)),
        BPF_STMT(BPF_RET | BPF_K, 0),
    };
    const struct sock_fprog filter = {sizeof(only_arp) / sizeof(only_arp[0]), only_arp};
    int fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof(filter))) {
        close(fd);
        return -1;
    }
    return fd;
}

/* Listens on the interface of that name; -1 while there is none. */
static int attach(const struct sim_segment *segment)
{
    struct sockaddr_ll address = {
        .sll_family = AF_PACKET,
        .sll_protocol = htons(ETH_P_ALL),
        .sll_ifindex = (int)if_nametoindex(segment->interface),
    };

    if (!address.sll_ifindex)
        return -1;
    return bind(segment->fd, (struct sockaddr *)&address, sizeof(address));
}

/* A node that dies takes its wire with it, and comes back with a new one of the same name. */
static void *listen_to(void *context)
{
    const struct sim_segment *segment = context;
    struct pollfd ready = {.fd = segment->fd, .events = POLLIN};
    bool lost = false;

    while (!atomic_load(&segment->server->stopping)) {
        unsigned char bytes[128];
        struct sockaddr_ll from = {0};
        socklen_t from_len = sizeof(from);
        char ip[64];
        ssize_t got;

        if (lost)
            lost = attach(segment) != 0;
        if (poll(&ready, 1, STOP_LATE_MS) <= 0)
            continue;
        got = recvfrom(segment->fd, bytes, sizeof(bytes), MSG_DONTWAIT, (struct sockaddr *)&from,
                       &from_len);
        lost = lost || (got < 0 && errno == ENETDOWN);
        if (got > 0 && from.sll_pkttype != PACKET_OUTGOING &&
            !read_announcement(bytes, (size_t)got, ip, sizeof(ip)))
            hear(segment, ip);
    }
    return NULL;
}

static int start(struct sim_segment *segment, struct sim_server *server, struct sim_error *err)
{
    segment->server = server;
    segment->fd = -1;
    if (!if_nametoindex(segment->interface)) {
        snprintf(err->text, sizeof(err->text), "--segment: there is no interface %s",
                 segment->interface);
        return -1;
    }
    segment->fd = open_socket();
    if (segment->fd < 0 || attach(segment) ||
        pthread_create(&segment->thread, NULL, listen_to, segment)) {
        snprintf(err->text, sizeof(err->text), "--segment: %s: %m", segment->interface);
        if (segment->fd >= 0)
            close(segment->fd);
        segment->fd = -1;
        return -1;
    }
    return 0;
}

int sim_segments_start(struct sim_segment *segments, size_t count, struct sim_server *server,
                       struct sim_error *err)
{
    for (size_t i = 0; i < count; i++)
        segments[i].fd = -1;
    for (size_t i = 0; i < count; i++)
        if (start(&segments[i], server, err))
            return -1;
    return 0;
}

void sim_segments_stop(struct sim_segment *segments, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (segments[i].fd < 0)
            continue;
        pthread_join(segments[i].thread, NULL);
        close(segments[i].fd);
    }
}
