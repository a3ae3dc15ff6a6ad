/* actions/manager/ocf_agent.h - the resource agent ocf:cloudvip:cloudvip. */
#ifndef ACTIONS_MANAGER_OCF_AGENT_H
#define ACTIONS_MANAGER_OCF_AGENT_H

#include <stdio.h>

#include "kit/base/buf.h"

/* `cloudvip ocf ACTION`: start, stop, monitor (also status), validate-all, reload-agent (also
 * reload), meta-data, usage.  argv[0] is the action; further words are ignored.  Returns the OCF
 * status; an action that there is not is ACT_OCF_ERR_UNIMPLEMENTED. */
int act_ocf_agent(const char *action, const char *argv0);

/* The meta-data of OCF 1.1, made from the schema and the movers' tables.  Appends. */
void act_ocf_metadata(struct kit_buf *out);

#endif
