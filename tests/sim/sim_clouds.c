#include "sim_clouds.h"

/* Whoever asks more of a request before it takes it comes first. */
const struct sim_cloud *const sim_clouds[] = {&sim_aliyun, &sim_aws, NULL};
