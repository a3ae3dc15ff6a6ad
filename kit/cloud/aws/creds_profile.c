/* kit/cloud/aws/creds_profile.c - what a profile says: keys, a role, a web identity, a program. */
#include <string.h>

#include "kit/base/str.h"
#include "kit/cloud/aws/env.h"
#include "kit/cloud/aws/source.h"
#include "kit/cloud/aws/sts.h"

/* Profiles that name one another by source_profile; more than two are rare. */
#define DEEPEST 8

static const char *value(const struct aws_chain *chain, const char *profile, const char *key)
{
    const char *text = aws_profiles_get(chain->profiles, profile, key, NULL);

    return text && *text ? text : NULL;
}

static bool has_keys(const struct aws_chain *chain, const char *profile)
{
    return value(chain, profile, "aws_access_key_id") ||
           value(chain, profile, "aws_secret_access_key");
}

/* With a token file it is the web identity's role, which is assumed without keys. */
static bool has_role(const struct aws_chain *chain, const char *profile)
{
    return value(chain, profile, "role_arn") && !value(chain, profile, "web_identity_token_file");
}

/* ---- sources that need no role --------------------------------------------------------------- */

static enum aws_source static_keys(const struct aws_chain *chain, bool in_credentials,
                                   const char *profile, struct kit_creds *ret_creds,
                                   struct kit_err *err)
{
    const struct aws_profiles *p = chain->profiles;
    const char *token = aws_profiles_get_in(p, in_credentials, profile, "aws_session_token");
    struct kit_creds_parts parts = {
        .key_id = aws_profiles_get_in(p, in_credentials, profile, "aws_access_key_id"),
        .secret = aws_profiles_get_in(p, in_credentials, profile, "aws_secret_access_key"),
        .token =
            token ? token : aws_profiles_get_in(p, in_credentials, profile, "aws_security_token"),
    };
    char who[96];

    if (!parts.key_id && !parts.secret)
        return AWS_SOURCE_NONE;
    (void)kit_str_format(who, sizeof(who), "profile %s in %s", profile,
                         aws_profiles_path(p, in_credentials));
    return aws_creds_fill(&parts, who, ret_creds, err) == 0 ? AWS_SOURCE_GOT : AWS_SOURCE_BROKEN;
}

/* The environment's value, else the profile's, each on its own, as botocore does. */
static const char *web_value(const struct aws_chain *chain, const char *variable,
                             const char *profile, const char *key)
{
    const char *text = variable ? aws_env(variable) : NULL;

    return text ? text : value(chain, profile, key);
}

static enum aws_source web_identity(const struct aws_chain *chain, const char *profile,
                                    bool use_environment, struct kit_creds *ret_creds,
                                    struct kit_err *err)
{
    bool env = use_environment;
    const struct aws_sts_role role = {
        .web_identity_file = web_value(chain, env ? "AWS_WEB_IDENTITY_TOKEN_FILE" : NULL, profile,
                                       "web_identity_token_file"),
        .role_arn = web_value(chain, env ? "AWS_ROLE_ARN" : NULL, profile, "role_arn"),
        .session_name =
            web_value(chain, env ? "AWS_ROLE_SESSION_NAME" : NULL, profile, "role_session_name"),
    };

    if (!role.web_identity_file)
        return AWS_SOURCE_NONE;
    if (!role.role_arn) {
        (void)kit_err_set(err, KIT_ERR_CONFIG,
                          "a web identity's token file is named, but no role: set AWS_ROLE_ARN, or"
                          " role_arn in profile %s",
                          profile);
        return AWS_SOURCE_BROKEN;
    }
    return aws_sts_assume(chain->cloud, &role, chain->by, ret_creds, err) == 0 ? AWS_SOURCE_GOT
                                                                               : AWS_SOURCE_BROKEN;
}

/* Sources of the command line's that are not ours; skipping them would make us act as the instance.
 */
static bool asks_a_person(const struct aws_chain *chain, const char *profile)
{
    return value(chain, profile, "sso_session") || value(chain, profile, "sso_start_url") ||
           value(chain, profile, "login_session");
}

static enum aws_source without_role(const struct aws_chain *chain, const char *profile,
                                    bool use_environment, struct kit_creds *ret_creds,
                                    struct kit_err *err)
{
    enum aws_source got = web_identity(chain, profile, use_environment, ret_creds, err);
    const char *command = value(chain, profile, "credential_process");

    if (got == AWS_SOURCE_NONE)
        got = static_keys(chain, true, profile, ret_creds, err);
    if (got == AWS_SOURCE_NONE && command)
        got = aws_source_process(chain, profile, command, ret_creds, err);
    if (got == AWS_SOURCE_NONE)
        got = static_keys(chain, false, profile, ret_creds, err);
    if (got == AWS_SOURCE_NONE && asks_a_person(chain, profile)) {
        (void)kit_err_set(
            err, KIT_ERR_CONFIG,
            "profile %s: its credentials come from a person's login (SSO), and a cluster"
            " has no person to ask",
            profile);
        return AWS_SOURCE_BROKEN;
    }
    return got;
}

/* ---- roles ----------------------------------------------------------------------------------- */

/* From the profile that is asked for down to the one that has keys. */
struct roles {
    const char *profile[DEEPEST];
    size_t count;
    const char *last;   /* the profile with the keys, or NULL */
    const char *source; /* or the credential_source of the last role */
};

static int refuse(struct kit_err *err, const char *profile, const char *why)
{
    return kit_err_set(err, KIT_ERR_CONFIG, "profile %s: %s", profile, why);
}

