/* kit/cloud/aws/env.h - the environment as AWS's SDKs read it.  Private to kit/cloud/aws. */
#ifndef KIT_CLOUD_AWS_ENV_H
#define KIT_CLOUD_AWS_ENV_H

#include <stdbool.h>
#include <stdlib.h>

#include "kit/base/str.h"

/* A variable's value, borrowed; NULL when it is unset or empty. */
static inline const char *aws_env(const char *name)
{
    const char *text = getenv(name);

    return text && *text ? text : NULL;
}

/* "true" in any case is true, everything else is not: botocore's ensure_boolean. */
static inline bool aws_is_true(const char *text)
{
    return text && kit_str_eq_nocase(text, "true");
}

#endif
