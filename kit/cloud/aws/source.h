/* kit/cloud/aws/source.h - the sources of the credential chain, one function each.  Private to
 * kit/cloud/aws: creds.c asks them in order.
 *
 * Each returns AWS_SOURCE_GOT with *ret_creds filled (the caller calls kit_creds_done),
 * AWS_SOURCE_NONE when it is not configured, or AWS_SOURCE_BROKEN with *err: a source that is
 * configured is never skipped, or a node would act as somebody else when its own keys are gone. */
#ifndef KIT_CLOUD_AWS_SOURCE_H
#define KIT_CLOUD_AWS_SOURCE_H

#include "kit/cloud/aws/aws.h"
#include "kit/cloud/aws/profile.h"

enum aws_source {
    AWS_SOURCE_BROKEN = -1,
    AWS_SOURCE_NONE = 0,
    AWS_SOURCE_GOT = 1,
};

struct aws_chain {
    struct aws_cloud *cloud;
    struct kit_deadline by;
    const struct aws_profiles *profiles;
};

/* AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN (AWS_SECURITY_TOKEN),
 * AWS_CREDENTIAL_EXPIRATION. */
enum aws_source aws_source_environment(struct kit_creds *ret_creds, struct kit_err *err);

/* All that a profile can say: role_arn, web identity, static keys of either file,
 * credential_process. `use_environment`: AWS_WEB_IDENTITY_TOKEN_FILE and its companions go before
 * the profile's keys. */
enum aws_source aws_source_profile(const struct aws_chain *chain, const char *profile,
                                   bool use_environment, struct kit_creds *ret_creds,
                                   struct kit_err *err);

/* Runs a command line from a profile: absolute path, split into words, no shell. */
enum aws_source aws_source_process(const struct aws_chain *chain, const char *profile,
                                   const char *command, struct kit_creds *ret_creds,
                                   struct kit_err *err);

/* AWS_CONTAINER_CREDENTIALS_RELATIVE_URI or _FULL_URI (ECS, EKS Pod Identity). */
enum aws_source aws_source_container(const struct aws_chain *chain, struct kit_creds *ret_creds,
                                     struct kit_err *err);

/* The instance's role, from the metadata service; none when that is disabled by the environment. */
enum aws_source aws_source_instance(const struct aws_chain *chain, struct kit_creds *ret_creds,
                                    struct kit_err *err);

/* As kit_creds_fill. */
int aws_creds_fill(const struct kit_creds_parts *parts, const char *who,
                   struct kit_creds *ret_creds, struct kit_err *err) KIT_CHECKED;

/* The same from {"AccessKeyId", "SecretAccessKey", TOKEN_KEY, "Expiration"}; with "Code" other than
 * "Success" it is KIT_ERR_AUTH.  `must_version`: "Version": 1 has to be there. */
int aws_creds_from_json(const struct kit_buf *json, const char *token_key, bool must_version,
                        const char *who, struct kit_creds *ret_creds,
                        struct kit_err *err) KIT_CHECKED;

#endif
