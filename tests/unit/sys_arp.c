/* tests/unit/sys_arp.c - announcements on a real cable: what arrives, and what the neighbour makes
 * of it. */
#include "tests/unit/sys_namespace.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/if_ether.h>
#include <poll.h>
#include <sys/socket.h>

#include "kit/sys/arp.h"

#define V4  0x0a, 0x01, 0x00, 0x0a
#define V6  0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10
#define MAC 0x02, 0x00, 0x5e, 0x00, 0x53, 0x01

static const struct kit_netlink_addr four = {.family = 4, .prefix_len = 32, .byte = {V4}};
static const struct kit_netlink_addr six = {.family = 6, .prefix_len = 128, .byte = {V6}};

/* A clock that stands still but for sleeping. */
struct fake {
    int64_t now_ns;
    unsigned sleeps;
};

static int64_t fake_now(void *self)
{
    return ((struct fake *)self)->now_ns;
}

static void fake_sleep(void *self, int64_t ns)
{
    struct fake *f = self;

    f->now_ns += ns;
    f->sleeps++;
}

static struct kit_clock clock_of(struct fake *f)
{
    return (struct kit_clock){
        .now_ns = fake_now, .wall_ns = fake_now, .sleep_ns = fake_sleep, .self = f};
}

/* A socket there that hears every frame of the protocol. */
static int listen_there(uint16_t protocol)
{
    struct sockaddr_ll on = {.sll_family = AF_PACKET, .sll_protocol = htons(protocol)};

    enter(there_fd);
    int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(protocol));
    assert_true(fd >= 0);
    on.sll_ifindex = (int)if_nametoindex("v1");
    assert_int_equal(bind(fd, (const struct sockaddr *)&on, sizeof(on)), 0);
    enter(here_fd);
    return fd;
}

/* The next frame from our MAC that concerns the address, and not what IPv6 says by itself on a new
 * link; 0 when there is none any more. */
static size_t hear(int fd, const struct kit_netlink_addr *addr, unsigned char frame[200])
{
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    size_t addr_bytes = addr->family == 6 ? 16 : 4;

    while (poll(&ready, 1, 200) == 1) {
        ssize_t got = recv(fd, frame, 200, 0);
        assert_true(got > 14);
        if (memmem(frame, (size_t)got, addr->byte, addr_bytes))
            return (size_t)got;
    }
    return 0;
}

static void announce(const struct kit_netlink_addr *addr, unsigned count)
{
    struct fake f = {0};
    const struct kit_clock clock = clock_of(&f);
    struct kit_err err;

    if (kit_arp_announce("v0", addr, count, 100, &clock, kit_deadline_in_ms(&clock, 60000), &err))
        fail_msg("%s", err.msg);
    assert_int_equal(f.sleeps, count ? count - 1 : 0);
    assert_int_equal(f.now_ns, (count ? count - 1 : 0) * 100 * KIT_NS_PER_MS);
}

static void ipv4_is_a_request_and_a_reply_to_all(void **state)
{
    static const unsigned char request[] = {
        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, MAC, 0x08, 0x06,           /* Ethernet */
        0,    1,    0x08, 0,    6,    4,    0,   1,    MAC,  V4, 0, 0, /* who has it?  tell it */
        0,    0,    0,    0,    V4};
    static const unsigned char reply[] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, MAC, 0x08, 0x06, 0, 1,
                                          0x08, 0,    6,    4,    0,    2,    MAC, V4,   MAC,  V4};
    unsigned char frame[200];

    (void)state;
    need_network();
    int fd = listen_there(ETH_P_ARP);
    announce(&four, 3);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(hear(fd, &four, frame), sizeof(request));
        assert_memory_equal(frame, request, sizeof(request));
        assert_int_equal(hear(fd, &four, frame), sizeof(reply));
        assert_memory_equal(frame, reply, sizeof(reply));
    }
    assert_int_equal(hear(fd, &four, frame), 0);
    (void)close(fd);
}

static void ipv6_is_an_advertisement_to_all_nodes(void **state)
{
    /* The checksum, between the two, is checked by the neighbour that learns below. */
    static const unsigned char head[] = {
        0x33, 0x33, 0, 0, 0, 1,  MAC, 0x86, 0xdd, /* Ethernet */
        0x60, 0,    0, 0, 0, 32, 58,  255,  V6,   /* IPv6, to ff02::1 */
        0xff, 2,    0, 0, 0, 0,  0,   0,    0,    0, 0, 0, 0, 0, 0, 1, 136, 0};
    static const unsigned char tail[] = {0x20, 0, 0, 0, V6, 2, 1, MAC};
    unsigned char frame[200];

    (void)state;
    need_network();
    int fd = listen_there(ETH_P_IPV6);
    announce(&six, 2);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(hear(fd, &six, frame), sizeof(head) + 2 + sizeof(tail));
        assert_memory_equal(frame, head, sizeof(head));
        assert_memory_equal(frame + sizeof(head) + 2, tail, sizeof(tail));
    }
    assert_int_equal(hear(fd, &six, frame), 0);
    (void)close(fd);
}

