/* actions/ctl/nic_setup.c - an interface set up as the cloud means it to be. */
#include <errno.h>
#include <limits.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "actions/ctl/nic.h"
#include "kit/base/str.h"
#include "kit/sys/file.h"

/* Rounds of looking and changing: one that changes, one for an IPv6 router that came meanwhile, one
 * that finds nothing more to do. */
#define ROUNDS 3

/* A router answers a solicitation within half a second (RFC 4861, MAX_RA_DELAY_TIME); the kernel
 * sends three, 4 s apart. */
#define ROUTER_MS INT64_C(5000)
static const struct kit_poll router_patience = {.first_ms = 50, .cap_ms = 500};

struct setup {
    const struct ctl_nic_ask *ask;
    struct ctl_nic_result *result;
    struct kit_nic nic;
    struct kit_link link;
    struct kit_host_state state;
    bool has_state, waited;
    bool no_ipv6; /* it has IPv6 addresses, and this host does without them */
    uint32_t *taken;
    size_t taken_count;
    struct ctl_nic_moving moving;
    struct kit_host_now now;
    struct kit_host_plan plan;
    struct kit_persist_files files;
};

static void setup_done(struct setup *s)
{
    kit_host_state_done(&s->state);
    kit_host_now_done(&s->now);
    kit_host_plan_done(&s->plan);
    kit_persist_files_done(&s->files);
    free(s->taken);
    ctl_nic_moving_done(&s->moving);
}

/* ---- which interface ------------------------------------------------------------------------- */

/* The interface that this one lies on (a VLAN's, an ipvlan's parent); 0 = none, or not known. */
static int64_t lies_on(const char *interface)
{
    KIT_AUTO(kit_buf) text = KIT_BUF(32);
    char path[64];
    struct kit_err ignored;
    int64_t index;

    if (!kit_str_format(path, sizeof(path), "/sys/class/net/%s/iflink", interface) ||
        kit_file_read(path, KIT_FILE_ANY, &text, &ignored) != 0 ||
        !kit_str_to_int(kit_str_trim(text.data), 1, INT32_MAX, &index))
        return 0;
    return index;
}

/* What lies on top of an interface has its MAC too, and is not the ENI; with others (a bond's) it
 * cannot be told. */
static int check_alone(const struct kit_link *link, struct kit_err *err)
{
    struct if_nameindex *all = if_nameindex();
    struct kit_link other;
    struct kit_err ignored;
    int rc = 0;

    for (const struct if_nameindex *i = all; rc == 0 && i && i->if_name; i++)
        if (!kit_str_eq(i->if_name, link->name) &&
            kit_link_read(i->if_name, &other, &ignored) == 0 && kit_str_eq(other.mac, link->mac) &&
            lies_on(other.name) != link->index)
            rc = kit_err_set(err, KIT_ERR_STATE,
                             "interfaces %s and %s have the same MAC %s: which of them is the ENI "
                             "cannot be told",
                             link->name, other.name, link->mac);
    if (all)
        if_freenameindex(all);
    return rc;
}

static int find_link(const char *interface, struct kit_link *ret_link, struct kit_err *err)
{
    if (ctl_nic_find(interface, ret_link, err) != 0)
        return -1;
    if (!ret_link->mac[0])
        return kit_err_set(err, KIT_ERR_NOT_FOUND, "interface %s has no MAC address: it is no ENI",
                           interface);
    return check_alone(ret_link, err);
}

static int ask_cloud(struct kit_cloud *cloud, const struct kit_link *link, struct kit_deadline by,
                     struct kit_nic *ret_nic, struct kit_err *err)
{
    if (!cloud->provider->nic)
        return kit_err_set(err, KIT_ERR_CONFIG,
                           "provider %s: how an interface is to be set up is not known",
                           cloud->provider->name);
    if (cloud->provider->nic(cloud, link->mac, by, ret_nic, err) == 0)
        return 0;
    if (err->kind == KIT_ERR_NOT_FOUND)
        return kit_err_set(err, KIT_ERR_NOT_FOUND,
                           "interface %s: rule 60: its MAC %s is that of no ENI of this instance, "
                           "says the metadata service",
                           link->name, link->mac);
    return kit_err_wrap(err, "ask how %s (MAC %s) is to be set up", link->name, link->mac);
}

