/*
 * Signature Version 4, the checking side, after "Create a signed AWS API request" (IAM User Guide).
 * Both forms: the Authorization header, and the query string.
 */
#include "aws.h"

#include <ctype.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ALGORITHM     "AWS4-HMAC-SHA256"
#define TOLERANCE_MS  ((int64_t)5 * 60 * 1000)
#define SIGNED_MAX    64
#define EMPTY_PAYLOAD "UNSIGNED-PAYLOAD"

/* What a request says about its own signature. All members are borrowed from `storage`. */
struct claim {
    char storage[2048];
    const char *key, *date, *region, *service, *terminator;
    const char *signed_headers, *signature;
    char amz_date[32];
    const char *token; /* borrowed from the request; NULL if none */
    bool in_query;
};

static void sha256_hex(const void *bytes, size_t len, char ret_hex[65])
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned used = 0;

    if (!EVP_Digest(bytes, len, digest, &used, EVP_sha256(), NULL))
        abort();
    sim_text_hex(digest, used, ret_hex);
}

static void hmac(const void *key, size_t key_len, const char *text, unsigned char ret_mac[32])
{
    unsigned len = 32;

    if (!HMAC(EVP_sha256(), key, (int)key_len, (const void *)text, strlen(text), ret_mac, &len))
        abort();
}

/* The value of NAME=VALUE in a list parted by commas and blanks; cut out in place. */
static char *list_value(char *list, const char *name)
{
    size_t len = strlen(name);

    for (char *at = list; *at; at++) {
        if ((at == list || at[-1] == ' ' || at[-1] == ',') && !strncmp(at, name, len) &&
            at[len] == '=')
            return at + len + 1;
    }
    return NULL;
}

static int split_scope(struct claim *claim, char *credential)
{
    const char **parts[] = {&claim->key, &claim->date, &claim->region, &claim->service,
                            &claim->terminator};

    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        char *part = strsep(&credential, "/");

        if (!part || !*part)
            return -1;
        *parts[i] = part;
    }
    return credential ? -1 : 0;
}

static int claim_from_header(const struct sim_request *request, struct claim *claim)
{
    const char *header = sim_request_header(request, "authorization");
    const char *date = sim_request_header(request, "x-amz-date");
    char *list = claim->storage, *credential, *names, *signature;

    if (strncmp(header, ALGORITHM " ", strlen(ALGORITHM) + 1) ||
        strlen(header) >= sizeof(claim->storage))
        return -1;
    snprintf(list, sizeof(claim->storage), "%s", header + strlen(ALGORITHM) + 1);
    credential = list_value(list, "Credential");
    names = list_value(list, "SignedHeaders");
    signature = list_value(list, "Signature");
    if (!credential || !names || !signature || !date || strlen(date) >= sizeof(claim->amz_date))
        return -1;
    credential[strcspn(credential, ", ")] = '\0';
    names[strcspn(names, ", ")] = '\0';
    signature[strcspn(signature, ", ")] = '\0';
    claim->signed_headers = names;
    claim->signature = signature;
    snprintf(claim->amz_date, sizeof(claim->amz_date), "%s", date);
    claim->token = sim_request_header(request, "x-amz-security-token");
    return split_scope(claim, credential);
}

static int claim_from_query(const struct sim_params *params, struct claim *claim)
{
    const char *algorithm = sim_params_get(params, "X-Amz-Algorithm");
    const char *credential = sim_params_get(params, "X-Amz-Credential");
    const char *date = sim_params_get(params, "X-Amz-Date");

    claim->in_query = true;
    claim->signed_headers = sim_params_get(params, "X-Amz-SignedHeaders");
    claim->signature = sim_params_get(params, "X-Amz-Signature");
    claim->token = sim_params_get(params, "X-Amz-Security-Token");
    if (!algorithm || strcmp(algorithm, ALGORITHM) || !credential || !date ||
        !claim->signed_headers || !claim->signature ||
        strlen(credential) >= sizeof(claim->storage) || strlen(date) >= sizeof(claim->amz_date))
        return -1;
    snprintf(claim->storage, sizeof(claim->storage), "%s", credential);
    snprintf(claim->amz_date, sizeof(claim->amz_date), "%s", date);
    return split_scope(claim, claim->storage);
}

