/* kit/cloud/aliyun/source.h - the sources of the credential chain.  Private to kit/cloud/aliyun:
 * creds.c asks them in order.
 *
 * Each returns ALI_SOURCE_GOT with *ret_creds filled (the caller calls kit_creds_done),
 * ALI_SOURCE_NONE when it is not configured, or ALI_SOURCE_BROKEN with *err: a source that is
 * configured is never skipped, or a node would act as somebody else when its own keys are gone. */
#ifndef KIT_CLOUD_ALIYUN_SOURCE_H
#define KIT_CLOUD_ALIYUN_SOURCE_H

#include "kit/cloud/aliyun/aliyun.h"
#include "kit/cloud/aliyun/profile.h"

enum ali_source {
    ALI_SOURCE_BROKEN = -1,
    ALI_SOURCE_NONE = 0,
    ALI_SOURCE_GOT = 1,
};

struct ali_chain {
    struct ali_cloud *cloud;
    struct kit_deadline by;
    const struct ali_profiles *profiles;
};

/* ALIBABA_CLOUD_ACCESS_KEY_ID, _ACCESS_KEY_SECRET, _SECURITY_TOKEN. */
enum ali_source ali_source_environment(struct kit_creds *ret_creds, struct kit_err *err);

/* ALIBABA_CLOUD_ROLE_ARN, _OIDC_PROVIDER_ARN, _OIDC_TOKEN_FILE, _ROLE_SESSION_NAME. */
enum ali_source ali_source_oidc(const struct ali_chain *chain, struct kit_creds *ret_creds,
                                struct kit_err *err);

/* A profile of the CLI's config.json, by its mode. */
enum ali_source ali_source_cli(const struct ali_chain *chain, const char *name,
                               struct kit_creds *ret_creds, struct kit_err *err);

/* A section of the credentials file, by its type. */
enum ali_source ali_source_ini(const struct ali_chain *chain, const char *section,
                               struct kit_creds *ret_creds, struct kit_err *err);

/* The instance's RAM role, from the metadata service; `role` NULL: the one that it has.  None when
 * it has none, or the metadata service is disabled by the environment. */
enum ali_source ali_source_instance(const struct ali_chain *chain, const char *role,
                                    struct kit_creds *ret_creds, struct kit_err *err);

/* GET URL. */
enum ali_source ali_source_uri(const struct ali_chain *chain, const char *url,
                               struct kit_creds *ret_creds, struct kit_err *err);

/* Runs a program that prints a profile; `command` is cut at blanks, as the CLI does, and no shell
 * sees it. */
enum ali_source ali_source_process(const struct ali_chain *chain, const char *name,
                                   const char *command, struct kit_creds *ret_creds,
                                   struct kit_err *err);

/* As kit_creds_fill. */
int ali_creds_fill(const struct kit_creds_parts *parts, const char *who,
                   struct kit_creds *ret_creds, struct kit_err *err) KIT_CHECKED;

/* The same from {"AccessKeyId", "AccessKeySecret", "SecurityToken", "Expiration"}; with "Code"
 * other than "Success" it is KIT_ERR_AUTH. */
int ali_creds_from_json(const struct kit_json_node *root, const char *who,
                        struct kit_creds *ret_creds, struct kit_err *err) KIT_CHECKED;
/* That JSON as text. */
int ali_creds_from_text(const struct kit_buf *text, const char *who, struct kit_creds *ret_creds,
                        struct kit_err *err) KIT_CHECKED;

#endif
