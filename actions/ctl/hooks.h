/* actions/ctl/hooks.h - `cloudvip hooks list|test`: what the site's hooks are, and what they say.
 */
#ifndef ACTIONS_CTL_HOOKS_H
#define ACTIONS_CTL_HOOKS_H

#include "actions/ctl/ctl.h"
#include "kit/cloud/ops.h"

/* The settings whose hooks are meant: those of `tag`, or of [defaults] when it is NULL. */
int ctl_hooks_settings(const struct ctl *ctl, const char *tag, struct kit_settings *ret_settings,
                       struct kit_err *err) KIT_CHECKED;
/* Which functions a file has, by running it under the limits: the array of answer->names.  The
 * caller ends *answer in either case. */
int ctl_hooks_ask_names(const struct ctl *ctl, const struct act_hooks *hooks,
                        const struct act_hook_file *file, struct klua_answer *answer,
                        struct kit_err *err) KIT_CHECKED;
/* Is `name` among the names? */
bool ctl_hooks_has(const struct klua_answer *answer, const char *name);

/* hooks_test.c: `cloudvip hooks test NAME …`; `word` are the words behind "test". */
int ctl_hooks_test(struct ctl *ctl, char *const *word, size_t words);

#endif
