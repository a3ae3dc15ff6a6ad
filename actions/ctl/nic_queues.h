/* actions/ctl/nic_queues.h - `cloudvip nic queues IFACE [--set N|max]`. */
#ifndef ACTIONS_CTL_NIC_QUEUES_H
#define ACTIONS_CTL_NIC_QUEUES_H

#include "actions/ctl/ctl.h"

/* Shows an interface's queues, RPS and whether irqbalance runs, and judges rule 61; with --set it
 * sets queues, and RPS where they are fewer than CPUs.  Returns the exit status. */
int ctl_nic_queues(struct ctl *ctl);

#endif
