/*
 * The clouds that are simulated. A further one is one row in sim_clouds.c and its own files.
 */
#ifndef SIM_CLOUDS_H
#define SIM_CLOUDS_H

#include "sim_world.h"

extern const struct sim_cloud sim_aliyun, sim_aws;

extern const struct sim_cloud *const sim_clouds[]; /* ends in NULL */

#endif
