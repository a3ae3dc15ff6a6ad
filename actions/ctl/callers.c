/* actions/ctl/callers.c - what the small files that cluster managers start hand over to us. */
#include "actions/ctl/ctl.h"
#include "actions/manager/keepalived.h"
#include "actions/manager/lifekeeper_admin.h"
#include "actions/manager/ocf_agent.h"

#include <stdio.h>

#include "kit/base/str.h"

/* Managers never ask; a person at a terminal does, and shall change nothing by it. */
static bool is_help(const char *word)
{
    return kit_str_eq(word, "--help");
}

int ctl_lifekeeper(struct ctl *ctl)
{
    if (ctl->tags && (is_help(ctl->tag[0]) || is_help(ctl->tag[1]))) {
        act_lifekeeper_usage(stdout);
        return CTL_RIGHT;
    }
    return act_lifekeeper_admin(ctl->tag, ctl->argv0);
}

int ctl_notify(struct ctl *ctl)
{
    if (ctl->tags && is_help(ctl->tag[0])) {
        (void)puts(ACT_KEEPALIVED_USAGE);
        return CTL_RIGHT;
    }
    return act_keepalived_notify(ctl->tag, ctl->argv0);
}

int ctl_ocf(struct ctl *ctl)
{
    const char *action = ctl->tags ? ctl->tag[0] : NULL;

    return act_ocf_agent(is_help(action) ? "usage" : action, ctl->argv0);
}
