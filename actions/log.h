/* actions/log.h - one line a message: LEVEL:cloudvip:ACTION:TAG:CODE:TEXT
 *
 * The form is LifeKeeper's.  Lines go to stderr, which a cluster manager keeps, and under
 * LifeKeeper to syslog as well, where its own log is fed from.  Logging never fails and never ends
 * an action. */
#ifndef ACTIONS_LOG_H
#define ACTIONS_LOG_H

#include <stdbool.h>
#include <stddef.h>

#include "actions/messages.h"
#include "kit/base/err.h"

enum act_level {
    ACT_LEVEL_EMERG,
    ACT_LEVEL_NOTIFY,
    ACT_LEVEL_ERROR,
    ACT_LEVEL_WARN,
    ACT_LEVEL_INFO
};

/* Filled by whoever starts the action; nothing to end.  All strings are borrowed; syslog's ident
 * must live as long as the process. */
struct act_log {
    const char *action; /* "restore" */
    const char *tag;    /* NULL = not known (yet): the field stays empty */
    bool to_syslog;
    int facility;      /* of syslog; see act_log_facility */
    const char *ident; /* of syslog; NULL = action */
    bool quiet;        /* INFO is not written */
};

/* Writes one line, cut at ACT_LOG_BYTES.  Line ends and tabs in it become spaces, other control
 * characters and invalid UTF-8 '?'; a ':' in action or tag '?', so that the fields keep their
 * places. */
#define ACT_LOG_BYTES                                                                              \
    2048 /* an error's message, its codes, and the fields; syslog daemons take 2 KiB (RFC          \
            5424, 6.1) */
void act_log(const struct act_log *log, enum act_message message, const char *fmt, ...)
    KIT_PRINTF(3, 4);

/* An error: its message, and in parentheses the provider's code, HTTP status and request id as far
 * as the message does not say them itself. */
void act_log_err(const struct act_log *log, enum act_message message, const struct kit_err *err);

/* "local6", "daemon" … as syslog.conf writes them, and "auth.info" for its part before the dot;
 * LOG_LOCAL6, which LifeKeeper uses, for NULL and for names that there are not. */
int act_log_facility(const char *name);

/* The table of messages, for documentation and tests. */
struct act_message_info {
    enum act_message code;
    enum act_level level;
    const char *name, *cause, *remedy;
};
extern const struct act_message_info act_message_info[];
extern const size_t act_message_count;
const char *act_level_name(enum act_level level); /* "ERROR" */

#endif
