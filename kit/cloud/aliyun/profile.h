/* kit/cloud/aliyun/profile.h - the files that the vendor's command line and SDKs keep: the CLI's
 * config.json, and the SDKs' credentials in INI. */
#ifndef KIT_CLOUD_ALIYUN_PROFILE_H
#define KIT_CLOUD_ALIYUN_PROFILE_H

#include "kit/base/err.h"
#include "kit/conf/schema.h"
#include "kit/fmt/json.h"

struct ali_profiles; /* both files, parsed; holds secrets, wiped when freed */

/* Reads ALIBABA_CLOUD_CONFIG_FILE or ~/.aliyun/config.json (unless
 * ALIBABA_CLOUD_CLI_PROFILE_DISABLED is true), and ALIBABA_CLOUD_CREDENTIALS_FILE or
 * ~/.alibabacloud/credentials.  The parameter credentials_file stands for both: JSON or INI, told
 * by its first character.  A missing file is empty, but one that the parameter names has to be
 * there.  Checked as KIT_FILE_TRUSTED: process_command makes us run what they say.  KIT_ERR_CONFIG
 * with the path, never with what stands there; else as kit_file_read. */
int ali_profiles_load(const struct kit_settings *settings, struct ali_profiles **ret_profiles,
                      struct kit_err *err) KIT_CHECKED;
void ali_profiles_free(struct ali_profiles *profiles); /* NULL is fine */

/* The profile's name that is in force: parameter `profile`, ALIBABA_CLOUD_PROFILE, "current" of
 * config.json, "default".  Borrowed.  `ret_named` (may be NULL): the parameter or the variable
 * names it. */
const char *ali_profiles_chosen(const struct ali_profiles *p, const struct kit_settings *settings,
                                bool *ret_named);

/* A profile of config.json, or NULL. */
const struct kit_json_node *ali_profiles_cli(const struct ali_profiles *p, const char *name);
/* It is a section of the INI file. */
bool ali_profiles_has_section(const struct ali_profiles *p, const char *section);
/* A key of such a section, borrowed, or NULL. */
const char *ali_profiles_key(const struct ali_profiles *p, const char *section, const char *key);
/* Paths, for messages. */
const char *ali_profiles_cli_path(const struct ali_profiles *p);
const char *ali_profiles_ini_path(const struct ali_profiles *p);

/* Of the profile in force: its region_id (NULL = none), and whether it says enable_vpc. */
const char *ali_profiles_region(const struct ali_profiles *p, const struct kit_settings *settings);
bool ali_profiles_internal(const struct ali_profiles *p, const struct kit_settings *settings);

#endif