/* 0 claimed, 1 unsigned, -1 malformed. */
static int read_claim(const struct sim_request *request, const struct sim_params *params,
                      struct claim *claim)
{
    memset(claim, 0, sizeof(*claim));
    if (sim_request_header(request, "authorization"))
        return claim_from_header(request, claim);
    if (sim_params_get(params, "X-Amz-Signature") || sim_params_get(params, "X-Amz-Credential"))
        return claim_from_query(params, claim);
    return 1;
}

void aws_sigv4_claim(const struct sim_request *request, const struct sim_params *params,
                     char *ret_key, size_t key_size, char *ret_service, size_t service_size)
{
    struct claim claim;
    bool claimed = !read_claim(request, params, &claim);

    snprintf(ret_key, key_size, "%s", claimed ? claim.key : "");
    snprintf(ret_service, service_size, "%s", claimed ? claim.service : "");
}

/* ---- the canonical request ------------------------------------------------------------------- */

static int compare_params(const void *a, const void *b)
{
    const struct sim_param *left = a, *right = b;
    int order = strcmp(left->name, right->name);

    return order ? order : strcmp(left->value, right->value);
}

/* Names and values are encoded before they are sorted. */
static void canonical_query(struct sim_buf *out, const char *query)
{
    struct sim_params params = {0}, coded = {0};

    if (sim_params_parse(&params, query, strlen(query))) {
        sim_params_done(&params);
        return;
    }
    coded.items = sim_alloc((params.len + 1) * sizeof(*coded.items));
    for (size_t i = 0; i < params.len; i++) {
        struct sim_buf name = {0}, value = {0};

        if (!strcmp(params.items[i].name, "X-Amz-Signature"))
            continue;
        sim_text_encode(&name, params.items[i].name, strlen(params.items[i].name));
        sim_text_encode(&value, params.items[i].value, strlen(params.items[i].value));
        sim_buf_str(&name, "");
        sim_buf_str(&value, "");
        coded.items[coded.len++] = (struct sim_param){.name = name.data, .value = value.data};
    }
    qsort(coded.items, coded.len, sizeof(*coded.items), compare_params);
    for (size_t i = 0; i < coded.len; i++)
        sim_buf_fmt(out, "%s%s=%s", i ? "&" : "", coded.items[i].name, coded.items[i].value);
    sim_params_done(&coded);
    sim_params_done(&params);
}

/* Ends cut, runs of blanks as one. */
static void add_trimmed(struct sim_buf *out, const char *value)
{
    bool blank = false, any = false;

    for (; *value; value++) {
        if (*value == ' ' || *value == '\t') {
            blank = any;
            continue;
        }
        if (blank)
            sim_buf_str(out, " ");
        sim_buf_add(out, value, 1);
        blank = false;
        any = true;
    }
}

static bool is_signed(const char *list, const char *name)
{
    size_t len = strlen(name);

    for (const char *at = list; *at; at += *at == ';') {
        size_t part = strcspn(at, ";");

        if (part == len && !strncasecmp(at, name, len))
            return true;
        at += part;
    }
    return false;
}

/* The lines of the signed headers, in the order of the list, which must be sorted. */
static int canonical_headers(struct sim_buf *out, const struct sim_request *request,
                             const char *list)
{
    for (const char *at = list; *at; at += *at == ';') {
        size_t len = strcspn(at, ";");
        bool found = false;

        sim_buf_add(out, at, len);
        sim_buf_str(out, ":");
        for (size_t i = 0; i < request->header_count; i++) {
            const struct sim_header *header = &request->headers[i];

            if (strlen(header->name) != len || strncasecmp(header->name, at, len) != 0)
                continue;
            if (found)
                sim_buf_str(out, ",");
            add_trimmed(out, header->value);
            found = true;
        }
        if (!found)
            return -1;
        sim_buf_str(out, "\n");
        at += len;
    }
    return 0;
}

