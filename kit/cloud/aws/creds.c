/* kit/cloud/aws/creds.c - the credential chain: order, refresh, and the sources that are no
 * profile's. */
#include "kit/cloud/aws/creds.h"

#include <string.h>

#include "kit/base/str.h"
#include "kit/cloud/aws/env.h"
#include "kit/cloud/aws/imds.h"
#include "kit/cloud/aws/source.h"
#include "kit/cloud/aws/sts.h"
#include "kit/fmt/json.h"

/* ---- a set of credentials from its parts ----------------------------------------------------- */

int aws_creds_fill(const struct kit_creds_parts *parts, const char *who,
                   struct kit_creds *ret_creds, struct kit_err *err)
{
    return kit_creds_fill(parts, "a secret access key", who, ret_creds, err);
}

int aws_creds_from_json(const struct kit_buf *json, const char *token_key, bool must_version,
                        const char *who, struct kit_creds *ret_creds, struct kit_err *err)
{
    KIT_AUTO(kit_json) doc = {0};
    int64_t version = 0;

    if (kit_json_parse(json->data, json->len_bytes, &doc, err) != 0) {
        err->kind = KIT_ERR_AUTH;
        return kit_err_wrap(err, "%s", who);
    }
    const struct kit_json_node *root = kit_json_root(&doc);
    const char *code = kit_json_string(kit_json_get(root, "Code"));
    if (code && !kit_str_eq_nocase(code, "Success"))
        return kit_err_set(err, KIT_ERR_AUTH, "%s: it has no credentials, but says %.64s", who,
                           code);
    if (must_version && (!kit_json_int(kit_json_get(root, "Version"), &version) || version != 1))
        return kit_err_set(err, KIT_ERR_AUTH, "%s: not JSON with \"Version\": 1", who);

    const struct kit_json_node *secret = kit_json_get(root, "SecretAccessKey");
    const struct kit_creds_parts parts = {
        .key_id = kit_json_string(kit_json_get(root, "AccessKeyId")),
        .secret = kit_json_string(secret),
        .token = kit_json_string(kit_json_get(root, token_key)),
        .expiration = kit_json_string(kit_json_get(root, "Expiration")),
    };
    if (!parts.key_id && !parts.secret)
        return kit_err_set(err, KIT_ERR_AUTH,
                           "%s: no AccessKeyId and no SecretAccessKey in its JSON", who);
    if (aws_creds_fill(&parts, who, ret_creds, err) != 0) {
        err->kind = KIT_ERR_AUTH;
        return -1;
    }
    return 0;
}

/* ---- sources that are no profile's ----------------------------------------------------------- */

enum aws_source aws_source_environment(struct kit_creds *ret_creds, struct kit_err *err)
{
    const char *token = aws_env("AWS_SESSION_TOKEN");
    const struct kit_creds_parts parts = {
        .key_id = aws_env("AWS_ACCESS_KEY_ID"),
        .secret = aws_env("AWS_SECRET_ACCESS_KEY"),
        .token = token ? token : aws_env("AWS_SECURITY_TOKEN"),
        .expiration = aws_env("AWS_CREDENTIAL_EXPIRATION"),
    };

    if (!parts.key_id && !parts.secret)
        return AWS_SOURCE_NONE;
    if (!parts.key_id || !parts.secret) {
        (void)kit_err_set(err, KIT_ERR_CONFIG, "environment: %s is set, but %s is not",
                          parts.key_id ? "AWS_ACCESS_KEY_ID" : "AWS_SECRET_ACCESS_KEY",
                          parts.key_id ? "AWS_SECRET_ACCESS_KEY" : "AWS_ACCESS_KEY_ID");
        return AWS_SOURCE_BROKEN;
    }
    return aws_creds_fill(&parts, "environment", ret_creds, err) == 0 ? AWS_SOURCE_GOT
                                                                      : AWS_SOURCE_BROKEN;
}

/* A role's name becomes part of a path: IAM's own characters (API reference, RoleName). */
static const char role_characters[] =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_+=,.@-";

#define ROLES "meta-data/iam/security-credentials/"

/* *ret_role is "" when the instance has none. */
static int read_role_name(const struct aws_chain *chain, char ret_role[KIT_METADATA_ROLE],
                          struct kit_err *err)
{
    struct kit_metadata_item item = {
        .path = ROLES, .optional = true, .value = KIT_BUF_SECRET(KIT_METADATA_BODY_BYTES)};
    int rc = aws_imds_read(chain->cloud, &item, 1, chain->by, err);

    if (rc == 0)
        rc = kit_metadata_role(&item, role_characters, ret_role, err);
    kit_buf_done(&item.value);
    return rc;
}

static int read_role(const struct aws_chain *chain, const char *role, struct kit_creds *ret_creds,
                     struct kit_err *err)
{
    char path[sizeof(ROLES) + 64], who[96];
    struct kit_metadata_item item = {.path = path,
                                     .value = KIT_BUF_SECRET(KIT_METADATA_BODY_BYTES)};

    (void)kit_str_format(path, sizeof(path), "%s%s", ROLES, role);
    (void)kit_str_format(who, sizeof(who), "role %s of the instance", role);
    int rc = aws_imds_read(chain->cloud, &item, 1, chain->by, err);
    if (rc == 0)
        rc = aws_creds_from_json(&item.value, "Token", false, who, ret_creds, err);
    kit_buf_done(&item.value);
    return rc;
}

