/* kit/base/err.c - the one error type. */
#include "kit/base/err.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "kit/base/mem.h"
#include "kit/base/str.h"

static const struct {
    const char *name;
    bool retry;
    const char *meaning;
} kinds[] = {
#define X(name, retry, text) [KIT_ERR_##name] = {#name, retry, text},
    KIT_ERR_KINDS(X)
#undef X
};

/* Takes a text as long as the message or longer; messages may quote bytes from outside. */
static void put_msg(struct kit_err *err, const char *text)
{
    if (!kit_str_copy(err->msg, sizeof(err->msg), text))
        memcpy(err->msg + sizeof(err->msg) - sizeof("..."), "...", sizeof("..."));
    kit_str_make_printable(err->msg);
}

int kit_err_set(struct kit_err *err, enum kit_err_kind kind, const char *fmt, ...)
{
    int saved_errno = errno;
    char text[2 * sizeof(err->msg)];
    va_list ap;

    /* Formatted before *err is touched: an argument may be the old err->msg. */
    va_start(ap, fmt);
    int len = vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    if (len < 0)
        text[0] = '\0';

    *err = (struct kit_err){.kind = kind};
    if (kind == KIT_ERR_SYSTEM) {
        err->sys = saved_errno;
        if (saved_errno != 0 && len >= 0 && (size_t)len < sizeof(text))
            (void)kit_str_format(text + len, sizeof(text) - (size_t)len, ": %s",
                                 strerror(saved_errno));
    }
    put_msg(err, text);
    errno = saved_errno;
    return -1;
}

int kit_err_wrap(struct kit_err *err, const char *fmt, ...)
{
    char text[2 * sizeof(err->msg)];
    va_list ap;

    va_start(ap, fmt);
    int len = vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    if (len < 0)
        return -1;
    if ((size_t)len < sizeof(text))
        (void)kit_str_format(text + len, sizeof(text) - (size_t)len, ": %s", err->msg);
    put_msg(err, text);
    return -1;
}

bool kit_err_retryable(const struct kit_err *err)
{
    return kinds[err->kind].retry;
}

const char *kit_err_name(enum kit_err_kind kind)
{
    return (size_t)kind < KIT_LEN(kinds) ? kinds[kind].name : "UNKNOWN";
}

const char *kit_err_meaning(enum kit_err_kind kind)
{
    return (size_t)kind < KIT_LEN(kinds) ? kinds[kind].meaning : "an error of an unknown kind";
}
