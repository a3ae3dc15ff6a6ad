#include "kit/fmt/uri.h"

#include <string.h>

#include "kit/base/mem.h"
#include "kit/base/str.h"
#include "kit/fmt/addr.h"

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_alnum(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

void kit_uri_encode(struct kit_buf *out, const char *text)
{
    static const char digit[] = "0123456789ABCDEF";

    for (const char *c = text; *c; c++) {
        if (is_alnum(*c) || strchr("-_.~", *c)) {
            (void)kit_buf_putc(out, *c);
        } else {
            unsigned char byte = (unsigned char)*c;
            char hex[3] = {'%', digit[byte >> 4], digit[byte & 15]};
            (void)kit_buf_add(out, hex, sizeof(hex));
        }
    }
}

/* Refuse `text`, showing it without what stands before an '@', which may be a password. */
static int refuse(struct kit_err *err, const char *text, const char *why)
{
    char shown[160];
    const char *at = strrchr(text, '@');

    (void)kit_str_copy(shown, sizeof(shown), at ? at + 1 : text);
    return kit_err_set(err, KIT_ERR_CONFIG, "URL \"%s%s\": %s", at ? "...@" : "", shown, why);
}

/* A host whose last label is all digits, or "0x…", is read as an IPv4 address by many resolvers, in
 * forms that few people can read (127.1, 0x7f000001): only the four plain octets are taken. */
static bool looks_like_ipv4(const char *host)
{
    const char *label = strrchr(host, '.');

    label = label ? label + 1 : host;
    if (label[0] == '0' && label[1] == 'x')
        return true;
    return *label && label[strspn(label, "0123456789")] == '\0';
}

static bool host_is_valid(const char *host, bool bracketed)
{
    struct kit_addr addr;
    bool is_addr = kit_addr_parse(host, &addr);

    if (bracketed)
        return is_addr && addr.family == 6;
    if (is_addr)
        return addr.family == 4;
    for (const char *c = host; *c; c++) {
        if (!is_alnum(*c) && !strchr("-._", *c))
            return false;
        if (*c == '.' && (c == host || c[1] == '.'))
            return false;
    }
    return *host && !looks_like_ipv4(host);
}

/* "host:port", "[v6]:port" in [from, to) into `url`; returns NULL, or what is wrong. */
static const char *parse_authority(const char *from, const char *to, struct kit_url *url)
{
    bool bracketed = from < to && *from == '[';
    const char *host = bracketed ? from + 1 : from;
    const char *host_end = memchr(host, bracketed ? ']' : ':', (size_t)(to - host));
    const char *port = host_end;
    size_t len;

    if (bracketed) {
        if (!host_end)
            return "a '[' without its ']'";
        port = host_end + 1 < to ? host_end + 1 : NULL;
        if (port && *port != ':')
            return "something other than a port behind ']'";
    }
    len = (size_t)((host_end ? host_end : to) - host);
    if (len == 0 || len >= sizeof(url->host))
        return "no host name, or one that is too long";
    for (size_t i = 0; i < len; i++)
        url->host[i] = host[i] >= 'A' && host[i] <= 'Z' ? (char)(host[i] | 0x20) : host[i];
    url->host[len] = '\0';
    if (!host_is_valid(url->host, bracketed))
        return "neither a host name nor an address (IPv6 in brackets, no zone)";

    if (port) {
        char digits[6] = "";
        int64_t value;
        len = (size_t)(to - (port + 1));
        if (len >= sizeof(digits))
            return "the port is no number from 1 to 65535";
        memcpy(digits, port + 1, len);
        if (!kit_str_to_int(digits, 1, 65535, &value))
            return "the port is no number from 1 to 65535";
        url->port = (int)value;
    }
    return NULL;
}

int kit_url_parse(const char *text, struct kit_url *ret_url, struct kit_err *err)
{
    struct kit_url url = {0};
    const char *rest = strstr(text, "://");
    size_t scheme_len = rest ? (size_t)(rest - text) : 0;
    const char *path, *wrong;

    if (scheme_len == 0 || scheme_len >= sizeof(url.scheme))
        return refuse(err, text, "does not begin with https:// or http://");
    for (size_t i = 0; i < scheme_len; i++)
        url.scheme[i] = text[i] >= 'A' && text[i] <= 'Z' ? (char)(text[i] | 0x20) : text[i];
    if (!kit_str_eq(url.scheme, "https") && !kit_str_eq(url.scheme, "http"))
        return refuse(err, text, "does not begin with https:// or http://");
    rest += strlen("://");

    for (const char *c = rest; *c; c++)
        if (*c <= 0x20 || *c > 0x7e || strchr("\\\"<>^`{|}", *c))
            return refuse(err, text, "a character that no URL may hold unencoded");
    if (strchr(rest, '?') || strchr(rest, '#'))
        return refuse(err, text, "a query or fragment has no meaning here");
    path = strchr(rest, '/');
    if (!path)
        path = rest + strlen(rest);
    if (memchr(rest, '@', (size_t)(path - rest)))
        return refuse(err, text, "a user name or password has no place in a URL");
    wrong = parse_authority(rest, path, &url);
    if (wrong)
        return refuse(err, text, wrong);
    if (!kit_str_copy(url.path, sizeof(url.path), *path ? path : "/"))
        return refuse(err, text, "the path is too long");
    *ret_url = url;
    return 0;
}

void kit_url_host_header(const struct kit_url *url, struct kit_buf *out)
{
    int scheme_port = kit_str_eq(url->scheme, "https") ? 443 : 80;
    bool v6 = strchr(url->host, ':') != NULL;

    (void)kit_buf_printf(out, v6 ? "[%s]" : "%s", url->host);
    if (url->port != 0 && url->port != scheme_port)
        (void)kit_buf_printf(out, ":%d", url->port);
}

bool kit_url_plain_allowed(const struct kit_url *url)
{
    /* Alibaba Cloud's metadata service; AWS's (IMDS) and EKS Pod Identity's over IPv6. */
    static const char *const metadata[] = {"100.100.100.200", "fd00:ec2::254", "fd00:ec2::23"};
    struct kit_addr host, fixed;

    if (kit_str_eq(url->host, "localhost"))
        return true;
    if (!kit_addr_parse(url->host, &host))
        return false;
    if (kit_addr_is_loopback(&host) || kit_addr_is_link_local(&host))
        return true;
    for (size_t i = 0; i < KIT_LEN(metadata); i++)
        if (kit_addr_parse(metadata[i], &fixed) && kit_addr_eq(&host, &fixed))
            return true;
    return false;
}
