/* kit/cloud/aliyun/sign.c - ACS3-HMAC-SHA256. */
#include "kit/cloud/aliyun/sign.h"

#include <string.h>

#include "kit/base/str.h"
#include "kit/cloud/sign.h"
#include "kit/fmt/hex.h"
#include "kit/fmt/time.h"
#include "kit/fmt/uri.h"
#include "kit/net/hmac.h"

#define ALGORITHM "ACS3-HMAC-SHA256"

/* The query is as long as a URL may be, and a security token as long as a header may be. */
#define CANONICAL_BYTES (128u * 1024)

/* "All x-acs-*, host and content-type", and nothing else: what a proxy adds is never signed. */
static bool is_signed(const char *name)
{
    return kit_str_starts(name, "x-acs-") || kit_str_eq(name, "content-type");
}

static void add_trimmed(struct kit_buf *out, const char *value)
{
    size_t len;

    value += strspn(value, " \t");
    len = strlen(value);
    while (len > 0 && (value[len - 1] == ' ' || value[len - 1] == '\t'))
        len--;
    (void)kit_buf_add(out, value, len);
}

static const struct kit_sign_method method = {
    .is_signed = is_signed,
    .add_value = add_trimmed,
    .secret_name = "access key secret",
    .token_name = "security token",
    .never_in_key_id = ",",
};

static int parse_url(const char *text, struct kit_url *ret_url, struct kit_err *err)
{
    KIT_AUTO(kit_buf) base = KIT_BUF(KIT_HTTP_REQUEST_BYTES);

    (void)kit_buf_add(&base, text, strcspn(text, "?"));
    if (kit_buf_check(&base, "the URL", err))
        return -1;
    return kit_url_parse(base.data, ret_url, err);
}

int ali_sign_canonical(const struct kit_http_request *req, const char *canonical_query,
                       struct kit_buf *ret_canonical, struct kit_buf *ret_signed_headers,
                       struct kit_err *err)
{
    struct kit_url url;

    if (parse_url(req->url.data, &url, err))
        return -1;
    (void)kit_buf_printf(ret_canonical, "%s\n%s\n", req->method, url.path);
    (void)kit_buf_puts(ret_canonical, canonical_query);
    (void)kit_buf_putc(ret_canonical, '\n');
    return kit_sign_headers(&method, req, &url, ret_canonical, ret_signed_headers, err);
}

static int add_headers(const struct ali_sign *how, struct kit_http_request *req,
                       struct kit_err *err)
{
    char date[KIT_TIME_TEXT], digest[KIT_SHA256_HEX];
    bool temporary = kit_secret_is_set(&how->creds->token);

    (void)kit_time_iso(how->now_s, date);
    kit_sha256_hex(req->body.data, req->body.len_bytes, digest);
    if (kit_http_request_header(req, "x-acs-action", how->action, err) ||
        kit_http_request_header(req, "x-acs-version", how->version, err) ||
        kit_http_request_header(req, "x-acs-date", date, err) ||
        kit_http_request_header(req, "x-acs-signature-nonce", how->nonce, err) ||
        kit_http_request_header(req, "x-acs-content-sha256", digest, err))
        return -1;
    if (!temporary)
        return 0;
    /* The vendor's SDKs send the key's id beside a token. */
    if (kit_http_request_header(req, "x-acs-accesskey-id", how->creds->access_key_id, err))
        return -1;
    return kit_http_request_header(req, "x-acs-security-token", how->creds->token.text, err);
}

int ali_sign_request(const struct ali_sign *how, struct kit_http_request *req, struct kit_err *err)
{
    KIT_AUTO(kit_buf) canonical = KIT_BUF_SECRET(CANONICAL_BYTES);
    KIT_AUTO(kit_buf) names = KIT_BUF(1024);
    KIT_AUTO(kit_buf) authorization = KIT_BUF(2048);
    char digest[KIT_SHA256_HEX], text[sizeof(ALGORITHM) + 1 + KIT_SHA256_HEX];
    unsigned char mac[KIT_SHA256_BYTES];

    if (kit_sign_check_creds(&method, how->creds, err) || add_headers(how, req, err) ||
        ali_sign_canonical(req, how->canonical_query, &canonical, &names, err))
        return -1;
    kit_sha256_hex(canonical.data, canonical.len_bytes, digest);
    (void)kit_str_format(text, sizeof(text), ALGORITHM "\n%s", digest);
    kit_hmac_sha256(how->creds->secret_key.text, strlen(how->creds->secret_key.text), text,
                    strlen(text), mac);
    (void)kit_hex(mac, sizeof(mac), digest);
    (void)kit_buf_printf(&authorization, ALGORITHM " Credential=%s,SignedHeaders=%s,Signature=%s",
                         how->creds->access_key_id, names.data, digest);
    if (kit_buf_check(&authorization, "the Authorization header", err))
        return -1;
    return kit_http_request_header(req, "Authorization", authorization.data, err);
}
