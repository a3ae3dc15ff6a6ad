/* kit/sys/arp.c - tell the segment who has an address. */
#include "kit/sys/arp.h"

#include <errno.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <netinet/icmp6.h>
#include <netinet/if_ether.h>
#include <netinet/ip6.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "kit/base/mem.h"
#include "kit/base/str.h"
#include "kit/sys/link.h"

/* A packet socket of the interface, which puts the Ethernet header in front. */
struct port {
    int fd;
    struct sockaddr_ll to;
    unsigned char mac[ETH_ALEN];
};

/* KIT_AUTO */
static void port_done(struct port *p)
{
    if (p->fd >= 0)
        (void)close(p->fd);
}

static int port_open(const char *interface, uint16_t protocol, struct port *p, struct kit_err *err)
{
    struct sockaddr_ll own = {.sll_family = AF_PACKET};
    socklen_t own_bytes = sizeof(own);
    struct kit_link link;

    if (kit_link_read(interface, &link, err) != 0)
        return -1;
    if (!link.mac[0])
        return kit_err_set(err, KIT_ERR_CONFIG, "interface %s has no MAC to announce", interface);
    /* Protocol 0: it receives nothing. */
    p->fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (p->fd < 0)
        return kit_err_set(err, KIT_ERR_SYSTEM, "open a packet socket on interface %s", interface);
    own.sll_ifindex = (int)if_nametoindex(interface);
    if (own.sll_ifindex == 0 || bind(p->fd, (const struct sockaddr *)&own, sizeof(own)) != 0 ||
        getsockname(p->fd, (struct sockaddr *)&own, &own_bytes) != 0)
        return kit_err_set(err, KIT_ERR_SYSTEM, "bind to interface %s", interface);
    memcpy(p->mac, own.sll_addr, sizeof(p->mac));
    p->to = (struct sockaddr_ll){.sll_family = AF_PACKET,
                                 .sll_ifindex = own.sll_ifindex,
                                 .sll_protocol = htons(protocol),
                                 .sll_halen = ETH_ALEN};
    return 0;
}

static int port_send(const struct port *p, const void *packet, size_t len_bytes)
{
    ssize_t sent;

    do
        sent = sendto(p->fd, packet, len_bytes, 0, (const struct sockaddr *)&p->to, sizeof(p->to));
    while (sent < 0 && errno == EINTR);
    return sent == (ssize_t)len_bytes ? 0 : -1;
}

/* RFC 5227, 3: sender and target protocol address are both the address.  Some stacks learn from
 * requests alone and some from replies alone: one of each.  In a request the target's MAC is
 * unknown, hence zero. */
static int send_arp(const struct port *p, const struct kit_netlink_addr *addr)
{
    static const uint16_t ops[] = {ARPOP_REQUEST, ARPOP_REPLY};

    for (size_t i = 0; i < KIT_LEN(ops); i++) {
        struct ether_arp arp = {.ea_hdr = {.ar_hrd = htons(ARPHRD_ETHER),
                                           .ar_pro = htons(ETHERTYPE_IP),
                                           .ar_hln = ETH_ALEN,
                                           .ar_pln = 4,
                                           .ar_op = htons(ops[i])}};
        memcpy(arp.arp_sha, p->mac, sizeof(arp.arp_sha));
        memcpy(arp.arp_spa, addr->byte, sizeof(arp.arp_spa));
        if (ops[i] == ARPOP_REPLY)
            memcpy(arp.arp_tha, p->mac, sizeof(arp.arp_tha));
        memcpy(arp.arp_tpa, addr->byte, sizeof(arp.arp_tpa));
        if (port_send(p, &arp, sizeof(arp)) != 0)
            return -1;
    }
    return 0;
}

