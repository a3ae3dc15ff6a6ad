/* actions/manager/manager.c - the table of cluster managers. */
#include "actions/manager/manager.h"

#include "actions/manager/lifekeeper.h"
#include "actions/manager/ocf.h"
#include "actions/manager/person.h"
#include "kit/base/mem.h"

/* First who recognises the call; person recognises every one and stands last. */
static const struct act_manager *const managers[] = {
    &act_manager_lifekeeper,
    &act_manager_ocf,
    &act_manager_person,
};

const struct act_manager *act_manager_find(const struct act_call *call)
{
    for (size_t i = 0; i < KIT_LEN(managers); i++)
        if (managers[i]->recognise(call))
            return managers[i];
    return &act_manager_person;
}

enum act_outcome act_outcome_of(const struct kit_err *err)
{
    /* No default: a new kind has to be thought about here. */
    switch (err->kind) {
    case KIT_ERR_USAGE: return ACT_OUT_USAGE;
    case KIT_ERR_AUTH:
    case KIT_ERR_DENIED: return ACT_OUT_DENIED;
    case KIT_ERR_CONFIG:
    case KIT_ERR_NOT_FOUND: return ACT_OUT_CONFIG;
    case KIT_ERR_THROTTLED:
    case KIT_ERR_TRANSIENT:
    case KIT_ERR_TIMEOUT:
    case KIT_ERR_PROTOCOL: return ACT_OUT_UNKNOWN;
    case KIT_ERR_REFUSED:
    case KIT_ERR_STATE:
    case KIT_ERR_CONFLICT:
    case KIT_ERR_HOOK:
    case KIT_ERR_SYSTEM: return ACT_OUT_WRONG;
    }
    return ACT_OUT_WRONG;
}