enum aws_source aws_source_instance(const struct aws_chain *chain, struct kit_creds *ret_creds,
                                    struct kit_err *err)
{
    char role[KIT_METADATA_ROLE];

    if (aws_is_true(aws_env("AWS_EC2_METADATA_DISABLED")))
        return AWS_SOURCE_NONE;
    if (read_role_name(chain, role, err) != 0) {
        (void)kit_err_wrap(err, "the instance's role");
        return AWS_SOURCE_BROKEN;
    }
    if (!role[0])
        return AWS_SOURCE_NONE;
    return read_role(chain, role, ret_creds, err) == 0 ? AWS_SOURCE_GOT : AWS_SOURCE_BROKEN;
}

/* ---- the chain ------------------------------------------------------------------------------- */

static int none_at_all(const struct aws_profiles *profiles, const char *profile, bool skipped_env,
                       struct kit_err *err)
{
    return kit_err_set(
        err, KIT_ERR_AUTH,
        "no credentials: none %s, none in profile %s of %s and %s, no container's, and"
        " no role on this instance%s",
        skipped_env ? "asked for in the environment" : "in the environment", profile,
        aws_profiles_path(profiles, true), aws_profiles_path(profiles, false),
        aws_is_true(aws_env("AWS_EC2_METADATA_DISABLED")) ? " (AWS_EC2_METADATA_DISABLED)" : "");
}

static int ask_files_and_host(struct aws_chain *chain, bool use_environment,
                              struct kit_creds *ret_creds, struct kit_err *err)
{
    bool named;
    const char *profile = aws_profiles_chosen(chain->cloud->settings, &named);

    if (named && !aws_profiles_has(chain->profiles, profile))
        return kit_err_set(err, KIT_ERR_CONFIG, "profile %s is neither in %s nor in %s", profile,
                           aws_profiles_path(chain->profiles, true),
                           aws_profiles_path(chain->profiles, false));
    enum aws_source got = aws_source_profile(chain, profile, use_environment, ret_creds, err);
    if (got == AWS_SOURCE_NONE)
        got = aws_source_container(chain, ret_creds, err);
    if (got == AWS_SOURCE_NONE) {
        got = aws_source_instance(chain, ret_creds, err);
        if (got == AWS_SOURCE_BROKEN)
            return kit_err_wrap(err, "no credentials in the environment or in profile %s", profile);
    }
    if (got == AWS_SOURCE_NONE)
        return none_at_all(chain->profiles, profile, !use_environment, err);
    return got == AWS_SOURCE_GOT ? 0 : -1;
}

static int walk(struct aws_cloud *cloud, struct kit_deadline by, struct kit_creds *ret_creds,
                struct kit_err *err)
{
    bool use_environment = !kit_settings_text(cloud->settings, KIT_PARAM_PROFILE);
    struct aws_chain chain = {.cloud = cloud, .by = by};
    struct aws_profiles *profiles;

    if (use_environment) {
        enum aws_source got = aws_source_environment(ret_creds, err);
        if (got != AWS_SOURCE_NONE)
            return got == AWS_SOURCE_GOT ? 0 : -1;
    }
    if (aws_profiles_load(cloud->settings, &profiles, err) != 0)
        return -1;
    chain.profiles = profiles;
    int rc = ask_files_and_host(&chain, use_environment, ret_creds, err);
    aws_profiles_free(profiles);
    return rc;
}

/* The chain, and the parameter role_arn on top of it. */
static int obtain(struct kit_cloud *base_cloud, struct kit_deadline by, struct kit_creds *ret_creds,
                  struct kit_err *err)
{
    struct aws_cloud *cloud = (struct aws_cloud *)base_cloud;
    KIT_AUTO(kit_creds) base = {.access_key_id = ""};
    const struct aws_sts_role role = {
        .role_arn = kit_settings_text(cloud->settings, KIT_PARAM_ROLE_ARN),
        .external_id = kit_settings_text(cloud->settings, KIT_PARAM_EXTERNAL_ID),
        .base = &base,
    };

    if (!role.role_arn)
        return walk(cloud, by, ret_creds, err);
    if (walk(cloud, by, &base, err) != 0)
        return -1;
    return aws_sts_assume(cloud, &role, by, ret_creds, err);
}

static int64_t now_s(const struct kit_cloud *cloud)
{
    return aws_now_s((const struct aws_cloud *)cloud);
}

static const struct kit_creds_chain chain_of_sources = {
    .refresh_before_s = 600, /* botocore's _DEFAULT_MANDATORY_REFRESH_TIMEOUT */
    .now_s = now_s,
    .obtain = obtain,
};

int aws_creds_get(struct aws_cloud *cloud, struct kit_deadline by, struct kit_err *err)
{
    return kit_creds_get(&chain_of_sources, &cloud->base, &cloud->creds, by, err);
}

int aws_creds_renew(struct aws_cloud *cloud, struct kit_deadline by, struct kit_err *err)
{
    return kit_creds_renew(&chain_of_sources, &cloud->base, &cloud->creds, by, err);
}
