/* kit/sys/netlink.c - addresses on interfaces of this host, through rtnetlink. */
#include "kit/sys/netlink.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "kit/base/mem.h"
#include "kit/sys/link.h"

/* The kernel fills what a reader offers up to 32 KiB; half of that is some 200 addresses a read. */
#define REPLY_MAX_BYTES 16384
/* A request is one header, two addresses. */
#define REQUEST_MAX_BYTES 256
/* Readings of tables that change all the time. */
#define DUMPS_MAX 50
/* One address can be there once for each prefix length (0 to 128). */
#define PREFIXES_MAX 129
/* The kernel answers while the request is sent: an answer that has not come then never will. */
#define PATIENCE_S 5
/* Any number but 0: there is one request a socket. */
#define SEQUENCE 1

/* One request and where its answer goes. */
struct request {
    char bytes[REQUEST_MAX_BYTES] __attribute__((aligned(8)));
    struct nlmsghdr *head;
    struct ifaddrmsg *body;
};

/* What a dump is searched for, and what of it was there. */
struct search {
    const struct kit_netlink_addr *addr;
    unsigned index;
    unsigned char prefix_len[PREFIXES_MAX];
    size_t count;
};

static unsigned char kernel_family(const struct kit_netlink_addr *addr)
{
    return addr->family == 6 ? AF_INET6 : AF_INET;
}

static size_t addr_bytes(unsigned char family)
{
    return family == AF_INET6 ? 16 : 4;
}

/* The interface's number: the name is checked, and an unknown one gets the list of those known. */
static int find_interface(const char *interface, const struct kit_netlink_addr *addr,
                          unsigned *ret_index, struct kit_err *err)
{
    struct kit_link link;

    if (addr->family != 4 && addr->family != 6)
        return kit_err_set(err, KIT_ERR_CONFIG, "interface %s: no address was given", interface);
    if (kit_link_read(interface, &link, err) != 0)
        return -1;
    *ret_index = if_nametoindex(interface);
    if (*ret_index == 0)
        return kit_err_set(err, KIT_ERR_SYSTEM, "find interface %s", interface);
    return 0;
}

static void request_init(struct request *r, uint16_t type, uint16_t flags, unsigned char family)
{
    memset(r, 0, sizeof(*r));
    r->head = mnl_nlmsg_put_header(r->bytes);
    r->head->nlmsg_type = type;
    r->head->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
    r->head->nlmsg_seq = SEQUENCE;
    r->body = mnl_nlmsg_put_extra_header(r->head, sizeof(*r->body));
    r->body->ifa_family = family;
}

/* A read that a signal cut short has read nothing. */
static ssize_t receive(const struct mnl_socket *nl, char *reply)
{
    ssize_t got;

    do
        got = mnl_socket_recvfrom(nl, reply, REPLY_MAX_BYTES);
    while (got < 0 && errno == EINTR);
    return got;
}

/* mnl_cb_t: the end of a dump, or the acknowledgement of a change, both of which begin with 0 or a
 * negative errno (struct nlmsgerr). */
static int take_end(const struct nlmsghdr *head, void *arg)
{
    int32_t status;

    (void)arg;
    if (mnl_nlmsg_get_payload_len(head) < sizeof(status)) {
        errno = EBADMSG;
        return MNL_CB_ERROR;
    }
    memcpy(&status, mnl_nlmsg_get_payload(head), sizeof(status));
    errno = -status;
    return status ? MNL_CB_ERROR : MNL_CB_STOP;
}

/* Sends, and gives every message of the answer to `each` until the answer is complete.  -1 with
 * errno: the kernel's own; EINTR: a dump changed while it was read; EPROTO, ESRCH, EBADMSG: no
 * answer to this. */
static int exchange(const struct request *r, mnl_cb_t each, void *arg)
{
    char reply[REPLY_MAX_BYTES] __attribute__((aligned(8)));
    struct mnl_socket *nl = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
    mnl_cb_t control[] = {[NLMSG_ERROR] = take_end, [NLMSG_DONE] = take_end};
    const struct timeval patience = {.tv_sec = PATIENCE_S};
    int rc = MNL_CB_ERROR;

    if (!nl)
        return -1;
    if (setsockopt(mnl_socket_get_fd(nl), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) ==
            0 &&
        mnl_socket_bind(nl, 0, MNL_SOCKET_AUTOPID) == 0 &&
        mnl_socket_sendto(nl, r->head, r->head->nlmsg_len) >= 0) {
        do {
            ssize_t got = receive(nl, reply);
            rc = MNL_CB_ERROR;
            if (got >= 0)
                rc = mnl_cb_run2(reply, (size_t)got, SEQUENCE, mnl_socket_get_portid(nl), each, arg,
                                 control, KIT_LEN(control));
        } while (rc == MNL_CB_OK);
    }
    int saved_errno = errno;
    (void)mnl_socket_close(nl);
    errno = saved_errno;
    return rc == MNL_CB_STOP ? 0 : -1;
}

static int fail(const char *interface, const char *what, struct kit_err *err)
{
    if (errno == EPROTO || errno == ESRCH || errno == EBADMSG)
        return kit_err_set(err, KIT_ERR_PROTOCOL, "%s interface %s: not an answer of rtnetlink's",
                           what, interface);
    return kit_err_set(err, KIT_ERR_SYSTEM, "%s interface %s", what, interface);
}

