/* kit/conf/check.h - are the settings complete for their mover, and do they agree with each other?
 */
#ifndef KIT_CONF_CHECK_H
#define KIT_CONF_CHECK_H

#include "kit/conf/schema.h"

/* Required parameters and groups of `uses`; `address` of the right kind.  KIT_ERR_CONFIG names tag,
 * parameter, its meaning and where to set it. */
int kit_conf_check(const struct kit_settings *settings, const struct kit_param_use *uses,
                   size_t count, struct kit_err *err) KIT_CHECKED;

/* A resource's name: at most 256 characters of LifeKeeper's tag rules ([A-Za-z0-9-_./], not
 * beginning with '.' or '/'), not "defaults". */
int kit_conf_check_tag(const char *tag, struct kit_err *err) KIT_CHECKED;

#endif
