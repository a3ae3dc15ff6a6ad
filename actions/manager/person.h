/* actions/manager/person.h - somebody at a shell: the settings are the files', the statuses tell
 * causes apart. */
#ifndef ACTIONS_MANAGER_PERSON_H
#define ACTIONS_MANAGER_PERSON_H

#include "actions/manager/manager.h"

/* Recognises every call.  Exit statuses: 0 right; 1 wrong; 2 usage; 3 unknown; 4 configuration; 5
 * permission or credentials. */
extern const struct act_manager act_manager_person;

#endif
