/* kit/cloud/aws/sign.c - Signature Version 4, for POST bodies. */
#include "kit/cloud/aws/sign.h"

#include <string.h>

#include "kit/base/str.h"
#include "kit/cloud/sign.h"
#include "kit/fmt/hex.h"
#include "kit/fmt/time.h"
#include "kit/fmt/uri.h"
#include "kit/net/hmac.h"

#define ALGORITHM "AWS4-HMAC-SHA256"

/* A session token is some 1 KB, at most 4 KB in practice; the request's headers hold it too. */
#define CANONICAL_BYTES (128u * 1024)

/* Not what is changed or added on the way: botocore's SIGNED_HEADERS_BLACKLIST. */
static bool is_signed(const char *name)
{
    static const char *const names[] = {
        "connection",
        "expect",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "user-agent",
        "x-amzn-trace-id",
    };

    for (size_t i = 0; i < KIT_LEN(names); i++)
        if (kit_str_eq(name, names[i]))
            return false;
    return true;
}

/* White space off both ends, runs of it to one space. */
static void add_value(struct kit_buf *out, const char *value)
{
    const char *cursor = value, *word;
    size_t len;

    for (bool first = true; kit_str_word(&cursor, " \t", &word, &len); first = false) {
        if (!first)
            (void)kit_buf_putc(out, ' ');
        (void)kit_buf_add(out, word, len);
    }
}

static const struct kit_sign_method method = {
    .is_signed = is_signed,
    .add_value = add_value,
    .secret_name = "secret access key",
    .token_name = "session token",
    .never_in_key_id = ",/",
};

/* Dot segments resolved (RFC 3986, 5.2.4), empty segments dropped, each segment encoded once more:
 * what every service but S3 does with the path. */
static void add_path(struct kit_buf *out, const char *path)
{
    enum {
        DEEPEST = 256
    }; /* kit_url.path has 512 bytes */
    struct {
        const char *at;
        size_t len;
    } segment[DEEPEST];
    const char *cursor = path, *word;
    size_t len, count = 0;

    while (kit_str_word(&cursor, "/", &word, &len)) {
        if (len == 2 && word[0] == '.' && word[1] == '.') {
            count -= count > 0;
        } else if ((len != 1 || word[0] != '.') && count < DEEPEST) {
            segment[count].at = word;
            segment[count++].len = len;
        }
    }
    for (size_t i = 0; i < count; i++) {
        char text[512];
        memcpy(text, segment[i].at, segment[i].len);
        text[segment[i].len] = '\0';
        (void)kit_buf_putc(out, '/');
        kit_uri_encode(out, text);
    }
    if (count == 0 || kit_str_ends(path, "/"))
        (void)kit_buf_putc(out, '/');
}

int aws_sign_canonical(const struct kit_http_request *req, struct kit_buf *ret_canonical,
                       struct kit_buf *ret_signed_headers, struct kit_err *err)
{
    struct kit_url url;

    if (strchr(req->url.data, '?'))
        return kit_err_set(err, KIT_ERR_REFUSED, "a URL with a query is not signed");
    if (kit_url_parse(req->url.data, &url, err) != 0)
        return -1;
    (void)kit_buf_printf(ret_canonical, "%s\n", req->method);
    add_path(ret_canonical, url.path);
    (void)kit_buf_puts(ret_canonical, "\n\n");
    return kit_sign_headers(&method, req, &url, ret_canonical, ret_signed_headers, err);
}

/* HMAC(HMAC(HMAC(HMAC("AWS4" secret, date), region), service), "aws4_request") */
static int derive_key(const struct aws_sign *how, const char *date,
                      unsigned char ret_key[KIT_SHA256_BYTES], struct kit_err *err)
{
    /* IAM's are 40 characters; some compatible services issue longer ones. */
    KIT_AUTO(kit_buf) first = KIT_BUF_SECRET(1024);
    const char *step[] = {date, how->region, how->service, "aws4_request"};
    unsigned char mac[KIT_SHA256_BYTES];

    (void)kit_buf_puts(&first, "AWS4");
    (void)kit_buf_puts(&first, how->creds->secret_key.text);
    if (kit_buf_check(&first, "the secret access key", err) != 0)
        return -1;
    kit_hmac_sha256(first.data, first.len_bytes, step[0], strlen(step[0]), ret_key);
    for (size_t i = 1; i < KIT_LEN(step); i++) {
        kit_hmac_sha256(ret_key, KIT_SHA256_BYTES, step[i], strlen(step[i]), mac);
        memcpy(ret_key, mac, sizeof(mac));
    }
    kit_secret_wipe(mac, sizeof(mac));
    return 0;
}

static int add_dated_headers(const struct aws_sign *how, const char *amz_date,
                             struct kit_http_request *req, struct kit_err *err)
{
    if (kit_http_request_header(req, "X-Amz-Date", amz_date, err) != 0)
        return -1;
    if (!kit_secret_is_set(&how->creds->token))
        return 0;
    return kit_http_request_header(req, "X-Amz-Security-Token", how->creds->token.text, err);
}

int aws_sign_request(const struct aws_sign *how, struct kit_http_request *req, struct kit_err *err)
{
    KIT_AUTO(kit_buf) canonical = KIT_BUF_SECRET(CANONICAL_BYTES);
    KIT_AUTO(kit_buf) names = KIT_BUF(1024);
    KIT_AUTO(kit_buf) text = KIT_BUF(1024);
    char amz_date[KIT_TIME_TEXT], date[9], digest[KIT_SHA256_HEX], scope[256];
    unsigned char key[KIT_SHA256_BYTES], mac[KIT_SHA256_BYTES];

    if (kit_sign_check_creds(&method, how->creds, err) != 0)
        return -1;
    (void)kit_time_basic(how->now_s, amz_date);
    (void)kit_str_copy(date, sizeof(date), amz_date); /* its first eight characters */
    if (!kit_str_format(scope, sizeof(scope), "%s/%s/%s/aws4_request", date, how->region,
                        how->service))
        return kit_err_set(err, KIT_ERR_REFUSED, "the region's name is too long to sign for");
    if (add_dated_headers(how, amz_date, req, err) != 0 ||
        aws_sign_canonical(req, &canonical, &names, err) != 0 ||
        derive_key(how, date, key, err) != 0)
        return -1;

    kit_sha256_hex(canonical.data, canonical.len_bytes, digest);
    (void)kit_buf_printf(&text, ALGORITHM "\n%s\n%s\n%s", amz_date, scope, digest);
    kit_hmac_sha256(key, sizeof(key), text.data, text.len_bytes, mac);
    kit_secret_wipe(key, sizeof(key));
    (void)kit_hex(mac, sizeof(mac), digest);

    KIT_AUTO(kit_buf) authorization = KIT_BUF(2048);
    (void)kit_buf_printf(&authorization,
                         ALGORITHM " Credential=%s/%s, SignedHeaders=%s, Signature=%s",
                         how->creds->access_key_id, scope, names.data, digest);
    if (kit_buf_check(&authorization, "the Authorization header", err) != 0)
        return -1;
    return kit_http_request_header(req, "Authorization", authorization.data, err);
}
