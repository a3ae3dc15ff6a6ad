/* STS: who is allowed to become whom, and for how long. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "aws.h"

#define ISSUED_MAX 1024 /* temporary credentials in the world; the oldest go first */

struct json_object *aws_role_find(struct json_object *aws, const char *name)
{
    return sim_json_find(sim_json_array(aws, "roles"), "name", name);
}

void aws_role_arn(const struct json_object *aws, const struct json_object *role, char *ret_arn,
                  size_t size)
{
    const char *account = sim_json_str(role, "account");

    snprintf(ret_arn, size, "arn:%s:iam::%s:role/%s", sim_json_str(aws, "partition"),
             *account ? account : sim_json_str(aws, "account"), sim_json_str(role, "name"));
}

static void drop_old(struct json_object *credentials)
{
    struct json_object *element, *oldest = NULL;
    size_t issued = 0;

    SIM_JSON_EACH(element, credentials)
    {
        if (!*sim_json_str(element, "session_token"))
            continue;
        oldest = oldest ? oldest : element;
        issued++;
    }
    if (issued >= ISSUED_MAX)
        sim_json_remove(credentials, oldest);
}

struct json_object *aws_credentials_issue(struct sim_world *world, const char *role,
                                          const char *session, const char *node, int64_t ttl_s,
                                          const struct json_object *from)
{
    struct json_object *aws = sim_json_get(world->live, "aws");
    struct json_object *all = sim_json_array(aws, "credentials");
    struct json_object *issued = json_object_new_object();
    char key[21] = "ASIA", secret[41], noise[193], token[201], expires[40];

    drop_old(all);
    sim_random_text(key + 4, sizeof(key) - 4);
    sim_random_text(secret, sizeof(secret));
    sim_random_text(noise, sizeof(noise));
    /* Characters that must survive a form and a header. */
    snprintf(token, sizeof(token), "IQoJ/+==%s", noise);
    sim_time_iso(sim_world_now_ms(world) + ttl_s * 1000, false, expires, sizeof(expires));
    sim_json_set_str(issued, "access_key_id", key);
    sim_json_set_str(issued, "secret_access_key", secret);
    sim_json_set_str(issued, "session_token", token);
    sim_json_set_str(issued, "expires", expires);
    if (role)
        sim_json_set_str(issued, "role", role);
    if (session)
        sim_json_set_str(issued, "session", session);
    if (node)
        sim_json_set_str(issued, "node", node);
    if (sim_json_get(from, "user"))
        sim_json_set_str(issued, "user", sim_json_str(from, "user"));
    if (sim_json_get(from, "policy"))
        json_object_object_add(issued, "policy", sim_json_copy(sim_json_get(from, "policy")));
    json_object_array_add(all, issued);
    return issued;
}

static void credentials_item(struct sim_buf *out, const struct json_object *issued)
{
    aws_xml_open(out, "Credentials");
    aws_xml_text(out, "AccessKeyId", sim_json_str(issued, "access_key_id"));
    aws_xml_text(out, "SecretAccessKey", sim_json_str(issued, "secret_access_key"));
    aws_xml_text(out, "SessionToken", sim_json_str(issued, "session_token"));
    aws_xml_text(out, "Expiration", sim_json_str(issued, "expires"));
    aws_xml_close(out, "Credentials");
}

/* ---- roles ----------------------------------------------------------------------------------- */

/* What a trust policy may name: the caller, its role, its account, or its key. */
static bool trusts(const struct aws_call *call, struct json_object *trust)
{
    struct json_object *principals = sim_json_array(trust, "principals"), *element;
    const struct json_object *own =
        aws_role_find(call->aws, sim_json_str(call->who.credential, "role"));
    char role_arn[256] = "", root[64];

    if (own)
        aws_role_arn(call->aws, own, role_arn, sizeof(role_arn));
    snprintf(root, sizeof(root), "arn:%s:iam::%s:root", call->partition, call->who.account);
    SIM_JSON_EACH(element, principals)
    {
        const char *name = json_object_get_string(element);

        if (!strcmp(name, "*") || !strcmp(name, call->who.arn) || !strcmp(name, role_arn) ||
            !strcmp(name, root) ||
            !strcmp(name, sim_json_str(call->who.credential, "access_key_id")))
            return true;
    }
    return false;
}

static struct json_object *find_by_arn(const struct aws_call *call, const char *arn)
{
    struct json_object *role;
    char own[256];

    SIM_JSON_EACH(role, sim_json_array(call->aws, "roles"))
    {
        aws_role_arn(call->aws, role, own, sizeof(own));
        if (!strcmp(own, arn))
            return role;
    }
    return NULL;
}

static int read_duration(const struct aws_call *call, const struct json_object *role,
                         int64_t *ret_s, struct aws_error *err)
{
    const char *given = aws_param(call, "DurationSeconds");
    int64_t most = sim_json_int(role, "max_session_s", 3600);
    int64_t seconds = given ? strtoll(given, NULL, 10) : 3600;

    if (seconds < 900 || seconds > most)
        return aws_fail(err, 400, "ValidationError",
                        "The requested DurationSeconds exceeds the MaxSessionDuration set for "
                        "this role.");
    *ret_s = seconds;
    return 0;
}

