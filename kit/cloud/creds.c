/* kit/cloud/creds.c - a set of credentials, and when it is obtained anew; what a role is assumed
 * with. */
#include "kit/cloud/creds.h"

#include <string.h>

#include "kit/base/str.h"
#include "kit/fmt/time.h"
#include "kit/sys/file.h"
#include "kit/sys/hostid.h"

void kit_creds_done(struct kit_creds *creds)
{
    kit_secret_done(&creds->secret_key);
    kit_secret_done(&creds->token);
    kit_secret_wipe(creds, sizeof(*creds));
}

int kit_creds_fill(const struct kit_creds_parts *parts, const char *secret_name, const char *who,
                   struct kit_creds *ret_creds, struct kit_err *err)
{
    struct kit_creds creds = {.access_key_id = ""};

    if (!parts->key_id || !*parts->key_id)
        return kit_err_set(err, KIT_ERR_CONFIG, "%s: %s without an access key id", who,
                           secret_name);
    if (!parts->secret || !*parts->secret)
        return kit_err_set(err, KIT_ERR_CONFIG, "%s: an access key id without %s", who,
                           secret_name);
    if (!kit_str_copy(creds.access_key_id, sizeof(creds.access_key_id), parts->key_id))
        return kit_err_set(err, KIT_ERR_CONFIG,
                           "%s: the access key id has more than %zu characters", who,
                           sizeof(creds.access_key_id) - 1);
    if (parts->expiration && *parts->expiration &&
        !kit_time_parse_iso(parts->expiration, &creds.expires_s))
        return kit_err_set(err, KIT_ERR_CONFIG,
                           "%s: its expiration is no time like 2026-01-02T03:04:05Z", who);
    kit_secret_set(&creds.secret_key, parts->secret);
    if (parts->token && *parts->token)
        kit_secret_set(&creds.token, parts->token);
    (void)kit_str_copy(creds.source, sizeof(creds.source), who);
    *ret_creds = creds;
    return 0;
}

static bool last_for(const struct kit_creds *creds, int64_t now_s, int64_t seconds)
{
    return creds->access_key_id[0] &&
           (creds->expires_s == 0 || creds->expires_s - now_s >= seconds);
}

int kit_creds_get(const struct kit_creds_chain *chain, struct kit_cloud *cloud,
                  struct kit_creds *creds, struct kit_deadline by, struct kit_err *err)
{
    struct kit_creds fresh = {.access_key_id = ""};

    if (last_for(creds, chain->now_s(cloud), chain->refresh_before_s))
        return 0;
    if (chain->obtain(cloud, by, &fresh, err) != 0)
        return last_for(creds, chain->now_s(cloud), 1) ? 0 : kit_err_wrap(err, "credentials");
    kit_creds_done(creds);
    *creds = fresh;
    return 0;
}

static bool same(const struct kit_creds *a, const struct kit_creds *b)
{
    return kit_str_eq(a->access_key_id, b->access_key_id) &&
           kit_str_eq(a->secret_key.text, b->secret_key.text) &&
           kit_str_eq(a->token.text, b->token.text);
}

int kit_creds_renew(const struct kit_creds_chain *chain, struct kit_cloud *cloud,
                    struct kit_creds *creds, struct kit_deadline by, struct kit_err *err)
{
    struct kit_creds refused = *creds;

    *creds = (struct kit_creds){.access_key_id = ""};
    int rc = chain->obtain(cloud, by, creds, err);
    /* Temporary ones that are still handed out are worth one more try: only static ones are not. */
    if (rc == 0 && !creds->expires_s && same(&refused, creds))
        rc = kit_err_set(err, KIT_ERR_AUTH,
                         "the cloud refused the credentials from %s, and they are still the same",
                         creds->source);
    else if (rc != 0)
        (void)kit_err_wrap(err, "credentials");
    kit_creds_done(&refused);
    return rc;
}

void kit_creds_session_name(const char *allowed, char ret_name[KIT_SESSION_NAME])
{
    struct kit_hostid id;

    kit_hostid_read(&id);
    (void)kit_str_format(ret_name, KIT_SESSION_NAME, "cloudvip-%s", id.nodename);
    for (char *c = ret_name; *c; c++)
        if (!strchr(allowed, *c))
            *c = '-';
}

int kit_creds_token_file(const char *path, const char *what, struct kit_buf *token,
                         const char **ret_text, struct kit_err *err)
{
    if (kit_file_read(path, KIT_FILE_ANY, token, err)) {
        if (err->kind == KIT_ERR_NOT_FOUND || err->kind == KIT_ERR_SYSTEM)
            err->kind = KIT_ERR_CONFIG;
        return kit_err_wrap(err, "%s", what);
    }
    *ret_text = token->len_bytes > 0 ? kit_str_trim(token->data) : "";
    if (!**ret_text)
        return kit_err_set(err, KIT_ERR_CONFIG, "%s: %s is empty", what, path);
    return 0;
}
