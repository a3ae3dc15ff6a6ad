/*
 * The checking side of Alibaba Cloud's signatures: ACS3-HMAC-SHA256 in the Authorization header
 * ("V3 request syntax and signature method"), and the older HMAC-SHA1 in the parameters ("V2
 * request syntax", SignatureVersion 1.0).
 */
#include "ali.h"

#include <ctype.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ALGORITHM    "ACS3-HMAC-SHA256"
#define TOLERANCE_MS ((int64_t)15 * 60 * 1000)
#define NONCES_MAX   65536 /* remembered; a newer one may push an older one out */

/* What a request says about its own signature. */
struct claim {
    bool v3;
    char key[136], signed_headers[2048], signature[128];
    const char *date, *nonce, *token, *hash; /* borrowed; NULL if absent */
};

/* Guarded by the world's lock, as everything that serves requests. */
static uint64_t nonces[NONCES_MAX];

static int fail_incomplete(struct ali_error *err, const char *why)
{
    return ali_fail(err, 400, "IncompleteSignature",
                    "The request signature does not conform to Aliyun standards. %s", why);
}

/* Credential=KEY,SignedHeaders=LIST,Signature=HEX, in this order. */
static int read_authorization(const char *text, struct claim *claim)
{
    int end = 0;

    if (sscanf(text, ALGORITHM " Credential=%135[^, ],SignedHeaders=%2047[^, ],Signature=%127s%n",
               claim->key, claim->signed_headers, claim->signature, &end) == 3 &&
        !text[end])
        return 0;
    return -1;
}

/* 0: there is one; 1: there is none; -1: it is malformed. */
static int read_claim(const struct sim_request *request, const struct sim_params *params,
                      struct claim *ret_claim)
{
    const char *authorization = sim_request_header(request, "authorization");
    const char *key = sim_params_get(params, "AccessKeyId");
    const char *signature = sim_params_get(params, "Signature");

    *ret_claim = (struct claim){.v3 = authorization};
    if (authorization) {
        ret_claim->date = sim_request_header(request, "x-acs-date");
        ret_claim->nonce = sim_request_header(request, "x-acs-signature-nonce");
        ret_claim->token = sim_request_header(request, "x-acs-security-token");
        ret_claim->hash = sim_request_header(request, "x-acs-content-sha256");
        return read_authorization(authorization, ret_claim);
    }
    if (!key && !signature)
        return 1;
    snprintf(ret_claim->key, sizeof(ret_claim->key), "%s", key ? key : "");
    snprintf(ret_claim->signature, sizeof(ret_claim->signature), "%s", signature ? signature : "");
    ret_claim->date = sim_params_get(params, "Timestamp");
    ret_claim->nonce = sim_params_get(params, "SignatureNonce");
    ret_claim->token = sim_params_get(params, "SecurityToken");
    return key && signature ? 0 : -1;
}

void ali_sign_claim(const struct sim_request *request, const struct sim_params *params,
                    char *ret_key, size_t size)
{
    struct claim claim;

    (void)read_claim(request, params, &claim);
    snprintf(ret_key, size, "%s", claim.key);
}

/* ---- the text that is signed ----------------------------------------------------------------- */

static int by_name(const void *a, const void *b)
{
    const struct sim_param *const *left = a, *const *right = b;
    int order = strcmp((*left)->name, (*right)->name);

    return order ? order : strcmp((*left)->value, (*right)->value);
}

/* The parameters sorted and encoded, but for the signature itself. */
static void canonical_query(struct sim_buf *out, const struct sim_params *params)
{
    const struct sim_param **sorted =
        sim_alloc((params->len + 1) * sizeof(const struct sim_param *));
    size_t len = 0;

    for (size_t i = 0; i < params->len; i++)
        if (strcmp(params->items[i].name, "Signature") != 0)
            sorted[len++] = &params->items[i];
    qsort(sorted, len, sizeof(*sorted), by_name);
    for (size_t i = 0; i < len; i++) {
        if (i)
            sim_buf_str(out, "&");
        sim_text_encode(out, sorted[i]->name, strlen(sorted[i]->name));
        sim_buf_str(out, "=");
        sim_text_encode(out, sorted[i]->value, strlen(sorted[i]->value));
    }
    free(sorted);
}

static bool is_signed(const char *list, const char *name)
{
    size_t len = strlen(name);

    for (const char *at = list; at; at = strchr(at, ';') ? strchr(at, ';') + 1 : NULL)
        if (!strncasecmp(at, name, len) && (at[len] == ';' || !at[len]))
            return true;
    return false;
}

