/* kit/cloud/aliyun/creds_profile.c - what a profile says, of the CLI by its mode and of the SDKs by
 * its type. */
#include <string.h>

#include "kit/cloud/aliyun/env.h"
#include "kit/cloud/aliyun/source.h"
#include "kit/cloud/aliyun/sts.h"

/* Profiles that name one another by source_profile; more than two are rare. */
#define DEEPEST 8

static enum ali_source refuse(const char *who, const char *why, struct kit_err *err)
{
    (void)kit_err_set(err, KIT_ERR_CONFIG, "%s: %s", who, why);
    return ALI_SOURCE_BROKEN;
}

static enum ali_source assume(const struct ali_chain *chain, const char *who,
                              const struct ali_sts_role *role, struct kit_creds *ret_creds,
                              struct kit_err *err)
{
    if (!role->role_arn)
        return refuse(who, "no role is named", err);
    if (ali_sts_assume(chain->cloud, role, chain->by, ret_creds, err) == 0)
        return ALI_SOURCE_GOT;
    (void)kit_err_wrap(err, "%s", who);
    return ALI_SOURCE_BROKEN;
}

static enum ali_source fill(const struct kit_creds_parts *parts, const char *who,
                            struct kit_creds *ret_creds, struct kit_err *err)
{
    return ali_creds_fill(parts, who, ret_creds, err) ? ALI_SOURCE_BROKEN : ALI_SOURCE_GOT;
}

/* ---- config.json of the CLI ------------------------------------------------------------------ */

struct cli {
    const struct ali_chain *chain;
    const struct kit_json_node *profile;
    const char *name;
    char who[96]; /* "profile prod in /root/.aliyun/config.json" */
    unsigned depth;
};

static const char *value(const struct cli *c, const char *key)
{
    const char *text = kit_json_string(kit_json_get(c->profile, key));

    return text && *text ? text : NULL;
}

static enum ali_source from_profile(const struct cli *c, struct kit_creds *ret_creds,
                                    struct kit_err *err);

static enum ali_source keys(const struct cli *c, struct kit_creds *ret_creds, struct kit_err *err)
{
    const struct kit_creds_parts parts = {.key_id = value(c, "access_key_id"),
                                          .secret = value(c, "access_key_secret"),
                                          .token = value(c, "sts_token")};

    /* What `aliyun configure` leaves behind before anybody answered it. */
    if (!parts.key_id && !parts.secret)
        return ALI_SOURCE_NONE;
    return fill(&parts, c->who, ret_creds, err);
}

/* The limits of AssumeRole's DurationSeconds; 0 is how the CLI writes "not said". */
static int role_of(const struct cli *c, struct ali_sts_role *role, struct kit_err *err)
{
    const struct kit_json_node *node = kit_json_get(c->profile, "expired_seconds");
    int64_t seconds = 0;

    if (node &&
        (!kit_json_int(node, &seconds) || (seconds != 0 && (seconds < 900 || seconds > 43200))))
        return kit_err_set(err, KIT_ERR_CONFIG,
                           "%s: expired_seconds is no number from 900 to 43200", c->who);
    role->role_arn = value(c, "ram_role_arn");
    role->session_name = value(c, "ram_session_name");
    role->external_id = value(c, "external_id");
    role->policy = value(c, "policy");
    role->region = value(c, "sts_region");
    role->duration_s = seconds;
    return 0;
}

/* The role on top of what `got` says of *base. */
static enum ali_source with_role(const struct cli *c, enum ali_source got, struct kit_creds *base,
                                 struct kit_creds *ret_creds, struct kit_err *err)
{
    struct ali_sts_role role = {.base = base};
    enum ali_source result = got;

    if (got == ALI_SOURCE_NONE)
        result = refuse(c->who, "there are no credentials to assume its role with", err);
    else if (got == ALI_SOURCE_GOT)
        result = role_of(c, &role, err) ? ALI_SOURCE_BROKEN
                                        : assume(c->chain, c->who, &role, ret_creds, err);
    kit_creds_done(base);
    return result;
}