static int read_state(struct setup *s, struct kit_err *err)
{
    const char *interface = s->link.name;

    if (kit_host_state_read(interface, &s->has_state, &s->state, err) != 0)
        return -1;
    if (!s->has_state) {
        (void)kit_str_copy(s->state.interface, sizeof(s->state.interface), interface);
    } else if (!kit_str_eq(s->state.mac, s->link.mac)) {
        return kit_err_set(err, KIT_ERR_STATE,
                           "%s was set up when it was another interface (MAC %s, now %s): run "
                           "`cloudvip nic unset %s` first",
                           interface, s->state.mac, s->link.mac, interface);
    }
    return kit_host_state_tables(interface, &s->taken, &s->taken_count, err);
}

/* ---- what is to be done ---------------------------------------------------------------------- */

static unsigned primary_index(const struct kit_host_now *now)
{
    const struct kit_route *best = NULL;

    for (size_t i = 0; i < now->routes.count; i++) {
        const struct kit_route *r = &now->routes.route[i];
        if (r->table == KIT_ROUTE_MAIN && r->to.family == 4 && r->to.prefix_len == 0 &&
            r->index != now->link.index && (!best || r->metric < best->metric))
            best = r;
    }
    return best ? best->index : 0;
}

/* An IPv6 router that tells of itself goes on doing so after a reboot. */
static bool is_advertised(const struct setup *s)
{
    for (size_t i = 0; i < s->plan.want.count; i++)
        if (s->plan.want.change[i].kind == KIT_CHANGE_ROUTE &&
            s->plan.want.change[i].addr.family == 6)
            return s->nic.gateway6.family == 0;
    return s->plan.no_router;
}

static int plan_files(struct setup *s, struct kit_err *err)
{
    const struct kit_persist_manager *manager = NULL;
    const struct kit_persist_place place = {.root = "",
                                            .interface = s->link.name,
                                            .index = s->link.index,
                                            .primary_index = primary_index(&s->now)};
    const struct kit_persist_want want = {.interface = s->link.name,
                                          .mac = s->link.mac,
                                          .mtu = s->link.mtu == 1500 ? 0 : s->link.mtu,
                                          .metric = s->plan.metric,
                                          .advertised = is_advertised(s),
                                          .items = &s->plan.want};

    kit_persist_files_done(&s->files);
    if (s->ask->no_persist)
        return 0;
    if (kit_persist_find(&place, &manager, err) != 0 ||
        kit_persist_plan(manager, &place, &want, &s->files, err) != 0)
        return -1;
    s->result->manager = manager->name;
    return 0;
}

static struct kit_host_ask host_ask(const struct setup *s)
{
    return (struct kit_host_ask){.interface = s->link.name,
                                 .nic = &s->nic,
                                 .state = s->has_state ? &s->state : NULL,
                                 .metric = s->ask->metric,
                                 .taken = s->taken,
                                 .taken_count = s->taken_count,
                                 .moving = s->moving.addr,
                                 .moving_count = s->moving.count};
}

static int look(struct setup *s, struct kit_err *err)
{
    const struct kit_host_ask ask = host_ask(s);

    kit_host_now_done(&s->now);
    kit_host_plan_done(&s->plan);
    s->plan = (struct kit_host_plan){0};
    if (kit_host_now_read("", s->link.name, &s->now, err) != 0)
        return -1;
    return kit_host_plan_setup(&ask, &s->now, &s->plan, err);
}

