/* kit/cloud/aliyun/env.h - the environment as the vendor's SDKs read it.  Private to
 * kit/cloud/aliyun. */
#ifndef KIT_CLOUD_ALIYUN_ENV_H
#define KIT_CLOUD_ALIYUN_ENV_H

#include <stdbool.h>
#include <stdlib.h>

#include "kit/base/str.h"

/* A variable's value, borrowed; NULL when it is unset or empty. */
static inline const char *ali_env(const char *name)
{
    const char *text = getenv(name);

    return text && *text ? text : NULL;
}

/* "true" in any case is true, everything else is not. */
static inline bool ali_env_is_true(const char *name)
{
    const char *text = ali_env(name);

    return text && kit_str_eq_nocase(text, "true");
}

#endif
