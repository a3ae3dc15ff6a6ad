/* kit/cloud/aws/imds.c - the instance metadata service, version 2. */
#include "kit/cloud/aws/imds.h"

#include "kit/base/str.h"
#include "kit/cloud/aws/env.h"

#define BASE_IPV4 "http://169.254.169.254"
#define BASE_IPV6 "http://[fd00:ec2::254]"

/* Headers and what a status means: the tables in "Use IMDS". */
static const struct kit_metadata_service service = {
    .token_header = "X-aws-ec2-metadata-token",
    .ttl_header = "X-aws-ec2-metadata-token-ttl-seconds",
    .says_403 = "is switched off for this instance (HTTP 403; see HttpEndpoint in its metadata "
                "options)",
    .form = "of version 2",
    .silent = "is this an EC2 instance, its HttpEndpoint enabled, and in a container its hop limit "
              "2?",
};

static int find_base(const struct aws_cloud *cloud, struct kit_buf *out, struct kit_err *err)
{
    const char *url = kit_settings_text(cloud->settings, KIT_PARAM_METADATA_ENDPOINT);
    const char *mode = aws_env("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE");

    if (aws_is_true(aws_env("AWS_EC2_METADATA_DISABLED")))
        return kit_err_set(err, KIT_ERR_CONFIG,
                           "the metadata service is needed, but AWS_EC2_METADATA_DISABLED is true");
    if (!url)
        url = aws_env("AWS_EC2_METADATA_SERVICE_ENDPOINT");
    if (!url)
        url = kit_str_eq_nocase(mode ? mode : "", "ipv6") ? BASE_IPV6 : BASE_IPV4;
    (void)kit_buf_puts(out, url);
    if (!kit_str_ends(url, "/"))
        (void)kit_buf_putc(out, '/');
    return kit_buf_check(out, "the metadata service's URL", err);
}

static struct kit_metadata at(struct aws_cloud *cloud, const char *base_url)
{
    return (struct kit_metadata){.service = &service,
                                 .caller = cloud->base.caller,
                                 .base_url = base_url,
                                 .token = &cloud->imds_token};
}

int aws_imds_read(struct aws_cloud *cloud, struct kit_metadata_item item[], size_t count,
                  struct kit_deadline by, struct kit_err *err)
{
    KIT_AUTO(kit_buf) base_url = KIT_BUF(1024);

    if (find_base(cloud, &base_url, err) != 0)
        return -1;
    struct kit_metadata metadata = at(cloud, base_url.data);
    return kit_metadata_read(&metadata, item, count, by, err);
}

bool aws_imds_answers(struct aws_cloud *cloud, struct kit_deadline by)
{
    KIT_AUTO(kit_buf) base_url = KIT_BUF(1024);
    struct kit_err ignored;

    if (find_base(cloud, &base_url, &ignored) != 0)
        return false;
    struct kit_metadata metadata = at(cloud, base_url.data);
    return kit_metadata_answers(&metadata, by);
}
