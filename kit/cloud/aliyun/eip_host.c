/* elastic-ip: what this host has to do with it: the interface of the ENI, and how it is set up.
 * Read for plan; judged as rules 25 and 37. */
#include <string.h>

#include "kit/base/str.h"
#include "kit/cloud/aliyun/eip.h"
#include "kit/sys/iprule.h"
#include "kit/sys/link.h"

/* The interface of the settings, else the one with our ENI's MAC. */
static bool find_interface(struct ali_eip_target *t)
{
    struct ali_eip_host *h = &t->host;
    struct kit_link link;
    struct kit_err err;

    if (t->interface)
        return kit_str_copy(h->interface, sizeof(h->interface), t->interface);
    if (!t->eni || !t->eni->mac[0])
        return false;
    if (kit_link_find(t->eni->mac, &link, &err)) {
        (void)kit_str_copy(h->why, sizeof(h->why), err.msg);
        return false;
    }
    return kit_str_copy(h->interface, sizeof(h->interface), link.name);
}

static void look_at_rules(struct ali_eip_target *t)
{
    struct ali_eip_host *h = &t->host;
    struct kit_netlink_addr from = {.family = 4, .prefix_len = 32};
    struct kit_addr addr;
    struct kit_err err;

    if (!ali_eip_wanted_private(t, &addr) || addr.family != 4)
        return;
    memcpy(from.byte, addr.byte, sizeof(from.byte));
    (void)kit_addr_text(&addr, h->from);
    if (kit_iprule_serves_now(h->interface, &from, &h->leads, &err))
        (void)kit_str_copy(h->why, sizeof(h->why), err.msg);
}

void ali_eip_look_here(struct ali_eip_target *t)
{
    struct ali_eip_host *h = &t->host;

    h->asked = true;
    if (t->mode == ALI_EIP_CUT_THROUGH || !t->eni || t->eni->primary || !find_interface(t))
        return;
    look_at_rules(t);
    if (t->mode == ALI_EIP_MULTI)
        h->dhcp = kit_dhcp_of("", h->interface, h->dhcp_by);
}

/* A primary ENI has the main table's default route. */
enum kit_rule_answer ali_eip_check_routes(const void *evidence, struct kit_buf *detail)
{
    const struct ali_eip_target *t = evidence;
    const struct ali_eip_host *h = &t->host;

    if (!h->asked || t->mode == ALI_EIP_CUT_THROUGH || !t->eni || t->eni->primary)
        return KIT_RULE_NOT_KNOWN;
    if (h->why[0]) {
        (void)kit_buf_puts(detail, h->why);
        return KIT_RULE_NOT_KNOWN;
    }
    if (!h->from[0])
        return KIT_RULE_NOT_KNOWN;
    (void)kit_buf_printf(detail,
                         "what %s answers does not leave by %s: no rule from it leads there",
                         h->from, h->interface);
    return h->leads ? KIT_RULE_HOLDS : KIT_RULE_BROKEN;
}

enum kit_rule_answer ali_eip_check_dhcp(const void *evidence, struct kit_buf *detail)
{
    const struct ali_eip_target *t = evidence;
    const struct ali_eip_host *h = &t->host;

    if (!h->asked || t->mode != ALI_EIP_MULTI || !h->interface[0])
        return KIT_RULE_NOT_KNOWN;
    switch (h->dhcp) {
    case KIT_DHCP_ON: return KIT_RULE_HOLDS;
    case KIT_DHCP_OFF:
        (void)kit_buf_printf(detail, "%s does not use DHCP (%s)", h->interface, h->dhcp_by);
        return KIT_RULE_BROKEN;
    case KIT_DHCP_UNKNOWN: break;
    }
    (void)kit_buf_printf(detail, "nothing on this host tells whether %s uses DHCP", h->interface);
    return KIT_RULE_NOT_KNOWN;
}