/* host and every x-amz-* header must be under the signature. */
static bool signs_enough(const struct sim_request *request, const char *list)
{
    if (!is_signed(list, "host"))
        return false;
    for (size_t i = 0; i < request->header_count; i++)
        if (!strncasecmp(request->headers[i].name, "x-amz-", 6) &&
            !is_signed(list, request->headers[i].name))
            return false;
    return true;
}

static int signature_of(const struct aws_call *call, const struct claim *claim, const char *secret,
                        char ret_hex[65])
{
    const struct sim_request *request = call->sim->request;
    SIM_AUTO_BUF canonical = {0};
    SIM_AUTO_BUF text = {0};
    SIM_AUTO_BUF key = {0};
    unsigned char mac[32];
    char hash[65];
    const char *given = sim_request_header(request, "x-amz-content-sha256");

    sim_buf_fmt(&canonical, "%s\n/\n", request->method);
    canonical_query(&canonical, request->query);
    sim_buf_str(&canonical, "\n");
    if (canonical_headers(&canonical, request, claim->signed_headers))
        return -1;
    sha256_hex(request->body, request->body_len, hash);
    if (given && strcmp(given, EMPTY_PAYLOAD) && strcmp(given, hash))
        return -1;
    sim_buf_fmt(&canonical, "\n%s\n%s", claim->signed_headers, given ? given : hash);
    sha256_hex(canonical.data, canonical.len, hash);
    sim_buf_fmt(&text, "%s\n%s\n%s/%s/%s/%s\n%s", ALGORITHM, claim->amz_date, claim->date,
                claim->region, claim->service, claim->terminator, hash);
    sim_buf_fmt(&key, "AWS4%s", secret);
    hmac(key.data, key.len, claim->date, mac);
    hmac(mac, sizeof(mac), claim->region, mac);
    hmac(mac, sizeof(mac), claim->service, mac);
    hmac(mac, sizeof(mac), claim->terminator, mac);
    hmac(mac, sizeof(mac), text.data, mac);
    sim_text_hex(mac, sizeof(mac), ret_hex);
    return 0;
}

/* ---- verdicts -------------------------------------------------------------------------------- */

/* EC2 tells little: whatever is wrong with a credential is AuthFailure. */
static int refuse(const struct aws_call *call, const char *sts_code, const char *sts_message,
                  struct aws_error *err)
{
    if (!strcmp(call->service, "ec2"))
        return aws_fail(err, 401, "AuthFailure",
                        "AWS was not able to validate the provided access credentials");
    return aws_fail(err, 403, sts_code, "%s", sts_message);
}

static int check_clock(const struct aws_call *call, const struct claim *claim,
                       struct aws_error *err)
{
    const char *expires = claim->in_query ? sim_params_get(call->params, "X-Amz-Expires") : NULL;
    int64_t life_ms = expires ? strtoll(expires, NULL, 10) * 1000 : 0;
    int64_t signed_ms;

    if (sim_time_parse(claim->amz_date, &signed_ms) || strlen(claim->amz_date) != 16 ||
        strncmp(claim->amz_date, claim->date, 8) != 0)
        return refuse(call, "SignatureDoesNotMatch",
                      "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of "
                      "date from HTTP",
                      err);
    if (life_ms > (int64_t)604800 * 1000)
        return aws_fail(err, 400, "InvalidParameterValue", "X-Amz-Expires is too long");
    if (signed_ms + life_ms + TOLERANCE_MS < call->now_ms) {
        if (!strcmp(call->service, "ec2"))
            return aws_fail(err, 400, "RequestExpired", "Request has expired.");
        return aws_fail(err, 403, "SignatureDoesNotMatch",
                        "Signature expired: %s is now earlier than the server's time less 5 min.",
                        claim->amz_date);
    }
    if (signed_ms - TOLERANCE_MS > call->now_ms)
        return refuse(call, "SignatureDoesNotMatch",
                      "Signature not yet current: it is later than the server's time by more than "
                      "5 min.",
                      err);
    return 0;
}

static int check_scope(const struct aws_call *call, const struct claim *claim,
                       struct aws_error *err)
{
    /* The global endpoint of STS is signed for us-east-1. */
    bool sts_global = !strcmp(call->service, "sts") && !strcmp(claim->region, "us-east-1");

