/* actions/ctl/callers.c - what the small files that cluster managers start hand over to us. */
#include "actions/ctl/ctl.h"
#include "actions/manager/keepalived.h"
#include "actions/manager/lifekeeper_admin.h"
#include "actions/manager/ocf_agent.h"

int ctl_lifekeeper(struct ctl *ctl)
{
    return act_lifekeeper_admin(ctl->tag, ctl->argv0);
}

int ctl_notify(struct ctl *ctl)
{
    return act_keepalived_notify(ctl->tag, ctl->argv0);
}

int ctl_ocf(struct ctl *ctl)
{
    return act_ocf_agent(ctl->tags ? ctl->tag[0] : NULL, ctl->argv0);
}
