/* kit/cloud/aliyun/sts.c - AssumeRole and AssumeRoleWithOIDC. */
#include "kit/cloud/aliyun/sts.h"

#include "kit/cloud/aliyun/endpoint.h"
#include "kit/cloud/aliyun/env.h"
#include "kit/cloud/aliyun/rpc.h"
#include "kit/cloud/aliyun/session.h"
#include "kit/cloud/aliyun/source.h"

/* RoleSessionName (API reference). */
static const char session_name_chars[] =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.@-_";

static int add_oidc_token(struct ali_rpc *r, const char *path, struct kit_err *err)
{
    KIT_AUTO(kit_buf) token = KIT_BUF_SECRET(KIT_CREDS_TOKEN_BYTES);
    const char *text;

    if (kit_creds_token_file(path, "OIDC token", &token, &text, err))
        return -1;
    ali_rpc_form(r, "OIDCToken", text);
    return 0;
}

static int add_params(struct ali_rpc *r, const struct ali_sts_role *role, struct kit_err *err)
{
    char session_name[KIT_SESSION_NAME];
    /* The token must not be seen in a URL; the SDKs send what belongs to it beside it. */
    void (*add)(struct ali_rpc *, const char *, const char *) =
        role->oidc_token_file ? ali_rpc_form : ali_rpc_param;

    kit_creds_session_name(session_name_chars, session_name);
    add(r, "RoleArn", role->role_arn);
    add(r, "RoleSessionName", role->session_name ? role->session_name : session_name);
    if (role->duration_s > 0) {
        char duration[24];
        (void)kit_str_format(duration, sizeof(duration), "%lld", (long long)role->duration_s);
        add(r, "DurationSeconds", duration);
    }
    if (role->policy)
        add(r, "Policy", role->policy);
    if (!role->oidc_token_file) {
        ali_rpc_param(r, "ExternalId", role->external_id);
        return 0;
    }
    ali_rpc_form(r, "OIDCProviderArn", role->oidc_provider_arn);
    return add_oidc_token(r, role->oidc_token_file, err);
}

static int find_endpoint(struct ali_cloud *cloud, const struct ali_sts_role *role,
                         struct ali_endpoint *ret_endpoint, struct kit_err *err)
{
    const char *region = role->region ? role->region : ali_env("ALIBABA_CLOUD_STS_REGION");

    if (!region) {
        ali_region_if_known(cloud);
        region = cloud->region;
    }
    return ali_endpoint_for(cloud->settings, ali_session_profiles(cloud), "sts", region,
                            ret_endpoint, err);
}

int ali_sts_assume(struct ali_cloud *cloud, const struct ali_sts_role *role, struct kit_deadline by,
                   struct kit_creds *ret_creds, struct kit_err *err)
{
    bool oidc = role->oidc_token_file != NULL;
    struct ali_endpoint endpoint;
    struct ali_rpc r;
    char who[96];

    if (find_endpoint(cloud, role, &endpoint, err))
        return kit_err_wrap(err, "assume role %s", role->role_arn);
    ali_rpc_init(&r, cloud, &ali_sts, oidc ? "AssumeRoleWithOIDC" : "AssumeRole",
                 oidc ? ALI_NO_REGION | ALI_UNSIGNED : ALI_NO_REGION);
    r.creds = role->base;
    r.endpoint = &endpoint;
    (void)kit_str_format(who, sizeof(who), "role %s", role->role_arn);
    int rc = add_params(&r, role, err);
    if (rc == 0)
        rc = ali_rpc_run(&r, by, err);
    if (rc == 0 &&
        ali_creds_from_json(kit_json_get(ali_rpc_root(&r), "Credentials"), who, ret_creds, err)) {
        err->kind = KIT_ERR_PROTOCOL;
        rc = -1;
    }
    ali_rpc_done(&r);
    return rc == 0 ? 0 : kit_err_wrap(err, "assume role %s", role->role_arn);
}
