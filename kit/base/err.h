/* kit/base/err.h - the one error type. */
#ifndef KIT_BASE_ERR_H
#define KIT_BASE_ERR_H

#include <stdarg.h>
#include <stdbool.h>

#define KIT_CHECKED      __attribute__((warn_unused_result))
#define KIT_PRINTF(f, a) __attribute__((format(printf, f, a)))

/* X(kind, may be retried, what an operator should understand).  The only table of kinds; what a
 * kind means as an exit status is the manager rooms' business (actions/manager). */
#define KIT_ERR_KINDS(X)                                                                           \
    X(USAGE, false, "the command line is wrong")                                                   \
    X(CONFIG, false, "the configuration is wrong or incomplete")                                   \
    X(AUTH, false, "the cloud refused our credentials, or there are none")                         \
    X(DENIED, false, "a permission is missing")                                                    \
    X(NOT_FOUND, false, "something named in the configuration does not exist")                     \
    X(REFUSED, false, "the cloud refused the request as it stands")                                \
    X(STATE, true, "a cloud object is between two states")                                         \
    X(CONFLICT, false, "another node took the address")                                            \
    X(THROTTLED, true, "the cloud asked us to slow down")                                          \
    X(TRANSIENT, true, "the network or the cloud failed, and may recover")                         \
    X(PROTOCOL, false, "an answer could not be understood")                                        \
    X(TIMEOUT, false, "the action's deadline is spent")                                            \
    X(HOOK, false, "a site hook refused, or broke a limit")                                        \
    X(SYSTEM, false, "a system call failed")

enum kit_err_kind {
#define X(name, retry, text) KIT_ERR_##name,
    KIT_ERR_KINDS(X)
#undef X
};

/* A plain value: the caller declares it, nothing to free, never allocates.  Defined only after a
 * call that returned -1.  msg never holds a secret and never a control character. */
struct kit_err {
    enum kit_err_kind kind;
    int sys;             /* errno, or 0 */
    int http_status;     /* or 0 */
    bool outcome_open;   /* a change was sent and its answer lost: it may have been applied */
    char code[64];       /* the provider's own error code, "" if none */
    char request_id[64]; /* what the provider's support will ask for, "" if none */
    char msg[512];       /* one line, outermost context first */
};

/* Fill *err anew and return -1, so that a failing function can `return kit_err_set(err, …)`.
 * For KIT_ERR_SYSTEM, errno is kept in sys and its text appended. */
int kit_err_set(struct kit_err *err, enum kit_err_kind kind, const char *fmt, ...) KIT_PRINTF(3, 4);

/* Put "context: " in front of the message; kind and codes stay.  Too long: the tail is cut and
 * ends in "...".  Returns -1. */
int kit_err_wrap(struct kit_err *err, const char *fmt, ...) KIT_PRINTF(2, 3);

bool kit_err_retryable(const struct kit_err *err);
const char *kit_err_name(enum kit_err_kind kind);    /* "THROTTLED" */
const char *kit_err_meaning(enum kit_err_kind kind); /* the table's sentence */

#endif
