/* kit/cloud/aliyun/creds_host.c - credentials that the host hands out: the instance's RAM role, and
 * a credentials URI. */
#include <string.h>

#include "kit/cloud/aliyun/env.h"
#include "kit/cloud/aliyun/metadata.h"
#include "kit/cloud/aliyun/source.h"

/* ---- the instance's RAM role ----------------------------------------------------------------- */

#define ROLES "meta-data/ram/security-credentials/"

/* A role's name becomes part of a path: RAM's own characters (API reference, RoleName). */
static const char role_characters[] =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_";

/* *ret_role is "" when the instance has none. */
static int read_role_name(const struct ali_chain *chain, char ret_role[KIT_METADATA_ROLE],
                          struct kit_err *err)
{
    struct kit_metadata_item item = {
        .path = ROLES, .optional = true, .value = KIT_BUF_SECRET(KIT_METADATA_BODY_BYTES)};
    int rc = ali_metadata_read(chain->cloud, &item, 1, chain->by, err);

    if (rc == 0)
        rc = kit_metadata_role(&item, role_characters, ret_role, err);
    kit_buf_done(&item.value);
    return rc;
}

static int read_role(const struct ali_chain *chain, const char *role, struct kit_creds *ret_creds,
                     struct kit_err *err)
{
    char path[sizeof(ROLES) + 64], who[96];
    struct kit_metadata_item item = {.path = path,
                                     .value = KIT_BUF_SECRET(KIT_METADATA_BODY_BYTES)};

    (void)kit_str_format(path, sizeof(path), "%s%s", ROLES, role);
    (void)kit_str_format(who, sizeof(who), "role %s of the instance", role);
    int rc = ali_metadata_read(chain->cloud, &item, 1, chain->by, err);
    if (rc == 0)
        rc = ali_creds_from_text(&item.value, who, ret_creds, err);
    else
        (void)kit_err_wrap(err, "%s", who);
    kit_buf_done(&item.value);
    return rc;
}

enum ali_source ali_source_instance(const struct ali_chain *chain, const char *role,
                                    struct kit_creds *ret_creds, struct kit_err *err)
{
    char found[KIT_METADATA_ROLE];

    if (ali_env_is_true("ALIBABA_CLOUD_ECS_METADATA_DISABLED"))
        return ALI_SOURCE_NONE;
    if (role && !kit_metadata_is_role(role, role_characters)) {
        (void)kit_err_set(err, KIT_ERR_CONFIG, "\"%.64s\" cannot be the name of a RAM role", role);
        return ALI_SOURCE_BROKEN;
    }
    if (!role) {
        if (read_role_name(chain, found, err)) {
            (void)kit_err_wrap(err, "the instance's RAM role");
            return ALI_SOURCE_BROKEN;
        }
        if (!found[0])
            return ALI_SOURCE_NONE;
        role = found;
    }
    return read_role(chain, role, ret_creds, err) ? ALI_SOURCE_BROKEN : ALI_SOURCE_GOT;
}

/* ---- a credentials URI ----------------------------------------------------------------------- */

enum ali_source ali_source_uri(const struct ali_chain *chain, const char *url,
                               struct kit_creds *ret_creds, struct kit_err *err)
{
    static const char who[] = "the credentials URI";
    KIT_AUTO(kit_buf) answer = KIT_BUF_SECRET(KIT_CREDS_FETCH_BYTES);

    if (kit_creds_fetch(chain->cloud->base.caller, who, url, NULL, chain->by, &answer, err) != 0 ||
        ali_creds_from_text(&answer, who, ret_creds, err) != 0)
        return ALI_SOURCE_BROKEN;
    return ALI_SOURCE_GOT;
}
