/* STS: who becomes whom, and for how long. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "ali.h"

#define ISSUED_MAX 1024 /* temporary credentials in the world; the oldest go first */

void ali_role_arn(const struct json_object *ali, const char *name, char *ret_arn, size_t size)
{
    snprintf(ret_arn, size, "acs:ram::%s:role/%s", sim_json_str(ali, "account_id"), name);
}

bool ali_expired(const struct json_object *credential, int64_t now_ms)
{
    int64_t until_ms;

    return !sim_time_parse(sim_json_str(credential, "expires"), &until_ms) && until_ms <= now_ms;
}

static void drop_old(struct json_object *credentials)
{
    struct json_object *element, *oldest = NULL;
    size_t issued = 0;

    SIM_JSON_EACH(element, credentials)
    {
        if (!*sim_json_str(element, "security_token"))
            continue;
        oldest = oldest ? oldest : element;
        issued++;
    }
    if (issued >= ISSUED_MAX)
        sim_json_remove(credentials, oldest);
}

struct json_object *ali_credentials_issue(struct sim_world *world, const char *role,
                                          const char *session, const char *node, int64_t ttl_s)
{
    struct json_object *all = sim_json_array(sim_json_get(world->live, "aliyun"), "credentials");
    struct json_object *issued = json_object_new_object();
    char key[32], secret[41], noise[193], token[224], expires[40], random[25];

    drop_old(all);
    sim_random_text(random, sizeof(random));
    sim_random_text(secret, sizeof(secret));
    sim_random_text(noise, sizeof(noise));
    snprintf(key, sizeof(key), "STS.%s", random);
    /* Characters that must survive a header, a query and a form. */
    snprintf(token, sizeof(token), "CAIS/+==%s", noise);
    sim_time_iso(sim_world_now_ms(world) + ttl_s * 1000, false, expires, sizeof(expires));
    sim_json_set_str(issued, "access_key_id", key);
    sim_json_set_str(issued, "access_key_secret", secret);
    sim_json_set_str(issued, "security_token", token);
    sim_json_set_str(issued, "expires", expires);
    sim_json_set_str(issued, "role", role);
    sim_json_set_str(issued, "session", session);
    if (node && *node)
        sim_json_set_str(issued, "node", node);
    json_object_array_add(all, issued);
    return issued;
}

/* ---- actions --------------------------------------------------------------------------------- */

static int refuse(struct ali_error *err, const char *arn)
{
    return ali_fail(err, 403, "NoPermission",
                    "You are not authorized to do this action. You should be authorized by RAM. "
                    "(sts:AssumeRole on %.128s)",
                    arn);
}

static struct json_object *find_role(const struct ali_call *call, const char *arn)
{
    struct json_object *role;
    char own[256];

    SIM_JSON_EACH(role, sim_json_array(call->ali, "roles"))
    {
        ali_role_arn(call->ali, sim_json_str(role, "name"), own, sizeof(own));
        if (!strcmp(own, arn))
            return role;
    }
    return NULL;
}

static bool trusts(const struct ali_call *call, const struct json_object *trust)
{
    struct json_object *element;
    char role_arn[256], root[64];

    ali_role_arn(call->ali, sim_json_str(call->who.credential, "role"), role_arn, sizeof(role_arn));
    snprintf(root, sizeof(root), "acs:ram::%s:root", call->account);
    SIM_JSON_EACH(element, sim_json_array(trust, "principals"))
    {
        const char *name = json_object_get_string(element);

        if (!strcmp(name, "*") || !strcmp(name, call->who.arn) || !strcmp(name, role_arn) ||
            !strcmp(name, root) ||
            !strcmp(name, sim_json_str(call->who.credential, "access_key_id")))
            return true;
    }
    return false;
}

/* The result of either way to a role. */
static int become(struct ali_call *call, const struct json_object *role, struct json_object *out,
                  struct ali_error *err)
{
    const char *given = ali_text(call, "DurationSeconds");
    const char *session = ali_text(call, "RoleSessionName"), *name = sim_json_str(role, "name");
    int64_t most = sim_json_int(role, "max_session_s", 3600);
    int64_t seconds = *given ? strtoll(given, NULL, 10) : (most < 3600 ? most : 3600);
    struct json_object *issued, *credentials = json_object_new_object(), *user;
    char text[256];