static int look_and_judge(struct setup *s, struct kit_err *err)
{
    const struct kit_host_ask ask = host_ask(s);

    return look(s, err) != 0 || kit_host_check_preferred(&ask, &s->now, err) != 0 ? -1 : 0;
}

static bool files_there(const struct setup *s)
{
    for (size_t i = 0; i < s->files.count; i++)
        if (!s->files.file[i].there)
            return false;
    return true;
}

/* ---- doing it -------------------------------------------------------------------------------- */

/* What is about to be made is ours from now on; an undone thing is forgotten only when it is gone.
 */
static int write_state(struct setup *s, struct kit_err *err)
{
    (void)kit_str_copy(s->state.mac, sizeof(s->state.mac), s->link.mac);
    (void)kit_str_copy(s->state.eni, sizeof(s->state.eni), s->nic.eni);
    s->state.table = s->plan.table;
    for (size_t i = 0; i < s->plan.todo.count; i++) {
        const struct kit_change *c = &s->plan.todo.change[i];
        if (!c->undo && !kit_changes_have(&s->state.made, c))
            kit_changes_add(&s->state.made, c);
    }
    for (size_t i = 0; i < s->files.count; i++)
        if (!kit_host_state_add_file(&s->state, s->files.file[i].path))
            return kit_err_set(err, KIT_ERR_STATE, "%s: files of several managers: unset it first",
                               s->link.name);
    s->has_state = true;
    return kit_host_state_write(&s->state, err);
}

/* Things of ours that were no longer wanted, and are gone. */
static int forget_undone(struct setup *s, struct kit_err *err)
{
    size_t kept = 0, all = s->state.made.count;

    for (size_t i = 0; i < all; i++) {
        bool gone = false;
        for (size_t k = 0; k < s->plan.todo.count; k++)
            gone = gone || (s->plan.todo.change[k].undo &&
                            kit_change_eq(&s->plan.todo.change[k], &s->state.made.change[i]));
        if (!gone)
            s->state.made.change[kept++] = s->state.made.change[i];
    }
    s->state.made.count = kept;
    return kept == all ? 0 : kit_host_state_write(&s->state, err);
}

static int check_files(const struct setup *s, struct kit_err *err)
{
    for (size_t i = 0; i < s->files.count; i++)
        if (!s->files.file[i].there &&
            kit_persist_check_writable("", s->files.file[i].path, err) != 0)
            return kit_err_wrap(err, "keep it over a reboot");
    return 0;
}

static int change_all(struct setup *s, struct kit_err *err)
{
    for (size_t i = 0; i < s->plan.todo.count; i++)
        if (ctl_nic_apply(s->ask, &s->plan.todo.change[i], s->link.index, s->result, err) != 0)
            return -1;
    for (size_t i = 0; i < s->files.count; i++) {
        if (s->files.file[i].there)
            continue;
        ctl_nic_tell(s->ask, "# write %s", s->files.file[i].path);
        s->result->changed = true;
    }
    if (s->ask->dry_run)
        return 0;
    return kit_persist_write("", &s->files, err) != 0 || forget_undone(s, err) != 0 ? -1 : 0;
}

struct router {
    unsigned index;
};

/* kit_poll_fn */
static int has_router(void *arg, struct kit_err *err)
{
    const struct router *wanted = arg;
    KIT_AUTO(kit_routes) all = {0};

    if (kit_route_list(&all, err) != 0)
        return -1;
    for (size_t i = 0; i < all.count; i++) {
        const struct kit_route *r = &all.route[i];
        if (r->index == wanted->index && r->to.family == 6 && r->to.prefix_len == 0 &&
            r->table == KIT_ROUTE_MAIN && r->gateway.family)
            return 1;
    }
    return 0;
}

