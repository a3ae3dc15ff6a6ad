/* kit/cloud/sign.c - the part of a canonical request that two signature methods share. */
#include "kit/cloud/sign.h"

#include <stdlib.h>
#include <string.h>

#include "kit/base/str.h"
#include "kit/net/hmac.h"

struct line {          /* of the canonical headers */
    char name[64];     /* lower case */
    const char *value; /* borrowed */
};

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct line *)a)->name, ((const struct line *)b)->name);
}

/* The lines to sign, sorted; `host` is one of them. */
static int collect(const struct kit_sign_method *method, const struct kit_http_request *req,
                   const char *host, struct line line[KIT_HTTP_HEADERS + 1], size_t *ret_count,
                   struct kit_err *err)
{
    size_t count = 0;

    line[count++] = (struct line){.name = "host", .value = host};
    for (size_t i = 0; i < req->headers; i++) {
        struct line *l = &line[count];
        if (!kit_str_copy(l->name, sizeof(l->name), req->header[i].name))
            return kit_err_set(err, KIT_ERR_REFUSED, "a header's name is too long to be signed");
        for (char *c = l->name; *c; c++)
            if (*c >= 'A' && *c <= 'Z')
                *c = (char)(*c - 'A' + 'a');
        if (kit_str_eq(l->name, "authorization") || kit_str_eq(l->name, "host"))
            return kit_err_set(err, KIT_ERR_REFUSED,
                               "a request with its own %s header cannot be signed", l->name);
        if (!method->is_signed(l->name))
            continue;
        l->value = req->header[i].value.data;
        count++;
    }
    qsort(line, count, sizeof(*line), by_name);
    *ret_count = count;
    return 0;
}

int kit_sign_headers(const struct kit_sign_method *method, const struct kit_http_request *req,
                     const struct kit_url *url, struct kit_buf *canonical,
                     struct kit_buf *ret_signed_headers, struct kit_err *err)
{
    KIT_AUTO(kit_buf) host = KIT_BUF(512);
    struct line line[KIT_HTTP_HEADERS + 1];
    char digest[KIT_SHA256_HEX];
    size_t count = 0;

    kit_url_host_header(url, &host);
    if (collect(method, req, host.data, line, &count, err) != 0)
        return -1;
    for (size_t i = 0; i < count; i++) {
        (void)kit_buf_printf(canonical, "%s:", line[i].name);
        method->add_value(canonical, line[i].value);
        (void)kit_buf_putc(canonical, '\n');
        (void)kit_buf_printf(ret_signed_headers, "%s%s", i > 0 ? ";" : "", line[i].name);
    }
    kit_sha256_hex(req->body.data, req->body.len_bytes, digest);
    (void)kit_buf_printf(canonical, "\n%s\n%s", ret_signed_headers->data, digest);
    if (kit_buf_check(ret_signed_headers, "the list of signed headers", err) != 0)
        return -1;
    return kit_buf_check(canonical, "the request to be signed", err);
}

static bool only_visible(const char *text)
{
    if (!text || !*text)
        return false;
    for (; *text; text++)
        if (*text <= ' ' || *text > '~')
            return false;
    return true;
}

int kit_sign_check_creds(const struct kit_sign_method *method, const struct kit_creds *creds,
                         struct kit_err *err)
{
    const char *bad = NULL;

    if (!only_visible(creds->access_key_id) ||
        strpbrk(creds->access_key_id, method->never_in_key_id))
        bad = "access key id";
    else if (!only_visible(creds->secret_key.text))
        bad = method->secret_name;
    else if (kit_secret_is_set(&creds->token) && !only_visible(creds->token.text))
        bad = method->token_name;
    if (!bad)
        return 0;
    return kit_err_set(
        err, KIT_ERR_AUTH,
        "the %s from %s is empty or holds a blank, a line end or another character that"
        " no key has",
        bad, creds->source[0] ? creds->source : "an unnamed source");
}
