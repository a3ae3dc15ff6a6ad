/* kit/conf/redact.h - what may be shown of a value. */
#ifndef KIT_CONF_REDACT_H
#define KIT_CONF_REDACT_H

#include "kit/base/buf.h"

/* Append `value` with whatever may be a secret replaced by "***": the user and password part of a
 * URL. */
void kit_redact(struct kit_buf *out, const char *value);

#endif