/* Every header that counts must be in the list. */
static int check_signed(const struct sim_request *request, const char *list, struct ali_error *err)
{
    for (size_t i = 0; i < request->header_count; i++) {
        const char *name = request->headers[i].name;

        if ((!strcasecmp(name, "host") || !strcasecmp(name, "content-type") ||
             !strncasecmp(name, "x-acs-", 6)) &&
            !is_signed(list, name)) {
            char why[128];

            snprintf(why, sizeof(why), "The header %.64s is not signed.", name);
            return fail_incomplete(err, why);
        }
    }
    return is_signed(list, "host") ? 0 : fail_incomplete(err, "The header host is not signed.");
}

static void add_header(struct sim_buf *out, const char *name, const char *value)
{
    size_t len = strlen(value);

    while (len && isspace((unsigned char)*value))
        value++, len--;
    while (len && isspace((unsigned char)value[len - 1]))
        len--;
    sim_buf_fmt(out, "%s:%.*s\n", name, (int)len, value);
}

/* The canonical request; -1 if the list is out of order or names what is not there. */
static int canonical_request(const struct sim_request *request, const struct claim *claim,
                             struct sim_buf *out)
{
    struct sim_params query = {0};
    char list[sizeof(claim->signed_headers)], *save = NULL;
    const char *before = "";

    if (sim_params_parse(&query, request->query, strlen(request->query)))
        return -1;
    sim_buf_fmt(out, "%s\n/\n", request->method);
    canonical_query(out, &query);
    sim_params_done(&query);
    sim_buf_str(out, "\n");
    memcpy(list, claim->signed_headers, sizeof(list));
    for (char *name = strtok_r(list, ";", &save); name; name = strtok_r(NULL, ";", &save)) {
        const char *value = sim_request_header(request, name);

        if (!value || strcmp(before, name) >= 0)
            return -1;
        before = name;
        add_header(out, name, value);
    }
    sim_buf_fmt(out, "\n%s\n%s", claim->signed_headers, claim->hash);
    return 0;
}

static void sha256_hex(const void *bytes, size_t len, char ret_hex[65])
{
    unsigned char digest[32];

    EVP_Digest(bytes, len, digest, NULL, EVP_sha256(), NULL);
    sim_text_hex(digest, sizeof(digest), ret_hex);
}

static bool same(const char *a, const char *b)
{
    size_t len = strlen(a);

    return len == strlen(b) && !CRYPTO_memcmp(a, b, len);
}

static int refuse_signature(struct ali_error *err, const char *text)
{
    return ali_fail(err, 400, "SignatureDoesNotMatch",
                    "Specified signature is not matched with our calculation. server string to "
                    "sign is:%.300s",
                    text);
}

static int check_v3(const struct sim_request *request, const struct claim *claim,
                    const char *secret, struct ali_error *err)
{
    SIM_AUTO_BUF canonical = {0};
    unsigned char mac[32];
    char hash[65], hex[65], text[sizeof(ALGORITHM) + 65];

    sha256_hex(request->body, request->body_len, hash);
    if (!claim->hash || strcmp(claim->hash, hash) != 0)
        return ali_fail(err, 400, "InvalidContentSha256",
                        "x-acs-content-sha256 does not match the body.");
    if (check_signed(request, claim->signed_headers, err))
        return -1;
    if (canonical_request(request, claim, &canonical))
        return fail_incomplete(err, "SignedHeaders are not sorted, or one of them is not there.");
    sha256_hex(canonical.data, canonical.len, hash);
    snprintf(text, sizeof(text), "%s\n%s", ALGORITHM, hash);
    HMAC(EVP_sha256(), secret, (int)strlen(secret), (const unsigned char *)text, strlen(text), mac,
         NULL);
    sim_text_hex(mac, sizeof(mac), hex);
    return same(hex, claim->signature) ? 0 : refuse_signature(err, text);
}

static int check_v1(const struct ali_call *call, const struct claim *claim, const char *secret,
                    struct ali_error *err)
{
    SIM_AUTO_BUF query = {0};
    SIM_AUTO_BUF text = {0};
    SIM_AUTO_BUF key = {0};
    unsigned char mac[20];
    char base64[32];

    if (strcmp(ali_text(call, "SignatureMethod"), "HMAC-SHA1") ||
        strcmp(ali_text(call, "SignatureVersion"), "1.0"))
        return fail_incomplete(err, "SignatureMethod is HMAC-SHA1, SignatureVersion 1.0.");
    canonical_query(&query, call->params);
    sim_buf_fmt(&text, "%s&%%2F&", call->sim->request->method);
    sim_text_encode(&text, query.data, query.len);
    sim_buf_fmt(&key, "%s&", secret);
    HMAC(EVP_sha1(), key.data, (int)key.len, (const unsigned char *)text.data, text.len, mac, NULL);
    EVP_EncodeBlock((unsigned char *)base64, mac, sizeof(mac));
    return same(base64, claim->signature) ? 0 : refuse_signature(err, text.data);
}

