/* kit/sys/rtnl.c - one request to rtnetlink and the whole of its answer. */
#include "kit/sys/rtnl.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "kit/base/mem.h"
#include "kit/base/str.h"

/* The kernel fills what a reader offers up to 32 KiB; half of that is some 200 addresses a read. */
#define REPLY_MAX_BYTES 16384
/* Readings of tables that change all the time. */
#define DUMPS_MAX 50
/* The kernel answers while the request is sent: an answer that has not come then never will. */
#define PATIENCE_S 5
/* Any number but 0: there is one request a socket. */
#define SEQUENCE 1

/* ---- asking ---------------------------------------------------------------------------------- */

void kit_rtnl_begin(struct kit_rtnl_request *request, uint16_t type, uint16_t flags,
                    const void *body, size_t body_bytes)
{
    memset(request, 0, sizeof(*request));
    struct nlmsghdr *head = mnl_nlmsg_put_header(request->bytes);
    head->nlmsg_type = type;
    head->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
    head->nlmsg_seq = SEQUENCE;
    memcpy(mnl_nlmsg_put_extra_header(head, body_bytes), body, body_bytes);
}

void kit_rtnl_put(struct kit_rtnl_request *request, uint16_t attr, const void *value,
                  size_t value_bytes)
{
    struct nlmsghdr *head = (struct nlmsghdr *)(void *)request->bytes;

    /* No request is so long; one that were would be refused by the kernel, not overrun. */
    (void)mnl_attr_put_check(head, sizeof(request->bytes), attr, value_bytes, value);
}

