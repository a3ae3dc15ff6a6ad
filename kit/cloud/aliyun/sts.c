/* kit/cloud/aliyun/sts.c - AssumeRole and AssumeRoleWithOIDC. */
#include "kit/cloud/aliyun/sts.h"

#include <string.h>

#include "kit/cloud/aliyun/endpoint.h"
#include "kit/cloud/aliyun/env.h"
#include "kit/cloud/aliyun/rpc.h"
#include "kit/cloud/aliyun/session.h"
#include "kit/cloud/aliyun/source.h"
#include "kit/sys/file.h"
#include "kit/sys/hostid.h"

/* STS takes at most 20000 characters (API reference, OIDCToken). */
#define OIDC_TOKEN_BYTES (20u * 1024)
/* RoleSessionName: 2 to 64 of these (API reference). */
#define SESSION_NAME_BYTES 65
static const char session_name_chars[] =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.@-_";

/* So that ActionTrail tells which node moved an address. */
static void make_session_name(char name[SESSION_NAME_BYTES])
{
    struct kit_hostid id;

    kit_hostid_read(&id);
    (void)kit_str_format(name, SESSION_NAME_BYTES, "cloudvip-%s", id.nodename);
    for (char *c = name; *c; c++)
        if (!strchr(session_name_chars, *c))
            *c = '-';
}

static int add_oidc_token(struct ali_rpc *r, const char *path, struct kit_err *err)
{
    KIT_AUTO(kit_buf) token = KIT_BUF_SECRET(OIDC_TOKEN_BYTES);

    if (kit_file_read(path, KIT_FILE_ANY, &token, err)) {
        if (err->kind == KIT_ERR_NOT_FOUND || err->kind == KIT_ERR_SYSTEM)
            err->kind = KIT_ERR_CONFIG;
        return kit_err_wrap(err, "OIDC token");
    }
    const char *text = token.len_bytes > 0 ? kit_str_trim(token.data) : "";
    if (!*text)
        return kit_err_set(err, KIT_ERR_CONFIG, "OIDC token: %s is empty", path);
    ali_rpc_form(r, "OIDCToken", text);
    return 0;
}

static int add_params(struct ali_rpc *r, const struct ali_sts_role *role, struct kit_err *err)
{
    char session_name[SESSION_NAME_BYTES];
    /* The token must not be seen in a URL; the SDKs send what belongs to it beside it. */
    void (*add)(struct ali_rpc *, const char *, const char *) =
        role->oidc_token_file ? ali_rpc_form : ali_rpc_param;

    make_session_name(session_name);
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
