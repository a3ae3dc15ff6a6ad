/* kit/conf/lists.h - values that are lists: for schema.c alone. */
#ifndef KIT_CONF_LISTS_H
#define KIT_CONF_LISTS_H

#include "kit/conf/schema.h"

/* Items separated by commas, semicolons or white space, none twice, of KIT_TYPE_IDS, _HOSTS, _PATHS
 * or _NAMES.  *ret_list ends with NULL, *ret_text has them canonical, with commas; both are the
 * caller's. KIT_ERR_CONFIG names the item. */
int kit_list_parse(enum kit_type type, const char *value, char ***ret_list, char **ret_text,
                   struct kit_err *err) KIT_CHECKED;
void kit_list_free(char **list);

#endif