/* A neighbour that knows the address at another MAC, as after a failover. */
static void neighbour_learns(const char *version, const char *text,
                             const struct kit_netlink_addr *addr)
{
    const char *const old[] = {"/sbin/ip",          version, "neigh", "replace", text,    "lladdr",
                               "02:00:5e:00:53:99", "dev",   "v1",    "nud",     "stale", NULL};
    const char *const show[] = {"/sbin/ip", version, "neigh", "show", text, "dev", "v1", NULL};
    KIT_AUTO(kit_buf) was = KIT_BUF(400);
    bool learned = false;

    enter(there_fd);
    assert_int_equal(run_program(old, NULL), 0);
    assert_int_equal(run_program(show, &was), 0);
    enter(here_fd);
    assert_non_null(strstr(was.data, "02:00:5e:00:53:99"));
    announce(addr, 1);
    enter(there_fd);
    for (int i = 0; i < 200 && !learned; i++) {
        KIT_AUTO(kit_buf) now = KIT_BUF(400);
        assert_int_equal(run_program(show, &now), 0);
        learned = strstr(now.data, HERE_MAC) != NULL;
        if (!learned)
            usleep(20000);
    }
    enter(here_fd);
    assert_true(learned);
}

static void an_ipv4_neighbour_learns(void **state)
{
    /* Linux answers and learns from ARP only where it has an address itself. */
    static const char *const own[] = {"/sbin/ip", "addr", "add", "10.1.0.1/24", "dev", "v1", NULL};

    (void)state;
    need_network();
    enter(there_fd);
    assert_int_equal(run_program(own, NULL), 0);
    enter(here_fd);
    neighbour_learns("-4", "10.1.0.10", &four);
}

static void an_ipv6_neighbour_learns(void **state)
{
    (void)state;
    need_network();
    neighbour_learns("-6", "fd00::10", &six);
}

static void the_deadline_ends_it_after_the_first(void **state)
{
    struct fake f = {0};
    const struct kit_clock clock = clock_of(&f);
    unsigned char frame[200];
    struct kit_err err;

    (void)state;
    need_network();
    int fd = listen_there(ETH_P_IPV6);
    assert_int_equal(
        kit_arp_announce("v0", &six, 5, 100, &clock, kit_deadline_in_ms(&clock, 250), &err), 0);
    assert_int_equal(f.now_ns, 200 * KIT_NS_PER_MS);
    for (int i = 0; i < 3; i++)
        assert_true(hear(fd, &six, frame) > 0);
    assert_int_equal(hear(fd, &six, frame), 0);
    assert_int_equal(kit_arp_announce("v0", &six, 5, 100, &clock, (struct kit_deadline){0}, &err),
                     0);
    assert_true(hear(fd, &six, frame) > 0);
    assert_int_equal(hear(fd, &six, frame), 0);
    announce(&six, 0);
    assert_int_equal(hear(fd, &six, frame), 0);
    (void)close(fd);
}

static int try_once(const char *interface, const struct kit_netlink_addr *addr, struct kit_err *err)
{
    return kit_arp_announce(interface, addr, 1, 0, &kit_clock_real,
                            kit_deadline_in_ms(&kit_clock_real, 1000), err);
}

static void what_is_wrong_is_said(void **state)
{
    static const struct kit_netlink_addr nothing = {0};
    static const char *const down[] = {"/sbin/ip", "link", "set", "v0", "down", NULL};
    static const char *const up[] = {"/sbin/ip", "link", "set", "v0", "up", NULL};
    struct kit_err err;

    (void)state;
    assert_int_equal(try_once("nosuch0", &four, &err), -1);
    assert_int_equal(err.kind, KIT_ERR_CONFIG);
    assert_int_equal(try_once("lo", &nothing, &err), -1);
    assert_int_equal(err.kind, KIT_ERR_CONFIG);
    assert_int_equal(try_once("lo", &four, &err), -1);
    assert_int_equal(err.kind, KIT_ERR_CONFIG);
    assert_string_equal(err.msg, "interface lo has no MAC to announce");
    need_network();
    assert_int_equal(run_program(down, NULL), 0);
    assert_int_equal(try_once("v0", &four, &err), -1);
    assert_int_equal(run_program(up, NULL), 0);
    assert_int_equal(err.kind, KIT_ERR_SYSTEM);
    assert_int_equal(err.sys, ENETDOWN);
}

static void without_permission_it_says_so(void **state)
{
    struct kit_err err;

    (void)state;
    need_network();
    if (geteuid() != 0 || seteuid(65534) != 0) {
        print_message("# skip: needs root: its rights are given up\n");
        skip();
    }
    int rc = try_once("v0", &four, &err);
    assert_int_equal(seteuid(0), 0);
    assert_int_equal(rc, -1);
    assert_int_equal(err.kind, KIT_ERR_SYSTEM);
    assert_int_equal(err.sys, EPERM);
    assert_string_equal(err.msg, "open a packet socket on interface v0: Operation not permitted");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ipv4_is_a_request_and_a_reply_to_all),
        cmocka_unit_test(ipv6_is_an_advertisement_to_all_nodes),
        cmocka_unit_test(an_ipv4_neighbour_learns),
        cmocka_unit_test(an_ipv6_neighbour_learns),
        cmocka_unit_test(the_deadline_ends_it_after_the_first),
        cmocka_unit_test(what_is_wrong_is_said),
        cmocka_unit_test(without_permission_it_says_so),
    };
    return cmocka_run_group_tests_name("sys_arp", tests, make_network, NULL);
}
