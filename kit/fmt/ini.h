/* kit/fmt/ini.h - INI as inih reads it, with the line numbers and the strictness that inih leaves
 * out. */
#ifndef KIT_FMT_INI_H
#define KIT_FMT_INI_H

#include <stdbool.h>
#include <stddef.h>

#include "kit/base/err.h"

/* One `name = value`.  `section` is "" before the first one.  `continued`: an indented line that
 * continues the value of the entry before.  Return -1 with *err set to stop. */
struct kit_ini_entry {
    const char *section, *name, *value;
    unsigned line; /* 1, 2, … */
    bool continued;
};
typedef int (*kit_ini_fn)(void *arg, const struct kit_ini_entry *entry, struct kit_err *err);
/* Called when a [section] line is met, also when it stays empty; may be NULL. */
typedef int (*kit_ini_section_fn)(void *arg, const char *section, unsigned line,
                                  struct kit_err *err);

/* Calls back for every entry of `text` in order.  `name`: what to call the text in errors (a path).
 * Errors: KIT_ERR_CONFIG "PATH:LINE: …" for a line that is neither section nor entry, a line (not a
 * comment) longer than 198 bytes or a name longer than 49 (distributions build inih with these
 * limits and it would cut silently), a control character other than a tab; and what the call-back
 * says, unchanged.  A BOM is skipped; ':' works as '='; " ;" begins a comment. */
int kit_ini_parse(const char *text, size_t len_bytes, const char *name, kit_ini_fn on_entry,
                  kit_ini_section_fn on_section, void *arg, struct kit_err *err) KIT_CHECKED;

#endif
