/* kit/sys/rtnl.h - one request to rtnetlink and the whole of its answer.  No `ip` is started.
 *
 * What a message means is told by those who ask (netlink.h, ifaddr.h, route.h, iprule.h); this is
 * how it is asked, and how an answer is taken apart.  Nothing here waits for anything but the
 * kernel's own lock on its tables. */
#ifndef KIT_SYS_RTNL_H
#define KIT_SYS_RTNL_H

#include <linux/netlink.h>
#include <stddef.h>
#include <stdint.h>

#include "kit/base/err.h"

/* The largest request: a header, struct rtmsg, two IPv6 addresses and five numbers, some 120. */
#define KIT_RTNL_REQUEST_BYTES 256

struct kit_rtnl_request {
    char bytes[KIT_RTNL_REQUEST_BYTES] __attribute__((aligned(8)));
};
/* Begins one: NLM_F_REQUEST | flags, and the fixed part of the message. */
void kit_rtnl_begin(struct kit_rtnl_request *request, uint16_t type, uint16_t flags,
                    const void *body, size_t body_bytes);
void kit_rtnl_put(struct kit_rtnl_request *request, uint16_t attr, const void *value,
                  size_t value_bytes);
void kit_rtnl_put_u32(struct kit_rtnl_request *request, uint16_t attr, uint32_t value);

/* One message of an answer.  0, or -1 with errno: EPROTO when it is not rtnetlink's. */
typedef int (*kit_rtnl_each_fn)(const struct nlmsghdr *head, void *arg);

/* Sends, and gives every message to `each` (NULL: to nobody) until the answer is complete.  -1 with
 * errno: the kernel's own; EINTR: a dump changed while it was read; EPROTO: no answer to this. */
int kit_rtnl_ask(const struct kit_rtnl_request *request, kit_rtnl_each_fn each, void *arg);

/* The same for a dump, read anew when it changed meanwhile, for it may then lack what was there all
 * the time, or have it twice.  `begin` is called before each reading.  KIT_ERR_SYSTEM,
 * KIT_ERR_PROTOCOL, KIT_ERR_TRANSIENT (it changed under every reading); `what` in messages: "read
 * the routes". */
struct kit_rtnl_dump {
    const char *what;
    void (*begin)(void *arg);
    kit_rtnl_each_fn each;
    void *arg;
};
int kit_rtnl_read(const struct kit_rtnl_request *request, const struct kit_rtnl_dump *dump,
                  struct kit_err *err) KIT_CHECKED;

/* errno of the above as an error: KIT_ERR_PROTOCOL or KIT_ERR_SYSTEM.  Returns -1. */
int kit_rtnl_fail(struct kit_err *err, const char *fmt, ...) KIT_PRINTF(2, 3);

/* ---- taking a message apart: pure ------------------------------------------------------------ */

/* The bytes of one read: gives each message but the control ones to `each`.  1 when the answer is
 * complete, 0 when more is to come, -1 with errno as above.  sequence and port 0: not looked at. */
int kit_rtnl_walk(const void *bytes, size_t len_bytes, unsigned sequence, unsigned port,
                  kit_rtnl_each_fn each, void *arg);
/* The fixed part; NULL (errno EPROTO) when the message is shorter. */
const void *kit_rtnl_body(const struct nlmsghdr *head, size_t body_bytes);
/* Puts the first attribute of each kind below `kinds` into kept[].  -1 (errno EPROTO) when anything
 * is left that is no attribute. */
int kit_rtnl_attrs(const struct nlmsghdr *head, size_t body_bytes, const struct nlattr *kept[],
                   size_t kinds);
/* The same of so many bytes that begin with an attribute. */
int kit_rtnl_attrs_in(const void *bytes, size_t len_bytes, const struct nlattr *kept[],
                      size_t kinds);
const void *kit_rtnl_value(const struct nlattr *attr);
size_t kit_rtnl_value_bytes(const struct nlattr *attr);
/* Takes a number of four bytes, unless the attribute is NULL.  -1 (errno EPROTO): another size. */
int kit_rtnl_u32(const struct nlattr *attr, uint32_t *ret_value);

#endif