/* True: there is one now, and its routes are to be made. */
static bool wait_for_router(struct setup *s)
{
    struct router wanted = {.index = s->link.index};
    struct kit_deadline by =
        kit_deadline_earlier(s->ask->by, kit_deadline_in_ms(s->ask->clock, ROUTER_MS));
    struct kit_err err;

    if (!s->plan.no_router || s->waited || s->ask->dry_run)
        return false;
    s->waited = true;
    return kit_poll_until(&router_patience, s->ask->clock, by, has_router, &wanted, &err) == 0;
}

static int run_rounds(struct setup *s, struct kit_err *err)
{
    for (int round = 0; round < ROUNDS; round++) {
        if (look_and_judge(s, err) != 0 || plan_files(s, err) != 0)
            return -1;
        if (s->ask->dry_run)
            return change_all(s, err);
        if (s->plan.todo.count == 0 && files_there(s)) {
            if (wait_for_router(s))
                continue;
            return 0;
        }
        if (kit_deadline_passed(s->ask->clock, s->ask->by))
            return kit_err_set(err, KIT_ERR_TIMEOUT, "%s: the time is spent", s->link.name);
        if (check_files(s, err) != 0 || write_state(s, err) != 0 || change_all(s, err) != 0)
            return -1;
    }
    KIT_AUTO(kit_buf) command = KIT_BUF(256);
    if (look(s, err) != 0)
        return -1;
    if (s->plan.todo.count == 0)
        return 0;
    kit_change_command(&s->plan.todo.change[0], s->link.name, &command);
    return kit_err_set(err, KIT_ERR_STATE,
                       "%s: what was made does not stay: something else manages it, too; missing "
                       "again: %s",
                       s->link.name, command.data);
}

static void finish_result(struct setup *s)
{
    struct ctl_nic_result *r = s->result;

    (void)kit_str_copy(r->interface, sizeof(r->interface), s->link.name);
    (void)kit_str_copy(r->mac, sizeof(r->mac), s->link.mac);
    (void)kit_str_copy(r->eni, sizeof(r->eni), s->nic.eni);
    r->table = s->plan.table;
    r->metric = s->plan.metric;
    for (size_t i = 0; i < s->files.count; i++)
        r->file[r->files++] = kit_mem_strdup(s->files.file[i].path);
    if (s->no_ipv6)
        (void)kit_str_format(r->note, sizeof(r->note),
                             "IPv6 is disabled on %s: its IPv6 addresses are left out",
                             s->link.name);
    if (s->plan.no_router)
        (void)kit_str_format(r->note, sizeof(r->note),
                             "no IPv6 router is known on %s: its IPv6 addresses have no routes and "
                             "rules yet; run this again when it has announced itself",
                             s->link.name);
}

/* The kernel refuses IPv6 addresses then, after the rest was made. */
static bool ipv6_is_off(const char *interface)
{
    KIT_AUTO(kit_buf) text = KIT_BUF(16);
    char path[96];
    struct kit_err err;

    (void)kit_str_format(path, sizeof(path), "/proc/sys/net/ipv6/conf/%s/disable_ipv6", interface);
    if (kit_file_read(path, KIT_FILE_ANY, &text, &err) != 0)
        return err.kind == KIT_ERR_NOT_FOUND;
    return text.data[0] == '1';
}

static int leave_out_ipv6(struct setup *s, struct kit_err *err)
{
    size_t four = 0;

    while (four < s->nic.count && s->nic.addr[four].family == 4)
        four++; /* they come first */
    if (four == s->nic.count || !ipv6_is_off(s->link.name))
        return 0;
    if (four == 0)
        return kit_err_set(err, KIT_ERR_STATE,
                           "%s has IPv6 addresses only, and IPv6 is disabled on it "
                           "(net.ipv6.conf.%s.disable_ipv6)",
                           s->link.name, s->link.name);
    s->no_ipv6 = true;
    s->nic.count = four;
    s->nic.subnet6 = (struct kit_cidr){0};
    s->nic.gateway6 = (struct kit_addr){0};
    return 0;
}

