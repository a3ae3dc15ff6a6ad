/* kit/cloud/aliyun/creds_host.c - credentials that the host hands out: the instance's RAM role, and
 * a credentials URI. */
#include <string.h>

#include "kit/cloud/aliyun/env.h"
#include "kit/cloud/aliyun/metadata.h"
#include "kit/cloud/aliyun/source.h"

/* ---- the instance's RAM role ----------------------------------------------------------------
 */

#define ROLES "meta-data/ram/security-credentials/"

/* A role's name becomes part of a path: RAM's own characters (API reference, RoleName). */
static bool is_role_name(const char *name)
{
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_";
    size_t len = strlen(name);

    return len > 0 && len <= 64 && name[strspn(name, allowed)] == '\0' && name[0] != '.';
}

/* *ret_role is "" when the instance has none. */
static int read_role_name(const struct ali_chain *chain, char *ret_role, size_t role_bytes,
                          struct kit_err *err)
{
    struct kit_metadata_item item = {
        .path = ROLES, .optional = true, .value = KIT_BUF_SECRET(KIT_METADATA_BODY_BYTES)};
    int rc = ali_metadata_read(chain->cloud, &item, 1, chain->by, err);

    if (rc == 0) {
        const char *cursor = item.value.data, *line = "";
        size_t len = 0;
        (void)kit_str_word(&cursor, "\r\n", &line, &len); /* one role; a list by its form */
        bool fits = kit_str_format(ret_role, role_bytes, "%.*s", (int)len, line);
        if (len > 0 && (!fits || !is_role_name(ret_role)))
            rc = kit_err_set(err, KIT_ERR_PROTOCOL, "what it answered is no role's name");
    }
    kit_buf_done(&item.value);
    return rc;
}

static int read_role(const struct ali_chain *chain, const char *role, struct ali_creds *ret_creds,
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
                                    struct ali_creds *ret_creds, struct kit_err *err)
{
    char found[80] = "";

    if (ali_env_is_true("ALIBABA_CLOUD_ECS_METADATA_DISABLED"))
        return ALI_SOURCE_NONE;
    if (role && !is_role_name(role)) {
        (void)kit_err_set(err, KIT_ERR_CONFIG, "\"%.64s\" cannot be the name of a RAM role", role);
        return ALI_SOURCE_BROKEN;
    }
    if (!role) {
        if (read_role_name(chain, found, sizeof(found), err)) {
            (void)kit_err_wrap(err, "the instance's RAM role");
            return ALI_SOURCE_BROKEN;
        }
        if (!found[0])
            return ALI_SOURCE_NONE;
        role = found;
    }
    return read_role(chain, role, ret_creds, err) ? ALI_SOURCE_BROKEN : ALI_SOURCE_GOT;
}

/* ---- a credentials URI ----------------------------------------------------------------------
 */

#define ANSWER_BYTES (64u * 1024)

/* It is on this host or next to it: three tries of two seconds, as for the metadata service. */
static const int64_t try_ms = 2000;
static const unsigned most_tries = 3;

struct request {
    struct kit_call call; /* first: the call-backs cast back */
    const char *url;
    struct kit_buf answer; /* secret */
};

static struct request *of(struct kit_call *call)
{
    return (struct request *)call; /* its first member */
}

static int encode(struct kit_call *call, struct kit_http_request *req, struct kit_err *err)
{
    struct request *r = of(call);

    (void)kit_buf_puts(&req->url, r->url);
    req->no_proxy = true;
    req->max_body_bytes = ANSWER_BYTES;
    if (req->timeout_ms > try_ms)
        req->timeout_ms = try_ms;
    return kit_http_request_header(req, "Accept", "application/json", err);
}

static int decode(struct kit_call *call, const struct kit_http_response *resp,
                  struct kit_call_again *ret_again, struct kit_err *err)
{
    struct request *r = of(call);
    int status = resp->status;

    ret_again->retry_after_ms = resp->retry_after_ms;
    if (status == 200) {
        kit_buf_reset(&r->answer);
        (void)kit_buf_add(&r->answer, resp->body.data, resp->body.len_bytes);
        return kit_buf_check(&r->answer, call->what, err);
    }
    enum kit_err_kind kind = KIT_ERR_AUTH;
    if (status == 429)
        kind = KIT_ERR_THROTTLED;
    else if (status >= 500)
        kind = KIT_ERR_TRANSIENT;
    (void)kit_err_set(err, kind, "%s: HTTP %d", call->what, status);
    err->http_status = status;
    return -1;
}

enum ali_source ali_source_uri(const struct ali_chain *chain, const char *url,
                               struct ali_creds *ret_creds, struct kit_err *err)
{
    static const char who[] = "the credentials URI";
    struct kit_caller *caller = chain->cloud->base.caller;
    unsigned tries = caller->policy.max_tries;
    struct request r = {
        .call = {.what = who,
                 .metadata = true,
                 .max_tries = tries != 0 && tries < most_tries ? tries : most_tries,
                 .encode = encode,
                 .decode = decode},
        .url = url,
        .answer = KIT_BUF_SECRET(ANSWER_BYTES),
    };
    struct kit_call *const call[] = {&r.call};
    int rc = kit_call_all(caller, call, 1, chain->by, err);

    if (rc == 0)
        rc = ali_creds_from_text(&r.answer, who, ret_creds, err);
    kit_buf_done(&r.answer);
    return rc ? ALI_SOURCE_BROKEN : ALI_SOURCE_GOT;
}