    json_object_object_add(out, "Credentials", credentials);
    if (strlen(session) < 2 || strlen(session) > 64)
        return ali_fail(err, 400, "InvalidParameter.RoleSessionName",
                        "The parameter RoleSessionName is wrongly formed.");
    if (seconds < 900 || seconds > most)
        return ali_fail(err, 400, "InvalidParameter.DurationSeconds",
                        "The Min/Max value of DurationSeconds is 15min/%lldmin.",
                        (long long)most / 60);
    issued = ali_credentials_issue(call->world, name, session, call->sim->node, seconds);
    sim_json_set_str(credentials, "AccessKeyId", sim_json_str(issued, "access_key_id"));
    sim_json_set_str(credentials, "AccessKeySecret", sim_json_str(issued, "access_key_secret"));
    sim_json_set_str(credentials, "SecurityToken", sim_json_str(issued, "security_token"));
    sim_json_set_str(credentials, "Expiration", sim_json_str(issued, "expires"));
    user = json_object_new_object();
    snprintf(text, sizeof(text), "acs:ram::%s:assumed-role/%s/%s", call->account, name, session);
    sim_json_set_str(user, "Arn", text);
    snprintf(text, sizeof(text), "300000000000000001:%s", session);
    sim_json_set_str(user, "AssumedRoleId", text);
    json_object_object_add(out, "AssumedRoleUser", user);
    return 0;
}

static int assume_role(struct ali_call *call, struct json_object *out, struct ali_error *err)
{
    const char *arn = ali_text(call, "RoleArn");
    const struct json_object *role = find_role(call, arn), *trust = sim_json_get(role, "trust");
    const char *wanted = sim_json_str(trust, "external_id");

    if (!role)
        return ali_fail(err, 404, "EntityNotExist.Role", "The specified role does not exist.");
    if (!trusts(call, trust) || (*wanted && strcmp(wanted, ali_text(call, "ExternalId")) != 0) ||
        !ali_ram_allows(call, "sts:AssumeRole", arn))
        return refuse(err, arn);
    return become(call, role, out, err);
}

static int assume_oidc(struct ali_call *call, struct json_object *out, struct ali_error *err)
{
    const char *arn = ali_text(call, "RoleArn");
    const struct json_object *role = find_role(call, arn);
    struct json_object *tokens = sim_json_array(sim_json_get(role, "trust"), "oidc_tokens");

    if (!role || !sim_json_has(tokens, ali_text(call, "OIDCToken")))
        return ali_fail(err, 403, "AuthenticationFail.NoPermission",
                        "This operation is forbidden by the trust policy of the role.");
    return become(call, role, out, err);
}

static int caller_identity(struct ali_call *call, struct json_object *out, struct ali_error *err)
{
    bool role = *sim_json_str(call->who.credential, "role");
    bool user = *sim_json_str(call->who.credential, "user");

    (void)err;
    sim_json_set_str(out, "IdentityType", role ? "AssumedRoleUser" : user ? "RAMUser" : "Account");
    sim_json_set_str(out, "AccountId", call->account);
    sim_json_set_str(out, "PrincipalId", call->who.user_id);
    sim_json_set_str(out, role ? "RoleId" : "UserId",
                     role ? "300000000000000001" : call->who.user_id);
    sim_json_set_str(out, "Arn", call->who.arn);
    return 0;
}

const struct ali_action ali_sts_actions[] = {
    {"sts", "AssumeRole", assume_role, ALI_READS,
     "!RoleArn !RoleSessionName DurationSeconds Policy ExternalId SourceIdentity RegionId", ""},
    {"sts", "AssumeRoleWithOIDC", assume_oidc, ALI_UNSIGNED,
     "!RoleArn !OIDCProviderArn !OIDCToken !RoleSessionName DurationSeconds Policy RegionId", ""},
    {"sts", "GetCallerIdentity", caller_identity, ALI_READS, "RegionId", ""},
    {0},
};
