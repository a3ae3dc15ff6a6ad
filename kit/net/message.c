#include "kit/net/message.h"

#include <string.h>

#include "kit/base/str.h"
#include "kit/fmt/uri.h"

#define RETRY_AFTER_S 86400 /* a longer wait than a day means nothing to us */

void kit_http_request_init(struct kit_http_request *req, const char *method)
{
    *req = (struct kit_http_request){
        .url = KIT_BUF(KIT_HTTP_REQUEST_BYTES),
        .body = KIT_BUF_SECRET(KIT_HTTP_REQUEST_BYTES),
    };
    (void)kit_str_copy(req->method, sizeof(req->method), method);
}

void kit_http_request_done(struct kit_http_request *req)
{
    kit_buf_done(&req->url);
    kit_buf_done(&req->body);
    for (size_t i = 0; i < req->headers; i++)
        kit_buf_done(&req->header[i].value);
    req->headers = 0;
}

static bool name_is_token(const char *name)
{
    for (const char *c = name; *c; c++)
        if (*c <= 0x20 || *c > 0x7e || strchr("()<>@,;:\\\"/[]?={}", *c))
            return false;
    return *name != '\0';
}

int kit_http_request_header(struct kit_http_request *req, const char *name, const char *value,
                            struct kit_err *err)
{
    struct kit_http_header *header = &req->header[req->headers];

    if (req->headers >= KIT_HTTP_HEADERS)
        return kit_err_set(err, KIT_ERR_REFUSED, "more than %d headers", KIT_HTTP_HEADERS);
    if (!name_is_token(name))
        return kit_err_set(err, KIT_ERR_REFUSED, "header \"%s\": not a header's name", name);
    for (const char *c = value; *c; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            return kit_err_set(err, KIT_ERR_REFUSED, "header %s: a control character", name);
    header->name = name;
    header->value = KIT_BUF_SECRET(KIT_HTTP_HEADER_BYTES);
    req->headers++;
    if (kit_buf_puts(&header->value, value) < 0)
        return kit_buf_check(&header->value, name, err);
    return 0;
}

int kit_http_check_request(const struct kit_http_request *req, char ret_what[KIT_HTTP_WHAT],
                           struct kit_err *err)
{
    KIT_AUTO(kit_buf) base = KIT_BUF(KIT_HTTP_REQUEST_BYTES);
    KIT_AUTO(kit_buf) host = KIT_BUF(KIT_HTTP_WHAT);
    size_t base_len = strcspn(req->url.data, "?");
    struct kit_url url;

    if (kit_buf_check(&req->url, "the URL", err) < 0 ||
        kit_buf_check(&req->body, "the body", err) < 0)
        return -1;
    (void)kit_buf_add(&base, req->url.data, base_len);
    if (kit_url_parse(base.data, &url, err) < 0)
        return -1;
    kit_url_host_header(&url, &host);
    (void)kit_str_format(ret_what, KIT_HTTP_WHAT, "%s %s://%s", req->method, url.scheme, host.data);
    for (const char *c = req->url.data + base_len; *c; c++)
        if (*c <= 0x20 || *c > 0x7e || *c == '#')
            return kit_err_set(err, KIT_ERR_REFUSED, "%s: a query that is not encoded", ret_what);
    if (kit_str_eq(url.scheme, "http") && !kit_url_plain_allowed(&url))
        return kit_err_set(err, KIT_ERR_CONFIG,
                           "%s: plain http is allowed to this host and to metadata services only; "
                           "use https",
                           ret_what);
    return 0;
}

void kit_http_response_done(struct kit_http_response *resp)
{
    kit_buf_done(&resp->body);
}

static void take_retry_after(const char *value, int64_t unit_ms, int64_t *ret_ms)
{
    int64_t number;

    if (kit_str_to_int(value, 0, RETRY_AFTER_S * INT64_C(1000) / unit_ms, &number))
        *ret_ms = number * unit_ms;
}

static void keep_header(struct kit_http_response *resp, const char *name, const char *value)
{
    const struct {
        const char *name;
        char *dst;
        size_t dst_bytes;
    } kept[] = {
        {"content-type", resp->content_type, sizeof(resp->content_type)},
        {"date", resp->date, sizeof(resp->date)},
        {"location", resp->location, sizeof(resp->location)},
        {"x-amzn-requestid", resp->request_id, sizeof(resp->request_id)},
        {"x-amz-request-id", resp->request_id, sizeof(resp->request_id)},
        {"x-acs-request-id", resp->request_id, sizeof(resp->request_id)},
    };

    for (size_t i = 0; i < KIT_LEN(kept); i++) {
        if (!kit_str_eq_nocase(name, kept[i].name))
            continue;
        (void)kit_str_copy(kept[i].dst, kept[i].dst_bytes, value);
        kit_str_make_printable(kept[i].dst);
    }
    if (kit_str_eq_nocase(name, "age"))
        resp->aged = true;
    if (kit_str_eq_nocase(name, "x-amz-retry-after") ||
        kit_str_eq_nocase(name, "x-acs-retry-after"))
        take_retry_after(value, 1, &resp->retry_after_ms);
    else if (kit_str_eq_nocase(name, "retry-after") && resp->retry_after_ms < 0)
        take_retry_after(value, 1000, &resp->retry_after_ms);
}

static void forget_headers(struct kit_http_response *resp)
{
    resp->content_type[0] = resp->date[0] = resp->request_id[0] = resp->location[0] = '\0';
    resp->retry_after_ms = -1;
    resp->aged = false;
}

void kit_http_take_header(struct kit_http_response *resp, const char *line, size_t len_bytes)
{
    char copy[512]; /* longer than anything kept: the rest of a longer line is of no use */
    char *value;

    if (len_bytes >= sizeof(copy))
        len_bytes = sizeof(copy) - 1;
    memcpy(copy, line, len_bytes);
    copy[len_bytes] = '\0';
    if (kit_str_starts(copy, "HTTP/"))
        forget_headers(resp);
    value = strchr(copy, ':');
    if (value) {
        *value = '\0';
        keep_header(resp, copy, kit_str_trim(value + 1));
    }
}

void kit_http_hide_secrets(char *text)
{
    static const char ends[] = " \t'\"<>()";

    for (char *at = strchr(text, '@'); at; at = strchr(at + 1, '@'))
        for (char *c = at; c > text && !strchr(ends, c[-1]) && c[-1] != '/'; c--)
            c[-1] = '*';
    for (char *query = strchr(text, '?'); query; query = strchr(query + 1, '?'))
        for (char *c = query + 1; *c && !strchr(ends, *c); c++)
            *c = '*';
}
