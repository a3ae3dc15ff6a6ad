/*
 * Routes and routing rules of one network namespace, through rtnetlink.
 */
#ifndef SIM_NETLINK_H
#define SIM_NETLINK_H

#include <stdbool.h>
#include "sim_net.h"

struct mnl_socket;

/* A socket into the namespace: its name below /run/netns, a path, or "." for our own; it stays
 * there whatever becomes of the name. NULL with errno. Wants CAP_SYS_ADMIN for another's,
 * CAP_NET_ADMIN to change it. */
struct mnl_socket *sim_netlink_open(const char *netns);

/* The following return 0 or an errno, once the kernel has done it. */

/* Puts a route, in place of the one the table has to that destination: no packet meets neither.
 * `next_hop` "": what is sent there is dropped. */
int sim_netlink_put_route(struct mnl_socket *socket, unsigned table, const struct sim_cidr *to,
                          const char *next_hop);
int sim_netlink_drop_route(struct mnl_socket *socket, unsigned table, const struct sim_cidr *to);
/* "Packets from `source` look into `table`"; /0 is everybody. */
int sim_netlink_rule(struct mnl_socket *socket, bool add, unsigned priority,
                     const struct sim_cidr *source, unsigned table);

#endif
