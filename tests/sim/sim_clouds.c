#include "sim_clouds.h"

const struct sim_cloud *const sim_clouds[] = {&sim_aws, NULL};
