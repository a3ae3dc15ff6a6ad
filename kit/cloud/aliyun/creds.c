/* kit/cloud/aliyun/creds.c - the credential chain: order and refresh. */
#include "kit/cloud/aliyun/creds.h"

#include "kit/cloud/aliyun/env.h"
#include "kit/cloud/aliyun/session.h"
#include "kit/cloud/aliyun/source.h"
#include "kit/cloud/aliyun/sts.h"

/* ---- a set of credentials from its parts ----------------------------------------------------- */

int ali_creds_fill(const struct kit_creds_parts *parts, const char *who,
                   struct kit_creds *ret_creds, struct kit_err *err)
{
    return kit_creds_fill(parts, "an access key secret", who, ret_creds, err);
}

int ali_creds_from_json(const struct kit_json_node *root, const char *who,
                        struct kit_creds *ret_creds, struct kit_err *err)
{
    const char *code = kit_json_string(kit_json_get(root, "Code"));
    const struct kit_creds_parts parts = {
        .key_id = kit_json_string(kit_json_get(root, "AccessKeyId")),
        .secret = kit_json_string(kit_json_get(root, "AccessKeySecret")),
        .token = kit_json_string(kit_json_get(root, "SecurityToken")),
        .expiration = kit_json_string(kit_json_get(root, "Expiration")),
    };

    if (code && !kit_str_eq_nocase(code, "Success"))
        return kit_err_set(err, KIT_ERR_AUTH, "%s: it has no credentials, but says %.64s", who,
                           code);
    if (!parts.key_id && !parts.secret)
        return kit_err_set(err, KIT_ERR_AUTH,
                           "%s: no AccessKeyId and no AccessKeySecret in its "
                           "JSON",
                           who);
    if (ali_creds_fill(&parts, who, ret_creds, err)) {
        err->kind = KIT_ERR_AUTH;
        return -1;
    }
    return 0;
}

int ali_creds_from_text(const struct kit_buf *text, const char *who, struct kit_creds *ret_creds,
                        struct kit_err *err)
{
    KIT_AUTO(kit_json) doc = {0};

    if (kit_json_parse(text->data, text->len_bytes, &doc, err)) {
        err->kind = KIT_ERR_AUTH;
        return kit_err_wrap(err, "%s", who);
    }
    return ali_creds_from_json(kit_json_root(&doc), who, ret_creds, err);
}

/* ---- the environment ------------------------------------------------------------------------- */

enum ali_source ali_source_environment(struct kit_creds *ret_creds, struct kit_err *err)
{
    const struct kit_creds_parts parts = {
        .key_id = ali_env("ALIBABA_CLOUD_ACCESS_KEY_ID"),
        .secret = ali_env("ALIBABA_CLOUD_ACCESS_KEY_SECRET"),
        .token = ali_env("ALIBABA_CLOUD_SECURITY_TOKEN"),
    };
    static const char id[] = "ALIBABA_CLOUD_ACCESS_KEY_ID";
    static const char secret[] = "ALIBABA_CLOUD_ACCESS_KEY_SECRET";

    if (!parts.key_id && !parts.secret)
        return ALI_SOURCE_NONE;
    if (!parts.key_id || !parts.secret) {
        (void)kit_err_set(err, KIT_ERR_CONFIG, "environment: %s is set, but %s is not",
                          parts.key_id ? id : secret, parts.key_id ? secret : id);
        return ALI_SOURCE_BROKEN;
    }
    return ali_creds_fill(&parts, "environment", ret_creds, err) ? ALI_SOURCE_BROKEN
                                                                 : ALI_SOURCE_GOT;
}

enum ali_source ali_source_oidc(const struct ali_chain *chain, struct kit_creds *ret_creds,
                                struct kit_err *err)
{
    const struct ali_sts_role role = {
        .role_arn = ali_env("ALIBABA_CLOUD_ROLE_ARN"),
        .session_name = ali_env("ALIBABA_CLOUD_ROLE_SESSION_NAME"),
        .oidc_provider_arn = ali_env("ALIBABA_CLOUD_OIDC_PROVIDER_ARN"),
        .oidc_token_file = ali_env("ALIBABA_CLOUD_OIDC_TOKEN_FILE"),
    };

    /* The SDKs of the vendor use it when all three are set, and only then. */
    if (!role.role_arn || !role.oidc_provider_arn || !role.oidc_token_file)
        return ALI_SOURCE_NONE;
    return ali_sts_assume(chain->cloud, &role, chain->by, ret_creds, err) ? ALI_SOURCE_BROKEN
                                                                          : ALI_SOURCE_GOT;
}

/* ---- the chain ------------------------------------------------------------------------------- */