/* May `profile` take its keys from `next`? */
static int check_next(const struct aws_chain *chain, const struct roles *roles, const char *profile,
                      const char *next, struct kit_err *err)
{
    if (!aws_profiles_has(chain->profiles, next))
        return kit_err_set(err, KIT_ERR_CONFIG, "profile %s: its source_profile %s does not exist",
                           profile, next);
    /* Its own keys for its own role. */
    if (kit_str_eq(profile, next) && has_keys(chain, next))
        return 0;
    for (size_t i = 0; i < roles->count; i++)
        if (kit_str_eq(roles->profile[i], next))
            return kit_err_set(err, KIT_ERR_CONFIG,
                               "profile %s: source_profile leads round in a circle, back to %s",
                               profile, next);
    return 0;
}

static int collect(const struct aws_chain *chain, const char *profile, struct roles *roles,
                   struct kit_err *err)
{
    while (has_role(chain, profile) && !(roles->count > 0 && has_keys(chain, profile))) {
        const char *next = value(chain, profile, "source_profile");
        const char *source = value(chain, profile, "credential_source");

        if (roles->count == DEEPEST)
            return refuse(err, profile, "too long a chain of source_profile");
        roles->profile[roles->count++] = profile;
        if (value(chain, profile, "mfa_serial"))
            return refuse(err, profile,
                          "mfa_serial asks for a code from a person, and a cluster cannot ask one");
        if ((next != NULL) == (source != NULL))
            return refuse(err, profile,
                          next ? "it has both source_profile and credential_source"
                               : "role_arn needs a source_profile or a credential_source");
        if (source) {
            roles->source = source;
            return 0;
        }
        if (check_next(chain, roles, profile, next, err) != 0)
            return -1;
        profile = next;
    }
    roles->last = profile;
    return 0;
}

static int named_source(const struct aws_chain *chain, const struct roles *roles,
                        struct kit_creds *ret_creds, struct kit_err *err)
{
    const char *profile = roles->profile[roles->count - 1];
    enum aws_source got = AWS_SOURCE_NONE;

    if (kit_str_eq(roles->source, "Environment"))
        got = aws_source_environment(ret_creds, err);
    else if (kit_str_eq(roles->source, "Ec2InstanceMetadata"))
        got = aws_source_instance(chain, ret_creds, err);
    else if (kit_str_eq(roles->source, "EcsContainer"))
        got = aws_source_container(chain, ret_creds, err);
    else
        return kit_err_set(err, KIT_ERR_CONFIG,
                           "profile %s: credential_source is Environment, Ec2InstanceMetadata or"
                           " EcsContainer",
                           profile);
    if (got == AWS_SOURCE_NONE)
        return kit_err_set(err, KIT_ERR_AUTH,
                           "profile %s: its credential_source %s has no credentials", profile,
                           roles->source);
    return got == AWS_SOURCE_GOT ? 0 : kit_err_wrap(err, "profile %s: credential_source", profile);
}

static int assume(const struct aws_chain *chain, const char *profile, const struct kit_creds *base,
                  struct kit_creds *ret_creds, struct kit_err *err)
{
    const char *duration = value(chain, profile, "duration_seconds");
    struct aws_sts_role role = {
        .role_arn = value(chain, profile, "role_arn"),
        .session_name = value(chain, profile, "role_session_name"),
        .external_id = value(chain, profile, "external_id"),
        .base = base,
    };

    /* The limits of AssumeRole's DurationSeconds. */
    if (duration && !kit_str_to_int(duration, 900, 43200, &role.duration_s))
        return refuse(err, profile, "duration_seconds is no number from 900 to 43200");
    if (aws_sts_assume(chain->cloud, &role, chain->by, ret_creds, err) != 0)
        return kit_err_wrap(err, "profile %s", profile);
    return 0;
}

/* Hands the credentials over; what is left needs no more than a second kit_creds_done. */
static struct kit_creds take(struct kit_creds *creds)
{
    struct kit_creds taken = *creds;

    *creds = (struct kit_creds){.access_key_id = ""};
    return taken;
}

/* The keys at the end of the chain, then one role after the other with what the one before gave. */
static int assume_all(const struct aws_chain *chain, const struct roles *roles,
                      struct kit_creds *ret_creds, struct kit_err *err)
{
    KIT_AUTO(kit_creds) creds = {.access_key_id = ""};

    if (roles->source) {
        if (named_source(chain, roles, &creds, err) != 0)
            return -1;
    } else {
        enum aws_source got = without_role(chain, roles->last, false, &creds, err);
        if (got == AWS_SOURCE_NONE)
            return kit_err_set(err, KIT_ERR_CONFIG,
                               "profile %s: its source_profile %s has no credentials",
                               roles->profile[roles->count - 1], roles->last);
        if (got == AWS_SOURCE_BROKEN)
            return -1;
    }
    for (size_t i = roles->count; i > 0; i--) {
        struct kit_creds next = {.access_key_id = ""};
        if (assume(chain, roles->profile[i - 1], &creds, &next, err) != 0)
            return -1;
        kit_creds_done(&creds);
        creds = next;
    }
    *ret_creds = take(&creds);
    return 0;
}

enum aws_source aws_source_profile(const struct aws_chain *chain, const char *profile,
                                   bool use_environment, struct kit_creds *ret_creds,
                                   struct kit_err *err)
{
    struct roles roles = {.count = 0};

    if (collect(chain, profile, &roles, err) != 0)
        return AWS_SOURCE_BROKEN;
    if (roles.count == 0)
        return without_role(chain, profile, use_environment, ret_creds, err);
    return assume_all(chain, &roles, ret_creds, err) == 0 ? AWS_SOURCE_GOT : AWS_SOURCE_BROKEN;
}