/* The result of either way to a role. */
static int become(struct aws_call *call, const struct json_object *role, struct sim_buf *out,
                  struct aws_error *err)
{
    const char *session = aws_param(call, "RoleSessionName"), *name = sim_json_str(role, "name");
    const char *account = sim_json_str(role, "account");
    const struct json_object *issued;
    int64_t ttl_s = 0;

    if (strlen(session) < 2 || strlen(session) > 64)
        return aws_fail(err, 400, "ValidationError",
                        "1 validation error detected: Value at 'roleSessionName' failed to satisfy "
                        "constraint: Member must have length between 2 and 64");
    if (read_duration(call, role, &ttl_s, err))
        return -1;
    issued = aws_credentials_issue(call->world, name, session, call->sim->node, ttl_s, NULL);
    sim_buf_str(out, "<AssumedRoleUser>");
    aws_xml_text(out, "AssumedRoleId", "AROAEXAMPLE:session");
    sim_buf_fmt(out, "<Arn>arn:%s:sts::%s:assumed-role/%s/%s</Arn></AssumedRoleUser>",
                call->partition, *account ? account : call->account, name, session);
    credentials_item(out, issued);
    return 0;
}

static int assume_role(struct aws_call *call, struct sim_buf *out, struct aws_error *err)
{
    const char *arn = aws_param(call, "RoleArn");
    const struct json_object *role = find_by_arn(call, arn);
    struct json_object *trust = sim_json_get(role, "trust");
    const char *wanted = sim_json_str(trust, "external_id");
    const char *given = aws_param(call, "ExternalId");

    if (!role || !trusts(call, trust) || (*wanted && strcmp(wanted, given ? given : "")) ||
        !aws_iam_allows(call, "sts:AssumeRole", arn, NULL))
        return aws_fail(err, 403, "AccessDenied",
                        "User: %s is not authorized to perform: sts:AssumeRole on resource: %.200s",
                        call->who.arn, arn);
    return become(call, role, out, err);
}

static int assume_with_token(struct aws_call *call, struct sim_buf *out, struct aws_error *err)
{
    const struct json_object *role = find_by_arn(call, aws_param(call, "RoleArn"));
    const char *token = aws_param(call, "WebIdentityToken");

    if (!role ||
        !sim_json_has(sim_json_array(sim_json_get(role, "trust"), "web_identity_tokens"), token))
        return aws_fail(err, 403, "AccessDenied",
                        "Not authorized to perform sts:AssumeRoleWithWebIdentity");
    aws_xml_text(out, "SubjectFromWebIdentityToken", "subject");
    return become(call, role, out, err);
}

static int caller_identity(struct aws_call *call, struct sim_buf *out, struct aws_error *err)
{
    (void)err;
    aws_xml_text(out, "Arn", call->who.arn);
    aws_xml_text(out, "UserId", call->who.user_id);
    aws_xml_text(out, "Account", call->who.account);
    return 0;
}

static int session_token(struct aws_call *call, struct sim_buf *out, struct aws_error *err)
{
    const char *given = aws_param(call, "DurationSeconds");
    int64_t seconds = given ? strtoll(given, NULL, 10) : 43200;

    if (seconds < 900 || seconds > 129600)
        return aws_fail(err, 400, "ValidationError", "DurationSeconds is out of range");
    if (*sim_json_str(call->who.credential, "session_token"))
        return aws_fail(err, 403, "AccessDenied",
                        "Cannot call GetSessionToken with session credentials");
    credentials_item(
        out, aws_credentials_issue(call->world, NULL, NULL, NULL, seconds, call->who.credential));
    return 0;
}

static const struct {
    const char *name, *params;
    int (*serve)(struct aws_call *call, struct sim_buf *out, struct aws_error *err);
    bool is_unsigned;
} actions[] = {
    {"AssumeRole", "!RoleArn !RoleSessionName DurationSeconds ExternalId Policy", assume_role,
     false},
    {"AssumeRoleWithWebIdentity",
     "!RoleArn !RoleSessionName !WebIdentityToken DurationSeconds ProviderId Policy",
     assume_with_token, true},
    {"GetCallerIdentity", "", caller_identity, false},
    {"GetSessionToken", "DurationSeconds SerialNumber TokenCode", session_token, false},
};

int aws_sts_serve(struct aws_call *call, struct sim_buf *out, struct aws_error *err)
{
    const char *version = aws_param(call, "Version");
    size_t i = 0, count = sizeof(actions) / sizeof(actions[0]);

    while (i < count && strcmp(actions[i].name, call->sim->action) != 0)
        i++;
    if (i == count || !version || strcmp(version, AWS_STS_VERSION) != 0)
        return aws_fail(err, 400, "InvalidAction",
                        "Could not find operation %.64s for version %.16s", call->sim->action,
                        version ? version : "NO_VERSION_SPECIFIED");
    if ((!actions[i].is_unsigned && aws_sigv4_check(call, err)) ||
        aws_params_check(call, actions[i].params, err))
        return -1;
    sim_buf_fmt(out, "<%sResponse xmlns=\"%s\"><%sResult>", actions[i].name, AWS_STS_XMLNS,
                actions[i].name);
    if (actions[i].serve(call, out, err))
        return -1;
    sim_buf_fmt(out,
                "</%sResult><ResponseMetadata><RequestId>%s</RequestId></ResponseMetadata>"
                "</%sResponse>",
                actions[i].name, call->sim->request_id, actions[i].name);
    return 0;
}