    if (strcmp(claim->terminator, "aws4_request") != 0)
        return refuse(call, "SignatureDoesNotMatch",
                      "Credential should be scoped with a valid terminator: 'aws4_request'.", err);
    if (strcmp(claim->service, call->service) != 0)
        return refuse(call, "SignatureDoesNotMatch",
                      "Credential should be scoped to correct service.", err);
    if (strcmp(claim->region, call->region) != 0 && !sts_global)
        return refuse(call, "SignatureDoesNotMatch",
                      "Credential should be scoped to a valid region.", err);
    return 0;
}

bool aws_expired(const struct json_object *credential, int64_t now_ms)
{
    int64_t expires_ms;

    return !sim_time_parse(sim_json_str(credential, "expires"), &expires_ms) &&
           expires_ms <= now_ms;
}

static int check_token(const struct aws_call *call, const struct claim *claim,
                       const struct json_object *credential, struct aws_error *err)
{
    const char *token = sim_json_str(credential, "session_token");

    if (strcmp(token, claim->token ? claim->token : "") != 0)
        return refuse(call, "InvalidClientTokenId",
                      "The security token included in the request is invalid.", err);
    if (!aws_expired(credential, call->now_ms))
        return 0;
    if (!strcmp(call->service, "ec2"))
        return aws_fail(err, 400, "RequestExpired", "Request has expired.");
    return aws_fail(err, 403, "ExpiredToken",
                    "The security token included in the request is expired");
}

static void identify(struct aws_call *call, struct json_object *credential)
{
    struct aws_identity *who = &call->who;
    const char *name = sim_json_str(credential, "role");
    struct json_object *role = *name ? aws_role_find(call->aws, name) : NULL;
    const char *account = sim_json_str(role, "account");

    who->credential = credential;
    snprintf(who->account, sizeof(who->account), "%s", *account ? account : call->account);
    if (role) {
        const char *session = sim_json_str(credential, "session");

        who->policy = sim_json_get(role, "policy");
        snprintf(who->arn, sizeof(who->arn), "arn:%s:sts::%s:assumed-role/%s/%s", call->partition,
                 who->account, name, session);
        snprintf(who->user_id, sizeof(who->user_id), "AROAEXAMPLE:%s", session);
    } else {
        const char *user = sim_json_str(credential, "user");

        who->policy = sim_json_get(credential, "policy");
        snprintf(who->arn, sizeof(who->arn), "arn:%s:iam::%s:user/%s", call->partition,
                 who->account, *user ? user : "admin");
        snprintf(who->user_id, sizeof(who->user_id), "AIDAEXAMPLE");
    }
}

int aws_sigv4_check(struct aws_call *call, struct aws_error *err)
{
    const struct sim_request *request = call->sim->request;
    struct json_object *credential;
    struct claim claim;
    char expected[65];
    int state = read_claim(request, call->params, &claim);

    if (state > 0)
        return aws_fail(err, 403, "MissingAuthenticationToken",
                        "Request is missing Authentication Token");
    if (state < 0)
        return aws_fail(err, 400, "IncompleteSignature",
                        "The request signature does not conform to AWS standards.");
    /* From the live world, even when an older view of it is served. */
    credential =
        sim_json_find(sim_json_array(sim_json_get(call->world->live, "aws"), "credentials"),
                      "access_key_id", claim.key);
    if (!credential)
        return refuse(call, "InvalidClientTokenId",
                      "The security token included in the request is invalid.", err);
    if (check_scope(call, &claim, err) || check_clock(call, &claim, err))
        return -1;
    if (!signs_enough(request, claim.signed_headers) ||
        signature_of(call, &claim, sim_json_str(credential, "secret_access_key"), expected) ||
        strlen(claim.signature) != 64 || CRYPTO_memcmp(claim.signature, expected, 64) != 0)
        return refuse(call, "SignatureDoesNotMatch",
                      "The request signature we calculated does not match the signature you "
                      "provided. Check your AWS Secret Access Key and signing method. Consult the "
                      "service documentation for details.",
                      err);
    if (check_token(call, &claim, credential, err))
        return -1;
    identify(call, credential);
    return 0;
}