/* ---- reading ----------------------------------------------------------------------------------
 */

/* mnl_attr_cb_t: keeps the first of each kind. */
static int take_attr(const struct nlattr *attr, void *arg)
{
    const struct nlattr **kept = arg;
    uint16_t type = mnl_attr_get_type(attr);

    if ((type == IFA_LOCAL || type == IFA_ADDRESS) && !kept[type])
        kept[type] = attr;
    return MNL_CB_OK;
}

/* mnl_cb_t: one address of a dump.  The local one is IFA_LOCAL where there is that attribute, since
 * IFA_ADDRESS is then the peer's (linux/if_addr.h). */
static int take_addr(const struct nlmsghdr *head, void *arg)
{
    struct search *s = arg;
    const struct nlattr *kept[IFA_LOCAL + 1] = {NULL};
    const struct ifaddrmsg *body = mnl_nlmsg_get_payload(head);
    unsigned char family = kernel_family(s->addr);

    if (head->nlmsg_type != RTM_NEWADDR)
        return MNL_CB_OK;
    if (mnl_nlmsg_get_payload_len(head) < sizeof(*body) ||
        mnl_attr_parse(head, sizeof(*body), take_attr, kept) < 0) {
        errno = EPROTO;
        return MNL_CB_ERROR;
    }
    if (body->ifa_family != family || body->ifa_index != s->index)
        return MNL_CB_OK;
    const struct nlattr *local = kept[IFA_LOCAL] ? kept[IFA_LOCAL] : kept[IFA_ADDRESS];
    if (!local || mnl_attr_get_payload_len(local) != addr_bytes(family)) {
        errno = EPROTO;
        return MNL_CB_ERROR;
    }
    if (memcmp(mnl_attr_get_payload(local), s->addr->byte, addr_bytes(family)) == 0 &&
        s->count < PREFIXES_MAX)
        s->prefix_len[s->count++] = body->ifa_prefixlen;
    return MNL_CB_OK;
}

/* Every time that the address is on the interface.  An interrupted dump (NLM_F_DUMP_INTR) may lack
 * what was there all the time, or have it twice: it is read anew. */
static int look(const char *interface, struct search *s, struct kit_err *err)
{
    struct request r;

    request_init(&r, RTM_GETADDR, NLM_F_DUMP, kernel_family(s->addr));
    for (int i = 0; i < DUMPS_MAX; i++) {
        s->count = 0;
        if (exchange(&r, take_addr, s) == 0)
            return 0;
        if (errno != EINTR)
            return fail(interface, "read the addresses of", err);
    }
    return kit_err_set(err, KIT_ERR_TRANSIENT,
                       "read the addresses of interface %s: they changed under %d readings",
                       interface, DUMPS_MAX);
}

/* ---- changing ---------------------------------------------------------------------------------
 */

/* One RTM_NEWADDR or RTM_DELADDR, acknowledged.  -1 with errno. */
static int change(uint16_t type, uint16_t flags, const struct search *s, unsigned char prefix_len)
{
    struct request r;
    unsigned char family = kernel_family(s->addr);

    request_init(&r, type, (uint16_t)(NLM_F_ACK | flags), family);
    r.body->ifa_index = s->index;
    r.body->ifa_prefixlen = prefix_len;
    if (type == RTM_NEWADDR && family == AF_INET6)
        r.body->ifa_flags = IFA_F_NODAD;
    mnl_attr_put(r.head, IFA_LOCAL, addr_bytes(family), s->addr->byte);
    mnl_attr_put(r.head, IFA_ADDRESS, addr_bytes(family), s->addr->byte);
    return exchange(&r, NULL, NULL);
}

int kit_netlink_addr_has(const char *interface, const struct kit_netlink_addr *addr, bool *ret_has,
                         struct kit_err *err)
{
    struct search s = {.addr = addr};

    if (find_interface(interface, addr, &s.index, err) != 0 || look(interface, &s, err) != 0)
        return -1;
    *ret_has = s.count > 0;
    return 0;
}

int kit_netlink_addr_add(const char *interface, const struct kit_netlink_addr *addr,
                         bool *ret_added, struct kit_err *err)
{
    struct search s = {.addr = addr};
    bool added = false;

    if (find_interface(interface, addr, &s.index, err) != 0 || look(interface, &s, err) != 0)
        return -1;
    if (s.count == 0) {
        /* EEXIST: somebody was quicker. */
        added = change(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, &s, addr->prefix_len) == 0;
        if (!added && errno != EEXIST)
            return fail(interface, "add the address to", err);
    }
    *ret_added = added;
    return 0;
}

int kit_netlink_addr_del(const char *interface, const struct kit_netlink_addr *addr,
                         bool *ret_removed, struct kit_err *err)
{
    struct search s = {.addr = addr};
    bool removed = false;

    if (find_interface(interface, addr, &s.index, err) != 0 || look(interface, &s, err) != 0)
        return -1;
    for (size_t i = 0; i < s.count; i++) {
        if (change(RTM_DELADDR, 0, &s, s.prefix_len[i]) == 0)
            removed = true;
        else if (errno != EADDRNOTAVAIL) /* somebody was quicker */
            return fail(interface, "take the address off", err);
    }
    *ret_removed = removed;
    return 0;
}