static enum ali_source role_by_keys(const struct cli *c, struct kit_creds *ret_creds,
                                    struct kit_err *err)
{
    struct kit_creds base = {.access_key_id = ""};

    return with_role(c, keys(c, &base, err), &base, ret_creds, err);
}

static enum ali_source instance_role(const struct cli *c, struct kit_creds *ret_creds,
                                     struct kit_err *err)
{
    enum ali_source got = ali_source_instance(c->chain, value(c, "ram_role_name"), ret_creds, err);

    if (got == ALI_SOURCE_NONE)
        return refuse(c->who, "this instance has no RAM role, or its metadata service is disabled",
                      err);
    return got;
}

static enum ali_source role_by_instance(const struct cli *c, struct kit_creds *ret_creds,
                                        struct kit_err *err)
{
    struct kit_creds base = {.access_key_id = ""};

    return with_role(c, instance_role(c, &base, err), &base, ret_creds, err);
}

static enum ali_source role_by_oidc(const struct cli *c, struct kit_creds *ret_creds,
                                    struct kit_err *err)
{
    struct ali_sts_role role = {.oidc_provider_arn = value(c, "oidc_provider_arn"),
                                .oidc_token_file = value(c, "oidc_token_file")};

    if (!role.oidc_provider_arn || !role.oidc_token_file)
        return refuse(c->who, "oidc_provider_arn or oidc_token_file is missing", err);
    if (role_of(c, &role, err))
        return ALI_SOURCE_BROKEN;
    return assume(c->chain, c->who, &role, ret_creds, err);
}

static void open_cli(struct cli *c, const struct ali_chain *chain, const char *name, unsigned depth)
{
    *c = (struct cli){.chain = chain, .name = name, .depth = depth};
    c->profile = ali_profiles_cli(chain->profiles, name);
    (void)kit_str_format(c->who, sizeof(c->who), "profile %s in %s", name,
                         ali_profiles_cli_path(chain->profiles));
}

static enum ali_source role_by_profile(const struct cli *c, struct kit_creds *ret_creds,
                                       struct kit_err *err)
{
    const char *name = value(c, "source_profile");
    struct kit_creds base = {.access_key_id = ""};
    struct cli source;

    if (!name)
        return refuse(c->who, "source_profile is missing", err);
    if (c->depth == DEEPEST)
        return refuse(c->who, "source_profile leads round in a circle, or too far", err);
    open_cli(&source, c->chain, name, c->depth + 1);
    if (!source.profile)
        return refuse(c->who, "its source_profile does not exist", err);
    return with_role(c, from_profile(&source, &base, err), &base, ret_creds, err);
}

static enum ali_source by_process(const struct cli *c, struct kit_creds *ret_creds,
                                  struct kit_err *err)
{
    const char *command = value(c, "process_command");

    if (!command)
        return refuse(c->who, "process_command is missing", err);
    return ali_source_process(c->chain, c->name, command, ret_creds, err);
}

static enum ali_source by_uri(const struct cli *c, struct kit_creds *ret_creds, struct kit_err *err)
{
    const char *url = value(c, "credentials_uri");

    if (!url)
        return refuse(c->who, "credentials_uri is missing", err);
    return ali_source_uri(c->chain, url, ret_creds, err);
}

static enum ali_source asks_a_person(const struct cli *c, struct kit_creds *ret_creds,
                                     struct kit_err *err)
{
    (void)ret_creds;
    return refuse(c->who,
                  "its credentials come from a person's login, and a cluster has no person "
                  "to ask",
                  err);
}

static enum ali_source from_profile(const struct cli *c, struct kit_creds *ret_creds,
                                    struct kit_err *err)
{
    static const struct {
        const char *mode;
        enum ali_source (*source)(const struct cli *, struct kit_creds *, struct kit_err *);
    } modes[] = {
        {"AK", keys},
        {"StsToken", keys},
        {"RamRoleArn", role_by_keys},
        {"EcsRamRole", instance_role},
        {"RamRoleArnWithEcs", role_by_instance},
        {"OIDC", role_by_oidc},
        {"ChainableRamRoleArn", role_by_profile},
        {"External", by_process},
        {"CredentialsURI", by_uri},
        {"CloudSSO", asks_a_person},
        {"OAuth", asks_a_person},
    };
    const char *mode = value(c, "mode");

