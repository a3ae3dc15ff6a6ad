/* aws private-ip: how the address is moved.
 *
 * claim, IPv4: AssignPrivateIpAddresses with AllowReassignment takes the address from whichever ENI
 * has it.  IPv6: nothing takes an address from another ENI, so it is unassigned there and assigned
 * here; killed in between, it is on nobody, and the next run assigns it.
 *
 * release: the calls name our ENI, so they never hit another's. */
#include <string.h>

#include "kit/base/str.h"
#include "kit/cloud/aws/ec2.h"
#include "kit/cloud/aws/imds.h"
#include "kit/cloud/aws/private_ip.h"
#include "kit/sys/link.h"

/* How long the metadata service may take to show an address that was just assigned: seconds.  It
 * only confirms; what decides is what DescribeNetworkInterfaces shows. */
#define CONFIRM_MS 10000
static const struct kit_poll confirm_patience = {.first_ms = 100, .cap_ms = 1000};

struct verb {
    const char *assign, *unassign, *param, *shown; /* `shown`: the metadata service's list */
};

static const struct verb *verb_of(const struct kit_addr *addr)
{
    static const struct verb v4 = {"AssignPrivateIpAddresses", "UnassignPrivateIpAddresses",
                                   "PrivateIpAddress.1", "local-ipv4s"};
    static const struct verb v6 = {"AssignIpv6Addresses", "UnassignIpv6Addresses",
                                   "Ipv6Addresses.1", "ipv6s"};

    return addr->family == 6 ? &v6 : &v4;
}

/* EC2 has one code for every parameter that does not suit it: what it says tells them apart.  The
 * address is not, or not any more, on the ENI that it should be taken off. */
static bool is_not_there(const struct aws_query *q)
{
    return q->call.failed &&
           (q->note == AWS_NOTE_GONE || (kit_str_eq(q->call.err.code, "InvalidParameterValue") &&
                                         strstr(q->call.err.msg, "not assigned to")));
}

/* IPv6: still on another ENI, or already on a third. */
static bool is_elsewhere(const struct aws_query *q)
{
    return q->call.failed && kit_str_eq(q->call.err.code, "InvalidParameterValue") &&
           strstr(q->call.err.msg, "already assigned");
}

static int unassign(struct aws_cloud *cloud, const char *eni, struct kit_step *step,
                    const struct kit_addr *addr, struct kit_deadline by, struct kit_err *err)
{
    struct aws_query q;
    int rc;

    aws_query_init(&q, cloud, &aws_ec2, verb_of(addr)->unassign, AWS_MUTATES);
    aws_query_param(&q, "NetworkInterfaceId", eni);
    aws_query_param(&q, verb_of(addr)->param, step->binding->place);
    rc = aws_query_run(&q, by, err);
    aws_step_result(&q, step);
    if (is_not_there(&q)) {
        step->result = KIT_STEP_DONE;
        rc = 0;
    }
    aws_query_done(&q);
    return rc;
}

static int assign(struct aws_cloud *cloud, const struct kit_facts *facts, struct kit_step *step,
                  const struct kit_addr *addr, struct kit_deadline by, struct kit_err *err)
{
    struct aws_query q;
    int rc;

    aws_query_init(&q, cloud, &aws_ec2, verb_of(addr)->assign, AWS_MUTATES);
    aws_query_param(&q, "NetworkInterfaceId", facts->me);
    aws_query_param(&q, verb_of(addr)->param, step->binding->place);
    if (addr->family == 4)
        aws_query_param(&q, "AllowReassignment", "true");
    rc = aws_query_run(&q, by, err);
    aws_step_result(&q, step);
    if (addr->family == 6 && is_elsewhere(&q))
        step->result = KIT_STEP_OPEN;
    aws_query_done(&q);
    return rc;
}

struct shown {
    struct aws_cloud *cloud;
    struct kit_deadline by;
    const struct kit_addr *addr;
    char path[96];
};

/* kit_poll_fn: is it in the list?  A service that is away is no reason to wait. */
static int is_shown(void *arg, struct kit_err *err)
{
    struct shown *s = arg;
    struct kit_metadata_item item = {
        .path = s->path, .optional = true, .value = KIT_BUF_SECRET(KIT_METADATA_BODY_BYTES)};
    int found = aws_imds_read(s->cloud, &item, 1, s->by, err) ? 1 : 0;
    const char *cursor = item.value.data, *word;
    size_t len;

    while (!found && kit_str_word(&cursor, " \r\n", &word, &len)) {
        char text[KIT_ADDR_TEXT];
        struct kit_addr addr;

        found = len < sizeof(text) && kit_str_format(text, sizeof(text), "%.*s", (int)len, word) &&
                kit_addr_parse(text, &addr) && kit_addr_eq(&addr, s->addr);
    }
    kit_buf_done(&item.value);
    return found;
}

/* The assignment is asynchronous (EC2 API reference, AssignPrivateIpAddresses): the instance has it
 * once its metadata service shows it. */
static void confirm(struct aws_cloud *cloud, const struct kit_settings *settings,
                    const struct kit_addr *addr, struct kit_deadline by)
{
    const char *interface = kit_settings_text(settings, KIT_PARAM_INTERFACE);
    const struct kit_clock *clock = cloud->base.caller->clock;
    struct shown s = {
        .cloud = cloud,
        .by = kit_deadline_earlier(by, kit_deadline_in_ms(clock, CONFIRM_MS)),
        .addr = addr,
    };
    struct kit_link link;
    struct kit_err ignored;

    if (!interface || kit_settings_text(settings, KIT_PARAM_ENI) ||
        kit_link_read(interface, &link, &ignored))
        return;
    (void)kit_str_format(s.path, sizeof(s.path), "meta-data/network/interfaces/macs/%s/%s",
                         link.mac, verb_of(addr)->shown);
    if (kit_poll_until(&confirm_patience, clock, s.by, is_shown, &s, &ignored))
        (void)ignored; /* describe decides */
}

int aws_private_ip_claim(struct kit_cloud *base, const struct kit_settings *settings,
                         const struct kit_facts *facts, struct kit_step step[], size_t count,
                         struct kit_deadline by, struct kit_err *err)
{
    struct aws_cloud *cloud = (struct aws_cloud *)base;
    const struct kit_addr *addr = kit_settings_addr(settings, KIT_PARAM_ADDRESS);
    int rc = 0;

    for (size_t i = 0; i < count && !rc; i++) { /* one address is one binding: one step */
        const struct kit_binding *b = step[i].binding;

        if (addr->family == 6 && b->holder[0] && !b->mine)
            rc = unassign(cloud, b->holder, &step[i], addr, by, err);
        if (!rc)
            rc = assign(cloud, facts, &step[i], addr, by, err);
        if (!rc)
            confirm(cloud, settings, addr, by);
    }
    return rc;
}

int aws_private_ip_release(struct kit_cloud *base, const struct kit_settings *settings,
                           const struct kit_facts *facts, struct kit_step step[], size_t count,
                           struct kit_deadline by, struct kit_err *err)
{
    int rc = 0;

    for (size_t i = 0; i < count && !rc; i++)
        rc = unassign((struct aws_cloud *)base, facts->me, &step[i],
                      kit_settings_addr(settings, KIT_PARAM_ADDRESS), by, err);
    return rc;
}