/* RFC 4443, 2.3: the Internet checksum over a pseudo-header and the message. */
static uint16_t icmp6_checksum(const struct ip6_hdr *ip, const unsigned char *message,
                               size_t len_bytes)
{
    unsigned char pseudo[8] = {0, 0, 0, (unsigned char)len_bytes, 0, 0, 0, IPPROTO_ICMPV6};
    const struct {
        const unsigned char *byte;
        size_t len_bytes;
    } part[] = {{ip->ip6_src.s6_addr, 16},
                {ip->ip6_dst.s6_addr, 16},
                {pseudo, sizeof(pseudo)},
                {message, len_bytes}};
    uint32_t sum = 0;

    /* Every part is a whole number of 16-bit words. */
    for (size_t i = 0; i < KIT_LEN(part); i++)
        for (size_t j = 0; j < part[i].len_bytes; j += 2)
            sum += (uint32_t)(part[i].byte[j] << 8 | part[i].byte[j + 1]);
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return htons((uint16_t)~sum);
}

/* RFC 4861, 4.4: hop limit 255, or it is dropped; the override flag makes neighbours change the MAC
 * that they have cached; option 2 is the target's link-layer address, in units of 8 bytes. */
static int send_advertisement(const struct port *p, const struct kit_netlink_addr *addr)
{
    struct {
        struct ip6_hdr ip;
        struct {
            struct nd_neighbor_advert advert;
            struct nd_opt_hdr option;
            unsigned char mac[ETH_ALEN];
        } icmp;
    } packet = {0};

    packet.ip.ip6_flow = htonl(UINT32_C(6) << 28);
    packet.ip.ip6_plen = htons(sizeof(packet.icmp));
    packet.ip.ip6_nxt = IPPROTO_ICMPV6;
    packet.ip.ip6_hlim = 255;
    memcpy(&packet.ip.ip6_src, addr->byte, 16);
    packet.ip.ip6_dst =
        (struct in6_addr){.s6_addr = {0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}};
    packet.icmp.advert.nd_na_type = ND_NEIGHBOR_ADVERT;
    packet.icmp.advert.nd_na_flags_reserved = ND_NA_FLAG_OVERRIDE;
    memcpy(&packet.icmp.advert.nd_na_target, addr->byte, 16);
    packet.icmp.option.nd_opt_type = ND_OPT_TARGET_LINKADDR;
    packet.icmp.option.nd_opt_len = 1;
    memcpy(packet.icmp.mac, p->mac, sizeof(packet.icmp.mac));
    packet.icmp.advert.nd_na_cksum =
        icmp6_checksum(&packet.ip, (const unsigned char *)&packet.icmp, sizeof(packet.icmp));
    return port_send(p, &packet, sizeof(packet));
}

/* The broadcast address, or that of ff02::1 (RFC 2464, 7). */
static const unsigned char everyone[ETH_ALEN] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
static const unsigned char all_nodes[ETH_ALEN] = {0x33, 0x33, 0, 0, 0, 1};

int kit_arp_announce(const char *interface, const struct kit_netlink_addr *addr, unsigned count,
                     int64_t spacing_ms, const struct kit_clock *clock, struct kit_deadline by,
                     struct kit_err *err)
{
    KIT_AUTO(port) p = {.fd = -1};
    bool v6 = addr->family == 6;

    if (!v6 && addr->family != 4)
        return kit_err_set(err, KIT_ERR_CONFIG, "interface %s: no address was given", interface);
    if (port_open(interface, v6 ? ETH_P_IPV6 : ETH_P_ARP, &p, err) != 0)
        return -1;
    memcpy(p.to.sll_addr, v6 ? all_nodes : everyone, ETH_ALEN);
    for (unsigned i = 0; i < count; i++) {
        if (i > 0) {
            if (kit_deadline_left_ms(clock, by) < spacing_ms)
                break;
            clock->sleep_ns(clock->self, spacing_ms * KIT_NS_PER_MS);
        }
        if ((v6 ? send_advertisement(&p, addr) : send_arp(&p, addr)) != 0)
            return kit_err_set(err, KIT_ERR_SYSTEM, "announce the address on interface %s",
                               interface);
    }
    return 0;
}
