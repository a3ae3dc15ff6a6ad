/* kit/cloud/aws/profile.h - AWS's shared config and credentials files.
 *
 * Read by a reader of our own: their dialect has nested sections, and values (session tokens)
 * longer than the 200 bytes at which inih, as distributions build it, cuts lines.  The dialect is
 * botocore's, that is Python's RawConfigParser: "=" or ":" behind a key, keys in any case, values
 * trimmed, '#' and
 * ';' comment only at the beginning of a line, a line indented deeper than its key continues the
 * value.  Unlike there, a section may come twice: the later keys win. */
#ifndef KIT_CLOUD_AWS_PROFILE_H
#define KIT_CLOUD_AWS_PROFILE_H

#include "kit/base/err.h"
#include "kit/conf/schema.h"

struct aws_profiles; /* both files, parsed; holds secrets, wiped when freed */

/* Reads credentials_file or AWS_SHARED_CREDENTIALS_FILE or ~/.aws/credentials, and AWS_CONFIG_FILE
 * or
 * ~/.aws/config; a missing file is empty, but one that the parameter names has to be there.  The
 * files are checked as KIT_FILE_TRUSTED: credential_process makes us run what they say.
 * KIT_ERR_CONFIG with path and line, never with what stands there; else as kit_file_read. */
int aws_profiles_load(const struct kit_settings *settings, struct aws_profiles **ret_profiles,
                      struct kit_err *err) KIT_CHECKED;
void aws_profiles_free(struct aws_profiles *profiles); /* NULL is fine */

/* The profile's name that is in force: parameter `profile`, AWS_PROFILE, AWS_DEFAULT_PROFILE,
 * "default".  Borrowed.  `ret_named` (may be NULL): somebody named it. */
const char *aws_profiles_chosen(const struct kit_settings *settings, bool *ret_named);

/* It has a section in one of the files, be it empty. */
bool aws_profiles_has(const struct aws_profiles *p, const char *profile);
/* A key's value, borrowed, or NULL; the credentials file goes before the config file, as in
 * botocore. A value with nested keys begins with a line end.  `ret_from` (may be NULL): path of the
 * file. */
const char *aws_profiles_get(const struct aws_profiles *p, const char *profile, const char *key,
                             const char **ret_from);
/* Only from the credentials file, or only from the config file: their places in the chain differ.
 */
const char *aws_profiles_get_in(const struct aws_profiles *p, bool credentials_file,
                                const char *profile, const char *key);
/* `endpoint_url` of a service in the profile's `services` section ([services NAME] / SERVICE = /
 * endpoint_url = …), or NULL.  Borrowed. */
const char *aws_profiles_service_endpoint(const struct aws_profiles *p, const char *profile,
                                          const char *service);
/* Paths, for messages. */
const char *aws_profiles_path(const struct aws_profiles *p, bool credentials_file);

#endif