void kit_rtnl_put_u32(struct kit_rtnl_request *request, uint16_t attr, uint32_t value)
{
    kit_rtnl_put(request, attr, &value, sizeof(value));
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

int kit_rtnl_ask(const struct kit_rtnl_request *request, kit_rtnl_each_fn each, void *arg)
{
    char reply[REPLY_MAX_BYTES] __attribute__((aligned(8)));
    const struct nlmsghdr *head = (const struct nlmsghdr *)(const void *)request->bytes;
    struct mnl_socket *nl = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
    const struct timeval patience = {.tv_sec = PATIENCE_S};
    int rc = -1;

    if (!nl)
        return -1;
    if (setsockopt(mnl_socket_get_fd(nl), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) ==
            0 &&
        mnl_socket_bind(nl, 0, MNL_SOCKET_AUTOPID) == 0 &&
        mnl_socket_sendto(nl, head, head->nlmsg_len) >= 0) {
        do {
            ssize_t got = receive(nl, reply);
            rc = -1;
            if (got >= 0)
                rc = kit_rtnl_walk(reply, (size_t)got, SEQUENCE, mnl_socket_get_portid(nl), each,
                                   arg);
        } while (rc == 0);
    }
    int saved_errno = errno;
    (void)mnl_socket_close(nl);
    errno = saved_errno;
    return rc == 1 ? 0 : -1;
}

int kit_rtnl_fail(struct kit_err *err, const char *fmt, ...)
{
    char what[256];
    int number = errno;
    va_list args;

    va_start(args, fmt);
    (void)vsnprintf(what, sizeof(what), fmt, args);
    va_end(args);
    if (number == EPROTO || number == EBADMSG)
        return kit_err_set(err, KIT_ERR_PROTOCOL, "%s: not an answer of rtnetlink's", what);
    errno = number;
    return kit_err_set(err, KIT_ERR_SYSTEM, "%s", what);
}

int kit_rtnl_read(const struct kit_rtnl_request *request, const struct kit_rtnl_dump *dump,
                  struct kit_err *err)
{
    for (int i = 0; i < DUMPS_MAX; i++) {
        dump->begin(dump->arg);
        if (kit_rtnl_ask(request, dump->each, dump->arg) == 0)
            return 0;
        if (errno != EINTR)
            return kit_rtnl_fail(err, "%s", dump->what);
    }
    return kit_err_set(err, KIT_ERR_TRANSIENT, "%s: they changed under %d readings", dump->what,
                       DUMPS_MAX);
}

/* ---- taking a message apart ------------------------------------------------------------------ */

/* The end of a dump, or the acknowledgement of a change, both of which begin with 0 or a negative
 * errno (struct nlmsgerr). */
static int take_end(const struct nlmsghdr *head)
{
    int32_t status;
    const void *body = kit_rtnl_body(head, sizeof(status));

    if (!body)
        return -1;
    memcpy(&status, body, sizeof(status));
    if (status == 0)
        return 1;
    errno = status > 0 || status < -4095 ? EPROTO : -status; /* 4095: MAX_ERRNO of the kernel */
    return -1;
}

static int take_message(const struct nlmsghdr *head, kit_rtnl_each_fn each, void *arg)
{
    if (head->nlmsg_flags & NLM_F_DUMP_INTR) {
        errno = EINTR;
        return -1;
    }
    if (head->nlmsg_type == NLMSG_ERROR || head->nlmsg_type == NLMSG_DONE)
        return take_end(head);
    if (head->nlmsg_type < NLMSG_MIN_TYPE || !each)
        return 0;
    return each(head, arg) == 0 ? 0 : -1;
}

/* Not mnl_cb_run2: it takes a length of more than 2 GiB for a message that fits. */
int kit_rtnl_walk(const void *bytes, size_t len_bytes, unsigned sequence, unsigned port,
                  kit_rtnl_each_fn each, void *arg)
{
    const char *at = bytes;

    while (len_bytes > 0) {
        const struct nlmsghdr *head = (const struct nlmsghdr *)(const void *)at;

        if (len_bytes < sizeof(*head) || head->nlmsg_len < sizeof(*head) ||
            head->nlmsg_len > len_bytes || (sequence && head->nlmsg_seq != sequence) ||
            (port && head->nlmsg_pid != port)) {
            errno = EPROTO;
            return -1;
        }
        int rc = take_message(head, each, arg);
        if (rc != 0)
            return rc;
        size_t step = NLMSG_ALIGN(head->nlmsg_len);
        step = step < len_bytes ? step : len_bytes;
        at += step;
        len_bytes -= step;
    }
    return 0;
}

const void *kit_rtnl_body(const struct nlmsghdr *head, size_t body_bytes)
{
    if (head->nlmsg_len >= NLMSG_HDRLEN && head->nlmsg_len - NLMSG_HDRLEN >= body_bytes)
        return mnl_nlmsg_get_payload(head);
    errno = EPROTO;
    return NULL;
}

int kit_rtnl_attrs_in(const void *bytes, size_t len_bytes, const struct nlattr *kept[],
                      size_t kinds)
{
    const char *at = bytes;

    memset(kept, 0, kinds * sizeof(kept[0]));
    while (len_bytes > 0) {
        const struct nlattr *attr = (const struct nlattr *)(const void *)at;
        size_t step;

        if (len_bytes < sizeof(*attr) || attr->nla_len < sizeof(*attr) ||
            attr->nla_len > len_bytes) {
            errno = EPROTO;
            return -1;
        }
        uint16_t type = mnl_attr_get_type(attr);
        if (type < kinds && !kept[type])
            kept[type] = attr;
        step = NLA_ALIGN(attr->nla_len);
        if (step > len_bytes)
            step = len_bytes; /* the last one need not be padded */
        at += step;
        len_bytes -= step;
    }
    return 0;
}

int kit_rtnl_attrs(const struct nlmsghdr *head, size_t body_bytes, const struct nlattr *kept[],
                   size_t kinds)
{
    const char *body = kit_rtnl_body(head, body_bytes);
    size_t skip = NLMSG_ALIGN(body_bytes), all = body ? mnl_nlmsg_get_payload_len(head) : 0;

    if (!body)
        return -1;
    return kit_rtnl_attrs_in(body + skip, all > skip ? all - skip : 0, kept, kinds);
}

const void *kit_rtnl_value(const struct nlattr *attr)
{
    return mnl_attr_get_payload(attr);
}

size_t kit_rtnl_value_bytes(const struct nlattr *attr)
{
    return mnl_attr_get_payload_len(attr);
}

int kit_rtnl_u32(const struct nlattr *attr, uint32_t *ret_value)
{
    if (!attr)
        return 0;
    if (kit_rtnl_value_bytes(attr) != sizeof(*ret_value)) {
        errno = EPROTO;
        return -1;
    }
    memcpy(ret_value, kit_rtnl_value(attr), sizeof(*ret_value));
    return 0;
}
