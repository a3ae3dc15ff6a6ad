/* kit/cloud/aws/creds_container.c - the credentials endpoint of ECS and of EKS Pod Identity. */
#include <string.h>

#include "kit/base/str.h"
#include "kit/cloud/aws/env.h"
#include "kit/cloud/aws/source.h"
#include "kit/fmt/addr.h"
#include "kit/fmt/uri.h"
#include "kit/sys/file.h"

/* ECS's agent on the host (docs: "Container credential provider"). */
#define ECS_BASE    "http://169.254.170.2"
#define TOKEN_BYTES (16u * 1024)

/* Who may be asked, and given our authorization token: anybody with a certificate; in the clear
 * only this host and the fixed addresses of ECS and EKS. */
static int check_url(const char *text, struct kit_err *err)
{
    static const char *const names[] = {"localhost", "169.254.170.2", "169.254.170.23",
                                        "fd00:ec2::23"};
    KIT_AUTO(kit_buf) bare = KIT_BUF(2048);
    struct kit_addr addr, fixed;
    struct kit_url url;

    (void)kit_buf_add(&bare, text, strcspn(text, "?"));
    if (kit_buf_check(&bare, "the URL", err) != 0 || kit_url_parse(bare.data, &url, err) != 0)
        return -1;
    if (kit_str_eq(url.scheme, "https"))
        return 0;
    bool is_addr = kit_addr_parse(url.host, &addr);
    if (is_addr && kit_addr_is_loopback(&addr))
        return 0;
    for (size_t i = 0; i < KIT_LEN(names); i++)
        if (kit_str_eq(url.host, names[i]) ||
            (is_addr && kit_addr_parse(names[i], &fixed) && kit_addr_eq(&addr, &fixed)))
            return 0;
    return kit_err_set(
        err, KIT_ERR_CONFIG,
        "%s is neither this host nor one of the fixed addresses of ECS and EKS: use https",
        url.host);
}

static int make_url(struct kit_buf *out, struct kit_err *err)
{
    const char *relative = aws_env("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
    const char *full = aws_env("AWS_CONTAINER_CREDENTIALS_FULL_URI");
    const char *variable =
        relative ? "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI" : "AWS_CONTAINER_CREDENTIALS_FULL_URI";

    if (relative && relative[0] != '/')
        return kit_err_set(err, KIT_ERR_CONFIG, "%s does not begin with '/'", variable);
    (void)kit_buf_printf(out, "%s%s", relative ? ECS_BASE : "", relative ? relative : full);
    if (kit_buf_check(out, variable, err) != 0 || check_url(out->data, err) != 0) {
        err->kind = KIT_ERR_CONFIG;
        return kit_err_wrap(err, "%s", variable);
    }
    return 0;
}

/* The file goes first and is read for every use: EKS replaces the token now and then. */
static int read_authorization(struct kit_buf *out, struct kit_err *err)
{
    const char *path = aws_env("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
    const char *token = aws_env("AWS_CONTAINER_AUTHORIZATION_TOKEN");

    if (path) {
        if (kit_file_read(path, KIT_FILE_ANY, out, err) != 0) {
            err->kind = KIT_ERR_CONFIG;
            return kit_err_wrap(err, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
        }
    } else if (token) {
        (void)kit_buf_puts(out, token);
        if (kit_buf_check(out, "AWS_CONTAINER_AUTHORIZATION_TOKEN", err) != 0)
            return -1;
    }
    if (strpbrk(out->data, "\r\n"))
        return kit_err_set(
            err, KIT_ERR_CONFIG, "%s: a token with a line end in it cannot be sent in a header",
            path ? "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE" : "AWS_CONTAINER_AUTHORIZATION_TOKEN");
    return 0;
}

enum aws_source aws_source_container(const struct aws_chain *chain, struct kit_creds *ret_creds,
                                     struct kit_err *err)
{
    static const char who[] = "the container's credentials endpoint";
    KIT_AUTO(kit_buf) url = KIT_BUF(2048);
    KIT_AUTO(kit_buf) authorization = KIT_BUF_SECRET(TOKEN_BYTES);
    KIT_AUTO(kit_buf) answer = KIT_BUF_SECRET(KIT_CREDS_FETCH_BYTES);

    if (!aws_env("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI") &&
        !aws_env("AWS_CONTAINER_CREDENTIALS_FULL_URI"))
        return AWS_SOURCE_NONE;
    if (make_url(&url, err) != 0 || read_authorization(&authorization, err) != 0 ||
        kit_creds_fetch(chain->cloud->base.caller, who, url.data, authorization.data, chain->by,
                        &answer, err) != 0 ||
        aws_creds_from_json(&answer, "Token", false, who, ret_creds, err) != 0)
        return AWS_SOURCE_BROKEN;
    return AWS_SOURCE_GOT;
}