static enum ali_source ask_host(const struct ali_chain *chain, struct kit_creds *ret_creds,
                                struct kit_err *err)
{
    const char *uri = ali_env("ALIBABA_CLOUD_CREDENTIALS_URI");
    enum ali_source got =
        ali_source_instance(chain, ali_env("ALIBABA_CLOUD_ECS_METADATA"), ret_creds, err);

    /* Whoever sets the variable is on a host whose metadata service need not answer. */
    if (got == ALI_SOURCE_GOT || !uri)
        return got;
    return ali_source_uri(chain, uri, ret_creds, err);
}

static int none_at_all(const struct ali_profiles *profiles, const char *profile,
                       struct kit_err *err)
{
    return kit_err_set(err, KIT_ERR_AUTH,
                       "no credentials: none in the environment, none in profile %s of %s and %s, "
                       "and no RAM role on this instance%s",
                       profile, ali_profiles_cli_path(profiles), ali_profiles_ini_path(profiles),
                       ali_env_is_true("ALIBABA_CLOUD_ECS_METADATA_DISABLED")
                           ? " (ALIBABA_CLOUD_ECS_METADATA_DISABLED)"
                           : "");
}

static int ask_files_and_host(const struct ali_chain *chain, struct kit_creds *ret_creds,
                              struct kit_err *err)
{
    bool named;
    const char *profile = ali_profiles_chosen(chain->profiles, chain->cloud->settings, &named);
    enum ali_source got = ali_source_cli(chain, profile, ret_creds, err);

    if (got == ALI_SOURCE_NONE)
        got = ali_source_ini(chain, profile, ret_creds, err);
    if (got == ALI_SOURCE_NONE && named)
        return kit_err_set(err, KIT_ERR_CONFIG, "profile %s is neither in %s nor in %s", profile,
                           ali_profiles_cli_path(chain->profiles),
                           ali_profiles_ini_path(chain->profiles));
    if (got == ALI_SOURCE_NONE) {
        got = ask_host(chain, ret_creds, err);
        if (got == ALI_SOURCE_BROKEN)
            return kit_err_wrap(err, "no credentials in the environment or in profile %s", profile);
    }
    if (got == ALI_SOURCE_NONE)
        return none_at_all(chain->profiles, profile, err);
    return got == ALI_SOURCE_GOT ? 0 : -1;
}

static int walk(struct ali_cloud *cloud, struct kit_deadline by, struct kit_creds *ret_creds,
                struct kit_err *err)
{
    bool use_environment = !kit_settings_text(cloud->settings, KIT_PARAM_PROFILE);
    struct ali_chain chain = {.cloud = cloud, .by = by};
    struct ali_profiles *profiles;

    if (use_environment) {
        enum ali_source got = ali_source_environment(ret_creds, err);
        if (got == ALI_SOURCE_NONE)
            got = ali_source_oidc(&chain, ret_creds, err);
        if (got != ALI_SOURCE_NONE)
            return got == ALI_SOURCE_GOT ? 0 : -1;
    }
    /* Read anew: whoever refreshes keys in these files does so while we run. */
    if (ali_profiles_load(cloud->settings, &profiles, err))
        return -1;
    chain.profiles = profiles;
    int rc = ask_files_and_host(&chain, ret_creds, err);
    ali_profiles_free(profiles);
    return rc;
}

/* The chain, and the parameter role_arn on top of it. */
static int obtain(struct kit_cloud *base_cloud, struct kit_deadline by, struct kit_creds *ret_creds,
                  struct kit_err *err)
{
    struct ali_cloud *cloud = (struct ali_cloud *)base_cloud;
    KIT_AUTO(kit_creds) base = {.access_key_id = ""};
    const struct ali_sts_role role = {
        .role_arn = kit_settings_text(cloud->settings, KIT_PARAM_ROLE_ARN),
        .external_id = kit_settings_text(cloud->settings, KIT_PARAM_EXTERNAL_ID),
        .base = &base,
    };

    if (!role.role_arn)
        return walk(cloud, by, ret_creds, err);
    if (walk(cloud, by, &base, err))
        return -1;
    return ali_sts_assume(cloud, &role, by, ret_creds, err);
}

static int64_t now_s(const struct kit_cloud *cloud)
{
    return ali_now_s((const struct ali_cloud *)cloud);
}

static const struct kit_creds_chain chain_of_sources = {
    .refresh_before_s = 180, /* as the vendor's SDKs */
    .now_s = now_s,
    .obtain = obtain,
};

int ali_creds_get(struct ali_cloud *cloud, struct kit_deadline by, struct kit_err *err)
{
    return kit_creds_get(&chain_of_sources, &cloud->base, &cloud->creds, by, err);
}

int ali_creds_renew(struct ali_cloud *cloud, struct kit_deadline by, struct kit_err *err)
{
    return kit_creds_renew(&chain_of_sources, &cloud->base, &cloud->creds, by, err);
}
