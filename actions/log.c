/* actions/log.c - one line a message. */
#include "actions/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "kit/base/buf.h"
#include "kit/base/mem.h"
#include "kit/base/str.h"

const struct act_message_info act_message_info[] = {
#define X(code_, level_, name_, cause_, remedy_)                                                   \
    {.code = name_,                                                                                \
     .level = ACT_LEVEL_##level_,                                                                  \
     .name = #name_,                                                                               \
     .cause = cause_,                                                                              \
     .remedy = remedy_},
    ACT_MESSAGES(X)
#undef X
};
const size_t act_message_count = KIT_LEN(act_message_info);

static const struct {
    const char *name;
    int priority;
} levels[] = {
    /* LOG_CRIT, not LOG_EMERG: syslog daemons write the latter to every terminal. */
    [ACT_LEVEL_EMERG] = {"EMERG", LOG_CRIT}, [ACT_LEVEL_NOTIFY] = {"NOTIFY", LOG_NOTICE},
    [ACT_LEVEL_ERROR] = {"ERROR", LOG_ERR},  [ACT_LEVEL_WARN] = {"WARN", LOG_WARNING},
    [ACT_LEVEL_INFO] = {"INFO", LOG_INFO},
};

const char *act_level_name(enum act_level level)
{
    return levels[level].name;
}

static enum act_level level_of(enum act_message message)
{
    for (size_t i = 0; i < act_message_count; i++)
        if (act_message_info[i].code == message)
            return act_message_info[i].level;
    return ACT_LEVEL_ERROR;
}

/* A field: what would move the fields behind it, or begin a line, is replaced. */
static void put_field(char *dst, size_t dst_bytes, const char *src)
{
    (void)kit_str_copy(dst, dst_bytes, src ? src : "");
    for (char *c = dst; *c; c++)
        if (*c == ':')
            *c = '?';
}

static void flatten(char *text)
{
    for (char *c = text; *c; c++)
        if (*c == '\n' || *c == '\r' || *c == '\t')
            *c = ' ';
    kit_str_make_printable(text);
}

/* In one write, so that lines of several processes on one pipe do not mix. */
static void write_stderr(const char *line)
{
    char out[ACT_LOG_BYTES + 2];
    size_t len, done = 0;

    (void)kit_str_format(out, sizeof(out), "%s\n", line);
    len = strlen(out);
    while (done < len) {
        ssize_t n = write(STDERR_FILENO, out + done, len - done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return; /* nobody listens: the action goes on */
        done += (size_t)n;
    }
}

void act_log(const struct act_log *log, enum act_message message, const char *fmt, ...)
{
    int saved_errno = errno;
    enum act_level level = level_of(message);
    char action[33], tag[257], text[ACT_LOG_BYTES], line[ACT_LOG_BYTES + 1];
    va_list ap;

    if (log->quiet && level == ACT_LEVEL_INFO)
        return;
    put_field(action, sizeof(action), log->action);
    put_field(tag, sizeof(tag), log->tag);
    va_start(ap, fmt);
    if (vsnprintf(text, sizeof(text), fmt, ap) < 0)
        text[0] = '\0';
    va_end(ap);
    (void)kit_str_format(line, sizeof(line), "%s:cloudvip:%s:%s:%06d:%s", levels[level].name,
                         action, tag, (int)message, text);
    flatten(line);
    write_stderr(line);
    if (log->to_syslog) {
        openlog(log->ident ? log->ident : log->action, LOG_PID, log->facility);
        syslog(levels[level].priority, "%s", line);
    }
    errno = saved_errno;
}

/* "a, b": what the message does not say itself. */
static void add_detail(struct kit_buf *details, const char *msg, const char *label,
                       const char *text)
{
    if (text[0] == '\0' || strstr(msg, text))
        return;
    (void)kit_buf_printf(details, "%s%s%s", details->len_bytes ? ", " : "", label, text);
}

void act_log_err(const struct act_log *log, enum act_message message, const struct kit_err *err)
{
    KIT_AUTO(kit_buf) details = KIT_BUF(256); /* two codes of 63 bytes, a status, and labels */
    char status[16] = "";

    if (err->http_status != 0)
        (void)kit_str_format(status, sizeof(status), "HTTP %d", err->http_status);
    add_detail(&details, err->msg, "", err->code);
    add_detail(&details, err->msg, "", status);
    add_detail(&details, err->msg, "request ", err->request_id);
    if (details.len_bytes > 0)
        act_log(log, message, "%s (%s)", err->msg, details.data);
    else
        act_log(log, message, "%s", err->msg);
}

int act_log_facility(const char *name)
{
    static const struct {
        const char *name;
        int facility;
    } facilities[] = {
        {"auth", LOG_AUTH},     {"authpriv", LOG_AUTHPRIV}, {"cron", LOG_CRON},
        {"daemon", LOG_DAEMON}, {"syslog", LOG_SYSLOG},     {"user", LOG_USER},
        {"local0", LOG_LOCAL0}, {"local1", LOG_LOCAL1},     {"local2", LOG_LOCAL2},
        {"local3", LOG_LOCAL3}, {"local4", LOG_LOCAL4},     {"local5", LOG_LOCAL5},
        {"local6", LOG_LOCAL6}, {"local7", LOG_LOCAL7},
    };
    char word[16];
    char *dot;

    if (!name || !kit_str_copy(word, sizeof(word), name))
        return LOG_LOCAL6;
    dot = strchr(word, '.');
    if (dot)
        *dot = '\0';
    for (size_t i = 0; i < KIT_LEN(facilities); i++)
        if (kit_str_eq_nocase(word, facilities[i].name))
            return facilities[i].facility;
    return LOG_LOCAL6;
}
