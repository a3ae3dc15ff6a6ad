/* kit/cloud/aws/sts.c - AssumeRole and AssumeRoleWithWebIdentity. */
#include "kit/cloud/aws/sts.h"

#include "kit/base/str.h"
#include "kit/cloud/aws/endpoint.h"
#include "kit/cloud/aws/query.h"
#include "kit/cloud/aws/session.h"
#include "kit/cloud/aws/source.h"

/* RoleSessionName (API reference). */
static const char session_name_chars[] =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_=,.@-";

static int add_web_token(struct aws_query *q, const char *path, struct kit_err *err)
{
    KIT_AUTO(kit_buf) token = KIT_BUF_SECRET(KIT_CREDS_TOKEN_BYTES);
    const char *text;

    if (kit_creds_token_file(path, "web identity token", &token, &text, err))
        return -1;
    aws_query_param(q, "WebIdentityToken", text);
    return 0;
}

static int add_params(struct aws_query *q, const struct aws_sts_role *role, struct kit_err *err)
{
    char session_name[KIT_SESSION_NAME], duration[24];

    kit_creds_session_name(session_name_chars, session_name);
    aws_query_param(q, "RoleArn", role->role_arn);
    aws_query_param(q, "RoleSessionName", role->session_name ? role->session_name : session_name);
    if (role->external_id && !role->web_identity_file)
        aws_query_param(q, "ExternalId", role->external_id);
    if (role->duration_s > 0) {
        (void)kit_str_format(duration, sizeof(duration), "%lld", (long long)role->duration_s);
        aws_query_param(q, "DurationSeconds", duration);
    }
    return role->web_identity_file ? add_web_token(q, role->web_identity_file, err) : 0;
}

/* AssumeRole…Response/AssumeRole…Result/Credentials. */
static int take_answer(const struct kit_xml *xml, const char *role_arn, struct kit_creds *ret_creds,
                       struct kit_err *err)
{
    const struct kit_xml_node *node = kit_xml_find(kit_xml_root(xml), "Credentials");
    char key_id[256], secret[512], token[8192], expiration[64], who[96];
    int rc = -1;

    (void)kit_str_format(who, sizeof(who), "role %s", role_arn);
    if (kit_xml_text(node, "AccessKeyId", key_id, sizeof(key_id)) &&
        kit_xml_text(node, "SecretAccessKey", secret, sizeof(secret)) &&
        kit_xml_text(node, "SessionToken", token, sizeof(token)) &&
        kit_xml_text(node, "Expiration", expiration, sizeof(expiration))) {
        const struct kit_creds_parts parts = {key_id, secret, token, expiration};
        rc = aws_creds_fill(&parts, who, ret_creds, err);
        if (rc != 0)
            err->kind = KIT_ERR_PROTOCOL;
    } else {
        (void)kit_err_set(err, KIT_ERR_PROTOCOL, "the answer holds no whole set of credentials");
    }
    kit_secret_wipe(secret, sizeof(secret));
    kit_secret_wipe(token, sizeof(token));
    return rc;
}

static int find_endpoint(struct aws_cloud *cloud, struct kit_deadline by, struct kit_err *err)
{
    if (aws_region(cloud, by, err) != 0)
        return -1;
    if (cloud->sts.url[0])
        return 0;
    return aws_endpoint_for(cloud->settings, aws_session_profiles(cloud), "sts", cloud->region,
                            &cloud->sts, err);
}

int aws_sts_assume(struct aws_cloud *cloud, const struct aws_sts_role *role, struct kit_deadline by,
                   struct kit_creds *ret_creds, struct kit_err *err)
{
    bool web = role->web_identity_file != NULL;
    struct aws_query q;

    if (find_endpoint(cloud, by, err) != 0)
        return kit_err_wrap(err, "assume role %s", role->role_arn);
    aws_query_init(&q, cloud, &aws_sts, web ? "AssumeRoleWithWebIdentity" : "AssumeRole",
                   web ? AWS_UNSIGNED : AWS_READS);
    q.creds = role->base;
    int rc = add_params(&q, role, err);
    if (rc == 0)
        rc = aws_query_run(&q, by, err);
    if (rc == 0)
        rc = take_answer(&q.xml, role->role_arn, ret_creds, err);
    aws_query_done(&q);
    return rc == 0 ? 0 : kit_err_wrap(err, "assume role %s", role->role_arn);
}