/* ---- the rest -------------------------------------------------------------------------------- */

static int check_date(const struct ali_call *call, const struct claim *claim, struct ali_error *err)
{
    int64_t date_ms;

    if (!claim->date || sim_time_parse(claim->date, &date_ms))
        return ali_fail(err, 400, "InvalidTimeStamp.Format",
                        "Specified time stamp or date value is not well formatted.");
    if (llabs(date_ms - call->now_ms) > TOLERANCE_MS)
        return ali_fail(err, 400, "InvalidTimeStamp.Expired",
                        "Specified time stamp or date value is expired.");
    return 0;
}

static int check_nonce(const struct claim *claim, struct ali_error *err)
{
    uint64_t hash = 1469598103934665603u; /* FNV-1a of key and nonce */
    SIM_AUTO_BUF text = {0};

    if (!claim->nonce || !*claim->nonce)
        return fail_incomplete(err, "There is no SignatureNonce.");
    sim_buf_fmt(&text, "%s %s", claim->key, claim->nonce);
    for (size_t i = 0; i < text.len; i++)
        hash = (hash ^ (unsigned char)text.data[i]) * 1099511628211u;
    if (nonces[hash % NONCES_MAX] == hash)
        return ali_fail(err, 400, "SignatureNonceUsed",
                        "Specified signature nonce was used already.");
    nonces[hash % NONCES_MAX] = hash;
    return 0;
}

static int check_token(const struct ali_call *call, const struct claim *claim,
                       const struct json_object *credential, struct ali_error *err)
{
    const char *own = sim_json_str(credential, "security_token");

    if (!*own)
        return claim->token && *claim->token
                   ? ali_fail(err, 400, "InvalidSecurityToken.MismatchWithAccessKey",
                              "Specified SecurityToken mismatch with the AccessKey.")
                   : 0;
    if (!claim->token || !*claim->token)
        return ali_fail(err, 400, "MissingSecurityToken",
                        "SecurityToken is mandatory for this action.");
    if (strcmp(own, claim->token) != 0)
        return ali_fail(err, 400, "InvalidSecurityToken.Malformed",
                        "Specified SecurityToken is malformed.");
    if (ali_expired(credential, call->now_ms))
        return ali_fail(err, 400, "InvalidSecurityToken.Expired",
                        "Specified SecurityToken is expired.");
    return 0;
}

static void identify(struct ali_call *call, struct json_object *credential)
{
    const char *role = sim_json_str(credential, "role"), *user = sim_json_str(credential, "user");
    struct ali_identity *who = &call->who;

    who->credential = credential;
    who->policy = sim_json_get(credential, "policy");
    if (*role) {
        if (!who->policy)
            who->policy = sim_json_get(
                sim_json_find(sim_json_array(call->ali, "roles"), "name", role), "policy");
        snprintf(who->arn, sizeof(who->arn), "acs:ram::%s:assumed-role/%s/%s", call->account, role,
                 sim_json_str(credential, "session"));
        snprintf(who->user_id, sizeof(who->user_id), "300000000000000001:%s",
                 sim_json_str(credential, "session"));
    } else {
        snprintf(who->arn, sizeof(who->arn), "acs:ram::%s:%s%s", call->account,
                 *user ? "user/" : "root", user);
        snprintf(who->user_id, sizeof(who->user_id), "%s",
                 *user ? "200000000000000001" : call->account);
    }
}

int ali_sign_check(struct ali_call *call, struct ali_error *err)
{
    const struct sim_request *request = call->sim->request;
    struct json_object *credential;
    struct claim claim;
    const char *secret;
    int got = read_claim(request, call->params, &claim);

    if (got > 0)
        return ali_fail(err, 400, "MissingAccessKeyId",
                        "AccessKeyId is mandatory for this action.");
    if (got)
        return fail_incomplete(err, "The signature is malformed.");
    credential =
        sim_json_find(sim_json_array(call->ali, "credentials"), "access_key_id", claim.key);
    if (!credential)
        return ali_fail(err, 404, "InvalidAccessKeyId.NotFound",
                        "Specified access key is not found.");
    if (check_date(call, &claim, err))
        return -1;
    secret = sim_json_str(credential, "access_key_secret");
    if (claim.v3 ? check_v3(request, &claim, secret, err) : check_v1(call, &claim, secret, err))
        return -1;
    if (check_token(call, &claim, credential, err) || check_nonce(&claim, err))
        return -1;
    identify(call, credential);
    return 0;
}
