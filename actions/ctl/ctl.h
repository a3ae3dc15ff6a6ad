/* actions/ctl/ctl.h - the administrator's command: `cloudvip [--confdir DIR] [--json] [-v] COMMAND
 * [TAG…]`.
 *
 * Results on stdout, the rest on stderr; colour only on a terminal; the exit statuses of a person.
 */
#ifndef ACTIONS_CTL_CTL_H
#define ACTIONS_CTL_CTL_H

#include "actions/act.h"

struct ctl {
    const char *confdir;
    const char *prometheus; /* check: file for metrics, or NULL */
    bool json, verbose, colour;
    const struct kit_clock *clock;
    char *const *tag; /* none given: all resources; for a command with words of its own: those, as
                       * they stand, NULL-terminated */
    size_t tags;
    const char *argv0;
};

struct ctl_command {
    const char *name, *args, *does;
    int (*run)(struct ctl *ctl);
    bool own_words; /* it reads the words and options behind it itself (but for --json, -v and
                     * --confdir), --help too */
};
extern const struct ctl_command
    ctl_commands[]; /* ends with a NULL name; `does` NULL: not for people */
int ctl_check(struct ctl *ctl);
int ctl_complete(struct ctl *ctl);
int ctl_status(struct ctl *ctl);
int ctl_plan(struct ctl *ctl);
int ctl_policy(struct ctl *ctl);
int ctl_nic(struct ctl *ctl);
int ctl_eip(struct ctl *ctl);
int ctl_eni(struct ctl *ctl);
int ctl_egress(struct ctl *ctl);
int ctl_havip(struct ctl *ctl);
int ctl_hooks(struct ctl *ctl);
int ctl_lifekeeper(struct ctl *ctl);
int ctl_notify(struct ctl *ctl);
int ctl_ocf(struct ctl *ctl);

enum ctl_status {
    CTL_RIGHT = 0,
    CTL_WRONG = 1,
    CTL_USAGE = 2,
    CTL_UNKNOWN = 3,
    CTL_CONFIG = 4,
    CTL_DENIED = 5,
};
enum ctl_status ctl_status_of(const struct kit_err *err);
/* The one that matters more: wrong, then permission, configuration, unknown, right. */
enum ctl_status ctl_worse(enum ctl_status a, enum ctl_status b);

/* "cloudvip: TAG: message" on stderr. */
void ctl_complain(const char *tag, const struct kit_err *err);
/* The command ends before it has a result: complains, and with --json prints {"status", "error"}.
 */
enum ctl_status ctl_fail(const struct ctl *ctl, const struct kit_err *err);
/* That document alone. */
void ctl_failure_json(enum ctl_status status, const struct kit_err *err);

#endif
