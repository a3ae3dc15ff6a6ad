/* actions/ctl/prometheus.h - what check found, as metrics for node_exporter's textfile collector.
 */
#ifndef ACTIONS_CTL_PROMETHEUS_H
#define ACTIONS_CTL_PROMETHEUS_H

#include "actions/ctl/survey.h"

/* Writes ctl->prometheus atomically, in Prometheus' text format (prometheus.io, "Exposition
 * formats"). */
int ctl_prometheus(const struct ctl *ctl, const struct ctl_survey *survey,
                   struct kit_err *err) KIT_CHECKED;

#endif
