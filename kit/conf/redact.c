/* kit/conf/redact.c - what may be shown of a value. */
#include "kit/conf/redact.h"

#include <string.h>

void kit_redact(struct kit_buf *out, const char *value)
{
    /* The last '@' of the whole value, not of its authority: a password with a bare '/' in it is no
     * URL any more, and is a password all the same. */
    const char *at = strrchr(value, '@');
    const char *scheme_end = strstr(value, "://");

    if (!at) {
        (void)kit_buf_puts(out, value);
        return;
    }
    if (scheme_end && scheme_end < at)
        (void)kit_buf_add(out, value, (size_t)(scheme_end + strlen("://") - value));
    (void)kit_buf_puts(out, "***");
    (void)kit_buf_puts(out, at);
}