    for (size_t i = 0; i < KIT_LEN(modes); i++)
        if (kit_str_eq(modes[i].mode, mode ? mode : "AK"))
            return modes[i].source(c, ret_creds, err);
    (void)kit_err_set(err, KIT_ERR_CONFIG, "%s: mode %.32s is not supported", c->who, mode);
    return ALI_SOURCE_BROKEN;
}

enum ali_source ali_source_cli(const struct ali_chain *chain, const char *name,
                               struct kit_creds *ret_creds, struct kit_err *err)
{
    struct cli c;

    open_cli(&c, chain, name, 1);
    return c.profile ? from_profile(&c, ret_creds, err) : ALI_SOURCE_NONE;
}

/* ---- the credentials file of the SDKs -------------------------------------------------------- */

static const char *key(const struct ali_chain *chain, const char *section, const char *name)
{
    const char *text = ali_profiles_key(chain->profiles, section, name);

    return text && *text ? text : NULL;
}

static enum ali_source ini_role(const struct ali_chain *chain, const char *section, const char *who,
                                const struct kit_creds_parts *parts, struct kit_creds *ret_creds,
                                struct kit_err *err)
{
    KIT_AUTO(kit_creds) base = {.access_key_id = ""};
    const struct ali_sts_role role = {
        .role_arn = key(chain, section, "role_arn"),
        .session_name = key(chain, section, "role_session_name"),
        .external_id = key(chain, section, "external_id"),
        .policy = key(chain, section, "policy"),
        .base = &base,
    };

    if (fill(parts, who, &base, err) != ALI_SOURCE_GOT)
        return ALI_SOURCE_BROKEN;
    return assume(chain, who, &role, ret_creds, err);
}

static enum ali_source ini_oidc(const struct ali_chain *chain, const char *section, const char *who,
                                struct kit_creds *ret_creds, struct kit_err *err)
{
    const struct ali_sts_role role = {
        .role_arn = key(chain, section, "role_arn"),
        .session_name = key(chain, section, "role_session_name"),
        .policy = key(chain, section, "policy"),
        .oidc_provider_arn = key(chain, section, "oidc_provider_arn"),
        .oidc_token_file = key(chain, section, "oidc_token_file_path"),
    };

    if (!role.oidc_provider_arn || !role.oidc_token_file)
        return refuse(who, "oidc_provider_arn or oidc_token_file_path is missing", err);
    return assume(chain, who, &role, ret_creds, err);
}

enum ali_source ali_source_ini(const struct ali_chain *chain, const char *section,
                               struct kit_creds *ret_creds, struct kit_err *err)
{
    const char *type = key(chain, section, "type");
    const struct kit_creds_parts parts = {
        .key_id = key(chain, section, "access_key_id"),
        .secret = key(chain, section, "access_key_secret"),
        .token = key(chain, section, "security_token"),
    };
    char who[96];

    if (!ali_profiles_has_section(chain->profiles, section))
        return ALI_SOURCE_NONE;
    (void)kit_str_format(who, sizeof(who), "section %s in %s", section,
                         ali_profiles_ini_path(chain->profiles));
    if (!type || kit_str_eq(type, "access_key") || kit_str_eq(type, "sts"))
        return fill(&parts, who, ret_creds, err);
    if (kit_str_eq(type, "ram_role_arn"))
        return ini_role(chain, section, who, &parts, ret_creds, err);
    if (kit_str_eq(type, "oidc_role_arn"))
        return ini_oidc(chain, section, who, ret_creds, err);
    if (!kit_str_eq(type, "ecs_ram_role")) {
        (void)kit_err_set(err, KIT_ERR_CONFIG, "%s: type %.32s is not supported", who, type);
        return ALI_SOURCE_BROKEN;
    }
    enum ali_source got =
        ali_source_instance(chain, key(chain, section, "role_name"), ret_creds, err);
    if (got == ALI_SOURCE_NONE)
        return refuse(who, "this instance has no RAM role, or its metadata service is disabled",
                      err);
    return got;
}