static int prepare(struct kit_cloud *cloud, struct setup *s, struct kit_err *err)
{
    if (find_link(s->ask->interface, &s->link, err) != 0 || read_state(s, err) != 0 ||
        ask_cloud(cloud, &s->link, s->ask->by, &s->nic, err) != 0 || leave_out_ipv6(s, err) != 0)
        return -1;
    ctl_nic_moving_read(s->ask->confdir, &s->moving);
    return 0;
}

static int refuse_primary(const struct setup *s, struct kit_err *err)
{
    if (s->nic.primary)
        return kit_err_set(err, KIT_ERR_STATE,
                           "%s is the primary interface of this instance (%s): its default route "
                           "is the main table's, and it needs no table of its own",
                           s->link.name, s->nic.eni);
    return 0;
}

int ctl_nic_setup(struct kit_cloud *cloud, const struct ctl_nic_ask *ask,
                  struct ctl_nic_result *ret_result, struct kit_err *err)
{
    KIT_AUTO(kit_lock) lock = KIT_LOCK_NONE;
    struct setup s = {.ask = ask, .result = ret_result};
    int rc;

    *ret_result = (struct ctl_nic_result){0};
    if (!ask->dry_run &&
        (ctl_nic_may_change(ask->interface, err) != 0 || ctl_nic_lock(ask, &lock, err) != 0))
        return -1;
    rc = prepare(cloud, &s, err);
    if (rc == 0)
        rc = refuse_primary(&s, err);
    if (rc == 0)
        rc = run_rounds(&s, err);
    if (rc == 0)
        finish_result(&s);
    setup_done(&s);
    return rc;
}

/* ---- only looking ---------------------------------------------------------------------------- */

/* By files of ours that say what setup would write now. */
static bool is_kept(struct setup *s)
{
    struct kit_err ignored;

    for (size_t i = 0; i < s->state.files; i++)
        if (!kit_persist_is_ours("", s->state.file[i]))
            return false;
    return s->state.files > 0 && plan_files(s, &ignored) == 0 && files_there(s);
}

static void judge(struct setup *s, struct ctl_nic_look *ret_look)
{
    const struct kit_host_ask ask = host_ask(s);
    KIT_AUTO(kit_buf) command = KIT_BUF(sizeof(ret_look->unrouted) - 32);
    struct kit_err err;

    ret_look->table = s->plan.table;
    ret_look->kept = is_kept(s);
    ret_look->routed = s->plan.todo.count == 0 && !s->plan.no_router;
    if (s->plan.todo.count > 0) {
        kit_change_command(&s->plan.todo.change[0], s->link.name, &command);
        (void)kit_str_format(ret_look->unrouted, sizeof(ret_look->unrouted), "missing: %s",
                             command.data);
    } else if (s->plan.no_router) {
        (void)kit_str_copy(ret_look->unrouted, sizeof(ret_look->unrouted),
                           "no IPv6 router is known there");
    }
    ret_look->preferred = kit_host_check_preferred(&ask, &s->now, &err) == 0;
    if (!ret_look->preferred)
        (void)kit_str_copy(ret_look->unpreferred, sizeof(ret_look->unpreferred), err.msg);
}

int ctl_nic_look(struct kit_cloud *cloud, const struct ctl_nic_ask *ask,
                 struct ctl_nic_look *ret_look, struct kit_err *err)
{
    struct ctl_nic_result unused = {0};
    struct setup s = {.ask = ask, .result = &unused};
    int rc;

    *ret_look = (struct ctl_nic_look){0};
    rc = prepare(cloud, &s, err);
    if (rc == 0 && s.nic.primary) {
        ret_look->primary = ret_look->routed = ret_look->kept = ret_look->preferred = true;
    } else if (rc == 0) {
        rc = look(&s, err);
        if (rc == 0)
            judge(&s, ret_look);
    }
    setup_done(&s);
    return rc;
}
