/*
 * The control API below /_cloudsim/, see README.md.
 */
#ifndef SIM_CONTROL_H
#define SIM_CONTROL_H

#include "sim_http.h"

/* `path` is what follows /_cloudsim/. May wait (the request `wait`). */
void sim_control_serve(struct sim_server *server, const struct sim_request *request,
                       const char *path, struct sim_answer *answer);

#endif
