/* actions/manager/lifekeeper_admin.h - what LifeKeeper's administration calls: resources are made,
 * extended to another server, and taken away. */
#ifndef ACTIONS_MANAGER_LIFEKEEPER_ADMIN_H
#define ACTIONS_MANAGER_LIFEKEEPER_ADMIN_H

#include <stdio.h>

/* `cloudvip lifekeeper WORD ...`; `words` is NULL-terminated and begins with WORD.  Returns 0, or 1
 * with the reason on stderr and in the log.  Everything can be run again; what fails halfway is
 * undone.
 *
 *   create -t TAG [-i ID] [-s INTELLIGENT|AUTOMATIC] [-o] [KEY=VALUE]...
 *       checks the settings (the words, then the files) against this host and the cloud, makes the
 *       instance with the words as its info field, and brings it into service, unless -o.
 *   canextend SYSTEM TAG
 *       run on the target: would a restore of SYSTEM's resource TAG go through from here?
 *   extend SYSTEM TAG [TAG-HERE [ID]] [-s SWITCHBACK] [-p PRIORITY]
 *       run on the target: makes the instance here, out of service, and the equivalency both ways.
 *   delete -t TAG
 *       takes it out of service and away from this server.
 *   forget -t TAG -i ID
 *       what LifeKeeper's own removal of an instance calls (the action `delete`): our record goes.
 *   register, unregister
 *       the application and the type, when the kit is installed or removed; the type of an existing
 *       instance stays. */
int act_lifekeeper_admin(char *const words[], const char *argv0);

/* All of that in a few lines. */
void act_lifekeeper_usage(FILE *out);

#endif
