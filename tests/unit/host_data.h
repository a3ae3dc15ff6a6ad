/* tests/unit/host_data.h - an interface as the cloud has it, and a host as the kernel has it. */
#ifndef TESTS_UNIT_HOST_DATA_H
#define TESTS_UNIT_HOST_DATA_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kit/base/mem.h"
#include "kit/base/str.h"
#include "kit/host/plan.h"

#define ETH0 2
#define ETH1 3

static inline struct kit_addr host_addr(const char *text)
{
    struct kit_addr a;

    assert_true(kit_addr_parse(text, &a));
    return a;
}

static inline struct kit_nic host_nic(const char *const addrs[])
{
    struct kit_nic nic = {.mac = "06:00:0a:00:01:02", .eni = "eni-1"};

    for (size_t i = 0; addrs[i]; i++)
        nic.addr[nic.count++] = host_addr(addrs[i]);
    assert_true(kit_cidr_parse("10.0.1.0/24", &nic.subnet4));
    assert_true(kit_cidr_parse("2001:db8:0:1::/64", &nic.subnet6));
    nic.gateway4 = host_addr("10.0.1.1");
    return nic;
}

/* eth0 has the default route; eth1 is there, and down. */
static inline struct kit_host_now host_now(void)
{
    return (struct kit_host_now){
        .link = {.name = "eth1", .mac = "06:00:0a:00:01:02", .index = ETH1, .mtu = 1500}};
}

static inline void host_route(struct kit_host_now *now, const char *to, const char *by,
                              unsigned index, uint32_t table, uint32_t metric)
{
    struct kit_cidr cidr;
    struct kit_route *r;

    assert_true(kit_cidr_parse(to, &cidr));
    now->routes.route =
        kit_mem_grow(now->routes.route, now->routes.count + 1, sizeof(now->routes.route[0]));
    r = &now->routes.route[now->routes.count++];
    *r = (struct kit_route){.to = kit_change_netlink_addr(&cidr.addr, cidr.prefix_len),
                            .index = index,
                            .table = table,
                            .metric = metric,
                            .type = KIT_ROUTE_UNICAST};
    if (by) {
        const struct kit_addr gateway = host_addr(by);
        r->gateway = kit_change_netlink_addr(&gateway, 0);
    }
}

static inline void host_has_addr(struct kit_host_now *now, const char *text, uint8_t prefix_len,
                                 bool secondary)
{
    const struct kit_addr addr = host_addr(text);

    now->addrs.addr =
        kit_mem_grow(now->addrs.addr, now->addrs.count + 1, sizeof(now->addrs.addr[0]));
    now->addrs.addr[now->addrs.count++] = (struct kit_ifaddr){
        .index = ETH1, .addr = kit_change_netlink_addr(&addr, prefix_len), .secondary = secondary};
}

static inline void host_rule(struct kit_host_now *now, const char *from, uint32_t table)
{
    const struct kit_addr addr = host_addr(from);

    now->rules.rule =
        kit_mem_grow(now->rules.rule, now->rules.count + 1, sizeof(now->rules.rule[0]));
    now->rules.rule[now->rules.count++] =
        (struct kit_iprule){.from = kit_change_netlink_addr(&addr, addr.family == 6 ? 128 : 32),
                            .table = table,
                            .lookup = true};
}

/* As if they had been made. */
static inline void host_make(struct kit_host_now *now, const struct kit_changes *changes)
{
    char text[KIT_ADDR_TEXT], by[KIT_ADDR_TEXT], to[KIT_CIDR_TEXT];

    for (size_t i = 0; i < changes->count; i++) {
        const struct kit_change *c = &changes->change[i];
        if (c->kind == KIT_CHANGE_LINK)
            now->link.up = true;
        else if (c->kind == KIT_CHANGE_ADDRESS)
            host_has_addr(now, kit_addr_text(&c->addr, text), c->prefix_len, false);
        else if (c->kind == KIT_CHANGE_RULE)
            host_rule(now, kit_addr_text(&c->addr, text), c->table);
        else {
            (void)kit_str_format(to, sizeof(to), "%s/%u", kit_addr_text(&c->addr, text),
                                 c->prefix_len);
            host_route(now, to, c->gateway.family ? kit_addr_text(&c->gateway, by) : NULL, ETH1,
                       c->table, c->metric);
        }
    }
}

/* The changes as commands, a line each. */
static inline void host_lines(const struct kit_changes *changes, struct kit_buf *out)
{
    for (size_t i = 0; i < changes->count; i++) {
        kit_change_command(&changes->change[i], "eth1", out);
        (void)kit_buf_putc(out, '\n');
    }
}

static inline void host_says(const struct kit_changes *changes, const char *want)
{
    KIT_AUTO(kit_buf) out = KIT_BUF(65536);

    host_lines(changes, &out);
    assert_string_equal(out.data, want);
}

#endif
