/* actions/ctl/callers.c - what the small files that cluster managers start hand over to us. */
#include "actions/ctl/ctl.h"
#include "actions/manager/ocf_agent.h"

int ctl_ocf(struct ctl *ctl)
{
    return act_ocf_agent(ctl->tags ? ctl->tag[0] : NULL, ctl->argv0);
}
